/* test_log.c - line shape, escaping, caps, masking, rate limit, one write per line */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hotline/clock.h"
#include "hotline/log.h"
#include "hotline/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HEAD     "2026-11-25T03:24:26.123Z "

static int64_t mono_now = HL_US_PER_S;

static int64_t fake_mono(void)
{
	return mono_now;
}

static int64_t fake_wall(void)
{
	return INT64_C(1795577066123456);
}

struct seen {
	char line[1200];
	enum hl_level level;
	size_t n;
};

static void see(void *arg, enum hl_level level, const char *line)
{
	struct seen *seen = arg;

	assert_in_range(strlen(line), 1, sizeof(seen->line) - 1);
	memcpy(seen->line, line, strlen(line) + 1);
	seen->level = level;
	seen->n++;
}

/* Every test begins with a full bucket and nothing untold. */
static int watch(void **state)
{
	static struct seen seen;

	hl_clock_fake(fake_mono, fake_wall);
	hl_log_set_sink(see, &seen);
	hl_log_set_level(HL_DEBUG);
	mono_now += 2 * HL_US_PER_S;
	hl_log(HL_INFO, "test.begin");
	mono_now += 2 * HL_US_PER_S;
	seen = (struct seen){.n = 0};
	*state = &seen;
	return 0;
}

static int unwatch(void **state)
{
	(void)state;
	hl_log_set_sink(NULL, NULL);
	hl_log_set_level(HL_INFO);
	hl_clock_fake(NULL, NULL);
	return 0;
}

static void a_line_is_time_level_event_and_fields(void **state)
{
	struct seen *seen = *state;

	hl_log(HL_INFO, "case.opened", HL_STR("case", "26-000123"), HL_INT("n", -7), HL_SLICE("unit", HL_LIT("FIR")));
	assert_string_equal(seen->line, HEAD "info case.opened case=26-000123 n=-7 unit=FIR");
	assert_int_equal(seen->level, HL_INFO);
	hl_log(HL_ERROR, "db.down");
	assert_string_equal(seen->line, HEAD "error db.down");
	hl_log(HL_WARN, "x", HL_STR("null", NULL));
	assert_string_equal(seen->line, HEAD "warn x null=\"\"");
}

static void lines_below_the_level_are_not_written(void **state)
{
	struct seen *seen = *state;

	hl_log_set_level(HL_WARN);
	hl_log(HL_DEBUG, "a");
	hl_log(HL_INFO, "b");
	assert_int_equal(seen->n, 0);
	hl_log(HL_WARN, "c");
	hl_log(HL_ERROR, "d");
	assert_int_equal(seen->n, 2);
}

static void levels_are_read_from_words(void **state)
{
	static const char *const words[] = {"debug", "info", "warn", "error"};
	enum hl_level level = HL_WARN;

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		assert_true(hl_log_parse_level(words[i], &level));
		assert_int_equal(level, i);
	}
	level = HL_WARN;
	assert_false(hl_log_parse_level("loud", &level));
	assert_false(hl_log_parse_level("", &level));
	assert_false(hl_log_parse_level(NULL, &level));
	assert_int_equal(level, HL_WARN);
}

static void values_cannot_break_the_line(void **state)
{
	static const struct {
		struct hl_slice raw;
		const char *shown;
	} rows[] = {
		{HL_LIT("plain-1.2/x:y"), "plain-1.2/x:y"},
		{HL_LIT("停水"), "停水"},
		{HL_LIT(""), "\"\""},
		{HL_LIT("two words"), "\"two words\""},
		{HL_LIT("a=b"), "\"a=b\""},
		{HL_LIT("say \"hi\""), "\"say \\\"hi\\\"\""},
		{HL_LIT("c:\\x"), "\"c:\\\\x\""},
		{HL_LIT("a\nb\r\tc"), "\"a\\nb\\r\\tc\""},
		{HL_LIT("\0\x1B[31m\x7F"), "\"\\u{00}\\u{1B}[31m\\u{7F}\""},
		{HL_LIT("\xC2\x85\xC2\x9B"), "\"\\u{85}\\u{9B}\""},
		{HL_LIT("\xE2\x80\xAE\xE2\x81\xA6"), "\"\\u{202E}\\u{2066}\""},
		{HL_LIT("\xE2\x80\xAA\xE2\x81\xA9\xE2\x80\xA8"), "\"\\u{202A}\\u{2069}\\u{2028}\""},
		{HL_LIT("a\xFF\xE6\xB0"), "\"a\\xFF\\xE6\\xB0\""},
		{HL_LIT("\xEF\xBF\xBD"), "\xEF\xBF\xBD"},
		{HL_LIT("全\xE3\x80\x80角"), "\"全\xE3\x80\x80角\""},
	};
	struct seen *seen = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *value;

		hl_log(HL_INFO, "x", HL_SLICE("v", rows[i].raw));
		value = strstr(seen->line, " v=");
		assert_non_null(value);
		assert_string_equal(value + 3, rows[i].shown);
	}
}

