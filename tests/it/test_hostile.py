"""Peers that wish us ill, at a running daemon: drips, idle crowds, floods of bytes, framing tricks, hostile bodies, RSTs.

Numbers in names are those of tests/faults/MAP.md. One daemon with short deadlines takes all of it. After each test the
same process stores and answers a good text, has not grown, and has everything that it ever acknowledged.
"""
import concurrent.futures
import contextlib
import itertools
import json
import re
import socket
import time
import urllib.parse

import pytest

import hl_attack
import hl_testlib
from hl_crowd import held, metrics, wait_for_waiters
from hl_testlib import wait_for

TOKEN, OLD_TOKEN = "webhook-token-of-the-tests", "the-token-before-it-of-the-tests"
LEAK = "锦绣花园3号楼楼道漏水"
HEADER_S, BODY_S, IDLE_S = 0.3, 0.4, 0.6
GROWTH_KIB = 32 << 10
SERIAL = itertools.count(1)
SECTIONS = {
    "http": {"header_ms": int(HEADER_S * 1000), "body_ms": int(BODY_S * 1000), "idle_ms": int(IDLE_S * 1000),
             "body_bytes": 1 << 20, "max_connections": 1200},
    "log": {"level": "info"},
    "channel kannel": {"provider": "kannel", "secret_file": "kannel.secret", "from": "12345"},
}


class Served:
    """The daemon, what it was when it was fresh, and what it has promised since."""

    def __init__(self, cluster, database):
        self.daemon = hl_testlib.Daemon(cluster, database, sections=SECTIONS)
        secret = self.daemon.folder / "kannel.secret"
        secret.write_text(f"{TOKEN}\n{OLD_TOKEN}\n")
        secret.chmod(0o600)
        cluster.own(secret)
        self.daemon.start()
        self.pid, self.acked = self.daemon.process.pid, []
        for _ in range(20):
            self.report()
        self.rss_kib = hl_attack.rss_kib(self.pid)

    def report(self):
        """A good text, of somebody new."""
        ext = fresh("good")
        reply = self.daemon.hook(LEAK, sender=new_phone(), external_id=ext)
        assert reply.status == 200, reply.body
        self.acked.append(ext)

    def check(self):
        assert self.daemon.process.pid == self.pid and self.daemon.process.poll() is None
        self.report()
        assert hl_attack.rss_kib(self.pid) < self.rss_kib + GROWTH_KIB
        assert self.daemon.sql("select count(distinct external_id) as n from hl.message where external_id = any(%s)",
                               (self.acked,)) == [{"n": len(self.acked)}]


@pytest.fixture(scope="module", name="served")
def make_served(cluster, database):
    served = Served(cluster, database)
    yield served
    served.daemon.stop()


@pytest.fixture(name="daemon")
def give_daemon(served):
    yield served.daemon
    served.check()


def fresh(word):
    return f"{word}-{next(SERIAL)}"


def new_phone():
    return f"+861000000{3000 + next(SERIAL):04d}"


def head(*lines):
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def report(ext, *headers, text=LEAK, extra=b""):
    """A whole good request; `extra` is put into its body's object as it is."""
    body = json.dumps({"id": ext, "from": new_phone(), "to": "12345", "text": text}, ensure_ascii=False).encode()
    body = body[:-1] + extra + b"}"
    return head("POST /hook/loopback HTTP/1.1", "Host: h", f"Content-Length: {len(body)}", *headers) + body


def rows(daemon, ext):
    return daemon.sql("select * from hl.message where external_id = %s", (ext,))


def row(daemon, ext):
    found = rows(daemon, ext)
    assert len(found) == 1, found
    return found[0]


def status_of(answer):
    return int(answer.split(b" ", 2)[1])


# ---- 68: slow drips and peers that only sit there ----------------------------------------------------------------------

DRIPS = {
    "request line": (b"POST /hook/loopback", b"a", HEADER_S),
    "header": (b"POST /hook/loopback HTTP/1.1\r\nHost: h\r\nX: ", b"a", HEADER_S),
    "body": (head("POST /hook/loopback HTTP/1.1", "Host: h", "Content-Length: 60000"), b" ", BODY_S),
    "chunks": (head("POST /hook/loopback HTTP/1.1", "Host: h", "Transfer-Encoding: chunked"), b"1\r\n \r\n", BODY_S),
}


