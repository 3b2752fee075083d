/* test_slice.c - comparing, searching, cutting and reading numbers */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hotline/slice.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct hl_slice nothing;

static void a_null_string_is_the_empty_slice(void **state)
{
	(void)state;
	assert_int_equal(hl_slice_str(NULL).len, 0);
	assert_int_equal(hl_slice_str("abc").len, 3);
}

static void equality_looks_at_bytes_and_length(void **state)
{
	(void)state;
	assert_true(hl_slice_eq(HL_LIT("ab"), HL_LIT("ab")));
	assert_false(hl_slice_eq(HL_LIT("ab"), HL_LIT("abc")));
	assert_false(hl_slice_eq(HL_LIT("ab"), HL_LIT("aB")));
	assert_true(hl_slice_eq(nothing, HL_LIT("")));
	assert_true(hl_slice_eq(HL_LIT("a\0b"), HL_LIT("a\0b")));
	assert_false(hl_slice_eq(HL_LIT("a\0b"), HL_LIT("a\0c")));
	assert_true(hl_slice_eq_str(HL_LIT("ab"), "ab"));
	assert_false(hl_slice_eq_str(HL_LIT("a\0b"), "a"));
	assert_true(hl_slice_eq_str(nothing, NULL));
}

static void comparison_without_case_is_ascii_only(void **state)
{
	(void)state;
	assert_true(hl_slice_eq_nocase(HL_LIT("Content-LENGTH"), "content-length"));
	assert_false(hl_slice_eq_nocase(HL_LIT("Content"), "content-length"));
	assert_false(hl_slice_eq_nocase(HL_LIT("[a"), "{a"));
	assert_false(hl_slice_eq_nocase(HL_LIT("\xC3\x84"), "\xC3\xA4"));
	assert_true(hl_slice_eq_nocase(nothing, ""));
}

static void a_prefix_is_found_only_at_the_front(void **state)
{
	(void)state;
	assert_true(hl_slice_has_prefix(HL_LIT("/hook/x"), "/hook/"));
	assert_true(hl_slice_has_prefix(HL_LIT("/hook/"), "/hook/"));
	assert_false(hl_slice_has_prefix(HL_LIT("/hook"), "/hook/"));
	assert_false(hl_slice_has_prefix(HL_LIT("x/hook/"), "/hook/"));
	assert_true(hl_slice_has_prefix(nothing, ""));
}

static void find_gives_the_first_offset_or_minus_one(void **state)
{
	(void)state;
	assert_int_equal(hl_slice_find(HL_LIT("a\r\n\r\nb\r\n\r\n"), HL_LIT("\r\n\r\n")), 1);
	assert_int_equal(hl_slice_find(HL_LIT("abc"), HL_LIT("d")), -1);
	assert_int_equal(hl_slice_find(HL_LIT("ab"), HL_LIT("abc")), -1);
	assert_int_equal(hl_slice_find(HL_LIT("ab"), nothing), 0);
	assert_int_equal(hl_slice_find(nothing, nothing), 0);
	assert_int_equal(hl_slice_find(nothing, HL_LIT("a")), -1);
	assert_int_equal(hl_slice_find(HL_LIT("x\0y"), HL_LIT("\0")), 1);
}

static void trim_takes_blanks_off_both_ends(void **state)
{
	(void)state;
	assert_true(hl_slice_eq_str(hl_slice_trim(HL_LIT(" \t\r\n a b \n")), "a b"));
	assert_int_equal(hl_slice_trim(HL_LIT(" \t")).len, 0);
	assert_int_equal(hl_slice_trim(nothing).len, 0);
	assert_true(hl_slice_eq_str(hl_slice_trim(HL_LIT("\v")), "\v"));
}

static void cut_splits_at_the_first_separator(void **state)
{
	struct hl_slice head, tail;

	(void)state;
	assert_true(hl_slice_cut(HL_LIT("a=b=c"), '=', &head, &tail));
	assert_true(hl_slice_eq_str(head, "a"));
	assert_true(hl_slice_eq_str(tail, "b=c"));
	assert_true(hl_slice_cut(HL_LIT("a="), '=', &head, &tail));
	assert_int_equal(tail.len, 0);
	assert_false(hl_slice_cut(HL_LIT("abc"), '=', &head, &tail));
	assert_true(hl_slice_eq_str(head, "abc"));
	assert_int_equal(tail.len, 0);
	assert_false(hl_slice_cut(nothing, '=', &head, &tail));
	assert_int_equal(head.len, 0);
}

static void cut_may_overwrite_its_own_input(void **state)
{
	struct hl_slice rest = HL_LIT("a&b"), head;

	(void)state;
	assert_true(hl_slice_cut(rest, '&', &head, &rest));
	assert_true(hl_slice_eq_str(head, "a"));
	assert_true(hl_slice_eq_str(rest, "b"));
}

static void numbers_are_digits_and_fit_in_64_bits(void **state)
{
	static const struct {
		const char *text;
		bool is_number;
		uint64_t value;
	} rows[] = {
		{"0", true, 0},
		{"007", true, 7},
		{"18446744073709551615", true, UINT64_MAX},
		{"18446744073709551616", false, 0},
		{"99999999999999999999", false, 0},
		{"", false, 0},
		{"+1", false, 0},
		{"-1", false, 0},
		{" 1", false, 0},
		{"1 ", false, 0},
		{"0x1", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t value = 42;

		assert_int_equal(hl_slice_u64(hl_slice_str(rows[i].text), &value), rows[i].is_number);
		assert_true(value == (rows[i].is_number ? rows[i].value : 42));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_null_string_is_the_empty_slice),
		cmocka_unit_test(equality_looks_at_bytes_and_length),
		cmocka_unit_test(comparison_without_case_is_ascii_only),
		cmocka_unit_test(a_prefix_is_found_only_at_the_front),
		cmocka_unit_test(find_gives_the_first_offset_or_minus_one),
		cmocka_unit_test(trim_takes_blanks_off_both_ends),
		cmocka_unit_test(cut_splits_at_the_first_separator),
		cmocka_unit_test(cut_may_overwrite_its_own_input),
		cmocka_unit_test(numbers_are_digits_and_fit_in_64_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
