"""What hl.act does with moves and requests that do not hold: refused with the rule's name, answered, and nothing half
done; and the clocks that need no phone. In SQL, as a daemon calls it."""
import datetime
import json

import pytest

from hl_scene import county, set_clock
from test_flow_sql import HOUR, case_of, item, lead_of

NIGHT = county(2026, 3, 2, 23)


@pytest.fixture(autouse=True)
def case_time(database):
    """Every test begins on a Monday morning; those that need the night say so."""
    set_clock(database, county(2026, 3, 2, 9))


def call(database, function, batch):
    return database.one(f"select hl.{function}(%s::jsonb)", (json.dumps(batch),))


def intake(database, *items):
    return [made["case"] for made in call(database, "intake", [{**made, "i": i} for i, made in enumerate(items, 1)])["items"]]


def act(database, **more):
    return call(database, "act", [{"i": 0, **more}])["items"][0]


def us(database):
    return database.one("select hl.us(hl.now())")


@pytest.fixture
def task(database):
    """A dispatched case's lead task, and an officer who may act on it."""
    number, = intake(database, item(database))
    lead = lead_of(database, number)
    lead["person"] = database.one("select person_id from hl.notice_code where task_id = %s limit 1", (lead["id"],))
    return lead


def say(database, task, verb, **more):
    """An officer's decided act, with a message of its own; gives the answer and what the message became."""
    message = database.one("insert into hl.message (channel, external_id, person_id, text, received_at) values ('c', gen_random_uuid()::text,"
                           " %s, 'x', hl.now()) returning id", (task["person"],))
    answer = act(database, actor="officer", person=task["person"], message=message, task=task["id"], verb=verb,
                 reply={"template": "signed", "params": {"code": "AAAAA"}}, **more)
    said = database.sql("select m.state, m.outcome, n.template, n.params->>'rule' as rule from hl.message m left join hl.notice n"
                        " on n.message_id = m.id and n.kind = 'reply' where m.id = %s", (message,))[0]
    return answer, said


def ask(now, until=HOUR, **more):
    return {"args": {"reason": "not ours", "days": 3, "unit": ""},
            "ask": {"unit": None, "until_us": now + until, "answer_us": now + HOUR, "close_us": now + 100 * HOUR, "desk_us": now}, **more}


def trace(database, task):
    """All that a refused move may not have touched."""
    return database.sql("select c.head_seq, c.state, k.state as task, (select count(*) from hl.request) as requests,"
                        " (select array_agg(l.due_at order by l.id) from hl.ladder l where l.case_id = c.id) as clocks"
                        " from hl.case c join hl.task k on k.case_id = c.id where k.id = %s", (task["id"],))


def refused(database, task, rule, verb, **more):
    before = trace(database, task)
    answer, said = say(database, task, verb, **more)
    assert (answer["result"], answer["rule"]) == ("refused", rule)
    assert said == {"state": "handled", "outcome": "refused", "template": "move_refused", "rule": rule}
    assert trace(database, task) == before


# --- refused by the rule's name -----------------------------------------------------------------------------------

def test_a_move_against_the_law_is_answered_with_the_rule_and_leaves_nothing(database, task):
    now = us(database)
    assert say(database, task, "handback", **ask(now))[0]["result"] == "ok"
    for verb in ("sign", "close", "arrive"):
        refused(database, task, "law", verb, text="r")
    refused(database, task, "one_pending_request_per_kind", "handback", **ask(now))


def test_what_is_asked_out_of_its_window_or_without_a_reason_is_refused(database, task):
    now = us(database)
    refused(database, task, "asked_within_its_window", "handback", **ask(now, until=-HOUR))
    refused(database, task, "a_unit_says_why", "extend", **{**ask(now), "args": {"reason": "", "days": 3}})
    refused(database, task, "more_time_names_days_and_limit", "extend", **{**ask(now), "args": {"reason": "r", "days": 0}})
    assert say(database, task, "extend", **ask(now))[0]["result"] == "ok"
    refused(database, task, "one_pending_request_per_kind", "extend", **ask(now))


