"""Each invariant of schema/INVARIANTS.md, violated in SQL by somebody whom nothing but its guard would stop."""
import re

import pytest

import hl_call_rows
import hl_media_rows
import hl_rows as rows
from hl_rows import DENIED, REWRITE, refused_at_commit, sqlstate
from hl_testlib import ROOT

PAGE = ROOT / "schema/INVARIANTS.md"


# --- rules a row must keep, each with rows that do not ------------------------------------------------------------

TASK = ("insert into hl.task (case_id, unit, role, state, urgency, assigned_at, sign_by, arrive_by, close_by) values"
        " (%(case)s, '{unit}', '{role}', 'dispatched', '{urgency}', '2026-03-02 09:00+08', {sign}, {arrive}, {close})")
GOOD_TASK = {"unit": "POL", "role": "co", "urgency": "normal", "sign": "'2026-03-02 10:00+08'",
             "arrive": "'2026-03-02 11:00+08'", "close": "'2026-03-06 18:00+08'"}
CASE = "insert into hl.case (id, code, type, urgency, state, opened_at) values (0, '{code}', 'FIR-1', '{urgency}', 'review', now())"
PERSON = "insert into hl.person (phone) values ('{phone}')"
EVENT = ("insert into hl.event (case_id, task_id, at, kind, actor, operator, from_state, to_state, data) values"
         " (%(case)s, %(task)s, now(), '{kind}', '{actor}', {operator}, {was}, {becomes}, '{data}')")
GOOD_EVENT = {"kind": "note", "actor": "system", "operator": "null", "was": "null", "becomes": "null", "data": "{}"}
REQUEST = ("insert into hl.request (kind, case_id, task_id, reason, days, close_by, asked_at, ask_until, answer_by, state, answered_at,"
           " answered_by, why) values ('{kind}', %(case)s, {task}, '{reason}', {days}, {close}, {asked}, now(), {answer}, '{state}', {at},"
           " {by}, {why})")
GOOD_REQUEST = {"kind": "handback", "task": "%(task)s", "reason": "r", "days": "null", "close": "null", "asked": "now()",
                "answer": "now() + interval '1 hour'", "state": "pending", "at": "null", "by": "null", "why": "null"}
MORE_TIME = {"kind": "extend", "days": "3", "close": "now()"}
GRANTED = {"state": "granted", "at": "now()", "by": "'x'"}
ROLLCALL = ("insert into hl.rollcall (case_id, at, place, count_at, called_by, called_at)"
            " values (%(case)s, {at}, '{place}', {count}, 'x', now())")
GOOD_ROLLCALL = {"at": "now() + interval '1 hour'", "count": "now() + interval '2 hours'", "place": "p"}
DUTY = ("insert into hl.duty (case_id, unit, person_id, found_at, due_at, missed) select %(case)s, 'PMC-01', %(person)s, now(),"
        " now() + interval '{hours} hours', {missed}")
LADDER = "insert into hl.ladder (case_id, rungs, dues, due_at) values (%(review)s, '{rungs}', {dues}, {due})"


def bad_task(**wrong):
    return TASK.format(**{**GOOD_TASK, **wrong})


def request(**more):
    return REQUEST.format(**{**GOOD_REQUEST, **more})


def rollcall(**more):
    return ROLLCALL.format(**{**GOOD_ROLLCALL, **more})


def of(column, insert):
    """Two ladders of one row that is made on the way."""
    return (f"with made as ({insert} returning id, case_id) insert into hl.ladder (case_id, {column}, rungs, dues)"
            f" select case_id, id, '{{a}}', array[now()] from made, generate_series(1, 2)")


def bad_event(**wrong):
    return EVENT.format(**{**GOOD_EVENT, **wrong})


def bad_case(code="99-999999", urgency="normal"):
    return CASE.format(code=code, urgency=urgency)


OPINION = ("insert into hl.opinion (case_id, state, tries, answered_at, model, type, urgency, agrees, reason)"
           " values (%(case)s, '{state}', {tries}, {at}, 'm', {type}, '{urgency}', {agrees}, '{reason}')")
GOOD_OPINION = {"state": "given", "tries": 1, "at": "now()", "type": "'FIR-1'", "urgency": "normal", "agrees": "true", "reason": ""}


def opinion(**wrong):
    return OPINION.format(**{**GOOD_OPINION, **wrong})


CONFIG = "insert into hl.config_change (kind, by_user, added, changed, removed) values ('{}', '{}', {}, {}, {})"
ROSTER = ("insert into hl.roster (contact_id, zone, kind, days, from_min, until_min, from_at, until_at)"
          " select min(id), 'Asia/Shanghai', {} from hl.contact")
PART = ("insert into hl.message_part (message_id, channel, person_id, ref, part, parts, received_at, joined_id)"
        " select m.id, m.channel, m.person_id, 'r', {part}, {parts}, now(), {joined} from hl.message m where m.person_id is not null limit 1")
