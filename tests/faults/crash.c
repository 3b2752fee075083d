/* crash.c - ends a test build at the point that HL_CRASH_AT names (contract in hotline/crash.h)
 *
 * Owns the count of passes. Linked into the daemon of tests/faults and into nothing else.
 */
#include "hotline/crash.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CODE_OF_A_KILL 137

void hl_crash_point(const char *name)
{
	static unsigned long passes;
	const char *at = getenv("HL_CRASH_AT");
	size_t n = strlen(name);

	if (!at || strncmp(at, name, n) != 0 || (at[n] != '\0' && at[n] != ':'))
		return;
	if (++passes >= (at[n] == ':' ? strtoul(at + n + 1, NULL, 10) : 1))
		_exit(CODE_OF_A_KILL);
}
