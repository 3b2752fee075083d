/* ladder_doc.c - checks ladder.json (contract in hotline/ladder_doc.h)
 *
 * Owns     the words of the document and their ranges. Knows not what they do: that is SQL's.
 * Limits   RUNGS_MAX entries; the check for entries that say the same is quadratic in them.
 */
#include "hotline/ladder_doc.h"

#include "hotline/limits.h"
#include "refdata/doc_fields.h"

#include <stdio.h>
#include <string.h>

#define RUNGS_MAX 100

static const char *const rungs[] = {HL_RUNG_SIGN_HALF, HL_RUNG_SIGN_LIMIT, HL_RUNG_PROGRESS, HL_RUNG_YELLOW,
				    HL_RUNG_RED,       HL_RUNG_OVERSEE,    HL_RUNG_LEADERS,  NULL};
static const char *const urgencies[] = {"normal", "urgent", "emergency", NULL};
static const char *const states[] = {"dispatched", "signed", "arrived", "handback", "done", NULL};
static const char *const audiences[] = {"officer", "deputy", "head", "office", "leaders", "duty", NULL};
static const char *const lanes[] = {"emergency", "dispatch", "reminder", "bulk", NULL};

static bool is_among(const char *word, const char *const *words)
{
	while (word && *words && strcmp(*words, word) != 0)
		words++;
	return word && *words;
}

static enum hl_class one_of(const json_t *doc, const char *field, const char *const *words, struct hl_error *err)
{
	const char *word = json_string_value(json_object_get(doc, field));

	if (is_among(word, words))
		return HL_OK;
	return hl_fail(err, HL_INPUT, "%s: %s is none of its words (%s, ...)", field, word ? word : "(no text)",
		       words[0]);
}

/* A list of words, each at most once; words NULL: any text. */
static enum hl_class list_of(const json_t *doc, const char *field, const char *const *words, bool may_be_missing,
			     struct hl_error *err)
{
	const json_t *list = json_object_get(doc, field), *item;
	size_t i;

	if (!list && may_be_missing)
		return HL_OK;
	if (json_array_size(list) == 0)
		return hl_fail(err, HL_INPUT, "%s: must be a list with at least one word", field);
	json_array_foreach (list, i, item) {
		const char *word = json_string_value(item);

		if (!word || !*word || (words && !is_among(word, words)))
			return hl_fail(err, HL_INPUT, "%s[%zu]: %s is none of its words", field, i,
				       word ? word : "(no text)");
		for (size_t j = 0; j < i; j++)
			if (json_equal(item, json_array_get(list, j)))
				return hl_fail(err, HL_INPUT, "%s[%zu]: %s is there twice", field, i, word);
	}
	return HL_OK;
}

static enum hl_class check_rung(const json_t *rung, const struct hl_templates *templates, struct hl_error *err)
{
	static const char *const fields[] = {"rung",     "urgency", "applies", "unless", "audience",
					     "template", "lane",    "kept",    "call",  NULL};
	const char *template = json_string_value(json_object_get(rung, "template"));
	const json_t *kept = json_object_get(rung, "kept");
	enum hl_class cls = hl_doc_fields(rung, fields, err);

	if (cls == HL_OK)
		cls = one_of(rung, "rung", rungs, err);
	if (cls == HL_OK)
		cls = list_of(rung, "urgency", urgencies, false, err);
	if (cls == HL_OK)
		cls = list_of(rung, "applies", states, false, err);
	if (cls == HL_OK)
		cls = list_of(rung, "unless", NULL, true, err);
	if (cls == HL_OK)
		cls = list_of(rung, "audience", audiences, false, err);
	if (cls == HL_OK)
		cls = one_of(rung, "lane", lanes, err);
	if (cls == HL_OK && kept && !json_is_boolean(kept))
		cls = hl_fail(err, HL_INPUT, "kept: must be true or false");
	if (cls == HL_OK && json_object_get(rung, "call") && !json_is_boolean(json_object_get(rung, "call")))
		cls = hl_fail(err, HL_INPUT, "call: must be true or false");
	if (cls == HL_OK && (!template || !hl_templates_has(templates, template)))
		cls = hl_fail(err, HL_INPUT, "template: there is no template %s", template ? template : "(no text)");
	return cls;
}

static bool share_a_word(const json_t *a, const json_t *b)
{
	const json_t *x, *y;
	size_t i, j;

	json_array_foreach (a, i, x)
		json_array_foreach (b, j, y)
			if (json_equal(x, y))
				return true;
	return false;
}

