/* rules.c - rules.json and case_types.json to numbered phrase groups and rules
 *
 * rules.json
 *   bound      0..1: from this confidence on a case may be dispatched without a person
 *   fallback   case type of a text in which nothing is found
 *   sets       name -> phrases; "@name" in a list stands for them
 *   spellings  word -> forms in which it is misheard or mistyped; kept: words that only look like a form (spelling.h)
 *   ongoing    now, past, settled: phrase lists; assumed: case types that go on unless the text says otherwise
 *   rules      {id, type, weight, why, all, any, not}
 *   urgency    {id, urgency, all, any, not} and optionally type and weight, tried in order, first match counts
 * `any`: one of these phrases. `all`: each entry (a phrase or a list of alternatives) must be
 * found. `not`: none of these. A rule has `all` or `any` or both.
 *
 * Reads strictly: an unknown field is an error, because a misspelt "not" would silently
 * change what is dispatched. Must not know: texts, scores.
 */
#include "intake/rules.h"
#include "intake/features.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WEIGHT_MAX 20.0
#define SET_DEPTH  3
#define RULES_MAX  5000
#define GROUPS_MAX 20000
#define RULE_SEED  0x52u
#define GROUP_SEED 0x47u

struct loader {
	struct hl_classifier *c;
	const json_t *sets;
	json_t *set_groups; /* name -> group number */
	const char *scope;  /* id of the rule that is read */
	unsigned n_lists;   /* of that rule so far */
	struct hl_error *err;
};

static const char *keep(struct loader *l, const char *s)
{
	return hl_arena_strdup(&l->c->arena, hl_slice_str(s));
}

size_t hl_type_index(const struct hl_classifier *c, const char *code)
{
	for (size_t i = 0; code && i < c->n_types; i++)
		if (!strcmp(c->types[i].code, code))
			return i;
	return HL_TYPE_NONE;
}

/* Only the fields in the NULL-terminated list may appear. */
static enum hl_class check_fields(struct loader *l, const json_t *object, const char *const *known)
{
	for (void *it = json_object_iter((json_t *)(uintptr_t)object); it;
	     it = json_object_iter_next((json_t *)(uintptr_t)object, it)) {
		const char *const *k = known;

		while (*k && strcmp(*k, json_object_iter_key(it)))
			k++;
		if (!*k)
			return hl_fail(l->err, HL_INPUT, "unknown field \"%s\"", json_object_iter_key(it));
	}
	return HL_OK;
}

static enum hl_class read_string(struct loader *l, const json_t *object, const char *field, const char **out_r)
{
	const json_t *value = json_object_get(object, field);

	if (!json_is_string(value) || !json_string_length(value))
		return hl_fail(l->err, HL_INPUT, "%s: a non-empty string is needed", field);
	*out_r = keep(l, json_string_value(value));
	return HL_OK;
}

static enum hl_class add_phrases(struct loader *l, const json_t *list, uint32_t group, int depth);

static enum hl_class add_phrase(struct loader *l, const json_t *item, uint32_t group, int depth)
{
	const char *s = json_string_value(item);
	const json_t *set;
	enum hl_class cls;

	if (!s)
		return hl_fail(l->err, HL_INPUT, "every phrase must be a string");
	if (*s != '@') {
		cls = hl_phrases_add(l->c->phrases, hl_slice_str(s), group, l->err);
		return cls ? hl_error_prefix(l->err, "\"%s\"", s) : HL_OK;
	}
	set = json_object_get(l->sets, s + 1);
	if (!set || depth == SET_DEPTH)
		return hl_fail(l->err, HL_INPUT, "no set \"%s\", or sets nested too deep", s);
	return add_phrases(l, set, group, depth + 1);
}

static enum hl_class add_phrases(struct loader *l, const json_t *list, uint32_t group, int depth)
{
	size_t n = json_array_size(list);
	enum hl_class cls = HL_OK;

	if (!n)
		return hl_fail(l->err, HL_INPUT, "a non-empty list of phrases is needed");
	for (size_t i = 0; i < n && !cls; i++)
		cls = add_phrase(l, json_array_get(list, i), group, depth);
	return cls;
}

