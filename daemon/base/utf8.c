/* utf8.c - reading UTF-8 one code point at a time; pure
 *
 * Owns nothing. Must not know charsets (charset.c) or normal forms (fold.c).
 * Limits: every byte that is not part of a well-formed sequence reads as one
 * U+FFFD of its own, so a reader always moves on and never reads past the end.
 */
#include "hotline/text.h"

#include <utf8proc.h>

#define REPLACEMENT 0xFFFD

/* Length and allowed range of the second byte per lead byte.
 * Source: Unicode 15, table 3-7. The narrowed ranges shut out overlong forms, surrogates and values above U+10FFFF. */
static size_t sequence_bytes(unsigned char lead, unsigned char *min2, unsigned char *max2)
{
	*min2 = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
	*max2 = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
	if (lead < 0x80)
		return 1;
	if (lead >= 0xC2 && lead <= 0xDF)
		return 2;
	if (lead >= 0xE0 && lead <= 0xEF)
		return 3;
	if (lead >= 0xF0 && lead <= 0xF4)
		return 4;
	return 0;
}

/* Gives the length of the well-formed sequence at s.ptr, or 0. s is not empty. */
static size_t read_sequence(struct hl_slice s, uint32_t *cp)
{
	static const unsigned char lead_mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
	const unsigned char *p = (const unsigned char *)s.ptr;
	unsigned char min2, max2;
	size_t n = sequence_bytes(p[0], &min2, &max2);

	if (n == 0 || n > s.len || (n > 1 && (p[1] < min2 || p[1] > max2)))
		return 0;
	*cp = p[0] & lead_mask[n];
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
		*cp = *cp << 6 | (p[i] & 0x3F);
	}
	return n;
}

bool hl_text_is_utf8(struct hl_slice s)
{
	for (size_t pos = 0; pos < s.len;) {
		uint32_t cp;
		size_t n = read_sequence((struct hl_slice){s.ptr + pos, s.len - pos}, &cp);

		if (n == 0)
			return false;
		pos += n;
	}
	return true;
}

uint32_t hl_text_next_slow(struct hl_slice s, size_t *pos)
{
	uint32_t cp = REPLACEMENT;
	size_t n;

	if (*pos >= s.len)
		return REPLACEMENT;
	n = read_sequence((struct hl_slice){s.ptr + *pos, s.len - *pos}, &cp);
	if (n == 0) {
		*pos += 1;
		return REPLACEMENT;
	}
	*pos += n;
	return cp;
}

size_t hl_text_count(struct hl_slice s)
{
	size_t n = 0;

	for (size_t pos = 0; pos < s.len; n++)
		hl_text_next(s, &pos);
	return n;
}

/* U+FFFD, private use and unassigned code points count as content: somebody wrote
 * something there that we cannot read, and a person should look at it. */
static bool is_content(uint32_t cp)
{
	switch (utf8proc_category((utf8proc_int32_t)cp)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NL:
	case UTF8PROC_CATEGORY_NO:
	case UTF8PROC_CATEGORY_CO:
	case UTF8PROC_CATEGORY_CN:
		return true;
	default:
		return cp == REPLACEMENT;
	}
}

bool hl_text_is_blank(struct hl_slice s)
{
	for (size_t pos = 0; pos < s.len;)
		if (is_content(hl_text_next(s, &pos)))
			return false;
	return true;
}
