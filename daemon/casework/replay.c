/* replay.c - the limits of a case computed again from its history (contract in hotline/replay.h)
 *
 * Pure. Each task is followed twice: as its history says, so that one difference does not bring others, and as it would
 * be with these documents alone. Knows not who asks, nor where histories come from. Limits: TASKS_MAX tasks of a case,
 * those behind are unknown.
 */
#include "hotline/ask.h"
#include "hotline/replay.h"

#include <stdlib.h>
#include <string.h>

#define TASKS_MAX 64

/* Limits and rungs at one point of a history. */
struct standing {
	struct hl_limits limits;
	struct hl_rung rungs[HL_RUNGS_MAX];
	size_t n_rungs;
};

struct task {
	json_int_t id;
	const char *unit;
	const struct hl_calendar *cal;
	struct hl_limit_query query;
	struct standing said, fresh; /* as recorded; as these documents alone give it */
	bool is_unknown;             /* something it rests on is not recorded */
	bool is_off;                 /* the record went another way: its rungs are not ours */
};

struct replay {
	const struct hl_refdata *ref;
	struct task tasks[TASKS_MAX];
	size_t n_tasks;
	const char *type;
	int64_t stopped_us; /* when the last wait began */
	bool is_waiting;
	json_int_t n_instants, n_unknown, n_provisional;
	json_t *differs;
	struct hl_error *err;
};

static const char *text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));
	return text ? text : "";
}

