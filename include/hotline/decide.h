/* decide.h - what the gateway does about a text whose meaning depends on a dialogue; pure
 *
 * Takes the context hl.talk_context gives for one pending message and the words in it,
 * gives the act hl.act takes. No clock, no I/O: the same context always leads to the same act.
 */
#ifndef HOTLINE_DECIDE_H
#define HOTLINE_DECIDE_H

#include "hotline/refdata.h"

/* hl_decide - Takes: ctx one element of hl.talk_context; is_trusted: the channel vouches for sender numbers.
 * Gives   an act for hl.act without "i" (the caller owns it), NULL when memory is out.
 * Calls   pure */
json_t *hl_decide(const struct hl_refdata *ref, const json_t *ctx, bool is_trusted, struct hl_arena *arena,
		  int64_t now_us);

#endif
