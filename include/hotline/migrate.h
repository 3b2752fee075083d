/* migrate.h - brings a database to this binary's schema; synchronous, run by hotlinectl, never by the daemon */
#ifndef HOTLINE_MIGRATE_H
#define HOTLINE_MIGRATE_H

#include "hotline/error.h"
#include <stdbool.h>

struct hl_migrated {
	unsigned applied, functions; /* files applied this time */
};

/* hl_migrate - applies schema/NNNN_*.sql not yet applied, each in one transaction, then the functions in
 * schema/fn when they changed, then the law; all under one advisory lock, so two runners do not meet.
 * Takes   conninfo of hotline_owner; dir: the schema folder; is_demo: whether the clock may be moved.
 * Errors  HL_CONFIG: an applied file was changed, or is newer than this folder knows; file and server's reason.
 *         HL_RETRY: no connection.
 * Cost    blocks; a run killed midway is simply run again */
enum hl_class hl_migrate(const char *conninfo, const char *dir, bool is_demo, struct hl_migrated *out_r,
			 struct hl_error *err);

#endif
