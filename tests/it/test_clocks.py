"""The ladder of a task: every rung at its instant, to whom product.md 3 says, once; over sign, done, crash and downtime.

Case time starts at a chosen instant, so that limits can be worked out by hand: 2026-03-02 is a Monday without a
holiday near it; 2026-02-14 and 28 are working Saturdays around the spring festival (15 to 23 February).
"""
import contextlib
import datetime
import json

import pytest

from hl_scene import LEADERS, OFFICE, Scene, contact, county, instant, resident, set_clock
from hl_testlib import wait_for

BLOCKED = "锦绣花园3号楼消防通道被私家车堵死了"   # urgent, FIR leads
NOISE = "碧水云天楼下广场舞音响声音太大扰民"        # normal, POL leads
TRAPPED = "祥和家园2号楼电梯关人了，有人被困"       # emergency, MKT leads
POWER = "盛世嘉园1单元家里停电了"                   # urgent, a utility leads
MONDAY = county(2026, 3, 2, 9)
RUNGS = ("sign_half", "sign_limit", "progress", "yellow", "red", "oversee", "leaders")


@pytest.fixture
def database(cluster):
    """A database per test: its clock is the test's own."""
    made = cluster.create_database()
    yield made
    made.drop()


@pytest.fixture
def start(make_daemon, database):
    """start(at) -> Scene whose case time is that instant."""

    def begin(at):
        set_clock(database, at)
        return Scene(make_daemon())

    return begin


def hours(n):
    return datetime.timedelta(hours=n)


def minutes(n):
    return datetime.timedelta(minutes=n)


def assigned_at(scene, number, unit):
    return scene.daemon.database.one(
        "select k.assigned_at from hl.task k join hl.case c on c.id = k.case_id where c.code = %s and k.unit = %s", (number, unit))


def told(scene, number, unit):
    """[(rung, when, to)] of a task in the order the texts were made; the dispatch itself is left out."""
    rows = scene.daemon.sql(
        "select n.kind, n.made_at, p.phone, n.state from hl.notice n join hl.task k on k.id = n.task_id"
        " join hl.case c on c.id = k.case_id join hl.person p on p.id = n.person_id"
        " where c.code = %s and k.unit = %s and n.kind = any (%s) order by n.made_at, p.phone", (number, unit, list(RUNGS)))
    assert all(row["state"] == "accepted" for row in rows), rows
    return [(row["kind"], row["made_at"], row["phone"]) for row in rows]


def assert_told(actual, expected):
    """Same rungs to the same people in the same order, each within two real seconds of its instant."""
    assert [(rung, to) for rung, _, to in actual] == [(rung, to) for rung, _, to in expected]
    for (rung, at, to), (_, due, _) in zip(actual, expected):
        assert datetime.timedelta(0) <= at - due < datetime.timedelta(seconds=2), f"{rung} to {to}: {at} and not {due}"


def whole_ladder(unit, half, limit, yellow, red, oversee, leaders, is_normal=False):
    """What nobody's answering brings, by product.md 3; a normal red card stands in the office's digest (decisions.md 28)."""
    officer, deputy, head = (contact(unit, role) for role in ("officer", "deputy", "head"))
    return [("sign_half", half, officer), ("sign_limit", limit, deputy), ("sign_limit", limit, head),
            ("yellow", yellow, officer), ("yellow", yellow, head),
            *sorted([("red", red, head)] + [("red", red, OFFICE)] * (not is_normal), key=lambda rung: rung[2]),
            ("oversee", oversee, OFFICE), ("leaders", leaders, LEADERS)]


# --- every rung, in order, at its instant, once -------------------------------------------------------------------

