"""From a resident's text to a closed case, and every turn off that way, as phones and hotlinectl show them."""
import concurrent.futures

import pytest

from hl_scene import OFFICE, OPERATOR, Scene, contact, name_of, resident
from hl_testlib import wait_for

BLOCKED = "锦绣花园3号楼消防通道被私家车堵死了"
NOISE = "碧水云天楼下广场舞音响声音太大扰民"
LIFT_NO_PLACE = "我们小区电梯坏了三天没人修"
GAS_NO_PLACE = "煤气泄漏了，味道很大，快来人"
TRAPPED = "祥和家园2号楼电梯关人了，有人被困"
RESULT = "属实，已联系举报人，车辆已拖离"

FIR, POL = contact("FIR"), contact("POL")


@pytest.fixture
def database(cluster):
    """A database per test: tasks left open by one test would change what an officer's words mean in another."""
    made = cluster.create_database()
    yield made
    made.drop()


@pytest.fixture
def scene(daemon):
    return Scene(daemon)


def open_and_finish(scene, *reporters):
    """A case that the lead unit says is done."""
    for phone in reporters:
        number = scene.text(phone, BLOCKED)["case"]
    assert scene.answer(FIR, f"结 {scene.code(FIR)} {RESULT}")["template"] == "done_noted"
    return number


# --- the straight way ---------------------------------------------------------------------------------------------

def test_a_report_is_dispatched_signed_done_accepted_and_rated(scene):
    mother = resident(1)
    reply = scene.text(mother, BLOCKED)
    number = reply["case"]
    assert reply["outcome"] == "dispatch"
    assert [(sms["to"], sms["template"], sms["lane"]) for sms in reply["sms"]] == [
        (FIR, "dispatch", "dispatch"), (POL, "dispatch_co", "dispatch"), (mother, "receipt_opened", "reply")]
    assert all(sms["state"] == "accepted" for sms in reply["sms"])
    case = scene.case(number)
    assert (case["state"], case["type"], case["urgency"], case["compound"]) == ("dispatched", "FIR-1", "urgent", "C001")
    assert [(task["unit"], task["role"], task["state"]) for task in case["tasks"]] == [
        ("FIR", "lead", "dispatched"), ("POL", "co", "dispatched")]
    receipt = scene.inbox(mother)[0]["text"]
    assert number in receipt and "县消防救援大队" in receipt
    assert receipt.startswith("【县民生热线】")

    code = scene.code(FIR)
    assert code != scene.code(POL)
    signed = scene.answer(FIR, f"签 {code}")
    assert signed["template"] == "signed" and code in signed["text"]
    assert scene.case(number)["state"] == "working"
    assert scene.task(number, "FIR")["state"] == "signed"
    assert scene.task(number, "POL")["state"] == "dispatched", "one unit's signature is not another's"

    done = scene.text(FIR, f"结 {code} {RESULT}")
    assert [(sms["to"], sms["template"]) for sms in done["sms"]] == [(OPERATOR, "operator_done"), (FIR, "done_noted")]
    case = scene.case(number)
    assert case["state"] == "done" and scene.task(number, "FIR")["result"] == RESULT
    assert scene.templates(mother) == ["receipt_opened"], "the outcome is the centre's to tell"

    scene.daemon.ctl("accept", number, "--why", "called back")
    wait_for(lambda: len(scene.inbox(mother)) == 3, what="outcome and survey")
    assert scene.templates(mother) == ["receipt_opened", "closed", "survey"]
    assert RESULT in scene.inbox(mother)[1]["text"]
    case = scene.case(number)
    assert case["state"] == "closed" and {task["state"] for task in case["tasks"]} == {"closed"}
    assert all(task["next"] is None for task in case["tasks"]), "no clock runs on a closed case"

    assert scene.answer(mother, "1")["template"] == "thanks"
    assert [e["data"]["rating"] for e in scene.events(number, "rated")] == ["1"]
    assert [e["kind"] for e in scene.events(number)] == [
        "opened", "assigned", "assigned", "signed", "started", "done", "done", "closed", "closed", "absent", "closed", "rated"]
    assert scene.daemon.ctl("verify")["broken"] == []


