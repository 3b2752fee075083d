"""Scenes of the product, each a transcript in tests/transcripts: hotlinectl talk replays and compares them."""
import json
import re
import subprocess

import pytest

import hl_testlib
from hl_scene import county, set_clock

TRANSCRIPTS = sorted((hl_testlib.ROOT / "tests/transcripts").glob("*.txt"))


@pytest.fixture(scope="module")
def conf(cluster, database):
    """A demo installation on a Wednesday morning; no daemon."""
    set_clock(database, county(2026, 11, 25, 9))
    return hl_testlib.Conf(cluster, database).write(cluster.folder / "talk.conf")


def replay(conf, *files):
    return subprocess.run([hl_testlib.BUILD / "hotlinectl", "-c", conf, "talk", *files, "--json"], cwd=hl_testlib.ROOT,
                          capture_output=True, text=True, timeout=60, check=False)


def test_every_scene_goes_as_its_transcript_says(conf, database):
    done = replay(conf, *TRANSCRIPTS)
    results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"file"')]
    assert [r for r in results if r["differences"] or not r["done"]] == [], done.stderr
    assert done.returncode == 0 and len(results) == len(TRANSCRIPTS) >= 40
    assert database.one("select (select count(*) from hl.case) + (select count(*) from hl.message)") == 0


@pytest.mark.parametrize("line, said", [
    ("< FIR.deputy: signed", "got no signed"),
    ("< resident 1: closed", "got receipt_opened instead of closed"),
    ("< resident 1: receipt_opened | 火星", "火星 is not in"),
    ("= {case} done", "is dispatched, not done"),
    ("# nothing", "which nobody expected"),
])
def test_what_differs_is_told_with_its_line(conf, tmp_path, line, said):
    path = tmp_path / "wrong.txt"
    path.write_text(f"> resident 1: 锦绣花园3号楼消防通道被私家车堵死了\n{line}\n", encoding="utf-8")
    done = replay(conf, path)
    assert done.returncode == 1 and said in done.stderr, done.stderr
    assert re.search(r"wrong\.txt:[23]: ", done.stderr)
