/* gateway.c - wiring, greeting, readiness and drain of one gateway (contract in hotline/gateway.h)
 *
 * Owns every part and the order in which they start and stop. Start: listeners answer
 * 503 until hl.hello told that the database is durable, follows the same law and has
 * reference data. Stop: no new requests, no new leases; what is in work is finished.
 */
#include "hotline/gateway.h"

#include "gateway.h"
#include "hotline/descriptors.h"
#include "hotline/law.h"
#include "hotline/log.h"
#include "hotline/pg.h"

#include <stdlib.h>
#include <string.h>

#define HELLO_AGAIN_US (500 * HL_US_PER_MS)
#define DRAIN_US       (9 * HL_US_PER_S)
#define DRAIN_LOOK_US  (20 * HL_US_PER_MS)
#define CALLS_WAITING  2000
#define ITEMS_WAITING  20000
/* A get-url brings the text in the address: 1,000 Chinese characters are 9,000 bytes there. */
#define REQUEST_LINE_BYTES 16384
/* For three sessions with the database, listeners, timers, log, and connections that are told that there are too many.
 */
#define OWN_DESCRIPTORS 128
/* A send has two while a name is looked up, or while two addresses are tried. */
#define DESCRIPTORS_PER_SEND 2
#define ADMIN_CONNECTIONS    64
#define LEAST_CONNECTIONS    16
/* Photos from a phone: 24 MiB each while they come, by a slow network. */
#define UPLOADS_AT_ONCE 6
#define UPLOAD_US       (90 * HL_US_PER_S)

/* ---- greeting the database ------------------------------------------------ */

static void say_hello(void *arg);

static void set_trouble(struct gateway *g, const char *text)
{
	if (strcmp(g->trouble, text) == 0)
		return;
	snprintf(g->trouble, sizeof(g->trouble), "%s", text);
	if (*text)
		hl_log(HL_WARN, "gateway.not_ready", HL_STR("why", text));
}

/* Why the database cannot be used, "" when both connections can. */
static const char *database_trouble(const struct gateway *g)
{
	const char *trouble = hl_pg_last_error(g->work_pg);

	return trouble[0] ? trouble : hl_pg_last_error(g->intake_pg);
}

static bool has_move(const json_t *law, const struct hl_move *move)
{
	char line[128];
	const json_t *entry;
	size_t i;

	snprintf(line, sizeof(line), "%s|%s|%s|%s", move->scope, move->event, move->from, move->to);
	json_array_foreach (law, i, entry)
		if (strcmp(json_string_value(entry), line) == 0)
			return true;
	return false;
}

/* A binary that follows another law than the database must not serve. */
static bool is_same_law(const json_t *law)
{
	size_t n;
	const struct hl_move *moves = hl_law(&n);

	if (json_array_size(law) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!has_move(law, &moves[i]))
			return false;
	return true;
}

static const char *trouble_with(const json_t *hello)
{
	const char *commit = json_string_value(json_object_get(hello, "synchronous_commit"));
	const char *fsync = json_string_value(json_object_get(hello, "fsync"));

	if (!commit || strcmp(commit, "on") != 0 || !fsync || strcmp(fsync, "on") != 0)
		return "the database runs without fsync or synchronous_commit: nothing would be durable";
	if (!is_same_law(json_object_get(hello, "law")))
		return "the database follows another law than this binary: run hotlinectl migrate";
	return NULL;
}

/* Of each new link, before any call goes over it. */
static const char *trouble_of_link(struct hl_slice json)
{
	json_t *answer = json_loadb(json.ptr, json.len, 0, NULL);
	const char *trouble = trouble_with(answer);

	json_decref(answer);
	return trouble;
}

static const struct hl_pg_greeting greeting = {.function = "greet", .trouble = trouble_of_link};

