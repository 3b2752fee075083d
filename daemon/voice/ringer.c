/* ringer.c - orders calls at a platform (contract in hotline/ringer.h)
 *
 * Owns the orders on their way. What is due is the database's, what is written the dialect's. The first channel with a
 * call_url rings.
 * Limits: AT_ONCE orders at once; what is not settled when the daemon dies is unknown once its lease has run out.
 */
#include "hotline/ringer.h"

#include "hotline/log.h"
#include "voice/dialect_parts.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define AT_ONCE         8
#define RING_S          25
#define ARENA_BYTES     (256u << 10)
#define REPLY_MAX_BYTES (64u << 10)

struct ring {
	TAILQ_ENTRY(ring) link;
	struct hl_ringer *ringer;
	const struct hl_channel_config *channel;
	const struct hl_dialect *dialect;
	struct hl_line_order order;
	struct hl_arena arena;
	struct hl_http_op *op;
	int64_t epoch;
};

struct hl_ringer {
	struct hl_ringer_setup setup;
	TAILQ_HEAD(, ring) rings;
	unsigned n_rings, n_calls;
	bool is_looking, is_stopped;
};

static int64_t db_deadline_us(const struct hl_ringer *r)
{
	return r->setup.config->db_deadline_ms * HL_US_PER_MS;
}

/* The channel that rings, NULL when there is none. */
static const struct hl_channel_config *caller(const struct hl_config *c)
{
	for (size_t i = 0; i < c->n_channels; i++) {
		const struct hl_dialect *dialect = hl_dialect_find(c->channels[i].ops->voice);

		if (dialect && dialect->order && hl_channel_setting(&c->channels[i].channel, "call_url")[0])
			return &c->channels[i];
	}
	return NULL;
}

static void free_ring(struct ring *ring)
{
	TAILQ_REMOVE(&ring->ringer->rings, ring, link);
	ring->ringer->n_rings--;
	hl_http_cancel(&ring->op);
	hl_arena_fini(&ring->arena);
	free(ring);
}

/* ---- outcomes ------------------------------------------------------------------- */

static void on_settled(void *arg, const struct hl_pg_result *r)
{
	struct hl_ringer *ringer = arg;

	ringer->n_calls--;
	if (r->cls != HL_OK)
		hl_log(HL_WARN, "ring.not_settled", HL_STR("class", hl_class_name(r->cls)), HL_STR("why", r->text));
}

/* Tells the store and ends the ring. */
static void settle(struct ring *ring, const char *outcome, const struct hl_answer *answer)
{
	struct hl_ringer *ringer = ring->ringer;
	json_t *item = json_pack("{s:I, s:s, s:s%, s:I, s:i}", "attempt", (json_int_t)ring->order.attempt, "outcome",
				 outcome, "detail", answer->detail.ptr ? answer->detail.ptr : "", answer->detail.len,
				 "delay_us", (json_int_t)answer->delay_us, "parts", 0);

	if (item && answer->external_id.len > 0)
		json_object_set_new(item, "external", json_stringn(answer->external_id.ptr, answer->external_id.len));
	hl_log(strcmp(outcome, "accepted") == 0 ? HL_INFO : HL_WARN, "ring.ordered",
	       HL_INT("attempt", (long long)ring->order.attempt), HL_STR("channel", ring->channel->channel.name),
	       HL_STR("outcome", outcome), HL_SLICE("detail", answer->detail));
	if (hl_store_submit_json(&ringer->setup.store, "settle",
				 json_pack("{s:I, s:[o]}", "epoch", (json_int_t)ring->epoch, "items", item), 0,
				 db_deadline_us(ringer), on_settled, ringer) == HL_OK)
		ringer->n_calls++;
	free_ring(ring);
}

static void on_answer(void *arg, const struct hl_http_result *r)
{
	static const char *const names[] = {"accepted", "later", "refused", "config", "unknown"};
	struct ring *ring = arg;
	struct hl_answer answer = {.outcome = HL_OUT_UNKNOWN, .detail = hl_slice_str(r->text)};

	if (r->cls == HL_OK)
		ring->dialect->ordered(&ring->channel->channel, &ring->order, r->status, r->body, &ring->arena,
				       &answer);
	settle(ring, r->cls == HL_RETRY ? "not_sent" : r->cls == HL_CONFIG ? "config" : names[answer.outcome], &answer);
}

