/* hl_sink.c - an SMS provider for fault tests: takes texts by POST, keeps a journal, answers badly on request
 *
 *   hl_sink --port 9000 --journal FILE [--mode ok] [--receipts PORT]
 *
 * Every text is one line of the journal, "ATTEMPT TO ARRIVAL_US SHA256 MODE", written before it is answered in any way:
 * what a provider has seen cannot be unseen. POST /mode/NAME changes the mode at run time:
 *   ok, slow (after 500 ms), hang (never), fail503, garbage (202 and HTML), 200_without_body,
 *   close_after_read (a text on a connection that was used before is read and the connection closed without an answer),
 *   duplicate-receipts (the delivery receipt is sent to the daemon at --receipts before the answer and twice after it).
 * Speaks the loopback adapter's JSON. Owns its connections and the receipts on their way.
 * Limits: one thread; a request is at most 64 KiB and of the shape the daemon sends (Content-Length, no chunks).
 */
#include "hotline/clock.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REQUEST_MAX ((size_t)64 << 10)
#define SLOW_US     500000

struct conn {
	struct sink *sink;
	struct bufferevent *bev;
	struct event *later;
	unsigned n_before;  /* texts on this connection before the one in work */
	json_int_t attempt; /* of the one in work */
};

struct mode {
	const char *name;
	void (*answer)(struct conn *c);
};

struct sink {
	struct event_base *base;
	const struct mode *mode;
	int journal, receipts_port;
};

/* A receipt on its way to the daemon; the text that waits for it is answered afterwards. */
struct receipt {
	struct sink *sink;
	json_int_t attempt;
	struct conn *waiting; /* NULL: nobody */
};

/* ---- answers -------------------------------------------------------------- */

static void close_conn(struct conn *c)
{
	event_free(c->later);
	bufferevent_free(c->bev);
	free(c);
}

static void say(struct conn *c, const char *status, const char *body)
{
	evbuffer_add_printf(bufferevent_get_output(c->bev),
			    "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status,
			    strlen(body), body);
}

static void answer_ok(struct conn *c)
{
	char body[80];

	snprintf(body, sizeof(body), "{\"id\":\"s-%lld\",\"status\":\"accepted\"}", (long long)c->attempt);
	say(c, "202 Accepted", body);
}

static void answer_503(struct conn *c)
{
	say(c, "503 Service Unavailable", "{}");
}

static void answer_garbage(struct conn *c)
{
	say(c, "202 Accepted", "<html>");
}

static void answer_empty(struct conn *c)
{
	say(c, "200 OK", "");
}

static void answer_never(struct conn *c)
{
	(void)c;
}

static void on_later(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	answer_ok(arg);
}

static void answer_slow(struct conn *c)
{
	static const struct timeval delay = {.tv_usec = SLOW_US};

	event_add(c->later, &delay);
}

/* Shut and not freed: the caller still reads from it, on_event ends it. */
static void answer_close(struct conn *c)
{
	if (c->n_before == 0)
		answer_ok(c);
	else
		shutdown(bufferevent_getfd(c->bev), SHUT_RDWR);
}

/* ---- receipts ------------------------------------------------------------- */

static void send_receipt(struct sink *s, json_int_t attempt, struct conn *waiting);

static void end_receipt(struct bufferevent *bev, struct receipt *r)
{
	struct conn *waiting = r->waiting;

	bufferevent_free(bev);
	if (waiting) {
		answer_ok(waiting);
		bufferevent_enable(waiting->bev, EV_READ);
		send_receipt(r->sink, r->attempt, NULL);
		send_receipt(r->sink, r->attempt, NULL);
	}
	free(r);
}

static void on_receipt_answer(struct bufferevent *bev, void *arg)
{
	end_receipt(bev, arg);
}

static void on_receipt_event(struct bufferevent *bev, short what, void *arg)
{
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		end_receipt(bev, arg);
}

static struct sockaddr_in local_address(int port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sin;
}

static void send_receipt(struct sink *s, json_int_t attempt, struct conn *waiting)
{
	struct receipt *r = calloc(1, sizeof(*r));
	struct bufferevent *bev = bufferevent_socket_new(s->base, -1, BEV_OPT_CLOSE_ON_FREE);
	struct sockaddr_in sin = local_address(s->receipts_port);
	char body[80];

	if (!r || !bev)
		abort();
	*r = (struct receipt){.sink = s, .attempt = attempt, .waiting = waiting};
	snprintf(body, sizeof(body), "{\"attempt\":%lld,\"status\":\"delivered\"}", (long long)attempt);
	evbuffer_add_printf(
		bufferevent_get_output(bev),
		"POST /hook/loopback/receipt HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
		"Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
		strlen(body), body);
	bufferevent_setcb(bev, on_receipt_answer, NULL, on_receipt_event, r);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	bufferevent_socket_connect(bev, (struct sockaddr *)&sin, sizeof(sin));
}

/* The connection is not read meanwhile, so it cannot end under the receipt that will answer on it. */
static void answer_after_receipt(struct conn *c)
{
	bufferevent_disable(c->bev, EV_READ);
	send_receipt(c->sink, c->attempt, c);
}

/* ---- requests ------------------------------------------------------------- */

