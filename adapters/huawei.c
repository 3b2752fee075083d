/* huawei.c - Huawei Cloud Message & SMS (MSGSMS): approved templates out, replies and receipts in
 *
 *   inbound   POST /hook/NAME/SECRET          a form: from, to, body, smsMsgId
 *   receipt   POST /hook/NAME/SECRET/receipt  a form: smsMsgId, status, sequence, total, extend (our attempt)
 *   send      POST send_url (.../sms/batchSendSms/v1), a form; extend is our attempt; login by WSSE, or signed with a
 *             "special AK/SK" (SDK-HMAC-SHA256) when `auth = aksk`
 *
 * Huawei signs nothing by default: the secret stands in the path. Each part of a long text has a receipt of its own.
 * Limits: closed to new customers since 2025-01; the callback's URL is the one entered in the console.
 * Source: huaweicloud.com X-WSSE page, api-msgsms sms_05_0004, sms_05_0051, sms_faq_0003 (read 2026-11)
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "common.h"

#define BODY_BYTES_MAX 16384
#define FORM_TYPE      "application/x-www-form-urlencoded"

static enum hl_verdict verify(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			      int64_t now_us)
{
	(void)subpath;
	(void)now_us;
	return hl_adapter_token(ch, req);
}

static bool is_blacklist(struct hl_slice word)
{
	return hl_slice_find(word, HL_LIT("BLACK")) >= 0;
}

static enum hl_class parse_receipt(struct hl_arena *arena, const struct hl_pair *pairs, size_t n, struct hl_receipt *r,
				   struct hl_error *err)
{
	static const struct hl_state_word states[] = {
		{"DELIVRD", HL_RECEIPT_DELIVERED},
		{"ACCEPTD", HL_RECEIPT_BUFFERED},
		{"EXPIRED", HL_RECEIPT_UNDELIVERED},
		{"UNDELIV", HL_RECEIPT_UNDELIVERED},
		{"DELETED", HL_RECEIPT_UNDELIVERED},
		{"UNKNOWN", HL_RECEIPT_UNDELIVERED},
		{"REJECTD", HL_RECEIPT_REJECTED},
		{"KEYWORD", HL_RECEIPT_REJECTED},
		{"MILIMIT", HL_RECEIPT_REJECTED},
		{"LIMIT", HL_RECEIPT_REJECTED},
		{"BEYONDN", HL_RECEIPT_REJECTED},
		{"CTLIMIT", HL_RECEIPT_REJECTED},
		{NULL, HL_RECEIPT_OTHER},
	};
	struct hl_slice word = hl_pairs_get(pairs, n, "status");

	if (!word.len)
		return hl_fail(err, HL_INPUT, "status: must be given");
	if (!hl_adapter_attempt(hl_pairs_get(pairs, n, "extend"), &r->attempt))
		r->attempt = 0;
	r->is_opted_out = is_blacklist(word);
	r->state = r->is_opted_out ? HL_RECEIPT_REJECTED : hl_adapter_state(states, word);
	r->status_text = hl_adapter_detail(arena, word);
	return hl_adapter_name(arena, "smsMsgId", hl_pairs_get(pairs, n, "smsMsgId"), HL_EXTERNAL_ID_BYTES_MAX,
			       &r->external_id, err);
}

static enum hl_class parse_message(struct hl_arena *arena, const struct hl_pair *pairs, size_t n, struct hl_inbound *m,
				   struct hl_error *err)
{
	enum hl_class cls = hl_adapter_name(arena, "smsMsgId", hl_pairs_get(pairs, n, "smsMsgId"),
					    HL_EXTERNAL_ID_BYTES_MAX, &m->external_id, err);

	if (!cls)
		cls = hl_adapter_name(arena, "from", hl_pairs_get(pairs, n, "from"), HL_PEER_PHONE_BYTES_MAX, &m->from,
				      err);
	if (!cls)
		cls = hl_adapter_name(arena, "to", hl_pairs_get(pairs, n, "to"), HL_PEER_PHONE_BYTES_MAX, &m->to, err);
	if (!cls && !hl_pairs_get(pairs, n, "body").ptr)
		cls = hl_fail(err, HL_INPUT, "body: must be given");
	m->bytes = hl_pairs_get(pairs, n, "body");
	m->charset = "UTF-8"; /* whatever the container's default says */
	return cls;
}

