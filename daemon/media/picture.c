/* picture.c - decode, turn upright, make smaller, encode anew (contract in hotline/picture.h)
 *
 * libjpeg-turbo and libpng do the work; both are told the limits before they allocate. A JPEG is made smaller while it
 * is decoded (the DCT gives eighths for nothing), a PNG by averaging whole blocks of pixels.
 */
#include "hotline/picture.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#define SIDE_MAX        4096  /* of what is kept: a number plate stays readable */
#define SIDE_READ_MAX   30000 /* of what is read */
#define JPEG_PIXELS_MAX (64u * 1000 * 1000)
#define PNG_PIXELS_MAX  (24u * 1000 * 1000)
#define QUALITY         85
#define BYTES_PER_PIXEL 3

struct pixels {
	unsigned char *rgb; /* malloc */
	unsigned width, height;
};

static size_t bytes_of(unsigned width, unsigned height)
{
	return (size_t)width * height * BYTES_PER_PIXEL;
}

static enum hl_class check_size(unsigned width, unsigned height, unsigned pixels_max, struct hl_error *err)
{
	if (width == 0 || height == 0)
		return hl_fail(err, HL_INPUT, "a picture without pixels");
	if (width > SIDE_READ_MAX || height > SIDE_READ_MAX || (uint64_t)width * height > pixels_max)
		return hl_fail(err, HL_INPUT, "%u x %u pixels are more than are read", width, height);
	return HL_OK;
}

/* ---- JPEG ----------------------------------------------------------------- */

/* The largest of the decoder's fractions with which no side is too long; the smallest one always fits what is read. */
static tjscalingfactor factor_for(unsigned width, unsigned height)
{
	int n;
	const tjscalingfactor *all = tjGetScalingFactors(&n);
	tjscalingfactor best = {1, 8};
	int longest = (int)(width > height ? width : height);

	for (int i = 0; i < n; i++)
		if (all[i].num <= all[i].denom && TJSCALED(longest, all[i]) <= SIDE_MAX &&
		    all[i].num * best.denom > best.num * all[i].denom)
			best = all[i];
	return best;
}

static enum hl_class decode_jpeg(tjhandle reader, struct hl_slice bytes, struct pixels *out_r, struct hl_error *err)
{
	const unsigned char *jpeg = (const unsigned char *)bytes.ptr;
	int width, height, sampling, colours;
	tjscalingfactor factor;
	enum hl_class cls;

	if (tjDecompressHeader3(reader, jpeg, bytes.len, &width, &height, &sampling, &colours) != 0)
		return hl_fail(err, HL_INPUT, "a broken JPEG: %s", tjGetErrorStr2(reader));
	cls = check_size((unsigned)width, (unsigned)height, JPEG_PIXELS_MAX, err);
	if (cls != HL_OK)
		return cls;
	factor = factor_for((unsigned)width, (unsigned)height);
	out_r->width = (unsigned)TJSCALED(width, factor);
	out_r->height = (unsigned)TJSCALED(height, factor);
	out_r->rgb = malloc(bytes_of(out_r->width, out_r->height));
	if (!out_r->rgb)
		return hl_fail(err, HL_NOMEM, "out of memory");
	/* Phones cut files short now and then: what there is of a picture is better evidence than none. */
	if (tjDecompress2(reader, jpeg, bytes.len, out_r->rgb, (int)out_r->width, 0, (int)out_r->height, TJPF_RGB,
			  TJFLAG_LIMITSCANS) != 0 &&
	    tjGetErrorCode(reader) != TJERR_WARNING)
		return hl_fail(err, HL_INPUT, "a broken JPEG: %s", tjGetErrorStr2(reader));
	return HL_OK;
}

static enum hl_class read_jpeg(struct hl_slice bytes, struct pixels *out_r, struct hl_error *err)
{
	tjhandle reader = tjInitDecompress();
	enum hl_class cls;

	if (!reader)
		return hl_fail(err, HL_NOMEM, "out of memory");
	cls = decode_jpeg(reader, bytes, out_r, err);
	tjDestroy(reader);
	return cls;
}

/* ---- PNG ------------------------------------------------------------------ */

static enum hl_class decode_png(png_image *png, struct hl_slice bytes, struct pixels *out_r, struct hl_error *err)
{
	const png_color white = {255, 255, 255};
	enum hl_class cls;

	if (!png_image_begin_read_from_memory(png, bytes.ptr, bytes.len))
		return hl_fail(err, HL_INPUT, "a broken PNG: %s", png->message);
	cls = check_size(png->width, png->height, PNG_PIXELS_MAX, err);
	if (cls != HL_OK)
		return cls;
	png->format = PNG_FORMAT_RGB;
	out_r->width = png->width;
	out_r->height = png->height;
	out_r->rgb = malloc(bytes_of(out_r->width, out_r->height));
	if (!out_r->rgb)
		return hl_fail(err, HL_NOMEM, "out of memory");
	if (!png_image_finish_read(png, &white, out_r->rgb, 0, NULL))
		return hl_fail(err, HL_INPUT, "a broken PNG: %s", png->message);
	return HL_OK;
}

