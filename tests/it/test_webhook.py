"""Bad input at the webhooks: each has its exact answer, is stored or not as decided, and the daemon goes on serving.

One daemon takes all of it, one test after the other; after each it must serve a good text, as the same process.
"""
import itertools
import json
import socket
import urllib.parse

import pytest

import hl_testlib

TOKEN = "webhook-token-of-the-tests"
SERIAL = itertools.count(1)
LEAK = "锦绣花园3号楼楼道漏水"

SECTIONS = {
    "channel kannel": {"provider": "kannel", "secret_file": "kannel.secret", "from": "12345"},
    # Both may be called from an address that is nobody's (RFC 5737) and not from ours.
    "channel fenced": {"provider": "loopback", "from": "12345", "allow": "192.0.2.1"},
}


def start_daemon(cluster, database, sections):
    daemon = hl_testlib.Daemon(cluster, database, sections=sections)
    secret = daemon.folder / "kannel.secret"
    secret.write_text(TOKEN + "\n")
    secret.chmod(0o600)
    cluster.own(secret)
    return daemon.start()


@pytest.fixture(scope="module", name="served")
def make_served(cluster, database):
    daemon = start_daemon(cluster, database, SECTIONS)
    yield daemon
    daemon.stop()


@pytest.fixture(autouse=True)
def goes_on_serving(served):
    """Whatever a test did, the same process stores and answers the next text."""
    process = served.process
    yield
    assert served.process is process and process.poll() is None
    ext = fresh("after")
    reply = served.hook(LEAK, sender=new_phone(), external_id=ext)
    assert reply.status == 200 and reply.json()["message"] == message(served, ext)["id"]


def fresh(word):
    return f"{word}-{next(SERIAL)}"


def new_phone():
    return f"+861000000{1000 + next(SERIAL):04d}"


def message(daemon, ext, channel="loopback"):
    rows = daemon.sql("select * from hl.message where channel = %s and external_id = %s", (channel, ext))
    assert len(rows) == 1, rows
    return rows[0]


def count(daemon):
    return daemon.sql("select count(*) as n from hl.message")[0]["n"] + daemon.sql("select count(*) as n from hl.quarantine")[0]["n"]


def kannel_path(text, ext, token=TOKEN, path="/hook/kannel", sender="+8610000000009", **more):
    """The get-url as smsbox calls it; text is bytes."""
    query = {"from": sender, "to": "12345", "ts": "2026-03-02 08:00:00", "id": ext, **more}
    if token is not None:
        query["token"] = token
    return f"{path}?{urllib.parse.urlencode(query)}&text={urllib.parse.quote_from_bytes(text, safe='')}"


def loopback_body(**fields):
    body = {"id": fresh("bad"), "from": "+8610000000009", "to": "12345", "text": LEAK, **fields}
    return json.dumps({key: value for key, value in body.items() if value is not ...}, ensure_ascii=False).encode()


def head(*lines):
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def status_of(answer):
    return int(answer.split(b" ", 2)[1])


# ---- refused: the exact status, a reason in JSON, nothing stored ------------------------------------------------------

