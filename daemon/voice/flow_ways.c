/* flow_ways.c - that a flow leads every caller somewhere, and how it looks drawn
 *
 * Pure. Owns three rules: an outcome that can be has a way on; every node is reached from an entry; every way round
 * passes a node with `tries`.
 * Limits: HL_FLOW_NODES_MAX nodes; cost O(nodes x outcomes).
 */
#include "voice/flow_parts.h"

#include <string.h>

const char *const flow_doing_name[FLOW_DOINGS] = {"gather", "record", "dial", "wait", "look", "next", "hangup"};

static bool has(const struct flow_node *node, const char *word)
{
	for (size_t i = 0; i < node->n_on; i++)
		if (strcmp(node->on[i].word, word) == 0)
			return true;
	return false;
}

static bool is_key(const char *word)
{
	return strlen(word) == 1 && strchr("0123456789*#", word[0]);
}

/* The outcomes that a doing has, apart from keys. */
static const char *const outcomes[FLOW_DOINGS][4] = {
	[FLOW_GATHER] = {"silence", "other", NULL},
	[FLOW_RECORD] = {"recorded", "silence", NULL},
	[FLOW_DIAL] = {"talked", "missed", NULL},
	[FLOW_WAIT] = {"next", NULL},
	[FLOW_LOOK] = {"yes", "no", NULL},
	[FLOW_NEXT] = {"next", NULL},
	[FLOW_HANGUP] = {NULL},
};

static bool is_possible(const struct flow_node *node, const char *word)
{
	if (strcmp(word, "spent") == 0)
		return node->tries > 0;
	if (is_key(word))
		return node->doing == FLOW_GATHER || (node->doing == FLOW_RECORD && strchr(node->finish, word[0]));
	if (strcmp(word, "digits") == 0)
		return node->doing == FLOW_GATHER && node->n_digits > 1;
	for (size_t i = 0; outcomes[node->doing][i]; i++)
		if (strcmp(outcomes[node->doing][i], word) == 0)
			return true;
	return false;
}

static enum hl_class check_outcomes(const struct flow_node *node, struct hl_error *err)
{
	for (size_t i = 0; i < node->n_on; i++)
		if (!is_possible(node, node->on[i].word))
			return hl_fail(err, HL_INPUT, "node %s: on.%s: cannot come of %s", node->name, node->on[i].word,
				       flow_doing_name[node->doing]);
	for (size_t i = 0; outcomes[node->doing][i]; i++)
		if (!has(node, outcomes[node->doing][i]))
			return hl_fail(err, HL_INPUT, "node %s: on.%s: must lead somewhere", node->name,
				       outcomes[node->doing][i]);
	if (node->tries > 0 && !has(node, "spent"))
		return hl_fail(err, HL_INPUT, "node %s: on.spent: must lead somewhere, since tries are counted",
			       node->name);
	return HL_OK;
}

static void reach(const struct hl_flow *flow, size_t at, bool *seen)
{
	if (seen[at])
		return;
	seen[at] = true;
	for (size_t i = 0; i < flow->nodes[at].n_on; i++)
		reach(flow, flow->nodes[at].on[i].to, seen);
}

static enum hl_class check_reached(const struct hl_flow *flow, struct hl_error *err)
{
	bool seen[HL_FLOW_NODES_MAX] = {false};

	for (size_t i = 0; i < flow->n_entries; i++)
		reach(flow, flow->entries[i].node, seen);
	for (size_t i = 0; i < flow->n_nodes; i++)
		if (!seen[i])
			return hl_fail(err, HL_INPUT, "node %s: no way leads to it", flow->nodes[i].name);
	return HL_OK;
}

enum colour { WHITE, GREY, BLACK };

/* Gives a node on a way round that counts no tries, or FLOW_NONE. A counted node is left only by "spent" in the end, so
 * only that way of it can belong to an endless one. */
static size_t find_round(const struct hl_flow *flow, size_t at, enum colour *colours)
{
	const struct flow_node *node = &flow->nodes[at];
	size_t found = FLOW_NONE;

	if (colours[at] != WHITE)
		return colours[at] == GREY ? at : FLOW_NONE;
	colours[at] = GREY;
	for (size_t i = 0; i < node->n_on && found == FLOW_NONE; i++)
		if (node->tries == 0 || strcmp(node->on[i].word, "spent") == 0)
			found = find_round(flow, node->on[i].to, colours);
	colours[at] = BLACK;
	return found;
}

static enum hl_class check_rounds(const struct hl_flow *flow, struct hl_error *err)
{
	enum colour colours[HL_FLOW_NODES_MAX] = {WHITE};

	for (size_t i = 0; i < flow->n_nodes; i++) {
		size_t at = find_round(flow, i, colours);

		if (at != FLOW_NONE)
			return hl_fail(err, HL_INPUT,
				       "node %s: is on a way round that never ends: no node of it has tries",
				       flow->nodes[at].name);
	}
	return HL_OK;
}

enum hl_class flow_check_ways(const struct hl_flow *flow, struct hl_error *err)
{
	enum hl_class cls = HL_OK;

	for (size_t i = 0; i < flow->n_nodes && cls == HL_OK; i++)
		cls = check_outcomes(&flow->nodes[i], err);
	if (cls == HL_OK)
		cls = check_reached(flow, err);
	return cls == HL_OK ? check_rounds(flow, err) : cls;
}

/* ---- drawn -------------------------------------------------------------------- */

static void draw_node(const struct flow_node *node, struct hl_buf *out)
{
	static const char *const shapes[FLOW_DOINGS] = {"box",     "component", "house",       "octagon",
							"diamond", "ellipse",   "doublecircle"};

	hl_buf_printf(out, "  \"%s\" [shape=%s, label=\"%s\\n%s%s%s\"];\n", node->name, shapes[node->doing], node->name,
		      flow_doing_name[node->doing], node->look ? " " : "", node->look ? node->look : "");
}

void hl_flow_graph(const struct hl_flow *flow, struct hl_buf *out)
{
	hl_buf_add_str(out, "digraph flow {\n  rankdir=LR;\n");
	for (size_t i = 0; i < flow->n_entries; i++)
		hl_buf_printf(out, "  \"(%s)\" [shape=plaintext];\n  \"(%s)\" -> \"%s\";\n", flow->entries[i].purpose,
			      flow->entries[i].purpose, flow->nodes[flow->entries[i].node].name);
	for (size_t i = 0; i < flow->n_nodes; i++) {
		const struct flow_node *node = &flow->nodes[i];

		draw_node(node, out);
		for (size_t k = 0; k < node->n_on; k++)
			hl_buf_printf(out, "  \"%s\" -> \"%s\" [label=\"%s\"];\n", node->name,
				      flow->nodes[node->on[k].to].name, node->on[k].word);
	}
	hl_buf_add_str(out, "}\n");
}
