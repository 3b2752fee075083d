"""The operator's hand: what is asked, granted, refused, sent back, joined, waited for, merged and withdrawn; with a real
daemon, as phones and hotlinectl show it."""
import datetime
import os
import pwd
import subprocess

import pytest

from hl_scene import OFFICE, OPERATOR, Scene, contact, county, instant, resident, set_clock
from hl_testlib import BUILD, wait_for

NOISE = "碧水云天楼下广场舞音响声音太大扰民"  # normal, POL leads alone
BLOCKED = "锦绣花园3号楼消防通道被私家车堵死了"  # urgent, FIR leads, POL helps
UNSURE = "龙城御景物业保洁不打扫楼道卫生"
POL, URB, FIR, MKT = (contact(unit) for unit in ("POL", "URB", "FIR", "MKT"))
MONDAY = county(2026, 3, 2, 9)
WHY = ("--why", "looked into it")
DONE = "属实，已联系举报人，已劝离"


@pytest.fixture
def database(cluster):
    made = cluster.create_database()
    set_clock(made, MONDAY)
    yield made
    made.drop()


@pytest.fixture
def scene(daemon):
    return Scene(daemon)


def refused(scene, rule, *words):
    """A command that is refused by that rule and leaves the case as it was."""
    before = scene.daemon.sql("select sum(head_seq) as n from hl.case")
    reply = scene.daemon.ctl(*words, code=1)
    assert f"{rule}: " in reply["error"], reply
    assert scene.daemon.sql("select sum(head_seq) as n from hl.case") == before


def act(scene, *words):
    assert scene.daemon.ctl(*words)["items"][0]["result"] == "ok"


def got(scene, phone, template):
    """The newest text of that template on a phone, once it is there."""
    return wait_for(lambda: [sms["text"] for sms in scene.inbox(phone) if sms["template"] == template][-1:], what=template)[0]


def told(sent, phone):
    """What a phone was told on the way, without what comes by the calendar: digests and the monthly roll-call."""
    return [sms for sms in sent if sms["to"] == phone and not sms["template"].startswith(("digest", "muster"))]


def tasks(scene, number):
    return [(task["unit"], task["role"], task["state"]) for task in scene.case(number)["tasks"]]


def queue(scene):
    return [(entry["case"], entry["kind"]) for entry in scene.daemon.ctl("review")["cases"]]


def finish(scene, phone, words=DONE):
    assert scene.answer(phone, f"结 {scene.code(phone)} {words}")["template"] == "done_noted"


# --- hand-back ----------------------------------------------------------------------------------------------------

def test_a_hand_back_goes_to_the_unit_named_with_a_fresh_sign_limit_and_the_old_close_limit(scene):
    number = scene.report(resident(1), NOISE)
    before = scene.task(number, "POL")
    assert scene.answer(POL, f"退 {scene.code(POL)} 不属于本单位，应为县综合行政执法局")["template"] == "operator_will_act"
    entry, = scene.daemon.ctl("review")["cases"]
    assert (entry["case"], entry["kind"], entry["unit"], entry["wanted"]) == (number, "handback", "POL", "URB")
    assert entry["why"] and entry["since"] and not entry["late"]
    assert instant(entry["limit"]) - instant(entry["since"]) >= datetime.timedelta(hours=4)
    scene.tick("+1h")
    assert scene.answer(POL, f"签 {scene.code(POL)}")["template"] == "operator_will_act", "the hand-back waits"

    act(scene, "grant", scene.code(POL), *WHY)
    after = scene.task(number, "URB")
    assert tasks(scene, number) == [("POL", "lead", "handed_back"), ("URB", "lead", "dispatched")]
    assert after["close_by"] == before["close_by"] and instant(after["sign_by"]) > instant(before["sign_by"])
    assert instant(after["assigned_at"]) - MONDAY >= datetime.timedelta(hours=1)
    granted = scene.events(number, "handback_accepted")[0]
    assert granted["actor"] == "operator" and granted["data"]["why"] == WHY[1]
    got(scene, POL, "handback_granted")
    assert scene.answer(URB, f"签 {scene.code(URB)}")["template"] == "signed"
    assert queue(scene) == []
    refused(scene, "request", "grant", number, *WHY)
    assert scene.daemon.ctl("verify")["broken"] == []


