/* test_limits.c - which limit applies, when it falls due, and the ladder that hangs on it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calendar_fixture.h"
#include "hotline/limits.h"

#define N(list) (sizeof(list) / sizeof *(list))

static struct hl_calendar county;
static struct hl_limit_rules *shipped;

static int set_up(void **state)
{
	struct hl_error err;
	json_t *doc = json_load_file("schema/ref/limits.json", 0, NULL);
	(void)state;
	fixture_shipped(&county);
	if (!doc || hl_limit_rules_new(doc, &shipped, &err))
		fail_msg("schema/ref/limits.json: %s", doc ? err.text : "cannot be read");
	json_decref(doc);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hl_calendar_fini(&county);
	hl_limit_rules_free(&shipped);
	assert_null(shipped);
	hl_limit_rules_free(&shipped);
	return 0;
}

static void same_instant(const char *what, int64_t at_us, const char *wanted)
{
	const char *text = at_us ? fixture_text(&county, at_us) : "-";
	if (strcmp(text, wanted))
		fail_msg("%s: %s, not %s", what, text, wanted);
}

/* --- words --- */

static void urgencies_have_names(void **state)
{
	enum hl_urgency urgency;
	(void)state;
	for (int u = HL_NORMAL; u <= HL_EMERGENCY; u++) {
		assert_true(hl_urgency_parse(hl_slice_str(hl_urgency_name((enum hl_urgency)u)), &urgency));
		assert_int_equal(urgency, u);
	}
	assert_false(hl_urgency_parse(HL_LIT("Normal"), &urgency));
	assert_false(hl_urgency_parse(HL_LIT("normally"), &urgency));
	assert_false(hl_urgency_parse(hl_slice_str(NULL), &urgency));
}

/* --- limits with the shipped rules --- */

static void shipped_limits_fall_due_at_known_instants(void **state)
{
	static const struct {
		enum hl_urgency urgency;
		const char *unit_kind, *from, *sign, *arrive, *close, *progress;
	} cases[] = {
		{HL_EMERGENCY, "authority", "2026-10-01 23:50", "2026-10-02 00:05", "2026-10-02 00:50",
		 "2026-10-02 23:50", "2026-10-02 01:50"},
		{HL_URGENT, "authority", "2026-10-01 23:50", "2026-10-02 00:50", "-", "2026-10-04 23:50",
		 "2026-10-02 23:50"},
		{HL_URGENT, "utility", "2026-10-01 23:50", "2026-10-02 00:20", "-", "2026-10-04 23:50",
		 "2026-10-02 23:50"},
		{HL_EMERGENCY, "utility", "2026-03-03 10:00", "2026-03-03 10:15", "2026-03-03 11:00",
		 "2026-03-04 10:00", "2026-03-03 12:00"},
		{HL_NORMAL, "authority", "2026-03-02 10:00", "2026-03-02 15:30", "-", "2026-03-09 17:30",
		 "2026-03-05 17:30"},
		{HL_NORMAL, "utility", "2026-03-02 10:00", "2026-03-02 15:30", "-", "2026-03-09 17:30",
		 "2026-03-05 17:30"},
		/* 中秋: Friday is off, the make-up Sunday was the week before */
		{HL_NORMAL, "authority", "2026-09-25 16:00", "2026-09-28 15:00", "-", "2026-10-09 17:30",
		 "2026-09-30 18:00"},
		{HL_NORMAL, NULL, "2024-09-28 11:00", "2024-09-29 15:00", "-", "2024-10-10 17:30", "2024-10-08 17:30"},
	};
	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct hl_limit_query q = {.urgency = cases[i].urgency,
					   .case_type = "FIR-1",
					   .unit = "FIR",
					   .unit_kind = cases[i].unit_kind,
					   .from_us = at(cases[i].from)};
		struct hl_limits limits;
		struct hl_error err;
		assert_int_equal(hl_limits_compute(shipped, &county, &q, &limits, &err), HL_OK);
		same_instant("sign", limits.sign_us, cases[i].sign);
		same_instant("arrive", limits.arrive_us, cases[i].arrive);
		same_instant("close", limits.close_us, cases[i].close);
		same_instant("progress", limits.progress_us, cases[i].progress);
		assert_false(limits.is_provisional);
	}
}

