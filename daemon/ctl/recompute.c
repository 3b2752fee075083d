/* recompute.c - what follows from a new calendar: provisional limits are computed again, a missing year is said */
#include "import.h"

#include "hotline/calendar_doc.h"
#include "hotline/replay.h"

#include <pwd.h>
#include <unistd.h>

/* The provisional ones of the tasks of some cases, as this calendar gives them. takes nothing. */
static enum hl_class add_fresh(const struct hl_refdata *ref, const json_t *cases, const json_t *wanted, json_t *fresh,
			       struct hl_error *err)
{
	const json_t *one, *task, *id;
	size_t i, k, n;
	json_array_foreach (cases, i, one) {
		json_t *replayed;
		enum hl_class cls = hl_replay(ref, one, &replayed, err);
		if (cls)
			return cls;
		json_array_foreach (json_object_get(replayed, "tasks"), k, task)
			json_array_foreach (wanted, n, id)
				if (json_equal(id, json_object_get(task, "task")))
					json_array_append(fresh, json_array_get(json_object_get(replayed, "tasks"), k));
		json_decref(replayed);
	}
	return HL_OK;
}

static void say_recomputed(const struct ctl *ctl, const json_t *wanted, const json_t *fresh, const json_t *reply)
{
	long long n = json_integer_value(json_object_get(reply, "tasks"));
	if (reply && !ctl->as_json && n > 0)
		printf("limits     %lld task(s) computed again\n", n);
	if (json_array_size(wanted) > json_array_size(fresh))
		fprintf(stderr,
			"hotlinectl: %zu task(s) keep a provisional limit: their history does not say what it rests "
			"on, "
			"look at them\n",
			json_array_size(wanted) - json_array_size(fresh));
}

/* Replayed from the history, so that extensions and pauses stay what they were. */
static int recompute(struct ctl *ctl, PGconn *conn, const struct hl_refdata *ref, json_t *wanted)
{
	const struct passwd *pw = getpwuid(getuid());
	struct hl_error err = {.text = ""};
	json_t *history = import_call(ctl, conn, "limit_history", json_pack("{s:O}", "tasks", wanted));
	json_t *fresh = json_array(), *reply = NULL;
	int rc = history ? CTL_OK : CTL_FAILED;
	if (rc == CTL_OK && add_fresh(ref, json_object_get(history, "cases"), wanted, fresh, &err))
		rc = ctl_fail(ctl, "%s", err.text);
	if (rc == CTL_OK)
		reply = import_call(ctl, conn, "recompute_limits",
				    json_pack("{s:O, s:s}", "tasks", fresh, "by", pw ? pw->pw_name : "unknown"));
	if (reply)
		say_recomputed(ctl, wanted, fresh, reply);
	json_decref(history);
	json_decref(fresh);
	json_decref(reply);
	return reply ? CTL_OK : CTL_FAILED;
}

int import_recompute(struct ctl *ctl, PGconn *conn, json_t *docs)
{
	struct hl_refdata *ref = NULL;
	struct hl_error err = {.text = ""};
	json_t *found = import_call(ctl, conn, "provisional_tasks", json_object());
	int rc = found ? CTL_OK : CTL_FAILED;
	if (rc == CTL_OK && hl_refdata_new(docs, &ref, &err) != HL_OK)
		rc = ctl_fail(ctl, "%s", err.text);
	if (rc == CTL_OK)
		rc = recompute(ctl, conn, ref, json_object_get(found, "tasks"));
	hl_refdata_free(&ref);
	json_decref(found);
	return rc;
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
