/* head.c - the meaning of a request line and of headers; decides how a body is framed
 *
 * Owns nothing; what it keeps goes into the parser's arena. Pure.
 * Whatever two readers could understand differently is refused with 400, because behind a
 * proxy such a difference hides a second request inside the first.
 * Limits: origin-form targets only; a header's value may hold bytes above 127 as they came.
 * Source: RFC 9112 sections 2 to 7, RFC 9110 sections 5, 7.2 and 10.1.1.
 */
#include "http/parser_internal.h"

#include <string.h>

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_token(struct hl_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_alnum(s.ptr[i]) && (s.ptr[i] == '\0' || !strchr("!#$%&'*+-.^_`|~", s.ptr[i])))
			return false;
	return s.len > 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Visible ASCII without '#': a fragment never travels in a request. */
static bool is_target(struct hl_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || s.ptr[i] == '#')
			return false;
	return s.len > 0 && s.ptr[0] == '/';
}

static bool read_version(struct hl_http_parser *parser, struct hl_slice version)
{
	const char *v = version.ptr;

	if (version.len != 8 || !hl_slice_has_prefix(version, "HTTP/") || !is_digit(v[5]) || v[6] != '.' ||
	    !is_digit(v[7]))
		return hl_http_refuse(parser, 400, "malformed request line");
	if (v[5] != '1' || v[7] > '1')
		return hl_http_refuse(parser, 505, "HTTP version not supported");
	parser->request.version_minor = v[7] - '0';
	return true;
}

bool hl_http_read_request_line(struct hl_http_parser *parser, struct hl_slice line)
{
	struct hl_http_request *req = &parser->request;
	struct hl_slice method, rest, target, version;

	if (!hl_slice_cut(line, ' ', &method, &rest) || !hl_slice_cut(rest, ' ', &target, &version) ||
	    !is_token(method))
		return hl_http_refuse(parser, 400, "malformed request line");
	if (!read_version(parser, version))
		return false;
	if (!is_target(target))
		return hl_http_refuse(parser, 400, "malformed request target");

	req->method = hl_arena_dup(&parser->arena, method);
	target = hl_arena_dup(&parser->arena, target);
	hl_slice_cut(target, '?', &req->path, &req->query);
	req->headers = hl_arena_array(&parser->arena, parser->limits.n_headers, sizeof(*req->headers));
	req->keep_alive = req->version_minor == 1;
	if (hl_arena_failed(&parser->arena))
		return hl_http_refuse(parser, 503, "out of memory");
	return true;
}

bool hl_http_read_header(struct hl_http_parser *parser, struct hl_slice line)
{
	struct hl_http_request *req = &parser->request;
	struct hl_slice name, value;

	/* A continuation line (obs-fold) or a blank in front of the colon fails as a name that is no token. */
	if (!hl_slice_cut(line, ':', &name, &value) || !is_token(name))
		return hl_http_refuse(parser, 400, "malformed header");
	if (req->n_headers == parser->limits.n_headers)
		return hl_http_refuse(parser, 431, "too many headers");
	req->headers[req->n_headers++] = (struct hl_http_header){
		.name = hl_arena_dup(&parser->arena, name),
		.value = hl_arena_dup(&parser->arena, hl_slice_trim(value)),
	};
	if (hl_arena_failed(&parser->arena))
		return hl_http_refuse(parser, 503, "out of memory");
	return true;
}

/* Gives how many headers have that name; *value_r is the first one's value. */
static size_t count_headers(const struct hl_http_request *req, const char *name, struct hl_slice *value_r)
{
	size_t n = 0;

	*value_r = hl_http_header(req, name);
	for (size_t i = 0; i < req->n_headers; i++)
		n += hl_slice_eq_nocase(req->headers[i].name, name);
	return n;
}

/* A list, a blank or a path in Host would be read in more than one way. */
static bool is_host(struct hl_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_alnum(s.ptr[i]) && (s.ptr[i] == '\0' || !strchr("-._~!$&'()*+;=%:[]", s.ptr[i])))
			return false;
	return s.len > 0;
}

static bool check_host(struct hl_http_parser *parser)
{
	struct hl_slice host;
	size_t n = count_headers(&parser->request, "Host", &host);

	if (n > 1)
		return hl_http_refuse(parser, 400, "more than one Host");
	if (n == 0 && parser->request.version_minor == 1)
		return hl_http_refuse(parser, 400, "Host missing");
	return n == 0 || is_host(host) || hl_http_refuse(parser, 400, "malformed Host");
}

