/* reftable_kinds.c - the kinds of reference data: columns, keys, and what each column must be
 *
 * A rule here is one that a single cell can break; reftable_check.c has those of rows, and the parsers of the daemon
 * judge the whole at the end.
 */
#include "refdata/reftable.h"

#include "hotline/calendar.h"

#include <stdio.h>
#include <string.h>

#define URGENCIES " normal urgent emergency "
#define ROLES     " officer deputy head duty grid "

static bool has_code(const struct hl_row_check *check, const char *kind, const char *code)
{
	const json_t *row;
	size_t i;
	json_array_foreach (json_object_get(json_object_get(check->docs, kind), kind), i, row)
		if (strcmp(hl_row_text(row, "code"), code) == 0)
			return true;
	return false;
}

static const char *unit_kind(const struct hl_row_check *check, const char *code)
{
	const json_t *row;
	size_t i;
	json_array_foreach (json_object_get(json_object_get(check->docs, "units"), "units"), i, row)
		if (strcmp(hl_row_text(row, "code"), code) == 0)
			return hl_row_text(row, "kind");
	return "";
}

static const char *known_unit(const struct hl_row_check *check, const char *text)
{
	return has_code(check, "units", text) ? NULL : "must be the code of a unit";
}

static const char *known_type(const struct hl_row_check *check, const char *text)
{
	return has_code(check, "case_types", text) ? NULL : "must be the code of a case type";
}

static const char *known_duty(const struct hl_row_check *check, const char *text)
{
	const json_t *groups = json_object_get(json_object_get(check->docs, "case_types"), "groups");
	if (strpbrk(text, ";,|/"))
		return "must be one unit: two leads are not allowed";
	return json_object_get(groups, text) || has_code(check, "units", text) ? NULL
									       : "must be the code of a unit or group";
}

static const char *known_subdistrict(const struct hl_row_check *check, const char *text)
{
	return strcmp(unit_kind(check, text), "subdistrict") == 0 ? NULL : "must be the code of a subdistrict office";
}

static const char *known_company(const struct hl_row_check *check, const char *text)
{
	return strcmp(unit_kind(check, text), "property_company") == 0 ? NULL
								       : "must be the code of a property company";
}

static const char *known_utility(const struct hl_row_check *check, const char *text)
{
	return strcmp(unit_kind(check, text), "utility") == 0 ? NULL : "must be the code of a utility";
}

static const char *known_template(const struct hl_row_check *check, const char *text)
{
	const json_t *row;
	size_t i;
	json_array_foreach (json_object_get(json_object_get(check->docs, "templates"), "templates"), i, row)
		if (strcmp(hl_row_text(row, "key"), text) == 0)
			return NULL;
	return "must be the key of a template";
}

static bool is_run_of(const char *text, const char *set, size_t min, size_t max)
{
	size_t n = strlen(text);
	return n >= min && n <= max && strspn(text, set) == n;
}

#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static const char *unit_code(const struct hl_row_check *check, const char *text)
{
	(void)check;
	bool is_code = is_run_of(text, UPPER DIGITS "-", 2, 16) && strchr(UPPER, text[0]);
	return is_code ? NULL : "must be 2 to 16 of A-Z, 0-9 and -, a letter first";
}

static const char *type_code(const struct hl_row_check *check, const char *text)
{
	(void)check;
	bool is_code = strspn(text, UPPER) == 3 && text[3] == '-' && is_run_of(text + 4, DIGITS, 1, 2);
	return is_code ? NULL : "must be three letters, - and a number, like FIR-1";
}

static const char *phone(const struct hl_row_check *check, const char *text)
{
	(void)check;
	bool is_phone = text[0] == '+' && is_run_of(text + 1, DIGITS, 6, 15) && text[1] != '0';
	return is_phone ? NULL : "must be a number in international form, + and 6 to 15 digits";
}

static const char *rank(const struct hl_row_check *check, const char *text)
{
	(void)check;
	return is_run_of(text, DIGITS, 1, 3) && text[0] != '0' ? NULL : "must be a whole number from 1 to 999";
}

static const char *date(const struct hl_row_check *check, const char *text)
{
	(void)check;
	const struct hl_calendar utc = {
		0}; /* only to read the day back: the 30th of February comes back as another one */
	int year, month, day, used = 0;
	struct hl_local_time back;
	if (strlen(text) != 10 || strspn(text, DIGITS "-") != 10 ||
	    sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3 || used != 10 || month < 1 || month > 12)
		return "must be a date, YYYY-MM-DD";
	hl_calendar_local(&utc, hl_civil_days(year, month, day) * INT64_C(86400000000), &back);
	return back.month == month && back.day == day ? NULL : "must be a day that there is";
}

static const struct hl_column unit_columns[] = {
	{.name = "code", .is_required = true, .rule = unit_code},
	{.name = "name", .is_required = true},
	{.name = "name_en"},
	{.name = "kind",
	 .is_required = true,
	 .words = " hotline office leader oversight authority subdistrict utility property_company "},
	{.name = "clause"},
	{0}};

static const struct hl_column type_columns[] = {
	{.name = "code", .is_required = true, .rule = type_code},
	{.name = "name", .is_required = true},
	{.name = "lead", .is_required = true, .rule = known_duty},
	{.name = "co", .type = HL_CELL_LIST, .rule = known_duty},
	{.name = "clause"},
	{.name = "urgency", .is_required = true, .words = URGENCIES},
	{.name = "demands", .type = HL_CELL_LIST, .words = " is_true contacted solved how evidence "},
	{0}};

