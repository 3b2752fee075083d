/* httpsms.c - httpSMS: a phone as a modem
 *
 *   inbound   POST /hook/NAME, CloudEvent message.phone.received
 *   receipt   the same URL: message.phone.sent, .delivered, message.send.failed, .expired
 *   send      POST send_url (https://api.httpsms.com/v1/messages/send), JSON, x-api-key; request_id is our attempt
 *
 * Authentication is a JWT (HS256) for our URL. It does not cover the body: whoever reads one may say anything for ten
 * minutes, so the URL must be https and `trust` low.
 * Source: NdoleStudio/httpsms (read 2026-11)
 */
#include <inttypes.h>
#include <string.h>
#include "common.h"

#define ISSUER    "api.httpsms.com"
#define OUR_ID    "hotline-"
#define MEDIA_MAX 10

/* The audience is one URL or a list of them. */
static bool is_for_us(const json_t *aud, const char *url)
{
	const json_t *entry;
	size_t i;
	bool found = json_is_string(aud) && !strcmp(json_string_value(aud), url);

	json_array_foreach (aud, i, entry)
		found |= json_is_string(entry) && !strcmp(json_string_value(entry), url);
	return found;
}

static enum hl_verdict verify(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			      int64_t now_us)
{
	json_t *claims = hl_jwt_claims(ch, req->arena, hl_bearer(req), now_us);
	const char *issuer = json_string_value(json_object_get(claims, "iss"));
	const char *url = hl_arena_strdup(req->arena, hl_adapter_url(ch, req));
	bool ok = issuer && !strcmp(issuer, ISSUER) && json_object_get(claims, "exp") &&
		  is_for_us(json_object_get(claims, "aud"), url);

	(void)subpath;
	json_decref(claims);
	return ok ? HL_VERIFIED : HL_FORGED;
}

/* ---- what comes in --------------------------------------------------------- */

static void add_media(struct hl_arena *arena, const json_t *data, struct hl_inbound *m)
{
	const json_t *list = json_object_get(data, "attachments"), *entry;
	struct hl_media_ref *refs = hl_arena_array(arena, MEDIA_MAX, sizeof(*refs));
	size_t i;

	json_array_foreach (list, i, entry) {
		struct hl_slice url = json_is_string(entry) ? hl_slice_str(json_string_value(entry))
							    : hl_json_text(arena, entry, "url");

		if (refs && url.len && m->n_media < MEDIA_MAX)
			refs[m->n_media++] = (struct hl_media_ref){hl_arena_dup(arena, url),
								   hl_json_text(arena, entry, "content_type")};
	}
	m->media = refs;
}

static enum hl_class read_message(const struct hl_http_request *req, const json_t *doc, struct hl_inbound *m,
				  struct hl_error *err)
{
	struct hl_arena *arena = req->arena;
	enum hl_class cls = hl_json_name(arena, doc, "data.message_id", HL_EXTERNAL_ID_BYTES_MAX, &m->external_id, err);

	if (!cls)
		cls = hl_json_name(arena, doc, "data.contact", HL_PEER_PHONE_BYTES_MAX, &m->from, err);
	if (!cls)
		cls = hl_json_name(arena, doc, "data.owner", HL_PEER_PHONE_BYTES_MAX, &m->to, err);
	m->bytes = hl_json_text(arena, doc, "data.content");
	m->charset = "UTF-8";
	if (hl_json_needs_decoding(req->body))
		m->raw = req->body;
	add_media(arena, json_object_get(doc, "data"), m);
	return cls;
}

static enum hl_class read_receipt(struct hl_arena *arena, const json_t *doc, struct hl_slice type,
				  enum hl_receipt_state state, struct hl_receipt *r, struct hl_error *err)
{
	struct hl_slice id = hl_json_text(arena, doc, "data.message_id");
	struct hl_slice ours = hl_json_text(arena, doc, "data.request_id");
	size_t n = sizeof(OUR_ID) - 1;

	r->state = state;
	r->status_text = hl_adapter_detail(arena, type);
	if (!hl_slice_has_prefix(ours, OUR_ID) ||
	    !hl_adapter_attempt((struct hl_slice){ours.ptr + n, ours.len - n}, &r->attempt))
		r->attempt = 0;
	return hl_adapter_name(arena, "data.message_id", id.len ? id : hl_json_text(arena, doc, "data.id"),
			       HL_EXTERNAL_ID_BYTES_MAX, &r->external_id, err);
}

static enum hl_class read_event(const struct hl_http_request *req, const json_t *doc, struct hl_parsed *out,
				struct hl_error *err)
{
	static const struct hl_state_word types[] = {
		{"message.phone.sent", HL_RECEIPT_BUFFERED},
		{"message.phone.delivered", HL_RECEIPT_DELIVERED},
		{"message.send.failed", HL_RECEIPT_REJECTED},
		{"message.send.expired", HL_RECEIPT_UNDELIVERED},
		{NULL, HL_RECEIPT_OTHER},
	};
	struct hl_slice type = hl_json_text(req->arena, doc, "type");
	enum hl_receipt_state state;

	if (!type.len)
		type = hl_http_header(req, "X-Event-Type");
	state = hl_adapter_state(types, type);
	if (!type.len)
		return hl_fail(err, HL_INPUT, "type: must be a string");
	if (hl_slice_eq_str(type, "message.phone.received")) {
		struct hl_inbound *m = hl_adapter_one_message(req->arena, out);

		return m ? read_message(req, doc, m, err) : HL_NOMEM;
	}
	if (state != HL_RECEIPT_OTHER || hl_slice_has_prefix(type, "message.send.")) {
		struct hl_receipt *r = hl_adapter_one_receipt(req->arena, out);

		return r ? read_receipt(req->arena, doc, type, state, r, err) : HL_NOMEM;
	}
	return HL_OK; /* missed calls, phones that went offline */
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
		{HL_LIT("x-api-key"), ch->password},
		{HL_LIT("Content-Type"), HL_LIT("application/json")},
	};
	const char *id = hl_arena_printf(arena, OUR_ID "%" PRIu64, sms->attempt);

	(void)now_us;
	return hl_adapter_post_json(ch, arena, headers, 2,
				    json_pack("{s:s%, s:b, s:s%, s:s, s:s%}", "content", sms->text.ptr, sms->text.len,
					      "encrypted", 0, "from", ch->from.ptr, ch->from.len, "request_id", id,
					      "to", sms->to.ptr, sms->to.len),
				    out, err);
}

static void interpret(const struct hl_channel *ch, int status, struct hl_slice body,
		      const struct hl_http_header *headers, size_t n_headers, struct hl_arena *arena,
		      struct hl_answer *out)
{
	json_t *doc = hl_json_answer(body);

	(void)ch;
	hl_adapter_by_status(status, doc, hl_json_text(arena, doc, "data.id"), headers, n_headers, arena, out);
	json_decref(doc);
}

static const char *const paths[] = {"", NULL};

extern const struct hl_provider hl_provider_httpsms;
const struct hl_provider hl_provider_httpsms = {
	.name = "httpsms",
	.needs_secret = true,
	.has_given_secret = true,
	.needs_key = true,
	.is_fresh_only = true,
	.paths = paths,
	.methods = "POST",
	.ack_type = "application/json",
	.ack_body = "{}",
	.verify = verify,
	.parse = parse,
	.build = build,
	.interpret = interpret,
};
