/* metrics.c - /metrics in Prometheus' text format, version 0.0.4
 *
 * Counters of this process are always there; what only the database knows (queues,
 * oldest due notice, open cases) is asked for at the scrape and left out, with
 * hotlined_database_up 0, when it does not answer. No number of a person in any label.
 * There is no spool, so nothing is said of one.
 * Source: prometheus.io/docs/instrumenting/exposition_formats
 */
#include "gateway.h"

#include "hotline/log.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_MAX_BYTES (256u << 10)

struct scrape {
	struct gateway *gateway;
	struct hl_http_exchange *x;
};

static void put_head(struct hl_buf *out, const char *name, const char *type, const char *help)
{
	hl_buf_printf(out, "# HELP hotlined_%s %s\n# TYPE hotlined_%s %s\n", name, help, name, type);
}

static void put_one(struct hl_buf *out, const char *name, const char *type, const char *help, double value)
{
	put_head(out, name, type, help);
	hl_buf_printf(out, "hotlined_%s %.15g\n", name, value);
}

static void put_histogram(struct hl_buf *out, const char *name, const char *help, const struct hl_histogram *h)
{
	unsigned long long below = 0;

	put_head(out, name, "histogram", help);
	for (size_t i = 0; i < h->n; i++) {
		below += h->counts[i];
		hl_buf_printf(out, "hotlined_%s_bucket{le=\"%g\"} %llu\n", name, h->bounds[i], below);
	}
	hl_buf_printf(out, "hotlined_%s_bucket{le=\"+Inf\"} %llu\nhotlined_%s_sum %.9g\nhotlined_%s_count %llu\n", name,
		      h->total, name, h->sum, name, h->total);
}

static void put_intake(struct hl_buf *out, const struct gateway *g)
{
	const struct hl_intake_stats *in = hl_intake_stats(g->intake), *rc = hl_intake_stats(g->receipts);

	put_one(out, "messages_total", "counter", "Messages committed, repeats included.", (double)in->items);
	put_one(out, "message_repeats_total", "counter", "Messages a provider sent again.", (double)in->repeats);
	put_one(out, "messages_quarantined_total", "counter", "Messages the database refused, kept aside whole.",
		(double)in->quarantined);
	put_one(out, "messages_failed_total", "counter", "Messages answered 503 because they were not committed.",
		(double)in->failed);
	put_one(out, "intake_bisections_total", "counter", "Batches split to find a bad message.",
		(double)in->bisections);
	put_one(out, "intake_waiting", "gauge", "Messages between the request and the commit.",
		(double)hl_intake_outstanding(g->intake));
	put_histogram(out, "intake_batch_size", "Messages stored by one call.", &in->batch_size);
	put_histogram(out, "intake_seconds", "From sending a batch to its commit.", &in->latency_s);
	put_one(out, "receipts_total", "counter", "Delivery receipts committed.", (double)rc->items);
}

static void put_spool(struct hl_buf *out, const struct gateway *g)
{
	const struct hl_spool_stats s = g->spool ? hl_spool_stats(g->spool) : (struct hl_spool_stats){0};

	put_one(out, "spool_waiting", "gauge",
		"Messages and receipts taken while the database was down, not told again yet.", (double)s.waiting);
	put_one(out, "spool_bytes", "gauge", "Size of the spool.", (double)s.bytes);
	put_one(out, "spool_taken_total", "counter", "Messages and receipts synced to the spool.", (double)s.taken);
	put_one(out, "spool_told_total", "counter", "Messages and receipts told again from the spool.", (double)s.told);
	put_one(out, "spool_refused_total", "counter", "Messages and receipts the spool could not take.",
		(double)s.refused);
	put_one(out, "spool_damaged_total", "counter", "Lines of the spool that were not what was written.",
		(double)s.damaged);
}

static void put_outbox(struct hl_buf *out, const struct gateway *g)
{
	const struct hl_outbox_stats *ob = hl_outbox_stats(g->outbox);
	const struct {
		const char *outcome;
		unsigned long long n;
	} outcomes[] = {{"accepted", ob->accepted}, {"later", ob->later},     {"refused", ob->refused},
			{"config", ob->config},     {"unknown", ob->unknown}, {"not_sent", ob->not_sent}};

	put_head(out, "sends_total", "counter", "Requests to providers by outcome.");
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		hl_buf_printf(out, "hotlined_sends_total{outcome=\"%s\"} %llu\n", outcomes[i].outcome, outcomes[i].n);
	put_one(out, "leases_total", "counter", "Notices leased by this process.", (double)ob->leased);
	put_one(out, "resends_total", "counter",
		"Notices leased to be sent once more, since their outcome was unknown.", (double)ob->resent);
	put_one(out, "settle_failures_total", "counter", "Results that had to be told to the database again.",
		(double)ob->settle_failures);
	put_one(out, "outcomes_quarantined_total", "counter",
		"Results that the database refused and that were set aside.", (double)ob->quarantined);
	put_one(out, "sends_in_flight", "gauge", "Requests to providers on their way.",
		(double)hl_http_client_in_flight(g->client));
}

static void put_calls(struct hl_buf *out, const struct gateway *g)
{
	const struct hl_calls_stats *calls = hl_calls_stats(g->calls);

	put_one(out, "call_events_total", "counter", "What platforms told of calls.", (double)calls->events);
	put_one(out, "call_repeats_total", "counter",
		"Call events that changed nothing: repeated, late, or not awaited.", (double)calls->repeats);
	put_one(out, "call_failures_total", "counter", "Call events not answered with 200.", (double)calls->failed);
	put_one(out, "call_transcripts_total", "counter", "Transcripts taken in.", (double)calls->transcripts);
}

