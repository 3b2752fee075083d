/* slice.h - a borrowed run of bytes, the shape in which text travels inside the gateway
 *
 * Owns nothing: a slice is valid as long as what it points into (a request's
 * arena, a configuration, a literal). It is not NUL-terminated and may hold NUL.
 * Must not know: encodings (utf8.h), allocation (arena.h).
 */
#ifndef HOTLINE_SLICE_H
#define HOTLINE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hl_slice {
	const char *ptr;
	size_t len;
};

/* printf("%.*s", HL_SLICE_ARG(s)); valid while s.len <= INT_MAX, which every cap in the gateway keeps. */
#define HL_SLICE_ARG(s) (int)(s).len, (s).ptr ? (s).ptr : ""

/* A slice over a string literal, usable in static initialisers. */
#define HL_LIT(s) ((struct hl_slice){(s), sizeof(s) - 1})

/* hl_slice_str - slice over a C string; NULL gives the empty slice. borrows s. */
struct hl_slice hl_slice_str(const char *s);

bool hl_slice_eq(struct hl_slice a, struct hl_slice b);
bool hl_slice_eq_str(struct hl_slice a, const char *b);
/* ASCII case-insensitive comparison (header names, hex). */
bool hl_slice_eq_nocase(struct hl_slice a, const char *b);
bool hl_slice_has_prefix(struct hl_slice s, const char *prefix);

/* hl_slice_find - offset of the first needle in s, or -1. An empty needle is found at 0. */
ptrdiff_t hl_slice_find(struct hl_slice s, struct hl_slice needle);

/* hl_slice_trim - s without leading and trailing ASCII blanks, CR, LF and TAB. */
struct hl_slice hl_slice_trim(struct hl_slice s);

/* hl_slice_cut - splits at the first sep.
 * Gives   true with *head (before) and *tail (after); false with *head = s, *tail empty. */
bool hl_slice_cut(struct hl_slice s, char sep, struct hl_slice *head_r, struct hl_slice *tail_r);

/* hl_slice_u64 - decimal digits only, no sign, no blanks, no overflow.
 * Gives   true and *out; false leaves *out alone. */
bool hl_slice_u64(struct hl_slice s, uint64_t *out_r);

#endif
