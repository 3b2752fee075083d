/* limits.h - from urgency, case type and unit to the instants of a task: limits and ladder; pure
 *
 * Rules are data (schema/ref/limits.json): defaults per urgency, overrides per case
 * type, unit or unit kind. Emergency and urgent run on the wall clock, normal on the
 * calendar. The ladder's rungs are computed with the assignment and stored with it.
 */
#ifndef HOTLINE_LIMITS_H
#define HOTLINE_LIMITS_H

#include "hotline/arena.h"
#include "hotline/calendar.h"
#include "hotline/error.h"
#include <jansson.h>

enum hl_urgency { HL_NORMAL, HL_URGENT, HL_EMERGENCY };
const char *hl_urgency_name(enum hl_urgency u);
bool hl_urgency_parse(struct hl_slice word, enum hl_urgency *out_r);

struct hl_limit_rules; /* parsed limits.json */
/* hl_limit_rules_new - Errors: HL_INPUT naming the field and the rule. gives. */
enum hl_class hl_limit_rules_new(const json_t *doc, struct hl_limit_rules **out_r, struct hl_error *err);
void hl_limit_rules_free(struct hl_limit_rules **rules);

struct hl_limit_query {
	enum hl_urgency urgency;
	const char *case_type; /* "FIR-1" */
	const char *unit;      /* "FIR" */
	const char *unit_kind; /* "utility", "authority", ... */
	int64_t from_us;
};

struct hl_limits {
	int64_t sign_us, arrive_us, close_us, progress_us; /* 0: not set */
	bool is_provisional;
};

/* Rung names (stable, used as notice keys and by hl.rung_rule): */
#define HL_RUNG_SIGN_HALF  "sign_half"  /* reminder at half the sign limit */
#define HL_RUNG_SIGN_LIMIT "sign_limit" /* deputy + unit head */
#define HL_RUNG_PROGRESS   "progress"   /* signed but silent */
#define HL_RUNG_YELLOW     "yellow"     /* before the close limit */
#define HL_RUNG_RED        "red"        /* at breach */
#define HL_RUNG_OVERSEE    "oversee"    /* +1 day: office */
#define HL_RUNG_LEADERS    "leaders"    /* +5 days: leading group */
#define HL_RUNG_REVIEW     "review"     /* operator's own limit on a case in review */

/* Valid as long as the rules it was computed from. */
struct hl_rung {
	const char *name; /* one of the literals above; of a repeat "NAME.2", "NAME.3", ... */
	int64_t due_us;
};
#define HL_RUNGS_MAX 16

/* hl_limits_compute - limits of a task assigned at q->from_us.
 * Errors  HL_CONFIG: the calendar ends before the limit */
enum hl_class hl_limits_compute(const struct hl_limit_rules *rules, const struct hl_calendar *cal,
				const struct hl_limit_query *q, struct hl_limits *out_r, struct hl_error *err);

/* hl_ladder_compute - rungs of a task, sorted by due instant.
 * Takes   limits as computed (or as extended); from_us the assignment.
 * Gives   number of rungs, at most HL_RUNGS_MAX */
enum hl_class hl_ladder_compute(const struct hl_limit_rules *rules, const struct hl_calendar *cal,
				const struct hl_limit_query *q, const struct hl_limits *limits,
				struct hl_rung rungs_r[HL_RUNGS_MAX], size_t *n_r, struct hl_error *err);

/* hl_limit_resume - where a limit is once its clock goes on: what was left of the way when it stopped, from now on. A
 * limit that was past then stays. Takes   at_io: the limit; its flag is only ever set Gives   false: the calendar ends
 * before */
bool hl_limit_resume(const struct hl_calendar *cal, int64_t stopped_us, int64_t now_us, struct hl_instant *at_io);

/* hl_review_limit - by when an operator must have looked at a case of that urgency. */
enum hl_class hl_review_limit(const struct hl_limit_rules *rules, const struct hl_calendar *cal,
			      enum hl_urgency urgency, int64_t from_us, struct hl_instant *out_r, struct hl_error *err);

/* hl_handback_limit - until when a unit may hand a task back. */
enum hl_class hl_handback_limit(const struct hl_limit_rules *rules, const struct hl_calendar *cal,
				enum hl_urgency urgency, int64_t from_us, struct hl_instant *out_r,
				struct hl_error *err);

/* hl_operator_limit - by when the operator must have answered a hand-back. */
enum hl_class hl_operator_limit(const struct hl_limit_rules *rules, const struct hl_calendar *cal,
				enum hl_urgency urgency, int64_t from_us, struct hl_instant *out_r,
				struct hl_error *err);

#endif
