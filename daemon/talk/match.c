/* match.c - finding the grammar's patterns in a text (contract in words.h)
 *
 * Pure. The text is scanned once, from its end, and every list that matches at a rune is noted there; later questions
 * only look at the notes. Before the scan (quotes and codes are still being found) the same patterns are tried where
 * they are asked for.
 * Limits: a pattern costs at most 7 tries per ~ in it and 10 per @.
 */
#include "words.h"

#include <string.h>

#define GAP_MAX  6
#define UNIT_MAX 10

static bool match_list(const struct words *w, size_t at, uint32_t list, size_t *end_r);
static bool match_here(const struct words *w, size_t at, const uint32_t *op, size_t *end_r);

static bool only_marks_follow(const struct words *w, size_t at)
{
	while (at < w->n && !rune_is_word(w->runes[at].cp))
		at++;
	return at >= w->n;
}

/* The rest of the pattern after up to GAP_MAX runes that are no marks. */
static bool match_gap(const struct words *w, size_t at, const uint32_t *rest, size_t *end_r)
{
	for (size_t n = 0; n <= GAP_MAX; n++) {
		if (match_here(w, at + n, rest, end_r))
			return true;
		if (at + n >= w->n || rune_is_mark(w->runes[at + n].cp))
			return false;
	}
	return false;
}

static bool match_unit(const struct words *w, size_t at, const uint32_t *rest, size_t *end_r)
{
	for (size_t n = 0; n < UNIT_MAX; n++) {
		size_t end;

		if (at + n >= w->n || rune_is_mark(w->runes[at + n].cp) || w->runes[at + n].cp == TALK_CODE)
			return false;
		if (match_list(w, at + n, LIST_WORDS(CUE_units), &end) && match_here(w, end, rest, end_r))
			return true;
	}
	return false;
}

static bool is_in_set(uint32_t cp, const uint32_t *set, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (set[i] == cp)
			return true;
	return false;
}

static bool is_condition_met(const struct words *w, size_t at, uint32_t op)
{
	switch (op) {
	case OP_HEAD:
		return at == w->head;
	case OP_STARTS:
		return words_starts_clause(w, at);
	case OP_ENDS:
		return words_ends_clause(w, at);
	case OP_LAST:
		return only_marks_follow(w, at);
	default:
		return at < w->n && !w->runes[at].has_gap;
	}
}

static bool match_here(const struct words *w, size_t at, const uint32_t *op, size_t *end_r)
{
	for (; *op != OP_END; op++) {
		if (*op < OP_END) {
			if (at >= w->n || w->runes[at].cp != *op)
				return false;
			at++;
		} else if (*op == OP_GAP) {
			return match_gap(w, at, op + 1, end_r);
		} else if (*op == OP_UNIT) {
			return match_unit(w, at, op + 1, end_r);
		} else if (*op == OP_SET || *op == OP_AHEAD) {
			if (at >= w->n || !is_in_set(w->runes[at].cp, op + 2, op[1]))
				return false;
			at += *op == OP_SET;
			op += 1 + op[1];
		} else if (!is_condition_met(w, at, *op)) {
			return false;
		}
	}
	*end_r = at;
	return true;
}

/* The longest match of the candidates of one list. Moves *c behind them. */
static bool match_candidates(const struct words *w, size_t at, const struct candidate **c, size_t *end_r)
{
	uint32_t rune = (*c)->rune, list = (*c)->list, next = at + 1 < w->n ? w->runes[at + 1].cp : 0;
	size_t longest = 0, end;

	for (; (*c)->rune == rune && (*c)->list == list; ++*c)
		if (((*c)->second == 0 || (*c)->second == next) &&
		    match_here(w, at, w->grammar->ops + (*c)->ops, &end) && end > longest)
			longest = end;
	if (longest > 0)
		*end_r = longest;
	return longest > 0;
}

static const struct candidate *candidates_at(const struct words *w, size_t at)
{
	uint32_t first = at < w->n ? rune_map_get(&w->grammar->first, w->runes[at].cp) : 0;

	return first ? &w->grammar->candidates[first - 1] : NULL;
}

