/* test_names.c - the searches over many names against the plainest way to do the same */
#include "intake/names.h"
#include "intake/phrases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a)     (sizeof(a) / sizeof((a)[0]))
#define N_NAMES    80
#define NAME_MAX_N 7
#define TEXT_N     40
#define HITS_MAX   4000

struct hit {
	uint32_t tag;
	size_t start, end;
};

struct hits {
	struct hit list[HITS_MAX];
	size_t n;
};

/* A small alphabet, so that names overlap; no character of it tells places apart. */
static const uint32_t alphabet[] = {0x9633, 0x5149, 0x82b1, 0x56ed, 0x5c0f, 0x533a};

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void on_hit(void *arg, uint32_t tag, size_t start, size_t end)
{
	struct hits *hits = arg;
	struct hit hit = {tag, start, end};

	for (size_t i = 0; i < hits->n; i++)
		if (memcmp(&hits->list[i], &hit, sizeof(hit)) == 0)
			return;
	assert_true(hits->n < HITS_MAX);
	hits->list[hits->n++] = hit;
}

static int by_place(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return x->tag < y->tag ? -1 : x->tag > y->tag;
}

static void assert_same_hits(struct hits *got, struct hits *wanted)
{
	qsort(got->list, got->n, sizeof(struct hit), by_place);
	qsort(wanted->list, wanted->n, sizeof(struct hit), by_place);
	for (size_t i = 0; i < got->n && i < wanted->n; i++)
		if (by_place(&got->list[i], &wanted->list[i]) != 0)
			fail_msg("hit %zu: got %u at %zu-%zu, wanted %u at %zu-%zu", i, got->list[i].tag,
				 got->list[i].start, got->list[i].end, wanted->list[i].tag, wanted->list[i].start,
				 wanted->list[i].end);
	assert_int_equal(got->n, wanted->n);
}

struct word {
	uint32_t cps[TEXT_N];
	size_t n;
};

static struct word random_word(uint32_t *seed, size_t least, size_t most)
{
	struct word w = {.n = least + next_random(seed) % (most - least + 1)};

	for (size_t i = 0; i < w.n; i++)
		w.cps[i] = alphabet[next_random(seed) % LEN(alphabet)];
	return w;
}

static struct hl_slice spell(struct hl_arena *arena, const struct word *w)
{
	char *out = hl_arena_alloc(arena, w->n * 3), *p = out;

	for (size_t i = 0; i < w->n; i++) {
		*p++ = (char)(0xe0 | w->cps[i] >> 12);
		*p++ = (char)(0x80 | (w->cps[i] >> 6 & 0x3f));
		*p++ = (char)(0x80 | (w->cps[i] & 0x3f));
	}
	return (struct hl_slice){out, w->n * 3};
}

static bool starts_with(const struct word *text, size_t at, const struct word *name, size_t left_out_text,
			size_t left_out_name, size_t n)
{
	size_t i = 0, j = 0;

	for (;; i++, j++) {
		i += i == left_out_text;
		j += j == left_out_name;
		if (i >= n || j >= name->n)
			return i >= n && j >= name->n;
		if (text->cps[at + i] != name->cps[j])
			return false;
	}
}

/* is_near - n characters from here are the name with one slip. */
static bool is_near(const struct word *text, size_t at, size_t n, const struct word *name)
{
	for (size_t k = 0; k < n && n == name->n; k++)
		if (text->cps[at + k] != name->cps[k] && starts_with(text, at, name, k, k, n))
			return true;
	for (size_t k = 0; k < name->n && n + 1 == name->n; k++)
		if (starts_with(text, at, name, SIZE_MAX, k, n) && (name->n > HL_NEAR_RUNES || k >= 2 || at == 0))
			return true;
	for (size_t k = 1; k < n && n == name->n + 1; k++)
		if (text->cps[at + k] == text->cps[at + k - 1] && starts_with(text, at, name, k, SIZE_MAX, n))
			return true;
	return false;
}

struct world {
	struct hl_arena arena;
	struct word words[N_NAMES];
	struct hl_names *names;
};

static struct world *make_world(uint32_t *seed)
{
	struct world *w = calloc(1, sizeof(*w));
	struct hl_name list[N_NAMES];
	size_t bad;

	hl_arena_init(&w->arena, 1 << 20);
	for (uint32_t i = 0; i < N_NAMES; i++) {
		w->words[i] = random_word(seed, 1, NAME_MAX_N);
		list[i] = (struct hl_name){spell(&w->arena, &w->words[i]), i, i % 2};
	}
	assert_int_equal(hl_names_new(list, N_NAMES, &w->names, &bad, NULL), HL_OK);
	return w;
}

static void free_world(struct world *w)
{
	hl_names_free(&w->names);
	assert_null(w->names);
	hl_arena_fini(&w->arena);
	free(w);
}

