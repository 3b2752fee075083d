"""The demo clock's mover: where it stops, and what it does about a clock that runs while it waits."""
import concurrent.futures
import contextlib
import datetime

import pytest

from hl_scene import Scene, contact, county, instant, resident, set_clock
from hl_testlib import wait_for


@pytest.fixture
def scene(database, make_daemon):
    set_clock(database, county(2026, 11, 25, 9))
    return Scene(make_daemon())


@contextlib.contextmanager
def held_ladders(database):
    """Nothing that is due can be fired in here, as in a database that is slow."""
    with contextlib.closing(database.connect()) as connection:
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute("lock table hl.ladder in share mode")
        yield
        connection.rollback()


def test_a_goal_that_passes_while_texts_leave_is_reached(scene, database):
    number = scene.report(resident(1), "锦绣花园3号楼消防通道被私家车堵死了")
    goal = instant(scene.task(number, "FIR")["next"]["due"]) + datetime.timedelta(seconds=1)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with held_ladders(database):
            sent = pool.submit(scene.tick, goal)
            wait_for(lambda: database.one("select hl.now() > %s", (goal,)), what="the goal to pass at the stop before it")
        assert [sms["template"] for sms in sent.result() if sms["to"] == contact("FIR")] == ["remind_sign"]


def test_the_clock_is_not_moved_back(scene, database):
    before = database.one("select offset_us from hl.clock")
    refusal = scene.daemon.ctl("tick", "--to", county(2026, 11, 25, 8, 59).isoformat(), json=False, code=1)
    assert "the clock only moves forward" in refusal
    assert database.one("select offset_us from hl.clock") == before
