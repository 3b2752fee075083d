/* test_talk.c - codes, quotes, machines, odd bytes; the labelled examples when HOTLINE_DATA has them */
#include "phrase_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define OPEN_MAX   8
#define LINE_BYTES 16384

static void wrong_codes_are_named_and_bind_nothing(void **state)
{
	static const struct {
		const char *text, *open, *wrong;
	} cases[] = {
		{"签3F7L", ONE, "3F7L"},   {"结9B3N 修好", TWO, "9B3N"}, {"签3F7", ONE, "3F7"},	    {"签3F7KK", ONE, "3F7KK"},
		{"结8888", ONE, "8888"},   {"3F7M收到", ONE, "3F7M"},    {"退３Ｆ７Ｌ", ONE, "３Ｆ７Ｌ"}, {"签3F7K、9B3N", ONE, "9B3N"},
		{"签3F7KJ", "3F7KH", "3F7KJ"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_said said = phrase_parse(true, cases[i].text, cases[i].open);

		if (said.verb != HL_VERB_ASK || said.code.len > 0 || !hl_slice_eq_str(said.wrong_code, cases[i].wrong))
			fail_msg("%s: %s, code %.*s, wrong %.*s", cases[i].text, hl_verb_name(said.verb), HL_SLICE_ARG(said.code),
				 HL_SLICE_ARG(said.wrong_code));
	}
}

static void numbers_in_prose_are_no_wrong_codes(void **state)
{
	static const struct phrase phrases[] = {
		{"结3F7K 更换DN100阀门", TWO, "close", "3F7K"},
		{"结3F7K B2栋路灯亮了", TWO, "close", "3F7K"},
		{"结3F7K 14:20恢复", TWO, "close", "3F7K"},
		{"进展 5号楼3单元已修", ONE, "progress", "3F7K"},
		{"进展3F7K 换了2台10KV开关", TWO, "progress", "3F7K"},
		{"到了 A座1201没人", ONE, "arrive", "3F7K"},
	};

	(void)state;
	phrase_check(true, phrases, LEN(phrases));
}

static void only_what_was_typed_counts(void **state)
{
	static const struct phrase phrases[] = {
		{"【物业热线】3F7K 阳光花园：电梯停运。11月25日15:30前回复“签3F7K”，11月27日18:00前办结", TWO, "none", ""},
		{"【物业热线】3F7K 阳光花园：电梯停运。11月25日15:30前回复“签3F7K”，11月27日18:00前办结\n签", TWO, "sign", "3F7K"},
		{"【物业热线】3F7K 阳光花园：电梯停运。11月25日15:30前回复“签3F7K”，11月27日18:00前办结\n收到", TWO, "sign", "3F7K"},
		{"【物业热线】3F7K 阳光花园：电梯停运。11月25日15:30前回复“签3F7K”，11月27日18:00前办结\n好的", TWO, "ask", ""},
		{"到\n【物业热线】3F7K 阳光花园：电梯停运。11月25日15:30前回复“签3F7K”，11月27日18:00前办结", TWO, "arrive", "3F7K"},
		{"签8M2P\n【物业热线】3F7K 阳光花园：电梯停运。11月25日15:30前回复“签3F7K”", TWO, "ask", ""},
		{"签3F7K【物业热线】3F7K 阳光花园：电梯停运。11月25日15:30前回复“签3F7K”", TWO, "sign", "3F7K"},
		{"[急]3F7K 阳光花园：电梯停运。11月25日15:30前回复“签3F7K”，11月27日18:00前办结\n结 已修好", TWO, "close", "3F7K"},
		{"「【物业热线】3F7K 阳光花园：电梯停运。11月25日15:30前回复“签3F7K”」\n- - - - - - -\n签收", TWO, "sign", "3F7K"},
		{"签收\n> 派单 3F7K：阳光花园。请16:30前签收，11月27日前办结", TWO, "sign", "3F7K"},
		{"> 派单 3F7K：阳光花园。请16:30前签收，11月27日前办结", TWO, "none", ""},
		{"收到\n-----原始短信-----\n派单 3F7K：阳光花园。请16:30前签收", TWO, "sign", "3F7K"},
		{"EMERGENCY 3F7K: lift at Sun Garden. Reply SIGN 3F7K by 25 Nov 15:30, close by 27 Nov 18:00.", TWO, "none", ""},
		{"派单 3F7K：阳光花园 电梯停运。请16:30前签收，11月27日前办结。回复 签3F7K / 退3F7K原因 / 延3F7K天数原因 / 结3F7K结果", TWO, "none", ""},
	};

	(void)state;
	phrase_check(true, phrases, LEN(phrases));
	assert_false(phrase_parse(true, "收到\n> 派单 3F7K：请16:30前签收，11月27日前办结", TWO).is_code_typed);
	assert_true(phrase_parse(true, "签3F7K", ONE).is_code_typed);
	assert_false(phrase_parse(true, "签", ONE).is_code_typed);
}

static void machines_and_thanks_are_nothing(void **state)
{
	static const struct phrase phrases[] = {
		{"", ONE, "none", ""},
		{"   \n", ONE, "none", ""},
		{"。。。", ONE, "none", ""},
		{"谢谢！", ONE, "none", ""},
		{"感谢领导", ONE, "none", ""},
		{"辛苦了", ONE, "none", ""},
		{"thanks", ONE, "none", ""},
		{"谢谢🙏", ONE, "none", ""},
		{"[自动回复]我正在开会", ONE, "none", ""},
		{"您好，我现在不方便接听电话，稍后回电", ONE, "none", ""},
		{"自动回复：外出学习，退回请找值班室", ONE, "none", ""},
		{"【顺丰】您的快件已到驿站，取件码1-2-3", ONE, "none", ""},
		{"【某超市】会员日全场优惠，退订回T", ONE, "none", ""},
		{"您的验证码是123456，请勿告诉他人", ONE, "none", ""},
		{"I'm driving right now, I will get back to you", ONE, "none", ""},
		{"您好，我正在开会，稍后回复您。", ONE, "none", ""},
		{"您有新的快递到驿站", ONE, "none", ""},
		{"尊敬的用户，您的话费余额不足", ONE, "none", ""},
	};

	(void)state;
	phrase_check(true, phrases, LEN(phrases));
	phrase_check(false, phrases, LEN(phrases));
}

static void survives_any_bytes_and_a_full_arena(void **state)
{
	static const char *const texts[] = {"\xff\xfe\xfd", "签\xe7", "【", "【【【【", "「", "“”“”", "#", "签#", "~~~~", "---", ">", "1、", "结\xf0\x9f"};
	struct hl_arena small;
	struct hl_said said;

	(void)state;
	for (size_t i = 0; i < LEN(texts); i++) {
		said = phrase_parse(true, texts[i], TWO);
		assert_true(said.verb == HL_VERB_ASK || said.verb == HL_VERB_NONE || said.verb == HL_VERB_HELP);
		phrase_parse(false, texts[i], TWO);
	}
	hl_arena_init(&small, 64);
	hl_talk_parse(phrase_grammar(), true, HL_LIT("结3F7K 已修好，业主认可，照片已传"), NULL, 0, &small, &said);
	assert_int_equal(said.verb, HL_VERB_NONE);
	hl_arena_fini(&small);
}

static void a_text_as_long_as_a_letter_is_no_command(void **state)
{
	static char text[30000];
	struct hl_said said;

	(void)state;
	memcpy(text, "结3F7K", strlen("结3F7K"));
	for (size_t i = strlen("结3F7K"); i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "好", 3);
	said = phrase_parse(true, text, ONE);
	assert_int_equal(said.verb, HL_VERB_ASK);
	assert_int_equal(phrase_parse(false, text, ONE).verb, HL_VERB_REPORT);
}

static void every_verb_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(hl_verb_name(HL_VERB_NONE), "none");
	for (int verb = HL_VERB_NONE; verb <= HL_VERB_REPORT; verb++)
		assert_non_null(hl_verb_name((enum hl_verb)verb));
	assert_string_equal(hl_verb_name(HL_VERB_REPORT), "report");
}

