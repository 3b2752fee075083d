/* code.c - the check character of a notice code (contract in hotline/talk.h); pure
 *
 * Luhn modulo 32: the rightmost payload character is doubled, then every other one. The
 * database issues codes with the same rule (hl.code_of). One wrong character is always
 * found, two swapped neighbours nearly always.
 */
#include "hotline/talk.h"

#include <string.h>

#define PAYLOAD 4

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* Value of a character; outsiders count as 0, hl_code_is_valid refuses them before. */
static unsigned value_of(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (unsigned)(at - alphabet) : 0;
}

char hl_code_check(const char four[4])
{
	unsigned sum = 0;

	for (unsigned i = 0; i < PAYLOAD; i++) {
		unsigned addend = value_of(four[PAYLOAD - 1 - i]) * (i % 2 == 0 ? 2 : 1);

		sum += addend / 32 + addend % 32;
	}
	return alphabet[(32 - sum % 32) % 32];
}

bool hl_code_is_valid(struct hl_slice code)
{
	if (code.len != PAYLOAD + 1)
		return false;
	for (size_t i = 0; i < code.len; i++)
		if (code.ptr[i] == '\0' || !strchr(alphabet, code.ptr[i]))
			return false;
	return hl_code_check(code.ptr) == code.ptr[PAYLOAD];
}
