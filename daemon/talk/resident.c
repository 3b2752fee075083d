/* resident.c - a resident's text and open cases -> act and reply; pure */
#include "decide.h"

#include "hotline/ask.h"
#include "hotline/item.h"
#include "hotline/operate.h"
#include "hotline/route.h"

#include <ctype.h>
#include <string.h>

#define MENU_MAX 5
#define US_PER_S 1000000

static json_t *about(const struct talk *t, enum hl_verb verb, const json_t *c);
static json_t *case_menu(const struct talk *t, const struct hl_said *said);

static const json_t *cases_of(const struct talk *t)
{
	return json_object_get(t->ctx, "cases");
}

static bool is_live(const json_t *c)
{
	return strcmp(talk_field(c, "state"), "closed") != 0;
}

/* "26-001234" as the parser takes codes: digits only. */
static struct hl_slice digits_of(const struct talk *t, const char *code)
{
	char *bare = hl_arena_strdup(t->arena, hl_slice_str(code)), *out = bare;

	for (const char *in = code; *in && *bare; in++)
		if (isdigit((unsigned char)*in))
			*out++ = *in;
	if (out != bare)
		*out = '\0';
	return hl_slice_str(bare);
}

/* The case meant by code, else the newest; NULL when there is none. */
static const json_t *case_meant(const struct talk *t, const struct hl_said *said)
{
	const json_t *c;
	size_t i;

	json_array_foreach (cases_of(t), i, c)
		if (said->code.len == 0 || hl_slice_eq(digits_of(t, talk_field(c, "code")), said->code))
			return c;
	return NULL;
}

static json_t *on_case(const struct talk *t, const char *verb, const json_t *c)
{
	json_t *act = talk_act(t, "reporter", verb);

	json_object_set(act, "case", json_object_get(c, "case_id"));
	return act;
}

/* What the reporter says ends a wait for it: the clocks go on with what they had left. */
static json_t *on_said(const struct talk *t, const char *verb, const json_t *c)
{
	enum hl_urgency urgency = HL_NORMAL;
	json_t *act = on_case(t, verb, c), *resume;

	if (strcmp(talk_field(c, "state"), "waiting") != 0)
		return act;
	hl_urgency_parse(hl_slice_str(talk_field(c, "urgency")), &urgency);
	resume = hl_resume(t->ref, json_object_get(c, "tasks"), urgency,
			   json_integer_value(json_object_get(c, "waiting_us")), t->now_us, NULL);
	if (resume)
		json_object_set_new(act, "resume", resume);
	return act;
}

static json_t *case_param(const json_t *c)
{
	return json_pack("{s:O}", "case", json_object_get(c, "code"));
}

static json_t *status(const struct talk *t, const json_t *c)
{
	json_t *params = case_param(c);

	json_object_set(params, "state", json_object_get(c, "state"));
	json_object_set(params, "unit", json_object_get(c, "unit"));
	json_object_set(params, "close_by",
			json_is_integer(json_object_get(c, "close_by")) ? json_object_get(c, "close_by") : json_null());
	return talk_only_reply(t, "reporter", "status", params);
}

/* Who leads and by when, for the receipt. */
static json_t *receipt_params(const struct talk *t, const json_t *c, const json_t *tasks)
{
	const json_t *task;
	json_t *params = case_param(c);
	size_t i;

	json_array_foreach (tasks, i, task) {
		const struct hl_unit *unit = hl_duties_unit(t->ref->duties, talk_field(task, "unit"));

		if (strcmp(talk_field(task, "role"), "lead") != 0 || !unit)
			continue;
		json_object_set_new(params, "unit", json_string(unit->name));
		json_object_set_new(params, "reply_by",
				    json_integer(json_integer_value(json_object_get(task, "close_us")) / US_PER_S));
	}
	return params;
}

