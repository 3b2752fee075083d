/* client_internal.h - what the files of the HTTP client share; nobody else includes it */
#ifndef HOTLINE_HTTP_CLIENT_INTERNAL_H
#define HOTLINE_HTTP_CLIENT_INTERNAL_H

#include "hotline/http_client.h"

#include <curl/curl.h>
#include <sys/queue.h>

#define HL_HTTP_REPLY_HEADERS      64
#define HL_HTTP_REPLY_HEADER_BYTES ((size_t)16 << 10)

enum hl_http_op_state {
	HL_OP_WAITING,   /* for a free place */
	HL_OP_ACTIVE,    /* inside curl */
	HL_OP_FINISHED,  /* result known, done not yet called */
	HL_OP_CANCELLED, /* as finished, but done is not called */
};

TAILQ_HEAD(hl_http_ops, hl_http_op);

struct hl_http_op {
	struct hl_http_client *client;
	enum hl_http_op_state state;
	hl_http_done *done;
	void *arg;
	struct hl_http_op **handle; /* the submitter's pointer, nulled before done; may be NULL */
	struct hl_arena arena;      /* copies of the call */
	char *url;
	struct hl_slice body;
	bool is_get;
	bool (*may_connect)(void *ctx, const struct sockaddr *addr);
	void *connect_ctx;
	size_t read_bytes; /* of the body, by curl */
	struct curl_slist *headers;
	int64_t deadline_us; /* monotonic */
	struct hl_timer watchdog;
	CURL *easy; /* only while active or until taken out of the multi handle */
	char curl_text[CURL_ERROR_SIZE];
	struct hl_buf reply;
	struct hl_arena reply_arena;
	struct hl_http_header reply_headers[HL_HTTP_REPLY_HEADERS];
	size_t n_reply_headers, reply_header_bytes;
	enum hl_class cls;
	int status, curl_code;
	const char *text;
	TAILQ_ENTRY(hl_http_op) link; /* in waiting, active or finished */
};

struct hl_http_client {
	struct hl_loop *loop;
	CURLM *multi;
	struct hl_timer curl_timer;
	struct hl_http_ops waiting, active, finished;
	unsigned n_waiting, n_active, n_live, max_in_flight; /* live: done has not run */
	struct hl_post step;
	CURL **idle; /* easy handles to use again */
	unsigned n_idle;
};

/* hl_http_multi_new - curl's multi handle with its sockets and timer on the client's loop. false: out of memory. */
bool hl_http_multi_init(struct hl_http_client *client);
/* hl_http_multi_fini - all easy handles must be out. */
void hl_http_multi_fini(struct hl_http_client *client);

/* hl_http_op_check - what the call must not contain. HL_OK, else the class of the result and its reason. */
enum hl_class hl_http_op_check(const struct hl_http_call *call, const char **text_r);
/* hl_http_op_copy - the call's contents into op. false: out of memory. */
bool hl_http_op_copy(struct hl_http_op *op, const struct hl_http_call *call);
/* hl_http_op_prepare - sets up op->easy for the time left. false: out of memory. */
bool hl_http_op_prepare(struct hl_http_op *op, int64_t left_us);
/* hl_http_op_judge - class, status and text of an op that ended with curl_code; op->easy still holds its figures. */
void hl_http_op_judge(struct hl_http_op *op, CURLcode curl_code);
void hl_http_op_free(struct hl_http_op *op);

/* hl_http_op_finish - the result is known: done runs in the next step. */
void hl_http_op_finish(struct hl_http_op *op, enum hl_class cls, int curl_code, const char *text);

#endif
