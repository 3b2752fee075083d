/* loopback.c - the null provider: plain JSON in and out, for tests, demos and as the model of an adapter
 *
 *   inbound   POST /hook/NAME          {"id":"...","from":"...","to":"...","text":"...","media":[{"url","type"}]}
 *             -> 200 {"message":N}
 *   receipt   POST /hook/NAME/receipt  {"attempt":N or "id":"...","status":"delivered|undelivered|rejected|buffered"}
 *   send      POST send_url            {"attempt":N,"to":"+...","from":"...","text":"..."}
 *             -> 202 {"id":"...","status":"accepted|later|refused|config"}
 *
 * No secret is needed. Where one is configured, the query must carry token=SECRET.
 * Bodies in a lying encoding are mended, not refused: not valid UTF-8, NUL, half a surrogate pair.
 */
#include <stdlib.h>
#include <string.h>
#include "common.h"
#include "hotline/text.h"

static enum hl_verdict verify(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			      int64_t now_us)
{
	struct hl_slice token;

	(void)subpath;
	(void)now_us;
	if (!ch->n_secrets)
		return HL_VERIFIED;
	if (!hl_form_get(req->arena, req->query, "token", &token) || !hl_secret_matches(ch, token))
		return HL_FORGED;
	return HL_VERIFIED;
}

static enum hl_class get_string(struct hl_arena *arena, const json_t *doc, const char *key, struct hl_slice *out_r,
				struct hl_error *err)
{
	const json_t *value = json_object_get(doc, key);

	if (!json_is_string(value))
		return hl_fail(err, HL_INPUT, "%s: must be a string", key);
	*out_r = hl_arena_dup(arena, (struct hl_slice){json_string_value(value), json_string_length(value)});
	return HL_OK;
}

static enum hl_class get_name(struct hl_arena *arena, const json_t *doc, const char *key, size_t max_bytes,
			      struct hl_slice *out_r, struct hl_error *err)
{
	struct hl_slice raw;
	enum hl_class cls = get_string(arena, doc, key, &raw, err);

	return cls ? cls : hl_adapter_name(arena, key, raw, max_bytes, out_r, err);
}

static enum hl_class read_message(struct hl_arena *arena, const json_t *doc, struct hl_inbound *m, struct hl_error *err)
{
	enum hl_class cls = get_name(arena, doc, "id", HL_EXTERNAL_ID_BYTES_MAX, &m->external_id, err);

	if (!cls)
		cls = get_name(arena, doc, "from", HL_PEER_PHONE_BYTES_MAX, &m->from, err);
	if (!cls)
		cls = get_name(arena, doc, "to", HL_PEER_PHONE_BYTES_MAX, &m->to, err);
	if (!cls)
		cls = get_string(arena, doc, "text", &m->bytes, err);
	m->charset = "UTF-8";
	hl_json_media(arena, json_object_get(doc, "media"), m);
	return cls;
}

static enum hl_receipt_state receipt_state(struct hl_slice word)
{
	static const struct {
		const char *word;
		enum hl_receipt_state state;
	} states[] = {
		{"buffered", HL_RECEIPT_BUFFERED},
		{"delivered", HL_RECEIPT_DELIVERED},
		{"undelivered", HL_RECEIPT_UNDELIVERED},
		{"rejected", HL_RECEIPT_REJECTED},
	};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (hl_slice_eq_str(word, states[i].word))
			return states[i].state;
	}
	return HL_RECEIPT_OTHER;
}

static enum hl_class read_receipt(struct hl_arena *arena, const json_t *doc, struct hl_receipt *r, struct hl_error *err)
{
	const json_t *attempt = json_object_get(doc, "attempt");
	struct hl_slice word;
	enum hl_class cls = HL_OK;

	if (attempt && (!json_is_integer(attempt) || json_integer_value(attempt) <= 0))
		return hl_fail(err, HL_INPUT, "attempt: must be a positive integer");
	if (attempt)
		r->attempt = (uint64_t)json_integer_value(attempt);
	if (!attempt || json_object_get(doc, "id"))
		cls = get_name(arena, doc, "id", HL_EXTERNAL_ID_BYTES_MAX, &r->external_id, err);
	if (!cls)
		cls = get_string(arena, doc, "status", &word, err);
	if (cls)
		return cls;
	r->status_text = hl_adapter_detail(arena, word);
	r->state = receipt_state(word);
	return HL_OK;
}

