/* doubts.c - asks providers what became of texts whose outcome is unknown (contract in hotline/doubts.h)
 *
 * Owns one round at a time: look (hl.doubts), ask each, tell (hl.receipts, hl.absent). Nothing is lost when a round
 * fails: the attempt is asked about again later, or sent again, or shown to an operator.
 */
#include "hotline/doubts.h"

#include "hotline/log.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES     (256u << 10)
#define REPLY_MAX_BYTES (512u << 10)
#define LIMIT           20 /* at once */

struct question {
	TAILQ_ENTRY(question) link;
	struct hl_doubts *doubts;
	struct hl_http_op *op;
	const struct hl_channel_config *channel;
	struct hl_doubt doubt;
	struct hl_arena arena;
	json_t *row; /* the doubt's slices live in it */
};

struct hl_doubts {
	struct hl_outbox_setup setup;
	TAILQ_HEAD(, question) questions;
	bool is_looking;
	unsigned n_calls;
	json_t *receipts, *absent; /* what was learned in this round */
};

static int64_t db_deadline_us(const struct hl_doubts *ds)
{
	return ds->setup.config->db_deadline_ms * HL_US_PER_MS;
}

/* ---- tell ------------------------------------------------------------------- */

static void on_told(void *arg, const struct hl_pg_result *r)
{
	struct hl_doubts *ds = arg;

	ds->n_calls--;
	if (r->cls != HL_OK)
		hl_log(HL_WARN, "doubts.not_told", HL_STR("class", hl_class_name(r->cls)), HL_STR("why", r->text));
}

static void submit(struct hl_doubts *ds, const char *function, json_t *args)
{
	if (hl_store_submit_json(&ds->setup.store, function, args, HL_PG_IDEMPOTENT, db_deadline_us(ds), on_told, ds) ==
	    HL_OK)
		ds->n_calls++;
}

static void tell(struct hl_doubts *ds)
{
	if (json_array_size(ds->receipts) > 0)
		submit(ds, "receipts", json_incref(ds->receipts));
	if (json_array_size(ds->absent) > 0)
		submit(ds, "absent", json_pack("{s:O}", "attempts", ds->absent));
	json_decref(ds->receipts);
	json_decref(ds->absent);
	ds->receipts = json_array();
	ds->absent = json_array();
}

/* ---- ask -------------------------------------------------------------------- */

static void free_question(struct question *q)
{
	struct hl_doubts *ds = q->doubts;

	TAILQ_REMOVE(&ds->questions, q, link);
	hl_arena_fini(&q->arena);
	json_decref(q->row);
	free(q);
	if (TAILQ_EMPTY(&ds->questions))
		tell(ds);
}

static json_t *receipt_json(const struct question *q, const struct hl_finding *f, int i)
{
	static const char *const states[] = {"buffered", "delivered", "undelivered", "rejected", "other"};
	/* A word that we do not know still says that the provider has the text. */
	const char *state = f->state == HL_RECEIPT_OTHER ? "buffered" : states[f->state];
	struct hl_slice id = f->external_id;

	return json_pack("{s:i, s:s, s:I, s:s%, s:s, s:s%}", "i", i, "channel", q->channel->channel.name, "attempt",
			 (json_int_t)q->doubt.attempt, "external", id.ptr ? id.ptr : "", id.len, "state", state,
			 "status", f->detail.ptr ? f->detail.ptr : "", f->detail.len);
}

static void on_answer(void *arg, const struct hl_http_result *r)
{
	static const char *const found[] = {"nothing yet", "taken", "absent"};
	struct question *q = arg;
	struct hl_doubts *ds = q->doubts;
	struct hl_finding f = {.found = HL_FOUND_NOTHING_YET, .detail = hl_slice_str(r->text)};

	if (r->cls == HL_OK)
		q->channel->ops->learn(&q->channel->channel, &q->doubt, r->status, r->body, &q->arena, &f);
	if (f.found == HL_FOUND_TAKEN)
		json_array_append_new(ds->receipts, receipt_json(q, &f, (int)json_array_size(ds->receipts)));
	else if (f.found == HL_FOUND_ABSENT)
		json_array_append_new(ds->absent, json_integer((json_int_t)q->doubt.attempt));
	hl_log(HL_INFO, "doubt.asked", HL_INT("attempt", (long long)q->doubt.attempt),
	       HL_STR("channel", q->channel->channel.name), HL_STR("found", found[f.found]),
	       HL_SLICE("detail", f.detail));
	free_question(q);
}

