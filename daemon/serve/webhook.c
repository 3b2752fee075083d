/* webhook.c - a provider's request from verify to the committed 200
 *
 * Owns a hook from the request to its answer. Answers: 404 unknown channel or path,
 * 405 method, 403 address, 401 forged, 400 malformed, 503 not committed, 200 committed.
 */
#include "gateway.h"

#include "hotline/item.h"
#include "hotline/log.h"

#include <stdlib.h>
#include <string.h>

#define REFUSALS_TOLD_PER_S 10

/* One request whose items are on their way into the store. */
struct hook {
	struct gateway *gateway;
	struct hl_http_exchange *x;
	const struct hl_channel_config *channel;
	size_t n_left;
	int64_t message; /* of the first item */
	bool is_failed, has_message;
	struct hl_slice ack; /* in the request's arena */
};

static struct hl_slice last_forwarded(struct hl_slice list)
{
	struct hl_slice head, tail = list;

	do {
		head = tail;
	} while (hl_slice_cut(head, ',', &head, &tail) && tail.len > 0);
	return hl_slice_trim(tail.len > 0 ? tail : head);
}

struct hl_slice client_address(const struct hl_config *config, struct hl_http_request *req)
{
	struct hl_slice forwarded = hl_http_header(req, "X-Forwarded-For");

	for (size_t i = 0; i < config->n_trusted_proxies && forwarded.len > 0; i++)
		if (hl_slice_eq_str(req->peer, config->trusted_proxies[i]))
			return last_forwarded(forwarded);
	return req->peer;
}

bool is_allowed(const struct hl_config *config, struct hl_http_request *req, char *const *list, size_t n)
{
	struct hl_slice from = client_address(config, req);

	for (size_t i = 0; i < n; i++)
		if (hl_slice_eq_str(from, list[i]))
			return true;
	return n == 0;
}

static bool has_path(const struct hl_provider *ops, struct hl_slice subpath)
{
	for (const char *const *p = ops->paths; *p; p++)
		if (hl_slice_eq_str(subpath, *p))
			return true;
	return false;
}

static bool has_method(const struct hl_provider *ops, struct hl_slice method)
{
	struct hl_slice list = hl_slice_str(ops->methods), word;

	while (list.len > 0) {
		hl_slice_cut(list, ' ', &word, &list);
		if (hl_slice_eq(word, method))
			return true;
	}
	return false;
}

/* Takes a token off the path: /hook/NAME/TOKEN/receipt is /receipt. Whether the token fits is the adapter's to say. */
static struct hl_slice without_token(const struct hl_provider *ops, struct hl_slice subpath)
{
	struct hl_slice token, rest;

	if (!ops->has_path_token || has_path(ops, subpath) || subpath.len < 2)
		return subpath;
	hl_slice_cut((struct hl_slice){subpath.ptr + 1, subpath.len - 1}, '/', &token, &rest);
	return (struct hl_slice){token.ptr + token.len, subpath.len - 1 - token.len};
}

/* ---- answers -------------------------------------------------------------- */

const int hook_statuses[HOOK_STATUSES] = {400, 401, 403, 404, 405, 503};

/* Counts a refusal; whether it gets a line of its own in the log, or is only part of the next line's number. */
static bool count_refusal(struct hook_refusals *r, int status, int64_t now_us)
{
	for (size_t i = 0; i < HOOK_STATUSES; i++)
		r->n[i] += hook_statuses[i] == status;
	if (r->second_us == 0 || now_us - r->second_us >= HL_US_PER_S) {
		r->second_us = now_us;
		r->n_told = 0;
	}
	if (r->n_told < REFUSALS_TOLD_PER_S) {
		r->n_told++;
		return true;
	}
	r->n_untold++;
	return false;
}

static void refuse(struct gateway *g, struct hl_http_exchange *x, const struct hl_channel_config *ch, int status,
		   const char *reason)
{
	struct hl_http_request *req = hl_http_exchange_request(x);

	if (count_refusal(&g->refusals, status, hl_mono_us())) {
		hl_log(HL_WARN, "hook.refused", HL_STR("channel", ch ? ch->channel.name : "-"),
		       HL_INT("status", status), HL_SLICE("peer", client_address(g->config, req)),
		       HL_STR("reason", reason), HL_INT("untold", g->refusals.n_untold));
		g->refusals.n_untold = 0;
	}
	hl_http_reply_reason(x, status, reason);
}

static void finish(struct hook *h)
{
	const struct hl_provider *ops = h->channel->ops;
	char body[64] = "{}";

	if (h->is_failed) {
		hl_http_reply_reason(h->x, 503, "not stored, try again");
	} else if (h->ack.ptr) {
		hl_http_reply(h->x, 200, ops->ack_type, h->ack);
	} else if (ops->ack_body) {
		hl_http_reply(h->x, 200, ops->ack_type, hl_slice_str(ops->ack_body));
	} else {
		if (h->has_message)
			snprintf(body, sizeof(body), "{\"message\":%lld}", (long long)h->message);
		hl_http_reply(h->x, 200, "application/json", hl_slice_str(body));
	}
	free(h);
}

static void on_item(void *arg, const struct hl_intake_result *r)
{
	struct hook *h = arg;

	if (r->cls != HL_OK)
		h->is_failed = true;
	else if (r->message && !h->message)
		h->message = r->message;
	if (--h->n_left == 0)
		finish(h);
}

