"""What supervisors and contacts get at times of their own: the digest, the roll-call, the watch over silence; and what a
rung knows: progress told, counts of 催办, working hours after an outage, rungs of one instant.

Case time starts on Monday 2026-03-02, the first working day of March.
"""
import datetime
import json

import pytest

from hl_scene import LEADERS, OFFICE, OPERATOR, Scene, contact, county, instant, resident, set_clock
from hl_testlib import Conf, run_ctl, wait_for

POWER = "盛世嘉园1单元家里停电了"                   # urgent, a utility leads
NOISE = "碧水云天楼下广场舞音响声音太大扰民"        # normal, POL leads
MONDAY = county(2026, 3, 2, 10)


@pytest.fixture
def database(cluster):
    """A database per test: its clock is the test's own."""
    made = cluster.create_database()
    yield made
    made.drop()


@pytest.fixture
def start(make_daemon, database):
    """start(at) -> Scene whose case time is that instant."""

    def begin(at=MONDAY):
        set_clock(database, at)
        return Scene(make_daemon())

    return begin


def of_kind(scene, phone, kind):
    return [sms for sms in scene.inbox(phone) if sms["kind"] == kind]


def params(scene, kind):
    return [row["params"] for row in scene.daemon.sql("select params from hl.notice where kind = %s order by id", (kind,))]


# --- digest -------------------------------------------------------------------------------------------------------

def test_every_supervisor_gets_one_digest_each_working_morning(start):
    scene = start()
    number = scene.report(resident(1), NOISE)
    scene.tick(county(2026, 3, 9, 9))  # the next Monday
    for phone in (contact("POL", "head"), OFFICE, LEADERS):
        mornings = [instant(sms["made_at"]) for sms in of_kind(scene, phone, "digest")]
        assert [at.replace(second=0) for at in mornings] == [county(2026, 3, day, 8, 30) for day in (3, 4, 5, 6, 9)], phone
    assert of_kind(scene, contact("FIR", "head"), "digest") == [], "nothing is open there"
    assert of_kind(scene, contact("POL"), "digest") == [] == of_kind(scene, OPERATOR, "digest")
    last = of_kind(scene, OFFICE, "digest")[-1]
    assert number in last["text"] and last["state"] == "accepted"
    counts = params(scene, "digest")[-1]
    assert (counts["open"], counts["unsigned"], counts["today"], counts["overdue"]) == (1, 1, 1, 0)


def test_a_normal_red_card_stands_in_the_digest_of_the_office_with_the_days(start):
    scene = start()
    number = scene.report(resident(1), NOISE)
    scene.tick(county(2026, 3, 10, 9))  # breach on the 9th at 17:30
    assert [sms["kind"] for sms in scene.inbox(OFFICE) if sms["kind"] == "red"] == []
    assert len(of_kind(scene, contact("POL", "head"), "red")) == 1
    text = of_kind(scene, OFFICE, "digest")[-1]["text"]
    assert f"1. {number}碧水云天超1天" in text and "超期1（新增1）" in text, text


def test_the_digest_names_the_worst_three_of_all_and_counts_the_rest(start):
    scene = start()
    numbers = []
    for n, place in enumerate(("碧水云天", "龙城御景", "金都华府", "盛世嘉园"), 1):
        numbers.append(scene.report(resident(n), f"{place}广场舞音响声音太大扰民"))
    scene.tick(county(2026, 3, 3, 9))
    text = of_kind(scene, OFFICE, "digest")[-1]["text"]
    assert "在办4件" in text and all(number in text for number in numbers[:3]) and numbers[3] not in text


def test_a_digest_missed_by_days_is_not_sent_late(start, database):
    scene = start()
    scene.report(resident(1), NOISE)
    scene.daemon.stop()
    set_clock(database, county(2026, 3, 7, 20))  # a Saturday
    scene.daemon.start()
    wait_for(lambda: scene.daemon.ctl("idle")["idle"], what="everything due to be sent")
    assert params(scene, "digest") == []
    scene.tick(county(2026, 3, 9, 9))
    assert len(of_kind(scene, OFFICE, "digest")) == 1


def test_two_daemons_send_one_digest(make_daemon, database):
    set_clock(database, MONDAY)
    scene = Scene(make_daemon())
    make_daemon()
    scene.report(resident(1), NOISE)
    scene.tick(county(2026, 3, 4, 9))
    assert len(of_kind(scene, OFFICE, "digest")) == 2 == len(of_kind(scene, contact("POL", "head"), "digest"))


# --- rungs --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("told", [False, True], ids=["silent", "told"])
def test_only_a_silent_task_is_asked_for_progress(start, told):
    scene = start()
    scene.report(resident(1), NOISE)
    officer = contact("POL")
    scene.text(officer, f"签 {scene.code(officer)}")
    if told:
        scene.text(officer, f"进展 {scene.code(officer)} 已到现场，正在劝离")
    scene.tick(county(2026, 3, 5, 18))  # the answer is due on the third day
    assert len(of_kind(scene, officer, "progress")) == (0 if told else 1)


