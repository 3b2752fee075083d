/* close.c - closing a task step by step: which facts a close must state, and what to ask for; pure
 *
 * A close that states everything is done at once; else what is known is kept and the next fact is asked for,
 * until it is complete or given up. Facts are taken from words; a digit answers the question that was asked.
 */
#include "decide.h"
#include "hotline/ask.h"
#include "words.h"

#include <string.h>

#define HOW_MIN 2 /* runes that tell something besides the facts */

/* In the order in which they are asked for. */
static const struct fact {
	const char *name, *question;
	enum talk_cue yes, no;
} facts[] = {
	{"is_true", "ask_true", CUE_fact_true, CUE_fact_untrue},
	{"contacted", "ask_contacted", CUE_fact_contacted, CUE_fact_not_contacted},
	{"solved", "ask_solved", CUE_fact_solved, CUE_fact_unsolved},
};
#define FACTS (sizeof(facts) / sizeof(facts[0]))

/* What words say about a fact: 1, 0, or -1 for nothing. The denial holds the word it denies. */
static int said_about(const struct words *w, const struct fact *fact)
{
	if (words_have(w, fact->no))
		return 0;
	return words_have(w, fact->yes) ? 1 : -1;
}

/* Runes that are neither a fact nor a mark. */
static size_t count_other(const struct words *w)
{
	size_t n = 0, at = 0, end;

	while (at < w->n) {
		bool is_fact = false;

		for (size_t i = 0; i < FACTS && !is_fact; i++)
			is_fact = words_match(w, at, facts[i].no, &end) || words_match(w, at, facts[i].yes, &end);
		/* 已修好 is the fact that it is solved, and tells how. */
		if (is_fact && !words_match(w, at, CUE_fact_tells_how, &(size_t){0})) {
			at = end;
			continue;
		}
		n += rune_is_word(w->runes[at++].cp);
	}
	return n;
}

static void learn(const struct talk *t, struct hl_slice text, json_t *known)
{
	struct words w;

	words_read(&w, t->ref->grammar, text, t->arena);
	words_scan(&w, t->arena);
	for (size_t i = 0; i < FACTS; i++) {
		int said = said_about(&w, &facts[i]);

		if (said >= 0)
			json_object_set_new(known, facts[i].name, json_boolean(said));
	}
	if (count_other(&w) >= HOW_MIN) {
		const char *before = talk_field(known, "how");
		char *how = hl_arena_printf(t->arena, "%s%s%.*s", before, before[0] ? " " : "", HL_SLICE_ARG(text));

		json_object_set_new(known, "how", json_string(how));
	}
	if (words_have(&w, CUE_fact_evidence) && !words_have(&w, CUE_fact_no_evidence))
		json_object_set_new(known, "evidence", json_stringn(text.ptr, text.len));
	/* What was solved was true; what is not true needs no solving. */
	if (json_is_true(json_object_get(known, "solved")) && !json_object_get(known, "is_true"))
		json_object_set_new(known, "is_true", json_true());
	if (json_is_false(json_object_get(known, "is_true")) && !json_object_get(known, "solved"))
		json_object_set_new(known, "solved", json_false());
}

static bool type_demands(const json_t *task, const char *name)
{
	const json_t *demand;
	size_t i;

	json_array_foreach (json_object_get(task, "demands"), i, demand)
		if (strcmp(json_string_value(demand), name) == 0)
			return true;
	return false;
}

/* Whoever leads answers for all of it; a type may demand the same of the others. */
static bool is_demanded(const json_t *task, const char *name)
{
	return strcmp(talk_field(task, "role"), "lead") == 0 || type_demands(task, name);
}

/* A photo that has arrived will do, one that is on its way will not yet; words name any other proof. What is not true
 * leaves nothing to prove. */
static bool lacks_evidence(const json_t *task, const json_t *known)
{
	return type_demands(task, "evidence") && strcmp(talk_field(task, "role"), "lead") == 0 &&
	       !json_object_get(known, "evidence") && !json_is_true(json_object_get(task, "has_photo")) &&
	       !json_is_false(json_object_get(known, "is_true"));
}

/* The question about the first thing that the case type demands and nobody said, NULL: there is none. */
static const char *missing(const json_t *task, const json_t *known)
{
	for (size_t i = 0; i < FACTS; i++)
		if (is_demanded(task, facts[i].name) && !json_object_get(known, facts[i].name))
			return facts[i].question;
	if (!talk_field(known, "how")[0])
		return "ask_how";
	return lacks_evidence(task, known) ? "ask_evidence" : NULL;
}

