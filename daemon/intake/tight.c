/* tight.c - takes out of a folded text what only stands between the characters of a word (contract in tight.h)
 *
 * Owns nothing. Must not know phrases, names.
 */
#include "intake/tight.h"
#include "hotline/text.h"

#include <string.h>
#include <utf8proc.h>

#define REPLACEMENT 0xfffd
#define ASIDE       2 /* code points on either side that tell whether a mark is a habit of writing */

/* A code point of the text: where it is and what it is. */
struct rune {
	uint32_t cp;
	uint32_t start;
};

static bool is_word(uint32_t cp)
{
	return (cp >= '0' && cp <= '9') || (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z');
}

static bool is_ideograph(uint32_t cp)
{
	return (cp >= 0x3400 && cp < 0xa000) || (cp >= 0x20000 && cp < 0x32000);
}

static bool is_separator(uint32_t cp)
{
	return (cp < 0x80 && strchr(".-_*/~|+^`'=", (int)cp) && cp) || cp == 0xb7 || cp == 0x2022 || cp == 0x30fb;
}

/* Emoji, stars, frames of keys. A replaced character is none: it stood for a letter. */
static bool is_picture(uint32_t cp)
{
	utf8proc_category_t category;

	if (cp < 0x2000 || is_ideograph(cp) || cp == REPLACEMENT)
		return false;
	category = utf8proc_category((utf8proc_int32_t)cp);
	return category == UTF8PROC_CATEGORY_SO || category == UTF8PROC_CATEGORY_SK || category == UTF8PROC_CATEGORY_ME;
}

/* keeps_apart - one of at least two equal marks, each between two ideographs: "a.b.c". */
static bool keeps_apart(const struct rune *runes, size_t n, size_t i)
{
	uint32_t mark = runes[i].cp;
	bool is_between = i > 0 && i + 1 < n && is_ideograph(runes[i - 1].cp) && is_ideograph(runes[i + 1].cp);
	bool is_again = i + 1 + ASIDE < n && runes[i + ASIDE].cp == mark && is_ideograph(runes[i + ASIDE + 1].cp);
	bool was_before = i > ASIDE && runes[i - ASIDE].cp == mark && is_ideograph(runes[i - ASIDE - 1].cp);

	return is_between && (is_again || was_before);
}

static bool is_left_out(const struct rune *runes, size_t n, size_t i)
{
	uint32_t cp = runes[i].cp;

	if (is_ideograph(cp) || is_word(cp))
		return false;
	if (cp == ' ')
		return !(i > 0 && i + 1 < n && is_word(runes[i - 1].cp) && is_word(runes[i + 1].cp));
	return is_separator(cp) ? keeps_apart(runes, n, i) : is_picture(cp);
}

struct hl_slice hl_fold_tight(struct hl_arena *arena, struct hl_slice text)
{
	struct hl_slice folded = hl_text_fold(arena, text);
	struct rune *runes = hl_arena_raw(arena, folded.len + 1, sizeof(*runes));
	char *out = hl_arena_raw(arena, folded.len + 1, 1);
	size_t n = 0, len = 0;

	if (!runes || !out)
		return (struct hl_slice){0};
	for (size_t pos = 0; pos < folded.len; n++) {
		runes[n].start = (uint32_t)pos;
		runes[n].cp = hl_text_next(folded, &pos);
	}
	runes[n].start = (uint32_t)folded.len;
	for (size_t i = 0; i < n; i++) {
		size_t bytes = runes[i + 1].start - runes[i].start;

		if (is_left_out(runes, n, i))
			continue;
		memcpy(out + len, folded.ptr + runes[i].start, bytes);
		len += bytes;
	}
	return (struct hl_slice){out, len};
}
