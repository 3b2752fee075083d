/* client_multi.c - curl's multi handle driven by libevent: which sockets to watch, when to wake
 *
 * Owns the multi handle and one event per socket of curl. Must not know requests beyond
 * noticing that one ended.
 * Curl's callbacks only record; easy handles are added and removed in client.c's step, because
 * curl refuses it inside a callback.
 */
#include "http/client_internal.h"

#include "hotline/clock.h"

#include <stdlib.h>

struct watch {
	struct event *ev;
	struct hl_http_client *client;
};

static void collect_ended(struct hl_http_client *client)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(client->multi, &left))) {
		struct hl_http_op *op = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &op);
		if (op->state == HL_OP_ACTIVE)
			hl_http_op_judge(op, msg->data.result);
	}
}

static void act(struct hl_http_client *client, curl_socket_t fd, int what)
{
	int n_running;

	curl_multi_socket_action(client->multi, fd, what, &n_running);
	collect_ended(client);
}

static void on_socket_event(evutil_socket_t fd, short what, void *arg)
{
	struct watch *watch = arg;

	/* The watch may be gone when act returns. */
	act(watch->client, fd, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_curl_timer(void *arg)
{
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void drop_watch(struct hl_http_client *client, curl_socket_t fd, struct watch *watch)
{
	if (!watch)
		return;
	curl_multi_assign(client->multi, fd, NULL);
	if (watch->ev)
		event_free(watch->ev);
	free(watch);
}

static struct watch *add_watch(struct hl_http_client *client, curl_socket_t fd)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->client = client;
	watch->ev = event_new(hl_loop_base(client->loop), fd, EV_PERSIST, on_socket_event, watch);
	if (!watch->ev || curl_multi_assign(client->multi, fd, watch) != CURLM_OK) {
		drop_watch(client, fd, watch);
		return NULL;
	}
	return watch;
}

/* A remove may name a socket that was never announced. Without memory for a watch the transfer meets its deadline;
 * telling curl (-1) would make it give up every transfer, now and later. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct hl_http_client *client = arg;
	struct watch *watch = socket_arg;
	short events = EV_PERSIST;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		drop_watch(client, fd, watch);
		return 0;
	}
	if (!watch)
		watch = add_watch(client, fd);
	if (!watch)
		return 0;
	events |= what & CURL_POLL_IN ? EV_READ : 0;
	events |= what & CURL_POLL_OUT ? EV_WRITE : 0;
	event_del(watch->ev);
	event_assign(watch->ev, hl_loop_base(client->loop), fd, events, on_socket_event, watch);
	event_add(watch->ev, NULL);
	return 0;
}

static int on_timer_wish(CURLM *multi, long timeout_ms, void *arg)
{
	struct hl_http_client *client = arg;

	(void)multi;
	if (timeout_ms < 0)
		hl_timer_stop(&client->curl_timer);
	else
		hl_timer_start(&client->curl_timer, timeout_ms * HL_US_PER_MS);
	return 0;
}

bool hl_http_multi_init(struct hl_http_client *client)
{
	if (!hl_timer_init(&client->curl_timer, client->loop, on_curl_timer, client))
		return false;
	client->multi = curl_multi_init();
	if (!client->multi)
		return false;
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)client->max_in_flight);
	return true;
}

/* Closing the kept connections still calls on_socket and on_timer_wish, so the timer goes last. */
void hl_http_multi_fini(struct hl_http_client *client)
{
	if (client->multi)
		curl_multi_cleanup(client->multi);
	client->multi = NULL;
	hl_timer_fini(&client->curl_timer);
}
