/* test_calendar_minutes.c - every start minute of whole years against a table of minutes
 *
 * The reference is a table with one entry per minute, open or not, filled from the rules as people write them:
 * weekdays, hours, seasons, holidays, and the rule of a zone's clock changes. It shares no code and no zone database
 * with the calendar. A limit is then the place of the n-th open minute.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calendar_fixture.h"

#define N(list)     (sizeof(list) / sizeof *(list))
#define DAY_MINUTES 1440

struct rules {
	int first_year, last_year; /* of which the holidays are known */
	int32_t (*offset_min)(int64_t utc_min);
	bool works[7];              /* 0 = Sunday */
	int hours[2][2][2];         /* [ordinary, season][pair][opens, closes) */
	int season_from, season_to; /* MMDD, 0: none */
	signed char *marks;         /* of each local day from first_day on: 1 works, -1 does not, 0 as the weekday */
};

struct table {
	int64_t first_min;
	size_t n;
	unsigned char *is_open;
	uint32_t *open_before; /* number of open minutes before each */
	uint32_t *places;      /* the minute of the k-th open one */
	uint32_t n_open;
	int32_t first_day;
	size_t n_days;
	uint32_t *closes; /* of each local day: the minute behind its last open one, 0: not worked */
};

static int32_t shanghai_min(int64_t utc_min)
{
	(void)utc_min;
	return 8 * 60;
}

/* Last Sunday of March 01:00 UTC to last Sunday of October 01:00 UTC. */
static int32_t amsterdam_min(int64_t utc_min)
{
	int year = 1970 + (int)(utc_min / (INT64_C(365) * DAY_MINUTES + 349));
	int32_t march = hl_civil_days(year, 3, 31), october = hl_civil_days(year, 10, 31);
	march -= (march + 4) % 7;
	october -= (october + 4) % 7;
	bool is_summer = utc_min >= march * INT64_C(1440) + 60 && utc_min < october * INT64_C(1440) + 60;
	return is_summer ? 120 : 60;
}

/* Second Sunday of March 07:00 UTC to first Sunday of November 06:00 UTC. */
static int32_t new_york_min(int64_t utc_min)
{
	int year = 1970 + (int)(utc_min / (INT64_C(365) * DAY_MINUTES + 349));
	int32_t march = hl_civil_days(year, 3, 8), november = hl_civil_days(year, 11, 1);
	march += (7 - (march + 4) % 7) % 7;
	november += (7 - (november + 4) % 7) % 7;
	bool is_summer = utc_min >= march * INT64_C(1440) + 7 * 60 && utc_min < november * INT64_C(1440) + 6 * 60;
	return is_summer ? -4 * 60 : -5 * 60;
}

/* MMDD of every day of a year of 365 or 366 days, by counting on. */
static int mmdd_of(int year, int32_t day)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int left = day - hl_civil_days(year, 1, 1);
	for (int month = 1;; month++) {
		int length = lengths[month - 1] + (month == 2 && year % 4 == 0);
		if (left < length)
			return month * 100 + left + 1;
		left -= length;
	}
}

static bool is_season(const struct rules *rules, int mmdd)
{
	if (!rules->season_from)
		return false;
	if (rules->season_from <= rules->season_to)
		return mmdd >= rules->season_from && mmdd <= rules->season_to;
	return mmdd >= rules->season_from || mmdd <= rules->season_to;
}

static bool is_open(const struct rules *rules, const struct table *t, int32_t day, int minute)
{
	int year = 1970 + (int)(day / 365.2425);
	if (day >= hl_civil_days(year + 1, 1, 1))
		year++;
	else if (day < hl_civil_days(year, 1, 1))
		year--;
	int8_t mark = rules->marks[day - t->first_day];
	if (mark < 0 || (mark == 0 && !rules->works[(day + 4) % 7]))
		return false;
	const int(*hours)[2] = rules->hours[is_season(rules, mmdd_of(year, day))];
	return (minute >= hours[0][0] && minute < hours[0][1]) || (minute >= hours[1][0] && minute < hours[1][1]);
}