static bool use_refdata(struct gateway *g, json_t *docs, int64_t version)
{
	struct hl_refdata *fresh;
	struct hl_error err = {.text = ""};

	if (hl_refdata_new(docs, &fresh, &err) != HL_OK) {
		set_trouble(g, err.text);
		g->refdata_version = version; /* do not parse the same mistake every second */
		return g->refdata != NULL;
	}
	/* What was parsed is kept in its own form; of the documents only those that are read again stay. */
	json_object_del(docs, "places");
	json_object_del(docs, "model");
	hl_refdata_free(&g->refdata);
	g->refdata = fresh;
	g->refdata_version = version;
	hl_log(HL_INFO, "refdata.loaded", HL_INT("version", version));
	return true;
}

static void on_hello(void *arg, const struct hl_pg_result *r)
{
	struct gateway *g = arg;
	json_t *hello = r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL;
	const char *trouble = hello ? trouble_with(hello) : r->text;

	g->is_greeting = false;
	if (hello)
		hl_case_clock_learn(&g->clock, json_integer_value(json_object_get(hello, "now")));
	if (trouble) {
		set_trouble(g, trouble);
	} else if (use_refdata(g, json_object_get(hello, "docs"),
			       json_integer_value(json_object_get(hello, "refdata"))) &&
		   !g->is_draining) {
		set_trouble(g, "");
		if (!g->was_started) {
			g->was_started = true;
			hl_outbox_start(g->outbox, json_integer_value(json_object_get(hello, "epoch")));
			hl_ticker_start(g->ticker);
			hl_log(HL_INFO, "gateway.ready", HL_STR("listen", g->config->listen));
		}
	}
	json_decref(hello);
	if (g->trouble[0] && !g->is_draining)
		hl_timer_start(&g->hello_timer, HELLO_AGAIN_US);
}

static void say_hello(void *arg)
{
	struct gateway *g = arg;

	if (g->is_greeting)
		return;
	if (database_trouble(g)[0]) {
		set_trouble(g, database_trouble(g));
		hl_timer_start(&g->hello_timer, HELLO_AGAIN_US / 10);
		return;
	}
	if (hl_store_submit_json(&g->work_store, "hello", json_object(), HL_PG_IDEMPOTENT,
				 g->config->db_deadline_ms * HL_US_PER_MS, on_hello, g) == HL_OK)
		g->is_greeting = true;
	else
		hl_timer_start(&g->hello_timer, HELLO_AGAIN_US);
}

/* ---- hooks of the parts --------------------------------------------------- */

static void on_committed(void *arg)
{
	struct gateway *g = arg;

	hl_outbox_kick(g->outbox);
}

static void on_talk(void *arg, const json_t *contexts)
{
	struct gateway *g = arg;

	hl_dialogue_take(g->dialogue, contexts);
}

static void on_pulse(void *arg)
{
	struct gateway *g = arg;

	hl_dialogue_sweep(g->dialogue);
	hl_outbox_sweep(g->outbox);
	hl_outbox_kick(g->outbox);
	calendar_watch(g);
	hl_doubts_pulse(g->doubts);
	hl_opinions_pulse(g->opinions);
	hl_media_pulse(g->media);
	hl_transcriber_pulse(g->transcriber);
	hl_ringer_pulse(g->ringer);
}

static void on_refdata(void *arg, int64_t version)
{
	struct gateway *g = arg;

	if (version != g->refdata_version)
		say_hello(g);
}

/* ---- routes --------------------------------------------------------------- */

static void show_ready(struct gateway *g, struct hl_http_exchange *x)
{
	const char *trouble = g->is_draining ? "draining" : g->trouble[0] ? g->trouble : database_trouble(g);

	if (trouble[0] || !g->refdata)
		hl_http_reply_reason(x, 503, trouble[0] ? trouble : "starting");
	else
		hl_http_reply(x, 200, "application/json", HL_LIT("{\"ready\":true}"));
}

static bool has_loopback(const struct hl_config *config)
{
	for (size_t i = 0; i < config->n_channels; i++)
		if (strcmp(config->channels[i].channel.provider, "loopback") == 0)
			return true;
	return false;
}

