/* dialect.c - the dialects by name, and what they share (contract in hotline/voice.h)
 *
 * Pure. Must not know: any single platform.
 */
#include "voice/dialect_parts.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static const struct hl_dialect *const dialects[] = {&hl_dialect_twiml, &hl_dialect_jambonz, &hl_dialect_httapi,
						    &hl_dialect_cti};

const struct hl_dialect *hl_dialect_find(const char *name)
{
	for (size_t i = 0; name && i < sizeof(dialects) / sizeof(dialects[0]); i++)
		if (strcmp(dialects[i]->name, name) == 0)
			return dialects[i];
	return NULL;
}

const char *hl_call_status_name(enum hl_call_status status)
{
	static const char *const names[] = {"none", "ringing",   "answered", "over",
					    "busy", "no_answer", "failed",   "other"};

	return names[status];
}

enum hl_call_event_kind voice_kind(struct hl_slice subpath)
{
	static const char *const kinds[] = {"/voice", "/voice/status", "/voice/recording", "/voice/transcript",
					    "/voice/whisper"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (hl_slice_eq_str(subpath, kinds[i]))
			return (enum hl_call_event_kind)i;
	return HL_CALL_STATUS;
}

enum hl_class voice_begin(const struct hl_http_request *req, struct hl_slice subpath, struct hl_call_event *out,
			  struct hl_error *err)
{
	struct hl_slice n, a;
	uint64_t step;

	*out = (struct hl_call_event){.kind = voice_kind(subpath), .flow.step = -1};
	out->recording.seconds = -1;
	out->transcript.confidence = -1;
	if (hl_form_get(req->arena, req->query, "a", &a) && !hl_slice_u64(a, &out->attempt))
		return hl_fail(err, HL_INPUT, "a: must be the number of an attempt");
	if (!hl_form_get(req->arena, req->query, "n", &n))
		return HL_OK;
	if (!hl_slice_u64(n, &step) || step > 1000)
		return hl_fail(err, HL_INPUT, "n: must be the number of a step");
	out->flow.step = (int)step;
	return HL_OK;
}

enum hl_class voice_id(const char *field, struct hl_slice raw, struct hl_slice *out_r, struct hl_error *err)
{
	struct hl_slice id = hl_slice_trim(raw);
	bool is_plain = id.len > 0 && id.len <= VOICE_ID_BYTES_MAX;

	for (size_t i = 0; i < id.len && is_plain; i++)
		is_plain = id.ptr[i] > ' ' && id.ptr[i] < 127;
	*out_r = id;
	return is_plain ? HL_OK
			: hl_fail(err, HL_INPUT, "%s: must be 1 to %d printable bytes", field, VOICE_ID_BYTES_MAX);
}

enum hl_call_status voice_status(const struct voice_word *words, struct hl_slice word)
{
	if (word.len == 0)
		return HL_CALL_STATUS_NONE;
	for (; words->word; words++)
		if (hl_slice_eq_nocase(word, words->word))
			return words->status;
	return HL_CALL_OTHER;
}

struct hl_slice voice_keys(struct hl_slice digits)
{
	for (size_t i = 0; i < digits.len; i++)
		if (!digits.ptr[i] || !strchr("0123456789*#", digits.ptr[i]))
			return (struct hl_slice){"", 0};
	return digits.len <= HL_CALL_DIGITS_MAX ? digits : (struct hl_slice){"", 0};
}

struct hl_slice voice_url(struct hl_slice url)
{
	bool is_http = hl_slice_has_prefix(url, "http://") || hl_slice_has_prefix(url, "https://");

