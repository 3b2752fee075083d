/* grammar.c - the grammar document, checked and compiled (contract in hotline/talk.h)
 *
 * Pure. Each pattern becomes a short program; programs are found by their first rune, so that a text is
 * looked at once, however many patterns there are. Hand-written: a set of regular expressions knows neither
 * clauses nor codes nor the ends of units' names, and says nothing about which list matched where.
 */
#include "grammar.h"

#include "hotline/text.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

#define PATTERN_MAX 64 /* bytes of a pattern */
#define SET_MAX     32

static const char *const cue_names[] = {
#define CUE(name) #name,
#include "cues.def"
#undef CUE
};

/* What is compiled so far. */
struct compiling {
	struct hl_grammar *g;
	size_t cap_ops, cap_candidates;
	bool is_short; /* of memory */
};

/* ---- maps ------------------------------------------------------------------ */

static uint32_t slot_of(const struct rune_map *map, uint32_t rune)
{
	uint32_t slot = (rune * 2654435761u) >> 16 & map->mask;

	while (map->keys[slot] && map->keys[slot] != rune)
		slot = (slot + 1) & map->mask;
	return slot;
}

uint32_t rune_map_get(const struct rune_map *map, uint32_t rune)
{
	return map->values[slot_of(map, rune)];
}

static bool map_init(struct rune_map *map, size_t n)
{
	uint32_t size = 16;

	while (size < 3 * n)
		size *= 2;
	map->mask = size - 1;
	map->keys = calloc(size, sizeof(uint32_t));
	map->values = calloc(size, sizeof(uint32_t));
	return map->keys && map->values;
}

static void map_put(struct rune_map *map, uint32_t rune, uint32_t value)
{
	uint32_t slot = slot_of(map, rune);

	map->keys[slot] = rune;
	map->values[slot] = value;
}

static void map_fini(struct rune_map *map)
{
	free(map->keys);
	free(map->values);
}

/* ---- patterns --------------------------------------------------------------- */

static void put_op(struct compiling *c, uint32_t op)
{
	struct hl_grammar *g = c->g;

	if (g->n_ops == c->cap_ops) {
		size_t cap = c->cap_ops ? 2 * c->cap_ops : 4096;
		uint32_t *ops = realloc(g->ops, cap * sizeof(*ops));

		if (!ops) {
			c->is_short = true;
			return;
		}
		g->ops = ops;
		c->cap_ops = cap;
	}
	g->ops[g->n_ops++] = op;
}

static void put_candidate(struct compiling *c, struct candidate candidate)
{
	struct hl_grammar *g = c->g;

	if (g->n_candidates == c->cap_candidates) {
		size_t cap = c->cap_candidates ? 2 * c->cap_candidates : 1024;
		struct candidate *all = realloc(g->candidates, cap * sizeof(*all));

		if (!all) {
			c->is_short = true;
			return;
		}
		g->candidates = all;
		c->cap_candidates = cap;
	}
	g->candidates[g->n_candidates++] = candidate;
}

static uint32_t op_of(uint32_t cp)
{
	static const char marks[] = "~@^<>$=";
	static const uint32_t ops[] = {OP_GAP, OP_UNIT, OP_HEAD, OP_STARTS, OP_ENDS, OP_LAST, OP_GLUED};
	const char *at = cp > 0 && cp < 0x80 ? strchr(marks, (int)cp) : NULL;

	if (at)
		return ops[at - marks];
	return cp == '#' ? TALK_CODE : cp;
}

static bool is_condition(uint32_t op)
{
	return op == OP_HEAD || op == OP_STARTS || op == OP_ENDS || op == OP_LAST || op == OP_GLUED;
}

/* [xyz] or {xyz} at *pos. False: not closed, or empty, or too long. */
static bool put_set(struct compiling *c, enum pattern_op op, struct hl_slice pattern, size_t *pos)
{
	uint32_t runes[SET_MAX];
	size_t n = 0;

	while (*pos < pattern.len && n < SET_MAX) {
		uint32_t cp = hl_text_next(pattern, pos);

		if (cp == (op == OP_SET ? ']' : '}')) {
			put_op(c, op);
			put_op(c, (uint32_t)n);
			for (size_t i = 0; i < n; i++)
				put_op(c, runes[i]);
			return n > 0;
		}
		runes[n++] = cp;
	}
	return false;
}

