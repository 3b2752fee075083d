/* calendar_spec.c - reads and checks the calendar that people write: calendar.json and holidays/YYYY.json
 *
 * Owns     the shape of those files; every rule about them is checked here and named in the error.
 * Knows not zones (calendar_expand.c asks ICU) nor what the calendar is used for.
 * Limits   hours lie within one local day ("24:00" may close it): no night shifts.
 */
#include "refdata/calendar_spec.h"
#include "refdata/doc_fields.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define YEARS_AHEAD 3 /* behind the last known year, with the weekly pattern */
#define YEARS_MAX   100

/* --- reading the files --- */

static enum hl_class read_json(const char *path, json_t **doc_r, struct hl_error *err)
{
	json_error_t where;
	FILE *file = fopen(path, "re");
	*doc_r = NULL;
	if (!file)
		return hl_fail(err, HL_CONFIG, "could not open \"%s\": %s", path, strerror(errno));
	json_t *doc = json_loadf(file, JSON_REJECT_DUPLICATES, &where);
	fclose(file);
	if (!doc)
		return hl_fail(err, HL_INPUT, "%s:%d: must be JSON: %s", path, where.line, where.text);
	if (!json_is_object(doc)) {
		json_decref(doc);
		return hl_fail(err, HL_INPUT, "%s: must hold one JSON object", path);
	}
	*doc_r = doc;
	return HL_OK;
}

/* The year that a name like "2026.json" stands for, 0 for any other name. */
static int year_of_name(const char *name)
{
	int year = 0;
	if (strlen(name) != 9 || strcmp(name + 4, ".json"))
		return 0;
	for (int i = 0; i < 4; i++) {
		if (name[i] < '0' || name[i] > '9')
			return 0;
		year = year * 10 + name[i] - '0';
	}
	return year;
}

static int is_year_file(const struct dirent *entry)
{
	return year_of_name(entry->d_name) > 0;
}

static enum hl_class read_year(const char *dir, const char *name, json_t *years, struct hl_error *err)
{
	char *path;
	json_t *doc;
	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return hl_fail(err, HL_NOMEM, "no memory for the name of a holiday file");
	enum hl_class cls = read_json(path, &doc, err);
	if (!cls && json_integer_value(json_object_get(doc, "year")) != year_of_name(name)) {
		cls = hl_fail(err, HL_INPUT, "%s: year: must be the year of the file name", path);
		json_decref(doc);
	}
	if (!cls && json_array_append_new(years, doc))
		cls = hl_fail(err, HL_NOMEM, "no memory for %s", path);
	free(path);
	return cls;
}

static enum hl_class read_years(const char *dir, json_t *years, struct hl_error *err)
{
	struct dirent **entries;
	enum hl_class cls = HL_OK;
	int n = scandir(dir, &entries, is_year_file, alphasort);
	if (n < 0)
		return hl_fail(err, HL_CONFIG, "could not list \"%s\": %s", dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (!cls)
			cls = read_year(dir, entries[i]->d_name, years, err);
		free(entries[i]);
	}
	free(entries);
	return cls;
}

static enum hl_class read_holidays(const char *path, json_t *spec, struct hl_error *err)
{
	char *dir;
	const char *slash = strrchr(path, '/');
	if (json_object_get(spec, "holidays"))
		return hl_fail(err, HL_INPUT, "%s: holidays: must be in holidays/YYYY.json", path);
	json_t *years = json_array();
	if (json_object_set_new(spec, "holidays", years) ||
	    asprintf(&dir, "%.*sholidays", slash ? (int)(slash + 1 - path) : 0, path) < 0)
		return hl_fail(err, HL_NOMEM, "no memory for the holidays of \"%s\"", path);
	enum hl_class cls = read_years(dir, years, err);
	free(dir);
	return cls;
}

