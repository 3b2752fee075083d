/* text.h - from a provider's bytes to clean UTF-8, and the small text arithmetic of SMS
 *
 * A report is never refused for its encoding: undecodable bytes become U+FFFD,
 * NUL and C0 controls other than TAB and LF are dropped, CR LF and a lone CR become
 * LF. The raw bytes are kept elsewhere (message.raw).
 * Uses iconv (glibc) for GBK/GB18030/UTF-16/Latin-1 and utf8proc for NFKC.
 */
#ifndef HOTLINE_TEXT_H
#define HOTLINE_TEXT_H

#include "hotline/arena.h"

/* hl_text_decode - bytes in a declared charset to clean UTF-8.
 * Takes   charset: provider's word ("UTF-8", "gbk", "UTF-16BE", ...), NULL or empty or unknown
 *         to detect: UTF-8 that is valid or only damaged stays, else GB18030 when it decodes whole, else
 *         UTF-8 with replacements. A byte order mark always wins. A declared charset that does not decode is
 *         mended by detection, then by replacements. arena: where the result lives.
 * Gives   clean, valid UTF-8 without NUL; the empty slice when the arena failed.
 * Cost    O(len) */
struct hl_slice hl_text_decode(struct hl_arena *arena, struct hl_slice bytes, const char *charset);

/* hl_text_is_utf8 - strictly valid UTF-8 (no surrogates, no overlong forms). */
bool hl_text_is_utf8(struct hl_slice s);

/* hl_text_fold - form for matching: NFKC, lower case, full-width to ASCII, traditional to simplified ideographs, runs of
 * blanks to one, no invisible characters (zero-width blanks, variation selectors).
 * Gives   folded text; positions are not those of the input. Cost O(length) */
struct hl_slice hl_text_fold(struct hl_arena *arena, struct hl_slice s);

/* hl_text_next_slow - hl_text_next for what is neither ASCII nor an ideograph. */
uint32_t hl_text_next_slow(struct hl_slice s, size_t *pos);

/* hl_text_next - reads one code point at *pos and moves *pos behind it; U+FFFD for a broken byte.
 * Here, because every reader of texts spends its time in it. */
static inline uint32_t hl_text_next(struct hl_slice s, size_t *pos)
{
	const unsigned char *p = (const unsigned char *)s.ptr + *pos;

	if (*pos < s.len && p[0] < 0x80) {
		*pos += 1;
		return p[0];
	}
	/* U+3000 to U+CFFF: no overlong forms and no surrogates begin with these. */
	if (*pos + 2 < s.len && p[0] >= 0xe3 && p[0] <= 0xec && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80) {
		*pos += 3;
		return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
	}
	return hl_text_next_slow(s, pos);
}

/* hl_text_count - number of code points. */
size_t hl_text_count(struct hl_slice s);

/* hl_text_is_blank - nothing to read: no letter, digit or ideograph, and nothing undecodable that could be one. */
bool hl_text_is_blank(struct hl_slice s);

/* hl_phone_normalise - a provider's spelling of a number to E.164.
 * Takes   raw: "10000000001", "0086100...", "+86 100-...", "0537-1234567", "12345"; country: calling code without
 *         plus ("86"), used for national spellings. Full-width characters and separators (blank - ( ) .) are fine.
 * Gives   true and *out_r "+..." in the arena; short codes (3 to 6 digits) come back as they are, without plus.
 *         false: not a number (empty, letters, more than 15 digits), or the arena failed; *out_r is the raw
 *         text, cleaned. */
bool hl_phone_normalise(struct hl_arena *arena, struct hl_slice raw, const char *country, struct hl_slice *out_r);

/* hl_phone_mask - "+86100****0001" into out (at least 24 bytes); short codes stay readable, what is no number
 * shows as "****". */
void hl_phone_mask(struct hl_slice phone, char *out_r, size_t out_bytes);

#endif
