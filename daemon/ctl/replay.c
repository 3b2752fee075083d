/* replay.c - hotlinectl replay: past cases decided again with another duty table or other limits, or the limits in
 * their histories computed again; changes nothing
 *
 * What is known of a case is its class and place as they stand now; what it is compared with is where it first went and
 * the limits it was given there. Both come from the history, the decision is the daemon's own (hl_route).
 */
#include "import.h"

#include "hotline/instant.h"
#include "hotline/replay.h"
#include "hotline/route.h"

#include <stdlib.h>
#include <string.h>

#define CASES_MAX  1000000
#define CASES_PAGE 500 /* histories read at once */

static const char *text_of(const json_t *o, const char *field)
{
	const char *text = json_string_value(json_object_get(o, field));
	return text ? text : "";
}

static json_t *instant_json(const struct hl_calendar *cal, int64_t at_us)
{
	char text[HL_INSTANT_BYTES];
	if (!at_us)
		return json_null();
	hl_instant_write(cal, at_us, text);
	return json_string(text);
}

/* ---- what was, what would be ---------------------------------------------- */

static json_t *outcome(const struct hl_calendar *cal, const char *lead, json_t *co, int64_t sign_us, int64_t close_us)
{
	return json_pack("{s:s, s:o, s:o, s:o}", "lead", lead, "co", co, "sign_by", instant_json(cal, sign_us),
			 "close_by", instant_json(cal, close_us));
}

static json_t *what_was(const struct hl_calendar *cal, const json_t *of_case)
{
	const json_t *task;
	json_t *co = json_array();
	const char *lead = "";
	int64_t sign_us = 0, close_us = 0;
	size_t i;
	json_array_foreach (json_object_get(of_case, "tasks"), i, task) {
		if (strcmp(text_of(task, "role"), "lead") != 0) {
			json_array_append(co, json_object_get(task, "unit"));
			continue;
		}
		lead = text_of(task, "unit");
		sign_us = json_integer_value(json_object_get(task, "sign_us"));
		close_us = json_integer_value(json_object_get(task, "close_us"));
	}
	return outcome(cal, lead, co, sign_us, close_us);
}

static json_t *what_would_be(const struct hl_refdata *ref, const json_t *of_case, struct hl_error *err)
{
	const json_t *tasks = json_object_get(of_case, "tasks");
	bool was_sent = json_array_size(tasks) > 0;
	struct hl_classified cls = {.type = text_of(of_case, "type"),
				    .is_auto = was_sent || json_is_true(json_object_get(of_case, "is_sure"))};
	struct hl_place place = {
		.compound = hl_gazetteer_by_code(ref->gazetteer, hl_slice_str(text_of(of_case, "compound")))};
	int64_t from_us = json_integer_value(
		json_object_get(was_sent ? json_array_get(tasks, 0) : of_case, was_sent ? "from_us" : "at"));
	struct hl_routed routed;
	json_t *co = json_array();
	const char *lead = "";
	int64_t sign_us = 0, close_us = 0;
	if (!hl_urgency_parse(hl_slice_str(text_of(of_case, "urgency")), &cls.urgency) ||
	    hl_route(ref, &cls, &place, from_us, &routed, err) != HL_OK) {
		json_decref(co);
		return NULL;
	}
	for (size_t i = 0; i < routed.n_tasks; i++) {
		if (!routed.tasks[i].is_lead) {
			json_array_append_new(co, json_string(routed.tasks[i].unit));
			continue;
		}
		lead = routed.tasks[i].unit;
		sign_us = routed.tasks[i].limits.sign_us;
		close_us = routed.tasks[i].limits.close_us;
	}
	return outcome(&ref->calendar, lead, co, sign_us, close_us);
}

static bool is_same_set(const json_t *a, const json_t *b)
{
	const json_t *left, *right;
	size_t i, j, n_found = 0;
	json_array_foreach (a, i, left)
		json_array_foreach (b, j, right)
			n_found += json_equal(left, right);
	return json_array_size(a) == json_array_size(b) && n_found == json_array_size(a);
}

/* "units" and "limits" of what differs. */
static json_t *differences(const json_t *was, const json_t *would)
{
	json_t *list = json_array();
	if (strcmp(text_of(was, "lead"), text_of(would, "lead")) != 0 ||
	    !is_same_set(json_object_get(was, "co"), json_object_get(would, "co")))
		json_array_append_new(list, json_string("units"));
	if (!json_equal(json_object_get(was, "sign_by"), json_object_get(would, "sign_by")) ||
	    !json_equal(json_object_get(was, "close_by"), json_object_get(would, "close_by")))
		json_array_append_new(list, json_string("limits"));
	return list;
}

