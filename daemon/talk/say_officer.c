/* say_officer.c - which verb an officer means (contract in cues.h)
 *
 * Pure. First every cue is looked for, then one list of rules, strictest first, decides. When two
 * rules could hold the text is asked back: a close or a hand-back is never guessed.
 */
#include "cues.h"

enum fact {
	SIGN = 1 << 0,
	GOT = 1 << 1,
	GOING = 1 << 2,
	ARRIVE = 1 << 3,
	PROGRESS = 1 << 4,
	WORK = 1 << 5,
	HANDBACK = 1 << 6,
	NOT_OURS = 1 << 7,
	EXTEND = 1 << 8,
	ASSIST = 1 << 9,
	ASSIST_COMMAND = 1 << 10,
	CLOSE = 1 << 11,
	DONE = 1 << 12,
	AWAY = 1 << 13,
	STILL_OPEN = 1 << 14,
	UNDER_WAY = 1 << 15,
};

struct facts {
	unsigned set;
	struct span at[16]; /* of the fact with that bit */
};

#define ALL_DOUBTS (TALK_NEGATED | TALK_ASKED | TALK_HEDGED | TALK_LATER)

static const struct {
	enum fact fact;
	enum talk_cue cue;
	unsigned doubts; /* which of them make an occurrence worthless */
} looks[] = {
	{SIGN, CUE_sign, TALK_NEGATED | TALK_ASKED | TALK_LATER},
	{GOT, CUE_got, TALK_NEGATED | TALK_ASKED},
	{GOING, CUE_going_there, TALK_NEGATED | TALK_ASKED | TALK_HEDGED},
	{ARRIVE, CUE_arrive, ALL_DOUBTS},
	{PROGRESS, CUE_progress, TALK_ASKED},
	{WORK, CUE_work_goes_on, TALK_ASKED},
	{HANDBACK, CUE_handback, TALK_NEGATED | TALK_ASKED},
	{NOT_OURS, CUE_not_ours, TALK_ASKED | TALK_HEDGED},
	{EXTEND, CUE_extend, TALK_NEGATED},
	{ASSIST, CUE_assist, TALK_NEGATED},
	{ASSIST_COMMAND, CUE_assist_command, TALK_NEGATED},
	{DONE, CUE_done, TALK_NEGATED | TALK_ASKED},
	{STILL_OPEN, CUE_still_open, 0},
	{UNDER_WAY, CUE_under_way, TALK_NEGATED | TALK_ASKED | TALK_LATER},
};

static unsigned bit_of(enum fact fact)
{
	unsigned bit = 0;

	while (!(fact & (1u << bit)))
		bit++;
	return bit;
}

static void look(const struct words *w, struct facts *f)
{
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		struct span found;

		if (cue_find(w, looks[i].cue, (struct span){0, w->n}, looks[i].doubts, &found)) {
			f->set |= looks[i].fact;
			f->at[bit_of(looks[i].fact)] = found;
		}
	}
	if (cue_has(w, CUE_plan_time, 0) && cue_has(w, CUE_plan_work, 0))
		f->set |= WORK;
	if (cue_has(w, CUE_handed_on, 0) || cue_has(w, CUE_person_gone, 0))
		f->set |= AWAY;
}

/* A close is a close word stated as fact, or as a command; a wish, a plan, a question is none. */
static void look_for_close(const struct words *w, struct facts *f)
{
	struct span found;

	if (cue_find(w, CUE_close, (struct span){0, w->n}, ALL_DOUBTS, &found)) {
		struct span before = {words_sentence(w, found.from).from, found.from}, wish;

		if (!cue_find(w, CUE_close_wish, before, 0, &wish)) {
			f->set |= CLOSE;
			f->at[bit_of(CLOSE)] = found;
		}
	}
}

static bool is_command(const struct words *w, struct span s)
{
	return s.from <= w->head || (s.from > 0 && w->runes[s.from - 1].cp == TALK_CODE) ||
	       w->runes[s.from].cp == TALK_CODE || (s.to > s.from && w->runes[s.to - 1].cp == TALK_CODE);
}

static bool has_all(const struct facts *f, unsigned set)
{
	return (f->set & set) == set;
}

static bool has_any(const struct facts *f, unsigned set)
{
	return f->set & set;
}

static bool contradicts(const struct facts *f)
{
	bool explicit_sign = has_any(f, SIGN);

	return has_all(f, CLOSE | HANDBACK) || has_all(f, CLOSE | EXTEND) || has_all(f, CLOSE | NOT_OURS) ||
	       has_all(f, HANDBACK | EXTEND) || has_all(f, CLOSE | ASSIST_COMMAND) ||
	       has_all(f, HANDBACK | ASSIST_COMMAND) || has_all(f, EXTEND | ASSIST_COMMAND) ||
	       (explicit_sign && has_any(f, HANDBACK | NOT_OURS));
}

