"""Why a case was classed as it was: recorded when it was decided, with versions, corrections and opinions since; rules and
model taken over while the daemon runs; the drift that /metrics tells.
"""
import json

import pytest

from hl_crowd import metrics
from hl_scene import Scene, county, resident, set_clock
from hl_testlib import ROOT, wait_for

DOG = "锦绣花园3号楼邻居遛狗不牵绳，大狗追着孩子跑"
VAGUE = "锦绣花园的事情你们到底管不管，请给个说法"


@pytest.fixture
def scene(make_daemon, database):
    set_clock(database, county(2026, 3, 3, 10))
    return Scene(make_daemon())


def explain(scene, number):
    return scene.daemon.ctl("explain", number)


def only(explained):
    (decision,) = explained["decisions"]
    return decision


def test_a_case_tells_rules_words_alternatives_and_versions(scene):
    number = scene.report(resident(1), DOG)
    told = only(explain(scene, number))
    assert (told["type"], told["lead"], told["urgency"], told["route"]) == ("POL-4", "POL", "normal", "dispatch")
    rule = next(r for r in told["rules"] if r["type"] == "POL-4")
    assert rule["clause"] == "二(五)3" and "狗" in rule["words"] and rule["points"] > 0
    assert told["features"] and told["alternatives"] and told["place"]
    model = json.loads((ROOT / "schema/ref/model.json").read_text())
    assert told["versions"]["model"] == model["version"] and len(told["versions"]["rules"]) == 16
    text = scene.daemon.ctl("explain", number, json=False)
    assert told["versions"]["rules"] in text and rule["rule"] in text


def test_a_case_that_is_not_there_is_refused(scene):
    assert "no case" in scene.daemon.ctl("explain", "26-999999", code=1)["error"]


def test_every_reporter_has_a_decision_of_his_own(scene):
    number = scene.report(resident(2), "碧水云天楼下广场舞音响声音太大扰民")
    again = scene.text(resident(3), "碧水云天广场舞太吵了，音响扰民")
    assert again["case"] == number
    assert [d["route"] for d in explain(scene, number)["decisions"]] == ["dispatch", "join"]


def test_what_an_operator_changes_is_told_beside_what_was_decided(scene):
    number = scene.report(resident(4), VAGUE, outcome="review")
    before = explain(scene, number)
    assert before["corrections"] == [] and not only(before)["sure"]
    scene.daemon.ctl("assign", number, "FIR-1", "--why", "打电话问了，是消防通道")
    scene.daemon.ctl("assign", number, "SAN-1", "--why", "其实是垃圾")
    after = explain(scene, number)
    assert only(after) == only(before), "what was decided stays"
    assert [(c["was"], c["type"], c["is_change"]) for c in after["corrections"]] == [
        (only(before)["type"], "FIR-1", True), ("FIR-1", "SAN-1", True)]
    assert after["now"]["type"] == "SAN-1" and after["corrections"][0]["why"].startswith("打电话")


def test_new_rules_are_used_for_the_next_text_and_the_old_decision_keeps_its_version(scene, tmp_path):
    words = "锦绣花园3号楼门口有人吹糖人把路吹得甜丝丝的走不动"
    first = only(explain(scene, scene.text(resident(5), words)["case"]))
    assert not [r for r in first["rules"] if r["rule"] == "URB-5.sugar"]
    doc = json.loads((ROOT / "schema/ref/rules.json").read_text())
    doc["rules"].append({"id": "URB-5.sugar", "type": "URB-5", "weight": 20, "why": "二(四)", "any": ["吹糖人"]})
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(doc, ensure_ascii=False))
    scene.daemon.ctl("import", "rules", path, "--why", "test")
    wait_for(lambda: len(scene.daemon.log_lines("refdata.loaded")) == 2, what="the daemon to take the rules")
    second = only(explain(scene, scene.text(resident(6), words)["case"]))
    assert second["type"] == "URB-5" and second["versions"]["rules"] != first["versions"]["rules"]
    assert second["versions"]["model"] == first["versions"]["model"]
    same = scene.daemon.sql("select count(distinct rules) as n from hl.decision where message_id in (%s, %s)",
                            (first["message"], second["message"]))
    assert same[0]["n"] == 2
    scene.daemon.ctl("import", "rules", ROOT / "schema/ref/rules.json", "--why", "back")
    wait_for(lambda: len(scene.daemon.log_lines("refdata.loaded")) == 3, what="the daemon to take the rules back")
    third = only(explain(scene, scene.text(resident(7), words)["case"]))
    assert third["versions"] == first["versions"], "a version follows from the content"


def test_metrics_tell_how_much_needs_a_person_and_how_much_was_corrected(scene):
    before = metrics(scene.daemon)
    n = before["hotlined_decisions_window"]
    number = scene.report(resident(8), VAGUE + "八", outcome="review")
    scene.daemon.ctl("assign", number, "UTI-2", "--why", "问了")
    after = metrics(scene.daemon)
    assert after["hotlined_decisions_window"] == n + 1
    for share in ("review", "corrected"):
        name = f"hotlined_decisions_{share}_share"
        assert round(after[name] * (n + 1)) == round(before[name] * n) + 1, share

