/* test_http_form.c - form texts and percent-encoding, good and broken */
#include "hotline/http_parse.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void form_values_are_found_and_decoded(void **state)
{
	static const struct {
		const char *form, *key, *value; /* value NULL: not found */
	} cases[] = {
		{"a=1&b=2", "a", "1"},
		{"a=1&b=2", "b", "2"},
		{"a=1&a=2", "a", "1"},
		{"a=1", "b", NULL},
		{"a%00b=1", "a", NULL},
		{"", "a", NULL},
		{"a", "a", ""},
		{"a=", "a", ""},
		{"&&a=x&", "a", "x"},
		{"a=x=y", "a", "x=y"},
		{"ab=1&a=2", "a", "2"},
		{"a=1&ab=2", "ab", "2"},
		{"a=b+c%20d%2B", "a", "b c d+"},
		{"%61+b=%e4%BD%A0", "a b", "\xe4\xbd\xa0"},
		{"a=%4", "a", NULL},
		{"a=%", "a", NULL},
		{"a=%g1", "a", NULL},
		{"a=%1g", "a", NULL},
		{"%=1&a=2", "a", "2"},
		{"=1&a=2", "", "1"},
		{"a=2&", "", NULL},
	};
	struct hl_arena arena;

	(void)state;
	hl_arena_init(&arena, 65536);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hl_slice value = HL_LIT("untouched");
		bool found = hl_form_get(&arena, hl_slice_str(cases[i].form), cases[i].key, &value);

		assert_int_equal(found, cases[i].value != NULL);
		if (found)
			assert_true(hl_slice_eq_str(value, cases[i].value));
	}
	hl_arena_fini(&arena);
}

static void a_decoded_value_may_hold_nul(void **state)
{
	struct hl_arena arena;
	struct hl_slice out;

	(void)state;
	hl_arena_init(&arena, 64);
	assert_true(hl_url_decode(&arena, HL_LIT("a%00b+"), false, &out));
	assert_true(hl_slice_eq(out, HL_LIT("a\0b+")));
	assert_false(hl_url_decode(&arena, (struct hl_slice){"a%01", 3}, false, &out));
	assert_false(hl_url_decode(&arena, HL_LIT("0123456789012345678901234567890123456789"), false, &out));
	hl_arena_fini(&arena);
}

static void encoding_keeps_only_unreserved_characters(void **state)
{
	struct hl_arena arena;
	struct hl_slice back;
	struct hl_buf out;
	char all[256];

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	hl_buf_init(&out, 1024);
	hl_url_encode(&out, HL_LIT("aZ09-._~ +/\xff"));
	assert_string_equal(hl_buf_str(&out), "aZ09-._~%20%2B%2F%FF");
	hl_buf_reset(&out);
	hl_url_encode(&out, (struct hl_slice){all, sizeof(all)});
	hl_arena_init(&arena, 4096);
	assert_true(hl_url_decode(&arena, hl_buf_slice(&out), true, &back));
	assert_int_equal(back.len, sizeof(all));
	assert_memory_equal(back.ptr, all, sizeof(all));
	hl_arena_fini(&arena);
	hl_buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(form_values_are_found_and_decoded),
		cmocka_unit_test(a_decoded_value_may_hold_nul),
		cmocka_unit_test(encoding_keeps_only_unreserved_characters),
	};

	return cmocka_run_group_tests_name("http_form", tests, NULL, NULL);
}