def test_a_second_hand_back_freezes_the_case_and_the_duty_table_names_the_lead(scene):
    number = scene.report(resident(1), NOISE)
    scene.answer(POL, f"退 {scene.code(POL)} 不属于本单位 不明")
    refused(scene, "unit_missing", "grant", number, *WHY)
    refused(scene, "why", "grant", number, "--unit", "URB")
    refused(scene, "unit", "grant", number, "--unit", "POL", *WHY)
    act(scene, "grant", number, "--unit", "URB", *WHY)
    wait_for(lambda: scene.inbox(URB), what="the dispatch")
    assert not scene.case(number)["disputed"] and scene.daemon.ctl("agenda")["agenda"] == []

    assert scene.answer(URB, f"退 {scene.code(URB)} 应为县公安局")["template"] == "operator_will_act"
    assert scene.case(number)["disputed"]
    assert number in got(scene, OFFICE, "disputed")
    assert [(entry["case"], entry["reason"]) for entry in scene.daemon.ctl("agenda")["agenda"]] == [(number, "disputed")]
    # A -> B -> A: what was proposed does not count, the duty table does
    act(scene, "grant", number, *WHY)
    assert tasks(scene, number) == [("POL", "lead", "handed_back"), ("URB", "lead", "handed_back"), ("POL", "lead", "dispatched")]
    wait_for(lambda: len([sms for sms in scene.inbox(POL) if sms["template"] == "dispatch"]) == 2, what="the second dispatch")
    no = scene.answer(POL, f"退 {scene.code(POL)} 还是不属于本单位")
    assert no["template"] == "move_refused" and "不得再退" in no["text"]
    assert tasks(scene, number)[-1] == ("POL", "lead", "dispatched")
    act(scene, "agenda", "settle", number, "--why", "POL leads")
    assert scene.daemon.ctl("agenda")["agenda"] == []
    refused(scene, "agenda", "agenda", "settle", number, "--why", "again")


def test_an_unanswered_hand_back_goes_to_the_supervisor_and_a_refusal_to_the_officer(scene):
    number = scene.report(resident(1), NOISE)
    limit = scene.task(number, "POL")["close_by"]
    scene.answer(POL, f"退 {scene.code(POL)} 应为县综合行政执法局")
    assert told(scene.tick("+3h"), OFFICE) == []
    late = told(scene.tick("+4h"), OFFICE)  # over noon: four working hours
    assert [sms["template"] for sms in late] == ["request_late"] and number in late[0]["text"]
    assert scene.daemon.ctl("review")["cases"][0]["late"]
    act(scene, "refuse", scene.code(POL), "--why", "噪声归公安")
    assert "噪声归公安" in got(scene, POL, "request_refused")
    task = scene.task(number, "POL")
    assert (task["state"], task["close_by"]) == ("signed", limit)
    assert scene.answer(POL, f"到 {scene.code(POL)}")["template"] == "arrived"


def test_a_hand_back_after_two_working_days_is_refused_with_the_rule(scene):
    number = scene.report(resident(1), NOISE)
    scene.tick(county(2026, 3, 4, 18, 1))
    no = scene.answer(POL, f"退 {scene.code(POL)} 应为县综合行政执法局")
    assert no["template"] == "move_refused" and "已超过退单时限" in no["text"]
    assert scene.task(number, "POL")["state"] == "dispatched"


# --- more time ----------------------------------------------------------------------------------------------------

def test_more_time_is_granted_once_and_moves_the_limit_to_a_close_of_business(scene):
    number = scene.report(resident(1), NOISE)
    scene.answer(POL, f"签 {scene.code(POL)}")
    assert instant(scene.task(number, "POL")["close_by"]) == county(2026, 3, 9, 17, 30)
    assert scene.answer(POL, f"延 {scene.code(POL)} 30天 等待配件")["template"] == "move_refused"
    assert scene.answer(POL, f"延 {scene.code(POL)} 5天 等待配件")["template"] == "operator_will_act"
    assert instant(scene.task(number, "POL")["close_by"]) == county(2026, 3, 9, 17, 30), "until it is granted"
    no = scene.answer(POL, f"延 {scene.code(POL)} 6天 等待配件")
    assert no["template"] == "move_refused" and "待批复" in no["text"]
    act(scene, "grant", number, *WHY)
    # 9 March + 5 days is a Saturday: Monday's close of business
    assert instant(scene.task(number, "POL")["close_by"]) == county(2026, 3, 16, 17, 30)
    assert "3月16日17:30" in got(scene, POL, "extension_granted")
    no = scene.answer(POL, f"延 {scene.code(POL)} 1天 等待配件")
    assert no["template"] == "move_refused" and "只可延期一次" in no["text"]
    yellow = [sms for sms in scene.tick(county(2026, 3, 13, 18)) if sms["template"] == "yellow"]
    assert yellow and {instant(sms["made_at"]).date() for sms in yellow} == {datetime.date(2026, 3, 13)}


