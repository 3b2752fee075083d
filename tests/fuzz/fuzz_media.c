/* fuzz_media - a stranger's picture, and a form that brings it */
#include "hotline/error.h"
#include "hotline/multipart.h"
#include "hotline/picture.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_form(struct hl_slice type, struct hl_slice body)
{
	size_t n = 0;
	struct hl_multipart m;
	struct hl_part part;

	if (!hl_multipart_begin(&m, type, body))
		return;
	while (hl_multipart_next(&m, &part) == HL_PART_FOUND) {
		hl_assert(part.bytes.ptr >= body.ptr && part.bytes.ptr + part.bytes.len <= body.ptr + body.len);
		hl_assert(++n <= body.len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hl_slice all = {(const char *)data, size}, line, body;
	struct hl_picture p;

	/* A first line is the type of a form. */
	if (hl_slice_cut(all, '\n', &line, &body))
		read_form(line, body);
	read_form(HL_LIT("multipart/form-data; boundary=x"), all);
	hl_exif_orientation(all);
	if (size > 1u << 16)
		return 0;
	if (hl_picture_clean(all, &p, NULL) == HL_OK)
		hl_assert(p.width <= 4096 && p.height <= 4096 && p.bytes > 0);
	hl_picture_free(&p);
	return 0;
}
