/* parse.c - from a text to verb, code and arguments (contract in hotline/talk.h)
 *
 * read -> split off quotes -> find codes -> machine or thanks? -> meaning by role -> bind the code -> arguments.
 * Pure. Must not know dialogue state, tasks, limits. The words are in schema/ref/grammar.json.
 * Limits: one verb per text; two requests in one text are asked back. A text of more than
 * RUNES_MAX runes (15 SMS) is no command.
 */
#include "cues.h"

#define RUNES_MAX 1000

static const char *const verb_names[] = {
	[HL_VERB_NONE] = "none",
	[HL_VERB_ASK] = "ask",
	[HL_VERB_SIGN] = "sign",
	[HL_VERB_ARRIVE] = "arrive",
	[HL_VERB_PROGRESS] = "progress",
	[HL_VERB_HANDBACK] = "handback",
	[HL_VERB_EXTEND] = "extend",
	[HL_VERB_ASSIST] = "assist",
	[HL_VERB_CLOSE] = "close",
	[HL_VERB_HELP] = "help",
	[HL_VERB_STATUS] = "status",
	[HL_VERB_CHASE] = "chase",
	[HL_VERB_SUPPLEMENT] = "supplement",
	[HL_VERB_WITHDRAW] = "withdraw",
	[HL_VERB_SURVEY] = "survey",
	[HL_VERB_REPORT] = "report",
};

const char *hl_verb_name(enum hl_verb verb)
{
	return verb_names[verb];
}

static bool has_word(const struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (rune_is_word(w->runes[i].cp) || w->runes[i].cp == '?' || w->runes[i].cp > 0x1F000)
			return true;
	return false;
}

static bool has_rune(const struct words *w, uint32_t cp)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->runes[i].cp == cp)
			return true;
	return false;
}

/* 【brand】 at an end of the text, with a word adverts use; or words only they use. */
static bool is_machine(const struct words *w)
{
	bool is_signed = w->n > 0 && (w->runes[0].cp == 0x3010 || w->runes[w->n - 1].cp == 0x3011 ||
				      (w->runes[0].cp == '[' && has_rune(w, ']')));

	return words_have(w, CUE_machine) || words_have(w, CUE_advert_unsigned) ||
	       (is_signed && words_have(w, CUE_advert));
}

/* Nothing but thanks. */
static bool is_thanks(const struct words *w)
{
	size_t at = 0;

	while (at < w->n) {
		if (!words_match(w, at, CUE_courtesy, &at)) {
			if (rune_is_word(w->runes[at].cp))
				return false;
			at++;
		}
	}
	return words_have(w, CUE_thanks);
}

/* No verb comes of it whoever sent it. */
static bool is_nothing(const struct parts *p)
{
	if (!has_word(&p->typed))
		return true;
	return p->typed_codes.first == TALK_NO_CODE && (is_machine(&p->typed) || is_thanks(&p->typed));
}

/* The code that is meant: typed, else quoted, else the only open one. False: it is not clear which. */
static bool bind(const struct parts *p, const struct hl_slice *open, size_t n_open, struct hl_said *said)
{
	const struct codes *typed = &p->typed_codes, *quoted = &p->quoted_codes;

	said->wrong_code = typed->wrong;
	if (typed->wrong.len > 0 || typed->has_two || quoted->has_two ||
	    (typed->first != TALK_NO_CODE && quoted->first != TALK_NO_CODE && typed->first != quoted->first))
		return false;
	said->is_code_typed = typed->first != TALK_NO_CODE;
	if (said->is_code_typed)
		said->code = open[typed->first];
	else if (quoted->first != TALK_NO_CODE)
		said->code = open[quoted->first];
	else if (n_open == 1)
		said->code = open[0];
	return said->code.len > 0;
}

static struct hl_slice survey_reason(char digit, struct hl_slice rest, struct hl_arena *arena)
{
	return hl_slice_str(rest.len ? hl_arena_printf(arena, "%c %.*s", digit, HL_SLICE_ARG(rest))
				     : hl_arena_printf(arena, "%c", digit));
}

static void fill(const struct parts *p, const struct meaning *m, const struct hl_slice *open, size_t n_open,
		 struct hl_arena *arena, struct hl_said *said)
{
	if (m->is_all && p->typed_codes.first == TALK_NO_CODE) {
		said->is_all = n_open > 0 && p->typed_codes.wrong.len == 0;
		said->wrong_code = p->typed_codes.wrong;
		said->verb = said->is_all ? m->verb : HL_VERB_ASK;
		return;
	}
	if (!bind(p, open, n_open, said)) {
		*said = (struct hl_said){.verb = HL_VERB_ASK, .wrong_code = said->wrong_code};
		return;
	}
	said->verb = m->verb;
	if (m->verb == HL_VERB_STATUS)
		return;
	said->reason = talk_reason(p, m, arena, said);
	if (m->verb == HL_VERB_SURVEY)
		said->reason = survey_reason(m->digit, said->reason, arena);
}

void hl_talk_parse(const struct hl_grammar *grammar, bool is_officer, struct hl_slice text,
		   const struct hl_slice *open_codes, size_t n_open, struct hl_arena *arena, struct hl_said *out_r)
{
	struct parts p;
	struct meaning m;

	*out_r = (struct hl_said){.verb = HL_VERB_NONE};
	words_read(&p.typed, grammar, text, arena);
	if (p.typed.n > RUNES_MAX) {
		out_r->verb = is_officer ? HL_VERB_ASK : HL_VERB_REPORT;
		return;
	}
	parts_split(&p.typed, &p.quoted, arena);
	if (hl_arena_failed(arena))
		return;
	codes_find(&p.typed, is_officer, open_codes, n_open, &p.typed_codes);
	codes_find(&p.quoted, is_officer, open_codes, n_open, &p.quoted_codes);
	words_scan(&p.typed, arena);
	if (hl_arena_failed(arena) || is_nothing(&p))
		return;
	(is_officer ? talk_officer_meaning : talk_resident_meaning)(&p, n_open, &m);
	if (m.verb == HL_VERB_ASK || m.verb == HL_VERB_HELP || m.verb == HL_VERB_REPORT) {
		out_r->verb = m.verb;
		out_r->wrong_code = m.verb == HL_VERB_ASK ? p.typed_codes.wrong : HL_LIT("");
		return;
	}
	fill(&p, &m, open_codes, n_open, arena, out_r);
}
