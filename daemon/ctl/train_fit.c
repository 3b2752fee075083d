/* train_fit.c - weights by liblinear: ridge regression, one column per case type
 *
 * A type's target is its own, plus half its unit's, plus or minus half of "in scope": a sample of a rare type still
 * says which unit and that it is in scope. (Ridge regression is linear in its target, so one regression on the sum is
 * the sum of three.) A second reading by the labeller takes a share of the target.
 * Every message with title and text is learnt three times: whole, and with less weight as its title alone and as its
 * text alone, because people write both kinds to a phone. A weight is a factor on the row and its target.
 */
#include "train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COST         1.0 /* ridge of 1/2 */
#define PRECISION    0.01
#define VIEWS        3
#define TITLE_WEIGHT 0.7
#define BODY_WEIGHT  0.5
#define ARENA_BYTES  ((size_t)3 << 30)
/* How much of the target an alternative label takes; half of it when the labeller was sure of the main one. */
#define ALT_SHARE 0.3

struct fit {
	const struct training *t;
	struct hl_arena arena; /* rows */
	struct problem problem;
	const struct sample **which; /* sample of each row */
	double *factors;
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

/* row_target - what the score of a type should be for this sample, without the bias train_score adds. */
static double row_target(const struct training *t, const struct sample *s, size_t type)
{
	double of_unit = 0, of_out = 0;

	for (size_t k = 0; k < t->c->n_types; k++) {
		double target = target_of(s, k);

		if (strcmp(t->c->types[k].lead, t->c->types[type].lead) == 0)
			of_unit += target;
		if (t->c->types[k].is_out)
			of_out += target;
	}
	return target_of(s, type) + (double)TRAIN_UNIT_SHARE * of_unit +
	       (double)(t->c->types[type].is_out ? -TRAIN_SCOPE_SHARE : TRAIN_SCOPE_SHARE) * (1 - of_out);
}

/* prior_score - what the base says already: only the rest is learnt, so that few samples move it little. */
static double prior_score(const struct fit *f, const struct feature_node *row, size_t type)
{
	double score = 0;

	if (!f->t->prior)
		return 0;
	for (; row->index != -1; row++)
		score += row->value * (double)f->t->prior[(size_t)(row->index - 1) * HL_MODEL_COLUMNS + type];
	return score;
}

static bool learn_type(struct fit *f, size_t type)
{
	struct parameter how = {.solver_type = L2R_L2LOSS_SVR, .eps = PRECISION, .C = COST};
	struct model *m;

	for (int i = 0; i < f->problem.l; i++)
		f->problem.y[i] =
			f->factors[i] * row_target(f->t, f->which[i], type) - prior_score(f, f->problem.x[i], type);
	m = train(&f->problem, &how);
	if (!m)
		return false;
	for (size_t i = 0; i < f->n_features; i++)
		f->w[i * HL_MODEL_COLUMNS + type] =
			(float)m->w[i] + (f->t->prior ? f->t->prior[i * HL_MODEL_COLUMNS + type] : 0);
	free_and_destroy_model(&m);
	return true;
}

/* add_row - the vector times the factor. */
static bool add_row(struct fit *f, const struct sample *s, const struct vector *v, double factor)
{
	struct feature_node *row = hl_arena_array(&f->arena, v->n_known + 1, sizeof(*row));

	if (!row)
		return false;
	for (size_t i = 0; i < v->n_known; i++)
		row[i] = (struct feature_node){v->nodes[i].index, factor * v->nodes[i].value};
	row[v->n_known].index = -1;
	f->which[f->problem.l] = s;
	f->factors[f->problem.l] = factor;
	f->problem.x[f->problem.l++] = row;
	return true;
}

/* add_rows - of the samples outside the fold. */
static bool add_rows(struct fit *f, unsigned without_fold)
{
	const struct training *t = f->t;
	bool is_fine = true;

	f->which = calloc(t->n * VIEWS, sizeof(*f->which));
	f->factors = calloc(t->n * VIEWS, sizeof(*f->factors));
	f->problem.x = calloc(t->n * VIEWS, sizeof(*f->problem.x));
	f->problem.y = calloc(t->n * VIEWS, sizeof(*f->problem.y));
	if (!f->which || !f->factors || !f->problem.x || !f->problem.y)
		return false;
	for (size_t i = 0; i < t->n && is_fine; i++) {
		const struct sample *s = &t->samples[i];

		if (s->fold == without_fold)
			continue;
		is_fine = add_row(f, s, &s->whole, 1);
		if (s->has_parts && is_fine)
			is_fine = add_row(f, s, &s->title, sqrt(TITLE_WEIGHT)) &&
				  add_row(f, s, &s->body, sqrt(BODY_WEIGHT));
	}
	f->problem.n = (int)f->n_features;
	f->problem.bias = -1;
	return is_fine;
}

static void free_fit(struct fit *f)
{
	free(f->which);
	free(f->factors);
	free(f->problem.x);
	free(f->problem.y);
	hl_arena_fini(&f->arena);
}

weights *train_fit(const struct training *t, unsigned without_fold)
{
	struct fit f = {.t = t, .n_features = t->dict.n};
	bool is_fine;

	set_print_string_function(quiet);
	hl_arena_init(&f.arena, ARENA_BYTES);
	f.w = calloc(f.n_features * HL_MODEL_COLUMNS, sizeof(*f.w));
	is_fine = f.w && add_rows(&f, without_fold);
	for (size_t type = 0; type < t->c->n_types && is_fine; type++)
		is_fine = learn_type(&f, type);
	free_fit(&f);
	if (is_fine)
		return f.w;
	free(f.w);
	return NULL;
}

void train_score(const struct training *t, const weights *w, const struct vector *v, float *scores)
{
	for (size_t j = 0; j < t->shape.n_columns; j++)
		scores[j] = t->shape.bias[j];
	for (const struct feature_node *node = v->nodes; node->index != -1; node++)
		for (size_t j = 0; j < t->shape.n_columns; j++)
			scores[j] += (float)node->value * w[(size_t)(node->index - 1) * HL_MODEL_COLUMNS + j];
}
