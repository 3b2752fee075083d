"""Reference data: import with its difference and all its errors, export and back, history; calendars and provisional limits."""
import csv
import datetime
import io
import json

import pytest

import hl_rows
from hl_testlib import ROOT, Conf, run_ctl, wait_for

KINDS = ["units", "duties", "limits", "rules", "compounds", "calendar", "templates", "ladder", "contacts", "roster", "grammar", "flow"]
REF = ROOT / "schema/ref"


@pytest.fixture(name="conf", scope="module")
def make_conf(cluster, database, tmp_path_factory):
    return Conf(cluster, database).write(tmp_path_factory.mktemp("conf") / "hotlined.conf")


@pytest.fixture(name="ctl", scope="module")
def make_ctl(conf):
    return lambda *words, **options: run_ctl(conf, *words, **options)


def export(ctl, kind, form):
    """The export as text; run_ctl puts standard output first, and nothing is on standard error."""
    return ctl("export", kind, form)


def records(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def write_csv(path, rows, encoding="utf-8", newline="\r\n"):
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), lineterminator=newline)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(out.getvalue().encode(encoding))
    return path


def state(database):
    """All that an import may change."""
    return database.sql("select (select jsonb_agg(to_jsonb(r) order by id) from hl.refdata r) as refdata,"
                        " (select jsonb_agg(to_jsonb(r) order by id) from hl.config_change r) as history,"
                        " (select jsonb_agg(to_jsonb(r) order by id) from hl.contact r) as contacts,"
                        " (select jsonb_agg(to_jsonb(r) order by id) from hl.roster r) as roster,"
                        " (select jsonb_agg(to_jsonb(r) order by code) from hl.compound r) as compounds")[0]


@pytest.fixture(name="roster", scope="module")
def make_roster(ctl, tmp_path_factory):
    """Duties, so that every kind has rows."""
    path = tmp_path_factory.mktemp("roster") / "roster.json"
    path.write_text(json.dumps({"roster": [
        {"unit": "URB", "role": "officer", "phone": "+8610000000150", "kind": "week", "days": ["mon", "wed"], "from": "08:00",
         "until": "20:00"},
        {"unit": "URB", "role": "officer", "phone": "+8610000000150", "kind": "leave", "from": "2031-10-01",
         "until": "2031-10-04 12:00", "note": "holiday"}]}))
    ctl("import", "roster", path, "--why", "first roster")


# --- there and back -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("form", ["--json", "--csv"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_exported_is_no_difference(ctl, roster, database, kind, form, tmp_path):
    if kind in ("rules", "grammar", "flow") and form == "--csv":
        assert "no form as a table" in ctl("export", kind, form, code=1)
        return
    path = tmp_path / f"{kind}.{form[2:]}"
    path.write_text(export(ctl, kind, form), encoding="utf-8", newline="")
    assert path.stat().st_size > 100
    before = state(database)
    (answer,) = ctl("import", kind, path, is_json=True)
    assert (answer["added"], answer["changed"], answer["removed"], answer["changes"]) == (0, 0, 0, []), answer
    assert state(database) == before


def test_the_folder_that_was_imported_is_no_difference(ctl):
    said = ctl("import", "all", REF)
    assert said.count("unchanged") == 12 and "imported" not in said, said.replace("unchanged", "")


# --- differences --------------------------------------------------------------------------------------------------

def test_a_dry_run_shows_each_row_and_changes_nothing(ctl, database, tmp_path):
    rows = records(export(ctl, "compounds", "--csv"))
    rows[0]["community"] = "新社区"
    gone = rows.pop(1)
    rows.append({**rows[0], "code": "C900", "name": "新建花园", "aliases": "新建小区;新花园"})
    path = write_csv(tmp_path / "places.csv", rows)
    before = state(database)
    (answer,) = ctl("import", "compounds", path, "--dry-run", is_json=True)
    assert (answer["added"], answer["changed"], answer["removed"], answer["dry_run"]) == (1, 1, 1, True)
    changes = {change["key"]: change for change in answer["changes"]}
    assert changes["C001"]["fields"] == {"community": ["文苑社区", "新社区"]}
    assert changes["C900"]["change"] == "added" and changes["C900"]["fields"]["aliases"] == [None, ["新建小区", "新花园"]]
    assert changes[gone["code"]]["change"] == "removed"
    said = ctl("import", "compounds", path, "--dry-run")
    assert "1 added, 1 changed, 1 removed" in said and "~ C001" in said and "community: 文苑社区 -> 新社区" in said
    assert state(database) == before


