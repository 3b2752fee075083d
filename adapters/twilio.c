/* twilio.c - Twilio's Programmable Messaging, and SignalWire, which speaks the same API
 *
 *   inbound   POST (or GET) /hook/NAME, a form                        -> TwiML without a verb: nothing is texted back
 *   receipt   POST /hook/NAME/receipt?n=<attempt>, a form (our StatusCallback)
 *   send      POST send_url (.../Accounts/SID/Messages.json), a form, Basic login
 *   ask       GET Messages.json?To=&DateSent>=...: what became of an attempt nobody answered
 *
 * Signatures: common_twilio.c; Twilio signs no time: a replay is found by its MessageSid, not there.
 * Source: twilio-oai v2010 (read 2026-11)
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "common.h"

#define BODY_BYTES_MAX 16384
#define MEDIA_MAX      10

static bool is_signalwire(const struct hl_channel *ch)
{
	return !strcmp(hl_channel_setting(ch, "scheme"), "signalwire");
}

static enum hl_verdict verify(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			      int64_t now_us)
{
	(void)subpath;
	(void)now_us;
	return hl_twilio_verdict(ch, req, is_signalwire(ch));
}

/* ---- what comes in --------------------------------------------------------- */

static const struct hl_state_word states[] = {
	{"accepted", HL_RECEIPT_BUFFERED},       {"scheduled", HL_RECEIPT_BUFFERED},
	{"queued", HL_RECEIPT_BUFFERED},         {"sending", HL_RECEIPT_BUFFERED},
	{"sent", HL_RECEIPT_BUFFERED}, /* left Twilio: not the end */
	{"delivered", HL_RECEIPT_DELIVERED},     {"read", HL_RECEIPT_DELIVERED},
	{"undelivered", HL_RECEIPT_UNDELIVERED}, {"failed", HL_RECEIPT_REJECTED},
	{"canceled", HL_RECEIPT_REJECTED},       {NULL, HL_RECEIPT_OTHER},
};

#define OPTED_OUT "21610"

struct form {
	const struct hl_http_request *req;
	struct hl_pair *pairs;
	size_t n_pairs;
};

static struct hl_slice get(const struct form *f, const char *key)
{
	return hl_pairs_get(f->pairs, f->n_pairs, key);
}

static enum hl_class parse_receipt(const struct form *f, struct hl_parsed *out, struct hl_error *err)
{
	struct hl_slice sid = get(f, "MessageSid"), status = get(f, "MessageStatus"), code = get(f, "ErrorCode"), n;
	struct hl_receipt *r;

	if (!status.len)
		status = get(f, "SmsStatus");
	/* Twilio's own monitors call with nothing to tell. */
	if (!sid.len && !status.len)
		return HL_OK;
	r = hl_adapter_one_receipt(f->req->arena, out);
	if (!r)
		return HL_NOMEM;
	if (hl_form_get(f->req->arena, f->req->query, "n", &n) && !hl_adapter_attempt(n, &r->attempt))
		return hl_fail(err, HL_INPUT, "n: must be the number of an attempt");
	if (!status.len)
		return hl_fail(err, HL_INPUT, "MessageStatus: must be given");
	r->state = hl_adapter_state(states, status);
	r->status_text = hl_adapter_detail(f->req->arena, status);
	if (code.len && hl_adapter_code(f->req->arena, code, 0).len)
		r->status_text = hl_slice_str(hl_arena_printf(f->req->arena, "%.*s %.*s", HL_SLICE_ARG(r->status_text),
							      HL_SLICE_ARG(hl_adapter_detail(f->req->arena, code))));
	r->is_opted_out = hl_slice_eq_str(code, OPTED_OUT);
	return hl_adapter_name(f->req->arena, "MessageSid", sid, HL_EXTERNAL_ID_BYTES_MAX, &r->external_id, err);
}

static void add_media(const struct form *f, struct hl_inbound *m)
{
	struct hl_media_ref *list = hl_arena_array(f->req->arena, MEDIA_MAX, sizeof(*list));

	for (size_t i = 0; list && i < MEDIA_MAX; i++) {
		struct hl_slice url = get(f, hl_arena_printf(f->req->arena, "MediaUrl%zu", i));

		if (!url.len)
			break;
		list[m->n_media++] =
			(struct hl_media_ref){url, get(f, hl_arena_printf(f->req->arena, "MediaContentType%zu", i))};
	}
	m->media = list;
}

static enum hl_class parse_message(const struct form *f, struct hl_parsed *out, struct hl_error *err)
{
	struct hl_inbound *m = hl_adapter_one_message(f->req->arena, out);
	struct hl_slice sid = get(f, "MessageSid");
	enum hl_class cls;

