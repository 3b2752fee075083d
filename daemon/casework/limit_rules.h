/* limit_rules.h - limits.json in C's terms; between refdata/limit_doc.c, limits.c and ladder.c */
#ifndef HOTLINE_CASEWORK_LIMIT_RULES_H
#define HOTLINE_CASEWORK_LIMIT_RULES_H

#include "hotline/limits.h"

#define HL_URGENCIES 3

/* Minutes of the clock in question, or days: of 24 h on the wall clock, working days on the calendar. */
struct hl_span {
	enum { HL_SPAN_NONE, HL_SPAN_MINUTES, HL_SPAN_DAYS } unit;
	int n;
};

enum hl_limit_field {
	HL_FIELD_SIGN,
	HL_FIELD_ARRIVE,
	HL_FIELD_CLOSE,
	HL_FIELD_PROGRESS,
	HL_TASK_FIELDS, /* those above belong to a task and can be overridden */
	HL_FIELD_REVIEW = HL_TASK_FIELDS,
	HL_FIELD_HANDBACK,
	HL_FIELD_OPERATOR,
	HL_LIMIT_FIELDS
};

struct hl_limit_defaults {
	bool is_working; /* runs on the calendar, else on the wall clock */
	struct hl_span spans[HL_LIMIT_FIELDS];
};

struct hl_limit_override {
	const char *case_type, *unit, *unit_kind; /* NULL: any */
	enum hl_urgency urgency;
	struct hl_span spans[HL_TASK_FIELDS]; /* HL_SPAN_NONE: not overridden */
};

struct hl_rung_rule {
	const char *name;       /* one of the HL_RUNG_ literals, or "NAME.2", ... of a repeat */
	enum hl_limit_field of; /* a limit of the task */
	struct hl_span before;  /* so much before the limit; days only */
	struct hl_span after;   /* so much after it */
	struct hl_span shorter; /* a limit shorter than this uses percent instead of before */
	int percent;            /* share of the way from the assignment to the limit; 0: none */
};

struct hl_limit_rules {
	struct hl_arena arena; /* texts and overrides */
	struct hl_limit_defaults defaults[HL_URGENCIES];
	struct hl_limit_override *overrides;
	size_t n_overrides;
	struct hl_rung_rule rungs[HL_RUNGS_MAX];
	size_t n_rungs;
};

/* hl_limit_field_name - the field's name in limits.json and in messages. */
const char *hl_limit_field_name(enum hl_limit_field field);

/* hl_span_add - from_us plus a span on one of the two clocks; false: the calendar ends before. */
bool hl_span_add(struct hl_span span, bool is_working, const struct hl_calendar *cal, int64_t from_us,
		 struct hl_instant *out_r);

#endif
