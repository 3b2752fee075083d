"""Fixtures of tests/it and tests/e2e; what they hand out is described in tests/lib/hl_testlib.py."""
import pytest

import hl_testlib


@pytest.fixture(scope="session")
def cluster():
    """A private cluster for the whole session, with the migrated template in it."""
    made = hl_testlib.Cluster()
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def database(cluster):
    """A fresh database per module, schema and reference data in it."""
    made = cluster.create_database()
    yield made
    made.drop()


@pytest.fixture
def make_daemon(cluster, database):
    """make_daemon(sections={...}, start=True) -> Daemon; all are stopped and looked over at the end of the test."""
    daemons = []

    def make(sections=None, port=None, start=True, on=None):
        daemon = hl_testlib.Daemon(cluster, on or database, sections=sections, port=port)
        daemons.append(daemon)
        return daemon.start() if start else daemon

    yield make
    problems = []
    for daemon in daemons:
        try:
            daemon.stop()
        except AssertionError as problem:
            problems.append(str(problem))
    assert not problems, "\n".join(problems)


@pytest.fixture
def daemon(make_daemon):
    """A running daemon with the loopback channel and the demo clock."""
    return make_daemon()
