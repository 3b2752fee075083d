/* doc_fields.h - a misspelt field of a reference document must not pass for one that was left out */
#ifndef HOTLINE_REFDATA_DOC_FIELDS_H
#define HOTLINE_REFDATA_DOC_FIELDS_H

#include "hotline/error.h"
#include <jansson.h>

/* hl_doc_fields - HL_OK if doc is an object that has no fields but the allowed ones (NULL ends the list).
 * Errors  HL_INPUT naming the field */
enum hl_class hl_doc_fields(const json_t *doc, const char *const *allowed, struct hl_error *err);

#endif
