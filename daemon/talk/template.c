/* template.c - message texts with named parameters (contract in hotline/template.h)
 *
 * Owns the parsed table; the texts live in the kept document. Pure. Every text is
 * walked once when it is loaded, so that rendering cannot meet a bad placeholder.
 */
#include "hotline/template.h"

#include "hotline/text.h"

#include <stdlib.h>
#include <string.h>

#define FALLBACK_LANG  "zh-CN"
#define NAME_MAX_BYTES 32

struct entry {
	const char *key, *lang, *text;
	const json_t *params;
};

struct hl_templates {
	json_t *doc;
	struct entry *entries;
	size_t n;
};

/* One placeholder: {name} or {name:time}, and with ?text the optional form. */
struct hole {
	char name[NAME_MAX_BYTES];
	bool is_time, is_optional;
	struct hl_slice inside; /* of the optional form */
};

/* Position behind the brace that closes the one at text[0]. NULL: none. */
static const char *closing(const char *text)
{
	int depth = 0;

	for (const char *c = text; *c; c++) {
		if (*c == '{')
			depth++;
		else if (*c == '}' && --depth == 0)
			return c;
	}
	return NULL;
}

/* Reads the placeholder at *text (a '{') and moves behind it. */
static bool read_hole(const char **text, struct hole *h)
{
	const char *start = *text + 1, *end = closing(*text);
	size_t n = strspn(start, "abcdefghijklmnopqrstuvwxyz_0123456789");

	*h = (struct hole){.is_time = false};
	if (!end || n == 0 || n >= sizeof(h->name))
		return false;
	memcpy(h->name, start, n);
	*text = end + 1;
	start += n;
	h->is_time = strncmp(start, ":time", 5) == 0;
	if (h->is_time)
		start += 5;
	if (*start == '?') {
		h->is_optional = true;
		h->inside = (struct hl_slice){start + 1, (size_t)(end - start) - 1};
		return true;
	}
	return start == end;
}

/* Inside the optional form braces are only the place of the value. */
static bool is_inside_good(struct hl_slice inside)
{
	for (size_t i = 0; i < inside.len; i++) {
		if (inside.ptr[i] == '}' || (inside.ptr[i] == '{' && (i + 1 == inside.len || inside.ptr[i + 1] != '}')))
			return false;
		i += inside.ptr[i] == '{';
	}
	return true;
}

/* ---- loading -------------------------------------------------------------- */

static const json_t *param_of(const struct entry *e, const char *name)
{
	const json_t *p;
	size_t i;

	json_array_foreach (e->params, i, p)
		if (json_is_string(json_object_get(p, "name")) &&
		    strcmp(json_string_value(json_object_get(p, "name")), name) == 0)
			return p;
	return NULL;
}

static const char *word_of(const json_t *param, const char *field)
{
	const char *word = json_string_value(json_object_get(param, field));

	return word ? word : "";
}

/* A code or a limit that was cut would name something else. */
static enum hl_class check_param(const struct entry *e, const json_t *p, struct hl_error *err)
{
	const char *name = word_of(p, "name"), *type = word_of(p, "type"), *over = word_of(p, "over");
	const json_t *max = json_object_get(p, "max");
	bool is_text = strcmp(type, "text") == 0;

	if (!*name || (!is_text && strcmp(type, "code") != 0 && strcmp(type, "time") != 0))
		return hl_fail(err, HL_INPUT, "template %s (%s): parameter %s: type must be text, code or time", e->key,
			       e->lang, name);
	if (max && (!json_is_integer(max) || json_integer_value(max) < 2 || json_integer_value(max) > 1000))
		return hl_fail(err, HL_INPUT, "template %s (%s): parameter %s: max must be from 2 to 1000", e->key,
			       e->lang, name);
	if (*over && (!max || (strcmp(over, "cut") != 0 && strcmp(over, "refuse") != 0)))
		return hl_fail(err, HL_INPUT, "template %s (%s): parameter %s: over must be cut or refuse, beside max",
			       e->key, e->lang, name);
	if (max && !is_text && strcmp(over, "refuse") != 0)
		return hl_fail(err, HL_INPUT, "template %s (%s): parameter %s: a %s is never cut, over must be refuse",
			       e->key, e->lang, name, type);
	return HL_OK;
}

static enum hl_class check_params(const struct entry *e, struct hl_error *err)
{
	enum hl_class cls = HL_OK;
	const json_t *p;
	size_t i;

	json_array_foreach (e->params, i, p)
		if (cls == HL_OK)
			cls = check_param(e, p, err);
	return cls;
}

static enum hl_class check_text(const struct entry *e, struct hl_error *err)
{
	const char *c = e->text;
	struct hole h;

