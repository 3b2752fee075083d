/* refdata_fixture.h - the shipped reference documents, the calendar expanded, and all of them as one object */
#ifndef HOTLINE_TESTS_REFDATA_FIXTURE_H
#define HOTLINE_TESTS_REFDATA_FIXTURE_H

#include "calendar_fixture.h"
#include "hotline/refdata.h"

/* {"units": .., "case_types", ..., "calendar"} as import stores them; the caller owns it. */
json_t *fixture_docs(void);
/* The shipped reference data; the caller calls hl_refdata_free. Fails the test when they cannot be loaded. */
struct hl_refdata *fixture_refdata(void);
/* "a.b.0.c" inside a document, NULL when it is not there. */
const json_t *fixture_at_path(const json_t *doc, const char *path);
/* The text there; "(none)" when it is not there or no text. */
const char *fixture_word(const json_t *doc, const char *path);

#endif
