/* test_loop.c - the async law: order of a turn, posts, burials, timers, stopping, lag */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hotline/clock.h"
#include "hotline/loop.h"

#include <stdlib.h>
#include <string.h>

static int new_loop(void **state)
{
	*state = hl_loop_new();
	return *state ? 0 : -1;
}

static int free_loop(void **state)
{
	struct hl_loop *loop = *state;

	hl_loop_free(&loop);
	assert_null(loop);
	return 0;
}

/* What ran, in order, one letter each. */
static char ran[64];

static void note(char c)
{
	size_t len = strlen(ran);

	assert_in_range(len, 0, sizeof(ran) - 2);
	ran[len] = c;
	ran[len + 1] = '\0';
}

static void expect_ran(const char *want)
{
	assert_string_equal(ran, want);
	memset(ran, 0, sizeof(ran));
}

static void run_letter(void *arg)
{
	note(*(const char *)arg);
}

static char letters[][2] = {"a", "b", "c", "d"};

static struct hl_post letter_post(int i)
{
	return (struct hl_post){.fn = run_letter, .arg = letters[i]};
}

static void posts_run_in_order_and_never_inside_post(void **state)
{
	struct hl_loop *loop = *state;
	struct hl_post a = letter_post(0), b = letter_post(1);

	hl_loop_post(loop, &a);
	hl_loop_post(loop, &b);
	hl_loop_post(loop, &a);
	expect_ran("");
	hl_loop_turn(loop, true);
	expect_ran("ab");
	assert_false(a.is_queued);
	hl_loop_turn(loop, false);
	expect_ran("");
	hl_loop_post(loop, &a);
	hl_loop_turn(loop, true);
	expect_ran("a");
}

static void an_unposted_post_does_not_run(void **state)
{
	struct hl_loop *loop = *state;
	struct hl_post a = letter_post(0), b = letter_post(1), c = letter_post(2);

	hl_loop_unpost(loop, &a);
	hl_loop_post(loop, &a);
	hl_loop_post(loop, &b);
	hl_loop_post(loop, &c);
	hl_loop_unpost(loop, &c);
	hl_loop_unpost(loop, &a);
	hl_loop_turn(loop, false);
	expect_ran("b");
	hl_loop_turn(loop, false);
	expect_ran("");
}

struct chain {
	struct hl_loop *loop;
	struct hl_post post, *other;
	char letter;
};

static void post_other(void *arg)
{
	struct chain *chain = arg;

	note(chain->letter);
	hl_loop_post(chain->loop, chain->other);
}

static void a_post_made_by_a_post_waits_for_the_next_turn(void **state)
{
	struct hl_loop *loop = *state;
	struct hl_post b = letter_post(1);
	struct chain first = {.loop = loop, .post = {.fn = post_other, .arg = &first}, .other = &b, .letter = '1'};
	struct chain self = {
		.loop = loop, .post = {.fn = post_other, .arg = &self}, .other = &self.post, .letter = '2'};

	hl_loop_post(loop, &first.post);
	hl_loop_post(loop, &self.post);
	hl_loop_turn(loop, true);
	expect_ran("12");
	hl_loop_turn(loop, true);
	expect_ran("b2");
	hl_loop_unpost(loop, &self.post);
}

static void unpost_other(void *arg)
{
	struct chain *chain = arg;

	note(chain->letter);
	hl_loop_unpost(chain->loop, chain->other);
}

static void a_post_may_take_another_off(void **state)
{
	struct hl_loop *loop = *state;
	struct hl_post b = letter_post(1), c = letter_post(2);
	struct chain first = {.loop = loop, .post = {.fn = unpost_other, .arg = &first}, .other = &b, .letter = '1'};

	hl_loop_post(loop, &first.post);
	hl_loop_post(loop, &c);
	hl_loop_post(loop, &b);
	hl_loop_turn(loop, true);
	expect_ran("1c");
}

static void note_and_free(void *arg)
{
	note('f');
	free(arg);
}

static void a_post_may_free_itself(void **state)
{
	struct hl_post *post = calloc(1, sizeof(*post));

	assert_non_null(post);
	*post = (struct hl_post){.fn = note_and_free, .arg = post};
	hl_loop_post(*state, post);
	hl_loop_turn(*state, true);
	expect_ran("f");
}

static void bury_letter(void *ptr)
{
	note(*(const char *)ptr);
}

static void bury_d(void *arg)
{
	note('t');
	hl_loop_bury(arg, bury_letter, letters[3]);
}

static void a_turn_is_events_then_posts_then_burials(void **state)
{
	struct hl_loop *loop = *state;
	struct hl_post a = letter_post(0);
	struct hl_timer timer;

	assert_true(hl_timer_init(&timer, loop, bury_d, loop));
	hl_loop_bury(loop, bury_letter, letters[2]);
	hl_loop_post(loop, &a);
	event_active(timer.ev, EV_TIMEOUT, 0);
	expect_ran("");
	hl_loop_turn(loop, true);
	expect_ran("tacd");
	hl_timer_fini(&timer);
}

