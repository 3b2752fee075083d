/* phrases.c - a trie over code points, walked from every position of the text
 *
 * Hand-written because neither library fits: PCRE2 tries the branches of a big alternation
 * one by one and reports one match per position, while rules need every overlapping phrase
 * with its tag; hyperscan does that, but is a large C++ dependency that exists for few
 * processors. Phrases are short (2 to 6 characters), so nearly every walk ends at its first
 * or second step, and the failure links of Aho-Corasick would buy nothing that can be measured.
 *
 * Owns the trie: nodes, one hash table for all edges (node, code point) -> node, and per node
 * the chain of phrase parts that end there.
 * Must not know: rules, case types, places.
 * Limits: a gap looks at the nearest earlier part only; parts do not overlap.
 */
#include "intake/phrases.h"
#include "hotline/text.h"

#include <stdlib.h>
#include <string.h>

#define NONE       UINT32_MAX
#define NODES_MAX  (1u << 20)
#define CP_BITS    21
#define GAP_MARK   '~'
#define FOLD_BYTES ((size_t)64 * 1024)

struct node {
	uint32_t first_use;
};

struct edge {
	uint64_t key; /* 0: free */
	uint32_t child;
};

/* One part of one phrase, ending at a node. */
struct use {
	uint32_t tag, next;
	uint32_t slot; /* of part 0 in the scan's progress array */
	uint8_t part, n_parts;
};

struct hl_phrases {
	struct node *nodes;
	size_t n_nodes, cap_nodes;
	struct edge *edges; /* open addressing, power of two */
	size_t n_edges, cap_edges;
	struct use *uses;
	size_t n_uses, cap_uses;
	size_t n_slots;
};

/* How far a gapped phrase has come: where its parts so far ended and started. */
struct progress {
	uint32_t end; /* code point index behind the part + 1; 0: not seen */
	uint32_t start;
};

struct runes {
	uint32_t *cps;
	uint32_t *offsets; /* n + 1 of them */
	size_t n;
};

/* grow - room for one more item; the array is unchanged on failure. */
static bool grow(void **items, size_t *cap, size_t n, size_t item_bytes)
{
	size_t cap_new = *cap ? *cap * 2 : 64;
	void *p;

	if (n < *cap)
		return true;
	p = reallocarray(*items, cap_new, item_bytes);
	if (!p)
		return false;
	*items = p;
	*cap = cap_new;
	return true;
}

static uint64_t edge_key(uint32_t node, uint32_t cp)
{
	return ((uint64_t)node << CP_BITS | cp) + 1;
}

static struct edge *edge_slot(struct edge *edges, size_t cap, uint64_t key)
{
	size_t i = (size_t)((key * 0x9e3779b97f4a7c15ull) >> 32) & (cap - 1);

	while (edges[i].key && edges[i].key != key)
		i = (i + 1) & (cap - 1);
	return &edges[i];
}

static uint32_t child_of(const struct hl_phrases *p, uint32_t node, uint32_t cp)
{
	const struct edge *e = edge_slot(p->edges, p->cap_edges, edge_key(node, cp));

	return e->key ? e->child : NONE;
}

/* Keeps the table at most half full. */
static bool grow_edges(struct hl_phrases *p)
{
	size_t cap_new = p->cap_edges ? p->cap_edges * 2 : 256;
	struct edge *edges;

	if (p->cap_edges && p->n_edges * 2 < p->cap_edges)
		return true;
	edges = calloc(cap_new, sizeof(*edges));
	if (!edges)
		return false;
	for (size_t i = 0; i < p->cap_edges; i++)
		if (p->edges[i].key)
			*edge_slot(edges, cap_new, p->edges[i].key) = p->edges[i];
	free(p->edges);
	p->edges = edges;
	p->cap_edges = cap_new;
	return true;
}

static uint32_t add_node(struct hl_phrases *p)
{
	void *nodes = p->nodes;

	if (p->n_nodes == NODES_MAX || !grow(&nodes, &p->cap_nodes, p->n_nodes, sizeof(*p->nodes)))
		return NONE;
	p->nodes = nodes;
	p->nodes[p->n_nodes].first_use = NONE;
	return (uint32_t)p->n_nodes++;
}

static uint32_t child_or_new(struct hl_phrases *p, uint32_t node, uint32_t cp)
{
	uint32_t child = child_of(p, node, cp);

	if (child != NONE)
		return child;
	if (!grow_edges(p))
		return NONE;
	child = add_node(p);
	if (child == NONE)
		return NONE;
	*edge_slot(p->edges, p->cap_edges, edge_key(node, cp)) = (struct edge){edge_key(node, cp), child};
	p->n_edges++;
	return child;
}

struct hl_phrases *hl_phrases_new(void)
{
	struct hl_phrases *p = calloc(1, sizeof(*p));

	if (p && (!grow_edges(p) || add_node(p) == NONE))
		hl_phrases_free(&p);
	return p;
}

void hl_phrases_free(struct hl_phrases **phrases)
{
	struct hl_phrases *p = *phrases;

	if (!p)
		return;
	free(p->nodes);
	free(p->edges);
	free(p->uses);
	free(p);
	*phrases = NULL;
}

