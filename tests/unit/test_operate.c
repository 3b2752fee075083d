/* test_operate.c - an operator's moves and a unit's requests: what is decided, and by which rule it is refused */
#include "refdata_fixture.h"

#include "hotline/ask.h"
#include "hotline/law.h"
#include "hotline/operate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
/* Tuesday 2026-09-22 10:00; its five working days end on the 29th, 18:00 (summer timetable, the 25th is a holiday). */
#define NOW "2026-09-22 10:00"
#define WHY "'why': 'w'"

static struct hl_refdata *ref;

static int load(void **state)
{
	(void)state;
	ref = fixture_refdata();
	return 0;
}

static int unload(void **state)
{
	(void)state;
	hl_refdata_free(&ref);
	return 0;
}

#define TASK(id, unit, role, state)                                                                                    \
	"{'task': " #id ", 'unit': '" unit "', 'role': '" role "', 'state': '" state "', 'urgency': 'normal', "        \
	"'assigned_us': 1790042400000000, 'sign_us': 1790056800000000, 'close_us': 1790647200000000, "                 \
	"'signed': false, 'extended': false, 'rungs': ['yellow', 'red'], 'dues_us': [1790560800000000, "               \
	"1790647200000000]}"
#define ASKED(id, kind, unit)                                                                                          \
	"{'request': " #id ", 'kind': '" kind "', 'task': 11, 'unit': " unit                                           \
	", 'days': 3, 'close_us': 1790906400000000}"

struct found {
	const char *state, *more; /* members that are not usual */
	const char *tasks, *requests;
};

static json_t *found_json(const struct found *f)
{
	json_t *found =
		fixture_json("{'case_id': 7, 'code': '26-000007', 'version': 4, 'type': 'POL-6', 'urgency': 'normal', "
			     "'compound': 'C001', 'place': '', 'is_sure': true, 'is_frozen': false, 'redos': 0, "
			     "'reopens': 0, 'task': null, 'waiting_us': 1790042400000000, 'into': null}");
	struct hl_arena arena;
	json_t *more;

	hl_arena_init(&arena, 1 << 16);
	more = fixture_json(hl_arena_printf(&arena, "{'state': '%s', 'tasks': [%s], 'requests': [%s]%s%s}", f->state,
					    f->tasks ? f->tasks : "", f->requests ? f->requests : "",
					    f->more ? ", " : "", f->more ? f->more : ""));
	json_object_update(found, more);
	json_decref(more);
	hl_arena_fini(&arena);
	return found;
}

/* The act, or NULL and the refusal in err. */
static json_t *operate(const char *verb, const char *said, const struct found *f, enum hl_role role,
		       struct hl_error *err)
{
	json_t *found = found_json(f), *args, *act;
	struct hl_arena arena;
	enum hl_class cls;

	hl_arena_init(&arena, 1 << 20);
	args = fixture_json(hl_arena_printf(&arena, "{%s}", said));
	cls = hl_operate(
		ref,
		&(struct hl_operation){
			.verb = verb, .role = role, .operator= "li", .args = args, .found = found, .now_us = at(NOW)},
		&arena, &act, err);
	assert_int_equal(cls == HL_OK, act != NULL);
	if (act) {
		assert_int_equal(json_integer_value(json_object_get(act, "version")), 4);
		assert_string_equal(fixture_word(act, "operator"), "li");
	} else {
		assert_int_equal(cls, HL_REFUSED);
	}
	hl_arena_fini(&arena);
	json_decref(args);
	json_decref(found);
	return act;
}

#define LEAD   TASK(11, "POL", "lead", "signed")
#define DONE   TASK(11, "POL", "lead", "done")
#define BACK   TASK(11, "POL", "lead", "handback")
#define BEFORE TASK(10, "URB", "lead", "handed_back") ","
#define HELPER "," TASK(12, "URB", "co", "signed")
#define WORKING                                                                                                        \
	{                                                                                                              \
		"working", NULL, LEAD, NULL                                                                            \
	}

