"""One row the database will not take must not hold up the others: it is set aside whole and answered 200.

One daemon goes through all of it: what it counts and logs is compared with what it had before.
"""
import contextlib
import itertools
import json

import pytest

import hl_testlib
from hl_crowd import Crowd, have_been_read, held, metrics

SERIAL = itertools.count(1)
LEAK = "锦绣花园3号楼楼道漏水"
MAGIC = "锦绣花园7号楼 MAGIC 楼道漏水"
DUTY = "+8610000000100"


@pytest.fixture(scope="module", name="daemon")
def make_daemon_for_all(cluster, database):
    daemon = hl_testlib.Daemon(cluster, database).start()
    daemon.allow_error("message.quarantined")
    yield daemon
    daemon.stop()


def new_phone():
    return f"+861000000{3000 + next(SERIAL):04d}"


def fresh(word):
    return f"{word}-{next(SERIAL)}"


@contextlib.contextmanager
def changed(database, change, undo):
    database.sql(change)
    try:
        yield
    finally:
        database.sql(undo)


def refusing(database):
    """The database takes no text with the word in it."""
    return changed(database, "alter table hl.message add constraint no_magic check (text not like '%MAGIC%') not valid",
                   "alter table hl.message drop constraint no_magic")


def raising(database, sqlstate, table="hl.message", column="text", when="true"):
    """Storing the word fails with that SQLSTATE."""
    return changed(database, f"""
        create function public.raise_it() returns trigger language plpgsql security definer as $$ begin
          if new.{column} like '%MAGIC%' and {when} then raise exception 'made by a test' using errcode = '{sqlstate}'; end if;
          return new; end $$;
        create trigger raise_it before insert on {table} for each row execute function public.raise_it()""",
                   f"drop trigger raise_it on {table}; drop function public.raise_it()")


def stored(database, ext):
    return database.one("select count(*) from hl.message where external_id = %s", (ext,))


def set_aside(database, ext):
    return database.sql("select * from hl.quarantine where external_id = %s", (ext,))


def send_as_one_batch(daemon, reports):
    """Two reports go first and keep both calls busy, so that all others wait and go together."""
    crowd = Crowd()
    with held(daemon.database):
        for _ in range(2):
            crowd.hook(daemon, LEAK, new_phone(), fresh("first"))
            have_been_read(daemon)
        for ext, text in reports:
            crowd.hook(daemon, text, new_phone(), ext)
        have_been_read(daemon)
    return crowd.answers()[2:]


# ---- what nobody can decide ------------------------------------------------------------------------------------------

def test_a_text_whose_meaning_could_not_be_decided_five_times_is_an_operators(daemon, database):
    ext, phone = fresh("stuck"), new_phone()
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("insert into hl.person (phone) values (%s) returning id", (phone,))
        cursor.execute("insert into hl.message (channel, external_id, person_id, text, received_at, state, claims, claimed_until)"
                       " values ('loopback', %s, %s, 'words', now(), 'pending', 5, now() - interval '1 s') returning id",
                       (ext, cursor.fetchone()[0]))
    hl_testlib.wait_for(lambda: set_aside(database, ext), what="the text to be set aside")
    (row,) = set_aside(database, ext)
    assert json.loads(row["item"])["body"] == "words" and json.loads(row["item"])["phone"] == phone
    assert database.sql("select state, outcome from hl.message where external_id = %s", (ext,)) == [
        {"state": "handled", "outcome": "given_up"}]
    assert database.one("select count(*) from hl.notice where kind = 'quarantine' and params->>'id' = %s", (f"Q{row['id']}",)) \
        == database.one("select count(*) from hl.contacts('HOT', 'duty')")
    daemon.ctl("quarantine", "done", f"Q{row['id']}", "--why", "called back")


# ---- the bad one alone -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("bad", [{0}, {7}, {19}, {3, 4}, {0, 10, 19}, set(range(20))], ids=str)
def test_bad_rows_in_a_batch_of_twenty_are_set_aside_and_the_others_committed(daemon, database, bad):
    before, logged = metrics(daemon), len(daemon.log_lines("message.quarantined"))
    reports = [(fresh("twenty"), MAGIC if i in bad else LEAK) for i in range(20)]
    with refusing(database):
        replies = send_as_one_batch(daemon, reports)
    assert [reply.status for reply in replies] == [200] * 20
    for i, (ext, _) in enumerate(reports):
        assert (stored(database, ext), len(set_aside(database, ext))) == ((0, 1) if i in bad else (1, 0)), i
        assert (replies[i].json()["message"] == 0) == (i in bad)
    more = {name: value - before[name] for name, value in metrics(daemon).items() if name in before}
    assert more["hotlined_messages_quarantined_total"] == len(bad) and more["hotlined_messages_failed_total"] == 0
    # 20 halved until each bad one stands alone: no more than five times for one, nineteen for all.
    assert 4 <= more["hotlined_intake_bisections_total"] <= min(5 * len(bad), 19)
    assert len(daemon.log_lines("message.quarantined")) == logged + len(bad)


def test_what_is_set_aside_is_whole_and_told_to_an_operator(daemon, database):
    ext = fresh("whole")
    text = MAGIC + " 'x' \\ 🏠"
    with refusing(database):
        assert daemon.hook(text, sender="+8610000003999", external_id=ext).status == 200
    (row,) = set_aside(database, ext)
    item = json.loads(row["item"])
    assert (row["channel"], "no_magic" in row["reason"]) == ("loopback", True)
    assert (item["body"], item["phone"], item["ext"]) == (text, "+8610000003999", ext)
    assert database.one("select decode(%s, 'base64') = convert_to(%s, 'UTF8')", (item["raw"], text))
    told = database.sql("""select p.phone, n.params from hl.notice n join hl.person p on p.id = n.person_id
                           where n.kind = 'quarantine' and n.params->>'id' = %s""", (f"Q{row['id']}",))
    assert [notice["phone"] for notice in told] == [DUTY]


