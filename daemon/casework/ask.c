/* ask.c - may a unit ask for this, and by when must it be answered (contract in hotline/ask.h)
 *
 * Pure. Knows not who answers, nor what was answered: that is operate.c's.
 */
#include "hotline/ask.h"

#include <string.h>

#define US_PER_DAY (INT64_C(86400) * 1000000)

int64_t hl_desk_time(const struct hl_calendar *cal, enum hl_urgency urgency, int64_t now_us)
{
	struct hl_instant opens;

	if (urgency != HL_NORMAL || !hl_calendar_next_open(cal, now_us, &opens))
		return now_us;
	return opens.at_us;
}

enum hl_class hl_extended_limit(const struct hl_calendar *cal, int64_t close_us, int days, struct hl_instant *limit_r,
				const char **rule_r, struct hl_error *err)
{
	*rule_r = NULL;
	*limit_r = (struct hl_instant){0};
	if (days < 1 || days > 60) {
		*rule_r = days < 1 ? "days_missing" : "extension_cap";
		return HL_OK;
	}
	if (!hl_calendar_day_close(cal, close_us + days * US_PER_DAY, limit_r))
		return hl_fail(err, HL_CONFIG, "calendar \"%s\" ends before the extended limit; import a longer one",
			       cal->name);
	if (hl_calendar_working_days(cal, close_us, limit_r->at_us) > HL_EXTENSION_MAX_DAYS)
		*rule_r = "extension_cap";
	return HL_OK;
}

/* Where an instant of the unit's would be if its clock went on now. */
static enum hl_class as_it_runs(const struct hl_refdata *ref, const struct hl_ask *ask, struct hl_instant *at_io,
				struct hl_error *err)
{
	const struct hl_calendar *cal = hl_refdata_calendar(ref, ask->own_unit);

	if (!ask->stopped_us || hl_limit_resume(cal, ask->stopped_us, ask->now_us, at_io))
		return HL_OK;
	return hl_fail(err, HL_CONFIG, "calendar \"%s\" ends before the limit; import a longer one", cal->name);
}

static enum hl_class judge_handback(const struct hl_refdata *ref, const struct hl_ask *ask, struct hl_asked *out,
				    struct hl_error *err)
{
	struct hl_instant until;
	enum hl_class cls = hl_handback_limit(ref->limits, hl_refdata_calendar(ref, ask->own_unit), ask->urgency,
					      ask->assigned_us, &until, err);

	if (cls == HL_OK)
		cls = as_it_runs(ref, ask, &until, err);
	if (cls != HL_OK)
		return cls;
	out->until_us = until.at_us;
	if (ask->is_frozen)
		out->rule = "handback_frozen";
	else if (ask->now_us > until.at_us)
		out->rule = "handback_window";
	return HL_OK;
}

static enum hl_class judge_extension(const struct hl_refdata *ref, const struct hl_ask *ask, struct hl_asked *out,
				     struct hl_error *err)
{
	const struct hl_calendar *cal = hl_refdata_calendar(ref, ask->own_unit);
	struct hl_instant close = {.at_us = ask->close_us}, extended = {0};
	const char *rule = NULL;
	enum hl_class cls = as_it_runs(ref, ask, &close, err);

	if (cls == HL_OK)
		cls = hl_extended_limit(cal, close.at_us, ask->days, &extended, &rule, err);
	out->close_us = extended.at_us;
	out->until_us = close.at_us;
	if (ask->was_extended)
		out->rule = "extension_once";
	else if (ask->now_us > close.at_us)
		out->rule = "extension_late";
	else
		out->rule = rule;
	return cls;
}

enum hl_class hl_ask(const struct hl_refdata *ref, const struct hl_ask *ask, struct hl_asked *out_r,
		     struct hl_error *err)
{
	const struct hl_unit *named = hl_duties_unit_named(ref->duties, ask->unit);
	struct hl_instant answer;
	enum hl_class cls =
		hl_operator_limit(ref->limits, hl_refdata_desk(ref), ask->urgency, ask->now_us, &answer, err);

	if (!named)
		named = hl_duties_unit_in(ref->duties, ask->reason, ask->own_unit);
	*out_r = (struct hl_asked){.until_us = ask->now_us};
	if (cls != HL_OK)
		return cls;
	out_r->answer_us = answer.at_us;
	if (named && strcmp(named->code, ask->own_unit) != 0)
		out_r->unit = named->code;
	if (ask->is_pending) {
		out_r->rule = "request_pending";
		return HL_OK;
	}
	if (ask->kind == HL_ASK_HANDBACK)
		cls = judge_handback(ref, ask, out_r, err);
	else if (ask->kind == HL_ASK_EXTEND)
		cls = judge_extension(ref, ask, out_r, err);
	if (cls == HL_OK && !out_r->rule && hl_slice_trim(ask->reason).len == 0)
		out_r->rule = "reason_missing";
	return cls;
}
