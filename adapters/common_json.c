/* common_json.c - JSON bodies of providers
 *
 * Pure. Bodies in a lying encoding are mended, not refused: not valid UTF-8, NUL, half a surrogate pair.
 */
#include <stdlib.h>
#include <string.h>
#include "common.h"
#include "hotline/text.h"

#define MEDIA_MAX 10

bool hl_json_needs_decoding(struct hl_slice body)
{
	return memchr(body.ptr ? body.ptr : "", '\0', body.len) || hl_slice_has_prefix(body, "\xef\xbb\xbf") ||
	       !hl_text_is_utf8(body);
}

/* JSON begins with two ASCII characters, so the place of the first zero byte tells UTF-16 (RFC 4627, 3). */
static const char *utf16_name(struct hl_slice body)
{
	if (body.len < 2 || !body.ptr[0] == !body.ptr[1])
		return NULL;
	return body.ptr[0] ? "UTF-16LE" : "UTF-16BE";
}

/* Value of the four hex digits behind \u, or -1 when s does not begin with such an escape. */
static int escape_value(struct hl_slice s)
{
	int value = 0;

	if (s.len < 6 || s.ptr[0] != '\\' || s.ptr[1] != 'u')
		return -1;
	for (size_t i = 2; i < 6; i++) {
		const char *digit = memchr("0123456789abcdefABCDEF", s.ptr[i], 22);
		int n = digit ? (int)(digit - "0123456789abcdefABCDEF") : -1;

		if (n < 0)
			return -1;
		value = value * 16 + (n < 16 ? n : n - 6);
	}
	return value;
}

static bool is_high(int unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(int unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* Copy in which \u escapes of half a surrogate pair are \ufffd: JavaScript writes such halves, jansson refuses them. */
static struct hl_slice mend_surrogates(struct hl_arena *arena, struct hl_slice body)
{
	char *to = hl_arena_alloc(arena, body.len);
	struct hl_slice copy = {to, to && body.ptr ? body.len : 0};

	if (to && body.ptr)
		memcpy(to, body.ptr, body.len);
	for (size_t i = 0; i + 1 < copy.len; i++) {
		struct hl_slice rest = {body.ptr + i, body.len - i};
		int unit = escape_value(rest);

		if (rest.ptr[0] != '\\')
			continue;
		if (is_high(unit) && is_low(escape_value((struct hl_slice){rest.ptr + 6, rest.len - 6}))) {
			i += 11;
		} else if (is_high(unit) || is_low(unit)) {
			memcpy(to + i, "\\ufffd", 6);
			i += 5;
		} else {
			i += 1; /* what is escaped does not begin another escape */
		}
	}
	return copy;
}

static bool is_kind(const json_t *doc, const char *what)
{
	return (json_is_object(doc) && strstr(what, "object")) || (json_is_array(doc) && strstr(what, "array"));
}

enum hl_class hl_json_load(const struct hl_http_request *req, const char *what, json_t **out_r, struct hl_error *err)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
	struct hl_slice body = req->body;
	json_error_t why;

	if (hl_json_needs_decoding(body))
		body = hl_text_decode(req->arena, body, utf16_name(body));
	*out_r = json_loadb(body.ptr ? body.ptr : "", body.len, flags, &why);
	if (!*out_r && hl_slice_find(body, HL_LIT("\\u")) >= 0) {
		body = mend_surrogates(req->arena, body);
		*out_r = json_loadb(body.ptr ? body.ptr : "", body.len, flags, &why);
	}
	if (!*out_r)
		return hl_fail(err, HL_INPUT, "body: must be a JSON %s: %s", what, why.text);
	if (!is_kind(*out_r, what)) {
		json_decref(*out_r);
		*out_r = NULL;
		return hl_fail(err, HL_INPUT, "body: must be a JSON %s", what);
	}
	return HL_OK;
}

json_t *hl_json_answer(struct hl_slice body)
{
	return json_loadb(body.ptr ? body.ptr : "", body.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
}

const json_t *hl_json_at(const json_t *doc, const char *path)
{
	struct hl_slice rest = hl_slice_str(path), step;
	uint64_t index;
	char key[64];

	while (doc && rest.len) {
		hl_slice_cut(rest, '.', &step, &rest);
		if (step.len >= sizeof(key))
			return NULL;
		memcpy(key, step.ptr, step.len);
		key[step.len] = '\0';
		if (json_is_array(doc))
			doc = hl_slice_u64(step, &index) ? json_array_get(doc, index) : NULL;
		else
			doc = json_object_get(doc, key);
	}
	return doc;
}

struct hl_slice hl_json_text(struct hl_arena *arena, const json_t *doc, const char *path)
{
	const json_t *value = hl_json_at(doc, path);

	if (json_is_string(value))
		return hl_arena_dup(arena, (struct hl_slice){json_string_value(value), json_string_length(value)});
	if (json_is_integer(value))
		return hl_slice_str(hl_arena_printf(arena, "%lld", (long long)json_integer_value(value)));
	if (json_is_boolean(value))
		return json_is_true(value) ? HL_LIT("true") : HL_LIT("false");
	return (struct hl_slice){0};
}

enum hl_class hl_json_name(struct hl_arena *arena, const json_t *doc, const char *path, size_t max_bytes,
			   struct hl_slice *out_r, struct hl_error *err)
{
	return hl_adapter_name(arena, path, hl_json_text(arena, doc, path), max_bytes, out_r, err);
}

void hl_json_media(struct hl_arena *arena, const json_t *list, struct hl_inbound *m)
{
	struct hl_media_ref *refs = json_is_array(list) ? hl_arena_array(arena, MEDIA_MAX, sizeof(*refs)) : NULL;
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		struct hl_slice url = hl_json_text(arena, entry, "url");

		if (refs && url.len > 0 && m->n_media < MEDIA_MAX)
			refs[m->n_media++] = (struct hl_media_ref){url, hl_json_text(arena, entry, "type")};
	}
	m->media = refs;
}
