/* parts.h (private) - what a text consists of before anybody asks what it wants */
#ifndef TALK_PARTS_H
#define TALK_PARTS_H

#include "hotline/talk.h"
#include "words.h"

#define TALK_NO_CODE SIZE_MAX

struct codes {
	size_t first;          /* index of the first open code seen, or TALK_NO_CODE */
	bool has_two;          /* a second, different one was seen */
	struct hl_slice wrong; /* looks like a code where one belongs, and is not open */
};

struct parts {
	struct words typed;  /* what the sender wrote; codes are single runes */
	struct words quoted; /* echo of a notice; its runes carry no verb */
	struct codes typed_codes, quoted_codes;
};

/* parts_split - takes echoes of notices out of a text: typed keeps the rest, quoted gets them. */
void parts_split(struct words *typed, struct words *quoted, struct hl_arena *arena);

/* codes_find - makes every open code in the words one rune TALK_CODE.
 * Takes   open codes; is_officer decides where a wrong code is looked for. Cost O(runes * n_open) */
void codes_find(struct words *w, bool is_officer, const struct hl_slice *open, size_t n_open, struct codes *out_r);

#endif
