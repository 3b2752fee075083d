/* test_decide_officer.c - an officer's text and open tasks -> act and reply */
#include "talk_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a)  (sizeof(a) / sizeof((a)[0]))
#define TUESDAY "2026-09-22 10:00"
#define CLOSE_S 1790500000
#define TRUSTED true
#define LOW     false

/* One task of the context: id, code, state, who signed and when. */
#define TASK(id, code, state, holder, signed_at)                                                                       \
	"{'task': " #id ", 'code': '" code "', 'state': '" state "', 'unit': 'FIR', 'case': '26-0000" #id              \
	"', 'case_id': 1" #id ", 'case_state': 'dispatched', 'urgency': 'urgent', 'close_by': 1790500000,"             \
	" 'sign_by': 1790400000, 'signed_at': " signed_at ", 'holder': null, 'holder_name': '" holder                  \
	"', 'place': '锦绣花园3号楼', 'type': '消防', 'assigned_us': 1790040000000000, 'close_us': 1790500000000000}"
#define NEW(id, code)     TASK(id, code, "dispatched", "", "null")
#define SIGNED(id, code)  TASK(id, code, "signed", "王队", "1790390000")
#define ARRIVED(id, code) TASK(id, code, "arrived", "王队", "1790390000")
#define DONE(id, code)    TASK(id, code, "done", "王队", "1790390000")
#define OFFICER(tasks)    "'units': ['FIR'], 'tasks': [" tasks "]"

static const char one_new[] = OFFICER(NEW(11, "3F7KH"));
static const char one_signed[] = OFFICER(SIGNED(11, "3F7KH"));
static const char one_arrived[] = OFFICER(ARRIVED(11, "3F7KH"));
static const char one_done[] = OFFICER(DONE(11, "3F7KH"));
static const char two_new[] = OFFICER(NEW(11, "3F7KH") "," NEW(12, "8M2QY"));
static const char mixed[] =
	OFFICER(NEW(11, "3F7KH") "," SIGNED(12, "8M2QY") "," NEW(13, "T5WX5") "," DONE(14, "9HJ4T"));
static const char new_and_done[] = OFFICER(NEW(11, "3F7KH") "," DONE(14, "9HJ4T"));
static const char nothing[] = OFFICER("");

/* One task of which something was asked before: an urgent one is handed back within four hours of 1790040000. */
#define ASKED(state, assigned, close, more)                                                                            \
	OFFICER("{'task': 11, 'code': '3F7KH', 'state': '" state "', 'unit': 'FIR', 'case': '26-000011', 'urgency': "  \
		"'urgent', 'close_by': 1790500000, 'holder_name': '', 'signed_at': null, 'place': '', "                \
		"'assigned_us': " assigned ", 'close_us': " close ", " more "}")
static const char long_open[] = ASKED("signed", "1790020000000000", "1790500000000000", "'asked': []");
static const char overdue[] = ASKED("signed", "1790020000000000", "1790040000000000", "'asked': []");
static const char frozen[] = ASKED("signed", "1790040000000000", "1790500000000000", "'frozen': true");
static const char extended[] = ASKED("signed", "1790040000000000", "1790500000000000", "'extended': true");
static const char asked_time[] = ASKED("signed", "1790040000000000", "1790500000000000", "'asked': ['extend']");
static const char in_handback[] = ASKED("handback", "1790040000000000", "1790500000000000", "'asked': ['handback']");
static const char on_roll[] = ASKED("arrived", "1790040000000000", "1790500000000000", "'rollcall': true");

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

static struct decided decide(const char *text, const char *ctx, bool is_trusted)
{
	return fixture_decide(ref, text, ctx, is_trusted, at(TUESDAY));
}

