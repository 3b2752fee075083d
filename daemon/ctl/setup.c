/* setup.c - hotlinectl migrate: what an installation needs before it serves */
#include "ctl.h"

#include "hotline/migrate.h"

#include <stdlib.h>
#include <string.h>

/* conninfo, words or a URI, with another user: libpq takes the last of two. */
static char *with_user(const char *conninfo, const char *user)
{
	bool is_uri = strncmp(conninfo, "postgresql://", 13) == 0 || strncmp(conninfo, "postgres://", 11) == 0;
	const char *joint = !is_uri ? " " : strchr(conninfo, '?') ? "&" : "?";
	char *out = NULL;

	return asprintf(&out, "%s%suser=%s", conninfo, joint, user) < 0 ? NULL : out;
}

int cmd_migrate(struct ctl *ctl)
{
	const struct hl_config *config = ctl_config(ctl);
	const char *owner = ctl_option(ctl, "--owner"), *dir = ctl_option(ctl, "--schema");
	struct hl_migrated done;
	struct hl_error err = {.text = ""};
	char *conninfo;
	enum hl_class cls;

	if (!config)
		return CTL_FAILED;
	conninfo = with_user(config->conninfo, owner ? owner : "hotline_owner");
	cls = conninfo ? hl_migrate(conninfo, dir ? dir : "schema", config->demo_clock, &done, &err) : HL_NOMEM;
	free(conninfo);
	if (cls != HL_OK)
		return ctl_fail(ctl, "%s", err.text);
	if (ctl->as_json)
		printf("{\"migrations\":%u,\"functions\":%u}\n", done.applied, done.functions);
	else
		printf("schema: %u migrations and %u function files applied\n", done.applied, done.functions);
	return CTL_OK;
}
