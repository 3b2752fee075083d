/* intake.h - the batcher: inbound texts and receipts on their way to durability
 *
 * All items waiting at a loop turn go in ONE call; a data error is bisected until the bad
 * one stands alone and is quarantined, the others are committed and answered normally.
 * What an item says is item.h's.
 */
#ifndef HOTLINE_INTAKE_H
#define HOTLINE_INTAKE_H

#include "hotline/clock.h"
#include "hotline/histogram.h"
#include "hotline/loop.h"
#include "hotline/store.h"

struct hl_intake;

struct hl_intake_options {
	const char *function; /* "intake" for messages, "receipts" for delivery receipts */
	unsigned batch_max;   /* items in one call */
	unsigned waiting_max; /* items waiting; beyond: HL_RETRY at once */
	int64_t deadline_us;
};

/* cls HL_OK: committed, message is its id (0 when it was quarantined); HL_RETRY: not committed for sure or unknown, the
 * provider may repeat. */
struct hl_intake_result {
	enum hl_class cls;
	int64_t message;
};
typedef void hl_intake_done(void *arg, const struct hl_intake_result *result);

struct hl_intake_hooks {
	void *arg;
	/* on_talk - contexts of messages whose meaning depends on a dialogue: a JSON array, borrowed. */
	void (*on_talk)(void *arg, const json_t *contexts);
	/* on_committed - something may be due to be sent. */
	void (*on_committed)(void *arg);
};

struct hl_intake_stats {
	unsigned long long batches, items, repeats, quarantined, bisections, failed;
	struct hl_histogram batch_size, latency_s;
};

struct hl_intake *hl_intake_new(struct hl_loop *loop, const struct hl_store *store,
				const struct hl_intake_options *options, const struct hl_intake_hooks *hooks,
				struct hl_case_clock *clock);
/* hl_intake_free - after a drain, or after the store can no longer answer: what is left then is never answered. */
void hl_intake_free(struct hl_intake **intake);

/* hl_intake_submit - queues one item. takes item: an object with the texts channel and ext, by which it is kept when it
 * is set aside. Calls   done exactly once, at a fixed point of a later turn. Errors  HL_RETRY through done when full;
 * HL_NOMEM directly (done does not run) */
enum hl_class hl_intake_submit(struct hl_intake *intake, json_t *item, hl_intake_done *done, void *arg);
unsigned hl_intake_outstanding(const struct hl_intake *intake);
const struct hl_intake_stats *hl_intake_stats(const struct hl_intake *intake);

#endif