enum hl_class hl_calendar_spec_read(const char *path, json_t **spec_r, struct hl_error *err)
{
	enum hl_class cls = read_json(path, spec_r, err);
	if (cls)
		return cls;
	cls = read_holidays(path, *spec_r, err);
	if (cls) {
		json_decref(*spec_r);
		*spec_r = NULL;
	}
	return cls;
}

/* --- from JSON to struct hl_calendar_spec --- */

static int month_days(int year, int month)
{
	int32_t next = month == 12 ? hl_civil_days(year + 1, 1, 1) : hl_civil_days(year, month + 1, 1);
	return next - hl_civil_days(year, month, 1);
}

/* Digits and separators exactly as in pattern ("00:00"); gives the numbers between the separators. */
static bool scan_digits(const char *text, const char *pattern, int *numbers_r)
{
	if (!text || strlen(text) != strlen(pattern))
		return false;
	*numbers_r = 0;
	for (; *pattern; pattern++, text++) {
		if (*pattern != '0') {
			if (*text != *pattern)
				return false;
			*++numbers_r = 0;
			continue;
		}
		if (*text < '0' || *text > '9')
			return false;
		*numbers_r = *numbers_r * 10 + *text - '0';
	}
	return true;
}

static bool parse_clock(const json_t *value, int *minutes_r)
{
	int hm[2];
	if (!scan_digits(json_string_value(value), "00:00", hm) || hm[1] > 59)
		return false;
	*minutes_r = hm[0] * 60 + hm[1];
	return *minutes_r <= 24 * 60;
}

static bool parse_mmdd(const json_t *value, int *mmdd_r)
{
	int md[2];
	/* 2024: a leap year, so that 02-29 is a day. */
	if (!scan_digits(json_string_value(value), "00-00", md) || md[0] < 1 || md[0] > 12 || md[1] < 1 ||
	    md[1] > month_days(2024, md[0]))
		return false;
	*mmdd_r = md[0] * 100 + md[1];
	return true;
}

static enum hl_class parse_hours(const json_t *list, struct hl_spec_table *table, struct hl_error *err)
{
	if (!json_is_array(list) || json_array_size(list) > HL_SPEC_HOURS_MAX)
		return hl_fail(err, HL_INPUT, "hours: must be a list of at most %d pairs", HL_SPEC_HOURS_MAX);
	table->n_hours = json_array_size(list);
	for (size_t i = 0; i < table->n_hours; i++) {
		const json_t *pair = json_array_get(list, i);
		struct hl_spec_hours *hours = &table->hours[i];
		if (json_array_size(pair) != 2 || !parse_clock(json_array_get(pair, 0), &hours->opens_min) ||
		    !parse_clock(json_array_get(pair, 1), &hours->closes_min))
			return hl_fail(err, HL_INPUT, "hours[%zu]: must be two times of day, \"HH:MM\"", i);
		if (hours->opens_min >= hours->closes_min)
			return hl_fail(err, HL_INPUT, "hours[%zu]: must open before it closes", i);
		if (i > 0 && hours->opens_min < hours[-1].closes_min)
			return hl_fail(err, HL_INPUT, "hours[%zu]: must not open before the pair before it closes", i);
	}
	return HL_OK;
}

static enum hl_class parse_season(const json_t *season, struct hl_spec_table *table, struct hl_error *err)
{
	static const char *const fields[] = {"name", "from", "to", "hours", NULL};
	enum hl_class cls = hl_doc_fields(season, fields, err);
	if (cls)
		return cls;
	if (!parse_mmdd(json_object_get(season, "from"), &table->from_mmdd))
		return hl_fail(err, HL_INPUT, "from: must be a day of the year, \"MM-DD\"");
	if (!parse_mmdd(json_object_get(season, "to"), &table->to_mmdd))
		return hl_fail(err, HL_INPUT, "to: must be a day of the year, \"MM-DD\"");
	return parse_hours(json_object_get(season, "hours"), table, err);
}

