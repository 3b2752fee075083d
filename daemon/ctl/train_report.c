/* train_report.c - cross-validation: how good the model is on texts it has not seen, and how sure it may be
 *
 * Confidence is fitted on the out-of-fold scores: the share of the lead unit becomes "how often was that right",
 * by pooling adjacent violators, so that it only rises. A second reading counts as right where the labeller was
 * not sure of the first, which is what two labellers would have accepted.
 */
#include "tally.h"
#include "train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AUTO_PRECISION 0.96 /* a little above what is promised: the texts to come are not these */
#define KNOTS          20
#define CONFUSIONS     25

enum { ON_WHOLE, ON_TITLE, ON_OWN, ON_KINDS };

struct verdict {
	size_t type;
	double share; /* of the unit */
	double p[HL_MODEL_COLUMNS];
	bool is_right, is_real;
};

struct validation {
	struct training *t;
	float *scores;            /* [(sample * 2 + is_title) * HL_MODEL_COLUMNS] */
	struct verdict *verdicts; /* whole and title of every sample */
	struct tally before;      /* of the base as it is, on what operators settled */
};

static float *scores_of(struct validation *v, size_t sample, bool is_title)
{
	return v->scores + (sample * 2 + is_title) * HL_MODEL_COLUMNS;
}

static int score_folds(struct validation *v)
{
	struct training *t = v->t;

	for (unsigned fold = 0; fold < TRAIN_FOLDS; fold++) {
		weights *w = train_fit(t, fold);

		if (!w)
			return ctl_fail(t->ctl, "no memory for the weights");
		for (size_t i = 0; i < t->n; i++) {
			if (t->samples[i].fold != fold)
				continue;
			train_score(t, w, &t->samples[i].whole, scores_of(v, i, false));
			train_score(t, w, &t->samples[i].title, scores_of(v, i, true));
		}
		free(w);
		fprintf(stderr, "train: fold %u of %d\n", fold + 1, TRAIN_FOLDS);
	}
	return CTL_OK;
}

static void judge(struct validation *v, size_t sample, bool is_title, float temperature)
{
	struct training *t = v->t;
	struct sample *s = &t->samples[sample];
	struct verdict *out = &v->verdicts[sample * 2 + is_title];
	double *p = out->p;

	t->shape.temperature = temperature;
	hl_model_probabilities(&t->shape, t->c, scores_of(v, sample, is_title),
			       is_title ? s->title.points : s->whole.points,
			       is_title ? s->title.n_runes : s->whole.n_runes, p);
	out->type = 0;
	for (size_t k = 1; k < t->c->n_types; k++)
		if (p[k] > p[out->type])
			out->type = k;
	out->share = hl_model_unit_share(t->c, p, out->type);
	out->is_right = strcmp(t->c->types[out->type].lead, t->c->types[s->type].lead) == 0;
	for (size_t k = 0; k < s->n_alts && s->sureness < 3; k++)
		out->is_right |= strcmp(t->c->types[out->type].lead, t->c->types[s->alts[k]].lead) == 0;
	out->is_real = !s->is_own;
}

/* loss_at - of the main type's probability, over the samples that are learnt from. */
static double loss_at(struct validation *v, float temperature)
{
	double loss = 0, p[HL_MODEL_COLUMNS];

	v->t->shape.temperature = temperature;
	for (size_t i = 0; i < v->t->n; i++) {
		const struct sample *s = &v->t->samples[i];

		hl_model_probabilities(&v->t->shape, v->t->c, scores_of(v, i, false), s->whole.points, s->whole.n_runes,
				       p);
		loss -= log(p[s->type] + 1e-9);
	}
	return loss;
}

static float best_temperature(struct validation *v)
{
	static const float tried[] = {0.08f, 0.1f, 0.12f, 0.15f, 0.18f, 0.22f};
	float best = tried[0];
	double least = INFINITY;

	for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]); i++) {
		double loss = loss_at(v, tried[i]);

		if (loss < least) {
			least = loss;
			best = tried[i];
		}
	}
	return best;
}

static int by_share(const void *a, const void *b)
{
	double x = ((const struct verdict *)a)->share, y = ((const struct verdict *)b)->share;

	return x < y ? -1 : x > y;
}

struct pool {
	double share, right, n;
};

/* pool_adjacent - merges neighbours until the shares right only rise. Gives how many pools are left. */
static size_t pool_adjacent(struct pool *pools, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		pools[kept++] = pools[i];
		while (kept > 1 &&
		       pools[kept - 2].right * pools[kept - 1].n >= pools[kept - 1].right * pools[kept - 2].n) {
			pools[kept - 2].share += pools[kept - 1].share;
			pools[kept - 2].right += pools[kept - 1].right;
			pools[kept - 2].n += pools[kept - 1].n;
			kept--;
		}
	}
	return kept;
}