/* That the process lives is no secret; how it fares may be. */
static void show_status(struct gateway *g, struct hl_http_exchange *x)
{
	struct hl_http_request *req = hl_http_exchange_request(x);

	if (!hl_slice_eq_str(req->method, "GET") && !hl_slice_eq_str(req->method, "HEAD"))
		hl_http_reply_reason(x, 405, "method not allowed");
	else if (hl_slice_eq_str(req->path, "/healthz"))
		hl_http_reply(x, 200, "application/json", HL_LIT("{\"alive\":true}"));
	else if (!is_allowed(g->config, req, g->config->status_allow, g->config->n_status_allow))
		hl_http_reply_reason(x, 403, "address not allowed");
	else if (hl_slice_eq_str(req->path, "/readyz"))
		show_ready(g, x);
	else
		metrics_handle(g, x);
}

static void route(void *ctx, struct hl_http_exchange *x)
{
	struct gateway *g = ctx;
	struct hl_http_request *req = hl_http_exchange_request(x);

	if (hl_slice_has_prefix(req->path, "/hook/"))
		webhook_handle(g, x);
	else if (hl_slice_eq_str(req->path, "/healthz") || hl_slice_eq_str(req->path, "/readyz") ||
		 hl_slice_eq_str(req->path, "/metrics"))
		show_status(g, x);
	else if (hl_slice_has_prefix(req->path, "/u/"))
		upload_handle(g, x);
	else if (hl_slice_eq_str(req->path, "/sink/loopback") && hl_slice_eq_str(req->method, "POST") &&
		 has_loopback(g->config))
		sink_handle(g, x);
	else
		hl_http_reply_reason(x, 404, "no such path");
}

/* ---- life ----------------------------------------------------------------- */

static bool is_exempt(void *ctx, struct hl_slice peer)
{
	const struct gateway *g = ctx;

	for (size_t i = 0; i < g->config->n_trusted_proxies; i++)
		if (hl_slice_eq_str(peer, g->config->trusted_proxies[i]))
			return true;
	return false;
}

/* Peers that only stay connected must not take the descriptors that sends and the database need. Gives how many may
 * connect, 0 when the limit leaves too few. */
static unsigned connections_that_fit(const struct hl_config *c, struct hl_error *err)
{
	unsigned own = OWN_DESCRIPTORS + ADMIN_CONNECTIONS + DESCRIPTORS_PER_SEND * c->send_concurrency;
	unsigned wanted = own + c->max_connections, limit = hl_descriptors_raise(wanted);

	if (limit >= wanted)
		return c->max_connections;
	if (limit < own + LEAST_CONNECTIONS) {
		hl_fail(err, HL_CONFIG, "open files are limited to %u, at least %u are needed", limit,
			own + LEAST_CONNECTIONS);
		return 0;
	}
	hl_log(HL_WARN, "http.fewer_connections", HL_INT("open_files", limit), HL_INT("wanted", wanted),
	       HL_INT("max_connections", limit - own));
	return limit - own;
}

static enum hl_class make_servers(struct gateway *g, struct hl_error *err)
{
	const struct hl_config *c = g->config;
	struct hl_http_server_options o = {
		.limits = {.request_line_bytes = REQUEST_LINE_BYTES,
			   .header_bytes = c->header_bytes,
			   .n_headers = 100,
			   .body_bytes = c->body_bytes,
			   .has_large_body = c->web_url && c->web_url[0] ? upload_has_large_body : NULL,
			   .large_body_bytes = upload_body_bytes()},
		.large_us = UPLOAD_US,
		.max_large = UPLOADS_AT_ONCE,
		.idle_us = c->idle_ms * HL_US_PER_MS,
		.header_us = c->header_ms * HL_US_PER_MS,
		.body_us = c->body_ms * HL_US_PER_MS,
		.answer_us = c->answer_ms * HL_US_PER_MS,
		.write_us = c->body_ms * HL_US_PER_MS,
		.max_connections = connections_that_fit(c, err),
		.max_connections_per_peer = c->max_connections_per_peer,
		.is_exempt = is_exempt,
	};
	enum hl_class cls;

