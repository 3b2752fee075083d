/* words.c - folding a text into runes and matching patterns in them (contract in words.h)
 *
 * Pure. Each pattern is tried where its first rune stands (words_index): the grammar is longer than nearly
 * every text, so it is walked once per look, not once per rune.
 * Limits: a pattern that fails costs at most 7 tries per ~ in it; a sentence reaches 60 runes to either
 * side, so that a long text without marks costs no more than one with them.
 */
#include "words.h"

#include "grammar.h"
#include "hotline/text.h"

#include <string.h>

#define GAP_MAX        6
#define UNIT_MAX       10
#define SENTENCE_REACH 60

/* ---- reading -------------------------------------------------------------- */

static uint32_t fold(uint32_t cp)
{
	if (cp >= 0xFF01 && cp <= 0xFF5E)
		cp -= 0xFEE0;
	if (cp >= 'A' && cp <= 'Z')
		return cp + ('a' - 'A');
	if (cp >= 0x2460 && cp <= 0x2468) /* circled digits */
		return '1' + cp - 0x2460;
	return talk_simplified(cp);
}

static bool is_blank(uint32_t cp)
{
	return cp == ' ' || cp == '\t' || cp == '\n' || cp == '\r' || cp == 0xA0 || cp == 0x3000 ||
	       (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 || cp == 0x2029;
}

/* Zero-width blanks and joiners, direction marks, variation selectors, and our own mark for a code. */
static bool is_invisible(uint32_t cp)
{
	return (cp >= 0x200B && cp <= 0x200F) || (cp >= 0x202A && cp <= 0x202E) || cp == 0x2060 || cp == 0xFEFF ||
	       (cp >= 0xFE00 && cp <= 0xFE0F) || cp == 0xAD || cp == TALK_CODE || cp == '#';
}

void words_read(struct words *w, struct hl_slice text, struct hl_arena *arena)
{
	bool has_gap = true, is_line = true;

	*w = (struct words){.source = text, .runes = hl_arena_array(arena, text.len + 1, sizeof(struct rune))};
	if (!w->runes)
		return;
	for (size_t pos = 0; pos < text.len;) {
		size_t from = pos;
		uint32_t cp = hl_text_next(text, &pos);

		if (is_blank(cp)) {
			has_gap = true;
			is_line |= cp == '\n' || cp == '\r' || cp == 0x2028 || cp == 0x2029;
		} else if (!is_invisible(cp)) {
			w->runes[w->n++] = (struct rune){fold(cp), (uint32_t)from, (uint32_t)pos, has_gap, is_line};
			has_gap = is_line = false;
		}
	}
}

void words_index(struct words *w, struct hl_arena *arena)
{
	uint32_t *next = hl_arena_array(arena, w->n + 1, sizeof(*next));

	if (!next)
		return;
	memset(w->first, 0, sizeof(w->first));
	for (size_t i = w->n; i-- > 0;) {
		uint32_t *slot = &w->first[w->runes[i].cp % WORDS_SLOTS];

		next[i] = *slot;
		*slot = (uint32_t)i + 1;
	}
	w->next = next;
}

bool rune_is_mark(uint32_t cp)
{
	static const uint32_t marks[] = {',',    '.', '!',    '?', ';', ':',  0x3001,
					 0x3002, '~', 0x2026, '/', '|', 0xB7, 0x2014};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (cp == marks[i])
			return true;
	return false;
}

bool rune_is_word(uint32_t cp)
{
	return (cp >= '0' && cp <= '9') || (cp >= 'a' && cp <= 'z') || (cp >= 0xC0 && cp < 0x2000) || cp == 0x3007 ||
	       (cp >= 0x3400 && cp <= 0x9FFF) || cp == TALK_CODE || (cp >= 0x20000 && cp < 0x30000);
}

bool words_starts_clause(const struct words *w, size_t at)
{
	return at == 0 || at >= w->n || w->runes[at].has_gap || !rune_is_word(w->runes[at - 1].cp) ||
	       w->runes[at - 1].cp == TALK_CODE;
}

bool words_ends_clause(const struct words *w, size_t at)
{
	return at >= w->n || w->runes[at].has_gap || !rune_is_word(w->runes[at].cp) || w->runes[at].cp == TALK_CODE;
}

struct span words_sentence(const struct words *w, size_t at)
{
	struct span s = {at, at};

	while (s.from > 0 && at - s.from < SENTENCE_REACH && !rune_is_mark(w->runes[s.from - 1].cp) &&
	       !w->runes[s.from].is_line)
		s.from--;
	while (s.to < w->n && s.to - at < SENTENCE_REACH && !rune_is_mark(w->runes[s.to].cp) &&
	       (s.to == at || !w->runes[s.to].is_line))
		s.to++;
	return s;
}

/* ---- matching ------------------------------------------------------------- */

static bool match_here(const struct words *w, size_t at, struct hl_slice pattern, size_t *end_r);

static bool only_marks_follow(const struct words *w, size_t at)
{
	while (at < w->n && !rune_is_word(w->runes[at].cp))
		at++;
	return at >= w->n;
}

/* The rest of the pattern after up to max runes that are no marks. */
static bool match_gap(const struct words *w, size_t at, size_t max, struct hl_slice rest, size_t *end_r)
{
	for (size_t n = 0; n <= max; n++) {
		if (match_here(w, at + n, rest, end_r))
			return true;
		if (at + n >= w->n || rune_is_mark(w->runes[at + n].cp))
			return false;
	}
	return false;
}

static bool match_unit(const struct words *w, size_t at, struct hl_slice rest, size_t *end_r)
{
	for (size_t n = 0; n < UNIT_MAX; n++) {
		size_t end;

		if (at + n >= w->n || rune_is_mark(w->runes[at + n].cp) || w->runes[at + n].cp == TALK_CODE)
			return false;
		if (words_match(w, at + n, talk_grammar.units, &end) && match_here(w, end, rest, end_r))
			return true;
	}
	return false;
}

static bool match_set(const struct words *w, size_t at, struct hl_slice pattern, size_t *end_r)
{
	struct hl_slice set, rest;
	bool is_in = false;

	hl_slice_cut(pattern, ']', &set, &rest);
	if (at >= w->n)
		return false;
	for (size_t pos = 0; pos < set.len;)
		is_in |= hl_text_next(set, &pos) == w->runes[at].cp;
	return is_in && match_here(w, at + 1, rest, end_r);
}

static bool is_condition_met(const struct words *w, size_t at, uint32_t cp)
{
	switch (cp) {
	case '^':
		return at == w->head;
	case '<':
		return words_starts_clause(w, at);
	case '>':
		return words_ends_clause(w, at);
	case '$':
		return only_marks_follow(w, at);
	default:
		return at < w->n && !w->runes[at].has_gap;
	}
}

static bool match_here(const struct words *w, size_t at, struct hl_slice pattern, size_t *end_r)
{
	while (pattern.len > 0) {
		size_t pos = 0;
		uint32_t cp = hl_text_next(pattern, &pos);
		struct hl_slice rest = {pattern.ptr + pos, pattern.len - pos};

		if (cp == '~')
			return match_gap(w, at, GAP_MAX, rest, end_r);
		if (cp == '@')
			return match_unit(w, at, rest, end_r);
		if (cp == '[')
			return match_set(w, at, rest, end_r);
		if (cp == '^' || cp == '<' || cp == '>' || cp == '$' || cp == '=') {
			if (!is_condition_met(w, at, cp))
				return false;
		} else {
			if (at >= w->n || w->runes[at].cp != (cp == '#' ? TALK_CODE : cp))
				return false;
			at++;
		}
		pattern = rest;
	}
	*end_r = at;
	return true;
}

/* The next pattern of a list, or false at its end. */
static bool next_pattern(const char **list, struct hl_slice *pattern_r)
{
	*list += strspn(*list, " ");
	*pattern_r = (struct hl_slice){*list, strcspn(*list, " ")};
	*list += pattern_r->len;
	return pattern_r->len > 0;
}

bool words_match(const struct words *w, size_t at, const char *patterns, size_t *end_r)
{
	bool is_found = false;
	struct hl_slice pattern;
	size_t longest = 0, end;

	while (next_pattern(&patterns, &pattern))
		if (match_here(w, at, pattern, &end) && (!is_found || end > longest)) {
			is_found = true;
			longest = end;
		}
	if (is_found)
		*end_r = longest;
	return is_found;
}

/* The rune every match of a pattern starts with; 0: it may start with any. */
static uint32_t first_rune(struct hl_slice pattern)
{
	size_t pos = 0;
	uint32_t cp;

	do
		cp = hl_text_next(pattern, &pos);
	while ((cp == '^' || cp == '<' || cp == '=') && pos < pattern.len);
	if (cp == '#')
		return TALK_CODE;
	return cp < 0x80 && strchr("~@[>$^<=", (int)cp) ? 0 : cp;
}

/* First match of one pattern that starts in the span. */
static bool find_pattern(const struct words *w, struct span in, struct hl_slice pattern, struct span *found_r)
{
	uint32_t cp = w->next ? first_rune(pattern) : 0;
	size_t at = cp ? w->first[cp % WORDS_SLOTS] : in.from + 1;

	for (; at > 0 && at <= in.to; at = cp ? w->next[at - 1] : at + 1)
		if (at > in.from && match_here(w, at - 1, pattern, &found_r->to)) {
			found_r->from = at - 1;
			return true;
		}
	return false;
}

bool words_find(const struct words *w, struct span in, const char *patterns, struct span *found_r)
{
	bool is_found = false;
	struct hl_slice pattern;
	struct span s;

	while (next_pattern(&patterns, &pattern)) {
		if (!find_pattern(w, in, pattern, &s) || (is_found && s.from == found_r->from && s.to <= found_r->to))
			continue;
		*found_r = s;
		is_found = true;
		in.to = s.from + 1; /* later matches do not matter any more */
	}
	return is_found;
}

bool words_have(const struct words *w, const char *patterns)
{
	struct span found;

	return words_find(w, (struct span){0, w->n}, patterns, &found);
}

void words_find_head(struct words *w)
{
	w->head = 0;
	while (w->head < w->n) {
		if (w->runes[w->head].cp == TALK_CODE || !rune_is_word(w->runes[w->head].cp))
			w->head++;
		else if (!words_match(w, w->head, talk_grammar.openers, &w->head))
			break;
	}
}

/* ---- cutting -------------------------------------------------------------- */

struct hl_slice words_cut(const struct words *w, struct span s)
{
	while (s.from < s.to && !rune_is_word(w->runes[s.from].cp))
		s.from++;
	while (s.to > s.from && !rune_is_word(w->runes[s.to - 1].cp))
		s.to--;
	if (s.from >= s.to)
		return HL_LIT("");
	return (struct hl_slice){w->source.ptr + w->runes[s.from].from, w->runes[s.to - 1].to - w->runes[s.from].from};
}
