/* flow.h - call flows as data, and the pure step (flow, call's state, event) -> what the line does next
 *
 * A flow is a list of nodes. A node says texts, has effects, and does one thing: gather digits, record, dial an
 * operator, wait, look at a fact, go on, or hang up. What comes of it (a digit, silence, a recording, ...) names the
 * next node. A node may allow so many tries; every way round in a flow passes one that does, so a call cannot turn for
 * ever. What a caller ends without having been heard leaves an effect as well: nobody is ever lost.
 *
 * state of a call  x  event                  -> what follows
 *   (new)             any but ENDED          -> the entry of its purpose
 *   at a node         what the node awaits   -> the node that `on` names
 *   at a node         an event for an older step, or one that it does not await: the same node again, no effect
 *   any               ENDED                  -> ended; owed: a call-back unless somebody was heard or called
 *   ended             any                    -> hang up, no effect; a recording is kept all the same
 */
#ifndef HOTLINE_FLOW_H
#define HOTLINE_FLOW_H

#include "hotline/buf.h"
#include "hotline/error.h"

#include <jansson.h>

#define HL_FLOW_NODES_MAX  64
#define HL_FLOW_STEPS_MAX  64 /* what one move can make the line do */
#define HL_CALL_DIGITS_MAX 16
#define HL_NODE_NAME_MAX   31

struct hl_flow;

/* What the line does. */
enum hl_line_verb { HL_LINE_SAY, HL_LINE_GATHER, HL_LINE_RECORD, HL_LINE_DIAL, HL_LINE_WAIT, HL_LINE_HANGUP };

struct hl_line_step {
	enum hl_line_verb verb;
	const char *text;   /* SAY: text with {parameters}; DIAL: what the operator hears first, or NULL */
	unsigned n_digits;  /* GATHER: at most so many */
	const char *finish; /* GATHER, RECORD: keys that end it, "" for none */
	unsigned timeout_s; /* GATHER, DIAL: patience; RECORD: silence that ends it; WAIT: how long */
	unsigned max_s;     /* RECORD */
};

enum hl_flow_event_kind {
	HL_FLOW_START,    /* the call is answered and asks what to do; also "go on" after a wait */
	HL_FLOW_DIGITS,   /* digits came, or none in time */
	HL_FLOW_RECORDED, /* a recording ended, maybe empty, maybe by a key */
	HL_FLOW_DIALED,   /* the dialled leg is over */
	HL_FLOW_ENDED,    /* the call is over */
};

struct hl_flow_event {
	enum hl_flow_event_kind kind;
	int step; /* the step that it answers; -1: it does not say */
	struct hl_slice digits;
	bool has_sound; /* RECORDED: there is something in it */
	bool is_talked; /* DIALED: somebody answered */
};

/* What is true when a flow looks at it. */
struct hl_flow_facts {
	bool is_open;       /* working time */
	bool is_known;      /* the caller has an open case */
	bool is_case;       /* the digits entered last are the number of a case of this caller */
	bool is_mobile;     /* the caller's number takes texts */
	bool has_operator;  /* there is somebody to dial */
	bool is_registered; /* what was recorded has become a case */
};

/* Effects, as bits. */
enum {
	HL_CALL_CALLBACK = 1,  /* an operator shall ring the caller */
	HL_CALL_EMERGENCY = 2, /* the caller says that it presses */
	HL_CALL_HEARD = 4,     /* the caller got what he rang for */
	HL_CALL_SIGN = 8,      /* an officer takes the task he was rung about */
	HL_CALL_DEPUTY = 16,   /* he passes it on */
};

/* hl_call_state - what is remembered between two events of a call. Zero it for a new one, and set purpose. */
struct hl_call_state {
	char purpose[HL_NODE_NAME_MAX + 1]; /* which entry it began with */
	char node[HL_NODE_NAME_MAX + 1];    /* where it waits, "" before the first event */
	char from[HL_NODE_NAME_MAX + 1];    /* where the last move entered, to say the same again */
	char lang[16];
	char digits[HL_CALL_DIGITS_MAX + 1]; /* the last ones that were more than a key */
	unsigned char visits[HL_FLOW_NODES_MAX];
	int steps;   /* moves so far */
	int effects; /* all that have been */
	bool is_recorded, is_talked, is_ended;
};

struct hl_flow_move {
	struct hl_line_step steps[HL_FLOW_STEPS_MAX];
	size_t n_steps;
	int effects;    /* of this move alone */
	bool is_repeat; /* nothing new: the same again */
};

/* hl_flow_new - reads and checks a document; pure.
 * Gives   a flow that the caller frees; doc is kept.
 * Errors  HL_INPUT naming the node and the rule: an unknown field or word, a text or a node that is not there, an
 * outcome without a way on, a node nobody reaches, a way round without `tries` */
enum hl_class hl_flow_new(json_t *doc, struct hl_flow **out_r, struct hl_error *err);
void hl_flow_free(struct hl_flow **flow);

/* hl_flow_step - one event of a call; pure.
 * Takes   state: as it was, and as it is afterwards; facts: what a look sees
 * Gives   what the line does, and what comes of it
 * Cost    O(nodes on the way) */
void hl_flow_step(const struct hl_flow *flow, const struct hl_flow_facts *facts, const struct hl_flow_event *event,
		  struct hl_call_state *state, struct hl_flow_move *move_r);

/* hl_flow_text - a text in a language, or in the flow's first one; "" when there is none of that name. */
const char *hl_flow_text(const struct hl_flow *flow, const char *key, const char *lang);
/* hl_flow_first_lang - the language a caller is greeted in who is not known to speak another. */
const char *hl_flow_first_lang(const struct hl_flow *flow);
/* hl_flow_has_purpose - is there such an entry? */
bool hl_flow_has_purpose(const struct hl_flow *flow, const char *purpose);
/* hl_flow_is_mobile - does a number (E.164) take texts, by the document's patterns? When it has none of mobile numbers,
 * every number does that is no landline. */
bool hl_flow_is_mobile(const struct hl_flow *flow, struct hl_slice number);

struct hl_flow_param {
	const char *name;
	struct hl_slice value;
};
/* hl_flow_fill - a text with its {parameters} filled in; one that is not given is left out. */
void hl_flow_fill(struct hl_buf *out, const char *text, const struct hl_flow_param *params, size_t n_params);
/* hl_flow_spell - digits one by one with blanks between, everything else left out: how a number is read aloud. */
void hl_flow_spell(struct hl_buf *out, struct hl_slice text);

/* hl_flow_graph - the flow as DOT (Graphviz). */
void hl_flow_graph(const struct hl_flow *flow, struct hl_buf *out);

/* hl_call_state_json, hl_call_state_read - the state as it is kept. gives; read gives a new state for anything else. */
json_t *hl_call_state_json(const struct hl_flow *flow, const struct hl_call_state *state);
void hl_call_state_read(const struct hl_flow *flow, const json_t *doc, struct hl_call_state *state_r);

#endif
