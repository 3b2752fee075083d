/* test_phrases.c - the phrase matcher: overlaps, gaps, blanks, refusals, long texts */
#include "hotline/buf.h"
#include "hotline/text.h"
#include "intake/phrases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct seen {
	struct hl_slice text;
	struct hl_buf buf; /* "tag=words;" per hit, in order */
	size_t n;
};

static void on_hit(void *arg, uint32_t tag, size_t start, size_t end)
{
	struct seen *seen = arg;

	assert_true(start < end && end <= seen->text.len);
	hl_buf_printf(&seen->buf, "%u=%.*s;", tag, (int)(end - start), seen->text.ptr + start);
	seen->n++;
}

static struct hl_phrases *build(const char *const *phrases)
{
	struct hl_phrases *p = hl_phrases_new();

	assert_non_null(p);
	for (uint32_t i = 0; phrases[i]; i++)
		assert_int_equal(hl_phrases_add(p, hl_slice_str(phrases[i]), i, NULL), HL_OK);
	return p;
}

static void check(const char *const *phrases, const char *text, const char *expected)
{
	struct hl_phrases *p = build(phrases);
	struct hl_arena arena;
	struct seen seen = {0};

	hl_arena_init(&arena, 1 << 20);
	hl_buf_init(&seen.buf, 10000);
	seen.text = hl_fold_tight(&arena, hl_slice_str(text));
	assert_true(hl_phrases_scan(p, seen.text, &arena, on_hit, &seen));
	assert_string_equal(hl_buf_str(&seen.buf), expected);
	hl_buf_fini(&seen.buf);
	hl_arena_fini(&arena);
	hl_phrases_free(&p);
	assert_null(p);
}

static void finds_every_phrase_overlapping_ones_too(void **state)
{
	static const char *const phrases[] = {"消防", "消防通道", "通道", "防", NULL};

	(void)state;
	check(phrases, "消防通道", "0=消防;1=消防通道;3=防;2=通道;");
	check(phrases, "通消道防", "3=防;");
	check(phrases, "", "");
	check(phrases, "消", "");
}

static void reports_repeated_phrases_each_time_and_equal_phrases_with_every_tag(void **state)
{
	static const char *const repeated[] = {"哈哈", NULL};
	static const char *const equal[] = {"停水", "停水", NULL};

	(void)state;
	check(repeated, "哈哈哈", "0=哈哈;0=哈哈;");
	check(equal, "停水", "0=停水;1=停水;");
}

static void compares_folded_forms(void **state)
{
	static const char *const phrases[] = {"KTV", "1号", NULL};

	(void)state;
	check(phrases, "ｋｔｖ在１号", "0=ktv;1=1号;");
}

static void ignores_blanks_except_between_latin_words(void **state)
{
	static const char *const phrases[] = {"停 水", "12", NULL};

	(void)state;
	check(phrases, "停\n水 停  水", "0=停水;0=停水;");
	check(phrases, "1 2", "");
}

static void joins_parts_over_a_short_gap_in_order(void **state)
{
	static const char *const phrases[] = {"卡~电梯", "甲~乙~丙", NULL};

	(void)state;
	check(phrases, "卡在三楼电梯里", "0=卡在三楼电梯;");
	check(phrases, "卡电梯", "0=卡电梯;");
	check(phrases, "电梯卡", "");
	check(phrases, "卡12345678电梯", "0=卡12345678电梯;");
	check(phrases, "卡123456789电梯", "");
	check(phrases, "甲一乙二丙", "1=甲一乙二丙;");
	check(phrases, "乙甲丙", "");
	check(phrases, "卡123456789卡1电梯", "0=卡1电梯;");
}

static void gapped_phrases_do_not_remember_the_last_text(void **state)
{
	static const char *const phrases[] = {"卡~电梯", NULL};

	(void)state;
	check(phrases, "卡", "");
	check(phrases, "电梯", "");
}

static void refuses_phrases_it_could_not_match(void **state)
{
	static const char *const refused[] = {"", " ", "~", "a~", "~a", "a~~b", "a~b~c~d"};
	struct hl_phrases *p = hl_phrases_new();
	struct hl_error err;
	char longest[HL_PHRASE_MAX + 2];

	(void)state;
	for (size_t i = 0; i < LEN(refused); i++)
		assert_int_equal(hl_phrases_add(p, hl_slice_str(refused[i]), 0, &err), HL_INPUT);
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(hl_phrases_add(p, (struct hl_slice){longest, HL_PHRASE_MAX}, 0, &err), HL_OK);
	assert_int_equal(hl_phrases_add(p, (struct hl_slice){longest, HL_PHRASE_MAX + 1}, 0, &err), HL_INPUT);
	hl_phrases_free(&p);
}

static void keeps_thousands_of_phrases_apart(void **state)
{
	struct hl_phrases *p = hl_phrases_new();
	struct hl_arena arena;
	struct seen seen = {0};
	char word[32];

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(word, sizeof(word), "词%u词", i);
		assert_int_equal(hl_phrases_add(p, hl_slice_str(word), i, NULL), HL_OK);
	}
	hl_arena_init(&arena, 1 << 20);
	hl_buf_init(&seen.buf, 1000);
	seen.text = HL_LIT("词4999词17词x词");
	assert_true(hl_phrases_scan(p, seen.text, &arena, on_hit, &seen));
	assert_string_equal(hl_buf_str(&seen.buf), "4999=词4999词;17=词17词;");
	hl_buf_fini(&seen.buf);
	hl_arena_fini(&arena);
	hl_phrases_free(&p);
}

static void survives_bytes_that_are_no_text(void **state)
{
	static const char *const phrases[] = {"停水", NULL};

	(void)state;
	check(phrases, "\xff\xfe\xe5\x81停水\xe5", "0=停水;");
}

static void says_so_when_the_arena_is_too_small(void **state)
{
	static const char *const phrases[] = {"停水", NULL};
	struct hl_phrases *p = build(phrases);
	struct hl_arena arena;
	struct seen seen = {.text = HL_LIT("停水停水停水停水停水停水")};

	(void)state;
	hl_arena_init(&arena, 16);
	hl_buf_init(&seen.buf, 1000);
	assert_false(hl_phrases_scan(p, seen.text, &arena, on_hit, &seen));
	assert_int_equal(seen.n, 0);
	hl_buf_fini(&seen.buf);
	hl_arena_fini(&arena);
	hl_phrases_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_every_phrase_overlapping_ones_too),
		cmocka_unit_test(reports_repeated_phrases_each_time_and_equal_phrases_with_every_tag),
		cmocka_unit_test(compares_folded_forms),
		cmocka_unit_test(ignores_blanks_except_between_latin_words),
		cmocka_unit_test(joins_parts_over_a_short_gap_in_order),
		cmocka_unit_test(gapped_phrases_do_not_remember_the_last_text),
		cmocka_unit_test(refuses_phrases_it_could_not_match),
		cmocka_unit_test(keeps_thousands_of_phrases_apart),
		cmocka_unit_test(survives_bytes_that_are_no_text),
		cmocka_unit_test(says_so_when_the_arena_is_too_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
