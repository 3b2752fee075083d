/* test_vectors.c - every provider against its vector file, one test per vector
 *
 * tests/vectors/<provider>.json holds a channel and vectors. A vector has a name, a kind, a source and one or more of
 *   request  what the provider sends us       -> verdict, class, error, messages, receipts
 *   again    the same thing repeated          -> same external ids
 *   send     what we want sent                -> built: headers, and body or body_json
 *   answer   what the provider says to it     -> outcome
 * "official": true marks values copied from the provider's own documents. A registered provider without a file, or
 * whose file lacks a required kind, fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hotline/provider.h"
#include "hotline/text.h"

#define LONG_TEXT   141 /* code points: more than one SMS in every alphabet but GSM-7, more than two in UCS-2 */
#define SECRETS_MAX 4
#define VECTORS_MAX 512
#define ARENA_BYTES (1024 * 1024)
#define NOW_US      INT64_C(1764041000000000)

static const char *const verdicts[] = {
	[HL_VERIFIED] = "verified", [HL_FORGED] = "forged", [HL_WRONG_PATH] = "wrong_path"};
static const char *const states[] = {[HL_RECEIPT_BUFFERED] = "buffered",
				     [HL_RECEIPT_DELIVERED] = "delivered",
				     [HL_RECEIPT_UNDELIVERED] = "undelivered",
				     [HL_RECEIPT_REJECTED] = "rejected",
				     [HL_RECEIPT_OTHER] = "other"};
static const char *const outcomes[] = {[HL_OUT_ACCEPTED] = "accepted",
				       [HL_OUT_LATER] = "later",
				       [HL_OUT_REFUSED] = "refused",
				       [HL_OUT_CONFIG] = "config",
				       [HL_OUT_UNKNOWN] = "unknown"};

struct vector {
	const struct hl_provider *ops;
	const json_t *file, *vector;
};

/* run - one vector at work: what went in and what came out of it. */
struct run {
	const struct hl_provider *ops;
	const json_t *vector;
	struct hl_arena arena;
	struct hl_channel channel;
	struct hl_secret secrets[SECRETS_MAX];
	enum hl_verdict verdict;
	enum hl_class cls;
	struct hl_error err;
	struct hl_parsed parsed, again;
	struct hl_request built;
	struct hl_answer answer;
	int status;
};

static struct hl_slice get(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return (struct hl_slice){json_string_value(value), json_string_length(value)};
}

static const char *get_str(const json_t *object, const char *key, const char *fallback)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : fallback;
}

static bool has(const struct run *r, const char *part)
{
	return json_object_get(r->vector, part) != NULL;
}

static void assert_same(struct run *r, struct hl_slice got, struct hl_slice expected)
{
	assert_string_equal(hl_arena_strdup(&r->arena, got), hl_arena_strdup(&r->arena, expected));
	assert_int_equal(got.len, expected.len);
}

/* Where secrets are optional, requests come to a channel without any unless the vector says "with_secret". */
static bool is_keyed(const struct run *r)
{
	return r->ops->needs_secret || has(r, "send") || has(r, "with_secret");
}

static void init_channel(struct run *r, const json_t *file)
{
	const json_t *c = json_object_get(file, "channel"), *secrets = json_object_get(c, "secrets");

	assert_in_range(json_array_size(secrets), 1, SECRETS_MAX);
	for (size_t i = 0; i < json_array_size(secrets); i++)
		r->secrets[i].value = hl_slice_str(json_string_value(json_array_get(secrets, i)));
	r->channel = (struct hl_channel){
		.name = get_str(c, "name", ""),
		.provider = r->ops->name,
		.from = get(c, "from"),
		.send_url = get_str(c, "send_url", ""),
		.public_url = get_str(c, "public_url", ""),
		.username = get_str(c, "username", ""),
		.password = get(c, "password"),
		.secrets = r->secrets,
		.n_secrets = is_keyed(r) ? json_array_size(secrets) : 0,
		.country = "86",
	};
}

static struct hl_slice get_body(struct run *r, const json_t *object)
{
	struct hl_slice hex = get(object, "body_hex");
	char *bytes = hl_arena_alloc(&r->arena, hex.len / 2 + 1);

	if (!hex.len)
		return get(object, "body");
	for (size_t i = 0; i < hex.len / 2; i++) {
		unsigned value;

		assert_int_equal(sscanf(hex.ptr + 2 * i, "%2x", &value), 1);
		bytes[i] = (char)value;
	}
	return (struct hl_slice){bytes, hex.len / 2};
}