	if (o.max_connections == 0)
		return HL_CONFIG;
	g->server = hl_http_server_new(g->loop, &o, route, g);
	o.limits.body_bytes = 8u << 20; /* reference documents */
	o.limits.has_large_body = NULL;
	o.answer_us = 60 * HL_US_PER_S;
	o.max_connections = ADMIN_CONNECTIONS;
	g->admin = hl_http_server_new(g->loop, &o, admin_handle, g);
	if (!g->server || !g->admin)
		return hl_fail(err, HL_NOMEM, "out of memory");
	cls = hl_http_server_listen(g->server, c->listen, err);
	return cls == HL_OK ? hl_http_server_listen(g->admin, c->admin_listen, err) : cls;
}

/* The spool in front of the database, when there is to be one. */
static enum hl_class make_spool(struct gateway *g, struct hl_error *err)
{
	const struct hl_config *c = g->config;
	const struct hl_store database = g->intake_store;
	struct hl_spool_options options = {.dir = c->spool_dir,
					   .max_bytes = (uint64_t)c->spool_max_mb << 20,
					   .after_us = c->spool_after_ms * HL_US_PER_MS};
	enum hl_class cls;

	if (!*c->spool_dir)
		return HL_OK;
	cls = hl_spool_new(g->loop, &database, &options, &g->clock, &g->spool, err);
	if (cls != HL_OK) {
		hl_error_prefix(err, "[spool] dir");
		return cls;
	}
	g->intake_store = hl_spool_store(g->spool);
	return HL_OK;
}

/* What waits in the spool goes to the database by batchers of its own, which never write into the spool. */
static bool tell_again(struct gateway *g, const struct hl_intake_options *intake,
		       const struct hl_intake_options *receipts, const struct hl_intake_hooks *hooks)
{
	const struct hl_store database = hl_store_pg(g->intake_pg);

	g->told_intake = hl_intake_new(g->loop, &database, intake, hooks, &g->clock);
	g->told_receipts = hl_intake_new(g->loop, &database, receipts, hooks, &g->clock);
	if (!g->told_intake || !g->told_receipts)
		return false;
	hl_spool_start(g->spool, g->told_intake, g->told_receipts);
	return true;
}

