/* test_flow.c - the shipped call flow walked through every node and event, and what is refused in a flow */
#include "hotline/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define FACTS  64
#define CALLER (HL_CALL_CALLBACK | HL_CALL_HEARD | HL_CALL_SIGN | HL_CALL_DEPUTY)

static struct hl_flow *flow;
static json_t *doc;

static int set_up(void **state)
{
	struct hl_error err = {.text = ""};

	(void)state;
	doc = json_load_file("schema/ref/flow.json", JSON_REJECT_DUPLICATES, NULL);
	if (hl_flow_new(doc, &flow, &err) != HL_OK)
		fail_msg("%s", err.text);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hl_flow_free(&flow);
	json_decref(doc);
	return 0;
}

static struct hl_flow_facts facts_of(int bits)
{
	return (struct hl_flow_facts){.is_open = bits & 1,
				      .is_known = bits & 2,
				      .is_case = bits & 4,
				      .is_mobile = bits & 8,
				      .has_operator = bits & 16,
				      .is_registered = bits & 32};
}

static const struct hl_flow_event events[] = {
	{.kind = HL_FLOW_START, .step = 1},
	{.kind = HL_FLOW_START, .step = -1},
	{.kind = HL_FLOW_DIGITS, .step = 1},
	{.kind = HL_FLOW_DIGITS, .step = 1, .digits = {"0", 1}},
	{.kind = HL_FLOW_DIGITS, .step = 1, .digits = {"1", 1}},
	{.kind = HL_FLOW_DIGITS, .step = 1, .digits = {"2", 1}},
	{.kind = HL_FLOW_DIGITS, .step = 1, .digits = {"3", 1}},
	{.kind = HL_FLOW_DIGITS, .step = 1, .digits = {"8", 1}},
	{.kind = HL_FLOW_DIGITS, .step = 1, .digits = {"9", 1}},
	{.kind = HL_FLOW_DIGITS, .step = 1, .digits = {"#", 1}},
	{.kind = HL_FLOW_DIGITS, .step = 1, .digits = {"26000001", 8}},
	{.kind = HL_FLOW_DIGITS, .step = 0, .digits = {"1", 1}},
	{.kind = HL_FLOW_DIGITS, .step = 99, .digits = {"1", 1}},
	{.kind = HL_FLOW_RECORDED, .step = 1, .has_sound = true},
	{.kind = HL_FLOW_RECORDED, .step = 1},
	{.kind = HL_FLOW_RECORDED, .step = 1, .has_sound = true, .digits = {"1", 1}},
	{.kind = HL_FLOW_RECORDED, .step = 1, .has_sound = true, .digits = {"#", 1}},
	{.kind = HL_FLOW_DIALED, .step = 1, .is_talked = true},
	{.kind = HL_FLOW_DIALED, .step = 1},
	{.kind = HL_FLOW_ENDED, .step = -1},
};

/* Only the last thing a line does waits for something, and there is such a thing; nothing said is empty. */
static void check_line(const struct hl_flow_move *m)
{
	assert_in_range(m->n_steps, 1, HL_FLOW_STEPS_MAX - 1);
	for (size_t i = 0; i < m->n_steps; i++) {
		bool is_last = i + 1 == m->n_steps;

		assert_int_equal(m->steps[i].verb != HL_LINE_SAY, is_last);
		if (!is_last)
			assert_true(m->steps[i].text && m->steps[i].text[0]);
	}
}

static void check_end(const struct hl_call_state *was, const struct hl_call_state *s, const struct hl_flow_move *m)
{
	assert_true(s->is_ended);
	if (!s->is_recorded && !s->is_talked)
		assert_true((was->effects | m->effects) & CALLER);
}

static void every_node_takes_every_event_under_every_fact(void **state)
{
	const json_t *node;
	size_t i, n = 0;

	(void)state;
	json_array_foreach (json_object_get(doc, "nodes"), i, node)
		for (size_t e = 0; e < LEN(events); e++)
			for (int bits = 0; bits < FACTS; bits++) {
				struct hl_call_state s = {.purpose = "inbound", .steps = 1}, was;
				struct hl_flow_facts facts = facts_of(bits);
				struct hl_flow_move m;

				snprintf(s.node, sizeof(s.node), "%s",
					 json_string_value(json_object_get(node, "name")));
				snprintf(s.from, sizeof(s.from), "%s", s.node);
				was = s;
				hl_flow_step(flow, &facts, &events[e], &s, &m);
				check_line(&m);
				if (events[e].kind == HL_FLOW_ENDED)
					check_end(&was, &s, &m);
				if (m.is_repeat) {
					assert_string_equal(s.node, was.node);
					assert_int_equal(s.steps, was.steps);
					assert_int_equal(m.effects, 0);
				}
				n++;
			}
	assert_int_equal(n, json_array_size(json_object_get(doc, "nodes")) * LEN(events) * FACTS);
}

