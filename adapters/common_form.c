/* common_form.c - forms as lists, the URL that was signed, tokens of providers that sign nothing
 *
 * Pure. Must not know: any single provider.
 */
#include <stdlib.h>
#include <string.h>
#include "common.h"

bool hl_form_pairs(struct hl_arena *arena, struct hl_slice form, struct hl_pair **out_r, size_t *n_r)
{
	struct hl_pair *pairs;
	size_t n_max = 1;

	for (size_t i = 0; i < form.len; i++)
		n_max += form.ptr[i] == '&';
	if (n_max > HL_FORM_PAIRS_MAX)
		return false;
	pairs = hl_arena_array(arena, n_max, sizeof(*pairs));
	*out_r = pairs;
	for (*n_r = 0; pairs && form.len;) {
		struct hl_slice pair, key, value;

		hl_slice_cut(form, '&', &pair, &form);
		if (!pair.len)
			continue;
		hl_slice_cut(pair, '=', &key, &value);
		if (!hl_url_decode(arena, key, true, &pairs[*n_r].key) ||
		    !hl_url_decode(arena, value, true, &pairs[*n_r].value))
			return false;
		(*n_r)++;
	}
	return pairs != NULL;
}

static int compare(struct hl_slice a, struct hl_slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n ? memcmp(a.ptr, b.ptr, n) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Insertion keeps the order of equals, and forms are short. */
void hl_pairs_sort(struct hl_pair *pairs, size_t n, bool by_value)
{
	for (size_t i = 1; i < n; i++) {
		struct hl_pair moved = pairs[i];
		size_t at = i;

		for (; at > 0; at--) {
			int order = compare(pairs[at - 1].key, moved.key);

			if (order == 0 && by_value)
				order = compare(pairs[at - 1].value, moved.value);
			if (order <= 0)
				break;
			pairs[at] = pairs[at - 1];
		}
		pairs[at] = moved;
	}
}

struct hl_slice hl_pairs_get(const struct hl_pair *pairs, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++) {
		if (hl_slice_eq_nocase(pairs[i].key, key))
			return pairs[i].value.ptr ? pairs[i].value : HL_LIT("");
	}
	return (struct hl_slice){0};
}

void hl_form_add(struct hl_buf *out, const char *key, struct hl_slice value)
{
	if (out->len)
		hl_buf_add_char(out, '&');
	hl_url_encode(out, hl_slice_str(key));
	hl_buf_add_char(out, '=');
	hl_url_encode(out, value);
}

struct hl_slice hl_adapter_url(const struct hl_channel *ch, const struct hl_http_request *req)
{
	return hl_slice_str(hl_arena_printf(req->arena, "%s%.*s%s%.*s", ch->public_url, HL_SLICE_ARG(req->path),
					    req->query.len ? "?" : "", HL_SLICE_ARG(req->query)));
}

/* What stands between /hook/NAME/ and the next slash. */
static struct hl_slice path_part(const struct hl_channel *ch, const struct hl_http_request *req)
{
	size_t n = strlen("/hook/") + strlen(ch->name);
	struct hl_slice part = {0}, rest;

	if (req->path.len > n + 1)
		hl_slice_cut((struct hl_slice){req->path.ptr + n + 1, req->path.len - n - 1}, '/', &part, &rest);
	return part;
}

/* Does one of the provider's paths begin with this part? */
static bool is_path_of(const struct hl_channel *ch, struct hl_slice part)
{
	const struct hl_provider *ops = hl_provider_find(ch->provider);
	struct hl_slice first, rest;

	for (const char *const *p = ops ? ops->paths : NULL; p && *p; p++) {
		hl_slice_cut(hl_slice_str(*p + ((*p)[0] == '/')), '/', &first, &rest);
		if ((*p)[0] == '/' && hl_slice_eq(part, first))
			return true;
	}
	return false;
}

enum hl_verdict hl_adapter_token(const struct hl_channel *ch, const struct hl_http_request *req)
{
	struct hl_slice part = path_part(ch, req), token;

	if (!ch->n_secrets)
		return HL_VERIFIED;
	if (part.len && !is_path_of(ch, part))
		return hl_secret_matches(ch, part) ? HL_VERIFIED : HL_WRONG_PATH;
	return hl_form_get(req->arena, req->query, "token", &token) && hl_secret_matches(ch, token) ? HL_VERIFIED
												    : HL_FORGED;
}

bool hl_adapter_is_form(const struct hl_http_request *req)
{
	struct hl_slice type = hl_http_header(req, "Content-Type"), head, rest;

	hl_slice_cut(type, ';', &head, &rest);
	head = hl_slice_trim(head);
	return !head.len || hl_slice_eq_nocase(head, "application/x-www-form-urlencoded");
}