def test_an_import_takes_effect_and_is_remembered_with_who_and_why(ctl, database, tmp_path):
    original = tmp_path / "original.csv"
    original.write_text(export(ctl, "compounds", "--csv"), encoding="utf-8", newline="")
    rows = records(original.read_text(encoding="utf-8"))
    gone = rows.pop()
    ctl("import", "compounds", write_csv(tmp_path / "places.csv", rows), "--why", "demolished")
    assert database.one("select is_active from hl.compound where code = %s", (gone["code"],)) is False
    assert gone["code"] not in json.dumps(database.one(
        "select doc from hl.refdata where kind = 'places' and is_current"))
    latest = ctl("import", "--history", "compounds", is_json=True)[0]
    assert (latest["kind"], latest["why"], latest["removed"], latest["keys"]) == (
        "places", "demolished", 1, [f"removed {gone['code']}"])
    assert latest["by"] and "demolished" in ctl("import", "--history")
    ctl("import", "compounds", original)
    assert database.one("select is_active from hl.compound where code = %s", (gone["code"],)) is True


@pytest.mark.parametrize("encoding, newline", [("utf-8-sig", "\r\n"), ("gbk", "\r\n"), ("utf-8", "\n")])
def test_tables_come_in_the_encodings_of_offices(ctl, tmp_path, encoding, newline):
    path = write_csv(tmp_path / "units.csv", records(export(ctl, "units", "--csv")), encoding, newline)
    (answer,) = ctl("import", "units", path, "--dry-run", is_json=True)
    assert answer["changes"] == []


def test_numbers_of_people_are_not_in_the_history(ctl, database, tmp_path):
    rows = records(export(ctl, "contacts", "--csv"))
    original = write_csv(tmp_path / "original.csv", rows)
    rows[5]["name"] = "示范替换"
    ctl("import", "contacts", write_csv(tmp_path / "contacts.csv", rows))
    assert ctl("import", "--history", "contacts", is_json=True)[0]["keys"] == [f"changed {rows[5]['unit']} {rows[5]['role']}"]
    assert "1000000" not in json.dumps(database.one("select jsonb_agg(keys) from hl.config_change"))
    ctl("import", "contacts", original)


# --- refusals: whole, and every line ------------------------------------------------------------------------------

def refused(ctl, database, kind, path):
    before = state(database)
    answer = ctl("import", kind, path, is_json=True, code=1)
    assert state(database) == before
    return [(error["line"], error["field"], error["rule"]) for error in answer["errors"]]


def lines(found):
    return [(line, field) for line, field, _ in found]


def test_every_wrong_line_of_a_table_is_named(ctl, database, tmp_path):
    rows = records(export(ctl, "duties", "--csv"))
    rows[0]["lead"] = "NOWHERE"
    rows[2]["lead"] = "URB;POL"
    rows[4]["urgency"] = "soon"
    rows[6]["code"] = rows[5]["code"]
    rows[6]["lead"] = "HOT"
    rows[8]["co"] = f"{rows[8]['lead']}"
    rows[9]["name"] = ""
    found = refused(ctl, database, "duties", write_csv(tmp_path / "duties.csv", rows))
    assert lines(found) == [(2, "lead"), (4, "lead"), (6, "urgency"), (8, "lead"), (10, "co"), (11, "name")]
    assert "two leads" in found[1][2] and "a case type has one lead" in found[3][2]


