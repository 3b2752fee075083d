/* aliyun.c - Aliyun SMS (dysmsapi 2017-05-25): approved templates out, replies and receipts in
 *
 *   inbound   POST /hook/NAME/SECRET          [{"phone_number","content","dest_code","sequence_id",...}]   SmsUp
 *   receipt   POST /hook/NAME/SECRET/receipt  [{"biz_id","out_id","success","err_code",...}]               SmsReport
 *   send      POST send_url?...  SendSms, signed ACS3-HMAC-SHA256; OutId is our attempt
 *   ask       POST send_url?...  QuerySendDetails
 *
 * Both pushes are arrays and may come to either path: each element tells what it is. Aliyun signs nothing, so the
 * secret stands in the path (or in the query), with the list of addresses in front of it. HTTP 200 does not mean
 * accepted. Parameters ride in the query, where the provider's own SDK puts them. Limits: replies have no number one
 * could text first; Aliyun gives out the dest_code. Source: help.aliyun.com 55284, 101346, 101347, 101847, 101867, API
 * QuerySendDetails (read 2026-11)
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "common.h"

#define QUERY_BYTES_MAX 16384
#define VERSION         "2017-05-25"
#define BEIJING_US      (INT64_C(8) * 3600 * 1000000)

static enum hl_verdict verify(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			      int64_t now_us)
{
	(void)subpath;
	(void)now_us;
	return hl_adapter_token(ch, req);
}

/* ---- what comes in --------------------------------------------------------- */

/* Carriers' words for a phone that is on a list of those who want nothing. */
static bool is_blacklist(struct hl_slice code)
{
	return hl_slice_find(code, HL_LIT("BLACK")) >= 0 || hl_slice_eq_str(code, "DB:0144");
}

static enum hl_receipt_state state_of(const json_t *item, struct hl_slice code)
{
	static const struct hl_state_word words[] = {
		{"DELIVERED", HL_RECEIPT_DELIVERED}, {"DELIVRD", HL_RECEIPT_DELIVERED},
		{"REJECTD", HL_RECEIPT_REJECTED},    {"REJECTED", HL_RECEIPT_REJECTED},
		{"UNDELIV", HL_RECEIPT_UNDELIVERED}, {"EXPIRED", HL_RECEIPT_UNDELIVERED},
		{"ACCEPTD", HL_RECEIPT_BUFFERED},    {NULL, HL_RECEIPT_OTHER},
	};
	/* Accounts outside the mainland: 1 done, 2 failed, 6 expired. */
	static const struct hl_state_word foreign[] = {
		{"1", HL_RECEIPT_DELIVERED},
		{"2", HL_RECEIPT_REJECTED},
		{"6", HL_RECEIPT_UNDELIVERED},
		{NULL, HL_RECEIPT_OTHER},
	};
	const json_t *success = json_object_get(item, "success"), *status = json_object_get(item, "Status");
	enum hl_receipt_state state = hl_adapter_state(words, code);

	if (status)
		return hl_adapter_state(foreign, hl_slice_str(json_string_value(status)));
	if (json_is_true(success))
		return HL_RECEIPT_DELIVERED;
	if (json_is_false(success) && state != HL_RECEIPT_REJECTED)
		return is_blacklist(code) ? HL_RECEIPT_REJECTED : HL_RECEIPT_UNDELIVERED;
	return state;
}

static enum hl_class read_receipt(struct hl_arena *arena, const json_t *item, struct hl_receipt *r,
				  struct hl_error *err)
{
	bool is_foreign = json_object_get(item, "MessageId") != NULL;
	struct hl_slice out_id = hl_json_text(arena, item, is_foreign ? "TaskId" : "out_id");
	struct hl_slice code = hl_json_text(arena, item, is_foreign ? "ErrorCode" : "err_code");

	if (!hl_adapter_attempt(out_id, &r->attempt))
		r->attempt = 0;
	r->state = state_of(item, code);
	r->status_text = hl_adapter_detail(arena, code);
	r->is_opted_out = is_blacklist(code);
	return hl_json_name(arena, item, is_foreign ? "MessageId" : "biz_id", HL_EXTERNAL_ID_BYTES_MAX, &r->external_id,
			    err);
}

static enum hl_class read_message(const struct hl_channel *ch, const struct hl_http_request *req, const json_t *item,
				  struct hl_inbound *m, struct hl_error *err)
{
	enum hl_class cls =
		hl_json_name(req->arena, item, "sequence_id", HL_EXTERNAL_ID_BYTES_MAX, &m->external_id, err);
	struct hl_slice to = hl_json_text(req->arena, item, "dest_code");

