/* dialect_jambonz.c - jambonz: JSON comes, an array of verbs goes
 *
 * Pure. jambonz has no verb that records a message: where the flow records, the caller's speech is gathered and comes
 * back as text in the answer to that very step, with how sure the recogniser is. So there is no sound to listen to; an
 * operator hears of doubtful words by the case that waits for him.
 * Source: jambonz docs (webhooks overview, gather, dial, say, redirect), jambonz-feature-server (read 2026-11)
 */
#include "voice/dialect_parts.h"

#include <jansson.h>
#include <string.h>

static const struct voice_word statuses[] = {
	{"trying", HL_CALL_RINGING},      {"ringing", HL_CALL_RINGING},
	{"early-media", HL_CALL_RINGING}, {"in-progress", HL_CALL_ANSWERED},
	{"completed", HL_CALL_OVER},      {"failed", HL_CALL_FAILED},
	{"busy", HL_CALL_BUSY},           {"no-answer", HL_CALL_NO_ANSWER},
	{"queued", HL_CALL_RINGING},      {NULL, HL_CALL_OTHER},
};

/* ---- what comes in ------------------------------------------------------------ */

static struct hl_slice text_of(struct hl_arena *arena, const json_t *doc, const char *key)
{
	const json_t *value = json_object_get(doc, key);

	if (!json_is_string(value))
		return (struct hl_slice){"", 0};
	return hl_arena_dup(arena, (struct hl_slice){json_string_value(value), json_string_length(value)});
}

static void read_speech(const struct hl_http_request *req, const json_t *doc, struct hl_call_event *e)
{
	const json_t *best = json_array_get(json_object_get(json_object_get(doc, "speech"), "alternatives"), 0);
	const json_t *confidence = json_object_get(best, "confidence");

	if (!best)
		return;
	e->transcript.text = text_of(req->arena, best, "transcript");
	if (e->transcript.text.len > VOICE_TEXT_BYTES_MAX)
		e->transcript.text.len = VOICE_TEXT_BYTES_MAX;
	if (json_is_number(confidence))
		e->transcript.confidence = json_number_value(confidence);
	e->recording.id = hl_slice_str(hl_arena_printf(req->arena, "speech-%d", e->flow.step));
}

static void read_flow(const struct hl_http_request *req, const json_t *doc, struct hl_call_event *e)
{
	struct hl_slice dial = text_of(req->arena, doc, "dial_call_status");

	e->flow.digits = voice_keys(text_of(req->arena, doc, "digits"));
	read_speech(req, doc, e);
	if (dial.len > 0) {
		enum hl_call_status status = voice_status(statuses, dial);

		e->flow.kind = HL_FLOW_DIALED;
		e->flow.is_talked = status == HL_CALL_ANSWERED || hl_slice_eq_str(dial, "completed");
	} else if (e->recording.id.len > 0) {
		e->flow.kind = HL_FLOW_RECORDED;
		e->flow.has_sound = e->transcript.text.len > 0;
	} else if (e->flow.digits.len > 0) {
		e->flow.kind = HL_FLOW_DIGITS;
	}
}

static enum hl_class parse(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			   struct hl_call_event *e, struct hl_error *err)
{
	json_t *doc = json_loadb(req->body.ptr ? req->body.ptr : "", req->body.len, 0, NULL);
	enum hl_class cls = voice_begin(req, subpath, e, err);
	struct hl_slice parent;

	(void)ch;
	if (cls == HL_OK && !json_is_object(doc))
		cls = hl_fail(err, HL_INPUT, "body: must be a JSON object");
	parent = text_of(req->arena, doc, "parent_call_sid");
	if (cls == HL_OK)
		cls = voice_id("call_sid",
			       e->kind == HL_CALL_WHISPER && parent.len ? parent : text_of(req->arena, doc, "call_sid"),
			       &e->call, err);
	e->from = text_of(req->arena, doc, "from");
	e->to = text_of(req->arena, doc, "to");
	e->is_out = hl_slice_eq_str(text_of(req->arena, doc, "direction"), "outbound");
	e->status_text = text_of(req->arena, doc, "call_status");
	e->status = voice_status(statuses, e->status_text);
	if (cls == HL_OK)
		read_flow(req, doc, e);
	json_decref(doc);
	return cls;
}

/* ---- what goes out ------------------------------------------------------------- */

static json_t *say(const struct hl_line_script *s, const char *text)
{
	return json_pack("{s:s, s:s, s:{s:s}}", "verb", "say", "text", text, "synthesizer", "language", s->lang);
}

static json_t *gather(const struct hl_line_script *s, const struct hl_line_step *step)
{
	json_t *verb = json_pack("{s:s, s:s, s:[s], s:i, s:i, s:b}", "verb", "gather", "actionHook", voice_step_url(s),
				 "input", "digits", "numDigits", (int)step->n_digits, "timeout", (int)step->timeout_s,
				 "dtmfBargein", true);

	if (step->finish[0])
		json_object_set_new(verb, "finishOnKey", json_string(step->finish));
	return verb;
}