static void average(const struct pixels *from, unsigned by, unsigned x, unsigned y, unsigned char *out)
{
	unsigned sum[BYTES_PER_PIXEL] = {0};

	for (unsigned dy = 0; dy < by; dy++)
		for (unsigned dx = 0; dx < by; dx++) {
			const unsigned char *p =
				from->rgb + bytes_of(from->width, y * by + dy) + bytes_of(x * by + dx, 1);

			for (unsigned c = 0; c < BYTES_PER_PIXEL; c++)
				sum[c] += p[c];
		}
	for (unsigned c = 0; c < BYTES_PER_PIXEL; c++)
		out[c] = (unsigned char)(sum[c] / (by * by));
}

/* Blocks of by x by pixels become one, in place: what is written lies before what is still to be read. */
static void shrink(struct pixels *p)
{
	unsigned longest = p->width > p->height ? p->width : p->height, by = (longest + SIDE_MAX - 1) / SIDE_MAX;
	unsigned width = p->width / by, height = p->height / by;

	if (by == 1)
		return;
	width += width == 0;
	height += height == 0;
	if (p->width < by || p->height < by) { /* a line: its ends are cut rather than averaged */
		width = p->width < SIDE_MAX ? p->width : SIDE_MAX;
		height = p->height < SIDE_MAX ? p->height : SIDE_MAX;
		for (unsigned y = 0; y < height; y++)
			memmove(p->rgb + bytes_of(width, y), p->rgb + bytes_of(p->width, y), bytes_of(width, 1));
	} else {
		for (unsigned y = 0; y < height; y++)
			for (unsigned x = 0; x < width; x++)
				average(p, by, x, y, p->rgb + bytes_of(width, y) + bytes_of(x, 1));
	}
	p->width = width;
	p->height = height;
}

static enum hl_class read_png(struct hl_slice bytes, struct pixels *out_r, struct hl_error *err)
{
	png_image png = {.version = PNG_IMAGE_VERSION};
	enum hl_class cls = decode_png(&png, bytes, out_r, err);

	png_image_free(&png);
	if (cls == HL_OK)
		shrink(out_r);
	return cls;
}

/* ---- upright -------------------------------------------------------------- */

/* Where the pixel (x, y) of the upright picture lies in the stored one, by orientation 1 to 8: mirrored sides, and
 * whether rows are columns. */
static const struct turn {
	bool swaps, flips_x, flips_y;
} turns[9] = {
	[1] = {false, false, false}, [2] = {false, true, false}, [3] = {false, true, true}, [4] = {false, false, true},
	[5] = {true, false, false},  [6] = {true, false, true},  [7] = {true, true, true},  [8] = {true, true, false},
};

static bool set_upright(struct pixels *p, int orientation)
{
	const struct turn *t = &turns[orientation];
	unsigned width = t->swaps ? p->height : p->width, height = t->swaps ? p->width : p->height;
	unsigned char *rgb, *out;

	if (orientation == 1)
		return true;
	rgb = malloc(bytes_of(width, height));
	if (!rgb)
		return false;
	out = rgb;
	for (unsigned y = 0; y < height; y++)
		for (unsigned x = 0; x < width; x++, out += BYTES_PER_PIXEL) {
			unsigned from_x = t->swaps ? y : x, from_y = t->swaps ? x : y;

			from_x = t->flips_x ? p->width - 1 - from_x : from_x;
			from_y = t->flips_y ? p->height - 1 - from_y : from_y;
			memcpy(out, p->rgb + bytes_of(p->width, from_y) + bytes_of(from_x, 1), BYTES_PER_PIXEL);
		}
	free(p->rgb);
	*p = (struct pixels){.rgb = rgb, .width = width, .height = height};
	return true;
}

/* ---- the whole way -------------------------------------------------------- */

static enum hl_class encode(const struct pixels *p, struct hl_picture *out_r, struct hl_error *err)
{
	tjhandle writer = tjInitCompress();
	unsigned long bytes = 0;
	bool is_done = writer && tjCompress2(writer, p->rgb, (int)p->width, 0, (int)p->height, TJPF_RGB, &out_r->jpeg,
					     &bytes, TJSAMP_420, QUALITY, TJFLAG_ACCURATEDCT) == 0;

	out_r->bytes = bytes;
	out_r->width = p->width;
	out_r->height = p->height;
	if (writer)
		tjDestroy(writer);
	return is_done ? HL_OK : hl_fail(err, HL_NOMEM, "out of memory");
}

enum hl_class hl_picture_clean(struct hl_slice bytes, struct hl_picture *out_r, struct hl_error *err)
{
	struct pixels p = {0};
	enum hl_class cls;

	*out_r = (struct hl_picture){0};
	if (bytes.len >= 3 && memcmp(bytes.ptr, "\xff\xd8\xff", 3) == 0)
		cls = read_jpeg(bytes, &p, err);
	else if (bytes.len >= 8 && memcmp(bytes.ptr, "\x89PNG\r\n\x1a\n", 8) == 0)
		cls = read_png(bytes, &p, err);
	else
		cls = hl_fail(err, HL_INPUT, "neither a JPEG nor a PNG picture");
	if (cls == HL_OK && bytes.ptr[0] == '\xff' && !set_upright(&p, hl_exif_orientation(bytes)))
		cls = hl_fail(err, HL_NOMEM, "out of memory");
	if (cls == HL_OK)
		cls = encode(&p, out_r, err);
	free(p.rgb);
	if (cls != HL_OK)
		hl_picture_free(out_r);
	return cls;
}

void hl_picture_free(struct hl_picture *picture)
{
	tjFree(picture->jpeg);
	*picture = (struct hl_picture){0};
}
