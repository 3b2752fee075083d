/* test_vectors.c - every provider against its vector file, one test per vector
 *
 * tests/vectors/<provider>.json holds a channel and vectors. A vector has a name, a kind, a source and one or more of
 *   request  what the provider sends us       -> verdict, class, error, messages, receipts
 *   again    the same thing repeated          -> same external ids
 *   send     what we want sent                -> built: headers, and body or body_json
 *   answer   what the provider says to it     -> outcome, delay_ms, opted_out
 *   doubt    an attempt nobody answered       -> asked_url, asked_body, and what is learned from the answer in found
 * "channel" changes settings of the file's channel for one vector, "now" the clock; "only_verify": the body is no SMS.
 * "official": true marks values copied from the provider's own documents. A registered provider without a file, or
 * whose file lacks a required kind, fails.
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

#define LONG_TEXT   141 /* code points: more than one SMS in every alphabet but GSM-7, more than two in UCS-2 */
#define VECTORS_MAX 512

struct vector {
	const struct hl_provider *ops;
	const json_t *file, *vector;
};

static bool is_message(const struct vector_run *r)
{
	return vector_has(r, "request") && !r->cls && r->parsed.n_messages == 1 &&
	       r->parsed.messages[0].external_id.len;
}

static bool is_forged(const struct vector_run *r)
{
	return vector_has(r, "request") && r->verdict == HL_FORGED;
}

static bool is_wrong_path(const struct vector_run *r)
{
	return vector_has(r, "request") && r->verdict == HL_WRONG_PATH;
}

static bool is_repeat(const struct vector_run *r)
{
	return is_message(r) && r->again.n_messages == 1 &&
	       hl_slice_eq(r->again.messages[0].external_id, r->parsed.messages[0].external_id);
}

static bool is_malformed(const struct vector_run *r)
{
	return vector_has(r, "request") && r->verdict == HL_VERIFIED && r->cls == HL_INPUT && r->err.text[0];
}

static bool is_signature(const struct vector_run *r)
{
	return vector_has(r, "request") && vector_has(r, "only_verify");
}

static bool is_taken(const struct vector_run *r)
{
	return vector_has(r, "answer") && r->answer.outcome == HL_OUT_ACCEPTED;
}

static bool is_doubtful(const struct vector_run *r)
{
	return vector_has(r, "answer") && r->answer.outcome == HL_OUT_UNKNOWN;
}

static bool is_asked(const struct vector_run *r)
{
	return vector_has(r, "doubt") && r->finding.found == HL_FOUND_TAKEN;
}

static bool is_asked_in_vain(const struct vector_run *r)
{
	return vector_has(r, "doubt") && r->finding.found != HL_FOUND_TAKEN;
}

static bool is_ignored(const struct vector_run *r)
{
	return vector_has(r, "request") && r->verdict == HL_VERIFIED && !r->cls && !r->parsed.n_messages &&
	       !r->parsed.n_receipts;
}

static bool is_batch(const struct vector_run *r)
{
	return vector_has(r, "request") && !r->cls && r->parsed.n_messages + r->parsed.n_receipts > 1;
}

static bool is_receipt(const struct vector_run *r)
{
	return vector_has(r, "request") && !r->cls && r->parsed.n_receipts == 1 &&
	       r->parsed.receipts[0].state != HL_RECEIPT_OTHER;
}

static bool is_other_receipt(const struct vector_run *r)
{
	return vector_has(r, "request") && !r->cls && r->parsed.n_receipts == 1 &&
	       r->parsed.receipts[0].state == HL_RECEIPT_OTHER && r->parsed.receipts[0].status_text.len;
}

static bool is_sent(const struct vector_run *r)
{
	return vector_has(r, "send") && !r->cls && vector_has(r, "answer") && r->answer.outcome == HL_OUT_ACCEPTED;
}

static bool is_later(const struct vector_run *r)
{
	return vector_has(r, "answer") && r->answer.outcome == HL_OUT_LATER;
}

static bool is_refused(const struct vector_run *r)
{
	return vector_has(r, "answer") && r->answer.outcome == HL_OUT_REFUSED;
}

static bool is_config_fault(const struct vector_run *r)
{
	return vector_has(r, "answer") && r->answer.outcome == HL_OUT_CONFIG;
}

static bool is_server_error(const struct vector_run *r)
{
	return vector_has(r, "answer") && r->status >= 500 && r->answer.outcome == HL_OUT_UNKNOWN;
}

/* What is left of an answer that was cut: libcurl may still call it a success. */
static bool is_cut(const struct vector_run *r)
{
	return vector_has(r, "answer") && r->status < 300 && r->answer.outcome == HL_OUT_UNKNOWN;
}

static struct hl_slice text_of(const struct vector_run *r)
{
	if (vector_has(r, "send"))
		return vector_get(json_object_get(r->vector, "send"), "text");
	return vector_get(json_array_get(json_object_get(r->vector, "messages"), 0), "text");
}