@pytest.mark.parametrize("words, unit, sign, close, yellow", [
    (TRAPPED, "MKT", minutes(15), hours(24), hours(18)),   # shorter than two working days: 75 %
    (BLOCKED, "FIR", minutes(60), hours(72), hours(48)),
    (POWER, "UTI-PWR", minutes(30), hours(72), hours(48)),  # utilities sign within 30 minutes
], ids=["emergency", "urgent", "utility"])
def test_urgent_ladders_run_on_the_wall_clock_by_night_and_weekend(start, words, unit, sign, close, yellow):
    scene = start(county(2026, 3, 6, 22))  # Friday night
    number = scene.report(resident(1), words)
    at = assigned_at(scene, number, unit)
    task = scene.task(number, unit)
    assert instant(task["sign_by"]) == (at + sign).replace(microsecond=0)
    assert instant(task["close_by"]) == (at + close).replace(microsecond=0)
    scene.tick("+30d")
    assert_told(told(scene, number, unit), whole_ladder(
        unit, at + sign / 2, at + sign, at + yellow, at + close, at + close + hours(24), at + close + hours(120)))


@pytest.mark.parametrize("opened, dues", [
    (MONDAY, [None, None, county(2026, 3, 6, 17, 30), county(2026, 3, 9, 17, 30), county(2026, 3, 10, 17, 30),
              county(2026, 3, 16, 17, 30)]),
    # Over the noon break only working minutes count; over the festival only working days, working Saturdays included.
    (county(2026, 2, 13, 16, 30), [None, None, county(2026, 2, 26, 17, 30), county(2026, 2, 27, 17, 30),
                                   county(2026, 2, 28, 17, 30), county(2026, 3, 5, 17, 30)]),
    # Outside working time the sign limit counts from the next opening.
    (county(2026, 3, 6, 20), [county(2026, 3, 9, 10, 30), county(2026, 3, 9, 14), county(2026, 3, 12, 17, 30),
                              county(2026, 3, 13, 17, 30), county(2026, 3, 16, 17, 30), county(2026, 3, 20, 17, 30)]),
], ids=["monday morning", "spring festival", "friday night"])
def test_a_normal_ladder_keeps_working_time(start, opened, dues):
    scene = start(opened)
    number = scene.report(resident(1), NOISE)
    at = assigned_at(scene, number, "POL")
    if opened == MONDAY:
        dues[:2] = at + hours(2), at + hours(5.5)  # the noon break is 90 minutes
    elif opened == county(2026, 2, 13, 16, 30):
        dues[:2] = at + hours(17), at + hours(19)  # one hour on Friday, the rest on the working Saturday
    scene.tick("+24d")
    assert_told(told(scene, number, "POL"), whole_ladder("POL", *dues, is_normal=True))


def test_each_step_of_the_clock_shows_the_texts_of_that_instant(start):
    scene = start(MONDAY)
    number = scene.report(resident(1), NOISE)
    at = assigned_at(scene, number, "POL")
    steps = [step for step in scene.daemon.ctl("tick", "--to", "+20h") if any(sms["kind"] in RUNGS for sms in step["sms"])]
    assert [[sms["template"] for sms in step["sms"]] for step in steps] == [["remind_sign"], ["sign_overdue"] * 2]
    for step, due in zip(steps, (at + hours(2), at + hours(5.5))):
        assert datetime.timedelta(0) <= instant(step["now"]) - due.replace(microsecond=0) < datetime.timedelta(seconds=3)
        assert all(sms["state"] == "accepted" and sms["segments"] == 1 for sms in step["sms"])


def test_every_rung_is_a_line_of_history(start):
    scene = start(MONDAY)
    number = scene.report(resident(1), NOISE)
    scene.tick("+24d")
    rungs = [e for e in scene.events(number, "rung") if e["unit"] == "POL"]
    assert [(e["data"]["rung"], e["data"]["told"]) for e in rungs] == [
        ("sign_half", 1), ("sign_limit", 2), ("yellow", 2), ("red", 1), ("oversee", 1), ("leaders", 1)]
    assert all("collapsed" not in e["data"] for e in rungs), "a moved clock is no downtime"
    assert scene.daemon.ctl("verify")["broken"] == []


def test_two_daemons_fire_each_rung_once(make_daemon, database):
    set_clock(database, MONDAY)
    scene = Scene(make_daemon())
    make_daemon()
    numbers = [scene.report(resident(n), f"{place}广场舞音响声音太大扰民")
               for n, place in enumerate(("碧水云天", "龙城御景", "金都华府", "盛世嘉园"), 1)]
    scene.tick("+24d")
    for number in numbers:
        assert len(told(scene, number, "POL")) == 8
        assert len([e for e in scene.events(number, "rung") if e["unit"] == "POL"]) == 6


