"""Several channels: which one a text takes, what happens when it does not take it, and what the operator sees of it."""
import itertools
import json
import threading

import pytest

from fake_provider import FakeProvider, plain, says
from hl_scene import contact
from hl_testlib import free_port, wait_for

SERIAL = itertools.count(1)


@pytest.fixture(name="first")
def make_first():
    provider = FakeProvider()
    yield provider
    provider.stop()


@pytest.fixture(name="second")
def make_second():
    provider = FakeProvider()
    yield provider
    provider.stop()


@pytest.fixture(name="make_pair")
def make_make_pair(make_daemon, database, first, second):
    """A daemon with two routes to residents, first and second; keys of the first channel may be given."""
    database.sql("update hl.notice set state = 'dropped', reason = 'its test is over', lease_until = null "
                 "where state in ('queued', 'sending', 'unknown')")

    def make(routes="first second", **keys):
        channel = {"provider": "loopback", "from": "12345", "purpose": "resident"}
        return make_daemon({"channel loopback": {"purpose": "officer"}, "routes": {"resident": routes},
                            "channel first": {**channel, "send_url": first.url, **keys},
                            "channel second": {**channel, "send_url": second.url}})
    return make


def new_phone():
    return f"+861000000{7000 + next(SERIAL):04d}"


def send(daemon, phone=None, sticky=None):
    """A text to a resident; gives its notice."""
    phone = phone or new_phone()
    daemon.sql("insert into hl.person (phone) values (%s) on conflict do nothing", [phone])
    return daemon.sql(
        "insert into hl.notice (person_id, kind, template, params, dedupe, lane, channel, not_before, made_at) "
        "select id, 'test', 'channel_test', '{\"code\": \"0000R\"}', %s, 2, %s, hl.now(), hl.now() from hl.person "
        "where phone = %s returning id", [f"route/{next(SERIAL)}", sticky, phone])[0]["id"]


def way(daemon, notice):
    """(channel, outcome) of each try."""
    return [(row["channel"], row["outcome"]) for row in
            daemon.sql("select channel, outcome from hl.attempt where notice_id = %s order by n", [notice])]


def arrives(daemon, notice, state="accepted"):
    wait_for(lambda: daemon.sql("select state from hl.notice where id = %s", [notice])[0]["state"] == state,
             what=lambda: way(daemon, notice))
    return way(daemon, notice)


def test_texts_take_the_first_route_and_conversations_their_own(make_pair):
    daemon = make_pair()
    assert arrives(daemon, send(daemon)) == [("first", "accepted")]
    assert arrives(daemon, send(daemon, sticky="second")) == [("second", "accepted")]
    assert arrives(daemon, send(daemon, sticky="gone")) == [("first", "accepted")]


def test_a_prefix_leaves_a_channel_out(make_pair):
    daemon = make_pair(prefixes="+1, +852")
    assert arrives(daemon, send(daemon)) == [("second", "accepted")]
    assert arrives(daemon, send(daemon, sticky="first")) == [("second", "accepted")]


@pytest.mark.parametrize("outcome", ["refused", "config"])
def test_what_a_channel_does_not_take_goes_by_the_next(make_pair, first, outcome):
    daemon = make_pair()
    phone = new_phone()
    first.script(phone, says(outcome))
    assert arrives(daemon, send(daemon, phone)) == [("first", outcome), ("second", "accepted")]


def test_a_text_that_no_channel_takes_is_refused_in_the_end(make_pair, first, second):
    daemon = make_pair()
    phone = new_phone()
    first.script(phone, says("refused"))
    second.script(phone, says("refused"))
    assert arrives(daemon, send(daemon, phone), "refused") == [("first", "refused"), ("second", "refused")]


