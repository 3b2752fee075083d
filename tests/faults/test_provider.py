"""A provider that misbehaves: what it has seen once it does not see again, unless the outcome was unknown and marked so."""
import time

import pytest

from hl_testlib import wait_for

MODES = ("fail503", "garbage", "200_without_body", "slow", "hang", "close_after_read")


def n_posts(field):
    return len(field.sink.posts())


def wait_for_posts(field, more):
    before = n_posts(field)
    wait_for(lambda: n_posts(field) >= before + more, 15, f"{more} more texts at the provider")


def misbehave(field, table, modes, rate):
    field.load("load", rate=rate)
    for mode in modes:
        field.sink.mode(mode)
        wait_for_posts(field, rate // 2)
    field.end_load()
    field.sink.mode("ok")
    verdict = field.check(f"provider: {', '.join(modes)}", len(modes), table)
    assert verdict.counts["unknown"] > 0 and verdict.counts["resent"] > 0


def test_texts_whose_outcome_is_unknown_are_not_doubled(field, table):
    misbehave(field, table, MODES, 40)


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
def test_provider_misbehaves_for_long(field, table, mode):
    field.load("load", seconds=8, rate=100)
    field.sink.mode(mode)
    field.wait_for_acks(400)
    field.sink.mode("ok")
    field.check(f"provider: {mode}", 1, table)


def test_kept_connection_that_dies_is_not_repeated_by_the_library(field, table):
    """libcurl repeats a request by itself when a kept connection ends before the answer; ours must not let it."""
    field.sink.mode("close_after_read")
    field.load("load", rate=60)
    field.wait_for_acks(20)
    wait_for(lambda: field.database.one("select count(*) from hl.attempt where outcome = 'unknown'") > 0,
             what="a text on a connection that was closed")
    field.sink.mode("ok")
    field.check("provider closes kept connections", 1, table)
    attempts = [attempt for attempt, *_ in field.sink.posts()]
    assert len(attempts) == len(set(attempts)), "the provider saw an attempt twice"


def test_receipts_before_the_answer_and_twice_after_it(field, table):
    field.sink.mode("duplicate-receipts")
    field.load("load", rate=40)
    field.wait_for_acks(20)
    field.end_load()
    wait_for(lambda: n_posts(field) > 0 and not field.database.one(
        "select count(*) from hl.notice where state not in ('delivered', 'dropped')"), 20, "every text to be delivered")
    verdict = field.check("receipts early and doubled", 1, table)
    receipts = field.database.one("select count(*) from hl.receipt")
    assert receipts >= 2 * verdict.counts["posts"]
    assert verdict.counts["unknown"] == 0 and verdict.counts["resent"] == 0


@pytest.mark.long
def test_sends_that_were_under_way_at_a_kill_are_unknown(field, table):
    """The provider has them, the daemon does not know: marked, resent once where that is the policy, never silently."""
    field.sink.mode("hang")
    field.load("load", seconds=2, rate=50)
    wait_for_posts(field, 20)
    field.daemon.kill()
    field.sink.mode("ok")
    began = time.monotonic()
    field.daemon.start()
    field.recovery_s.append(time.monotonic() - began)
    verdict = field.check("kill -9 with texts at the provider", 1, table)
    assert verdict.counts["unknown"] >= 20
