/* limit_doc.c - reads and checks limits.json
 *
 * Owns     the shape of the document: urgencies, overrides, ladder, and spans like "4 h".
 * Knows not calendars: whether "4 h" is longer than "1 day" is not decided here.
 * Limits   spans up to 366 days, HL_RUNGS_MAX rungs, OVERRIDES_MAX overrides.
 */
#include "casework/limit_rules.h"
#include "refdata/doc_fields.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES     ((size_t)1 << 20)
#define OVERRIDES_MAX   1000
#define MINUTES_PER_DAY 1440
#define TOO_MANY_RUNGS  "must leave at most %d rungs, repeats counted"
#define SPAN_MIN_MAX    (366 * MINUTES_PER_DAY)

/* --- spans --- */

static bool parse_span(const char *text, struct hl_span *span_r)
{
	static const struct {
		const char *word;
		int unit, factor;
	} units[] = {
		{"min", HL_SPAN_MINUTES, 1},
		{"h", HL_SPAN_MINUTES, 60},
		{"day", HL_SPAN_DAYS, 1},
		{"days", HL_SPAN_DAYS, 1},
	};
	struct hl_slice number, unit;
	uint64_t n;
	if (!text || !hl_slice_cut(hl_slice_str(text), ' ', &number, &unit) || !hl_slice_u64(number, &n))
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		uint64_t max = SPAN_MIN_MAX / (units[i].unit == HL_SPAN_DAYS ? MINUTES_PER_DAY : units[i].factor);
		if (!hl_slice_eq_str(unit, units[i].word) || n < 1 || n > max)
			continue;
		span_r->unit = units[i].unit;
		span_r->n = (int)n * units[i].factor;
		return true;
	}
	return false;
}

/* A field that may be missing: the span stays HL_SPAN_NONE then. */
static enum hl_class read_span(const json_t *doc, const char *field, struct hl_span *span_r, struct hl_error *err)
{
	const json_t *value = json_object_get(doc, field);
	if (!value || parse_span(json_string_value(value), span_r))
		return HL_OK;
	return hl_fail(err, HL_INPUT, "%s: must be a span from \"1 min\" to \"366 days\" (min, h, days)", field);
}

static enum hl_class read_spans(const json_t *doc, int n_fields, struct hl_span *spans_r, struct hl_error *err)
{
	enum hl_class cls = HL_OK;
	for (int f = 0; f < n_fields && !cls; f++)
		cls = read_span(doc, hl_limit_field_name((enum hl_limit_field)f), &spans_r[f], err);
	return cls;
}

static bool is_longer(struct hl_span a, struct hl_span b, bool is_working)
{
	if (a.unit == HL_SPAN_NONE || b.unit == HL_SPAN_NONE)
		return false;
	if (a.unit == b.unit)
		return a.n > b.n;
	/* How many working minutes a working day has, only a calendar knows. */
	if (is_working)
		return false;
	return (a.unit == HL_SPAN_DAYS ? a.n * MINUTES_PER_DAY : a.n) >
	       (b.unit == HL_SPAN_DAYS ? b.n * MINUTES_PER_DAY : b.n);
}

static enum hl_class check_order(const struct hl_span *spans, bool is_working, struct hl_error *err)
{
	static const enum hl_limit_field pairs[][2] = {
		{HL_FIELD_SIGN, HL_FIELD_ARRIVE},
		{HL_FIELD_SIGN, HL_FIELD_CLOSE},
		{HL_FIELD_ARRIVE, HL_FIELD_CLOSE},
	};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (is_longer(spans[pairs[i][0]], spans[pairs[i][1]], is_working))
			return hl_fail(err, HL_INPUT, "%s: must not be longer than %s",
				       hl_limit_field_name(pairs[i][0]), hl_limit_field_name(pairs[i][1]));
	return HL_OK;
}

/* --- urgencies --- */

static enum hl_class read_clock(const json_t *doc, bool *is_working_r, struct hl_error *err)
{
	const char *word = json_string_value(json_object_get(doc, "clock"));
	*is_working_r = word && !strcmp(word, "working");
	if (*is_working_r || (word && !strcmp(word, "wall")))
		return HL_OK;
	return hl_fail(err, HL_INPUT, "clock: must be \"wall\" or \"working\"");
}

