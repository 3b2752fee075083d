/* server.c - the HTTP server as a whole: who may connect, draining, the end
 *
 * Owns the listeners, the table of connections by peer and the gauges. A connection's life is
 * conn.c, sockets are listen.c.
 * Limits: who comes over a cap is told so as long as few others are being told (SPARE_CONNECTIONS in
 * total, SPARE_PER_PEER of one address); beyond that the connection is just closed.
 */
#include "http/server_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SPARE_CONNECTIONS 64
#define SPARE_PER_PEER    8

static void on_nothing_left(void *arg)
{
	struct hl_http_server *server = arg;

	server->on_drained(server->drained_arg);
}

struct hl_http_server *hl_http_server_new(struct hl_loop *loop, const struct hl_http_server_options *options,
					  hl_http_handler *handler, void *ctx)
{
	struct hl_http_server *server = calloc(1, sizeof(*server));

	if (!server)
		return NULL;
	server->loop = loop;
	server->options = *options;
	server->handler = handler;
	server->ctx = ctx;
	server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	server->drained = (struct hl_post){.fn = on_nothing_left, .arg = server};
	STAILQ_INIT(&server->listeners);
	return server;
}

/* FNV-1a: addresses differ in few bytes, mostly the last. */
struct hl_http_conns *hl_http_server_bucket(struct hl_http_server *server, const char *peer)
{
	uint32_t hash = UINT32_C(2166136261);

	for (; *peer; peer++)
		hash = (hash ^ (unsigned char)*peer) * UINT32_C(16777619);
	return &server->by_peer[hash % HL_HTTP_N_BUCKETS];
}

static unsigned count_peer(struct hl_http_server *server, const char *peer)
{
	struct hl_http_conn *conn;
	unsigned n = 0;

	LIST_FOREACH(conn, hl_http_server_bucket(server, peer), link)
	n += strcmp(conn->peer, peer) == 0;
	return n;
}

/* How many connections a peer has above its cap, the one that just came included. */
static unsigned count_over_cap(struct hl_http_server *server, const char *peer, int64_t peer_uid)
{
	const struct hl_http_server_options *options = &server->options;
	unsigned n;

	if (options->max_connections_per_peer == 0 || peer_uid >= 0)
		return 0;
	if (options->is_exempt && options->is_exempt(server->ctx, hl_slice_str(peer)))
		return 0;
	n = count_peer(server, peer) + 1;
	return n > options->max_connections_per_peer ? n - options->max_connections_per_peer : 0;
}

void hl_http_server_accepted(struct hl_http_server *server, int fd, const char *peer, int64_t peer_uid)
{
	unsigned n = server->stats.connections + 1, max = server->options.max_connections;
	unsigned over_peer = count_over_cap(server, peer, peer_uid), over = n > max ? n - max : 0;
	struct hl_http_conn *conn;

	server->stats.accepted++;
	if (over > SPARE_CONNECTIONS || over_peer > SPARE_PER_PEER) {
		server->stats.rejected++;
		close(fd);
		return;
	}
	conn = hl_http_conn_new(server, fd, peer, peer_uid);
	if (!conn || over > 0 || over_peer > 0)
		server->stats.rejected++;
	if (conn && over > 0)
		hl_http_conn_refuse(conn, 503, "too many connections");
	else if (conn && over_peer > 0)
		hl_http_conn_refuse(conn, 429, "too many connections from this address");
}

int hl_http_server_port(const struct hl_http_server *server)
{
	struct hl_http_listener *listener;

	STAILQ_FOREACH(listener, &server->listeners, link)
	if (listener->port > 0)
		return listener->port;
	return 0;
}

static void free_listeners(struct hl_http_server *server)
{
	struct hl_http_listener *listener;

	while ((listener = STAILQ_FIRST(&server->listeners))) {
		STAILQ_REMOVE_HEAD(&server->listeners, link);
		hl_http_listener_free(listener);
	}
}

static void for_each_conn(struct hl_http_server *server, void (*fn)(struct hl_http_conn *conn))
{
	for (size_t i = 0; i < HL_HTTP_N_BUCKETS; i++) {
		struct hl_http_conn *conn, *next;

		for (conn = LIST_FIRST(&server->by_peer[i]); conn; conn = next) {
			next = LIST_NEXT(conn, link);
			fn(conn);
		}
	}
}

void hl_http_server_check_drained(struct hl_http_server *server)
{
	if (server->is_draining && server->on_drained && server->stats.connections == 0 && server->stats.exchanges == 0)
		hl_loop_post(server->loop, &server->drained);
}

void hl_http_server_drain(struct hl_http_server *server, void (*done)(void *arg), void *arg)
{
	hl_assert(!server->is_draining);
	server->is_draining = true;
	server->drained_arg = arg;
	free_listeners(server);
	for_each_conn(server, hl_http_conn_drain);
	server->on_drained = done;
	hl_http_server_check_drained(server);
}

void hl_http_server_free(struct hl_http_server **server_ref)
{
	struct hl_http_server *server = *server_ref;
	struct hl_http_conn *conn;

	if (!server)
		return;
	server->on_drained = NULL;
	free_listeners(server);
	for_each_conn(server, hl_http_conn_close);
	while ((conn = LIST_FIRST(&server->gone)))
		hl_http_conn_orphan(conn);
	hl_loop_unpost(server->loop, &server->drained);
	if (server->reserve_fd >= 0)
		close(server->reserve_fd);
	free(server);
	*server_ref = NULL;
}

const struct hl_http_stats *hl_http_server_stats(const struct hl_http_server *server)
{
	return &server->stats;
}
