/* test_ticker.c - the pulse: one call at a time, at once again while more is due, case time learnt */
#include "scripted_store.h"

#include "hotline/ticker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SOON_US     (20 * HL_US_PER_MS)
#define LATER_US    (10 * HL_US_PER_S) /* a test that waits for it fails */
#define WATCHDOG_US (20 * HL_US_PER_S)

struct world {
	struct hl_loop *loop;
	struct scripted_store store;
	struct hl_case_clock clock;
	struct hl_ticker *ticker;
	struct hl_timer watchdog;
	bool is_late, pulses_again;
	unsigned n_pulses;
	int64_t version;
};

static void on_watchdog(void *arg)
{
	struct world *w = arg;

	w->is_late = true;
}

static void on_pulse(void *arg)
{
	struct world *w = arg;

	w->n_pulses++;
	if (w->pulses_again)
		hl_ticker_pulse(w->ticker);
}

static void on_refdata(void *arg, int64_t version)
{
	struct world *w = arg;

	w->version = version;
}

static void set_up(struct world *w, int64_t period_us)
{
	struct hl_ticker_setup setup = {
		.period_us = period_us, .deadline_us = 3000, .arg = w, .on_pulse = on_pulse, .on_refdata = on_refdata};

	*w = (struct world){.loop = hl_loop_new()};
	assert_non_null(w->loop);
	scripted_init(&w->store, w->loop);
	setup.loop = w->loop;
	setup.store = scripted_seam(&w->store);
	setup.clock = &w->clock;
	w->ticker = hl_ticker_new(&setup);
	assert_non_null(w->ticker);
	assert_true(hl_timer_init(&w->watchdog, w->loop, on_watchdog, w));
	hl_timer_start(&w->watchdog, WATCHDOG_US);
}

static void tear_down(struct world *w)
{
	scripted_fini(&w->store);
	hl_ticker_free(&w->ticker);
	assert_null(w->ticker);
	hl_timer_fini(&w->watchdog);
	hl_loop_free(&w->loop);
}

/* Turns until the n-th call is made. */
static void until_calls(struct world *w, unsigned n)
{
	while (w->store.n_calls < n) {
		assert_false(w->is_late);
		hl_loop_turn(w->loop, true);
	}
	assert_int_equal(w->store.n_calls, n);
}

static void a_pulse_teaches_case_time_and_tells_who_listens(void **state)
{
	struct world w;

	(void)state;
	set_up(&w, LATER_US);
	hl_ticker_start(w.ticker);
	until_calls(&w, 1);
	assert_int_equal(scripted_call(&w.store, 0, "fire_due")->deadline_us, 3000);
	assert_int_equal(hl_ticker_outstanding(w.ticker), 1);
	scripted_ok(&w.store, 0, "{'now': 1790000000000000, 'fired': 3, 'refdata': 17}");
	assert_int_equal(hl_ticker_outstanding(w.ticker), 0);
	assert_int_equal(w.n_pulses, 1);
	assert_int_equal(w.version, 17);
	assert_true(w.clock.is_known);
	assert_true(hl_case_clock_now(&w.clock) - 1790000000000000 < HL_US_PER_S);
	assert_int_equal(hl_ticker_stats(w.ticker)->pulses, 1);
	assert_int_equal(hl_ticker_stats(w.ticker)->fired, 3);
	tear_down(&w);
}

static void the_next_pulse_comes_a_period_after_the_answer(void **state)
{
	struct world w;
	int64_t answered_us;

	(void)state;
	set_up(&w, SOON_US);
	hl_ticker_start(w.ticker);
	until_calls(&w, 1);
	for (int i = 0; i < 20; i++)
		hl_loop_turn(w.loop, false);
	assert_int_equal(w.store.n_calls, 1);
	answered_us = hl_mono_us();
	scripted_ok(&w.store, 0, "{'now': 1, 'fired': 0}");
	until_calls(&w, 2);
	assert_true(hl_mono_us() - answered_us >= SOON_US);
	tear_down(&w);
}

static void a_full_call_is_followed_by_the_next_at_once(void **state)
{
	struct world w;
	json_int_t limit;
	char answer[80];
	int64_t answered_us;

	(void)state;
	set_up(&w, LATER_US);
	hl_ticker_start(w.ticker);
	until_calls(&w, 1);
	limit = json_integer_value(json_object_get(w.store.calls[0].json, "limit"));
	assert_true(limit > 0);
	snprintf(answer, sizeof(answer), "{'now': 1, 'fired': %lld}", (long long)limit);
	answered_us = hl_mono_us();
	scripted_ok(&w.store, 0, answer);
	until_calls(&w, 2);
	assert_true(hl_mono_us() - answered_us < LATER_US);
	tear_down(&w);
}