static bool is_non_latin(const struct vector_run *r)
{
	struct hl_slice text = text_of(r);

	return !r->cls && hl_text_count(text) < text.len;
}

static bool is_long(const struct vector_run *r)
{
	return !r->cls && hl_text_count(text_of(r)) >= LONG_TEXT;
}

static bool is_built(const struct vector_run *r)
{
	return vector_has(r, "send") && !r->cls && r->channel.n_secrets;
}

/* kinds - every provider must have a vector of each; the predicate keeps a vector from claiming a kind it is not. */
static const struct kind {
	const char *name;
	bool (*fits)(const struct vector_run *r);
	bool only_with_secret, only_with_send, only_with_time, only_with_ask, only_with_receipts,
		only_with_texts, is_optional;
} kinds[] = {
	{"inbound_ok", is_message, .only_with_texts = true},
	{"bad_signature", is_forged, .only_with_secret = true},
	{"wrong_path", is_wrong_path, .is_optional = true},
	{"answer_ok", is_taken, .is_optional = true},
	{"doubtful", is_doubtful, .is_optional = true},
	{"signature", is_signature, .is_optional = true},
	{"replay", is_forged, .only_with_time = true},
	{"batch", is_batch, .is_optional = true},
	{"ignored", is_ignored, .is_optional = true},
	{"asked", is_asked, .only_with_ask = true},
	{"asked_in_vain", is_asked_in_vain, .only_with_ask = true},
	{"repeat", is_repeat, .only_with_texts = true},
	{"malformed", is_malformed, .only_with_texts = true},
	{"receipt_ok", is_receipt, .only_with_receipts = true},
	{"receipt_unknown_status", is_other_receipt, .only_with_receipts = true},
	{"send_ok", is_sent, .only_with_send = true},
	{"throttled", is_later, .only_with_send = true},
	{"refused", is_refused, .only_with_send = true},
	{"config_fault", is_config_fault, .only_with_send = true},
	{"server_error", is_server_error, .only_with_send = true},
	{"timeout", is_cut, .only_with_send = true},
	{"non_latin", is_non_latin, .only_with_texts = true},
	{"long_text", is_long, .only_with_texts = true},
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
	const struct kind *kind = find_kind(vector_str(v->vector, "kind", ""));
	struct vector_run r;

	assert_non_null(kind);
	assert_non_null(json_object_get(v->vector, "source"));
	vector_run(&r, v->ops, v->file, v->vector);
	assert_true(kind->fits(&r));
	json_decref(r.merged);
	hl_arena_fini(&r.arena);
}

static const json_t *vectors_of(const json_t *file)
{
	return json_object_get(file, "vectors");
}

static bool has_kind(const json_t *file, const struct kind *kind)
{
	for (size_t i = 0; i < json_array_size(vectors_of(file)); i++) {
		if (!strcmp(vector_str(json_array_get(vectors_of(file), i), "kind", ""), kind->name))
			return true;
	}
	return false;
}

static bool has_state(const json_t *file, const char *state)
{
	for (size_t i = 0; i < json_array_size(vectors_of(file)); i++) {
		const json_t *receipts = json_object_get(json_array_get(vectors_of(file), i), "receipts");

		if (!strcmp(vector_str(json_array_get(receipts, 0), "state", ""), state))
			return true;
	}
	return false;
}

/* "cannot_tell" is true where a provider tells of no receipts at all. */
static bool has_receipts(const json_t *file)
{
	return !json_is_true(json_object_get(file, "cannot_tell"));
}

/* "cannot_tell" names the states that the provider has no word for. */
static bool can_tell(const json_t *file, const char *state)
{
	const json_t *list = json_object_get(file, "cannot_tell");

	if (!has_receipts(file))
		return false;

	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!strcmp(json_string_value(json_array_get(list, i)), state))
			return false;
	}
	return true;
}

static void a_provider_has_every_kind(void **state)
{
	const struct vector *v = *state;

	if (!v->file)
		fail_msg("tests/vectors/%s.json: missing or not JSON", v->ops->name);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		bool is_needed = (v->ops->needs_secret || !kinds[i].only_with_secret) &&
				 (v->ops->build || !kinds[i].only_with_send) &&
				 (v->ops->is_fresh_only || !kinds[i].only_with_time) &&
				 (has_receipts(v->file) || !kinds[i].only_with_receipts) &&
				 (v->ops->ask || !kinds[i].only_with_ask) &&
				 (v->ops->parse || !kinds[i].only_with_texts) && !kinds[i].is_optional;

		if (is_needed && !has_kind(v->file, &kinds[i]))
			fail_msg("tests/vectors/%s.json has no vector of kind %s", v->ops->name, kinds[i].name);
	}
	for (size_t i = 0; i < VECTOR_STATES; i++) {
		if (can_tell(v->file, vector_states[i]) && !has_state(v->file, vector_states[i]))
			fail_msg("tests/vectors/%s.json has no receipt that is %s", v->ops->name, vector_states[i]);
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
		tests[n] = (struct CMUnitTest){.name = vector_str(vectors[n].vector, "name", "(no name)"),
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
