"""The database is gone for long: texts are taken into the spool, acknowledged, and all in the database when it is back."""
import pytest

from harness import Postgres, fault_program
from hl_testlib import wait_for
from test_postgres import is_back, note_probes

AFTER_MS = 500


def sections(max_mb=256):
    return {"spool": {"dir": "spool", "after_ms": AFTER_MS, "max_mb": max_mb}}


@pytest.fixture
def postgres(cluster):
    server = Postgres(cluster)
    yield server
    server.start()


def metric(field, name):
    page = field.daemon.http("GET", "/metrics").body.decode()
    return next(float(line.split()[1]) for line in page.splitlines() if line.startswith(f"hotlined_{name} "))


def go_down(field, postgres):
    postgres.kill_all()
    field.database.close()
    wait_for(lambda: metric(field, "spool_waiting") > 0, 15, "texts to be taken into the spool")


def come_back(field, postgres):
    postgres.start()
    field.timed(lambda: wait_for(lambda: is_back(field), 15, "the service after PostgreSQL came back"))
    wait_for(lambda: metric(field, "spool_waiting") == 0, 30, "the spool to be told")


def outage(field, postgres, table, seconds, rate):
    field.load("load", rate=rate)
    field.wait_for_acks(rate // 2)
    go_down(field, postgres)
    field.wait_for_acks(int(rate * seconds * 0.8), 2 * seconds + 20)
    come_back(field, postgres)
    field.end_load()
    note_probes(field)
    assert metric(field, "spool_told_total") > 0 and (field.folder / "spool/spool").stat().st_size == 0
    field.check(f"PostgreSQL away for {seconds} s, spool", 1, table)
    late = field.database.one("select max(extract(epoch from k.assigned_at - m.received_at))::float from hl.message m"
                              " join hl.task k on k.case_id = m.case_id where m.outcome = 'dispatch'")
    assert late < 1, "limits count from when a text came, not from when it was told"


def test_texts_of_an_outage_are_taken_and_told_when_the_database_is_back(make_field, postgres, table):
    field = make_field(sections=sections())
    field.daemon.start(timeout=60)
    outage(field, postgres, table, 4, 50)


@pytest.mark.long
def test_ten_minutes_without_a_database(make_field, postgres, table):
    field = make_field(sections=sections())
    field.daemon.start(timeout=60)
    outage(field, postgres, table, 600, 100)


def test_a_daemon_that_dies_with_a_full_hand_leaves_it_to_the_next_one(make_field, postgres, table):
    """kill -9 between the sync and the answer, the database still away; the next process finds what was taken."""
    field = make_field(sections=sections())
    daemon = field.daemon
    daemon.program, daemon.environment = fault_program(field.cluster), {"HL_CRASH_AT": "spool.synced:20"}
    daemon.start()
    field.load("load", rate=50)
    field.wait_for_acks(20)
    postgres.kill_all()
    field.database.close()
    assert daemon.process.wait(30) == 137, daemon.log()
    daemon.process = None
    field.end_load()
    daemon.program, daemon.environment = field.cluster.hotlined, {}
    daemon.launch()
    wait_for(lambda: daemon.log_lines("spool.found"), what="the spool to be found")
    postgres.start()
    wait_for(daemon.is_ready, 15, "the daemon")
    wait_for(lambda: metric(field, "spool_waiting") == 0, 15, "the spool to be told")
    field.check("kill -9 with a spool in hand", 1, table)


def test_a_full_spool_refuses_and_recovers(make_field, postgres, table):
    field = make_field(sections=sections(max_mb=1))
    field.daemon.start(timeout=60)
    field.load("load", rate=600, connections=64)
    field.wait_for_acks(20)
    go_down(field, postgres)
    wait_for(lambda: metric(field, "spool_refused_total") > 0, 30, "the spool to be full")
    assert field.daemon.http("GET", "/healthz").status == 200
    field.end_load()
    come_back(field, postgres)
    note_probes(field)
    verdict = field.check("a spool of 1 MiB is full", 1, table)
    assert verdict.counts["refused"] > 0
