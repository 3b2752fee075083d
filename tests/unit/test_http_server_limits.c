/* test_http_server_limits.c - deadlines, caps, hostile framing */
#include "http_fixture.h"

#define POST     "POST / HTTP/1.1\r\nHost: a\r\n"
#define SHORT_US (60 * HL_US_PER_MS)

struct drip {
	struct client *client;
	struct hl_timer timer;
	const char *rest; /* sent byte by byte, its last byte for ever */
};

static void on_drip(void *arg)
{
	struct drip *d = arg;

	bufferevent_write(d->client->bev, d->rest, 1);
	if (d->rest[1])
		d->rest++;
	hl_timer_start(&d->timer, 2 * HL_US_PER_MS);
}

/* Each byte comes long before the deadline would end, if it were counted from the byte before. */
static void a_slow_drip_hits_the_absolute_deadline(void **state)
{
	static const struct {
		const char *at_once, *bytewise;
	} drips[] = {
		{"", "GET /"},
		{"GET / HTTP/1.1\r\n", "X: a"},
		{POST "Content-Length: 9000\r\n\r\n", "a"},
		{POST "Transfer-Encoding: chunked\r\n\r\n", "ff\r\na"},
	};
	struct hl_http_server_options options = default_options;
	struct fixture f;

	(void)state;
	options.header_us = options.body_us = SHORT_US;
	begin(&f, &options);
	for (unsigned i = 0; i < sizeof(drips) / sizeof(drips[0]); i++) {
		struct client c;
		struct drip d = {.client = &c, .rest = drips[i].bytewise};
		int64_t begun_us = hl_mono_us();

		join(&f, &c);
		assert_true(hl_timer_init(&d.timer, f.loop, on_drip, &d));
		say(&c, drips[i].at_once);
		on_drip(&d);
		UNTIL(&f, has_heard(&c, "\"}"));
		assert_true(has_heard(&c, "HTTP/1.1 408 "));
		assert_true(hl_mono_us() - begun_us >= SHORT_US);
		assert_int_equal(hl_http_server_stats(f.server)->timeouts, i + 1);
		hl_timer_fini(&d.timer);
		leave(&f, &c);
	}
	assert_int_equal(hl_http_server_stats(f.server)->requests, 0);
	end(&f);
}

static void an_idle_connection_is_closed_without_a_word(void **state)
{
	struct hl_http_server_options options = default_options;
	struct fixture f;
	struct client c;

	(void)state;
	options.idle_us = SHORT_US;
	begin_joined(&f, &c, &options);
	UNTIL(&f, c.is_closed);
	assert_int_equal(c.in.len, 0);
	leave(&f, &c);
	join(&f, &c);
	say(&c, GET("/"));
	UNTIL(&f, c.is_closed);
	assert_int_equal(count_heard(&c, "HTTP/1.1 "), 1);
	end_joined(&f, &c);
}

static void a_client_that_does_not_read_is_cut_off(void **state)
{
	static char big[16 << 20];
	struct hl_http_server_options options = default_options;
	struct fixture f;
	struct client c;

	(void)state;
	options.write_us = SHORT_US;
	begin_held(&f, &c, &options, GET("/"));
	bufferevent_disable(c.bev, EV_READ);
	hl_http_reply(f.held[0], 200, NULL, (struct hl_slice){big, sizeof(big)});
	UNTIL(&f, hl_http_server_stats(f.server)->connections == 0);
	assert_int_equal(hl_http_server_stats(f.server)->timeouts, 1);
	end_joined(&f, &c);
}

