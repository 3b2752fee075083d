/* text.c - the text of a leased notice (hl_notice_text and hl_notice_params in hotline/outbox.h). Pure. */
#include "hotline/outbox.h"

#include "hotline/text.h"

#include <string.h>

#define WORD_MAX_BYTES  128
#define PARAM_MAX_BYTES 1000

/* Parameters that are words of the schema ("urgent", "dispatched") are shown in the reader's language: template
 * word_<value>. */
static const char *const word_params[] = {"urgency", "state", "what", "rule", "role"};

static void put_words(const struct hl_refdata *ref, json_t *params, const char *lang)
{
	for (size_t i = 0; i < sizeof(word_params) / sizeof(word_params[0]); i++) {
		const char *value = json_string_value(json_object_get(params, word_params[i]));
		struct hl_buf word;
		char key[WORD_MAX_BYTES];

		if (!value)
			continue;
		snprintf(key, sizeof(key), "word_%s", value);
		hl_buf_init(&word, WORD_MAX_BYTES);
		if (hl_template_render(ref->templates, key, lang, NULL, &ref->calendar, &word, NULL) == HL_OK)
			json_object_set_new(params, word_params[i], json_string(hl_buf_str(&word)));
		hl_buf_fini(&word);
	}
}

/* One text, and a number when the same was sent to that phone a moment ago. */
static enum hl_class put_text(const struct hl_refdata *ref, const json_t *item, const char *lang, struct hl_buf *out,
			      struct hl_error *err)
{
	const char *key = json_string_value(json_object_get(item, "template"));
	json_t *params = json_copy(json_object_get(item, "params"));
	enum hl_class cls;

	if (!key || !params) {
		json_decref(params);
		return hl_fail(err, HL_BUG, "a leased notice has no template, language or parameters");
	}
	put_words(ref, params, lang);
	cls = hl_template_render(ref->templates, key, lang, params, &ref->calendar, out, err);
	if (cls == HL_OK && json_is_integer(json_object_get(item, "nth")))
		cls = hl_template_render(ref->templates, "word_again", lang, item, &ref->calendar, out, err);
	json_decref(params);
	return cls;
}

/* Several texts that leave as one. */
static enum hl_class put_bundle(const struct hl_refdata *ref, const json_t *notice, const char *lang,
				struct hl_buf *out, struct hl_error *err)
{
	const json_t *item;
	enum hl_class cls = HL_OK;
	size_t i;

	json_array_foreach (json_object_get(json_object_get(notice, "params"), "items"), i, item)
		if (cls == HL_OK) {
			hl_buf_printf(out, "%s%zu. ", i ? "\n" : "", i + 1);
			cls = put_text(ref, item, lang, out, err);
		}
	return cls;
}

enum hl_class hl_notice_text(const struct hl_refdata *ref, const json_t *notice, const char *signature,
			     struct hl_buf *out, struct hl_error *err)
{
	const char *key = json_string_value(json_object_get(notice, "template"));
	const char *lang = json_string_value(json_object_get(notice, "lang"));
	enum hl_class cls;

	if (!key || !lang)
		return hl_fail(err, HL_BUG, "a leased notice has no template, language or parameters");
	if (*signature)
		hl_buf_printf(out, "【%s】", signature);
	if (json_is_true(json_object_get(notice, "resend")))
		hl_buf_add_str(out, "【重发】");
	cls = strcmp(key, "bundle") == 0 ? put_bundle(ref, notice, lang, out, err)
					 : put_text(ref, notice, lang, out, err);
	if (cls == HL_OK && hl_buf_failed(out))
		cls = hl_fail(err, HL_LIMIT, "the text of %s is too long", key);
	return cls;
}

static enum hl_class put_param(const struct hl_refdata *ref, const json_t *notice, const json_t *params,
			       const struct hl_template_param *p, struct hl_buf *out, struct hl_error *err)
{
	const char *key = json_string_value(json_object_get(notice, "template"));
	const char *lang = json_string_value(json_object_get(notice, "lang"));
	enum hl_class cls = hl_template_value(ref->templates, key, lang, p->name, params, &ref->calendar, out, err);

	if (!cls && p->max && hl_text_count(hl_buf_slice(out)) > p->max)
		cls = hl_fail(err, HL_REFUSED, "parameter %s of %s is longer than the %u characters the provider takes",
			      p->name, key, p->max);
	return cls;
}

enum hl_class hl_notice_params(const struct hl_refdata *ref, const json_t *notice,
			       const struct hl_template_ref *ref_template, struct hl_arena *arena,
			       struct hl_param **out_r, struct hl_error *err)
{
	const char *lang = json_string_value(json_object_get(notice, "lang"));
	json_t *params = json_copy(json_object_get(notice, "params"));
	struct hl_param *list = hl_arena_array(arena, ref_template->n_params, sizeof(*list));
	enum hl_class cls = list && params ? HL_OK : hl_fail(err, HL_NOMEM, "out of memory");
	struct hl_buf value;

	hl_buf_init(&value, PARAM_MAX_BYTES);
	if (!cls)
		put_words(ref, params, lang);
	for (size_t i = 0; list && !cls && i < ref_template->n_params; i++) {
		hl_buf_reset(&value);
		cls = put_param(ref, notice, params, &ref_template->params[i], &value, err);
		list[i] = (struct hl_param){hl_slice_str(ref_template->params[i].as),
					    hl_arena_dup(arena, hl_buf_slice(&value))};
	}
	hl_buf_fini(&value);
	json_decref(params);
	*out_r = list;
	return cls;
}
