/* spool.h - texts and receipts that come while the database is away: synced to a file, told again when it is back
 *
 * A store in front of a store. While the inner one works every call goes through. Once it has been away for after_us,
 * calls of the flow that bring items (intake, receipts) are written to DIR/spool, one line per item, and answered HL_OK
 * after the sync: so a 2xx stays what it is. All other calls fail as they did. When the inner store is back the lines
 * are told again in their order, and what comes meanwhile is put behind them, until none is left. Items are known by
 * channel and id: told twice, after a crash in between, they are the repeats that the flow knows. Full, or a disk that
 * refuses: HL_RETRY, as without a spool. The sync blocks the loop; all that waits then is what it syncs. Must not know:
 * what the items mean.
 */
#ifndef HOTLINE_SPOOL_H
#define HOTLINE_SPOOL_H

#include "hotline/clock.h"
#include "hotline/intake.h"
#include "hotline/store.h"

struct hl_spool;

struct hl_spool_options {
	const char *dir; /* made when missing; belongs to one process, which holds a lock on its file. borrowed */
	uint64_t max_bytes;
	int64_t after_us; /* away for so long = down */
};

struct hl_spool_stats {
	unsigned long long taken, refused, told, damaged; /* items; damaged: lines that are not what was written */
	uint64_t bytes, waiting;                          /* of the file now; items of it that are still to be told */
};

/* hl_spool_new - opens or makes the file; what a process before us left in it waits to be told.
 * Takes   inner: copied, what it points at outlives the spool. Errors  HL_CONFIG: dir cannot be used, or another
 * process does; HL_NOMEM */
enum hl_class hl_spool_new(struct hl_loop *loop, const struct hl_store *inner, const struct hl_spool_options *options,
			   const struct hl_case_clock *clock, struct hl_spool **out_r, struct hl_error *err);
/* hl_spool_free - answers that were not given yet never are. */
void hl_spool_free(struct hl_spool **spool);
/* hl_spool_store - the store that callers use instead of the inner one. */
struct hl_store hl_spool_store(struct hl_spool *spool);
/* hl_spool_start - from now on what waits is told again, through batchers of its own on the inner store.
 * Takes   both: borrowed until hl_spool_stop and hl_spool_outstanding() is 0. */
void hl_spool_start(struct hl_spool *spool, struct hl_intake *intake, struct hl_intake *receipts);
/* hl_spool_stop - nothing more is begun. */
void hl_spool_stop(struct hl_spool *spool);
/* hl_spool_outstanding - answers and retold items under way. */
unsigned hl_spool_outstanding(const struct hl_spool *spool);
struct hl_spool_stats hl_spool_stats(const struct hl_spool *spool);

#endif
