/* settle.c - outcomes of sends on their way into the store (contract in settle.h)
 *
 * Owns the results that wait and the ones in the call under way. At most one call: results gather meanwhile, and a
 * few wait a moment for others, since a call costs the same for one as for ten.
 * Must not know: providers, texts, what an outcome means.
 */
#include "settle.h"

#include "hotline/crash.h"
#include "hotline/log.h"

#include <stdlib.h>

#define AGAIN_US  (500 * HL_US_PER_MS)
#define GATHER_US (4 * HL_US_PER_MS)

static void call_store(struct hl_settler *s);

static void came_back(struct hl_settler *s)
{
	s->n_calls--;
	s->is_calling = false;
}

static void tell_again(struct hl_settler *s, const struct hl_pg_result *r)
{
	s->stats->settle_failures++;
	hl_log(HL_WARN, "settle.failed", HL_STR("class", hl_class_name(r->cls)), HL_STR("sqlstate", r->sqlstate),
	       HL_STR("why", r->text));
	hl_timer_start(&s->again, AGAIN_US);
}

static void forget_under_way(struct hl_settler *s)
{
	json_decref(s->under_way);
	s->under_way = NULL;
	hl_loop_post(s->loop, &s->post);
}

/* ---- what the store refuses ------------------------------------------------ */

/* The second half goes back in front of what waits; the first one is told alone. */
static void halve(struct hl_settler *s)
{
	size_t n = json_array_size(s->under_way), half = n / 2;
	json_t *rest = json_array();

	for (size_t i = half; i < n; i++)
		json_array_append(rest, json_array_get(s->under_way, i));
	for (size_t i = n; i > half; i--)
		json_array_remove(s->under_way, i - 1);
	json_array_extend(rest, s->results);
	json_decref(s->results);
	s->results = rest;
	call_store(s);
}

static void on_set_aside(void *arg, const struct hl_pg_result *r)
{
	struct hl_settler *s = arg;

	came_back(s);
	if (r->cls == HL_RETRY || r->cls == HL_UNKNOWN) {
		tell_again(s, r);
		return;
	}
	s->stats->quarantined++;
	forget_under_way(s);
}

/* One outcome the store will never take: kept whole for an operator. */
static void set_aside(struct hl_settler *s, const struct hl_pg_result *r)
{
	const json_t *result = json_array_get(s->under_way, 0);
	json_int_t attempt = json_integer_value(json_object_get(result, "attempt"));
	char *whole = json_dumps(result, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_t *q = json_pack("{s:s, s:o, s:s, s:s}", "channel", "outbox", "ext",
			      json_sprintf("attempt %" JSON_INTEGER_FORMAT, attempt), "item", whole ? whole : "",
			      "reason", r->text);

	free(whole);
	hl_log(HL_ERROR, "outcome.quarantined", HL_INT("attempt", attempt), HL_STR("sqlstate", r->sqlstate),
	       HL_STR("reason", r->text));
	if (hl_store_submit_json(&s->store, "quarantine_item", q, 0, s->deadline_us, on_set_aside, s) == HL_OK) {
		s->n_calls++;
		s->is_calling = true;
	} else {
		hl_timer_start(&s->again, AGAIN_US);
	}
}

/* ---- the call --------------------------------------------------------------- */

static void on_settled(void *arg, const struct hl_pg_result *r)
{
	struct hl_settler *s = arg;

	came_back(s);
	s->is_owing = r->cls == HL_RETRY;
	if (r->cls == HL_OK) {
		hl_crash_point("settle.committed");
		forget_under_way(s);
		s->on_settled(s->arg);
	} else if (!hl_store_is_item_fault(r)) {
		tell_again(s, r);
	} else if (json_array_size(s->under_way) > 1) {
		halve(s);
	} else {
		set_aside(s, r);
	}
}

static void call_store(struct hl_settler *s)
{
	json_t *call = json_pack("{s:I, s:O}", "epoch", (json_int_t)s->epoch, "items", s->under_way);

	s->on_call(s->arg, call);
	s->is_calling = true;
	hl_crash_point("settle.before");
	if (hl_store_submit_json(&s->store, "settle", call, HL_PG_IDEMPOTENT, s->deadline_us, on_settled, s) == HL_OK) {
		s->n_calls++;
		return;
	}
	s->is_calling = false;
	hl_timer_start(&s->again, AGAIN_US);
}

static bool is_worth_a_call(struct hl_settler *s)
{
	size_t n = json_array_size(s->results);

	if (n == 0)
		return false;
	if (n >= s->enough || s->is_ripe || !s->may_wait_more(s->arg))
		return true;
	hl_timer_start(&s->ripen, GATHER_US);
	return false;
}

static void tell(void *arg)
{
	struct hl_settler *s = arg;

	if (s->is_calling)
		return;
	if (!s->under_way) {
		if (!is_worth_a_call(s))
			return;
		s->under_way = s->results;
		s->results = json_array();
		s->is_ripe = false;
		hl_timer_stop(&s->ripen);
	}
	call_store(s);
}

static void on_ripe(void *arg)
{
	struct hl_settler *s = arg;

	s->is_ripe = json_array_size(s->results) > 0;
	tell(s);
}

/* ---- life ------------------------------------------------------------------- */

bool hl_settler_init(struct hl_settler *s)
{
	s->results = json_array();
	s->post = (struct hl_post){.fn = tell, .arg = s};
	return s->results && hl_timer_init(&s->again, s->loop, tell, s) &&
	       hl_timer_init(&s->ripen, s->loop, on_ripe, s);
}

void hl_settler_fini(struct hl_settler *s)
{
	hl_loop_unpost(s->loop, &s->post);
	hl_timer_fini(&s->again);
	hl_timer_fini(&s->ripen);
	json_decref(s->results);
	json_decref(s->under_way);
}

void hl_settler_add(struct hl_settler *s, json_t *result)
{
	json_array_append_new(s->results, result);
	hl_loop_post(s->loop, &s->post);
}

unsigned hl_settler_outstanding(const struct hl_settler *s)
{
	return s->n_calls + (unsigned)json_array_size(s->results) + (s->under_way ? 1 : 0);
}
