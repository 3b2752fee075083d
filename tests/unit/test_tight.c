/* test_tight.c - what stands between the characters of a word is taken out, and nothing else */
#include "intake/tight.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static void takes_out_what_stands_between(void **state)
{
	static const struct {
		const char *raw, *tight;
	} rows[] = {
		{"", ""},
		{"停 水", "停水"},
		{"停\n水", "停水"},
		{"wifi 5g", "wifi 5g"},
		{"消 防 通 道", "消防通道"},
		{"消.防.通.道", "消防通道"},
		{"消·防·通·道", "消防通道"},
		{"消-防-通-道堵了", "消防通道堵了"},
		{"消~防~通~道", "消防通道"},
		{"消/防/通", "消防通"},
		{"消．防．通", "消防通"},
		{"消防.通道", "消防.通道"}, /* once is punctuation */
		{"电梯/水管", "电梯/水管"},
		{"消.防/通", "消.防/通"}, /* different marks */
		{"3.5.7", "3.5.7"},
		{"3-2-501", "3-2-501"},
		{"停。水。电", "停。水。电"}, /* sentences */
		{"停、水、电", "停、水、电"}, /* a list */
		{"消防🚒通道🚗🚗堵了😡", "消防通道堵了"},
		{"着火了🔥🔥🔥", "着火了"},
		{"👨‍👩‍👧三人被困", "三人被困"},
		{"👍🏽好", "好"},
		{"3️⃣号楼", "3号楼"},
		{"★停水★", "停水"},
		{"50℃", "50°c"},
		{"停\xFF水", "停\xEF\xBF\xBD水"},
		{"a.b.c", "a.b.c"},
		{"電 梯 壞 了", "电梯坏了"},
	};
	struct hl_arena arena;

	(void)state;
	hl_arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < LEN(rows); i++) {
		struct hl_slice tight = hl_fold_tight(&arena, hl_slice_str(rows[i].raw));

		if (!hl_slice_eq_str(tight, rows[i].tight))
			fail_msg("\"%s\" became \"%.*s\"", rows[i].raw, HL_SLICE_ARG(tight));
	}
	hl_arena_fini(&arena);
}

static void a_full_arena_gives_nothing(void **state)
{
	struct hl_arena arena;

	(void)state;
	hl_arena_init(&arena, 8);
	assert_int_equal(hl_fold_tight(&arena, HL_LIT("停水停水停水")).len, 0);
	assert_true(hl_arena_failed(&arena));
	hl_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_out_what_stands_between),
		cmocka_unit_test(a_full_arena_gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
