/* pg.c - calls over one pipelined libpq connection (contract in hotline/pg.h)
 *
 * Owns the queue of calls not yet sent and the FIFO of calls sent. Answers are matched by FIFO position and drained to
 * the group's Sync. The connection itself is pg_link.c's.
 * Must not know: what the functions do, nor retry on its own anything that was sent.
 */
#include "pg_internal.h"

#include "hotline/clock.h"
#include "hotline/log.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

/* ---- calls ---------------------------------------------------------------- */

void pg_free_op(struct hl_pg_op *op)
{
	PQclear(op->result);
	free(op->text);
	free(op->json);
	free(op);
}

void pg_finish(struct hl_pg *pg, struct hl_pg_op *op, enum hl_class cls, const char *text)
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
		pg_free_op(op);
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
		pg_finish(pg, op, HL_RETRY, "too many calls are waiting for the database");
		return HL_OK;
	}
	TAILQ_INSERT_TAIL(&pg->waiting, op, link);
	pg->n_waiting++;
	pg_pump(pg);
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

void pg_pump(struct hl_pg *pg)
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
			pg_drop_link(pg, PQerrorMessage(pg->conn));
			return;
		}
	}
	flushed = PQflush(pg->conn);
	if (flushed < 0)
		pg_drop_link(pg, PQerrorMessage(pg->conn));
	else
		pg_watch(pg, flushed ? EV_READ | EV_WRITE : EV_READ);
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

static void group_ended(struct hl_pg *pg, struct hl_pg_op *op)
{
	TAILQ_REMOVE(&pg->sent, op, link);
	pg->n_sent--;
	if (op->function) {
		if (pg->is_poisoned && op->cls == HL_OK) {
			pg_finish(pg, op, HL_UNKNOWN, "commit may not have been replicated");
			return;
		}
		pg_finish(pg, op, op->cls, NULL);
		return;
	}
	pg_setup_ended(pg, op);
	pg_free_op(op);
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

void pg_read_answers(struct hl_pg *pg)
{
	struct hl_pg_op *op;

	if (!PQconsumeInput(pg->conn)) {
		pg_drop_link(pg, PQerrorMessage(pg->conn));
		return;
	}
	while (take_result(pg))
		;
	op = TAILQ_FIRST(&pg->sent);
	if (PQstatus(pg->conn) == CONNECTION_BAD || pg->is_poisoned ||
	    (op && op->cls != HL_OK && is_link_error(op->sqlstate)))
		pg_drop_link(pg, PQerrorMessage(pg->conn));
	else if (pg->state == LINK_SETUP && !op)
		pg_drop_link(pg, NULL);
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
		pg_finish(pg, op, HL_RETRY, pg->error[0] ? pg->error : "the database did not take the call in time");
	}
	op = TAILQ_FIRST(&pg->sent);
	if (op && now >= op->deadline_us)
		pg_drop_link(pg, "the database did not answer in time");
	else if (pg->state == LINK_CONNECTING && now >= pg->connect_deadline_us)
		pg_drop_link(pg, "the database did not accept the connection in time");
	hl_timer_start(&pg->deadlines, DEADLINE_SCAN_US);
}

/* ---- life ----------------------------------------------------------------- */

struct hl_pg *hl_pg_new(struct hl_loop *loop, const char *conninfo, const struct hl_pg_greeting *greeting,
			unsigned max_waiting)
{
	struct hl_pg *pg = calloc(1, sizeof(*pg));

	if (!pg)
		return NULL;
	pg->loop = loop;
	pg->conninfo = strdup(conninfo);
	pg->max_waiting = max_waiting;
	if (greeting)
		pg->greeting = *greeting;
	pg->backoff_us = RECONNECT_MIN_US;
	pg->post = (struct hl_post){.fn = deliver, .arg = pg};
	TAILQ_INIT(&pg->waiting);
	TAILQ_INIT(&pg->sent);
	TAILQ_INIT(&pg->finished);
	if (!pg->conninfo || !hl_timer_init(&pg->reconnect, loop, pg_start_connecting, pg) ||
	    !hl_timer_init(&pg->deadlines, loop, scan_deadlines, pg)) {
		hl_pg_free(&pg);
		return NULL;
	}
	snprintf(pg->error, sizeof(pg->error), "not connected yet");
	pg_start_connecting(pg);
	return pg;
}

static void free_list(struct op_list *list)
{
	struct hl_pg_op *op;

	while ((op = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, op, link);
		if (op->handle)
			*op->handle = NULL;
		pg_free_op(op);
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
