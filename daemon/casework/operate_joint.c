/* operate_joint.c - several units at one place: helpers, the roll, the stages of the notice (contract in
 * operate_parts.h). Pure. */
#include "operate_parts.h"

#include <string.h>

#define ROLL_PATIENCE_US (INT64_C(1800) * 1000000) /* who has not texted 到 by then is absent */
#define DAYS_MAX         60

static enum hl_class must_be_under_way(struct move *m)
{
	if (move_is(m, "dispatched") || move_is(m, "working") || move_is(m, "waiting"))
		return HL_OK;
	return move_refuse(m, "law", "case %s is '%s': no unit is at work on it", move_text(m->op->found, "code"),
			   move_text(m->op->found, "state"));
}

enum hl_class move_task_add(struct move *m)
{
	json_int_t days = json_integer_value(json_object_get(m->op->args, "days"));
	struct hl_classified cls;
	struct hl_routed routed;
	struct hl_instant close;
	const char *unit = NULL;
	enum hl_class done = must_be_under_way(m);

	if (done == HL_OK)
		done = move_unit(m, &unit);
	if (done == HL_OK)
		done = move_class(m, &cls);
	if (done != HL_OK)
		return done;
	if (!unit)
		return move_refuse(m, "unit_missing", "name the unit that helps");
	if (move_task(m->op->found, "co", unit) || move_task(m->op->found, "lead", unit))
		return move_refuse(m, "one_open_task_per_unit", "%s has a task in this case", unit);
	if (days < 0 || days > DAYS_MAX)
		return move_refuse(m, "days", "must be 1 to 60 working days");
	done = hl_route_unit(m->ref, &cls, unit, false, m->op->now_us, &routed, m->err);
	if (done == HL_OK && days > 0) {
		if (!hl_calendar_add_days(hl_refdata_calendar(m->ref, unit), m->op->now_us, (int)days, &close))
			return hl_fail(m->err, HL_CONFIG, "calendar: ends before the limit; import a longer one");
		routed.tasks[0].days = (int)days;
		done = limits_handed_on(m, &routed, &close);
	}
	move_set(m, "tasks", hl_route_tasks_json(&routed));
	return done;
}

enum hl_class move_rollcall(struct move *m)
{
	int64_t at_us = move_us(m->op->args, "at_us");
	const char *where = move_said(m, "where");
	enum hl_class cls = must_be_under_way(m);

	if (cls != HL_OK)
		return cls;
	if (at_us <= m->op->now_us)
		return move_refuse(m, "rollcall", "the time must lie ahead");
	if (!where)
		return move_refuse(m, "rollcall", "the place was not said");
	move_set(m, "at_us", json_integer(at_us));
	move_set(m, "count_us", json_integer(at_us + ROLL_PATIENCE_US));
	move_set(m, "where", json_string(where));
	return HL_OK;
}

enum hl_class move_stage(struct move *m)
{
	const char *stage = move_said(m, "stage");

	if (!stage || (strcmp(stage, "photo") != 0 && strcmp(stage, "stopped") != 0))
		return move_refuse(m, "stage", "must be photo or stopped");
	move_set(m, "stage", json_string(stage));
	return HL_OK;
}
