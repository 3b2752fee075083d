/* operate_ask.c - an operator answers what was asked: hand-back, more time, assistance, reopening (contract in
 * operate_parts.h)
 *
 * Pure. Anti-ping-pong is here: a second hand-back, or one back to a unit that handed the case back, gets the lead of
 * the duty table, whatever was proposed.
 */
#include "operate_parts.h"

#include "hotline/ask.h"

#include <string.h>

/* The one request that is meant: of the task whose code was given, of that kind when it was said. */
static enum hl_class find_request(struct move *m, const json_t **request_r)
{
	const json_t *task = json_object_get(m->op->found, "task"), *r;
	const char *kind = move_said(m, "kind");
	size_t i, n = 0;

	*request_r = NULL;
	json_array_foreach (json_object_get(m->op->found, "requests"), i, r) {
		if ((json_is_integer(task) && !json_equal(task, json_object_get(r, "task"))) ||
		    (kind && strcmp(kind, move_text(r, "kind")) != 0))
			continue;
		*request_r = r;
		n++;
	}
	if (n == 0)
		return move_refuse(m, "request", "nothing is asked for in case %s", move_text(m->op->found, "code"));
	if (n > 1)
		return move_refuse(m, "request",
				   "several things are asked for: give the code of the task, or the kind");
	move_set(m, "request", json_incref(json_object_get(*request_r, "request")));
	return HL_OK;
}

static const json_t *task_of(const struct move *m, const json_t *request)
{
	const json_t *task;
	size_t i;

	json_array_foreach (json_object_get(m->op->found, "tasks"), i, task)
		if (json_equal(json_object_get(task, "task"), json_object_get(request, "task")))
			return task;
	return NULL;
}

/* How often the lead was handed back, and whether that unit did it. */
static size_t handed_back(const json_t *found, const char *unit, bool *is_among_r)
{
	const json_t *task;
	size_t i, n = 0;

	*is_among_r = false;
	json_array_foreach (json_object_get(found, "tasks"), i, task)
		if (strcmp(move_text(task, "role"), "lead") == 0 &&
		    strcmp(move_text(task, "state"), "handed_back") == 0) {
			n++;
			*is_among_r |= unit && strcmp(unit, move_text(task, "unit")) == 0;
		}
	return n;
}

/* The lead that the duty table names at this place, NULL when it names none. */
static enum hl_class duty_lead(struct move *m, const char **unit_r)
{
	struct hl_classified cls;
	struct hl_place place;
	struct hl_routed routed;
	enum hl_class done = move_class(m, &cls);

	*unit_r = NULL;
	if (done == HL_OK)
		done = move_place(m, &place);
	if (done == HL_OK)
		done = hl_route_decided(m->ref, &cls, &place, NULL, m->op->now_us, &routed, m->err);
	if (done == HL_OK && routed.n_tasks > 0)
		*unit_r = routed.tasks[0].unit;
	return done;
}

/* Units pushed the case to and fro: what was proposed does not count any more. */
static enum hl_class settle_lead(struct move *m, const char *own, const char **unit_io)
{
	const char *duty, *named = *unit_io;
	enum hl_class cls = duty_lead(m, &duty);

	move_set(m, "freeze", json_true());
	if (cls != HL_OK)
		return cls;
	if (move_said(m, "unit") && m->op->role >= HL_ROLE_SUPERVISOR)
		return HL_OK;
	if (!duty)
		return move_refuse(m, "unit_missing",
				   "the duty table names no lead at this place: a supervisor names one");
	if (move_said(m, "unit") && named && strcmp(named, duty) != 0)
		return move_refuse(m, "handback_frozen", "the duty table names %s; only a supervisor may name another",
				   duty);
	if (strcmp(duty, own) == 0)
		return move_refuse(m, "handback_frozen", "the duty table names %s itself: refuse the hand-back", own);
	*unit_io = duty;
	return HL_OK;
}

/* Who gets the task of a hand-back; NULL: a helper that nobody replaces. */
static enum hl_class next_unit(struct move *m, const json_t *request, const json_t *task, const char **unit_r)
{
	bool is_lead = strcmp(move_text(task, "role"), "lead") == 0, is_return;
	const char *own = move_text(task, "unit");
	enum hl_class cls = move_unit(m, unit_r);

	if (cls != HL_OK)
		return cls;
	if (!*unit_r && *move_text(request, "unit"))
		*unit_r = move_text(request, "unit");
	if (is_lead && (handed_back(m->op->found, *unit_r, &is_return) > 0 || is_return ||
			json_is_true(json_object_get(m->op->found, "is_frozen"))))
		cls = settle_lead(m, own, unit_r);
	if (cls == HL_OK && is_lead && !*unit_r)
		return move_refuse(m, "unit_missing", "the unit did not say whose it is: name one (--unit)");
	if (cls == HL_OK && *unit_r && strcmp(*unit_r, own) == 0)
		return move_refuse(m, "unit", "%s is the unit that hands it back", own);
	return cls;
}

