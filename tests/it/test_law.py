"""The law and the history: what moves, what is written about it, and that neither goes without the other."""
import concurrent.futures
import contextlib
import hashlib

import pytest

import hl_rows as rows
from hl_rows import (ILLEGAL_MOVE, NO_DISPATCH, NO_LINK, REWRITE, SILENT_LIMITS, UNKNOWN_EVENT, UNRECORDED, WRONG_START, refused_at_commit,
                     sqlstate)
from hl_testlib import wait_for


# --- the law ------------------------------------------------------------------------------------------------------

def states_of(scope):
    return sorted({state for _, was, becomes in rows.law(scope) for state in (was, becomes) if state})


def put(cursor, table, key, state):
    """Puts a row into a state, and its history, unseen by the guards."""
    column = "case_id" if table == "case" else "task_id"
    with rows.untriggered(cursor):
        cursor.execute(f"update hl.{table} set state = %s where id = %s", (state, key))
        cursor.execute(f"delete from hl.event where {column} = %s", (key,))
        cursor.execute("insert into hl.event (case_id, task_id, seq, at, kind, actor, from_state, to_state, hash)"
                       " select c.id, k.id, c.head_seq + 1, now(), 'put', 'system', '', %s, '' from hl.case c"
                       " left join hl.task k on k.case_id = c.id and 'task' = %s where %s in (k.id, c.id) and (k.id = %s or 'case' = %s)",
                       (state, table, key, key, table))
        cursor.execute("update hl.case set head_seq = head_seq + 1, head_hash = '' where id = (select case_id from hl.event e"
                       f" where {column} = %s order by seq desc limit 1)", (key,))


@pytest.fixture
def subject(cursor, keys):
    """(table, key) of a row that has every instant a state may ask for."""
    cursor.execute("update hl.case set done_at = now(), closed_at = now() where id = %(case)s", keys)
    cursor.execute("update hl.task set signed_at = now(), arrived_at = now(), done_at = now(), result = 'r' where id = %(task)s", keys)
    return keys


@pytest.mark.parametrize("scope", ["case", "task"])
def test_every_cell_of_the_law_is_allowed_or_refused(cursor, subject, scope):
    moves = {(was, becomes) for _, was, becomes in rows.law(scope)}
    update = f"update hl.{scope} set state = %s where id = %s"
    for was in states_of(scope):
        put(cursor, scope, subject[scope], was)
        for becomes in states_of(scope):
            error = rows.refusal(cursor, update, (becomes, subject[scope]))
            assert sqlstate(error) == (None if was == becomes or (was, becomes) in moves else ILLEGAL_MOVE), (was, becomes)


def test_a_case_and_a_task_are_born_only_in_a_state_the_law_knows(cursor, keys):
    for scope in ("case", "task"):
        births = {becomes for _, was, becomes in rows.law(scope) if was == ""}
        assert births
        for state in states_of(scope):
            if scope == "case":
                error = rows.refusal(cursor, "insert into hl.case (id, code, type, urgency, state, opened_at, done_at, closed_at)"
                                     " values (0, '99-999999', 'FIR-1', 'normal', %s, now(), now(), now())", (state,))
            else:
                error = rows.refusal(cursor, "insert into hl.task (case_id, unit, role, state, urgency, assigned_at, sign_by, close_by,"
                                     " signed_at, arrived_at, done_at, result) values (%s, 'POL', 'co', %s, 'normal', '2026-03-02',"
                                     " '2026-03-03', '2026-03-04', now(), now(), now(), 'r')", (keys["case"], state))
            assert sqlstate(error) == (None if state in births else ILLEGAL_MOVE), (scope, state)


# Tries an event and takes it back; gives null or the SQLSTATE it met. In the database, because there are 2,000 of them.
TRY_EVENT = """
create function pg_temp.try_event(of_case bigint, of_task bigint, kind text, was text, becomes text) returns text
language plpgsql as $$
begin
  insert into hl.event (case_id, task_id, at, kind, actor, operator, from_state, to_state, data)
    values (of_case, of_task, now(), kind, 'operator', 'x', was, becomes, '{"reason": "r", "unit": ""}');
  raise exception 'taken back' using errcode = 'TAKEN';
exception when others then
  return nullif(sqlstate, 'TAKEN');
end $$"""


@pytest.mark.parametrize("scope", ["case", "task"])
def test_every_event_of_the_law_is_allowed_only_for_its_own_move(cursor, subject, scope):
    law, states = rows.law(scope), states_of(scope)
    kinds = sorted({event for event, _, _ in law})
    cursor.execute(TRY_EVENT)
    for was in states:
        put(cursor, scope, subject[scope], was)
        cursor.execute("select kind, becomes, pg_temp.try_event(%s, %s, kind, %s, becomes) from unnest(%s) kind, unnest(%s) becomes",
                       (subject["case"], subject["task"] if scope == "task" else None, was, kinds, states))
        for kind, becomes, state in cursor.fetchall():
            assert state == (None if (kind, was, becomes) in law else UNKNOWN_EVENT), (kind, was, becomes)


