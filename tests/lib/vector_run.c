/* vector_run.c - one provider vector put through its adapter, with what it expects checked
 *
 * Must not know: which kinds there are, any single provider.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hotline/text.h"
#include "vector_run.h"

#define ARENA_BYTES (1024 * 1024)
#define NOW_US      INT64_C(1764041000000000)

static const char *const verdicts[] = {
	[HL_VERIFIED] = "verified", [HL_FORGED] = "forged", [HL_WRONG_PATH] = "wrong_path"};
const char *const vector_states[VECTOR_STATES] = {[HL_RECEIPT_BUFFERED] = "buffered",
						  [HL_RECEIPT_DELIVERED] = "delivered",
						  [HL_RECEIPT_UNDELIVERED] = "undelivered",
						  [HL_RECEIPT_REJECTED] = "rejected",
						  [HL_RECEIPT_OTHER] = "other"};
static const char *const outcomes[] = {[HL_OUT_ACCEPTED] = "accepted",
				       [HL_OUT_LATER] = "later",
				       [HL_OUT_REFUSED] = "refused",
				       [HL_OUT_CONFIG] = "config",
				       [HL_OUT_UNKNOWN] = "unknown"};

struct hl_slice vector_get(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return (struct hl_slice){json_string_value(value), json_string_length(value)};
}

const char *vector_str(const json_t *object, const char *key, const char *fallback)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : fallback;
}

bool vector_has(const struct vector_run *r, const char *part)
{
	return json_object_get(r->vector, part) != NULL;
}

static void assert_same(struct vector_run *r, struct hl_slice got, struct hl_slice expected)
{
	assert_string_equal(hl_arena_strdup(&r->arena, got), hl_arena_strdup(&r->arena, expected));
	assert_int_equal(got.len, expected.len);
}

/* Where secrets are optional, requests come to a channel without any unless the vector says "with_secret". */
static bool is_keyed(const struct vector_run *r)
{
	return r->ops->needs_secret || vector_has(r, "send") || vector_has(r, "with_secret");
}

/* The provider's options: what the vector or its file says, else the fallback. */
static void init_settings(struct vector_run *r, const json_t *channel)
{
	const json_t *given = json_object_get(channel, "settings");
	const struct hl_option *o = r->ops->options;
	size_t n = 0;

	for (; o && o[n].name; n++) {
		assert_in_range(n, 0, VECTOR_SETTINGS_MAX - 1);
		r->settings[n] = (struct hl_setting){o[n].name,
						     vector_str(given, o[n].name, o[n].fallback ? o[n].fallback : "")};
	}
	r->channel.settings = r->settings;
	r->channel.n_settings = n;
	assert_in_range(json_object_size(given), 0, n);
}

static void init_channel(struct vector_run *r, const json_t *file)
{
	const json_t *c = r->merged, *secrets;

	json_object_update(r->merged, json_object_get(file, "channel"));
	json_object_update(r->merged, json_object_get(r->vector, "channel"));
	secrets = json_object_get(c, "secrets");
	assert_in_range(json_array_size(secrets), 0, VECTOR_SECRETS_MAX);
	for (size_t i = 0; i < json_array_size(secrets); i++)
		r->secrets[i].value = hl_slice_str(json_string_value(json_array_get(secrets, i)));
	r->channel = (struct hl_channel){
		.name = vector_str(c, "name", ""),
		.provider = r->ops->name,
		.from = vector_get(c, "from"),
		.send_url = vector_str(c, "send_url", ""),
		.public_url = vector_str(c, "public_url", ""),
		.username = vector_str(c, "username", ""),
		.password = vector_get(c, "password"),
		.secrets = r->secrets,
		.n_secrets = is_keyed(r) ? json_array_size(secrets) : 0,
		.country = "86",
		.signature = vector_str(c, "signature", ""),
	};
	init_settings(r, c);
}

static int64_t now_of(const struct vector_run *r)
{
	const json_t *now = json_object_get(r->vector, "now");

	return now ? json_integer_value(now) * 1000000 : NOW_US;
}

