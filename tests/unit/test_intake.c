/* test_intake.c - the batcher: one call for all that waits, bisection, quarantine, and the async law */
#include "calendar_fixture.h"
#include "scripted_store.h"

#include "hotline/intake.h"
#include "hotline/item.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SENDERS_MAX 16
#define WAITING_MAX 10
#define DEADLINE_US (40 * HL_US_PER_S)

struct sender {
	unsigned n_done;
	struct hl_intake_result result;
};

struct world {
	struct hl_loop *loop;
	struct scripted_store store;
	struct hl_intake *intake;
	struct hl_case_clock clock;
	struct sender senders[SENDERS_MAX];
	unsigned n_talks, n_contexts, n_commits;
};

static void on_talk(void *arg, const json_t *contexts)
{
	struct world *w = arg;

	w->n_talks++;
	w->n_contexts += (unsigned)json_array_size(contexts);
}

static void on_committed(void *arg)
{
	struct world *w = arg;

	w->n_commits++;
}

static struct world *set_up_hurried(const char *function, unsigned batch_max, int64_t deadline_us)
{
	struct world *w = calloc(1, sizeof(*w));
	struct hl_intake_options options = {
		.function = function, .batch_max = batch_max, .waiting_max = WAITING_MAX, .deadline_us = deadline_us};
	struct hl_intake_hooks hooks = {.arg = w, .on_talk = on_talk, .on_committed = on_committed};
	struct hl_store seam;

	assert_non_null(w);
	w->loop = hl_loop_new();
	assert_non_null(w->loop);
	scripted_init(&w->store, w->loop);
	seam = scripted_seam(&w->store);
	w->intake = hl_intake_new(w->loop, &seam, &options, &hooks, &w->clock);
	assert_non_null(w->intake);
	return w;
}

static struct world *set_up(const char *function, unsigned batch_max)
{
	return set_up_hurried(function, batch_max, DEADLINE_US);
}

static void tear_down(struct world *w)
{
	scripted_fini(&w->store);
	hl_intake_free(&w->intake);
	assert_null(w->intake);
	hl_loop_turn(w->loop, false);
	hl_loop_free(&w->loop);
	free(w);
}

static void on_done(void *arg, const struct hl_intake_result *result)
{
	struct sender *s = arg;

	s->n_done++;
	s->result = *result;
}

/* Sender i hands in an item that carries its number. */
static void submit(struct world *w, unsigned i)
{
	json_t *item = json_pack("{s:s, s:i}", "channel", "main", "ext", (int)i);

	json_object_set_new(item, "ext", json_sprintf("m%u", i));
	assert_int_equal(hl_intake_submit(w->intake, item, on_done, &w->senders[i]), HL_OK);
}

static void submit_many(struct world *w, unsigned from, unsigned n)
{
	for (unsigned i = from; i < from + n; i++)
		submit(w, i);
	hl_loop_turn(w->loop, false);
}

/* "m1 m2": the items of the call-th call, in order; fails when "i" is not dense. */
static const char *items_of(const struct world *w, unsigned call)
{
	static char text[256];
	const json_t *item, *list = scripted_call(&w->store, call, "intake")->json;
	size_t i, used = 0;

	text[0] = '\0';
	json_array_foreach (list, i, item) {
		assert_int_equal(json_integer_value(json_object_get(item, "i")), i + 1);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "",
					 json_string_value(json_object_get(item, "ext")));
	}
	return text;
}

static unsigned n_done(const struct world *w)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SENDERS_MAX; i++) {
		assert_true(w->senders[i].n_done <= 1);
		n += w->senders[i].n_done;
	}
	return n;
}

static void assert_told(const struct world *w, unsigned sender, enum hl_class cls, int64_t message)
{
	assert_int_equal(w->senders[sender].n_done, 1);
	assert_int_equal(w->senders[sender].result.cls, cls);
	assert_int_equal(w->senders[sender].result.message, message);
}

static void everything_waiting_goes_in_one_call(void **state)
{
	struct world *w = set_up("intake", 100);

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		submit(w, i);
	assert_int_equal(w->store.n_calls, 0);
	assert_int_equal(hl_intake_outstanding(w->intake), 5);
	hl_loop_turn(w->loop, false);
	assert_int_equal(w->store.n_calls, 1);
	assert_string_equal(items_of(w, 0), "m0 m1 m2 m3 m4");
	assert_in_range(w->store.calls[0].deadline_us, DEADLINE_US / 2, DEADLINE_US);
	assert_int_equal(w->store.calls[0].flags, 0);
	tear_down(w);
}

