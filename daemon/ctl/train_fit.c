/* train_fit.c - weights by liblinear: ridge regression on case type, lead unit and scope, folded into one column
 * per case type
 *
 * Three questions are learnt apart, because a sample of a rare type still says which unit and that it is in scope;
 * a type's score is its own, plus half its unit's, plus or minus half of "in scope". Being sums, they fold into
 * one weight per feature and type. A second reading by the labeller takes a share of the target.
 */
#include "train.h"

#include <stdlib.h>
#include <string.h>

#define COST      1.0 /* ridge of 1/2 */
#define PRECISION 0.01
/* How much of the target an alternative label takes; half of it when the labeller was sure of the main one. */
#define ALT_SHARE 0.3

struct fit {
	const struct training *t;
	struct problem problem;
	size_t *which; /* sample of each row */
	size_t n_features;
	weights *w;
};

static void quiet(const char *text)
{
	(void)text;
}

static double target_of(const struct sample *s, size_t type)
{
	double alt = s->n_alts ? ALT_SHARE * (s->sureness >= 3 ? 0.5 : 1) : 0;
	double target = s->type == type ? 1 - alt : 0;

	for (size_t i = 0; i < s->n_alts; i++)
		target += s->alts[i] == type ? alt / (double)s->n_alts : 0;
	return target;
}

/* learn - one regression; its weights times share go to the columns. */
static bool learn(struct fit *f, const double *share)
{
	struct parameter how = {.solver_type = L2R_L2LOSS_SVR, .eps = PRECISION, .C = COST};
	struct model *m;

	m = train(&f->problem, &how);
	if (!m)
		return false;
	for (size_t i = 0; i < f->n_features; i++)
		for (size_t j = 0; j < HL_MODEL_COLUMNS; j++)
			if (share[j] != 0)
				f->w[i * HL_MODEL_COLUMNS + j] += (float)(share[j] * m->w[i]);
	free_and_destroy_model(&m);
	return true;
}

static bool is_same_lead(const struct training *t, size_t a, size_t b)
{
	return strcmp(t->c->types[a].lead, t->c->types[b].lead) == 0;
}

static bool has_target(const struct fit *f)
{
	for (int i = 0; i < f->problem.l; i++)
		if (f->problem.y[i] != 0)
			return true;
	return false;
}

static bool learn_types(struct fit *f)
{
	bool is_fine = true;

	for (size_t type = 0; type < f->t->c->n_types && is_fine; type++) {
		double share[HL_MODEL_COLUMNS] = {0};

		share[type] = 1;
		for (int i = 0; i < f->problem.l; i++)
			f->problem.y[i] = target_of(&f->t->samples[f->which[i]], type);
		if (has_target(f))
			is_fine = learn(f, share);
	}
	return is_fine;
}

static bool is_first_of_lead(const struct training *t, size_t type)
{
	for (size_t i = 0; i < type; i++)
		if (is_same_lead(t, i, type))
			return false;
	return true;
}

static bool learn_units(struct fit *f)
{
	bool is_fine = true;

	for (size_t type = 0; type < f->t->c->n_types && is_fine; type++) {
		double share[HL_MODEL_COLUMNS] = {0};

		if (!is_first_of_lead(f->t, type))
			continue;
		memset(f->problem.y, 0, (size_t)f->problem.l * sizeof(*f->problem.y));
		for (size_t k = type; k < f->t->c->n_types; k++) {
			if (!is_same_lead(f->t, type, k))
				continue;
			share[k] = (double)TRAIN_UNIT_SHARE;
			for (int i = 0; i < f->problem.l; i++)
				f->problem.y[i] += target_of(&f->t->samples[f->which[i]], k);
		}
		if (has_target(f))
			is_fine = learn(f, share);
	}
	return is_fine;
}

static bool learn_scope(struct fit *f)
{
	double share[HL_MODEL_COLUMNS];
	size_t out = 0;

	while (out < f->t->c->n_types && !f->t->c->types[out].is_out)
		out++;
	for (size_t k = 0; k < HL_MODEL_COLUMNS; k++)
		share[k] = k < f->t->c->n_types ? (double)(k == out ? -TRAIN_SCOPE_SHARE : TRAIN_SCOPE_SHARE) : 0;
	for (int i = 0; i < f->problem.l; i++)
		f->problem.y[i] = 1 - target_of(&f->t->samples[f->which[i]], out);
	return learn(f, share);
}

/* rows_of - samples outside the fold. */
static bool rows_of(struct fit *f, unsigned without_fold)
{
	const struct training *t = f->t;
	size_t n = 0;

	f->which = calloc(t->n, sizeof(*f->which));
	f->problem.x = calloc(t->n, sizeof(*f->problem.x));
	f->problem.y = calloc(t->n, sizeof(*f->problem.y));
	if (!f->which || !f->problem.x || !f->problem.y)
		return false;
	for (size_t i = 0; i < t->n; i++) {
		if (t->samples[i].fold == without_fold)
			continue;
		f->which[n] = i;
		f->problem.x[n++] = t->samples[i].whole.nodes;
	}
	f->problem.l = (int)n;
	f->problem.n = (int)f->n_features;
	f->problem.bias = -1;
	return true;
}

weights *train_fit(const struct training *t, unsigned without_fold)
{
	struct fit f = {.t = t, .n_features = t->dict.n};

	set_print_string_function(quiet);
	f.w = calloc(f.n_features * HL_MODEL_COLUMNS, sizeof(*f.w));
	if (!f.w || !rows_of(&f, without_fold) || !learn_types(&f) || !learn_units(&f) || !learn_scope(&f)) {
		free(f.w);
		f.w = NULL;
	}
	free(f.which);
	free(f.problem.x);
	free(f.problem.y);
	return f.w;
}

void train_score(const struct training *t, const weights *w, const struct vector *v, float *scores)
{
	for (size_t j = 0; j < t->shape.n_columns; j++)
		scores[j] = t->shape.bias[j];
	for (const struct feature_node *node = v->nodes; node->index != -1; node++)
		for (size_t j = 0; j < t->shape.n_columns; j++)
			scores[j] += (float)node->value * w[(size_t)(node->index - 1) * HL_MODEL_COLUMNS + j];
}
