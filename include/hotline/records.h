/* records.h - what the county prints: the ledger as CSV, XLSX or JSON, the report form as PDF or HTML
 *
 * Functions of a library: hotlinectl calls them today, a web console may tomorrow. They get rows as
 * hl.ledger and hl.form give them (schema/fn/75_records.sql) and write to a stream; who may see what
 * was decided, and logged, before a row came here. Not part of the daemon: cairo and libxlsxwriter
 * are linked by whoever prints.
 */
#ifndef HOTLINE_RECORDS_H
#define HOTLINE_RECORDS_H

#include "hotline/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum hl_ledger_format { HL_LEDGER_CSV, HL_LEDGER_XLSX, HL_LEDGER_JSON };

struct hl_ledger_options {
	enum hl_ledger_format format;
	bool is_english;  /* column titles; Chinese otherwise */
	bool of_tasks;    /* CSV: one row per task instead of one per case */
	const char *path; /* XLSX: the file, replaced when it exists */
	FILE *out;        /* CSV and JSON: borrowed until close */
};

struct hl_ledger;

/* hl_ledger_open - begins a ledger.
 * Takes   opened: the answer of hl.ledger_open ({export, as_of, months: [{month, cases, tasks}]}), borrowed.
 * Gives   a writer; hl_ledger_close ends it on every path.
 * Errors  HL_LIMIT: a month has more rows than a sheet of XLSX holds (then CSV is the way); HL_NOMEM.
 * Cost    constant memory whatever the number of rows. XLSX of more rows than a sheet holds: a pair of sheets per
 * month. Source  product.md 7. */
enum hl_class hl_ledger_open(const struct hl_ledger_options *options, const json_t *opened, struct hl_ledger **out_r,
			     struct hl_error *err);
/* hl_ledger_add - appends the rows of one page of hl.ledger, in the order in which the pages came. borrows.
 * Errors  HL_RETRY: the stream cannot be written. */
enum hl_class hl_ledger_add(struct hl_ledger *ledger, const json_t *rows, struct hl_error *err);
/* hl_ledger_close - writes what is left and frees. Only an HL_OK here means that the file is whole. */
enum hl_class hl_ledger_close(struct hl_ledger **ledger, struct hl_error *err);

/* hl_cell_is_formula - would a spreadsheet run this text? Such cells get a leading apostrophe. */
bool hl_cell_is_formula(const char *text);

enum hl_form_format { HL_FORM_PDF, HL_FORM_HTML };

/* hl_form_write - the report form (annex 2 of the notice), one page per copy.
 * Takes   words: schema/ref/form.json (titles and copies, borrowed); form: the answer of hl.form, borrowed;
 *         copy: key of one copy, or "all".
 * Gives   a PDF or an HTML page on out. What the case does not know stays an empty field.
 * Errors  HL_INPUT: no such copy, or words without a title it needs (named); HL_LIMIT: no font for a character (named);
 *         HL_RETRY: out cannot be written; HL_NOMEM. */
enum hl_class hl_form_write(enum hl_form_format format, const json_t *words, const json_t *form, const char *copy,
			    FILE *out, struct hl_error *err);

#endif