typedef enum hl_class desk_fn(const struct hl_limit_rules *rules, const struct hl_calendar *cal,
			      enum hl_urgency urgency, int64_t from_us, struct hl_instant *out_r, struct hl_error *err);

static void shipped_desk_limits_fall_due_at_known_instants(void **state)
{
	static const struct {
		const char *name;
		desk_fn *limit;
		enum hl_urgency urgency;
		const char *due;
	} cases[] = {
		{"review", hl_review_limit, HL_EMERGENCY, "2026-03-06 17:05"},
		{"review", hl_review_limit, HL_URGENT, "2026-03-06 17:30"},
		{"review", hl_review_limit, HL_NORMAL, "2026-03-09 10:00"},
		{"handback", hl_handback_limit, HL_EMERGENCY, "2026-03-06 19:00"},
		{"handback", hl_handback_limit, HL_URGENT, "2026-03-06 21:00"},
		{"handback", hl_handback_limit, HL_NORMAL, "2026-03-10 17:30"},
		{"operator", hl_operator_limit, HL_EMERGENCY, "2026-03-06 17:15"},
		{"operator", hl_operator_limit, HL_URGENT, "2026-03-06 17:30"},
		{"operator", hl_operator_limit, HL_NORMAL, "2026-03-09 12:00"},
	};
	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct hl_instant due;
		struct hl_error err;
		assert_int_equal(cases[i].limit(shipped, &county, cases[i].urgency, at("2026-03-06 17:00"), &due, &err),
				 HL_OK);
		same_instant(cases[i].name, due.at_us, cases[i].due);
	}
}

static void a_limit_in_an_unknown_year_is_provisional(void **state)
{
	struct hl_limit_query q = {.urgency = HL_NORMAL, .from_us = at("2026-12-30 10:00")};
	struct hl_limits limits;
	struct hl_error err;
	struct hl_instant due;
	(void)state;
	assert_int_equal(hl_limits_compute(shipped, &county, &q, &limits, &err), HL_OK);
	assert_true(limits.is_provisional);
	assert_int_equal(hl_review_limit(shipped, &county, HL_NORMAL, at("2026-12-31 17:00"), &due, &err), HL_OK);
	assert_true(due.is_provisional);
	/* One limit is enough: the close limit alone lies in 2027. */
	q.from_us = at("2026-12-25 10:00");
	assert_int_equal(hl_limits_compute(shipped, &county, &q, &limits, &err), HL_OK);
	same_instant("progress", limits.progress_us, "2026-12-30 17:30");
	same_instant("close", limits.close_us, "2027-01-01 17:30");
	assert_true(limits.is_provisional);
	/* The wall clock needs no calendar. */
	q = (struct hl_limit_query){.urgency = HL_URGENT, .from_us = at("2026-12-30 10:00")};
	assert_int_equal(hl_limits_compute(shipped, &county, &q, &limits, &err), HL_OK);
	assert_false(limits.is_provisional);
}

static void a_calendar_that_ends_is_the_operators_fault(void **state)
{
	struct hl_limit_query q = {.urgency = HL_NORMAL, .from_us = at("2029-12-28 10:00")};
	struct hl_limits limits;
	struct hl_error err;
	struct hl_instant due;
	(void)state;
	assert_int_equal(hl_limits_compute(shipped, &county, &q, &limits, &err), HL_CONFIG);
	assert_string_equal(err.text, "calendar \"county\" ends before the close limit; import a longer one");
	assert_int_equal(hl_review_limit(shipped, &county, HL_NORMAL, at("2029-12-31 17:00"), &due, &err), HL_CONFIG);
	assert_string_equal(err.text, "calendar \"county\" ends before the review limit; import a longer one");
}

/* --- rules --- */

#define WALL              "{'clock':'wall','sign':'1 h','close':'72 h','review':'5 min','handback':'4 h','operator':'30 min'}"
#define WORKING           "{'clock':'working','sign':'4 h','close':'5 days','review':'2 h','handback':'2 days','operator':'4 h'}"
#define URGENCIES(normal) "'urgencies':{'normal':" normal ",'urgent':" WALL ",'emergency':" WALL "}"
#define RED               "'ladder':[{'rung':'red','of':'close'}]"

