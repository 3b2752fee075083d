/* operate_limits.c - limits that move: redo, more time, hand-over, the end of a wait (contracts in operate_parts.h and
 * hotline/operate.h). Pure. */
#include "operate_parts.h"

#include <string.h>

static struct hl_limit_query query_of(const struct move *m, const json_t *task, enum hl_urgency urgency,
				      const char *type)
{
	const struct hl_unit *unit = hl_duties_unit(m->ref->duties, move_text(task, "unit"));

	return (struct hl_limit_query){.urgency = urgency,
				       .case_type = type,
				       .unit = move_text(task, "unit"),
				       .unit_kind = unit ? unit->kind : NULL};
}

static json_t *rungs_after(const struct hl_rung *rungs, size_t n, int64_t now_us, json_t *limits)
{
	json_t *names = json_array(), *dues = json_array();

	for (size_t i = 0; i < n; i++)
		if (rungs[i].due_us > now_us) {
			json_array_append_new(names, json_string(rungs[i].name));
			json_array_append_new(dues, json_integer(rungs[i].due_us));
		}
	json_object_set_new(limits, "rungs", names);
	json_object_set_new(limits, "dues_us", dues);
	return limits;
}

enum hl_class limits_of_task(struct move *m, const json_t *task, int64_t from_us, int64_t close_us, json_t **limits_r)
{
	enum hl_urgency urgency = HL_NORMAL;
	struct hl_limit_query q;
	const struct hl_calendar *cal = hl_refdata_calendar(m->ref, move_text(task, "unit"));
	struct hl_limits limits;
	struct hl_rung rungs[HL_RUNGS_MAX];
	size_t n = 0;
	enum hl_class cls;

	hl_urgency_parse(hl_slice_str(move_text(task, "urgency")), &urgency);
	q = query_of(m, task, urgency, move_text(m->op->found, "type"));
	q.from_us = from_us ? from_us : move_us(task, "assigned_us");
	cls = hl_limits_compute(m->ref->limits, cal, &q, &limits, m->err);
	if (cls != HL_OK)
		return cls;
	if (close_us)
		limits.close_us = close_us;
	limits.sign_us = json_is_true(json_object_get(task, "signed")) ? 0 : move_us(task, "sign_us");
	limits.arrive_us = move_us(task, "arrive_us");
	cls = hl_ladder_compute(m->ref->limits, cal, &q, &limits, rungs, &n, m->err);
	if (cls == HL_OK)
		*limits_r = rungs_after(rungs, n, m->op->now_us,
					json_pack("{s:O, s:I, s:b}", "task", json_object_get(task, "task"), "close_us",
						  (json_int_t)limits.close_us, "provisional", limits.is_provisional));
	return cls;
}

enum hl_class limits_handed_on(struct move *m, struct hl_routed *routed, int64_t close_us)
{
	for (size_t i = 0; i < routed->n_tasks; i++) {
		struct hl_routed_task *t = &routed->tasks[i];
		const struct hl_unit *unit = hl_duties_unit(m->ref->duties, t->unit);
		struct hl_limit_query q = {.case_type = move_text(m->op->found, "type"),
					   .unit = t->unit,
					   .unit_kind = unit ? unit->kind : NULL,
					   .from_us = m->op->now_us};
		struct hl_rung rungs[HL_RUNGS_MAX];
		size_t n = 0, kept = 0;
		enum hl_class cls;

		hl_urgency_parse(hl_slice_str(move_text(m->op->found, "urgency")), &q.urgency);
		t->is_handed_on = true;
		t->limits.close_us = close_us;
		if (close_us > m->op->now_us && t->limits.sign_us > close_us)
			t->limits.sign_us = close_us;
		cls = hl_ladder_compute(m->ref->limits, hl_refdata_calendar(m->ref, t->unit), &q, &t->limits, rungs, &n,
					m->err);
		if (cls != HL_OK)
			return cls;
		for (size_t k = 0; k < n; k++)
			if (rungs[k].due_us > m->op->now_us)
				t->rungs[kept++] = rungs[k];
		t->n_rungs = kept;
	}
	return HL_OK;
}