	for (size_t i = 0; i < url.len; i++)
		is_http &= url.ptr[i] > ' ' && url.ptr[i] < 127;
	return is_http && url.len <= VOICE_URL_BYTES_MAX ? url : (struct hl_slice){"", 0};
}

bool voice_is_over(enum hl_call_status status)
{
	return status == HL_CALL_OVER || status == HL_CALL_BUSY || status == HL_CALL_NO_ANSWER ||
	       status == HL_CALL_FAILED;
}

void voice_xml(struct hl_buf *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '&')
			hl_buf_add_str(out, "&amp;");
		else if (c == '<')
			hl_buf_add_str(out, "&lt;");
		else if (c == '>')
			hl_buf_add_str(out, "&gt;");
		else if (c == '"')
			hl_buf_add_str(out, "&quot;");
		else if (c >= ' ' || c == '\n' || c == '\t')
			hl_buf_add_char(out, *text);
	}
}

const char *voice_step_url(const struct hl_line_script *s)
{
	return hl_arena_printf(s->arena, "%s?n=%d", s->base, s->step);
}

/* ---- calls that we make ------------------------------------------------------- */

const char *voice_base(const struct hl_channel *ch, bool has_path_token, struct hl_arena *arena)
{
	if (has_path_token && ch->n_secrets > 0)
		return hl_arena_printf(arena, "%s/hook/%s/%.*s/voice", ch->public_url, ch->name,
				       HL_SLICE_ARG(ch->secrets[0].value));
	return hl_arena_printf(arena, "%s/hook/%s/voice", ch->public_url, ch->name);
}

struct hl_slice voice_basic(struct hl_arena *arena, const char *user, struct hl_slice password)
{
	char *plain = hl_arena_printf(arena, "%s:%.*s", user, HL_SLICE_ARG(password));
	size_t n = strlen(plain);
	unsigned char *coded = hl_arena_alloc(arena, 4 * ((n + 2) / 3) + 1);

	if (!coded)
		return (struct hl_slice){"", 0};
	EVP_EncodeBlock(coded, (const unsigned char *)plain, (int)n);
	return hl_slice_str(hl_arena_printf(arena, "Basic %s", (const char *)coded));
}

enum hl_class voice_post(struct hl_arena *arena, const char *url, const char *type, struct hl_slice authorization,
			 struct hl_buf *body, struct hl_request *out, struct hl_error *err)
{
	struct hl_http_header *headers = hl_arena_array(arena, 2, sizeof(*headers));
	bool is_whole = !hl_buf_failed(body);

	*out = (struct hl_request){.url = hl_arena_strdup(arena, hl_slice_str(url)),
				   .headers = headers,
				   .body = hl_arena_dup(arena, hl_buf_slice(body))};
	hl_buf_fini(body);
	if (!is_whole || hl_arena_failed(arena))
		return hl_fail(err, HL_NOMEM, "out of memory");
	headers[out->n_headers++] = (struct hl_http_header){HL_LIT("Content-Type"), hl_slice_str(type)};
	if (authorization.len)
		headers[out->n_headers++] = (struct hl_http_header){HL_LIT("Authorization"), authorization};
	return HL_OK;
}

void voice_ordered(int status, struct hl_slice id, struct hl_arena *arena, struct hl_answer *out)
{
	*out = (struct hl_answer){.outcome = HL_OUT_UNKNOWN,
				  .detail = hl_slice_str(hl_arena_printf(arena, "HTTP %d", status))};
	if (status >= 200 && status < 300 && id.len > 0 && id.len <= VOICE_ID_BYTES_MAX) {
		out->outcome = HL_OUT_ACCEPTED;
		out->external_id = id;
	} else if (status == 429) {
		out->outcome = HL_OUT_LATER;
	} else if (status == 401 || status == 403 || status == 404 || status == 405) {
		out->outcome = HL_OUT_CONFIG;
	} else if (status >= 400 && status < 500) {
		out->outcome = HL_OUT_REFUSED;
	}
}

struct hl_slice voice_json_id(struct hl_arena *arena, struct hl_slice body, const char *key)
{
	json_t *doc = json_loadb(body.ptr ? body.ptr : "", body.len, 0, NULL);
	const char *id = json_string_value(json_object_get(doc, key));
	struct hl_slice kept = id ? hl_arena_dup(arena, hl_slice_str(id)) : (struct hl_slice){"", 0};

	json_decref(doc);
	return kept;
}