static void table_make(const struct rules *rules, struct table *t)
{
	t->first_day = hl_civil_days(rules->first_year, 1, 1);
	t->n_days = (size_t)(hl_civil_days(rules->last_year + 1, 7, 1) - t->first_day);
	/* The first and the last local day are left out of the table: no zone reaches over more than one. */
	t->first_min = (t->first_day + 1) * INT64_C(1440);
	t->n = (t->n_days - 2) * DAY_MINUTES;
	t->is_open = calloc(t->n, 1);
	t->open_before = calloc(t->n + 1, sizeof *t->open_before);
	t->places = calloc(t->n, sizeof *t->places);
	t->closes = calloc(t->n_days, sizeof *t->closes);
	t->n_open = 0;
	for (size_t i = 0; i < t->n; i++) {
		int64_t local_min = t->first_min + (int64_t)i + rules->offset_min(t->first_min + (int64_t)i);
		int32_t day = (int32_t)(local_min / DAY_MINUTES);
		t->is_open[i] = is_open(rules, t, day, (int)(local_min % DAY_MINUTES));
		t->open_before[i] = t->n_open;
		if (t->is_open[i]) {
			t->places[t->n_open++] = (uint32_t)i;
			t->closes[day - t->first_day] = (uint32_t)i + 1;
		}
	}
	t->open_before[t->n] = t->n_open;
}

static void table_free(struct table *t)
{
	free(t->is_open);
	free(t->open_before);
	free(t->places);
	free(t->closes);
}

static int64_t instant(const struct table *t, uint32_t i)
{
	return (t->first_min + i) * US_PER_MINUTE;
}

static void compare_minutes(const struct table *t, const struct hl_calendar *cal, uint32_t i, uint32_t minutes)
{
	struct hl_instant end;
	uint32_t k = t->open_before[i] + minutes - 1;
	if (k >= t->n_open)
		return;
	if (!hl_calendar_add_minutes(cal, instant(t, i), minutes, &end) || end.at_us != instant(t, t->places[k] + 1))
		fail_msg("%u minutes from %s: not %s", minutes, fixture_text(cal, instant(t, i)),
			 fixture_text(cal, instant(t, t->places[k] + 1)));
}

static void compare_days(const struct rules *rules, const struct table *t, const struct hl_calendar *cal, uint32_t i,
			 int n_days)
{
	struct hl_instant end;
	int64_t utc_min = t->first_min + i;
	size_t day = (size_t)((utc_min + rules->offset_min(utc_min)) / DAY_MINUTES - t->first_day);
	int left = n_days;
	while (left > 0 && ++day + 3 < t->n_days) /* the table's last day is cut off in the west */
		left -= t->closes[day] != 0;
	if (left > 0)
		return;
	if (!hl_calendar_add_days(cal, instant(t, i), n_days, &end) || end.at_us != instant(t, t->closes[day]))
		fail_msg("%d days from %s: %s, not %s", n_days, fixture_text(cal, instant(t, i)),
			 fixture_text(cal, end.at_us), fixture_text(cal, instant(t, t->closes[day])));
}

/* Every minute is open or not as the table says, and from every one the same limits follow. */
static void compare_all(const struct rules *rules, const struct table *t, const struct hl_calendar *cal, uint32_t step)
{
	for (uint32_t i = 0; i < t->n; i += step) {
		if (hl_calendar_is_open(cal, instant(t, i)) != t->is_open[i])
			fail_msg("%s must be %s", fixture_text(cal, instant(t, i)), t->is_open[i] ? "open" : "closed");
		compare_minutes(t, cal, i, 240);
		compare_days(rules, t, cal, i, 5);
	}
}

/* --- the county: 2022 to 2026, every start minute --- */

