/* loop.h - the one event loop of a process, and the async law it enforces
 *
 * x_submit(x, &req, done, arg): done runs exactly once, never inside submit,
 * never after cancel, always with a deadline. Completions are posted here and run
 * at one fixed point of the turn; objects that die in a turn are buried at its end.
 * Owns the libevent base, the posted list and the graveyard. One per process, one thread.
 */
#ifndef HOTLINE_LOOP_H
#define HOTLINE_LOOP_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct hl_loop;

/* hl_post - embedded in an object that wants to run later in this turn (or the next). Zero it before first use. */
struct hl_post {
	void (*fn)(void *arg);
	void *arg;
	bool is_queued;
	TAILQ_ENTRY(hl_post) link;
};

/* hl_loop_new - gives a loop, or NULL when libevent has no back end or memory is out. */
struct hl_loop *hl_loop_new(void);
/* hl_loop_free - buries what is left and frees; *loop becomes NULL. */
void hl_loop_free(struct hl_loop **loop);
struct event_base *hl_loop_base(struct hl_loop *loop);

/* hl_loop_run - turns until hl_loop_stop; the turn that stops it is finished. A stop that came before counts. */
void hl_loop_run(struct hl_loop *loop);
void hl_loop_stop(struct hl_loop *loop);
/* hl_loop_turn - one turn; may_wait: block until something happens. For tests and for hl_loop_run. */
void hl_loop_turn(struct hl_loop *loop, bool may_wait);

/* hl_loop_post - runs post->fn(post->arg) at the fixed point after this turn's events.
 * A post made while posts run waits for the next turn. Posting a queued post again does nothing. keeps post until it
 * ran. */
void hl_loop_post(struct hl_loop *loop, struct hl_post *post);
/* hl_loop_unpost - the post will not run. */
void hl_loop_unpost(struct hl_loop *loop, struct hl_post *post);

/* hl_loop_bury - fn(ptr) at the end of the turn, when no event can name ptr any more. takes ptr.
 * Errors  none: want of memory stops the process */
void hl_loop_bury(struct hl_loop *loop, void (*fn)(void *ptr), void *ptr);

/* hl_loop_lag_us - longest time one turn spent working since the last call that reset it. A stall of event callbacks
 * behind a wait is seen by a heartbeat of hl_loop_run and shows up to 50 ms shorter (loop.c says why). */
int64_t hl_loop_lag_us(struct hl_loop *loop, bool reset);

/* hl_timer - a restartable one-shot timer. */
struct hl_timer {
	struct event *ev;
	void (*fn)(void *arg);
	void *arg;
};
/* hl_timer_init - false when memory is out. */
bool hl_timer_init(struct hl_timer *timer, struct hl_loop *loop, void (*fn)(void *arg), void *arg);
void hl_timer_start(struct hl_timer *timer, int64_t delay_us);
void hl_timer_stop(struct hl_timer *timer);
void hl_timer_fini(struct hl_timer *timer);

#endif
