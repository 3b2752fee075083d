/* test_http_server.c - requests and answers: at once, later, too late, to nobody */
#include "http_fixture.h"

static void answers_inside_the_handler(void **state)
{
	struct fixture f;
	struct client c;

	(void)state;
	begin_joined(&f, &c, &default_options);
	say(&c, GET("/a?b"));
	UNTIL(&f, has_heard(&c, "GET /a?b "));
	assert_string_equal(hl_buf_str(&c.in),
			    "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 9\r\n"
			    "Content-Type: text/plain\r\n\r\nGET /a?b ");
	assert_false(c.is_closed);
	end_joined(&f, &c);
}

static void one_connection_carries_many_requests(void **state)
{
	struct fixture f;
	struct client c;

	(void)state;
	begin_joined(&f, &c, &default_options);
	for (unsigned i = 1; i <= 3; i++) {
		say(&c, "POST /n HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
		UNTIL(&f, count_heard(&c, "POST /n? hi") == i);
	}
	assert_int_equal(hl_http_server_stats(f.server)->accepted, 1);
	assert_int_equal(hl_http_server_stats(f.server)->requests, 3);
	leave(&f, &c);
	UNTIL(&f, hl_http_server_stats(f.server)->connections == 0);
	end(&f);
}

static void pipelined_requests_wait_their_turn(void **state)
{
	struct fixture f;
	struct client c;

	(void)state;
	begin(&f, &default_options);
	f.holds = true;
	join(&f, &c);
	say(&c,
	    GET("/1") "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n" GET("/3"));
	for (unsigned i = 1; i <= 3; i++) {
		UNTIL(&f, f.n_held == i);
		turn_idly(&f);
		assert_int_equal(f.n_held, i);
		echo(f.held[i - 1]);
	}
	UNTIL(&f, has_heard(&c, "GET /3"));
	assert_true(strstr(hl_buf_str(&c.in), "GET /1") < strstr(hl_buf_str(&c.in), "POST /2? x"));
	assert_true(strstr(hl_buf_str(&c.in), "POST /2") < strstr(hl_buf_str(&c.in), "GET /3"));
	end_joined(&f, &c);
}

/* A peer that goes on sending while its request is in work must not fill our memory. */
static void nothing_is_read_while_a_request_is_in_work(void **state)
{
	static char flood[32 << 20];
	struct fixture f;
	struct client c;

	(void)state;
	begin_held(&f, &c, &default_options, GET("/1"));
	memset(flood, 'x', sizeof(flood));
	bufferevent_write(c.bev, flood, sizeof(flood));
	turn_idly(&f);
	assert_true(evbuffer_get_length(bufferevent_get_output(c.bev)) > sizeof(flood) / 2);
	echo(f.held[0]);
	UNTIL(&f, has_heard(&c, "414"));
	end_joined(&f, &c);
}

static void a_client_that_vanished_does_not_concern_the_handler(void **state)
{
	struct fixture f;
	struct client c;

	(void)state;
	begin_held(&f, &c, &default_options, GET("/gone"));
	vanish(&f, &c);
	turn_idly(&f);
	assert_true(hl_slice_eq_str(hl_http_exchange_request(f.held[0])->path, "/gone"));
	assert_int_equal(hl_http_server_stats(f.server)->exchanges, 1);
	echo(f.held[0]);
	UNTIL(&f, hl_http_server_stats(f.server)->connections == 0);
	assert_int_equal(hl_http_server_stats(f.server)->exchanges, 0);
	end(&f);
}

static void a_half_closed_client_gets_its_answer(void **state)
{
	struct fixture f;
	struct client c;

	(void)state;
	begin_held(&f, &c, &default_options, GET("/half"));
	shutdown(bufferevent_getfd(c.bev), SHUT_WR);
	turn_idly(&f);
	echo(f.held[0]);
	UNTIL(&f, c.is_closed);
	assert_true(has_heard(&c, "GET /half"));
	end_joined(&f, &c);
}

static void a_late_answer_is_dropped(void **state)
{
	struct hl_http_server_options options = default_options;
	struct fixture f;
	struct client c;

	(void)state;
	options.answer_us = 50 * HL_US_PER_MS;
	begin(&f, &options);
	f.holds = true;
	join(&f, &c);
	say(&c, GET("/slow"));
	UNTIL(&f, c.is_closed);
	assert_true(has_heard(&c, "HTTP/1.1 503 "));
	assert_true(has_heard(&c, "Connection: close\r\n"));
	leave(&f, &c);
	UNTIL(&f, hl_http_server_stats(f.server)->connections == 0);
	assert_int_equal(hl_http_server_stats(f.server)->exchanges, 1);
	assert_int_equal(hl_http_server_stats(f.server)->timeouts, 1);
	assert_true(hl_slice_eq_str(hl_http_exchange_request(f.held[0])->path, "/slow"));
	echo(f.held[0]);
	assert_int_equal(hl_http_server_stats(f.server)->exchanges, 0);
	end(&f);
}

static void a_late_answer_while_the_503_still_leaves_is_dropped_too(void **state)
{
	struct hl_http_server_options options = default_options;
	struct fixture f;
	struct client c;

	(void)state;
	options.answer_us = 50 * HL_US_PER_MS;
	begin(&f, &options);
	f.holds = true;
	join(&f, &c);
	say(&c, GET("/slow"));
	UNTIL(&f, hl_http_server_stats(f.server)->timeouts == 1);
	echo(f.held[0]);
	UNTIL(&f, c.is_closed);
	assert_int_equal(count_heard(&c, "HTTP/1.1 "), 1);
	leave(&f, &c);
	UNTIL(&f, hl_http_server_stats(f.server)->connections == 0);
	end(&f);
}

static void close_is_honoured_and_announced(void **state)
{
	static const struct {
		const char *request, *expected;
		bool closes;
	} cases[] = {
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "Connection: close\r\n", true},
		{"GET / HTTP/1.0\r\n\r\n", "Connection: close\r\n", true},
		{"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "Connection: keep-alive\r\n", false},
	};
	struct fixture f;

	(void)state;
	begin(&f, &default_options);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct client c;

		join(&f, &c);
		say(&c, cases[i].request);
		UNTIL(&f, has_heard(&c, "GET /? ") && (c.is_closed || !cases[i].closes));
		/* Our side closes first and stays to take what the peer still sends. */
		assert_int_equal(hl_http_server_stats(f.server)->connections, 1);
		turn_idly(&f);
		assert_int_equal(c.is_closed, cases[i].closes);
		assert_true(has_heard(&c, cases[i].expected));
		leave(&f, &c);
		UNTIL(&f, hl_http_server_stats(f.server)->connections == 0);
	}
	end(&f);
}

