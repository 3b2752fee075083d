"""Budgets per phone: what a provider would cut is held back, told apart or put together; red cards and emergencies go.

The policy (hl.budget_plan) is tested alone; the rest through hl.lease, which alone spends a budget. Case time is the
database's own, moved where a window must pass.
"""
import contextlib
import json

import pytest

import hl_rows as rows
from hl_scene import Scene, contact, resident
from hl_testlib import wait_for

NOW = "2026-03-02 10:00+08"
RULES = {"x": {"budget": [{"per": "24 h", "count": 6}, {"per": "1 min", "count": 3}, {"per": "1 min", "count": 2, "same": True}],
               "bundle": 3},
         "v": {"budget": [{"per": "1 min", "count": 2, "same": True}], "vary": True},
         "*": {"budget": [{"per": "1 min", "count": 1}]}, "free": {"budget": []}}


def set_rules(database, rules):
    doc = database.one("select doc from hl.refdata where kind = 'templates' and is_current")
    doc["providers"] = rules
    database.sql("select hl.import(%s)", (json.dumps({"kind": "templates", "by": "tester", "doc": doc}),))


@pytest.fixture(autouse=True)
def rules(database):
    set_rules(database, RULES)
    database.sql("update hl.notice set state = 'dropped', reason = 'its test is over', lease_until = null"
                 " where state in ('queued', 'sending')")


# --- the policy alone ---------------------------------------------------------------------------------------------

def plan(database, provider, sent, waiting):
    """sent: [(seconds ago, text)]; waiting: words like "1", "1!" (must go), "1-" (a reply, never joined)."""
    found = database.sql(
        "select p.verdict, p.nth, extract(epoch from p.until - %(now)s)::int as wait, p.why from hl.budget_plan(%(provider)s, %(now)s,"
        " array(select %(now)s::timestamptz - x * interval '1 s' from unnest(%(ago)s::int[]) x), %(texts)s, %(waiting)s, %(kept)s, %(joinable)s) p",
        {"now": NOW, "provider": provider, "ago": [ago for ago, _ in sent], "texts": [text for _, text in sent],
         "waiting": [int(word.strip("!-")) for word in waiting], "kept": ["!" in word for word in waiting],
         "joinable": ["-" not in word and "!" not in word for word in waiting]})
    return [(row["verdict"], row["nth"] if row["verdict"] != "hold" else row["wait"]) for row in found]


@pytest.mark.parametrize("provider, sent, waiting, expected", [
    ("x", [], ["1", "2", "3"], [("go", 1)] * 3),
    ("x", [], ["1-", "2-", "3-", "4-"], [("go", 1)] * 3 + [("hold", 60)]),
    ("x", [], ["1", "2", "3", "4"], [("go", 1)] * 3 + [("join", 3)]),
    ("x", [], ["1", "2", "3", "4", "5", "6"], [("go", 1)] * 3 + [("join", 3)] * 2 + [("hold", 60)]),
    ("x", [(40, 8), (30, 9), (20, 10)], ["1"], [("hold", 20)]),
    ("x", [(40, 8), (30, 9), (20, 10)], ["1!", "2"], [("go", 1), ("hold", 30)]),
    ("x", [(60, 8), (30, 9), (20, 10)], ["1"], [("go", 1)]),
    ("x", [(50000, 1), (4000, 2), (3000, 3), (2000, 4), (1000, 5), (900, 6)], ["7"], [("hold", 86400 - 50000)]),
    ("x", [(90000, 1), (4000, 2), (3000, 3), (2000, 4), (1000, 5), (900, 6)], ["7"], [("go", 1)]),
    ("x", [(30, 1), (20, 1)], ["1", "2"], [("hold", 30), ("go", 1)]),
    ("v", [(30, 1), (20, 1)], ["1", "1", "2"], [("go", 3), ("go", 4), ("go", 1)]),
    ("*", [(30, 1)], ["2"], [("hold", 30)]),
    ("free", [(1, 1)] * 100, ["1"] * 3, [("go", 1)] * 3),
], ids=str)
def test_the_plan(database, provider, sent, waiting, expected):
    assert plan(database, provider, sent, waiting) == expected


