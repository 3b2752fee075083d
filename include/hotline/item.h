/* item.h - what words alone decide about an inbound text; pure
 *
 * A provider's message becomes the row hl.intake takes, a dialogue's text the part of it
 * that opens a case. What depends on the database's state (repeat, role, open cases) is left to it.
 */
#ifndef HOTLINE_ITEM_H
#define HOTLINE_ITEM_H

#include "hotline/provider.h"
#include "hotline/refdata.h"

/* hl_intake_item - Takes: channel name, the inbound as parsed, calling code, case time. arena: scratch.
 * Gives   JSON object for hl.intake_item without "i" (the caller owns it), NULL when memory is out.
 * Calls   pure. Cost O(text) */
json_t *hl_intake_item(const struct hl_refdata *ref, const char *channel, const char *country,
		       const struct hl_inbound *in, struct hl_arena *arena, int64_t now_us);

/* hl_intake_report - the item's decided part for a text that opens a case later (talk): type, urgency, place, tasks,
 * ... Gives   JSON object (the caller owns it), NULL when memory is out. */
json_t *hl_intake_report(const struct hl_refdata *ref, struct hl_slice text, struct hl_arena *arena, int64_t now_us);

/* What was heard in a recording. */
struct hl_heard {
	int64_t recording;
	struct hl_slice phone; /* E.164, or empty: withheld */
	struct hl_slice text;  /* UTF-8 */
	bool is_emergency;     /* the caller pressed the key for it */
	bool is_doubtful;      /* whoever wrote it down is not sure: an operator decides, unless it presses */
};

/* hl_intake_heard - a transcript as the item of a text whose id is rec:<recording>.
 * Gives   JSON object (the caller owns it), NULL when memory is out. */
json_t *hl_intake_heard(const struct hl_refdata *ref, const char *channel, const char *country,
			const struct hl_heard *heard, struct hl_arena *arena, int64_t now_us);

/* hl_intake_receipt - Takes: channel name, the delivery receipt as parsed.
 * Gives   JSON object for hl.receipts without "i" (the caller owns it), NULL when memory is out. */
json_t *hl_intake_receipt(const char *channel, const struct hl_receipt *receipt);

#endif
