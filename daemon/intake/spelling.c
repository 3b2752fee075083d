/* spelling.c - puts misheard and mistyped words right (contract in spelling.h)
 *
 * All forms are looked for at once (names.h). A word that is kept is a form of itself: it stands in the way of the
 * forms inside it. Owns the forms and words. Must not know: rules, case types. Limits: 5,000 forms of at most
 * HL_NAME_RUNES code points.
 */
#include "intake/spelling.h"
#include "intake/names.h"
#include "intake/tight.h"

#include <stdlib.h>
#include <string.h>

#define SPELLING_BYTES ((size_t)4 * 1024 * 1024)
#define FORMS_MAX      5000
#define HITS_MAX       64

struct hl_spelling {
	struct hl_arena arena;
	struct hl_names *names;
	struct hl_slice *words; /* per form: what it stands for */
	struct hl_name *forms;  /* while they are read */
	size_t n;
};

struct mark {
	uint32_t form;
	size_t start, end;
};

struct mending {
	struct mark marks[HITS_MAX];
	size_t n;
};

/* ---- reading ---------------------------------------------------------------------- */

static enum hl_class add_form(struct hl_spelling *s, const json_t *form, struct hl_slice word, struct hl_error *err)
{
	if (!json_is_string(form))
		return hl_fail(err, HL_INPUT, "every form must be a string");
	if (s->n == FORMS_MAX)
		return hl_fail(err, HL_INPUT, "there are more than %d forms", FORMS_MAX);
	s->forms[s->n] = (struct hl_name){.text = hl_fold_tight(&s->arena, hl_slice_str(json_string_value(form))),
					  .tag = (uint32_t)s->n};
	s->words[s->n] = word.len ? word : s->forms[s->n].text;
	s->n++;
	return HL_OK;
}

static enum hl_class add_forms(struct hl_spelling *s, const json_t *list, struct hl_slice word, struct hl_error *err)
{
	enum hl_class cls = HL_OK;

	if (!json_is_array(list))
		return hl_fail(err, HL_INPUT, "a list of forms is needed");
	for (size_t i = 0; i < json_array_size(list) && !cls; i++)
		cls = add_form(s, json_array_get(list, i), word, err);
	return cls;
}

static enum hl_class read_spellings(struct hl_spelling *s, const json_t *spellings, struct hl_error *err)
{
	const char *word;
	json_t *list;

	if (spellings && !json_is_object(spellings))
		return hl_fail(err, HL_INPUT, "an object of lists is needed");
	json_object_foreach ((json_t *)(uintptr_t)spellings, word, list) {
		struct hl_slice tight = hl_fold_tight(&s->arena, hl_slice_str(word));

		if (!tight.len)
			return hl_fail(err, HL_INPUT, "a word is empty");
		if (add_forms(s, list, tight, err))
			return hl_error_prefix(err, "%s", word);
	}
	return HL_OK;
}

/* One form for two words would be put right by chance. */
static enum hl_class check_forms(const struct hl_spelling *s, struct hl_error *err)
{
	json_t *seen = json_object();
	enum hl_class cls = seen ? HL_OK : hl_fail(err, HL_NOMEM, "no memory for the spellings");

	for (size_t i = 0; i < s->n && !cls; i++) {
		struct hl_slice form = s->forms[i].text;

		if (json_object_getn(seen, form.ptr, form.len))
			cls = hl_fail(err, HL_INPUT, "\"%.*s\" is there twice", HL_SLICE_ARG(form));
		else
			json_object_setn_new(seen, form.ptr, form.len, json_true());
	}
	json_decref(seen);
	return cls;
}

static enum hl_class build(struct hl_spelling *s, struct hl_error *err)
{
	size_t bad;
	enum hl_class cls = hl_arena_failed(&s->arena) ? hl_fail(err, HL_NOMEM, "no memory for the spellings") : HL_OK;

	if (!cls)
		cls = hl_names_new(s->forms, s->n, &s->names, &bad, err);
	if (cls == HL_INPUT)
		return hl_error_prefix(err, "form \"%.*s\" of \"%.*s\"", HL_SLICE_ARG(s->forms[bad].text),
				       HL_SLICE_ARG(s->words[bad]));
	return cls ? cls : check_forms(s, err);
}

enum hl_class hl_spelling_new(const json_t *spellings, const json_t *kept, struct hl_spelling **out_r,
			      struct hl_error *err)
{
	struct hl_spelling *s = calloc(1, sizeof(*s));
	enum hl_class cls;

	*out_r = NULL;
	if (!s)
		return hl_fail(err, HL_NOMEM, "no memory for the spellings");
	hl_arena_init(&s->arena, SPELLING_BYTES);
	s->forms = calloc(FORMS_MAX, sizeof(*s->forms));
	s->words = calloc(FORMS_MAX, sizeof(*s->words));
	cls = s->forms && s->words ? read_spellings(s, spellings, err)
				   : hl_fail(err, HL_NOMEM, "no memory for the spellings");
	if (cls)
		hl_error_prefix(err, "spellings");
	else if (kept && (cls = add_forms(s, kept, (struct hl_slice){0}, err)))
		hl_error_prefix(err, "kept");
	if (!cls && (cls = build(s, err)))
		hl_error_prefix(err, "spellings");
	free(s->forms);
	s->forms = NULL;
	if (cls)
		hl_spelling_free(&s);
	*out_r = s;
	return cls;
}

void hl_spelling_free(struct hl_spelling **sp)
{
	struct hl_spelling *s = *sp;

	if (!s)
		return;
	hl_names_free(&s->names);
	hl_arena_fini(&s->arena);
	free(s->words);
	free(s);
	*sp = NULL;
}

size_t hl_spelling_bytes(const struct hl_spelling *s)
{
	return sizeof(*s) + s->arena.used_bytes + FORMS_MAX * sizeof(*s->words) + hl_names_bytes(s->names);
}

/* ---- mending ---------------------------------------------------------------------- */

/* on_form - hits come in order of their end. What begins first wins, of those the longest: a hit pushes out the marks
 * that begin with it or behind its beginning, unless one that began before it reaches into it. */
static void on_form(void *arg, uint32_t form, size_t start, size_t end)
{
	struct mending *m = arg;
	size_t n = m->n;

	while (n && m->marks[n - 1].start >= start)
		n--;
	if ((n && m->marks[n - 1].end > start) || n == HITS_MAX)
		return;
	m->marks[n] = (struct mark){form, start, end};
	m->n = n + 1;
}

struct hl_slice hl_spelling_mend(const struct hl_spelling *s, struct hl_slice text, struct hl_arena *arena)
{
	struct mending m = {.n = 0};
	struct hl_runes runes;
	size_t len = text.len, from = 0, at = 0;
	char *out;

	if (!text.len || !hl_runes_read(text, arena, &runes))
		return text;
	hl_names_scan(s->names, &runes, on_form, &m);
	for (size_t i = 0; i < m.n; i++)
		len += s->words[m.marks[i].form].len;
	out = m.n ? hl_arena_alloc(arena, len) : NULL;
	if (!out)
		return text;
	for (size_t i = 0; i < m.n; i++) {
		struct hl_slice word = s->words[m.marks[i].form];
		size_t start = runes.offsets[m.marks[i].start];

		memcpy(out + at, text.ptr + from, start - from);
		memcpy(out + at + (start - from), word.ptr, word.len);
		at += start - from + word.len;
		from = runes.offsets[m.marks[i].end];
	}
	memcpy(out + at, text.ptr + from, text.len - from);
	return (struct hl_slice){out, at + text.len - from};
}
