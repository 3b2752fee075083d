/* dialect_httapi.c - FreeSWITCH mod_httapi: a form comes, XML work goes
 *
 * Pure. All requests of a session come to the URL that the last work named; keys come as `keys`, a recording as a part
 * attach_file:rec:<file> of a multipart form, the end as exiting=true. A bridge tells how it went by a variable that is
 * asked for behind it. FreeSWITCH signs nothing: the secret stands in the path, and the host should be the same.
 * Limits   no whisper: mod_httapi has no hook on the other leg.
 * Source: freeswitch src/mod/applications/mod_httapi (mod_httapi.c, docs/mod_httapi_doc.txt, read 2026-11)
 */
#include "voice/dialect_parts.h"
#include "voice/multipart.h"

#include <stdio.h>
#include <string.h>

#define PARTS_MAX    400
#define SILENCE_HITS 5 /* of about a second each, for each second of patience */

static const struct voice_word dispositions[] = {{"success", HL_CALL_ANSWERED},
						 {"user_busy", HL_CALL_BUSY},
						 {"no_answer", HL_CALL_NO_ANSWER},
						 {NULL, HL_CALL_FAILED}};

/* ---- what comes in ------------------------------------------------------------ */

struct request {
	const struct hl_http_request *req;
	struct hl_part *parts; /* NULL: a plain form */
	size_t n_parts;
};

static struct hl_slice get(const struct request *r, const char *key)
{
	struct hl_slice value;

	for (size_t i = 0; i < r->n_parts; i++)
		if (hl_slice_eq_str(r->parts[i].name, key))
			return r->parts[i].body;
	if (!r->parts && hl_form_get(r->req->arena, r->req->body, key, &value))
		return value;
	return (struct hl_slice){"", 0};
}

static enum hl_class read_parts(struct request *r, struct hl_error *err)
{
	struct hl_slice type = hl_http_header(r->req, "Content-Type");

	if (!hl_slice_has_prefix(type, "multipart/form-data"))
		return HL_OK;
	r->parts = hl_arena_array(r->req->arena, PARTS_MAX, sizeof(*r->parts));
	if (!r->parts)
		return hl_fail(err, HL_NOMEM, "out of memory");
	if (!hl_multipart_parts(type, r->req->body, r->parts, PARTS_MAX, &r->n_parts))
		return hl_fail(err, HL_INPUT, "body: must be a multipart form of at most %d parts", PARTS_MAX);
	return HL_OK;
}

static void read_recording(const struct request *r, struct hl_call_event *e)
{
	for (size_t i = 0; i < r->n_parts; i++) {
		const struct hl_part *p = &r->parts[i];

		if (!hl_slice_has_prefix(p->name, "attach_file:rec:"))
			continue;
		e->recording.id = hl_slice_str(hl_arena_printf(r->req->arena, "step-%d", e->flow.step));
		e->recording.bytes = p->body;
		e->recording.type = p->type;
		e->flow.kind = HL_FLOW_RECORDED;
		e->flow.has_sound = p->body.len > 0;
		if (p->body.len == 0)
			e->recording.seconds = 0;
	}
}

static enum hl_class parse(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			   struct hl_call_event *e, struct hl_error *err)
{
	struct request r = {.req = req};
	enum hl_class cls = voice_begin(req, subpath, e, err);
	struct hl_slice bridged;

	(void)ch;
	if (cls == HL_OK)
		cls = read_parts(&r, err);
	if (cls == HL_OK)
		cls = voice_id("session_id", get(&r, "session_id"), &e->call, err);
	if (cls != HL_OK)
		return cls;
	e->from = get(&r, "Caller-Caller-ID-Number");
	e->to = get(&r, "Caller-Destination-Number");
	e->is_out = hl_slice_eq_str(get(&r, "Call-Direction"), "outbound");
	e->status_text = get(&r, "exiting");
	e->status = hl_slice_eq_str(e->status_text, "true") ? HL_CALL_OVER : HL_CALL_STATUS_NONE;
	e->flow.digits = voice_keys(get(&r, "keys"));
	bridged = get(&r, "originate_disposition");
	if (bridged.len > 0) {
		e->flow.kind = HL_FLOW_DIALED;
		e->flow.is_talked = voice_status(dispositions, bridged) == HL_CALL_ANSWERED;
	} else if (e->flow.digits.len > 0) {
		e->flow.kind = HL_FLOW_DIGITS;
	}
	read_recording(&r, e);
	/* The last request only says goodbye unless it brings a recording. */
	if (e->status == HL_CALL_OVER && e->recording.id.len == 0)
		e->kind = HL_CALL_STATUS;
	return HL_OK;
}

/* ---- what goes out ------------------------------------------------------------- */

static void put(struct hl_buf *out, const char *name, const char *value)
{
	hl_buf_printf(out, " %s=\"", name);
	voice_xml(out, value);
	hl_buf_add_char(out, '"');
}

static void put_tts(const struct hl_line_script *s, struct hl_buf *out)
{
	put(out, "engine", hl_channel_setting(s->channel, "tts_engine"));
	put(out, "voice", hl_channel_setting(s->channel, "tts_voice"));
}

static void speak(const struct hl_line_script *s, const char *text, struct hl_buf *out)
{
	hl_buf_add_str(out, "<speak");
	put_tts(s, out);
	put(out, "text", text);
	hl_buf_add_str(out, "/>");
}

