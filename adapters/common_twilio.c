/* common_twilio.c - who called: the signatures of Twilio and SignalWire
 *
 * Pure. base64(HMAC-SHA1(auth token, URL + sorted form)); the URL with and without its port, because Twilio's own
 * backends differ. A JSON body is signed by its digest in the URL. SignalWire leaves repeated keys in their order,
 * tries the standard port only, and signs JSON as hex(HMAC-SHA1(signing key, URL + body)). Limits: no time is signed.
 * Source: twilio-{python,node,go,java,csharp,ruby,php} request validators and their tests, signalwire-python
 * webhook_validator (read 2026-11)
 */
#include <string.h>
#include "common.h"

#define SIGNED_BYTES_MAX (256 * 1024)

/* One call, as far as its signature is concerned. */
struct signed_call {
	const struct hl_channel *ch;
	const struct hl_http_request *req;
	struct hl_pair *pairs;
	size_t n_pairs;
	struct hl_slice presented;
	bool keeps_order; /* SignalWire: repeated values as they came, no other port than the standard one */
};

static struct hl_slice presented_signature(const struct hl_http_request *req, bool is_signalwire)
{
	struct hl_slice value = {0};

	if (is_signalwire)
		value = hl_http_header(req, "X-SignalWire-Signature");
	return value.ptr ? value : hl_http_header(req, "X-Twilio-Signature");
}

/* URL + key + value of every pair; a repeated pair counts once unless its order is kept. */
static void add_signed(struct hl_buf *out, const struct signed_call *c, struct hl_slice url)
{
	hl_buf_add(out, url);
	for (size_t i = 0; i < c->n_pairs; i++) {
		const struct hl_pair *p = &c->pairs[i];
		bool is_repeat = i > 0 && hl_slice_eq(p->key, p[-1].key) && hl_slice_eq(p->value, p[-1].value);

		if (is_repeat && !c->keeps_order)
			continue;
		hl_buf_add(out, p->key);
		hl_buf_add(out, p->value);
	}
}

static bool fits_url(const struct signed_call *c, const char *url)
{
	struct hl_buf text;
	bool fits = false;

	hl_buf_init(&text, SIGNED_BYTES_MAX);
	add_signed(&text, c, hl_slice_str(url));
	for (size_t i = 0; i < c->ch->n_secrets && !hl_buf_failed(&text); i++) {
		struct hl_digest d = hl_hmac("SHA1", c->ch->secrets[i].value, hl_buf_slice(&text));

		fits |= hl_same(hl_base64(c->req->arena, hl_digest_slice(&d)), c->presented);
	}
	hl_buf_fini(&text);
	return fits;
}

/* Where the host ends in a URL, and the port that stands there, if any. */
struct authority {
	size_t start, host_end, end;
	bool is_https;
};

static struct authority find_authority(struct hl_slice url)
{
	struct authority a = {.is_https = hl_slice_has_prefix(url, "https://")};

	a.start = a.is_https ? 8 : 7;
	for (a.end = a.start; a.end < url.len && url.ptr[a.end] != '/' && url.ptr[a.end] != '?';)
		a.end++;
	a.host_end = a.end;
	for (size_t i = a.start; i < a.end; i++) {
		if (url.ptr[i] == '@' || url.ptr[i] == ']')
			a.host_end = a.end; /* a colon before it belonged to the login or the address */
		else if (url.ptr[i] == ':')
			a.host_end = i;
	}
	return a;
}

/* The URL with another port text, "" for none. */
static const char *with_port(struct hl_arena *arena, struct hl_slice url, const char *port)
{
	struct authority a = find_authority(url);

	return hl_arena_printf(arena, "%.*s%s%.*s", (int)a.host_end, url.ptr, port, (int)(url.len - a.end),
			       url.ptr + a.end);
}

/* The query as a form is written today: Twilio re-encodes it on some of its ways. */
static struct hl_slice respelled_query(struct hl_arena *arena, struct hl_slice query)
{
	static const char plain[] = "*-._";
	struct hl_pair *pairs;
	struct hl_buf out;
	struct hl_slice copy;
	size_t n;

