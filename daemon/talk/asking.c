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

/* What is only incomplete is asked for again; a rule that forbids is named. */
static json_t *say_no(const struct talk *t, const struct hl_said *said, const json_t *task, const char *rule)
{
	if (strcmp(rule, "days_missing") == 0 || strcmp(rule, "reason_missing") == 0)
		return talk_only_reply(t, "officer", said->verb == HL_VERB_EXTEND ? "ask_extend" : "ask_handback",
				       talk_task_params(task));
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