def test_a_result_without_what_the_type_demands_is_refused(database, task):
    database.sql("update hl.case_type set demands = '{is_true,solved}' where code = 'FIR-1'")
    try:
        refused(database, task, "result_is_true", "close", text="r")
        refused(database, task, "result_solved", "close", text="r", facts={"is_true": True})
        assert say(database, task, "close", text="r", facts={"is_true": True, "solved": True})[0]["result"] == "ok"
    finally:
        database.sql("update hl.case_type set demands = '{}' where code = 'FIR-1'")


@pytest.mark.parametrize("facts", [{"is_true": False}, {"is_true": True, "evidence": "photo 7"}], ids=["not true", "named"])
def test_a_proof_is_demanded_of_what_was_true(database, task, facts):
    database.sql("update hl.case_type set demands = '{evidence}' where code = 'FIR-1'")
    try:
        refused(database, task, "result_evidence", "close", text="r", facts={"is_true": True})
        assert say(database, task, "close", text="r", facts=facts)[0]["result"] == "ok"
    finally:
        database.sql("update hl.case_type set demands = '{}' where code = 'FIR-1'")


def test_the_shipped_types_whose_result_can_be_shown_demand_a_proof(database):
    assert [row["code"] for row in database.sql("select code from hl.case_type where 'evidence' = any (demands) order by code")] == [
        "CAD-1", "CAD-2", "HOU-1", "MKT-3", "URB-1", "URB-2", "URB-3"]


def test_somebody_elses_task_is_refused_and_the_message_is_not_left_pending(database, task):
    stranger = {**task, "person": database.one("select person_id from hl.contact where unit = 'POL' and role = 'officer' limit 1")}
    refused(database, stranger, "not_yours", "sign")


def test_an_operators_act_on_a_case_that_moved_meanwhile_is_stale(database, task):
    case = database.sql("select * from hl.case where id = %s", (task["case_id"],))[0]
    say(database, task, "sign")
    before = trace(database, task)
    assert act(database, actor="operator", operator="li", verb="withdraw", case=case["id"], version=case["head_seq"])["result"] == "stale"
    assert trace(database, task) == before


# --- the desk -----------------------------------------------------------------------------------------------------

def test_the_desk_hears_of_a_flood_in_two_texts_and_of_what_presses_at_once(database):
    set_clock(database, NIGHT)
    database.sql("delete from hl.attempt; delete from hl.notice")
    opening = database.one("select hl.us(%s)", (county(2026, 3, 3, 8, 30),))
    for _ in range(3):
        intake(database, *[item(database, urgency="normal", disposition="review", compound=None, desk_us=opening) for _ in range(10)])
        set_clock(database, database.one("select hl.now() + interval '30 minutes'"))
    intake(database, item(database, urgency="emergency", disposition="review", compound=None, desk_us=us(database)))
    told = database.sql("select template, params->>'count' as n, not_before = hl.at_us(%s) as at_opening from hl.notice"
                        " where kind in ('review', 'review_more') order by id", (opening,))
    assert told == [{"template": "review_new", "n": None, "at_opening": True}, {"template": "review_more", "n": "29", "at_opening": True},
                    {"template": "review_new", "n": None, "at_opening": False}]


def test_the_queue_shows_the_most_pressing_first_and_how_hard_people_push(database):
    now = us(database)
    calm, first, pushed = intake(database, *[item(database, disposition="review", review_us=now + n * HOUR, compound=None)
                                             for n in (3, 1, 3)])
    database.sql("update hl.case set chases = 2 where code = %s", (pushed,))
    queue = [entry for entry in call(database, "review_queue", {})["cases"] if entry["case"] in (calm, first, pushed)]
    assert [entry["case"] for entry in queue] == [first, pushed, calm]
    assert [entry["priority"] for entry in queue] == [0, 2, 0]
    assert all(entry["kind"] == "review" and entry["why"] == "w" and entry["left_s"] > 3500 and not entry["late"] for entry in queue)


