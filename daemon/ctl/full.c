/* full.c - commands that need the heavy libraries: handed to hotlinectl-full, the program beside this one
 *
 * Drawing, workbooks and learning bring in some fifty shared libraries, which would cost every
 * other command more time than its own work. hotlinectl-full is the same program with these
 * commands in it (the Makefile links daemon/ctl/records.c and train*.c instead of this file).
 */
#include "ctl.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

static int hand_over(struct ctl *ctl)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof("-full"));

	if (n < 0)
		return ctl_fail(ctl, "cannot find where this program lies: %m");
	memcpy(path + n, "-full", sizeof("-full"));
	execv(path, ctl->all_argv);
	return ctl_fail(ctl, "%s: cannot be started: %m", path);
}

int cmd_ledger(struct ctl *ctl)
{
	return hand_over(ctl);
}

int cmd_form(struct ctl *ctl)
{
	return hand_over(ctl);
}

int cmd_train(struct ctl *ctl)
{
	return hand_over(ctl);
}