RULES = {
    "a_part_is_one_of_several": [PART.format(part=part, parts=parts, joined="null")
                                 for part, parts in ((0, 2), (3, 2), (1, 1), (1, 256))],
    "a_part_is_not_the_whole": [PART.format(part=1, parts=2, joined="m.id")],
    "clock_one_check": ["insert into hl.clock (one) values (false)"],
    "only_a_demo_clock_moves": ["update hl.clock set is_demo = false, offset_us = 1"],
    "law_scope_check": ["insert into hl.law values ('notice', 'e', 'a', 'b')"],
    "refdata_kind_check": ["insert into hl.refdata (kind, doc, digest, by_user) values ('weather', '{}', '', 'x')"],
    "refdata_one_current": ["insert into hl.refdata (kind, doc, digest, by_user) values ('units', '{}', '', 'x')"],
    "unit_code_check": [f"insert into hl.unit (code, name, kind) values ('{code}', 'n', 'office')" for code in ("fir", "F", "-F", "")],
    "config_change_kind_check": [CONFIG.format("Units", "x", 0, 0, 0)],
    "config_change_by_user_check": [CONFIG.format("units", "", 0, 0, 0)],
    "config_change_added_check": [CONFIG.format("units", "x", -1, 0, 0)],
    "config_change_changed_check": [CONFIG.format("units", "x", 0, -1, 0)],
    "config_change_removed_check": [CONFIG.format("units", "x", 0, 0, -1)],
    "roster_kind_check": [ROSTER.format("'month', null, null, null, now(), now() + interval '1 hour'")],
    "a_duty_has_its_span": [ROSTER.format(values) for values in (
        "'week', null, 0, 60, null, null", "'week', '{}', 0, 60, null, null", "'week', '{1}', null, null, now(), now() + '1 h'",
        "'leave', '{1}', 0, 60, null, null", "'dates', null, null, null, now(), null")],
    "a_duty_ends_after_it_begins": [ROSTER.format(values) for values in (
        "'week', '{1}', 60, 60, null, null", "'leave', null, null, null, now(), now()")],
    "a_duty_lies_within_a_day": [ROSTER.format(values) for values in (
        "'week', '{8}', 0, 60, null, null", "'week', '{1}', -1, 60, null, null", "'week', '{1}', 0, 1441, null, null")],
    "unit_kind_check": ["insert into hl.unit (code, name, kind) values ('XX', 'n', 'shop')"],
    "unit_name_check": ["insert into hl.unit (code, name, kind) values ('XX', '', 'office')"],
    "case_type_code_check": ["insert into hl.case_type (code, name, lead, urgency) values ('FIRE1', 'n', 'FIR', 'normal')"],
    "case_type_name_check": ["insert into hl.case_type (code, name, lead, urgency) values ('FIR-99', '', 'FIR', 'normal')"],
    "case_type_urgency_check": ["insert into hl.case_type (code, name, lead, urgency) values ('FIR-99', 'n', 'FIR', 'soon')"],
    "compound_name_check": ["insert into hl.compound (code, name, subdistrict) select 'X', '', subdistrict from hl.compound limit 1"],
    "an_erased_person_has_no_data": ["update hl.person set erased_at = now(), name = 'n', phone = null where id = %(person)s",
                                     "update hl.person set erased_at = now(), name = null where id = %(person)s"],
    "person_phone_check": [PERSON.format(phone=phone) for phone in ("", "12", "+1000", "+0100000", "+" + "9" * 16,
                                                                    "010-0000", "+86 1000", "+9" * 5 + "\n")],
    "person_phone_key": ["insert into hl.person (phone) select phone from hl.person where id = %(person)s"],
    "dialogue_kind_check": ["insert into hl.dialogue values (%(person)s, 'chat', '{}', now())"],
    "dialogue_data_check": ["insert into hl.dialogue values (%(person)s, 'menu', '[]', now())"],
    "person_guard_count_check": ["update hl.person set guard_count = -1 where id = %(person)s"],
    "person_wrong_count_check": ["update hl.person set wrong_count = -1 where id = %(person)s"],
    "contact_role_check": ["insert into hl.contact (unit, person_id, role) values ('FIR', %(person)s, 'friend')"],
    "contact_unit_person_id_role_key": ["insert into hl.contact (unit, person_id, role)"
                                        " values ('FIR', %(person)s, 'head'), ('FIR', %(person)s, 'head')"],
    "message_external_id_check": ["insert into hl.message (channel, external_id, received_at) values ('c', '', now())"],
    "message_channel_external_id_key": ["insert into hl.message (channel, external_id, received_at)"
                                        " select channel, external_id, now() from hl.message where id = %(message)s"],
    "message_state_check": ["update hl.message set state = 'lost', outcome = null where id = %(message)s"],
    "handled_says_how": ["update hl.message set state = 'handled' where id = %(message)s",
                         "update hl.message set outcome = 'x' where id = %(message)s"],
    "quarantine_channel_external_id_key": ["insert into hl.quarantine (channel, external_id, item, reason)"
                                           " values ('c', 'e', '', ''), ('c', 'e', '', '')"],
    "set_aside_until_somebody_says_why": [
        f"insert into hl.quarantine (channel, external_id, item, reason, done_at, done_by, done_why) values ('c', 'e', '', '', {done})"
        for done in ("now(), null, null", "null, 'x', null", "null, null, 'why'", "now(), 'x', ''")],
    "case_code_check": [bad_case(code=code) for code in ("26-12345", "26001234", "2026-001234", "26-0012345678", "a6-001234", "")],
    "case_code_key": ["insert into hl.case (id, code, type, urgency, state, opened_at)"
                      " select 0, code, type, urgency, 'review', now() from hl.case where id = %(case)s"],
    "case_urgency_check": [bad_case(urgency="soon")],
    "case_is_one_of_several": ["update hl.case set maybe = '{C001}' where id = %(case)s"],
    "case_reporters_check": ["update hl.case set reporters = -1 where id = %(case)s"],
    "case_chases_check": ["update hl.case set chases = -1 where id = %(case)s"],
    "report_message_id_key": ["insert into hl.report (case_id, message_id, at)"
                              " values (%(case)s, %(message)s, now()), (%(review)s, %(message)s, now())"],
    "done_cases_know_when": ["update hl.case set state = 'done' where id = %(case)s"],
    "closed_cases_know_when": ["update hl.case set state = 'done', done_at = now() where id = %(case)s;"
                               "update hl.case set state = 'closed' where id = %(case)s"],
    "task_role_check": [bad_task(role="chief")],
    "task_urgency_check": [bad_task(urgency="soon")],
    "limits_in_order": [bad_task(sign="'2026-03-02 09:00+08'"), bad_task(close="'2026-03-02 09:30+08'"),
                        bad_task(arrive="'2026-03-02 09:00+08'")],
    "signed_tasks_know_when": ["update hl.task set state = 'signed' where id = %(task)s"],
    "arrived_tasks_know_when": ["update hl.task set state = 'arrived', signed_at = now() where id = %(task)s"],
    "done_tasks_know_when": ["update hl.task set state = 'done', done_at = now() where id = %(task)s",
                             "update hl.task set state = 'done', result = 'r' where id = %(task)s"],
    "one_lead_task_per_case": [bad_task(role="lead")],
    "one_open_task_per_unit": [bad_task(unit="FIR")],
    "notice_code_code_check": [f"insert into hl.notice_code values (%(task)s, %(person)s, '{code}')"
                               for code in ("ABCD", "ABCDEF", "abcde", "ABCDI", "ABCDL", "ABCDO", "ABCDU", "ABC E")],
    "notice_code_person_id_code_key": [bad_task() + ";insert into hl.notice_code"
                                       " select id, %(person)s, 'ABCDE' from hl.task where case_id = %(case)s"],
    "event_kind_check": [bad_event(kind="a|b"), bad_event(kind="Note"), bad_event(kind="")],
    "event_operator_check": [bad_event(actor="operator", operator="'a|7'"), bad_event(actor="operator", operator="''"),
                             bad_event(actor="operator", operator="E'a\\nb'")],
    "a_move_names_both_ends": [bad_event(kind="signed", was="'dispatched'")],
    "an_operator_has_a_name": [bad_event(actor="operator"), bad_event(operator="'somebody'")],
    "a_handback_has_reason_and_unit": [bad_event(kind="handback_asked", data='{"unit": "POL"}'),
                                       bad_event(kind="handback_asked", data='{"reason": "", "unit": "POL"}'),
                                       bad_event(kind="handback_asked", data='{"reason": "not ours"}')],
    "one_extension_per_task": ["insert into hl.event (case_id, task_id, at, kind, actor)"
                               " select %(case)s, %(task)s, now(), 'extension_granted', 'system' from generate_series(1, 2)"],
    "request_kind_check": [request(kind="rest")],
    "request_state_check": [request(state="lost", at="now()")],
    "only_a_reporter_asks_without_a_task": [request(task="null"), request(kind="reopen")],
    "asked_within_its_window": [request(asked="now() + interval '1 second'")],
    "the_answer_has_time": [request(answer="now()")],
    "a_unit_says_why": [request(reason="")],
    "more_time_names_days_and_limit": [request(kind="extend"), request(kind="extend", days="3"), request(days="3", close="now()"),
                                       request(kind="extend", days="0", close="now()"),
                                       request(kind="extend", days="61", close="now()")],
    "an_answer_has_time_and_author": [request(state="granted", at="now()"), request(state="granted", by="'x'"),
                                      request(at="now()"), request(state="refused", at="now()", why="'w'"),
                                      request(state="lapsed", at="now()", by="'x'")],
    "a_refusal_says_why": [request(**{**GRANTED, "state": "refused"}), request(**{**GRANTED, "state": "refused", "why": "''"})],
    "one_pending_request_per_kind": [f"{request()}; {request()}"],
    "one_pending_reopen_per_case": ["; ".join([request(kind="reopen", task="null")] * 2)],
    "more_time_is_granted_once": ["; ".join([request(**MORE_TIME, **GRANTED)] * 2)],
    "one_open_rollcall_per_case": [f"{rollcall()}; {rollcall()}"],
    "rollcall_place_check": [rollcall(place="")],
    "counted_after_it_began": [rollcall(count="now()"), rollcall(at="now()")],
    "somebody_was_there": [f"with made as ({rollcall()} returning id) insert into hl.attendance (rollcall_id, task_id, {column})"
                           f" select id, %(task)s, {value} from made"
                           for column, value in (("present_at", "now()"), ("person_id", "%(person)s"))],
    "one_open_agenda_entry": ["; ".join(["insert into hl.agenda (case_id, reason, added_at) values (%(case)s, 'joint', now())"] * 2)],
    "agenda_reason_check": ["insert into hl.agenda (case_id, reason, added_at) values (%(case)s, 'fun', now())"],
    "a_decision_has_time_and_author": [f"insert into hl.agenda (case_id, reason, added_at, {column}) values (%(case)s, 'joint', now(), {value})"
                                       for column, value in (("settled_at", "now()"), ("settled_by", "'x'"), ("decision", "'d'"))],
    "duty_case_id_key": ["; ".join([DUTY.format(hours=24, missed="null")] * 2)],
    "a_duty_runs_a_day": [DUTY.format(hours=23, missed="null")],
    "stages_of_the_duty": [DUTY.format(hours=24, missed="array['lunch']")],
    "case_type_demands_check": ["update hl.case_type set demands = '{cake}'"],
    "task_facts_check": ["update hl.task set facts = '[]' where id = %(task)s"],
    "a_ladder_has_one_subject": [f"with made as ({request()} returning id) insert into hl.ladder (case_id, task_id, request_id, rungs, dues)"
                                 " select %(case)s, %(task)s, id, '{a}', array[now()] from made"],
    "one_ladder_per_request": [of("request_id", request())],
    "one_ladder_per_rollcall": [of("rollcall_id", rollcall())],
    "one_ladder_per_duty": [of("duty_id", DUTY.format(hours=24, missed="null"))],
    "as_many_dues_as_rungs": [LADDER.format(rungs="{a,b}", dues="array[now()]", due="null"),
                              LADDER.format(rungs="{}", dues="'{}'", due="null")],
    "due_is_the_next_rung": [LADDER.format(rungs="{a}", dues="array[now()]", due="now() + interval '1 hour'")],
    "one_ladder_per_task": ["insert into hl.ladder (case_id, task_id, rungs, dues)"
                            " select %(case)s, %(task)s, '{a}', array[now()] from generate_series(1, 2)"],
    "one_review_ladder_per_case": [LADDER.format(rungs="{a}", dues="array[now()]", due="now()") + ", " +
                                   LADDER.format(rungs="{a}", dues="array[now()]", due="now()").split(" values ")[1]],
    "notice_lane_check": ["insert into hl.notice (person_id, kind, template, dedupe, lane, not_before, made_at)"
                          f" values (%(person)s, 'k', 't', 'lane', {lane}, now(), now())" for lane in (0, 6)],
    "export_kind_check": ["insert into hl.export (kind, by_user, query) values ('list', 'x', '{}')"],
    "export_by_user_check": ["insert into hl.export (kind, by_user, query) values ('form', '', '{}')"],
    "reporters_are_named_for_a_reason": ["insert into hl.export (kind, by_user, is_named, query) values ('form', 'x', true, '{}')"],
    "lane_rank_key": ["insert into hl.lane values ('fast', 1, true)"],
    "rung_rule_audience_check": ["update hl.rung_rule set audience = 'press'"],
    "rung_rule_urgency_check": ["update hl.rung_rule set urgency = 'soon'"],
    "notice_dedupe_key": ["insert into hl.notice (person_id, kind, template, dedupe, lane, not_before, made_at)"
                          " select person_id, kind, template, dedupe, lane, now(), now() from hl.notice where id = %(notice)s"],
    "a_calendar_is_a_units_or_a_kinds": ["insert into hl.unit_calendar values ('place', 'C001', 'c')"],
    "unit_calendar_calendar_check": ["insert into hl.unit_calendar values ('unit', 'POL', '')"],
    "an_opening_has_time": ["insert into hl.opening values (now(), now(), current_date)"],
    "job_name_check": ["insert into hl.job values ('lunch', null, false)"],
    "provider_bundle_check": ["insert into hl.provider values ('x', 11, false)"],
    "budget_span_check": ["insert into hl.budget values ('*', '0 s', 1, false)"],
    "budget_n_check": ["insert into hl.budget values ('*', '1 min', 0, false)"],
    "every_sending_has_its_text": ["insert into hl.phone_budget values (%(person)s, 'c', array[now()], '{}')"],
    "muster_month_check": ["insert into hl.muster values (%(person)s, '2026-03-02', now())"],
    "an_answer_comes_after_its_question": ["insert into hl.muster values (%(person)s, '2026-03-01', now(), now() - interval '1 s', %(message)s)"],
    "an_answer_has_its_message": ["insert into hl.muster values (%(person)s, '2026-03-01', now(), now())"],
    "what_must_go_is_never_held": ["update hl.notice set is_kept = true, held = 'x' where id = %(notice)s"],
    "what_is_bundled_names_its_carrier": ["update hl.notice set state = 'bundled' where id = %(notice)s",
                                          "update hl.notice set bundle_id = id where id = %(notice)s"],
    "notice_state_check": ["update hl.notice set state = 'lost' where id = %(notice)s"],
    "a_lease_has_an_end": ["update hl.notice set state = 'sending' where id = %(notice)s",
                           "update hl.notice set lease_until = now() where id = %(notice)s"],
    "an_end_without_success_has_a_reason": [f"update hl.notice set state = '{state}', reason = null where id = %(notice)s"
                                            for state in ("refused", "dropped", "unknown")],
    "attempt_notice_id_n_key": ["insert into hl.attempt (notice_id, n, channel, epoch, sent_at)"
                                " select notice_id, n, channel, epoch, now() from hl.attempt where id = %(attempt)s"],
    "attempt_outcome_check": ["update hl.attempt set outcome = 'lost', settled_at = now() where id = %(attempt)s"],
    "settled_with_an_outcome": ["update hl.attempt set settled_at = now() where id = %(attempt)s",
                                "update hl.attempt set outcome = 'accepted' where id = %(attempt)s"],
    "decision_names_its_versions": [rows.decision(rules=""), rows.decision(rules="x" * 16)],
    "decision_names_its_model": [rows.decision(model="7"), rows.decision(model="x" * 16)],
    "opinion_state_check": [opinion(state="lost", type="null", agrees="null")],
    "an_opinion_is_asked_twice_at_most": [opinion(tries=0), opinion(tries=3)],
    "an_opinion_given_names_a_type": [opinion(type="null"), opinion(agrees="null"), opinion(state="none")],
    "an_answer_to_be_had_has_its_time": [opinion(at="null"), opinion(state="asked", type="null", agrees="null")],
    "opinion_urgency_check": [opinion(urgency="soon")],
    "opinion_reason_is_short": [opinion(reason="r" * 201)],
    "receipt_state_check": ["insert into hl.receipt (channel, state) values ('c', 'maybe')"],
} | hl_media_rows.RULES | hl_call_rows.RULES


