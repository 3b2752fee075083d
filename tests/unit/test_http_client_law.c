/* test_http_client_law.c - the async law for outgoing requests: done exactly once, later, never after cancel */
#include "http_world.h"

static void bad_calls_are_reported_through_done(void **state)
{
	static const struct {
		const char *url;
		struct hl_http_header header;
		enum hl_class cls;
	} cases[] = {
		{"", {HL_LIT("A"), HL_LIT("b")}, HL_CONFIG},
		{"http://", {HL_LIT("A"), HL_LIT("b")}, HL_CONFIG},
		{"ftp://127.0.0.1/", {HL_LIT("A"), HL_LIT("b")}, HL_CONFIG},
		{"file:///etc/passwd", {HL_LIT("A"), HL_LIT("b")}, HL_CONFIG},
		{"http://127.0.0.1/a b", {HL_LIT("A"), HL_LIT("b")}, HL_CONFIG},
		{"http://127.0.0.1/\r\nX: y", {HL_LIT("A"), HL_LIT("b")}, HL_CONFIG},
		{NULL, {HL_LIT("A"), HL_LIT("b\r\nC: d")}, HL_BUG},
		{NULL, {HL_LIT("A"), HL_LIT("b\n")}, HL_BUG},
		{NULL, {HL_LIT("A"), HL_LIT("b\0c")}, HL_BUG},
		{NULL, {HL_LIT("A: b\r\nC"), HL_LIT("d")}, HL_BUG},
		{NULL, {HL_LIT("A:"), HL_LIT("d")}, HL_BUG},
		{NULL, {HL_LIT(""), HL_LIT("d")}, HL_BUG},
		{NULL, {HL_LIT("content-length"), HL_LIT("1")}, HL_BUG},
		{NULL, {HL_LIT("Expect"), HL_LIT("100-continue")}, HL_BUG},
		{NULL, {HL_LIT("Transfer-Encoding"), HL_LIT("chunked")}, HL_BUG},
	};
	struct world w;

	(void)state;
	set_up(&w, 4);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hl_http_call call = make_call(&w, "x");
		struct outcome o;

		call.url = cases[i].url ? cases[i].url : w.url;
		call.headers = &cases[i].header;
		call.n_headers = 1;
		run(&w, &call, &o);
		if (o.cls != cases[i].cls)
			fail_msg("case %zu: class %d rc %d %s", i, (int)o.cls, o.curl_code, o.text);
	}
	assert_int_equal(w.p.n_requests, 0);
	tear_down(&w);
}

static void a_full_queue_answers_at_once(void **state)
{
	struct world w;
	struct outcome o[3];
	struct hl_http_call call;

	(void)state;
	set_up(&w, 1);
	w.p.replies[0] = SILENCE;
	w.p.replies[1] = OK_HI;
	call = make_call(&w, "x");
	for (int i = 0; i < 3; i++)
		submit(&w, &call, &o[i]);
	assert_int_equal(hl_http_client_in_flight(w.client), 3);
	UNTIL(&w.f, o[2].n_done == 1);
	assert_int_equal(o[2].cls, HL_RETRY);
	assert_string_equal(o[2].text, "queue full");
	UNTIL(&w.f, w.p.n_requests == 1);
	turn_idly(&w.f);
	assert_int_equal(w.p.n_requests, 1);
	hl_http_cancel(&o[0].op);
	UNTIL(&w.f, o[1].n_done == 1);
	assert_int_equal(o[1].cls, HL_OK);
	assert_int_equal(o[0].n_done, 0);
	assert_int_equal(hl_http_client_in_flight(w.client), 0);
	tear_down(&w);
}

