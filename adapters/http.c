/* http.c - a provider described wholly by configuration: a county's own gateway, a cloud MAS, anything that speaks HTTP
 *
 *   inbound   /hook/NAME and /hook/NAME/receipt: a form, the query, or JSON whose fields are named by paths
 * ("data.0.mobile"); what has a status (`receipt_status`) and no text is a receipt signed    an HMAC of the body in a
 * header, or else the secret in the path or the query send      POST send_url; body and headers are texts with ${to}
 * ${text} ${from} ${attempt} ${signature} ${time} ${mac}
 *             ${username} ${password} ${template} ${p1}...; values are escaped as `body_type` wants it
 *   answer    a field of JSON or the whole text against lists of words: accepted, later, refused, config
 *
 * Limits: one text per request; only POST, because libcurl may repeat a GET by itself; XML is written, not read.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "common.h"

#define TEXT_BYTES_MAX 65536
#define HEADERS_MAX    12
#define PARAMS_MAX     20

/* "-" says "none" where a default would stand otherwise. */
static const char *setting(const struct hl_channel *ch, const char *name)
{
	const char *value = hl_channel_setting(ch, name);

	return strcmp(value, "-") ? value : "";
}

/* Is word one of "a, b, c"? "*" stands for any word there is. */
static bool is_listed(const char *list, struct hl_slice word)
{
	struct hl_slice rest = hl_slice_str(list), one;

	while (rest.len) {
		hl_slice_cut(rest, ',', &one, &rest);
		one = hl_slice_trim(one);
		if (one.len && word.len && (hl_slice_eq(one, word) || hl_slice_eq_str(one, "*")))
			return true;
	}
	return false;
}

/* ---- who calls ------------------------------------------------------------- */

static enum hl_verdict verify(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			      int64_t now_us)
{
	const char *header = setting(ch, "signature_header"), *kind = setting(ch, "signature_kind");
	const char *digest = strstr(kind, "sha1") ? "SHA1" : "SHA256";
	struct hl_slice presented;
	bool ok = false;

	(void)subpath;
	(void)now_us;
	if (!header[0])
		return hl_adapter_token(ch, req);
	presented = hl_http_header(req, header);
	if (hl_slice_has_prefix(presented, "sha256="))
		presented = (struct hl_slice){presented.ptr + 7, presented.len - 7};
	for (size_t i = 0; i < ch->n_secrets; i++) {
		struct hl_digest d = hl_hmac(digest, ch->secrets[i].value, req->body);

		ok |= strstr(kind, "hex")
			      ? hl_same_nocase(req->arena, hl_hex(req->arena, hl_digest_slice(&d)), presented)
			      : hl_same(hl_base64(req->arena, hl_digest_slice(&d)), presented);
	}
	return ok ? HL_VERIFIED : HL_FORGED;
}

/* ---- what comes in --------------------------------------------------------- */

/* One item: a JSON value, or a form. */
struct item {
	struct hl_arena *arena;
	const json_t *doc;
	struct hl_pair *pairs;
	size_t n_pairs;
};

static struct hl_slice field(const struct item *it, const char *path)
{
	if (!path[0])
		return (struct hl_slice){0};
	return it->doc ? hl_json_text(it->arena, it->doc, path) : hl_pairs_get(it->pairs, it->n_pairs, path);
}

static enum hl_class named(const struct item *it, const char *path, size_t max_bytes, struct hl_slice *out_r,
			   struct hl_error *err)
{
	return hl_adapter_name(it->arena, path, field(it, path), max_bytes, out_r, err);
}

static enum hl_class read_message(const struct hl_channel *ch, const struct item *it, struct hl_inbound *m,
				  struct hl_error *err)
{
	struct hl_slice to = field(it, setting(ch, "in_to")), time = field(it, setting(ch, "in_time"));
	enum hl_class cls = named(it, setting(ch, "in_from"), HL_PEER_PHONE_BYTES_MAX, &m->from, err);

	if (cls)
		return cls;
	m->to = to.len && to.len <= HL_PEER_PHONE_BYTES_MAX ? to : ch->from;
	m->bytes = field(it, setting(ch, "in_text"));
	if (!m->bytes.ptr)
		return hl_fail(err, HL_INPUT, "%s: must be given", setting(ch, "in_text"));
	if (setting(ch, "in_id")[0])
		return named(it, setting(ch, "in_id"), HL_EXTERNAL_ID_BYTES_MAX, &m->external_id, err);
	if (!time.len)
		return hl_fail(err, HL_INPUT, "%s: must be given", setting(ch, "in_time"));
	m->external_id = hl_adapter_derive_id(it->arena, (const struct hl_slice[]){m->from, m->to, time, m->bytes}, 4);
	return HL_OK;
}

