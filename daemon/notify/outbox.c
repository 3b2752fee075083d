/* outbox.c - notices to providers (contract in hotline/outbox.h)
 *
 * Owns the sends on their way; their results are settle.c's. Holds no policy: what is due, stale or worth a retry is
 * decided in the database; what an answer means, by the adapter.
 * A lease costs the same for one notice as for ten: when most places are taken, those that become free gather for a
 * moment.
 * Limits: results wait in memory until settled; if the daemon dies first, the lease runs out and the outcome is
 * unknown.
 */
#include "hotline/outbox.h"

#include "channels.h"
#include "settle.h"

#include "hotline/crash.h"
#include "hotline/log.h"
#include "hotline/segments.h"
#include "hotline/text.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES     (256u << 10)
#define TEXT_MAX_BYTES  4000
#define CHANNELS_MAX    64
#define REPLY_MAX_BYTES (64u << 10)
#define GATHER_US       (4 * HL_US_PER_MS)
#define SWEEP_LIMIT     500

static const char *const outcome_name[] = {"accepted", "later", "refused", "config", "unknown"};
#define NOT_SENT "not_sent"

struct send {
	TAILQ_ENTRY(send) link;
	struct hl_outbox *outbox;
	struct hl_http_op *op;
	const struct hl_channel_config *channel;
	json_t *leased; /* the notice as it was leased */
	int64_t attempt, notice;
	struct hl_arena arena;
	struct hl_buf text;
	struct hl_segments segments;
};

struct hl_outbox {
	struct hl_outbox_setup setup;
	struct hl_outbox_stats stats;
	struct hl_channels *channels;
	int64_t epoch;
	bool is_started, is_leasing, is_sweeping, may_have_more, is_ripe;
	TAILQ_HEAD(, send) sends;
	unsigned n_sending, n_calls;
	struct hl_settler settler;
	struct hl_post lease_post;
	struct hl_timer ripen;
};

static int64_t db_deadline_us(const struct hl_outbox *ob)
{
	return ob->setup.config->db_deadline_ms * HL_US_PER_MS;
}

/* The county's date, by which budgets are counted; "" before reference data is there. */
static const char *today(const struct hl_outbox *ob, char *out, size_t out_bytes)
{
	struct hl_local_time t;

	out[0] = '\0';
	if (*ob->setup.refdata) {
		hl_calendar_local(&(*ob->setup.refdata)->calendar, hl_case_clock_now(ob->setup.clock), &t);
		snprintf(out, out_bytes, "%04d-%02d-%02d", t.year, t.month, t.day);
	}
	return out;
}

/* ---- outcomes ------------------------------------------------------------- */

static void count_outcome(struct hl_outbox *ob, const char *outcome)
{
	unsigned long long *counters[] = {&ob->stats.accepted, &ob->stats.later, &ob->stats.refused, &ob->stats.config,
					  &ob->stats.unknown};

	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		if (strcmp(outcome, outcome_name[i]) == 0)
			(*counters[i])++;
	if (strcmp(outcome, NOT_SENT) == 0)
		ob->stats.not_sent++;
}

/* A provider's word as text: one byte the database cannot take would keep every other result from being settled. */
static json_t *word_json(struct send *s, struct hl_slice word)
{
	struct hl_slice clean = hl_text_decode(&s->arena, word, "UTF-8");

	return json_stringn(clean.ptr ? clean.ptr : "", clean.len);
}

static void add_result(struct hl_outbox *ob, struct send *s, const char *outcome, const struct hl_answer *answer)
{
	json_t *result =
		json_pack("{s:I, s:s, s:I, s:s%, s:i, s:o}", "attempt", (json_int_t)s->attempt, "outcome", outcome,
			  "delay_us", (json_int_t)answer->delay_us, "text", hl_buf_str(&s->text), s->text.len, "parts",
			  (int)s->segments.parts, "detail", word_json(s, answer->detail));

	if (answer->external_id.len > 0)
		json_object_set_new(result, "external", word_json(s, answer->external_id));
	if (s->channel)
		hl_channels_end(ob->channels, s->channel, outcome, answer->detail, (unsigned)s->segments.parts,
				hl_mono_us());
	/* A phone that wants nothing from us does not want it by another way. */
	if (s->channel && hl_route_asks_other(outcome) && !answer->is_opted_out &&
	    hl_channels_has_other(ob->channels, s->leased, s->channel))
		json_object_set_new(result, "failover", json_true());
	if (answer->is_opted_out)
		json_object_set_new(result, "opted_out", json_true());
	count_outcome(ob, outcome);
	hl_log(strcmp(outcome, "accepted") == 0 ? HL_INFO : HL_WARN, "notice.sent", HL_INT("notice", s->notice),
	       HL_INT("attempt", s->attempt), HL_STR("channel", s->channel ? s->channel->channel.name : "-"),
	       HL_STR("outcome", outcome), HL_SLICE("detail", answer->detail));
	hl_settler_add(&ob->settler, result);
}

