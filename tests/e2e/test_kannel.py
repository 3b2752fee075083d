"""The whole path with a real SMS gateway: phones <-> fakesmsc <-> bearerbox <-> smsbox <-> hotlined.

Between smsbox and the webhook stands a proxy that looks into the database, over a connection of its own, before it
passes an answer on. All tests share one Kannel and one daemon; each has residents, places and units of its own.
"""
import contextlib
import dataclasses
import http.client
import http.server
import re
import threading
import urllib.parse

import psycopg2.extras
import pytest

import hl_kannel
from hl_kannel import Kannel
from hl_scene import OFFICE, OPERATOR, contact, county, resident, set_clock
from hl_testlib import Daemon, wait_for

SIGNATURE = "【县民生热线】"
RESULT = "属实，已联系举报人，楼道杂物已清走，消防通道已恢复畅通"

if hl_kannel.missing():
    pytest.skip(f"Kannel is not installed: no {hl_kannel.missing()}", allow_module_level=True)


@dataclasses.dataclass
class Passage:
    """One answer of the webhook on its way to smsbox, with what the database held at that moment."""
    external_id: str
    text: str
    status: int
    body: bytes
    passed_status: int
    rows: list

    @property
    def row(self):
        assert len(self.rows) == 1, f"{len(self.rows)} rows when the answer came by"
        return self.rows[0]


class Proxy:
    """Stands for the webhook towards smsbox."""

    STORED = """select m.id, m.text, m.state, c.code, c.state as case_state from hl.message m
                left join hl.case c on c.id = m.case_id where m.channel = 'kannel' and m.external_id = %s"""

    def __init__(self, database):
        self.target = None  # the daemon's port
        self.passages = []
        self.refusals = 0  # so many answers are kept back, and smsbox is told 503
        self._database = database.connect()
        self._lock = threading.Lock()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                proxy.pass_on(self)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def _stored(self, external_id):
        with self._database.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(self.STORED, (external_id,))
            return [dict(row) for row in cursor.fetchall()]

    def _ask(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.target, timeout=15)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body

    def pass_on(self, request):
        status, body = self._ask(request.path)
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query, encoding="latin-1")
        external_id, text = query["id"][0], query["text"][0].encode("latin-1").decode("utf-16-be")
        with self._lock:
            rows = self._stored(external_id)
            passed = 503 if self.refusals > 0 else status
            self.refusals = max(0, self.refusals - 1)
            self.passages.append(Passage(external_id, text, status, body, passed, rows))
        request.send_response(passed)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def of(self, text):
        with self._lock:
            return [p for p in self.passages if p.text == text]

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._database.close()


class Line:
    """The county's phones on one side, the hotline on the other."""

    def __init__(self, kannel, proxy, daemon):
        self.kannel, self.proxy, self.daemon = kannel, proxy, daemon

    def text(self, sender, text):
        """A text from a phone; gives its passages once smsbox was told 200."""
        self.kannel.text(sender, text)
        return wait_for(lambda: (p := self.proxy.of(text)) and p[-1].passed_status == 200 and p, 15, f"a 200 for {text}")

    def inbox(self, number):
        return [sms.text for sms in self.kannel.phones.of(number)]

    def arrivals(self, place, words):
        """Which of the words arrived about a place, and where, oldest first."""
        found = ((re.search(words, sms.text), sms) for sms in self.kannel.phones.inbox if place in sms.text)
        return [(match.group(), f"+{sms.to.lstrip('+')}") for match, sms in found if match]

    def await_texts(self, number, n):
        """The first n texts at a number, all of which there are."""
        wait_for(lambda: len(self.inbox(number)) >= n, 15, f"{n} texts at {number}, not {self.inbox(number)}")
        assert len(self.inbox(number)) == n, self.inbox(number)
        return self.inbox(number)

    def case(self, code):
        return self.daemon.ctl("case", code)

    def tick(self, to):
        self.daemon.ctl("tick", "--to", to)


def make_secrets(cluster):
    folder = cluster.make_folder("kannel")
    for name, value in (("token", hl_kannel.TOKEN), ("password", hl_kannel.PASSWORD)):
        path = folder / name
        path.write_text(value + "\n")
        path.chmod(0o600)
        cluster.own(path)
    return folder


def make_channels(secrets, kannel):
    return {
        "channel kannel": {"provider": "kannel", "purpose": "all", "secret_file": secrets / "token", "username": "hotlined",
                           "password_file": secrets / "password", "send_url": kannel.send_url, "from": "12345",
                           "signature": "县民生热线"},
        # Nothing in here texts on it: what arrives at a phone came through Kannel.
        "channel loopback": {"purpose": "bulk"},
    }