def test_the_stages_of_the_notice_show_who_and_when_or_nothing(scene):
    number = open_and_finish(scene, resident(1))
    scene.daemon.ctl("accept", number)
    stages = {s["stage"]: s for s in scene.case(number)["stages"]}
    assert list(stages) == ["发现", "拍照", "制止", "呈报", "处理", "结案"]
    assert [stages[s]["actor"] for s in ("发现", "呈报", "结案")] == ["reporter", "system", "operator"]
    assert stages["拍照"]["at"] is None and stages["制止"]["at"] is None


def test_no_text_to_a_unit_tells_who_reported(scene):
    number = open_and_finish(scene, resident(77))
    for sms in scene.case(number)["notices"]:
        assert sms["to"] == resident(77) or "00000077" not in sms["text"]


def test_a_case_is_not_accepted_before_the_unit_says_it_is_done(scene):
    number = scene.report(resident(1), BLOCKED)
    scene.daemon.ctl("accept", number, code=1)
    assert scene.case(number)["state"] == "dispatched"
    assert scene.templates(resident(1)) == ["receipt_opened"]


# --- joins --------------------------------------------------------------------------------------------------------

def test_a_second_reporter_joins_and_both_hear_the_outcome(scene):
    number = scene.report(resident(1), BLOCKED)
    before = scene.templates(FIR)
    assert scene.report(resident(2), "锦绣花园3号楼消防通道又被私家车堵了", outcome="joined") == number
    assert scene.templates(resident(2)) == ["receipt_joined"]
    assert scene.templates(FIR) == before, "the unit is not texted again"
    assert scene.case(number)["reporters"] == 2
    scene.text(FIR, f"结 {scene.code(FIR)} {RESULT}")
    scene.daemon.ctl("accept", number)
    for phone in (resident(1), resident(2)):
        wait_for(lambda: scene.templates(phone)[1:] == ["closed", "survey"], what=f"outcome and survey to {phone}")


def test_the_same_matter_at_another_place_is_another_case(scene):
    first = scene.report(resident(1), BLOCKED)
    assert scene.report(resident(2), "龙城御景3号楼消防通道被私家车堵死了") != first


def test_a_later_text_about_the_same_thing_joins_the_senders_case(scene):
    number = scene.report(resident(1), BLOCKED)
    reply = scene.text(resident(1), "锦绣花园3号楼消防通道还是被私家车堵着")
    assert reply["case"] == number and reply["sms"][-1]["template"] == "supplemented"
    assert scene.case(number)["reporters"] == 1
    assert len(scene.events(number, "supplemented")) == 1


def test_a_later_text_about_something_else_opens_a_case_of_its_own(scene):
    number = scene.report(resident(1), BLOCKED)
    reply = scene.text(resident(1), NOISE)
    assert reply["case"] not in (None, number)
    assert scene.case(reply["case"])["type"] == "POL-6"


def test_texts_that_wait_together_about_one_matter_make_one_case(scene, database):
    """Two texts fill both batches under way; what waits behind them is one batch."""
    others = [(resident(20 + n), f"{place}广场舞音响声音太大扰民") for n, place in enumerate(("碧水云天", "龙城御景"))]
    lock = database.connect()
    lock.autocommit = False
    lock.cursor().execute("lock table hl.person in share mode")
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        replies = []
        for texts in ([others[0]], [others[1]], [(resident(n), BLOCKED) for n in range(1, 9)]):
            replies += [pool.submit(scene.daemon.hook, words, sender) for sender, words in texts]
            waiting = f"hotlined_intake_waiting {len(replies)}\n".encode()
            wait_for(lambda: waiting in scene.daemon.http("GET", "/metrics").body, what=f"{len(replies)} texts to wait")
        lock.rollback()
        assert [reply.result().status for reply in replies] == [200] * 10
    lock.close()
    assert scene.daemon.sql("select reporters, state from hl.case where type = 'FIR-1'") == [{"reporters": 8, "state": "dispatched"}]


