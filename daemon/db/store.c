/* store.c - PostgreSQL behind the store seam (contract in hotline/store.h) */
#include "hotline/store.h"

#include <stdlib.h>
#include <string.h>

static enum hl_class submit(void *ctx, const char *function, struct hl_slice json, int flags, int64_t deadline_us,
			    hl_pg_done *done, void *arg)
{
	return hl_pg_call(ctx, function, json, flags, deadline_us, done, arg, NULL);
}

static bool is_ready(void *ctx)
{
	return hl_pg_is_ready(ctx);
}

struct hl_store hl_store_pg(struct hl_pg *pg)
{
	return (struct hl_store){.ctx = pg, .submit = submit, .is_ready = is_ready};
}

enum hl_class hl_store_submit_json(const struct hl_store *store, const char *function, json_t *value, int flags,
				   int64_t deadline_us, hl_pg_done *done, void *arg)
{
	char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
	enum hl_class cls = HL_NOMEM;

	if (text)
		cls = store->submit(store->ctx, function, hl_slice_str(text), flags, deadline_us, done, arg);
	free(text);
	json_decref(value);
	return cls;
}

bool hl_store_is_item_fault(const struct hl_pg_result *r)
{
	return r->cls == HL_INPUT || r->cls == HL_REFUSED || (r->cls == HL_BUG && strncmp(r->sqlstate, "XX", 2) == 0);
}