static const struct {
	const char *name, *verb, *said;
	struct found found;
	const char *expect; /* verb of the act, or "-rule" */
} moves[] = {
	{"accept what is done", "accept", "", {"done", NULL, DONE, NULL}, "accept"},
	{"accept what is not", "accept", "", WORKING, "-law"},
	{"send back", "redo", WHY, {"done", NULL, DONE, NULL}, "redo"},
	{"send back without a reason", "redo", "", {"done", NULL, DONE, NULL}, "-why"},
	{"send back a third time", "redo", WHY, {"done", "'redos': 2", DONE, NULL}, "-redo_limit"},
	{"assign by type", "assign", "'type': 'FIR-1'", {"review", NULL, NULL, NULL}, "assign"},
	{"assign to a unit", "assign", "'unit': '县公安局'", {"review", NULL, NULL, NULL}, "assign"},
	{"assign to a unit by its short name", "assign", "'unit': '公安局'", {"review", NULL, NULL, NULL}, "assign"},
	{"assign to nobody", "assign", "'unit': 'X'", {"review", NULL, NULL, NULL}, "-unit"},
	{"assign to the hotline", "assign", "'unit': 'HOT'", {"review", NULL, NULL, NULL}, "-unit"},
	{"assign an unknown type", "assign", "'type': 'X'", {"review", NULL, NULL, NULL}, "-type"},
	{"assign what is out of scope", "assign", "'type': 'OUT-0'", {"review", NULL, NULL, NULL}, "-law"},
	{"assign with an unknown urgency", "assign", "'urgency': 'soon'", {"review", NULL, NULL, NULL}, "-urgency"},
	{"assign where a place is needed",
	 "assign",
	 "'type': 'STR-1'",
	 {"review", "'compound': null", NULL, NULL},
	 "-unit_missing"},
	{"assign with that place",
	 "assign",
	 "'type': 'STR-1', 'at': '锦绣花园'",
	 {"review", "'compound': null", NULL, NULL},
	 "assign"},
	{"assign a closed case", "assign", "", {"closed", NULL, NULL, NULL}, "-law"},
	{"assign under way", "assign", "'unit': 'URB'", WORKING, "reassign"},
	{"assign under way to the same", "assign", "'unit': 'POL'", WORKING, "-unit"},
	{"assign what is settled",
	 "assign",
	 "'unit': 'URB'",
	 {"working", "'is_frozen': true", LEAD, NULL},
	 "-handback_frozen"},
	{"place what is sure", "place", "'at': '锦绣花园3号楼'", {"review", "'compound': null", NULL, NULL}, "assign"},
	{"place what is not", "place", "'at': '锦绣花园3号楼'", {"review", "'is_sure': false", NULL, NULL}, "place"},
	{"place under way", "place", "'at': '锦绣花园3号楼'", WORKING, "place"},
	{"place nowhere", "place", "'at': 'nowhere'", WORKING, "-place"},
	{"place without words", "place", "", WORKING, "-place"},
	{"place what is over", "place", "'at': '锦绣花园'", {"closed", NULL, NULL, NULL}, "-law"},
	{"refuse a report", "refuse", WHY, {"review", NULL, NULL, NULL}, "decline"},
	{"refuse nothing", "refuse", WHY, WORKING, "-request"},
	{"refuse a request", "refuse", WHY, {"working", NULL, BACK, ASKED(5, "handback", "null")}, "request_refuse"},
	{"merge",
	 "merge",
	 WHY,
	 {"working", "'into': {'case_id': 8, 'code': 'x', 'state': 'working'}", LEAD, NULL},
	 "merge"},
	{"merge into itself",
	 "merge",
	 WHY,
	 {"working", "'into': {'case_id': 7, 'state': 'working'}", LEAD, NULL},
	 "-merge_target"},
	{"merge into nothing", "merge", WHY, WORKING, "-merge_target"},
	{"merge a closed case", "merge", WHY, {"closed", NULL, NULL, NULL}, "-law"},
	{"wait", "wait", WHY, WORKING, "wait"},
	{"wait for what is done", "wait", WHY, {"done", NULL, DONE, NULL}, "-law"},
	{"resume", "resume", "", {"waiting", NULL, LEAD, NULL}, "resume"},
	{"resume what does not wait", "resume", "", WORKING, "-law"},
	{"reopen", "reopen", WHY, {"closed", NULL, TASK(11, "POL", "lead", "closed"), NULL}, "reopen"},
	{"reopen a third time", "reopen", WHY, {"closed", "'reopens': 2", NULL, NULL}, "-reopen_limit"},
	{"reopen what is open", "reopen", WHY, WORKING, "-law"},
	{"withdraw", "withdraw", WHY, WORKING, "withdraw"},
	{"withdraw a closed case", "withdraw", WHY, {"closed", NULL, NULL, NULL}, "-law"},
	{"add a unit", "task_add", WHY ", 'unit': 'URB', 'days': 5", WORKING, "task_add"},
	{"add one that is there",
	 "task_add",
	 WHY ", 'unit': 'URB'",
	 {"working", NULL, LEAD HELPER, NULL},
	 "-one_open_task_per_unit"},
	{"add the lead", "task_add", WHY ", 'unit': 'POL'", WORKING, "-one_open_task_per_unit"},
	{"add for a century", "task_add", WHY ", 'unit': 'URB', 'days': 36500", WORKING, "-days"},
	{"add to a closed case", "task_add", WHY ", 'unit': 'URB'", {"closed", NULL, NULL, NULL}, "-law"},
	{"call the roll", "rollcall", "'at_us': 1790060000000000, 'where': 'x'", WORKING, "rollcall"},
	{"call it yesterday", "rollcall", "'at_us': 1789990000000000, 'where': 'x'", WORKING, "-rollcall"},
	{"call it nowhere", "rollcall", "'at_us': 1790060000000000", WORKING, "-rollcall"},
	{"note a photo", "stage", "'stage': 'photo'", WORKING, "stage"},
	{"note a song", "stage", "'stage': 'song'", WORKING, "-stage"},
	{"grant nothing", "grant", WHY, WORKING, "-request"},
	{"grant one of two",
	 "grant",
	 WHY,
	 {"working", NULL, BACK, ASKED(5, "handback", "'URB'") "," ASKED(6, "extend", "null")},
	 "-request"},
	{"grant the one of that kind",
	 "grant",
	 WHY ", 'kind': 'extend'",
	 {"working", NULL, LEAD, ASKED(5, "handback", "'URB'") "," ASKED(6, "extend", "null")},
	 "extend_grant"},
	{"grant a hand-back", "grant", WHY, {"working", NULL, BACK, ASKED(5, "handback", "'URB'")}, "handback_grant"},
	{"grant one that names nobody",
	 "grant",
	 WHY,
	 {"working", NULL, BACK, ASKED(5, "handback", "null")},
	 "-unit_missing"},
	{"grant it back to itself",
	 "grant",
	 WHY ", 'unit': 'POL'",
	 {"working", NULL, BACK, ASKED(5, "handback", "null")},
	 "-unit"},
	{"grant help", "grant", WHY, {"working", NULL, LEAD, ASKED(5, "assist", "'URB'")}, "task_add"},
	{"grant help by whom?", "grant", WHY, {"working", NULL, LEAD, ASKED(5, "assist", "null")}, "-unit_missing"},
	{"grant a reopening",
	 "grant",
	 WHY,
	 {"closed", NULL, TASK(11, "POL", "lead", "closed"), "{'request': 5, 'kind': 'reopen'}"},
	 "reopen"},
	/* The duty table says POL: the unit that hands it back is the one named, and there is nobody else to push it
	   to. */
	{"grant a second hand-back of the duty table's lead",
	 "grant",
	 WHY,
	 {"working", NULL, BEFORE BACK, ASKED(5, "handback", "'HOU'")},
	 "-handback_frozen"},
	{"settle the agenda", "agenda_settle", WHY, WORKING, "agenda_settle"},
};

