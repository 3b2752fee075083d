/* picture.h - a stranger's picture becomes a clean one; pure
 *
 * JPEG or PNG in, JPEG out: decoded, turned upright as EXIF says, made smaller when a side is longer than 4096, and
 * encoded anew. Nothing but pixels comes through: no metadata, no second file behind the first.
 * Limits: the announced size is judged before anything is decoded: at most 64 megapixels (PNG: 24), a side at most
 * 30000; a progressive JPEG has at most 100 scans; CMYK is not read. Animated PNG: its first picture.
 */
#ifndef HOTLINE_PICTURE_H
#define HOTLINE_PICTURE_H

#include "hotline/error.h"
#include "hotline/slice.h"

struct hl_picture {
	unsigned char *jpeg; /* gives: hl_picture_free */
	size_t bytes;
	unsigned width, height;
};

/* hl_picture_clean - Errors HL_INPUT: neither JPEG nor PNG, broken, or over a limit; HL_NOMEM.
 * Cost  about 60 ms and 50 MB for 12 megapixels */
enum hl_class hl_picture_clean(struct hl_slice bytes, struct hl_picture *out_r, struct hl_error *err);
void hl_picture_free(struct hl_picture *picture);

/* hl_exif_orientation - 1 to 8 from the EXIF block of a JPEG; 1 when there is none or it makes no sense.
 * Source  Exif 2.32 section 4.6, TIFF 6.0 section 2 */
int hl_exif_orientation(struct hl_slice jpeg);

#endif
