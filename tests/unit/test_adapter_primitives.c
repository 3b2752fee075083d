/* test_adapter_primitives.c - digests, spellings and canonical requests of the adapters against published values
 *
 * tests/vectors/primitives.json: each entry names a function, what goes in and what comes out. Signatures that a
 * provider has given up are put together here from the same pieces, so that its old examples still prove them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "../../adapters/common.h"
#include "hotline/segments.h"

#define VECTORS_MAX 100
#define HEADERS_MAX 10

static struct hl_arena arena;

static struct hl_slice get(const json_t *v, const char *key)
{
	const json_t *text = json_object_get(v, key);

	return (struct hl_slice){json_string_value(text), json_string_length(text)};
}

static struct hl_slice get_hex(const json_t *v, const char *key)
{
	struct hl_slice hex = get(v, key);
	char *out = hl_arena_alloc(&arena, hex.len / 2 + 1);

	for (size_t i = 0; i < hex.len / 2; i++) {
		unsigned byte;

		assert_int_equal(sscanf(hex.ptr + 2 * i, "%2x", &byte), 1);
		out[i] = (char)byte;
	}
	return (struct hl_slice){out, hex.len / 2};
}

static void assert_gives(const json_t *v, struct hl_slice got)
{
	if (json_is_true(json_object_get(v, "differs")))
		assert_string_not_equal(hl_arena_strdup(&arena, got), hl_arena_strdup(&arena, get(v, "expect")));
	else
		assert_string_equal(hl_arena_strdup(&arena, got), hl_arena_strdup(&arena, get(v, "expect")));
}

static struct hl_slice encode(struct hl_slice text)
{
	struct hl_buf out;
	struct hl_slice copy;

	hl_buf_init(&out, 65536);
	hl_url_encode(&out, text);
	copy = hl_arena_dup(&arena, hl_buf_slice(&out));
	hl_buf_fini(&out);
	return copy;
}

static struct hl_slice hmac64(const char *digest, struct hl_slice key, struct hl_slice text)
{
	struct hl_digest d = hl_hmac(digest, key, text);

	return hl_base64(&arena, hl_digest_slice(&d));
}

static void hmac_sha1(const json_t *v)
{
	assert_gives(v, hmac64("SHA1", get(v, "key"), get(v, "text")));
}

static void hmac_sha256(const json_t *v)
{
	assert_gives(v, hmac64("SHA256", get(v, "key"), get(v, "text")));
}

static void sha256(const json_t *v)
{
	struct hl_digest d = hl_digest_of("SHA256", get(v, "text"));

	assert_gives(v, hl_hex(&arena, hl_digest_slice(&d)));
}

static void percent_encode(const json_t *v)
{
	assert_gives(v, encode(json_object_get(v, "text_hex") ? get_hex(v, "text_hex") : get(v, "text")));
}

static void wsse(const json_t *v)
{
	assert_gives(v, hl_wsse_digest(&arena, get(v, "nonce"), get(v, "created"), get(v, "key")));
}

/* METHOD & %2F & the sorted parameters, encoded twice. */
static void rpc_v1(const json_t *v)
{
	json_t *params = json_object_get(v, "params");
	struct hl_pair pairs[20];
	struct hl_buf query;
	const char *text;
	size_t n = 0;

	for (void *i = json_object_iter(params); i; i = json_object_iter_next(params, i))
		pairs[n++] =
			(struct hl_pair){hl_slice_str(json_object_iter_key(i)), get(params, json_object_iter_key(i))};
	hl_pairs_sort(pairs, n, false);
	hl_buf_init(&query, 65536);
	for (size_t i = 0; i < n; i++)
		hl_form_add(&query, hl_arena_strdup(&arena, pairs[i].key), pairs[i].value);
	text = hl_arena_printf(&arena, "%s&%%2F&%s", json_string_value(json_object_get(v, "method")),
			       hl_arena_strdup(&arena, encode(hl_buf_slice(&query))));
	hl_buf_fini(&query);
	if (get(v, "text").len)
		assert_string_equal(text, get(v, "text").ptr);
	assert_gives(v, hmac64("SHA1", get(v, "key"), hl_slice_str(text)));
}

static size_t get_headers(const json_t *v, struct hl_pair *headers)
{
	const json_t *list = json_object_get(v, "headers");

	assert_in_range(json_array_size(list), 1, HEADERS_MAX);
	for (size_t i = 0; i < json_array_size(list); i++)
		headers[i] = (struct hl_pair){get(json_array_get(list, i), "k"), get(json_array_get(list, i), "v")};
	return json_array_size(list);
}

static void acs3(const json_t *v)
{
	struct hl_pair headers[HEADERS_MAX];
	struct hl_canonical c = {get(v, "method").ptr, get(v, "query"), headers, get_headers(v, headers),
				 get(v, "hash")};

	assert_gives(v, hl_acs3_authorization(&arena, &c, get(v, "id"), get(v, "key")));
}

static void tc3(const json_t *v)
{
	struct hl_digest d = hl_digest_of("SHA256", get(v, "text"));
	struct hl_pair headers[HEADERS_MAX];
	struct hl_canonical c = {"POST", {0}, headers, get_headers(v, headers), hl_hex(&arena, hl_digest_slice(&d))};
	struct hl_slice got = hl_tc3_authorization(&arena, &c, get(v, "id"), get(v, "key"), get(v, "service").ptr,
						   json_integer_value(json_object_get(v, "now")) * 1000000);
	const char *at = strstr(got.ptr, "Signature=");

	assert_non_null(at);
	assert_gives(v, hl_slice_str(at + strlen("Signature=")));
}

