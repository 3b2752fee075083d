/* fuzz_classify.c - any text is classed and placed in bounded memory; what says nothing needs a person
 *
 * Byte 0: 0 the text as it is, 1 to 15 so many times over (as whoever attacks would), else as it is. The shipped rules,
 * model and gazetteer. */
#include "hotline/classify.h"
#include "hotline/error.h"
#include "hotline/place.h"
#include "hotline/text.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define ARENA_BYTES (4u << 20) /* as much as the daemon gives a text, and less */
#define TIMES_MAX   15

static struct hl_classifier *classifier;
static struct hl_gazetteer *gazetteer;

static json_t *read_file(const char *name)
{
	char path[64];
	json_t *doc;

	snprintf(path, sizeof(path), "schema/ref/%s.json", name);
	doc = json_load_file(path, 0, NULL);
	hl_assert(doc);
	return doc;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	json_t *rules = read_file("rules"), *types = read_file("case_types"), *model = read_file("model");
	json_t *places = read_file("places");

	(void)argc;
	(void)argv;
	hl_assert(hl_classifier_new(rules, types, model, &classifier, NULL) == HL_OK);
	hl_assert(hl_gazetteer_new(places, &gazetteer, NULL) == HL_OK);
	json_decref(rules);
	json_decref(types);
	json_decref(model);
	json_decref(places);
	return 0;
}

static void check_class(struct hl_slice text, struct hl_arena *arena)
{
	struct hl_classified cls;

	hl_classify(classifier, text, arena, &cls);
	hl_assert(cls.type && *cls.type && cls.unit && cls.why);
	hl_assert(cls.confidence >= 0 && cls.confidence <= 1);
	hl_assert(!cls.is_auto || !hl_text_is_blank(text));
}

static void check_place(struct hl_slice text, struct hl_arena *arena)
{
	struct hl_place place;
	struct hl_slice codes[sizeof(place.candidates) / sizeof(place.candidates[0])];
	size_t n;

	hl_place_find(gazetteer, text, arena, &place);
	n = place.n_candidates;
	hl_assert(place.text && place.why && (n == 1) == (place.compound != NULL));
	hl_assert((n > 1) == (hl_place_list(&place, arena)[0] && !place.compound));
	for (size_t i = 0; i < n; i++)
		codes[i] = hl_slice_str(place.candidates[i]->code);
	/* The same words again are no answer to the question which of them it is. */
	hl_place_choose(gazetteer, text, codes, n, arena, &place);
	hl_assert(n < 2 || !place.compound);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hl_arena scratch, arena;
	struct hl_slice once, text;
	size_t times;
	char *many;

	if (size == 0)
		return 0;
	times = data[0] >= 1 && data[0] <= TIMES_MAX ? data[0] : 1;
	hl_arena_init(&scratch, 1u << 22);
	hl_arena_init(&arena, ARENA_BYTES);
	once = hl_text_decode(&scratch, (struct hl_slice){(const char *)data + 1, size - 1}, NULL);
	many = hl_arena_array(&scratch, once.len, times);
	for (size_t i = 0; many && i < times && once.len; i++)
		memcpy(many + i * once.len, once.ptr, once.len);
	text = (struct hl_slice){many, many ? once.len * times : 0};
	check_class(text, &arena);
	check_place(text, &arena);
	hl_assert(!hl_arena_failed(&arena));
	hl_arena_fini(&arena);
	hl_arena_fini(&scratch);
	return 0;
}