/* ---- send ----------------------------------------------------------------- */

static void free_send(struct send *s)
{
	TAILQ_REMOVE(&s->outbox->sends, s, link);
	s->outbox->n_sending--;
	hl_arena_fini(&s->arena);
	hl_buf_fini(&s->text);
	json_decref(s->leased);
	free(s);
}

static void give_up(struct send *s, const char *outcome, const char *why)
{
	struct hl_answer answer = {.detail = hl_slice_str(why)};

	add_result(s->outbox, s, outcome, &answer);
	free_send(s);
}

static void on_answer(void *arg, const struct hl_http_result *r)
{
	struct send *s = arg;
	struct hl_outbox *ob = s->outbox;
	struct hl_answer answer = {.outcome = HL_OUT_UNKNOWN, .detail = hl_slice_str(r->text)};

	if (r->cls == HL_OK) {
		s->channel->ops->interpret(&s->channel->channel, r->status, r->body, r->headers, r->n_headers,
					   &s->arena, &answer);
		add_result(ob, s, outcome_name[answer.outcome], &answer);
	} else {
		add_result(ob, s, r->cls == HL_RETRY ? NOT_SENT : r->cls == HL_UNKNOWN ? "unknown" : "config", &answer);
	}
	free_send(s);
	hl_outbox_kick(ob);
}

static void post_it(struct send *s, const struct hl_request *req)
{
	struct hl_http_call call = {.url = req->url,
				    .headers = req->headers,
				    .n_headers = req->n_headers,
				    .body = req->body,
				    .deadline_us = s->outbox->setup.config->send_deadline_ms * HL_US_PER_MS,
				    .max_reply_bytes = REPLY_MAX_BYTES};

	hl_channels_begin(s->outbox->channels, s->channel, hl_mono_us());
	if (hl_http_submit(s->outbox->setup.client, &call, on_answer, s, &s->op) != HL_OK)
		give_up(s, NOT_SENT, "out of memory");
}

/* What a provider with templates of its own is given beside the text; nothing to do for the others. */
static bool put_template(struct send *s, const json_t *notice, struct hl_outbound *sms, struct hl_error *err)
{
	const char *key = json_string_value(json_object_get(notice, "template"));
	const struct hl_template_ref *t = key ? hl_config_template(s->channel, key) : NULL;
	struct hl_param *params;

	if (!s->channel->ops->needs_template)
		return true;
	if (!t) {
		hl_fail(err, HL_REFUSED, "the provider has no template for %s", key ? key : "?");
		return false;
	}
	if (hl_notice_params(*s->outbox->setup.refdata, notice, t, &s->arena, &params, err) != HL_OK)
		return false;
	sms->template_id = hl_slice_str(t->id);
	sms->params = params;
	sms->n_params = t->n_params;
	return true;
}

static void send_notice(struct send *s, const json_t *notice)
{
	struct hl_outbox *ob = s->outbox;
	const char *phone = json_string_value(json_object_get(notice, "phone"));
	const char *name = json_string_value(json_object_get(notice, "channel"));
	struct hl_outbound sms = {.attempt = (uint64_t)s->attempt, .to = hl_slice_str(phone)};
	struct hl_request req = {0};
	struct hl_error err = {.text = ""};

	s->channel = name ? hl_config_channel(ob->setup.config, hl_slice_str(name)) : NULL;
	if (!s->channel || !hl_can_send(s->channel)) {
		give_up(s, "config", "no channel that sends");
		return;
	}
	if (hl_notice_text(*ob->setup.refdata, notice, s->channel->signs_ours ? s->channel->signature : "", &s->text,
			   &err) != HL_OK) {
		give_up(s, "refused", err.text);
		return;
	}
	if (!put_template(s, notice, &sms, &err)) {
		give_up(s, err.cls == HL_CONFIG ? "config" : "refused", err.text);
		return;
	}
	sms.text = hl_buf_slice(&s->text);
	hl_segments_plan(sms.text, hl_slice_str(s->channel->signs_ours ? "" : s->channel->signature), &s->segments);
	sms.is_gsm7 = s->segments.is_gsm7;
	if (s->channel->ops->build(&s->channel->channel, &sms, hl_wall_us(), &s->arena, &req, &err) != HL_OK)
		give_up(s, "config", err.text);
	else
		post_it(s, &req);
}

