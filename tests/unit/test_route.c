/* test_route.c - from class and place to dispatch, review or refusal, with units and limits */
#include "refdata_fixture.h"

#include "hotline/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a)  (sizeof(a) / sizeof((a)[0]))
#define TUESDAY "2026-09-22 10:00"

static struct hl_refdata *ref;

static int load(void **state)
{
	(void)state;
	ref = fixture_refdata();
	return 0;
}

static int unload(void **state)
{
	(void)state;
	hl_refdata_free(&ref);
	return 0;
}

static struct hl_classified class_of(const char *type, enum hl_urgency urgency, bool is_auto)
{
	return (struct hl_classified){
		.type = type, .urgency = urgency, .is_auto = is_auto, .confidence = is_auto, .why = ""};
}

static struct hl_place place_of(const char *compound)
{
	struct hl_place place = {.text = "", .why = ""};

	if (compound)
		place.compound = hl_gazetteer_by_code(ref->gazetteer, hl_slice_str(compound));
	assert_true(!compound || place.compound);
	return place;
}

static struct hl_routed route(const char *type, enum hl_urgency urgency, bool is_auto, const char *compound)
{
	struct hl_classified cls = class_of(type, urgency, is_auto);
	struct hl_place place = place_of(compound);
	struct hl_error err = {.text = ""};
	struct hl_routed routed;

	if (hl_route(ref, &cls, &place, at(TUESDAY), &routed, &err))
		fail_msg("%s", err.text);
	return routed;
}

/* "FIR POL": the units that act, the lead in front. */
static const char *units_of(const struct hl_routed *r)
{
	static char text[128];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < r->n_tasks; i++) {
		assert_int_equal(r->tasks[i].is_lead, i == 0);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "", r->tasks[i].unit);
	}
	return text;
}

