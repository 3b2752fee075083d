"""What the shipped rules and model must reach on the labelled texts (issue 5), and hotlinectl classify and train.

The labelled texts are not part of this repository: HOTLINE_DATA names the folder. dev.jsonl is looked at here as passed
or failed, nothing else.
"""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("HOTLINE_DATA", ROOT / "../shared")) / "data" / "classify"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no labelled texts in {DATA}: set HOTLINE_DATA")


def ctl(*args, stdin=None):
    build = pathlib.Path(os.environ.get("HL_BUILD", ROOT / "build"))
    return subprocess.run([build / "hotlinectl", *args], input=stdin, capture_output=True, text=True, cwd=ROOT, timeout=60)


def figures(name):
    done = ctl("--json", "classify", "--evaluate", str(DATA / name))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_data
def test_the_bars_on_two_labellers_texts():
    whole, title = (figures("dev.jsonl")[f"{part}, hybrid"] for part in ("title+text", "title alone"))
    assert whole["unit"]["share"] >= 0.80 and whole["type"]["share"] >= 0.72
    assert title["unit"]["share"] >= 0.76
    assert whole["f1_out"] >= 0.85
    assert whole["auto_share"] >= 0.45 and whole["auto_unit"]["share"] >= 0.95


@needs_data
def test_the_bars_on_short_texts():
    sms = figures("sms.jsonl")["title+text, hybrid"]
    assert sms["unit"]["share"] >= 0.85
    assert sms["emergencies"]["share"] >= 0.95 and sms["look_alikes"]["share"] <= 0.15


def test_classify_takes_title_or_text_or_both():
    lines = [{"title": "邻居遛狗不牵绳"}, {"title": "邻居遛狗不牵绳", "text": "天天如此"}, {"text": "邻居遛狗不牵绳"}]
    done = ctl("classify", stdin="".join(json.dumps(line) + "\n" for line in lines))
    assert done.returncode == 0, done.stderr
    assert [json.loads(answer)["type"] for answer in done.stdout.splitlines()] == ["POL-4"] * 3


@pytest.mark.parametrize("line, says", [
    ('{"title": 5, "text": "x"}', "must be a string"), ('{"id": 1}', "must be a string"), ("[]", "line 1")])
def test_classify_says_what_is_wrong_with_a_line(line, says):
    done = ctl("classify", stdin=line + "\n")
    assert done.returncode == 1 and says in done.stderr


def test_evaluate_counts_any_accepted_type_and_says_how_sure_the_figure_is(tmp_path):
    texts = [{"text": "邻居遛狗不牵绳", "type": "POL-7", "accept": ["POL-7", "POL-4"], "urgency": "normal"},
             {"text": "邻居遛狗不牵绳", "type": "MKT-6", "urgency": "normal"},
             {"text": "孩子被困在电梯里，快来", "type": "MKT-4", "urgency": "emergency", "set": "urgency"}]
    path = tmp_path / "labelled.jsonl"
    path.write_text("".join(json.dumps(t) + "\n" for t in texts))
    done = ctl("--json", "classify", "--evaluate", str(path))
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)["title+text, hybrid"]
    assert got["type"]["n"] == 3 and abs(got["type"]["share"] - 2 / 3) < 1e-9
    assert got["type"]["low"] < 0.3 and got["type"]["high"] > 0.9
    assert got["emergencies"] == {**got["emergencies"], "share": 1.0, "n": 1}
    printed = ctl("classify", "--evaluate", str(path)).stdout
    row = next(line for line in printed.splitlines() if line.startswith("| lead unit right, short texts"))
    assert row.endswith("of 3 | 0.85 | 0.95 |") and "(" in row, "n and the interval beside each figure"


def test_train_refuses_what_it_cannot_learn_from(tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text('{"text": "x", "type": "NO-1"}\n')
    done = ctl("train", "--from", str(path))
    assert done.returncode == 1 and "NO-1" in done.stderr and "bad.jsonl:1" in done.stderr
    path.write_text('{"text": "x", "type": "POL-4"}\n')
    done = ctl("train", "--from", str(path))
    assert done.returncode == 1 and "too few" in done.stderr


def test_the_model_holds_no_words():
    text = (ROOT / "schema/ref/model.json").read_text()
    assert text.isascii() and len(text) < 2_500_000
