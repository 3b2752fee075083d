/* calendar_fixture.h - calendars and readable instants for tests of working time */
#ifndef HOTLINE_TESTS_CALENDAR_FIXTURE_H
#define HOTLINE_TESTS_CALENDAR_FIXTURE_H

#include "hotline/calendar_doc.h"

#define US_PER_S      INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_S)
#define US_PER_HOUR   (60 * US_PER_MINUTE)
#define US_PER_DAY    (24 * US_PER_HOUR)

#define SHIPPED_CALENDAR "schema/ref/calendar.json"
#define SHANGHAI_S       (8 * 3600)

/* The calendar in schema/ref, through specification and expansion; the caller calls hl_calendar_fini. */
void fixture_shipped(struct hl_calendar *cal_r);
/* The same for a specification as JSON text; ' stands for ". */
void fixture_calendar(const char *spec_text, struct hl_calendar *cal_r);
/* A specification in Amsterdam's zone: day and night, so that intervals cross the changes of the clock. */
extern const char fixture_nights_spec[];
/* JSON text with ' for " to a document; fails the test when it is none. */
json_t *fixture_json(const char *text);

/* "2026-09-25 16:00", seconds optional, at that offset from UTC. */
int64_t fixture_at(const char *text, int32_t offset_s);
/* Shanghai time, the zone of the shipped calendar. */
int64_t at(const char *text);
/* The calendar's own reading: "2026-09-25 16:00", with ":SS" only when there are seconds. Static buffers, 4 in turn. */
const char *fixture_text(const struct hl_calendar *cal, int64_t at_us);

#endif