def test_more_time_that_nobody_answers_leaves_the_limit(scene):
    number = scene.report(resident(1), NOISE)
    scene.answer(POL, f"延 {scene.code(POL)} 5天 等待配件")
    sent = scene.tick(county(2026, 3, 9, 17, 31))
    assert [sms["template"] for sms in told(sent, OFFICE)] == ["request_late"], "a red card of a normal case is the head's"
    assert "extension_lapsed" in [sms["template"] for sms in told(sent, POL)]
    assert instant(scene.task(number, "POL")["close_by"]) == county(2026, 3, 9, 17, 30)
    assert scene.case(number)["requests"][0]["state"] == "lapsed"
    refused(scene, "request", "grant", number, *WHY)


@pytest.mark.parametrize("answered", [True, False], ids=["granted", "nobody answers"])
def test_more_time_asked_for_before_a_wait_is_judged_at_the_limit_as_it_is_then(scene, answered):
    number = scene.report(resident(1), NOISE)
    scene.answer(POL, f"签 {scene.code(POL)}")
    assert scene.answer(POL, f"延 {scene.code(POL)} 3天 等待配件")["template"] == "operator_will_act"
    scene.tick(county(2026, 3, 3, 10))
    act(scene, "wait", number, "--why", "which building?")
    scene.tick(county(2026, 3, 10, 10))  # the limit was the 9th, 17:30
    assert scene.case(number)["requests"][0]["state"] == "pending"
    scene.text(resident(1), "补充：3号楼前的广场")
    moved = scene.task(number, "POL")["close_by"]
    assert instant(moved) > county(2026, 3, 13, 17)
    if answered:
        act(scene, "grant", number, *WHY)
        assert instant(scene.task(number, "POL")["close_by"]) > instant(moved) + datetime.timedelta(days=2)
        return
    scene.tick(instant(moved) + datetime.timedelta(minutes=1))
    assert scene.case(number)["requests"][0]["state"] == "lapsed"
    assert "extension_lapsed" in scene.templates(POL) and scene.task(number, "POL")["close_by"] == moved


def test_what_happens_during_a_wait_stands_still_with_it(scene):
    """A hand-back granted and a helper added while the reporter is waited for: their clocks begin when he has answered."""
    number = scene.report(resident(1), NOISE)
    scene.tick(county(2026, 3, 3, 10))
    act(scene, "wait", number, "--why", "which building?")
    scene.tick(county(2026, 3, 12, 10))
    assert scene.answer(POL, f"退 {scene.code(POL)} 应为县综合行政执法局")["template"] == "operator_will_act", "no window closes"
    act(scene, "grant", number, *WHY)
    act(scene, "task", "add", number, "MKT", "--co", "--days", "5", *WHY)
    assert [(task["unit"], task["next"]) for task in scene.case(number)["tasks"]] == [("POL", None), ("URB", None), ("MKT", None)]
    assert told(scene.tick(county(2026, 3, 20, 10)), URB) == []
    act(scene, "resume", number)
    # six hours of the 3rd and four days were left of POL's way
    for unit, days in (("URB", (26, 27)), ("MKT", (27, 27))):
        task = scene.task(number, unit)
        assert task["next"]["rung"] == "sign_half" and instant(task["close_by"]).day in days, task


# --- two-step close -----------------------------------------------------------------------------------------------

