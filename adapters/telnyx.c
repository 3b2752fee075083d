/* telnyx.c - Telnyx messaging v2
 *
 *   inbound   POST /hook/NAME, JSON event message.received, signed with Ed25519
 *   receipt   POST /hook/NAME/receipt?n=<attempt> (our webhook_url) or /hook/NAME: message.sent, message.finalized
 *   send      POST send_url (https://api.telnyx.com/v2/messages), JSON, the API key as bearer
 *
 * Signature: Ed25519 over `timestamp|body`; secret_file holds the account's public keys in base64.
 * Events are told apart by data.id: the same one may come to both URLs, in any order. Others than those of messages are
 * acknowledged and left.
 * Source: telnyx-{node,python,ruby,php} webhook code and tests, developers.telnyx.com (read 2026-11)
 */
#include <string.h>
#include "common.h"

#define KEY_BYTES        32
#define SIGNED_BYTES_MAX (2 * 1024 * 1024)
#define MEDIA_MAX        10

static enum hl_class check(const struct hl_channel *ch, const char **key_r, struct hl_error *err)
{
	struct hl_arena arena;
	enum hl_class cls = HL_OK;

	*key_r = "secret_file";
	hl_arena_init(&arena, 4096);
	for (size_t i = 0; i < ch->n_secrets; i++) {
		struct hl_slice key;

		if (!hl_base64_decode(&arena, ch->secrets[i].value, &key) || key.len != KEY_BYTES)
			cls = hl_fail(err, HL_CONFIG, "key %zu of the file must be a public key: %d bytes in base64",
				      i + 1, KEY_BYTES);
	}
	hl_arena_fini(&arena);
	return cls;
}

static enum hl_verdict verify(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			      int64_t now_us)
{
	struct hl_slice time = hl_http_header(req, "telnyx-timestamp"), signature, key;
	struct hl_buf text;
	bool ok = false;

	(void)subpath;
	if (!hl_adapter_is_fresh(time, now_us) ||
	    !hl_base64_decode(req->arena, hl_http_header(req, "telnyx-signature-ed25519"), &signature))
		return HL_FORGED;
	hl_buf_init(&text, SIGNED_BYTES_MAX);
	hl_buf_add(&text, time);
	hl_buf_add_char(&text, '|');
	hl_buf_add(&text, req->body);
	for (size_t i = 0; i < ch->n_secrets && !ok && !hl_buf_failed(&text); i++)
		ok = hl_base64_decode(req->arena, ch->secrets[i].value, &key) &&
		     hl_ed25519_ok(key, hl_buf_slice(&text), signature);
	hl_buf_fini(&text);
	return ok ? HL_VERIFIED : HL_FORGED;
}

/* ---- what comes in --------------------------------------------------------- */

static const struct hl_state_word states[] = {
	{"queued", HL_RECEIPT_BUFFERED},
	{"sending", HL_RECEIPT_BUFFERED},
	{"sent", HL_RECEIPT_BUFFERED},
	{"delivery_unconfirmed", HL_RECEIPT_BUFFERED}, /* the carrier will never tell */
	{"delivered", HL_RECEIPT_DELIVERED},
	{"delivery_failed", HL_RECEIPT_UNDELIVERED},
	{"sending_failed", HL_RECEIPT_REJECTED},
	{NULL, HL_RECEIPT_OTHER},
};

static void add_media(struct hl_arena *arena, const json_t *payload, struct hl_inbound *m)
{
	const json_t *list = json_object_get(payload, "media"), *entry;
	struct hl_media_ref *refs = hl_arena_array(arena, MEDIA_MAX, sizeof(*refs));
	size_t i;

	json_array_foreach (list, i, entry) {
		struct hl_slice url = hl_json_text(arena, entry, "url");

		if (refs && url.len && m->n_media < MEDIA_MAX)
			refs[m->n_media++] = (struct hl_media_ref){url, hl_json_text(arena, entry, "content_type")};
	}
	m->media = refs;
}

static enum hl_class read_message(const struct hl_http_request *req, const json_t *doc, struct hl_inbound *m,
				  struct hl_error *err)
{
	struct hl_arena *arena = req->arena;
	enum hl_class cls = hl_json_name(arena, doc, "data.id", HL_EXTERNAL_ID_BYTES_MAX, &m->external_id, err);

	if (!cls)
		cls = hl_json_name(arena, doc, "data.payload.from.phone_number", HL_PEER_PHONE_BYTES_MAX, &m->from,
				   err);
	if (!cls)
		cls = hl_json_name(arena, doc, "data.payload.to.0.phone_number", HL_PEER_PHONE_BYTES_MAX, &m->to, err);
	m->bytes = hl_json_text(arena, doc, "data.payload.text");
	m->charset = "UTF-8";
	if (hl_json_needs_decoding(req->body))
		m->raw = req->body;
	add_media(arena, hl_json_at(doc, "data.payload"), m);
	return cls;
}

