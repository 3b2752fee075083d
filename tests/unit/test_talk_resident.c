/* test_talk_resident.c - phrasings of residents -> verb, code, arguments; one table per verb. Phrasings are our own. */
#include "phrase_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static void resident_asks_for_status(void **state)
{
	static const struct phrase phrases[] = {
		{"查", ONE, "status", "3F7K"},
		{"查3F7K", TWO, "status", "3F7K"},
		{"查 26-001234", "26001234 26000007", "status", "26001234"},
		{"查26001234", "26001234 26000007", "status", "26001234"},
		{"查询进度", ONE, "status", "3F7K"},
		{"查一下我的投诉", ONE, "status", "3F7K"},
		{"处理得怎么样了", ONE, "status", "3F7K"},
		{"3F7K到哪一步了", TWO, "status", "3F7K"},
		{"什么时候能修好", ONE, "status", "3F7K"},
		{"进度？", ONE, "status", "3F7K"},
		{"我反映的事有结果了吗", ONE, "status", "3F7K"},
		{"哪个单位负责", ONE, "status", "3F7K"},
		{"办结了吗", ONE, "status", "3F7K"},
		{"请问3F7K现在什么情况", TWO, "status", "3F7K"},
		{"STATUS", ONE, "status", "3F7K"},
		{"查", TWO, "ask", ""},
		{"查", NONE_OPEN, "ask", ""},
		{"查 26-009999", "26001234", "ask", ""},
	};
	struct hl_said said;

	(void)state;
	phrase_check(false, phrases, LEN(phrases));
	said = phrase_parse(false, "查全部", TWO);
	assert_int_equal(said.verb, HL_VERB_STATUS);
	assert_true(said.is_all);
	assert_int_equal(said.code.len, 0);
}

static void resident_chases(void **state)
{
	static const struct phrase phrases[] = {
		{"催", ONE, "chase", "3F7K"},
		{"催3F7K", TWO, "chase", "3F7K"},
		{"催办", ONE, "chase", "3F7K"},
		{"3F7K催一下", TWO, "chase", "3F7K"},
		{"怎么还没人来", ONE, "chase", "3F7K"},
		{"都五天了没动静", ONE, "chase", "3F7K"},
		{"3F7K还没修，快点", TWO, "chase", "3F7K"},
		{"到底管不管", ONE, "chase", "3F7K"},
		{"还要等多久", ONE, "chase", "3F7K"},
		{"能不能快点", ONE, "chase", "3F7K"},
		{"抓紧时间给处理", ONE, "chase", "3F7K"},
		{"CHASE 3F7K", TWO, "chase", "3F7K"},
		{"催", NONE_OPEN, "ask", ""},
	};

	(void)state;
	phrase_check(false, phrases, LEN(phrases));
}

