/* pg_link.c - the connection under the calls: made, set up, greeted, lost and made again (contract in hotline/pg.h)
 *
 * Owns the PGconn and its socket event. No call goes over a link before its session is set up, its server is durable
 * and the greeting was found good: after a failover that is another server. Limits: names in conninfo are resolved by
 * libpq, blocking; use a socket directory or hostaddr.
 */
#include "pg_internal.h"

#include "hotline/clock.h"
#include "hotline/log.h"

#include <stdlib.h>
#include <string.h>

#define RECONNECT_MAX_US (5 * HL_US_PER_S)
#define CONNECT_US       (5 * HL_US_PER_S)

/* Durability and time-outs of the session; checked again by hl.hello. The last column tells whether a commit will last.
 * Plans are made once and never on a sequential scan: one made while a table was small would be kept while it grows.
 */
#define SESSION_SQL                                                                                                    \
	"select set_config('synchronous_commit', 'on', false), set_config('statement_timeout', '30s', false), "        \
	"set_config('lock_timeout', '5s', false), set_config('idle_in_transaction_session_timeout', '5s', false), "    \
	"set_config('TimeZone', 'UTC', false), set_config('client_min_messages', 'warning', false), "                  \
	"set_config('jit', 'off', false), set_config('enable_seqscan', 'off', false), "                                \
	"set_config('plan_cache_mode', 'force_generic_plan', false), current_setting('fsync')"

static void on_socket(evutil_socket_t fd, short what, void *arg);

void pg_watch(struct hl_pg *pg, short what)
{
	int fd = PQsocket(pg->conn);

	if (pg->ev && pg->ev_what == what && event_get_fd(pg->ev) == fd)
		return;
	if (pg->ev)
		event_free(pg->ev);
	pg->ev_what = what;
	pg->ev = event_new(hl_loop_base(pg->loop), fd, what | EV_PERSIST, on_socket, pg);
	if (pg->ev)
		event_add(pg->ev, NULL);
}

void pg_keep_error(struct hl_pg *pg, const char *text)
{
	snprintf(pg->error, sizeof(pg->error), "%s", text && *text ? text : "connection lost");
	for (char *c = pg->error; *c; c++)
		if (*c == '\n')
			*c = ' ';
}

/* The link is gone: what was sent has an unknown fate, what waits may go over the next one. why NULL: it was kept
 * before. */
void pg_drop_link(struct hl_pg *pg, const char *why)
{
	struct hl_pg_op *op;

	if (why)
		pg_keep_error(pg, why);
	if (pg->state == LINK_READY)
		hl_log(HL_WARN, "db.lost", HL_STR("why", pg->error), HL_INT("sent", pg->n_sent));
	while ((op = TAILQ_FIRST(&pg->sent))) {
		TAILQ_REMOVE(&pg->sent, op, link);
		if (op->function)
			pg_finish(pg, op, op->flags & HL_PG_IDEMPOTENT ? HL_RETRY : HL_UNKNOWN, pg->error);
		else
			pg_free_op(op);
	}
	pg->n_sent = 0;
	if (pg->ev)
		event_free(pg->ev);
	pg->ev = NULL;
	PQfinish(pg->conn);
	pg->conn = NULL;
	pg->state = LINK_DOWN;
	pg->n_prepared = 0;
	pg->is_poisoned = false;
	hl_timer_start(&pg->reconnect, pg->backoff_us);
	pg->backoff_us = pg->backoff_us * 2 < RECONNECT_MAX_US ? pg->backoff_us * 2 : RECONNECT_MAX_US;
}

static void on_notice(void *arg, const PGresult *res)
{
	struct hl_pg *pg = arg;
	const char *where = PQresultErrorField(res, PG_DIAG_SOURCE_FUNCTION);

	/* "committed locally, but might not have been replicated": known by its place, the words depend on the locale
	 */
	if (where && strcmp(where, "SyncRepWaitForLSN") == 0)
		pg->is_poisoned = true;
}

