/* calendar_spec.h - a calendar as people write it, checked and in C's terms; between calendar_spec.c and _expand.c */
#ifndef HOTLINE_REFDATA_CALENDAR_SPEC_H
#define HOTLINE_REFDATA_CALENDAR_SPEC_H

#include "hotline/calendar_doc.h"

#define HL_SPEC_HOURS_MAX  8
#define HL_SPEC_TABLES_MAX 9 /* the ordinary timetable and up to eight seasons */

struct hl_spec_hours {
	int opens_min, closes_min; /* minutes since local midnight */
};

struct hl_spec_table {
	int from_mmdd, to_mmdd; /* both included; from > to runs over the turn of the year */
	struct hl_spec_hours hours[HL_SPEC_HOURS_MAX];
	size_t n_hours;
};

enum hl_spec_mark { HL_MARK_NONE, HL_MARK_OFF, HL_MARK_MAKE_UP };

struct hl_calendar_spec {
	const char *name, *zone;                         /* borrowed from the document */
	bool works[7];                                   /* 0 = Sunday */
	struct hl_spec_table tables[HL_SPEC_TABLES_MAX]; /* [0] is the ordinary one */
	size_t n_tables;
	int first_year, end_year; /* end excluded */
	int first_known_year, first_unknown_year;
	int32_t first_day, end_day; /* the same as local days since 1970-01-01 */
	unsigned char *marks;       /* enum hl_spec_mark of each day from first_day on */
	bool works_holidays;        /* holidays and make-up days are days like any other */
};

/* hl_calendar_spec_parse - the document that hl_calendar_spec_read gives, checked.
 * Takes   doc: borrowed until fini
 * Errors  HL_INPUT naming field and rule; fini is right after an error too */
enum hl_class hl_calendar_spec_parse(const json_t *doc, struct hl_calendar_spec *spec_r, struct hl_error *err);
/* hl_calendar_spec_widen - covers at least those years too, the end excluded; they have the weekly pattern.
 * Errors  HL_NOMEM; HL_INPUT: more years than a calendar may have */
enum hl_class hl_calendar_spec_widen(struct hl_calendar_spec *spec, int first_year, int end_year, struct hl_error *err);
void hl_calendar_spec_fini(struct hl_calendar_spec *spec);

/* hl_calendar_spec_named - the calendar of some units (an entry of "calendars") as a specification of its own: what it does
 * not say is the county's. gives *spec_r.
 * Errors  HL_INPUT naming field and rule */
enum hl_class hl_calendar_spec_named(const json_t *doc, size_t index, json_t **spec_r, struct hl_error *err);

/* hl_calendar_spec_hours - timetable of a local date, NULL if nobody works that day. */
const struct hl_spec_table *hl_calendar_spec_hours(const struct hl_calendar_spec *spec,
						   const struct hl_local_time *date);

/* hl_calendar_spec_has_hours - is there working time in an ordinary week of some season? */
bool hl_calendar_spec_has_hours(const struct hl_calendar_spec *spec);

/* hl_calendar_spec_season - which timetable a date is under: 0 the ordinary one, else the number of the season. */
int hl_calendar_spec_season(const struct hl_calendar_spec *spec, const struct hl_local_time *date);

#endif
