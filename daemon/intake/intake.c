/* intake.c - the batcher between webhooks and the store (contract in hotline/intake.h)
 *
 * Owns the items that wait and the batches in flight. At most two batches are in
 * flight: while one commits, the next one collects, so the batch grows with the load.
 * Must not know: providers, HTTP, what the items mean.
 */
#include "hotline/intake.h"

#include "hotline/crash.h"
#include "hotline/log.h"

#include <stdlib.h>
#include <string.h>

#define BATCHES_IN_FLIGHT 2
#define RETRIES_MAX       2 /* after a serialisation failure or deadlock */

struct item {
	TAILQ_ENTRY(item) link;
	struct hl_intake *intake;
	json_t *json;
	hl_intake_done *done;
	void *arg;
	int64_t since_us;
	struct hl_post refusal; /* used when the queue is full */
};
TAILQ_HEAD(item_list, item);

struct batch {
	TAILQ_ENTRY(batch) link;
	struct hl_intake *intake;
	struct item_list items;
	unsigned n, tries;
	int64_t since_us, sent_us; /* since its first item came */
};
TAILQ_HEAD(batch_list, batch);

struct hl_intake {
	struct hl_loop *loop;
	struct hl_store store;
	struct hl_intake_options options;
	struct hl_intake_hooks hooks;
	struct hl_case_clock *clock;
	struct hl_intake_stats stats;
	struct item_list waiting, refused;
	struct batch_list in_flight, resubmit; /* resubmit: halves of a refused batch; they go before anything new */
	unsigned n_waiting, n_in_flight, n_outstanding;
	struct hl_post post;
};

static void on_stored(void *arg, const struct hl_pg_result *r);

static void answer(struct hl_intake *in, struct item *item, enum hl_class cls, int64_t message)
{
	struct hl_intake_result result = {.cls = cls, .message = message};

	in->n_outstanding--;
	item->done(item->arg, &result);
	json_decref(item->json);
	hl_loop_bury(in->loop, free, item); /* its post may be the one that runs now */
}

/* What is left of an item's deadline. With less than half of it the store is not asked: a call that runs out takes the
 * link down. */
static int64_t time_left_us(const struct hl_intake *in, int64_t since_us)
{
	int64_t left_us = since_us + in->options.deadline_us - hl_mono_us();

	return left_us >= in->options.deadline_us / 2 ? left_us : 0;
}

/* Calls the store; on_answer gets the batch. False: it could not, and the batch is still the caller's. */
static bool call_store(struct batch *b, const char *function, json_t *value, hl_pg_done *on_answer)
{
	struct hl_intake *in = b->intake;
	int64_t left_us = time_left_us(in, b->since_us);

	if (left_us == 0) {
		json_decref(value);
		return false;
	}
	if (hl_store_submit_json(&in->store, function, value, 0, left_us, on_answer, b) != HL_OK)
		return false;
	TAILQ_INSERT_TAIL(&in->in_flight, b, link);
	in->n_in_flight++;
	return true;
}

static void came_back(struct batch *b)
{
	TAILQ_REMOVE(&b->intake->in_flight, b, link);
	b->intake->n_in_flight--;
}

static void answer_all(struct batch *b, enum hl_class cls)
{
	struct item *item;

	while ((item = TAILQ_FIRST(&b->items))) {
		TAILQ_REMOVE(&b->items, item, link);
		b->intake->stats.failed++;
		answer(b->intake, item, cls, 0);
	}
	free(b);
}

static json_t *batch_json(struct batch *b)
{
	json_t *list = json_array();
	struct item *item;
	int i = 0;

	TAILQ_FOREACH (item, &b->items, link) {
		json_object_set_new(item->json, "i", json_integer(++i));
		json_array_append(list, item->json);
	}
	return list;
}

static void send_batch(struct hl_intake *in, struct batch *b)
{
	in->stats.batches++;
	hl_histogram_observe(&in->stats.batch_size, b->n);
	b->sent_us = hl_mono_us();
	if (!call_store(b, in->options.function, batch_json(b), on_stored))
		answer_all(b, HL_RETRY);
	else
		hl_crash_point("intake.sent");
}

static struct batch *collect(struct hl_intake *in)
{
	struct batch *b = TAILQ_FIRST(&in->resubmit);
	struct item *item;

	if (b) {
		TAILQ_REMOVE(&in->resubmit, b, link);
		return b;
	}
	if (TAILQ_EMPTY(&in->waiting) || !(b = calloc(1, sizeof(*b))))
		return NULL;
	b->intake = in;
	b->since_us = TAILQ_FIRST(&in->waiting)->since_us;
	TAILQ_INIT(&b->items);
	while (b->n < in->options.batch_max && (item = TAILQ_FIRST(&in->waiting))) {
		TAILQ_REMOVE(&in->waiting, item, link);
		in->n_waiting--;
		TAILQ_INSERT_TAIL(&b->items, item, link);
		b->n++;
	}
	return b;
}

