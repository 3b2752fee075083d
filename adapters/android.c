/* android.c - SMS Gateway for Android (capcom6, sms-gate.app): a phone as a modem
 *
 *   inbound   POST /hook/NAME, JSON event sms:received, mms:received, mms:downloaded
 *   receipt   the same URL: sms:sent, sms:delivered, sms:failed, sms:cancelled
 *   send      POST send_url (.../messages), JSON, Basic login; the id is ours, so a repeat is found by the gateway
 *   ask       GET send_url/<id>
 *
 * Signature: lower-hex HMAC-SHA256 over body + X-Timestamp, nothing between them.
 * Ids of messages are 32-bit hashes that collide: the event's id is the key. sms:delivered comes once per part.
 * Limits: photos of mms:downloaded are inside the event, as data: URLs to the job that fetches media.
 * Source: android-sms-gateway/docs-web, capcom6/android-sms-gateway (read 2026-11)
 */
#include <inttypes.h>
#include <string.h>
#include "common.h"

#define SIGNED_BYTES_MAX (2 * 1024 * 1024)
#define OUR_ID           "hotline-"
#define MEDIA_MAX        10

static enum hl_verdict verify(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			      int64_t now_us)
{
	struct hl_slice time = hl_http_header(req, "X-Timestamp"), presented = hl_http_header(req, "X-Signature");
	struct hl_buf text;
	bool ok = false;

	(void)subpath;
	if (!hl_adapter_is_fresh(time, now_us))
		return HL_FORGED;
	hl_buf_init(&text, SIGNED_BYTES_MAX);
	hl_buf_add(&text, req->body);
	hl_buf_add(&text, time);
	for (size_t i = 0; i < ch->n_secrets && !hl_buf_failed(&text); i++) {
		struct hl_digest d = hl_hmac("SHA256", ch->secrets[i].value, hl_buf_slice(&text));

		ok |= hl_same_nocase(req->arena, hl_hex(req->arena, hl_digest_slice(&d)), presented);
	}
	hl_buf_fini(&text);
	return ok ? HL_VERIFIED : HL_FORGED;
}

/* ---- what comes in --------------------------------------------------------- */

static void add_media(struct hl_arena *arena, const json_t *payload, struct hl_inbound *m)
{
	const json_t *list = json_object_get(payload, "attachments"), *entry;
	struct hl_media_ref *refs = hl_arena_array(arena, MEDIA_MAX, sizeof(*refs));
	size_t i;

	json_array_foreach (list, i, entry) {
		struct hl_slice type = hl_json_text(arena, entry, "contentType"),
				data = hl_json_text(arena, entry, "data");

		if (refs && data.len && m->n_media < MEDIA_MAX)
			refs[m->n_media++] = (struct hl_media_ref){
				hl_slice_str(hl_arena_printf(arena, "data:%.*s;base64,%.*s", HL_SLICE_ARG(type),
							     HL_SLICE_ARG(data))),
				type};
	}
	m->media = refs;
}

/* Older versions of the app name either end phoneNumber. */
static struct hl_slice peer_of(struct hl_arena *arena, const json_t *payload, const char *key)
{
	struct hl_slice number = hl_json_text(arena, payload, key);

	return number.len ? number : hl_json_text(arena, payload, "phoneNumber");
}

static enum hl_class read_message(const struct hl_channel *ch, const struct hl_http_request *req, const json_t *doc,
				  const char *text_key, struct hl_inbound *m, struct hl_error *err)
{
	const json_t *payload = json_object_get(doc, "payload");
	struct hl_slice to = hl_json_text(req->arena, payload, "recipient");
	enum hl_class cls = hl_json_name(req->arena, doc, "id", HL_EXTERNAL_ID_BYTES_MAX, &m->external_id, err);

	if (!cls)
		cls = hl_adapter_name(req->arena, "payload.sender", peer_of(req->arena, payload, "sender"),
				      HL_PEER_PHONE_BYTES_MAX, &m->from, err);
	m->to = to.len && to.len <= HL_PEER_PHONE_BYTES_MAX ? to : ch->from;
	m->bytes = hl_json_text(req->arena, payload, text_key);
	m->charset = "UTF-8";
	if (hl_json_needs_decoding(req->body))
		m->raw = req->body;
	add_media(req->arena, payload, m);
	return cls;
}

static enum hl_class read_receipt(struct hl_arena *arena, const json_t *doc, struct hl_slice event,
				  enum hl_receipt_state state, struct hl_receipt *r, struct hl_error *err)
{
	enum hl_class cls =
		hl_json_name(arena, doc, "payload.messageId", HL_EXTERNAL_ID_BYTES_MAX, &r->external_id, err);
	size_t n = sizeof(OUR_ID) - 1;