static void hmac_chain(const json_t *v)
{
	const json_t *texts = json_object_get(v, "texts"), *text;
	struct hl_slice key = get_hex(v, "key_hex");
	struct hl_digest d;
	size_t i;

	json_array_foreach (texts, i, text) {
		d = hl_hmac("SHA256", key, hl_slice_str(json_string_value(text)));
		key = hl_arena_dup(&arena, hl_digest_slice(&d));
	}
	assert_gives(v, hl_hex(&arena, key));
}

static void ed25519(const json_t *v)
{
	struct hl_slice key = get_hex(v, "key_hex"), text = get_hex(v, "text_hex"), signature = get_hex(v, "expect");

	assert_true(hl_ed25519_ok(key, text, signature));
	assert_false(hl_ed25519_ok(key, HL_LIT("another text"), signature));
}

static void base64_decode(const json_t *v)
{
	struct hl_slice got;

	assert_true(hl_base64_decode(&arena, get(v, "text"), &got));
	assert_gives(v, got);
	assert_string_equal(hl_arena_strdup(&arena, hl_base64(&arena, got)), get(v, "text").ptr);
}

static void base64_length(const json_t *v)
{
	struct hl_slice got;

	assert_true(hl_base64_decode(&arena, get(v, "text"), &got));
	assert_int_equal(got.len, json_integer_value(json_object_get(v, "expect")));
}

static void form(const json_t *v)
{
	json_t *expected = json_object_get(v, "expect");
	struct hl_pair *pairs;
	size_t n;

	assert_true(hl_form_pairs(&arena, get(v, "text"), &pairs, &n));
	assert_int_equal(n, json_object_size(expected));
	for (void *i = json_object_iter(expected); i; i = json_object_iter_next(expected, i))
		assert_string_equal(hl_arena_strdup(&arena, hl_pairs_get(pairs, n, json_object_iter_key(i))),
				    json_string_value(json_object_iter_value(i)));
}

static void segments(const json_t *v)
{
	struct hl_segments s;

	hl_segments_plan(get(v, "text"), (struct hl_slice){0}, &s);
	assert_int_equal(s.parts, json_integer_value(json_object_get(v, "expect")));
}

static const struct {
	const char *name;
	void (*run)(const json_t *v);
} functions[] = {
	{"hmac_sha1", hmac_sha1},
	{"hmac_sha256", hmac_sha256},
	{"sha256", sha256},
	{"percent_encode", percent_encode},
	{"wsse", wsse},
	{"rpc_v1", rpc_v1},
	{"acs3", acs3},
	{"tc3", tc3},
	{"hmac_chain", hmac_chain},
	{"ed25519", ed25519},
	{"base64_decode", base64_decode},
	{"base64_length", base64_length},
	{"form", form},
	{"segments", segments},
};

static void a_published_value_comes_out(void **state)
{
	const json_t *v = *state;
	bool is_known = false;

	hl_arena_init(&arena, 1024 * 1024);
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		if (hl_slice_eq_str(get(v, "fn"), functions[i].name)) {
			functions[i].run(v);
			is_known = true;
		}
	}
	assert_true(is_known);
	assert_false(hl_arena_failed(&arena));
	hl_arena_fini(&arena);
}

static void what_is_not_base64_is_refused(void **state)
{
	static const char *const bad[] = {"A", "AAAAA", "A===", "AA=A", "AA A", "AA\n=", "AAAA=", "====", "A*AA"};
	struct hl_slice out;

	(void)state;
	hl_arena_init(&arena, 65536);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(hl_base64_decode(&arena, hl_slice_str(bad[i]), &out));
	assert_true(hl_base64_decode(&arena, HL_LIT("-_-_"), &out) && out.len == 3);
	assert_true(hl_base64_decode(&arena, HL_LIT("QQ"), &out) && out.len == 1 && out.ptr[0] == 'A');
	assert_true(hl_base64_decode(&arena, HL_LIT("QUI="), &out) && out.len == 2);
	assert_true(hl_base64_decode(&arena, HL_LIT(""), &out) && out.len == 0);
	hl_arena_fini(&arena);
}

static void nothing_is_the_same_as_nothing(void **state)
{
	(void)state;
	assert_false(hl_same(HL_LIT(""), HL_LIT("")));
	assert_false(hl_same((struct hl_slice){0}, (struct hl_slice){0}));
	assert_false(hl_same(HL_LIT("a"), HL_LIT("ab")));
	assert_true(hl_same(HL_LIT("ab"), HL_LIT("ab")));
}

int main(void)
{
	static struct CMUnitTest tests[VECTORS_MAX];
	json_t *list = json_load_file("tests/vectors/primitives.json", JSON_REJECT_DUPLICATES, NULL);
	size_t n = json_array_size(list);
	int failed;

	if (!n || n > VECTORS_MAX - 2) {
		fprintf(stderr, "tests/vectors/primitives.json: missing, empty or too long\n");
		return 1;
	}
	for (size_t i = 0; i < n; i++)
		tests[i] =
			(struct CMUnitTest){.name = json_string_value(json_object_get(json_array_get(list, i), "name")),
					    .test_func = a_published_value_comes_out,
					    .initial_state = json_array_get(list, i)};
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(what_is_not_base64_is_refused);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(nothing_is_the_same_as_nothing);
	failed = _cmocka_run_group_tests("adapter primitives", tests, n, NULL, NULL);
	json_decref(list);
	return failed ? 1 : 0;
}