/* ---- lease ---------------------------------------------------------------- */

static void start_send(struct hl_outbox *ob, const json_t *notice)
{
	struct send *s = calloc(1, sizeof(*s));

	/* Without memory the lease runs out and the notice comes again. */
	if (!s)
		return;
	s->outbox = ob;
	s->leased = json_deep_copy(notice);
	s->attempt = json_integer_value(json_object_get(notice, "attempt"));
	s->notice = json_integer_value(json_object_get(notice, "notice"));
	hl_arena_init(&s->arena, ARENA_BYTES);
	hl_buf_init(&s->text, TEXT_MAX_BYTES);
	TAILQ_INSERT_TAIL(&ob->sends, s, link);
	ob->n_sending++;
	ob->stats.leased++;
	ob->stats.resent += json_is_true(json_object_get(notice, "resend"));
	send_notice(s, notice);
}

static void on_leased(void *arg, const struct hl_pg_result *r)
{
	struct hl_outbox *ob = arg;
	json_t *reply = r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL;
	const json_t *notice, *list = json_object_get(reply, "notices");
	size_t i;

	ob->n_calls--;
	ob->is_leasing = false;
	if (!reply)
		hl_log(HL_WARN, "lease.failed", HL_STR("class", hl_class_name(r->cls)), HL_STR("why", r->text));
	if (json_array_size(list) > 0)
		hl_crash_point("lease.committed");
	if (reply)
		hl_channels_spent(ob->channels, json_object_get(reply, "spent"));
	json_array_foreach (list, i, notice)
		start_send(ob, notice);
	if (ob->may_have_more || json_array_size(list) > 0)
		hl_outbox_kick(ob);
	json_decref(reply);
}

static const char *first_of(const struct hl_outbox *ob, enum hl_route route)
{
	const struct hl_config *c = ob->setup.config;
	const struct hl_channel_config *order[CHANNELS_MAX];

	return c->n_channels <= CHANNELS_MAX && hl_route_order(c, route, order) ? order[0]->channel.name : "";
}

static json_t *sending_channels(const struct hl_outbox *ob)
{
	const struct hl_config *c = ob->setup.config;
	json_t *list = json_array();

	for (size_t i = 0; i < c->n_channels; i++)
		if (hl_can_send(&c->channels[i]))
			json_array_append_new(list, json_string(c->channels[i].channel.name));
	return list;
}

/* Whether the places that are free are worth a call now. */
static bool is_worth_a_lease(struct hl_outbox *ob)
{
	unsigned all = ob->setup.config->send_concurrency, n_free = all > ob->n_sending ? all - ob->n_sending : 0;

	if (n_free == 0)
		return false;
	if (n_free >= all / 3 || ob->is_ripe)
		return true;
	hl_timer_start(&ob->ripen, GATHER_US);
	return false;
}

/* Whose limits for one phone hold on a channel. */
static json_t *providers(const struct hl_outbox *ob)
{
	const struct hl_config *c = ob->setup.config;
	json_t *map = json_object();

	for (size_t i = 0; i < c->n_channels; i++)
		if (hl_can_send(&c->channels[i]))
			json_object_set_new(map, c->channels[i].channel.name,
					    json_string(c->channels[i].channel.provider));
	return map;
}

static void lease(void *arg)
{
	struct hl_outbox *ob = arg;
	const struct hl_config *c = ob->setup.config;
	json_t *call;
	char day[16];

	if (!ob->is_started || ob->is_leasing) {
		ob->may_have_more = true;
		return;
	}
	if (!ob->setup.store.is_ready(ob->setup.store.ctx) || !*ob->setup.refdata || !is_worth_a_lease(ob))
		return;
	call = json_pack("{s:i, s:I, s:I, s:{s:s, s:s}, s:o, s:o}", "limit", (int)(c->send_concurrency - ob->n_sending),
			 "lease_us", (json_int_t)(c->lease_ms * HL_US_PER_MS), "epoch", (json_int_t)ob->epoch,
			 "channels", "officer", first_of(ob, HL_ROUTE_OFFICER), "resident",
			 first_of(ob, HL_ROUTE_RESIDENT), "known", sending_channels(ob), "providers", providers(ob));
	hl_channels_ask(ob->channels, call, today(ob, day, sizeof(day)), hl_mono_us());
	ob->may_have_more = ob->is_ripe = false;
	hl_timer_stop(&ob->ripen);
	ob->is_leasing = true;
	if (hl_store_submit_json(&ob->setup.store, "lease", call, 0, db_deadline_us(ob), on_leased, ob) == HL_OK)
		ob->n_calls++;
	else
		ob->is_leasing = false;
}