	if (cls)
		return cls;
	r->state = state;
	r->status_text = hl_adapter_detail(arena, event);
	if (!hl_slice_has_prefix(r->external_id, OUR_ID) ||
	    !hl_adapter_attempt((struct hl_slice){r->external_id.ptr + n, r->external_id.len - n}, &r->attempt))
		r->attempt = 0;
	return HL_OK;
}

static const struct hl_state_word events[] = {
	{"sms:sent", HL_RECEIPT_BUFFERED},
	{"sms:delivered", HL_RECEIPT_DELIVERED},
	{"sms:failed", HL_RECEIPT_UNDELIVERED},
	{"sms:cancelled", HL_RECEIPT_REJECTED},
	{NULL, HL_RECEIPT_OTHER},
};

/* Key of the text in an event that is a message; NULL for others. A binary SMS is no words of anybody. */
static const char *text_key(struct hl_slice event)
{
	if (hl_slice_eq_str(event, "sms:received"))
		return "message";
	if (hl_slice_eq_str(event, "mms:received"))
		return "subject";
	return hl_slice_eq_str(event, "mms:downloaded") ? "body" : NULL;
}

static enum hl_class read_event(const struct hl_channel *ch, const struct hl_http_request *req, const json_t *doc,
				struct hl_parsed *out, struct hl_error *err)
{
	struct hl_slice event = hl_json_text(req->arena, doc, "event");
	const char *key = text_key(event);
	bool is_of_message = hl_json_at(doc, "payload.messageId") != NULL;
	enum hl_receipt_state state = hl_adapter_state(events, event);

	if (!event.len || !json_is_object(json_object_get(doc, "payload")))
		return hl_fail(err, HL_INPUT, "event, payload: must be a string and an object");
	if (key) {
		struct hl_inbound *m = hl_adapter_one_message(req->arena, out);

		return m ? read_message(ch, req, doc, key, m, err) : HL_NOMEM;
	}
	if (state != HL_RECEIPT_OTHER ||
	    (is_of_message && hl_slice_has_prefix(event, "sms:") && !hl_slice_eq_str(event, "sms:data-received"))) {
		struct hl_receipt *r = hl_adapter_one_receipt(req->arena, out);

		return r ? read_receipt(req->arena, doc, event, state, r, err) : HL_NOMEM;
	}
	return HL_OK; /* app:started, system:ping, ...: nothing of ours */
}

static enum hl_class parse(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			   struct hl_parsed *out, struct hl_error *err)
{
	enum hl_class cls;
	json_t *doc;

	(void)subpath;
	*out = (struct hl_parsed){0};
	cls = hl_json_load(req, "object", &doc, err);
	if (!cls)
		cls = read_event(ch, req, doc, out, err);
	json_decref(doc);
	return hl_arena_failed(req->arena) ? hl_fail(err, HL_NOMEM, "out of memory") : cls;
}

/* ---- what goes out --------------------------------------------------------- */

static json_t *sms_json(const struct hl_channel *ch, const struct hl_outbound *sms)
{
	char id[40];
	uint64_t sim, ttl_s;
	json_t *doc;

	snprintf(id, sizeof(id), OUR_ID "%" PRIu64, sms->attempt);
	doc = json_pack("{s:s, s:{s:s%}, s:[s%], s:b}", "id", id, "textMessage", "text", sms->text.ptr, sms->text.len,
			"phoneNumbers", sms->to.ptr, sms->to.len, "withDeliveryReport", 1);
	if (doc && hl_slice_u64(hl_slice_str(hl_channel_setting(ch, "sim")), &sim))
		json_object_set_new(doc, "simNumber", json_integer((json_int_t)sim));
	if (doc && hl_slice_u64(hl_slice_str(hl_channel_setting(ch, "ttl_s")), &ttl_s))
		json_object_set_new(doc, "ttl", json_integer((json_int_t)ttl_s));
	return doc;
}

static enum hl_class build(const struct hl_channel *ch, const struct hl_outbound *sms, int64_t now_us,
			   struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	const struct hl_http_header headers[] = {
		{HL_LIT("Authorization"), hl_adapter_basic(arena, hl_slice_str(ch->username), ch->password)},
		{HL_LIT("Content-Type"), HL_LIT("application/json")},
	};

	(void)now_us;
	return hl_adapter_post_json(ch, arena, headers, 2, sms_json(ch, sms), out, err);
}

static void interpret(const struct hl_channel *ch, int status, struct hl_slice body,
		      const struct hl_http_header *headers, size_t n_headers, struct hl_arena *arena,
		      struct hl_answer *out)
{
	json_t *doc = hl_json_answer(body);
	struct hl_slice id = hl_json_text(arena, doc, "id");
	bool is_full = hl_slice_eq_str(hl_json_text(arena, doc, "error"), "QueueLimitExceeded");

