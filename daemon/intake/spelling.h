/* spelling.h - words as they are misheard or mistyped, put right before rules and model read them; pure, internal to intake
 *
 * rules.json has "spellings": {word: [as it is heard or typed, ..]} and "kept": [words that only look like one of these].
 */
#ifndef INTAKE_SPELLING_H
#define INTAKE_SPELLING_H

#include "hotline/arena.h"
#include "hotline/error.h"
#include <jansson.h>

struct hl_spelling;

/* hl_spelling_new - Takes spellings, kept: NULL when the rules have none. gives.
 * Errors  HL_INPUT naming the word: no lists of strings, empty or too long, one form for two words; HL_NOMEM */
enum hl_class hl_spelling_new(const json_t *spellings, const json_t *kept, struct hl_spelling **out_r,
			      struct hl_error *err);
void hl_spelling_free(struct hl_spelling **spelling);
size_t hl_spelling_bytes(const struct hl_spelling *spelling);

/* hl_spelling_mend - a tight text with its words put right: the leftmost form, of those the longest; only the first 64.
 * Gives   the text itself when there is nothing to mend or the arena failed. Cost O(length) */
struct hl_slice hl_spelling_mend(const struct hl_spelling *spelling, struct hl_slice text, struct hl_arena *arena);

#endif
