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

/* The clocks of normal tasks stand still while their case waits for its reporter, of a task that came meanwhile from
 * its assignment on. 0: the clock runs. */
static int64_t stopped_us(const struct move *m, const json_t *task)
{
	int64_t waiting_us = move_us(m->op->found, "waiting_us"), assigned_us = move_us(task, "assigned_us");

	if (!move_is(m, "waiting") || strcmp(move_text(task, "urgency"), "normal") != 0)
		return 0;
	return waiting_us > assigned_us ? waiting_us : assigned_us;
}

enum hl_class limit_as_it_runs(struct move *m, const json_t *task, struct hl_instant *close_r)
{
	const struct hl_calendar *cal = hl_refdata_calendar(m->ref, move_text(task, "unit"));
	int64_t stopped = stopped_us(m, task);

	*close_r = (struct hl_instant){.at_us = move_us(task, "close_us"),
				       .is_provisional = json_is_true(json_object_get(task, "provisional"))};
	if (stopped && !hl_limit_resume(cal, stopped, m->op->now_us, close_r))
		return hl_fail(m->err, HL_CONFIG, "calendar \"%s\" ends before the close limit; import a longer one",
			       cal->name);
	return HL_OK;
}

enum hl_class limits_of_task(struct move *m, const json_t *task, int64_t from_us, const struct hl_instant *close,
			     json_t **limits_r)
{
	enum hl_urgency urgency = HL_NORMAL;
	struct hl_limit_query q;
	const struct hl_calendar *cal = hl_refdata_calendar(m->ref, move_text(task, "unit"));
	struct hl_limits limits;
	struct hl_rung rungs[HL_RUNGS_MAX];
	int64_t stopped = stopped_us(m, task);
	size_t n = 0;
	enum hl_class cls;

	hl_urgency_parse(hl_slice_str(move_text(task, "urgency")), &urgency);
	q = query_of(m, task, urgency, move_text(m->op->found, "type"));
	q.from_us = from_us ? from_us : move_us(task, "assigned_us");
	cls = hl_limits_compute(m->ref->limits, cal, &q, &limits, m->err);
	if (cls != HL_OK)
		return cls;
	if (close) {
		limits.close_us = close->at_us;
		limits.is_provisional |= close->is_provisional;
	}
	limits.sign_us = json_is_true(json_object_get(task, "signed")) ? 0 : move_us(task, "sign_us");
	limits.arrive_us = move_us(task, "arrive_us");
	cls = hl_ladder_compute(m->ref->limits, cal, &q, &limits, rungs, &n, m->err);
	if (cls == HL_OK)
		*limits_r = rungs_after(rungs, n, stopped ? stopped : m->op->now_us,
					json_pack("{s:O, s:I, s:I, s:b}", "task", json_object_get(task, "task"),
						  "from_us", (json_int_t)q.from_us, "close_us",
						  (json_int_t)limits.close_us, "provisional", limits.is_provisional));
	return cls;
}

enum hl_class limits_handed_on(struct move *m, struct hl_routed *routed, const struct hl_instant *close)
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
		t->limits.close_us = close->at_us;
		t->limits.is_provisional |= close->is_provisional;
		if (close->at_us > m->op->now_us && t->limits.sign_us > close->at_us)
			t->limits.sign_us = close->at_us;
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

enum hl_class limits_kept_from(struct move *m, struct hl_routed *routed, const json_t *task)
{
	struct hl_instant close;
	enum hl_class cls = limit_as_it_runs(m, task, &close);

	for (size_t i = 0; i < routed->n_tasks; i++)
		routed->tasks[i].kept_from = move_us(task, "task");
	return cls == HL_OK ? limits_handed_on(m, routed, &close) : cls;
}

/* ---- the end of a wait ---------------------------------------------------- */

/* One task whose clock goes on. */
struct going_on {
	const struct hl_calendar *cal;
	const json_t *task;
	int64_t stopped_us, now_us;
	json_t *limits; /* grows */
	bool is_provisional;
};

static bool move_limit(struct going_on *g, const char *name)
{
	struct hl_instant at = {.at_us = move_us(g->task, name)};

	if (!at.at_us)
		return true;
	if (!hl_limit_resume(g->cal, g->stopped_us, g->now_us, &at))
		return false;
	g->is_provisional |= at.is_provisional;
	json_object_set_new(g->limits, name, json_integer(at.at_us));
	return true;
}

static bool move_rungs(struct going_on *g)
{
	json_t *rungs = json_array(), *dues = json_array();
	const json_t *due;
	size_t i;

	json_object_set_new(g->limits, "rungs", rungs);
	json_object_set_new(g->limits, "dues_us", dues);
	json_array_foreach (json_object_get(g->task, "dues_us"), i, due) {
		struct hl_instant at = {.at_us = json_integer_value(due)};

		if (at.at_us <= g->stopped_us)
			continue; /* had been reached before the wait */
		if (!hl_limit_resume(g->cal, g->stopped_us, g->now_us, &at))
			return false;
		json_array_append(rungs, json_array_get(json_object_get(g->task, "rungs"), i));
		json_array_append_new(dues, json_integer(at.at_us));
	}
	return true;
}

/* Gives the limits for hl.relimit, NULL: the calendar ends before one. */
static json_t *go_on(const struct hl_refdata *ref, const json_t *task, int64_t waiting_us, int64_t now_us,
		     struct hl_error *err)
{
	int64_t assigned_us = move_us(task, "assigned_us");
	struct going_on g = {
		.cal = hl_refdata_calendar(ref, move_text(task, "unit")),
		.task = task,
		.stopped_us = waiting_us > assigned_us ? waiting_us : assigned_us,
		.now_us = now_us,
		.limits = json_pack("{s:O, s:I}", "task", json_object_get(task, "task"), "from_us", (json_int_t)now_us),
		.is_provisional = json_is_true(json_object_get(task, "provisional"))};

	if (!move_limit(&g, "sign_us") || !move_limit(&g, "arrive_us") || !move_limit(&g, "close_us") ||
	    !move_rungs(&g)) {
		hl_fail(err, HL_CONFIG, "calendar \"%s\" ends before a limit; import a longer one", g.cal->name);
		json_decref(g.limits);
		return NULL;
	}
	json_object_set_new(g.limits, "provisional", json_boolean(g.is_provisional));
	return g.limits;
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
		json_t *moved;

		if (!is_stopped(task))
			continue;
		moved = go_on(ref, task, waiting_us, now_us, err);
		if (!moved) {
			json_decref(resume);
			return NULL;
		}
		json_array_append_new(limits, moved);
	}
	if (strcmp(to, "review") == 0 &&
	    hl_review_limit(ref->limits, hl_refdata_desk(ref), urgency, now_us, &review, err) == HL_OK)
		json_object_set_new(resume, "review_us", json_integer(review.at_us));
	return resume;
}
