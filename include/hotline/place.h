/* place.h - finds the compound (小区) and the building, unit and room in a text; pure
 *
 * The gazetteer is data (schema/ref/places.json): compounds with aliases, subdistrict,
 * community, property company, gas company.
 */
#ifndef HOTLINE_PLACE_H
#define HOTLINE_PLACE_H

#include "hotline/arena.h"
#include "hotline/error.h"
#include <jansson.h>

struct hl_gazetteer;

struct hl_compound {
	const char *code; /* stable key, "C001" */
	const char *name, *subdistrict /* unit code */, *community, *property_company /* unit code or NULL */,
		*gas_company /* unit code or NULL */;
};

enum hl_class hl_gazetteer_new(const json_t *doc, struct hl_gazetteer **out_r, struct hl_error *err);
void hl_gazetteer_free(struct hl_gazetteer **g);
const struct hl_compound *hl_gazetteer_by_code(const struct hl_gazetteer *g, struct hl_slice code);

struct hl_place {
	const struct hl_compound *compound; /* NULL: none or ambiguous */
	const struct hl_compound *candidates[4];
	size_t n_candidates;                   /* 2 or more: ambiguous, ask */
	const char *building, *unit_no, *room; /* "3", "2", "501" or NULL */
	const char *text; /* as it will be written in notices: "锦绣花园3号楼2单元501", "" if nothing */
	const char *why;
};

/* hl_place_find - longest match wins; never fails. Gives strings in arena or gazetteer. Cost O(length). */
void hl_place_find(const struct hl_gazetteer *g, struct hl_slice text, struct hl_arena *arena, struct hl_place *out_r);

#endif