/* ---- items ---------------------------------------------------------------- */

static void submit(struct hook *h, struct hl_intake *to, json_t *item)
{
	if (!item || hl_intake_submit(to, item, on_item, h) != HL_OK) {
		struct hl_intake_result failed = {.cls = HL_RETRY};

		on_item(h, &failed);
	}
}

/* What a text means takes ten times the memory of the text, and the request lives until the database answered: so in an
 * arena of its own, which ends here. */
static json_t *item_of(struct gateway *g, const struct hook *h, const struct hl_inbound *in, size_t max_bytes)
{
	const struct hl_channel *channel = &h->channel->channel;
	struct hl_arena scratch;
	json_t *item;

	hl_arena_init(&scratch, max_bytes);
	item = hl_intake_item(g->refdata, channel->name, channel->country, in, &scratch, hl_case_clock_now(&g->clock));
	hl_arena_fini(&scratch);
	return item;
}

static void store(struct gateway *g, struct hook *h, const struct hl_parsed *parsed, struct hl_http_request *req)
{
	/* One hold more than items, so that an answer inside submit cannot finish the hook under us. */
	h->n_left = parsed->n_messages + parsed->n_receipts + 1;
	h->has_message = parsed->n_messages > 0;
	for (size_t i = 0; i < parsed->n_messages; i++)
		submit(h, g->intake, item_of(g, h, &parsed->messages[i], req->arena->max_bytes));
	for (size_t i = 0; i < parsed->n_receipts; i++) {
		const struct hl_receipt *r = &parsed->receipts[i];

		if (r->state == HL_RECEIPT_OTHER)
			hl_log(HL_WARN, "receipt.unknown", HL_STR("channel", h->channel->channel.name),
			       HL_SLICE("status", r->status_text));
		submit(h, g->receipts, hl_intake_receipt(h->channel->channel.name, r));
	}
	if (--h->n_left == 0)
		finish(h);
}

/* ---- the request ---------------------------------------------------------- */

static void take(struct gateway *g, struct hl_http_exchange *x, const struct hl_channel_config *ch,
		 struct hl_slice subpath)
{
	struct hl_http_request *req = hl_http_exchange_request(x);
	struct hl_parsed parsed = {0};
	struct hl_error err = {.text = ""};
	enum hl_class cls;
	struct hook *h;

	switch (ch->ops->verify(&ch->channel, req, subpath, hl_wall_us())) {
	case HL_VERIFIED:
		break;
	case HL_FORGED:
		refuse(g, x, ch, 401, "signature or token does not fit");
		return;
	case HL_WRONG_PATH:
		refuse(g, x, ch, 404, "no such path");
		return;
	}
	if (!g->refdata || !g->intake_store.is_ready(g->intake_store.ctx)) {
		refuse(g, x, ch, 503, "not ready, try again");
		return;
	}
	if (ch->ops->voice && hl_slice_has_prefix(subpath, "/voice")) {
		hl_calls_take(g->calls, ch, x, subpath);
		return;
	}
	cls = ch->ops->parse(&ch->channel, req, subpath, &parsed, &err);
	if (cls != HL_OK) {
		refuse(g, x, ch, cls == HL_INPUT ? 400 : 503, err.text);
		return;
	}
	h = calloc(1, sizeof(*h));
	if (!h) {
		refuse(g, x, ch, 503, "out of memory");
		return;
	}
	*h = (struct hook){.gateway = g, .x = x, .channel = ch, .ack = parsed.ack};
	store(g, h, &parsed, req);
}

void webhook_handle(struct gateway *g, struct hl_http_exchange *x)
{
	struct hl_http_request *req = hl_http_exchange_request(x);
	struct hl_slice rest = {req->path.ptr + strlen("/hook/"), req->path.len - strlen("/hook/")}, name, subpath;
	const struct hl_channel_config *ch;

	hl_slice_cut(rest, '/', &name, &subpath);
	subpath = (struct hl_slice){name.ptr + name.len, rest.len - name.len}; /* with its slash, as adapters name it */
	ch = hl_config_channel(g->config, name);
	if (ch)
		subpath = without_token(ch->ops, subpath);
	if (!ch)
		refuse(g, x, NULL, 404, "no such channel");
	else if (!has_path(ch->ops, subpath))
		refuse(g, x, ch, 404, "no such path");
	else if (!has_method(ch->ops, req->method))
		refuse(g, x, ch, 405, "method not allowed");
	else if (!is_allowed(g->config, req, ch->allow, ch->n_allow))
		refuse(g, x, ch, 403, "address not allowed");
	else
		take(g, x, ch, subpath);
}

void sink_handle(struct gateway *g, struct hl_http_exchange *x)
{
	struct hl_http_request *req = hl_http_exchange_request(x);
	json_t *sms = json_loadb(req->body.ptr ? req->body.ptr : "", req->body.len, 0, NULL);
	const json_t *attempt = json_object_get(sms, "attempt");
	char body[80];

	(void)g;
	if (!json_is_integer(attempt)) {
		hl_http_reply_reason(x, 400, "attempt: must be an integer");
	} else {
		snprintf(body, sizeof(body), "{\"id\":\"lb-%lld\",\"status\":\"accepted\"}",
			 (long long)json_integer_value(attempt));
		hl_http_reply(x, 202, "application/json", hl_slice_str(body));
	}
	json_decref(sms);
}