/* The same person would be told twice at one rung. */
static bool is_repeated(const json_t *a, const json_t *b)
{
	return json_equal(json_object_get(a, "rung"), json_object_get(b, "rung")) &&
	       share_a_word(json_object_get(a, "urgency"), json_object_get(b, "urgency")) &&
	       share_a_word(json_object_get(a, "audience"), json_object_get(b, "audience"));
}

static enum hl_class check_rungs(const json_t *list, const struct hl_templates *templates, struct hl_error *err)
{
	const json_t *rung;
	size_t i;

	if (json_array_size(list) == 0 || json_array_size(list) > RUNGS_MAX)
		return hl_fail(err, HL_INPUT, "rungs: must be a list of 1 to %d rungs", RUNGS_MAX);
	json_array_foreach (list, i, rung) {
		enum hl_class cls = check_rung(rung, templates, err);

		for (size_t j = 0; cls == HL_OK && j < i; j++)
			if (is_repeated(rung, json_array_get(list, j)))
				cls = hl_fail(err, HL_INPUT,
					      "says the same as rungs[%zu]: one urgency and audience twice", j);
		if (cls != HL_OK)
			return hl_error_prefix(err, "rungs[%zu]", i);
	}
	return HL_OK;
}

static enum hl_class check_number(const json_t *doc, const char *field, int min, int max, struct hl_error *err)
{
	const json_t *value = json_object_get(doc, field);

	if (json_is_integer(value) && json_integer_value(value) >= min && json_integer_value(value) <= max)
		return HL_OK;
	return hl_fail(err, HL_INPUT, "%s: must be a whole number from %d to %d", field, min, max);
}

static enum hl_class check_time(const json_t *doc, struct hl_error *err)
{
	const char *at = json_string_value(json_object_get(doc, "at"));
	int hour = -1, minute = -1, used = 0;

	if (at && strlen(at) == 5 && sscanf(at, "%2d:%2d%n", &hour, &minute, &used) == 2 && used == 5 && hour >= 0 &&
	    hour < 24 && minute >= 0 && minute < 60)
		return HL_OK;
	return hl_fail(err, HL_INPUT, "at: must be a time such as 08:30");
}

static enum hl_class check_digest(const json_t *doc, struct hl_error *err)
{
	static const char *const fields[] = {"at", "worst", NULL};
	enum hl_class cls = hl_doc_fields(doc, fields, err);

	if (cls == HL_OK)
		cls = check_time(doc, err);
	return cls == HL_OK ? check_number(doc, "worst", 1, 3, err) : cls;
}

static enum hl_class check_muster(const json_t *doc, struct hl_error *err)
{
	static const char *const fields[] = {"day", "at", NULL};
	enum hl_class cls = hl_doc_fields(doc, fields, err);

	if (cls == HL_OK)
		cls = check_time(doc, err);
	return cls == HL_OK ? check_number(doc, "day", 1, 28, err) : cls;
}

static enum hl_class check_dead(const json_t *doc, struct hl_error *err)
{
	static const char *const fields[] = {"notices", "kinds", NULL};
	enum hl_class cls = hl_doc_fields(doc, fields, err);

	if (cls == HL_OK)
		cls = check_number(doc, "notices", 1, 100, err);
	return cls == HL_OK ? list_of(doc, "kinds", NULL, false, err) : cls;
}

static enum hl_class check_unknown(const json_t *doc, struct hl_error *err)
{
	static const char *const fields[] = {"hours", NULL};
	enum hl_class cls = hl_doc_fields(doc, fields, err);

	return cls == HL_OK ? check_number(doc, "hours", 1, 24 * 366, err) : cls;
}

enum hl_class hl_ladder_doc_check(const json_t *doc, const struct hl_templates *templates, struct hl_error *err)
{
	static const char *const fields[] = {"about", "rungs", "digest", "muster", "dead", "unknown", NULL};
	static const struct {
		const char *field;
		enum hl_class (*check)(const json_t *doc, struct hl_error *err);
	} parts[] = {
		{"digest", check_digest}, {"muster", check_muster}, {"dead", check_dead}, {"unknown", check_unknown}};
	enum hl_class cls = hl_doc_fields(doc, fields, err);

	if (cls == HL_OK)
		cls = check_rungs(json_object_get(doc, "rungs"), templates, err);
	for (size_t i = 0; cls == HL_OK && i < sizeof(parts) / sizeof(parts[0]); i++) {
		cls = parts[i].check(json_object_get(doc, parts[i].field), err);
		if (cls != HL_OK)
			hl_error_prefix(err, "%s", parts[i].field);
	}
	return cls;
}
