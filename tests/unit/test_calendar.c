/* test_calendar.c - working-time arithmetic at known instants; test_calendar_reference.c holds the property test */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calendar_fixture.h"

#define N(list) (sizeof(list) / sizeof *(list))

static struct hl_calendar county;

static const char amsterdam_spec[] = "{'name':'nl','zone':'Europe/Amsterdam','week':['mon','tue','wed','thu','fri'],"
				     "'hours':[['09:00','17:00']],'holidays':[{'year':2024,'days':"
				     "[{'date':'2024-12-25','isOffDay':true}]}]}";

static int set_up(void **state)
{
	(void)state;
	fixture_shipped(&county);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hl_calendar_fini(&county);
	return 0;
}

/* --- dates --- */

static void civil_days_count_from_1970(void **state)
{
	static const struct {
		int year, month, day;
		int32_t days;
	} cases[] = {
		{1970, 1, 1, 0},      {1969, 12, 31, -1},   {2000, 2, 29, 11016}, {2000, 3, 1, 11017},
		{1900, 3, 1, -25508}, {2024, 2, 29, 19782}, {2026, 9, 25, 20721}, {0, 3, 1, -719468},
	};
	(void)state;
	for (size_t i = 0; i < N(cases); i++)
		assert_int_equal(hl_civil_days(cases[i].year, cases[i].month, cases[i].day), cases[i].days);
}

static void local_time_is_the_inverse_of_civil_days(void **state)
{
	const struct hl_calendar utc = {0};
	struct hl_local_time local;
	(void)state;
	for (int32_t day = -800000; day < 800000; day += 37) {
		hl_calendar_local(&utc, day * US_PER_DAY, &local);
		assert_int_equal(hl_civil_days(local.year, local.month, local.day), day);
		assert_int_equal(local.day_number, day);
	}
}

static void local_time_reads_every_field(void **state)
{
	struct hl_local_time local;
	(void)state;
	hl_calendar_local(&county, at("2026-09-25 16:07:09") + 999999, &local);
	assert_int_equal(local.year, 2026);
	assert_int_equal(local.month, 9);
	assert_int_equal(local.day, 25);
	assert_int_equal(local.hour, 16);
	assert_int_equal(local.minute, 7);
	assert_int_equal(local.second, 9);
	assert_int_equal(local.weekday, 5);
	assert_int_equal(local.offset_s, SHANGHAI_S);
	assert_int_equal(local.day_number, 20721);
}

static void local_time_before_1970_rounds_down(void **state)
{
	const struct hl_calendar utc = {0};
	struct hl_local_time local;
	(void)state;
	hl_calendar_local(&utc, -1, &local);
	assert_string_equal(fixture_text(&utc, -1), "1969-12-31 23:59:59");
	assert_int_equal(local.weekday, 3);
}

/* --- known instants of the county --- */

static void working_minutes_end_at_known_instants(void **state)
{
	static const struct {
		const char *from;
		int64_t minutes;
		const char *end;
	} cases[] = {
		/* inside working time, over the noon break, over the night, over the weekend */
		{"2026-03-03 09:00", 60, "2026-03-03 10:00"},
		{"2026-03-03 11:00", 120, "2026-03-03 14:30"},
		{"2026-03-03 16:30", 240, "2026-03-04 11:30"},
		{"2026-03-06 16:30", 240, "2026-03-09 11:30"},
		/* a start outside working time moves to the next opening */
		{"2026-03-03 12:30", 30, "2026-03-03 14:00"},
		{"2026-03-03 05:00", 30, "2026-03-03 09:00"},
		{"2026-03-03 23:00", 30, "2026-03-04 09:00"},
		{"2026-03-07 10:00", 240, "2026-03-09 14:00"},
		/* a limit on a closing instant is that instant; a start there is outside */
		{"2026-03-03 10:00", 120, "2026-03-03 12:00"},
		{"2026-03-03 13:30", 240, "2026-03-03 17:30"},
		{"2026-03-06 08:30", 450, "2026-03-06 17:30"},
		{"2026-03-06 08:30", 451, "2026-03-09 08:31"},
		{"2026-03-06 17:30", 1, "2026-03-09 08:31"},
		{"2026-03-03 12:00", 1, "2026-03-03 13:31"},
		/* summer timetable: its first and last days, and the crossing */
		{"2026-06-01 12:00", 60, "2026-06-01 15:30"},
		{"2026-05-29 17:00", 270, "2026-06-01 15:00"},
		{"2026-09-30 17:00", 120, "2026-10-08 09:30"},
		/* 中秋 2026 lies on that Friday: counting starts on Monday in the summer timetable */
		{"2026-09-25 16:00", 240, "2026-09-28 15:00"},
		/* make-up Sunday 20 September and make-up Saturday 10 October are working days */
		{"2026-09-20 09:00", 240, "2026-09-20 15:30"},
		{"2026-09-18 18:00", 240, "2026-09-20 15:00"},
		{"2026-10-10 16:30", 120, "2026-10-12 09:30"},
		/* 春节 2025: last working day is Monday 27 January, first one Wednesday 5 February */
		{"2025-01-27 17:00", 60, "2025-02-05 09:00"},
		{"2025-01-26 16:30", 120, "2025-01-27 09:30"},
		/* seconds are kept */
		{"2026-03-03 11:59:30", 1, "2026-03-03 13:30:30"},
	};
	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct hl_instant end;
		assert_true(hl_calendar_add_minutes(&county, at(cases[i].from), cases[i].minutes, &end));
		if (strcmp(fixture_text(&county, end.at_us), cases[i].end))
			fail_msg("%s + %d min: %s, not %s", cases[i].from, (int)cases[i].minutes,
				 fixture_text(&county, end.at_us), cases[i].end);
		assert_false(end.is_provisional);
	}
}