@pytest.mark.parametrize("name", DRIPS)
def test_68_a_drip_is_cut_off_at_the_deadline_however_often_a_byte_comes(served, daemon, name):
    at_once, drip, deadline_s = DRIPS[name]
    with hl_attack.Peers(daemon.port, 200) as peers:
        begun = time.monotonic()
        peers.say(at_once)
        peers.listen()
        served.report()
        peers.until_closed(10, dripping=drip)
        assert time.monotonic() - begun >= deadline_s
        assert set(peers.statuses()) == {408}


def test_68_a_thousand_idle_peers_are_let_go_and_others_served_meanwhile(served, daemon):
    cpu_s = hl_attack.cpu_s(served.pid)
    with hl_attack.Peers(daemon.port, 1000) as peers:
        wait_for(lambda: metrics(daemon)["hotlined_http_connections"] > 900 or len(peers.open) < 1000, what="all of them")
        served.report()
        peers.until_closed(10)
        # A reset is no answer either.
        assert set(peers.statuses()) == {None}
    assert hl_attack.cpu_s(served.pid) - cpu_s < 1


def test_68_one_address_and_all_together_have_a_cap(served, daemon):
    """max_connections_per_peer is 256, max_connections 1200; who comes after is told so, or just closed."""
    with hl_attack.Peers(daemon.port, 300, per_address=300) as one:
        served.report()
        one.until_closed(10)
        told = one.statuses()
        assert told.count(429) == 8 and told.count(None) == 292
    with hl_attack.Peers(daemon.port, 1300) as many:
        many.until_closed(10)
        assert 0 < many.statuses().count(503) <= 64


# ---- 69: ten megabytes ---------------------------------------------------------------------------------------------------

HUGE = 10 << 20
LARGE = {
    "announced": ([f"Content-Length: {HUGE}"], b"x" * HUGE),
    "announced and asked for": ([f"Content-Length: {HUGE}", "Expect: 100-continue"], b"x" * HUGE),
    "in one chunk": (["Transfer-Encoding: chunked"], b"A00000\r\n" + b"x" * HUGE),
    "in many chunks": (["Transfer-Encoding: chunked"], (b"1000\r\n" + b"x" * 4096 + b"\r\n") * (HUGE >> 12)),
}


def push(sock, data):
    """Sends until the peer has had enough; gives how much went out."""
    sent = 0
    with contextlib.suppress(OSError):
        while sent < len(data):
            sent += sock.send(data[sent:sent + 65536])
    return sent


def bring(daemon, name):
    """Sends a large body; gives how much of it went out, and the answer if a reset did not overtake it."""
    headers, body = LARGE[name]
    with hl_attack.connect(daemon.port) as sock:
        sock.sendall(head("POST /hook/loopback HTTP/1.1", "Host: h", *headers))
        sent, answer = push(sock, body), b""
        with contextlib.suppress(ConnectionResetError):
            answer = sock.recv(65536)
        return sent, answer


def test_69_bodies_of_ten_megabytes_are_refused_and_mostly_not_read(served, daemon):
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        told = list(pool.map(lambda name: bring(daemon, name), [*LARGE] * 5))
    # What lies in socket buffers was sent and never read.
    assert all(sent < HUGE for sent, _ in told)
    assert {status_of(answer) for _, answer in told if answer} == {413}
    assert hl_attack.rss_kib(served.pid) < served.rss_kib + GROWTH_KIB


def test_69_who_asks_before_sending_is_told_without_having_sent(daemon):
    for headers, status in ((["Content-Length: 1048577"], 413), (["Content-Length: 20"], 100)):
        with hl_attack.connect(daemon.port) as sock:
            sock.sendall(head("POST /hook/loopback HTTP/1.1", "Host: h", "Expect: 100-continue", *headers))
            assert status_of(sock.recv(65536)) == status


def test_69_five_thousand_headers_and_a_megabyte_of_address(daemon):
    assert status_of(daemon.raw(head("GET /healthz HTTP/1.1", "Host: h", *["A: b"] * 5000))) == 431
    assert status_of(daemon.raw(b"GET /" + b"a" * (1 << 20))) == 414


# ---- 70: framing -----------------------------------------------------------------------------------------------------------

