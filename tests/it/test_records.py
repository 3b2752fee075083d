"""Ledger and report form of real cases: what is in them, who may see what, and that it is logged."""
import csv
import io
import json
import os
import pwd
import re
import subprocess

import openpyxl
import psycopg2
import pytest

from hl_scene import Scene, contact, resident
from hl_testlib import Daemon, run_ctl

ME = pwd.getpwuid(os.geteuid()).pw_name
DAYS = ["--from", "2020-01-01", "--to", "2099-12-31"]
FIR, MKT = contact("FIR"), contact("MKT")


class World:
    """One daemon with three cases: done after a signature, overdue, and one of very many words."""

    def __init__(self, daemon, folder):
        self.daemon, self.folder = daemon, folder
        scene = Scene(daemon)
        self.done = scene.report(resident(1), "锦绣花园3号楼消防通道被私家车堵死了，我电话10000000001")
        self.overdue = scene.report(resident(2), "锦绣江南电梯坏了三天没人修")
        self.long = daemon.ctl("text", resident(3), "祥和家园2号楼有人毁绿种菜\ue000" + "菜地又大了。" * 400 + "完")["case"]
        daemon.database.sql("update hl.person set name = '王小明' where phone = %s", (resident(1),))
        code = scene.code(FIR)
        daemon.ctl("text", FIR, f"签 {code}")
        daemon.ctl("text", FIR, f"结 {code} 属实，已联系举报人，车辆已拖离 \"http://x\"，通道恢复畅通")
        # The parser takes a leading sign away; a result may come in by other doors.
        daemon.database.sql("update hl.task set result = '=' || result where state = 'done'")
        daemon.ctl("tick", "--to", "+6d")

    def file(self, name):
        return self.folder / name


@pytest.fixture(scope="module")
def world(cluster, database, tmp_path_factory):
    daemon = Daemon(cluster, database).start()
    yield World(daemon, tmp_path_factory.mktemp("records"))
    daemon.stop()


def ledger_csv(world, *words):
    target = world.file("ledger.csv")
    world.daemon.ctl("ledger", *DAYS, *words, "--out", target, json=False)
    text = target.read_bytes().decode("utf-8")
    assert text.startswith("\ufeff") and text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


# --- ledger ---------------------------------------------------------------------------------------------------------

def test_a_row_per_case_tells_limits_met_and_missed(world):
    rows = {row["案件编号"]: row for row in ledger_csv(world)}
    assert set(rows) == {world.done, world.overdue, world.long}
    done, late = rows[world.done], rows[world.overdue]
    assert (done["主办单位"], done["小区"], done["街道"]) == ("县消防救援大队", "锦绣花园", "嘉祥街道办事处")
    assert 0 <= int(done["签收余时(分)"]) <= 60 and int(done["办结余时(分)"]) > 71 * 60
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", done["单位办结时间"])
    # urgent: signed within 60 minutes, closed within 72 hours; six days have gone by
    assert -6 * 1440 - 1 <= int(late["签收余时(分)"]) <= -6 * 1440 + 61
    assert -3 * 1440 - 1 <= int(late["办结余时(分)"]) <= -3 * 1440 + 1 and late["单位办结时间"] == ""


def test_a_row_per_task_when_asked(world):
    rows = [row for row in ledger_csv(world, "--sheet", "tasks") if row["案件编号"] == world.done]
    assert [(row["单位代码"], row["主办/协办"]) for row in rows] == [("FIR", "lead"), ("POL", "co")]
    assert rows[0]["状态"] == "done" and rows[1]["签收时间"] == "" and int(rows[1]["签收余时(分)"]) < 0


def test_a_reporter_is_masked_and_a_formula_harmless(world):
    done = next(row for row in ledger_csv(world) if row["案件编号"] == world.done)
    assert (done["反映人"], done["反映人电话"]) == ("王**", "'+86100****0001")
    assert done["办理结果"].startswith("'=属实")


def test_reporters_are_named_for_who_may_and_says_why(world):
    query = ["ledger", *DAYS, "--with-reporters"]
    assert "reporters_are_named_for_a_reason" in world.daemon.ctl(*query, json=False, code=1)
    reply = world.daemon.ctl(*query, "--why", "court order 12")
    assert {c["phone"] for c in reply["cases"]} == {resident(n) for n in (1, 2, 3)}
    logged = world.daemon.database.sql("select by_user, why, is_named, query from hl.export order by id desc limit 1")[0]
    assert (logged["by_user"], logged["why"], logged["is_named"]) == (ME, "court order 12", True)
    assert logged["query"] == {"from": "2020-01-01", "to": "2099-12-31"}


