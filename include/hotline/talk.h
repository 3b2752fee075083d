/* talk.h - what an officer's or a resident's text asks for; pure
 *
 * parse: words -> verb, code, arguments, without any dialogue state. A close is never
 * guessed; what is not clear is HL_VERB_ASK.
 */
#ifndef HOTLINE_TALK_H
#define HOTLINE_TALK_H

#include "hotline/arena.h"
#include "hotline/error.h"
#include <jansson.h>

enum hl_verb {
	HL_VERB_NONE,
	HL_VERB_ASK,
	HL_VERB_SIGN,
	HL_VERB_ARRIVE,
	HL_VERB_PROGRESS,
	HL_VERB_HANDBACK,
	HL_VERB_EXTEND,
	HL_VERB_ASSIST,
	HL_VERB_CLOSE,
	HL_VERB_HELP,
	HL_VERB_STATUS,
	HL_VERB_CHASE,
	HL_VERB_SUPPLEMENT,
	HL_VERB_WITHDRAW,
	HL_VERB_SURVEY,
	HL_VERB_REPORT,
};
/* hl_verb_name - "none", "ask", "sign", ... as hotlinectl parse prints them. */
const char *hl_verb_name(enum hl_verb verb);

struct hl_said {
	enum hl_verb verb;
	struct hl_slice code;       /* the open code that was meant, as given in open_codes; empty if none or all */
	struct hl_slice wrong_code; /* something that looks like a code and is none of the open ones */
	int days;                   /* extension: 0 = not said */
	struct hl_slice reason;     /* text of reason, result, progress, supplement; survey: digit first */
	struct hl_slice unit;       /* unit named in a hand-back or assistance, as written */
	bool is_code_typed;         /* the sender wrote the code, it was not bound because only one task is open */
	bool is_all;                /* 签全部 */
};

/* The words people use, per language: schema/ref/grammar.json, compiled. Shape of the document:
 * {"simplified": "簽签...", "cues": [{"name", "about", "zh-CN": [patterns], "en": [patterns], "except": [patterns]}]};
 * which cues there are is daemon/talk/cues.def, how patterns are written daemon/talk/words.h. */
struct hl_grammar;

/* hl_grammar_new - Errors HL_INPUT naming the cue, the pattern and the rule (unknown, missing or repeated cue or
 * pattern; a set that is not closed; a pattern that could start anywhere, or can never match a folded text). */
enum hl_class hl_grammar_new(const json_t *doc, struct hl_grammar **out_r, struct hl_error *err);
void hl_grammar_free(struct hl_grammar **grammar);

/* hl_talk_parse - Takes: who, text (clean UTF-8), codes of the sender's open tasks or cases (3-8 of [0-9A-Z]).
 * Gives   slices in the arena. Cost O(length * (n_open + patterns that start with one of its
 * characters)). Source: ../shared data/talk rules 1-10 */
void hl_talk_parse(const struct hl_grammar *grammar, bool is_officer, struct hl_slice text,
		   const struct hl_slice *open_codes, size_t n_open, struct hl_arena *arena, struct hl_said *out_r);

/* hl_code_is_valid - Luhn mod 32 check of a 5-character notice code (alphabet 0-9 A-Z without I L O U). */
bool hl_code_is_valid(struct hl_slice code);
/* hl_code_check - the check character for 4 characters. */
char hl_code_check(const char four[4]);

#endif