static int replay_cases(struct ctl *ctl, const struct hl_refdata *ref, const json_t *cases, json_t *found)
{
	const json_t *one;
	size_t i;
	json_array_foreach (cases, i, one) {
		struct hl_error err = {.text = ""};
		json_t *would = what_would_be(ref, one, &err), *was, *differ;
		if (!would)
			return ctl_fail(ctl, "case %s: %s", text_of(one, "case"), err.text);
		was = what_was(&ref->calendar, one);
		differ = differences(was, would);
		if (json_array_size(differ) > 0)
			json_array_append_new(found, json_pack("{s:s, s:s, s:s, s:O, s:O, s:O}", "case",
							       text_of(one, "case"), "type", text_of(one, "type"),
							       "urgency", text_of(one, "urgency"), "differs", differ,
							       "was", was, "would", would));
		json_decref(differ);
		json_decref(was);
		json_decref(would);
	}
	return CTL_OK;
}

/* ---- the documents that are tried ----------------------------------------- */

static int try_file(struct ctl *ctl, const char *kind, const char *path, const json_t *config, json_t *docs)
{
	const struct hl_reftable *table = hl_reftable_find(kind);
	json_t *errors = json_array();
	struct hl_error err = {.text = ""};
	struct source s = {0};
	int rc = source_read(table, path, import_current(table, config), &s, errors);
	if (rc == CTL_OK && import_expand(table, s.doc, docs, &err) != HL_OK)
		rc = ctl_fail(ctl, "%s: %s", path, err.text);
	else if (rc == CTL_OK)
		source_check(&s, docs, errors);
	if (json_array_size(errors) > 0)
		rc = import_say_errors(ctl, errors, "nothing was replayed");
	source_fini(&s);
	json_decref(errors);
	return rc;
}

static int load(struct ctl *ctl, const json_t *config, struct hl_refdata **ref_r)
{
	static const char *const options[][2] = {{"--duties", "case_types"}, {"--limits", "limits"}};
	json_t *docs = json_copy(json_object_get(config, "docs"));
	struct hl_error err = {.text = ""};
	int rc = CTL_OK;
	for (size_t i = 0; i < sizeof options / sizeof *options && rc == CTL_OK; i++)
		if (ctl_option(ctl, options[i][0]))
			rc = try_file(ctl, options[i][1], ctl_option(ctl, options[i][0]), config, docs);
	if (rc == CTL_OK && hl_refdata_new(docs, ref_r, &err) != HL_OK)
		rc = ctl_fail(ctl, "%s", err.text);
	json_decref(docs);
	return rc;
}

/* A day, or an instant. */
static bool read_since(const char *word, const struct hl_calendar *cal, int64_t *since_r)
{
	struct hl_clock_reading reading;
	char with_time[64];
	snprintf(with_time, sizeof with_time, strlen(word) == 10 ? "%sT00:00" : "%s", word);
	if (strlen(word) > 40 || hl_instant_read(hl_slice_str(with_time), &reading, NULL) != HL_OK)
		return false;
	*since_r = hl_instant_of(&reading, cal);
	return true;
}

static void print_outcome(const char *name, const json_t *o)
{
	char *co = hl_reftable_cell(json_object_get(o, "co"));
	const char *lead = text_of(o, "lead");
	printf("    %-5s %s%s%s, sign by %s, close by %s\n", name, *lead ? lead : "an operator", co && *co ? " + " : "",
	       co ? co : "", text_of(o, "sign_by"), text_of(o, "close_by"));
	free(co);
}

static void print_found(struct ctl *ctl, size_t n_cases, const json_t *found)
{
	json_t *all = json_pack("{s:I, s:I, s:O}", "cases", (json_int_t)n_cases, "differ",
				(json_int_t)json_array_size(found), "list", found);
	const json_t *one;
	size_t i;
	if (ctl->as_json)
		ctl_print(all);
	else
		printf("%zu of %zu case(s) would have gone elsewhere or got another limit\n", json_array_size(found),
		       n_cases);
	json_array_foreach (found, i, one) {
		if (ctl->as_json)
			break;
		printf("  %s %s\n", text_of(one, "case"), text_of(one, "type"));
		print_outcome("was", json_object_get(one, "was"));
		print_outcome("would", json_object_get(one, "would"));
	}
	json_decref(all);
}

static int replay(struct ctl *ctl, PGconn *conn, const char *since)
{
	json_t *config = import_call(ctl, conn, "config", json_object()), *cases = NULL, *found = json_array();
	struct hl_refdata *ref = NULL;
	int64_t since_us;
	int rc = config ? load(ctl, config, &ref) : CTL_FAILED;
	if (rc == CTL_OK && !read_since(since, &ref->calendar, &since_us))
		rc = ctl_fail(ctl, "--since: must be a day or an instant, such as 2026-11-01, not \"%s\"", since);
	if (rc == CTL_OK)
		cases = import_call(ctl, conn, "past_cases",
				    json_pack("{s:I, s:i}", "since", (json_int_t)since_us, "limit", CASES_MAX));
	if (rc == CTL_OK)
		rc = cases ? replay_cases(ctl, ref, cases, found) : CTL_FAILED;
	if (rc == CTL_OK)
		print_found(ctl, json_array_size(cases), found);
	hl_refdata_free(&ref);
	json_decref(config);
	json_decref(cases);
	json_decref(found);
	return rc;
}

/* ---- limits from the history ---------------------------------------------- */

/* What the cases of a page add up to. */
struct tally {
	json_int_t n_cases, n_instants, n_unknown, n_provisional;
	json_t *differs;
};

