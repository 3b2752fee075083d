"""Places: which of two compounds is meant is asked once; a new gazetteer is in use without a restart, and its memory stated."""
import json

import pytest

from hl_crowd import metrics
from hl_scene import Scene, contact, county, resident, set_clock
from hl_testlib import ROOT, wait_for

BLOCKED = "锦绣3号楼消防通道被私家车堵死了"  # an alias that two compounds share: C001 and C005
NEW = {"code": "C901", "name": "云栖新筑", "aliases": ["云栖"], "subdistrict": "STR-JX", "community": "文苑社区", "road": "示范一路",
       "property_company": "PMC-01", "gas_company": "UTI-GRX"}


@pytest.fixture(name="scene")
def make_scene(make_daemon, database):
    set_clock(database, county(2026, 11, 25, 9))
    return Scene(make_daemon())


def test_a_name_of_two_compounds_is_asked_for_once_and_the_road_is_an_answer(scene):
    number = scene.report(resident(1), BLOCKED, outcome="review")
    assert scene.templates(resident(1)) == ["ask_which"]
    assert "锦绣花园、锦绣江南" in scene.inbox(resident(1))[0]["text"]
    assert scene.templates(contact("FIR")) == []

    assert scene.text(resident(1), "示范三路的那个")["case"] == number
    case = scene.case(number)
    assert (case["state"], case["compound"]) == ("dispatched", "C005")
    assert "锦绣江南3号楼" in scene.inbox(contact("FIR"))[0]["text"], "what was said of the building is kept"
    assert scene.templates(resident(1)) == ["ask_which", "receipt_opened"]


def test_an_answer_that_settles_nothing_is_not_asked_again(scene):
    number = scene.report(resident(2), BLOCKED, outcome="review")
    assert scene.text(resident(2), "锦绣那边的消防通道被堵死")["case"] == number
    assert scene.templates(resident(2)) == ["ask_which", "supplemented"]
    assert scene.case(number)["state"] == "review", "an operator places it"


def test_an_imported_gazetteer_is_in_use_without_a_restart(scene, tmp_path):
    number = scene.report(resident(3), "云栖新筑5号楼消防通道被私家车堵死了", outcome="review")
    assert scene.case(number)["compound"] is None
    before = metrics(scene.daemon)
    assert before["hotlined_model_bytes"] > 1_000_000
    doc = json.loads((ROOT / "schema/ref/places.json").read_text(encoding="utf-8"))
    doc["places"].append(NEW)
    path = tmp_path / "places.json"
    path.write_text(json.dumps(doc, ensure_ascii=False), encoding="utf-8")
    scene.daemon.ctl("import", "places", path, "--why", "a new compound")
    wait_for(lambda: metrics(scene.daemon)["hotlined_gazetteer_bytes"] > before["hotlined_gazetteer_bytes"],
             what="the daemon to use the new gazetteer")

    assert scene.text(resident(3), "就是云栖新筑")["case"] == number
    case = scene.case(number)
    assert (case["state"], case["compound"]) == ("dispatched", NEW["code"])
    assert "云栖新筑5号楼" in scene.inbox(contact("FIR"))[-1]["text"]
