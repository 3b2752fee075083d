/* common.h - small things every adapter needs; for files in adapters/ only
 *
 *   common.c         fields of an item, the request that sends, hints of answers
 *   common_crypto.c  digests, signatures, base64 and hex, JWT (OpenSSL)
 *   common_form.c    forms as lists, the URL that was signed, tokens of unsigned providers
 *   common_json.c    JSON bodies
 *   common_request.c signatures that our requests carry
 *   common_twilio.c  signatures of Twilio's and SignalWire's calls
 */
#ifndef HOTLINE_ADAPTERS_COMMON_H
#define HOTLINE_ADAPTERS_COMMON_H

#include <jansson.h>
#include "hotline/provider.h"

#define HL_EXTERNAL_ID_BYTES_MAX 128
#define HL_PEER_PHONE_BYTES_MAX  64
#define HL_DIGEST_BYTES_MAX      64
#define HL_FORM_PAIRS_MAX        200
#define HL_ITEMS_MAX             2000 /* of one push */
#define HL_TOLERANCE_US          (INT64_C(300) * 1000000)

/* ---- items ---- */

/* hl_adapter_name - an id or a number as clean UTF-8 without blanks around it: the database takes nothing else.
 * Gives   *out_r in the arena.
 * Errors  HL_INPUT "<field>: must be 1 to <max> bytes" */
enum hl_class hl_adapter_name(struct hl_arena *arena, const char *field, struct hl_slice raw, size_t max_bytes,
			      struct hl_slice *out_r, struct hl_error *err);

/* hl_adapter_plus - a number that the provider writes in full but without its plus; short codes stay. */
struct hl_slice hl_adapter_plus(struct hl_arena *arena, struct hl_slice number);

/* hl_adapter_messages, hl_adapter_receipts - room for n, counted in out; NULL when the arena is full. */
struct hl_inbound *hl_adapter_messages(struct hl_arena *arena, struct hl_parsed *out, size_t n);
struct hl_receipt *hl_adapter_receipts(struct hl_arena *arena, struct hl_parsed *out, size_t n);
struct hl_inbound *hl_adapter_one_message(struct hl_arena *arena, struct hl_parsed *out);
struct hl_receipt *hl_adapter_one_receipt(struct hl_arena *arena, struct hl_parsed *out);

/* A provider's word and what it stands for; a table ends with a word of NULL. */
struct hl_state_word {
	const char *word;
	enum hl_receipt_state state;
};

/* hl_adapter_state - by word, any case; HL_RECEIPT_OTHER when it is in no row. */
enum hl_receipt_state hl_adapter_state(const struct hl_state_word *words, struct hl_slice word);

struct hl_outcome_word {
	const char *word; /* ending in *: a beginning */
	enum hl_outcome outcome;
	int delay_s;
	bool is_opted_out;
};

/* hl_adapter_outcome - sets out by the first row that fits and gives true; false leaves it alone. */
bool hl_adapter_outcome(const struct hl_outcome_word *words, struct hl_slice word, struct hl_answer *out);

/* hl_adapter_derive_id - the same content always gives the same id, for providers that number nothing. */
struct hl_slice hl_adapter_derive_id(struct hl_arena *arena, const struct hl_slice *parts, size_t n);

/* hl_adapter_attempt - our attempt's number, echoed. false: not one. */
bool hl_adapter_attempt(struct hl_slice text, uint64_t *out_r);

/* ---- sending ---- */

/* hl_adapter_post - a request to the channel's send_url with copies of these headers.
 * Errors  HL_BUG: a header value holds CR, LF or NUL, named without its value; HL_NOMEM */
enum hl_class hl_adapter_post(const struct hl_channel *ch, struct hl_arena *arena, const struct hl_http_header *headers,
			      size_t n_headers, struct hl_slice body, struct hl_request *out, struct hl_error *err);
/* hl_adapter_post_json - likewise with a JSON body, which it takes. HL_BUG when doc is NULL: not valid UTF-8. */
enum hl_class hl_adapter_post_json(const struct hl_channel *ch, struct hl_arena *arena,
				   const struct hl_http_header *headers, size_t n_headers, json_t *doc,
				   struct hl_request *out, struct hl_error *err);
/* hl_adapter_get - a request that asks. */
enum hl_class hl_adapter_get(const char *url, struct hl_arena *arena, const struct hl_http_header *headers,
			     size_t n_headers, struct hl_request *out, struct hl_error *err);

/* hl_adapter_receipt_url - where the provider shall tell what became of an attempt: .../receipt?n=<attempt>. */
struct hl_slice hl_adapter_receipt_url(const struct hl_channel *ch, uint64_t attempt, struct hl_arena *arena);

