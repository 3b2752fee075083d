/* decide.c - entry and shared parts of deciding on a dialogue text (contract in hotline/decide.h). Pure. */
#include "decide.h"

#include "hotline/item.h"
#include "hotline/text.h"

json_t *talk_act(const struct talk *t, const char *actor, const char *verb)
{
	return json_pack("{s:s, s:s, s:O, s:O}", "actor", actor, "verb", verb, "message",
			 json_object_get(t->ctx, "message"), "person", json_object_get(t->ctx, "person"));
}

json_t *talk_reply(json_t *act, const char *template, json_t *params)
{
	json_object_set_new(act, "reply",
			    json_pack("{s:s, s:o}", "template", template, "params", params ? params : json_object()));
	return act;
}

json_t *talk_only_reply(const struct talk *t, const char *actor, const char *template, json_t *params)
{
	json_t *act = talk_act(t, actor, "reply");

	return template ? talk_reply(act, template, params) : act;
}

json_t *talk_open(const struct talk *t)
{
	json_t *act = talk_act(t, "reporter", "open");
	json_t *item = hl_intake_report(t->ref, t->text, t->arena, t->now_us);

	json_object_set_new(item, "i", json_integer(1));
	if (json_object_set_new(act, "item", item) == 0)
		return act;
	json_decref(act);
	return NULL;
}

/* The roll-call of contacts asks for a 1, and for nothing else (decisions.md 26: an open question is read first). */
static bool is_muster_answer(const struct talk *t)
{
	struct hl_slice said = hl_slice_trim(hl_text_fold(t->arena, t->text));

	return json_is_true(json_object_get(t->ctx, "muster")) && hl_slice_eq_str(said, "1");
}

static json_t *decide(struct talk *t)
{
	bool is_officer = json_array_size(json_object_get(t->ctx, "units")) > 0;
	struct hl_slice rest;

	if (!is_officer)
		return talk_decide_resident(t);
	if (is_muster_answer(t))
		return talk_reply(talk_act(t, "officer", "muster"), "muster_noted", NULL);
	if (!talk_is_officer_report(t->text, &rest))
		return talk_decide_officer(t);
	t->text = rest;
	return talk_open(t);
}

json_t *hl_decide(const struct hl_refdata *ref, const json_t *ctx, bool is_trusted, struct hl_arena *arena,
		  int64_t now_us)
{
	const json_t *text = json_object_get(ctx, "text");
	struct talk t = {.ref = ref, .ctx = ctx, .is_trusted = is_trusted, .arena = arena, .now_us = now_us};
	json_t *act;

	t.text = (struct hl_slice){json_string_value(text), json_string_length(text)};
	act = decide(&t);
	/* Words read with half the memory may mean anything: such a message stays pending. */
	if (!hl_arena_failed(arena))
		return act;
	json_decref(act);
	return NULL;
}
