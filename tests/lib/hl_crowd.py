"""hl_crowd - many requests under way at once, and a database that holds still meanwhile.

Who      one thread: a request is sent whole on a connection of its own, its answer read later.
"""
import contextlib
import http.client
import json

from hl_testlib import Reply, wait_for


class Crowd:
    """Texts handed to one or more daemons, all sent before the first answer is read."""

    def __init__(self):
        self._waiting = []

    def hook(self, daemon, text, sender, external_id, port=None):
        body = {"id": external_id, "from": sender, "to": "12345", "text": text}
        self.post(port or daemon.port, "/hook/loopback", json.dumps(body, ensure_ascii=False).encode())

    def post(self, port, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("POST", path, body=body, headers={"Content-Type": "application/json"})
        self._waiting.append(connection)

    def answers(self):
        """All answers, in the order in which the requests were sent."""
        replies = []
        for connection in self._waiting:
            with contextlib.closing(connection):
                answer = connection.getresponse()
                replies.append(Reply(answer.status, dict(answer.getheaders()), answer.read()))
        self._waiting = []
        return replies


def have_been_read(*daemons):
    """Returns when every request sent before has reached the daemon's handler.

    The loop serves sockets in the order in which they become readable, so a later request that is answered without the
    database has all earlier ones behind it. The second one makes up for connections that were still to be accepted.
    """
    for daemon in daemons:
        for _ in range(2):
            assert daemon.http("GET", "/healthz").status == 200


@contextlib.contextmanager
def held(database, table="hl.message"):
    """While inside, nobody can write to the table; who tries waits (less than the session's lock_timeout, please)."""
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute(f"lock table {table} in exclusive mode")
        yield
        cursor.execute("rollback")


def wait_for_waiters(database, n=1):
    """Until that many sessions of the database wait for a lock."""
    query = """select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"""
    wait_for(lambda: database.one(query) >= n, what=f"{n} sessions that wait for the lock")


def metrics(daemon):
    """What /metrics shows: {name with labels: number}."""
    lines = daemon.http("GET", "/metrics").body.decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line and line[0] != "#")}
