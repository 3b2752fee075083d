/* flow.c - the pure step of a call (contract and table in hotline/flow.h)
 *
 * Owns     how a call moves through its flow. Must not know: dialects, the database, the clock.
 * Limits   a chain of nodes that wait for nothing ends at the latest after all nodes were passed once: flow_ways.c has
 *          refused any other. steps_max ends a call that its own flow would let turn for very long.
 */
#include "voice/flow_parts.h"

#include <string.h>

#define VISITS_MAX 200 /* what is counted; a flow allows at most 20 tries */

size_t flow_find_node(const struct hl_flow *flow, const char *name)
{
	for (size_t i = 0; i < flow->n_nodes; i++)
		if (strcmp(flow->nodes[i].name, name) == 0)
			return i;
	return FLOW_NONE;
}

size_t flow_outcome_of(const struct flow_node *node, const char *word)
{
	size_t other = FLOW_NONE;

	for (size_t i = 0; i < node->n_on; i++) {
		if (strcmp(node->on[i].word, word) == 0)
			return node->on[i].to;
		if (strcmp(node->on[i].word, "other") == 0)
			other = node->on[i].to;
	}
	return other;
}

static bool has_outcome(const struct flow_node *node, const char *word)
{
	for (size_t i = 0; i < node->n_on; i++)
		if (strcmp(node->on[i].word, word) == 0)
			return true;
	return false;
}

static bool is_true(const char *look, const struct hl_flow_facts *f)
{
	const struct {
		const char *name;
		bool value;
	} facts[] = {{"open", f->is_open},     {"known", f->is_known},        {"case", f->is_case},
		     {"mobile", f->is_mobile}, {"operator", f->has_operator}, {"registered", f->is_registered}};

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		if (strcmp(facts[i].name, look) == 0)
			return facts[i].value;
	return false;
}

/* ---- entering nodes --------------------------------------------------------- */

/* One walk from a node to the one where the call waits. */
struct walk {
	const struct hl_flow *flow;
	const struct hl_flow_facts *facts;
	struct hl_call_state *state;
	struct hl_flow_move *move;
};

static void add_step(struct hl_flow_move *move, struct hl_line_step step)
{
	if (move->n_steps < HL_FLOW_STEPS_MAX)
		move->steps[move->n_steps++] = step;
}

static void add_doing(const struct walk *w, const struct flow_node *node)
{
	static const enum hl_line_verb verbs[] = {[FLOW_GATHER] = HL_LINE_GATHER,
						  [FLOW_RECORD] = HL_LINE_RECORD,
						  [FLOW_DIAL] = HL_LINE_DIAL,
						  [FLOW_WAIT] = HL_LINE_WAIT,
						  [FLOW_HANGUP] = HL_LINE_HANGUP};

	add_step(w->move,
		 (struct hl_line_step){.verb = verbs[node->doing],
				       .text = node->whisper ? hl_flow_text(w->flow, node->whisper, NULL) : NULL,
				       .n_digits = node->n_digits,
				       .finish = node->finish,
				       .timeout_s = node->timeout_s,
				       .max_s = node->max_s});
}

/* Says what a node says and does what it does. Gives the node behind it, FLOW_NONE when the call waits here. */
static size_t enter(const struct walk *w, const struct flow_node *node)
{
	if (node->lang)
		snprintf(w->state->lang, sizeof(w->state->lang), "%s", node->lang);
	w->move->effects |= node->effects;
	for (size_t i = 0; i < node->n_says; i++)
		add_step(w->move, (struct hl_line_step){.verb = HL_LINE_SAY,
							.text = hl_flow_text(w->flow, node->says[i], w->state->lang)});
	if (node->doing == FLOW_LOOK)
		return flow_outcome_of(node, is_true(node->look, w->facts) ? "yes" : "no");
	if (node->doing == FLOW_NEXT)
		return flow_outcome_of(node, "next");
	add_doing(w, node);
	return FLOW_NONE;
}

/* Whether a node may be entered once more; counts. */
static bool has_tries(const struct walk *w, size_t at)
{
	unsigned char *visits = &w->state->visits[at];

	if (w->flow->nodes[at].tries == 0)
		return true;
	if (*visits < VISITS_MAX)
		(*visits)++;
	return *visits <= w->flow->nodes[at].tries;
}

