/* test_outbox.c - lease and send: a scripted store on one side, a provider that listens in the same loop on the other
 */
#include "outbox_bench.h"

/* ---- tests ------------------------------------------------------------------ */

static void a_notice_is_leased_sent_and_settled(void **state)
{
	struct bench b;
	const json_t *lease, *settle;
	unsigned i;

	(void)state;
	begin_bench(&b);
	b.w.p.replies[0] = ANSWER("3\r\n\r\np-1");
	start_and_lease(&b, LEASED(NOTICE(41)));
	lease = b.store.calls[0].json;
	assert_int_equal(json_integer_value(json_object_get(lease, "limit")), CONCURRENCY);
	assert_int_equal(json_integer_value(json_object_get(lease, "lease_us")), 30000 * HL_US_PER_MS);
	assert_int_equal(json_integer_value(json_object_get(lease, "epoch")), 77);
	assert_string_equal(fixture_word(lease, "known.1"), "unfinished");
	assert_int_equal(b.store.calls[0].flags, 0);
	settle = wait_settle(&b, 0, &i);
	assert_string_equal(b.w.p.bodies, "[41|+8610000000001|感谢您的评价]");
	assert_int_equal(json_integer_value(json_object_get(settle, "epoch")), 77);
	assert_int_equal(json_array_size(json_object_get(settle, "items")), 1);
	assert_int_equal(json_integer_value(fixture_at_path(settle, "items.0.attempt")), 41);
	assert_string_equal(fixture_word(settle, "items.0.outcome"), "accepted");
	assert_string_equal(fixture_word(settle, "items.0.external"), "p-1");
	assert_string_equal(fixture_word(settle, "items.0.text"), "感谢您的评价");
	assert_int_equal(json_integer_value(fixture_at_path(settle, "items.0.parts")), 1);
	assert_int_equal(b.store.calls[i].flags, HL_PG_IDEMPOTENT);
	assert_true(hl_outbox_outstanding(b.outbox) > 0);
	scripted_ok(&b.store, i, "{'now': 1, 'settled': 1}");
	assert_int_equal(hl_outbox_stats(b.outbox)->leased, 1);
	assert_int_equal(hl_outbox_stats(b.outbox)->accepted, 1);
	end_bench(&b);
}

static void what_the_provider_answers_is_settled_under_its_word(void **state)
{
	static const struct {
		const char *reply, *outcome;
		int64_t delay_us;
	} cases[] = {
		{ANSWER("8\r\n\r\naccepted"), "accepted", 0}, {ANSWER("5\r\n\r\nlater"), "later", 60 * HL_US_PER_S},
		{ANSWER("7\r\n\r\nrefused"), "refused", 0},   {ANSWER("6\r\n\r\nconfig"), "config", 0},
		{ANSWER("7\r\n\r\nunknown"), "unknown", 0},   {HANG_UP, "unknown", 0},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct bench b;
		const json_t *settle;
		unsigned i;

		begin_bench(&b);
		b.w.p.replies[0] = cases[c].reply;
		start_and_lease(&b, LEASED(NOTICE(41)));
		settle = wait_settle(&b, 0, &i);
		assert_string_equal(fixture_word(settle, "items.0.outcome"), cases[c].outcome);
		assert_int_equal(json_integer_value(fixture_at_path(settle, "items.0.delay_us")), cases[c].delay_us);
		end_bench(&b);
	}
}

static void what_never_left_is_not_sent_and_silence_is_unknown(void **state)
{
	struct bench b;
	const json_t *settle;
	unsigned i;

	(void)state;
	begin_bench(&b);
	evconnlistener_free(b.w.p.ev);
	b.w.p.ev = NULL;
	start_and_lease(&b, LEASED(NOTICE(41)));
	settle = wait_settle(&b, 0, &i);
	assert_string_equal(fixture_word(settle, "items.0.outcome"), "not_sent");
	assert_int_equal(hl_outbox_stats(b.outbox)->not_sent, 1);
	end_bench(&b);

	begin_bench(&b);
	b.config.send_deadline_ms = 100;
	b.w.p.replies[0] = SILENCE;
	start_and_lease(&b, LEASED(NOTICE(41)));
	settle = wait_settle(&b, 0, &i);
	assert_string_equal(fixture_word(settle, "items.0.outcome"), "unknown");
	end_bench(&b);

	begin_bench(&b);
	b.channels[0].channel.send_url = "no url";
	start_and_lease(&b, LEASED(NOTICE(41)));
	settle = wait_settle(&b, 0, &i);
	assert_string_equal(fixture_word(settle, "items.0.outcome"), "config");
	end_bench(&b);
}