static struct hl_slice get_body(struct vector_run *r, const json_t *object)
{
	struct hl_slice hex = vector_get(object, "body_hex");
	char *bytes = hl_arena_alloc(&r->arena, hex.len / 2 + 1);

	if (!hex.len)
		return vector_get(object, "body");
	for (size_t i = 0; i < hex.len / 2; i++) {
		unsigned value;

		assert_int_equal(sscanf(hex.ptr + 2 * i, "%2x", &value), 1);
		bytes[i] = (char)value;
	}
	return (struct hl_slice){bytes, hex.len / 2};
}

static struct hl_http_request make_request(struct vector_run *r, const json_t *spec)
{
	json_t *headers = json_object_get(spec, "headers");
	struct hl_http_request req = {
		.method = hl_slice_str(vector_str(spec, "method", "POST")),
		.query = vector_get(spec, "query"),
		.headers = hl_arena_array(&r->arena, json_object_size(headers) + 1, sizeof(*req.headers)),
		.body = get_body(r, spec),
		.arena = &r->arena,
	};

	req.path = hl_slice_str(hl_arena_printf(&r->arena, "/hook/%s%s%s", r->channel.name,
						vector_str(spec, "token", ""), vector_str(spec, "subpath", "")));
	if (json_object_get(spec, "path"))
		req.path = vector_get(spec, "path");
	for (void *i = json_object_iter(headers); i; i = json_object_iter_next(headers, i)) {
		const char *name = json_object_iter_key(i);

		req.headers[req.n_headers++] = (struct hl_http_header){hl_slice_str(name), vector_get(headers, name)};
	}
	return req;
}

static void take_request(struct vector_run *r, const char *part, struct hl_parsed *parsed)
{
	const json_t *spec = json_object_get(r->vector, part);
	struct hl_http_request req = make_request(r, spec);
	struct hl_slice subpath = hl_slice_str(vector_str(spec, "subpath", ""));

	r->verdict = r->ops->verify(&r->channel, &req, subpath, now_of(r));
	if (r->verdict == HL_VERIFIED && !vector_has(r, "only_verify") && r->ops->parse)
		r->cls = r->ops->parse(&r->channel, &req, subpath, parsed, &r->err);
}

static void check_messages(struct vector_run *r, const json_t *expected)
{
	for (size_t i = 0; i < json_array_size(expected); i++) {
		const json_t *e = json_array_get(expected, i);
		const struct hl_inbound *m = &r->parsed.messages[i];

		assert_same(r, m->external_id, vector_get(e, "external_id"));
		assert_same(r, m->from, vector_get(e, "from"));
		assert_same(r, m->to, vector_get(e, "to"));
		assert_same(r, hl_text_decode(&r->arena, m->bytes, m->charset), vector_get(e, "text"));
		assert_int_equal(m->part, json_integer_value(json_object_get(e, "part")));
		assert_int_equal(m->parts, json_integer_value(json_object_get(e, "parts")));
		assert_same(r, m->part_ref, vector_get(e, "part_ref"));
		assert_int_equal(m->n_media, json_array_size(json_object_get(e, "media")));
		for (size_t k = 0; k < m->n_media; k++)
			assert_same(r, m->media[k].url,
				    hl_slice_str(json_string_value(json_array_get(json_object_get(e, "media"), k))));
	}
}

static void check_receipts(struct vector_run *r, const json_t *expected)
{
	for (size_t i = 0; i < json_array_size(expected); i++) {
		const json_t *e = json_array_get(expected, i);
		const struct hl_receipt *got = &r->parsed.receipts[i];

		assert_int_equal(got->attempt, json_integer_value(json_object_get(e, "attempt")));
		assert_same(r, got->external_id, vector_get(e, "external_id"));
		assert_string_equal(vector_states[got->state], vector_str(e, "state", ""));
		assert_same(r, got->status_text, vector_get(e, "status_text"));
		assert_int_equal(got->is_opted_out, json_is_true(json_object_get(e, "opted_out")));
	}
}

