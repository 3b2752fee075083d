/* conn.c - one connection of the HTTP server: a request after the other, each phase with its deadline
 *
 * Owns the socket, the parser and the one exchange of a connection. Must not know listeners
 * or caps. What happens is the table `moves`: state x event -> action.
 * A deadline counts from the start of its state and is not moved by bytes that trickle in.
 * Limits: while a request is in work or its answer leaves nothing is read, so a peer that went
 * away is noticed when the answer is written.
 */
#include "http/server_internal.h"

#include "hotline/clock.h"
#include "hotline/log.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* After the last word the rest of the peer's bytes is read and thrown away for a moment: closing with unread bytes
 * sends a reset, and a reset may take the answer from the peer (RFC 9112 section 9.6). */
#define LINGER_US        HL_US_PER_S
#define LINGER_BYTES     ((size_t)64 << 10)
#define MAX_REASON_BYTES ((size_t)4096)
#define LARGE_PER_PEER   2

enum event_kind { ON_BYTES, ON_FLUSHED, ON_GONE, ON_TIMEOUT, N_EVENTS };

typedef void move(struct hl_http_conn *conn);
static move *const moves[HL_CONN_N_STATES][N_EVENTS];

static void handle(struct hl_http_conn *conn, enum event_kind event)
{
	moves[conn->state][event](conn);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	handle(arg, ON_BYTES);
}

static void on_written(struct bufferevent *bev, void *arg)
{
	(void)bev;
	handle(arg, ON_FLUSHED);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	handle(arg, ON_GONE);
}

static void on_deadline(void *arg)
{
	handle(arg, ON_TIMEOUT);
}

static int64_t time_for(const struct hl_http_conn *conn, enum hl_http_conn_state state)
{
	const struct hl_http_server_options *options = &conn->server->options;

	if (conn->is_large && (state == HL_CONN_BODY || state == HL_CONN_WORK))
		return options->large_us;
	switch (state) {
	case HL_CONN_IDLE:
		return options->idle_us;
	case HL_CONN_HEAD:
		return options->header_us;
	case HL_CONN_BODY:
		return options->body_us;
	case HL_CONN_WORK:
		return options->answer_us;
	case HL_CONN_WRITE:
		return options->write_us;
	default:
		return LINGER_US;
	}
}

static void enter(struct hl_http_conn *conn, enum hl_http_conn_state state)
{
	conn->state = state;
	hl_timer_start(&conn->deadline, time_for(conn, state));
}

static void release_large(struct hl_http_conn *conn)
{
	if (conn->is_large && conn->server)
		conn->server->stats.large--;
	conn->is_large = false;
}

static void destroy(void *ptr)
{
	struct hl_http_conn *conn = ptr;

	release_large(conn);
	if (conn->bev)
		bufferevent_free(conn->bev);
	hl_timer_fini(&conn->deadline);
	hl_http_parser_free(&conn->parser);
	free(conn);
}

struct hl_http_conn *hl_http_conn_new(struct hl_http_server *server, int fd, const char *peer, int64_t peer_uid)
{
	struct event_base *base = hl_loop_base(server->loop);
	struct hl_http_conn *conn = calloc(1, sizeof(*conn));

	if (!conn) {
		close(fd);
		return NULL;
	}
	conn->server = server;
	conn->exchange.conn = conn;
	conn->peer_uid = peer_uid;
	memcpy(conn->peer, peer, strnlen(peer, sizeof(conn->peer) - 1));
	conn->parser = hl_http_parser_new(&server->options.limits);
	conn->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!conn->bev)
		close(fd);
	if (!conn->parser || !conn->bev || !hl_timer_init(&conn->deadline, server->loop, on_deadline, conn)) {
		destroy(conn);
		return NULL;
	}
	bufferevent_setcb(conn->bev, on_read, on_written, on_event, conn);
	bufferevent_enable(conn->bev, EV_READ | EV_WRITE);
	LIST_INSERT_HEAD(hl_http_server_bucket(server, conn->peer), conn, link);
	server->stats.connections++;
	enter(conn, HL_CONN_IDLE);
	return conn;
}

void hl_http_conn_close(struct hl_http_conn *conn)
{
	struct hl_http_server *server = conn->server;

	hl_assert(conn->state != HL_CONN_CLOSED);
	conn->state = HL_CONN_CLOSED;
	bufferevent_free(conn->bev);
	conn->bev = NULL;
	hl_timer_fini(&conn->deadline);
	LIST_REMOVE(conn, link);
	server->stats.connections--;
	if (conn->exchange.is_held)
		LIST_INSERT_HEAD(&server->gone, conn, link);
	else
		hl_loop_bury(server->loop, destroy, conn);
	hl_http_server_check_drained(server);
}

