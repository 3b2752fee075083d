/* parser.c - the incremental half of the HTTP request parser: bytes to lines and body
 *
 * Owns the line being read, the body and the arena of one request. What a line
 * means is decided in head.c. Pure: no clock, no I/O.
 * A byte is looked at once, whatever the pieces in which it comes, and nothing is kept beyond
 * the caps: an oversized body is refused at its announcement.
 * Limits: one request at a time; no empty line in front of a request (RFC 9112 section 2.2
 * lets a server skip one); no chunk extensions, no trailers.
 */
#include "http/parser_internal.h"

#include <stdlib.h>
#include <string.h>

/* Decoded forms and JSON trees of a handler live in the arena too. */
#define ARENA_FACTOR      8
#define ARENA_SPARE_BYTES ((size_t)256 << 10)
#define CHUNK_SIZE_DIGITS 16

static size_t arena_bytes(const struct hl_http_limits *limits)
{
	size_t head =
		limits->request_line_bytes + limits->header_bytes + limits->n_headers * sizeof(struct hl_http_header);

	return ARENA_FACTOR * (head + limits->body_bytes) + ARENA_SPARE_BYTES;
}

static size_t longest_line(const struct hl_http_limits *limits)
{
	size_t head =
		limits->request_line_bytes > limits->header_bytes ? limits->request_line_bytes : limits->header_bytes;

	return head > CHUNK_SIZE_DIGITS ? head : CHUNK_SIZE_DIGITS;
}

struct hl_http_parser *hl_http_parser_new(const struct hl_http_limits *limits)
{
	struct hl_http_parser *parser = calloc(1, sizeof(*parser));

	if (!parser)
		return NULL;
	parser->limits = *limits;
	hl_buf_init(&parser->line, longest_line(limits));
	hl_buf_init(&parser->body, limits->body_bytes);
	hl_arena_init(&parser->arena, arena_bytes(limits));
	hl_http_parser_reset(parser);
	return parser;
}

void hl_http_parser_free(struct hl_http_parser **parser_ref)
{
	struct hl_http_parser *parser = *parser_ref;

	if (!parser)
		return;
	hl_buf_fini(&parser->line);
	hl_buf_fini(&parser->body);
	hl_arena_fini(&parser->arena);
	free(parser);
	*parser_ref = NULL;
}

/* A body's memory is given back: many idle connections must not keep their largest body each. */
void hl_http_parser_reset(struct hl_http_parser *parser)
{
	hl_buf_reset(&parser->line);
	hl_buf_fini(&parser->body);
	hl_arena_fini(&parser->arena);
	parser->body.max_bytes = parser->limits.body_bytes;
	parser->is_large = false;
	parser->state = HL_HTTP_REQUEST_LINE;
	parser->saw_cr = false;
	parser->header_bytes = 0;
	parser->left_bytes = 0;
	parser->status = 0;
	parser->reason = NULL;
	parser->request = (struct hl_http_request){.peer_uid = -1, .arena = &parser->arena};
}

bool hl_http_refuse(struct hl_http_parser *parser, int status, const char *reason)
{
	parser->state = HL_HTTP_BROKEN;
	parser->status = status;
	parser->reason = reason;
	return false;
}

static void end_request_line(struct hl_http_parser *parser, struct hl_slice line)
{
	if (hl_http_read_request_line(parser, line))
		parser->state = HL_HTTP_HEADER_LINE;
}

static void end_header_line(struct hl_http_parser *parser, struct hl_slice line)
{
	if (line.len == 0) {
		parser->state = hl_http_read_framing(parser);
		return;
	}
	parser->header_bytes += line.len + 2;
	if (parser->header_bytes > parser->limits.header_bytes)
		hl_http_refuse(parser, 431, "headers too long");
	else
		hl_http_read_header(parser, line);
}

/* At most CHUNK_SIZE_DIGITS digits came through line_room, so the size cannot overflow. */
static bool read_chunk_size(struct hl_slice line, uint64_t *size_r)
{
	uint64_t size = 0;

	for (size_t i = 0; i < line.len; i++) {
		int digit = hl_hex_value(line.ptr[i]);

		if (digit < 0)
			return false;
		size = size << 4 | (unsigned)digit;
	}
	*size_r = size;
	return line.len > 0;
}

static void end_chunk_size(struct hl_http_parser *parser, struct hl_slice line)
{
	if (!read_chunk_size(line, &parser->left_bytes))
		hl_http_refuse(parser, 400, "bad chunk size");
	else if (parser->left_bytes > parser->body.max_bytes - parser->body.len)
		hl_http_refuse(parser, 413, "body too long");
	else
		parser->state = parser->left_bytes > 0 ? HL_HTTP_CHUNK_DATA : HL_HTTP_LAST_LINE;
}

static void end_chunk(struct hl_http_parser *parser, struct hl_slice line)
{
	(void)line;
	parser->state = HL_HTTP_CHUNK_SIZE;
}

static void end_last_line(struct hl_http_parser *parser, struct hl_slice line)
{
	(void)line;
	parser->state = HL_HTTP_COMPLETE;
}

