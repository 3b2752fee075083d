/* officer.c - an officer's text and open tasks -> act and reply; pure
 *
 * A close is never guessed: hl_talk_parse asks back where the words are not clear, and
 * over a channel that does not vouch for numbers only the typed code closes, hands back
 * or asks for time. What a dialogue waits for comes before what the words say alone.
 */
#include "decide.h"

#include <string.h>

static const json_t *tasks_of(const struct talk *t)
{
	return json_object_get(t->ctx, "tasks");
}

bool talk_task_is_open(const json_t *task)
{
	return strcmp(talk_field(task, "state"), "done") != 0;
}

const json_t *talk_task(const struct talk *t, json_int_t id)
{
	const json_t *task;
	size_t i;

	json_array_foreach (tasks_of(t), i, task)
		if (json_integer_value(json_object_get(task, "task")) == id)
			return task;
	return NULL;
}

static const json_t *task_of_code(const struct talk *t, struct hl_slice code)
{
	const json_t *task;
	size_t i;

	json_array_foreach (tasks_of(t), i, task)
		if (hl_slice_eq_str(code, talk_field(task, "code")))
			return task;
	return NULL;
}

struct open_codes {
	struct hl_slice *codes;
	size_t n;
};

/* Codes the parser may bind: open tasks first; done ones too, so that a late word about them is understood. */
static struct open_codes codes_of(const struct talk *t, bool only_open)
{
	struct open_codes open = {
		.codes = hl_arena_array(t->arena, json_array_size(tasks_of(t)) + 1, sizeof(struct hl_slice))};
	const json_t *task;
	size_t i;

	json_array_foreach (tasks_of(t), i, task)
		if (open.codes && (!only_open || talk_task_is_open(task)))
			open.codes[open.n++] = hl_slice_str(talk_field(task, "code"));
	return open;
}

static void parse(const struct talk *t, struct open_codes open, struct hl_said *said_r)
{
	hl_talk_parse(t->ref->grammar, true, t->text, open.codes, open.n, t->arena, said_r);
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

/* ---- verbs --------------------------------------------------------------------- */

static json_t *sign(const struct talk *t, const struct hl_said *said, const json_t *task)
{
	const char *state = talk_field(task, "state");
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
	if (strcmp(talk_field(task, "state"), "arrived") == 0 && !json_is_true(json_object_get(task, "rollcall")))
		return talk_only_reply(t, "officer", "arrived", talk_task_params(task));
	return talk_reply(talk_on_task(t, "arrive", task), "arrived", talk_task_params(task));
}

static json_t *progress(const struct talk *t, const struct hl_said *said, const json_t *task)
{
	(void)said;
	return talk_reply(talk_on_task(t, "progress", task), "progress_noted", talk_task_params(task));
}

static const struct verb_rule {
	enum hl_verb verb;
	bool needs_typed_code; /* over a channel of low trust */
	bool works_when_done;
	const char *fits; /* states in which a task waits for this: which one is meant when no code says so */
	json_t *(*decide)(const struct talk *t, const struct hl_said *said, const json_t *task);
} rules[] = {
	{HL_VERB_SIGN, false, true, "dispatched", sign},
	{HL_VERB_ARRIVE, false, false, "dispatched signed", arrive},
	{HL_VERB_PROGRESS, false, false, "dispatched signed arrived handback", progress},
	{HL_VERB_CLOSE, true, false, "dispatched signed arrived", talk_close},
	{HL_VERB_HANDBACK, true, false, "dispatched signed", talk_ask_operator},
	{HL_VERB_EXTEND, true, false, "dispatched signed arrived", talk_ask_operator},
	{HL_VERB_ASSIST, true, false, "dispatched signed arrived", talk_ask_operator},
};

static const struct verb_rule *rule_of(enum hl_verb verb)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].verb == verb)
			return &rules[i];
	return NULL;
}