/* What waited too long behind a slow store is answered before anybody's patience ends. */
static void refuse_late(struct hl_intake *in)
{
	struct item *item;

	while ((item = TAILQ_FIRST(&in->waiting)) && time_left_us(in, item->since_us) == 0) {
		TAILQ_REMOVE(&in->waiting, item, link);
		in->n_waiting--;
		in->stats.failed++;
		answer(in, item, HL_RETRY, 0);
	}
}

static void send_waiting(void *arg)
{
	struct hl_intake *in = arg;
	struct batch *b;

	refuse_late(in);
	while (in->n_in_flight < BATCHES_IN_FLIGHT && (b = collect(in)))
		send_batch(in, b);
}

/* ---- answers -------------------------------------------------------------- */

static void log_stored(const json_t *entry, const char *outcome)
{
	const json_t *message = json_object_get(entry, "message");
	const char *code = json_string_value(json_object_get(entry, "case"));

	if (json_is_integer(message))
		hl_log(HL_INFO, "message.stored", HL_INT("message", json_integer_value(message)),
		       HL_STR("outcome", outcome), HL_STR("case", code ? code : "-"));
}

static void take_answers(struct batch *b, const json_t *reply)
{
	struct hl_intake *in = b->intake;
	const json_t *items = json_object_get(reply, "items"), *entry;
	struct item *item;
	size_t i = 0;

	hl_case_clock_learn(in->clock, json_integer_value(json_object_get(reply, "now")));
	while ((item = TAILQ_FIRST(&b->items))) {
		const char *outcome;

		entry = json_array_get(items, i++);
		outcome = json_string_value(json_object_get(entry, "outcome"));
		if (outcome && strcmp(outcome, "repeat") == 0)
			in->stats.repeats++;
		in->stats.items++;
		log_stored(entry, outcome);
		TAILQ_REMOVE(&b->items, item, link);
		answer(in, item, HL_OK, json_integer_value(json_object_get(entry, "message")));
	}
	hl_crash_point("intake.answered");
	if (json_array_size(json_object_get(reply, "talk")) > 0)
		in->hooks.on_talk(in->hooks.arg, json_object_get(reply, "talk"));
	in->hooks.on_committed(in->hooks.arg);
	free(b);
}

/* Splits a refused batch; the halves go again, before anything new. */
static void bisect(struct batch *b)
{
	struct hl_intake *in = b->intake;
	struct batch *second = calloc(1, sizeof(*second));
	unsigned half = b->n / 2;

	if (!second) {
		answer_all(b, HL_RETRY);
		return;
	}
	second->intake = in;
	second->since_us = b->since_us;
	TAILQ_INIT(&second->items);
	while (b->n > half) {
		struct item *item = TAILQ_LAST(&b->items, item_list);

		TAILQ_REMOVE(&b->items, item, link);
		TAILQ_INSERT_HEAD(&second->items, item, link);
		b->n--;
		second->n++;
	}
	in->stats.bisections++;
	TAILQ_INSERT_HEAD(&in->resubmit, second, link);
	TAILQ_INSERT_HEAD(&in->resubmit, b, link);
}

static void on_quarantined(void *arg, const struct hl_pg_result *r)
{
	struct batch *b = arg;
	struct item *item = TAILQ_FIRST(&b->items);
	struct hl_intake *in = b->intake;

	came_back(b);
	if (r->cls != HL_OK) {
		answer_all(b, HL_RETRY);
		hl_loop_post(in->loop, &in->post);
		return;
	}
	in->stats.quarantined++;
	TAILQ_REMOVE(&b->items, item, link);
	answer(in, item, HL_OK, 0);
	free(b);
	in->hooks.on_committed(in->hooks.arg);
	hl_loop_post(in->loop, &in->post);
}

