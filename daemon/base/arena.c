/* arena.c - request memory: a chain of blocks cut from the front, freed at once
 *
 * Owns its blocks. Must not know what is stored in them.
 * The cap counts bytes handed out, each rounded up to the alignment. What malloc
 * holds can be more by a header and at most a quarter of waste per block, and by the
 * rest of the open one.
 * Limits: nothing can be given back singly; one thread.
 */
#include "hotline/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(ptr, n)   ((void)(ptr), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(ptr, n) ((void)(ptr), (void)(n))
#endif

#define ALIGN       _Alignof(max_align_t)
#define BLOCK_BYTES ((size_t)4096)
#define LARGE_BYTES (BLOCK_BYTES / 4)

struct hl_arena_block {
	struct hl_arena_block *next;
	size_t used_bytes, size_bytes;
	_Alignas(max_align_t) char data[];
};

void hl_arena_init(struct hl_arena *arena, size_t max_bytes)
{
	*arena = (struct hl_arena){.max_bytes = max_bytes};
}

void hl_arena_fini(struct hl_arena *arena)
{
	while (arena->head) {
		struct hl_arena_block *block = arena->head;

		arena->head = block->next;
		free(block);
	}
	hl_arena_init(arena, arena->max_bytes);
}

static void *fail(struct hl_arena *arena)
{
	arena->failed = true;
	return NULL;
}

static struct hl_arena_block *new_block(size_t size_bytes)
{
	struct hl_arena_block *block = malloc(sizeof(*block) + size_bytes);

	if (!block)
		return NULL;
	*block = (struct hl_arena_block){.size_bytes = size_bytes};
	ASAN_POISON_MEMORY_REGION(block->data, size_bytes);
	return block;
}

/* A large piece gets a block of its own behind the head, so that the head's free rest stays in use. */
static struct hl_arena_block *add_block(struct hl_arena *arena, size_t n_bytes)
{
	bool is_large = n_bytes > LARGE_BYTES;
	struct hl_arena_block *block = new_block(is_large ? n_bytes : BLOCK_BYTES);

	if (!block)
		return NULL;
	if (is_large && arena->head) {
		block->next = arena->head->next;
		arena->head->next = block;
	} else {
		block->next = arena->head;
		arena->head = block;
	}
	return block;
}

static void *take(struct hl_arena *arena, size_t n_bytes)
{
	struct hl_arena_block *block = arena->head;
	size_t room = arena->max_bytes - arena->used_bytes;
	size_t rounded;
	char *piece;

	if (arena->failed || n_bytes > room || n_bytes > SIZE_MAX - ALIGN)
		return fail(arena);
	/* An empty piece takes room too: two pieces never share an address. */
	rounded = n_bytes ? (n_bytes + ALIGN - 1) / ALIGN * ALIGN : ALIGN;
	if (rounded > room)
		return fail(arena);
	if (!block || block->size_bytes - block->used_bytes < rounded)
		block = add_block(arena, rounded);
	if (!block)
		return fail(arena);

	piece = block->data + block->used_bytes;
	block->used_bytes += rounded;
	arena->used_bytes += rounded;
	ASAN_UNPOISON_MEMORY_REGION(piece, n_bytes);
	return piece;
}

void *hl_arena_alloc(struct hl_arena *arena, size_t n_bytes)
{
	void *piece = take(arena, n_bytes);

	return piece ? memset(piece, 0, n_bytes) : NULL;
}

void *hl_arena_raw(struct hl_arena *arena, size_t n, size_t size_bytes)
{
	size_t total;

	if (__builtin_mul_overflow(n, size_bytes, &total))
		return fail(arena);
	return take(arena, total);
}

void *hl_arena_array(struct hl_arena *arena, size_t n, size_t size_bytes)
{
	size_t total;

	if (__builtin_mul_overflow(n, size_bytes, &total))
		return fail(arena);
	return hl_arena_alloc(arena, total);
}

struct hl_slice hl_arena_dup(struct hl_arena *arena, struct hl_slice s)
{
	char *copy = s.len < SIZE_MAX ? hl_arena_alloc(arena, s.len + 1) : fail(arena);

	if (!copy)
		return HL_LIT("");
	if (s.len > 0)
		memcpy(copy, s.ptr, s.len);
	return (struct hl_slice){copy, s.len};
}

/* What a failed call gives back: writable by type, but one byte that is the terminator already. */
static char *empty_string(void)
{
	static char empty[1];

	return empty;
}

char *hl_arena_strdup(struct hl_arena *arena, struct hl_slice s)
{
	char *copy = s.len < SIZE_MAX ? hl_arena_alloc(arena, s.len + 1) : fail(arena);

	if (!copy)
		return empty_string();
	if (s.len > 0)
		memcpy(copy, s.ptr, s.len);
	return copy;
}

char *hl_arena_printf(struct hl_arena *arena, const char *fmt, ...)
{
	va_list args, again;
	char *text = NULL;
	int n;

	va_start(args, fmt);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, args);
	if (n >= 0)
		text = hl_arena_alloc(arena, (size_t)n + 1);
	else
		fail(arena);
	if (text)
		vsnprintf(text, (size_t)n + 1, fmt, again);
	va_end(again);
	va_end(args);
	return text ? text : empty_string();
}

bool hl_arena_failed(const struct hl_arena *arena)
{
	return arena->failed;
}