struct score {
	size_t n, right, unsafe;
};

static void judge(const json_t *example, struct score *score)
{
	const json_t *expect = json_object_get(example, "expect"), *code;
	const char *verb = json_string_value(json_object_get(expect, "verb")), *text = json_string_value(json_object_get(example, "text"));
	struct hl_slice codes[OPEN_MAX];
	struct hl_said said;
	size_t i, n = 0;
	bool is_right;

	json_array_foreach(json_object_get(example, "open_codes"), i, code)
		if (n < OPEN_MAX)
			codes[n++] = hl_slice_str(json_string_value(code));
	hl_talk_parse(phrase_grammar(), strcmp(json_string_value(json_object_get(example, "who")), "officer") == 0, hl_slice_str(text), codes, n, phrase_arena(),
		      &said);
	is_right = strcmp(verb, hl_verb_name(said.verb)) == 0 &&
		   hl_slice_eq_str(said.code, json_string_value(json_object_get(expect, "code")));
	score->n++;
	score->right += is_right;
	score->unsafe += (strcmp(verb, "ask") == 0 || strcmp(verb, "none") == 0) &&
			 (said.verb == HL_VERB_CLOSE || said.verb == HL_VERB_HANDBACK);
	if (!is_right)
		print_message("%s: expected %s, got %s\n", text, verb, hl_verb_name(said.verb));
}

