/* asking.c - an officer asks the centre: hand-back, more time, assistance -> act, or the rule that forbids it; pure
 *
 * What may be asked is casework's (hotline/ask.h). Until the centre has answered the limits run on.
 */
#include "decide.h"

#include "hotline/ask.h"

#include <string.h>

static enum hl_ask_kind kind_of(enum hl_verb verb)
{
	return verb == HL_VERB_EXTEND ? HL_ASK_EXTEND : verb == HL_VERB_ASSIST ? HL_ASK_ASSIST : HL_ASK_HANDBACK;
}

static bool is_asked_already(const json_t *task, const char *verb)
{
	const json_t *kind;
	size_t i;

	json_array_foreach (json_object_get(task, "asked"), i, kind)
		if (strcmp(json_string_value(kind), verb) == 0)
			return true;
	return false;
}

static struct hl_ask ask_of(const struct talk *t, const struct hl_said *said, const json_t *task)
{
	struct hl_ask ask = {.kind = kind_of(said->verb),
			     .own_unit = talk_field(task, "unit"),
			     .assigned_us = json_integer_value(json_object_get(task, "assigned_us")),
			     .close_us = json_integer_value(json_object_get(task, "close_us")),
			     .now_us = t->now_us,
			     .stopped_us = json_integer_value(json_object_get(task, "stopped_us")),
			     .reason = said->reason,
			     .unit = said->unit,
			     .days = said->days,
			     .is_frozen = json_is_true(json_object_get(task, "frozen")),
			     .was_extended = json_is_true(json_object_get(task, "extended")),
			     .is_pending = is_asked_already(task, hl_verb_name(said->verb))};

	hl_urgency_parse(hl_slice_str(talk_field(task, "urgency")), &ask.urgency);
	return ask;
}

/* What lacks days or a reason is asked for, and the next words complete it. */
static json_t *ask_the_rest(const struct talk *t, const struct hl_said *said, const json_t *task)
{
	json_t *act = talk_only_reply(t, "officer", said->verb == HL_VERB_EXTEND ? "ask_extend" : "ask_handback",
				      talk_task_params(task));

	talk_about(act, task);
	talk_await(act, "menu",
		   json_pack("{s:O, s:s%}", "rest_of", json_object_get(task, "task"), "text",
			     t->text.ptr ? t->text.ptr : "", t->text.len),
		   MENU_MINUTES);
	return act;
}

json_t *talk_answer_rest(const struct talk *t, const struct hl_said *said)
{
	const json_t *menu = talk_dialogue(t, "menu"), *of = json_object_get(menu, "rest_of");
	const json_t *task = of ? talk_task(t, json_integer_value(of)) : NULL;
	struct talk whole = *t;
	struct hl_slice code;
	struct hl_said both;
	json_t *act;

	/* Words that are a command of their own stay one. */
	if (!task || !talk_task_is_open(task) || said->is_code_typed || said->is_all || said->wrong_code.len > 0 ||
	    (said->verb != HL_VERB_ASK && said->verb != HL_VERB_PROGRESS && said->verb != HL_VERB_HANDBACK &&
	     said->verb != HL_VERB_EXTEND && said->verb != HL_VERB_ASSIST && said->verb != HL_VERB_REPORT))
		return NULL;
	if (talk_says(t, CUE_give_up)) {
		act = talk_only_reply(t, "officer", "cancelled", NULL);
		talk_end(act, "menu");
		return act;
	}
	whole.text =
		hl_slice_str(hl_arena_printf(t->arena, "%s %.*s", talk_field(menu, "text"), HL_SLICE_ARG(t->text)));
	code = hl_slice_str(talk_field(task, "code"));
	hl_talk_parse(t->ref->grammar, true, whole.text, &code, 1, t->arena, &both);
	if (both.verb != HL_VERB_HANDBACK && both.verb != HL_VERB_EXTEND && both.verb != HL_VERB_ASSIST)
		return NULL;
	act = talk_act_on_task(&whole, &both, task, true);
	if (act && !talk_waits(act, "menu"))
		talk_end(act, "menu");
	return act;
}

/* What is only incomplete is asked for again; a rule that forbids is named. */
static json_t *say_no(const struct talk *t, const struct hl_said *said, const json_t *task, const char *rule)
{
	if (strcmp(rule, "days_missing") == 0 || strcmp(rule, "reason_missing") == 0)
		return ask_the_rest(t, said, task);
	return talk_only_reply(t, "officer", "move_refused",
			       json_pack("{s:O, s:s}", "code", json_object_get(task, "code"), "rule", rule));
}

json_t *talk_ask_operator(const struct talk *t, const struct hl_said *said, const json_t *task)
{
	struct hl_ask ask = ask_of(t, said, task);
	struct hl_asked asked;
	json_t *act, *about;

	if (hl_ask(t->ref, &ask, &asked, NULL) != HL_OK)
		return NULL; /* the calendar ends: the message waits for a longer one */
	if (strcmp(talk_field(task, "state"), "handback") == 0 && ask.kind == HL_ASK_HANDBACK)
		asked.rule = "request_pending";
	/* Whom the helper should be says enough. */
	if (asked.rule && ask.kind == HL_ASK_ASSIST && asked.unit && strcmp(asked.rule, "reason_missing") == 0)
		asked.rule = NULL;
	if (asked.rule)
		return say_no(t, said, task, asked.rule);
	act = talk_on_task(t, hl_verb_name(said->verb), task);
	json_object_set_new(act, "args",
			    json_pack("{s:i, s:s%, s:s%}", "days", said->days, "reason",
				      said->reason.ptr ? said->reason.ptr : "", said->reason.len, "unit",
				      said->unit.ptr ? said->unit.ptr : "", said->unit.len));
	about = json_pack("{s:I, s:I, s:I, s:I}", "until_us", (json_int_t)asked.until_us, "answer_us",
			  (json_int_t)asked.answer_us, "close_us", (json_int_t)asked.close_us, "desk_us",
			  (json_int_t)hl_desk_time(hl_refdata_desk(t->ref), ask.urgency, t->now_us));
	if (asked.unit)
		json_object_set_new(about, "unit", json_string(asked.unit));
	json_object_set_new(act, "ask", about);
	return talk_reply(act, "operator_will_act", talk_task_params(task));
}
