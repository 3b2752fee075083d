/* test_simplified.c - the table of simplified characters is ICU's; with HL_SIMPLIFIED_TABLE=1 it prints that table
 *
 * `make simplified-table` writes what is printed to daemon/base/simplified.def.
 */
#include "hotline/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unicode/utrans.h>

#define FIRST 0x3400u
#define END   0xa000u
#define WORDS ((END - FIRST) / 64)

static UTransliterator *open_icu(void)
{
	static const UChar id[] = u"Traditional-Simplified";
	UErrorCode status = U_ZERO_ERROR;
	UTransliterator *t = utrans_openU(id, -1, UTRANS_FORWARD, NULL, -1, NULL, &status);

	if (U_FAILURE(status))
		fail_msg("ICU has no Traditional-Simplified: %s", u_errorName(status));
	return t;
}

/* What ICU makes of one character; itself where that is not one character. */
static UChar simplified(const UTransliterator *t, UChar c)
{
	UChar text[8] = {c};
	int32_t len = 1, limit = 1;
	UErrorCode status = U_ZERO_ERROR;

	utrans_transUChars(t, text, &len, 8, 0, &limit, &status);
	assert_true(U_SUCCESS(status));
	return len == 1 && text[0] >= FIRST && text[0] < END ? text[0] : c;
}

static void print_table(const UTransliterator *t)
{
	static uint64_t bits[WORDS];
	static UChar to[END - FIRST];
	static unsigned ranks[WORDS];
	unsigned n = 0;

	for (uint32_t c = FIRST; c < END; c++) {
		UChar s = simplified(t, (UChar)c);

		if ((c - FIRST) % 64 == 0)
			ranks[(c - FIRST) / 64] = n;
		if (s == c)
			continue;
		bits[(c - FIRST) / 64] |= 1ull << (c - FIRST) % 64;
		to[n++] = s;
	}
	printf("/* simplified.def - made by `make simplified-table` from ICU's Traditional-Simplified; do not edit "
	       "*/\n");
	printf("static const uint64_t traditional_bits[] = {");
	for (size_t i = 0; i < WORDS; i++)
		printf("%s0x%llx,", i % 6 ? " " : "\n\t", (unsigned long long)bits[i]);
	printf("\n};\nstatic const uint16_t traditional_ranks[] = {");
	for (size_t i = 0; i < WORDS; i++)
		printf("%s%u,", i % 18 ? " " : "\n\t", ranks[i]);
	printf("\n};\nstatic const uint16_t simplified_to[] = {");
	for (size_t i = 0; i < n; i++)
		printf("%s0x%x,", i % 14 ? " " : "\n\t", to[i]);
	printf("\n};\n");
}

static size_t spell(uint32_t c, char out[4])
{
	out[0] = (char)(0xe0 | c >> 12);
	out[1] = (char)(0x80 | (c >> 6 & 0x3f));
	out[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

static void folds_to_what_icu_calls_simplified(void **state)
{
	UTransliterator *t = open_icu();
	size_t n_changed = 0;

	(void)state;
	for (uint32_t c = FIRST; c < END; c++) {
		struct hl_arena arena;
		char was[4], is[4];
		struct hl_slice folded;
		UChar s;

		hl_arena_init(&arena, 4096);
		folded = hl_text_fold(&arena, (struct hl_slice){was, spell(c, was)});
		s = simplified(t, (UChar)c);
		if (!hl_slice_eq(folded, (struct hl_slice){is, spell(s, is)}))
			fail_msg("U+%04X folds to \"%.*s\", ICU says U+%04X", c, HL_SLICE_ARG(folded), s);
		n_changed += s != c;
		hl_arena_fini(&arena);
	}
	assert_true(n_changed > 2000);
	utrans_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folds_to_what_icu_calls_simplified),
	};

	if (getenv("HL_SIMPLIFIED_TABLE")) {
		UTransliterator *t = open_icu();

		print_table(t);
		utrans_close(t);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