json_t *talk_act_on_task(const struct talk *t, const struct hl_said *said, const json_t *task, bool is_named)
{
	const struct verb_rule *rule = rule_of(said->verb);

	if (!rule->works_when_done && !talk_task_is_open(task))
		return talk_only_reply(t, "officer", "already_done", talk_task_params(task));
	if (rule->needs_typed_code && !t->is_trusted && !is_named)
		return talk_only_reply(t, "officer", "need_code", NULL);
	return rule->decide(t, said, task);
}

/* ---- several tasks -------------------------------------------------------------- */

#define MENU_MAX 5

static bool does_fit(const struct verb_rule *rule, const json_t *task)
{
	return strstr(rule->fits, talk_field(task, "state")) != NULL;
}

/* "1 3F7KH 锦绣花园3号楼; 2 ...": what to choose from, by number or by code. */
static json_t *list_of(const struct talk *t, const json_t *ids, bool is_numbered)
{
	struct hl_buf list;
	const json_t *id;
	json_t *params;
	size_t i;

	hl_buf_init(&list, 1200);
	json_array_foreach (ids, i, id) {
		const json_t *task = talk_task(t, json_integer_value(id));

		hl_buf_printf(&list, "%s", i ? "; " : "");
		if (is_numbered)
			hl_buf_printf(&list, "%zu ", i + 1);
		hl_buf_printf(&list, "%s %s", talk_field(task, "code"), talk_field(task, "place"));
	}
	params = json_pack("{s:s}", "list", hl_buf_str(&list));
	hl_buf_fini(&list);
	return params;
}

/* The tasks a verb fits, the first ones; *n_r counts all. */
static json_t *fitting(const struct talk *t, const struct verb_rule *rule, size_t *n_r)
{
	json_t *ids = json_array();
	const json_t *task;
	size_t i;

	*n_r = 0;
	json_array_foreach (tasks_of(t), i, task)
		if (rule ? does_fit(rule, task) : talk_task_is_open(task)) {
			if (++*n_r <= MENU_MAX)
				json_array_append(ids, json_object_get(task, "task"));
		}
	return ids;
}

json_t *talk_choose_task(const struct talk *t, const struct hl_said *said)
{
	const struct verb_rule *rule = rule_of(said->verb);
	size_t n;
	json_t *ids = fitting(t, rule, &n), *act;

	if (rule && n == 1) {
		act = talk_act_on_task(t, said, talk_task(t, json_integer_value(json_array_get(ids, 0))), false);
	} else if (rule && n > 1 && (t->is_trusted || !rule->needs_typed_code)) {
		act = talk_only_reply(t, "officer", "menu_task", list_of(t, ids, true));
		talk_await(act, "menu", json_pack("{s:O, s:s%}", "tasks", ids, "text", t->text.ptr, t->text.len),
			   MENU_MINUTES);
	} else {
		json_decref(ids);
		ids = fitting(t, NULL, &n);
		act = talk_only_reply(t, "officer", "which_task", list_of(t, ids, false));
	}
	json_decref(ids);
	return act;
}

/* A photo is about this task; it moves nothing. */
static json_t *note_photo(const struct talk *t, const json_t *task)
{
	json_t *act = talk_only_reply(t, "officer", "photo_noted", talk_task_params(task));

	talk_about(act, task);
	return act;
}

/* A photo without words: the one that a close waits for, else it is asked which task it shows. */
static json_t *take_photo(const struct talk *t)
{
	json_t *act = talk_photo_came(t), *ids;
	size_t n;

	if (act)
		return act;
	ids = fitting(t, NULL, &n);
	if (n == 1) {
		act = note_photo(t, talk_task(t, json_integer_value(json_array_get(ids, 0))));
	} else if (n == 0) {
		act = talk_only_reply(t, "officer", "no_task", NULL);
	} else {
		act = talk_only_reply(t, "officer", "menu_task", list_of(t, ids, true));
		talk_await(act, "menu", json_pack("{s:O, s:O}", "tasks", ids, "photos_of", json_object_get(t->ctx, "message")),
			   MENU_MINUTES);
	}
	json_decref(ids);
	return act;
}

