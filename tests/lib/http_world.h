/* http_world.h - an HTTP client and a scripted provider in the loop of http_fixture.h */
#ifndef HTTP_WORLD_H
#define HTTP_WORLD_H

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

static inline void on_provider_bytes(struct bufferevent *bev, void *arg);

static inline void on_last_word(struct bufferevent *bev, void *arg)
{
	(void)arg;
	shutdown(bufferevent_getfd(bev), SHUT_RDWR);
}

static inline void reply(struct provider *p, struct bufferevent *bev, const char *text)
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
static inline bool take_request(struct provider *p, struct evbuffer *in)
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

static inline void on_provider_bytes(struct bufferevent *bev, void *arg)
{
	struct provider *p = arg;

	while (evbuffer_get_length(bufferevent_get_input(bev)) > 0 && take_request(p, bufferevent_get_input(bev))) {
		assert_true(p->n_requests < MAX_REPLIES && p->replies[p->n_requests]);
		reply(p, bev, p->replies[p->n_requests++]);
	}
}

static inline void on_provider_accept(struct evconnlistener *ev, evutil_socket_t fd, struct sockaddr *addr, int len,
				      void *arg)
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

static inline int port_of(int fd)
{
	struct sockaddr_in addr = {0};
	socklen_t len = sizeof(addr);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	return ntohs(addr.sin_port);
}

static inline void set_up(struct world *w, unsigned max_in_flight)
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

static inline void tear_down(struct world *w)
{
	hl_http_client_free(&w->client);
	assert_null(w->client);
	if (w->p.ev)
		evconnlistener_free(w->p.ev);
	for (unsigned i = 0; i < w->p.n_conns; i++)
		bufferevent_free(w->p.conns[i]);
	end(&w->f);
}

static inline void on_done(void *arg, const struct hl_http_result *result)
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

static inline struct hl_http_call make_call(const struct world *w, const char *body)
{
	return (struct hl_http_call){
		.url = w->url, .body = hl_slice_str(body), .deadline_us = WATCHDOG_US, .max_reply_bytes = 65536};
}

static inline void submit(struct world *w, const struct hl_http_call *call, struct outcome *o)
{
	*o = (struct outcome){0};
	assert_int_equal(hl_http_submit(w->client, call, on_done, o, &o->op), HL_OK);
	assert_int_equal(o->n_done, 0);
	assert_non_null(o->op);
}

static inline void run(struct world *w, const struct hl_http_call *call, struct outcome *o)
{
	submit(w, call, o);
	UNTIL(&w->f, o->n_done > 0);
	turn_idly(&w->f);
	assert_int_equal(o->n_done, 1);
	assert_true(o->op_was_null);
}

#endif
