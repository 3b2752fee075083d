/* test_http_client.c - what goes out, what comes back and what may have happened, against a scripted provider */
#include "http_world.h"

static void sends_a_post_and_gives_the_answer(void **state)
{
	static const struct hl_http_header headers[] = {{HL_LIT("Content-Type"), HL_LIT("application/json")},
							{HL_LIT("X-Empty"), HL_LIT("")}};
	struct world w;
	struct outcome o;
	struct hl_http_call call;

	(void)state;
	set_up(&w, 4);
	w.p.replies[0] = "HTTP/1.1 100 Continue\r\nInterim: x\r\n\r\n"
			 "HTTP/1.1 201 Created\r\nX-Id:  7 \r\nContent-Length: 2\r\n\r\nhi";
	call = make_call(&w, "{\"to\":1}");
	call.headers = headers;
	call.n_headers = 2;
	run(&w, &call, &o);
	assert_int_equal(o.cls, HL_OK);
	assert_int_equal(o.status, 201);
	assert_string_equal(o.body, "hi");
	assert_string_equal(o.header, "X-Id=7");
	assert_int_equal(o.n_headers, 2);
	assert_string_equal(w.p.bodies, "[{\"to\":1}]");
	assert_non_null(strstr(w.p.heads, "POST /send?x=y HTTP/1.1\r\n"));
	assert_non_null(strstr(w.p.heads, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(w.p.heads, "X-Empty:\r\n"));
	assert_null(strstr(w.p.heads, "Expect"));
	assert_null(strstr(w.p.heads, "Accept-Encoding"));
	tear_down(&w);
}

static void says_no_content_type_of_its_own(void **state)
{
	struct world w;
	struct outcome o;
	struct hl_http_call call;

	(void)state;
	set_up(&w, 4);
	w.p.replies[0] = OK_HI;
	call = make_call(&w, "x");
	run(&w, &call, &o);
	assert_null(strstr(w.p.heads, "Content-Type"));
	tear_down(&w);
}

/* Curl would ask first, and wait a second for a peer that does not answer the question. */
static void a_large_body_goes_out_without_asking(void **state)
{
	static char body[1100 << 10];
	struct world w;
	struct outcome o;
	struct hl_http_call call;

	(void)state;
	set_up(&w, 4);
	w.p.replies[0] = OK_HI;
	memset(body, 'b', sizeof(body) - 1);
	call = make_call(&w, body);
	run(&w, &call, &o);
	assert_int_equal(o.cls, HL_OK);
	assert_null(strstr(w.p.heads, "Expect"));
	tear_down(&w);
}

static void a_connection_is_used_again(void **state)
{
	struct world w;
	struct outcome o;
	struct hl_http_call call;

	(void)state;
	set_up(&w, 4);
	w.p.replies[0] = w.p.replies[1] = w.p.replies[2] = OK_HI;
	for (int i = 0; i < 3; i++) {
		call = make_call(&w, "n");
		run(&w, &call, &o);
		assert_int_equal(o.cls, HL_OK);
	}
	assert_int_equal(w.p.n_conns, 1);
	tear_down(&w);
}

/* M1: libcurl would send the second text twice and report one success. */
static void a_request_is_never_sent_twice_by_itself(void **state)
{
	struct world w;
	struct outcome o;
	struct hl_http_call call;

	(void)state;
	set_up(&w, 4);
	w.p.replies[0] = OK_HI;
	w.p.replies[1] = HANG_UP;
	w.p.replies[2] = OK_HI;
	call = make_call(&w, "sms-1");
	run(&w, &call, &o);
	assert_int_equal(o.cls, HL_OK);
	call = make_call(&w, "sms-2");
	run(&w, &call, &o);
	assert_string_equal(w.p.bodies, "[sms-1][sms-2]");
	/* Curl connects again and only then finds that it cannot rewind. */
	for (unsigned i = 0; i < w.p.n_conns; i++)
		assert_int_equal(evbuffer_get_length(bufferevent_get_input(w.p.conns[i])), 0);
	assert_int_equal(o.cls, HL_UNKNOWN);
	assert_int_equal(o.curl_code, CURLE_SEND_FAIL_REWIND);
	tear_down(&w);
}

/* The repeat that curl tries first needs a connection; that this is refused says nothing about the request that left.
 */
static void a_refused_reconnect_does_not_hide_a_request_that_left(void **state)
{
	struct world w;
	struct outcome o;
	struct hl_http_call call;

	(void)state;
	set_up(&w, 4);
	w.p.replies[0] = OK_HI;
	w.p.replies[1] = GO_DOWN;
	call = make_call(&w, "sms-1");
	run(&w, &call, &o);
	call = make_call(&w, "sms-2");
	run(&w, &call, &o);
	assert_string_equal(w.p.bodies, "[sms-1][sms-2]");
	assert_int_equal(o.curl_code, CURLE_COULDNT_CONNECT);
	assert_int_equal(o.cls, HL_UNKNOWN);
	tear_down(&w);
}

/* There is nothing to rewind in an empty body, so rc 65 does not protect it. */
static void an_empty_request_is_never_sent_twice_either(void **state)
{
	struct world w;
	struct outcome o;
	struct hl_http_call call;

	(void)state;
	set_up(&w, 4);
	w.p.replies[0] = OK_HI;
	w.p.replies[1] = HANG_UP;
	w.p.replies[2] = OK_HI;
	call = make_call(&w, "sms-1");
	run(&w, &call, &o);
	call = make_call(&w, "");
	run(&w, &call, &o);
	assert_string_equal(w.p.bodies, "[sms-1][]");
	assert_int_equal(o.cls, HL_UNKNOWN);
	tear_down(&w);
}

static void replies_are_judged_by_what_may_have_happened(void **state)
{
	static const struct {
		const char *reply;
		enum hl_class cls;
		int status, curl_code;
		const char *body;
	} cases[] = {
		{"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops", HL_OK, 500, CURLE_OK, "oops"},
		{"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", HL_OK, 302, CURLE_OK, ""},
		{HANG_UP, HL_UNKNOWN, 0, CURLE_GOT_NOTHING, ""},
		{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"id\"" THEN_CLOSE, HL_UNKNOWN, 200, CURLE_PARTIAL_FILE,
		 "{\"id\""},
		{"HTTP/1.1 200 OK\r\nContent-Le" THEN_CLOSE, HL_OK, 200, CURLE_OK, ""}, /* M3: only the body can tell */
		{"SMTP 220\r\n" THEN_CLOSE, HL_UNKNOWN, 0, CURLE_UNSUPPORTED_PROTOCOL, ""},
		{ENDLESS, HL_UNKNOWN, 200, CURLE_WRITE_ERROR, NULL},
		{SILENCE, HL_UNKNOWN, 0, CURLE_OPERATION_TIMEDOUT, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w;
		struct outcome o;
		struct hl_http_call call;

		set_up(&w, 4);
		w.p.replies[0] = cases[i].reply;
		call = make_call(&w, "x");
		call.deadline_us = cases[i].curl_code == CURLE_OPERATION_TIMEDOUT ? 60 * HL_US_PER_MS : WATCHDOG_US;
		run(&w, &call, &o);
		if (o.cls != cases[i].cls || o.status != cases[i].status || o.curl_code != cases[i].curl_code ||
		    (cases[i].body && strcmp(o.body, cases[i].body) != 0))
			fail_msg("case %zu: class %d status %d rc %d %s body %s", i, (int)o.cls, o.status, o.curl_code,
				 o.text, o.body);
		assert_int_equal(w.p.n_requests, 1);
		tear_down(&w);
	}
}

static void a_reply_up_to_the_cap_is_whole(void **state)
{
	struct world w;
	struct outcome o;
	struct hl_http_call call;

	(void)state;
	set_up(&w, 4);
	w.p.replies[0] = w.p.replies[1] = OK_HI;
	call = make_call(&w, "x");
	call.max_reply_bytes = 2;
	run(&w, &call, &o);
	assert_int_equal(o.cls, HL_OK);
	call.max_reply_bytes = 1;
	run(&w, &call, &o);
	assert_int_equal(o.cls, HL_UNKNOWN);
	assert_string_equal(o.text, "the reply is longer than allowed");
	tear_down(&w);
}

static void too_many_reply_headers_end_the_request(void **state)
{
	char many[4096] = "HTTP/1.1 200 OK\r\n", large[32768] = "HTTP/1.1 200 OK\r\nX: ";
	struct world w;
	struct outcome o;
	struct hl_http_call call;

	(void)state;
	for (int i = 0; i < 65; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), "X: %d\r\n", i);
	memset(large + strlen(large), 'x', 20000);
	set_up(&w, 4);
	w.p.replies[0] = many;
	w.p.replies[1] = large;
	call = make_call(&w, "x");
	for (int i = 0; i < 2; i++) {
		call.deadline_us = 2 * HL_US_PER_S;
		if (i == 1)
			snprintf(large + strlen(large), sizeof(large) - strlen(large), "\r\n");
		run(&w, &call, &o);
		assert_int_equal(o.cls, HL_UNKNOWN);
		assert_int_equal(o.curl_code, CURLE_WRITE_ERROR);
	}
	tear_down(&w);
}

static void what_never_left_may_be_retried(void **state)
{
	struct world w;
	struct outcome o;
	struct hl_http_call call;
	char url[64];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), full[4];
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);

	(void)state;
	set_up(&w, 4);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	getsockname(fd, (struct sockaddr *)&addr, &len);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", ntohs(addr.sin_port));
	call = make_call(&w, "x");
	call.url = url;
	run(&w, &call, &o);
	assert_int_equal(o.cls, HL_RETRY);
	assert_int_equal(o.curl_code, CURLE_COULDNT_CONNECT);

	/* A full queue of connections swallows the SYN: the connect never ends. */
	listen(fd, 0);
	for (int i = 0; i < 4; i++) {
		full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(full[i], (struct sockaddr *)&addr, sizeof(addr));
	}
	call.deadline_us = 80 * HL_US_PER_MS;
	run(&w, &call, &o);
	assert_int_equal(o.cls, HL_RETRY);
	assert_int_equal(o.curl_code, CURLE_OPERATION_TIMEDOUT);
	for (int i = 0; i < 4; i++)
		close(full[i]);
	close(fd);
	tear_down(&w);
}

