/* law.c - the table of legal moves; the text is law.def, here it only becomes data */
#include "hotline/law.h"

static const struct hl_move law[] = {
#define HL_MOVE(scope, event, from, to) {scope, event, from, to},
#include "hotline/law.def"
#undef HL_MOVE
};

const struct hl_move *hl_law(size_t *n_r)
{
	*n_r = sizeof(law) / sizeof(law[0]);
	return law;
}
