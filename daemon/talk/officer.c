/* officer.c - an officer's text and open tasks -> act and reply; pure
 *
 * A close is never guessed: hl_talk_parse asks back where the words are not clear, and
 * over a channel that does not vouch for numbers only the typed code closes, hands back
 * or asks for time.
 */
#include "decide.h"

#include "hotline/ask.h"

#include <string.h>

#define TASKS_MAX 64

static const json_t *tasks_of(const struct talk *t)
{
	return json_object_get(t->ctx, "tasks");
}

static const char *field(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static bool is_open(const json_t *task)
{
	return strcmp(field(task, "state"), "done") != 0;
}

static const json_t *task_of_code(const struct talk *t, struct hl_slice code)
{
	const json_t *task;
	size_t i;

	json_array_foreach (tasks_of(t), i, task)
		if (hl_slice_eq_str(code, field(task, "code")))
			return task;
	return NULL;
}

/* Codes the parser may bind: open tasks first; done ones too, so that a late word about them is understood. */
static size_t codes_of(const struct talk *t, bool only_open, struct hl_slice codes[TASKS_MAX])
{
	const json_t *task;
	size_t i, n = 0;

	json_array_foreach (tasks_of(t), i, task)
		if (n < TASKS_MAX && (!only_open || is_open(task)))
			codes[n++] = hl_slice_str(field(task, "code"));
	return n;
}

json_t *talk_task_params(const json_t *task)
{
	return json_pack("{s:O, s:O, s:O}", "code", json_object_get(task, "code"), "case",
			 json_object_get(task, "case"), "close_by", json_object_get(task, "close_by"));
}

json_t *talk_on_task(const struct talk *t, const char *verb, const json_t *task)
{
	json_t *act = talk_act(t, "officer", verb);

	json_object_set(act, "task", json_object_get(task, "task"));
	json_object_set(act, "expect", json_object_get(task, "state"));
	return act;
}

static json_t *sign(const struct talk *t, const struct hl_said *said, const json_t *task)
{
	const char *state = field(task, "state");
	json_t *params;

	(void)said;
	if (strcmp(state, "dispatched") == 0)
		return talk_reply(talk_on_task(t, "sign", task), "signed", talk_task_params(task));
	params = talk_task_params(task);
	if (strcmp(state, "done") == 0)
		return talk_only_reply(t, "officer", "already_done", params);
	if (strcmp(state, "handback") == 0)
		return talk_only_reply(t, "officer", "operator_will_act", params);
	json_object_set(params, "by", json_object_get(task, "holder_name"));
	json_object_set(params, "at", json_object_get(task, "signed_at"));
	return talk_only_reply(t, "officer", "already_signed", params);
}

static json_t *arrive(const struct talk *t, const struct hl_said *said, const json_t *task)
{
	(void)said;
	/* Where a roll is called, whoever is there already says so once more. */
	if (strcmp(field(task, "state"), "arrived") == 0 && !json_is_true(json_object_get(task, "rollcall")))
		return talk_only_reply(t, "officer", "arrived", talk_task_params(task));
	return talk_reply(talk_on_task(t, "arrive", task), "arrived", talk_task_params(task));
}

static json_t *progress(const struct talk *t, const struct hl_said *said, const json_t *task)
{
	(void)said;
	return talk_reply(talk_on_task(t, "progress", task), "progress_noted", talk_task_params(task));
}

/* By when the desk must have checked a result, and when it may be texted about it. */
static void set_desk(const struct talk *t, const json_t *task, json_t *act)
{
	enum hl_urgency urgency = HL_NORMAL;
	struct hl_instant review;

	hl_urgency_parse(hl_slice_str(field(task, "urgency")), &urgency);
	json_object_set_new(act, "desk_us", json_integer(hl_desk_time(&t->ref->calendar, urgency, t->now_us)));
	if (hl_review_limit(t->ref->limits, &t->ref->calendar, urgency, t->now_us, &review, NULL) == HL_OK)
		json_object_set_new(act, "review_us", json_integer(review.at_us));
}

static json_t *close_task(const struct talk *t, const struct hl_said *said, const json_t *task)
{
	json_t *act;

	if (said->reason.len == 0)
		return talk_only_reply(t, "officer", "ask_close", talk_task_params(task));
	act = talk_on_task(t, "close", task);
	set_desk(t, task, act);
	json_object_set_new(act, "text", json_stringn(said->reason.ptr, said->reason.len));
	return talk_reply(act, "done_noted", talk_task_params(task));
}

static const struct verb_rule {
	enum hl_verb verb;
	bool needs_typed_code; /* over a channel of low trust */
	bool works_when_done;
	json_t *(*decide)(const struct talk *t, const struct hl_said *said, const json_t *task);
} rules[] = {
	{HL_VERB_SIGN, false, true, sign},
	{HL_VERB_ARRIVE, false, false, arrive},
	{HL_VERB_PROGRESS, false, false, progress},
	{HL_VERB_CLOSE, true, false, close_task},
	{HL_VERB_HANDBACK, true, false, talk_ask_operator},
	{HL_VERB_EXTEND, true, false, talk_ask_operator},
	{HL_VERB_ASSIST, true, false, talk_ask_operator},
};

static const struct verb_rule *rule_of(enum hl_verb verb)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].verb == verb)
			return &rules[i];
	return NULL;
}

