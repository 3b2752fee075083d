/* classify.h - a resident's words to case type and urgency, with reasons; pure
 *
 * A hybrid: phrase rules per case type, as data (schema/ref/rules.json), each with notice clause and weight, and a
 * linear model (schema/ref/model.json, made by `hotlinectl train`) that sees the words and which rules spoke.
 * Without a model the rules decide alone. Urgency is always decided by rules.
 */
#ifndef HOTLINE_CLASSIFY_H
#define HOTLINE_CLASSIFY_H

#include "hotline/arena.h"
#include "hotline/error.h"
#include "hotline/limits.h"
#include <jansson.h>

struct hl_classifier;

/* hl_classifier_new - from rules.json, case_types.json and model.json (parsed); model NULL: rules alone.
 * Errors  HL_INPUT naming rule and field */
enum hl_class hl_classifier_new(const json_t *rules, const json_t *case_types, const json_t *model,
				struct hl_classifier **out_r, struct hl_error *err);
void hl_classifier_free(struct hl_classifier **c);
/* hl_classifier_bytes - memory that rules and model hold. */
size_t hl_classifier_bytes(const struct hl_classifier *c);

struct hl_alternative {
	const char *type;
	double confidence;
};

#define HL_EVIDENCE_MAX   32 /* rules of one text; more say nothing new */
#define HL_EVIDENCE_LISTS 5
#define HL_INFLUENCE_MAX  3

/* A rule that matched, and by which words. */
struct hl_evidence {
	const char *rule;
	const char *type; /* for which it speaks; NULL: an urgency rule without one */
	double points;
	const char *clause;                       /* of the notice; "" of an urgency rule */
	struct hl_slice words[HL_EVIDENCE_LISTS]; /* one per phrase list, in the folded text */
	size_t n_words;
};

/* What spoke most for the type beside the rules: words of the folded text, and their share of its score. */
struct hl_influence {
	struct hl_slice words;
	double share;
};

struct hl_classified {
	const char *type; /* "FIR-1"; "OUT-0" out of scope; never NULL */
	const char *unit; /* lead unit or group ("STR", "UTI-GAS") of that type */
	enum hl_urgency urgency;
	double confidence; /* 0..1 */
	bool is_auto;      /* confidence reaches the bound: may be dispatched without a person */
	bool is_ongoing;   /* the matter is going on now */
	bool is_guess;     /* no rule knows a word of it: the type is the model's guess, or the fallback */
	const char *why;   /* matched phrases, rule ids, notice clause: for people */
	struct hl_alternative alternatives[3];
	size_t n_alternatives;
	const struct hl_evidence *evidence; /* in the order of rules.json, that of the urgency last */
	size_t n_evidence;
	struct hl_influence influences[HL_INFLUENCE_MAX];
	size_t n_influences;
};

/* hl_classifier_rules_version, hl_classifier_model_version - which rules and model these are: 16 hex digits that follow
 * from their content, so the same from a file and from the database; the model's is "" without a model. */
const char *hl_classifier_rules_version(const struct hl_classifier *c);
const char *hl_classifier_model_version(const struct hl_classifier *c);

/* hl_classify - never fails: an empty, binary or endless text is "needs review" (is_auto false).
 * Takes   text: clean UTF-8; only the first 4,000 code points count.
 * Gives   strings live in the arena or the classifier
 * Cost    O(length) */
void hl_classify(const struct hl_classifier *c, struct hl_slice text, struct hl_arena *arena,
		 struct hl_classified *out_r);

#endif
