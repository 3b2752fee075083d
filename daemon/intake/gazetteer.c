/* gazetteer.c - reads the document of places: compounds, their names, and the areas they lie in
 *
 * The document: {"places": [{"code", "name", "aliases"?: [..], "subdistrict", "community"?, "road"?,
 * "property_company"?, "gas_company"?}], "subdistricts"?: {code: [name, ..]}}. Compounds share names of areas and
 * units, so each such string is kept once. Owns the gazetteer. Must not know: texts, units, case types. Limits: 60,000
 * compounds, 200,000 names.
 */
#include "intake/gazetteer.h"
#include "intake/tight.h"

#include <stdlib.h>
#include <string.h>

#define GAZETTEER_BYTES ((size_t)64 * 1024 * 1024)
#define FOLD_BYTES      ((size_t)64 * 1024 * 1024)
#define SCRATCH_BYTES   ((size_t)64 * 1024) /* a name that needs more is none */
#define ROWS_MAX        60000
#define NAMES_MAX       200000
#define ALIASES_MAX     32

enum area { SUBDISTRICT, COMMUNITY, ROAD };

struct reader {
	struct hl_gazetteer *g;
	struct hl_pool texts; /* number: of the area, or nothing */
	struct hl_arena folded;
	struct hl_name *names;
	size_t n_names, cap_names, n_areas;
	struct hl_error *err;
};

/* ---- strings that are kept once --------------------------------------------------- */

static size_t slot_of(const struct hl_pool *pool, const char *text, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325ull;
	size_t i;

	for (size_t k = 0; k < len; k++)
		hash = (hash ^ (unsigned char)text[k]) * 0x100000001b3ull;
	i = (size_t)(hash ^ hash >> 32) & (pool->cap - 1);
	while (pool->slots[i].text && (strncmp(pool->slots[i].text, text, len) != 0 || pool->slots[i].text[len]))
		i = (i + 1) & (pool->cap - 1);
	return i;
}

static bool grow_pool(struct hl_pool *pool)
{
	struct hl_pool bigger = {.cap = pool->cap ? pool->cap * 2 : 256, .n = pool->n};

	if (pool->n * 2 < pool->cap)
		return true;
	bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
	if (!bigger.slots)
		return false;
	for (size_t i = 0; i < pool->cap; i++)
		if (pool->slots[i].text)
			bigger.slots[slot_of(&bigger, pool->slots[i].text, strlen(pool->slots[i].text))] =
				pool->slots[i];
	free(pool->slots);
	*pool = bigger;
	return true;
}

/* pooled - the slot of a string, new ones with the given number; NULL without memory. The text lives in the arena. */
static struct hl_pooled *pooled(struct hl_pool *pool, struct hl_arena *arena, const char *text, uint32_t number)
{
	struct hl_pooled *slot;

	if (!grow_pool(pool))
		return NULL;
	slot = &pool->slots[slot_of(pool, text, strlen(text))];
	if (slot->text)
		return slot;
	*slot = (struct hl_pooled){hl_arena_strdup(arena, hl_slice_str(text)), number};
	pool->n++;
	return hl_arena_failed(arena) ? NULL : slot;
}

/* ---- names ------------------------------------------------------------------------ */

static enum hl_class add_name(struct reader *r, const char *name, uint32_t tag, const char *field)
{
	struct hl_arena scratch;
	struct hl_slice tight;
	void *names = r->names;

	if (r->n_names == NAMES_MAX)
		return hl_fail(r->err, HL_INPUT, "%s: there are more than %d names", field, NAMES_MAX);
	if (r->n_names == r->cap_names) {
		r->cap_names = r->cap_names ? r->cap_names * 2 : 256;
		names = reallocarray(r->names, r->cap_names, sizeof(*r->names));
	}
	if (!names)
		return hl_fail(r->err, HL_NOMEM, "no memory for the names");
	r->names = names;
	/* Folding takes more room than a name needs, so it gets room of its own. */
	hl_arena_init(&scratch, SCRATCH_BYTES);
	tight = hl_arena_dup(&r->folded, hl_fold_tight(&scratch, hl_slice_str(name)));
	hl_arena_fini(&scratch);
	r->names[r->n_names++] = (struct hl_name){tight, tag, !(tag & HL_AREA_TAG)};
	return tight.len ? HL_OK : hl_fail(r->err, HL_INPUT, "%s: a name is empty or endless", field);
}

