/* fuzz_form.c - no form and no key make the reader of forms read outside them; what is encoded decodes to itself
 *
 * The first line is the key, the rest the form. */
#include "hotline/error.h"
#include "hotline/http_parse.h"

#include <string.h>

#define ARENA_BYTES (4u << 20)
#define KEY_BYTES   64

static void check_round_trip(struct hl_arena *arena, struct hl_slice bytes)
{
	struct hl_buf out;
	struct hl_slice back;

	hl_buf_init(&out, ARENA_BYTES);
	hl_url_encode(&out, bytes);
	hl_assert(hl_url_decode(arena, hl_buf_slice(&out), true, &back) && hl_slice_eq(back, bytes));
	hl_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hl_slice input = {(const char *)data, size}, word, form, value;
	char key[KEY_BYTES] = "";
	struct hl_arena arena;

	hl_slice_cut(input, '\n', &word, &form);
	memcpy(key, word.ptr, word.len < KEY_BYTES ? word.len : KEY_BYTES - 1);
	hl_arena_init(&arena, ARENA_BYTES);
	if (hl_form_get(&arena, form, key, &value))
		hl_assert(value.len <= form.len);
	for (int plus_is_blank = 0; plus_is_blank < 2; plus_is_blank++)
		if (hl_url_decode(&arena, form, plus_is_blank, &value))
			hl_assert(value.len <= form.len);
	check_round_trip(&arena, form);
	hl_arena_fini(&arena);
	return 0;
}
