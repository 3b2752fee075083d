/* place_parts.h - building, unit and room as residents write them; internal to the place finder */
#ifndef INTAKE_PLACE_PARTS_H
#define INTAKE_PLACE_PARTS_H

#include "hotline/arena.h"

struct hl_place_parts {
	const char *building, *unit_no, *room; /* "3", "B", "2", "501"; NULL when not named */
	size_t start;                          /* byte offset of the first part */
};

/* hl_place_parts_find - the first building in the text, with the unit and room behind it; else the first unit.
 * Takes   text: tight (hl_fold_tight). from: where to begin. is_after_name: a compound's name ends at `from`,
 *         so that "7-3" right behind it is building 7, unit 3.
 * Gives   false when nothing was found; strings live in the arena
 * Cost    O(length) */
bool hl_place_parts_find(struct hl_slice text, size_t from, bool is_after_name, struct hl_arena *arena,
			 struct hl_place_parts *out_r);

#endif