/* hl_adapter_basic - "Basic ..." of a login. */
struct hl_slice hl_adapter_basic(struct hl_arena *arena, struct hl_slice user, struct hl_slice password);

/* hl_adapter_detail - what the log may show of a provider's answer: its first line, at most 120 bytes. */
struct hl_slice hl_adapter_detail(struct hl_arena *arena, struct hl_slice body);
/* hl_adapter_status_detail - "HTTP 503", where the body may repeat a number or a text. */
struct hl_slice hl_adapter_status_detail(struct hl_arena *arena, int status);
/* hl_adapter_code - a provider's code for the log: at most 120 bytes of printable ASCII, or "HTTP <status>". */
struct hl_slice hl_adapter_code(struct hl_arena *arena, struct hl_slice code, int status);

/* hl_adapter_by_status - what the status of an answer says where the provider has no words of its own: 2xx with an id
 * is taken, 429 later, 401 to 405 our fault, another 4xx with a JSON body (doc) a refusal; all else proves nothing. */
void hl_adapter_by_status(int status, const json_t *doc, struct hl_slice id, const struct hl_http_header *headers,
			  size_t n_headers, struct hl_arena *arena, struct hl_answer *out);

/* hl_adapter_header - value of a header of the answer, empty when absent. */
struct hl_slice hl_adapter_header(const struct hl_http_header *headers, size_t n_headers, const char *name);
/* hl_adapter_retry_after - what Retry-After asks for in seconds, at most a day; 0: nothing. */
int64_t hl_adapter_retry_after_us(const struct hl_http_header *headers, size_t n_headers);

/* ---- time ---- */

/* hl_adapter_utc - "2026-11-25T06:00:00Z"; hl_adapter_utc_basic - "20261125T060000Z"; hl_adapter_utc_date -
 * "2026-11-25". */
struct hl_slice hl_adapter_utc(struct hl_arena *arena, int64_t us);
struct hl_slice hl_adapter_utc_basic(struct hl_arena *arena, int64_t us);
struct hl_slice hl_adapter_utc_date(struct hl_arena *arena, int64_t us);
/* hl_adapter_is_fresh - a time in whole seconds within the tolerance of now, before or after. */
bool hl_adapter_is_fresh(struct hl_slice seconds, int64_t now_us);

/* ---- crypto ---- */

struct hl_digest {
	unsigned char bytes[HL_DIGEST_BYTES_MAX];
	size_t len;
};

/* hl_digest_of, hl_hmac - name: "SHA1", "SHA256", "SHA512", "MD5". An unknown one gives a digest of length 0. */
struct hl_digest hl_digest_of(const char *name, struct hl_slice data);
struct hl_digest hl_hmac(const char *name, struct hl_slice key, struct hl_slice data);
struct hl_slice hl_digest_slice(const struct hl_digest *d);
struct hl_slice hl_hex(struct hl_arena *arena, struct hl_slice bytes); /* lower case */
struct hl_slice hl_base64(struct hl_arena *arena, struct hl_slice bytes);
/* hl_base64_decode - standard or URL alphabet, padded or not; false for anything else. */
bool hl_base64_decode(struct hl_arena *arena, struct hl_slice text, struct hl_slice *out_r);
/* hl_same - constant-time in the content; two empty ones are not the same: an absent signature never fits. */
bool hl_same(struct hl_slice a, struct hl_slice b);
/* hl_same_nocase - likewise for hexadecimal digits in any case. */
bool hl_same_nocase(struct hl_arena *arena, struct hl_slice a, struct hl_slice b);
/* hl_ed25519_ok - signature of 64 bytes over data by the holder of this public key of 32. */
bool hl_ed25519_ok(struct hl_slice key, struct hl_slice data, struct hl_slice signature);
/* hl_jwt_claims - of an HS256 token signed with one of the channel's secrets.
 * Gives   claims the caller frees, or NULL: other algorithm, malformed, forged, not valid yet or any more. */
json_t *hl_jwt_claims(const struct hl_channel *ch, struct hl_arena *arena, struct hl_slice token, int64_t now_us);
/* hl_bearer - what stands behind "Bearer " in Authorization, or empty. */
struct hl_slice hl_bearer(const struct hl_http_request *req);

/* ---- forms and URLs ---- */

struct hl_pair {
	struct hl_slice key, value;
};

/* hl_form_pairs - every pair of a form, decoded, in its order.
 * Errors  false: a bad escape or more than HL_FORM_PAIRS_MAX */