def test_a_result_is_sent_back_twice_at_most_each_time_with_a_new_limit(scene):
    number = scene.report(resident(1), NOISE)
    refused(scene, "law", "redo", number, *WHY)
    limits = [scene.task(number, "POL")["close_by"]]
    for n in (1, 2):
        finish(scene, POL)
        assert queue(scene) == [(number, "done")]
        scene.tick("+1d")
        refused(scene, "why", "redo", number)
        act(scene, "redo", number, "--why", "音响又响了")
        assert "音响又响了" in got(scene, POL, "redo")
        limits.append(scene.task(number, "POL")["close_by"])
        assert limits[-1] > limits[-2] and scene.case(number)["redos"] == n
        assert scene.case(number)["state"] == "working"
        assert scene.task(number, "POL")["next"]["rung"] in ("progress", "yellow")
    finish(scene, POL)
    refused(scene, "redo_limit", "redo", number, *WHY)
    act(scene, "accept", number)
    got(scene, resident(1), "closed")


def test_a_result_nobody_checks_goes_to_the_office(scene):
    number = scene.report(resident(1), NOISE)
    finish(scene, POL)
    late = told(scene.tick("+3h"), OFFICE)
    assert [sms["template"] for sms in late] == ["review_late"] and number in late[0]["text"]


def test_a_reporter_who_is_not_satisfied_asks_for_the_case_to_be_reopened(scene):
    number = scene.report(resident(1), NOISE)
    for n in (1, 2):
        finish(scene, POL)
        act(scene, "accept", number)
        wait_for(lambda: scene.templates(resident(1)).count("survey") == n, what="the survey")
        assert scene.answer(resident(1), "3 音响还在响")["template"] == "thanks_reopen"
        assert queue(scene) == [(number, "reopen")]
        if n == 1:
            act(scene, "grant", number, *WHY)
        else:
            act(scene, "reopen", number, *WHY)
        got(scene, resident(1), "reopened")
        assert scene.case(number)["state"] == "dispatched" and tasks(scene, number)[-1] == ("POL", "lead", "dispatched")
        wait_for(lambda: scene.templates(POL).count("dispatch") == n + 1, what="the new dispatch")
        assert queue(scene) == []
    finish(scene, POL)
    act(scene, "accept", number)
    wait_for(lambda: scene.templates(resident(1)).count("survey") == 3, what="the third survey")
    scene.answer(resident(1), "3 还是不行")
    assert queue(scene) == [], "twice at most"
    refused(scene, "reopen_limit", "reopen", number, *WHY)


def test_a_request_to_reopen_may_be_refused_and_the_reporter_hears_why(scene):
    number = scene.report(resident(1), NOISE)
    finish(scene, POL)
    act(scene, "accept", number)
    wait_for(lambda: "survey" in scene.templates(resident(1)), what="the survey")
    scene.answer(resident(1), "3")
    act(scene, "refuse", number, "--why", "已复查，无噪声")
    assert "已复查" in got(scene, resident(1), "reopen_refused")
    assert scene.case(number)["state"] == "closed"


# --- waiting, merging, withdrawing --------------------------------------------------------------------------------

def test_a_wait_for_the_reporter_stops_normal_clocks_and_a_reply_lets_them_go_on(scene):
    number = scene.report(resident(1), NOISE)
    scene.answer(POL, f"签 {scene.code(POL)}")
    before = scene.task(number, "POL")
    scene.tick(county(2026, 3, 3, 10))
    act(scene, "wait", number, "--ask", "请问是几号楼", "--why", "place unclear")
    assert "请问是几号楼" in got(scene, resident(1), "ask_more")
    assert scene.task(number, "POL")["next"] is None and queue(scene) == [(number, "waiting")]
    assert told(scene.tick(county(2026, 3, 13, 10)), POL) == []
    assert scene.text(resident(1), "补充：3号楼前的广场")["sms"][-1]["template"] == "supplemented"
    after = scene.task(number, "POL")
    assert scene.case(number)["state"] == "working"
    # stopped on a Tuesday at 10:00, went on on the Friday of the week after at 10:00 and some seconds: eight working days
    # later, a few seconds before or behind a close of business
    assert instant(before["close_by"]) == county(2026, 3, 9, 17, 30)
    behind = min(abs(instant(after["close_by"]) - at) for at in (county(2026, 3, 19, 17, 30), county(2026, 3, 20, 8, 30)))
    assert behind < datetime.timedelta(minutes=1), after
    assert after["next"]["rung"] == "progress"
    assert scene.events(number, "limits_moved")[0]["unit"] == "POL"


