/* limit.c - hotlinectl limit: when a limit ends, and what lies on the way; reads calendar files, no database
 *
 * The calendar is widened to the years asked for: a year without holidays has the weekly
 * pattern, and the answer says that it is provisional.
 */
#include "ctl.h"

#include "hotline/instant.h"
#include "refdata/calendar_spec.h"

#include <stdlib.h>
#include <string.h>

#define YEAR_FIRST       1971
#define YEAR_LAST        9000
#define US_PER_MINUTE    INT64_C(60000000)
#define DAYS_PER_YEAR    150 /* a calendar that works less often may end before the limit, and says so */
#define MINUTES_PER_YEAR (DAYS_PER_YEAR * 300)

static const struct span_kind {
	const char *option;
	uint64_t max;
	bool is_wall;
} span_kinds[] = {{"--minutes", 5256000, true}, {"--working-hours", 20000, false}, {"--working-days", 2500, false}};

struct limit_query {
	const struct span_kind *kind;
	uint64_t n;
	struct hl_clock_reading from;
};

/* ---- what is asked -------------------------------------------------------- */

static bool is_known_word(const char *word)
{
	static const char *const options[] = {"--from",         "--minutes",  "--working-hours",
					      "--working-days", "--calendar", "--ref"};
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (strcmp(word, options[i]) == 0)
			return true;
	return false;
}

/* Every word must be an option of ours, there once: a misspelt one must not change the question silently. */
static int check_words(const struct ctl *ctl)
{
	for (int i = 0; i < ctl->argc; i++) {
		const char *word = ctl->argv[i];
		if (strcmp(word, "--json") == 0 || strcmp(word, "--explain") == 0)
			continue;
		if (!is_known_word(word))
			return ctl_fail(ctl, "%s: no such option of limit", word);
		if (i + 1 == ctl->argc)
			return CTL_USAGE;
		for (int j = 0; j < i; j++)
			if (strcmp(ctl->argv[j], word) == 0)
				return ctl_fail(ctl, "%s: must not be there twice", word);
		i++;
	}
	return CTL_OK;
}

static int read_span(const struct ctl *ctl, struct limit_query *query)
{
	for (size_t i = 0; i < sizeof span_kinds / sizeof *span_kinds; i++) {
		const struct span_kind *kind = &span_kinds[i];
		const char *word = ctl_option(ctl, kind->option);
		if (!word)
			continue;
		if (query->kind)
			return ctl_fail(ctl, "%s: must not be given beside %s", kind->option, query->kind->option);
		if (!hl_slice_u64(hl_slice_str(word), &query->n) || query->n < 1 || query->n > kind->max)
			return ctl_fail(ctl, "%s: must be a whole number from 1 to %llu, not \"%s\"", kind->option,
					(unsigned long long)kind->max, word);
		query->kind = kind;
	}
	return query->kind ? CTL_OK : CTL_USAGE;
}

static int read_query(const struct ctl *ctl, struct limit_query *query)
{
	struct hl_error err = {.text = ""};
	const char *from = ctl_option(ctl, "--from");
	int rc = check_words(ctl);
	if (rc == CTL_OK)
		rc = read_span(ctl, query);
	if (rc != CTL_OK || !from)
		return rc ? rc : CTL_USAGE;
	if (hl_instant_read(hl_slice_str(from), &query->from, &err) != HL_OK)
		return ctl_fail(ctl, "--from: %s, such as 2026-11-25T15:30 or 2026-11-25T15:30:00+08:00, not \"%s\"",
				err.text, from);
	if (query->from.local.year < YEAR_FIRST || query->from.local.year > YEAR_LAST)
		return ctl_fail(ctl, "--from: the year must be %d to %d, not %d", YEAR_FIRST, YEAR_LAST,
				query->from.local.year);
	return CTL_OK;
}

/* ---- the calendar --------------------------------------------------------- */

/* Puts the calendar of units that has this name in the place of the whole specification. */
static enum hl_class use_named(json_t **spec_io, const char *name, bool *is_found_r, struct hl_error *err)
{
	const json_t *entry;
	size_t i;
	*is_found_r = false;
	json_array_foreach (json_object_get(*spec_io, "calendars"), i, entry) {
		const char *own = json_string_value(json_object_get(entry, "name"));
		json_t *whole = *spec_io;
		if (!own || strcmp(own, name) != 0)
			continue;
		*is_found_r = true;
		enum hl_class cls = hl_calendar_spec_named(whole, i, spec_io, err);
		json_decref(whole);
		return cls;
	}
	return HL_OK;
}

/* NAME is the county's calendar in calendar.json, one of its calendars of units, or calendars/NAME/calendar.json. */
static enum hl_class read_spec(const struct ctl *ctl, json_t **spec_r, struct hl_error *err)
{
	const char *name = ctl_option(ctl, "--calendar");
	char path[4096];
	bool is_found;
	enum hl_class cls;

