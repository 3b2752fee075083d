/* multipart.c - the parts of a form with files (contract in hotline/multipart.h). Pure. */
#include "hotline/multipart.h"

#include <string.h>

#define BOUNDARY_MAX 70
#define HEAD_MAX     1024
#define LINES_MAX    8

static struct hl_slice skip(struct hl_slice s, size_t n)
{
	return (struct hl_slice){s.ptr + n, s.len - n};
}

static bool is_boundary_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("'()+_,-./:=?", c));
}

static bool is_boundary(struct hl_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_boundary_byte(s.ptr[i]))
			return false;
	return s.len > 0 && s.len <= BOUNDARY_MAX;
}

/* Value of "; name=value" or "; name=\"value\"" in a header's value; false when it is not there. */
static bool find_parameter(struct hl_slice value, const char *name, struct hl_slice *out_r)
{
	struct hl_slice head, rest = value, key;

	hl_slice_cut(value, ';', &head, &rest);
	while (rest.len > 0) {
		hl_slice_cut(rest, '=', &key, &rest);
		rest = hl_slice_trim(rest);
		if (rest.len > 0 && rest.ptr[0] == '"') {
			if (!hl_slice_cut(skip(rest, 1), '"', out_r, &rest))
				return false;
			hl_slice_cut(rest, ';', &head, &rest);
		} else {
			hl_slice_cut(rest, ';', out_r, &rest);
			*out_r = hl_slice_trim(*out_r);
		}
		if (hl_slice_eq_nocase(hl_slice_trim(key), name))
			return true;
	}
	return false;
}

bool hl_multipart_begin(struct hl_multipart *m, struct hl_slice content_type, struct hl_slice body)
{
	struct hl_slice type, rest;

	*m = (struct hl_multipart){.rest = body};
	hl_slice_cut(content_type, ';', &type, &rest);
	return hl_slice_eq_nocase(hl_slice_trim(type), "multipart/form-data") &&
	       find_parameter(content_type, "boundary", &m->boundary) && is_boundary(m->boundary);
}

/* Where CR LF "--" boundary lies in the bytes, -1: nowhere. */
static ptrdiff_t find_delimiter(const struct hl_multipart *m, struct hl_slice s)
{
	char delimiter[4 + BOUNDARY_MAX] = "\r\n--";
	const char *at;

	memcpy(delimiter + 4, m->boundary.ptr, m->boundary.len);
	at = s.len > 0 ? memmem(s.ptr, s.len, delimiter, 4 + m->boundary.len) : NULL;
	return at ? at - s.ptr : -1;
}

static bool has_prefix(struct hl_slice s, struct hl_slice prefix)
{
	return s.len >= prefix.len && memcmp(s.ptr, prefix.ptr, prefix.len) == 0;
}

/* The first delimiter has no line before it. */
static bool begin(struct hl_multipart *m)
{
	if (!has_prefix(m->rest, HL_LIT("--")) || !has_prefix(skip(m->rest, 2), m->boundary))
		return false;
	m->rest = skip(m->rest, 2 + m->boundary.len);
	m->has_begun = true;
	return true;
}

static bool read_line(struct hl_slice line, struct hl_part *part)
{
	struct hl_slice name, value, ignored;

	if (!hl_slice_cut(line, ':', &name, &value))
		return false;
	if (!hl_slice_eq_nocase(name, "Content-Disposition"))
		return true;
	part->is_file = find_parameter(value, "filename", &ignored) || find_parameter(value, "filename*", &ignored);
	return find_parameter(value, "name", &part->name);
}

/* Gives the bytes behind the head, or a NULL slice. */
static struct hl_slice read_head(struct hl_slice s, struct hl_part *part)
{
	const struct hl_slice none = {NULL, 0};
	struct hl_slice left = {s.ptr, s.len < HEAD_MAX ? s.len : HEAD_MAX};

	for (unsigned n = 0; n <= LINES_MAX; n++) {
		const char *end = left.len > 0 ? memmem(left.ptr, left.len, "\r\n", 2) : NULL;
		struct hl_slice line = {left.ptr, end ? (size_t)(end - left.ptr) : 0};

		if (!end)
			return none;
		left = skip(left, line.len + 2);
		if (line.len == 0)
			return part->name.ptr ? skip(s, (size_t)(left.ptr - s.ptr)) : none;
		if (!read_line(line, part))
			return none;
	}
	return none;
}

enum hl_part_found hl_multipart_next(struct hl_multipart *m, struct hl_part *part_r)
{
	struct hl_slice bytes;
	ptrdiff_t end;

	*part_r = (struct hl_part){.is_file = false};
	if (!m->has_begun && !begin(m))
		return HL_PART_BAD;
	if (has_prefix(m->rest, HL_LIT("--")))
		return HL_PART_END;
	if (!has_prefix(m->rest, HL_LIT("\r\n")))
		return HL_PART_BAD;
	bytes = read_head(skip(m->rest, 2), part_r);
	if (!bytes.ptr)
		return HL_PART_BAD;
	/* An empty part has its delimiter right behind the head's empty line, whose CR LF is then also the delimiter's.
	 */
	bytes = (struct hl_slice){bytes.ptr - 2, bytes.len + 2};
	end = find_delimiter(m, bytes);
	if (end < 0)
		return HL_PART_BAD;
	part_r->bytes =
		end == 0 ? (struct hl_slice){bytes.ptr + 2, 0} : (struct hl_slice){bytes.ptr + 2, (size_t)end - 2};
	m->rest = skip(bytes, (size_t)end + 4 + m->boundary.len);
	return HL_PART_FOUND;
}
