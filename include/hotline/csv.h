/* csv.h - CSV (RFC 4180) read and written; libcsv inside, linked into hotlinectl and tests only */
#ifndef HOTLINE_CSV_H
#define HOTLINE_CSV_H

#include "hotline/buf.h"
#include "hotline/error.h"
#include "hotline/slice.h"
#include <jansson.h>

struct hl_csv {
	json_t *records; /* array of arrays of texts */
	size_t *lines;   /* on which each record begins */
};

/* hl_csv_read - all records of a text; empty lines are left out.
 * Takes   clean UTF-8 without a byte order mark
 * Errors  HL_INPUT naming the line: a quote that is not closed or stands inside a bare field */
enum hl_class hl_csv_read(struct hl_slice text, struct hl_csv *csv_r, struct hl_error *err);
void hl_csv_fini(struct hl_csv *csv);

/* hl_csv_write - one record of texts, quoted where they must be, CRLF at its end. */
void hl_csv_write(struct hl_buf *out, const json_t *record);

#endif