/* ---- orders ------------------------------------------------------------------------ */

static void order(struct ring *ring)
{
	struct hl_error err = {.text = ""};
	struct hl_request req;
	struct hl_answer none = {.detail = HL_LIT("out of memory")};
	struct hl_http_call call = {.deadline_us = ring->ringer->setup.config->send_deadline_ms * HL_US_PER_MS,
				    .max_reply_bytes = REPLY_MAX_BYTES};

	if (ring->dialect->order(&ring->channel->channel, &ring->order, &ring->arena, &req, &err) != HL_OK) {
		settle(ring, "not_sent", &none);
		return;
	}
	call.url = req.url;
	call.headers = req.headers;
	call.n_headers = req.n_headers;
	call.body = req.body;
	if (hl_http_submit(ring->ringer->setup.client, &call, on_answer, ring, &ring->op) != HL_OK)
		settle(ring, "not_sent", &none);
}

static void start(struct hl_ringer *ringer, const struct hl_channel_config *channel, const json_t *row, int64_t epoch)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	const char *phone = json_string_value(json_object_get(row, "phone"));

	if (!ring)
		return; /* its lease runs out */
	*ring = (struct ring){.ringer = ringer, .channel = channel, .epoch = epoch};
	ring->dialect = hl_dialect_find(channel->ops->voice);
	hl_arena_init(&ring->arena, ARENA_BYTES);
	ring->order = (struct hl_line_order){
		.attempt = (uint64_t)json_integer_value(json_object_get(row, "attempt")),
		.to = hl_arena_dup(&ring->arena, hl_slice_str(phone)),
		.url = hl_channel_setting(&channel->channel, "call_url"),
		.base = voice_base(&channel->channel, channel->ops->has_path_token, &ring->arena),
		.timeout_s = RING_S,
	};
	TAILQ_INSERT_TAIL(&ringer->rings, ring, link);
	ringer->n_rings++;
	order(ring);
}

static void on_due(void *arg, const struct hl_pg_result *r)
{
	struct hl_ringer *ringer = arg;
	json_t *reply = r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL;
	const struct hl_channel_config *channel = caller(ringer->setup.config);
	const json_t *row;
	size_t i;

	ringer->n_calls--;
	ringer->is_looking = false;
	json_array_foreach (json_object_get(reply, "rings"), i, row)
		start(ringer, channel, row, json_integer_value(json_object_get(reply, "epoch")));
	json_decref(reply);
}

void hl_ringer_pulse(struct hl_ringer *ringer)
{
	const struct hl_config *c = ringer->setup.config;
	const struct hl_channel_config *channel = caller(c);

	if (!channel || ringer->is_looking || ringer->is_stopped || ringer->n_rings >= AT_ONCE ||
	    !ringer->setup.store.is_ready(ringer->setup.store.ctx))
		return;
	if (hl_store_submit_json(&ringer->setup.store, "rings_due",
				 json_pack("{s:i, s:I, s:s}", "limit", (int)(AT_ONCE - ringer->n_rings), "lease_us",
					   (json_int_t)(c->lease_ms * HL_US_PER_MS), "channel", channel->channel.name),
				 0, db_deadline_us(ringer), on_due, ringer) == HL_OK) {
		ringer->is_looking = true;
		ringer->n_calls++;
	}
}

/* ---- life ---------------------------------------------------------------------------- */

struct hl_ringer *hl_ringer_new(const struct hl_ringer_setup *setup)
{
	struct hl_ringer *ringer = calloc(1, sizeof(*ringer));

	if (!ringer)
		return NULL;
	ringer->setup = *setup;
	TAILQ_INIT(&ringer->rings);
	return ringer;
}

void hl_ringer_stop(struct hl_ringer *ringer)
{
	ringer->is_stopped = true;
}

unsigned hl_ringer_outstanding(const struct hl_ringer *ringer)
{
	return ringer->n_rings + ringer->n_calls;
}

void hl_ringer_free(struct hl_ringer **ringerp)
{
	struct hl_ringer *ringer = *ringerp;
	struct ring *ring;

	if (!ringer)
		return;
	*ringerp = NULL;
	while ((ring = TAILQ_FIRST(&ringer->rings)))
		free_ring(ring);
	free(ringer);
}