	snprintf(path, sizeof path, "%s/calendar.json", ctl->ref_dir);
	if (!name)
		return hl_calendar_spec_read(path, spec_r, err);
	if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(name) || !*name || strlen(name) > 31)
		return hl_fail(err, HL_INPUT, "--calendar: must be a name of a-z, 0-9, - and _, not \"%s\"", name);
	if (hl_calendar_spec_read(path, spec_r, NULL) == HL_OK) {
		const char *own = json_string_value(json_object_get(*spec_r, "name"));
		if (own && strcmp(own, name) == 0)
			return HL_OK;
		cls = use_named(spec_r, name, &is_found, err);
		if (is_found)
			return cls;
		json_decref(*spec_r);
	}
	snprintf(path, sizeof path, "%s/calendars/%s/calendar.json", ctl->ref_dir, name);
	cls = hl_calendar_spec_read(path, spec_r, err);
	return cls ? hl_error_prefix(err, "--calendar %s", name) : HL_OK;
}

/* So many years behind the start that the limit lies inside. */
static int years_needed(const struct limit_query *query)
{
	if (query->kind->is_wall)
		return (int)(query->n / (UINT64_C(365) * 1440)) + 2;
	bool is_days = strcmp(query->kind->option, "--working-days") == 0;
	return (int)(is_days ? query->n / DAYS_PER_YEAR : query->n * 60 / MINUTES_PER_YEAR) + 3;
}

static enum hl_class load_calendar(const json_t *spec, const struct limit_query *query, struct hl_calendar *cal,
				   struct hl_error *err)
{
	int year = query->from.local.year;
	json_t *doc = NULL;
	/* A zone may put the start into the year before or after. */
	enum hl_class cls = hl_calendar_expand_over(spec, year > YEAR_FIRST ? year - 1 : year,
						    year + 1 + years_needed(query), &doc, err);
	if (!cls)
		cls = hl_calendar_load(doc, cal, err);
	json_decref(doc);
	return cls ? hl_error_prefix(err, "calendar") : HL_OK;
}

/* ---- what lies on the way ------------------------------------------------- */

static void add_crossed(json_t *list, const struct hl_calendar *cal, int64_t at_us, const char *what, const char *name)
{
	char at[HL_INSTANT_BYTES];
	hl_instant_write(cal, at_us, at);
	json_t *entry = json_pack("{s:s, s:s}", "at", at, "what", what);
	if (name)
		json_object_set_new(entry, "name", json_string(name));
	json_array_append_new(list, entry);
}

/* The entry of a local date in the holidays, NULL when it is an ordinary one. */
static const json_t *find_holiday(const json_t *spec, const struct hl_local_time *date)
{
	const json_t *year, *day;
	char text[40];
	size_t i, j;
	snprintf(text, sizeof text, "%04d-%02d-%02d", date->year, date->month, date->day);
	json_array_foreach (json_object_get(spec, "holidays"), i, year)
		json_array_foreach (json_object_get(year, "days"), j, day) {
			const char *at = json_string_value(json_object_get(day, "date"));
			if (at && strcmp(at, text) == 0)
				return day;
		}
	return NULL;
}

/* Marked days and changes of the timetable between two days, the first excluded. */
static void add_days(json_t *list, const struct hl_calendar *cal, const json_t *spec,
		     const struct hl_calendar_spec *parsed, int32_t day, int32_t last_day)
{
	const struct hl_calendar utc = {0}; /* turns day numbers into dates */
	int season = -1;
	for (; day <= last_day; day++) {
		struct hl_local_time date;
		hl_calendar_local(&utc, (int64_t)day * 1440 * US_PER_MINUTE, &date);
		int64_t midnight_us = hl_calendar_at_local(cal, &date);
		int now = hl_calendar_spec_season(parsed, &date);
		const json_t *holiday = season < 0 ? NULL : find_holiday(spec, &date);
		if (season >= 0 && now != season)
			add_crossed(list, cal, midnight_us, "timetable", NULL);
		if (holiday)
			add_crossed(list, cal, midnight_us,
				    json_is_true(json_object_get(holiday, "isOffDay")) ? "day_off" : "make_up_day",
				    json_string_value(json_object_get(holiday, "name")));
		season = now;
	}
}

static void add_boundaries(json_t *list, const struct hl_calendar *cal, int64_t from_us, int64_t until_us, bool is_wall)
{
	static const char *const words[] = {"closes", "opens", "clock_change", "unknown_year"};
	struct hl_boundary at = {.at_us = from_us, .kind = HL_BOUNDARY_UNKNOWN};
	while (hl_calendar_next_boundary(cal, &at, until_us, &at))
		if (!is_wall || at.kind == HL_BOUNDARY_CLOCK)
			add_crossed(list, cal, at.at_us, words[at.kind], NULL);
}

