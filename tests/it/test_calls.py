"""A caller on the line, from the greeting to a dispatched case, by the HTTP side of a platform that signs its requests."""
import csv
import io
import json

import pytest

import hl_testlib
from caller import Twiml
from hl_testlib import ROOT, wait_for
from provider_calls import PUBLIC, SECRET

MONDAY_NOON, MONDAY_NIGHT = "2027-03-01T11:00:00+08:00", "2027-03-01T22:00:00+08:00"
REPORT = "锦绣花园3号楼消防通道被私家车堵死了"
LANDLINE = "+86" + "1000000" + "9"


@pytest.fixture(scope="module", name="line")
def make_line(cluster, database):
    folder = cluster.make_folder("voice-secrets")
    (folder / "secret").write_text(SECRET + "\n", encoding="utf-8")
    (folder / "secret").chmod(0o600)
    cluster.own(folder / "secret")
    daemon = hl_testlib.Daemon(cluster, database, sections={
        "http": {"public_url": PUBLIC},
        "channel line": {"provider": "twilio", "secret_file": folder / "secret", "from": "+8610000009999", "transcripts": "provider",
                         "signature": "县民生热线"}})
    daemon.start()
    # The demo block holds mobile numbers only; here its last thousand plays landlines.
    flow = json.loads((ROOT / "schema/ref/flow.json").read_text(encoding="utf-8"))
    flow["numbers"]["landline"] = [LANDLINE + "xxx"]
    path = folder / "flow.json"
    path.write_text(json.dumps(flow, ensure_ascii=False), encoding="utf-8")
    daemon.ctl("import", "flow", path, "--why", "landlines of the test")
    daemon.ctl("tick", "--to", MONDAY_NOON)
    wait_for(lambda: len(daemon.log_lines("refdata.loaded")) > 1, what="the new flow")
    yield daemon
    daemon.stop()


def callbacks(line, phone):
    return [c for c in line.ctl("callbacks", "--all")["callbacks"] if c["phone"] == phone]


def call_row(line, call):
    (row,) = line.sql("select * from hl.call where external_id = %s", (call.id,))
    return row


def texts(line, phone):
    return [n["template"] for n in line.sql("select n.template, n.state from hl.notice n join hl.person p on p.id = n.person_id"
                                            " where p.phone = %s order by n.id", (phone,))]


def test_a_recorded_report_with_its_transcript_becomes_a_dispatched_case_and_a_receipt_by_text(line):
    call = Twiml(line, "line", "+8610000000801").start()
    assert "县民生热线" in call.said and "录音" in call.said and call.wants[0] == "Gather"
    call.stay_silent()
    assert call.wants[0] == "Record" and call.wants[1]["transcribeCallback"] == f"{PUBLIC}/hook/line/voice/transcript"
    call.record()
    assert "短信" in call.said and call.wants[0] == "Hangup"
    assert call.hang_up().status == 200
    assert call.transcript(REPORT).status == 200
    assert call.transcript(REPORT).status == 200  # a repeat is the same message
    (case,) = line.sql("select c.code, c.state, k.unit from hl.recording r join hl.message m on m.id = r.message_id"
                       " join hl.case c on c.id = m.case_id join hl.task k on k.case_id = c.id and k.role = 'lead'"
                       " join hl.call l on l.id = r.call_id where l.external_id = %s", (call.id,))
    assert (case["state"], case["unit"]) == ("dispatched", "FIR")
    wait_for(lambda: any(case["code"] in sms["text"] for sms in line.ctl("phone", "+8610000000801")["inbox"]), what="the receipt")
    assert call_row(line, call)["outcome"] == "recorded" and not callbacks(line, call.phone)


def test_a_landline_hears_its_number_digit_by_digit_and_can_call_back_with_it(line):
    phone = LANDLINE + "802"
    call = Twiml(line, "line", phone).start().stay_silent()
    call.record()
    assert "请稍等" in call.said and call.wants[0] == "Pause"
    call.stay_silent()
    assert call.wants[0] == "Pause"
    call.transcript("锦绣江南2号楼电梯坏了三天没人修")
    call.stay_silent()
    code = line.database.one("select c.code from hl.case c join hl.report r on r.case_id = c.id join hl.person p on p.id = r.person_id"
                             " where p.phone = %s", (phone,))
    digits = code.replace("-", "")
    assert call.said.count(" ".join(digits)) == 2 and call.wants[0] == "Hangup"
    call.hang_up()
    assert call_row(line, call)["outcome"] == "recorded" and not callbacks(line, phone)
    wait_for(lambda: line.sql("select 1 from hl.notice n join hl.person p on p.id = n.person_id where p.phone = %s"
                              " and n.state = 'dropped' and n.reason = 'a landline takes no texts'", (phone,)), what="no text to it")

    # Whoever texts us can be texted, whatever his number looks like.
    line.hook("查", sender=phone)
    wait_for(lambda: line.sql("select 1 from hl.notice n join hl.person p on p.id = n.person_id where p.phone = %s"
                              " and n.state = 'accepted'", (phone,)), what="the answer to a text")

    again = Twiml(line, "line", phone).start()
    assert "1件" in again.said
    again.press("2")
    assert " ".join(digits) in again.said and "锦绣江南" in again.said
    again.hang_up()
    assert call_row(line, again)["outcome"] == "heard"
    # From another telephone the number opens nothing.
    other = Twiml(line, "line", "+8610000000803").start().press("2")
    assert "受理编号" in other.said
    other.press(digits)
    assert "不是从您这个号码" in other.said and " ".join(digits) not in other.said
    other.hang_up()