# --- review, scope, substance -------------------------------------------------------------------------------------

def test_a_report_without_place_is_asked_for_it_and_dispatched_when_it_comes(scene):
    caller = resident(3)
    number = scene.report(caller, LIFT_NO_PLACE, outcome="review")
    assert scene.templates(caller) == ["ask_place"] and number in scene.inbox(caller)[0]["text"]
    assert scene.case(number)["tasks"] == []
    assert scene.templates(contact("MKT")) == []
    assert scene.templates(OPERATOR) == ["review_new"]

    assert scene.text(caller, "锦绣江南5号楼")["case"] == number
    case = scene.case(number)
    assert (case["state"], case["compound"]) == ("dispatched", "C005")
    assert [(task["unit"], task["role"]) for task in case["tasks"]] == [("MKT", "lead"), ("PMC-04", "co")]
    assert "锦绣江南5号楼" in scene.inbox(contact("MKT"))[0]["text"]
    scene.tick("+40m")
    assert "review_late" not in scene.templates(OFFICE), "the operator's limit ends with the review"


def test_an_unsure_class_waits_for_an_operator_and_nobody_is_sent(scene):
    number = scene.report(resident(4), "龙城御景物业保洁不打扫楼道卫生", outcome="review")
    assert scene.case(number)["tasks"] == []
    assert scene.templates(resident(4)) == ["receipt_review"]
    assert [case["case"] for case in scene.daemon.ctl("review")["cases"]] == [number]
    assert {sms["to"]: sms["template"] for sms in scene.case(number)["notices"]} == {
        OPERATOR: "review_new", resident(4): "receipt_review"}


def test_a_matter_out_of_scope_is_answered_with_where_to_turn_and_sent_to_nobody(scene):
    number = scene.report(resident(5), "想问问社保卡怎么办理", outcome="not_accepted")
    case = scene.case(number)
    assert case["state"] == "not_accepted" and case["tasks"] == []
    assert [sms["to"] for sms in case["notices"]] == [resident(5)]
    assert "12345" in scene.inbox(resident(5))[0]["text"]


@pytest.mark.parametrize("words", ["", "  ", "\u3000\n"])
def test_an_empty_text_is_asked_for_its_matter_and_opens_nothing(scene, words):
    assert scene.daemon.hook(words, resident(6)).status == 200
    wait_for(lambda: scene.templates(resident(6)) == ["ask_substance"], what="the question")
    assert scene.daemon.sql("select count(*) as n from hl.case") == [{"n": 0}]


def test_a_short_code_is_stored_and_never_answered(scene):
    assert scene.daemon.hook(BLOCKED, "12345").status == 200
    wait_for(lambda: scene.daemon.sql("select outcome from hl.message") == [{"outcome": "silent"}], what="the message")
    assert scene.daemon.sql("select (select count(*) from hl.notice) + (select count(*) from hl.case) as n") == [{"n": 0}]


# --- emergencies --------------------------------------------------------------------------------------------------

def test_an_emergency_goes_out_at_once_and_tells_the_resident_whom_to_ring(scene):
    reply = scene.text(resident(7), TRAPPED)
    assert [(sms["to"], sms["template"], sms["lane"]) for sms in reply["sms"]] == [
        (contact("MKT"), "dispatch", "emergency"), (contact("PMC-02"), "dispatch_co", "emergency"),
        (resident(7), "receipt_emergency", "emergency")]
    for number in ("110", "119", "120", reply["case"]):
        assert number in scene.inbox(resident(7))[0]["text"]
    assert "待核实" not in scene.inbox(contact("MKT"))[0]["text"]
    assert not scene.case(reply["case"])["unverified"]


def test_gas_at_an_unknown_compound_goes_unverified_to_both_gas_companies_and_the_duty_contact(scene):
    number = scene.report(resident(8), GAS_NO_PLACE)
    case = scene.case(number)
    assert case["unverified"] and case["urgency"] == "emergency"
    assert [(task["unit"], task["role"]) for task in case["tasks"]] == [("UTI-GRX", "lead"), ("UTI-GCS", "co"), ("HOU", "co")]
    for company in ("UTI-GRX", "UTI-GCS"):
        assert "待核实" in scene.inbox(contact(company))[0]["text"]
    assert scene.templates(OPERATOR) == ["review_new"]
    assert scene.templates(resident(8)) == ["ask_place_emergency"]
    for words in ("110", "119", "120", "小区"):
        assert words in scene.inbox(resident(8))[0]["text"]