@pytest.fixture(scope="module")
def line(cluster, database, tmp_path_factory):
    set_clock(database, county(2026, 11, 25, 9))
    with contextlib.ExitStack() as stack:
        proxy = Proxy(database)
        stack.callback(proxy.stop)
        kannel = Kannel(tmp_path_factory.mktemp("kannel"), proxy.port)
        daemon = Daemon(cluster, database, sections=make_channels(make_secrets(cluster), kannel))
        stack.callback(daemon.stop)
        stack.callback(kannel.stop)
        proxy.target = daemon.port
        daemon.start()
        kannel.start()
        yield Line(kannel, proxy, daemon)


def code_in(text):
    """The notice code that a text asks its reader to sign with."""
    return re.search(r"“签([0-9A-HJKMNP-TV-Z]{5})”", text).group(1)


def passed_case(passages):
    """The case that was in the database, with its message, before smsbox got its only answer: an empty 200."""
    assert [(p.status, p.passed_status, p.body) for p in passages] == [(200, 200, b"")]
    row = passages[0].row
    assert row["state"] == "handled" and row["case_state"] == "dispatched"
    return row["code"]


def test_a_report_is_dispatched_signed_done_accepted_and_its_outcome_told(line):
    mother, officer = resident(1), contact("FIR")
    report = "锦绣花园3号楼楼道堆满杂物，消防通道被堵，请处理"
    # Phones in national spelling are the same people.
    code = passed_case(line.text(mother.removeprefix("+86"), report))
    assert line.await_texts(mother, 1)[0].startswith(f"{SIGNATURE}您反映的问题已受理，编号{code}，已交县消防救援大队办理")
    notice = line.await_texts(officer, 1)[0]
    assert notice.startswith(SIGNATURE) and "锦绣花园3号楼" in notice
    short = code_in(notice)

    line.text(officer, f"签 {short}")
    assert line.await_texts(officer, 2)[1].startswith(f"{SIGNATURE}{short}已签收")
    assert [(t["unit"], t["state"]) for t in line.case(code)["tasks"] if t["role"] == "lead"] == [("FIR", "signed")]

    line.text(officer, f"结 {short} {RESULT}")
    assert line.await_texts(officer, 3)[2].startswith(f"{SIGNATURE}{short}办理结果已收到")
    assert line.case(code)["state"] == "done"
    wait_for(lambda: any(code in text for text in line.inbox(OPERATOR)), 15, "the operator's notice")
    assert len(line.inbox(mother)) == 1, "nothing is told before the centre agrees"

    line.daemon.ctl("accept", code)
    outcome = {text.partition("】")[2] for text in line.await_texts(mother, 3)[1:]}
    assert f"您反映的问题（编号{code}）已办结：{RESULT}" in outcome
    assert [text for text in outcome if text.startswith(f"请评价编号{code}")]
    case = line.case(code)
    assert case["state"] == "closed" and {n["channel"] for n in case["notices"]} == {"kannel"}


def test_a_second_matter_of_the_same_resident_is_a_case_of_its_own(line):
    father = resident(2)
    first = passed_case(line.text(father, "书香苑6号楼有人私搭乱建，占了公共绿地"))
    line.await_texts(father, 1)
    second = "书香苑门口广场舞音响声音太大扰民"
    passages = line.text(father, second)
    # Whether it is a new matter is decided behind the 200; what he said is safe before it.
    assert [p.status for p in passages] == [200] and passages[0].row["text"] == second
    receipt = line.await_texts(father, 2)[1]
    code = line.daemon.database.one("select c.code from hl.message m join hl.case c on c.id = m.case_id where m.id = %s",
                                    (passages[0].row["id"],))
    assert code != first and code in receipt


