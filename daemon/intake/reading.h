/* reading.h - one text as the classifier reads it: title and rest, phrases seen, points; internal to the classifier
 *
 * The title is the first line; a text of one line is its own title while it is short, else its first
 * sentence is (titles say what a message is about, the rest is detail).
 */
#ifndef INTAKE_READING_H
#define INTAKE_READING_H

#include "intake/rules.h"

/* Where a group was seen first, as byte offsets in the folded text. */
struct hl_mark {
	uint32_t start, end;
	bool is_seen;
};

struct hl_reading {
	const struct hl_classifier *c;
	struct hl_arena *arena;
	struct hl_slice text; /* folded, without blanks */
	size_t title_len;     /* bytes of it that are the title */
	bool has_body;        /* the title was a line of its own */
	size_t n_runes;
	struct hl_mark *marks; /* per group */
	double *points;        /* per type */
};

/* hl_read - fills *r from a clean UTF-8 text; only its first 4,000 code points count.
 * Takes   r->c and r->arena set. Gives  false when the arena failed. Cost O(length) */
bool hl_read(struct hl_reading *r, struct hl_slice text);

/* hl_rule_matches - all groups of the rule were seen and the forbidden one was not; in_title: in the title alone. */
bool hl_rule_matches(const struct hl_reading *r, const struct hl_rule *rule, bool in_title);

/* hl_points_strength - of the points for a type, 0 to 1: halved when another unit's are as many, less when they are
 * more. */
double hl_points_strength(const struct hl_classifier *c, const double *points, size_t type);

#endif
