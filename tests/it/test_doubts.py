"""Texts whose outcome nobody told: the provider is asked, and its word settles the matter.

The twenty seconds before the first question are cut short by moving the outcome's time in the database.
"""
import contextlib
import http.server
import itertools
import json
import threading

import pytest

from hl_testlib import wait_for

SERIAL = itertools.count(1)


class Gateway:
    """An Android gateway that takes a text and closes without a word; asked by GET it says what `states` holds."""

    def __init__(self):
        self.posted, self.asked, self.states = [], [], {}
        gateway = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # pylint: disable=invalid-name
                gateway.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.close_connection = True

            def do_GET(self):  # pylint: disable=invalid-name
                gateway.asked.append((self.path, self.headers["Authorization"]))
                id_ = self.path.rpartition("/")[2]
                state = gateway.states.get(id_, gateway.states.get("*"))
                body = json.dumps({"id": id_, "state": state} if state else {"message": "not found"}).encode()
                self.send_response(200 if state else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(body)

            def log_message(self, *_words):  # pylint: disable=arguments-differ
                """`asked` and `posted` are the log."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture(name="gateway")
def make_gateway():
    gateway = Gateway()
    yield gateway
    gateway.stop()


@pytest.fixture(name="daemon")
def make_phone_daemon(cluster, make_daemon, gateway):
    folder = cluster.make_folder(f"keys{next(SERIAL)}")
    for name in ("key", "password"):
        (folder / name).write_text("demo-secret-of-a-phone\n", encoding="ascii")
        (folder / name).chmod(0o600)
        cluster.own(folder / name)
    return make_daemon({"channel phone": {
        "provider": "android", "secret_file": folder / "key", "from": "+8610000009999", "username": "demo",
        "password_file": folder / "password", "purpose": "resident",
        "send_url": f"http://127.0.0.1:{gateway.server.server_port}/messages"}})


def send(daemon, lane=3):
    phone = f"+861000000{6000 + next(SERIAL):04d}"
    daemon.sql("insert into hl.person (phone) values (%s)", [phone])
    return daemon.sql(
        "insert into hl.notice (person_id, kind, template, params, dedupe, lane, channel, not_before, made_at) "
        "select id, 'test', 'channel_test', '{\"code\": \"0000R\"}', %s, %s, 'phone', hl.now(), hl.now() from hl.person "
        "where phone = %s returning id", [f"doubt/{next(SERIAL)}", lane, phone])[0]["id"]


def state(daemon, notice):
    return daemon.sql("select state from hl.notice where id = %s", [notice])[0]["state"]


def make_doubtful(daemon, notice):
    """Waits until its outcome is unknown, then lets the time pass after which the provider is asked."""
    wait_for(lambda: state(daemon, notice) == "unknown", what=lambda: state(daemon, notice))
    daemon.sql("update hl.attempt set settled_at = settled_at - interval '21 seconds', "
               "asked_at = asked_at - interval '1 day' where notice_id = %s", [notice])


@pytest.mark.parametrize("word, expected", [("Delivered", "delivered"), ("Sent", "accepted"), ("Failed", "undelivered"),
                                            ("Melted", "accepted")])
def test_what_the_provider_has_is_settled_and_not_sent_again(daemon, gateway, word, expected):
    gateway.states["*"] = word
    notice = send(daemon)
    make_doubtful(daemon, notice)
    wait_for(lambda: state(daemon, notice) == expected, what=lambda: state(daemon, notice))
    assert len(gateway.posted) == 1
    assert gateway.asked[0] == (f"/messages/{gateway.posted[0]['id']}", "Basic ZGVtbzpkZW1vLXNlY3JldC1vZi1hLXBob25l")


def test_what_the_provider_does_not_know_is_sent_again_at_once_marked_and_by_another_channel(daemon, gateway):
    notice = send(daemon)
    make_doubtful(daemon, notice)
    wait_for(lambda: state(daemon, notice) == "accepted", what=lambda: state(daemon, notice))
    tries = daemon.sql("select channel, outcome, text from hl.attempt where notice_id = %s order by n", [notice])
    assert [(row["channel"], row["outcome"]) for row in tries] == [("phone", "unknown"), ("loopback", "accepted")]
    assert "【重发】" in tries[1]["text"]
    assert len(gateway.posted) == 1


def test_a_reply_that_the_provider_does_not_know_stays_unknown_and_says_so(daemon, gateway):
    notice = send(daemon, lane=2)
    make_doubtful(daemon, notice)
    wait_for(lambda: daemon.sql("select reason from hl.notice where id = %s", [notice])[0]["reason"]
             == "the provider knows nothing of it")
    assert (state(daemon, notice), len(gateway.posted)) == ("unknown", 1)


def test_a_question_is_asked_five_times_each_later_than_the_last(daemon, database):
    notice = send(daemon, lane=2)
    make_doubtful(daemon, notice)
    asked = "select asked from hl.attempt where notice_id = %s"
    for n in range(1, 6):
        wait_for(lambda n=n: database.one(asked, [notice]) == n)
        database.sql("update hl.attempt set asked_at = asked_at - interval '20 seconds' * 2 ^ asked + interval '9 seconds' "
                     "where notice_id = %s", [notice])
        assert database.one("select hl.doubts('{\"channels\": [\"phone\"], \"limit\": 9}')")["doubts"] == []
        database.sql("update hl.attempt set asked_at = asked_at - interval '10 seconds' where notice_id = %s", [notice])
    assert database.one("select hl.doubts('{\"channels\": [\"phone\"], \"limit\": 9}')")["doubts"] == []


def test_the_database_refuses_a_question_without_a_time(database):
    with pytest.raises(Exception, match="asked_says_when"):
        database.sql("insert into hl.attempt (notice_id, n, channel, epoch, sent_at, asked) values (1, 99, 'x', 1, now(), 1)")
