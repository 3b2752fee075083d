/* common_crypto.c - digests, signatures and their spellings, by OpenSSL
 *
 * Pure. Secrets are compared in constant time; lengths are not secret.
 * Limits: HS256 is the only JWT that is understood, so that "alg" can choose nothing.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include "common.h"

static const unsigned char *bytes_of(struct hl_slice s)
{
	return (const unsigned char *)(s.ptr ? s.ptr : "");
}

/* The built-in objects: a lookup by name takes locks and costs more than hashing a webhook. */
static const EVP_MD *find_md(const char *name)
{
	static const struct {
		const char *name;
		const EVP_MD *(*md)(void);
	} mds[] = {{"SHA1", EVP_sha1}, {"SHA256", EVP_sha256}, {"SHA512", EVP_sha512}, {"MD5", EVP_md5}};

	for (size_t i = 0; i < sizeof(mds) / sizeof(mds[0]); i++) {
		if (!strcmp(mds[i].name, name))
			return mds[i].md();
	}
	return NULL;
}

struct hl_digest hl_digest_of(const char *name, struct hl_slice data)
{
	const EVP_MD *md = find_md(name);
	struct hl_digest d = {.len = 0};
	unsigned n = 0;

	if (md && EVP_Digest(bytes_of(data), data.len, d.bytes, &n, md, NULL) == 1)
		d.len = n;
	return d;
}

struct hl_digest hl_hmac(const char *name, struct hl_slice key, struct hl_slice data)
{
	const EVP_MD *md = find_md(name);
	struct hl_digest d = {.len = 0};
	unsigned n = 0;

	if (md && HMAC(md, bytes_of(key), (int)key.len, bytes_of(data), data.len, d.bytes, &n))
		d.len = n;
	return d;
}

struct hl_slice hl_digest_slice(const struct hl_digest *d)
{
	return (struct hl_slice){(const char *)d->bytes, d->len};
}

struct hl_slice hl_hex(struct hl_arena *arena, struct hl_slice bytes)
{
	static const char digits[] = "0123456789abcdef";
	char *out = hl_arena_alloc(arena, 2 * bytes.len + 1);

	if (!out)
		return (struct hl_slice){0};
	for (size_t i = 0; i < bytes.len; i++) {
		out[2 * i] = digits[(unsigned char)bytes.ptr[i] >> 4];
		out[2 * i + 1] = digits[(unsigned char)bytes.ptr[i] & 15];
	}
	return (struct hl_slice){out, 2 * bytes.len};
}

struct hl_slice hl_base64(struct hl_arena *arena, struct hl_slice bytes)
{
	unsigned char *out = hl_arena_alloc(arena, 4 * ((bytes.len + 2) / 3) + 1);
	int n;

	if (!out)
		return (struct hl_slice){0};
	n = EVP_EncodeBlock(out, bytes_of(bytes), (int)bytes.len);
	return (struct hl_slice){(const char *)out, (size_t)n};
}

/* Value of a digit in either alphabet, or -1. */
static int digit64(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c == '-' ? '+' : c == '_' ? '/' : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

bool hl_base64_decode(struct hl_arena *arena, struct hl_slice text, struct hl_slice *out_r)
{
	unsigned char *out = hl_arena_alloc(arena, text.len + 1);
	size_t n = 0;
	uint32_t bits = 0;

	if (text.len && text.len % 4 == 0 && text.ptr[text.len - 1] == '=')
		text.len -= text.ptr[text.len - 2] == '=' ? 2 : 1;
	if (!out || text.len % 4 == 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int digit = digit64(text.ptr[i]);

		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32_t)digit;
		if (i % 4)
			out[n++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
	}
	*out_r = (struct hl_slice){(const char *)out, n};
	return true;
}

bool hl_same(struct hl_slice a, struct hl_slice b)
{
	return a.len && a.len == b.len && CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0;
}

static struct hl_slice lower(struct hl_arena *arena, struct hl_slice s)
{
	char *out = hl_arena_alloc(arena, s.len + 1);

	for (size_t i = 0; out && i < s.len; i++)
		out[i] = (char)(s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? s.ptr[i] + 32 : s.ptr[i]);
	return (struct hl_slice){out, out ? s.len : 0};
}

bool hl_same_nocase(struct hl_arena *arena, struct hl_slice a, struct hl_slice b)
{
	return hl_same(lower(arena, a), lower(arena, b));
}

bool hl_ed25519_ok(struct hl_slice key, struct hl_slice data, struct hl_slice signature)
{
	EVP_PKEY *pkey;
	EVP_MD_CTX *ctx;
	bool ok;

	if (key.len != 32 || signature.len != 64)
		return false;
	pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes_of(key), key.len);
	ctx = EVP_MD_CTX_new();
	ok = pkey && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	     EVP_DigestVerify(ctx, bytes_of(signature), signature.len, bytes_of(data), data.len) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ok;
}

/* ---- JWT (RFC 7519, 7515) -------------------------------------------------- */

static json_t *load_part(struct hl_arena *arena, struct hl_slice part)
{
	struct hl_slice text;

	return hl_base64_decode(arena, part, &text) ? json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL)
						    : NULL;
}

static bool is_hs256(struct hl_arena *arena, struct hl_slice part)
{
	json_t *head = load_part(arena, part);
	const char *alg = json_string_value(json_object_get(head, "alg"));
	bool ok = alg && !strcmp(alg, "HS256");

	json_decref(head);
	return ok;
}

static bool is_signed(const struct hl_channel *ch, struct hl_arena *arena, struct hl_slice data, struct hl_slice part)
{
	struct hl_slice presented;
	bool ok = false;

	if (!hl_base64_decode(arena, part, &presented))
		return false;
	for (size_t i = 0; i < ch->n_secrets; i++) {
		struct hl_digest d = hl_hmac("SHA256", ch->secrets[i].value, data);

		ok |= hl_same(hl_digest_slice(&d), presented);
	}
	return ok;
}

/* Whole seconds of a claim; what is there must be a number. */
static bool is_claim_ok(const json_t *claims, const char *name, bool is_start, int64_t now_us)
{
	const json_t *claim = json_object_get(claims, name);
	double now_s = (double)now_us / 1e6, slack_s = (double)HL_TOLERANCE_US / 1e6;

	if (!claim)
		return true;
	if (!json_is_number(claim))
		return false;
	return is_start ? json_number_value(claim) <= now_s + slack_s : json_number_value(claim) > now_s;
}

json_t *hl_jwt_claims(const struct hl_channel *ch, struct hl_arena *arena, struct hl_slice token, int64_t now_us)
{
	struct hl_slice head, claims, signature, rest, data;
	json_t *doc;

	if (!hl_slice_cut(token, '.', &head, &rest) || !hl_slice_cut(rest, '.', &claims, &signature))
		return NULL;
	data = (struct hl_slice){token.ptr, head.len + 1 + claims.len};
	if (!is_hs256(arena, head) || !is_signed(ch, arena, data, signature))
		return NULL;
	doc = load_part(arena, claims);
	if (json_is_object(doc) && is_claim_ok(doc, "exp", false, now_us) && is_claim_ok(doc, "nbf", true, now_us) &&
	    is_claim_ok(doc, "iat", true, now_us))
		return doc;
	json_decref(doc);
	return NULL;
}

struct hl_slice hl_bearer(const struct hl_http_request *req)
{
	struct hl_slice value = hl_http_header(req, "Authorization"), word, token;

	if (!hl_slice_cut(value, ' ', &word, &token) || !hl_slice_eq_nocase(word, "Bearer"))
		return (struct hl_slice){0};
	return hl_slice_trim(token);
}
