/* test_spelling.c - misheard and mistyped words are put right; what they become to rules and model */
#include "hotline/classify.h"
#include "intake/spelling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static struct hl_spelling *load(const char *spellings, const char *kept, enum hl_class expected, struct hl_error *err)
{
	json_t *words = json_loads(spellings, 0, NULL), *keep = kept ? json_loads(kept, 0, NULL) : NULL;
	struct hl_spelling *s = NULL;

	assert_int_equal(hl_spelling_new(words, keep, &s, err), expected);
	json_decref(words);
	json_decref(keep);
	return s;
}

static void puts_the_leftmost_and_longest_right(void **state)
{
	static const struct {
		const char *text, *mended;
	} rows[] = {
		{"", ""},
		{"电提坏了", "电梯坏了"},
		{"坐电提店梯", "坐电梯电梯"},
		{"来电提醒", "来电提醒"},         /* kept, and begins before the form in it */
		{"消防同道堵了", "消防通道堵了"}, /* the longer of two */
		{"销防同道", "消防同道"},
		{"dianti坏了", "电梯坏了"},
		{"电提", "电梯"},
		{"没有", "没有"},
		{"甲乙丙丁", "甲乙y"},
		{"\xff电提\xe5", "\xff电梯\xe5"},
	};
	struct hl_spelling *s = load("{\"电梯\": [\"电提\", \"店梯\", \"DianTi\"], \"消防\": [\"销防\"],"
				     " \"消防通道\": [\"消防同道\"], \"Y\": [\"丙丁\"]}",
				     "[\"来电提\"]", HL_OK, NULL);
	struct hl_arena arena;

	(void)state;
	hl_arena_init(&arena, 1 << 16);
	for (size_t i = 0; i < LEN(rows); i++) {
		struct hl_slice mended = hl_spelling_mend(s, hl_slice_str(rows[i].text), &arena);

		if (!hl_slice_eq_str(mended, rows[i].mended))
			fail_msg("\"%s\" became \"%.*s\"", rows[i].text, HL_SLICE_ARG(mended));
	}
	hl_arena_fini(&arena);
	assert_true(hl_spelling_bytes(s) > 0);
	hl_spelling_free(&s);
	assert_null(s);
}

static void the_rules_need_none(void **state)
{
	struct hl_spelling *s;
	struct hl_arena arena;

	(void)state;
	assert_int_equal(hl_spelling_new(NULL, NULL, &s, NULL), HL_OK);
	hl_arena_init(&arena, 1 << 16);
	assert_true(hl_slice_eq_str(hl_spelling_mend(s, HL_LIT("电提"), &arena), "电提"));
	hl_arena_fini(&arena);
	hl_spelling_free(&s);
}

static void mends_the_first_64_only(void **state)
{
	struct hl_spelling *s = load("{\"b\": [\"a\"]}", NULL, HL_OK, NULL);
	struct hl_arena arena;
	struct hl_slice mended;
	char text[101] = "";

	(void)state;
	memset(text, 'a', 100);
	hl_arena_init(&arena, 1 << 16);
	mended = hl_spelling_mend(s, hl_slice_str(text), &arena);
	assert_int_equal(mended.len, 100);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(mended.ptr[i], i < 64 ? 'b' : 'a');
	hl_arena_fini(&arena);
	hl_spelling_free(&s);
}

static void refuses_what_it_cannot_read_naming_the_word(void **state)
{
	static const struct {
		const char *spellings, *kept, *message;
	} rows[] = {
		{"[]", NULL, "spellings: an object"},
		{"{\"电梯\": \"电提\"}", NULL, "spellings: 电梯: a list"},
		{"{\"电梯\": [1]}", NULL, "spellings: 电梯: every form"},
		{"{\"电梯\": [\"\"]}", NULL, "is empty"},
		{"{\" \": [\"电提\"]}", NULL, "a word is empty"},
		{"{\"电梯\": [\"电提\"], \"电体\": [\"电 提\"]}", NULL, "\"电提\" is there twice"},
		{"{}", "{}", "kept: a list"},
		{"{\"电梯\": [\"电提\"]}", "[\"电提\"]", "\"电提\" is there twice"},
		{"{\"x\": [\"abcdefghijklmnopqrstuvwxyz0123456789\"]}", NULL, "longer than 32"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct hl_error err = {0};

		assert_null(load(rows[i].spellings, rows[i].kept, HL_INPUT, &err));
		if (!strstr(err.text, rows[i].message))
			fail_msg("\"%s\" does not say \"%s\"", err.text, rows[i].message);
	}
}

/* ---- with the shipped rules and model (tests/vectors/heard_texts.jsonl) ------------- */

static struct hl_classifier *shipped(void)
{
	static const char *const files[] = {"rules", "case_types", "model"};
	json_t *docs[LEN(files)];
	struct hl_classifier *c = NULL;
	struct hl_error err = {0};

	for (size_t i = 0; i < LEN(files); i++) {
		char path[64];

		snprintf(path, sizeof(path), "schema/ref/%s.json", files[i]);
		docs[i] = json_load_file(path, 0, NULL);
		assert_non_null(docs[i]);
	}
	if (hl_classifier_new(docs[0], docs[1], docs[2], &c, &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; i < LEN(files); i++)
		json_decref(docs[i]);
	return c;
}

static bool has_type(const struct hl_classified *cls, const char *type, bool is_first)
{
	if (strcmp(cls->type, type) == 0)
		return true;
	for (size_t i = 0; i < cls->n_alternatives && !is_first; i++)
		if (strcmp(cls->alternatives[i].type, type) == 0)
			return true;
	return false;
}

/* "type": leads; "also": is an alternative; "urgency". What a line does not have is not asked. */
static bool is_as_said(const struct hl_classified *cls, const json_t *line)
{
	const char *type = json_string_value(json_object_get(line, "type"));
	const char *also = json_string_value(json_object_get(line, "also"));
	const char *urgency = json_string_value(json_object_get(line, "urgency"));

	return (!type || has_type(cls, type, true)) && (!also || has_type(cls, also, false)) &&
	       (!urgency || strcmp(hl_urgency_name(cls->urgency), urgency) == 0);
}

static void texts_as_they_are_heard_are_classed(void **state)
{
	struct hl_classifier *c = shipped();
	FILE *in = fopen("tests/vectors/heard_texts.jsonl", "r");
	char line[2048];
	size_t n = 0, n_wrong = 0;

	(void)state;
	assert_non_null(in);
	for (; fgets(line, sizeof(line), in); n++) {
		json_t *o = json_loads(line, 0, NULL);
		const char *text = json_string_value(json_object_get(o, "text"));
		struct hl_classified cls;
		struct hl_arena arena;

		assert_non_null(text);
		hl_arena_init(&arena, 1 << 22);
		hl_classify(c, hl_slice_str(text), &arena, &cls);
		if (!is_as_said(&cls, o)) {
			print_message("\"%s\": %s, %s: %s\n", text, cls.type, hl_urgency_name(cls.urgency), cls.why);
			n_wrong++;
		}
		hl_arena_fini(&arena);
		json_decref(o);
	}
	fclose(in);
	hl_classifier_free(&c);
	print_message("heard: %zu of %zu texts as said\n", n - n_wrong, n);
	assert_true(n >= 40);
	assert_int_equal(n_wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(puts_the_leftmost_and_longest_right),
		cmocka_unit_test(the_rules_need_none),
		cmocka_unit_test(mends_the_first_64_only),
		cmocka_unit_test(refuses_what_it_cannot_read_naming_the_word),
		cmocka_unit_test(texts_as_they_are_heard_are_classed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
