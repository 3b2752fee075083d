/* test_records.c - the pure side of ledger and form: cells, sheets that would not fit, fields and their gaps */
#include "hotline/records.h"

#include "records/form_view.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <stdlib.h>
#include <string.h>

static json_t *parse(const char *text)
{
	json_error_t at;
	json_t *value = json_loads(text, 0, &at);

	if (!value)
		fail_msg("%s", at.text);
	return value;
}

/* ---- ledger --------------------------------------------------------------- */

static void test_a_cell_that_a_spreadsheet_would_run(void **state)
{
	(void)state;
	for (const char *const *t = (const char *const[]){"=1+1", "+86", "-1", "@SUM", "\tx", "\rx", NULL}; *t; t++)
		assert_true(hl_cell_is_formula(*t));
	for (const char *const *t = (const char *const[]){"", "1=1", " =1", "消防", "'=", NULL}; *t; t++)
		assert_false(hl_cell_is_formula(*t));
}

/* What CSV gives for one row whose place is `place`. */
static char *csv_of(const char *place)
{
	struct hl_error err = {.text = ""};
	struct hl_ledger *ledger;
	json_t *rows =
		json_pack("[{s:s, s:s, s:i, s:n}]", "case", "26-000001", "place", place, "reporters", -3, "lead");
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);
	struct hl_ledger_options options = {.format = HL_LEDGER_CSV, .is_english = true, .out = out};

	assert_int_equal(hl_ledger_open(&options, rows, &ledger, &err), HL_OK);
	assert_int_equal(hl_ledger_add(ledger, rows, &err), HL_OK);
	assert_int_equal(hl_ledger_close(&ledger, &err), HL_OK);
	fclose(out);
	json_decref(rows);
	return text;
}

static void test_csv_quotes_and_disarms(void **state)
{
	char *text;

	(void)state;
	text = csv_of("=a \"b\",\nc");
	assert_non_null(strstr(text, "\r\n\"26-000001\",\"\","));
	assert_non_null(strstr(text, ",\"'=a \"\"b\"\",\nc\","));
	assert_non_null(strstr(text, ",\"-3\",")); /* a number that is one is no formula */
	assert_memory_equal(text, "\xef\xbb\xbf\"case\",\"opened\"", 18);
	free(text);
}

static void test_json_is_one_document_even_when_empty(void **state)
{
	json_t *opened = parse("{\"export\": 7, \"as_of\": \"2026-11-25T10:00:00+08:00\", \"months\": []}"), *read;
	struct hl_error err = {.text = ""};
	struct hl_ledger *ledger;
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);
	struct hl_ledger_options options = {.format = HL_LEDGER_JSON, .out = out};

	(void)state;
	assert_int_equal(hl_ledger_open(&options, opened, &ledger, &err), HL_OK);
	assert_int_equal(hl_ledger_close(&ledger, &err), HL_OK);
	fclose(out);
	read = parse(text);
	assert_int_equal(json_integer_value(json_object_get(read, "export")), 7);
	assert_int_equal(json_array_size(json_object_get(read, "cases")), 0);
	json_decref(read);
	json_decref(opened);
	free(text);
}

static enum hl_class open_workbook(const char *months, struct hl_error *err)
{
	char path[] = "/tmp/hl-ledger-XXXXXX", opened_text[400];
	int fd = mkstemp(path);
	struct hl_ledger_options options = {.format = HL_LEDGER_XLSX, .path = path};
	struct hl_ledger *ledger = NULL;
	enum hl_class cls;
	json_t *opened;

	assert_true(fd >= 0);
	fclose(fdopen(fd, "w"));
	snprintf(opened_text, sizeof(opened_text), "{\"months\": %s}", months);
	opened = parse(opened_text);
	cls = hl_ledger_open(&options, opened, &ledger, err);
	if (cls == HL_OK) {
		json_t *rows =
			parse("[{\"case\": \"a\", \"month\": \"2026-01\", \"tasks\": [{}]}, {\"month\": \"2026-02\"}]");

		hl_ledger_add(ledger, rows, err);
		json_decref(rows);
		cls = hl_ledger_close(&ledger, err);
	}
	json_decref(opened);
	remove(path);
	return cls;
}

static void test_a_month_too_long_for_a_sheet_is_refused_with_the_way_out(void **state)
{
	struct hl_error err = {.text = ""};

	(void)state;
	assert_int_equal(open_workbook("[{\"month\": \"2026-01\", \"cases\": 2000000, \"tasks\": 1}]", &err), HL_LIMIT);
	assert_string_equal(err.text, "2026-01 has 2000000 cases and 1 tasks, more than a sheet holds: use --csv");
}

static void test_months_that_fit_one_by_one_are_written(void **state)
{
	struct hl_error err = {.text = ""};

	(void)state;
	assert_int_equal(open_workbook("[{\"month\": \"2026-01\", \"cases\": 900000, \"tasks\": 1000000},"
				       " {\"month\": \"2026-02\", \"cases\": 900000, \"tasks\": 1000000}]",
				       &err),
			 HL_OK);
}

