/* calendar_expand.c - applies zone rules: from a calendar people write to UTC intervals
 *
 * Owns     the use of ICU: this file is linked into hotlinectl and the tests, never into the daemon.
 * Knows not files (calendar_spec.c), who stores the result, or what is computed from it.
 * Limits   zone rules are those of the installed ICU; a zone that changes its rules later needs
 *          an import. A local time that the clock skips counts as the next one that exists, one
 *          that it shows twice as its first showing.
 */
#include "refdata/calendar_spec.h"

#include <unicode/ucal.h>
#include <unicode/ustring.h>

#define MS_PER_S   1000.0
#define US_PER_DAY INT64_C(86400000000)

struct expansion {
	struct hl_calendar_spec spec;
	UCalendar *icu;
	UErrorCode status; /* sticky: every ICU call after a failure does nothing */
	bool is_out_of_memory;
};

/* --- zone rules --- */

static enum hl_class open_zone(const char *zone, UCalendar **icu_r, struct hl_error *err)
{
	UChar id[sizeof(((struct hl_calendar *)0)->zone)], canonical[64];
	UErrorCode status = U_ZERO_ERROR;
	int32_t len;
	u_strFromUTF8(id, (int32_t)(sizeof id / sizeof *id), &len, zone, -1, &status);
	/* ucal_open takes an unknown zone for GMT without a word, so its name is asked for first. */
	ucal_getCanonicalTimeZoneID(id, len, canonical, 64, NULL, &status);
	if (U_FAILURE(status))
		return hl_fail(err, HL_INPUT, "zone: \"%s\" must be a zone that ICU knows, like Asia/Shanghai", zone);
	*icu_r = ucal_open(id, len, "en", UCAL_GREGORIAN, &status);
	if (U_FAILURE(status))
		return hl_fail(err, HL_NOMEM, "could not open zone \"%s\": %s", zone, u_errorName(status));
	ucal_setAttribute(*icu_r, UCAL_REPEATED_WALL_TIME, UCAL_WALLTIME_FIRST);
	ucal_setAttribute(*icu_r, UCAL_SKIPPED_WALL_TIME, UCAL_WALLTIME_NEXT_VALID);
	return HL_OK;
}

/* Local date and minute of the day to UTC seconds. */
static int64_t utc_of(struct expansion *x, const struct hl_local_time *date, int minute)
{
	ucal_clear(x->icu);
	ucal_setDateTime(x->icu, date->year, date->month - 1, date->day, minute / 60, minute % 60, 0, &x->status);
	return (int64_t)(ucal_getMillis(x->icu, &x->status) / MS_PER_S);
}

static int64_t utc_of_year(struct expansion *x, int year)
{
	return utc_of(x, &(struct hl_local_time){.year = year, .month = 1, .day = 1}, 0);
}

static int32_t offset_s_at(struct expansion *x, UDate at_ms)
{
	ucal_setMillis(x->icu, at_ms, &x->status);
	return (ucal_get(x->icu, UCAL_ZONE_OFFSET, &x->status) + ucal_get(x->icu, UCAL_DST_OFFSET, &x->status)) / 1000;
}

/* --- expansion --- */

/* A row lost to a full memory would be a calendar that lies, so it is remembered. */
static void append(struct expansion *x, json_t *list, json_t *row)
{
	if (json_array_append_new(list, row))
		x->is_out_of_memory = true;
}

static json_t *expand_offsets(struct expansion *x)
{
	json_t *offsets = json_array();
	UDate end_ms = (double)utc_of_year(x, x->spec.end_year) * MS_PER_S;
	UDate at_ms = (double)utc_of_year(x, x->spec.first_year) * MS_PER_S;
	int32_t last_s = INT32_MAX;
	do {
		int32_t offset_s = offset_s_at(x, at_ms);
		/* Some transitions change only the name of the time. */
		if (offset_s != last_s)
			append(x, offsets, json_pack("[I,i]", (json_int_t)(at_ms / MS_PER_S), (int)offset_s));
		last_s = offset_s;
	} while (ucal_getTimeZoneTransitionDate(x->icu, UCAL_TZ_TRANSITION_NEXT, &at_ms, &x->status) &&
		 U_SUCCESS(x->status) && at_ms < end_ms);
	return offsets;
}

static void expand_day(struct expansion *x, const struct hl_local_time *date, json_t *intervals)
{
	const struct hl_spec_table *table = hl_calendar_spec_hours(&x->spec, date);
	for (size_t i = 0; table && i < table->n_hours; i++) {
		json_int_t opens_s = utc_of(x, date, table->hours[i].opens_min);
		json_int_t closes_s = utc_of(x, date, table->hours[i].closes_min);
		/* Nothing is left of hours that the clock skips altogether. */
		if (opens_s < closes_s)
			append(x, intervals, json_pack("[I,I,i]", opens_s, closes_s, (int)date->day_number));
	}
}

