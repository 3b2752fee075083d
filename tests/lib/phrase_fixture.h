/* phrase_fixture.h - tables of phrasings for the tests of hl_talk_parse */
#ifndef PHRASE_FIXTURE_H
#define PHRASE_FIXTURE_H

#include "hotline/talk.h"

/* Open codes of the sender, separated by blanks. */
#define NONE_OPEN ""
#define ONE       "3F7K"
#define TWO       "3F7K 8M2P"
#define THREE     "3F7K 8M2P 60G1"

struct phrase {
	const char *text, *open, *verb, *code;
};

#define PHRASE_TEST(f) cmocka_unit_test_setup_teardown(f, phrase_setup, phrase_teardown)

int phrase_setup(void **state);
int phrase_teardown(void **state);
struct hl_arena *phrase_arena(void);
const struct hl_grammar *phrase_grammar(void);

struct hl_said phrase_parse(bool is_officer, const char *text, const char *open);
/* phrase_check - fails when one of the phrases has another verb or code; prints every one that has. */
void phrase_check(bool is_officer, const struct phrase *phrases, size_t n);

#endif
