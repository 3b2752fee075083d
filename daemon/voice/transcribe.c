/* transcribe.c - the jobs that have recordings written down (contract in hotline/transcribe.h)
 *
 * Owns the jobs this daemon has leased, AT_ONCE at most, and an HTTP client of its own: a slow endpoint takes no text's
 * place. What an answer means is transcript.c's, how often it is tried the database's.
 * Limits: a recording is read whole into memory while it is sent, 32 MiB at most.
 */
#include "hotline/transcribe.h"

#include "hotline/item.h"
#include "hotline/log.h"
#include "hotline/media.h"
#include "hotline/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define AT_ONCE           2
#define ARENA_BYTES       (1u << 20)
#define FORM_BYTES        4096
#define REPLY_MAX_BYTES   (1u << 20)
#define PATH_BYTES        4096
#define CONFIDENCE_ENOUGH 0.6

struct job {
	TAILQ_ENTRY(job) link;
	struct hl_transcriber *t;
	json_t *row;
	struct hl_arena arena;
	struct hl_http_op *asking;
	bool is_storing; /* with the intake, which cannot be cancelled */
};

struct hl_transcriber {
	struct hl_transcriber_setup setup;
	struct hl_http_client *client;
	TAILQ_HEAD(, job) jobs;
	unsigned n_jobs, n_calls;
	bool is_looking, is_stopped;
};

static const char *text_of(const json_t *doc, const char *key)
{
	const char *text = json_string_value(json_object_get(doc, key));

	return text ? text : "";
}

static int64_t db_deadline_us(const struct hl_transcriber *t)
{
	return t->setup.config->db_deadline_ms * HL_US_PER_MS;
}

static void free_job(struct job *job)
{
	TAILQ_REMOVE(&job->t->jobs, job, link);
	job->t->n_jobs--;
	hl_http_cancel(&job->asking);
	hl_arena_fini(&job->arena);
	json_decref(job->row);
	free(job);
}

/* ---- what came of it ------------------------------------------------------------ */

static void on_done(void *arg, const struct hl_pg_result *r)
{
	struct hl_transcriber *t = arg;

	t->n_calls--;
	if (r->cls != HL_OK)
		hl_log(HL_WARN, "transcript.not_settled", HL_STR("class", hl_class_name(r->cls)),
		       HL_STR("why", r->text));
	t->setup.on_committed(t->setup.arg);
	hl_transcriber_pulse(t);
}

/* Tells the store and ends the job. takes args. */
static void finish(struct job *job, const char *function, json_t *args)
{
	struct hl_transcriber *t = job->t;

	if (hl_store_submit_json(&t->setup.store, function, args, HL_PG_IDEMPOTENT, db_deadline_us(t), on_done, t) ==
	    HL_OK)
		t->n_calls++;
	free_job(job);
}

/* Ends the job. message 0: none; why NULL: it was read. */
static void settle(struct job *job, int64_t message, const char *why)
{
	json_t *args = json_pack("{s:O}", "recording", json_object_get(job->row, "recording"));

	if (message)
		json_object_set_new(args, "message", json_integer(message));
	if (why)
		json_object_set_new(args, "why", json_string(why));
	hl_log(HL_INFO, "transcript.settled",
	       HL_INT("recording", json_integer_value(json_object_get(job->row, "recording"))),
	       HL_STR("why", why ? why : "read"));
	finish(job, "recording_done", args);
}

static void on_stored(void *arg, const struct hl_intake_result *r)
{
	struct job *job = arg;

	if (r->cls != HL_OK)
		free_job(job); /* its lease runs out, and it is asked again */
	else
		settle(job, r->message,
		       !r->message                     ? "set aside"
		       : text_of(job->row, "phone")[0] ? NULL
						       : "number withheld");
}

static void take(struct job *job, struct hl_slice text, double confidence)
{
	struct hl_transcriber *t = job->t;
	struct hl_heard heard = {
		.recording = json_integer_value(json_object_get(job->row, "recording")),
		.phone = hl_slice_str(text_of(job->row, "phone")),
		.text = text,
		.is_emergency = strcmp(text_of(job->row, "urgency"), "emergency") == 0,
		.is_doubtful = confidence >= 0 && confidence < CONFIDENCE_ENOUGH,
	};
	json_t *item;

	if (hl_text_is_blank(text)) {
		settle(job, 0, "nothing could be heard");
		return;
	}
	item = hl_intake_heard(*t->setup.refdata, text_of(job->row, "channel"), t->setup.config->region_country, &heard,
			       &job->arena, hl_case_clock_now(t->setup.clock));
	job->is_storing = true;
	if (!item || hl_intake_submit(t->setup.intake, item, on_stored, job) != HL_OK)
		free_job(job);
}

static void on_answer(void *arg, const struct hl_http_result *r)
{
	struct job *job = arg;
	struct hl_slice text = {"", 0};
	double confidence = -1;
	enum hl_transcript_next next = r->cls == HL_OK
					       ? hl_transcript_read(r->status, r->body, &job->arena, &text, &confidence)
					       : HL_TRANSCRIPT_LATER;

	if (next == HL_TRANSCRIPT_TAKE) {
		take(job, text, confidence);
	} else if (next == HL_TRANSCRIPT_NEVER) {
		settle(job, 0, "the transcription refused it");
	} else {
		hl_log(HL_WARN, "transcript.failed", HL_INT("status", r->status),
		       HL_STR("class", hl_class_name(r->cls)), HL_STR("why", r->cls == HL_OK ? "-" : r->text));
		finish(job, "transcript_later",
		       json_pack("{s:O}", "recording", json_object_get(job->row, "recording")));
	}
}

