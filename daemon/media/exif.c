/* exif.c - which way up a JPEG is (contract in hotline/picture.h)
 *
 * Reads the one tag that decides about pixels; all else of the block is thrown away with it. Hand-written because it
 * is forty lines: libexif would bring a parser of everything that strangers may put there.
 * Limits: the first EXIF block and its first directory; every offset is checked against the block.
 */
#include "hotline/picture.h"

#include <string.h>

#define TAG_ORIENTATION 0x0112
#define TYPE_SHORT      3
#define ENTRY_BYTES     12

struct block {
	const unsigned char *at;
	size_t len;
	bool is_little;
};

static unsigned read16(const struct block *b, size_t at)
{
	if (at + 2 > b->len)
		return 0;
	return b->is_little ? (unsigned)(b->at[at] | b->at[at + 1] << 8) : (unsigned)(b->at[at] << 8 | b->at[at + 1]);
}

static size_t read32(const struct block *b, size_t at)
{
	size_t first = read16(b, at), second = read16(b, at + 2);

	return b->is_little ? first | second << 16 : first << 16 | second;
}

static int read_directory(const struct block *b)
{
	size_t at = read32(b, 4), n = read16(b, at);
	unsigned value;

	for (size_t i = 0; i < n && at + 2 + (i + 1) * ENTRY_BYTES <= b->len; i++) {
		size_t entry = at + 2 + i * ENTRY_BYTES;

		if (read16(b, entry) != TAG_ORIENTATION || read16(b, entry + 2) != TYPE_SHORT)
			continue;
		value = read16(b, entry + 8);
		return value >= 1 && value <= 8 ? (int)value : 1;
	}
	return 1;
}

static int read_block(struct hl_slice tiff)
{
	struct block b = {.at = (const unsigned char *)tiff.ptr, .len = tiff.len};

	if (tiff.len < 8 || (memcmp(tiff.ptr, "II", 2) != 0 && memcmp(tiff.ptr, "MM", 2) != 0))
		return 1;
	b.is_little = tiff.ptr[0] == 'I';
	return read16(&b, 2) == 42 ? read_directory(&b) : 1;
}

int hl_exif_orientation(struct hl_slice jpeg)
{
	const unsigned char *b = (const unsigned char *)jpeg.ptr;
	size_t at = 2;

	while (at + 4 <= jpeg.len && b[at] == 0xff && b[at + 1] != 0xda) {
		size_t len = (size_t)b[at + 2] << 8 | b[at + 3];

		if (len < 2 || at + 2 + len > jpeg.len)
			return 1;
		if (b[at + 1] == 0xe1 && len >= 8 && memcmp(b + at + 4, "Exif\0\0", 6) == 0)
			return read_block((struct hl_slice){jpeg.ptr + at + 10, len - 8});
		at += 2 + len;
	}
	return 1;
}