/* The peer accepts but says nothing to our TLS hello: the request itself is still here. */
static void a_handshake_that_hangs_sent_nothing(void **state)
{
	struct world w;
	struct outcome o;
	struct hl_http_call call;
	char url[64];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	(void)state;
	set_up(&w, 4);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	listen(fd, 4);
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/", port_of(fd));
	call = make_call(&w, "x");
	call.url = url;
	call.deadline_us = 80 * HL_US_PER_MS;
	run(&w, &call, &o);
	assert_int_equal(o.cls, HL_RETRY);
	assert_int_equal(o.curl_code, CURLE_OPERATION_TIMEDOUT);
	close(fd);
	tear_down(&w);
}

static void a_silent_reused_connection_is_unknown(void **state)
{
	struct world w;
	struct outcome o;
	struct hl_http_call call;

	(void)state;
	set_up(&w, 4);
	w.p.replies[0] = OK_HI;
	w.p.replies[1] = SILENCE;
	call = make_call(&w, "x");
	run(&w, &call, &o);
	call.deadline_us = 60 * HL_US_PER_MS;
	run(&w, &call, &o);
	assert_int_equal(o.cls, HL_UNKNOWN);
	assert_int_equal(o.curl_code, CURLE_OPERATION_TIMEDOUT);
	assert_int_equal(w.p.n_conns, 1);
	tear_down(&w);
}