static void on_half_time(void *arg)
{
	*(bool *)arg = true;
}

static void what_waited_half_its_deadline_is_refused_and_not_sent_with_the_rest_of_it(void **state)
{
	struct world *w = set_up_hurried("intake", 1, 20 * HL_US_PER_MS);
	bool is_half_over = false;
	struct hl_timer half;

	(void)state;
	assert_true(hl_timer_init(&half, w->loop, on_half_time, &is_half_over));
	submit_many(w, 0, 3);
	assert_int_equal(w->store.n_calls, 2);
	hl_timer_start(&half, 11 * HL_US_PER_MS);
	while (!is_half_over)
		hl_loop_turn(w->loop, true);
	submit_many(w, 3, 1);
	scripted_ok(&w->store, 0, "{'now': 1, 'items': [{'i': 1, 'message': 1}]}");
	hl_loop_turn(w->loop, false);
	assert_told(w, 0, HL_OK, 1);
	assert_told(w, 2, HL_RETRY, 0);
	assert_int_equal(w->store.n_calls, 3);
	assert_string_equal(items_of(w, 2), "m3");
	assert_in_range(w->store.calls[2].deadline_us, 1, 20 * HL_US_PER_MS);
	scripted_fail(&w->store, 1, HL_RETRY, "40001");
	hl_loop_turn(w->loop, false);
	assert_told(w, 1, HL_RETRY, 0);
	hl_timer_fini(&half);
	tear_down(w);
}

static void each_sender_hears_its_own_message(void **state)
{
	struct world *w = set_up("intake", 100);

	(void)state;
	submit_many(w, 0, 3);
	assert_int_equal(n_done(w), 0);
	scripted_ok(
		&w->store, 0,
		"{'now': 7000000, 'talk': [{'message': 12}], 'items': [{'i': 1, 'message': 11, 'outcome': 'repeat'},"
		" {'i': 2, 'message': 12, 'outcome': 'talk'}, {'i': 3, 'message': 13, 'outcome': 'dispatch', 'case': "
		"'26-1'}]}");
	assert_told(w, 0, HL_OK, 11);
	assert_told(w, 1, HL_OK, 12);
	assert_told(w, 2, HL_OK, 13);
	assert_int_equal(hl_intake_outstanding(w->intake), 0);
	assert_int_equal(w->n_talks, 1);
	assert_int_equal(w->n_contexts, 1);
	assert_int_equal(w->n_commits, 1);
	assert_true(w->clock.is_known);
	assert_int_equal(hl_intake_stats(w->intake)->items, 3);
	assert_int_equal(hl_intake_stats(w->intake)->repeats, 1);
	tear_down(w);
}

static void at_most_two_batches_are_in_flight_while_the_next_collects(void **state)
{
	struct world *w = set_up("intake", 3);

	(void)state;
	submit_many(w, 0, 8);
	assert_int_equal(w->store.n_calls, 2);
	assert_string_equal(items_of(w, 0), "m0 m1 m2");
	assert_string_equal(items_of(w, 1), "m3 m4 m5");
	submit_many(w, 8, 1);
	assert_int_equal(w->store.n_calls, 2);
	scripted_ok(&w->store, 0, "{'now': 1, 'items': [{'i': 1}, {'i': 2}, {'i': 3}]}");
	hl_loop_turn(w->loop, false);
	assert_int_equal(w->store.n_calls, 3);
	assert_string_equal(items_of(w, 2), "m6 m7 m8");
	assert_int_equal(n_done(w), 3);
	tear_down(w);
}