def test_an_operator_may_not_see_reporters(world, cluster, make_daemon):
    if os.geteuid() != 0:
        pytest.skip("needs two users")
    daemon = make_daemon(sections={"operators": {ME: "operator"}})
    assert "role" in daemon.ctl("ledger", *DAYS, "--with-reporters", "--why", "x", json=False, code=1)
    assert "role" in daemon.ctl("form", world.done, "--html", "--with-reporters", "--why", "x", json=False, code=1)
    assert daemon.ctl("ledger", *DAYS)["cases"]


@pytest.mark.parametrize("words, expected", [
    (["--unit", "FIR"], 1), (["--unit", "POL"], 1), (["--state", "done"], 1), (["--subdistrict", "STR-WZ"], 1),
    (["--type", "FIR-1", "--state", "dispatched"], 0)], ids=str)
def test_filters(world, words, expected):
    assert len(world.daemon.ctl("ledger", *DAYS, *words)["cases"]) == expected


@pytest.mark.parametrize("words, reason", [
    (["--from", "2026-02-30", "--to", "2026-03-01"], "from: there is no day 2026-02-30"),
    (["--from", "yesterday", "--to", "2026-03-01"], "from: must be a day"),
    (["--from", "2026-03-02", "--to", "2026-03-01"], "to: must not be before from"),
    ([*DAYS, "--unit", "NSA"], "unit: there is no NSA"), ([*DAYS, "--type", "X"], "type: there is no X"),
    ([*DAYS, "--state", "sleepy"], "state: there is no sleepy"),
    ([*DAYS, "--subdistrict", "FIR"], "subdistrict: there is no FIR")], ids=str)
def test_a_bad_filter_is_named(world, words, reason):
    assert reason in world.daemon.ctl("ledger", *words, json=False, code=1)


def test_days_are_the_countys_and_both_included(world):
    world.daemon.database.sql("alter table hl.case disable trigger all")
    today = world.daemon.database.one("select to_char(opened_at at time zone 'Asia/Shanghai', 'YYYY-MM-DD') from hl.case"
                                      " where code = %s", (world.done,))
    world.daemon.database.sql("alter table hl.case enable trigger all")
    assert len(world.daemon.ctl("ledger", "--from", today, "--to", today)["cases"]) == 3


def test_pages_make_one_ledger_without_gap_or_double(world):
    """The verb hotlinectl uses, with pages of one row."""
    admin = world.daemon
    opened = call(admin, "ledger_open", {"query": {"from": "2020-01-01", "to": "2099-12-31"}})
    assert [m["cases"] for m in opened["months"]] == [3] and opened["months"][0]["tasks"] >= 4
    seen, after = [], 0
    while after is not None:
        page = call(admin, "ledger", {"export": opened["export"], "after": after, "limit": 1})
        seen += [row["case"] for row in page["rows"]]
        after = page["after"]
    assert seen == [world.done, world.overdue, world.long]


