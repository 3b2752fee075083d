/* buf.c - growing byte buffer with a maximum and a sticky failure
 *
 * Owns its memory. Must not know what the bytes mean.
 * The maximum counts content; the terminator is one byte more. An add that does
 * not fit adds nothing. Limits: one thread; what is added must not lie in the buffer.
 */
#include "hotline/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES ((size_t)256)

void hl_buf_init(struct hl_buf *buf, size_t max_bytes)
{
	*buf = (struct hl_buf){.max_bytes = max_bytes};
}

void hl_buf_fini(struct hl_buf *buf)
{
	free(buf->ptr);
	hl_buf_init(buf, buf->max_bytes);
}

void hl_buf_reset(struct hl_buf *buf)
{
	buf->len = 0;
	buf->failed = false;
	if (buf->ptr)
		buf->ptr[0] = '\0';
}

/* cap is what fits without the terminator, so cap never exceeds max_bytes. */
static bool reserve(struct hl_buf *buf, size_t n)
{
	size_t want, cap;
	char *ptr;

	if (buf->failed)
		return false;
	if (buf->ptr && n <= buf->cap - buf->len)
		return true;
	buf->failed = true;
	if (n > buf->max_bytes - buf->len)
		return false;
	want = buf->len + n;
	cap = buf->cap > buf->max_bytes / 2 ? buf->max_bytes : buf->cap * 2;
	if (cap < FIRST_BYTES)
		cap = FIRST_BYTES < buf->max_bytes ? FIRST_BYTES : buf->max_bytes;
	if (cap < want)
		cap = want;
	ptr = cap < SIZE_MAX ? realloc(buf->ptr, cap + 1) : NULL;
	if (!ptr)
		return false;
	buf->ptr = ptr;
	buf->cap = cap;
	buf->failed = false;
	return true;
}

void hl_buf_add(struct hl_buf *buf, struct hl_slice s)
{
	if (!reserve(buf, s.len))
		return;
	if (s.len > 0)
		memcpy(buf->ptr + buf->len, s.ptr, s.len);
	buf->len += s.len;
	buf->ptr[buf->len] = '\0';
}

void hl_buf_add_str(struct hl_buf *buf, const char *s)
{
	hl_buf_add(buf, hl_slice_str(s));
}

void hl_buf_add_char(struct hl_buf *buf, char c)
{
	hl_buf_add(buf, (struct hl_slice){&c, 1});
}

void hl_buf_printf(struct hl_buf *buf, const char *fmt, ...)
{
	va_list args, again;
	int n;

	va_start(args, fmt);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, args);
	if (n < 0)
		buf->failed = true;
	else if (reserve(buf, (size_t)n)) {
		vsnprintf(buf->ptr + buf->len, (size_t)n + 1, fmt, again);
		buf->len += (size_t)n;
	}
	va_end(again);
	va_end(args);
}

struct hl_slice hl_buf_slice(const struct hl_buf *buf)
{
	return (struct hl_slice){hl_buf_str(buf), buf->len};
}

const char *hl_buf_str(const struct hl_buf *buf)
{
	return buf->ptr ? buf->ptr : "";
}

bool hl_buf_failed(const struct hl_buf *buf)
{
	return buf->failed;
}
