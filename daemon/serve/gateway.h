/* gateway.h (private to daemon/serve) - the parts of one running gateway and who holds whom */
#ifndef SERVE_GATEWAY_H
#define SERVE_GATEWAY_H

#include "hotline/calls.h"
#include "hotline/config.h"
#include "hotline/dialogue.h"
#include "hotline/doubts.h"
#include "hotline/http_server.h"
#include "hotline/intake.h"
#include "hotline/media.h"
#include "hotline/opinion.h"
#include "hotline/outbox.h"
#include "hotline/ringer.h"
#include "hotline/spool.h"
#include "hotline/ticker.h"
#include "hotline/transcribe.h"

#define HOOK_STATUSES 6
extern const int hook_statuses[HOOK_STATUSES];

/* Webhooks that were refused. Whoever sends a flood of them must not fill the disk with log lines. */
struct hook_refusals {
	unsigned long long n[HOOK_STATUSES]; /* by hook_statuses */
	int64_t second_us;                   /* when the second began in which lines are counted */
	unsigned n_told, n_untold;
};

struct gateway {
	struct hl_loop *loop;
	const struct hl_config *config;
	/* Two connections: a webhook's commit never waits behind a look at the outbox. */
	struct hl_pg *intake_pg, *work_pg;
	struct hl_pg *records_pg; /* what operators read for minutes: no dispatch waits behind it */
	struct hl_spool *spool; /* NULL: none is configured */
	struct hl_intake *told_intake, *told_receipts; /* what the spool tells again */
	struct hl_store intake_store, work_store, records_store; /* intake_store: the spool's, when there is one */
	struct hl_case_clock clock;
	struct hl_refdata *refdata;
	int64_t refdata_version;
	struct hl_intake *intake, *receipts;
	struct hl_dialogue *dialogue;
	struct hl_calls *calls;
	struct hl_transcriber *transcriber;
	struct hl_ringer *ringer;
	struct hl_http_client *client;
	struct hl_outbox *outbox;
	struct hl_doubts *doubts;
	struct hl_opinions *opinions;
	struct hl_ticker *ticker;
	struct hl_keeper *keeper;
	struct hl_media *media;
	struct hl_http_server *server, *admin;
	struct hook_refusals refusals;
	struct hl_timer hello_timer, drain_timer;
	bool is_greeting, is_draining, was_started;
	int64_t drain_deadline_us;
	unsigned n_admin_calls, n_uploads;
	int warned_year; /* whose missing holidays were told of, 0: none is missing */
	char trouble[200]; /* why it is not ready, "" when it is */
};

/* /hook/NAME...: verify, parse, intake, answer once committed. */
void webhook_handle(struct gateway *g, struct hl_http_exchange *x);
/* /sink/loopback: the phone network of the loopback provider. */
void sink_handle(struct gateway *g, struct hl_http_exchange *x);
/* /metrics for Prometheus. */
void metrics_handle(struct gateway *g, struct hl_http_exchange *x);
/* /u/TOKEN: photos by a page. Whether a request may bring them, and how long it may be. */
void upload_handle(struct gateway *g, struct hl_http_exchange *x);
bool upload_has_large_body(const struct hl_http_request *req);
size_t upload_body_bytes(void);
/* The file that hl.media_file named, as {"type", "base64"}. */
void media_file_answer(struct gateway *g, struct hl_http_exchange *x, struct hl_slice json);
/* The admin socket: POST /admin/VERB with JSON. */
void admin_handle(void *ctx, struct hl_http_exchange *x);
/* The address a request came from: X-Forwarded-For only from trusted proxies. Lives in the request's arena. */
struct hl_slice client_address(const struct hl_config *config, struct hl_http_request *req);
/* Whether that address is on a list; an empty list allows any. */
bool is_allowed(const struct hl_config *config, struct hl_http_request *req, char *const *list, size_t n);

/* The year whose holidays should be known by now and are not, 0: none. */
int calendar_missing_year(const struct gateway *g);
/* Says so, once. */
void calendar_watch(struct gateway *g);

#endif