size_t hl_phrases_bytes(const struct hl_phrases *p)
{
	return sizeof(*p) + p->cap_nodes * sizeof(*p->nodes) + p->cap_edges * sizeof(*p->edges) +
	       p->cap_uses * sizeof(*p->uses);
}

static enum hl_class add_part(struct hl_phrases *p, struct hl_slice part, struct use use, struct hl_error *err)
{
	uint32_t node = 0, *end;
	void *uses = p->uses;
	size_t pos = 0;

	if (!part.len || hl_text_count(part) > HL_PHRASE_MAX)
		return hl_fail(err, HL_INPUT, "phrase part is empty or longer than %d characters", HL_PHRASE_MAX);
	while (pos < part.len && node != NONE)
		node = child_or_new(p, node, hl_text_next(part, &pos));
	if (node == NONE || !grow(&uses, &p->cap_uses, p->n_uses, sizeof(*p->uses)))
		return hl_fail(err, HL_NOMEM, "no memory for another phrase");
	p->uses = uses;
	for (end = &p->nodes[node].first_use; *end != NONE;)
		end = &p->uses[*end].next;
	*end = (uint32_t)p->n_uses;
	use.next = NONE;
	p->uses[p->n_uses++] = use;
	return HL_OK;
}

static enum hl_class add_parts(struct hl_phrases *p, struct hl_slice phrase, uint32_t tag, struct hl_arena *arena,
			       struct hl_error *err)
{
	struct hl_slice parts[HL_PHRASE_PARTS], part;
	struct use use = {.tag = tag, .slot = (uint32_t)p->n_slots};
	enum hl_class cls = HL_OK;
	bool has_more;

	/* Cut first: to the fold a gap between single ideographs is a habit of writing. */
	do {
		if (use.n_parts == HL_PHRASE_PARTS)
			return hl_fail(err, HL_INPUT, "phrase has more than %d parts", HL_PHRASE_PARTS);
		has_more = hl_slice_cut(phrase, GAP_MARK, &part, &phrase);
		parts[use.n_parts++] = hl_fold_tight(arena, part);
	} while (has_more);
	if (hl_arena_failed(arena))
		return hl_fail(err, HL_INPUT, "phrase is too long");
	for (; use.part < use.n_parts && !cls; use.part++)
		cls = add_part(p, parts[use.part], use, err);
	if (use.n_parts > 1)
		p->n_slots += use.n_parts;
	return cls;
}

enum hl_class hl_phrases_add(struct hl_phrases *phrases, struct hl_slice phrase, uint32_t tag, struct hl_error *err)
{
	struct hl_arena arena;
	enum hl_class cls;

	hl_arena_init(&arena, FOLD_BYTES);
	cls = add_parts(phrases, phrase, tag, &arena, err);
	hl_arena_fini(&arena);
	return cls;
}

static bool decode(struct hl_slice text, struct hl_arena *arena, struct runes *out_r)
{
	size_t n_max = hl_text_count(text), pos = 0;

	out_r->n = 0;
	out_r->cps = hl_arena_raw(arena, n_max + 1, sizeof(*out_r->cps));
	out_r->offsets = hl_arena_raw(arena, n_max + 1, sizeof(*out_r->offsets));
	if (!out_r->cps || !out_r->offsets || text.len > UINT32_MAX)
		return false;
	while (pos < text.len && out_r->n < n_max) {
		out_r->offsets[out_r->n] = (uint32_t)pos;
		out_r->cps[out_r->n++] = hl_text_next(text, &pos);
	}
	out_r->offsets[out_r->n] = (uint32_t)text.len;
	return true;
}

/* step_gap - a part of a gapped phrase was seen at [start, end).
 * Gives   true when it was the last one and all came in order; *start is then where the first part started */
static bool step_gap(struct progress *progress, const struct use *use, size_t *start, size_t end)
{
	struct progress *at = &progress[use->slot + use->part];

	if (use->part) {
		const struct progress *before = at - 1;

		if (!before->end || before->end - 1 > *start || *start - (before->end - 1) > HL_PHRASE_GAP)
			return false;
		*start = before->start;
	}
	*at = (struct progress){(uint32_t)end + 1, (uint32_t)*start};
	return use->part + 1 == use->n_parts;
}

bool hl_phrases_scan(const struct hl_phrases *phrases, struct hl_slice text, struct hl_arena *arena,
		     hl_phrase_hit_fn *on_hit, void *arg)
{
	struct progress *progress = hl_arena_array(arena, phrases->n_slots + 1, sizeof(*progress));
	struct runes runes;

	if (!progress || !decode(text, arena, &runes))
		return false;
	for (size_t i = 0; i < runes.n; i++) {
		uint32_t node = 0;

		for (size_t j = i; j < runes.n; j++) {
			node = child_of(phrases, node, runes.cps[j]);
			if (node == NONE)
				break;
			for (uint32_t u = phrases->nodes[node].first_use; u != NONE; u = phrases->uses[u].next) {
				const struct use *use = &phrases->uses[u];
				size_t start = i;

				if (use->n_parts == 1 || step_gap(progress, use, &start, j + 1))
					on_hit(arg, use->tag, runes.offsets[start], runes.offsets[j + 1]);
			}
		}
	}
	return true;
}
