/* names.h - finds every name of a big fixed list in a text, all at once; exactly, or with one character wrong; pure
 *
 * Names and texts are compared in the tight form of hl_fold_tight, code point by code point. Built once from the whole
 * list, then read only. Internal to intake.
 */
#ifndef INTAKE_NAMES_H
#define INTAKE_NAMES_H

#include "hotline/arena.h"
#include "hotline/error.h"

#define HL_NAME_RUNES 32 /* code points of one name */
#define HL_NEAR_RUNES 4  /* code points of the shortest name that is looked for with one character wrong */

/* A text as code points; offsets has n + 1 byte offsets. */
struct hl_runes {
	uint32_t *cps, *offsets;
	size_t n;
};

/* hl_runes_read - Takes valid UTF-8 under 4 GiB. Gives false when the arena failed. Cost O(length) */
bool hl_runes_read(struct hl_slice text, struct hl_arena *arena, struct hl_runes *out_r);

struct hl_name {
	struct hl_slice text; /* tight */
	uint32_t tag;         /* reported with every hit; several names may have the same, several tags the same name */
	bool is_near;         /* also found with one character wrong, if it is long enough */
};

struct hl_names;

/* hl_names_new - borrows names. gives. Errors HL_INPUT: a name is empty or too long, *bad_r is its index; HL_NOMEM
 * Cost    O(total length * log n) */
enum hl_class hl_names_new(const struct hl_name *names, size_t n, struct hl_names **out_r, size_t *bad_r,
			   struct hl_error *err);
void hl_names_free(struct hl_names **names);

/* hl_names_bytes - memory that it holds. */
size_t hl_names_bytes(const struct hl_names *names);

/* Called for each hit; start and end are indexes of code points. */
typedef void hl_name_hit_fn(void *arg, uint32_t tag, size_t start, size_t end);

/* hl_names_scan - every name, those inside others too, in order of their end, of one end the longest first.
 * Cost    O(code points + hits), no allocation */
void hl_names_scan(const struct hl_names *names, const struct hl_runes *text, hl_name_hit_fn *on_hit, void *arg);

/* hl_names_near - every is_near name that stands in the text with exactly one character wrong: another one, one
 * missing, or one doubled. Characters that tell places apart (digits, numerals, Latin letters, points of the compass,
 * old and new) are never taken for slips; of a name of four characters one of the first two may only be missing where
 * words begin. Takes   arena: scratch, 16 bytes per code point; only the first 1,000 count Gives   false when the arena
 * failed. A hit may be reported more than once. */
bool hl_names_near(const struct hl_names *names, const struct hl_runes *text, struct hl_arena *arena,
		   hl_name_hit_fn *on_hit, void *arg);

#endif