static void working_days_end_at_known_closings(void **state)
{
	static const struct {
		const char *from;
		int n_days;
		const char *end;
	} cases[] = {
		/* the day of the start does not count, whatever its hour */
		{"2026-03-03 00:00", 1, "2026-03-04 17:30"},
		{"2026-03-03 08:30", 1, "2026-03-04 17:30"},
		{"2026-03-03 23:59", 1, "2026-03-04 17:30"},
		{"2026-03-02 10:00", 5, "2026-03-09 17:30"},
		{"2026-03-06 10:00", 1, "2026-03-09 17:30"},
		{"2026-03-07 10:00", 1, "2026-03-09 17:30"},
		{"2026-03-08 23:59", 5, "2026-03-13 17:30"},
		/* summer closes at 18:00; the last day decides */
		{"2026-05-29 10:00", 1, "2026-06-01 18:00"},
		{"2026-09-30 10:00", 1, "2026-10-08 17:30"},
		/* 国庆 2026: 1-7 October off, Saturday 10 October worked */
		{"2026-09-30 10:00", 3, "2026-10-10 17:30"},
		{"2026-09-24 10:00", 5, "2026-10-09 17:30"},
		{"2026-10-08 10:00", 5, "2026-10-14 17:30"},
		{"2024-09-30 09:00", 5, "2024-10-12 17:30"},
		/* a start on a make-up Saturday */
		{"2024-10-12 09:00", 1, "2024-10-14 17:30"},
	};
	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct hl_instant end;
		assert_true(hl_calendar_add_days(&county, at(cases[i].from), cases[i].n_days, &end));
		if (strcmp(fixture_text(&county, end.at_us), cases[i].end))
			fail_msg("%s + %d days: %s, not %s", cases[i].from, cases[i].n_days,
				 fixture_text(&county, end.at_us), cases[i].end);
	}
}

typedef bool ask_fn(const struct hl_calendar *cal, int64_t at_us, struct hl_instant *out_r);

static void neighbours_of_an_instant_are_known(void **state)
{
	static const struct {
		ask_fn *ask;
		const char *name, *from, *end;
	} cases[] = {
		{hl_calendar_previous_close, "previous_close", "2026-03-04 17:30", "2026-03-03 17:30"},
		{hl_calendar_previous_close, "previous_close", "2026-03-04 23:00", "2026-03-03 17:30"},
		{hl_calendar_previous_close, "previous_close", "2026-03-08 10:00", "2026-03-06 17:30"},
		{hl_calendar_previous_close, "previous_close", "2026-10-08 17:30", "2026-09-30 18:00"},
		{hl_calendar_next_open, "next_open", "2026-03-04 08:30", "2026-03-04 08:30"},
		{hl_calendar_next_open, "next_open", "2026-03-04 10:00:07", "2026-03-04 10:00:07"},
		{hl_calendar_next_open, "next_open", "2026-03-04 12:00", "2026-03-04 13:30"},
		{hl_calendar_next_open, "next_open", "2026-09-30 18:00", "2026-10-08 08:30"},
		{hl_calendar_day_close, "day_close", "2026-03-04 00:00", "2026-03-04 17:30"},
		{hl_calendar_day_close, "day_close", "2026-03-04 10:00", "2026-03-04 17:30"},
		{hl_calendar_day_close, "day_close", "2026-03-04 23:00", "2026-03-04 17:30"},
		{hl_calendar_day_close, "day_close", "2026-03-07 10:00", "2026-03-09 17:30"},
		{hl_calendar_day_close, "day_close", "2026-10-01 00:00", "2026-10-08 17:30"},
	};
	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct hl_instant end;
		assert_true(cases[i].ask(&county, at(cases[i].from), &end));
		if (strcmp(fixture_text(&county, end.at_us), cases[i].end))
			fail_msg("%s of %s: %s, not %s", cases[i].name, cases[i].from, fixture_text(&county, end.at_us),
				 cases[i].end);
	}
}