def test_json_names_its_lines_too(ctl, database, tmp_path):
    path = tmp_path / "units.json"
    path.write_text('{\n"units": [\n{"code": "A{]", "name": "x", "kind": "authority"},\n\n'
                    '{"code": "BB", "name": "y",\n "kind": "nothing"},\n{"code": "CC", "kind": "office"}\n]}\n')
    assert lines(refused(ctl, database, "units", path)) == [(3, "code"), (5, "kind"), (7, "name")]


def test_json_names_the_lines_of_rows_that_lie_deeper(ctl, database, tmp_path):
    text = export(ctl, "limits", "--json")
    at = {name: next(n for n, line in enumerate(text.split("\n"), 1) if f'"{name}": {{' in line) for name in ("normal", "emergency")}
    path = tmp_path / "limits.json"
    path.write_text(text.replace('"sign": "15 min"', '"sign": "0 min"', 1).replace('"close": "5 days"', '"close": "some"', 1))
    assert lines(refused(ctl, database, "limits", path)) == [(at["normal"], "limits"), (at["emergency"], "limits")]

    path = tmp_path / "2027.json"
    path.write_text('{"year": 2027, "papers": [],\n"days": [\n{"name": "x", "date": "2027-01-01", "isOffDay": true},\n'
                    '{"name": "x", "date": "2027-02-30", "isOffDay": true},\n\n{"name": "x", "date": "2024-01-03", "isOffDay": true},\n'
                    '{"name": "x", "date": "2027-01-04", "isOffDay": "no"}]}')
    assert lines(refused(ctl, database, "calendar", path)) == [(4, "date"), (6, "date"), (7, "isOffDay")]

    # the years beside a specification are files of their own
    (tmp_path / "holidays").mkdir()
    (tmp_path / "calendar.json").write_text((REF / "calendar.json").read_text(encoding="utf-8"), encoding="utf-8")
    for year in (2025, 2026):
        days = "".join(f'{{"name": "x", "date": "{year}-01-0{day}", "isOffDay": {"true" if day < 3 or year < 2026 else 7}}},\n' for day in (1, 2, 3))
        (tmp_path / f"holidays/{year}.json").write_text(f'{{"year": {year}, "days": [\n{days[:-2]}]}}')
    reply = ctl("import", "calendar", tmp_path / "calendar.json", is_json=True, code=1)
    assert [(e["file"].rsplit("/", 2)[-2:], e["line"], e["field"]) for e in reply["errors"]] == [(["holidays", "2026.json"], 4, "isOffDay")]


