"""2xx means committed: what a webhook answers with 200 is in PostgreSQL, once, and survives what happens next."""
import contextlib
import itertools
import json
import os
import signal
import socket
import threading
import time

import pytest

import hl_testlib
from hl_crowd import Crowd, have_been_read, held, metrics, wait_for_waiters

SERIAL = itertools.count(1)
LEAK = "锦绣花园3号楼楼道漏水"


@pytest.fixture(name="own")
def make_own(cluster):
    """A database of its own, for a test that leaves it broken. The cluster takes it along."""
    made = cluster.create_database()
    yield made
    made.close()


def new_phone():
    return f"+861000000{2100 + next(SERIAL):04d}"


def stored(database, ext):
    return database.sql("select * from hl.message where external_id = %s order by id", (ext,))


def ids_of(replies):
    assert [reply.status for reply in replies] == [200] * len(replies)
    return [reply.json()["message"] for reply in replies]


# ---- the answer comes after the commit -------------------------------------------------------------------------------

class Witness:
    """A TCP proxy that, before it passes an answer on, looks for the row from a connection of its own."""

    def __init__(self, daemon):
        self._to, self._database, self.seen = daemon.port, daemon.database, []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        request = bytearray()
        with client, socket.create_connection(("127.0.0.1", self._to)) as server:
            threading.Thread(target=self._copy, args=(client, server, request), daemon=True).start()
            answer = server.recv(65536)
            if answer:
                self.seen.append((int(answer.split(b" ", 2)[1]), self._rows(bytes(request))))
            while answer:
                client.sendall(answer)
                answer = server.recv(65536)

    @staticmethod
    def _copy(client, server, request):
        with contextlib.suppress(OSError):
            while chunk := client.recv(65536):
                request += chunk
                server.sendall(chunk)
            server.shutdown(socket.SHUT_WR)

    def _rows(self, request):
        ext = json.loads(request.partition(b"\r\n\r\n")[2])["id"]
        with contextlib.closing(self._database.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("select count(*) from hl.message where external_id = %s", (ext,))
            return cursor.fetchone()[0]

    def stop(self):
        self._listener.close()


@pytest.fixture(name="make_witness")
def make_make_witness():
    made = []

    def make(daemon):
        made.append(Witness(daemon))
        return made[-1]

    yield make
    for witness in made:
        witness.stop()


def test_the_row_can_be_seen_by_others_before_the_answer_leaves(daemon, make_witness):
    witness, crowd = make_witness(daemon), Crowd()
    for i in range(30):
        crowd.hook(daemon, LEAK, new_phone(), f"seen-{i}", port=witness.port)
    ids = ids_of(crowd.answers())
    assert len(set(ids)) == 30
    assert witness.seen == [(200, 1)] * 30


def test_a_repeat_is_not_answered_before_the_first_one_has_committed(make_daemon, make_witness, database):
    """The second daemon meets a row that the first one has not committed yet."""
    one, two, crowd = make_daemon(), make_daemon(), Crowd()
    witnesses = make_witness(one), make_witness(two)
    with held(database, "hl.report"):
        # The first one's message is inserted, and its transaction waits for the report.
        crowd.hook(one, LEAK, "+8610000002001", "twin", port=witnesses[0].port)
        wait_for_waiters(database, 1)
        crowd.hook(two, LEAK, "+8610000002001", "twin", port=witnesses[1].port)
        wait_for_waiters(database, 2)
        assert [witness.seen for witness in witnesses] == [[], []]
    assert len(set(ids_of(crowd.answers()))) == 1
    assert [witness.seen for witness in witnesses] == [[(200, 1)], [(200, 1)]]


# ---- once ------------------------------------------------------------------------------------------------------------

def effects(database):
    """Everything one report leaves behind, counted."""
    tables = ("message", "report", "case", "task", "event", "notice", "quarantine")
    return {table: database.one(f"select count(*) from hl.{table}") for table in tables}


def reports_and_receipts(database, messages):
    return (database.one("select count(*) from hl.report where message_id = any (%s)", (messages,)),
            database.one("select count(*) from hl.notice where kind = 'receipt' and message_id = any (%s)", (messages,)))


def test_a_repeat_is_answered_as_the_first_time_and_changes_nothing(daemon, database):
    first = daemon.hook(LEAK, external_id="again")
    before = effects(database)
    repeats = [daemon.hook(LEAK, external_id="again") for _ in range(3)]
    assert [(reply.status, reply.body) for reply in repeats] == [(200, first.body)] * 3
    assert effects(database) == before
    assert metrics(daemon)["hotlined_message_repeats_total"] == 3


def test_another_text_under_a_known_id_is_answered_and_set_aside_once(daemon, database):
    first = daemon.hook(LEAK, sender="+8610000002002", external_id="changed")
    before = effects(database)
    for _ in range(2):
        other = daemon.hook("祥和家园5号楼电梯坏了", sender="+8610000002003", external_id="changed")
        assert (other.status, other.body) == (200, first.body)
    assert daemon.hook(LEAK, sender="+8610000002002", external_id="changed").body == first.body
    assert [row["text"] for row in stored(database, "changed")] == [LEAK]
    duty = database.one("select count(*) from hl.contacts('HOT', 'duty')")
    assert {name: n - before[name] for name, n in effects(database).items() if n != before[name]} == {
        "quarantine": 1, "notice": duty}

    (aside,) = daemon.ctl("quarantine")["quarantine"]
    whole = daemon.ctl("quarantine", aside["id"])["quarantine"][0]
    assert "another text" in aside["reason"] and "item" not in aside
    assert json.loads(whole["item"])["body"] == "祥和家园5号楼电梯坏了"
    daemon.ctl("quarantine", "done", aside["id"], "--why", "called back: a case was opened by hand")
    assert daemon.ctl("quarantine") == {"waiting": 0, "quarantine": []}
    assert daemon.ctl("quarantine", aside["id"])["quarantine"][0]["done_why"].startswith("called back")
    for words in (("quarantine", "done", aside["id"], "--why", "again"), ("quarantine", "Q999999")):
        daemon.ctl(*words, json=False, code=1)
    for words in (("quarantine", "done", aside["id"]), ("quarantine", "Qx"), ("quarantine", "--why", "x")):
        daemon.ctl(*words, json=False, code=2)


def test_ids_of_two_channels_do_not_meet(make_daemon, database):
    daemon = make_daemon({"channel other": {"provider": "loopback", "from": "12345"}})
    replies = [daemon.hook(LEAK, sender=new_phone(), external_id="shared", channel=name) for name in ("loopback", "other")]
    assert len(set(ids_of(replies))) == 2 and len(stored(database, "shared")) == 2


def test_fifty_at_once_with_one_id_are_one(daemon, database):
    crowd = Crowd()
    for _ in range(50):
        crowd.hook(daemon, LEAK, "+8610000002004", "fifty")
    assert len(set(ids_of(crowd.answers()))) == 1
    (row,) = stored(database, "fifty")
    assert reports_and_receipts(database, [row["id"]]) == (1, 1)


def test_two_daemons_that_get_the_same_ids_at_once_store_each_once(make_daemon, database):
    daemons, crowd = (make_daemon(), make_daemon()), Crowd()
    ids = [f"both-{i}" for i in range(25)]
    phones = {ext: new_phone() for ext in ids}
    with held(database):
        # In opposite order, so that locks taken in the order of arrival would be a deadlock.
        for one, two in zip(ids, reversed(ids)):
            crowd.hook(daemons[0], LEAK, phones[one], one)
            crowd.hook(daemons[1], LEAK, phones[two], two)
        have_been_read(*daemons)
        wait_for_waiters(database, 2)
    answered = ids_of(crowd.answers())
    assert dict(zip(ids, answered[::2])) == dict(zip(reversed(ids), answered[1::2]))
    assert database.one("select count(*) from hl.message where external_id like 'both-%'") == 25
    assert reports_and_receipts(database, answered[::2]) == (25, 25)


# ---- all that waits goes in one call ---------------------------------------------------------------------------------

def test_all_reports_that_wait_are_stored_by_few_calls(daemon, database):
    crowd = Crowd()
    with held(database):
        for i in range(40):
            crowd.hook(daemon, LEAK, new_phone(), f"batch-{i}")
        have_been_read(daemon)
        wait_for_waiters(database)
    assert len(set(ids_of(crowd.answers()))) == 40
    # Two calls may be under way while the others collect; xmin names the transaction that wrote a row.
    assert database.one("select count(distinct xmin::text) from hl.message where external_id like 'batch-%'") <= 3
    seen = metrics(daemon)
    assert (seen["hotlined_intake_batch_size_sum"], seen["hotlined_messages_total"]) == (40, 40)
    assert seen["hotlined_intake_batch_size_count"] <= 3


def test_a_batch_is_no_larger_than_configured(make_daemon, database):
    daemon, crowd = make_daemon({"db": {"batch_max": 10}}), Crowd()
    with held(database):
        for i in range(40):
            crowd.hook(daemon, LEAK, new_phone(), f"small-{i}")
        have_been_read(daemon)
    assert len(set(ids_of(crowd.answers()))) == 40
    sizes = database.sql("select count(*) as n from hl.message where external_id like 'small-%' group by xmin::text")
    assert max(row["n"] for row in sizes) == 10


# ---- the database is away --------------------------------------------------------------------------------------------

def end_sessions(database):
    database.cluster.execute("select pg_terminate_backend(pid) from pg_stat_activity "
                             f"where datname = '{database.name}' and usename = 'hotline_daemon'")


@contextlib.contextmanager
def away(database):
    """No session can be had and none is left, as when the server is down; other databases do not notice."""
    database.cluster.execute(f"alter database {database.name} allow_connections false")
    end_sessions(database)
    try:
        yield
    finally:
        database.cluster.execute(f"alter database {database.name} allow_connections true")


def test_without_the_database_webhooks_get_503_and_all_recovers_by_itself(daemon, database):
    process = daemon.process
    with away(database):
        hl_testlib.wait_for(lambda: daemon.http("GET", "/readyz").status == 503, what="the daemon to notice")
        began = time.monotonic()
        replies = [daemon.hook(LEAK, sender=new_phone(), external_id=f"away-{i}") for i in range(5)]
        assert [reply.status for reply in replies] == [503] * 5 and time.monotonic() - began < 2
        assert all(reply.json()["error"] for reply in replies)
        assert daemon.http("GET", "/healthz").status == 200
    hl_testlib.wait_for(lambda: daemon.http("GET", "/readyz").status == 200, what="the daemon to recover")
    replies = [daemon.hook(LEAK, sender=new_phone(), external_id=f"away-{i}") for i in range(5)]
    assert len(set(ids_of(replies))) == 5 and daemon.process is process


def test_a_session_that_ends_under_a_report_leaves_it_to_the_repeat(daemon, database):
    crowd = Crowd()
    with held(database):
        for i in range(10):
            crowd.hook(daemon, LEAK, new_phone(), f"cut-{i}")
        wait_for_waiters(database)
        end_sessions(database)
        # What was sent has an unknown fate, what had not been sent may go over the next session.
    statuses = [reply.status for reply in crowd.answers()]
    assert set(statuses) <= {200, 503} and 503 in statuses
    answered = {f"cut-{i}" for i, status in enumerate(statuses) if status == 200}
    assert all(stored(database, ext) for ext in answered)
    hl_testlib.wait_for(lambda: daemon.http("GET", "/readyz").status == 200, what="the daemon to recover")
    ids_of([daemon.hook(LEAK, sender=new_phone(), external_id=f"cut-{i}") for i in range(10)])
    assert database.one("select count(*) from hl.message where external_id like 'cut-%'") == 10


@pytest.mark.parametrize("sections", [{"db": {"deadline_ms": 700}}, {"http": {"answer_ms": 700}}], ids=["db", "http"])
def test_a_database_slower_than_the_deadline_is_503_in_time_and_the_repeat_is_stored_once(make_daemon, database, sections):
    daemon = make_daemon(sections)
    with held(database):
        began = time.monotonic()
        ext = f"slow-{next(SERIAL)}"
        reply = daemon.hook(LEAK, external_id=ext)
        assert reply.status == 503 and 0.5 < time.monotonic() - began < 3
    # The first call may still commit on its own: the session that was left alone does not know that nobody waits.
    hl_testlib.wait_for(lambda: daemon.hook(LEAK, external_id=ext).status == 200, what="the repeat to be stored")
    assert len(stored(database, ext)) == 1


def test_what_was_answered_survives_a_crash_of_the_server(cluster, daemon, database):
    crowd = Crowd()
    # A sequence remembers how many numbers it has logged ahead; a database made from a template inherits that without
    # the log, and a crash would hand numbers out again. Installations are not made from templates.
    database.sql("select setval(format('%I.%I', schemaname, sequencename)::regclass, last_value) from pg_sequences "
            "where last_value is not null")
    for i in range(20):
        crowd.hook(daemon, LEAK, new_phone(), f"crash-{i}")
    ids = ids_of(crowd.answers())
    database.close()
    pid_file = cluster.data / "pg/postmaster.pid"
    os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)
    hl_testlib.wait_for(lambda: not pid_file.exists(), 30, "the server to be gone")
    assert daemon.hook(LEAK, external_id="crash-20").status == 503
    cluster._script("start", cluster.data)  # pylint: disable=protected-access
    hl_testlib.wait_for(lambda: daemon.http("GET", "/readyz").status == 200, 15, "the daemon to recover")
    assert daemon.hook(LEAK, external_id="crash-20").status == 200
    rows = database.sql("select id from hl.message where external_id like 'crash-%' and external_id <> 'crash-20' order by id")
    assert [row["id"] for row in rows] == sorted(ids)


