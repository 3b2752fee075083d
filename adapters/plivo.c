/* plivo.c - Plivo messaging
 *
 *   inbound   POST or GET /hook/NAME, a form: From, To, Text, MessageUUID, ...
 *   receipt   POST /hook/NAME/receipt?n=<attempt>, a form: MessageUUID, Status, ... (our url)
 *   send      POST send_url (.../Account/ID/Message/), JSON, Basic login
 *
 * Signature V3: HMAC-SHA256 over the URL, the parameters and a nonce; V2 covers no parameter and is not taken.
 * Plivo signs no time: a replay is found by its MessageUUID, not here.
 * Source: plivo-go, plivo-python, plivo-node tests (read 2026-11)
 */
#include <string.h>
#include "common.h"

#define SIGNED_BYTES_MAX (256 * 1024)
#define MEDIA_MAX        10

static bool is_get(const struct hl_http_request *req)
{
	return hl_slice_eq_str(req->method, "GET");
}

static void add_query(struct hl_buf *out, const struct hl_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			hl_buf_add_char(out, '&');
		hl_buf_add(out, pairs[i].key);
		hl_buf_add_char(out, '=');
		hl_buf_add(out, pairs[i].value);
	}
}

/* URL ? sorted query . sorted body . nonce, with the provider's own glue: a ? even without a query. */
static void add_signed(struct hl_buf *out, const struct hl_channel *ch, const struct hl_http_request *req,
		       struct hl_pair *query, size_t n_query, struct hl_pair *body, size_t n_body)
{
	hl_buf_printf(out, "%s%.*s", ch->public_url, HL_SLICE_ARG(req->path));
	if (n_query || n_body)
		hl_buf_add_char(out, '?');
	hl_pairs_sort(query, n_query, true);
	hl_pairs_sort(body, n_body, true);
	add_query(out, query, n_query);
	if (n_query && n_body)
		hl_buf_add_char(out, '.');
	for (size_t i = 0; i < n_body; i++) {
		hl_buf_add(out, body[i].key);
		hl_buf_add(out, body[i].value);
	}
	hl_buf_add_char(out, '.');
	hl_buf_add(out, hl_http_header(req, "X-Plivo-Signature-V3-Nonce"));
}

static bool is_listed(struct hl_slice list, struct hl_slice signature)
{
	struct hl_slice one;
	bool found = false;

	while (list.len) {
		hl_slice_cut(list, ',', &one, &list);
		found |= hl_same(hl_slice_trim(one), signature);
	}
	return found;
}

static enum hl_verdict verify(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			      int64_t now_us)
{
	struct hl_slice listed = hl_http_header(req, "X-Plivo-Signature-V3");
	struct hl_pair *query, *body = NULL;
	struct hl_buf text;
	size_t n_query, n_body = 0;
	bool ok = false;

	(void)subpath;
	(void)now_us;
	if (!listed.len || !hl_http_header(req, "X-Plivo-Signature-V3-Nonce").len ||
	    !hl_form_pairs(req->arena, req->query, &query, &n_query) ||
	    (!is_get(req) && !hl_form_pairs(req->arena, req->body, &body, &n_body)))
		return HL_FORGED;
	hl_buf_init(&text, SIGNED_BYTES_MAX);
	add_signed(&text, ch, req, query, n_query, body, n_body);
	for (size_t i = 0; i < ch->n_secrets && !hl_buf_failed(&text); i++) {
		struct hl_digest d = hl_hmac("SHA256", ch->secrets[i].value, hl_buf_slice(&text));

		ok |= is_listed(listed, hl_base64(req->arena, hl_digest_slice(&d)));
	}
	hl_buf_fini(&text);
	return ok ? HL_VERIFIED : HL_FORGED;
}

/* ---- what comes in --------------------------------------------------------- */

static const struct hl_state_word states[] = {
	{"queued", HL_RECEIPT_BUFFERED},         {"sent", HL_RECEIPT_BUFFERED},
	{"delivered", HL_RECEIPT_DELIVERED},     {"read", HL_RECEIPT_DELIVERED},
	{"undelivered", HL_RECEIPT_UNDELIVERED}, {"failed", HL_RECEIPT_REJECTED},
	{"rejected", HL_RECEIPT_REJECTED},       {NULL, HL_RECEIPT_OTHER},
};

struct form {
	const struct hl_http_request *req;
	struct hl_pair *pairs;
	size_t n_pairs;
};

static struct hl_slice get(const struct form *f, const char *key)
{
	return hl_pairs_get(f->pairs, f->n_pairs, key);
}

/* A long text's parts have ids of their own; the one we were given is then the parent. */
static enum hl_class parse_receipt(const struct form *f, struct hl_parsed *out, struct hl_error *err)
{
	struct hl_receipt *r = hl_adapter_one_receipt(f->req->arena, out);
	struct hl_slice parent = get(f, "ParentMessageUUID"), status = get(f, "Status"), n;

	if (!r)
		return HL_NOMEM;
	if (hl_form_get(f->req->arena, f->req->query, "n", &n) && !hl_adapter_attempt(n, &r->attempt))
		return hl_fail(err, HL_INPUT, "n: must be the number of an attempt");
	if (!status.len)
		return hl_fail(err, HL_INPUT, "Status: must be given");
	r->state = hl_adapter_state(states, status);
	r->status_text = hl_adapter_detail(f->req->arena, status);
	return hl_adapter_name(f->req->arena, "MessageUUID", parent.len ? parent : get(f, "MessageUUID"),
			       HL_EXTERNAL_ID_BYTES_MAX, &r->external_id, err);
}