static struct hl_http_request make_request(struct run *r, const json_t *spec)
{
	json_t *headers = json_object_get(spec, "headers");
	struct hl_http_request req = {
		.method = hl_slice_str(get_str(spec, "method", "POST")),
		.query = get(spec, "query"),
		.headers = hl_arena_array(&r->arena, json_object_size(headers) + 1, sizeof(*req.headers)),
		.body = get_body(r, spec),
		.arena = &r->arena,
	};
	const char *name;
	json_t *value;

	req.path =
		hl_slice_str(hl_arena_printf(&r->arena, "/hook/%s%s", r->channel.name, get_str(spec, "subpath", "")));
	json_object_foreach (headers, name, value) {
		req.headers[req.n_headers++] = (struct hl_http_header){
			hl_slice_str(name), {json_string_value(value), json_string_length(value)}};
	}
	return req;
}

static void take_request(struct run *r, const char *part, struct hl_parsed *parsed)
{
	const json_t *spec = json_object_get(r->vector, part);
	struct hl_http_request req = make_request(r, spec);
	struct hl_slice subpath = hl_slice_str(get_str(spec, "subpath", ""));

	r->verdict = r->ops->verify(&r->channel, &req, subpath, NOW_US);
	if (r->verdict == HL_VERIFIED)
		r->cls = r->ops->parse(&r->channel, &req, subpath, parsed, &r->err);
}

static void check_messages(struct run *r, const json_t *expected)
{
	for (size_t i = 0; i < json_array_size(expected); i++) {
		const json_t *e = json_array_get(expected, i);
		const struct hl_inbound *m = &r->parsed.messages[i];

		assert_same(r, m->external_id, get(e, "external_id"));
		assert_same(r, m->from, get(e, "from"));
		assert_same(r, m->to, get(e, "to"));
		assert_same(r, hl_text_decode(&r->arena, m->bytes, m->charset), get(e, "text"));
	}
}

static void check_receipts(struct run *r, const json_t *expected)
{
	for (size_t i = 0; i < json_array_size(expected); i++) {
		const json_t *e = json_array_get(expected, i);
		const struct hl_receipt *got = &r->parsed.receipts[i];

		assert_int_equal(got->attempt, json_integer_value(json_object_get(e, "attempt")));
		assert_same(r, got->external_id, get(e, "external_id"));
		assert_string_equal(states[got->state], get_str(e, "state", ""));
		assert_same(r, got->status_text, get(e, "status_text"));
	}
}

static void run_request(struct run *r)
{
	const json_t *messages = json_object_get(r->vector, "messages");
	const json_t *receipts = json_object_get(r->vector, "receipts");

	if (has(r, "again"))
		take_request(r, "again", &r->again);
	take_request(r, "request", &r->parsed);
	assert_string_equal(verdicts[r->verdict], get_str(r->vector, "verdict", "verified"));
	if (r->verdict != HL_VERIFIED)
		return;
	if (r->cls)
		assert_non_null(strstr(r->err.text, get_str(r->vector, "error", "(no error expected)")));
	assert_string_equal(hl_class_name(r->cls), get_str(r->vector, "class", hl_class_name(HL_OK)));
	if (r->cls)
		return;
	assert_int_equal(r->parsed.n_messages, json_array_size(messages));
	assert_int_equal(r->parsed.n_receipts, json_array_size(receipts));
	check_messages(r, messages);
	check_receipts(r, receipts);
}

static struct hl_slice find_header(const struct hl_request *built, const char *name)
{
	for (size_t i = 0; i < built->n_headers; i++) {
		if (hl_slice_eq_nocase(built->headers[i].name, name))
			return built->headers[i].value;
	}
	return (struct hl_slice){0};
}

static void check_built(struct run *r, const json_t *expected)
{
	json_t *headers = json_object_get(expected, "headers"), *wanted = json_object_get(expected, "body_json");
	json_t *value, *body;
	const char *name;

	assert_string_equal(r->built.url, r->channel.send_url);
	assert_int_equal(r->built.n_headers, json_object_size(headers));
	json_object_foreach (headers, name, value)
		assert_same(r, find_header(&r->built, name), hl_slice_str(json_string_value(value)));
	if (!wanted) {
		assert_same(r, r->built.body, get(expected, "body"));
		return;
	}
	body = json_loadb(r->built.body.ptr, r->built.body.len, JSON_REJECT_DUPLICATES, NULL);
	assert_true(json_equal(body, wanted));
	json_decref(body);
}

/* Secrets may stand in the headers made for them, nowhere else: URLs and bodies are logged or kept. */
static void check_no_leak(const struct run *r, const json_t *file, struct hl_slice secret)
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

