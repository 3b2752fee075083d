/* doc_fields.c - refuses fields that a reference document does not have
 *
 * Owns nothing; knows no document. Limits: one level at a time.
 */
#include "refdata/doc_fields.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool is_listed(const char *const *list, const char *word)
{
	while (*list && strcmp(*list, word))
		list++;
	return *list;
}

enum hl_class hl_doc_fields(const json_t *doc, const char *const *allowed, struct hl_error *err)
{
	if (!json_is_object(doc))
		return hl_fail(err, HL_INPUT, "must be an object");
	/* jansson has no iterator for a document that may only be read. */
	json_t *object = (json_t *)(uintptr_t)doc;
	for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i))
		if (!is_listed(allowed, json_object_iter_key(i)))
			return hl_fail(err, HL_INPUT, "%s: must not be here, there is no such field",
				       json_object_iter_key(i));
	return HL_OK;
}
