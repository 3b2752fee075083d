/* dialect_twiml.c - TwiML and its cousins: Twilio, SignalWire (LaML), Telnyx (TeXML)
 *
 * Pure. A form comes, XML goes. What is said before keys are gathered stands inside Gather, so that a caller may press
 * without hearing it out; a Redirect behind Gather and Record brings back the caller who did nothing.
 * Telnyx writes transcription where the others write transcribe; that is all that differs here.
 * Source: twilio.com/docs/voice/twiml, twilio-python tests/unit/twiml, developers.telnyx.com TeXML, SignalWire LaML
 *         (read 2026-11)
 */
#include "voice/dialect_parts.h"

#include <stdlib.h>
#include <string.h>

static const struct voice_word statuses[] = {
	{"queued", HL_CALL_RINGING},       {"initiated", HL_CALL_RINGING}, {"ringing", HL_CALL_RINGING},
	{"in-progress", HL_CALL_ANSWERED}, {"answered", HL_CALL_ANSWERED}, {"completed", HL_CALL_OVER},
	{"canceled", HL_CALL_OVER},        {"busy", HL_CALL_BUSY},         {"no-answer", HL_CALL_NO_ANSWER},
	{"failed", HL_CALL_FAILED},        {NULL, HL_CALL_OTHER},
};

/* ---- what comes in ------------------------------------------------------------ */

static struct hl_slice get(const struct hl_http_request *req, const char *key)
{
	bool is_get = hl_slice_eq_str(req->method, "GET");
	struct hl_slice value;

	return hl_form_get(req->arena, is_get ? req->query : req->body, key, &value) ? value : (struct hl_slice){"", 0};
}

static int whole_seconds(struct hl_slice text)
{
	uint64_t n;

	return hl_slice_u64(text, &n) && n < 100000 ? (int)n : -1;
}

static enum hl_class read_recording(const struct hl_http_request *req, struct hl_call_event *e, struct hl_error *err)
{
	struct hl_slice url = voice_url(get(req, "RecordingUrl")), id = get(req, "RecordingSid");

	if (url.len == 0 && e->kind != HL_CALL_TRANSCRIPT)
		return HL_OK;
	e->recording.url = url;
	e->recording.type = get(req, "RecordingType"); /* none of them tells one: WAV */
	e->recording.seconds = whole_seconds(get(req, "RecordingDuration"));
	/* TeXML and older LaML number recordings by their URL alone. */
	if (id.len == 0 && url.len > VOICE_ID_BYTES_MAX)
		id = (struct hl_slice){url.ptr + url.len - VOICE_ID_BYTES_MAX, VOICE_ID_BYTES_MAX};
	return voice_id("RecordingSid", id.len ? id : url, &e->recording.id, err);
}

static void read_transcript(const struct hl_http_request *req, struct hl_call_event *e)
{
	struct hl_slice text = get(req, "TranscriptionText"), status = get(req, "TranscriptionStatus"),
			confidence = get(req, "Confidence");

	if (e->kind != HL_CALL_TRANSCRIPT)
		return;
	e->transcript.text =
		text.len <= VOICE_TEXT_BYTES_MAX ? text : (struct hl_slice){text.ptr, VOICE_TEXT_BYTES_MAX};
	e->transcript.is_failed = hl_slice_eq_nocase(status, "failed") || text.len == 0;
	if (confidence.len > 0 && confidence.len < 16)
		e->transcript.confidence = strtod(hl_arena_strdup(req->arena, confidence), NULL);
}

/* What the flow hears: the dialled leg's end, a recording, or keys. */
static void read_flow(const struct hl_http_request *req, struct hl_call_event *e)
{
	struct hl_slice dial = get(req, "DialCallStatus"), digits = voice_keys(get(req, "Digits"));

	e->flow.digits = digits;
	if (dial.len > 0) {
		enum hl_call_status status = voice_status(statuses, dial);

		e->flow.kind = HL_FLOW_DIALED;
		e->flow.is_talked = status == HL_CALL_ANSWERED || hl_slice_eq_str(dial, "completed");
	} else if (e->recording.id.len > 0) {
		e->flow.kind = HL_FLOW_RECORDED;
		e->flow.has_sound = e->recording.seconds != 0;
	} else if (digits.len > 0) {
		e->flow.kind = HL_FLOW_DIGITS;
	}
}