static void a_bad_item_is_bisected_out_and_set_aside_while_the_others_are_stored(void **state)
{
	struct world *w = set_up("intake", 100);
	const json_t *kept;

	(void)state;
	submit_many(w, 0, 4);
	scripted_fail(&w->store, 0, HL_INPUT, "22P02");
	hl_loop_turn(w->loop, false);
	assert_string_equal(items_of(w, 1), "m0 m1");
	assert_string_equal(items_of(w, 2), "m2 m3");
	scripted_ok(&w->store, 1, "{'now': 1, 'items': [{'i': 1, 'message': 1}, {'i': 2, 'message': 2}]}");
	scripted_fail(&w->store, 2, HL_REFUSED, "P0001");
	hl_loop_turn(w->loop, false);
	assert_string_equal(items_of(w, 3), "m2");
	assert_string_equal(items_of(w, 4), "m3");
	scripted_fail(&w->store, 3, HL_BUG, "XX000");
	scripted_ok(&w->store, 4, "{'now': 1, 'items': [{'i': 1, 'message': 4}]}");
	hl_loop_turn(w->loop, false);
	kept = scripted_call(&w->store, 5, "quarantine_item")->json;
	assert_string_equal(json_string_value(json_object_get(kept, "channel")), "main");
	assert_string_equal(json_string_value(json_object_get(kept, "ext")), "m2");
	assert_string_equal(json_string_value(json_object_get(kept, "reason")), "as the script says");
	assert_non_null(strstr(json_string_value(json_object_get(kept, "item")), "\"ext\":\"m2\""));
	assert_int_equal(w->senders[2].n_done, 0);
	scripted_ok(&w->store, 5, "{'quarantine': 9}");
	assert_told(w, 0, HL_OK, 1);
	assert_told(w, 1, HL_OK, 2);
	assert_told(w, 2, HL_OK, 0);
	assert_told(w, 3, HL_OK, 4);
	assert_int_equal(hl_intake_stats(w->intake)->bisections, 2);
	assert_int_equal(hl_intake_stats(w->intake)->quarantined, 1);
	assert_int_equal(hl_intake_stats(w->intake)->failed, 0);
	tear_down(w);
}

static void halves_go_before_anything_new(void **state)
{
	struct world *w = set_up("intake", 4);

	(void)state;
	submit_many(w, 0, 4);
	submit_many(w, 4, 4);
	submit_many(w, 8, 1);
	scripted_fail(&w->store, 0, HL_INPUT, "22P02");
	hl_loop_turn(w->loop, false);
	assert_string_equal(items_of(w, 2), "m0 m1");
	scripted_ok(&w->store, 1, "{'now': 1, 'items': []}");
	hl_loop_turn(w->loop, false);
	assert_string_equal(items_of(w, 3), "m2 m3");
	tear_down(w);
}

static void receipts_are_set_aside_by_the_same_rule(void **state)
{
	struct world *w = set_up("receipts", 100);
	struct hl_receipt receipt = {.attempt = 7, .state = HL_RECEIPT_DELIVERED};

	(void)state;
	hl_intake_submit(w->intake, hl_intake_receipt("main", &receipt), on_done, &w->senders[0]);
	hl_loop_turn(w->loop, false);
	scripted_fail(&w->store, 0, HL_INPUT, "22003");
	hl_loop_turn(w->loop, false);
	scripted_call(&w->store, 1, "quarantine_item");
	scripted_ok(&w->store, 1, "{'quarantine': 1}");
	assert_told(w, 0, HL_OK, 0);
	tear_down(w);
}

static void what_cannot_be_set_aside_is_not_confirmed(void **state)
{
	struct world *w = set_up("intake", 100);

	(void)state;
	submit_many(w, 0, 1);
	scripted_fail(&w->store, 0, HL_INPUT, "22P02");
	hl_loop_turn(w->loop, false);
	scripted_fail(&w->store, 1, HL_UNKNOWN, "");
	assert_told(w, 0, HL_RETRY, 0);
	assert_int_equal(hl_intake_stats(w->intake)->quarantined, 0);
	assert_int_equal(w->n_commits, 0);
	tear_down(w);
}

static void serialisation_failures_are_tried_again_twice(void **state)
{
	struct world *w = set_up("intake", 100);

	(void)state;
	submit_many(w, 0, 2);
	scripted_fail(&w->store, 0, HL_RETRY, "40001");
	hl_loop_turn(w->loop, false);
	assert_string_equal(items_of(w, 1), "m0 m1");
	scripted_fail(&w->store, 1, HL_RETRY, "40P01");
	hl_loop_turn(w->loop, false);
	assert_string_equal(items_of(w, 2), "m0 m1");
	assert_int_equal(n_done(w), 0);
	scripted_fail(&w->store, 2, HL_RETRY, "40001");
	hl_loop_turn(w->loop, false);
	assert_int_equal(w->store.n_calls, 3);
	assert_told(w, 0, HL_RETRY, 0);
	assert_told(w, 1, HL_RETRY, 0);
	tear_down(w);
}

