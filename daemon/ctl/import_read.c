/* import_read.c - a file of reference data as rows: JSON, CSV (UTF-8 with or without mark, GBK), iCalendar, holiday-cn
 */
#include "import.h"

#include "hotline/calendar_doc.h"
#include "hotline/csv.h"
#include "hotline/ical.h"
#include "hotline/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX_BYTES ((size_t)16 << 20)
#define ICAL_LAST_YEAR 2100

static int fault(json_t *errors, const char *path, size_t line, const char *field, const char *rule)
{
	json_array_append_new(errors, json_pack("{s:s, s:I, s:s, s:s}", "file", path, "line", (json_int_t)line, "field",
						field, "rule", rule));
	return CTL_FAILED;
}

/* The whole file as clean UTF-8 in the arena. */
static int read_text(const char *path, struct hl_arena *arena, struct hl_slice *text_r, json_t *errors)
{
	FILE *file = fopen(path, "re");
	char *bytes = file ? malloc(FILE_MAX_BYTES + 1) : NULL;
	size_t n = bytes ? fread(bytes, 1, FILE_MAX_BYTES + 1, file) : 0;
	int rc = CTL_OK;
	if (!file || ferror(file))
		rc = fault(errors, path, 0, "file", strerror(errno));
	else if (!bytes)
		rc = fault(errors, path, 0, "file", "no memory");
	else if (n > FILE_MAX_BYTES)
		rc = fault(errors, path, 0, "file", "must not be longer than 16 MiB");
	else
		*text_r = hl_text_decode(arena, (struct hl_slice){bytes, n}, NULL);
	free(bytes);
	if (file)
		fclose(file);
	return rc;
}

static bool has_ending(const char *path, const char *ending)
{
	size_t n = strlen(path), m = strlen(ending);
	return n > m && strcasecmp(path + n - m, ending) == 0;
}

/* ---- CSV ------------------------------------------------------------------ */

static int check_header(const struct hl_reftable *table, const char *path, const json_t *header, const json_t *sample,
			json_t *errors)
{
	const char *unknown = hl_reftable_unknown(table, header, sample);
	const json_t *name, *other;
	size_t i, j;
	if (unknown)
		return fault(errors, path, 1, unknown, "must be the name of a column");
	json_array_foreach (header, i, name)
		json_array_foreach (header, j, other)
			if (j < i && json_equal(name, other))
				return fault(errors, path, 1, json_string_value(name), "must not be there twice");
	return CTL_OK;
}

static json_t *csv_row(const struct source *s, const json_t *header, const json_t *record, size_t line,
		       const json_t *sample, json_t *errors)
{
	json_t *row = json_object();
	const json_t *name;
	size_t i;
	if (json_array_size(record) != json_array_size(header))
		fault(errors, s->path, line, "line", "must have as many fields as the first line");
	json_array_foreach (header, i, name) {
		const char *rule, *text = json_string_value(json_array_get(record, i));
		json_t *value = hl_reftable_value(s->table, json_string_value(name), text ? text : "", sample, &rule);
		if (rule)
			fault(errors, s->path, line, json_string_value(name), rule);
		if (value)
			json_object_set_new(row, json_string_value(name), value);
	}
	return row;
}

static int read_csv(struct source *s, struct hl_slice text, json_t *current, json_t *errors)
{
	struct hl_error err = {.text = ""};
	struct hl_csv csv;
	json_t *header, *sample;
	int rc;
	if (!hl_reftable_has_csv(s->table))
		return fault(errors, s->path, 0, "file",
			     "must be JSON: this kind is nested and has no form as a table");
	if (hl_csv_read(text, &csv, &err) != HL_OK)
		return fault(errors, s->path, 0, "CSV", err.text);
	header = json_array_get(csv.records, 0);
	sample = hl_reftable_rows(s->table, current);
	rc = header ? check_header(s->table, s->path, header, sample, errors)
		    : fault(errors, s->path, 1, "line", "must name the columns");
	s->rows = json_array();
	s->lines = calloc(json_array_size(csv.records) + 1, sizeof *s->lines);
	for (size_t i = 1; rc == CTL_OK && s->lines && i < json_array_size(csv.records); i++) {
		s->lines[i - 1] = csv.lines[i];
		json_array_append_new(s->rows,
				      csv_row(s, header, json_array_get(csv.records, i), csv.lines[i], sample, errors));
	}
	s->doc = hl_reftable_doc(s->table, current, s->rows);
	json_decref(sample);
	hl_csv_fini(&csv);
	return json_array_size(errors) > 0 ? CTL_FAILED : rc;
}

