/* law.c - the table of legal moves; the text is law.def, here it only becomes data */
#include "hotline/law.h"

static const struct hl_move law[] = {
#define HL_MOVE(scope, event, from, to) {scope, event, from, to},
#define HL_EFFECT(scope, event, effect)
#include "hotline/law.def"
#undef HL_MOVE
#undef HL_EFFECT
};

static const struct hl_effect effects[] = {
#define HL_MOVE(scope, event, from, to)
#define HL_EFFECT(scope, event, effect) {scope, event, effect},
#include "hotline/law.def"
#undef HL_MOVE
#undef HL_EFFECT
};

const struct hl_move *hl_law(size_t *n_r)
{
	*n_r = sizeof(law) / sizeof(law[0]);
	return law;
}

const struct hl_effect *hl_law_effects(size_t *n_r)
{
	*n_r = sizeof(effects) / sizeof(effects[0]);
	return effects;
}
