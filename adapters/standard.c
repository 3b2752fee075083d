/* standard.c - Standard Webhooks 1.0.0 in both directions: the signed JSON channel for gateways of one's own
 *
 *   inbound   POST /hook/NAME {"type":"message.received","data":{"id","from","to","text","media":[{"url","type"}]}}
 *   receipt   POST /hook/NAME/receipt  {"type":"message.status","data":{"attempt" or "id","status"}}; either path takes
 * both send      POST send_url            {"type":"message.send","timestamp","data":{"attempt","to","from","text"}}
 *             -> 2xx {"id":"..."} taken; 429 later; 400, 422 {"error":"..."} refused; 401, 403, 404, 410 configuration
 *
 * Signed both ways: v1 = base64(HMAC-SHA256(secret, id.timestamp.body)), the secret being what whsec_... decodes to.
 * While rotating we sign with every secret, so that the peer may know either.
 * Source: standard-webhooks/standard-webhooks, spec and tests (read 2026-11)
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "common.h"

#define PREFIX           "whsec_"
#define SIGNED_BYTES_MAX (2 * 1024 * 1024)

static bool get_key(struct hl_arena *arena, const struct hl_secret *secret, struct hl_slice *key_r)
{
	struct hl_slice text = secret->value;

	if (hl_slice_has_prefix(text, PREFIX))
		text = (struct hl_slice){text.ptr + sizeof(PREFIX) - 1, text.len - sizeof(PREFIX) + 1};
	return hl_base64_decode(arena, text, key_r) && key_r->len;
}

static enum hl_class check(const struct hl_channel *ch, const char **key_r, struct hl_error *err)
{
	struct hl_arena arena;
	enum hl_class cls = HL_OK;

	*key_r = "secret_file";
	hl_arena_init(&arena, 65536);
	for (size_t i = 0; i < ch->n_secrets; i++) {
		struct hl_slice key;

		if (!get_key(&arena, &ch->secrets[i], &key))
			cls = hl_fail(err, HL_CONFIG, "secret %zu of the file must be whsec_ and base64", i + 1);
	}
	hl_arena_fini(&arena);
	return cls;
}

/* "v1,<base64>" of one secret; empty when it is no secret. */
static struct hl_slice sign(struct hl_arena *arena, const struct hl_secret *secret, struct hl_slice text)
{
	struct hl_digest d;
	struct hl_slice key, code;

	if (!get_key(arena, secret, &key))
		return (struct hl_slice){0};
	d = hl_hmac("SHA256", key, text);
	code = hl_base64(arena, hl_digest_slice(&d));
	return hl_slice_str(hl_arena_printf(arena, "v1,%.*s", HL_SLICE_ARG(code)));
}

static void add_signed(struct hl_buf *out, struct hl_slice id, struct hl_slice time, struct hl_slice body)
{
	hl_buf_add(out, id);
	hl_buf_add_char(out, '.');
	hl_buf_add(out, time);
	hl_buf_add_char(out, '.');
	hl_buf_add(out, body);
}

/* Any entry that fits is enough; other versions are passed over. */
static bool is_listed(struct hl_slice list, struct hl_slice signature)
{
	struct hl_slice one;
	bool found = false;

	while (list.len) {
		hl_slice_cut(list, ' ', &one, &list);
		found |= hl_same(one, signature);
	}
	return found;
}

static enum hl_verdict verify(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			      int64_t now_us)
{
	struct hl_slice id = hl_http_header(req, "webhook-id"), time = hl_http_header(req, "webhook-timestamp");
	struct hl_slice list = hl_http_header(req, "webhook-signature");
	struct hl_buf text;
	bool ok = false;

	(void)subpath;
	if (!id.len || !hl_adapter_is_fresh(time, now_us))
		return HL_FORGED;
	hl_buf_init(&text, SIGNED_BYTES_MAX);
	add_signed(&text, id, time, req->body);
	for (size_t i = 0; i < ch->n_secrets && !hl_buf_failed(&text); i++)
		ok |= is_listed(list, sign(req->arena, &ch->secrets[i], hl_buf_slice(&text)));
	hl_buf_fini(&text);
	return ok ? HL_VERIFIED : HL_FORGED;
}