static const struct {
	const char *name, *text, *ctx;
	bool is_trusted;
	const char *verb;
	int task; /* 0: the act names none */
	const char *expect, *reply;
} words[] = {
	{"sign, no code, one task", "签", one_new, LOW, "sign", 11, "dispatched", "signed"},
	{"sign with code", "签8M2QY", two_new, LOW, "sign", 12, "dispatched", "signed"},
	{"sign, several tasks", "签", two_new, LOW, "reply", 0, "", "menu_task"},
	{"sign by a second officer", "签3F7KH", one_signed, LOW, "reply", 0, "", "already_signed"},
	{"sign after arrival", "签3F7KH", one_arrived, LOW, "reply", 0, "", "already_signed"},
	{"sign what is done", "签9HJ4T", new_and_done, LOW, "reply", 0, "", "already_done"},
	{"sign, nothing open", "签", nothing, LOW, "reply", 0, "", "no_task"},
	{"sign, only a done task", "签", one_done, LOW, "reply", 0, "", "no_task"},
	{"arrive", "到3F7KH", one_signed, LOW, "arrive", 11, "signed", "arrived"},
	{"arrive unsigned", "已到现场", one_new, LOW, "arrive", 11, "dispatched", "arrived"},
	{"arrive twice", "到3F7KH", one_arrived, LOW, "reply", 0, "", "arrived"},
	{"arrive when done", "到9HJ4T", new_and_done, LOW, "reply", 0, "", "already_done"},
	{"progress", "进展3F7KH 配件已下单", one_signed, LOW, "progress", 11, "signed", "progress_noted"},
	{"progress when done", "进展9HJ4T 配件已下单", new_and_done, LOW, "reply", 0, "", "already_done"},
	{"close", "结3F7KH 已修好，已联系业主", one_arrived, TRUSTED, "close", 11, "arrived", "done_noted"},
	{"close, bound by the only task", "结 已修好，已联系业主", one_arrived, TRUSTED, "close", 11, "arrived",
	 "done_noted"},
	{"close, low trust, code typed", "结3F7KH 已修好，已联系业主", one_arrived, LOW, "close", 11, "arrived",
	 "done_noted"},
	{"close, low trust, no code", "结 已修好，已联系业主", one_arrived, LOW, "reply", 0, "", "need_code"},
	{"close without a result", "结3F7KH", one_arrived, TRUSTED, "reply", 0, "", "ask_close"},
	{"close, low trust, no result", "结3F7KH", one_arrived, LOW, "reply", 0, "", "ask_close"},
	{"close twice", "结9HJ4T 已修好，已联系业主", new_and_done, TRUSTED, "reply", 0, "", "already_done"},
	{"close, several tasks", "结 已修好，已联系业主", two_new, TRUSTED, "reply", 0, "", "menu_task"},
	{"close, several tasks, low trust", "结 已修好，已联系业主", two_new, LOW, "reply", 0, "", "which_task"},
	{"sign, several tasks, one not signed yet", "签", OFFICER(SIGNED(11, "3F7KH") "," NEW(12, "8M2QY")), LOW,
	 "sign", 12, "dispatched", "signed"},
	{"words, several tasks", "好的", two_new, LOW, "reply", 0, "", "which_task"},
	{"an emergency that is no task", "幸福小区2号楼着火了，快来人", one_new, LOW, "open", 0, "", ""},
	{"an emergency that is over", "幸福小区2号楼着火了，已处理完", one_new, LOW, "reply", 0, "", "ask_verb"},
	{"an officer cannot leave", "退订", one_new, LOW, "stop", 0, "", "officer_stop"},
	{"a close is never guessed", "修好了", one_arrived, TRUSTED, "reply", 0, "", "ask_verb"},
	{"hand back", "退3F7KH 应由住建局负责", one_new, TRUSTED, "handback", 11, "dispatched", "operator_will_act"},
	{"hand back, low trust, no code", "退 应由住建局负责", one_new, LOW, "reply", 0, "", "need_code"},
	{"extend", "延3F7KH3天等配件", one_signed, LOW, "extend", 11, "signed", "operator_will_act"},
	{"extend, low trust, no code", "延3天等配件", one_signed, LOW, "reply", 0, "", "need_code"},
	{"assist", "协3F7KH 派出所 对方不让进门", one_signed, LOW, "assist", 11, "signed", "operator_will_act"},
	{"hand back without a reason", "退3F7KH", one_signed, LOW, "reply", 0, "", "ask_handback"},
	{"hand back too late", "退3F7KH 应由住建局负责", long_open, LOW, "reply", 0, "", "move_refused"},
	{"hand back what is settled", "退3F7KH 应由住建局负责", frozen, LOW, "reply", 0, "", "move_refused"},
	{"hand back twice", "退3F7KH 应由住建局负责", in_handback, LOW, "reply", 0, "", "move_refused"},
	{"sign while a hand-back waits", "签3F7KH", in_handback, LOW, "reply", 0, "", "operator_will_act"},
	{"extend without days", "延3F7KH 等配件", one_signed, LOW, "reply", 0, "", "ask_extend"},
	{"extend without a reason", "延3F7KH 3天", one_signed, LOW, "reply", 0, "", "ask_extend"},
	{"extend beyond ten working days", "延3F7KH 30天 等配件", one_signed, LOW, "reply", 0, "", "move_refused"},
	{"extend after the limit", "延3F7KH3天等配件", overdue, LOW, "reply", 0, "", "move_refused"},
	{"extend again", "延3F7KH3天等配件", extended, LOW, "reply", 0, "", "move_refused"},
	{"extend while one waits", "延3F7KH3天等配件", asked_time, LOW, "reply", 0, "", "move_refused"},
	{"arrive where a roll is called", "到3F7KH", on_roll, LOW, "arrive", 11, "arrived", "arrived"},
	{"wrong code", "签8M2QY", one_new, TRUSTED, "wrong_code", 0, "", "wrong_code"},
	{"wrong code with nothing open", "签8M2QY", nothing, TRUSTED, "wrong_code", 0, "", "wrong_code"},
	{"help", "帮助", one_new, LOW, "reply", 0, "", "help_officer"},
	{"words that commit to nothing", "好的", one_new, LOW, "reply", 0, "", "ask_verb"},
	{"words, nothing open", "好的", nothing, LOW, "reply", 0, "", "no_task"},
	{"what an authority finds is progress", "发现是业主私搭乱建，正在约谈", one_new, LOW, "progress", 11, "dispatched", "progress_noted"},
	{"thanks need no answer", "谢谢", one_new, LOW, "reply", 0, "", ""},
};