LOOPBACK = "POST /hook/loopback HTTP/1.1\r\nHost: h\r\n"
CHUNKED = LOOPBACK + "Transfer-Encoding: chunked\r\n\r\n"
TRICKS = {
    "two lengths that agree": LOOPBACK + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "two lengths that do not": LOOPBACK + "Content-Length: 2\r\nContent-Length: 0\r\n\r\n{}",
    "a list of lengths": LOOPBACK + "Content-Length: 2, 2\r\n\r\n{}",
    "length and chunks": LOOPBACK + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": LOOPBACK + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "blank before the colon": LOOPBACK + "Content-Length : 0\r\n\r\n",
    "signed length": LOOPBACK + "Content-Length: +0\r\n\r\n",
    "negative length": LOOPBACK + "Content-Length: -1\r\n\r\n",
    "length in hex": LOOPBACK + "Content-Length: 0x2\r\n\r\n{}",
    "length of a word": LOOPBACK + "Content-Length: two\r\n\r\n{}",
    "bare line feeds": "POST /hook/loopback HTTP/1.1\nHost: h\nContent-Length: 0\n\n",
    "one bare line feed": LOOPBACK + "X: a\nContent-Length: 0\r\n\r\n",
    "bare carriage return": LOOPBACK + "X: a\rContent-Length: 5\r\nContent-Length: 0\r\n\r\n",
    "folded header": LOOPBACK + "X: a\r\n Content-Length: 5\r\nContent-Length: 0\r\n\r\n",
    "folded first header": "POST /hook/loopback HTTP/1.1\r\n Host: h\r\nContent-Length: 0\r\n\r\n",
    "NUL in the address": "POST /hook/loopback\0 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
    "NUL in a header": LOOPBACK + "X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "chunks twice": LOOPBACK + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks of chunks": LOOPBACK + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunks and nothing": LOOPBACK + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunks with a tab": LOOPBACK + "Transfer-Encoding:\tchunked\x0b\r\n\r\n0\r\n\r\n",
    "chunk with an extension": CHUNKED + "2;a=b\r\n{}\r\n0\r\n\r\n",
    "chunk beyond 64 bits": CHUNKED + "10000000000000002\r\n{}\r\n0\r\n\r\n",
    "chunk of a negative size": CHUNKED + "-2\r\n{}\r\n0\r\n\r\n",
    "chunk size in 0x": CHUNKED + "0x2\r\n{}\r\n0\r\n\r\n",
    "chunk with a bare line feed": CHUNKED + "2\n{}\r\n0\r\n\r\n",
    "chunk longer than it says": CHUNKED + "2\r\n{}}\r\n0\r\n\r\n",
    "trailer": CHUNKED + "0\r\nContent-Length: 5\r\n\r\n",
    "chunks in HTTP/1.0": "POST /hook/loopback HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "absolute address": "POST http://h/hook/loopback HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
    "two hosts": LOOPBACK + "Host: i\r\nContent-Length: 0\r\n\r\n",
    "no host": "POST /hook/loopback HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": "GET /healthz\r\n",
    "empty lines first": "\r\n\r\n" + LOOPBACK + "Content-Length: 0\r\n\r\n",
}
REFUSALS = {"preface of HTTP/2": {400, 505}, "chunks of chunks": {400, 501}, "chunks and nothing": {400, 501},
            "chunks with a tab": {400, 501}}


@pytest.mark.parametrize("name", TRICKS)
def test_70_ambiguous_framing_is_refused_and_nothing_behind_it_is_done(daemon, name):
    evil = fresh("evil")
    answer = daemon.raw(TRICKS[name].encode("latin-1") + report(evil))
    assert status_of(answer) in REFUSALS.get(name, {400}) and b"\r\nConnection: close\r\n" in answer
    assert answer.count(b"HTTP/1.1 ") == 1 and rows(daemon, evil) == []


def test_70_what_was_asked_before_an_ambiguous_request_is_still_answered(daemon):
    good, evil = fresh("good"), fresh("evil")
    answers = daemon.raw(report(good) + TRICKS["length and chunks"].encode() + report(evil))
    assert [status_of(b"HTTP/1.1 " + part) for part in answers.split(b"HTTP/1.1 ")[1:]] == [200, 400]
    assert row(daemon, good) and rows(daemon, evil) == []


