/* test_grammar.c - the shipped words compile; a mistake in them is named with its cue and pattern */
#include "hotline/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static json_t *shipped(void)
{
	json_t *doc = json_load_file("schema/ref/grammar.json", JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(doc);
	return doc;
}

static json_t *cue_named(const json_t *doc, const char *name)
{
	json_t *cue;
	size_t i;

	json_array_foreach (json_object_get(doc, "cues"), i, cue)
		if (strcmp(json_string_value(json_object_get(cue, "name")), name) == 0)
			return cue;
	fail_msg("no cue %s", name);
	return NULL;
}

/* takes doc. */
static void expect_refusal(json_t *doc, const char *want)
{
	struct hl_grammar *g = NULL;
	struct hl_error err = {.text = ""};

	assert_int_equal(hl_grammar_new(doc, &g, &err), HL_INPUT);
	assert_null(g);
	if (!strstr(err.text, want))
		fail_msg("expected \"%s\" in \"%s\"", want, err.text);
	json_decref(doc);
}

static void a_pattern_that_cannot_work_is_named(void **state)
{
	static const struct {
		const char *pattern, *want;
	} cases[] = {
		{"", "cue \"sign\", pattern 2 \"\": must be UTF-8 of 1 to 64 bytes"},
		{"~签", "must start with a character"},
		{"@签", "must start with a character"},
		{"^", "must start with a character"},
		{"签[收", "[ and { must be closed"},
		{"签[]", "[ and { must be closed"},
		{"签 收", "must not hold blanks"},
		{"SIGN", "must be lower case"},
		{"簽", "simplified"},
		{"Ａ签", "half width"},
		{"签", "is there twice"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		json_t *doc = shipped();

		json_object_set_new(cue_named(doc, "sign"), "zh-CN", json_pack("[s, s]", "签", cases[i].pattern));
		expect_refusal(doc, cases[i].want);
	}
}

static void a_document_that_is_not_whole_is_refused(void **state)
{
	json_t *doc = shipped();

	(void)state;
	json_array_remove(json_object_get(doc, "cues"), 3);
	expect_refusal(doc, "is missing");
	doc = shipped();
	json_array_append(json_object_get(doc, "cues"), cue_named(doc, "sign"));
	expect_refusal(doc, "cue \"sign\": is there twice");
	doc = shipped();
	json_array_append_new(json_object_get(doc, "cues"), json_pack("{s:s}", "name", "sing"));
	expect_refusal(doc, "cue \"sing\": there is no such cue");
	doc = shipped();
	json_object_set_new(cue_named(doc, "sign"), "excpt", json_array());
	expect_refusal(doc, "\"excpt\" is neither a language nor except");
	doc = shipped();
	json_object_set_new(cue_named(doc, "sign"), "en", json_string("sign"));
	expect_refusal(doc, "must hold lists of patterns");
	doc = shipped();
	json_object_set_new(doc, "simplified", json_string("簽签結"));
	expect_refusal(doc, "simplified: must be pairs");
	expect_refusal(json_object(), "simplified");
}

/* A county adds a language without a new program. */
static void another_language_is_only_data(void **state)
{
	json_t *doc = shipped();
	struct hl_grammar *g;
	struct hl_arena arena;
	struct hl_said said;
	struct hl_slice code = HL_LIT("3F7K");

	(void)state;
	json_object_set_new(cue_named(doc, "sign"), "de", json_pack("[s]", "^angenommen"));
	assert_int_equal(hl_grammar_new(doc, &g, NULL), HL_OK);
	hl_arena_init(&arena, 1 << 16);
	hl_talk_parse(g, true, HL_LIT("Angenommen"), &code, 1, &arena, &said);
	assert_int_equal(said.verb, HL_VERB_SIGN);
	hl_arena_fini(&arena);
	hl_grammar_free(&g);
	hl_grammar_free(&g);
	json_decref(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pattern_that_cannot_work_is_named),
		cmocka_unit_test(a_document_that_is_not_whole_is_refused),
		cmocka_unit_test(another_language_is_only_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
