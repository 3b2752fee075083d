/* cues.h (private) - does a text say something, and does it mean it? */
#ifndef TALK_CUES_H
#define TALK_CUES_H

#include "parts.h"

enum talk_doubt {
	TALK_NEGATED = 1, /* 没收到, 办不结 */
	TALK_ASKED = 2,   /* 结了没 */
	TALK_HEDGED = 4,  /* 好像不归我们管吧 */
	TALK_LATER = 8,   /* 等会签 */
};

/* cue_doubts - the doubts in the sentence around an occurrence. */
unsigned cue_doubts(const struct words *w, struct span occurrence);

/* cue_find - the first occurrence free of the named doubts.
 * Takes   within: where it may start */
bool cue_find(const struct words *w, enum talk_cue cue, struct span within, unsigned doubts, struct span *found_r);
bool cue_has(const struct words *w, enum talk_cue cue, unsigned doubts);

/* What the speakers' halves of the parser give; the entry binds the code and cuts the arguments. */
struct meaning {
	enum hl_verb verb;
	struct span command; /* the words of the verb, cut from the reason; empty: nothing to cut */
	bool is_all;
	char digit; /* survey */
};

void talk_officer_meaning(const struct parts *p, size_t n_open, struct meaning *out_r);
void talk_resident_meaning(const struct parts *p, size_t n_open, struct meaning *out_r);

/* Arguments, cut from the typed words (args.c). */
int talk_days(const struct words *w, struct span *found_r);
struct hl_slice talk_unit(const struct words *w, enum hl_verb verb, struct span *found_r);
struct hl_slice talk_reason(const struct parts *p, const struct meaning *m, struct hl_arena *arena,
			    struct hl_said *said);

#endif