static void county_rules(struct rules *rules)
{
	struct hl_error err;
	json_t *spec, *year, *day;
	size_t i, j;
	*rules = (struct rules){.first_year = 2022,
				.last_year = 2026,
				.offset_min = shanghai_min,
				.works = {false, true, true, true, true, true, false},
				.hours = {{{510, 720}, {810, 1050}}, {{510, 720}, {870, 1080}}},
				.season_from = 601,
				.season_to = 930};
	int32_t first_day = hl_civil_days(2022, 1, 1), n_days = hl_civil_days(2027, 7, 1) - first_day;
	rules->marks = calloc((size_t)n_days, 1);
	assert_int_equal(hl_calendar_spec_read(SHIPPED_CALENDAR, &spec, &err), HL_OK);
	json_array_foreach (json_object_get(spec, "holidays"), i, year)
		json_array_foreach (json_object_get(year, "days"), j, day) {
			int y, m, d;
			assert_int_equal(
				sscanf(json_string_value(json_object_get(day, "date")), "%d-%d-%d", &y, &m, &d), 3);
			int32_t at_day = hl_civil_days(y, m, d) - first_day;
			if (at_day >= 0 && at_day < n_days)
				rules->marks[at_day] = json_is_true(json_object_get(day, "isOffDay")) ? -1 : 1;
		}
	json_decref(spec);
}

static void every_third_minute_of_five_years_leads_to_the_limit_of_the_reference(void **state)
{
	struct rules rules;
	struct table t;
	struct hl_calendar cal;
	(void)state;
	county_rules(&rules);
	table_make(&rules, &t);
	fixture_shipped(&cal);
	compare_all(&rules, &t, &cal, 3); /* the weeks around the long holidays: every one, below */
	hl_calendar_fini(&cal);
	table_free(&t);
	free(rules.marks);
}

/* 国庆 and 春节 with a week on both sides, spans from a minute to four weeks, from every minute. */
static void spans_from_every_minute_around_the_long_holidays_agree(void **state)
{
	static const int weeks[][3] = {{2022, 124, 215}, {2022, 924, 1016}, {2023, 114, 205}, {2023, 922, 1014},
				       {2024, 202, 225}, {2024, 923, 1019}, {2025, 119, 212}, {2025, 923, 1016},
				       {2026, 207, 302}, {2026, 919, 1018}};
	static const uint32_t minutes[] = {1, 29, 450, 451, 900, 2250, 9600};
	struct rules rules;
	struct table t;
	struct hl_calendar cal;
	(void)state;
	county_rules(&rules);
	table_make(&rules, &t);
	fixture_shipped(&cal);
	for (size_t w = 0; w < N(weeks); w++) {
		int32_t first = hl_civil_days(weeks[w][0], weeks[w][1] / 100, weeks[w][1] % 100);
		int32_t last = hl_civil_days(weeks[w][0], weeks[w][2] / 100, weeks[w][2] % 100);
		for (int64_t m = first * INT64_C(1440) - t.first_min; m < last * INT64_C(1440) - t.first_min; m++)
			for (size_t k = 0; k < N(minutes); k++) {
				compare_minutes(&t, &cal, (uint32_t)m, minutes[k]);
				compare_days(&rules, &t, &cal, (uint32_t)m, (int)k + 1);
			}
	}
	hl_calendar_fini(&cal);
	table_free(&t);
	free(rules.marks);
}

/* --- synthetic years: rules drawn at random, in zones with and without changes of the clock --- */

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static const struct zone {
	const char *name;
	int32_t (*offset_min)(int64_t utc_min);
} zones[] = {{"Europe/Amsterdam", amsterdam_min}, {"America/New_York", new_york_min}, {"Asia/Shanghai", shanghai_min}};

/* No hours begin or end between 01:00 and 03:00, where a clock may show a time twice or not at all; they may run over
 * it. test_calendar.c has what happens there. */
static void draw_hours(uint32_t *seed, int hours[2][2])
{
	hours[0][0] = next_random(seed) % 3 ? 180 + (int)(next_random(seed) % 240) : (int)(next_random(seed) % 60);
	hours[0][1] = 430 + (int)(next_random(seed) % 270);
	hours[1][0] = hours[0][1] + (int)(next_random(seed) % 120);
	hours[1][1] = next_random(seed) % 4 ? hours[1][0] + 1 + (int)(next_random(seed) % 500) : 1440;
}

