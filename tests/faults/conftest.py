"""Fixtures of tests/faults: a field per test, and the table of faults that is printed last."""
import pytest

import harness

COLUMNS = ("fault", "faults", "acked", "refused", "cut", "stored", "posts", "lost", "doubled", "unknown", "resent", "recovery_s")
TABLE = []


@pytest.fixture(scope="session")
def table():
    return TABLE


@pytest.fixture
def database(cluster):
    """A database per test: a verdict is about all that is in it."""
    made = cluster.create_database()
    yield made
    made.drop()


@pytest.fixture
def make_field(cluster, database, make_daemon):
    fields = []

    def make(**how):
        fields.append(harness.Field(cluster, database, make_daemon, **how))
        return fields[-1]

    yield make
    for made in fields:
        made.stop()


@pytest.fixture
def field(make_field):
    """One daemon that runs, its provider answers as it should."""
    made = make_field()
    made.daemon.start()
    return made


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["faults"] = TABLE


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """What a worker of pytest-xdist found; one that crashed tells nothing."""
    TABLE.extend(getattr(node, "workeroutput", {}).get("faults", []))


def cell(value):
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def pytest_terminal_summary(terminalreporter):
    if not TABLE:
        return
    rows = [COLUMNS] + [tuple(cell(row[name]) for name in COLUMNS) for row in TABLE]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    terminalreporter.section("faults")
    for row in rows:
        terminalreporter.write_line("  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:]))]))