static void is_open_holds_the_opening_and_not_the_closing(void **state)
{
	(void)state;
	assert_false(hl_calendar_is_open(&county, at("2026-03-04 08:30") - 1));
	assert_true(hl_calendar_is_open(&county, at("2026-03-04 08:30")));
	assert_true(hl_calendar_is_open(&county, at("2026-03-04 12:00") - 1));
	assert_false(hl_calendar_is_open(&county, at("2026-03-04 12:00")));
	assert_false(hl_calendar_is_open(&county, at("2026-10-01 10:00")));
	assert_true(hl_calendar_is_open(&county, at("2026-10-10 10:00")));
}

static void worked_time_counts_only_working_time(void **state)
{
	static const struct {
		const char *from, *until;
		int64_t seconds;
	} cases[] = {
		{"2026-03-04 09:00", "2026-03-04 10:00", 3600},
		{"2026-03-04 11:59:30", "2026-03-04 13:30:30", 60},
		{"2026-03-04 00:00", "2026-03-05 00:00", 27000},
		{"2026-03-07 00:00", "2026-03-09 00:00", 0},
		{"2026-03-04 10:00", "2026-03-04 10:00", 0},
		{"2026-03-04 10:00", "2026-03-04 09:00", 0},
		{"2026-03-05 10:00", "2026-03-04 09:00", 0},
		{"2026-09-30 00:00", "2026-10-09 00:00", 25200 + 27000},
	};
	(void)state;
	for (size_t i = 0; i < N(cases); i++)
		assert_int_equal(hl_calendar_worked_us(&county, at(cases[i].from), at(cases[i].until)),
				 cases[i].seconds * US_PER_S);
}

static void working_days_are_counted_by_their_close(void **state)
{
	static const struct {
		const char *from, *until;
		int n;
	} cases[] = {
		{"2026-03-02 10:00", "2026-03-09 17:30", 6}, {"2026-03-02 17:30", "2026-03-09 17:30", 5},
		{"2026-03-02 17:30", "2026-03-09 17:29", 4}, {"2026-03-07 00:00", "2026-03-09 00:00", 0},
		{"2026-09-30 18:00", "2026-10-11 00:00", 3}, {"2026-03-09 10:00", "2026-03-02 10:00", 0},
		{"2026-03-02 10:00", "2026-03-02 12:00", 0},
	};
	(void)state;
	for (size_t i = 0; i < N(cases); i++)
		assert_int_equal(hl_calendar_working_days(&county, at(cases[i].from), at(cases[i].until)), cases[i].n);
}

/* --- the edges of what is known --- */

static void years_without_holidays_are_provisional(void **state)
{
	struct hl_instant end;
	(void)state;
	assert_int_equal(county.provisional_from_us, at("2027-01-01 00:00"));
	assert_true(hl_calendar_add_days(&county, at("2026-12-30 10:00"), 1, &end));
	assert_false(end.is_provisional);
	assert_true(hl_calendar_add_days(&county, at("2026-12-31 10:00"), 1, &end));
	assert_true(end.is_provisional);
	assert_string_equal(fixture_text(&county, end.at_us), "2027-01-01 17:30");
	assert_true(hl_calendar_add_minutes(&county, at("2026-12-31 17:00"), 31, &end));
	assert_true(end.is_provisional);
	assert_string_equal(fixture_text(&county, end.at_us), "2027-01-01 08:31");
	assert_true(hl_calendar_next_open(&county, at("2026-12-31 18:00"), &end));
	assert_true(end.is_provisional);
}

