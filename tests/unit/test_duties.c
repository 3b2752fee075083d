/* test_duties.c - units, case types and groups: look-ups and refusals */
#include "calendar_fixture.h"

#include "hotline/duties.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define UNITS                                                                                                              \
	"{'units': [{'code': 'HOU', 'name': '住建局', 'kind': 'authority'}, {'code': 'FIR', 'name': '消防', 'kind': " \
	"'authority'}]}"
#define GROUPS      "'groups': {'STR': {'members': ['STR-A', 'STR-B']}, 'PMC': {'members': 'property companies'}}"
#define TYPES(list) "{'case_types': [" list "], " GROUPS "}"
#define FIR_1       "{'code': 'FIR-1', 'name': '火灾', 'lead': 'FIR', 'co': ['HOU', 'STR']}"

static enum hl_class make(const char *units, const char *types, struct hl_duties **out_r, struct hl_error *err)
{
	json_t *u = fixture_json(units), *t = fixture_json(types);
	enum hl_class cls = hl_duties_new(u, t, out_r, err);

	/* The duties keep the documents themselves. */
	json_decref(u);
	json_decref(t);
	return cls;
}

static struct hl_duties *must_make(const char *units, const char *types)
{
	struct hl_duties *d;
	struct hl_error err;

	if (make(units, types, &d, &err))
		fail_msg("%s", err.text);
	assert_non_null(d);
	return d;
}

static void units_and_types_are_found_by_code(void **state)
{
	struct hl_duties *d = must_make(UNITS, TYPES(FIR_1));
	const struct hl_unit *unit = hl_duties_unit(d, "FIR");
	const struct hl_case_type *type = hl_duties_type(d, "FIR-1");

	(void)state;
	assert_string_equal(unit->name, "消防");
	assert_string_equal(unit->kind, "authority");
	assert_string_equal(type->name, "火灾");
	assert_string_equal(type->lead, "FIR");
	assert_int_equal(type->n_co, 2);
	assert_string_equal(type->co[0], "HOU");
	assert_string_equal(type->co[1], "STR");
	assert_null(hl_duties_unit(d, "FIR-1"));
	assert_null(hl_duties_unit(d, ""));
	assert_null(hl_duties_unit(d, "STR"));
	assert_null(hl_duties_type(d, "FIR"));
	hl_duties_free(&d);
	assert_null(d);
	hl_duties_free(&d);
}

static void groups_have_members_or_leave_them_to_the_place(void **state)
{
	struct hl_duties *d = must_make(UNITS, TYPES(FIR_1));

	(void)state;
	assert_true(hl_duties_is_group(d, "STR"));
	assert_true(hl_duties_is_group(d, "PMC"));
	assert_false(hl_duties_is_group(d, "FIR"));
	assert_false(hl_duties_is_group(d, "STR-A"));
	assert_string_equal(hl_duties_member(d, "STR", 0), "STR-A");
	assert_string_equal(hl_duties_member(d, "STR", 1), "STR-B");
	assert_null(hl_duties_member(d, "STR", 2));
	assert_null(hl_duties_member(d, "PMC", 0));
	assert_null(hl_duties_member(d, "FIR", 0));
	hl_duties_free(&d);
}

static void a_type_may_have_no_co_units_and_at_most_four(void **state)
{
	struct hl_duties *d = must_make(
		UNITS, TYPES("{'code': 'X', 'name': 'x', 'lead': 'STR'},"
			     "{'code': 'Y', 'name': 'y', 'lead': 'PMC', 'co': ['HOU', 'HOU', 'FIR', 'STR']}"));

	(void)state;
	assert_int_equal(hl_duties_type(d, "X")->n_co, 0);
	assert_int_equal(hl_duties_type(d, "Y")->n_co, 4);
	hl_duties_free(&d);
}