def test_an_operator_ends_a_wait_and_an_urgent_clock_never_stopped(scene):
    number = scene.report(resident(1), BLOCKED)
    before = scene.task(number, "FIR")
    refused(scene, "law", "resume", number)
    act(scene, "wait", number, "--why", "which lane?")
    assert scene.task(number, "FIR")["next"] == before["next"]
    refused(scene, "law", "wait", number, *WHY)
    act(scene, "resume", number)
    act(scene, "wait", number, "--why", "which lane?")
    assert scene.text(resident(1), "南边那条")["case"] == number, "what is asked for is answered by any words"
    assert scene.case(number)["state"] == "dispatched" and scene.task(number, "FIR")["close_by"] == before["close_by"]


def test_a_result_ends_a_wait(scene):
    number = scene.report(resident(1), NOISE)
    act(scene, "wait", number, *WHY)
    finish(scene, POL)
    assert scene.case(number)["state"] == "done" and queue(scene) == [(number, "done")]


def test_merged_cases_have_one_outcome_which_all_reporters_hear(scene):
    one, two = scene.report(resident(1), BLOCKED), scene.report(resident(2), "龙城御景3号楼消防通道被私家车堵死了")
    scene.text(resident(2), "催")
    refused(scene, "merge_target", "merge", two, "26-999999", *WHY)
    refused(scene, "merge_target", "merge", two, two, *WHY)
    act(scene, "merge", two, one, *WHY)
    got(scene, resident(2), "merged")
    case = scene.case(one)
    assert (case["reporters"], case["chases"], case["priority"]) == (2, 1, 2)
    assert scene.case(two)["state"] == "merged" and {task["state"] for task in scene.case(two)["tasks"]} == {"withdrawn"}
    assert all(task["next"] is None for task in scene.case(two)["tasks"])
    wait_for(lambda: "task_withdrawn" in scene.templates(FIR), what="the officer to hear it")
    refused(scene, "law", "merge", two, one, *WHY)
    first = next(code for code in scene.task(one, "FIR")["codes"])
    assert scene.answer(FIR, f"结 {first} {DONE}")["template"] == "done_noted"
    act(scene, "accept", one)
    for phone in (resident(1), resident(2)):
        assert one in got(scene, phone, "closed")


def test_a_withdrawn_case_is_told_to_officers_and_reporters(scene):
    number = scene.report(resident(1), BLOCKED)
    refused(scene, "why", "withdraw", number)
    act(scene, "withdraw", number, "--why", "a test call")
    for phone in (FIR, POL):
        assert scene.code(phone) in got(scene, phone, "task_withdrawn")
    got(scene, resident(1), "case_withdrawn")
    assert scene.case(number)["state"] == "withdrawn"
    other = scene.report(resident(2), NOISE)
    scene.text(resident(2), "撤")
    assert scene.case(other)["state"] == "withdrawn"
    wait_for(lambda: scene.templates(POL).count("task_withdrawn") == 2, what="the officer to hear it")


# --- class and place ----------------------------------------------------------------------------------------------

def test_an_operator_classes_and_places_what_the_machine_did_not(scene):
    number = scene.report(resident(1), UNSURE, outcome="review")
    entry, = scene.daemon.ctl("review")["cases"]
    assert (entry["case"], entry["kind"], entry["late"]) == (number, "review", False) and entry["left_s"] > 7000
    refused(scene, "type", "assign", number, "XXX-1")
    refused(scene, "unit", "assign", number, "URB-5", "--unit", "NOBODY")
    refused(scene, "place", "assign", number, "URB-5", "--at", "nowhere at all")
    act(scene, "place", number, "--at", "锦绣花园3号楼")
    assert (scene.case(number)["state"], scene.case(number)["compound"]) == ("review", "C001")
    act(scene, "assign", number, "STR-1", *WHY)
    case = scene.case(number)
    assert (case["state"], case["type"], tasks(scene, number)) == ("dispatched", "STR-1", [("STR-JX", "lead", "dispatched")])
    assert "嘉祥街道" in got(scene, resident(1), "receipt_opened")
    assigned = [e for e in scene.events(number, "assigned") if e["unit"] is None][0]
    assert assigned["operator"] and assigned["data"]["why"] == WHY[1]
    # under way it gets another lead, and what was promised stays
    promised = case["tasks"][0]["close_by"]
    act(scene, "assign", number, "--unit", "URB", *WHY)
    assert tasks(scene, number) == [("STR-JX", "lead", "withdrawn"), ("URB", "lead", "dispatched")]
    assert scene.task(number, "URB")["close_by"] == promised
    refused(scene, "unit", "assign", number, "--unit", "URB", *WHY)


