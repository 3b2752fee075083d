"""harness - one daemon or several under load, a provider that keeps a journal, and the faults that are done to them.

Owns     the processes of hl_load and hl_sink, the journals in the daemon's folder, threads that talk like people.
Time     leases and claims run on the real clock. What would only be waiting is cut short in Field.settle(): the claim of
         a message whose daemon died (30 s), and the look at an unknown outcome (2 min). Leases are waited for.
"""
import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import threading
import time

import checker
import hl_testlib
from hl_testlib import BUILD, free_port, wait_for

DEADLINE_S = 1.0
LEASE_S = 3.0
FOR_EVER_S = 3600
CONNECTIONS = 3  # of one daemon: intake, work, records
SECTIONS = {"send": {"deadline_ms": 1000, "lease_ms": 3000, "poll_ms": 50}, "db": {"deadline_ms": 1000},
            "log": {"level": "info"}}


def fault_program(cluster):
    """The daemon with crash points, where the service user can run it."""
    target = cluster.bin / "hotlined-faults"
    if not target.exists():
        shutil.copy(BUILD / "faults/hotlined", target)
        target.chmod(0o755)
    return target


class Sink:
    """hl_sink on a port of its own; it outlives every daemon."""

    def __init__(self, folder, receipts_port):
        self.port, self.journal = free_port(), folder / "posts"
        self.journal.touch()
        self._process = subprocess.Popen([BUILD / "tools/hl_sink", "--port", str(self.port), "--journal", self.journal,
                                          "--receipts", str(receipts_port)])
        wait_for(lambda: self._answers("POST", "/mode/ok"), what="hl_sink")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/send"

    def _answers(self, method, path):
        with contextlib.suppress(OSError), contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, 2)) as link:
            link.request(method, path)
            return link.getresponse().status == 200
        return False

    def mode(self, name):
        assert self._answers("POST", f"/mode/{name}"), name

    def posts(self):
        return checker.read_posts(self.journal)

    def stop(self):
        self._process.terminate()
        self._process.wait()


class People:
    """Residents who ask and officers who sign, one text after the other, on one journal; each repeats what was not taken."""

    def __init__(self, field, prefix, daemon=None):
        self._field, self._prefix, self._daemon = field, prefix, daemon or field.daemons[0]
        self._stop, self._n = threading.Event(), 0
        self._database = field.database.connect()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _next(self):
        """(sender, text): a signature when an officer has something to sign, else a question of somebody new."""
        self._n += 1
        with self._database.cursor() as cursor:
            if self._n % 2 == 0:
                cursor.execute("select p.phone, c.code from hl.notice_code c join hl.person p on p.id = c.person_id"
                               " join hl.task k on k.id = c.task_id where k.state = 'dispatched' and p.phone is not null"
                               " order by random() limit 1")
                if row := cursor.fetchone():
                    return row[0], f"签 {row[1]}"
        return f"+86100{50000000 + hash((self._prefix, self._n)) % 10000000:08d}", "帮助"

    def _run(self):
        with open(self._field.acks, "a", buffering=1, encoding="utf-8") as journal:
            while not self._stop.is_set():
                try:
                    sender, text = self._next()
                except Exception:  # the database is what is being killed  pylint: disable=broad-exception-caught
                    self._reconnect()
                    continue
                name = f"{self._prefix}-{self._n}"
                journal.write(f"{name} {self._say(name, sender, text)}\n")

    def _reconnect(self):
        with contextlib.suppress(Exception):
            self._database = self._field.database.connect()
        self._stop.wait(0.05)

    def _say(self, name, sender, text):
        try:
            return self._daemon.hook(text, sender=sender, external_id=name).status
        except (OSError, http.client.HTTPException):
            self._stop.wait(0.02)
            return 0

    def stop(self):
        self._stop.set()
        self._thread.join()
        self._database.close()


