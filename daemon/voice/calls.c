/* calls.c - requests of telephone platforms through the flow (contract in hotline/calls.h)
 *
 * Owns     a request from its parse to its answer. What it means is the dialect's, what follows the flow's, what is
 *          true the database's.
 * Limits   a call that is moved under our hands is looked at again MOVES_MAX times, then the platform may repeat.
 */
#include "hotline/calls.h"

#include "hotline/item.h"
#include "hotline/log.h"
#include "hotline/outbox.h"
#include "hotline/text.h"
#include "voice/dialect_parts.h"
#include "voice/op.h"
#include "voice/saying.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX_BYTES    1000
#define MOVES_MAX         4
#define SCRIPT_MAX_BYTES  (64u << 10)
#define CONFIDENCE_ENOUGH 0.6
#define LISTEN_SPARE_US   (3600 * HL_US_PER_S)

static void look(struct op *op);

/* ---- answers ------------------------------------------------------------------ */

static void end_op(struct op *op)
{
	op->calls->n_outstanding--;
	json_decref(op->look);
	json_decref(op->kept);
	free(op);
}

static void refuse(struct op *op, int status, const char *why)
{
	op->calls->stats.failed++;
	hl_http_reply_reason(op->x, status, why);
	end_op(op);
}

static void answer_nothing(struct op *op)
{
	hl_http_reply(op->x, 200, op->dialect->content_type, hl_slice_str(op->dialect->nothing));
	end_op(op);
}

/* The text of the notice that an outgoing call reads, "" for any other call. */
static const char *notice_text(const struct op *op)
{
	const json_t *notice = json_object_get(op->look, "notice");
	struct hl_error err = {.text = ""};
	const char *kept = "";
	struct hl_buf out;

	if (!notice)
		return "";
	hl_buf_init(&out, TEXT_MAX_BYTES);
	if (hl_notice_text(*op->calls->setup.refdata, notice, "", &out, &err) == HL_OK)
		kept = hl_arena_strdup(op->arena, hl_buf_slice(&out));
	else
		hl_log(HL_ERROR, "call.no_text", HL_STR("why", err.text));
	hl_buf_fini(&out);
	return kept;
}

static struct saying saying_of(const struct op *op)
{
	const struct hl_calls_setup *setup = &op->calls->setup;

	return (struct saying){.ref = *setup->refdata,
			       .look = op->look,
			       .hotline = op->channel->signature ? op->channel->signature : "",
			       .notice = notice_text(op),
			       .now_us = hl_case_clock_now(setup->clock)};
}

static bool has_option(const struct hl_channel *ch, const char *name, const char *value)
{
	return strcmp(hl_channel_setting(ch, name), value) == 0;
}

/* The platform hears what to do. */
static void answer_script(struct op *op)
{
	struct saying s = saying_of(op);
	struct hl_line_script script = {
		.channel = &op->channel->channel,
		.arena = op->arena,
		.base = voice_base(&op->channel->channel, op->channel->ops->has_path_token, op->arena),
		.lang = op->state.lang[0] ? op->state.lang : hl_flow_first_lang(s.ref->flow),
		.step = op->state.steps,
		.has_transcripts = has_option(&op->channel->channel, "transcripts", "provider"),
	};
	struct hl_buf out;

	if (op->event.kind == HL_CALL_WHISPER)
		saying_whisper(&s, &op->move, op->arena);
	else
		saying_fill(&s, script.lang, &op->move, op->arena);
	script.steps = op->move.steps;
	script.n_steps = op->move.n_steps;
	saying_phones(&s, &script);
	hl_buf_init(&out, SCRIPT_MAX_BYTES);
	op->dialect->render(&script, &out);
	if (hl_buf_failed(&out) || hl_arena_failed(op->arena)) {
		refuse(op, 503, "out of memory");
	} else {
		hl_http_reply(op->x, 200, op->dialect->content_type, hl_buf_slice(&out));
		end_op(op);
	}
	hl_buf_fini(&out);
}

