/* http_parse.h - strict HTTP/1.1 request parser; pure, incremental, bounded
 *
 * Hand-written because fit is the point: evhttp accepts framing that a proxy may
 * read otherwise (duplicate Content-Length, "Content-Length :", bare LF, chunked
 * in HTTP/1.0) and has no total deadline. Anything ambiguous is an error that
 * closes the connection. Understands: GET/HEAD/POST/PUT/DELETE/OPTIONS/PATCH tokens,
 * origin-form targets, HTTP/1.0 and 1.1, Content-Length bodies and chunked bodies
 * without extensions or trailers. Refuses: obs-fold, NUL, bare CR or LF, absolute-form,
 * Transfer-Encoding other than exactly "chunked", both framings at once, repeated
 * Content-Length or Host, more than one value.
 * Must not know: sockets, libevent.
 */
#ifndef HOTLINE_HTTP_PARSE_H
#define HOTLINE_HTTP_PARSE_H

#include "hotline/arena.h"
#include "hotline/buf.h"

struct hl_http_header {
	struct hl_slice name, value;
};

struct hl_http_request {
	struct hl_slice method, path, query; /* path percent-encoded as received; query without '?' */
	struct hl_http_header *headers;
	size_t n_headers;
	struct hl_slice body;
	int version_minor; /* 0 or 1 */
	bool keep_alive;   /* what the peer asked for, defaults applied */
	bool expect_continue;
	struct hl_slice peer;   /* textual address of the connected peer, "unix" for a local socket */
	int64_t peer_uid;       /* uid on a local socket, else -1 */
	struct hl_arena *arena; /* dies with the exchange */
};

struct hl_http_limits {
	size_t request_line_bytes; /* -> 414 */
	size_t header_bytes;       /* all header lines -> 431 */
	size_t n_headers;          /* -> 431 */
	size_t body_bytes;         /* -> 413 */
	/* has_large_body - asked once line and headers are known: may this request's body have large_body_bytes? NULL: none
	 * may. */
	bool (*has_large_body)(const struct hl_http_request *req);
	size_t large_body_bytes;
};

enum hl_http_phase { HL_HTTP_LINE, HL_HTTP_HEADERS, HL_HTTP_BODY, HL_HTTP_DONE, HL_HTTP_ERROR };

struct hl_http_parser; /* one request at a time */

struct hl_http_parser *hl_http_parser_new(const struct hl_http_limits *limits);
void hl_http_parser_free(struct hl_http_parser **parser);
/* hl_http_parser_reset - ready for the next request; slices of the last one die. */
void hl_http_parser_reset(struct hl_http_parser *parser);

/* hl_http_parser_feed - takes bytes as they come.
 * Takes   data: any length. Stops behind the end of one request (pipelined bytes stay with the caller).
 * Gives   number of bytes consumed; the phase tells whether a request is complete.
 * Errors  phase HL_HTTP_ERROR: hl_http_parser_status gives the answer's code (400, 411, 413, 414, 417, 431, 501,
 *         503 out of memory, 505) and hl_http_parser_reason a short reason; the connection must be closed after
 *         the answer.
 * Cost    O(bytes), never re-reads */
size_t hl_http_parser_feed(struct hl_http_parser *parser, struct hl_slice data);
enum hl_http_phase hl_http_parser_phase(const struct hl_http_parser *parser);
/* hl_http_parser_is_large - whether has_large_body said so of this request. */
bool hl_http_parser_is_large(const struct hl_http_parser *parser);
int hl_http_parser_status(const struct hl_http_parser *parser);
const char *hl_http_parser_reason(const struct hl_http_parser *parser);
/* hl_http_parser_request - the request; lines and headers are valid from HL_HTTP_BODY on, the body from HL_HTTP_DONE.
 * borrows: dies with the next reset. */
struct hl_http_request *hl_http_parser_request(struct hl_http_parser *parser);

/* hl_http_header - value of the first header of that name (any case), or the empty slice with ptr NULL. */
struct hl_slice hl_http_header(const struct hl_http_request *req, const char *name);

/* hl_form_get - first value of a key in an application/x-www-form-urlencoded text, percent and plus decoded.
 * Gives   true and the value (may hold any byte); false: absent or badly encoded. */
bool hl_form_get(struct hl_arena *arena, struct hl_slice form, const char *key, struct hl_slice *value_r);
/* hl_url_encode - RFC 3986 unreserved characters stay, all else %XX. */
void hl_url_encode(struct hl_buf *out, struct hl_slice s);
/* hl_url_decode - %XX and, when plus_is_blank, '+'. false on a bad escape. */
bool hl_url_decode(struct hl_arena *arena, struct hl_slice s, bool plus_is_blank, struct hl_slice *out_r);

#endif