json_t *talk_answer_menu(const struct talk *t)
{
	const json_t *menu = talk_dialogue(t, "menu"), *ids = json_object_get(menu, "tasks"), *task;
	size_t n = menu ? talk_choice(t) : 0;
	struct talk asked = *t;
	struct hl_slice code;
	struct hl_said said;
	json_t *act;

	if (n == 0 || n > json_array_size(ids))
		return NULL;
	task = talk_task(t, json_integer_value(json_array_get(ids, n - 1)));
	if (!task)
		return NULL;
	asked.text = (struct hl_slice){talk_field(menu, "text"), json_string_length(json_object_get(menu, "text"))};
	code = hl_slice_str(talk_field(task, "code"));
	if (json_object_get(menu, "photos_of")) {
		act = note_photo(t, task);
		json_object_set(act, "photos_of", json_object_get(menu, "photos_of"));
		talk_end(act, "menu");
		return act;
	}
	hl_talk_parse(t->ref->grammar, true, asked.text, &code, 1, t->arena, &said);
	if (!rule_of(said.verb))
		return NULL;
	act = talk_act_on_task(&asked, &said, task, false);
	talk_end(act, "menu");
	return act;
}

#define SIGNED_LIST_MAX 8

/* Signs all that wait for it, and names them. */
static json_t *sign_all(const struct talk *t)
{
	json_t *act = talk_act(t, "officer", "sign"), *all = json_array();
	json_int_t first = INT64_MAX;
	const json_t *task;
	struct hl_buf list;
	size_t i, n = 0;

	hl_buf_init(&list, 200);
	json_array_foreach (tasks_of(t), i, task) {
		json_int_t close_by = json_integer_value(json_object_get(task, "close_by"));

		if (strcmp(talk_field(task, "state"), "dispatched") != 0)
			continue;
		json_array_append(all, json_object_get(task, "task"));
		first = close_by < first ? close_by : first;
		if (n++ < SIGNED_LIST_MAX)
			hl_buf_printf(&list, "%s%s", n > 1 ? " " : "", talk_field(task, "code"));
	}
	if (n > SIGNED_LIST_MAX)
		hl_buf_printf(&list, " ...");
	talk_reply(act, "signed_all",
		   json_pack("{s:I, s:s, s:I}", "count", (json_int_t)n, "list", hl_buf_str(&list), "close_by", first));
	hl_buf_fini(&list);
	json_object_set_new(act, "all", all);
	if (n > 0)
		return act;
	json_decref(act);
	return talk_only_reply(t, "officer", "no_task", NULL);
}

/* ---- entry ------------------------------------------------------------------------ */

/* A matter of life and death on an officer's phone that is none of the tasks is a report, whoever sends it. */
static bool is_new_emergency(const struct talk *t)
{
	struct hl_classified cls;
	const json_t *task;
	size_t i;

	json_array_foreach (tasks_of(t), i, task)
		if (talk_task_is_open(task) && strcmp(talk_field(task, "urgency"), "emergency") == 0)
			return false;
	hl_classify(t->ref->classifier, t->text, t->arena, &cls);
	return cls.urgency == HL_EMERGENCY && !talk_says(t, CUE_done);
}

static json_t *ask_back(const struct talk *t, const struct hl_said *said, struct open_codes open)
{
	struct open_codes first = {open.codes, 1};
	struct hl_said bound;

	if (said->wrong_code.len > 0)
		return talk_reply(talk_act(t, "officer", "wrong_code"), "wrong_code",
				  json_pack("{s:s%}", "given", said->wrong_code.ptr, said->wrong_code.len));
	if (is_new_emergency(t))
		return talk_open(t);
	if (open.n == 0)
		return talk_only_reply(t, "officer", "no_task", NULL);
	if (open.n == 1)
		return talk_only_reply(t, "officer", "ask_verb", NULL);
	/* Were there only one task, what would it be about? */
	parse(t, first, &bound);
	return talk_choose_task(t, &bound);
}

