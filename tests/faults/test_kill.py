"""A daemon that dies: at every named point, at random, and by request."""
import random
import signal
import time

import pytest

import checker

# What can be passed while reports, answers and texts flow; N: in the middle of the load and not at its first item.
POINTS = ("intake.sent:3", "intake.committed:3", "intake.answered:3", "lease.committed:3", "send.left:5", "settle.before:3",
          "settle.committed:3", "act.before:2", "act.committed:2")
# Passed at every pulse: the rungs are due before the daemon starts.
CLOCK_POINTS = ("fire.before", "fire.committed")


def make_rungs_due(field):
    """Moves the case clock past every signing limit while nobody is there to fire them."""
    field.database.sql("update hl.clock set offset_us = offset_us + 26 * 3600 * 1000000::bigint")


def test_survives_a_crash_at_every_point(field, table):
    field.daemon.stop()
    field.load("load")
    field.people("people")
    for point in POINTS:
        field.crash_at(point)
    field.end_load()
    for point in CLOCK_POINTS:
        make_rungs_due(field)
        field.crash_at(point)
    field.timed(field.daemon.start)
    verdict = field.check("each crash point, one after the other", len(POINTS) + len(CLOCK_POINTS), table)
    assert field.database.one("select count(*) from hl.event where kind = 'rung'") > 0
    assert verdict.counts["unknown"] > 0


@pytest.mark.long
@pytest.mark.parametrize("point", POINTS)
def test_survives_a_crash_at(field, table, point):
    field.daemon.stop()
    field.load("load", rate=200)
    field.people("people")
    field.crash_at(point)
    field.timed(field.daemon.start)
    field.wait_for_acks(200)
    field.check(point, 1, table)


@pytest.mark.long
@pytest.mark.parametrize("point", CLOCK_POINTS)
def test_survives_a_crash_of_the_clock_at(field, table, point):
    field.load("load", seconds=1)
    field.end_load()
    field.daemon.stop()
    make_rungs_due(field)
    field.crash_at(point)
    field.timed(field.daemon.start)
    field.check(point, 1, table)
    assert field.database.one("select count(*) from hl.event where kind = 'rung'") > 0


def kill_at_random(field, table, kills, rate):
    chance = random.Random(kills)
    field.load("load", rate=rate)
    field.people("people")
    for _ in range(kills):
        field.wait_for_acks(10)
        time.sleep(chance.random() / 2)  # the instant is what is tried
        field.crash()
    field.wait_for_acks(5)
    field.check(f"kill -9, {kills} times", kills, table)


def test_survives_kills_at_random(field, table):
    kill_at_random(field, table, 3, 100)


@pytest.mark.long
def test_survives_many_kills_at_random(field, table):
    kill_at_random(field, table, 30, 200)


def drain_under_load(field, table, rate):
    field.load("load", rate=rate)
    field.people("people")
    field.wait_for_acks(rate)
    process = field.daemon.process
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0, field.daemon.log()
    drained_s = time.monotonic() - began
    before = field.database.one("select count(*) from hl.attempt where outcome is null")
    field.end_load()
    field.timed(field.daemon.start)
    assert before == 0, "a drained daemon left sends unsettled"
    verdict = field.check(f"SIGTERM, drained in {drained_s:.1f} s", 1, table, min_acked=rate)
    assert verdict.counts["unknown"] == 0 and verdict.counts["resent"] == 0


def test_drains_on_request(field, table):
    drain_under_load(field, table, 100)


@pytest.mark.long
def test_drains_on_request_under_heavy_load(field, table):
    drain_under_load(field, table, 1000)


def test_release_binary_has_no_crash_points(cluster):
    assert b"HL_CRASH_AT" not in cluster.hotlined.read_bytes()


def test_journal_line_torn_by_a_kill_promises_nothing(tmp_path):
    journal = tmp_path / "acks"
    journal.write_text("a-1 200\na-2 0\na-3 20", encoding="utf-8")
    assert checker.read_acks(journal) == [("a-1", 200), ("a-2", 0)]
