/* pg.c - one pipelined libpq connection inside the loop (contract in hotline/pg.h)
 *
 * Owns the PGconn, its socket event, the queue of calls not yet sent and the FIFO of
 * calls sent. Answers are matched by FIFO position and drained to the group's Sync.
 * Must not know: what the functions do, nor retry on its own anything that was sent.
 * Limits: names in conninfo are resolved by libpq, blocking; use a socket directory or hostaddr.
 */
#include "hotline/pg.h"

#include "hotline/clock.h"
#include "hotline/log.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS_MAX    64
#define RECONNECT_MIN_US (50 * HL_US_PER_MS)
#define RECONNECT_MAX_US (5 * HL_US_PER_S)
#define CONNECT_US       (5 * HL_US_PER_S)
#define DEADLINE_SCAN_US (50 * HL_US_PER_MS)

/* Durability and time-outs of the session; checked again by hl.hello. The last column tells whether a commit will last.
 * Plans are made once and never on a sequential scan: one made while a table was small would be kept while it grows.
 */
#define SESSION_SQL                                                                                                    \
	"select set_config('synchronous_commit', 'on', false), set_config('statement_timeout', '30s', false), "        \
	"set_config('lock_timeout', '5s', false), set_config('idle_in_transaction_session_timeout', '5s', false), "    \
	"set_config('TimeZone', 'UTC', false), set_config('client_min_messages', 'warning', false), "                  \
	"set_config('jit', 'off', false), set_config('enable_seqscan', 'off', false), "                                \
	"set_config('plan_cache_mode', 'force_generic_plan', false), current_setting('fsync')"

enum link_state { LINK_DOWN, LINK_CONNECTING, LINK_SETUP, LINK_READY };

