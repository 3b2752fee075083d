/* names_parts.h - what the exact and the near search over one list of names share; internal to names.c and names_near.c
 */
#ifndef INTAKE_NAMES_PARTS_H
#define INTAKE_NAMES_PARTS_H

#include "intake/names.h"

#define NO_NODE UINT32_MAX
#define ROOT    0u

/* One name, in the order of their symbols; equal names stand side by side. */
struct name_entry {
	uint32_t symbols; /* where they begin in the pool */
	uint32_t tag;
	uint8_t n; /* of them */
	bool is_near;
	bool is_last; /* the next one is another name */
};

/* Children of a node stand side by side: from its own `first` to the next node's. */
struct name_node {
	uint32_t first;
	uint32_t fail; /* the longest other name's beginning that this one ends with */
	uint32_t out;  /* the nearest node on the way of fails, this one included, at which a name ends, or NO_NODE */
	uint32_t own;  /* first entry of the name that ends here, or NO_NODE */
};

struct near_index;

struct hl_names {
	uint16_t *pages;   /* per 256 code points: which block of `symbols`; 0: none of them is in a name */
	uint16_t *symbols; /* code point -> symbol, 0: in no name */
	size_t n_pages_used, n_symbols;
	uint16_t *pool; /* symbols of all names */
	size_t n_pool;
	struct name_entry *entries;
	size_t n_entries;
	struct name_node *nodes; /* breadth first; one more than there are, for the last one's children */
	uint16_t *labels;        /* per node: the symbol that leads to it; among siblings they rise */
	uint32_t *from_root;     /* per symbol: the child of the root, or ROOT */
	size_t n_nodes;
	struct near_index *near;
};

uint16_t names_symbol(const struct hl_names *names, uint32_t cp);

/* names_child - ROOT when there is none. */
uint32_t names_child(const struct hl_names *names, uint32_t node, uint16_t symbol);

/* near_index_new - NULL without memory. */
struct near_index *near_index_new(const struct hl_names *names);
void near_index_free(struct near_index **index);
size_t near_index_bytes(const struct near_index *index);

#endif
