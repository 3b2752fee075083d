/* import.h (private to daemon/ctl) - reference data between files and the database */
#ifndef CTL_IMPORT_H
#define CTL_IMPORT_H

#include "ctl.h"
#include "hotline/reftable.h"

#include <libpq-fe.h>

/* One kind as a file brings it. */
struct source {
	const struct hl_reftable *table;
	const char *path;
	json_t *doc, *rows;
	size_t *lines; /* of each row, 0: not known */
	json_t *files; /* of each row, where they come from several; NULL: all from path */
	json_t *changes;
};

/* source_read - a .json, .csv or .ics file as rows and as a document.
 * Takes   current: the document in force, whose other parts rows are put into (NULL: none)
 * Gives   CTL_OK; else what is wrong was appended to errors as {"file","line","field","rule"} */
int source_read(const struct hl_reftable *table, const char *path, json_t *current, struct source *source_r,
		json_t *errors);
void source_fini(struct source *source);

/* source_check - rules of all rows, against all documents. */
void source_check(struct source *source, const json_t *docs, json_t *errors);

/* import_say_errors - every one on a line of its own, or as JSON, and what did not happen because of them. */
int import_say_errors(struct ctl *ctl, const json_t *errors, const char *what);

/* import_connect - the database, in a transaction. Gives NULL after having said why. */
PGconn *import_connect(struct ctl *ctl);
/* import_call - one call of a function of schema hl. takes args. Gives the reply, NULL after having said why. */
json_t *import_call(struct ctl *ctl, PGconn *conn, const char *function, json_t *args);
/* import_current - the document of a kind in what hl.config gave: a calendar as its specification. borrows. */
json_t *import_current(const struct hl_reftable *table, const json_t *config);
/* import_expand - puts a document among the others: a calendar expanded, its specification inside. */
enum hl_class import_expand(const struct hl_reftable *table, json_t *doc, json_t *docs, struct hl_error *err);
/* import_recompute - after a calendar came: limits that crossed an unknown year. */
int import_recompute(struct ctl *ctl, PGconn *conn, json_t *docs);
/* import_warn_year - says so from 1 November on when the next year has no holidays. */
void import_warn_year(const json_t *calendar_doc, int64_t now_us);

#endif