/* fit_knots - about as many samples between two knots everywhere. */
static int fit_knots(struct validation *v)
{
	size_t n = v->t->n * 2, kept;
	struct pool pools[KNOTS] = {{0}};
	struct hl_model *m = &v->t->shape;
	struct verdict *sorted = malloc(n * sizeof(*sorted));

	if (!sorted)
		return ctl_fail(v->t->ctl, "no memory for the confidence");
	memcpy(sorted, v->verdicts, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_share);
	for (size_t i = 0; i < n; i++) {
		struct pool *pool = &pools[i * KNOTS / n];

		pool->share += sorted[i].share;
		pool->right += sorted[i].is_right;
		pool->n++;
	}
	kept = pool_adjacent(pools, KNOTS);
	for (size_t i = 0; i < kept; i++) {
		m->knots[i][0] = (float)(pools[i].share / pools[i].n);
		m->knots[i][1] = (float)((pools[i].right + 0.5) / (pools[i].n + 1));
	}
	m->n_knots = kept;
	free(sorted);
	return kept < 2 ? ctl_fail(v->t->ctl, "the confidence cannot be told from these samples") : CTL_OK;
}

/* tally_kind - strict: the main type alone is right. */
static void tally_kind(struct validation *v, int kind, bool is_strict, struct tally *tally)
{
	tally_init(tally, v->t->c);
	for (size_t i = 0; i < v->t->n; i++) {
		const struct sample *s = &v->t->samples[i];
		const struct verdict *verdict = &v->verdicts[i * 2 + (kind == ON_TITLE)];
		const struct vector *vector = kind == ON_TITLE ? &s->title : &s->whole;
		double confidence = hl_model_confidence(&v->t->shape, v->t->c, verdict->p, verdict->type,
							vector->points, vector->n_runes);
		size_t accepted[5] = {s->type}, n = 1;

		if (s->is_own != (kind == ON_OWN))
			continue;
		for (size_t k = 0; k < s->n_alts && !is_strict && s->sureness < 3; k++)
			accepted[n++] = s->alts[k];
		tally_add(tally, accepted, n, verdict->type, confidence, confidence >= (double)v->t->shape.bound);
	}
}

/* fit_bound - the higher of what whole messages and titles alone need. */
static void fit_bound(struct validation *v)
{
	double most = 0, bound;

	for (int kind = ON_WHOLE; kind <= ON_TITLE; kind++) {
		struct tally tally;

		tally_kind(v, kind, false, &tally);
		tally_coverage(&tally, AUTO_PRECISION, &bound);
		most = bound > most ? bound : most;
		tally_fini(&tally);
	}
	v->t->shape.bound = (float)floor(most * 1000) / 1000;
}

static void print_report(struct validation *v, FILE *out)
{
	static const char *const names[ON_KINDS] = {"title+text", "title alone", "own examples"};
	struct tally tally;

	tally_print_head(out);
	if (v->t->base)
		tally_print(&v->before, "the model as it is", out);
	for (int kind = 0; kind < ON_KINDS; kind++) {
		for (int is_strict = 1; is_strict >= 0; is_strict--) {
			char name[64];

			snprintf(name, sizeof(name), "%s, %s", names[kind], is_strict ? "first label" : "either label");
			tally_kind(v, kind, is_strict, &tally);
			tally_print(&tally, name, out);
			tally_fini(&tally);
		}
	}
	tally_kind(v, ON_WHOLE, true, &tally);
	fputs("\n## Case types (title+text, first label)\n\n", out);
	tally_print_types(&tally, out);
	fputs("\n## Most frequent confusions\n\n", out);
	tally_print_confusion(&tally, CONFUSIONS, out);
	tally_fini(&tally);
	tally_kind(v, ON_WHOLE, false, &tally);
	fputs("\n## Reliability (title+text, either label)\n\n", out);
	tally_print_reliability(&tally, out);
	tally_fini(&tally);
}

/* judge_prior - how the base does without having learnt any of this. */
static void judge_prior(struct validation *v)
{
	for (size_t i = 0; i < v->t->n; i++) {
		train_score(v->t, v->t->prior, &v->t->samples[i].whole, scores_of(v, i, false));
		judge(v, i, false, v->t->shape.temperature);
	}
	tally_kind(v, ON_WHOLE, true, &v->before);
}

/* fit_shape - from scores to confidence: as the base has it, or from these samples. */
static int fit_shape(struct validation *v)
{
	struct training *t = v->t;
	float temperature = t->base ? t->base->temperature : best_temperature(v);
	int rc = CTL_OK;

	for (size_t i = 0; i < t->n * 2; i++)
		judge(v, i / 2, i % 2, temperature);
	if (!t->base)
		rc = fit_knots(v);
	if (rc == CTL_OK && !t->base)
		fit_bound(v);
	return rc;
}

int train_validate(struct training *t, FILE *out)
{
	struct validation v = {.t = t,
			       .scores = calloc(t->n * 2 * HL_MODEL_COLUMNS, sizeof(*v.scores)),
			       .verdicts = calloc(t->n * 2, sizeof(*v.verdicts))};
	int rc = v.scores && v.verdicts ? CTL_OK : ctl_fail(t->ctl, "no memory for the validation");

	if (rc == CTL_OK && t->base)
		judge_prior(&v);
	if (rc == CTL_OK)
		rc = score_folds(&v);
	if (rc == CTL_OK)
		rc = fit_shape(&v);
	if (rc == CTL_OK && out)
		print_report(&v, out);
	tally_fini(&v.before);
	free(v.scores);
	free(v.verdicts);
	return rc;
}
