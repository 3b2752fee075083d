/* vonage.c - Vonage (Nexmo) SMS API
 *
 *   inbound   GET or POST /hook/NAME, query, form or JSON: msisdn, to, messageId, text, ...; signed by `sig`
 *   receipt   the same to /hook/NAME/receipt: messageId, status, client-ref (our attempt), ...
 *   send      POST send_url (https://rest.nexmo.com/sms/json), a form, Basic login; client-ref is our attempt
 *
 * Signature: &key=value of all parameters but sig, sorted, & and = inside values as _, then the digest that
 * `signature_method` names, with a timestamp in it. Or a JWT (HS256) whose payload_hash is that of the body.
 * HTTP 200 does not mean accepted: every part has a status of its own.
 * Limits: a long text from a phone comes part by part (concat, -ref, -part, -total), in any order; who stores them
 * joins them.
 * Source: vonage-node-sdk and vonage-python-sdk tests, Nexmo/api-specification sms.yml (read 2026-11)
 */
#include <inttypes.h>
#include <string.h>
#include "common.h"

#define BODY_BYTES_MAX   16384
#define PARTS_MAX        255
#define SIGNED_BYTES_MAX (256 * 1024)

/* The parameters wherever they are: in the query, in a form, or as the members of an object. */
static bool get_pairs(const struct hl_http_request *req, struct hl_pair **out_r, size_t *n_r)
{
	struct hl_pair *pairs;
	json_t *doc;
	size_t n = 0;

	*n_r = 0;
	if (!req->body.len)
		return hl_form_pairs(req->arena, req->query, out_r, n_r);
	if (req->body.ptr[0] != '{')
		return hl_form_pairs(req->arena, req->body, out_r, n_r);
	doc = hl_json_answer(req->body);
	pairs = hl_arena_array(req->arena, json_object_size(doc) + 1, sizeof(*pairs));
	for (void *i = json_object_iter(doc); pairs && i; i = json_object_iter_next(doc, i)) {
		const char *key = json_object_iter_key(i);

		if (n == HL_FORM_PAIRS_MAX)
			break;
		pairs[n++] = (struct hl_pair){hl_arena_dup(req->arena, hl_slice_str(key)),
					      hl_json_text(req->arena, doc, key)};
	}
	*out_r = pairs;
	*n_r = n;
	json_decref(doc);
	return pairs && n > 0 && n < HL_FORM_PAIRS_MAX;
}

static void add_signed(struct hl_buf *out, const struct hl_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct hl_slice value = pairs[i].value;

		if (hl_slice_eq_str(pairs[i].key, "sig"))
			continue;
		hl_buf_add_char(out, '&');
		hl_buf_add(out, pairs[i].key);
		hl_buf_add_char(out, '=');
		for (size_t k = 0; k < value.len; k++)
			hl_buf_add_char(out, value.ptr[k] == '&' || value.ptr[k] == '=' ? '_' : value.ptr[k]);
	}
}

static struct hl_digest sign(const char *method, struct hl_slice secret, struct hl_slice text)
{
	static const struct {
		const char *method, *digest;
	} methods[] = {{"md5", "MD5"}, {"sha1", "SHA1"}, {"sha256", "SHA256"}, {"sha512", "SHA512"}};
	struct hl_digest d = {.len = 0};
	struct hl_buf both;

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (!strcmp(methods[i].method, method))
			return hl_hmac(methods[i].digest, secret, text);
	}
	/* md5hash: no HMAC, the secret stands behind the text. */
	hl_buf_init(&both, SIGNED_BYTES_MAX + 256);
	hl_buf_add(&both, text);
	hl_buf_add(&both, secret);
	if (!hl_buf_failed(&both))
		d = hl_digest_of("MD5", hl_buf_slice(&both));
	hl_buf_fini(&both);
	return d;
}

static bool is_signed(const struct hl_channel *ch, const struct hl_http_request *req, int64_t now_us)
{
	struct hl_slice presented;
	struct hl_pair *pairs;
	struct hl_buf text;
	bool ok = false;
	size_t n;

	if (!get_pairs(req, &pairs, &n))
		return false;
	presented = hl_pairs_get(pairs, n, "sig");
	if (!presented.len || !hl_adapter_is_fresh(hl_pairs_get(pairs, n, "timestamp"), now_us))
		return false;
	hl_pairs_sort(pairs, n, false);
	hl_buf_init(&text, SIGNED_BYTES_MAX);
	add_signed(&text, pairs, n);
	for (size_t i = 0; i < ch->n_secrets && !hl_buf_failed(&text); i++) {
		struct hl_digest d =
			sign(hl_channel_setting(ch, "signature_method"), ch->secrets[i].value, hl_buf_slice(&text));

		ok |= hl_same_nocase(req->arena, hl_hex(req->arena, hl_digest_slice(&d)), presented);
	}
	hl_buf_fini(&text);
	return ok;
}

