/* test_outbox.c - lease, send, settle: a scripted store on one side, a provider that listens in the same loop on the
 * other */
#include "http_world.h"
#include "refdata_fixture.h"
#include "scripted_store.h"

#include "hotline/outbox.h"

#define CONCURRENCY 3
#define NOTICE_OF(attempt, channel, template, params)                                                                  \
	"{'attempt': " #attempt                                                                                        \
	", 'notice': 7, 'phone': '+8610000000001', 'lang': 'zh-CN', 'template': '" template "', 'params': " params     \
											    ", 'channel': '" channel   \
											    "', 'resend': false, "     \
											    "'lane': 3}"
#define NOTICE(attempt) NOTICE_OF(attempt, "main", "thanks", "{}")
#define LEASED(notices) "{'now': 1, 'notices': [" notices "]}"
#define ANSWER(body)    "HTTP/1.1 200 OK\r\nContent-Length: " body

struct bench {
	struct world w;
	struct scripted_store store;
	struct hl_refdata *refdata;
	struct hl_channel_config channels[3];
	struct hl_config config;
	struct hl_case_clock clock;
	struct hl_outbox *outbox;
};

static struct hl_refdata *ref;

static int load(void **state)
{
	(void)state;
	ref = fixture_refdata();
	return 0;
}

static int unload(void **state)
{
	(void)state;
	hl_refdata_free(&ref);
	return 0;
}

/* ---- a provider of our own: the answer's body is the outcome --------------- */

static enum hl_class build(const struct hl_channel *ch, const struct hl_outbound *sms, int64_t now_us,
			   struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	(void)now_us;
	if (ch->username)
		return hl_fail(err, HL_CONFIG, "%s has no account", ch->username);
	*out = (struct hl_request){.url = ch->send_url};
	out->body = hl_slice_str(hl_arena_printf(arena, "%llu|%.*s|%.*s", (unsigned long long)sms->attempt,
						 HL_SLICE_ARG(sms->to), HL_SLICE_ARG(sms->text)));
	return HL_OK;
}

static void interpret(const struct hl_channel *ch, int status, struct hl_slice body,
		      const struct hl_http_header *headers, size_t n_headers, struct hl_arena *arena,
		      struct hl_answer *out)
{
	static const char *const words[] = {"accepted", "later", "refused", "config", "unknown"};

	(void)ch;
	(void)status;
	(void)headers;
	(void)n_headers;
	*out = (struct hl_answer){.outcome = HL_OUT_ACCEPTED, .detail = hl_arena_dup(arena, body)};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (hl_slice_eq_str(body, words[i]))
			out->outcome = (enum hl_outcome)i;
	if (out->outcome == HL_OUT_LATER)
		out->delay_us = 60 * HL_US_PER_S;
	if (out->outcome == HL_OUT_ACCEPTED)
		out->external_id = hl_arena_dup(arena, body);
}

static const struct hl_provider sender = {.name = "test", .build = build, .interpret = interpret};
static const struct hl_provider listener = {.name = "inbound only"};

/* ---- the bench -------------------------------------------------------------- */

static char all[] = "all", no_signature[] = "";

static void begin_bench(struct bench *b)
{
	*b = (struct bench){.refdata = ref};
	set_up(&b->w, CONCURRENCY);
	scripted_init(&b->store, b->w.f.loop);
	for (int i = 0; i < 3; i++)
		b->channels[i] = (struct hl_channel_config){
			.ops = &sender, .purpose = all, .signature = no_signature, .channel.send_url = b->w.url};
	b->channels[0].channel.name = "main";
	b->channels[1].channel.name = "inbound";
	b->channels[1].ops = &listener;
	b->channels[2].channel.name = "unfinished";
	b->channels[2].channel.username = "nobody";
	b->config = (struct hl_config){.channels = b->channels,
				       .n_channels = 3,
				       .db_deadline_ms = 3000,
				       .send_deadline_ms = 10000,
				       .send_concurrency = CONCURRENCY,
				       .lease_ms = 30000};
	b->outbox = hl_outbox_new(&(struct hl_outbox_setup){.loop = b->w.f.loop,
							    .store = scripted_seam(&b->store),
							    .client = b->w.client,
							    .refdata = &b->refdata,
							    .config = &b->config,
							    .clock = &b->clock});
	assert_non_null(b->outbox);
}

static void end_bench(struct bench *b)
{
	scripted_fini(&b->store);
	hl_http_client_free(&b->w.client);
	hl_outbox_free(&b->outbox);
	assert_null(b->outbox);
	tear_down(&b->w);
}

static void start_and_lease(struct bench *b, const char *notices)
{
	hl_outbox_start(b->outbox, 77);
	turn_idly(&b->w.f);
	assert_int_equal(b->store.n_calls, 1);
	scripted_call(&b->store, 0, "lease");
	scripted_ok(&b->store, 0, notices);
}

/* The n-th settle call, waited for; *i_r its number. */
static const json_t *wait_settle(struct bench *b, unsigned n, unsigned *i_r)
{
	unsigned seen, i;

	for (;;) {
		for (i = 0, seen = 0; i < b->store.n_calls; i++)
			if (strcmp(b->store.calls[i].function, "settle") == 0 && seen++ == n) {
				*i_r = i;
				return b->store.calls[i].json;
			}
		assert_false(b->w.f.is_late);
		hl_loop_turn(b->w.f.loop, true);
	}
}

static unsigned count_calls(const struct bench *b, const char *function)
{
	unsigned n = 0;

	for (unsigned i = 0; i < b->store.n_calls; i++)
		n += strcmp(b->store.calls[i].function, function) == 0;
	return n;
}

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
		cmocka_unit_test(results_are_told_again_until_the_store_has_them),
		cmocka_unit_test(results_that_come_meanwhile_wait_for_the_next_call),
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