static enum hl_class parse(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			   struct hl_call_event *e, struct hl_error *err)
{
	enum hl_class cls = voice_begin(req, subpath, e, err);
	struct hl_slice parent, by;

	(void)ch;
	parent = get(req, "ParentCallSid");
	/* The operator's leg speaks for the caller's. */
	if (cls == HL_OK)
		cls = voice_id("CallSid", e->kind == HL_CALL_WHISPER && parent.len ? parent : get(req, "CallSid"),
			       &e->call, err);
	if (cls == HL_OK)
		cls = read_recording(req, e, err);
	e->from = get(req, "From");
	e->to = get(req, "To");
	e->is_out = hl_slice_has_prefix(get(req, "Direction"), "outbound");
	e->status_text = get(req, "CallStatus");
	e->status = voice_status(statuses, e->status_text);
	by = get(req, "AnsweredBy");
	e->is_machine = by.len > 0 && !hl_slice_eq_str(by, "human") && !hl_slice_eq_str(by, "unknown");
	read_transcript(req, e);
	read_flow(req, e);
	return cls;
}

/* ---- what goes out ------------------------------------------------------------- */

static void put(struct hl_buf *out, const char *name, const char *value)
{
	hl_buf_printf(out, " %s=\"", name);
	voice_xml(out, value);
	hl_buf_add_char(out, '"');
}

static void put_number(struct hl_buf *out, const char *name, unsigned value)
{
	hl_buf_printf(out, " %s=\"%u\"", name, value);
}

static void say(const struct hl_line_script *s, const char *text, struct hl_buf *out)
{
	hl_buf_add_str(out, "<Say");
	put(out, "language", s->lang);
	hl_buf_add_char(out, '>');
	voice_xml(out, text);
	hl_buf_add_str(out, "</Say>");
}

static void redirect(const struct hl_line_script *s, struct hl_buf *out)
{
	hl_buf_add_str(out, "<Redirect method=\"POST\">");
	voice_xml(out, voice_step_url(s));
	hl_buf_add_str(out, "</Redirect>");
}

static void open_gather(const struct hl_line_script *s, const struct hl_line_step *step, struct hl_buf *out)
{
	hl_buf_add_str(out, "<Gather input=\"dtmf\" method=\"POST\"");
	put(out, "action", voice_step_url(s));
	put_number(out, "numDigits", step->n_digits);
	put_number(out, "timeout", step->timeout_s);
	put(out, "finishOnKey", step->finish);
	hl_buf_add_char(out, '>');
}

static void record(const struct hl_line_script *s, const struct hl_line_step *step, struct hl_buf *out)
{
	bool is_telnyx = strcmp(s->channel->provider, "telnyx") == 0;

	hl_buf_add_str(out, "<Record method=\"POST\" playBeep=\"true\"");
	put(out, "action", voice_step_url(s));
	put_number(out, "maxLength", step->max_s);
	put_number(out, "timeout", step->timeout_s);
	put(out, "finishOnKey", step->finish);
	put(out, "recordingStatusCallback", hl_arena_printf(s->arena, "%s/recording", s->base));
	if (s->has_transcripts) {
		put(out, is_telnyx ? "transcription" : "transcribe", "true");
		put(out, is_telnyx ? "transcriptionCallback" : "transcribeCallback",
		    hl_arena_printf(s->arena, "%s/transcript", s->base));
	}
	hl_buf_add_str(out, "/>");
}

