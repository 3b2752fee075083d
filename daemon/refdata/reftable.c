/* reftable.c - reference documents as tables of rows (contract in hotline/reftable.h)
 *
 * Owns     the form of a cell as text, and what counts as a difference.
 * Knows not what a column means (reftable_kinds.c), nor where rows come from.
 */
#include "refdata/reftable.h"

#include <stdlib.h>
#include <string.h>

#define LIST_SEPARATOR ';'
#define DOCUMENT_KEY   "(document)"

const struct hl_reftable *hl_reftable_at(size_t i)
{
	return i < HL_REFTABLES_N ? &hl_reftables[i] : NULL;
}

const struct hl_reftable *hl_reftable_find(const char *kind)
{
	for (size_t i = 0; i < HL_REFTABLES_N; i++) {
		const struct hl_reftable *t = &hl_reftables[i];
		if (strcmp(kind, t->kind) == 0 || (t->alias && strcmp(kind, t->alias) == 0))
			return t;
	}
	return NULL;
}

const char *hl_reftable_kind(const struct hl_reftable *table)
{
	return table->kind;
}

bool hl_reftable_has_csv(const struct hl_reftable *table)
{
	return !table->is_nested;
}

const char *hl_reftable_list(const struct hl_reftable *table)
{
	return table->list;
}

json_t *hl_reftable_rows(const struct hl_reftable *table, const json_t *doc)
{
	json_t *list = json_object_get(doc, table->list);
	if (table->rows_of)
		return table->rows_of(doc);
	return json_is_array(list) ? json_incref(list) : json_array();
}

json_t *hl_reftable_doc(const struct hl_reftable *table, json_t *rest, json_t *rows)
{
	json_t *doc;
	if (table->doc_of)
		return table->doc_of(rest, rows);
	doc = json_is_object(rest) ? json_copy(rest) : json_object();
	json_object_set(doc, table->list, rows);
	return doc;
}

/* ---- cells ---------------------------------------------------------------- */