def call(daemon, verb, args):
    done = subprocess.run(["curl", "-sS", "--unix-socket", daemon.folder / "hotlined.sock", "-d", json.dumps(args),
                           f"http://hotlined/admin/{verb}"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_a_workbook_has_dates_filters_and_a_frozen_head(world):
    target = world.file("ledger.xlsx")
    world.daemon.ctl("ledger", *DAYS, "--xlsx", "--out", target, json=False)
    book = openpyxl.load_workbook(target)
    assert book.sheetnames == ["案件", "任务"]
    sheet = book["案件"]
    head = [cell.value for cell in sheet[1]]
    row = {name: cell for name, cell in zip(head, sheet[2])}
    assert row["案件编号"].value == world.done and row["受理时间"].is_date
    assert row["办理结果"].data_type == "s" and row["办理结果"].value.startswith("'=属实")
    assert isinstance(row["签收余时(分)"].value, (int, float)) and row["反映人电话"].value.endswith("****0001")
    assert sheet.freeze_panes == "B2" and sheet.auto_filter.ref.startswith("A1:") and sheet.max_row == 4
    assert book["任务"].max_row >= 4


def test_a_ledger_that_fails_leaves_no_file(world):
    target = world.file("bad.csv")
    world.daemon.ctl("ledger", "--from", "x", "--to", "y", "--out", target, json=False, code=1)
    assert [p.name for p in world.folder.glob("bad.csv*")] == []


def test_the_log_of_exports_is_not_changed(world):
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        connection = world.daemon.database.connect("hotline_daemon")
        with connection.cursor() as cursor:
            cursor.execute("update hl.export set by_user = 'nobody'")


# --- form -----------------------------------------------------------------------------------------------------------

def form_text(world, *words, case=None):
    target = world.file("form.pdf")
    world.daemon.ctl("form", case or world.done, "--pdf", "--out", target, *words, json=False)
    return subprocess.run(["pdftotext", "-layout", target, "-"], capture_output=True, text=True, check=True).stdout


def test_the_form_has_three_copies_with_every_field(world):
    pages = form_text(world).split("\f")[:-1]
    assert len(pages) == 3
    for page, copy in zip(pages, ["办公室存", "呈报单位存", "接收单位存"]):
        flat = re.sub(r"\s", "", page)
        for words in ["嘉祥县住宅小区违法违规案件呈报表", copy, world.done, "县民生热线服务中心", "县消防救援大队",
                      "联系人：示范值班员01", "接收人：示范联络员", "锦绣花园", "消防通道被私家车堵死了", "车辆已拖离", "附违法违规照片",
                      "协办单位：县公安局", "本表一式叁份"]:
            assert words in flat, words
        assert "10000000001" not in flat and "****" in flat
        assert re.search(r"负责人（签章）示范联络员\d+", flat) and re.search(r"\d{4}年\d+月\d+日", flat)


def test_one_copy_alone_and_an_unknown_one(world):
    assert form_text(world, "--copy", "receiver").count("接收单位存") == 1
    assert "there is no copy nobody" in world.daemon.ctl("form", world.done, "--pdf", "--copy", "nobody", "--out",
                                                        world.file("x.pdf"), json=False, code=1)
    assert not world.file("x.pdf").exists()


def test_gaps_stay_visibly_empty(world):
    flat = re.sub(r"[ \u3000]", "", form_text(world, "--copy", "office"))
    # nobody at the reporting unit has said anything: room for a hand to write the date
    assert re.search(r"呈报单位意见.*?\n?.*年月日", flat, re.DOTALL)


def test_words_too_long_for_their_box_stand_whole_on_a_page_behind(world):
    pages = [re.sub(r"\s", "", page) for page in form_text(world, "--copy", "office", case=world.long).split("\f")[:-1]]
    assert len(pages) >= 2 and "（全文见附页）" in pages[0] and "菜地又大了" not in pages[0]
    head = f"编号{world.long}附页违法违规详细"
    assert all(page.startswith(head) for page in pages[1:])
    whole = "".join(page.removeprefix(head) for page in pages[1:])
    assert whole.count("菜地又大了。") == 400 and whole.endswith("完")


def test_a_character_without_a_font_leaves_a_mark(world):
    assert "毁绿种菜〓菜地" in re.sub(r"\s", "", form_text(world, "--copy", "office", case=world.long))


def test_html_escapes_what_people_wrote(world):
    page = world.daemon.ctl("form", world.done, "--html", json=False)
    assert page.count("<section>") == 3 and "&quot;http://x&quot;" in page and "<svg" in page
    assert "10000000001" not in page


def test_a_form_names_the_reporter_only_for_a_reason(world):
    assert "reporters_are_named" in world.daemon.ctl("form", world.done, "--html", "--with-reporters", json=False, code=1)
    page = world.daemon.ctl("form", world.done, "--html", "--with-reporters", "--why", "hearing", json=False)
    assert "王小明 " + resident(1) in page
    assert world.daemon.database.one("select count(*) from hl.export where kind = 'form' and is_named and why = 'hearing'") == 1


def test_no_such_case(world):
    assert "there is no case 26-999999" in world.daemon.ctl("form", "26-999999", "--pdf", json=False, code=1)


def test_usage(world):
    for words in (["form", world.done], ["form", "--pdf"], ["form", world.done, "--pdf", "--html"], ["ledger", "--from", "2026-01-01"]):
        run_ctl(world.daemon.conf_path, *words, code=2)
