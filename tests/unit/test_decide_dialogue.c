/* test_decide_dialogue.c - texts that answer what was asked before: menus, a close step by step */
#include "talk_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define TASK(id, code, state)                                                                                          \
	"{'task': " #id ", 'code': '" code "', 'state': '" state "', 'unit': 'FIR', 'case': '26-0000" #id              \
	"', 'case_id': 1" #id ", 'case_state': 'dispatched', 'urgency': 'urgent', 'close_by': 1790500000,"             \
	" 'sign_by': 1790400000, 'signed_at': 1790390000, 'holder': null, 'holder_name': '王队'"                     \
	", 'place': '锦绣花园3号楼', 'type': '消防', 'role': 'lead', 'demands': []}"
#define TASKS                                                                                                          \
	"'units': ['FIR'], 'tasks': [" TASK(11, "3F7KH", "dispatched") "," TASK(12, "8M2QY", "dispatched") "," TASK(   \
		13, "T5WX5", "signed") "]"
#define CASE(id)                                                                                                       \
	"{'case_id': " #id ", 'code': '26-0000" #id "', 'state': 'working', 'type': 'URB-2', 'compound': 'C001',"      \
	" 'place': '锦绣花园3号楼', 'urgency': 'normal', 'is_sure': true, 'chases': 0, 'unit': '', 'close_by': " \
	"1790500000}"
#define CASES "'cases': [" CASE(21) "," CASE(22) "]"

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

/* One phone's texts, one after the other; what an act leaves to be answered is there for the next one. */
struct phone {
	const char *members;
	json_t *dialogues;
	struct decided last;
};

static void keep(struct phone *p, const json_t *act)
{
	const char *kind;
	json_t *data;

	json_object_foreach (json_object_get(act, "dialogues"), kind, data) {
		if (json_is_null(data))
			json_object_del(p->dialogues, kind);
		else
			json_object_set(p->dialogues, kind, data);
	}
}

static void say(struct phone *p, const char *text, bool is_trusted)
{
	char *dialogues, *members;

	if (!p->dialogues)
		p->dialogues = json_object();
	dialogues = json_dumps(p->dialogues, 0);
	assert_true(asprintf(&members, "%s, 'dialogues': %s", p->members, dialogues) > 0);
	json_decref(p->last.act);
	p->last = fixture_decide(ref, text, members, is_trusted, at("2026-09-22 10:00"));
	keep(p, p->last.act);
	free(dialogues);
	free(members);
}

static void hang_up(struct phone *p)
{
	json_decref(p->last.act);
	json_decref(p->dialogues);
}

static void expect(const struct phone *p, const char *verb, int task, const char *reply)
{
	int id = (int)json_integer_value(json_object_get(p->last.act, "task"));

	if (strcmp(p->last.verb, verb) || id != task || strcmp(p->last.reply, reply))
		fail_msg("expected %s of %d, %s; got %s of %d, %s", verb, task, reply, p->last.verb, id, p->last.reply);
}

static void a_number_chooses_the_task(void **state)
{
	static const char *const answers[] = {"2", "２", "二", "第二个", "选2", " 2。"};

	(void)state;
	for (size_t i = 0; i < LEN(answers); i++) {
		struct phone p = {.members = TASKS};

		say(&p, "收到，马上去", false);
		expect(&p, "reply", 0, "menu_task");
		say(&p, answers[i], false);
		expect(&p, "sign", 12, "signed");
		assert_null(json_object_get(p.dialogues, "menu"));
		say(&p, "2", false);
		expect(&p, "reply", 0, "which_task");
		hang_up(&p);
	}
}

static void a_number_out_of_the_menu_chooses_nothing(void **state)
{
	static const char *const answers[] = {"3", "0", "22", "1个月", "好的"};

	(void)state;
	for (size_t i = 0; i < LEN(answers); i++) {
		struct phone p = {.members = TASKS};

		say(&p, "签收", false);
		say(&p, answers[i], false);
		expect(&p, "reply", 0, "which_task");
		hang_up(&p);
	}
}

