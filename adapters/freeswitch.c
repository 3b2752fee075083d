/* freeswitch.c - FreeSWITCH with mod_httapi: calls only
 *
 *   calls     POST /hook/NAME/SECRET/voice, forms                        (daemon/voice/dialect_httapi.c)
 *
 *   rings     POST call_url?originate ..., Basic login of mod_xml_rpc
 *
 * Signs nothing: the secret stands in the path. mod_httapi does not check certificates unless told to and follows
 * redirects: run it on the host of the gateway or beside it, and set `allow`.
 * Source: freeswitch src/mod/applications/mod_httapi (read 2026-11)
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

static const char *const paths[] = {"/voice", NULL};
static const struct hl_option options[] = {
	{"call_url", "", NULL,
	 .help = "where calls to officers are ordered (http://HOST:PORT/webapi/bgapi); empty = none are made"},
	{"tts_engine", "flite", NULL, .help = "module that speaks"},
	{"tts_voice", "kal", NULL, .help = "its voice"},
	{"gateway", "user/", NULL,
	 .help = "what stands before a number that is dialled, such as sofia/gateway/county/"},
	{NULL},
};

extern const struct hl_provider hl_provider_freeswitch;
const struct hl_provider hl_provider_freeswitch = {
	.name = "freeswitch",
	.needs_secret = true,
	.has_path_token = true,
	.options = options,
	.paths = paths,
	.voice = "httapi",
	.methods = "POST",
	.ack_type = "text/xml",
	.ack_body = "",
	.verify = verify,
};
