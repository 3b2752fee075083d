/* features.c - character n-grams and rule features of a text, hashed (contract in features.h)
 *
 * Hand-written: a hash over 1 to 3 code points is a few instructions, and it must be the same in training
 * and in the daemon for ever.
 * What says nothing about the matter is made alike first: runs of digits are one 0, "A7县" (places are written
 * so in training texts) is left out.
 * Limits: the first 1,000 code points.
 */
#include "intake/features.h"
#include "hotline/text.h"

#include <math.h>
#include <string.h>

#define RUNES_MAX 1000
#define GRAM_MAX  3
#define EDGE      1u /* before the first and behind the last character */
#define BREAK     2u /* between title and text */
#define FACTOR    0x9e3779b1u
#define COUNT_MAX 64

static const uint32_t seeds[HL_BLOCKS] = {0x54695431u, 0x57684f32u, 0x54725233u, 0x52754c34u};
static const float block_weights[HL_BLOCKS] = {1.0f, 1.0f, 0.63f, 0.63f};

struct rune {
	uint32_t cp, start, end;
};

struct view {
	struct rune *runes;
	size_t n, n_title; /* both with edges */
};

static uint32_t mix(uint32_t h, uint32_t value)
{
	h = (h ^ value) * FACTOR;
	return h ^ h >> 15;
}

static uint32_t finish(uint32_t h)
{
	h *= 0x85ebca6bu;
	h ^= h >> 13;
	return h ? h : 1;
}

uint32_t hl_feature_hash(uint32_t seed, const char *name)
{
	uint32_t h = seed;

	for (; *name; name++)
		h = mix(h, (unsigned char)*name);
	return finish(h);
}

static bool is_digit(uint32_t cp)
{
	return cp >= '0' && cp <= '9';
}

static bool is_district_word(uint32_t cp)
{
	return cp == 0x5e02 /* city */ || cp == 0x53bf /* county */ || cp == 0x533a /* district */ ||
	       cp == 0x7701 /* province */;
}

/* skip_masked_place - moves behind "a7县"; false: there is none. */
static bool skip_masked_place(struct hl_slice text, size_t *pos)
{
	size_t at = *pos;

	if (at >= text.len || text.ptr[at] < 'a' || text.ptr[at] > 'z')
		return false;
	for (at++; at < text.len && is_digit((unsigned char)text.ptr[at]);)
		at++;
	if (at >= text.len || !is_district_word(hl_text_next(text, &at)))
		return false;
	*pos = at;
	return true;
}

static void put(struct view *v, uint32_t cp, size_t start, size_t end)
{
	v->runes[v->n++] = (struct rune){cp, (uint32_t)start, (uint32_t)end};
}

/* put_runes - [from, to) of the text. */
static void put_runes(struct view *v, struct hl_slice text, size_t from, size_t to)
{
	struct hl_slice part = {text.ptr, to};

	for (size_t pos = from; pos < to && v->n < RUNES_MAX;) {
		size_t start = pos;
		uint32_t cp;

		if (skip_masked_place(part, &pos))
			continue;
		cp = hl_text_next(part, &pos);
		while (is_digit(cp) && pos < to && is_digit((unsigned char)text.ptr[pos]))
			pos++;
		put(v, is_digit(cp) ? '0' : cp, start, pos);
	}
}

static bool make_view(const struct hl_reading *r, struct view *v)
{
	size_t n = r->n_runes < RUNES_MAX ? r->n_runes : RUNES_MAX;

	v->runes = hl_arena_raw(r->arena, n + 4, sizeof(*v->runes));
	if (!v->runes)
		return false;
	put(v, EDGE, 0, 0);
	put_runes(v, r->text, 0, r->title_len);
	v->n_title = v->n;
	if (r->has_body)
		put(v, BREAK, r->title_len, r->title_len);
	put_runes(v, r->text, r->title_len, r->text.len);
	put(v, EDGE, r->text.len, r->text.len);
	return true;
}

static void add(struct hl_features *f, uint32_t id, enum hl_block block, uint32_t start, uint32_t end)
{
	f->items[f->n++] = (struct hl_feature){id, start, end, block};
}

/* add_grams - of runes [0, n) and an edge behind them. */
static void add_grams(struct hl_features *f, const struct rune *runes, size_t n, enum hl_block block)
{
	static const struct rune edge = {.cp = EDGE};

	for (size_t i = 0; i < n; i++) {
		uint32_t h = seeds[block];

		for (size_t k = 0; k < GRAM_MAX && i + k <= n; k++) {
			const struct rune *last = i + k < n ? &runes[i + k] : &edge;

			h = mix(h, last->cp);
			add(f, finish(h), block, runes[i].start, last->cp == EDGE ? runes[n - 1].end : last->end);
		}
	}
}

static void add_rules(struct hl_features *f, const struct hl_reading *r, const struct hl_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!hl_rule_matches(r, &rules[i], false))
			continue;
		add(f, finish(mix(seeds[HL_BLOCK_RULES], rules[i].hash)), HL_BLOCK_RULES, 0, 0);
		if (hl_rule_matches(r, &rules[i], true))
			add(f, finish(mix(seeds[HL_BLOCK_TITLE_RULES], rules[i].hash)), HL_BLOCK_TITLE_RULES, 0, 0);
	}
}

