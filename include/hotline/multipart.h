/* multipart.h - the parts of a form with files; pure, bounded, without copies
 *
 * Hand-written because nothing in Debian parses a body that lies in memory: libmicrohttpd's parser wants its own
 * server, GMime is a mail program. Browsers write one form of it, and that is what is read; anything else is malformed.
 * Limits: no preamble, no nested parts, no transfer encodings, no continued header lines; a head of 1 KiB and 8 lines.
 * Source  RFC 7578, RFC 2046 section 5.1
 */
#ifndef HOTLINE_MULTIPART_H
#define HOTLINE_MULTIPART_H

#include "hotline/slice.h"

struct hl_multipart {
	struct hl_slice boundary, rest; /* rest: behind the delimiter that was read last */
	bool has_begun;
};

struct hl_part {
	struct hl_slice name, bytes;
	bool is_file; /* its head has a filename; what name it is does not matter */
};

enum hl_part_found { HL_PART_END, HL_PART_FOUND, HL_PART_BAD };

/* hl_multipart_begin - false: the Content-Type is not multipart/form-data, or has no boundary of 1 to 70 characters. */
bool hl_multipart_begin(struct hl_multipart *m, struct hl_slice content_type, struct hl_slice body);
/* hl_multipart_next - the next part; slices point into the body.
 * Cost    O(bytes of the part) */
enum hl_part_found hl_multipart_next(struct hl_multipart *m, struct hl_part *part_r);

#endif
