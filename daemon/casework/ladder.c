/* ladder.c - the rungs of a task: when who is reminded, warned or told
 *
 * Owns     the arithmetic of a rung on the clock of the task's urgency. What a rung is measured
 *          from is data (rules->rungs); who is told is notify's matter.
 * Knows not whether a rung was reached already, nor the receivers.
 * Limits   a rung whose limit the task does not have is left out, and so is one that would no
 *          longer make sense: an early warning that is not between assignment and limit, a
 *          question for progress that is not before the close limit (the red card says it then).
 */
#include "casework/limit_rules.h"

static int64_t limit_of(const struct hl_limits *limits, enum hl_limit_field field)
{
	const int64_t at_us[HL_TASK_FIELDS] = {
		[HL_FIELD_SIGN] = limits->sign_us,
		[HL_FIELD_ARRIVE] = limits->arrive_us,
		[HL_FIELD_CLOSE] = limits->close_us,
		[HL_FIELD_PROGRESS] = limits->progress_us,
	};
	return at_us[field];
}

/* One task's way from its assignment to one of its limits. */
struct way {
	const struct hl_calendar *cal;
	bool is_working;
	int64_t from_us, limit_us;
};

/* False: no such instant, the way holds no time at all. */
static bool share_of(const struct way *way, int percent, int64_t *due_r)
{
	int64_t span_us = way->limit_us - way->from_us;
	if (way->is_working)
		span_us = hl_calendar_worked_us(way->cal, way->from_us, way->limit_us);
	int64_t share_us = span_us * percent / 100;
	struct hl_instant due = {.at_us = way->from_us + share_us};
	if (share_us <= 0 || (way->is_working && !hl_calendar_add_us(way->cal, way->from_us, share_us, &due)))
		return false;
	*due_r = due.at_us;
	return true;
}

static bool days_before(const struct way *way, struct hl_span days, int64_t *due_r)
{
	struct hl_instant due = {.at_us = way->limit_us};
	if (!way->is_working) {
		days.n = -days.n;
		hl_span_add(days, false, way->cal, way->limit_us, &due);
	} else {
		for (int i = 0; i < days.n; i++)
			if (!hl_calendar_previous_close(way->cal, due.at_us, &due))
				return false;
	}
	*due_r = due.at_us;
	return true;
}

static bool is_shorter(const struct way *way, struct hl_span span)
{
	struct hl_instant end;
	if (span.unit == HL_SPAN_NONE)
		return false;
	/* A calendar that ends before the span does ends behind the limit. */
	return !hl_span_add(span, way->is_working, way->cal, way->from_us, &end) || way->limit_us < end.at_us;
}

/* A warning before the limit. False: there is no room for one. */
static bool early_due(const struct way *way, const struct hl_rung_rule *rule, int64_t *due_r)
{
	if (rule->before.unit != HL_SPAN_NONE && !is_shorter(way, rule->shorter) &&
	    days_before(way, rule->before, due_r) && *due_r > way->from_us)
		return true;
	/* A share between 1 and 99 % always lies between assignment and limit. */
	return share_of(way, rule->percent, due_r);
}

static bool is_late_question(const struct hl_rung_rule *rule, const struct hl_limits *limits, int64_t due_us)
{
	return rule->of == HL_FIELD_PROGRESS && limits->close_us && due_us >= limits->close_us;
}

/* Places one rung; 0 in *due_r leaves it out. */
static enum hl_class place(const struct way *way, const struct hl_rung_rule *rule, int64_t *due_r, struct hl_error *err)
{
	struct hl_instant due = {.at_us = way->limit_us};
	if (rule->percent) {
		if (!early_due(way, rule, due_r))
			*due_r = 0;
		return HL_OK;
	}
	if (rule->after.unit != HL_SPAN_NONE &&
	    !hl_span_add(rule->after, way->is_working, way->cal, way->limit_us, &due))
		return hl_fail(err, HL_CONFIG, "calendar \"%s\" ends before rung %s; import a longer one",
			       way->cal->name, rule->name);
	*due_r = due.at_us;
	return HL_OK;
}

/* Rungs due at one instant keep the order of the rules. */
static void insert_sorted(struct hl_rung *rungs, size_t n, struct hl_rung rung)
{
	for (; n > 0 && rungs[n - 1].due_us > rung.due_us; n--)
		rungs[n] = rungs[n - 1];
	rungs[n] = rung;
}

enum hl_class hl_ladder_compute(const struct hl_limit_rules *rules, const struct hl_calendar *cal,
				const struct hl_limit_query *q, const struct hl_limits *limits,
				struct hl_rung rungs_r[HL_RUNGS_MAX], size_t *n_r, struct hl_error *err)
{
	struct way way = {.cal = cal, .is_working = rules->defaults[q->urgency].is_working, .from_us = q->from_us};
	*n_r = 0;
	for (size_t i = 0; i < rules->n_rungs; i++) {
		const struct hl_rung_rule *rule = &rules->rungs[i];
		int64_t due_us = 0;
		way.limit_us = limit_of(limits, rule->of);
		if (!way.limit_us)
			continue;
		enum hl_class cls = place(&way, rule, &due_us, err);
		if (cls)
			return cls;
		if (due_us && !is_late_question(rule, limits, due_us))
			insert_sorted(rungs_r, (*n_r)++, (struct hl_rung){.name = rule->name, .due_us = due_us});
	}
	return HL_OK;
}