/* Reads labelled texts, a JSON object per line. False: there is no such file. */
static bool judge_file(const char *path, struct score *score)
{
	FILE *file = fopen(path, "r");
	char line[LINE_BYTES];

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		json_t *example = json_loads(line, 0, NULL);

		if (example)
			judge(example, score);
		json_decref(example);
	}
	fclose(file);
	print_message("%s: %zu of %zu right, %zu unsafe\n", path, score->right, score->n, score->unsafe);
	return true;
}

static void labelled_examples_are_read_right(void **state)
{
	const char *data = getenv("HOTLINE_DATA");
	char path[512];
	struct score score = {0};

	(void)state;
	snprintf(path, sizeof(path), "%s/data/talk/examples.jsonl", data ? data : "../shared");
	if (!judge_file(path, &score)) {
		print_message("%s is not there: set HOTLINE_DATA\n", path);
		skip();
	}
	assert_true(score.n > 0);
	assert_int_equal(score.unsafe, 0);
	assert_true(score.right * 100 >= score.n * 95);
}

/* Written before the grammar's words were looked at, and after; "first_sight" tells which were right before the words
 * were mended. */
static void our_own_phrasings_are_read_right(void **state)
{
	static const struct {
		const char *path;
		size_t n_min;
	} files[] = {{"tests/vectors/talk_first_sight.jsonl", 100}, {"tests/vectors/talk_phrasings.jsonl", 300}};

	(void)state;
	for (size_t i = 0; i < LEN(files); i++) {
		struct score score = {0};

		assert_true(judge_file(files[i].path, &score));
		assert_true(score.n >= files[i].n_min);
		assert_int_equal(score.right, score.n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PHRASE_TEST(wrong_codes_are_named_and_bind_nothing),
		PHRASE_TEST(numbers_in_prose_are_no_wrong_codes),
		PHRASE_TEST(only_what_was_typed_counts),
		PHRASE_TEST(machines_and_thanks_are_nothing),
		PHRASE_TEST(survives_any_bytes_and_a_full_arena),
		PHRASE_TEST(a_text_as_long_as_a_letter_is_no_command),
		PHRASE_TEST(every_verb_has_a_name),
		PHRASE_TEST(labelled_examples_are_read_right),
		PHRASE_TEST(our_own_phrasings_are_read_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
