/* refdata.c - all reference documents as one read-only object (contract in hotline/refdata.h) */
#include "hotline/refdata.h"

#include "hotline/calendar_doc.h"
#include "hotline/ladder_doc.h"

#include <stdlib.h>
#include <string.h>

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
		cls = named(hl_calendar_load(json_object_get(ref->docs, "calendar"), &ref->calendar, err), "calendar",
			    err);
	if (cls == HL_OK)
		cls = named(hl_templates_new(json_object_get(ref->docs, "templates"), &ref->templates, err),
			    "templates", err);
	if (cls == HL_OK)
		cls = named(check_texts(ref, err), "templates", err);
	if (cls == HL_OK)
		cls = named(hl_grammar_new(json_object_get(ref->docs, "grammar"), &ref->grammar, err), "grammar", err);
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
	hl_calendar_fini(&ref->calendar);
	json_decref(ref->docs);
	free(ref);
}