@pytest.mark.parametrize("rule", RULES)
def test_a_row_against_the_rule_is_refused(cursor, keys, rule):
    for statement in RULES[rule]:
        error = rows.refusal(cursor, statement, keys)
        assert error is not None and error.diag.constraint_name == rule, f"{statement}: {error}"


def test_a_case_is_sent_back_at_most_twice_and_reopened_at_most_twice_whatever_count_is_given(cursor):
    case = rows.case(cursor, "dispatched")
    for back, forth, how, count in (("working", "done", "redo", "redos"), ("reopened", "closed", "reopened", "reopens")):
        rows.move_case(cursor, case, "done", "done")
        if back == "reopened":
            rows.move_case(cursor, case, "closed", "closed")
        for n in (1, 2):
            rows.move_case(cursor, case, how, back)
            cursor.execute("update hl.case set redos = 0, reopens = 0 where id = %s", (case,))
            assert rows.one(cursor, f"select {count} from hl.case where id = %s", (case,)) == n
            if back == "reopened":
                rows.move_case(cursor, case, "assigned", "dispatched")
                rows.move_case(cursor, case, "done", "done")
            rows.move_case(cursor, case, forth, forth)
        error = rows.refusal(cursor, "update hl.case set state = %s where id = %s", (back, case))
        assert error.diag.constraint_name == f"case_{count}_check"
        if back == "working":
            rows.move_case(cursor, case, "closed", "closed")
            rows.move_case(cursor, case, "reopened", "reopened")
            case = rows.case(cursor, "dispatched")


