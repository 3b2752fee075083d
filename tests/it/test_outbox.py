"""The outbox against a scripted provider: what is sent, what is believed of an answer, what is sent again and what never.

Real waits (two minutes for a receipt, a back-off, a lease) are cut short by moving their end in the database.
"""
import contextlib
import itertools
import json
import signal
import time

import pytest

import hl_testlib
from fake_provider import FakeProvider, Held, hang_up, plain, says
from hl_crowd import metrics
from hl_scene import contact

SERIAL = itertools.count(1)
OFFICER = contact("FIR")
RESENT = "【县民生热线】【重发】"


@pytest.fixture(name="provider")
def make_provider():
    provider = FakeProvider()
    yield provider
    provider.stop()


@pytest.fixture(autouse=True)
def nothing_is_left(database):
    """What an earlier test left in the queue must not reach this one's provider."""
    database.sql("update hl.notice set state = 'dropped', reason = 'its test is over', lease_until = null "
                 "where state in ('queued', 'sending', 'unknown')")


@pytest.fixture(name="make_sender")
def make_make_sender(make_daemon, provider):
    """A daemon that sends to the fake provider; keys of [send] may be given."""
    def make(url=None, **send):
        return make_daemon({"channel loopback": {"send_url": url or provider.url}, "send": send})
    return make


@pytest.fixture(name="sender")
def make_one_sender(make_sender):
    return make_sender()


def new_phone():
    return f"+861000000{4000 + next(SERIAL):04d}"


class Report:
    """A resident's report that dispatches a task to OFFICER, and the two notices it makes: dispatch and receipt."""

    def __init__(self, daemon):
        self.database, self.phone = daemon.database, new_phone()
        reply = daemon.hook(f"锦绣花园{next(SERIAL)}号楼消防通道被私家车堵死了", sender=self.phone)
        assert reply.status == 200
        message = self.database.sql("select * from hl.message where id = %s", (reply.json()["message"],))[0]
        assert message["outcome"] == "dispatch", message
        self.case = message["case_id"]

    def _notice(self, kind, phone):
        (row,) = self.database.sql("""select n.* from hl.notice n join hl.person p on p.id = n.person_id
                                      where n.case_id = %s and n.kind = %s and p.phone = %s""", (self.case, kind, phone))
        return row

    @property
    def dispatch(self):
        return self._notice("dispatch", OFFICER)

    @property
    def receipt(self):
        return self._notice("receipt", self.phone)

    @property
    def code(self):
        return self.dispatch["params"]["code"]

    def task_state(self):
        return self.database.one("select state from hl.task where case_id = %s and role = 'lead'", (self.case,))

    def wait(self, state, kind="dispatch"):
        hl_testlib.wait_for(lambda: getattr(self, kind)["state"] == state, what=f"the {kind} notice to be {state}")
        return getattr(self, kind)


def attempts(database, notice):
    return database.sql("select * from hl.attempt where notice_id = %s order by n", (notice["id"],))


def hurry(database, notice):
    """Ends the wait of a notice now."""
    database.sql("update hl.notice set retry_at = clock_timestamp() where id = %s", (notice["id"],))


def let_pulses_pass(daemon, n=3):
    """So many complete looks for due notices from now on: what was due by now has been leased."""
    goal = metrics(daemon)["hotlined_pulses_total"] + n
    hl_testlib.wait_for(lambda: metrics(daemon)["hotlined_pulses_total"] >= goal, what=f"{n} pulses")


def tell(daemon, status, **which):
    """A delivery receipt, as the provider would bring it."""
    body = {"status": status, **which}
    return daemon.http("POST", "/hook/loopback/receipt", json.dumps(body), {"Content-Type": "application/json"})


# ---- sending ---------------------------------------------------------------------------------------------------------

