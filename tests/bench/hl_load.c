/* hl_load.c - load generator of our own: closed loop, or open loop at a fixed rate
 *
 *   hl_load --port 8080 --connections 64 --seconds 10 [--rate 500] [--journal FILE] [--prefix P] [--path
 * /hook/loopback]
 *
 * Closed loop: every connection sends its next report as soon as the last one was
 * answered. Open loop: reports leave by the clock, whatever the answers do, and a
 * latency counts from the instant the report was due (no coordinated omission).
 * The journal has one line "ID STATUS" per answer, written before the next request
 * on that connection: what the generator was promised. Prints one JSON object.
 * Owns its connections. Limits: one thread, at most 1,024 connections; a request
 * that was cut off is never sent again, its fate is the checker's question.
 */
#include "hotline/clock.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define CONNECTIONS_MAX 1024
#define BACKLOG_MAX     200000
#define STEPS           4096 /* latency buckets: 5 % wide from 10 us on */
#define RECONNECT_US    20000
#define UNASSIGNED      86100u /* country and prefix of 100xxxxxxxx: numbers that are assigned to nobody */

struct options {
	int port, connections, seconds, rate;
	const char *journal, *prefix, *path;
};

struct conn {
	struct bufferevent *bev;
	struct load *load;
	struct event *again;
	unsigned long id;
	int64_t due_us; /* of the report under way */
	bool is_busy, is_up;
};

struct load {
	struct options o;
	struct event_base *base;
	struct conn conns[CONNECTIONS_MAX];
	struct event *tick, *end;
	FILE *journal;
	int64_t start_us, end_us;
	unsigned long first_number; /* of the block the prefix stands for: two runs do not share residents */
	unsigned long next_id, due; /* due: reports whose instant has come (open loop) */
	unsigned long acked, refused, cut;
	unsigned long long steps[STEPS];
	double max_ms, sum_ms;
};

/* ---- latencies ------------------------------------------------------------ */

static void observe(struct load *l, int64_t us)
{
	double bound = 10;
	int i = 0;

	while (i < STEPS - 1 && (double)us > bound) {
		bound *= 1.05;
		i++;
	}
	l->steps[i]++;
	l->sum_ms += (double)us / 1000;
	if ((double)us / 1000 > l->max_ms)
		l->max_ms = (double)us / 1000;
}

static double quantile_ms(const struct load *l, double q)
{
	unsigned long long total = 0, seen = 0;
	double bound = 10;

	for (int i = 0; i < STEPS; i++)
		total += l->steps[i];
	for (int i = 0; i < STEPS; i++, bound *= 1.05) {
		seen += l->steps[i];
		if (total && (double)seen >= q * (double)total)
			return bound / 1000;
	}
	return 0;
}

/* ---- reports -------------------------------------------------------------- */

static const char *const places[] = {"锦绣花园", "祥和家园", "盛世嘉园", "金都华府"};
static const char *const matters[] = {
	"消防通道被私家车堵死了，消防车进不来，麻烦派人来看看",
	"楼下业主在绿地上私搭乱建了一个彩钢棚，占了公共绿地，已经好几天了，物业说管不了",
	"电梯停运两天了没人修，家里老人上下楼不方便，希望尽快派人维修",
	"楼上装修把承重墙砸了，整栋楼都在震动，我们很担心，请尽快来人制止",
	"物业公司不给明码标价，乱收装修押金，还不给开票，请市场监管部门查一查",
};

/* A new resident for every report, and a flat of its own, so that each opens a case. */
static void make_body(const struct load *l, unsigned long id, char *out, size_t out_bytes)
{
	unsigned long n = (l->first_number + id) % 100000000, flat = n / 20;

	snprintf(out, out_bytes,
		 "{\"id\":\"%s-%lu\",\"from\":\"+%u%08lu\",\"to\":\"12345\",\"text\":\"%s%lu号楼%lu单元%lu室%s\"}",
		 l->o.prefix, id, UNASSIGNED, n, places[n % 4], flat % 99 + 1, flat / 99 % 9 + 1, flat / 891 % 9000 + 1000,
		 matters[n / 4 % 5]);
}

