/* test_law.c - the table of legal moves: unambiguous, every state reachable, every state but the last ones has a way
 * out */
#include "hotline/law.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define STATES_MAX 32

static const char *const scopes[] = {"case", "task"};

/* Where a life may end: nothing leads away from these. */
static const struct {
	const char *scope, *state;
} last[] = {
	{"case", "merged"}, {"case", "withdrawn"}, {"task", "closed"}, {"task", "handed_back"}, {"task", "withdrawn"}};

static bool is_last(const char *scope, const char *state)
{
	for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++)
		if (strcmp(last[i].scope, scope) == 0 && strcmp(last[i].state, state) == 0)
			return true;
	return false;
}

static bool has(const char *const *states, size_t n, const char *state)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(states[i], state) == 0)
			return true;
	return false;
}

/* States that can be reached from birth. */
static size_t reach(const char *scope, const char *states[STATES_MAX])
{
	size_t n_moves, n = 0;
	const struct hl_move *law = hl_law(&n_moves);
	bool is_growing = true;

	states[n++] = "";
	while (is_growing) {
		is_growing = false;
		for (size_t i = 0; i < n_moves; i++)
			if (strcmp(law[i].scope, scope) == 0 && has(states, n, law[i].from) &&
			    !has(states, n, law[i].to)) {
				assert_true(n < STATES_MAX);
				states[n++] = law[i].to;
				is_growing = true;
			}
	}
	return n;
}

static void every_move_is_there_once_and_goes_somewhere(void **state)
{
	size_t n;
	const struct hl_move *law = hl_law(&n);

	(void)state;
	assert_true(n > 0);
	for (size_t i = 0; i < n; i++) {
		assert_true(has(scopes, 2, law[i].scope));
		assert_true(law[i].event[0] && law[i].to[0]);
		assert_string_not_equal(law[i].from, law[i].to);
		for (size_t k = 0; k < i; k++)
			if (strcmp(law[i].scope, law[k].scope) == 0 && strcmp(law[i].event, law[k].event) == 0 &&
			    strcmp(law[i].from, law[k].from) == 0 && strcmp(law[i].to, law[k].to) == 0)
				fail_msg("%s %s from %s to %s twice", law[i].scope, law[i].event, law[i].from,
					 law[i].to);
	}
}

static void every_state_is_reachable(void **state)
{
	size_t n_moves;
	const struct hl_move *law = hl_law(&n_moves);

	(void)state;
	for (size_t s = 0; s < 2; s++) {
		const char *states[STATES_MAX];
		size_t n = reach(scopes[s], states);

		assert_true(n > 5);
		for (size_t i = 0; i < n_moves; i++)
			if (strcmp(law[i].scope, scopes[s]) == 0 &&
			    !(has(states, n, law[i].from) && has(states, n, law[i].to)))
				fail_msg("%s %s: no way to %s", law[i].scope, law[i].event, law[i].from);
	}
}

static void every_state_but_the_last_ones_has_a_way_out(void **state)
{
	size_t n_moves;
	const struct hl_move *law = hl_law(&n_moves);

	(void)state;
	for (size_t s = 0; s < 2; s++) {
		const char *states[STATES_MAX];
		size_t n = reach(scopes[s], states);

		for (size_t i = 0; i < n; i++) {
			bool has_way_out = false;

			for (size_t k = 0; k < n_moves; k++)
				has_way_out |=
					strcmp(law[k].scope, scopes[s]) == 0 && strcmp(law[k].from, states[i]) == 0;
			if (has_way_out == is_last(scopes[s], states[i]))
				fail_msg("%s %s: a way out: %d", scopes[s], states[i], has_way_out);
		}
	}
}

static void only_birth_starts_from_nothing(void **state)
{
	size_t n;
	const struct hl_move *law = hl_law(&n);

	(void)state;
	for (size_t i = 0; i < n; i++)
		if (law[i].from[0] == '\0')
			assert_string_equal(law[i].event, strcmp(law[i].scope, "case") == 0 ? "opened" : "assigned");
}

/* The facts people rely on: only the centre closes, and only what was done; no way back from closed but reopening. */
static void a_case_is_closed_only_when_it_was_done(void **state)
{
	size_t n;
	const struct hl_move *law = hl_law(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(law[i].scope, "case") != 0)
			continue;
		if (strcmp(law[i].to, "closed") == 0)
			assert_string_equal(law[i].from, "done");
		if (strcmp(law[i].from, "closed") == 0)
			assert_string_equal(law[i].event, "reopened");
	}
}

static void every_event_has_its_effect_and_no_other(void **state)
{
	size_t n_moves, n_effects;
	const struct hl_move *law = hl_law(&n_moves);
	const struct hl_effect *effects = hl_law_effects(&n_effects);

	(void)state;
	for (size_t i = 0; i < n_moves; i++) {
		int n = 0;

		for (size_t k = 0; k < n_effects; k++)
			n += strcmp(law[i].scope, effects[k].scope) == 0 && strcmp(law[i].event, effects[k].event) == 0;
		if (n != 1)
			fail_msg("%s %s has %d effects", law[i].scope, law[i].event, n);
	}
	for (size_t k = 0; k < n_effects; k++) {
		bool is_used = false;

		for (size_t i = 0; i < n_moves; i++)
			is_used |= strcmp(law[i].scope, effects[k].scope) == 0 &&
				   strcmp(law[i].event, effects[k].event) == 0;
		if (!is_used || !effects[k].effect[0])
			fail_msg("%s %s is no event, or its effect is empty", effects[k].scope, effects[k].event);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_move_is_there_once_and_goes_somewhere),
		cmocka_unit_test(every_state_is_reachable),
		cmocka_unit_test(every_state_but_the_last_ones_has_a_way_out),
		cmocka_unit_test(only_birth_starts_from_nothing),
		cmocka_unit_test(a_case_is_closed_only_when_it_was_done),
		cmocka_unit_test(every_event_has_its_effect_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