/* ---- holidays of some years ----------------------------------------------- */

static bool has_year(const json_t *rows, const json_t *year)
{
	const json_t *row;
	size_t i;
	json_array_foreach (rows, i, row)
		if (json_equal(json_object_get(row, "year"), year))
			return true;
	return false;
}

/* The years that the new rows have replace those of the current calendar. takes fresh; lines: of each of them, NULL:
 * not known. */
static int use_years(struct source *s, json_t *fresh, const size_t *lines, json_t *current, json_t *errors)
{
	json_t *old_rows = hl_reftable_rows(s->table, current), *row;
	size_t i, n_old, n_fresh = json_array_size(fresh);
	s->rows = json_array();
	json_array_foreach (old_rows, i, row)
		if (!has_year(fresh, json_object_get(row, "year")))
			json_array_append(s->rows, row);
	n_old = json_array_size(s->rows);
	json_array_extend(s->rows, fresh);
	json_decref(old_rows);
	json_decref(fresh);
	s->lines = calloc(n_old + n_fresh + 1, sizeof *s->lines);
	if (s->lines && lines)
		memcpy(s->lines + n_old, lines, n_fresh * sizeof *lines);
	s->doc = hl_reftable_doc(s->table, current, s->rows);
	if (!json_object_get(s->doc, "zone"))
		return fault(errors, s->path, 0, "calendar",
			     "there is none yet that these holidays belong to: import calendar.json first");
	return s->lines ? CTL_OK : CTL_FAILED;
}

static int read_ical(struct source *s, struct hl_slice text, json_t *current, json_t *errors)
{
	struct hl_error err = {.text = ""};
	json_t *rows;
	if (strcmp(hl_reftable_kind(s->table), "calendar") != 0)
		return fault(errors, s->path, 0, "file", "must be JSON or CSV: only a calendar comes as iCalendar");
	if (hl_ical_holidays(text, ICAL_LAST_YEAR, &rows, &err) != HL_OK)
		return fault(errors, s->path, 0, "iCalendar", err.text);
	return use_years(s, rows, NULL, current, errors);
}

/* {"year", "days"} as the holiday-cn project publishes it. */
static int read_year(struct source *s, struct hl_slice text, const json_t *doc, json_t *current, json_t *errors)
{
	json_t *year = json_pack("{s:[O]}", "holidays", doc), *rows = hl_reftable_rows(s->table, year);
	size_t n = json_array_size(rows), *lines = calloc(n + 1, sizeof *lines);
	int rc;
	json_decref(year);
	if (n == 0) {
		free(lines);
		json_decref(rows);
		return fault(errors, s->path, 0, "days", "must not be empty: the year is not announced yet");
	}
	if (lines)
		hl_reftable_lines(text, "days", HL_LINES_LIST, lines, n);
	rc = use_years(s, rows, lines, current, errors);
	free(lines);
	return rc;
}

/* ---- JSON ----------------------------------------------------------------- */

/* A specification without holidays has them in the folder beside it. */
static int read_spec(struct source *s, json_t *doc, json_t *errors)
{
	struct hl_error err = {.text = ""};
	if (json_object_get(doc, "holidays"))
		s->doc = json_incref(doc);
	else if (hl_calendar_spec_read(s->path, &s->doc, &err) != HL_OK)
		return fault(errors, s->path, 0, "calendar", err.text);
	return CTL_OK;
}

/* Rows of the years in the folder beside a specification: each knows its file, and its line there. */
static void find_year_lines(struct source *s, json_t *errors)
{
	const char *slash = strrchr(s->path, '/');
	const json_t *year;
	size_t i, at = 0;
	s->files = json_array();
	json_array_foreach (json_object_get(s->doc, "holidays"), i, year) {
		size_t n = json_array_size(json_object_get(year, "days"));
		json_t *path = json_sprintf("%.*sholidays/%lld.json", slash ? (int)(slash + 1 - s->path) : 0, s->path,
					    json_integer_value(json_object_get(year, "year")));
		struct hl_arena arena;
		struct hl_slice text;
		hl_arena_init(&arena, FILE_MAX_BYTES * 4);
		if (read_text(json_string_value(path), &arena, &text, errors) == CTL_OK)
			hl_reftable_lines(text, "days", HL_LINES_LIST, s->lines + at, n);
		hl_arena_fini(&arena);
		for (size_t k = 0; k < n; k++)
			json_array_append(s->files, path);
		json_decref(path);
		at += n;
	}
}

