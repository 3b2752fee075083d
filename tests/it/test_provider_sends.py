"""A text by every provider from the queue to a peer that checks login, signature and form by its own means, and back.

What goes wrong on the way is walked with one of them; how each answer is read, the adapters' own tests know.
"""
import base64
import contextlib
import itertools
import json
import socket
import struct
import time

import pytest

import hl_testlib
from hl_testlib import wait_for
from provider_sites import KEY, SECRET, SITES, USER, Sites

SERIAL = itertools.count(1)
WHSEC = "whsec_" + base64.b64encode(SECRET.encode()).decode()
LOGIN = {"username": USER, "password_file": "key"}
TEMPLATES = {"signature": "县民生热线", "sign": "provider", "template_file": "templates.json", **LOGIN}
KEYS = {
    "twilio": ("/twilio/Accounts/ACdemo/Messages.json", {}),
    "plivo": ("/plivo/v1/Account/MADEMO/Message/", {}),
    "vonage": ("/vonage/sms/json", LOGIN),
    "telnyx": ("/telnyx/v2/messages", {"password_file": "key", "secret_file": "public"}),
    "android": ("/android/messages", LOGIN),
    "httpsms": ("/httpsms/v1/messages/send", {"password_file": "key"}),
    "standard": ("/standard/send", {"secret_file": "whsec"}),
    "aliyun": ("/", TEMPLATES),
    "tencent": ("", {"app_id": "1400000000", **TEMPLATES}),
    "huawei": ("/huawei/sms/batchSendSms/v1", TEMPLATES),
    "http": ("/http/submit", {"body": "body.json", "body_coding": "base64", "mac": "${username}${password}${text}",
                              "answer_path": "rspcod", "answer_id": "msgGroup", "accepted": "success", **LOGIN}),
}


@pytest.fixture(scope="module", name="sites")
def make_sites():
    sites = Sites()
    yield sites
    sites.stop()


@pytest.fixture(scope="module", name="daemon")
def make_sending_daemon(cluster, database, sites):
    folder = cluster.make_folder("send-secrets")
    files = {"secret": SECRET, "key": KEY, "whsec": WHSEC, "public": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
             "templates.json": json.dumps({"channel_test": {"id": "T1", "params": [{"name": "code", "as": "number"}]}}),
             "body.json": '{"to":"${to_bare}","text":"${text}","mac":"${mac}"}'}
    for name, content in files.items():
        (folder / name).write_text(content + "\n", encoding="utf-8")
        (folder / name).chmod(0o600)
        cluster.own(folder / name)
    sections = {"send": {"deadline_ms": 2000}}
    for name, (path, keys) in KEYS.items():
        keys = {"provider": name, "secret_file": "secret", "from": "+8610000009999", "send_url": sites.url(path), **keys}
        sections[f"channel {name}"] = {key: folder / value if key.endswith("_file") or key == "body" else value
                                       for key, value in keys.items()}
    daemon = hl_testlib.Daemon(cluster, database, sections=sections).start()
    yield daemon
    daemon.stop()


def send(daemon, channel, lane=2):
    phone = f"+861000000{5000 + next(SERIAL):04d}"
    daemon.sql("insert into hl.person (phone) values (%s)", [phone])
    return daemon.sql(
        "insert into hl.notice (person_id, kind, template, params, dedupe, lane, channel, not_before, made_at) "
        "select id, 'test', 'channel_test', '{\"code\": \"9WNG8\"}', %s, %s, %s, hl.now(), hl.now() from hl.person "
        "where phone = %s returning id", [f"send/{next(SERIAL)}", lane, channel, phone])[0]["id"]


def first_try(daemon, notice):
    row = wait_for(lambda: daemon.sql("select channel, outcome, external_id, detail from hl.attempt where notice_id = %s "
                                      "and outcome is not null order by n", [notice]))[0]
    return row["channel"], row["outcome"], row


@pytest.mark.parametrize("name", SITES)
def test_a_text_is_formed_and_signed_as_the_provider_wants_it(daemon, sites, name):
    channel, outcome, row = first_try(daemon, send(daemon, name))
    assert not sites.faults
    assert (channel, outcome) == (name, "accepted")
    assert row["external_id"] and "9WNG8" in sites.texts[name][-1]


def slow_down(handler):
    handler.answer(429, b'{"code":20429}', Retry_After="120")


def half(handler):
    handler.answer(201, b'{"sid":"SM1","sta')


def error(handler):
    handler.answer(500, b"oops")


def hang_up(handler):
    handler.close_connection = True


def cut(handler):
    handler.wfile.write(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{\"sid\":")
    handler.close_connection = True


def reset(handler):
    """The connection is torn, not closed."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True


def drip(handler):
    """A byte now and then, for longer than anybody waits: the deadline is that of the whole request."""
    handler.wfile.write(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n")
    with contextlib.suppress(OSError):
        for _ in range(300):
            handler.wfile.write(b" ")
            time.sleep(0.1)
    handler.close_connection = True


# By two of them: a channel that answers nothing good any more is left alone (breaker), and the text goes by another.
@pytest.mark.parametrize("name, answer, outcome", [
    ("twilio", slow_down, "later"), ("twilio", half, "unknown"), ("twilio", error, "unknown"), ("twilio", hang_up, "unknown"),
    ("plivo", cut, "unknown"), ("plivo", reset, "unknown"), ("plivo", drip, "unknown")])
def test_what_goes_wrong_is_believed_no_further_than_it_says(daemon, sites, name, answer, outcome):
    sites.answers[name] = [answer]
    notice = send(daemon, name)
    assert first_try(daemon, notice)[:2] == (name, outcome)
    if outcome == "later":
        waits = daemon.sql("select retry_at > clock_timestamp() + interval '100 seconds' as ok from hl.notice where id = %s",
                           [notice])
        assert waits == [{"ok": True}]


def test_no_secret_and_no_number_is_in_the_log(daemon):
    log = daemon.log()
    assert SECRET not in log and KEY not in log and WHSEC not in log
    assert not daemon.disclosures()
