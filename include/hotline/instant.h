/* instant.h - instants as people write them, ISO 8601, read and written; pure */
#ifndef HOTLINE_INSTANT_H
#define HOTLINE_INSTANT_H

#include "hotline/calendar.h"
#include "hotline/error.h"
#include "hotline/slice.h"

#define HL_INSTANT_BYTES 40

/* A reading of the clock, not yet an instant when it names no zone. */
struct hl_clock_reading {
	struct hl_local_time local; /* year to second */
	int32_t us;                 /* fraction of the second */
	bool has_zone;
	int32_t offset_s; /* of the zone it names */
};

/* hl_instant_read - "2026-11-25T15:30[:00[.5]][Z|+08:00|+0800|+08]", T, t or one blank between date and time.
 * Errors  HL_INPUT naming the part and the rule; a date that the Gregorian calendar does not have is refused */
enum hl_class hl_instant_read(struct hl_slice text, struct hl_clock_reading *out_r, struct hl_error *err);

/* hl_instant_of - the instant of a reading; without a zone the clock of the calendar. */
int64_t hl_instant_of(const struct hl_clock_reading *reading, const struct hl_calendar *cal);

/* hl_instant_write - "2026-11-25T15:30:00+08:00" by the calendar's clock, a fraction only where there is one.
 * Takes   text_r of HL_INSTANT_BYTES; year 0 to 9999 */
void hl_instant_write(const struct hl_calendar *cal, int64_t at_us, char *text_r);

#endif
