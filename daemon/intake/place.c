/* place.c - the gazetteer, and the compound, building, unit and room in a text
 *
 * Names and aliases are found with the phrase matcher; a name inside a longer one does not
 * count. What is left is settled in this order: a compound named by its own words decides
 * what a shared alias means; then community, road and subdistrict named in the text; then
 * the compound with a building behind its name; else it stays ambiguous and is asked.
 *
 * Owns the gazetteer. Must not know: units, case types, dispatch.
 * Limits: 4,000 code points, 32 names in a text, 4 candidates; no guessing from similar
 * spellings.
 */
#include "hotline/place.h"
#include "hotline/text.h"
#include "intake/phrases.h"
#include "intake/place_parts.h"

#include <stdlib.h>
#include <string.h>

#define RUNES_MAX       4000
#define GAZETTEER_BYTES ((size_t)64 * 1024 * 1024)
#define COMPOUNDS_MAX   20000
#define ALIASES_MAX     32
#define HITS_MAX        32
#define CANDIDATES      4
/* Tag of a hint (community, road, subdistrict): the compound's index with this bit. */
#define HINT (1u << 31)

struct compound {
	struct hl_compound is;
	const char *road;
};

struct hl_gazetteer {
	struct hl_arena arena;
	struct hl_phrases *phrases;
	struct compound *compounds;
	size_t n_compounds;
};

struct hit {
	uint32_t compound;
	size_t start, end;
};

struct finding {
	const struct hl_gazetteer *g;
	struct hl_slice text;
	struct hit hits[HITS_MAX];
	size_t n_hits;
	bool *hinted; /* per compound */
};

static enum hl_class read_text(struct hl_gazetteer *g, const json_t *place, const char *field, bool is_needed,
			       const char **out_r, struct hl_error *err)
{
	const json_t *value = json_object_get(place, field);

	*out_r = NULL;
	if (!is_needed && (!value || json_is_null(value)))
		return HL_OK;
	if (!json_is_string(value) || !json_string_length(value))
		return hl_fail(err, HL_INPUT, "%s: a non-empty string is needed", field);
	*out_r = hl_arena_strdup(&g->arena, hl_slice_str(json_string_value(value)));
	return HL_OK;
}

static enum hl_class read_fields(struct hl_gazetteer *g, const json_t *place, struct compound *c, struct hl_error *err)
{
	const struct {
		const char *field;
		bool is_needed;
		const char **to;
	} fields[] = {
		{"code", true, &c->is.code},
		{"name", true, &c->is.name},
		{"subdistrict", true, &c->is.subdistrict},
		{"community", false, &c->is.community},
		{"road", false, &c->road},
		{"property_company", false, &c->is.property_company},
		{"gas_company", false, &c->is.gas_company},
	};
	enum hl_class cls = HL_OK;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && !cls; i++)
		cls = read_text(g, place, fields[i].field, fields[i].is_needed, fields[i].to, err);
	return cls;
}

static enum hl_class add_name(struct hl_gazetteer *g, const char *name, uint32_t tag, const char *field,
			      struct hl_error *err)
{
	if (!name)
		return HL_OK;
	if (strchr(name, '~'))
		return hl_fail(err, HL_INPUT, "%s: \"~\" is not allowed in a name", field);
	return hl_phrases_add(g->phrases, hl_slice_str(name), tag, err) ? hl_error_prefix(err, "%s", field) : HL_OK;
}

static enum hl_class add_aliases(struct hl_gazetteer *g, const json_t *aliases, uint32_t index, struct hl_error *err)
{
	size_t n = json_array_size(aliases);
	enum hl_class cls = HL_OK;

	if ((aliases && !json_is_array(aliases)) || n > ALIASES_MAX)
		return hl_fail(err, HL_INPUT, "aliases: a list of at most %d names is needed", ALIASES_MAX);
	for (size_t i = 0; i < n && !cls; i++) {
		const char *alias = json_string_value(json_array_get(aliases, i));

		cls = alias ? add_name(g, alias, index, "aliases", err)
			    : hl_fail(err, HL_INPUT, "aliases: every alias must be a string");
	}
	return cls;
}

/* "A社区" and "A" are both heard; only the full words are added, short ones are too often something else. */
static enum hl_class add_hints(struct hl_gazetteer *g, const struct compound *c, uint32_t index, struct hl_error *err)
{
	enum hl_class cls = add_name(g, c->is.community, index | HINT, "community", err);

	return cls ? cls : add_name(g, c->road, index | HINT, "road", err);
}

static enum hl_class add_names(struct hl_gazetteer *g, const struct compound *c, uint32_t index, const json_t *place,
			       struct hl_error *err)
{
	enum hl_class cls = add_name(g, c->is.name, index, "name", err);

