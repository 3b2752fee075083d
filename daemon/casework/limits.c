/* limits.c - from urgency, case type and unit to the instants by which something must have happened
 *
 * Owns     which rule applies (most specific override, field by field) and on which clock it runs.
 * Knows not the document the rules came from (refdata/limit_doc.c), nor what happens at a limit
 *          (ladder.c, notify).
 * Limits   pauses and extensions are the caller's: it stores the limits and moves them.
 */
#include "casework/limit_rules.h"

#include <string.h>

#define US_PER_MINUTE   INT64_C(60000000)
#define MINUTES_PER_DAY 1440

static const char *const urgency_names[HL_URGENCIES] = {
	[HL_NORMAL] = "normal",
	[HL_URGENT] = "urgent",
	[HL_EMERGENCY] = "emergency",
};

const char *hl_urgency_name(enum hl_urgency u)
{
	hl_assert((unsigned)u < HL_URGENCIES);
	return urgency_names[u];
}

bool hl_urgency_parse(struct hl_slice word, enum hl_urgency *out_r)
{
	for (int u = 0; u < HL_URGENCIES; u++)
		if (hl_slice_eq_str(word, urgency_names[u])) {
			*out_r = (enum hl_urgency)u;
			return true;
		}
	return false;
}

const char *hl_limit_field_name(enum hl_limit_field field)
{
	static const char *const names[HL_LIMIT_FIELDS] = {
		[HL_FIELD_SIGN] = "sign",         [HL_FIELD_ARRIVE] = "arrive", [HL_FIELD_CLOSE] = "close",
		[HL_FIELD_PROGRESS] = "progress", [HL_FIELD_REVIEW] = "review", [HL_FIELD_HANDBACK] = "handback",
		[HL_FIELD_OPERATOR] = "operator",
	};
	return names[field];
}

bool hl_span_add(struct hl_span span, bool is_working, const struct hl_calendar *cal, int64_t from_us,
		 struct hl_instant *out_r)
{
	if (is_working && span.unit == HL_SPAN_DAYS)
		return hl_calendar_add_days(cal, from_us, span.n, out_r);
	if (is_working)
		return hl_calendar_add_minutes(cal, from_us, span.n, out_r);
	int64_t minutes = span.unit == HL_SPAN_DAYS ? (int64_t)span.n * MINUTES_PER_DAY : span.n;
	*out_r = (struct hl_instant){.at_us = from_us + minutes * US_PER_MINUTE};
	return true;
}

static bool names_it(const char *wanted, const char *actual)
{
	return !wanted || (actual && !strcmp(wanted, actual));
}

/* How specific an override is: case type before unit before kind of unit; 0 if it does not apply. */
static int rank_of(const struct hl_limit_override *o, const struct hl_limit_query *q)
{
	if (o->urgency != q->urgency || !names_it(o->case_type, q->case_type) || !names_it(o->unit, q->unit) ||
	    !names_it(o->unit_kind, q->unit_kind))
		return 0;
	return (o->case_type ? 4 : 0) + (o->unit ? 2 : 0) + (o->unit_kind ? 1 : 0);
}

static struct hl_span span_of(const struct hl_limit_rules *rules, const struct hl_limit_query *q,
			      enum hl_limit_field field)
{
	struct hl_span span = rules->defaults[q->urgency].spans[field];
	int best = 0;
	for (size_t i = 0; i < rules->n_overrides; i++) {
		const struct hl_limit_override *o = &rules->overrides[i];
		if (o->spans[field].unit == HL_SPAN_NONE || rank_of(o, q) <= best)
			continue;
		best = rank_of(o, q);
		span = o->spans[field];
	}
	return span;
}

static enum hl_class place(struct hl_span span, bool is_working, const struct hl_calendar *cal, int64_t from_us,
			   enum hl_limit_field field, struct hl_instant *out_r, struct hl_error *err)
{
	if (hl_span_add(span, is_working, cal, from_us, out_r))
		return HL_OK;
	return hl_fail(err, HL_CONFIG, "calendar \"%s\" ends before the %s limit; import a longer one", cal->name,
		       hl_limit_field_name(field));
}

enum hl_class hl_limits_compute(const struct hl_limit_rules *rules, const struct hl_calendar *cal,
				const struct hl_limit_query *q, struct hl_limits *out_r, struct hl_error *err)
{
	int64_t at_us[HL_TASK_FIELDS] = {0};
	bool is_provisional = false;
	for (int f = 0; f < HL_TASK_FIELDS; f++) {
		struct hl_span span = span_of(rules, q, (enum hl_limit_field)f);
		struct hl_instant instant;
		if (span.unit == HL_SPAN_NONE)
			continue;
		enum hl_class cls = place(span, rules->defaults[q->urgency].is_working, cal, q->from_us,
					  (enum hl_limit_field)f, &instant, err);
		if (cls)
			return cls;
		at_us[f] = instant.at_us;
		is_provisional |= instant.is_provisional;
	}
	*out_r = (struct hl_limits){.sign_us = at_us[HL_FIELD_SIGN],
				    .arrive_us = at_us[HL_FIELD_ARRIVE],
				    .close_us = at_us[HL_FIELD_CLOSE],
				    .progress_us = at_us[HL_FIELD_PROGRESS],
				    .is_provisional = is_provisional};
	return HL_OK;
}

bool hl_limit_resume(const struct hl_calendar *cal, int64_t stopped_us, int64_t now_us, struct hl_instant *at_io)
{
	int64_t left_us = hl_calendar_worked_us(cal, stopped_us, at_io->at_us);
	struct hl_instant moved;

	if (at_io->at_us <= stopped_us || left_us <= 0)
		return true;
	if (!hl_calendar_add_us(cal, now_us, left_us, &moved))
		return false;
	at_io->at_us = moved.at_us;
	at_io->is_provisional |= moved.is_provisional;
	return true;
}

/* The limits that no case type or unit changes. */
static enum hl_class desk_limit(const struct hl_limit_rules *rules, const struct hl_calendar *cal,
				enum hl_urgency urgency, enum hl_limit_field field, int64_t from_us,
				struct hl_instant *out_r, struct hl_error *err)
{
	const struct hl_limit_defaults *defaults = &rules->defaults[urgency];
	return place(defaults->spans[field], defaults->is_working, cal, from_us, field, out_r, err);
}

enum hl_class hl_review_limit(const struct hl_limit_rules *rules, const struct hl_calendar *cal,
			      enum hl_urgency urgency, int64_t from_us, struct hl_instant *out_r, struct hl_error *err)
{
	return desk_limit(rules, cal, urgency, HL_FIELD_REVIEW, from_us, out_r, err);
}

enum hl_class hl_handback_limit(const struct hl_limit_rules *rules, const struct hl_calendar *cal,
				enum hl_urgency urgency, int64_t from_us, struct hl_instant *out_r,
				struct hl_error *err)
{
	return desk_limit(rules, cal, urgency, HL_FIELD_HANDBACK, from_us, out_r, err);
}

enum hl_class hl_operator_limit(const struct hl_limit_rules *rules, const struct hl_calendar *cal,
				enum hl_urgency urgency, int64_t from_us, struct hl_instant *out_r,
				struct hl_error *err)
{
	return desk_limit(rules, cal, urgency, HL_FIELD_OPERATOR, from_us, out_r, err);
}
