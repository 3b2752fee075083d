"""bench - how fast the whole path is, beside pgbench on the same cluster, rounds interleaved; fsync on.

    make bench [ROUNDS=3] [SECONDS=10] [REPORTS=100000]

Measures, never judges. Writes build/bench.json and build/bench.md, and prints the latter:
  intake     reports/s answered 200 after message, case, task, events and notices were committed; 64 keep-alive connections.
             Every report opens a case of its own; how many rows that made is in the table.
  pgbench    one-row durable inserts/s, 64 clients, in the same round on the same cluster
  cost       CPU seconds of daemon and of its database sessions per 10,000 reports, sending included, and WAL per report
  latency    webhook -> 200 at 500 reports/s, open loop, from the instant a report was due
  outbox     notices/s handed to a local sink with every outcome committed: while intake runs, and after it
  intake     CPU time of classing and placing one text of 100 characters, memory and load time of model and 50,000 names
  limits     limits/s of CPU time of the working-time engine, and instructions per limit
  memory     RSS of the daemon at start, and after REPORTS reports (0: after what the other parts sent); what the daemon
             says of the model and the gazetteer is shown apart
"""
import argparse
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import hl_testlib as hl  # noqa: E402  pylint: disable=wrong-import-position

TOOLS = hl.BUILD / "tools"
QUIET = {"log": {"level": "warn"}, "send": {"poll_ms": 1000}}


def load(daemon, seconds, prefix, **options):
    words = [TOOLS / "hl_load", "--port", daemon.port, "--seconds", seconds, "--prefix", prefix]
    for name, value in options.items():
        words += [f"--{name}", value]
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def pgbench(cluster, database, seconds):
    """Inserts/s of one durable row each, 64 clients."""
    programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    script = cluster.folder / "insert.sql"
    script.write_text("insert into public.bench (text) values (repeat('x', 200));\n")
    words = [programs[-1], "-n", "-c", 64, "-j", 2, "-T", seconds, "-f", script, "-h", cluster.sockdir, "-U", cluster.user,
             database.name]
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=True)
    return float(re.search(r"tps = ([\d.]+)", done.stdout).group(1))


def rss_kib(daemon):
    status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))


def cpu_s(pid):
    """CPU seconds of a process so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Meter:
    """What a stretch of work cost: CPU of the daemon and of its sessions, WAL, and outcomes settled."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.start = self.read()

    def read(self):
        sessions = self.daemon.sql("select pid from pg_stat_activity where usename = 'hotline_daemon' and datname = current_database()")
        row = self.daemon.sql("select (select count(*) from hl.attempt where settled_at is not null) as settled,"
                              " (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float as wal")[0]
        return {"daemon": cpu_s(self.daemon.process.pid), "sessions": sum(cpu_s(session["pid"]) for session in sessions),
                "settled": row["settled"], "wal": row["wal"], "at": time.monotonic()}

    def since(self):
        now = self.read()
        return {name: now[name] - self.start[name] for name in now}


def drain_outbox(daemon):
    """Until nothing is due any more; what is planned for office hours stays."""
    idle = ("select not exists (select from hl.notice where state = 'sending' or state = 'queued' and not_before <= hl.now())"
            " as idle")
    hl.wait_for(lambda: daemon.sql(idle)[0]["idle"], timeout=600, what="the outbox to be empty", pause=0.2)


def one_round(daemon, seconds, prefix):
    whole = Meter(daemon)
    intake = load(daemon, seconds, prefix)
    during, rest = whole.since(), Meter(daemon)
    drain_outbox(daemon)
    after, cost = rest.since(), whole.since()
    per_10k = 10_000 / max(intake["acked"], 1)
    return {"intake": intake, "notices_during_per_s": during["settled"] / during["at"], "outbox_sent": after["settled"],
            "outbox_per_s": after["settled"] / after["at"], "daemon_cpu_s": cost["daemon"] * per_10k,
            "sessions_cpu_s": cost["sessions"] * per_10k, "wal_bytes": during["wal"] / max(intake["acked"], 1)}


def stated_bytes(daemon):
    """What the daemon says its model and gazetteer take, where it says so."""
    text = daemon.http("GET", "/metrics").body.decode()
    return {name: float(value) for name, value in re.findall(r"^hotlined_(model|gazetteer)_bytes (\S+)$", text, re.MULTILINE)}


def fill(daemon, reports, seconds):
    """Goes on until so many reports were stored."""
    for k in range(1000):
        stored = daemon.sql("select count(*) as n from hl.report")[0]["n"]
        if stored >= reports:
            break
        load(daemon, seconds, f"fill{k}")
        drain_outbox(daemon)
    return stored