static json_t *hear(const struct hl_line_script *s, const struct hl_line_step *step)
{
	return json_pack("{s:s, s:s, s:[s, s], s:i, s:i, s:{s:s}, s:b}", "verb", "gather", "actionHook",
			 voice_step_url(s), "input", "speech", "digits", "numDigits", 1, "timeout",
			 (int)step->timeout_s, "recognizer", "language", s->lang, "bargein", false);
}

static json_t *dial(const struct hl_line_script *s, const struct hl_line_step *step)
{
	json_t *targets = json_array();

	for (size_t i = 0; i < s->n_phones; i++)
		json_array_append_new(targets, json_pack("{s:s, s:s}", "type", "phone", "number", s->phones[i]));
	return json_pack("{s:s, s:s, s:s, s:s%, s:i, s:o}", "verb", "dial", "actionHook", voice_step_url(s),
			 "confirmHook", hl_arena_printf(s->arena, "%s/whisper", s->base), "callerId",
			 s->channel->from.ptr ? s->channel->from.ptr : "", s->channel->from.len, "timeout",
			 (int)step->timeout_s, "target", targets);
}

static void add_last(const struct hl_line_script *s, const struct hl_line_step *last, json_t *verbs)
{
	json_t *back = json_pack("{s:s, s:s}", "verb", "redirect", "actionHook", voice_step_url(s));

	if (last->verb == HL_LINE_GATHER)
		json_array_append_new(verbs, gather(s, last));
	else if (last->verb == HL_LINE_RECORD)
		json_array_append_new(verbs, hear(s, last));
	else if (last->verb == HL_LINE_DIAL)
		json_array_append_new(verbs, dial(s, last));
	else if (last->verb == HL_LINE_WAIT)
		json_array_append_new(verbs, json_pack("{s:s, s:i}", "verb", "pause", "length", (int)last->timeout_s));
	else if (last->verb == HL_LINE_HANGUP)
		json_array_append_new(verbs, json_pack("{s:s}", "verb", "hangup"));
	if (last->verb == HL_LINE_GATHER || last->verb == HL_LINE_RECORD || last->verb == HL_LINE_WAIT)
		json_array_append(verbs, back);
	json_decref(back);
}

static int add_bytes(const char *bytes, size_t n, void *out)
{
	hl_buf_add(out, (struct hl_slice){bytes, n});
	return 0;
}

static void render(const struct hl_line_script *s, struct hl_buf *out)
{
	json_t *verbs = json_array();

	for (size_t i = 0; i < s->n_steps; i++)
		if (s->steps[i].verb == HL_LINE_SAY)
			json_array_append_new(verbs, say(s, s->steps[i].text));
		else
			add_last(s, &s->steps[i], verbs);
	if (json_dump_callback(verbs, add_bytes, out, JSON_COMPACT) != 0)
		out->failed = true;
	json_decref(verbs);
}

/* ---- calls that we make ---------------------------------------------------------- */

static enum hl_class order(const struct hl_channel *ch, const struct hl_line_order *o, struct hl_arena *arena,
			   struct hl_request *out, struct hl_error *err)
{
	unsigned long long attempt = o->attempt;
	json_t *doc = json_pack("{s:s%, s:{s:s, s:s%}, s:{s:s, s:s}, s:{s:s, s:s}, s:i}", "from",
				ch->from.ptr ? ch->from.ptr : "", ch->from.len, "to", "type", "phone", "number",
				o->to.ptr, o->to.len, "call_hook", "url",
				hl_arena_printf(arena, "%s?a=%llu", o->base, attempt), "method", "POST",
				"call_status_hook", "url", hl_arena_printf(arena, "%s/status?a=%llu", o->base, attempt),
				"method", "POST", "timeout", (int)o->timeout_s);
	struct hl_buf body;

	hl_buf_init(&body, VOICE_TEXT_BYTES_MAX);
	if (!doc || json_dump_callback(doc, add_bytes, &body, JSON_COMPACT) != 0)
		body.failed = true;
	json_decref(doc);
	return voice_post(arena, o->url, "application/json",
			  hl_slice_str(hl_arena_printf(arena, "Bearer %.*s", HL_SLICE_ARG(ch->password))), &body, out,
			  err);
}

static void ordered(const struct hl_channel *ch, const struct hl_line_order *o, int status, struct hl_slice body,
		    struct hl_arena *arena, struct hl_answer *out)
{
	(void)ch;
	(void)o;
	voice_ordered(status, voice_json_id(arena, body, "sid"), arena, out);
}

const struct hl_dialect hl_dialect_jambonz = {
	.name = "jambonz",
	.content_type = "application/json",
	.parse = parse,
	.render = render,
	.nothing = "[]",
	.order = order,
	.ordered = ordered,
};
