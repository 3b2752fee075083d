/* reftable.h (private to daemon/refdata) - what a kind of reference data looks like as a table */
#ifndef HOTLINE_REFDATA_REFTABLE_H
#define HOTLINE_REFDATA_REFTABLE_H

#include "hotline/reftable.h"

#define HL_KEY_MAX     8
#define HL_REFTABLES_N 13

enum hl_cell_type { HL_CELL_TEXT, HL_CELL_LIST, HL_CELL_NUMBER, HL_CELL_FLAG, HL_CELL_JSON };

/* Rows under check, and the documents they are checked against. */
struct hl_row_check {
	const struct hl_reftable *table;
	const json_t *docs, *rows;
	const size_t *lines;
	json_t *errors;
};

struct hl_column {
	const char *name; /* NULL ends a list of columns */
	enum hl_cell_type type;
	bool is_required, is_kept; /* is_kept: an empty text is a value */
	const char *words; /* " a b c ", the only ones allowed; NULL: any */
	/* What a text must be, when it is not that; NULL when it is. */
	const char *(*rule)(const struct hl_row_check *check, const char *text);
};

struct hl_reftable {
	const char *kind, *alias, *list;
	const char *key[HL_KEY_MAX]; /* columns that name a row */
	const struct hl_column *columns;
	bool is_nested; /* no form as a table */
	/* Rules that look at a whole row, or at several; NULL: none. */
	void (*check_row)(const struct hl_row_check *check, size_t i);
	/* NULL: the list of the document as it is. */
	json_t *(*rows_of)(const json_t *doc);
	json_t *(*doc_of)(json_t *rest, json_t *rows);
};

extern const struct hl_reftable hl_reftables[HL_REFTABLES_N];

/* hl_row_fault - records one error of a row. */
void hl_row_fault(const struct hl_row_check *check, size_t i, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* hl_row_text - "" when there is none. */
const char *hl_row_text(const json_t *row, const char *field);
/* hl_row_key - the cells of the key columns, joined. gives a string (free). */
char *hl_row_key(const struct hl_reftable *table, const json_t *row);

void hl_check_type_row(const struct hl_row_check *check, size_t i);
void hl_check_holiday_row(const struct hl_row_check *check, size_t i);
void hl_check_roster_row(const struct hl_row_check *check, size_t i);
void hl_check_template_row(const struct hl_row_check *check, size_t i);
void hl_check_limit_row(const struct hl_row_check *check, size_t i);
void hl_check_rule_row(const struct hl_row_check *check, size_t i);

/* The documents that are no plain lists. */
json_t *hl_limit_rows(const json_t *doc);
json_t *hl_limit_rows_doc(json_t *rest, json_t *rows);
json_t *hl_holiday_rows(const json_t *doc);
json_t *hl_holiday_rows_doc(json_t *rest, json_t *rows);

#endif
