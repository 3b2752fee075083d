/* calendar.h - working time as a sorted list of UTC intervals; pure arithmetic
 *
 * A calendar is expanded once, at import (zone rules, weekly hours, noon break,
 * summer timetable, holidays, make-up weekends); here it is only intervals, so no
 * zone rule is ever needed at run time and every answer can be replayed.
 * Before known_from_us and from provisional_from_us on the holidays are unknown: answers
 * that rest on such a year carry a flag.
 * All instants are microseconds since 1970-01-01 UTC.
 */
#ifndef HOTLINE_CALENDAR_H
#define HOTLINE_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hl_interval {
	int64_t opens_us, closes_us; /* opens < closes; minute precision */
	int32_t day;                 /* local date as days since 1970-01-01: intervals of one working day share it */
};

struct hl_zone_offset {
	int64_t from_us;
	int32_t offset_s; /* local = UTC + offset */
};

struct hl_calendar {
	char name[32], zone[48];
	struct hl_interval *intervals; /* sorted, disjoint */
	size_t n_intervals;
	struct hl_zone_offset *offsets; /* sorted; the first one reaches back for ever */
	size_t n_offsets;
	int64_t known_from_us, provisional_from_us;
};

struct hl_instant {
	int64_t at_us;
	bool is_provisional;
};

struct hl_local_time {
	int year, month, day, hour, minute, second, weekday; /* weekday 0 = Sunday */
	int32_t offset_s;
	int32_t day_number; /* days since 1970-01-01, local */
};

/* hl_calendar_add_minutes - the instant after so many minutes of working time.
 * Takes   from_us: any instant (outside working time: counting starts at the next opening); minutes > 0.
 * Gives   true and *out_r; a limit that falls exactly on a closing instant is that instant.
 * Errors  false: the calendar ends before
 * Cost    O(log n + intervals crossed) */
bool hl_calendar_add_minutes(const struct hl_calendar *cal, int64_t from_us, int64_t minutes, struct hl_instant *out_r);

/* hl_calendar_add_us - the same for a share of a limit: span_us > 0 microseconds of working time. */
bool hl_calendar_add_us(const struct hl_calendar *cal, int64_t from_us, int64_t span_us, struct hl_instant *out_r);

/* hl_calendar_add_days - close of business of the n-th working day after the day of from_us (which does not count). */
bool hl_calendar_add_days(const struct hl_calendar *cal, int64_t from_us, int n_days, struct hl_instant *out_r);

/* hl_calendar_previous_close - close of business of the last working day before the (local) day of at_us. */
bool hl_calendar_previous_close(const struct hl_calendar *cal, int64_t at_us, struct hl_instant *out_r);

/* hl_calendar_next_open - at_us itself inside working time, else the next opening. */
bool hl_calendar_next_open(const struct hl_calendar *cal, int64_t at_us, struct hl_instant *out_r);

/* hl_calendar_day_close - close of business of the local day of at_us or, if it is no working day, of the next one. */
bool hl_calendar_day_close(const struct hl_calendar *cal, int64_t at_us, struct hl_instant *out_r);

/* hl_calendar_worked_us - working time between two instants (0 if until <= from). */
int64_t hl_calendar_worked_us(const struct hl_calendar *cal, int64_t from_us, int64_t until_us);

/* hl_calendar_working_days - number of working days whose close lies in (from, until]. */
int hl_calendar_working_days(const struct hl_calendar *cal, int64_t from_us, int64_t until_us);

/* hl_calendar_missing_year - from 1 November on the next year's holidays should be known, and this year's always.
 * Gives   true and the year that is missing */
bool hl_calendar_missing_year(const struct hl_calendar *cal, int64_t now_us, int *year_r);

bool hl_calendar_is_open(const struct hl_calendar *cal, int64_t at_us);

/* hl_calendar_local - wall-clock reading in the calendar's zone. */
void hl_calendar_local(const struct hl_calendar *cal, int64_t at_us, struct hl_local_time *out_r);

/* hl_calendar_at_local - the instant of a wall-clock reading: year to second of the input, the rest is not read.
 * Gives   of a reading that the clock shows twice the first, of one that it skips the instant when the clock jumps. */
int64_t hl_calendar_at_local(const struct hl_calendar *cal, const struct hl_local_time *local);

enum hl_boundary_kind { HL_BOUNDARY_CLOSES, HL_BOUNDARY_OPENS, HL_BOUNDARY_CLOCK, HL_BOUNDARY_UNKNOWN };

struct hl_boundary {
	int64_t at_us;
	enum hl_boundary_kind kind; /* work ends, work begins, the clock is put, a year without holidays begins */
};

/* hl_calendar_next_boundary - the boundary after *previous, in order of instant and kind.
 * Takes   previous: where the walk is; start with {from_us, HL_BOUNDARY_UNKNOWN}: boundaries behind from_us
 * Gives   false: there is none up to and with until_us
 * Cost    O(log n) */
bool hl_calendar_next_boundary(const struct hl_calendar *cal, const struct hl_boundary *previous, int64_t until_us,
			       struct hl_boundary *out_r);

/* hl_civil_days - days since 1970-01-01 of a proleptic Gregorian date. */
int32_t hl_civil_days(int year, int month, int day);

void hl_calendar_fini(struct hl_calendar *cal);

#endif
