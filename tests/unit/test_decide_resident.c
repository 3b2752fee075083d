/* test_decide_resident.c - a resident's text and cases -> act and reply */
#include "talk_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a)  (sizeof(a) / sizeof((a)[0]))
#define TUESDAY "2026-09-22 10:00"

/* One case of the context. compound: a quoted code or null. */
#define CASE(id, state, type, compound, urgency, is_sure)                                                              \
	"{'case_id': " #id ", 'code': '26-0000" #id "', 'state': '" state "', 'type': '" type                          \
	"', 'compound': " compound ", 'place': '', 'urgency': '" urgency "', 'is_sure': " is_sure                      \
	", 'chases': 2, 'unit': '综合行政执法局', 'close_by': 1790500000}"
#define WORKING(id)      CASE(id, "working", "URB-2", "'C001'", "normal", "true")
#define CLOSED(id)       CASE(id, "closed", "URB-2", "'C001'", "normal", "true")
#define UNPLACED(id)     CASE(id, "review", "URB-2", "null", "normal", "true")
#define CASES(list)      "'cases': [" list "]"
#define RATING(list)     CASES(list) ", 'survey': '26-000021', 'survey_case': 21"
#define BUILDING_ON_ROOF "锦绣花园3号楼有人私搭乱建，在楼顶盖了个阳光房"

static const char none[] = CASES("");
static const char one[] = CASES(WORKING(21));
static const char two[] = CASES(WORKING(22) "," WORKING(21));
static const char unplaced[] = CASES(UNPLACED(21));

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

static struct decided decide(const char *text, const char *ctx)
{
	return fixture_decide(ref, text, ctx, false, at(TUESDAY));
}