static void the_first_instant_of_an_unknown_year_is_provisional(void **state)
{
	struct hl_calendar cal;
	struct hl_instant open;
	(void)state;
	fixture_calendar(fixture_nights_spec, &cal);
	assert_true(hl_calendar_next_open(&cal, cal.provisional_from_us, &open));
	assert_int_equal(open.at_us, cal.provisional_from_us);
	assert_true(open.is_provisional);
	assert_true(hl_calendar_next_open(&cal, cal.provisional_from_us - 1, &open));
	assert_false(open.is_provisional);
	hl_calendar_fini(&cal);
}

static void a_known_close_seen_from_an_unknown_year_is_provisional(void **state)
{
	struct hl_instant end;
	(void)state;
	assert_true(hl_calendar_previous_close(&county, at("2027-01-01 17:30"), &end));
	assert_string_equal(fixture_text(&county, end.at_us), "2026-12-31 17:30");
	assert_true(end.is_provisional);
	assert_true(hl_calendar_previous_close(&county, at("2026-12-31 17:30"), &end));
	assert_false(end.is_provisional);
}

static void years_before_the_first_known_one_are_provisional(void **state)
{
	struct hl_instant end;
	(void)state;
	assert_int_equal(county.known_from_us, at("2022-01-01 00:00"));
	assert_true(hl_calendar_add_days(&county, at("2021-12-31 10:00"), 1, &end));
	assert_true(end.is_provisional);
	assert_true(hl_calendar_add_days(&county, at("2022-01-01 00:00"), 1, &end));
	assert_false(end.is_provisional);
}

static void a_calendar_can_be_widened_to_years_that_have_no_data(void **state)
{
	struct hl_error err = {.text = ""};
	struct hl_calendar cal;
	struct hl_instant end;
	json_t *spec, *doc;
	(void)state;
	assert_int_equal(hl_calendar_spec_read(SHIPPED_CALENDAR, &spec, &err), HL_OK);
	assert_int_equal(hl_calendar_expand_over(spec, 2019, 2041, &doc, &err), HL_OK);
	assert_int_equal(hl_calendar_load(doc, &cal, &err), HL_OK);
	assert_int_equal(cal.known_from_us, at("2022-01-01 00:00"));
	assert_true(hl_calendar_add_days(&cal, at("2019-06-03 10:00"), 1, &end));
	assert_string_equal(fixture_text(&cal, end.at_us), "2019-06-04 18:00");
	assert_true(end.is_provisional);
	assert_true(hl_calendar_add_days(&cal, at("2040-10-01 10:00"), 1, &end));
	assert_string_equal(fixture_text(&cal, end.at_us), "2040-10-02 17:30");
	assert_true(end.is_provisional);
	assert_true(hl_calendar_add_days(&cal, at("2024-09-30 10:00"), 1, &end));
	assert_string_equal(fixture_text(&cal, end.at_us), "2024-10-08 17:30");
	assert_false(end.is_provisional);
	json_decref(doc);
	assert_int_equal(hl_calendar_expand_over(spec, 1971, 2072, &doc, &err), HL_INPUT);
	json_decref(spec);
	hl_calendar_fini(&cal);
}

static void the_next_year_is_missed_from_november_on(void **state)
{
	int year;
	(void)state;
	assert_false(hl_calendar_missing_year(&county, at("2026-10-31 23:59"), &year));
	assert_true(hl_calendar_missing_year(&county, at("2026-11-01 00:00"), &year));
	assert_int_equal(year, 2027);
	assert_true(hl_calendar_missing_year(&county, at("2027-03-01 00:00"), &year));
	assert_int_equal(year, 2027);
	assert_false(hl_calendar_missing_year(&county, at("2025-12-01 00:00"), &year));
}

static void boundaries_are_walked_in_order(void **state)
{
	static const struct {
		const char *at;
		enum hl_boundary_kind kind;
	} expected[] = {
		{"2026-12-31 12:00", HL_BOUNDARY_CLOSES}, {"2026-12-31 13:30", HL_BOUNDARY_OPENS},
		{"2026-12-31 17:30", HL_BOUNDARY_CLOSES}, {"2027-01-01 00:00", HL_BOUNDARY_UNKNOWN},
		{"2027-01-01 08:30", HL_BOUNDARY_OPENS},
	};
	struct hl_boundary walk = {.at_us = at("2026-12-31 08:30"), .kind = HL_BOUNDARY_UNKNOWN};
	(void)state;
	for (size_t i = 0; i < N(expected); i++) {
		assert_true(hl_calendar_next_boundary(&county, &walk, at("2027-01-01 08:30"), &walk));
		assert_string_equal(fixture_text(&county, walk.at_us), expected[i].at);
		assert_int_equal(walk.kind, expected[i].kind);
	}
	assert_false(hl_calendar_next_boundary(&county, &walk, at("2027-01-01 08:30"), &walk));
}