/* By when the desk must have checked a result, and when it may be texted about it. */
static void set_desk(const struct talk *t, const json_t *task, json_t *act)
{
	enum hl_urgency urgency = HL_NORMAL;
	struct hl_instant review;

	hl_urgency_parse(hl_slice_str(talk_field(task, "urgency")), &urgency);
	json_object_set_new(act, "desk_us", json_integer(hl_desk_time(hl_refdata_desk(t->ref), urgency, t->now_us)));
	if (hl_review_limit(t->ref->limits, hl_refdata_desk(t->ref), urgency, t->now_us, &review, NULL) == HL_OK)
		json_object_set_new(act, "review_us", json_integer(review.at_us));
}

/* takes known. */
static json_t *close_or_ask(const struct talk *t, const json_t *task, json_t *known, bool is_bare)
{
	const char *question = missing(task, known);
	json_t *act;

	if (question) {
		bool is_photo = strcmp(question, "ask_evidence") == 0, is_coming = is_photo && talk_photos(t) > 0;

		act = talk_only_reply(t, "officer",
				      is_bare	   ? "ask_close"
				      : is_coming ? "photo_coming"
						  : question,
				      talk_task_params(task));
		talk_about(act, task);
		if (is_photo && !is_coming)
			talk_link(act);
		talk_await(act, "close",
			   json_pack("{s:O, s:o, s:s}", "task", json_object_get(task, "task"), "facts", known, "asked",
				     question),
			   CLOSE_MINUTES);
		return act;
	}
	act = talk_on_task(t, "close", task);
	set_desk(t, task, act);
	json_object_set(act, "text", json_object_get(known, "how"));
	json_object_set_new(act, "facts", known);
	talk_end(act, "close");
	return talk_reply(act, "done_noted", talk_task_params(task));
}

json_t *talk_close(const struct talk *t, const struct hl_said *said, const json_t *task)
{
	const json_t *begun = talk_dialogue(t, "close");
	json_t *known = NULL;

	if (begun && json_equal(json_object_get(begun, "task"), json_object_get(task, "task")))
		known = json_deep_copy(json_object_get(begun, "facts"));
	if (!known)
		known = json_object();
	if (said->reason.len > 0)
		learn(t, said->reason, known);
	return close_or_ask(t, task, known, json_object_size(known) == 0);
}

/* A digit answers what was asked. False: the text is no such answer. */
static bool answer_digit(const struct talk *t, const char *asked, json_t *known)
{
	size_t n = talk_choice(t);

	for (size_t i = 0; i < FACTS && (n == 1 || n == 2); i++)
		if (strcmp(asked, facts[i].question) == 0) {
			json_object_set_new(known, facts[i].name, json_boolean(n == 1));
			learn(t, HL_LIT(""), known);
			return true;
		}
	return false;
}

/* Words that are a command of their own stay one; what only sounds like work is an answer here. */
static bool is_command(const struct hl_said *said)
{
	if (said->wrong_code.len > 0 || said->is_code_typed || said->is_all)
		return true;
	return said->verb != HL_VERB_ASK && said->verb != HL_VERB_PROGRESS && said->verb != HL_VERB_ARRIVE &&
	       said->verb != HL_VERB_CLOSE;
}

json_t *talk_photo_came(const struct talk *t)
{
	const json_t *begun = talk_dialogue(t, "close");
	const json_t *task = begun ? talk_task(t, json_integer_value(json_object_get(begun, "task"))) : NULL;

	if (!task || !talk_task_is_open(task))
		return NULL;
	return close_or_ask(t, task, json_deep_copy(json_object_get(begun, "facts")), false);
}

json_t *talk_answer_close(const struct talk *t, const struct hl_said *said)
{
	const json_t *begun = talk_dialogue(t, "close");
	const json_t *task = begun ? talk_task(t, json_integer_value(json_object_get(begun, "task"))) : NULL;
	json_t *known, *act;

	if (!task || !talk_task_is_open(task) || is_command(said))
		return NULL;
	if (talk_says(t, CUE_give_up)) {
		act = talk_only_reply(t, "officer", "cancelled", NULL);
		talk_end(act, "close");
		return act;
	}
	known = json_deep_copy(json_object_get(begun, "facts"));
	if (!answer_digit(t, talk_field(begun, "asked"), known))
		learn(t, t->text, known);
	return close_or_ask(t, task, known, false);
}