	if (!m)
		return HL_NOMEM;
	cls = hl_adapter_name(f->req->arena, "MessageSid", sid.len ? sid : get(f, "SmsSid"), HL_EXTERNAL_ID_BYTES_MAX,
			      &m->external_id, err);
	if (!cls)
		cls = hl_adapter_name(f->req->arena, "From", get(f, "From"), HL_PEER_PHONE_BYTES_MAX, &m->from, err);
	if (!cls)
		cls = hl_adapter_name(f->req->arena, "To", get(f, "To"), HL_PEER_PHONE_BYTES_MAX, &m->to, err);
	m->bytes = get(f, "Body"); /* a picture may come without a text */
	m->charset = "UTF-8";
	add_media(f, m);
	return cls;
}

/* A callback may have been set to the messages' URL: what it says decides. */
static bool is_receipt(const struct form *f, struct hl_slice subpath)
{
	struct hl_slice status = get(f, "MessageStatus");

	return hl_slice_eq_str(subpath, "/receipt") || (status.len && !hl_slice_eq_str(status, "received"));
}

static enum hl_class parse(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			   struct hl_parsed *out, struct hl_error *err)
{
	bool is_get = hl_slice_eq_str(req->method, "GET");
	struct form f = {.req = req};
	enum hl_class cls;

	(void)ch;
	*out = (struct hl_parsed){0};
	if (!hl_adapter_is_form(req) || !hl_form_pairs(req->arena, is_get ? req->query : req->body, &f.pairs, &f.n_pairs))
		return hl_fail(err, HL_INPUT, "body: must be a form of at most %d fields", HL_FORM_PAIRS_MAX);
	cls = is_receipt(&f, subpath) ? parse_receipt(&f, out, err) : parse_message(&f, out, err);
	return hl_arena_failed(req->arena) ? hl_fail(err, HL_NOMEM, "out of memory") : cls;
}

/* ---- what goes out --------------------------------------------------------- */

/* SID of the account: the login, or what stands in the URL (.../Accounts/SID/Messages.json). */
static struct hl_slice account(const struct hl_channel *ch)
{
	const char *at = strstr(ch->send_url, "/Accounts/");
	struct hl_slice sid, rest;

	if (ch->username[0] || !at)
		return hl_slice_str(ch->username);
	hl_slice_cut(hl_slice_str(at + strlen("/Accounts/")), '/', &sid, &rest);
	return sid;
}

/* Twilio signs with the auth token that is also the password; SignalWire has two. */
static struct hl_slice token(const struct hl_channel *ch)
{
	return ch->password.len || !ch->n_secrets ? ch->password : ch->secrets[0].value;
}

static enum hl_class check(const struct hl_channel *ch, const char **key_r, struct hl_error *err)
{
	if (!ch->send_url[0])
		return HL_OK;
	*key_r = "username";
	if (!account(ch).len)
		return hl_fail(err, HL_CONFIG, "must be given: send_url names no account (.../Accounts/SID/...)");
	*key_r = "password_file";
	if (is_signalwire(ch) && !ch->password.len)
		return hl_fail(err, HL_CONFIG, "must be given: the signing key is not the API token");
	return HL_OK;
}

static enum hl_class build(const struct hl_channel *ch, const struct hl_outbound *sms, int64_t now_us,
			   struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	const struct hl_http_header headers[] = {
		{HL_LIT("Authorization"), hl_adapter_basic(arena, account(ch), token(ch))},
		{HL_LIT("Content-Type"), HL_LIT("application/x-www-form-urlencoded")},
	};
	const char *service = hl_channel_setting(ch, "messaging_service");
	struct hl_buf body;
	enum hl_class cls;

	(void)now_us;
	hl_buf_init(&body, BODY_BYTES_MAX);
	hl_form_add(&body, "To", sms->to);
	if (service[0])
		hl_form_add(&body, "MessagingServiceSid", hl_slice_str(service));
	else
		hl_form_add(&body, "From", ch->from);
	hl_form_add(&body, "Body", sms->text);
	hl_form_add(&body, "StatusCallback", hl_adapter_receipt_url(ch, sms->attempt, arena));
	*out = (struct hl_request){0};
	cls = hl_buf_failed(&body) ? hl_fail(err, HL_LIMIT, "the text is too long")
				   : hl_adapter_post(ch, arena, headers, 2, hl_buf_slice(&body), out, err);
	hl_buf_fini(&body);
	return cls;
}

/* Codes of a refusal; what is in no row is refused for good, as the specification says of unknown ones. */
static const struct hl_outcome_word codes[] = {
	{"20429", HL_OUT_LATER},
	{"63018", HL_OUT_LATER},
	{"14107", HL_OUT_LATER},
	{"20003", HL_OUT_CONFIG},
	{"20404", HL_OUT_CONFIG},
	{"21408", HL_OUT_CONFIG},
	{"21603", HL_OUT_CONFIG},
	{"21606", HL_OUT_CONFIG},
	{"21609", HL_OUT_CONFIG},
	{"21701", HL_OUT_CONFIG},
	{"21703", HL_OUT_CONFIG},
	{OPTED_OUT, HL_OUT_REFUSED, .is_opted_out = true},
	{NULL},
};

