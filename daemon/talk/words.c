/* words.c - folding a text into runes, its clauses, and cutting words out of it (contract in words.h)
 *
 * Pure. Limits: a sentence reaches 60 runes to either side, so that a long text without marks costs no more than
 * one with them.
 */
#include "words.h"

#include "grammar.h"
#include "hotline/text.h"

#define SENTENCE_REACH 60

/* ---- reading -------------------------------------------------------------- */

static uint32_t fold(const struct hl_grammar *g, uint32_t cp)
{
	if (cp >= 0xFF01 && cp <= 0xFF5E)
		cp -= 0xFEE0;
	if (cp >= 'A' && cp <= 'Z')
		return cp + ('a' - 'A');
	if (cp >= 0x2460 && cp <= 0x2468) /* circled digits */
		return '1' + cp - 0x2460;
	if (cp > 0x7F) {
		uint32_t simplified = rune_map_get(&g->simplified, cp);

		return simplified ? simplified : cp;
	}
	return cp;
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

void words_read(struct words *w, const struct hl_grammar *grammar, struct hl_slice text, struct hl_arena *arena)
{
	bool has_gap = true, is_line = true;

	*w = (struct words){
		.source = text, .grammar = grammar, .runes = hl_arena_array(arena, text.len + 1, sizeof(struct rune))};
	if (!w->runes)
		return;
	for (size_t pos = 0; pos < text.len;) {
		size_t from = pos;
		uint32_t cp = hl_text_next(text, &pos);

		if (is_blank(cp)) {
			has_gap = true;
			is_line |= cp == '\n' || cp == '\r' || cp == 0x2028 || cp == 0x2029;
		} else if (!is_invisible(cp)) {
			w->runes[w->n++] =
				(struct rune){fold(grammar, cp), (uint32_t)from, (uint32_t)pos, has_gap, is_line};
			has_gap = is_line = false;
		}
	}
}

bool rune_is_mark(uint32_t cp)
{
	switch (cp) {
	case ',':
	case '.':
	case '!':
	case '?':
	case ';':
	case ':':
	case '~':
	case '/':
	case '|':
	case 0xB7:   /* middle dot */
	case 0x2014: /* dash */
	case 0x2026: /* ellipsis */
	case 0x3001: /* enumeration comma */
	case 0x3002: /* full stop */
		return true;
	default:
		return false;
	}
}

int rune_numeral(uint32_t cp)
{
	static const uint16_t numerals[] = {0x96F6, 0x4E00, 0x4E8C, 0x4E09, 0x56DB, 0x4E94,
					    0x516D, 0x4E03, 0x516B, 0x4E5D, 0x5341};

	if (cp < 0x3007)
		return cp >= '0' && cp <= '9' ? (int)(cp - '0') : -1;
	if (cp == 0x3007) /* 〇 */
		return 0;
	if (cp == 0x4E24) /* 两 */
		return 2;
	for (int i = 0; i <= 10; i++)
		if (numerals[i] == cp)
			return i;
	return -1;
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

void words_find_head(struct words *w)
{
	w->head = 0;
	while (w->head < w->n) {
		if (w->runes[w->head].cp == TALK_CODE || !rune_is_word(w->runes[w->head].cp))
			w->head++;
		else if (!words_match(w, w->head, CUE_openers, &w->head))
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