static enum hl_class read_body(const struct hl_http_request *req, const json_t *doc, struct hl_slice subpath,
			       struct hl_parsed *out, struct hl_error *err)
{
	struct hl_inbound *m;

	if (hl_slice_eq_str(subpath, "/receipt")) {
		struct hl_receipt *r = hl_adapter_one_receipt(req->arena, out);

		return r ? read_receipt(req->arena, doc, r, err) : HL_NOMEM;
	}
	m = hl_adapter_one_message(req->arena, out);
	if (!m)
		return HL_NOMEM;
	/* The text of a mended body is ours; what came is the body. */
	if (hl_json_needs_decoding(req->body))
		m->raw = req->body;
	return read_message(req->arena, doc, m, err);
}

static enum hl_class parse(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			   struct hl_parsed *out, struct hl_error *err)
{
	enum hl_class cls;
	json_t *doc;

	(void)ch;
	*out = (struct hl_parsed){0};
	cls = hl_json_load(req, "object", &doc, err);
	if (!cls)
		cls = read_body(req, doc, subpath, out, err);
	json_decref(doc);
	return hl_arena_failed(req->arena) ? hl_fail(err, HL_NOMEM, "out of memory") : cls;
}

static enum hl_class build(const struct hl_channel *ch, const struct hl_outbound *sms, int64_t now_us,
			   struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	static const struct hl_http_header headers[] = {
		{{"Content-Type", 12}, {"application/json", 16}},
	};
	json_t *doc = json_pack("{s:I,s:s%,s:s%,s:s%}", "attempt", (json_int_t)sms->attempt, "to", sms->to.ptr,
				sms->to.len, "from", ch->from.ptr, ch->from.len, "text", sms->text.ptr, sms->text.len);
	char *body = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	enum hl_class cls;

	(void)now_us;
	*out = (struct hl_request){0};
	json_decref(doc);
	if (!body)
		return hl_fail(err, HL_BUG, "text, number or sender is not valid UTF-8");
	cls = hl_adapter_post(ch, arena, headers, 1, hl_slice_str(body), out, err);
	free(body);
	return cls;
}

static bool outcome_of(const char *word, enum hl_outcome *out_r)
{
	static const struct {
		const char *word;
		enum hl_outcome outcome;
	} outcomes[] = {
		{"accepted", HL_OUT_ACCEPTED},
		{"later", HL_OUT_LATER},
		{"refused", HL_OUT_REFUSED},
		{"config", HL_OUT_CONFIG},
	};

	for (size_t i = 0; word && i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		if (!strcmp(word, outcomes[i].word)) {
			*out_r = outcomes[i].outcome;
			return true;
		}
	}
	return false;
}

static void read_answer(const json_t *doc, struct hl_arena *arena, struct hl_answer *out)
{
	const char *word = json_string_value(json_object_get(doc, "status"));
	struct hl_slice id = hl_slice_str(json_string_value(json_object_get(doc, "id")));
	enum hl_outcome outcome;

	if (!id.len || id.len > HL_EXTERNAL_ID_BYTES_MAX || !outcome_of(word, &outcome))
		return;
	out->outcome = outcome;
	out->detail = hl_arena_dup(arena, hl_slice_str(word));
	if (outcome == HL_OUT_ACCEPTED)
		out->external_id = hl_arena_dup(arena, id);
}

static void interpret(const struct hl_channel *ch, int status, struct hl_slice body,
		      const struct hl_http_header *headers, size_t n_headers, struct hl_arena *arena,
		      struct hl_answer *out)
{
	json_t *doc;

	(void)ch;
	(void)headers;
	(void)n_headers;
	*out = (struct hl_answer){.outcome = HL_OUT_UNKNOWN, .detail = hl_adapter_detail(arena, body)};
	if (status != 202)
		return;
	doc = json_loadb(body.ptr ? body.ptr : "", body.len, JSON_REJECT_DUPLICATES, NULL);
	read_answer(doc, arena, out);
	json_decref(doc);
}

static const char *const paths[] = {"", "/receipt", NULL};

extern const struct hl_provider hl_provider_loopback;
const struct hl_provider hl_provider_loopback = {
	.name = "loopback",
	.paths = paths,
	.methods = "POST",
	.ack_type = "application/json",
	.verify = verify,
	.parse = parse,
	.build = build,
	.interpret = interpret,
};
