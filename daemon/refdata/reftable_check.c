/* reftable_check.c - every rule of every row, all faults at once (contract in hotline/reftable.h)
 *
 * A row is first judged cell by cell, then as a whole. Where the daemon has a parser for the kind, that parser is asked
 * about each row alone, so that there is one place for the rule and still no fault hides another.
 */
#include "refdata/reftable.h"

#include "hotline/calendar.h"
#include "hotline/classify.h"
#include "hotline/instant.h"
#include "hotline/limits.h"
#include "hotline/template.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define US_PER_MINUTE INT64_C(60000000)

const char *hl_row_text(const json_t *row, const char *field)
{
	const char *text = json_string_value(json_object_get(row, field));
	return text ? text : "";
}

void hl_row_fault(const struct hl_row_check *check, size_t i, const char *field, const char *fmt, ...)
{
	char text[500];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	json_array_append_new(check->errors, json_pack("{s:I, s:I, s:s, s:s}", "row", (json_int_t)i, "line",
						       (json_int_t)check->lines[i], "field", field, "rule", text));
}

/* ---- cells ---------------------------------------------------------------- */

static void check_text(const struct hl_row_check *check, size_t i, const struct hl_column *column, const char *text)
{
	char word[64];
	const char *rule = column->rule ? column->rule(check, text) : NULL;
	snprintf(word, sizeof word, " %s ", text);
	if (column->words && (strchr(text, ' ') || !strstr(column->words, word)))
		hl_row_fault(check, i, column->name, "must be one of%.*s, not \"%s\"", (int)strlen(column->words) - 1,
			     column->words, text);
	else if (rule)
		hl_row_fault(check, i, column->name, "%s, not \"%s\"", rule, text);
}

static bool has_type(const json_t *value, enum hl_cell_type type)
{
	switch (type) {
	case HL_CELL_TEXT:
		return json_is_string(value);
	case HL_CELL_LIST:
		return json_is_array(value);
	case HL_CELL_NUMBER:
		return json_is_integer(value);
	case HL_CELL_FLAG:
		return json_is_boolean(value);
	case HL_CELL_JSON:
		break;
	}
	return true;
}

static void check_value(const struct hl_row_check *check, size_t i, const struct hl_column *column, const json_t *value)
{
	static const char *const types[] = {"a text", "a list of texts", "a whole number", "true or false", "JSON"};
	const json_t *entry;
	size_t k;
	if (!has_type(value, column->type)) {
		hl_row_fault(check, i, column->name, "must be %s", types[column->type]);
	} else if (column->type == HL_CELL_LIST) {
		json_array_foreach (value, k, entry) {
			if (json_is_string(entry))
				check_text(check, i, column, json_string_value(entry));
			else
				hl_row_fault(check, i, column->name, "must be a list of texts");
		}
	} else if (column->type != HL_CELL_JSON) {
		char *cell = hl_reftable_cell(value);
		check_text(check, i, column, cell ? cell : "");
		free(cell);
	}
}

static void check_cells(const struct hl_row_check *check, size_t i, const json_t *row)
{
	for (const struct hl_column *c = check->table->columns; c && c->name; c++) {
		const json_t *value = json_object_get(row, c->name);
		bool is_absent = !value || json_is_null(value) ||
				 (json_is_string(value) && json_string_length(value) == 0) ||
				 (json_is_array(value) && json_array_size(value) == 0);
		if (!is_absent)
			check_value(check, i, c, value);
		else if (c->is_required)
			hl_row_fault(check, i, c->name, "must not be empty");
	}
}

/* ---- all rows ------------------------------------------------------------- */

/* The first row of the same key, or the row's own index. */
static size_t first_of_key(const struct hl_row_check *check, json_t *seen, size_t i)
{
	char *key = hl_row_key(check->table, json_array_get(check->rows, i));
	const json_t *first = key ? json_object_get(seen, key) : NULL;
	size_t at = first ? (size_t)json_integer_value(first) : i;
	if (key && !first)
		json_object_set_new(seen, key, json_integer((json_int_t)i));
	free(key);
	return at;
}

static void check_duplicate(const struct hl_row_check *check, size_t i, size_t first)
{
	const char *lead = hl_row_text(json_array_get(check->rows, i), "lead");
	const char *first_lead = hl_row_text(json_array_get(check->rows, first), "lead");
	if (strcmp(check->table->kind, "case_types") == 0 && strcmp(lead, first_lead) != 0)
		hl_row_fault(check, i, "lead", "must not be %s: line %zu has %s, and a case type has one lead", lead,
			     check->lines[first], first_lead);
	else
		hl_row_fault(check, i, check->table->key[0], "must not be there twice: see line %zu",
			     check->lines[first]);
}