/* Goes on from a node until the call waits or ends. The count stands in for the check that flow_ways.c made. */
static void walk_from(const struct walk *w, size_t at)
{
	snprintf(w->state->from, sizeof(w->state->from), "%s", w->flow->nodes[at].name);
	for (size_t n = 0; n < 2 * HL_FLOW_NODES_MAX; n++) {
		const struct flow_node *node = &w->flow->nodes[at];
		size_t next = has_tries(w, at) ? enter(w, node) : flow_outcome_of(node, "spent");

		if (next == FLOW_NONE) {
			snprintf(w->state->node, sizeof(w->state->node), "%s", node->name);
			return;
		}
		at = next;
	}
}

static void hang_up(struct hl_flow_move *move)
{
	add_step(move, (struct hl_line_step){.verb = HL_LINE_HANGUP, .finish = ""});
}

/* ---- events ----------------------------------------------------------------- */

/* The word for what came of a node, NULL when the node did not await it. */
static const char *outcome_word(const struct flow_node *node, const struct hl_flow_event *event, char key[2])
{
	key[0] = event->digits.len ? event->digits.ptr[0] : '\0';
	key[1] = '\0';
	switch (node->doing) {
	case FLOW_GATHER:
		if (event->kind != HL_FLOW_DIGITS && event->kind != HL_FLOW_START)
			return NULL;
		if (event->digits.len == 0)
			return "silence";
		return node->n_digits == 1 || (event->digits.len == 1 && has_outcome(node, key)) ? key : "digits";
	case FLOW_RECORD:
		if (event->kind != HL_FLOW_RECORDED && event->kind != HL_FLOW_START)
			return NULL;
		if (event->digits.len == 1 && has_outcome(node, key))
			return key;
		return event->kind == HL_FLOW_RECORDED && event->has_sound ? "recorded" : "silence";
	case FLOW_DIAL:
		if (event->kind != HL_FLOW_DIALED && event->kind != HL_FLOW_START)
			return NULL;
		return event->kind == HL_FLOW_DIALED && event->is_talked ? "talked" : "missed";
	case FLOW_WAIT:
		return event->kind == HL_FLOW_START || event->kind == HL_FLOW_DIGITS ? "next" : NULL;
	case FLOW_LOOK:
	case FLOW_NEXT:
	case FLOW_HANGUP:
	case FLOW_DOINGS:
		break;
	}
	return NULL;
}

/* The same again: what the last move said, without its effects. */
static void repeat(const struct walk *w)
{
	struct hl_call_state was = *w->state;
	size_t from = flow_find_node(w->flow, was.from), at = flow_find_node(w->flow, was.node);

	/* A try that is only told once more is not spent by that. */
	memset(w->state->visits, 0, sizeof(w->state->visits));
	if (from != FLOW_NONE)
		walk_from(w, from);
	if (strcmp(w->state->node, was.node) != 0) {
		w->move->n_steps = 0;
		*w->state = was;
		if (at != FLOW_NONE)
			enter(w, &w->flow->nodes[at]);
		else
			hang_up(w->move);
	}
	*w->state = was;
	w->move->effects = 0;
	w->move->is_repeat = true;
}

/* The call is over. Whoever was not heard, and was not promised a call already, is owed one. */
static void end_call(struct hl_call_state *state, struct hl_flow_move *move)
{
	const int settled = HL_CALL_CALLBACK | HL_CALL_HEARD | HL_CALL_SIGN | HL_CALL_DEPUTY;

	state->is_ended = true;
	if (!state->is_recorded && !state->is_talked && !(state->effects & settled))
		move->effects |= HL_CALL_CALLBACK;
	state->effects |= move->effects;
	hang_up(move);
}

static void remember(struct hl_call_state *state, const struct flow_node *node, const struct hl_flow_event *event)
{
	state->is_recorded |= event->kind == HL_FLOW_RECORDED && event->has_sound;
	state->is_talked |= event->kind == HL_FLOW_DIALED && event->is_talked;
	if (node && node->doing == FLOW_GATHER && node->n_digits > 1 && event->digits.len <= HL_CALL_DIGITS_MAX)
		snprintf(state->digits, sizeof(state->digits), "%.*s", HL_SLICE_ARG(event->digits));
}

static size_t entry_of(const struct hl_flow *flow, const char *purpose)
{
	for (size_t i = 0; i < flow->n_entries; i++)
		if (strcmp(flow->entries[i].purpose, purpose) == 0)
			return flow->entries[i].node;
	return flow->entries[0].node;
}