@pytest.mark.parametrize("way", ["at once", "in the menu", "after the tone", "three times silent", "withheld"])
def test_whoever_is_not_heard_is_called_back(line, way):
    phone = {"at once": "+8610000000810", "in the menu": "+8610000000811", "after the tone": "+8610000000812",
             "three times silent": "+8610000000813", "withheld": "anonymous"}[way]
    call = Twiml(line, "line", phone)
    if way != "at once":
        call.start()
    if way == "after the tone":
        call.stay_silent()
    if way == "three times silent":
        for _ in range(5):
            call.stay_silent()
            if call.wants[0] == "Hangup":
                break
        assert "回电" in call.said and call.wants[0] == "Hangup"
    assert call.hang_up().status == 200
    assert call.hang_up().status == 200
    row = call_row(line, call)
    assert row["outcome"] == "abandoned"
    (owed,) = line.sql("select * from hl.callback where call_id = %s", (row["id"],))
    assert owed["done_at"] is None and owed["due_at"] > owed["made_at"]
    if way != "withheld":
        (shown,) = callbacks(line, phone)
        line.ctl("callback", "done", shown["id"], "--why", "reached, nothing to report")
        assert callbacks(line, phone)[0]["why"] == "reached, nothing to report"


def test_a_person_is_dialled_hears_who_calls_and_how_long_it_took_is_known(line):
    call = Twiml(line, "line", "+8610000000801").start()
    assert "1件" in call.said
    call.press("1")
    assert call.wants[0] == "Dial" and call.wants[2] == ["+8610000000100"] and call.wants[1]["timeout"] == "20"
    live = [c for c in line.ctl("calls", "--live")["calls"] if c["phone"] == call.phone]
    assert live and live[0]["node"] == "dial" and live[0]["cases"][0]["state"] == "dispatched"
    heard = call.whisper()
    assert "1件" in heard and "锦绣花园" in heard
    call.dialed("completed")
    call.hang_up()
    row = call_row(line, call)
    assert row["outcome"] == "talked" and row["answered_at"] >= row["asked_at"] and not callbacks(line, call.phone)
    page = line.http("GET", "/metrics").body.decode()
    assert 'hotlined_calls_day{outcome="talked"}' in page and "hotlined_calls_answered_20s_ratio 1" in page


def test_the_ledger_tells_of_the_call_behind_a_case(line):
    call = Twiml(line, "line", "+8610000000891").start().press("1")
    call.whisper()
    call.dialed("completed")
    # The operator hung up; the caller has more to say.
    other = Twiml(line, "line", "+8610000000891").start().stay_silent()
    other.record()
    other.hang_up()
    other.transcript(REPORT.replace("3号楼", "7号楼"))
    day = MONDAY_NOON[:10]
    rows = list(csv.DictReader(io.StringIO(line.ctl("ledger", "--from", day, "--to", day, "--csv", json=False).lstrip("\ufeff"))))
    assert [row["来电次数"] for row in rows if "7号楼" in row["位置"]] == ["1"]


def test_nobody_free_is_a_call_back_and_the_caller_may_still_speak(line):
    call = Twiml(line, "line", "+8610000000820").start().press("1").dialed("no-answer")
    assert "回电" in call.said and call.wants[0] == "Record"
    call.hang_up()
    (owed,) = callbacks(line, call.phone)
    assert (owed["reason"], owed["urgency"]) == ("asked", "normal")


def test_nine_is_an_emergency_by_day_and_by_night(line):
    call = Twiml(line, "line", "+8610000000830").start().press("9")
    assert "119" in call.said and call.wants[0] == "Dial"
    call.dialed("busy").record()
    call.hang_up()
    call.transcript("锦绣花园2号楼有住户家里冒烟")
    (case,) = line.sql("select c.urgency, c.state from hl.case c join hl.report r on r.case_id = c.id join hl.person p"
                       " on p.id = r.person_id where p.phone = %s", (call.phone,))
    assert (case["urgency"], case["state"]) == ("emergency", "dispatched")
    (owed,) = callbacks(line, call.phone)
    assert owed["urgency"] == "emergency" and owed["due"] - owed["at"] <= 5 * 60 * 1_000_000


