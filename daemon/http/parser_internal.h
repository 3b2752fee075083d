/* parser_internal.h - what the files of the request parser share; nobody else includes it */
#ifndef HOTLINE_HTTP_PARSER_INTERNAL_H
#define HOTLINE_HTTP_PARSER_INTERNAL_H

#include "hotline/http_parse.h"

/* Which bytes come next. All but the two DATA states read a line that ends with CR LF. */
enum hl_http_state {
	HL_HTTP_REQUEST_LINE,
	HL_HTTP_HEADER_LINE,
	HL_HTTP_SIZED_DATA, /* body by Content-Length */
	HL_HTTP_CHUNK_SIZE,
	HL_HTTP_CHUNK_DATA,
	HL_HTTP_CHUNK_END, /* the empty line behind a chunk's data */
	HL_HTTP_LAST_LINE, /* the empty line behind the last chunk: no trailers */
	HL_HTTP_COMPLETE,
	HL_HTTP_BROKEN,
	HL_HTTP_N_STATES
};

struct hl_http_parser {
	struct hl_http_limits limits;
	enum hl_http_state state;
	bool saw_cr;
	struct hl_buf line; /* the line being read, without its end */
	struct hl_buf body;
	bool is_large;
	size_t header_bytes; /* of all header lines so far, ends included */
	uint64_t left_bytes; /* of the body or the chunk */
	struct hl_arena arena;
	struct hl_http_request request;
	int status;
	const char *reason;
};

/* hl_hex_value - value of a hexadecimal digit, -1 for any other byte. */
static inline int hl_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* hl_http_refuse - the request is broken; reason is a literal. Gives false. */
bool hl_http_refuse(struct hl_http_parser *parser, int status, const char *reason);

/* hl_http_read_request_line, hl_http_read_header - one whole line, without its end, into the request.
 * Errors  false and the parser is broken */
bool hl_http_read_request_line(struct hl_http_parser *parser, struct hl_slice line);
bool hl_http_read_header(struct hl_http_parser *parser, struct hl_slice line);

/* hl_http_read_framing - judges the headers together once all are there.
 * Gives   the state in which the body starts (HL_HTTP_COMPLETE: no body); left_bytes is set for SIZED_DATA.
 * Errors  HL_HTTP_BROKEN
 * Source  RFC 9112 section 6.3, RFC 9110 sections 7.2 and 10.1.1 */
enum hl_http_state hl_http_read_framing(struct hl_http_parser *parser);

#endif