# ---- a database that would not keep its word -------------------------------------------------------------------------

def why_not_ready(daemon):
    with contextlib.suppress(OSError):
        reply = daemon.http("GET", "/readyz")
        return reply.json()["error"] if reply.status == 503 else ""
    return ""


def refuses(daemon, reason):
    """It says why it is not ready, and a report is neither taken nor stored."""
    hl_testlib.wait_for(lambda: reason in why_not_ready(daemon), what=f"/readyz to say {reason}")
    ext = f"refused-{next(SERIAL)}"
    assert daemon.hook(LEAK, external_id=ext).status == 503
    assert stored(daemon.database, ext) == []
    assert reason in why_not_ready(daemon)


def launch(daemon):
    """Starts it without waiting for readiness."""
    daemon.is_ready = lambda: True
    daemon.start()
    del daemon.is_ready


def become_ready(daemon):
    hl_testlib.wait_for(lambda: daemon.http("GET", "/readyz").status == 200, what="/readyz")
    assert daemon.hook(LEAK).status == 200


@contextlib.contextmanager
def without_fsync(cluster):
    def switch(statement, value):
        cluster.execute(statement)
        cluster.execute("select pg_reload_conf()")

        def has_value():
            with contextlib.closing(cluster.connect("postgres")) as connection, connection.cursor() as cursor:
                cursor.execute("show fsync")
                return cursor.fetchone()[0] == value
        hl_testlib.wait_for(has_value, what=f"fsync {value}")

    try:
        switch("alter system set fsync = off", "off")
        yield
    finally:
        switch("alter system reset fsync", "on")