static const struct hl_column place_columns[] = {
	{.name = "code", .is_required = true},
	{.name = "name", .is_required = true},
	{.name = "aliases", .type = HL_CELL_LIST},
	{.name = "subdistrict", .is_required = true, .rule = known_subdistrict},
	{.name = "community"},
	{.name = "road"},
	{.name = "property_company", .rule = known_company},
	{.name = "gas_company", .rule = known_utility},
	{0}};

static const struct hl_column limit_columns[] = {{.name = "urgency", .is_required = true, .words = URGENCIES},
						 {.name = "case_type", .rule = known_type},
						 {.name = "unit", .rule = known_unit},
						 {.name = "unit_kind"},
						 {.name = "clock", .words = " wall working "},
						 {.name = "sign"},
						 {.name = "arrive"},
						 {.name = "close"},
						 {.name = "progress"},
						 {.name = "review"},
						 {.name = "handback"},
						 {.name = "operator"},
						 {0}};

static const struct hl_column holiday_columns[] = {{.name = "year", .type = HL_CELL_NUMBER, .is_required = true},
						   {.name = "date", .is_required = true, .rule = date},
						   {.name = "isOffDay", .type = HL_CELL_FLAG, .is_required = true},
						   {.name = "name"},
						   {0}};

static const struct hl_column template_columns[] = {
	{.name = "key", .is_required = true},
	{.name = "lang", .is_required = true, .words = " zh-CN en "},
	{.name = "lane", .words = " emergency reply dispatch reminder bulk "},
	{.name = "text", .is_kept = true},
	{.name = "params", .type = HL_CELL_JSON},
	{0}};

static const struct hl_column ladder_columns[] = {
	{.name = "rung", .is_required = true},
	{.name = "urgency", .type = HL_CELL_LIST, .is_required = true, .words = URGENCIES},
	{.name = "applies", .type = HL_CELL_LIST, .is_required = true},
	{.name = "audience", .type = HL_CELL_LIST, .is_required = true},
	{.name = "template", .is_required = true, .rule = known_template},
	{.name = "lane", .is_required = true, .words = " emergency reply dispatch reminder bulk "},
	{0}};

static const struct hl_column contact_columns[] = {{.name = "unit", .is_required = true, .rule = known_unit},
						   {.name = "role", .is_required = true, .words = ROLES},
						   {.name = "rank", .type = HL_CELL_NUMBER, .rule = rank},
						   {.name = "phone", .is_required = true, .rule = phone},
						   {.name = "name", .is_required = true},
						   {.name = "lang", .words = " zh-CN en "},
						   {0}};

static const struct hl_column roster_columns[] = {
	{.name = "unit", .is_required = true, .rule = known_unit},
	{.name = "role", .is_required = true, .words = ROLES},
	{.name = "phone", .is_required = true, .rule = phone},
	{.name = "kind", .is_required = true, .words = " week dates leave "},
	{.name = "days", .type = HL_CELL_LIST, .words = " mon tue wed thu fri sat sun "},
	{.name = "from", .is_required = true},
	{.name = "until", .is_required = true},
	{.name = "note"},
	{0}};

/* In the order in which they refer to each other. */
const struct hl_reftable hl_reftables[HL_REFTABLES_N] = {
	{.kind = "units", .list = "units", .key = {"code"}, .columns = unit_columns},
	{.kind = "case_types",
	 .alias = "duties",
	 .list = "case_types",
	 .key = {"code"},
	 .columns = type_columns,
	 .check_row = hl_check_type_row},
	{.kind = "limits",
	 .list = "limits",
	 .key = {"urgency", "case_type", "unit", "unit_kind"},
	 .columns = limit_columns,
	 .check_row = hl_check_limit_row,
	 .rows_of = hl_limit_rows,
	 .doc_of = hl_limit_rows_doc},
	{.kind = "rules", .list = "rules", .key = {"id"}, .is_nested = true, .check_row = hl_check_rule_row},
	{.kind = "places", .alias = "compounds", .list = "places", .key = {"code"}, .columns = place_columns},
	{.kind = "calendar",
	 .alias = "calendars",
	 .list = "holidays",
	 .key = {"date"},
	 .columns = holiday_columns,
	 .check_row = hl_check_holiday_row,
	 .rows_of = hl_holiday_rows,
	 .doc_of = hl_holiday_rows_doc},
	{.kind = "templates",
	 .list = "templates",
	 .key = {"key", "lang"},
	 .columns = template_columns,
	 .check_row = hl_check_template_row},
	{.kind = "model", .list = "columns", .key = {"type"}, .is_nested = true},
	{.kind = "grammar", .list = "cues", .key = {"name"}, .is_nested = true},
	{.kind = "ladder", .list = "rungs", .key = {"rung", "urgency", "audience"}, .columns = ladder_columns},
	{.kind = "flow", .list = "nodes", .key = {"name"}, .is_nested = true},
	{.kind = "contacts", .list = "contacts", .key = {"unit", "role", "phone"}, .columns = contact_columns},
	{.kind = "roster",
	 .list = "roster",
	 .key = {"unit", "role", "phone", "kind", "days", "from", "until"},
	 .columns = roster_columns,
	 .check_row = hl_check_roster_row},
};
