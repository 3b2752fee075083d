"""What must hold of calls whoever writes."""
import pytest

import hl_call_rows
from hl_rows import refusal, sqlstate

GOES_ON = "P0150"


@pytest.fixture(name="call")
def make_call(cursor):
    cursor.execute(hl_call_rows.call(ended="now()", outcome="'heard'") + " returning id")
    return cursor.fetchone()[0]


@pytest.mark.parametrize("change", ["version = -1", "ended_at = now() + interval '1 hour'", "ended_at = null, outcome = null",
                                    "external_id = 'y'", "direction = 'out'", "started_at = now() - interval '1 hour'"])
def test_a_call_does_not_go_back(cursor, call, change):
    assert sqlstate(refusal(cursor, f"update hl.call set {change} where id = %s", (call,))) == GOES_ON
    assert refusal(cursor, "update hl.call set version = version + 1, state = '{\"node\": \"x\"}' where id = %s", (call,)) is None


@pytest.mark.parametrize("change", ["update hl.call_event set at = now()", "delete from hl.call_event", "truncate hl.call_event"])
def test_what_happened_in_a_call_stands_for_the_superuser_too(cursor, change):
    cursor.execute(hl_call_rows.event())
    assert sqlstate(refusal(cursor, change)) == GOES_ON


def test_a_call_back_is_done_once_and_not_rewritten(cursor):
    cursor.execute(hl_call_rows.callback())
    for change in ("due_at = now() + interval '9 days'", "reason = 'missed'", "urgency = 'urgent'"):
        assert sqlstate(refusal(cursor, f"update hl.callback set {change}")) == GOES_ON
    cursor.execute("update hl.callback set done_at = now(), done_by = 'x', why = 'w'")
    assert sqlstate(refusal(cursor, "update hl.callback set done_by = 'y'")) == GOES_ON