/* ---- what comes in --------------------------------------------------------- */

static enum hl_class read_message(const struct hl_http_request *req, const json_t *data, struct hl_inbound *m,
				  struct hl_error *err)
{
	struct hl_slice id = hl_json_text(req->arena, data, "id");
	enum hl_class cls = hl_adapter_name(req->arena, "data.id", id.len ? id : hl_http_header(req, "webhook-id"),
					    HL_EXTERNAL_ID_BYTES_MAX, &m->external_id, err);

	if (!cls)
		cls = hl_adapter_name(req->arena, "data.from", hl_json_text(req->arena, data, "from"),
				      HL_PEER_PHONE_BYTES_MAX, &m->from, err);
	if (!cls)
		cls = hl_adapter_name(req->arena, "data.to", hl_json_text(req->arena, data, "to"),
				      HL_PEER_PHONE_BYTES_MAX, &m->to, err);
	if (!cls && !json_is_string(json_object_get(data, "text")))
		cls = hl_fail(err, HL_INPUT, "data.text: must be a string");
	m->bytes = hl_json_text(req->arena, data, "text");
	m->charset = "UTF-8";
	if (hl_json_needs_decoding(req->body))
		m->raw = req->body;
	hl_json_media(req->arena, json_object_get(data, "media"), m);
	return cls;
}

static enum hl_class read_receipt(struct hl_arena *arena, const json_t *data, struct hl_receipt *r,
				  struct hl_error *err)
{
	static const struct hl_state_word states[] = {
		{"buffered", HL_RECEIPT_BUFFERED},
		{"sent", HL_RECEIPT_BUFFERED},
		{"delivered", HL_RECEIPT_DELIVERED},
		{"undelivered", HL_RECEIPT_UNDELIVERED},
		{"rejected", HL_RECEIPT_REJECTED},
		{"opted_out", HL_RECEIPT_REJECTED},
		{NULL, HL_RECEIPT_OTHER},
	};
	struct hl_slice word = hl_json_text(arena, data, "status"), id = hl_json_text(arena, data, "id");

	if (!word.len)
		return hl_fail(err, HL_INPUT, "data.status: must be a string");
	if (json_object_get(data, "attempt") && !hl_adapter_attempt(hl_json_text(arena, data, "attempt"), &r->attempt))
		return hl_fail(err, HL_INPUT, "data.attempt: must be a positive integer");
	r->state = hl_adapter_state(states, word);
	r->status_text = hl_adapter_detail(arena, word);
	r->is_opted_out = hl_slice_eq_str(word, "opted_out");
	if (!id.len && r->attempt)
		return HL_OK;
	return hl_adapter_name(arena, "data.id", id, HL_EXTERNAL_ID_BYTES_MAX, &r->external_id, err);
}

static enum hl_class read_event(const struct hl_http_request *req, const json_t *doc, struct hl_parsed *out,
				struct hl_error *err)
{
	struct hl_slice type = hl_json_text(req->arena, doc, "type");
	const json_t *data = json_object_get(doc, "data");

	if (!type.len || !json_is_object(data))
		return hl_fail(err, HL_INPUT, "type, data: must be a string and an object");
	if (hl_slice_eq_str(type, "message.received")) {
		struct hl_inbound *m = hl_adapter_one_message(req->arena, out);

		return m ? read_message(req, data, m, err) : HL_NOMEM;
	}
	if (hl_slice_eq_str(type, "message.status")) {
		struct hl_receipt *r = hl_adapter_one_receipt(req->arena, out);

		return r ? read_receipt(req->arena, data, r, err) : HL_NOMEM;
	}
	return HL_OK; /* events we have no use for */
}

static enum hl_class parse(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			   struct hl_parsed *out, struct hl_error *err)
{
	enum hl_class cls;
	json_t *doc;

	(void)ch;
	(void)subpath;
	*out = (struct hl_parsed){0};
	cls = hl_json_load(req, "object", &doc, err);
	if (!cls)
		cls = read_event(req, doc, out, err);
	json_decref(doc);
	return hl_arena_failed(req->arena) ? hl_fail(err, HL_NOMEM, "out of memory") : cls;
}

