/* phone.c - a number as providers spell it to E.164, and its masked form for logs; pure
 *
 * Owns nothing. Must not know which numbers exist or who has one.
 * Limits: spelling only. A local number without area code gets the country's code
 * all the same: the result is stable for one sender, though not always dialable.
 * Source: ITU-T E.164 (11/2010) 6.2.1: at most 15 digits; read 2026-11-25.
 */
#include "hotline/error.h"
#include "hotline/text.h"

#include <string.h>

#define DIGITS_MAX        15 /* E.164 without the plus */
#define INTERNATIONAL_MIN 7
#define SHORT_CODE_MIN    3
#define SHORT_CODE_MAX    6
#define NATIONAL_MIN      9                /* digits that must follow a calling code written without plus */
#define RAW_DIGITS_MAX    (DIGITS_MAX + 4) /* "00" and a trunk "0" may stand in front */

struct digits {
	char ptr[RAW_DIGITS_MAX + 1];
	size_t len;
	bool has_plus;
};

static bool is_separator(char c)
{
	return c == ' ' || c == '-' || c == '(' || c == ')' || c == '.';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* False when anything but digits, separators and one leading plus is there, or too many digits. */
static bool collect(struct hl_slice s, struct digits *out)
{
	*out = (struct digits){0};
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (is_separator(c))
			continue;
		if (c == '+' && out->len == 0 && !out->has_plus) {
			out->has_plus = true;
			continue;
		}
		if (!is_digit(c) || out->len == RAW_DIGITS_MAX)
			return false;
		out->ptr[out->len++] = c;
	}
	return out->len > 0;
}

/* Writes +country and the national digits without the trunk prefix 0. */
static bool national(struct hl_arena *arena, const char *country, struct hl_slice number, struct hl_slice *out_r)
{
	size_t country_len = strlen(country);

	if (number.len > 0 && number.ptr[0] == '0')
		number = (struct hl_slice){number.ptr + 1, number.len - 1};
	if (country_len == 0 || number.len == 0 || country_len + number.len > DIGITS_MAX)
		return false;
	*out_r = hl_slice_str(hl_arena_printf(arena, "+%s%.*s", country, HL_SLICE_ARG(number)));
	return true;
}

/* number: digits behind the plus or 00. Some write +86 (0) 537: the trunk 0 of the home country goes. */
static bool international(struct hl_arena *arena, const char *country, struct hl_slice number, struct hl_slice *out_r)
{
	size_t country_len = strlen(country);

	if (number.len < INTERNATIONAL_MIN || number.ptr[0] == '0')
		return false;
	if (country_len > 0 && hl_slice_has_prefix(number, country))
		return national(arena, country, (struct hl_slice){number.ptr + country_len, number.len - country_len},
				out_r);
	if (number.len > DIGITS_MAX)
		return false;
	*out_r = hl_slice_str(hl_arena_printf(arena, "+%.*s", HL_SLICE_ARG(number)));
	return true;
}

static bool convert(struct hl_arena *arena, const struct digits *digits, const char *country, struct hl_slice *out_r)
{
	struct hl_slice number = {digits->ptr, digits->len};
	size_t country_len = strlen(country);

	if (digits->has_plus)
		return international(arena, country, number, out_r);
	if (hl_slice_has_prefix(number, "00"))
		return international(arena, country, (struct hl_slice){number.ptr + 2, number.len - 2}, out_r);
	if (number.len < SHORT_CODE_MIN)
		return false;
	if (number.len <= SHORT_CODE_MAX) {
		*out_r = hl_arena_dup(arena, number);
		return true;
	}
	if (country_len > 0 && hl_slice_has_prefix(number, country) && number.len - country_len >= NATIONAL_MIN)
		return international(arena, country, number, out_r);
	return national(arena, country, number, out_r);
}

bool hl_phone_normalise(struct hl_arena *arena, struct hl_slice raw, const char *country, struct hl_slice *out_r)
{
	struct hl_slice text = hl_slice_trim(hl_text_decode(arena, raw, "UTF-8"));
	struct digits digits;

	/* Folding first turns full-width digits, plus and brackets into ASCII. */
	if (collect(hl_text_fold(arena, text), &digits) && convert(arena, &digits, country ? country : "", out_r))
		return !hl_arena_failed(arena);
	*out_r = text;
	return false;
}

static bool is_number(struct hl_slice phone)
{
	size_t i = phone.len > 0 && phone.ptr[0] == '+';

	if (i == phone.len)
		return false;
	for (; i < phone.len; i++)
		if (!is_digit(phone.ptr[i]))
			return false;
	return true;
}

/* Four stars stand for what is hidden, however long: what is not a number at all may be a name, so nothing of it shows.
 */
void hl_phone_mask(struct hl_slice phone, char *out_r, size_t out_bytes)
{
	enum { TAIL = 4, HIDDEN = 4, HEAD_MAX = 8, OUT_MIN = 24 };
	size_t head;
	char *end = out_r;

	hl_assert(out_bytes >= OUT_MIN);
	if (!is_number(phone)) {
		memcpy(out_r, "****", sizeof("****"));
		return;
	}
	if (phone.len <= SHORT_CODE_MAX) {
		end = mempcpy(end, phone.ptr, phone.len);
		*end = '\0';
		return;
	}
	head = phone.len > TAIL + HIDDEN ? phone.len - TAIL - HIDDEN : 0;
	end = mempcpy(end, phone.ptr, head < HEAD_MAX ? head : HEAD_MAX);
	end = mempcpy(end, "****", HIDDEN);
	end = mempcpy(end, phone.ptr + phone.len - TAIL, TAIL);
	*end = '\0';
}