bool hl_form_pairs(struct hl_arena *arena, struct hl_slice form, struct hl_pair **out_r, size_t *n_r);
/* hl_adapter_is_form - by its Content-Type, or because it has none. */
bool hl_adapter_is_form(const struct hl_http_request *req);
/* hl_pairs_sort - by key alone, bytewise; pairs of one key by value when by_value, else in their order. */
void hl_pairs_sort(struct hl_pair *pairs, size_t n, bool by_value);
/* hl_pairs_get - value of the first pair of that key, any case; ptr NULL when there is none. */
struct hl_slice hl_pairs_get(const struct hl_pair *pairs, size_t n, const char *key);
/* hl_form_add - "&key=value" percent-encoded, without & at the beginning. */
void hl_form_add(struct hl_buf *out, const char *key, struct hl_slice value);
/* hl_adapter_url - the URL the provider called as it knows it: public_url, path and query as received. */
struct hl_slice hl_adapter_url(const struct hl_channel *ch, const struct hl_http_request *req);
/* hl_adapter_token - verdict on a provider that signs nothing: token=SECRET in the query, or the secret as a part of
 * the path. Without a secret configured everything passes: the channel's `allow` is all there is. */
enum hl_verdict hl_adapter_token(const struct hl_channel *ch, const struct hl_http_request *req);

/* hl_twilio_verdict - on a call that Twilio signed, or SignalWire. Source: see common_twilio.c. */
enum hl_verdict hl_twilio_verdict(const struct hl_channel *ch, const struct hl_http_request *req, bool is_signalwire);

/* ---- signatures of requests ---- */

/* hl_canonical - a request as the clouds sign it. */
struct hl_canonical {
	const char *method;
	struct hl_slice query;         /* sorted, percent-encoded */
	const struct hl_pair *headers; /* names in lower case, sorted */
	size_t n_headers;
	struct hl_slice body_hash; /* hex SHA-256 */
	const char *path;          /* NULL: "/" */
};

/* hl_acs3_authorization, hl_tc3_authorization, hl_sdk_authorization - the header Authorization of Aliyun, Tencent and
 * Huawei. Source: see common_request.c. */
struct hl_slice hl_acs3_authorization(struct hl_arena *arena, const struct hl_canonical *c, struct hl_slice id,
				      struct hl_slice secret);
struct hl_slice hl_tc3_authorization(struct hl_arena *arena, const struct hl_canonical *c, struct hl_slice id,
				     struct hl_slice secret, const char *service, int64_t now_us);
/* hl_sdk_authorization - date: X-Sdk-Date as sent, "20261125T060000Z"; the canonical path ends in "/". */
struct hl_slice hl_sdk_authorization(struct hl_arena *arena, const struct hl_canonical *c, struct hl_slice id,
				     struct hl_slice secret, struct hl_slice date);
/* hl_wsse_digest - the PasswordDigest of Huawei's X-WSSE. */
struct hl_slice hl_wsse_digest(struct hl_arena *arena, struct hl_slice nonce, struct hl_slice created,
			       struct hl_slice secret);
/* hl_adapter_host - "example.com:8443" of a URL. borrows url. */
struct hl_slice hl_adapter_host(const char *url);

/* ---- JSON ---- */

/* hl_json_load - a body as JSON.
 * Takes   what: "object", "array" or "object or array"
 * Gives   a document the caller frees. Encodings that lie are mended, half surrogates too.
 * Errors  HL_INPUT "body: must be a JSON <what>: <why>" */
enum hl_class hl_json_load(const struct hl_http_request *req, const char *what, json_t **out_r, struct hl_error *err);
/* hl_json_needs_decoding - not plain UTF-8: what is kept as raw must be the body itself. */
bool hl_json_needs_decoding(struct hl_slice body);
/* hl_json_answer - a provider's answer, or NULL when it is not JSON. The caller frees it. */
json_t *hl_json_answer(struct hl_slice body);
/* hl_json_at - the value at a path like "data.payload.to.0.status"; NULL when absent. borrows. */
const json_t *hl_json_at(const json_t *doc, const char *path);
/* hl_json_media - the photos of a text from a list [{"url", "type"}], ten at most; anything else in it is passed over.
 */
void hl_json_media(struct hl_arena *arena, const json_t *list, struct hl_inbound *m);
/* hl_json_text - a string, or a number or a truth value in its spelling, copied into the arena; empty when absent. */
struct hl_slice hl_json_text(struct hl_arena *arena, const json_t *doc, const char *path);
/* hl_json_name - a required id or number, as hl_adapter_name. */
enum hl_class hl_json_name(struct hl_arena *arena, const json_t *doc, const char *path, size_t max_bytes,
			   struct hl_slice *out_r, struct hl_error *err);

#endif