/* Whoever presses the same thing for ever, or says nothing, comes to an end, and is not lost. */
static void no_call_turns_for_ever(void **state)
{
	static const char *const purposes[] = {"inbound", "notice", "unheard_of"};

	(void)state;
	for (size_t p = 0; p < LEN(purposes); p++)
		for (size_t e = 0; e < LEN(events); e++)
			for (int bits = 0; bits < FACTS; bits++) {
				struct hl_call_state s = {.steps = 0};
				struct hl_flow_facts facts = facts_of(bits);
				struct hl_flow_event event = events[e], ended = {.kind = HL_FLOW_ENDED, .step = -1};
				struct hl_flow_move m;
				int turns = 0;

				snprintf(s.purpose, sizeof(s.purpose), "%s", purposes[p]);
				do {
					event.step = s.steps;
					hl_flow_step(flow, &facts, &event, &s, &m);
					check_line(&m);
					assert_in_range(++turns, 1, 60);
				} while (!s.is_ended && m.steps[m.n_steps - 1].verb != HL_LINE_HANGUP && !m.is_repeat);
				if (!s.is_ended)
					hl_flow_step(flow, &facts, &ended, &s, &m);
				check_end(&s, &s, &m);
			}
}

static void what_comes_late_or_again_changes_nothing(void **state)
{
	struct hl_call_state s = {.purpose = "inbound"}, was;
	struct hl_flow_facts facts = facts_of(0);
	struct hl_flow_event start = {.kind = HL_FLOW_START, .step = -1},
			     key = {.kind = HL_FLOW_DIGITS, .step = 1, .digits = HL_LIT("1")};
	struct hl_flow_move first, again;

	(void)state;
	hl_flow_step(flow, &facts, &start, &s, &first);
	was = s;
	hl_flow_step(flow, &facts, &start, &s, &again);
	assert_true(again.is_repeat);
	assert_int_equal(again.n_steps, first.n_steps);
	assert_memory_equal(&s, &was, sizeof(s));
	hl_flow_step(flow, &facts, &key, &s, &first);
	assert_string_equal(s.node, "night");
	was = s;
	hl_flow_step(flow, &facts, &key, &s, &again);
	assert_true(again.is_repeat);
	assert_memory_equal(&s, &was, sizeof(s));
}

static void a_state_is_kept_whole(void **state)
{
	struct hl_call_state s = {.purpose = "inbound",
				  .node = "tell",
				  .from = "welcome",
				  .lang = "en",
				  .digits = "26",
				  .steps = 7,
				  .effects = 3,
				  .is_recorded = true},
			     back;
	json_t *kept;

	(void)state;
	s.visits[4] = 2;
	kept = hl_call_state_json(flow, &s);
	hl_call_state_read(flow, kept, &back);
	assert_memory_equal(&s, &back, sizeof(s));
	json_decref(kept);
	hl_call_state_read(flow, NULL, &back);
	assert_string_equal(back.node, "");
}

static void texts_are_filled_and_numbers_spelt(void **state)
{
	struct hl_flow_param params[] = {{"case", HL_LIT("2 6")}, {"unit", HL_LIT("FIR")}};
	struct hl_buf out;

	(void)state;
	hl_buf_init(&out, 1000);
	hl_flow_fill(&out, "{unit}: {case}, {place}.", params, LEN(params));
	assert_string_equal(hl_buf_str(&out), "FIR: 2 6, .");
	hl_buf_reset(&out);
	hl_flow_spell(&out, HL_LIT("26-000123"));
	assert_string_equal(hl_buf_str(&out), "2 6 0 0 0 1 2 3");
	hl_buf_fini(&out);
	assert_true(hl_flow_is_mobile(flow, HL_LIT("+8610000000001")));
	assert_false(hl_flow_is_mobile(flow, HL_LIT("+86555")));
	assert_false(hl_flow_is_mobile(flow, HL_LIT("12345")));
}