static void run_request(struct vector_run *r)
{
	const json_t *messages = json_object_get(r->vector, "messages");
	const json_t *receipts = json_object_get(r->vector, "receipts");

	if (vector_has(r, "again"))
		take_request(r, "again", &r->again);
	take_request(r, "request", &r->parsed);
	assert_string_equal(verdicts[r->verdict], vector_str(r->vector, "verdict", "verified"));
	if (r->verdict != HL_VERIFIED || vector_has(r, "only_verify"))
		return;
	if (r->cls)
		assert_non_null(strstr(r->err.text, vector_str(r->vector, "error", "(no error expected)")));
	assert_string_equal(hl_class_name(r->cls), vector_str(r->vector, "class", hl_class_name(HL_OK)));
	if (r->cls)
		return;
	assert_int_equal(r->parsed.n_messages, json_array_size(messages));
	assert_int_equal(r->parsed.n_receipts, json_array_size(receipts));
	check_messages(r, messages);
	check_receipts(r, receipts);
	if (vector_has(r, "ack"))
		assert_same(r, r->parsed.ack.ptr ? r->parsed.ack : hl_slice_str(r->ops->ack_body),
			    vector_get(r->vector, "ack"));
}

static struct hl_slice find_header(const struct hl_request *built, const char *name)
{
	for (size_t i = 0; i < built->n_headers; i++) {
		if (hl_slice_eq_nocase(built->headers[i].name, name))
			return built->headers[i].value;
	}
	return (struct hl_slice){0};
}

static void check_built(struct vector_run *r, const json_t *expected)
{
	json_t *headers = json_object_get(expected, "headers"), *wanted = json_object_get(expected, "body_json");
	json_t *body;

	assert_string_equal(r->built.url, vector_str(expected, "url", r->channel.send_url));
	assert_int_equal(r->built.n_headers, json_object_size(headers));
	for (void *i = json_object_iter(headers); i; i = json_object_iter_next(headers, i)) {
		const char *name = json_object_iter_key(i);

		assert_same(r, find_header(&r->built, name), vector_get(headers, name));
	}
	if (!wanted) {
		assert_same(r, r->built.body, vector_get(expected, "body"));
		return;
	}
	body = json_loadb(r->built.body.ptr, r->built.body.len, JSON_REJECT_DUPLICATES, NULL);
	assert_true(json_equal(body, wanted));
	json_decref(body);
}

/* Secrets may stand in the headers made for them, nowhere else: URLs and bodies are logged or kept. */
static void check_no_leak(const struct vector_run *r, const json_t *file, struct hl_slice secret)
{
	const json_t *allowed = json_object_get(json_object_get(file, "channel"), "secret_headers");

	assert_true(secret.len >= 8);
	assert_true(hl_slice_find(hl_slice_str(r->built.url), secret) < 0);
	assert_true(hl_slice_find(r->built.body, secret) < 0);
	assert_true(hl_slice_find(r->answer.detail, secret) < 0);
	assert_null(strstr(r->err.text, secret.ptr));
	for (size_t i = 0; i < r->built.n_headers; i++) {
		bool is_allowed = false;

		for (size_t k = 0; k < json_array_size(allowed); k++)
			is_allowed |= hl_slice_eq_str(r->built.headers[i].name,
						      json_string_value(json_array_get(allowed, k)));
		assert_true(is_allowed || hl_slice_find(r->built.headers[i].value, secret) < 0);
	}
}

