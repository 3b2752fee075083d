/* error.c - failure classes and the text that explains one
 *
 * Owns nothing: the struct is the caller's, so reporting never allocates.
 * Limits: a text longer than the struct is cut, never in the middle of a UTF-8 character.
 */
#include "hotline/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

/* A cut may leave the first bytes of a character at the end; they would make the line invalid UTF-8. */
static void drop_cut_character(char *text, size_t len)
{
	size_t start = len;
	size_t need;
	unsigned char lead;

	while (start > 0 && len - start < 3 && is_continuation(text[start - 1]))
		start--;
	if (start == 0)
		return;
	lead = (unsigned char)text[start - 1];
	need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
	if (need > len - start + 1)
		text[start - 1] = '\0';
}

__attribute__((format(printf, 3, 0))) static void set_text(char *text, size_t size, const char *fmt, va_list args)
{
	int n = vsnprintf(text, size, fmt, args);

	if (n < 0)
		text[0] = '\0';
	else if ((size_t)n >= size)
		drop_cut_character(text, size - 1);
}

/* The text goes through a copy: the arguments may well be parts of err itself. */
enum hl_class hl_fail(struct hl_error *err, enum hl_class cls, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list args;

	if (!err)
		return cls;
	va_start(args, fmt);
	set_text(text, sizeof(text), fmt, args);
	va_end(args);
	err->cls = cls;
	memcpy(err->text, text, strlen(text) + 1);
	return cls;
}

enum hl_class hl_error_prefix(struct hl_error *err, const char *fmt, ...)
{
	char prefix[sizeof(err->text)];
	va_list args;

	hl_assert(err);
	va_start(args, fmt);
	set_text(prefix, sizeof(prefix), fmt, args);
	va_end(args);
	return hl_fail(err, err->cls, "%s: %s", prefix, err->text);
}

const char *hl_class_name(enum hl_class cls)
{
	static const char *const names[] = {
		[HL_OK] = "ok",           [HL_RETRY] = "retry", [HL_REFUSED] = "refused",
		[HL_UNKNOWN] = "unknown", [HL_INPUT] = "input", [HL_CONFIG] = "config",
		[HL_LIMIT] = "limit",     [HL_NOMEM] = "nomem", [HL_BUG] = "bug",
	};
	size_t i = (size_t)cls;

	return i < sizeof(names) / sizeof(names[0]) ? names[i] : "invalid";
}

void hl_assert_failed(const char *cond, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, cond);
	abort();
}
