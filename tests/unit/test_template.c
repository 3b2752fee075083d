/* test_template.c - placeholders, refusals, and the shipped texts */
#include "hotline/template.h"
#include "hotline/segments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a)       (sizeof(a) / sizeof((a)[0]))
#define OUT_BYTES    2000
#define AT_S         1795505400 /* 2026-11-24 07:30 UTC */
#define SHIPPED_FILE "schema/ref/templates.json"

static struct hl_zone_offset shanghai[] = {{0, 8 * 3600}};
static const struct hl_calendar calendar = {.zone = "Asia/Shanghai", .offsets = shanghai, .n_offsets = 1};

static const char small_doc[] = "{\"templates\":["
				"{\"key\":\"plain\",\"lang\":\"zh-CN\",\"text\":\"你好\",\"params\":[]},"
				"{\"key\":\"full\",\"lang\":\"zh-CN\",\"text\":\"{code}于{at:time}{note?（{}）}{until:"
				"time?，{}止}{mark?!}。\",\"params\":[%s]},"
				"{\"key\":\"full\",\"lang\":\"en\",\"text\":\"{code} at {at:time}{note? "
				"({})}{until:time?, until {}}{mark?!}.\",\"params\":[%s]}]}";
static const char small_params[] = "{\"name\":\"code\",\"type\":\"text\"},{\"name\":\"at\",\"type\":\"time\"},{"
				   "\"name\":\"note\",\"type\":\"text\"},"
				   "{\"name\":\"until\",\"type\":\"time\"},{\"name\":\"mark\",\"type\":\"text\"}";

static struct hl_templates *load(const char *text, enum hl_class expected, struct hl_error *err)
{
	json_t *doc = json_loads(text, 0, NULL);
	struct hl_templates *t = NULL;

	assert_non_null(doc);
	assert_int_equal(hl_templates_new(doc, &t, err), expected);
	json_decref(doc);
	return t;
}

static struct hl_templates *load_small(void)
{
	struct hl_buf text;
	struct hl_templates *t;

	hl_buf_init(&text, OUT_BYTES);
	hl_buf_printf(&text, small_doc, small_params, small_params);
	t = load(hl_buf_str(&text), HL_OK, NULL);
	hl_buf_fini(&text);
	return t;
}

/* Takes params. */
static enum hl_class render(const struct hl_templates *t, const char *key, const char *lang, json_t *params,
			    struct hl_buf *out, struct hl_error *err)
{
	enum hl_class cls;

	hl_buf_reset(out);
	cls = hl_template_render(t, key, lang, params, &calendar, out, err);
	json_decref(params);
	return cls;
}

static void parameters_are_filled_in(void **state)
{
	struct hl_templates *t = load_small();
	struct hl_buf out;

	(void)state;
	hl_buf_init(&out, OUT_BYTES);
	assert_int_equal(render(t, "full", "zh-CN", json_pack("{s:s, s:i}", "code", "3F7KH", "at", AT_S), &out, NULL),
			 HL_OK);
	assert_string_equal(hl_buf_str(&out), "3F7KH于11月24日15:30。");
	assert_int_equal(render(t, "full", "en", json_pack("{s:i, s:i}", "code", 42, "at", AT_S), &out, NULL), HL_OK);
	assert_string_equal(hl_buf_str(&out), "42 at 24 Nov 15:30.");
	hl_buf_fini(&out);
	hl_templates_free(&t);
	assert_null(t);
}

static void an_optional_part_needs_its_parameter(void **state)
{
	struct hl_templates *t = load_small();
	struct hl_buf out;

	(void)state;
	hl_buf_init(&out, OUT_BYTES);
	render(t, "full", "zh-CN",
	       json_pack("{s:s, s:i, s:s, s:i, s:s}", "code", "A", "at", AT_S, "note", "急", "until", AT_S + 60, "mark",
			 "x"),
	       &out, NULL);
	assert_string_equal(hl_buf_str(&out), "A于11月24日15:30（急），11月24日15:31止!。");
	render(t, "full", "zh-CN",
	       json_pack("{s:s, s:i, s:s, s:n, s:s}", "code", "A", "at", AT_S, "note", "", "until", "mark", ""), &out,
	       NULL);
	assert_string_equal(hl_buf_str(&out), "A于11月24日15:30。");
	hl_buf_fini(&out);
	hl_templates_free(&t);
}