static void a_move_is_decided_or_refused_by_its_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(moves); i++) {
		struct hl_error err = {.text = ""};
		json_t *act = operate(moves[i].verb, moves[i].said, &moves[i].found, HL_ROLE_OPERATOR, &err);
		const char *expect = moves[i].expect;
		size_t n = strlen(expect + (expect[0] == '-'));

		if (expect[0] == '-' ? act || strncmp(err.text, expect + 1, n) || err.text[n] != ':'
				     : !act || strcmp(fixture_word(act, "verb"), expect))
			fail_msg("%s: %s %s", moves[i].name, act ? fixture_word(act, "verb") : "refused", err.text);
		json_decref(act);
	}
}

/* Whatever the state of a case: the law of the case decides which of its moves are legal. */
static void every_state_allows_the_moves_the_law_knows(void **state)
{
	static const struct {
		const char *verb, *event;
	} verbs[] = {{"accept", "closed"},   {"redo", "redo"},    {"wait", "waiting"},      {"resume", "resumed"},
		     {"reopen", "reopened"}, {"merge", "merged"}, {"withdraw", "withdrawn"}};
	size_t n;
	const struct hl_move *law = hl_law(&n);

	(void)state;
	for (size_t v = 0; v < LEN(verbs); v++)
		for (size_t s = 0; s < n; s++) {
			struct found f = {law[s].to, "'into': {'case_id': 8, 'state': 'working'}", DONE, NULL};
			struct hl_error err = {.text = ""};
			bool is_legal = false;
			json_t *act;

			if (strcmp(law[s].scope, "case") != 0)
				continue;
			for (size_t i = 0; i < n; i++)
				is_legal |= !strcmp(law[i].scope, "case") && !strcmp(law[i].event, verbs[v].event) &&
					    !strcmp(law[i].from, law[s].to);
			act = operate(verbs[v].verb, WHY, &f, HL_ROLE_ADMIN, &err);
			if (is_legal != (act != NULL) || (!act && strncmp(err.text, "law:", 4)))
				fail_msg("%s from %s: %s", verbs[v].verb, law[s].to, err.text);
			json_decref(act);
		}
}

