/* template.h - message texts as data: key + language + named parameters -> text; pure
 *
 * schema/ref/templates.json: {"templates":[{"key":"dispatch","lang":"zh-CN","text":"... {code} {sign_by:time} ...",
 * "params":["code","sign_by"],"lane":"dispatch"}, ...]}. Placeholders: {name} text or integer;
 * {name:time} an instant in integer seconds, shown as 11月25日15:30 (zh) or 25 Nov 15:30 (en) in the
 * calendar's zone; {name?text} or {name:time?text} text only if the parameter is there and not
 * empty, {} inside it is the value. A parameter is {"name", "type": text | code | time, "max", "over": cut | refuse}: a
 * text longer than max characters is cut (with an ellipsis) or the notice refused; codes and times are never cut.
 */
#ifndef HOTLINE_TEMPLATE_H
#define HOTLINE_TEMPLATE_H

#include "hotline/arena.h"
#include "hotline/buf.h"
#include "hotline/calendar.h"
#include "hotline/error.h"
#include <jansson.h>

struct hl_templates;

/* hl_templates_new - checks every text: undefined parameter, bad placeholder, duplicate key = HL_INPUT naming key and
 * language. */
enum hl_class hl_templates_new(const json_t *doc, struct hl_templates **out_r, struct hl_error *err);
void hl_templates_free(struct hl_templates **t);
/* hl_templates_has - is there a text of that key? */
bool hl_templates_has(const struct hl_templates *t, const char *key);

/* One text as the document has it. params: its list of parameters, borrowed. */
struct hl_template_entry {
	const char *key, *lang, *text;
	const json_t *params;
};
/* hl_templates_at - i-th text; false behind the last. */
bool hl_templates_at(const struct hl_templates *t, size_t i, struct hl_template_entry *out_r);
/* hl_templates_doc - the document. borrows. */
const json_t *hl_templates_doc(const struct hl_templates *t);

/* What a text costs when it is filled with the document's examples. why: "" when there is nothing to say. */
struct hl_template_note {
	struct hl_template_entry entry;
	bool is_gsm7, is_error;
	size_t units, parts;
	char why[120];
};
/* hl_template_lint - one text: more than one SMS is worth a warning with its cost, more than a provider takes
 * (providers.NAME.text_max) is an error. */
void hl_template_lint(const struct hl_templates *t, const struct hl_template_entry *entry,
		      const struct hl_calendar *cal, struct hl_template_note *out_r);

/* hl_template_render - Takes: key, lang (falls back to zh-CN), params object, calendar for times.
 * Gives   text in *out. Errors HL_CONFIG: no such template; HL_BUG: a parameter is missing (named). */
enum hl_class hl_template_render(const struct hl_templates *t, const char *key, const char *lang, const json_t *params,
				 const struct hl_calendar *cal, struct hl_buf *out, struct hl_error *err);

/* hl_template_value - one parameter as the text would show it, "" when it is not there: for providers that put it into
 * a template of their own. Errors HL_CONFIG: no such template, or it declares no such parameter. */
enum hl_class hl_template_value(const struct hl_templates *t, const char *key, const char *lang, const char *name,
				const json_t *params, const struct hl_calendar *cal, struct hl_buf *out,
				struct hl_error *err);

#endif