def refusal_of(cursor, statement, keys):
    """The name of the rule that refuses a statement, or None."""
    error = rows.refusal(cursor, statement, keys)
    assert error is None or sqlstate(error) == "P0140", error
    return error and error.diag.message_primary.split(":")[0]


def test_an_answer_stands_and_what_was_asked_is_not_rewritten(cursor, keys):
    cursor.execute(request(), keys)
    grant = "update hl.request set state = 'granted', answered_at = now(), answered_by = 'x' where case_id = %(case)s"
    for column, value in (("reason", "'other'"), ("days", "3"), ("ask_until", "now() + interval '1 day'"), ("unit", "'POL'")):
        assert refusal_of(cursor, f"update hl.request set {column} = {value}", keys) == "answered_once", column
    assert refusal_of(cursor, "update hl.request set late_at = now()", keys) is None
    cursor.execute(grant, keys)
    assert refusal_of(cursor, "update hl.request set state = 'pending', answered_at = null, answered_by = null", keys) == "answered_once"
    assert refusal_of(cursor, grant, keys) == "answered_once"


def test_a_case_whose_lead_is_settled_is_not_handed_back(cursor, keys):
    cursor.execute("update hl.case set is_frozen = true where id = %(case)s", keys)
    assert refusal_of(cursor, request(), keys) == "handback_frozen"
    assert refusal_of(cursor, request(**MORE_TIME), keys) is None