static void some_answers_have_no_body(void **state)
{
	struct fixture f;
	struct client c;

	(void)state;
	begin_held(&f, &c, &default_options, "HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n" GET("/204") GET("/end"));
	echo(f.held[0]);
	UNTIL(&f, f.n_held == 2);
	hl_http_reply(f.held[1], 204, NULL, HL_LIT("never sent"));
	UNTIL(&f, f.n_held == 3);
	hl_http_reply(f.held[2], 200, NULL, HL_LIT("end"));
	UNTIL(&f, has_heard(&c, "end"));
	assert_string_equal(hl_buf_str(&c.in),
			    "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 9\r\n"
			    "Content-Type: text/plain\r\n\r\n"
			    "HTTP/1.1 204 No Content\r\nX-Content-Type-Options: nosniff\r\n\r\n"
			    "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\n"
			    "Content-Length: 3\r\n\r\nend");
	end_joined(&f, &c);
}

static void a_reason_is_json_whatever_it_holds(void **state)
{
	static const struct {
		const char *reason, *expected;
	} cases[] = {
		{"plain", "\r\n\r\n{\"error\":\"plain\"}"},
		{"a \"b\" \\ \n", "{\"error\":\"a \\\"b\\\" \\\\ \\u000a\"}"},
		{"\xe4\xbd\xa0", "{\"error\":\"\xe4\xbd\xa0\"}"},
		{"\xff!", "{\"error\":\"?!\"}"},
	};
	struct fixture f;
	struct client c;

	(void)state;
	begin(&f, &default_options);
	f.holds = true;
	join(&f, &c);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		say(&c, GET("/"));
		UNTIL(&f, f.n_held == i + 1);
		hl_http_reply_reason(f.held[i], 429, cases[i].reason);
		UNTIL(&f, has_heard(&c, cases[i].expected));
	}
	assert_true(has_heard(&c, "HTTP/1.1 429 Too Many Requests\r\n"));
	assert_true(has_heard(&c, "Content-Type: application/json\r\n"));
	end_joined(&f, &c);
}

