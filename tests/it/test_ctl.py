"""hotlinectl: every command of the tour, for people and as JSON, its refusals, and who may do what."""
import datetime
import json
import os
import pwd
import subprocess

import pytest

from hl_scene import LEADERS, Scene, contact, instant, resident
from hl_testlib import BUILD, ROOT

NOISE = "碧水云天楼下广场舞音响声音太大扰民"
POL = contact("POL")
ME = pwd.getpwuid(os.geteuid()).pw_name
SLACK_S = 20  # real seconds a step may take on a busy machine: case time runs on meanwhile
COMMANDS = ("text", "phone", "case", "tick", "review", "assign", "place", "accept", "redo", "grant", "refuse", "merge", "wait",
            "resume", "reopen", "withdraw", "task", "rollcall", "stage", "agenda", "law", "verify", "rollup", "idle", "import", "migrate", "classify",
            "parse", "segments", "limit")


@pytest.fixture
def database(cluster):
    made = cluster.create_database()
    yield made
    made.drop()


@pytest.fixture
def scene(daemon):
    return Scene(daemon)


def run(*words, stdin="", env=None):
    """hotlinectl without any configuration of ours."""
    return subprocess.run([BUILD / "hotlinectl", *map(str, words)], input=stdin, capture_output=True, text=True, timeout=60,
                          check=False, cwd=ROOT, env={**os.environ, **(env or {})})


# --- help and usage -----------------------------------------------------------------------------------------------

def test_help_names_every_command():
    done = run("--help")
    assert done.returncode == 0 and done.stderr == ""
    assert [name for name in COMMANDS if f"\n  {name:9} " not in done.stdout] == []


def test_an_unknown_command_and_none_at_all_are_usage_errors():
    unknown, nothing = run("frobnicate"), run()
    assert (unknown.returncode, nothing.returncode) == (2, 2)
    assert "no such command: frobnicate" in unknown.stderr
    assert "usage: hotlinectl" in nothing.stderr and nothing.stdout == ""


@pytest.mark.parametrize("words", [
    ["assign"], ["merge", "26-000001"], ["task", "add", "26-000001"], ["task", "26-000001", "POL"], ["stage", "26-000001"],
    ["agenda", "settle"], ["law"], ["law", "person", "--table"],
    ["text"], ["text", "+8610000000001"], ["phone"], ["case"], ["tick"], ["tick", "--to"], ["accept"], ["import"],
    ["import", "units"], ["import", "nonsense", "x"], ["place"], ["limit", "--from", "2026-03-02T09:00"], ["limit", "--minutes", "5"],
], ids=" ".join)
def test_a_command_without_what_it_needs_says_how_it_is_called(words):
    done = run(*words)
    assert done.returncode == 2
    assert f"usage: hotlinectl {words[0]} " in done.stderr


def test_law_prints_every_move_as_table_graph_and_json():
    moves = json.loads(run("law", "--json").stdout)
    text = (ROOT / "include/hotline/law.def").read_text(encoding="utf-8")
    assert len(moves) == text.count('HL_MOVE("') > 40
    graph = run("law", "--graph").stdout
    assert graph.count("digraph") == 2
    for move in moves:
        assert f'"{move["from"] or "(new)"}" -> "{move["to"]}" [label="{move["event"]}"];' in graph
    table = run("law", "task", "--table").stdout
    assert "| **handback** |" in table and "case" not in table.splitlines()[0]
    assert run("law", "case", "--picture").stdout.startswith("```mermaid\nstateDiagram-v2\n")


def test_without_a_daemon_the_refusal_says_so(make_daemon):
    daemon = make_daemon(start=False)
    for words in (["case", "26-000001"], ["text", resident(1), NOISE], ["tick", "--to", "+1h"], ["verify"]):
        said = daemon.ctl(*words, json=False, code=1)
        assert said.startswith("hotlinectl: ") and "cannot" in said.lower() or "reach" in said.lower(), said


def test_without_a_readable_configuration_the_refusal_names_the_file():
    done = run("-c", "/nonexistent/hotlined.conf", "case", "26-000001")
    assert done.returncode == 1 and "/nonexistent/hotlined.conf" in done.stderr


def test_the_configuration_may_come_from_the_environment(daemon):
    done = run("idle", env={"HOTLINE_CONF": str(daemon.conf_path)})
    assert done.returncode == 0 and json.loads(done.stdout)["idle"] is True


def test_options_may_stand_before_or_behind_the_command(daemon):
    assert json.loads(run("-c", daemon.conf_path, "--json", "idle").stdout) == json.loads(
        run("-c", daemon.conf_path, "idle", "--json").stdout)


# --- text, phone, case --------------------------------------------------------------------------------------------

def test_text_shows_every_sms_with_number_text_and_segments(scene):
    printed = scene.daemon.ctl("text", resident(1), NOISE, json=False)
    number = scene.daemon.sql("select code from hl.case")[0]["code"]
    assert f"dispatch, case {number}" in printed
    for phone, text in ((POL, "公共场所噪声"), (resident(1), number)):
        line = next(i for i, l in enumerate(printed.splitlines()) if phone in l)
        assert "1 segment(s)" in printed.splitlines()[line] and text in printed.splitlines()[line + 1]