static void mistakes_are_named_by_entry_and_rule(void **state)
{
	static const struct {
		const char *units, *types, *text;
	} cases[] = {
		{"{'units': []}", TYPES(FIR_1), "units: must be a list with at least one unit"},
		{"{}", TYPES(FIR_1), "units: must be a list with at least one unit"},
		{"{'units': {'FIR': 1}}", TYPES(FIR_1), "units: must be a list with at least one unit"},
		{UNITS, TYPES(""), "case_types: must be a list with at least one type"},
		{UNITS, "{}", "case_types: must be a list with at least one type"},
		{"{'units': [{'code': 'FIR', 'name': '消防'}]}", TYPES(FIR_1),
		 "units[0]: code, name and kind must be texts"},
		{"{'units': [{'code': 1, 'name': '消防', 'kind': 'x'}]}", TYPES(FIR_1),
		 "units[0]: code, name and kind must be texts"},
		{"{'units': ['FIR']}", TYPES(FIR_1), "units[0]: code, name and kind must be texts"},
		{"{'units': [{'code': 'A', 'name': 'a', 'kind': 'x'}, {'code': 'A', 'name': 'b', 'kind': 'x'}]}",
		 TYPES(FIR_1), "units[1].code: A is there twice"},
		{UNITS, TYPES("{'code': 'X', 'name': 'x'}"), "case_types[0]: code, name and lead must be texts"},
		{UNITS, TYPES(FIR_1 "," FIR_1), "case_types[1].code: FIR-1 is there twice"},
		{UNITS, TYPES("{'code': 'X', 'name': 'x', 'lead': 'POL'}"),
		 "case_types X.lead: POL is no unit or group"},
		{UNITS, TYPES("{'code': 'X', 'name': 'x', 'lead': 'FIR', 'co': ['POL']}"),
		 "case_types X.co: POL is no unit or group"},
		{UNITS, TYPES("{'code': 'X', 'name': 'x', 'lead': 'FIR', 'co': [7]}"),
		 "case_types X.co: (not a text) is no unit or group"},
		{UNITS, TYPES("{'code': 'X', 'name': 'x', 'lead': 'FIR', 'co': ['HOU', 'HOU', 'HOU', 'HOU', 'HOU']}"),
		 "case_types X.co: at most 4 units"},
		{UNITS, TYPES("{'code': 'X', 'name': 'x', 'lead': 'FIR', 'co': 'HOU'}"),
		 "case_types X.co: must be a list"},
		{UNITS, TYPES("{'code': 'X', 'name': 'x', 'lead': 'FIR', 'demands': 'solved'}"),
		 "case_types X.demands: must be a list"},
		{UNITS, TYPES("{'code': 'X', 'name': 'x', 'lead': 'FIR', 'demands': ['solved', 'cake']}"),
		 "case_types X.demands[1]: must be is_true, contacted, solved, how or evidence"},
		{UNITS, TYPES("{'code': 'X', 'name': 'x', 'lead': 'FIR', 'demands': [1]}"),
		 "case_types X.demands[0]: must be is_true, contacted, solved, how or evidence"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hl_duties *d;
		struct hl_error err = {.text = ""};

		assert_int_equal(make(cases[i].units, cases[i].types, &d, &err), HL_INPUT);
		assert_null(d);
		assert_string_equal(err.text, cases[i].text);
	}
}

static void the_shipped_table_is_whole(void **state)
{
	json_t *units = json_load_file("schema/ref/units.json", 0, NULL),
	       *types = json_load_file("schema/ref/case_types.json", 0, NULL);
	static const char *const groups[] = {"STR", "UTI-GAS"};
	const char *member;
	struct hl_duties *d;
	struct hl_error err = {.text = ""};

	(void)state;
	if (hl_duties_new(units, types, &d, &err))
		fail_msg("%s", err.text);
	assert_int_equal(json_array_size(json_object_get(types, "case_types")), 47);
	json_decref(units);
	json_decref(types);
	for (size_t g = 0; g < 2; g++) {
		assert_non_null(hl_duties_member(d, groups[g], 0));
		for (size_t i = 0; (member = hl_duties_member(d, groups[g], i)); i++)
			assert_non_null(hl_duties_unit(d, member));
	}
	assert_true(hl_duties_is_group(d, "PMC"));
	assert_string_equal(hl_duties_type(d, "OUT-0")->lead, "HOT");
	hl_duties_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_and_types_are_found_by_code),
		cmocka_unit_test(groups_have_members_or_leave_them_to_the_place),
		cmocka_unit_test(a_type_may_have_no_co_units_and_at_most_four),
		cmocka_unit_test(mistakes_are_named_by_entry_and_rule),
		cmocka_unit_test(the_shipped_table_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