def test_a_place_said_after_an_unplaced_emergency_reaches_all_who_were_sent(scene):
    number = scene.report(resident(8), GAS_NO_PLACE)
    reply = scene.text(resident(8), "锦绣花园3号楼")
    assert reply["case"] == number and scene.case(number)["compound"] == "C001"
    placed = [sms for sms in reply["sms"] if sms["template"] == "placed"]
    assert {sms["to"] for sms in placed} == {contact(unit) for unit in ("UTI-GRX", "UTI-GCS", "HOU")}
    assert all("锦绣花园3号楼" in sms["text"] and sms["lane"] == "emergency" for sms in placed)
    gas = contact("UTI-GRX")
    assert scene.answer(gas, f"签 {scene.code(gas)}")["template"] == "signed"


@pytest.mark.parametrize("words", ["补充：祥和家园2号楼电梯关人了，有人被困", "怎么还没人来，楼道着火了，锦绣花园3号楼"])
def test_an_emergency_said_in_a_dialogue_about_something_else_is_one(scene, words):
    number = scene.report(resident(9), NOISE)
    reply = scene.text(resident(9), words)
    assert reply["case"] not in (None, number)
    assert scene.case(reply["case"])["urgency"] == "emergency"
    assert scene.templates(resident(9))[-1] == "receipt_emergency"


# --- officers' verbs ----------------------------------------------------------------------------------------------

def test_an_officer_arrives_reports_progress_and_closes(scene):
    number = scene.report(resident(1), NOISE)
    code = scene.code(POL)
    limit = scene.task(number, "POL")["close_by"]
    assert scene.answer(POL, f"到 {code}")["template"] == "arrived"
    task = scene.task(number, "POL")
    assert task["state"] == "arrived" and task["signed_at"] == task["arrived_at"], "who is there has signed"
    assert scene.answer(POL, f"进展 {code} 正在劝离")["template"] == "progress_noted"
    assert scene.answer(POL, f"结 {code} {RESULT}")["template"] == "done_noted"
    assert [e["kind"] for e in scene.events(number) if e["unit"]] == ["assigned", "arrived", "progress_said", "done"]
    assert scene.task(number, "POL")["close_by"] == limit
    assert scene.answer(POL, f"签 {code}")["template"] == "already_done"
    assert scene.task(number, "POL")["state"] == "done"


def test_a_close_without_result_is_asked_for_it(scene):
    number = scene.report(resident(1), NOISE)
    assert scene.answer(POL, f"结 {scene.code(POL)}")["template"] == "ask_close"
    assert scene.task(number, "POL")["state"] == "dispatched"


@pytest.mark.parametrize("words, state", [("退 {} 不属于本单位，应为县综合行政执法局", "handback"),
                                          ("延 {} 3天 等待配件", "dispatched"), ("协 {} 县综合行政执法局", "dispatched")])
def test_what_an_operator_must_grant_goes_to_the_operator_and_moves_no_limit(scene, words, state):
    number = scene.report(resident(1), NOISE)
    before = scene.task(number, "POL")
    reply = scene.text(POL, words.format(scene.code(POL)))
    assert [(sms["to"], sms["template"]) for sms in reply["sms"]] == [
        (OPERATOR, "operator_asked"), (POL, "operator_will_act")]
    after = scene.task(number, "POL")
    assert (after["state"], after["close_by"], after["next"]) == (state, before["close_by"], before["next"])


