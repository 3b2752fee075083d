/* tally.h (private to daemon/ctl) - counts how often decisions on labelled texts were right, and prints it
 *
 * Where a text has several accepted types any of them is right. Units are compared as groups: the three
 * subdistricts are one, the two gas companies are one.
 */
#ifndef CTL_TALLY_H
#define CTL_TALLY_H

#include "intake/rules.h"

#include <stdio.h>

#define TALLY_PRECISION 0.95 /* of the lead unit, wanted of what is dispatched without a person */

struct tally_entry {
	double confidence;
	bool is_right; /* the lead unit */
	bool is_in_scope, is_sent /* a unit would get it */, is_auto;
};

struct tally {
	const struct hl_classifier *c;
	struct tally_entry *entries;
	size_t n, cap;
	size_t unit_right, type_right;
	size_t out_right, out_said, out_is; /* OUT-0: rightly said, said, true */
	size_t n_emergencies, n_alikes, false_alarms;
	double recognised;                 /* emergencies; called urgent counts half */
	size_t *n_of, *said_of, *right_of; /* per type */
	size_t *confusion;                 /* [main type * n_types + said] */
	bool failed;                       /* no memory */
};

void tally_init(struct tally *t, const struct hl_classifier *c);
void tally_fini(struct tally *t);

/* tally_add - accepted[0] is the main type. */
void tally_add(struct tally *t, const size_t *accepted, size_t n_accepted, size_t said, double confidence,
	       bool is_auto);
/* tally_add_urgency - is_test: the text was written to test urgency, so that one that is none is a look-alike. */
void tally_add_urgency(struct tally *t, enum hl_urgency is, enum hl_urgency said, bool is_test);

/* tally_coverage - largest share of in-scope texts that can go to a unit at the wanted precision, and the confidence
 * from which they do. */
double tally_coverage(const struct tally *t, double precision, double *bound_r);

/* The figures of the bars, each a share of n texts. F1 is the share of right ones among half of what is and what was
 * called out of scope; coverage is at TALLY_PRECISION, auto at the shipped bound. */
enum tally_measure {
	TALLY_UNIT,
	TALLY_TYPE,
	TALLY_OUT_F1,
	TALLY_COVERAGE,
	TALLY_AUTO,
	TALLY_AUTO_RIGHT,
	TALLY_EMERGENCIES,
	TALLY_ALIKES,
	TALLY_MEASURES
};
double tally_figure(const struct tally *t, enum tally_measure of, size_t *n_r);
/* tally_print_share - " 0.861 (0.824-0.892) of 400 |", " - |" of none. */
void tally_print_share(const struct tally *t, enum tally_measure of, FILE *out);

/* One row of the table of figures; tally_print_head prints its head. */
void tally_print_head(FILE *out);
void tally_print(const struct tally *t, const char *name, FILE *out);
void tally_print_types(const struct tally *t, FILE *out);
void tally_print_confusion(const struct tally *t, size_t n, FILE *out);
void tally_print_reliability(const struct tally *t, FILE *out);
/* tally_json - the row as an object. gives. */
json_t *tally_json(const struct tally *t);

/* Wilson's interval for a share, 95 %. */
void tally_interval(double right, size_t n, double *low_r, double *high_r);

#endif
