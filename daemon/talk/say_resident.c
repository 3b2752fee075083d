/* say_resident.c - which verb a resident means (contract in cues.h)
 *
 * Pure. Any text is a report unless it plainly commands something else about a case of the sender's own.
 */
#include "cues.h"

#include "hotline/text.h"

#define SAID_MIN 4 /* runes below which a text without any matter in it is no report */

static size_t count_words(const struct words *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += rune_is_word(w->runes[i].cp) && w->runes[i].cp != TALK_CODE;
	return n;
}

/* ---- ratings ---------------------------------------------------------------- */

static const struct {
	enum talk_cue cue;
	char digit;
} ratings[] = {
	{CUE_rated_bad, '3'},
	{CUE_rated_fair, '2'},
	{CUE_rated_good, '1'},
};

/* The rating that the text starts with, behind its code and words like 我选; 0: none. */
static char rating_at(const struct words *w, size_t at, size_t *end_r)
{
	for (size_t i = 0; i < sizeof(ratings) / sizeof(ratings[0]); i++)
		if (words_match(w, at, ratings[i].cue, end_r))
			return ratings[i].digit;
	if (at < w->n && w->runes[at].cp >= '1' && w->runes[at].cp <= '3') {
		*end_r = at + 1;
		return (char)w->runes[at].cp;
	}
	/* 三, and nothing else: in a sentence it counts something. */
	if (w->n == 1 && at == 0 && rune_numeral(w->runes[0].cp) >= 1 && rune_numeral(w->runes[0].cp) <= 3) {
		*end_r = 1;
		return (char)('0' + rune_numeral(w->runes[0].cp));
	}
	return 0;
}

static bool is_rating_end(const struct words *w, size_t at, bool was_digit)
{
	size_t end;

	if (at >= w->n || words_match(w, at, CUE_rating_end, &end))
		return true;
	if (was_digit && words_match(w, at, CUE_rating_joint, &end))
		return words_match(w, at, CUE_rating_joint_end, &end);
	return words_ends_clause(w, at) && !words_match(w, at, CUE_rating_asked, &end) &&
	       !(was_digit && words_match(w, at, CUE_rating_glued, &end));
}

static bool look_for_rating(const struct words *w, struct meaning *out)
{
	size_t at = 0, end, next;
	char digit;

	while (at < w->n && (words_match(w, at, CUE_rating_openers, &next) || !rune_is_word(w->runes[at].cp)))
		at = words_match(w, at, CUE_rating_openers, &next) ? next : at + 1;
	digit = rating_at(w, at, &end);
	if (!digit || words_match(w, end, CUE_rating_counts, &next) || !is_rating_end(w, end, w->runes[at].cp < 0x80))
		return false;
	/* "1、路灯不亮 2、没保安" is a list. */
	if (words_have(w, CUE_rating_list) || words_have(w, CUE_rating_choice))
		return false;
	while (words_match(w, end, CUE_rating_rest, &next))
		end = next;
	*out = (struct meaning){.verb = HL_VERB_SURVEY, .command = {0, end}, .digit = digit};
	return true;
}

/* ---- verbs ------------------------------------------------------------------ */

static bool look_for(const struct words *w, enum talk_cue cue, unsigned doubts, enum hl_verb verb, struct meaning *out)
{
	struct span found;

	if (!cue_find(w, cue, (struct span){0, w->n}, doubts, &found))
		return false;
	*out = (struct meaning){.verb = verb, .command = found};
	return true;
}

/* Impatience without 催: about a case only when there is one and nothing new is told. */
static bool is_impatient(const struct parts *p, size_t n_open)
{
	const struct words *w = &p->typed;

	if (n_open == 0 || cue_has(w, CUE_danger, 0))
		return false;
	if (cue_has(w, CUE_urges, 0))
		return true;
	if (!cue_has(w, CUE_impatient, 0))
		return false;
	return p->typed_codes.first != TALK_NO_CODE || !cue_has(w, CUE_grievance, 0) || cue_has(w, CUE_refers_back, 0);
}