# --- what ends a rung ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("wait, before", [(None, []), ("+40m", ["sign_half"])], ids=["at once", "after the reminder"])
def test_after_the_signature_no_sign_rung_comes_but_progress_and_cards_do(start, wait, before):
    scene = start(MONDAY)
    number = scene.report(resident(1), BLOCKED)
    fir = contact("FIR")
    if wait:
        scene.tick(wait)
    scene.text(fir, f"签 {scene.code(fir)}")
    at = assigned_at(scene, number, "FIR")
    scene.tick("+71h")
    actual = told(scene, number, "FIR")
    assert [rung for rung, _, _ in actual] == before + ["progress", "yellow", "yellow"]
    assert_told(actual[len(before):], [
        ("progress", at + hours(24), fir), ("yellow", at + hours(48), fir), ("yellow", at + hours(48), contact("FIR", "head"))])


def test_after_the_result_no_rung_comes_at_all(start):
    scene = start(MONDAY)
    number = scene.report(resident(1), NOISE)
    scene.text(contact("POL"), f"结 {scene.code(contact('POL'))} 属实，已联系反映人，已劝离，音量已调低")
    scene.tick("+30d")
    assert told(scene, number, "POL") == []


def test_a_deputy_who_signed_gets_the_later_reminders(start):
    scene = start(MONDAY)
    number = scene.report(resident(1), BLOCKED)
    scene.tick("+61m")
    deputy = contact("FIR", "deputy")
    scene.text(deputy, f"签 {scene.code(deputy)}")
    scene.tick("+24h")
    assert told(scene, number, "FIR")[-1][::2] == ("progress", deputy)


# --- an operator's limit ------------------------------------------------------------------------------------------

def test_a_review_nobody_answers_goes_to_the_office_once(start):
    scene = start(MONDAY)
    number = scene.report(resident(1), "我们小区电梯坏了三天没人修", outcome="review")  # urgent: 30 minutes
    opened = instant(scene.case(number)["opened_at"])
    scene.tick("+29m")
    assert scene.templates(OFFICE) == []
    scene.tick("+5h")
    late = [sms for sms in scene.inbox(OFFICE) if sms["kind"] != "muster"]
    assert [sms["template"] for sms in late] == ["review_late"] and number in late[0]["text"]
    assert abs(instant(late[0]["made_at"]) - opened - minutes(30)) < datetime.timedelta(seconds=2)


# --- crash, restart, downtime -------------------------------------------------------------------------------------

def test_rungs_survive_a_crash_and_a_restart(start):
    scene = start(MONDAY)
    number = scene.report(resident(1), BLOCKED)
    at = assigned_at(scene, number, "FIR")
    scene.daemon.kill()
    scene.daemon.start()
    scene.tick("+31m")
    scene.daemon.stop()
    scene.daemon.start()
    scene.tick("+30m")
    fir, deputy, head = (contact("FIR", role) for role in ("officer", "deputy", "head"))
    assert_told(told(scene, number, "FIR"), [
        ("sign_half", at + minutes(30), fir), ("sign_limit", at + minutes(60), deputy), ("sign_limit", at + minutes(60), head)])


def sleep_until(scene, at):
    """Real downtime: nobody is there while the time passes."""
    scene.daemon.stop()
    set_clock(scene.daemon.database, at)
    scene.daemon.start()
    wait_for(lambda: scene.daemon.ctl("idle")["idle"], what="everything due to be fired and sent")


def test_downtime_collapses_what_was_missed_to_the_latest_rung(start):
    scene = start(MONDAY)
    number = scene.report(resident(1), BLOCKED)
    at = assigned_at(scene, number, "FIR")
    sleep_until(scene, at + hours(49))
    fir, head = contact("FIR"), contact("FIR", "head")
    assert [(rung, to) for rung, _, to in told(scene, number, "FIR")] == [("yellow", fir), ("yellow", head)]
    event, = [e for e in scene.events(number, "rung") if e["unit"] == "FIR"]
    assert event["data"]["collapsed"] == ["sign_half", "sign_limit", "progress"]
    scene.tick("+24h")
    assert_told(told(scene, number, "FIR")[2:], sorted(
        [("red", at + hours(72), head), ("red", at + hours(72), OFFICE)], key=lambda rung: rung[2]))