static json_t *decided(const char *verb, const char *said, const struct found *f, enum hl_role role)
{
	struct hl_error err = {.text = ""};
	json_t *act = operate(verb, said, f, role, &err);

	if (!act)
		fail_msg("%s", err.text);
	return act;
}

static int64_t number(const json_t *act, const char *path)
{
	return json_integer_value(fixture_at_path(act, path));
}

static void a_task_handed_on_has_fresh_time_to_sign_and_the_old_close(void **state)
{
	struct found f = {"working", NULL, BACK HELPER, ASKED(5, "handback", "'URB'")};
	json_t *act = decided("grant", WHY, &f, HL_ROLE_OPERATOR);

	(void)state;
	assert_string_equal(fixture_word(act, "tasks.0.unit"), "URB");
	assert_int_equal(number(act, "tasks.0.close_us"), 1790647200000000);
	/* four working hours from 10:00, over noon: 15:30 + 1 h of the summer timetable */
	assert_int_equal(number(act, "tasks.0.sign_us"), at("2026-09-22 16:30"));
	assert_true(json_is_true(fixture_at_path(act, "tasks.0.handed_on")));
	/* the unit that helped leads now */
	assert_int_equal(number(act, "withdraw.0"), 12);
	assert_null(fixture_at_path(act, "freeze"));
	json_decref(act);
}

static void a_second_hand_back_gets_the_lead_of_the_duty_table_unless_a_supervisor_names_another(void **state)
{
	/* URB leads by the duty table, POL handed it back, HOU does too and proposes POL */
	struct found f = {"working", "'type': 'URB-2'",
			  TASK(10, "POL", "lead", "handed_back") "," TASK(11, "HOU", "lead", "handback"),
			  ASKED(5, "handback", "'POL'")};
	struct hl_error err = {.text = ""};
	json_t *act = decided("grant", WHY, &f, HL_ROLE_OPERATOR);

	(void)state;
	assert_string_equal(fixture_word(act, "tasks.0.unit"), "URB");
	assert_true(json_is_true(fixture_at_path(act, "freeze")));
	json_decref(act);
	assert_null(operate("grant", WHY ", 'unit': 'MKT'", &f, HL_ROLE_OPERATOR, &err));
	assert_non_null(strstr(err.text, "handback_frozen"));
	act = decided("grant", WHY ", 'unit': 'MKT'", &f, HL_ROLE_SUPERVISOR);
	assert_string_equal(fixture_word(act, "tasks.0.unit"), "MKT");
	json_decref(act);
}

static void a_helper_that_hands_back_is_not_replaced_unless_somebody_is_named(void **state)
{
	struct found f = {"working", NULL, TASK(11, "URB", "co", "handback") "," TASK(12, "POL", "lead", "signed"),
			  ASKED(5, "handback", "null")};
	json_t *act = decided("grant", WHY, &f, HL_ROLE_OPERATOR);

	(void)state;
	assert_int_equal(json_array_size(fixture_at_path(act, "tasks")), 0);
	json_decref(act);
	act = decided("grant", WHY ", 'unit': 'HOU'", &f, HL_ROLE_OPERATOR);
	assert_string_equal(fixture_word(act, "tasks.0.role"), "co");
	json_decref(act);
	act = decided("grant", WHY ", 'unit': 'POL'", &f, HL_ROLE_OPERATOR);
	assert_int_equal(json_array_size(fixture_at_path(act, "tasks")), 0);
	json_decref(act);
}