static struct hl_limit_rules *rules_of(const char *text)
{
	struct hl_limit_rules *rules;
	struct hl_error err;
	json_t *doc = fixture_json(text);
	if (hl_limit_rules_new(doc, &rules, &err))
		fail_msg("%s", err.text);
	json_decref(doc);
	return rules;
}

static void the_most_specific_override_wins_field_by_field(void **state)
{
	static const struct {
		const char *case_type, *unit, *unit_kind;
		int sign_min, close_min;
	} cases[] = {
		{"POL-2", "POL", "authority", 60, 72 * 60},
		{"POL-2", "GAS", "utility", 10, 600},
		{"POL-2", "PWR", "utility", 20, 600},
		{"FIR-1", "POL", "authority", 5, 300},
		{"FIR-1", "PWR", "utility", 5, 300},
		{"FIR-1", "GAS", "utility", 2, 300},
		{NULL, "GAS", NULL, 10, 72 * 60},
		{NULL, NULL, "utility", 20, 600},
		{"FIR-1", NULL, NULL, 5, 300},
		{"FIR-2", "GAS", "utility", 10, 200},
		{NULL, NULL, NULL, 60, 72 * 60},
	};
	struct hl_limit_rules *rules = rules_of("{" URGENCIES(
		WORKING) ",'overrides':["
			 "{'unit_kind':'utility','urgency':'urgent','sign':'20 min','close':'600 min'},"
			 "{'case_type':'FIR-1','unit':'GAS','urgency':'urgent','sign':'2 min'},"
			 "{'case_type':'FIR-1','urgency':'urgent','sign':'5 min','close':'5 h'},"
			 "{'unit':'GAS','urgency':'urgent','sign':'10 min'},"
			 "{'case_type':'FIR-2','unit_kind':'utility','urgency':'urgent','close':'200 min'},"
			 "{'case_type':'FIR-1','urgency':'emergency','sign':'1 min'}]," RED "}");
	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct hl_limit_query q = {.urgency = HL_URGENT,
					   .case_type = cases[i].case_type,
					   .unit = cases[i].unit,
					   .unit_kind = cases[i].unit_kind,
					   .from_us = 0};
		struct hl_limits limits;
		struct hl_error err;
		assert_int_equal(hl_limits_compute(rules, &county, &q, &limits, &err), HL_OK);
		if (limits.sign_us != cases[i].sign_min * US_PER_MINUTE ||
		    limits.close_us != cases[i].close_min * US_PER_MINUTE)
			fail_msg("case %zu: sign %d close %d", i, (int)(limits.sign_us / US_PER_MINUTE),
				 (int)(limits.close_us / US_PER_MINUTE));
	}
	hl_limit_rules_free(&rules);
}

static void an_override_runs_on_the_clock_of_its_urgency(void **state)
{
	struct hl_limit_rules *rules = rules_of("{" URGENCIES(
		WORKING) ",'overrides':[{'unit':'GAS','urgency':'normal','sign':'2 h','arrive':'1 day','progress':"
			 "'2 days'}]," RED "}");
	struct hl_limit_query q = {.urgency = HL_NORMAL, .unit = "GAS", .from_us = at("2026-03-06 17:00")};
	struct hl_limits limits;
	struct hl_error err;
	(void)state;
	assert_int_equal(hl_limits_compute(rules, &county, &q, &limits, &err), HL_OK);
	same_instant("sign", limits.sign_us, "2026-03-09 10:00");
	same_instant("arrive", limits.arrive_us, "2026-03-09 17:30");
	same_instant("progress", limits.progress_us, "2026-03-10 17:30");
	hl_limit_rules_free(&rules);
}

static void working_hours_are_not_compared_with_working_days(void **state)
{
	struct hl_limit_rules *rules =
		rules_of("{" URGENCIES("{'clock':'working','sign':'30 h','close':'1 day','review':'1 h',"
				       "'handback':'1 h','operator':'1 h'}") "," RED "}");
	(void)state;
	hl_limit_rules_free(&rules);
}

