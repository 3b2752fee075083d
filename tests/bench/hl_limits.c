/* hl_limits.c - how many limits the working-time engine computes per second of CPU time on one core
 *
 *     hl_limits [N] < /dev/null       in the project's folder; prints one JSON object
 *
 * Start instants are drawn from 2022 to 2026 before the clock starts. Instructions are those of
 * user space as the processor counts them, null where the kernel does not let us ask.
 */
#include "hotline/calendar_doc.h"
#include "hotline/limits.h"

#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define US_PER_S  INT64_C(1000000)
#define N_DEFAULT 4000000

struct world {
	struct hl_calendar cal;
	struct hl_limit_rules *rules;
	int64_t *starts;
	size_t n;
};

static bool add_hours(const struct world *w, int64_t from_us, int64_t *sum)
{
	struct hl_instant at;
	bool is_there = hl_calendar_add_minutes(&w->cal, from_us, 240, &at);
	*sum ^= at.at_us;
	return is_there;
}

static bool add_days(const struct world *w, int64_t from_us, int64_t *sum)
{
	struct hl_instant at;
	bool is_there = hl_calendar_add_days(&w->cal, from_us, 5, &at);
	*sum ^= at.at_us;
	return is_there;
}

/* All three limits of a normal task, as a dispatch needs them. */
static bool task_limits(const struct world *w, int64_t from_us, int64_t *sum)
{
	struct hl_limit_query q = {.urgency = HL_NORMAL,
				   .case_type = "URB-1",
				   .unit = "URB",
				   .unit_kind = "authority",
				   .from_us = from_us};
	struct hl_limits limits;
	bool is_there = hl_limits_compute(w->rules, &w->cal, &q, &limits, NULL) == HL_OK;
	*sum ^= limits.close_us;
	return is_there;
}

static const struct work {
	const char *name;
	bool (*one)(const struct world *w, int64_t from_us, int64_t *sum);
} works[] = {{"working_hours", add_hours}, {"working_days", add_days}, {"task", task_limits}};

static int open_counter(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_HARDWARE,
				       .size = sizeof attr,
				       .config = PERF_COUNT_HW_INSTRUCTIONS,
				       .exclude_kernel = 1,
				       .exclude_hv = 1};
	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static double cpu_s(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6;
}

static json_t *measure(const struct world *w, const struct work *work, int counter)
{
	int64_t sum = 0;
	uint64_t before = 0, after = 0;
	bool is_counted = counter >= 0 && read(counter, &before, sizeof before) == sizeof before;
	double begin_s = cpu_s();
	for (size_t i = 0; i < w->n; i++)
		if (!work->one(w, w->starts[i], &sum)) {
			fprintf(stderr, "hl_limits: %s: the calendar ends\n", work->name);
			exit(1);
		}
	double took_s = cpu_s() - begin_s;
	is_counted = is_counted && read(counter, &after, sizeof after) == sizeof after;
	/* The checksum keeps the compiler from leaving out work whose result nobody sees. */
	json_t *found = json_pack("{s:f, s:I}", "per_s", (double)w->n / took_s, "checksum", (json_int_t)sum);
	json_object_set_new(found, "instructions",
			    is_counted ? json_integer((json_int_t)((after - before) / w->n)) : json_null());
	return found;
}

static bool load(struct world *w, size_t n)
{
	struct hl_error err = {.text = ""};
	json_t *spec = NULL, *doc = NULL, *limits = json_load_file("schema/ref/limits.json", 0, NULL);
	bool is_loaded = hl_calendar_spec_read("schema/ref/calendar.json", &spec, &err) == HL_OK &&
			 hl_calendar_expand(spec, &doc, &err) == HL_OK &&
			 hl_calendar_load(doc, &w->cal, &err) == HL_OK &&
			 hl_limit_rules_new(limits, &w->rules, &err) == HL_OK;
	json_decref(spec);
	json_decref(doc);
	json_decref(limits);
	w->n = n;
	w->starts = calloc(n, sizeof *w->starts);
	if (!is_loaded || !w->starts)
		fprintf(stderr, "hl_limits: %s\n", err.text);
	return is_loaded && w->starts;
}

static void draw_starts(struct world *w)
{
	int64_t first_s = hl_civil_days(2022, 1, 1) * INT64_C(86400),
		last_s = hl_civil_days(2026, 12, 1) * INT64_C(86400);
	uint64_t seed = 88172645463325252u;
	for (size_t i = 0; i < w->n; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		w->starts[i] = (first_s + (int64_t)(seed % (uint64_t)(last_s - first_s))) * US_PER_S;
	}
}

static void fini(struct world *w)
{
	free(w->starts);
	hl_limit_rules_free(&w->rules);
	hl_calendar_fini(&w->cal);
}

int main(int argc, char **argv)
{
	struct world w = {0};
	json_t *all = json_object();
	int counter = open_counter();
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : N_DEFAULT;
	bool is_loaded = n > 0 && load(&w, (size_t)n);
	if (is_loaded)
		draw_starts(&w);
	for (size_t i = 0; is_loaded && i < sizeof works / sizeof *works; i++)
		json_object_set_new(all, works[i].name, measure(&w, &works[i], counter));
	json_dumpf(all, stdout, JSON_REAL_PRECISION(6));
	puts("");
	json_decref(all);
	fini(&w);
	return is_loaded ? 0 : 1;
}
