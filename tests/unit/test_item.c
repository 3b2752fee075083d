/* test_item.c - a provider's message becomes the row hl.intake takes: encodings, senders, places, tasks */
#include "refdata_fixture.h"

#include "hotline/item.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a)  (sizeof(a) / sizeof((a)[0]))
#define MOBILE  "+8610000000001"
#define TUESDAY "2026-09-22 10:00"

static struct hl_refdata *ref;

static int load(void **state)
{
	(void)state;
	ref = fixture_refdata();
	return 0;
}

static int unload(void **state)
{
	(void)state;
	hl_refdata_free(&ref);
	assert_null(ref);
	return 0;
}

static struct hl_inbound inbound(const char *from, struct hl_slice bytes, const char *charset)
{
	return (struct hl_inbound){.external_id = HL_LIT("x-1"),
				   .from = hl_slice_str(from),
				   .to = HL_LIT("12345"),
				   .bytes = bytes,
				   .charset = charset};
}

static json_t *item_within(size_t arena_bytes, const struct hl_inbound *in)
{
	struct hl_arena arena;
	json_t *item;

	hl_arena_init(&arena, arena_bytes);
	item = hl_intake_item(ref, "main", "86", in, &arena, at(TUESDAY));
	hl_arena_fini(&arena);
	return item;
}

static json_t *item_of(const char *from, const char *text)
{
	struct hl_inbound in = inbound(from, hl_slice_str(text), "UTF-8");
	json_t *item = item_within(1 << 20, &in);

	assert_non_null(item);
	return item;
}