	while ((c = strpbrk(c, "{}"))) {
		const json_t *param;
		const char *type;

		if (*c == '}' || !read_hole(&c, &h) || !is_inside_good(h.inside))
			return hl_fail(err, HL_INPUT, "template %s (%s): bad placeholder at \"%.20s\"", e->key, e->lang,
				       c);
		param = param_of(e, h.name);
		if (!param)
			return hl_fail(err, HL_INPUT, "template %s (%s): parameter %s is not declared", e->key, e->lang,
				       h.name);
		type = json_string_value(json_object_get(param, "type"));
		if (!type || (strcmp(type, "time") == 0) != h.is_time)
			return hl_fail(err, HL_INPUT, "template %s (%s): %s is used as another type than declared",
				       e->key, e->lang, h.name);
	}
	return HL_OK;
}

static const struct entry *find(const struct hl_templates *t, const char *key, const char *lang)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->entries[i].key, key) == 0 && strcmp(t->entries[i].lang, lang) == 0)
			return &t->entries[i];
	return NULL;
}

bool hl_templates_at(const struct hl_templates *t, size_t i, struct hl_template_entry *out_r)
{
	if (i >= t->n)
		return false;
	*out_r = (struct hl_template_entry){t->entries[i].key, t->entries[i].lang, t->entries[i].text,
					    t->entries[i].params};
	return true;
}

const json_t *hl_templates_doc(const struct hl_templates *t)
{
	return t->doc;
}

bool hl_templates_has(const struct hl_templates *t, const char *key)
{
	return find(t, key, FALLBACK_LANG) != NULL;
}

static enum hl_class add_entry(struct hl_templates *t, const json_t *o, struct hl_error *err)
{
	struct entry e = {.key = json_string_value(json_object_get(o, "key")),
			  .lang = json_string_value(json_object_get(o, "lang")),
			  .text = json_string_value(json_object_get(o, "text")),
			  .params = json_object_get(o, "params")};

	if (!e.key || !e.lang || !e.text)
		return hl_fail(err, HL_INPUT, "templates[%zu]: key, lang and text must be texts", t->n);
	if (find(t, e.key, e.lang))
		return hl_fail(err, HL_INPUT, "template %s (%s): is there twice", e.key, e.lang);
	t->entries[t->n++] = e;
	enum hl_class cls = check_text(&e, err);
	return cls == HL_OK ? check_params(&e, err) : cls;
}

/* Both languages of a key must take the same parameters, or one of them would fail at run time. */
static enum hl_class check_languages(const struct hl_templates *t, struct hl_error *err)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct entry *e = &t->entries[i], *base = find(t, e->key, FALLBACK_LANG);

		if (!base)
			return hl_fail(err, HL_INPUT, "template %s: has no text in " FALLBACK_LANG, e->key);
		if (!json_equal(base->params, e->params))
			return hl_fail(err, HL_INPUT, "template %s (%s): takes other parameters than " FALLBACK_LANG,
				       e->key, e->lang);
	}
	return HL_OK;
}

enum hl_class hl_templates_new(const json_t *doc, struct hl_templates **out_r, struct hl_error *err)
{
	const json_t *list = json_object_get(doc, "templates"), *o;
	struct hl_templates *t = calloc(1, sizeof(*t));
	enum hl_class cls = HL_OK;
	size_t i;

	*out_r = NULL;
	if (t)
		t->entries = calloc(json_array_size(list) + 1, sizeof(*t->entries));
	if (!t || !t->entries) {
		free(t);
		return hl_fail(err, HL_NOMEM, "out of memory");
	}
	t->doc = json_deep_copy(doc);
	if (json_array_size(list) == 0)
		cls = hl_fail(err, HL_INPUT, "templates: must be a list with at least one text");
	json_array_foreach (json_object_get(t->doc, "templates"), i, o)
		if (cls == HL_OK)
			cls = add_entry(t, o, err);
	if (cls == HL_OK)
		cls = check_languages(t, err);
	if (cls != HL_OK)
		hl_templates_free(&t);
	*out_r = t;
	return cls;
}

void hl_templates_free(struct hl_templates **tp)
{
	struct hl_templates *t = *tp;

	if (!t)
		return;
	*tp = NULL;
	free(t->entries);
	json_decref(t->doc);
	free(t);
}

/* ---- rendering ------------------------------------------------------------ */

struct rendering {
	const struct entry *entry;
	const struct hl_calendar *cal;
	struct hl_buf *out;
};

static void put_time(const struct rendering *r, int64_t at_s)
{
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct hl_local_time t;

	hl_calendar_local(r->cal, at_s * 1000000, &t);
	if (strncmp(r->entry->lang, "zh", 2) == 0)
		hl_buf_printf(r->out, "%d月%d日%02d:%02d", t.month, t.day, t.hour, t.minute);
	else
		hl_buf_printf(r->out, "%d %s %02d:%02d", t.day, months[t.month - 1], t.hour, t.minute);
}

