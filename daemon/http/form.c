/* form.c - percent-encoding and application/x-www-form-urlencoded texts; pure
 *
 * Owns nothing: results live in the caller's arena or buffer. Must not know charsets;
 * a decoded value may hold any byte.
 * Source: RFC 3986 section 2, WHATWG URL standard section 5.1 (but a bad escape is refused, not kept).
 */
#include "http/parser_internal.h"

/* Decodes the character at *pos and moves *pos behind it; -1 for a bad escape. */
static int next_byte(struct hl_slice s, bool plus_is_blank, size_t *pos)
{
	char c = s.ptr[(*pos)++];
	int high, low;

	if (c == '+' && plus_is_blank)
		return ' ';
	if (c != '%')
		return (unsigned char)c;
	if (s.len - *pos < 2)
		return -1;
	high = hl_hex_value(s.ptr[*pos]);
	low = hl_hex_value(s.ptr[*pos + 1]);
	*pos += 2;
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool hl_url_decode(struct hl_arena *arena, struct hl_slice s, bool plus_is_blank, struct hl_slice *out_r)
{
	char *out = hl_arena_alloc(arena, s.len + 1);
	size_t n = 0;

	if (!out)
		return false;
	for (size_t pos = 0; pos < s.len;) {
		int byte = next_byte(s, plus_is_blank, &pos);

		if (byte < 0)
			return false;
		out[n++] = (char)byte;
	}
	*out_r = (struct hl_slice){out, n};
	return true;
}

/* Compares without decoding into memory: a form may have many other keys. */
static bool is_key(struct hl_slice encoded, struct hl_slice key)
{
	size_t n = 0;

	for (size_t pos = 0; pos < encoded.len; n++) {
		int byte = next_byte(encoded, true, &pos);

		if (byte < 0 || n == key.len || (unsigned char)key.ptr[n] != byte)
			return false;
	}
	return n == key.len;
}

bool hl_form_get(struct hl_arena *arena, struct hl_slice form, const char *key, struct hl_slice *value_r)
{
	struct hl_slice pair, name, value;

	while (form.len > 0) {
		hl_slice_cut(form, '&', &pair, &form);
		hl_slice_cut(pair, '=', &name, &value);
		if (pair.len > 0 && is_key(name, hl_slice_str(key)))
			return hl_url_decode(arena, value, true, value_r);
	}
	return false;
}

static bool is_unreserved(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

void hl_url_encode(struct hl_buf *out, struct hl_slice s)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (is_unreserved(s.ptr[i]))
			hl_buf_add_char(out, s.ptr[i]);
		else
			hl_buf_add(out, (struct hl_slice){(char[]){'%', digits[c >> 4], digits[c & 15]}, 3});
	}
}
