/* test_buf.c - growing buffer: content, maximum, sticky failure */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hotline/buf.h"

#include <string.h>

static void content_grows_and_stays_terminated(void **state)
{
	struct hl_buf buf;

	(void)state;
	hl_buf_init(&buf, 100000);
	assert_string_equal(hl_buf_str(&buf), "");
	assert_int_equal(hl_buf_slice(&buf).len, 0);
	hl_buf_add_str(&buf, "a");
	hl_buf_add_char(&buf, '-');
	hl_buf_printf(&buf, "%03d", 7);
	hl_buf_add(&buf, (struct hl_slice){NULL, 0});
	assert_string_equal(hl_buf_str(&buf), "a-007");
	for (int i = 0; i < 10000; i++)
		hl_buf_add_str(&buf, "123456789");
	assert_int_equal(buf.len, 90005);
	assert_int_equal(strlen(hl_buf_str(&buf)), 90005);
	assert_false(hl_buf_failed(&buf));
	hl_buf_fini(&buf);
}

static void nul_is_content(void **state)
{
	struct hl_buf buf;

	(void)state;
	hl_buf_init(&buf, 8);
	hl_buf_add(&buf, HL_LIT("a\0b"));
	assert_true(hl_slice_eq(hl_buf_slice(&buf), HL_LIT("a\0b")));
	hl_buf_fini(&buf);
}

static void the_maximum_is_exact(void **state)
{
	struct hl_buf buf;

	(void)state;
	hl_buf_init(&buf, 4);
	hl_buf_add_str(&buf, "abc");
	hl_buf_add_char(&buf, 'd');
	assert_false(hl_buf_failed(&buf));
	hl_buf_add_char(&buf, 'e');
	assert_true(hl_buf_failed(&buf));
	assert_string_equal(hl_buf_str(&buf), "abcd");
	hl_buf_fini(&buf);
}

static void after_a_failure_nothing_is_added(void **state)
{
	struct hl_buf buf;

	(void)state;
	hl_buf_init(&buf, 4);
	hl_buf_add_str(&buf, "ab");
	hl_buf_add_str(&buf, "cde");
	hl_buf_add_str(&buf, "c");
	hl_buf_printf(&buf, "%d", 1);
	assert_string_equal(hl_buf_str(&buf), "ab");
	assert_true(hl_buf_failed(&buf));
	hl_buf_fini(&buf);
}

static void a_printf_over_the_maximum_adds_nothing(void **state)
{
	struct hl_buf buf;

	(void)state;
	hl_buf_init(&buf, 4);
	hl_buf_printf(&buf, "%s", "12345");
	assert_true(hl_buf_failed(&buf));
	assert_string_equal(hl_buf_str(&buf), "");
	hl_buf_fini(&buf);
}

static void reset_empties_and_forgives(void **state)
{
	struct hl_buf buf;

	(void)state;
	hl_buf_init(&buf, 4);
	hl_buf_add_str(&buf, "abc");
	hl_buf_add_str(&buf, "abc");
	hl_buf_reset(&buf);
	assert_false(hl_buf_failed(&buf));
	assert_string_equal(hl_buf_str(&buf), "");
	hl_buf_add_str(&buf, "wxyz");
	assert_string_equal(hl_buf_str(&buf), "wxyz");
	hl_buf_fini(&buf);
	assert_null(buf.ptr);
	assert_int_equal(buf.max_bytes, 4);
}

static void a_buffer_of_nothing_holds_nothing(void **state)
{
	struct hl_buf buf;

	(void)state;
	hl_buf_init(&buf, 0);
	hl_buf_add_str(&buf, "");
	assert_false(hl_buf_failed(&buf));
	hl_buf_add_char(&buf, 'a');
	assert_true(hl_buf_failed(&buf));
	assert_string_equal(hl_buf_str(&buf), "");
	hl_buf_fini(&buf);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_grows_and_stays_terminated),
		cmocka_unit_test(nul_is_content),
		cmocka_unit_test(the_maximum_is_exact),
		cmocka_unit_test(after_a_failure_nothing_is_added),
		cmocka_unit_test(a_printf_over_the_maximum_adds_nothing),
		cmocka_unit_test(reset_empties_and_forgives),
		cmocka_unit_test(a_buffer_of_nothing_holds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
