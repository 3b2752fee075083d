/* clock.h - the three times of the gateway, kept apart
 *
 * monotonic  timeouts, leases, latencies: hl_mono_us
 * wall       log lines, signatures of providers: hl_wall_us
 * case time  due times, limits, calendars: the database's hl.now(), learnt from its
 *            replies (struct hl_case_clock), so that a daemon with a wrong clock, or a demo
 *            installation whose clock was moved, decides by the same time as everybody.
 * All are microseconds; wall and case time count from 1970-01-01 UTC.
 */
#ifndef HOTLINE_CLOCK_H
#define HOTLINE_CLOCK_H

#include <stdint.h>

#define HL_US_PER_S  INT64_C(1000000)
#define HL_US_PER_MS INT64_C(1000)

int64_t hl_mono_us(void);
int64_t hl_wall_us(void);

/* hl_clock_fake - tests replace both clocks; NULL restores the system's. */
void hl_clock_fake(int64_t (*mono_us)(void), int64_t (*wall_us)(void));

struct hl_case_clock {
	int64_t offset_us; /* case time = monotonic time + offset */
	int is_known;
};

/* hl_case_clock_learn - takes hl.now() as just answered by the database. */
void hl_case_clock_learn(struct hl_case_clock *clock, int64_t db_now_us);
/* hl_case_clock_now - case time; wall time until something was learnt. */
int64_t hl_case_clock_now(const struct hl_case_clock *clock);

#endif