static void class_and_place_decide_who_acts(void **state)
{
	static const struct {
		const char *name, *type;
		enum hl_urgency urgency;
		bool is_auto;
		const char *compound;
		enum hl_disposition disposition;
		bool is_unverified;
		const char *units, *why;
	} cases[] = {
		{"sure and placed", "URB-2", HL_NORMAL, true, "C001", HL_DISPATCH, false, "URB", ""},
		{"joint", "FIR-1", HL_URGENT, true, "C001", HL_DISPATCH, false, "FIR POL", ""},
		{"a group leads", "STR-1", HL_NORMAL, true, "C001", HL_DISPATCH, false, "STR-JX", ""},
		{"the group of another place", "STR-1", HL_NORMAL, true, "C004", HL_DISPATCH, false, "STR-WZ", ""},
		{"a group helps", "HOU-4", HL_NORMAL, true, "C004", HL_DISPATCH, false, "HOU STR-WZ", ""},
		{"the property company helps", "MKT-4", HL_URGENT, true, "C001", HL_DISPATCH, false, "MKT PMC-01", ""},
		{"gas of the place", "UTI-4", HL_EMERGENCY, true, "C003", HL_DISPATCH, false, "UTI-GCS HOU", ""},
		{"not sure", "URB-2", HL_NORMAL, false, "C001", HL_REVIEW, false, "", "class is not sure"},
		{"not placed", "URB-2", HL_NORMAL, true, NULL, HL_REVIEW, false, "", "place is not known"},
		{"urgent, not placed", "FIR-1", HL_URGENT, true, NULL, HL_REVIEW, false, "", "place is not known"},
		{"neither", "URB-2", HL_NORMAL, false, NULL, HL_REVIEW, false, "", "class is not sure"},
		{"emergency, not sure", "FIR-1", HL_EMERGENCY, false, "C001", HL_DISPATCH, true, "FIR POL", ""},
		{"emergency, not placed", "FIR-1", HL_EMERGENCY, true, NULL, HL_DISPATCH, true, "FIR POL", ""},
		{"emergency, placed and sure", "FIR-1", HL_EMERGENCY, true, "C001", HL_DISPATCH, false, "FIR POL", ""},
		{"gas anywhere: every company", "UTI-4", HL_EMERGENCY, false, NULL, HL_DISPATCH, true,
		 "UTI-GRX UTI-GCS HOU", ""},
		{"gas anywhere, no emergency", "UTI-4", HL_URGENT, true, NULL, HL_REVIEW, false, "",
		 "place is not known"},
		{"emergency of an unknown street", "STR-1", HL_EMERGENCY, true, NULL, HL_REVIEW, true, "",
		 "no unit follows from type and place"},
		{"a helping group without place", "HOU-4", HL_EMERGENCY, true, NULL, HL_DISPATCH, true, "HOU", ""},
		{"the hotline's own", "HOT-1", HL_NORMAL, true, "C001", HL_REVIEW, false, "",
		 "no unit follows from type and place"},
		{"the hotline's own utility", "UTI-5", HL_URGENT, true, "C001", HL_REVIEW, false, "",
		 "no unit follows from type and place"},
		{"out of scope", "OUT-0", HL_NORMAL, true, "C001", HL_NOT_ACCEPTED, false, "", ""},
		{"out of scope, no place", "OUT-0", HL_NORMAL, true, NULL, HL_NOT_ACCEPTED, false, "", ""},
		{"out of scope, not sure", "OUT-0", HL_NORMAL, false, NULL, HL_REVIEW, false, "", "class is not sure"},
		{"out of scope, emergency", "OUT-0", HL_EMERGENCY, true, "C001", HL_REVIEW, false, "",
		 "no unit follows from type and place"},
		{"a type nobody knows", "XXX-9", HL_NORMAL, true, "C001", HL_REVIEW, false, "",
		 "case type is not in the duty table"},
		{"likewise, emergency", "XXX-9", HL_EMERGENCY, true, "C001", HL_REVIEW, false, "",
		 "case type is not in the duty table"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_routed r = route(cases[i].type, cases[i].urgency, cases[i].is_auto, cases[i].compound);

		if (r.disposition != cases[i].disposition || r.is_unverified != cases[i].is_unverified ||
		    strcmp(units_of(&r), cases[i].units) || strcmp(r.why, cases[i].why))
			fail_msg("%s: disposition %d, unverified %d, units \"%s\", why \"%s\"", cases[i].name,
				 (int)r.disposition, r.is_unverified, units_of(&r), r.why);
		assert_int_equal(r.from_us, at(TUESDAY));
	}
}

static void every_type_has_a_lead_at_every_place_that_has_one(void **state)
{
	const json_t *types = fixture_at_path(ref->docs, "case_types.case_types"), *type;
	const json_t *places = fixture_at_path(ref->docs, "places.places"), *place;
	size_t t, p;

	(void)state;
	json_array_foreach (types, t, type) {
		const char *code = fixture_word(type, "code");
		const char *lead = fixture_word(type, "lead");

		json_array_foreach (places, p, place) {
			struct hl_routed r = route(code, HL_NORMAL, true, fixture_word(place, "code"));

			bool has_no_unit =
				strcmp(lead, "HOT") == 0 || (strcmp(lead, "UTI-GAS") == 0 &&
							     !json_is_string(json_object_get(place, "gas_company")));

			if (!has_no_unit && (r.disposition != HL_DISPATCH || r.n_tasks == 0 || !r.tasks[0].is_lead))
				fail_msg("%s at %s: %s", code, fixture_word(place, "code"), r.why);
			assert_true(r.n_tasks <= HL_TASKS_MAX);
		}
	}
}

static void an_operator_must_look_within_the_limit_of_the_urgency(void **state)
{
	static const struct {
		enum hl_urgency urgency;
		int64_t within_us;
	} cases[] = {{HL_EMERGENCY, 5 * US_PER_MINUTE}, {HL_URGENT, 30 * US_PER_MINUTE}, {HL_NORMAL, 2 * US_PER_HOUR}};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_routed sure = route("URB-2", cases[i].urgency, true, "C001");
		struct hl_routed unknown = route("XXX-9", cases[i].urgency, false, NULL);

		assert_int_equal(sure.review_us, at(TUESDAY) + cases[i].within_us);
		assert_int_equal(unknown.review_us, at(TUESDAY) + cases[i].within_us);
	}
}

static void limits_and_ladder_come_with_every_task(void **state)
{
	struct hl_routed r = route("UTI-1", HL_URGENT, true, "C001");
	const struct hl_routed_task *t = &r.tasks[0];

	(void)state;
	/* Utilities sign within 30 minutes: the override of the unit's kind. */
	assert_string_equal(t->unit, "UTI-PWR");
	assert_int_equal(t->limits.sign_us, at(TUESDAY) + 30 * US_PER_MINUTE);
	assert_int_equal(t->limits.close_us, at(TUESDAY) + 72 * US_PER_HOUR);
	assert_true(t->n_rungs >= 5);
	for (size_t i = 1; i < t->n_rungs; i++)
		assert_true(t->rungs[i - 1].due_us <= t->rungs[i].due_us);
}