static void values_are_never_read_as_placeholders(void **state)
{
	struct hl_templates *t = load_small();
	struct hl_buf out;

	(void)state;
	hl_buf_init(&out, OUT_BYTES);
	render(t, "full", "zh-CN", json_pack("{s:s, s:i}", "code", "{at:time}%s{", "at", AT_S), &out, NULL);
	assert_string_equal(hl_buf_str(&out), "{at:time}%s{于11月24日15:30。");
	hl_buf_fini(&out);
	hl_templates_free(&t);
}

static void a_language_that_is_not_there_falls_back(void **state)
{
	struct hl_templates *t = load_small();
	struct hl_buf out;
	struct hl_error err;

	(void)state;
	hl_buf_init(&out, OUT_BYTES);
	assert_int_equal(render(t, "plain", "en", NULL, &out, NULL), HL_OK);
	assert_string_equal(hl_buf_str(&out), "你好");
	assert_int_equal(render(t, "absent", "en", NULL, &out, &err), HL_CONFIG);
	assert_non_null(strstr(err.text, "absent"));
	hl_buf_fini(&out);
	hl_templates_free(&t);
}

static void a_missing_parameter_is_named(void **state)
{
	struct hl_templates *t = load_small();
	struct hl_buf out;
	struct hl_error err;

	(void)state;
	hl_buf_init(&out, OUT_BYTES);
	assert_int_equal(render(t, "full", "en", json_pack("{s:i}", "at", AT_S), &out, &err), HL_BUG);
	assert_non_null(strstr(err.text, "code"));
	assert_int_equal(render(t, "full", "en", json_pack("{s:s, s:s}", "code", "A", "at", "soon"), &out, &err),
			 HL_BUG);
	assert_non_null(strstr(err.text, "at"));
	assert_int_equal(render(t, "full", "en", NULL, &out, &err), HL_BUG);
	hl_buf_fini(&out);
	hl_templates_free(&t);
}

static void a_bad_document_is_refused_by_name(void **state)
{
#define ONE(key, lang, text, params)                                                                                   \
	"{\"templates\":[{\"key\":\"" key "\",\"lang\":\"" lang "\",\"text\":\"" text "\",\"params\":[" params "]}]}"
#define TEXT_A "{\"name\":\"a\",\"type\":\"text\"}"
#define TIME_A "{\"name\":\"a\",\"type\":\"time\"}"
	static const struct {
		const char *doc, *says;
	} cases[] = {
		{"{}", "templates"},
		{"{\"templates\":[]}", "templates"},
		{"{\"templates\":[{\"key\":\"k\",\"lang\":\"zh-CN\"}]}", "text"},
		{ONE("k", "zh-CN", "{a}", ""), "k (zh-CN): parameter a"},
		{ONE("k", "zh-CN", "{a", TEXT_A), "k (zh-CN): bad placeholder"},
		{ONE("k", "zh-CN", "a}", TEXT_A), "k (zh-CN): bad placeholder"},
		{ONE("k", "zh-CN", "{}", TEXT_A), "k (zh-CN): bad placeholder"},
		{ONE("k", "zh-CN", "{A}", TEXT_A), "k (zh-CN): bad placeholder"},
		{ONE("k", "zh-CN", "{a:date}", TEXT_A), "k (zh-CN): bad placeholder"},
		{ONE("k", "zh-CN", "{a?x{b}y}", TEXT_A), "k (zh-CN): bad placeholder"},
		{ONE("k", "zh-CN", "{a:time}", TEXT_A), "k (zh-CN): a is used"},
		{ONE("k", "zh-CN", "{a}", TIME_A), "k (zh-CN): a is used"},
		{ONE("k", "en", "x", ""), "k"},
		{"{\"templates\":[{\"key\":\"k\",\"lang\":\"zh-CN\",\"text\":\"x\",\"params\":[]},"
		 "{\"key\":\"k\",\"lang\":\"zh-CN\",\"text\":\"y\",\"params\":[]}]}",
		 "k (zh-CN): is there twice"},
		{"{\"templates\":[{\"key\":\"k\",\"lang\":\"zh-CN\",\"text\":\"x\",\"params\":[]},"
		 "{\"key\":\"k\",\"lang\":\"en\",\"text\":\"{a}\",\"params\":[" TEXT_A "]}]}",
		 "k (en): takes other parameters"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_error err = {.text = ""};

		assert_null(load(cases[i].doc, HL_INPUT, &err));
		if (!strstr(err.text, cases[i].says))
			fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].doc, err.text, cases[i].says);
	}
