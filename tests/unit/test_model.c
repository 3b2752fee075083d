/* test_model.c - the learned model: what it decides with the shipped weights, how it falls back, what it refuses
 *
 * Sentences are our own. The figures on the labelled texts are in tests/it/test_bars.py.
 */
#include "hotline/classify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct world {
	json_t *rules, *case_types, *model;
	struct hl_classifier *c;
	struct hl_arena arena;
};

static json_t *load_ref(const char *path)
{
	json_t *doc = json_load_file(path, 0, NULL);

	assert_non_null(doc);
	return doc;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct hl_error err = {0};

	w->rules = load_ref("schema/ref/rules.json");
	w->case_types = load_ref("schema/ref/case_types.json");
	w->model = load_ref("schema/ref/model.json");
	if (hl_classifier_new(w->rules, w->case_types, w->model, &w->c, &err))
		fail_msg("%s", err.text);
	hl_arena_init(&w->arena, 1 << 24);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	hl_classifier_free(&w->c);
	json_decref(w->rules);
	json_decref(w->case_types);
	json_decref(w->model);
	hl_arena_fini(&w->arena);
	free(w);
	return 0;
}

static struct hl_classified classify(struct world *w, const char *text)
{
	struct hl_classified r;

	hl_classify(w->c, hl_slice_str(text), &w->arena, &r);
	return r;
}

/* No phrase of a rule names these matters: only what was learnt does. */
static void knows_what_no_rule_names(void **state)
{
	static const struct {
		const char *text, *unit;
	} cases[] = {
		{"我们村的水稻补贴款一直没有发到农户手里，村干部说还要等", "HOT"},
		{"新学期孩子入学报名被学校拒收，片区划分不合理请教育局答复", "HOT"},
	};

	for (size_t i = 0; i < LEN(cases); i++)
		assert_string_equal(classify(*state, cases[i].text).unit, cases[i].unit);
}

static void says_what_spoke_for_it(void **state)
{
	struct hl_classified r = classify(*state, "开发商拖了三年，我们小区的不动产证还是办不下来");

	assert_string_equal(r.type, "HOU-7");
	assert_non_null(strstr(r.why, "HOU-7.title"));
	assert_non_null(strstr(r.why, "; model "));
	assert_true(r.confidence > 0.5 && r.confidence <= 1);
	assert_int_equal(r.n_alternatives, 3);
	assert_true(r.alternatives[0].confidence >= r.alternatives[2].confidence);
}

/* The title leads: the same two sentences, the other way round, are another matter. */
static void the_title_leads(void **state)
{
	struct hl_classified dog = classify(*state, "邻居遛狗不牵绳\n另外楼下饭店油烟也大"),
			     fume = classify(*state, "楼下饭店油烟太大\n另外邻居遛狗不牵绳");

	assert_string_equal(dog.type, "POL-4");
	assert_string_equal(fume.type, "MKT-6");
}

static void urgency_is_not_the_models(void **state)
{
	assert_int_equal(classify(*state, "孩子被困在电梯里了，快来人").urgency, HL_EMERGENCY);
	assert_int_equal(classify(*state, "咨询电梯年检的事").urgency, HL_NORMAL);
}

static void knows_when_it_knows_nothing(void **state)
{
	static const char *const texts[] = {"", "\n\n", "?", "ok", "1", "好的", "\xf0\x9f\x98\xa1", "qwerty zxcvb"};

	for (size_t i = 0; i < LEN(texts); i++) {
		struct hl_classified r = classify(*state, texts[i]);

		assert_false(r.is_auto);
		assert_true(r.confidence < 0.5);
	}
}

static void tells_a_guess_from_what_a_rule_knows(void **state)
{
	struct hl_classified place = classify(*state, "锦绣花园3号楼");

	assert_true(place.is_guess && !place.is_auto);
	assert_true(place.confidence > 0);
	assert_false(classify(*state, "锦绣花园3号楼停电了，全楼没电").is_guess);
}

