"""hl_testlib - a private cluster, databases made from a migrated template, and daemons to talk to.

Owns     everything below one short folder in /tmp; it is gone at the end of the session.
Who      as root the cluster and the daemons run as the user `hotlined` (made by daemon/run/cluster.sh), tests stay
         root, whom peer authentication lets be any role; as anyone else everything runs as that user.
Limits   one cluster per pytest process (pytest-xdist: per worker); every test module has a database of its own.
"""
import contextlib
import dataclasses
import http.client
import itertools
import json
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import psycopg2
import psycopg2.extras

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HL_BUILD", ROOT / "build"))
CLUSTER = ROOT / "daemon/run/cluster.sh"
TEMPLATE = "hl_template"


def wait_for(condition, timeout=10.0, what=None, pause=0.02):
    """Polls until condition() is true and gives what it gave; AssertionError after timeout seconds."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {timeout} s: {what or condition}"
        time.sleep(pause)


def shuffled_ports():
    """Those of this pytest-xdist worker, below the ports that outgoing connections get: none of these may take a port
    whose daemon is down for a moment."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ports = range(20000 + worker, 32768, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    return itertools.cycle(random.sample(ports, len(ports)))


PORTS = shuffled_ports()


def free_port():
    """A TCP port of 127.0.0.1 that was free a moment ago and that nobody else in this run of tests is given."""
    for port in PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Cluster:
    """A private PostgreSQL server and a folder that its user owns."""

    def __init__(self):
        self.user = self._script("user", "/tmp")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hl-", dir=os.environ.get("HL_CLUSTERS", "/tmp")))
        # cluster.sh makes its own folder with the right owner; this one only must let that user through.
        self.folder.chmod(0o755)
        self.data = self.folder / "c"
        self.sockdir = self._script("sockdir", self.data)
        self._numbers = itertools.count(1)

    @staticmethod
    def _script(verb, folder):
        done = subprocess.run([CLUSTER, verb, folder], stdout=subprocess.PIPE, text=True, check=True, timeout=180)
        return done.stdout.strip()

    def start(self):
        self._script("start", self.data)
        self.bin = self.make_folder("bin")
        self.hotlined = self._copy("hotlined")
        self._make_template()

    def stop(self):
        self._script("stop", self.data)
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.sockdir, ignore_errors=True)

    def _copy(self, program):
        # The tree may lie where the service user cannot go.
        target = self.bin / program
        shutil.copy(BUILD / program, target)
        target.chmod(0o755)
        return target

    def own(self, path):
        """Gives a file or folder to the user that cluster and daemons run as."""
        if os.geteuid() == 0:
            entry = pwd.getpwnam(self.user)
            os.chown(path, entry.pw_uid, entry.pw_gid)

    def make_folder(self, name):
        folder = self.folder / name
        folder.mkdir(mode=0o755)
        self.own(folder)
        return folder

    def conninfo(self, database, user):
        return f"host={self.sockdir} dbname={database} user={user}"

    def connect(self, database, user=None):
        """An autocommitting connection, by default as the cluster's superuser."""
        connection = psycopg2.connect(self.conninfo(database, user or self.user))
        connection.autocommit = True
        return connection

    def execute(self, statement):
        with contextlib.closing(self.connect("postgres")) as connection, connection.cursor() as cursor:
            cursor.execute(statement)

    def _make_template(self):
        self.execute(f"create database {TEMPLATE} owner hotline_owner")
        database = Database(self, TEMPLATE)
        conf = Conf(self, database).write(self.folder / "template.conf")
        for words in (["migrate"], ["import", "all", ROOT / "schema/ref"]):
            run_ctl(conf, *words)
        database.close()

    def create_database(self):
        name = f"hl_{next(self._numbers)}"
        # The default strategy copies a sequence with the numbers it may still give unlogged: after a crash of the server
        # PostgreSQL 15 gives them again.
        self.execute(f"create database {name} template {TEMPLATE} owner hotline_owner strategy file_copy")
        return Database(self, name)