static void what_cannot_be_written_is_settled_without_a_request(void **state)
{
	static const struct {
		const char *leased, *outcome, *detail;
	} cases[] = {
		{LEASED(NOTICE_OF(41, "main", "nope", "{}")), "refused", "there is no template nope"},
		{LEASED(NOTICE_OF(41, "main", "receipt_joined", "{}")), "refused",
		 "template receipt_joined needs parameter case"},
		{LEASED(NOTICE_OF(41, "gone", "thanks", "{}")), "config", "no channel that sends"},
		{LEASED(NOTICE_OF(41, "inbound", "thanks", "{}")), "config", "no channel that sends"},
		{LEASED(NOTICE_OF(41, "unfinished", "thanks", "{}")), "config", "nobody has no account"},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct bench b;
		const json_t *settle;
		unsigned i;

		begin_bench(&b);
		start_and_lease(&b, cases[c].leased);
		settle = wait_settle(&b, 0, &i);
		assert_int_equal(json_integer_value(fixture_at_path(settle, "items.0.attempt")), 41);
		assert_string_equal(fixture_word(settle, "items.0.outcome"), cases[c].outcome);
		assert_string_equal(fixture_word(settle, "items.0.detail"), cases[c].detail);
		assert_int_equal(b.w.p.n_requests, 0);
		end_bench(&b);
	}
}

/* Provider's words may hold anything; a byte the database cannot take would keep every other result from being settled.
 */
static void the_providers_words_are_settled_as_clean_text(void **state)
{
	struct bench b;
	const json_t *settle;
	unsigned i;

	(void)state;
	begin_bench(&b);
	b.w.p.replies[0] = ANSWER("6\r\n\r\np\xff\x01-1\n");
	start_and_lease(&b, LEASED(NOTICE(41)));
	settle = wait_settle(&b, 0, &i);
	assert_string_equal(fixture_word(settle, "items.0.outcome"), "accepted");
	assert_string_equal(fixture_word(settle, "items.0.external"), "p\xef\xbf\xbd-1\n");
	assert_string_equal(fixture_word(settle, "items.0.detail"), "p\xef\xbf\xbd-1\n");
	end_bench(&b);
}

static void leases_that_ran_out_are_given_up_in_a_call_of_their_own(void **state)
{
	struct bench b;
	unsigned i;

	(void)state;
	begin_bench(&b);
	hl_outbox_sweep(b.outbox);
	assert_int_equal(b.store.n_calls, 0);
	start_and_lease(&b, LEASED(""));
	hl_outbox_sweep(b.outbox);
	hl_outbox_sweep(b.outbox);
	assert_int_equal(count_calls(&b, "sweep"), 1);
	scripted_fail(&b.store, 1, HL_REFUSED, "P0105");
	hl_outbox_kick(b.outbox);
	turn_idly(&b.w.f);
	assert_int_equal(count_calls(&b, "lease"), 2);
	scripted_ok(&b.store, 2, LEASED(NOTICE_OF(41, "gone", "thanks", "{}")));
	wait_settle(&b, 0, &i);
	scripted_fail(&b.store, i, HL_RETRY, "57P01");
	hl_outbox_sweep(b.outbox);
	assert_int_equal(count_calls(&b, "sweep"), 1);
	wait_settle(&b, 1, &i);
	scripted_ok(&b.store, i, "{'now': 1, 'settled': 1}");
	hl_outbox_sweep(b.outbox);
	assert_int_equal(count_calls(&b, "sweep"), 2);
	end_bench(&b);
}

static void no_more_is_leased_than_may_be_on_its_way(void **state)
{
	struct bench b;
	unsigned i;

	(void)state;
	begin_bench(&b);
	for (int k = 0; k < CONCURRENCY; k++)
		b.w.p.replies[k] = k == 0 ? ANSWER("3\r\n\r\np-1") : SILENCE;
	start_and_lease(&b, LEASED(NOTICE(41) "," NOTICE(42)));
	hl_loop_turn(b.w.f.loop, false);
	assert_int_equal(count_calls(&b, "lease"), 2);
	assert_int_equal(json_integer_value(json_object_get(b.store.calls[1].json, "limit")), CONCURRENCY - 2);
	scripted_ok(&b.store, 1, LEASED(NOTICE(43)));
	hl_outbox_kick(b.outbox);
	hl_loop_turn(b.w.f.loop, false);
	assert_int_equal(count_calls(&b, "lease"), 2);
	wait_settle(&b, 0, &i);
	hl_loop_turn(b.w.f.loop, false);
	assert_int_equal(count_calls(&b, "lease"), 3);
	end_bench(&b);
}