def test_the_second_to_sign_is_told_who_was_first(scene):
    number = scene.report(resident(1), BLOCKED)
    scene.tick("+65m")
    deputy = contact("FIR", "deputy")
    assert scene.templates(deputy) == ["sign_overdue"]
    assert scene.answer(deputy, f"签 {scene.code(deputy)}")["template"] == "signed"
    late = scene.answer(FIR, f"签 {scene.code(FIR)}")
    assert late["template"] == "already_signed" and name_of(deputy) in late["text"]
    assert len([e for e in scene.events(number, "signed") if e["unit"] == "FIR"]) == 1


def test_of_two_who_sign_in_one_moment_one_signs_and_one_is_told(scene):
    number = scene.report(resident(1), BLOCKED)
    scene.tick("+65m")
    people = [FIR, contact("FIR", "deputy"), contact("FIR", "head")]
    codes = [scene.code(phone) for phone in people]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda phone, code: scene.daemon.hook(f"签 {code}", phone), people, codes))
    wait_for(lambda: scene.daemon.ctl("idle")["idle"], what="all answers to leave")
    assert sorted(scene.templates(phone)[-1] for phone in people) == ["already_signed", "already_signed", "signed"]
    assert len([e for e in scene.events(number, "signed") if e["unit"] == "FIR"]) == 1


def test_without_code_and_with_several_tasks_a_menu_is_sent_and_nothing_moves(scene):
    numbers = [scene.report(resident(1), NOISE), scene.report(resident(2), "龙城御景广场舞音响声音太大扰民")]
    menu = scene.answer(POL, "到")
    assert menu["template"] == "menu_task"
    for number in numbers:
        task = scene.task(number, "POL")
        assert task["state"] == "dispatched" and task["codes"][0] in menu["text"]


def test_sign_all_signs_every_task_that_waits(scene):
    numbers = [scene.report(resident(1), NOISE), scene.report(resident(2), "龙城御景广场舞音响声音太大扰民")]
    assert scene.answer(POL, "签全部")["template"] == "signed_all"
    assert [scene.task(number, "POL")["state"] for number in numbers] == ["signed", "signed"]


def test_an_officer_with_nothing_to_do_is_told_so_and_helped(scene):
    assert scene.answer(POL, "签")["template"] == "no_task"
    assert scene.answer(POL, "帮助")["template"] == "help_officer"


def test_an_officer_reports_as_a_resident_with_the_word_in_front(scene):
    reply = scene.text(POL, "反映 " + BLOCKED)
    case = scene.case(reply["case"])
    assert case["type"] == "FIR-1" and case["reporters"] == 1
    assert "receipt_opened" in scene.templates(POL)


# --- trust --------------------------------------------------------------------------------------------------------

def test_without_typed_code_a_channel_of_low_trust_signs_but_does_not_close(scene):
    number = scene.report(resident(1), NOISE)
    assert scene.answer(POL, "签")["template"] == "signed"
    assert scene.answer(POL, f"结 {RESULT}")["template"] == "need_code"
    assert scene.answer(POL, "退 不属于本单位")["template"] == "need_code"
    assert scene.task(number, "POL")["state"] == "signed"
    assert scene.answer(POL, f"结 {scene.code(POL)} {RESULT}")["template"] == "done_noted"


def test_a_channel_that_vouches_for_numbers_closes_without_code(make_daemon):
    scene = Scene(make_daemon(sections={"channel loopback": {"trust": "high"}}))
    number = scene.report(resident(1), NOISE)
    assert scene.answer(POL, f"结 {RESULT}")["template"] == "done_noted"
    assert scene.task(number, "POL")["state"] == "done"


def test_wrong_codes_are_counted_the_fifth_tells_the_head_and_the_right_one_still_works(scene):
    number = scene.report(resident(1), NOISE)
    head, code = contact("POL", "head"), scene.code(POL)
    wrong = "22222" if code != "22222" else "33333"
    for n in range(1, 7):
        assert scene.answer(POL, f"签 {wrong}")["template"] == "wrong_code"
        assert scene.templates(head).count("wrong_codes") == (n >= 5), f"after {n} wrong codes"
    assert scene.task(number, "POL")["state"] == "dispatched"
    assert scene.answer(POL, f"签 {code}")["template"] == "signed"