/* Fault 70: whatever stands behind an ambiguous request is never executed. */
static void ambiguous_framing_closes_and_nothing_behind_it_runs(void **state)
{
	static const char *const requests[] = {
		POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
		POST "Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello",
		POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		POST "Content-Length : 5\r\n\r\nhello",
		POST "Content-Length: +5\r\n\r\nhello",
		"POST / HTTP/1.1\nHost: a\nContent-Length: 0\n\n",
		POST "X: a\r\n b: c\r\nContent-Length: 0\r\n\r\n",
		POST "Transfer-Encoding: chunked\r\n\r\n0;a=b\r\n\r\n",
		POST "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n",
		POST "Transfer-Encoding: chunked\r\n\r\n0\r\nX: trailer\r\n\r\n",
		"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n",
	};
	struct fixture f;

	(void)state;
	begin(&f, &default_options);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct client c;

		join(&f, &c);
		say(&c, requests[i]);
		say(&c, GET("/evil"));
		UNTIL(&f, c.is_closed);
		assert_true(has_heard(&c, "HTTP/1.1 400 "));
		assert_true(has_heard(&c, "Connection: close\r\n"));
		assert_int_equal(count_heard(&c, "HTTP/1.1 "), 1);
		leave(&f, &c);
	}
	assert_int_equal(hl_http_server_stats(f.server)->requests, 0);
	assert_int_equal(hl_http_server_stats(f.server)->rejected, sizeof(requests) / sizeof(requests[0]));
	end(&f);
}

static void nul_bytes_are_refused(void **state)
{
	static const struct hl_slice requests[] = {
		HL_LIT("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
		HL_LIT("GET / HTTP/1.1\r\nHost: a\0\r\n\r\n"),
	};
	struct fixture f;

	(void)state;
	begin(&f, &default_options);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct client c;

		join(&f, &c);
		bufferevent_write(c.bev, requests[i].ptr, requests[i].len);
		UNTIL(&f, c.is_closed);
		assert_true(has_heard(&c, "HTTP/1.1 400 "));
		leave(&f, &c);
	}
	end(&f);
}

/* Fault 69: the refusal reaches a client that is still sending, and of what it sends little is read. */
static void a_large_body_is_refused_while_it_comes(void **state)
{
	static const char *const heads[] = {
		POST "Content-Length: 10485760\r\n\r\n",
		POST "Content-Length: 10485760\r\nExpect: 100-continue\r\n\r\n",
		POST "Transfer-Encoding: chunked\r\n\r\nA00000\r\n",
	};
	static char body[10 << 20];
	struct fixture f;

	(void)state;
	begin(&f, &default_options);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct client c;

		join(&f, &c);
		say(&c, heads[i]);
		bufferevent_write(c.bev, body, sizeof(body));
		UNTIL(&f, has_heard(&c, "HTTP/1.1 413 "));
		assert_false(has_heard(&c, "100 Continue"));
		assert_true(evbuffer_get_length(bufferevent_get_output(c.bev)) > 0);
		UNTIL(&f, hl_http_server_stats(f.server)->connections == 0);
		assert_true(evbuffer_get_length(bufferevent_get_output(c.bev)) > sizeof(body) / 4);
		leave(&f, &c);
	}
	end(&f);
}

static void say_chunks(struct client *c, size_t n_bytes)
{
	static const char chunk[] = "400\r\n";
	static char data[1024];

	memset(data, 'd', sizeof(data));
	for (size_t i = 0; i < n_bytes / sizeof(data); i++) {
		say(c, chunk);
		bufferevent_write(c->bev, data, sizeof(data));
		say(c, "\r\n");
	}
}

static void small_chunks_are_counted_together(void **state)
{
	struct fixture f;
	struct client c;

	(void)state;
	begin(&f, &default_options);
	f.holds = true;
	join(&f, &c);
	say(&c, POST "Transfer-Encoding: chunked\r\n\r\n");
	say_chunks(&c, 65536);
	say(&c, "0\r\n\r\n");
	UNTIL(&f, f.n_held == 1);
	assert_int_equal(hl_http_exchange_request(f.held[0])->body.len, 65536);
	echo(f.held[0]);
	say(&c, POST "Transfer-Encoding: chunked\r\n\r\n");
	say_chunks(&c, 65536);
	say(&c, "1\r\n");
	UNTIL(&f, has_heard(&c, "HTTP/1.1 413 "));
	end_joined(&f, &c);
}