static bool has_list_item(struct hl_slice list, const char *item)
{
	struct hl_slice head, tail = list;
	bool more;

	do {
		more = hl_slice_cut(tail, ',', &head, &tail);
		if (hl_slice_eq_nocase(hl_slice_trim(head), item))
			return true;
	} while (more);
	return false;
}

static void read_connection(struct hl_http_request *req)
{
	bool close = false, keep = false;

	for (size_t i = 0; i < req->n_headers; i++) {
		if (!hl_slice_eq_nocase(req->headers[i].name, "Connection"))
			continue;
		close |= has_list_item(req->headers[i].value, "close");
		keep |= has_list_item(req->headers[i].value, "keep-alive");
	}
	req->keep_alive = !close && (req->version_minor == 1 || keep);
}

/* HTTP/1.0 knows no Expect; RFC 9110 section 10.1.1 has it ignored there. */
static bool read_expect(struct hl_http_parser *parser)
{
	struct hl_http_request *req = &parser->request;
	struct hl_slice expect;
	size_t n = count_headers(req, "Expect", &expect);

	if (n == 0 || req->version_minor == 0)
		return true;
	req->expect_continue = n == 1 && hl_slice_eq_nocase(expect, "100-continue");
	return req->expect_continue || hl_http_refuse(parser, 417, "expectation not supported");
}

static bool check_chunked(struct hl_http_parser *parser, size_t n, struct hl_slice coding)
{
	struct hl_slice length;

	if (n > 1 || count_headers(&parser->request, "Content-Length", &length) > 0)
		return hl_http_refuse(parser, 400, "ambiguous body length");
	if (parser->request.version_minor == 0)
		return hl_http_refuse(parser, 400, "Transfer-Encoding in HTTP/1.0");
	if (hl_slice_eq_nocase(coding, "chunked"))
		return true;
	/* One unknown word is a coding we lack; a list or rubbish could end in "chunked" for somebody else. */
	return is_token(coding) ? hl_http_refuse(parser, 501, "Transfer-Encoding not supported")
				: hl_http_refuse(parser, 400, "ambiguous Transfer-Encoding");
}

static bool read_length(struct hl_http_parser *parser, size_t n, struct hl_slice length)
{
	if (n > 1)
		return hl_http_refuse(parser, 400, "more than one Content-Length");
	for (size_t i = 0; i < length.len; i++)
		if (!is_digit(length.ptr[i]))
			return hl_http_refuse(parser, 400, "malformed Content-Length");
	if (length.len == 0)
		return hl_http_refuse(parser, 400, "malformed Content-Length");
	/* Digits that do not fit 64 bits are a length, and a longer one than ours. */
	if (!hl_slice_u64(length, &parser->left_bytes) || parser->left_bytes > parser->body.max_bytes)
		return hl_http_refuse(parser, 413, "body too long");
	return true;
}

static bool needs_length(struct hl_slice method)
{
	return hl_slice_eq_str(method, "POST") || hl_slice_eq_str(method, "PUT") || hl_slice_eq_str(method, "PATCH");
}

static enum hl_http_state read_body_start(struct hl_http_parser *parser)
{
	struct hl_slice coding, length;
	size_t n_codings = count_headers(&parser->request, "Transfer-Encoding", &coding);
	size_t n_lengths = count_headers(&parser->request, "Content-Length", &length);

	if (n_codings > 0)
		return check_chunked(parser, n_codings, coding) ? HL_HTTP_CHUNK_SIZE : HL_HTTP_BROKEN;
	if (n_lengths > 0 && !read_length(parser, n_lengths, length))
		return HL_HTTP_BROKEN;
	if (n_lengths == 0 && needs_length(parser->request.method)) {
		hl_http_refuse(parser, 411, "body length missing");
		return HL_HTTP_BROKEN;
	}
	return parser->left_bytes > 0 ? HL_HTTP_SIZED_DATA : HL_HTTP_COMPLETE;
}

enum hl_http_state hl_http_read_framing(struct hl_http_parser *parser)
{
	enum hl_http_state state;

	if (!check_host(parser))
		return HL_HTTP_BROKEN;
	read_connection(&parser->request);
	parser->is_large = parser->limits.has_large_body && parser->limits.has_large_body(&parser->request);
	if (parser->is_large)
		parser->body.max_bytes = parser->limits.large_body_bytes;
	state = read_body_start(parser);
	if (state == HL_HTTP_BROKEN || !read_expect(parser))
		return HL_HTTP_BROKEN;
	return state;
}

struct hl_slice hl_http_header(const struct hl_http_request *req, const char *name)
{
	for (size_t i = 0; i < req->n_headers; i++)
		if (hl_slice_eq_nocase(req->headers[i].name, name))
			return req->headers[i].value;
	return (struct hl_slice){NULL, 0};
}
