/* refdata.c - all reference documents as one read-only object (contract in hotline/refdata.h) */
#include "hotline/refdata.h"

#include "hotline/calendar_doc.h"
#include "hotline/ladder_doc.h"

#include <stdlib.h>
#include <string.h>

#define HOTLINE_UNIT "HOT"

/* The parsers name entry and rule; most of them do not know which document they read. */
static enum hl_class named(enum hl_class cls, const char *kind, struct hl_error *err)
{
	if (cls == HL_OK || !err || strncmp(err->text, kind, strlen(kind)) == 0)
		return cls;
	return hl_error_prefix(err, "%s", kind);
}

/* A text that a provider in use would refuse is found here and not when it should leave. */
static enum hl_class check_texts(const struct hl_refdata *ref, struct hl_error *err)
{
	struct hl_template_entry entry;
	struct hl_template_note note;

	for (size_t i = 0; hl_templates_at(ref->templates, i, &entry); i++) {
		hl_template_lint(ref->templates, &entry, &ref->calendar, &note);
		if (note.is_error)
			return hl_fail(err, HL_INPUT, "template %s (%s): %s", entry.key, entry.lang, note.why);
	}
	return HL_OK;
}

/* ---- calendars of units --------------------------------------------------- */

/* A unit that was renamed must not fall back to other hours in silence. */
static enum hl_class check_users(const struct hl_refdata *ref, const struct hl_unit_calendar *own, struct hl_error *err)
{
	for (size_t i = 0; i < json_array_size(own->units); i++) {
		const char *code = json_string_value(json_array_get(own->units, i));
		if (!code || !hl_duties_unit(ref->duties, code))
			return hl_fail(err, HL_INPUT, "units: %s is no unit", code ? code : "what is no text");
	}
	for (size_t i = 0; i < json_array_size(own->unit_kinds); i++)
		if (!json_is_string(json_array_get(own->unit_kinds, i)))
			return hl_fail(err, HL_INPUT, "unit_kinds[%zu]: must be a text", i);
	return HL_OK;
}

static enum hl_class load_unit_calendars(struct hl_refdata *ref, const json_t *list, struct hl_error *err)
{
	size_t n = json_array_size(list);

	if (n == 0)
		return HL_OK;
	ref->unit_calendars = calloc(n, sizeof(*ref->unit_calendars));
	if (!ref->unit_calendars)
		return hl_fail(err, HL_NOMEM, "out of memory");
	for (; ref->n_unit_calendars < n; ref->n_unit_calendars++) {
		struct hl_unit_calendar *own = &ref->unit_calendars[ref->n_unit_calendars];
		const json_t *doc = json_array_get(list, ref->n_unit_calendars);
		enum hl_class cls = hl_calendar_load(doc, &own->calendar, err);

		own->units = json_object_get(doc, "units");
		own->unit_kinds = json_object_get(doc, "unit_kinds");
		if (cls == HL_OK)
			cls = check_users(ref, own, err);
		if (cls != HL_OK) {
			hl_calendar_fini(&own->calendar);
			return hl_error_prefix(err, "calendars[%zu]", ref->n_unit_calendars);
		}
	}
	return HL_OK;
}

static bool is_listed(const json_t *list, const char *word)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), word) == 0)
			return true;
	return false;
}

const struct hl_calendar *hl_refdata_calendar(const struct hl_refdata *ref, const char *unit)
{
	const struct hl_unit *known = ref->n_unit_calendars > 0 ? hl_duties_unit(ref->duties, unit) : NULL;

	for (size_t i = 0; known && i < ref->n_unit_calendars; i++)
		if (is_listed(ref->unit_calendars[i].units, known->code))
			return &ref->unit_calendars[i].calendar;
	for (size_t i = 0; known && i < ref->n_unit_calendars; i++)
		if (is_listed(ref->unit_calendars[i].unit_kinds, known->kind))
			return &ref->unit_calendars[i].calendar;
	return &ref->calendar;
}