static bool in_season(const struct hl_spec_table *table, int mmdd)
{
	if (table->from_mmdd <= table->to_mmdd)
		return mmdd >= table->from_mmdd && mmdd <= table->to_mmdd;
	return mmdd >= table->from_mmdd || mmdd <= table->to_mmdd;
}

/* Two periods of a circle overlap exactly when one of them holds the other's beginning. */
static bool seasons_overlap(const struct hl_spec_table *a, const struct hl_spec_table *b)
{
	return in_season(a, b->from_mmdd) || in_season(b, a->from_mmdd);
}

static enum hl_class parse_seasons(const json_t *list, struct hl_calendar_spec *spec, struct hl_error *err)
{
	if (list && (!json_is_array(list) || json_array_size(list) >= HL_SPEC_TABLES_MAX))
		return hl_fail(err, HL_INPUT, "seasons: must be a list of at most %d seasons", HL_SPEC_TABLES_MAX - 1);
	spec->n_tables = 1 + json_array_size(list);
	for (size_t i = 1; i < spec->n_tables; i++) {
		if (parse_season(json_array_get(list, i - 1), &spec->tables[i], err))
			return hl_error_prefix(err, "seasons[%zu]", i - 1);
		for (size_t j = 1; j < i; j++)
			if (seasons_overlap(&spec->tables[j], &spec->tables[i]))
				return hl_fail(err, HL_INPUT, "seasons[%zu]: must not overlap seasons[%zu]", i - 1,
					       j - 1);
	}
	return HL_OK;
}

static enum hl_class parse_week(const json_t *list, struct hl_calendar_spec *spec, struct hl_error *err)
{
	static const char *const names[7] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
	if (!json_is_array(list))
		return hl_fail(err, HL_INPUT, "week: must be a list of weekdays (mon tue wed thu fri sat sun)");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));
		int weekday = 0;
		while (weekday < 7 && (!word || strcmp(word, names[weekday])))
			weekday++;
		if (weekday == 7)
			return hl_fail(err, HL_INPUT, "week[%zu]: must be one of mon tue wed thu fri sat sun", i);
		spec->works[weekday] = true;
	}
	return HL_OK;
}

static enum hl_class parse_label(const json_t *doc, const char *field, size_t max_bytes, const char **out_r,
				 struct hl_error *err)
{
	*out_r = json_string_value(json_object_get(doc, field));
	if (!*out_r || !**out_r || strlen(*out_r) >= max_bytes)
		return hl_fail(err, HL_INPUT, "%s: must be a text of 1 to %zu bytes", field, max_bytes - 1);
	return HL_OK;
}

/* --- holidays --- */

static enum hl_class mark_day(struct hl_calendar_spec *spec, int year, const json_t *day, struct hl_error *err)
{
	int ymd[3];
	const json_t *is_off = json_object_get(day, "isOffDay");
	const char *date = json_string_value(json_object_get(day, "date"));
	if (!scan_digits(date, "0000-00-00", ymd) || ymd[1] < 1 || ymd[1] > 12 || ymd[2] < 1 ||
	    ymd[2] > month_days(ymd[0], ymd[1]))
		return hl_fail(err, HL_INPUT, "date: must be a date, \"YYYY-MM-DD\"");
	/* A holiday at the turn of the year is listed with the year it belongs to, its days may lie in the other. */
	if (abs(ymd[0] - year) > 1)
		return hl_fail(err, HL_INPUT, "date: %s must lie in %d or in a year beside it", date, year);
	if (!json_is_boolean(is_off))
		return hl_fail(err, HL_INPUT, "isOffDay: must be true or false");
	int32_t number = hl_civil_days(ymd[0], ymd[1], ymd[2]);
	if (number < spec->first_day || number >= spec->end_day)
		return HL_OK;
	unsigned char *mark = &spec->marks[number - spec->first_day];
	unsigned char wanted = json_is_true(is_off) ? HL_MARK_OFF : HL_MARK_MAKE_UP;
	if (*mark != HL_MARK_NONE && *mark != wanted)
		return hl_fail(err, HL_INPUT, "isOffDay: %s must not be both a day off and a working day", date);
	*mark = wanted;
	return HL_OK;
}

