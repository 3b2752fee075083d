/* calls.h - calls of a platform through the flow: told, kept, moved, answered
 *
 * For each request two calls of the store: hl.call_look keeps what is told and gives what the flow looks at,
 * hl.call_move keeps where the flow has got to. Only then is the platform answered. Of two events decided at once the
 * second is decided again. What is recorded becomes a message through the same intake as a text.
 */
#ifndef HOTLINE_CALLS_H
#define HOTLINE_CALLS_H

#include "hotline/clock.h"
#include "hotline/config.h"
#include "hotline/http_server.h"
#include "hotline/intake.h"
#include "hotline/media.h"
#include "hotline/refdata.h"
#include "hotline/store.h"

struct hl_calls;

struct hl_calls_setup {
	struct hl_store store;
	struct hl_refdata *const *refdata; /* the current one; may be replaced between turns */
	const struct hl_config *config;
	struct hl_case_clock *clock;
	struct hl_intake *intake;
	struct hl_keeper *keeper;
	void (*on_committed)(void *arg); /* something may be due to be sent */
	void *arg;
};

struct hl_calls_stats {
	unsigned long long events, repeats, stale, failed, transcripts;
};

struct hl_calls *hl_calls_new(const struct hl_calls_setup *setup);
/* hl_calls_free - after a drain, or after the store can no longer answer. */
void hl_calls_free(struct hl_calls **calls);

/* hl_calls_take - answers a verified request to a path of /voice. takes x.
 * Errors  400 malformed, 503 not committed or no flow imported */
void hl_calls_take(struct hl_calls *calls, const struct hl_channel_config *channel, struct hl_http_exchange *x,
		   struct hl_slice subpath);

unsigned hl_calls_outstanding(const struct hl_calls *calls);
const struct hl_calls_stats *hl_calls_stats(const struct hl_calls *calls);

#endif