static void few_free_places_gather_before_they_are_leased(void **state)
{
	struct bench b;
	int64_t since_us;

	(void)state;
	begin_bench(&b);
	b.config.send_concurrency = 2 * CONCURRENCY;
	for (int k = 0; k < CONCURRENCY; k++)
		b.w.p.replies[k] = SILENCE;
	start_and_lease(&b, LEASED(NOTICE(41) "," NOTICE(42) "," NOTICE(43) "," NOTICE(44) "," NOTICE(45)));
	since_us = hl_mono_us();
	UNTIL(&b.w.f, count_calls(&b, "lease") == 2);
	assert_true(hl_mono_us() - since_us >= 3 * HL_US_PER_MS);
	assert_int_equal(json_integer_value(json_object_get(b.store.calls[1].json, "limit")), 1);
	end_bench(&b);
}

static void nothing_is_leased_before_it_can_be_sent(void **state)
{
	struct bench b;

	(void)state;
	begin_bench(&b);
	hl_outbox_kick(b.outbox);
	turn_idly(&b.w.f);
	assert_int_equal(b.store.n_calls, 0);
	b.store.is_away = true;
	hl_outbox_start(b.outbox, 77);
	turn_idly(&b.w.f);
	assert_int_equal(b.store.n_calls, 0);
	b.store.is_away = false;
	b.refdata = NULL;
	hl_outbox_kick(b.outbox);
	turn_idly(&b.w.f);
	assert_int_equal(b.store.n_calls, 0);
	b.refdata = ref;
	b.store.is_out_of_memory = true;
	hl_outbox_kick(b.outbox);
	turn_idly(&b.w.f);
	b.store.is_out_of_memory = false;
	hl_outbox_kick(b.outbox);
	turn_idly(&b.w.f);
	assert_int_equal(count_calls(&b, "lease"), 1);
	end_bench(&b);
}

static void a_kick_during_a_lease_is_not_lost(void **state)
{
	struct bench b;

	(void)state;
	begin_bench(&b);
	hl_outbox_start(b.outbox, 77);
	turn_idly(&b.w.f);
	hl_outbox_kick(b.outbox);
	turn_idly(&b.w.f);
	assert_int_equal(count_calls(&b, "lease"), 1);
	scripted_ok(&b.store, 0, LEASED(""));
	turn_idly(&b.w.f);
	assert_int_equal(count_calls(&b, "lease"), 2);
	scripted_fail(&b.store, 1, HL_RETRY, "57P01");
	turn_idly(&b.w.f);
	assert_int_equal(count_calls(&b, "lease"), 2);
	hl_outbox_kick(b.outbox);
	turn_idly(&b.w.f);
	assert_int_equal(count_calls(&b, "lease"), 3);
	end_bench(&b);
}

static void after_a_stop_what_is_on_its_way_is_settled_and_no_more_leased(void **state)
{
	struct bench b;
	unsigned i;

	(void)state;
	begin_bench(&b);
	b.w.p.replies[0] = ANSWER("3\r\n\r\np-1");
	start_and_lease(&b, LEASED(NOTICE(41)));
	hl_outbox_stop(b.outbox);
	wait_settle(&b, 0, &i);
	scripted_ok(&b.store, i, "{'now': 1, 'settled': 1}");
	turn_idly(&b.w.f);
	assert_int_equal(count_calls(&b, "lease"), 1);
	assert_int_equal(hl_outbox_outstanding(b.outbox), 0);
	end_bench(&b);
}

