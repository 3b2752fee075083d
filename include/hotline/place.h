/* place.h - finds the compound (小区) and the building, unit and room in a text; pure
 *
 * The gazetteer is data (schema/ref/places.json): compounds with aliases, subdistrict,
 * community, road, property company, gas company; and what people call the subdistricts.
 */
#ifndef HOTLINE_PLACE_H
#define HOTLINE_PLACE_H

#include "hotline/arena.h"
#include "hotline/error.h"
#include <jansson.h>

struct hl_gazetteer;

struct hl_compound {
	const char *code; /* stable key, "C001" */
	const char *name, *subdistrict /* unit code */, *community, *road, *property_company /* unit code or NULL */,
		*gas_company /* unit code or NULL */;
};

/* hl_gazetteer_new - Takes the document; nothing of it is kept. gives. Errors HL_INPUT naming place and field; HL_NOMEM
 * Cost    50,000 names: see tests/bench/hl_intake.c */
enum hl_class hl_gazetteer_new(const json_t *doc, struct hl_gazetteer **out_r, struct hl_error *err);
void hl_gazetteer_free(struct hl_gazetteer **g);
/* hl_gazetteer_by_code - NULL: there is none. Cost O(1) */
const struct hl_compound *hl_gazetteer_by_code(const struct hl_gazetteer *g, struct hl_slice code);
/* hl_gazetteer_bytes - memory that it holds. */
size_t hl_gazetteer_bytes(const struct hl_gazetteer *g);

struct hl_place {
	const struct hl_compound *compound; /* NULL: none or ambiguous */
	const struct hl_compound *candidates[4];
	size_t n_candidates;                   /* 2 or more: ambiguous, ask */
	const char *building, *unit_no, *room; /* "3", "2", "501" or NULL */
	const char *text; /* as it will be written in notices: "锦绣花园3号楼2单元501", "" if nothing */
	const char *why;
};

/* hl_place_find - longest match wins; a name with one character wrong counts where no compound's own name stands in the
 * text; never fails.
 * Gives   strings in arena or gazetteer. Cost O(length), of which only 4,000 code points count */
void hl_place_find(const struct hl_gazetteer *g, struct hl_slice text, struct hl_arena *arena, struct hl_place *out_r);

/* hl_place_choose - which of a few compounds the answer to a question means: by name, or by an area that it names.
 * Takes   codes: of at least two compounds; unknown ones are passed over
 * Gives   as hl_place_find; candidates are all that are left of them */
void hl_place_choose(const struct hl_gazetteer *g, struct hl_slice text, const struct hl_slice *codes, size_t n,
		     struct hl_arena *arena, struct hl_place *out_r);

/* hl_place_list - the candidates as a question names them; equal names with what tells them apart.
 * Gives   "建设小区（示范二路）、建设小区（示范五路）" in the arena; "" when there are none */
const char *hl_place_list(const struct hl_place *place, struct hl_arena *arena);

#endif