static void compare_one(struct world *w, uint32_t *seed)
{
	static struct hits exact, near, wanted_exact, wanted_near;
	struct word text = random_word(seed, 0, TEXT_N);
	struct hl_runes runes;

	exact.n = near.n = wanted_exact.n = wanted_near.n = 0;
	assert_true(hl_runes_read(spell(&w->arena, &text), &w->arena, &runes));
	assert_int_equal(runes.n, text.n);
	hl_names_scan(w->names, &runes, on_hit, &exact);
	assert_true(hl_names_near(w->names, &runes, &w->arena, on_hit, &near));
	for (uint32_t i = 0; i < N_NAMES; i++)
		for (size_t at = 0; at < text.n; at++)
			for (size_t n = 1; n <= NAME_MAX_N + 1 && at + n <= text.n; n++) {
				if (n == w->words[i].n && starts_with(&text, at, &w->words[i], SIZE_MAX, SIZE_MAX, n))
					on_hit(&wanted_exact, i, at, at + n);
				if (i % 2 && w->words[i].n >= HL_NEAR_RUNES && is_near(&text, at, n, &w->words[i]))
					on_hit(&wanted_near, i, at, at + n);
			}
	assert_same_hits(&exact, &wanted_exact);
	assert_same_hits(&near, &wanted_near);
}

static void finds_what_the_plain_way_finds(void **state)
{
	uint32_t seed = 20261125;

	(void)state;
	for (size_t round = 0; round < 20; round++) {
		struct world *w = make_world(&seed);

		for (size_t i = 0; i < 20; i++)
			compare_one(w, &seed);
		free_world(w);
	}
}

static size_t count_near(const char *name, const char *text)
{
	struct hl_arena arena;
	struct hl_names *names;
	struct hl_runes runes;
	static struct hits hits;
	struct hl_name list[] = {{.is_near = true}};
	size_t bad;

	hits.n = 0;
	hl_arena_init(&arena, 1 << 16);
	list[0].text = hl_fold_tight(&arena, hl_slice_str(name));
	assert_int_equal(hl_names_new(list, 1, &names, &bad, NULL), HL_OK);
	assert_true(hl_runes_read(hl_fold_tight(&arena, hl_slice_str(text)), &arena, &runes));
	assert_true(hl_names_near(names, &runes, &arena, on_hit, &hits));
	hl_names_free(&names);
	hl_arena_fini(&arena);
	return hits.n;
}

static void what_tells_places_apart_is_no_slip(void **state)
{
	static const struct {
		const char *name, *text;
		bool is_found;
	} cases[] = {
		{"阳光花园", "阳光化园", true},       {"阳光花园东区", "阳光花园西区", false},
		{"福星苑二期", "福星苑三期", false},  {"福星苑二期", "福星苑二号", false},
		{"福星苑二期", "福星苑二", false},    {"和顺佳苑a区", "和顺佳苑c区", false},
		{"新城家园", "老城家园", false},      {"滨江1号院", "滨江2号院", false},
		{"建设小区", "新建小区", false},      {"建设小区", "住建小区", true},
		{"滨河家园", "滨滨河家园", true},     {"滨河家园小区", "滨河的家园小区", false},
		{"三河小区", "河小区", false},        {"滨河苑", "滨江苑", false},
		{"滨河家园小区", "滨家园小区", true},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++)
		if ((count_near(cases[i].name, cases[i].text) > 0) != cases[i].is_found)
			fail_msg("\"%s\" in \"%s\"", cases[i].name, cases[i].text);
}

static void refuses_names_that_are_empty_or_too_long(void **state)
{
	static const char long_name[] = "abcdefghijklmnopqrstuvwxyz0123456";
	struct hl_name list[] = {{HL_LIT("a"), 0, false}, {HL_LIT(""), 1, false}};
	struct hl_names *names;
	struct hl_error err = {0};
	size_t bad;

	(void)state;
	assert_int_equal(hl_names_new(list, 2, &names, &bad, &err), HL_INPUT);
	assert_null(names);
	assert_int_equal(bad, 1);
	list[0].text = hl_slice_str(long_name);
	assert_int_equal(hl_names_new(list, 1, &names, &bad, &err), HL_INPUT);
	assert_int_equal(bad, 0);
}

static void an_empty_list_finds_nothing(void **state)
{
	struct hl_names *names;
	struct hl_arena arena;
	struct hl_runes runes;
	static struct hits hits;
	size_t bad;

	(void)state;
	hl_arena_init(&arena, 1 << 16);
	assert_int_equal(hl_names_new(NULL, 0, &names, &bad, NULL), HL_OK);
	assert_true(hl_runes_read(HL_LIT("\xe9\x98\xb3\xe5\x85\x89 abcdef"), &arena, &runes));
	hl_names_scan(names, &runes, on_hit, &hits);
	assert_true(hl_names_near(names, &runes, &arena, on_hit, &hits));
	assert_int_equal(hits.n, 0);
	assert_true(hl_names_bytes(names) > 0);
	hl_names_free(&names);
	hl_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_the_plain_way_finds),
		cmocka_unit_test(what_tells_places_apart_is_no_slip),
		cmocka_unit_test(refuses_names_that_are_empty_or_too_long),
		cmocka_unit_test(an_empty_list_finds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