static void words_and_tasks_give_act_and_reply(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(words); i++) {
		struct decided d = decide(words[i].text, words[i].ctx, words[i].is_trusted);
		int task = (int)json_integer_value(json_object_get(d.act, "task"));
		const char *expect = json_string_value(json_object_get(d.act, "expect"));

		if (strcmp(d.verb, words[i].verb) || strcmp(d.reply, words[i].reply) || task != words[i].task ||
		    strcmp(expect ? expect : "", words[i].expect))
			fail_msg("%s: %s of task %d, expecting %s, answered %s", words[i].name, d.verb, task,
				 expect ? expect : "-", d.reply);
		assert_string_equal(d.actor, strcmp(d.verb, "open") ? "officer" : "reporter");
		json_decref(d.act);
	}
}

static void the_second_to_sign_hears_who_was_first_and_when(void **state)
{
	struct decided d = decide("签3F7KH", one_signed, LOW);

	(void)state;
	assert_string_equal(fixture_word(d.act, "reply.params.by"), "王队");
	assert_int_equal(json_integer_value(fixture_at_path(d.act, "reply.params.at")), 1790390000);
	assert_string_equal(fixture_word(d.act, "reply.params.code"), "3F7KH");
	assert_int_equal(json_integer_value(fixture_at_path(d.act, "reply.params.close_by")), CLOSE_S);
	json_decref(d.act);
}

static void an_answer_states_code_case_and_limit(void **state)
{
	struct decided d = decide("签", one_new, LOW);

	(void)state;
	assert_string_equal(fixture_word(d.act, "reply.params.code"), "3F7KH");
	assert_string_equal(fixture_word(d.act, "reply.params.case"), "26-000011");
	assert_int_equal(json_integer_value(fixture_at_path(d.act, "reply.params.close_by")), CLOSE_S);
	json_decref(d.act);
}

static void a_close_carries_the_result(void **state)
{
	struct decided d = decide("结3F7KH 电梯已修好，14:20恢复运行，已告知业主", one_arrived, LOW);

	(void)state;
	assert_string_equal(fixture_word(d.act, "text"), "电梯已修好，14:20恢复运行，已告知业主");
	json_decref(d.act);
}

static void what_the_operator_is_asked_for_is_told_whole(void **state)
{
	static const struct {
		const char *text, *reason, *unit;
		int days;
	} cases[] = {
		{"延3F7KH3天等配件", "等配件", "", 3},
		{"退3F7KH，应由住建局负责", "应由住建局负责", "住建局", 0},
		{"协3F7KH 供电公司", "", "供电公司", 0},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct decided d = decide(cases[i].text, one_signed, LOW);

		assert_string_equal(fixture_word(d.act, "args.reason"), cases[i].reason);
		assert_string_equal(fixture_word(d.act, "args.unit"), cases[i].unit);
		assert_int_equal(json_integer_value(fixture_at_path(d.act, "args.days")), cases[i].days);
		json_decref(d.act);
	}
}

static void a_request_carries_its_limits_and_a_refusal_its_rule(void **state)
{
	struct decided d = decide("退3F7KH，应由住建局负责", one_signed, LOW);

	(void)state;
	assert_string_equal(fixture_word(d.act, "ask.unit"), "HOU");
	assert_int_equal(json_integer_value(fixture_at_path(d.act, "ask.until_us")),
			 1790040000000000 + 4 * US_PER_HOUR);
	assert_int_equal(json_integer_value(fixture_at_path(d.act, "ask.answer_us")), at(TUESDAY) + 30 * US_PER_MINUTE);
	json_decref(d.act);
	d = decide("退3F7KH 应由住建局负责", long_open, LOW);
	assert_string_equal(fixture_word(d.act, "reply.params.rule"), "handback_window");
	json_decref(d.act);
	d = decide("延3F7KH3天等配件", one_signed, LOW);
	/* 1790500000 is a Sunday evening: the third day behind it is a Wednesday, 18:00 in summer. */
	assert_int_equal(json_integer_value(fixture_at_path(d.act, "ask.close_us")), at("2026-09-30 18:00"));
	json_decref(d.act);
}