static enum hl_class add_aliases(struct reader *r, const json_t *aliases, uint32_t index)
{
	size_t n = json_array_size(aliases);
	enum hl_class cls = HL_OK;

	if ((aliases && !json_is_array(aliases)) || n > ALIASES_MAX)
		return hl_fail(r->err, HL_INPUT, "aliases: a list of at most %d names is needed", ALIASES_MAX);
	for (size_t i = 0; i < n && !cls; i++) {
		const char *alias = json_string_value(json_array_get(aliases, i));

		cls = alias ? add_name(r, alias, index | HL_ALIAS_TAG, "aliases")
			    : hl_fail(r->err, HL_INPUT, "aliases: every alias must be a string");
	}
	return cls;
}

/* ---- compounds -------------------------------------------------------------------- */

static enum hl_class read_text(struct reader *r, const json_t *place, const char *field, bool is_needed,
			       const char **out_r)
{
	const json_t *value = json_object_get(place, field);
	struct hl_pooled *slot;

	*out_r = NULL;
	if (!is_needed && (!value || json_is_null(value)))
		return HL_OK;
	if (!json_is_string(value) || !json_string_length(value))
		return hl_fail(r->err, HL_INPUT, "%s: a non-empty string is needed", field);
	slot = pooled(&r->texts, &r->g->arena, json_string_value(value), HL_NO_AREA);
	if (!slot)
		return hl_fail(r->err, HL_NOMEM, "no memory for the gazetteer");
	*out_r = slot->text;
	return HL_OK;
}

/* number_area - the first compound in an area names it to the finder; subdistricts are named by the document. */
static enum hl_class number_area(struct reader *r, const char *area, const char *field, bool is_named, uint32_t *out_r)
{
	struct hl_pooled *slot = area ? pooled(&r->texts, &r->g->arena, area, HL_NO_AREA) : NULL;

	*out_r = HL_NO_AREA;
	if (!area)
		return HL_OK;
	if (!slot)
		return hl_fail(r->err, HL_NOMEM, "no memory for the gazetteer");
	if (slot->number == HL_NO_AREA) {
		slot->number = (uint32_t)r->n_areas++;
		if (is_named && add_name(r, area, slot->number | HL_AREA_TAG, field))
			return r->err->cls;
	}
	*out_r = slot->number;
	return HL_OK;
}

static enum hl_class read_areas(struct reader *r, struct hl_place_row *row)
{
	enum hl_class cls = number_area(r, row->is.subdistrict, "subdistrict", false, &row->areas[SUBDISTRICT]);

	if (!cls)
		cls = number_area(r, row->is.community, "community", true, &row->areas[COMMUNITY]);
	return cls ? cls : number_area(r, row->is.road, "road", true, &row->areas[ROAD]);
}

static enum hl_class read_fields(struct reader *r, const json_t *place, struct hl_compound *c)
{
	const struct {
		const char *field;
		bool is_needed;
		const char **to;
	} fields[] = {
		{"code", true, &c->code},
		{"name", true, &c->name},
		{"subdistrict", true, &c->subdistrict},
		{"community", false, &c->community},
		{"road", false, &c->road},
		{"property_company", false, &c->property_company},
		{"gas_company", false, &c->gas_company},
	};
	enum hl_class cls = HL_OK;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && !cls; i++)
		cls = read_text(r, place, fields[i].field, fields[i].is_needed, fields[i].to);
	return cls;
}

static enum hl_class read_place(struct reader *r, const json_t *place)
{
	struct hl_gazetteer *g = r->g;
	uint32_t index = (uint32_t)g->n_rows;
	struct hl_place_row *row = &g->rows[index];
	struct hl_pooled *code;
	enum hl_class cls = read_fields(r, place, &row->is);

	if (cls)
		return cls;
	code = pooled(&g->codes, &g->arena, row->is.code, index);
	if (!code)
		return hl_fail(r->err, HL_NOMEM, "no memory for the gazetteer");
	if (code->number != index)
		return hl_fail(r->err, HL_INPUT, "code: \"%s\" is used twice", row->is.code);
	cls = add_name(r, row->is.name, index, "name");
	if (!cls)
		cls = add_aliases(r, json_object_get(place, "aliases"), index);
	if (!cls)
		cls = read_areas(r, row);
	if (cls)
		return hl_error_prefix(r->err, "%s", row->is.code);
	g->n_rows++;
	return HL_OK;
}

