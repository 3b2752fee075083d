/* test_dialogue.c - pending messages through the store: one call each, stale ones decided again, the sweep */
#include "refdata_fixture.h"
#include "scripted_store.h"

#include "hotline/dialogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A context in which 签 signs task 11, and its act came too late. */
#define CONTEXT(message, text)                                                                                         \
	"{'message': " #message ", 'person': 6, 'channel': 'main', 'text': '" text "', 'lang': 'zh-CN',"               \
	" 'units': ['FIR'], 'survey': null, 'survey_case': null, 'cases': [], 'tasks': [{'task': 11,"                  \
	" 'code': '3F7KH', 'state': 'dispatched', 'unit': 'FIR', 'case': '26-000001', 'close_by': 1790500000,"         \
	" 'signed_at': null, 'holder_name': '', 'place': '', 'type': ''}]}"
#define TALK(contexts) "{'now': 1, 'talk': [" contexts "]}"
#define RESULT(result) "{'now': 1, 'items': [{'i': 0, 'result': '" result "'}]}"

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

struct world {
	struct hl_loop *loop;
	struct scripted_store store;
	struct hl_channel_config channels[2];
	struct hl_config config;
	struct hl_case_clock clock;
	struct hl_dialogue *dialogue;
	unsigned n_commits;
};

static void on_committed(void *arg)
{
	struct world *w = arg;

	w->n_commits++;
}

static void set_up(struct world *w)
{
	*w = (struct world){.loop = hl_loop_new()};
	assert_non_null(w->loop);
	scripted_init(&w->store, w->loop);
	w->channels[0] = (struct hl_channel_config){.channel = {.name = "main"}, .trust = HL_TRUST_LOW};
	w->channels[1] = (struct hl_channel_config){.channel = {.name = "vouching"}, .trust = HL_TRUST_HIGH};
	w->config = (struct hl_config){.channels = w->channels, .n_channels = 2, .db_deadline_ms = 3000};
	w->dialogue = hl_dialogue_new(&(struct hl_dialogue_setup){.loop = w->loop,
								  .store = scripted_seam(&w->store),
								  .refdata = &ref,
								  .config = &w->config,
								  .clock = &w->clock,
								  .on_committed = on_committed,
								  .arg = w});
	assert_non_null(w->dialogue);
}

static void tear_down(struct world *w)
{
	scripted_fini(&w->store);
	hl_dialogue_free(&w->dialogue);
	assert_null(w->dialogue);
	hl_loop_turn(w->loop, false);
	hl_loop_free(&w->loop);
}

static void take(struct world *w, const char *contexts)
{
	json_t *list = fixture_json(contexts);

	hl_dialogue_take(w->dialogue, list);
	json_decref(list);
}

static const char *act_word(const struct world *w, unsigned call, const char *path)
{
	return fixture_word(json_array_get(scripted_call(&w->store, call, "act")->json, 0), path);
}

static void every_message_is_a_call_of_its_own(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	take(&w, "[" CONTEXT(5, "签") "," CONTEXT(6, "帮助") "]");
	assert_int_equal(w.store.n_calls, 2);
	assert_string_equal(act_word(&w, 0, "verb"), "sign");
	assert_string_equal(act_word(&w, 1, "reply.template"), "help_officer");
	assert_int_equal(json_array_size(w.store.calls[0].json), 1);
	assert_int_equal(w.store.calls[0].flags, 0);
	assert_int_equal(w.store.calls[0].deadline_us, 3000 * HL_US_PER_MS);
	assert_int_equal(hl_dialogue_outstanding(w.dialogue), 2);
	scripted_ok(&w.store, 0, RESULT("ok"));
	scripted_fail(&w.store, 1, HL_REFUSED, "P0110");
	assert_int_equal(hl_dialogue_outstanding(w.dialogue), 0);
	assert_int_equal(w.n_commits, 1);
	assert_int_equal(w.store.n_calls, 2);
	tear_down(&w);
}

static void a_stale_act_is_decided_again_at_most_three_rounds(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	take(&w, "[" CONTEXT(5, "签") "]");
	for (unsigned round = 0; round < 2; round++) {
		const struct scripted_call *again;

		scripted_ok(&w.store, 2 * round, RESULT("stale"));
		again = scripted_call(&w.store, 2 * round + 1, "talk_again");
		assert_int_equal(json_integer_value(fixture_at_path(again->json, "messages.0")), 5);
		assert_int_equal(again->flags, HL_PG_IDEMPOTENT);
		assert_int_equal(hl_dialogue_outstanding(w.dialogue), 1);
		scripted_ok(&w.store, 2 * round + 1, TALK(CONTEXT(5, "签")));
		assert_string_equal(act_word(&w, 2 * round + 2, "verb"), "sign");
	}
	scripted_ok(&w.store, 4, RESULT("stale"));
	assert_int_equal(w.store.n_calls, 5);
	assert_int_equal(hl_dialogue_outstanding(w.dialogue), 0);
	tear_down(&w);
}

