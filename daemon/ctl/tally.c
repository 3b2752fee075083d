/* tally.c - figures of a classifier on labelled texts (contract in tally.h) */
#include "tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define Z95           1.96
#define ENTRIES_LEAST 15 /* fewer at the top say nothing about precision */
#define HOTLINE_UNIT  "HOT"

void tally_init(struct tally *t, const struct hl_classifier *c)
{
	size_t n = c->n_types;

	*t = (struct tally){.c = c,
			    .n_of = calloc(n, sizeof(size_t)),
			    .said_of = calloc(n, sizeof(size_t)),
			    .right_of = calloc(n, sizeof(size_t)),
			    .confusion = calloc(n * n, sizeof(size_t))};
	t->failed = !t->n_of || !t->said_of || !t->right_of || !t->confusion;
}

void tally_fini(struct tally *t)
{
	free(t->entries);
	free(t->n_of);
	free(t->said_of);
	free(t->right_of);
	free(t->confusion);
	*t = (struct tally){0};
}

static struct tally_entry *new_entry(struct tally *t)
{
	struct tally_entry *grown;

	if (t->n == t->cap) {
		grown = reallocarray(t->entries, t->cap ? t->cap * 2 : 512, sizeof(*grown));
		if (!grown) {
			t->failed = true;
			return NULL;
		}
		t->entries = grown;
		t->cap = t->cap ? t->cap * 2 : 512;
	}
	return &t->entries[t->n++];
}

static bool is_same_unit(const struct tally *t, size_t a, size_t b)
{
	return strcmp(t->c->types[a].lead, t->c->types[b].lead) == 0;
}

static void count_scope(struct tally *t, const size_t *accepted, size_t said, bool type_right)
{
	bool is_out = t->c->types[accepted[0]].is_out, says_out = t->c->types[said].is_out;

	t->out_right += says_out && type_right;
	t->out_said += says_out;
	/* Out of scope by the surer labeller, and the answer was accepted as something else: not missed. */
	t->out_is += (is_out && !(type_right && !says_out)) || (says_out && type_right && !is_out);
}

void tally_add(struct tally *t, const size_t *accepted, size_t n_accepted, size_t said, double confidence, bool is_auto)
{
	struct tally_entry *e = t->failed ? NULL : new_entry(t);
	bool unit_right = false, type_right = false;

	if (!e)
		return;
	for (size_t i = 0; i < n_accepted; i++) {
		unit_right |= is_same_unit(t, accepted[i], said);
		type_right |= accepted[i] == said;
	}
	*e = (struct tally_entry){.confidence = confidence,
				  .is_right = unit_right,
				  .is_in_scope = !t->c->types[accepted[0]].is_out,
				  .is_sent = strcmp(t->c->types[said].lead, HOTLINE_UNIT) != 0,
				  .is_auto = is_auto};
	t->unit_right += unit_right;
	t->type_right += type_right;
	t->n_of[accepted[0]]++;
	t->said_of[said]++;
	t->right_of[said] += type_right;
	if (!type_right)
		t->confusion[accepted[0] * t->c->n_types + said]++;
	count_scope(t, accepted, said, type_right);
}

void tally_add_urgency(struct tally *t, enum hl_urgency is, enum hl_urgency said, bool is_test)
{
	if (is == HL_EMERGENCY) {
		t->n_emergencies++;
		t->recognised += said == HL_EMERGENCY ? 1 : said == HL_URGENT ? 0.5 : 0;
	} else if (is_test) {
		t->n_alikes++;
		t->false_alarms += said == HL_EMERGENCY;
	}
}

static int by_confidence(const void *a, const void *b)
{
	double x = ((const struct tally_entry *)a)->confidence, y = ((const struct tally_entry *)b)->confidence;

	return x > y ? -1 : x < y;
}

static size_t n_in_scope(const struct tally *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->entries[i].is_in_scope;
	return n;
}

double tally_coverage(const struct tally *t, double precision, double *bound_r)
{
	size_t sent = 0, right = 0, covered = 0, best = 0;

	*bound_r = 1;
	qsort(t->entries, t->n, sizeof(*t->entries), by_confidence);
	for (size_t i = 0; i < t->n; i++) {
		const struct tally_entry *e = &t->entries[i];

		if (!e->is_sent)
			continue;
		sent++;
		right += e->is_right;
		covered += e->is_right && e->is_in_scope;
		if (sent >= ENTRIES_LEAST && (double)right >= precision * (double)sent) {
			best = covered;
			*bound_r = e->confidence;
		}
	}
	return t->n ? (double)best / (double)(n_in_scope(t) ? n_in_scope(t) : 1) : 0;
}

void tally_interval(double right, size_t n, double *low_r, double *high_r)
{
	double m = n ? (double)n : 1, p = right / m, z2 = Z95 * Z95;
	double middle = (p + z2 / (2 * m)) / (1 + z2 / m);
	double half = Z95 * sqrt(p * (1 - p) / m + z2 / (4 * m * m)) / (1 + z2 / m);

	*low_r = fmax(0, middle - half);
	*high_r = fmin(1, middle + half);
}

static double f1_of_out(const struct tally *t)
{
	size_t sum = t->out_said + t->out_is;

	return sum ? 2.0 * (double)t->out_right / (double)sum : 0;
}

/* What goes out without a person at the shipped bound: share of in-scope texts, and how often the unit is right. */
static double auto_share(const struct tally *t, size_t *n_r, size_t *right_r)
{
	size_t covered = 0;

	*n_r = *right_r = 0;
	for (size_t i = 0; i < t->n; i++) {
		const struct tally_entry *e = &t->entries[i];

		if (!e->is_auto || !e->is_sent)
			continue;
		++*n_r;
		*right_r += e->is_right;
		covered += e->is_right && e->is_in_scope;
	}
	return n_in_scope(t) ? (double)covered / (double)n_in_scope(t) : 0;
}

