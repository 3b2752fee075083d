/* recompute.c - what follows from a new calendar: provisional limits are computed again, a missing year is said */
#include "import.h"

#include "hotline/calendar_doc.h"

#include <pwd.h>
#include <unistd.h>

static json_t *ladder_json(const struct hl_rung *rungs, size_t n, bool is_due)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, is_due ? json_integer(rungs[i].due_us) : json_string(rungs[i].name));
	return list;
}

static const char *text_of(const json_t *task, const char *field)
{
	return json_string_value(json_object_get(task, field));
}

/* A task as hl.recompute_limits takes it; NULL when the calendar still ends before its limits. */
static json_t *fresh_limits(const struct hl_refdata *ref, const json_t *task)
{
	const struct hl_unit *unit = hl_duties_unit(ref->duties, text_of(task, "unit"));
	struct hl_limit_query q = {.case_type = text_of(task, "type"),
				   .unit = text_of(task, "unit"),
				   .unit_kind = unit ? unit->kind : "",
				   .from_us = json_integer_value(json_object_get(task, "from_us"))};
	const struct hl_calendar *cal = hl_refdata_calendar(ref, text_of(task, "unit"));
	struct hl_limits limits;
	struct hl_rung rungs[HL_RUNGS_MAX];
	size_t n;
	json_t *out;
	if (!hl_urgency_parse(hl_slice_str(text_of(task, "urgency")), &q.urgency) ||
	    hl_limits_compute(ref->limits, cal, &q, &limits, NULL) != HL_OK ||
	    hl_ladder_compute(ref->limits, cal, &q, &limits, rungs, &n, NULL) != HL_OK)
		return NULL;
	out = json_pack("{s:O, s:I, s:I, s:b, s:o, s:o}", "task", json_object_get(task, "task"), "sign_us",
			(json_int_t)limits.sign_us, "close_us", (json_int_t)limits.close_us, "provisional",
			limits.is_provisional, "rungs", ladder_json(rungs, n, false), "dues_us",
			ladder_json(rungs, n, true));
	if (limits.arrive_us)
		json_object_set_new(out, "arrive_us", json_integer(limits.arrive_us));
	return out;
}

static json_t *all_fresh(const struct hl_refdata *ref, const json_t *tasks)
{
	json_t *list = json_array();
	const json_t *task;
	size_t i;
	json_array_foreach (tasks, i, task) {
		json_t *fresh = fresh_limits(ref, task);
		if (fresh)
			json_array_append_new(list, fresh);
	}
	return list;
}

int import_recompute(struct ctl *ctl, PGconn *conn, json_t *docs)
{
	const struct passwd *pw = getpwuid(getuid());
	struct hl_refdata *ref = NULL;
	struct hl_error err = {.text = ""};
	json_t *found = import_call(ctl, conn, "provisional_tasks", json_object()), *reply;
	if (!found)
		return CTL_FAILED;
	if (hl_refdata_new(docs, &ref, &err) != HL_OK) {
		json_decref(found);
		return ctl_fail(ctl, "%s", err.text);
	}
	reply = import_call(ctl, conn, "recompute_limits",
			    json_pack("{s:o, s:s}", "tasks", all_fresh(ref, json_object_get(found, "tasks")), "by",
				      pw ? pw->pw_name : "unknown"));
	if (reply && !ctl->as_json && json_integer_value(json_object_get(reply, "tasks")) > 0)
		printf("limits     %lld task(s) computed again\n",
		       (long long)json_integer_value(json_object_get(reply, "tasks")));
	if (json_integer_value(json_object_get(found, "moved")) > 0)
		fprintf(stderr,
			"hotlinectl: %lld task(s) keep a provisional limit that was moved by an extension or a pause: "
			"look at them\n",
			(long long)json_integer_value(json_object_get(found, "moved")));
	hl_refdata_free(&ref);
	json_decref(found);
	json_decref(reply);
	return reply ? CTL_OK : CTL_FAILED;
}

void import_warn_year(const json_t *calendar_doc, int64_t now_us)
{
	struct hl_calendar cal;
	int year;
	if (hl_calendar_load(calendar_doc, &cal, NULL) != HL_OK)
		return;
	if (hl_calendar_missing_year(&cal, now_us, &year))
		fprintf(stderr,
			"hotlinectl: warning: the calendar knows no holidays of %d: limits that reach it are "
			"provisional\n",
			year);
	hl_calendar_fini(&cal);
}
