"""Links by which a phone without MMS hands photos in, and the close that waits for one."""
import contextlib
import hashlib
import itertools
import re
import socket

import pytest

from hl_media import jpeg, png
from hl_testlib import Daemon, wait_for

SERIAL = itertools.count(1)


@pytest.fixture(name="daemon", scope="module")
def make_web_daemon(cluster, database):
    daemon = Daemon(cluster, database, sections={
        "web": {"public_url": "https://photos.example.com"}, "channel loopback": {"trust": "high"}})
    daemon.start()
    yield daemon
    daemon.stop()


def phone():
    return f"+861000000{4000 + next(SERIAL):04d}"


def report(daemon, sender):
    message = daemon.hook(f"锦绣花园{next(SERIAL)}号楼消防通道被私家车堵死了", sender=sender).json()["message"]
    return daemon.sql("select c.id, c.code from hl.case c join hl.message m on m.case_id = c.id where m.id = %s", [message])[0]


@pytest.fixture(name="link")
def make_link(daemon):
    """A token for a fresh case of a fresh reporter, and the case."""
    sender = phone()
    case = report(daemon, sender)
    token = daemon.database.one("select hl.make_link(%s, null, (select id from hl.person where phone = %s), 'loopback')",
                                [case["id"], sender])
    return token, case


def form(*files, name="photo", boundary="----hl", tail=b"--\r\n"):
    body = b"".join(
        b"--" + boundary.encode() + b"\r\nContent-Disposition: form-data; name=\"" + name.encode() + b"\"; filename=\"a.jpg\"\r\n"
        b"Content-Type: image/jpeg\r\n\r\n" + data + b"\r\n" for data in files)
    return body + b"--" + boundary.encode() + tail, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def post(daemon, token, *files):
    return daemon.http("POST", f"/u/{token}", *form(*files))


def test_a_page_takes_photos_for_one_case_and_the_history_holds_their_digest(daemon, link):
    token, case = link
    page = daemon.http("GET", f"/u/{token}")
    assert page.status == 200 and page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert 'type="file"' in page.body.decode() and "<script" not in page.body.decode() and "还可上传5张" in page.body.decode()
    answer = post(daemon, token, jpeg(40, 30, exif=b"MM\0*\0\0\0\x08\0\0GPS"), png(20, 20))
    assert answer.status == 200 and "已收到2张" in answer.body.decode() and "还可上传3张" in answer.body.decode()
    photos = daemon.ctl("photos", case["code"])["photos"]
    assert [(p["state"], p["type"], p["width"]) for p in photos] == [("kept", "image/jpeg", 40), ("kept", "image/jpeg", 20)]
    digests = [e["data"]["sha256"] for e in daemon.ctl("case", case["code"])["events"] if e["kind"] == "photo"]
    assert digests == [p["sha256"] for p in photos]
    stored = (daemon.folder / "media" / digests[0][:2] / f"{digests[0]}.jpg").read_bytes()
    assert hashlib.sha256(stored).hexdigest() == digests[0] and b"GPS" not in stored


def test_the_token_is_nowhere_in_the_table_and_no_other_token_works(daemon, link):
    token, _ = link
    assert not daemon.sql("select 1 from hl.upload_link l where l::text like %s", [f"%{token}%"])
    for wrong in ("A" * 22, token[:-1] + ("A" if token[-1] != "A" else "B")):
        assert daemon.http("GET", f"/u/{wrong}").status == 404
        assert post(daemon, wrong, jpeg()).status == 404
    for wrong in (token[:-1], token + "A", "../../etc/passwd", "%00" * 7 + "A"):
        assert daemon.http("GET", f"/u/{wrong}").status == 404
    assert daemon.http("DELETE", f"/u/{token}").status == 405


def test_a_link_takes_so_many_photos_and_the_same_one_once(daemon, link):
    token, case = link
    same = png(33, 33)
    assert "已收到1张" in post(daemon, token, same).body.decode()
    assert "已收到" not in post(daemon, token, same).body.decode()
    answer = post(daemon, token, *[png(10 + n, 10, (n * 20, 0, 0)) for n in range(6)])
    assert "已收到4张" in answer.body.decode() and "照片已收齐" in answer.body.decode()
    assert daemon.http("GET", f"/u/{token}").status == 410
    assert post(daemon, token, jpeg()).status == 410
    assert len(daemon.ctl("photos", case["code"])["photos"]) == 5