/* Hours that touch close and open at one instant; a change of the clock lies inside an interval. */
static void boundaries_at_one_instant_are_all_there(void **state)
{
	struct hl_calendar cal;
	char seen[16] = "";
	(void)state;
	fixture_calendar(
		"{'name':'x','zone':'Europe/Amsterdam','week':['sun','mon'],'hours':[['00:00','12:00'],"
		"['12:00','13:00']],'holidays':[{'year':2024,'days':[{'date':'2024-01-01','isOffDay':true}]}]}",
		&cal);
	struct hl_boundary walk = {.at_us = fixture_at("2024-03-30 23:00", 0) - 1, .kind = HL_BOUNDARY_UNKNOWN};
	while (hl_calendar_next_boundary(&cal, &walk, fixture_at("2024-03-31 11:00", 0), &walk))
		strncat(seen, (const char[]){"COZU"[walk.kind], '\0'}, sizeof seen - strlen(seen) - 1);
	assert_string_equal(seen, "OZCOC");
	hl_calendar_fini(&cal);
}

static void the_calendar_refuses_what_lies_behind_its_end(void **state)
{
	struct hl_instant end;
	int64_t last_day = at("2029-12-31 10:00");
	(void)state;
	assert_true(hl_calendar_add_minutes(&county, last_day, 360, &end));
	assert_string_equal(fixture_text(&county, end.at_us), "2029-12-31 17:30");
	assert_false(hl_calendar_add_minutes(&county, last_day, 361, &end));
	assert_false(hl_calendar_add_minutes(&county, last_day, INT64_MAX, &end));
	assert_false(hl_calendar_add_days(&county, last_day, 1, &end));
	assert_true(hl_calendar_day_close(&county, last_day, &end));
	assert_false(hl_calendar_day_close(&county, at("2030-01-01 00:00"), &end));
	assert_false(hl_calendar_next_open(&county, at("2029-12-31 17:30"), &end));
	assert_false(hl_calendar_previous_close(&county, at("2022-01-01 10:00"), &end));
	assert_false(hl_calendar_is_open(&county, at("2031-01-06 10:00")));
}

static void an_empty_calendar_answers_nothing(void **state)
{
	struct hl_calendar empty = {0};
	struct hl_instant end;
	(void)state;
	assert_false(hl_calendar_add_minutes(&empty, 0, 1, &end));
	assert_false(hl_calendar_add_days(&empty, 0, 1, &end));
	assert_false(hl_calendar_previous_close(&empty, 0, &end));
	assert_false(hl_calendar_day_close(&empty, 0, &end));
	assert_false(hl_calendar_next_open(&empty, 0, &end));
	assert_int_equal(hl_calendar_worked_us(&empty, 0, INT64_MAX), 0);
	assert_int_equal(hl_calendar_working_days(&empty, 0, INT64_MAX), 0);
	assert_false(hl_calendar_is_open(&empty, 0));
	hl_calendar_fini(&empty);
}

/* --- zones that change their clock --- */

static void limits_cross_a_change_of_the_clock(void **state)
{
	struct hl_calendar cal;
	struct hl_instant end;
	(void)state;
	fixture_calendar(amsterdam_spec, &cal);
	/* Friday 25 October 2024 16:00 summer time; the clock goes back on Sunday the 27th. */
	int64_t friday = fixture_at("2024-10-25 16:00", 7200);
	assert_true(hl_calendar_add_minutes(&cal, friday, 120, &end));
	assert_int_equal(end.at_us, fixture_at("2024-10-28 10:00", 3600));
	assert_string_equal(fixture_text(&cal, end.at_us), "2024-10-28 10:00");
	assert_true(hl_calendar_add_days(&cal, friday, 1, &end));
	assert_int_equal(end.at_us, fixture_at("2024-10-28 17:00", 3600));
	assert_true(hl_calendar_previous_close(&cal, end.at_us, &end));
	assert_int_equal(end.at_us, fixture_at("2024-10-25 17:00", 7200));
	/* And forward on Sunday 31 March. */
	assert_true(hl_calendar_add_minutes(&cal, fixture_at("2024-03-29 16:00", 3600), 120, &end));
	assert_int_equal(end.at_us, fixture_at("2024-04-01 10:00", 7200));
	hl_calendar_fini(&cal);
}