/* Both halves of this room against each other, with a body that needs many reads. */
static void the_server_understands_the_client(void **state)
{
	static char body[60000];
	struct world w;
	struct outcome o;
	struct hl_http_call call;

	(void)state;
	set_up(&w, 4);
	memset(body, 'b', sizeof(body) - 1);
	snprintf(w.url, sizeof(w.url), "http://127.0.0.1:%d/both", hl_http_server_port(w.f.server));
	w.f.holds = true;
	call = make_call(&w, body);
	submit(&w, &call, &o);
	UNTIL(&w.f, w.f.n_held == 1);
	assert_int_equal(hl_http_exchange_request(w.f.held[0])->body.len, sizeof(body) - 1);
	hl_http_reply_reason(w.f.held[0], 429, "later");
	UNTIL(&w.f, o.n_done == 1);
	assert_int_equal(o.cls, HL_OK);
	assert_int_equal(o.status, 429);
	assert_string_equal(o.body, "{\"error\":\"later\"}");
	tear_down(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_a_post_and_gives_the_answer),
		cmocka_unit_test(says_no_content_type_of_its_own),
		cmocka_unit_test(a_large_body_goes_out_without_asking),
		cmocka_unit_test(a_connection_is_used_again),
		cmocka_unit_test(a_request_is_never_sent_twice_by_itself),
		cmocka_unit_test(a_refused_reconnect_does_not_hide_a_request_that_left),
		cmocka_unit_test(an_empty_request_is_never_sent_twice_either),
		cmocka_unit_test(replies_are_judged_by_what_may_have_happened),
		cmocka_unit_test(a_reply_up_to_the_cap_is_whole),
		cmocka_unit_test(too_many_reply_headers_end_the_request),
		cmocka_unit_test(what_never_left_may_be_retried),
		cmocka_unit_test(a_handshake_that_hangs_sent_nothing),
		cmocka_unit_test(a_silent_reused_connection_is_unknown),
		cmocka_unit_test(the_server_understands_the_client),
	};

	return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