static void a_command_with_a_code_does_not_answer_the_menu(void **state)
{
	struct phone p = {.members = TASKS};

	(void)state;
	say(&p, "签收", false);
	say(&p, "到T5WX5", false);
	expect(&p, "arrive", 13, "arrived");
	hang_up(&p);
}

/* Over a channel that does not vouch for numbers a digit is no code. */
static void a_close_is_never_chosen_by_number_without_trust(void **state)
{
	struct phone p = {.members = TASKS};

	(void)state;
	say(&p, "结 属实 已联系业主 已修好", false);
	expect(&p, "reply", 0, "which_task");
	say(&p, "1", false);
	expect(&p, "reply", 0, "which_task");
	say(&p, "结 属实 已联系业主 已修好", true);
	expect(&p, "reply", 0, "menu_task");
	say(&p, "1", true);
	expect(&p, "close", 11, "done_noted");
	assert_string_equal(fixture_word(p.last.act, "text"), "属实 已联系业主 已修好");
	hang_up(&p);
}

static void a_close_is_asked_for_step_by_step(void **state)
{
	struct phone p = {.members = TASKS};

	(void)state;
	say(&p, "结T5WX5", false);
	expect(&p, "reply", 0, "ask_close");
	say(&p, "1", false);
	expect(&p, "reply", 0, "ask_contacted");
	say(&p, "联系不上", false);
	expect(&p, "reply", 0, "ask_solved");
	say(&p, "2", false);
	expect(&p, "reply", 0, "ask_how");
	say(&p, "开发商已破产，引导业主起诉", false);
	expect(&p, "close", 13, "done_noted");
	assert_true(json_is_true(fixture_at_path(p.last.act, "facts.is_true")));
	assert_true(json_is_false(fixture_at_path(p.last.act, "facts.contacted")));
	assert_true(json_is_false(fixture_at_path(p.last.act, "facts.solved")));
	assert_string_equal(fixture_word(p.last.act, "text"), "开发商已破产，引导业主起诉");
	assert_null(json_object_get(p.dialogues, "close"));
	hang_up(&p);
}