static void more_time_moves_the_limit_and_the_rungs_ahead(void **state)
{
	struct found f = {"working", NULL, LEAD, ASKED(5, "extend", "null")};
	json_t *act = decided("grant", WHY, &f, HL_ROLE_OPERATOR);
	const json_t *dues = fixture_at_path(act, "limits.dues_us"), *due;
	size_t i;

	(void)state;
	/* three days behind the 29th is a holiday: the close of the first working day behind it */
	assert_int_equal(number(act, "limits.close_us"), at("2026-10-08 17:30"));
	assert_int_equal(number(act, "days"), 3);
	assert_true(json_array_size(dues) > 2);
	json_array_foreach (dues, i, due)
		assert_true(json_integer_value(due) > at(NOW));
	json_decref(act);
}

static void a_wait_leaves_what_was_left_and_no_rung_comes_twice(void **state)
{
	/* stopped on Monday at 16:00 with a rung behind it, one 2 h 30 min ahead, and the limit a day behind that one
	 */
	json_t *tasks =
		fixture_json("[{'task': 1, 'unit': 'POL', 'role': 'lead', 'state': 'signed', 'urgency': 'normal'},"
			     " {'task': 2, 'unit': 'URB', 'role': 'co', 'state': 'dispatched', 'urgency': 'urgent'}]");
	json_t *task = json_array_get(tasks, 0), *resume;
	int64_t stopped = at("2026-03-02 16:00"), now = at("2026-03-10 09:30");

	(void)state;
	json_object_set_new(task, "sign_us", json_integer(at("2026-03-02 11:00")));
	json_object_set_new(task, "close_us", json_integer(at("2026-03-04 09:30")));
	json_object_set_new(task, "rungs", fixture_json("['sign_half', 'yellow', 'red']"));
	json_object_set_new(
		task, "dues_us",
		json_pack("[I, I, I]", at("2026-03-02 10:00"), at("2026-03-03 09:30"), at("2026-03-04 09:30")));
	resume = hl_resume(ref, tasks, HL_NORMAL, stopped, now, NULL);
	assert_string_equal(fixture_word(resume, "to"), "working");
	assert_int_equal(json_array_size(fixture_at_path(resume, "limits")), 1);
	/* past limits stay; 1 h 30 min + 7 h 30 min + ... of working time are left, whenever it goes on */
	assert_int_equal(number(resume, "limits.0.sign_us"), at("2026-03-02 11:00"));
	assert_int_equal(hl_calendar_worked_us(&ref->calendar, stopped, at("2026-03-04 09:30")),
			 hl_calendar_worked_us(&ref->calendar, now, number(resume, "limits.0.close_us")));
	assert_int_equal(json_array_size(fixture_at_path(resume, "limits.0.rungs")), 2);
	assert_int_equal(number(resume, "limits.0.dues_us.0"), at("2026-03-10 12:00"));
	assert_int_equal(number(resume, "limits.0.dues_us.1"), number(resume, "limits.0.close_us"));
	json_decref(resume);
	json_decref(tasks);
}

/* Assigned on Tuesday 15 September, stopped on Thursday at 10:00; its limit, the 22nd at 18:00, stands still. */
#define STOPPED                                                                                                        \
	"{'task': 11, 'unit': 'POL', 'role': 'lead', 'state': 'handback', 'urgency': 'normal', "                       \
	"'assigned_us': 1789437600000000, 'sign_us': 1789452000000000, 'close_us': 1790071200000000, 'signed': true, " \
	"'extended': false, 'rungs': ['yellow', 'red'], 'dues_us': [1789984800000000, 1790071200000000]}"
#define SINCE "'waiting_us': 1789610400000000"

static int64_t left_us(const char *from, int64_t until_us)
{
	return hl_calendar_worked_us(&ref->calendar, at(from), until_us);
}

static void a_task_handed_on_while_the_reporter_is_waited_for_has_what_was_left(void **state)
{
	struct found f = {"waiting", SINCE, STOPPED, ASKED(5, "handback", "'URB'")};
	json_t *act = decided("grant", WHY, &f, HL_ROLE_OPERATOR);

	(void)state;
	assert_int_equal(left_us("2026-09-17 10:00", at("2026-09-22 18:00")),
			 left_us(NOW, number(act, "tasks.0.close_us")));
	assert_true(number(act, "tasks.0.close_us") > at("2026-09-24 18:00"));
	assert_int_equal(number(act, "tasks.0.basis.kept_from"), 11);
	json_decref(act);
}

