"""Photos that come with texts: committed with the message, fetched after the answer, kept by content, joined to the case."""
import base64
import hashlib
import itertools
import json

import pytest

import hl_rows as rows
from hl_media import MediaServer, jpeg, keep, png
from hl_testlib import wait_for

SERIAL = itertools.count(1)
REPORT = "锦绣花园3号楼消防通道被私家车堵死了"


@pytest.fixture(name="server")
def make_server():
    server = MediaServer()
    yield server
    server.stop()


def sections(cluster, server):
    return {"media": {"inside": "127.0.0.1"}, "channel loopback": {"media_allow": f"http://127.0.0.1:{server.port}"}}


@pytest.fixture(name="daemon")
def make_media_daemon(cluster, make_daemon, server):
    return make_daemon(sections(cluster, server))


def phone():
    return f"+861000000{3000 + next(SERIAL):04d}"


def mms(daemon, urls, text=REPORT, sender=None, external_id=None):
    body = {"id": external_id or f"mms-{next(SERIAL)}", "from": sender or phone(), "to": "12345", "text": text,
            "media": [{"url": url, "type": "image/jpeg"} for url in urls]}
    reply = daemon.http("POST", "/hook/loopback", json.dumps(body), {"Content-Type": "application/json"})
    assert reply.status == 200, reply.body
    return reply.json()["message"]


def media(daemon, message):
    return daemon.sql("select * from hl.media where message_id = %s order by id", [message])


def settled(daemon, message):
    """Its media once none is on its way; a wait for the next try is passed over."""
    def look():
        rows = media(daemon, message)
        daemon.sql("update hl.media set retry_at = '-infinity' where message_id = %s and retry_at > now()", [message])
        return rows and all(row["state"] != "pending" for row in rows) and rows
    return wait_for(look, what=lambda: media(daemon, message))


def path_of(daemon, row):
    name = bytes(row["digest"]).hex()
    return daemon.folder / "media" / name[:2] / f"{name}.jpg"


def test_a_photo_is_committed_with_its_text_kept_by_content_and_joined_to_the_case(daemon, server):
    url = server.file("/1.jpg", jpeg(40, 30, exif=b"MM\0*\0\0\0\x08\0\0 GPS 30.1"))
    message = mms(daemon, [url])
    assert len(media(daemon, message)) == 1
    row = settled(daemon, message)[0]
    assert (row["state"], row["type"], row["width"], row["height"], row["url"]) == ("kept", "image/jpeg", 40, 30, None)
    stored = path_of(daemon, row).read_bytes()
    assert hashlib.sha256(stored).digest() == bytes(row["digest"])
    assert b"GPS" not in stored and b"Exif" not in stored
    event = wait_for(lambda: daemon.sql("select e.* from hl.event e join hl.message m on m.case_id = e.case_id where m.id = %s"
                                        " and e.kind = 'photo'", [message]))[0]
    assert event["data"] == {"media": row["id"], "sha256": bytes(row["digest"]).hex()}
    code = daemon.sql("select c.code from hl.case c join hl.message m on m.case_id = c.id where m.id = %s", [message])[0]["code"]
    assert [p["state"] for p in daemon.ctl("photos", code)["photos"]] == ["kept"]
    assert {s["stage"]: s["actor"] for s in daemon.ctl("case", code)["stages"]}["拍照"] == "reporter"


def test_a_provider_that_repeats_itself_makes_no_second_job(daemon, server):
    url = server.file("/2.jpg", jpeg())
    assert mms(daemon, [url], external_id="twice") == mms(daemon, [url], external_id="twice")
    assert len(daemon.sql("select 1 from hl.media m join hl.message x on x.id = m.message_id where x.external_id = 'twice'")) == 1