/* "1 3F7KH 锦绣花园..., 2 ...": what to choose from. */
static json_t *menu(const struct talk *t)
{
	struct hl_buf list;
	const json_t *task;
	json_t *params;
	size_t i, shown = 0;

	hl_buf_init(&list, 600);
	json_array_foreach (tasks_of(t), i, task)
		if (is_open(task) && shown < 5)
			hl_buf_printf(&list, "%s%s %s", shown++ ? "; " : "", field(task, "code"), field(task, "place"));
	params = json_pack("{s:s}", "list", hl_buf_str(&list));
	hl_buf_fini(&list);
	return talk_only_reply(t, "officer", "which_task", params);
}

static json_t *sign_all(const struct talk *t)
{
	json_t *act = talk_act(t, "officer", "sign"), *all = json_array(), *last = NULL;
	const json_t *task;
	size_t i;

	json_array_foreach (tasks_of(t), i, task)
		if (strcmp(field(task, "state"), "dispatched") == 0) {
			json_array_append(all, json_object_get(task, "task"));
			last = talk_task_params(task);
			json_object_set_new(act, "reply",
					    json_pack("{s:s, s:o}", "template", "signed", "params", last));
		}
	json_object_set_new(act, "all", all);
	return json_array_size(all) > 0 ? act : (json_decref(act), talk_only_reply(t, "officer", "no_task", NULL));
}

static json_t *ask_back(const struct talk *t, const struct hl_said *said, size_t n_open)
{
	if (said->wrong_code.len > 0)
		return talk_reply(talk_act(t, "officer", "wrong_code"), "wrong_code",
				  json_pack("{s:s%}", "given", said->wrong_code.ptr, said->wrong_code.len));
	if (n_open == 0)
		return talk_only_reply(t, "officer", "no_task", NULL);
	return n_open > 1 ? menu(t) : talk_only_reply(t, "officer", "ask_verb", NULL);
}

json_t *talk_decide_officer(const struct talk *t)
{
	struct hl_slice codes[TASKS_MAX];
	size_t n_open = codes_of(t, true, codes);
	const struct verb_rule *rule;
	const json_t *task;
	struct hl_said said;

	hl_talk_parse(t->ref->grammar, true, t->text, codes, n_open, t->arena, &said);
	if (said.verb == HL_VERB_ASK && said.wrong_code.len > 0) {
		size_t n_all = codes_of(t, false, codes);

		hl_talk_parse(t->ref->grammar, true, t->text, codes, n_all, t->arena, &said);
	}
	if (said.verb == HL_VERB_NONE)
		return talk_only_reply(t, "officer", NULL, NULL);
	if (said.verb == HL_VERB_HELP)
		return talk_only_reply(t, "officer", "help_officer", NULL);
	if (said.verb == HL_VERB_SIGN && said.is_all)
		return sign_all(t);
	rule = rule_of(said.verb);
	task = task_of_code(t, said.code);
	if (!rule || !task)
		return ask_back(t, &said, n_open);
	if (!rule->works_when_done && !is_open(task))
		return talk_only_reply(t, "officer", "already_done", talk_task_params(task));
	if (rule->needs_typed_code && !t->is_trusted && !said.is_code_typed)
		return talk_only_reply(t, "officer", "need_code", NULL);
	return rule->decide(t, &said, task);
}

bool talk_is_officer_report(struct hl_slice text, struct hl_slice *rest_r)
{
	static const char *const openers[] = {"反映", "报告", "报:", "报：", "报,", "报，", "报 ", "报　"};
	struct hl_slice s = hl_slice_trim(text);

	for (size_t i = 0; i < sizeof(openers) / sizeof(openers[0]); i++)
		if (hl_slice_has_prefix(s, openers[i])) {
			size_t n = strlen(openers[i]);

			*rest_r = hl_slice_trim((struct hl_slice){s.ptr + n, s.len - n});
			return rest_r->len > 0;
		}
	return false;
}