static void send_report(struct conn *c, int64_t due_us)
{
	struct load *l = c->load;
	char body[600];

	c->id = l->next_id++;
	c->due_us = due_us;
	c->is_busy = true;
	make_body(l, c->id, body, sizeof(body));
	evbuffer_add_printf(bufferevent_get_output(c->bev),
			    "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
			    "%zu\r\n\r\n%s",
			    l->o.path, strlen(body), body);
}

/* Gives the next report to a connection that is free, if one is due. */
static void feed(struct conn *c)
{
	struct load *l = c->load;

	if (c->is_busy || !c->is_up || hl_mono_us() >= l->end_us)
		return;
	if (l->o.rate == 0)
		send_report(c, hl_mono_us());
	else if (l->next_id < l->due)
		send_report(c, l->start_us + (int64_t)(l->next_id * 1000000UL / (unsigned long)l->o.rate));
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct load *l = arg;
	unsigned long due = (unsigned long)(hl_mono_us() - l->start_us) * (unsigned long)l->o.rate / 1000000UL;

	(void)fd;
	(void)what;
	l->due = due < l->next_id + BACKLOG_MAX ? due : l->next_id + BACKLOG_MAX;
	for (int i = 0; i < l->o.connections && l->next_id < l->due; i++)
		feed(&l->conns[i]);
}

/* ---- answers -------------------------------------------------------------- */

static void connect_to(struct conn *c);

static void answered(struct conn *c, int status)
{
	struct load *l = c->load;

	c->is_busy = false;
	if (status == 200) {
		l->acked++;
		observe(l, hl_mono_us() - c->due_us);
	} else {
		l->refused++;
	}
	if (l->journal)
		fprintf(l->journal, "%s-%lu %d\n", l->o.prefix, c->id, status);
}

/* Takes one whole answer off the buffer. Gives its status, 0 when it is not all there yet. */
static int take_answer(struct evbuffer *in)
{
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	char head[2048];
	const char *length;
	size_t body = 0;
	int status = 0;

	if (end.pos < 0 || (size_t)end.pos >= sizeof(head))
		return 0;
	evbuffer_copyout(in, head, (size_t)end.pos);
	head[end.pos] = '\0';
	length = strcasestr(head, "\r\nContent-Length:");
	if (length)
		body = strtoul(length + 17, NULL, 10);
	if (evbuffer_get_length(in) < (size_t)end.pos + 4 + body || sscanf(head, "HTTP/1.1 %d", &status) != 1)
		return 0;
	evbuffer_drain(in, (size_t)end.pos + 4 + body);
	return status;
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	int status;

	while (c->is_busy && (status = take_answer(bufferevent_get_input(bev))) > 0) {
		answered(c, status);
		feed(c);
	}
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	connect_to(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	static const struct timeval soon = {.tv_usec = RECONNECT_US};
	struct conn *c = arg;
	int one = 1;

	if (what & BEV_EVENT_CONNECTED) {
		setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		c->is_up = true;
		feed(c);
		return;
	}
	if (c->is_busy) {
		c->load->cut++;
		if (c->load->journal)
			fprintf(c->load->journal, "%s-%lu 0\n", c->load->o.prefix, c->id);
	}
	c->is_busy = c->is_up = false;
	bufferevent_free(bev);
	c->bev = NULL;
	if (hl_mono_us() < c->load->end_us)
		event_add(c->again, &soon);
}

static void connect_to(struct conn *c)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)c->load->o.port)};

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->bev = bufferevent_socket_new(c->load->base, -1, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	bufferevent_socket_connect(c->bev, (struct sockaddr *)&sin, sizeof(sin));
}

/* ---- run ------------------------------------------------------------------ */

