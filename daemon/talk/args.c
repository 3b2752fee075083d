/* args.c - days, unit and reason, cut from what was typed (contract in cues.h); pure */
#include "cues.h"

#include "hotline/text.h"

#include <string.h>

/* 3, 10, 三, 十五, 二十: runes [at, *at). -1: no number, or no definite one: two digits of speech in a row (两三天). */
static int read_number(const struct words *w, size_t *at)
{
	int total = -1, n, last = -1;
	bool is_vague = false;

	for (; *at < w->n && (n = rune_numeral(w->runes[*at].cp)) >= 0; ++*at) {
		bool is_spoken = w->runes[*at].cp > 0x7F;

		is_vague |= (is_spoken && n < 10 && last >= 0 && last < 10) || total > 1000;
		if (is_vague)
			continue;
		if (total < 0)
			total = n;
		else if (n == 10 || !is_spoken)
			total = total * 10 + n % 10;
		else
			total += n;
		last = is_spoken ? n : -1;
	}
	return is_vague ? -1 : total;
}

static const struct {
	enum talk_cue cue;
	int days;
} spans[] = {
	{CUE_unit_day, 1},
	{CUE_unit_week, 7},
	{CUE_unit_month, 30},
};

static int unit_days(const struct words *w, size_t at, size_t *end_r)
{
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		if (words_match(w, at, spans[i].cue, end_r))
			return spans[i].days;
	return 0;
}

int talk_days(const struct words *w, struct span *found_r)
{
	for (size_t at = 0; at < w->n; at++) {
		size_t i = at, end;
		bool is_range = at > 0 && words_match(w, at - 1, CUE_range_before, &end);
		int n;

		if (words_match(w, at, CUE_half_month, &found_r->to) && !is_range) {
			found_r->from = at;
			return 15;
		}
		n = read_number(w, &i);
		if (n > 0 && !is_range && unit_days(w, i, &found_r->to) &&
		    !words_match(w, found_r->to, CUE_span_not_days, &end)) {
			found_r->from = at;
			return n * unit_days(w, i, &end);
		}
		if (i > at)
			at = i - 1;
	}
	return 0;
}

/* ---- unit -------------------------------------------------------------------- */

/* The name of a unit that starts here: up to ten runes that end as units' names do, the longest. */
static bool read_unit(const struct words *w, size_t at, struct span *found_r)
{
	*found_r = (struct span){at, at};
	for (size_t n = 0;
	     n < 10 && at + n < w->n && rune_is_word(w->runes[at + n].cp) && (n == 0 || !w->runes[at + n].has_gap);
	     n++) {
		size_t end;

		if (words_match(w, at + n, CUE_units, &end))
			found_r->to = end;
	}
	return found_r->to > at;
}

struct hl_slice talk_unit(const struct words *w, enum hl_verb verb, struct span *found_r)
{
	size_t at, end;

	for (at = 0; at < w->n; at++) {
		if (words_match(w, at, CUE_unit_unknown, &end)) {
			*found_r = (struct span){at, end};
			return HL_LIT("不明");
		}
		if (words_match(w, at, CUE_unit_openers, &end) && !words_match(w, at, CUE_unit_false_openers, &end) &&
		    read_unit(w, end, found_r) && !(at > 0 && words_match(w, at - 1, CUE_unit_negators, &end)))
			return words_cut(w, *found_r);
		if (verb == HL_VERB_ASSIST && words_match(w, at, CUE_assist_openers, &end) &&
		    !words_match(w, end, CUE_unit_openers, &found_r->to)) {
			while (end < w->n && !rune_is_word(w->runes[end].cp))
				end++;
			if (read_unit(w, end, found_r))
				return words_cut(w, *found_r);
		}
	}
	return HL_LIT("");
}

/* ---- reason ------------------------------------------------------------------ */

struct cutting {
	const struct words *w;
	bool *is_gone;
};

static void drop(struct cutting *c, struct span s)
{
	for (size_t i = s.from; i < s.to; i++)
		c->is_gone[i] = true;
}

static void drop_all(struct cutting *c, enum talk_cue cue)
{
	struct span in = {0, c->w->n}, found;

	for (; words_find(c->w, in, cue, &found); in.from = found.from + 1)
		drop(c, found);
}

/* What is left, as it was written; runs that were apart are joined by a blank. */
static struct hl_slice join(const struct cutting *c, struct hl_arena *arena)
{
	char *out = hl_arena_alloc(arena, c->w->source.len + 2 * c->w->n + 1);
	size_t len = 0;

	if (!out)
		return HL_LIT("");
	for (size_t at = 0; at < c->w->n;) {
		size_t from = at;
		struct hl_slice run;

		while (at < c->w->n && !c->is_gone[at])
			at++;
		run = words_cut(c->w, (struct span){from, at});
		if (run.len > 0 && len > 0)
			out[len++] = ' ';
		if (run.len > 0)
			memcpy(out + len, run.ptr, run.len);
		len += run.len;
		at += at == from;
	}
	return (struct hl_slice){out, len};
}

/* Words in front of a command are the reason of some verbs and mere talk with others. */
static void drop_command(struct cutting *c, const struct meaning *m)
{
	if (m->verb == HL_VERB_PROGRESS && m->command.to == m->command.from)
		return;
	if (m->verb == HL_VERB_CHASE && m->command.from > c->w->head)
		return;
	drop(c, (struct span){0, c->w->head});
	drop(c, m->command);
	if (m->verb == HL_VERB_SIGN || m->verb == HL_VERB_ARRIVE || m->command.from <= c->w->head)
		drop(c, (struct span){0, m->command.from});
	drop_all(c, CUE_reason_fillers);
}

/* "签3F7K 综合执法局一中队": who signs, no remark. */
static void drop_signature(struct cutting *c, const struct meaning *m)
{
	const struct words *w = c->w;
	size_t from = m->command.to;
	struct span unit;

	while (from < w->n && (!rune_is_word(w->runes[from].cp) || w->runes[from].cp == TALK_CODE))
		from++;
	if (read_unit(w, from, &unit) && words_ends_clause(w, unit.to) && unit.to == w->n)
		drop(c, unit);
}

static void drop_arguments(struct cutting *c, const struct meaning *m, struct hl_said *said)
{
	struct span found;

	if (m->verb == HL_VERB_EXTEND) {
		drop_all(c, CUE_extend_fillers);
		said->days = talk_days(c->w, &found);
		if (said->days > 0)
			drop(c, found);
	}
	if (m->verb == HL_VERB_HANDBACK || m->verb == HL_VERB_ASSIST)
		said->unit = talk_unit(c->w, m->verb, &found);
	if (said->unit.len > 0 &&
	    (m->verb == HL_VERB_ASSIST || words_match(c->w, found.from, CUE_unit_unknown, &found.to)))
		drop(c, found);
	if (m->verb == HL_VERB_SIGN)
		drop_signature(c, m);
}

struct hl_slice talk_reason(const struct parts *p, const struct meaning *m, struct hl_arena *arena,
			    struct hl_said *said)
{
	const struct words *w = &p->typed;
	struct cutting c = {w, hl_arena_array(arena, w->n + 1, sizeof(bool))};

	if (!c.is_gone)
		return HL_LIT("");
	drop_all(&c, CUE_code_mark);
	drop_command(&c, m);
	drop_arguments(&c, m, said);
	return join(&c, arena);
}
