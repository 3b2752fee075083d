/* gazetteer.h - the compounds as the place finder uses them; internal to gazetteer.c and place.c
 *
 * An area is a subdistrict, community or road: many compounds share one, and a text that names it settles which of
 * several compounds is meant.
 */
#ifndef INTAKE_GAZETTEER_H
#define INTAKE_GAZETTEER_H

#include "hotline/place.h"
#include "intake/names.h"

#define HL_AREAS   3u /* subdistrict, community, road */
#define HL_NO_AREA UINT32_MAX
/* The tag of a name: the compound's index, with a bit when it is an alias; or an area's number with a bit. */
#define HL_AREA_TAG  (1u << 31)
#define HL_ALIAS_TAG (1u << 30)

struct hl_place_row {
	struct hl_compound is;
	uint32_t areas[HL_AREAS]; /* numbers, or HL_NO_AREA */
};

/* Strings that occur once each, numbered; open addressing. */
struct hl_pool {
	struct hl_pooled {
		const char *text; /* NULL: free */
		uint32_t number;
	} * slots;
	size_t cap, n;
};

struct hl_gazetteer {
	struct hl_arena arena; /* all strings */
	struct hl_names *names;
	struct hl_place_row *rows;
	size_t n_rows;
	struct hl_pool codes; /* number: index of the row */
};

#endif