double tally_figure(const struct tally *t, enum tally_measure of, size_t *n_r)
{
	size_t n_auto, right, scope = n_in_scope(t);
	double bound, share = auto_share(t, &n_auto, &right);

	switch (of) {
	case TALLY_UNIT:
		*n_r = t->n;
		return (double)t->unit_right;
	case TALLY_TYPE:
		*n_r = t->n;
		return (double)t->type_right;
	case TALLY_OUT_F1:
		*n_r = (t->out_said + t->out_is + 1) / 2;
		return f1_of_out(t) * (double)*n_r;
	case TALLY_COVERAGE:
		*n_r = scope;
		return tally_coverage(t, TALLY_PRECISION, &bound) * (double)scope;
	case TALLY_AUTO:
		*n_r = scope;
		return share * (double)scope;
	case TALLY_AUTO_RIGHT:
		*n_r = n_auto;
		return (double)right;
	case TALLY_EMERGENCIES:
		*n_r = t->n_emergencies;
		return t->recognised;
	default:
		*n_r = t->n_alikes;
		return (double)t->false_alarms;
	}
}

void tally_print_share(const struct tally *t, enum tally_measure of, FILE *out)
{
	size_t n;
	double low, high, right = tally_figure(t, of, &n);

	if (n == 0) {
		fputs(" - |", out);
		return;
	}
	tally_interval(right, n, &low, &high);
	fprintf(out, " %.3f (%.3f-%.3f) of %zu |", right / (double)n, low, high, n);
}

void tally_print_head(FILE *out)
{
	fputs("| system | n | lead unit right | case type right | F1 of OUT-0 | coverage at 95 % | automatic: share | "
	      "automatic: unit right | emergencies | look-alikes |\n|---|---|---|---|---|---|---|---|---|---|\n",
	      out);
}

void tally_print(const struct tally *t, const char *name, FILE *out)
{
	fprintf(out, "| %s | %zu |", name, t->n);
	for (int of = 0; of < TALLY_MEASURES; of++)
		tally_print_share(t, (enum tally_measure)of, out);
	fputc('\n', out);
}

static void set_share(json_t *o, const char *name, double right, size_t n)
{
	double low, high;

	tally_interval(right, n, &low, &high);
	json_object_set_new(o, name,
			    json_pack("{s:f, s:I, s:f, s:f}", "share", n ? right / (double)n : 0, "n", (json_int_t)n,
				      "low", low, "high", high));
}

json_t *tally_json(const struct tally *t)
{
	json_t *o = json_object();
	size_t n_auto, right;
	double bound, share = auto_share(t, &n_auto, &right);

	set_share(o, "unit", (double)t->unit_right, t->n);
	set_share(o, "type", (double)t->type_right, t->n);
	json_object_set_new(o, "f1_out", json_real(f1_of_out(t)));
	json_object_set_new(o, "coverage_95", json_real(tally_coverage(t, TALLY_PRECISION, &bound)));
	json_object_set_new(o, "auto_share", json_real(share));
	set_share(o, "auto_unit", (double)right, n_auto);
	set_share(o, "emergencies", t->recognised, t->n_emergencies);
	set_share(o, "look_alikes", (double)t->false_alarms, t->n_alikes);
	return o;
}

void tally_print_types(const struct tally *t, FILE *out)
{
	fputs("| type | n | said | precision | recall |\n|---|---|---|---|---|\n", out);
	for (size_t i = 0; i < t->c->n_types; i++) {
		size_t missed = 0;

		for (size_t k = 0; k < t->c->n_types; k++)
			missed += t->confusion[i * t->c->n_types + k];
		fprintf(out, "| %s | %zu | %zu | %.2f | %.2f |\n", t->c->types[i].code, t->n_of[i], t->said_of[i],
			t->said_of[i] ? (double)t->right_of[i] / (double)t->said_of[i] : 0,
			t->n_of[i] ? (double)(t->n_of[i] - missed) / (double)t->n_of[i] : 0);
	}
}

void tally_print_confusion(const struct tally *t, size_t n, FILE *out)
{
	size_t n_cells = t->c->n_types * t->c->n_types;

	fputs("| is | was called | times |\n|---|---|---|\n", out);
	for (size_t last = SIZE_MAX, printed = 0; printed < n && last;) {
		size_t next = 0;

		for (size_t i = 0; i < n_cells; i++)
			if (t->confusion[i] < last && t->confusion[i] > next)
				next = t->confusion[i];
		for (size_t i = 0; i < n_cells && next; i++)
			if (t->confusion[i] == next && printed++ < n)
				fprintf(out, "| %s | %s | %zu |\n", t->c->types[i / t->c->n_types].code,
					t->c->types[i % t->c->n_types].code, next);
		last = next;
	}
}

void tally_print_reliability(const struct tally *t, FILE *out)
{
	fputs("| confidence | n | mean confidence | lead unit right |\n|---|---|---|---|\n", out);
	for (int b = 0; b < 10; b++) {
		size_t n = 0, right = 0;
		double sum = 0;

		for (size_t i = 0; i < t->n; i++) {
			double p = t->entries[i].confidence;

			if ((int)fmin(9, floor(p * 10)) != b)
				continue;
			n++;
			right += t->entries[i].is_right;
			sum += p;
		}
		if (n)
			fprintf(out, "| %.1f-%.1f | %zu | %.3f | %.3f |\n", b / 10.0, (b + 1) / 10.0, n,
				sum / (double)n, (double)right / (double)n);
	}
}
