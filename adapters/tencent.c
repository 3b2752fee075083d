/* tencent.c - Tencent Cloud SMS (SendSms 2021-01-11): approved templates out, replies and receipts in
 *
 *   inbound   POST /hook/NAME/SECRET          {"nationcode","mobile","text","time",...}                   an object
 *   receipt   POST /hook/NAME/SECRET/receipt  [{"sid","report_status","errmsg",...}]                      an array
 *   send      POST send_url, JSON, signed TC3-HMAC-SHA256; SessionContext is our attempt
 *   ask       POST send_url, PullSmsSendStatusByPhoneNumber
 *
 * Tencent signs nothing and numbers no reply: the secret stands in the path, and the id is derived from what was said
 * when. HTTP 200 does not mean accepted. Source: cloud.tencent.com 382/55981, 382/5807, 382/5809, 382/38780, 213/30654,
 * SDK error codes (read 2026-11)
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "common.h"

#define CONTENT_TYPE "application/json; charset=utf-8"
#define VERSION      "2021-01-11"

static enum hl_verdict verify(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			      int64_t now_us)
{
	(void)subpath;
	(void)now_us;
	return hl_adapter_token(ch, req);
}

/* ---- what comes in --------------------------------------------------------- */

static enum hl_class get_phone(struct hl_arena *arena, const json_t *doc, struct hl_slice *out_r, struct hl_error *err)
{
	struct hl_slice nation = hl_json_text(arena, doc, "nationcode"), mobile = hl_json_text(arena, doc, "mobile");
	const char *whole = nation.len && mobile.len && mobile.ptr[0] != '+'
				    ? hl_arena_printf(arena, "+%.*s%.*s", HL_SLICE_ARG(nation), HL_SLICE_ARG(mobile))
				    : hl_arena_strdup(arena, mobile);

	return hl_adapter_name(arena, "mobile", hl_slice_str(whole), HL_PEER_PHONE_BYTES_MAX, out_r, err);
}

static enum hl_class read_message(const struct hl_channel *ch, const struct hl_http_request *req, const json_t *doc,
				  struct hl_inbound *m, struct hl_error *err)
{
	struct hl_slice time = hl_json_text(req->arena, doc, "time"), extend = hl_json_text(req->arena, doc, "extend");
	enum hl_class cls = get_phone(req->arena, doc, &m->from, err);

	if (cls)
		return cls;
	if (!time.len)
		return hl_fail(err, HL_INPUT, "time: must be given, in seconds");
	if (!json_is_string(json_object_get(doc, "text")))
		return hl_fail(err, HL_INPUT, "text: must be a string");
	m->to = ch->from.len ? ch->from : extend;
	m->bytes = hl_json_text(req->arena, doc, "text");
	m->charset = "UTF-8";
	if (hl_json_needs_decoding(req->body))
		m->raw = req->body;
	m->external_id =
		hl_adapter_derive_id(req->arena, (const struct hl_slice[]){m->from, time, extend, m->bytes}, 4);
	return HL_OK;
}

static const struct hl_state_word states[] = {
	{"SUCCESS", HL_RECEIPT_DELIVERED},
	{"FAIL", HL_RECEIPT_UNDELIVERED},
	{NULL, HL_RECEIPT_OTHER},
};

static bool is_blacklist(struct hl_slice code)
{
	return hl_slice_find(code, HL_LIT("BLACK")) >= 0 || hl_slice_eq_str(code, "DB:0144");
}

static enum hl_class read_receipt(struct hl_arena *arena, const json_t *item, struct hl_receipt *r,
				  struct hl_error *err)
{
	struct hl_slice word = hl_json_text(arena, item, "report_status"), code = hl_json_text(arena, item, "errmsg");

	r->state = hl_adapter_state(states, word);
	if (r->state == HL_RECEIPT_UNDELIVERED && (hl_slice_has_prefix(code, "REJECT") || is_blacklist(code)))
		r->state = HL_RECEIPT_REJECTED;
	r->status_text = hl_adapter_detail(arena, code.len && r->state != HL_RECEIPT_OTHER ? code : word);
	r->is_opted_out = r->state == HL_RECEIPT_REJECTED && is_blacklist(code);
	return hl_json_name(arena, item, "sid", HL_EXTERNAL_ID_BYTES_MAX, &r->external_id, err);
}

static enum hl_class read_receipts(const struct hl_http_request *req, const json_t *list, struct hl_parsed *out,
				   struct hl_error *err)
{
	struct hl_receipt *r;
	const json_t *item;
	size_t i;

	if (json_array_size(list) > HL_ITEMS_MAX)
		return hl_fail(err, HL_INPUT, "body: must hold at most %d items", HL_ITEMS_MAX);
	r = hl_adapter_receipts(req->arena, out, json_array_size(list));
	if (!r)
		return HL_NOMEM;
	json_array_foreach (list, i, item) {
		if (read_receipt(req->arena, item, &r[i], err))
			return hl_error_prefix(err, "item %zu", i);
	}
	return HL_OK;
}