#undef ONE
#undef TEXT_A
#undef TIME_A
}

/* ---- the shipped texts --------------------------------------------------------- */

/* A plausible value for every parameter of an entry. */
static json_t *sample_params(const json_t *entry)
{
	static const struct {
		const char *name, *zh, *en;
	} samples[] = {
		{"code", "3F7KH", "3F7KH"},
		{"case", "26-001234", "26-001234"},
		{"place", "阳光花园3号楼2单元", "Sun Garden 3-2"},
		{"type", "电梯停运", "lift out of order"},
		{"unit", "县住房和城乡建设局", "Housing bureau"},
		{"urgency", "[急]", "URGENT"},
	};
	bool is_zh = strcmp(json_string_value(json_object_get(entry, "lang")), "zh-CN") == 0;
	json_t *params = json_object();
	const json_t *param;
	size_t i;

	json_array_foreach (json_object_get(entry, "params"), i, param) {
		const char *name = json_string_value(json_object_get(param, "name")), *value = is_zh ? "三" : "3";

		for (size_t k = 0; k < LEN(samples); k++)
			if (strcmp(samples[k].name, name) == 0)
				value = is_zh ? samples[k].zh : samples[k].en;
		if (strcmp(json_string_value(json_object_get(param, "type")), "time") == 0)
			json_object_set_new(params, name, json_integer(AT_S));
		else
			json_object_set_new(params, name,
					    json_string(strcmp(name, "unverified") == 0 || strcmp(name, "chases") == 0
								? ""
								: value));
	}
	return params;
}

static void check_shipped(const struct hl_templates *t, const json_t *entry, struct hl_buf *out)
{
	const char *key = json_string_value(json_object_get(entry, "key")),
		   *lang = json_string_value(json_object_get(entry, "lang"));
	struct hl_error err = {.text = ""};
	struct hl_segments s;

	if (render(t, key, lang, sample_params(entry), out, &err) != HL_OK)
		fail_msg("%s (%s): %s", key, lang, err.text);
	if (strpbrk(hl_buf_str(out), "{}"))
		fail_msg("%s (%s) leaves braces: %s", key, lang, hl_buf_str(out));
	hl_segments_plan(hl_buf_slice(out), HL_LIT(""), &s);
	if (s.parts > 2)
		fail_msg("%s (%s) takes %zu parts: %s", key, lang, s.parts, hl_buf_str(out));
	if (strcmp(lang, "en") == 0 && s.parts > 0 && !s.is_gsm7)
		fail_msg("%s (en) is not GSM-7: %s", key, hl_buf_str(out));
}

static void every_shipped_text_renders_short(void **state)
{
	json_t *doc = json_load_file(SHIPPED_FILE, 0, NULL);
	struct hl_templates *t = NULL;
	struct hl_error err = {.text = ""};
	struct hl_buf out;
	const json_t *entry;
	size_t i;

	(void)state;
	assert_non_null(doc);
	if (hl_templates_new(doc, &t, &err) != HL_OK)
		fail_msg("%s", err.text);
	hl_buf_init(&out, OUT_BYTES);
	json_array_foreach (json_object_get(doc, "templates"), i, entry)
		check_shipped(t, entry, &out);
	hl_buf_fini(&out);
	hl_templates_free(&t);
	json_decref(doc);
}

