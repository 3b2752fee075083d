/* model.h - the learned linear model: from features to a score per case type; internal to the classifier
 *
 * One row of 8-bit weights per feature, one column per case type; made by `hotlinectl train`, read from the
 * reference document "model" (schema/ref/model.json).
 */
#ifndef INTAKE_MODEL_H
#define INTAKE_MODEL_H

#include "intake/features.h"

#define HL_MODEL_COLUMNS  48
#define HL_MODEL_KNOTS    32
#define HL_MODEL_REASONS  HL_INFLUENCE_MAX
#define HL_MODEL_FEATURES 200000

struct hl_model {
	struct hl_arena arena;
	const char *version;
	struct hl_dict dict;
	float *scales;                    /* per feature */
	int8_t (*rows)[HL_MODEL_COLUMNS]; /* per feature */
	size_t columns[HL_MODEL_COLUMNS]; /* column -> index of the case type */
	float bias[HL_MODEL_COLUMNS];
	size_t n_columns;
	float temperature;               /* of the softmax */
	float points_short, points_long; /* what ten rule points add to a score, in short and long texts */
	float knots[HL_MODEL_KNOTS][2];  /* share of the unit -> how often that was right, rising */
	size_t n_knots;
	float bound; /* confidence from which dispatch is automatic */
};

/* hl_model_new - Takes the document; c: its case types and rules. Errors HL_INPUT naming the field; HL_NOMEM. */
enum hl_class hl_model_new(const json_t *doc, const struct hl_classifier *c, struct hl_model **out_r,
			   struct hl_error *err);
void hl_model_free(struct hl_model **m);
/* hl_model_bytes - memory that it holds. */
size_t hl_model_bytes(const struct hl_model *m);

/* What spoke for a type: words of the text, or a rule's list. */
struct hl_reason {
	const struct hl_feature *feature;
	float share;
};

/* hl_model_score - adds each type's score to scores (indexed like the classifier's types).
 * Gives   the weighed features in *values_r, for hl_model_reasons; false when the arena failed. */
bool hl_model_score(const struct hl_model *m, const struct hl_features *f, struct hl_arena *arena, float *scores,
		    struct hl_value **values_r, size_t *n_r);

/* hl_model_probabilities - scores and rule points of every type to probabilities.
 * Takes   points: per type; n_runes: of the text, points count more in short ones */
void hl_model_probabilities(const struct hl_model *m, const struct hl_classifier *c, const float *scores,
			    const double *points, size_t n_runes, double *out_r);

/* hl_model_unit_share - probability of all types that lead to the same desk as this one; out of scope is a desk of
 * its own. */
double hl_model_unit_share(const struct hl_classifier *c, const double *probability, size_t type);

/* hl_model_reasons - the features that spoke most for a type. Gives how many. */
size_t hl_model_reasons(const struct hl_model *m, const struct hl_value *values, size_t n, size_t type,
			struct hl_reason out_r[HL_MODEL_REASONS]);

/* hl_model_confidence - how often the unit of this type is right, given its share of the probability. In a short
 * text a rule that is sure of the same unit is believed as well: the model has seen few of those. */
double hl_model_confidence(const struct hl_model *m, const struct hl_classifier *c, const double *probability,
			   size_t type, const double *points, size_t n_runes);

#endif