/* ---- the end of a wait ---------------------------------------------------- */

/* What was left of the way to an instant when the clock stopped, from now on. An instant that was past stays. */
static bool shift(const struct hl_calendar *cal, int64_t stopped_us, int64_t now_us, int64_t *at_us)
{
	int64_t left_us = hl_calendar_worked_us(cal, stopped_us, *at_us);
	struct hl_instant moved;

	if (*at_us <= stopped_us || left_us <= 0)
		return true;
	if (!hl_calendar_add_us(cal, now_us, left_us, &moved))
		return false;
	*at_us = moved.at_us;
	return true;
}

static bool shift_member(const struct hl_calendar *cal, int64_t stopped_us, int64_t now_us, const json_t *task,
			 const char *name, json_t *limits)
{
	int64_t at_us = move_us(task, name);

	if (!at_us || !shift(cal, stopped_us, now_us, &at_us))
		return !at_us;
	json_object_set_new(limits, name, json_integer(at_us));
	return true;
}

static bool shift_rungs(const struct hl_calendar *cal, int64_t stopped_us, int64_t now_us, const json_t *task,
			json_t *limits)
{
	json_t *rungs = json_array(), *dues = json_array();
	const json_t *due;
	size_t i;

	json_object_set_new(limits, "rungs", rungs);
	json_object_set_new(limits, "dues_us", dues);
	json_array_foreach (json_object_get(task, "dues_us"), i, due) {
		int64_t at_us = json_integer_value(due);

		if (at_us <= stopped_us)
			continue; /* had been reached before the wait */
		if (!shift(cal, stopped_us, now_us, &at_us))
			return false;
		json_array_append(rungs, json_array_get(json_object_get(task, "rungs"), i));
		json_array_append_new(dues, json_integer(at_us));
	}
	return true;
}

/* Only normal tasks stood still. */
static bool is_stopped(const json_t *task)
{
	return strcmp(move_text(task, "urgency"), "normal") == 0 && move_is_open(task);
}

static const char *state_after(const json_t *tasks)
{
	const char *to = "review";
	const json_t *task;
	size_t i;

	json_array_foreach (tasks, i, task) {
		const char *state = move_text(task, "state");

		if (strcmp(state, "signed") == 0 || strcmp(state, "arrived") == 0 || strcmp(state, "done") == 0)
			return "working";
		if (move_is_open(task))
			to = "dispatched";
	}
	return to;
}

json_t *hl_resume(const struct hl_refdata *ref, const json_t *tasks, enum hl_urgency urgency, int64_t waiting_us,
		  int64_t now_us, struct hl_error *err)
{
	const char *to = state_after(tasks);
	json_t *limits = json_array(), *resume = json_pack("{s:s, s:o}", "to", to, "limits", limits);
	struct hl_instant review;
	const json_t *task;
	size_t i;

	json_array_foreach (tasks, i, task) {
		const struct hl_calendar *cal;
		json_t *moved;

		if (!is_stopped(task))
			continue;
		cal = hl_refdata_calendar(ref, move_text(task, "unit"));
		moved = json_pack("{s:O}", "task", json_object_get(task, "task"));
		json_array_append_new(limits, moved);
		if (!shift_member(cal, waiting_us, now_us, task, "sign_us", moved) ||
		    !shift_member(cal, waiting_us, now_us, task, "arrive_us", moved) ||
		    !shift_member(cal, waiting_us, now_us, task, "close_us", moved) ||
		    !shift_rungs(cal, waiting_us, now_us, task, moved)) {
			json_decref(resume);
			hl_fail(err, HL_CONFIG, "calendar \"%s\" ends before a limit; import a longer one", cal->name);
			return NULL;
		}
	}
	if (strcmp(to, "review") == 0 &&
	    hl_review_limit(ref->limits, hl_refdata_desk(ref), urgency, now_us, &review, err) == HL_OK)
		json_object_set_new(resume, "review_us", json_integer(review.at_us));
	return resume;
}
