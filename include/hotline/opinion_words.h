/* opinion_words.h - what a second opinion is asked, and what an answer says; pure
 *
 * The resident's text leaves masked (mask.h), as a JSON string inside the user's message: it can close no quotation of
 * ours and cannot change the schema. Whatever it makes a model say, only a known case type and urgency in the schema's
 * shape are read; the reason is shown as the model's words.
 */
#ifndef HOTLINE_OPINION_WORDS_H
#define HOTLINE_OPINION_WORDS_H

#include "hotline/refdata.h"

#define HL_OPINION_REASON_RUNES 100

struct hl_opinion {
	const char *type; /* of the duty table */
	enum hl_urgency urgency;
	const char *reason; /* one line, short: words of a model, not of ours */
};

/* hl_opinion_request - the body of the request. Takes text: as it came; it is masked here.
 * Gives   JSON (the caller owns it), NULL without memory. Cost O(length) */
json_t *hl_opinion_request(const struct hl_refdata *ref, const char *model, struct hl_slice text,
			   struct hl_arena *arena);

/* hl_opinion_read - an answer's body.
 * Gives   strings in the arena or the duty table
 * Errors  HL_INPUT: no answer of ours: a refusal, cut short, another shape, a type that is none */
enum hl_class hl_opinion_read(const struct hl_refdata *ref, struct hl_slice body, struct hl_arena *arena,
			      struct hl_opinion *out_r, struct hl_error *err);

#endif
