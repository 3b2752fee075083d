/* phrases.h - finds every phrase of a fixed list in a text, overlapping ones too; pure
 *
 * A phrase is a literal ("消防通道") or literals in order with short gaps ("卡~电梯": at
 * most HL_PHRASE_GAP code points between the parts). Phrases and texts are compared in the
 * tight form of hl_fold_tight. Built once, then read only.
 */
#ifndef INTAKE_PHRASES_H
#define INTAKE_PHRASES_H

#include "hotline/error.h"
#include "intake/tight.h"

#define HL_PHRASE_GAP   8  /* code points that may stand between two parts */
#define HL_PHRASE_PARTS 3  /* parts of one phrase */
#define HL_PHRASE_MAX   32 /* code points of one part */

struct hl_phrases;

/* hl_phrases_new - an empty list, or NULL without memory. gives. */
struct hl_phrases *hl_phrases_new(void);
void hl_phrases_free(struct hl_phrases **phrases);
/* hl_phrases_bytes - memory that it holds. */
size_t hl_phrases_bytes(const struct hl_phrases *phrases);

/* hl_phrases_add - borrows phrase; the caller's tag is reported with every hit. One phrase may be added under many
 * tags. Errors  HL_INPUT empty phrase or part, too long, too many parts; HL_NOMEM */
enum hl_class hl_phrases_add(struct hl_phrases *phrases, struct hl_slice phrase, uint32_t tag, struct hl_error *err);

/* Called during hl_phrases_scan for each hit, in order of where its last part starts; start and end are
 * byte offsets in the text. */
typedef void hl_phrase_hit_fn(void *arg, uint32_t tag, size_t start, size_t end);

/* hl_phrases_scan - reports every phrase found.
 * Takes   text: tight. arena: scratch, 8 bytes per code point and 8 per part of a gapped phrase.
 * Gives   false when the arena failed; then nothing was reported
 * Calls   on_hit before it returns
 * Cost    O(code points * longest phrase), no allocation beside the arena */
bool hl_phrases_scan(const struct hl_phrases *phrases, struct hl_slice text, struct hl_arena *arena,
		     hl_phrase_hit_fn *on_hit, void *arg);

#endif