static struct hl_slice text_of(const json_t *row, const char *key)
{
	const json_t *text = json_object_get(row, key);

	return (struct hl_slice){json_string_value(text), json_string_length(text)};
}

static bool ask(struct question *q)
{
	const struct hl_config *config = q->doubts->setup.config;
	struct hl_request req;
	struct hl_error err = {.text = ""};
	struct hl_http_call call = {.deadline_us = config->send_deadline_ms * HL_US_PER_MS,
				    .max_reply_bytes = REPLY_MAX_BYTES};

	q->channel = hl_config_channel(config, text_of(q->row, "channel"));
	if (!q->channel || !q->channel->ops->ask ||
	    q->channel->ops->ask(&q->channel->channel, &q->doubt, hl_wall_us(), &q->arena, &req, &err) != HL_OK)
		return false;
	call.url = req.url;
	call.headers = req.headers;
	call.n_headers = req.n_headers;
	call.body = req.body;
	call.is_get = req.is_get;
	return hl_http_submit(q->doubts->setup.client, &call, on_answer, q, &q->op) == HL_OK;
}

static void start(struct hl_doubts *ds, json_t *row)
{
	struct question *q = calloc(1, sizeof(*q));

	if (!q)
		return;
	q->doubts = ds;
	q->row = json_incref(row);
	q->doubt = (struct hl_doubt){.attempt = (uint64_t)json_integer_value(json_object_get(row, "attempt")),
				     .external_id = text_of(row, "external"),
				     .to = text_of(row, "to"),
				     .text = text_of(row, "text"),
				     .sent_us = json_integer_value(json_object_get(row, "sent_us"))};
	hl_arena_init(&q->arena, ARENA_BYTES);
	TAILQ_INSERT_TAIL(&ds->questions, q, link);
	if (!ask(q))
		free_question(q);
}

/* ---- look ------------------------------------------------------------------- */

static void on_doubts(void *arg, const struct hl_pg_result *r)
{
	struct hl_doubts *ds = arg;
	json_t *reply = r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL, *row;
	size_t i;

	ds->n_calls--;
	ds->is_looking = false;
	json_array_foreach (json_object_get(reply, "doubts"), i, row)
		start(ds, row);
	json_decref(reply);
}

static json_t *asked_channels(const struct hl_config *config)
{
	json_t *names = json_array();

	for (size_t i = 0; i < config->n_channels; i++) {
		const struct hl_channel_config *c = &config->channels[i];

		if (c->ops->ask && c->channel.send_url && c->channel.send_url[0])
			json_array_append_new(names, json_string(c->channel.name));
	}
	return names;
}

void hl_doubts_pulse(struct hl_doubts *ds)
{
	json_t *names;

	if (ds->is_looking || !TAILQ_EMPTY(&ds->questions) || !ds->setup.store.is_ready(ds->setup.store.ctx))
		return;
	names = asked_channels(ds->setup.config);
	if (json_array_size(names) == 0) {
		json_decref(names);
		return;
	}
	ds->is_looking = hl_store_submit_json(&ds->setup.store, "doubts",
					      json_pack("{s:o, s:i}", "channels", names, "limit", LIMIT), 0,
					      db_deadline_us(ds), on_doubts, ds) == HL_OK;
	ds->n_calls += ds->is_looking;
}

/* ---- life ------------------------------------------------------------------- */

struct hl_doubts *hl_doubts_new(const struct hl_outbox_setup *setup)
{
	struct hl_doubts *ds = calloc(1, sizeof(*ds));

	if (!ds)
		return NULL;
	ds->setup = *setup;
	TAILQ_INIT(&ds->questions);
	ds->receipts = json_array();
	ds->absent = json_array();
	if (!ds->receipts || !ds->absent)
		hl_doubts_free(&ds);
	return ds;
}

unsigned hl_doubts_outstanding(const struct hl_doubts *ds)
{
	return ds->n_calls + !TAILQ_EMPTY(&ds->questions);
}

void hl_doubts_free(struct hl_doubts **dsp)
{
	struct hl_doubts *ds = *dsp;
	struct question *q;

	if (!ds)
		return;
	*dsp = NULL;
	while ((q = TAILQ_FIRST(&ds->questions))) {
		hl_http_cancel(&q->op);
		TAILQ_REMOVE(&ds->questions, q, link);
		hl_arena_fini(&q->arena);
		json_decref(q->row);
		free(q);
	}
	json_decref(ds->receipts);
	json_decref(ds->absent);
	free(ds);
}
