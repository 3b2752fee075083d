/* test_arena.c - request memory: alignment, cap, sticky failure */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hotline/arena.h"

#include <string.h>

/* The sanitizer must answer a huge request like malloc does, with NULL. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
	struct hl_arena arena;
	unsigned char *last = NULL;

	(void)state;
	hl_arena_init(&arena, 1 << 20);
	for (size_t n = 0; n < 3000; n += 7) {
		unsigned char *piece = hl_arena_alloc(&arena, n);

		assert_non_null(piece);
		assert_ptr_not_equal(piece, last);
		assert_int_equal((uintptr_t)piece % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(piece[i], 0);
		memset(piece, 0xAA, n);
		last = piece;
	}
	assert_false(hl_arena_failed(&arena));
	hl_arena_fini(&arena);
}

static void a_large_piece_leaves_the_open_block_in_use(void **state)
{
	struct hl_arena arena;
	char *first, *large, *second;

	(void)state;
	hl_arena_init(&arena, 1 << 20);
	first = hl_arena_alloc(&arena, 16);
	large = hl_arena_alloc(&arena, 100000);
	second = hl_arena_alloc(&arena, 16);
	assert_non_null(large);
	memset(large, 1, 100000);
	assert_ptr_equal(second, first + 16);
	hl_arena_fini(&arena);
}

static void the_cap_is_exact_and_failure_sticks(void **state)
{
	struct hl_arena arena;

	(void)state;
	hl_arena_init(&arena, 64);
	assert_non_null(hl_arena_alloc(&arena, 48));
	assert_non_null(hl_arena_alloc(&arena, 16));
	assert_false(hl_arena_failed(&arena));
	assert_null(hl_arena_alloc(&arena, 1));
	assert_true(hl_arena_failed(&arena));

	hl_arena_fini(&arena);
	hl_arena_init(&arena, 64);
	assert_null(hl_arena_alloc(&arena, 65));
	assert_null(hl_arena_alloc(&arena, 1));
	hl_arena_fini(&arena);

	/* What alignment adds counts too. */
	hl_arena_init(&arena, 60);
	assert_null(hl_arena_alloc(&arena, 59));
	hl_arena_fini(&arena);
}

static void fini_makes_it_usable_again(void **state)
{
	struct hl_arena arena;

	(void)state;
	hl_arena_init(&arena, 64);
	assert_null(hl_arena_alloc(&arena, 100));
	hl_arena_fini(&arena);
	assert_false(hl_arena_failed(&arena));
	assert_non_null(hl_arena_alloc(&arena, 64));
	hl_arena_fini(&arena);
}

static void sizes_that_overflow_are_refused(void **state)
{
	struct hl_arena arena;
	struct hl_slice endless = {"", SIZE_MAX};

	(void)state;
	hl_arena_init(&arena, SIZE_MAX);
	assert_null(hl_arena_array(&arena, SIZE_MAX / 16 + 2, 16));
	hl_arena_fini(&arena);
	assert_null(hl_arena_alloc(&arena, SIZE_MAX));
	hl_arena_fini(&arena);
	assert_int_equal(hl_arena_dup(&arena, endless).len, 0);
	assert_true(hl_arena_failed(&arena));
	hl_arena_fini(&arena);
	assert_string_equal(hl_arena_strdup(&arena, endless), "");
	assert_true(hl_arena_failed(&arena));
	hl_arena_fini(&arena);
}

static void want_of_memory_fails_like_the_cap(void **state)
{
	struct hl_arena arena;

	(void)state;
	hl_arena_init(&arena, SIZE_MAX);
	assert_null(hl_arena_alloc(&arena, SIZE_MAX / 4));
	assert_true(hl_arena_failed(&arena));
	hl_arena_fini(&arena);
}

static void copies_are_terminated_and_keep_nul(void **state)
{
	struct hl_arena arena;
	struct hl_slice copy;

	(void)state;
	hl_arena_init(&arena, 1024);
	copy = hl_arena_dup(&arena, HL_LIT("a\0b"));
	assert_int_equal(copy.len, 3);
	assert_memory_equal(copy.ptr, "a\0b", 4);
	assert_string_equal(hl_arena_strdup(&arena, HL_LIT("abc")), "abc");
	assert_string_equal(hl_arena_strdup(&arena, (struct hl_slice){NULL, 0}), "");
	assert_string_equal(hl_arena_printf(&arena, "%s-%06d", "26", 123), "26-000123");
	hl_arena_fini(&arena);
}

static void failed_strings_are_empty_never_null(void **state)
{
	struct hl_arena arena;
	struct hl_slice copy;

	(void)state;
	hl_arena_init(&arena, 0);
	copy = hl_arena_dup(&arena, HL_LIT("abc"));
	assert_int_equal(copy.len, 0);
	assert_string_equal(copy.ptr, "");
	assert_string_equal(hl_arena_strdup(&arena, HL_LIT("abc")), "");
	assert_string_equal(hl_arena_printf(&arena, "%d", 1), "");
	assert_true(hl_arena_failed(&arena));
	hl_arena_fini(&arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
		cmocka_unit_test(a_large_piece_leaves_the_open_block_in_use),
		cmocka_unit_test(the_cap_is_exact_and_failure_sticks),
		cmocka_unit_test(fini_makes_it_usable_again),
		cmocka_unit_test(sizes_that_overflow_are_refused),
		cmocka_unit_test(want_of_memory_fails_like_the_cap),
		cmocka_unit_test(copies_are_terminated_and_keep_nul),
		cmocka_unit_test(failed_strings_are_empty_never_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