def test_the_attempt_is_committed_before_the_request_leaves(sender, provider, database):
    seen = []

    def look(request):
        with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("""select a.outcome, a.n = n.tries, n.state, n.lease_until > clock_timestamp()
                              from hl.attempt a join hl.notice n on n.id = a.notice_id where a.id = %s""", (request.attempt,))
            seen.append(cursor.fetchall())
        return says("accepted")(request)

    provider.otherwise = look
    reports = [Report(sender) for _ in range(5)]
    for report in reports:
        report.wait("accepted")
        report.wait("accepted", "receipt")
    assert len(seen) >= 10 and all(rows == [(None, True, "sending", True)] for rows in seen), seen


def test_what_is_sent_is_one_signed_text_to_the_right_number_and_is_kept(sender, provider, database):
    report = Report(sender)
    notice = report.wait("accepted")
    (request,) = [request for request in provider.sent_to(OFFICER) if report.code in request.text]
    assert request.json()["from"] == "12345" and request.headers["Content-Type"] == "application/json"
    assert request.text.startswith("【县民生热线】") and "【重发】" not in request.text
    (attempt,) = attempts(database, notice)
    assert (attempt["id"], attempt["text"], attempt["outcome"]) == (request.attempt, request.text, "accepted")
    assert attempt["external_id"] == f"fake-{request.attempt}" and attempt["parts"] >= 1
    assert attempt["started_at"] <= attempt["settled_at"]


def test_two_daemons_send_each_notice_once(make_sender, provider, database):
    daemons = make_sender(), make_sender()
    phones = [new_phone() for _ in range(40)]
    for i, phone in enumerate(phones):
        assert daemons[i % 2].hook("", sender=phone).status == 200
    hl_testlib.wait_for(lambda: all(provider.sent_to(phone) for phone in phones), what="all texts to arrive")
    hl_testlib.wait_for(lambda: database.one("select count(*) from hl.notice where state in ('queued', 'sending')") == 0)
    assert [len(provider.sent_to(phone)) for phone in phones] == [1] * 40


def test_no_more_requests_are_on_their_way_than_configured(make_sender, provider):
    daemon = make_sender(concurrency=3)
    held = Held()
    phones = [new_phone() for _ in range(10)]
    for phone in phones:
        provider.script(phone, held)
        daemon.hook("", sender=phone)
    hl_testlib.wait_for(lambda: len(provider.journal) == 3, what="three requests")
    let_pulses_pass(daemon)
    assert len(provider.journal) == 3
    held.release()
    hl_testlib.wait_for(lambda: len(provider.journal) == 10, what="the others")


def test_an_emergency_overtakes_what_waits(make_sender, provider):
    daemon = make_sender(concurrency=1)
    held, first = Held(), new_phone()
    provider.script(first, held)
    daemon.hook("", sender=first)
    assert held.has_request.wait(10)
    calm, hurt = new_phone(), new_phone()
    daemon.hook("", sender=calm)
    daemon.hook("电梯关人了 祥和家园5号楼 快来", sender=hurt)
    held.release()
    hl_testlib.wait_for(lambda: provider.sent_to(calm) and provider.sent_to(hurt), what="both texts")
    order = [request.to for request in provider.journal]
    assert order.index(hurt) < order.index(calm)


# ---- what an answer means --------------------------------------------------------------------------------------------