static enum hl_class grant_handback(struct move *m, const json_t *request)
{
	const json_t *task = task_of(m, request), *helper;
	bool is_lead = strcmp(move_text(task, "role"), "lead") == 0;
	json_t *withdraw = json_array();
	struct hl_classified cls;
	struct hl_routed routed = {.n_tasks = 0};
	const char *unit = NULL;
	enum hl_class done;

	move_set(m, "verb", json_string("handback_grant"));
	move_set(m, "withdraw", withdraw);
	done = next_unit(m, request, task, &unit);
	if (done == HL_OK)
		done = move_class(m, &cls);
	if (done != HL_OK)
		return done;
	helper = unit ? move_task(m->op->found, is_lead ? "co" : "lead", unit) : NULL;
	if (helper && !is_lead)
		unit = NULL; /* the lead needs no second task */
	else if (helper)
		json_array_append(withdraw, json_object_get(helper, "task"));
	if (unit)
		done = hl_route_unit(m->ref, &cls, unit, is_lead, m->op->now_us, &routed, m->err);
	if (done == HL_OK)
		done = limits_kept_from(m, &routed, task);
	if (done == HL_OK)
		move_set(m, "tasks", hl_route_tasks_json(&routed));
	return done;
}

/* More time counts from the limit as it is now, which a wait may have moved since it was asked for; then holidays that
 * were not on the way before may make fewer of the days fit under the cap. */
static enum hl_class extended_limit(struct move *m, const json_t *request, const json_t *task, int *days_r,
				    struct hl_instant *close_r)
{
	const struct hl_calendar *cal = hl_refdata_calendar(m->ref, move_text(task, "unit"));
	const char *rule;
	enum hl_class cls;

	*days_r = (int)move_us(request, "days");
	do
		cls = hl_extended_limit(cal, move_us(task, "close_us"), *days_r, close_r, &rule, m->err);
	while (cls == HL_OK && rule && --*days_r > 0);
	return cls == HL_OK && rule ? move_refuse(m, rule, "these days do not fit behind the limit any more") : cls;
}

static enum hl_class grant_extension(struct move *m, const json_t *request)
{
	const json_t *task = task_of(m, request);
	struct hl_instant close;
	json_t *limits = NULL;
	int days;
	enum hl_class cls = extended_limit(m, request, task, &days, &close);

	move_set(m, "verb", json_string("extend_grant"));
	if (cls == HL_OK)
		cls = limits_of_task(m, task, 0, &close, &limits);
	if (cls != HL_OK)
		return cls;
	move_set(m, "limits", limits);
	move_set(m, "days", json_integer(days));
	return HL_OK;
}

static enum hl_class grant_assist(struct move *m, const json_t *request)
{
	const char *unit = NULL;
	struct hl_classified cls;
	struct hl_routed routed;
	enum hl_class done = move_unit(m, &unit);

	if (done == HL_OK)
		done = move_class(m, &cls);
	if (done != HL_OK)
		return done;
	if (!unit && *move_text(request, "unit"))
		unit = move_text(request, "unit");
	if (!unit)
		return move_refuse(m, "unit_missing", "the unit did not say who should help: name one (--unit)");
	if (move_task(m->op->found, "co", unit) || move_task(m->op->found, "lead", unit))
		return move_refuse(m, "one_open_task_per_unit", "%s has a task in this case", unit);
	done = hl_route_unit(m->ref, &cls, unit, false, m->op->now_us, &routed, m->err);
	move_set(m, "verb", json_string("task_add"));
	move_set(m, "asker", json_incref(json_object_get(request, "task")));
	if (done == HL_OK)
		move_set(m, "tasks", hl_route_tasks_json(&routed));
	return done;
}

enum hl_class move_grant(struct move *m)
{
	const json_t *request;
	const char *kind;
	enum hl_class cls = find_request(m, &request);

	if (cls != HL_OK)
		return cls;
	kind = move_text(request, "kind");
	if (strcmp(kind, "reopen") == 0)
		return move_reopen(m);
	if (strcmp(kind, "handback") == 0)
		return grant_handback(m, request);
	return strcmp(kind, "extend") == 0 ? grant_extension(m, request) : grant_assist(m, request);
}

enum hl_class move_refuse_request(struct move *m)
{
	const json_t *request;

	move_set(m, "verb", json_string("request_refuse"));
	return find_request(m, &request);
}
