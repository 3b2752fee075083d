"""hotlinectl limit: the contract of its output, every form of its input, its refusals; no database, no daemon."""
import datetime
import json
import shutil
import subprocess
import zoneinfo

import pytest

from hl_testlib import BUILD, ROOT

AMSTERDAM = {"name": "amsterdam", "zone": "Europe/Amsterdam", "week": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
             "hours": [["00:00", "06:00"], ["22:00", "24:00"]]}


def run(*words, code=0):
    done = subprocess.run([BUILD / "hotlinectl", "limit", *map(str, words)], capture_output=True, text=True, timeout=60,
                          check=False, cwd=ROOT)
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout if code == 0 else done.stderr


def limit(begin, *span):
    return json.loads(run("--from", begin, *span, "--json"))


@pytest.fixture(name="folder", scope="module")
def make_folder(tmp_path_factory):
    """A reference folder with a calendar of a zone that changes its clock beside the county's."""
    folder = tmp_path_factory.mktemp("ref")
    shutil.copy(ROOT / "schema/ref/calendar.json", folder)
    shutil.copytree(ROOT / "schema/ref/holidays", folder / "holidays")
    other = folder / "calendars/amsterdam"
    (other / "holidays").mkdir(parents=True)
    (other / "calendar.json").write_text(json.dumps(AMSTERDAM))
    (other / "holidays/2024.json").write_text(json.dumps(
        {"year": 2024, "days": [{"date": "2024-12-25", "isOffDay": True, "name": "Kerst"}]}))
    return folder


@pytest.mark.parametrize("begin, span, end", [
    ("2024-09-30T16:00", ("--working-hours", 4), "2024-10-08T10:30:00+08:00"),
    ("2024-09-30 16:00:00", ("--working-days", 5), "2024-10-12T17:30:00+08:00"),  # a make-up Saturday
    ("2026-03-02T09:00", ("--working-hours", 4), "2026-03-02T14:30:00+08:00"),
    ("2026-03-02T01:00:00Z", ("--working-hours", 4), "2026-03-02T14:30:00+08:00"),
    ("2026-03-02T08:29:59+08:00", ("--working-hours", "3"), "2026-03-02T11:30:00+08:00"),
    ("2026-03-02T08:30", ("--working-hours", 8), "2026-03-03T09:00:00+08:00"),
    ("2026-03-02T14:00+0800", ("--minutes", 15), "2026-03-02T14:15:00+08:00"),
    ("2026-02-14T23:59", ("--working-days", 1), "2026-02-24T17:30:00+08:00"),  # over 春节
])
def test_the_limit_as_json_is_an_instant_and_a_flag_and_nothing_else(begin, span, end):
    assert limit(begin, *span) == {"limit": end, "provisional": False}


def test_units_have_calendars_of_their_own_in_the_countys_file(tmp_path):
    shutil.copytree(ROOT / "schema/ref/holidays", tmp_path / "holidays")
    spec = json.loads((ROOT / "schema/ref/calendar.json").read_text(encoding="utf-8"))
    spec["calendars"] = [{"name": "weekend", "units": ["PMC-01"], "week": ["sat", "sun"], "hours": [["09:00", "17:00"]]},
                         {"name": "late", "hours": [["10:00", "19:00"]]}]
    (tmp_path / "calendar.json").write_text(json.dumps(spec))
    ref = ("--ref", tmp_path)
    for name, end in (("weekend", "2026-03-07T13:00:00+08:00"), ("late", "2026-03-02T14:00:00+08:00"), ("county", "2026-03-02T14:30:00+08:00")):
        assert limit("2026-03-02T09:00", "--working-hours", 4, "--calendar", name, *ref)["limit"] == end, name
    # the holidays are the county's: the festival's weekend is free
    assert limit("2026-02-20T09:00", "--working-hours", 4, "--calendar", "weekend", *ref)["limit"] == "2026-02-28T13:00:00+08:00"
    assert "no such" in run("--from", "2026-03-02T09:00", "--minutes", 5, "--calendar", "nowhere", *ref, code=1).lower()


def test_a_closing_instant_is_the_limit_itself():
    assert limit("2026-03-02T08:30", "--working-hours", 3)["limit"] == "2026-03-02T11:30:00+08:00"
    assert limit("2026-03-02T13:30", "--working-hours", 4)["limit"] == "2026-03-02T17:30:00+08:00"


def test_years_without_holidays_are_answered_and_flagged():
    assert limit("2026-12-31T17:00", "--working-hours", 4) == {"limit": "2027-01-01T12:00:00+08:00", "provisional": True}
    assert limit("2035-05-07T09:00", "--working-days", 1) == {"limit": "2035-05-08T17:30:00+08:00", "provisional": True}
    assert limit("2015-05-07T09:00", "--working-days", 1) == {"limit": "2015-05-08T17:30:00+08:00", "provisional": True}
    assert limit("2026-03-02T09:00", "--working-days", 2500)["provisional"] is True


