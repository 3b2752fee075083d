/* multipart.h (private to daemon/voice) - parts of a multipart/form-data body */
#ifndef VOICE_MULTIPART_H
#define VOICE_MULTIPART_H

#include "hotline/slice.h"

#include <stdio.h>

struct hl_part {
	struct hl_slice name, filename, type, body; /* in the body that was read */
};

/* hl_multipart_parts - Takes the value of Content-Type and the body. Gives at most max parts.
 * Errors  false: no boundary, one that does not hold, more parts than max, an end that is missing
 * Cost    O(body) */
bool hl_multipart_parts(struct hl_slice type, struct hl_slice body, struct hl_part *parts, size_t max, size_t *n_r);

#endif
