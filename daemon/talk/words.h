/* words.h (private) - a text as runes to match in, and the small pattern language of the grammar
 *
 * Runes are folded code points (full width to ASCII, lower case, traditional verbs to simplified)
 * without blanks and invisible characters; each knows its bytes in the source, and whether a
 * blank stood before it, so that "签 收" matches "签收" and what is cut out reads as it was written.
 */
#ifndef TALK_WORDS_H
#define TALK_WORDS_H

#include "grammar.h"
#include "hotline/arena.h"

#define TALK_CODE 0xE000u /* a rune that stands for a code; private use, folded away when typed */

struct rune {
	uint32_t cp;
	uint32_t from, to; /* bytes in the source */
	bool has_gap;      /* a blank or line end stood before it */
	bool is_line;      /* a line end stood before it */
};

struct span {
	size_t from, to;
};

/* One list matches here, up to there. Links are positions plus 1. */
struct hit {
	uint32_t from, to, list;
	uint32_t next_here;    /* of a list before */
	uint32_t next_of_list; /* further on in the text */
};

struct words {
	struct hl_slice source;
	const struct hl_grammar *grammar;
	struct rune *runes;
	size_t n;
	size_t head; /* behind greetings, 回复, code: where a command stands */
	/* What words_scan found; NULL before. */
	struct hit *hits;
	uint32_t n_hits, cap_hits;
	uint32_t *here, *of_list; /* first hit at a rune, of a list; plus 1 */
};

/* words_read - folds a text. Gives no runes when the arena failed. */
void words_read(struct words *w, const struct hl_grammar *grammar, struct hl_slice text, struct hl_arena *arena);

/* words_scan - looks for the whole grammar at once, which makes the functions below fast. The runes and the head must
 * not change any more. Without memory they stay slow and right.
 * Cost   O(runes * patterns that start with such a rune) */
void words_scan(struct words *w, struct hl_arena *arena);

/* A mark that ends a clause; brackets and quotes do not. */
bool rune_is_mark(uint32_t cp);
/* A letter, digit or ideograph: something said. */
bool rune_is_word(uint32_t cp);

/* 0 to 10 for a digit or a Chinese numeral, -1 for all else. */
int rune_numeral(uint32_t cp);

/* Does a clause start (end) at this rune? Marks, blanks, codes and the ends of the text bound clauses. */
bool words_starts_clause(const struct words *w, size_t at);
bool words_ends_clause(const struct words *w, size_t at);
/* The stretch around a rune between marks; blanks and codes do not bound it. */
struct span words_sentence(const struct words *w, size_t at);

/* words_match - does one of the cue's patterns match at this rune?
 * In a pattern: # a code; ^ at the head; < at a clause's start; > at a clause's end; $ nothing but marks
 * follows; ~ up to 6 runes without a mark; [xyz] one of these; {xyz} one of these follows; @ a unit's name of up to 10
 * runes; = no blank before the next rune. All else stands for itself. Exceptions are not looked at here. Gives   true
 * and the rune behind the longest match; false leaves *end_r alone */
bool words_match(const struct words *w, size_t at, enum talk_cue cue, size_t *end_r);
/* words_match_exception - the same for the patterns of which an occurrence does not count. */
bool words_match_exception(const struct words *w, size_t at, enum talk_cue cue, size_t *end_r);

/* words_find - the first match that starts in a span, the longest there, or false. */
bool words_find(const struct words *w, struct span in, enum talk_cue cue, struct span *found_r);
bool words_have(const struct words *w, enum talk_cue cue);

/* words_find_head - sets head: behind openers, codes and marks. */
void words_find_head(struct words *w);

/* words_cut - the source text of a span, without marks and blanks at its ends. borrows. */
struct hl_slice words_cut(const struct words *w, struct span s);

#endif
