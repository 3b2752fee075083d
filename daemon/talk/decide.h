/* decide.h (private) - what the officer's and the resident's half of deciding share */
#ifndef TALK_DECIDE_H
#define TALK_DECIDE_H

#include "grammar.h"
#include "hotline/decide.h"
#include "hotline/talk.h"

#define MENU_MINUTES  120
#define CLOSE_MINUTES (24 * 60)

struct talk {
	const struct hl_refdata *ref;
	const json_t *ctx;
	bool is_trusted;
	struct hl_slice text;
	struct hl_arena *arena;
	int64_t now_us;
};

/* A text of a JSON object, "" if it is not there. */
const char *talk_field(const json_t *o, const char *name);

/* An act of this actor and verb, bound to the message. */
json_t *talk_act(const struct talk *t, const char *actor, const char *verb);
/* Adds the reply. takes params (NULL: none). Gives act again. */
json_t *talk_reply(json_t *act, const char *template, json_t *params);
/* An act that only answers. template NULL: not even that. */
json_t *talk_only_reply(const struct talk *t, const char *actor, const char *template, json_t *params);

/* What a dialogue of this kind waits for, or NULL. */
const json_t *talk_dialogue(const struct talk *t, const char *kind);
/* The next text answers this, for so many minutes. takes data. */
void talk_await(json_t *act, const char *kind, json_t *data, int minutes);
/* Does the act leave a dialogue of this kind to be answered? */
bool talk_waits(const json_t *act, const char *kind);
/* The dialogue is over. */
void talk_end(json_t *act, const char *kind);
/* Does the text say so? */
bool talk_says(const struct talk *t, enum talk_cue cue);
/* The number a text consists of (1, ２, 第三个, 选4); 0: none. */
size_t talk_choice(const struct talk *t);

/* How many photos came with the text, on their way or there. */
json_int_t talk_photos(const struct talk *t);
/* A text without words: a photo alone, or the word of the flow that a photo has arrived (schema/fn/35_media.sql). */
bool talk_is_wordless(const struct talk *t);
/* The act's photos are about this task, though it moves nothing; photos_of: the message that brought them, when it is an
 * earlier one. */
void talk_about(json_t *act, const json_t *task);
/* A link for photos is put into the act's reply, where pages are served. */
void talk_link(json_t *act);

/* Officers. A task is one element of ctx.tasks. */
json_t *talk_decide_officer(const struct talk *t);
const json_t *talk_task(const struct talk *t, json_int_t id);
bool talk_task_is_open(const json_t *task);
json_t *talk_task_params(const json_t *task);
json_t *talk_on_task(const struct talk *t, const char *verb, const json_t *task);
/* What is to be done about one task of the sender's, whose verb and arguments are known. is_named: the code was typed.
 */
json_t *talk_act_on_task(const struct talk *t, const struct hl_said *said, const json_t *task, bool is_named);
/* Hand-back, more time, assistance. */
json_t *talk_ask_operator(const struct talk *t, const struct hl_said *said, const json_t *task);
/* The days or the reason that such a wish lacked, or NULL: the text is none. said: what the text is without any dialogue. */
json_t *talk_answer_rest(const struct talk *t, const struct hl_said *said);
/* Which of several tasks? NULL: words without a verb. */
json_t *talk_choose_task(const struct talk *t, const struct hl_said *said);
/* The answer to that question, or NULL: the text is none. */
json_t *talk_answer_menu(const struct talk *t);

/* A close: asks for the facts that are missing, one after the other. */
json_t *talk_close(const struct talk *t, const struct hl_said *said, const json_t *task);
/* The close that waits for a photo goes on, or NULL: none does. */
json_t *talk_photo_came(const struct talk *t);
/* The answer to such a question, or NULL: the text is none. said: what the text is without any dialogue. */
json_t *talk_answer_close(const struct talk *t, const struct hl_said *said);

json_t *talk_decide_resident(const struct talk *t);
/* A new case from this text. */
json_t *talk_open(const struct talk *t);

#endif