static enum hl_class read_defaults(const json_t *doc, struct hl_limit_defaults *defaults, struct hl_error *err)
{
	static const char *const fields[] = {"clock",  "sign",     "arrive",   "close", "progress",
					     "review", "handback", "operator", NULL};
	enum hl_class cls = hl_doc_fields(doc, fields, err);
	if (!cls)
		cls = read_clock(doc, &defaults->is_working, err);
	if (!cls)
		cls = read_spans(doc, HL_LIMIT_FIELDS, defaults->spans, err);
	if (cls)
		return cls;
	for (int f = 0; f < HL_LIMIT_FIELDS; f++)
		if (defaults->spans[f].unit == HL_SPAN_NONE && f != HL_FIELD_ARRIVE && f != HL_FIELD_PROGRESS)
			return hl_fail(err, HL_INPUT, "%s: must be set", hl_limit_field_name((enum hl_limit_field)f));
	return check_order(defaults->spans, defaults->is_working, err);
}

static enum hl_class read_urgencies(struct hl_limit_rules *rules, const json_t *doc, struct hl_error *err)
{
	static const char *const fields[] = {"normal", "urgent", "emergency", NULL};
	if (hl_doc_fields(doc, fields, err))
		return hl_error_prefix(err, "urgencies");
	for (int u = 0; u < HL_URGENCIES; u++) {
		const char *name = hl_urgency_name((enum hl_urgency)u);
		if (read_defaults(json_object_get(doc, name), &rules->defaults[u], err))
			return hl_error_prefix(err, "urgencies.%s", name);
	}
	return HL_OK;
}

/* --- overrides --- */

static enum hl_class read_word(struct hl_limit_rules *rules, const json_t *doc, const char *field, const char **out_r,
			       struct hl_error *err)
{
	const json_t *value = json_object_get(doc, field);
	const char *text = json_string_value(value);
	if (!value)
		return HL_OK;
	if (!text || !*text)
		return hl_fail(err, HL_INPUT, "%s: must be a text that is not empty", field);
	*out_r = hl_arena_strdup(&rules->arena, hl_slice_str(text));
	return HL_OK;
}

static enum hl_class read_match(struct hl_limit_rules *rules, const json_t *doc, struct hl_limit_override *o,
				struct hl_error *err)
{
	const char *urgency = json_string_value(json_object_get(doc, "urgency"));
	if (!hl_urgency_parse(hl_slice_str(urgency), &o->urgency))
		return hl_fail(err, HL_INPUT, "urgency: must be normal, urgent or emergency");
	enum hl_class cls = read_word(rules, doc, "case_type", &o->case_type, err);
	if (!cls)
		cls = read_word(rules, doc, "unit", &o->unit, err);
	if (!cls)
		cls = read_word(rules, doc, "unit_kind", &o->unit_kind, err);
	if (!cls && !o->case_type && !o->unit && !o->unit_kind)
		cls = hl_fail(err, HL_INPUT, "must name a case_type, a unit or a unit_kind");
	return cls;
}

