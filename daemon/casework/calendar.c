/* calendar.c - arithmetic on working time that was already expanded to UTC intervals
 *
 * Owns     nothing but the arrays of a struct hl_calendar (hl_calendar_fini).
 * Knows not weekdays, holidays or zone rules: all of that happened at import
 *          (refdata/calendar_expand.c). Local time is one lookup in a table of offsets.
 * Limits   before the first interval and behind the last one nothing is known: a start
 *          before the first interval counts from there, an answer behind the last is refused.
 *
 * An interval is half open: its closing instant is outside. A span that is used up
 * exactly at the closing instant still ends there, because it was worked in full.
 */
#include "hotline/calendar.h"
#include "hotline/error.h"

#include <stdlib.h>
#include <string.h>

#define US_PER_S      INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_S)
#define S_PER_DAY     86400

#define YEAR_EXPECTED_MONTH 11 /* the State Council announces the next year's holidays around then */

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days of the era of 400 years that starts on 1 March: leap days then fall at the end of a year. */
int32_t hl_civil_days(int year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = floor_div(y, 400);
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return (int32_t)(era * 146097 + day_of_era - 719468);
}

/* The inverse of hl_civil_days. */
static void civil_date(int64_t days, struct hl_local_time *out_r)
{
	int64_t shifted = days + 719468;
	int64_t era = floor_div(shifted, 146097);
	int64_t day_of_era = shifted - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;
	out_r->day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
	out_r->month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
	out_r->year = (int)(year_of_era + era * 400 + (out_r->month <= 2));
}

static int32_t offset_at(const struct hl_calendar *cal, int64_t at_us)
{
	size_t low = 0, high = cal->n_offsets;
	/* The last offset that has begun; the first one reaches back for ever. */
	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;
		if (cal->offsets[mid].from_us <= at_us)
			low = mid;
		else
			high = mid;
	}
	return cal->n_offsets ? cal->offsets[low].offset_s : 0;
}

void hl_calendar_local(const struct hl_calendar *cal, int64_t at_us, struct hl_local_time *out_r)
{
	int32_t offset_s = offset_at(cal, at_us);
	int64_t local_s = floor_div(at_us, US_PER_S) + offset_s;
	int64_t days = floor_div(local_s, S_PER_DAY);
	int second_of_day = (int)(local_s - days * S_PER_DAY);
	civil_date(days, out_r);
	out_r->hour = second_of_day / 3600;
	out_r->minute = second_of_day / 60 % 60;
	out_r->second = second_of_day % 60;
	out_r->weekday = (int)(days + 4 - floor_div(days + 4, 7) * 7); /* 1970-01-01 was a Thursday */
	out_r->offset_s = offset_s;
	out_r->day_number = (int32_t)days;
}

int64_t hl_calendar_at_local(const struct hl_calendar *cal, const struct hl_local_time *local)
{
	int64_t local_s = (int64_t)hl_civil_days(local->year, local->month, local->day) * S_PER_DAY +
			  local->hour * 3600 + local->minute * 60 + local->second;
	int64_t at_us = local_s * US_PER_S;
	for (size_t i = 0; i < cal->n_offsets; i++) {
		bool is_last = i + 1 == cal->n_offsets;
		at_us = (local_s - cal->offsets[i].offset_s) * US_PER_S;
		/* The offset in force before a change is tried first: it gives the first showing. */
		if (is_last || at_us < cal->offsets[i + 1].from_us)
			return i > 0 && at_us < cal->offsets[i].from_us ? cal->offsets[i].from_us : at_us;
	}
	return at_us;
}

static int32_t local_day(const struct hl_calendar *cal, int64_t at_us)
{
	return (int32_t)floor_div(floor_div(at_us, US_PER_S) + offset_at(cal, at_us), S_PER_DAY);
}