static void a_deadline_that_passes_in_the_queue_sent_nothing(void **state)
{
	struct world w;
	struct outcome busy, waiting, dead;
	struct hl_http_call call;

	(void)state;
	set_up(&w, 1);
	w.p.replies[0] = SILENCE;
	call = make_call(&w, "x");
	submit(&w, &call, &busy);
	call.deadline_us = 50 * HL_US_PER_MS;
	submit(&w, &call, &waiting);
	UNTIL(&w.f, waiting.n_done == 1);
	assert_int_equal(waiting.cls, HL_RETRY);
	hl_http_cancel(&busy.op);
	call.deadline_us = 0;
	run(&w, &call, &dead);
	assert_int_equal(dead.cls, HL_RETRY);
	assert_string_equal(w.p.bodies, "[x]");
	tear_down(&w);
}

static void done_never_runs_after_cancel(void **state)
{
	struct world w;
	struct outcome before, active, answered;
	struct hl_http_call call;

	(void)state;
	set_up(&w, 4);
	w.p.replies[0] = SILENCE;
	w.p.replies[1] = OK_HI;
	call = make_call(&w, "x");
	submit(&w, &call, &before);
	hl_http_cancel(&before.op);
	assert_null(before.op);
	hl_http_cancel(&before.op);
	submit(&w, &call, &active);
	UNTIL(&w.f, w.p.n_requests == 1);
	hl_http_cancel(&active.op);
	run(&w, &call, &answered);
	assert_int_equal(before.n_done + active.n_done, 0);
	assert_int_equal(hl_http_client_in_flight(w.client), 0);
	tear_down(&w);
}

struct chain {
	struct world *w;
	struct outcome second, third;
	unsigned n_first;
	bool was_inside;
};

/* Inside a done: submits one and cancels one whose result is known as well. */
static void on_first_done(void *arg, const struct hl_http_result *result)
{
	struct chain *chain = arg;
	struct hl_http_call call = make_call(chain->w, "x");

	(void)result;
	chain->n_first++;
	hl_http_cancel(&chain->second.op);
	call.url = "";
	submit(chain->w, &call, &chain->third);
	chain->was_inside = true;
}

static void done_may_submit_and_cancel(void **state)
{
	struct world w;
	struct chain chain = {.w = &w};
	struct hl_http_call call;
	struct hl_http_op *first;

	(void)state;
	set_up(&w, 4);
	call = make_call(&w, "x");
	call.url = "";
	assert_int_equal(hl_http_submit(w.client, &call, on_first_done, &chain, &first), HL_OK);
	submit(&w, &call, &chain.second);
	hl_loop_turn(w.f.loop, false);
	assert_int_equal(chain.n_first, 1);
	assert_true(chain.was_inside);
	assert_int_equal(chain.third.n_done, 0);
	UNTIL(&w.f, chain.third.n_done == 1);
	assert_int_equal(chain.second.n_done, 0);
	tear_down(&w);
}

static void free_cancels_what_is_left(void **state)
{
	struct world w;
	struct outcome active, waiting, finished;
	struct hl_http_call call;

	(void)state;
	set_up(&w, 1);
	w.p.replies[0] = SILENCE;
	call = make_call(&w, "x");
	submit(&w, &call, &active);
	submit(&w, &call, &waiting);
	UNTIL(&w.f, w.p.n_requests == 1);
	call.url = "";
	submit(&w, &call, &finished);
	hl_http_client_free(&w.client);
	turn_idly(&w.f);
	assert_null(active.op);
	assert_null(waiting.op);
	assert_null(finished.op);
	assert_int_equal(active.n_done + waiting.n_done + finished.n_done, 0);
	tear_down(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_calls_are_reported_through_done),
		cmocka_unit_test(a_full_queue_answers_at_once),
		cmocka_unit_test(a_deadline_that_passes_in_the_queue_sent_nothing),
		cmocka_unit_test(done_never_runs_after_cancel),
		cmocka_unit_test(done_may_submit_and_cancel),
		cmocka_unit_test(free_cancels_what_is_left),
	};

	return cmocka_run_group_tests_name("http_client_law", tests, NULL, NULL);
}