static void days_of_the_wall_clock_have_24_hours(void **state)
{
	struct hl_limit_rules *rules =
		rules_of("{" URGENCIES("{'clock':'wall','sign':'1 day','close':'2 days','review':'1 h',"
				       "'handback':'1 h','operator':'1 h'}") "," RED "}");
	struct hl_limit_query q = {.urgency = HL_NORMAL, .from_us = at("2026-03-06 17:00")};
	struct hl_limits limits;
	struct hl_error err;
	(void)state;
	assert_int_equal(hl_limits_compute(rules, &county, &q, &limits, &err), HL_OK);
	same_instant("sign", limits.sign_us, "2026-03-07 17:00");
	same_instant("close", limits.close_us, "2026-03-08 17:00");
	hl_limit_rules_free(&rules);
}

static void rules_with_a_fault_are_refused_by_field_and_rule(void **state)
{
#define DOC(normal, overrides, ladder) "{" URGENCIES(normal) ",'overrides':[" overrides "],'ladder':[" ladder "]}"
#define R                              "{'rung':'red','of':'close'}"
#define R8                             R "," R "," R "," R "," R "," R "," R "," R
#define REST                           "'review':'2 h','handback':'2 days','operator':'4 h'}"
	static const struct {
		const char *doc, *text;
	} cases[] = {
		{"[]", "must be an object"},
		{"{'urgency':{}}", "urgency: must not be here"},
		{"{}", "urgencies: must be an object"},
		{"{'urgencies':{'calm':{}}}", "urgencies: calm: must not be here"},
		{"{'urgencies':{'urgent':" WALL ",'emergency':" WALL "}}", "urgencies.normal: must be an object"},
		{DOC("{'sign':'4 h','close':'5 days'," REST, "", R), "urgencies.normal: clock: must be \"wall\" or"},
		{DOC("{'clock':'sun','sign':'4 h','close':'5 days'," REST, "", R), "urgencies.normal: clock: must be"},
		{DOC("{'clock':'working','close':'5 days'," REST, "", R), "urgencies.normal: sign: must be set"},
		{DOC("{'clock':'working','sign':'4 h','close':'5 days','review':'2 h','handback':'2 h'}", "", R),
		 "urgencies.normal: operator: must be set"},
		{DOC("{'clock':'working','sign':'4 h','close':'5 days','half':'2 h'," REST, "", R),
		 "urgencies.normal: half: must not be here"},
		{DOC("{'clock':'working','sign':4,'close':'5 days'," REST, "", R),
		 "urgencies.normal: sign: must be a span"},
		{DOC("{'clock':'working','sign':'4h','close':'5 days'," REST, "", R),
		 "urgencies.normal: sign: must be a"},
		{DOC("{'clock':'working','sign':'4 weeks','close':'5 days'," REST, "", R),
		 "urgencies.normal: sign: must"},
		{DOC("{'clock':'working','sign':'0 h','close':'5 days'," REST, "", R),
		 "urgencies.normal: sign: must be a"},
		{DOC("{'clock':'working','sign':'-4 h','close':'5 days'," REST, "", R),
		 "urgencies.normal: sign: must be"},
		{DOC("{'clock':'working','sign':'4 h','close':'367 days'," REST, "", R),
		 "urgencies.normal: close: must be"},
		{DOC("{'clock':'working','sign':'9999999999999 h','close':'5 days'," REST, "", R),
		 "urgencies.normal: sign: must be a span"},
		{DOC("{'clock':'working','sign':'6 days','close':'5 days'," REST, "", R),
		 "urgencies.normal: sign: must not be longer than close"},
		{DOC("{'clock':'wall','sign':'25 h','close':'1 day'," REST, "", R),
		 "urgencies.normal: sign: must not be longer than close"},
		{DOC("{'clock':'wall','sign':'2 h','arrive':'1 h','close':'1 day'," REST, "", R),
		 "urgencies.normal: sign: must not be longer than arrive"},
		{DOC("{'clock':'wall','sign':'2 h','arrive':'2 days','close':'1 day'," REST, "", R),
		 "urgencies.normal: arrive: must not be longer than close"},
		{"{" URGENCIES(WORKING) ",'overrides':{}," RED "}", "overrides: must be a list of at most 1000"},
		{DOC(WORKING, "7", R), "overrides[0]: must be an object"},
		{DOC(WORKING, "{'unit':'GAS','sign':'1 h'}", R), "overrides[0]: urgency: must be normal, urgent or"},
		{DOC(WORKING, "{'unit':'GAS','urgency':'calm','sign':'1 h'}", R),
		 "overrides[0]: urgency: must be normal"},
		{DOC(WORKING, "{'urgency':'urgent','sign':'1 h'}", R),
		 "overrides[0]: must name a case_type, a unit or"},
		{DOC(WORKING, "{'unit':'','urgency':'urgent','sign':'1 h'}", R), "overrides[0]: unit: must be a text"},
		{DOC(WORKING, "{'unit':7,'urgency':'urgent','sign':'1 h'}", R), "overrides[0]: unit: must be a text"},
		{DOC(WORKING, "{'unit':'GAS','urgency':'urgent'}", R), "overrides[0]: must set one of sign, arrive"},
		{DOC(WORKING, "{'unit':'GAS','urgency':'urgent','review':'1 h'}", R),
		 "overrides[0]: review: must not be"},
		{DOC(WORKING, "{'unit':'GAS','urgency':'urgent','sign':'1 hour'}", R),
		 "overrides[0]: sign: must be a span"},
		{DOC(WORKING, "{'unit':'GAS','urgency':'urgent','sign':'2 h','close':'1 h'}", R),
		 "overrides[0]: sign: must not be longer than close"},
		{DOC(WORKING,
		     "{'unit':'GAS','urgency':'urgent','sign':'1 h'},{'unit':'GAS','urgency':'urgent','close':'9 h'}",
		     R),
		 "overrides[1]: must not match the same tasks as overrides[0]"},
		{"{" URGENCIES(WORKING) "}", "ladder: must be a list of 1 to 16 rungs"},
		{DOC(WORKING, "", ""), "ladder: must be a list of 1 to 16 rungs"},
		{DOC(WORKING, "", R8 "," R8 "," R), "ladder: must be a list of 1 to 16"},
		{DOC(WORKING, "", R "," R), "ladder[1]: rung: must not be there twice"},
		{DOC(WORKING, "", "'red'"), "ladder[0]: must be an object"},
		{DOC(WORKING, "", "{'of':'close'}"), "ladder[0]: rung: must be one of sign_half"},
		{DOC(WORKING, "", "{'rung':'review','of':'close'}"), "ladder[0]: rung: must be one of sign_half"},
		{DOC(WORKING, "", "{'rung':'red'}"), "ladder[0]: of: must be one of sign arrive close progress"},
		{DOC(WORKING, "", "{'rung':'red','of':'review'}"), "ladder[0]: of: must be one of sign arrive close"},
		{DOC(WORKING, "", "{'rung':'red','of':'close','at':'1 h'}"), "ladder[0]: at: must not be here"},
		{DOC(WORKING, "", "{'rung':'red','of':'close','after':'soon'}"), "ladder[0]: after: must be a span"},
		{DOC(WORKING, "", "{'rung':'red','of':'close','percent':100}"), "ladder[0]: percent: must be a whole"},
		{DOC(WORKING, "", "{'rung':'red','of':'close','percent':0}"), "ladder[0]: percent: must be a whole"},
		{DOC(WORKING, "", "{'rung':'red','of':'close','percent':'50'}"), "ladder[0]: percent: must be a whole"},
		{DOC(WORKING, "", "{'rung':'yellow','of':'close','before':'4 h','percent':75}"),
		 "ladder[0]: before: must be a number of days"},
		{DOC(WORKING, "", "{'rung':'yellow','of':'close','before':'1 day'}"),
		 "ladder[0]: percent: must be set"},
		{DOC(WORKING, "", "{'rung':'yellow','of':'close','short':'2 days','percent':75}"),
		 "ladder[0]: short: must not be set without before"},
		{DOC(WORKING, "", "{'rung':'yellow','of':'close','after':'1 day','percent':75}"),
		 "ladder[0]: after: must not be set beside"},
	};
	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct hl_error err = {0};
		struct hl_limit_rules *rules;
		json_t *doc = fixture_json(cases[i].doc);
		if (hl_limit_rules_new(doc, &rules, &err) != HL_INPUT)
			fail_msg("accepted: %s", cases[i].doc);
		assert_null(rules);
		if (strncmp(err.text, cases[i].text, strlen(cases[i].text)))
			fail_msg("%s: \"%s\", not \"%s\"", cases[i].doc, err.text, cases[i].text);
		json_decref(doc);
	}
}