/* A program's first rune or runes lead to it. False: it could start anywhere. */
static bool put_firsts(struct compiling *c, uint32_t list, uint32_t ops)
{
	uint32_t at = ops;

	while (is_condition(c->g->ops[at]))
		at++;
	if (c->g->ops[at] == OP_SET) {
		for (uint32_t i = 0; i < c->g->ops[at + 1]; i++)
			put_candidate(c, (struct candidate){c->g->ops[at + 2 + i], 0, list, ops});
		return true;
	}
	if (c->g->ops[at] >= OP_END)
		return false;
	put_candidate(c,
		      (struct candidate){c->g->ops[at], c->g->ops[at + 1] < OP_END ? c->g->ops[at + 1] : 0, list, ops});
	return true;
}

/* Says what is wrong with a pattern, or NULL. */
static const char *compile(struct compiling *c, uint32_t list, struct hl_slice pattern)
{
	uint32_t from = (uint32_t)c->g->n_ops;

	if (pattern.len == 0 || pattern.len > PATTERN_MAX || !hl_text_is_utf8(pattern))
		return "must be UTF-8 of 1 to 64 bytes";
	for (size_t pos = 0; pos < pattern.len;) {
		uint32_t cp = hl_text_next(pattern, &pos);

		if (cp == '[' || cp == '{') {
			if (!put_set(c, cp == '[' ? OP_SET : OP_AHEAD, pattern, &pos))
				return "[ and { must be closed after 1 to 31 characters";
		} else if (cp <= ' ' || cp == 0x3000) {
			return "must not hold blanks: texts are matched without them";
		} else if ((cp >= 'A' && cp <= 'Z') || (cp >= 0xFF01 && cp <= 0xFF5E && !rune_is_mark(cp - 0xFEE0)) ||
			   rune_map_get(&c->g->simplified, cp)) {
			return "must be lower case, half width and simplified: that is how texts are read";
		} else {
			put_op(c, op_of(cp));
		}
	}
	put_op(c, OP_END);
	if (c->is_short)
		return "out of memory";
	return put_firsts(c, list, from) ? NULL : "must start with a character, not with ~ or @";
}

/* ---- document --------------------------------------------------------------- */

static enum hl_class compile_list(struct compiling *c, uint32_t list, const char *cue, const json_t *patterns,
				  struct hl_error *err)
{
	const json_t *pattern;
	size_t i, k;

	if (!json_is_array(patterns))
		return hl_fail(err, HL_INPUT, "cue \"%s\": must hold lists of patterns", cue);
	json_array_foreach (patterns, i, pattern) {
		const char *wrong = "must be text";

		if (json_is_string(pattern))
			wrong = compile(c, list,
					(struct hl_slice){json_string_value(pattern), json_string_length(pattern)});
		for (k = 0; k < i && !wrong; k++)
			if (json_equal(json_array_get(patterns, k), pattern))
				wrong = "is there twice";
		if (wrong)
			return hl_fail(err, c->is_short ? HL_NOMEM : HL_INPUT, "cue \"%s\", pattern %zu \"%s\": %s",
				       cue, i + 1, json_is_string(pattern) ? json_string_value(pattern) : "", wrong);
	}
	return HL_OK;
}

/* "zh-CN", "en": whatever the language, its patterns are looked for in every text. */
static bool is_language(const char *key)
{
	return strlen(key) == 2 || (strlen(key) == 5 && key[2] == '-');
}

static enum hl_class compile_cue(struct compiling *c, json_t *entry, bool *is_seen, struct hl_error *err)
{
	const char *name = json_string_value(json_object_get(entry, "name")), *key;
	unsigned cue = 0;
	json_t *value;
	enum hl_class cls = HL_OK;