class Field:
    """A database, its daemons, the load on them and the journals of both sides."""

    def __init__(self, cluster, database, make_daemon, sections=None, daemons=1):
        self.cluster, self.database = cluster, database
        port = free_port()
        first = make_daemon(sections=self._sections(sections, None), port=port, start=False)
        self.folder = first.folder
        self.sink = Sink(self.folder, port)
        self.acks = self.folder / "acks"
        self.acks.touch()
        first.conf.sections["channel loopback"]["send_url"] = self.sink.url
        first.conf.write(first.conf_path)
        self.daemons = [first] + [make_daemon(sections=self._sections(sections, self.sink.url), start=False)
                                  for _ in range(daemons - 1)]
        self.recovery_s, self._loads, self._people, self._endless = [], [], [], set()

    @staticmethod
    def _sections(more, send_url):
        sections = {name: dict(keys) for name, keys in SECTIONS.items()}
        if send_url:
            sections["channel loopback"] = {"send_url": send_url}
        for name, keys in (more or {}).items():
            sections.setdefault(name, {}).update(keys)
        return sections

    @property
    def daemon(self):
        return self.daemons[0]

    # load

    def load(self, prefix, seconds=None, rate=100, daemon=None, connections=16):
        """Reports by the clock, each of somebody new; without seconds until end_load()."""
        self._loads.append(subprocess.Popen(
            [BUILD / "tools/hl_load", "--port", str((daemon or self.daemon).port), "--connections",
             str(connections), "--seconds", str(seconds or FOR_EVER_S), "--rate", str(rate), "--prefix", prefix, "--journal", self.acks],
            stdout=subprocess.DEVNULL))
        self._endless |= {self._loads[-1]} if seconds is None else set()

    def people(self, prefix, daemon=None):
        self._people.append(People(self, prefix, daemon))

    def end_load(self):
        """Waits for what ends by itself, stops the rest. What a generator had under way then was never promised."""
        for load in self._endless:
            load.terminate()
        for load in self._loads:
            assert load.wait(60) == (-signal.SIGTERM if load in self._endless else 0)
        for people in self._people:
            people.stop()
        self._loads, self._people, self._endless = [], [], set()

    def n_acked(self):
        return sum(1 for _, status in checker.read_acks(self.acks) if status == 200)

    def wait_for_acks(self, more=20, timeout=15):
        before = self.n_acked()
        wait_for(lambda: self.n_acked() >= before + more, timeout, f"{more} more acknowledged reports")

    # faults

    def timed(self, what):
        """Does what() and notes how long it took until the service was back."""
        began = time.monotonic()
        what()
        self.recovery_s.append(time.monotonic() - began)

    def crash(self, daemon=None):
        """kill -9 and a new start."""
        daemon = daemon or self.daemon
        daemon.kill()
        self.timed(daemon.start)

    def crash_at(self, point):
        """Starts the daemon so that it ends itself at a point, and waits for that."""
        daemon = self.daemon
        daemon.program, daemon.environment = fault_program(self.cluster), {"HL_CRASH_AT": point}
        daemon.launch()
        assert daemon.process.wait(30) == 137, f"{point}: ended with {daemon.process.returncode}\n{daemon.log()}"
        daemon.process = None
        daemon.program, daemon.environment = self.cluster.hotlined, {}

    # after the fault

    def hurry(self):
        """What waits on the real clock for somebody who is not coming any more, waits no longer.

        A claim is 30 s; one younger than 3 s may be in work and is left alone."""
        self.database.sql("update hl.message set claimed_until = clock_timestamp() where state = 'pending'"
                          " and claimed_until between clock_timestamp() and clock_timestamp() + interval '27 seconds'")
        self.database.sql("update hl.notice set retry_at = clock_timestamp() where state in ('unknown', 'queued')"
                          " and retry_at > clock_timestamp() and retry_at < 'infinity'")

    def is_quiet(self):
        """Nothing is under way, in no server process either that outlived the daemon's connection."""
        running = sum(daemon.process is not None for daemon in self.daemons)
        return self.database.one("""
            select (select count(*) from pg_stat_activity where datname = current_database() and usename = 'hotline_daemon')
                     <= %s
               and not exists (select from hl.message where state = 'pending')
               and not exists (select from hl.notice where state in ('sending', 'queued') and not_before <= hl.now())
               and not exists (select from hl.notice where state = 'unknown' and not is_resend
                               and lane not in (hl.lane_rank('reply'), hl.lane_rank('bulk')))""", (CONNECTIONS * running,))

    def settle(self, timeout=40):
        """Waits until nothing is under way any more; the bound is part of the promise."""
        self.end_load()
        end = time.monotonic() + timeout
        wait_for(lambda: self.database.one("select count(*) from hl.notice where state = 'sending' and lease_until"
                                           " < clock_timestamp()") == 0, LEASE_S + 5, "expired leases to be taken over")
        while not self.is_quiet():
            assert time.monotonic() < end, f"not quiet within {timeout} s:\n{self.under_way()}"
            self.hurry()
            time.sleep(0.1)

    def under_way(self):
        return json.dumps(self.database.sql(
            "select 'message' as what, null as kind, count(*) from hl.message where state = 'pending' union all"
            " select state, kind, count(*) from hl.notice where state in ('sending', 'queued', 'unknown') group by 1, 2 union all"
            " select 'try ' || coalesce(outcome, 'open'), left(detail, 60), count(*) from hl.attempt group by 1, 2"))

    def judge(self, before=None):
        with contextlib.closing(self.database.connect()) as connection:
            return checker.judge(connection, checker.read_acks(self.acks), self.sink.posts(), before)

    def check(self, name, faults, table, min_acked=1):
        """Settles, judges, adds a line to the table of faults, fails with every broken promise."""
        self.settle()
        verdict = self.judge()
        table.append({"fault": name, "faults": faults, **verdict.row(), "recovery_s": max(self.recovery_s, default=0.0)})
        assert not verdict.problems, "\n".join(verdict.problems)
        assert verdict.counts["acked"] >= min_acked, verdict.counts
        return verdict

    def stop(self):
        for load in self._loads:
            load.kill()
            load.wait()
        for people in self._people:
            people.stop()
        self.sink.stop()


# PostgreSQL ----------------------------------------------------------------------------------------------------------

def children(pid):
    """Processes whose parent is pid."""
    found = []
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError, IndexError):
            if entry.isdigit():
                with open(f"/proc/{entry}/stat", encoding="utf-8") as stat:
                    if int(stat.read().rsplit(")", 1)[1].split()[1]) == pid:
                        found.append(int(entry))
    return found


class Postgres:
    """The server of the session's cluster, as something that can break."""

    def __init__(self, cluster):
        self._cluster = cluster

    @property
    def pid(self):
        with open(self._cluster.data / "pg/postmaster.pid", encoding="utf-8") as lines:
            return int(lines.readline())

    def kill(self):
        """kill -9 of the postmaster; its backends notice and end."""
        os.kill(self.pid, signal.SIGKILL)

    def kill_all(self):
        """kill -9 of every process of it. A backend that always has something to read outlives its postmaster, and commits."""
        pids = [self.pid, *children(self.pid)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def start(self):
        hl_testlib.Cluster._script("start", self._cluster.data)  # pylint: disable=protected-access

    @contextlib.contextmanager
    def stopped(self):
        """SIGSTOP of every process of the server, SIGCONT at the end."""
        pids = [self.pid, *children(self.pid)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
