/* test_settle.c - outcomes on their way into the store: told until it has them, or set aside */
#include "outbox_bench.h"

static void results_are_told_again_until_the_store_has_them(void **state)
{
	struct bench b;
	json_t *first;
	unsigned i;

	(void)state;
	begin_bench(&b);
	start_and_lease(&b, LEASED(NOTICE_OF(41, "gone", "thanks", "{}")));
	first = json_deep_copy(wait_settle(&b, 0, &i));
	scripted_fail(&b.store, i, HL_UNKNOWN, "");
	assert_true(json_equal(wait_settle(&b, 1, &i), first));
	b.store.is_out_of_memory = true;
	scripted_fail(&b.store, i, HL_RETRY, "57P01");
	b.store.is_out_of_memory = false;
	assert_true(hl_outbox_outstanding(b.outbox) > 0);
	assert_true(json_equal(wait_settle(&b, 2, &i), first));
	scripted_ok(&b.store, i, "{'now': 1, 'settled': 1}");
	turn_idly(&b.w.f);
	assert_int_equal(count_calls(&b, "settle"), 3);
	assert_int_equal(hl_outbox_stats(b.outbox)->settle_failures, 2);
	json_decref(first);
	end_bench(&b);
}

static void results_that_come_meanwhile_wait_for_the_next_call(void **state)
{
	struct bench b;
	const json_t *settle;
	unsigned first, second;

	(void)state;
	begin_bench(&b);
	b.w.p.replies[0] = ANSWER("3\r\n\r\np-1");
	start_and_lease(&b, LEASED(NOTICE_OF(41, "gone", "thanks", "{}") "," NOTICE(42) "," NOTICE_OF(43, "gone",
												      "thanks", "{}")));
	settle = wait_settle(&b, 0, &first);
	assert_int_equal(json_array_size(json_object_get(settle, "items")), 2);
	UNTIL(&b.w.f, hl_outbox_stats(b.outbox)->accepted == 1);
	turn_idly(&b.w.f);
	assert_int_equal(count_calls(&b, "settle"), 1);
	scripted_ok(&b.store, first, "{'now': 1, 'settled': 2}");
	settle = wait_settle(&b, 1, &second);
	assert_int_equal(json_array_size(json_object_get(settle, "items")), 1);
	assert_int_equal(json_integer_value(fixture_at_path(settle, "items.0.attempt")), 42);
	end_bench(&b);
}

static void an_outcome_the_store_refuses_is_set_aside_and_the_others_are_settled(void **state)
{
	struct bench b;
	const json_t *items;
	unsigned i;

	(void)state;
	begin_bench(&b);
	start_and_lease(&b, LEASED(NOTICE_OF(41, "gone", "thanks", "{}") "," NOTICE_OF(42, "gone", "thanks", "{}")));
	hl_outbox_stop(b.outbox);
	wait_settle(&b, 0, &i);
	scripted_fail(&b.store, i, HL_INPUT, "22021");
	items = json_object_get(wait_settle(&b, 1, &i), "items");
	assert_int_equal(json_array_size(items), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(items, 0), "attempt")), 41);
	scripted_fail(&b.store, i, HL_REFUSED, "P0105");
	assert_string_equal(json_string_value(json_object_get(
				    scripted_call(&b.store, b.store.n_calls - 1, "quarantine_item")->json, "ext")),
			    "attempt 41");
	scripted_ok(&b.store, b.store.n_calls - 1, "{'quarantine': 1}");
	items = json_object_get(wait_settle(&b, 2, &i), "items");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(items, 0), "attempt")), 42);
	assert_int_equal(json_array_size(items), 1);
	scripted_ok(&b.store, i, "{'now': 1, 'settled': 1}");
	turn_idly(&b.w.f);
	assert_int_equal(count_calls(&b, "settle"), 3);
	assert_int_equal(hl_outbox_stats(b.outbox)->quarantined, 1);
	assert_int_equal(hl_outbox_outstanding(b.outbox), 0);
	end_bench(&b);
}

static void an_outcome_that_cannot_be_set_aside_yet_is_told_again(void **state)
{
	struct bench b;
	unsigned i;

	(void)state;
	begin_bench(&b);
	start_and_lease(&b, LEASED(NOTICE_OF(41, "gone", "thanks", "{}")));
	hl_outbox_stop(b.outbox);
	wait_settle(&b, 0, &i);
	scripted_fail(&b.store, i, HL_INPUT, "22021");
	scripted_call(&b.store, b.store.n_calls - 1, "quarantine_item");
	scripted_fail(&b.store, b.store.n_calls - 1, HL_RETRY, "57P01");
	wait_settle(&b, 1, &i);
	scripted_ok(&b.store, i, "{'now': 1, 'settled': 1}");
	assert_int_equal(hl_outbox_stats(b.outbox)->quarantined, 0);
	assert_int_equal(hl_outbox_outstanding(b.outbox), 0);
	end_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_are_told_again_until_the_store_has_them),
		cmocka_unit_test(results_that_come_meanwhile_wait_for_the_next_call),
		cmocka_unit_test(an_outcome_the_store_refuses_is_set_aside_and_the_others_are_settled),
		cmocka_unit_test(an_outcome_that_cannot_be_set_aside_yet_is_told_again),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
