/* fuzz_text.c - bytes in any charset become clean UTF-8, and everything that reads texts can read them
 *
 * Byte 0 chooses the charset, the rest is the text. */
#include "hotline/error.h"
#include "hotline/segments.h"
#include "hotline/text.h"

#include <string.h>

#define ARENA_BYTES (8u << 20)

static void check_phone(struct hl_arena *arena, struct hl_slice text)
{
	struct hl_slice phone;
	char masked[24];

	if (hl_phone_normalise(arena, text, "86", &phone))
		hl_assert(phone.len >= 3 && phone.len <= 16);
	hl_phone_mask(phone, masked, sizeof(masked));
	hl_assert(strlen(masked) < sizeof(masked));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const charsets[] = {NULL,       "UTF-8",    "gbk",        "gb18030",
					       "utf-16be", "utf-16le", "iso-8859-1", "windows-1252"};
	struct hl_slice text, folded;
	struct hl_segments segments;
	struct hl_arena arena;

	if (size == 0)
		return 0;
	hl_arena_init(&arena, ARENA_BYTES);
	text = hl_text_decode(&arena, (struct hl_slice){(const char *)data + 1, size - 1}, charsets[data[0] % 8]);
	hl_assert(hl_text_is_utf8(text) && (text.len == 0 || !memchr(text.ptr, 0, text.len)));
	/* Clean text stays as it is. */
	hl_assert(hl_slice_eq(hl_text_decode(&arena, text, "UTF-8"), text));
	folded = hl_text_fold(&arena, text);
	hl_assert(hl_text_is_utf8(folded));
	hl_text_is_blank(text);
	hl_segments_plan(text, HL_LIT("热线"), &segments);
	hl_assert(segments.units >= hl_text_count(text));
	check_phone(&arena, text);
	hl_arena_fini(&arena);
	return 0;
}
