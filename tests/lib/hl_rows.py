"""hl_rows - rows of the schema made by hand, as the flow functions would make them.

Who      tests that speak SQL to the schema itself. Every maker takes a cursor and gives the new row's key.
Limits   types, units and compounds are those of schema/ref.
"""
import contextlib
import itertools
import re

import psycopg2

from hl_testlib import ROOT

SIGN, ARRIVE, CLOSE = "2026-03-02 10:00+08", "2026-03-02 11:00+08", "2026-03-06 18:00+08"
ASSIGNED = "2026-03-02 09:00+08"
# SQLSTATEs of the guards in schema/0004_guards.sql and 0006_set_based.sql, of a missing right and of a missing row.
REWRITE, UNKNOWN_EVENT, ILLEGAL_MOVE, UNRECORDED, NOTICE_BACK, WRONG_START, NO_DISPATCH, SILENT_LIMITS, NO_LINK = (
    f"P010{n}" for n in range(1, 10))
DENIED, NO_SUCH = "42501", "23503"
_numbers = itertools.count(1)
_phones = itertools.count(1000)  # behind the demo contacts


def law(scope):
    """{(event, from, to)} of law.def."""
    text = (ROOT / "include/hotline/law.def").read_text(encoding="utf-8")
    moves = re.findall(r'^HL_MOVE\("(\w+)", "(\w+)", "(\w*)", "(\w+)"\)$', text, re.MULTILINE)
    assert len(moves) > 40
    return {(event, was, becomes) for of, event, was, becomes in moves if of == scope}


def one(cursor, statement, params=()):
    cursor.execute(statement, params)
    return cursor.fetchone()[0]


def person(cursor, phone=None):
    return one(cursor, "insert into hl.person (phone) values (%s) returning id", (phone or f"+861000000{next(_phones):04d}",))


def message(cursor, of_person=None, text="x", channel="c"):
    return one(cursor, "insert into hl.message (channel, external_id, person_id, text, received_at)"
               " values (%s, %s, %s, %s, now()) returning id", (channel, f"m{next(_numbers)}", of_person, text))


def event(cursor, of_case, kind, was=None, becomes=None, task=None, actor="system", data="{}", operator=None):
    """Gives its seq. With actor operator it is `tester`, unless said otherwise."""
    operator = operator or ("tester" if actor == "operator" else None)
    return one(cursor, "insert into hl.event (case_id, at, kind, task_id, actor, operator, from_state, to_state, data)"
               " values (%s, now(), %s, %s, %s, %s, %s, %s, %s) returning seq",
               (of_case, kind, task, actor, operator, was, becomes, data))


def bare_case(cursor, state="review", kind="FIR-1", urgency="normal", is_sure=True, compound=None, number=None):
    """A case without history; the commit will refuse it."""
    number = number or next(_numbers)
    return one(cursor, "insert into hl.case (id, code, type, urgency, state, compound, is_sure, opened_at)"
               " values (nextval('hl.case_serial'), %s, %s, %s, %s, %s, %s, now()) returning id",
               (f"99-{number:06d}", kind, urgency, state, compound, is_sure))


def case(cursor, state="review", actor="system", **more):
    made = bare_case(cursor, state, **more)
    event(cursor, made, "opened", "", state, actor=actor)
    return made


def bare_task(cursor, of_case, unit="FIR", role="lead", state="dispatched"):
    return one(cursor, "insert into hl.task (case_id, unit, role, state, urgency, assigned_at, sign_by, arrive_by, close_by)"
               " values (%s, %s, %s, %s, 'normal', %s, %s, %s, %s) returning id",
               (of_case, unit, role, state, ASSIGNED, SIGN, ARRIVE, CLOSE))


LIMITS = ("select jsonb_build_object('sign_by', hl.us(sign_by), 'arrive_by', hl.us(arrive_by), 'close_by', hl.us(close_by))"
          "::text from hl.task where id = %s")


def task(cursor, of_case, unit="FIR", role="lead"):
    made = bare_task(cursor, of_case, unit, role)
    event(cursor, of_case, "assigned", "", "dispatched", task=made, data=one(cursor, LIMITS, (made,)))
    return made


def move_case(cursor, of_case, kind, becomes, actor="operator"):
    """One legal move, row and history."""
    was = one(cursor, "select state from hl.case where id = %s", (of_case,))
    cursor.execute("update hl.case set state = %s, done_at = now(), closed_at = now() where id = %s", (becomes, of_case))
    event(cursor, of_case, kind, was, becomes, actor=actor)


def move_task(cursor, of_task, kind, becomes):
    of_case, was = one(cursor, "select array[case_id::text, state] from hl.task where id = %s", (of_task,))
    cursor.execute("update hl.task set state = %s, signed_at = now(), arrived_at = now(), done_at = now(), result = 'x'"
                   " where id = %s", (becomes, of_task))
    event(cursor, of_case, kind, was, becomes, task=of_task, data='{"reason": "x", "unit": ""}')


def notice(cursor, of_person, dedupe=None, lane="dispatch", of_task=None, of_case=None, state="queued"):
    return one(cursor, "insert into hl.notice (person_id, task_id, case_id, kind, template, dedupe, lane, not_before, made_at, state,"
               " reason, lease_until) values (%s, %s, %s, 'k', 't', %s, hl.lane_rank(%s), now(), now(), %s, 'r',"
               " case when %s = 'sending' then now() end) returning id",
               (of_person, of_task, of_case, dedupe or f"d{next(_numbers)}", lane, state, state))


def attempt(cursor, of_notice, n=1, channel="c", external=None, outcome=None):
    return one(cursor, "insert into hl.attempt (notice_id, n, channel, epoch, sent_at, external_id, outcome, settled_at)"
               " values (%s, %s, %s, 1, now(), %s, %s, case when %s is not null then now() end) returning id",
               (of_notice, n, channel, external, outcome, outcome))


@contextlib.contextmanager
def untriggered(cursor):
    """What happens inside is not seen by any trigger; constraints hold still."""
    cursor.execute("set session_replication_role = replica")
    yield
    cursor.execute("set session_replication_role = origin")


def refusal(cursor, statement, params=()):
    """Tries a statement and takes it back. Gives None, or the error it met."""
    cursor.execute("savepoint refusal")
    try:
        cursor.execute(statement, params)
        error = None
    except psycopg2.Error as refused:
        error = refused
    cursor.execute("rollback to savepoint refusal")
    return error


def refused_at_commit(cursor):
    """Commits. Gives the error that the database met it with, or None."""
    try:
        cursor.connection.commit()
    except psycopg2.Error as refused:
        return refused
    return None


def sqlstate(error):
    return error.pgcode if error else None


DECISION = ("insert into hl.decision (message_id, case_id, at, type, urgency, confidence, is_sure, route, rules, model)"
            " values ({message}, {case}, now(), 'FIR-1', 'normal', 1, true, 'dispatch', '{rules}', '{model}')")


def decision(**wrong):
    """The statement that records one, of %(message)s and %(case)s."""
    return DECISION.format(**{"message": "%(message)s", "case": "%(case)s", "rules": "0123456789abcdef", "model": "", **wrong})


def role(database, name):
    """A cursor of one of the product's roles, and its connection to close."""
    connection = database.connect(name)
    connection.autocommit = False
    return contextlib.closing(connection)
