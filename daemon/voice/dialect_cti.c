/* dialect_cti.c - what an operator's telephone tells of the calls that reach it
 *
 * Pure. Forms with event, callId, from, to, direction come; nothing is asked, nothing is told. Numbers come without
 * plus. Source: sipgate.io push API: newCall, answer, hangup (read 2026-11)
 */
#include "voice/dialect_parts.h"

#include <string.h>

static const struct voice_word events[] = {
	{"newCall", HL_CALL_RINGING}, {"answer", HL_CALL_ANSWERED}, {"hangup", HL_CALL_OVER}, {NULL, HL_CALL_OTHER}};

static struct hl_slice get(const struct hl_http_request *req, const char *key)
{
	struct hl_slice value;

	return hl_form_get(req->arena, req->body, key, &value) ? value : (struct hl_slice){"", 0};
}

/* In full, but without its plus. */
static struct hl_slice number(const struct hl_http_request *req, const char *key)
{
	struct hl_slice value = get(req, key);
	bool is_full = value.len > 6 && value.ptr[0] >= '1' && value.ptr[0] <= '9';

	return is_full ? hl_slice_str(hl_arena_printf(req->arena, "+%.*s", HL_SLICE_ARG(value))) : value;
}

static enum hl_class parse(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			   struct hl_call_event *e, struct hl_error *err)
{
	enum hl_class cls = voice_begin(req, subpath, e, err);

	(void)ch;
	if (cls == HL_OK)
		cls = voice_id("callId", get(req, "callId"), &e->call, err);
	e->is_direct = true;
	e->status_text = get(req, "event");
	e->status = voice_status(events, e->status_text);
	if (cls == HL_OK && e->status == HL_CALL_STATUS_NONE)
		cls = hl_fail(err, HL_INPUT, "event: must be given");
	e->from = number(req, "from");
	e->to = number(req, "to");
	e->is_out = hl_slice_eq_str(get(req, "direction"), "out");
	return cls;
}

static void render(const struct hl_line_script *s, struct hl_buf *out)
{
	(void)s;
	(void)out; /* a telephone asks nothing */
}

const struct hl_dialect hl_dialect_cti = {
	.name = "cti",
	.content_type = "text/xml",
	.parse = parse,
	.render = render,
	.nothing = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>",
};