def test_a_report_out_of_scope_is_declined(scene):
    number = scene.report(resident(1), UNSURE, outcome="review")
    refused(scene, "law", "assign", number, "OUT-0")
    act(scene, "refuse", number, *WHY)
    assert scene.case(number)["state"] == "not_accepted" and queue(scene) == []
    assert "12345" in got(scene, resident(1), "receipt_out_of_scope")
    refused(scene, "request", "refuse", number, *WHY)


# --- joint enforcement --------------------------------------------------------------------------------------------

def test_joint_units_are_called_to_a_place_and_absentees_are_on_record(scene):
    number = scene.report(resident(1), BLOCKED)
    refused(scene, "one_open_task_per_unit", "task", "add", number, "POL", "--co", *WHY)
    refused(scene, "rollcall", "rollcall", number, "--at", "+1h")
    act(scene, "task", "add", number, "URB", "--co", "--days", "5", *WHY)
    assert tasks(scene, number) == [("FIR", "lead", "dispatched"), ("POL", "co", "dispatched"), ("URB", "co", "dispatched")]
    assert instant(scene.task(number, "URB")["close_by"]) == county(2026, 3, 9, 17, 30)
    assert scene.code(URB) in got(scene, URB, "dispatch_co")
    act(scene, "rollcall", number, "--at", "2026-03-02T14:00", "--place", "锦绣花园南门")
    for phone in (FIR, POL, URB):
        assert all(words in got(scene, phone, "rollcall") for words in ("3月2日14:00", "锦绣花园南门", scene.code(phone)))
    scene.answer(FIR, f"签 {scene.code(FIR)}")
    scene.tick(county(2026, 3, 2, 13, 58))
    for phone in (FIR, POL):
        assert scene.answer(phone, f"到 {scene.code(phone)}")["template"] == "arrived"
    absent = [sms for sms in scene.tick(county(2026, 3, 2, 14, 31)) if sms["template"] == "absent"]
    assert {sms["to"] for sms in absent} == {OPERATOR, contact("URB", "head")}
    assert [e["unit"] for e in scene.events(number, "absent")] == ["URB"]
    assert sorted(e["unit"] for e in scene.events(number, "present")) == ["FIR", "POL"]
    roll, = scene.case(number)["rollcalls"]
    assert [(unit["unit"], bool(unit["present_at"])) for unit in roll["units"]] == [("FIR", True), ("POL", True), ("URB", False)]
    assert (number, "joint") in [(entry["case"], entry["reason"]) for entry in scene.daemon.ctl("agenda")["agenda"]]
    assert [e["data"] for e in scene.events(number, "absent")][0]["rollcall"]
    # one result closes it; the co units' own words do not
    assert scene.answer(POL, f"结 {scene.code(POL)} {DONE}")["template"] == "done_noted"
    assert scene.case(number)["state"] == "working"
    finish(scene, FIR)
    # a helper that never signed keeps the outcome from nobody: the operator sees it, it is on record, and told
    entry, = [entry for entry in scene.daemon.ctl("review")["cases"] if entry["kind"] == "done"]
    assert entry["unsigned"] == ["URB"] and "[never signed: URB]" in scene.daemon.ctl("review", json=False)
    act(scene, "accept", number)
    assert {state for _, _, state in tasks(scene, number)} == {"closed"}
    assert [(e["unit"], e["data"].get("reason")) for e in scene.events(number, "absent")] == [("URB", None), ("URB", "never signed")]
    for phone in (contact("URB", "head"), OFFICE):
        assert "县综合行政执法局" in got(scene, phone, "never_signed")


def test_help_that_a_unit_asks_for_is_granted_as_a_co_task(scene):
    number = scene.report(resident(1), NOISE)
    assert scene.answer(POL, f"协 {scene.code(POL)} 县综合行政执法局")["template"] == "operator_will_act"
    act(scene, "grant", number, *WHY)
    assert tasks(scene, number) == [("POL", "lead", "dispatched"), ("URB", "co", "dispatched")]
    assert "县综合行政执法局" in got(scene, POL, "assist_granted")


# --- 催办 ---------------------------------------------------------------------------------------------------------

