/* split.c - what the sender typed, apart from what a phone quoted (contract in parts.h)
 *
 * Pure. Only what was typed counts; an echoed notice lists every verb there is. A notice is known by its
 * wording (grammar: notice), by the hotline's signature 【】, by quote marks around it, by > in front of
 * the line, and by a ruler that follows or precedes it.
 * Limits: a notice reworded by hand is taken for typed text, and then asked back.
 */
#include "parts.h"

#include "grammar.h"

#define SIGNATURE_MAX 16
#define RULER_MIN     3

struct splitting {
	const struct words *all;
	bool *is_quoted;
};

static void quote(struct splitting *s, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		s->is_quoted[i] = true;
}

static size_t line_end(const struct words *w, size_t at)
{
	for (at++; at < w->n && !w->runes[at].is_line; at++)
		;
	return at < w->n ? at : w->n;
}

static bool find_in(const struct words *w, size_t from, size_t to, enum talk_cue cue, struct span *found_r)
{
	return words_find(w, (struct span){from, to}, cue, found_r);
}

static bool is_ruler_rune(uint32_t cp)
{
	return cp == '-' || cp == '=' || cp == '_' || cp == '*' || cp == 0x2014 || cp == 0x2500;
}

static bool is_ruler(const struct words *w, size_t from, size_t to)
{
	size_t n = 0;

	while (from + n < to && is_ruler_rune(w->runes[from + n].cp))
		n++;
	return n >= RULER_MIN;
}

/* 【物业热线】: a signature that is ours. Gives the rune behind it, or 0. */
static size_t our_signature(const struct words *w, size_t at, size_t to)
{
	struct span found;
	size_t end;

	if (w->runes[at].cp != 0x3010)
		return 0;
	for (end = at; end < to && end < at + SIGNATURE_MAX && w->runes[end].cp != 0x3011; end++)
		;
	return end < to && w->runes[end].cp == 0x3011 && find_in(w, at, end, CUE_own_names, &found) ? end + 1 : 0;
}

/* Where a notice starts in a line, or to. A quote mark in front belongs to it. */
static size_t notice_start(const struct words *w, size_t from, size_t to)
{
	struct span found;
	size_t at = from;

	while (at < to && !our_signature(w, at, to))
		at++;
	if (at == to && find_in(w, from, to, CUE_notice, &found)) {
		at = from;
		while (at < found.from && words_match(w, at, CUE_before_notice, &at))
			;
	}
	return at;
}

/* Behind the last thing a notice says: what follows was typed on the same line. */
static size_t notice_end(const struct words *w, size_t from, size_t to)
{
	size_t end = to, at = from;
	struct span found;

	while (find_in(w, at, to, CUE_notice_end, &found)) {
		end = found.to;
		at = found.from + 1;
	}
	while (end < to && !rune_is_word(w->runes[end].cp))
		end++;
	return words_match(w, end, CUE_notice_tail, &at) ? to : end;
}

static uint32_t closing_of(uint32_t cp)
{
	static const uint32_t pairs[][2] = {{0x300C, 0x300D}, {0x300E, 0x300F}, {0x201C, 0x201D}, {'"', '"'}};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (pairs[i][0] == cp)
			return pairs[i][1];
	return 0;
}

/* 「notice」 over one or several lines. Gives the rune behind it, or 0. */
static size_t quoted_notice(const struct words *w, size_t at)
{
	uint32_t closing = closing_of(w->runes[at].cp);
	size_t end = closing ? w->n : 0;
	struct span found;

	while (end > at + 1 && w->runes[end - 1].cp != closing)
		end--;
	if (end <= at + 1)
		return 0;
	return notice_start(w, at + 1, end) < end || find_in(w, at, end, CUE_notice, &found) ? end : 0;
}

static void split_line(struct splitting *s, size_t from, size_t to)
{
	const struct words *w = s->all;
	size_t at = notice_start(w, from, to), end;

	if (w->runes[from].cp == '>') {
		quote(s, from, to);
	} else if (at < to) {
		end = at > from ? quoted_notice(w, at - 1) : quoted_notice(w, at);
		if (end > at && at > from)
			at--;
		quote(s, at, end > at && end <= to ? end : notice_end(w, at, to));
	}
}

static bool has_typed_word(const struct splitting *s, size_t to)
{
	for (size_t i = 0; i < to; i++)
		if (!s->is_quoted[i] && rune_is_word(s->all->runes[i].cp))
			return true;
	return false;
}

static void mark(struct splitting *s)
{
	const struct words *w = s->all;
	size_t at = 0, end;

	while (at < w->n) {
		size_t to = line_end(w, at);

		if (!s->is_quoted[at] && (end = quoted_notice(w, at)) > to)
			quote(s, at, to = end);
		else if (is_ruler(w, at, to))
			quote(s, at, to = has_typed_word(s, at) ? w->n : to);
		else if (words_match(w, at, CUE_original, &end))
			quote(s, at, to = w->n);
		else
			split_line(s, at, to);
		at = to;
	}
}

void parts_split(struct words *typed, struct words *quoted, struct hl_arena *arena)
{
	struct words all = *typed;
	struct splitting s = {&all, hl_arena_array(arena, all.n + 1, sizeof(bool))};
	bool was_quoted = false;

	*quoted = (struct words){.source = all.source,
				 .grammar = all.grammar,
				 .runes = hl_arena_array(arena, all.n + 1, sizeof(struct rune))};
	if (!s.is_quoted || !quoted->runes)
		return;
	mark(&s);
	typed->n = 0;
	for (size_t i = 0; i < all.n; i++) {
		struct words *into = s.is_quoted[i] ? quoted : typed;
		struct rune r = all.runes[i];

		/* Where a quote was taken out, clauses must not grow together. */
		r.has_gap |= s.is_quoted[i] != was_quoted;
		was_quoted = s.is_quoted[i];
		into->runes[into->n++] = r;
	}
}