/* A token says who calls and when; what is said is covered by the digest in it. */
static bool is_token_good(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice token,
			  int64_t now_us)
{
	json_t *claims = hl_jwt_claims(ch, req->arena, token, now_us);
	struct hl_digest d = hl_digest_of("SHA256", req->body);
	struct hl_slice hash = hl_json_text(req->arena, claims, "payload_hash");
	bool is_covered = hl_same_nocase(req->arena, hash, hl_hex(req->arena, hl_digest_slice(&d))) ||
			  (!req->body.len && !req->query.len);
	bool ok = claims && is_covered && hl_adapter_is_fresh(hl_json_text(req->arena, claims, "iat"), now_us);

	json_decref(claims);
	return ok;
}

static enum hl_verdict verify(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			      int64_t now_us)
{
	struct hl_slice token = hl_bearer(req);
	bool ok = token.len ? is_token_good(ch, req, token, now_us) : is_signed(ch, req, now_us);

	(void)subpath;
	return ok ? HL_VERIFIED : HL_FORGED;
}

/* ---- what comes in --------------------------------------------------------- */

static const struct hl_state_word states[] = {
	{"delivered", HL_RECEIPT_DELIVERED}, {"accepted", HL_RECEIPT_BUFFERED},
	{"buffered", HL_RECEIPT_BUFFERED},   {"submitted", HL_RECEIPT_BUFFERED},
	{"expired", HL_RECEIPT_UNDELIVERED}, {"failed", HL_RECEIPT_UNDELIVERED},
	{"rejected", HL_RECEIPT_REJECTED},   {NULL, HL_RECEIPT_OTHER},
};

static enum hl_class parse_receipt(struct hl_arena *arena, const struct hl_pair *pairs, size_t n, struct hl_receipt *r,
				   struct hl_error *err)
{
	struct hl_slice status = hl_pairs_get(pairs, n, "status");

	if (!hl_adapter_attempt(hl_pairs_get(pairs, n, "client-ref"), &r->attempt))
		r->attempt = 0;
	if (!status.len)
		return hl_fail(err, HL_INPUT, "status: must be given");
	r->state = hl_adapter_state(states, status);
	r->status_text = hl_adapter_detail(arena, status);
	return hl_adapter_name(arena, "messageId", hl_pairs_get(pairs, n, "messageId"), HL_EXTERNAL_ID_BYTES_MAX,
			       &r->external_id, err);
}

/* What cannot be a part is a text of its own: better in pieces than lost. */
static void read_part(struct hl_arena *arena, const struct hl_pair *pairs, size_t n, struct hl_inbound *m)
{
	struct hl_slice ref;
	uint64_t part, parts;

	if (hl_adapter_name(arena, "concat-ref", hl_pairs_get(pairs, n, "concat-ref"), HL_EXTERNAL_ID_BYTES_MAX, &ref,
			    &(struct hl_error){0}) ||
	    !hl_slice_u64(hl_pairs_get(pairs, n, "concat-part"), &part) ||
	    !hl_slice_u64(hl_pairs_get(pairs, n, "concat-total"), &parts))
		return;
	if (part < 1 || part > parts || parts < 2 || parts > PARTS_MAX)
		return;
	m->part_ref = ref;
	m->part = (unsigned)part;
	m->parts = (unsigned)parts;
}

static enum hl_class parse_message(struct hl_arena *arena, const struct hl_pair *pairs, size_t n, struct hl_inbound *m,
				   struct hl_error *err)
{
	enum hl_class cls = hl_adapter_name(arena, "messageId", hl_pairs_get(pairs, n, "messageId"),
					    HL_EXTERNAL_ID_BYTES_MAX, &m->external_id, err);

