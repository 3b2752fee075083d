/* transcript.c - the form that asks for a transcript, and what its answer says (contract in hotline/transcript.h)
 *
 * Pure. Limits: a text longer than TEXT_MAX_BYTES is cut.
 */
#include "hotline/transcript.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#define MARK           "hotline-recording-boundary"
#define TEXT_MAX_BYTES 16384
#define NO_SPEECH      0.8

static void add_field(struct hl_buf *out, const char *name, const char *value)
{
	hl_buf_printf(out, "--" MARK "\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n", name, value);
}

void hl_transcript_body(struct hl_buf *out, const char *model, const char *lang, struct hl_slice type,
			struct hl_slice sound)
{
	const char *ending = hl_slice_eq_str(type, "audio/mpeg") ? "mp3" : "wav";
	char short_lang[4] = "";

	snprintf(short_lang, sizeof(short_lang), "%.*s", (int)strcspn(lang, "-"), lang);
	add_field(out, "model", model);
	add_field(out, "response_format", "verbose_json");
	if (short_lang[0])
		add_field(out, "language", short_lang);
	hl_buf_printf(out,
		      "--" MARK "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"recording.%s\"\r\n"
		      "Content-Type: %.*s\r\n\r\n",
		      ending, HL_SLICE_ARG(type));
	hl_buf_add(out, sound);
	hl_buf_add_str(out, "\r\n--" MARK "--\r\n");
}

/* Of the segments: how sure on average; and whether all of them are taken for no speech. */
static double read_segments(const json_t *segments, bool *is_silent_r)
{
	const json_t *one;
	double sum = 0;
	size_t i, n = 0, n_silent = 0;

	json_array_foreach (segments, i, one) {
		const json_t *log = json_object_get(one, "avg_logprob");

		n_silent += json_number_value(json_object_get(one, "no_speech_prob")) > NO_SPEECH;
		if (json_is_number(log)) {
			sum += exp(json_number_value(log));
			n++;
		}
	}
	*is_silent_r = i > 0 && n_silent == i;
	return n ? sum / (double)n : -1;
}

enum hl_transcript_next hl_transcript_read(int status, struct hl_slice body, struct hl_arena *arena,
					   struct hl_slice *text_r, double *confidence_r)
{
	json_t *doc;
	const json_t *text;
	bool is_silent;

	*text_r = (struct hl_slice){"", 0};
	*confidence_r = -1;
	if (status == 400 || status == 413 || status == 415 || status == 422)
		return HL_TRANSCRIPT_NEVER;
	if (status != 200)
		return HL_TRANSCRIPT_LATER;
	doc = json_loadb(body.ptr ? body.ptr : "", body.len, 0, NULL);
	text = json_object_get(doc, "text");
	if (!json_is_string(text)) {
		json_decref(doc);
		return HL_TRANSCRIPT_LATER;
	}
	*confidence_r = read_segments(json_object_get(doc, "segments"), &is_silent);
	if (!is_silent)
		*text_r = hl_arena_dup(arena, (struct hl_slice){json_string_value(text), json_string_length(text)});
	if (text_r->len > TEXT_MAX_BYTES)
		text_r->len = TEXT_MAX_BYTES;
	json_decref(doc);
	return HL_TRANSCRIPT_TAKE;
}