static void phones_are_masked(void **state)
{
	struct seen *seen = *state;

	hl_log(HL_INFO, "x", HL_PHONE("to", HL_LIT("+8610000000001")), HL_PHONE("from", HL_LIT("12345")),
	       HL_PHONE("odd", HL_LIT("a b")));
	assert_string_equal(seen->line, HEAD "info x to=+86100****0001 from=12345 odd=****");
}

static void a_long_value_is_cut_and_says_so(void **state)
{
	struct seen *seen = *state;
	char raw[300], want[400];

	memset(raw, 'a', sizeof(raw));
	hl_log(HL_INFO, "x", HL_SLICE("v", ((struct hl_slice){raw, 200})));
	snprintf(want, sizeof(want), HEAD "info x v=%.200s", raw);
	assert_string_equal(seen->line, want);
	hl_log(HL_INFO, "x", HL_SLICE("v", ((struct hl_slice){raw, 201})), HL_INT("n", 1));
	snprintf(want, sizeof(want), HEAD "info x v=%.200s... n=1", raw);
	assert_string_equal(seen->line, want);
}

static void a_cut_never_splits_an_escape_or_a_character(void **state)
{
	struct seen *seen = *state;
	static const char odd[] = "\x01水\n";
	char raw[300];

	for (size_t lead = 190; lead <= 200; lead++) {
		memset(raw, 'a', sizeof(raw));
		memcpy(raw + lead, odd, sizeof(odd) - 1);
		hl_log(HL_INFO, "x", HL_SLICE("v", ((struct hl_slice){raw, sizeof(raw)})));
		assert_true(hl_text_is_utf8(hl_slice_str(seen->line)));
		assert_null(strstr(seen->line, "\\."));
		assert_null(strstr(seen->line, "{0."));
		assert_null(strstr(seen->line, "u..."));
		assert_non_null(strstr(seen->line, "..."));
	}
}

static void a_long_line_leaves_fields_out_and_says_so(void **state)
{
	struct seen *seen = *state;
	char raw[200];
	struct hl_slice v = {raw, sizeof(raw)};

	memset(raw, 'a', sizeof(raw));
	hl_log(HL_INFO, "x", HL_SLICE("a", v), HL_SLICE("b", v), HL_SLICE("c", v), HL_SLICE("d", v), HL_SLICE("e", v),
	       HL_INT("f", 1));
	assert_in_range(strlen(seen->line), 800, 1000);
	assert_null(strstr(seen->line, " e="));
	assert_null(strstr(seen->line, " f="));
	assert_string_equal(seen->line + strlen(seen->line) - 8, "aa cut=1");

	for (size_t len = 100; len <= sizeof(raw); len++) {
		struct hl_slice last = {raw, len};

		hl_log(HL_INFO, "x", HL_SLICE("a", v), HL_SLICE("b", v), HL_SLICE("c", v), HL_SLICE("d", v),
		       HL_SLICE("e", last), HL_STR("f", "a longer one"));
		assert_true(strlen(seen->line) <= 1000);
		assert_true(!strstr(seen->line, " f=") == !!strstr(seen->line, " cut=1"));
	}
}

static void over_the_rate_lines_are_counted_and_told_later(void **state)
{
	struct seen *seen = *state;
	unsigned long long before = hl_log_dropped();

	for (int i = 0; i < 2500; i++)
		hl_log(HL_INFO, "flood");
	assert_int_equal(seen->n, 2000);
	assert_int_equal(hl_log_dropped() - before, 500);

	mono_now += 10 * HL_US_PER_MS;
	for (int i = 0; i < 100; i++)
		hl_log(HL_INFO, "flood");
	assert_int_equal(hl_log_dropped() - before, 580);
	assert_null(strstr(seen->line, "log.dropped"));
}