class Database:
    """One database; sql() speaks as the superuser, so that a test sees and may break everything."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name
        self._connection = None

    def conninfo(self, user="hotline_daemon"):
        return self.cluster.conninfo(self.name, user)

    def connect(self, user=None):
        return self.cluster.connect(self.name, user)

    def sql(self, query, params=None):
        """Rows as dicts; [] for a statement that gives none."""
        if self._connection is None or self._connection.closed:
            self._connection = self.connect()
        with self._connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(query, params)
            return [dict(row) for row in cursor.fetchall()] if cursor.description else []

    def one(self, query, params=None):
        """The only value of the only row."""
        rows = self.sql(query, params)
        assert len(rows) == 1 and len(rows[0]) == 1, rows
        return next(iter(rows[0].values()))

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def drop(self):
        self.close()
        self.cluster.execute(f"drop database if exists {self.name} with (force)")


class Conf:
    """A hotlined.conf: defaults for a test, then what the test says.

    sections: {"channel kannel": {"provider": "kannel", ...}, "send": {"deadline_ms": 500}}; a value None drops the key.
    """

    def __init__(self, cluster, database, port=None, sections=None):
        self.cluster = cluster
        self.port = port or free_port()
        # As root the daemon's user and the test are two people.
        people = {self.cluster.user, pwd.getpwuid(os.geteuid()).pw_name}
        self.sections = {
            "http": {"listen": f"127.0.0.1:{self.port}", "admin_listen": "unix:hotlined.sock"},
            "db": {"conninfo": database.conninfo()},
            "demo": {"clock": "yes"},
            "log": {"level": "debug"},
            "send": {"poll_ms": 100},
            "channel loopback": {"provider": "loopback", "from": "12345",
                                 "send_url": f"http://127.0.0.1:{self.port}/sink/loopback", "signature": "县民生热线"},
            "operators": {name: "admin" for name in sorted(people)},
        }
        for name, keys in (sections or {}).items():
            self.sections.setdefault(name, {}).update(keys)

    def text(self):
        lines = []
        for name, keys in self.sections.items():
            lines.append(f"[{name}]")
            lines += [f"{key} = {value}" for key, value in keys.items() if value is not None]
        return "\n".join(lines) + "\n"

    def write(self, path):
        path.write_text(self.text(), encoding="utf-8")
        path.chmod(0o600)
        self.cluster.own(path)
        return path


def run_ctl(conf, *words, is_json=False, code=0, stdin=None, timeout=60):
    """Runs hotlinectl -c conf WORDS; gives its output, or what --json printed, parsed. The exit code must be `code`."""
    command = [BUILD / "hotlinectl", "-c", conf, *map(str, words)] + (["--json"] if is_json else [])
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout, check=False, cwd=ROOT)
    assert done.returncode == code, f"{words}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
    return json.loads(done.stdout) if is_json else done.stdout + done.stderr


@dataclasses.dataclass
class Reply:
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


class Daemon:
    """One hotlined on one database. Several may share a database."""

    def __init__(self, cluster, database, sections=None, port=None):
        self.cluster, self.database = cluster, database
        self.folder = cluster.make_folder(f"d{next(cluster._numbers)}")
        self.conf = Conf(cluster, database, port=port, sections=sections)
        self.port = self.conf.port
        self.conf_path = self.conf.write(self.folder / "hotlined.conf")
        self.log_path = self.folder / "hotlined.log"
        self.process = None
        self.allowed_errors = []
        self.program, self.environment = cluster.hotlined, {}

    def launch(self):
        """Starts it and waits for nothing."""
        as_user = {"user": self.cluster.user, "group": self.cluster.user, "extra_groups": []}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-c", self.conf_path], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env={**os.environ, "HL_TEST": "1", "HOME": str(self.folder), **self.environment},
                start_new_session=True, **(as_user if os.geteuid() == 0 else {}))
        return self

    def start(self, timeout=15.0):
        self.launch()
        wait_for(self.is_ready, timeout, f"/readyz of hotlined; its log:\n{self.log()}")
        return self

    def is_ready(self):
        assert self.process.poll() is None, f"hotlined ended with {self.process.returncode}:\n{self.log()}"
        try:
            return self.http("GET", "/readyz", timeout=2).status == 200
        except OSError:
            return False

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    def log_lines(self, event):
        """Lines of one event: `TIME LEVEL EVENT key=value ...`."""
        return [line for line in self.log().splitlines() if line.split(" ", 3)[2:3] == [event]]

    def allow_error(self, event):
        """This test expects error lines of that event."""
        self.allowed_errors.append(event)

    def unexpected_errors(self):
        found = []
        for line in self.log().splitlines():
            words = line.split(" ", 3)
            is_log = len(words) > 2 and words[1] in ("debug", "info", "warn", "error")
            # A line that is none of ours is a sanitizer's or a crash's last word.
            if (is_log and words[1] == "error" and words[2] not in self.allowed_errors) or not is_log:
                found.append(line)
        return found

    def disclosures(self):
        """Log lines with a whole number of the demo block, or with Chinese text as phones send it."""
        return [line for line in self.log().splitlines() if re.search(r"1000000\d{4}(?!\d)|[\u4e00-\u9fff]", line)]

    def stop(self, timeout=10.0):
        """Asks for the drain; exit code 0 within timeout, no error line the test did not announce, and nothing of
        anybody's number or words in the log."""
        if self.process is not None:
            process, self.process = self.process, None
            process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise AssertionError(f"hotlined did not drain within {timeout} s:\n{self.log()}") from None
            assert code == 0, f"exit code {code}:\n{self.log()}"
        errors = self.unexpected_errors()
        assert not errors, "error lines in the log:\n" + "\n".join(errors)
        assert not self.disclosures(), "numbers or words of people in the log:\n" + "\n".join(self.disclosures())

    def kill(self):
        """kill -9, as a crash. start() begins anew on the same folder, port and log."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def http(self, method, path, body=None, headers=None, timeout=15):
        """One request as it is given: Host, Accept-Encoding and Content-Length are added."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        with contextlib.closing(connection):
            if isinstance(body, str):
                body = body.encode()
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())

    def raw(self, data, timeout=15):
        """Sends bytes as they are and gives all bytes until the peer closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as sock:
            sock.sendall(data)
            chunks = []
            with contextlib.suppress(ConnectionResetError):
                while chunk := sock.recv(65536):
                    chunks.append(chunk)
            return b"".join(chunks)

    def hook(self, text, sender="+8610000000001", external_id=None, to="12345", channel="loopback"):
        """A text as the loopback provider would bring it."""
        body = {"id": external_id or f"t-{time.monotonic_ns()}", "from": sender, "to": to, "text": text}
        return self.http("POST", f"/hook/{channel}", json.dumps(body, ensure_ascii=False),
                         {"Content-Type": "application/json"})

    def ctl(self, *words, json=True, code=0, stdin=None):  # pylint: disable=redefined-outer-name
        return run_ctl(self.conf_path, *words, is_json=json, code=code, stdin=stdin)

    def sql(self, query, params=None):
        return self.database.sql(query, params)
