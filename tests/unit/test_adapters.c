/* test_adapters.c - what all adapters share: the registry, secrets, safe headers, running out of memory */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "hotline/provider.h"

#define SECRET_NEW "demo-webhook-secret-1"
#define SECRET_OLD "demo-webhook-secret-0"
#define TEXT       "text=%E5%81%9C%E6%B0%B4&from=%2B8610000000001&to=12345&ts=1764041066&token=" SECRET_NEW
#define JSON       "{\"id\":\"lb-1\",\"from\":\"+8610000000001\",\"to\":\"12345\",\"text\":\"\\ud83d\xcd\xa3\xcb\xae\"}"

static const struct hl_secret secrets[] = {{{SECRET_NEW, sizeof(SECRET_NEW) - 1}},
					   {{SECRET_OLD, sizeof(SECRET_OLD) - 1}}};

static struct hl_channel make_channel(const char *provider)
{
	return (struct hl_channel){
		.name = provider,
		.provider = provider,
		.from = HL_LIT("12345"),
		.send_url = "http://127.0.0.1:13013/send",
		.public_url = "http://127.0.0.1:8080",
		.username = "hotline",
		.password = HL_LIT("demo-password"),
		.secrets = secrets,
		.n_secrets = 2,
		.country = "86",
		.signature = "",
	};
}

static void every_registered_provider_is_whole_and_found_by_name(void **state)
{
	struct hl_error err;
	size_t n = 0;

	(void)state;
	assert_int_equal(hl_provider_check(&err), HL_OK);
	for (; hl_provider_at(n); n++)
		assert_ptr_equal(hl_provider_find(hl_provider_at(n)->name), hl_provider_at(n));
	assert_true(n >= 2);
	assert_null(hl_provider_at(n + 1));
	assert_null(hl_provider_find("smoke"));
	assert_null(hl_provider_find(""));
}

static void any_live_secret_matches_and_nothing_else(void **state)
{
	static const struct {
		struct hl_slice presented;
		bool matches;
	} cases[] = {
		{{SECRET_NEW, sizeof(SECRET_NEW) - 1}, true},
		{{SECRET_OLD, sizeof(SECRET_OLD) - 1}, true},
		{{"demo-webhook-secret-2", 21}, false},
		{{SECRET_NEW, sizeof(SECRET_NEW) - 2}, false},
		{{SECRET_NEW, sizeof(SECRET_NEW)}, false}, /* with its NUL */
		{{"", 0}, false},
		{{NULL, 0}, false},
	};
	struct hl_channel ch = make_channel("kannel");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(hl_secret_matches(&ch, cases[i].presented), cases[i].matches);
}

static void without_secrets_nothing_matches(void **state)
{
	static const struct hl_secret empty[1];
	struct hl_channel ch = make_channel("kannel");

	(void)state;
	ch.n_secrets = 0;
	assert_false(hl_secret_matches(&ch, HL_LIT("")));
	assert_false(hl_secret_matches(&ch, HL_LIT(SECRET_NEW)));
	ch.secrets = empty;
	ch.n_secrets = 1;
	assert_false(hl_secret_matches(&ch, HL_LIT("")));
}

static enum hl_class build(const char *provider, struct hl_channel *ch, struct hl_slice to, size_t arena_bytes,
			   struct hl_error *err)
{
	struct hl_outbound sms = {.attempt = 77, .to = to, .text = HL_LIT("ok"), .is_gsm7 = true};
	struct hl_request out = {.url = "untouched"};
	struct hl_arena arena;
	enum hl_class cls;

	hl_arena_init(&arena, arena_bytes);
	cls = hl_provider_find(provider)->build(ch, &sms, 0, &arena, &out, err);
	if (cls)
		assert_null(out.url);
	hl_arena_fini(&arena);
	return cls;
}

