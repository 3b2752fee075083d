/* server_internal.h - what the files of the HTTP server share; nobody else includes it */
#ifndef HOTLINE_HTTP_SERVER_INTERNAL_H
#define HOTLINE_HTTP_SERVER_INTERNAL_H

#include "hotline/http_server.h"

#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <sys/queue.h>

/* A connection's state, and what it waits for. */
enum hl_http_conn_state {
	HL_CONN_IDLE,   /* the first byte of a request */
	HL_CONN_HEAD,   /* the rest of line and headers */
	HL_CONN_BODY,   /* the rest of the body */
	HL_CONN_WORK,   /* the handler's answer; reading pauses */
	HL_CONN_WRITE,  /* the answer to leave; reading pauses */
	HL_CONN_LINGER, /* the peer to close, after we said our last word */
	HL_CONN_CLOSED, /* the owner of the exchange to give it back, or the end of the turn */
	HL_CONN_N_STATES
};

struct hl_http_exchange {
	struct hl_http_conn *conn;
	bool is_held; /* the handler has it and did not answer yet */
};

LIST_HEAD(hl_http_conns, hl_http_conn);

struct hl_http_conn {
	struct hl_http_server *server; /* NULL: the server is gone, the exchange is still held */
	enum hl_http_conn_state state;
	struct bufferevent *bev;
	struct hl_http_parser *parser;
	struct hl_timer deadline; /* of the state */
	struct hl_http_exchange exchange;
	bool keeps_alive;   /* after the answer being written */
	bool has_continued; /* 100 Continue was sent */
	bool is_large;      /* counted among those with a large body */
	size_t lingered_bytes;
	int64_t peer_uid; /* -1: a TCP peer */
	char peer[INET6_ADDRSTRLEN];
	LIST_ENTRY(hl_http_conn) link; /* in a bucket of the server; closed but held: in gone */
};

struct hl_http_listener {
	struct hl_http_server *server;
	struct evconnlistener *ev;
	struct hl_timer retry;
	char *path; /* of a local socket, else NULL */
	int port;
	STAILQ_ENTRY(hl_http_listener) link;
};

#define HL_HTTP_N_BUCKETS 64

struct hl_http_server {
	struct hl_loop *loop;
	struct hl_http_server_options options;
	hl_http_handler *handler;
	void *ctx;
	STAILQ_HEAD(, hl_http_listener) listeners;
	struct hl_http_conns by_peer[HL_HTTP_N_BUCKETS];
	struct hl_http_conns gone;
	struct hl_http_stats stats;
	int reserve_fd; /* given up for a moment when descriptors run out */
	int64_t complained_us;
	unsigned n_unsaid; /* complaints since */
	bool is_draining;
	void (*on_drained)(void *arg);
	void *drained_arg;
	struct hl_post drained;
};

/* hl_http_conn_new - takes fd and reads from it. NULL: out of memory, fd is closed. peer_uid: -1 for TCP. */
struct hl_http_conn *hl_http_conn_new(struct hl_http_server *server, int fd, const char *peer, int64_t peer_uid);
/* hl_http_conn_refuse - answers with a reason of ours and closes. */
void hl_http_conn_refuse(struct hl_http_conn *conn, int status, const char *reason);
/* hl_http_conn_close - at once; the memory stays while the exchange is held, else until the end of the turn. */
void hl_http_conn_close(struct hl_http_conn *conn);
/* hl_http_conn_drain - the server shuts down: an idle one closes, a request not yet whole is refused. */
void hl_http_conn_drain(struct hl_http_conn *conn);
/* hl_http_conn_orphan - closed and held while the server goes away: the reply frees it. */
void hl_http_conn_orphan(struct hl_http_conn *conn);

/* hl_http_write_answer - head and body into out. is_head: the body's length is told, the body is not sent. */
void hl_http_write_answer(struct evbuffer *out, int status, const char *content_type, struct hl_slice body,
			  bool is_head, const char *connection);
/* hl_http_reason_json - {"error":"<reason>"}; reason may be any text. */
void hl_http_reason_json(struct hl_buf *out, const char *reason);

/* hl_http_listener_free - stops listening and removes a local socket's name. */
void hl_http_listener_free(struct hl_http_listener *listener);
/* hl_http_server_accepted - a connection came in; takes fd. */
void hl_http_server_accepted(struct hl_http_server *server, int fd, const char *peer, int64_t peer_uid);
struct hl_http_conns *hl_http_server_bucket(struct hl_http_server *server, const char *peer);
/* hl_http_server_check_drained - calls the drain's done, later, once nothing is left. */
void hl_http_server_check_drained(struct hl_http_server *server);

#endif