def test_70_a_hundred_requests_in_one_write_are_all_done_in_their_order(daemon):
    exts = [fresh("many") for _ in range(100)]
    with hl_attack.connect(daemon.port) as sock:
        sock.sendall(b"".join(report(ext) for ext in exts[:-1]) + report(exts[-1], "Connection: close"))
        answers = b"".join(iter(lambda: sock.recv(65536), b""))
    ids = [json.loads(part.partition(b"\r\n\r\n")[2])["message"] for part in answers.split(b"HTTP/1.1 200 OK")[1:]]
    stored = daemon.sql("select id from hl.message where external_id = any(%s) order by id", (exts,))
    assert len(ids) == 100 and ids == [found["id"] for found in stored]


# ---- 71: clients that vanish ------------------------------------------------------------------------------------------------

def test_71_a_report_whose_client_vanished_is_stored_and_its_repeat_answered(served, daemon):
    """They send all and reset while their commit is under way."""
    exts = [fresh("gone") for _ in range(100)]
    with held(served.daemon.database, "hl.report"):
        socks = [hl_attack.connect(daemon.port) for _ in exts]
        for ext, sock in zip(exts, socks):
            sock.sendall(report(ext))
        wait_for_waiters(daemon.database, 1)
        for sock in socks:
            hl_attack.reset(sock)
    wait_for(lambda: daemon.sql("select count(*) as n from hl.message where external_id = any(%s)", (exts,))[0]["n"] == 100,
             what="what the vanished had sent")
    for ext in exts[::20]:
        assert status_of(daemon.raw(report(ext, "Connection: close"))) == 200 and row(daemon, ext)


@pytest.mark.parametrize("part", [1, 20, 70, -1])
def test_71_half_a_report_is_none(daemon, part):
    exts = [fresh("half") for _ in range(20)]
    for ext in exts:
        sock = hl_attack.connect(daemon.port)
        sock.sendall(report(ext)[:part])
        hl_attack.reset(sock)
    assert daemon.http("GET", "/healthz").status == 200
    assert not any(rows(daemon, ext) for ext in exts)


def test_71_a_client_that_only_closed_its_own_half_gets_its_answer(daemon):
    ext = fresh("half-closed")
    with hl_attack.connect(daemon.port) as sock:
        sock.sendall(report(ext))
        sock.shutdown(socket.SHUT_WR)
        assert status_of(sock.recv(65536)) == 200
        assert sock.recv(1) == b""
    assert row(daemon, ext)


def test_71_a_client_that_never_reads_its_answers_is_not_read_either(served, daemon):
    """Answers pile up in its socket buffers first; then nothing more of it is read, until the write deadline."""
    request = head("GET /metrics HTTP/1.1", "Host: h")
    with hl_attack.connect(daemon.port) as sock:
        sock.settimeout(BODY_S * 20)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with pytest.raises(OSError):
            for _ in range(20000):
                sock.sendall(request * 10)
    assert hl_attack.rss_kib(served.pid) < served.rss_kib + GROWTH_KIB


# ---- 72 to 74: texts in any condition (tests/it/test_webhook.py has the encodings) -----------------------------------------

TEXTS = {
    "10,000 characters": (LEAK + "，已经三天了没有人来修。") * 420,
    "70 emoji": "🏠" * 70,
    "full-width digits": "锦绣花园３号楼１２０１室漏水",
    "every control character": "漏水" + "".join(map(chr, range(1, 32))) + "\x7f\x80\x9f了",
    "a log line": "漏水\n2026-01-01T00:00:00Z error forged.line a=1\n",
    "formula, markup and SQL": "=cmd|'/c calc'!A0 <script>alert(1)</script> '); drop table hl.message; -- ${x} %n%s",
}


@pytest.mark.parametrize("name", TEXTS)
def test_74_83_any_text_is_stored_whole(served, daemon, name):
    ext, text = fresh("text"), TEXTS[name]
    assert daemon.hook(text, sender=new_phone(), external_id=ext).status == 200
    assert bytes(row(daemon, ext)["raw"]) == text.encode()
    assert "forged.line" not in served.daemon.log()


BYTES = {
    "overlong": b"\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf",
    "surrogates in UTF-8": b"\xed\xa0\xbd\xed\xb8\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80\xf8\x88\x80\x80\x80",
    "lone continuation bytes": b"\x80\xbf\x80\xbf",
    "cut short": "漏".encode()[:2],
    "noncharacters": "\ufffe\uffff\U0001ffff".encode(),
}