static void answer(struct op *op)
{
	if (op->event.kind == HL_CALL_ASKS || op->event.kind == HL_CALL_WHISPER)
		answer_script(op);
	else
		answer_nothing(op);
}

/* ---- the store ------------------------------------------------------------------ */

static void submit(struct op *op, const char *function, json_t *args, hl_pg_done *done)
{
	const struct hl_calls_setup *setup = &op->calls->setup;

	if (hl_store_submit_json(&setup->store, function, args, HL_PG_IDEMPOTENT,
				 setup->config->db_deadline_ms * HL_US_PER_MS, done, op) != HL_OK)
		refuse(op, 503, "out of memory");
}

static json_t *read_answer(struct op *op, const struct hl_pg_result *r)
{
	json_t *answer_doc = r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL;

	if (answer_doc) {
		hl_case_clock_learn(op->calls->setup.clock, json_integer_value(json_object_get(answer_doc, "now")));
		return answer_doc;
	}
	hl_log(HL_WARN, "call.failed", HL_STR("channel", op->channel->channel.name),
	       HL_STR("class", hl_class_name(r->cls)), HL_STR("sqlstate", r->sqlstate), HL_STR("why", r->text));
	refuse(op, 503, "not stored, try again");
	return NULL;
}

/* ---- moving ---------------------------------------------------------------------- */

static const char *urgency_of(const struct op *op)
{
	return op->state.effects & HL_CALL_EMERGENCY ? "emergency" : "normal";
}

/* By when somebody must have looked at what has come now. */
static int64_t limit_us(const struct op *op, const char *urgency)
{
	const struct hl_refdata *ref = *op->calls->setup.refdata;
	int64_t now_us = hl_case_clock_now(op->calls->setup.clock);
	enum hl_urgency u = strcmp(urgency, "emergency") == 0 ? HL_EMERGENCY : HL_NORMAL;
	struct hl_instant by;

	return hl_review_limit(ref->limits, &ref->calendar, u, now_us, &by, NULL) == HL_OK ? by.at_us
											   : now_us + LISTEN_SPARE_US;
}

static const char *callback_reason(const struct op *op)
{
	if (op->state.is_recorded)
		return "number"; /* all that is missing is its case number */
	return op->state.is_ended ? "abandoned" : "asked";
}

static const char *outcome_of(const struct op *op)
{
	const struct hl_call_state *s = &op->state;

	if (s->effects & HL_CALL_SIGN)
		return "signed";
	if (s->effects & HL_CALL_DEPUTY)
		return "passed";
	if (s->is_talked)
		return "talked";
	if (strcmp(s->purpose, "inbound") != 0)
		return "missed";
	return s->is_recorded ? "recorded" : s->effects & HL_CALL_HEARD ? "heard" : "abandoned";
}

static void on_moved(void *arg, const struct hl_pg_result *r)
{
	struct op *op = arg;
	json_t *reply = read_answer(op, r);
	const char *result = json_string_value(json_object_get(reply, "result"));
	bool is_ok = result && strcmp(result, "ok") == 0;

	json_decref(reply);
	if (!reply)
		return;
	if (is_ok) {
		op->calls->setup.on_committed(op->calls->setup.arg);
		answer(op);
		return;
	}
	op->calls->stats.stale++;
	if (++op->n_moves < MOVES_MAX)
		look(op);
	else
		refuse(op, 503, "the call moved meanwhile, try again");
}

/* What an officer would have texted instead of pressing the key. */
static json_t *said_json(const struct op *op)
{
	const struct hl_flow *flow = (*op->calls->setup.refdata)->flow;
	const json_t *params = json_object_get(json_object_get(op->look, "notice"), "params");
	const char *code = json_string_value(json_object_get(params, "code"));
	struct hl_flow_param param = {"code", hl_slice_str(code)};
	struct hl_buf out;
	json_t *text;

	hl_buf_init(&out, TEXT_MAX_BYTES);
	hl_flow_fill(&out, hl_flow_text(flow, "sign_words", op->state.lang), &param, 1);
	text = json_string(hl_buf_str(&out));
	hl_buf_fini(&out);
	return text;
}

