/* calendar_doc.h - calendars as documents: specification (file) -> expanded document -> struct hl_calendar
 *
 * Specification  schema/ref/calendar.json: zone, weekly hours, seasonal timetables,
 *                and holidays of the years known (from schema/ref/holidays/YYYY.json);
 *                "calendars": those of units that keep other hours.
 * Expanded       {"name","zone","known_from","provisional_from","offsets":[[utc_s,offset_s],...],
 *                "intervals":[[opens_s,closes_s,day],...], "calendars":[the same with "units", "unit_kinds"]}:
 *                what import stores and the daemon loads.
 * expand needs ICU for zone rules and is linked into hotlinectl only; load is linked into both.
 */
#ifndef HOTLINE_CALENDAR_DOC_H
#define HOTLINE_CALENDAR_DOC_H

#include "hotline/calendar.h"
#include "hotline/error.h"
#include <jansson.h>

#define HL_UNIT_CALENDARS_MAX 50

/* hl_calendar_spec_read - reads calendar.json and holidays/ beside it into one specification. gives *spec_r. */
enum hl_class hl_calendar_spec_read(const char *path, json_t **spec_r, struct hl_error *err);
/* hl_calendar_expand - specification to expanded document; covers first data year to last data year + 3.
 * Errors  HL_INPUT naming field and rule (opens before closes, unknown zone, no working time at all, ...). */
enum hl_class hl_calendar_expand(const json_t *spec, json_t **doc_r, struct hl_error *err);
/* hl_calendar_expand_over - the same, widened to years that the data does not reach (end excluded; 0: as above).
 * Errors  as above; HL_INPUT: more than 100 years */
enum hl_class hl_calendar_expand_over(const json_t *spec, int first_year, int end_year, json_t **doc_r,
				      struct hl_error *err);
/* hl_calendar_load - expanded document to calendar; gives *cal (hl_calendar_fini). */
enum hl_class hl_calendar_load(const json_t *doc, struct hl_calendar *cal_r, struct hl_error *err);

#endif