NEVER = [
    (lambda s: s.file("/page", b"<html>not a picture</html>", "image/jpeg"), "neither a JPEG nor a PNG"),
    (lambda s: s.file("/broken", b"\xff\xd8\xff" + b"x" * 5000), "broken JPEG"),
    (lambda s: s.endless("/announced", True), "too long"),
    (lambda s: s.endless("/endless", False), "too long"),
    (lambda s: s.file("/gone", b"", status=410), "answered 410"),
    (lambda s: s.redirect("/inside", "http://127.0.0.1:9/secret"), "media_allow"),
    (lambda s: s.redirect("/metadata", "http://169.254.169.254/latest/meta-data/"), "media_allow"),
    (lambda s: s.redirect("/file", "file:///etc/passwd"), "not an address"),
    (lambda s: s.redirect("/loop", "/loop"), "redirected too often"),
    (lambda s: "http://169.254.169.254/latest/meta-data/", "media_allow"),
    (lambda s: f"https://127.0.0.1:{s.port}/tls", "media_allow"),
    (lambda s: "data:image/jpeg;base64,!!!!", "base64"),
    (lambda s: "data:image/jpeg;base64," + base64.b64encode(b"GIF89a").decode(), "neither a JPEG nor a PNG"),
]


def test_what_cannot_be_a_photo_is_given_up_at_once_and_told(daemon, server):
    sent = [(mms(daemon, [make(server)]), reason) for make, reason in NEVER]
    for message, reason in sent:
        row = settled(daemon, message)[0]
        assert row["state"] == "given_up" and reason in row["reason"], (reason, row["reason"])
        assert (row["tries"], row["url"]) == (1, None)
        told = {n["kind"] for n in daemon.sql("select kind from hl.notice where dedupe like %s or dedupe = %s", [
            f"media:{row['id']}:lost:%", f"message:{message}:photo_lost"])}
        assert told == {"media_lost", "photo_lost"}


def test_what_may_mend_itself_is_tried_again_and_then_given_up(daemon, server):
    server.file("/later.jpg", b"", status=503)
    message = mms(daemon, [server.url("/later.jpg"), server.reset("/reset.jpg")])
    rows = settled(daemon, message)
    assert [(r["state"], r["tries"]) for r in rows] == [("given_up", 6)] * 2
    assert rows[0]["reason"] == "answered 503"
    server.file("/late.jpg", b"", status=404)
    message = mms(daemon, [server.url("/late.jpg")])
    wait_for(lambda: media(daemon, message)[0]["tries"] >= 1)
    server.file("/late.jpg", jpeg())
    assert settled(daemon, message)[0]["state"] == "kept"


def test_a_name_that_leads_inside_is_refused_where_it_is_connected(cluster, make_daemon, server):
    daemon = make_daemon({"channel loopback": {"media_allow": f"http://127.0.0.1:{server.port}"}})
    row = settled(daemon, mms(daemon, [server.file("/in.jpg", jpeg())]))[0]
    assert row["state"] == "given_up" and "not of the public Internet" in row["reason"]
    assert not server.seen


def test_the_account_is_told_to_the_providers_own_host_alone(cluster, make_daemon, server):
    other = MediaServer()
    folder = cluster.make_folder(f"password{next(SERIAL)}")
    (folder / "password").write_text("demo-secret-of-us\n", encoding="ascii")
    (folder / "password").chmod(0o600)
    cluster.own(folder / "password")
    daemon = make_daemon({"media": {"inside": "127.0.0.1"}, "channel loopback": {
        "username": "demo", "password_file": folder / "password", "send_url": server.url("/send"), "purpose": "bulk",
        "media_allow": f"http://127.0.0.1:{server.port} http://127.0.0.1:{other.port}"}})
    try:
        server.redirect("/own", other.file("/cdn.jpg", jpeg()))
        assert settled(daemon, mms(daemon, [server.url("/own")]))[0]["state"] == "kept"
        assert server.seen == [("/own", "Basic " + base64.b64encode(b"demo:demo-secret-of-us").decode())]
        assert other.seen == [("/cdn.jpg", None)]
    finally:
        other.stop()


