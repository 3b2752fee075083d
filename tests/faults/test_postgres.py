"""The database dies or hangs under load: webhooks hear 503 in time, and nothing that was promised is lost."""
import contextlib
import http.client
import time

import pytest

from harness import DEADLINE_S, LEASE_S, Postgres
from hl_testlib import wait_for

# A text waits for the batches before it, then for its own; the rest is for the machine.
ANSWER_WITHIN_S = 2 * DEADLINE_S + 0.5


@pytest.fixture
def postgres(cluster):
    server = Postgres(cluster)
    yield server
    server.start()


def status_of(daemon, external_id):
    with contextlib.suppress(OSError, http.client.HTTPException):
        return daemon.hook("帮助", sender="+8610000000001", external_id=external_id).status
    return 0


def timed_status_of(daemon, external_id):
    asked = time.monotonic()
    return status_of(daemon, external_id), time.monotonic() - asked


def is_back(field):
    """The service takes a text again."""
    return status_of(field.daemon, f"probe-{time.monotonic_ns()}") == 200


def kill_server(field, postgres, table, kills, rate):
    field.load("load", rate=rate)
    field.people("people")
    for _ in range(kills):
        field.wait_for_acks(rate // 2)
        postgres.kill()
        assert field.daemon.http("GET", "/healthz").status == 200
        field.database.close()
        # How long the server needs to come back is its own; what is measured begins when it is there.
        postgres.start()
        field.timed(lambda: wait_for(lambda: is_back(field), 15, "the service after PostgreSQL came back"))
    field.wait_for_acks(5)
    note_probes(field)
    field.check(f"kill -9 of PostgreSQL, {kills} times" if kills > 1 else "kill -9 of PostgreSQL", kills, table)


def note_probes(field):
    """The probes were texts as any other."""
    with open(field.acks, "a", encoding="utf-8") as journal:
        journal.write("probe-0 0\n")


def test_survives_a_kill_of_the_database(field, postgres, table):
    kill_server(field, postgres, table, 1, 50)


@pytest.mark.long
def test_survives_many_kills_of_the_database(field, postgres, table):
    kill_server(field, postgres, table, 5, 300)


def hang_server(field, postgres, table, rounds, rate):
    field.load("load", rate=rate)
    for n in range(rounds):
        field.wait_for_acks(rate // 2)
        with postgres.stopped():
            answers = [timed_status_of(field.daemon, f"probe-{n}-{i}") for i in range(3)]
            assert field.daemon.http("GET", "/healthz").status == 200
            assert wait_for(lambda: field.daemon.http("GET", "/readyz").status == 503, ANSWER_WITHIN_S)
        field.timed(lambda: wait_for(lambda: is_back(field), 15, "the service after PostgreSQL went on"))
        assert all(status == 503 and waited_s < ANSWER_WITHIN_S for status, waited_s in answers), answers
    note_probes(field)
    field.check("SIGSTOP of PostgreSQL", rounds, table)


def test_hanging_database_is_answered_for_in_time(field, postgres, table):
    hang_server(field, postgres, table, 1, 50)


@pytest.mark.long
def test_hanging_database_many_times(field, postgres, table):
    hang_server(field, postgres, table, 5, 200)


def test_results_outlive_an_outage_longer_than_their_lease(field, postgres, table):
    """The provider's answers come while the database hangs: the daemon knows them, so nothing is unknown or sent again."""
    field.sink.mode("slow")
    field.load("load", seconds=1, rate=30)
    field.end_load()
    wait_for(lambda: field.database.one("select count(*) filter (where state = 'sending') > 0 and"
                                        " count(*) filter (where state = 'queued') = 0 from hl.notice"), pause=0.005)
    with postgres.stopped():
        time.sleep(LEASE_S + 1)  # the fault itself is time that passes
    field.timed(lambda: wait_for(lambda: is_back(field), 15, "the service after PostgreSQL went on"))
    note_probes(field)
    verdict = field.check("SIGSTOP of PostgreSQL past the leases", 1, table)
    assert field.daemon.log_lines("settle.failed"), "no result came while the database hung: nothing was tried"
    assert verdict.counts["resent"] == 0 and verdict.counts["unknown"] == 0, verdict.counts