static void words_and_cases_give_act_and_reply(void **state)
{
	static const struct {
		const char *name, *text, *ctx, *verb;
		int id; /* of the case; 0: the act names none */
		const char *reply;
	} cases[] = {
		{"status", "查", one, "reply", 0, "status"},
		{"status of a named case", "查26-000021", two, "reply", 0, "status"},
		{"chase", "催", one, "chase", 21, "chased"},
		{"chase a named case", "催26-000021", two, "chase", 21, "chased"},
		{"supplement", "补充：物业电话一直打不通", one, "supplement", 21, "supplemented"},
		{"withdraw", "撤", one, "withdraw", 21, "withdrawn"},
		{"chase, an older case is closed", "催", CASES(WORKING(22) "," CLOSED(21)), "chase", 22, "chased"},
		{"status of a closed case by number", "查26-000021", CASES(WORKING(22) "," CLOSED(21)), "reply", 0,
		 "status"},
		{"chase, not clear which", "催", two, "reply", 0, "menu_case"},
		{"withdraw, not clear which", "撤", two, "reply", 0, "menu_case"},
		{"supplement, not clear which", "补充：是后门", two, "reply", 0, "menu_case"},
		{"somebody else's case", "查26-000099", one, "reply", 0, "not_your_case"},
		{"somebody else's case, none of one's own", "查26-000099", none, "reply", 0, "not_your_case"},
		{"no more notices", "退订", one, "stop", 0, "opted_out"},
		{"no more notices, in English", "STOP", none, "stop", 0, "opted_out"},
		{"notices again", "恢复订阅", one, "start", 0, "opted_in"},
		{"status without a case", "查", none, "reply", 0, "status_none"},
		{"chase without a case", "催", none, "reply", 0, "status_none"},
		{"withdraw without a case", "撤", none, "reply", 0, "status_none"},
		{"help", "帮助", one, "reply", 0, "help_resident"},
		{"thanks need no answer", "谢谢", one, "reply", 0, ""},
		{"the same matter joins", BUILDING_ON_ROOF, one, "join", 21, "supplemented"},
		{"the first report", BUILDING_ON_ROOF, none, "open", 0, ""},
		{"another compound opens", "盛世嘉园3号楼有人私搭乱建，在楼顶盖了个阳光房", one, "open", 0, ""},
		{"another matter opens", "锦绣花园3号楼停电了，全楼没电", one, "open", 0, ""},
		{"an emergency never joins what is none", "锦绣花园3号楼着火了，有人被困",
		 CASES(CASE(21, "working", "FIR-1", "'C001'", "normal", "true")), "open", 0, ""},
		{"an emergency stands before any command", "补充：锦绣花园3号楼电梯关人了，有人被困", one, "open", 0,
		 ""},
		{"an emergency said again is a command", "催",
		 CASES(CASE(21, "working", "UTI-4", "'C001'", "emergency", "true")), "chase", 21, "chased"},
		{"a closed case is joined by nobody", BUILDING_ON_ROOF, CASES(CLOSED(21)), "open", 0, ""},
		{"a place that was missing", "锦绣花园3号楼", unplaced, "assign", 21, "receipt_opened"},
		{"another matter with a place leaves the unplaced case alone", "锦绣花园3号楼停电了，全楼没电",
		 unplaced, "open", 0, ""},
		{"an emergency with a place leaves the unplaced case alone", "锦绣花园3号楼电梯关人了，有人被困",
		 unplaced, "open", 0, ""},
		{"the same words with the place", BUILDING_ON_ROOF, unplaced, "assign", 21, "receipt_opened"},
		{"a rating", "1", RATING(CLOSED(21)), "survey", 21, "thanks"},
		{"a rating with other cases", "1", RATING(WORKING(22) "," CLOSED(21)), "survey", 21, "thanks"},
		{"a rating with two others open", "1", RATING(WORKING(23) "," WORKING(22) "," CLOSED(21)), "survey", 21,
		 "thanks"},
		{"an emergency joins an emergency", "锦绣花园3号楼着火了，有人被困",
		 CASES(CASE(21, "working", "FIR-1", "'C001'", "emergency", "true")), "join", 21, "supplemented"},
		{"a rating in words", "不满意，修了又坏", RATING(WORKING(22) "," CLOSED(21)), "survey", 21,
		 "thanks_reopen"},
		{"a digit nobody asked for", "1", one, "reply", 0, "help_resident"},
		{"a command while a rating is due", "查26-000022", RATING(WORKING(22) "," CLOSED(21)), "reply", 0,
		 "status"},
		{"a new matter while a rating is due", "盛世嘉园3号楼停电了，全楼没电", RATING(CLOSED(21)), "open", 0,
		 ""},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct decided d = decide(cases[i].text, cases[i].ctx);
		int id = (int)json_integer_value(json_object_get(d.act, "case"));

		if (strcmp(d.verb, cases[i].verb) || strcmp(d.reply, cases[i].reply) || id != cases[i].id)
			fail_msg("%s: %s of case %d, answered %s", cases[i].name, d.verb, id, d.reply);
		assert_string_equal(d.actor, "reporter");
		json_decref(d.act);
	}
}

static void a_status_tells_state_unit_and_limit(void **state)
{
	struct decided d = decide("查26-000021", two);

	(void)state;
	assert_string_equal(fixture_word(d.act, "reply.params.case"), "26-000021");
	assert_string_equal(fixture_word(d.act, "reply.params.state"), "working");
	assert_string_equal(fixture_word(d.act, "reply.params.unit"), "综合行政执法局");
	assert_int_equal(json_integer_value(fixture_at_path(d.act, "reply.params.close_by")), 1790500000);
	json_decref(d.act);
}

static void a_chase_is_counted(void **state)
{
	struct decided d = decide("催", one);

	(void)state;
	assert_int_equal(json_integer_value(fixture_at_path(d.act, "reply.params.count")), 3);
	json_decref(d.act);
}

static void a_rating_leads_with_its_digit(void **state)
{
	struct decided d = decide("不满意，修了又坏", RATING(CLOSED(21)));

	(void)state;
	assert_string_equal(fixture_word(d.act, "rating"), "3 修了又坏");
	json_decref(d.act);
}