static enum hl_receipt_state state_of(const struct hl_channel *ch, struct hl_slice word)
{
	static const struct hl_state_word lists[] = {
		{"delivered", HL_RECEIPT_DELIVERED},
		{"undelivered", HL_RECEIPT_UNDELIVERED},
		{"rejected", HL_RECEIPT_REJECTED},
		{"buffered", HL_RECEIPT_BUFFERED},
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (is_listed(setting(ch, lists[i].word), word))
			return lists[i].state;
	}
	return HL_RECEIPT_OTHER;
}

static enum hl_class read_receipt(const struct hl_channel *ch, const struct item *it, struct hl_receipt *r,
				  struct hl_error *err)
{
	struct hl_slice word = field(it, setting(ch, "receipt_status"));
	bool has_attempt = hl_adapter_attempt(field(it, setting(ch, "receipt_attempt")), &r->attempt);

	if (!has_attempt)
		r->attempt = 0;
	if (!word.len)
		return hl_fail(err, HL_INPUT, "%s: must be given", setting(ch, "receipt_status"));
	r->state = state_of(ch, word);
	r->status_text = hl_adapter_detail(it->arena, word);
	if (has_attempt && !field(it, setting(ch, "receipt_id")).len)
		return HL_OK;
	return named(it, setting(ch, "receipt_id"), HL_EXTERNAL_ID_BYTES_MAX, &r->external_id, err);
}

static bool is_receipt(const struct hl_channel *ch, const struct item *it)
{
	return !field(it, setting(ch, "in_text")).ptr && field(it, setting(ch, "receipt_status")).len;
}

static enum hl_class read_items(const struct hl_channel *ch, struct item *items, size_t n, struct hl_parsed *out,
				struct hl_error *err)
{
	struct hl_arena *arena = n ? items[0].arena : NULL;
	size_t n_receipts = 0;
	enum hl_class cls = HL_OK;

	for (size_t i = 0; i < n; i++)
		n_receipts += is_receipt(ch, &items[i]);
	if (!n)
		return HL_OK;
	if (!hl_adapter_receipts(arena, out, n_receipts) || !hl_adapter_messages(arena, out, n - n_receipts))
		return HL_NOMEM;
	for (size_t i = 0, m = 0, r = 0; i < n && !cls; i++) {
		cls = is_receipt(ch, &items[i]) ? read_receipt(ch, &items[i], &out->receipts[r++], err)
						: read_message(ch, &items[i], &out->messages[m++], err);
		if (cls && n > 1)
			hl_error_prefix(err, "item %zu", i);
	}
	return cls;
}

static enum hl_class read_json(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_parsed *out,
			       struct hl_error *err)
{
	const json_t *list;
	struct item *items;
	json_t *doc;
	size_t n;
	enum hl_class cls = hl_json_load(req, "object or array", &doc, err);

	if (cls)
		return cls;
	list = hl_json_at(doc, setting(ch, "in_list"));
	n = json_is_array(list) ? json_array_size(list) : 1;
	if (!list || n > HL_ITEMS_MAX)
		cls = hl_fail(err, HL_INPUT, "%s: must be there and hold at most %d items", setting(ch, "in_list"),
			      HL_ITEMS_MAX);
	items = cls ? NULL : hl_arena_array(req->arena, n, sizeof(*items));
	for (size_t i = 0; items && i < n; i++)
		items[i] = (struct item){req->arena, json_is_array(list) ? json_array_get(list, i) : list, NULL, 0};
	if (items)
		cls = read_items(ch, items, n, out, err);
	json_decref(doc);
	return cls;
}

static enum hl_class parse(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			   struct hl_parsed *out, struct hl_error *err)
{
	struct hl_slice body = hl_slice_trim(req->body);
	struct item it = {.arena = req->arena};
	enum hl_class cls;

	(void)subpath;
	*out = (struct hl_parsed){0};
	if (body.len && (body.ptr[0] == '{' || body.ptr[0] == '['))
		cls = read_json(ch, req, out, err);
	else if (!hl_form_pairs(req->arena, body.len ? body : req->query, &it.pairs, &it.n_pairs))
		cls = hl_fail(err, HL_INPUT, "body: must be JSON or a form of at most %d fields", HL_FORM_PAIRS_MAX);
	else
		cls = read_items(ch, &it, 1, out, err);
	if (setting(ch, "ack")[0])
		out->ack = hl_slice_str(setting(ch, "ack"));
	return hl_arena_failed(req->arena) ? hl_fail(err, HL_NOMEM, "out of memory") : cls;
}

