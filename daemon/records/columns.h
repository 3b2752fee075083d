/* columns.h (private to daemon/records) - the columns of the ledger's two sheets: one table each for all formats */
#ifndef RECORDS_COLUMNS_H
#define RECORDS_COLUMNS_H

#include <stddef.h>

enum column_kind { COLUMN_TEXT, COLUMN_TIME, COLUMN_NUMBER };

struct column {
	const char *key; /* field of hl.ledger's row */
	const char *zh, *en;
	enum column_kind kind;
	double width; /* of the sheet's column, in characters */
};

struct column_set {
	const char *zh, *en; /* the sheet's name */
	const struct column *columns;
	size_t n;
};

extern const struct column_set case_columns, task_columns;

#endif
