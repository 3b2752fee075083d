/* dialogue.h - pending messages -> decide -> hl.act
 *
 * Does what hl_decide says: one pipelined call per message, so that an act the
 * database refuses takes no other down. An act that came too late (somebody signed first) is decided again with fresh
 * context, a bounded number of times. Messages whose process died are claimed by a sweep.
 */
#ifndef HOTLINE_DIALOGUE_H
#define HOTLINE_DIALOGUE_H

#include "hotline/clock.h"
#include "hotline/config.h"
#include "hotline/refdata.h"
#include "hotline/store.h"

struct hl_dialogue;

struct hl_dialogue_setup {
	struct hl_loop *loop;
	struct hl_store store;
	struct hl_refdata *const *refdata; /* the current one; may be replaced between turns */
	const struct hl_config *config;
	struct hl_case_clock *clock;
	void (*on_committed)(void *arg);
	void *arg;
};

struct hl_dialogue *hl_dialogue_new(const struct hl_dialogue_setup *setup);
/* hl_dialogue_free - after a drain, or after the store can no longer answer. */
void hl_dialogue_free(struct hl_dialogue **dialogue);
/* hl_dialogue_take - contexts as hl.talk_context gives them. borrows. */
void hl_dialogue_take(struct hl_dialogue *dialogue, const json_t *contexts);
/* hl_dialogue_sweep - claims messages that no living process works on. Called on a timer. */
void hl_dialogue_sweep(struct hl_dialogue *dialogue);
unsigned hl_dialogue_outstanding(const struct hl_dialogue *dialogue);

#endif