static void answer(struct hl_http_conn *conn, int status, const char *content_type, struct hl_slice body)
{
	struct hl_http_request *req = hl_http_parser_request(conn->parser);
	const char *connection = !conn->keeps_alive ? "close" : req->version_minor == 0 ? "keep-alive" : NULL;

	bufferevent_disable(conn->bev, EV_READ);
	enter(conn, HL_CONN_WRITE);
	hl_http_write_answer(bufferevent_get_output(conn->bev), status, content_type, body,
			     hl_slice_eq_str(req->method, "HEAD"), connection);
}

static void answer_reason(struct hl_http_conn *conn, int status, const char *reason)
{
	struct hl_buf body;

	hl_buf_init(&body, MAX_REASON_BYTES);
	hl_http_reason_json(&body, reason);
	answer(conn, status, "application/json", hl_buf_slice(&body));
	hl_buf_fini(&body);
}

void hl_http_conn_refuse(struct hl_http_conn *conn, int status, const char *reason)
{
	hl_log(HL_DEBUG, "http.refused", HL_STR("peer", conn->peer), HL_INT("status", status),
	       HL_STR("reason", reason));
	conn->keeps_alive = false;
	answer_reason(conn, status, reason);
}

static void dispatch(struct hl_http_conn *conn)
{
	struct hl_http_server *server = conn->server;
	struct hl_http_request *req = hl_http_parser_request(conn->parser);

	bufferevent_disable(conn->bev, EV_READ);
	req->peer = hl_slice_str(conn->peer);
	req->peer_uid = conn->peer_uid;
	conn->keeps_alive = req->keep_alive;
	conn->exchange.is_held = true;
	server->stats.requests++;
	server->stats.exchanges++;
	enter(conn, HL_CONN_WORK);
	server->handler(server->ctx, &conn->exchange);
}

static unsigned large_of_peer(const struct hl_http_conn *conn)
{
	const struct hl_http_conn *other;
	unsigned n = 0;

	LIST_FOREACH(other, hl_http_server_bucket(conn->server, conn->peer), link)
		n += other->is_large && strcmp(other->peer, conn->peer) == 0;
	return n;
}

/* A large body takes memory while it comes: only so many may. */
static void take_body_in(struct hl_http_conn *conn)
{
	const struct hl_http_server_options *o = &conn->server->options;
	bool is_exempt = o->is_exempt && o->is_exempt(conn->server->ctx, hl_slice_str(conn->peer));

	if (!hl_http_parser_is_large(conn->parser)) {
		enter(conn, HL_CONN_BODY);
	} else if (conn->server->stats.large >= o->max_large) {
		hl_http_conn_refuse(conn, 503, "too many uploads at once");
	} else if (!is_exempt && large_of_peer(conn) >= LARGE_PER_PEER) {
		hl_http_conn_refuse(conn, 429, "too many uploads of one address");
	} else {
		conn->is_large = true;
		conn->server->stats.large++;
		enter(conn, HL_CONN_BODY);
	}
}

static void follow_parser(struct hl_http_conn *conn)
{
	switch (hl_http_parser_phase(conn->parser)) {
	case HL_HTTP_LINE:
	case HL_HTTP_HEADERS:
		if (conn->state == HL_CONN_IDLE)
			enter(conn, HL_CONN_HEAD);
		break;
	case HL_HTTP_BODY:
		if (conn->state != HL_CONN_BODY)
			take_body_in(conn);
		break;
	case HL_HTTP_DONE:
		dispatch(conn);
		break;
	case HL_HTTP_ERROR:
		conn->server->stats.rejected++;
		hl_http_conn_refuse(conn, hl_http_parser_status(conn->parser), hl_http_parser_reason(conn->parser));
		break;
	}
}

/* Only a peer that sent nothing of the body yet needs to be told (RFC 9110 section 10.1.1). */
static void tell_to_continue(struct hl_http_conn *conn)
{
	if (conn->state != HL_CONN_BODY || conn->has_continued ||
	    !hl_http_parser_request(conn->parser)->expect_continue)
		return;
	conn->has_continued = true;
	evbuffer_add_printf(bufferevent_get_output(conn->bev), "HTTP/1.1 100 Continue\r\n\r\n");
}

static void take_bytes(struct hl_http_conn *conn)
{
	struct evbuffer *in = bufferevent_get_input(conn->bev);

	while (conn->state <= HL_CONN_BODY && evbuffer_get_length(in) > 0) {
		size_t n = evbuffer_get_contiguous_space(in);
		const char *bytes = (const char *)evbuffer_pullup(in, (ev_ssize_t)n);

		evbuffer_drain(in, hl_http_parser_feed(conn->parser, (struct hl_slice){bytes, n}));
		follow_parser(conn);
	}
	tell_to_continue(conn);
}