static const struct hl_column *find_column(const struct hl_reftable *table, const char *name)
{
	for (const struct hl_column *c = table->columns; c && c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static bool has_name(const json_t *names, const char *name)
{
	const json_t *entry;
	size_t i;
	json_array_foreach (names, i, entry)
		if (strcmp(json_string_value(entry), name) == 0)
			return true;
	return false;
}

json_t *hl_reftable_columns(const struct hl_reftable *table, const json_t *rows)
{
	json_t *names = json_array(), *row, *value;
	const char *field;
	size_t i;
	for (const struct hl_column *c = table->columns; c && c->name; c++)
		json_array_append_new(names, json_string(c->name));
	json_array_foreach (rows, i, row)
		json_object_foreach (row, field, value)
			if (!has_name(names, field))
				json_array_append_new(names, json_string(field));
	return names;
}

static const json_t *sample_value(const json_t *rows, const char *column)
{
	const json_t *row;
	size_t i;
	json_array_foreach (rows, i, row)
		if (json_object_get(row, column))
			return json_object_get(row, column);
	return NULL;
}

const char *hl_reftable_unknown(const struct hl_reftable *table, const json_t *columns, const json_t *sample)
{
	const json_t *name;
	size_t i;
	json_array_foreach (columns, i, name)
		if (!find_column(table, json_string_value(name)) && !sample_value(sample, json_string_value(name)))
			return json_string_value(name);
	return NULL;
}

static enum hl_cell_type type_of_value(const json_t *value)
{
	if (json_is_integer(value) || json_is_real(value))
		return HL_CELL_NUMBER;
	if (json_is_boolean(value))
		return HL_CELL_FLAG;
	if (json_is_array(value) && (json_array_size(value) == 0 || json_is_string(json_array_get(value, 0))))
		return HL_CELL_LIST;
	return json_is_array(value) || json_is_object(value) ? HL_CELL_JSON : HL_CELL_TEXT;
}

static json_t *split(const char *text)
{
	json_t *list = json_array();
	struct hl_slice rest = hl_slice_str(text), head;
	bool is_more = true;
	while (is_more) {
		is_more = hl_slice_cut(rest, LIST_SEPARATOR, &head, &rest);
		head = hl_slice_trim(head);
		if (head.len > 0)
			json_array_append_new(list, json_stringn(head.ptr, head.len));
	}
	return list;
}

json_t *hl_reftable_value(const struct hl_reftable *table, const char *column, const char *text, const json_t *sample,
			  const char **rule_r)
{
	const struct hl_column *known = find_column(table, column);
	enum hl_cell_type type = known ? known->type : type_of_value(sample_value(sample, column));
	json_t *value = NULL;
	*rule_r = NULL;
	if (!*text && known && known->is_kept)
		return json_string("");
	if (!*text)
		return known && (type == HL_CELL_LIST || type == HL_CELL_JSON) ? json_array() : NULL;
	switch (type) {
	case HL_CELL_TEXT:
		return json_string(text);
	case HL_CELL_LIST:
		return split(text);
	case HL_CELL_FLAG:
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			*rule_r = "must be true or false";
		return *rule_r ? NULL : json_boolean(strcmp(text, "true") == 0);
	case HL_CELL_NUMBER:
	case HL_CELL_JSON:
		value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
		if (!value || (type == HL_CELL_NUMBER && !json_is_number(value))) {
			*rule_r = type == HL_CELL_NUMBER ? "must be a number" : "must be JSON";
			json_decref(value);
			value = NULL;
		}
	}
	return value;
}

static char *join(const json_t *list)
{
	size_t len = 1, i;
	const json_t *entry;
	json_array_foreach (list, i, entry)
		len += json_string_length(entry) + 1;
	char *text = calloc(len, 1), *at = text;
	json_array_foreach (list, i, entry) {
		if (!text)
			break;
		if (i > 0)
			*at++ = LIST_SEPARATOR;
		memcpy(at, json_string_value(entry), json_string_length(entry));
		at += json_string_length(entry);
	}
	return text;
}

static bool is_word_list(const json_t *value)
{
	const json_t *entry;
	size_t i;
	if (!json_is_array(value))
		return false;
	json_array_foreach (value, i, entry)
		if (!json_is_string(entry) || strchr(json_string_value(entry), LIST_SEPARATOR))
			return false;
	return true;
}

char *hl_reftable_cell(const json_t *value)
{
	if (!value || json_is_null(value))
		return strdup("");
	if (json_is_string(value))
		return strdup(json_string_value(value));
	if (is_word_list(value))
		return join(value);
	return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
}

char *hl_row_key(const struct hl_reftable *table, const json_t *row)
{
	json_t *parts = json_array();
	char *key;
	for (size_t i = 0; i < HL_KEY_MAX && table->key[i]; i++) {
		char *cell = hl_reftable_cell(json_object_get(row, table->key[i]));
		if (cell && (*cell || i == 0))
			json_array_append_new(parts, json_string(cell));
		free(cell);
	}
	key = join(parts);
	for (char *c = key; c && *c; c++)
		if (*c == LIST_SEPARATOR)
			*c = ' ';
	json_decref(parts);
	return key;
}

/* ---- differences ---------------------------------------------------------- */

static bool is_empty(const json_t *value)
{
	return !value || json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0);
}

static bool is_same(const json_t *a, const json_t *b)
{
	return (is_empty(a) && is_empty(b)) || (a && b && json_equal(a, b));
}

static void note_field(json_t *fields, const char *name, const json_t *was, const json_t *is)
{
	if (!json_object_get(fields, name) && !is_same(was, is))
		json_object_set_new(fields, name,
				    json_pack("[O?, O?]", was && !json_is_null(was) ? was : NULL,
					      is && !json_is_null(is) ? is : NULL));
}

/* {"name": [old, new]} of every field in which two objects differ; a field named so in skip is left out. */
static json_t *field_changes(json_t *was, json_t *is, const char *skip)
{
	json_t *fields = json_object(), *value;
	const char *name;
	json_object_foreach (was, name, value)
		if (!skip || strcmp(name, skip) != 0)
			note_field(fields, name, value, json_object_get(is, name));
	json_object_foreach (is, name, value)
		if (!skip || strcmp(name, skip) != 0)
			note_field(fields, name, json_object_get(was, name), value);
	return fields;
}

static void note_change(json_t *changes, const char *change, const char *key, json_t *fields)
{
	json_array_append_new(changes, json_pack("{s:s, s:s, s:o}", "change", change, "key", key, "fields", fields));
}

static json_t *index_rows(const struct hl_reftable *table, const json_t *rows)
{
	json_t *index = json_object(), *row;
	size_t i;
	json_array_foreach (rows, i, row) {
		char *key = hl_row_key(table, row);
		if (key)
			json_object_set(index, key, row);
		free(key);
	}
	return index;
}

static json_t *rest_of(const struct hl_reftable *table, json_t *doc)
{
	json_t *none = json_array(), *rest = hl_reftable_doc(table, doc, none);
	json_decref(none);
	return rest;
}

json_t *hl_reftable_diff(const struct hl_reftable *table, json_t *old_doc, json_t *new_doc)
{
	json_t *changes = json_array(), *row, *fields;
	json_t *old_rows = hl_reftable_rows(table, old_doc), *new_rows = hl_reftable_rows(table, new_doc);
	json_t *was = index_rows(table, old_rows), *is = index_rows(table, new_rows);
	json_t *old_rest = rest_of(table, old_doc), *new_rest = rest_of(table, new_doc);
	const char *key;
	fields = field_changes(old_rest, new_rest, table->list);
	if (old_doc && json_object_size(fields) > 0)
		note_change(changes, "changed", DOCUMENT_KEY, json_incref(fields));
	json_decref(fields);
	json_object_foreach (is, key, row) {
		json_t *before = json_object_get(was, key);
		fields = field_changes(before, row, NULL);
		if (!before || json_object_size(fields) > 0)
			note_change(changes, before ? "changed" : "added", key, fields);
		else
			json_decref(fields);
	}
	json_object_foreach (was, key, row)
		if (!json_object_get(is, key))
			note_change(changes, "removed", key, field_changes(row, NULL, NULL));
	json_t *const parts[] = {old_rows, new_rows, was, is, old_rest, new_rest};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		json_decref(parts[i]);
	return changes;
}
