"""bench - how fast the whole path is, beside pgbench on the same cluster, rounds interleaved; fsync on.

    make bench [ROUNDS=3] [SECONDS=10]

Measures, never judges. Writes build/bench.json and prints a table:
  intake     reports/s answered 200 after message, case, task, events and notices were committed; 64 keep-alive connections
  pgbench    one-row durable inserts/s, 64 clients, in the same round on the same cluster
  latency    webhook -> 200 at 500 reports/s, open loop, from the instant a report was due
  outbox     notices/s handed to a local sink with every outcome committed
  limits     limits/s of CPU time of the working-time engine, and instructions per limit
  memory     RSS of the daemon at start and at the end, KiB
"""
import argparse
import json
import pathlib
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


def drain_outbox(daemon):
    """Notices/s from now until nothing is queued, and how many."""
    count = "select count(*) as n from hl.attempt where settled_at is not null"
    begin, started = daemon.sql(count)[0]["n"], time.monotonic()
    hl.wait_for(lambda: daemon.sql("select not exists (select from hl.notice where state in ('queued', 'sending')) as idle")
                [0]["idle"], timeout=600, what="the outbox to be empty", pause=0.2)
    sent = daemon.sql(count)[0]["n"] - begin
    return sent / (time.monotonic() - started), sent


def limits():
    done = subprocess.run([TOOLS / "hl_limits"], stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    return json.loads(done.stdout)


def run(rounds, seconds):
    cluster = hl.Cluster()
    try:
        cluster.start()
        database = cluster.create_database()
        database.sql("create table public.bench (id bigint generated always as identity primary key, text text)")
        daemon = hl.Daemon(cluster, database, sections=QUIET).start()
        found = {"rss_start_kib": rss_kib(daemon), "rounds": []}
        for k in range(rounds):
            one = {"intake": load(daemon, seconds, f"r{k}")}
            rate, sent = drain_outbox(daemon)
            one.update(outbox_per_s=rate, outbox_sent=sent, pgbench_per_s=pgbench(cluster, database, seconds))
            one["ratio"] = one["intake"]["per_s"] / one["pgbench_per_s"]
            found["rounds"].append(one)
        found["latency"] = load(daemon, seconds, "open", rate=500)
        drain_outbox(daemon)
        found["rss_end_kib"] = rss_kib(daemon)
        found["reports"] = database.one("select count(*) from hl.report")
        daemon.stop(timeout=30)
        return found
    finally:
        cluster.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args()
    found = {**run(options.rounds, options.seconds), "limits": limits()}
    (hl.BUILD / "bench.json").write_text(json.dumps(found, indent=1) + "\n")
    print(f"{'round':6} {'reports/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'pgbench/s':>10} {'ratio':>6} {'notices/s':>10}")
    for k, one in enumerate(found["rounds"]):
        print(f"{k + 1:<6} {one['intake']['per_s']:10.0f} {one['intake']['p50_ms']:8.1f} {one['intake']['p99_ms']:8.1f} "
              f"{one['pgbench_per_s']:10.0f} {one['ratio']:6.2f} {one['outbox_per_s']:10.0f}")
    print(f"median ratio {statistics.median(one['ratio'] for one in found['rounds']):.2f}")
    print(f"at 500 reports/s: p50 {found['latency']['p50_ms']:.1f} ms, p99 {found['latency']['p99_ms']:.1f} ms, "
          f"p99.9 {found['latency']['p999_ms']:.1f} ms, refused {found['latency']['refused']}")
    for name, one in found["limits"].items():
        print(f"limits, {name}: {one['per_s'] / 1e6:.2f} million/s, {one['instructions'] or '?'} instructions each")
    print(f"RSS {found['rss_start_kib']} KiB at start, {found['rss_end_kib']} KiB after {found['reports']} reports")


if __name__ == "__main__":
    main()
