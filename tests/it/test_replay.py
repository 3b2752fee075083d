"""Limits and rungs are replayed from the history: random cases, through pauses, more time, hand-backs, redos and holidays, come
out at the same instants; a row that was changed does not."""
import datetime
import json
import random
import subprocess

import pytest

from hl_scene import Scene, contact, county, resident, set_clock
from hl_testlib import BUILD, Conf, run_ctl, wait_for

PLACES = ("碧水云天", "龙城御景", "金都华府", "盛世嘉园")
NOISE, BLOCKED = "广场舞音响声音太大扰民", "3号楼消防通道被私家车堵死了"
DONE = "属实，已联系举报人，已劝离，照片已存档"
N_CASES = 5
UNITS = ("POL", "URB", "HOU", "MKT", "SAN")


@pytest.fixture
def database(cluster):
    made = cluster.create_database()
    yield made
    made.drop()


class Life:
    """One case that anything may happen to. What the rules refuse is refused: the history does not show it."""

    def __init__(self, scene, dice, n):
        self.scene, self.dice, self.reporter = scene, dice, resident(n)
        self.number = scene.report(self.reporter, PLACES[n % len(PLACES)] + (NOISE if n <= 4 else BLOCKED))

    def desk(self, *words):
        command = [BUILD / "hotlinectl", "-c", self.scene.daemon.conf_path, *map(str, words), "--why", "w"]
        subprocess.run(command, capture_output=True, timeout=60, check=False)

    def officer(self, words):
        """The lead's officer says something with his code."""
        rows = self.scene.daemon.sql(
            "select p.phone, n.code from hl.case c join lateral hl.lead_task(c.id) k on true join hl.notice_code n on n.task_id = k.id"
            " join hl.person p on p.id = n.person_id join hl.contact o on o.person_id = p.id and o.unit = k.unit and o.role = 'officer'"
            " where c.code = %s", (self.number,))
        if rows:
            self.scene.text(rows[0]["phone"], words.format(code=rows[0]["code"]))

    def step(self):
        """Something that may happen to a case in its state, or now and then anything."""
        unit, days = self.dice.choice(UNITS), self.dice.randint(1, 9)
        proposed = {"POL": "县公安局", "URB": "县综合行政执法局"}.get(unit, "县住房和城乡建设局")
        now, = self.scene.daemon.sql("select c.state, exists (select from hl.request r where r.case_id = c.id and r.state = 'pending')"
                                     " as is_asked from hl.case c where c.code = %s", (self.number,))
        moves = {
            "waiting": [lambda: self.desk("resume", self.number), lambda: self.scene.text(self.reporter, "补充：就在南门旁边"),
                        lambda: self.officer("延 {code} 2天 等待配件"), lambda: self.desk("task", "add", self.number, unit, "--co", "--days", days)],
            "done": [lambda: self.desk("redo", self.number)] * 3 + [lambda: self.desk("accept", self.number)],
            "closed": [lambda: self.desk("reopen", self.number)],
            "asked": [lambda: self.desk("grant", self.number)] * 2 + [lambda: self.desk("grant", self.number, "--unit", unit),
                                                                      lambda: self.desk("refuse", self.number),
                                                                      lambda: self.desk("wait", self.number)],
            "working": [lambda: self.officer("签 {code}"), lambda: self.officer(f"延 {{code}} {days}天 等待配件"),
                        lambda: self.officer(f"退 {{code}} 应为{proposed}"), lambda: self.officer("结 {code} " + DONE),
                        lambda: self.desk("wait", self.number), lambda: self.desk("assign", self.number, "--unit", unit),
                        lambda: self.desk("task", "add", self.number, unit, "--co", "--days", days)],
        }
        name = "asked" if now["is_asked"] and now["state"] != "waiting" else now["state"]
        choices = moves.get(name, moves["working"]) if self.dice.random() < 0.8 else sum(moves.values(), [])
        self.dice.choice(choices)()