/* The name of a list stays when its phrases are edited, and so do the model's weights. */
static uint32_t group_hash(struct loader *l, const char *only)
{
	char name[200];

	if (only && *only == '@')
		snprintf(name, sizeof(name), "set:%s", only + 1);
	else
		snprintf(name, sizeof(name), "%s#%u", l->scope, l->n_lists++);
	return hl_feature_hash(GROUP_SEED, name);
}

/* A list that is one "@set" shares the group of that set: most rules do, and every group costs hits. */
static enum hl_class read_group(struct loader *l, const json_t *list, uint32_t *out_r)
{
	const char *only = json_array_size(list) == 1 ? json_string_value(json_array_get(list, 0)) : NULL;
	const json_t *known = only && *only == '@' ? json_object_get(l->set_groups, only) : NULL;

	if (known) {
		*out_r = (uint32_t)json_integer_value(known);
		return HL_OK;
	}
	if (l->c->n_groups == GROUPS_MAX)
		return hl_fail(l->err, HL_INPUT, "more than %d phrase lists", GROUPS_MAX);
	*out_r = l->c->n_groups++;
	l->c->group_hashes[*out_r] = group_hash(l, only);
	if (only && *only == '@' && json_object_set_new(l->set_groups, only, json_integer(*out_r)))
		return hl_fail(l->err, HL_NOMEM, "no memory for a phrase list");
	return add_phrases(l, list, *out_r, 0);
}

/* One entry of "all": a phrase or a list of alternatives. */
static enum hl_class read_need(struct loader *l, const json_t *entry, struct hl_rule *rule)
{
	json_t *list;
	enum hl_class cls;

	if (rule->n_need == HL_RULE_GROUPS)
		return hl_fail(l->err, HL_INPUT, "more than %d conditions", HL_RULE_GROUPS);
	if (json_is_array(entry))
		return read_group(l, entry, &rule->need[rule->n_need++]);
	list = json_pack("[O]", (json_t *)(uintptr_t)entry);
	if (!list)
		return hl_fail(l->err, HL_NOMEM, "no memory for a phrase list");
	cls = read_group(l, list, &rule->need[rule->n_need++]);
	json_decref(list);
	return cls;
}

static enum hl_class read_all(struct loader *l, const json_t *all, struct hl_rule *rule)
{
	enum hl_class cls = HL_OK;

	if (!json_array_size(all))
		return hl_fail(l->err, HL_INPUT, "a non-empty list is needed");
	for (size_t i = 0; i < json_array_size(all) && !cls; i++)
		cls = read_need(l, json_array_get(all, i), rule);
	return cls;
}

static enum hl_class read_conditions(struct loader *l, const json_t *object, struct hl_rule *rule)
{
	const json_t *all = json_object_get(object, "all"), *any = json_object_get(object, "any"),
		     *none = json_object_get(object, "not");
	enum hl_class cls = HL_OK;

	rule->must_not = HL_GROUP_NONE;
	if (!all && !any)
		return hl_fail(l->err, HL_INPUT, "all or any is needed");
	if (all && (cls = read_all(l, all, rule)))
		return hl_error_prefix(l->err, "all");
	if (any && (cls = read_need(l, any, rule)))
		return hl_error_prefix(l->err, "any");
	if (none && (cls = read_group(l, none, &rule->must_not)))
		return hl_error_prefix(l->err, "not");
	return cls;
}

static enum hl_class read_type(struct loader *l, const json_t *object, struct hl_rule *rule)
{
	const json_t *weight = json_object_get(object, "weight");
	const char *code = json_string_value(json_object_get(object, "type"));

	rule->type = hl_type_index(l->c, code);
	if (rule->type == HL_TYPE_NONE)
		return hl_fail(l->err, HL_INPUT, "type: \"%s\" is no case type", code ? code : "");
	rule->weight = json_number_value(weight);
	if (!json_is_number(weight) || !(rule->weight > 0 && rule->weight <= WEIGHT_MAX))
		return hl_fail(l->err, HL_INPUT, "weight: a number above 0 and up to %.0f is needed", WEIGHT_MAX);
	return HL_OK;
}

static enum hl_class read_type_rule(struct loader *l, const json_t *object, struct hl_rule *rule)
{
	static const char *const known[] = {"id", "type", "weight", "why", "all", "any", "not", NULL};
	enum hl_class cls = check_fields(l, object, known);

	if (!cls)
		cls = read_type(l, object, rule);
	if (!cls)
		cls = read_string(l, object, "why", &rule->clause);
	return cls ? cls : read_conditions(l, object, rule);
}