const struct hl_calendar *hl_refdata_desk(const struct hl_refdata *ref)
{
	return hl_refdata_calendar(ref, HOTLINE_UNIT);
}

/* ---- all of them ---------------------------------------------------------- */

static enum hl_class load_calendars(struct hl_refdata *ref, struct hl_error *err)
{
	const json_t *doc = json_object_get(ref->docs, "calendar");
	enum hl_class cls = hl_calendar_load(doc, &ref->calendar, err);

	return cls == HL_OK ? load_unit_calendars(ref, json_object_get(doc, "calendars"), err) : cls;
}

static enum hl_class load(struct hl_refdata *ref, struct hl_error *err)
{
	json_t *units = json_object_get(ref->docs, "units"), *types = json_object_get(ref->docs, "case_types");
	enum hl_class cls = hl_duties_new(units, types, &ref->duties, err);

	if (cls == HL_OK)
		cls = named(hl_limit_rules_new(json_object_get(ref->docs, "limits"), &ref->limits, err), "limits", err);
	if (cls == HL_OK)
		cls = named(hl_classifier_new(json_object_get(ref->docs, "rules"), types,
					      json_object_get(ref->docs, "model"), &ref->classifier, err),
			    "rules", err);
	if (cls == HL_OK)
		cls = named(hl_gazetteer_new(json_object_get(ref->docs, "places"), &ref->gazetteer, err), "places",
			    err);
	if (cls == HL_OK)
		cls = named(load_calendars(ref, err), "calendar", err);
	if (cls == HL_OK)
		cls = named(hl_templates_new(json_object_get(ref->docs, "templates"), &ref->templates, err),
			    "templates", err);
	if (cls == HL_OK)
		cls = named(check_texts(ref, err), "templates", err);
	if (cls == HL_OK)
		cls = named(hl_grammar_new(json_object_get(ref->docs, "grammar"), &ref->grammar, err), "grammar", err);
	if (cls == HL_OK && json_object_get(ref->docs, "flow"))
		cls = named(hl_flow_new(json_object_get(ref->docs, "flow"), &ref->flow, err), "flow", err);
	if (cls == HL_OK && json_object_get(ref->docs, "ladder"))
		cls = named(hl_ladder_doc_check(json_object_get(ref->docs, "ladder"), ref->templates, err), "ladder",
			    err);
	return cls;
}

enum hl_class hl_refdata_new(json_t *docs, struct hl_refdata **out_r, struct hl_error *err)
{
	static const char *const kinds[] = {"units",  "case_types", "limits",    "rules",
					    "places", "calendar",   "templates", "grammar"};
	struct hl_refdata *ref;
	enum hl_class cls;

	*out_r = NULL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!json_is_object(json_object_get(docs, kinds[i])))
			return hl_fail(err, HL_CONFIG, "reference document \"%s\" is missing: import it", kinds[i]);
	ref = calloc(1, sizeof(*ref));
	if (!ref)
		return hl_fail(err, HL_NOMEM, "out of memory");
	ref->docs = json_incref(docs);
	cls = load(ref, err);
	if (cls != HL_OK)
		hl_refdata_free(&ref);
	*out_r = ref;
	return cls;
}

void hl_refdata_free(struct hl_refdata **refp)
{
	struct hl_refdata *ref = *refp;

	if (!ref)
		return;
	*refp = NULL;
	hl_duties_free(&ref->duties);
	hl_limit_rules_free(&ref->limits);
	hl_classifier_free(&ref->classifier);
	hl_gazetteer_free(&ref->gazetteer);
	hl_templates_free(&ref->templates);
	hl_grammar_free(&ref->grammar);
	hl_flow_free(&ref->flow);
	hl_calendar_fini(&ref->calendar);
	for (size_t i = 0; i < ref->n_unit_calendars; i++)
		hl_calendar_fini(&ref->unit_calendars[i].calendar);
	free(ref->unit_calendars);
	json_decref(ref->docs);
	free(ref);
}
