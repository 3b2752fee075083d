/* names_near.c - names with one character wrong (contract in names.h)
 *
 * A name with one character left out is stored as a 32-bit print of what remains, for each character; so is the whole
 * name. A slip in the text is then an equal print: another character at a place leaves the same rest as the name
 * without that place, a missing one is such a rest itself, a doubled one leaves the whole. What has an equal print is
 * compared. A slip is either behind the first two characters, which then begin some name, or before the last two, which
 * then end one: only at such places is anything looked up, and behind the first two only as far as some name goes on
 * exactly. Limits: names of HL_NEAR_RUNES to HL_NAME_RUNES code points; the first NEAR_TEXT code points of a text.
 */
#include "intake/names_parts.h"

#include <stdlib.h>
#include <string.h>

#define NEAR_TEXT  1000
#define WHOLE      63u /* in a slot: no character is left out */
#define WHERE_BITS 6
#define BASE       0x9ddfea08eb382d69ull
#define FACTOR     0x9e3779b97f4a7c15ull
#define TAIL_BITS  18

struct slot {
	uint32_t print; /* 0: free */
	uint32_t what;  /* entry << WHERE_BITS | the place left out, or WHOLE */
};

struct near_index {
	struct slot *slots; /* open addressing, power of two, at most two thirds full */
	size_t cap;
	uint64_t powers[HL_NAME_RUNES + 2]; /* of BASE */
	size_t longest;
	uint64_t tails[(1u << TAIL_BITS) / 64]; /* a bit per hashed last two symbols of a name */
	uint64_t telling[0x10000 / 64];         /* a bit per symbol that tells places apart */
	uint64_t counting[0x10000 / 64];        /* and of those that count */
};

struct looking {
	const struct hl_names *names;
	const struct near_index *index;
	const uint32_t *cps;
	uint16_t *symbols;
	uint64_t *sums; /* sums[i]: hash of the first i symbols */
	size_t n;
	hl_name_hit_fn *on_hit;
	void *arg;
};

/* Characters in which names of two places differ on purpose, beside digits and letters: 一 to 十 and 百, which count,
 * and 东南西北中, 新老. */
static const uint32_t marks[] = {0x4e00, 0x4e8c, 0x4e09, 0x56db, 0x4e94, 0x516d, 0x4e03, 0x516b, 0x4e5d,
				 0x5341, 0x767e, 0x4e1c, 0x5357, 0x897f, 0x5317, 0x4e2d, 0x65b0, 0x8001};
#define N_MARKS    (sizeof(marks) / sizeof(marks[0]))
#define N_COUNTING 11

static bool is_ascii_word(uint32_t cp)
{
	return (cp >= '0' && cp <= '9') || (cp >= 'a' && cp <= 'z');
}

static bool tells_apart(uint32_t cp)
{
	for (size_t i = 0; i < N_MARKS; i++)
		if (marks[i] == cp)
			return true;
	return is_ascii_word(cp);
}

/* counts - 0 to 9, a to z, 一 to 十, 百: what stands behind it (二期, 2号, A区) is no place for a guess. */
static bool counts(const struct near_index *index, uint16_t symbol)
{
	return index->counting[symbol / 64] >> symbol % 64 & 1;
}

/* begins_words - behind this character a name may begin: no ideograph, or one of 在住是到去的我们请看来从离和与. */
static bool begins_words(uint32_t before)
{
	static const uint32_t words[] = {0x5728, 0x4f4f, 0x662f, 0x5230, 0x53bb, 0x7684, 0x6211, 0x4eec,
					 0x8bf7, 0x770b, 0x6765, 0x4ece, 0x79bb, 0x548c, 0x4e0e};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i] == before)
			return true;
	return before < 0x3400 || before > 0x9fff;
}

static uint32_t print_of(uint64_t hash, size_t n)
{
	uint32_t print = (uint32_t)((hash * FACTOR + n) >> 32);

	return print ? print : 1;
}

static uint32_t tail_bit(uint16_t last_but_one, uint16_t last)
{
	return ((uint32_t)last_but_one << 16 | last) * 0x9e3779b1u >> (32 - TAIL_BITS);
}

/* ---- the index ---------------------------------------------------------------- */

static void put(struct near_index *index, uint32_t print, uint32_t entry, uint32_t where)
{
	size_t i = print & (index->cap - 1);

	while (index->slots[i].print)
		i = (i + 1) & (index->cap - 1);
	index->slots[i] = (struct slot){print, entry << WHERE_BITS | where};
}

/* rest_hash - of n symbols without the one at `left_out` (none with WHOLE). */
static uint64_t rest_hash(const uint16_t *symbols, size_t n, uint32_t left_out)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < n; i++)
		if (i != left_out)
			hash = hash * BASE + symbols[i];
	return hash;
}