static enum hl_class read_urgency_rule(struct loader *l, const json_t *object, struct hl_rule *rule)
{
	static const char *const known[] = {"id", "urgency", "type", "weight", "all", "any", "not", NULL};
	const char *word = json_string_value(json_object_get(object, "urgency"));
	enum hl_class cls = check_fields(l, object, known);

	rule->type = HL_TYPE_NONE;
	rule->clause = "";
	if (cls)
		return cls;
	if (!hl_urgency_parse(hl_slice_str(word), &rule->urgency))
		return hl_fail(l->err, HL_INPUT, "urgency: \"%s\" is not emergency, urgent or normal",
			       word ? word : "");
	if (json_object_get(object, "type"))
		cls = read_type(l, object, rule);
	return cls ? cls : read_conditions(l, object, rule);
}

static bool is_known_id(const struct hl_rule *rules, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(rules[i].id, id))
			return true;
	return false;
}

typedef enum hl_class read_rule_fn(struct loader *l, const json_t *object, struct hl_rule *rule);

static enum hl_class read_rule(struct loader *l, const json_t *object, struct hl_rule *rules, size_t i,
			       read_rule_fn *read)
{
	enum hl_class cls = read_string(l, object, "id", &rules[i].id);

	if (cls)
		return cls;
	l->scope = rules[i].id;
	l->n_lists = 0;
	rules[i].hash = hl_feature_hash(RULE_SEED, rules[i].id);
	cls = is_known_id(rules, i, rules[i].id) ? hl_fail(l->err, HL_INPUT, "id: used twice")
						 : read(l, object, &rules[i]);
	return cls ? hl_error_prefix(l->err, "rule %s", rules[i].id) : HL_OK;
}

static enum hl_class read_rules(struct loader *l, const json_t *doc, const char *field, read_rule_fn *read,
				struct hl_rule **out_r, size_t *n_r)
{
	const json_t *list = json_object_get(doc, field);
	size_t n = json_array_size(list);
	enum hl_class cls = HL_OK;

	if (!n || n > RULES_MAX)
		return hl_fail(l->err, HL_INPUT, "%s: a list of 1 to %d rules is needed", field, RULES_MAX);
	*out_r = hl_arena_array(&l->c->arena, n, sizeof(**out_r));
	if (!*out_r)
		return hl_fail(l->err, HL_NOMEM, "no memory for the rules");
	for (*n_r = 0; *n_r < n && !cls; ++*n_r) {
		cls = read_rule(l, json_array_get(list, *n_r), *out_r, *n_r, read);
		if (cls)
			hl_error_prefix(l->err, "%s[%zu]", field, *n_r);
	}
	return cls;
}

static enum hl_class read_assumed(struct loader *l, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *code = json_string_value(json_array_get(list, i));
		size_t type = hl_type_index(l->c, code);

		if (type == HL_TYPE_NONE)
			return hl_fail(l->err, HL_INPUT, "ongoing.assumed: \"%s\" is no case type", code ? code : "");
		l->c->types[type].is_assumed_now = true;
	}
	return HL_OK;
}

static enum hl_class read_ongoing(struct loader *l, const json_t *ongoing)
{
	const struct {
		const char *field;
		uint32_t *group;
	} lists[] = {{"now", &l->c->now}, {"past", &l->c->past}, {"settled", &l->c->settled}};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (read_group(l, json_object_get(ongoing, lists[i].field), lists[i].group))
			return hl_error_prefix(l->err, "ongoing.%s", lists[i].field);
	return read_assumed(l, json_object_get(ongoing, "assumed"));
}

static enum hl_class read_case_type(struct loader *l, const json_t *object, struct hl_matter *type)
{
	const json_t *floor = json_object_get(object, "floor_ongoing");
	enum hl_class cls = read_string(l, object, "code", &type->code);

	if (!cls && hl_type_index(l->c, type->code) != HL_TYPE_NONE)
		cls = hl_fail(l->err, HL_INPUT, "code: \"%s\" is used twice", type->code);
	if (!cls)
		cls = read_string(l, object, "name", &type->name);
	if (!cls)
		cls = read_string(l, object, "lead", &type->lead);
	if (!cls)
		cls = read_string(l, object, "clause", &type->clause);
	if (!cls && floor && (!json_is_string(floor) || strcmp(json_string_value(floor), "urgent")))
		cls = hl_fail(l->err, HL_INPUT, "floor_ongoing: only \"urgent\" is known");
	type->is_floor_urgent = floor;
	type->is_out = !cls && !strcmp(type->code, "OUT-0");
	return cls;
}