@pytest.mark.parametrize("facts, rule", [
    ('{}', "result_is_true"), ('{"is_true": true}', "result_solved"), ('{"is_true": true, "solved": ""}', "result_solved"),
    ('{"is_true": true, "solved": true}', "result_evidence"), ('{"is_true": true, "solved": false, "evidence": "m1"}', None),
    ('{"is_true": false, "solved": true, "evidence": "m1"}', None)])
def test_a_lead_is_not_done_without_what_its_type_demands(cursor, keys, facts, rule):
    cursor.execute("update hl.case_type set demands = '{is_true,solved,evidence}' where code = 'FIR-1'")
    done = f"update hl.task set state = 'done', done_at = now(), result = 'r', facts = '{facts}' where id = %(task)s"
    assert refusal_of(cursor, done, keys) == rule
    if rule == "result_evidence":
        rows.event(cursor, keys["case"], "photo")
        assert refusal_of(cursor, done, keys) is None
    if rule is None:
        assert refusal_of(cursor, done.replace("'r'", "''").replace("true,", "false,").replace('"solved": true', '"solved": false'),
                          keys) == "result_why_not"


def test_a_task_that_was_handed_on_keeps_its_limit_and_no_other(cursor, keys):
    late = bad_task(sign="'2026-03-02 10:00+08'", close="'2026-03-02 09:30+08'", arrive="null")
    assert rows.refusal(cursor, late, keys).diag.constraint_name == "limits_in_order"
    handed_on = late.replace("close_by)", "close_by, is_handed_on)").rstrip(")") + ", true)"
    assert rows.refusal(cursor, handed_on, keys) is None


