/* test_unit_calendars.c - units that keep other hours than the county: whose calendar holds, and that every limit of a
 * unit follows it */
#include "calendar_fixture.h"
#include "refdata_fixture.h"

#include "hotline/ask.h"
#include "hotline/operate.h"
#include "hotline/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a)   (sizeof(a) / sizeof((a)[0]))
#define SATURDAY "2026-03-07 20:00"

/* The power company works round the clock, holidays too; property companies from 8 to 20 on every day but holidays;
 * company 6 as the county does, in winter an hour later. */
#define CALENDARS                                                                                                      \
	"[{'name': 'shift', 'units': ['UTI-PWR'], 'week': " WEEK ", 'hours': [['00:00', '24:00']], "                   \
	"'works_holidays': true}, "                                                                                    \
	"{'name': 'company', 'unit_kinds': ['property_company'], 'week': " WEEK ", 'hours': [['08:00', '20:00']]}, "   \
	"{'name': 'late', 'units': ['PMC-06'], 'seasons': [{'name': 'w', 'from': '11-01', 'to': '03-31', "             \
	"'hours': [['09:30', '12:00'], ['13:30', '18:30']]}]}]"
#define WEEK "['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']"

static json_t *docs_with(const char *calendars, struct hl_error *err)
{
	json_t *docs = fixture_docs(), *spec, *doc = NULL;

	assert_int_equal(hl_calendar_spec_read(SHIPPED_CALENDAR, &spec, err), HL_OK);
	json_object_set_new(spec, "calendars", fixture_json(calendars));
	if (hl_calendar_expand(spec, &doc, err) == HL_OK)
		json_object_set_new(docs, "calendar", doc);
	else
		assert_null(doc);
	json_decref(spec);
	if (!doc) {
		json_decref(docs);
		docs = NULL;
	}
	return docs;
}

static int load(void **state)
{
	struct hl_error err = {.text = ""};
	struct hl_refdata *ref = NULL;
	json_t *docs = docs_with(CALENDARS, &err);

	if (!docs || hl_refdata_new(docs, &ref, &err))
		fail_msg("%s", err.text);
	json_decref(docs);
	*state = ref;
	return 0;
}

static int unload(void **state)
{
	struct hl_refdata *ref = *state;

	hl_refdata_free(&ref);
	return 0;
}

static void a_unit_has_its_own_calendar_else_that_of_its_kind_else_the_countys(void **state)
{
	static const struct {
		const char *unit, *calendar;
	} cases[] = {{"UTI-PWR", "shift"}, {"UTI-WTR", "county"}, {"PMC-01", "company"}, {"PMC-06", "late"},
		     {"POL", "county"},    {"HOT", "county"},     {"NOBODY", "county"},  {"", "county"}};
	const struct hl_refdata *ref = *state;

	for (size_t i = 0; i < LEN(cases); i++)
		assert_string_equal(hl_refdata_calendar(ref, cases[i].unit)->name, cases[i].calendar);
	assert_ptr_equal(hl_refdata_desk(ref), &ref->calendar);
}

static void what_a_calendar_does_not_say_is_the_countys(void **state)
{
	const struct hl_calendar *late = hl_refdata_calendar(*state, "PMC-06"),
				 *shift = hl_refdata_calendar(*state, "UTI-PWR"),
				 *company = hl_refdata_calendar(*state, "PMC-01");

	/* the working Saturday before the spring festival, and the festival */
	assert_true(hl_calendar_is_open(late, at("2026-02-14 18:00")));
	assert_false(hl_calendar_is_open(late, at("2026-02-14 09:00")));
	assert_false(hl_calendar_is_open(late, at("2026-02-18 10:00")));
	assert_false(hl_calendar_is_open(company, at("2026-02-18 10:00")));
	assert_true(hl_calendar_is_open(company, at("2026-03-08 19:59")));
	/* own hours or seasons: the summer of the county is not theirs */
	assert_true(hl_calendar_is_open(company, at("2026-07-01 13:00")));
	assert_false(hl_calendar_is_open(late, at("2026-07-01 17:45")));
	/* for whom holidays are no holidays, no year is unknown */
	assert_true(hl_calendar_is_open(shift, at("2026-02-18 03:00")));
	assert_true(shift->provisional_from_us > ((const struct hl_refdata *)*state)->calendar.provisional_from_us);
}