/* --- the ladder --- */

static void ladder_text(const struct hl_limit_rules *rules, const struct hl_limit_query *q,
			const struct hl_limits *limits, char *text, size_t text_bytes)
{
	struct hl_rung rungs[HL_RUNGS_MAX];
	struct hl_error err;
	size_t n, len = 0;
	if (hl_ladder_compute(rules, &county, q, limits, rungs, &n, &err))
		fail_msg("%s", err.text);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		assert_true(i == 0 || rungs[i - 1].due_us <= rungs[i].due_us);
		len += (size_t)snprintf(text + len, text_bytes - len, "%s%s %s", i ? "; " : "", rungs[i].name,
					fixture_text(&county, rungs[i].due_us) + 5);
	}
}

static void shipped_ladders_stand_at_known_instants(void **state)
{
	static const struct {
		enum hl_urgency urgency;
		const char *from, *ladder;
	} cases[] = {
		/* wall clock, shorter than two days: yellow at 75 %, day and night */
		{HL_EMERGENCY, "2026-10-01 23:50",
		 "sign_half 10-01 23:57:30; sign_limit 10-02 00:05; progress 10-02 01:50; yellow 10-02 17:50; "
		 "red 10-02 23:50; oversee 10-03 23:50; leaders 10-07 23:50"},
		/* wall clock, longer: yellow 24 h before */
		{HL_URGENT, "2026-03-06 17:00",
		 "sign_half 03-06 17:30; sign_limit 03-06 18:00; progress 03-07 17:00; yellow 03-08 17:00; "
		 "red 03-09 17:00; oversee 03-10 17:00; leaders 03-14 17:00"},
		/* working clock: half is counted in working minutes, yellow is the close of the day before */
		{HL_NORMAL, "2026-03-02 10:00",
		 "sign_half 03-02 12:00; sign_limit 03-02 15:30; progress 03-05 17:30; yellow 03-06 17:30; "
		 "red 03-09 17:30; oversee 03-10 17:30; leaders 03-16 17:30"},
		/* over 国庆: 1-7 October off, 10 October worked */
		{HL_NORMAL, "2026-09-25 16:00",
		 "sign_half 09-28 10:30; sign_limit 09-28 15:00; progress 09-30 18:00; yellow 10-08 17:30; "
		 "red 10-09 17:30; oversee 10-10 17:30; leaders 10-15 17:30"},
	};
	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct hl_limit_query q = {.urgency = cases[i].urgency, .from_us = at(cases[i].from)};
		struct hl_limits limits;
		struct hl_error err;
		char text[400];
		assert_int_equal(hl_limits_compute(shipped, &county, &q, &limits, &err), HL_OK);
		ladder_text(shipped, &q, &limits, text, sizeof text);
		assert_string_equal(text, cases[i].ladder);
	}
}