static void put_name(struct near_index *index, const struct hl_names *names, uint32_t at)
{
	const struct name_entry *e = &names->entries[at];
	const uint16_t *symbols = names->pool + e->symbols;
	uint32_t tail = tail_bit(symbols[e->n - 2], symbols[e->n - 1]);

	index->tails[tail / 64] |= 1ull << tail % 64;
	index->longest = e->n > index->longest ? e->n : index->longest;
	put(index, print_of(rest_hash(symbols, e->n, WHOLE), e->n), at, WHOLE);
	for (uint32_t i = 0; i < e->n; i++)
		put(index, print_of(rest_hash(symbols, e->n, i), e->n - 1u), at, i);
}

static void mark(uint64_t *bits, const struct hl_names *names, uint32_t cp)
{
	uint16_t symbol = names_symbol(names, cp);

	bits[symbol / 64] |= (uint64_t)(symbol != 0) << symbol % 64;
}

static void mark_telling(struct near_index *index, const struct hl_names *names)
{
	for (size_t i = 0; i < N_MARKS; i++)
		mark(index->telling, names, marks[i]);
	for (uint32_t cp = '0'; cp <= 'z'; cp++)
		if (is_ascii_word(cp))
			mark(index->telling, names, cp);
	memcpy(index->counting, index->telling, sizeof(index->counting));
	for (size_t i = N_COUNTING; i < N_MARKS; i++) {
		uint16_t symbol = names_symbol(names, marks[i]);

		index->counting[symbol / 64] &= ~(1ull << symbol % 64);
	}
}

static bool is_indexed(const struct name_entry *e)
{
	return e->is_near && e->n >= HL_NEAR_RUNES;
}

struct near_index *near_index_new(const struct hl_names *names)
{
	struct near_index *index = calloc(1, sizeof(*index));
	size_t n = 0;

	if (!index)
		return NULL;
	for (size_t i = 0; i < names->n_entries; i++)
		n += is_indexed(&names->entries[i]) ? names->entries[i].n + 1u : 0;
	for (index->cap = 64; index->cap * 2 / 3 < n;)
		index->cap *= 2;
	index->slots = calloc(index->cap, sizeof(*index->slots));
	if (!index->slots || names->n_entries >> (32 - WHERE_BITS)) {
		near_index_free(&index);
		return NULL;
	}
	index->powers[0] = 1;
	for (size_t i = 1; i < HL_NAME_RUNES + 2; i++)
		index->powers[i] = index->powers[i - 1] * BASE;
	mark_telling(index, names);
	for (size_t i = 0; i < names->n_entries; i++)
		if (is_indexed(&names->entries[i]))
			put_name(index, names, (uint32_t)i);
	return index;
}

void near_index_free(struct near_index **index)
{
	if (*index)
		free((*index)->slots);
	free(*index);
	*index = NULL;
}

size_t near_index_bytes(const struct near_index *index)
{
	return sizeof(*index) + index->cap * sizeof(*index->slots);
}

/* ---- the search --------------------------------------------------------------- */

/* A stretch of the text and the place in it, or WHOLE, that is left out of the comparison. */
struct window {
	size_t start, n;
	uint32_t left_out;
};

static bool is_equal_but(const struct looking *l, const struct window *w, const uint16_t *name, size_t n_name,
			 uint32_t name_left_out)
{
	const uint16_t *text = l->symbols + w->start;
	size_t i = 0, j = 0;

	for (;; i++, j++) {
		i += i == w->left_out;
		j += j == name_left_out;
		if (i >= w->n || j >= n_name)
			return i >= w->n && j >= n_name;
		if (text[i] != name[j])
			return false;
	}
}

static bool symbol_tells_apart(const struct looking *l, uint16_t symbol)
{
	return l->index->telling[symbol / 64] >> symbol % 64 & 1;
}

static bool is_doubled(const struct looking *l, const struct window *w)
{
	const uint16_t *at = l->symbols + w->start + w->left_out;

	return (w->left_out > 0 && at[0] == at[-1]) || (w->left_out + 1 < w->n && at[0] == at[1]);
}

/* is_free - the character of a name at this place may be a slip of the hand. */
static bool is_free(const struct looking *l, const uint16_t *name, uint32_t where)
{
	return !symbol_tells_apart(l, name[where]) && (where == 0 || !counts(l->index, name[where - 1]));
}

static bool is_missing(const struct looking *l, const struct window *w, const struct name_entry *e, uint32_t where)
{
	if (w->n + 1 != e->n || !is_free(l, l->names->pool + e->symbols, where))
		return false;
	return e->n > HL_NEAR_RUNES || where >= 2 || w->start == 0 || begins_words(l->cps[w->start - 1]);
}