def test_a_slow_server_holds_up_neither_texts_nor_the_drain(daemon, server):
    message = mms(daemon, [server.drip("/drip.jpg"), server.drip("/drop.jpg")])
    wait_for(lambda: len(server.seen) >= 2)
    assert daemon.hook(REPORT, sender=phone()).status == 200
    daemon.stop(timeout=5)
    assert [r["state"] for r in media(daemon, message)] == ["pending", "pending"]


def test_a_daemon_that_dies_leaves_its_jobs_to_the_next(daemon, server):
    message = mms(daemon, [server.drip("/first.jpg")])
    wait_for(lambda: server.seen)
    daemon.kill()
    server.file("/first.jpg", jpeg())
    daemon.sql("update hl.media set lease_until = now() where message_id = %s", [message])
    daemon.start()
    assert settled(daemon, message)[0]["state"] == "kept"


def test_a_photo_inside_the_event_needs_no_fetching(daemon):
    row = settled(daemon, mms(daemon, ["data:image/png;base64," + base64.b64encode(png(50, 20)).decode()]))[0]
    assert (row["state"], row["type"], row["width"]) == ("kept", "image/jpeg", 50)


def test_a_photo_without_words_joins_what_its_sender_says_next(daemon, server):
    sender = phone()
    message = mms(daemon, [server.file("/wordless.jpg", jpeg())], text="", sender=sender)
    assert settled(daemon, message)[0]["case_id"] is None
    inbox = wait_for(lambda: daemon.ctl("phone", sender)["inbox"])
    assert "照片已收到" in inbox[0]["text"]
    daemon.hook("碧水云天小区电梯困人了", sender=sender)
    wait_for(lambda: media(daemon, message)[0]["case_id"])


def test_a_disk_that_is_full_is_waited_for(cluster, make_daemon, server):
    daemon = make_daemon(sections(cluster, server) | {"media": {"inside": "127.0.0.1", "dir": "/proc/nowhere"}})
    message = mms(daemon, [server.file("/full.jpg", jpeg())])
    row = wait_for(lambda: [r for r in media(daemon, message) if r["tries"] == 1 and r["lease_until"] is None])[0]
    assert row["state"] == "pending"


def test_the_process_that_looks_says_one_line():
    said, kept = keep(b"\xff\xfb\x90\x64" + bytes(400), "recording")
    assert json.loads(said) == {"class": "ok", "sha256": hashlib.sha256(kept).hexdigest(), "type": "audio/mpeg",
                                "bytes": 404, "width": 0, "height": 0}
    assert json.loads(keep(b"hello")[0])["class"] == "input"


# --- the schema's own rules ------------------------------------------------------------------------------------------

def refusal(cursor, statement, *params):
    error = rows.refusal(cursor, statement, params)
    return error and error.diag.sqlstate


def test_media_only_move_forward_and_keep_digest_origin_and_case(cursor, keys):
    made = rows.one(cursor, "insert into hl.media (kind, message_id, url, made_at) values ('photo', %s, 'u', now()) returning id",
                    (keys["message"],))
    kept = ("update hl.media set state = 'kept', url = null, digest = sha256('{}'), type = 'image/jpeg', bytes = 1, width = 1,"
            " height = 1, kept_at = now() where id = %s")
    assert refusal(cursor, "update hl.media set state = 'erased', url = null where id = %s", made) == "P0105"
    cursor.execute(kept.format("a"), (made,))
    assert refusal(cursor, kept.format("b"), made) == "P0105"
    assert refusal(cursor, "update hl.media set state = 'pending', url = 'u' where id = %s", made) == "P0105"
    assert refusal(cursor, "update hl.media set message_id = null where id = %s", made) == "P0105"
    cursor.execute("update hl.media set case_id = %s where id = %s", (keys["case"], made))
    assert refusal(cursor, "update hl.media set case_id = %s where id = %s", keys["review"], made) == "P0105"
    assert refusal(cursor, "update hl.media set state = 'erased' where id = %s", made) is None