void hl_reftable_check(const struct hl_reftable *table, const json_t *rows, const size_t *lines, const json_t *docs,
		       json_t *errors)
{
	struct hl_row_check check = {.table = table, .docs = docs, .rows = rows, .lines = lines, .errors = errors};
	json_t *seen = json_object();
	const json_t *row;
	size_t i;
	json_array_foreach (rows, i, row) {
		size_t n_before = json_array_size(errors), first;
		if (!json_is_object(row)) {
			hl_row_fault(&check, i, table->list, "must be an object");
			continue;
		}
		check_cells(&check, i, row);
		first = first_of_key(&check, seen, i);
		if (first != i)
			check_duplicate(&check, i, first);
		/* A row with bad cells would only be told of twice. */
		if (table->check_row && json_array_size(errors) == n_before)
			table->check_row(&check, i);
	}
	json_decref(seen);
}

/* ---- rows ----------------------------------------------------------------- */

void hl_check_type_row(const struct hl_row_check *check, size_t i)
{
	const json_t *row = json_array_get(check->rows, i), *entry;
	const char *lead = hl_row_text(row, "lead");
	size_t k;
	json_array_foreach (json_object_get(row, "co"), k, entry)
		if (strcmp(json_string_value(entry), lead) == 0)
			hl_row_fault(check, i, "co", "must not name %s, which leads", lead);
}

/* A holiday at the turn of the year is listed with the year it belongs to; its days may lie in the other. */
void hl_check_holiday_row(const struct hl_row_check *check, size_t i)
{
	const json_t *row = json_array_get(check->rows, i);
	json_int_t year = json_integer_value(json_object_get(row, "year"));
	long lies_in = strtol(hl_row_text(row, "date"), NULL, 10);
	if (lies_in < year - 1 || lies_in > year + 1)
		hl_row_fault(check, i, "date", "must lie in %lld or in a year beside it", (long long)year);
}

/* Who reads a list of rows asks "which of them": here there is only one. */
static const char *without_index(const char *text)
{
	const char *behind = strstr(text, "]: ");
	return behind && strchr(text, '[') < behind ? behind + 3 : text;
}

/* The parser's own words about a document that holds this row alone. takes doc. */
static void check_limits_doc(const struct hl_row_check *check, size_t i, json_t *doc)
{
	struct hl_limit_rules *rules = NULL;
	struct hl_error err = {.text = ""};
	if (hl_limit_rules_new(doc, &rules, &err) != HL_OK)
		hl_row_fault(check, i, "limits", "%s", without_index(err.text));
	hl_limit_rules_free(&rules);
	json_decref(doc);
}

/* Defaults that nothing can contradict, each on the clock of the real ones: a fault is this row's own. */
static json_t *harmless_limits(const struct hl_row_check *check)
{
	static const char *const urgencies[] = {"normal", "urgent", "emergency"};
	const json_t *real = json_object_get(json_object_get(check->docs, "limits"), "urgencies");
	json_t *defaults = json_object();
	for (size_t i = 0; i < sizeof urgencies / sizeof *urgencies; i++) {
		bool is_working = strcmp(hl_row_text(json_object_get(real, urgencies[i]), "clock"), "working") == 0;
		json_object_set_new(defaults, urgencies[i],
				    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "clock",
					      is_working ? "working" : "wall", "sign", "1 min", "close", "1 min",
					      "review", "1 min", "handback", "1 min", "operator", "1 min"));
	}
	return json_pack("{s:o, s:[], s:[{s:s, s:s}]}", "urgencies", defaults, "overrides", "ladder", "rung",
			 HL_RUNG_RED, "of", "close");
}

void hl_check_limit_row(const struct hl_row_check *check, size_t i)
{
	json_t *row = json_array_get(check->rows, i), *doc = harmless_limits(check), *alone;
	if (*hl_row_text(row, "case_type") || *hl_row_text(row, "unit") || *hl_row_text(row, "unit_kind")) {
		json_array_append(json_object_get(doc, "overrides"), row);
	} else {
		alone = json_copy(row);
		json_object_del(alone, "urgency");
		json_object_set_new(json_object_get(doc, "urgencies"), hl_row_text(row, "urgency"), alone);
	}
	check_limits_doc(check, i, doc);
}

/* takes list. */
static bool are_templates(json_t *list, struct hl_error *err)
{
	struct hl_templates *templates = NULL;
	json_t *doc = json_pack("{s:o}", "templates", list);
	bool is_right = hl_templates_new(doc, &templates, err) == HL_OK;
	hl_templates_free(&templates);
	json_decref(doc);
	return is_right;
}

/* The Chinese text of a key, whose parameters every other language takes; NULL: this is it, or there is none. */
static json_t *chinese_text(const struct hl_row_check *check, const json_t *row)
{
	json_t *other;
	size_t k;
	json_array_foreach (check->rows, k, other)
		if (other != row && strcmp(hl_row_text(other, "key"), hl_row_text(row, "key")) == 0 &&
		    strcmp(hl_row_text(other, "lang"), "zh-CN") == 0)
			return other;
	return NULL;
}

void hl_check_template_row(const struct hl_row_check *check, size_t i)
{
	json_t *row = json_array_get(check->rows, i), *chinese = chinese_text(check, row);
	struct hl_error err = {.text = ""};
	/* What is wrong with the Chinese text is that line's fault. */
	if (chinese && !are_templates(json_pack("[O]", chinese), NULL))
		return;
	if (!are_templates(chinese ? json_pack("[O, O]", chinese, row) : json_pack("[O]", row), &err))
		hl_row_fault(check, i, "text", "%s", err.text);
}