static void every_text_the_flow_sends_is_shipped(void **state)
{
	static const char *const keys[] = {
		"calendar_missing",
		"dispatch",
		"dispatch_co",
		"placed",
		"receipt_opened",
		"receipt_joined",
		"receipt_review",
		"receipt_emergency",
		"receipt_out_of_scope",
		"ask_place",
		"ask_place_emergency",
		"ask_which",
		"ask_which_emergency",
		"ask_substance",
		"remind_sign",
		"sign_overdue",
		"remind_progress",
		"yellow",
		"red",
		"oversee",
		"leaders",
		"review_new",
		"review_late",
		"no_contact",
		"signed",
		"already_signed",
		"arrived",
		"progress_noted",
		"done_noted",
		"already_done",
		"redo",
		"wrong_code",
		"which_task",
		"no_task",
		"ask_close",
		"ask_verb",
		"help_officer",
		"not_yours",
		"operator_will_act",
		"closed",
		"survey",
		"status",
		"status_none",
		"chased",
		"supplemented",
		"withdrawn",
		"thanks",
		"help_resident",
		"need_code",
		"callback_new",
		"callback_listen",
		"callback_late",
		"quarantined",
		"wrong_codes",
		"operator_done",
		"operator_asked",
		"word_normal",
		"word_urgent",
		"word_emergency",
	};
	json_t *doc = json_load_file(SHIPPED_FILE, 0, NULL);
	const json_t *entry;
	size_t i;

	(void)state;
	for (size_t k = 0; k < LEN(keys); k++) {
		int n = 0;

		json_array_foreach (json_object_get(doc, "templates"), i, entry)
			n += strcmp(json_string_value(json_object_get(entry, "key")), keys[k]) == 0;
		if (n != 2)
			fail_msg("%s is there in %d languages", keys[k], n);
	}
	json_decref(doc);
}

/* With a signature of 9 units. A part of several holds 67. */
static void a_dispatch_has_code_and_limit_in_the_first_part(void **state)
{
	json_t *doc = json_load_file(SHIPPED_FILE, 0, NULL);
	struct hl_templates *t = NULL;
	struct hl_buf out;
	struct hl_segments s;
	struct hl_slice text;

	(void)state;
	assert_int_equal(hl_templates_new(doc, &t, NULL), HL_OK);
	hl_buf_init(&out, OUT_BYTES);
	assert_int_equal(render(t, "dispatch", "zh-CN",
				sample_params(json_array_get(json_object_get(doc, "templates"), 0)), &out, NULL),
			 HL_OK);
	text = hl_buf_slice(&out);
	assert_true(hl_slice_find(text, HL_LIT("3F7KH")) >= 0);
	assert_non_null(strstr(hl_buf_str(&out), "签3F7KH"));
	text.len = (size_t)(strstr(hl_buf_str(&out), "11月24日15:30") - hl_buf_str(&out)) + strlen("11月24日15:30");
	hl_segments_plan(text, HL_LIT("12345热线"), &s);
	assert_true(s.units <= 67);
	hl_buf_fini(&out);
	hl_templates_free(&t);
	json_decref(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_are_filled_in),
		cmocka_unit_test(an_optional_part_needs_its_parameter),
		cmocka_unit_test(values_are_never_read_as_placeholders),
		cmocka_unit_test(a_language_that_is_not_there_falls_back),
		cmocka_unit_test(a_missing_parameter_is_named),
		cmocka_unit_test(a_bad_document_is_refused_by_name),
		cmocka_unit_test(every_shipped_text_renders_short),
		cmocka_unit_test(every_text_the_flow_sends_is_shipped),
		cmocka_unit_test(a_dispatch_has_code_and_limit_in_the_first_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