static void what_is_not_committed_for_sure_is_never_confirmed(void **state)
{
	static const struct {
		enum hl_class cls;
		const char *sqlstate;
	} cases[] = {
		{HL_RETRY, ""}, {HL_RETRY, "57P01"}, {HL_RETRY, "53100"}, {HL_UNKNOWN, ""}, {HL_BUG, "42883"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = set_up("intake", 100);

		submit_many(w, 0, 2);
		scripted_fail(&w->store, 0, cases[i].cls, cases[i].sqlstate);
		hl_loop_turn(w->loop, false);
		assert_int_equal(w->store.n_calls, 1);
		assert_told(w, 0, HL_RETRY, 0);
		assert_told(w, 1, HL_RETRY, 0);
		assert_int_equal(hl_intake_stats(w->intake)->failed, 2);
		assert_int_equal(w->n_commits, 0);
		tear_down(w);
	}
}

static void a_store_without_memory_is_no_commit(void **state)
{
	struct world *w = set_up("intake", 100);

	(void)state;
	w->store.is_out_of_memory = true;
	submit_many(w, 0, 2);
	assert_told(w, 0, HL_RETRY, 0);
	assert_told(w, 1, HL_RETRY, 0);
	w->store.is_out_of_memory = false;
	submit_many(w, 2, 1);
	assert_string_equal(items_of(w, 0), "m2");
	tear_down(w);
}

static void a_full_queue_answers_at_the_next_fixed_point(void **state)
{
	struct world *w = set_up("intake", 100);

	(void)state;
	for (unsigned i = 0; i < WAITING_MAX + 2; i++)
		submit(w, i);
	assert_int_equal(n_done(w), 0);
	hl_loop_turn(w->loop, false);
	assert_int_equal(n_done(w), 2);
	assert_told(w, WAITING_MAX, HL_RETRY, 0);
	assert_told(w, WAITING_MAX + 1, HL_RETRY, 0);
	assert_int_equal(json_array_size(w->store.calls[0].json), WAITING_MAX);
	submit_many(w, WAITING_MAX + 2, 1);
	assert_int_equal(w->store.n_calls, 2);
	tear_down(w);
}

static void submit_again(void *arg, const struct hl_intake_result *result)
{
	struct world *w = arg;

	(void)result;
	submit(w, 1);
	assert_int_equal(w->senders[1].n_done, 0);
}

static void done_may_submit_the_next(void **state)
{
	struct world *w = set_up("intake", 100);

	(void)state;
	hl_intake_submit(w->intake, fixture_json("{'channel': 'main', 'ext': 'm0'}"), submit_again, w);
	hl_loop_turn(w->loop, false);
	scripted_ok(&w->store, 0, "{'now': 1, 'items': [{'i': 1, 'message': 1}]}");
	hl_loop_turn(w->loop, false);
	assert_string_equal(items_of(w, 1), "m1");
	tear_down(w);
}

/* The store is gone: what waits, is refused, is on its way or was split is given back without an answer. */
static void what_is_left_is_freed_without_an_answer(void **state)
{
	struct world *w = set_up("intake", 3);

	(void)state;
	submit_many(w, 0, 9);
	scripted_fail(&w->store, 0, HL_INPUT, "22P02");
	submit(w, 9);
	assert_int_equal(scripted_open(&w->store), 1);
	tear_down(w);

	w = set_up("intake", 3);
	for (unsigned i = 0; i < WAITING_MAX + 1; i++)
		submit(w, i);
	tear_down(w);

	w = set_up("intake", 3);
	submit_many(w, 0, 1);
	scripted_fail(&w->store, 0, HL_INPUT, "22P02");
	hl_loop_turn(w->loop, false);
	scripted_call(&w->store, 1, "quarantine_item");
	tear_down(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_waiting_goes_in_one_call),
		cmocka_unit_test(what_waited_half_its_deadline_is_refused_and_not_sent_with_the_rest_of_it),
		cmocka_unit_test(each_sender_hears_its_own_message),
		cmocka_unit_test(at_most_two_batches_are_in_flight_while_the_next_collects),
		cmocka_unit_test(a_bad_item_is_bisected_out_and_set_aside_while_the_others_are_stored),
		cmocka_unit_test(halves_go_before_anything_new),
		cmocka_unit_test(receipts_are_set_aside_by_the_same_rule),
		cmocka_unit_test(what_cannot_be_set_aside_is_not_confirmed),
		cmocka_unit_test(serialisation_failures_are_tried_again_twice),
		cmocka_unit_test(what_is_not_committed_for_sure_is_never_confirmed),
		cmocka_unit_test(a_store_without_memory_is_no_commit),
		cmocka_unit_test(a_full_queue_answers_at_the_next_fixed_point),
		cmocka_unit_test(done_may_submit_the_next),
		cmocka_unit_test(what_is_left_is_freed_without_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