void hl_check_rule_row(const struct hl_row_check *check, size_t i)
{
	json_t *doc = json_copy(json_object_get(check->docs, "rules"));
	struct hl_classifier *classifier = NULL;
	struct hl_error err = {.text = ""};
	json_object_set_new(doc, "rules", json_pack("[O]", json_array_get(check->rows, i)));
	if (hl_classifier_new(doc, json_object_get(check->docs, "case_types"), NULL, &classifier, &err) != HL_OK)
		hl_row_fault(check, i, "rules", "%s", err.text);
	hl_classifier_free(&classifier);
	json_decref(doc);
}

/* ---- roster --------------------------------------------------------------- */

/* Minutes of a week, or of the whole time line; end excluded. */
struct span {
	int64_t from, until;
};

static bool read_minute(const char *text, int64_t *at_r)
{
	int hour, minute, used = 0;
	if (strlen(text) != 5 || sscanf(text, "%2d:%2d%n", &hour, &minute, &used) != 2 || used != 5 || minute > 59 ||
	    hour > 24 || hour * 60 + minute > 1440)
		return false;
	*at_r = hour * 60 + minute;
	return true;
}

static bool read_moment(const char *text, int64_t *at_r)
{
	const struct hl_calendar local = {0}; /* compared among themselves: one clock for all */
	struct hl_clock_reading reading;
	char with_time[40];
	snprintf(with_time, sizeof with_time, strlen(text) == 10 ? "%s 00:00" : "%s", text);
	if (hl_instant_read(hl_slice_str(with_time), &reading, NULL) != HL_OK || reading.has_zone)
		return false;
	*at_r = hl_instant_of(&reading, &local) / US_PER_MINUTE;
	return true;
}

static bool is_weekly(const json_t *row)
{
	return strcmp(hl_row_text(row, "kind"), "week") == 0;
}

static bool read_roster_span(const json_t *row, struct span *span_r)
{
	bool (*read)(const char *, int64_t *) = is_weekly(row) ? read_minute : read_moment;
	return read(hl_row_text(row, "from"), &span_r->from) && read(hl_row_text(row, "until"), &span_r->until);
}

static bool share_a_day(const json_t *a, const json_t *b)
{
	const json_t *day, *other;
	size_t i, j;
	json_array_foreach (json_object_get(a, "days"), i, day)
		json_array_foreach (json_object_get(b, "days"), j, other)
			if (json_equal(day, other))
				return true;
	return false;
}

static bool rosters_overlap(const json_t *a, const json_t *b)
{
	struct span x, y;
	bool is_same_person = strcmp(hl_row_text(a, "phone"), hl_row_text(b, "phone")) == 0;
	bool is_leave = strcmp(hl_row_text(a, "kind"), "leave") == 0;
	if (strcmp(hl_row_text(a, "unit"), hl_row_text(b, "unit")) != 0 ||
	    strcmp(hl_row_text(a, "role"), hl_row_text(b, "role")) != 0 ||
	    strcmp(hl_row_text(a, "kind"), hl_row_text(b, "kind")) != 0 || (is_leave && !is_same_person))
		return false;
	if (!read_roster_span(a, &x) || !read_roster_span(b, &y) || x.from >= y.until || y.from >= x.until)
		return false;
	return !is_weekly(a) || share_a_day(a, b);
}

static bool is_contact(const struct hl_row_check *check, const json_t *row)
{
	const json_t *contact;
	size_t i;
	json_array_foreach (json_object_get(check->docs, "contacts"), i, contact)
		if (strcmp(hl_row_text(contact, "unit"), hl_row_text(row, "unit")) == 0 &&
		    strcmp(hl_row_text(contact, "role"), hl_row_text(row, "role")) == 0 &&
		    strcmp(hl_row_text(contact, "phone"), hl_row_text(row, "phone")) == 0)
			return true;
	return false;
}

void hl_check_roster_row(const struct hl_row_check *check, size_t i)
{
	const json_t *row = json_array_get(check->rows, i);
	bool has_days = json_array_size(json_object_get(row, "days")) > 0;
	struct span span;
	if (!is_contact(check, row))
		hl_row_fault(check, i, "phone", "must be a contact of that unit in that role");
	if (is_weekly(row) != has_days)
		hl_row_fault(check, i, "days", is_weekly(row) ? "must not be empty" : "must be empty beside dates");
	if (!read_roster_span(row, &span))
		hl_row_fault(check, i, "from", "from and until must be %s",
			     is_weekly(row) ? "times of day, HH:MM" : "dates, YYYY-MM-DD or YYYY-MM-DD HH:MM");
	else if (span.from >= span.until)
		hl_row_fault(check, i, "until", "must lie behind from");
	for (size_t k = 0; k < i; k++)
		if (rosters_overlap(json_array_get(check->rows, k), row))
			hl_row_fault(check, i, "from", "must not overlap line %zu", check->lines[k]);
}
