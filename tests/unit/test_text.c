/* test_text.c - UTF-8 reading, decoding of providers' bytes, folding, blank texts */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <utf8proc.h>

#include "hotline/text.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int new_arena(void **state)
{
	static struct hl_arena arena;

	hl_arena_init(&arena, 1 << 20);
	*state = &arena;
	return 0;
}

static int free_arena(void **state)
{
	hl_arena_fini(*state);
	return 0;
}

struct row {
	const char *what, *charset;
	struct hl_slice bytes;
	const char *text;
};

#define ROW(what, charset, bytes, text)                                                                                \
	{                                                                                                              \
		what, charset, {bytes, sizeof(bytes) - 1}, text                                                        \
	}

static void check_rows(struct hl_arena *arena, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct hl_slice text = hl_text_decode(arena, rows[i].bytes, rows[i].charset);

		if (!hl_slice_eq_str(text, rows[i].text))
			fail_msg("%s: got '%.*s', want '%s'", rows[i].what, HL_SLICE_ARG(text), rows[i].text);
		assert_true(hl_text_is_utf8(text));
		assert_null(text.len ? memchr(text.ptr, '\0', text.len) : NULL);
		assert_int_equal(text.ptr[text.len], '\0');
	}
	assert_false(hl_arena_failed(arena));
}

