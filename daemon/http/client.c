/* client.c - outgoing HTTP requests: queue, places, deadlines, completions
 *
 * Owns the requests from submit until done or cancel. Must not know curl's sockets
 * (client_multi.c) or options (client_op.c).
 * The one point of the turn is `step`: it reports what ended, takes those handles out of curl and
 * lets waiting requests in. It is posted, so done never runs inside submit or a callback of curl.
 * Limits: max_in_flight requests at once and as many waiting; the next one is told "queue full".
 */
#include "http/client_internal.h"

#include "hotline/clock.h"

#include <stdlib.h>

/* Curl keeps the deadline; this much later we stop trusting it. */
#define GRACE_US HL_US_PER_S

static void move_to(struct hl_http_op *op, enum hl_http_op_state state)
{
	struct hl_http_client *client = op->client;

	if (op->state == HL_OP_WAITING) {
		TAILQ_REMOVE(&client->waiting, op, link);
		client->n_waiting--;
	} else if (op->state == HL_OP_ACTIVE) {
		TAILQ_REMOVE(&client->active, op, link);
		client->n_active--;
	}
	op->state = state;
	if (state == HL_OP_ACTIVE) {
		TAILQ_INSERT_TAIL(&client->active, op, link);
		client->n_active++;
	} else {
		TAILQ_INSERT_TAIL(&client->finished, op, link);
		hl_loop_post(client->loop, &client->step);
	}
}

void hl_http_op_finish(struct hl_http_op *op, enum hl_class cls, int curl_code, const char *text)
{
	op->cls = cls;
	op->curl_code = curl_code;
	op->text = text;
	hl_timer_stop(&op->watchdog);
	move_to(op, HL_OP_FINISHED);
}

static void on_watchdog(void *arg)
{
	struct hl_http_op *op = arg;

	if (op->state == HL_OP_WAITING)
		hl_http_op_finish(op, HL_RETRY, CURLE_OPERATION_TIMEDOUT, "the deadline passed in the queue");
	else if (op->state == HL_OP_ACTIVE)
		hl_http_op_judge(op, CURLE_OPERATION_TIMEDOUT);
}

static CURL *take_easy(struct hl_http_client *client)
{
	return client->n_idle > 0 ? client->idle[--client->n_idle] : curl_easy_init();
}

static void give_easy(struct hl_http_client *client, CURL *easy)
{
	curl_easy_reset(easy);
	if (client->n_idle < client->max_in_flight)
		client->idle[client->n_idle++] = easy;
	else
		curl_easy_cleanup(easy);
}

static void take_out(struct hl_http_op *op)
{
	if (!op->easy)
		return;
	curl_multi_remove_handle(op->client->multi, op->easy);
	give_easy(op->client, op->easy);
	op->easy = NULL;
}

static void let_in(struct hl_http_op *op)
{
	struct hl_http_client *client = op->client;
	int64_t left_us = op->deadline_us - hl_mono_us();

	op->easy = take_easy(client);
	move_to(op, HL_OP_ACTIVE);
	hl_timer_start(&op->watchdog, left_us + GRACE_US);
	if (!op->easy || !hl_http_op_prepare(op, left_us)) {
		hl_http_op_finish(op, HL_RETRY, CURLE_OUT_OF_MEMORY, "out of memory");
		return;
	}
	if (curl_multi_add_handle(client->multi, op->easy) != CURLM_OK)
		hl_http_op_finish(op, HL_RETRY, CURLE_OUT_OF_MEMORY, "curl did not take the request");
}

static void report(struct hl_http_op *op)
{
	struct hl_http_result result = {
		.cls = op->cls,
		.status = op->status,
		.body = hl_buf_slice(&op->reply),
		.headers = op->reply_headers,
		.n_headers = op->n_reply_headers,
		.curl_code = op->curl_code,
		.text = op->text,
	};

	if (op->handle)
		*op->handle = NULL;
	op->handle = NULL;
	op->client->n_live--;
	op->done(op->arg, &result);
}

static void bury_op(void *ptr)
{
	hl_http_op_free(ptr);
}

/* Only what was finished when the step began is reported: what a done submits ends in a later turn. A done may cancel
 * others, which marks them but leaves them in the list. */
