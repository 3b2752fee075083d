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

struct hl_alternative {
	const char *type;
	double confidence;
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
};

/* hl_classify - never fails: an empty, binary or endless text is "needs review" (is_auto false).
 * Takes   text: clean UTF-8; only the first 4,000 code points count.
 * Gives   strings live in the arena or the classifier
 * Cost    O(length) */
void hl_classify(const struct hl_classifier *c, struct hl_slice text, struct hl_arena *arena,
		 struct hl_classified *out_r);

#endif