def test_text_as_json_has_the_same(scene):
    reply = scene.text(resident(1), NOISE)
    assert reply["outcome"] == "dispatch" and reply["settled"]
    assert {"to", "text", "segments", "kind", "state", "template"} <= set(reply["sms"][0])
    assert all(sms["text"].startswith("【县民生热线】") and sms["segments"] >= 1 for sms in reply["sms"])


def test_text_with_the_same_id_is_the_same_message(scene):
    first = scene.daemon.ctl("text", resident(1), NOISE, "--id", "once")
    again = scene.daemon.ctl("text", resident(1), NOISE, "--id", "once")
    assert first["message"] == again["message"] and first["case"] == again["case"]
    assert len(scene.inbox(resident(1))) == 1


def test_phone_shows_an_inbox_oldest_first_in_any_spelling(scene):
    scene.report(resident(1), NOISE)
    scene.text(resident(1), "查")
    inbox = scene.inbox(resident(1))
    assert [sms["template"] for sms in inbox] == ["receipt_opened", "status"]
    assert scene.inbox("0086" + resident(1)[3:]) == scene.inbox(resident(1)[3:]) == inbox
    printed = scene.daemon.ctl("phone", resident(1), json=False)
    assert [printed.index(sms["text"]) for sms in inbox] == sorted(printed.index(sms["text"]) for sms in inbox)


def test_phone_of_a_number_without_texts_is_empty_and_of_none_refused(scene):
    assert scene.inbox(resident(9)) == []
    assert "no texts" in scene.daemon.ctl("phone", resident(9), json=False)
    assert "not a phone number" in scene.daemon.ctl("phone", "++", json=False, code=1)


def test_case_shows_case_tasks_limits_events_and_notices(scene):
    number = scene.report(resident(1), NOISE)
    case = scene.case(number)
    assert {"state", "type", "urgency", "place", "why", "reporters", "stages", "tasks", "events", "notices"} <= set(case)
    task, = case["tasks"]
    assert instant(task["assigned_at"]) < instant(task["sign_by"]) < instant(task["close_by"])
    assert task["next"]["rung"] == "sign_half"
    printed = scene.daemon.ctl("case", number, json=False)
    for words in (f"case {number}", "POL-6", "广场舞", task["sign_by"], task["close_by"], "next: sign_half", "opened", "assigned",
                  "发现", "结案", POL):
        assert words in printed, words


def test_a_case_that_does_not_exist_is_refused_with_its_number(scene):
    reply = scene.daemon.ctl("case", "26-999999", code=1)
    assert "26-999999" in reply["error"]
    assert "26-999999" in scene.daemon.ctl("case", "26-999999", json=False, code=1)


# --- accept, review -----------------------------------------------------------------------------------------------

def test_accept_closes_and_records_who_and_why(scene):
    number = scene.report(resident(1), NOISE)
    assert "'dispatched'" in scene.daemon.ctl("accept", number, json=False, code=1), "not before the unit is done"
    scene.text(POL, f"结 {scene.code(POL)} 属实，已联系反映人，已劝离")
    assert scene.daemon.ctl("accept", number, "--why", "called back")["items"][0]["result"] == "ok"
    closed = scene.events(number, "closed")[0]
    assert (closed["actor"], closed["operator"], closed["data"]["why"]) == ("operator", ME, "called back")
    scene.daemon.ctl("accept", number, code=1)
    assert len([e for e in scene.events(number, "closed") if e["unit"] is None]) == 1
    scene.daemon.ctl("accept", "26-999999", code=1)


def test_review_lists_what_waits_for_an_operator(scene):
    assert scene.daemon.ctl("review") == {"cases": []}
    number = scene.report(resident(1), "龙城御景物业保洁不打扫楼道卫生", outcome="review")
    case, = scene.daemon.ctl("review")["cases"]
    assert case["case"] == number and instant(case["review_by"]) > instant(case["opened_at"])
    assert number in scene.daemon.ctl("review", json=False)


# --- tick ---------------------------------------------------------------------------------------------------------

def test_tick_moves_by_a_span(scene):
    before = instant(scene.daemon.ctl("tick", "--to", "+1m")[-1]["now"])
    for to, minutes in (("+90m", 90), ("+4h", 240), ("+2d", 2880)):
        after = instant(scene.daemon.ctl("tick", "--to", to)[-1]["now"])
        assert 0 <= (after - before).total_seconds() - minutes * 60 < SLACK_S, to
        before = after


def test_tick_moves_to_an_hour_and_to_an_instant(scene):
    at = instant(scene.daemon.ctl("tick", "--to", "06:30")[-1]["now"])
    assert (at.hour, at.minute) == (6, 30)
    goal = (at + datetime.timedelta(days=3)).replace(second=0)
    there = instant(scene.daemon.ctl("tick", "--to", goal.strftime("%Y-%m-%dT%H:%M"))[-1]["now"])
    assert datetime.timedelta(0) <= there - goal < datetime.timedelta(seconds=SLACK_S)