static enum hl_class parse(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			   struct hl_parsed *out, struct hl_error *err)
{
	struct hl_pair *pairs;
	enum hl_class cls;
	size_t n;

	(void)ch;
	*out = (struct hl_parsed){0};
	if (!hl_form_pairs(req->arena, req->body, &pairs, &n))
		return hl_fail(err, HL_INPUT, "body: must be a form of at most %d fields", HL_FORM_PAIRS_MAX);
	if (hl_slice_eq_str(subpath, "/receipt") || hl_pairs_get(pairs, n, "status").len) {
		struct hl_receipt *r = hl_adapter_one_receipt(req->arena, out);

		cls = r ? parse_receipt(req->arena, pairs, n, r, err) : HL_NOMEM;
	} else {
		struct hl_inbound *m = hl_adapter_one_message(req->arena, out);

		cls = m ? parse_message(req->arena, pairs, n, m, err) : HL_NOMEM;
	}
	return hl_arena_failed(req->arena) ? hl_fail(err, HL_NOMEM, "out of memory") : cls;
}

/* ---- what goes out --------------------------------------------------------- */

static struct hl_slice wsse(const struct hl_channel *ch, const struct hl_outbound *sms, int64_t now_us,
			    struct hl_arena *arena)
{
	struct hl_slice created = hl_adapter_utc(arena, now_us), digest;
	const char *nonce = hl_arena_printf(arena, "hotline%" PRIu64 "x%" PRId64, sms->attempt, now_us);

	digest = hl_wsse_digest(arena, hl_slice_str(nonce), created, ch->password);
	return hl_slice_str(hl_arena_printf(
		arena, "UsernameToken Username=\"%s\",PasswordDigest=\"%.*s\",Nonce=\"%s\",Created=\"%.*s\"",
		ch->username, HL_SLICE_ARG(digest), nonce, HL_SLICE_ARG(created)));
}

/* As the header Host has it: without the port that goes without saying. */
static struct hl_slice host_of(const char *url)
{
	struct hl_slice host = hl_adapter_host(url), name, port;

	return hl_slice_cut(host, ':', &name, &port) && hl_slice_eq_str(port, "443") ? name : host;
}

/* The path of the URL, ended by the slash that the signature wants. */
static const char *path_of(const char *url, struct hl_arena *arena)
{
	struct hl_slice host = hl_adapter_host(url), path = {host.ptr + host.len, strcspn(host.ptr + host.len, "?")};
	bool is_ended = path.len && path.ptr[path.len - 1] == '/';

	return hl_arena_printf(arena, "%.*s%s", HL_SLICE_ARG(path), is_ended ? "" : "/");
}

static struct hl_slice aksk(const struct hl_channel *ch, struct hl_slice date, struct hl_slice body,
			    struct hl_arena *arena)
{
	const struct hl_pair signed_headers[] = {
		{HL_LIT("content-type"), HL_LIT(FORM_TYPE)},
		{HL_LIT("host"), host_of(ch->send_url)},
		{HL_LIT("x-sdk-date"), date},
	};
	struct hl_digest hash = hl_digest_of("SHA256", body);
	struct hl_canonical c = {"POST", .headers = signed_headers, .n_headers = 3,
				 .body_hash = hl_hex(arena, hl_digest_slice(&hash)),
				 .path = path_of(ch->send_url, arena)};

	return hl_sdk_authorization(arena, &c, hl_slice_str(ch->username), ch->password, date);
}

static enum hl_class post(const struct hl_channel *ch, const struct hl_outbound *sms, int64_t now_us,
			  struct hl_slice body, struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	bool is_aksk = !strcmp(hl_channel_setting(ch, "auth"), "aksk");
	struct hl_slice date = hl_adapter_utc_basic(arena, now_us);
	const struct hl_http_header headers[] = {
		{HL_LIT("Authorization"),
		 is_aksk ? aksk(ch, date, body, arena)
			 : HL_LIT("WSSE realm=\"SDP\",profile=\"UsernameToken\",type=\"Appkey\"")},
		{is_aksk ? HL_LIT("X-Sdk-Date") : HL_LIT("X-WSSE"), is_aksk ? date : wsse(ch, sms, now_us, arena)},
		{HL_LIT("Content-Type"), HL_LIT(FORM_TYPE)},
	};

	return hl_adapter_post(ch, arena, headers, 3, body, out, err);
}