/* The words tell where an unplaced case is: it gets its units now, if all else is sure. */
static json_t *place_case(const struct talk *t, const json_t *c, json_t *report)
{
	json_t *act = on_case(t, "assign", c);

	json_object_set_new(act, "expect", json_string("review"));
	json_object_set(act, "compound", json_object_get(report, "compound"));
	json_object_set(act, "place", json_object_get(report, "place"));
	json_object_set(act, "tasks", json_object_get(report, "tasks"));
	return talk_reply(act, "receipt_opened", receipt_params(t, c, json_object_get(report, "tasks")));
}

/* The compounds a case's reporter was asked to choose from. Gives how many. */
static size_t asked_about(const struct talk *t, const json_t *c, struct hl_slice **codes_r)
{
	const json_t *maybe = json_object_get(c, "maybe"), *code;
	size_t n = json_array_size(maybe), i;

	*codes_r = hl_arena_array(t->arena, n + 1, sizeof(**codes_r));
	if (!*codes_r)
		return 0;
	json_array_foreach (maybe, i, code)
		(*codes_r)[i] = hl_slice_str(json_string_value(code));
	return n;
}

/* find_place - where this text says an unplaced case is: a compound, or one of those that were asked about. Words about
 * the building that were said before are kept. */
static bool find_place(const struct talk *t, const json_t *c, struct hl_place *place_r)
{
	struct hl_slice *codes;
	size_t n;

	hl_place_find(t->ref->gazetteer, t->text, t->arena, place_r);
	if (!place_r->compound && (n = asked_about(t, c, &codes)) > 0)
		hl_place_choose(t->ref->gazetteer, t->text, codes, n, t->arena, place_r);
	if (place_r->compound && !place_r->building && !place_r->unit_no && !place_r->room &&
	    !talk_field(c, "compound")[0])
		place_r->text = hl_arena_printf(t->arena, "%s%s", place_r->compound->name, talk_field(c, "place"));
	return place_r->compound;
}

/* told_about - a report as it reads for an unplaced case: an answer may name the place only as one of those asked
 * about. takes what it gives. */
static json_t *told_about(const struct talk *t, const json_t *c, json_t *words)
{
	struct hl_place place;
	json_t *told;

	if (talk_field(c, "compound")[0] || !find_place(t, c, &place))
		return json_incref(words);
	told = json_copy(words);
	json_object_set_new(told, "compound", json_string(place.compound->code));
	json_object_set_new(told, "place", json_string(place.text));
	return told;
}

/* Tasks for a case of a known type at the place this text names, or NULL. */
static json_t *route_at_place(const struct talk *t, const json_t *c)
{
	struct hl_classified cls = {.type = talk_field(c, "type"), .confidence = 1, .is_auto = true, .why = ""};
	struct hl_place place;
	struct hl_routed routed;

	if (!find_place(t, c, &place) || !json_is_true(json_object_get(c, "is_sure")) ||
	    !hl_urgency_parse(hl_slice_str(talk_field(c, "urgency")), &cls.urgency) ||
	    hl_route(t->ref, &cls, &place, t->now_us, &routed, NULL) != HL_OK || routed.disposition != HL_DISPATCH)
		return NULL;
	return json_pack("{s:s, s:s, s:o}", "compound", place.compound->code, "place", place.text, "tasks",
			 hl_route_tasks_json(&routed));
}

/* Words that are surely about something else, or tell of an emergency this case is not. */
static bool is_other_matter(const json_t *c, const json_t *report)
{
	if (strcmp(talk_field(report, "urgency"), "emergency") == 0 &&
	    strcmp(talk_field(c, "urgency"), "emergency") != 0)
		return true;
	return json_is_true(json_object_get(report, "is_sure")) &&
	       strcmp(talk_field(report, "type"), talk_field(c, "type")) != 0;
}

/* Words in which no rule knows anything, and a place: whatever the model guesses, they are about the case that lacks
 * it. */
static bool is_missing_place(const json_t *c, const json_t *report)
{
	return !talk_field(c, "compound")[0] && talk_field(report, "compound")[0] &&
	       json_is_true(json_object_get(report, "is_guess"));
}