static void add_groups(struct hl_features *f, const struct hl_reading *r)
{
	for (uint32_t g = 0; g < r->c->n_groups; g++) {
		const struct hl_mark *mark = &r->marks[g];

		if (!mark->is_seen)
			continue;
		add(f, finish(mix(seeds[HL_BLOCK_RULES], r->c->group_hashes[g])), HL_BLOCK_RULES, mark->start,
		    mark->end);
		if (mark->end <= r->title_len)
			add(f, finish(mix(seeds[HL_BLOCK_TITLE_RULES], r->c->group_hashes[g])), HL_BLOCK_TITLE_RULES,
			    mark->start, mark->end);
	}
}

bool hl_features_of(const struct hl_reading *r, struct hl_features *out_r)
{
	struct view v = {0};
	size_t n_max;

	*out_r = (struct hl_features){0};
	if (!make_view(r, &v))
		return false;
	n_max = 2 * GRAM_MAX * (v.n + 1) + 2 * (r->c->n_groups + r->c->n_rules + r->c->n_urgencies);
	out_r->items = hl_arena_raw(r->arena, n_max, sizeof(*out_r->items));
	if (!out_r->items)
		return false;
	add_grams(out_r, v.runes, v.n_title, HL_BLOCK_TITLE);
	add_grams(out_r, v.runes, v.n - 1, HL_BLOCK_WHOLE);
	add_rules(out_r, r, r->c->rules, r->c->n_rules);
	add_rules(out_r, r, r->c->urgencies, r->c->n_urgencies);
	add_groups(out_r, r);
	return true;
}

bool hl_dict_init(struct hl_dict *d, struct hl_arena *arena, size_t n)
{
	size_t cap = 64;

	while (cap < n * 2)
		cap *= 2;
	*d = (struct hl_dict){.ids = hl_arena_array(arena, cap, sizeof(*d->ids)),
			      .numbers = hl_arena_array(arena, cap, sizeof(*d->numbers)),
			      .mask = cap - 1};
	return d->ids && d->numbers;
}

static size_t slot_of(const struct hl_dict *d, uint32_t id)
{
	size_t i = id & d->mask;

	while (d->ids[i] && d->ids[i] != id)
		i = (i + 1) & d->mask;
	return i;
}

bool hl_dict_add(struct hl_dict *d, uint32_t id)
{
	size_t i = slot_of(d, id);

	if (!id || d->ids[i] || d->n * 2 > d->mask)
		return false;
	d->ids[i] = id;
	d->numbers[i] = (uint32_t)d->n++;
	return true;
}

uint32_t hl_dict_find(const struct hl_dict *d, uint32_t id)
{
	size_t i = slot_of(d, id);

	return d->ids[i] ? d->numbers[i] : HL_DICT_NONE;
}

/* 1 + log(count): the tenth mention says little more than the third. */
static float damped(unsigned count)
{
	return count == 1 ? 1.0f : 1.0f + logf((float)(count < COUNT_MAX ? count : COUNT_MAX));
}

static void scale_blocks(struct hl_value *values, size_t n)
{
	float squares[HL_BLOCKS] = {0}, factors[HL_BLOCKS];

	for (size_t i = 0; i < n; i++)
		squares[values[i].first->block] += values[i].value * values[i].value;
	for (size_t b = 0; b < HL_BLOCKS; b++)
		factors[b] = squares[b] > 0 ? block_weights[b] / sqrtf(squares[b]) : 0;
	for (size_t i = 0; i < n; i++)
		values[i].value *= factors[values[i].first->block];
}

/* The features of one text that the model knows, by their number; open addressing. */
struct tally {
	struct hl_value *values;
	size_t n;
	uint32_t *slots; /* index in values + 1; 0: free */
	size_t mask;
};

static void count_feature(struct tally *t, uint32_t number, const struct hl_feature *feature)
{
	size_t i = number & t->mask;

	while (t->slots[i] && t->values[t->slots[i] - 1].number != number)
		i = (i + 1) & t->mask;
	if (!t->slots[i]) {
		t->values[t->n] = (struct hl_value){number, 0, feature};
		t->slots[i] = (uint32_t)++t->n;
	}
	t->values[t->slots[i] - 1].value++;
}

struct hl_value *hl_features_weigh(const struct hl_features *f, const struct hl_dict *d, struct hl_arena *arena,
				   size_t *n_r)
{
	struct tally t = {.mask = 64};

	while (t.mask < f->n * 2)
		t.mask *= 2;
	t.slots = hl_arena_array(arena, t.mask--, sizeof(*t.slots));
	t.values = hl_arena_raw(arena, f->n + 1, sizeof(*t.values));
	if (!t.slots || !t.values)
		return NULL;
	for (size_t i = 0; i < f->n; i++) {
		uint32_t number = hl_dict_find(d, f->items[i].id);

		if (number != HL_DICT_NONE)
			count_feature(&t, number, &f->items[i]);
	}
	for (size_t i = 0; i < t.n; i++)
		t.values[i].value = damped((unsigned)t.values[i].value);
	scale_blocks(t.values, t.n);
	*n_r = t.n;
	return t.values;
}