	if (!cls)
		cls = hl_adapter_name(arena, "msisdn", hl_pairs_get(pairs, n, "msisdn"), HL_PEER_PHONE_BYTES_MAX,
				      &m->from, err);
	if (!cls)
		cls = hl_adapter_name(arena, "to", hl_pairs_get(pairs, n, "to"), HL_PEER_PHONE_BYTES_MAX, &m->to, err);
	m->from = hl_adapter_plus(arena, m->from);
	m->bytes = hl_pairs_get(pairs, n, "text");
	m->charset = "UTF-8";
	if (hl_slice_eq_nocase(hl_pairs_get(pairs, n, "concat"), "true"))
		read_part(arena, pairs, n, m);
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
	if (!get_pairs(req, &pairs, &n))
		return hl_fail(err, HL_INPUT, "body: must be a form or a JSON object of at most %d fields",
			       HL_FORM_PAIRS_MAX);
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

static struct hl_slice without_plus(struct hl_slice number)
{
	return number.len && number.ptr[0] == '+' ? (struct hl_slice){number.ptr + 1, number.len - 1} : number;
}

static enum hl_class build(const struct hl_channel *ch, const struct hl_outbound *sms, int64_t now_us,
			   struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	const struct hl_http_header headers[] = {
		{HL_LIT("Authorization"), hl_adapter_basic(arena, hl_slice_str(ch->username), ch->password)},
		{HL_LIT("Content-Type"), HL_LIT("application/x-www-form-urlencoded")},
	};
	struct hl_buf body;
	enum hl_class cls;

	(void)now_us;
	hl_buf_init(&body, BODY_BYTES_MAX);
	hl_form_add(&body, "from", without_plus(ch->from));
	hl_form_add(&body, "to", without_plus(sms->to));
	hl_form_add(&body, "text", sms->text);
	/* Without it Chinese arrives as question marks. */
	hl_form_add(&body, "type", sms->is_gsm7 ? HL_LIT("text") : HL_LIT("unicode"));
	hl_form_add(&body, "status-report-req", HL_LIT("1"));
	hl_form_add(&body, "callback",
		    hl_slice_str(hl_arena_printf(arena, "%s/hook/%s/receipt", ch->public_url, ch->name)));
	hl_form_add(&body, "client-ref", hl_slice_str(hl_arena_printf(arena, "%" PRIu64, sms->attempt)));
	*out = (struct hl_request){0};
	cls = hl_buf_failed(&body) ? hl_fail(err, HL_LIMIT, "the text is too long")
				   : hl_adapter_post(ch, arena, headers, 2, hl_buf_slice(&body), out, err);
	hl_buf_fini(&body);
	return cls;
}

static const struct hl_outcome_word codes[] = {
	{"0", HL_OUT_ACCEPTED}, {"1", HL_OUT_LATER},    {"5", HL_OUT_LATER},
	{"2", HL_OUT_REFUSED},  {"3", HL_OUT_REFUSED},  {"6", HL_OUT_REFUSED},
	{"7", HL_OUT_REFUSED},  {"12", HL_OUT_REFUSED}, {"15", HL_OUT_REFUSED},
	{"22", HL_OUT_REFUSED}, {"33", HL_OUT_REFUSED}, {"4", HL_OUT_CONFIG},
	{"8", HL_OUT_CONFIG},   {"9", HL_OUT_CONFIG},   {"10", HL_OUT_CONFIG},
	{"11", HL_OUT_CONFIG},  {"14", HL_OUT_CONFIG},  {"23", HL_OUT_CONFIG},
	{"29", HL_OUT_CONFIG},  {"32", HL_OUT_CONFIG},  {NULL},
};

/* "Throughput Rate Exceeded - please wait [ 250 ] and retry" */
static int64_t wait_us(struct hl_slice text)
{
	struct hl_slice head, rest, number;
	uint64_t ms;

	if (!hl_slice_cut(text, '[', &head, &rest))
		return 0;
	hl_slice_cut(rest, ']', &number, &rest);
	return hl_slice_u64(hl_slice_trim(number), &ms) && ms < 86400000 ? (int64_t)ms * 1000 : 0;
}

/* One part taken and another refused is neither: part of the text may arrive. */
static void read_parts(const json_t *list, struct hl_arena *arena, struct hl_answer *out)
{
	const json_t *part;
	size_t i, n_taken = 0;
	struct hl_answer first = {.outcome = HL_OUT_UNKNOWN};

	json_array_foreach (list, i, part) {
		struct hl_answer one = {.outcome = HL_OUT_UNKNOWN};

		hl_adapter_outcome(codes, hl_json_text(arena, part, "status"), &one);
		if (one.outcome == HL_OUT_ACCEPTED)
			n_taken++;
		else if (!first.detail.len)
			first = (struct hl_answer){.outcome = one.outcome,
						   .detail = hl_json_text(arena, part, "status"),
						   .delay_us = wait_us(hl_json_text(arena, part, "error-text"))};
	}
	if (n_taken && n_taken == i) {
		struct hl_slice id = hl_json_text(arena, list, "0.message-id");

		if (id.len && id.len <= HL_EXTERNAL_ID_BYTES_MAX)
			*out = (struct hl_answer){HL_OUT_ACCEPTED, .external_id = id, .detail = HL_LIT("0")};
	} else if (n_taken) {
		out->detail = HL_LIT("only some of the parts");
	} else if (i && first.detail.len) {
		*out = first;
		if (out->outcome != HL_OUT_LATER)
			out->delay_us = 0;
	}
}

static void interpret(const struct hl_channel *ch, int status, struct hl_slice body,
		      const struct hl_http_header *headers, size_t n_headers, struct hl_arena *arena,
		      struct hl_answer *out)
{
	json_t *doc = hl_json_answer(body);

	(void)ch;
	hl_adapter_by_status(status, doc, (struct hl_slice){0}, headers, n_headers, arena, out);
	if (status == 200)
		read_parts(json_object_get(doc, "messages"), arena, out);
	json_decref(doc);
}

static const char *const paths[] = {"", "/receipt", NULL};
static const struct hl_option options[] = {
	{"signature_method", "md5hash", "md5hash md5 sha1 sha256 sha512", .help = "how the account signs its calls"},
	{NULL},
};

extern const struct hl_provider hl_provider_vonage;
const struct hl_provider hl_provider_vonage = {
	.name = "vonage",
	.needs_secret = true,
	.has_given_secret = true,
	.needs_login = true,
	.is_fresh_only = true,
	.options = options,
	.paths = paths,
	.methods = "GET POST",
	.ack_type = "text/plain",
	.ack_body = "",
	.verify = verify,
	.parse = parse,
	.build = build,
	.interpret = interpret,
};