static void a_place_named_later_gives_the_case_its_units_and_limits(void **state)
{
	struct decided d = decide("锦绣花园3号楼", unplaced);
	const json_t *task = fixture_at_path(d.act, "tasks.0");
	json_int_t close_us = json_integer_value(json_object_get(task, "close_us"));

	(void)state;
	assert_string_equal(fixture_word(d.act, "expect"), "review");
	assert_string_equal(fixture_word(d.act, "compound"), "C001");
	assert_string_equal(fixture_word(d.act, "place"), "锦绣花园3号楼");
	assert_string_equal(fixture_word(task, "unit"), "URB");
	assert_string_equal(fixture_word(task, "role"), "lead");
	assert_true(close_us > at(TUESDAY));
	assert_string_equal(fixture_word(d.act, "reply.params.case"), "26-000021");
	assert_string_equal(fixture_word(d.act, "reply.params.unit"), hl_duties_unit(ref->duties, "URB")->name);
	assert_int_equal(json_integer_value(fixture_at_path(d.act, "reply.params.reply_by")), close_us / US_PER_S);
	json_decref(d.act);
}

static void a_place_does_not_help_a_case_an_operator_must_look_at(void **state)
{
	static const char *const ctx[] = {
		CASES(CASE(21, "review", "URB-2", "null", "normal", "false")), /* the type is a guess */
		CASES(CASE(21, "review", "HOT-1", "null", "normal", "true")),  /* the operator's own */
		CASES(CASE(21, "review", "nope", "null", "normal", "true")),
		CASES(CASE(21, "review", "URB-2", "null", "odd", "true")),
		CASES(CASE(21, "working", "URB-2", "null", "normal", "true")),
		CASES(CASE(21, "review", "URB-2", "'C001'", "normal", "true")),
	};

	(void)state;
	for (size_t i = 0; i < LEN(ctx); i++) {
		struct decided d = decide("盛世嘉园5号楼", ctx[i]);

		assert_string_not_equal(d.verb, "assign");
		/* Where a place was missing the case keeps it, and whoever looks at the case or was sent finds it
		 * there. */
		assert_string_equal(d.verb, i + 1 < LEN(ctx) ? "join" : "open");
		if (i + 1 < LEN(ctx))
			assert_string_equal(fixture_word(d.act, "compound"), "C003");
		json_decref(d.act);
	}
}

static void the_newest_case_that_fits_is_meant(void **state)
{
	struct decided d = decide(BUILDING_ON_ROOF, two);

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(d.act, "case")), 22);
	json_decref(d.act);
	d = decide("锦绣花园3号楼", CASES(WORKING(23) "," UNPLACED(22) "," UNPLACED(21)));
	assert_string_equal(d.verb, "assign");
	assert_int_equal(json_integer_value(json_object_get(d.act, "case")), 22);
	json_decref(d.act);
}

static void what_opens_carries_all_that_words_decide(void **state)
{
	struct decided d = decide(BUILDING_ON_ROOF, none);

	(void)state;
	assert_string_equal(fixture_word(d.act, "item.disposition"), "dispatch");
	assert_string_equal(fixture_word(d.act, "item.type"), "URB-2");
	assert_string_equal(fixture_word(d.act, "item.tasks.0.unit"), "URB");
	assert_int_equal(json_integer_value(fixture_at_path(d.act, "item.i")), 1);
	assert_null(json_object_get(d.act, "reply"));
	json_decref(d.act);
}

static void want_of_memory_gives_no_act_at_all(void **state)
{
	struct decided whole = decide("锦绣花园3号楼", unplaced);
	unsigned n_none = 0;

	(void)state;
	for (size_t bytes = 0; bytes < 32 << 10; bytes += 128) {
		json_t *act = fixture_decide_within(ref, "锦绣花园3号楼", unplaced, bytes);

		if (act)
			assert_true(json_equal(act, whole.act));
		n_none += act == NULL;
		json_decref(act);
	}
	assert_true(n_none > 0);
	json_decref(whole.act);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_cases_give_act_and_reply),
		cmocka_unit_test(a_status_tells_state_unit_and_limit),
		cmocka_unit_test(a_chase_is_counted),
		cmocka_unit_test(a_rating_leads_with_its_digit),
		cmocka_unit_test(a_place_named_later_gives_the_case_its_units_and_limits),
		cmocka_unit_test(a_place_does_not_help_a_case_an_operator_must_look_at),
		cmocka_unit_test(the_newest_case_that_fits_is_meant),
		cmocka_unit_test(what_opens_carries_all_that_words_decide),
		cmocka_unit_test(want_of_memory_gives_no_act_at_all),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
