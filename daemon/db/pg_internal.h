/* pg_internal.h (private to daemon/db) - what the calls and the link of one connection share */
#ifndef DB_PG_INTERNAL_H
#define DB_PG_INTERNAL_H

#include "hotline/pg.h"

#include <libpq-fe.h>

#define FUNCTIONS_MAX    64
#define DEADLINE_SCAN_US (50 * HL_US_PER_MS)
#define RECONNECT_MIN_US (50 * HL_US_PER_MS)

enum link_state { LINK_DOWN, LINK_CONNECTING, LINK_SETUP, LINK_READY };

struct hl_pg_op {
	TAILQ_ENTRY(hl_pg_op) link;
	const char *function; /* NULL: the session's own set-up */
	char *json;
	int flags;
	int64_t deadline_us;
	bool carries_prepare; /* until the server has prepared it */
	bool is_cancelled;
	bool is_greeting;
	hl_pg_done *done;
	void *arg;
	struct hl_pg_op **handle;
	enum hl_class cls;
	char sqlstate[6];
	char *text;
	PGresult *result;
};
TAILQ_HEAD(op_list, hl_pg_op);

struct hl_pg {
	struct hl_loop *loop;
	char *conninfo;
	PGconn *conn;
	struct event *ev;
	short ev_what;
	enum link_state state;
	struct hl_pg_greeting greeting;
	struct op_list waiting, sent, finished;
	unsigned n_waiting, n_sent, max_waiting;
	const char *prepared[FUNCTIONS_MAX];
	size_t n_prepared;
	struct hl_timer reconnect, deadlines;
	int64_t connect_deadline_us, backoff_us;
	struct hl_post post;
	bool is_poisoned; /* the server warned that a commit may not be replicated */
	char error[256];
};

/* pg.c */
void pg_free_op(struct hl_pg_op *op);
/* done runs with it at the next fixed point. text: the reason, unless one is known. */
void pg_finish(struct hl_pg *pg, struct hl_pg_op *op, enum hl_class cls, const char *text);
/* Sends what waits and what libpq holds back. */
void pg_pump(struct hl_pg *pg);
void pg_read_answers(struct hl_pg *pg);
/* pg_link.c */
void pg_start_connecting(void *arg);
void pg_watch(struct hl_pg *pg, short what);
void pg_keep_error(struct hl_pg *pg, const char *text);
/* What was sent has an unknown fate, what waits may go over the next link. why NULL: it was kept before. */
void pg_drop_link(struct hl_pg *pg, const char *why);
/* The answer to a statement of the session's own. A link that is neither ready nor asked more is dropped by the caller.
 */
void pg_setup_ended(struct hl_pg *pg, const struct hl_pg_op *op);

#endif