static void step(void *arg)
{
	struct hl_http_client *client = arg;
	struct hl_http_op *op, *last = TAILQ_LAST(&client->finished, hl_http_ops);
	bool is_last = last == NULL;

	while (!is_last) {
		op = TAILQ_FIRST(&client->finished);
		is_last = op == last;
		TAILQ_REMOVE(&client->finished, op, link);
		take_out(op);
		if (op->state == HL_OP_FINISHED)
			report(op);
		hl_loop_bury(client->loop, bury_op, op);
	}
	while (client->n_active < client->max_in_flight && (op = TAILQ_FIRST(&client->waiting)))
		let_in(op);
}

static struct hl_http_op *new_op(struct hl_http_client *client, const struct hl_http_call *call)
{
	struct hl_http_op *op = calloc(1, sizeof(*op));

	if (!op)
		return NULL;
	op->client = client;
	op->deadline_us = hl_mono_us() + call->deadline_us;
	if (!hl_http_op_copy(op, call) || !hl_timer_init(&op->watchdog, client->loop, on_watchdog, op)) {
		hl_http_op_free(op);
		return NULL;
	}
	return op;
}

static void enqueue(struct hl_http_client *client, struct hl_http_op *op)
{
	op->state = HL_OP_WAITING;
	TAILQ_INSERT_TAIL(&client->waiting, op, link);
	client->n_waiting++;
	client->n_live++;
	hl_timer_start(&op->watchdog, op->deadline_us - hl_mono_us());
	hl_loop_post(client->loop, &client->step);
}

enum hl_class hl_http_submit(struct hl_http_client *client, const struct hl_http_call *call, hl_http_done *done,
			     void *arg, struct hl_http_op **op_r)
{
	bool is_full = client->n_waiting + client->n_active >= 2 * client->max_in_flight;
	const char *text;
	enum hl_class cls = hl_http_op_check(call, &text);
	struct hl_http_op *op = new_op(client, call);

	if (op_r)
		*op_r = op;
	if (!op)
		return HL_NOMEM;
	op->done = done;
	op->arg = arg;
	op->handle = op_r;
	enqueue(client, op);
	if (cls != HL_OK)
		hl_http_op_finish(op, cls, CURLE_OK, text);
	else if (is_full)
		hl_http_op_finish(op, HL_RETRY, CURLE_OK, "queue full");
	return HL_OK;
}

void hl_http_cancel(struct hl_http_op **op_ref)
{
	struct hl_http_op *op = *op_ref;

	if (!op)
		return;
	if (op->handle)
		*op->handle = NULL;
	*op_ref = NULL;
	op->handle = NULL;
	op->client->n_live--;
	hl_timer_stop(&op->watchdog);
	if (op->state == HL_OP_FINISHED)
		op->state = HL_OP_CANCELLED;
	else
		move_to(op, HL_OP_CANCELLED);
}

unsigned hl_http_client_in_flight(const struct hl_http_client *client)
{
	return client->n_live;
}

struct hl_http_client *hl_http_client_new(struct hl_loop *loop, unsigned max_in_flight)
{
	struct hl_http_client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->loop = loop;
	client->max_in_flight = max_in_flight;
	client->step = (struct hl_post){.fn = step, .arg = client};
	TAILQ_INIT(&client->waiting);
	TAILQ_INIT(&client->active);
	TAILQ_INIT(&client->finished);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	client->idle = calloc(max_in_flight, sizeof(CURL *));
	if (!client->idle || !hl_http_multi_init(client))
		hl_http_client_free(&client);
	return client;
}

static void free_ops(struct hl_http_ops *ops)
{
	struct hl_http_op *op;

	while ((op = TAILQ_FIRST(ops))) {
		TAILQ_REMOVE(ops, op, link);
		if (op->handle)
			*op->handle = NULL;
		take_out(op);
		hl_http_op_free(op);
	}
}

void hl_http_client_free(struct hl_http_client **client_ref)
{
	struct hl_http_client *client = *client_ref;

	if (!client)
		return;
	free_ops(&client->waiting);
	free_ops(&client->active);
	free_ops(&client->finished);
	hl_loop_unpost(client->loop, &client->step);
	while (client->n_idle > 0)
		curl_easy_cleanup(client->idle[--client->n_idle]);
	free(client->idle);
	hl_http_multi_fini(client);
	curl_global_cleanup();
	free(client);
	*client_ref = NULL;
}
