/* refdata_fixture.c - the shipped reference data for tests (see refdata_fixture.h) */
#include "refdata_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *fixture_docs(void)
{
	static const char *const kinds[] = {"units", "case_types", "limits", "rules", "places", "templates", "grammar"};
	json_t *docs = json_object(), *spec, *calendar = NULL;
	struct hl_error err;
	char path[64];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(path, sizeof(path), "schema/ref/%s.json", kinds[i]);
		if (json_object_set_new(docs, kinds[i], json_load_file(path, JSON_REJECT_DUPLICATES, NULL)))
			fail_msg("%s is no JSON", path);
	}
	if (hl_calendar_spec_read(SHIPPED_CALENDAR, &spec, &err) || hl_calendar_expand(spec, &calendar, &err))
		fail_msg("%s", err.text);
	json_decref(spec);
	json_object_set_new(docs, "calendar", calendar);
	return docs;
}

struct hl_refdata *fixture_refdata(void)
{
	json_t *docs = fixture_docs();
	struct hl_refdata *ref;
	struct hl_error err;

	if (hl_refdata_new(docs, &ref, &err))
		fail_msg("%s", err.text);
	json_decref(docs);
	return ref;
}

const json_t *fixture_at_path(const json_t *doc, const char *path)
{
	struct hl_slice rest = hl_slice_str(path), head;
	char word[64];

	while (doc && rest.len > 0) {
		hl_slice_cut(rest, '.', &head, &rest);
		snprintf(word, sizeof(word), "%.*s", HL_SLICE_ARG(head));
		doc = json_is_array(doc) ? json_array_get(doc, strtoul(word, NULL, 10)) : json_object_get(doc, word);
	}
	return doc;
}

const char *fixture_word(const json_t *doc, const char *path)
{
	const char *word = json_string_value(fixture_at_path(doc, path));

	return word ? word : "(none)";
}
