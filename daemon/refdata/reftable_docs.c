/* reftable_docs.c - limits and calendars as rows: documents whose table is not simply a list
 *
 * limits    a row with no case type, unit and unit kind holds the defaults of its urgency, any other is an override.
 * calendar  a row is a marked day of a year of the holidays; week, hours and seasons stay beside the table.
 */
#include "refdata/reftable.h"

#include <string.h>

static const char *const urgencies[] = {"normal", "urgent", "emergency"};

json_t *hl_limit_rows(const json_t *doc)
{
	json_t *rows = json_array(), *row, *overrides = json_object_get(doc, "overrides");
	size_t i;
	for (i = 0; i < sizeof urgencies / sizeof *urgencies; i++) {
		json_t *defaults = json_object_get(json_object_get(doc, "urgencies"), urgencies[i]);
		if (!json_is_object(defaults))
			continue;
		row = json_pack("{s:s}", "urgency", urgencies[i]);
		json_object_update(row, defaults);
		json_array_append_new(rows, row);
	}
	json_array_foreach (overrides, i, row)
		json_array_append(rows, row);
	return rows;
}

static bool is_default(const json_t *row)
{
	return !*hl_row_text(row, "case_type") && !*hl_row_text(row, "unit") && !*hl_row_text(row, "unit_kind");
}

json_t *hl_limit_rows_doc(json_t *rest, json_t *rows)
{
	json_t *doc = json_is_object(rest) ? json_copy(rest) : json_object();
	json_t *defaults = json_object(), *overrides = json_array(), *row;
	size_t i;
	json_array_foreach (rows, i, row) {
		if (!is_default(row)) {
			json_array_append(overrides, row);
			continue;
		}
		json_t *one = json_copy(row);
		json_object_del(one, "urgency");
		json_object_set_new(defaults, hl_row_text(row, "urgency"), one);
	}
	json_object_set_new(doc, "urgencies", defaults);
	json_object_set_new(doc, "overrides", overrides);
	return doc;
}

json_t *hl_holiday_rows(const json_t *doc)
{
	json_t *rows = json_array(), *year, *day;
	size_t i, j;
	json_array_foreach (json_object_get(doc, "holidays"), i, year)
		json_array_foreach (json_object_get(year, "days"), j, day) {
			json_t *row = json_copy(day);
			if (!json_is_object(row)) {
				json_decref(row);
				continue;
			}
			json_object_set(row, "year", json_object_get(year, "year"));
			json_array_append_new(rows, row);
		}
	return rows;
}

static json_t *year_of(json_t *years, const json_t *row)
{
	json_t *number = json_object_get(row, "year"), *year;
	size_t i;
	json_array_foreach (years, i, year)
		if (json_equal(json_object_get(year, "year"), number))
			return json_object_get(year, "days");
	year = json_pack("{s:O?, s:[]}", "year", number, "days");
	json_array_append_new(years, year);
	return json_object_get(year, "days");
}

json_t *hl_holiday_rows_doc(json_t *rest, json_t *rows)
{
	json_t *doc = json_is_object(rest) ? json_copy(rest) : json_object();
	json_t *years = json_array(), *row;
	size_t i;
	json_array_foreach (rows, i, row) {
		json_t *day = json_copy(row);
		json_object_del(day, "year");
		json_array_append_new(year_of(years, row), day);
	}
	json_object_set_new(doc, "holidays", years);
	return doc;
}