def test_a_reminder_quotes_how_often_and_by_how_many_it_was_chased(start):
    scene = start()
    scene.report(resident(1), NOISE)
    scene.report(resident(2), NOISE, outcome="joined")
    scene.text(resident(1), "催")
    scene.text(resident(1), "催")
    scene.tick("+4h")
    text = of_kind(scene, contact("POL"), "sign_half")[0]["text"]
    assert "第2次催办" in text and "已有2人反映" in text, text


def test_a_normal_reminder_missed_in_an_outage_waits_for_the_morning_and_an_urgent_one_does_not(start, database):
    scene = start()
    scene.report(resident(1), NOISE)
    scene.report(resident(2), POWER)
    scene.daemon.stop()
    set_clock(database, county(2026, 3, 3, 23))
    scene.daemon.start()
    wait_for(lambda: scene.daemon.ctl("idle")["idle"], what="everything due to be sent")
    assert of_kind(scene, contact("UTI-PWR", "head"), "sign_limit") != []
    assert of_kind(scene, contact("POL", "head"), "sign_limit") == []
    scene.tick(county(2026, 3, 4, 9))
    sent, = of_kind(scene, contact("POL", "head"), "sign_limit")
    assert instant(sent["sent_at"]).replace(second=0) == county(2026, 3, 4, 8, 30)


def test_rungs_of_one_instant_are_all_said(start, database):
    scene = start()
    scene.report(resident(1), NOISE)
    database.sql("update hl.ladder set dues[3] = dues[2], dues[4] = dues[2] where task_id is not null")  # sign_limit, progress, yellow
    scene.tick("+6h")
    assert [row["kind"] for row in scene.daemon.sql(
        "select kind from hl.notice where task_id is not null and kind <> 'dispatch' order by kind")] == [
            "sign_half", "sign_limit", "sign_limit", "yellow", "yellow"]


def test_a_rung_nobody_got_is_superseded_by_the_next_but_a_red_card_is_not(start, database):
    """A provider that takes nothing for days."""
    scene = start()
    scene.report(resident(1), NOISE)
    database.sql("alter table hl.notice disable trigger notice_moves_forward")
    scene.tick(county(2026, 3, 9, 18))  # up to the red card
    database.sql("update hl.notice set state = 'queued', retry_at = 'infinity' where kind in ('sign_half', 'yellow', 'red')")
    scene.tick(county(2026, 3, 10, 18))  # oversee, to the office
    database.sql("update hl.ladder set rungs[pos] = 'yellow', dues[pos] = t.at, due_at = t.at"
                 " from (select hl.now() as at) t where task_id is not null")
    wait_for(lambda: database.one("select count(*) from hl.notice where reason like 'superseded%'") > 0, what="what is older to be dropped")
    found = {(row["kind"], row["state"], row["reason"]) for row in scene.daemon.sql(
        "select kind, state, reason from hl.notice where kind in ('sign_half', 'yellow', 'red')")}
    assert ("sign_half", "dropped", "superseded by yellow") in found and ("red", "queued", None) in found, found


# --- signs of life ------------------------------------------------------------------------------------------------

def test_silence_makes_the_deputy_first_and_tells_head_and_desk_and_a_word_brings_the_officer_back(start, database):
    scene = start()
    officer, deputy, head = (contact("FIR", role) for role in ("officer", "deputy", "head"))
    for n in range(1, 6):
        scene.report(resident(n), f"锦绣花园{n}号楼消防通道被私家车堵死了")
    scene.tick("+20m")
    for phone in (head, OPERATOR):
        told = [sms["text"] for sms in of_kind(scene, phone, "contact_dead") if "消防" in sms["text"]]
        assert len(told) == 1 and "5条" in told[0], told
    assert len(of_kind(scene, deputy, "dispatch")) == 5, "the deputy gets what nobody signed"
    dead, = [c for c in scene.daemon.ctl("contacts", "--dead")["contacts"] if c["unit"] == "FIR"]
    assert (dead["role"], dead["last_sign"]) == ("officer", None) and dead["phone"].count("*") == 4
    scene.report(resident(6), "锦绣花园6号楼消防通道被私家车堵死了")
    assert len(of_kind(scene, officer, "dispatch")) == 5 and len(of_kind(scene, deputy, "dispatch")) == 6
    scene.text(officer, "帮助")
    scene.tick("+20m")
    assert [c["role"] for c in scene.daemon.ctl("contacts", "--dead")["contacts"] if c["unit"] == "FIR"] == ["deputy"]
    scene.report(resident(7), "锦绣花园7号楼消防通道被私家车堵死了")
    assert len(of_kind(scene, officer, "dispatch")) == 6


def test_receipts_are_signs_of_life(start, database):
    scene = start()
    for n in range(1, 6):
        scene.report(resident(n), f"锦绣花园{n}号楼消防通道被私家车堵死了")
    database.sql("update hl.notice set state = 'delivered' where kind = 'dispatch'")
    scene.tick("+20m")
    assert scene.daemon.ctl("contacts", "--dead")["contacts"] == []