/* Limits as an extension or a pause left them, not as computed. */
static void the_ladder_follows_the_limits_it_is_given(void **state)
{
	static const struct {
		enum hl_urgency urgency;
		const char *from, *sign, *close, *progress, *ladder;
	} cases[] = {
		/* extended */
		{HL_NORMAL, "2026-03-02 10:00", NULL, "2026-03-16 17:30", NULL,
		 "yellow 03-13 17:30; red 03-16 17:30; oversee 03-17 17:30; leaders 03-23 17:30"},
		/* exactly two working days: not short */
		{HL_NORMAL, "2026-03-02 10:00", NULL, "2026-03-04 17:30", NULL,
		 "yellow 03-03 17:30; red 03-04 17:30; oversee 03-05 17:30; leaders 03-11 17:30"},
		/* one working day: 75 % of 13.5 working hours (6 on Monday) */
		{HL_NORMAL, "2026-03-02 10:00", NULL, "2026-03-03 17:30", NULL,
		 "yellow 03-03 14:07:30; red 03-03 17:30; oversee 03-04 17:30; leaders 03-10 17:30"},
		/* hours only */
		{HL_NORMAL, "2026-03-02 10:00", NULL, "2026-03-02 15:30", NULL,
		 "yellow 03-02 14:30; red 03-02 15:30; oversee 03-03 17:30; leaders 03-09 17:30"},
		/* assigned on a free day: the close of business before lies before the assignment */
		{HL_NORMAL, "2026-03-07 10:00", NULL, "2026-03-09 17:30", NULL,
		 "yellow 03-09 15:37:30; red 03-09 17:30; oversee 03-10 17:30; leaders 03-16 17:30"},
		/* wall: exactly 48 h is not short */
		{HL_URGENT, "2026-03-02 10:00", NULL, "2026-03-04 10:00", NULL,
		 "yellow 03-03 10:00; red 03-04 10:00; oversee 03-05 10:00; leaders 03-09 10:00"},
		{HL_URGENT, "2026-03-02 10:00", NULL, "2026-03-04 08:00", NULL,
		 "yellow 03-03 20:30; red 03-04 08:00; oversee 03-05 08:00; leaders 03-09 08:00"},
		/* no time between assignment and limit: no warning */
		{HL_NORMAL, "2026-03-07 10:00", NULL, "2026-03-08 10:00", NULL,
		 "red 03-08 10:00; oversee 03-09 17:30; leaders 03-13 17:30"},
		{HL_URGENT, "2026-03-02 10:00", "2026-03-02 10:00", "2026-03-02 09:00", NULL,
		 "red 03-02 09:00; sign_limit 03-02 10:00; oversee 03-03 09:00; leaders 03-07 09:00"},
		/* a question for progress only before the close limit */
		{HL_URGENT, "2026-03-02 10:00", NULL, "2026-03-02 14:00", "2026-03-02 14:00",
		 "yellow 03-02 13:00; red 03-02 14:00; oversee 03-03 14:00; leaders 03-07 14:00"},
		{HL_URGENT, "2026-03-02 10:00", NULL, NULL, "2026-03-02 14:00", "progress 03-02 14:00"},
		/* a sign limit behind the yellow card is sorted */
		{HL_URGENT, "2026-03-02 10:00", "2026-03-02 13:30", "2026-03-02 14:00", NULL,
		 "sign_half 03-02 11:45; yellow 03-02 13:00; sign_limit 03-02 13:30; red 03-02 14:00; "
		 "oversee 03-03 14:00; leaders 03-07 14:00"},
		{HL_NORMAL, "2026-03-02 10:00", NULL, NULL, NULL, ""},
	};
	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct hl_limit_query q = {.urgency = cases[i].urgency, .from_us = at(cases[i].from)};
		struct hl_limits limits = {.sign_us = cases[i].sign ? at(cases[i].sign) : 0,
					   .close_us = cases[i].close ? at(cases[i].close) : 0,
					   .progress_us = cases[i].progress ? at(cases[i].progress) : 0};
		char text[400];
		ladder_text(shipped, &q, &limits, text, sizeof text);
		assert_string_equal(text, cases[i].ladder);
	}
}