def limits():
    done = subprocess.run([TOOLS / "hl_limits"], stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    return json.loads(done.stdout)


def intake_cost():
    """Of classing and placing a text, and of loading what that needs; with 12,500 compounds of four names, and with 50,000."""
    return {f"{compounds} compounds": json.loads(subprocess.run(
        [TOOLS / "hl_intake", "20000", str(compounds)], stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT).stdout)
        for compounds in (12500, 50000)}


def run(rounds, seconds, reports):
    cluster = hl.Cluster()
    try:
        cluster.start()
        database = cluster.create_database()
        database.sql("create table public.bench (id bigint generated always as identity primary key, text text)")
        daemon = hl.Daemon(cluster, database, sections=QUIET).start()
        found = {"machine": f"{platform.machine()}, {os.cpu_count()} CPUs", "postgresql": database.one("show server_version"),
                 "rss_start_kib": rss_kib(daemon), "stated_bytes": stated_bytes(daemon), "rounds": []}
        for k in range(rounds):
            one = one_round(daemon, seconds, f"r{k}")
            one["pgbench_per_s"] = pgbench(cluster, database, seconds)
            one["ratio"] = one["intake"]["per_s"] / one["pgbench_per_s"]
            found["rounds"].append(one)
        found["rows"] = database.sql("select " + ", ".join(f"(select count(*) from hl.{name}) as {name}" for name in (
            "report", "case", "task", "event", "notice")))[0]
        found["latency"] = load(daemon, seconds, "open", rate=500)
        drain_outbox(daemon)
        found["reports"] = fill(daemon, reports, seconds)
        found["rss_end_kib"] = rss_kib(daemon)
        daemon.stop(timeout=30)
        return found
    finally:
        cluster.stop()


def page(found):
    """The figures as a Markdown page."""
    rounds, open_loop, rows = found["rounds"], found["latency"], found["rows"]
    columns = {
        "reports/s": lambda one: f"{one['intake']['per_s']:.0f}", "p50 ms": lambda one: f"{one['intake']['p50_ms']:.1f}",
        "p99 ms": lambda one: f"{one['intake']['p99_ms']:.1f}", "pgbench/s": lambda one: f"{one['pgbench_per_s']:.0f}",
        "ratio": lambda one: f"{one['ratio']:.2f}", "notices/s during": lambda one: f"{one['notices_during_per_s']:.0f}",
        "after": lambda one: f"{one['outbox_per_s']:.0f}", "CPU s/10k daemon": lambda one: f"{one['daemon_cpu_s']:.1f}",
        "sessions": lambda one: f"{one['sessions_cpu_s']:.1f}", "WAL B/report": lambda one: f"{one['wal_bytes']:.0f}"}
    lines = [f"# make bench\n\n{found['machine']}, PostgreSQL {found['postgresql']}, fsync on\n", f"| round | {' | '.join(columns)} |",
             "|" + "---|" * (len(columns) + 1)]
    lines += [f"| {k} | {' | '.join(show(one) for show in columns.values())} |" for k, one in enumerate(rounds, 1)]
    lines += [f"\n- median ratio {statistics.median(one['ratio'] for one in rounds):.2f}",
              "- per report " + ", ".join(f"{rows[name] / max(rows['report'], 1):.2f} {name}s" for name in rows if name != "report"),
              f"- at 500 reports/s: p50 {open_loop['p50_ms']:.1f} ms, p99 {open_loop['p99_ms']:.1f} ms, p99.9 {open_loop['p999_ms']:.1f} ms,"
              f" refused {open_loop['refused']}",
              f"- RSS {found['rss_start_kib']} KiB at start, {found['rss_end_kib']} KiB after {found['reports']} reports"
              + "".join(f"; {name} {size / 1024:.0f} KiB" for name, size in found["stated_bytes"].items())]
    lines += [f"- limits, {name}: {one['per_s'] / 1e6:.2f} million/s, {one['instructions'] or '?'} instructions each"
              for name, one in found["limits"].items()]
    lines += [f"- 50,000 names of {name}, 100 characters: {one['text_us']:.1f} us of CPU time (fold {one['fold_us']:.1f}, place"
              f" {one['place_us']:.1f}, class {one['classify_us']:.1f}); model {one['model_mb']:.1f} MB, gazetteer"
              f" {one['gazetteer_mb']:.1f} MB; loaded in {one['load_ms']:.0f} ms" for name, one in found["intake"].items()]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--reports", type=int, default=0)
    options = parser.parse_args()
    found = {**run(options.rounds, options.seconds, options.reports), "limits": limits(), "intake": intake_cost()}
    (hl.BUILD / "bench.json").write_text(json.dumps(found, indent=1) + "\n")
    (hl.BUILD / "bench.md").write_text(page(found))
    print(page(found), end="")


if __name__ == "__main__":
    main()