@pytest.mark.parametrize("name", BYTES)
def test_72_bytes_that_are_no_utf8_are_kept_and_the_report_taken(daemon, name):
    ext, raw = fresh("bytes"), LEAK.encode() + BYTES[name]
    query = urllib.parse.urlencode({"from": new_phone(), "to": "12345", "id": ext, "charset": "UTF-8", "token": TOKEN})
    assert daemon.http("GET", f"/hook/kannel?{query}&text={urllib.parse.quote_from_bytes(raw)}").status == 200
    found = row(daemon, ext)
    assert bytes(found["raw"]) == raw and found["text"].startswith(LEAK[:8])


# ---- 75: hostile JSON ------------------------------------------------------------------------------------------------------

def object_of(n):
    return b"{" + b",".join(b'"k%d":0' % i for i in range(n)) + b"}"


REFUSED_JSON = {
    "arrays 500,000 deep": b"[" * 500000,
    "objects 100,000 deep": b'{"a":' * 100000,
    "objects deep beside a good report": report("x", extra=b',"a":' + b'{"a":' * 100000 + b"1" + b"}" * 100000)
                                         .partition(b"\r\n\r\n")[2],
    "a million zeros": b"0" * 1000000,
    "an integer of 100,000 digits": b'{"id":' + b"9" * 100000 + b"}",
    "1e400": b'{"id":1e400}',
    "NaN": b'{"id":NaN}',
    "Infinity": b'{"id":-Infinity}',
    "a number": b"7",
    "a text": b'"id"',
    "null": b"null",
    "true": b"true",
    "nothing but blanks": b" " * 100000,
    "a key twice, far apart": b'{"id":"a","from":"1","to":"2","text":"x",' + object_of(50000)[1:-1] + b',"id":"b"}',
    "a key twice further down": b'{"id":"a","from":"1","to":"2","text":"x","more":{"k":1,"k":2}}',
    "a comment": b'{"id":"a"/* */}',
    "single quotes": b"{'id':'a'}",
    "a comma too many": b'{"id":"a",}',
    "no end of a text": b'{"id":"' + b"a" * 1000000,
    "a raw line break in a text": b'{"id":"a\nb"}',
    "an escape that is none": b'{"id":"\\x41"}',
    "NUL in a key": b'{"id":"a","from":"1","to":"2","text":"x","\\u0000":1}',
}


@pytest.mark.parametrize("name", REFUSED_JSON)
def test_75_hostile_json_is_refused_in_little_time(served, daemon, name):
    cpu_s = hl_attack.cpu_s(served.pid)
    reply = daemon.http("POST", "/hook/loopback", REFUSED_JSON[name], {"Content-Type": "application/json"})
    assert reply.status == 400 and reply.json()["error"]
    assert hl_attack.cpu_s(served.pid) - cpu_s < 0.5


TAKEN_JSON = {
    "100,000 more keys": b',"more":' + object_of(70000),
    "a list of 300,000": b',"more":[' + b"0," * 300000 + b"0]",
    "numbers at the edge": b',"more":[9223372036854775807,-9223372036854775808,1e308,5e-324,-0.0]',
    "a key of nothing": b',"":1',
    "arrays 1,000 deep": b',"more":' + b"[" * 1000 + b"]" * 1000,
}


@pytest.mark.parametrize("name", TAKEN_JSON)
def test_75_what_stands_beside_a_report_does_not_keep_it_out(served, daemon, name):
    ext, cpu_s = fresh("json"), hl_attack.cpu_s(served.pid)
    assert status_of(daemon.raw(report(ext, "Connection: close", extra=TAKEN_JSON[name]))) == 200
    assert row(daemon, ext)["text"] == LEAK
    assert hl_attack.cpu_s(served.pid) - cpu_s < 0.5


# ---- 76: hostile forms -----------------------------------------------------------------------------------------------------

def form(ext, more, text=urllib.parse.quote(LEAK)):
    query = urllib.parse.urlencode({"from": new_phone(), "to": "12345", "id": ext, "charset": "UTF-8", "token": TOKEN})
    return f"/hook/kannel?{query}&text={text}{more}"


FORMS = {
    # The first of two values counts; other names are passed over.
    "a name twice": ("&text=second", 200),
    "4,000 names": ("&a" * 4000, 200),
    "4,000 times the same": ("&z=1" * 3000, 200),
    "empty pairs": ("&&&&=&=&==&", 200),
    "names with brackets": ("&text[]=a&text[0]=b&id[a][b]=c", 200),
    "a bad escape in a name that nobody asks for": ("&%zz=1&%=2", 200),
}
BAD_FORMS = {"half an escape": "%e", "an escape that is none": "%zz", "a lone percent sign": "a%"}


