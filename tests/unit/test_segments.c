/* test_segments.c - encodings, units and parts at every boundary */
#include "hotline/segments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a)     (sizeof(a) / sizeof((a)[0]))
#define TEXT_BYTES 4096

static size_t repeat(char *text, size_t len, const char *unit, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_true(len + strlen(unit) < TEXT_BYTES);
		memcpy(text + len, unit, strlen(unit));
		len += strlen(unit);
	}
	return len;
}

/* n times unit, then middle, then n_after times unit again. */
static struct hl_segments plan_around(const char *unit, size_t n, const char *middle, size_t n_after,
				      const char *signature)
{
	char text[TEXT_BYTES];
	struct hl_segments s;
	size_t len = repeat(text, 0, unit, n);

	len = repeat(text, len, middle, 1);
	len = repeat(text, len, unit, n_after);
	hl_segments_plan((struct hl_slice){text, len}, hl_slice_str(signature), &s);
	return s;
}

static struct hl_segments plan(const char *unit, size_t n, const char *signature)
{
	return plan_around(unit, n, "", 0, signature);
}

static void parts_change_at_the_standard_lengths(void **state)
{
	static const struct {
		const char *unit;
		size_t n;
		bool is_gsm7;
		size_t units, parts;
	} cases[] = {
		{"a", 1, true, 1, 1},       {"a", 160, true, 160, 1}, {"a", 161, true, 161, 2},
		{"a", 306, true, 306, 2},   {"a", 307, true, 307, 3}, {"签", 1, false, 1, 1},
		{"签", 70, false, 70, 1},   {"签", 71, false, 71, 2}, {"签", 134, false, 134, 2},
		{"签", 135, false, 135, 3}, {"€", 80, true, 160, 1},  {"€", 81, true, 162, 2},
		{"[", 80, true, 160, 1},    {"😀", 35, false, 70, 1},  {"😀", 36, false, 72, 2},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_segments s = plan(cases[i].unit, cases[i].n, "");

		if (s.is_gsm7 != cases[i].is_gsm7 || s.units != cases[i].units || s.parts != cases[i].parts)
			fail_msg("%zu x %s: %s, %zu units, %zu parts", cases[i].n, cases[i].unit,
				 s.is_gsm7 ? "gsm7" : "ucs2", s.units, s.parts);
	}
}

static void an_empty_text_costs_nothing(void **state)
{
	(void)state;
	assert_int_equal(plan("", 0, "").parts, 0);
	assert_int_equal(plan("", 0, "热线").parts, 0);
	assert_int_equal(plan("", 0, "").units, 0);
}

static void a_pair_is_never_split(void **state)
{
	struct hl_segments s;

	(void)state;
	/* Two full parts without a pair; with one across the border the first part holds 66, and a third is needed. */
	assert_int_equal(plan("签", 134, "").parts, 2);
	s = plan_around("签", 66, "😀", 66, "");
	assert_int_equal(s.units, 134);
	assert_int_equal(s.parts, 3);
	assert_int_equal(plan_around("签", 65, "😀", 67, "").parts, 2);
	s = plan_around("a", 152, "{", 152, "");
	assert_int_equal(s.units, 306);
	assert_int_equal(s.parts, 3);
	assert_int_equal(plan_around("a", 151, "{", 153, "").parts, 2);
	/* One message has no border. */
	assert_int_equal(plan_around("签", 66, "😀", 2, "").parts, 1);
}

static void the_alphabet_is_the_standard_one(void **state)
{
	static const char *const gsm7[] = {"@",          "$",      "_",    "\n",         "\r",   "£",
					   "¥",          "èéùìòÇ", "ØøÅå", "ΔΦΓΛΩΠΨΣΘΞ", "ÆæßÉ", "¤¡ÄÖÑÜ§¿äöñüà",
					   "^{}\\[~]|€", "\f"};
	static const char *const ucs2[] = {"`", "ç", "á", "“", "…", "α", "\t", "签", "，", "ê", "№"};

	(void)state;
	for (size_t i = 0; i < LEN(gsm7); i++)
		if (!plan(gsm7[i], 1, "").is_gsm7)
			fail_msg("%s is in the GSM-7 alphabet", gsm7[i]);
	for (size_t i = 0; i < LEN(ucs2); i++)
		if (plan(ucs2[i], 1, "").is_gsm7)
			fail_msg("%s is not in the GSM-7 alphabet", ucs2[i]);
	assert_int_equal(plan("^{}\\[~]|€", 1, "").units, 18);
}

static void a_provider_signature_is_counted_in_front(void **state)
{
	struct hl_segments s = plan("签", 64, "物业热线");

	(void)state;
	assert_int_equal(s.units, 70);
	assert_int_equal(s.parts, 1);
	assert_int_equal(plan("签", 65, "物业热线").parts, 2);
	/* Its brackets make a GSM-7 text UCS-2. */
	s = plan("a", 10, "Hotline");
	assert_false(s.is_gsm7);
	assert_int_equal(s.units, 19);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_change_at_the_standard_lengths),
		cmocka_unit_test(an_empty_text_costs_nothing),
		cmocka_unit_test(a_pair_is_never_split),
		cmocka_unit_test(the_alphabet_is_the_standard_one),
		cmocka_unit_test(a_provider_signature_is_counted_in_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
