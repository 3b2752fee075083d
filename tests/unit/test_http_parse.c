/* test_http_parse.c - what the request parser takes and refuses, in whatever pieces the bytes come */
#include "hotline/http_parse.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const struct hl_http_limits limits = {
	.request_line_bytes = 64, .header_bytes = 160, .n_headers = 6, .body_bytes = 32};

#define GET     "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST    "POST /x HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define FILL16  "aaaaaaaaaaaaaaaa"
#define FILL64  FILL16 FILL16 FILL16 FILL16

/* status 0: a whole request, then method, path, query and body count. */
struct row {
	const char *name;
	struct hl_slice bytes;
	int status;
	const char *method, *path, *query, *body;
	size_t rest; /* bytes left behind the request */
};

#define OK(n, b, ...)                                                                                                  \
	{                                                                                                              \
		n, {b, sizeof(b) - 1}, 0, __VA_ARGS__                                                                  \
	}
#define BAD(n, b, s)                                                                                                   \
	{                                                                                                              \
		n, {b, sizeof(b) - 1}, s, NULL, NULL, NULL, NULL, 0                                                    \
	}

static const struct row rows[] = {
	OK("smallest", GET "\r\n", "GET", "/", "", "", 0),
	OK("1.0 without Host", "GET / HTTP/1.0\r\n\r\n", "GET", "/", "", "", 0),
	OK("query", "GET /a%20b?c=d&e=%E4?f HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/a%20b", "c=d&e=%E4?f", "", 0),
	OK("unknown method", "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", "BREW", "/pot", "", "", 0),
	OK("length body", POST "Content-Length: 5\r\n\r\nhello", "POST", "/x", "", "hello", 0),
	OK("empty body", POST "Content-Length: 0\r\n\r\n", "POST", "/x", "", "", 0),
	OK("leading zeros", POST "Content-Length: 0005\r\n\r\nhello", "POST", "/x", "", "hello", 0),
	OK("body at the cap", POST "Content-Length: 32\r\n\r\n" FILL16 FILL16, "POST", "/x", "", FILL16 FILL16, 0),
	OK("1.0 body", "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi", "POST", "/", "", "hi", 0),
	OK("get with body", GET "Content-Length: 2\r\n\r\nhi", "GET", "/", "", "hi", 0),
	OK("delete without length", "DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n", "DELETE", "/x", "", "", 0),
	OK("chunks", CHUNKED "3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n", "POST", "/x", "", "abc0123456789", 0),
	OK("chunked in capitals", POST "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", "POST", "/x", "", "", 0),
	OK("chunks at the cap", CHUNKED "10\r\n" FILL16 "\r\n10\r\n" FILL16 "\r\n000\r\n\r\n", "POST", "/x", "",
	   FILL16 FILL16, 0),
	OK("pipelined", POST "Content-Length: 2\r\n\r\nhiGET /next", "POST", "/x", "", "hi", 9),
	OK("pipelined behind chunks", CHUNKED "0\r\n\r\nGET", "POST", "/x", "", "", 3),
	OK("Host with port", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET", "/", "", "", 0),
	OK("request line at the cap", "GET /" FILL16 FILL16 FILL16 "aa HTTP/1.1\r\nHost: a\r\n\r\n", "GET",
	   "/" FILL16 FILL16 FILL16 "aa", "", "", 0),
	OK("headers at the cap", GET "X: " FILL64 FILL64 FILL16 "aa\r\n\r\n", "GET", "/", "", "", 0),
	OK("six headers", GET "b:\r\nc:\r\nd:\r\ne:\r\nf:\r\n\r\n", "GET", "/", "", "", 0),

	BAD("empty line first", "\r\n" GET "\r\n", 400),
	BAD("no version", "GET /\r\n", 400),
	BAD("two blanks", "GET  / HTTP/1.1\r\n", 400),
	BAD("blank behind version", "GET / HTTP/1.1 \r\n", 400),
	BAD("tab between", "GET\t/ HTTP/1.1\r\n", 400),
	BAD("empty method", " / HTTP/1.1\r\n", 400),
	BAD("bad method", "G(T / HTTP/1.1\r\n", 400),
	BAD("absolute form", "GET http://a/ HTTP/1.1\r\n", 400),
	BAD("asterisk form", "OPTIONS * HTTP/1.1\r\n", 400),
	BAD("authority form", "CONNECT a:80 HTTP/1.1\r\n", 400),
	BAD("fragment", "GET /#a HTTP/1.1\r\n", 400),
	BAD("not ASCII in target", "GET /\xc3\xa9 HTTP/1.1\r\n", 400),
	BAD("delete in target", "GET /\x7f HTTP/1.1\r\n", 400),
	BAD("NUL in target", "GET /\0 HTTP/1.1\r\n", 400),
	BAD("escape in method", "\x1b HTTP/1.1\r\n", 400),
	BAD("lower-case http", "GET / http/1.1\r\n", 400),
	BAD("version 1.10", "GET / HTTP/1.10\r\n", 400),
	BAD("version 1.2", "GET / HTTP/1.2\r\n", 505),
	BAD("version 2.0", "GET / HTTP/2.0\r\n", 505),
	BAD("version 0.9", "GET / HTTP/0.9\r\n", 505),
	BAD("TLS hello", "\x16\x03\x01\x02\x00\x01", 400),
	BAD("long request line", "GET /" FILL64, 414),
	BAD("long method", FILL64 "a", 414),
	BAD("one byte over", "GET /" FILL16 FILL16 FILL16 "aaa HTTP/1.1\r\n", 414),

	BAD("bare LF behind request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
	BAD("bare LF behind header", "GET / HTTP/1.1\r\nHost: a\n\r\n", 400),
	BAD("bare CR in header", GET "X: a\rb\r\n\r\n", 400),
	BAD("two CR", GET "\r\r\n", 400),
	BAD("CR in the text, LF at its end", GET "X: a\rb\n\r\n", 400),
	BAD("delete in header", GET "X: a\x7f\r\n\r\n", 400),
	BAD("NUL in header", GET "X: a\0b\r\n\r\n", 400),
	BAD("continuation", GET "X: a\r\n b\r\n\r\n", 400),
	BAD("continuation with tab", GET "X: a\r\n\tb\r\n\r\n", 400),
	BAD("continuation first", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
	BAD("no colon", GET "X\r\n\r\n", 400),
	BAD("empty name", GET ": a\r\n\r\n", 400),
	BAD("blank in front of colon", POST "Content-Length : 5\r\n\r\nhello", 400),
	BAD("name not a token", GET "X(y): a\r\n\r\n", 400),
	BAD("name not ASCII", GET "\xc3\xa9: a\r\n\r\n", 400),
	BAD("long header", GET "X: " FILL64 FILL64 FILL64, 431),
	BAD("one header byte over", GET "X: " FILL64 FILL64 FILL16 "aaa\r\n\r\n", 431),
	BAD("many headers", GET "b:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\n\r\n", 431),
	BAD("no Host", "GET / HTTP/1.1\r\n\r\n", 400),
	BAD("two Hosts", GET "Host: a\r\n\r\n", 400),
	BAD("two Hosts in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n", 400),
	BAD("empty Host", "GET / HTTP/1.1\r\nHost: \r\n\r\n", 400),
	BAD("Host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
	BAD("Host with path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),

	BAD("post without length", POST "\r\n", 411),
	BAD("put without length", "PUT / HTTP/1.1\r\nHost: a\r\n\r\n", 411),
	BAD("same length twice", POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400),
	BAD("two lengths", POST "Content-Length: 5\r\ncontent-length: 6\r\n\r\nhello!", 400),
	BAD("length list", POST "Content-Length: 5, 5\r\n\r\nhello", 400),
	BAD("signed length", POST "Content-Length: +5\r\n\r\nhello", 400),
	BAD("negative length", POST "Content-Length: -5\r\n\r\nhello", 400),
	BAD("hex length", POST "Content-Length: 0x5\r\n\r\nhello", 400),
	BAD("empty length", POST "Content-Length:\r\n\r\n", 400),
	BAD("blank in length", POST "Content-Length: 1 0\r\n\r\n0123456789", 400),
	BAD("length over the cap", POST "Content-Length: 33\r\n\r\n", 413),
	BAD("length of 2^64", POST "Content-Length: 18446744073709551616\r\n\r\n", 413),
	BAD("length of 40 digits", POST "Content-Length: 5555555555555555555555555555555555555555\r\n\r\n", 413),

	BAD("both framings", POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
	BAD("both, other order", POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400),
	BAD("chunked in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
	BAD("two codings", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
	BAD("coding list", POST "Transfer-Encoding: gzip, chunked\r\n\r\n", 400),
	BAD("chunked twice", POST "Transfer-Encoding: chunked, chunked\r\n\r\n", 400),
	BAD("coding with parameter", POST "Transfer-Encoding: chunked;q=1\r\n\r\n", 400),
	BAD("empty coding", POST "Transfer-Encoding:\r\n\r\n", 400),
	BAD("vertical tab",
	    POST "Transfer-Encoding: \x0b"
		 "chunked\r\n\r\n",
	    400),
	BAD("identity", POST "Transfer-Encoding: identity\r\n\r\n", 501),
	BAD("gzip", POST "Transfer-Encoding: gzip\r\n\r\n", 501),
	BAD("xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n", 501),
	BAD("expectation", POST "Content-Length: 1\r\nExpect: tea\r\n\r\n", 417),
	BAD("two expectations", POST "Content-Length: 1\r\nExpect: 100-continue\r\nExpect: tea\r\n\r\n", 417),
	BAD("length before expectation", POST "Content-Length: 33\r\nExpect: 100-continue\r\n\r\n", 413),

	BAD("chunk extension", CHUNKED "3;a=b\r\nabc\r\n0\r\n\r\n", 400),
	BAD("blank behind size", CHUNKED "3 \r\nabc\r\n0\r\n\r\n", 400),
	BAD("blank in front of size", CHUNKED " 3\r\nabc\r\n0\r\n\r\n", 400),
	BAD("hex prefix", CHUNKED "0x3\r\nabc\r\n0\r\n\r\n", 400),
	BAD("signed size", CHUNKED "+3\r\nabc\r\n0\r\n\r\n", 400),
	BAD("empty size", CHUNKED "\r\nabc\r\n0\r\n\r\n", 400),
	BAD("empty size as the end", CHUNKED "\r\n\r\n", 400),
	BAD("no digit", CHUNKED "g\r\n", 400),
	BAD("17 digits", CHUNKED "00000000000000003\r\nabc\r\n0\r\n\r\n", 400),
	BAD("wrapping size", CHUNKED "10000000000000003\r\nabc\r\n0\r\n\r\n", 400),
	BAD("largest size", CHUNKED "FFFFFFFFFFFFFFFF\r\n", 413),
	BAD("size over the cap", CHUNKED "21\r\n", 413),
	BAD("sum over the cap", CHUNKED "20\r\n" FILL16 FILL16 "\r\n1\r\n", 413),
	BAD("wrapping sum", CHUNKED "1\r\na\r\nFFFFFFFFFFFFFFFF\r\n", 413),
	BAD("bare LF behind size", CHUNKED "3\nabc\r\n0\r\n\r\n", 400),
	BAD("bare LF behind data", CHUNKED "3\r\nabc\n0\r\n\r\n", 400),
	BAD("longer than its size", CHUNKED "3\r\nabcd\r\n0\r\n\r\n", 400),
	BAD("trailer", CHUNKED "0\r\nX: a\r\n\r\n", 400),
};

/* All that a request consists of, as one text, to compare two ways of feeding. */
static char *describe(struct hl_http_parser *parser, size_t used)
{
	struct hl_http_request *req = hl_http_parser_request(parser);
	struct hl_buf out;

	hl_buf_init(&out, 65536);
	hl_buf_printf(&out, "used %zu phase %d status %d %s", used, (int)hl_http_parser_phase(parser),
		      hl_http_parser_status(parser),
		      hl_http_parser_reason(parser) ? hl_http_parser_reason(parser) : "");
	if (hl_http_parser_phase(parser) == HL_HTTP_DONE || hl_http_parser_phase(parser) == HL_HTTP_BODY) {
		hl_buf_printf(&out, "\n%.*s|%.*s|%.*s|1.%d keep %d expect %d", HL_SLICE_ARG(req->method),
			      HL_SLICE_ARG(req->path), HL_SLICE_ARG(req->query), req->version_minor, req->keep_alive,
			      req->expect_continue);
		for (size_t i = 0; i < req->n_headers; i++)
			hl_buf_printf(&out, "\n%.*s=%.*s", HL_SLICE_ARG(req->headers[i].name),
				      HL_SLICE_ARG(req->headers[i].value));
		hl_buf_printf(&out, "\n%.*s", HL_SLICE_ARG(req->body));
	}
	assert_false(hl_buf_failed(&out));
	return out.ptr;
}

/* Exact copies on the heap: ASan sees any look behind the end of a piece. */
static size_t feed(struct hl_http_parser *parser, struct hl_slice piece)
{
	char *copy = malloc(piece.len ? piece.len : 1);
	size_t used;

	assert_non_null(copy);
	if (piece.len > 0)
		memcpy(copy, piece.ptr, piece.len);
	used = hl_http_parser_feed(parser, (struct hl_slice){copy, piece.len});
	free(copy);
	assert_true(used <= piece.len);
	return used;
}

static char *feed_in_pieces(struct hl_http_parser *parser, struct hl_slice bytes, size_t first, size_t step)
{
	size_t used = 0, n = first;

	hl_http_parser_reset(parser);
	while (used < bytes.len) {
		size_t left = bytes.len - used;
		size_t took = feed(parser, (struct hl_slice){bytes.ptr + used, n < left ? n : left});

		used += took;
		if (took < n)
			break;
		n = step;
	}
	return describe(parser, used);
}

static struct hl_http_parser *new_parser(void)
{
	struct hl_http_parser *parser = hl_http_parser_new(&limits);

	assert_non_null(parser);
	return parser;
}

static void check_row(struct hl_http_parser *parser, const struct row *row, size_t used)
{
	struct hl_http_request *req = hl_http_parser_request(parser);
	bool as_expected = hl_http_parser_status(parser) == row->status &&
			   hl_http_parser_phase(parser) == (row->status ? HL_HTTP_ERROR : HL_HTTP_DONE);

	if (as_expected && !row->status)
		as_expected = hl_slice_eq_str(req->method, row->method) && hl_slice_eq_str(req->path, row->path) &&
			      hl_slice_eq_str(req->query, row->query) && hl_slice_eq_str(req->body, row->body) &&
			      used + row->rest == row->bytes.len;
	if (!as_expected)
		fail_msg("%s: phase %d status %d %s, used %zu", row->name, (int)hl_http_parser_phase(parser),
			 hl_http_parser_status(parser), hl_http_parser_reason(parser), used);
}

static void takes_and_refuses_what_the_table_says(void **state)
{
	struct hl_http_parser *parser = new_parser();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hl_http_parser_reset(parser);
		check_row(parser, &rows[i], feed(parser, rows[i].bytes));
	}
	hl_http_parser_free(&parser);
	assert_null(parser);
}

static void pieces_do_not_matter(void **state)
{
	struct hl_http_parser *parser = new_parser();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hl_slice bytes = rows[i].bytes;
		char *whole = feed_in_pieces(parser, bytes, bytes.len, bytes.len);

		for (size_t first = 1; first <= bytes.len; first++) {
			char *split = feed_in_pieces(parser, bytes, first, bytes.len);
			char *trickle = feed_in_pieces(parser, bytes, first, 1);

			assert_string_equal(split, whole);
			assert_string_equal(trickle, whole);
			free(split);
			free(trickle);
		}
		free(whole);
	}
	hl_http_parser_free(&parser);
}

static void part_of_a_request_is_neither_complete_nor_broken(void **state)
{
	struct hl_http_parser *parser = new_parser();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t n = 0; rows[i].status == 0 && n < rows[i].bytes.len - rows[i].rest; n++) {
			hl_http_parser_reset(parser);
			assert_int_equal(feed(parser, (struct hl_slice){rows[i].bytes.ptr, n}), n);
			assert_true(hl_http_parser_phase(parser) < HL_HTTP_DONE);
		}
	}
	hl_http_parser_free(&parser);
}

static void nothing_is_taken_behind_an_end_or_an_error(void **state)
{
	struct hl_http_parser *parser = new_parser();

	(void)state;
	feed(parser, HL_LIT(GET "\r\n"));
	assert_int_equal(feed(parser, HL_LIT(GET)), 0);
	hl_http_parser_reset(parser);
	feed(parser, HL_LIT("\n"));
	assert_int_equal(feed(parser, HL_LIT(GET)), 0);
	assert_int_equal(hl_http_parser_status(parser), 400);
	hl_http_parser_free(&parser);
}

static void phase_follows_the_bytes(void **state)
{
	struct hl_http_parser *parser = new_parser();

	(void)state;
	assert_int_equal(hl_http_parser_phase(parser), HL_HTTP_LINE);
	feed(parser, HL_LIT("POST /x HTTP/1.1\r"));
	assert_int_equal(hl_http_parser_phase(parser), HL_HTTP_LINE);
	feed(parser, HL_LIT("\n"));
	assert_int_equal(hl_http_parser_phase(parser), HL_HTTP_HEADERS);
	feed(parser, HL_LIT("Host: a\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n"));
	assert_int_equal(hl_http_parser_phase(parser), HL_HTTP_BODY);
	assert_true(hl_http_parser_request(parser)->expect_continue);
	assert_true(hl_slice_eq_str(hl_http_header(hl_http_parser_request(parser), "content-length"), "2"));
	feed(parser, HL_LIT("hi"));
	assert_int_equal(hl_http_parser_phase(parser), HL_HTTP_DONE);
	hl_http_parser_free(&parser);
}

static void connection_header_decides_keep_alive(void **state)
{
	static const struct {
		struct hl_slice bytes;
		bool keep_alive;
	} cases[] = {
		{HL_LIT(GET "\r\n"), true},
		{HL_LIT(GET "Connection: close\r\n\r\n"), false},
		{HL_LIT(GET "Connection: x , CLOSE\r\n\r\n"), false},
		{HL_LIT(GET "Connection: keep-alive\r\nConnection: close\r\n\r\n"), false},
		{HL_LIT(GET "Connection: closed\r\n\r\n"), true},
		{HL_LIT("GET / HTTP/1.0\r\n\r\n"), false},
		{HL_LIT("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), true},
		{HL_LIT("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"), false},
	};
	struct hl_http_parser *parser = new_parser();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hl_http_parser_reset(parser);
		feed(parser, cases[i].bytes);
		assert_int_equal(hl_http_parser_phase(parser), HL_HTTP_DONE);
		assert_int_equal(hl_http_parser_request(parser)->keep_alive, cases[i].keep_alive);
	}
	hl_http_parser_free(&parser);
}

static void expectation_in_1_0_is_ignored(void **state)
{
	struct hl_http_parser *parser = new_parser();

	(void)state;
	feed(parser, HL_LIT("POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"));
	assert_int_equal(hl_http_parser_phase(parser), HL_HTTP_BODY);
	assert_false(hl_http_parser_request(parser)->expect_continue);
	hl_http_parser_free(&parser);
}

static void headers_are_found_in_any_case_and_trimmed(void **state)
{
	struct hl_http_parser *parser = new_parser();
	struct hl_http_request *req = hl_http_parser_request(parser);

	(void)state;
	feed(parser, HL_LIT(GET "X-A: \t one two\t \r\nx-a: second\r\nEmpty:\r\nHigh: \xe4\r\n\r\n"));
	assert_true(hl_slice_eq_str(hl_http_header(req, "x-A"), "one two"));
	assert_true(hl_slice_eq_str(hl_http_header(req, "high"), "\xe4"));
	assert_int_equal(hl_http_header(req, "Empty").len, 0);
	assert_non_null(hl_http_header(req, "Empty").ptr);
	assert_null(hl_http_header(req, "Absent").ptr);
	hl_http_parser_free(&parser);
}

static void a_body_may_hold_any_byte(void **state)
{
	struct hl_http_parser *parser = new_parser();

	(void)state;
	feed(parser, HL_LIT(POST "Content-Length: 5\r\n\r\n\0\r\n\xff\x01"));
	assert_int_equal(hl_http_parser_phase(parser), HL_HTTP_DONE);
	assert_memory_equal(hl_http_parser_request(parser)->body.ptr, "\0\r\n\xff\x01", 5);
	hl_http_parser_free(&parser);
}

static void reset_forgets_the_last_request(void **state)
{
	struct hl_http_parser *parser = new_parser();
	struct hl_http_request *req = hl_http_parser_request(parser);

	(void)state;
	feed(parser, HL_LIT(POST "X: y\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi"));
	req->peer_uid = 7;
	hl_http_parser_reset(parser);
	feed(parser, HL_LIT("GET /second HTTP/1.1\r\nHost: b\r\n\r\n"));
	assert_int_equal(req->n_headers, 1);
	assert_int_equal(req->body.len, 0);
	assert_int_equal(req->peer_uid, -1);
	assert_false(req->expect_continue);
	assert_null(req->query.ptr);

	hl_http_parser_reset(parser);
	feed(parser, HL_LIT(POST "Content-Length: 9\r\n\r\nhalf"));
	hl_http_parser_reset(parser);
	feed(parser, HL_LIT(GET "\r\n"));
	assert_int_equal(hl_http_parser_phase(parser), HL_HTTP_DONE);
	hl_http_parser_free(&parser);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_and_refuses_what_the_table_says),
		cmocka_unit_test(pieces_do_not_matter),
		cmocka_unit_test(part_of_a_request_is_neither_complete_nor_broken),
		cmocka_unit_test(nothing_is_taken_behind_an_end_or_an_error),
		cmocka_unit_test(phase_follows_the_bytes),
		cmocka_unit_test(connection_header_decides_keep_alive),
		cmocka_unit_test(expectation_in_1_0_is_ignored),
		cmocka_unit_test(headers_are_found_in_any_case_and_trimmed),
		cmocka_unit_test(a_body_may_hold_any_byte),
		cmocka_unit_test(reset_forgets_the_last_request),
	};

	return cmocka_run_group_tests_name("http_parse", tests, NULL, NULL);
}
