/* law.c - hotlinectl law: the legal moves of cases and tasks as tables and pictures, made from law.def */
#include "ctl.h"

#include "hotline/law.h"

#include <string.h>

#define STATES_MAX 32
#define EVENTS_MAX 32

static const char *const scopes[] = {"case", "task"};

/* Adds a word to a list that has none twice. */
static void add(const char **words, size_t *n, size_t max, const char *word)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp(words[i], word) == 0)
			return;
	hl_assert(*n < max);
	words[(*n)++] = word;
}

static bool is_of(const struct hl_move *move, const char *scope)
{
	return strcmp(move->scope, scope) == 0;
}

static const char *shown(const char *state)
{
	return *state ? state : "(new)";
}

/* ---- Markdown ------------------------------------------------------------- */

/* Where an event leads from a state: every target, since more than one may be legal. */
static void print_cell(const char *scope, const char *from, const char *event)
{
	size_t n, shown_targets = 0;
	const struct hl_move *law = hl_law(&n);

	printf(" ");
	for (size_t i = 0; i < n; i++)
		if (is_of(&law[i], scope) && strcmp(law[i].from, from) == 0 && strcmp(law[i].event, event) == 0)
			printf("%s%s", shown_targets++ ? ", " : "", law[i].to);
	printf("%s |", shown_targets ? "" : "·");
}

static void print_matrix(const char *scope)
{
	const char *states[STATES_MAX], *events[EVENTS_MAX];
	size_t n, n_states = 0, n_events = 0;
	const struct hl_move *law = hl_law(&n);

	for (size_t i = 0; i < n; i++)
		if (is_of(&law[i], scope)) {
			add(states, &n_states, STATES_MAX, law[i].from);
			add(events, &n_events, EVENTS_MAX, law[i].event);
		}
	for (size_t i = 0; i < n; i++)
		if (is_of(&law[i], scope))
			add(states, &n_states, STATES_MAX, law[i].to);
	printf("| %s |", scope);
	for (size_t e = 0; e < n_events; e++)
		printf(" %s |", events[e]);
	printf("\n|---|");
	for (size_t e = 0; e < n_events; e++)
		printf("---|");
	printf("\n");
	for (size_t s = 0; s < n_states; s++) {
		printf("| **%s** |", shown(states[s]));
		for (size_t e = 0; e < n_events; e++)
			print_cell(scope, states[s], events[e]);
		printf("\n");
	}
}

static void print_effects(const char *scope)
{
	size_t n;
	const struct hl_effect *effects = hl_law_effects(&n);

	printf("\n| event of a %s | effect |\n|---|---|\n", scope);
	for (size_t i = 0; i < n; i++)
		if (strcmp(effects[i].scope, scope) == 0)
			printf("| %s | %s |\n", effects[i].event, effects[i].effect);
}

static void print_table(const char *scope)
{
	print_matrix(scope);
	print_effects(scope);
}

/* ---- pictures ------------------------------------------------------------- */

static void print_graph(const char *scope)
{
	size_t n;
	const struct hl_move *law = hl_law(&n);

	printf("digraph \"%s\" {\n\trankdir=LR;\n\tnode [shape=box, style=rounded];\n\t\"(new)\" [shape=point];\n",
	       scope);
	for (size_t i = 0; i < n; i++)
		if (is_of(&law[i], scope))
			printf("\t\"%s\" -> \"%s\" [label=\"%s\"];\n", shown(law[i].from), law[i].to, law[i].event);
	printf("}\n");
}

static bool has_way_out(const char *scope, const char *state)
{
	size_t n;
	const struct hl_move *law = hl_law(&n);

	for (size_t i = 0; i < n; i++)
		if (is_of(&law[i], scope) && strcmp(law[i].from, state) == 0)
			return true;
	return false;
}

static void print_picture(const char *scope)
{
	const char *ends[STATES_MAX];
	size_t n, n_ends = 0;
	const struct hl_move *law = hl_law(&n);

	printf("```mermaid\nstateDiagram-v2\n");
	for (size_t i = 0; i < n; i++)
		if (is_of(&law[i], scope))
			printf("    %s --> %s: %s\n", *law[i].from ? law[i].from : "[*]", law[i].to, law[i].event);
	for (size_t i = 0; i < n; i++)
		if (is_of(&law[i], scope) && !has_way_out(scope, law[i].to))
			add(ends, &n_ends, STATES_MAX, law[i].to);
	for (size_t i = 0; i < n_ends; i++)
		printf("    %s --> [*]\n", ends[i]);
	printf("```\n");
}

static void print_moves(const char *only)
{
	size_t n;
	const struct hl_move *law = hl_law(&n);
	json_t *moves = json_array();

	for (size_t i = 0; i < n; i++)
		if (!only || is_of(&law[i], only))
			json_array_append_new(moves, json_pack("{s:s, s:s, s:s, s:s}", "scope", law[i].scope, "event",
							       law[i].event, "from", law[i].from, "to", law[i].to));
	ctl_print(moves);
	json_decref(moves);
}

static const struct {
	const char *flag;
	void (*print)(const char *scope);
} forms[] = {{"--table", print_table}, {"--graph", print_graph}, {"--picture", print_picture}};

int cmd_law(struct ctl *ctl)
{
	const char *only = ctl_word(ctl, 0);
	void (*print)(const char *scope) = NULL;
	bool is_first = true;

	if (only && strcmp(only, "case") != 0 && strcmp(only, "task") != 0)
		return CTL_USAGE;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (ctl_flag(ctl, forms[i].flag))
			print = forms[i].print;
	if (ctl->as_json) {
		print_moves(only);
		return CTL_OK;
	}
	if (!print)
		return CTL_USAGE;
	for (size_t s = 0; s < sizeof(scopes) / sizeof(scopes[0]); s++) {
		if (only && strcmp(scopes[s], only) != 0)
			continue;
		if (!is_first)
			printf("\n");
		is_first = false;
		print(scopes[s]);
	}
	return CTL_OK;
}