static void rungs_of_one_instant_keep_the_order_of_the_rules(void **state)
{
	struct hl_limit_query q = {.urgency = HL_URGENT, .from_us = at("2026-03-02 10:00")};
	struct hl_limits limits = {.sign_us = at("2026-03-02 14:00"), .close_us = at("2026-03-02 14:00")};
	char text[400];
	(void)state;
	ladder_text(shipped, &q, &limits, text, sizeof text);
	assert_string_equal(text, "sign_half 03-02 12:00; yellow 03-02 13:00; sign_limit 03-02 14:00; "
				  "red 03-02 14:00; oversee 03-03 14:00; leaders 03-07 14:00");
}

static void rungs_can_be_left_out_of_the_rules(void **state)
{
	struct hl_limit_rules *rules = rules_of("{" URGENCIES(WORKING) "," RED "}");
	struct hl_limit_query q = {.urgency = HL_NORMAL, .from_us = at("2026-03-02 10:00")};
	struct hl_limits limits = {.sign_us = at("2026-03-02 14:00"), .close_us = at("2026-03-03 14:00")};
	char text[400];
	(void)state;
	ladder_text(rules, &q, &limits, text, sizeof text);
	assert_string_equal(text, "red 03-03 14:00");
	hl_limit_rules_free(&rules);
}