static void on_ripe(void *arg)
{
	struct hl_outbox *ob = arg;

	ob->is_ripe = true;
	lease(ob);
}

/* ---- leases that ran out ---------------------------------------------------- */

static void on_swept(void *arg, const struct hl_pg_result *r)
{
	struct hl_outbox *ob = arg;
	json_t *reply = r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL;
	json_int_t refused = json_integer_value(json_object_get(reply, "refused"));

	ob->n_calls--;
	ob->is_sweeping = false;
	if (!reply)
		hl_log(HL_WARN, "sweep.failed", HL_STR("class", hl_class_name(r->cls)), HL_STR("sqlstate", r->sqlstate),
		       HL_STR("why", r->text));
	if (refused > 0)
		hl_log(HL_ERROR, "sweep.refused", HL_INT("notices", refused),
		       HL_STR("why", json_string_value(json_object_get(reply, "why"))));
	if (json_integer_value(json_object_get(reply, "swept")) > 0)
		hl_outbox_kick(ob);
	json_decref(reply);
}

void hl_outbox_sweep(struct hl_outbox *ob)
{
	json_t *call;

	/* What ran out may be our own: results owed since the database was away are told first. */
	if (!ob->is_started || ob->is_sweeping || ob->settler.is_owing ||
	    !ob->setup.store.is_ready(ob->setup.store.ctx))
		return;
	call = json_pack("{s:i}", "limit", SWEEP_LIMIT);
	if (hl_store_submit_json(&ob->setup.store, "sweep", call, 0, db_deadline_us(ob), on_swept, ob) == HL_OK) {
		ob->n_calls++;
		ob->is_sweeping = true;
	}
}

/* ---- life ----------------------------------------------------------------- */

static bool is_sending(void *arg)
{
	const struct hl_outbox *ob = arg;

	return ob->n_sending > 0;
}

static void add_budgets(void *arg, json_t *call)
{
	struct hl_outbox *ob = arg;
	char day[16];

	hl_channels_budgets(ob->channels, call, today(ob, day, sizeof(day)));
}

static void on_settled(void *arg)
{
	hl_outbox_kick(arg);
}

struct hl_outbox *hl_outbox_new(const struct hl_outbox_setup *setup)
{
	struct hl_outbox *ob = calloc(1, sizeof(*ob));

	if (!ob)
		return NULL;
	ob->setup = *setup;
	TAILQ_INIT(&ob->sends);
	ob->lease_post = (struct hl_post){.fn = lease, .arg = ob};
	ob->settler = (struct hl_settler){.loop = setup->loop,
					  .store = setup->store,
					  .deadline_us = db_deadline_us(ob),
					  .enough = setup->config->send_concurrency / 3,
					  .may_wait_more = is_sending,
					  .on_call = add_budgets,
					  .on_settled = on_settled,
					  .arg = ob,
					  .stats = &ob->stats};
	ob->channels = hl_channels_new(setup->config);
	if (!hl_settler_init(&ob->settler) || !ob->channels || !hl_timer_init(&ob->ripen, setup->loop, on_ripe, ob))
		hl_outbox_free(&ob);
	return ob;
}

void hl_outbox_start(struct hl_outbox *ob, int64_t epoch)
{
	ob->epoch = ob->settler.epoch = epoch;
	ob->is_started = true;
	hl_outbox_kick(ob);
}

void hl_outbox_kick(struct hl_outbox *ob)
{
	hl_loop_post(ob->setup.loop, &ob->lease_post);
}

void hl_outbox_stop(struct hl_outbox *ob)
{
	ob->is_started = false;
}

unsigned hl_outbox_outstanding(const struct hl_outbox *ob)
{
	return ob->n_sending + ob->n_calls + hl_settler_outstanding(&ob->settler);
}

json_t *hl_outbox_channels(const struct hl_outbox *ob)
{
	return hl_channels_show(ob->channels, hl_mono_us());
}

const struct hl_outbox_stats *hl_outbox_stats(const struct hl_outbox *ob)
{
	return &ob->stats;
}

void hl_outbox_free(struct hl_outbox **obp)
{
	struct hl_outbox *ob = *obp;
	struct send *s, *next;

	if (!ob)
		return;
	*obp = NULL;
	for (s = TAILQ_FIRST(&ob->sends); s; s = next) {
		next = TAILQ_NEXT(s, link);
		hl_http_cancel(&s->op);
		free_send(s);
	}
	hl_loop_unpost(ob->setup.loop, &ob->lease_post);
	hl_timer_fini(&ob->ripen);
	hl_settler_fini(&ob->settler);
	hl_channels_free(&ob->channels);
	free(ob);
}