	if (!cls)
		cls = hl_json_name(req->arena, item, "phone_number", HL_PEER_PHONE_BYTES_MAX, &m->from, err);
	m->to = to.len && to.len <= HL_PEER_PHONE_BYTES_MAX ? to : ch->from;
	m->bytes = hl_json_text(req->arena, item, "content");
	m->charset = "UTF-8";
	if (hl_json_needs_decoding(req->body))
		m->raw = req->body;
	return cls;
}

static bool is_message(const json_t *item)
{
	return json_is_string(json_object_get(item, "content"));
}

static enum hl_class read_items(const struct hl_channel *ch, const struct hl_http_request *req, const json_t *list,
				struct hl_parsed *out, struct hl_error *err)
{
	size_t n_messages = 0, n = json_array_size(list), i;
	struct hl_inbound *m;
	struct hl_receipt *r;
	enum hl_class cls = HL_OK;
	const json_t *item;

	json_array_foreach (list, i, item)
		n_messages += is_message(item);
	m = hl_adapter_messages(req->arena, out, n_messages);
	r = hl_adapter_receipts(req->arena, out, n - n_messages);
	if (!m || !r)
		return HL_NOMEM;
	json_array_foreach (list, i, item) {
		cls = is_message(item) ? read_message(ch, req, item, m++, err)
				       : read_receipt(req->arena, item, r++, err);
		if (cls)
			return hl_error_prefix(err, "item %zu", i);
	}
	return HL_OK;
}

static enum hl_class parse(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			   struct hl_parsed *out, struct hl_error *err)
{
	enum hl_class cls;
	json_t *list;

	(void)subpath;
	*out = (struct hl_parsed){0};
	cls = hl_json_load(req, "array", &list, err);
	if (!cls && json_array_size(list) > HL_ITEMS_MAX)
		cls = hl_fail(err, HL_INPUT, "body: must hold at most %d items", HL_ITEMS_MAX);
	if (!cls)
		cls = read_items(ch, req, list, out, err);
	json_decref(list);
	return hl_arena_failed(req->arena) ? hl_fail(err, HL_NOMEM, "out of memory") : cls;
}

/* ---- what goes out --------------------------------------------------------- */

/* One call of an action with these parameters, which come sorted by name. */
static enum hl_class call(const struct hl_channel *ch, const char *action, const char *nonce, struct hl_slice query,
			  int64_t now_us, struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	struct hl_digest empty = hl_digest_of("SHA256", (struct hl_slice){0});
	struct hl_slice hash = hl_hex(arena, hl_digest_slice(&empty));
	struct hl_pair signed_headers[] = {
		{HL_LIT("host"), hl_adapter_host(ch->send_url)},
		{HL_LIT("x-acs-action"), hl_slice_str(action)},
		{HL_LIT("x-acs-content-sha256"), hash},
		{HL_LIT("x-acs-date"), hl_adapter_utc(arena, now_us)},
		{HL_LIT("x-acs-signature-nonce"), hl_slice_str(nonce)},
		{HL_LIT("x-acs-version"), HL_LIT(VERSION)},
	};
	struct hl_canonical c = {"POST", query, signed_headers, 6, hash};
	struct hl_http_header headers[6] = {
		{HL_LIT("Authorization"), hl_acs3_authorization(arena, &c, hl_slice_str(ch->username), ch->password)}};
	enum hl_class cls;

	for (size_t i = 1; i < 6; i++)
		headers[i] = (struct hl_http_header){signed_headers[i].key, signed_headers[i].value};
	cls = hl_adapter_post(ch, arena, headers, 6, (struct hl_slice){0}, out, err);
	if (!cls)
		out->url = hl_arena_printf(arena, "%s?%.*s", ch->send_url, HL_SLICE_ARG(query));
	return cls;
}

/* {"code":"9WNG8","place":"..."}, compact; NULL when a value is not valid UTF-8. */
static char *param_json(const struct hl_outbound *sms)
{
	json_t *doc = json_object();
	bool is_whole = doc != NULL;
	char *text;

	for (size_t i = 0; i < sms->n_params; i++) {
		const struct hl_param *p = &sms->params[i];

		is_whole &= json_object_setn_new(doc, p->name.ptr, p->name.len,
						 json_stringn(p->value.ptr ? p->value.ptr : "", p->value.len)) == 0;
	}
	text = is_whole ? json_dumps(doc, JSON_COMPACT) : NULL;
	json_decref(doc);
	return text;
}

