/* doubts.h - asks providers what became of texts whose outcome is unknown
 *
 * Where a provider can be asked (ask and learn in its table), its word settles the outcome before the text is sent
 * again or an operator must look. What it knows comes in like a receipt; what it does not know need not be waited for.
 */
#ifndef HOTLINE_DOUBTS_H
#define HOTLINE_DOUBTS_H

#include "hotline/outbox.h"

struct hl_doubts;

/* hl_doubts_new - keeps setup's parts. NULL: out of memory. */
struct hl_doubts *hl_doubts_new(const struct hl_outbox_setup *setup);
/* hl_doubts_pulse - looks for what is to be asked, unless the last look is still under way. */
void hl_doubts_pulse(struct hl_doubts *doubts);
unsigned hl_doubts_outstanding(const struct hl_doubts *doubts);
/* hl_doubts_free - after a drain, or after the store can no longer answer. */
void hl_doubts_free(struct hl_doubts **doubts);

#endif