/* ---- what goes out --------------------------------------------------------- */

struct filling {
	const struct hl_channel *ch;
	const struct hl_outbound *sms;
	struct hl_arena *arena;
	int64_t now_us;
	struct hl_slice mac;
};

static bool value_of(const struct filling *f, struct hl_slice name, struct hl_slice *out_r)
{
	const struct hl_channel *ch = f->ch;
	const struct {
		const char *name;
		struct hl_slice value;
	} values[] = {
		{"to", f->sms->to},
		{"to_bare", {f->sms->to.ptr + (f->sms->to.len > 0), f->sms->to.len - (f->sms->to.len > 0)}},
		{"text", f->sms->text},
		{"from", ch->from},
		{"signature", hl_slice_str(ch->signature)},
		{"username", hl_slice_str(ch->username)},
		{"password", ch->password},
		{"template", f->sms->template_id},
		{"mac", f->mac},
	};
	uint64_t n;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		*out_r = values[i].value;
		if (hl_slice_eq_str(name, values[i].name))
			return true;
	}
	if (hl_slice_eq_str(name, "attempt"))
		*out_r = hl_slice_str(hl_arena_printf(f->arena, "%" PRIu64, f->sms->attempt));
	else if (hl_slice_eq_str(name, "time"))
		*out_r = hl_slice_str(hl_arena_printf(f->arena, "%" PRId64, f->now_us / 1000000));
	else if (hl_slice_eq_str(name, "basic"))
		*out_r = hl_adapter_basic(f->arena, hl_slice_str(ch->username), ch->password);
	else if (name.len > 1 && name.ptr[0] == 'p' &&
		 hl_slice_u64((struct hl_slice){name.ptr + 1, name.len - 1}, &n) && n >= 1 && n <= f->sms->n_params)
		*out_r = f->sms->params[n - 1].value;
	else
		return false;
	return true;
}

static void add_json(struct hl_buf *out, struct hl_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '"' || s.ptr[i] == '\\')
			hl_buf_add_char(out, '\\');
		if ((unsigned char)s.ptr[i] < 0x20)
			hl_buf_printf(out, "\\u%04x", (unsigned char)s.ptr[i]);
		else
			hl_buf_add_char(out, s.ptr[i]);
	}
}

static void add_xml(struct hl_buf *out, struct hl_slice s)
{
	static const char *const names[] = {['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;"};

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c < sizeof(names) / sizeof(names[0]) && names[c])
			hl_buf_add_str(out, names[c]);
		else
			hl_buf_add_char(out, s.ptr[i]);
	}
}

static void add_escaped(struct hl_buf *out, const char *type, struct hl_slice s)
{
	if (!strcmp(type, "json"))
		add_json(out, s);
	else if (!strcmp(type, "form"))
		hl_url_encode(out, s);
	else if (!strcmp(type, "xml"))
		add_xml(out, s);
	else
		hl_buf_add(out, s);
}

/* A text with its ${...} filled in; HL_CONFIG names one that nobody knows. */
static enum hl_class fill(const struct filling *f, const char *text, const char *type, struct hl_buf *out,
			  struct hl_error *err)
{
	const char *at;

	while ((at = strstr(text, "${"))) {
		struct hl_slice name, rest, value;

		hl_buf_add(out, (struct hl_slice){text, (size_t)(at - text)});
		if (!hl_slice_cut(hl_slice_str(at + 2), '}', &name, &rest) || !value_of(f, name, &value))
			return hl_fail(err, HL_CONFIG, "nothing is known for ${%.*s}",
				       (int)(name.len < 30 ? name.len : 30), name.ptr);
		add_escaped(out, type, value);
		text = rest.ptr;
	}
	hl_buf_add_str(out, text);
	return hl_buf_failed(out) ? hl_fail(err, HL_LIMIT, "the filled text is too long") : HL_OK;
}

static enum hl_class make_mac(struct filling *f, struct hl_error *err)
{
	const char *kind = setting(f->ch, "mac_kind");
	struct hl_digest d;
	struct hl_buf text;
	enum hl_class cls;

