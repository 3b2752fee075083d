/* test_reftable.c - tables of reference data without files or database: CSV, iCalendar, lines, cells, differences */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "calendar_fixture.h"
#include "hotline/csv.h"
#include "hotline/ical.h"
#include "hotline/reftable.h"

#define N(list) (sizeof(list) / sizeof *(list))

static void csv_knows_the_line_each_record_begins_on(void **state)
{
	static const size_t expected[] = {1, 2, 4, 6};
	struct hl_csv csv;
	(void)state;
	assert_int_equal(hl_csv_read(HL_LIT("a,b\r\n\"x\n\"\"y\"\"\",2\r\n,\"\"\n\nlast,\"4,5\""), &csv, NULL), HL_OK);
	assert_int_equal(json_array_size(csv.records), N(expected));
	for (size_t i = 0; i < N(expected); i++)
		assert_int_equal(csv.lines[i], expected[i]);
	assert_string_equal(json_string_value(json_array_get(json_array_get(csv.records, 1), 0)), "x\n\"y\"");
	assert_string_equal(json_string_value(json_array_get(json_array_get(csv.records, 3), 1)), "4,5");
	hl_csv_fini(&csv);
}

static void csv_refuses_quotes_that_do_not_close(void **state)
{
	struct hl_error err;
	struct hl_csv csv;
	(void)state;
	assert_int_equal(hl_csv_read(HL_LIT("a\n\"open\nand on"), &csv, &err), HL_INPUT);
	assert_non_null(strstr(err.text, "line 2"));
	assert_int_equal(hl_csv_read(HL_LIT("a\nb\nc\"d,e\n"), &csv, &err), HL_INPUT);
	assert_non_null(strstr(err.text, "line 3"));
}

static void what_csv_writes_it_reads(void **state)
{
	json_t *record = fixture_json("['plain','',' blank ','a,b','line\\nline','tab\\there','汉字；']"), *rows;
	struct hl_buf out;
	struct hl_csv csv;
	(void)state;
	json_array_append_new(record, json_string("\"quoted\""));
	hl_buf_init(&out, 1000);
	hl_csv_write(&out, record);
	assert_int_equal(hl_csv_read(hl_buf_slice(&out), &csv, NULL), HL_OK);
	rows = json_pack("[O]", record);
	assert_true(json_equal(csv.records, rows));
	json_decref(rows);
	json_decref(record);
	hl_csv_fini(&csv);
	hl_buf_fini(&out);
}

static void icalendar_gives_days_of_years(void **state)
{
	static const char text[] = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270930\r\n"
				   "DTEND;VALUE=DATE:20271002\r\nSUMMARY:x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\n"
				   "DTSTART;VALUE=DATE:20260501\r\nRRULE:FREQ=YEARLY\r\nSUMMARY:y\r\nEND:VEVENT\r\n"
				   "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20271009\r\nSUMMARY:z 补班\r\nEND:VEVENT\r\n"
				   "END:VCALENDAR\r\n";
	json_t *rows, *expected = fixture_json("[{'year':2026,'date':'2026-05-01','isOffDay':true,'name':'y'},"
					       "{'year':2027,'date':'2027-05-01','isOffDay':true,'name':'y'},"
					       "{'year':2027,'date':'2027-09-30','isOffDay':true,'name':'x'},"
					       "{'year':2027,'date':'2027-10-01','isOffDay':true,'name':'x'},"
					       "{'year':2027,'date':'2027-10-09','isOffDay':false,'name':'z 补班'}]");
	(void)state;
	assert_int_equal(hl_ical_holidays(hl_slice_str(text), 2027, &rows, NULL), HL_OK);
	assert_true(json_equal(rows, expected));
	json_decref(rows);
	json_decref(expected);
}

