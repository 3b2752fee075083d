/* segments.h - how many SMS a text costs; pure
 * Source: 3GPP TS 23.038 (GSM 7-bit default alphabet and extension), 23.040 (concatenation: 153 / 67 per part). */
#ifndef HOTLINE_SEGMENTS_H
#define HOTLINE_SEGMENTS_H

#include "hotline/slice.h"

struct hl_segments {
	bool is_gsm7; /* else UCS-2 */
	size_t units; /* septets (extension characters count 2) or UTF-16 units */
	size_t parts; /* 0 for an empty text */
};

/* hl_segments_plan - Takes: text (valid UTF-8), signature the provider will put in front, without its 【】, which are
 * counted too (empty when it is ours and in the text).
 * A surrogate pair or an escape pair is never split: a part may hold 66 units. Cost O(len). */
void hl_segments_plan(struct hl_slice text, struct hl_slice provider_signature, struct hl_segments *out_r);

#endif
