/* http_server.h - small strict HTTP/1.1 server on bufferevents: caps, absolute deadlines, routes, deferred replies
 *
 * Owns listeners, connections and exchanges. An exchange is one request and its
 * answer; the handler may answer at once or later, exactly once. A client that
 * vanishes does not concern the handler: the exchange stays valid until answered.
 * Must not know: providers, the database.
 * Limits: no TLS (a documented reverse proxy does that), no pipelining beyond one
 * request in work per connection (further bytes wait in the socket).
 */
#ifndef HOTLINE_HTTP_SERVER_H
#define HOTLINE_HTTP_SERVER_H

#include "hotline/error.h"
#include "hotline/http_parse.h"
#include "hotline/loop.h"

struct hl_http_server;
struct hl_http_exchange;

struct hl_http_server_options {
	struct hl_http_limits limits;
	int64_t idle_us, header_us, body_us; /* absolute, per phase */
	int64_t answer_us;                   /* a handler that took longer: 503, its late answer is dropped */
	int64_t write_us;
	/* Requests with a large body (limits.has_large_body) have time of their own for body and answer, and no more than so
	 * many are taken at once, two of one peer: beyond 503, 429. */
	int64_t large_us;
	unsigned max_large;
	unsigned max_connections;          /* beyond: 503 and close */
	unsigned max_connections_per_peer; /* beyond: 429 and close; 0: no cap; local sockets, exempt peers have none */
	/* is_exempt - trusted proxies have no per-peer cap; may be NULL. */
	bool (*is_exempt)(void *ctx, struct hl_slice peer);
};

/* hl_http_handler - called once per complete request, never for a broken one.
 * Must arrange for hl_http_reply exactly once, now or later. */
typedef void hl_http_handler(void *ctx, struct hl_http_exchange *x);

struct hl_http_server *hl_http_server_new(struct hl_loop *loop, const struct hl_http_server_options *options,
					  hl_http_handler *handler, void *ctx);
/* hl_http_server_listen - adds a listener.
 * Takes   address: "127.0.0.1:8080", "[::1]:8080", port 0 for any, or "unix:/path" (mode 0600, replaces a dead socket).
 * Errors  HL_CONFIG with address and reason */
enum hl_class hl_http_server_listen(struct hl_http_server *server, const char *address, struct hl_error *err);
/* hl_http_server_port - port of the first TCP listener, 0 if none. */
int hl_http_server_port(const struct hl_http_server *server);
/* hl_http_server_drain - closes listeners and idle connections, refuses requests that are not yet whole with 503.
 * Calls   done(arg) once, at the fixed point of a later turn, when no exchange is left and every answer has gone out.
 */
void hl_http_server_drain(struct hl_http_server *server, void (*done)(void *arg), void *arg);
/* hl_http_server_free - closes everything at once. Not from inside a handler.
 * Exchanges not yet answered stay valid, also behind the loop's end; their reply frees them and does nothing else. */
void hl_http_server_free(struct hl_http_server **server);

struct hl_http_stats {
	unsigned long long accepted, requests, rejected, timeouts;
	unsigned connections, exchanges, large;
};
const struct hl_http_stats *hl_http_server_stats(const struct hl_http_server *server);

struct hl_http_request *hl_http_exchange_request(struct hl_http_exchange *x);

/* hl_http_reply - answers and gives the exchange back; x must not be used afterwards.
 * Takes   status 200-599; content_type: NULL for none; body: copied. */
void hl_http_reply(struct hl_http_exchange *x, int status, const char *content_type, struct hl_slice body);
/* hl_http_reply_reason - {"error":"<reason>"} with that status. */
void hl_http_reply_reason(struct hl_http_exchange *x, int status, const char *reason);

#endif