/* Where the event leads; FLOW_NONE when it leads nowhere. */
static size_t way_on(const struct hl_flow *flow, const struct hl_call_state *state, const struct hl_flow_event *event)
{
	size_t at = flow_find_node(flow, state->node);
	const char *word;
	char key[2];

	if (at == FLOW_NONE)
		return entry_of(flow, state->purpose); /* a new call, or one whose node an import has taken away */
	if (flow->nodes[at].doing == FLOW_LOOK || flow->nodes[at].doing == FLOW_NEXT)
		return at; /* an import has made a node of it where nobody waits */
	if (event->step >= 0 && event->step != state->steps)
		return FLOW_NONE;
	/* The first question again, since its answer did not come through: not a caller who is silent. */
	if (event->step < 0 && event->kind == HL_FLOW_START)
		return FLOW_NONE;
	word = outcome_word(&flow->nodes[at], event, key);
	return word ? flow_outcome_of(&flow->nodes[at], word) : FLOW_NONE;
}

void hl_flow_step(const struct hl_flow *flow, const struct hl_flow_facts *facts, const struct hl_flow_event *event,
		  struct hl_call_state *state, struct hl_flow_move *move_r)
{
	struct walk w = {.flow = flow, .facts = facts, .state = state, .move = move_r};
	size_t at = flow_find_node(flow, state->node), next;

	*move_r = (struct hl_flow_move){.n_steps = 0};
	if (!state->lang[0])
		snprintf(state->lang, sizeof(state->lang), "%s", hl_flow_first_lang(flow));
	if (state->is_ended) {
		state->is_recorded |= event->kind == HL_FLOW_RECORDED && event->has_sound;
		move_r->is_repeat = true;
		hang_up(move_r);
		return;
	}
	if (event->kind == HL_FLOW_ENDED || state->steps >= flow->steps_max) {
		remember(state, NULL, event);
		end_call(state, move_r);
		return;
	}
	next = way_on(flow, state, event);
	/* A recording is kept even when it came late. */
	remember(state, next == FLOW_NONE || at == FLOW_NONE ? NULL : &flow->nodes[at], event);
	if (next == FLOW_NONE) {
		repeat(&w);
		return;
	}
	state->steps++;
	walk_from(&w, next);
	state->effects |= move_r->effects;
}

/* ---- the state as it is kept -------------------------------------------------- */

json_t *hl_call_state_json(const struct hl_flow *flow, const struct hl_call_state *s)
{
	json_t *visits = json_object();

	for (size_t i = 0; i < flow->n_nodes; i++)
		if (s->visits[i])
			json_object_set_new(visits, flow->nodes[i].name, json_integer(s->visits[i]));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:i, s:i, s:b, s:b, s:b}", "purpose", s->purpose, "node",
			 s->node, "from", s->from, "lang", s->lang, "digits", s->digits, "visits", visits, "steps",
			 s->steps, "effects", s->effects, "recorded", s->is_recorded, "talked", s->is_talked, "ended",
			 s->is_ended);
}

static void read_text(const json_t *doc, const char *field, char *out, size_t out_bytes)
{
	const char *text = json_string_value(json_object_get(doc, field));

	snprintf(out, out_bytes, "%s", text ? text : "");
}

void hl_call_state_read(const struct hl_flow *flow, const json_t *doc, struct hl_call_state *s)
{
	const json_t *visits = json_object_get(doc, "visits");

	*s = (struct hl_call_state){.steps = 0};
	read_text(doc, "purpose", s->purpose, sizeof(s->purpose));
	read_text(doc, "node", s->node, sizeof(s->node));
	read_text(doc, "from", s->from, sizeof(s->from));
	read_text(doc, "lang", s->lang, sizeof(s->lang));
	read_text(doc, "digits", s->digits, sizeof(s->digits));
	for (size_t i = 0; i < flow->n_nodes; i++)
		s->visits[i] = (unsigned char)json_integer_value(json_object_get(visits, flow->nodes[i].name));
	s->steps = (int)json_integer_value(json_object_get(doc, "steps"));
	s->effects = (int)json_integer_value(json_object_get(doc, "effects"));
	s->is_recorded = json_is_true(json_object_get(doc, "recorded"));
	s->is_talked = json_is_true(json_object_get(doc, "talked"));
	s->is_ended = json_is_true(json_object_get(doc, "ended"));
}
