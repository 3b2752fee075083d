"""Moves the law does not know, by every door: a phone's word, an operator's command, a daemon's act. Refused with the rule's
name, and nothing half done."""
import json

import pytest

import hl_rows as rows
from hl_scene import Scene, contact, county, resident, set_clock
from test_law import put, states_of

NOISE = "碧水云天楼下广场舞音响声音太大扰民"  # normal, POL leads alone
POL = contact("POL")
OPEN = {"dispatched", "signed", "arrived", "handback"}
MOVES = {"sign": "signed", "arrive": "arrived", "close": "done", "handback": "handback_asked"}
US = 1_000_000


@pytest.fixture
def officer(cursor, keys):
    """The officer of the task under test, with a code for it."""
    person = rows.one(cursor, "select c.person_id from hl.task k join hl.contact c on c.unit = k.unit and c.role = 'officer'"
                      " where k.id = %(task)s limit 1", keys)
    cursor.execute("insert into hl.notice_code (task_id, person_id, code) values (%s, %s, 'AAAAA') on conflict do nothing",
                   (keys["task"], person))
    cursor.execute("update hl.task set signed_at = now(), arrived_at = now(), done_at = now(), result = 'r' where id = %(task)s", keys)
    return person


def act(cursor, **more):
    """hl.act as a daemon calls it, taken back. Gives (result, rule), or the SQLSTATE of an operator's."""
    cursor.execute("savepoint act")
    try:
        cursor.execute("select hl.act(%s)", (json.dumps([{"i": 0, **more}]),))
        item = cursor.fetchone()[0]["items"][0]
        return item["result"], item["rule"]
    finally:
        cursor.execute("rollback to savepoint act")


@pytest.mark.parametrize("verb", [*MOVES, "extend", "assist", "progress"])
def test_every_word_of_an_officer_in_every_state_of_his_task(cursor, keys, officer, verb):
    law = {(event, was) for event, was, _ in rows.law("task")}
    now = rows.one(cursor, "select hl.us(hl.now())")
    said = {"text": "r", "facts": {"is_true": True, "contacted": True, "solved": True, "how": "h", "evidence": "e"},
            "args": {"reason": "r", "days": 3, "unit": ""},
            "ask": {"unit": None, "until_us": now + 3600 * US, "answer_us": now + 3600 * US, "close_us": now + 86400 * US, "desk_us": now}}
    for state in states_of("task"):
        put(cursor, "task", keys["task"], state)
        is_lawful = (MOVES[verb], state) in law if verb in MOVES else state in OPEN
        if (verb, state) == ("arrive", "arrived"):
            is_lawful = True  # said twice: there is nothing to do
        found = act(cursor, actor="officer", person=officer, task=keys["task"], verb=verb, **said)
        assert found == (("ok", None) if is_lawful else ("refused", "law")), (verb, state)


def heads(scene):
    return scene.daemon.sql("select id, head_seq from hl.case order by id")


def test_a_phone_cannot_move_what_is_over_and_a_command_neither(make_daemon, database):
    set_clock(database, county(2026, 3, 2, 9))
    scene = Scene(make_daemon())
    number = scene.report(resident(1), NOISE)
    code = scene.code(POL)
    assert scene.answer(POL, f"结 {code} 属实，已联系举报人，已劝离")["template"] == "done_noted"
    words = ("签 {}", "到 {}", "退 {} 应为县综合行政执法局", "延 {} 3天 等待配件", "协 {} 县综合行政执法局", "结 {} 属实，已联系举报人，已劝离")
    for over in ("done", "closed"):
        if over == "closed":
            scene.daemon.ctl("accept", number)
        before = heads(scene)
        for text in words:
            said = scene.answer(POL, text.format(code))
            assert said and said["template"] not in ("signed", "arrived", "operator_will_act", "done_noted"), (over, text, said)
            assert heads(scene) == before, (over, text)
    before = heads(scene)
    for command, rule in ((["assign", number, "URB-5"], "law"), (["place", number, "--at", "锦绣花园3号楼"], "law"), (["accept", number], "law"),
                          (["redo", number], "law"), (["wait", number], "law"), (["resume", number], "law"),
                          (["task", "add", number, "URB", "--co"], "law"), (["merge", number, number], "law"), (["withdraw", number], "law"),
                          (["rollcall", number, "--at", "+1h", "--place", "p"], "law"), (["grant", number], "request"),
                          (["refuse", number], "request"), (["agenda", "settle", number], "agenda")):
        reply = scene.daemon.ctl(*command, "--why", "w", code=1)
        assert f"{rule}: " in reply["error"], (command, reply)
    assert heads(scene) == before