def test_a_reopened_case_gets_a_new_lead_beside_the_closed_one(cursor):
    case = rows.case(cursor, "dispatched")
    first = rows.task(cursor, case)
    rows.move_task(cursor, first, "done", "done")
    assert rows.refusal(cursor, "savepoint x") is None
    rows.move_task(cursor, first, "closed", "closed")
    second = rows.task(cursor, case)
    assert rows.one(cursor, "select id from hl.lead_task(%s)", (case,)) == second


# --- references ---------------------------------------------------------------------------------------------------

NOTICE = "insert into hl.notice (person_id, case_id, task_id, message_id, kind, template, dedupe, lane, not_before, made_at) values"
EVENT_OF = ("insert into hl.event (case_id, task_id, person_id, message_id, at, kind, actor) values"
            " ({case}, {task}, {person}, {message}, now(), 'note', 'system')")
PRESENT = {name: f"%({name})s" for name in ("case", "task", "person", "message")}


def event_of(**wrong):
    return EVENT_OF.format(**{**PRESENT, **wrong})


DANGLING = [
    "insert into hl.message (channel, external_id, person_id, received_at) values ('c', 'e', 0, now())",
    "insert into hl.report (case_id, at) values (0, now())",
    "insert into hl.report (case_id, message_id, at) values (%(case)s, 0, now())",
    "insert into hl.report (case_id, person_id, at) values (%(case)s, 0, now())",
    "insert into hl.notice_code values (0, %(person)s, 'ABCDE')",
    "insert into hl.notice_code values (%(task)s, 0, 'ABCDE')",
    "insert into hl.ladder (case_id, rungs, dues) values (0, '{a}', array[now()])",
    "insert into hl.ladder (case_id, task_id, rungs, dues) values (%(case)s, 0, '{a}', array[now()])",
    *(f"{NOTICE} ({values}, 'k', 't', 'd', 1, now(), now())" for values in (
        "0, null, null, null", "%(person)s, 0, null, null", "%(person)s, null, 0, null", "%(person)s, null, null, 0")),
    CASE.format(code="99-999999", urgency="normal").replace("FIR-1", "FIR-99"),
    "insert into hl.case (id, code, type, urgency, state, compound, opened_at) values (0, '99-999999', 'FIR-1', 'normal', 'review', 'X', now())",
    bad_task(unit="XX"), bad_task().replace("%(case)s", "0"),
    bad_task().replace("close_by)", "close_by, holder)")[:-1] + ", 0)",
    *(event_of(**{name: "0"}) for name in ("case", "task", "person", "message")),
    rows.decision(message="0"), rows.decision(case="0"),
    # one bad row among good ones
    "insert into hl.report (case_id, at) values (%(case)s, now()), (0, now()), (%(case)s, now())",
]


@pytest.mark.parametrize("statement", DANGLING)
def test_a_new_row_that_refers_to_nothing_is_refused(cursor, keys, statement):
    assert sqlstate(rows.refusal(cursor, statement, keys)) == rows.NO_SUCH


def test_a_row_that_refers_to_what_is_there_is_not_refused(cursor, keys):
    assert rows.refusal(cursor, event_of(), keys) is None
    for of in ("%(person)s, %(case)s, %(task)s, %(message)s", "%(person)s, null, null, null"):
        assert rows.refusal(cursor, f"{NOTICE} ({of}, 'k', 't', 'd', 1, now(), now())", keys) is None


REPORT = "insert into hl.report (case_id, at) values (%(case)s, now())"


def test_a_row_does_not_come_to_refer_to_nothing(cursor, keys):
    for statement in ("update hl.message set person_id = 0 where id = %(message)s", "update hl.case set type = 'FIR-99' where id = %(case)s",
                      "update hl.case set compound = 'X' where id = %(case)s", REPORT + ";update hl.report set case_id = 0",
                      "update hl.task set holder = 0 where id = %(task)s"):
        assert sqlstate(rows.refusal(cursor, statement, keys)) == rows.NO_SUCH, statement
    for statement in ("update hl.message set person_id = %(person)s where id = %(message)s", REPORT + ";update hl.report set case_id = %(review)s",
                      "update hl.task set holder = null where id = %(task)s",
                      "update hl.case set compound = (select min(code) from hl.compound), type = 'MKT-1' where id = %(case)s"):
        assert rows.refusal(cursor, statement, keys) is None, statement