static enum hl_class build(const struct hl_channel *ch, const struct hl_outbound *sms, int64_t now_us,
			   struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	const char *extend = hl_channel_setting(ch, "extend_code");
	const char *attempt = hl_arena_printf(arena, "%" PRIu64, sms->attempt);
	char *params = param_json(sms);
	struct hl_buf query;
	enum hl_class cls;

	*out = (struct hl_request){0};
	if (!params)
		return hl_fail(err, HL_BUG, "a template's parameter is not valid UTF-8");
	hl_buf_init(&query, QUERY_BYTES_MAX);
	hl_form_add(&query, "OutId", hl_slice_str(attempt));
	hl_form_add(&query, "PhoneNumbers", sms->to);
	hl_form_add(&query, "SignName", hl_slice_str(ch->signature));
	if (extend[0])
		hl_form_add(&query, "SmsUpExtendCode", hl_slice_str(extend));
	hl_form_add(&query, "TemplateCode", sms->template_id);
	if (sms->n_params)
		hl_form_add(&query, "TemplateParam", hl_slice_str(params));
	cls = hl_buf_failed(&query)
		      ? hl_fail(err, HL_LIMIT, "the template's parameters are too long")
		      : call(ch, "SendSms", hl_arena_printf(arena, "hotline-%s-%" PRId64, attempt, now_us),
			     hl_arena_dup(arena, hl_buf_slice(&query)), now_us, arena, out, err);
	hl_buf_fini(&query);
	free(params);
	return cls;
}

#define HOUR_S 3600
#define DAY_S  86400

static const struct hl_outcome_word codes[] = {
	{"isv.BUSINESS_LIMIT_CONTROL", HL_OUT_LATER, 60},
	{"isv.DAY_LIMIT_CONTROL", HL_OUT_LATER, DAY_S},
	{"isv.MONTH_LIMIT_CONTROL", HL_OUT_LATER, DAY_S},
	{"Throttling*", HL_OUT_LATER},
	{"isv.AMOUNT_NOT_ENOUGH", HL_OUT_CONFIG},
	{"isv.OUT_OF_SERVICE", HL_OUT_CONFIG},
	{"isv.ACCOUNT_*", HL_OUT_CONFIG},
	{"isv.PRODUCT_UN*", HL_OUT_CONFIG},
	{"isp.RAM_PERMISSION_DENY", HL_OUT_CONFIG},
	{"isv.SMS_SIGN*", HL_OUT_CONFIG},
	{"isv.SIGN_*", HL_OUT_CONFIG},
	{"isv.SMS_TEMPLATE_ILLEGAL", HL_OUT_CONFIG},
	{"isv.DENY_IP_RANGE", HL_OUT_CONFIG},
	{"isv.EXTEND_CODE_ERROR", HL_OUT_CONFIG},
	{"isv.DOMESTIC_NUMBER_NOT_SUPPORTED", HL_OUT_CONFIG},
	{"SignatureDoesNotMatch*", HL_OUT_CONFIG},
	{"IncompleteSignature*", HL_OUT_CONFIG},
	{"InvalidAccessKey*", HL_OUT_CONFIG},
	{"InvalidTimeStamp*", HL_OUT_CONFIG},
	{"InvalidVersion*", HL_OUT_CONFIG},
	{"Forbidden*", HL_OUT_CONFIG},
	{"NoPermission*", HL_OUT_CONFIG},
	{"SignatureNonceUsed*", HL_OUT_UNKNOWN}, /* our request reached them before */
	{"isv.*", HL_OUT_REFUSED},               /* about this text or this phone */
	{"Missing*", HL_OUT_REFUSED},
	{NULL},
};

/* "触发天级流控Permits:10" names the window; the limits roll, so its whole length is waited. */
static int64_t window_us(struct hl_slice message)
{
	if (hl_slice_find(message, HL_LIT("天级")) >= 0)
		return INT64_C(1000000) * DAY_S;
	if (hl_slice_find(message, HL_LIT("小时级")) >= 0)
		return INT64_C(1000000) * HOUR_S;
	return 0;
}

/* "Limit:1,Remain:0,TimeLeft:2000,Reset:1234": milliseconds. */
static int64_t time_left_us(struct hl_slice value)
{
	ptrdiff_t at = hl_slice_find(value, HL_LIT("TimeLeft:"));
	struct hl_slice rest, number;
	uint64_t ms;

	if (at < 0)
		return 0;
	rest = (struct hl_slice){value.ptr + at + 9, value.len - (size_t)at - 9};
	hl_slice_cut(rest, ',', &number, &rest);
	return hl_slice_u64(number, &ms) && ms < UINT64_C(1000) * DAY_S ? (int64_t)ms * 1000 : 0;
}

