/* talk_replay.h (private to daemon/ctl) - a transcript that is being replayed */
#ifndef CTL_TALK_REPLAY_H
#define CTL_TALK_REPLAY_H

#include "ctl.h"

#include <libpq-fe.h>

#define SAID_MAX 8

struct said {
	char phone[24];
	const char *text; /* in the arena */
	bool has_photo;
};

struct replay {
	struct ctl *ctl;
	PGconn *conn;
	const struct hl_refdata *ref;
	const char *path;
	unsigned line, n_messages, n_wrong;
	struct hl_arena arena;
	int64_t first_case, last_notice;
	struct said said[SAID_MAX];
	size_t n_said;
	json_t *sms; /* since the last action: [{to, template, text, is_named}] */
};

/* replay_ask - the first field of a query with up to two parameters, in the arena; NULL after an error was said. */
const char *replay_ask(struct replay *r, const char *sql, const char *one, const char *two);
/* replay_call - a flow function. takes args. */
json_t *replay_call(struct replay *r, const char *function, json_t *args);
/* replay_find_phone - "resident 3", "FIR", "FIR.deputy", "+8610000000001". */
bool replay_find_phone(struct replay *r, const char *who, char *out, size_t out_bytes);
/* replay_go_on - decides on contexts as the daemon does, and shows what comes of it. */
bool replay_go_on(struct replay *r, const json_t *contexts);
/* replay_photo - "photo WHO", "upload WHO" (talk_photo.c). */
bool replay_photo(struct replay *r, const char *line);

#endif
