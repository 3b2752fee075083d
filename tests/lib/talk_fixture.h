/* talk_fixture.h - contexts as hl.talk_context gives them, and what is decided about them */
#ifndef HOTLINE_TESTS_TALK_FIXTURE_H
#define HOTLINE_TESTS_TALK_FIXTURE_H

#include "refdata_fixture.h"

/* An act reduced to what tables compare; words that are not there are "". The caller frees act. */
struct decided {
	json_t *act;
	const char *actor, *verb, *reply;
};

/* Decides on a text in a context given as JSON members (' for "): "'units': ['FIR'], 'tasks': [...]". */
struct decided fixture_decide(const struct hl_refdata *ref, const char *text, const char *members, bool is_trusted,
			      int64_t now_us);
/* The same within so many bytes; act is NULL when memory was out. */
json_t *fixture_decide_within(const struct hl_refdata *ref, const char *text, const char *members, size_t arena_bytes);

#endif