	hl_buf_init(&text, TEXT_BYTES_MAX);
	cls = fill(f, setting(f->ch, "mac"), "text", &text, err);
	if (!strcmp(kind, "hmac-sha256"))
		d = hl_hmac("SHA256", f->ch->password, hl_buf_slice(&text));
	else
		d = hl_digest_of(!strcmp(kind, "md5") ? "MD5" : "SHA256", hl_buf_slice(&text));
	f->mac = hl_hex(f->arena, hl_digest_slice(&d));
	hl_buf_fini(&text);
	return cls;
}

/* "Name: value" lines. */
static enum hl_class make_headers(const struct filling *f, struct hl_http_header *headers, size_t *n_r,
				  struct hl_error *err)
{
	struct hl_slice rest = hl_slice_str(setting(f->ch, "headers")), line, name, value;
	enum hl_class cls = HL_OK;
	struct hl_buf text;

	for (*n_r = 0; rest.len && !cls;) {
		hl_slice_cut(rest, '\n', &line, &rest);
		if (!hl_slice_trim(line).len)
			continue;
		if (*n_r == HEADERS_MAX || !hl_slice_cut(line, ':', &name, &value))
			return hl_fail(err, HL_CONFIG, "headers: must be at most %d lines of \"Name: value\"",
				       HEADERS_MAX);
		hl_buf_init(&text, TEXT_BYTES_MAX);
		cls = fill(f, hl_arena_strdup(f->arena, hl_slice_trim(value)), "text", &text, err);
		headers[(*n_r)++] =
			(struct hl_http_header){hl_slice_trim(name), hl_arena_dup(f->arena, hl_buf_slice(&text))};
		hl_buf_fini(&text);
	}
	return cls;
}

static const char *content_type(const char *type)
{
	static const char *const types[][2] = {{"json", "application/json; charset=utf-8"},
					       {"form", "application/x-www-form-urlencoded"},
					       {"xml", "text/xml; charset=utf-8"}};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!strcmp(types[i][0], type))
			return types[i][1];
	}
	return "text/plain; charset=utf-8";
}

static enum hl_class build(const struct hl_channel *ch, const struct hl_outbound *sms, int64_t now_us,
			   struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	struct filling f = {.ch = ch, .sms = sms, .arena = arena, .now_us = now_us};
	struct hl_http_header headers[HEADERS_MAX + 1];
	const char *type = setting(ch, "body_type");
	struct hl_slice bytes;
	struct hl_buf body;
	size_t n = 0;
	enum hl_class cls;

	*out = (struct hl_request){0};
	hl_buf_init(&body, TEXT_BYTES_MAX);
	cls = make_mac(&f, err);
	if (!cls)
		cls = fill(&f, setting(ch, "body"), type, &body, err);
	if (!cls)
		cls = make_headers(&f, headers, &n, err);
	headers[n++] = (struct hl_http_header){HL_LIT("Content-Type"), hl_slice_str(content_type(type))};
	bytes = hl_slice_trim(hl_buf_slice(&body));
	if (!strcmp(setting(ch, "body_coding"), "base64"))
		bytes = hl_base64(arena, bytes);
	if (!cls)
		cls = hl_adapter_post(ch, arena, headers, n, bytes, out, err);
	hl_buf_fini(&body);
	return cls;
}

static void interpret(const struct hl_channel *ch, int status, struct hl_slice body,
		      const struct hl_http_header *headers, size_t n_headers, struct hl_arena *arena,
		      struct hl_answer *out)
{
	static const struct {
		const char *list;
		enum hl_outcome outcome;
	} lists[] = {{"later", HL_OUT_LATER}, {"config", HL_OUT_CONFIG}, {"refused", HL_OUT_REFUSED}};
	const char *path = setting(ch, "answer_path");
	json_t *doc = hl_json_answer(body);
	struct hl_slice word = path[0] ? hl_json_text(arena, doc, path) : hl_slice_trim(hl_adapter_detail(arena, body));
	struct hl_slice id = hl_json_text(arena, doc, setting(ch, "answer_id"));