def test_what_went_up_to_the_leading_group_is_on_the_agenda_until_it_is_settled(database, task):
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("insert into hl.event (case_id, task_id, at, kind, actor, data) values (%s, %s, hl.now(), 'rung', 'system', %s)",
                       (task["case_id"], task["id"], '{"rung": "leaders"}'))
    number = database.one("select code from hl.case where id = %s", (task["case_id"],))

    def reasons():
        return [entry["reason"] for entry in call(database, "agenda_list", {})["agenda"] if entry["case"] == number]

    assert reasons() == ["overdue"]
    assert act(database, actor="operator", operator="li", verb="agenda_settle", case=task["case_id"], why="told off")["result"] == "ok"
    assert reasons() == []


# --- a property company's day -------------------------------------------------------------------------------------

def company_reports(database):
    phone = database.one("select p.phone from hl.contact c join hl.person p on p.id = c.person_id"
                         " where c.unit = 'PMC-01' and c.role = 'officer' limit 1")
    report = item(database)
    person = database.one("select id from hl.person where phone = %s", (phone,))
    message = database.one("insert into hl.message (channel, external_id, person_id, text, received_at) values ('c', gen_random_uuid()::text,"
                           " %s, 'x', hl.now()) returning id", (person,))
    reply = act(database, actor="reporter", person=person, message=message, verb="open", item={**report, "i": 1})
    return reply["case"]


def fire(database, hours):
    set_clock(database, county(2026, 3, 2, 9) + datetime.timedelta(hours=hours, seconds=60))
    call(database, "fire_due", {"limit": 1000})


@pytest.mark.parametrize("stages, missed", [([], ["photo", "stopped"]), (["photo"], ["stopped"]), (["photo", "stopped"], [])])
def test_a_company_that_reports_has_a_day_to_photograph_and_to_stop(database, stages, missed):
    number = company_reports(database)
    case = case_of(database, number)
    texts = "select template from hl.notice where case_id = %s and kind in ('duty_soon', 'duty') order by id"
    for stage in stages:
        assert act(database, actor="operator", operator="li", verb="stage", case=case["id"], stage=stage)["result"] == "ok"
    fire(database, 19)
    assert database.sql(texts, (case["id"],)) == []
    fire(database, 20)
    assert [row["template"] for row in database.sql(texts, (case["id"],))] == (["duty_soon"] if missed else [])
    fire(database, 24)
    assert [row["template"] for row in database.sql(texts, (case["id"],))] == (["duty_soon"] + ["duty_missed"] * 2 if missed else [])
    assert database.one("select missed from hl.duty where case_id = %s", (case["id"],)) == missed
    found = database.sql("select data->'stages' as stages, data->>'unit' as unit from hl.event where case_id = %s and kind = 'duty_missed'",
                         (case["id"],))
    assert found == ([{"stages": missed, "unit": "PMC-01"}] if missed else [])
    stages_shown = {stage["stage"]: stage["at"] for stage in call(database, "show_case", {"case": number})["stages"]}
    assert [bool(stages_shown[name]) for name in ("发现", "拍照", "制止")] == [True, "photo" in stages, "stopped" in stages]


def test_a_residents_report_starts_no_duty(database):
    number, = intake(database, item(database))
    assert database.sql("select 1 from hl.duty where case_id = %s", (case_of(database, number)["id"],)) == []


# --- merged reports -----------------------------------------------------------------------------------------------

def test_reports_hang_on_another_case_only_when_that_one_is_open(database):
    one, two = intake(database, item(database), item(database))
    with database.connect("hotline_daemon") as connection, connection.cursor() as cursor:
        move = "select hl.move_reports(%s, %s)"
        keys = (case_of(database, one)["id"], case_of(database, two)["id"])
        act(database, actor="operator", operator="li", verb="withdraw", case=keys[1])
        cursor.execute(move, keys)
        assert cursor.fetchone() == (0,)
    assert database.one("select count(*) from hl.report where case_id = %s", keys[:1]) == 1
