/* test_routing.c - order of routes, breaker, bucket */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <limits.h>
#include <string.h>
#include "hotline/routing.h"

#define S INT64_C(1000000)

static void the_breaker_opens_after_five_failures_in_a_row(void **state)
{
	struct hl_breaker b = {0};

	(void)state;
	for (int i = 0; i < 4; i++)
		hl_breaker_end(&b, true, 0);
	assert_int_equal(hl_breaker_state(&b, 0), HL_BREAKER_CLOSED);
	hl_breaker_end(&b, false, 0);
	for (int i = 0; i < 4; i++)
		hl_breaker_end(&b, true, 0);
	assert_int_equal(hl_breaker_state(&b, 0), HL_BREAKER_CLOSED);
	hl_breaker_end(&b, true, 0);
	assert_int_equal(hl_breaker_state(&b, 5 * S - 1), HL_BREAKER_OPEN);
	assert_int_equal(hl_breaker_state(&b, 5 * S), HL_BREAKER_HALF_OPEN);
}

static void one_probe_goes_and_its_end_decides(void **state)
{
	struct hl_breaker b = {0};

	(void)state;
	for (int i = 0; i < 5; i++)
		hl_breaker_end(&b, true, 0);
	hl_breaker_begin(&b, 5 * S);
	assert_int_equal(hl_breaker_state(&b, 5 * S), HL_BREAKER_OPEN);
	hl_breaker_end(&b, true, 6 * S);
	assert_int_equal(hl_breaker_state(&b, 16 * S - 1), HL_BREAKER_OPEN);
	assert_int_equal(hl_breaker_state(&b, 16 * S), HL_BREAKER_HALF_OPEN);
	hl_breaker_begin(&b, 16 * S);
	hl_breaker_end(&b, false, 17 * S);
	assert_int_equal(hl_breaker_state(&b, 17 * S), HL_BREAKER_CLOSED);
	assert_int_equal(b.failures, 0);
}

static void a_pause_is_at_most_five_minutes_and_late_ends_do_not_lengthen_it(void **state)
{
	struct hl_breaker b = {0};
	int64_t now = 0;

	(void)state;
	for (int i = 0; i < 5; i++)
		hl_breaker_end(&b, true, now);
	hl_breaker_end(&b, true, now + S);
	assert_int_equal(b.open_until_us, 5 * S);
	for (int i = 0; i < 12; i++) {
		now = b.open_until_us;
		hl_breaker_begin(&b, now);
		hl_breaker_end(&b, true, now);
	}
	assert_int_equal(b.open_until_us - now, 300 * S);
}

static void a_bucket_holds_a_second_and_fills_at_its_rate(void **state)
{
	struct hl_bucket b = {0};
	int64_t now = 100 * S;

	(void)state;
	assert_int_equal(hl_bucket_room(&b, 0, now), UINT_MAX);
	assert_int_equal(hl_bucket_room(&b, 10, now), 10);
	hl_bucket_take(&b, 10, 10, now);
	assert_int_equal(hl_bucket_room(&b, 10, now), 0);
	assert_int_equal(hl_bucket_room(&b, 10, now + S / 10), 1);
	assert_int_equal(hl_bucket_room(&b, 10, now + S / 2), 5);
	assert_int_equal(hl_bucket_room(&b, 10, now + 9 * S), 10);
	/* What was taken beyond the room is owed. */
	hl_bucket_take(&b, 10, 20, now + 9 * S);
	assert_int_equal(hl_bucket_room(&b, 10, now + 10 * S), 0);
	assert_int_equal(hl_bucket_room(&b, 10, now + 11 * S), 10);
}

/* ---- order ------------------------------------------------------------------ */

static char all[] = "all", officer[] = "officer", resident[] = "resident", bulk[] = "bulk";

struct bench {
	struct hl_channel_config channels[4];
	struct hl_config config;
	char joined[8];
};

static void init(struct bench *b, const char *purposes, const unsigned *costs, const char *mute)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	const struct hl_provider *loopback = hl_provider_find("loopback");

	*b = (struct bench){.config = {.n_channels = 4}};
	b->config.channels = b->channels;
	for (size_t i = 0; i < 4; i++)
		b->channels[i] = (struct hl_channel_config){
			.channel = {.name = names[i], .send_url = strstr(mute, names[i]) ? "" : "http://127.0.0.1:1/"},
			.ops = loopback,
			.cost = costs[i],
			.purpose = purposes[i] == 'o'   ? officer
				   : purposes[i] == 'r' ? resident
				   : purposes[i] == 'b' ? bulk
							: all};
}

static const char *order(struct bench *b, enum hl_route route)
{
	const struct hl_channel_config *list[4];
	size_t n = hl_route_order(&b->config, route, list);

	for (size_t i = 0; i < n; i++)
		b->joined[i] = list[i]->channel.name[0];
	b->joined[n] = '\0';
	return b->joined;
}

