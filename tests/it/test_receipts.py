"""Receipts of a provider that is faster with them than with its answer, as Kannel now and then is."""
import json

from fake_provider import FakeProvider, Held, hang_up
from hl_scene import contact, resident
from hl_testlib import wait_for

OFFICER = contact("FIR")


def test_a_lost_answer_takes_nothing_back_from_a_receipt(make_daemon, database):
    provider, held = FakeProvider(), Held(then=hang_up)
    provider.script(OFFICER, held)
    try:
        daemon = make_daemon({"channel loopback": {"send_url": provider.url}})
        assert daemon.hook("锦绣花园3号楼消防通道被私家车堵死了", sender=resident(1)).status == 200
        assert held.has_request.wait(10)
        (request,) = provider.sent_to(OFFICER)
        body = json.dumps({"attempt": request.attempt, "status": "buffered"})
        assert daemon.http("POST", "/hook/loopback/receipt", body).status == 200
        held.release()

        def row():
            return database.sql("""select a.outcome, a.text, n.state from hl.attempt a join hl.notice n on n.id = a.notice_id
                                   where a.id = %s""", (request.attempt,))[0]

        # The text is written when the request's end is settled.
        wait_for(lambda: row()["text"], what="the lost answer to be settled")
        assert (row()["outcome"], row()["state"]) == ("accepted", "accepted")
    finally:
        provider.stop()