	if (!cls)
		cls = add_aliases(g, json_object_get(place, "aliases"), index, err);
	return cls ? cls : add_hints(g, c, index, err);
}

static enum hl_class read_place(struct hl_gazetteer *g, const json_t *place, struct hl_error *err)
{
	uint32_t index = (uint32_t)g->n_compounds;
	struct compound *c = &g->compounds[index];
	enum hl_class cls = read_fields(g, place, c, err);

	if (cls)
		return cls;
	if (hl_gazetteer_by_code(g, hl_slice_str(c->is.code)))
		return hl_fail(err, HL_INPUT, "code: \"%s\" is used twice", c->is.code);
	cls = add_names(g, c, index, place, err);
	if (cls)
		return hl_error_prefix(err, "%s", c->is.code);
	g->n_compounds++;
	return HL_OK;
}

static enum hl_class read_places(struct hl_gazetteer *g, const json_t *doc, struct hl_error *err)
{
	const json_t *list = json_object_get(doc, "places");
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > COMPOUNDS_MAX)
		return hl_fail(err, HL_INPUT, "places: a list of at most %d compounds is needed", COMPOUNDS_MAX);
	g->compounds = hl_arena_array(&g->arena, n + 1, sizeof(*g->compounds));
	if (!g->compounds)
		return hl_fail(err, HL_NOMEM, "no memory for the gazetteer");
	for (size_t i = 0; i < n; i++)
		if (read_place(g, json_array_get(list, i), err))
			return hl_error_prefix(err, "places[%zu]", i);
	return hl_arena_failed(&g->arena) ? hl_fail(err, HL_NOMEM, "no memory for the gazetteer") : HL_OK;
}

enum hl_class hl_gazetteer_new(const json_t *doc, struct hl_gazetteer **out_r, struct hl_error *err)
{
	struct hl_gazetteer *g = calloc(1, sizeof(*g));
	struct hl_error unheard = {0};
	enum hl_class cls;

	err = err ? err : &unheard;
	if (!g)
		return hl_fail(err, HL_NOMEM, "no memory for the gazetteer");
	hl_arena_init(&g->arena, GAZETTEER_BYTES);
	g->phrases = hl_phrases_new();
	cls = g->phrases ? read_places(g, doc, err) : hl_fail(err, HL_NOMEM, "no memory for the gazetteer");
	if (cls)
		hl_gazetteer_free(&g);
	else
		*out_r = g;
	return cls;
}

void hl_gazetteer_free(struct hl_gazetteer **g)
{
	if (!*g)
		return;
	hl_phrases_free(&(*g)->phrases);
	hl_arena_fini(&(*g)->arena);
	free(*g);
	*g = NULL;
}

const struct hl_compound *hl_gazetteer_by_code(const struct hl_gazetteer *g, struct hl_slice code)
{
	for (size_t i = 0; i < g->n_compounds; i++)
		if (hl_slice_eq_str(code, g->compounds[i].is.code))
			return &g->compounds[i].is;
	return NULL;
}

/* on_name - keeps the longest of overlapping names; equal ones stay side by side. */
static void on_name(void *arg, uint32_t tag, size_t start, size_t end)
{
	struct finding *f = arg;
	size_t n = 0;

	if (tag & HINT) {
		f->hinted[tag & ~HINT] = true;
		return;
	}
	for (size_t i = 0; i < f->n_hits; i++) {
		const struct hit *h = &f->hits[i];
		bool is_apart = h->end <= start || h->start >= end;

		if (!is_apart && h->end - h->start > end - start)
			return;
		if (!is_apart && h->end - h->start < end - start)
			continue;
		f->hits[n++] = *h;
	}
	f->n_hits = n;
	if (n < HITS_MAX)
		f->hits[f->n_hits++] = (struct hit){tag, start, end};
}

static bool is_same_words(const struct hit *a, const struct hit *b)
{
	return a->start == b->start && a->end == b->end;
}

/* is_shared - the words of this hit also name another compound. */
static bool is_shared(const struct finding *f, const struct hit *hit)
{
	for (size_t i = 0; i < f->n_hits; i++)
		if (is_same_words(&f->hits[i], hit) && f->hits[i].compound != hit->compound)
			return true;
	return false;
}

static bool is_named_alone(const struct finding *f, const struct hit *hit)
{
	for (size_t i = 0; i < f->n_hits; i++)
		if (f->hits[i].compound == hit->compound && !is_shared(f, &f->hits[i]))
			return true;
	return false;
}

static bool is_hinted(const struct finding *f, const struct hit *hit)
{
	return f->hinted[hit->compound];
}

