/* fuzz_doc.c - a reference document is taken or refused with a reason, and one that was taken can be used
 *
 * Byte 0 chooses the kind, the rest is the document. */
#include "calendar_fixture.h"
#include "hotline/calendar_doc.h"
#include "refdata_fixture.h"

#include <string.h>

#define ARENA_BYTES (8u << 20)
#define NOW_US      INT64_C(1774000000000000)

static const struct hl_slice text = HL_LIT("锦绣花园3号楼2单元501楼道漏水三天了，消防通道被堵");

static json_t *docs;
static struct hl_calendar calendar;

static enum hl_class use_limits(const json_t *doc, const struct hl_calendar *cal, struct hl_error *err)
{
	struct hl_limit_query q = {.case_type = "FIR-1", .unit = "FIR", .unit_kind = "authority", .from_us = NOW_US};
	struct hl_rung rungs[HL_RUNGS_MAX];
	struct hl_limit_rules *rules;
	struct hl_limits limits;
	enum hl_class cls = hl_limit_rules_new(doc, &rules, err);
	size_t n;

	if (cls != HL_OK)
		return cls;
	for (q.urgency = HL_NORMAL; q.urgency <= HL_EMERGENCY; q.urgency++)
		if (hl_limits_compute(rules, cal, &q, &limits, err) == HL_OK &&
		    hl_ladder_compute(rules, cal, &q, &limits, rungs, &n, err) == HL_OK)
			hl_assert(n <= HL_RUNGS_MAX);
	hl_limit_rules_free(&rules);
	return HL_OK;
}

static enum hl_class use_rules(const json_t *doc, struct hl_error *err)
{
	struct hl_classifier *c;
	struct hl_classified out;
	struct hl_arena arena;
	enum hl_class cls = hl_classifier_new(doc, json_object_get(docs, "case_types"), NULL, &c, err);

	if (cls != HL_OK)
		return cls;
	hl_arena_init(&arena, ARENA_BYTES);
	hl_classify(c, text, &arena, &out);
	hl_assert(out.type && out.confidence >= 0 && out.confidence <= 1);
	hl_arena_fini(&arena);
	hl_classifier_free(&c);
	return HL_OK;
}

static enum hl_class use_places(const json_t *doc, struct hl_error *err)
{
	struct hl_gazetteer *g;
	struct hl_place place;
	struct hl_arena arena;
	enum hl_class cls = hl_gazetteer_new(doc, &g, err);

	if (cls != HL_OK)
		return cls;
	hl_arena_init(&arena, ARENA_BYTES);
	hl_place_find(g, text, &arena, &place);
	hl_assert(place.text);
	hl_arena_fini(&arena);
	hl_gazetteer_free(&g);
	return HL_OK;
}

static enum hl_class use_templates(const json_t *doc, const struct hl_calendar *cal, struct hl_error *err)
{
	json_t *params =
		json_pack("{s:s, s:I, s:s}", "code", "9WNG8", "sign_by", (json_int_t)NOW_US / 1000000, "why", "");
	struct hl_templates *t;
	enum hl_class cls = hl_templates_new(doc, &t, err);
	struct hl_error render;
	struct hl_buf out;

	if (cls == HL_OK) {
		hl_buf_init(&out, 1u << 20);
		hl_template_render(t, "dispatch", "zh-CN", params, cal, &out, &render);
		hl_buf_fini(&out);
		hl_templates_free(&t);
	}
	json_decref(params);
	return cls;
}

static enum hl_class use_grammar(const json_t *doc, struct hl_error *err)
{
	struct hl_grammar *grammar;
	struct hl_arena arena;
	struct hl_said said;
	enum hl_class cls = hl_grammar_new(doc, &grammar, err);

	if (cls != HL_OK)
		return cls;
	hl_arena_init(&arena, ARENA_BYTES);
	hl_talk_parse(grammar, true, HL_LIT("结 9WNG8 属实，已清理完毕"), NULL, 0, &arena, &said);
	hl_arena_fini(&arena);
	hl_grammar_free(&grammar);
	return HL_OK;
}

static enum hl_class use_duties(json_t *units, json_t *types, struct hl_error *err)
{
	struct hl_duties *duties;
	enum hl_class cls = hl_duties_new(units, types, &duties, err);

	if (cls == HL_OK) {
		hl_duties_type(duties, "FIR-1");
		hl_duties_free(&duties);
	}
	return cls;
}

static enum hl_class use_calendar(const json_t *doc, struct hl_error *err)
{
	static const int64_t instants[] = {INT64_MIN / 4, 0, NOW_US, INT64_MAX / 4};
	struct hl_calendar cal;
	struct hl_local_time local;
	struct hl_instant out;
	enum hl_class cls = hl_calendar_load(doc, &cal, err);

	if (cls != HL_OK)
		return cls;
	for (size_t i = 0; i < sizeof(instants) / sizeof(instants[0]); i++) {
		hl_calendar_add_minutes(&cal, instants[i], 480, &out);
		hl_calendar_add_days(&cal, instants[i], 5, &out);
		hl_calendar_next_open(&cal, instants[i], &out);
		hl_calendar_previous_close(&cal, instants[i], &out);
		hl_calendar_day_close(&cal, instants[i], &out);
		hl_calendar_local(&cal, instants[i], &local);
		hl_assert(hl_calendar_worked_us(&cal, instants[i], NOW_US) >= 0);
	}
	hl_calendar_fini(&cal);
	return HL_OK;
}

static enum hl_class use_specification(const json_t *doc, struct hl_error *err)
{
	json_t *expanded;
	enum hl_class cls = hl_calendar_expand(doc, &expanded, err);

	if (cls == HL_OK) {
		hl_assert(use_calendar(expanded, err) == HL_OK);
		json_decref(expanded);
	}
	return cls;
}

static enum hl_class use(unsigned kind, json_t *doc, const struct hl_calendar *cal, struct hl_error *err)
{
	switch (kind) {
	case 0:
		return use_limits(doc, cal, err);
	case 1:
		return use_rules(doc, err);
	case 2:
		return use_places(doc, err);
	case 3:
		return use_templates(doc, cal, err);
	case 4:
		return use_grammar(doc, err);
	case 5:
		return use_duties(doc, json_object_get(docs, "case_types"), err);
	case 6:
		return use_duties(json_object_get(docs, "units"), doc, err);
	case 7:
		return use_calendar(doc, err);
	default:
		return use_specification(doc, err);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct hl_error err;

	(void)argc;
	(void)argv;
	docs = fixture_docs();
	hl_assert(hl_calendar_load(json_object_get(docs, "calendar"), &calendar, &err) == HL_OK);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hl_error err = {.text = ""};
	json_t *doc;

	if (size == 0)
		return 0;
	doc = json_loadb((const char *)data + 1, size - 1, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	if (doc && use(data[0] % 9, doc, &calendar, &err) != HL_OK)
		hl_assert(err.text[0]);
	json_decref(doc);
	return 0;
}
