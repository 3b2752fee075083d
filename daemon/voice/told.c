/* told.c - an event as the database keeps it (contract in op.h)
 *
 * Owns the keys under which events are known when they come again. Limits: none of its own.
 */
#include "hotline/text.h"
#include "voice/dialect_parts.h"
#include "voice/op.h"

static void add_event(json_t *list, const char *kind, const char *key, json_t *data)
{
	json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "kind", kind, "key", key, "data", data));
}

/* What the history keeps of an event; its key is the same when it comes again. */
static json_t *events_of(const struct op *op)
{
	const struct hl_call_event *e = &op->event;
	const char *status = hl_call_status_name(e->status);
	json_t *list = json_array();

	if (e->kind == HL_CALL_ASKS && e->flow.step < 0)
		add_event(list, "ringing", "ringing", json_object());
	if (e->kind == HL_CALL_ASKS && e->flow.step >= 0)
		add_event(list, "step", hl_arena_printf(op->arena, "step:%d", e->flow.step),
			  json_pack("{s:i, s:s%}", "step", e->flow.step, "keys",
				    e->flow.digits.ptr ? e->flow.digits.ptr : "",
				    e->flow.digits.len == 1 ? e->flow.digits.len : (size_t)0));
	if (e->is_direct && !voice_is_over(e->status))
		add_event(list, "cti", hl_arena_printf(op->arena, "cti:%s", status), json_object());
	else if (e->kind == HL_CALL_STATUS && e->status == HL_CALL_RINGING)
		add_event(list, "ringing", "ringing", json_object());
	if (e->kind == HL_CALL_WHISPER)
		add_event(list, "answered", "operator", json_object());
	if (voice_is_over(e->status))
		add_event(list, "ended", "ended", json_pack("{s:s}", "status", status));
	if (e->recording.id.len > 0 && e->kind != HL_CALL_TRANSCRIPT)
		add_event(list, "recording",
			  hl_arena_printf(op->arena, "recording:%.*s", HL_SLICE_ARG(e->recording.id)),
			  json_pack("{s:i}", "seconds", e->recording.seconds));
	if (e->kind == HL_CALL_TRANSCRIPT)
		add_event(list, "transcript",
			  hl_arena_printf(op->arena, "transcript:%.*s", HL_SLICE_ARG(e->recording.id)),
			  json_pack("{s:b, s:f}", "failed", e->transcript.is_failed, "confidence",
				    e->transcript.confidence));
	return list;
}

static json_t *clean(const struct op *op, struct hl_slice text)
{
	struct hl_slice good = hl_text_decode(op->arena, text, "UTF-8");

	return json_stringn(good.ptr ? good.ptr : "", good.len);
}

json_t *op_look_args(const struct op *op, int64_t listen_us)
{
	const struct hl_call_event *e = &op->event;
	const struct hl_refdata *ref = *op->calls->setup.refdata;
	json_t *args =
		json_pack("{s:s, s:o, s:s, s:b, s:o, s:o, s:o, s:I}", "channel", op->channel->channel.name, "call",
			  clean(op, e->call), "direction", e->is_out ? "out" : "in", "landline",
			  !hl_flow_is_mobile(ref->flow, op->phone), "to", clean(op, e->to), "events", events_of(op),
			  "digits", clean(op, e->flow.digits.len > 1 ? e->flow.digits : (struct hl_slice){"", 0}),
			  "listen_us", (json_int_t)listen_us);

	if (args && e->attempt)
		json_object_set_new(args, "attempt", json_integer((json_int_t)e->attempt));
	if (args && op->phone.len > 0)
		json_object_set_new(args, "phone", clean(op, op->phone));
	if (args && e->recording.id.len > 0 && e->recording.seconds != 0) {
		json_t *recording =
			json_pack("{s:o, s:o}", "ext", clean(op, e->recording.id), "url", clean(op, e->recording.url));

		if (op->kept)
			json_object_update(recording, op->kept);
		if (e->recording.seconds >= 0)
			json_object_set_new(recording, "seconds", json_integer(e->recording.seconds));
		json_object_set_new(args, "recording", recording);
	}
	return args;
}