static int64_t longest(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void interpret(const struct hl_channel *ch, int status, struct hl_slice body,
		      const struct hl_http_header *headers, size_t n_headers, struct hl_arena *arena,
		      struct hl_answer *out)
{
	json_t *doc = hl_json_answer(body);
	struct hl_slice code = hl_json_text(arena, doc, "Code"), id = hl_json_text(arena, doc, "BizId");

	(void)ch;
	*out = (struct hl_answer){.outcome = HL_OUT_UNKNOWN, .detail = hl_adapter_code(arena, code, status)};
	if (status == 200 && hl_slice_eq_str(code, "OK") && id.len && id.len <= HL_EXTERNAL_ID_BYTES_MAX) {
		out->outcome = HL_OUT_ACCEPTED;
		out->external_id = id;
	} else if (status < 500 && code.len) {
		hl_adapter_outcome(codes, code, out);
	} else if (status == 429) {
		out->outcome = HL_OUT_LATER;
	}
	if (out->outcome == HL_OUT_LATER) {
		out->delay_us = longest(out->delay_us, window_us(hl_json_text(arena, doc, "Message")));
		out->delay_us =
			longest(out->delay_us, time_left_us(hl_adapter_header(headers, n_headers, "x-ratelimit-user")));
		out->delay_us = longest(out->delay_us,
					time_left_us(hl_adapter_header(headers, n_headers, "x-ratelimit-user-api")));
	}
	json_decref(doc);
}

/* ---- what became of it ----------------------------------------------------- */

static enum hl_class ask(const struct hl_channel *ch, const struct hl_doubt *doubt, int64_t now_us,
			 struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	struct hl_slice date = hl_adapter_utc_date(arena, doubt->sent_us + BEIJING_US);
	const char *query =
		hl_arena_printf(arena, "CurrentPage=1&PageSize=50&PhoneNumber=%s%.*s&SendDate=%.4s%.2s%.2s", "%2B",
				(int)(doubt->to.len ? doubt->to.len - 1 : 0), doubt->to.len ? doubt->to.ptr + 1 : "",
				date.ptr, date.ptr + 5, date.ptr + 8);

	return call(ch, "QuerySendDetails",
		    hl_arena_printf(arena, "hotline-ask-%" PRIu64 "-%" PRId64, doubt->attempt, now_us),
		    hl_slice_str(query), now_us, arena, out, err);
}

static void learn(const struct hl_channel *ch, const struct hl_doubt *doubt, int status, struct hl_slice body,
		  struct hl_arena *arena, struct hl_finding *out)
{
	static const struct hl_state_word words[] = {
		{"1", HL_RECEIPT_BUFFERED},
		{"2", HL_RECEIPT_UNDELIVERED},
		{"3", HL_RECEIPT_DELIVERED},
		{NULL, HL_RECEIPT_OTHER},
	};
	json_t *doc = hl_json_answer(body);
	const json_t *list = hl_json_at(doc, "SmsSendDetailDTOs.SmsSendDetailDTO"), *entry;
	bool is_ok = status == 200 && hl_slice_eq_str(hl_json_text(arena, doc, "Code"), "OK");
	size_t i;

	(void)ch;
	*out = (struct hl_finding){.found = HL_FOUND_NOTHING_YET,
				   .detail = hl_adapter_code(arena, hl_json_text(arena, doc, "Code"), status)};
	json_array_foreach (list, i, entry) {
		uint64_t attempt = 0;

		if (!is_ok || !hl_adapter_attempt(hl_json_text(arena, entry, "OutId"), &attempt) ||
		    attempt != doubt->attempt)
			continue;
		out->found = HL_FOUND_TAKEN;
		out->state = hl_adapter_state(words, hl_json_text(arena, entry, "SendStatus"));
		out->detail = hl_adapter_code(arena, hl_json_text(arena, entry, "ErrCode"), status);
	}
	if (is_ok && out->found == HL_FOUND_NOTHING_YET && json_array_size(list) < 50)
		out->found = HL_FOUND_ABSENT;
	json_decref(doc);
}

static enum hl_class check(const struct hl_channel *ch, const char **key_r, struct hl_error *err)
{
	*key_r = "signature";
	if (ch->send_url[0] && !ch->signature[0])
		return hl_fail(err, HL_CONFIG,
			       "must be given when the channel sends: the approved signature (SignName)");
	return HL_OK;
}

static const char *const paths[] = {"", "/receipt", NULL};
static const struct hl_option options[] = {
	{"extend_code", "", NULL, .help = "SmsUpExtendCode: digits behind our number, for replies"},
	{NULL},
};

extern const struct hl_provider hl_provider_aliyun;
const struct hl_provider hl_provider_aliyun = {
	.name = "aliyun",
	.needs_secret = true,
	.needs_login = true,
	.needs_template = true,
	.has_path_token = true,
	.options = options,
	.paths = paths,
	.methods = "POST",
	.ack_type = "application/json",
	.ack_body = "{\"code\":0,\"msg\":\"接收成功\"}",
	.check = check,
	.verify = verify,
	.parse = parse,
	.build = build,
	.interpret = interpret,
	.ask = ask,
	.learn = learn,
};
