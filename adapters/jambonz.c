/* jambonz.c - jambonz, an open telephone platform: calls only
 *
 *   calls     POST /hook/NAME/voice and below, JSON, signed              (daemon/voice/dialect_jambonz.c)
 *   rings     POST call_url (.../v1/Accounts/SID/Calls), JSON, API key as bearer
 *
 * Signature: header Jambonz-Signature: t=SECONDS,v1=HEX[,v1=HEX], hex HMAC-SHA256 of "SECONDS.BODY"; several v1 while
 * the secret rotates. A call is only what was sent in the last five minutes. For a GET what is signed is not sent, so
 * only POST is taken. Source: jambonz-feature-server lib/utils/base-requestor.js, node-sdk webhook tests (read 2026-11)
 */
#include <string.h>
#include "common.h"

#define SIGNED_BYTES_MAX (2 * 1024 * 1024)
#define PARTS_MAX        8

/* Does one of the v1 fit one of our secrets? Every pair is compared. */
static bool fits(const struct hl_channel *ch, struct hl_arena *arena, struct hl_slice text, struct hl_slice presented)
{
	bool ok = false;

	for (size_t i = 0; i < ch->n_secrets; i++) {
		struct hl_digest d = hl_hmac("SHA256", ch->secrets[i].value, text);

		ok |= hl_same_nocase(arena, hl_hex(arena, hl_digest_slice(&d)), presented);
	}
	return ok;
}

static enum hl_verdict verify(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			      int64_t now_us)
{
	struct hl_slice rest = hl_http_header(req, "Jambonz-Signature"), part, key, value, time = {0}, v1[PARTS_MAX];
	struct hl_buf text;
	size_t n = 0;
	bool ok = false;

	(void)subpath;
	while (rest.len) {
		hl_slice_cut(rest, ',', &part, &rest);
		if (!hl_slice_cut(hl_slice_trim(part), '=', &key, &value))
			continue;
		if (hl_slice_eq_str(key, "t"))
			time = value;
		else if (hl_slice_eq_str(key, "v1") && n < PARTS_MAX)
			v1[n++] = value;
	}
	if (!n || !hl_adapter_is_fresh(time, now_us))
		return HL_FORGED;
	hl_buf_init(&text, SIGNED_BYTES_MAX);
	hl_buf_add(&text, time);
	hl_buf_add_char(&text, '.');
	hl_buf_add(&text, req->body);
	for (size_t i = 0; i < n && !hl_buf_failed(&text); i++)
		ok |= fits(ch, req->arena, hl_buf_slice(&text), v1[i]);
	hl_buf_fini(&text);
	return ok ? HL_VERIFIED : HL_FORGED;
}

static const struct hl_option options[] = {
	{"call_url", "", NULL,
	 .help = "where calls to officers are ordered (.../v1/Accounts/SID/Calls); empty = none are made"},
	{NULL},
};
static const char *const paths[] = {"/voice", "/voice/status", "/voice/whisper", NULL};

extern const struct hl_provider hl_provider_jambonz;
const struct hl_provider hl_provider_jambonz = {
	.name = "jambonz",
	.needs_secret = true,
	.has_given_secret = true,
	.is_fresh_only = true,
	.options = options,
	.paths = paths,
	.voice = "jambonz",
	.methods = "POST",
	.ack_type = "application/json",
	.ack_body = "[]",
	.verify = verify,
};
