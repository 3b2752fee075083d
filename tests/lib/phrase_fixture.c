/* phrase_fixture.c - see phrase_fixture.h */
#include "phrase_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OPEN_MAX    8
#define ARENA_BYTES (1u << 24)

static struct hl_arena arena;
static struct hl_grammar *grammar;

int phrase_setup(void **state)
{
	(void)state;
	hl_arena_init(&arena, ARENA_BYTES);
	if (!grammar) {
		json_t *doc = json_load_file("schema/ref/grammar.json", JSON_REJECT_DUPLICATES, NULL);
		struct hl_error err = {.text = "it is no JSON"};

		if (!doc || hl_grammar_new(doc, &grammar, &err) != HL_OK)
			fail_msg("schema/ref/grammar.json: %s", err.text);
		json_decref(doc);
	}
	return 0;
}

int phrase_teardown(void **state)
{
	(void)state;
	hl_arena_fini(&arena);
	hl_grammar_free(&grammar);
	return 0;
}

const struct hl_grammar *phrase_grammar(void)
{
	return grammar;
}

struct hl_arena *phrase_arena(void)
{
	return &arena;
}

struct hl_said phrase_parse(bool is_officer, const char *text, const char *open)
{
	struct hl_slice codes[OPEN_MAX], rest = hl_slice_str(open);
	struct hl_said said;
	size_t n = 0;

	while (rest.len > 0 && n < OPEN_MAX)
		hl_slice_cut(rest, ' ', &codes[n++], &rest);
	hl_talk_parse(grammar, is_officer, hl_slice_str(text), codes, n, &arena, &said);
	return said;
}

void phrase_check(bool is_officer, const struct phrase *phrases, size_t n)
{
	size_t n_wrong = 0;

	for (size_t i = 0; i < n; i++) {
		struct hl_said said = phrase_parse(is_officer, phrases[i].text, phrases[i].open);

		if (strcmp(hl_verb_name(said.verb), phrases[i].verb) == 0 &&
		    hl_slice_eq_str(said.code, phrases[i].code))
			continue;
		print_message("\"%s\" (open: %s): expected %s %s, got %s %.*s\n", phrases[i].text, phrases[i].open,
			      phrases[i].verb, phrases[i].code, hl_verb_name(said.verb), HL_SLICE_ARG(said.code));
		n_wrong++;
	}
	assert_int_equal(n_wrong, 0);
}
