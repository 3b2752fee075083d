/* transcribe.h - recordings to words, by an OpenAI-compatible endpoint
 *
 * lease (hl.transcripts_due) -> POST file -> words through the intake of texts -> hl.recording_done. A lease that runs
 * out is taken again, each time later; after some tries, or a refusal for good, somebody must listen.
 */
#ifndef HOTLINE_TRANSCRIBE_H
#define HOTLINE_TRANSCRIBE_H

#include "hotline/clock.h"
#include "hotline/config.h"
#include "hotline/http_client.h"
#include "hotline/intake.h"
#include "hotline/refdata.h"
#include "hotline/store.h"
#include "hotline/transcript.h"

struct hl_transcriber;

struct hl_transcriber_setup {
	struct hl_loop *loop;
	struct hl_store store;
	struct hl_refdata *const *refdata;
	const struct hl_config *config;
	struct hl_case_clock *clock;
	struct hl_intake *intake;
	void (*on_committed)(void *arg);
	void *arg;
};

/* hl_transcriber_new - two recordings at once, with an HTTP client of its own. Does nothing without [voice]
 * transcribe_url. */
struct hl_transcriber *hl_transcriber_new(const struct hl_transcriber_setup *setup);
/* hl_transcriber_free - what is on its way is cancelled and done again by whoever leases it then. */
void hl_transcriber_free(struct hl_transcriber **transcriber);
/* hl_transcriber_pulse - looks for due recordings, unless it is at work. */
void hl_transcriber_pulse(struct hl_transcriber *transcriber);
void hl_transcriber_stop(struct hl_transcriber *transcriber);
unsigned hl_transcriber_outstanding(const struct hl_transcriber *transcriber);

#endif
