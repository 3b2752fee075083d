"""A result that comes after its lease was given up: it ends the doubt about a notice, and never disturbs a second try."""
import contextlib
import json

import pytest

import hl_rows as rows

EPOCH = 5


def given_up(database, lane):
    """(notice, attempt) whose lease ran out and was swept."""
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        notice = rows.notice(cursor, rows.person(cursor), state="sending", lane=lane)
        cursor.execute("update hl.notice set tries = 1, lease_epoch = %s, lease_until = now() - interval '1 second'"
                       " where id = %s", (EPOCH, notice))
        attempt = rows.attempt(cursor, notice)
        cursor.execute("update hl.attempt set epoch = %s where id = %s", (EPOCH, attempt))
        cursor.execute("""select hl.sweep('{"limit": 100}')""")
    return notice, attempt


def settle(database, attempt, outcome, epoch=EPOCH):
    result = {"attempt": attempt, "outcome": outcome, "detail": "late"}
    return database.one("select (hl.settle(%s)->>'settled')::int", (json.dumps({"epoch": epoch, "items": [result]}),))


def state(database, notice):
    return database.one("select state from hl.notice where id = %s", (notice,))


@pytest.mark.parametrize("outcome", ["accepted", "refused"])
def test_late_result_ends_the_doubt(database, outcome):
    notice, attempt = given_up(database, "reply")
    assert state(database, notice) == "unknown"
    assert settle(database, attempt, outcome) == 1
    assert state(database, notice) == outcome


@pytest.mark.parametrize("outcome", ["later", "unknown", "not_sent", "config"])
def test_late_result_that_proves_nothing_leaves_the_doubt(database, outcome):
    notice, attempt = given_up(database, "reply")
    assert settle(database, attempt, outcome) == 0
    assert state(database, notice) == "unknown"


def test_late_result_leaves_alone_what_goes_out_again(database):
    notice, attempt = given_up(database, "dispatch")
    assert state(database, notice) == "queued", "the sweep puts it back at once, marked"
    assert settle(database, attempt, "accepted") == 0
    assert state(database, notice) == "queued"


def test_late_result_of_another_lease_changes_nothing(database):
    notice, attempt = given_up(database, "reply")
    assert settle(database, attempt, "accepted", epoch=EPOCH + 1) == 0
    assert state(database, notice) == "unknown"