static bool make_flow(struct gateway *g)
{
	const struct hl_config *c = g->config;
	int64_t deadline_us = c->db_deadline_ms * HL_US_PER_MS;
	struct hl_intake_options intake = {.function = "intake",
					   .batch_max = c->batch_max,
					   .waiting_max = ITEMS_WAITING,
					   .deadline_us = deadline_us};
	struct hl_intake_options receipts = {.function = "receipts",
					     .batch_max = c->batch_max,
					     .waiting_max = ITEMS_WAITING,
					     .deadline_us = deadline_us};
	struct hl_intake_hooks hooks = {.arg = g, .on_talk = on_talk, .on_committed = on_committed};
	struct hl_dialogue_setup dialogue = {.loop = g->loop,
					     .store = g->work_store,
					     .refdata = &g->refdata,
					     .config = c,
					     .clock = &g->clock,
					     .on_committed = on_committed,
					     .arg = g};
	struct hl_outbox_setup outbox = {.loop = g->loop,
					 .store = g->work_store,
					 .client = g->client,
					 .refdata = &g->refdata,
					 .config = c,
					 .clock = &g->clock};
	struct hl_opinion_setup opinion = {.loop = g->loop,
					   .store = g->work_store,
					   .refdata = &g->refdata,
					   .config = c,
					   .on_committed = on_committed,
					   .arg = g};
	struct hl_ticker_setup ticker = {.loop = g->loop,
					 .store = g->work_store,
					 .clock = &g->clock,
					 .period_us = c->poll_ms * HL_US_PER_MS,
					 .deadline_us = deadline_us,
					 .arg = g,
					 .on_pulse = on_pulse,
					 .on_refdata = on_refdata};
	struct hl_media_setup media = {.loop = g->loop,
				       .store = g->work_store,
				       .config = c,
				       .on_talk = on_talk,
				       .on_committed = on_committed,
				       .arg = g};

	struct hl_transcriber_setup transcriber = {.loop = g->loop,
						   .store = g->work_store,
						   .refdata = &g->refdata,
						   .config = c,
						   .clock = &g->clock,
						   .on_committed = on_committed,
						   .arg = g};
	struct hl_ringer_setup ringer = {.loop = g->loop, .store = g->work_store, .client = g->client, .config = c};
	struct hl_calls_setup calls = {.store = g->intake_store,
				       .refdata = &g->refdata,
				       .config = c,
				       .clock = &g->clock,
				       .on_committed = on_committed,
				       .arg = g};

	g->intake = hl_intake_new(g->loop, &g->intake_store, &intake, &hooks, &g->clock);
	g->receipts = hl_intake_new(g->loop, &g->intake_store, &receipts, &hooks, &g->clock);
	if (g->spool && !tell_again(g, &intake, &receipts, &hooks))
		return false;
	g->dialogue = hl_dialogue_new(&dialogue);
	g->outbox = hl_outbox_new(&outbox);
	g->doubts = hl_doubts_new(&outbox);
	g->opinions = hl_opinions_new(&opinion);
	g->ticker = hl_ticker_new(&ticker);
	g->keeper = media.keeper = hl_keeper_new(g->loop, "/proc/self/exe", c->media_dir);
	g->media = g->keeper ? hl_media_new(&media) : NULL;
	transcriber.intake = calls.intake = g->intake;
	g->transcriber = hl_transcriber_new(&transcriber);
	g->ringer = hl_ringer_new(&ringer);
	calls.keeper = g->keeper;
	g->calls = hl_calls_new(&calls);
	return g->intake && g->receipts && g->dialogue && g->calls && g->outbox && g->doubts && g->opinions &&
	       g->ticker && g->media && g->transcriber && g->ringer;
}

static void look_drained(void *arg);

enum hl_class hl_gateway_new(struct hl_loop *loop, const struct hl_config *config, struct gateway **out_r,
			     struct hl_error *err)
{
	struct gateway *g = calloc(1, sizeof(*g));
	enum hl_class cls = HL_OK;

	*out_r = g;
	if (!g)
		return hl_fail(err, HL_NOMEM, "out of memory");
	g->loop = loop;
	g->config = config;
	g->intake_pg = hl_pg_new(loop, config->conninfo, &greeting, CALLS_WAITING);
	g->work_pg = hl_pg_new(loop, config->conninfo, &greeting, CALLS_WAITING);
	g->records_pg = hl_pg_new(loop, config->conninfo, &greeting, CALLS_WAITING);
	g->client = hl_http_client_new(loop, config->send_concurrency);
	if (g->intake_pg && g->work_pg && g->records_pg) {
		g->records_store = hl_store_pg(g->records_pg);
		g->intake_store = hl_store_pg(g->intake_pg);
		g->work_store = hl_store_pg(g->work_pg);
	}
	if (!g->intake_pg || !g->work_pg || !g->records_pg || !g->client ||
	    !hl_timer_init(&g->hello_timer, loop, say_hello, g) ||
	    !hl_timer_init(&g->drain_timer, loop, look_drained, g))
		cls = hl_fail(err, HL_NOMEM, "out of memory");
	if (cls == HL_OK)
		cls = make_spool(g, err);
	if (cls == HL_OK && !make_flow(g))
		cls = hl_fail(err, HL_NOMEM, "out of memory");
	if (cls == HL_OK)
		cls = make_servers(g, err);
	if (cls != HL_OK) {
		hl_gateway_free(out_r);
		return cls;
	}
	/* Not connected yet is how every start looks: nothing to warn of. */
	snprintf(g->trouble, sizeof(g->trouble), "%s", database_trouble(g));
	say_hello(g);
	return HL_OK;
}

