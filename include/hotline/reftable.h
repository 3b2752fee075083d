/* reftable.h - reference documents as tables of rows: columns, checks, differences; pure
 *
 * A kind is a document with one list of rows that people keep (units, duties, compounds, ...).
 * The rest of the document (about, groups, ...) is kept when only rows are imported.
 */
#ifndef HOTLINE_REFTABLE_H
#define HOTLINE_REFTABLE_H

#include "hotline/error.h"
#include "hotline/slice.h"
#include <jansson.h>
#include <stdbool.h>

struct hl_reftable;

/* hl_reftable_find - by name or by what people call it (duties, compounds, calendars); NULL if there is none. */
const struct hl_reftable *hl_reftable_find(const char *kind);
/* hl_reftable_at - i-th kind in the order in which they refer to each other, NULL behind the last. */
const struct hl_reftable *hl_reftable_at(size_t i);
const char *hl_reftable_kind(const struct hl_reftable *table);
/* hl_reftable_has_csv - rules are nested and have no form as a table. */
bool hl_reftable_has_csv(const struct hl_reftable *table);
/* hl_reftable_list - name of the list of rows in the document. */
const char *hl_reftable_list(const struct hl_reftable *table);

/* hl_reftable_rows - the rows of a document, as objects; what is no object is given as it is. gives an array. */
json_t *hl_reftable_rows(const struct hl_reftable *table, const json_t *doc);
/* hl_reftable_doc - a document with these rows and everything else of another (NULL: nothing else). gives. */
json_t *hl_reftable_doc(const struct hl_reftable *table, json_t *rest, json_t *rows);

/* hl_reftable_columns - names of the columns, those that only occur in rows behind the known ones. gives an array. */
json_t *hl_reftable_columns(const struct hl_reftable *table, const json_t *rows);
/* hl_reftable_value - a cell's text as the value of a column, NULL for an empty one unless it is a list.
 * Takes   sample: rows that tell the type of columns the table does not know
 * Errors  *rule_r: what the text must be, when it is not that */
json_t *hl_reftable_value(const struct hl_reftable *table, const char *column, const char *text, const json_t *sample,
			  const char **rule_r);
/* hl_reftable_cell - the text of a value; hl_reftable_value is its inverse. gives a string (free). */
char *hl_reftable_cell(const json_t *value);
/* hl_reftable_unknown - the first column that neither the table nor a sample row has, NULL if there is none. */
const char *hl_reftable_unknown(const struct hl_reftable *table, const json_t *columns, const json_t *sample);

/* hl_reftable_check - every rule of every row.
 * Takes   rows with the line of each; docs: all current documents, the contacts' rows under "contacts"
 * Gives   appends {"row" (from 0),"line","field","rule"} to errors, in order of rows */
void hl_reftable_check(const struct hl_reftable *table, const json_t *rows, const size_t *lines, const json_t *docs,
		       json_t *errors);

/* hl_reftable_diff - what changes from one document to another (NULL: there is none).
 * Gives   [{"change": "added"|"changed"|"removed", "key", "fields": {name: [old, new]}}]; an empty list: nothing.
 *         Missing, null, "" and [] are the same. What is beside the rows has the key "(document)". */
json_t *hl_reftable_diff(const struct hl_reftable *table, json_t *old_doc, json_t *new_doc);

/* hl_reftable_lines - the line on which each element of a list begins in the text of a document.
 * Takes   depth: HL_LINES_LIST, or HL_LINES_LISTS for a list of objects that each hold a list with the elements
 * Gives   number of elements found, at most max */
#define HL_LINES_LIST  2
#define HL_LINES_LISTS 4
size_t hl_reftable_lines(struct hl_slice json, const char *list, int depth, size_t *lines_r, size_t max);
/* hl_reftable_line_of - the line on which a member of an object of the document begins, 0 when it has none. */
size_t hl_reftable_line_of(struct hl_slice json, const char *object, const char *member);

#endif
