/* multipart.c - the parts of a multipart/form-data body (contract in multipart.h)
 *
 * Hand-written: jansson, libevent and libcurl write such bodies but read none. Pure.
 * Source: RFC 7578, RFC 2046 section 5.1
 */
#include "voice/multipart.h"

#include <string.h>

#define BOUNDARY_MAX 70 /* RFC 2046 */

/* The value of a parameter like boundary=x or name="x" in a header's value. */
static struct hl_slice param_of(struct hl_slice value, const char *name)
{
	struct hl_slice rest = value, part;
	size_t n = strlen(name);

	while (rest.len > 0) {
		hl_slice_cut(rest, ';', &part, &rest);
		part = hl_slice_trim(part);
		if (part.len > n && part.ptr[n] == '=' && hl_slice_eq_nocase((struct hl_slice){part.ptr, n}, name)) {
			part = (struct hl_slice){part.ptr + n + 1, part.len - n - 1};
			if (part.len >= 2 && part.ptr[0] == '"' && part.ptr[part.len - 1] == '"')
				part = (struct hl_slice){part.ptr + 1, part.len - 2};
			return part;
		}
	}
	return (struct hl_slice){"", 0};
}

static struct hl_slice after(struct hl_slice s, size_t n)
{
	return (struct hl_slice){s.ptr + n, s.len - n};
}

static void read_headers(struct hl_slice head, struct hl_part *part)
{
	struct hl_slice line, rest = head, name, value;

	while (rest.len > 0) {
		hl_slice_cut(rest, '\n', &line, &rest);
		if (!hl_slice_cut(hl_slice_trim(line), ':', &name, &value))
			continue;
		if (hl_slice_eq_nocase(name, "content-disposition")) {
			part->name = param_of(value, "name");
			part->filename = param_of(value, "filename");
		} else if (hl_slice_eq_nocase(name, "content-type")) {
			part->type = hl_slice_trim(value);
		}
	}
}

bool hl_multipart_parts(struct hl_slice type, struct hl_slice body, struct hl_part *parts, size_t max, size_t *n_r)
{
	struct hl_slice boundary = param_of(type, "boundary"), mark, rest = body;
	char text[BOUNDARY_MAX + 5];
	ptrdiff_t at;

	*n_r = 0;
	if (boundary.len == 0 || boundary.len > BOUNDARY_MAX)
		return false;
	mark = (struct hl_slice){text, (size_t)snprintf(text, sizeof(text), "--%.*s", HL_SLICE_ARG(boundary))};
	if (hl_slice_find(rest, mark) != 0)
		return false;
	rest = after(rest, mark.len);
	snprintf(text, sizeof(text), "\r\n--%.*s", HL_SLICE_ARG(boundary));
	mark = hl_slice_str(text);
	while (hl_slice_has_prefix(rest, "\r\n")) {
		ptrdiff_t head_end = hl_slice_find(rest, HL_LIT("\r\n\r\n"));

		if (head_end < 0 || *n_r == max)
			return false;
		parts[*n_r] = (struct hl_part){.name = {"", 0}};
		read_headers((struct hl_slice){rest.ptr, (size_t)head_end}, &parts[*n_r]);
		rest = after(rest, (size_t)head_end + 4);
		at = hl_slice_find(rest, mark);
		if (at < 0)
			return false;
		parts[(*n_r)++].body = (struct hl_slice){rest.ptr, (size_t)at};
		rest = after(rest, (size_t)at + mark.len);
	}
	return hl_slice_has_prefix(rest, "--");
}
