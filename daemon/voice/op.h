/* op.h (private to daemon/voice) - one request of a platform on its way through the store and the flow */
#ifndef VOICE_OP_H
#define VOICE_OP_H

#include "hotline/calls.h"
#include "hotline/voice.h"

struct hl_calls {
	struct hl_calls_setup setup;
	struct hl_calls_stats stats;
	unsigned n_outstanding;
};

/* One request on its way. Everything it needs lives in the request's arena. */
struct op {
	struct hl_calls *calls;
	struct hl_http_exchange *x;
	struct hl_arena *arena;
	const struct hl_channel_config *channel;
	const struct hl_dialect *dialect;
	struct hl_call_event event;
	struct hl_slice phone; /* E.164, or empty */
	json_t *look, *kept;   /* kept: file of a recording that was pushed */
	struct hl_call_state state;
	struct hl_flow_move move;
	unsigned n_moves;
};

/* op_look_args - what hl.call_look is told: the call, what happened, what was recorded. gives.
 * Takes   listen_us: by when somebody must have listened to what is recorded */
json_t *op_look_args(const struct op *op, int64_t listen_us);

#endif