/* The centre asked and waits: what is not surely another matter is the answer. */
static bool is_awaited(const json_t *c)
{
	return strcmp(talk_field(c, "state"), "waiting") == 0;
}

/* A later text joins the sender's open case when it is about the same thing. */
static bool is_same_matter(const json_t *c, const json_t *report)
{
	const char *compound = talk_field(report, "compound");

	if (compound[0] && talk_field(c, "compound")[0] && strcmp(compound, talk_field(c, "compound")) != 0)
		return false;
	return strcmp(talk_field(report, "type"), talk_field(c, "type")) == 0;
}

static json_t *join(const struct talk *t, const json_t *c, const json_t *report)
{
	json_t *act = on_said(t, "join", c);

	json_object_set(act, "compound", json_object_get(report, "compound"));
	json_object_set(act, "place", json_object_get(report, "place"));
	return talk_reply(act, "supplemented", case_param(c));
}

/* A photo without words is about the only case that lives, or about what a menu is answered with; without one it is asked
 * what it shows. */
static json_t *take_photo(const struct talk *t)
{
	const struct hl_said said = {.verb = HL_VERB_SUPPLEMENT};
	const json_t *c, *live = NULL;
	size_t i, n = 0;
	json_t *act;

	json_array_foreach (cases_of(t), i, c)
		if (is_live(c)) {
			live = live ? live : c;
			n++;
		}
	if (n == 0)
		return talk_only_reply(t, "reporter", talk_photos(t) > 0 ? "ask_about_photo" : "ask_substance", NULL);
	if (n == 1)
		return about(t, HL_VERB_SUPPLEMENT, live);
	act = case_menu(t, &said);
	json_object_set(json_object_get(json_object_get(act, "dialogues"), "menu"), "photos_of",
			json_object_get(t->ctx, "message"));
	return act;
}

static json_t *report(const struct talk *t)
{
	json_t *words = hl_intake_report(t->ref, t->text, t->arena, t->now_us), *told, *placed, *act = NULL;
	const json_t *c;
	size_t i;

	json_array_foreach (cases_of(t), i, c) {
		if (act || !is_live(c) || is_other_matter(c, words))
			continue;
		told = told_about(t, c, words);
		placed = !talk_field(c, "compound")[0] && strcmp(talk_field(c, "state"), "review") == 0
				 ? route_at_place(t, c)
				 : NULL;
		if (placed)
			act = place_case(t, c, placed);
		else if (is_same_matter(c, told) || is_missing_place(c, told) || is_awaited(c))
			act = join(t, c, told);
		json_decref(placed);
		json_decref(told);
	}
	json_decref(words);
	return act ? act : talk_open(t);
}

/* Not satisfied: an operator looks at it again. */
static void ask_reopen(const struct talk *t, json_t *act)
{
	enum hl_urgency urgency = HL_NORMAL;
	struct hl_instant answer;

	hl_urgency_parse(hl_slice_str(talk_field(t->ctx, "survey_urgency")), &urgency);
	if (hl_operator_limit(t->ref->limits, hl_refdata_desk(t->ref), urgency, t->now_us, &answer, NULL) == HL_OK)
		json_object_set_new(act, "ask",
				    json_pack("{s:I, s:I}", "answer_us", (json_int_t)answer.at_us, "desk_us",
					      (json_int_t)hl_desk_time(hl_refdata_desk(t->ref), urgency, t->now_us)));
}

static json_t *survey(const struct talk *t, const struct hl_said *said)
{
	const json_t *rated = json_object_get(t->ctx, "survey");
	json_t *act;

	if (!json_is_string(rated))
		return talk_only_reply(t, "reporter", "help_resident", NULL);
	act = talk_act(t, "reporter", "survey");
	json_object_set(act, "case", json_object_get(t->ctx, "survey_case"));
	json_object_set_new(act, "rating", json_stringn(said->reason.ptr ? said->reason.ptr : "", said->reason.len));
	if (!hl_slice_has_prefix(said->reason, "3"))
		return talk_reply(act, "thanks", NULL);
	ask_reopen(t, act);
	return talk_reply(act, "thanks_reopen", NULL);
}