/* read_subdistricts - what people call a subdistrict; one in which no compound lies settles nothing. */
static enum hl_class read_subdistricts(struct reader *r, const json_t *named)
{
	const char *code;
	json_t *list;

	if (named && !json_is_object(named))
		return hl_fail(r->err, HL_INPUT, "subdistricts: an object of lists is needed");
	json_object_foreach ((json_t *)(uintptr_t)named, code, list) {
		struct hl_pooled *slot = pooled(&r->texts, &r->g->arena, code, HL_NO_AREA);

		if (!slot)
			return hl_fail(r->err, HL_NOMEM, "no memory for the gazetteer");
		if (!json_is_array(list))
			return hl_fail(r->err, HL_INPUT, "subdistricts.%s: a list of names is needed", code);
		for (size_t i = 0; i < json_array_size(list) && slot->number != HL_NO_AREA; i++) {
			const char *name = json_string_value(json_array_get(list, i));

			if (!name)
				return hl_fail(r->err, HL_INPUT, "subdistricts.%s: every name must be a string", code);
			if (add_name(r, name, slot->number | HL_AREA_TAG, "subdistricts"))
				return r->err->cls;
		}
	}
	return HL_OK;
}

static enum hl_class read_places(struct reader *r, const json_t *doc)
{
	const json_t *list = json_object_get(doc, "places");
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > ROWS_MAX)
		return hl_fail(r->err, HL_INPUT, "places: a list of at most %d compounds is needed", ROWS_MAX);
	r->g->rows = calloc(n + 1, sizeof(*r->g->rows));
	if (!r->g->rows || !grow_pool(&r->g->codes))
		return hl_fail(r->err, HL_NOMEM, "no memory for the gazetteer");
	for (size_t i = 0; i < n; i++)
		if (read_place(r, json_array_get(list, i)))
			return hl_error_prefix(r->err, "places[%zu]", i);
	return read_subdistricts(r, json_object_get(doc, "subdistricts"));
}

static enum hl_class build_names(struct reader *r)
{
	size_t bad;
	enum hl_class cls = hl_names_new(r->names, r->n_names, &r->g->names, &bad, r->err);

	if (cls == HL_INPUT)
		hl_error_prefix(r->err, "name \"%.*s\"", HL_SLICE_ARG(r->names[bad].text));
	return cls;
}

enum hl_class hl_gazetteer_new(const json_t *doc, struct hl_gazetteer **out_r, struct hl_error *err)
{
	struct hl_error unheard = {0};
	struct reader r = {.g = calloc(1, sizeof(*r.g)), .err = err ? err : &unheard};
	enum hl_class cls;

	*out_r = NULL;
	if (!r.g)
		return hl_fail(r.err, HL_NOMEM, "no memory for the gazetteer");
	hl_arena_init(&r.g->arena, GAZETTEER_BYTES);
	hl_arena_init(&r.folded, FOLD_BYTES);
	cls = read_places(&r, doc);
	if (hl_arena_failed(&r.folded) || hl_arena_failed(&r.g->arena))
		cls = hl_fail(r.err, HL_NOMEM, "no memory for the gazetteer");
	if (!cls)
		cls = build_names(&r);
	free(r.texts.slots);
	free(r.names);
	hl_arena_fini(&r.folded);
	if (cls)
		hl_gazetteer_free(&r.g);
	*out_r = r.g;
	return cls;
}

void hl_gazetteer_free(struct hl_gazetteer **gp)
{
	struct hl_gazetteer *g = *gp;

	if (!g)
		return;
	hl_names_free(&g->names);
	hl_arena_fini(&g->arena);
	free(g->codes.slots);
	free(g->rows);
	free(g);
	*gp = NULL;
}

size_t hl_gazetteer_bytes(const struct hl_gazetteer *g)
{
	return sizeof(*g) + hl_names_bytes(g->names) + g->arena.used_bytes + g->codes.cap * sizeof(*g->codes.slots) +
	       (g->n_rows + 1) * sizeof(*g->rows);
}

const struct hl_compound *hl_gazetteer_by_code(const struct hl_gazetteer *g, struct hl_slice code)
{
	const struct hl_pooled *slot = code.ptr ? &g->codes.slots[slot_of(&g->codes, code.ptr, code.len)] : NULL;

	return slot && slot->text ? &g->rows[slot->number].is : NULL;
}