static void local_days_change_at_local_midnight(void **state)
{
	struct hl_calendar cal;
	struct hl_instant end;
	(void)state;
	fixture_calendar(amsterdam_spec, &cal);
	/* 23:30 on Tuesday in winter is 22:30 UTC, in summer 21:30: the day of the start is Tuesday in both. */
	assert_true(hl_calendar_add_days(&cal, fixture_at("2024-11-05 23:30", 3600), 1, &end));
	assert_string_equal(fixture_text(&cal, end.at_us), "2024-11-06 17:00");
	assert_true(hl_calendar_add_days(&cal, fixture_at("2024-07-02 23:30", 7200), 1, &end));
	assert_string_equal(fixture_text(&cal, end.at_us), "2024-07-03 17:00");
	assert_true(hl_calendar_add_days(&cal, fixture_at("2024-07-03 00:30", 7200), 1, &end));
	assert_string_equal(fixture_text(&cal, end.at_us), "2024-07-04 17:00");
	hl_calendar_fini(&cal);
}

static void intervals_that_hold_a_change_have_their_real_length(void **state)
{
	struct hl_calendar cal;
	struct hl_instant end;
	(void)state;
	fixture_calendar(fixture_nights_spec, &cal);
	int64_t october = fixture_at("2024-10-27 00:00", 7200), march = fixture_at("2024-03-31 00:00", 3600);
	assert_int_equal(hl_calendar_worked_us(&cal, october, fixture_at("2024-10-27 12:00", 3600)), 7 * US_PER_HOUR);
	assert_int_equal(hl_calendar_worked_us(&cal, march, fixture_at("2024-03-31 12:00", 7200)), 5 * US_PER_HOUR);
	assert_true(hl_calendar_add_minutes(&cal, october, 240, &end));
	assert_int_equal(end.at_us, fixture_at("2024-10-27 03:00", 3600));
	assert_true(hl_calendar_add_minutes(&cal, march, 240, &end));
	assert_int_equal(end.at_us, fixture_at("2024-03-31 05:00", 7200));
	/* A shift that closes at 24:00 belongs to the day it opened on. */
	assert_true(hl_calendar_add_days(&cal, march, 1, &end));
	assert_int_equal(end.at_us, fixture_at("2024-04-02 00:00", 7200));
	hl_calendar_fini(&cal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(civil_days_count_from_1970),
		cmocka_unit_test(local_time_is_the_inverse_of_civil_days),
		cmocka_unit_test(local_time_reads_every_field),
		cmocka_unit_test(local_time_before_1970_rounds_down),
		cmocka_unit_test(working_minutes_end_at_known_instants),
		cmocka_unit_test(working_days_end_at_known_closings),
		cmocka_unit_test(neighbours_of_an_instant_are_known),
		cmocka_unit_test(is_open_holds_the_opening_and_not_the_closing),
		cmocka_unit_test(worked_time_counts_only_working_time),
		cmocka_unit_test(working_days_are_counted_by_their_close),
		cmocka_unit_test(years_without_holidays_are_provisional),
		cmocka_unit_test(the_first_instant_of_an_unknown_year_is_provisional),
		cmocka_unit_test(a_known_close_seen_from_an_unknown_year_is_provisional),
		cmocka_unit_test(years_before_the_first_known_one_are_provisional),
		cmocka_unit_test(a_calendar_can_be_widened_to_years_that_have_no_data),
		cmocka_unit_test(the_next_year_is_missed_from_november_on),
		cmocka_unit_test(boundaries_are_walked_in_order),
		cmocka_unit_test(boundaries_at_one_instant_are_all_there),
		cmocka_unit_test(the_calendar_refuses_what_lies_behind_its_end),
		cmocka_unit_test(an_empty_calendar_answers_nothing),
		cmocka_unit_test(limits_cross_a_change_of_the_clock),
		cmocka_unit_test(local_days_change_at_local_midnight),
		cmocka_unit_test(intervals_that_hold_a_change_have_their_real_length),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