/* A command about one case. */
static json_t *about(const struct talk *t, enum hl_verb verb, const json_t *c)
{
	json_t *params = case_param(c);

	switch (verb) {
	case HL_VERB_CHASE:
		json_object_set_new(params, "count",
				    json_integer(1 + json_integer_value(json_object_get(c, "chases"))));
		return talk_reply(on_case(t, "chase", c), "chased", params);
	case HL_VERB_SUPPLEMENT:
		return talk_reply(on_said(t, "supplement", c), "supplemented", params);
	case HL_VERB_WITHDRAW:
		return talk_reply(on_case(t, "withdraw", c), "withdrawn", params);
	default:
		json_decref(params);
		return status(t, c);
	}
}

static json_t *about_case(const struct talk *t, const struct hl_said *said)
{
	const json_t *c = case_meant(t, said);

	return c ? about(t, said->verb, c) : talk_only_reply(t, "reporter", "status_none", NULL);
}

/* ---- several cases --------------------------------------------------------------- */

/* "1 26-000123 锦绣花园3号楼; 2 ..." with what was asked, for the number that comes back. */
static json_t *case_menu(const struct talk *t, const struct hl_said *said)
{
	json_t *ids = json_array(), *act;
	struct hl_buf list;
	const json_t *c;
	size_t i;

	hl_buf_init(&list, 1200);
	json_array_foreach (cases_of(t), i, c) {
		if (!is_live(c) || json_array_size(ids) == MENU_MAX)
			continue;
		json_array_append(ids, json_object_get(c, "case_id"));
		hl_buf_printf(&list, "%s%zu %s %s", json_array_size(ids) > 1 ? "; " : "", json_array_size(ids),
			      talk_field(c, "code"), talk_field(c, "place"));
	}
	act = talk_only_reply(t, "reporter", "menu_case", json_pack("{s:s}", "list", hl_buf_str(&list)));
	talk_await(act, "menu", json_pack("{s:o, s:s}", "cases", ids, "verb", hl_verb_name(said->verb)), MENU_MINUTES);
	hl_buf_fini(&list);
	return act;
}

static bool is_about_a_case(enum hl_verb verb)
{
	return verb == HL_VERB_STATUS || verb == HL_VERB_CHASE || verb == HL_VERB_SUPPLEMENT ||
	       verb == HL_VERB_WITHDRAW;
}

/* The number that answers a menu, or NULL: the text is none. */
static json_t *answer_menu(const struct talk *t)
{
	static const enum hl_verb verbs[] = {HL_VERB_STATUS, HL_VERB_CHASE, HL_VERB_SUPPLEMENT, HL_VERB_WITHDRAW};
	const json_t *menu = talk_dialogue(t, "menu"), *ids = json_object_get(menu, "cases"), *c;
	size_t n = menu ? talk_choice(t) : 0, i;
	json_t *act = NULL;

	if (n == 0 || n > json_array_size(ids))
		return NULL;
	json_array_foreach (cases_of(t), i, c)
		for (size_t v = 0; v < sizeof(verbs) / sizeof(verbs[0]) && !act; v++)
			if (json_equal(json_object_get(c, "case_id"), json_array_get(ids, n - 1)) &&
			    strcmp(talk_field(menu, "verb"), hl_verb_name(verbs[v])) == 0)
				act = about(t, verbs[v], c);
	if (act && json_object_get(menu, "photos_of"))
		json_object_set(act, "photos_of", json_object_get(menu, "photos_of"));
	if (act)
		talk_end(act, "menu");
	return act;
}