def test_a_move_in_history_starts_where_the_last_one_ended(cursor, keys):
    error = rows.refusal(cursor, "insert into hl.event (case_id, at, kind, actor, from_state, to_state) values"
                         " (%(case)s, now(), 'closed', 'system', 'done', 'closed')", keys)
    assert sqlstate(error) == WRONG_START


def test_what_is_not_sure_is_dispatched_by_an_operator_or_as_an_emergency_only(cursor):
    def opened(actor, **more):
        case = rows.bare_case(cursor, "dispatched", **more)
        return sqlstate(rows.refusal(cursor, "insert into hl.event (case_id, at, kind, actor, operator, from_state, to_state) values"
                                     " (%s, now(), 'opened', %s, nullif(%s, ''), '', 'dispatched')",
                                     (case, actor, "tester" if actor == "operator" else "")))

    assert opened("system", is_sure=True) is None
    assert opened("system", is_sure=False, urgency="emergency") is None
    assert opened("operator", is_sure=False) is None
    assert opened("system", is_sure=False) == NO_DISPATCH
    assert opened("reporter", is_sure=False, urgency="urgent") == NO_DISPATCH


def test_out_of_scope_is_never_dispatched_not_even_by_an_operator(cursor):
    case = rows.case(cursor, "not_accepted", kind="OUT-0")
    cursor.execute("update hl.case set state = 'dispatched' where id = %s", (case,))
    event = ("insert into hl.event (case_id, at, kind, actor, operator, from_state, to_state) values"
             " (%s, now(), 'assigned', 'operator', 'x', 'not_accepted', 'dispatched')")
    assert sqlstate(rows.refusal(cursor, event, (case,))) == NO_DISPATCH
    cursor.execute("update hl.case set type = 'FIR-1' where id = %s", (case,))
    assert rows.refusal(cursor, event, (case,)) is None


# --- history ------------------------------------------------------------------------------------------------------

def committed(cursor):
    case = rows.case(cursor, "dispatched")
    task = rows.task(cursor, case)
    assert refused_at_commit(cursor) is None
    return case, task


def test_a_new_row_without_an_event_is_refused_at_commit(cursor):
    rows.bare_case(cursor)
    assert sqlstate(refused_at_commit(cursor)) == UNRECORDED
    case = rows.case(cursor, "dispatched")
    task = rows.bare_task(cursor, case)
    rows.event(cursor, case, "note", task=task, data=rows.one(cursor, rows.LIMITS, (task,)))
    assert sqlstate(refused_at_commit(cursor)) == UNRECORDED


def test_a_change_without_an_event_is_refused_at_commit(cursor):
    case, task = committed(cursor)
    cursor.execute("update hl.case set state = 'working' where id = %s", (case,))
    assert sqlstate(refused_at_commit(cursor)) == UNRECORDED
    cursor.execute("update hl.task set state = 'signed', signed_at = now() where id = %s", (task,))
    assert sqlstate(refused_at_commit(cursor)) == UNRECORDED


def test_an_old_event_does_not_excuse_a_new_change(cursor):
    case, task = committed(cursor)
    for kind, becomes in (("done", "done"), ("redo", "working")):
        rows.move_case(cursor, case, kind, becomes)
    for kind, becomes in (("done", "done"), ("redo", "signed")):
        rows.move_task(cursor, task, kind, becomes)
    assert refused_at_commit(cursor) is None
    cursor.execute("update hl.case set state = 'done' where id = %s", (case,))
    assert sqlstate(refused_at_commit(cursor)) == UNRECORDED
    cursor.execute("update hl.task set state = 'done' where id = %s", (task,))
    assert sqlstate(refused_at_commit(cursor)) == UNRECORDED


def test_an_event_without_the_change_is_refused_at_commit(cursor):
    case, task = committed(cursor)
    rows.event(cursor, case, "started", "dispatched", "working")
    assert sqlstate(refused_at_commit(cursor)) == UNRECORDED
    rows.event(cursor, case, "signed", "dispatched", "signed", task=task)
    assert sqlstate(refused_at_commit(cursor)) == UNRECORDED


def test_several_moves_in_one_transaction_are_recorded_one_by_one(cursor):
    _, task = committed(cursor)
    for kind, becomes in (("signed", "signed"), ("arrived", "arrived"), ("done", "done")):
        rows.move_task(cursor, task, kind, becomes)
    assert refused_at_commit(cursor) is None


def test_a_limit_changed_without_an_event_is_refused_at_commit(cursor):
    case, task = committed(cursor)
    for column in ("sign_by", "arrive_by", "close_by"):
        cursor.execute(f"update hl.task set {column} = {column} + interval '1 minute' where id = %s", (task,))
        assert sqlstate(refused_at_commit(cursor)) == SILENT_LIMITS, column
    cursor.execute("update hl.task set close_by = close_by + interval '1 day' where id = %s", (task,))
    rows.event(cursor, case, "extension_granted", task=task, data=rows.one(cursor, rows.LIMITS, (task,)))
    assert refused_at_commit(cursor) is None