static void a_pulse_that_failed_is_counted_and_comes_again(void **state)
{
	struct world w;

	(void)state;
	set_up(&w, SOON_US);
	hl_ticker_start(w.ticker);
	until_calls(&w, 1);
	scripted_fail(&w.store, 0, HL_RETRY, "57P01");
	assert_int_equal(w.n_pulses, 0);
	assert_int_equal(hl_ticker_stats(w.ticker)->failures, 1);
	assert_false(w.clock.is_known);
	until_calls(&w, 2);
	tear_down(&w);
}

static void a_store_that_is_away_is_asked_again_later(void **state)
{
	struct world w;

	(void)state;
	set_up(&w, SOON_US);
	w.store.is_away = true;
	hl_ticker_start(w.ticker);
	hl_loop_turn(w.loop, true);
	assert_int_equal(w.store.n_calls, 0);
	w.store.is_away = false;
	w.store.is_out_of_memory = true;
	hl_loop_turn(w.loop, true);
	assert_int_equal(w.store.n_calls, 0);
	w.store.is_out_of_memory = false;
	until_calls(&w, 1);
	tear_down(&w);
}

static void a_pulse_now_waits_for_the_one_on_its_way_and_then_comes_at_once(void **state)
{
	struct world w;
	int64_t answered_us;

	(void)state;
	set_up(&w, LATER_US);
	hl_ticker_pulse(w.ticker);
	assert_int_equal(w.store.n_calls, 0);
	hl_ticker_start(w.ticker);
	hl_ticker_pulse(w.ticker);
	assert_int_equal(w.store.n_calls, 1);
	hl_ticker_pulse(w.ticker);
	hl_ticker_pulse(w.ticker);
	assert_int_equal(w.store.n_calls, 1);
	answered_us = hl_mono_us();
	scripted_ok(&w.store, 0, "{'now': 1, 'fired': 0}");
	until_calls(&w, 2);
	assert_true(hl_mono_us() - answered_us < LATER_US);
	tear_down(&w);
}

static void a_pulse_from_inside_a_pulse_makes_one_call(void **state)
{
	struct world w;

	(void)state;
	set_up(&w, LATER_US);
	hl_ticker_start(w.ticker);
	until_calls(&w, 1);
	w.pulses_again = true;
	scripted_ok(&w.store, 0, "{'now': 1, 'fired': 0}");
	w.pulses_again = false;
	assert_int_equal(w.store.n_calls, 2);
	scripted_ok(&w.store, 1, "{'now': 1, 'fired': 0}");
	assert_int_equal(w.store.n_calls, 2);
	tear_down(&w);
}

static void a_stopped_ticker_takes_its_answer_and_makes_no_call(void **state)
{
	struct world w;

	(void)state;
	set_up(&w, SOON_US);
	hl_ticker_start(w.ticker);
	until_calls(&w, 1);
	hl_ticker_stop(w.ticker);
	hl_ticker_pulse(w.ticker);
	assert_int_equal(hl_ticker_outstanding(w.ticker), 1);
	scripted_ok(&w.store, 0, "{'now': 1, 'fired': 2}");
	assert_int_equal(hl_ticker_outstanding(w.ticker), 0);
	assert_int_equal(hl_ticker_stats(w.ticker)->fired, 2);
	hl_timer_start(&w.watchdog, 2 * SOON_US);
	while (!w.is_late)
		hl_loop_turn(w.loop, true);
	assert_int_equal(w.store.n_calls, 1);
	tear_down(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pulse_teaches_case_time_and_tells_who_listens),
		cmocka_unit_test(the_next_pulse_comes_a_period_after_the_answer),
		cmocka_unit_test(a_full_call_is_followed_by_the_next_at_once),
		cmocka_unit_test(a_pulse_that_failed_is_counted_and_comes_again),
		cmocka_unit_test(a_store_that_is_away_is_asked_again_later),
		cmocka_unit_test(a_pulse_now_waits_for_the_one_on_its_way_and_then_comes_at_once),
		cmocka_unit_test(a_pulse_from_inside_a_pulse_makes_one_call),
		cmocka_unit_test(a_stopped_ticker_takes_its_answer_and_makes_no_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