static void move_call(struct op *op, bool is_answered)
{
	const struct hl_refdata *ref = *op->calls->setup.refdata;
	bool is_asked = op->move.n_steps > 0 && op->move.steps[op->move.n_steps - 1].verb == HL_LINE_DIAL;
	json_t *args =
		json_pack("{s:O, s:O, s:o, s:b, s:b}", "call", json_object_get(op->look, "call"), "version",
			  json_object_get(op->look, "version"), "state", hl_call_state_json(ref->flow, &op->state),
			  "asked", is_asked && !op->move.is_repeat, "answered", is_answered);

	if (args && op->state.is_ended)
		json_object_set_new(args, "outcome", json_string(outcome_of(op)));
	if (args && op->move.effects & HL_CALL_SIGN)
		json_object_set_new(args, "said", said_json(op));
	if (args && op->move.effects & HL_CALL_DEPUTY)
		json_object_set_new(args, "passed", json_true());
	/* A call that we made is followed by another one, not by an operator's. */
	if (args && op->move.effects & HL_CALL_CALLBACK && strcmp(op->state.purpose, "inbound") == 0)
		json_object_set_new(args, "callback",
				    json_pack("{s:s, s:s, s:I}", "reason", callback_reason(op), "urgency",
					      urgency_of(op), "due_us", (json_int_t)limit_us(op, urgency_of(op))));
	submit(op, "call_move", args, on_moved);
}

/* The flow takes what came; when the call is over with it, that as well. */
static void step(struct op *op)
{
	struct saying s = saying_of(op);
	struct hl_flow_facts facts = saying_facts(&s);
	struct hl_flow_event over = {.kind = HL_FLOW_ENDED, .step = -1};
	bool was_ended = op->state.is_ended;
	int effects = 0;

	op->move = (struct hl_flow_move){.n_steps = 0};
	/* An answering machine takes no task: as if nobody had answered. */
	if (op->event.is_machine && strcmp(op->state.purpose, "inbound") != 0)
		op->event.status = HL_CALL_OVER;
	else if (op->event.kind == HL_CALL_ASKS) {
		hl_flow_step(s.ref->flow, &facts, &op->event.flow, &op->state, &op->move);
		effects = op->move.effects;
		op->calls->stats.repeats += op->move.is_repeat;
	}
	if (op->event.recording.id.len > 0)
		op->state.is_recorded |= op->event.recording.seconds != 0;
	if (voice_is_over(op->event.status)) {
		hl_flow_step(s.ref->flow, &facts, &over, &op->state, &op->move);
		op->move.effects |= effects;
	}
	if (op->move.is_repeat && was_ended == op->state.is_ended && op->event.recording.id.len == 0)
		answer(op);
	else
		move_call(op, false);
}

/* A call that goes to a person: ringing is being asked for, whoever hangs up before the answer is owed a call. */
static void ring_person(struct op *op)
{
	op->move = (struct hl_flow_move){.n_steps = 1, .steps = {{.verb = HL_LINE_DIAL}}};
	op->state.is_talked |= op->event.status == HL_CALL_ANSWERED;
	if (voice_is_over(op->event.status))
		step(op);
	else if (op->event.status == HL_CALL_RINGING || op->event.status == HL_CALL_ANSWERED)
		move_call(op, op->event.status == HL_CALL_ANSWERED && !op->state.is_ended);
	else
		answer(op);
}

/* ---- transcripts ----------------------------------------------------------------- */

static void on_recorded(void *arg, const struct hl_pg_result *r)
{
	struct op *op = arg;
	json_t *reply = read_answer(op, r);

	if (!reply)
		return;
	json_decref(reply);
	op->calls->setup.on_committed(op->calls->setup.arg);
	if (op->event.kind == HL_CALL_ASKS)
		look(op);
	else
		answer(op);
}

