/* reading.c - folds a text, finds its title and every phrase in it (contract in reading.h)
 *
 * Must not know: the model, confidence, urgency.
 */
#include "intake/reading.h"
#include "hotline/text.h"

#include <string.h>

#define RUNES_MAX         4000
#define TITLE_RUNES_MAX   80 /* a longer first line is text, not title */
#define SENTENCE_MIN      4
#define SENTENCE_MAX      40
#define SENTENCE_FALLBACK 30
/* Points at which evidence counts half: one good phrase (5 to 6 points) gives two thirds. */
#define HALF_POINTS 2.5

static struct hl_slice first_runes(struct hl_slice text, size_t n_max)
{
	size_t pos = 0;

	if (text.len <= n_max)
		return text;
	for (size_t n = 0; n < n_max && pos < text.len; n++)
		hl_text_next(text, &pos);
	return (struct hl_slice){text.ptr, pos};
}

static bool is_sentence_end(uint32_t cp)
{
	return cp == '?' || cp == '!' || cp == ',' || cp == 0x3002 /* ideographic full stop */ || cp == 0xff0c ||
	       cp == 0xff01 || cp == 0xff1f;
}

/* first_sentence - bytes up to and with the mark that ends it. */
static size_t first_sentence(struct hl_slice text)
{
	size_t pos = 0;

	for (size_t n = 0; n < SENTENCE_MAX && pos < text.len; n++)
		if (is_sentence_end(hl_text_next(text, &pos)) && n >= SENTENCE_MIN)
			return pos;
	return first_runes(text, SENTENCE_FALLBACK).len;
}

static struct hl_slice skip_blank_lines(struct hl_slice text)
{
	while (text.len && (text.ptr[0] == '\n' || text.ptr[0] == ' ' || text.ptr[0] == '\t')) {
		text.ptr++;
		text.len--;
	}
	return text;
}

/* cut_title - bytes of the title in the raw text. */
static size_t cut_title(struct hl_reading *r, struct hl_slice text)
{
	struct hl_slice line, rest;

	hl_slice_cut(text, '\n', &line, &rest);
	if (first_runes(line, TITLE_RUNES_MAX).len < line.len)
		return first_sentence(text);
	r->has_body = hl_slice_trim(rest).len > 0;
	return line.len;
}

/* normalised - folded, tight, and with misheard words put right. */
static struct hl_slice normalised(const struct hl_reading *r, struct hl_slice text)
{
	return hl_spelling_mend(r->c->spelling, hl_fold_tight(r->arena, text), r->arena);
}

static struct hl_slice fold_parts(struct hl_reading *r, struct hl_slice text)
{
	size_t cut = cut_title(r, text);
	struct hl_slice title = normalised(r, (struct hl_slice){text.ptr, cut});
	struct hl_slice rest = normalised(r, (struct hl_slice){text.ptr + cut, text.len - cut});
	char *joined;

	r->title_len = title.len;
	if (!rest.len)
		return title;
	joined = hl_arena_alloc(r->arena, title.len + rest.len);
	if (!joined)
		return (struct hl_slice){0};
	if (title.len)
		memcpy(joined, title.ptr, title.len);
	memcpy(joined + title.len, rest.ptr, rest.len);
	return (struct hl_slice){joined, title.len + rest.len};
}

static void on_hit(void *arg, uint32_t group, size_t start, size_t end)
{
	struct hl_mark *mark = &((struct hl_reading *)arg)->marks[group];

	if (!mark->is_seen)
		*mark = (struct hl_mark){(uint32_t)start, (uint32_t)end, true};
}

bool hl_rule_matches(const struct hl_reading *r, const struct hl_rule *rule, bool in_title)
{
	size_t limit = in_title ? r->title_len : r->text.len;

	if (rule->must_not != HL_GROUP_NONE && r->marks[rule->must_not].is_seen &&
	    r->marks[rule->must_not].end <= limit)
		return false;
	for (size_t i = 0; i < rule->n_need; i++)
		if (!r->marks[rule->need[i]].is_seen || r->marks[rule->need[i]].end > limit)
			return false;
	return true;
}

static void count_points(struct hl_reading *r)
{
	for (size_t i = 0; i < r->c->n_rules; i++)
		if (hl_rule_matches(r, &r->c->rules[i], false))
			r->points[r->c->rules[i].type] += r->c->rules[i].weight;
}

bool hl_read(struct hl_reading *r, struct hl_slice text)
{
	text = skip_blank_lines(first_runes(text, RUNES_MAX));
	r->marks = hl_arena_array(r->arena, r->c->n_groups + 1, sizeof(*r->marks));
	r->points = hl_arena_array(r->arena, r->c->n_types, sizeof(*r->points));
	r->text = fold_parts(r, text);
	if (!r->marks || !r->points || hl_arena_failed(r->arena))
		return false;
	/* Compatibility forms may unfold to many characters: the cap holds for the folded text too. */
	r->text = first_runes(r->text, RUNES_MAX);
	r->title_len = r->title_len < r->text.len ? r->title_len : r->text.len;
	r->n_runes = hl_text_count(r->text);
	if (!hl_phrases_scan(r->c->phrases, r->text, r->arena, on_hit, r))
		return false;
	count_points(r);
	return true;
}

/* rival_points - most points of a type that another unit would lead: only those can send the case astray. */
static double rival_points(const struct hl_classifier *c, const double *points, size_t type)
{
	struct hl_slice lead = hl_slice_str(c->types[type].lead);
	double most = 0;

	for (size_t t = 0; t < c->n_types; t++)
		if (points[t] > most && !hl_slice_eq_str(lead, c->types[t].lead))
			most = points[t];
	return most;
}

double hl_points_strength(const struct hl_classifier *c, const double *points, size_t type)
{
	double own = points[type], rival = rival_points(c, points, type);

	return own > 0 ? own / (own + HALF_POINTS) * own / (own + rival) : 0;
}