static void put_hooks(struct hl_buf *out, const struct gateway *g)
{
	put_head(out, "hooks_refused_total", "counter", "Webhooks refused, by the status they were answered with.");
	for (size_t i = 0; i < HOOK_STATUSES; i++)
		hl_buf_printf(out, "hotlined_hooks_refused_total{status=\"%d\"} %llu\n", hook_statuses[i],
			      g->refusals.n[i]);
}

static void put_server(struct hl_buf *out, const struct gateway *g)
{
	const struct hl_http_stats *s = hl_http_server_stats(g->server);

	put_one(out, "http_connections_total", "counter", "Connections accepted.", (double)s->accepted);
	put_one(out, "http_requests_total", "counter", "Complete requests.", (double)s->requests);
	put_one(out, "http_rejected_total", "counter", "Requests refused by the parser or a cap.", (double)s->rejected);
	put_one(out, "http_timeouts_total", "counter", "Connections that missed a deadline.", (double)s->timeouts);
	put_one(out, "http_connections", "gauge", "Open connections.", (double)s->connections);
	put_one(out, "http_exchanges", "gauge", "Requests in work.", (double)s->exchanges);
}

static void put_refdata(struct hl_buf *out, const struct hl_refdata *ref)
{
	put_one(out, "model_bytes", "gauge", "Memory of the classifier: rules and learned model.",
		ref ? (double)hl_classifier_bytes(ref->classifier) : 0);
	put_one(out, "gazetteer_bytes", "gauge", "Memory of the compounds and their names.",
		ref ? (double)hl_gazetteer_bytes(ref->gazetteer) : 0);
}

static void put_process(struct hl_buf *out, const struct gateway *g)
{
	const struct hl_ticker_stats *t = hl_ticker_stats(g->ticker);

	put_head(out, "build_info", "gauge", "Version of this binary.");
	hl_buf_add_str(out, "hotlined_build_info{version=\"0.1\"} 1\n");
	put_one(out, "loop_lag_seconds", "gauge", "Longest turn of the loop since the last scrape.",
		(double)hl_loop_lag_us(g->loop, true) / 1e6);
	put_one(out, "pulses_total", "counter", "Looks for due rungs.", (double)t->pulses);
	put_one(out, "pulse_failures_total", "counter", "Looks that did not reach the database.", (double)t->failures);
	put_one(out, "rungs_fired_total", "counter", "Ladders whose rung fell due.", (double)t->fired);
	put_one(out, "log_dropped_total", "counter", "Log lines over the rate cap.", (double)hl_log_dropped());
	put_one(out, "ready", "gauge", "1 when webhooks are served.", g->refdata && !g->trouble[0] && !g->is_draining);
	put_one(out, "calendar_year_missing", "gauge",
		"1 when holidays that should be known by now are not in the calendar.", calendar_missing_year(g) != 0);
	put_one(out, "database_calls_waiting", "gauge", "Calls queued or sent to the database.",
		(double)(hl_pg_outstanding(g->intake_pg) + hl_pg_outstanding(g->work_pg)));
}

/* rows: [{"name", "help", "samples": [{"labels": "{...}" or "", "value": n}]}], made by hl.metrics. */
static void put_database(struct hl_buf *out, const json_t *rows)
{
	const json_t *row, *sample;
	size_t i, k;

	json_array_foreach (rows, i, row) {
		const char *name = json_string_value(json_object_get(row, "name"));

		put_head(out, name, "gauge", json_string_value(json_object_get(row, "help")));
		json_array_foreach (json_object_get(row, "samples"), k, sample)
			hl_buf_printf(out, "hotlined_%s%s %.15g\n", name,
				      json_string_value(json_object_get(sample, "labels")),
				      json_number_value(json_object_get(sample, "value")));
	}
}

static void reply(struct gateway *g, struct hl_http_exchange *x, const json_t *rows)
{
	struct hl_buf out;

	hl_buf_init(&out, PAGE_MAX_BYTES);
	put_process(&out, g);
	put_refdata(&out, g->refdata);
	put_intake(&out, g);
	put_spool(&out, g);
	put_outbox(&out, g);
	put_calls(&out, g);
	put_hooks(&out, g);
	put_server(&out, g);
	put_one(&out, "database_up", "gauge", "1 when the database answered this scrape.", rows != NULL);
	put_database(&out, rows);
	hl_http_reply(x, 200, "text/plain; version=0.0.4; charset=utf-8", hl_buf_slice(&out));
	hl_buf_fini(&out);
}

static void on_asked(void *arg, const struct hl_pg_result *r)
{
	struct scrape *s = arg;
	json_t *answer = r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL;

	s->gateway->n_admin_calls--;
	reply(s->gateway, s->x, json_object_get(answer, "rows"));
	json_decref(answer);
	free(s);
}

void metrics_handle(struct gateway *g, struct hl_http_exchange *x)
{
	struct scrape *s = g->work_store.is_ready(g->work_store.ctx) ? calloc(1, sizeof(*s)) : NULL;

	if (s) {
		*s = (struct scrape){.gateway = g, .x = x};
		if (hl_store_submit_json(&g->work_store, "metrics", json_object(), HL_PG_IDEMPOTENT,
					 g->config->db_deadline_ms * HL_US_PER_MS, on_asked, s) == HL_OK) {
			g->n_admin_calls++;
			return;
		}
		free(s);
	}
	reply(g, x, NULL);
}
