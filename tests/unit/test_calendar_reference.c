/* test_calendar_reference.c - working-time arithmetic against a slow reference
 *
 * The reference walks in steps of 30 seconds and asks for each step, from the rules as
 * people read them, whether somebody works then. It shares no code with the calendar.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "calendar_fixture.h"

#define N(list) (sizeof(list) / sizeof *(list))
#define STEP_S  30

static struct hl_calendar county;

/* One byte per local day from 2022-01-01: 1 if it is worked. */
struct reference {
	unsigned char works[8 * 366];
	int32_t first_day, n_days;
};

static struct reference reference;

static void reference_read(struct reference *ref)
{
	struct hl_error err;
	json_t *spec, *year, *day;
	size_t i, j;
	ref->first_day = hl_civil_days(2022, 1, 1);
	ref->n_days = hl_civil_days(2029, 12, 31) + 1 - ref->first_day;
	for (int32_t d = 0; d < ref->n_days; d++)
		ref->works[d] = (d + 6) % 7 != 0 && (d + 6) % 7 != 6; /* 2022-01-01 was a Saturday */
	assert_int_equal(hl_calendar_spec_read(SHIPPED_CALENDAR, &spec, &err), HL_OK);
	json_array_foreach (json_object_get(spec, "holidays"), i, year) {
		json_array_foreach (json_object_get(year, "days"), j, day) {
			int y, m, d;
			const char *date = json_string_value(json_object_get(day, "date"));
			assert_int_equal(sscanf(date, "%d-%d-%d", &y, &m, &d), 3);
			ref->works[hl_civil_days(y, m, d) - ref->first_day] =
				json_is_false(json_object_get(day, "isOffDay"));
		}
	}
	json_decref(spec);
}

static bool reference_is_summer(int32_t day)
{
	for (int year = 2022; year < 2030; year++)
		if (day >= hl_civil_days(year, 6, 1) && day <= hl_civil_days(year, 9, 30))
			return true;
	return false;
}

static bool reference_is_open(const struct reference *ref, int64_t utc_s)
{
	int64_t local_s = utc_s + SHANGHAI_S;
	int32_t day = (int32_t)(local_s / 86400);
	int minute = (int)(local_s % 86400 / 60);
	if (!ref->works[day - ref->first_day])
		return false;
	if (minute >= 8 * 60 + 30 && minute < 12 * 60)
		return true;
	if (minute < 13 * 60 + 30 || minute >= 18 * 60)
		return false;
	return reference_is_summer(day) ? minute >= 14 * 60 + 30 : minute < 17 * 60 + 30;
}

/* Instants here are seconds, whole steps. */
static int64_t reference_add(const struct reference *ref, int64_t from_s, int64_t span_s)
{
	for (; span_s > 0; from_s += STEP_S)
		if (reference_is_open(ref, from_s))
			span_s -= STEP_S;
	return from_s;
}

static int64_t reference_day_close(const struct reference *ref, int32_t day)
{
	int64_t close_s = 0, midnight_s = day * INT64_C(86400) - SHANGHAI_S;
	for (int64_t s = midnight_s; s < midnight_s + 86400; s += STEP_S)
		if (reference_is_open(ref, s))
			close_s = s + STEP_S;
	return close_s;
}

static int64_t reference_add_days(const struct reference *ref, int64_t from_s, int n_days)
{
	int32_t day = (int32_t)((from_s + SHANGHAI_S) / 86400);
	while (n_days > 0)
		n_days -= ref->works[++day - ref->first_day];
	return reference_day_close(ref, day);
}

static int64_t reference_previous_close(const struct reference *ref, int64_t from_s)
{
	int32_t day = (int32_t)((from_s + SHANGHAI_S) / 86400) - 1;
	while (!ref->works[day - ref->first_day])
		day--;
	return reference_day_close(ref, day);
}

static int64_t reference_worked(const struct reference *ref, int64_t from_s, int64_t until_s)
{
	int64_t worked_s = 0;
	for (; from_s < until_s; from_s += STEP_S)
		worked_s += reference_is_open(ref, from_s) ? STEP_S : 0;
	return worked_s;
}

/* xorshift: the same sequence on every machine. */
static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void compare_at(const struct reference *ref, int64_t from_s, int64_t minutes, int n_days)
{
	struct hl_instant end;
	int64_t from_us = from_s * US_PER_S;
	assert_int_equal(hl_calendar_is_open(&county, from_us), reference_is_open(ref, from_s));
	assert_true(hl_calendar_add_minutes(&county, from_us, minutes, &end));
	assert_int_equal(end.at_us / US_PER_S, reference_add(ref, from_s, minutes * 60));
	assert_int_equal(hl_calendar_worked_us(&county, from_us, end.at_us), minutes * US_PER_MINUTE);
	assert_true(hl_calendar_add_days(&county, from_us, n_days, &end));
	assert_int_equal(end.at_us / US_PER_S, reference_add_days(ref, from_s, n_days));
	assert_int_equal(hl_calendar_worked_us(&county, from_us, end.at_us) / US_PER_S,
			 reference_worked(ref, from_s, end.at_us / US_PER_S));
	assert_true(hl_calendar_previous_close(&county, from_us, &end));
	assert_int_equal(end.at_us / US_PER_S, reference_previous_close(ref, from_s));
}

