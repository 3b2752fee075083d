/* place.c - the compound, building, unit and room in a text
 *
 * A name inside a longer one does not count. Where no compound is named by its own name, names with one character wrong
 * count too, unless they only lean on what is there exactly. What is left is settled in this order: a compound named by
 * its own words decides what a shared alias means; then community, road and subdistrict named in the text; then the
 * compound with a building behind its name; else it stays ambiguous and is asked.
 *
 * Must not know: units, case types, dispatch.
 * Limits: 4,000 code points, 32 names and 32 areas in a text, 4 candidates.
 */
#include "hotline/place.h"
#include "hotline/text.h"
#include "intake/gazetteer.h"
#include "intake/place_parts.h"
#include "intake/tight.h"

#include <string.h>

#define RUNES_MAX  4000
#define HITS_MAX   32
#define AREAS_MAX  32
#define CANDIDATES (sizeof(((struct hl_place *)NULL)->candidates) / sizeof(struct hl_compound *))
/* A building right behind a name begins within a few characters. */
#define NEAR_BYTES 64

struct hit {
	uint32_t row;
	size_t start, end; /* bytes */
	bool is_alias, is_near;
};

struct finding {
	const struct hl_gazetteer *g;
	struct hl_slice text;
	struct hl_runes runes;
	struct hit hits[HITS_MAX];
	size_t n_hits;
	uint32_t areas[AREAS_MAX]; /* that are named in the text */
	size_t n_areas;
};

/* ---- names in the text ------------------------------------------------------------ */

static bool is_apart(const struct hit *a, const struct hit *b)
{
	return a->end <= b->start || a->start >= b->end;
}

static bool is_same_words(const struct hit *a, const struct hit *b)
{
	return a->start == b->start && a->end == b->end;
}

/* add_hit - keeps the longest of overlapping names; equal ones stay side by side. */
static void add_hit(struct finding *f, const struct hit *hit)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_hits; i++) {
		const struct hit *h = &f->hits[i];

		if (!is_apart(h, hit) && h->end - h->start > hit->end - hit->start)
			return;
		if (is_same_words(h, hit) && h->row == hit->row)
			return;
		if (!is_apart(h, hit) && h->end - h->start < hit->end - hit->start)
			continue;
		f->hits[n++] = *h;
	}
	f->n_hits = n;
	if (n < HITS_MAX)
		f->hits[f->n_hits++] = *hit;
}

static struct hit hit_of(const struct finding *f, uint32_t tag, size_t start, size_t end)
{
	return (struct hit){tag & ~HL_ALIAS_TAG, f->runes.offsets[start], f->runes.offsets[end], tag & HL_ALIAS_TAG,
			    false};
}

static void on_name(void *arg, uint32_t tag, size_t start, size_t end)
{
	struct finding *f = arg;
	struct hit hit = hit_of(f, tag, start, end);

	if (!(tag & HL_AREA_TAG))
		add_hit(f, &hit);
	else if (f->n_areas < AREAS_MAX)
		f->areas[f->n_areas++] = tag & ~HL_AREA_TAG;
}

static bool has_own_name(const struct finding *f)
{
	for (size_t i = 0; i < f->n_hits; i++)
		if (!f->hits[i].is_alias)
			return true;
	return false;
}

/* A name read with one character wrong must say more than the alias that stands there exactly: it is longer. */
static void on_near_name(void *arg, uint32_t tag, size_t start, size_t end)
{
	struct finding *f = arg;
	struct hit hit = hit_of(f, tag, start, end);

	hit.is_near = true;
	for (size_t i = 0; i < f->n_hits; i++) {
		const struct hit *h = &f->hits[i];
		bool is_inside = h->start >= hit.start && h->end <= hit.end && !is_same_words(h, &hit);

		if (!h->is_near && !is_apart(h, &hit) && !is_inside)
			return;
	}
	add_hit(f, &hit);
}

static bool find_names(struct finding *f, struct hl_arena *arena)
{
	if (!hl_runes_read(f->text, arena, &f->runes))
		return false;
	hl_names_scan(f->g->names, &f->runes, on_name, f);
	return has_own_name(f) || hl_names_near(f->g->names, &f->runes, arena, on_near_name, f);
}

/* ---- which of them is meant ------------------------------------------------------- */

/* is_shared - the words of this hit also name another compound. */
static bool is_shared(const struct finding *f, const struct hit *hit)
{
	for (size_t i = 0; i < f->n_hits; i++)
		if (is_same_words(&f->hits[i], hit) && f->hits[i].row != hit->row)
			return true;
	return false;
}

static bool is_named_alone(const struct finding *f, const struct hit *hit)
{
	for (size_t i = 0; i < f->n_hits; i++)
		if (f->hits[i].row == hit->row && !is_shared(f, &f->hits[i]))
			return true;
	return false;
}

static bool lies_in_named_area(const struct finding *f, uint32_t row)
{
	for (size_t i = 0; i < f->n_areas; i++)
		for (size_t k = 0; k < HL_AREAS; k++)
			if (f->g->rows[row].areas[k] == f->areas[i])
				return true;
	return false;
}

static bool is_hinted(const struct finding *f, const struct hit *hit)
{
	return lies_in_named_area(f, hit->row);
}

