/* common_request.c - signatures that providers want on our requests
 *
 * Pure. Each is one canonical text, hashed, then signed; the derived keys are binary.
 * Source: Alibaba Cloud "V3 version request structure and signature" (ACS3-HMAC-SHA256),
 *         Tencent Cloud "API 3.0 signature v3" (TC3-HMAC-SHA256),
 *         Huawei Cloud "API Request Signing Guide" (SDK-HMAC-SHA256) and its X-WSSE page, all read 2026-11.
 */
#include <string.h>
#include "common.h"

#define CANONICAL_BYTES_MAX 65536

static struct hl_slice sha256_hex(struct hl_arena *arena, struct hl_slice data)
{
	struct hl_digest d = hl_digest_of("SHA256", data);

	return hl_hex(arena, hl_digest_slice(&d));
}

/* "host;x-acs-action" */
static const char *names_of(struct hl_arena *arena, const struct hl_pair *headers, size_t n)
{
	const char *names = "";

	for (size_t i = 0; i < n; i++)
		names = hl_arena_printf(arena, "%s%s%.*s", names, i ? ";" : "", HL_SLICE_ARG(headers[i].key));
	return names;
}

/* The digest of METHOD, URI, query, headers, their names and the body's digest, each on its line. */
static struct hl_slice hash_request(struct hl_arena *arena, const struct hl_canonical *c)
{
	struct hl_slice hash;
	struct hl_buf text;

	hl_buf_init(&text, CANONICAL_BYTES_MAX);
	hl_buf_printf(&text, "%s\n%s\n%.*s\n", c->method, c->path ? c->path : "/", HL_SLICE_ARG(c->query));
	for (size_t i = 0; i < c->n_headers; i++) {
		hl_buf_add(&text, c->headers[i].key);
		hl_buf_add_char(&text, ':');
		hl_buf_add(&text, c->headers[i].value);
		hl_buf_add_char(&text, '\n');
	}
	hl_buf_printf(&text, "\n%s\n%.*s", names_of(arena, c->headers, c->n_headers), HL_SLICE_ARG(c->body_hash));
	if (hl_buf_failed(&text))
		arena->failed = true;
	hash = sha256_hex(arena, hl_buf_slice(&text));
	hl_buf_fini(&text);
	return hash;
}

struct hl_slice hl_acs3_authorization(struct hl_arena *arena, const struct hl_canonical *c, struct hl_slice id,
				      struct hl_slice secret)
{
	struct hl_slice hash = hash_request(arena, c), hex;
	const char *text = hl_arena_printf(arena, "ACS3-HMAC-SHA256\n%.*s", HL_SLICE_ARG(hash));
	struct hl_digest d = hl_hmac("SHA256", secret, hl_slice_str(text));

	hex = hl_hex(arena, hl_digest_slice(&d));
	return hl_slice_str(hl_arena_printf(arena, "ACS3-HMAC-SHA256 Credential=%.*s,SignedHeaders=%s,Signature=%.*s",
					    HL_SLICE_ARG(id), names_of(arena, c->headers, c->n_headers),
					    HL_SLICE_ARG(hex)));
}

struct hl_slice hl_tc3_authorization(struct hl_arena *arena, const struct hl_canonical *c, struct hl_slice id,
				     struct hl_slice secret, const char *service, int64_t now_us)
{
	struct hl_slice date = hl_adapter_utc_date(arena, now_us), hash = hash_request(arena, c), hex;
	const char *scope = hl_arena_printf(arena, "%.*s/%s/tc3_request", HL_SLICE_ARG(date), service);
	const char *text = hl_arena_printf(arena, "TC3-HMAC-SHA256\n%lld\n%s\n%.*s", (long long)(now_us / 1000000),
					   scope, HL_SLICE_ARG(hash));
	const char *first = hl_arena_printf(arena, "TC3%.*s", HL_SLICE_ARG(secret));
	struct hl_digest key = hl_hmac("SHA256", hl_slice_str(first), date);

	key = hl_hmac("SHA256", hl_digest_slice(&key), hl_slice_str(service));
	key = hl_hmac("SHA256", hl_digest_slice(&key), HL_LIT("tc3_request"));
	key = hl_hmac("SHA256", hl_digest_slice(&key), hl_slice_str(text));
	hex = hl_hex(arena, hl_digest_slice(&key));
	return hl_slice_str(
		hl_arena_printf(arena, "TC3-HMAC-SHA256 Credential=%.*s/%s, SignedHeaders=%s, Signature=%.*s",
				HL_SLICE_ARG(id), scope, names_of(arena, c->headers, c->n_headers), HL_SLICE_ARG(hex)));
}

struct hl_slice hl_sdk_authorization(struct hl_arena *arena, const struct hl_canonical *c, struct hl_slice id,
				     struct hl_slice secret, struct hl_slice date)
{
	struct hl_slice hash = hash_request(arena, c), hex;
	const char *text =
		hl_arena_printf(arena, "SDK-HMAC-SHA256\n%.*s\n%.*s", HL_SLICE_ARG(date), HL_SLICE_ARG(hash));
	struct hl_digest d = hl_hmac("SHA256", secret, hl_slice_str(text));

	hex = hl_hex(arena, hl_digest_slice(&d));
	return hl_slice_str(hl_arena_printf(arena, "SDK-HMAC-SHA256 Access=%.*s, SignedHeaders=%s, Signature=%.*s",
					    HL_SLICE_ARG(id), names_of(arena, c->headers, c->n_headers),
					    HL_SLICE_ARG(hex)));
}

/* base64 of the hexadecimal text, not of the 32 bytes. */
struct hl_slice hl_wsse_digest(struct hl_arena *arena, struct hl_slice nonce, struct hl_slice created,
			       struct hl_slice secret)
{
	const char *text = hl_arena_printf(arena, "%.*s%.*s%.*s", HL_SLICE_ARG(nonce), HL_SLICE_ARG(created),
					   HL_SLICE_ARG(secret));

	return hl_base64(arena, sha256_hex(arena, hl_slice_str(text)));
}

struct hl_slice hl_adapter_host(const char *url)
{
	const char *start = strstr(url, "://");
	struct hl_slice host = hl_slice_str(start ? start + 3 : url);

	host.len = strcspn(host.ptr, "/?");
	return host;
}
