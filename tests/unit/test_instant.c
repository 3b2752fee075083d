/* test_instant.c - ISO 8601: what is read, what is refused and why, what is written */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "calendar_fixture.h"
#include "hotline/instant.h"

#define N(list) (sizeof(list) / sizeof *(list))

static struct hl_calendar county, nights;

static const char *read_and_write(const struct hl_calendar *cal, const char *text)
{
	static char out[HL_INSTANT_BYTES];
	struct hl_clock_reading reading;
	struct hl_error err = {.text = ""};
	if (hl_instant_read(hl_slice_str(text), &reading, &err))
		fail_msg("%s: %s", text, err.text);
	hl_instant_write(cal, hl_instant_of(&reading, cal), out);
	return out;
}

static void every_form_is_read(void **state)
{
	static const char *const forms[][2] = {
		{"2026-11-25T15:30", "2026-11-25T15:30:00+08:00"},
		{"2026-11-25 15:30", "2026-11-25T15:30:00+08:00"},
		{"2026-11-25t15:30:07", "2026-11-25T15:30:07+08:00"},
		{"2026-11-25T15:30:07.5", "2026-11-25T15:30:07.500000+08:00"},
		{"2026-11-25T15:30:07.1234567", "2026-11-25T15:30:07.123456+08:00"},
		{"2026-11-25T15:30Z", "2026-11-25T23:30:00+08:00"},
		{"2026-11-25T15:30:00z", "2026-11-25T23:30:00+08:00"},
		{"2026-11-25T15:30:00+08:00", "2026-11-25T15:30:00+08:00"},
		{"2026-11-25T15:30:00+0530", "2026-11-25T18:00:00+08:00"},
		{"2026-11-25T15:30-03", "2026-11-26T02:30:00+08:00"},
		{"2024-02-29T00:00", "2024-02-29T00:00:00+08:00"},
	};
	(void)state;
	for (size_t i = 0; i < N(forms); i++)
		assert_string_equal(read_and_write(&county, forms[i][0]), forms[i][1]);
}

/* Without a zone a reading belongs to the calendar's clock, whatever that shows then. */
static void readings_around_a_change_of_the_clock(void **state)
{
	static const char *const forms[][2] = {
		{"2024-03-31T01:59", "2024-03-31T01:59:00+01:00"},
		{"2024-03-31T02:30", "2024-03-31T03:00:00+02:00"}, /* skipped */
		{"2024-03-31T03:00", "2024-03-31T03:00:00+02:00"},
		{"2024-10-27T02:30", "2024-10-27T02:30:00+02:00"}, /* shown twice */
		{"2024-10-27T02:30+01:00", "2024-10-27T02:30:00+01:00"},
		{"2024-10-27T03:00", "2024-10-27T03:00:00+01:00"},
	};
	(void)state;
	for (size_t i = 0; i < N(forms); i++)
		assert_string_equal(read_and_write(&nights, forms[i][0]), forms[i][1]);
}

static void what_is_no_instant_is_refused_with_the_rule(void **state)
{
	static const char *const forms[][2] = {
		{"", "date"},
		{"tomorrow", "date"},
		{"2026-1-2T09:00", "date"},
		{"26-11-25T09:00", "date"},
		{"2026-13-01T09:00", "month"},
		{"2026-00-01T09:00", "month"},
		{"2026-02-30T09:00", "01 to 28"},
		{"2025-02-29T09:00", "01 to 28"},
		{"2026-02-00T09:00", "day"},
		{"2026-11-25", "time of day"},
		{"2026-11-25T9:00", "time of day"},
		{"2026-11-25  09:00", "time of day"},
		{"2026-11-25T24:00", "time of day"},
		{"2026-11-25T09:60", "time of day"},
		{"2026-11-25T09:00:60", "time of day"},
		{"2026-11-25T09:00:1", "seconds"},
		{"2026-11-25T09:00:00.", "fraction"},
		{"2026-11-25T09:00 CST", "zone"},
		{"2026-11-25T09:00+8", "zone"},
		{"2026-11-25T09:00+08:0", "zone"},
		{"2026-11-25T09:00+19:00", "zone"},
		{"2026-11-25T09:00Zulu", "behind"},
		{"2026-11-25T09:00+08:00x", "behind"},
	};
	(void)state;
	for (size_t i = 0; i < N(forms); i++) {
		struct hl_clock_reading reading;
		struct hl_error err = {.text = ""};
		assert_int_equal(hl_instant_read(hl_slice_str(forms[i][0]), &reading, &err), HL_INPUT);
		if (!strstr(err.text, forms[i][1]))
			fail_msg("\"%s\": \"%s\" does not say %s", forms[i][0], err.text, forms[i][1]);
	}
}

static void what_was_written_is_read_back(void **state)
{
	struct hl_clock_reading reading;
	char text[HL_INSTANT_BYTES];
	(void)state;
	for (int64_t at_us = fixture_at("2023-12-01 00:00", 0); at_us < fixture_at("2025-02-01 00:00", 0);
	     at_us += 1777 * US_PER_S + 1) {
		hl_instant_write(&nights, at_us, text);
		assert_int_equal(hl_instant_read(hl_slice_str(text), &reading, NULL), HL_OK);
		assert_int_equal(hl_instant_of(&reading, &county), at_us);
	}
}

static int set_up(void **state)
{
	(void)state;
	fixture_shipped(&county);
	fixture_calendar(fixture_nights_spec, &nights);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hl_calendar_fini(&county);
	hl_calendar_fini(&nights);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_read),
		cmocka_unit_test(readings_around_a_change_of_the_clock),
		cmocka_unit_test(what_is_no_instant_is_refused_with_the_rule),
		cmocka_unit_test(what_was_written_is_read_back),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