/* The first interval that closes after at_us, n_intervals if none does. */
static size_t first_closing_after(const struct hl_calendar *cal, int64_t at_us)
{
	size_t low = 0, high = cal->n_intervals;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (cal->intervals[mid].closes_us > at_us)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* The first interval of that local day or a later one, n_intervals if there is none. */
static size_t first_of_day(const struct hl_calendar *cal, int32_t day)
{
	size_t low = 0, high = cal->n_intervals;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (cal->intervals[mid].day >= day)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static bool is_last_of_day(const struct hl_calendar *cal, size_t i)
{
	return i + 1 == cal->n_intervals || cal->intervals[i + 1].day != cal->intervals[i].day;
}

/* first_us, last_us: the earliest and the latest instant whose surroundings the answer rests on. */
static bool answer(const struct hl_calendar *cal, int64_t at_us, int64_t first_us, int64_t last_us,
		   struct hl_instant *out_r)
{
	bool is_known = first_us >= cal->known_from_us && last_us < cal->provisional_from_us;
	*out_r = (struct hl_instant){.at_us = at_us, .is_provisional = !is_known};
	return true;
}

bool hl_calendar_add_us(const struct hl_calendar *cal, int64_t from_us, int64_t span_us, struct hl_instant *out_r)
{
	hl_assert(span_us > 0);
	int64_t left_us = span_us;
	for (size_t i = first_closing_after(cal, from_us); i < cal->n_intervals; i++) {
		const struct hl_interval *interval = &cal->intervals[i];
		int64_t start_us = interval->opens_us > from_us ? interval->opens_us : from_us;
		if (left_us <= interval->closes_us - start_us)
			return answer(cal, start_us + left_us, from_us, start_us + left_us, out_r);
		left_us -= interval->closes_us - start_us;
	}
	return false;
}

bool hl_calendar_add_minutes(const struct hl_calendar *cal, int64_t from_us, int64_t minutes, struct hl_instant *out_r)
{
	/* More minutes than there are microseconds cannot fit any calendar. */
	if (minutes > INT64_MAX / US_PER_MINUTE)
		return false;
	return hl_calendar_add_us(cal, from_us, minutes * US_PER_MINUTE, out_r);
}

bool hl_calendar_add_days(const struct hl_calendar *cal, int64_t from_us, int n_days, struct hl_instant *out_r)
{
	hl_assert(n_days > 0);
	int left = n_days;
	for (size_t i = first_of_day(cal, local_day(cal, from_us) + 1); i < cal->n_intervals; i++) {
		int64_t closes_us = cal->intervals[i].closes_us;
		if (is_last_of_day(cal, i) && --left == 0)
			return answer(cal, closes_us, from_us, closes_us, out_r);
	}
	return false;
}

bool hl_calendar_previous_close(const struct hl_calendar *cal, int64_t at_us, struct hl_instant *out_r)
{
	size_t i = first_of_day(cal, local_day(cal, at_us));
	/* The days between that close and at_us decide it too: one of them may turn into a working day. */
	return i > 0 && answer(cal, cal->intervals[i - 1].closes_us, cal->intervals[i - 1].closes_us, at_us, out_r);
}

bool hl_calendar_next_open(const struct hl_calendar *cal, int64_t at_us, struct hl_instant *out_r)
{
	size_t i = first_closing_after(cal, at_us);
	if (i == cal->n_intervals)
		return false;
	int64_t open_us = cal->intervals[i].opens_us > at_us ? cal->intervals[i].opens_us : at_us;
	return answer(cal, open_us, at_us, open_us, out_r);
}

bool hl_calendar_day_close(const struct hl_calendar *cal, int64_t at_us, struct hl_instant *out_r)
{
	size_t i = first_of_day(cal, local_day(cal, at_us));
	if (i == cal->n_intervals)
		return false;
	while (!is_last_of_day(cal, i))
		i++;
	return answer(cal, cal->intervals[i].closes_us, at_us, cal->intervals[i].closes_us, out_r);
}

int64_t hl_calendar_worked_us(const struct hl_calendar *cal, int64_t from_us, int64_t until_us)
{
	int64_t worked_us = 0;
	for (size_t i = first_closing_after(cal, from_us); i < cal->n_intervals; i++) {
		const struct hl_interval *interval = &cal->intervals[i];
		if (interval->opens_us >= until_us)
			break;
		int64_t start_us = interval->opens_us > from_us ? interval->opens_us : from_us;
		int64_t end_us = interval->closes_us < until_us ? interval->closes_us : until_us;
		/* A negative span (until before from, both inside one interval) counts as none. */
		worked_us += end_us > start_us ? end_us - start_us : 0;
	}
	return worked_us;
}

int hl_calendar_working_days(const struct hl_calendar *cal, int64_t from_us, int64_t until_us)
{
	int n = 0;
	for (size_t i = first_closing_after(cal, from_us); i < cal->n_intervals; i++) {
		if (cal->intervals[i].closes_us > until_us)
			break;
		n += is_last_of_day(cal, i);
	}
	return n;
}

bool hl_calendar_is_open(const struct hl_calendar *cal, int64_t at_us)
{
	size_t i = first_closing_after(cal, at_us);
	return i < cal->n_intervals && cal->intervals[i].opens_us <= at_us;
}

bool hl_calendar_missing_year(const struct hl_calendar *cal, int64_t now_us, int *year_r)
{
	struct hl_local_time now, unknown;
	hl_calendar_local(cal, now_us, &now);
	hl_calendar_local(cal, cal->provisional_from_us, &unknown);
	int needed = now.month >= YEAR_EXPECTED_MONTH ? now.year + 1 : now.year;
	*year_r = unknown.year;
	return unknown.year <= needed;
}

static void keep_earlier(struct hl_boundary *best, int64_t at_us, enum hl_boundary_kind kind)
{
	if (at_us < best->at_us || (at_us == best->at_us && kind < best->kind))
		*best = (struct hl_boundary){.at_us = at_us, .kind = kind};
}

/* The first of sorted offsets that begins after at_us, n_offsets if none does; the first one is no change. */
static size_t first_change_after(const struct hl_calendar *cal, int64_t at_us)
{
	size_t i = 1;
	while (i < cal->n_offsets && cal->offsets[i].from_us <= at_us)
		i++;
	return i;
}

bool hl_calendar_next_boundary(const struct hl_calendar *cal, const struct hl_boundary *previous, int64_t until_us,
			       struct hl_boundary *out_r)
{
	struct hl_boundary best = {.at_us = INT64_MAX, .kind = HL_BOUNDARY_UNKNOWN};
	for (int kind = HL_BOUNDARY_CLOSES; kind <= HL_BOUNDARY_UNKNOWN; kind++) {
		/* At the instant where the walk is, only the kinds behind the last one are left. */
		int64_t after_us = previous->at_us - (kind > (int)previous->kind);
		size_t i = first_closing_after(cal, after_us);
		/* The interval that is open has its opening behind it. */
		size_t opening = i < cal->n_intervals && cal->intervals[i].opens_us <= after_us ? i + 1 : i;
		size_t change = first_change_after(cal, after_us);
		if (kind == HL_BOUNDARY_CLOSES && i < cal->n_intervals)
			keep_earlier(&best, cal->intervals[i].closes_us, HL_BOUNDARY_CLOSES);
		else if (kind == HL_BOUNDARY_OPENS && opening < cal->n_intervals)
			keep_earlier(&best, cal->intervals[opening].opens_us, HL_BOUNDARY_OPENS);
		else if (kind == HL_BOUNDARY_CLOCK && change < cal->n_offsets)
			keep_earlier(&best, cal->offsets[change].from_us, HL_BOUNDARY_CLOCK);
		else if (kind == HL_BOUNDARY_UNKNOWN && cal->provisional_from_us > after_us)
			keep_earlier(&best, cal->provisional_from_us, HL_BOUNDARY_UNKNOWN);
	}
	*out_r = best;
	return best.at_us <= until_us;
}

void hl_calendar_fini(struct hl_calendar *cal)
{
	free(cal->intervals);
	free(cal->offsets);
	memset(cal, 0, sizeof *cal);
}