static enum hl_verb further_step(const struct words *w, const struct facts *f)
{
	if (has_any(f, CLOSE))
		return has_any(f, STILL_OPEN) ? HL_VERB_ASK : HL_VERB_CLOSE;
	if (has_any(f, HANDBACK))
		return has_any(f, AWAY) ? HL_VERB_ASK : HL_VERB_HANDBACK;
	if (has_any(f, EXTEND))
		return HL_VERB_EXTEND;
	if (has_any(f, ASSIST))
		return HL_VERB_ASSIST;
	if (has_any(f, NOT_OURS) && !has_any(f, AWAY | WORK))
		return HL_VERB_HANDBACK;
	if (has_any(f, ARRIVE) && is_command(w, f->at[bit_of(ARRIVE)]))
		return HL_VERB_ARRIVE;
	/* Who accepts and is at work already tells progress. */
	if (has_any(f, SIGN | GOT) && has_any(f, UNDER_WAY) && !has_any(f, ARRIVE | DONE))
		return HL_VERB_PROGRESS;
	if (has_any(f, SIGN))
		return has_any(f, ARRIVE) ? HL_VERB_ARRIVE : HL_VERB_SIGN;
	if (has_any(f, GOT))
		return has_any(f, DONE) ? HL_VERB_ASK : has_any(f, ARRIVE) ? HL_VERB_ARRIVE : HL_VERB_SIGN;
	if (has_any(f, WORK) && !cue_has(w, CUE_vague, 0))
		return HL_VERB_PROGRESS;
	if (has_any(f, ARRIVE) && !has_any(f, DONE))
		return HL_VERB_ARRIVE;
	return has_any(f, GOING) && !has_any(f, DONE) ? HL_VERB_SIGN : HL_VERB_ASK;
}

static const uint8_t fact_of[HL_VERB_REPORT + 1] = {
	[HL_VERB_SIGN] = 0,   [HL_VERB_ARRIVE] = 3, [HL_VERB_PROGRESS] = 4, [HL_VERB_HANDBACK] = 6,
	[HL_VERB_EXTEND] = 8, [HL_VERB_ASSIST] = 9, [HL_VERB_CLOSE] = 11,
};

/* "三个都签": the number said must be the number open. */
static bool is_count_right(const struct words *w, size_t n_open)
{
	struct span s;

	return !words_find(w, (struct span){0, w->n}, CUE_counted, &s) ||
	       (size_t)rune_numeral(w->runes[s.from].cp) == n_open;
}

/* 第二个签收: in whose order? 那个签了 is clear when there is only one. */
static bool is_pointing(const struct words *w, size_t n_open)
{
	return cue_has(w, CUE_nth, 0) || (n_open > 1 && cue_has(w, CUE_pointing, 0));
}

static bool is_bulk_sign(const struct words *w, const struct facts *f, size_t n_open)
{
	return cue_has(w, CUE_sign_all, TALK_NEGATED | TALK_ASKED | TALK_LATER) &&
	       !has_any(f, CLOSE | HANDBACK | EXTEND | ASSIST | DONE) && is_count_right(w, n_open);
}

/* 报 or 反映 in front, and something behind it. */
static bool is_report(const struct words *w)
{
	struct span found;

	if (!cue_find(w, CUE_officer_report, (struct span){0, w->n}, 0, &found))
		return false;
	while (found.to < w->n && !rune_is_word(w->runes[found.to].cp))
		found.to++;
	return found.to < w->n;
}

void talk_officer_meaning(const struct parts *p, size_t n_open, struct meaning *out_r)
{
	const struct words *w = &p->typed;
	bool has_code = p->typed_codes.first != TALK_NO_CODE;
	struct facts f = {0};

	*out_r = (struct meaning){.verb = HL_VERB_ASK};
	if (cue_has(w, CUE_help_officer, 0) || is_report(w)) {
		out_r->verb = cue_has(w, CUE_help_officer, 0) ? HL_VERB_HELP : HL_VERB_REPORT;
		return;
	}
	look(w, &f);
	look_for_close(w, &f);
	if (cue_has(w, CUE_slip_of_thumb, 0) || (!has_code && cue_has(w, CUE_all_other, 0)) ||
	    cue_has(w, CUE_close_slip, 0) || (!has_code && is_pointing(w, n_open)))
		return;
	if (!has_code && is_bulk_sign(w, &f, n_open)) {
		*out_r = (struct meaning){.verb = HL_VERB_SIGN, .is_all = true};
		return;
	}
	/* An explicit 进展 wins over what its text mentions. */
	if (has_any(&f, PROGRESS) && is_command(w, f.at[bit_of(PROGRESS)]))
		out_r->verb = HL_VERB_PROGRESS;
	else if (!contradicts(&f))
		out_r->verb = further_step(w, &f);
	/* Dinner plans and the like sound as work does. */
	if (!has_code && out_r->verb == HL_VERB_PROGRESS && !has_any(&f, PROGRESS | SIGN | GOT) &&
	    (has_any(&f, AWAY) || cue_has(w, CUE_private_talk, 0)))
		out_r->verb = HL_VERB_ASK;
	if (fact_of[out_r->verb] || out_r->verb == HL_VERB_SIGN)
		out_r->command = f.at[fact_of[out_r->verb]];
}