static bool is_same_word(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* Two overrides for exactly the same tasks would leave the winner to their order in the file. */
static enum hl_class check_unique(const struct hl_limit_rules *rules, size_t index, struct hl_error *err)
{
	const struct hl_limit_override *o = &rules->overrides[index];
	for (size_t i = 0; i < index; i++) {
		const struct hl_limit_override *other = &rules->overrides[i];
		if (other->urgency == o->urgency && is_same_word(other->case_type, o->case_type) &&
		    is_same_word(other->unit, o->unit) && is_same_word(other->unit_kind, o->unit_kind))
			return hl_fail(err, HL_INPUT, "must not match the same tasks as overrides[%zu]", i);
	}
	return HL_OK;
}

static enum hl_class read_override(struct hl_limit_rules *rules, const json_t *doc, size_t index, struct hl_error *err)
{
	static const char *const fields[] = {"about", "case_type", "unit",  "unit_kind", "urgency",
					     "sign",  "arrive",    "close", "progress",  NULL};
	struct hl_limit_override *o = &rules->overrides[index];
	enum hl_class cls = hl_doc_fields(doc, fields, err);
	if (!cls)
		cls = read_match(rules, doc, o, err);
	if (!cls)
		cls = read_spans(doc, HL_TASK_FIELDS, o->spans, err);
	if (!cls)
		cls = check_order(o->spans, rules->defaults[o->urgency].is_working, err);
	if (!cls)
		cls = check_unique(rules, index, err);
	if (cls)
		return cls;
	for (int f = 0; f < HL_TASK_FIELDS; f++)
		if (o->spans[f].unit != HL_SPAN_NONE)
			return HL_OK;
	return hl_fail(err, HL_INPUT, "must set one of sign, arrive, close, progress");
}

static enum hl_class read_overrides(struct hl_limit_rules *rules, const json_t *list, struct hl_error *err)
{
	if (list && (!json_is_array(list) || json_array_size(list) > OVERRIDES_MAX))
		return hl_fail(err, HL_INPUT, "overrides: must be a list of at most %d overrides", OVERRIDES_MAX);
	rules->n_overrides = json_array_size(list);
	if (rules->n_overrides == 0)
		return HL_OK;
	rules->overrides = hl_arena_array(&rules->arena, rules->n_overrides, sizeof *rules->overrides);
	if (!rules->overrides)
		return hl_fail(err, HL_NOMEM, "no memory for the overrides");
	for (size_t i = 0; i < rules->n_overrides; i++)
		if (read_override(rules, json_array_get(list, i), i, err))
			return hl_error_prefix(err, "overrides[%zu]", i);
	return HL_OK;
}

/* --- ladder --- */

static const char *rung_literal(const char *word)
{
	static const char *const names[] = {HL_RUNG_SIGN_HALF, HL_RUNG_SIGN_LIMIT, HL_RUNG_PROGRESS, HL_RUNG_YELLOW,
					    HL_RUNG_RED,       HL_RUNG_OVERSEE,    HL_RUNG_LEADERS};
	for (size_t i = 0; word && i < sizeof names / sizeof *names; i++)
		if (!strcmp(word, names[i]))
			return names[i];
	return NULL;
}

static bool parse_of(const char *word, enum hl_limit_field *of_r)
{
	for (int f = 0; word && f < HL_TASK_FIELDS; f++)
		if (!strcmp(word, hl_limit_field_name((enum hl_limit_field)f))) {
			*of_r = (enum hl_limit_field)f;
			return true;
		}
	return false;
}

static enum hl_class read_percent(const json_t *doc, struct hl_rung_rule *rule, struct hl_error *err)
{
	const json_t *value = json_object_get(doc, "percent");
	if (!value)
		return HL_OK;
	json_int_t percent = json_integer_value(value);
	if (!json_is_integer(value) || percent < 1 || percent > 99)
		return hl_fail(err, HL_INPUT, "percent: must be a whole number from 1 to 99");
	rule->percent = (int)percent;
	return HL_OK;
}

static enum hl_class check_rung(const struct hl_rung_rule *rule, struct hl_error *err)
{
	/* Working minutes are counted forward only; days back are closes of business. */
	if (rule->before.unit == HL_SPAN_MINUTES)
		return hl_fail(err, HL_INPUT, "before: must be a number of days");
	if (rule->before.unit != HL_SPAN_NONE && !rule->percent)
		return hl_fail(err, HL_INPUT, "percent: must be set beside before, for limits that leave no room");
	if (rule->shorter.unit != HL_SPAN_NONE && rule->before.unit == HL_SPAN_NONE)
		return hl_fail(err, HL_INPUT, "short: must not be set without before");
	if (rule->after.unit != HL_SPAN_NONE && rule->percent)
		return hl_fail(err, HL_INPUT, "after: must not be set beside before or percent");
	return HL_OK;
}

static enum hl_class read_rung(const json_t *doc, struct hl_rung_rule *rule, struct hl_error *err)
{
	static const char *const fields[] = {"rung", "of", "before", "after", "short", "percent", "repeat", NULL};
	enum hl_class cls = hl_doc_fields(doc, fields, err);
	if (cls)
		return cls;
	rule->name = rung_literal(json_string_value(json_object_get(doc, "rung")));
	if (!rule->name)
		return hl_fail(err, HL_INPUT,
			       "rung: must be one of sign_half sign_limit progress yellow red oversee leaders");
	if (!parse_of(json_string_value(json_object_get(doc, "of")), &rule->of))
		return hl_fail(err, HL_INPUT, "of: must be one of sign arrive close progress");
	cls = read_span(doc, "before", &rule->before, err);
	if (!cls)
		cls = read_span(doc, "after", &rule->after, err);
	if (!cls)
		cls = read_span(doc, "short", &rule->shorter, err);
	if (!cls)
		cls = read_percent(doc, rule, err);
	return cls ? cls : check_rung(rule, err);
}

/* {"every": SPAN, "times": N}: how often the rung comes again, and at which distance. */
static enum hl_class read_repeat(const json_t *doc, const struct hl_rung_rule *rule, struct hl_span *every_r,
				 int *times_r, struct hl_error *err)
{
	static const char *const fields[] = {"every", "times", NULL};
	const json_t *repeat = json_object_get(doc, "repeat");
	json_int_t times = json_integer_value(json_object_get(repeat, "times"));

	*times_r = 0;
	if (!repeat)
		return HL_OK;
	enum hl_class cls = hl_doc_fields(repeat, fields, err);
	if (!cls)
		cls = read_span(repeat, "every", every_r, err);
	if (cls)
		return cls;
	if (every_r->unit == HL_SPAN_NONE || times < 1 || times >= HL_RUNGS_MAX)
		return hl_fail(err, HL_INPUT, "must say every (a span) and times, from 1 to %d", HL_RUNGS_MAX - 1);
	if (rule->percent)
		return hl_fail(err, HL_INPUT, "must not be set beside before or percent");
	if (rule->after.unit != HL_SPAN_NONE && rule->after.unit != every_r->unit)
		return hl_fail(err, HL_INPUT,
			       "every must be of the same kind as after: both days, or both minutes or hours");
	*times_r = (int)times;
	return HL_OK;
}

/* A repeat is a rung of its own behind the first, so that each is sent once. */
static enum hl_class add_repeats(struct hl_limit_rules *rules, const json_t *doc, struct hl_error *err)
{
	const struct hl_rung_rule first = rules->rungs[rules->n_rungs - 1];
	struct hl_span every;
	int times;
	enum hl_class cls = read_repeat(doc, &first, &every, &times, err);

	if (cls)
		return hl_error_prefix(err, "repeat");
	for (int i = 1; i <= times; i++) {
		struct hl_rung_rule *again = &rules->rungs[rules->n_rungs];

		if (rules->n_rungs == HL_RUNGS_MAX)
			return hl_fail(err, HL_INPUT, TOO_MANY_RUNGS, HL_RUNGS_MAX);
		*again = first;
		again->name = hl_arena_printf(&rules->arena, "%s.%d", first.name, i + 1);
		again->after = (struct hl_span){every.unit, first.after.n + i * every.n};
		rules->n_rungs++;
	}
	return HL_OK;
}

static enum hl_class add_rung(struct hl_limit_rules *rules, const json_t *doc, struct hl_error *err)
{
	if (rules->n_rungs == HL_RUNGS_MAX)
		return hl_fail(err, HL_INPUT, TOO_MANY_RUNGS, HL_RUNGS_MAX);
	struct hl_rung_rule *rule = &rules->rungs[rules->n_rungs];
	enum hl_class cls = read_rung(doc, rule, err);

	/* A notice is keyed (task, rung): the second of one name would never be sent. */
	for (size_t j = 0; !cls && j < rules->n_rungs; j++)
		if (rules->rungs[j].name == rule->name)
			cls = hl_fail(err, HL_INPUT, "rung: must not be there twice");
	if (cls)
		return cls;
	rules->n_rungs++;
	return add_repeats(rules, doc, err);
}

static enum hl_class read_ladder(struct hl_limit_rules *rules, const json_t *list, struct hl_error *err)
{
	if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > HL_RUNGS_MAX)
		return hl_fail(err, HL_INPUT, "ladder: must be a list of 1 to %d rungs", HL_RUNGS_MAX);
	for (size_t i = 0; i < json_array_size(list); i++)
		if (add_rung(rules, json_array_get(list, i), err))
			return hl_error_prefix(err, "ladder[%zu]", i);
	return HL_OK;
}