static void utf8_is_judged_strictly(void **state)
{
	static const struct {
		struct hl_slice bytes;
		bool is_valid;
	} rows[] = {
		{HL_LIT(""), true},
		{HL_LIT("a\0b"), true},
		{HL_LIT("\xC2\x80\xDF\xBF"), true},
		{HL_LIT("\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"), true},
		{HL_LIT("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"), true},
		{HL_LIT("\x80"), false},
		{HL_LIT("\xC0\x80"), false},
		{HL_LIT("\xC1\xBF"), false},
		{HL_LIT("\xE0\x9F\xBF"), false},
		{HL_LIT("\xED\xA0\x80"), false},
		{HL_LIT("\xED\xBF\xBF"), false},
		{HL_LIT("\xF0\x8F\xBF\xBF"), false},
		{HL_LIT("\xF4\x90\x80\x80"), false},
		{HL_LIT("\xF5\x80\x80\x80"), false},
		{HL_LIT("\xFF"), false},
		{HL_LIT("\xE6\xB0"), false},
		{HL_LIT("\xE6\xB0\x41"), false},
		{HL_LIT("\xF0\x9F\x98"), false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (hl_text_is_utf8(rows[i].bytes) != rows[i].is_valid)
			fail_msg("row %zu", i);
}

static void every_code_point_survives_a_read(void **state)
{
	(void)state;
	for (uint32_t cp = 0x10000; cp <= 0x10FFFF; cp += 0x111) {
		const char bytes[] = {(char)(0xF0 | cp >> 18), (char)(0x80 | (cp >> 12 & 0x3F)),
				      (char)(0x80 | (cp >> 6 & 0x3F)), (char)(0x80 | (cp & 0x3F))};
		size_t pos = 0;

		assert_int_equal(hl_text_next((struct hl_slice){bytes, 4}, &pos), cp);
		assert_int_equal(pos, 4);
	}
}

static void a_broken_byte_reads_as_one_replacement(void **state)
{
	struct hl_slice s = HL_LIT("a\xE6\xB0z\xE6\xB0\xB4");
	static const uint32_t want[] = {'a', 0xFFFD, 0xFFFD, 'z', 0x6C34};
	size_t pos = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(want); i++)
		assert_int_equal(hl_text_next(s, &pos), want[i]);
	assert_int_equal(pos, s.len);
	assert_int_equal(hl_text_next(s, &pos), 0xFFFD);
	assert_int_equal(pos, s.len);
	assert_int_equal(hl_text_count(s), COUNT(want));
	assert_int_equal(hl_text_count((struct hl_slice){NULL, 0}), 0);
}

/* "6号楼停水了" stands for a resident's words: building 6, water is off. */
#define WATER     "6号楼停水了"
#define WATER_GBK "6\xBA\xC5\xC2\xA5\xCD\xA3\xCB\xAE\xC1\xCB"
#define WATER_16BE                                                                                                     \
	"\0"                                                                                                           \
	"6\x53\xF7\x69\x7C\x50\x5C\x6C\x34\x4E\x86"
#define WATER_16LE "6\0\xF7\x53\x7C\x69\x5C\x50\x34\x6C\x86\x4E"

static void declared_charsets_are_decoded(void **state)
{
	static const struct row rows[] = {
		ROW("utf-8", "UTF-8", WATER, WATER),
		ROW("gbk", "gbk", WATER_GBK, WATER),
		ROW("gb2312", "GB2312", WATER_GBK, WATER),
		ROW("gb18030", "GB18030", WATER_GBK, WATER),
		ROW("cp936", "\"cp936\"", WATER_GBK, WATER),
		ROW("utf-16be", "UTF-16BE", WATER_16BE, WATER),
		ROW("utf-16 without mark", "utf-16", WATER_16BE, WATER),
		ROW("ucs-2", "UCS-2", WATER_16BE, WATER),
		ROW("utf-16le", "utf_16le", WATER_16LE, WATER),
		ROW("latin-1", "ISO-8859-1", "caf\xE9", "café"),
		ROW("cp1252", "windows-1252", "\x80 5", "€ 5"),
		ROW("gbk emoji in four bytes", "gb18030", "\x94\x39\xFC\x36", "😀"),
		ROW("utf-16 surrogate pair", "utf-16be", "\xD8\x3D\xDE\x00", "😀"),
	};

	check_rows(*state, rows, COUNT(rows));
}

static void without_a_charset_it_is_detected(void **state)
{
	static const struct row rows[] = {
		ROW("utf-8", NULL, WATER, WATER),
		ROW("gbk", NULL, WATER_GBK, WATER),
		ROW("empty word", "", WATER_GBK, WATER),
		ROW("unknown word", "x-klingon", WATER_GBK, WATER),
		ROW("very long word", "x-klingon-with-a-name-that-never-ends", WATER_GBK, WATER),
		ROW("ascii", NULL, "no water", "no water"),
		ROW("neither: latin-1 end", NULL, "caf\xE9", "caf\xEF\xBF\xBD"),
		ROW("a replacement sent in gbk", NULL, "\xBA\xC5\x84\x31\xA4\x37", "号\xEF\xBF\xBD"),
		ROW("nothing", NULL, "", ""),
	};

	check_rows(*state, rows, COUNT(rows));
}

static void a_byte_order_mark_wins_and_goes(void **state)
{
	static const struct row rows[] = {
		ROW("utf-8 mark", NULL, "\xEF\xBB\xBF" WATER, WATER),
		ROW("utf-8 mark against gbk", "gbk", "\xEF\xBB\xBF" WATER, WATER),
		ROW("a mark behind what is dropped", "utf-8", "\0\x01\xEF\xBB\xBF" WATER, WATER),
		ROW("marks", NULL, "\xEF\xBB\xBF\xEF\xBB\xBF\xEF\xBB\xBF" WATER "\xEF\xBB\xBF", WATER "\xEF\xBB\xBF"),
		ROW("utf-16be mark", NULL, "\xFE\xFF" WATER_16BE, WATER),
		ROW("utf-16le mark against utf-16be", "UTF-16BE", "\xFF\xFE" WATER_16LE, WATER),
		ROW("utf-16le mark against utf-8", "UTF-8", "\xFF\xFE" WATER_16LE, WATER),
		ROW("gb18030 mark", "gb18030", "\x84\x31\x95\x33" WATER_GBK, WATER),
		ROW("mark alone", NULL, "\xEF\xBB\xBF", ""),
		ROW("mark inside stays", NULL,
		    "a\xEF\xBB\xBF"
		    "b",
		    "a\xEF\xBB\xBF"
		    "b"),
	};

	check_rows(*state, rows, COUNT(rows));
}

static void a_lying_charset_is_seen_through(void **state)
{
	static const struct row rows[] = {
		ROW("gbk called utf-8", "UTF-8", WATER_GBK, WATER),
		ROW("utf-8 called gbk", "gbk", WATER "。", WATER "。"),
		ROW("odd utf-8 called utf-16", "UTF-16BE", "hello", "hello"),
		/* These bytes are whole GB18030 too, and rubbish in it. */
		ROW("utf-8 cut inside a character", "UTF-8", WATER "停水\xE6", WATER "停水\xEF\xBF\xBD"),
		ROW("the same undeclared", NULL, WATER "停水\xE6", WATER "停水\xEF\xBF\xBD"),
	};

	check_rows(*state, rows, COUNT(rows));
}

static void broken_places_become_replacements_and_the_rest_stays(void **state)
{
	static const struct row rows[] = {
		ROW("truncated utf-8", "UTF-8", "停\xE6\xB0", "停\xEF\xBF\xBD\xEF\xBF\xBD"),
		ROW("overlong slash", "UTF-8", "a\xC0\xAF\xFF", "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"),
		ROW("surrogate in utf-8", "UTF-8", "a\xED\xA0\x80z", "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz"),
		ROW("stray byte", "UTF-8", "a\xFFz", "a\xEF\xBF\xBDz"),
		ROW("a replacement sent as such", "UTF-8", "a\xEF\xBF\xBDz", "a\xEF\xBF\xBDz"),
		ROW("truncated gbk", "gbk", "6\xBA\xC5\xC2", "6号\xEF\xBF\xBD"),
		ROW("truncated in four bytes", "gbk", "\xBA\xC5\x94\x39\xFC", "号\xEF\xBF\xBD"),
		ROW("broken gbk keeps ascii", "gbk",
		    "\xBA\xC5\xFF"
		    "12",
		    "号\xEF\xBF\xBD"
		    "12"),
		ROW("lone high surrogate at the end", "UTF-16BE", "\x6C\x34\xD8\x3D", "水\xEF\xBF\xBD"),
		ROW("lone low surrogate", "UTF-16BE", "\xDE\x00\x6C\x34", "\xEF\xBF\xBD水"),
		ROW("high surrogate before text", "UTF-16LE", "\x3D\xD8\x34\x6C", "\xEF\xBF\xBD水"),
		ROW("odd utf-16", "UTF-16BE", "\x53\xF7\x4E", "号\xEF\xBF\xBD"),
		ROW("cut after the mark", NULL, "\xFE\xFF\x6C\x34\x4E", "水\xEF\xBF\xBD"),
	};

	check_rows(*state, rows, COUNT(rows));
}

static void controls_go_and_line_ends_become_lf(void **state)
{
	static const struct row rows[] = {
		ROW("nul", "UTF-8", "a\0b", "ab"),
		ROW("nul in utf-16", "UTF-16BE", "\0a\0\0\0b", "ab"),
		ROW("c0", NULL,
		    "a\x01\x07\x1B\x1F"
		    "b",
		    "ab"),
		ROW("tab and lf", NULL, "a\tb\nc", "a\tb\nc"),
		ROW("cr lf", NULL, "a\r\nb\r\n", "a\nb\n"),
		ROW("cr alone still parts the lines", NULL, "a\rb\r\rc", "a\nb\n\nc"),
		ROW("lf lf", NULL, "a\n\nb", "a\n\nb"),
		ROW("nul only", NULL, "\0", ""),
	};

	check_rows(*state, rows, COUNT(rows));
}

/* The converter works in chunks; every length near their edge must come through whole. */
static void long_texts_come_through_whole(void **state)
{
	char gbk[380];

	for (size_t i = 0; i < sizeof(gbk); i++)
		gbk[i] = i % 2 ? '\xAE' : '\xCB';
	for (size_t n = 150; n <= sizeof(gbk) / 2; n++) {
		struct hl_slice text = hl_text_decode(*state, (struct hl_slice){gbk, 2 * n}, "gbk");

		assert_int_equal(text.len, 3 * n);
		assert_int_equal(hl_text_count(text), n);
	}
}

static void any_bytes_in_any_charset_give_valid_text(void **state)
{
	static const char *const charsets[] = {NULL, "utf-8", "gbk", "utf-16be", "utf-16le", "latin1", "cp1252"};
	unsigned seed = 1;

	for (int round = 0; round < 3000; round++) {
		struct hl_arena *arena = *state;
		char bytes[40];
		size_t len;
		struct hl_slice text;

		for (size_t i = 0; i < sizeof(bytes); i++) {
			seed = seed * 1103515245 + 12345;
			bytes[i] = (char)(seed >> 16);
		}
		len = (unsigned char)bytes[0] % sizeof(bytes);
		text = hl_text_decode(arena, (struct hl_slice){bytes + 1, len}, charsets[round % 7]);
		assert_true(hl_text_is_utf8(text));
		assert_false(hl_arena_failed(arena));
		assert_true(hl_text_is_utf8(hl_text_fold(arena, (struct hl_slice){bytes + 1, len})));
		hl_arena_fini(arena);
	}
}

static void a_full_arena_gives_the_empty_slice(void **state)
{
	struct hl_arena arena;

	(void)state;
	hl_arena_init(&arena, 16);
	assert_int_equal(hl_text_decode(&arena, HL_LIT("0123456789abcdef"), NULL).len, 0);
	assert_true(hl_arena_failed(&arena));
	hl_arena_fini(&arena);
	assert_int_equal(hl_text_fold(&arena, HL_LIT("0123456789abcdef")).len, 0);
	assert_true(hl_arena_failed(&arena));
	hl_arena_fini(&arena);
	assert_int_equal(hl_text_fold(&arena, HL_LIT("\xFF"
						     "23456789"))
				 .len,
			 0);
	assert_true(hl_arena_failed(&arena));
	hl_arena_fini(&arena);
}

static void folding_gives_the_form_for_matching(void **state)
{
	static const struct {
		const char *raw, *folded;
	} rows[] = {
		{"", ""},
		{"SIGN 12", "sign 12"},
		{"１２３４５", "12345"},
		{"ＡＢＣ：（９）", "abc:(9)"},
		{"a \t\n　b", "a b"},
		{"  a  ", " a "},
		{"水\xC2\xA0\xE2\x80\xA8停", "水 停"},
		{"ﬁre №1 ①", "fire no1 1"},
		{"停\xE2\x80\x8B水\xEF\xB8\x8F", "停水"},
		{"e\xCC\x81", "é"},
		{"ÄÖ", "äö"},
		{"。", "。"},
		{"a\xFFz", "a\xEF\xBF\xBDz"},
		{"水\xFF", "水\xEF\xBF\xBD"},
		{"陽光花園3號樓電梯壞了", "阳光花园3号楼电梯坏了"},
		{"Ａ\xCC\x8A", "å"},
		{"\xCC\x81", "\xCC\x81"},
		{"３\xEF\xB8\x8F\xE2\x83\xA3", "3\xE2\x83\xA3"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct hl_slice folded = hl_text_fold(*state, hl_slice_str(rows[i].raw));

		if (!hl_slice_eq_str(folded, rows[i].folded))
			fail_msg("row %zu: got '%.*s', want '%s'", i, HL_SLICE_ARG(folded), rows[i].folded);
	}
}

/* Code points of all kinds that fold.c tells apart, and of those that only utf8proc knows; none is a traditional form.
 */
static uint32_t random_code_point(uint32_t *seed)
{
	static const uint32_t ranges[][2] = {{0x20, 0x5f},  {0x300, 0x6f},  {0xff01, 0xee}, {0x1100, 0xff},
					     {0xac00, 256}, {0x3041, 0x5f}, {0x3099, 2},    {0x2000, 0x6f},
					     {0x4e00, 3},   {0xc0, 0x180},  {0x2460, 64},   {0x1f600, 32},
					     {0x900, 0x80}, {0x3000, 32},   {0x4dc0, 64}};
	uint32_t r = *seed = *seed * 1664525u + 1013904223u;
	const uint32_t *range = ranges[(r >> 24) % COUNT(ranges)];

	return range[0] + (r >> 8) % range[1];
}

static bool is_any_blank(uint32_t cp)
{
	utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)cp);

	return (cp >= '\t' && cp <= '\r') || cp == 0x85 || category == UTF8PROC_CATEGORY_ZS ||
	       category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

/* The whole by utf8proc, then runs of blanks to one. */
static struct hl_slice fold_plainly(struct hl_arena *arena, struct hl_slice s)
{
	static const utf8proc_option_t options =
		(utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD |
				    UTF8PROC_IGNORE);
	utf8proc_uint8_t *mapped = NULL;
	utf8proc_ssize_t len = utf8proc_map((const utf8proc_uint8_t *)s.ptr, (utf8proc_ssize_t)s.len, &mapped, options);
	struct hl_slice whole = hl_arena_dup(arena, (struct hl_slice){(char *)mapped, (size_t)len}), out = {0};
	char *to = hl_arena_alloc(arena, whole.len + 1);
	bool was_blank = false;

	free(mapped);
	for (size_t pos = 0; pos < whole.len;) {
		size_t start = pos;
		bool is_blank = is_any_blank(hl_text_next(whole, &pos));

		if (is_blank && !was_blank)
			to[out.len++] = ' ';
		for (; !is_blank && start < pos; start++)
			to[out.len++] = whole.ptr[start];
		was_blank = is_blank;
	}
	out.ptr = to;
	return out;
}

static void folding_is_that_of_utf8proc(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (size_t round = 0; round < 20000; round++) {
		char text[64];
		struct hl_slice s = {text, 0}, got, wanted;
		struct hl_arena arena;

		for (size_t i = 0; i < 1 + round % 9; i++)
			s.len += (size_t)utf8proc_encode_char((utf8proc_int32_t)random_code_point(&seed),
							      (utf8proc_uint8_t *)text + s.len);
		hl_arena_init(&arena, 1 << 16);
		got = hl_text_fold(&arena, s);
		wanted = fold_plainly(&arena, s);
		if (!hl_slice_eq(got, wanted))
			fail_msg("'%.*s' folds to '%.*s', utf8proc says '%.*s'", HL_SLICE_ARG(s), HL_SLICE_ARG(got),
				 HL_SLICE_ARG(wanted));
		hl_arena_fini(&arena);
	}
}

static void blank_means_nothing_to_read(void **state)
{
	static const struct {
		const char *text;
		bool is_blank;
	} rows[] = {
		{"", true},      {" \t\n　", true}, {"？！...", true}, {"\xE2\x80\x8B", true},
		{"👍", true},     {"a", false},      {"1", false},      {"①", false},
		{" 水 ", false}, {"١", false},      {"\xFF", false},   {"\xEE\x80\x80", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (hl_text_is_blank(hl_slice_str(rows[i].text)) != rows[i].is_blank)
			fail_msg("row %zu: '%s'", i, rows[i].text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_is_judged_strictly),
		cmocka_unit_test(every_code_point_survives_a_read),
		cmocka_unit_test(a_broken_byte_reads_as_one_replacement),
		cmocka_unit_test_setup_teardown(declared_charsets_are_decoded, new_arena, free_arena),
		cmocka_unit_test_setup_teardown(without_a_charset_it_is_detected, new_arena, free_arena),
		cmocka_unit_test_setup_teardown(a_byte_order_mark_wins_and_goes, new_arena, free_arena),
		cmocka_unit_test_setup_teardown(a_lying_charset_is_seen_through, new_arena, free_arena),
		cmocka_unit_test_setup_teardown(broken_places_become_replacements_and_the_rest_stays, new_arena,
						free_arena),
		cmocka_unit_test_setup_teardown(controls_go_and_line_ends_become_lf, new_arena, free_arena),
		cmocka_unit_test_setup_teardown(long_texts_come_through_whole, new_arena, free_arena),
		cmocka_unit_test_setup_teardown(any_bytes_in_any_charset_give_valid_text, new_arena, free_arena),
		cmocka_unit_test(a_full_arena_gives_the_empty_slice),
		cmocka_unit_test_setup_teardown(folding_gives_the_form_for_matching, new_arena, free_arena),
		cmocka_unit_test(folding_is_that_of_utf8proc),
		cmocka_unit_test(blank_means_nothing_to_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
