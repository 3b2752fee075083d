/* duties.c - units, case types and groups (contract in hotline/duties.h)
 *
 * Owns arrays whose strings live in the kept documents. Pure.
 */
#include "hotline/duties.h"

#include "hotline/text.h"

#include <stdlib.h>
#include <string.h>

struct hl_duties {
	json_t *units_doc, *types_doc;
	struct hl_unit *units;
	size_t n_units;
	struct hl_case_type *types;
	size_t n_types;
};

static const char *text_of(const json_t *entry, const char *field)
{
	return json_string_value(json_object_get(entry, field));
}

static enum hl_class read_unit(struct hl_duties *d, const json_t *entry, struct hl_error *err)
{
	struct hl_unit u = {
		.code = text_of(entry, "code"), .name = text_of(entry, "name"), .kind = text_of(entry, "kind")};

	if (!u.code || !u.name || !u.kind)
		return hl_fail(err, HL_INPUT, "units[%zu]: code, name and kind must be texts", d->n_units);
	if (hl_duties_unit(d, u.code))
		return hl_fail(err, HL_INPUT, "units[%zu].code: %s is there twice", d->n_units, u.code);
	d->units[d->n_units++] = u;
	return HL_OK;
}

static bool is_known_duty(const struct hl_duties *d, const char *code)
{
	return hl_duties_unit(d, code) || hl_duties_is_group(d, code);
}

static enum hl_class read_co(const struct hl_duties *d, const json_t *entry, struct hl_case_type *t,
			     struct hl_error *err)
{
	const json_t *co, *list = json_object_get(entry, "co");
	size_t i;

	if (list && !json_is_array(list))
		return hl_fail(err, HL_INPUT, "case_types %s.co: must be a list", t->code);
	json_array_foreach (list, i, co) {
		const char *code = json_string_value(co);

		if (i == HL_CO_MAX)
			return hl_fail(err, HL_INPUT, "case_types %s.co: at most %d units", t->code, HL_CO_MAX);
		if (!code || !is_known_duty(d, code))
			return hl_fail(err, HL_INPUT, "case_types %s.co: %s is no unit or group", t->code,
				       code ? code : "(not a text)");
		t->co[t->n_co++] = code;
	}
	return HL_OK;
}

/* What a result of this type must say; the database knows the same words (hl.case_type). */
static enum hl_class check_demands(const json_t *entry, const char *code, struct hl_error *err)
{
	static const char *const known[] = {"is_true", "contacted", "solved", "how", "evidence"};
	const json_t *demands = json_object_get(entry, "demands"), *demand;
	size_t i;

	if (demands && !json_is_array(demands))
		return hl_fail(err, HL_INPUT, "case_types %s.demands: must be a list", code);
	json_array_foreach (demands, i, demand) {
		const char *word = json_string_value(demand);
		bool is_known = false;

		for (size_t k = 0; word && k < sizeof(known) / sizeof(known[0]); k++)
			is_known |= strcmp(known[k], word) == 0;
		if (!is_known)
			return hl_fail(
				err, HL_INPUT,
				"case_types %s.demands[%zu]: must be is_true, contacted, solved, how or evidence", code,
				i);
	}
	return HL_OK;
}

static enum hl_class read_type(struct hl_duties *d, const json_t *entry, struct hl_error *err)
{
	struct hl_case_type t = {
		.code = text_of(entry, "code"), .name = text_of(entry, "name"), .lead = text_of(entry, "lead")};
	enum hl_class cls;

	if (!t.code || !t.name || !t.lead)
		return hl_fail(err, HL_INPUT, "case_types[%zu]: code, name and lead must be texts", d->n_types);
	if (hl_duties_type(d, t.code))
		return hl_fail(err, HL_INPUT, "case_types[%zu].code: %s is there twice", d->n_types, t.code);
	if (!is_known_duty(d, t.lead))
		return hl_fail(err, HL_INPUT, "case_types %s.lead: %s is no unit or group", t.code, t.lead);
	cls = read_co(d, entry, &t, err);
	if (cls == HL_OK)
		cls = check_demands(entry, t.code, err);
	if (cls == HL_OK)
		d->types[d->n_types++] = t;
	return cls;
}

static enum hl_class read_all(struct hl_duties *d, struct hl_error *err)
{
	const json_t *units = json_object_get(d->units_doc, "units"),
		     *types = json_object_get(d->types_doc, "case_types");
	const json_t *entry;
	enum hl_class cls = HL_OK;
	size_t i;