/* Keys are taken while the last text is spoken and for a while behind it. */
static void gather(const struct hl_line_script *s, const struct hl_line_step *step, const char *text,
		   struct hl_buf *out)
{
	hl_buf_add_str(out, "<speak");
	put_tts(s, out);
	put(out, "name", "keys");
	put(out, "action", voice_step_url(s));
	put(out, "text", text);
	hl_buf_printf(out, " input-timeout=\"%u\" digit-timeout=\"1500\"", step->timeout_s * 1000);
	put(out, "terminators", step->finish);
	hl_buf_add_char(out, '>');
	hl_buf_printf(out, "<bind strip=\"#\">~[0-9*#]{1,%u}</bind></speak>", step->n_digits);
}

static void record(const struct hl_line_script *s, const struct hl_line_step *step, struct hl_buf *out)
{
	hl_buf_add_str(out, "<record name=\"rec\" file=\"rec.wav\" beep-file=\"tone_stream://%(500,0,800)\"");
	put(out, "action", voice_step_url(s));
	hl_buf_printf(out, " limit=\"%u\" silence-hits=\"%u\">", step->max_s, step->timeout_s * SILENCE_HITS);
	for (const char *key = step->finish; *key; key++)
		hl_buf_printf(out, "<bind>%c</bind>", *key);
	hl_buf_add_str(out, "</record>");
}

static void dial(const struct hl_line_script *s, const struct hl_line_step *step, struct hl_buf *out)
{
	const char *gateway = hl_channel_setting(s->channel, "gateway");

	hl_buf_add_str(out, "<dial");
	put(out, "action", voice_step_url(s));
	hl_buf_add_char(out, '>');
	hl_buf_printf(out, "[leg_timeout=%u]", step->timeout_s);
	for (size_t i = 0; i < s->n_phones; i++) {
		hl_buf_add_str(out, i ? "," : "");
		voice_xml(out, gateway);
		voice_xml(out, s->phones[i]);
	}
	hl_buf_add_str(out, "</dial><getVariable name=\"originate_disposition\"/>");
}

static void do_last(const struct hl_line_script *s, const struct hl_line_step *last, const char *text,
		    struct hl_buf *out)
{
	if (last->verb == HL_LINE_GATHER)
		gather(s, last, text, out);
	else if (last->verb == HL_LINE_RECORD)
		record(s, last, out);
	else if (last->verb == HL_LINE_DIAL)
		dial(s, last, out);
	else if (last->verb == HL_LINE_HANGUP)
		hl_buf_add_str(out, "<hangup/>");
	else if (last->verb == HL_LINE_WAIT) {
		hl_buf_printf(out, "<pause milliseconds=\"%u\"", last->timeout_s * 1000);
		put(out, "action", voice_step_url(s));
		hl_buf_add_str(out, "/>");
	}
}

static void render(const struct hl_line_script *s, struct hl_buf *out)
{
	const struct hl_line_step *last = s->n_steps ? &s->steps[s->n_steps - 1] : NULL;
	const char *text = "";

	hl_buf_add_str(out, "<document type=\"xml/freeswitch-httapi\"><params/><work>");
	for (size_t i = 0; i < s->n_steps; i++) {
		if (s->steps[i].verb != HL_LINE_SAY)
			continue;
		/* The text right before a gather is spoken by it. */
		if (last && last->verb == HL_LINE_GATHER && i + 2 == s->n_steps)
			text = s->steps[i].text;
		else
			speak(s, s->steps[i].text, out);
	}
	if (last)
		do_last(s, last, text, out);
	hl_buf_add_str(out, "</work></document>");
}

/* ---- calls that we make ---------------------------------------------------------- */

/* mod_xml_rpc: POST .../webapi/bgapi?originate ...; the call's id is ours, so that its events are known by it. */
static enum hl_class order(const struct hl_channel *ch, const struct hl_line_order *o, struct hl_arena *arena,
			   struct hl_request *out, struct hl_error *err)
{
	unsigned long long attempt = o->attempt;
	const char *command = hl_arena_printf(arena,
					      "originate {origination_uuid=hotline-%llu,originate_timeout=%u}%s%.*s "
					      "&httapi({url=%s?a=%llu,method=post})",
					      attempt, o->timeout_s, hl_channel_setting(ch, "gateway"),
					      HL_SLICE_ARG(o->to), o->base, attempt);
	struct hl_buf url, body;
	const char *whole;

	hl_buf_init(&url, VOICE_TEXT_BYTES_MAX);
	hl_buf_init(&body, VOICE_TEXT_BYTES_MAX);
	hl_buf_printf(&url, "%s?", o->url);
	hl_url_encode(&url, hl_slice_str(command));
	whole = hl_arena_strdup(arena, hl_buf_slice(&url));
	body.failed |= hl_buf_failed(&url);
	hl_buf_fini(&url);
	return voice_post(arena, whole, "text/plain", voice_basic(arena, ch->username, ch->password), &body, out, err);
}

static void ordered(const struct hl_channel *ch, const struct hl_line_order *o, int status, struct hl_slice body,
		    struct hl_arena *arena, struct hl_answer *out)
{
	bool is_taken = hl_slice_find(body, HL_LIT("+OK")) >= 0;
	struct hl_slice id = hl_slice_str(hl_arena_printf(arena, "hotline-%llu", (unsigned long long)o->attempt));

	(void)ch;
	voice_ordered(status, is_taken ? id : (struct hl_slice){"", 0}, arena, out);
	if (status == 200 && hl_slice_find(body, HL_LIT("-ERR")) >= 0)
		out->outcome = HL_OUT_REFUSED;
}

const struct hl_dialect hl_dialect_httapi = {
	.name = "httapi",
	.content_type = "text/xml",
	.parse = parse,
	.render = render,
	.nothing = "<document type=\"xml/freeswitch-httapi\"><params/><work/></document>",
	.order = order,
	.ordered = ordered,
};