static void icalendar_that_says_nothing_or_too_much_is_refused(void **state)
{
	static const char *const texts[][2] = {
		{"", "iCalendar"},
		{"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "event"},
		{"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", "DTSTART"},
		{"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270101\r\nDTEND;VALUE=DATE:20280101\r\n"
		 "END:VEVENT\r\nEND:VCALENDAR\r\n",
		 "60 days"},
		{"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270101\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\n"
		 "DTSTART;VALUE=DATE:20270101\r\nSUMMARY:班\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		 "both"},
	};
	(void)state;
	for (size_t i = 0; i < N(texts); i++) {
		struct hl_error err = {.text = ""};
		json_t *rows;
		assert_int_equal(hl_ical_holidays(hl_slice_str(texts[i][0]), 2030, &rows, &err), HL_INPUT);
		if (!strstr(err.text, texts[i][1]))
			fail_msg("\"%s\" does not say %s", err.text, texts[i][1]);
	}
}

static void lines_of_json_rows_are_found_past_strings_and_brackets(void **state)
{
	size_t lines[8];
	struct hl_slice json = HL_LIT("{\"about\": \"units [{\",\n \"units\": [\n {\"a\": \"}]\\\"\", \"b\": [{}]},\n\n"
				      " {\"units\": [\n {}]}, {}\n],\n\"more\": [{}]}");
	(void)state;
	assert_int_equal(hl_reftable_lines(json, "units", HL_LINES_LIST, lines, N(lines)), 3);
	assert_int_equal(lines[0], 3);
	assert_int_equal(lines[1], 5);
	assert_int_equal(lines[2], 6);
	assert_int_equal(hl_reftable_lines(json, "units", HL_LINES_LIST, lines, 1), 1);
	assert_int_equal(hl_reftable_lines(HL_LIT("{\"units\": [\"open"), "units", HL_LINES_LIST, lines, N(lines)), 0);
}

static void lines_of_rows_that_lie_deeper_are_found_too(void **state)
{
	size_t lines[8];
	struct hl_slice years =
		HL_LIT("{\"days\": [{}],\n\"holidays\": [\n{\"year\": 1, \"papers\": [\"[{\"],\n\"days\": [{},\n"
		       "{}]},\n{\"days\": [\n{}]}]}");
	struct hl_slice limits = HL_LIT(
		"{\"about\": \"normal\",\n\"normal\": {},\n\"urgencies\": {\n\"urgent\": {\"sign\": \"normal\"},\n"
		"\n\"normal\":\n{\"sign\": {\"normal\": {}}}},\n\"x\": {\"emergency\": {}}}");
	(void)state;
	assert_int_equal(hl_reftable_lines(years, "holidays", HL_LINES_LISTS, lines, N(lines)), 3);
	assert_int_equal(lines[0], 4);
	assert_int_equal(lines[1], 5);
	assert_int_equal(lines[2], 7);
	assert_int_equal(hl_reftable_line_of(limits, "urgencies", "normal"), 7);
	assert_int_equal(hl_reftable_line_of(limits, "urgencies", "urgent"), 4);
	assert_int_equal(hl_reftable_line_of(limits, "urgencies", "emergency"), 0);
}

static void a_difference_is_by_key_and_field_and_empty_is_absent(void **state)
{
	json_t *was = fixture_json(
		"{'about':'x','places':[{'code':'A','name':'a','gas_company':null},{'code':'B','name':'b'}]}");
	json_t *is =
		fixture_json("{'about':'x','places':[{'code':'C','name':'c'},{'code':'A','name':'a','aliases':[]}]}");
	const struct hl_reftable *table = hl_reftable_find("compounds");
	json_t *changes = hl_reftable_diff(table, was, is), *none = hl_reftable_diff(table, is, is);
	(void)state;
	assert_int_equal(json_array_size(changes), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(changes, 0), "change")), "added");
	assert_string_equal(json_string_value(json_object_get(json_array_get(changes, 1), "key")), "B");
	assert_int_equal(json_array_size(none), 0);
	json_decref(none);
	json_decref(changes);
	json_object_set_new(was, "about", json_string("y"));
	json_object_set_new(was, "places", json_incref(json_object_get(is, "places")));
	changes = hl_reftable_diff(table, was, is);
	assert_int_equal(json_array_size(changes), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(changes, 0), "key")), "(document)");
	json_decref(changes);
	json_decref(was);
	json_decref(is);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(csv_knows_the_line_each_record_begins_on),
		cmocka_unit_test(csv_refuses_quotes_that_do_not_close),
		cmocka_unit_test(what_csv_writes_it_reads),
		cmocka_unit_test(icalendar_gives_days_of_years),
		cmocka_unit_test(icalendar_that_says_nothing_or_too_much_is_refused),
		cmocka_unit_test(lines_of_json_rows_are_found_past_strings_and_brackets),
		cmocka_unit_test(lines_of_rows_that_lie_deeper_are_found_too),
		cmocka_unit_test(a_difference_is_by_key_and_field_and_empty_is_absent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
