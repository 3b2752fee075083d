/* test_http_client.c - outgoing requests against a scripted peer in the same loop */
#include "http_fixture.h"

#include "hotline/http_client.h"

#include <curl/curl.h>
#include <event2/listener.h>
#include <stdio.h>

#define MAX_REPLIES 8
#define OK_HI       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
#define HANG_UP     "hang up" /* close without an answer */
#define GO_DOWN     "go down" /* likewise, and nobody listens any more */
#define SILENCE     "silence" /* never answer */
#define ENDLESS     "endless" /* a body without end */
#define THEN_CLOSE  "\x01"    /* last byte of a reply: close behind it */

/* What a provider would have seen and done. */
struct provider {
	struct evconnlistener *ev;
	struct bufferevent *conns[16];
	const char *replies[MAX_REPLIES]; /* to the first, second ... request */
	unsigned n_requests, n_conns;
	char heads[8192]; /* of all requests */
	char bodies[512]; /* "[first][second]" */
};

struct world {
	struct fixture f;
	struct provider p;
	struct hl_http_client *client;
	char url[64];
};

struct outcome {
	unsigned n_done;
	enum hl_class cls;
	int status, curl_code;
	char body[64], text[300], header[64];
	size_t n_headers;
	struct hl_http_op *op;
	bool op_was_null;
};

static void on_provider_bytes(struct bufferevent *bev, void *arg);

static void on_last_word(struct bufferevent *bev, void *arg)
{
	(void)arg;
	shutdown(bufferevent_getfd(bev), SHUT_RDWR);
}

static void reply(struct provider *p, struct bufferevent *bev, const char *text)
{
	static char flood[1 << 20];
	size_t len = strlen(text);

	if (strcmp(text, HANG_UP) == 0) {
		on_last_word(bev, p);
	} else if (strcmp(text, GO_DOWN) == 0) {
		evconnlistener_free(p->ev);
		p->ev = NULL;
		on_last_word(bev, p);
	} else if (strcmp(text, ENDLESS) == 0) {
		memset(flood, 'x', sizeof(flood));
		bufferevent_write(bev, "HTTP/1.1 200 OK\r\n\r\n", 19);
		bufferevent_write(bev, flood, sizeof(flood));
	} else if (text[len - 1] == THEN_CLOSE[0]) {
		bufferevent_setcb(bev, on_provider_bytes, on_last_word, NULL, p);
		bufferevent_write(bev, text, len - 1);
	} else if (strcmp(text, SILENCE) != 0) {
		bufferevent_write(bev, text, len);
	}
}

/* One whole request off the front of what came; false: not all of it is there. */
static bool take_request(struct provider *p, struct evbuffer *in)
{
	size_t n = evbuffer_get_length(in);
	char *all = strndup((const char *)evbuffer_pullup(in, -1), n), *end, *length;
	size_t head, body;

	assert_non_null(all);
	end = strstr(all, "\r\n\r\n");
	length = strstr(all, "Content-Length: ");
	head = end ? (size_t)(end - all) + 4 : n + 1;
	body = length ? strtoul(length + strlen("Content-Length: "), NULL, 10) : 0;
	if (n >= head + body) {
		size_t used = strlen(p->heads);

		snprintf(p->heads + used, sizeof(p->heads) - used, "%.*s", (int)head, all);
		used = strlen(p->bodies);
		snprintf(p->bodies + used, sizeof(p->bodies) - used, "[%.*s]", (int)body, all + head);
		evbuffer_drain(in, head + body);
	}
	free(all);
	return n >= head + body;
}

static void on_provider_bytes(struct bufferevent *bev, void *arg)
{
	struct provider *p = arg;

	while (evbuffer_get_length(bufferevent_get_input(bev)) > 0 && take_request(p, bufferevent_get_input(bev))) {
		assert_true(p->n_requests < MAX_REPLIES && p->replies[p->n_requests]);
		reply(p, bev, p->replies[p->n_requests++]);
	}
}

static void on_provider_accept(struct evconnlistener *ev, evutil_socket_t fd, struct sockaddr *addr, int len, void *arg)
{
	struct provider *p = arg;
	struct bufferevent *bev = bufferevent_socket_new(evconnlistener_get_base(ev), fd, BEV_OPT_CLOSE_ON_FREE);

	(void)addr;
	(void)len;
	assert_true(bev && p->n_conns < 16);
	p->conns[p->n_conns++] = bev;
	bufferevent_setcb(bev, on_provider_bytes, NULL, NULL, p);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static int port_of(int fd)
{
	struct sockaddr_in addr = {0};
	socklen_t len = sizeof(addr);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	return ntohs(addr.sin_port);
}

static void set_up(struct world *w, unsigned max_in_flight)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC;

	*w = (struct world){0};
	begin(&w->f, &default_options);
	w->p.ev = evconnlistener_new_bind(hl_loop_base(w->f.loop), on_provider_accept, &w->p, flags, 16,
					  (struct sockaddr *)&any, sizeof(any));
	assert_non_null(w->p.ev);
	snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%d/send?x=y", port_of(evconnlistener_get_fd(w->p.ev)));
	w->client = hl_http_client_new(w->f.loop, max_in_flight);
	assert_non_null(w->client);
}

static void tear_down(struct world *w)
{
	hl_http_client_free(&w->client);
	assert_null(w->client);
	if (w->p.ev)
		evconnlistener_free(w->p.ev);
	for (unsigned i = 0; i < w->p.n_conns; i++)
		bufferevent_free(w->p.conns[i]);
	end(&w->f);
}

static void on_done(void *arg, const struct hl_http_result *result)
{
	struct outcome *o = arg;

	o->n_done++;
	o->op_was_null = o->op == NULL;
	o->cls = result->cls;
	o->status = result->status;
	o->curl_code = result->curl_code;
	o->n_headers = result->n_headers;
	snprintf(o->body, sizeof(o->body), "%.*s", HL_SLICE_ARG(result->body));
	snprintf(o->text, sizeof(o->text), "%s", result->text);
	if (result->n_headers > 0)
		snprintf(o->header, sizeof(o->header), "%.*s=%.*s", HL_SLICE_ARG(result->headers[0].name),
			 HL_SLICE_ARG(result->headers[0].value));
}

static struct hl_http_call make_call(const struct world *w, const char *body)
{
	return (struct hl_http_call){
		.url = w->url, .body = hl_slice_str(body), .deadline_us = WATCHDOG_US, .max_reply_bytes = 65536};
}

static void submit(struct world *w, const struct hl_http_call *call, struct outcome *o)
{
	*o = (struct outcome){0};
	assert_int_equal(hl_http_submit(w->client, call, on_done, o, &o->op), HL_OK);
	assert_int_equal(o->n_done, 0);
	assert_non_null(o->op);
}

static void run(struct world *w, const struct hl_http_call *call, struct outcome *o)
{
	submit(w, call, o);
	UNTIL(&w->f, o->n_done > 0);
	turn_idly(&w->f);
	assert_int_equal(o->n_done, 1);
	assert_true(o->op_was_null);
}

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
		connect(full[i], (struct sockaddr *)&addr, sizeof(addr));
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
		cmocka_unit_test(bad_calls_are_reported_through_done),
		cmocka_unit_test(a_full_queue_answers_at_once),
		cmocka_unit_test(a_deadline_that_passes_in_the_queue_sent_nothing),
		cmocka_unit_test(done_never_runs_after_cancel),
		cmocka_unit_test(done_may_submit_and_cancel),
		cmocka_unit_test(free_cancels_what_is_left),
		cmocka_unit_test(the_server_understands_the_client),
	};

	return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