def test_a_link_ends_after_two_weeks(daemon, link):
    token, _ = link
    daemon.sql("update hl.upload_link set made_at = made_at - interval '15 days', expires_at = expires_at - interval '15 days'"
               " where digest = sha256(convert_to(%s, 'UTF8'))", [token])
    page = daemon.http("GET", f"/u/{token}")
    assert page.status == 410 and "失效" in page.body.decode()


@pytest.mark.parametrize("body", [b"GIF89a" + bytes(100), b"%PDF-1.4", b"PK\x03\x04", b"\xff\xd8\xff\xe0 broken"],
                         ids=["gif", "pdf", "zip", "broken"])
def test_what_is_no_photo_is_refused_by_content_not_by_name(daemon, link, body):
    token, case = link
    answer = post(daemon, token, body)
    assert answer.status == 422 and "有1个文件不是可用的照片" in answer.body.decode()
    assert daemon.ctl("photos", case["code"])["photos"] == []
    assert "已收到1张" in post(daemon, token, body, jpeg()).body.decode()


def test_bodies_that_are_no_form_are_refused(daemon, link):
    token, _ = link
    good, headers = form(jpeg())
    for body, head in ((b"x", {"Content-Type": "text/plain"}), (good[:-10], headers), (good, {"Content-Type": "multipart/form-data"}),
                       (b"", headers), (good, {"Content-Type": "multipart/form-data; boundary=" + "x" * 71})):
        assert daemon.http("POST", f"/u/{token}", body, head).status == 400, body[:20]
    assert daemon.http("POST", f"/u/{token}", *form(b"")).status == 200  # nothing was chosen


def test_only_so_many_bytes_and_uploads_at_once_are_taken_and_webhooks_stay_small(daemon, link):
    token, _ = link
    head = "POST /u/{} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: {}\r\n\r\n"
    assert b" 413 " in daemon.raw(head.format(token, (24 << 20) + 1).encode())
    assert b" 413 " in daemon.raw(head.format(token[:-1], 1 << 20).encode())
    assert b" 413 " in daemon.raw(head.replace("/u/{}", "/hook/loopback").format(1 << 20).encode())
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", daemon.port)))
            sock.sendall(head.format(token, 1 << 20).encode() + b"some")
        wait_for(lambda: b" 429 " in daemon.raw(head.format(token, 1 << 20).encode() + b"some"))
    wait_for(lambda: daemon.http("POST", f"/u/{token}", *form(jpeg(900, 900))).status == 200)


# --- the close that waits for a photo ------------------------------------------------------------------------------------

@pytest.fixture(name="task")
def make_task(daemon):
    """A lead task of a type that demands a photo: its officer's phone and code."""
    daemon.sql("update hl.case_type set demands = array['is_true', 'contacted', 'solved', 'evidence'] where code = 'FIR-1'")
    case = report(daemon, phone())
    code = daemon.sql("select n.code, p.phone from hl.notice_code n join hl.task k on k.id = n.task_id join hl.person p"
                      " on p.id = n.person_id where k.case_id = %s and k.role = 'lead'", [case["id"]])[0]
    yield {"case": case, **code}
    daemon.sql("update hl.case_type set demands = '{}' where code = 'FIR-1'")


def last_text(daemon, number, kind="reply"):
    inbox = [n for n in daemon.ctl("phone", number)["inbox"] if n["kind"] == kind]
    return inbox[-1] if inbox else {"template": None}


def say(daemon, task, text, template):
    daemon.hook(text.format(**task), sender=task["phone"])
    return wait_for(lambda: last_text(daemon, task["phone"])["template"] == template and last_text(daemon, task["phone"])["text"],
                    what=lambda: last_text(daemon, task["phone"]))


def test_a_close_asks_for_the_photo_by_link_and_goes_on_when_it_arrives(daemon, task):
    text = say(daemon, task, "结 {code} 属实，已联系举报人，已解决，车辆已拖离", "ask_evidence")
    token = re.search(r"https://photos\.example\.com/u/([\w-]{22}) ", text).group(1)
    assert daemon.ctl("case", task["case"]["code"])["state"] != "done"
    assert "已收到1张" in post(daemon, token, jpeg()).body.decode()
    wait_for(lambda: last_text(daemon, task["phone"])["template"] == "done_noted", what=daemon.log())
    case = daemon.ctl("case", task["case"]["code"])
    lead = [t for t in case["tasks"] if t["role"] == "lead"][0]
    assert (case["state"], lead["state"]) == ("done", "done")
    assert [p["unit"] for p in case["photos"]] == [lead["unit"]]
    assert daemon.ctl("verify")["broken"] == []
