/* codes.c - finding open codes, and what only looks like one (contract in parts.h)
 *
 * Pure. The same code: any case, full width, blanks, hyphens and quotes inside or around it, Chinese
 * numerals for digits, O for 0, I and L for 1. Anything else is another code, and acting on
 * the only open task instead would be a guess.
 */
#include "parts.h"

#include "grammar.h"
#include "hotline/text.h"

#include <string.h>

#define NOTICE_CODE_LEN 5
#define CASE_CODE_LEN   8 /* 26-001234 without the hyphen */

static bool is_digit(uint32_t cp)
{
	return cp >= '0' && cp <= '9';
}

static bool is_letter(uint32_t cp)
{
	return cp >= 'a' && cp <= 'z';
}

static bool is_alnum(uint32_t cp)
{
	return is_digit(cp) || is_letter(cp);
}

/* One value for all spellings of a code character; 0 for what cannot be in a code. */
static uint32_t canon(uint32_t cp)
{
	int value;

	if (cp >= 'A' && cp <= 'Z')
		cp += 'a' - 'A';
	if (cp == 'o')
		return '0';
	if (cp == 'i' || cp == 'l')
		return '1';
	if (is_alnum(cp))
		return cp;
	value = cp == 0x4E24 ? -1 : rune_numeral(cp); /* nobody spells a code with the spoken two */
	return value >= 0 && value <= 9 ? '0' + (uint32_t)value : 0;
}

static bool is_wrapper(uint32_t cp)
{
	static const uint32_t set[] = {'"',    '\'',   '(',    ')',    '[',    ']',    '<',    '>',    0x201C, 0x201D,
				       0x2018, 0x2019, 0x300C, 0x300D, 0x300E, 0x300F, 0x3010, 0x3011, 0x300A, 0x300B};

	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++)
		if (cp == set[i])
			return true;
	return false;
}

static bool is_joiner(uint32_t cp)
{
	return cp == '-' || cp == '_' || cp == 0x2013 || cp == 0x2014;
}

/* Letters that stand glued before a code must be a verb: "sign3f7k". */
static bool is_left_free(const struct words *w, size_t at)
{
	size_t from = at, end;

	while (from > 0 && is_alnum(w->runes[from - 1].cp) && !w->runes[from].has_gap)
		from--;
	return from == at || (words_match(w, from, CUE_english, &end) && end == at);
}

/* "3F7K3天": digits may follow when something else than letters follows them. */
static bool is_right_free(const struct words *w, size_t end, bool has_letter)
{
	if (end >= w->n || w->runes[end].has_gap || !is_alnum(w->runes[end].cp))
		return true;
	if (!has_letter)
		return false;
	while (end < w->n && is_digit(w->runes[end].cp))
		end++;
	return end < w->n && !is_letter(w->runes[end].cp) &&
	       (rune_is_word(w->runes[end].cp) || w->runes[end].cp == ':');
}

/* Rune behind the code when it stands here, else 0. */
static size_t match_code(const struct words *w, size_t at, struct hl_slice code)
{
	size_t i = at, n_ascii = 0;
	bool has_letter = false;

	for (size_t k = 0; k < code.len; k++) {
		uint32_t want = canon((unsigned char)code.ptr[k]);

		while (k > 0 && i < w->n && is_joiner(w->runes[i].cp))
			i++;
		if (want == 0 || i >= w->n || canon(w->runes[i].cp) != want)
			return 0;
		has_letter |= is_letter(want);
		n_ascii += is_alnum(w->runes[i].cp);
		i++;
	}
	return n_ascii > 0 && is_left_free(w, at) && is_right_free(w, i, has_letter) ? i : 0;
}

/* Runes [at, end) become one; quotes around it go with it. */
static void put_code(struct words *w, size_t at, size_t end)
{
	while (at > 0 && end < w->n && is_wrapper(w->runes[at - 1].cp) && is_wrapper(w->runes[end].cp)) {
		at--;
		end++;
	}
	w->runes[at].cp = TALK_CODE;
	w->runes[at].to = w->runes[end - 1].to;
	memmove(&w->runes[at + 1], &w->runes[end], (w->n - end) * sizeof(w->runes[0]));
	w->n -= end - at - 1;
}