static int64_t us_of(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static struct task *find(struct replay *r, json_int_t id)
{
	for (size_t i = 0; i < r->n_tasks; i++)
		if (r->tasks[i].id == id)
			return &r->tasks[i];
	return NULL;
}

static void add_task(struct replay *r, const json_t *entry)
{
	struct task *t = &r->tasks[r->n_tasks];
	const struct hl_unit *unit = hl_duties_unit(r->ref->duties, text_of(entry, "unit"));

	if (r->n_tasks == TASKS_MAX)
		return;
	t->id = us_of(entry, "task");
	t->unit = text_of(entry, "unit");
	t->cal = hl_refdata_calendar(r->ref, t->unit);
	t->query = (struct hl_limit_query){
		.unit = t->unit, .unit_kind = unit ? unit->kind : NULL, .from_us = us_of(entry, "from_us")};
	if (hl_urgency_parse(hl_slice_str(text_of(entry, "urgency")), &t->query.urgency))
		r->n_tasks++;
}

/* ---- what an event makes of a task ---------------------------------------- */

static enum hl_class ends_before(struct replay *r, const struct task *t)
{
	return hl_fail(r->err, HL_CONFIG, "calendar \"%s\" ends before a limit; import a longer one", t->cal->name);
}

static enum hl_class climb(struct replay *r, const struct task *t, struct standing *s)
{
	return hl_ladder_compute(r->ref->limits, t->cal, &t->query, &s->limits, s->rungs, &s->n_rungs, r->err);
}

/* Since when the clock of a task stands still during the wait that is on, or was last. */
static int64_t stop_of(const struct replay *r, const struct task *t)
{
	return r->stopped_us > t->query.from_us ? r->stopped_us : t->query.from_us;
}

/* The close limit that a task took over from another one; during a wait what that one had left. */
static bool kept_close(struct replay *r, const struct task *before, const struct standing *s, int64_t now_us,
		       struct hl_instant *close_r)
{
	*close_r = (struct hl_instant){.at_us = s->limits.close_us, .is_provisional = s->limits.is_provisional};
	return !r->is_waiting || before->query.urgency != HL_NORMAL ||
	       hl_limit_resume(before->cal, stop_of(r, before), now_us, close_r);
}

static enum hl_class keep_close(struct replay *r, struct task *t, struct standing *s, const struct hl_instant *close)
{
	int64_t now_us = t->query.from_us;

	s->limits.close_us = close->at_us;
	s->limits.is_provisional |= close->is_provisional;
	if (close->at_us > now_us && s->limits.sign_us > close->at_us)
		s->limits.sign_us = close->at_us;
	return climb(r, t, s);
}

static enum hl_class assigned(struct replay *r, struct task *t, const json_t *data, bool is_fresh, struct standing *s)
{
	const struct task *before = find(r, us_of(data, "kept_from"));
	int days = (int)us_of(data, "days");
	struct hl_instant close;
	enum hl_class cls;

	t->query.case_type = r->type;
	cls = hl_limits_compute(r->ref->limits, t->cal, &t->query, &s->limits, r->err);
	if (cls == HL_OK)
		cls = climb(r, t, s);
	if (cls != HL_OK || (!before && !days))
		return cls;
	if (before ? !kept_close(r, before, is_fresh ? &before->fresh : &before->said, t->query.from_us, &close)
		   : !hl_calendar_add_days(t->cal, t->query.from_us, days, &close))
		return ends_before(r, t);
	t->is_unknown |= before && before->is_unknown;
	return keep_close(r, t, s, &close);
}

static enum hl_class extended(struct replay *r, struct task *t, const json_t *data, struct standing *s)
{
	int64_t sign_us = s->limits.sign_us, arrive_us = s->limits.arrive_us, before_us = s->limits.close_us;
	struct hl_instant close;
	const char *rule;
	enum hl_class cls = hl_limits_compute(r->ref->limits, t->cal, &t->query, &s->limits, r->err);

	if (cls == HL_OK)
		cls = hl_extended_limit(t->cal, before_us, (int)us_of(data, "days"), &close, &rule, r->err);
	if (cls != HL_OK)
		return cls;
	s->limits.sign_us = sign_us;
	s->limits.arrive_us = arrive_us;
	s->limits.close_us = close.at_us;
	s->limits.is_provisional |= close.is_provisional;
	return climb(r, t, s);
}

/* A result was sent back: the way to the close limit begins anew. */
static enum hl_class sent_back(struct replay *r, struct task *t, const json_t *data, struct standing *s)
{
	struct hl_limit_query q = t->query;
	struct hl_limits limits;
	int64_t sign_us = s->limits.sign_us, arrive_us = s->limits.arrive_us;
	enum hl_class cls;

	q.from_us = us_of(data, "from");
	cls = hl_limits_compute(r->ref->limits, t->cal, &q, &limits, r->err);
	if (cls != HL_OK)
		return cls;
	limits.sign_us = 0; /* it was signed: the ladder is without those rungs */
	limits.arrive_us = arrive_us;
	s->limits = limits;
	cls = hl_ladder_compute(r->ref->limits, t->cal, &q, &s->limits, s->rungs, &s->n_rungs, r->err);
	s->limits.sign_us = sign_us;
	return cls;
}

static bool go_on(const struct task *t, int64_t stopped_us, int64_t now_us, int64_t *at_io, bool *is_provisional)
{
	struct hl_instant at = {.at_us = *at_io};

	if (!*at_io || !hl_limit_resume(t->cal, stopped_us, now_us, &at))
		return !*at_io;
	*at_io = at.at_us;
	*is_provisional |= at.is_provisional;
	return true;
}

static enum hl_class moved(struct replay *r, struct task *t, const json_t *data, struct standing *s)
{
	int64_t stopped_us = stop_of(r, t), now_us = us_of(data, "from");
	struct hl_limits *l = &s->limits;
	bool is_there = go_on(t, stopped_us, now_us, &l->sign_us, &l->is_provisional) &&
			go_on(t, stopped_us, now_us, &l->arrive_us, &l->is_provisional) &&
			go_on(t, stopped_us, now_us, &l->close_us, &l->is_provisional);

	for (size_t i = 0; is_there && i < s->n_rungs; i++)
		is_there = go_on(t, stopped_us, now_us, &s->rungs[i].due_us, &l->is_provisional);
	return is_there ? HL_OK : ends_before(r, t);
}

static bool says_what_it_rests_on(const char *kind, const json_t *data)
{
	if (strcmp(kind, "redo") == 0 || strcmp(kind, "limits_moved") == 0)
		return us_of(data, "from") != 0;
	return strcmp(kind, "extension_granted") != 0 || us_of(data, "days") != 0;
}

static enum hl_class apply(struct replay *r, struct task *t, const char *kind, const json_t *data, bool is_fresh,
			   struct standing *s)
{
	if (strcmp(kind, "assigned") == 0)
		return assigned(r, t, data, is_fresh, s);
	if (strcmp(kind, "extension_granted") == 0)
		return extended(r, t, data, s);
	if (strcmp(kind, "redo") == 0)
		return sent_back(r, t, data, s);
	if (strcmp(kind, "limits_moved") == 0)
		return moved(r, t, data, s);
	*s = t->fresh; /* limits_recomputed: a calendar came */
	return HL_OK;
}

/* ---- compared with what is recorded --------------------------------------- */

static void note(struct replay *r, const struct task *t, const json_t *event, const char *what, int64_t recorded_us,
		 int64_t computed_us)
{
	json_array_append_new(r->differs, json_pack("{s:O, s:s, s:s, s:I, s:I}", "seq", json_object_get(event, "seq"),
						    "unit", t->unit, "what", what, "recorded_us",
						    (json_int_t)recorded_us, "computed_us", (json_int_t)computed_us));
}

static void compare(struct replay *r, struct task *t, const json_t *event)
{
	const json_t *data = json_object_get(event, "data");
	bool was_provisional = json_is_true(json_object_get(data, "provisional"));
	int64_t *const said[] = {&t->said.limits.sign_us, &t->said.limits.arrive_us, &t->said.limits.close_us};
	static const char *const names[] = {"sign_by", "arrive_by", "close_by"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int64_t recorded_us = us_of(data, names[i]), computed_us = *said[i];

		r->n_instants += recorded_us != 0;
		if (recorded_us == computed_us)
			continue;
		t->is_off = true;
		*said[i] = recorded_us;
		if (was_provisional)
			r->n_provisional++;
		else
			note(r, t, event, names[i], recorded_us, computed_us);
	}
}

static void compare_rung(struct replay *r, struct task *t, const json_t *event)
{
	const json_t *data = json_object_get(event, "data");
	const char *name = text_of(data, "rung");
	int64_t computed_us = 0;

	if (t->is_off || t->is_unknown)
		return;
	for (size_t i = 0; i < t->said.n_rungs; i++)
		if (strcmp(t->said.rungs[i].name, name) == 0)
			computed_us = t->said.rungs[i].due_us;
	r->n_instants++;
	if (computed_us != us_of(data, "due"))
		note(r, t, event, name, us_of(data, "due"), computed_us);
}

/* ---- one event after the other -------------------------------------------- */

static enum hl_class play_limits(struct replay *r, struct task *t, const char *kind, const json_t *event)
{
	const json_t *data = json_object_get(event, "data");
	enum hl_class cls;

	if (!says_what_it_rests_on(kind, data)) {
		t->is_unknown = true;
		r->n_unknown++;
	}
	if (t->is_unknown)
		return HL_OK;
	cls = apply(r, t, kind, data, true, &t->fresh);
	if (cls == HL_OK)
		cls = apply(r, t, kind, data, false, &t->said);
	if (cls == HL_OK)
		compare(r, t, event);
	return cls;
}

static void play_case(struct replay *r, const char *kind, const json_t *event)
{
	const char *type = text_of(json_object_get(event, "data"), "type");

	if (*type)
		r->type = type;
	if (strcmp(kind, "waiting") == 0)
		r->stopped_us = us_of(event, "at_us");
	if (strcmp(kind, "waiting") == 0 || strcmp(kind, "resumed") == 0)
		r->is_waiting = strcmp(kind, "waiting") == 0;
}

static enum hl_class play(struct replay *r, const json_t *event)
{
	const char *kind = text_of(event, "kind");
	struct task *t = find(r, us_of(event, "task"));

	if (!json_is_integer(json_object_get(event, "task"))) {
		play_case(r, kind, event);
	} else if (!t) {
		r->n_unknown++;
	} else if (strcmp(kind, "rung") == 0) {
		compare_rung(r, t, event);
	} else {
		return play_limits(r, t, kind, event);
	}
	return HL_OK;
}

static json_t *task_json(const struct task *t)
{
	const struct hl_limits *l = &t->fresh.limits;
	json_t *rungs = json_array(), *dues = json_array(), *out;

	for (size_t i = 0; i < t->fresh.n_rungs; i++) {
		json_array_append_new(rungs, json_string(t->fresh.rungs[i].name));
		json_array_append_new(dues, json_integer(t->fresh.rungs[i].due_us));
	}
	out = json_pack("{s:I, s:I, s:I, s:b, s:o, s:o}", "task", t->id, "sign_us", (json_int_t)l->sign_us, "close_us",
			(json_int_t)l->close_us, "provisional", l->is_provisional, "rungs", rungs, "dues_us", dues);
	if (l->arrive_us)
		json_object_set_new(out, "arrive_us", json_integer(l->arrive_us));
	return out;
}

static json_t *result(const struct replay *r)
{
	json_t *tasks = json_array();

	for (size_t i = 0; i < r->n_tasks; i++)
		if (!r->tasks[i].is_unknown && r->tasks[i].fresh.n_rungs > 0)
			json_array_append_new(tasks, task_json(&r->tasks[i]));
	return json_pack("{s:I, s:I, s:I, s:O, s:o}", "instants", r->n_instants, "unknown", r->n_unknown, "provisional",
			 r->n_provisional, "differs", r->differs, "tasks", tasks);
}

enum hl_class hl_replay(const struct hl_refdata *ref, const json_t *history, json_t **replayed_r, struct hl_error *err)
{
	struct replay *r = calloc(1, sizeof(*r));
	const json_t *entry;
	enum hl_class cls = HL_OK;
	size_t i;

	*replayed_r = NULL;
	if (!r)
		return hl_fail(err, HL_NOMEM, "out of memory");
	r->ref = ref;
	r->err = err;
	r->type = text_of(history, "type");
	r->differs = json_array();
	json_array_foreach (json_object_get(history, "tasks"), i, entry)
		add_task(r, entry);
	json_array_foreach (json_object_get(history, "events"), i, entry)
		if (cls == HL_OK)
			cls = play(r, entry);
	if (cls == HL_OK)
		*replayed_r = result(r);
	json_decref(r->differs);
	free(r);
	return cls;
}