static void add_differences(struct tally *tally, const struct hl_calendar *cal, const json_t *of_case,
			    const json_t *differs)
{
	const json_t *d;
	size_t i;
	json_array_foreach (differs, i, d)
		json_array_append_new(
			tally->differs,
			json_pack("{s:s, s:O, s:O, s:O, s:o, s:o}", "case", text_of(of_case, "case"), "seq",
				  json_object_get(d, "seq"), "unit", json_object_get(d, "unit"), "what",
				  json_object_get(d, "what"), "recorded",
				  instant_json(cal, json_integer_value(json_object_get(d, "recorded_us"))), "computed",
				  instant_json(cal, json_integer_value(json_object_get(d, "computed_us")))));
}

static int replay_page(struct ctl *ctl, const struct hl_refdata *ref, const json_t *cases, struct tally *tally)
{
	const json_t *one;
	size_t i;
	json_array_foreach (cases, i, one) {
		struct hl_error err = {.text = ""};
		json_t *replayed;
		if (hl_replay(ref, one, &replayed, &err) != HL_OK)
			return ctl_fail(ctl, "case %s: %s", text_of(one, "case"), err.text);
		tally->n_cases++;
		tally->n_instants += json_integer_value(json_object_get(replayed, "instants"));
		tally->n_unknown += json_integer_value(json_object_get(replayed, "unknown"));
		tally->n_provisional += json_integer_value(json_object_get(replayed, "provisional"));
		add_differences(tally, &ref->calendar, one, json_object_get(replayed, "differs"));
		json_decref(replayed);
	}
	return CTL_OK;
}

static void print_tally(struct ctl *ctl, const struct tally *t)
{
	json_t *all = json_pack("{s:I, s:I, s:I, s:I, s:O}", "cases", t->n_cases, "instants", t->n_instants, "unknown",
				t->n_unknown, "provisional", t->n_provisional, "differs", t->differs);
	const json_t *d;
	size_t i;
	if (ctl->as_json)
		ctl_print(all);
	else
		printf("%lld case(s), %lld instant(s) computed again: %zu differ, %lld were provisional, %lld do not "
		       "say "
		       "what they rest on\n",
		       (long long)t->n_cases, (long long)t->n_instants, json_array_size(t->differs),
		       (long long)t->n_provisional, (long long)t->n_unknown);
	json_array_foreach (t->differs, i, d) {
		if (ctl->as_json)
			break;
		printf("  %s #%lld %s %s: recorded %s, computed %s\n", text_of(d, "case"),
		       (long long)json_integer_value(json_object_get(d, "seq")), text_of(d, "unit"), text_of(d, "what"),
		       text_of(d, "recorded"), text_of(d, "computed"));
	}
	json_decref(all);
}

static int replay_pages(struct ctl *ctl, PGconn *conn, const struct hl_refdata *ref, int64_t since_us,
			struct tally *tally)
{
	json_int_t after = 0;
	int rc = CTL_OK;
	while (rc == CTL_OK) {
		json_t *page = import_call(ctl, conn, "limit_history",
					   json_pack("{s:I, s:I, s:i}", "since", (json_int_t)since_us, "after", after,
						     "limit", CASES_PAGE));
		size_t n = json_array_size(json_object_get(page, "cases"));
		after = json_integer_value(json_object_get(page, "last"));
		rc = page ? replay_page(ctl, ref, json_object_get(page, "cases"), tally) : CTL_FAILED;
		json_decref(page);
		if (n < CASES_PAGE)
			break;
	}
	return rc;
}

static int replay_history(struct ctl *ctl, PGconn *conn, const char *since)
{
	json_t *config = import_call(ctl, conn, "config", json_object());
	struct tally tally = {.differs = json_array()};
	struct hl_refdata *ref = NULL;
	int64_t since_us;
	int rc = config ? load(ctl, config, &ref) : CTL_FAILED;
	if (rc == CTL_OK && !read_since(since, &ref->calendar, &since_us))
		rc = ctl_fail(ctl, "--since: must be a day or an instant, such as 2026-11-01, not \"%s\"", since);
	if (rc == CTL_OK)
		rc = replay_pages(ctl, conn, ref, since_us, &tally);
	if (rc == CTL_OK) {
		print_tally(ctl, &tally);
		rc = json_array_size(tally.differs) > 0 ? CTL_FAILED : CTL_OK;
	}
	hl_refdata_free(&ref);
	json_decref(config);
	json_decref(tally.differs);
	return rc;
}

int cmd_replay(struct ctl *ctl)
{
	const char *since = ctl_option(ctl, "--since");
	bool is_history = ctl_flag(ctl, "--history");
	PGconn *conn;
	int rc;
	if (!since || is_history == (ctl_option(ctl, "--duties") || ctl_option(ctl, "--limits")))
		return CTL_USAGE;
	conn = import_connect(ctl);
	if (!conn)
		return CTL_FAILED;
	rc = is_history ? replay_history(ctl, conn, since) : replay(ctl, conn, since);
	PQfinish(conn);
	return rc;
}
