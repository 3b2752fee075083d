/* settle.h (private to daemon/notify) - outcomes of sends on their way into the store
 *
 * An outcome is a fact: it is told again until the store has it, and telling twice changes nothing. One that the
 * store refuses for what it says is set aside, so that it keeps no other back; its lease runs out, and it is unknown.
 */
#ifndef NOTIFY_SETTLE_H
#define NOTIFY_SETTLE_H

#include "hotline/outbox.h"

struct hl_settler {
	struct hl_loop *loop;
	struct hl_store store;
	int64_t epoch, deadline_us;
	unsigned enough; /* results that are told at once; fewer wait a moment for more */
	/* may_wait_more - whether another result may come soon. */
	bool (*may_wait_more)(void *arg);
	void (*on_call)(void *arg, json_t *call); /* may add to a call */
	void (*on_settled)(void *arg);
	void *arg;
	struct hl_outbox_stats *stats;
	json_t *results, *under_way; /* waiting, and in the call */
	unsigned n_calls;
	bool is_owing; /* the store was away when we had results for it */
	bool is_calling, is_ripe;
	struct hl_post post;
	struct hl_timer again, ripen;
};

/* The caller fills the settings above n_calls. False: out of memory; hl_settler_fini is safe then. */
bool hl_settler_init(struct hl_settler *s);
void hl_settler_fini(struct hl_settler *s);
/* Takes result. */
void hl_settler_add(struct hl_settler *s, json_t *result);
unsigned hl_settler_outstanding(const struct hl_settler *s);

#endif