def test_the_next_reminder_tells_how_often_and_by_how_many_people_it_was_pushed(scene):
    scene.report(resident(1), NOISE)
    number = scene.report(resident(2), "碧水云天楼下广场舞音响声音太大扰民，受不了", outcome="joined")
    for _ in range(3):
        scene.text(resident(1), "催")
    scene.tick("+3h")
    text = got(scene, POL, "remind_sign")
    assert "第3次催办，已有2人反映" in text
    case = scene.case(number)
    assert (case["chases"], case["reporters"], case["priority"]) == (3, 2, 4)


# --- a property company reports -----------------------------------------------------------------------------------

def test_a_company_texts_what_it_photographed_and_stopped(scene):
    company = contact("PMC-01")
    number = scene.text(company, "报 锦绣花园3号楼消防通道被私家车堵死了")["case"]
    assert instant(scene.case(number)["duty"]["due_at"]) - instant(scene.case(number)["opened_at"]) == datetime.timedelta(hours=24)
    assert scene.answer(company, "制止 车主已被劝离")["template"] == "supplemented"
    stages = {stage["stage"]: stage["actor"] for stage in scene.case(number)["stages"]}
    assert (stages["制止"], stages["拍照"]) == ("reporter", None)
    soon = [sms for sms in scene.tick("+21h") if sms["template"] == "duty_soon"]
    assert [sms["to"] for sms in soon] == [company] and "拍照" in soon[0]["text"] and "制止" not in soon[0]["text"]
    missed = [sms for sms in scene.tick("+4h") if sms["template"] == "duty_missed"]
    assert {sms["to"] for sms in missed} == {company, contact("PMC-01", "head")}
    assert scene.case(number)["duty"]["missed"] == ["photo"]


def test_a_grid_worker_reports_with_the_same_day_and_gets_no_tasks(make_daemon, database):
    grid = "+8610000000970"
    database.sql("with p as (insert into hl.person (phone, name) values (%s, '示范网格员') returning id)"
                 " insert into hl.contact (unit, person_id, role, verified_at) select 'STR-JX', id, 'grid', now() from p", (grid,))
    scene = Scene(make_daemon())
    number = scene.text(grid, "发现锦绣花园3号楼消防通道被私家车堵死了，劝阻无效")["case"]
    assert scene.case(number)["duty"]["unit"] == "STR-JX"
    stages = {stage["stage"]: stage["actor"] for stage in scene.case(number)["stages"]}
    assert (stages["发现"], stages["制止"], stages["拍照"]) == ("reporter", "reporter", None)
    assert scene.answer(grid, "拍照 已拍3张")["template"] == "ask_stage_photo"
    act(scene, "stage", number, "photo")
    act(scene, "assign", scene.report(resident(1), "锦绣花园物业不打扫卫生，楼道垃圾没人管", outcome="review"), "STR-1")
    got(scene, contact("STR-JX"), "dispatch")
    assert [sms for sms in scene.inbox(grid) if sms["kind"] == "dispatch"] == []
    assert [sms for sms in scene.tick("+25h") if sms["template"].startswith("duty")] == []
    assert scene.case(number)["duty"]["missed"] == []


# --- races, and who may ------------------------------------------------------------------------------------------------------

def test_of_two_operators_who_answer_at_once_one_is_told_that_nothing_is_asked_any_more(scene):
    number = scene.report(resident(1), NOISE)
    scene.answer(POL, f"退 {scene.code(POL)} 应为县综合行政执法局")
    grant = [BUILD / "hotlinectl", "-c", scene.daemon.conf_path, "grant", number, *WHY]
    both = [subprocess.Popen(grant, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = sorted((one.wait(30), one.stderr.read()) for one in both)
    assert [code for code, _ in said] == [0, 1] and "request: " in said[1][1], said
    assert tasks(scene, number) == [("POL", "lead", "handed_back"), ("URB", "lead", "dispatched")]


def test_a_settled_lead_is_a_supervisors_to_change(make_daemon, database):
    me = pwd.getpwuid(os.geteuid()).pw_name
    scene = Scene(make_daemon({"operators": {me: "operator"}}))
    number = scene.report(resident(1), NOISE)
    database.sql("update hl.case set is_frozen = true")
    refused(scene, "handback_frozen", "assign", number, "--unit", "URB", *WHY)
    assert "role" in scene.daemon.ctl("agenda", "settle", number, *WHY, code=1)["error"]
    assert scene.daemon.ctl("agenda")["agenda"] == []