/* The time is up: answers under way get two seconds more. */
static void on_end(evutil_socket_t fd, short what, void *arg)
{
	struct load *l = arg;
	static const struct timeval look = {.tv_usec = 20000};
	bool is_waiting = false;

	(void)fd;
	(void)what;
	for (int i = 0; i < l->o.connections; i++)
		is_waiting |= l->conns[i].is_busy;
	if (is_waiting && hl_mono_us() < l->end_us + 2000000)
		evtimer_add(l->end, &look);
	else
		event_base_loopbreak(l->base);
}

static void run(struct load *l)
{
	struct timeval length = {.tv_sec = l->o.seconds}, step = {.tv_usec = 500};

	l->base = event_base_new();
	l->start_us = hl_mono_us();
	l->end_us = l->start_us + (int64_t)l->o.seconds * 1000000;
	for (int i = 0; i < l->o.connections; i++) {
		l->conns[i].load = l;
		l->conns[i].again = evtimer_new(l->base, on_again, &l->conns[i]);
		connect_to(&l->conns[i]);
	}
	if (l->o.rate > 0) {
		l->tick = event_new(l->base, -1, EV_PERSIST, on_tick, l);
		event_add(l->tick, &step);
	}
	l->end = evtimer_new(l->base, on_end, l);
	evtimer_add(l->end, &length);
	event_base_dispatch(l->base);
}

static void print_result(const struct load *l)
{
	double seconds = l->o.seconds;

	printf("{\"acked\":%lu,\"refused\":%lu,\"cut\":%lu,\"per_s\":%.1f,\"p50_ms\":%.2f,\"p90_ms\":%.2f,\"p99_ms\":%."
	       "2f,"
	       "\"p999_ms\":%.2f,\"max_ms\":%.2f}\n",
	       l->acked, l->refused, l->cut, (double)l->acked / seconds, quantile_ms(l, 0.5), quantile_ms(l, 0.9),
	       quantile_ms(l, 0.99), quantile_ms(l, 0.999), l->max_ms);
}

static unsigned long number_block(const char *prefix)
{
	unsigned long h = 5381;

	for (; *prefix; prefix++)
		h = h * 33 + (unsigned char)*prefix;
	return h % 100 * 1000000;
}

static bool read_options(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {{"port", 1, NULL, 'p'},    {"connections", 1, NULL, 'c'},
					      {"seconds", 1, NULL, 's'}, {"rate", 1, NULL, 'r'},
					      {"journal", 1, NULL, 'j'}, {"prefix", 1, NULL, 'x'},
					      {"path", 1, NULL, 'u'},    {NULL, 0, NULL, 0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (opt) {
		case 'p':
			o->port = (int)strtol(optarg, NULL, 10);
			break;
		case 'c':
			o->connections = (int)strtol(optarg, NULL, 10);
			break;
		case 's':
			o->seconds = (int)strtol(optarg, NULL, 10);
			break;
		case 'r':
			o->rate = (int)strtol(optarg, NULL, 10);
			break;
		case 'j':
			o->journal = optarg;
			break;
		case 'x':
			o->prefix = optarg;
			break;
		case 'u':
			o->path = optarg;
			break;
		default:
			return false;
		}
	}
	return o->port > 0 && o->connections > 0 && o->connections <= CONNECTIONS_MAX && o->seconds > 0;
}

int main(int argc, char **argv)
{
	static struct load l = {.o = {.connections = 64, .seconds = 10, .prefix = "load", .path = "/hook/loopback"}};

	signal(SIGPIPE, SIG_IGN);
	if (!read_options(argc, argv, &l.o)) {
		fputs("usage: hl_load --port N [--connections N] [--seconds N] [--rate N] [--journal FILE] [--prefix "
		      "P] [--path P]\n",
		      stderr);
		return 2;
	}
	if (l.o.journal && !(l.journal = fopen(l.o.journal, "ae"))) {
		fprintf(stderr, "hl_load: %s: %s\n", l.o.journal, strerror(errno));
		return 1;
	}
	if (l.journal)
		setvbuf(l.journal, NULL, _IOLBF, 0);
	l.first_number = number_block(l.o.prefix);
	run(&l);
	print_result(&l);
	if (l.journal)
		fclose(l.journal);
	return 0;
}
