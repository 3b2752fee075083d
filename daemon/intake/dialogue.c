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

#define ROUNDS_MAX       3
#define SWEEP_LIMIT      100
#define ARENA_BYTES      (4u << 20)

struct hl_dialogue {
	struct hl_dialogue_setup setup;
	unsigned n_in_flight;
	bool is_sweeping;
};

/* One call of hl.act, and what it carried, so that a stale act can be decided again. */
struct round {
	struct hl_dialogue *dialogue;
	json_t *acts;
	unsigned n_before; /* rounds before this one */
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

static void log_act(const json_t *act, const char *result)
{
	hl_log(HL_INFO, "act", HL_INT("message", json_integer_value(json_object_get(act, "message"))),
	       HL_STR("actor", json_string_value(json_object_get(act, "actor"))),
	       HL_STR("verb", json_string_value(json_object_get(act, "verb"))), HL_STR("result", result));
}

/* Gives the ids of messages whose act was too late, NULL when there are none. */
static json_t *take_results(const json_t *acts, const json_t *reply)
{
	json_t *stale = NULL;
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(reply, "items"), i, entry) {
		const json_t *act = json_array_get(acts, i);
		const char *result = json_string_value(json_object_get(entry, "result"));

		log_act(act, result ? result : "?");
		if (result && strcmp(result, "stale") == 0) {
			if (!stale)
				stale = json_array();
			json_array_append(stale, json_object_get(act, "message"));
		}
	}
	return stale;
}

static void on_again(void *arg, const struct hl_pg_result *r)
{
	struct round *round = arg;
	struct hl_dialogue *d = round->dialogue;
	json_t *reply = r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL;

	d->n_in_flight--;
	if (reply)
		act_on(d, json_object_get(reply, "talk"), round->n_before + 1);
	json_decref(reply);
	json_decref(round->acts);
	free(round);
}

static void on_acted(void *arg, const struct hl_pg_result *r)
{
	struct round *round = arg;
	struct hl_dialogue *d = round->dialogue;
	json_t *reply = r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL;
	json_t *stale = reply ? take_results(round->acts, reply) : NULL;

	d->n_in_flight--;
	if (!reply) {
		hl_log(HL_WARN, "act.failed", HL_STR("class", hl_class_name(r->cls)), HL_STR("sqlstate", r->sqlstate),
		       HL_STR("why", r->text), HL_INT("acts", json_array_size(round->acts)));
	} else {
		hl_crash_point("act.committed");
		d->setup.on_committed(d->setup.arg);
	}
	json_decref(reply);
	/* Unanswered messages stay pending; the sweep finds them when their claim has run out. */
	if (stale && round->n_before + 1 < ROUNDS_MAX &&
	    hl_store_submit_json(&d->setup.store, "talk_again", json_pack("{s:o}", "messages", stale), HL_PG_IDEMPOTENT,
				 deadline_us(d), on_again, round) == HL_OK) {
		d->n_in_flight++;
		return;
	}
	json_decref(round->acts);
	free(round);
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
	return act;
}

static void send_act(struct hl_dialogue *d, json_t *act, unsigned n_before)
{
	struct round *round = calloc(1, sizeof(*round));
	json_t *acts = json_pack("[o]", act);

	if (round && acts) {
		*round = (struct round){.dialogue = d, .acts = acts, .n_before = n_before};
		hl_crash_point("act.before");
		if (hl_store_submit_json(&d->setup.store, "act", json_incref(acts), 0, deadline_us(d), on_acted, round) == HL_OK) {
			d->n_in_flight++;
			return;
		}
	}
	json_decref(acts);
	free(round);
}

/* One pipelined call per message: an act the database refuses takes no other down with it. */
static void act_on(struct hl_dialogue *d, const json_t *contexts, unsigned n_before)
{
	const json_t *ctx;
	size_t i;

	json_array_foreach(contexts, i, ctx) {
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
	if (hl_store_submit_json(&d->setup.store, "claim_pending", json_pack("{s:i}", "limit", SWEEP_LIMIT), 0, deadline_us(d),
				 on_swept, d) == HL_OK) {
		d->is_sweeping = true;
		d->n_in_flight++;
	}
}

struct hl_dialogue *hl_dialogue_new(const struct hl_dialogue_setup *setup)
{
	struct hl_dialogue *d = calloc(1, sizeof(*d));

	if (d)
		d->setup = *setup;
	return d;
}

void hl_dialogue_free(struct hl_dialogue **dp)
{
	free(*dp);
	*dp = NULL;
}

unsigned hl_dialogue_outstanding(const struct hl_dialogue *d)
{
	return d->n_in_flight;
}