/* The defaults of the urgencies come first and are no list; which is which the rows say. */
static void find_limit_lines(struct source *s, struct hl_slice text, size_t n)
{
	size_t n_overrides = json_array_size(json_object_get(s->doc, "overrides"));
	for (size_t i = 0; i < n - n_overrides; i++)
		s->lines[i] = hl_reftable_line_of(
			text, "urgencies", json_string_value(json_object_get(json_array_get(s->rows, i), "urgency")));
	hl_reftable_lines(text, "overrides", HL_LINES_LIST, s->lines + (n - n_overrides), n_overrides);
}

static void find_lines(struct source *s, struct hl_slice text, bool has_own_years, json_t *errors)
{
	size_t n = json_array_size(s->rows);
	const char *list = hl_reftable_list(s->table);
	s->lines = calloc(n + 1, sizeof *s->lines);
	if (!s->lines || n == 0)
		return;
	if (strcmp(list, "limits") == 0)
		find_limit_lines(s, text, n);
	else if (strcmp(list, "holidays") != 0)
		hl_reftable_lines(text, list, HL_LINES_LIST, s->lines, n);
	else if (has_own_years)
		hl_reftable_lines(text, list, HL_LINES_LISTS, s->lines, n);
	else
		find_year_lines(s, errors);
}

static int read_json(struct source *s, struct hl_slice text, json_t *current, json_t *errors)
{
	json_error_t at;
	json_t *doc = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES, &at);
	bool is_calendar = strcmp(hl_reftable_kind(s->table), "calendar") == 0;
	int rc = CTL_OK;
	if (!json_is_object(doc))
		rc = fault(errors, s->path, doc ? 1 : (size_t)at.line, "JSON", doc ? "must be an object" : at.text);
	else if (is_calendar && json_object_get(doc, "days"))
		rc = read_year(s, text, doc, current, errors);
	else if (is_calendar)
		rc = read_spec(s, doc, errors);
	else
		s->doc = json_incref(doc);
	if (rc == CTL_OK && !s->rows) {
		s->rows = hl_reftable_rows(s->table, s->doc);
		find_lines(s, text, json_object_get(doc, "holidays") != NULL, errors);
		if (json_array_size(s->rows) == 0 &&
		    !json_is_array(json_object_get(s->doc, hl_reftable_list(s->table))))
			rc = fault(errors, s->path, 1, hl_reftable_list(s->table), "must be a list");
	}
	json_decref(doc);
	return rc;
}

int source_read(const struct hl_reftable *table, const char *path, json_t *current, struct source *source_r,
		json_t *errors)
{
	struct hl_arena arena;
	struct hl_slice text;
	int rc;
	*source_r = (struct source){.table = table, .path = path};
	hl_arena_init(&arena, FILE_MAX_BYTES * 4);
	rc = read_text(path, &arena, &text, errors);
	if (rc == CTL_OK && has_ending(path, ".csv"))
		rc = read_csv(source_r, text, current, errors);
	else if (rc == CTL_OK && has_ending(path, ".ics"))
		rc = read_ical(source_r, text, current, errors);
	else if (rc == CTL_OK)
		rc = read_json(source_r, text, current, errors);
	hl_arena_fini(&arena);
	return rc;
}

void source_check(struct source *s, const json_t *docs, json_t *errors)
{
	json_t *found = json_array(), *entry;
	size_t i;
	if (s->lines)
		hl_reftable_check(s->table, s->rows, s->lines, docs, found);
	json_array_foreach (found, i, entry) {
		size_t row = (size_t)json_integer_value(json_object_get(entry, "row"));
		const char *file = json_string_value(json_array_get(s->files, row));
		json_object_set_new(entry, "file", json_string(file ? file : s->path));
		json_object_del(entry, "row");
		json_array_append(errors, entry);
	}
	json_decref(found);
}

void source_fini(struct source *s)
{
	json_decref(s->doc);
	json_decref(s->rows);
	json_decref(s->changes);
	json_decref(s->files);
	free(s->lines);
	*s = (struct source){0};
}