STAYS = [
    *(f"delete from hl.{table}" for table in ("person", "message", "case", "task", "unit", "case_type", "compound")),
    *(f"truncate hl.{table} cascade" for table in ("person", "message", "case", "task", "unit", "case_type", "compound")),
    "update hl.person set id = default", "update hl.message set id = default", "update hl.case set id = -id", "update hl.task set id = default",
    "update hl.task set case_id = %(review)s", "update hl.task set unit = 'POL'", "update hl.unit set code = 'A' || code",
    "update hl.case_type set code = 'AAA-1'", "update hl.compound set code = 'A' || code",
    "update hl.report set message_id = null", "update hl.report set person_id = null",
    "update hl.notice_code set task_id = %(task)s", "update hl.notice_code set person_id = %(person)s",
    "delete from hl.decision", "truncate hl.decision", "update hl.decision set type = 'FIR-1'", "update hl.decision set rules = ''",
    "update hl.ladder set case_id = %(case)s", "update hl.ladder set task_id = null",
    *(f"update hl.notice set {column} = null" for column in ("case_id", "task_id", "message_id", "person_id")),
]


@pytest.mark.parametrize("statement", STAYS)
def test_what_others_refer_to_stays_for_the_superuser_too(cursor, keys, statement):
    cursor.execute("set constraints all immediate")
    assert sqlstate(rows.refusal(cursor, statement, keys)) == REWRITE


# --- rights -------------------------------------------------------------------------------------------------------

DAEMON_MAY_NOT = [
    *(f"delete from hl.{table}" for table in ("event", "message", "person", "case", "task", "report", "notice", "attempt",
                                              "receipt", "quarantine", "notice_code", "ladder", "refdata", "head_rollup")),
    *(f"truncate hl.{table} cascade" for table in ("event", "message", "person", "law")),
    "update hl.event set data = '{}'", "update hl.message set text = ''", "update hl.message set raw = ''",
    "update hl.message set salt = ''", "update hl.message set digest = ''", "update hl.person set erased_at = now()",
    "update hl.request set reason = 'x'", "delete from hl.request", "delete from hl.agenda", "update hl.duty set due_at = now()",
    "update hl.notice set params = '{}'", "insert into hl.law values ('case', 'closed', 'review', 'closed')", "update hl.law set to_state = 'closed'", "delete from hl.law",
    "update hl.clock set offset_us = 1", "update hl.clock set is_demo = true",
    "update hl.case set head_hash = ''", "update hl.case set head_seq = 0", "update hl.case set code = '99-000001'",
    "update hl.case set redos = 0", "update hl.case set reopens = 0", "update hl.case set is_sure = true",
    "update hl.task set unit = 'POL'", "update hl.task set assigned_at = now()", "update hl.report set case_id = 1",
    "update hl.notice set dedupe = 'x'", "update hl.notice set person_id = 1", "update hl.attempt set n = 9",
    "update hl.notice_code set code = 'AAAAA'", "update hl.head_rollup set hash = ''", "update hl.quarantine set item = ''",
    "update hl.refdata set doc = '{}'", "update hl.config_change set why = 'x'", "delete from hl.config_change",
    "delete from hl.roster", "update hl.roster set kind = 'week'", "insert into hl.lane values ('x', 9, true)",
    "delete from hl.dialogue", "delete from hl.decision", "update hl.decision set detail = '{}'", "delete from hl.opinion",
    "create table hl.mine (x int)", "create table public.mine (x int)", "create schema mine",
    "create function hl.mine() returns int language sql as 'select 1'",
    "alter table hl.event disable trigger all", "drop trigger event_is_chained on hl.event", "drop table hl.event",
    "set session_replication_role = replica",
]


def test_the_daemon_cannot_delete_rewrite_change_the_law_or_create_anything(database):
    with rows.role(database, "hotline_daemon") as connection, connection.cursor() as cursor:
        for statement in DAEMON_MAY_NOT:
            assert sqlstate(rows.refusal(cursor, statement)) == DENIED, statement


def test_the_reader_sees_neither_people_nor_texts_nor_codes_and_writes_nothing(database):
    with rows.role(database, "hotline_reader") as connection, connection.cursor() as cursor:
        for hidden in ("phone from hl.person", "text from hl.message", "text from hl.attempt", "item from hl.quarantine",
                       "code from hl.notice_code", "params from hl.notice", "data from hl.dialogue", "detail from hl.decision",
                       "reason from hl.opinion"):
            assert sqlstate(rows.refusal(cursor, f"select {hidden}")) == DENIED, hidden
        for seen in ("* from hl.case", "* from hl.task", "* from hl.event", "state, lane from hl.notice"):
            assert rows.refusal(cursor, f"select {seen}") is None, seen
        cursor.execute("select table_name from information_schema.table_privileges where grantee = 'hotline_reader'"
                       " and privilege_type <> 'SELECT'")
        assert cursor.fetchall() == []