static void add_media(const struct form *f, struct hl_inbound *m)
{
	struct hl_media_ref *list = hl_arena_array(f->req->arena, MEDIA_MAX, sizeof(*list));

	for (size_t i = 0; list && i < MEDIA_MAX; i++) {
		struct hl_slice url = get(f, hl_arena_printf(f->req->arena, "Media%zu", i));

		if (url.len)
			list[m->n_media++] = (struct hl_media_ref){url, {0}};
	}
	m->media = list;
}

static enum hl_class parse_message(const struct form *f, struct hl_parsed *out, struct hl_error *err)
{
	struct hl_inbound *m = hl_adapter_one_message(f->req->arena, out);
	enum hl_class cls;

	if (!m)
		return HL_NOMEM;
	cls = hl_adapter_name(f->req->arena, "MessageUUID", get(f, "MessageUUID"), HL_EXTERNAL_ID_BYTES_MAX,
			      &m->external_id, err);
	if (!cls)
		cls = hl_adapter_name(f->req->arena, "From", get(f, "From"), HL_PEER_PHONE_BYTES_MAX, &m->from, err);
	if (!cls)
		cls = hl_adapter_name(f->req->arena, "To", get(f, "To"), HL_PEER_PHONE_BYTES_MAX, &m->to, err);
	m->from = hl_adapter_plus(f->req->arena, m->from);
	m->bytes = get(f, "Text");
	m->charset = "UTF-8";
	add_media(f, m);
	return cls;
}

static enum hl_class parse(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			   struct hl_parsed *out, struct hl_error *err)
{
	struct form f = {.req = req};
	bool is_receipt;
	enum hl_class cls;

	(void)ch;
	*out = (struct hl_parsed){0};
	if (!hl_form_pairs(req->arena, is_get(req) ? req->query : req->body, &f.pairs, &f.n_pairs))
		return hl_fail(err, HL_INPUT, "body: must be a form of at most %d fields", HL_FORM_PAIRS_MAX);
	is_receipt = hl_slice_eq_str(subpath, "/receipt") || (get(&f, "Status").len && !get(&f, "Text").ptr);
	cls = is_receipt ? parse_receipt(&f, out, err) : parse_message(&f, out, err);
	return hl_arena_failed(req->arena) ? hl_fail(err, HL_NOMEM, "out of memory") : cls;
}

/* ---- what goes out --------------------------------------------------------- */

/* The account's id: the login, or what stands in the URL (.../Account/ID/Message/). */
static struct hl_slice account(const struct hl_channel *ch)
{
	const char *at = strstr(ch->send_url, "/Account/");
	struct hl_slice id, rest;

	if (ch->username[0] || !at)
		return hl_slice_str(ch->username);
	hl_slice_cut(hl_slice_str(at + strlen("/Account/")), '/', &id, &rest);
	return id;
}

/* Plivo signs with the auth token that is also the password. */
static struct hl_slice token(const struct hl_channel *ch)
{
	return ch->password.len || !ch->n_secrets ? ch->password : ch->secrets[0].value;
}

static enum hl_class check(const struct hl_channel *ch, const char **key_r, struct hl_error *err)
{
	*key_r = "username";
	if (ch->send_url[0] && !account(ch).len)
		return hl_fail(err, HL_CONFIG, "must be given: send_url names no account (.../Account/ID/...)");
	return HL_OK;
}

static enum hl_class build(const struct hl_channel *ch, const struct hl_outbound *sms, int64_t now_us,
			   struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	const struct hl_http_header headers[] = {
		{HL_LIT("Authorization"), hl_adapter_basic(arena, account(ch), token(ch))},
		{HL_LIT("Content-Type"), HL_LIT("application/json")},
	};
	struct hl_slice to = sms->to, url = hl_adapter_receipt_url(ch, sms->attempt, arena);

	(void)now_us;
	if (to.len && to.ptr[0] == '+')
		to = (struct hl_slice){to.ptr + 1, to.len - 1};
	return hl_adapter_post_json(ch, arena, headers, 2,
				    json_pack("{s:s%, s:s%, s:s%, s:s%, s:s}", "src", ch->from.ptr, ch->from.len, "dst",
					      to.ptr, to.len, "text", sms->text.ptr, sms->text.len, "url", url.ptr,
					      url.len, "method", "POST"),
				    out, err);
}

static void interpret(const struct hl_channel *ch, int status, struct hl_slice body,
		      const struct hl_http_header *headers, size_t n_headers, struct hl_arena *arena,
		      struct hl_answer *out)
{
	json_t *doc = hl_json_answer(body);

	(void)ch;
	hl_adapter_by_status(status, doc, hl_json_text(arena, doc, "message_uuid.0"), headers, n_headers, arena, out);
	json_decref(doc);
}

static const char *const paths[] = {"", "/receipt", NULL};

extern const struct hl_provider hl_provider_plivo;
const struct hl_provider hl_provider_plivo = {
	.name = "plivo",
	.needs_secret = true,
	.has_given_secret = true,
	.paths = paths,
	.methods = "GET POST",
	.ack_type = "text/xml",
	.ack_body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>",
	.check = check,
	.verify = verify,
	.parse = parse,
	.build = build,
	.interpret = interpret,
};