static const struct mode modes[] = {
	{"ok", answer_ok},
	{"slow", answer_slow},
	{"hang", answer_never},
	{"fail503", answer_503},
	{"garbage", answer_garbage},
	{"200_without_body", answer_empty},
	{"close_after_read", answer_close},
	{"duplicate-receipts", answer_after_receipt},
};

static const struct mode *find_mode(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	return NULL;
}

static void hex_digest(const char *text, char out[65])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	EVP_Digest(text, strlen(text), digest, &n, EVP_sha256(), NULL);
	for (unsigned i = 0; i < n; i++)
		snprintf(out + 2 * (size_t)i, 3, "%02x", digest[i]);
}

/* One write, so that a line is never torn. A journal that cannot be written would make every verdict wrong. */
static void write_journal(struct sink *s, json_int_t attempt, const char *to, const char *text)
{
	char line[256], digest[65] = "";
	int n;

	hex_digest(text, digest);
	n = snprintf(line, sizeof(line), "%lld %s %lld %s %s\n", (long long)attempt, to, (long long)hl_wall_us(),
		     digest, s->mode->name);
	if (n >= (int)sizeof(line) || write(s->journal, line, (size_t)n) != n)
		abort();
}

static void take_text(struct conn *c, const char *body, size_t n)
{
	json_t *sms = json_loadb(body, n, 0, NULL);
	const char *to = json_string_value(json_object_get(sms, "to"));
	const char *text = json_string_value(json_object_get(sms, "text"));

	if (!to || !text) {
		say(c, "400 Bad Request", "{}");
	} else {
		c->attempt = json_integer_value(json_object_get(sms, "attempt"));
		write_journal(c->sink, c->attempt, to, text);
		c->sink->mode->answer(c);
		c->n_before++;
	}
	json_decref(sms);
}

static void take_request(struct conn *c, const char *head, const char *body, size_t n)
{
	char name[32];

	if (sscanf(head, "POST /mode/%31s ", name) != 1) {
		take_text(c, body, n);
		return;
	}
	if (!find_mode(name)) {
		say(c, "404 Not Found", "{}");
		return;
	}
	c->sink->mode = find_mode(name);
	say(c, "200 OK", "{}");
}

/* Takes one whole request off the buffer; false when it is not all there yet. */
static bool take_one(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	const char *length;
	size_t head, body = 0;
	char *all;

	if (end.pos < 0)
		return false;
	head = (size_t)end.pos + 4;
	all = (char *)evbuffer_pullup(in, (ev_ssize_t)head);
	all[head - 1] = '\0';
	length = strcasestr(all, "\r\nContent-Length:");
	if (length)
		body = strtoul(length + 17, NULL, 10);
	all[head - 1] = '\n'; /* looked for again when the body has come */
	if (evbuffer_get_length(in) < head + body)
		return false;
	all = (char *)evbuffer_pullup(in, (ev_ssize_t)(head + body));
	all[head - 1] = '\0';
	take_request(c, all, all + head, body);
	evbuffer_drain(in, head + body);
	return true;
}

static void on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	while (take_one(arg))
		;
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		close_conn(arg);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer, int n, void *arg)
{
	struct sink *s = arg;
	struct conn *c = calloc(1, sizeof(*c));

	(void)listener;
	(void)peer;
	(void)n;
	if (!c || !(c->bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE)) ||
	    !(c->later = evtimer_new(s->base, on_later, c)))
		abort();
	c->sink = s;
	bufferevent_setwatermark(c->bev, EV_READ, 0, REQUEST_MAX);
	bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* ---- run ------------------------------------------------------------------ */

static bool read_options(int argc, char **argv, struct sink *s, int *port_r)
{
	static const struct option known[] = {{"port", 1, NULL, 'p'},
					      {"journal", 1, NULL, 'j'},
					      {"mode", 1, NULL, 'm'},
					      {"receipts", 1, NULL, 'r'},
					      {NULL, 0, NULL, 0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (opt) {
		case 'p':
			*port_r = (int)strtol(optarg, NULL, 10);
			break;
		case 'j':
			s->journal = open(optarg, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
			break;
		case 'm':
			s->mode = find_mode(optarg);
			break;
		case 'r':
			s->receipts_port = (int)strtol(optarg, NULL, 10);
			break;
		default:
			return false;
		}
	}
	return *port_r > 0 && s->journal >= 0 && s->mode;
}

int main(int argc, char **argv)
{
	static struct sink s = {.journal = -1, .mode = &modes[0]};
	struct sockaddr_in sin;
	int port = 0;

	signal(SIGPIPE, SIG_IGN);
	if (!read_options(argc, argv, &s, &port)) {
		fputs("usage: hl_sink --port N --journal FILE [--mode NAME] [--receipts PORT]\n", stderr);
		return 2;
	}
	sin = local_address(port);
	s.base = event_base_new();
	if (!evconnlistener_new_bind(s.base, on_accept, &s,
				     LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, 1024,
				     (struct sockaddr *)&sin, sizeof(sin))) {
		fprintf(stderr, "hl_sink: port %d: %s\n", port, strerror(errno));
		return 1;
	}
	event_base_dispatch(s.base);
	return 0;
}