static enum hl_class parse(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			   struct hl_parsed *out, struct hl_error *err)
{
	enum hl_class cls;
	json_t *doc;

	(void)subpath;
	*out = (struct hl_parsed){0};
	cls = hl_json_load(req, "object or array", &doc, err);
	if (!cls && json_is_array(doc)) {
		cls = read_receipts(req, doc, out, err);
	} else if (!cls) {
		struct hl_inbound *m = hl_adapter_one_message(req->arena, out);

		cls = m ? read_message(ch, req, doc, m, err) : HL_NOMEM;
	}
	json_decref(doc);
	return hl_arena_failed(req->arena) ? hl_fail(err, HL_NOMEM, "out of memory") : cls;
}

/* ---- what goes out --------------------------------------------------------- */

static enum hl_class call(const struct hl_channel *ch, const char *action, json_t *doc, int64_t now_us,
			  struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	struct hl_digest d = hl_digest_of("SHA256", hl_slice_str(text));
	struct hl_pair signed_headers[] = {
		{HL_LIT("content-type"), HL_LIT(CONTENT_TYPE)},
		{HL_LIT("host"), hl_adapter_host(ch->send_url)},
	};
	struct hl_canonical c = {"POST", {0}, signed_headers, 2, hl_hex(arena, hl_digest_slice(&d))};
	struct hl_http_header headers[] = {
		{HL_LIT("Authorization"),
		 hl_tc3_authorization(arena, &c, hl_slice_str(ch->username), ch->password, "sms", now_us)},
		{HL_LIT("Content-Type"), HL_LIT(CONTENT_TYPE)},
		{HL_LIT("X-TC-Action"), hl_slice_str(action)},
		{HL_LIT("X-TC-Version"), HL_LIT(VERSION)},
		{HL_LIT("X-TC-Timestamp"), hl_slice_str(hl_arena_printf(arena, "%" PRId64, now_us / 1000000))},
		{HL_LIT("X-TC-Region"), hl_slice_str(hl_channel_setting(ch, "region"))},
	};
	enum hl_class cls;

	*out = (struct hl_request){0};
	json_decref(doc);
	if (!text)
		return hl_fail(err, HL_BUG, "a template's parameter or a setting is not valid UTF-8");
	cls = hl_adapter_post(ch, arena, headers, sizeof(headers) / sizeof(headers[0]), hl_slice_str(text), out, err);
	free(text);
	return cls;
}

static enum hl_class build(const struct hl_channel *ch, const struct hl_outbound *sms, int64_t now_us,
			   struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	json_t *params = json_array(), *doc;
	const char *attempt = hl_arena_printf(arena, "%" PRIu64, sms->attempt);

	for (size_t i = 0; i < sms->n_params; i++) {
		struct hl_slice value = sms->params[i].value;

		json_array_append_new(params, json_stringn(value.ptr ? value.ptr : "", value.len));
	}
	if (json_array_size(params) != sms->n_params) {
		json_decref(params);
		params = NULL; /* makes the document fail as a whole */
	}
	doc = json_pack("{s:[s%], s:s, s:s, s:s%, s:o, s:s}", "PhoneNumberSet", sms->to.ptr, sms->to.len, "SmsSdkAppId",
			hl_channel_setting(ch, "app_id"), "SignName", ch->signature, "TemplateId", sms->template_id.ptr,
			sms->template_id.len, "TemplateParamSet", params, "SessionContext", attempt);
	return call(ch, "SendSms", doc, now_us, arena, out, err);
}

#define HOUR_S 3600
#define DAY_S  86400

static const struct hl_outcome_word codes[] = {
	{"RequestLimitExceeded*", HL_OUT_LATER},
	{"LimitExceeded.DeliveryFrequencyLimit", HL_OUT_LATER},
	{"LimitExceeded.PhoneNumberThirtySecondLimit", HL_OUT_LATER, 30},
	{"LimitExceeded.PhoneNumberOneHourLimit", HL_OUT_LATER, HOUR_S},
	{"LimitExceeded.*", HL_OUT_LATER, DAY_S}, /* limits of a day: of the phone, the content, the account */
	{"FailedOperation.MarketingSendTimeConstraint", HL_OUT_LATER, HOUR_S},
	{"FailedOperation.PhoneNumberInBlacklist", HL_OUT_REFUSED, .is_opted_out = true},
	{"FailedOperation.ContainSensitiveWord", HL_OUT_REFUSED},
	{"FailedOperation.TemplateParamSetNotMatchApprovedTemplate", HL_OUT_REFUSED},
	{"FailedOperation.InsufficientBalanceInSmsPackage", HL_OUT_CONFIG},
	{"FailedOperation.SignatureIncorrectOrUnapproved", HL_OUT_CONFIG},
	{"FailedOperation.Template*", HL_OUT_CONFIG},
	{"UnauthorizedOperation*", HL_OUT_CONFIG},
	{"AuthFailure*", HL_OUT_CONFIG},
	{"InvalidParameterValue.SdkAppIdNotExist", HL_OUT_CONFIG},
	{"InvalidParameterValue*", HL_OUT_REFUSED},
	{"InvalidParameter*", HL_OUT_REFUSED},
	{"MissingParameter*", HL_OUT_REFUSED},
	{"UnsupportedOperation*", HL_OUT_REFUSED},
	{"UnsupportedRegion*", HL_OUT_CONFIG},
	{"InvalidAction*", HL_OUT_CONFIG},
	{NULL},
};