static void bury_another(void *ptr)
{
	note('1');
	hl_loop_bury(ptr, bury_letter, letters[1]);
}

static void a_burial_may_bury_more(void **state)
{
	struct hl_loop *loop = *state;

	hl_loop_bury(loop, bury_another, loop);
	hl_loop_bury(loop, bury_letter, letters[0]);
	hl_loop_turn(loop, true);
	expect_ran("1ab");
}

static void count_up(void *ptr)
{
	(*(int *)ptr)++;
}

static void any_number_is_buried_once(void **state)
{
	struct hl_loop *loop = *state;
	int n = 0;

	for (int i = 0; i < 1000; i++)
		hl_loop_bury(loop, count_up, &n);
	assert_int_equal(n, 0);
	hl_loop_turn(loop, false);
	hl_loop_turn(loop, false);
	assert_int_equal(n, 1000);
}

static void freeing_the_loop_buries_what_is_left(void **state)
{
	struct hl_loop *loop = hl_loop_new();
	struct hl_post a = letter_post(0);
	int n = 0;

	(void)state;
	assert_non_null(loop);
	hl_loop_bury(loop, count_up, &n);
	hl_loop_post(loop, &a);
	hl_loop_free(&loop);
	assert_null(loop);
	assert_int_equal(n, 1);
	expect_ran("");
	hl_loop_free(&loop);
}

static void a_turn_without_waiting_comes_back(void **state)
{
	hl_loop_turn(*state, false);
	expect_ran("");
}

static void a_waiting_turn_ends_with_the_first_event(void **state)
{
	struct hl_loop *loop = *state;
	struct hl_timer timer;

	assert_true(hl_timer_init(&timer, loop, run_letter, letters[0]));
	hl_timer_start(&timer, HL_US_PER_MS);
	hl_loop_turn(loop, true);
	expect_ran("a");
	hl_timer_fini(&timer);
	hl_timer_fini(&timer);
}

static void a_timer_fires_once_and_not_early(void **state)
{
	struct hl_loop *loop = *state;
	struct hl_timer timer, guard;
	int64_t begun_us = hl_mono_us();

	assert_true(hl_timer_init(&timer, loop, run_letter, letters[0]));
	assert_true(hl_timer_init(&guard, loop, run_letter, letters[1]));
	hl_timer_start(&timer, 3500);
	hl_timer_start(&guard, 9000);
	hl_loop_turn(loop, true);
	assert_true(hl_mono_us() - begun_us >= 3500);
	expect_ran("a");
	hl_loop_turn(loop, true);
	expect_ran("b");
	hl_timer_fini(&timer);
	hl_timer_fini(&guard);
}

static void a_restarted_timer_counts_anew_and_a_stopped_one_is_silent(void **state)
{
	struct hl_loop *loop = *state;
	struct hl_timer restarted, stopped, guard;

	assert_true(hl_timer_init(&restarted, loop, run_letter, letters[0]));
	assert_true(hl_timer_init(&stopped, loop, run_letter, letters[1]));
	assert_true(hl_timer_init(&guard, loop, run_letter, letters[2]));
	hl_timer_start(&restarted, 1000 * HL_US_PER_S);
	hl_timer_start(&restarted, -5);
	hl_timer_start(&stopped, 0);
	hl_timer_stop(&stopped);
	hl_timer_stop(&stopped);
	hl_loop_turn(loop, true);
	expect_ran("a");
	hl_timer_start(&guard, HL_US_PER_MS);
	hl_loop_turn(loop, true);
	expect_ran("c");
	hl_timer_fini(&restarted);
	hl_timer_fini(&stopped);
	hl_timer_fini(&guard);
}

static int64_t mono_now;

static int64_t fake_mono(void)
{
	return mono_now;
}

static void stop_loop(void *arg)
{
	note('s');
	hl_loop_stop(arg);
}

static void run_ends_with_the_turn_that_stopped_it(void **state)
{
	struct hl_loop *loop = *state;
	struct hl_post stop = {.fn = stop_loop, .arg = loop}, b = letter_post(1);

	hl_loop_post(loop, &stop);
	hl_loop_post(loop, &b);
	hl_loop_bury(loop, bury_letter, letters[3]);
	hl_loop_run(loop);
	expect_ran("sbd");
	hl_loop_post(loop, &stop);
	hl_loop_run(loop);
	expect_ran("s");
}

static void a_stop_before_the_run_counts(void **state)
{
	struct hl_loop *loop = *state;
	struct hl_post a = letter_post(0);

	hl_loop_post(loop, &a);
	hl_loop_stop(loop);
	hl_loop_run(loop);
	expect_ran("");
	hl_loop_turn(loop, false);
	expect_ran("a");
}

static void work_30ms(void *arg)
{
	(void)arg;
	mono_now += 30 * HL_US_PER_MS;
}