	if (!hl_form_pairs(arena, query, &pairs, &n))
		return query;
	hl_buf_init(&out, 4 * query.len + 16);
	for (size_t i = 0; i < 2 * n; i++) {
		struct hl_slice text = i % 2 ? pairs[i / 2].value : pairs[i / 2].key;

		if (i)
			hl_buf_add_char(&out, i % 2 ? '=' : '&');
		for (size_t k = 0; k < text.len; k++) {
			char c = text.ptr[k];
			bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
					(c && strchr(plain, c));

			if (is_plain)
				hl_buf_add_char(&out, c);
			else if (c == ' ')
				hl_buf_add_char(&out, '+');
			else
				hl_buf_printf(&out, "%%%02X", (unsigned char)c);
		}
	}
	copy = hl_arena_dup(arena, hl_buf_slice(&out));
	hl_buf_fini(&out);
	return copy;
}

static bool fits_any_port(const struct signed_call *c, struct hl_slice url)
{
	struct hl_arena *arena = c->req->arena;
	struct authority a = find_authority(url);
	const char *standard = a.is_https ? ":443" : ":80";
	struct hl_slice port = {url.ptr + a.host_end, a.end - a.host_end};

	if (fits_url(c, hl_arena_strdup(arena, url)))
		return true;
	if (!port.len)
		return fits_url(c, with_port(arena, url, standard));
	if (c->keeps_order && !hl_slice_eq_str(port, standard))
		return false;
	return fits_url(c, with_port(arena, url, ""));
}

static bool fits(const struct signed_call *c)
{
	const struct hl_http_request *req = c->req;
	struct hl_http_request respelled = *req;

	if (fits_any_port(c, hl_adapter_url(c->ch, req)))
		return true;
	if (!req->query.len || c->keeps_order)
		return false;
	respelled.query = respelled_query(req->arena, req->query);
	return !hl_slice_eq(respelled.query, req->query) && fits_any_port(c, hl_adapter_url(c->ch, &respelled));
}

/* A JSON body is signed through the URL, which holds its digest. */
static bool is_body_digest(const struct hl_http_request *req, struct hl_slice expected)
{
	struct hl_digest d = hl_digest_of("SHA256", req->body);

	return hl_same_nocase(req->arena, hl_hex(req->arena, hl_digest_slice(&d)), expected);
}

/* SignalWire's other scheme: the URL and the bytes behind it. */
static bool fits_raw(const struct signed_call *c)
{
	struct hl_slice url = hl_adapter_url(c->ch, c->req);
	struct hl_buf text;
	bool fits = false;

	hl_buf_init(&text, SIGNED_BYTES_MAX);
	hl_buf_add(&text, url);
	hl_buf_add(&text, c->req->body);
	for (size_t i = 0; i < c->ch->n_secrets && !hl_buf_failed(&text); i++) {
		struct hl_digest d = hl_hmac("SHA1", c->ch->secrets[i].value, hl_buf_slice(&text));

		fits |= hl_same(hl_hex(c->req->arena, hl_digest_slice(&d)), c->presented);
	}
	hl_buf_fini(&text);
	return fits;
}

enum hl_verdict hl_twilio_verdict(const struct hl_channel *ch, const struct hl_http_request *req, bool is_signalwire)
{
	struct signed_call c = {.ch = ch,
				.req = req,
				.presented = presented_signature(req, is_signalwire),
				.keeps_order = is_signalwire};
	struct hl_slice expected;

	if (!c.presented.len)
		return HL_FORGED;
	if (is_signalwire && fits_raw(&c))
		return HL_VERIFIED;
	if (hl_form_get(req->arena, req->query, "bodySHA256", &expected))
		return is_body_digest(req, expected) && fits(&c) ? HL_VERIFIED : HL_FORGED;
	/* Unsigned bytes are nobody's: without a digest only a form is covered, and an object that says nothing. */
	if (hl_slice_eq_str(req->body, "{}"))
		return fits(&c) ? HL_VERIFIED : HL_FORGED;
	if (req->body.len && (!hl_adapter_is_form(req) || !hl_form_pairs(req->arena, req->body, &c.pairs, &c.n_pairs)))
		return HL_FORGED;
	hl_pairs_sort(c.pairs, c.n_pairs, !c.keeps_order);
	return fits(&c) ? HL_VERIFIED : HL_FORGED;
}