static void run_send(struct run *r)
{
	const json_t *spec = json_object_get(r->vector, "send");
	struct hl_outbound sms = {
		.attempt = (uint64_t)json_integer_value(json_object_get(spec, "attempt")),
		.to = get(spec, "to"),
		.text = get(spec, "text"),
		.is_gsm7 = json_is_true(json_object_get(spec, "is_gsm7")),
	};

	r->cls = r->ops->build(&r->channel, &sms, NOW_US, &r->arena, &r->built, &r->err);
	if (r->cls)
		assert_non_null(strstr(r->err.text, get_str(r->vector, "error", "(no error expected)")));
	assert_string_equal(hl_class_name(r->cls), get_str(r->vector, "class", hl_class_name(HL_OK)));
	if (r->cls)
		assert_null(r->built.url);
	else
		check_built(r, json_object_get(r->vector, "built"));
}

static void run_answer(struct run *r)
{
	const json_t *spec = json_object_get(r->vector, "answer");

	r->status = (int)json_integer_value(json_object_get(spec, "status"));
	r->ops->interpret(&r->channel, r->status, get_body(r, spec), NULL, 0, &r->arena, &r->answer);
	assert_string_equal(outcomes[r->answer.outcome], get_str(r->vector, "outcome", ""));
	assert_same(r, r->answer.external_id, get(r->vector, "external_id"));
}

static bool is_message(const struct run *r)
{
	return has(r, "request") && !r->cls && r->parsed.n_messages == 1 && r->parsed.messages[0].external_id.len;
}

static bool is_forged(const struct run *r)
{
	return has(r, "request") && r->verdict == HL_FORGED;
}

static bool is_repeat(const struct run *r)
{
	return is_message(r) && r->again.n_messages == 1 &&
	       hl_slice_eq(r->again.messages[0].external_id, r->parsed.messages[0].external_id);
}

static bool is_malformed(const struct run *r)
{
	return has(r, "request") && r->verdict == HL_VERIFIED && r->cls == HL_INPUT && r->err.text[0];
}

static bool is_receipt(const struct run *r)
{
	return has(r, "request") && !r->cls && r->parsed.n_receipts == 1 &&
	       r->parsed.receipts[0].state != HL_RECEIPT_OTHER;
}

static bool is_other_receipt(const struct run *r)
{
	return has(r, "request") && !r->cls && r->parsed.n_receipts == 1 &&
	       r->parsed.receipts[0].state == HL_RECEIPT_OTHER && r->parsed.receipts[0].status_text.len;
}

static bool is_sent(const struct run *r)
{
	return has(r, "send") && !r->cls && has(r, "answer") && r->answer.outcome == HL_OUT_ACCEPTED;
}

static bool is_later(const struct run *r)
{
	return has(r, "answer") && r->answer.outcome == HL_OUT_LATER;
}

static bool is_refused(const struct run *r)
{
	return has(r, "answer") && r->answer.outcome == HL_OUT_REFUSED;
}

static bool is_config_fault(const struct run *r)
{
	return has(r, "answer") && r->answer.outcome == HL_OUT_CONFIG;
}

static bool is_server_error(const struct run *r)
{
	return has(r, "answer") && r->status >= 500 && r->answer.outcome == HL_OUT_UNKNOWN;
}

/* What is left of an answer that was cut: libcurl may still call it a success. */
static bool is_cut(const struct run *r)
{
	return has(r, "answer") && r->status < 300 && r->answer.outcome == HL_OUT_UNKNOWN;
}

static struct hl_slice text_of(const struct run *r)
{
	if (has(r, "send"))
		return get(json_object_get(r->vector, "send"), "text");
	return get(json_array_get(json_object_get(r->vector, "messages"), 0), "text");
}

static bool is_non_latin(const struct run *r)
{
	struct hl_slice text = text_of(r);

	return !r->cls && hl_text_count(text) < text.len;
}

static bool is_long(const struct run *r)
{
	return !r->cls && hl_text_count(text_of(r)) >= LONG_TEXT;
}

static bool is_built(const struct run *r)
{
	return has(r, "send") && !r->cls && r->channel.n_secrets;
}

/* kinds - every provider must have a vector of each; the predicate keeps a vector from claiming a kind it is not. */
static const struct kind {
	const char *name;
	bool (*fits)(const struct run *r);
	bool only_with_secret, only_with_send;
} kinds[] = {
	{"inbound_ok", is_message},
	{"bad_signature", is_forged, .only_with_secret = true},
	{"repeat", is_repeat},
	{"malformed", is_malformed},
	{"receipt_ok", is_receipt},
	{"receipt_unknown_status", is_other_receipt},
	{"send_ok", is_sent, .only_with_send = true},
	{"throttled", is_later, .only_with_send = true},
	{"refused", is_refused, .only_with_send = true},
	{"config_fault", is_config_fault, .only_with_send = true},
	{"server_error", is_server_error, .only_with_send = true},
	{"timeout", is_cut, .only_with_send = true},
	{"non_latin", is_non_latin},
	{"long_text", is_long},
	{"secrets_absent", is_built, .only_with_send = true},
};

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	}
	return NULL;
}

