/* cues.c - occurrences of cues and the doubts about them (contract in cues.h)
 *
 * Pure. A doubt reaches as far as the sentence: the runes between two marks.
 */
#include "cues.h"

#include <string.h>

#define IDIOM_REACH 8 /* runes an idiom may start before an occurrence */

static bool has(const struct words *w, size_t from, size_t to, enum talk_cue cue)
{
	struct span found;

	return words_find(w, (struct span){from, to}, cue, &found);
}

/* Walks back over what may stand between a negation and the verb: 没来得及签, 还没有办结. */
static bool is_negated(const struct words *w, struct span s, struct span sentence)
{
	size_t at = s.from, end;

	while (at > sentence.from) {
		at--;
		if (words_match(w, at, CUE_negators, &end))
			return !(at > 0 && words_match(w, at - 1, CUE_choice_before, &end)) &&
			       !words_match(w, at, CUE_negator_idioms, &end);
		if (!words_match(w, at, CUE_negated_filler, &end))
			break;
	}
	return words_match(w, s.to, CUE_negated_behind, &end);
}

static bool ends_with(const struct words *w, struct span sentence, enum talk_cue cue)
{
	size_t end;

	for (size_t n = 1; n <= 3 && sentence.from + n <= sentence.to; n++)
		if (words_match(w, sentence.to - n, cue, &end) && end == sentence.to)
			return true;
	return false;
}

static bool is_asked(const struct words *w, struct span sentence)
{
	return has(w, sentence.from, sentence.to, CUE_asking) || ends_with(w, sentence, CUE_asking_end) ||
	       (sentence.to < w->n && w->runes[sentence.to].cp == '?');
}

unsigned cue_doubts(const struct words *w, struct span s)
{
	struct span sentence = words_sentence(w, s.from);
	unsigned doubts = 0;

	/* A pattern may itself run over a mark. */
	if (sentence.to < s.to)
		sentence.to = words_sentence(w, s.to - 1).to;
	if (is_negated(w, s, sentence))
		doubts |= TALK_NEGATED;
	if (is_asked(w, sentence))
		doubts |= TALK_ASKED;
	if (has(w, sentence.from, sentence.to, CUE_hedges) || ends_with(w, sentence, CUE_hedge_end))
		doubts |= TALK_HEDGED;
	if (has(w, sentence.from, s.from, CUE_later) && !has(w, sentence.from, s.to, CUE_settled))
		doubts |= TALK_LATER;
	return doubts;
}

static bool is_idiom(const struct words *w, struct span s, enum talk_cue cue)
{
	size_t from = s.from > IDIOM_REACH ? s.from - IDIOM_REACH : 0, end;

	for (size_t at = from; at < s.to; at++)
		if (words_match_exception(w, at, cue, &end) && end > s.from)
			return true;
	return false;
}

bool cue_find(const struct words *w, enum talk_cue cue, struct span within, unsigned doubts, struct span *found_r)
{
	struct span s;

	while (words_find(w, within, cue, &s)) {
		within.from = s.from + 1;
		if (is_idiom(w, s, cue))
			continue;
		if (doubts == 0 || !(cue_doubts(w, s) & doubts)) {
			*found_r = s;
			return true;
		}
	}
	return false;
}

bool cue_has(const struct words *w, enum talk_cue cue, unsigned doubts)
{
	struct span found;

	return cue_find(w, cue, (struct span){0, w->n}, doubts, &found);
}