static struct hl_routed_task task_of(const struct hl_refdata *ref, const char *unit, const char *from)
{
	const struct hl_classified cls = {.type = "UTI-1", .urgency = HL_NORMAL, .is_auto = true};
	struct hl_error err = {.text = ""};
	struct hl_routed routed;

	if (hl_route_unit(ref, &cls, unit, true, at(from), &routed, &err) || routed.n_tasks != 1)
		fail_msg("%s: %s", unit, err.text);
	return routed.tasks[0];
}

static void limits_and_rungs_of_a_task_follow_the_units_hours(void **state)
{
	struct hl_routed_task shift = task_of(*state, "UTI-PWR", SATURDAY),
			      county = task_of(*state, "UTI-WTR", SATURDAY),
			      company = task_of(*state, "PMC-01", "2026-03-07 19:00");

	assert_int_equal(shift.limits.sign_us, at("2026-03-08 00:00"));
	assert_int_equal(shift.limits.close_us, at("2026-03-13 00:00"));
	assert_string_equal(shift.rungs[0].name, HL_RUNG_SIGN_HALF);
	assert_int_equal(shift.rungs[0].due_us, at("2026-03-07 22:00"));
	assert_int_equal(county.limits.sign_us, at("2026-03-09 14:00"));
	assert_int_equal(county.rungs[0].due_us, at("2026-03-09 10:30"));
	assert_int_equal(company.limits.sign_us, at("2026-03-08 11:00"));
	assert_int_equal(company.limits.close_us, at("2026-03-12 20:00"));
}

static void what_a_unit_may_ask_follows_its_hours_and_the_answer_those_of_the_desk(void **state)
{
	const struct hl_refdata *ref = *state;
	struct hl_ask ask = {.kind = HL_ASK_EXTEND,
			     .own_unit = "PMC-01",
			     .assigned_us = at("2026-03-06 09:00"),
			     .close_us = at("2026-03-11 20:00"),
			     .now_us = at(SATURDAY),
			     .reason = HL_LIT("r"),
			     .days = 3};
	struct hl_error err;
	struct hl_asked asked;

	assert_int_equal(hl_ask(ref, &ask, &asked, &err), HL_OK);
	assert_null(asked.rule);
	assert_int_equal(asked.close_us, at("2026-03-14 20:00")); /* a Saturday */
	assert_int_equal(asked.answer_us, at("2026-03-09 14:00"));
	ask.kind = HL_ASK_HANDBACK;
	assert_int_equal(hl_ask(ref, &ask, &asked, &err), HL_OK);
	assert_int_equal(asked.until_us, at("2026-03-08 20:00"));
}