static enum hl_class mark_year(struct hl_calendar_spec *spec, const json_t *year_doc, struct hl_error *err)
{
	int year = (int)json_integer_value(json_object_get(year_doc, "year"));
	const json_t *days = json_object_get(year_doc, "days");
	for (size_t i = 0; i < json_array_size(days); i++)
		if (mark_day(spec, year, json_array_get(days, i), err))
			return hl_error_prefix(err, "holidays %d: days[%zu]", year, i);
	return HL_OK;
}

static bool is_known(const json_t *years, int year)
{
	for (size_t i = 0; i < json_array_size(years); i++) {
		const json_t *doc = json_array_get(years, i);
		/* An empty list means "not announced yet", not "no holidays". */
		if (json_integer_value(json_object_get(doc, "year")) == year &&
		    json_array_size(json_object_get(doc, "days")) > 0)
			return true;
	}
	return false;
}

static enum hl_class check_years(const json_t *years, struct hl_error *err)
{
	if (!json_is_array(years))
		return hl_fail(err, HL_INPUT, "holidays: must be a list of years");
	for (size_t i = 0; i < json_array_size(years); i++) {
		const json_t *doc = json_array_get(years, i);
		json_int_t year = json_integer_value(json_object_get(doc, "year"));
		if (year < 1971 || year > 9000)
			return hl_fail(err, HL_INPUT, "holidays[%zu]: year: must be a year from 1971 to 9000", i);
		if (!json_is_array(json_object_get(doc, "days")))
			return hl_fail(err, HL_INPUT, "holidays %d: days: must be a list", (int)year);
	}
	return HL_OK;
}

static enum hl_class set_range(struct hl_calendar_spec *spec, const json_t *years, struct hl_error *err)
{
	for (size_t i = 0; i < json_array_size(years); i++) {
		int year = (int)json_integer_value(json_object_get(json_array_get(years, i), "year"));
		if (!is_known(years, year))
			continue;
		if (!spec->first_year || year < spec->first_year)
			spec->first_year = year;
		if (year + YEARS_AHEAD + 1 > spec->end_year)
			spec->end_year = year + YEARS_AHEAD + 1;
	}
	if (!spec->first_year)
		return hl_fail(err, HL_INPUT, "holidays: must know the days of at least one year");
	if (spec->end_year - spec->first_year > YEARS_MAX)
		return hl_fail(err, HL_INPUT, "holidays: must not need a calendar of more than %d years", YEARS_MAX);
	spec->first_known_year = spec->first_unknown_year = spec->first_year;
	while (is_known(years, spec->first_unknown_year))
		spec->first_unknown_year++;
	spec->first_day = hl_civil_days(spec->first_year, 1, 1);
	spec->end_day = hl_civil_days(spec->end_year, 1, 1);
	return HL_OK;
}

static enum hl_class parse_holidays(const json_t *years, struct hl_calendar_spec *spec, struct hl_error *err)
{
	enum hl_class cls = check_years(years, err);
	if (!cls)
		cls = set_range(spec, years, err);
	if (cls)
		return cls;
	spec->marks = calloc((size_t)(spec->end_day - spec->first_day), 1);
	if (!spec->marks)
		return hl_fail(err, HL_NOMEM, "no memory for the holidays");
	for (size_t i = 0; i < json_array_size(years) && !cls; i++)
		cls = mark_year(spec, json_array_get(years, i), err);
	return cls;
}

