/* words.h (private) - a text as runes to match in, and the small pattern language of the grammar
 *
 * Runes are folded code points (full width to ASCII, lower case, traditional verbs to simplified)
 * without blanks and invisible characters; each knows its bytes in the source, and whether a
 * blank stood before it, so that "签 收" matches "签收" and what is cut out reads as it was written.
 */
#ifndef TALK_WORDS_H
#define TALK_WORDS_H

#include "hotline/arena.h"

#define TALK_CODE 0xE000u /* a rune that stands for a code; private use, folded away when typed */

struct rune {
	uint32_t cp;
	uint32_t from, to; /* bytes in the source */
	bool has_gap;      /* a blank or line end stood before it */
	bool is_line;      /* a line end stood before it */
};

#define WORDS_SLOTS 64

struct words {
	struct hl_slice source;
	struct rune *runes;
	size_t n;
	size_t head; /* behind greetings, 回复, code: where a command stands */
	/* Index: the runes of one slot (cp modulo WORDS_SLOTS) in order, as position + 1. NULL next: none yet. */
	uint32_t *next, first[WORDS_SLOTS];
};

struct span {
	size_t from, to;
};

/* words_read - folds a text. Gives no runes when the arena failed. */
void words_read(struct words *w, struct hl_slice text, struct hl_arena *arena);

/* words_index - makes words_find fast; the runes must not change any more. Without memory it stays slow and right. */
void words_index(struct words *w, struct hl_arena *arena);

/* A mark that ends a clause; brackets and quotes do not. */
bool rune_is_mark(uint32_t cp);
/* A letter, digit or ideograph: something said. */
bool rune_is_word(uint32_t cp);

/* Does a clause start (end) at this rune? Marks, blanks, codes and the ends of the text bound clauses. */
bool words_starts_clause(const struct words *w, size_t at);
bool words_ends_clause(const struct words *w, size_t at);
/* The stretch around a rune between marks; blanks and codes do not bound it. */
struct span words_sentence(const struct words *w, size_t at);

/* words_match - does one of the patterns match at this rune?
 * Takes   patterns: separated by blanks. In a pattern: # the code; ^ at the head; < at a clause's
 *         start; > at a clause's end; $ nothing but marks follows; ~ up to 6 runes without a mark;
 *         [xyz] one of these; @ a unit's name of up to 10 runes; = no blank before the next
 *         rune. All else stands for itself.
 * Gives   true and the rune behind the longest match; false leaves *end_r alone */
bool words_match(const struct words *w, size_t at, const char *patterns, size_t *end_r);

/* words_find - the first match that starts in a span, the longest there, or false.
 * Cost   indexed: the length of the patterns plus the runes they start with; else that length times the span */
bool words_find(const struct words *w, struct span in, const char *patterns, struct span *found_r);
bool words_have(const struct words *w, const char *patterns);

/* words_find_head - sets head: behind openers, codes and marks. */
void words_find_head(struct words *w);

/* words_cut - the source text of a span, without marks and blanks at its ends. borrows. */
struct hl_slice words_cut(const struct words *w, struct span s);

#endif