static void on_stored(void *arg, const struct hl_intake_result *r)
{
	struct op *op = arg;
	json_t *args = json_pack("{s:O}", "recording", json_object_get(json_object_get(op->look, "recording"), "id"));

	if (r->cls != HL_OK) {
		json_decref(args);
		refuse(op, 503, "not stored, try again");
		return;
	}
	if (r->message)
		json_object_set_new(args, "message", json_integer(r->message));
	if (!r->message || op->phone.len == 0)
		json_object_set_new(args, "why", json_string(r->message ? "number withheld" : "set aside"));
	submit(op, "recording_done", args, on_recorded);
}

static void take_transcript(struct op *op)
{
	const json_t *recording = json_object_get(op->look, "recording");
	const char *state = json_string_value(json_object_get(recording, "state"));
	const char *urgency = json_string_value(json_object_get(recording, "urgency"));
	double confidence = op->event.transcript.confidence;
	struct hl_heard heard = {
		.recording = json_integer_value(json_object_get(recording, "id")),
		.phone = op->phone,
		.text = op->event.transcript.text,
		.is_emergency = urgency && strcmp(urgency, "emergency") == 0,
		.is_doubtful = confidence >= 0 && confidence < CONFIDENCE_ENOUGH,
	};
	const struct hl_channel *ch = &op->channel->channel;
	json_t *item;

	if (json_is_string(json_object_get(op->look, "phone")))
		heard.phone = op->phone = hl_slice_str(json_string_value(json_object_get(op->look, "phone")));
	if (!state || strcmp(state, "new") != 0) {
		answer_nothing(op);
		return;
	}
	if (op->event.transcript.is_failed || hl_text_is_blank(heard.text)) {
		submit(op, "recording_done",
		       json_pack("{s:I, s:s}", "recording", (json_int_t)heard.recording, "why",
				 "nothing could be read"),
		       on_recorded);
		return;
	}
	op->calls->stats.transcripts++;
	item = hl_intake_heard(*op->calls->setup.refdata, ch->name, ch->country, &heard, op->arena,
			       hl_case_clock_now(op->calls->setup.clock));
	if (!item || hl_intake_submit(op->calls->setup.intake, item, on_stored, op) != HL_OK)
		refuse(op, 503, "out of memory");
}

/* ---- looking ---------------------------------------------------------------------- */

/* Some platforms bring the words with the step itself: they are taken in first, so that the step may tell the number.
 */
static bool has_new_words(const struct op *op)
{
	const char *state = json_string_value(json_object_get(json_object_get(op->look, "recording"), "state"));

	return op->event.kind == HL_CALL_ASKS && op->event.transcript.text.len > 0 && state &&
	       strcmp(state, "new") == 0;
}

static void start_purpose(struct op *op)
{
	const char *direction = json_string_value(json_object_get(op->look, "direction"));

	if (!op->state.purpose[0])
		snprintf(op->state.purpose, sizeof(op->state.purpose), "%s",
			 direction && strcmp(direction, "out") == 0 ? "notice" : "inbound");
	if (!op->state.lang[0] && json_is_string(json_object_get(op->look, "lang")))
		snprintf(op->state.lang, sizeof(op->state.lang), "%s",
			 json_string_value(json_object_get(op->look, "lang")));
}

static void on_looked(void *arg, const struct hl_pg_result *r)
{
	struct op *op = arg;
	json_t *found = read_answer(op, r);
	const struct hl_refdata *ref;

	if (!found)
		return; /* and op is gone */
	ref = *op->calls->setup.refdata;
	json_decref(op->look);
	op->look = found;
	hl_call_state_read(ref->flow, json_object_get(found, "state"), &op->state);
	start_purpose(op);
	if (op->event.kind == HL_CALL_TRANSCRIPT || has_new_words(op)) {
		take_transcript(op);
	} else if (op->event.kind == HL_CALL_WHISPER) {
		op->state.is_talked = true;
		op->move = (struct hl_flow_move){.n_steps = 0};
		move_call(op, !op->state.is_ended);
	} else if (op->event.is_direct) {
		ring_person(op);
	} else if (op->event.kind == HL_CALL_ASKS || voice_is_over(op->event.status) ||
		   op->event.recording.id.len > 0) {
		step(op);
	} else {
		answer(op);
	}
}

