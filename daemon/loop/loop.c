/* loop.c - turns of one libevent base: events, then posts, then burials
 *
 * Owns the base, the posted list, the graveyard and the lag gauge. Must not know sockets,
 * the database or what a post does.
 * How lag is measured: libevent 2.1 has no hooks around its wait (2.2 will), so the instant
 * of waking is not visible. Three sound parts make the gauge: turns that do not wait are
 * timed whole; posts and burials are always timed; and while hl_loop_run runs, a heartbeat
 * timer shows how late it was served.
 * Limits: a stall of event callbacks right after a wait shows shorter than it was, by at
 * most HEARTBEAT_US. One thread; turns do not nest.
 */
#include "hotline/loop.h"

#include "hotline/clock.h"
#include "hotline/error.h"

#include <stdlib.h>

#define HEARTBEAT_US (50 * HL_US_PER_MS)
#define GRAVES_MIN   64

struct grave {
	void (*fn)(void *ptr);
	void *ptr;
};

struct hl_loop {
	struct event_base *base;
	TAILQ_HEAD(, hl_post) posts;
	struct grave *graves;
	size_t n_graves, max_graves;
	bool is_turning, is_stopped;
	int64_t lag_us, beat_due_us;
	struct hl_timer heartbeat;
};

static void note_lag(struct hl_loop *loop, int64_t work_us)
{
	if (work_us > loop->lag_us)
		loop->lag_us = work_us;
}

static void start_heartbeat(struct hl_loop *loop)
{
	loop->beat_due_us = hl_mono_us() + HEARTBEAT_US;
	hl_timer_start(&loop->heartbeat, HEARTBEAT_US);
}

static void on_heartbeat(void *arg)
{
	struct hl_loop *loop = arg;

	note_lag(loop, hl_mono_us() - loop->beat_due_us);
	start_heartbeat(loop);
}

/* Exact timers: without the cached time a deadline set late in a long turn counts from now, not from the turn's
 * beginning. */
static struct event_base *new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (!config)
		return NULL;
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NO_CACHE_TIME |
					      EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

struct hl_loop *hl_loop_new(void)
{
	struct hl_loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	TAILQ_INIT(&loop->posts);
	loop->base = new_base();
	if (!loop->base || !hl_timer_init(&loop->heartbeat, loop, on_heartbeat, loop))
		hl_loop_free(&loop);
	return loop;
}

/* A funeral may bury more; the objects it names are dead already, so they go at once. */
static void bury_dead(struct hl_loop *loop)
{
	for (size_t i = 0; i < loop->n_graves; i++) {
		struct grave grave = loop->graves[i];

		grave.fn(grave.ptr);
	}
	loop->n_graves = 0;
}

void hl_loop_free(struct hl_loop **loop_ref)
{
	struct hl_loop *loop = *loop_ref;

	if (!loop)
		return;
	hl_assert(!loop->is_turning);
	bury_dead(loop);
	hl_timer_fini(&loop->heartbeat);
	if (loop->base)
		event_base_free(loop->base);
	free(loop->graves);
	free(loop);
	*loop_ref = NULL;
}

struct event_base *hl_loop_base(struct hl_loop *loop)
{
	return loop->base;
}

/* Posts made meanwhile queue up behind the marker and so wait for the next turn. Each post leaves the list before
 * it runs, because its function may free it, post it again or take others off. */
static void run_posts(struct hl_loop *loop)
{
	struct hl_post marker = {.is_queued = true};
	struct hl_post *post;

	TAILQ_INSERT_TAIL(&loop->posts, &marker, link);
	while ((post = TAILQ_FIRST(&loop->posts)) != &marker) {
		hl_loop_unpost(loop, post);
		post->fn(post->arg);
	}
	hl_loop_unpost(loop, &marker);
}

void hl_loop_turn(struct hl_loop *loop, bool may_wait)
{
	bool waits = may_wait && TAILQ_EMPTY(&loop->posts) && loop->n_graves == 0;
	int64_t begun_us = hl_mono_us();
	int rc;

	hl_assert(!loop->is_turning);
	loop->is_turning = true;
	rc = event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY | (waits ? 0 : EVLOOP_NONBLOCK));
	/* A back end that cannot wait any more would make this loop spin without ever serving anybody. */
	hl_assert(rc >= 0);
	if (waits)
		begun_us = hl_mono_us();
	run_posts(loop);
	bury_dead(loop);
	note_lag(loop, hl_mono_us() - begun_us);
	loop->is_turning = false;
}

/* A stop that came before the run counts: the run ends before its first turn. */
void hl_loop_run(struct hl_loop *loop)
{
	start_heartbeat(loop);
	while (!loop->is_stopped)
		hl_loop_turn(loop, true);
	hl_timer_stop(&loop->heartbeat);
	loop->is_stopped = false;
}

void hl_loop_stop(struct hl_loop *loop)
{
	loop->is_stopped = true;
}

void hl_loop_post(struct hl_loop *loop, struct hl_post *post)
{
	if (post->is_queued)
		return;
	post->is_queued = true;
	TAILQ_INSERT_TAIL(&loop->posts, post, link);
}

void hl_loop_unpost(struct hl_loop *loop, struct hl_post *post)
{
	if (!post->is_queued)
		return;
	post->is_queued = false;
	TAILQ_REMOVE(&loop->posts, post, link);
}

/* There is no way to say no to a funeral: freeing now would break the law, so want of memory ends the process. */
void hl_loop_bury(struct hl_loop *loop, void (*fn)(void *ptr), void *ptr)
{
	if (loop->n_graves == loop->max_graves) {
		size_t max = loop->max_graves ? loop->max_graves * 2 : GRAVES_MIN;
		struct grave *graves = reallocarray(loop->graves, max, sizeof(*graves));

		hl_assert(graves);
		loop->graves = graves;
		loop->max_graves = max;
	}
	loop->graves[loop->n_graves++] = (struct grave){fn, ptr};
}

int64_t hl_loop_lag_us(struct hl_loop *loop, bool reset)
{
	int64_t lag_us = loop->lag_us;

	if (reset)
		loop->lag_us = 0;
	return lag_us;
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct hl_timer *timer = arg;

	(void)fd;
	(void)what;
	timer->fn(timer->arg);
}

bool hl_timer_init(struct hl_timer *timer, struct hl_loop *loop, void (*fn)(void *arg), void *arg)
{
	*timer = (struct hl_timer){.ev = evtimer_new(loop->base, on_timeout, timer), .fn = fn, .arg = arg};
	return timer->ev != NULL;
}

void hl_timer_start(struct hl_timer *timer, int64_t delay_us)
{
	int64_t us = delay_us > 0 ? delay_us : 0;
	struct timeval tv = {.tv_sec = us / HL_US_PER_S, .tv_usec = us % HL_US_PER_S};
	int rc = evtimer_add(timer->ev, &tv);

	/* A deadline that silently does not exist would break the async law. */
	hl_assert(rc == 0);
}

void hl_timer_stop(struct hl_timer *timer)
{
	evtimer_del(timer->ev);
}

void hl_timer_fini(struct hl_timer *timer)
{
	if (timer->ev)
		event_free(timer->ev);
	timer->ev = NULL;
}