static enum hl_class read_case_types(struct loader *l, const json_t *doc)
{
	const json_t *list = json_object_get(doc, "case_types");
	size_t n = json_array_size(list);

	if (!n || n > HL_TYPES_MAX)
		return hl_fail(l->err, HL_INPUT, "case_types: a list of 1 to %d types is needed", HL_TYPES_MAX);
	l->c->types = hl_arena_array(&l->c->arena, n, sizeof(*l->c->types));
	if (!l->c->types)
		return hl_fail(l->err, HL_NOMEM, "no memory for the case types");
	for (; l->c->n_types < n; l->c->n_types++)
		if (read_case_type(l, json_array_get(list, l->c->n_types), &l->c->types[l->c->n_types]))
			return hl_error_prefix(l->err, "case_types[%zu]", l->c->n_types);
	return HL_OK;
}

static enum hl_class read_scalars(struct loader *l, const json_t *doc)
{
	const json_t *bound = json_object_get(doc, "bound");
	const char *fallback = json_string_value(json_object_get(doc, "fallback"));

	l->c->bound = json_number_value(bound);
	if (!json_is_number(bound) || !(l->c->bound > 0 && l->c->bound <= 1))
		return hl_fail(l->err, HL_INPUT, "bound: a number above 0 and up to 1 is needed");
	l->c->fallback = hl_type_index(l->c, fallback);
	if (l->c->fallback == HL_TYPE_NONE)
		return hl_fail(l->err, HL_INPUT, "fallback: \"%s\" is no case type", fallback ? fallback : "");
	return HL_OK;
}

static enum hl_class read_document(struct loader *l, const json_t *doc)
{
	static const char *const known[] = {"about", "bound",   "fallback",  "sets", "ongoing",
					    "rules", "urgency", "spellings", "kept", NULL};
	struct hl_classifier *c = l->c;
	enum hl_class cls = check_fields(l, doc, known);

	if (!cls)
		cls = hl_spelling_new(json_object_get(doc, "spellings"), json_object_get(doc, "kept"), &c->spelling,
				      l->err);
	if (!cls)
		cls = read_scalars(l, doc);
	if (!cls)
		cls = read_ongoing(l, json_object_get(doc, "ongoing"));
	if (!cls)
		cls = read_rules(l, doc, "rules", read_type_rule, &c->rules, &c->n_rules);
	if (!cls)
		cls = read_rules(l, doc, "urgency", read_urgency_rule, &c->urgencies, &c->n_urgencies);
	return cls;
}

/* set_version - of the content, whatever order its fields stand in. */
static enum hl_class set_version(struct loader *l, const json_t *rules)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char *text = json_dumps(rules, JSON_COMPACT | JSON_SORT_KEYS);

	if (!text)
		return hl_fail(l->err, HL_NOMEM, "no memory for the rules");
	SHA256((const unsigned char *)text, strlen(text), digest);
	free(text);
	for (size_t i = 0; i < (sizeof(l->c->version) - 1) / 2; i++)
		snprintf(l->c->version + 2 * i, 3, "%02x", digest[i]);
	return HL_OK;
}

enum hl_class hl_rules_load(struct hl_classifier *c, const json_t *rules, const json_t *case_types,
			    struct hl_error *err)
{
	struct loader l = {.c = c,
			   .scope = "ongoing",
			   .sets = json_object_get(rules, "sets"),
			   .set_groups = json_object(),
			   .err = err};
	enum hl_class cls;

	c->group_hashes = hl_arena_array(&c->arena, GROUPS_MAX, sizeof(*c->group_hashes));
	if (!l.set_groups || !c->group_hashes) {
		json_decref(l.set_groups);
		return hl_fail(err, HL_NOMEM, "no memory for the rules");
	}
	cls = read_case_types(&l, case_types);
	if (!cls)
		cls = read_document(&l, rules);
	if (!cls)
		cls = set_version(&l, rules);
	json_decref(l.set_groups);
	if (!cls && hl_arena_failed(&c->arena))
		cls = hl_fail(err, HL_NOMEM, "no memory for the rules");
	return cls;
}