def test_a_channel_out_of_reach_is_passed_over_and_then_left_alone(make_pair, first):
    daemon = make_pair(send_url=f"http://127.0.0.1:{free_port()}/")
    for _ in range(5):
        assert arrives(daemon, send(daemon)) == [("first", "not_sent"), ("second", "accepted")]
    assert arrives(daemon, send(daemon)) == [("second", "accepted")]
    shown = {c["name"]: c for c in daemon.ctl("channels")["channels"]}
    assert (shown["first"]["health"], shown["first"]["breaker"]) == ("left alone", "open")
    assert shown["first"]["last_error"].startswith("not_sent") and shown["first"]["failed"] == 5
    assert (shown["second"]["health"], shown["second"]["accepted"]) == ("good", 6)
    assert "left alone" in daemon.ctl("channels", json=False)
    assert not first.journal


def test_an_unknown_outcome_does_not_go_by_another_channel(make_pair, first, second):
    daemon = make_pair()
    phone = new_phone()
    first.script(phone, plain(500))
    assert arrives(daemon, send(daemon, phone), "unknown") == [("first", "unknown")]
    assert not second.sent_to(phone)


def test_a_spent_budget_sends_texts_the_other_way(make_pair):
    daemon = make_pair(daily_budget=2)
    ways = [arrives(daemon, send(daemon)) for _ in range(4)]
    assert ways == [[("first", "accepted")]] * 2 + [[("second", "accepted")]] * 2
    shown = {c["name"]: c for c in daemon.ctl("channels")["channels"]}
    assert (shown["first"]["health"], shown["first"]["spent_today"]) == ("budget spent", 2)
    assert daemon.sql("select channel, parts from hl.channel_day") == [{"channel": "first", "parts": 2}]


def test_the_database_refuses_a_negative_count_of_sent_sms(database):
    with pytest.raises(Exception, match="spent_parts_are_counted"):
        database.sql("insert into hl.channel_day values ('x', '2026-11-25', -1)")


def test_a_test_of_a_channel_waits_for_the_receipt(make_pair, first):
    daemon = make_pair()
    phone = new_phone()

    def deliver():
        wait_for(lambda: first.sent_to(phone))
        body = {"attempt": first.sent_to(phone)[0].attempt, "status": "delivered"}
        assert daemon.http("POST", "/hook/first/receipt", json.dumps(body)).status == 200

    thread = threading.Thread(target=deliver)
    thread.start()
    shown = daemon.ctl("channel", "test", "first", "--to", phone)
    thread.join()
    assert (shown["state"], shown["channel"]) == ("delivered", "first")
    assert "线路测试" in first.sent_to(phone)[0].text


def test_a_test_of_a_channel_fails_without_a_receipt_a_number_or_a_channel(make_pair):
    daemon = make_pair()
    shown = daemon.ctl("channel", "test", "first", "--to", new_phone(), "--wait", "1", code=1)
    assert shown["state"] == "accepted"
    assert "--to" in daemon.ctl("channel", "test", "first", "--to", "nobody", code=1)["error"]
    assert "gone" in daemon.ctl("channel", "test", "gone", "--to", new_phone(), code=1)["error"]


def opted_out(daemon, phone):
    return daemon.sql("select is_opted_out from hl.person where phone = %s", [phone])[0]["is_opted_out"]


@pytest.mark.parametrize("is_officer", [False, True])
def test_a_stop_that_the_provider_tells_of_counts_for_residents_only(make_pair, first, is_officer):
    daemon = make_pair()
    phone = contact("FIR") if is_officer else new_phone()
    arrives(daemon, send(daemon, phone, sticky="first"))
    attempt = first.sent_to(phone)[-1].attempt
    item = {"i": 0, "channel": "first", "attempt": attempt, "state": "rejected", "status": "21610", "opted_out": True}
    daemon.sql("select hl.receipts(%s)", [json.dumps([item])])
    assert opted_out(daemon, phone) is not is_officer


def test_an_answer_that_tells_of_a_stop_is_taken_at_its_word(make_pair, database):
    daemon = make_pair()
    phone = new_phone()
    notice = send(daemon, phone)
    arrives(daemon, notice)
    database.sql("select hl.settle(jsonb_build_object('epoch', 0, 'items', jsonb_build_array(jsonb_build_object("
                 "'attempt', id, 'outcome', 'refused', 'opted_out', true)))) from hl.attempt where notice_id = %s", [notice])
    assert opted_out(daemon, phone)
