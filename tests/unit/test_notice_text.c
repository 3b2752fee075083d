/* test_notice_text.c - signature, resend mark, template and words of a leased notice */
#include "refdata_fixture.h"

#include "hotline/outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct hl_refdata *ref;

static int load(void **state)
{
	(void)state;
	ref = fixture_refdata();
	return 0;
}

static int unload(void **state)
{
	(void)state;
	hl_refdata_free(&ref);
	return 0;
}

static enum hl_class text_of(const char *notice, const char *signature, struct hl_buf *out, struct hl_error *err)
{
	json_t *n = fixture_json(notice), *before = json_deep_copy(n);
	enum hl_class cls = hl_notice_text(ref, n, signature, out, err);

	assert_true(json_equal(n, before));
	json_decref(before);
	json_decref(n);
	return cls;
}

static void texts_are_signed_marked_and_put_into_words(void **state)
{
	static const struct {
		const char *notice, *signature, *text;
	} cases[] = {
		{"{'template': 'thanks', 'lang': 'zh-CN', 'params': {}, 'resend': false}", "民生热线",
		 "【民生热线】感谢您的评价"},
		{"{'template': 'thanks', 'lang': 'zh-CN', 'params': {}, 'resend': false}", "", "感谢您的评价"},
		{"{'template': 'thanks', 'lang': 'zh-CN', 'params': {}, 'resend': true}", "民生热线",
		 "【民生热线】【重发】感谢您的评价"},
		{"{'template': 'thanks', 'lang': 'zh-CN', 'params': {}, 'resend': true}", "", "【重发】感谢您的评价"},
		{"{'template': 'thanks', 'lang': 'zh-CN', 'params': {}}", "", "感谢您的评价"},
		{"{'template': 'thanks', 'lang': 'fr', 'params': {}}", "", "感谢您的评价"},
		{"{'template': 'review_new', 'lang': 'zh-CN', 'params': {'case': '26-000001', 'urgency': 'emergency', "
		 "'unit': '',"
		 " 'review_by': 1790042400}}",
		 "", "待核实案件26-000001（[特急]），请于9月22日10:00前处理"},
		{"{'template': 'review_new', 'lang': 'zh-CN', 'params': {'case': '26-000001', 'urgency': 'normal', "
		 "'unit': '',"
		 " 'review_by': 1790042400}}",
		 "", "待核实案件26-000001，请于9月22日10:00前处理"},
		{"{'template': 'status', 'lang': 'zh-CN', 'params': {'case': '26-000001', 'state': 'working', 'unit': "
		 "'', 'close_by': null}}",
		 "", "编号26-000001：办理中"},
		{"{'template': 'operator_asked', 'lang': 'zh-CN', 'params': {'case': '26-000001', 'unit': '消防', "
		 "'what': 'extend'}}",
		 "", "案件26-000001：消防申请延期，请处理"},
		{"{'template': 'status', 'lang': 'zh-CN', 'params': {'case': '26-000001', 'state': 'no such word', "
		 "'unit': '',"
		 " 'close_by': null}}",
		 "", "编号26-000001：no such word"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hl_error err = {.text = ""};
		struct hl_buf out;

		hl_buf_init(&out, 1000);
		if (text_of(cases[i].notice, cases[i].signature, &out, &err))
			fail_msg("case %zu: %s", i, err.text);
		assert_string_equal(hl_buf_str(&out), cases[i].text);
		hl_buf_fini(&out);
	}
}

static void a_value_that_only_looks_like_a_word_stays_as_it_is(void **state)
{
	struct hl_error err = {.text = ""};
	struct hl_buf out;

	(void)state;
	hl_buf_init(&out, 1000);
	assert_int_equal(
		text_of("{'template': 'closed', 'lang': 'zh-CN', 'params': {'case': 'urgent', 'result': 'done'}}", "",
			&out, &err),
		HL_OK);
	assert_string_equal(hl_buf_str(&out), "您反映的问题（编号urgent）已办结：done");
	hl_buf_fini(&out);
}

static void what_cannot_be_written_is_told_apart(void **state)
{
	static const struct {
		const char *notice;
		enum hl_class cls;
		const char *text;
	} cases[] = {
		{"{'template': 'nope', 'lang': 'zh-CN', 'params': {}}", HL_CONFIG, "there is no template nope"},
		{"{'template': 'closed', 'lang': 'zh-CN', 'params': {'case': 'x'}}", HL_BUG,
		 "template closed needs parameter result"},
		{"{'lang': 'zh-CN', 'params': {}}", HL_BUG, "a leased notice has no template, language or parameters"},
		{"{'template': 'thanks', 'params': {}}", HL_BUG,
		 "a leased notice has no template, language or parameters"},
		{"{'template': 'thanks', 'lang': 'zh-CN'}", HL_BUG,
		 "a leased notice has no template, language or parameters"},
		{"{'template': 'help_officer', 'lang': 'zh-CN', 'params': {}}", HL_LIMIT,
		 "the text of help_officer is too long"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hl_error err = {.text = ""};
		struct hl_buf out;

		hl_buf_init(&out, 40);
		assert_int_equal(text_of(cases[i].notice, "", &out, &err), cases[i].cls);
		assert_string_equal(err.text, cases[i].text);
		hl_buf_fini(&out);
	}
}

/* Every template that the schema and the daemon use renders with what they give: word_<value> for all their words. */
static void every_urgency_and_state_has_a_word_in_both_languages(void **state)
{
	static const char *const words[] = {
		"normal", "urgent",   "emergency", "review",       "dispatched", "working",  "waiting", "done",
		"closed", "reopened", "merged",    "not_accepted", "withdrawn",  "handback", "extend",  "assist"};
	static const char *const langs[] = {"zh-CN", "en"};

	(void)state;
	for (size_t l = 0; l < sizeof(langs) / sizeof(langs[0]); l++)
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			struct hl_buf out;
			char key[64];

			snprintf(key, sizeof(key), "word_%s", words[i]);
			hl_buf_init(&out, 100);
			if (hl_template_render(ref->templates, key, langs[l], NULL, &ref->calendar, &out, NULL))
				fail_msg("no %s", key);
			hl_buf_fini(&out);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_signed_marked_and_put_into_words),
		cmocka_unit_test(a_value_that_only_looks_like_a_word_stays_as_it_is),
		cmocka_unit_test(what_cannot_be_written_is_told_apart),
		cmocka_unit_test(every_urgency_and_state_has_a_word_in_both_languages),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