static bool has_building_behind(const struct finding *f, const struct hit *hit)
{
	struct hl_arena scratch;
	struct hl_place_parts parts;
	size_t len = f->text.len - hit->end;
	struct hl_slice near = {f->text.ptr, hit->end + (len < NEAR_BYTES ? len : NEAR_BYTES)};
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

	if (f->n_hits < 2)
		return;
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
		add_candidate(out_r, &f->g->rows[f->hits[i].row].is);
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
	if (!hit->end)
		return hl_arena_printf(arena, "where it lies: %s%s", p->compound ? "" : "ambiguous, ", why);
	return hl_arena_printf(arena, "「%.*s」: %s%s%s", (int)(hit->end - hit->start), f->text.ptr + hit->start,
			       hit->is_near ? "one character wrong, " : "", p->compound ? "" : "ambiguous, ", why);
}

/* find_parts - behind the compound's name first, then anywhere. */
static void find_parts(const struct finding *f, struct hl_arena *arena, struct hl_place *out_r)
{
	struct hl_place_parts parts;
	/* A hit without words (keep_asked) has nothing behind it. */
	bool is_found =
		f->n_hits && f->hits[0].end && hl_place_parts_find(f->text, f->hits[0].end, true, arena, &parts);

	if (!is_found && !hl_place_parts_find(f->text, 0, false, arena, &parts))
		return;
	out_r->building = parts.building;
	out_r->unit_no = parts.unit_no;
	out_r->room = parts.room;
}

static struct hl_slice first_runes(struct hl_slice text, size_t n_max)
{
	size_t pos = 0;

	if (text.len <= n_max)
		return text;
	for (size_t n = 0; n < n_max && pos < text.len; n++)
		hl_text_next(text, &pos);
	return (struct hl_slice){text.ptr, pos};
}

static void find_and_compose(struct finding *f, struct hl_arena *arena, struct hl_place *out_r)
{
	settle_compound(f, out_r);
	find_parts(f, arena, out_r);
	out_r->text = compose(arena, out_r);
	out_r->why = explain(f, arena, out_r);
}

static bool read_text(struct finding *f, struct hl_slice text, struct hl_arena *arena, struct hl_place *out_r)
{
	*out_r = (struct hl_place){.text = "", .why = "the text could not be read: no memory"};
	f->text = first_runes(hl_fold_tight(arena, first_runes(text, RUNES_MAX)), RUNES_MAX);
	return !hl_arena_failed(arena) && find_names(f, arena);
}

void hl_place_find(const struct hl_gazetteer *g, struct hl_slice text, struct hl_arena *arena, struct hl_place *out_r)
{
	struct finding f = {.g = g};

	if (read_text(&f, text, arena, out_r))
		find_and_compose(&f, arena, out_r);
}

/* ---- asking, and reading the answer ------------------------------------------------ */

static bool is_named(const struct finding *f, uint32_t row)
{
	for (size_t i = 0; i < f->n_hits; i++)
		if (f->hits[i].row == row)
			return true;
	return false;
}

/* row_of - a compound is the first member of its row. */
static uint32_t row_of(const struct hl_gazetteer *g, const struct hl_compound *c)
{
	return (uint32_t)((const struct hl_place_row *)c - g->rows);
}

/* keep_asked - of the hits only those asked about; those not named by a name count where their area is named, without
 * words of their own. */
static void keep_asked(struct finding *f, const struct hl_slice *codes, size_t n)
{
	struct hit asked[HITS_MAX];
	size_t n_asked = 0;

	for (size_t i = 0; i < f->n_hits; i++)
		for (size_t k = 0; k < n; k++)
			if (hl_slice_eq_str(codes[k], f->g->rows[f->hits[i].row].is.code))
				asked[n_asked++] = f->hits[i];
	for (size_t k = 0; k < n && n_asked < HITS_MAX; k++) {
		const struct hl_compound *c = hl_gazetteer_by_code(f->g, codes[k]);
		uint32_t row = c ? row_of(f->g, c) : 0;

		if (c && !is_named(f, row) && lies_in_named_area(f, row))
			asked[n_asked++] = (struct hit){.row = row};
	}
	memcpy(f->hits, asked, n_asked * sizeof(*asked));
	f->n_hits = n_asked;
}

void hl_place_choose(const struct hl_gazetteer *g, struct hl_slice text, const struct hl_slice *codes, size_t n,
		     struct hl_arena *arena, struct hl_place *out_r)
{
	struct finding f = {.g = g};

	if (!read_text(&f, text, arena, out_r))
		return;
	keep_asked(&f, codes, n);
	find_and_compose(&f, arena, out_r);
}

/* apart_by - what tells a candidate from another one of its name. */
static const char *apart_by(const struct hl_place *p, const struct hl_compound *c)
{
	for (size_t i = 0; i < p->n_candidates; i++) {
		const struct hl_compound *other = p->candidates[i];

		if (other == c || strcmp(other->name, c->name) != 0)
			continue;
		return c->road && (!other->road || strcmp(other->road, c->road) != 0) ? c->road : c->community;
	}
	return NULL;
}

const char *hl_place_list(const struct hl_place *p, struct hl_arena *arena)
{
	const char *list = "";

	for (size_t i = 0; i < p->n_candidates; i++) {
		const char *apart = apart_by(p, p->candidates[i]);

		list = hl_arena_printf(arena, "%s%s%s%s%s%s", list, i ? "、" : "", p->candidates[i]->name,
				       apart ? "（" : "", apart ? apart : "", apart ? "）" : "");
	}
	return list;
}
