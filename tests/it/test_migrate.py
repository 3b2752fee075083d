"""hotlinectl migrate: forward only, once, one at a time, all or nothing per file; what was applied is sealed."""
import concurrent.futures
import shutil

import pytest

import hl_rows as rows
from hl_testlib import ROOT, Conf, Database, run_ctl

SCHEMA = ROOT / "schema"
JOURNAL = "select name, kind, sha256, applied_at from public.hotline_schema order by name"
N_MIGRATIONS, N_FUNCTIONS = len(list(SCHEMA.glob("*.sql"))), len(list(SCHEMA.glob("fn/*.sql")))


@pytest.fixture
def empty(cluster):
    """A database without any schema."""
    cluster.execute("create database hl_migrate owner hotline_owner")
    made = Database(cluster, "hl_migrate")
    yield made
    made.drop()


@pytest.fixture
def folder(tmp_path):
    """A copy of the schema folder that a test may change."""
    return shutil.copytree(SCHEMA, tmp_path / "schema")


@pytest.fixture
def migrate(cluster, tmp_path):
    """migrate(database, folder=, conninfo=, is_demo=, code=) -> what hotlinectl said."""

    def run(database, folder=SCHEMA, conninfo=None, is_demo=True, code=0):
        sections = {"db": {"conninfo": conninfo or database.conninfo()}, "demo": {"clock": "yes" if is_demo else "no"}}
        conf = Conf(cluster, database, sections=sections).write(tmp_path / "hotlined.conf")
        return run_ctl(conf, "migrate", "--schema", folder, is_json=code == 0, code=code)

    return run


def law_of(database):
    return {tuple(row.values()) for row in database.sql("select scope, event, from_state, to_state from hl.law")}


def test_an_empty_database_gets_everything_and_a_second_run_changes_nothing(migrate, empty):
    assert migrate(empty) == {"migrations": N_MIGRATIONS, "functions": N_FUNCTIONS}
    journal = empty.sql(JOURNAL)
    assert [row["kind"] for row in journal].count("migration") == N_MIGRATIONS
    assert migrate(empty) == {"migrations": 0, "functions": 0}
    assert empty.sql(JOURNAL) == journal


def test_an_applied_file_that_was_changed_is_refused_by_name(migrate, empty, folder):
    migrate(empty)
    journal = empty.sql(JOURNAL)
    with open(folder / "0002_cases.sql", "a", encoding="utf-8") as file:
        file.write("-- one line more\n")
    assert "0002_cases.sql: was changed after it had been applied" in migrate(empty, folder, code=1)
    assert empty.sql(JOURNAL) == journal


def test_a_database_of_a_newer_release_is_refused_by_the_name_of_what_is_unknown(migrate, empty, folder):
    (folder / "0900_later.sql").write_text("create table hl.later (x int primary key);\n")
    assert migrate(empty, folder)["migrations"] == N_MIGRATIONS + 1
    (folder / "fn/10_common.sql").write_text((folder / "fn/10_common.sql").read_text() + "-- older\n")
    (folder / "0900_later.sql").unlink()
    journal = empty.sql(JOURNAL)
    assert "0900_later.sql: was applied, but" in migrate(empty, folder, code=1)
    assert empty.sql(JOURNAL) == journal


def test_a_file_that_fails_midway_leaves_nothing_and_the_next_run_completes(migrate, empty, folder):
    cases = (folder / "0002_cases.sql").read_text()
    (folder / "0002_cases.sql").write_text(cases + "select 1 / 0;\n")
    said = migrate(empty, folder, code=1)
    assert "0002_cases.sql" in said and "division by zero" in said
    assert [row["name"] for row in empty.sql(JOURNAL)] == ["0001_base.sql"]
    assert empty.one("select to_regclass('hl.message') is null and to_regclass('hl.person') is not null")
    (folder / "0002_cases.sql").write_text(cases)
    assert migrate(empty, folder) == {"migrations": N_MIGRATIONS - 1, "functions": N_FUNCTIONS}