# --- leases -------------------------------------------------------------------------------------------------------

def queue(cursor, phone, lane="reminder", n=1, kept=False):
    made = []
    for _ in range(n):
        notice = rows.notice(cursor, phone, lane=lane)
        cursor.execute("update hl.notice set is_kept = %s where id = %s", (kept, notice))
        made.append(notice)
    return made


def lease(cursor, provider="x", limit=100):
    cursor.execute("select hl.lease(%s)", (json.dumps({
        "limit": limit, "lease_us": 60_000_000, "epoch": 1, "channels": {"officer": "c", "resident": "c"}, "known": ["c"],
        "providers": {"c": provider}}),))
    return cursor.fetchone()[0]["notices"]


def states(cursor, ids):
    cursor.execute("select id, state, held, bundle_id, not_before > hl.now() as waits from hl.notice where id = any (%s)"
                   " order by array_position(%s, id)", (ids, ids))
    return [dict(zip(("id", "state", "held", "bundle_id", "waits"), row)) for row in cursor.fetchall()]


@pytest.fixture(name="phone")
def make_phone(cursor):
    made = rows.person(cursor)
    cursor.connection.commit()
    return made


def distinct(cursor, ids):
    """Different texts: equal ones have a budget of their own."""
    cursor.execute("update hl.notice set params = jsonb_build_object('case', id) where id = any (%s)", (ids,))


def test_what_a_phone_cannot_take_leaves_in_one_text_and_the_rest_waits_visibly(database, cursor, phone):
    ids = queue(cursor, phone, n=7)
    distinct(cursor, ids)
    leased = lease(cursor)
    assert [n["template"] for n in leased] == ["t", "t", "bundle"]
    bundle = leased[-1]
    assert [item["params"]["case"] for item in bundle["params"]["items"]] == ids[2:5]
    found = states(cursor, ids)
    assert [row["state"] for row in found] == ["sending", "sending", "bundled", "bundled", "bundled", "queued", "queued"]
    assert {row["bundle_id"] for row in found[2:5]} == {bundle["notice"]}
    assert {row["held"] for row in found[5:]} == {"3 texts in 1 min"} and all(row["waits"] for row in found[5:])
    cursor.execute("""select hl.show_notices('{"held": true}')""")
    held = cursor.fetchone()[0]["notices"]
    assert [(n["id"], n["kind"], n["lane"], n["why"]) for n in held] == [(i, "k", "reminder", "3 texts in 1 min") for i in ids[5:]]
    assert all("****" in n["to"] and n["until"] for n in held)
    assert lease(cursor) == [], "nothing before the window has passed"
    cursor.execute("update hl.phone_budget set sent = array(select x - interval '1 min' from unnest(sent) x)")
    cursor.execute("update hl.notice set not_before = hl.now() where id = any (%s)", (ids,))
    assert [n["notice"] for n in lease(cursor)] == ids[5:]


def test_red_cards_and_emergencies_go_whatever_the_budget_says_and_count(cursor, phone):
    first = queue(cursor, phone, n=3)
    distinct(cursor, first)
    assert len(lease(cursor)) == 3
    red, emergency = queue(cursor, phone, kept=True), queue(cursor, phone, lane="emergency")
    assert [n["notice"] for n in lease(cursor)] == emergency + red
    assert rows.one(cursor, "select cardinality(sent) from hl.phone_budget where person_id = %s", (phone,)) == 5


def test_a_higher_lane_is_not_behind_a_lower_one(cursor, phone):
    reminders, replies = queue(cursor, phone, n=3), queue(cursor, phone, lane="reply", n=2)
    distinct(cursor, reminders + replies)
    leased = lease(cursor)
    assert [n["notice"] for n in leased[:2]] == replies and leased[2]["template"] == "bundle"


def test_equal_texts_are_told_apart_where_that_is_allowed(cursor, phone):
    queue(cursor, phone, n=3)
    cursor.execute("update hl.notice set template = 'no_task' where person_id = %s", (phone,))
    assert [n["nth"] for n in lease(cursor, provider="v")] == [None, None, 3]


