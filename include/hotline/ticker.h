/* ticker.h - the pulse of a daemon: due rungs, waiting notices, orphaned messages
 *
 * Polling is the truth. One call a pulse fires what fell due (cost O(due)); the answer
 * carries case time and the version of the reference data.
 */
#ifndef HOTLINE_TICKER_H
#define HOTLINE_TICKER_H

#include "hotline/clock.h"
#include "hotline/store.h"

struct hl_ticker;

struct hl_ticker_setup {
	struct hl_loop *loop;
	struct hl_store store;
	struct hl_case_clock *clock;
	int64_t period_us, deadline_us;
	void *arg;
	void (*on_pulse)(void *arg);                    /* after every pulse that reached the database */
	void (*on_refdata)(void *arg, int64_t version); /* version of the newest document, every pulse */
};

struct hl_ticker_stats {
	unsigned long long pulses, fired, failures;
};

struct hl_ticker *hl_ticker_new(const struct hl_ticker_setup *setup);
void hl_ticker_start(struct hl_ticker *ticker);
void hl_ticker_stop(struct hl_ticker *ticker);
/* hl_ticker_pulse - now, not at the next period (a demo clock was moved). */
void hl_ticker_pulse(struct hl_ticker *ticker);
unsigned hl_ticker_outstanding(const struct hl_ticker *ticker);
const struct hl_ticker_stats *hl_ticker_stats(const struct hl_ticker *ticker);
void hl_ticker_free(struct hl_ticker **ticker);

#endif
