/* dialect.c - the dialects by name, and what they share (contract in hotline/voice.h)
 *
 * Pure. Must not know: any single platform.
 */
#include "voice/dialect_parts.h"

#include <stdlib.h>
#include <string.h>

static const struct hl_dialect *const dialects[] = {&hl_dialect_twiml, &hl_dialect_jambonz, &hl_dialect_httapi};

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
	struct hl_slice n;
	uint64_t step;

	*out = (struct hl_call_event){.kind = voice_kind(subpath), .flow.step = -1};
	out->recording.seconds = -1;
	out->transcript.confidence = -1;
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