static void the_channel_is_chosen_by_purpose_among_those_that_send(void **state)
{
	static char officer[] = "officer", resident[] = "resident", bulk[] = "bulk", none[] = "";
	static const struct {
		char *purposes[3];
		const char *mute; /* channels that only receive */
		const char *officer, *resident, *known;
	} cases[] = {
		{{all, all, all}, "", "a", "a", "abc"},           {{resident, officer, all}, "", "b", "a", "abc"},
		{{resident, all, resident}, "", "b", "a", "abc"}, {{officer, officer, officer}, "", "a", "a", "abc"},
		{{all, all, all}, "a", "b", "b", "bc"},           {{officer, resident, all}, "a", "c", "b", "bc"},
		{{all, bulk, bulk}, "ab", "c", "c", "c"},         {{all, all, all}, "abc", "", "", ""},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		static const char *const names[] = {"a", "b", "c"};
		struct bench b;
		const json_t *known, *name;
		char joined[8] = "";
		size_t i;

		begin_bench(&b);
		for (i = 0; i < 3; i++) {
			b.channels[i].channel.name = names[i];
			b.channels[i].purpose = cases[c].purposes[i];
			b.channels[i].ops = &sender;
			b.channels[i].channel.send_url = strstr(cases[c].mute, names[i]) ? none : b.w.url;
		}
		hl_outbox_start(b.outbox, 77);
		turn_idly(&b.w.f);
		assert_string_equal(fixture_word(b.store.calls[0].json, "channels.officer"), cases[c].officer);
		assert_string_equal(fixture_word(b.store.calls[0].json, "channels.resident"), cases[c].resident);
		known = json_object_get(b.store.calls[0].json, "known");
		json_array_foreach (known, i, name)
			joined[i] = json_string_value(name)[0];
		assert_string_equal(joined, cases[c].known);
		end_bench(&b);
	}
}

static void our_signature_is_in_the_text_and_the_providers_is_only_counted(void **state)
{
	static char signature[] =
		"民生热线服务中心值班一组二组三组四组五组六组七组八组九组十组民生热线服务中心值班一组二组三组四组";
	static const struct {
		bool signs_ours;
		const char *text;
	} cases[] = {
		{true, "【民生热线服务中心值班一组二组三组四组五组六组七组八组九组十组民生热线服务中心值班一组二组三组"
		       "四组】感谢您的评价"},
		{false, "感谢您的评价"},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct bench b;
		const json_t *settle;
		unsigned i;

		begin_bench(&b);
		b.channels[0].signature = signature;
		b.channels[0].signs_ours = cases[c].signs_ours;
		b.channels[0].channel.send_url = "no url";
		b.config.db_deadline_ms = 3000;
		start_and_lease(&b, LEASED(NOTICE_OF(41, "main", "help_resident", "{}") "," NOTICE(42)));
		settle = wait_settle(&b, 0, &i);
		assert_string_equal(fixture_word(settle, "items.1.text"), cases[c].text);
		assert_int_equal(json_integer_value(fixture_at_path(settle, "items.0.parts")), 2);
		end_bench(&b);
	}
}

static void what_is_left_is_freed_without_an_answer(void **state)
{
	struct bench b;
	unsigned i;

	(void)state;
	begin_bench(&b);
	b.w.p.replies[0] = SILENCE;
	start_and_lease(&b, LEASED(NOTICE(41) "," NOTICE(42) "," NOTICE_OF(43, "gone", "thanks", "{}")));
	wait_settle(&b, 0, &i);
	end_bench(&b);

	begin_bench(&b);
	b.w.p.replies[0] = SILENCE;
	start_and_lease(&b, LEASED(NOTICE(41)));
	UNTIL(&b.w.f, b.w.p.n_requests == 1);
	scripted_fini(&b.store);
	hl_outbox_free(&b.outbox);
	turn_idly(&b.w.f);
	assert_int_equal(hl_http_client_in_flight(b.w.client), 0);
	end_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_notice_is_leased_sent_and_settled),
		cmocka_unit_test(what_the_provider_answers_is_settled_under_its_word),
		cmocka_unit_test(what_never_left_is_not_sent_and_silence_is_unknown),
		cmocka_unit_test(what_cannot_be_written_is_settled_without_a_request),
		cmocka_unit_test(the_providers_words_are_settled_as_clean_text),
		cmocka_unit_test(leases_that_ran_out_are_given_up_in_a_call_of_their_own),
		cmocka_unit_test(few_free_places_gather_before_they_are_leased),
		cmocka_unit_test(no_more_is_leased_than_may_be_on_its_way),
		cmocka_unit_test(nothing_is_leased_before_it_can_be_sent),
		cmocka_unit_test(a_kick_during_a_lease_is_not_lost),
		cmocka_unit_test(after_a_stop_what_is_on_its_way_is_settled_and_no_more_leased),
		cmocka_unit_test(the_channel_is_chosen_by_purpose_among_those_that_send),
		cmocka_unit_test(our_signature_is_in_the_text_and_the_providers_is_only_counted),
		cmocka_unit_test(what_is_left_is_freed_without_an_answer),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