static void find_open(struct words *w, const struct hl_slice *open, size_t n_open, struct codes *out)
{
	for (size_t at = 0; at < w->n; at++)
		for (size_t i = 0; i < n_open; i++) {
			size_t end = match_code(w, at, open[i]);

			if (!end)
				continue;
			out->has_two |= out->first != TALK_NO_CODE && out->first != i;
			if (out->first == TALK_NO_CODE)
				out->first = i;
			put_code(w, at, end);
			break;
		}
}

/* ---- what only looks like a code ------------------------------------------- */

struct token {
	size_t from, to; /* runes */
	size_t n_digits, n_letters;
};

/* The run of letters and digits at a rune; blanks between single pieces are bridged when the whole has the right
 * length. */
static struct token read_token(const struct words *w, size_t at, size_t len)
{
	struct token whole = {.from = at, .to = at}, piece = whole;

	for (size_t i = at; i < w->n && (is_alnum(w->runes[i].cp) || (i > at && is_joiner(w->runes[i].cp))); i++) {
		if (i > at && w->runes[i].has_gap && piece.to == at)
			piece = whole;
		whole.n_digits += is_digit(w->runes[i].cp);
		whole.n_letters += is_letter(w->runes[i].cp);
		whole.to = i + 1;
	}
	return piece.to == at || whole.n_digits + whole.n_letters == len ? whole : piece;
}

static bool is_after_verb(const struct words *w, size_t at)
{
	size_t end;

	while (at > 0 && !rune_is_word(w->runes[at - 1].cp))
		at--;
	for (size_t back = 1; back <= 8 && back <= at; back++)
		if (words_match(w, at - back, CUE_before_code, &end) && end == at)
			return true;
	return false;
}

/* "签3F7K和8M2Q", "结3F7K 8M2Q": a second code beside a right one; "结3F7K DN50阀门" is prose. */
static bool is_beside_code(const struct words *w, const struct token *t)
{
	size_t back = t->from, end;

	while (back > 0 && (!rune_is_word(w->runes[back - 1].cp) || words_match(w, back - 1, CUE_conjunctions, &end)))
		back--;
	if (back == 0 || w->runes[back - 1].cp != TALK_CODE)
		return false;
	return back < t->from ? w->runes[back].cp != ':' : words_ends_clause(w, t->to);
}

/* "3 days", "10kv": an amount and its measure. */
static bool is_amount(const struct words *w, const struct token *t)
{
	size_t at = t->from, end;

	while (at < t->to && is_digit(w->runes[at].cp))
		at++;
	return at > t->from && words_match(w, at, CUE_after_number, &end) && (at == t->to || end == t->to);
}

static bool looks_like_code(const struct words *w, const struct token *t, bool is_officer, size_t len, bool has_code)
{
	size_t n = t->n_digits + t->n_letters, end;
	bool after_verb = is_after_verb(w, t->from), alone = t->to == w->n && t->from == w->head;

	if (n + 1 < len || n > len + 1 || is_amount(w, t) || words_match(w, t->to, CUE_after_number, &end) ||
	    words_match(w, t->from, CUE_english, &end))
		return false;
	if (has_code)
		return n == len && t->n_letters > 0 && t->n_digits > 0 && (after_verb || is_beside_code(w, t));
	if (t->n_digits > 0 && t->n_letters > 0)
		return after_verb || alone || (is_officer && t->from == w->head);
	return n == len && (after_verb || (alone && t->n_digits > 0 && n > 3));
}

static void find_wrong(const struct words *w, bool is_officer, size_t len, struct codes *out)
{
	size_t at = 0;

	while (at < w->n && out->wrong.len == 0) {
		struct token t = read_token(w, at, len);

		if (t.to == at) {
			at++;
			continue;
		}
		if (looks_like_code(w, &t, is_officer, len, out->first != TALK_NO_CODE))
			out->wrong = words_cut(w, (struct span){t.from, t.to});
		at = t.to;
	}
}

void codes_find(struct words *w, bool is_officer, const struct hl_slice *open, size_t n_open, struct codes *out_r)
{
	*out_r = (struct codes){.first = TALK_NO_CODE};
	find_open(w, open, n_open, out_r);
	words_find_head(w);
	find_wrong(w, is_officer, n_open > 0 ? open[0].len : is_officer ? NOTICE_CODE_LEN : CASE_CODE_LEN, out_r);
}