def test_a_new_task_whose_history_tells_other_limits_is_refused_at_commit(cursor):
    case = rows.case(cursor, "dispatched")
    task = rows.bare_task(cursor, case)
    rows.event(cursor, case, "assigned", "", "dispatched", task=task, data='{"sign_by": 1, "close_by": 2}')
    assert sqlstate(refused_at_commit(cursor)) == SILENT_LIMITS


def test_history_cannot_be_changed_deleted_or_truncated_even_by_the_superuser(cursor, keys):
    cursor.execute("set constraints all immediate")
    for statement in ("update hl.event set data = '{}' where case_id = %(case)s", "delete from hl.event where case_id = %(case)s",
                      "truncate hl.event", "truncate hl.case cascade", "truncate hl.person cascade"):
        assert sqlstate(rows.refusal(cursor, statement, keys)) == REWRITE, statement


def link(event):
    """The hash of an event, as whoever checks a printed chain computes it."""
    (case, seq, us, kind, task, actor, person, operator, message, was, becomes, digest, data, before, _) = event
    words = [case, seq, us, kind, task, actor, person, operator, message, was, becomes,
             bytes(digest).hex() if digest is not None else None, data]
    line = "|".join("-" if word is None else str(word) for word in words)
    return hashlib.sha256((bytes(before) if before is not None else b"") + line.encode()).digest()


def test_the_chain_is_computed_by_the_database_whatever_is_given(cursor, keys):
    before = rows.one(cursor, "select head_seq from hl.case where id = %(case)s", keys)
    cursor.execute("insert into hl.event (case_id, seq, at, kind, actor, operator, person_id, message_id, data, digest, prev_hash, hash)"
                   " values (%(case)s, 77, now(), 'note', 'operator', 'somebody', %(person)s, %(message)s, '{\"b\": \"诉\", \"a\": 1}',"
                   " '\\x01ff', '\\xaa', '\\xbb')", keys)
    cursor.execute("select case_id, seq, (extract(epoch from at) * 1000000)::bigint, kind, task_id, actor::text, person_id, operator,"
                   " message_id, from_state, to_state, digest, data::text, prev_hash, hash from hl.event where case_id = %(case)s"
                   " order by seq", keys)
    events = cursor.fetchall()
    assert [event[1] for event in events] == list(range(1, before + 2))
    assert events[0][13] is None and [bytes(event[13]) for event in events[1:]] == [bytes(event[14]) for event in events[:-1]]
    assert [bytes(event[14]) for event in events] == [link(event) for event in events]
    cursor.execute("select head_seq, head_hash from hl.case where id = %(case)s", keys)
    assert [(seq, bytes(head)) for seq, head in cursor.fetchall()] == [(before + 1, bytes(events[-1][14]))]


# An event whose hash is the right one for what it says.
SEALED = """insert into hl.event (case_id, seq, at, kind, actor, data, prev_hash, hash)
  select %(case)s, {seq}, to_timestamp(0), 'note', 'system', '{{}}', p.hash,
         hl.link(p.hash, hl.event_text(%(case)s, {seq}, to_timestamp(0), 'note', null, 'system', null, null, null, null, null, '{{}}', null))
  from hl.event p where p.case_id = {before_case} and p.seq = {before}"""


def test_a_right_hash_in_the_wrong_place_is_refused(cursor, keys):
    head = rows.one(cursor, "select head_seq from hl.case where id = %(case)s", keys)
    follows = {"seq": head + 1, "before": head, "before_case": "%(case)s"}
    assert rows.refusal(cursor, SEALED.format(**follows), keys) is None
    for wrong in ({"seq": head + 2}, {"before": head - 1}, {"before_case": "%(review)s", "before": 1}, {"seq": 0}, {"seq": -1}):
        assert sqlstate(rows.refusal(cursor, SEALED.format(**{**follows, **wrong}), keys)) == NO_LINK, wrong


def test_a_case_is_not_born_with_a_head_of_its_own(cursor):
    born = "insert into hl.case (id, code, type, urgency, state, opened_at, head_seq, head_hash) values (0, '99-999999', 'FIR-1', 'normal'," \
           " 'review', now(), %s, %s)"
    for head in ((1, b"x"), (0, b"x"), (-1, None), (1, None)):
        assert sqlstate(rows.refusal(cursor, born, head)) == NO_LINK, head
    assert rows.refusal(cursor, born, (0, None)) is None


def test_two_writers_cannot_fork_a_chain(database, cursor):
    case, _ = committed(cursor)
    rows.event(cursor, case, "note")
    with (contextlib.closing(database.connect()) as second, second.cursor() as other,
          concurrent.futures.ThreadPoolExecutor(1) as pool):
        later = pool.submit(rows.event, other, case, "note")
        wait_for(lambda: database.sql("select 1 from pg_stat_activity where pid = %s and wait_event_type = 'Lock'",
                                      (second.get_backend_pid(),)), what="the second writer to wait")
        cursor.connection.commit()
        assert later.result() == 4
    assert rows.one(cursor, "select array_agg(seq order by seq) from hl.event where case_id = %s", (case,)) == [1, 2, 3, 4]
    assert rows.one(cursor, "select hl.verify('{}')")["broken"] == []