@pytest.mark.parametrize("template, params, are_equal", [
    ("receipt_review", {"case": "26-000001", "unit": "n"}, True),               # the unit does not show
    ("receipt_review", {"case": "n", "unit": "x"}, False),
    ("dispatch", {"code": "AAAAA", "sign_by": 1772415000, "close_by": 1772415060}, True),
    ("dispatch", {"code": "AAAAA", "sign_by": "n", "close_by": 1772415060}, False),  # minutes apart
    ("dispatch", {"code": "n", "sign_by": 1772415000, "close_by": 1772415060}, False),
    ("unknown_template", {"a": "n"}, False),
], ids=str)
def test_what_is_equal_is_the_text_and_not_what_it_was_made_of(cursor, phone, template, params, are_equal):
    ids = queue(cursor, phone, n=3)
    for n, notice in enumerate(ids):
        # seconds apart do not show
        made = {name: 1772415000 + 60 * n if value == "n" and name.endswith("_by") else f"{n}" if value == "n"
                else value + n if isinstance(value, int) else value for name, value in params.items()}
        cursor.execute("update hl.notice set template = %s, params = %s where id = %s", (template, json.dumps(made), notice))
    assert len(lease(cursor)) == (2 if are_equal else 3)
    assert states(cursor, ids)[2]["held"] == ("2 equal texts in 1 min" if are_equal else None)


def test_a_provider_without_rules_keeps_no_account(cursor, phone):
    ids = queue(cursor, phone, n=20)
    assert len(lease(cursor, provider="free")) == len(ids)
    assert rows.one(cursor, "select count(*) from hl.phone_budget where person_id = %s", (phone,)) == 0


def test_two_daemons_do_not_spend_one_budget_twice(database, cursor, phone):
    ids = queue(cursor, phone, n=3)
    distinct(cursor, ids)
    cursor.connection.commit()
    with contextlib.closing(database.connect()) as other, other.cursor() as second:
        other.autocommit = False
        assert len(lease(cursor, limit=2)) == 2
        assert lease(second) == [], "the phone is the first one's as long as it spends"
        cursor.connection.commit()
        assert len(lease(second)) == 1
        more = queue(second, phone, n=1)
        distinct(second, more)
        assert lease(second) == [] and states(second, more)[0]["held"]
        other.commit()


def test_stale_ones_spend_nothing_and_are_dropped_with_the_reason(cursor, phone):
    ids = queue(cursor, phone, n=4)
    distinct(cursor, ids)
    cursor.execute("update hl.notice set not_after = hl.now() - interval '1 min' where id = %s", (ids[0],))
    assert [n["notice"] for n in lease(cursor)] == ids[1:]
    cursor.execute("select state, reason from hl.notice where id = %s", (ids[0],))
    assert cursor.fetchone() == ("dropped", "too late")


# --- through a daemon ---------------------------------------------------------------------------------------------

def test_bundles_and_held_texts_on_a_phone(make_daemon, database):
    set_rules(database, {"loopback": {"budget": [{"per": "10 min", "count": 2}], "bundle": 5, "vary": True}, "*": {"budget": []}})
    scene = Scene(make_daemon())
    officer = contact("POL")
    for n, place in enumerate(("碧水云天", "龙城御景", "金都华府", "盛世嘉园"), 1):
        scene.report(resident(n), f"{place}广场舞音响声音太大扰民")
    held = scene.daemon.ctl("notices", "--held")["notices"]
    assert {n["kind"] for n in held} >= {"dispatch"} and all(n["why"] == "2 texts in 10 min" for n in held)
    scene.tick("+11m")
    wait_for(lambda: any(sms["kind"] == "bundle" for sms in scene.inbox(officer)), what="the rest in one text")
    bundle, = [sms for sms in scene.inbox(officer) if sms["kind"] == "bundle"]
    assert "1. " in bundle["text"] and "\n2. " in bundle["text"]