static void a_company_that_reported_notes_photo_and_stop_by_its_words(void **state)
{
	static const char one_duty[] = "'units': ['PMC-01'], 'duties': [{'case_id': 21, 'case': '26-000021'}]";
	static const char with_photo[] = "'units': ['PMC-01'], 'photos': 1, 'duties': [{'case_id': 21, 'case': '26-000021'}]";
	static const char two[] = "'units': ['PMC-01'], 'duties': [{'case_id': 22, 'case': '26-000022'}, "
				  "{'case_id': 21, 'case': '26-000021'}]";
	static const struct {
		const char *text, *ctx, *verb;
		int of_case;
		const char *stage, *reply;
	} cases[] = {
		{"拍照", one_duty, "reply", 21, "(none)", "ask_stage_photo"},
		{"已拍照，见附图", with_photo, "supplement", 21, "(none)", "supplemented"},
		{"", with_photo, "supplement", 21, "(none)", "supplemented"},
		{"已制止，业主已停工", one_duty, "stage", 21, "stopped", "supplemented"},
		{"拍照 26-000021", two, "reply", 21, "(none)", "ask_stage_photo"},
		{"制止", two, "reply", 0, "(none)", "which_duty"},
		{"拍照", one_new, "reply", 0, "(none)", "ask_verb"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct decided d = decide(cases[i].text, cases[i].ctx, LOW);

		if (strcmp(d.verb, cases[i].verb) || strcmp(d.reply, cases[i].reply) ||
		    json_integer_value(json_object_get(d.act, "case")) != cases[i].of_case ||
		    strcmp(fixture_word(d.act, "stage"), cases[i].stage))
			fail_msg("%s: %s %s", cases[i].text, d.verb, d.reply);
		json_decref(d.act);
	}
}

static void a_wrong_code_is_quoted(void **state)
{
	struct decided d = decide("签8M2QY", one_new, TRUSTED);

	(void)state;
	assert_string_equal(fixture_word(d.act, "reply.params.given"), "8M2QY");
	json_decref(d.act);
}

static void the_menu_names_tasks_that_fit_and_at_most_five(void **state)
{
	static const char seven[] = OFFICER(NEW(11, "3F7KH") "," NEW(12, "8M2QY") "," NEW(13, "T5WX5") "," NEW(
		14, "9HJ4T") "," NEW(15, "B6RN6") "," NEW(16, "B6RN7") "," NEW(17, "B6RN8"));
	struct decided d = decide("签", mixed, LOW);
	const char *list = fixture_word(d.act, "reply.params.list");

	(void)state;
	assert_string_equal(list, "1 3F7KH 锦绣花园3号楼; 2 T5WX5 锦绣花园3号楼");
	json_decref(d.act);
	d = decide("签", seven, LOW);
	list = fixture_word(d.act, "reply.params.list");
	assert_non_null(strstr(list, "B6RN6"));
	assert_null(strstr(list, "B6RN7"));
	json_decref(d.act);
}

static void sign_all_signs_what_is_not_signed_and_answers_with_all_of_it(void **state)
{
	struct decided d = decide("签全部", mixed, LOW);
	const json_t *all = json_object_get(d.act, "all");

	(void)state;
	assert_string_equal(d.verb, "sign");
	assert_string_equal(d.reply, "signed_all");
	assert_string_equal(fixture_word(d.act, "reply.params.list"), "3F7KH T5WX5");
	assert_int_equal(json_integer_value(fixture_at_path(d.act, "reply.params.count")), 2);
	assert_int_equal(json_integer_value(fixture_at_path(d.act, "reply.params.close_by")), CLOSE_S);
	assert_int_equal(json_array_size(all), 2);
	assert_int_equal(json_integer_value(json_array_get(all, 0)), 11);
	assert_int_equal(json_integer_value(json_array_get(all, 1)), 13);
	assert_null(json_object_get(d.act, "task"));
	json_decref(d.act);
	d = decide("签全部", one_signed, LOW);
	assert_string_equal(d.verb, "reply");
	assert_string_equal(d.reply, "no_task");
	json_decref(d.act);
}

static void an_officer_reports_with_a_word_in_front(void **state)
{
	static const struct {
		const char *text, *verb, *compound;
	} cases[] = {
		{"报 锦绣花园3号楼有人私搭乱建，盖了个阳光房", "open", "C001"},
		{"报：锦绣花园3号楼有人私搭乱建，盖了个阳光房", "open", "C001"},
		{"报，锦绣花园3号楼有人私搭乱建，盖了个阳光房", "open", "C001"},
		{" 反映锦绣花园3号楼有人私搭乱建，盖了个阳光房", "open", "C001"},
		{"反映：锦绣花园3号楼有人私搭乱建，盖了个阳光房", "open", "C001"},
		{"签", "sign", "(none)"},
		{"反映", "reply", "(none)"},
		{"报 ", "reply", "(none)"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct decided d = decide(cases[i].text, one_new, LOW);

		assert_string_equal(d.verb, cases[i].verb);
		assert_string_equal(fixture_word(d.act, "item.compound"), cases[i].compound);
		if (strcmp(d.verb, "open") == 0) {
			assert_string_equal(d.actor, "reporter");
			assert_string_equal(fixture_word(d.act, "item.disposition"), "dispatch");
			assert_int_equal(json_integer_value(fixture_at_path(d.act, "item.i")), 1);
			assert_true(json_array_size(fixture_at_path(d.act, "item.tasks")) > 0);
		}
		json_decref(d.act);
	}
}

/* Whatever the cap: a whole act or none, never "nothing to do". */
static void a_property_company_reports_what_it_found_and_tried_to_stop(void **state)
{
	static const char with_case[] =
		"'units': ['PMC-01'], 'cases': [{'case_id': 21, 'code': '26-000021', 'state': 'working', 'type': 'URB-2',"
		" 'compound': 'C001', 'place': '', 'urgency': 'normal', 'is_sure': true, 'chases': 0, 'unit': ''}]";
	static const struct {
		const char *text, *ctx, *verb, *reply, *stage;
	} cases[] = {
		{"发现锦绣花园3号楼私搭乱建，在楼顶盖了个阳光房", "'units': ['PMC-01']", "open", "", "(none)"},
		{"发现锦绣花园3号楼私搭乱建，劝阻无效", "'units': ['PMC-01']", "open", "", "stopped"},
		{"制止无效", with_case, "stage", "supplemented", "stopped"},
		{"签", with_case, "reply", "no_task", "(none)"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct decided d = decide(cases[i].text, cases[i].ctx, LOW);
		const char *stage = fixture_word(d.act, strcmp(d.verb, "stage") ? "stages.0" : "stage");

		assert_string_equal(d.verb, cases[i].verb);
		assert_string_equal(d.reply, cases[i].reply);
		assert_string_equal(stage, cases[i].stage);
		json_decref(d.act);
	}
}

static void want_of_memory_gives_no_act_at_all(void **state)
{
	static const char *const texts[] = {"签3F7KH", "反映锦绣花园3号楼有人私搭乱建，盖了个阳光房"};
	unsigned n_none = 0;

	(void)state;
	for (size_t i = 0; i < LEN(texts); i++) {
		struct decided whole = decide(texts[i], one_new, TRUSTED);

		for (size_t bytes = 0; bytes < 32 << 10; bytes += 128) {
			json_t *act = fixture_decide_within(ref, texts[i], one_new, bytes);

			if (act)
				assert_true(json_equal(act, whole.act));
			n_none += act == NULL;
			json_decref(act);
		}
		json_decref(whole.act);
	}
	assert_true(n_none > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_tasks_give_act_and_reply),
		cmocka_unit_test(the_second_to_sign_hears_who_was_first_and_when),
		cmocka_unit_test(an_answer_states_code_case_and_limit),
		cmocka_unit_test(a_close_carries_the_result),
		cmocka_unit_test(what_the_operator_is_asked_for_is_told_whole),
		cmocka_unit_test(a_request_carries_its_limits_and_a_refusal_its_rule),
		cmocka_unit_test(a_company_that_reported_notes_photo_and_stop_by_its_words),
		cmocka_unit_test(a_wrong_code_is_quoted),
		cmocka_unit_test(the_menu_names_tasks_that_fit_and_at_most_five),
		cmocka_unit_test(sign_all_signs_what_is_not_signed_and_answers_with_all_of_it),
		cmocka_unit_test(an_officer_reports_with_a_word_in_front),
		cmocka_unit_test(a_property_company_reports_what_it_found_and_tried_to_stop),
		cmocka_unit_test(want_of_memory_gives_no_act_at_all),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
