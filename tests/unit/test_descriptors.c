/* test_descriptors.c - the soft limit of open descriptors goes up as far as it may, and never down */
#include "hotline/descriptors.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/resource.h>

/* The hard limit only ever falls in a process without privileges: one test, downwards. */
static void raises_the_soft_limit_as_far_as_the_hard_one(void **state)
{
	static const struct {
		rlim_t soft, hard;
		unsigned wanted, gets;
	} rows[] = {{100, 200, 150, 150}, {100, 200, 200, 200}, {100, 200, 5000, 200},
		    {100, 200, 50, 100},  {100, 100, 101, 100}, {90, 100, 0, 90}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rlimit limit = {.rlim_cur = rows[i].soft, .rlim_max = rows[i].hard};

		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		assert_int_equal(hl_descriptors_raise(rows[i].wanted), rows[i].gets);
		assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
		assert_int_equal(limit.rlim_cur, rows[i].gets);
		assert_int_equal(limit.rlim_max, rows[i].hard);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raises_the_soft_limit_as_far_as_the_hard_one),
	};

	return cmocka_run_group_tests_name("descriptors", tests, NULL, NULL);
}