static void a_warning_before_the_assignment_falls_back_to_its_share(void **state)
{
	/* Without "short" nothing else keeps the warning behind the assignment. */
	struct hl_limit_rules *rules = rules_of(
		"{" URGENCIES(WORKING) ",'ladder':[{'rung':'yellow','of':'close','before':'2 days','percent':75}]}");
	static const struct {
		enum hl_urgency urgency;
		const char *from, *close, *ladder;
	} cases[] = {
		{HL_URGENT, "2026-03-02 10:00", "2026-03-04 10:00", "yellow 03-03 22:00"},
		{HL_URGENT, "2026-03-02 10:00", "2026-03-04 10:01", "yellow 03-02 10:01"},
		{HL_NORMAL, "2026-03-06 17:30", "2026-03-10 17:30", "yellow 03-10 13:45"},
		{HL_NORMAL, "2026-03-06 17:29", "2026-03-10 17:30", "yellow 03-06 17:30"},
	};
	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct hl_limit_query q = {.urgency = cases[i].urgency, .from_us = at(cases[i].from)};
		struct hl_limits limits = {.close_us = at(cases[i].close)};
		char text[400];
		ladder_text(rules, &q, &limits, text, sizeof text);
		assert_string_equal(text, cases[i].ladder);
	}
	hl_limit_rules_free(&rules);
}

static void a_rung_behind_the_calendar_is_refused(void **state)
{
	struct hl_limit_query q = {.urgency = HL_NORMAL, .from_us = at("2029-12-20 10:00")};
	struct hl_limits limits = {.close_us = at("2029-12-27 17:30")};
	struct hl_rung rungs[HL_RUNGS_MAX];
	struct hl_error err;
	size_t n;
	(void)state;
	assert_int_equal(hl_ladder_compute(shipped, &county, &q, &limits, rungs, &n, &err), HL_CONFIG);
	assert_string_equal(err.text, "calendar \"county\" ends before rung leaders; import a longer one");
}

/* Whatever the start, the warnings lie between the assignment and the limit and nothing is lost. */
static void every_start_has_a_whole_ladder(void **state)
{
	static const char *const names[] = {HL_RUNG_SIGN_HALF, HL_RUNG_SIGN_LIMIT, HL_RUNG_PROGRESS, HL_RUNG_YELLOW,
					    HL_RUNG_RED,       HL_RUNG_OVERSEE,    HL_RUNG_LEADERS};
	(void)state;
	for (int64_t from_us = at("2024-09-20 00:00"); from_us < at("2024-10-20 00:00"); from_us += 37 * US_PER_MINUTE)
		for (int u = HL_NORMAL; u <= HL_EMERGENCY; u++) {
			struct hl_limit_query q = {.urgency = (enum hl_urgency)u, .from_us = from_us};
			struct hl_rung rungs[HL_RUNGS_MAX];
			struct hl_limits limits;
			struct hl_error err;
			size_t n;
			assert_int_equal(hl_limits_compute(shipped, &county, &q, &limits, &err), HL_OK);
			assert_int_equal(hl_ladder_compute(shipped, &county, &q, &limits, rungs, &n, &err), HL_OK);
			assert_int_equal(n, N(names));
			for (size_t i = 0; i < n; i++) {
				assert_string_equal(rungs[i].name, names[i]);
				assert_true(rungs[i].due_us > (i ? rungs[i - 1].due_us : from_us));
			}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urgencies_have_names),
		cmocka_unit_test(shipped_limits_fall_due_at_known_instants),
		cmocka_unit_test(shipped_desk_limits_fall_due_at_known_instants),
		cmocka_unit_test(a_limit_in_an_unknown_year_is_provisional),
		cmocka_unit_test(a_calendar_that_ends_is_the_operators_fault),
		cmocka_unit_test(the_most_specific_override_wins_field_by_field),
		cmocka_unit_test(an_override_runs_on_the_clock_of_its_urgency),
		cmocka_unit_test(days_of_the_wall_clock_have_24_hours),
		cmocka_unit_test(rules_with_a_fault_are_refused_by_field_and_rule),
		cmocka_unit_test(shipped_ladders_stand_at_known_instants),
		cmocka_unit_test(the_ladder_follows_the_limits_it_is_given),
		cmocka_unit_test(rungs_of_one_instant_keep_the_order_of_the_rules),
		cmocka_unit_test(rungs_can_be_left_out_of_the_rules),
		cmocka_unit_test(a_warning_before_the_assignment_falls_back_to_its_share),
		cmocka_unit_test(working_hours_are_not_compared_with_working_days),
		cmocka_unit_test(a_rung_behind_the_calendar_is_refused),
		cmocka_unit_test(every_start_has_a_whole_ladder),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
