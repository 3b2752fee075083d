/* arena.h - memory that lives and dies with one request or job
 *
 * A chain of blocks with a total cap; everything is freed at once. When the cap
 * or the system's memory is reached the arena goes into a sticky failed state and
 * hands out NULL; callers may check once at the end (hl_arena_failed).
 * Not for: long-lived objects, growing strings (buf.h).
 */
#ifndef HOTLINE_ARENA_H
#define HOTLINE_ARENA_H

#include "hotline/slice.h"

struct hl_arena_block;

struct hl_arena {
	struct hl_arena_block *head;
	size_t used_bytes, max_bytes;
	bool failed;
};

/* hl_arena_init - an empty arena that will never hold more than max_bytes. Allocates nothing yet. */
void hl_arena_init(struct hl_arena *arena, size_t max_bytes);
/* hl_arena_fini - frees everything; the arena is empty and usable again. */
void hl_arena_fini(struct hl_arena *arena);
/* hl_arena_alloc - n zeroed bytes aligned for any type, or NULL (sticky). */
void *hl_arena_alloc(struct hl_arena *arena, size_t n_bytes);
/* hl_arena_array - like alloc with overflow-checked n * size. */
void *hl_arena_array(struct hl_arena *arena, size_t n, size_t size_bytes);
/* hl_arena_raw - like array, but not zeroed: for what is written before it is read, where zeroing would cost most. */
void *hl_arena_raw(struct hl_arena *arena, size_t n, size_t size_bytes);
/* hl_arena_dup - copy of s, NUL-terminated behind its end; the empty slice on failure. */
struct hl_slice hl_arena_dup(struct hl_arena *arena, struct hl_slice s);
/* hl_arena_strdup - copy of s as C string; "" on failure, never NULL. */
char *hl_arena_strdup(struct hl_arena *arena, struct hl_slice s);
/* hl_arena_printf - formatted C string; "" on failure, never NULL. */
char *hl_arena_printf(struct hl_arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool hl_arena_failed(const struct hl_arena *arena);

#endif
