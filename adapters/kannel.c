/* kannel.c - Kannel's smsbox: get-url or post-url in, sendsms out, dlr-url for receipts
 *
 *   inbound   GET /hook/NAME?from=%p&to=%P&ts=%T&id=%I&coding=%c&charset=%C&text=%b&token=SECRET
 *             (sms-service get-url), or the same without text as post-url: the body is the text then; or as post-xml:
 *             <message><submit> with the text percent-encoded in <ud>
 *   receipt   GET /hook/NAME/receipt?n=<attempt>&d=%d&token=SECRET (our dlr-url)
 *   send      POST sendsms with X-Kannel-* headers; no id comes back, so the attempt rides in the dlr-url
 *
 * Kannel signs nothing: the token in the URL is all there is. What we answer to a get-url
 * would be texted back to the resident, hence the empty 200.
 * Limits: text is handed over whole, Kannel splits it (sendsms-user needs max-messages = 10).
 * Source: Kannel 1.4.5 user guide, gw/smsbox.c, gw/urltrans.c, gw/dlr.h (read 2026-11)
 */
#include <inttypes.h>
#include "common.h"
#include "hotline/text.h"

#define CHARSET_BYTES_MAX 40
#define URL_BYTES_MAX     1000
#define DLR_MASK          "31" /* delivered, undelivered, buffered, accepted and rejected by the SMSC */

/* A parameter of the URL or, with post-url, its header. Gives false when neither is there. */
static bool get_field(const struct hl_http_request *req, const char *key, const char *header, struct hl_slice *out_r)
{
	if (hl_form_get(req->arena, req->query, key, out_r))
		return true;
	*out_r = header ? hl_http_header(req, header) : (struct hl_slice){0};
	return out_r->ptr != NULL;
}

static enum hl_verdict verify(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			      int64_t now_us)
{
	struct hl_slice token;

	(void)subpath;
	(void)now_us;
	return get_field(req, "token", NULL, &token) && hl_secret_matches(ch, token) ? HL_VERIFIED : HL_FORGED;
}

/* The charset parameter of post-url's Content-Type: text/plain; charset="UTF-16BE" (with the quotes). */
static struct hl_slice content_charset(const struct hl_http_request *req)
{
	struct hl_slice value = hl_http_header(req, "Content-Type");
	ptrdiff_t at = hl_slice_find(value, HL_LIT("charset="));

	if (at < 0)
		return (struct hl_slice){0};
	value.ptr += at + (ptrdiff_t)(sizeof("charset=") - 1);
	value.len -= (size_t)at + sizeof("charset=") - 1;
	hl_slice_cut(value, ';', &value, &(struct hl_slice){0});
	value = hl_slice_trim(value);
	if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
		value = (struct hl_slice){value.ptr + 1, value.len - 2};
	return value;
}

/* Kannel names a charset only sometimes. UCS-2 without one is UTF-16BE; for coding 0, 1 and -1 the bytes decide. */
static const char *charset_of(const struct hl_http_request *req)
{
	struct hl_slice charset, coding;

	if (!get_field(req, "charset", NULL, &charset) || !charset.len)
		charset = content_charset(req);
	if (charset.len && charset.len <= CHARSET_BYTES_MAX)
		return hl_arena_strdup(req->arena, charset);
	get_field(req, "coding", "X-Kannel-Coding", &coding);
	return hl_slice_eq_str(hl_slice_trim(coding), "2") ? "UTF-16BE" : NULL;
}

/* What stands in <tag> of post-xml, whose form smsbox fixes: no attributes, no nesting of the same name. */
static struct hl_slice xml_text(struct hl_slice xml, struct hl_slice open, struct hl_slice close)
{
	ptrdiff_t at = hl_slice_find(xml, open), end;
	struct hl_slice rest;

	if (at < 0)
		return (struct hl_slice){0};
	rest = (struct hl_slice){xml.ptr + at + (ptrdiff_t)open.len, xml.len - (size_t)at - open.len};
	end = hl_slice_find(rest, close);
	return (struct hl_slice){end < 0 ? NULL : rest.ptr, end < 0 ? 0 : (size_t)end};
}

static bool is_xml(const struct hl_http_request *req)
{
	return hl_slice_eq_str(req->method, "POST") &&
	       hl_slice_find(hl_http_header(req, "Content-Type"), HL_LIT("xml")) >= 0;
}