static char *param_list(const struct hl_outbound *sms)
{
	json_t *list = json_array();
	char *text;

	for (size_t i = 0; i < sms->n_params; i++) {
		struct hl_slice value = sms->params[i].value;

		json_array_append_new(list, json_stringn(value.ptr ? value.ptr : "", value.len));
	}
	text = json_array_size(list) == sms->n_params ? json_dumps(list, JSON_COMPACT) : NULL;
	json_decref(list);
	return text;
}

static enum hl_class build(const struct hl_channel *ch, const struct hl_outbound *sms, int64_t now_us,
			   struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	char *params = param_list(sms);
	struct hl_buf body;
	enum hl_class cls;

	*out = (struct hl_request){0};
	if (!params)
		return hl_fail(err, HL_BUG, "a template's parameter is not valid UTF-8");
	hl_buf_init(&body, BODY_BYTES_MAX);
	hl_form_add(&body, "from", ch->from);
	hl_form_add(&body, "to", sms->to);
	hl_form_add(&body, "templateId", sms->template_id);
	if (sms->n_params)
		hl_form_add(&body, "templateParas", hl_slice_str(params));
	if (!strcmp(hl_channel_setting(ch, "generic_template"), "yes"))
		hl_form_add(&body, "signature", hl_slice_str(ch->signature));
	hl_form_add(&body, "extend", hl_slice_str(hl_arena_printf(arena, "%" PRIu64, sms->attempt)));
	cls = hl_buf_failed(&body) ? hl_fail(err, HL_LIMIT, "the template's parameters are too long")
				   : post(ch, sms, now_us, hl_buf_slice(&body), arena, out, err);
	hl_buf_fini(&body);
	free(params);
	return cls;
}

/* Codes of the call and of the number. */
static const struct hl_outcome_word codes[] = {
	{"E000503", HL_OUT_LATER},     {"E000620", HL_OUT_LATER},
	{"E200037", HL_OUT_LATER, 60}, {"E0001*", HL_OUT_CONFIG}, /* login, key, signature of the call */
	{"E0005*", HL_OUT_CONFIG},     {"E0006*", HL_OUT_CONFIG},
	{"E2000*", HL_OUT_REFUSED},    {NULL},
};

static void interpret(const struct hl_channel *ch, int status, struct hl_slice body,
		      const struct hl_http_header *headers, size_t n_headers, struct hl_arena *arena,
		      struct hl_answer *out)
{
	json_t *doc = hl_json_answer(body);
	struct hl_slice code = hl_json_text(arena, doc, "code"), one = hl_json_text(arena, doc, "result.0.status");
	struct hl_slice id = hl_json_text(arena, doc, "result.0.smsMsgId");

	(void)ch;
	if (one.len) /* what became of our number says more than the sum */
		code = one;
	*out = (struct hl_answer){.outcome = HL_OUT_UNKNOWN, .detail = hl_adapter_code(arena, code, status)};
	if (status == 200 && hl_slice_eq_str(code, "000000") && id.len && id.len <= HL_EXTERNAL_ID_BYTES_MAX) {
		out->outcome = HL_OUT_ACCEPTED;
		out->external_id = id;
	} else if (status < 500 && code.len) {
		hl_adapter_outcome(codes, code, out);
	} else if (status == 429) {
		out->outcome = HL_OUT_LATER;
	} else if (status >= 401 && status <= 405) {
		out->outcome = HL_OUT_CONFIG;
	}
	if (out->outcome == HL_OUT_LATER && !out->delay_us)
		out->delay_us = hl_adapter_retry_after_us(headers, n_headers);
	json_decref(doc);
}

static const char *const paths[] = {"", "/receipt", NULL};
static const struct hl_option options[] = {
	{"auth", "wsse", "wsse aksk", .help = "how our requests are signed; aksk: username is the access key"},
	{"generic_template", "no", "no yes",
	 .help = "whether the templates are generic ones, which are given the signature"},
	{NULL},
};

extern const struct hl_provider hl_provider_huawei;
const struct hl_provider hl_provider_huawei = {
	.name = "huawei",
	.needs_secret = true,
	.needs_login = true,
	.needs_template = true,
	.has_path_token = true,
	.options = options,
	.paths = paths,
	.methods = "POST",
	.ack_type = "text/plain",
	.ack_body = "",
	.verify = verify,
	.parse = parse,
	.build = build,
	.interpret = interpret,
};