static void every_minute_around_the_long_holidays_agrees_with_the_reference(void **state)
{
	static const char *const weeks[][2] = {
		{"2024-09-23 00:00", "2024-10-15 00:00"}, /* 国庆 2024 and the end of summer time */
		{"2025-01-20 00:00", "2025-02-12 00:00"}, /* 春节 2025 */
		{"2026-05-25 00:00", "2026-06-03 00:00"}, /* the beginning of summer time */
		{"2022-12-26 00:00", "2023-01-05 00:00"}, /* a day off listed with the next year */
	};
	(void)state;
	for (size_t i = 0; i < N(weeks); i++)
		for (int64_t s = at(weeks[i][0]) / US_PER_S; s < at(weeks[i][1]) / US_PER_S; s += 60)
			if (hl_calendar_is_open(&county, s * US_PER_S) != reference_is_open(&reference, s))
				fail_msg("differs at %s", fixture_text(&county, s * US_PER_S));
}

static void spans_around_the_long_holidays_agree_with_the_reference(void **state)
{
	uint32_t seed = 20240930;
	(void)state;
	for (int64_t s = at("2024-09-27 00:00") / US_PER_S; s < at("2024-10-13 00:00") / US_PER_S; s += 47 * 60)
		compare_at(&reference, s, 1 + next_random(&seed) % 600, 1 + (int)(next_random(&seed) % 5));
	for (int64_t s = at("2025-01-24 00:00") / US_PER_S; s < at("2025-02-09 00:00") / US_PER_S; s += 47 * 60)
		compare_at(&reference, s, 1 + next_random(&seed) % 600, 1 + (int)(next_random(&seed) % 5));
}

static void random_spans_agree_with_the_reference(void **state)
{
	uint32_t seed = 20260925;
	int64_t first_s = at("2022-01-10 00:00") / US_PER_S;
	uint32_t n_steps = (uint32_t)((at("2028-06-01 00:00") / US_PER_S - first_s) / STEP_S);
	(void)state;
	for (int i = 0; i < 400; i++) {
		int64_t from_s = first_s + (int64_t)(next_random(&seed) % n_steps) * STEP_S;
		compare_at(&reference, from_s, 1 + next_random(&seed) % 2400, 1 + (int)(next_random(&seed) % 10));
	}
}

/* The rule of the European Union, written down apart from any zone database. */
static int32_t amsterdam_offset_s(int64_t utc_s)
{
	int year = 1970 + (int)(utc_s / 31556952);
	int32_t march = hl_civil_days(year, 3, 31), october = hl_civil_days(year, 10, 31);
	march -= (march + 4) % 7;
	october -= (october + 4) % 7;
	return utc_s >= march * INT64_C(86400) + 3600 && utc_s < october * INT64_C(86400) + 3600 ? 7200 : 3600;
}

static void every_minute_around_clock_changes_agrees_with_the_reference(void **state)
{
	static const char *const weeks[][2] = {
		{"2024-03-25 00:00", "2024-04-05 00:00"},
		{"2024-10-21 00:00", "2024-11-01 00:00"},
		{"2026-10-19 00:00", "2026-10-30 00:00"},
	};
	struct hl_calendar cal;
	(void)state;
	fixture_calendar(fixture_nights_spec, &cal);
	for (size_t i = 0; i < N(weeks); i++)
		for (int64_t s = fixture_at(weeks[i][0], 0) / US_PER_S; s < fixture_at(weeks[i][1], 0) / US_PER_S;
		     s += 60) {
			int hour = (int)((s + amsterdam_offset_s(s)) % 86400 / 3600);
			struct hl_local_time local;
			hl_calendar_local(&cal, s * US_PER_S, &local);
			assert_int_equal(local.offset_s, amsterdam_offset_s(s));
			if (hl_calendar_is_open(&cal, s * US_PER_S) != (hour < 6 || hour >= 22))
				fail_msg("differs at %s", fixture_text(&cal, s * US_PER_S));
		}
	hl_calendar_fini(&cal);
}

static int set_up(void **state)
{
	(void)state;
	reference_read(&reference);
	fixture_shipped(&county);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hl_calendar_fini(&county);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_minute_around_the_long_holidays_agrees_with_the_reference),
		cmocka_unit_test(spans_around_the_long_holidays_agree_with_the_reference),
		cmocka_unit_test(random_spans_agree_with_the_reference),
		cmocka_unit_test(every_minute_around_clock_changes_agrees_with_the_reference),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
