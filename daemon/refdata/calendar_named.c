/* calendar_named.c - calendars of units that keep other hours than the county (contract in refdata/calendar_spec.h)
 *
 * Owns     the shape of an entry of "calendars", and that no unit has two.
 * Knows not which units there are: refdata.c does.
 */
#include "refdata/calendar_spec.h"
#include "refdata/doc_fields.h"

#include <string.h>

static enum hl_class check_users(const json_t *entry, const char *field, struct hl_error *err)
{
	const json_t *list = json_object_get(entry, field);
	if (list && !json_is_array(list))
		return hl_fail(err, HL_INPUT, "%s: must be a list", field);
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_string_length(json_array_get(list, i)) == 0)
			return hl_fail(err, HL_INPUT, "%s[%zu]: must be a text that is not empty", field, i);
	return HL_OK;
}

/* A unit, a kind or a name that an earlier calendar has already: which one would hold? */
static enum hl_class check_shared(const json_t *doc, size_t index, const json_t *entry, struct hl_error *err)
{
	static const char *const fields[] = {"units", "unit_kinds"};
	const json_t *name = json_object_get(entry, "name"), *list = json_object_get(doc, "calendars");
	if (json_equal(name, json_object_get(doc, "name")))
		return hl_fail(err, HL_INPUT, "name: must not be that of the county's calendar");
	for (size_t i = 0; i < index; i++) {
		const json_t *other = json_array_get(list, i);
		if (json_equal(name, json_object_get(other, "name")))
			return hl_fail(err, HL_INPUT, "name: must not be that of calendars[%zu]", i);
		for (size_t f = 0; f < sizeof fields / sizeof *fields; f++)
			for (size_t a = 0; a < json_array_size(json_object_get(entry, fields[f])); a++)
				for (size_t b = 0; b < json_array_size(json_object_get(other, fields[f])); b++)
					if (json_equal(json_array_get(json_object_get(entry, fields[f]), a),
						       json_array_get(json_object_get(other, fields[f]), b)))
						return hl_fail(err, HL_INPUT,
							       "%s[%zu]: must not have calendars[%zu] as well",
							       fields[f], a, i);
	}
	return HL_OK;
}

enum hl_class hl_calendar_spec_named(const json_t *doc, size_t index, json_t **spec_r, struct hl_error *err)
{
	static const char *const fields[] = {"about", "name",  "units",   "unit_kinds",     "zone",
					     "week",  "hours", "seasons", "works_holidays", NULL};
	static const char *const inherited[] = {"zone", "week", "hours", "seasons"};
	json_t *entry = json_array_get(json_object_get(doc, "calendars"), index), *spec;
	enum hl_class cls = hl_doc_fields(entry, fields, err);
	*spec_r = NULL;
	if (!cls)
		cls = check_users(entry, "units", err);
	if (!cls)
		cls = check_users(entry, "unit_kinds", err);
	if (!cls)
		cls = check_shared(doc, index, entry, err);
	if (cls)
		return cls;
	spec = json_copy(entry);
	json_object_del(spec, "units");
	json_object_del(spec, "unit_kinds");
	/* Own hours are own seasons too: the county's summer would replace them. */
	for (size_t i = 0; i < sizeof inherited / sizeof *inherited; i++)
		if (!json_object_get(spec, inherited[i]) &&
		    (strcmp(inherited[i], "seasons") || !json_object_get(entry, "hours")))
			json_object_set(spec, inherited[i], json_object_get(doc, inherited[i]));
	json_object_set(spec, "holidays", json_object_get(doc, "holidays"));
	*spec_r = spec;
	return HL_OK;
}