static void connections_over_the_total_cap_are_told_so(void **state)
{
	struct hl_http_server_options options = default_options;
	struct fixture f;
	struct client a, b, c;

	(void)state;
	options.max_connections = 2;
	begin(&f, &options);
	join(&f, &a);
	join(&f, &b);
	UNTIL(&f, hl_http_server_stats(f.server)->connections == 2);
	join(&f, &c);
	UNTIL(&f, c.is_closed);
	assert_true(has_heard(&c, "HTTP/1.1 503 "));
	leave(&f, &c);
	leave(&f, &a);
	UNTIL(&f, hl_http_server_stats(f.server)->connections == 1);
	join(&f, &a);
	say(&a, GET("/"));
	say(&b, GET("/"));
	UNTIL(&f, has_heard(&a, "HTTP/1.1 200 ") && has_heard(&b, "HTTP/1.1 200 "));
	assert_int_equal(hl_http_server_stats(f.server)->rejected, 1);
	leave(&f, &a);
	leave(&f, &b);
	end(&f);
}

static bool is_exempt(void *ctx, struct hl_slice peer)
{
	(void)ctx;
	return hl_slice_eq_str(peer, "127.0.0.1");
}

static void one_address_has_a_cap_unless_it_is_exempt(void **state)
{
	struct hl_http_server_options options = default_options;

	(void)state;
	options.max_connections_per_peer = 1;
	for (int i = 0; i < 2; i++) {
		struct fixture f;
		struct client a, b;

		options.is_exempt = i ? is_exempt : NULL;
		begin(&f, &options);
		join(&f, &a);
		UNTIL(&f, hl_http_server_stats(f.server)->connections == 1);
		join(&f, &b);
		say(&b, GET("/"));
		UNTIL(&f, has_heard(&b, i ? "HTTP/1.1 200 " : "HTTP/1.1 429 "));
		leave(&f, &a);
		leave(&f, &b);
		end(&f);
	}
}

/* A flood from one address must not take every place by being refused politely. */
static void a_flood_is_closed_without_an_answer(void **state)
{
	struct hl_http_server_options options = default_options;
	struct fixture f;
	struct client clients[16];
	unsigned n_told = 0, n_closed = 0;

	(void)state;
	options.max_connections_per_peer = 1;
	begin(&f, &options);
	for (size_t i = 0; i < 16; i++)
		join(&f, &clients[i]);
	UNTIL(&f, hl_http_server_stats(f.server)->accepted == 16);
	for (size_t i = 1; i < 16; i++) {
		UNTIL(&f, clients[i].is_closed);
		n_told += has_heard(&clients[i], "HTTP/1.1 429 ");
		n_closed += clients[i].in.len == 0;
	}
	assert_int_equal(n_told, 8);
	assert_int_equal(n_closed, 7);
	for (size_t i = 0; i < 16; i++)
		leave(&f, &clients[i]);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_drip_hits_the_absolute_deadline),
		cmocka_unit_test(an_idle_connection_is_closed_without_a_word),
		cmocka_unit_test(a_client_that_does_not_read_is_cut_off),
		cmocka_unit_test(ambiguous_framing_closes_and_nothing_behind_it_runs),
		cmocka_unit_test(nul_bytes_are_refused),
		cmocka_unit_test(a_large_body_is_refused_while_it_comes),
		cmocka_unit_test(small_chunks_are_counted_together),
		cmocka_unit_test(connections_over_the_total_cap_are_told_so),
		cmocka_unit_test(one_address_has_a_cap_unless_it_is_exempt),
		cmocka_unit_test(a_flood_is_closed_without_an_answer),
	};

	return cmocka_run_group_tests_name("http_server_limits", tests, NULL, NULL);
}