static void a_wait_stops_each_units_clock_by_its_own_hours(void **state)
{
	static const char tasks_of_two[] =
		"[{'task': 1, 'unit': 'PMC-01', 'role': 'lead', 'state': 'signed', 'urgency': 'normal', 'close_us': "
		"%lld, "
		"'rungs': ['red'], 'dues_us': [%lld]}, {'task': 2, 'unit': 'UTI-PWR', 'role': 'co', 'state': 'signed', "
		"'urgency': 'normal', 'close_us': %lld, 'rungs': [], 'dues_us': []}]";
	long long close_us = at("2026-03-09 10:00");
	struct hl_error err = {.text = ""};
	char text[600];
	json_t *tasks, *resumed;

	snprintf(text, sizeof text, tasks_of_two, close_us, close_us, close_us);
	tasks = fixture_json(text);
	/* stopped on Sunday at noon: 8 h + 2 h of the company's hours are left, 22 h of the other's */
	resumed = hl_resume(*state, tasks, HL_NORMAL, at("2026-03-08 12:00"), at("2026-03-10 18:00"), &err);
	assert_non_null(resumed);
	assert_string_equal(fixture_word(resumed, "to"), "working");
	assert_int_equal(json_integer_value(fixture_at_path(resumed, "limits.0.close_us")), at("2026-03-11 16:00"));
	assert_int_equal(json_integer_value(fixture_at_path(resumed, "limits.0.dues_us.0")), at("2026-03-11 16:00"));
	assert_int_equal(json_integer_value(fixture_at_path(resumed, "limits.1.close_us")), at("2026-03-11 16:00"));
	json_decref(resumed);
	json_decref(tasks);
}

static void a_calendar_with_a_fault_is_refused_by_field_and_rule(void **state)
{
	static const struct {
		const char *calendars, *rule;
	} cases[] = {
		{"{}", "calendars: must be a list"},
		{"[7]", "calendars[0]: must be an object"},
		{"[{'name': 'a', 'holidays': []}]", "calendars[0]: holidays: must not be here"},
		{"[{'units': ['POL']}]", "calendars[0]: name: must be a text"},
		{"[{'name': 'county'}]", "calendars[0]: name: must not be that of the county's"},
		{"[{'name': 'a'}, {'name': 'a'}]", "calendars[1]: name: must not be that of calendars[0]"},
		{"[{'name': 'a', 'units': 'POL'}]", "calendars[0]: units: must be a list"},
		{"[{'name': 'a', 'units': [7]}]", "calendars[0]: units[0]: must be a text"},
		{"[{'name': 'a', 'units': ['POL']}, {'name': 'b', 'units': ['FIR', 'POL']}]",
		 "calendars[1]: units[1]: must not have calendars[0] as well"},
		{"[{'name': 'a', 'unit_kinds': ['utility']}, {'name': 'b', 'unit_kinds': ['utility']}]",
		 "calendars[1]: unit_kinds[0]: must not have calendars[0] as well"},
		{"[{'name': 'a', 'week': []}]", "calendars[0]: week, hours: must leave some working time"},
		{"[{'name': 'a', 'hours': [['09:00', '08:00']]}]",
		 "calendars[0]: hours[0]: must open before it closes"},
		{"[{'name': 'a', 'zone': 'Moon/Base'}]", "calendars[0]: zone: \"Moon/Base\" must be a zone"},
		{"[{'name': 'a', 'works_holidays': 1}]", "calendars[0]: works_holidays: must be true or false"},
		{"[{'name': 'a', 'units': ['XXX']}]", "calendars[0]: units: XXX is no unit"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_error err = {.text = ""};
		struct hl_refdata *ref = NULL;
		json_t *docs = docs_with(cases[i].calendars, &err);

		if (docs)
			assert_int_equal(hl_refdata_new(docs, &ref, &err), HL_INPUT);
		assert_null(ref);
		if (strncmp(err.text, cases[i].rule, strlen(cases[i].rule)))
			fail_msg("%s: \"%s\", not \"%s\"", cases[i].calendars, err.text, cases[i].rule);
		json_decref(docs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_unit_has_its_own_calendar_else_that_of_its_kind_else_the_countys),
		cmocka_unit_test(what_a_calendar_does_not_say_is_the_countys),
		cmocka_unit_test(limits_and_rungs_of_a_task_follow_the_units_hours),
		cmocka_unit_test(what_a_unit_may_ask_follows_its_hours_and_the_answer_those_of_the_desk),
		cmocka_unit_test(a_wait_stops_each_units_clock_by_its_own_hours),
		cmocka_unit_test(a_calendar_with_a_fault_is_refused_by_field_and_rule),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