static void discard_bytes(struct hl_http_conn *conn)
{
	struct evbuffer *in = bufferevent_get_input(conn->bev);

	conn->lingered_bytes += evbuffer_get_length(in);
	evbuffer_drain(in, evbuffer_get_length(in));
	/* A peer that sends on and on is left alone with its full socket buffer until the deadline. */
	if (conn->lingered_bytes > LINGER_BYTES)
		bufferevent_disable(conn->bev, EV_READ);
}

static void linger(struct hl_http_conn *conn)
{
	shutdown(bufferevent_getfd(conn->bev), SHUT_WR);
	enter(conn, HL_CONN_LINGER);
	bufferevent_enable(conn->bev, EV_READ);
	discard_bytes(conn);
}

static void finish_answer(struct hl_http_conn *conn)
{
	if (!conn->keeps_alive || conn->server->is_draining) {
		linger(conn);
		return;
	}
	hl_http_parser_reset(conn->parser);
	release_large(conn);
	conn->has_continued = false;
	enter(conn, HL_CONN_IDLE);
	bufferevent_enable(conn->bev, EV_READ);
	take_bytes(conn);
}

static void time_out_request(struct hl_http_conn *conn)
{
	conn->server->stats.timeouts++;
	hl_http_conn_refuse(conn, 408, "request took too long");
}

static void time_out_handler(struct hl_http_conn *conn)
{
	conn->server->stats.timeouts++;
	hl_http_conn_refuse(conn, 503, "no answer in time");
}

static void time_out_write(struct hl_http_conn *conn)
{
	conn->server->stats.timeouts++;
	hl_http_conn_close(conn);
}

static void ignore(struct hl_http_conn *conn)
{
	(void)conn;
}

/* Nothing reads in WORK and WRITE, so ON_GONE there is a failed write. */
static move *const moves[HL_CONN_N_STATES][N_EVENTS] = {
	/* ON_BYTES, ON_FLUSHED, ON_GONE, ON_TIMEOUT */
	[HL_CONN_IDLE] = {take_bytes, ignore, hl_http_conn_close, hl_http_conn_close},
	[HL_CONN_HEAD] = {take_bytes, ignore, hl_http_conn_close, time_out_request},
	[HL_CONN_BODY] = {take_bytes, ignore, hl_http_conn_close, time_out_request},
	[HL_CONN_WORK] = {ignore, ignore, hl_http_conn_close, time_out_handler},
	[HL_CONN_WRITE] = {ignore, finish_answer, hl_http_conn_close, time_out_write},
	[HL_CONN_LINGER] = {discard_bytes, ignore, hl_http_conn_close, hl_http_conn_close},
	[HL_CONN_CLOSED] = {ignore, ignore, ignore, ignore},
};

void hl_http_conn_drain(struct hl_http_conn *conn)
{
	if (conn->state == HL_CONN_IDLE)
		hl_http_conn_close(conn);
	else if (conn->state == HL_CONN_HEAD || conn->state == HL_CONN_BODY)
		hl_http_conn_refuse(conn, 503, "shutting down");
	else if (conn->state == HL_CONN_WORK)
		conn->keeps_alive = false;
}

void hl_http_conn_orphan(struct hl_http_conn *conn)
{
	LIST_REMOVE(conn, link);
	conn->server = NULL;
}

struct hl_http_request *hl_http_exchange_request(struct hl_http_exchange *x)
{
	return hl_http_parser_request(x->conn->parser);
}

/* Takes the exchange back. Gives the connection if it still waits for the answer, else NULL. */
static struct hl_http_conn *take_back(struct hl_http_exchange *x)
{
	struct hl_http_conn *conn = x->conn;

	hl_assert(x->is_held);
	x->is_held = false;
	if (!conn->server) {
		destroy(conn);
		return NULL;
	}
	conn->server->stats.exchanges--;
	if (conn->state == HL_CONN_CLOSED) {
		LIST_REMOVE(conn, link);
		hl_loop_bury(conn->server->loop, destroy, conn);
		hl_http_server_check_drained(conn->server);
	}
	return conn->state == HL_CONN_WORK ? conn : NULL;
}

void hl_http_reply(struct hl_http_exchange *x, int status, const char *content_type, struct hl_slice body)
{
	struct hl_http_conn *conn;

	hl_assert(status >= 200 && status <= 599);
	conn = take_back(x);
	if (conn)
		answer(conn, status, content_type, body);
}

void hl_http_reply_reason(struct hl_http_exchange *x, int status, const char *reason)
{
	struct hl_http_conn *conn;

	hl_assert(status >= 200 && status <= 599);
	conn = take_back(x);
	if (conn)
		answer_reason(conn, status, reason);
}