def test_without_fsync_nothing_is_served(cluster, make_daemon):
    daemon = make_daemon(start=False)
    with without_fsync(cluster):
        launch(daemon)
        refuses(daemon, "fsync")
    become_ready(daemon)


def test_a_new_session_without_fsync_is_not_used(cluster, daemon, database):
    with without_fsync(cluster):
        end_sessions(database)
        refuses(daemon, "fsync")
    become_ready(daemon)


def test_synchronous_commit_is_on_whatever_the_database_says(cluster, make_daemon, own):
    cluster.execute(f"alter database {own.name} set synchronous_commit = off")
    own.sql("""create table public.noted (value text);
               create function public.note() returns trigger language plpgsql security definer as
                 $$ begin insert into public.noted values (current_setting('synchronous_commit')); return new; end $$;
               create trigger note before insert on hl.message for each row execute function public.note()""")
    assert make_daemon(on=own).hook(LEAK).status == 200
    assert own.sql("select value from public.noted") == [{"value": "on"}]


@pytest.mark.parametrize("value", ["off", "local", "remote_write"])
def test_a_session_whose_synchronous_commit_is_not_on_is_not_served(make_daemon, database, value):
    database.sql(f"""alter function hl.hello(jsonb) rename to true_hello;
                     create function hl.hello(batch jsonb) returns jsonb language sql as
                       $$ select hl.true_hello(batch)::jsonb || '{{"synchronous_commit": "{value}"}}' $$""")
    daemon = make_daemon(start=False)
    launch(daemon)
    refuses(daemon, "synchronous_commit")
    database.sql("drop function hl.hello(jsonb); alter function hl.true_hello(jsonb) rename to hello")
    become_ready(daemon)


