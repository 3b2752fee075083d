/* fold.c - the form of a text in which keywords and names are looked for; pure
 *
 * Nearly all that people text is ideographs, ASCII and full-width ASCII, which fold one by one; only what is between
 * them goes through utf8proc (NFKC, case folding). Traditional ideographs become simplified ones, by a table made from
 * ICU's (simplified.def), because the daemon does not link ICU and this is done for every text.
 * Owns nothing. Must not know any keyword.
 * Limits: for matching only, never for showing: default-ignorable code points (zero-width
 * blanks, variation selectors) vanish, and case folding is Unicode's, without locale. Traditional to simplified goes
 * character by character, without looking at the words.
 */
#include "hotline/text.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "simplified.def"

#define FOLD_OPTIONS   (UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE)
#define IDEOGRAPHS     0x3400u
#define IDEOGRAPHS_END 0xa000u
#define HEXAGRAMS      0x4dc0u
#define HEXAGRAMS_END  0x4e00u
#define WIDE_ASCII     0xff01u
#define WIDE_ASCII_END 0xff5fu
#define WIDE_SHIFT     0xfee0u

static size_t encode(char *out, uint32_t cp)
{
	if (cp < 0x80) {
		*out = (char)cp;
		return 1;
	}
	return (size_t)utf8proc_encode_char((utf8proc_int32_t)cp, (utf8proc_uint8_t *)out);
}

static uint32_t simplify(uint32_t cp)
{
	uint32_t at = cp - IDEOGRAPHS;
	uint64_t bits;

	if (cp < IDEOGRAPHS || cp >= IDEOGRAPHS_END)
		return cp;
	bits = traditional_bits[at / 64];
	if (!(bits >> at % 64 & 1))
		return cp;
	bits &= (1ull << at % 64) - 1;
	return simplified_to[traditional_ranks[at / 64] + (uint32_t)__builtin_popcountll(bits)];
}

static bool is_blank(uint32_t cp)
{
	utf8proc_category_t category;

	if (cp < 0x80)
		return cp == ' ' || (cp >= '\t' && cp <= '\r');
	if (cp >= IDEOGRAPHS && cp < IDEOGRAPHS_END)
		return false;
	category = utf8proc_category((utf8proc_int32_t)cp);
	return cp == 0x85 || category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
	       category == UTF8PROC_CATEGORY_ZP;
}

/* What is written so far; a run of blanks is one. There is always room for what comes by itself: it never grows. */
struct folding {
	char *out;
	size_t len, cap;
};

static bool make_room(struct folding *f, struct hl_arena *arena, size_t n_bytes)
{
	size_t cap = (f->len + n_bytes) * 2;
	char *more;

	if (f->len + n_bytes <= f->cap)
		return true;
	more = hl_arena_raw(arena, cap, 1);
	if (!more)
		return false;
	memcpy(more, f->out, f->len);
	f->out = more;
	f->cap = cap;
	return true;
}

static void put(struct folding *f, uint32_t cp)
{
	cp = simplify(cp);
	if (!is_blank(cp))
		f->len += encode(f->out + f->len, cp);
	else if (f->len == 0 || f->out[f->len - 1] != ' ')
		f->out[f->len++] = ' ';
}

/* Marks of East Asian texts that fold to themselves. */
static bool is_plain_mark(uint32_t cp)
{
	return (cp >= 0x3001 && cp <= 0x3003) || (cp >= 0x3008 && cp <= 0x3011) || cp == 0x2014 || cp == 0x2018 ||
	       cp == 0x2019 || cp == 0x201c || cp == 0x201d;
}

/* fold_plain - one that folds by itself; 0: it does not. */
static uint32_t fold_plain(uint32_t cp)
{
	if (cp >= HEXAGRAMS_END && cp < IDEOGRAPHS_END)
		return cp;
	if (cp >= WIDE_ASCII && cp < WIDE_ASCII_END)
		cp -= WIDE_SHIFT;
	if (cp >= 'A' && cp <= 'Z')
		return cp + ('a' - 'A');
	if ((cp && cp < 0x80) || (cp >= IDEOGRAPHS && cp < HEXAGRAMS) || is_plain_mark(cp))
		return cp;
	return cp == 0x3000 ? ' ' : 0;
}

/* end_of_run - behind all that utf8proc must see together from here. */
static size_t end_of_run(struct hl_slice s, size_t pos)
{
	while (pos < s.len) {
		size_t next = pos;

		if (fold_plain(hl_text_next(s, &next)))
			break;
		pos = next;
	}
	return pos;
}

/* A mark belongs to the character before it. */
static bool is_mark(uint32_t cp)
{
	utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)cp);

	return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC || category == UTF8PROC_CATEGORY_ME;
}

/* fold_run - [start, end) by utf8proc, broken bytes as U+FFFD. Gives false without memory. */
static bool fold_run(struct folding *f, struct hl_arena *arena, struct hl_slice s, size_t start, size_t end)
{
	struct hl_slice run = {s.ptr + start, end - start}, mapped;
	char *clean = hl_arena_raw(arena, run.len, 3); /* a broken byte is three as U+FFFD */
	utf8proc_uint8_t *out = NULL;
	utf8proc_ssize_t len = 0;
	bool has_room;

	if (!clean)
		return false;
	for (size_t pos = 0; pos < run.len;)
		len += (utf8proc_ssize_t)encode(clean + len, hl_text_next(run, &pos));
	len = utf8proc_map((const utf8proc_uint8_t *)clean, len, &out, FOLD_OPTIONS);
	if (len < 0) {
		/* Well-formed input leaves only want of memory; the arena is where callers look for that. */
		arena->failed = true;
		return false;
	}
	mapped = (struct hl_slice){(char *)out, (size_t)len};
	has_room = make_room(f, arena, mapped.len + s.len - end);
	for (size_t pos = 0; pos < mapped.len && has_room;)
		put(f, hl_text_next(mapped, &pos));
	free(out);
	return has_room;
}

struct hl_slice hl_text_fold(struct hl_arena *arena, struct hl_slice s)
{
	struct folding f = {.cap = s.len + 1}, before; /* as it was before the last character */
	size_t start_before = 0;

	f.out = s.len ? hl_arena_raw(arena, f.cap, 1) : NULL;
	if (!f.out)
		return HL_LIT("");
	before = f;
	for (size_t pos = 0; pos < s.len;) {
		size_t start = pos;
		uint32_t cp = hl_text_next(s, &pos), plain = fold_plain(cp);

		if (plain) {
			before = f;
			start_before = start;
			put(&f, plain);
			continue;
		}
		if (start > start_before && is_mark(cp)) {
			f.len = before.len;
			start = start_before;
		}
		pos = end_of_run(s, pos);
		start_before = pos;
		if (!fold_run(&f, arena, s, start, pos))
			return HL_LIT("");
	}
	return (struct hl_slice){f.out, f.len};
}
