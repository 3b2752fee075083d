"""The hook of modem daemons: what a modem received is in the spool until hotlined has it."""
import itertools
import os
import stat
import subprocess

import pytest

from hl_testlib import ROOT

SERIAL = itertools.count(1)
HOOK = ROOT / "adapters/modem-hook.sh"
SECRET = "demo-webhook-secret-0123456789"
TEXT = "锦绣花园3号楼消防通道被堵 $(id) `id` 'x' \"y\" \\ & 100%"


@pytest.fixture(name="daemon")
def make_modem_daemon(cluster, make_daemon):
    folder = cluster.make_folder(f"modem{next(SERIAL)}")
    secret = folder / "secret"
    secret.write_text(SECRET + "\n", encoding="ascii")
    secret.chmod(0o600)
    cluster.own(secret)
    return make_daemon({"channel modem": {"provider": "modem", "secret_file": secret, "from": "12345"}})


@pytest.fixture(name="hook")
def make_hook(tmp_path):
    """hook(port, words, environment) runs it; hook.spool is its folder."""
    def run(port, *words, **environment):
        conf = tmp_path / "conf"
        conf.write_text(f"http://127.0.0.1:{port}/hook/modem/{SECRET}\n{tmp_path / 'spool'}\n", encoding="ascii")
        done = subprocess.run([HOOK, *words], env={"PATH": os.environ["PATH"], "HOTLINE_HOOK_CONF": str(conf), **environment},
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done

    run.spool = tmp_path / "spool"
    return run


def waiting(hook):
    return sorted(path for path in hook.spool.iterdir() if not path.name.startswith("."))


def texts(daemon):
    return [row["text"] for row in daemon.sql("select text from hl.message where channel = 'modem' order by id")]


def gammu(text=TEXT, **more):
    return {"SMS_MESSAGES": "1", "SMS_1_NUMBER": "+8610000000031", "SMS_1_TEXT": text,
            "SMS_1_DATETIME": "2026-11-25T15:00:00+08:00", **more}


def test_texts_wait_in_the_spool_while_the_daemon_is_away_and_go_in_their_order(daemon, hook, tmp_path):
    received = tmp_path / "received"
    received.write_bytes(b"From: 8610000000032\nSent: 26-11-25 15:00:00\nAlphabet: UCS2\n\n" + "电梯坏了".encode("utf-16-be"))
    hook(1, **gammu())
    hook(1, "RECEIVED", str(received))
    hook(1, "SENT", str(received), "7")
    entries = waiting(hook)
    assert [path.suffix for path in entries] == [".form", ".file"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in entries)
    hook(daemon.port)
    assert texts(daemon) == [TEXT, "电梯坏了"]
    assert not waiting(hook)


def test_a_long_text_of_gammu_is_taken_whole_and_once(daemon, hook):
    before = len(texts(daemon))
    parts = {"SMS_MESSAGES": "2", "SMS_2_NUMBER": "+8610000000031", "SMS_2_TEXT": "b", "SMS_1_TEXT": "a",
             "DECODED_PARTS": "1", "DECODED_0_TEXT": "a and b"}
    hook(daemon.port, **gammu("a", **parts))
    hook(daemon.port, **gammu("a", **parts))
    assert texts(daemon)[before:] == ["a and b"]


def test_what_will_never_pass_is_kept_aside_and_holds_nothing_up(daemon, hook, tmp_path):
    broken = tmp_path / "broken"
    broken.write_bytes(b"no headers at all")
    before = len(texts(daemon))
    hook(1, "RECEIVED", str(broken))
    hook(daemon.port, **gammu("after it"))
    assert texts(daemon)[before:] == ["after it"]
    assert not waiting(hook) and list(hook.spool.glob(".refused.*"))


def test_a_receipt_in_gammus_environment_is_no_text(daemon, hook):
    before = len(texts(daemon))
    hook(daemon.port, PHONE_ID="modem-a", SMS_MESSAGES="2", SMS_1_SENT_ID="123", SMS_2_SENT_ID="",
         SMS_1_TIMESTAMP="1704159245", SMS_1_DATETIME="2024-01-02T03:04:05+01:30", SMS_1_SMSC_TIMESTAMP="1704175506",
         SMS_1_SMSC_DATETIME="2024-01-02T04:05:06-02:00", SMS_2_TIMESTAMP="", SMS_2_DATETIME="",
         SMS_1_NUMBER="+8610000000033", SMS_1_TEXT="Delivered", SMS_2_NUMBER="+8610000000033", SMS_2_TEXT="退订")
    assert texts(daemon)[before:] == ["退订"]


def test_a_gammu_that_tells_no_time_is_told_apart_by_its_file(daemon, hook):
    """The same words again are another text; the same file again is not."""
    before = len(texts(daemon))
    for name in ("IN20021130_021531_00_+8610000000034_00.txt", "IN20021130_021531_01_+8610000000034_00.txt",
                 "IN20021130_021531_00_+8610000000034_00.txt"):
        hook(daemon.port, name, SMS_MESSAGES="1", SMS_1_NUMBER="+8610000000034", SMS_1_TEXT="查")
    assert texts(daemon)[before:] == ["查", "查"]
    hook(daemon.port, SMS_MESSAGES="1", SMS_1_NUMBER="+8610000000034", SMS_1_TEXT="查")
    assert texts(daemon)[before:] == ["查", "查", "查"]
