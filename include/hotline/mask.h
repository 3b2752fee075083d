/* mask.h - takes out of a text what names a person or leads to one, before it leaves or is learnt from; pure
 *
 * Digits (numbers, ids, rooms), number plates, words of letters and digits (accounts, addresses of mail and web), names
 * behind 我姓, 我叫, 姓名, 联系人 and the like, and the name before 先生, 女士 and the like.
 * Limits: names that simply stand in a sentence cannot be told from other words; they stay.
 */
#ifndef HOTLINE_MASK_H
#define HOTLINE_MASK_H

#include "hotline/arena.h"

/* hl_mask_private - the folded text (hl_text_fold) with # for what is masked.
 * Gives   text in the arena; the empty slice when the arena failed. Cost O(length) */
struct hl_slice hl_mask_private(struct hl_arena *arena, struct hl_slice text);

#endif
