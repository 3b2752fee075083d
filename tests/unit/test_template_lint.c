/* test_template_lint.c - lengths of parameters, what texts cost, and what providers do not take */
#include "hotline/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "calendar_fixture.h"

#define LEN(a)    (sizeof(a) / sizeof((a)[0]))
#define ONE(t, p) "{'templates':[{'key':'k','lang':'zh-CN','text':'" t "','params':[" p "]}]}"
#define OUT_BYTES 2000
#define LONG_TEXT "一二三四五六七八九十"
#define SEVENTY   LONG_TEXT LONG_TEXT LONG_TEXT LONG_TEXT LONG_TEXT LONG_TEXT LONG_TEXT

static struct hl_zone_offset shanghai[] = {{0, 8 * 3600}};
static const struct hl_calendar calendar = {.zone = "Asia/Shanghai", .offsets = shanghai, .n_offsets = 1};

static struct hl_templates *load(const char *doc)
{
	json_t *json = fixture_json(doc);
	struct hl_templates *t;
	struct hl_error err = {.text = ""};

	if (hl_templates_new(json, &t, &err) != HL_OK)
		fail_msg("%s", err.text);
	json_decref(json);
	return t;
}

static void a_text_is_cut_or_refused_at_its_length(void **state)
{
	static const struct {
		const char *param, *value, *text; /* NULL: refused */
	} cases[] = {
		{"'max':5", "一二三四五", "一二三四五。"},   {"'max':5", "一二三四五六", "一二三四…。"},
		{"'max':3,'over':'cut'", "😀😀😀😀", "😀😀…。"},   {"'max':5,'over':'refuse'", "abcde", "abcde。"},
		{"'max':5,'over':'refuse'", "abcdef", NULL},
	};
	char doc[400];

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_templates *t;
		struct hl_error err = {.text = ""};
		struct hl_buf out;
		json_t *params = json_pack("{s:s}", "x", cases[i].value);

		snprintf(doc, sizeof(doc), ONE("{x}。", "{'name':'x','type':'text',%s}"), cases[i].param);
		t = load(doc);
		hl_buf_init(&out, OUT_BYTES);
		assert_int_equal(hl_template_render(t, "k", "zh-CN", params, &calendar, &out, &err),
				 cases[i].text ? HL_OK : HL_REFUSED);
		if (cases[i].text)
			assert_string_equal(hl_buf_str(&out), cases[i].text);
		else
			assert_string_equal(err.text, "parameter x of k is longer than 5 characters");
		hl_buf_fini(&out);
		json_decref(params);
		hl_templates_free(&t);
	}
}

static void bad_lengths_are_refused(void **state)
{
	static const struct {
		const char *doc, *text;
	} cases[] = {
		{ONE("{x}", "{'name':'x','type':'words'}"), "template k (zh-CN): parameter x: type must be text"},
		{ONE("{x}", "{'name':'x','type':'text','max':1}"), "template k (zh-CN): parameter x: max must be"},
		{ONE("{x}", "{'name':'x','type':'text','max':'9'}"), "template k (zh-CN): parameter x: max must be"},
		{ONE("{x}", "{'name':'x','type':'text','over':'cut'}"),
		 "template k (zh-CN): parameter x: over must be"},
		{ONE("{x}", "{'name':'x','type':'text','max':9,'over':'x'}"),
		 "template k (zh-CN): parameter x: over must be"},
		{ONE("{x}", "{'name':'x','type':'code','max':4}"),
		 "template k (zh-CN): parameter x: a code is never cut"},
		{ONE("{x:time}", "{'name':'x','type':'time','max':4,'over':'cut'}"),
		 "template k (zh-CN): parameter x: a time is never cut"},
		{ONE("{y}", "{'name':'x','type':'text'}"), "template k (zh-CN): parameter y is not declared"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		json_t *json = fixture_json(cases[i].doc);
		struct hl_templates *t;
		struct hl_error err = {.text = ""};

		if (hl_templates_new(json, &t, &err) != HL_INPUT)
			fail_msg("accepted: %s", cases[i].doc);
		if (strncmp(err.text, cases[i].text, strlen(cases[i].text)) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", cases[i].doc, err.text, cases[i].text);
		json_decref(json);
	}
}

static void a_note_says_cost_and_fault(void **state)
{
	static const struct {
		const char *doc;
		size_t parts;
		bool is_error;
		const char *why;
	} cases[] = {
		{ONE(SEVENTY, ""), 1, false, ""},
		{ONE(SEVENTY "。", ""), 2, false, "71 units, costs 2 SMS"},
		{ONE("{x}{y?{}}", "{'name':'x','type':'code'},{'name':'y','type':'text'}"), 1, false, ""},
		{"{'examples':{'x':'" SEVENTY "','y':'!'}," /* an example makes the optional part show */
		 "'templates':[{'key':'k','lang':'zh-CN','text':'{x}{y?{}}','params':[{'name':'x','type':'text'},"
		 "{'name':'y','type':'text'}]}]}",
		 2, false, "71 units, costs 2 SMS"},
		{"{'providers':{'small':{'text_max':10}},'templates':[{'key':'k','lang':'zh-CN','text':'" LONG_TEXT
		 "。',"
		 "'params':[]}]}",
		 1, true, "11 characters, small takes 10"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_templates *t = load(cases[i].doc);
		struct hl_template_entry entry;
		struct hl_template_note note;

		assert_true(hl_templates_at(t, 0, &entry));
		assert_false(hl_templates_at(t, 1, &entry));
		hl_template_lint(t, &entry, &calendar, &note);
		assert_string_equal(note.why, cases[i].why);
		assert_int_equal(note.parts, cases[i].parts);
		assert_int_equal(note.is_error, cases[i].is_error);
		hl_templates_free(&t);
	}
}

/* What people read first costs one SMS, and English is whole. */
static void the_shipped_texts_cost_one_sms_and_are_there_in_english(void **state)
{
	json_t *doc = json_load_file("schema/ref/templates.json", JSON_REJECT_DUPLICATES, NULL);
	struct hl_template_entry entry, other;
	struct hl_template_note note;
	struct hl_templates *t;

	(void)state;
	assert_int_equal(hl_templates_new(doc, &t, NULL), HL_OK);
	for (size_t i = 0; hl_templates_at(t, i, &entry); i++) {
		bool has_english = strcmp(entry.lang, "en") == 0;

		hl_template_lint(t, &entry, &calendar, &note);
		if (note.is_error || (!has_english && note.parts > 1))
			fail_msg("%s (%s): %s", entry.key, entry.lang, note.why);
		for (size_t j = 0; !has_english && hl_templates_at(t, j, &other); j++)
			has_english = strcmp(other.key, entry.key) == 0 && strcmp(other.lang, "en") == 0;
		if (!has_english)
			fail_msg("%s is not there in English", entry.key);
	}
	hl_templates_free(&t);
	json_decref(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_cut_or_refused_at_its_length),
		cmocka_unit_test(bad_lengths_are_refused),
		cmocka_unit_test(a_note_says_cost_and_fault),
		cmocka_unit_test(the_shipped_texts_cost_one_sms_and_are_there_in_english),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
