/* tight.h - the form in which phrases and names are compared; pure, internal to intake */
#ifndef INTAKE_TIGHT_H
#define INTAKE_TIGHT_H

#include "hotline/arena.h"

/* hl_fold_tight - hl_text_fold without what only stands between the characters of a word: blanks (except between two
 * ASCII letters or digits), emoji and other pictures, and marks that keep ideographs apart one by one ("a.b.c").
 * Gives   text in the arena; the empty slice when the arena failed. Cost O(length) */
struct hl_slice hl_fold_tight(struct hl_arena *arena, struct hl_slice text);

#endif