def test_an_unsigned_case_is_reminded_then_the_deputy_then_the_supervisors_told(line):
    officer, deputy, head = (contact("UTI-WTR", role) for role in ("officer", "deputy", "head"))
    code = passed_case(line.text(resident(3), "水岸绿城5号楼停水两天了，请派人处理"))
    line.await_texts(officer, 1)

    line.tick("+15m")
    assert "催签" in line.await_texts(officer, 2)[1]
    assert line.inbox(deputy) == [] and line.inbox(head) == []

    line.tick("+15m")
    assert "超时未签收" in line.await_texts(deputy, 1)[0]
    assert "超时未签收" in line.await_texts(head, 1)[0]

    # Through the yellow card to the breach on Saturday, and an hour of silence behind it. On the way lie two working
    # mornings, Thursday's and Friday's: each supervisor gets one digest on each, the officer and the deputy none.
    line.tick("+73h")
    wait_for(lambda: [text for text in line.inbox(OFFICE) if code in text and "红牌" in text], 15, "the office's red card")
    line.await_texts(head, 3 + 2)
    line.await_texts(officer, 3)
    line.await_texts(deputy, 1)
    digest = f"{SIGNATURE}日报：在办1件，逾期未签1，今日到期0，超期0（新增0）；1. {code}水岸绿城5号楼11月28日09:00到期"
    assert [text for text in line.inbox(head) if "日报" in text] == [digest, digest]
    wait_for(lambda: len([text for text in line.inbox(OFFICE) if "日报" in text]) >= 2, 15, "the office's digests")
    digests = [text for text in line.inbox(OFFICE) if "日报" in text]
    assert len(digests) == 2 and all(f"{code}水岸绿城5号楼11月28日09:00到期" in text for text in digests), digests
    arrived = line.arrivals("水岸绿城", "催签|超时未签收|黄牌|红牌")
    # What falls due at one instant leaves at one instant: its order on the air is nobody's promise.
    assert arrived[:1] == [("催签", officer)]
    assert sorted(arrived[1:3]) == sorted([("超时未签收", deputy), ("超时未签收", head)])
    assert sorted(arrived[3:5]) == sorted([("黄牌", officer), ("黄牌", head)])
    assert sorted(arrived[5:]) == sorted([("红牌", head), ("红牌", OFFICE)])
    alerts = [n for n in line.case(code)["notices"] if n["kind"] not in ("receipt", "dispatch")]
    assert len(alerts) == len(arrived), "each is one notice and one text"


def test_a_long_text_goes_both_ways_whole(line):
    daughter, officer = resident(4), contact("MKT")
    code = passed_case(line.text(daughter, "盛世嘉园2号楼1单元电梯坏了三天没人修"))
    short = code_in(line.await_texts(officer, 1)[0])
    # Pairs of surrogates all over, so that some part ends in the middle of one.
    result = "属实，已联系举报人，" + "".join(f"第{n}步🛗已更换🔧曳引轮，" for n in range(1, 16)) + "电梯已恢复运行"
    assert len(result) > 3 * 67
    passages = line.text(officer, f"结 {short} {result}")
    assert passages[0].row["text"] == f"结 {short} {result}"
    line.daemon.ctl("accept", code)
    outcomes = wait_for(lambda: [text for text in line.inbox(daughter) if "已办结" in text], 15, "the outcome")
    assert outcomes == [f"{SIGNATURE}您反映的问题（编号{code}）已办结：{result}"]
    assert next(n["segments"] for n in line.case(code)["notices"] if n["kind"] == "closed") > 3


def test_receipts_bring_every_notice_to_delivered(line):
    code = passed_case(line.text(resident(5), "凤凰城3号楼楼下烧烤油烟扰民"))
    case = wait_for(lambda: (c := line.case(code)) and {n["state"] for n in c["notices"]} == {"delivered"} and c, 15,
                    "delivered notices")
    assert {n["kind"] for n in case["notices"]} >= {"dispatch", "receipt"}

    def states():
        return line.daemon.sql("""select a.id, a.outcome, array_agg(r.state order by r.state) as receipts
                                  from hl.attempt a join hl.notice n on n.id = a.notice_id join hl.case c on c.id = n.case_id
                                  left join hl.receipt r on r.attempt_id = a.id where c.code = %s group by a.id""", (code,))

    # Accepted by the centre (d=8) and delivered (d=1), in whatever order they came.
    wait_for(lambda: all(row["receipts"] == ["buffered", "delivered"] for row in states()), 15, "both receipts")
    assert {row["outcome"] for row in states()} == {"delivered"}


def test_what_smsbox_repeats_is_stored_once(line):
    uncle = resident(6)
    line.proxy.refusals = 1
    passages = line.text(uncle, "祥和家园8号楼有人在楼顶私搭乱建")
    assert [(p.status, p.passed_status) for p in passages] == [(200, 503), (200, 200)]
    assert len({p.external_id for p in passages}) == 1
    assert passages[0].row == passages[1].row
    code = passages[1].row["code"]
    line.await_texts(uncle, 1)
    assert line.case(code)["reporters"] == 1
    assert [n["kind"] for n in line.case(code)["notices"]].count("receipt") == 1
