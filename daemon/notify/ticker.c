/* ticker.c - the pulse of a daemon (contract in hotline/ticker.h)
 *
 * Owns one timer and at most one call. Timers run on the monotonic clock, what is due
 * is decided by the database's.
 */
#include "hotline/ticker.h"

#include "hotline/crash.h"
#include "hotline/log.h"

#include <stdlib.h>

/* Ladders in one call: about a fifth of a second, since leases wait behind it; the next one follows at once. */
#define FIRE_LIMIT 250

struct hl_ticker {
	struct hl_ticker_setup setup;
	struct hl_ticker_stats stats;
	struct hl_timer timer;
	bool is_running, is_calling, is_wanted;
};

static void pulse(void *arg);

static void take_reply(struct hl_ticker *t, const json_t *reply)
{
	json_int_t fired = json_integer_value(json_object_get(reply, "fired"));

	hl_case_clock_learn(t->setup.clock, json_integer_value(json_object_get(reply, "now")));
	t->stats.pulses++;
	t->stats.fired += (unsigned long long)fired;
	if (fired > 0)
		hl_log(HL_INFO, "rungs.fired", HL_INT("ladders", fired));
	if (fired == FIRE_LIMIT)
		t->is_wanted = true;
	t->setup.on_refdata(t->setup.arg, json_integer_value(json_object_get(reply, "refdata")));
	t->setup.on_pulse(t->setup.arg);
}

static void on_fired(void *arg, const struct hl_pg_result *r)
{
	struct hl_ticker *t = arg;
	json_t *reply = r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL;

	t->is_calling = false;
	if (reply) {
		hl_crash_point("fire.committed");
		take_reply(t, reply);
	} else {
		t->stats.failures++;
		hl_log(HL_WARN, "pulse.failed", HL_STR("class", hl_class_name(r->cls)), HL_STR("sqlstate", r->sqlstate),
		       HL_STR("why", r->text));
	}
	json_decref(reply);
	if (t->is_running)
		hl_timer_start(&t->timer, t->is_wanted ? 0 : t->setup.period_us);
}

static void pulse(void *arg)
{
	struct hl_ticker *t = arg;

	if (t->is_calling) {
		t->is_wanted = true;
		return;
	}
	t->is_wanted = false;
	hl_crash_point("fire.before");
	if (t->setup.store.is_ready(t->setup.store.ctx) &&
	    hl_store_submit_json(&t->setup.store, "fire_due", json_pack("{s:i}", "limit", FIRE_LIMIT), 0,
				 t->setup.deadline_us, on_fired, t) == HL_OK) {
		t->is_calling = true;
		return;
	}
	hl_timer_start(&t->timer, t->setup.period_us);
}

struct hl_ticker *hl_ticker_new(const struct hl_ticker_setup *setup)
{
	struct hl_ticker *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->setup = *setup;
	if (!hl_timer_init(&t->timer, setup->loop, pulse, t))
		hl_ticker_free(&t);
	return t;
}

void hl_ticker_start(struct hl_ticker *t)
{
	t->is_running = true;
	hl_timer_start(&t->timer, 0);
}

void hl_ticker_stop(struct hl_ticker *t)
{
	t->is_running = false;
	hl_timer_stop(&t->timer);
}

void hl_ticker_pulse(struct hl_ticker *t)
{
	if (t->is_running)
		pulse(t);
}

unsigned hl_ticker_outstanding(const struct hl_ticker *t)
{
	return t->is_calling;
}

const struct hl_ticker_stats *hl_ticker_stats(const struct hl_ticker *t)
{
	return &t->stats;
}

void hl_ticker_free(struct hl_ticker **tp)
{
	if (*tp)
		hl_timer_fini(&(*tp)->timer);
	free(*tp);
	*tp = NULL;
}