LAWS = {
    "a move more": ("insert into hl.law values ('task', 'teleported', 'signed', 'done')",
                    "delete from hl.law where event = 'teleported'"),
    "a move less": ("create table public.kept as select * from hl.law where event = 'signed'; delete from hl.law where event = 'signed'",
                    "insert into hl.law select * from public.kept"),
    "another name": ("update hl.law set event = 'sign' where event = 'signed'",
                     "update hl.law set event = 'signed' where event = 'sign'"),
}


def test_a_new_session_at_a_server_under_another_law_is_not_used(daemon, database):
    """A failover leads to another server: here the same one, changed before the daemon's sessions are made anew."""
    change, restore = LAWS["a move less"]
    database.sql(change)
    end_sessions(database)
    refuses(daemon, "another law")
    stored = database.one("select count(*) from hl.message")
    assert daemon.hook(LEAK).status == 503
    assert database.one("select count(*) from hl.message") == stored
    database.sql(restore)
    database.sql("drop table public.kept")
    become_ready(daemon)


@pytest.mark.parametrize("name", LAWS)
def test_a_database_under_another_law_is_not_served(make_daemon, database, name):
    change, restore = LAWS[name]
    database.sql(change)
    daemon = make_daemon(start=False)
    launch(daemon)
    refuses(daemon, "another law")
    database.sql(restore)
    become_ready(daemon)