def test_what_nobody_could_read_is_listened_to_and_doubtful_words_wait_for_an_operator(line):
    call = Twiml(line, "line", "+8610000000840").start().stay_silent()
    call.record()
    call.hang_up()
    assert call.transcript("", status="failed").status == 200
    (owed,) = callbacks(line, call.phone)
    assert owed["reason"] == "listen" and owed["recordings"][0]["state"] == "listen"

    doubtful = Twiml(line, "line", "+8610000000841").start().stay_silent()
    doubtful.record()
    doubtful.hang_up()
    doubtful.transcript(REPORT.replace("3号楼", "9号楼"), Confidence="0.31")
    assert line.sql("select c.state from hl.case c join hl.report r on r.case_id = c.id join hl.person p on p.id = r.person_id"
                    " where p.phone = %s", (doubtful.phone,)) == [{"state": "review"}]


def test_repeated_late_and_unawaited_events_change_nothing(line):
    call = Twiml(line, "line", "+8610000000850").start()
    first = call.said
    call.repeat()
    assert call.said == first
    menu = call.url
    call.stay_silent()
    assert call.wants[0] == "Record"
    before = call_row(line, call)
    call.repeat()
    assert call.wants[0] == "Record"
    call.url = menu
    call.press("1")  # for a step that is over
    assert call.wants[0] == "Record"
    call.press("777777777777777777777")  # awaited by nobody, and too long
    assert call.wants[0] == "Record"
    call.record(seconds=0)
    after = call_row(line, call)
    assert before["version"] < after["version"] and after["outcome"] is None
    call.hang_up()
    sid = call.recording["RecordingSid"]
    assert call.post("/hook/line/voice/recording", call.form({**call.recording, "RecordingDuration": "3"})).status == 200
    row = call_row(line, call)
    assert row["ended_at"] is not None and line.sql("select 1 from hl.recording where external_id = %s", (sid,))
    # The sound came late: nobody need be called any more.
    assert line.database.one("select done_by from hl.callback where call_id = %s", (row["id"],)) == "system"


def test_events_of_unknown_calls_are_kept_and_forged_ones_are_not(line):
    call = Twiml(line, "line", "+8610000000860")
    assert call.hang_up("no-answer").status == 200
    assert call_row(line, call)["outcome"] == "abandoned" and callbacks(line, call.phone)
    forged = Twiml(line, "line", "+8610000000861")
    assert forged.post(forged.url, forged.form({}), secret="wrong-secret-0123456789").status == 401
    assert not line.sql("select 1 from hl.call where external_id = %s", (forged.id,))
    assert forged.post(forged.url + "?n=x", forged.form({})).status == 400
    assert forged.post(forged.url, {"From": forged.phone}).status == 400
    odd = forged.post("/hook/line/voice/status", forged.form({"CallStatus": "levitating"}))
    assert odd.status == 200 and line.log_lines("call.unknown_status")


def test_a_call_back_past_its_limit_is_told_to_the_office(line):
    call = Twiml(line, "line", "+8610000000870").start()
    call.hang_up()
    (owed,) = callbacks(line, call.phone)
    line.ctl("tick", "--to", MONDAY_NIGHT)
    wait_for(lambda: line.sql("select 1 from hl.callback where id = %s and told_at is not null", (owed["id"],)), what="the office")
    assert "callback_late" in texts(line, "+8610000000110")
    night = Twiml(line, "line", "+8610000000871").start().press("1")
    assert "下班" in night.said and night.wants[0] == "Gather"
    night.press("9")
    assert night.wants[0] == "Dial"
    night.hang_up()
    assert callbacks(line, night.phone)[0]["urgency"] == "emergency"


@pytest.mark.parametrize("step", ["call_look", "call_move"])
def test_what_cannot_be_stored_is_not_answered_and_comes_again(line, step):
    call = Twiml(line, "line", {"call_look": "+8610000000881", "call_move": "+8610000000882"}[step])
    line.sql(f"alter function hl.{step}(jsonb) rename to away")
    try:
        assert call.post(call.url, call.form({})).status == 503
    finally:
        line.sql(f"alter function hl.away(jsonb) rename to {step}")
    call.start()
    assert "县民生热线" in call.said and call.wants[0] == "Gather"
    assert len(line.sql("select 1 from hl.call_event e join hl.call c on c.id = e.call_id where c.external_id = %s", (call.id,))) == 1
    call.hang_up()