	*out = (struct hl_answer){.outcome = HL_OUT_UNKNOWN, .detail = hl_adapter_code(arena, word, status)};
	if (status >= 200 && status < 300 && is_listed(setting(ch, "accepted"), word)) {
		out->outcome = HL_OUT_ACCEPTED;
		if (setting(ch, "answer_id")[0] && id.len <= HL_EXTERNAL_ID_BYTES_MAX)
			out->external_id = id;
	} else if (status < 500) {
		for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && out->outcome == HL_OUT_UNKNOWN; i++) {
			if (is_listed(setting(ch, lists[i].list), word))
				out->outcome = lists[i].outcome;
		}
		if (out->outcome == HL_OUT_UNKNOWN && status == 429)
			out->outcome = HL_OUT_LATER;
		if (out->outcome == HL_OUT_UNKNOWN && status >= 401 && status <= 405)
			out->outcome = HL_OUT_CONFIG;
	}
	if (out->outcome == HL_OUT_LATER)
		out->delay_us = hl_adapter_retry_after_us(headers, n_headers);
	json_decref(doc);
}

/* Tries the texts once with a made-up SMS, so that a typing error is told at start and not at the first notice. */
static enum hl_class check(const struct hl_channel *ch, const char **key_r, struct hl_error *err)
{
	static const struct hl_param p[PARAMS_MAX];
	const struct hl_outbound sms = {
		.attempt = 1, .to = HL_LIT("+1"), .text = HL_LIT("x"), .params = p, .n_params = PARAMS_MAX};
	struct hl_request req;
	struct hl_arena arena;
	enum hl_class cls;

	*key_r = "body";
	if (!ch->send_url[0])
		return HL_OK;
	hl_arena_init(&arena, 4 * TEXT_BYTES_MAX);
	cls = build(ch, &sms, 0, &arena, &req, err);
	hl_arena_fini(&arena);
	return cls ? HL_CONFIG : HL_OK;
}

static const char *const paths[] = {"", "/receipt", NULL};
static const struct hl_option options[] = {
	{"signature_header", "", NULL,
	 .help = "header that holds an HMAC of the body; without it the secret is in the URL"},
	{"signature_kind", "hmac-sha256-hex", "hmac-sha256-hex hmac-sha256-base64 hmac-sha1-hex hmac-sha1-base64",
	 .help = "how it is made and written"},
	{"in_list", "", NULL, .help = "path to the list of items in a JSON body; empty: the body itself"},
	{"in_id", "id", NULL, .help = "field or path of a text's id; `in_id = -`: none, it is derived with `in_time`"},
	{"in_from", "from", NULL, .help = "of the sender"},
	{"in_to", "to", NULL, .help = "of our number"},
	{"in_text", "text", NULL, .help = "of the text"},
	{"in_time", "time", NULL, .help = "of its time, where it has no id"},
	{"receipt_id", "id", NULL, .help = "of the id given when we sent"},
	{"receipt_attempt", "attempt", NULL, .help = "of our ${attempt}, where the provider echoes it"},
	{"receipt_status", "status", NULL, .help = "of what became of a text"},
	{"delivered", "delivered", NULL, .help = "words that mean so, comma between them"},
	{"undelivered", "undelivered", NULL, .help = "likewise"},
	{"rejected", "rejected", NULL, .help = "likewise"},
	{"buffered", "buffered", NULL, .help = "likewise"},
	{"ack", "", NULL, .help = "what the provider wants to read once we have it"},
	{"body", NULL, NULL, .is_file = true,
	 .help = "file with the request's body, holding ${to}, ${text} and the like"},
	{"body_type", "json", "json form xml text", .help = "how values are escaped in it, and its Content-Type"},
	{"body_coding", "plain", "plain base64", .help = "how the whole body is written"},
	{"headers", "", NULL, .is_file = true, .help = "file with further headers, one a line"},
	{"mac", "", NULL, .help = "text whose digest is ${mac}"},
	{"mac_kind", "md5", "md5 sha256 hmac-sha256", .help = "which digest; the key of an HMAC is the password"},
	{"answer_path", "", NULL, .help = "path of the word in a JSON answer; empty: the answer's first line"},
	{"answer_id", "", NULL, .help = "path of the id in it"},
	{"accepted", "", NULL, .help = "words that mean so, comma between them; * is any"},
	{"later", "", NULL, .help = "likewise"},
	{"refused", "", NULL, .help = "likewise"},
	{"config", "", NULL, .help = "likewise: our account or route is wrong"},
	{NULL},
};

extern const struct hl_provider hl_provider_http;
const struct hl_provider hl_provider_http = {
	.name = "http",
	.needs_secret = true,
	.has_path_token = true,
	.options = options,
	.paths = paths,
	.methods = "GET POST",
	.ack_type = "application/json",
	.check = check,
	.verify = verify,
	.parse = parse,
	.build = build,
	.interpret = interpret,
};
