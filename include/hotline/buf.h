/* buf.h - a growing byte buffer that is born with a maximum
 *
 * Failure (cap or memory) is sticky: later adds do nothing and hl_buf_failed
 * says so, so a run of adds needs one check. The content is always
 * NUL-terminated behind len once something was added.
 */
#ifndef HOTLINE_BUF_H
#define HOTLINE_BUF_H

#include "hotline/slice.h"

struct hl_buf {
	char *ptr;
	size_t len, cap, max_bytes;
	bool failed;
};

void hl_buf_init(struct hl_buf *buf, size_t max_bytes);
void hl_buf_fini(struct hl_buf *buf);
/* hl_buf_reset - empties it, keeps the memory, clears a failure. */
void hl_buf_reset(struct hl_buf *buf);
void hl_buf_add(struct hl_buf *buf, struct hl_slice s);
void hl_buf_add_str(struct hl_buf *buf, const char *s);
void hl_buf_add_char(struct hl_buf *buf, char c);
void hl_buf_printf(struct hl_buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct hl_slice hl_buf_slice(const struct hl_buf *buf);
/* hl_buf_str - content as C string, "" when empty. borrows. */
const char *hl_buf_str(const struct hl_buf *buf);
bool hl_buf_failed(const struct hl_buf *buf);

#endif
