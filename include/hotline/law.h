/* law.h - the table of legal moves as C data (law.def) */
#ifndef HOTLINE_LAW_H
#define HOTLINE_LAW_H

#include <stddef.h>

struct hl_move {
	const char *scope, *event, *from, *to;
};

struct hl_effect {
	const char *scope, *event, *effect;
};

/* hl_law - all moves; *n_r their number. */
const struct hl_move *hl_law(size_t *n_r);
/* hl_law_effects - what each event does besides, in the order of the moves. */
const struct hl_effect *hl_law_effects(size_t *n_r);

#endif
