/* operate.c - an operator's move on a case (contract in hotline/operate.h)
 *
 * Pure. Owns     which moves there are, what each needs and by which rule it is refused; whether the
 *                state of a case allows it is the law's (law.def), looked up and not repeated here.
 * Knows not      how the act is carried out (schema/fn/41_operate.sql), nor who may call which verb
 *                beyond what a supervisor alone may do.
 */
#include "operate_parts.h"

#include "hotline/law.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define US_PER_S    INT64_C(1000000)
#define RETURNS_MAX 2

/* ---- what the moves share ------------------------------------------------- */

const char *move_text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

const char *move_said(const struct move *m, const char *name)
{
	const char *s = json_string_value(json_object_get(m->op->args, name));

	return s && *s ? s : NULL;
}

int64_t move_us(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

enum hl_class move_refuse(struct move *m, const char *rule, const char *fmt, ...)
{
	char why[300];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	return hl_fail(m->err, HL_REFUSED, "%s: %s", rule, why);
}

void move_set(struct move *m, const char *name, json_t *value)
{
	json_object_set_new(m->act, name, value);
}

bool move_is_open(const json_t *task)
{
	static const char *const open[] = {"dispatched", "signed", "arrived", "handback"};

	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		if (strcmp(move_text(task, "state"), open[i]) == 0)
			return true;
	return false;
}

const json_t *move_task(const json_t *found, const char *role, const char *unit)
{
	const json_t *task, *best = NULL;
	size_t i;

	json_array_foreach (json_object_get(found, "tasks"), i, task)
		if (strcmp(move_text(task, "role"), role) == 0 &&
		    (!unit || strcmp(move_text(task, "unit"), unit) == 0) &&
		    (move_is_open(task) || strcmp(move_text(task, "state"), "done") == 0))
			best = task;
	return best;
}

static const char *state_of(const struct move *m)
{
	return move_text(m->op->found, "state");
}

bool move_is(const struct move *m, const char *state)
{
	return strcmp(state_of(m), state) == 0;
}

/* Does the law let a case go from where it is by that event? */
static enum hl_class must_be_lawful(struct move *m, const char *event)
{
	size_t n;
	const struct hl_move *law = hl_law(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(law[i].scope, "case") == 0 && strcmp(law[i].event, event) == 0 &&
		    strcmp(law[i].from, state_of(m)) == 0)
			return HL_OK;
	return move_refuse(m, "law", "case %s is '%s': %s is no move from there", move_text(m->op->found, "code"),
			   state_of(m), m->op->verb);
}

enum hl_class move_class(struct move *m, struct hl_classified *cls_r)
{
	const char *type = move_said(m, "type"), *urgency = move_said(m, "urgency");

	*cls_r = (struct hl_classified){
		.type = type ? type : move_text(m->op->found, "type"), .confidence = 1, .is_auto = true, .why = ""};
	if (!hl_duties_type(m->ref->duties, cls_r->type))
		return move_refuse(m, "type", "%s is no case type of the duty table", cls_r->type);
	if (strncmp(cls_r->type, "OUT-", 4) == 0)
		return move_refuse(m, "law", "what is out of scope is never dispatched: refuse the case instead");
	if (!hl_urgency_parse(hl_slice_str(urgency ? urgency : move_text(m->op->found, "urgency")), &cls_r->urgency))
		return move_refuse(m, "urgency", "must be normal, urgent or emergency");
	if (type)
		move_set(m, "type", json_string(type));
	if (urgency)
		move_set(m, "urgency", json_string(urgency));
	return HL_OK;
}

enum hl_class move_place(struct move *m, struct hl_place *place_r)
{
	const char *at = move_said(m, "at");

	*place_r = (struct hl_place){.text = "", .why = ""};
	if (!at) {
		place_r->compound =
			hl_gazetteer_by_code(m->ref->gazetteer, hl_slice_str(move_text(m->op->found, "compound")));
		return HL_OK;
	}
	hl_place_find(m->ref->gazetteer, hl_slice_str(at), m->arena, place_r);
	if (place_r->n_candidates > 1 && !place_r->compound)
		return move_refuse(m, "place", "several compounds are called so: %s, %s, ...",
				   place_r->candidates[0]->name, place_r->candidates[1]->name);
	if (!place_r->compound)
		return move_refuse(m, "place", "no compound of the gazetteer is named");
	move_set(m, "compound", json_string(place_r->compound->code));
	move_set(m, "place", json_string(place_r->text));
	return HL_OK;
}

enum hl_class move_unit(struct move *m, const char **unit_r)
{
	const char *named = move_said(m, "unit");
	const struct hl_unit *unit = named ? hl_duties_unit_named(m->ref->duties, hl_slice_str(named)) : NULL;

	*unit_r = unit ? unit->code : NULL;
	if (named && !unit)
		return move_refuse(m, "unit", "%s is no unit of the duty table", named);
	if (unit && (strcmp(unit->kind, "hotline") == 0 || strcmp(unit->kind, "leader") == 0))
		return move_refuse(m, "unit", "%s takes no tasks", unit->code);
	return HL_OK;
}

/* ---- assign, place -------------------------------------------------------- */

static enum hl_class route(struct move *m, struct hl_routed *routed)
{
	struct hl_classified cls;
	struct hl_place place;
	const char *unit = NULL;
	enum hl_class done = move_class(m, &cls);

	if (done == HL_OK)
		done = move_place(m, &place);
	if (done == HL_OK)
		done = move_unit(m, &unit);
	if (done == HL_OK)
		done = hl_route_decided(m->ref, &cls, &place, unit, m->op->now_us, routed, m->err);
	if (done == HL_OK && routed->n_tasks == 0)
		return move_refuse(m, "unit_missing",
				   "no unit follows from type %s and the place: name one, or the place", cls.type);
	return done;
}

/* Reporters hear which unit has it now, and by when. */
static void tell_reporters(struct move *m, const struct hl_routed *routed)
{
	const struct hl_unit *lead = hl_duties_unit(m->ref->duties, routed->tasks[0].unit);

	move_set(m, "tell_reporters",
		 json_pack("{s:s, s:I}", "unit", lead ? lead->name : "", "reply_by",
			   (json_int_t)(routed->tasks[0].limits.close_us / US_PER_S)));
}

/* Tasks of the new routing that are there already stay; the others are left out. */
static void leave_out_known(struct move *m, struct hl_routed *routed)
{
	size_t kept = 0;

	for (size_t i = 0; i < routed->n_tasks; i++) {
		const json_t *task =
			move_task(m->op->found, routed->tasks[i].is_lead ? "lead" : "co", routed->tasks[i].unit);

		if (!task)
			routed->tasks[kept++] = routed->tasks[i];
	}
	routed->n_tasks = kept;
}

static bool is_routed(const struct hl_routed *routed, const json_t *task)
{
	for (size_t i = 0; i < routed->n_tasks; i++)
		if (strcmp(routed->tasks[i].unit, move_text(task, "unit")) == 0 &&
		    routed->tasks[i].is_lead == (strcmp(move_text(task, "role"), "lead") == 0))
			return true;
	return false;
}

static json_t *open_tasks_outside(const struct move *m, const struct hl_routed *routed)
{
	json_t *list = json_array();
	const json_t *task;
	size_t i;

	json_array_foreach (json_object_get(m->op->found, "tasks"), i, task)
		if (move_is_open(task) && !is_routed(routed, task))
			json_array_append(list, json_object_get(task, "task"));
	return list;
}

/* A case under way gets another lead or type; what the reporter was promised stays. */
static enum hl_class reassign(struct move *m)
{
	const json_t *lead = move_task(m->op->found, "lead", NULL);
	struct hl_routed routed;
	enum hl_class cls;

	if (json_is_true(json_object_get(m->op->found, "is_frozen")) && m->op->role < HL_ROLE_SUPERVISOR)
		return move_refuse(m, "handback_frozen",
				   "the lead of this case is settled; only a supervisor may name another");
	cls = route(m, &routed);
	if (cls != HL_OK)
		return cls;
	move_set(m, "withdraw", open_tasks_outside(m, &routed));
	leave_out_known(m, &routed);
	if (routed.n_tasks == 0 && json_array_size(json_object_get(m->act, "withdraw")) == 0)
		return move_refuse(m, "unit", "these units have the case already");
	if (lead)
		cls = limits_kept_from(m, &routed, lead);
	move_set(m, "verb", json_string("reassign"));
	move_set(m, "tasks", hl_route_tasks_json(&routed));
	return cls;
}

static enum hl_class assign(struct move *m)
{
	struct hl_routed routed;
	enum hl_class cls;

	if (move_is(m, "dispatched") || move_is(m, "working"))
		return reassign(m);
	cls = must_be_lawful(m, "assigned");
	if (cls == HL_OK)
		cls = route(m, &routed);
	if (cls != HL_OK)
		return cls;
	move_set(m, "tasks", hl_route_tasks_json(&routed));
	tell_reporters(m, &routed);
	return HL_OK;
}

/* Units that follow from the place and are not there yet help from now on. */
static enum hl_class add_units_of_place(struct move *m, const struct hl_place *place)
{
	struct hl_classified cls;
	struct hl_routed routed;
	enum hl_class done = move_class(m, &cls);
	size_t kept = 0;

	if (done == HL_OK)
		done = hl_route_decided(m->ref, &cls, place, NULL, m->op->now_us, &routed, m->err);
	if (done != HL_OK)
		return done;
	for (size_t i = 0; i < routed.n_tasks; i++)
		if (!routed.tasks[i].is_lead && !move_task(m->op->found, "co", routed.tasks[i].unit) &&
		    !move_task(m->op->found, "lead", routed.tasks[i].unit))
			routed.tasks[kept++] = routed.tasks[i];
	routed.n_tasks = kept;
	move_set(m, "tasks", hl_route_tasks_json(&routed));
	return HL_OK;
}

static enum hl_class place(struct move *m)
{
	struct hl_place place;
	enum hl_class cls;

	if (!move_said(m, "at"))
		return move_refuse(m, "place", "the place was not said (at)");
	if (move_is(m, "review") && json_is_true(json_object_get(m->op->found, "is_sure"))) {
		move_set(m, "verb", json_string("assign"));
		return assign(m);
	}
	if (move_is(m, "done") || move_is(m, "closed") || move_is(m, "merged") || move_is(m, "withdrawn"))
		return move_refuse(m, "law", "case %s is '%s': its place is settled", move_text(m->op->found, "code"),
				   state_of(m));
	cls = move_place(m, &place);
	if (cls == HL_OK && (move_is(m, "dispatched") || move_is(m, "working")))
		cls = add_units_of_place(m, &place);
	return cls;
}

/* ---- moves of the case ---------------------------------------------------- */

static enum hl_class accept(struct move *m)
{
	return must_be_lawful(m, "closed");
}

static enum hl_class redo(struct move *m)
{
	const json_t *lead = move_task(m->op->found, "lead", NULL);
	json_t *limits = NULL;
	enum hl_class cls = must_be_lawful(m, "redo");

	if (cls != HL_OK)
		return cls;
	if (json_integer_value(json_object_get(m->op->found, "redos")) >= RETURNS_MAX)
		return move_refuse(m, "redo_limit", "the case was sent back %d times already", RETURNS_MAX);
	if (!lead)
		return move_refuse(m, "unit_missing", "the case has no lead");
	cls = limits_of_task(m, lead, m->op->now_us, NULL, &limits);
	if (cls == HL_OK)
		move_set(m, "limits", limits);
	return cls;
}

static enum hl_class wait(struct move *m)
{
	const char *question = move_said(m, "question");

	move_set(m, "question", json_string(question ? question : move_said(m, "why")));
	return must_be_lawful(m, "waiting");
}

static enum hl_class resume(struct move *m)
{
	enum hl_urgency urgency = HL_NORMAL;
	json_t *resumed;
	enum hl_class cls = must_be_lawful(m, "resumed");

	if (cls != HL_OK)
		return cls;
	hl_urgency_parse(hl_slice_str(move_text(m->op->found, "urgency")), &urgency);
	resumed = hl_resume(m->ref, json_object_get(m->op->found, "tasks"), urgency,
			    move_us(m->op->found, "waiting_us"), m->op->now_us, m->err);
	if (!resumed)
		return HL_CONFIG;
	move_set(m, "resume", resumed);
	return HL_OK;
}

/* The unit that led last, NULL when none did. */
static const char *last_lead(const json_t *found)
{
	const json_t *task;
	const char *unit = NULL;
	size_t i;

	json_array_foreach (json_object_get(found, "tasks"), i, task)
		if (strcmp(move_text(task, "role"), "lead") == 0 && strcmp(move_text(task, "state"), "closed") == 0)
			unit = move_text(task, "unit");
	return unit;
}

enum hl_class move_reopen(struct move *m)
{
	struct hl_classified cls;
	struct hl_place place;
	struct hl_routed routed;
	enum hl_class done = must_be_lawful(m, "reopened");

	move_set(m, "verb", json_string("reopen"));

	if (done != HL_OK)
		return done;
	if (json_integer_value(json_object_get(m->op->found, "reopens")) >= RETURNS_MAX)
		return move_refuse(m, "reopen_limit", "the case was reopened %d times already", RETURNS_MAX);
	done = move_class(m, &cls);
	if (done == HL_OK)
		done = move_place(m, &place);
	if (done == HL_OK)
		done = hl_route_decided(m->ref, &cls, &place, last_lead(m->op->found), m->op->now_us, &routed, m->err);
	if (done != HL_OK)
		return done;
	move_set(m, "tasks", hl_route_tasks_json(&routed));
	move_set(m, "review_us", json_integer(routed.review_us));
	return HL_OK;
}

static enum hl_class merge(struct move *m)
{
	const json_t *into = json_object_get(m->op->found, "into");
	enum hl_class cls = must_be_lawful(m, "merged");

	if (cls != HL_OK)
		return cls;
	if (!json_is_object(into))
		return move_refuse(m, "merge_target", "there is no such case to merge into");
	if (json_equal(json_object_get(into, "case_id"), json_object_get(m->op->found, "case_id")))
		return move_refuse(m, "merge_target", "a case is not merged into itself");
	move_set(m, "into", json_incref(json_object_get(into, "case_id")));
	return HL_OK;
}

static enum hl_class withdraw(struct move *m)
{
	return must_be_lawful(m, "withdrawn");
}

/* ---- the table ------------------------------------------------------------ */

static enum hl_class agenda_settle(struct move *m)
{
	(void)m;
	return HL_OK;
}

/* A waiting report is declined; anything else that is refused was asked for. */
static enum hl_class refuse(struct move *m)
{
	if (json_array_size(json_object_get(m->op->found, "requests")) > 0 || !move_is(m, "review"))
		return move_refuse_request(m);
	move_set(m, "verb", json_string("decline"));
	return must_be_lawful(m, "refused");
}

static const struct verb {
	const char *name;
	bool needs_why;
	enum hl_class (*decide)(struct move *m);
} verbs[] = {
	{"assign", false, assign},
	{"place", false, place},
	{"accept", false, accept},
	{"redo", true, redo},
	{"grant", true, move_grant},
	{"refuse", true, refuse},
	{"merge", true, merge},
	{"wait", true, wait},
	{"resume", false, resume},
	{"reopen", true, move_reopen},
	{"withdraw", true, withdraw},
	{"task_add", true, move_task_add},
	{"rollcall", false, move_rollcall},
	{"stage", false, move_stage},
	{"agenda_settle", true, agenda_settle},
};

static const struct verb *verb_of(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

enum hl_class hl_operate(const struct hl_refdata *ref, const struct hl_operation *op, struct hl_arena *arena,
			 json_t **act_r, struct hl_error *err)
{
	struct move m = {.ref = ref, .op = op, .arena = arena, .err = err};
	const struct verb *verb = verb_of(op->verb);
	enum hl_class cls;

	*act_r = NULL;
	hl_assert(verb);
	if (verb->needs_why && !move_said(&m, "why"))
		return move_refuse(&m, "why", "%s needs a reason (--why)", op->verb);
	m.act = json_pack("{s:s, s:s, s:s, s:O, s:O}", "actor", "operator", "operator", op->operator, "verb", op->verb,
			  "case", json_object_get(op->found, "case_id"), "version",
			  json_object_get(op->found, "version"));
	if (!m.act)
		return hl_fail(err, HL_NOMEM, "out of memory");
	if (move_said(&m, "why"))
		move_set(&m, "why", json_string(move_said(&m, "why")));
	cls = verb->decide(&m);
	if (cls == HL_OK && hl_arena_failed(arena))
		cls = hl_fail(err, HL_NOMEM, "out of memory");
	if (cls == HL_OK)
		*act_r = m.act;
	else
		json_decref(m.act);
	return cls;
}