#define TEXTS       "'languages':['en'],'texts':{'a':{'en':'A'}},"
#define FLOW(nodes) "{'steps_max':9," TEXTS "'entries':{'inbound':'x'},'nodes':[" nodes "]}"
#define BYE         ",{'name':'bye','hangup':true}"

static void each_fault_is_named(void **state)
{
	static const struct {
		const char *doc, *text;
	} cases[] = {
		{"[]", "must be an object"},
		{"{'weather':1}", "weather: must not be here"},
		{"{'steps_max':0}", "steps_max: must be a number from 1 to 100"},
		{"{'steps_max':9,'numbers':{'mobile':['86x']}}", "numbers.mobile[0]: must be + and digits"},
		{"{'steps_max':9}", "languages: must name one"},
		{"{'steps_max':9,'languages':['en'],'texts':{'a':{}}}", "text a (en): must be a text"},
		{"{'steps_max':9,'languages':['en'],'texts':{'a':{'en':'{x}'}}}", "there is no such parameter"},
		{"{'steps_max':9,'languages':['en'],'texts':{'a':{'en':'a}'}}}", "a brace that opens no parameter"},
		{FLOW(""), "nodes: must be a list of 1 to 64"},
		{FLOW("{'name':'X'}"), "name: must be 1 to 31"},
		{FLOW("{'name':'x','hangup':true},{'name':'x','hangup':true}"), "node x: there are two of that name"},
		{FLOW("{'name':'x','say':['b'],'hangup':true}"), "node x: say: there is no text b"},
		{FLOW("{'name':'x','effects':['fly'],'hangup':true}"), "node x: effects: there is no such effect"},
		{FLOW("{'name':'x','gather':{'digits':99},'on':{}}"), "node x: digits: must be a number from 1 to 16"},
		{FLOW("{'name':'x','look':'moon','on':{}}"), "node x: look: there is no such fact"},
		{FLOW("{'name':'x','look':'open','hangup':true}"), "node x: must do one thing at most"},
		{FLOW("{'name':'x','dial':{'to':'me'}}"), "node x: to: must be operator"},
		{FLOW("{'name':'x','on':{'next':'y'}}"), "node x: on.next: there is no node y"},
		{FLOW("{'name':'x','look':'open','on':{'yes':'bye'}}" BYE), "node x: on.no: must lead somewhere"},
		{FLOW("{'name':'x','look':'open','on':{'yes':'bye','no':'bye','1':'bye'}}" BYE),
		 "on.1: cannot come of look"},
		{FLOW("{'name':'x','gather':{},'tries':2,'on':{'silence':'x','other':'bye'}}" BYE),
		 "on.spent: must lead somewhere"},
		{FLOW("{'name':'x','hangup':true}" BYE), "node bye: no way leads to it"},
		{FLOW("{'name':'x','on':{'next':'x'}}"), "node x: is on a way round that never ends"},
		{FLOW("{'name':'x','gather':{},'on':{'silence':'x','other':'bye'}}" BYE),
		 "is on a way round that never ends"},
		{FLOW("{'name':'x','gather':{},'tries':2,'on':{'silence':'x','other':'bye','spent':'x'}}" BYE),
		 "never ends"},
		{"{'steps_max':9," TEXTS "'entries':{},'nodes':[{'name':'x','hangup':true}]}",
		 "entries.inbound: must be"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		char text[1000];
		struct hl_error err = {.text = ""};
		struct hl_flow *bad;
		json_t *parsed;

		snprintf(text, sizeof(text), "%s", cases[i].doc);
		for (char *p = text; *p; p++)
			if (*p == '\'')
				*p = '"';
		parsed = json_loads(text, 0, NULL);
		assert_non_null(parsed);
		assert_int_equal(hl_flow_new(parsed, &bad, &err), HL_INPUT);
		if (!strstr(err.text, cases[i].text))
			fail_msg("%s: %s", text, err.text);
		json_decref(parsed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_node_takes_every_event_under_every_fact),
		cmocka_unit_test(no_call_turns_for_ever),
		cmocka_unit_test(what_comes_late_or_again_changes_nothing),
		cmocka_unit_test(a_state_is_kept_whole),
		cmocka_unit_test(texts_are_filled_and_numbers_spelt),
		cmocka_unit_test(each_fault_is_named),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