/* STOP: an officer cannot leave silently. */
static json_t *refuse_stop(const struct talk *t)
{
	return talk_reply(talk_act(t, "officer", "stop"), "officer_stop", NULL);
}

/* ---- registered reporters ----------------------------------------------------------- */

/* A property company or a grid worker of a community that finds a violation must photograph, stop and report it: such words
 * open a case. */
static bool is_registered_reporter(const struct talk *t)
{
	const json_t *code;
	size_t i;

	if (json_is_true(json_object_get(t->ctx, "is_grid_worker")))
		return true;
	json_array_foreach (json_object_get(t->ctx, "units"), i, code) {
		const struct hl_unit *unit = hl_duties_unit(t->ref->duties, json_string_value(code));

		if (unit && strcmp(unit->kind, "property_company") == 0)
			return true;
	}
	return false;
}

static const json_t *own_live_case(const struct talk *t)
{
	const json_t *c;
	size_t i;

	json_array_foreach (json_object_get(t->ctx, "cases"), i, c)
		if (strcmp(talk_field(c, "state"), "closed") != 0)
			return c;
	return NULL;
}

/* 发现..., 制止无效: a new case, or the next stage of the one reported last. NULL: the words are about a task. */
static json_t *report_violation(const struct talk *t)
{
	bool is_found = talk_says(t, CUE_found), is_stopped = talk_says(t, CUE_stopped);
	const json_t *c = is_found ? NULL : own_live_case(t);
	json_t *act;

	if (!is_found && !is_stopped)
		return NULL;
	if (!c) {
		act = talk_open(t);
		if (act && is_stopped)
			json_object_set_new(act, "stages", json_pack("[s]", "stopped"));
		if (act && talk_photos(t) == 0)
			talk_link(act);
		return act;
	}
	act = talk_act(t, "reporter", "stage");
	json_object_set(act, "case", json_object_get(c, "case_id"));
	json_object_set_new(act, "stage", json_string("stopped"));
	return talk_reply(act, "supplemented", json_pack("{s:O}", "case", json_object_get(c, "code")));
}

static json_t *decide_words(const struct talk *t, const struct hl_said *said, struct open_codes open)
{
	const json_t *task;

	switch (said->verb) {
	case HL_VERB_NONE:
		return talk_only_reply(t, "officer", NULL, NULL);
	case HL_VERB_HELP:
		return talk_only_reply(t, "officer", "help_officer", NULL);
	case HL_VERB_REPORT:
		return talk_open(t);
	default:
		if (said->verb == HL_VERB_SIGN && said->is_all)
			return sign_all(t);
		/* 幸福小区着火了 sounds like a plan to go there. */
		if (said->verb == HL_VERB_PROGRESS && !said->is_code_typed && is_new_emergency(t))
			return talk_open(t);
		task = rule_of(said->verb) ? task_of_code(t, said->code) : NULL;
		return task ? talk_act_on_task(t, said, task, said->is_code_typed) : ask_back(t, said, open);
	}
}

json_t *talk_decide_officer(const struct talk *t)
{
	struct open_codes open = codes_of(t, true);
	struct hl_said said;
	json_t *act;

	if (talk_is_wordless(t) && (talk_photos(t) > 0 || talk_dialogue(t, "close")))
		return take_photo(t);
	if (talk_says(t, CUE_stop))
		return refuse_stop(t);
	act = talk_answer_menu(t);
	if (act)
		return act;
	parse(t, open, &said);
	if (said.verb == HL_VERB_ASK && said.wrong_code.len > 0)
		parse(t, codes_of(t, false), &said);
	act = talk_answer_rest(t, &said);
	if (!act)
		act = talk_answer_close(t, &said);
	if (!act && !said.is_code_typed && said.wrong_code.len == 0 && is_registered_reporter(t))
		act = report_violation(t);
	return act ? act : decide_words(t, &said, open);
}
