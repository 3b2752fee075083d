/* error.h - failure classes that carry policy, and the fixed-size text that explains one
 *
 * A class says what the caller should do; the text says what could not be done
 * and why (lower case, no full stop, no function names). The struct is owned by
 * the caller, so reporting an error never allocates. Log once, at the layer that
 * decides what happens next.
 */
#ifndef HOTLINE_ERROR_H
#define HOTLINE_ERROR_H

enum hl_class {
	HL_OK = 0,
	HL_RETRY,   /* not done; the same call may work later */
	HL_REFUSED, /* not done and never will be */
	HL_UNKNOWN, /* may have happened; find out before doing it again */
	HL_INPUT,   /* the peer sent something wrong */
	HL_CONFIG,  /* the operator must mend a setting */
	HL_LIMIT,   /* one of our own caps was reached */
	HL_NOMEM,   /* out of memory */
	HL_BUG,     /* an assumption of ours does not hold */
};

struct hl_error {
	enum hl_class cls;
	char text[400];
};

/* hl_fail - records class and text; err may be NULL. Gives cls, so that `return hl_fail(...)` reads well. */
enum hl_class hl_fail(struct hl_error *err, enum hl_class cls, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* hl_error_prefix - puts "prefix: " in front of the text (file, line, field). err is not NULL: it holds the class. */
enum hl_class hl_error_prefix(struct hl_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* hl_class_name - lower-case word for logs and metrics. */
const char *hl_class_name(enum hl_class cls);

/* hl_assert - stays on in release builds: a broken invariant stops the process before it can lie about durability. */
#define hl_assert(cond) ((cond) ? (void)0 : hl_assert_failed(#cond, __FILE__, __LINE__))
_Noreturn void hl_assert_failed(const char *cond, const char *file, int line);

#endif