struct told {
	char text[100];
	size_t n;
};

static void keep_told(void *arg, enum hl_level level, const char *line)
{
	struct told *told = arg;
	const char *text = strstr(line, "log.dropped");

	if (!text)
		return;
	assert_int_equal(level, HL_WARN);
	snprintf(told->text, sizeof(told->text), "%s", text);
	told->n++;
}

static void flood(int n_lines)
{
	for (int i = 0; i < n_lines; i++)
		hl_log(HL_INFO, "flood");
}

static void what_was_dropped_is_told_once_a_second(void **state)
{
	struct told told = {.n = 0};

	(void)state;
	hl_log_set_sink(keep_told, &told);
	flood(2003);
	assert_int_equal(told.n, 0);
	mono_now += HL_US_PER_S;
	hl_log(HL_INFO, "after");
	assert_int_equal(told.n, 1);
	assert_string_equal(told.text, "log.dropped lines=3");

	flood(2004);
	mono_now += HL_US_PER_S / 2;
	hl_log(HL_INFO, "too soon to tell again");
	assert_int_equal(told.n, 1);
	mono_now += HL_US_PER_S / 2;
	hl_log(HL_INFO, "now");
	assert_int_equal(told.n, 2);
	assert_string_equal(told.text, "log.dropped lines=5");
	mono_now += HL_US_PER_S;
	hl_log(HL_INFO, "nothing left to tell");
	assert_int_equal(told.n, 2);
}

static void standard_error_gets_whole_lines(void **state)
{
	int ends[2], saved = dup(STDERR_FILENO);
	char got[200];
	ssize_t n;

	(void)state;
	hl_log_set_sink(NULL, NULL);
	/* Packet mode: one read gives what one write put in. */
	assert_int_equal(pipe2(ends, O_DIRECT | O_NONBLOCK), 0);
	assert_true(saved >= 0 && dup2(ends[1], STDERR_FILENO) >= 0);
	hl_log(HL_INFO, "one", HL_INT("n", 1));
	hl_log(HL_INFO, "two");
	dup2(saved, STDERR_FILENO);
	n = read(ends[0], got, sizeof(got));
	assert_true(hl_slice_eq_str((struct hl_slice){got, n > 0 ? (size_t)n : 0}, HEAD "info one n=1\n"));
	n = read(ends[0], got, sizeof(got));
	assert_true(hl_slice_eq_str((struct hl_slice){got, n > 0 ? (size_t)n : 0}, HEAD "info two\n"));
	close(ends[0]);
	close(ends[1]);
	close(saved);
}

static void a_full_standard_error_drops_the_line(void **state)
{
	unsigned long long before = hl_log_dropped();
	int ends[2], saved = dup(STDERR_FILENO);

	(void)state;
	hl_log_set_sink(NULL, NULL);
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	assert_true(saved >= 0 && dup2(ends[1], STDERR_FILENO) >= 0);
	while (write(ends[1], "................", 16) > 0)
		;
	hl_log(HL_INFO, "lost");
	dup2(saved, STDERR_FILENO);
	assert_int_equal(hl_log_dropped() - before, 1);
	close(ends[0]);
	close(ends[1]);
	close(saved);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_is_time_level_event_and_fields, watch, unwatch),
		cmocka_unit_test_setup_teardown(lines_below_the_level_are_not_written, watch, unwatch),
		cmocka_unit_test_setup_teardown(levels_are_read_from_words, watch, unwatch),
		cmocka_unit_test_setup_teardown(values_cannot_break_the_line, watch, unwatch),
		cmocka_unit_test_setup_teardown(phones_are_masked, watch, unwatch),
		cmocka_unit_test_setup_teardown(a_long_value_is_cut_and_says_so, watch, unwatch),
		cmocka_unit_test_setup_teardown(a_cut_never_splits_an_escape_or_a_character, watch, unwatch),
		cmocka_unit_test_setup_teardown(a_long_line_leaves_fields_out_and_says_so, watch, unwatch),
		cmocka_unit_test_setup_teardown(over_the_rate_lines_are_counted_and_told_later, watch, unwatch),
		cmocka_unit_test_setup_teardown(what_was_dropped_is_told_once_a_second, watch, unwatch),
		cmocka_unit_test_setup_teardown(standard_error_gets_whole_lines, watch, unwatch),
		cmocka_unit_test_setup_teardown(a_full_standard_error_drops_the_line, watch, unwatch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
