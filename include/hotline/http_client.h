/* http_client.h - outgoing HTTP requests on curl multi inside the loop
 *
 * Every request that changes something is a POST whose body goes through READFUNCTION without
 * SEEKFUNCTION, so libcurl cannot repeat it on its own (a reused connection that
 * dies gives rc 65, class UNKNOWN). No redirects, no proxies from the environment,
 * replies capped, total deadline enforced by libcurl and by a timer of ours.
 * Must not know: what the request means.
 */
#ifndef HOTLINE_HTTP_CLIENT_H
#define HOTLINE_HTTP_CLIENT_H

#include "hotline/error.h"
#include "hotline/http_parse.h"
#include "hotline/loop.h"

#include <sys/socket.h>

struct hl_http_client;
struct hl_http_op;

struct hl_http_call {
	const char *url;
	const struct hl_http_header
		*headers; /* CR, LF or NUL in one, or a header of the framing: refused with HL_BUG */
	size_t n_headers;
	struct hl_slice body;
	bool is_get;            /* only asks: libcurl may repeat it; without body */
	int64_t deadline_us;    /* total, from submit */
	size_t max_reply_bytes; /* beyond: HL_UNKNOWN, curl_code 23 or 63 */
	/* may_connect - asked about every address before a socket to it is opened; NULL: any. A refusal ends like an address
	 * where nobody is. connect_ctx: kept until done or cancel. */
	bool (*may_connect)(void *ctx, const struct sockaddr *addr);
	void *connect_ctx;
};

/* cls: HL_OK an HTTP answer was read whole (any status), as far as HTTP can tell: a head cut short reads as an answer
 * without body. HL_RETRY nothing of the request left this host (rc 6, 7, 35, 60, queue full, rc 28 before the first
 * byte). HL_UNKNOWN it may have been acted on (rc 18, 28, 52, 55, 56, 65, reply over a cap: max_reply_bytes, 64
 * headers, 16 KiB of them; also rc 7 when a kept connection died and could not be replaced). HL_CONFIG bad URL. HL_BUG
 * bad header. */
struct hl_http_result {
	enum hl_class cls;
	int status;
	struct hl_slice body;                 /* borrows: during done */
	const struct hl_http_header *headers; /* likewise */
	size_t n_headers;
	int curl_code;
	const char *text; /* reason, for logs */
};
typedef void hl_http_done(void *arg, const struct hl_http_result *result);

/* hl_http_client_new - max_in_flight requests at once, as many again may wait. */
struct hl_http_client *hl_http_client_new(struct hl_loop *loop, unsigned max_in_flight);
/* hl_http_client_free - cancels what is left. Not from inside a done. */
void hl_http_client_free(struct hl_http_client **client);

/* hl_http_submit - sends; copies everything it needs.
 * Takes   op_r: where the request's handle lives until done or cancel, may be NULL. keeps op_r.
 * Calls   done exactly once, at the fixed point of a later turn, never after cancel. *op_r is NULL before done runs.
 * Errors  reported through done as well; only HL_NOMEM is returned directly (done does not run then). */
enum hl_class hl_http_submit(struct hl_http_client *client, const struct hl_http_call *call, hl_http_done *done,
			     void *arg, struct hl_http_op **op_r);
void hl_http_cancel(struct hl_http_op **op);
/* hl_http_client_in_flight - requests whose done is still to come, waiting ones included. */
unsigned hl_http_client_in_flight(const struct hl_http_client *client);

#endif