static void run_send(struct vector_run *r)
{
	const json_t *spec = json_object_get(r->vector, "send");
	const json_t *params = json_object_get(spec, "params");
	struct hl_param list[VECTOR_PARAMS_MAX];
	struct hl_outbound sms = {
		.template_id = vector_get(spec, "template_id"),
		.params = list,
		.n_params = json_array_size(params),
		.attempt = (uint64_t)json_integer_value(json_object_get(spec, "attempt")),
		.to = vector_get(spec, "to"),
		.text = vector_get(spec, "text"),
		.is_gsm7 = json_is_true(json_object_get(spec, "is_gsm7")),
	};

	assert_in_range(sms.n_params, 0, VECTOR_PARAMS_MAX);
	for (size_t i = 0; i < sms.n_params; i++)
		list[i] = (struct hl_param){vector_get(json_array_get(params, i), "name"),
					    vector_get(json_array_get(params, i), "value")};
	r->cls = r->ops->build(&r->channel, &sms, now_of(r), &r->arena, &r->built, &r->err);
	if (r->cls)
		assert_non_null(strstr(r->err.text, vector_str(r->vector, "error", "(no error expected)")));
	assert_string_equal(hl_class_name(r->cls), vector_str(r->vector, "class", hl_class_name(HL_OK)));
	if (r->cls)
		assert_null(r->built.url);
	else
		check_built(r, json_object_get(r->vector, "built"));
}

static void run_answer(struct vector_run *r)
{
	const json_t *spec = json_object_get(r->vector, "answer");

	struct hl_http_request head = make_request(r, spec);

	r->status = (int)json_integer_value(json_object_get(spec, "status"));
	r->ops->interpret(&r->channel, r->status, get_body(r, spec), head.headers, head.n_headers, &r->arena,
			  &r->answer);
	assert_string_equal(outcomes[r->answer.outcome], vector_str(r->vector, "outcome", ""));
	assert_same(r, r->answer.external_id, vector_get(r->vector, "external_id"));
	assert_int_equal(r->answer.delay_us / 1000, json_integer_value(json_object_get(r->vector, "delay_ms")));
	assert_int_equal(r->answer.is_opted_out, json_is_true(json_object_get(r->vector, "opted_out")));
}

static void run_doubt(struct vector_run *r)
{
	static const char *const found[] = {
		[HL_FOUND_NOTHING_YET] = "nothing_yet", [HL_FOUND_TAKEN] = "taken", [HL_FOUND_ABSENT] = "absent"};
	const json_t *spec = json_object_get(r->vector, "doubt"), *answer = json_object_get(r->vector, "found");
	struct hl_doubt doubt = {.attempt = (uint64_t)json_integer_value(json_object_get(spec, "attempt")),
				 .external_id = vector_get(spec, "external_id"),
				 .to = vector_get(spec, "to"),
				 .text = vector_get(spec, "text"),
				 .sent_us = json_integer_value(json_object_get(spec, "sent")) * 1000000};
	struct hl_request asked;

	assert_int_equal(r->ops->ask(&r->channel, &doubt, now_of(r), &r->arena, &asked, &r->err), HL_OK);
	assert_string_equal(asked.url, vector_str(r->vector, "asked_url", ""));
	assert_same(r, asked.body, vector_get(r->vector, "asked_body"));
	r->ops->learn(&r->channel, &doubt, (int)json_integer_value(json_object_get(answer, "status")),
		      get_body(r, answer), &r->arena, &r->finding);
	assert_string_equal(found[r->finding.found], vector_str(answer, "is", ""));
	assert_same(r, r->finding.external_id, vector_get(answer, "external_id"));
	if (r->finding.found == HL_FOUND_TAKEN)
		assert_string_equal(vector_states[r->finding.state], vector_str(answer, "state", ""));
}

void vector_run(struct vector_run *r, const struct hl_provider *ops, const json_t *file, const json_t *vector)
{
	*r = (struct vector_run){.ops = ops, .vector = vector, .merged = json_object()};
	hl_arena_init(&r->arena, ARENA_BYTES);
	init_channel(r, file);
	if (vector_has(r, "request"))
		run_request(r);
	if (vector_has(r, "send"))
		run_send(r);
	if (vector_has(r, "answer"))
		run_answer(r);
	if (vector_has(r, "doubt"))
		run_doubt(r);
	if (!vector_has(r, "send"))
		return;
	for (size_t i = 0; i < r->channel.n_secrets; i++)
		check_no_leak(r, file, r->secrets[i].value);
	if (r->channel.password.len)
		check_no_leak(r, file, r->channel.password);
}