static bool has_building_behind(const struct finding *f, const struct hit *hit)
{
	struct hl_arena scratch;
	struct hl_place_parts parts;
	size_t len = f->text.len - hit->end;
	/* A building right behind the name begins within a few characters; what follows cannot matter. */
	struct hl_slice near = {f->text.ptr, hit->end + (len < 64 ? len : 64)};
	bool is_near;

	hl_arena_init(&scratch, 4096);
	is_near = hl_place_parts_find(near, hit->end, true, &scratch, &parts) && parts.start == hit->end;
	hl_arena_fini(&scratch);
	return is_near;
}

typedef bool hit_test_fn(const struct finding *f, const struct hit *hit);

/* prefer - keeps only the hits that pass, unless none does. */
static void prefer(struct finding *f, hit_test_fn *test)
{
	struct hit kept[HITS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < f->n_hits; i++)
		if (test(f, &f->hits[i]))
			kept[n++] = f->hits[i];
	if (!n)
		return;
	memcpy(f->hits, kept, n * sizeof(*kept));
	f->n_hits = n;
}

static void add_candidate(struct hl_place *out_r, const struct hl_compound *compound)
{
	for (size_t i = 0; i < out_r->n_candidates; i++)
		if (out_r->candidates[i] == compound)
			return;
	if (out_r->n_candidates < CANDIDATES)
		out_r->candidates[out_r->n_candidates++] = compound;
}

static void settle_compound(struct finding *f, struct hl_place *out_r)
{
	static hit_test_fn *const tests[] = {is_named_alone, is_hinted, has_building_behind};

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		prefer(f, tests[i]);
	for (size_t i = 0; i < f->n_hits; i++)
		add_candidate(out_r, &f->g->compounds[f->hits[i].compound].is);
	out_r->compound = out_r->n_candidates == 1 ? out_r->candidates[0] : NULL;
}

static const char *compose(struct hl_arena *arena, const struct hl_place *p)
{
	bool is_letter = p->building && p->building[0] >= 'A';

	return hl_arena_printf(arena, "%s%s%s%s%s%s", p->compound ? p->compound->name : "",
			       p->building ? p->building : "",
			       !p->building ? ""
			       : is_letter  ? "座"
					    : "号楼",
			       p->unit_no ? p->unit_no : "", p->unit_no ? "单元" : "", p->room ? p->room : "");
}

static const char *explain(const struct finding *f, struct hl_arena *arena, const struct hl_place *p)
{
	const struct hit *hit = f->hits;
	const char *why = "";

	if (!p->n_candidates)
		return "no compound of the gazetteer is named";
	for (size_t i = 0; i < p->n_candidates; i++)
		why = hl_arena_printf(arena, "%s%s%s %s", why, i ? ", " : "", p->candidates[i]->code,
				      p->candidates[i]->name);
	return hl_arena_printf(arena, "「%.*s」: %s%s", (int)(hit->end - hit->start), f->text.ptr + hit->start,
			       p->compound ? "" : "ambiguous, ", why);
}

/* find_parts - behind the compound's name first, then anywhere. */
static void find_parts(const struct finding *f, struct hl_arena *arena, struct hl_place *out_r)
{
	struct hl_place_parts parts;
	bool is_found = f->n_hits && hl_place_parts_find(f->text, f->hits[0].end, true, arena, &parts);

	if (!is_found && !hl_place_parts_find(f->text, 0, false, arena, &parts))
		return;
	out_r->building = parts.building;
	out_r->unit_no = parts.unit_no;
	out_r->room = parts.room;
}

static struct hl_slice first_runes(struct hl_slice text, size_t n_max)
{
	size_t pos = 0;

	for (size_t n = 0; n < n_max && pos < text.len; n++)
		hl_text_next(text, &pos);
	return (struct hl_slice){text.ptr, pos};
}

void hl_place_find(const struct hl_gazetteer *g, struct hl_slice text, struct hl_arena *arena, struct hl_place *out_r)
{
	struct finding f = {.g = g};

	*out_r = (struct hl_place){.text = "", .why = "the text could not be read: no memory"};
	f.hinted = hl_arena_array(arena, g->n_compounds + 1, sizeof(*f.hinted));
	f.text = first_runes(hl_fold_tight(arena, first_runes(text, RUNES_MAX)), RUNES_MAX);
	if (!f.hinted || hl_arena_failed(arena) || !hl_phrases_scan(g->phrases, f.text, arena, on_name, &f))
		return;
	settle_compound(&f, out_r);
	find_parts(&f, arena, out_r);
	out_r->text = compose(arena, out_r);
	out_r->why = explain(&f, arena, out_r);
}