/* What a line may hold, by state, and what its end does. */
struct line_rule {
	void (*end)(struct hl_http_parser *parser, struct hl_slice line);
	int status; /* of a longer line */
	const char *reason;
};

static const struct line_rule line_rules[HL_HTTP_N_STATES] = {
	[HL_HTTP_REQUEST_LINE] = {end_request_line, 414, "request line too long"},
	[HL_HTTP_HEADER_LINE] = {end_header_line, 431, "headers too long"},
	[HL_HTTP_CHUNK_SIZE] = {end_chunk_size, 400, "bad chunk size"},
	[HL_HTTP_CHUNK_END] = {end_chunk, 400, "chunk longer than its size"},
	[HL_HTTP_LAST_LINE] = {end_last_line, 400, "trailers are not supported"},
};

static size_t line_room(const struct hl_http_parser *parser)
{
	switch (parser->state) {
	case HL_HTTP_REQUEST_LINE:
		return parser->limits.request_line_bytes - parser->line.len;
	case HL_HTTP_HEADER_LINE:
		return parser->limits.header_bytes - parser->header_bytes - parser->line.len;
	case HL_HTTP_CHUNK_SIZE:
		return CHUNK_SIZE_DIGITS - parser->line.len;
	default:
		return 0;
	}
}

static bool is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static size_t plain_run(struct hl_slice data)
{
	size_t n = 0;

	while (n < data.len && !is_control(data.ptr[n]))
		n++;
	return n;
}

static void end_line(struct hl_http_parser *parser)
{
	parser->saw_cr = false;
	line_rules[parser->state].end(parser, hl_buf_slice(&parser->line));
	hl_buf_reset(&parser->line);
}

/* The byte behind a run of text: CR, the LF behind it, or one that no line may hold. */
static size_t take_line_byte(struct hl_http_parser *parser, char c)
{
	if (parser->saw_cr && c == '\n')
		end_line(parser);
	else if (!parser->saw_cr && c == '\r')
		parser->saw_cr = true;
	else
		hl_http_refuse(parser, 400, parser->saw_cr ? "bare carriage return" : "control character");
	return 1;
}

static size_t take_line(struct hl_http_parser *parser, struct hl_slice data)
{
	size_t room = line_room(parser);
	size_t n = plain_run(data);

	if (n == 0 || parser->saw_cr)
		return take_line_byte(parser, data.ptr[0]);
	if (n > room) {
		hl_http_refuse(parser, line_rules[parser->state].status, line_rules[parser->state].reason);
		return room + 1;
	}
	hl_buf_add(&parser->line, (struct hl_slice){data.ptr, n});
	if (hl_buf_failed(&parser->line))
		hl_http_refuse(parser, 503, "out of memory");
	return n;
}

static size_t take_body(struct hl_http_parser *parser, struct hl_slice data)
{
	size_t n = data.len < parser->left_bytes ? data.len : (size_t)parser->left_bytes;

	hl_buf_add(&parser->body, (struct hl_slice){data.ptr, n});
	parser->left_bytes -= n;
	if (hl_buf_failed(&parser->body))
		hl_http_refuse(parser, 503, "out of memory");
	else if (parser->left_bytes == 0)
		parser->state = parser->state == HL_HTTP_CHUNK_DATA ? HL_HTTP_CHUNK_END : HL_HTTP_COMPLETE;
	return n;
}

size_t hl_http_parser_feed(struct hl_http_parser *parser, struct hl_slice data)
{
	size_t used = 0;

	while (used < data.len && parser->state != HL_HTTP_COMPLETE && parser->state != HL_HTTP_BROKEN) {
		struct hl_slice rest = {data.ptr + used, data.len - used};
		bool is_body = parser->state == HL_HTTP_SIZED_DATA || parser->state == HL_HTTP_CHUNK_DATA;

		used += is_body ? take_body(parser, rest) : take_line(parser, rest);
	}
	if (parser->state == HL_HTTP_COMPLETE)
		parser->request.body = hl_buf_slice(&parser->body);
	return used;
}

enum hl_http_phase hl_http_parser_phase(const struct hl_http_parser *parser)
{
	switch (parser->state) {
	case HL_HTTP_REQUEST_LINE:
		return HL_HTTP_LINE;
	case HL_HTTP_HEADER_LINE:
		return HL_HTTP_HEADERS;
	case HL_HTTP_COMPLETE:
		return HL_HTTP_DONE;
	case HL_HTTP_BROKEN:
		return HL_HTTP_ERROR;
	default:
		return HL_HTTP_BODY;
	}
}

bool hl_http_parser_is_large(const struct hl_http_parser *parser)
{
	return parser->is_large;
}

int hl_http_parser_status(const struct hl_http_parser *parser)
{
	return parser->status;
}

const char *hl_http_parser_reason(const struct hl_http_parser *parser)
{
	return parser->reason;
}

struct hl_http_request *hl_http_parser_request(struct hl_http_parser *parser)
{
	return &parser->request;
}