static bool is_another(const struct looking *l, const struct window *w, const struct name_entry *e, uint32_t where)
{
	const uint16_t *name = l->names->pool + e->symbols;
	size_t at = w->start + where;

	return w->n == e->n && l->symbols[at] != name[where] && !tells_apart(l->cps[at]) && is_free(l, name, where);
}

/* is_slip - the window and the name differ as a hand slips. */
static bool is_slip(const struct looking *l, const struct window *w, const struct name_entry *e, uint32_t where)
{
	if (w->left_out == WHOLE)
		return where != WHOLE && is_missing(l, w, e, where);
	if (where == WHOLE)
		return w->n == e->n + 1u && is_doubled(l, w);
	return where == w->left_out && is_another(l, w, e, where);
}

static void look_up(const struct looking *l, const struct window *w)
{
	const struct near_index *index = l->index;
	const uint64_t *sums = l->sums, *powers = index->powers;
	size_t end = w->start + w->n, cut = w->start + w->left_out;
	uint64_t hash = sums[end] - sums[w->start] * powers[w->n];
	uint32_t print;

	if (w->left_out != WHOLE)
		hash = (sums[cut] - sums[w->start] * powers[w->left_out]) * powers[end - cut - 1] + sums[end] -
		       sums[cut + 1] * powers[end - cut - 1];
	print = print_of(hash, w->n - (w->left_out != WHOLE));
	for (size_t i = print & (index->cap - 1); index->slots[i].print; i = (i + 1) & (index->cap - 1)) {
		uint32_t where = index->slots[i].what & WHOLE;
		const struct name_entry *e = &l->names->entries[index->slots[i].what >> WHERE_BITS];

		if (index->slots[i].print == print && is_slip(l, w, e, where) &&
		    is_equal_but(l, w, l->names->pool + e->symbols, e->n, where))
			l->on_hit(l->arg, e->tag, w->start, end);
	}
}

/* beginning - how many characters from here are the beginning of some name. */
static size_t beginning(const struct looking *l, size_t start)
{
	uint32_t node = ROOT;
	size_t i = start;

	for (; i < l->n; i++) {
		node = names_child(l->names, node, l->symbols[i]);
		if (node == ROOT)
			break;
	}
	return i - start;
}

static size_t longest_window(const struct looking *l, size_t room)
{
	return l->index->longest + 1 < room ? l->index->longest + 1 : room;
}

/* Some name begins here: the slip is behind its first two characters. */
static void look_forward(const struct looking *l, size_t start)
{
	size_t n_exact = beginning(l, start), n_max = longest_window(l, l->n - start);

	if (n_exact < 2)
		return;
	for (size_t n = HL_NEAR_RUNES - 1; n <= n_max; n++) {
		look_up(l, &(struct window){start, n, WHOLE});
		for (uint32_t cut = 2; cut <= n_exact && cut < n; cut++)
			look_up(l, &(struct window){start, n, cut});
	}
}

/* Some name may end here: the slip is in its first two characters. */
static void look_back(const struct looking *l, size_t end)
{
	uint32_t tail = tail_bit(l->symbols[end - 2], l->symbols[end - 1]);
	size_t n_max = longest_window(l, end);

	if (!(l->index->tails[tail / 64] >> tail % 64 & 1))
		return;
	for (size_t n = HL_NEAR_RUNES - 1; n <= n_max; n++) {
		look_up(l, &(struct window){end - n, n, WHOLE});
		look_up(l, &(struct window){end - n, n, 0});
		look_up(l, &(struct window){end - n, n, 1});
	}
}

bool hl_names_near(const struct hl_names *names, const struct hl_runes *text, struct hl_arena *arena,
		   hl_name_hit_fn *on_hit, void *arg)
{
	struct looking l = {.names = names, .index = names->near, .cps = text->cps, .on_hit = on_hit, .arg = arg};

	l.n = text->n < NEAR_TEXT ? text->n : NEAR_TEXT;
	l.symbols = hl_arena_raw(arena, l.n + 1, sizeof(*l.symbols));
	l.sums = hl_arena_raw(arena, l.n + 1, sizeof(*l.sums));
	if (!l.symbols || !l.sums)
		return false;
	l.sums[0] = 0;
	for (size_t i = 0; i < l.n; i++) {
		l.symbols[i] = names_symbol(names, text->cps[i]);
		l.sums[i + 1] = l.sums[i] * BASE + l.symbols[i];
	}
	for (size_t i = 0; i + 2 < l.n; i++)
		look_forward(&l, i);
	for (size_t end = HL_NEAR_RUNES - 1; end <= l.n; end++)
		look_back(&l, end);
	return true;
}
