/* common.c - small things every adapter needs
 *
 * Pure. Must not know: any single provider, HTTP beyond a header's syntax.
 */
#include <string.h>
#include "common.h"
#include "hotline/text.h"

#define DETAIL_BYTES_MAX 120

enum hl_class hl_adapter_name(struct hl_arena *arena, const char *field, struct hl_slice raw, size_t max_bytes,
			      struct hl_slice *out_r, struct hl_error *err)
{
	*out_r = hl_slice_trim(hl_text_decode(arena, raw, NULL));
	if (!out_r->len || out_r->len > max_bytes)
		return hl_fail(err, HL_INPUT, "%s: must be 1 to %zu bytes", field, max_bytes);
	return HL_OK;
}

struct hl_inbound *hl_adapter_one_message(struct hl_arena *arena, struct hl_parsed *out)
{
	out->messages = hl_arena_alloc(arena, sizeof(*out->messages));
	out->n_messages = out->messages ? 1 : 0;
	return out->messages;
}

struct hl_receipt *hl_adapter_one_receipt(struct hl_arena *arena, struct hl_parsed *out)
{
	out->receipts = hl_arena_alloc(arena, sizeof(*out->receipts));
	out->n_receipts = out->receipts ? 1 : 0;
	return out->receipts;
}

static bool is_header_value(struct hl_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\r' || s.ptr[i] == '\n' || s.ptr[i] == '\0')
			return false;
	}
	return true;
}

enum hl_class hl_adapter_post(const struct hl_channel *ch, struct hl_arena *arena, const struct hl_http_header *headers,
			      size_t n_headers, struct hl_slice body, struct hl_request *out, struct hl_error *err)
{
	struct hl_http_header *copies = hl_arena_array(arena, n_headers, sizeof(*copies));

	*out = (struct hl_request){0};
	for (size_t i = 0; copies && i < n_headers; i++) {
		if (!is_header_value(headers[i].value))
			return hl_fail(err, HL_BUG, "header %.*s holds CR, LF or NUL", HL_SLICE_ARG(headers[i].name));
		copies[i].name = hl_arena_dup(arena, headers[i].name);
		copies[i].value = hl_arena_dup(arena, headers[i].value);
	}
	body = hl_arena_dup(arena, body);
	if (hl_arena_failed(arena))
		return hl_fail(err, HL_NOMEM, "out of memory");
	*out = (struct hl_request){.url = ch->send_url, .headers = copies, .n_headers = n_headers, .body = body};
	return HL_OK;
}

struct hl_slice hl_adapter_detail(struct hl_arena *arena, struct hl_slice body)
{
	struct hl_slice line, rest;

	if (body.len > DETAIL_BYTES_MAX)
		body.len = DETAIL_BYTES_MAX;
	hl_slice_cut(body, '\n', &line, &rest);
	return hl_slice_trim(hl_text_decode(arena, line, NULL));
}
