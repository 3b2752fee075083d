/* voice.h - the dialects in which telephone platforms speak HTTP: what they tell, and what they are told to do
 *
 * A dialect is a pure file in daemon/voice: it reads a request into one event and writes what the line does as bytes.
 * Who may call is verified by the channel's adapter, before. What follows from an event is flow.h's.
 *
 *   path below /hook/NAME   who asks                             answer
 *   /voice                  a call, or its flow's next step      what to do
 *   /voice/status           where a call has got to              empty
 *   /voice/recording        a recording lies ready               empty
 *   /voice/transcript       what a recording says                empty
 *   /voice/whisper          the operator's leg, before it talks  what he hears
 */
#ifndef HOTLINE_VOICE_H
#define HOTLINE_VOICE_H

#include "hotline/flow.h"
#include "hotline/provider.h"

#define HL_VOICE_PHONES_MAX 8

enum hl_call_event_kind {
	HL_CALL_ASKS,
	HL_CALL_STATUS,
	HL_CALL_RECORDING,
	HL_CALL_TRANSCRIPT,
	HL_CALL_WHISPER,
};

enum hl_call_status {
	HL_CALL_STATUS_NONE,
	HL_CALL_RINGING,
	HL_CALL_ANSWERED,
	HL_CALL_OVER,
	HL_CALL_BUSY,
	HL_CALL_NO_ANSWER,
	HL_CALL_FAILED,
	HL_CALL_OTHER, /* a word we do not know: logged, no effect */
};

/* What a platform tells. Slices live in the request's arena. */
struct hl_call_event {
	enum hl_call_event_kind kind;
	struct hl_slice call;     /* the platform's id; never empty */
	struct hl_slice from, to; /* as the platform spells them, or empty */
	bool is_out;              /* we rang */
	bool is_direct;           /* it rings a person: no flow is asked */
	uint64_t attempt;         /* on whose behalf, 0: it does not say */
	enum hl_call_status status;
	struct hl_slice status_text;
	bool is_machine; /* an answering machine took it */
	struct hl_flow_event flow;
	struct {
		struct hl_slice id, url, type;
		struct hl_slice bytes; /* pushed with the event; then there is no url */
		int seconds;           /* -1: not told */
	} recording;                   /* id empty: none */
	struct {
		struct hl_slice text;
		double confidence; /* 0 to 1; -1: not told */
		bool is_failed;
	} transcript;
};

/* What the line shall do, texts filled in. */
struct hl_line_script {
	const struct hl_channel *channel;
	struct hl_arena *arena;
	const char *base; /* .../hook/NAME/voice */
	const char *lang;
	int step; /* which the answer will belong to */
	const struct hl_line_step *steps;
	size_t n_steps;
	const char *phones[HL_VOICE_PHONES_MAX]; /* DIAL: all ring at once */
	size_t n_phones;
	bool has_transcripts; /* the platform writes down what is recorded */
};

/* A call that we make. */
struct hl_line_order {
	uint64_t attempt;
	struct hl_slice to; /* E.164 */
	const char *url;    /* where calls are ordered: call_url of the channel */
	const char *base;   /* .../hook/NAME/voice */
	unsigned timeout_s;
};

struct hl_dialect {
	const char *name;
	const char *content_type;
	/* HL_OK, or HL_INPUT with field and rule. */
	enum hl_class (*parse)(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			       struct hl_call_event *out, struct hl_error *err);
	void (*render)(const struct hl_line_script *script, struct hl_buf *out);
	/* What is answered where nothing is to be done. */
	const char *nothing;
	/* order - a call as one POST whose hooks name the attempt (?a=N). ordered - what the answer means; external_id
	 * is the call's. Both NULL: rings nobody. */
	enum hl_class (*order)(const struct hl_channel *ch, const struct hl_line_order *order, struct hl_arena *arena,
			       struct hl_request *out, struct hl_error *err);
	void (*ordered)(const struct hl_channel *ch, const struct hl_line_order *order, int status,
			struct hl_slice body, struct hl_arena *arena, struct hl_answer *out);
};

/* hl_dialect_find - by the name in a provider's table (provider.h); NULL if there is none. */
const struct hl_dialect *hl_dialect_find(const char *name);

/* hl_call_status_name - its word in the history. */
const char *hl_call_status_name(enum hl_call_status status);

#endif
