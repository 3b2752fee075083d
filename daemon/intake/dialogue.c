/* dialogue.c - pending messages through hl_decide to hl.act (contract in hotline/dialogue.h)
 *
 * Owns the calls in flight. Holds no policy: what to do is hl_decide's, whether it may be done the database's.
 */
#include "hotline/dialogue.h"

#include "hotline/crash.h"
#include "hotline/decide.h"
#include "hotline/log.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX  3
#define SWEEP_LIMIT 100
#define ARENA_BYTES (4u << 20)

/* One act in the store, or the question for fresh context that follows a stale one. */
struct round {
	TAILQ_ENTRY(round) link;
	struct hl_dialogue *dialogue;
	json_t *act;
	unsigned n_before; /* rounds before this one */
};

struct hl_dialogue {
	struct hl_dialogue_setup setup;
	TAILQ_HEAD(, round) in_flight;
	unsigned n_in_flight;
	bool is_sweeping;
};

static void act_on(struct hl_dialogue *d, const json_t *contexts, unsigned n_before);

static bool is_trusted(const struct hl_dialogue *d, const json_t *ctx)
{
	const char *name = json_string_value(json_object_get(ctx, "channel"));
	const struct hl_channel_config *ch = name ? hl_config_channel(d->setup.config, hl_slice_str(name)) : NULL;

	return ch && ch->trust == HL_TRUST_HIGH;
}

static int64_t deadline_us(const struct hl_dialogue *d)
{
	return d->setup.config->db_deadline_ms * HL_US_PER_MS;
}

static void free_round(struct round *round)
{
	json_decref(round->act);
	free(round);
}

/* False: the store could not take it, and the round is still the caller's. */
static bool call_store(struct round *round, const char *function, json_t *value, int flags, hl_pg_done *done)
{
	struct hl_dialogue *d = round->dialogue;

	if (hl_store_submit_json(&d->setup.store, function, value, flags, deadline_us(d), done, round) != HL_OK)
		return false;
	TAILQ_INSERT_TAIL(&d->in_flight, round, link);
	d->n_in_flight++;
	return true;
}

static void came_back(struct round *round)
{
	TAILQ_REMOVE(&round->dialogue->in_flight, round, link);
	round->dialogue->n_in_flight--;
}

static void log_act(const json_t *act, const char *result)
{
	hl_log(HL_INFO, "act", HL_INT("message", json_integer_value(json_object_get(act, "message"))),
	       HL_STR("actor", json_string_value(json_object_get(act, "actor"))),
	       HL_STR("verb", json_string_value(json_object_get(act, "verb"))), HL_STR("result", result));
}

static const char *result_of(const json_t *reply)
{
	const json_t *entry = json_array_get(json_object_get(reply, "items"), 0);
	const char *result = json_string_value(json_object_get(entry, "result"));

	return result ? result : "?";
}

static void on_again(void *arg, const struct hl_pg_result *r)
{
	struct round *round = arg;
	json_t *reply = r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL;

	came_back(round);
	if (reply)
		act_on(round->dialogue, json_object_get(reply, "talk"), round->n_before + 1);
	json_decref(reply);
	free_round(round);
}

/* Too late: somebody else was first. Gives false when it has been decided often enough; the message stays pending then,
 * and the sweep finds it when its claim has run out. */
static bool ask_again(struct round *round)
{
	json_t *question;

	if (round->n_before + 1 >= ROUNDS_MAX)
		return false;
	question = json_pack("{s:[O]}", "messages", json_object_get(round->act, "message"));
	return call_store(round, "talk_again", question, HL_PG_IDEMPOTENT, on_again);
}

static void on_acted(void *arg, const struct hl_pg_result *r)
{
	struct round *round = arg;
	struct hl_dialogue *d = round->dialogue;
	json_t *reply = r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL;
	bool is_stale = reply && strcmp(result_of(reply), "stale") == 0;

	came_back(round);
	if (reply) {
		hl_crash_point("act.committed");
		log_act(round->act, result_of(reply));
		d->setup.on_committed(d->setup.arg);
	} else {
		hl_log(HL_WARN, "act.failed", HL_STR("class", hl_class_name(r->cls)), HL_STR("sqlstate", r->sqlstate),
		       HL_STR("why", r->text));
	}
	json_decref(reply);
	if (!is_stale || !ask_again(round))
		free_round(round);
}

static json_t *decide_one(struct hl_dialogue *d, const json_t *ctx)
{
	struct hl_arena arena;
	json_t *act;

	hl_arena_init(&arena, ARENA_BYTES);
	act = hl_decide(*d->setup.refdata, ctx, is_trusted(d, ctx), &arena, hl_case_clock_now(d->setup.clock));
	hl_arena_fini(&arena);
	if (act)
		json_object_set_new(act, "i", json_integer(0));
	if (json_object_get(act, "link") && d->setup.config->web_url)
		json_object_set_new(json_object_get(act, "link"), "base", json_string(d->setup.config->web_url));
	return act;
}

static void send_act(struct hl_dialogue *d, json_t *act, unsigned n_before)
{
	struct round *round = calloc(1, sizeof(*round));

	if (!round) {
		json_decref(act);
		return;
	}
	*round = (struct round){.dialogue = d, .act = act, .n_before = n_before};
	hl_crash_point("act.before");
	if (!call_store(round, "act", json_pack("[O]", act), 0, on_acted))
		free_round(round);
}

/* One pipelined call per message: an act the database refuses takes no other down with it. */
static void act_on(struct hl_dialogue *d, const json_t *contexts, unsigned n_before)
{
	const json_t *ctx;
	size_t i;

	json_array_foreach (contexts, i, ctx) {
		json_t *act = decide_one(d, ctx);

		if (act)
			send_act(d, act, n_before);
	}
}

void hl_dialogue_take(struct hl_dialogue *d, const json_t *contexts)
{
	act_on(d, contexts, 0);
}

static void on_swept(void *arg, const struct hl_pg_result *r)
{
	struct hl_dialogue *d = arg;
	json_t *reply = r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL;

	d->is_sweeping = false;
	d->n_in_flight--;
	if (reply)
		act_on(d, json_object_get(reply, "talk"), 0);
	json_decref(reply);
}

void hl_dialogue_sweep(struct hl_dialogue *d)
{
	if (d->is_sweeping || !d->setup.store.is_ready(d->setup.store.ctx))
		return;
	if (hl_store_submit_json(&d->setup.store, "claim_pending", json_pack("{s:i}", "limit", SWEEP_LIMIT), 0,
				 deadline_us(d), on_swept, d) == HL_OK) {
		d->is_sweeping = true;
		d->n_in_flight++;
	}
}

struct hl_dialogue *hl_dialogue_new(const struct hl_dialogue_setup *setup)
{
	struct hl_dialogue *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->setup = *setup;
	TAILQ_INIT(&d->in_flight);
	return d;
}

void hl_dialogue_free(struct hl_dialogue **dp)
{
	struct hl_dialogue *d = *dp;
	struct round *round;

	if (!d)
		return;
	*dp = NULL;
	while ((round = TAILQ_FIRST(&d->in_flight))) {
		TAILQ_REMOVE(&d->in_flight, round, link);
		free_round(round);
	}
	free(d);
}

unsigned hl_dialogue_outstanding(const struct hl_dialogue *d)
{
	return d->n_in_flight;
}