def test_people_read_the_same_in_one_line():
    assert run("--from", "2024-09-30T16:00", "--working-hours", 4) == "2024-10-08T10:30:00+08:00 (provisional: false)\n"


def test_explained_it_names_every_boundary_crossed():
    answer = json.loads(run("--from", "2026-09-24T17:00", "--working-hours", 4, "--json", "--explain"))
    assert list(answer) == ["limit", "provisional", "crossed"]
    assert answer["limit"] == "2026-09-28T11:30:00+08:00"
    crossed = [(entry["at"][:16], entry["what"]) for entry in answer["crossed"]]
    assert crossed == [("2026-09-24T18:00", "closes"), ("2026-09-25T00:00", "day_off"), ("2026-09-26T00:00", "day_off"),
                       ("2026-09-27T00:00", "day_off"), ("2026-09-28T08:30", "opens")]
    assert answer["crossed"][1]["name"] == "中秋节"
    plain = run("--from", "2026-09-24T17:00", "--working-hours", 4, "--explain").splitlines()
    assert len(plain) == 6 and plain[2] == "  2026-09-25T00:00:00+08:00  day_off 中秋节"
    season = json.loads(run("--from", "2026-05-29T17:00", "--working-hours", 1, "--json", "--explain"))["crossed"]
    assert ("2026-06-01T00:00:00+08:00", "timetable") in [(entry["at"], entry["what"]) for entry in season]
    assert json.loads(run("--from", "2026-03-02T11:50", "--minutes", 15, "--json", "--explain"))["crossed"] == []


def test_another_calendar_of_the_folder_counts_on_its_own_clock(folder):
    zone = zoneinfo.ZoneInfo("Europe/Amsterdam")
    for begin in ("2024-03-31T00:00", "2024-10-27T00:00"):
        answer = json.loads(run("--from", begin, "--working-hours", 4, "--calendar", "amsterdam", "--ref", folder, "--json",
                                "--explain"))
        end = datetime.datetime.fromisoformat(begin).replace(tzinfo=zone).astimezone(datetime.timezone.utc)
        end = (end + datetime.timedelta(hours=4)).astimezone(zone)
        assert answer["limit"] == end.isoformat()
        assert [entry["what"] for entry in answer["crossed"]] == ["clock_change"]
    assert json.loads(run("--from", "2024-07-01T12:00", "--working-days", 1, "--calendar", "county", "--ref", folder,
                          "--json"))["limit"] == "2024-07-02T18:00:00+08:00"


@pytest.mark.parametrize("words, said", [
    (("--from", "2026-03-02T09:00", "--working-hours", "0"), "--working-hours: must be a whole number from 1"),
    (("--from", "2026-03-02T09:00", "--working-hours", "-4"), "--working-hours: must be a whole number from 1"),
    (("--from", "2026-03-02T09:00", "--working-hours", "4.5"), "--working-hours: must be a whole number from 1"),
    (("--from", "2026-03-02T09:00", "--working-hours", ""), "--working-hours: must be a whole number from 1"),
    (("--from", "2026-03-02T09:00", "--working-days", "2501"), "from 1 to 2500"),
    (("--from", "2026-03-02T09:00", "--minutes", "9" * 40), "from 1 to 5256000"),
    (("--from", "2026-03-02T09:00", "--minutes", "5", "--working-days", "1"), "must not be given beside"),
    (("--from", "2026-03-02T09:00", "--minutes", "5", "--minutes", "6"), "must not be there twice"),
    (("--from", "2026-03-02T09:00", "--minuets", "5"), "no such option"),
    (("--from", "2026-03-02T09:00", "5"), "no such option"),
    (("--from", "2026-02-30T09:00", "--minutes", "5"), "--from: day must be 01 to 28"),
    (("--from", "yesterday", "--minutes", "5"), "--from: must begin with a date"),
    (("--from", "1960-01-01T09:00", "--minutes", "5"), "--from: the year must be"),
    (("--from", "2026-03-02T09:00", "--minutes", "5", "--calendar", "../x"), "--calendar: must be a name"),
    (("--from", "2026-03-02T09:00", "--minutes", "5", "--calendar", "mars"), "--calendar mars: could not open"),
], ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else None)
def test_what_is_no_question_is_refused_with_option_and_rule(words, said):
    assert said in run(*words, code=1)


def test_without_start_or_span_it_says_how_it_is_called():
    for words in ((), ("--from", "2026-03-02T09:00"), ("--minutes", "5"), ("--from", "2026-03-02T09:00", "--minutes")):
        assert "usage: hotlinectl limit " in run(*words, code=2)