static void lag_is_the_longest_work_of_a_turn(void **state)
{
	struct hl_loop *loop = *state;
	struct hl_post work = {.fn = work_30ms}, more = {.fn = work_30ms};

	hl_clock_fake(fake_mono, NULL);
	hl_loop_turn(loop, false);
	assert_int_equal(hl_loop_lag_us(loop, false), 0);
	hl_loop_post(loop, &work);
	hl_loop_post(loop, &more);
	hl_loop_bury(loop, work_30ms, NULL);
	hl_loop_turn(loop, true);
	hl_loop_post(loop, &work);
	hl_loop_turn(loop, true);
	hl_clock_fake(NULL, NULL);
	assert_int_equal(hl_loop_lag_us(loop, false), 90 * HL_US_PER_MS);
	assert_int_equal(hl_loop_lag_us(loop, true), 90 * HL_US_PER_MS);
	assert_int_equal(hl_loop_lag_us(loop, false), 0);
}

static void a_turn_that_does_not_wait_is_timed_whole(void **state)
{
	struct hl_loop *loop = *state;
	struct hl_timer timer;

	hl_clock_fake(fake_mono, NULL);
	assert_true(hl_timer_init(&timer, loop, work_30ms, NULL));
	event_active(timer.ev, EV_TIMEOUT, 0);
	hl_loop_turn(loop, false);
	assert_int_equal(hl_loop_lag_us(loop, false), 30 * HL_US_PER_MS);
	hl_clock_fake(NULL, NULL);
	hl_timer_fini(&timer);
}

static void waiting_is_not_lag(void **state)
{
	struct hl_loop *loop = *state;
	struct hl_timer timer;

	hl_clock_fake(fake_mono, NULL);
	assert_true(hl_timer_init(&timer, loop, work_30ms, NULL));
	hl_timer_start(&timer, HL_US_PER_MS);
	hl_loop_turn(loop, true);
	assert_int_equal(hl_loop_lag_us(loop, false), 0);
	hl_clock_fake(NULL, NULL);
	hl_timer_fini(&timer);
}

/* Holds the loop up for 500 ms of the fake clock, then lets the late heartbeat be served before it stops the run. */
struct staller {
	struct hl_loop *loop;
	struct hl_timer stall, stop;
};

static void stall(void *arg)
{
	struct staller *staller = arg;

	mono_now += 500 * HL_US_PER_MS;
	hl_timer_start(&staller->stop, 60 * HL_US_PER_MS);
}

static void stop_run(void *arg)
{
	struct staller *staller = arg;

	hl_loop_stop(staller->loop);
}

static void the_heartbeat_sees_a_stall_of_callbacks(void **state)
{
	struct staller staller = {.loop = *state};

	hl_clock_fake(fake_mono, NULL);
	assert_true(hl_timer_init(&staller.stall, *state, stall, &staller));
	assert_true(hl_timer_init(&staller.stop, *state, stop_run, &staller));
	hl_timer_start(&staller.stall, HL_US_PER_MS);
	hl_loop_run(*state);
	hl_clock_fake(NULL, NULL);
	assert_in_range(hl_loop_lag_us(*state, true), 450 * HL_US_PER_MS, 500 * HL_US_PER_MS);
	hl_timer_fini(&staller.stall);
	hl_timer_fini(&staller.stop);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(posts_run_in_order_and_never_inside_post, new_loop, free_loop),
		cmocka_unit_test_setup_teardown(an_unposted_post_does_not_run, new_loop, free_loop),
		cmocka_unit_test_setup_teardown(a_post_made_by_a_post_waits_for_the_next_turn, new_loop, free_loop),
		cmocka_unit_test_setup_teardown(a_post_may_take_another_off, new_loop, free_loop),
		cmocka_unit_test_setup_teardown(a_post_may_free_itself, new_loop, free_loop),
		cmocka_unit_test_setup_teardown(a_turn_is_events_then_posts_then_burials, new_loop, free_loop),
		cmocka_unit_test_setup_teardown(a_burial_may_bury_more, new_loop, free_loop),
		cmocka_unit_test_setup_teardown(any_number_is_buried_once, new_loop, free_loop),
		cmocka_unit_test(freeing_the_loop_buries_what_is_left),
		cmocka_unit_test_setup_teardown(a_turn_without_waiting_comes_back, new_loop, free_loop),
		cmocka_unit_test_setup_teardown(a_waiting_turn_ends_with_the_first_event, new_loop, free_loop),
		cmocka_unit_test_setup_teardown(a_timer_fires_once_and_not_early, new_loop, free_loop),
		cmocka_unit_test_setup_teardown(a_restarted_timer_counts_anew_and_a_stopped_one_is_silent, new_loop,
						free_loop),
		cmocka_unit_test_setup_teardown(run_ends_with_the_turn_that_stopped_it, new_loop, free_loop),
		cmocka_unit_test_setup_teardown(a_stop_before_the_run_counts, new_loop, free_loop),
		cmocka_unit_test_setup_teardown(lag_is_the_longest_work_of_a_turn, new_loop, free_loop),
		cmocka_unit_test_setup_teardown(a_turn_that_does_not_wait_is_timed_whole, new_loop, free_loop),
		cmocka_unit_test_setup_teardown(waiting_is_not_lag, new_loop, free_loop),
		cmocka_unit_test_setup_teardown(the_heartbeat_sees_a_stall_of_callbacks, new_loop, free_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