static void continue_is_said_before_the_body(void **state)
{
	struct fixture f;
	struct client c;

	(void)state;
	begin_joined(&f, &c, &default_options);
	say(&c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
	UNTIL(&f, has_heard(&c, "HTTP/1.1 100 Continue\r\n\r\n"));
	say(&c, "hel");
	turn_idly(&f);
	say(&c, "lo");
	UNTIL(&f, has_heard(&c, "POST /? hello"));
	assert_int_equal(count_heard(&c, "100 Continue"), 1);
	say(&c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nall");
	UNTIL(&f, has_heard(&c, "POST /? all"));
	assert_int_equal(count_heard(&c, "100 Continue"), 1);
	end_joined(&f, &c);
}

static void drain_lets_requests_in_work_finish(void **state)
{
	struct fixture f;
	struct client idle, half, busy;

	(void)state;
	begin(&f, &default_options);
	f.holds = true;
	join(&f, &idle);
	join(&f, &half);
	join(&f, &busy);
	say(&half, "GET / HT");
	say(&busy, GET("/busy") GET("/next"));
	UNTIL(&f, f.n_held == 1 && hl_http_server_stats(f.server)->connections == 3);
	turn_idly(&f);

	hl_http_server_drain(f.server, on_drained, &f);
	assert_int_equal(hl_http_server_port(f.server), 0);
	UNTIL(&f, idle.is_closed && half.is_closed);
	assert_int_equal(idle.in.len, 0);
	assert_true(has_heard(&half, "HTTP/1.1 503 "));
	leave(&f, &idle);
	leave(&f, &half);
	turn_idly(&f);
	assert_int_equal(f.n_drained, 0);

	echo(f.held[0]);
	UNTIL(&f, busy.is_closed);
	assert_int_equal(f.n_drained, 0);
	leave(&f, &busy);
	UNTIL(&f, f.n_drained > 0);
	turn_idly(&f);
	assert_int_equal(f.n_drained, 1);
	assert_int_equal(f.n_held, 1);
	end(&f);
}

static void drain_closes_behind_answers_that_are_leaving(void **state)
{
	struct fixture f;
	struct client a, b;

	(void)state;
	begin(&f, &default_options);
	f.holds = true;
	join(&f, &a);
	join(&f, &b);
	say(&a, GET("/"));
	say(&b, GET("/"));
	UNTIL(&f, f.n_held == 2);
	echo(f.held[0]);
	echo(f.held[1]);
	hl_http_server_drain(f.server, on_drained, &f);
	UNTIL(&f, a.is_closed && b.is_closed);
	assert_true(has_heard(&a, "GET /? ") && has_heard(&b, "GET /? "));
	leave(&f, &a);
	UNTIL(&f, hl_http_server_stats(f.server)->connections == 1);
	turn_idly(&f);
	assert_int_equal(f.n_drained, 0);
	leave(&f, &b);
	UNTIL(&f, f.n_drained == 1);
	end(&f);
}

static void drain_of_an_idle_server_is_done_later_not_inside(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, &default_options);
	hl_http_server_drain(f.server, on_drained, &f);
	assert_int_equal(f.n_drained, 0);
	UNTIL(&f, f.n_drained == 1);
	end(&f);
}

static void drain_waits_for_exchanges_whose_client_is_gone(void **state)
{
	struct hl_http_server_options options = default_options;
	struct fixture f;
	struct client c;

	(void)state;
	options.answer_us = 50 * HL_US_PER_MS;
	begin(&f, &options);
	f.holds = true;
	join(&f, &c);
	say(&c, GET("/"));
	UNTIL(&f, c.is_closed);
	leave(&f, &c);
	UNTIL(&f, hl_http_server_stats(f.server)->connections == 0);
	hl_http_server_drain(f.server, on_drained, &f);
	turn_idly(&f);
	assert_int_equal(f.n_drained, 0);
	echo(f.held[0]);
	UNTIL(&f, f.n_drained == 1);
	end(&f);
}

/* The owner of an exchange may answer when server and loop are long gone. */
static void free_leaves_unanswered_exchanges_valid(void **state)
{
	struct hl_http_server_options options = default_options;
	struct fixture f;
	struct client timed_out, live;

	(void)state;
	options.answer_us = 100 * HL_US_PER_MS;
	begin(&f, &options);
	f.holds = true;
	join(&f, &timed_out);
	say(&timed_out, GET("/1"));
	UNTIL(&f, timed_out.is_closed);
	leave(&f, &timed_out);
	UNTIL(&f, hl_http_server_stats(f.server)->connections == 0);
	join(&f, &live);
	say(&live, GET("/2"));
	UNTIL(&f, f.n_held == 2);
	hl_http_server_free(&f.server);
	UNTIL(&f, live.is_closed);
	leave(&f, &live);
	end(&f);
	assert_true(hl_slice_eq_str(hl_http_exchange_request(f.held[0])->path, "/1"));
	assert_true(hl_slice_eq_str(hl_http_exchange_request(f.held[1])->path, "/2"));
	echo(f.held[0]);
	echo(f.held[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_inside_the_handler),
		cmocka_unit_test(one_connection_carries_many_requests),
		cmocka_unit_test(pipelined_requests_wait_their_turn),
		cmocka_unit_test(nothing_is_read_while_a_request_is_in_work),
		cmocka_unit_test(a_client_that_vanished_does_not_concern_the_handler),
		cmocka_unit_test(a_half_closed_client_gets_its_answer),
		cmocka_unit_test(a_late_answer_is_dropped),
		cmocka_unit_test(a_late_answer_while_the_503_still_leaves_is_dropped_too),
		cmocka_unit_test(close_is_honoured_and_announced),
		cmocka_unit_test(some_answers_have_no_body),
		cmocka_unit_test(a_reason_is_json_whatever_it_holds),
		cmocka_unit_test(continue_is_said_before_the_body),
		cmocka_unit_test(drain_lets_requests_in_work_finish),
		cmocka_unit_test(drain_closes_behind_answers_that_are_leaving),
		cmocka_unit_test(drain_of_an_idle_server_is_done_later_not_inside),
		cmocka_unit_test(drain_waits_for_exchanges_whose_client_is_gone),
		cmocka_unit_test(free_leaves_unanswered_exchanges_valid),
	};

	return cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
}
