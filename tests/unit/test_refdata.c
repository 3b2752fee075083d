/* test_refdata.c - all reference documents as one object: the shipped ones load, a missing or broken one is named */
#include "refdata_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *const kinds[] = {"units", "case_types", "limits", "rules", "places", "calendar", "templates"};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static json_t *shipped;

static int load(void **state)
{
	(void)state;
	shipped = fixture_docs();
	return 0;
}

static int unload(void **state)
{
	(void)state;
	json_decref(shipped);
	return 0;
}

static void the_shipped_documents_become_one_object(void **state)
{
	json_t *docs = json_deep_copy(shipped);
	struct hl_refdata *ref;
	struct hl_error err = {.text = ""};
	struct hl_classified cls;
	struct hl_place place;
	struct hl_arena arena;

	(void)state;
	if (hl_refdata_new(docs, &ref, &err))
		fail_msg("%s", err.text);
	/* It keeps the documents itself. */
	json_decref(docs);
	hl_arena_init(&arena, 1 << 20);
	assert_non_null(hl_duties_unit(ref->duties, "FIR"));
	assert_true(hl_calendar_is_open(&ref->calendar, at("2026-09-22 10:00")));
	assert_false(hl_calendar_is_open(&ref->calendar, at("2026-09-13 10:00")));
	hl_classify(ref->classifier, HL_LIT("隔壁装修把承重墙砸了"), &arena, &cls);
	assert_string_equal(cls.type, "HOU-1");
	hl_place_find(ref->gazetteer, HL_LIT("锦绣花园3号楼"), &arena, &place);
	assert_string_equal(place.compound->code, "C001");
	hl_arena_fini(&arena);
	hl_refdata_free(&ref);
	assert_null(ref);
	hl_refdata_free(&ref);
}

static void a_missing_document_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_KINDS; i++) {
		json_t *docs = json_deep_copy(shipped);
		struct hl_error err = {.text = ""};
		struct hl_refdata *ref;
		char text[80];

		json_object_del(docs, kinds[i]);
		assert_int_equal(hl_refdata_new(docs, &ref, &err), HL_CONFIG);
		assert_null(ref);
		snprintf(text, sizeof(text), "reference document \"%s\" is missing: import it", kinds[i]);
		assert_string_equal(err.text, text);
		json_object_set_new(docs, kinds[i], json_array());
		assert_int_equal(hl_refdata_new(docs, &ref, &err), HL_CONFIG);
		json_decref(docs);
	}
}

static void nothing_at_all_misses_the_first_document(void **state)
{
	struct hl_error err = {.text = ""};
	struct hl_refdata *ref;

	(void)state;
	assert_int_equal(hl_refdata_new(NULL, &ref, &err), HL_CONFIG);
	assert_null(ref);
	assert_non_null(strstr(err.text, "\"units\""));
}

/* A document that cannot be used is named, and what was made of the others is freed. */
static void a_broken_document_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_KINDS; i++) {
		json_t *docs = json_deep_copy(shipped);
		struct hl_error err = {.text = ""};
		struct hl_refdata *ref;

		json_object_set_new(docs, kinds[i], json_object());
		assert_int_equal(hl_refdata_new(docs, &ref, &err), HL_INPUT);
		assert_null(ref);
		if (!strstr(err.text, kinds[i]))
			fail_msg("%s: %s", kinds[i], err.text);
		json_decref(docs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shipped_documents_become_one_object),
		cmocka_unit_test(a_missing_document_is_named),
		cmocka_unit_test(nothing_at_all_misses_the_first_document),
		cmocka_unit_test(a_broken_document_is_named),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