def test_a_runner_that_is_killed_leaves_nothing_and_the_next_run_completes(migrate, empty, folder):
    guards = (folder / "0004_guards.sql").read_text()
    (folder / "0004_guards.sql").write_text(guards + "select pg_terminate_backend(pg_backend_pid());\n")
    migrate(empty, folder, code=1)
    assert "0004_guards.sql" not in [row["name"] for row in empty.sql(JOURNAL)]
    assert empty.one("select to_regproc('hl.chain_event') is null")
    (folder / "0004_guards.sql").write_text(guards)
    assert migrate(empty, folder)["migrations"] == N_MIGRATIONS - 3
    assert migrate(empty, folder) == {"migrations": 0, "functions": 0}


def test_two_runners_at_once_apply_every_file_once(cluster, migrate, empty, tmp_path):
    confs = [Conf(cluster, empty).write(tmp_path / f"{name}.conf") for name in "ab"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda conf: run_ctl(conf, "migrate", "--schema", SCHEMA, is_json=True), confs))
    assert sorted(one["migrations"] for one in done) == [0, N_MIGRATIONS]
    assert sum(one["functions"] for one in done) == N_FUNCTIONS
    assert migrate(empty) == {"migrations": 0, "functions": 0}


def test_functions_are_replaced_when_their_file_changes_and_only_then(migrate, empty, folder):
    migrate(empty, folder)
    path = folder / "fn/70_show.sql"
    was = path.read_text()
    path.write_text(was + "\ncreate or replace function hl.iso(t timestamptz) returns text language sql as 'select ''new''';\n")
    assert migrate(empty, folder) == {"migrations": 0, "functions": 1}
    assert empty.one("select hl.iso(now())") == "new"
    assert migrate(empty, folder) == {"migrations": 0, "functions": 0}
    path.write_text(was)
    assert migrate(empty, folder) == {"migrations": 0, "functions": 1}
    assert empty.one("select hl.iso('2026-03-02T01:00Z')") == "2026-03-02T09:00:00+08:00"


def test_the_law_in_the_database_is_made_that_of_the_program(migrate, empty):
    migrate(empty)
    law = {(scope, *move) for scope in ("case", "task") for move in rows.law(scope)}
    assert law_of(empty) == law
    empty.sql("delete from hl.law where event = 'closed'; insert into hl.law values ('case', 'opened', '', 'closed')")
    migrate(empty)
    assert law_of(empty) == law


def test_only_a_demo_installation_keeps_a_moved_clock(migrate, empty):
    migrate(empty)
    assert empty.sql("select is_demo, offset_us from hl.clock") == [{"is_demo": True, "offset_us": 0}]
    empty.sql("update hl.clock set offset_us = 3600000000")
    migrate(empty)
    assert empty.one("select offset_us from hl.clock") == 3600000000
    migrate(empty, is_demo=False)
    assert empty.sql("select is_demo, offset_us from hl.clock") == [{"is_demo": False, "offset_us": 0}]


@pytest.mark.parametrize("conninfo", [
    "host=/nonexistent,{sock} dbname={db} user=hotline_daemon target_session_attrs=read-write",
    "postgresql://hotline_daemon@/{db}?host=/nonexistent,{sock}&target_session_attrs=read-write"])
def test_several_hosts_are_tried_for_one_that_can_be_written(cluster, migrate, empty, conninfo):
    done = migrate(empty, conninfo=conninfo.format(sock=cluster.sockdir, db=empty.name))
    assert done["migrations"] == N_MIGRATIONS
    assert empty.one("select tableowner from pg_tables where schemaname = 'hl' and tablename = 'case'") == "hotline_owner"


def test_a_missing_folder_and_a_database_that_is_away_are_said_plainly(migrate, empty, tmp_path):
    assert f"{tmp_path}/nothing: cannot be read" in migrate(empty, tmp_path / "nothing", code=1)
    (tmp_path / "bare").mkdir()
    assert "holds no .sql file" in migrate(empty, tmp_path / "bare", code=1)
    assert "database:" in migrate(empty, conninfo="host=/nonexistent dbname=x", code=1)