/* For whom no day is a holiday, no year is unknown. */
static enum hl_class parse_works_holidays(const json_t *value, struct hl_calendar_spec *spec, struct hl_error *err)
{
	if (value && !json_is_boolean(value))
		return hl_fail(err, HL_INPUT, "works_holidays: must be true or false");
	spec->works_holidays = json_is_true(value);
	if (!spec->works_holidays)
		return HL_OK;
	memset(spec->marks, HL_MARK_NONE, (size_t)(spec->end_day - spec->first_day));
	spec->first_unknown_year = spec->end_year;
	return HL_OK;
}

enum hl_class hl_calendar_spec_parse(const json_t *doc, struct hl_calendar_spec *spec_r, struct hl_error *err)
{
	static const char *const fields[] = {"about",   "name",     "zone",           "week",      "hours",
					     "seasons", "holidays", "works_holidays", "calendars", NULL};
	const struct hl_calendar *sizes = NULL; /* for sizeof only */
	*spec_r = (struct hl_calendar_spec){0};
	enum hl_class cls = hl_doc_fields(doc, fields, err);
	if (!cls)
		cls = parse_label(doc, "name", sizeof sizes->name, &spec_r->name, err);
	if (!cls)
		cls = parse_label(doc, "zone", sizeof sizes->zone, &spec_r->zone, err);
	if (!cls)
		cls = parse_week(json_object_get(doc, "week"), spec_r, err);
	if (!cls)
		cls = parse_hours(json_object_get(doc, "hours"), &spec_r->tables[0], err);
	if (!cls)
		cls = parse_seasons(json_object_get(doc, "seasons"), spec_r, err);
	if (!cls)
		cls = parse_holidays(json_object_get(doc, "holidays"), spec_r, err);
	if (!cls)
		cls = parse_works_holidays(json_object_get(doc, "works_holidays"), spec_r, err);
	return cls;
}

enum hl_class hl_calendar_spec_widen(struct hl_calendar_spec *spec, int first_year, int end_year, struct hl_error *err)
{
	int first = first_year < spec->first_year ? first_year : spec->first_year;
	int end = end_year > spec->end_year ? end_year : spec->end_year;
	if (end - first > YEARS_MAX)
		return hl_fail(err, HL_INPUT, "must not need a calendar of more than %d years", YEARS_MAX);
	int32_t first_day = hl_civil_days(first, 1, 1), end_day = hl_civil_days(end, 1, 1);
	unsigned char *marks = calloc((size_t)(end_day - first_day), 1);
	if (!marks)
		return hl_fail(err, HL_NOMEM, "no memory for the holidays");
	memcpy(marks + (spec->first_day - first_day), spec->marks, (size_t)(spec->end_day - spec->first_day));
	free(spec->marks);
	spec->marks = marks;
	spec->first_year = first;
	spec->end_year = end;
	spec->first_day = first_day;
	spec->end_day = end_day;
	return HL_OK;
}

void hl_calendar_spec_fini(struct hl_calendar_spec *spec)
{
	free(spec->marks);
	*spec = (struct hl_calendar_spec){0};
}

bool hl_calendar_spec_has_hours(const struct hl_calendar_spec *spec)
{
	bool has_day = false, has_hours = false;
	for (int i = 0; i < 7; i++)
		has_day |= spec->works[i];
	for (size_t i = 0; i < spec->n_tables; i++)
		has_hours |= spec->tables[i].n_hours > 0;
	return has_day && has_hours;
}

int hl_calendar_spec_season(const struct hl_calendar_spec *spec, const struct hl_local_time *date)
{
	for (size_t i = 1; i < spec->n_tables; i++)
		if (in_season(&spec->tables[i], date->month * 100 + date->day))
			return (int)i;
	return 0;
}

const struct hl_spec_table *hl_calendar_spec_hours(const struct hl_calendar_spec *spec,
						   const struct hl_local_time *date)
{
	unsigned char mark = spec->marks[date->day_number - spec->first_day];
	if (mark == HL_MARK_OFF || (mark == HL_MARK_NONE && !spec->works[date->weekday]))
		return NULL;
	return &spec->tables[hl_calendar_spec_season(spec, date)];
}