/* --- the document --- */

static enum hl_class read_rules(struct hl_limit_rules *rules, const json_t *doc, struct hl_error *err)
{
	static const char *const fields[] = {"about", "source", "urgencies", "overrides", "ladder", NULL};
	enum hl_class cls = hl_doc_fields(doc, fields, err);
	if (!cls)
		cls = read_urgencies(rules, json_object_get(doc, "urgencies"), err);
	if (!cls)
		cls = read_overrides(rules, json_object_get(doc, "overrides"), err);
	if (!cls)
		cls = read_ladder(rules, json_object_get(doc, "ladder"), err);
	if (!cls && hl_arena_failed(&rules->arena))
		cls = hl_fail(err, HL_NOMEM, "no memory for the limit rules");
	return cls;
}

enum hl_class hl_limit_rules_new(const json_t *doc, struct hl_limit_rules **out_r, struct hl_error *err)
{
	struct hl_limit_rules *rules = calloc(1, sizeof *rules);
	*out_r = NULL;
	if (!rules)
		return hl_fail(err, HL_NOMEM, "no memory for the limit rules");
	hl_arena_init(&rules->arena, ARENA_BYTES);
	enum hl_class cls = read_rules(rules, doc, err);
	if (cls)
		hl_limit_rules_free(&rules);
	*out_r = rules;
	return cls;
}

void hl_limit_rules_free(struct hl_limit_rules **rules)
{
	if (!*rules)
		return;
	hl_arena_fini(&(*rules)->arena);
	free(*rules);
	*rules = NULL;
}