/* While a rating is due, a rating is about the case that is rated, however many others are open. */
static bool is_due_rating(const struct talk *t, struct hl_said *said_r)
{
	const char *rated = json_string_value(json_object_get(t->ctx, "survey"));
	struct hl_slice code;

	if (!rated)
		return false;
	code = digits_of(t, rated);
	hl_talk_parse(t->ref->grammar, false, t->text, &code, 1, t->arena, said_r);
	return said_r->verb == HL_VERB_SURVEY;
}

/* A command without number may mean any case; when that is not clear, the only one that still lives. With several
 * *said_r is what one would be asked for. Gives the number of cases that live. */
static size_t read_words(const struct talk *t, struct hl_said *said_r)
{
	struct hl_slice *codes =
		hl_arena_array(t->arena, 2 * json_array_size(cases_of(t)) + 1, sizeof(struct hl_slice));
	struct hl_slice *live = codes ? codes + json_array_size(cases_of(t)) : NULL;
	const json_t *c;
	size_t i, n = 0, n_live = 0;

	*said_r = (struct hl_said){.verb = HL_VERB_NONE};
	if (!codes)
		return 0;
	json_array_foreach (cases_of(t), i, c) {
		codes[n++] = digits_of(t, talk_field(c, "code"));
		if (is_live(c))
			live[n_live++] = codes[n - 1];
	}
	hl_talk_parse(t->ref->grammar, false, t->text, codes, n, t->arena, said_r);
	if (said_r->verb == HL_VERB_ASK && said_r->wrong_code.len == 0 && n_live > 0)
		hl_talk_parse(t->ref->grammar, false, t->text, live, 1, t->arena, said_r);
	return n_live;
}

/* An emergency that none of the sender's cases knows of is a report, whatever else the words ask for. */
static bool is_new_emergency(const struct talk *t, enum hl_verb verb)
{
	struct hl_classified cls;
	const json_t *c;
	size_t i;

	if (verb == HL_VERB_NONE || verb == HL_VERB_WITHDRAW)
		return false;
	json_array_foreach (cases_of(t), i, c)
		if (is_live(c) && strcmp(talk_field(c, "urgency"), "emergency") == 0)
			return false;
	hl_classify(t->ref->classifier, t->text, t->arena, &cls);
	return cls.urgency == HL_EMERGENCY;
}

static json_t *ask_back(const struct talk *t, const struct hl_said *said)
{
	if (said->wrong_code.len > 0)
		return talk_only_reply(t, "reporter", "not_your_case",
				       json_pack("{s:s%}", "given", said->wrong_code.ptr, said->wrong_code.len));
	return talk_only_reply(t, "reporter", json_array_size(cases_of(t)) > 0 ? "help_resident" : "status_none", NULL);
}

static json_t *decide_words(const struct talk *t, const struct hl_said *said, size_t n_live)
{
	if (is_about_a_case(said->verb))
		return n_live > 1 && !said->is_code_typed && !said->is_all ? case_menu(t, said) : about_case(t, said);
	switch (said->verb) {
	case HL_VERB_NONE:
		return talk_only_reply(t, "reporter", NULL, NULL);
	case HL_VERB_SURVEY:
		return survey(t, said);
	case HL_VERB_REPORT:
		return report(t);
	case HL_VERB_ASK:
		return ask_back(t, said);
	default:
		return talk_only_reply(t, "reporter", "help_resident", NULL);
	}
}

json_t *talk_decide_resident(const struct talk *t)
{
	struct hl_said said;
	size_t n_live;
	json_t *act;

	if (talk_is_wordless(t))
		return take_photo(t);
	if (talk_says(t, CUE_stop))
		return talk_reply(talk_act(t, "reporter", "stop"), "opted_out", NULL);
	if (talk_says(t, CUE_start))
		return talk_reply(talk_act(t, "reporter", "start"), "opted_in", NULL);
	act = answer_menu(t);
	if (act)
		return act;
	if (is_due_rating(t, &said))
		return survey(t, &said);
	n_live = read_words(t, &said);
	if (is_new_emergency(t, said.verb))
		return report(t);
	return decide_words(t, &said, n_live);
}
