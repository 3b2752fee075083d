/* answer.c - an HTTP answer as bytes
 *
 * Owns nothing. Must not know connections.
 * Limits: the body is in memory whole; no Date header (RFC 9110 section 6.6.1 wants one from servers with a
 * clock, but nobody who talks to us reads it).
 */
#include "http/server_internal.h"

#include "hotline/text.h"

#include <event2/buffer.h>

static const struct {
	int status;
	const char *phrase;
} phrases[] = {
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{204, "No Content"},
	{206, "Partial Content"},
	{304, "Not Modified"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{411, "Length Required"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{417, "Expectation Failed"},
	{422, "Unprocessable Content"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{503, "Service Unavailable"},
	{505, "HTTP Version Not Supported"},
};

static const char *phrase_of(int status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Other";
}

void hl_http_write_answer(struct evbuffer *out, int status, const char *content_type, struct hl_slice body,
			  bool is_head, const char *connection)
{
	bool has_content = status != 204 && status != 304;

	evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\nX-Content-Type-Options: nosniff\r\n", status, phrase_of(status));
	if (has_content)
		evbuffer_add_printf(out, "Content-Length: %zu\r\n", body.len);
	if (has_content && content_type)
		evbuffer_add_printf(out, "Content-Type: %s\r\n", content_type);
	if (connection)
		evbuffer_add_printf(out, "Connection: %s\r\n", connection);
	evbuffer_add(out, "\r\n", 2);
	if (has_content && !is_head && body.len > 0)
		evbuffer_add(out, body.ptr, body.len);
}

void hl_http_reason_json(struct hl_buf *out, const char *reason)
{
	bool is_utf8 = hl_text_is_utf8(hl_slice_str(reason));

	hl_buf_add_str(out, "{\"error\":\"");
	for (const char *c = reason; *c; c++) {
		if (*c == '"' || *c == '\\')
			hl_buf_printf(out, "\\%c", *c);
		else if ((unsigned char)*c < 0x20)
			hl_buf_printf(out, "\\u%04x", (unsigned)*c);
		else
			hl_buf_add_char(out, (unsigned char)*c < 0x80 || is_utf8 ? *c : '?');
	}
	hl_buf_add_str(out, "\"}");
}
