/* dialect_parts.h (private to daemon/voice) - what the dialects share */
#ifndef VOICE_DIALECT_PARTS_H
#define VOICE_DIALECT_PARTS_H

#include "hotline/voice.h"

extern const struct hl_dialect hl_dialect_twiml, hl_dialect_jambonz, hl_dialect_httapi, hl_dialect_cti;

#define VOICE_ID_BYTES_MAX   128
#define VOICE_URL_BYTES_MAX  2000
#define VOICE_TEXT_BYTES_MAX 16384

/* A platform's word for where a call is; a table ends with a word of NULL. */
struct voice_word {
	const char *word;
	enum hl_call_status status;
};

/* voice_kind - by what stands below /voice. */
enum hl_call_event_kind voice_kind(struct hl_slice subpath);
/* voice_begin - event with kind, step (?n=) and defaults. Errors HL_INPUT: n is no number. */
enum hl_class voice_begin(const struct hl_http_request *req, struct hl_slice subpath, struct hl_call_event *out,
			  struct hl_error *err);
/* voice_id - an id as clean text. Errors HL_INPUT "<field>: must be 1 to 128 printable bytes". */
enum hl_class voice_id(const char *field, struct hl_slice raw, struct hl_slice *out_r, struct hl_error *err);
/* voice_status - by word; NONE when there is none. */
enum hl_call_status voice_status(const struct voice_word *words, struct hl_slice word);
/* voice_keys - the word if it is made of keys only and not too long, else empty. */
struct hl_slice voice_keys(struct hl_slice digits);
/* voice_url - a URL that may be fetched: http or https, no blanks. Else empty. */
struct hl_slice voice_url(struct hl_slice url);
/* voice_is_over - has the call ended, however? */
bool voice_is_over(enum hl_call_status status);
/* voice_xml - text as content or attribute of XML; what XML 1.0 cannot hold is left out. */
void voice_xml(struct hl_buf *out, const char *text);
/* voice_base - where a channel is called: .../hook/NAME/voice, with its secret where the path carries it. */
const char *voice_base(const struct hl_channel *ch, bool has_path_token, struct hl_arena *arena);
/* voice_basic - "Basic ..." of a login. */
struct hl_slice voice_basic(struct hl_arena *arena, const char *user, struct hl_slice password);
/* voice_post - a request in the arena. takes the body's memory. */
enum hl_class voice_post(struct hl_arena *arena, const char *url, const char *type, struct hl_slice authorization,
			 struct hl_buf *body, struct hl_request *out, struct hl_error *err);
/* voice_ordered - what an answer to an order means: only an id proves that the phone rings. */
void voice_ordered(int status, struct hl_slice id, struct hl_arena *arena, struct hl_answer *out);
/* voice_json_id - a text of a JSON answer, or empty. */
struct hl_slice voice_json_id(struct hl_arena *arena, struct hl_slice body, const char *key);
/* voice_step_url - base?n=STEP. */
const char *voice_step_url(const struct hl_line_script *s);

#endif