struct hl_pg_op {
	TAILQ_ENTRY(hl_pg_op) link;
	const char *function; /* NULL: the session's own set-up */
	char *json;
	int flags;
	int64_t deadline_us;
	bool carries_prepare; /* until the server has prepared it */
	bool is_cancelled;
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

static void on_socket(evutil_socket_t fd, short what, void *arg);
static void pump(struct hl_pg *pg);

/* ---- calls ---------------------------------------------------------------- */

static void free_op(struct hl_pg_op *op)
{
	PQclear(op->result);
	free(op->text);
	free(op->json);
	free(op);
}

static void finish(struct hl_pg *pg, struct hl_pg_op *op, enum hl_class cls, const char *text)
{
	op->cls = cls;
	if (text && !op->text)
		op->text = strdup(text);
	TAILQ_INSERT_TAIL(&pg->finished, op, link);
	hl_loop_post(pg->loop, &pg->post);
}

static void fill_result(const struct hl_pg_op *op, struct hl_pg_result *r)
{
	*r = (struct hl_pg_result){.cls = op->cls, .text = op->text ? op->text : ""};
	memcpy(r->sqlstate, op->sqlstate, sizeof(r->sqlstate));
	if (op->cls == HL_OK && op->result && PQntuples(op->result) > 0)
		r->json = (struct hl_slice){PQgetvalue(op->result, 0, 0), (size_t)PQgetlength(op->result, 0, 0)};
}

static void deliver(void *arg)
{
	struct hl_pg *pg = arg;
	struct op_list ready = TAILQ_HEAD_INITIALIZER(ready);
	struct hl_pg_op *op;

	TAILQ_CONCAT(&ready, &pg->finished, link);
	while ((op = TAILQ_FIRST(&ready))) {
		TAILQ_REMOVE(&ready, op, link);
		if (!op->is_cancelled && op->done) {
			struct hl_pg_result r;

			fill_result(op, &r);
			if (op->handle)
				*op->handle = NULL;
			op->done(op->arg, &r);
		}
		free_op(op);
	}
}

enum hl_class hl_pg_call(struct hl_pg *pg, const char *function, struct hl_slice json, int flags, int64_t deadline_us,
			 hl_pg_done *done, void *arg, struct hl_pg_op **op_r)
{
	struct hl_pg_op *op = calloc(1, sizeof(*op));

	if (!op || !(op->json = strndup(json.ptr, json.len))) {
		free(op);
		return HL_NOMEM;
	}
	op->function = function;
	op->flags = flags;
	op->deadline_us = hl_mono_us() + deadline_us;
	op->done = done;
	op->arg = arg;
	op->handle = op_r;
	if (op_r)
		*op_r = op;
	if (pg->n_waiting >= pg->max_waiting) {
		finish(pg, op, HL_RETRY, "too many calls are waiting for the database");
		return HL_OK;
	}
	TAILQ_INSERT_TAIL(&pg->waiting, op, link);
	pg->n_waiting++;
	pump(pg);
	return HL_OK;
}

void hl_pg_cancel(struct hl_pg_op **op)
{
	if (!*op)
		return;
	(*op)->is_cancelled = true;
	(*op)->handle = NULL;
	*op = NULL;
}

/* ---- the link ------------------------------------------------------------- */

static void watch(struct hl_pg *pg, short what)
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

static void keep_error(struct hl_pg *pg, const char *text)
{
	snprintf(pg->error, sizeof(pg->error), "%s", text && *text ? text : "connection lost");
	for (char *c = pg->error; *c; c++)
		if (*c == '\n')
			*c = ' ';
}

/* The link is gone: what was sent has an unknown fate, what waits may go over the next one. why NULL: it was kept
 * before. */
static void drop_link(struct hl_pg *pg, const char *why)
{
	struct hl_pg_op *op;

	if (why)
		keep_error(pg, why);
	if (pg->state == LINK_READY)
		hl_log(HL_WARN, "db.lost", HL_STR("why", pg->error), HL_INT("sent", pg->n_sent));
	while ((op = TAILQ_FIRST(&pg->sent))) {
		TAILQ_REMOVE(&pg->sent, op, link);
		if (op->function)
			finish(pg, op, op->flags & HL_PG_IDEMPOTENT ? HL_RETRY : HL_UNKNOWN, pg->error);
		else
			free_op(op);
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

static void start_connecting(void *arg)
{
	struct hl_pg *pg = arg;

	if (pg->conn)
		return;
	pg->conn = PQconnectStart(pg->conninfo);
	pg->state = LINK_CONNECTING;
	pg->connect_deadline_us = hl_mono_us() + CONNECT_US;
	hl_timer_start(&pg->deadlines, DEADLINE_SCAN_US);
	if (!pg->conn || PQstatus(pg->conn) == CONNECTION_BAD) {
		drop_link(pg, pg->conn ? PQerrorMessage(pg->conn) : "out of memory");
		return;
	}
	PQsetNoticeReceiver(pg->conn, on_notice, pg);
	watch(pg, EV_WRITE);
}

static bool send_setup(struct hl_pg *pg)
{
	struct hl_pg_op *op = calloc(1, sizeof(*op));

	if (!op)
		return false;
	op->deadline_us = pg->connect_deadline_us;
	TAILQ_INSERT_TAIL(&pg->sent, op, link);
	pg->n_sent++;
	return PQsetnonblocking(pg->conn, 1) == 0 && PQenterPipelineMode(pg->conn) &&
	       PQsendQueryParams(pg->conn, SESSION_SQL, 0, NULL, NULL, NULL, NULL, 0) && PQpipelineSync(pg->conn);
}

static void poll_connecting(struct hl_pg *pg)
{
	switch (PQconnectPoll(pg->conn)) {
	case PGRES_POLLING_READING:
		watch(pg, EV_READ);
		break;
	case PGRES_POLLING_WRITING:
		watch(pg, EV_WRITE);
		break;
	case PGRES_POLLING_OK:
		pg->state = LINK_SETUP;
		if (!send_setup(pg))
			drop_link(pg, PQerrorMessage(pg->conn));
		else
			pump(pg);
		break;
	default:
		drop_link(pg, PQerrorMessage(pg->conn));
	}
}

/* ---- sending -------------------------------------------------------------- */

static bool is_prepared(const struct hl_pg *pg, const char *function)
{
	for (size_t i = 0; i < pg->n_prepared; i++)
		if (strcmp(pg->prepared[i], function) == 0)
			return true;
	return false;
}

static void forget_prepared(struct hl_pg *pg, const char *function)
{
	for (size_t i = 0; i < pg->n_prepared; i++)
		if (strcmp(pg->prepared[i], function) == 0)
			pg->prepared[i] = pg->prepared[--pg->n_prepared];
}

static bool send_op(struct hl_pg *pg, struct hl_pg_op *op)
{
	const char *const values[] = {op->json};

	if (!is_prepared(pg, op->function)) {
		char sql[128];

		hl_assert(pg->n_prepared < FUNCTIONS_MAX);
		snprintf(sql, sizeof(sql), "select hl.%s($1::jsonb)::text", op->function);
		if (!PQsendPrepare(pg->conn, op->function, sql, 0, NULL))
			return false;
		pg->prepared[pg->n_prepared++] = op->function;
		op->carries_prepare = true;
	}
	return PQsendQueryPrepared(pg->conn, op->function, 1, values, NULL, NULL, 0) && PQpipelineSync(pg->conn);
}

static void pump(struct hl_pg *pg)
{
	struct hl_pg_op *op;
	int flushed;

	if (pg->state != LINK_READY && pg->state != LINK_SETUP)
		return;
	while (pg->state == LINK_READY && (op = TAILQ_FIRST(&pg->waiting))) {
		TAILQ_REMOVE(&pg->waiting, op, link);
		pg->n_waiting--;
		TAILQ_INSERT_TAIL(&pg->sent, op, link);
		pg->n_sent++;
		if (!send_op(pg, op)) {
			drop_link(pg, PQerrorMessage(pg->conn));
			return;
		}
	}
	flushed = PQflush(pg->conn);
	if (flushed < 0)
		drop_link(pg, PQerrorMessage(pg->conn));
	else
		watch(pg, flushed ? EV_READ | EV_WRITE : EV_READ);
}

/* ---- answers -------------------------------------------------------------- */

static enum hl_class class_of(const char *state)
{
	if (strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0)
		return HL_INPUT;
	if (strncmp(state, "P0", 2) == 0)
		return HL_REFUSED;
	if (strncmp(state, "40", 2) == 0 || strncmp(state, "53", 2) == 0 || strncmp(state, "55", 2) == 0 ||
	    strncmp(state, "57", 2) == 0 || strncmp(state, "08", 2) == 0 || strcmp(state, "25006") == 0)
		return HL_RETRY;
	return HL_BUG;
}

/* Errors after which the connection itself cannot be trusted. */
static bool is_link_error(const char *state)
{
	return strncmp(state, "08", 2) == 0 || strncmp(state, "57P", 3) == 0 || strcmp(state, "25006") == 0;
}

static void note_error(struct hl_pg *pg, struct hl_pg_op *op, const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	if (op->cls != HL_OK)
		return;
	snprintf(op->sqlstate, sizeof(op->sqlstate), "%s", state ? state : "08000");
	op->cls = class_of(op->sqlstate);
	op->text = strdup(text ? text : "connection lost");
	if (op->carries_prepare)
		forget_prepared(pg, op->function);
}

/* A server that came back without fsync would answer, and forget: no call may go to it. */
static bool is_durable(const struct hl_pg_op *setup)
{
	const PGresult *res = setup->result;

	return res && PQntuples(res) == 1 && strcmp(PQgetvalue(res, 0, PQnfields(res) - 1), "on") == 0;
}

static void group_ended(struct hl_pg *pg, struct hl_pg_op *op)
{
	TAILQ_REMOVE(&pg->sent, op, link);
	pg->n_sent--;
	if (op->function) {
		if (pg->is_poisoned && op->cls == HL_OK) {
			finish(pg, op, HL_UNKNOWN, "commit may not have been replicated");
			return;
		}
		finish(pg, op, op->cls, NULL);
		return;
	}
	if (op->cls != HL_OK) {
		keep_error(pg, op->text);
	} else if (!is_durable(op)) {
		keep_error(pg, "the database runs without fsync: nothing would be durable");
	} else {
		pg->state = LINK_READY;
		pg->backoff_us = RECONNECT_MIN_US;
		pg->error[0] = '\0';
		hl_log(HL_INFO, "db.ready", HL_INT("pid", PQbackendPID(pg->conn)));
	}
	free_op(op);
}

/* Takes the next result off the wire. Gives false when nothing more is there now. */
static bool take_result(struct hl_pg *pg)
{
	struct hl_pg_op *op = TAILQ_FIRST(&pg->sent);
	PGresult *res;

	if (!op || PQisBusy(pg->conn))
		return false;
	res = PQgetResult(pg->conn);
	if (!res) /* end of one statement, the group's Sync is still to come; or the end of a dead link */
		return PQstatus(pg->conn) != CONNECTION_BAD;
	switch (PQresultStatus(res)) {
	case PGRES_PIPELINE_SYNC:
		PQclear(res);
		group_ended(pg, op);
		return true;
	case PGRES_TUPLES_OK:
		PQclear(op->result);
		op->result = res;
		return true;
	case PGRES_COMMAND_OK:
		op->carries_prepare = false;
		break;
	case PGRES_PIPELINE_ABORTED:
		break;
	default:
		note_error(pg, op, res);
	}
	PQclear(res);
	return true;
}

static void read_answers(struct hl_pg *pg)
{
	struct hl_pg_op *op;

	if (!PQconsumeInput(pg->conn)) {
		drop_link(pg, PQerrorMessage(pg->conn));
		return;
	}
	while (take_result(pg))
		;
	op = TAILQ_FIRST(&pg->sent);
	if (PQstatus(pg->conn) == CONNECTION_BAD || pg->is_poisoned ||
	    (op && op->cls != HL_OK && is_link_error(op->sqlstate)))
		drop_link(pg, PQerrorMessage(pg->conn));
	else if (pg->state == LINK_SETUP && !op)
		drop_link(pg, NULL);
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
		read_answers(pg);
	if (pg->state == LINK_READY || pg->state == LINK_SETUP)
		pump(pg);
}

/* ---- deadlines ------------------------------------------------------------ */

static void scan_deadlines(void *arg)
{
	struct hl_pg *pg = arg;
	int64_t now = hl_mono_us();
	struct hl_pg_op *op, *next;

	for (op = TAILQ_FIRST(&pg->waiting); op; op = next) {
		next = TAILQ_NEXT(op, link);
		if (now < op->deadline_us)
			continue;
		TAILQ_REMOVE(&pg->waiting, op, link);
		pg->n_waiting--;
		finish(pg, op, HL_RETRY, pg->error[0] ? pg->error : "the database did not take the call in time");
	}
	op = TAILQ_FIRST(&pg->sent);
	if (op && now >= op->deadline_us)
		drop_link(pg, "the database did not answer in time");
	else if (pg->state == LINK_CONNECTING && now >= pg->connect_deadline_us)
		drop_link(pg, "the database did not accept the connection in time");
	hl_timer_start(&pg->deadlines, DEADLINE_SCAN_US);
}

/* ---- life ----------------------------------------------------------------- */

struct hl_pg *hl_pg_new(struct hl_loop *loop, const char *conninfo, unsigned max_waiting)
{
	struct hl_pg *pg = calloc(1, sizeof(*pg));

	if (!pg)
		return NULL;
	pg->loop = loop;
	pg->conninfo = strdup(conninfo);
	pg->max_waiting = max_waiting;
	pg->backoff_us = RECONNECT_MIN_US;
	pg->post = (struct hl_post){.fn = deliver, .arg = pg};
	TAILQ_INIT(&pg->waiting);
	TAILQ_INIT(&pg->sent);
	TAILQ_INIT(&pg->finished);
	if (!pg->conninfo || !hl_timer_init(&pg->reconnect, loop, start_connecting, pg) ||
	    !hl_timer_init(&pg->deadlines, loop, scan_deadlines, pg)) {
		hl_pg_free(&pg);
		return NULL;
	}
	snprintf(pg->error, sizeof(pg->error), "not connected yet");
	start_connecting(pg);
	return pg;
}

static void free_list(struct op_list *list)
{
	struct hl_pg_op *op;

	while ((op = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, op, link);
		if (op->handle)
			*op->handle = NULL;
		free_op(op);
	}
}

void hl_pg_free(struct hl_pg **pgp)
{
	struct hl_pg *pg = *pgp;

	if (!pg)
		return;
	*pgp = NULL;
	hl_loop_unpost(pg->loop, &pg->post);
	hl_timer_fini(&pg->reconnect);
	hl_timer_fini(&pg->deadlines);
	free_list(&pg->waiting);
	free_list(&pg->sent);
	free_list(&pg->finished);
	if (pg->ev)
		event_free(pg->ev);
	PQfinish(pg->conn);
	free(pg->conninfo);
	free(pg);
}

bool hl_pg_is_ready(const struct hl_pg *pg)
{
	return pg->state == LINK_READY;
}

const char *hl_pg_last_error(const struct hl_pg *pg)
{
	return pg->state == LINK_READY ? "" : pg->error;
}

unsigned hl_pg_outstanding(const struct hl_pg *pg)
{
	return pg->n_waiting + pg->n_sent;
}
