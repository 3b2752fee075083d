/* ical.h - holidays out of an iCalendar file; libical inside, linked into hotlinectl and tests only */
#ifndef HOTLINE_ICAL_H
#define HOTLINE_ICAL_H

#include "hotline/error.h"
#include "hotline/slice.h"
#include <jansson.h>

/* hl_ical_holidays - the marked days of every year that the file has events in.
 * Takes   iCalendar (RFC 5545). An event marks each of its days: a working day when its summary or a category has 班,
 *         "make-up" or "workday", else a day off. Yearly repetitions are followed to last_year.
 * Gives   [{"year", "date", "isOffDay", "name"}], sorted by date
 * Errors  HL_INPUT: no calendar, no event, an event without a date, a day that is both, more than 60 days in one event
 */
enum hl_class hl_ical_holidays(struct hl_slice text, int last_year, json_t **rows_r, struct hl_error *err);

#endif
