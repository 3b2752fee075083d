/* saying.c - facts and words of a call from what the database knows about it (contract in saying.h)
 *
 * Pure. Limits: at most CASES_SAID cases are read out.
 */
#include "voice/saying.h"

#include <string.h>

#define CASES_SAID     2
#define TEXT_MAX_BYTES 4000

static const char *text_of(const json_t *doc, const char *key)
{
	const char *text = json_string_value(json_object_get(doc, key));

	return text ? text : "";
}

struct hl_flow_facts saying_facts(const struct saying *s)
{
	const json_t *cases = json_object_get(s->look, "cases"), *first = json_array_get(cases, 0);
	struct hl_slice phone = hl_slice_str(text_of(s->look, "phone"));

	return (struct hl_flow_facts){
		.is_open = hl_calendar_is_open(&s->ref->calendar, s->now_us),
		.is_known = json_array_size(cases) > 0,
		.is_case = json_is_true(json_object_get(first, "entered")),
		.is_mobile = hl_flow_is_mobile(s->ref->flow, phone),
		.has_operator = json_array_size(json_object_get(s->look, "operators")) > 0,
		.is_registered = text_of(s->look, "registered")[0] != '\0',
	};
}

static struct hl_slice keep(struct hl_arena *arena, const struct hl_buf *buf)
{
	return hl_arena_dup(arena, hl_buf_slice(buf));
}

static struct hl_slice spell(struct hl_arena *arena, const char *code)
{
	struct hl_buf out;
	struct hl_slice kept;

	hl_buf_init(&out, 100);
	hl_flow_spell(&out, hl_slice_str(code));
	kept = keep(arena, &out);
	hl_buf_fini(&out);
	return kept;
}

static void say_case(const struct saying *s, const char *lang, const json_t *one, struct hl_buf *out,
		     struct hl_arena *arena)
{
	const char *key = hl_arena_printf(arena, "state_%s", text_of(one, "state"));
	struct hl_flow_param unit = {"unit", hl_slice_str(text_of(one, "unit"))};
	struct hl_buf state;

	hl_buf_init(&state, TEXT_MAX_BYTES);
	hl_flow_fill(&state, hl_flow_text(s->ref->flow, key, lang), &unit, 1);
	{
		struct hl_flow_param params[] = {{"case", spell(arena, text_of(one, "code"))},
						 {"place", hl_slice_str(text_of(one, "place"))},
						 {"status", keep(arena, &state)}};

		hl_flow_fill(out, hl_flow_text(s->ref->flow, "case_status", lang), params, 3);
	}
	hl_buf_fini(&state);
}

static struct hl_slice say_status(const struct saying *s, const char *lang, struct hl_arena *arena)
{
	const json_t *cases = json_object_get(s->look, "cases"), *one;
	struct hl_buf out;
	struct hl_slice kept;
	size_t i;

	hl_buf_init(&out, TEXT_MAX_BYTES);
	json_array_foreach (cases, i, one)
		if (i < CASES_SAID)
			say_case(s, lang, one, &out, arena);
	kept = keep(arena, &out);
	hl_buf_fini(&out);
	return kept;
}

void saying_fill(const struct saying *s, const char *lang, struct hl_flow_move *move, struct hl_arena *arena)
{
	const json_t *cases = json_object_get(s->look, "cases");
	const char *registered = text_of(s->look, "registered");
	const char *code = registered[0] ? registered : text_of(json_array_get(cases, 0), "code");
	struct hl_flow_param params[] = {
		{"case", spell(arena, code)},
		{"status", say_status(s, lang, arena)},
		{"count", hl_slice_str(hl_arena_printf(arena, "%zu", json_array_size(cases)))},
		{"hotline", hl_slice_str(s->hotline)},
		{"notice", hl_slice_str(s->notice)},
	};
	struct hl_buf out;

	hl_buf_init(&out, TEXT_MAX_BYTES);
	for (size_t i = 0; i < move->n_steps; i++) {
		if (!move->steps[i].text)
			continue;
		hl_buf_reset(&out);
		hl_flow_fill(&out, move->steps[i].text, params, sizeof(params) / sizeof(params[0]));
		move->steps[i].text = hl_arena_strdup(arena, hl_buf_slice(&out));
	}
	hl_buf_fini(&out);
}

void saying_phones(const struct saying *s, struct hl_line_script *script)
{
	const json_t *phone;
	size_t i;

	json_array_foreach (json_object_get(s->look, "operators"), i, phone)
		if (script->n_phones < HL_VOICE_PHONES_MAX && json_is_string(phone))
			script->phones[script->n_phones++] = json_string_value(phone);
}

void saying_whisper(const struct saying *s, struct hl_flow_move *move_r, struct hl_arena *arena)
{
	const char *lang = hl_flow_first_lang(s->ref->flow);

	*move_r = (struct hl_flow_move){.n_steps = 1};
	move_r->steps[0] =
		(struct hl_line_step){.verb = HL_LINE_SAY, .text = hl_flow_text(s->ref->flow, "whisper", lang)};
	saying_fill(s, lang, move_r, arena);
}