/* ---- asking ------------------------------------------------------------------------ */

static bool read_file(const char *path, struct hl_buf *out)
{
	FILE *f = fopen(path, "rb");
	char chunk[16384];
	size_t n;

	if (!f)
		return false;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		hl_buf_add(out, (struct hl_slice){chunk, n});
	n = (size_t)ferror(f);
	fclose(f);
	return n == 0 && !hl_buf_failed(out);
}

static bool post(struct job *job, struct hl_slice sound)
{
	const struct hl_config *c = job->t->setup.config;
	struct hl_slice key = c->transcribe_key;
	struct hl_http_header headers[] = {
		{HL_LIT("Content-Type"), HL_LIT(HL_TRANSCRIPT_TYPE)},
		{HL_LIT("Authorization"), hl_slice_str(hl_arena_printf(&job->arena, "Bearer %.*s", HL_SLICE_ARG(key)))},
	};
	struct hl_http_call call = {.url = c->transcribe_url,
				    .headers = headers,
				    .n_headers = key.len ? 2 : 1,
				    .deadline_us = c->transcribe_ms * HL_US_PER_MS,
				    .max_reply_bytes = REPLY_MAX_BYTES};
	struct hl_buf form;
	bool is_sent;

	hl_buf_init(&form, sound.len + FORM_BYTES);
	hl_transcript_body(&form, c->transcribe_model, text_of(job->row, "lang"),
			   hl_slice_str(text_of(job->row, "type")), sound);
	call.body = hl_buf_slice(&form);
	is_sent = !hl_buf_failed(&form) && hl_http_submit(job->t->client, &call, on_answer, job, &job->asking) == HL_OK;
	hl_buf_fini(&form);
	return is_sent;
}

static void ask(struct hl_transcriber *t, json_t *row)
{
	struct job *job = calloc(1, sizeof(*job));
	struct hl_buf path, sound;

	if (!job)
		return; /* its lease runs out */
	*job = (struct job){.t = t, .row = json_incref(row)};
	hl_arena_init(&job->arena, ARENA_BYTES);
	TAILQ_INSERT_TAIL(&t->jobs, job, link);
	t->n_jobs++;
	hl_buf_init(&path, PATH_BYTES);
	hl_buf_init(&sound, hl_media_max_bytes(HL_MEDIA_RECORDING));
	hl_media_path(&path, t->setup.config->media_dir, hl_slice_str(text_of(row, "sha256")),
		      hl_slice_str(text_of(row, "type")));
	if (!read_file(hl_buf_str(&path), &sound))
		settle(job, 0, "the file cannot be read");
	else if (!post(job, hl_buf_slice(&sound)))
		free_job(job);
	hl_buf_fini(&path);
	hl_buf_fini(&sound);
}

static void on_due(void *arg, const struct hl_pg_result *r)
{
	struct hl_transcriber *t = arg;
	json_t *reply = r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL, *row;
	size_t i;

	t->n_calls--;
	t->is_looking = false;
	if (json_integer_value(json_object_get(reply, "given_up")) > 0)
		t->setup.on_committed(t->setup.arg);
	json_array_foreach (json_object_get(reply, "jobs"), i, row)
		if (!t->is_stopped)
			ask(t, row);
	json_decref(reply);
}

/* Channels whose platform writes nothing down. */
static json_t *channels(const struct hl_config *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n_channels; i++)
		if (c->channels[i].ops->voice &&
		    strcmp(hl_channel_setting(&c->channels[i].channel, "transcripts"), "provider") != 0)
			json_array_append_new(list, json_string(c->channels[i].channel.name));
	return list;
}

void hl_transcriber_pulse(struct hl_transcriber *t)
{
	const struct hl_config *c = t->setup.config;
	json_t *args;

	if (!c->transcribe_url[0] || t->is_looking || t->is_stopped || t->n_jobs >= AT_ONCE || !*t->setup.refdata ||
	    !t->setup.store.is_ready(t->setup.store.ctx))
		return;
	args = json_pack("{s:i, s:I, s:o}", "limit", (int)(AT_ONCE - t->n_jobs), "lease_us",
			 (json_int_t)(c->transcribe_ms * HL_US_PER_MS + 4 * db_deadline_us(t)), "channels",
			 channels(c));
	if (hl_store_submit_json(&t->setup.store, "transcripts_due", args, 0, db_deadline_us(t), on_due, t) == HL_OK) {
		t->is_looking = true;
		t->n_calls++;
	}
}

/* ---- life ---------------------------------------------------------------------------- */

struct hl_transcriber *hl_transcriber_new(const struct hl_transcriber_setup *setup)
{
	struct hl_transcriber *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->setup = *setup;
	TAILQ_INIT(&t->jobs);
	t->client = hl_http_client_new(setup->loop, AT_ONCE);
	if (!t->client)
		hl_transcriber_free(&t);
	return t;
}

void hl_transcriber_stop(struct hl_transcriber *t)
{
	struct job *job, *next;

	t->is_stopped = true;
	for (job = TAILQ_FIRST(&t->jobs); job; job = next) {
		next = TAILQ_NEXT(job, link);
		if (!job->is_storing)
			free_job(job);
	}
}

unsigned hl_transcriber_outstanding(const struct hl_transcriber *t)
{
	return t->n_jobs + t->n_calls;
}

void hl_transcriber_free(struct hl_transcriber **tp)
{
	struct hl_transcriber *t = *tp;
	struct job *job;

	if (!t)
		return;
	*tp = NULL;
	while ((job = TAILQ_FIRST(&t->jobs)))
		free_job(job);
	hl_http_client_free(&t->client);
	free(t);
}