def test_wrong_codes_an_hour_apart_alarm_nobody(scene):
    scene.report(resident(1), NOISE)
    for _ in range(2):
        for _ in range(3):
            scene.answer(POL, "签 22222")
        scene.tick("+61m")
    assert "wrong_codes" not in scene.templates(contact("POL", "head"))


@pytest.mark.parametrize("sender", [resident(9), contact("URB")])
def test_who_is_not_of_the_unit_cannot_act_even_with_its_code(scene, sender):
    number = scene.report(resident(1), NOISE)
    before = scene.case(number)
    scene.text(sender, f"结 {scene.code(POL)} {RESULT}")
    after = scene.case(number)
    assert (after["tasks"], after["events"]) == (before["tasks"], before["events"])


# --- residents' verbs ---------------------------------------------------------------------------------------------

def test_a_resident_asks_for_the_state_of_her_own_case_only(scene):
    number = scene.report(resident(1), NOISE)
    status = scene.answer(resident(1), "查")
    assert status["template"] == "status"
    for words in (number, "已派单", "县公安局"):
        assert words in status["text"]
    other = scene.answer(resident(2), f"查 {number}")
    assert other["template"] == "not_your_case" and "县公安局" not in other["text"]


def test_a_chase_is_counted_and_quoted_in_the_next_reminder(scene):
    number = scene.report(resident(1), BLOCKED)
    for n in (1, 2):
        assert f"第{n}次" in scene.answer(resident(1), "催")["text"]
    assert scene.case(number)["chases"] == 2
    reminders = [sms for sms in scene.tick("+31m") if sms["template"] == "remind_sign" and sms["to"] == FIR]
    assert len(reminders) == 1 and "第2次" in reminders[0]["text"]


def test_a_supplement_is_kept_with_the_case(scene):
    number = scene.report(resident(1), NOISE)
    assert scene.answer(resident(1), "补充 每晚九点以后")["template"] == "supplemented"
    assert len(scene.events(number, "supplemented")) == 1


def test_a_withdrawal_takes_back_one_report_and_the_last_one_ends_the_case(scene):
    number = scene.report(resident(1), BLOCKED)
    scene.report(resident(2), BLOCKED, outcome="joined")
    assert scene.answer(resident(1), "撤")["template"] == "withdrawn"
    assert scene.case(number)["state"] == "dispatched", "the case lives while others remain"
    assert scene.answer(resident(2), "撤")["template"] == "withdrawn"
    case = scene.case(number)
    assert case["state"] == "withdrawn" and {task["state"] for task in case["tasks"]} == {"withdrawn"}
    before = scene.templates(FIR)
    scene.tick("+5h")
    assert scene.templates(FIR) == before, "no clock runs on a withdrawn case"


def test_who_withdrew_does_not_hear_the_outcome(scene):
    number = scene.report(resident(1), BLOCKED)
    scene.report(resident(2), BLOCKED, outcome="joined")
    scene.text(resident(1), "撤")
    scene.text(FIR, f"结 {scene.code(FIR)} {RESULT}")
    scene.daemon.ctl("accept", number)
    wait_for(lambda: "survey" in scene.templates(resident(2)), what="the other reporter's survey")
    assert "closed" not in scene.templates(resident(1))


# --- loop guard ---------------------------------------------------------------------------------------------------

def test_five_answers_that_led_to_nothing_are_the_last_of_the_hour(scene):
    caller = resident(10)
    for n in range(1, 8):
        assert (scene.answer(caller, "查") is not None) == (n <= 5), f"answer {n}"
    scene.tick("+61m")
    assert scene.answer(caller, "查") is not None, "a new hour"


def test_the_loop_guard_never_holds_back_an_emergency(scene):
    for _ in range(6):
        scene.text(resident(10), "查")
    scene.report(resident(10), TRAPPED)
    assert scene.templates(resident(10))[-1] == "receipt_emergency"


def test_a_valid_verb_starts_the_loop_guard_anew(scene):
    for _ in range(4):
        scene.text(resident(10), "查")
    scene.report(resident(10), NOISE)
    scene.text(resident(10), "催")
    for _ in range(4):
        assert scene.answer(resident(10), "查") is not None