/* ---- what goes out --------------------------------------------------------- */

static struct hl_slice sign_all(const struct hl_channel *ch, struct hl_arena *arena, struct hl_slice id,
				struct hl_slice time, struct hl_slice body)
{
	const char *list = "";
	struct hl_buf text;

	hl_buf_init(&text, SIGNED_BYTES_MAX);
	add_signed(&text, id, time, body);
	for (size_t i = 0; i < ch->n_secrets; i++) {
		struct hl_slice one = sign(arena, &ch->secrets[i], hl_buf_slice(&text));

		list = hl_arena_printf(arena, "%s%s%.*s", list, i ? " " : "", HL_SLICE_ARG(one));
	}
	hl_buf_fini(&text);
	return hl_slice_str(list);
}

static enum hl_class build(const struct hl_channel *ch, const struct hl_outbound *sms, int64_t now_us,
			   struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	struct hl_slice stamp = hl_adapter_utc(arena, now_us);
	json_t *doc = json_pack("{s:s, s:s%, s:{s:I, s:s%, s:s%, s:s%}}", "type", "message.send", "timestamp",
				stamp.ptr, stamp.len, "data", "attempt", (json_int_t)sms->attempt, "to", sms->to.ptr,
				sms->to.len, "from", ch->from.ptr, ch->from.len, "text", sms->text.ptr, sms->text.len);
	char *body = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	struct hl_slice id = hl_slice_str(hl_arena_printf(arena, "msg_%" PRIu64, sms->attempt));
	struct hl_slice time = hl_slice_str(hl_arena_printf(arena, "%" PRId64, now_us / 1000000));
	const struct hl_http_header headers[] = {
		{HL_LIT("Content-Type"), HL_LIT("application/json")},
		{HL_LIT("webhook-id"), id},
		{HL_LIT("webhook-timestamp"), time},
		{HL_LIT("webhook-signature"), sign_all(ch, arena, id, time, hl_slice_str(body))},
	};
	enum hl_class cls;

	*out = (struct hl_request){0};
	json_decref(doc);
	if (!body)
		return hl_fail(err, HL_BUG, "text, number or sender is not valid UTF-8");
	cls = hl_adapter_post(ch, arena, headers, 4, hl_slice_str(body), out, err);
	free(body);
	return cls;
}

static void interpret(const struct hl_channel *ch, int status, struct hl_slice body,
		      const struct hl_http_header *headers, size_t n_headers, struct hl_arena *arena,
		      struct hl_answer *out)
{
	json_t *doc = hl_json_answer(body);
	struct hl_slice id = hl_json_text(arena, doc, "id"), error = hl_json_text(arena, doc, "error");

	(void)ch;
	*out = (struct hl_answer){.outcome = HL_OUT_UNKNOWN, .detail = hl_adapter_code(arena, error, status)};
	if (status >= 200 && status < 300 && id.len && id.len <= HL_EXTERNAL_ID_BYTES_MAX) {
		out->outcome = HL_OUT_ACCEPTED;
		out->external_id = id;
	} else if (status == 429) {
		out->outcome = HL_OUT_LATER;
		out->delay_us = hl_adapter_retry_after_us(headers, n_headers);
	} else if (status == 401 || status == 403 || status == 404 || status == 405 || status == 410) {
		out->outcome = HL_OUT_CONFIG;
	} else if (status >= 400 && status < 500 && error.len) {
		out->outcome = HL_OUT_REFUSED;
		out->is_opted_out = hl_slice_eq_str(error, "opted_out");
	}
	json_decref(doc);
}

static const char *const paths[] = {"", "/receipt", NULL};

extern const struct hl_provider hl_provider_standard;
const struct hl_provider hl_provider_standard = {
	.name = "standard",
	.needs_secret = true,
	.has_given_secret = true,
	.is_fresh_only = true,
	.paths = paths,
	.methods = "POST",
	.ack_type = "application/json",
	.ack_body = "{}",
	.check = check,
	.verify = verify,
	.parse = parse,
	.build = build,
	.interpret = interpret,
};