static void words_decide_type_urgency_place_and_tasks(void **state)
{
	static const struct {
		const char *text, *disposition, *type, *urgency, *compound, *lead;
	} cases[] = {
		{"锦绣花园3号楼有人私搭乱建，在楼顶盖了个阳光房", "dispatch", "URB-2", "normal", "C001", "URB"},
		{"盛世嘉园2号楼停电了，全楼没电", "dispatch", "UTI-1", "urgent", "C003", "UTI-PWR"},
		{"锦绣花园5号楼燃气泄漏，味道很大", "dispatch", "UTI-4", "emergency", "C001", "UTI-GRX"},
		{"有人在楼顶私搭乱建盖阳光房", "review", "URB-2", "normal", NULL, "(none)"},
		{"今天天气不错", "review", NULL, "normal", NULL, "(none)"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		json_t *item = item_of(MOBILE, cases[i].text);

		assert_string_equal(fixture_word(item, "disposition"), cases[i].disposition);
		if (cases[i].type)
			assert_string_equal(fixture_word(item, "type"), cases[i].type);
		assert_string_equal(fixture_word(item, "urgency"), cases[i].urgency);
		assert_string_equal(fixture_word(item, "compound"), cases[i].compound ? cases[i].compound : "(none)");
		assert_string_equal(fixture_word(item, "tasks.0.unit"), cases[i].lead);
		assert_string_equal(fixture_word(item, "verb"), "report");
		assert_string_equal(fixture_word(item, "phone"), MOBILE);
		assert_string_equal(fixture_word(item, "body"), cases[i].text);
		assert_string_equal(fixture_word(item, "channel"), "main");
		assert_string_equal(fixture_word(item, "ext"), "x-1");
		assert_string_equal(fixture_word(item, "sent_to"), "12345");
		assert_true(json_integer_value(json_object_get(item, "review_us")) > at(TUESDAY));
		assert_null(json_object_get(item, "i"));
		json_decref(item);
	}
}

static void every_encoding_arrives_as_clean_utf8(void **state)
{
	static const struct {
		struct hl_slice bytes;
		const char *charset, *body;
	} cases[] = {
		{HL_LIT("\xc2\xa9\xcb\xae"), "GBK", "漏水"},      {HL_LIT("\xc2\xa9\xcb\xae\xc1\xcb"), NULL, "漏水了"},
		{HL_LIT("\x6f\x0f\x6c\x34"), "UTF-16BE", "漏水"}, {HL_LIT("\xff\xfe\x0f\x6f\x34\x6c"), NULL, "漏水"},
		{HL_LIT("a\0b\r\nc"), "UTF-8", "ab\nc"},          {HL_LIT("ok \xff!"), "UTF-8", "ok \xef\xbf\xbd!"},
		{HL_LIT("plain"), "no such charset", "plain"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_inbound in = inbound(MOBILE, cases[i].bytes, cases[i].charset);
		json_t *item = item_within(1 << 20, &in);

		assert_string_equal(fixture_word(item, "body"), cases[i].body);
		json_decref(item);
	}
}

static void raw_bytes_travel_whole_as_base64(void **state)
{
	static const struct {
		struct hl_slice bytes;
		const char *raw;
	} cases[] = {
		{HL_LIT(""), ""},
		{HL_LIT("\0"), "AA=="},
		{HL_LIT("\xff\xfe"), "//4="},
		{HL_LIT("a\0b"), "YQBi"},
		{HL_LIT("\xc2\xa9\xcb\xae"), "wqnLrg=="},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_inbound in = inbound(MOBILE, cases[i].bytes, NULL);
		json_t *item = item_within(1 << 20, &in);

		assert_string_equal(fixture_word(item, "raw"), cases[i].raw);
		json_decref(item);
	}
}

static void senders_without_a_full_number_are_kept_and_never_answered(void **state)
{
	static const struct {
		const char *from, *disposition, *phone;
	} cases[] = {
		{"12345", "silent", "(none)"},           {"100861", "silent", "(none)"},
		{"HOTLINE", "silent", "(none)"},         {"", "silent", "(none)"},
		{"10000000001", "review", MOBILE},       {"0086 100-0000-0001", "review", MOBILE},
		{"＋８６10000000001", "review", MOBILE},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		json_t *item = item_of(cases[i].from, "今天天气不错");

		assert_string_equal(fixture_word(item, "disposition"), cases[i].disposition);
		assert_string_equal(fixture_word(item, "phone"), cases[i].phone);
		json_decref(item);
	}
}

static void a_blank_text_is_empty_and_a_machine_stays_silent(void **state)
{
	static const struct {
		const char *from, *text, *disposition;
	} cases[] = {
		{MOBILE, "", "empty"},   {MOBILE, " \n\t", "empty"}, {MOBILE, "。。。！", "empty"},
		{MOBILE, "？", "empty"}, {"12345", "", "silent"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		json_t *item = item_of(cases[i].from, cases[i].text);

		assert_string_equal(fixture_word(item, "disposition"), cases[i].disposition);
		assert_string_equal(fixture_word(item, "verb"), "report");
		json_decref(item);
	}
}

static void what_is_no_report_is_told_apart(void **state)
{
	static const struct {
		const char *text, *verb;
	} cases[] = {
		/* Without cases that it could be about, a command is asked back: not a new report, whatever it is. */
		{"查", "ask"},
		{"撤", "ask"},
		{"帮助", "help"},
		{"谢谢", "none"},
		{"锦绣花园3号楼漏水", "report"},
		/* "刚才说错了" would be a correction of a case. */
		{"刚才说错了，是3号楼煤气泄漏", "report"},
		{"刚才说错了，是3号楼", "ask"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		json_t *item = item_of(MOBILE, cases[i].text);

		assert_string_equal(fixture_word(item, "verb"), cases[i].verb);
		json_decref(item);
	}
}

static void tasks_carry_limits_and_ladders(void **state)
{
	json_t *item = item_of(MOBILE, "锦绣花园5号楼着火了，有人被困");
	const json_t *task = fixture_at_path(item, "tasks.0");
	int64_t now_us = at(TUESDAY), due = 0;
	const json_t *entry;
	size_t i;

	(void)state;
	assert_string_equal(fixture_word(task, "unit"), "FIR");
	assert_string_equal(fixture_word(task, "role"), "lead");
	assert_int_equal(json_integer_value(json_object_get(task, "from_us")), now_us);
	assert_int_equal(json_integer_value(json_object_get(task, "sign_us")), now_us + 15 * US_PER_MINUTE);
	assert_int_equal(json_integer_value(json_object_get(task, "arrive_us")), now_us + US_PER_HOUR);
	assert_int_equal(json_integer_value(json_object_get(task, "close_us")), now_us + US_PER_DAY);
	assert_true(json_is_false(json_object_get(task, "provisional")));
	assert_true(json_array_size(json_object_get(task, "rungs")) > 3);
	assert_int_equal(json_array_size(json_object_get(task, "rungs")),
			 json_array_size(json_object_get(task, "dues_us")));
	json_array_foreach (json_object_get(task, "dues_us"), i, entry) {
		assert_true(json_integer_value(entry) >= due);
		due = json_integer_value(entry);
	}
	assert_string_equal(fixture_word(item, "tasks.1.unit"), "POL");
	assert_string_equal(fixture_word(item, "tasks.1.role"), "co");
	json_decref(item);
}

/* Whatever the cap: a whole item or none. An item without its key or its raw bytes would be stored as somebody else's.
 */
static void want_of_memory_gives_no_item_at_all(void **state)
{
	static char text[4096];
	struct hl_inbound in = inbound(MOBILE, (struct hl_slice){text, sizeof(text)}, "UTF-8");
	unsigned n_whole = 0, n_none = 0;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t bytes = 0; bytes < 1024 << 10; bytes += 4096) {
		json_t *item = item_within(bytes, &in);

		if (item) {
			assert_string_equal(fixture_word(item, "ext"), "x-1");
			assert_string_equal(fixture_word(item, "sent_to"), "12345");
			assert_true(strlen(fixture_word(item, "raw")) > in.bytes.len);
		}
		n_whole += item != NULL;
		n_none += item == NULL;
		json_decref(item);
	}
	assert_true(n_whole > 0 && n_none > 0);
}

static void receipts_say_what_the_provider_said(void **state)
{
	static const char *const words[] = {"buffered", "delivered", "undelivered", "rejected", "other"};

	(void)state;
	for (size_t i = 0; i < LEN(words); i++) {
		struct hl_receipt r = {.attempt = 42,
				       .state = (enum hl_receipt_state)i,
				       .external_id = HL_LIT("p-9"),
				       .status_text = HL_LIT("DELIVRD")};
		json_t *item = hl_intake_receipt("main", &r);

		assert_string_equal(fixture_word(item, "state"), words[i]);
		assert_string_equal(fixture_word(item, "channel"), "main");
		assert_string_equal(fixture_word(item, "external"), "p-9");
		assert_string_equal(fixture_word(item, "status"), "DELIVRD");
		assert_int_equal(json_integer_value(json_object_get(item, "attempt")), 42);
		json_decref(item);
	}
}

static void a_receipt_has_a_key_of_its_own_even_without_an_external_id(void **state)
{
	struct hl_receipt r = {.attempt = 42, .state = HL_RECEIPT_DELIVERED};
	json_t *item = hl_intake_receipt("main", &r), *other;

	(void)state;
	r.attempt = 43;
	other = hl_intake_receipt("main", &r);
	assert_null(json_object_get(item, "external"));
	assert_null(json_object_get(item, "status"));
	assert_string_not_equal(fixture_word(item, "ext"), "(none)");
	assert_string_not_equal(fixture_word(item, "ext"), fixture_word(other, "ext"));
	json_decref(item);
	json_decref(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_decide_type_urgency_place_and_tasks),
		cmocka_unit_test(every_encoding_arrives_as_clean_utf8),
		cmocka_unit_test(raw_bytes_travel_whole_as_base64),
		cmocka_unit_test(senders_without_a_full_number_are_kept_and_never_answered),
		cmocka_unit_test(a_blank_text_is_empty_and_a_machine_stays_silent),
		cmocka_unit_test(what_is_no_report_is_told_apart),
		cmocka_unit_test(tasks_carry_limits_and_ladders),
		cmocka_unit_test(want_of_memory_gives_no_item_at_all),
		cmocka_unit_test(receipts_say_what_the_provider_said),
		cmocka_unit_test(a_receipt_has_a_key_of_its_own_even_without_an_external_id),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
