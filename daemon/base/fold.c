/* fold.c - the form of a text in which keywords and names are looked for; pure
 *
 * Owns nothing; uses utf8proc for NFKC and case folding. Must not know any keyword.
 * Limits: for matching only, never for showing: default-ignorable code points (zero-width
 * blanks, variation selectors) vanish, and case folding is Unicode's, without locale.
 */
#include "hotline/text.h"

#include <stdlib.h>
#include <utf8proc.h>

#define FOLD_OPTIONS (UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE)

/* utf8proc refuses broken input as a whole; this makes every broken byte U+FFFD (three bytes) instead. */
static struct hl_slice mend(struct hl_arena *arena, struct hl_slice s)
{
	char *out = hl_arena_array(arena, s.len, 3);
	size_t len = 0;

	if (!out)
		return HL_LIT("");
	for (size_t pos = 0; pos < s.len;)
		len += (size_t)utf8proc_encode_char((utf8proc_int32_t)hl_text_next(s, &pos),
						    (utf8proc_uint8_t *)out + len);
	return (struct hl_slice){out, len};
}

static bool is_blank(uint32_t cp)
{
	utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)cp);

	return (cp >= '\t' && cp <= '\r') || cp == 0x85 || category == UTF8PROC_CATEGORY_ZS ||
	       category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

/* In place: a run of blanks is never longer than what it came from. */
static size_t squeeze(char *text, size_t len)
{
	struct hl_slice s = {text, len};
	size_t out = 0;
	bool was_blank = false;

	for (size_t pos = 0; pos < len;) {
		size_t start = pos;
		bool blank = is_blank(hl_text_next(s, &pos));

		if (blank && !was_blank)
			text[out++] = ' ';
		for (; !blank && start < pos; start++)
			text[out++] = text[start];
		was_blank = blank;
	}
	return out;
}

struct hl_slice hl_text_fold(struct hl_arena *arena, struct hl_slice s)
{
	utf8proc_uint8_t *mapped = NULL;
	utf8proc_ssize_t len;
	struct hl_slice folded;

	if (!hl_text_is_utf8(s))
		s = mend(arena, s);
	if (s.len == 0)
		return HL_LIT("");
	len = utf8proc_map((const utf8proc_uint8_t *)s.ptr, (utf8proc_ssize_t)s.len, &mapped, FOLD_OPTIONS);
	if (len < 0) {
		/* Well-formed input leaves only want of memory; the arena is where callers look for that. */
		arena->failed = true;
		return HL_LIT("");
	}
	folded = hl_arena_dup(arena, (struct hl_slice){(char *)mapped, squeeze((char *)mapped, (size_t)len)});
	free(mapped);
	return folded;
}