static void what_a_close_says_is_not_asked_again(void **state)
{
	static const struct {
		const char *text, *reply;
	} cases[] = {
		{"结T5WX5 属实，已联系举报人，车辆已拖离", "done_noted"},
		{"结T5WX5 不属实，现场未发现违建，已告知反映人", "done_noted"},
		{"结T5WX5 电梯已修好", "ask_contacted"},
		{"结T5WX5 属实 已联系", "ask_solved"},
		{"结T5WX5 属实 已联系 已解决", "ask_how"},
		{"结T5WX5 属实 已联系 未解决", "ask_how"},
		{"结T5WX5 已告知业主", "ask_true"},
		{"结T5WX5 属实 已联系 未解决 开发商破产，已引导起诉", "done_noted"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct phone p = {.members = TASKS};

		say(&p, cases[i].text, false);
		expect(&p, strcmp(cases[i].reply, "done_noted") ? "reply" : "close",
		       strcmp(cases[i].reply, "done_noted") ? 0 : 13, cases[i].reply);
		hang_up(&p);
	}
}

/* A co unit, or a type that demands nothing: a result is enough. */
static void what_is_not_demanded_is_not_asked(void **state)
{
	struct phone p = {
		.members = "'units': ['FIR'], 'tasks': [{'task': 11, 'code': '3F7KH', 'state': 'signed', 'unit': 'FIR',"
			   " 'case': '26-000011', 'case_id': 1, 'case_state': 'working', 'urgency': 'urgent', "
			   "'close_by': 1,"
			   " 'place': '', 'type': '消防', 'role': 'co', 'demands': []}]"};

	(void)state;
	say(&p, "结3F7KH 已到场配合", false);
	expect(&p, "close", 11, "done_noted");
	hang_up(&p);
}

#define BUILT(role, more)                                                                                              \
	"'units': ['URB'], 'tasks': [{'task': 11, 'code': '3F7KH', 'state': 'signed', 'unit': 'URB', 'case': "         \
	"'26-000011', 'case_id': 1, 'case_state': 'working', 'urgency': 'normal', 'close_by': 1, 'place': '', "        \
	"'type': "                                                                                                     \
	"'私搭乱建', 'role': '" role "', 'demands': ['evidence']" more "}]"

static void what_proves_a_result_is_asked_for_where_the_type_demands_it(void **state)
{
	static const struct {
		const char *members, *text, *reply;
	} cases[] = {
		{BUILT("lead", ""), "结3F7KH 属实，已联系举报人，违建已拆除", "ask_evidence"},
		{BUILT("lead", ""), "结3F7KH 属实，已联系举报人，违建已拆除，没有照片", "ask_evidence"},
		{BUILT("lead", ""), "结3F7KH 属实，已联系举报人，违建已拆除，照片已存执法系统", "done_noted"},
		{BUILT("lead", ""), "结3F7KH 属实，已联系举报人，违建已拆除，检测报告编号JC-12", "done_noted"},
		{BUILT("lead", ", 'has_photo': true"), "结3F7KH 属实，已联系举报人，违建已拆除", "done_noted"},
		{BUILT("lead", ""), "结3F7KH 不属实，现场未发现违建，已告知反映人", "done_noted"},
		{BUILT("co", ""), "结3F7KH 已到场配合", "done_noted"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct phone p = {.members = cases[i].members};
		bool is_done = strcmp(cases[i].reply, "done_noted") == 0;

		say(&p, cases[i].text, false);
		expect(&p, is_done ? "close" : "reply", is_done ? 11 : 0, cases[i].reply);
		if (!is_done) {
			say(&p, "拆除后照片3张，编号20261125", false);
			expect(&p, "close", 11, "done_noted");
			assert_string_equal(fixture_word(p.last.act, "facts.evidence"), "拆除后照片3张，编号20261125");
		}
		hang_up(&p);
	}
}

static void other_work_leaves_a_half_finished_close_alone(void **state)
{
	struct phone p = {.members = TASKS};

	(void)state;
	say(&p, "结T5WX5 属实", false);
	say(&p, "签3F7KH", false);
	expect(&p, "sign", 11, "signed");
	say(&p, "已联系", false);
	expect(&p, "reply", 0, "ask_solved");
	say(&p, "取消", false);
	expect(&p, "reply", 0, "cancelled");
	say(&p, "1", false);
	expect(&p, "reply", 0, "which_task");
	hang_up(&p);
}

static void a_residents_number_chooses_the_case(void **state)
{
	struct phone p = {.members = CASES};

	(void)state;
	say(&p, "催", false);
	expect(&p, "reply", 0, "menu_case");
	assert_string_equal(fixture_word(p.last.act, "reply.params.list"),
			    "1 26-000021 锦绣花园3号楼; 2 26-000022 锦绣花园3号楼");
	say(&p, "2", false);
	expect(&p, "chase", 0, "chased");
	assert_int_equal(json_integer_value(json_object_get(p.last.act, "case")), 22);
	say(&p, "1", false);
	expect(&p, "reply", 0, "help_resident");
	hang_up(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_chooses_the_task),
		cmocka_unit_test(a_number_out_of_the_menu_chooses_nothing),
		cmocka_unit_test(a_command_with_a_code_does_not_answer_the_menu),
		cmocka_unit_test(a_close_is_never_chosen_by_number_without_trust),
		cmocka_unit_test(a_close_is_asked_for_step_by_step),
		cmocka_unit_test(what_a_close_says_is_not_asked_again),
		cmocka_unit_test(what_is_not_demanded_is_not_asked),
		cmocka_unit_test(what_proves_a_result_is_asked_for_where_the_type_demands_it),
		cmocka_unit_test(other_work_leaves_a_half_finished_close_alone),
		cmocka_unit_test(a_residents_number_chooses_the_case),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