REFUSED = {
    "unknown channel": ("POST", "/hook/nobody", loopback_body(), 404, "no such channel"),
    "no channel": ("POST", "/hook/", loopback_body(), 404, "no such channel"),
    "path the provider does not have": ("POST", "/hook/loopback/status", loopback_body(), 404, "no such path"),
    "slash behind the channel": ("POST", "/hook/loopback/", loopback_body(), 404, "no such path"),
    "another page": ("POST", "/hooks/loopback", loopback_body(), 404, "no such path"),
    "GET where the provider posts": ("GET", "/hook/loopback", None, 405, "method not allowed"),
    "DELETE": ("DELETE", "/hook/kannel?token=" + TOKEN, None, 405, "method not allowed"),
    "secret missing": ("GET", kannel_path(b"x", "k", token=None), None, 401, "signature or token does not fit"),
    "secret empty": ("GET", kannel_path(b"x", "k", token=""), None, 401, "signature or token does not fit"),
    "secret forged": ("GET", kannel_path(b"x", "k", token="forged-token-of-the-tests"), None, 401, "signature or token does not fit"),
    "secret cut short": ("GET", kannel_path(b"x", "k", token=TOKEN[:-1]), None, 401, "signature or token does not fit"),
    "secret with more behind it": ("GET", kannel_path(b"x", "k", token=TOKEN + "x"), None, 401, "signature or token does not fit"),
    "secret of a receipt forged": ("GET", "/hook/kannel/receipt?n=1&d=1&token=no", None, 401, "signature or token does not fit"),
    "address not allowed": ("POST", "/hook/fenced", loopback_body(), 403, "address not allowed"),
    "Kannel without a text": ("GET", f"/hook/kannel?from=1&to=2&id=3&token={TOKEN}", None, 400, "text: "),
    "Kannel without a sender": ("GET", f"/hook/kannel?to=2&id=3&text=a&token={TOKEN}", None, 400, "from: "),
    "Kannel without id and time": ("GET", f"/hook/kannel?from=1&to=2&text=a&token={TOKEN}", None, 400, "id: "),
    "Kannel receipt for no number": ("GET", f"/hook/kannel/receipt?n=x&d=1&token={TOKEN}", None, 400, "n: "),
    "body that is no JSON": ("POST", "/hook/loopback", b"from=1&text=2", 400, "body: "),
    "JSON cut short": ("POST", "/hook/loopback", loopback_body()[:-3], 400, "body: "),
    "JSON with more behind it": ("POST", "/hook/loopback", loopback_body() + b"{}", 400, "body: "),
    "JSON that is no object": ("POST", "/hook/loopback", b'["id"]', 400, "body: must be a JSON object"),
    "JSON too deep": ("POST", "/hook/loopback", b"[" * 30000, 400, "body: "),
    "no body": ("POST", "/hook/loopback", b"", 400, "body: "),
    "key twice": ("POST", "/hook/loopback", loopback_body()[:-1] + b',"text":"2"}', 400, "body: "),
    "id missing": ("POST", "/hook/loopback", loopback_body(id=...), 400, "id: "),
    "id a number": ("POST", "/hook/loopback", loopback_body(id=7), 400, "id: "),
    "id empty": ("POST", "/hook/loopback", loopback_body(id=""), 400, "id: "),
    "id too long": ("POST", "/hook/loopback", loopback_body(id="i" * 5000), 400, "id: "),
    "from missing": ("POST", "/hook/loopback", loopback_body(**{"from": ...}), 400, "from: "),
    "to null": ("POST", "/hook/loopback", loopback_body(to=None), 400, "to: "),
    "text missing": ("POST", "/hook/loopback", loopback_body(text=...), 400, "text: "),
    "text a list": ("POST", "/hook/loopback", loopback_body(text=["a"]), 400, "text: "),
    "receipt of nothing": ("POST", "/hook/loopback/receipt", b'{"status":"delivered"}', 400, "id: "),
    "receipt for attempt 0": ("POST", "/hook/loopback/receipt", b'{"attempt":0,"status":"delivered"}', 400, "attempt: "),
    "receipt without status": ("POST", "/hook/loopback/receipt", b'{"attempt":1}', 400, "status: "),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_requests_are_refused_with_status_and_reason(served, name):
    method, path, body, status, reason = REFUSED[name]
    before = count(served)
    reply = served.http(method, path, body)
    assert (reply.status, reply.headers.get("Content-Type")) == (status, "application/json")
    assert reply.json()["error"].startswith(reason)
    assert count(served) == before


CAPPED = {
    "oversized body, announced": (head("POST /hook/loopback HTTP/1.1", "Host: h", "Content-Length: 65537") + b"{" * 65537, 413),
    "oversized body, announced beyond 64 bits":
        (head("POST /hook/loopback HTTP/1.1", "Host: h", "Content-Length: 99999999999999999999999"), 413),
    "oversized body, in chunks": (head("POST /hook/loopback HTTP/1.1", "Host: h", "Transfer-Encoding: chunked") +
                                  b"8000\r\n" + b"x" * 0x8000 + b"\r\n8000\r\n" + b"x" * 0x8000 + b"\r\n1\r\nx\r\n0\r\n\r\n", 413),
    "no length": (head("POST /hook/loopback HTTP/1.1", "Host: h"), 411),
    "address too long": (head("GET /hook/kannel?text=" + "a" * 70000 + " HTTP/1.1", "Host: h"), 414),
    "one header too long": (head("POST /hook/loopback HTTP/1.1", "Host: h", "X-Long: " + "a" * 70000), 431),
    "headers too many": (head("POST /hook/loopback HTTP/1.1", "Host: h", *["X-Many: a"] * 101), 431),
    "two lengths": (head("POST /hook/loopback HTTP/1.1", "Host: h", "Content-Length: 2", "Content-Length: 3") + b"{}", 400),
    "length and chunks": (head("POST /hook/loopback HTTP/1.1", "Host: h", "Content-Length: 2", "Transfer-Encoding: chunked") + b"{}", 400),
    "no HTTP at all": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", CAPPED)
def test_requests_over_a_cap_are_refused_and_the_connection_closed(served, name):
    data, status = CAPPED[name]
    before = count(served)
    answer = served.raw(data)
    assert status_of(answer) == status and b"\r\nConnection: close\r\n" in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    assert count(served) == before


def test_a_body_of_exactly_the_cap_is_read(served):
    body = loopback_body()
    body = body[:-1] + b" " * (65536 - len(body)) + b"}"
    assert served.http("POST", "/hook/loopback", body).status == 200


def test_an_unknown_address_learns_nothing_about_secrets_or_bodies(served):
    """404, 405 and 403 come before the body is looked at, 401 before it is parsed."""
    assert served.http("POST", "/hook/fenced", b"rubbish").status == 403
    assert served.http("GET", f"/hook/kannel?text=a&token={TOKEN[::-1]}").status == 401


def test_forwarded_for_counts_only_behind_a_trusted_proxy(served, cluster, database):
    forged = served.http("POST", "/hook/fenced", loopback_body(), {"X-Forwarded-For": "192.0.2.1"})
    assert forged.status == 403
    behind = start_daemon(cluster, database, {**SECTIONS, "http": {"trusted_proxies": "127.0.0.1"}})
    try:
        hops = {"192.0.2.1": 200, "198.51.100.7, 192.0.2.1": 200, "192.0.2.1, 198.51.100.7": 403, "": 403}
        for hop, status in hops.items():
            reply = behind.http("POST", "/hook/fenced", loopback_body(), {"X-Forwarded-For": hop})
            assert reply.status == status, hop
    finally:
        behind.stop()


def test_how_it_fares_is_told_to_those_who_may_know(served, cluster, database):
    """Any by default; with a list only to who is on it, seen behind the proxy too. That it lives is no secret."""
    for path in ("/healthz", "/readyz", "/metrics"):
        assert served.http("GET", path).status == 200 and served.http("POST", path, b"").status == 405
    http = {"status_allow": "127.0.0.1 192.0.2.1", "trusted_proxies": "127.0.0.1"}
    fenced = start_daemon(cluster, database, {**SECTIONS, "http": http})
    try:
        for hop, status in {None: 200, "192.0.2.1": 200, "192.0.2.2": 403, "192.0.2.1, 192.0.2.2": 403}.items():
            headers = {"X-Forwarded-For": hop} if hop else {}
            told = [fenced.http("GET", path, headers=headers).status for path in ("/healthz", "/readyz", "/metrics")]
            assert told == [200, status, status], hop
    finally:
        fenced.stop()


# ---- accepted: stored whole, raw bytes included ----------------------------------------------------------------------

EMOJI = "锦绣花园🏠3号楼👨‍👩‍👧电梯🛗坏了"
LONG = (LEAK + "，已经三天了没有人来修。") * 60

TEXTS = {
    "empty": "",
    "blank": " \t\r\n　",
    "1,000 characters": LONG[:1000],
    "emoji": EMOJI,
    "quotes, backslashes and markup": "\"漏水\" \\ <b>'; drop table hl.message; --</b> %s {0} 【签】",
    "line breaks": "锦绣花园\r\n3号楼\n漏水",
    "characters outside the basic plane": "𠮷祥小区\U0001F6B0漏水",
    "right-to-left and invisible marks": "锦绣\u200b花园\u202e3号楼\ufeff漏水",
}


@pytest.mark.parametrize("name", TEXTS)
def test_any_text_is_stored_as_it_came(served, name):
    ext, text = fresh("text"), TEXTS[name]
    reply = served.hook(text, sender=new_phone(), external_id=ext)
    row = message(served, ext)
    assert (reply.status, reply.json()) == (200, {"message": row["id"]})
    # Line ends are made one kind; the raw bytes tell what they were.
    assert bytes(row["raw"]) == text.encode() and row["text"] == text.replace("\r\n", "\n")


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_text_is_asked_for_substance_and_opens_no_case(served, text):
    ext = fresh("empty")
    served.hook(text, sender=new_phone(), external_id=ext)
    row = message(served, ext)
    assert (row["state"], row["outcome"], row["case_id"]) == ("handled", "empty", None)
    notices = served.sql("select template from hl.notice where message_id = %s", (row["id"],))
    assert notices == [{"template": "ask_substance"}]


def test_a_text_of_a_short_code_is_kept_and_never_answered(served):
    ext = fresh("machine")
    served.hook(LEAK, sender="10086", external_id=ext)
    row = message(served, ext)
    assert row["outcome"] == "silent" and row["person_id"] is None
    assert served.sql("select id from hl.notice where message_id = %s", (row["id"],)) == []


KANNEL_TEXTS = {
    "UTF-8": (LEAK.encode(), {}, LEAK),
    "GBK without a word": (LEAK.encode("gbk"), {}, LEAK),
    "GBK that says so": (LEAK.encode("gbk"), {"charset": "GBK"}, LEAK),
    "GB18030 beyond GBK": ("𠮷祥小区漏水了".encode("gb18030"), {"charset": "GB18030"}, "𠮷祥小区漏水了"),
    "UCS-2": (LEAK.encode("utf-16-be"), {"coding": "2"}, LEAK),
    "UTF-16 with an emoji": (EMOJI.encode("utf-16-be"), {"coding": "2", "charset": "UTF-16BE"}, EMOJI),
    "UTF-16 that claims to be UTF-8": (LEAK.encode("utf-16-be"), {"charset": "UTF-8"}, None),
    "a charset nobody knows": (LEAK.encode(), {"charset": "X-KLINGON"}, LEAK),
    "broken UTF-8": (LEAK.encode()[:-1] + b"\xff\xfe", {"charset": "UTF-8"}, None),
    "half a UTF-16 pair": (LEAK.encode("utf-16-be") + b"\xd8\x3d", {"coding": "2"}, None),
    "odd bytes of UTF-16": (LEAK.encode("utf-16-be") + b"\x4e", {"coding": "2"}, None),
    "NUL": ("漏水\0了".encode(), {"charset": "UTF-8"}, None),
    "nothing but NUL": (b"\0\0\0", {}, None),
    "all 256 bytes": (bytes(range(256)), {}, None),
    "1,000 characters by GET": (LONG[:1000].encode(), {"charset": "UTF-8"}, LONG[:1000]),
    "1,000 characters in UCS-2 by GET": (LONG[:1000].encode("utf-16-be"), {"coding": "2"}, LONG[:1000]),
}


@pytest.mark.parametrize("name", KANNEL_TEXTS)
def test_kannel_texts_in_any_encoding_are_taken_with_their_raw_bytes(served, name):
    raw, more, text = KANNEL_TEXTS[name]
    ext = fresh("kannel")
    reply = served.http("GET", kannel_path(raw, ext, sender=new_phone(), **more))
    # What a get-url is answered with would be texted to the resident.
    assert (reply.status, reply.body) == (200, b"")
    row = message(served, ext, "kannel")
    assert bytes(row["raw"]) == raw and "\0" not in row["text"]
    assert text is None or row["text"] == text


def test_kannel_post_url_brings_the_text_as_body(served):
    ext, raw = fresh("kannel"), LEAK.encode("utf-16-be")
    headers = {"X-Kannel-From": new_phone(), "X-Kannel-To": "12345", "X-Kannel-ID": ext, "X-Kannel-Time": "2026-03-02 08:00:00",
               "X-Kannel-Coding": "2", "Content-Type": 'text/plain; charset="UTF-16BE"'}
    reply = served.http("POST", f"/hook/kannel?token={TOKEN}", raw, headers)
    row = message(served, ext, "kannel")
    assert reply.status == 200 and row["text"] == LEAK and bytes(row["raw"]) == raw


BODIES = {
    "GBK": (lambda body: body.encode("gbk"), LEAK),
    "UTF-16 with a mark": (lambda body: body.encode("utf-16"), LEAK),
    "UTF-16BE": (lambda body: body.encode("utf-16-be"), LEAK),
    "UTF-16LE": (lambda body: body.encode("utf-16-le"), LEAK),
    "UTF-8 with a mark": (lambda body: body.encode("utf-8-sig"), LEAK),
    "broken UTF-8": (lambda body: body.encode().replace("水".encode(), b"\xe6\xb0"), None),
    "NUL in the body": (lambda body: body.replace("漏水", "漏\0水").encode(), None),
    "NUL escaped": (lambda body: body.replace("漏水", "漏\\u0000水").encode(), None),
    "half a pair escaped": (lambda body: body.replace("漏水", "漏\\ud83d水").encode(), None),
}


@pytest.mark.parametrize("name", BODIES)
def test_json_in_any_encoding_is_taken_and_its_bytes_kept(served, name):
    encode, text = BODIES[name]
    ext = fresh("body")
    body = encode(json.dumps({"id": ext, "from": new_phone(), "to": "12345", "text": LEAK}, ensure_ascii=False))
    reply = served.http("POST", "/hook/loopback", body, {"Content-Type": "application/json"})
    row = message(served, ext)
    assert (reply.status, reply.json()) == (200, {"message": row["id"]})
    assert row["text"] == text if text else row["text"].startswith(LEAK[:9]) and "\0" not in row["text"]
    # A text that had to be mended cannot be told from the mended one: the whole body is kept as it came.
    if "escaped" not in name:
        assert bytes(row["raw"]) == body


def test_unknown_fields_and_receipt_states_are_taken(served):
    reply = served.http("POST", "/hook/loopback", loopback_body(more={"a": [1, None]}))
    assert reply.status == 200
    reply = served.http("POST", "/hook/loopback/receipt", b'{"attempt":999999,"status":"gone fishing","cost":1.5}')
    assert reply.status == 200


def test_a_request_in_single_bytes_is_one_request(served):
    ext = fresh("slow")
    body = loopback_body(id=ext)
    data = head("POST /hook/loopback HTTP/1.1", "Host: h", f"Content-Length: {len(body)}", "Connection: close") + body
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(data)):
            sock.sendall(data[i:i + 1])
        assert status_of(sock.recv(65536)) == 200
    assert message(served, ext)["text"] == LEAK


def test_requests_behind_each_other_on_one_connection_are_all_stored(served):
    exts = [fresh("pipe") for _ in range(20)]
    data = b""
    for ext in exts:
        body = loopback_body(id=ext, **{"from": new_phone()})
        last = ["Connection: close"] if ext == exts[-1] else []
        data += head("POST /hook/loopback HTTP/1.1", "Host: h", f"Content-Length: {len(body)}", *last) + body
    answers = served.raw(data)
    assert answers.count(b"HTTP/1.1 200 OK\r\n") == 20
    assert all(message(served, ext) for ext in exts)