static void survives_long_and_broken_texts(void **state)
{
	struct world *w = *state;
	size_t len = 100 * 1000;
	char *big = malloc(len);
	static const char *const patterns[] = {"电", "\xff\xfe", "a7", "0", "\n", "电梯坏了\n"};

	for (size_t i = 0; i < LEN(patterns); i++) {
		struct hl_arena arena;
		struct hl_classified r;

		for (size_t k = 0; k < len; k++)
			big[k] = patterns[i][k % strlen(patterns[i])];
		hl_arena_init(&arena, 1 << 24);
		hl_classify(w->c, (struct hl_slice){big, len}, &arena, &r);
		assert_non_null(r.type);
		assert_true(arena.used_bytes < 4u << 20);
		hl_arena_fini(&arena);
	}
	free(big);
}

static void a_full_arena_needs_review(void **state)
{
	struct world *w = *state;

	for (size_t bytes = 1024; bytes < 512 * 1024; bytes *= 2) {
		struct hl_arena tiny;
		struct hl_classified r;

		hl_arena_init(&tiny, bytes);
		hl_classify(w->c, HL_LIT("电梯坏了三天没人修，老人下不了楼，请尽快安排维修"), &tiny, &r);
		assert_true(!hl_arena_failed(&tiny) || !r.is_auto);
		hl_arena_fini(&tiny);
	}
}

static void refuses_a_broken_model_naming_the_field(void **state)
{
	static const struct {
		const char *field, *value, *says;
	} cases[] = {
		{"version", "\"\"", "model: version"},
		{"columns", "[]", "model: columns"},
		{"columns", "[{\"type\":\"X-9\"}]", "model: columns"},
		{"columns", "[{\"type\":\"POL-4\"}]", "model: bias"},
		{"temperature", "0", "model: temperature"},
		{"points", "[1]", "model: points"},
		{"knots", "[[0,0]]", "model: knots"},
		{"knots", "[[0.5,0.5],[0.5,0.6]]", "must rise"},
		{"knots", "[[0.1,0.9],[0.5,0.6]]", "rise"},
		{"bound", "2", "model: bound"},
		{"n", "0", "model: n, rows"},
		{"n", "7", "model: n, rows"},
		{"rows", "\"AAAA\"", "model: n, rows"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < LEN(cases); i++) {
		json_t *doc = json_copy(w->model);
		struct hl_classifier *c = NULL;
		struct hl_error err = {.text = ""};

		json_object_set_new(doc, cases[i].field, json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
		assert_int_equal(hl_classifier_new(w->rules, w->case_types, doc, &c, &err), HL_INPUT);
		assert_null(c);
		if (!strstr(err.text, cases[i].says))
			fail_msg("%s: %s", cases[i].field, err.text);
		json_decref(doc);
	}
}

/* A row twice, a scale of nothing: 56 zero bytes are such a row. */
static void refuses_broken_rows(void **state)
{
	struct world *w = *state;
	json_t *doc = json_copy(w->model);
	struct hl_classifier *c = NULL;
	struct hl_error err = {.text = ""};
	char rows[77];

	memset(rows, 'A', 76);
	rows[74] = rows[75] = '=';
	rows[75] = '=';
	rows[76] = '\0';
	json_object_set_new(doc, "n", json_integer(1));
	json_object_set_new(doc, "rows", json_string(rows));
	assert_int_equal(hl_classifier_new(w->rules, w->case_types, doc, &c, &err), HL_INPUT);
	assert_non_null(strstr(err.text, "row 0"));
	json_decref(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_what_no_rule_names),
		cmocka_unit_test(says_what_spoke_for_it),
		cmocka_unit_test(the_title_leads),
		cmocka_unit_test(urgency_is_not_the_models),
		cmocka_unit_test(knows_when_it_knows_nothing),
		cmocka_unit_test(tells_a_guess_from_what_a_rule_knows),
		cmocka_unit_test(survives_long_and_broken_texts),
		cmocka_unit_test(a_full_arena_needs_review),
		cmocka_unit_test(refuses_a_broken_model_naming_the_field),
		cmocka_unit_test(refuses_broken_rows),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
