/* test_ladder_repeat.c - a rung that comes again: its instants, and rules for it that are refused */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "calendar_fixture.h"
#include "hotline/limits.h"

#define WALL      "{'clock':'wall','sign':'1 h','close':'72 h','review':'5 min','handback':'4 h','operator':'30 min'}"
#define WORKING   "{'clock':'working','sign':'4 h','close':'5 days','review':'2 h','handback':'2 days','operator':'4 h'}"
#define LADDER(r) "{'urgencies':{'normal':" WORKING ",'urgent':" WALL ",'emergency':" WALL "},'ladder':[" r "]}"
#define RED       "{'rung':'red','of':'close'}"

static void a_repeat_is_a_rung_of_its_own(void **state)
{
	static const char doc[] =
		LADDER("{'rung':'progress','of':'progress','repeat':{'every':'1 day','times':3}}," RED ","
		       "{'rung':'leaders','of':'close','after':'5 days','repeat':{'every':'5 days','times':2}}");
	struct hl_limit_query q = {.urgency = HL_NORMAL};
	struct hl_limits limits = {0};
	struct hl_rung rungs[HL_RUNGS_MAX];
	struct hl_limit_rules *rules;
	struct hl_calendar county;
	json_t *json = fixture_json(doc);
	char text[600] = "";
	size_t n, len = 0;

	(void)state;
	fixture_shipped(&county);
	q.from_us = at("2026-03-02 10:00");
	limits.progress_us = at("2026-03-05 17:30");
	limits.close_us = at("2026-03-09 17:30");
	assert_int_equal(hl_limit_rules_new(json, &rules, NULL), HL_OK);
	assert_int_equal(hl_ladder_compute(rules, &county, &q, &limits, rungs, &n, NULL), HL_OK);
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s %s; ", rungs[i].name,
					fixture_text(&county, rungs[i].due_us) + 5);
	/* The question for progress ends where the red card speaks. */
	assert_string_equal(text, "progress 03-05 17:30; progress.2 03-06 17:30; red 03-09 17:30; "
				  "leaders 03-16 17:30; leaders.2 03-23 17:30; leaders.3 03-30 17:30; ");
	json_decref(json);
	hl_limit_rules_free(&rules);
	hl_calendar_fini(&county);
}

static void bad_repeats_are_refused(void **state)
{
	static const struct {
		const char *doc, *text;
	} cases[] = {
		{LADDER("{'rung':'red','of':'close','repeat':3}"), "ladder[0]: repeat: must be an object"},
		{LADDER("{'rung':'red','of':'close','repeat':{'every':'1 day'}}"), "ladder[0]: repeat: must say every"},
		{LADDER("{'rung':'red','of':'close','repeat':{'every':'1 day','times':0}}"),
		 "ladder[0]: repeat: must say every"},
		{LADDER("{'rung':'red','of':'close','repeat':{'every':'now','times':2}}"),
		 "ladder[0]: repeat: every: must be a span"},
		{LADDER("{'rung':'red','of':'close','after':'1 day','repeat':{'every':'1 h','times':2}}"),
		 "ladder[0]: repeat: every must be of the same kind as after"},
		{LADDER("{'rung':'sign_half','of':'sign','percent':50,'repeat':{'every':'1 h','times':2}}"),
		 "ladder[0]: repeat: must not be set beside"},
		{LADDER(RED ",{'rung':'leaders','of':'close','repeat':{'every':'1 day','times':15}}"),
		 "ladder[1]: must leave at most 16 rungs"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		json_t *doc = fixture_json(cases[i].doc);
		struct hl_limit_rules *rules;
		struct hl_error err = {.text = ""};

		if (hl_limit_rules_new(doc, &rules, &err) != HL_INPUT)
			fail_msg("accepted: %s", cases[i].doc);
		if (strncmp(err.text, cases[i].text, strlen(cases[i].text)))
			fail_msg("%s: \"%s\", not \"%s\"", cases[i].doc, err.text, cases[i].text);
		json_decref(doc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_repeat_is_a_rung_of_its_own),
		cmocka_unit_test(bad_repeats_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