def test_every_contact_is_called_on_the_first_working_day_and_the_answers_are_kept(start, database):
    scene = start(county(2026, 3, 2, 9))
    phones = database.one("select count(distinct person_id) from hl.contact where is_active")
    scene.tick("+1h")
    assert len(params(scene, "muster")) == phones
    officer = contact("POL")
    assert "点名" in of_kind(scene, officer, "muster")[0]["text"]
    assert scene.answer(officer, "1")["template"] == "muster_noted"
    row = next(c for c in scene.daemon.ctl("contacts")["contacts"] if c["unit"] == "POL" and c["role"] == "officer")
    assert row["asked"] and row["answered"] and row["by"] == "text"
    assert database.one("select count(*) from hl.muster where answered_at is not null") == 1
    scene.tick("+25d")
    assert len(params(scene, "muster")) == phones, "once a month"


def test_after_a_newer_notice_a_1_is_no_answer_to_the_roll_call(start, database):
    scene = start(county(2026, 3, 2, 9))
    scene.tick("+1h")
    scene.report(resident(1), NOISE)
    scene.text(contact("POL"), "1")
    assert database.one("select count(*) from hl.muster where answered_at is not null") == 0


# --- units with other hours ---------------------------------------------------------------------------------------

def test_a_unit_with_hours_of_its_own_has_limits_and_reminders_in_them(cluster, database, start, tmp_path):
    """Saturday evening: the police work round the clock, the county does not."""
    conf = Conf(cluster, database).write(tmp_path / "hotlined.conf")
    spec = json.loads(run_ctl(conf, "export", "calendar"))
    spec["calendars"] = [{"name": "shift", "units": ["POL"], "week": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
                          "hours": [["00:00", "24:00"]], "works_holidays": True}]
    path = tmp_path / "calendar.json"
    path.write_text(json.dumps(spec))
    run_ctl(conf, "import", "calendar", path, "--why", "the police have shifts")
    assert json.loads(run_ctl(conf, "export", "calendar")) == spec
    assert "unchanged" in run_ctl(conf, "import", "calendar", path)

    scene = start(county(2026, 3, 7, 20))
    noise, stalls = scene.report(resident(1), NOISE), scene.report(resident(2), "锦绣花园门口占道经营，小贩摆摊堵路")
    assert instant(scene.task(noise, "POL")["sign_by"]).replace(second=0) == county(2026, 3, 8)
    assert instant(scene.task(stalls, "URB")["sign_by"]) == county(2026, 3, 9, 14)
    scene.tick(county(2026, 3, 9, 11))
    for unit, at in (("POL", county(2026, 3, 7, 22)), ("URB", county(2026, 3, 9, 10, 30))):
        assert [instant(sms["sent_at"]).replace(second=0) for sms in of_kind(scene, contact(unit), "sign_half")] == [at]
    # what an outage missed is said in the unit's hours
    assert database.one("select hl.text_time('2026-03-08 03:00+08', hl.calendar_of('POL')) = '2026-03-08 03:00+08'")
    assert database.one("select hl.text_time('2026-03-08 03:00+08', hl.calendar_of('URB')) = '2026-03-09 08:30+08'")


# --- documents ----------------------------------------------------------------------------------------------------

def test_tables_follow_the_current_documents(database):
    assert database.one("select hl.text_time('2026-03-07 12:00+08') = '2026-03-09 08:30+08'"), "a Saturday"
    assert database.one("select hl.text_time('2026-02-14 12:10+08') = '2026-02-14 12:10+08'"), "the close of a working Saturday, with grace"
    assert database.one("select hl.text_time('2026-02-14 12:40+08') = '2026-02-14 13:30+08'")
    database.sql("""select hl.import(jsonb_build_object('kind', 'calendar', 'by', 'tester', 'doc',
                    jsonb_build_object('zone', 'Asia/Shanghai', 'intervals', jsonb_build_array(jsonb_build_array(
                      hl.secs('2026-03-07 10:00+08'), hl.secs('2026-03-07 11:00+08'), 20519)))))""")
    assert database.one("select hl.text_time('2026-03-07 09:00+08') = '2026-03-07 10:00+08'")
    assert database.one("select hl.text_time('2026-03-08 09:00+08') = '2026-03-08 09:00+08'"), "behind the calendar nothing waits"


# --- outcomes nobody told -----------------------------------------------------------------------------------------

def test_an_outcome_nobody_told_rests_after_days_and_a_late_receipt_still_counts(start, database):
    scene = start()
    scene.report(resident(1), NOISE)
    database.sql("alter table hl.notice disable trigger notice_moves_forward")
    database.sql("update hl.notice set state = 'unknown', reason = 'timeout', retry_at = 'infinity' where kind = 'receipt'")
    database.sql("alter table hl.notice enable trigger notice_moves_forward")
    scene.tick("+73h")
    assert [sms["state"] for sms in scene.inbox(resident(1)) if sms["kind"] == "receipt"] == ["expired"]
    assert [n["kind"] for n in scene.daemon.ctl("notices", "--state", "expired")["notices"]] == ["receipt"]
    database.sql("update hl.notice set state = 'delivered' where kind = 'receipt'")