static void interpret_refusal(int status, struct hl_slice code, struct hl_answer *out)
{
	if (hl_adapter_outcome(codes, code, out))
		return;
	if (status == 429)
		out->outcome = HL_OUT_LATER;
	else if (status == 401 || status == 403 || status == 404 || status == 405)
		out->outcome = HL_OUT_CONFIG;
	else if (status >= 400 && status < 500 && code.len)
		out->outcome = HL_OUT_REFUSED;
}

static void interpret(const struct hl_channel *ch, int status, struct hl_slice body,
		      const struct hl_http_header *headers, size_t n_headers, struct hl_arena *arena,
		      struct hl_answer *out)
{
	json_t *doc = hl_json_answer(body);
	struct hl_slice sid = hl_json_text(arena, doc, "sid"), code = hl_json_text(arena, doc, "code");

	(void)ch;
	*out = (struct hl_answer){.outcome = HL_OUT_UNKNOWN, .detail = hl_adapter_code(arena, code, status)};
	if (status >= 200 && status < 300 && sid.len && sid.len <= HL_EXTERNAL_ID_BYTES_MAX) {
		out->outcome = HL_OUT_ACCEPTED;
		out->external_id = sid;
		out->detail = hl_adapter_code(arena, hl_json_text(arena, doc, "status"), status);
	} else if (status >= 400) {
		interpret_refusal(status, code, out);
	}
	if (out->outcome == HL_OUT_LATER)
		out->delay_us = hl_adapter_retry_after_us(headers, n_headers);
	json_decref(doc);
}

/* ---- what became of it ----------------------------------------------------- */

static enum hl_class ask(const struct hl_channel *ch, const struct hl_doubt *doubt, int64_t now_us,
			 struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	const struct hl_http_header headers[] = {
		{HL_LIT("Authorization"), hl_adapter_basic(arena, account(ch), token(ch))},
	};
	struct hl_slice date = hl_adapter_utc_date(arena, doubt->sent_us);
	struct hl_buf url;
	const char *copy;

	(void)now_us;
	hl_buf_init(&url, BODY_BYTES_MAX);
	hl_form_add(&url, "To", doubt->to);
	hl_form_add(&url, "DateSent>", date);
	hl_form_add(&url, "PageSize", HL_LIT("100"));
	copy = hl_arena_printf(arena, "%s?%s", ch->send_url, hl_buf_str(&url));
	hl_buf_fini(&url);
	return hl_adapter_get(copy, arena, headers, 1, out, err);
}

static bool has(const json_t *entry, const char *key, struct hl_slice value)
{
	return value.len && hl_slice_eq(hl_slice_str(json_string_value(json_object_get(entry, key))), value);
}

/* The list holds every text of those days to this phone: the sid tells them apart, else the words. */
static const json_t *find_text(const json_t *list, const struct hl_doubt *doubt)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		if (doubt->external_id.len ? has(entry, "sid", doubt->external_id) : has(entry, "body", doubt->text))
			return entry;
	}
	return NULL;
}

static void learn(const struct hl_channel *ch, const struct hl_doubt *doubt, int status, struct hl_slice body,
		  struct hl_arena *arena, struct hl_finding *out)
{
	json_t *doc = hl_json_answer(body);
	const json_t *list = json_object_get(doc, "messages"), *entry = find_text(list, doubt);
	bool is_whole = status == 200 && json_is_array(list) && json_is_null(json_object_get(doc, "next_page_uri"));

	(void)ch;
	*out = (struct hl_finding){.found = HL_FOUND_NOTHING_YET, .detail = hl_adapter_status_detail(arena, status)};
	if (entry) {
		struct hl_slice word = hl_json_text(arena, entry, "status");

		out->found = HL_FOUND_TAKEN;
		out->state = hl_adapter_state(states, word);
		out->external_id = hl_json_text(arena, entry, "sid");
		out->detail = hl_adapter_code(arena, word, status);
	} else if (is_whole) {
		out->found = HL_FOUND_ABSENT;
	}
	json_decref(doc);
}

static const char *const paths[] = {
	"", "/receipt", "/voice", "/voice/status", "/voice/recording", "/voice/transcript", "/voice/whisper", NULL};
static const struct hl_option options[] = {
	{"scheme", "twilio", "twilio signalwire", .help = "whose signatures are expected"},
	{"messaging_service", "", NULL, .help = "SID of a messaging service that sends instead of `from`"},
	{"call_url", "", NULL,
	 .help = "where calls to officers are ordered (.../Accounts/SID/Calls.json); empty = none are made"},
	{"transcripts", "none", "none provider", .help = "whether the platform writes down what callers say"},
	{NULL},
};

extern const struct hl_provider hl_provider_twilio;
const struct hl_provider hl_provider_twilio = {
	.name = "twilio",
	.needs_secret = true,
	.has_given_secret = true,
	.options = options,
	.paths = paths,
	.voice = "twiml",
	.methods = "GET POST",
	.ack_type = "text/xml",
	.ack_body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>",
	.check = check,
	.verify = verify,
	.parse = parse,
	.build = build,
	.interpret = interpret,
	.ask = ask,
	.learn = learn,
};