/* ---- form ----------------------------------------------------------------- */

static json_t *words(void)
{
	json_error_t at;
	json_t *w = json_load_file("schema/ref/form.json", 0, &at);

	if (!w)
		fail_msg("%s:%d: %s", at.source, at.line, at.text);
	return w;
}

struct made {
	struct hl_arena arena;
	struct hl_error err;
	struct form_view view;
	enum hl_class cls;
};

static void make(struct made *m, json_t *w, const char *form_text, const char *copy)
{
	json_t *form = parse(form_text);

	hl_arena_init(&m->arena, 65536);
	m->cls = form_view_make(&m->arena, w, form, copy, &m->view, &m->err);
	/* The view borrows from the form: it lives as long as the words do. */
	json_object_set_new(w, "form", form);
}

static void test_a_full_form(void **state)
{
	json_t *w = words();
	struct made m;

	(void)state;
	make(&m, w,
	     "{\"case\": \"26-000001\", \"type_name\": \"T\", \"clause\": \"二\", \"details\": [\"a\", \"b\"],"
	     " \"receiving\": {\"unit\": \"U\", \"contact\": \"C\", \"phone\": \"P\"}, \"co\": [\"X\", \"Y\"], "
	     "\"chases\": 2,"
	     " \"receiving_opinion\": {\"text\": \"done\", \"name\": \"N\", \"at\": \"2026-03-09T10:00:00+08:00\"}}",
	     "all");
	assert_int_equal(m.cls, HL_OK);
	assert_int_equal(m.view.n_copies, 3);
	assert_string_equal(m.view.parties[1].contact, "接收人：C");
	assert_string_equal(m.view.boxes[1].text, "T（条款：二）\na\nb");
	assert_string_equal(m.view.boxes[3].sign, "负责人（签章）　N");
	assert_string_equal(m.view.boxes[3].date, "2026年3月9日");
	assert_string_equal(m.view.boxes[4].text, "协办单位：X、Y\n催办次数：2\n附违法违规照片");
	hl_arena_fini(&m.arena);
	json_decref(w);
}

static void test_an_empty_case_leaves_room_to_write(void **state)
{
	json_t *w = words();
	struct made m;

	(void)state;
	make(&m, w, "{\"case\": \"26-000001\"}", "office");
	assert_int_equal(m.cls, HL_OK);
	assert_int_equal(m.view.n_copies, 1);
	assert_string_equal(m.view.parties[1].unit, "");
	assert_string_equal(m.view.parties[1].phone, "电话：");
	assert_string_equal(m.view.boxes[3].text, "");
	assert_string_equal(m.view.boxes[3].date, "　　　年　　月　　日");
	hl_arena_fini(&m.arena);
	json_decref(w);
}

static void test_a_missing_word_and_an_unknown_copy_are_named(void **state)
{
	json_t *w = words();
	struct made m;

	(void)state;
	make(&m, w, "{}", "mine");
	assert_int_equal(m.cls, HL_INPUT);
	assert_string_equal(m.err.text, "copy: there is no copy mine");
	hl_arena_fini(&m.arena);
	json_object_del(json_object_get(w, "labels"), "sign");
	make(&m, w, "{}", "all");
	assert_int_equal(m.cls, HL_INPUT);
	assert_string_equal(m.err.text, "form.json: labels.sign: must be a text");
	hl_arena_fini(&m.arena);
	json_decref(w);
}

static void test_a_form_larger_than_its_cap_is_refused(void **state)
{
	json_t *w = words(), *form = json_object();
	char *long_text = malloc(3u << 20);
	struct hl_error err = {.text = ""};
	FILE *out = fopen("/dev/null", "w");

	(void)state;
	memset(long_text, 'x', (3u << 20) - 1);
	long_text[(3u << 20) - 1] = '\0';
	json_object_set_new(form, "details", json_pack("[s]", long_text));
	assert_int_equal(hl_form_write(HL_FORM_HTML, w, form, "all", out, &err), HL_LIMIT);
	fclose(out);
	free(long_text);
	json_decref(form);
	json_decref(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_cell_that_a_spreadsheet_would_run),
		cmocka_unit_test(test_csv_quotes_and_disarms),
		cmocka_unit_test(test_json_is_one_document_even_when_empty),
		cmocka_unit_test(test_a_month_too_long_for_a_sheet_is_refused_with_the_way_out),
		cmocka_unit_test(test_months_that_fit_one_by_one_are_written),
		cmocka_unit_test(test_a_full_form),
		cmocka_unit_test(test_an_empty_case_leaves_room_to_write),
		cmocka_unit_test(test_a_missing_word_and_an_unknown_copy_are_named),
		cmocka_unit_test(test_a_form_larger_than_its_cap_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
