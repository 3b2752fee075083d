/* outbox.h - notices from the database to providers
 *
 * lease (attempt rows committed) -> render -> build -> POST -> interpret -> settle, in
 * batches, with a bounded number of requests on their way. A lease lasts at least three
 * send deadlines; a result that comes later is recorded and changes nothing.
 */
#ifndef HOTLINE_OUTBOX_H
#define HOTLINE_OUTBOX_H

#include "hotline/clock.h"
#include "hotline/config.h"
#include "hotline/http_client.h"
#include "hotline/refdata.h"
#include "hotline/store.h"

struct hl_outbox;

struct hl_outbox_setup {
	struct hl_loop *loop;
	struct hl_store store;
	struct hl_http_client *client;
	struct hl_refdata *const *refdata;
	const struct hl_config *config;
	struct hl_case_clock *clock;
};

struct hl_outbox_stats {
	unsigned long long leased, resent, accepted, later, refused, config, unknown, not_sent, settle_failures, quarantined;
};

struct hl_outbox *hl_outbox_new(const struct hl_outbox_setup *setup);
/* hl_outbox_start - epoch: from hl.hello, unique per session of a daemon. */
void hl_outbox_start(struct hl_outbox *outbox, int64_t epoch);
/* hl_outbox_kick - something may be due: lease at the end of this turn. */
void hl_outbox_kick(struct hl_outbox *outbox);
/* hl_outbox_sweep - gives up leases that ran out and sends again what is still unknown, in a call of its own: a row that
 * cannot be given up keeps nothing else from being sent. */
void hl_outbox_sweep(struct hl_outbox *outbox);
/* hl_outbox_stop - leases nothing any more; what is on its way is settled. */
void hl_outbox_stop(struct hl_outbox *outbox);
unsigned hl_outbox_outstanding(const struct hl_outbox *outbox);
const struct hl_outbox_stats *hl_outbox_stats(const struct hl_outbox *outbox);
/* hl_outbox_channels - how each channel fares: [{name, provider, purpose, health, breaker, sent, ...}]. gives. */
json_t *hl_outbox_channels(const struct hl_outbox *outbox);
/* hl_outbox_free - after a drain, or after the store can no longer answer; requests on their way are cancelled. */
void hl_outbox_free(struct hl_outbox **outbox);

/* hl_notice_params - the parameters of a leased notice for a provider's template; pure.
 * Gives   one per parameter of ref_template, in its order, in the arena.
 * Errors  HL_CONFIG: our text has no such parameter; HL_REFUSED: a value is longer than the provider takes */
enum hl_class hl_notice_params(const struct hl_refdata *ref, const json_t *notice,
			       const struct hl_template_ref *ref_template, struct hl_arena *arena,
			       struct hl_param **out_r, struct hl_error *err);

/* hl_notice_text - the text of a leased notice: signature, resend mark, template, words; pure.
 * Takes   notice: {template, params, lang, resend}; signature: without 【】, "" when the provider writes it.
 * Errors  HL_CONFIG: no such template; HL_BUG: a parameter is missing */
enum hl_class hl_notice_text(const struct hl_refdata *ref, const json_t *notice, const char *signature,
			     struct hl_buf *out, struct hl_error *err);

#endif
