/* grammar.h (private) - the words officers and residents use, compiled for matching
 *
 * The words are data (schema/ref/grammar.json); their names are here (cues.def). Patterns are written as
 * words.h says. Must not know: what follows from a cue (say_*.c).
 */
#ifndef TALK_GRAMMAR_H
#define TALK_GRAMMAR_H

#include "hotline/talk.h"

#include <stdint.h>

/* Something a text can say. An occurrence that overlaps one of its exceptions does not count as the cue. */
enum talk_cue {
#define CUE(name) CUE_##name,
#include "cues.def"
#undef CUE
	TALK_CUES,
};

/* A cue has two lists of patterns. */
#define LIST_WORDS(cue)  ((unsigned)(cue)*2)
#define LIST_EXCEPT(cue) ((unsigned)(cue)*2 + 1)
#define LISTS            ((unsigned)TALK_CUES * 2)

/* What a pattern is made of: runes, and these. OP_SET and OP_AHEAD are followed by a count and so many runes. */
enum pattern_op {
	OP_END = 0x110000,
	OP_SET,    /* [xyz] */
	OP_AHEAD,  /* {xyz} */
	OP_GAP,    /* ~ */
	OP_UNIT,   /* @ */
	OP_HEAD,   /* ^ */
	OP_STARTS, /* < */
	OP_ENDS,   /* > */
	OP_LAST,   /* $ */
	OP_GLUED,  /* = */
};

/* A pattern among those whose first rune is the same, in the order of their lists. second: the rune that must follow
 * the first one, 0: it is not that simple. */
struct candidate {
	uint32_t rune, second, list, ops;
};

struct rune_map {
	uint32_t *keys, *values; /* key 0: free */
	uint32_t mask;
};

struct hl_grammar {
	uint32_t *ops;
	size_t n_ops;
	struct candidate *candidates; /* the last one has rune 0 */
	size_t n_candidates;
	struct rune_map first;      /* rune -> its first candidate, plus 1 */
	struct rune_map simplified; /* traditional -> simplified rune */
};

/* The value of a rune, 0: none. */
uint32_t rune_map_get(const struct rune_map *map, uint32_t rune);

#endif
