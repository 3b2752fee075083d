"""clocks - what the clocks cost: a scan with nothing due beside how much is open, and many rungs due at once.

    clocks.py [--open N] [--due N]

Measures, never judges. Writes build/bench-clocks.json and prints:
  scan    one hl.fire_due with nothing due, at N/100 and at N open tasks: milliseconds and CPU of the server's process
  drain   N rungs due at once, turned into notices in batches as a daemon does it: rungs/s, and the longest batch
"""
import argparse
import contextlib
import json
import os
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import hl_testlib as hl  # noqa: E402  pylint: disable=wrong-import-position

SCANS, BATCH = 300, 1000

# Rows as the flow functions make them, without their triggers: the scan is about how many there are.
ROWS = """
set session_replication_role = replica;
insert into hl.case (id, code, type, urgency, state, opened_at)
  select id, '26-' || id, 'POL-6', 'urgent', 'dispatched', hl.now() from generate_series({first}, {last}) id;
insert into hl.task (case_id, unit, role, state, urgency, assigned_at, sign_by, close_by)
  select id, 'POL', 'lead', 'dispatched', 'urgent', hl.now() - interval '1 hour', hl.now() + interval '1 hour', hl.now() + interval '3 days'
  from generate_series({first}, {last}) id;
insert into hl.ladder (case_id, task_id, rungs, dues, due_at)
  select k.case_id, k.id, array['sign_half', 'sign_limit'], array[d.at, d.at + interval '3 hours'], d.at
  from hl.task k cross join lateral (select hl.now() + {due} + k.case_id % 1000 * interval '1 second' as at) d
  where k.case_id between {first} and {last};
set session_replication_role = origin;
"""


def fill(database, first, n, due):
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for statement in ROWS.format(first=first, last=first + n - 1, due=f"interval '{due}'").split(";"):
            if statement.strip():
                cursor.execute(statement)
        cursor.execute("vacuum analyze hl.ladder, hl.task, hl.case")


def cpu_ms(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def fire(cursor):
    cursor.execute("select (hl.fire_due(%s)->>'fired')::int", (json.dumps({"limit": BATCH}),))
    return cursor.fetchone()[0]


def scan(database):
    """Median and CPU of a scan with nothing due."""
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("select pg_backend_pid()")
        pid = cursor.fetchone()[0]
        for _ in range(10):
            assert fire(cursor) == 0
        took, before = [], cpu_ms(pid)
        for _ in range(SCANS):
            start = time.monotonic()
            fire(cursor)
            took.append((time.monotonic() - start) * 1000)
        return {"median_ms": sorted(took)[SCANS // 2], "cpu_ms": (cpu_ms(pid) - before) / SCANS}


def drain(database):
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("select pg_backend_pid()")
        pid = cursor.fetchone()[0]
        fired, longest, before, began = 0, 0.0, cpu_ms(pid), time.monotonic()
        while True:
            start = time.monotonic()
            n = fire(cursor)
            if n == 0:
                break
            fired += n
            longest = max(longest, time.monotonic() - start)
        seconds, cpu_s = time.monotonic() - began, (cpu_ms(pid) - before) / 1000
    notices = database.one("select count(*) from hl.notice where kind = 'sign_half'")
    return {"rungs": fired, "notices": notices, "seconds": seconds, "per_s": fired / seconds, "cpu_s": cpu_s,
            "per_cpu_s": fired / max(cpu_s, 0.001), "longest_batch_ms": longest * 1000}


def run(n_open, n_due):
    cluster = hl.Cluster()
    try:
        cluster.start()
        database = cluster.create_database()
        database.sql("update hl.job set due_at = 'infinity'")
        found = {"open": n_open}
        fill(database, 1_000_000, n_open // 100, "3 days")
        found["scan_few"] = scan(database)
        fill(database, 2_000_000, n_open - n_open // 100, "3 days")
        found["scan_many"] = scan(database)
        found["cpu_ratio"] = found["scan_many"]["cpu_ms"] / max(found["scan_few"]["cpu_ms"], 0.001)
        fill(database, 9_000_000, n_due, "-1 hour")
        found["drain"] = drain(database)
        return found
    finally:
        cluster.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--open", type=int, default=1_000_000)
    parser.add_argument("--due", type=int, default=100_000)
    options = parser.parse_args()
    found = run(options.open, options.due)
    (hl.BUILD / "bench-clocks.json").write_text(json.dumps(found, indent=1) + "\n")
    for name, n in (("scan_few", options.open // 100), ("scan_many", options.open)):
        print(f"scan with nothing due, {n} open: {found[name]['median_ms']:.2f} ms, {found[name]['cpu_ms']:.2f} ms CPU")
    print(f"CPU ratio {found['cpu_ratio']:.2f}")
    print("{rungs} rungs due at once: {notices} notices in {seconds:.1f} s, {per_s:.0f}/s ({per_cpu_s:.0f} per second of CPU), longest batch {longest_batch_ms:.0f} ms"
          .format(**found["drain"]))


if __name__ == "__main__":
    main()