static void fresh_context_can_change_the_act(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	take(&w, "[" CONTEXT(5, "签") "]");
	scripted_ok(&w.store, 0, RESULT("stale"));
	scripted_ok(&w.store, 1, TALK(CONTEXT(5, "帮助")));
	assert_string_equal(act_word(&w, 2, "reply.template"), "help_officer");
	scripted_ok(&w.store, 2, RESULT("ok"));
	assert_int_equal(w.store.n_calls, 3);
	tear_down(&w);
}

static void other_results_end_the_matter(void **state)
{
	static const char *const results[] = {"ok", "repeat", "refused"};
	struct world w;

	(void)state;
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		char answer[80];

		set_up(&w);
		take(&w, "[" CONTEXT(5, "签") "]");
		snprintf(answer, sizeof(answer), "{'now': 1, 'items': [{'i': 0, 'result': '%s'}]}", results[i]);
		scripted_ok(&w.store, 0, answer);
		assert_int_equal(w.store.n_calls, 1);
		assert_int_equal(w.n_commits, 1);
		tear_down(&w);
	}
}

static void what_the_store_could_not_do_stays_pending(void **state)
{
	static const enum hl_class classes[] = {HL_RETRY, HL_UNKNOWN, HL_INPUT, HL_BUG};
	struct world w;

	(void)state;
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		set_up(&w);
		take(&w, "[" CONTEXT(5, "签") "]");
		scripted_fail(&w.store, 0, classes[i], "");
		assert_int_equal(w.store.n_calls, 1);
		assert_int_equal(w.n_commits, 0);
		assert_int_equal(hl_dialogue_outstanding(w.dialogue), 0);
		tear_down(&w);
	}
	set_up(&w);
	take(&w, "[" CONTEXT(5, "签") "]");
	scripted_ok(&w.store, 0, RESULT("stale"));
	scripted_fail(&w.store, 1, HL_RETRY, "");
	assert_int_equal(w.store.n_calls, 2);
	assert_int_equal(hl_dialogue_outstanding(w.dialogue), 0);
	tear_down(&w);
}

static void a_store_without_memory_keeps_nothing(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	w.store.is_out_of_memory = true;
	take(&w, "[" CONTEXT(5, "签") "]");
	hl_dialogue_sweep(w.dialogue);
	assert_int_equal(hl_dialogue_outstanding(w.dialogue), 0);
	w.store.is_out_of_memory = false;
	take(&w, "[" CONTEXT(5, "签") "]");
	w.store.is_out_of_memory = true;
	scripted_ok(&w.store, 0, RESULT("stale"));
	assert_int_equal(hl_dialogue_outstanding(w.dialogue), 0);
	tear_down(&w);
}

static void only_a_channel_that_vouches_for_numbers_is_trusted(void **state)
{
	static const struct {
		const char *channel, *verb;
	} cases[] = {{"main", "reply"}, {"vouching", "close"}, {"gone", "reply"}};
	struct world w;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *contexts = fixture_json("[" CONTEXT(5, "结 已修好") "]");

		set_up(&w);
		json_object_set_new(json_array_get(contexts, 0), "channel", json_string(cases[i].channel));
		hl_dialogue_take(w.dialogue, contexts);
		assert_string_equal(act_word(&w, 0, "verb"), cases[i].verb);
		json_decref(contexts);
		tear_down(&w);
	}
}

static void the_sweep_claims_orphans_one_call_at_a_time(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	w.store.is_away = true;
	hl_dialogue_sweep(w.dialogue);
	assert_int_equal(w.store.n_calls, 0);
	w.store.is_away = false;
	hl_dialogue_sweep(w.dialogue);
	hl_dialogue_sweep(w.dialogue);
	assert_int_equal(w.store.n_calls, 1);
	assert_true(json_integer_value(json_object_get(scripted_call(&w.store, 0, "claim_pending")->json, "limit")) >
		    0);
	scripted_ok(&w.store, 0, TALK(CONTEXT(7, "签") "," CONTEXT(8, "帮助")));
	assert_string_equal(act_word(&w, 1, "verb"), "sign");
	assert_string_equal(act_word(&w, 2, "reply.template"), "help_officer");
	hl_dialogue_sweep(w.dialogue);
	scripted_fail(&w.store, 3, HL_RETRY, "");
	hl_dialogue_sweep(w.dialogue);
	scripted_call(&w.store, 4, "claim_pending");
	tear_down(&w);
}

static void what_is_left_is_freed(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	take(&w, "[" CONTEXT(5, "签") "," CONTEXT(6, "签") "]");
	scripted_ok(&w.store, 0, RESULT("stale"));
	hl_dialogue_sweep(w.dialogue);
	assert_int_equal(scripted_open(&w.store), 3);
	tear_down(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_is_a_call_of_its_own),
		cmocka_unit_test(a_stale_act_is_decided_again_at_most_three_rounds),
		cmocka_unit_test(fresh_context_can_change_the_act),
		cmocka_unit_test(other_results_end_the_matter),
		cmocka_unit_test(what_the_store_could_not_do_stays_pending),
		cmocka_unit_test(a_store_without_memory_keeps_nothing),
		cmocka_unit_test(only_a_channel_that_vouches_for_numbers_is_trusted),
		cmocka_unit_test(the_sweep_claims_orphans_one_call_at_a_time),
		cmocka_unit_test(what_is_left_is_freed),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
