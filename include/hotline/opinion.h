/* opinion.h - a second opinion on a case in review, from a chat endpoint of the OpenAI kind; off by default
 *
 * Cases the classifier was not sure of are asked about, masked (mask.h), with a strict JSON schema whose case types are
 * those of the duty table. The answer is advice that stands in the review queue; with `accept = agree` a type that is
 * one of the classifier's first two dispatches the case. Nothing waits for it: intake knows nothing of it, and the
 * operator's limit runs either way. What is asked is a row (hl.opinion), so a crash loses nothing: it is asked again,
 * once.
 */
#ifndef HOTLINE_OPINION_H
#define HOTLINE_OPINION_H

#include "hotline/clock.h"
#include "hotline/config.h"
#include "hotline/loop.h"
#include "hotline/refdata.h"
#include "hotline/store.h"

struct hl_opinions;

struct hl_opinion_setup {
	struct hl_loop *loop;
	struct hl_store store;
	struct hl_refdata **refdata; /* the current one; NULL behind it while there is none */
	const struct hl_config *config;
	void (*on_committed)(void *arg); /* something may be due */
	void *arg;
};

/* hl_opinions_new - keeps setup's parts. NULL: out of memory. */
struct hl_opinions *hl_opinions_new(const struct hl_opinion_setup *setup);
/* hl_opinions_pulse - looks for cases to ask about, unless the last look is under way or enough is asked. */
void hl_opinions_pulse(struct hl_opinions *opinions);
/* hl_opinions_stop - asks no more; what is on its way may end. */
void hl_opinions_stop(struct hl_opinions *opinions);
unsigned hl_opinions_outstanding(const struct hl_opinions *opinions);
/* hl_opinions_free - after a drain, or after the store can no longer answer. */
void hl_opinions_free(struct hl_opinions **opinions);

#endif