static bool match_list(const struct words *w, size_t at, uint32_t list, size_t *end_r)
{
	const struct candidate *c;
	uint32_t rune;

	if (w->hits) {
		uint32_t hit = at < w->n ? w->here[at] : 0;

		while (hit && w->hits[hit - 1].list > list)
			hit = w->hits[hit - 1].next_here;
		if (!hit || w->hits[hit - 1].list != list)
			return false;
		*end_r = w->hits[hit - 1].to;
		return true;
	}
	c = candidates_at(w, at);
	if (!c)
		return false;
	for (rune = c->rune; c->rune == rune && c->list <= list; c++)
		if (c->list == list)
			return match_candidates(w, at, &c, end_r);
	return false;
}

/* ---- scan ------------------------------------------------------------------- */

static bool note(struct words *w, struct hl_arena *arena, struct hit hit)
{
	if (w->n_hits == w->cap_hits) {
		uint32_t cap = 2 * w->cap_hits;
		struct hit *hits = hl_arena_array(arena, cap, sizeof(*hits));

		if (!hits)
			return false;
		memcpy(hits, w->hits, w->n_hits * sizeof(*hits));
		w->hits = hits;
		w->cap_hits = cap;
	}
	hit.next_here = w->here[hit.from];
	hit.next_of_list = w->of_list[hit.list];
	w->hits[w->n_hits++] = hit;
	w->here[hit.from] = w->of_list[hit.list] = w->n_hits;
	return true;
}

/* Units come first among the lists, and what follows is known already: the lists with @ find both. */
static bool scan_rune(struct words *w, struct hl_arena *arena, size_t at)
{
	const struct candidate *c = candidates_at(w, at);
	uint32_t rune = c ? c->rune : 0;

	while (c && c->rune == rune) {
		struct hit hit = {.from = (uint32_t)at, .list = c->list};
		size_t end;

		if (!match_candidates(w, at, &c, &end))
			continue;
		hit.to = (uint32_t)end;
		if (!note(w, arena, hit))
			return false;
	}
	return true;
}

void words_scan(struct words *w, struct hl_arena *arena)
{
	w->cap_hits = (uint32_t)(4 * w->n + 16);
	w->here = hl_arena_array(arena, w->n + 1, sizeof(uint32_t));
	w->of_list = hl_arena_array(arena, LISTS, sizeof(uint32_t));
	w->hits = w->here && w->of_list ? hl_arena_array(arena, w->cap_hits, sizeof(struct hit)) : NULL;
	for (size_t at = w->n; at-- > 0 && w->hits;)
		if (!scan_rune(w, arena, at))
			w->hits = NULL;
}

/* ---- questions ---------------------------------------------------------------- */

bool words_match(const struct words *w, size_t at, enum talk_cue cue, size_t *end_r)
{
	return match_list(w, at, LIST_WORDS(cue), end_r);
}

bool words_match_exception(const struct words *w, size_t at, enum talk_cue cue, size_t *end_r)
{
	return match_list(w, at, LIST_EXCEPT(cue), end_r);
}

bool words_find(const struct words *w, struct span in, enum talk_cue cue, struct span *found_r)
{
	size_t end;

	if (w->hits && in.from == 0) {
		uint32_t first = w->of_list[LIST_WORDS(cue)];

		if (!first || w->hits[first - 1].from >= in.to)
			return false;
		*found_r = (struct span){w->hits[first - 1].from, w->hits[first - 1].to};
		return true;
	}
	if (w->hits && !w->of_list[LIST_WORDS(cue)])
		return false;
	for (size_t at = in.from; at < in.to; at++)
		if (words_match(w, at, cue, &end)) {
			*found_r = (struct span){at, end};
			return true;
		}
	return false;
}

bool words_have(const struct words *w, enum talk_cue cue)
{
	struct span found;

	return words_find(w, (struct span){0, w->n}, cue, &found);
}