/* The first characters of a text that is too long, the last of them an ellipsis. */
static void put_cut(const struct rendering *r, struct hl_slice text, size_t max)
{
	size_t end = 0;

	for (size_t n = 1; n < max; n++)
		hl_text_next(text, &end);
	hl_buf_add(r->out, (struct hl_slice){text.ptr, end});
	hl_buf_add_str(r->out, "…");
}

static enum hl_class put_text(const struct rendering *r, const char *name, struct hl_slice text, struct hl_error *err)
{
	const json_t *param = param_of(r->entry, name);
	size_t max = (size_t)json_integer_value(json_object_get(param, "max"));

	if (max == 0 || hl_text_count(text) <= max)
		hl_buf_add(r->out, text);
	else if (strcmp(word_of(param, "over"), "refuse") == 0)
		return hl_fail(err, HL_REFUSED, "parameter %s of %s is longer than %zu characters", name, r->entry->key,
			       max);
	else
		put_cut(r, text, max);
	return HL_OK;
}

static enum hl_class put_value(const struct rendering *r, const char *name, const json_t *value, bool is_time,
			       struct hl_error *err)
{
	if (!json_is_integer(value))
		return put_text(r, name, (struct hl_slice){json_string_value(value), json_string_length(value)}, err);
	if (is_time)
		put_time(r, json_integer_value(value));
	else
		hl_buf_printf(r->out, "%lld", (long long)json_integer_value(value));
	return HL_OK;
}

static bool is_empty(const json_t *value)
{
	return !value || json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0);
}

/* The optional form: its text with the value in place of {}, or nothing. */
static enum hl_class put_optional(const struct rendering *r, const struct hole *h, const json_t *value,
				  struct hl_error *err)
{
	ptrdiff_t at = hl_slice_find(h->inside, HL_LIT("{}"));
	enum hl_class cls;

	if (is_empty(value))
		return HL_OK;
	if (at < 0) {
		hl_buf_add(r->out, h->inside);
		return HL_OK;
	}
	hl_buf_add(r->out, (struct hl_slice){h->inside.ptr, (size_t)at});
	cls = put_value(r, h->name, value, h->is_time, err);
	hl_buf_add(r->out, (struct hl_slice){h->inside.ptr + at + 2, h->inside.len - (size_t)at - 2});
	return cls;
}

static enum hl_class put_hole(const struct rendering *r, const struct hole *h, const json_t *params,
			      struct hl_error *err)
{
	const json_t *value = json_object_get(params, h->name);

	if (h->is_optional)
		return put_optional(r, h, value, err);
	if (json_is_integer(value) || (!h->is_time && json_is_string(value)))
		return put_value(r, h->name, value, h->is_time, err);
	return hl_fail(err, HL_BUG, "template %s needs parameter %s", r->entry->key, h->name);
}

enum hl_class hl_template_render(const struct hl_templates *t, const char *key, const char *lang, const json_t *params,
				 const struct hl_calendar *cal, struct hl_buf *out, struct hl_error *err)
{
	const struct entry *e = find(t, key, lang);
	struct rendering r = {.cal = cal, .out = out};
	enum hl_class cls = HL_OK;
	const char *c, *next;
	struct hole h;

	if (!e)
		e = find(t, key, FALLBACK_LANG);
	if (!e)
		return hl_fail(err, HL_CONFIG, "there is no template %s", key);
	r.entry = e;
	for (c = e->text; cls == HL_OK && (next = strchr(c, '{')); c = next) {
		hl_buf_add(out, (struct hl_slice){c, (size_t)(next - c)});
		hl_assert(read_hole(&next, &h));
		cls = put_hole(&r, &h, params, err);
	}
	hl_buf_add_str(out, c);
	return cls;
}

enum hl_class hl_template_value(const struct hl_templates *t, const char *key, const char *lang, const char *name,
				const json_t *params, const struct hl_calendar *cal, struct hl_buf *out,
				struct hl_error *err)
{
	const struct entry *e = find(t, key, lang);
	const json_t *param, *value = json_object_get(params, name);
	struct rendering r = {.cal = cal, .out = out};
	const char *type;

	if (!e)
		e = find(t, key, FALLBACK_LANG);
	param = e ? param_of(e, name) : NULL;
	if (!param)
		return hl_fail(err, HL_CONFIG, "template %s has no parameter %s", key, name);
	r.entry = e;
	type = json_string_value(json_object_get(param, "type"));
	return is_empty(value) ? HL_OK : put_value(&r, name, value, type && strcmp(type, "time") == 0, err);
}