/* Without <ud> the text is empty: smsbox leaves it out then. */
static enum hl_class get_xml_text(const struct hl_http_request *req, struct hl_slice *out_r, struct hl_error *err)
{
	struct hl_slice coded = xml_text(req->body, HL_LIT("<ud>"), HL_LIT("</ud>"));
	const char *form = hl_arena_printf(req->arena, "ud=%.*s", HL_SLICE_ARG(coded));

	if (hl_slice_find(req->body, HL_LIT("<submit>")) < 0 || hl_slice_find(req->body, HL_LIT("</submit>")) < 0)
		return hl_fail(err, HL_INPUT, "body: must be <message><submit>...</submit></message>");
	if (!hl_form_get(req->arena, hl_slice_str(form), "ud", out_r))
		return hl_fail(err, HL_INPUT, "ud: must be percent-encoded");
	return HL_OK;
}

static enum hl_class get_text(const struct hl_http_request *req, struct hl_slice *out_r, struct hl_error *err)
{
	if (get_field(req, "text", NULL, out_r))
		return HL_OK;
	if (is_xml(req))
		return get_xml_text(req, out_r, err);
	/* post-url: the body is the text, and X-Kannel-To is always there. */
	if (hl_slice_eq_str(req->method, "POST") && hl_http_header(req, "X-Kannel-To").ptr) {
		*out_r = req->body;
		return HL_OK;
	}
	return hl_fail(err, HL_INPUT, "text: must be given, percent-encoded");
}

static enum hl_class get_id(const struct hl_http_request *req, struct hl_inbound *m, struct hl_error *err)
{
	struct hl_slice id, ts;

	if (get_field(req, "id", "X-Kannel-ID", &id) && id.len)
		return hl_adapter_name(req->arena, "id", id, HL_EXTERNAL_ID_BYTES_MAX, &m->external_id, err);
	if (!get_field(req, "ts", "X-Kannel-Time", &ts) || !ts.len)
		return hl_fail(err, HL_INPUT, "id: must be given (id=%%I), or else ts (ts=%%T)");
	m->external_id = hl_adapter_derive_id(req->arena, (const struct hl_slice[]){m->from, m->to, ts, m->bytes}, 4);
	return HL_OK;
}

static enum hl_class parse_message(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_inbound *m,
				   struct hl_error *err)
{
	struct hl_slice from, to;
	enum hl_class cls;

	get_field(req, "from", "X-Kannel-From", &from);
	cls = hl_adapter_name(req->arena, "from", from, HL_PEER_PHONE_BYTES_MAX, &m->from, err);
	if (cls)
		return cls;
	/* Some SMSCs do not say which of our numbers was texted. */
	if (!get_field(req, "to", "X-Kannel-To", &to) || !to.len)
		to = ch->from;
	cls = hl_adapter_name(req->arena, "to", to, HL_PEER_PHONE_BYTES_MAX, &m->to, err);
	if (cls)
		return cls;
	cls = get_text(req, &m->bytes, err);
	if (cls)
		return cls;
	m->charset = charset_of(req);
	return get_id(req, m, err);
}

static enum hl_receipt_state receipt_state(struct hl_slice code)
{
	static const struct {
		const char *code;
		enum hl_receipt_state state;
	} states[] = {
		{"1", HL_RECEIPT_DELIVERED}, {"2", HL_RECEIPT_UNDELIVERED}, {"4", HL_RECEIPT_BUFFERED},
		{"8", HL_RECEIPT_BUFFERED},  {"16", HL_RECEIPT_REJECTED},
	};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (hl_slice_eq_str(code, states[i].code))
			return states[i].state;
	}
	return HL_RECEIPT_OTHER;
}

static enum hl_class parse_receipt(const struct hl_http_request *req, struct hl_receipt *r, struct hl_error *err)
{
	struct hl_slice attempt, code;

	if (!get_field(req, "n", NULL, &attempt) || !hl_adapter_attempt(attempt, &r->attempt))
		return hl_fail(err, HL_INPUT, "n: must be the number of an attempt");
	if (!get_field(req, "d", NULL, &code) || !code.len)
		return hl_fail(err, HL_INPUT, "d: must be given (d=%%d)");
	r->status_text = hl_adapter_detail(req->arena, code);
	r->state = receipt_state(code);
	return HL_OK;
}

static enum hl_class parse(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			   struct hl_parsed *out, struct hl_error *err)
{
	enum hl_class cls;

