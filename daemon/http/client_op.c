/* client_op.c - one outgoing request: what curl is told, what it reports, what that means
 *
 * Owns a request's copies and its reply. Must not know the queue or the loop's turn.
 * libcurl repeats a request by itself when a kept connection dies before the answer: a GET, and a
 * POST whose body it can rewind. Ours is a POST from READFUNCTION without SEEKFUNCTION, which then
 * ends with CURLE_SEND_FAIL_REWIND; an empty body needs no rewinding, so such a request gets a
 * connection of its own (both measured with 7.88.1).
 * Limits: HTTP/1.1 only: HTTP/2 has its own silent repeats.
 */
#include "http/client_internal.h"

#include "hotline/clock.h"
#include "hotline/crash.h"

#include <stdlib.h>
#include <string.h>

#define CONNECT_MS 3000L
/* Shorter than the 5 seconds after which common servers close an idle connection: each race lost is an UNKNOWN. */
#define IDLE_CONNECTION_S 4L
#define COPY_SPARE_BYTES  ((size_t)64 << 10)

static bool is_name_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_name(struct hl_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_name_byte(s.ptr[i]))
			return false;
	return s.len > 0;
}

static bool is_value(struct hl_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '\r' || s.ptr[i] == '\n' || s.ptr[i] == '\0')
			return false;
	return true;
}

/* Framing is ours: a header of the caller's would contradict it or bring curl to resend. */
static bool is_framing(struct hl_slice name)
{
	return hl_slice_eq_nocase(name, "Content-Length") || hl_slice_eq_nocase(name, "Transfer-Encoding") ||
	       hl_slice_eq_nocase(name, "Expect");
}

static bool is_url(const char *url)
{
	for (const char *c = url; *c; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
			return false;
	return url[0] != '\0';
}

enum hl_class hl_http_op_check(const struct hl_http_call *call, const char **text_r)
{
	for (size_t i = 0; i < call->n_headers; i++) {
		*text_r = "a header that cannot be sent";
		if (!is_name(call->headers[i].name) || !is_value(call->headers[i].value) ||
		    is_framing(call->headers[i].name))
			return HL_BUG;
	}
	*text_r = "bad URL";
	return is_url(call->url) ? HL_OK : HL_CONFIG;
}

static bool add_header(struct hl_http_op *op, const char *line)
{
	struct curl_slist *longer = curl_slist_append(op->headers, line);

	if (longer)
		op->headers = longer;
	return longer != NULL;
}

static bool copy_headers(struct hl_http_op *op, const struct hl_http_call *call)
{
	bool has_type = false;

	for (size_t i = 0; i < call->n_headers; i++) {
		struct hl_slice name = call->headers[i].name, value = call->headers[i].value;
		/* Curl's own spelling: "name;" sends an empty header, "name:" would take one away. */
		const char *line = value.len > 0 ? hl_arena_printf(&op->arena, "%.*s: %.*s", HL_SLICE_ARG(name),
								   HL_SLICE_ARG(value))
						 : hl_arena_printf(&op->arena, "%.*s;", HL_SLICE_ARG(name));

		has_type |= hl_slice_eq_nocase(name, "Content-Type");
		if (hl_arena_failed(&op->arena) || !add_header(op, line))
			return false;
	}
	/* What the caller did not say is not said: curl would invent a form type, and Expect delays and resends. */
	return add_header(op, "Expect:") && (has_type || add_header(op, "Content-Type:"));
}

static size_t copy_bytes(const struct hl_http_call *call)
{
	size_t n = strlen(call->url) + call->body.len + COPY_SPARE_BYTES;

	for (size_t i = 0; i < call->n_headers; i++)
		n += call->headers[i].name.len + call->headers[i].value.len + 64;
	return n;
}

bool hl_http_op_copy(struct hl_http_op *op, const struct hl_http_call *call)
{
	hl_arena_init(&op->arena, copy_bytes(call));
	hl_arena_init(&op->reply_arena, 4 * HL_HTTP_REPLY_HEADER_BYTES);
	hl_buf_init(&op->reply, call->max_reply_bytes);
	op->url = hl_arena_strdup(&op->arena, hl_slice_str(call->url));
	op->body = hl_arena_dup(&op->arena, call->body);
	op->is_get = call->is_get;
	op->may_connect = call->may_connect;
	op->connect_ctx = call->connect_ctx;
	return copy_headers(op, call) && !hl_arena_failed(&op->arena);
}

static size_t on_read(char *out, size_t size, size_t n, void *arg)
{
	struct hl_http_op *op = arg;
	size_t room = size * n, left = op->body.len - op->read_bytes;
	size_t take = left < room ? left : room;

	if (take > 0)
		memcpy(out, op->body.ptr + op->read_bytes, take);
	op->read_bytes += take;
	if (take > 0 && op->read_bytes == op->body.len)
		hl_crash_point("send.left");
	return take;
}

/* Anything but the full count makes curl give up with CURLE_WRITE_ERROR. */
static size_t on_write(char *bytes, size_t size, size_t n, void *arg)
{
	struct hl_http_op *op = arg;

	hl_buf_add(&op->reply, (struct hl_slice){bytes, size * n});
	return hl_buf_failed(&op->reply) ? 0 : size * n;
}

/* Where a name leads is known only here: what was looked up before may have changed since. */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *addr)
{
	struct hl_http_op *op = arg;

	(void)purpose;
	if (!op->may_connect(op->connect_ctx, &addr->addr))
		return CURL_SOCKET_BAD;
	return socket(addr->family, addr->socktype | SOCK_CLOEXEC, addr->protocol);
}