def test_tick_shows_what_is_sent_at_each_stop(scene):
    scene.report(resident(1), "盛世嘉园1单元家里停电了")
    printed = scene.daemon.ctl("tick", "--to", "+10d", json=False)
    order = [printed.index(word) for word in ("催签", "超时未签收", "黄牌提醒", "红牌", "督办", "领导小组督办")]
    assert order == sorted(order)
    assert LEADERS in printed


def test_tick_refuses_what_is_no_time_and_never_goes_back(scene):
    for to in ("+0m", "+5", "+5w", "-5m", "25:00", "tomorrow", "2026-13-01T00:00", "+5m "):
        assert f'not "{to}"' in scene.daemon.ctl("tick", "--to", to, json=False, code=1)
    assert "only moves forward" in scene.daemon.ctl("tick", "--to", "2020-01-01T00:00", json=False, code=1)


def test_tick_is_refused_unless_the_installation_is_a_demo(make_daemon, database):
    database.sql("update hl.clock set is_demo = false, offset_us = 0")
    scene = Scene(make_daemon(sections={"demo": {"clock": "no"}}))
    before = database.one("select hl.now()")
    assert "[demo] clock = yes" in scene.daemon.ctl("tick", "--to", "+1h", json=False, code=1)
    assert (database.one("select hl.now()") - before).total_seconds() < 60


# --- offline commands ---------------------------------------------------------------------------------------------

def test_classify_answers_line_by_line_without_a_database():
    lines = [{"id": "a", "text": NOISE}, {"id": 7, "text": "煤气泄漏了"}, {"text": "想问问社保卡怎么办理"}]
    done = run("classify", stdin="\n".join(json.dumps(line) for line in lines) + "\n", env={"HOTLINE_CONF": "/nonexistent"})
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(a["id"], a["type"], a["unit"], a["urgency"], a["auto"]) for a in answers] == [
        ("a", "POL-6", "POL", "normal", True), (7, "UTI-4", "UTI-GAS", "emergency", True), (None, "OUT-0", "HOT", "normal", True)]
    assert all(0 <= a["confidence"] <= 1 and a["why"] for a in answers)


@pytest.mark.parametrize("line", ["no json", "[1]", '{"id": 1}', '{"id": 1, "text": 5}'])
def test_classify_names_the_line_it_cannot_read(line):
    done = run("classify", stdin=json.dumps({"id": 1, "text": NOISE}) + "\n" + line + "\n")
    assert done.returncode == 1 and len(done.stdout.splitlines()) == 1
    assert done.stderr.startswith("hotlinectl: ")


def test_the_other_offline_commands_answer_without_a_database():
    env = {"HOTLINE_CONF": "/nonexistent"}
    parsed = json.loads(run("parse", stdin='{"id":1,"who":"officer","text":"签 3F7KH","open_codes":["3F7KH"]}\n', env=env).stdout)
    assert (parsed["verb"], parsed["code"]) == ("sign", "3F7KH")
    place = json.loads(run("place", "锦绣花园3号楼2单元", "--json", env=env).stdout)
    assert (place["compound"], place["subdistrict"], place["building"]) == ("C001", "STR-JX", "3")
    limit = json.loads(run("limit", "--from", "2026-03-02T09:00", "--working-hours", "4", "--json", env=env).stdout)
    assert limit == {"limit": "2026-03-02T14:30:00+08:00", "provisional": False}
    assert run("segments", stdin="短信" * 36, env=env).returncode == 0


# --- rights -------------------------------------------------------------------------------------------------------

LOOKING = [["case", "{}"], ["phone", resident(1)], ["review"], ["idle"]]
CHECKING = [["verify"], ["rollup"]]
MOVING = [["tick", "--to", "+1m"]]


@pytest.mark.parametrize("role, may, may_not", [
    (None, [], LOOKING + CHECKING + MOVING), ("operator", LOOKING, CHECKING + MOVING),
    ("supervisor", LOOKING + CHECKING, MOVING), ("admin", LOOKING + CHECKING + MOVING, []),
], ids=["nobody", "operator", "supervisor", "admin"])
def test_each_role_may_do_what_is_its_own_and_no_more(make_daemon, role, may, may_not):
    scene = Scene(make_daemon(sections={"operators": {ME: role}}))
    assert scene.daemon.hook(NOISE, resident(1)).status == 200
    number = scene.daemon.database.one("select code from hl.case")
    for words in may:
        scene.daemon.ctl(*[word.format(number) for word in words], json=False)
    for words in may_not:
        said = scene.daemon.ctl(*[word.format(number) for word in words], json=False, code=1)
        assert "no role in [operators]" in said, said


def test_who_has_no_role_cannot_accept(make_daemon):
    scene = Scene(make_daemon(sections={"operators": {ME: None}}))
    scene.daemon.hook(NOISE, resident(1))
    code, number = scene.daemon.sql("select n.code, c.code as number from hl.notice_code n, hl.case c")[0].values()
    scene.daemon.hook(f"结 {code} 属实，已联系反映人，已劝离", POL)
    scene.daemon.ctl("accept", number, code=1)
    assert scene.daemon.database.one("select state from hl.case") in ("dispatched", "done")
