/* http_fixture.h - a server, a handler that answers or holds, and scripted clients, all in one loop
 *
 * Nothing sleeps: every wait is for a condition, with a watchdog that fails the test.
 */
#ifndef HTTP_FIXTURE_H
#define HTTP_FIXTURE_H

#include "hotline/clock.h"
#include "hotline/http_server.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_HELD    8
#define WATCHDOG_US (20 * HL_US_PER_S)
#define GET(path)   "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

struct fixture {
	struct hl_loop *loop;
	struct hl_http_server *server;
	struct hl_timer watchdog;
	bool is_late;
	bool holds; /* the handler keeps exchanges instead of answering */
	struct hl_http_exchange *held[MAX_HELD];
	unsigned n_held, n_drained;
};

static const struct hl_http_server_options default_options = {
	.limits = {.request_line_bytes = 1024, .header_bytes = 4096, .n_headers = 20, .body_bytes = 65536},
	.idle_us = WATCHDOG_US,
	.header_us = WATCHDOG_US,
	.body_us = WATCHDOG_US,
	.answer_us = WATCHDOG_US,
	.write_us = WATCHDOG_US,
	.max_connections = 16,
};

#define UNTIL(f, condition)                                                                                            \
	do {                                                                                                           \
		while (!(condition)) {                                                                                 \
			assert_false((f)->is_late);                                                                    \
			hl_loop_turn((f)->loop, true);                                                                 \
		}                                                                                                      \
	} while (0)

/* Some turns in which nothing is expected to happen. */
static inline void turn_idly(struct fixture *f)
{
	for (int i = 0; i < 20; i++)
		hl_loop_turn(f->loop, false);
}

static inline void on_watchdog(void *arg)
{
	struct fixture *f = arg;

	f->is_late = true;
}

/* "METHOD path?query body" */
static inline void echo(struct hl_http_exchange *x)
{
	struct hl_http_request *req = hl_http_exchange_request(x);
	char *text = hl_arena_printf(req->arena, "%.*s %.*s?%.*s %.*s", HL_SLICE_ARG(req->method),
				     HL_SLICE_ARG(req->path), HL_SLICE_ARG(req->query), HL_SLICE_ARG(req->body));

	hl_http_reply(x, 200, "text/plain", hl_slice_str(text));
}

static inline void on_request(void *ctx, struct hl_http_exchange *x)
{
	struct fixture *f = ctx;

	if (!f->holds) {
		echo(x);
		return;
	}
	assert_true(f->n_held < MAX_HELD);
	f->held[f->n_held++] = x;
}

static inline void on_drained(void *arg)
{
	struct fixture *f = arg;

	f->n_drained++;
}

static inline void begin(struct fixture *f, const struct hl_http_server_options *options)
{
	struct hl_error err;

	*f = (struct fixture){.loop = hl_loop_new()};
	signal(SIGPIPE, SIG_IGN);
	assert_non_null(f->loop);
	assert_true(hl_timer_init(&f->watchdog, f->loop, on_watchdog, f));
	hl_timer_start(&f->watchdog, WATCHDOG_US);
	f->server = hl_http_server_new(f->loop, options, on_request, f);
	assert_non_null(f->server);
	assert_int_equal(hl_http_server_listen(f->server, "127.0.0.1:0", &err), HL_OK);
	assert_true(hl_http_server_port(f->server) > 0);
}

static inline void end(struct fixture *f)
{
	hl_http_server_free(&f->server);
	assert_null(f->server);
	hl_timer_fini(&f->watchdog);
	hl_loop_turn(f->loop, false);
	hl_loop_free(&f->loop);
}

struct client {
	struct bufferevent *bev;
	struct hl_buf in;
	bool is_closed;
};

static inline void on_client_bytes(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t n = evbuffer_get_length(in);

	hl_buf_add(&c->in, (struct hl_slice){(const char *)evbuffer_pullup(in, -1), n});
	evbuffer_drain(in, n);
}

static inline void on_client_event(struct bufferevent *bev, short what, void *arg)
{
	struct client *c = arg;

	(void)bev;
	c->is_closed |= what & (BEV_EVENT_EOF | BEV_EVENT_ERROR);
}

static inline void start_client(struct fixture *f, struct client *c, int fd, const struct sockaddr *addr, socklen_t len)
{
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, addr, len), 0);
	evutil_make_socket_nonblocking(fd);
	*c = (struct client){.bev = bufferevent_socket_new(hl_loop_base(f->loop), fd, BEV_OPT_CLOSE_ON_FREE)};
	assert_non_null(c->bev);
	hl_buf_init(&c->in, (size_t)64 << 20);
	bufferevent_setcb(c->bev, on_client_bytes, NULL, on_client_event, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

static inline struct sockaddr_in server_address(struct fixture *f)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)hl_http_server_port(f->server)),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static inline void join(struct fixture *f, struct client *c)
{
	struct sockaddr_in addr = server_address(f);

	start_client(f, c, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), (struct sockaddr *)&addr, sizeof(addr));
}

static inline void join_local(struct fixture *f, struct client *c, const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	assert_true(strlen(path) < sizeof(addr.sun_path));
	memcpy(addr.sun_path, path, strlen(path));
	start_client(f, c, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), (struct sockaddr *)&addr, sizeof(addr));
}

static inline void say(struct client *c, const char *text)
{
	bufferevent_write(c->bev, text, strlen(text));
}

static inline void leave(struct fixture *f, struct client *c)
{
	bufferevent_free(c->bev);
	hl_buf_fini(&c->in);
	hl_loop_turn(f->loop, false);
}

/* A server with one client. */
static inline void begin_joined(struct fixture *f, struct client *c, const struct hl_http_server_options *options)
{
	begin(f, options);
	join(f, c);
}

/* The same, and the handler holds the request that the client has sent. */
static inline void begin_held(struct fixture *f, struct client *c, const struct hl_http_server_options *options,
			      const char *request)
{
	begin(f, options);
	f->holds = true;
	join(f, c);
	say(c, request);
	UNTIL(f, f->n_held == 1);
}

static inline void end_joined(struct fixture *f, struct client *c)
{
	leave(f, c);
	end(f);
}

/* Gone with a reset, as a peer that crashed. */
static inline void vanish(struct fixture *f, struct client *c)
{
	struct linger hard = {.l_onoff = 1, .l_linger = 0};

	setsockopt(bufferevent_getfd(c->bev), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	leave(f, c);
}

static inline unsigned count_heard(const struct client *c, const char *text)
{
	unsigned n = 0;

	for (const char *at = hl_buf_str(&c->in); (at = strstr(at, text)); at += strlen(text))
		n++;
	return n;
}

static inline bool has_heard(const struct client *c, const char *text)
{
	return count_heard(c, text) > 0;
}

#endif