static void on_server_drained(void *arg)
{
	(void)arg; /* look_drained counts what is left */
}

static unsigned outstanding(const struct gateway *g)
{
	return hl_http_server_stats(g->server)->exchanges + hl_http_server_stats(g->admin)->exchanges +
	       hl_intake_outstanding(g->intake) + hl_intake_outstanding(g->receipts) +
	       hl_dialogue_outstanding(g->dialogue) + hl_calls_outstanding(g->calls) +
	       hl_outbox_outstanding(g->outbox) + hl_doubts_outstanding(g->doubts) +
	       hl_opinions_outstanding(g->opinions) + hl_ticker_outstanding(g->ticker) +
	       hl_media_outstanding(g->media) + hl_keeper_outstanding(g->keeper) +
	       hl_transcriber_outstanding(g->transcriber) + hl_ringer_outstanding(g->ringer) +
	       hl_spool_outstanding(g->spool) + g->n_admin_calls + g->n_uploads + g->is_greeting;
}

static void look_drained(void *arg)
{
	struct gateway *g = arg;
	unsigned left = outstanding(g);

	if (left > 0 && hl_mono_us() < g->drain_deadline_us) {
		hl_timer_start(&g->drain_timer, DRAIN_LOOK_US);
		return;
	}
	hl_log(left ? HL_WARN : HL_INFO, "gateway.drained", HL_INT("left", left));
	hl_loop_stop(g->loop);
}

void hl_gateway_drain(struct gateway *g)
{
	if (g->is_draining)
		return;
	g->is_draining = true;
	hl_log(HL_INFO, "gateway.draining", HL_INT("in_work", outstanding(g)));
	g->drain_deadline_us = hl_mono_us() + DRAIN_US;
	hl_http_server_drain(g->server, on_server_drained, g);
	hl_http_server_drain(g->admin, on_server_drained, g);
	hl_ticker_stop(g->ticker);
	hl_outbox_stop(g->outbox);
	hl_opinions_stop(g->opinions);
	hl_media_stop(g->media);
	hl_transcriber_stop(g->transcriber);
	hl_ringer_stop(g->ringer);
	hl_spool_stop(g->spool);
	hl_timer_stop(&g->hello_timer);
	look_drained(g);
}

/* After a drain that ran out of time calls may still be in flight: the links go first, so that nothing answers into
 * freed parts. */
void hl_gateway_free(struct gateway **gp)
{
	struct gateway *g = *gp;

	if (!g)
		return;
	*gp = NULL;
	hl_pg_free(&g->intake_pg);
	hl_pg_free(&g->work_pg);
	hl_pg_free(&g->records_pg);
	hl_timer_fini(&g->hello_timer);
	hl_timer_fini(&g->drain_timer);
	hl_http_server_free(&g->server);
	hl_http_server_free(&g->admin);
	hl_ringer_free(&g->ringer);
	hl_http_client_free(&g->client);
	hl_ticker_free(&g->ticker);
	hl_media_free(&g->media);
	hl_transcriber_free(&g->transcriber);
	hl_keeper_free(&g->keeper);
	hl_outbox_free(&g->outbox);
	hl_doubts_free(&g->doubts);
	hl_opinions_free(&g->opinions);
	hl_dialogue_free(&g->dialogue);
	hl_calls_free(&g->calls);
	hl_intake_free(&g->intake);
	hl_intake_free(&g->receipts);
	hl_intake_free(&g->told_intake);
	hl_intake_free(&g->told_receipts);
	hl_spool_free(&g->spool);
	hl_refdata_free(&g->refdata);
	free(g);
}
