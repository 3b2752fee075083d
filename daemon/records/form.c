/* form.c - from a case to the fields of the report form (contract in hotline/records.h)
 *
 * Pure: no drawing, no files. A field the history does not know is an empty string and stays an
 * empty box on paper.
 */
#include "form_view.h"
#include "hotline/records.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES (1u << 20)

struct making {
	struct hl_arena *arena;
	const json_t *words, *labels, *form;
	struct hl_error *err;
	enum hl_class cls;
};

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

/* A word of form.json that the form cannot do without. */
static const char *word(struct making *m, const json_t *from, const char *where, const char *name)
{
	const char *s = json_string_value(json_object_get(from, name));

	if (!s && m->cls == HL_OK)
		m->cls = hl_fail(m->err, HL_INPUT, "form.json: %s%s: must be a text", where, name);
	return s ? s : "";
}

static const char *label(struct making *m, const char *name)
{
	return word(m, m->labels, "labels.", name);
}

static struct form_party party(struct making *m, const char *name, const char *contact_label)
{
	const json_t *who = json_object_get(m->form, name);

	return (struct form_party){
		.label = label(m, name),
		.unit = text_of(who, "unit"),
		.contact = hl_arena_printf(m->arena, "%s%s", label(m, contact_label), text_of(who, "contact")),
		.phone = hl_arena_printf(m->arena, "%s%s", label(m, "phone"), text_of(who, "phone")),
	};
}

/* "2026年11月25日" of an ISO instant, or the three words with room to write between them. */
static const char *date(struct making *m, const char *iso)
{
	int y, mo, d;

	if (sscanf(iso, "%4d-%2d-%2d", &y, &mo, &d) != 3)
		return hl_arena_printf(m->arena, "　　　%s　　%s　　%s", label(m, "year"), label(m, "month"),
				       label(m, "day"));
	return hl_arena_printf(m->arena, "%d%s%d%s%d%s", y, label(m, "year"), mo, label(m, "month"), d,
			       label(m, "day"));
}

static struct form_box opinion(struct making *m, const char *name, double height)
{
	const json_t *said = json_object_get(m->form, name);

	return (struct form_box){
		.label = label(m, name),
		.text = text_of(said, "text"),
		.is_signed = true,
		.sign = hl_arena_printf(m->arena, "%s%s%s", label(m, "sign"), *text_of(said, "name") ? "　" : "",
					text_of(said, "name")),
		.date = date(m, text_of(said, "at")),
		.height = height,
	};
}

/* "label value", the value a text or a number other than the usual one; nothing otherwise. */
static const char *line(struct making *m, const char *so_far, const char *name, json_int_t usual)
{
	const json_t *value = json_object_get(m->form, name);
	const char *gap = *so_far ? "\n" : "";

	if (json_is_integer(value) && json_integer_value(value) > usual)
		return hl_arena_printf(m->arena, "%s%s%s%lld", so_far, gap, label(m, name),
				       (long long)json_integer_value(value));
	if (json_is_string(value) && *json_string_value(value))
		return hl_arena_printf(m->arena, "%s%s%s%s", so_far, gap, label(m, name), json_string_value(value));
	return so_far;
}

static const char *joined(struct making *m, const json_t *list, const char *between)
{
	const char *all = "";
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry)
		all = hl_arena_printf(m->arena, "%s%s%s", all, *all ? between : "", json_string_value(entry));
	return all;
}

static const char *details(struct making *m)
{
	const char *head = text_of(m->form, "type_name"), *clause = text_of(m->form, "clause");
	const char *said = joined(m, json_object_get(m->form, "details"), "\n");

	if (*clause)
		head = hl_arena_printf(m->arena, "%s（%s%s）", head, label(m, "clause"), clause);
	return hl_arena_printf(m->arena, "%s%s%s", head, *said ? "\n" : "", said);
}

static const char *remarks(struct making *m)
{
	const json_t *reporter = json_object_get(m->form, "reporter");
	const char *all = "", *co = joined(m, json_object_get(m->form, "co"), "、");

	if (json_is_object(reporter))
		all = hl_arena_printf(m->arena, "%s%s %s", label(m, "reporter"), text_of(reporter, "name"),
				      text_of(reporter, "phone"));
	if (*co)
		all = hl_arena_printf(m->arena, "%s%s%s%s", all, *all ? "\n" : "", label(m, "co"), co);
	all = line(m, all, "reporters", 1);
	all = line(m, all, "chases", 0);
	all = line(m, all, "redos", 0);
	all = line(m, all, "reopens", 0);
	return hl_arena_printf(m->arena, "%s%s%s", all, *all ? "\n" : "", label(m, "photos"));
}

static void choose_copies(struct making *m, const char *which, struct form_view *view)
{
	const json_t *copy;
	size_t i;

	json_array_foreach (json_object_get(m->words, "copies"), i, copy)
		if ((strcmp(which, "all") == 0 || strcmp(which, text_of(copy, "key")) == 0) &&
		    view->n_copies < FORM_COPIES_MAX)
			view->copies[view->n_copies++] = word(m, copy, "copies: ", "title");
	if (view->n_copies == 0 && m->cls == HL_OK)
		m->cls = hl_fail(m->err, HL_INPUT, "copy: there is no copy %s", which);
}

enum hl_class form_view_make(struct hl_arena *arena, const json_t *words, const json_t *form, const char *copy,
			     struct form_view *view_r, struct hl_error *err)
{
	struct making m = {arena, words, json_object_get(words, "labels"), form, err, HL_OK};

	*view_r = (struct form_view){
		.title = word(&m, words, "", "title"),
		.lang = word(&m, words, "", "lang"),
		.font = word(&m, words, "", "font"),
		.code = text_of(form, "case"),
		.code_label = label(&m, "code"),
		.foot = label(&m, "foot"),
		.continued = label(&m, "continued"),
		.annex = label(&m, "annex"),
		.parties = {party(&m, "reporting", "contact"), party(&m, "receiving", "recipient")},
		.boxes = {{.label = label(&m, "place"), .text = text_of(form, "place"), .height = 0.08},
			  {.label = label(&m, "details"), .text = details(&m), .height = 0.32},
			  opinion(&m, "reporting_opinion", 0.2),
			  opinion(&m, "receiving_opinion", 0.24),
			  {.label = label(&m, "remarks"), .text = remarks(&m), .height = 0.16}},
	};
	choose_copies(&m, copy, view_r);
	if (m.cls == HL_OK && hl_arena_failed(arena))
		m.cls = hl_fail(err, HL_LIMIT, "the case's texts are larger than %u bytes", TEXT_BYTES);
	return m.cls;
}

enum hl_class hl_form_write(enum hl_form_format format, const json_t *words, const json_t *form, const char *copy,
			    FILE *out, struct hl_error *err)
{
	struct form_view view;
	struct hl_arena arena;
	enum hl_class cls;

	hl_arena_init(&arena, TEXT_BYTES);
	cls = form_view_make(&arena, words, form, copy, &view, err);
	if (cls == HL_OK)
		cls = format == HL_FORM_PDF ? form_pdf_write(&view, out, err) : form_html_write(&view, out, err);
	if (cls == HL_OK && (fflush(out) != 0 || ferror(out)))
		cls = hl_fail(err, HL_RETRY, "the form cannot be written: %m");
	hl_arena_fini(&arena);
	return cls;
}