@pytest.mark.parametrize("kind, change, expected", [
    ("contacts", lambda r: r[0].update(phone="1381"), [(2, "phone")]),
    ("contacts", lambda r: r[1].update(unit="NOWHERE"), [(3, "unit")]),
    ("contacts", lambda r: r.append(dict(r[0])), [(77, "unit")]),
    ("contacts", lambda r: r[0].update(rank="0"), [(2, "rank")]),
    ("contacts", lambda r: r[0].update(rank="first"), [(2, "rank")]),
    ("compounds", lambda r: r[3].update(subdistrict="URB"), [(5, "subdistrict")]),
    ("compounds", lambda r: (r[3].update(code="C001"), r[5].update(gas_company="PMC-01")), [(5, "code"), (7, "gas_company")]),
    ("limits", lambda r: (r[0].update(sign="0 min"), r[1].update(close="-1 h")), [(2, "limits"), (3, "limits")]),
    ("limits", lambda r: r[3].update(sign="a while"), [(5, "limits")]),
    ("templates", lambda r: r[0].update(text="{nothing}"), [(2, "text")]),
    ("ladder", lambda r: (r[0].update(template="none"), r[2].update(lane="fast")), [(2, "template"), (4, "lane")]),
    ("calendar", lambda r: r[0].update(isOffDay="maybe"), [(2, "isOffDay")]),
    ("calendar", lambda r: r[1].update(date="soon"), [(3, "date")]),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_contradiction_is_refused_with_its_line(ctl, database, tmp_path, kind, change, expected):
    rows = records(export(ctl, kind, "--csv"))
    change(rows)
    assert lines(refused(ctl, database, kind, write_csv(tmp_path / "x.csv", rows))) == expected


@pytest.mark.parametrize("text, expected", [
    ("", (1, "line")), ("code,name,colour\nA,b,c\n", (1, "colour")), ("code,code\nA,b\n", (1, "code")),
    ('code,name\nAB,"open\n', (0, "CSV")), ("code,name,kind\nAB,x,office,more\n", (2, "line")),
], ids=["empty", "column", "twice", "quote", "fields"])
def test_what_is_no_table_is_refused(ctl, database, tmp_path, text, expected):
    path = tmp_path / "units.csv"
    path.write_text(text)
    assert expected in lines(refused(ctl, database, "units", path))


def test_a_calendar_without_working_time_is_refused(ctl, database, tmp_path):
    path = tmp_path / "calendar.json"
    spec = json.loads(export(ctl, "calendar", "--json"))
    path.write_text(json.dumps({**spec, "week": []}))
    ((_, field, rule),) = refused(ctl, database, "calendar", path)
    assert field == "calendar" and "working time" in rule


@pytest.mark.parametrize("change, expected", [
    (lambda r: r.append({**r[0], "phone": "+8610000000160", "unit": "POL"}), []),
    (lambda r: r.append({**r[0], "from": "19:00", "until": "21:00"}), [(0, "from")]),
    (lambda r: r[0].update(phone="+8610000000100"), [(0, "phone")]),
    (lambda r: r[0].update({"from": "20:00", "until": "08:00"}), [(0, "until")]),
    (lambda r: r[0].update({"from": "25:00"}), [(0, "from")]),
    (lambda r: r[1].update({"until": "2031-09-30"}), [(0, "until")]),
    (lambda r: r[1].update({"days": ["mon"]}), [(0, "days")]),
])
def test_rosters_that_contradict_themselves_are_refused(ctl, database, roster, tmp_path, change, expected):
    doc = json.loads(export(ctl, "roster", "--json"))
    change(doc["roster"])
    path = tmp_path / "roster.json"
    path.write_text(json.dumps(doc))
    if expected:
        assert [field for _, field in lines(refused(ctl, database, "roster", path))] == [field for _, field in expected]
    else:
        assert ctl("import", "roster", path, "--dry-run", is_json=True)[0]["added"] == 1


# --- calendars ----------------------------------------------------------------------------------------------------

ICS = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//county//EN\r
BEGIN:VEVENT\r
UID:1\r
DTSTART;VALUE=DATE:20270101\r
DTEND;VALUE=DATE:20270104\r
SUMMARY:元旦\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:2\r
DTSTART;VALUE=DATE:20270109\r
SUMMARY:元旦 补班\r
END:VEVENT\r
END:VCALENDAR\r
"""


def test_a_new_year_comes_as_icalendar_and_as_holiday_cn(ctl, database, tmp_path):
    original = tmp_path / "calendar.json"
    original.write_text(export(ctl, "calendar", "--json"), encoding="utf-8")
    ics, year = tmp_path / "2027.ics", tmp_path / "2027.json"
    ics.write_text(ICS, encoding="utf-8", newline="")
    year.write_text(json.dumps({"year": 2027, "days": [
        {"name": "元旦", "date": f"2027-01-0{day}", "isOffDay": True} for day in (1, 2, 3)]
        + [{"name": "元旦 补班", "date": "2027-01-09", "isOffDay": False}]}), encoding="utf-8")
    (answer,) = ctl("import", "calendar", ics, is_json=True)
    assert (answer["added"], answer["changed"], answer["removed"]) == (4, 0, 0)
    assert ctl("import", "calendar", year, "--dry-run", is_json=True)[0]["changes"] == []
    assert database.one("select (doc->>'provisional_from')::bigint from hl.refdata where kind = 'calendar' and is_current"
                        ) == 1830268800  # 2028-01-01 in Shanghai
    ctl("import", "calendar", original)
    (tmp_path / "empty.json").write_text(json.dumps({"year": 2027, "days": []}))
    assert "not announced" in ctl("import", "calendar", tmp_path / "empty.json", code=1)
    for text in ("BEGIN:NOTHING", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", ""):
        ics.write_text(text)
        assert "iCalendar" in ctl("import", "calendar", ics, code=1)


def us(text, database):
    return database.one("select hl.us(%s::timestamptz)", (text,))


def test_limits_that_crossed_an_unknown_year_are_computed_again(ctl, database, tmp_path):
    original = tmp_path / "calendar.json"
    original.write_text(export(ctl, "calendar", "--json"), encoding="utf-8")
    begin, sign, close = (us(f"{text}+08", database) for text in ("2026-12-30 09:00", "2026-12-30 14:30", "2027-01-06 17:30"))
    connection = database.connect()
    connection.autocommit = False
    with connection, connection.cursor() as cursor:
        case = hl_rows.case(cursor, "dispatched")
        cursor.execute("select hl.add_tasks(array[%s], array[%s::jsonb], hl.now(), 'system', null)", (case, json.dumps([
            {"unit": "URB", "role": "lead", "from_us": begin, "sign_us": sign, "close_us": close, "provisional": True,
             "rungs": ["sign_half", "sign_limit", "red"], "dues_us": [sign - 3600000000, sign, close]}])))
        task = cursor.fetchone()[0]
        # the reminder was sent already
        cursor.execute("update hl.ladder set pos = 2, due_at = dues[2] where task_id = %s", (task,))
    connection.close()
    year = tmp_path / "2027.json"
    year.write_text(json.dumps({"year": 2027, "days": [
        {"name": "元旦", "date": f"2027-01-0{day}", "isOffDay": True} for day in (1, 2, 3)]}), encoding="utf-8")
    assert "1 task(s) computed again" in ctl("import", "calendar", year, "--why", "State Council notice")
    moved = database.sql("select to_char(close_by at time zone 'Asia/Shanghai', 'MM-DD HH24:MI') as close, is_provisional,"
                         " l.rungs, l.pos, l.due_at = l.dues[l.pos] as due from hl.task k join hl.ladder l on l.task_id = k.id"
                         " where k.id = %s", (task,))[0]
    assert (moved["close"], moved["is_provisional"], moved["pos"], moved["due"]) == ("01-07 17:30", False, 2, True)
    assert moved["rungs"][0] == "sign_half" and moved["rungs"].count("sign_half") == 1 and "red" in moved["rungs"]
    assert database.one("select count(*) from hl.event where task_id = %s and kind = 'limits_recomputed'", (task,)) == 1
    assert "computed again" not in ctl("import", "calendar", original)


def test_who_is_on_leave_is_stood_in_for_and_who_is_on_duty_comes_first(ctl, database, tmp_path):
    def first(role="officer"):
        return database.one("select p.phone from (select person_id from hl.contacts('URB', %s) limit 1) c"
                            " join hl.person p on p.id = c.person_id", (role,))

    def roster(*entries):
        path = tmp_path / "roster.json"
        path.write_text(json.dumps({"roster": [{"unit": "URB", "role": "officer", **entry} for entry in entries]}))
        ctl("import", "roster", path)

    officer, deputy, second = "+8610000000150", "+8610000000151", "+8610000000959"
    rows = records(export(ctl, "contacts", "--csv"))
    original = write_csv(tmp_path / "original.csv", rows)
    now, tomorrow = database.sql("select to_char(hl.now() at time zone 'Asia/Shanghai' - interval '1 hour', 'YYYY-MM-DD HH24:MI')"
                                 " as now, to_char(hl.now() at time zone 'Asia/Shanghai' + interval '1 day',"
                                 " 'YYYY-MM-DD HH24:MI') as tomorrow")[0].values()
    roster()
    assert first() == officer
    roster({"phone": officer, "kind": "leave", "from": now, "until": tomorrow})
    assert first() == deputy
    roster({"phone": officer, "kind": "leave", "from": tomorrow, "until": "2099-01-01"})
    assert first() == officer
    ctl("import", "contacts", write_csv(tmp_path / "contacts.csv", rows + [
        {**rows[0], "unit": "URB", "role": "officer", "rank": "9", "phone": second, "name": "示范第二"}]))
    assert first() == officer
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    roster({"phone": second, "kind": "week", "days": days, "from": "00:00", "until": "24:00"})
    assert first() == second
    roster({"phone": second, "kind": "week", "days": days, "from": "00:00", "until": "24:00"},
           {"phone": officer, "kind": "dates", "from": now, "until": tomorrow})
    assert first() == officer
    roster()
    ctl("import", "contacts", original)


# --- a daemon that runs -------------------------------------------------------------------------------------------

def test_a_running_daemon_takes_what_was_imported_without_a_restart(ctl, make_daemon, tmp_path):
    daemon = make_daemon()
    rows, spare = records(export(ctl, "limits", "--csv")), "+8610000000961"
    original = write_csv(tmp_path / "limits.csv", rows)
    people = records(export(ctl, "contacts", "--csv"))
    staff = write_csv(tmp_path / "contacts.csv", people)

    def report(place):
        number = daemon.ctl("text", "+8610000000001", f"{place}3号楼消防通道被私家车堵死了")["case"]
        return next(task for task in daemon.ctl("case", number)["tasks"] if task["role"] == "lead")

    def minutes(task):
        at = [datetime.datetime.fromisoformat(task[name]) for name in ("assigned_at", "sign_by")]
        return round((at[1] - at[0]).total_seconds() / 60)

    assert minutes(report("锦绣花园")) == 60
    ctl("import", "limits", write_csv(tmp_path / "short.csv", [
        {**row, "sign": "45 min"} if row["urgency"] == "urgent" and not row["unit_kind"] else row for row in rows]))
    ctl("import", "contacts", write_csv(tmp_path / "more.csv", [
        {**row, "phone": spare} if (row["unit"], row["role"]) == ("FIR", "officer") else row for row in people]))
    try:
        wait_for(lambda: len(daemon.log_lines("refdata.loaded")) == 2, what="the daemon to take the limits")
        assert minutes(report("龙城御景")) == 45
        kinds = [sms["kind"] for sms in daemon.ctl("phone", spare)["inbox"]]
        assert kinds.count("dispatch") == 2, "the new one, and the one that nobody signed"
    finally:
        ctl("import", "limits", original)
        ctl("import", "contacts", staff)


# --- replay -------------------------------------------------------------------------------------------------------

def test_replay_shows_which_past_cases_would_have_gone_elsewhere(make_daemon, cluster, tmp_path):
    daemon = make_daemon(on=cluster.create_database())  # what other tests import would differ
    daemon.hook("锦绣花园3号楼消防通道被私家车堵死了", "+8610000000001")
    daemon.hook("碧水云天楼下广场舞音响声音太大扰民", "+8610000000002")
    number = daemon.database.one("select code from hl.case where type like 'FIR-%%' order by id desc limit 1")
    duties, limits = tmp_path / "duties.csv", tmp_path / "limits.csv"
    table = records(daemon.ctl("export", "duties", "--csv", json=False))
    write_csv(duties, table)
    before = state(daemon.database)
    same = daemon.ctl("replay", "--since", "2020-01-01", "--duties", duties)
    assert same["cases"] >= 2 and number not in [one["case"] for one in same["list"]]
    of_type = daemon.database.one("select type from hl.case where code = %s", (number,))
    for row in table:
        if row["code"] == of_type:
            row.update(lead="URB", co="")
    write_csv(duties, table)
    (one,) = [one for one in daemon.ctl("replay", "--since", "2020-01-01", "--duties", duties)["list"] if one["case"] == number]
    assert (one["differs"][0], one["was"]["lead"], one["would"]["lead"]) == ("units", "FIR", "URB")
    assert f"  {number} {of_type}\n" in daemon.ctl("replay", "--since", "2020-01-01", "--duties", duties, json=False)
    table = records(daemon.ctl("export", "limits", "--csv", json=False))
    for row in table:
        row.update(sign="7 min" if row["urgency"] == "urgent" else row["sign"])
    write_csv(limits, table)
    (one,) = [one for one in daemon.ctl("replay", "--since", "2020-01-01", "--limits", limits)["list"] if one["case"] == number]
    assert one["differs"] == ["limits"] and one["was"]["close_by"] == one["would"]["close_by"]
    assert daemon.ctl("replay", "--since", "2099-01-01", "--limits", limits)["cases"] == 0
    assert "--since" in daemon.ctl("replay", "--since", "soon", "--limits", limits, code=1)["error"]
    assert state(daemon.database) == before


# --- the year that is missing -------------------------------------------------------------------------------------

def test_a_missing_year_is_in_the_log_and_the_metrics_and_told_once(make_daemon, cluster):
    database = cluster.create_database()
    november = "extract(epoch from timestamptz '2026-11-02 09:00+08' - clock_timestamp()) * 1000000"
    database.sql(f"update hl.clock set offset_us = {november}")
    daemon = make_daemon(on=database)
    wait_for(lambda: daemon.log_lines("calendar.year_missing"))
    assert "year=2027" in daemon.log_lines("calendar.year_missing")[0]
    assert b"hotlined_calendar_year_missing 1" in daemon.http("GET", "/metrics").body
    told = "select count(*) from hl.notice where kind = 'calendar_missing'"
    assert database.one(told) == 0  # a demo's clock is nobody's year
    database.sql("update hl.clock set is_demo = false, offset_us = 0")
    for expected in (1, 0):
        assert database.one("select (hl.tell_missing_year('{\"year\": 2027}')->>'told')::int") == expected
    database.sql("update hl.clock set is_demo = true")
    database.sql(f"update hl.clock set offset_us = {november.replace('11-02', '10-30')}")
    wait_for(lambda: b"hotlined_calendar_year_missing 0" in daemon.http("GET", "/metrics").body)
    assert len(daemon.log_lines("calendar.year_missing")) <= 2


# --- guards ---------------------------------------------------------------------------------------------------------

def test_the_history_of_the_configuration_is_append_only_for_the_superuser_too(cursor):
    cursor.execute("insert into hl.config_change (kind, by_user, added, changed, removed) values ('units', 'x', 1, 0, 0)")
    for statement in ("update hl.config_change set why = 'y'", "delete from hl.config_change", "truncate hl.config_change"):
        assert hl_rows.sqlstate(hl_rows.refusal(cursor, statement)) == "P0190", statement


def test_two_people_are_not_on_duty_at_once_but_may_be_away(cursor):
    first, second = (hl_rows.one(cursor, "insert into hl.contact (unit, person_id, role) values ('FIR', %s, 'officer') returning id",
                              (hl_rows.person(cursor),)) for _ in range(2))
    duty = ("insert into hl.roster (contact_id, zone, kind, days, from_min, until_min, from_at, until_at)"
            " values (%s, 'Asia/Shanghai', %s)")
    cursor.execute("set constraints all immediate")
    for values in ("'week', '{1,3}', 480, 720, null, null", "'dates', null, null, null, '2026-10-01', '2026-10-02'"):
        cursor.execute(duty % (first, values))
    for values in ("'week', '{2}', 480, 720, null, null", "'week', '{3}', 720, 800, null, null",
                   "'leave', null, null, null, '2026-10-01', '2026-10-02'",
                   "'dates', null, null, null, '2026-10-02', '2026-10-03'"):
        cursor.execute(duty % (second, values))
    for values in ("'week', '{3}', 719, 800, null, null", "'dates', null, null, null, '2026-10-01 12:00', '2026-10-05'"):
        assert hl_rows.sqlstate(hl_rows.refusal(cursor, duty % (second, values))) == "P0191", values
