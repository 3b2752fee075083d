/* decide.h (private) - what the officer's and the resident's half of deciding share */
#ifndef TALK_DECIDE_H
#define TALK_DECIDE_H

#include "hotline/decide.h"
#include "hotline/talk.h"

struct talk {
	const struct hl_refdata *ref;
	const json_t *ctx;
	bool is_trusted;
	struct hl_slice text;
	struct hl_arena *arena;
	int64_t now_us;
};

/* An act of this actor and verb, bound to the message. */
json_t *talk_act(const struct talk *t, const char *actor, const char *verb);
/* Adds the reply. takes params (NULL: none). Gives act again. */
json_t *talk_reply(json_t *act, const char *template, json_t *params);
/* An act that only answers. template NULL: not even that. */
json_t *talk_only_reply(const struct talk *t, const char *actor, const char *template, json_t *params);

/* The parts of officer.c that asking.c needs: parameters of replies about a task, an act on it in the state it was
 * seen. */
json_t *talk_task_params(const json_t *task);
json_t *talk_on_task(const struct talk *t, const char *verb, const json_t *task);
/* Hand-back, more time, assistance. */
json_t *talk_ask_operator(const struct talk *t, const struct hl_said *said, const json_t *task);

json_t *talk_decide_officer(const struct talk *t);
json_t *talk_decide_resident(const struct talk *t);
/* The rest of the text behind 报 or 反映, when an officer reports as a resident; false otherwise. */
bool talk_is_officer_report(struct hl_slice text, struct hl_slice *rest_r);
/* A new case from this text. */
json_t *talk_open(const struct talk *t);

#endif
