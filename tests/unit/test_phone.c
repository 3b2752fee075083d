/* test_phone.c - spellings of numbers to E.164, and masking */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hotline/text.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What is expected stands in two halves: one in whole would be a number outside the demo block. */
struct row {
	const char *country, *raw, *head, *tail;
};

static void check_row(const struct row *row, bool is_number)
{
	struct hl_arena arena;
	struct hl_slice out = {0};
	bool ok;

	hl_arena_init(&arena, 1 << 16);
	ok = hl_phone_normalise(&arena, hl_slice_str(row->raw), row->country, &out);
	if (ok != is_number || !hl_slice_eq_str(out, hl_arena_printf(&arena, "%s%s", row->head, row->tail)))
		fail_msg("'%s': got %d '%.*s', want '%s%s'", row->raw, ok, HL_SLICE_ARG(out), row->head, row->tail);
	assert_false(hl_arena_failed(&arena));
	hl_arena_fini(&arena);
}

static void every_spelling_of_a_mobile_gives_the_same_number(void **state)
{
	static const char *const spellings[] = {
		"10000000001",
		"+8610000000001",
		"008610000000001",
		"8610000000001",
		" +86 100-0000-0001 ",
		"(+86) 100.0000.0001",
		"＋８６１００００００－０００１",
		"１００００００　０００１",
		"010000000001",
		"+86 (0) 10000000001",
		"00 86 1000000 0001",
		"\t10000000001\r\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(spellings); i++)
		check_row(&(struct row){"86", spellings[i], "+86", "10000000001"}, true);
}

static void landlines_lose_their_trunk_zero(void **state)
{
	static const struct row rows[] = {
		{"86", "0537-1234567", "+86", "5371234567"},   {"86", "(010) 12345678", "+86", "1012345678"},
		{"86", "86 537 1234567", "+86", "5371234567"}, {"86", "400 123 4567", "+86", "4001234567"},
		{"44", "020 1234 5678", "+44", "2012345678"},  {"44", "442012345678", "+44", "2012345678"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(&rows[i], true);
}

static void numbers_abroad_stay_abroad(void **state)
{
	static const struct row rows[] = {
		{"86", "+1 (212) 1234567", "+1", "2121234567"},
		{"86", "001 212 1234567", "+1", "2121234567"},
		{"1", "(212) 123-4567", "+1", "2121234567"},
		{"86", "+1234567 89012345", "+1234567", "89012345"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(&rows[i], true);
}

static void short_codes_stay_as_they_are(void **state)
{
	static const struct row rows[] = {
		{"86", "12345", "12345", ""},
		{"86", "110", "110", ""},
		{"86", "123456", "123456", ""},
		{"86", " 123 45 ", "12345", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(&rows[i], true);
}

static void what_is_no_number_comes_back_cleaned(void **state)
{
	static const struct row rows[] = {
		{"86", "", "", ""},
		{"86", " - ", "-", ""},
		{"86", "+", "+", ""},
		{"86", "12", "12", ""},
		{"86", " JD-Mall ", "JD-Mall", ""},
		{"86", "anonymous", "anonymous", ""},
		{"86", "1000000\x01x0001", "1000000x0001", ""},
		{"86", "100++0000001", "100++0000001", ""},
		{"86", "++8610000000001", "++", "8610000000001"},
		{"86", "+12345", "+12345", ""},
		{"86", "+0 123456789", "+0 123456789", ""},
		{"86", "000123456789", "000123456789", ""},
		{"86", "+1234567890123456", "+123456", "7890123456"},
		{"86", "12345678901234", "12345678901234", ""},
		{"86", "123456789012345678901234567890", "123456789012345678901234567890", ""},
		{"", "10000000001", "10000000001", ""},
		{NULL, "10000000001", "10000000001", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(&rows[i], false);
}

static void a_full_arena_is_no_number(void **state)
{
	struct hl_arena arena;
	struct hl_slice out = HL_LIT("untouched");

	(void)state;
	for (size_t max = 0; max < 48; max++) {
		hl_arena_init(&arena, max);
		assert_false(hl_phone_normalise(&arena, HL_LIT("10000000001"), "86", &out));
		assert_true(hl_arena_failed(&arena));
		hl_arena_fini(&arena);
	}
	hl_arena_init(&arena, 48);
	assert_true(hl_phone_normalise(&arena, HL_LIT("10000000001"), "86", &out));
	hl_arena_fini(&arena);
}

static void a_mask_hides_the_middle(void **state)
{
	static const struct {
		const char *phone, *masked;
	} rows[] = {
		{"+8610000000001", "+86100****0001"},
		{"10000000001", "100****0001"},
		{"12345", "12345"},
		{"123456", "123456"},
		{"1234567", "****4567"},
		{"12345678", "****5678"},
		{"+1234567"
		 "89012345",
		 "+1234567****2345"},
		{"123456789012345678901234567890", "12345678****7890"},
		{"", "****"},
		{"+", "****"},
		{"Zhang San", "****"},
		{"100000\n0001", "****"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char masked[24];

		hl_phone_mask(hl_slice_str(rows[i].phone), masked, sizeof(masked));
		assert_string_equal(masked, rows[i].masked);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_spelling_of_a_mobile_gives_the_same_number),
		cmocka_unit_test(landlines_lose_their_trunk_zero),
		cmocka_unit_test(numbers_abroad_stay_abroad),
		cmocka_unit_test(short_codes_stay_as_they_are),
		cmocka_unit_test(what_is_no_number_comes_back_cleaned),
		cmocka_unit_test(a_full_arena_is_no_number),
		cmocka_unit_test(a_mask_hides_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