static void forget_reply_headers(struct hl_http_op *op)
{
	hl_arena_fini(&op->reply_arena);
	op->n_reply_headers = 0;
}

static bool keep_reply_header(struct hl_http_op *op, struct hl_slice line)
{
	struct hl_slice name, value;

	if (!hl_slice_cut(line, ':', &name, &value))
		return true;
	if (op->n_reply_headers == HL_HTTP_REPLY_HEADERS)
		return false;
	op->reply_headers[op->n_reply_headers++] = (struct hl_http_header){
		.name = hl_arena_dup(&op->reply_arena, hl_slice_trim(name)),
		.value = hl_arena_dup(&op->reply_arena, hl_slice_trim(value)),
	};
	return !hl_arena_failed(&op->reply_arena);
}

/* Called for each line of the head, of interim answers too: a status line starts a new head. */
static size_t on_header(char *bytes, size_t size, size_t n, void *arg)
{
	struct hl_http_op *op = arg;
	struct hl_slice line = {bytes, size * n};

	op->reply_header_bytes += line.len;
	if (op->reply_header_bytes > HL_HTTP_REPLY_HEADER_BYTES)
		return 0;
	if (hl_slice_has_prefix(line, "HTTP/"))
		forget_reply_headers(op);
	else if (!keep_reply_header(op, line))
		return 0;
	return line.len;
}

/* Sum of failures: every option is known to this libcurl, so only memory can be short. */
static int set_request(struct hl_http_op *op)
{
	CURL *easy = op->easy;
	int bad = 0;

	bad |= (int)curl_easy_setopt(easy, CURLOPT_URL, op->url);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_PRIVATE, op);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, op->headers);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_USERAGENT, "hotlined");
	bad |= (int)curl_easy_setopt(easy, op->is_get ? CURLOPT_HTTPGET : CURLOPT_POST, 1L);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)op->body.len);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_READDATA, op);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_WRITEDATA, op);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_HEADERDATA, op);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, op->curl_text);
	return bad;
}

/* A connection that was opened under other rules is not used, nor is this one by others. */
static int set_rules_of_connecting(struct hl_http_op *op)
{
	CURL *easy = op->easy;
	int bad = 0;

	if (!op->may_connect)
		return 0;
	bad |= (int)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, op);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)op->reply.max_bytes);
	return bad;
}

static int set_transport(struct hl_http_op *op, int64_t left_us)
{
	CURL *easy = op->easy;
	long left_ms = (long)(left_us / HL_US_PER_MS);
	int bad = 0;

	bad |= (int)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	bad |= (int)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_PROXY, "");
	bad |= (int)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, left_ms > 0 ? left_ms : 1L);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_CONNECTION_S);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, op->body.len == 0 ? 1L : 0L);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	return bad;
}

bool hl_http_op_prepare(struct hl_http_op *op, int64_t left_us)
{
	return set_request(op) == 0 && set_transport(op, left_us) == 0 && set_rules_of_connecting(op) == 0;
}

/* Three witnesses that must agree: curl got as far as the request, wrote some of it, asked for the body. */
static bool has_sent_nothing(const struct hl_http_op *op)
{
	curl_off_t pretransfer_us = 0;
	long request_bytes = 0;

	curl_easy_getinfo(op->easy, CURLINFO_PRETRANSFER_TIME_T, &pretransfer_us);
	curl_easy_getinfo(op->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
	return pretransfer_us == 0 && request_bytes == 0 && op->read_bytes == 0;
}

/* The code alone does not tell: after a request that left on a kept connection curl connects again, and "could not
 * connect" is then about the repeat; a reply that is not HTTP ends with "unsupported protocol". */
static enum hl_class class_of(const struct hl_http_op *op, CURLcode curl_code)
{
	if (curl_code == CURLE_OK)
		return HL_OK;
	if (!has_sent_nothing(op))
		return HL_UNKNOWN;
	return curl_code == CURLE_UNSUPPORTED_PROTOCOL || curl_code == CURLE_URL_MALFORMAT ? HL_CONFIG : HL_RETRY;
}

static const char *text_of(const struct hl_http_op *op, CURLcode curl_code)
{
	if (curl_code == CURLE_OK)
		return "answered";
	if (curl_code == CURLE_WRITE_ERROR)
		return "the reply is longer than allowed";
	return op->curl_text[0] ? op->curl_text : curl_easy_strerror(curl_code);
}

void hl_http_op_judge(struct hl_http_op *op, CURLcode curl_code)
{
	long status = 0;

	curl_easy_getinfo(op->easy, CURLINFO_RESPONSE_CODE, &status);
	op->status = (int)status;
	hl_http_op_finish(op, class_of(op, curl_code), (int)curl_code, text_of(op, curl_code));
}

void hl_http_op_free(struct hl_http_op *op)
{
	hl_timer_fini(&op->watchdog);
	curl_slist_free_all(op->headers);
	hl_buf_fini(&op->reply);
	hl_arena_fini(&op->reply_arena);
	hl_arena_fini(&op->arena);
	free(op);
}
