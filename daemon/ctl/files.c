/* files.c - reference documents from a folder: one JSON file per kind, the calendar expanded */
#include "ctl.h"

#include "hotline/calendar_doc.h"

#include <string.h>
#include <unistd.h>

static const char *const kinds[] = {"units", "case_types", "limits", "rules", "places", "templates", "ladder", "grammar"};

json_t *ctl_ref_doc(const char *dir, const char *kind, struct hl_error *err)
{
	char path[4096];
	json_error_t at;
	json_t *doc;

	snprintf(path, sizeof(path), "%s/%s.json", dir, kind);
	doc = json_load_file(path, JSON_REJECT_DUPLICATES, &at);
	if (!doc)
		hl_fail(err, HL_CONFIG, "%s:%d: %s", path, at.line, at.text);
	return doc;
}

/* The learned model and the flow of calls are what a county may do without. */
static bool load_optional(json_t *docs, const char *dir, const char *kind, struct hl_error *err)
{
	char path[4096];
	json_t *doc;

	snprintf(path, sizeof(path), "%s/%s.json", dir, kind);
	if (access(path, F_OK) != 0)
		return true;
	doc = ctl_ref_doc(dir, kind, err);
	return doc && json_object_set_new(docs, kind, doc) == 0;
}

json_t *ctl_ref_docs(const char *dir, struct hl_error *err)
{
	json_t *docs = json_object(), *spec = NULL, *calendar = NULL;
	char path[4096];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		json_t *doc = ctl_ref_doc(dir, kinds[i], err);

		if (!doc) {
			json_decref(docs);
			return NULL;
		}
		json_object_set_new(docs, kinds[i], doc);
	}
	if (!load_optional(docs, dir, "model", err) || !load_optional(docs, dir, "flow", err)) {
		json_decref(docs);
		return NULL;
	}
	snprintf(path, sizeof(path), "%s/calendar.json", dir);
	if (hl_calendar_spec_read(path, &spec, err) != HL_OK || hl_calendar_expand(spec, &calendar, err) != HL_OK) {
		json_decref(spec);
		json_decref(docs);
		return NULL;
	}
	json_decref(spec);
	json_object_set_new(docs, "calendar", calendar);
	return docs;
}

struct hl_refdata *ctl_refdata(struct ctl *ctl)
{
	struct hl_error err = {.text = ""};
	struct hl_refdata *ref = NULL;
	json_t *docs = ctl_ref_docs(ctl->ref_dir, &err);

	if (!docs || hl_refdata_new(docs, &ref, &err) != HL_OK)
		ctl_fail(ctl, "%s", err.text);
	json_decref(docs);
	return ref;
}