static void more_time_granted_while_the_reporter_is_waited_for_counts_from_the_limit_that_stands_still(void **state)
{
	struct found f = {"waiting", SINCE, STOPPED, ASKED(5, "extend", "null")};
	json_t *act = decided("grant", WHY, &f, HL_ROLE_OPERATOR);

	(void)state;
	/* the 25th is a holiday, then comes the weekend */
	assert_int_equal(number(act, "limits.close_us"), at("2026-09-28 18:00"));
	/* rungs behind the stop are kept, though some lie before now */
	assert_int_equal(number(act, "limits.dues_us.0"), at("2026-09-18 18:00"));
	json_decref(act);
}

static void what_is_asked_while_the_reporter_is_waited_for_is_not_late(void **state)
{
	static const struct {
		enum hl_ask_kind kind;
		int64_t stopped;
		const char *rule;
	} cases[] = {{HL_ASK_EXTEND, 0, "extension_late"},
		     {HL_ASK_EXTEND, 1, NULL},
		     {HL_ASK_HANDBACK, 0, "handback_window"},
		     {HL_ASK_HANDBACK, 1, NULL}};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_ask ask = {.kind = cases[i].kind,
				     .own_unit = "POL",
				     .assigned_us = at("2026-03-02 09:00"),
				     .close_us = at("2026-03-09 17:30"),
				     .stopped_us = cases[i].stopped ? at("2026-03-03 10:00") : 0,
				     .now_us = at("2026-03-16 10:00"),
				     .reason = HL_LIT("r"),
				     .days = 3};
		struct hl_asked asked;

		assert_int_equal(hl_ask(ref, &ask, &asked, NULL), HL_OK);
		assert_string_equal(asked.rule ? asked.rule : "", cases[i].rule ? cases[i].rule : "");
		assert_int_equal(asked.until_us > ask.now_us, cases[i].stopped != 0);
	}
}

/* ---- what a unit asks ----------------------------------------------------- */

