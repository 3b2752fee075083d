/* template_lint.c - what texts cost and whether providers take them (contract in hotline/template.h)
 *
 * Pure. A text is filled with the document's examples; a parameter without one gets a typical value of its type, an
 * optional part without one is left out.
 */
#include "hotline/segments.h"
#include "hotline/template.h"
#include "hotline/text.h"

#include <string.h>

#define TEXT_MAX_BYTES 4000
#define TYPICAL_CODE   "3F7KH"
#define TYPICAL_TEXT   "锦绣花园3号楼"
#define TYPICAL_TIME_S 1795505400

/* Does the text go without that parameter? */
static bool is_left_out(const struct hl_template_entry *e, const char *name)
{
	char needle[64];

	snprintf(needle, sizeof(needle), "{%s}", name);
	if (strstr(e->text, needle))
		return false;
	snprintf(needle, sizeof(needle), "{%s:time}", name);
	return !strstr(e->text, needle);
}

static json_t *typical(const struct hl_template_entry *e, const json_t *examples)
{
	json_t *params = json_object();
	const json_t *p;
	size_t i;

	json_array_foreach (e->params, i, p) {
		const char *name = json_string_value(json_object_get(p, "name"));
		const char *type = json_string_value(json_object_get(p, "type"));
		json_t *example = json_object_get(examples, name);

		if (example)
			json_object_set(params, name, example);
		else if (is_left_out(e, name))
			continue;
		else if (strcmp(type, "time") == 0)
			json_object_set_new(params, name, json_integer(TYPICAL_TIME_S));
		else
			json_object_set_new(params, name,
					    json_string(strcmp(type, "code") == 0 ? TYPICAL_CODE : TYPICAL_TEXT));
	}
	return params;
}

/* The first provider that takes no text of that length. */
static const char *refusing_provider(const struct hl_templates *t, size_t n_characters, json_int_t *max_r)
{
	json_t *providers = json_object_get(hl_templates_doc(t), "providers");

	for (void *i = json_object_iter(providers); i; i = json_object_iter_next(providers, i)) {
		*max_r = json_integer_value(json_object_get(json_object_iter_value(i), "text_max"));
		if (*max_r > 0 && n_characters > (size_t)*max_r)
			return json_object_iter_key(i);
	}
	return NULL;
}

static void judge(const struct hl_templates *t, struct hl_slice text, struct hl_template_note *out)
{
	size_t n = hl_text_count(text);
	json_int_t max = 0;
	const char *provider = refusing_provider(t, n, &max);

	if (provider) {
		out->is_error = true;
		snprintf(out->why, sizeof(out->why), "%zu characters, %s takes %lld", n, provider, (long long)max);
	} else if (out->parts > 1) {
		snprintf(out->why, sizeof(out->why), "%zu units, costs %zu SMS", out->units, out->parts);
	}
}

void hl_template_lint(const struct hl_templates *t, const struct hl_template_entry *entry,
		      const struct hl_calendar *cal, struct hl_template_note *out_r)
{
	json_t *params = typical(entry, json_object_get(hl_templates_doc(t), "examples"));
	struct hl_error err = {.text = ""};
	struct hl_segments s;
	struct hl_buf text;

	*out_r = (struct hl_template_note){.entry = *entry};
	hl_buf_init(&text, TEXT_MAX_BYTES);
	if (hl_template_render(t, entry->key, entry->lang, params, cal, &text, &err) != HL_OK) {
		out_r->is_error = true;
		snprintf(out_r->why, sizeof(out_r->why), "%.*s", (int)sizeof(out_r->why) - 1, err.text);
	} else {
		hl_segments_plan(hl_buf_slice(&text), HL_LIT(""), &s);
		out_r->is_gsm7 = s.is_gsm7;
		out_r->units = s.units;
		out_r->parts = s.parts;
		judge(t, hl_buf_slice(&text), out_r);
	}
	hl_buf_fini(&text);
	json_decref(params);
}
