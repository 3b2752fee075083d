/* descriptors.c - the limit of open descriptors, RLIMIT_NOFILE
 *
 * Many systems start a service with a soft limit of 1,024 below a far larger hard one; the soft one
 * is there for programs that use select(), which we do not.
 */
#include "hotline/descriptors.h"

#include <limits.h>
#include <sys/resource.h>

unsigned hl_descriptors_raise(unsigned wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	if (limit.rlim_cur < wanted) {
		struct rlimit more = {.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max,
				      .rlim_max = limit.rlim_max};

		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			limit = more;
	}
	return limit.rlim_cur < UINT_MAX ? (unsigned)limit.rlim_cur : UINT_MAX;
}
