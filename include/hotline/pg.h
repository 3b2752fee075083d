/* pg.h - one pipelined libpq connection inside the loop
 *
 * Every call of the gateway has one shape: select * from hl.<function>($1::jsonb),
 * JSON text in, one JSON value out, one Sync group = one transaction = one round
 * trip. Calls are answered in order. A broken link is re-made with back-off; calls
 * that were not sent are sent again, calls sent but unanswered end as HL_RETRY when
 * marked idempotent, else HL_UNKNOWN.
 * Session: synchronous_commit=on asserted, statement and lock time-outs, TimeZone=UTC;
 * the connection is discarded on SQLSTATE class 08, 57P, 25006 and on the
 * "might not have been replicated" warning (01000), after which the call is HL_UNKNOWN.
 * Must not know: what the functions do.
 */
#ifndef HOTLINE_PG_H
#define HOTLINE_PG_H

#include "hotline/error.h"
#include "hotline/loop.h"
#include "hotline/slice.h"

struct hl_pg;
struct hl_pg_op;

struct hl_pg_result {
	enum hl_class cls;
	struct hl_slice json; /* HL_OK: the value, borrows during done */
	char sqlstate[6];     /* "" when the server did not speak */
	const char *text;     /* reason otherwise */
};
typedef void hl_pg_done(void *arg, const struct hl_pg_result *result);

enum { HL_PG_IDEMPOTENT = 1 };

/* hl_pg_greeting - asked on every new link before any call goes over it: after a failover it is another server's.
 * function: literal name of a function in schema hl, NULL: no greeting; trouble: why its answer does not do, NULL when
 * it does. */
struct hl_pg_greeting {
	const char *function;
	const char *(*trouble)(struct hl_slice json);
};

/* hl_pg_new - starts connecting at once; conninfo may name several hosts.
 * Takes   conninfo and greeting (may be NULL): copied; max_waiting: bound of the queue of calls not yet sent.
 * Gives   NULL when memory is out; a database that is away is not an error, see hl_pg_is_ready. */
struct hl_pg *hl_pg_new(struct hl_loop *loop, const char *conninfo, const struct hl_pg_greeting *greeting,
			unsigned max_waiting);
void hl_pg_free(struct hl_pg **pg);
bool hl_pg_is_ready(const struct hl_pg *pg);
/* hl_pg_last_error - why it is not ready, "" if it is. */
const char *hl_pg_last_error(const struct hl_pg *pg);

/* hl_pg_call - queues one call.
 * Takes   function: literal name of a function in schema hl; json: copied.
 * Calls   done exactly once, at the fixed point of a later turn, never after cancel.
 * Errors  through done: HL_RETRY (not sent, link down, queue full, serialisation, deadline before sending),
 *         HL_UNKNOWN (sent, no answer in time), HL_INPUT (data error, sqlstate class 22 or 23),
 *         HL_REFUSED (raised by the schema, class P0), HL_BUG (other server errors).
 *         HL_NOMEM directly. */
enum hl_class hl_pg_call(struct hl_pg *pg, const char *function, struct hl_slice json, int flags, int64_t deadline_us,
			 hl_pg_done *done, void *arg, struct hl_pg_op **op_r);
void hl_pg_cancel(struct hl_pg_op **op);
unsigned hl_pg_outstanding(const struct hl_pg *pg);

#endif