static int by_instant(const void *a, const void *b)
{
	const json_t *const *left = a, *const *right = b;
	struct hl_clock_reading readings[2];
	const struct hl_calendar utc = {0};
	hl_instant_read(hl_slice_str(json_string_value(json_object_get(*left, "at"))), &readings[0], NULL);
	hl_instant_read(hl_slice_str(json_string_value(json_object_get(*right, "at"))), &readings[1], NULL);
	int64_t l = hl_instant_of(&readings[0], &utc), r = hl_instant_of(&readings[1], &utc);
	return (l > r) - (l < r);
}

/* A stable sort is not needed: at one instant a day begins, nothing opens or closes. */
static json_t *sorted(json_t *list)
{
	size_t n = json_array_size(list);
	json_t **entries = calloc(n ? n : 1, sizeof *entries), *out = json_array();
	for (size_t i = 0; entries && i < n; i++)
		entries[i] = json_array_get(list, i);
	if (entries)
		qsort(entries, n, sizeof *entries, by_instant);
	for (size_t i = 0; entries && i < n; i++)
		json_array_append(out, entries[i]);
	free(entries);
	json_decref(list);
	return out;
}

static json_t *explain(const struct hl_calendar *cal, const json_t *spec, int64_t from_us, int64_t until_us,
		       bool is_wall)
{
	struct hl_calendar_spec parsed;
	struct hl_local_time from, until;
	json_t *list = json_array();
	add_boundaries(list, cal, from_us, until_us, is_wall);
	hl_calendar_local(cal, from_us, &from);
	hl_calendar_local(cal, until_us, &until);
	if (!is_wall && hl_calendar_spec_parse(spec, &parsed, NULL) == HL_OK) {
		add_days(list, cal, spec, &parsed, from.day_number, until.day_number);
		hl_calendar_spec_fini(&parsed);
	}
	return sorted(list);
}

/* ---- answer --------------------------------------------------------------- */

static void print_crossed(const json_t *list)
{
	const json_t *entry;
	size_t i;
	json_array_foreach (list, i, entry) {
		const char *name = json_string_value(json_object_get(entry, "name"));
		printf("  %s  %s%s%s\n", json_string_value(json_object_get(entry, "at")),
		       json_string_value(json_object_get(entry, "what")), name ? " " : "", name ? name : "");
	}
}

static void print_answer(const struct ctl *ctl, const struct hl_calendar *cal, const struct hl_instant *at,
			 json_t *crossed)
{
	char limit[HL_INSTANT_BYTES];
	hl_instant_write(cal, at->at_us, limit);
	if (!ctl->as_json) {
		printf("%s (provisional: %s)\n", limit, at->is_provisional ? "true" : "false");
		print_crossed(crossed);
		return;
	}
	json_t *answer = json_pack("{s:s, s:b}", "limit", limit, "provisional", at->is_provisional);
	if (crossed)
		json_object_set(answer, "crossed", crossed);
	json_dumpf(answer, stdout, 0);
	fputc('\n', stdout);
	json_decref(answer);
}

static bool compute(const struct limit_query *query, const struct hl_calendar *cal, int64_t from_us,
		    struct hl_instant *at)
{
	if (strcmp(query->kind->option, "--working-hours") == 0)
		return hl_calendar_add_minutes(cal, from_us, (int64_t)query->n * 60, at);
	if (strcmp(query->kind->option, "--working-days") == 0)
		return hl_calendar_add_days(cal, from_us, (int)query->n, at);
	*at = (struct hl_instant){.at_us = from_us + (int64_t)query->n * US_PER_MINUTE};
	return true;
}

static int answer(const struct ctl *ctl, const struct limit_query *query, const json_t *spec,
		  const struct hl_calendar *cal)
{
	int64_t from_us = hl_instant_of(&query->from, cal);
	struct hl_instant at;
	if (!compute(query, cal, from_us, &at))
		return ctl_fail(ctl, "%s: calendar \"%s\" has too little working time for that", query->kind->option,
				cal->name);
	json_t *crossed =
		ctl_flag(ctl, "--explain") ? explain(cal, spec, from_us, at.at_us, query->kind->is_wall) : NULL;
	print_answer(ctl, cal, &at, crossed);
	json_decref(crossed);
	return CTL_OK;
}

int cmd_limit(struct ctl *ctl)
{
	struct hl_error err = {.text = ""};
	struct limit_query query = {0};
	struct hl_calendar cal = {0};
	json_t *spec = NULL;
	int rc = read_query(ctl, &query);
	if (rc != CTL_OK)
		return rc;
	if (read_spec(ctl, &spec, &err) != HL_OK || load_calendar(spec, &query, &cal, &err) != HL_OK)
		rc = ctl_fail(ctl, "%s", err.text);
	else
		rc = answer(ctl, &query, spec, &cal);
	hl_calendar_fini(&cal);
	json_decref(spec);
	return rc;
}
