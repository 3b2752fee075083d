/* transcript.h - what is asked of a transcription and what it answers; pure */
#ifndef HOTLINE_TRANSCRIPT_H
#define HOTLINE_TRANSCRIPT_H

#include "hotline/arena.h"
#include "hotline/buf.h"

#define HL_TRANSCRIPT_TYPE "multipart/form-data; boundary=hotline-recording-boundary"

/* hl_transcript_body - the form: file, model, response_format, and language when it is known ("zh-CN" is told as zh).
 * Source: platform.openai.com/docs/api-reference/audio/createTranscription (read 2026-11) */
void hl_transcript_body(struct hl_buf *out, const char *model, const char *lang, struct hl_slice type,
			struct hl_slice sound);

enum hl_transcript_next { HL_TRANSCRIPT_TAKE, HL_TRANSCRIPT_LATER, HL_TRANSCRIPT_NEVER };
/* hl_transcript_read - what an answer says.
 * Gives   TAKE with text (in the arena) and confidence from 0 to 1, -1 when it does not tell; silence is an empty text.
 *         NEVER: the endpoint refuses this file; LATER: anything that may mend itself, an account not let in too */
enum hl_transcript_next hl_transcript_read(int status, struct hl_slice body, struct hl_arena *arena,
					   struct hl_slice *text_r, double *confidence_r);

#endif