@pytest.mark.parametrize("name", FORMS)
def test_76_a_report_among_other_things_is_read(daemon, name):
    more, status = FORMS[name]
    ext = fresh("form")
    assert daemon.http("GET", form(ext, more)).status == status
    assert row(daemon, ext)["text"] == LEAK


@pytest.mark.parametrize("name", BAD_FORMS)
def test_76_a_text_that_cannot_be_decoded_is_refused_by_name(daemon, name):
    ext = fresh("form")
    reply = daemon.http("GET", form(ext, "", text=BAD_FORMS[name]))
    assert reply.status == 400 and reply.json()["error"].startswith("text: ")
    assert rows(daemon, ext) == []


def test_76_plus_is_a_blank_and_nul_is_no_end(daemon):
    ext = fresh("form")
    assert daemon.http("GET", form(ext, "", text="a+b%2Bc%00d")).status == 200
    found = row(daemon, ext)
    assert bytes(found["raw"]) == b"a b+c\0d" and found["text"].startswith("a b+c") and found["text"].endswith("d")


# ---- 63 to 66: forged, replayed, rotated -------------------------------------------------------------------------------------

def test_65_no_bit_of_a_secret_may_be_wrong(daemon):
    """The sweep: every bit of the token turned, one at a time."""
    path = form(fresh("forged"), "")
    wrong = [bytes([*token[:i], token[i] ^ 1 << bit, *token[i + 1:]])
             for token in [TOKEN.encode()] for i in range(len(token)) for bit in range(8)]
    for token in wrong:
        reply = daemon.http("GET", path.replace(TOKEN, urllib.parse.quote_from_bytes(token, safe="")))
        assert reply.status == 401, token
    assert metrics(daemon)['hotlined_hooks_refused_total{status="401"}'] >= len(wrong)


def test_66_both_secrets_of_a_rotation_are_live(daemon):
    for token, status in ((TOKEN, 200), (OLD_TOKEN, 200), (TOKEN + OLD_TOKEN, 401), (f"{TOKEN}%0A{OLD_TOKEN}", 401)):
        assert daemon.http("GET", form(fresh("rotated"), "").replace(TOKEN, token)).status == status, token


def test_64_a_webhook_replayed_hours_later_is_answered_and_does_nothing(daemon):
    ext = fresh("replayed")
    request = report(ext, "Connection: close")
    first = daemon.raw(request)
    daemon.ctl("tick", "--to", "+3h")
    before = daemon.sql("select (select count(*) from hl.message) as m, (select count(*) from hl.event) as e,"
                        " (select count(*) from hl.notice) as n")
    assert daemon.raw(request).partition(b"\r\n\r\n")[2] == first.partition(b"\r\n\r\n")[2]
    assert daemon.sql("select (select count(*) from hl.message) as m, (select count(*) from hl.event) as e,"
                      " (select count(*) from hl.notice) as n") == before


# ---- 65, 67: a flood -------------------------------------------------------------------------------------------------------

def test_67_a_flood_of_forged_webhooks_is_counted_and_fills_no_log(served, daemon):
    refused, lines = metrics(daemon)['hotlined_hooks_refused_total{status="401"}'], len(daemon.log_lines("hook.refused"))
    request = head("GET /hook/kannel?from=1&to=2&id=3&text=a&token=forged HTTP/1.1", "Host: h")
    begun = time.monotonic()
    with hl_attack.Peers(daemon.port, 20) as peers:
        peers.say(request * 100)
        while sum(data.count(b"HTTP/1.1 401") for data in peers.heard.values()) < 2000:
            peers.listen(0.1)
            assert time.monotonic() < begun + 20
        served.report()
    assert metrics(daemon)['hotlined_hooks_refused_total{status="401"}'] == refused + 2000
    flood = len(daemon.log_lines("hook.refused")) - lines
    assert flood <= 10 * (time.monotonic() - begun + 2)

    # What the log left out is counted in the first line that is let through again.
    def is_told():
        with hl_attack.Peers(daemon.port, 1) as one:
            one.say(request)
        return any(re.search(r" untold=[1-9]", line) for line in daemon.log_lines("hook.refused")[lines:])
    wait_for(is_told, what="a line that says how many were left out")
