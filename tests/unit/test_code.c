/* test_code.c - the check character of notice codes; the vectors are the database's too */
#include "hotline/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static void check_characters_are_fixed(void **state)
{
	static const struct {
		const char *four;
		char check;
	} vectors[] = {{"3F7K", 'H'}, {"0000", '0'}, {"ZZZZ", '4'}, {"8M2P", '0'}};

	(void)state;
	for (size_t i = 0; i < LEN(vectors); i++)
		if (hl_code_check(vectors[i].four) != vectors[i].check)
			fail_msg("%s: %c", vectors[i].four, hl_code_check(vectors[i].four));
}

static void every_single_mistake_is_found(void **state)
{
	char code[] = "3F7K?";

	(void)state;
	code[4] = hl_code_check(code);
	assert_true(hl_code_is_valid(hl_slice_str(code)));
	for (size_t i = 0; i < 5; i++)
		for (const char *c = alphabet; *c; c++) {
			char wrong[sizeof(code)];

			memcpy(wrong, code, sizeof(code));
			wrong[i] = *c;
			assert_int_equal(hl_code_is_valid(hl_slice_str(wrong)), *c == code[i]);
		}
}

static void swapped_neighbours_are_found(void **state)
{
	char code[] = "3F7K?", swapped[sizeof(code)];

	(void)state;
	code[4] = hl_code_check(code);
	for (size_t i = 0; i + 1 < 5; i++) {
		memcpy(swapped, code, sizeof(code));
		swapped[i] = code[i + 1];
		swapped[i + 1] = code[i];
		assert_false(hl_code_is_valid(hl_slice_str(swapped)));
	}
}

static void refuses_what_no_code_can_be(void **state)
{
	static const char *const codes[] = {"",      "3F7K",  "3F7KHH", "3f7kh", "3I7KH",
					    "3L7KH", "3O7KH", "3U7KH",  "3F 7K", "签收"};

	(void)state;
	for (size_t i = 0; i < LEN(codes); i++)
		assert_false(hl_code_is_valid(hl_slice_str(codes[i])));
	assert_false(hl_code_is_valid((struct hl_slice){"3F7K\0", 5}));
	assert_false(hl_code_is_valid((struct hl_slice){NULL, 0}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_characters_are_fixed),
		cmocka_unit_test(every_single_mistake_is_found),
		cmocka_unit_test(swapped_neighbours_are_found),
		cmocka_unit_test(refuses_what_no_code_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
