/* grammar.h (private) - the words officers and residents use, as data
 *
 * Patterns are written as words.h says. Must not know: what follows from a cue (say_*.c).
 */
#ifndef TALK_GRAMMAR_H
#define TALK_GRAMMAR_H

#include <stdint.h>

/* Something a text can say. An occurrence that overlaps one of the idioms does not count. */
struct cue {
	const char *words;
	const char *idioms;
};

struct talk_grammar {
	/* Shapes of text */
	const char *units;        /* how the name of a unit ends, or is in short */
	const char *openers;      /* may stand before a command */
	const char *english;      /* English command words, which may touch a code */
	const char *before_code;  /* a word behind which only a code makes sense */
	const char *after_number; /* makes a number an amount, a place or a time */
	const char *own_names;    /* in the hotline's signature */
	const char *notice, *notice_end, *notice_tail, *before_notice, *original;
	const char *machine, *advert, *advert_unsigned; /* texts no human typed */
	const char *thanks, *courtesy;
	/* Doubts about an occurrence */
	const char *negators, *negated_filler, *negated_behind;
	const char *asking, *asking_end, *hedges, *hedge_end, *later, *settled;
	/* Officers */
	struct cue sign, got, going_there, arrive, progress, work_goes_on, plan_time, plan_work;
	struct cue handback, handed_on, not_ours, person_gone, extend, assist, assist_command;
	struct cue close, close_wish, close_slip, still_open, done, vague;
	struct cue sign_all, all_other, nth, slip_of_thumb, help_officer;
	/* Residents */
	struct cue withdraw, withdraw_all, chase, impatient, status, status_words, all_cases, supplement, refers_back, new_matter;
	struct cue danger, resolved, chat, officer_verbs, help_resident, private_life, grievance;
};

extern const struct talk_grammar talk_grammar;

/* The simplified form of a traditional character that occurs in the patterns; others come back as they are. */
uint32_t talk_simplified(uint32_t cp);

#endif