static void interpret(const struct hl_channel *ch, int status, struct hl_slice body,
		      const struct hl_http_header *headers, size_t n_headers, struct hl_arena *arena,
		      struct hl_answer *out)
{
	json_t *doc = hl_json_answer(body);
	bool is_whole_failure = hl_json_at(doc, "Response.Error") != NULL;
	struct hl_slice code =
		hl_json_text(arena, doc, is_whole_failure ? "Response.Error.Code" : "Response.SendStatusSet.0.Code");
	struct hl_slice id = hl_json_text(arena, doc, "Response.SendStatusSet.0.SerialNo");

	(void)ch;
	*out = (struct hl_answer){.outcome = HL_OUT_UNKNOWN, .detail = hl_adapter_code(arena, code, status)};
	if (status == 200 && hl_slice_eq_str(code, "Ok") && id.len && id.len <= HL_EXTERNAL_ID_BYTES_MAX) {
		out->outcome = HL_OUT_ACCEPTED;
		out->external_id = id;
	} else if (status < 500 && code.len) {
		hl_adapter_outcome(codes, code, out);
	} else if (status == 429) {
		out->outcome = HL_OUT_LATER;
	}
	if (out->outcome == HL_OUT_LATER && !out->delay_us)
		out->delay_us = hl_adapter_retry_after_us(headers, n_headers);
	json_decref(doc);
}

/* ---- what became of it ----------------------------------------------------- */

static enum hl_class ask(const struct hl_channel *ch, const struct hl_doubt *doubt, int64_t now_us,
			 struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	json_t *doc =
		json_pack("{s:I, s:I, s:i, s:i, s:s%, s:s}", "BeginTime", (json_int_t)(doubt->sent_us / 1000000 - 60),
			  "EndTime", (json_int_t)(now_us / 1000000), "Offset", 0, "Limit", 100, "PhoneNumber",
			  doubt->to.ptr, doubt->to.len, "SmsSdkAppId", hl_channel_setting(ch, "app_id"));

	return call(ch, "PullSmsSendStatusByPhoneNumber", doc, now_us, arena, out, err);
}

/* The list holds texts whose receipt is there, so that one that is missing proves nothing. */
static void learn(const struct hl_channel *ch, const struct hl_doubt *doubt, int status, struct hl_slice body,
		  struct hl_arena *arena, struct hl_finding *out)
{
	json_t *doc = hl_json_answer(body);
	const json_t *list = hl_json_at(doc, "Response.PullSmsSendStatusSet"), *entry;
	size_t i;

	(void)ch;
	*out = (struct hl_finding){.found = HL_FOUND_NOTHING_YET, .detail = hl_adapter_status_detail(arena, status)};
	json_array_foreach (list, i, entry) {
		struct hl_slice sid = hl_json_text(arena, entry, "SerialNo");
		uint64_t attempt = 0;
		bool is_it = hl_adapter_attempt(hl_json_text(arena, entry, "SessionContext"), &attempt) &&
			     attempt == doubt->attempt;

		if (!is_it && (!doubt->external_id.len || !hl_slice_eq(sid, doubt->external_id)))
			continue;
		out->found = HL_FOUND_TAKEN;
		out->state = hl_adapter_state(states, hl_json_text(arena, entry, "ReportStatus"));
		out->external_id = sid;
	}
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
	{"app_id", NULL, NULL, .help = "SmsSdkAppId"},
	{"region", "ap-guangzhou", NULL, .help = "region of the API"},
	{NULL},
};

extern const struct hl_provider hl_provider_tencent;
const struct hl_provider hl_provider_tencent = {
	.name = "tencent",
	.needs_secret = true,
	.needs_login = true,
	.needs_template = true,
	.has_path_token = true,
	.options = options,
	.paths = paths,
	.methods = "POST",
	.ack_type = "application/json",
	.ack_body = "{\"result\":0,\"errmsg\":\"OK\"}",
	.check = check,
	.verify = verify,
	.parse = parse,
	.build = build,
	.interpret = interpret,
	.ask = ask,
	.learn = learn,
};
