"""Fault 36: descriptors run out. Nothing spins, nothing fills the log, what was promised is done once there are some again."""
import contextlib
import http.client
import json
import os
import subprocess
import time

import hl_attack
from hl_crowd import metrics
from hl_testlib import wait_for

BLOCKED = "锦绣花园3号楼消防通道被私家车堵死了"  # urgent: its texts are sent at any hour of the day
N_SESSIONS = 3  # of the daemon with the database: intake, work, records
FOR_LONG = {"http": {"idle_ms": 600000}}


class Caller:
    """A connection that was there before, and can bring reports when nobody can connect any more."""

    def __init__(self, daemon):
        self._link = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=15)
        self.report("before")

    def report(self, ext, sender="+8610000000031"):
        body = json.dumps({"id": ext, "from": sender, "to": "12345", "text": BLOCKED}, ensure_ascii=False).encode()
        self._link.request("POST", "/hook/loopback", body=body)
        answer = self._link.getresponse()
        answer.read()
        assert answer.status == 200

    def close(self):
        self._link.close()


def limit_descriptors(daemon, n):
    """The soft limit, as the daemon's own user: another one's process is not ours to limit, not even root's everywhere."""
    user = daemon.cluster.user
    who = {"user": user, "group": user, "extra_groups": []} if os.geteuid() == 0 else {}
    subprocess.run(["prlimit", "--pid", str(daemon.process.pid), f"--nofile={n}:"], check=True, timeout=10, **who)


@contextlib.contextmanager
def few_descriptors(daemon, n_more):
    """While inside, the daemon may open n_more descriptors than it has open now."""
    limit_descriptors(daemon, hl_attack.n_descriptors(daemon.process.pid) + n_more)
    try:
        yield
    finally:
        limit_descriptors(daemon, 1000)


def texts(daemon, ext):
    """States of the notices that a report caused."""
    return [row["state"] for row in daemon.sql(
        "select n.state from hl.notice n join hl.message m on m.case_id = n.case_id where m.external_id = %s", (ext,))]


def test_36_no_spin_no_flood_of_lines_and_all_recovers(make_daemon):
    daemon = make_daemon(sections=FOR_LONG)
    pid, caller = daemon.process.pid, Caller(daemon)
    wait_for(lambda: set(texts(daemon, "before")) == {"accepted"}, what="the first texts to be sent")
    with few_descriptors(daemon, 10), hl_attack.Peers(daemon.port, 200) as peers:
        cpu_s, begun = hl_attack.cpu_s(pid), time.monotonic()
        caller.report("meanwhile")
        # One line a second tells of it.
        wait_for(lambda: len(daemon.log_lines("http.accept_failed")) >= 3, 20, "the log to tell of it")
        seconds = time.monotonic() - begun
        assert seconds > 1.5 and (hl_attack.cpu_s(pid) - cpu_s) / seconds < 0.2
        assert len(daemon.log_lines("http.accept_failed")) <= seconds + 2
        assert len(daemon.log().splitlines()) < 1000
        # Who waits in the queue is let go of, a few a second.
        peers.listen()
        assert 0 < len(peers.open) < 200
    caller.report("after", "+8610000000032")
    assert daemon.hook(BLOCKED, sender="+8610000000033", external_id="by a new connection").status == 200
    for ext in ("meanwhile", "after", "by a new connection"):
        wait_for(lambda: texts(daemon, ext) and set(texts(daemon, ext)) == {"accepted"}, 30, f"the texts of {ext}")
    assert daemon.sql("select count(*) as n from hl.attempt where outcome = 'unknown'") == [{"n": 0}]
    caller.close()


def start_with(daemon, n_descriptors):
    """Launches it under a hard limit of open descriptors."""
    script = daemon.folder / "few.sh"
    script.write_text(f'#!/bin/sh\nulimit -n {n_descriptors}\nexec {daemon.program} "$@"\n')
    script.chmod(0o755)
    daemon.program = script
    return daemon.launch()


def test_36_peers_cannot_take_the_descriptors_of_the_database_and_of_operators(make_daemon):
    """400 descriptors leave 80 to peers (128 of our own, 64 for operators, 2 for each of 64 sends)."""
    daemon = start_with(make_daemon(sections=FOR_LONG, start=False), 400)
    wait_for(daemon.is_ready, 15, "/readyz")
    assert "max_connections=80" in daemon.log_lines("http.fewer_connections")[0]
    caller = Caller(daemon)
    with hl_attack.Peers(daemon.port, 300) as peers:
        wait_for(lambda: peers.listen(0.05) or len(peers.open) < 85, what="the rest to be sent away")
        daemon.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
                   " and usename = 'hotline_daemon'")
        wait_for(lambda: "gateway.ready" in daemon.log() and daemon.ctl("idle") is not None, what="the admin socket")
        wait_for(lambda: daemon.sql("select count(*) as n from pg_stat_activity where datname = current_database()"
                                    " and usename = 'hotline_daemon'")[0]["n"] == N_SESSIONS, what="all sessions to be back")
        caller.report("while crowded")
        assert not daemon.log_lines("http.accept_failed")
    caller.close()
    wait_for(lambda: metrics(daemon)["hotlined_http_connections"] < 10, what="the crowd to be gone")


def test_36_too_few_descriptors_are_a_refusal_to_start(make_daemon):
    daemon = start_with(make_daemon(start=False), 300)
    assert daemon.process.wait(15) == os.EX_CONFIG
    daemon.process = None
    assert "open files are limited to 300, at least 336 are needed" in daemon.log()
    daemon.allow_error("gateway.failed")
