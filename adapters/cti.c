/* cti.c - operators' telephones tell who rings: newCall, answer, hangup, as sipgate.io and exchanges like it push them
 *
 *   calls     POST /hook/NAME/SECRET/voice/status, a form                (daemon/voice/dialect_cti.c)
 *
 * Signs nothing: the secret stands in the path. Nothing is told to the telephone; who rings is seen by
 * `hotlinectl calls --live`. Source: sipgate.io push API (sipgate/sipgate.io README, read 2026-11)
 */
#include <string.h>
#include "common.h"

static enum hl_verdict verify(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			      int64_t now_us)
{
	(void)subpath;
	(void)now_us;
	return hl_adapter_token(ch, req);
}

static const char *const paths[] = {"/voice/status", NULL};

extern const struct hl_provider hl_provider_cti;
const struct hl_provider hl_provider_cti = {
	.name = "cti",
	.needs_secret = true,
	.has_path_token = true,
	.paths = paths,
	.voice = "cti",
	.methods = "POST",
	.ack_type = "text/xml",
	.ack_body = "",
	.verify = verify,
};
