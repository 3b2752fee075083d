/* saying.h (private to daemon/voice) - what a look at a call means: facts for the flow, texts filled in; pure */
#ifndef VOICE_SAYING_H
#define VOICE_SAYING_H

#include "hotline/refdata.h"
#include "hotline/voice.h"

/* What is known when a call asks. */
struct saying {
	const struct hl_refdata *ref;
	const json_t *look; /* what hl.call_look gave */
	const char *hotline;
	const char *notice; /* text of the notice that an outgoing call reads, or "" */
	int64_t now_us;
};

/* saying_facts - what the flow may look at. */
struct hl_flow_facts saying_facts(const struct saying *s);
/* saying_fill - fills the texts of a move, in place. Texts live in the arena. */
void saying_fill(const struct saying *s, const char *lang, struct hl_flow_move *move, struct hl_arena *arena);
/* saying_phones - whom a dial rings. */
void saying_phones(const struct saying *s, struct hl_line_script *script);
/* saying_whisper - what an operator hears before he talks: one text. */
void saying_whisper(const struct saying *s, struct hl_flow_move *move_r, struct hl_arena *arena);

#endif
