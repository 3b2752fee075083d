"""What operators settle becomes training data: `hotlinectl train --from-cases` adapts the model, which is then put into
service while the daemon runs.
"""
import re

import pytest

from hl_scene import Scene, county, resident, set_clock
from hl_testlib import wait_for

# A matter that no rule knows: what residents of one compound call the charging post of their gate.
HEADS = ("南门", "北门", "东门", "西门", "二期", "三期")
TAILS = ("叮当柜又卡住了", "叮当柜打不开", "叮当柜吞了我的卡", "那个叮当柜响个不停")
WORDS = [f"锦绣花园{head}{tail}" for head in HEADS for tail in TAILS]


@pytest.fixture(scope="module")
def settled(cluster, database):
    """A daemon's database in which an operator gave 24 reports about one matter their type, and sent one away."""
    import hl_testlib
    set_clock(database, county(2026, 3, 3, 10))
    daemon = hl_testlib.Daemon(cluster, database).start()
    scene = Scene(daemon)
    for n, words in enumerate(WORDS, 1):
        done = scene.text(resident(n), f"{words}，我姓欧阳，电话10000000{n:03d}")
        if done["outcome"] != "dispatch":
            scene.daemon.ctl("assign", done["case"], "UTI-5", "--unit", "STR-JX", "--why", "叮当柜是通信柜")
        else:
            scene.daemon.ctl("assign", done["case"], "--type", "UTI-5", "--unit", "STR-JX", "--why", "叮当柜是通信柜")
    yield scene
    daemon.stop()


def shares(report):
    """{name of a row: share of case types right} of the report's first table."""
    return {cells[1].strip(): float(cells[4].split()[0]) for cells in (line.split("|") for line in report.splitlines())
            if len(cells) == 12 and re.match(r" \d\.\d", cells[4])}


def test_what_operators_settled_teaches_the_model_and_the_daemon_takes_it(settled, tmp_path):
    daemon, path = settled.daemon, tmp_path / "model.json"
    rows = daemon.sql("select hl.training_cases('{\"days\": 30, \"limit\": 100}') as r")[0]["r"]["cases"]
    assert len(rows) == len(WORDS) and {row["type"] for row in rows} == {"UTI-5"}
    report = daemon.ctl("train", "--from-cases", "--days", "30", "--to", path, "--report", json=False)
    found = shares(report)
    assert found["title+text, first label"] > found["the model as it is"] + 0.3, report
    for part in ("## Case types", "## Most frequent confusions", "## Reliability"):
        assert part in report
    model = path.read_text()
    assert model.isascii() and len(model) < 4_000_000, "no word of anybody"
    daemon.ctl("import", "model", path, "--why", "叮当柜")
    wait_for(lambda: len(daemon.log_lines("refdata.loaded")) == 2, what="the daemon to take the model")
    told = daemon.ctl("explain", settled.text(resident(60), "锦绣花园新开的侧门叮当柜没反应")["case"])["decisions"][0]
    assert told["type"] == "UTI-5" and told["versions"]["model"] in model


def test_too_few_settled_cases_teach_nothing(make_daemon, cluster):
    empty = cluster.create_database()
    try:
        error = make_daemon(on=empty).ctl("train", "--from-cases", json=False, code=1)
        assert "0 cases that operators settled in 365 days are too few" in error
    finally:
        empty.drop()


@pytest.mark.parametrize("words, says", [(["--from-cases", "--days", "0"], "--days"), (["--from-cases", "--days", "x"], "--days")])
def test_days_are_a_number(settled, words, says):
    assert says in settled.daemon.ctl("train", *words, json=False, code=1)