static void draw_rules(uint32_t *seed, const struct zone *zone, struct rules *rules)
{
	int year = 1990 + (int)(next_random(seed) % 80);
	*rules = (struct rules){.first_year = year, .last_year = year + 1, .offset_min = zone->offset_min};
	for (int i = 0; i < 7; i++)
		rules->works[i] = next_random(seed) % 3 > 0;
	rules->works[next_random(seed) % 7] = true;
	draw_hours(seed, rules->hours[0]);
	draw_hours(seed, rules->hours[1]);
	rules->season_from = (int)(1 + next_random(seed) % 12) * 100 + (int)(1 + next_random(seed) % 28);
	rules->season_to = (int)(1 + next_random(seed) % 12) * 100 + (int)(1 + next_random(seed) % 28);
	size_t n_days = (size_t)(hl_civil_days(year + 2, 7, 1) - hl_civil_days(year, 1, 1));
	rules->marks = calloc(n_days, 1);
	for (size_t i = 0; i < n_days; i++)
		if (i < 730 && next_random(seed) % 12 == 0)
			rules->marks[i] = next_random(seed) % 3 ? -1 : 1;
	rules->marks[10] = -1; /* a year without an entry would be an unknown one */
	rules->marks[400] = 1;
}

static json_t *hours_json(int hours[2][2])
{
	char text[2][2][16];
	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 2; j++)
			snprintf(text[i][j], sizeof text[i][j], "%02d:%02d", hours[i][j] / 60, hours[i][j] % 60);
	return json_pack("[[s,s],[s,s]]", text[0][0], text[0][1], text[1][0], text[1][1]);
}

static json_t *holidays_json(const struct rules *rules)
{
	json_t *years = json_array();
	for (int year = rules->first_year; year <= rules->last_year; year++) {
		json_t *days = json_array();
		for (int32_t day = hl_civil_days(year, 1, 1); day < hl_civil_days(year + 1, 1, 1); day++) {
			int8_t mark = rules->marks[day - hl_civil_days(rules->first_year, 1, 1)];
			char date[40];
			int mmdd = mmdd_of(year, day);
			snprintf(date, sizeof date, "%04d-%02d-%02d", year, mmdd / 100, mmdd % 100);
			if (mark)
				json_array_append_new(days, json_pack("{s:s,s:b}", "date", date, "isOffDay", mark < 0));
		}
		json_array_append_new(years, json_pack("{s:i,s:o}", "year", year, "days", days));
	}
	return years;
}

static void load_rules(struct rules *rules, const char *zone, struct hl_calendar *cal_r)
{
	static const char *const names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
	char from[32], to[32];
	struct hl_error err = {.text = ""};
	json_t *week = json_array(), *doc;
	for (int i = 0; i < 7; i++)
		if (rules->works[i])
			json_array_append_new(week, json_string(names[i]));
	snprintf(from, sizeof from, "%02d-%02d", rules->season_from / 100, rules->season_from % 100);
	snprintf(to, sizeof to, "%02d-%02d", rules->season_to / 100, rules->season_to % 100);
	json_t *spec = json_pack("{s:s,s:s,s:o,s:o,s:[{s:s,s:s,s:s,s:o}],s:o}", "name", "drawn", "zone", zone, "week",
				 week, "hours", hours_json(rules->hours[0]), "seasons", "name", "s", "from", from, "to",
				 to, "hours", hours_json(rules->hours[1]), "holidays", holidays_json(rules));
	if (hl_calendar_expand(spec, &doc, &err) || hl_calendar_load(doc, cal_r, &err))
		fail_msg("%s", err.text);
	json_decref(doc);
	json_decref(spec);
}

static void drawn_calendars_agree_from_every_minute(void **state)
{
	uint32_t seed = 20261125;
	(void)state;
	for (int round = 0; round < 12; round++) {
		const struct zone *zone = &zones[round % N(zones)];
		struct rules rules;
		struct table t;
		struct hl_calendar cal;
		draw_rules(&seed, zone, &rules);
		table_make(&rules, &t);
		load_rules(&rules, zone->name, &cal);
		compare_all(&rules, &t, &cal, round < 3 ? 1 : 7);
		hl_calendar_fini(&cal);
		table_free(&t);
		free(rules.marks);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_third_minute_of_five_years_leads_to_the_limit_of_the_reference),
		cmocka_unit_test(spans_from_every_minute_around_the_long_holidays_agree),
		cmocka_unit_test(drawn_calendars_agree_from_every_minute),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