static void a_vector_holds(void **state)
{
	const struct vector *v = *state;
	const struct kind *kind = find_kind(get_str(v->vector, "kind", ""));
	struct run r = {.ops = v->ops, .vector = v->vector};

	assert_non_null(kind);
	assert_non_null(json_object_get(v->vector, "source"));
	hl_arena_init(&r.arena, ARENA_BYTES);
	init_channel(&r, v->file);
	if (has(&r, "request"))
		run_request(&r);
	if (has(&r, "send"))
		run_send(&r);
	if (has(&r, "answer"))
		run_answer(&r);
	for (size_t i = 0; has(&r, "send") && i < r.channel.n_secrets; i++)
		check_no_leak(&r, v->file, r.secrets[i].value);
	if (has(&r, "send") && r.channel.password.len)
		check_no_leak(&r, v->file, r.channel.password);
	assert_true(kind->fits(&r));
	hl_arena_fini(&r.arena);
}

static const json_t *vectors_of(const json_t *file)
{
	return json_object_get(file, "vectors");
}

static bool has_kind(const json_t *file, const struct kind *kind)
{
	for (size_t i = 0; i < json_array_size(vectors_of(file)); i++) {
		if (!strcmp(get_str(json_array_get(vectors_of(file), i), "kind", ""), kind->name))
			return true;
	}
	return false;
}

static bool has_state(const json_t *file, const char *state)
{
	for (size_t i = 0; i < json_array_size(vectors_of(file)); i++) {
		const json_t *receipts = json_object_get(json_array_get(vectors_of(file), i), "receipts");

		if (!strcmp(get_str(json_array_get(receipts, 0), "state", ""), state))
			return true;
	}
	return false;
}

static void a_provider_has_every_kind(void **state)
{
	const struct vector *v = *state;

	if (!v->file)
		fail_msg("tests/vectors/%s.json: missing or not JSON", v->ops->name);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		bool is_needed = (v->ops->needs_secret || !kinds[i].only_with_secret) &&
				 (v->ops->build || !kinds[i].only_with_send);

		if (is_needed && !has_kind(v->file, &kinds[i]))
			fail_msg("tests/vectors/%s.json has no vector of kind %s", v->ops->name, kinds[i].name);
	}
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (!has_state(v->file, states[i]))
			fail_msg("tests/vectors/%s.json has no receipt that is %s", v->ops->name, states[i]);
	}
}

static json_t *load_file(const struct hl_provider *ops)
{
	char path[128];
	json_error_t why;
	json_t *file;

	snprintf(path, sizeof(path), "tests/vectors/%s.json", ops->name);
	file = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
	if (!file)
		fprintf(stderr, "%s:%d: %s\n", path, why.line, why.text);
	return file;
}

/* The tests of one provider: its coverage, then its vectors. */
static size_t add_provider(const struct hl_provider *ops, json_t *file, struct CMUnitTest *tests,
			   struct vector *vectors)
{
	size_t n = 0;

	vectors[n] = (struct vector){ops, file, NULL};
	tests[n] = (struct CMUnitTest){.name = ops->name, .test_func = a_provider_has_every_kind};
	for (n = 1; n <= json_array_size(vectors_of(file)); n++) {
		vectors[n] = (struct vector){ops, file, json_array_get(vectors_of(file), n - 1)};
		tests[n] = (struct CMUnitTest){.name = get_str(vectors[n].vector, "name", "(no name)"),
					       .test_func = a_vector_holds};
	}
	for (size_t i = 0; i < n; i++)
		tests[i].initial_state = &vectors[i];
	return n;
}

static int run_provider(const struct hl_provider *ops)
{
	static struct CMUnitTest tests[VECTORS_MAX];
	static struct vector vectors[VECTORS_MAX];
	json_t *file = load_file(ops);
	int failed = 1;

	if (json_array_size(vectors_of(file)) < VECTORS_MAX)
		failed = _cmocka_run_group_tests(ops->name, tests, add_provider(ops, file, tests, vectors), NULL, NULL);
	json_decref(file);
	return failed;
}

int main(void)
{
	struct hl_error err;
	int failed = 0;

	if (hl_provider_check(&err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	for (size_t i = 0; hl_provider_at(i); i++)
		failed += run_provider(hl_provider_at(i));
	return failed ? 1 : 0;
}