static void dial(const struct hl_line_script *s, const struct hl_line_step *step, struct hl_buf *out)
{
	hl_buf_add_str(out, "<Dial method=\"POST\"");
	put(out, "action", voice_step_url(s));
	put_number(out, "timeout", step->timeout_s);
	if (s->channel->from.len)
		put(out, "callerId", hl_arena_strdup(s->arena, s->channel->from));
	hl_buf_add_char(out, '>');
	for (size_t i = 0; i < s->n_phones; i++) {
		hl_buf_add_str(out, "<Number method=\"POST\"");
		put(out, "url", hl_arena_printf(s->arena, "%s/whisper", s->base));
		hl_buf_add_char(out, '>');
		voice_xml(out, s->phones[i]);
		hl_buf_add_str(out, "</Number>");
	}
	hl_buf_add_str(out, "</Dial>");
}

static void render(const struct hl_line_script *s, struct hl_buf *out)
{
	const struct hl_line_step *last = s->n_steps ? &s->steps[s->n_steps - 1] : NULL;
	bool is_gather = last && last->verb == HL_LINE_GATHER;

	hl_buf_add_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>");
	if (is_gather)
		open_gather(s, last, out);
	for (size_t i = 0; i < s->n_steps; i++)
		if (s->steps[i].verb == HL_LINE_SAY)
			say(s, s->steps[i].text, out);
	if (is_gather)
		hl_buf_add_str(out, "</Gather>");
	else if (last && last->verb == HL_LINE_RECORD)
		record(s, last, out);
	else if (last && last->verb == HL_LINE_DIAL)
		dial(s, last, out);
	else if (last && last->verb == HL_LINE_WAIT)
		hl_buf_printf(out, "<Pause length=\"%u\"/>", last->timeout_s);
	else if (last && last->verb == HL_LINE_HANGUP)
		hl_buf_add_str(out, "<Hangup/>");
	if (is_gather || (last && (last->verb == HL_LINE_RECORD || last->verb == HL_LINE_WAIT)))
		redirect(s, out);
	hl_buf_add_str(out, "</Response>");
}

/* ---- calls that we make ---------------------------------------------------------- */

static void field(struct hl_buf *out, const char *key, struct hl_slice value)
{
	hl_buf_printf(out, "%s%s=", out->len ? "&" : "", key);
	hl_url_encode(out, value);
}

static enum hl_class order(const struct hl_channel *ch, const struct hl_line_order *o, struct hl_arena *arena,
			   struct hl_request *out, struct hl_error *err)
{
	unsigned long long attempt = o->attempt;
	struct hl_slice password = ch->password.len || !ch->n_secrets ? ch->password : ch->secrets[0].value;
	struct hl_buf body;

	hl_buf_init(&body, VOICE_TEXT_BYTES_MAX);
	field(&body, "To", o->to);
	field(&body, "From", ch->from);
	field(&body, "Url", hl_slice_str(hl_arena_printf(arena, "%s?a=%llu", o->base, attempt)));
	field(&body, "Method", HL_LIT("POST"));
	field(&body, "StatusCallback", hl_slice_str(hl_arena_printf(arena, "%s/status?a=%llu", o->base, attempt)));
	field(&body, "StatusCallbackEvent", HL_LIT("completed"));
	field(&body, "Timeout", hl_slice_str(hl_arena_printf(arena, "%u", o->timeout_s)));
	field(&body, "MachineDetection", HL_LIT("Enable"));
	return voice_post(arena, o->url, "application/x-www-form-urlencoded",
			  voice_basic(arena, ch->username, password), &body, out, err);
}

static void ordered(const struct hl_channel *ch, const struct hl_line_order *o, int status, struct hl_slice body,
		    struct hl_arena *arena, struct hl_answer *out)
{
	(void)ch;
	(void)o;
	voice_ordered(status, voice_json_id(arena, body, "sid"), arena, out);
}

const struct hl_dialect hl_dialect_twiml = {
	.name = "twiml",
	.content_type = "text/xml",
	.parse = parse,
	.render = render,
	.nothing = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>",
	.order = order,
	.ordered = ordered,
};