static void a_calendar_that_ends_is_the_operators_fault_and_no_task_is_half_made(void **state)
{
	struct hl_classified cls = class_of("HOU-4", HL_NORMAL, true);
	struct hl_place place = place_of("C001");
	struct hl_error err = {.text = ""};
	struct hl_routed r;
	int64_t now_us = at("2199-01-01 10:00");

	(void)state;
	assert_int_equal(hl_route(ref, &cls, &place, now_us, &r, &err), HL_CONFIG);
	assert_non_null(strstr(err.text, "ends before"));
	assert_int_equal(r.n_tasks, 0);
	assert_true(r.review_us > now_us);
	assert_int_equal(hl_route(ref, &cls, &place, now_us, &r, NULL), HL_CONFIG);
}

static void the_first_company_that_exists_leads(void **state)
{
	json_t *docs = json_deep_copy(ref->docs);
	json_t *members = json_object_get(
		json_object_get(json_object_get(json_object_get(docs, "case_types"), "groups"), "UTI-GAS"), "members");
	struct hl_refdata *other;
	struct hl_classified cls = class_of("UTI-4", HL_EMERGENCY, true);
	struct hl_place nowhere = place_of(NULL);
	struct hl_error err = {.text = ""};
	struct hl_routed r;

	(void)state;
	json_array_insert_new(members, 0, json_string("UTI-GONE"));
	if (hl_refdata_new(docs, &other, &err) || hl_route(other, &cls, &nowhere, at(TUESDAY), &r, &err))
		fail_msg("%s", err.text);
	assert_string_equal(units_of(&r), "UTI-GRX UTI-GCS HOU");
	hl_refdata_free(&other);
	json_decref(docs);
}

static void tasks_are_told_to_the_database_whole(void **state)
{
	struct hl_routed emergency = route("FIR-1", HL_EMERGENCY, true, "C001"),
			 normal = route("URB-2", HL_NORMAL, true, "C001");
	json_t *list = hl_route_tasks_json(&emergency);
	const struct hl_routed_task *co = &emergency.tasks[1];

	(void)state;
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(fixture_word(list, "0.role"), "lead");
	assert_string_equal(fixture_word(list, "1.role"), "co");
	assert_string_equal(fixture_word(list, "1.unit"), "POL");
	assert_int_equal(json_integer_value(fixture_at_path(list, "1.from_us")), emergency.from_us);
	assert_int_equal(json_integer_value(fixture_at_path(list, "1.sign_us")), co->limits.sign_us);
	assert_int_equal(json_integer_value(fixture_at_path(list, "1.arrive_us")), co->limits.arrive_us);
	assert_int_equal(json_integer_value(fixture_at_path(list, "1.close_us")), co->limits.close_us);
	assert_true(json_is_false(fixture_at_path(list, "1.provisional")));
	assert_int_equal(json_array_size(fixture_at_path(list, "1.rungs")), co->n_rungs);
	for (size_t i = 0; i < co->n_rungs; i++) {
		assert_string_equal(json_string_value(json_array_get(fixture_at_path(list, "1.rungs"), i)),
				    co->rungs[i].name);
		assert_int_equal(json_integer_value(json_array_get(fixture_at_path(list, "1.dues_us"), i)),
				 co->rungs[i].due_us);
	}
	json_decref(list);
	list = hl_route_tasks_json(&normal);
	assert_null(fixture_at_path(list, "0.arrive_us"));
	json_decref(list);
	list = hl_route_tasks_json(&(struct hl_routed){.n_tasks = 0});
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(class_and_place_decide_who_acts),
		cmocka_unit_test(every_type_has_a_lead_at_every_place_that_has_one),
		cmocka_unit_test(an_operator_must_look_within_the_limit_of_the_urgency),
		cmocka_unit_test(limits_and_ladder_come_with_every_task),
		cmocka_unit_test(a_calendar_that_ends_is_the_operators_fault_and_no_task_is_half_made),
		cmocka_unit_test(the_first_company_that_exists_leads),
		cmocka_unit_test(tasks_are_told_to_the_database_whole),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
