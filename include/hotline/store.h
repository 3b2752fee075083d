/* store.h - the seam behind which durability lives
 *
 * Everything that must survive a crash goes through submit: a function of the flow
 * (intake, receipts, act, lease, settle, ...) with its JSON. PostgreSQL stands
 * behind it, the spool (spool.h) in front of PostgreSQL, and tests script it.
 */
#ifndef HOTLINE_STORE_H
#define HOTLINE_STORE_H

#include "hotline/pg.h"

#include <jansson.h>

struct hl_store {
	void *ctx;
	/* submit - as hl_pg_call. HL_OK in done means: committed. */
	enum hl_class (*submit)(void *ctx, const char *function, struct hl_slice json, int flags, int64_t deadline_us,
				hl_pg_done *done, void *arg);
	bool (*is_ready)(void *ctx);
};

/* hl_store_pg - the store on a connection. borrows pg. */
struct hl_store hl_store_pg(struct hl_pg *pg);

/* hl_store_submit_json - submit with a JSON value. takes value (also on failure). */
enum hl_class hl_store_submit_json(const struct hl_store *store, const char *function, json_t *value, int flags,
				   int64_t deadline_us, hl_pg_done *done, void *arg);

/* hl_store_is_item_fault - whether a refusal belongs to an item of the call: a data error or a broken rule does, a missing
 * function or a full disk does not. */
bool hl_store_is_item_fault(const struct hl_pg_result *result);

#endif
