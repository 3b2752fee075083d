/* test_error.c - failure classes and their texts; the three clocks' arithmetic */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hotline/clock.h"
#include "hotline/error.h"
#include "hotline/text.h"

#include <string.h>

static void fail_records_class_and_text(void **state)
{
	struct hl_error err = {0};

	(void)state;
	assert_int_equal(hl_fail(&err, HL_INPUT, "no field %s", "from"), HL_INPUT);
	assert_int_equal(err.cls, HL_INPUT);
	assert_string_equal(err.text, "no field from");
}

static void nobody_needs_to_want_the_text(void **state)
{
	(void)state;
	assert_int_equal(hl_fail(NULL, HL_RETRY, "cannot connect"), HL_RETRY);
}

static void prefixes_pile_up_in_front(void **state)
{
	struct hl_error err = {0};

	(void)state;
	hl_fail(&err, HL_CONFIG, "not a number");
	assert_int_equal(hl_error_prefix(&err, "key %s", "listen"), HL_CONFIG);
	hl_error_prefix(&err, "line %d", 3);
	assert_string_equal(err.text, "line 3: key listen: not a number");
}

static void the_text_may_quote_itself(void **state)
{
	struct hl_error err = {0};

	(void)state;
	hl_fail(&err, HL_INPUT, "bad");
	hl_fail(&err, HL_RETRY, "again: %s", err.text);
	assert_string_equal(err.text, "again: bad");
}

static void a_long_text_is_cut_between_characters(void **state)
{
	struct hl_error err = {0};
	char longer[1000];

	(void)state;
	for (size_t lead = 0; lead < 4; lead++) {
		memset(longer, 'a', lead);
		for (size_t i = lead; i + 4 < sizeof(longer); i += 3)
			memcpy(longer + i, "\xE6\xB0\xB4", 4);
		hl_fail(&err, HL_INPUT, "%s", longer);
		assert_true(hl_text_is_utf8(hl_slice_str(err.text)));
		assert_in_range(strlen(err.text), sizeof(err.text) - 4, sizeof(err.text) - 1);
		hl_error_prefix(&err, "%s", "xy");
		assert_true(hl_text_is_utf8(hl_slice_str(err.text)));
	}
}

static void every_class_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(hl_class_name(HL_OK), "ok");
	assert_string_equal(hl_class_name(HL_UNKNOWN), "unknown");
	assert_string_equal(hl_class_name(HL_BUG), "bug");
	for (int cls = HL_OK; cls <= HL_BUG; cls++)
		assert_string_not_equal(hl_class_name((enum hl_class)cls), "invalid");
	assert_string_equal(hl_class_name((enum hl_class)(HL_BUG + 1)), "invalid");
}

static int64_t mono_now, wall_now;

static int64_t fake_mono(void)
{
	return mono_now;
}

static int64_t fake_wall(void)
{
	return wall_now;
}

static void case_time_follows_the_database_once_known(void **state)
{
	struct hl_case_clock clock = {0};

	(void)state;
	hl_clock_fake(fake_mono, fake_wall);
	mono_now = 1000;
	wall_now = 500000;
	assert_int_equal(hl_case_clock_now(&clock), 500000);
	hl_case_clock_learn(&clock, 90000);
	mono_now += 25;
	wall_now = 1;
	assert_int_equal(hl_case_clock_now(&clock), 90025);
	hl_case_clock_learn(&clock, 80000);
	assert_int_equal(hl_case_clock_now(&clock), 80000);
	hl_clock_fake(NULL, NULL);
}

static void the_system_clocks_run(void **state)
{
	int64_t before = hl_mono_us();

	(void)state;
	assert_true(hl_mono_us() >= before);
	assert_true(hl_wall_us() > INT64_C(1700000000) * HL_US_PER_S);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fail_records_class_and_text),
		cmocka_unit_test(nobody_needs_to_want_the_text),
		cmocka_unit_test(prefixes_pile_up_in_front),
		cmocka_unit_test(the_text_may_quote_itself),
		cmocka_unit_test(a_long_text_is_cut_between_characters),
		cmocka_unit_test(every_class_has_a_name),
		cmocka_unit_test(case_time_follows_the_database_once_known),
		cmocka_unit_test(the_system_clocks_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
