/* clock.c - monotonic, wall and case time; the only file that asks the system for the time
 *
 * Owns the two replaceable clock functions (process-wide, for tests).
 * Must not know calendars or time zones.
 * Limits: case time runs with the monotonic clock between two answers of the database.
 */
#include "hotline/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	/* Cannot fail: both ids exist on every Linux and ts is ours. */
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * HL_US_PER_S + ts.tv_nsec / 1000;
}

static int64_t system_mono_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static int64_t system_wall_us(void)
{
	return read_clock(CLOCK_REALTIME);
}

static int64_t (*mono)(void) = system_mono_us;
static int64_t (*wall)(void) = system_wall_us;

int64_t hl_mono_us(void)
{
	return mono();
}

int64_t hl_wall_us(void)
{
	return wall();
}

void hl_clock_fake(int64_t (*mono_us)(void), int64_t (*wall_us)(void))
{
	mono = mono_us ? mono_us : system_mono_us;
	wall = wall_us ? wall_us : system_wall_us;
}

void hl_case_clock_learn(struct hl_case_clock *clock, int64_t db_now_us)
{
	clock->offset_us = db_now_us - hl_mono_us();
	clock->is_known = 1;
}

int64_t hl_case_clock_now(const struct hl_case_clock *clock)
{
	return clock->is_known ? hl_mono_us() + clock->offset_us : hl_wall_us();
}