static void look(struct op *op)
{
	submit(op, "call_look", op_look_args(op, limit_us(op, urgency_of(op))), on_looked);
}

/* Bytes that were pushed are on disk before the platform is answered. */
static void on_kept(void *arg, const struct hl_kept *kept)
{
	struct op *op = arg;

	if (kept->cls == HL_OK) {
		op->kept = json_pack("{s:s, s:s, s:I}", "sha256", kept->sha256, "type", kept->type, "bytes",
				     (json_int_t)kept->bytes);
	} else if (kept->cls == HL_INPUT) {
		/* As if nothing had been said: the flow asks again, and then promises a call. */
		hl_log(HL_WARN, "call.sound_refused", HL_STR("channel", op->channel->channel.name),
		       HL_STR("why", kept->why));
		op->event.recording.seconds = 0;
		op->event.flow.has_sound = false;
	} else {
		refuse(op, 503, "not stored, try again");
		return;
	}
	look(op);
}

static void keep_sound(struct op *op)
{
	if (hl_keep(op->calls->setup.keeper, HL_MEDIA_RECORDING, op->event.recording.bytes, on_kept, op, NULL) != HL_OK)
		refuse(op, 503, "out of memory");
}

static void find_phone(struct op *op)
{
	struct hl_slice theirs = op->event.is_out ? op->event.to : op->event.from, phone;

	if (hl_phone_normalise(op->arena, theirs, op->channel->channel.country, &phone) && phone.ptr[0] == '+')
		op->phone = phone;
}

void hl_calls_take(struct hl_calls *calls, const struct hl_channel_config *channel, struct hl_http_exchange *x,
		   struct hl_slice subpath)
{
	struct hl_http_request *req = hl_http_exchange_request(x);
	const struct hl_dialect *dialect = hl_dialect_find(channel->ops->voice);
	struct hl_error err = {.text = ""};
	struct op *op;
	enum hl_class cls;

	if (!dialect || !(*calls->setup.refdata)->flow) {
		hl_http_reply_reason(x, 503, "no flow of calls was imported");
		return;
	}
	op = calloc(1, sizeof(*op));
	if (!op) {
		hl_http_reply_reason(x, 503, "out of memory");
		return;
	}
	*op = (struct op){.calls = calls, .x = x, .arena = req->arena, .channel = channel, .dialect = dialect};
	calls->n_outstanding++;
	calls->stats.events++;
	cls = dialect->parse(&channel->channel, req, subpath, &op->event, &err);
	if (cls != HL_OK) {
		hl_log(HL_WARN, "hook.refused", HL_STR("channel", channel->channel.name), HL_INT("status", 400),
		       HL_STR("reason", err.text));
		refuse(op, cls == HL_INPUT ? 400 : 503, err.text);
		return;
	}
	if (op->event.status == HL_CALL_OTHER)
		hl_log(HL_WARN, "call.unknown_status", HL_STR("channel", channel->channel.name),
		       HL_SLICE("status", op->event.status_text));
	find_phone(op);
	if (op->event.recording.bytes.len > 0)
		keep_sound(op);
	else
		look(op);
}

/* ---- life ------------------------------------------------------------------------- */

struct hl_calls *hl_calls_new(const struct hl_calls_setup *setup)
{
	struct hl_calls *calls = calloc(1, sizeof(*calls));

	if (calls)
		calls->setup = *setup;
	return calls;
}

void hl_calls_free(struct hl_calls **calls)
{
	free(*calls);
	*calls = NULL;
}

unsigned hl_calls_outstanding(const struct hl_calls *calls)
{
	return calls->n_outstanding;
}

const struct hl_calls_stats *hl_calls_stats(const struct hl_calls *calls)
{
	return &calls->stats;
}
