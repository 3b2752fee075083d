/* instant.c - ISO 8601 read and written (contract in hotline/instant.h)
 *
 * By hand, because strptime takes 30 February, knows no fraction and stops silently at what it does not understand.
 */
#include "hotline/instant.h"

#include <stdio.h>
#include <stdlib.h>

#define US_PER_S INT64_C(1000000)

/* Exactly n digits at the head of the text, taken off it. */
static bool take_digits(struct hl_slice *text, size_t n, int *out_r)
{
	*out_r = 0;
	for (size_t i = 0; i < n; i++) {
		if (i >= text->len || text->ptr[i] < '0' || text->ptr[i] > '9')
			return false;
		*out_r = *out_r * 10 + text->ptr[i] - '0';
	}
	*text = (struct hl_slice){text->ptr + n, text->len - n};
	return true;
}

static bool take_one_of(struct hl_slice *text, const char *set)
{
	for (; text->len > 0 && *set; set++)
		if (*set == text->ptr[0]) {
			*text = (struct hl_slice){text->ptr + 1, text->len - 1};
			return true;
		}
	return false;
}

static int month_days(int year, int month)
{
	int32_t next = month == 12 ? hl_civil_days(year + 1, 1, 1) : hl_civil_days(year, month + 1, 1);
	return next - hl_civil_days(year, month, 1);
}

static enum hl_class read_date(struct hl_slice *text, struct hl_local_time *local, struct hl_error *err)
{
	if (!take_digits(text, 4, &local->year) || !take_one_of(text, "-") || !take_digits(text, 2, &local->month) ||
	    !take_one_of(text, "-") || !take_digits(text, 2, &local->day))
		return hl_fail(err, HL_INPUT, "must begin with a date, YYYY-MM-DD");
	if (local->month < 1 || local->month > 12)
		return hl_fail(err, HL_INPUT, "month must be 01 to 12");
	if (local->day < 1 || local->day > month_days(local->year, local->month))
		return hl_fail(err, HL_INPUT, "day must be 01 to %02d in that month",
			       month_days(local->year, local->month));
	return HL_OK;
}

static enum hl_class read_fraction(struct hl_slice *text, int32_t *us_r, struct hl_error *err)
{
	int digit, scale = 100000;
	if (!take_one_of(text, ".,"))
		return HL_OK;
	if (!take_digits(text, 1, &digit))
		return hl_fail(err, HL_INPUT, "a fraction of a second must have digits");
	do {
		*us_r += digit * scale; /* what is finer than a microsecond is cut off */
		scale /= 10;
	} while (take_digits(text, 1, &digit));
	return HL_OK;
}

static enum hl_class read_time(struct hl_slice *text, struct hl_clock_reading *reading, struct hl_error *err)
{
	struct hl_local_time *local = &reading->local;
	if (!take_one_of(text, "Tt ") || !take_digits(text, 2, &local->hour) || !take_one_of(text, ":") ||
	    !take_digits(text, 2, &local->minute))
		return hl_fail(err, HL_INPUT, "must have a time of day behind the date, THH:MM");
	if (take_one_of(text, ":")) {
		if (!take_digits(text, 2, &local->second))
			return hl_fail(err, HL_INPUT, "seconds must be two digits");
		if (read_fraction(text, &reading->us, err))
			return HL_INPUT;
	}
	if (local->hour > 23 || local->minute > 59 || local->second > 59)
		return hl_fail(err, HL_INPUT, "time of day must be 00:00:00 to 23:59:59");
	return HL_OK;
}

static enum hl_class read_zone(struct hl_slice *text, struct hl_clock_reading *reading, struct hl_error *err)
{
	int hours, minutes = 0;
	bool is_west = text->len > 0 && text->ptr[0] == '-';
	if (text->len == 0)
		return HL_OK;
	reading->has_zone = true;
	if (take_one_of(text, "Zz"))
		return HL_OK;
	if (!take_one_of(text, "+-") || !take_digits(text, 2, &hours) ||
	    (text->len > 0 && (take_one_of(text, ":"), !take_digits(text, 2, &minutes))))
		return hl_fail(err, HL_INPUT, "zone must be Z, +HH:MM, +HHMM or +HH");
	if (hours > 18 || minutes > 59)
		return hl_fail(err, HL_INPUT, "zone must lie between -18:59 and +18:59");
	reading->offset_s = (is_west ? -1 : 1) * (hours * 3600 + minutes * 60);
	return HL_OK;
}

enum hl_class hl_instant_read(struct hl_slice text, struct hl_clock_reading *out_r, struct hl_error *err)
{
	*out_r = (struct hl_clock_reading){0};
	enum hl_class cls = read_date(&text, &out_r->local, err);
	if (!cls)
		cls = read_time(&text, out_r, err);
	if (!cls)
		cls = read_zone(&text, out_r, err);
	if (!cls && text.len > 0)
		cls = hl_fail(err, HL_INPUT, "nothing may stand behind the zone");
	return cls;
}

int64_t hl_instant_of(const struct hl_clock_reading *reading, const struct hl_calendar *cal)
{
	const struct hl_zone_offset named = {.offset_s = reading->offset_s};
	const struct hl_calendar fixed = {.offsets = (struct hl_zone_offset[]){named}, .n_offsets = 1};
	return hl_calendar_at_local(reading->has_zone ? &fixed : cal, &reading->local) + reading->us;
}

void hl_instant_write(const struct hl_calendar *cal, int64_t at_us, char *text_r)
{
	struct hl_local_time t;
	char fraction[12] = "";
	int us = (int)(((at_us % US_PER_S) + US_PER_S) % US_PER_S);
	hl_calendar_local(cal, at_us, &t);
	int offset_min = abs(t.offset_s) / 60;
	if (us)
		snprintf(fraction, sizeof fraction, ".%06d", us);
	snprintf(text_r, HL_INSTANT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d%s%c%02d:%02d", t.year % 10000, t.month, t.day,
		 t.hour, t.minute, t.second, fraction, t.offset_s < 0 ? '-' : '+', offset_min / 60 % 100,
		 offset_min % 60);
}
