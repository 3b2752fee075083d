/* rules.h - the classifier's rules as read from rules.json and case_types.json; internal to the classifier
 *
 * A group is a list of phrases of which one must be seen; every rule is a few groups that
 * must all be seen and one that must not. Groups are numbered; the phrase matcher reports
 * the number, so that a rule costs as many look-ups as it has groups.
 */
#ifndef INTAKE_RULES_H
#define INTAKE_RULES_H

#include "hotline/classify.h"
#include "intake/phrases.h"
#include "intake/spelling.h"

#define HL_RULE_GROUPS HL_EVIDENCE_LISTS /* "all" entries and "any" together */
#define HL_GROUP_NONE  UINT32_MAX /* no such group */
#define HL_TYPE_NONE   SIZE_MAX   /* an urgency rule without a type */
#define HL_TYPES_MAX   256

struct hl_rule {
	const char *id;
	uint32_t hash;           /* of the id: its name as a feature */
	const char *clause;      /* notice clause, "" in urgency rules */
	size_t type;             /* index in types, HL_TYPE_NONE */
	double weight;           /* points for the type */
	enum hl_urgency urgency; /* urgency rules only */
	uint32_t need[HL_RULE_GROUPS];
	size_t n_need;
	uint32_t must_not;
};

struct hl_matter {
	const char *code, *name, *lead, *clause;
	bool is_floor_urgent; /* at least urgent while it is going on */
	bool is_out;          /* OUT-0: nobody's matter here */
	bool is_assumed_now;  /* goes on unless the text says otherwise (a broken lift) */
};

struct hl_model;

struct hl_classifier {
	struct hl_arena arena; /* all strings and arrays */
	struct hl_spelling *spelling;
	struct hl_phrases *phrases;
	struct hl_matter *types;
	size_t n_types;
	size_t fallback; /* type of a text nothing matches */
	struct hl_rule *rules, *urgencies;
	size_t n_rules, n_urgencies;
	uint32_t n_groups;
	uint32_t *group_hashes;      /* of "set:NAME", or of the rule's id and the list's place in it */
	uint32_t now, past, settled; /* groups: going on, over, needs nobody to come */
	double bound;                /* confidence from which dispatch is automatic, without a model */
	struct hl_model *model;      /* NULL: rules alone */
	char version[17];            /* of the rules */
};

/* hl_type_index - HL_TYPE_NONE: no such code (NULL included). */
size_t hl_type_index(const struct hl_classifier *c, const char *code);

/* hl_rules_load - fills an empty classifier. On failure the caller frees it as far as it got.
 * Errors  HL_INPUT naming rule id and field; HL_NOMEM */
enum hl_class hl_rules_load(struct hl_classifier *c, const json_t *rules, const json_t *case_types,
			    struct hl_error *err);

#endif