static void the_extended_limit_is_a_close_of_business_within_ten_working_days(void **state)
{
	static const struct {
		const char *close;
		int days;
		const char *limit, *rule;
	} cases[] = {
		{"2026-03-06 17:30", 1, "2026-03-09 17:30", NULL}, /* Saturday: Monday */
		{"2026-03-06 17:30", 4, "2026-03-10 17:30", NULL},
		{"2026-03-06 17:30", 14, "2026-03-20 17:30", NULL}, /* ten working days */
		{"2026-03-06 17:30", 15, NULL, "extension_cap"},
		{"2026-03-04 21:00", 1, "2026-03-05 17:30", NULL}, /* wall clock at night */
		{"2026-09-24 18:00", 1, "2026-09-28 18:00", NULL}, /* Mid-Autumn on the 25th */
		{"2026-03-06 17:30", 0, NULL, "days_missing"},
		{"2026-03-06 17:30", 61, NULL, "extension_cap"},
		{"2026-03-06 17:30", -1, NULL, "days_missing"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_instant limit;
		const char *rule;

		assert_int_equal(
			hl_extended_limit(&ref->calendar, at(cases[i].close), cases[i].days, &limit, &rule, NULL),
			HL_OK);
		if (!cases[i].rule ? rule || limit.at_us != at(cases[i].limit) : !rule || strcmp(rule, cases[i].rule))
			fail_msg("%s + %d: %s %s", cases[i].close, cases[i].days,
				 fixture_text(&ref->calendar, limit.at_us), rule ? rule : "");
	}
}

static void a_hand_back_has_its_window_and_the_operator_his_limit(void **state)
{
	static const struct {
		enum hl_urgency urgency;
		const char *assigned, *now, *rule, *until, *answer;
	} cases[] = {
		{HL_NORMAL, "2026-03-02 09:00", "2026-03-04 17:30", NULL, "2026-03-04 17:30", "2026-03-05 14:00"},
		{HL_NORMAL, "2026-03-02 09:00", "2026-03-04 17:31", "handback_window", "2026-03-04 17:30", NULL},
		{HL_URGENT, "2026-03-02 22:00", "2026-03-03 02:00", NULL, "2026-03-03 02:00", "2026-03-03 02:30"},
		{HL_EMERGENCY, "2026-03-02 22:00", "2026-03-03 00:01", "handback_window", "2026-03-03 00:00", NULL},
		{HL_EMERGENCY, "2026-03-02 22:00", "2026-03-02 22:10", NULL, "2026-03-03 00:00", "2026-03-02 22:25"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_ask ask = {.kind = HL_ASK_HANDBACK,
				     .urgency = cases[i].urgency,
				     .own_unit = "POL",
				     .assigned_us = at(cases[i].assigned),
				     .now_us = at(cases[i].now),
				     .reason = HL_LIT("不是我们的，应为县综合行政执法局")};
		struct hl_asked asked;

		assert_int_equal(hl_ask(ref, &ask, &asked, NULL), HL_OK);
		assert_int_equal(asked.until_us, at(cases[i].until));
		assert_string_equal(asked.rule ? asked.rule : "", cases[i].rule ? cases[i].rule : "");
		assert_string_equal(asked.unit, "URB");
		if (cases[i].answer)
			assert_int_equal(asked.answer_us, at(cases[i].answer));
	}
}

static void units_are_known_by_code_name_and_unmistakable_abbreviation(void **state)
{
	static const struct {
		const char *words, *unit;
	} cases[] = {{"POL", "POL"},    {"pol", "POL"},    {"县公安局", "POL"},
		     {"公安", "POL"},   {"住建局", "HOU"}, {"供电公司", "UTI-PWR"},
		     {" 消防 ", "FIR"}, {"物业", NULL},    {"局", NULL},
		     {"", NULL},        {"街道办", NULL},  {"嘉祥街道", "STR-JX"},
		     {"不明", NULL}};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		const struct hl_unit *unit = hl_duties_unit_named(ref->duties, hl_slice_str(cases[i].words));

		if (strcmp(unit ? unit->code : "-", cases[i].unit ? cases[i].unit : "-"))
			fail_msg("%s: %s", cases[i].words, unit ? unit->code : "-");
	}
	assert_null(hl_duties_unit_in(ref->duties, HL_LIT("公安局和住房和城乡建设局都说不管"), NULL));
	assert_string_equal(hl_duties_unit_in(ref->duties, HL_LIT("公安局说归住房和城乡建设局"), "POL")->code, "HOU");
}

static void the_desk_is_texted_about_normal_work_in_working_hours_only(void **state)
{
	(void)state;
	assert_int_equal(hl_desk_time(&ref->calendar, HL_NORMAL, at("2026-03-06 18:00")), at("2026-03-09 08:30"));
	assert_int_equal(hl_desk_time(&ref->calendar, HL_NORMAL, at("2026-03-06 10:00")), at("2026-03-06 10:00"));
	assert_int_equal(hl_desk_time(&ref->calendar, HL_URGENT, at("2026-03-06 23:00")), at("2026-03-06 23:00"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_move_is_decided_or_refused_by_its_rule),
		cmocka_unit_test(every_state_allows_the_moves_the_law_knows),
		cmocka_unit_test(a_task_handed_on_has_fresh_time_to_sign_and_the_old_close),
		cmocka_unit_test(a_second_hand_back_gets_the_lead_of_the_duty_table_unless_a_supervisor_names_another),
		cmocka_unit_test(a_helper_that_hands_back_is_not_replaced_unless_somebody_is_named),
		cmocka_unit_test(more_time_moves_the_limit_and_the_rungs_ahead),
		cmocka_unit_test(a_wait_leaves_what_was_left_and_no_rung_comes_twice),
		cmocka_unit_test(a_task_handed_on_while_the_reporter_is_waited_for_has_what_was_left),
		cmocka_unit_test(
			more_time_granted_while_the_reporter_is_waited_for_counts_from_the_limit_that_stands_still),
		cmocka_unit_test(what_is_asked_while_the_reporter_is_waited_for_is_not_late),
		cmocka_unit_test(the_extended_limit_is_a_close_of_business_within_ten_working_days),
		cmocka_unit_test(a_hand_back_has_its_window_and_the_operator_his_limit),
		cmocka_unit_test(units_are_known_by_code_name_and_unmistakable_abbreviation),
		cmocka_unit_test(the_desk_is_texted_about_normal_work_in_working_hours_only),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