	while (name && cue < TALK_CUES && strcmp(name, cue_names[cue]) != 0)
		cue++;
	if (!name || cue == TALK_CUES)
		return hl_fail(err, HL_INPUT, "cue \"%s\": there is no such cue", name ? name : "");
	if (is_seen[cue])
		return hl_fail(err, HL_INPUT, "cue \"%s\": is there twice", name);
	is_seen[cue] = true;
	json_object_foreach (entry, key, value) {
		if (strcmp(key, "except") == 0)
			cls = compile_list(c, LIST_EXCEPT(cue), name, value, err);
		else if (is_language(key))
			cls = compile_list(c, LIST_WORDS(cue), name, value, err);
		else if (strcmp(key, "name") != 0 && strcmp(key, "about") != 0)
			cls = hl_fail(err, HL_INPUT, "cue \"%s\": \"%s\" is neither a language nor except", name, key);
		if (cls != HL_OK)
			return cls;
	}
	return HL_OK;
}

static enum hl_class read_simplified(struct hl_grammar *g, const json_t *doc, struct hl_error *err)
{
	const json_t *pairs = json_object_get(doc, "simplified");
	struct hl_slice s = {json_string_value(pairs), json_string_length(pairs)};

	if (!map_init(&g->simplified, hl_text_count(s)))
		return hl_fail(err, HL_NOMEM, "out of memory");
	if (!json_is_string(pairs) || hl_text_count(s) % 2 != 0)
		return hl_fail(err, HL_INPUT,
			       "simplified: must be pairs of a traditional character and its simplified form");
	for (size_t pos = 0; pos < s.len;) {
		uint32_t traditional = hl_text_next(s, &pos);

		map_put(&g->simplified, traditional, hl_text_next(s, &pos));
	}
	return HL_OK;
}

static int by_rune_and_list(const void *pa, const void *pb)
{
	const struct candidate *a = pa, *b = pb;

	if (a->rune != b->rune)
		return a->rune < b->rune ? -1 : 1;
	return (a->list > b->list) - (a->list < b->list);
}

static enum hl_class index_candidates(struct compiling *c, struct hl_error *err)
{
	struct hl_grammar *g = c->g;

	put_candidate(c, (struct candidate){0});
	if (c->is_short || !map_init(&g->first, g->n_candidates))
		return hl_fail(err, HL_NOMEM, "out of memory");
	qsort(g->candidates, g->n_candidates - 1, sizeof(g->candidates[0]), by_rune_and_list);
	for (size_t i = g->n_candidates - 1; i-- > 0;)
		map_put(&g->first, g->candidates[i].rune, (uint32_t)i + 1);
	return HL_OK;
}

static enum hl_class load(struct compiling *c, const json_t *doc, struct hl_error *err)
{
	bool is_seen[TALK_CUES] = {false};
	json_t *entries = json_object_get(doc, "cues"), *entry;
	enum hl_class cls = read_simplified(c->g, doc, err);
	size_t i;

	if (cls == HL_OK && !json_is_array(entries))
		cls = hl_fail(err, HL_INPUT, "cues: must be a list");
	json_array_foreach (entries, i, entry)
		if (cls == HL_OK)
			cls = compile_cue(c, entry, is_seen, err);
	for (i = 0; i < TALK_CUES && cls == HL_OK; i++)
		if (!is_seen[i])
			cls = hl_fail(err, HL_INPUT, "cue \"%s\": is missing", cue_names[i]);
	return cls == HL_OK ? index_candidates(c, err) : cls;
}

enum hl_class hl_grammar_new(const json_t *doc, struct hl_grammar **out_r, struct hl_error *err)
{
	struct hl_grammar *g = calloc(1, sizeof(*g));
	struct compiling c = {.g = g};
	enum hl_class cls = g ? load(&c, doc, err) : hl_fail(err, HL_NOMEM, "out of memory");

	if (cls != HL_OK)
		hl_grammar_free(&g);
	*out_r = g;
	return cls;
}

void hl_grammar_free(struct hl_grammar **gp)
{
	struct hl_grammar *g = *gp;

	if (!g)
		return;
	*gp = NULL;
	free(g->ops);
	free(g->candidates);
	map_fini(&g->first);
	map_fini(&g->simplified);
	free(g);
}