	(void)ch;
	*out = (struct hl_answer){.outcome = HL_OUT_UNKNOWN, .detail = hl_adapter_status_detail(arena, status)};
	if (status >= 200 && status < 300 && id.len && id.len <= HL_EXTERNAL_ID_BYTES_MAX) {
		out->outcome = HL_OUT_ACCEPTED;
		out->external_id = id;
	} else if (status == 409) {
		out->outcome = HL_OUT_ACCEPTED; /* this id is there already: the text was taken before */
	} else if (status == 429 || (status == 503 && is_full)) {
		out->outcome = HL_OUT_LATER;
		out->delay_us = hl_adapter_retry_after_us(headers, n_headers);
	} else if (status == 401 || status == 403 || status == 404 || status == 405) {
		out->outcome = HL_OUT_CONFIG;
	} else if (status >= 400 && status < 500 && doc) {
		out->outcome = HL_OUT_REFUSED;
	}
	json_decref(doc);
}

/* ---- what became of it ----------------------------------------------------- */

static enum hl_class ask(const struct hl_channel *ch, const struct hl_doubt *doubt, int64_t now_us,
			 struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	const struct hl_http_header headers[] = {
		{HL_LIT("Authorization"), hl_adapter_basic(arena, hl_slice_str(ch->username), ch->password)},
	};
	struct hl_slice base, query;

	(void)now_us;
	hl_slice_cut(hl_slice_str(ch->send_url), '?', &base, &query);
	return hl_adapter_get(hl_arena_printf(arena, "%.*s/" OUR_ID "%" PRIu64, HL_SLICE_ARG(base), doubt->attempt),
			      arena, headers, 1, out, err);
}

static void learn(const struct hl_channel *ch, const struct hl_doubt *doubt, int status, struct hl_slice body,
		  struct hl_arena *arena, struct hl_finding *out)
{
	static const struct hl_state_word states[] = {
		{"Pending", HL_RECEIPT_BUFFERED},    {"Processed", HL_RECEIPT_BUFFERED},
		{"Sent", HL_RECEIPT_BUFFERED},       {"Cancelling", HL_RECEIPT_BUFFERED},
		{"Delivered", HL_RECEIPT_DELIVERED}, {"Failed", HL_RECEIPT_UNDELIVERED},
		{"Cancelled", HL_RECEIPT_REJECTED},  {NULL, HL_RECEIPT_OTHER},
	};
	json_t *doc = hl_json_answer(body);
	struct hl_slice state = hl_json_text(arena, doc, "state");

	(void)ch;
	(void)doubt;
	*out = (struct hl_finding){.found = HL_FOUND_NOTHING_YET, .detail = hl_adapter_code(arena, state, status)};
	if (status == 404) {
		out->found = HL_FOUND_ABSENT;
	} else if (status == 200 && state.len) {
		out->found = HL_FOUND_TAKEN;
		out->state = hl_adapter_state(states, state);
		out->external_id = hl_json_text(arena, doc, "id");
	}
	json_decref(doc);
}

static enum hl_class check(const struct hl_channel *ch, const char **key_r, struct hl_error *err)
{
	static const struct {
		const char *key;
		uint64_t max;
	} numbers[] = {{"sim", 3}, {"ttl_s", 604800}};
	uint64_t n;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const char *value = hl_channel_setting(ch, numbers[i].key);

		*key_r = numbers[i].key;
		if (value[0] && (!hl_slice_u64(hl_slice_str(value), &n) || !n || n > numbers[i].max))
			return hl_fail(err, HL_CONFIG, "must be a number from 1 to %" PRIu64 ", is '%s'",
				       numbers[i].max, value);
	}
	return HL_OK;
}

static const char *const paths[] = {"", "/receipt", NULL};
static const struct hl_option options[] = {
	{"sim", "", NULL, .help = "card that sends, 1 to 3"},
	{"ttl_s", "", NULL, .help = "seconds after which the phone gives a text up"},
	{NULL},
};

extern const struct hl_provider hl_provider_android;
const struct hl_provider hl_provider_android = {
	.name = "android",
	.needs_secret = true,
	.has_given_secret = true,
	.needs_login = true,
	.is_fresh_only = true,
	.options = options,
	.paths = paths,
	.methods = "POST",
	.ack_type = "application/json",
	.ack_body = "{}",
	.check = check,
	.verify = verify,
	.parse = parse,
	.build = build,
	.interpret = interpret,
	.ask = ask,
	.learn = learn,
};