	*out = (struct hl_parsed){0};
	if (hl_slice_eq_str(subpath, "/receipt")) {
		struct hl_receipt *r = hl_adapter_one_receipt(req->arena, out);

		cls = r ? parse_receipt(req, r, err) : HL_NOMEM;
	} else {
		struct hl_inbound *m = hl_adapter_one_message(req->arena, out);

		cls = m ? parse_message(ch, req, m, err) : HL_NOMEM;
	}
	return hl_arena_failed(req->arena) ? hl_fail(err, HL_NOMEM, "out of memory") : cls;
}

/* %d stays bare for Kannel to fill in. Other escapes survive its template: our secrets are ASCII, whose
 * escapes begin with a digit, and it expands letters only. */
static struct hl_slice dlr_url(const struct hl_channel *ch, uint64_t attempt, struct hl_arena *arena)
{
	struct hl_buf url;
	struct hl_slice copy;

	hl_buf_init(&url, URL_BYTES_MAX);
	hl_buf_printf(&url, "%s/hook/%s/receipt?n=%" PRIu64 "&d=%%d&token=", ch->public_url, ch->name, attempt);
	if (ch->n_secrets)
		hl_url_encode(&url, ch->secrets[0].value);
	copy = hl_arena_dup(arena, hl_buf_slice(&url));
	if (hl_buf_failed(&url))
		arena->failed = true;
	hl_buf_fini(&url);
	return copy;
}

static enum hl_class build(const struct hl_channel *ch, const struct hl_outbound *sms, int64_t now_us,
			   struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	const struct hl_http_header headers[] = {
		{HL_LIT("X-Kannel-Username"), hl_slice_str(ch->username)},
		{HL_LIT("X-Kannel-Password"), ch->password},
		{HL_LIT("X-Kannel-From"), ch->from},
		{HL_LIT("X-Kannel-To"), sms->to},
		/* Without a coding Chinese arrives as question marks, and is accepted all the same. */
		{HL_LIT("X-Kannel-Coding"), sms->is_gsm7 ? HL_LIT("0") : HL_LIT("2")},
		{HL_LIT("X-Kannel-DLR-Mask"), HL_LIT(DLR_MASK)},
		{HL_LIT("X-Kannel-DLR-Url"), dlr_url(ch, sms->attempt, arena)},
		{HL_LIT("Content-Type"), HL_LIT("text/plain; charset=UTF-8")},
	};

	(void)now_us;
	return hl_adapter_post(ch, arena, headers, sizeof(headers) / sizeof(headers[0]), sms->text, out, err);
}

/* First fitting row wins. What is in no row proves nothing. */
static const struct reply {
	int status;
	enum hl_outcome outcome;
	const char *prefix;
} replies[] = {
	{202, HL_OUT_ACCEPTED, "0:"},
	{202, HL_OUT_ACCEPTED, "3:"}, /* no SMSC connected: queued in the bearerbox */
	{202, HL_OUT_ACCEPTED, "Sent."},
	{503, HL_OUT_LATER, "Temporal failure"},
	{403, HL_OUT_REFUSED, "Not routable"},
	{403, HL_OUT_REFUSED, "Number(s)"},      /* black or white list */
	{403, HL_OUT_CONFIG, ""},                /* "Authorization failed for sendsms" and its like */
	{400, HL_OUT_CONFIG, "Charset or body"}, /* built without iconv: no text will ever pass */
	{400, HL_OUT_CONFIG, "Sender missing"},
	{400, HL_OUT_REFUSED, ""},
	{401, HL_OUT_CONFIG, ""},
	{404, HL_OUT_CONFIG, ""},
	{405, HL_OUT_CONFIG, ""},
};

static void interpret(const struct hl_channel *ch, int status, struct hl_slice body,
		      const struct hl_http_header *headers, size_t n_headers, struct hl_arena *arena,
		      struct hl_answer *out)
{
	(void)ch;
	(void)headers;
	(void)n_headers;
	*out = (struct hl_answer){.outcome = HL_OUT_UNKNOWN, .detail = hl_adapter_detail(arena, body)};
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		if (status == replies[i].status && hl_slice_has_prefix(body, replies[i].prefix)) {
			out->outcome = replies[i].outcome;
			return;
		}
	}
}

static const char *const paths[] = {"", "/receipt", NULL};

extern const struct hl_provider hl_provider_kannel;
const struct hl_provider hl_provider_kannel = {
	.name = "kannel",
	.needs_secret = true,
	.needs_login = true,
	.paths = paths,
	.methods = "GET POST",
	.ack_type = "text/plain",
	.ack_body = "",
	.verify = verify,
	.parse = parse,
	.build = build,
	.interpret = interpret,
};