static enum hl_class read_receipt(const struct hl_http_request *req, const json_t *doc, struct hl_parsed *out,
				  struct hl_error *err)
{
	struct hl_slice id = hl_json_text(req->arena, doc, "data.payload.id"), n;
	struct hl_slice word = hl_json_text(req->arena, doc, "data.payload.to.0.status");
	struct hl_receipt *r;
	uint64_t attempt = 0;

	if (hl_form_get(req->arena, req->query, "n", &n) && !hl_adapter_attempt(n, &attempt))
		return hl_fail(err, HL_INPUT, "n: must be the number of an attempt");
	/* Nothing in it tells of whom or of what. */
	if (!word.len || (!id.len && !attempt))
		return HL_OK;
	r = hl_adapter_one_receipt(req->arena, out);
	if (!r)
		return HL_NOMEM;
	*r = (struct hl_receipt){.attempt = attempt,
				 .state = hl_adapter_state(states, word),
				 .status_text = hl_adapter_detail(req->arena, word)};
	return hl_adapter_name(req->arena, "data.payload.id", id, HL_EXTERNAL_ID_BYTES_MAX, &r->external_id, err);
}

static enum hl_class read_event(const struct hl_http_request *req, const json_t *doc, struct hl_parsed *out,
				struct hl_error *err)
{
	struct hl_slice type = hl_json_text(req->arena, doc, "data.event_type");
	struct hl_inbound *m;

	if (!type.len)
		return hl_fail(err, HL_INPUT, "data.event_type: must be a string");
	if (hl_slice_eq_str(type, "message.sent") || hl_slice_eq_str(type, "message.finalized"))
		return read_receipt(req, doc, out, err);
	if (!hl_slice_eq_str(type, "message.received"))
		return HL_OK;
	m = hl_adapter_one_message(req->arena, out);
	return m ? read_message(req, doc, m, err) : HL_NOMEM;
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

static enum hl_class build(const struct hl_channel *ch, const struct hl_outbound *sms, int64_t now_us,
			   struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	const struct hl_http_header headers[] = {
		{HL_LIT("Authorization"),
		 hl_slice_str(hl_arena_printf(arena, "Bearer %.*s", HL_SLICE_ARG(ch->password)))},
		{HL_LIT("Content-Type"), HL_LIT("application/json")},
	};
	struct hl_slice url = hl_adapter_receipt_url(ch, sms->attempt, arena);

	(void)now_us;
	return hl_adapter_post_json(ch, arena, headers, 2,
				    json_pack("{s:s%, s:s%, s:s%, s:s%}", "from", ch->from.ptr, ch->from.len, "to",
					      sms->to.ptr, sms->to.len, "text", sms->text.ptr, sms->text.len,
					      "webhook_url", url.ptr, url.len),
				    out, err);
}

static void interpret(const struct hl_channel *ch, int status, struct hl_slice body,
		      const struct hl_http_header *headers, size_t n_headers, struct hl_arena *arena,
		      struct hl_answer *out)
{
	static const struct hl_outcome_word codes[] = {
		{"40300", HL_OUT_REFUSED, .is_opted_out = true},
		{"10009", HL_OUT_CONFIG},
		{"10011", HL_OUT_LATER},
		{NULL},
	};
	json_t *doc = hl_json_answer(body);
	struct hl_slice id = hl_json_text(arena, doc, "data.id"), code = hl_json_text(arena, doc, "errors.0.code");

	(void)ch;
	*out = (struct hl_answer){.outcome = HL_OUT_UNKNOWN, .detail = hl_adapter_code(arena, code, status)};
	if (status >= 200 && status < 300 && id.len && id.len <= HL_EXTERNAL_ID_BYTES_MAX) {
		out->outcome = HL_OUT_ACCEPTED;
		out->external_id = id;
	} else if (status >= 400 && status < 500 && !hl_adapter_outcome(codes, code, out)) {
		if (status == 429)
			out->outcome = HL_OUT_LATER;
		else if (status == 401 || status == 403 || status == 404 || status == 405)
			out->outcome = HL_OUT_CONFIG;
		else if (code.len)
			out->outcome = HL_OUT_REFUSED;
	}
	if (out->outcome == HL_OUT_LATER)
		out->delay_us = hl_adapter_retry_after_us(headers, n_headers);
	json_decref(doc);
}

static const char *const paths[] = {"", "/receipt", "/voice", "/voice/status", "/voice/recording", "/voice/transcript",
				    "/voice/whisper", NULL};
static const struct hl_option options[] = {
	{"transcripts", "none", "none provider", .help = "whether the platform writes down what callers say"},
	{NULL},
};

extern const struct hl_provider hl_provider_telnyx;
const struct hl_provider hl_provider_telnyx = {
	.name = "telnyx",
	.needs_secret = true,
	.has_given_secret = true,
	.needs_key = true,
	.is_fresh_only = true,
	.options = options,
	.paths = paths,
	.voice = "twiml",
	.methods = "POST",
	.ack_type = "application/json",
	.ack_body = "{}",
	.check = check,
	.verify = verify,
	.parse = parse,
	.build = build,
	.interpret = interpret,
};
