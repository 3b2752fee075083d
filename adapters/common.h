/* common.h - small things every adapter needs; for files in adapters/ only */
#ifndef HOTLINE_ADAPTERS_COMMON_H
#define HOTLINE_ADAPTERS_COMMON_H

#include "hotline/provider.h"

#define HL_EXTERNAL_ID_BYTES_MAX 128
#define HL_PEER_PHONE_BYTES_MAX  64

/* hl_adapter_name - an id or a number as clean UTF-8 without blanks around it: the database takes nothing else.
 * Gives   *out_r in the arena.
 * Errors  HL_INPUT "<field>: must be 1 to <max> bytes" */
enum hl_class hl_adapter_name(struct hl_arena *arena, const char *field, struct hl_slice raw, size_t max_bytes,
			      struct hl_slice *out_r, struct hl_error *err);

/* hl_adapter_one_message, hl_adapter_one_receipt - room for one, counted in out; NULL when the arena is full. */
struct hl_inbound *hl_adapter_one_message(struct hl_arena *arena, struct hl_parsed *out);
struct hl_receipt *hl_adapter_one_receipt(struct hl_arena *arena, struct hl_parsed *out);

/* hl_adapter_post - a request to the channel's send_url with copies of these headers.
 * Errors  HL_BUG: a header value holds CR, LF or NUL, named without its value; HL_NOMEM */
enum hl_class hl_adapter_post(const struct hl_channel *ch, struct hl_arena *arena, const struct hl_http_header *headers,
			      size_t n_headers, struct hl_slice body, struct hl_request *out, struct hl_error *err);

/* hl_adapter_detail - what the log may show of a provider's answer: its first line, at most 120 bytes. */
struct hl_slice hl_adapter_detail(struct hl_arena *arena, struct hl_slice body);

#endif