def test_the_purge_role_erases_a_person_and_leaves_a_tombstone_in_a_whole_chain(database, cursor):
    phone = "+8610000009999"
    person = rows.person(cursor, phone)
    message = rows.message(cursor, person, text="我是王某")
    case = rows.case(cursor)
    notice = rows.notice(cursor, person, of_case=case)
    attempt = rows.attempt(cursor, notice)
    cursor.execute("update hl.person set name = '王某' where id = %s", (person,))
    cursor.execute("update hl.message set raw = '\\x01' where id = %s", (message,))
    cursor.execute("insert into hl.dialogue values (%s, 'menu', %s, now())", (person, '{"text": "王某签收"}'))
    cursor.execute("update hl.attempt set text = '王某您好', detail = %s where id = %s", (phone, attempt))
    cursor.execute("insert into hl.quarantine (channel, external_id, item, reason) values ('c', 'poison', %s, 'r')", (phone,))
    cursor.execute(rows.decision() + " returning message_id", {"message": message, "case": case})
    cursor.execute("update hl.decision set detail = %s", ('{"features": [{"words": "王某"}]}',))
    assert refused_at_commit(cursor) is None

    with rows.role(database, "hotline_purge") as connection, connection.cursor() as purge:
        for statement in ("delete from hl.event", "update hl.event set data = '{}'", "delete from hl.message", "delete from hl.person",
                          "delete from hl.attempt", "update hl.message set digest = ''", "update hl.case set head_hash = ''",
                          "update hl.case set state = 'closed'", "select * from hl.notice_code", "create table hl.mine (x int)"):
            assert sqlstate(rows.refusal(purge, statement)) == DENIED, statement
        purge.execute("update hl.person set phone = null, name = null, erased_at = now() where id = %s", (person,))
        purge.execute("update hl.message set text = null, raw = null, salt = '' where id = %s", (message,))
        purge.execute("update hl.attempt set text = null, detail = null where id = %s", (attempt,))
        purge.execute("update hl.notice set params = '{}' where id = %s", (notice,))
        purge.execute("update hl.dialogue set data = '{}' where person_id = %s", (person,))
        purge.execute("update hl.decision set detail = '{}' where message_id = %s", (message,))
        purge.execute("update hl.quarantine set item = '' where external_id = 'poison'")
        rows.event(purge, case, "erased", data=f'{{"person": {person}}}')
        connection.commit()

    cursor.execute("select table_name from information_schema.tables where table_schema = 'hl'")
    for (table,) in cursor.fetchall():
        cursor.execute(f"select x::text from hl.{table} x where x::text like '%%王某%%' or x::text like '%%' || %s || '%%'", (phone,))
        assert cursor.fetchall() == [], table
    assert rows.one(cursor, "select kind from hl.event where case_id = %s order by seq desc limit 1", (case,)) == "erased"
    assert rows.one(cursor, "select hl.verify('{}')")["broken"] == []


# --- the clock ----------------------------------------------------------------------------------------------------

def test_the_clock_moves_in_a_demo_installation_only_and_only_forward(database, cursor):
    tick = "select hl.tick_step(jsonb_build_object('to', hl.us(hl.now() + %s::interval)))"
    with rows.role(database, "hotline_daemon") as connection, connection.cursor() as daemon:
        assert rows.refusal(daemon, tick, ("1 hour",)) is None
        assert sqlstate(rows.refusal(daemon, tick, ("-1 hour",))) == "P0121"
        connection.rollback()
        cursor.execute("update hl.clock set is_demo = false")
        cursor.connection.commit()
        assert sqlstate(rows.refusal(daemon, tick, ("1 hour",))) == "P0120"
    cursor.execute("update hl.clock set is_demo = true")
    cursor.connection.commit()


# --- the page -----------------------------------------------------------------------------------------------------

def table_rows():
    """[(guards, tests)] of the tables in INVARIANTS.md."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ") and "`" in line]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert all(len(row) == 3 for row in cells), [row for row in cells if len(row) != 3]
    return [(re.findall(r"`([^`]+)`", guards), re.findall(r"`([^`]+)`", tests)) for _, guards, tests in cells]


CONSTRAINTS = """
select conname from pg_constraint where connamespace = 'hl'::regnamespace and contype in ('c', 'u', 'x')
union select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid
  where i.indisunique and not i.indisprimary and c.relnamespace = 'hl'::regnamespace"""
TRIGGERS = """
select t.tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid
  where not t.tgisinternal and c.relnamespace = 'hl'::regnamespace"""


def names(cursor, query):
    cursor.execute(query)
    return {name for (name,) in cursor.fetchall()}


def test_the_page_names_every_guard_of_the_schema_and_no_other(cursor):
    named = {guard for guards, _ in table_rows() for guard in guards}
    assert named == names(cursor, CONSTRAINTS) | names(cursor, TRIGGERS)


def test_every_test_on_the_page_exists():
    defined = {f"{path.name}::{name}" for path in (ROOT / "tests/it").glob("test_*.py")
               for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)}
    for guards, tests in table_rows():
        assert tests, guards
        for test in tests:
            assert (test if "::" in test else f"test_invariants.py::{test}") in defined, test


def test_every_rule_on_the_page_is_violated_here(cursor):
    rules = {guard for guards, tests in table_rows() for guard in guards if "test_a_row_against_the_rule_is_refused" in tests}
    assert rules - names(cursor, TRIGGERS) == set(RULES)


def test_every_key_and_reference_is_enforced(cursor):
    cursor.execute("select conrelid::regclass || '.' || conname from pg_constraint where connamespace = 'hl'::regnamespace"
                   " and (not convalidated or (contype in ('f', 'p', 'u') and condeferrable))")
    assert cursor.fetchall() == []
    cursor.execute("select relname from pg_class c where relnamespace = 'hl'::regnamespace and relkind = 'r' and not exists"
                   " (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'p')")
    assert cursor.fetchall() == []