def live(scene, database, dice, at, n_cases, n_steps):
    lives = [Life(scene, dice, n) for n in range(1, n_cases + 1)]
    for _ in range(n_steps):
        at += datetime.timedelta(minutes=dice.randint(20, 40 * 60))
        set_clock(database, at)
        for life in lives:
            life.step()
        wait_for(lambda: scene.daemon.ctl("idle")["idle"], what="what fell due to be said")


def kinds(database):
    return {row["kind"]: row["n"] for row in database.sql(
        "select kind, count(*) as n from hl.event where task_id is not null group by kind")}


@pytest.mark.parametrize("begins, seed", [(county(2026, 2, 9, 10), 4), (county(2026, 9, 21, 15), 11)], ids=["春节", "国庆"])
def test_random_histories_give_the_same_instants(make_daemon, database, begins, seed):
    set_clock(database, begins)
    scene = Scene(make_daemon())
    live(scene, database, random.Random(seed), begins, N_CASES, 12)
    replayed = scene.daemon.ctl("replay", "--since", "2026-01-01", "--history")
    assert replayed["differs"] == [] and replayed["unknown"] == 0, replayed
    found = kinds(database)
    assert replayed["cases"] == N_CASES and replayed["instants"] >= 2 * sum(
        found.get(kind, 0) for kind in ("assigned", "limits_moved", "extension_granted", "redo")) + found["rung"]
    assert {"limits_moved", "extension_granted", "redo", "handback_accepted", "rung"} <= set(found), found
    assert database.one("select count(*) from hl.event where data ? 'kept_from'") > 0
    assert scene.daemon.ctl("verify")["broken"] == []

    # a limit that somebody moved, history and all, is found though its chain could be made whole again
    database.sql("alter table hl.event disable trigger user")
    changed = database.sql("update hl.event e set data = data || jsonb_build_object('close_by', (data->>'close_by')::bigint + 60000000)"
                           " where (case_id, seq) = (select case_id, max(seq) from hl.event where kind = 'limits_moved' group by 1 limit 1)"
                           " returning seq")
    database.sql("alter table hl.event enable trigger user")
    tampered = scene.daemon.ctl("replay", "--since", "2026-01-01", "--history", code=1)
    assert [(d["seq"], d["what"]) for d in tampered["differs"]][:1] == [(changed[0]["seq"], "close_by")]


def test_a_new_calendar_moves_what_was_paused_and_extended_too(make_daemon, cluster, database, tmp_path):
    """The holidays of 2027 are not known: limits that reach them are provisional until they are."""
    set_clock(database, county(2026, 12, 21, 9))
    scene = Scene(make_daemon())
    police = contact("POL")
    paused, extended = scene.report(resident(1), "碧水云天" + NOISE), scene.report(resident(2), "龙城御景" + NOISE)
    for number in (paused, extended):
        code = next(code for code in scene.task(number, "POL")["codes"])
        assert scene.answer(police, f"签 {code}")["template"] == "signed"
    assert scene.answer(police, f"延 {code} 9天 等待配件")["template"] == "operator_will_act"
    scene.daemon.ctl("grant", extended, "--why", "w")
    scene.tick(county(2026, 12, 22, 9))
    scene.daemon.ctl("wait", paused, "--why", "w")
    scene.tick(county(2026, 12, 30, 9))
    scene.daemon.ctl("resume", paused)
    before = {number: scene.task(number, "POL") for number in (paused, extended)}
    assert all(task["provisional"] for task in before.values()), before
    year = tmp_path / "2027.json"
    # New Year's Day to the 9th are free
    year.write_text(json.dumps({"year": 2027, "days": [{"name": "元旦", "date": f"2027-01-{day:02}", "isOffDay": True}
                                                       for day in range(1, 10)]}))
    said = run_ctl(Conf(cluster, database).write(tmp_path / "hotlined.conf"), "import", "calendar", year, "--why", "announced")
    assert "2 task(s) computed again" in said, said
    for number in (paused, extended):
        after = scene.task(number, "POL")
        assert not after["provisional"] and after["close_by"] > before[number]["close_by"], after
        assert after["next"]["due"] <= after["close_by"]
    replayed = scene.daemon.ctl("replay", "--since", "2026-12-01", "--history")
    assert replayed["differs"] == [] and replayed["provisional"] > 0
