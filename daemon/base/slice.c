/* slice.c - comparing, searching and cutting borrowed runs of bytes; pure
 *
 * Owns nothing. Must not know encodings or allocation.
 * Limits: case folding and trimming are ASCII only, whatever the locale.
 */
#include "hotline/slice.h"

#include <string.h>

struct hl_slice hl_slice_str(const char *s)
{
	return (struct hl_slice){s, s ? strlen(s) : 0};
}

/* memcmp must not see the NULL of an empty slice, not even with length 0. */
bool hl_slice_eq(struct hl_slice a, struct hl_slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool hl_slice_eq_str(struct hl_slice a, const char *b)
{
	return hl_slice_eq(a, hl_slice_str(b));
}

static unsigned char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : (unsigned char)c;
}

bool hl_slice_eq_nocase(struct hl_slice a, const char *b)
{
	struct hl_slice other = hl_slice_str(b);

	if (a.len != other.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.ptr[i]) != lower(other.ptr[i]))
			return false;
	return true;
}

bool hl_slice_has_prefix(struct hl_slice s, const char *prefix)
{
	struct hl_slice head = hl_slice_str(prefix);

	if (s.len < head.len)
		return false;
	return hl_slice_eq((struct hl_slice){s.ptr, head.len}, head);
}

ptrdiff_t hl_slice_find(struct hl_slice s, struct hl_slice needle)
{
	const char *hit;

	if (needle.len == 0)
		return 0;
	if (s.len < needle.len)
		return -1;
	hit = memmem(s.ptr, s.len, needle.ptr, needle.len);
	return hit ? hit - s.ptr : -1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct hl_slice hl_slice_trim(struct hl_slice s)
{
	while (s.len > 0 && is_blank(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

/* s is a copy, so head_r or tail_r may be the variable s was read from. */
bool hl_slice_cut(struct hl_slice s, char sep, struct hl_slice *head_r, struct hl_slice *tail_r)
{
	const char *hit = s.len > 0 ? memchr(s.ptr, sep, s.len) : NULL;

	if (!hit) {
		*head_r = s;
		*tail_r = (struct hl_slice){NULL, 0};
		return false;
	}
	*head_r = (struct hl_slice){s.ptr, (size_t)(hit - s.ptr)};
	*tail_r = (struct hl_slice){hit + 1, s.len - head_r->len - 1};
	return true;
}

bool hl_slice_u64(struct hl_slice s, uint64_t *out_r)
{
	uint64_t value = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
		    __builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value))
			return false;
	}
	*out_r = value;
	return true;
}