void pg_start_connecting(void *arg)
{
	struct hl_pg *pg = arg;

	if (pg->conn)
		return;
	pg->conn = PQconnectStart(pg->conninfo);
	pg->state = LINK_CONNECTING;
	pg->connect_deadline_us = hl_mono_us() + CONNECT_US;
	hl_timer_start(&pg->deadlines, DEADLINE_SCAN_US);
	if (!pg->conn || PQstatus(pg->conn) == CONNECTION_BAD) {
		pg_drop_link(pg, pg->conn ? PQerrorMessage(pg->conn) : "out of memory");
		return;
	}
	PQsetNoticeReceiver(pg->conn, on_notice, pg);
	pg_watch(pg, EV_WRITE);
}

/* A statement of the session's own; its answer goes to pg_setup_ended. */
static bool send_own(struct hl_pg *pg, const char *sql, bool is_greeting)
{
	struct hl_pg_op *op = calloc(1, sizeof(*op));

	if (!op)
		return false;
	op->deadline_us = pg->connect_deadline_us;
	op->is_greeting = is_greeting;
	TAILQ_INSERT_TAIL(&pg->sent, op, link);
	pg->n_sent++;
	return PQsendQueryParams(pg->conn, sql, 0, NULL, NULL, NULL, NULL, 0) && PQpipelineSync(pg->conn);
}

static bool send_setup(struct hl_pg *pg)
{
	return PQsetnonblocking(pg->conn, 1) == 0 && PQenterPipelineMode(pg->conn) && send_own(pg, SESSION_SQL, false);
}

/* Whoever answers at the address now may be another server than before. */
static bool send_greeting(struct hl_pg *pg)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "select hl.%s('{}'::jsonb)::text", pg->greeting.function);
	return send_own(pg, sql, true);
}

static void poll_connecting(struct hl_pg *pg)
{
	switch (PQconnectPoll(pg->conn)) {
	case PGRES_POLLING_READING:
		pg_watch(pg, EV_READ);
		break;
	case PGRES_POLLING_WRITING:
		pg_watch(pg, EV_WRITE);
		break;
	case PGRES_POLLING_OK:
		pg->state = LINK_SETUP;
		if (!send_setup(pg))
			pg_drop_link(pg, PQerrorMessage(pg->conn));
		else
			pg_pump(pg);
		break;
	default:
		pg_drop_link(pg, PQerrorMessage(pg->conn));
	}
}

/* A server that came back without fsync would answer, and forget: no call may go to it. */
static bool is_durable(const struct hl_pg_op *setup)
{
	const PGresult *res = setup->result;

	return res && PQntuples(res) == 1 && strcmp(PQgetvalue(res, 0, PQnfields(res) - 1), "on") == 0;
}

static void become_ready(struct hl_pg *pg)
{
	pg->state = LINK_READY;
	pg->backoff_us = RECONNECT_MIN_US;
	pg->error[0] = '\0';
	hl_log(HL_INFO, "db.ready", HL_INT("pid", PQbackendPID(pg->conn)));
}

static const char *greeting_trouble(const struct hl_pg *pg, const struct hl_pg_op *op)
{
	struct hl_slice json = {"", 0};

	if (op->result && PQntuples(op->result) == 1)
		json = (struct hl_slice){PQgetvalue(op->result, 0, 0), (size_t)PQgetlength(op->result, 0, 0)};
	return pg->greeting.trouble(json);
}

void pg_setup_ended(struct hl_pg *pg, const struct hl_pg_op *op)
{
	const char *trouble = op->cls != HL_OK ? op->text : op->is_greeting ? greeting_trouble(pg, op) : NULL;

	if (trouble)
		pg_keep_error(pg, trouble);
	else if (!op->is_greeting && !is_durable(op))
		pg_keep_error(pg, "the database runs without fsync: nothing would be durable");
	else if (op->is_greeting || !pg->greeting.function)
		become_ready(pg);
	else if (!send_greeting(pg))
		pg_keep_error(pg, PQerrorMessage(pg->conn));
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct hl_pg *pg = arg;

	(void)fd;
	if (pg->state == LINK_CONNECTING) {
		poll_connecting(pg);
		return;
	}
	if (what & EV_READ)
		pg_read_answers(pg);
	if (pg->state == LINK_READY || pg->state == LINK_SETUP)
		pg_pump(pg);
}