/* A question that is about nothing new is about what is open. */
static bool is_question(const struct words *w)
{
	return (words_have(w, CUE_asking) || (w->n > 0 && words_match(w, w->n - 1, CUE_asking_end, &(size_t){0}))) &&
	       !cue_has(w, CUE_chat, 0) && !cue_has(w, CUE_private_life, 0) && !cue_has(w, CUE_resolved, 0) &&
	       !words_have(w, CUE_rating_choice) && count_words(w) >= SAID_MIN;
}

static bool is_status(const struct parts *p, size_t n_open)
{
	const struct words *w = &p->typed;

	return n_open > 0 && (cue_has(w, CUE_status_words, 0) || is_question(w)) && !cue_has(w, CUE_danger, 0) &&
	       (p->typed_codes.first != TALK_NO_CODE || cue_has(w, CUE_refers_back, 0) ||
		!cue_has(w, CUE_grievance, 0));
}

static void look_for_talk(const struct parts *p, size_t n_open, struct meaning *out)
{
	const struct words *w = &p->typed;

	if (is_impatient(p, n_open))
		out->verb = HL_VERB_CHASE;
	else if (is_status(p, n_open))
		*out = (struct meaning){.verb = HL_VERB_STATUS, .is_all = cue_has(w, CUE_all_cases, 0)};
	else if (n_open > 0 && !look_for(w, CUE_refers_back, 0, HL_VERB_SUPPLEMENT, out))
		out->verb = HL_VERB_REPORT;
}

/* Human, but no matter of ours: chat, resignation, private life. */
static bool is_no_report(const struct parts *p)
{
	const struct words *w = &p->typed;
	bool is_matter = cue_has(w, CUE_grievance, 0) || cue_has(w, CUE_danger, 0);

	/* A number that is none of the sender's cases; two ratings at once. */
	if (!is_matter &&
	    (count_words(w) < SAID_MIN || p->typed_codes.wrong.len > 0 || words_have(w, CUE_rating_choice)))
		return true;
	if (cue_has(w, CUE_resolved, 0) && !cue_has(w, CUE_new_matter, 0) && !cue_has(w, CUE_danger, 0))
		return true;
	return !is_matter && (cue_has(w, CUE_chat, 0) || cue_has(w, CUE_private_life, 0)) &&
	       !cue_has(w, CUE_new_matter, 0);
}

/* Without a case of one's own a command stands in front; in prose the same word is part of a report. */
static bool look_for_command(const struct words *w, size_t n_open, struct meaning *out)
{
	struct meaning m;

	if (!look_for(w, CUE_chase, TALK_NEGATED, HL_VERB_CHASE, &m) &&
	    !look_for(w, CUE_supplement, TALK_NEGATED, HL_VERB_SUPPLEMENT, &m) &&
	    !look_for(w, CUE_status, TALK_NEGATED, HL_VERB_STATUS, &m))
		return false;
	if (n_open == 0 && m.command.from > w->head)
		return false;
	*out = m;
	out->is_all = m.verb == HL_VERB_STATUS && cue_has(w, CUE_all_cases, 0);
	return true;
}

void talk_resident_meaning(const struct parts *p, size_t n_open, struct meaning *out_r)
{
	const struct words *w = &p->typed;

	*out_r = (struct meaning){.verb = HL_VERB_REPORT};
	if (cue_has(w, CUE_help_resident, 0)) {
		out_r->verb = HL_VERB_HELP;
		return;
	}
	if (cue_has(w, CUE_officer_verbs, TALK_ASKED) || cue_has(w, CUE_withdraw, 0) ||
	    cue_has(w, CUE_withdraw_all, 0)) {
		out_r->verb = HL_VERB_ASK;
		if (p->typed_codes.first != TALK_NO_CODE || !cue_has(w, CUE_withdraw_all, 0))
			look_for(w, CUE_withdraw, TALK_NEGATED | TALK_ASKED, HL_VERB_WITHDRAW, out_r);
		return;
	}
	if (look_for_rating(w, out_r))
		return;
	if (cue_has(w, CUE_new_matter, 0) || look_for_command(w, n_open, out_r))
		return;
	look_for_talk(p, n_open, out_r);
	if (out_r->verb == HL_VERB_REPORT && is_no_report(p))
		out_r->verb = HL_VERB_ASK;
}
