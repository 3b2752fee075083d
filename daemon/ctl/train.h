/* train.h (private to daemon/ctl) - what the parts of `hotlinectl train` share
 *
 * Samples become numbered features (train_set.c), liblinear finds the weights (train_fit.c), cross-validation says
 * how good they are and how sure one may be (train_report.c); train.c is the command and writes the model.
 */
#ifndef CTL_TRAIN_H
#define CTL_TRAIN_H

#include "ctl.h"
#include "intake/model.h"

#include <linear.h>

#define TRAIN_FOLDS       5
#define TRAIN_UNIT_SHARE  0.5f /* what the lead unit adds to a type's target, and the scope */
#define TRAIN_SCOPE_SHARE 0.5f

/* One text in the form liblinear takes. */
struct vector {
	struct feature_node *nodes; /* ends with index -1 */
	double *points;             /* of the rules, per type */
	size_t n_runes, n_known;
};

struct sample {
	size_t type;
	size_t alts[4], n_alts;
	unsigned sureness; /* the labeller's, 1 to 3 */
	unsigned fold;
	bool is_own; /* from examples.json, not from the file that is learnt */
	bool has_parts; /* title and text: each is a way to tell the same */
	struct hl_features features, title_features, body_features;
	struct vector whole, title, body; /* title: the message as if it were its title alone; body: without it */
};

struct training {
	struct ctl *ctl;
	const struct hl_classifier *c;
	struct hl_arena arena;
	struct sample *samples;
	size_t n, cap;
	const struct hl_model *base; /* the model that is adapted; NULL: everything is learnt anew */
	struct hl_dict dict;
	uint32_t *ids; /* of every feature of dict */
	float *prior;  /* weights of the base, as `weights` below; NULL without one */
	bool is_without_rules; /* characters alone: what the rules add is seen beside it */
	struct hl_model shape; /* what the fit finds beside weights: temperature, knots, bound */
};

/* Weights of all features for all columns, [feature * HL_MODEL_COLUMNS + column]. */
typedef float weights;

/* train_read - samples of a JSONL file (NULL: none), of what operators settled in the last days (0: none), and of
 * examples.json in the folder of reference files.
 * Gives  CTL_OK, or CTL_FAILED after having named line and field */
int train_read(struct training *t, const char *path, int days);
/* train_number - the features worth keeping, every sample as vectors, folds that keep near-copies together. */
int train_number(struct training *t);

/* train_fit - from all samples but those of one fold (TRAIN_FOLDS: from all).
 * Gives  weights, to be freed, or NULL without memory */
weights *train_fit(const struct training *t, unsigned without_fold);
/* train_score - of one vector; scores per column. */
void train_score(const struct training *t, const weights *w, const struct vector *v, float *scores);

/* train_validate - cross-validates; sets temperature, knots and bound of t->shape, unless a base gives them; prints the
 * report to out (NULL: it is not asked for), in Markdown. */
int train_validate(struct training *t, FILE *out);

/* train_cases - what operators settled as samples, masked (train_cases.c). */
int train_cases(struct training *t, int days);
/* train_add - one labelled text {"type", "alt", "conf", "title", "text"}. */
int train_add(struct training *t, const json_t *line);

#endif