def test_the_log_tells_of_it_without_text_and_number(daemon, database):
    with refusing(database):
        daemon.hook(MAGIC, sender="+8610000003998")
    line = daemon.log_lines("message.quarantined")[-1]
    assert "23514" in line and "MAGIC" not in line.replace("no_magic", "") and "10000003998" not in daemon.log()


def test_a_repeat_of_the_bad_one_is_answered_the_same_and_set_aside_once(daemon, database):
    ext = fresh("again")
    with refusing(database):
        replies = [daemon.hook(MAGIC, external_id=ext) for _ in range(3)]
    assert [(reply.status, reply.body) for reply in replies] == [(200, replies[0].body)] * 3
    (row,) = set_aside(database, ext)
    assert database.one("select count(*) from hl.notice where kind = 'quarantine' and params->>'id' = %s", (f"Q{row['id']}",)) == 1


@pytest.mark.parametrize("sqlstate", ["22P02", "22003", "23505", "P0001", "P0103", "XX000"])
def test_errors_that_belong_to_a_row_set_that_row_aside(daemon, database, sqlstate):
    reports = [(fresh("row"), MAGIC if i == 2 else LEAK) for i in range(5)]
    with raising(database, sqlstate):
        replies = send_as_one_batch(daemon, reports)
    assert [reply.status for reply in replies] == [200] * 5
    assert [stored(database, ext) for ext, _ in reports] == [1, 1, 0, 1, 1]
    assert len(set_aside(database, reports[2][0])) == 1


def test_a_bad_receipt_is_set_aside_and_the_others_kept(daemon, database):
    crowd, before = Crowd(), database.one("select count(*) from hl.receipt")
    with raising(database, "23514", "hl.receipt", "status"):
        with held(database, "hl.receipt"):
            for i in range(12):
                body = {"id": fresh("nobody"), "status": "MAGIC" if i == 5 else "delivered"}
                crowd.post(daemon.port, "/hook/loopback/receipt", json.dumps(body).encode())
            have_been_read(daemon)
        assert [reply.status for reply in crowd.answers()] == [200] * 12
    assert database.one("select count(*) from hl.receipt") == before + 11
    assert database.one("select count(*) from hl.quarantine where item like '%MAGIC%' and external_id like 'receipt%'") == 1


# ---- errors that are nobody's fault ----------------------------------------------------------------------------------

@pytest.mark.parametrize("sqlstate", ["53100", "42P01", "42501", "57014", "55P03"])
def test_errors_of_the_installation_are_503_and_set_nothing_aside(daemon, database, sqlstate):
    reports = [(fresh("ours"), MAGIC if i == 2 else LEAK) for i in range(5)]
    with raising(database, sqlstate):
        replies = send_as_one_batch(daemon, reports)
        assert [reply.status for reply in replies] == [503] * 5
    for ext, text in reports:
        assert (stored(database, ext), set_aside(database, ext)) == (0, [])
        assert daemon.hook(text, sender=new_phone(), external_id=ext).status == 200


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
def test_a_deadlock_is_tried_again_before_anybody_hears_of_it(daemon, database, sqlstate):
    ext = fresh("deadlock")
    database.sql("create sequence public.tries; grant usage on sequence public.tries to public")
    with raising(database, sqlstate, when="nextval('public.tries') <= 2"):
        assert daemon.hook(MAGIC, external_id=ext).status == 200
    assert database.one("select last_value from public.tries") == 3
    assert (stored(database, ext), set_aside(database, ext)) == (1, [])
    database.sql("drop sequence public.tries")


def test_a_deadlock_that_stays_is_503(daemon, database):
    ext = fresh("deadlock")
    with raising(database, "40P01"):
        assert daemon.hook(MAGIC, external_id=ext).status == 503
    assert (stored(database, ext), set_aside(database, ext)) == (0, [])


def test_a_missing_function_is_503_sets_nothing_aside_and_heals_by_itself(daemon, database):
    assert daemon.hook(LEAK, sender=new_phone()).status == 200
    before = database.one("select count(*) from hl.quarantine")
    reports = [(fresh("gone"), LEAK) for _ in range(5)]
    with changed(database, "alter function hl.intake(jsonb) rename to intake_gone",
                 "alter function hl.intake_gone(jsonb) rename to intake"):
        replies = send_as_one_batch(daemon, reports)
        assert [reply.status for reply in replies] == [503] * 5
        assert daemon.http("GET", "/healthz").status == 200
    assert database.one("select count(*) from hl.quarantine") == before
    assert [daemon.hook(text, sender=new_phone(), external_id=ext).status for ext, text in reports] == [200] * 5


def test_a_bad_row_that_cannot_be_set_aside_is_not_answered_200(daemon, database):
    ext = fresh("nowhere")
    with refusing(database):
        with changed(database, "alter function hl.quarantine_item(jsonb) rename to quarantine_gone",
                     "alter function hl.quarantine_gone(jsonb) rename to quarantine_item"):
            assert daemon.hook(MAGIC, external_id=ext).status == 503
        assert set_aside(database, ext) == []
        assert daemon.hook(MAGIC, external_id=ext).status == 200
    assert len(set_aside(database, ext)) == 1
