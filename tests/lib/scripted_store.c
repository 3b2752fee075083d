/* scripted_store.c - a store for tests that answers when it is told to (see scripted_store.h) */
#include "scripted_store.h"

#include "calendar_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void deliver(void *arg)
{
	struct scripted_call *call = arg;

	call->done(call->arg, &call->result);
}

static enum hl_class submit(void *ctx, const char *function, struct hl_slice json, int flags, int64_t deadline_us,
			    hl_pg_done *done, void *arg)
{
	struct scripted_store *store = ctx;
	struct scripted_call *call = &store->calls[store->n_calls];

	if (store->is_out_of_memory)
		return HL_NOMEM;
	assert_true(store->n_calls < SCRIPTED_CALLS_MAX);
	*call = (struct scripted_call){
		.store = store, .flags = flags, .deadline_us = deadline_us, .done = done, .arg = arg};
	call->post = (struct hl_post){.fn = deliver, .arg = call};
	snprintf(call->function, sizeof(call->function), "%s", function);
	call->json = json_loadb(json.ptr, json.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(call->json);
	store->n_calls++;
	return HL_OK;
}

static bool is_ready(void *ctx)
{
	const struct scripted_store *store = ctx;

	return !store->is_away;
}

void scripted_init(struct scripted_store *store, struct hl_loop *loop)
{
	*store = (struct scripted_store){.loop = loop};
}

void scripted_fini(struct scripted_store *store)
{
	for (unsigned i = 0; i < store->n_calls; i++) {
		hl_loop_unpost(store->loop, &store->calls[i].post);
		json_decref(store->calls[i].json);
		free(store->calls[i].text);
	}
	store->n_calls = 0;
}

struct hl_store scripted_seam(struct scripted_store *store)
{
	return (struct hl_store){.ctx = store, .submit = submit, .is_ready = is_ready};
}

const struct scripted_call *scripted_call(const struct scripted_store *store, unsigned i, const char *function)
{
	if (i >= store->n_calls)
		fail_msg("call %u was not made, only %u", i, store->n_calls);
	assert_string_equal(store->calls[i].function, function);
	return &store->calls[i];
}

unsigned scripted_open(const struct scripted_store *store)
{
	unsigned n = 0;

	for (unsigned i = 0; i < store->n_calls; i++)
		n += !store->calls[i].is_answered;
	return n;
}

static void answer(struct scripted_store *store, unsigned i, struct hl_pg_result result)
{
	struct scripted_call *call = &store->calls[i];

	assert_true(i < store->n_calls);
	assert_false(call->is_answered);
	call->is_answered = true;
	call->result = result;
	hl_loop_post(store->loop, &call->post);
	hl_loop_turn(store->loop, false);
}

void scripted_ok(struct scripted_store *store, unsigned i, const char *json)
{
	json_t *value = fixture_json(json);
	char *text = json_dumps(value, JSON_ENCODE_ANY);

	json_decref(value);
	assert_non_null(text);
	assert_true(i < store->n_calls);
	store->calls[i].text = text;
	answer(store, i, (struct hl_pg_result){.cls = HL_OK, .json = hl_slice_str(text), .text = ""});
}

void scripted_fail(struct scripted_store *store, unsigned i, enum hl_class cls, const char *sqlstate)
{
	struct hl_pg_result result = {.cls = cls, .text = "as the script says"};

	snprintf(result.sqlstate, sizeof(result.sqlstate), "%s", sqlstate);
	answer(store, i, result);
}