static json_t *expand_intervals(struct expansion *x)
{
	/* Without offsets hl_calendar_local reads plain UTC: here it only turns day numbers into dates. */
	const struct hl_calendar utc = {0};
	json_t *intervals = json_array();
	for (int32_t day = x->spec.first_day; day < x->spec.end_day; day++) {
		struct hl_local_time date;
		hl_calendar_local(&utc, day * US_PER_DAY, &date);
		expand_day(x, &date, intervals);
	}
	return intervals;
}

static enum hl_class check(const struct expansion *x, const json_t *doc, struct hl_error *err)
{
	if (!doc || x->is_out_of_memory)
		return hl_fail(err, HL_NOMEM, "no memory for the expanded calendar");
	if (U_FAILURE(x->status))
		return hl_fail(err, HL_BUG, "could not read zone \"%s\": %s", x->spec.zone, u_errorName(x->status));
	/* Make-up days alone are no working time: a year that is not announced yet would have none. */
	if (json_array_size(json_object_get(doc, "intervals")) == 0 || !hl_calendar_spec_has_hours(&x->spec))
		return hl_fail(err, HL_INPUT, "week, hours: must leave some working time");
	return HL_OK;
}

static enum hl_class expand(struct expansion *x, json_t **doc_r, struct hl_error *err)
{
	json_t *offsets = expand_offsets(x);
	json_t *intervals = expand_intervals(x);
	json_int_t provisional_s = utc_of_year(x, x->spec.first_unknown_year);
	json_int_t known_s = utc_of_year(x, x->spec.first_known_year);
	json_t *doc = json_pack("{s:s,s:s,s:I,s:I,s:o,s:o}", "name", x->spec.name, "zone", x->spec.zone, "known_from",
				known_s, "provisional_from", provisional_s, "offsets", offsets, "intervals", intervals);
	enum hl_class cls = check(x, doc, err);
	if (cls)
		json_decref(doc);
	else
		*doc_r = doc;
	return cls;
}

static enum hl_class expand_one(const json_t *spec, int first_year, int end_year, json_t **doc_r, struct hl_error *err)
{
	struct expansion x = {.status = U_ZERO_ERROR};
	*doc_r = NULL;
	enum hl_class cls = hl_calendar_spec_parse(spec, &x.spec, err);
	if (!cls && first_year)
		cls = hl_calendar_spec_widen(&x.spec, first_year, end_year, err);
	if (!cls)
		cls = open_zone(x.spec.zone, &x.icu, err);
	if (!cls)
		cls = expand(&x, doc_r, err);
	if (x.icu)
		ucal_close(x.icu);
	hl_calendar_spec_fini(&x.spec);
	return cls;
}

/* The calendar of some units, with their names beside it. */
static enum hl_class expand_named(const json_t *spec, size_t index, int first_year, int end_year, json_t *list,
				  struct hl_error *err)
{
	const json_t *entry = json_array_get(json_object_get(spec, "calendars"), index);
	json_t *named, *doc = NULL;
	enum hl_class cls = hl_calendar_spec_named(spec, index, &named, err);
	if (!cls)
		cls = expand_one(named, first_year, end_year, &doc, err);
	json_decref(named);
	if (cls)
		return hl_error_prefix(err, "calendars[%zu]", index);
	json_object_set(doc, "units", json_object_get(entry, "units"));
	json_object_set(doc, "unit_kinds", json_object_get(entry, "unit_kinds"));
	return json_array_append_new(list, doc) ? hl_fail(err, HL_NOMEM, "no memory for the expanded calendar") : HL_OK;
}

static enum hl_class expand_all_named(const json_t *spec, int first_year, int end_year, json_t *doc,
				      struct hl_error *err)
{
	const json_t *list = json_object_get(spec, "calendars");
	json_t *expanded;
	enum hl_class cls = HL_OK;
	if (list && (!json_is_array(list) || json_array_size(list) > HL_UNIT_CALENDARS_MAX))
		return hl_fail(err, HL_INPUT, "calendars: must be a list of at most %d calendars",
			       HL_UNIT_CALENDARS_MAX);
	if (json_array_size(list) == 0)
		return HL_OK;
	expanded = json_array();
	for (size_t i = 0; i < json_array_size(list) && !cls; i++)
		cls = expand_named(spec, i, first_year, end_year, expanded, err);
	json_object_set_new(doc, "calendars", expanded);
	return cls;
}

enum hl_class hl_calendar_expand(const json_t *spec, json_t **doc_r, struct hl_error *err)
{
	return hl_calendar_expand_over(spec, 0, 0, doc_r, err);
}

enum hl_class hl_calendar_expand_over(const json_t *spec, int first_year, int end_year, json_t **doc_r,
				      struct hl_error *err)
{
	enum hl_class cls = expand_one(spec, first_year, end_year, doc_r, err);
	if (!cls)
		cls = expand_all_named(spec, first_year, end_year, *doc_r, err);
	if (cls) {
		json_decref(*doc_r);
		*doc_r = NULL;
	}
	return cls;
}
