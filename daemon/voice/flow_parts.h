/* flow_parts.h (private to daemon/voice) - a call flow as it was read */
#ifndef VOICE_FLOW_PARTS_H
#define VOICE_FLOW_PARTS_H

#include "hotline/flow.h"

#define FLOW_SAYS_MAX     6
#define FLOW_OUTCOMES_MAX 20
#define FLOW_ENTRIES_MAX  4
#define FLOW_LANGS_MAX    8

enum flow_doing { FLOW_GATHER, FLOW_RECORD, FLOW_DIAL, FLOW_WAIT, FLOW_LOOK, FLOW_NEXT, FLOW_HANGUP, FLOW_DOINGS };
extern const char *const flow_doing_name[FLOW_DOINGS];

struct flow_outcome {
	const char *word;
	size_t to;
};

struct flow_node {
	const char *name;
	const char *says[FLOW_SAYS_MAX]; /* keys of texts */
	size_t n_says;
	enum flow_doing doing;
	const char *look;    /* LOOK: name of the fact */
	const char *whisper; /* DIAL: key of a text, or NULL */
	const char *finish;
	const char *lang; /* from here on, or NULL */
	unsigned n_digits, timeout_s, max_s, tries;
	int effects;
	struct flow_outcome on[FLOW_OUTCOMES_MAX];
	size_t n_on;
};

struct flow_entry {
	const char *purpose;
	size_t node;
};

struct hl_flow {
	json_t *doc;
	const json_t *texts;
	const char *langs[FLOW_LANGS_MAX];
	size_t n_langs;
	struct flow_node nodes[HL_FLOW_NODES_MAX];
	size_t n_nodes;
	struct flow_entry entries[FLOW_ENTRIES_MAX];
	size_t n_entries;
	int steps_max;
};

#define FLOW_NONE ((size_t)-1)

/* flow_find_node - index by name, FLOW_NONE if there is none. */
size_t flow_find_node(const struct hl_flow *flow, const char *name);
/* flow_outcome_of - where an outcome leads: by its word, else by "other"; FLOW_NONE: nowhere. */
size_t flow_outcome_of(const struct flow_node *node, const char *word);
/* flow_check_ways - that every outcome leads on, every node is reached, and no way round is without an end. */
enum hl_class flow_check_ways(const struct hl_flow *flow, struct hl_error *err);

#endif