static void a_header_with_a_line_break_or_nul_is_never_built(void **state)
{
	static const struct hl_slice bad[] = {
		{"+8610000000001\r\nX-Kannel-SMSC: a", 32}, {"a\rb", 3}, {"a\nb", 3}, {"a\0b", 3}, {"a\n", 2}};
	struct hl_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hl_channel to = make_channel("kannel"), from = to, user = to, password = to;

		assert_int_equal(build("kannel", &to, bad[i], 65536, &err), HL_BUG);
		assert_string_equal(err.text, "header X-Kannel-To holds CR, LF or NUL");
		from.from = bad[i];
		assert_int_equal(build("kannel", &from, HL_LIT("1"), 65536, &err), HL_BUG);
		password.password = bad[i];
		assert_int_equal(build("kannel", &password, HL_LIT("1"), 65536, &err), HL_BUG);
		assert_string_equal(err.text, "header X-Kannel-Password holds CR, LF or NUL");
		user.username = "a\nb";
		assert_int_equal(build("kannel", &user, HL_LIT("1"), 65536, &err), HL_BUG);
	}
}

static void a_text_that_is_not_utf8_is_no_json(void **state)
{
	struct hl_channel ch = make_channel("loopback");
	struct hl_error err;

	(void)state;
	assert_int_equal(build("loopback", &ch, HL_LIT("\xff"), 65536, &err), HL_BUG);
}

static enum hl_class parse(const char *provider, struct hl_slice query, struct hl_slice body, size_t arena_bytes,
			   struct hl_parsed *out)
{
	const struct hl_provider *ops = hl_provider_find(provider);
	struct hl_channel ch = make_channel(provider);
	struct hl_arena arena;
	struct hl_http_request req = {.method = HL_LIT("POST"), .query = query, .body = body, .arena = &arena};
	struct hl_error err;
	enum hl_class cls;

	hl_arena_init(&arena, arena_bytes);
	cls = ops->parse(&ch, &req, HL_LIT(""), out, &err);
	hl_arena_fini(&arena);
	return cls;
}

/* Every size of memory from none to enough: the answer is "out of memory" until it is right, never a half message. */
static void too_small_an_arena_is_out_of_memory(void **state)
{
	static const struct {
		const char *provider;
		struct hl_slice query, body;
	} cases[] = {
		{"kannel", {TEXT, sizeof(TEXT) - 1}, {NULL, 0}},
		{"loopback", {NULL, 0}, {JSON, sizeof(JSON) - 1}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum hl_class cls = HL_NOMEM;
		struct hl_parsed parsed;

		for (size_t bytes = 0; cls == HL_NOMEM && bytes < 65536; bytes += 8)
			cls = parse(cases[i].provider, cases[i].query, cases[i].body, bytes, &parsed);
		assert_int_equal(cls, HL_OK);
		assert_int_equal(parsed.n_messages, 1);
	}
}

/* Of every provider that sends and whose channel would start with these settings alone. */
static void building_in_too_small_an_arena_is_out_of_memory(void **state)
{
	unsigned n_built = 0;

	(void)state;
	for (size_t i = 0; hl_provider_at(i); i++) {
		const struct hl_provider *p = hl_provider_at(i);
		struct hl_channel ch = make_channel(p->name);
		enum hl_class cls = HL_NOMEM;
		struct hl_error err = {.text = ""};
		const char *key = NULL;

		if (!p->build || (p->check && p->check(&ch, &key, &err) != HL_OK))
			continue;
		for (size_t bytes = 0; cls == HL_NOMEM && bytes < 65536; bytes += 8)
			cls = build(ch.name, &ch, HL_LIT("+8610000000001"), bytes, &err);
		if (cls != HL_OK)
			fail_msg("%s: %s", ch.name, err.text);
		n_built++;
	}
	assert_true(n_built >= 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_registered_provider_is_whole_and_found_by_name),
		cmocka_unit_test(any_live_secret_matches_and_nothing_else),
		cmocka_unit_test(without_secrets_nothing_matches),
		cmocka_unit_test(a_header_with_a_line_break_or_nul_is_never_built),
		cmocka_unit_test(a_text_that_is_not_utf8_is_no_json),
		cmocka_unit_test(too_small_an_arena_is_out_of_memory),
		cmocka_unit_test(building_in_too_small_an_arena_is_out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