def test_downtime_collapses_to_the_latest_rung_that_means_something(start):
    """The request for progress says nothing to a task nobody signed: the missed sign limit does."""
    scene = start(MONDAY)
    number = scene.report(resident(1), BLOCKED)
    sleep_until(scene, assigned_at(scene, number, "FIR") + hours(25))
    assert [(rung, to) for rung, _, to in told(scene, number, "FIR")] == [
        ("sign_limit", contact("FIR", "deputy")), ("sign_limit", contact("FIR", "head"))]


# --- the cost of the scan -----------------------------------------------------------------------------------------

OPEN, DUE = 10_000, 7


def insert_reviews(database, first, n, due):
    """Cases in review with their running clocks, by SQL: the scan is about how many there are."""
    last = first + n - 1
    database.sql("set session_replication_role = replica")
    database.sql(
        "insert into hl.case (id, code, type, urgency, state, opened_at)"
        " select id, '26-' || id, 'POL-6', 'normal', 'review', hl.now() from generate_series(%s, %s) id", (first, last))
    database.sql(
        "insert into hl.ladder (case_id, rungs, dues, due_at)"
        " select id, array['review'], array[d.at], d.at from generate_series(%s, %s) id"
        " cross join lateral (select hl.now() + %s + (id - %s) * interval '1 second' as at) d", (first, last, due, first))
    database.sql("set session_replication_role = origin")


def plans_of(database, statement):
    """The plans of every statement inside a function, as they were run."""
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        for setting in ("log_min_duration = 0", "log_analyze = on", "log_nested_statements = on", "log_format = json",
                        "log_level = notice", "log_timing = off"):
            cursor.execute("load 'auto_explain'; set auto_explain." + setting)
        connection.notices.clear()
        cursor.execute(statement)
        return [json.loads(notice[notice.index("{"):]) for notice in connection.notices if "plan:" in notice]


def nodes(plan):
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


@pytest.mark.parametrize("analyzed", [False, True], ids=["no statistics yet", "analyzed"])
def test_the_scan_for_due_rungs_reads_one_index_and_only_what_is_due(database, analyzed):
    insert_reviews(database, 1_000_000, OPEN, datetime.timedelta(days=3))
    insert_reviews(database, 2_000_000, DUE, datetime.timedelta(days=-60))
    if analyzed:
        database.sql("analyze hl.ladder, hl.case")
    plans = plans_of(database, """select hl.fire_due('{"limit": 5000}')""")
    # Without statistics the few cases may be looked up among those in review; the clocks are found by their index.
    watched = ("ladder", "case") if analyzed else ("ladder",)
    reads = [node for plan in plans for node in nodes(plan["Plan"])
             if node.get("Relation Name") in watched and node["Node Type"] != "ModifyTable"]
    finding = [node for node in reads if node.get("Index Name") == "ladder_due"]
    assert finding and all(node["Actual Rows"] <= DUE for node in finding), reads
    for node in reads:
        assert node["Node Type"] != "Seq Scan", node
        assert node["Actual Rows"] * node["Actual Loops"] <= DUE and node.get("Rows Removed by Filter", 0) == 0, node
    assert database.one("select count(*) from hl.ladder where due_at is not null") == OPEN


def test_a_scan_with_nothing_due_reads_no_row(database):
    insert_reviews(database, 1_000_000, OPEN, datetime.timedelta(days=3))
    database.sql("analyze hl.ladder")
    plans = plans_of(database, """select hl.fire_due('{"limit": 5000}')""")
    scans = [node for plan in plans for node in nodes(plan["Plan"]) if node.get("Index Name") == "ladder_due"]
    # What is due, and when the next one will be.
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in scans) <= 1, scans