static void resident_supplements(void **state)
{
	static const struct {
		struct phrase phrase;
		const char *reason;
	} cases[] = {
		{{"补充 是3单元", ONE, "supplement", "3F7K"}, "是3单元"},
		{{"补充：电话晚上能打通", ONE, "supplement", "3F7K"}, "电话晚上能打通"},
		{{"补充3F7K 昨晚又漏了", TWO, "supplement", "3F7K"}, "昨晚又漏了"},
		{{"3F7K补充，5楼也漏", TWO, "supplement", "3F7K"}, "5楼也漏"},
		{{"对了，是东门不是西门", ONE, "supplement", "3F7K"}, "是东门不是西门"},
		{{"刚才说错了，是6号楼", ONE, "supplement", "3F7K"}, NULL},
		{{"补充", ONE, "supplement", "3F7K"}, ""},
		{{"ADD second floor too", ONE, "supplement", "3F7K"}, "second floor too"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_said said = phrase_parse(false, cases[i].phrase.text, cases[i].phrase.open);

		phrase_check(false, &cases[i].phrase, 1);
		if (cases[i].reason && !hl_slice_eq_str(said.reason, cases[i].reason))
			fail_msg("%s: \"%.*s\"", cases[i].phrase.text, HL_SLICE_ARG(said.reason));
	}
}

static void resident_withdraws_only_in_plain_words(void **state)
{
	static const struct phrase phrases[] = {
		{"撤", ONE, "withdraw", "3F7K"},
		{"撤3F7K", TWO, "withdraw", "3F7K"},
		{"撤销3F7K，已和解", TWO, "withdraw", "3F7K"},
		{"3F7K撤诉", TWO, "withdraw", "3F7K"},
		{"取消投诉", ONE, "withdraw", "3F7K"},
		{"我要撤单", ONE, "withdraw", "3F7K"},
		{"WITHDRAW 3F7K", TWO, "withdraw", "3F7K"},
		{"撤", TWO, "ask", ""},
		{"全部撤了", ONE, "ask", ""},
		{"撤9B3N", ONE, "ask", ""},
		{"不撤", ONE, "ask", ""},
		{"别撤我的投诉", ONE, "ask", ""},
		{"能撤吗", ONE, "ask", ""},
		{"算了", ONE, "ask", ""},
		{"不用管了，自己修好了", ONE, "ask", ""},
		{"物业撤场了没人管小区", ONE, "report", ""},
		{"物业取消了小区的免费停车", ONE, "report", ""},
	};

	(void)state;
	phrase_check(false, phrases, LEN(phrases));
}

static void resident_rates(void **state)
{
	static const struct {
		struct phrase phrase;
		const char *reason;
	} cases[] = {
		{{"1", ONE, "survey", "3F7K"}, "1"},
		{{"３", ONE, "survey", "3F7K"}, "3"},
		{{"2。", ONE, "survey", "3F7K"}, "2"},
		{{"①", ONE, "survey", "3F7K"}, "1"},
		{{"满意", ONE, "survey", "3F7K"}, "1"},
		{{"非常满意", ONE, "survey", "3F7K"}, "1"},
		{{"基本满意", ONE, "survey", "3F7K"}, "2"},
		{{"不满意", ONE, "survey", "3F7K"}, "3"},
		{{"很不满意", ONE, "survey", "3F7K"}, "3"},
		{{"3 没修好", ONE, "survey", "3F7K"}, "3 没修好"},
		{{"3，没修好", ONE, "survey", "3F7K"}, "3 没修好"},
		{{"不满意，态度差", ONE, "survey", "3F7K"}, "3 态度差"},
		{{"3F7K 1", TWO, "survey", "3F7K"}, "1"},
		{{"我选2", ONE, "survey", "3F7K"}, "2"},
		{{"1满意", ONE, "survey", "3F7K"}, "1"},
		{{"1、满意", ONE, "survey", "3F7K"}, "1"},
		{{"1号楼停电了", ONE, "report", ""}, ""},
		{{"3单元没水", ONE, "report", ""}, ""},
		{{"1、没水 2、没电 3、电梯坏", ONE, "report", ""}, ""},
		{{"4", ONE, "ask", ""}, ""},
		{{"1或2", ONE, "ask", ""}, ""},
		{{"12", ONE, "ask", ""}, ""},
		{{"满意？", ONE, "ask", ""}, ""},
		{{"1", TWO, "ask", ""}, ""},
		{{"1", NONE_OPEN, "ask", ""}, ""},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_said said = phrase_parse(false, cases[i].phrase.text, cases[i].phrase.open);

		phrase_check(false, &cases[i].phrase, 1);
		if (!hl_slice_eq_str(said.reason, cases[i].reason))
			fail_msg("%s: \"%.*s\"", cases[i].phrase.text, HL_SLICE_ARG(said.reason));
	}
}

static void resident_reports_in_any_words(void **state)
{
	static const struct phrase phrases[] = {
		{"电梯坏了", NONE_OPEN, "report", ""},
		{"阳光花园3号楼电梯困人了快来", NONE_OPEN, "report", ""},
		{"快来人！煤气漏了", ONE, "report", ""},
		{"物业三天没人管垃圾", NONE_OPEN, "report", ""},
		{"小区垃圾没人清，物业不管", ONE, "report", ""},
		{"新问题：地下车库积水", ONE, "report", ""},
		{"我要投诉物业乱收费", ONE, "report", ""},
		{"楼上噪音太大，催了物业好几次都没用", NONE_OPEN, "report", ""},
		{"查查物业的账，乱收费", ONE, "report", ""},
		{"物业费到期了还要交吗", NONE_OPEN, "report", ""},
		{"楼道灯不亮 5号楼", ONE, "report", ""},
		{"水压太低，4楼上不去水", TWO, "report", ""},
		{"No water in building 3 since morning", NONE_OPEN, "report", ""},
	};

	(void)state;
	phrase_check(false, phrases, LEN(phrases));
}

static void resident_is_asked_back_or_helped(void **state)
{
	static const struct phrase phrases[] = {
		{"好的", ONE, "ask", ""},	{"你是谁", NONE_OPEN, "ask", ""},  {"在吗", NONE_OPEN, "ask", ""}, {"签3F7K", ONE, "ask", ""},
		{"结3F7K", ONE, "ask", ""},	{"延3F7K 3天", ONE, "ask", ""},	   {"3F7K", ONE, "ask", ""},	   {"妈，晚上回家吃饭", ONE, "ask", ""},
		{"帮助", NONE_OPEN, "help", ""}, {"怎么查", ONE, "help", ""},	   {"help", ONE, "help", ""},	   {"怎么撤销", ONE, "help", ""},
		{"如何投诉", NONE_OPEN, "help", ""},
	};

	(void)state;
	phrase_check(false, phrases, LEN(phrases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PHRASE_TEST(resident_asks_for_status),
		PHRASE_TEST(resident_chases),
		PHRASE_TEST(resident_supplements),
		PHRASE_TEST(resident_withdraws_only_in_plain_words),
		PHRASE_TEST(resident_rates),
		PHRASE_TEST(resident_reports_in_any_words),
		PHRASE_TEST(resident_is_asked_back_or_helped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