ANSWERS = {
    "accepted": (says("accepted"), "accepted", "accepted"),
    "later": (says("later"), "queued", "later"),
    "refused": (says("refused"), "refused", "refused"),
    "config": (says("config"), "queued", "config"),
    "500": (plain(500, b"oops"), "unknown", "unknown"),
    "503": (plain(503, b"later, perhaps"), "unknown", "unknown"),
    "200 without proof": (plain(200, b"ok"), "unknown", "unknown"),
    "202 that cannot be read": (plain(202, b"<html>accepted</html>"), "unknown", "unknown"),
    "202 with a word nobody knows": (says("probably"), "unknown", "unknown"),
    "202 that claims it failed": (says("accepted", code=500), "unknown", "unknown"),
    "a redirect": (plain(302), "unknown", "unknown"),
    "404": (plain(404), "unknown", "unknown"),
    "no answer": (hang_up, "unknown", "unknown"),
    "an answer of 100 KiB": (plain(202, b"x" * 102400), "unknown", "unknown"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_outcome_ends_in_the_right_state(sender, provider, database, name):
    answer, state, outcome = ANSWERS[name]
    provider.script(OFFICER, answer)
    report = Report(sender)
    hl_testlib.wait_for(lambda: [a["outcome"] for a in attempts(database, report.dispatch)] == [outcome], what=outcome)
    notice = report.wait(state)
    assert (notice["tries"], notice["is_resend"], notice["lease_until"]) == (1, False, None)
    assert (notice["reason"] is None) == (state == "accepted")
    waits = database.one("select extract(epoch from retry_at - clock_timestamp()) from hl.notice where id = %s", (notice["id"],))
    if state == "queued":
        assert 2 < waits < 7
    elif state == "unknown":
        assert 100 < waits <= 120
    let_pulses_pass(sender)
    assert len(provider.sent_to(OFFICER)) == 1


@pytest.mark.parametrize("word", ["later", "config"])
def test_what_was_put_off_is_tried_again_unmarked(sender, provider, database, word):
    provider.script(OFFICER, says(word), says("accepted"))
    report = Report(sender)
    hl_testlib.wait_for(lambda: report.dispatch["tries"] == 1 and report.wait("queued"), what="the first try")
    hurry(database, report.dispatch)
    notice = report.wait("accepted")
    assert (notice["tries"], notice["is_resend"]) == (2, False)
    one, two = provider.sent_to(OFFICER)
    assert one.text == two.text and one.attempt != two.attempt
    assert [attempt["outcome"] for attempt in attempts(database, notice)] == [word, "accepted"]


def test_the_wait_doubles_from_try_to_try(sender, provider, database):
    provider.script(OFFICER, says("later"))
    report, waits = Report(sender), []
    for tries in range(1, 5):
        hl_testlib.wait_for(lambda n=tries: report.dispatch["tries"] == n and report.dispatch["state"] == "queued", what="a try")
        waits.append(database.one("select extract(epoch from n.retry_at - a.settled_at)::float from hl.notice n join hl.attempt a "
                                  "on a.notice_id = n.id and a.n = n.tries where n.id = %s", (report.dispatch["id"],)))
        hurry(database, report.dispatch)
    for wait, about in zip(waits, (5, 10, 20, 40)):
        assert 0.79 * about < wait < 1.21 * about, waits


def test_a_provider_that_cannot_be_reached_was_not_sent_anything(make_sender, database):
    daemon = make_sender(url=f"http://127.0.0.1:{hl_testlib.free_port()}/send")
    report = Report(daemon)
    hl_testlib.wait_for(lambda: [a["outcome"] for a in attempts(database, report.dispatch)] == ["not_sent"], what="not_sent")
    assert report.wait("queued")["is_resend"] is False


def test_an_answer_after_the_deadline_is_unknown(make_sender, provider, database):
    daemon = make_sender(deadline_ms=1000)
    held = Held()
    provider.script(OFFICER, held)
    report = Report(daemon)
    assert report.wait("unknown")["reason"]
    took = database.one("select extract(epoch from settled_at - started_at)::float from hl.attempt where notice_id = %s",
                        (report.dispatch["id"],))
    assert 0.9 < took < 3


# ---- unknown ---------------------------------------------------------------------------------------------------------

def test_an_unknown_dispatch_is_sent_once_more_marked_with_the_same_code(sender, provider, database):
    provider.script(OFFICER, plain(500), says("accepted"))
    report = Report(sender)
    hurry(database, report.wait("unknown"))
    notice = report.wait("accepted")
    one, two = provider.sent_to(OFFICER)
    assert two.text.startswith(RESENT) and two.text == one.text.replace("【县民生热线】", RESENT)
    assert metrics(sender)["hotlined_resends_total"] == 1
    assert report.code in one.text and (notice["is_resend"], notice["tries"]) == (True, 2)


def test_an_unknown_resend_is_not_sent_a_third_time(sender, provider, database):
    provider.script(OFFICER, plain(500))
    report = Report(sender)
    hurry(database, report.wait("unknown"))
    hl_testlib.wait_for(lambda: report.dispatch["tries"] == 2 and report.dispatch["state"] == "unknown", what="the resend")
    hurry(database, report.dispatch)
    let_pulses_pass(sender)
    assert report.dispatch["state"] == "unknown" and len(provider.sent_to(OFFICER)) == 2


def test_an_unknown_receipt_to_a_resident_is_never_sent_again(sender, provider, database):
    provider.otherwise = plain(500)
    report = Report(sender)
    report.wait("unknown", "receipt")
    assert database.one("select retry_at = 'infinity' from hl.notice where id = %s", (report.receipt["id"],))
    hurry(database, report.wait("unknown"))
    hl_testlib.wait_for(lambda: len(provider.sent_to(OFFICER)) == 2, what="the dispatch to be sent again")
    let_pulses_pass(sender)
    assert report.receipt["state"] == "unknown" and len(provider.sent_to(report.phone)) == 1


@pytest.mark.parametrize("status,state", [("delivered", "delivered"), ("buffered", "accepted"), ("rejected", "undelivered")])
def test_a_receipt_settles_an_unknown_outcome_and_nothing_is_sent_again(sender, provider, database, status, state):
    provider.script(OFFICER, plain(500))
    report = Report(sender)
    report.wait("unknown")
    (request,) = provider.sent_to(OFFICER)
    assert tell(sender, status, attempt=request.attempt).status == 200
    hurry(database, report.wait(state))
    let_pulses_pass(sender)
    assert len(provider.sent_to(OFFICER)) == 1


# ---- receipts --------------------------------------------------------------------------------------------------------

FORWARD = {
    "buffered, then delivered": (["buffered", "delivered"], "delivered"),
    "delivered twice": (["delivered", "delivered"], "delivered"),
    "delivered, then a late buffered": (["delivered", "buffered"], "delivered"),
    "delivered, then a late failure": (["delivered", "undelivered", "rejected"], "delivered"),
    "rejected": (["rejected"], "undelivered"),
    "undelivered, then a late buffered": (["undelivered", "buffered"], "undelivered"),
    "a word nobody knows changes nothing": (["gone fishing"], "accepted"),
    "a word nobody knows between others": (["buffered", "gone fishing", "delivered"], "delivered"),
}


@pytest.mark.parametrize("name", FORWARD)
def test_receipts_only_move_a_notice_forward(sender, provider, database, name):
    words, state = FORWARD[name]
    report = Report(sender)
    notice = report.wait("accepted")
    (request,) = [request for request in provider.sent_to(OFFICER) if report.code in request.text]
    for word in words:
        assert tell(sender, word, attempt=request.attempt).status == 200
    assert report.dispatch["state"] == state
    (attempt,) = attempts(database, notice)
    assert attempt["outcome"] == state
    kept = database.sql("select state, status from hl.receipt where attempt_id = %s order by id", (request.attempt,))
    assert [row["status"] for row in kept] == words


@pytest.mark.parametrize("words", itertools.permutations(["buffered", "undelivered", "delivered"]), ids=" ".join)
def test_the_order_of_receipts_does_not_matter(sender, provider, database, words):
    """A network that reports a failure and then a success has delivered, whichever report was faster."""
    report = Report(sender)
    notice = report.wait("accepted")
    (request,) = [request for request in provider.sent_to(OFFICER) if report.code in request.text]
    for word in words:
        tell(sender, word, attempt=request.attempt)
    (attempt,) = attempts(database, notice)
    assert (report.dispatch["state"], attempt["outcome"]) == ("delivered", "delivered")


def test_a_receipt_may_name_the_providers_id(sender, provider):
    report = Report(sender)
    report.wait("accepted")
    (request,) = [request for request in provider.sent_to(OFFICER) if report.code in request.text]
    assert tell(sender, "delivered", id=f"fake-{request.attempt}").status == 200
    assert report.dispatch["state"] == "delivered"


def test_a_receipt_faster_than_the_answer_counts(sender, provider, database):
    held = Held()
    provider.script(OFFICER, held)
    report = Report(sender)
    assert held.has_request.wait(10)
    (request,) = provider.sent_to(OFFICER)
    assert tell(sender, "delivered", attempt=request.attempt).status == 200
    held.release()
    hl_testlib.wait_for(lambda: attempts(database, report.dispatch)[0]["external_id"], what="the answer to be settled")
    assert (report.dispatch["state"], attempts(database, report.dispatch)[0]["outcome"]) == ("delivered", "delivered")


def test_receipts_for_what_nobody_knows_are_kept_and_answered_200(sender, database):
    before = database.one("select count(*) from hl.receipt where attempt_id is null")
    assert tell(sender, "delivered", attempt=2 ** 53).status == 200
    assert tell(sender, "delivered", attempt=2 ** 63 - 1).status == 200
    assert tell(sender, "delivered", id="never heard of").status == 200
    assert database.one("select count(*) from hl.receipt where attempt_id is null") == before + 3


def test_a_receipt_of_another_channel_moves_nothing(make_daemon, provider):
    daemon = make_daemon({"channel loopback": {"send_url": provider.url}, "channel other": {"provider": "loopback", "from": "12345"}})
    report = Report(daemon)
    report.wait("accepted")
    (request,) = [request for request in provider.sent_to(OFFICER) if report.code in request.text]
    body = json.dumps({"attempt": request.attempt, "status": "undelivered"})
    assert daemon.http("POST", "/hook/other/receipt", body).status == 200
    assert report.dispatch["state"] == "accepted"


# ---- stale -----------------------------------------------------------------------------------------------------------

def sign(daemon, report):
    assert daemon.hook(f"签{report.code}", sender=OFFICER).status == 200
    hl_testlib.wait_for(lambda: report.task_state() == "signed", what="the task to be signed")


def test_an_officer_who_left_between_due_and_send_is_not_texted(sender, provider, database):
    provider.script(OFFICER, says("later"), says("accepted"))
    report = Report(sender)
    hl_testlib.wait_for(lambda: report.dispatch["tries"] == 1 and report.dispatch["state"] == "queued", what="the first try")
    left = database.sql("update hl.contact set is_active = false where person_id = %s and is_active returning id",
                        (report.dispatch["person_id"],))
    try:
        hurry(database, report.dispatch)
        assert report.wait("dropped")["reason"] == "contact is no longer active"
        let_pulses_pass(sender)
        assert len(provider.sent_to(OFFICER)) == 1
    finally:
        database.sql("update hl.contact set is_active = true where id = any(%s)", ([row["id"] for row in left],))


@pytest.mark.parametrize("answer,state", [(says("later"), "queued"), (plain(500), "unknown")], ids=["put off", "unknown"])
def test_a_notice_whose_task_was_signed_meanwhile_is_dropped_with_the_reason(sender, provider, database, answer, state):
    provider.script(OFFICER, answer, says("accepted"))
    report = Report(sender)
    hl_testlib.wait_for(lambda: report.dispatch["tries"] == 1 and report.dispatch["state"] == state, what="the first try")
    sign(sender, report)
    hurry(database, report.dispatch)
    assert report.wait("dropped")["reason"] == "task is signed"
    let_pulses_pass(sender)
    dispatch, *others = [request.text for request in provider.sent_to(OFFICER)]
    assert not {dispatch, dispatch.replace("【县民生热线】", RESENT)} & set(others)


# ---- the end of a daemon ---------------------------------------------------------------------------------------------

def test_sigterm_waits_for_the_texts_in_flight_and_takes_no_new_ones(sender, provider, database):
    held, phones = Held(), [new_phone() for _ in range(8)]
    for phone in phones:
        provider.script(phone, held)
        sender.hook("", sender=phone)
    hl_testlib.wait_for(lambda: len(provider.journal) == 8, what="eight texts in flight")
    process = sender.process
    process.send_signal(signal.SIGTERM)
    hl_testlib.wait_for(lambda: sender.log_lines("gateway.draining"), what="the drain to begin")
    with pytest.raises(OSError):
        sender.hook("", sender=new_phone())
    assert process.poll() is None
    held.release()
    assert process.wait(10) == 0
    states = database.sql("""select n.state, a.outcome from hl.notice n join hl.person p on p.id = n.person_id
                             join hl.attempt a on a.notice_id = n.id where p.phone = any (%s)""", (phones,))
    assert [(row["state"], row["outcome"]) for row in states] == [("accepted", "accepted")] * 8
    assert len(sender.log_lines("gateway.drained")) == 1


def test_a_drain_ends_within_ten_seconds_though_a_provider_never_answers(make_sender, provider, database):
    one = make_sender(deadline_ms=20000)
    held = Held()
    provider.script(OFFICER, held)
    report = Report(one)
    assert held.has_request.wait(10)
    report.wait("accepted", "receipt")
    began = time.monotonic()
    one.stop(timeout=10.0)
    assert time.monotonic() - began < 10
    # Nobody knows whether it was sent: the attempt stays open until the lease has run out.
    assert report.dispatch["state"] == "sending" and attempts(database, report.dispatch)[0]["outcome"] is None


def test_the_lease_of_a_killed_daemon_is_taken_over(make_sender, provider, database):
    lease_s = 3
    one, two = (make_sender(deadline_ms=1000, lease_ms=1000 * lease_s) for _ in range(2))
    provider.otherwise = Held()
    provider.script(OFFICER, provider.otherwise, says("accepted"))
    # The second one is stopped meanwhile, so that the first one is who leases.
    two.process.send_signal(signal.SIGSTOP)
    try:
        report = Report(one)
        assert hl_testlib.wait_for(lambda: provider.sent_to(OFFICER) and provider.sent_to(report.phone), what="both texts to leave")
        one.kill()
        began = time.monotonic()
    finally:
        two.process.send_signal(signal.SIGCONT)
    assert report.dispatch["state"] == report.receipt["state"] == "sending"
    notice = report.wait("accepted")
    assert time.monotonic() - began < lease_s + 5
    first, second = attempts(database, notice)
    assert (first["outcome"], first["detail"], second["outcome"]) == ("unknown", "lease ran out", "accepted")
    # The provider may have sent the first one: the second is marked, and the resident's receipt is not sent again.
    assert [request.text.startswith(RESENT) for request in provider.sent_to(OFFICER)] == [False, True]
    assert report.wait("unknown", "receipt")["reason"] == "lease ran out"
    let_pulses_pass(two)
    assert len(provider.sent_to(report.phone)) == 1


def test_a_result_after_the_lease_is_recorded_and_changes_nothing_else(sender, provider, database):
    held = Held()
    provider.script(OFFICER, held, says("refused"))
    report = Report(sender)
    assert held.has_request.wait(10)
    database.sql("update hl.notice set lease_until = clock_timestamp() where id = %s", (report.dispatch["id"],))
    assert report.wait("refused")["tries"] == 2
    held.release()
    hl_testlib.wait_for(lambda: attempts(database, report.dispatch)[0]["external_id"], what="the late result")
    assert [attempt["outcome"] for attempt in attempts(database, report.dispatch)] == ["accepted", "refused"]
    assert report.dispatch["state"] == "refused"