	if (json_array_size(units) == 0)
		return hl_fail(err, HL_INPUT, "units: must be a list with at least one unit");
	if (json_array_size(types) == 0)
		return hl_fail(err, HL_INPUT, "case_types: must be a list with at least one type");
	d->units = calloc(json_array_size(units), sizeof(*d->units));
	d->types = calloc(json_array_size(types), sizeof(*d->types));
	if (!d->units || !d->types)
		return hl_fail(err, HL_NOMEM, "out of memory");
	json_array_foreach (units, i, entry)
		if (cls == HL_OK)
			cls = read_unit(d, entry, err);
	json_array_foreach (types, i, entry)
		if (cls == HL_OK)
			cls = read_type(d, entry, err);
	return cls;
}

enum hl_class hl_duties_new(json_t *units, json_t *case_types, struct hl_duties **out_r, struct hl_error *err)
{
	struct hl_duties *d = calloc(1, sizeof(*d));
	enum hl_class cls;

	*out_r = NULL;
	if (!d)
		return hl_fail(err, HL_NOMEM, "out of memory");
	d->units_doc = json_incref(units);
	d->types_doc = json_incref(case_types);
	cls = read_all(d, err);
	if (cls != HL_OK)
		hl_duties_free(&d);
	*out_r = d;
	return cls;
}

void hl_duties_free(struct hl_duties **dp)
{
	struct hl_duties *d = *dp;

	if (!d)
		return;
	*dp = NULL;
	free(d->units);
	free(d->types);
	json_decref(d->units_doc);
	json_decref(d->types_doc);
	free(d);
}

const struct hl_unit *hl_duties_unit(const struct hl_duties *d, const char *code)
{
	for (size_t i = 0; i < d->n_units; i++)
		if (strcmp(d->units[i].code, code) == 0)
			return &d->units[i];
	return NULL;
}

const struct hl_case_type *hl_duties_type(const struct hl_duties *d, const char *code)
{
	for (size_t i = 0; i < d->n_types; i++)
		if (strcmp(d->types[i].code, code) == 0)
			return &d->types[i];
	return NULL;
}

const struct hl_case_type *hl_duties_type_at(const struct hl_duties *d, size_t i)
{
	return i < d->n_types ? &d->types[i] : NULL;
}

/* Are all characters of an abbreviation in the name, in that order? */
static bool is_short_for(struct hl_slice words, const char *name)
{
	struct hl_slice whole = hl_slice_str(name);
	size_t at = 0, pos = 0, n = 0;

	while (pos < words.len) {
		uint32_t wanted = hl_text_next(words, &pos), found = 0;

		while (at < whole.len && found != wanted)
			found = hl_text_next(whole, &at);
		if (found != wanted)
			return false;
		n++;
	}
	return n >= 2;
}

const struct hl_unit *hl_duties_unit_named(const struct hl_duties *d, struct hl_slice words)
{
	const struct hl_unit *named = NULL;
	size_t n = 0;

	words = hl_slice_trim(words);
	for (size_t i = 0; i < d->n_units; i++)
		if (hl_slice_eq_nocase(words, d->units[i].code) || hl_slice_eq_str(words, d->units[i].name))
			return &d->units[i];
	for (size_t i = 0; i < d->n_units; i++)
		if (is_short_for(words, d->units[i].name)) {
			named = &d->units[i];
			n++;
		}
	return n == 1 ? named : NULL;
}

const struct hl_unit *hl_duties_unit_in(const struct hl_duties *d, struct hl_slice words, const char *but)
{
	const struct hl_unit *found = NULL;
	size_t n = 0;

	for (size_t i = 0; i < d->n_units; i++) {
		struct hl_slice name = hl_slice_str(d->units[i].name), rest;
		size_t first = 0;

		hl_text_next(name, &first);
		rest = (struct hl_slice){name.ptr + first, name.len - first};
		if (rest.len == 0 || hl_slice_find(words, rest) < 0 || (but && strcmp(but, d->units[i].code) == 0))
			continue;
		found = &d->units[i];
		n++;
	}
	return n == 1 ? found : NULL;
}

bool hl_duties_is_group(const struct hl_duties *d, const char *code)
{
	return json_object_get(json_object_get(d->types_doc, "groups"), code) != NULL;
}

const char *hl_duties_member(const struct hl_duties *d, const char *group, size_t i)
{
	const json_t *g = json_object_get(json_object_get(d->types_doc, "groups"), group);

	return json_string_value(json_array_get(json_object_get(g, "members"), i));
}