/* One item the database will never take: kept whole elsewhere, so that the provider may stop repeating it. */
static void quarantine(struct batch *b, const struct hl_pg_result *r)
{
	json_t *item = TAILQ_FIRST(&b->items)->json;
	char *whole = json_dumps(item, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_t *q = json_pack("{s:O, s:O, s:s, s:s}", "channel", json_object_get(item, "channel"), "ext",
			      json_object_get(item, "ext"), "item", whole ? whole : "", "reason", r->text);

	free(whole);
	hl_log(HL_ERROR, "message.quarantined", HL_STR("channel", json_string_value(json_object_get(item, "channel"))),
	       HL_STR("sqlstate", r->sqlstate), HL_STR("reason", r->text));
	if (!call_store(b, "quarantine_item", q, on_quarantined))
		answer_all(b, HL_RETRY);
}

static void on_stored(void *arg, const struct hl_pg_result *r)
{
	struct batch *b = arg;
	struct hl_intake *in = b->intake;
	json_t *reply = r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL;

	came_back(b);
	hl_histogram_observe(&in->stats.latency_s, (double)(hl_mono_us() - b->sent_us) / 1e6);
	if (reply) {
		hl_crash_point("intake.committed");
		take_answers(b, reply);
	} else if (hl_store_is_item_fault(r)) {
		if (b->n > 1)
			bisect(b);
		else
			quarantine(b, r);
	} else if (strncmp(r->sqlstate, "40", 2) == 0 && b->tries++ < RETRIES_MAX) {
		TAILQ_INSERT_HEAD(&in->resubmit, b, link);
	} else {
		hl_log(HL_WARN, "intake.failed", HL_INT("items", b->n), HL_STR("class", hl_class_name(r->cls)),
		       HL_STR("sqlstate", r->sqlstate), HL_STR("why", r->text));
		answer_all(b, HL_RETRY);
	}
	json_decref(reply);
	hl_loop_post(in->loop, &in->post);
}

/* ---- life ----------------------------------------------------------------- */

struct hl_intake *hl_intake_new(struct hl_loop *loop, const struct hl_store *store,
				const struct hl_intake_options *options, const struct hl_intake_hooks *hooks,
				struct hl_case_clock *clock)
{
	struct hl_intake *in = calloc(1, sizeof(*in));

	if (!in)
		return NULL;
	in->loop = loop;
	in->store = *store;
	in->options = *options;
	in->hooks = *hooks;
	in->clock = clock;
	in->stats.batch_size = hl_histogram_sizes();
	in->stats.latency_s = hl_histogram_seconds();
	in->post = (struct hl_post){.fn = send_waiting, .arg = in};
	TAILQ_INIT(&in->waiting);
	TAILQ_INIT(&in->refused);
	TAILQ_INIT(&in->in_flight);
	TAILQ_INIT(&in->resubmit);
	return in;
}

static void free_items(struct hl_intake *in, struct item_list *items)
{
	struct item *item;

	while ((item = TAILQ_FIRST(items))) {
		TAILQ_REMOVE(items, item, link);
		hl_loop_unpost(in->loop, &item->refusal);
		json_decref(item->json);
		free(item);
	}
}

static void free_batches(struct hl_intake *in, struct batch_list *batches)
{
	struct batch *b;

	while ((b = TAILQ_FIRST(batches))) {
		TAILQ_REMOVE(batches, b, link);
		free_items(in, &b->items);
		free(b);
	}
}

void hl_intake_free(struct hl_intake **inp)
{
	struct hl_intake *in = *inp;

	if (!in)
		return;
	*inp = NULL;
	hl_loop_unpost(in->loop, &in->post);
	free_items(in, &in->waiting);
	free_items(in, &in->refused);
	free_batches(in, &in->in_flight);
	free_batches(in, &in->resubmit);
	free(in);
}

/* Full: answered at the next fixed point, because done never runs inside submit. */
static void refuse_full(void *arg)
{
	struct item *item = arg;

	TAILQ_REMOVE(&item->intake->refused, item, link);
	item->intake->stats.failed++;
	answer(item->intake, item, HL_RETRY, 0);
}

enum hl_class hl_intake_submit(struct hl_intake *in, json_t *json, hl_intake_done *done, void *arg)
{
	struct item *item = calloc(1, sizeof(*item));

	if (!item) {
		json_decref(json);
		return HL_NOMEM;
	}
	*item = (struct item){.intake = in, .json = json, .done = done, .arg = arg, .since_us = hl_mono_us()};
	in->n_outstanding++;
	if (in->n_waiting >= in->options.waiting_max) {
		item->refusal = (struct hl_post){.fn = refuse_full, .arg = item};
		hl_loop_post(in->loop, &item->refusal);
		TAILQ_INSERT_TAIL(&in->refused, item, link);
		return HL_OK;
	}
	TAILQ_INSERT_TAIL(&in->waiting, item, link);
	in->n_waiting++;
	hl_loop_post(in->loop, &in->post);
	return HL_OK;
}

unsigned hl_intake_outstanding(const struct hl_intake *in)
{
	return in->n_outstanding;
}

const struct hl_intake_stats *hl_intake_stats(const struct hl_intake *in)
{
	return &in->stats;
}
