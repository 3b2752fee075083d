/* decide.c - entry and shared parts of deciding on a dialogue text (contract in hotline/decide.h). Pure. */
#include "decide.h"

#include "hotline/item.h"
#include "hotline/text.h"
#include "words.h"

#include <string.h>

#define RUNES_OF_CHOICE_MAX 12

const char *talk_field(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

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

/* ---- dialogues ---------------------------------------------------------------- */

const json_t *talk_dialogue(const struct talk *t, const char *kind)
{
	return json_object_get(json_object_get(t->ctx, "dialogues"), kind);
}

static void set_dialogue(json_t *act, const char *kind, json_t *data)
{
	json_t *all = json_object_get(act, "dialogues");

	if (!all) {
		all = json_object();
		json_object_set_new(act, "dialogues", all);
	}
	json_object_set_new(all, kind, data);
}

void talk_await(json_t *act, const char *kind, json_t *data, int minutes)
{
	json_object_set_new(data, "minutes", json_integer(minutes));
	set_dialogue(act, kind, data);
}

bool talk_waits(const json_t *act, const char *kind)
{
	return json_is_object(json_object_get(json_object_get(act, "dialogues"), kind));
}

void talk_end(json_t *act, const char *kind)
{
	set_dialogue(act, kind, json_null());
}

bool talk_says(const struct talk *t, enum talk_cue cue)
{
	struct words w;

	words_read(&w, t->ref->grammar, t->text, t->arena);
	words_find_head(&w);
	return words_have(&w, cue);
}

size_t talk_choice(const struct talk *t)
{
	struct words w;
	size_t at = 0, value = 0, n = 0;

	words_read(&w, t->ref->grammar, t->text, t->arena);
	if (w.n > RUNES_OF_CHOICE_MAX)
		return 0;
	while (at < w.n && (!rune_is_word(w.runes[at].cp) || words_match(&w, at, CUE_choice_openers, &n)))
		at = rune_is_word(w.runes[at].cp) ? n : at + 1;
	for (n = 0; at < w.n && n < 3 && rune_numeral(w.runes[at].cp) >= 0; at++, n++)
		value = value * 10 + (size_t)rune_numeral(w.runes[at].cp);
	while (at < w.n && (!rune_is_word(w.runes[at].cp) || words_match(&w, at, CUE_choice_rest, &n)))
		at = rune_is_word(w.runes[at].cp) ? n : at + 1;
	return at == w.n ? value : 0;
}

/* ---- photos ------------------------------------------------------------------- */

json_int_t talk_photos(const struct talk *t)
{
	return json_integer_value(json_object_get(t->ctx, "photos"));
}

bool talk_is_wordless(const struct talk *t)
{
	return hl_text_is_blank(t->text);
}

void talk_about(json_t *act, const json_t *task)
{
	json_object_set(act, "about", json_object_get(task, "task"));
}

void talk_link(json_t *act)
{
	json_object_set_new(act, "link", json_object());
}

/* ---- entry -------------------------------------------------------------------- */

json_t *talk_open(const struct talk *t)
{
	json_t *act = talk_act(t, "reporter", "open"), *item = hl_intake_report(t->ref, t->text, t->arena, t->now_us);
	const json_t *c;
	json_int_t n_live = 0;
	size_t i;

	json_array_foreach (json_object_get(t->ctx, "cases"), i, c)
		n_live += strcmp(talk_field(c, "state"), "closed") != 0;
	json_object_set_new(act, "n_live", json_integer(n_live));
	json_object_set_new(item, "i", json_integer(1));
	if (json_object_set_new(act, "item", item) == 0)
		return act;
	json_decref(act);
	return NULL;
}

/* The roll-call of contacts asks for a 1, and for nothing else (decisions.md 26: an open question is read first). */
static bool is_muster_answer(const struct talk *t)
{
	return json_is_true(json_object_get(t->ctx, "muster")) && !talk_dialogue(t, "menu") &&
	       !talk_dialogue(t, "close") && talk_choice(t) == 1;
}

/* The report of a property company that is meant: the only one whose day is not over, or the one whose number is there.
 */
static const json_t *duty_meant(const struct talk *t)
{
	const json_t *duties = json_object_get(t->ctx, "duties"), *duty;
	size_t i;

	json_array_foreach (duties, i, duty)
		if (hl_slice_find(t->text, hl_slice_str(talk_field(duty, "case"))) >= 0)
			return duty;
	return json_array_size(duties) == 1 ? json_array_get(duties, 0) : NULL;
}

/* 拍照: the photo itself is the stage, which the history gets when it has arrived. Who only says so is asked for it. */
static json_t *note_photo(const struct talk *t, const json_t *duty)
{
	json_t *params = json_pack("{s:O}", "case", json_object_get(duty, "case")), *act;

	act = talk_photos(t) > 0 ? talk_reply(talk_act(t, "reporter", "supplement"), "supplemented", params)
				 : talk_only_reply(t, "reporter", "ask_stage_photo", params);
	json_object_set(act, "case", json_object_get(duty, "case_id"));
	if (talk_photos(t) == 0)
		talk_link(act);
	return act;
}

/* 拍照, 制止: what a property company owes within a day of its report. NULL: the words say neither, or nothing is owed.
 * A photo without words is about the only report whose day is not over, unless a task waits for one. */
static json_t *note_stage(const struct talk *t)
{
	bool is_stopped = talk_says(t, CUE_stage_stopped);
	bool is_photo = talk_says(t, CUE_stage_photo) || (talk_is_wordless(t) && talk_photos(t) > 0 &&
							  json_array_size(json_object_get(t->ctx, "tasks")) == 0);
	const json_t *duty;
	json_t *act;

	if ((!is_photo && !is_stopped) || json_array_size(json_object_get(t->ctx, "duties")) == 0)
		return NULL;
	duty = duty_meant(t);
	if (!duty)
		return talk_only_reply(t, "reporter", "which_duty", NULL);
	if (is_photo)
		return note_photo(t, duty);
	act = talk_act(t, "reporter", "stage");
	json_object_set(act, "case", json_object_get(duty, "case_id"));
	json_object_set_new(act, "stage", json_string("stopped"));
	return talk_reply(act, "supplemented", json_pack("{s:O}", "case", json_object_get(duty, "case")));
}

/* ---- numbers that are not proven yet --------------------------------------------- */

#define PIN_DIGITS       6
#define WORDS_AROUND_PIN 8

/* Six digits, in any script, with little around them. False: the text is something else. */
static bool read_pin(const struct talk *t, char *pin_r)
{
	size_t n = 0, n_other = 0;
	struct words w;

	words_read(&w, t->ref->grammar, t->text, t->arena);
	for (size_t i = 0; i < w.n; i++) {
		int digit = rune_numeral(w.runes[i].cp);

		if (digit >= 0 && digit <= 9 && n < PIN_DIGITS)
			pin_r[n++] = (char)('0' + digit);
		else if (digit >= 0 || (rune_is_word(w.runes[i].cp) && ++n_other > WORDS_AROUND_PIN))
			return false;
	}
	pin_r[n] = '\0';
	return n == PIN_DIGITS;
}

static json_t *verify(const struct talk *t, const char *given)
{
	const char *pin = talk_field(t->ctx, "pin");
	json_t *act;

	if (!*pin)
		return talk_reply(talk_act(t, "officer", "verify_send"), "verify_first", NULL);
	if (strcmp(pin, given) != 0)
		return talk_reply(talk_act(t, "officer", "verify_wrong"), "verify_wrong", NULL);
	act = talk_reply(talk_act(t, "officer", "verify"), "verified", NULL);
	json_object_set_new(act, "pin", json_string(pin));
	return act;
}

/* A contact whose number is not proven acts for nobody; a text that would act is told so, and a fresh pin is sent. All
 * else is a resident's text like any other. NULL: it is. */
static json_t *decide_unverified(const struct talk *t, bool is_officer)
{
	const struct hl_slice some_task = HL_LIT("00000000"); /* had he one, what would he want of it? */
	char pin[PIN_DIGITS + 1];
	struct hl_said said;

	if (!json_is_true(json_object_get(t->ctx, "unverified")))
		return NULL;
	if (read_pin(t, pin))
		return verify(t, pin);
	if (is_officer)
		return NULL;
	hl_talk_parse(t->ref->grammar, true, t->text, &some_task, 1, t->arena, &said);
	if (said.wrong_code.len == 0 && (said.verb == HL_VERB_NONE || said.verb == HL_VERB_REPORT ||
					 said.verb == HL_VERB_ASK || said.verb == HL_VERB_HELP))
		return NULL;
	return talk_reply(talk_act(t, "officer", "verify_send"), "verify_first", NULL);
}

static json_t *decide(const struct talk *t)
{
	bool is_officer = json_array_size(json_object_get(t->ctx, "units")) > 0;
	json_t *noted = decide_unverified(t, is_officer);

	if (!noted && is_officer)
		noted = note_stage(t);
	if (noted)
		return noted;
	if (is_officer && is_muster_answer(t))
		return talk_reply(talk_act(t, "officer", "muster"), "muster_noted", NULL);
	return is_officer ? talk_decide_officer(t) : talk_decide_resident(t);
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