static void purpose_comes_first_then_cost_then_the_file(void **state)
{
	static const struct {
		const char *purposes, *mute;
		unsigned costs[4];
		const char *officer, *resident, *bulk;
	} cases[] = {
		{"aaaa", "", {0, 0, 0, 0}, "abcd", "abcd", "abcd"}, {"aaaa", "", {3, 2, 1, 2}, "cbda", "cbda", "cbda"},
		{"aora", "", {1, 9, 9, 0}, "bda", "cda", "da"},     {"oooo", "", {0, 0, 0, 0}, "abcd", "abcd", "abcd"},
		{"oaaa", "a", {0, 0, 0, 0}, "bcd", "bcd", "bcd"},   {"orbr", "", {0, 2, 0, 1}, "a", "db", "c"},
		{"aaaa", "abcd", {0, 0, 0, 0}, "", "", ""},
	};
	struct bench b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		init(&b, cases[i].purposes, cases[i].costs, cases[i].mute);
		assert_string_equal(order(&b, HL_ROUTE_OFFICER), cases[i].officer);
		assert_string_equal(order(&b, HL_ROUTE_RESIDENT), cases[i].resident);
		assert_string_equal(order(&b, HL_ROUTE_BULK), cases[i].bulk);
	}
}

static void a_list_of_routes_is_taken_as_it_stands(void **state)
{
	static const unsigned costs[] = {0, 0, 0, 0};
	char d[] = "d", a[] = "a", c[] = "c";
	char *list[] = {d, c, a}, *mute_only[] = {c};
	struct bench b;

	(void)state;
	init(&b, "aoaa", costs, "c");
	b.config.routes[HL_ROUTE_OFFICER] = list;
	b.config.n_routes[HL_ROUTE_OFFICER] = 3;
	b.config.routes[HL_ROUTE_BULK] = mute_only;
	b.config.n_routes[HL_ROUTE_BULK] = 1;
	assert_string_equal(order(&b, HL_ROUTE_OFFICER), "da");
	assert_string_equal(order(&b, HL_ROUTE_RESIDENT), "ad");
	assert_string_equal(order(&b, HL_ROUTE_BULK), "abd"); /* none of the list sends: any */
}

static void a_channel_fits_by_prefix_and_template(void **state)
{
	static const unsigned costs[] = {0, 0, 0, 0};
	char mainland[] = "+86", beijing[] = "+8610";
	char *prefixes[] = {mainland}, *two[] = {beijing, mainland};
	struct hl_template_ref templates[] = {{.key = "dispatch", .id = "SMS_1"}};
	struct bench b;

	(void)state;
	init(&b, "aaaa", costs, "");
	assert_true(hl_route_fits(&b.channels[0], "+8610000000001", "dispatch"));
	b.channels[0].prefixes = prefixes;
	b.channels[0].n_prefixes = 1;
	assert_true(hl_route_fits(&b.channels[0], "+8610000000001", "dispatch"));
	assert_false(hl_route_fits(&b.channels[0], "+8521000", "dispatch"));
	b.channels[0].prefixes = two;
	b.channels[0].n_prefixes = 2;
	assert_true(hl_route_fits(&b.channels[0], "+8620", "dispatch"));
	b.channels[1].ops = hl_provider_find("aliyun");
	b.channels[1].templates = templates;
	b.channels[1].n_templates = 1;
	assert_true(hl_route_fits(&b.channels[1], "+8610000000001", "dispatch"));
	assert_false(hl_route_fits(&b.channels[1], "+8610000000001", "receipt"));
}

static void only_what_was_surely_not_taken_asks_another_channel(void **state)
{
	(void)state;
	assert_true(hl_route_asks_other("refused"));
	assert_true(hl_route_asks_other("config"));
	assert_true(hl_route_asks_other("not_sent"));
	assert_false(hl_route_asks_other("unknown"));
	assert_false(hl_route_asks_other("later"));
	assert_false(hl_route_asks_other("accepted"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_breaker_opens_after_five_failures_in_a_row),
		cmocka_unit_test(one_probe_goes_and_its_end_decides),
		cmocka_unit_test(a_pause_is_at_most_five_minutes_and_late_ends_do_not_lengthen_it),
		cmocka_unit_test(a_bucket_holds_a_second_and_fills_at_its_rate),
		cmocka_unit_test(purpose_comes_first_then_cost_then_the_file),
		cmocka_unit_test(a_list_of_routes_is_taken_as_it_stands),
		cmocka_unit_test(a_channel_fits_by_prefix_and_template),
		cmocka_unit_test(only_what_was_surely_not_taken_asks_another_channel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
