/* classify.c - points per case type from matched rules, urgency from the text, reasons for people
 *
 * A text is folded, scanned once for all phrases, and every rule whose phrases were found
 * gives its points to its case type. The best type wins; on a tie the one that comes first
 * in case_types.json. Urgency rules are tried in order and look at the text alone; the type
 * adds only a floor while the matter is going on (POL-2, POL-5, POL-8, MKT-4).
 * Out of scope (OUT-0) is a type with rules of its own, never the absence of a match.
 * Must not know: where rules are stored, who is dispatched, the place.
 * Limits: counts points, knows no grammar; negation only where a rule lists it.
 */
#include "hotline/classify.h"
#include "hotline/text.h"
#include "intake/rules.h"

#include <stdlib.h>

#define RUNES_MAX        4000
#define CLASSIFIER_BYTES ((size_t)16 * 1024 * 1024)
/* Points at which evidence counts half: one good phrase (5 to 6 points) gives two thirds. */
#define HALF_POINTS    2.5
#define N_ALTERNATIVES 3
#define WHY_BYTES      300 /* of one rule's matched words */

/* Where a group was seen first, as byte offsets in the folded text. */
struct mark {
	uint32_t start, end;
	bool is_seen;
};

struct reading {
	const struct hl_classifier *c;
	struct hl_arena *arena;
	struct hl_slice text;
	struct mark *marks;
	double *points; /* per type */
};

enum hl_class hl_classifier_new(const json_t *rules, const json_t *case_types, struct hl_classifier **out_r,
				struct hl_error *err)
{
	struct hl_classifier *c = calloc(1, sizeof(*c));
	struct hl_error unheard = {0};
	enum hl_class cls;

	err = err ? err : &unheard;
	if (!c)
		return hl_fail(err, HL_NOMEM, "no memory for the classifier");
	hl_arena_init(&c->arena, CLASSIFIER_BYTES);
	c->phrases = hl_phrases_new();
	cls = c->phrases ? hl_rules_load(c, rules, case_types, err)
			 : hl_fail(err, HL_NOMEM, "no memory for the classifier");
	if (cls)
		hl_classifier_free(&c);
	else
		*out_r = c;
	return cls;
}

void hl_classifier_free(struct hl_classifier **c)
{
	if (!*c)
		return;
	hl_phrases_free(&(*c)->phrases);
	hl_arena_fini(&(*c)->arena);
	free(*c);
	*c = NULL;
}

static struct hl_slice first_runes(struct hl_slice text, size_t n_max)
{
	size_t pos = 0;

	for (size_t n = 0; n < n_max && pos < text.len; n++)
		hl_text_next(text, &pos);
	return (struct hl_slice){text.ptr, pos};
}

static void on_hit(void *arg, uint32_t group, size_t start, size_t end)
{
	struct mark *mark = &((struct reading *)arg)->marks[group];

	if (!mark->is_seen)
		*mark = (struct mark){(uint32_t)start, (uint32_t)end, true};
}

static bool read_text(struct reading *r, struct hl_slice text)
{
	r->marks = hl_arena_array(r->arena, r->c->n_groups + 1, sizeof(*r->marks));
	r->points = hl_arena_array(r->arena, r->c->n_types, sizeof(*r->points));
	r->text = hl_fold_tight(r->arena, first_runes(text, RUNES_MAX));
	if (!r->marks || !r->points || hl_arena_failed(r->arena))
		return false;
	/* Compatibility forms may unfold to many characters: the cap holds for the folded text too. */
	r->text = first_runes(r->text, RUNES_MAX);
	return hl_phrases_scan(r->c->phrases, r->text, r->arena, on_hit, r);
}

static bool is_match(const struct reading *r, const struct hl_rule *rule)
{
	if (rule->must_not != HL_GROUP_NONE && r->marks[rule->must_not].is_seen)
		return false;
	for (size_t i = 0; i < rule->n_need; i++)
		if (!r->marks[rule->need[i]].is_seen)
			return false;
	return true;
}

static void count_points(struct reading *r)
{
	for (size_t i = 0; i < r->c->n_rules; i++)
		if (is_match(r, &r->c->rules[i]))
			r->points[r->c->rules[i].type] += r->c->rules[i].weight;
}

/* match_urgency - the first urgency rule that matches, or NULL; its type (people in danger name the matter) gets
 * points. */
static const struct hl_rule *match_urgency(struct reading *r)
{
	for (size_t i = 0; i < r->c->n_urgencies; i++) {
		const struct hl_rule *rule = &r->c->urgencies[i];

		if (!is_match(r, rule))
			continue;
		if (rule->type != HL_TYPE_NONE)
			r->points[rule->type] += rule->weight;
		return rule;
	}
	return NULL;
}

/* best_types - indexes of the types with most points, best first. Gives how many have any. */
static size_t best_types(const struct reading *r, size_t best_r[N_ALTERNATIVES + 1])
{
	size_t n = 0;

	for (size_t t = 0; t < r->c->n_types; t++) {
		size_t at = n;

		if (r->points[t] <= 0)
			continue;
		while (at > 0 && r->points[best_r[at - 1]] < r->points[t])
			at--;
		if (at > N_ALTERNATIVES)
			continue;
		n += n <= N_ALTERNATIVES;
		for (size_t i = n - 1; i > at; i--)
			best_r[i] = best_r[i - 1];
		best_r[at] = t;
	}
	return n;
}

/* rival_points - most points of a type that another unit would lead: only those can send the case astray. */
static double rival_points(const struct reading *r, size_t type)
{
	struct hl_slice lead = hl_slice_str(r->c->types[type].lead);
	double most = 0;

	for (size_t t = 0; t < r->c->n_types; t++)
		if (r->points[t] > most && !hl_slice_eq_str(lead, r->c->types[t].lead))
			most = r->points[t];
	return most;
}

/* confidence_of - strength of the evidence, halved when a rival is as strong, less when it is stronger. */
static double confidence_of(const struct reading *r, size_t type)
{
	double own = r->points[type], rival = rival_points(r, type);

	return own / (own + HALF_POINTS) * own / (own + rival);
}

/* matched_words - 「着火」「楼道」: one phrase per group of the rule. */
static const char *matched_words(const struct reading *r, const struct hl_rule *rule)
{
	const char *words = "";

	for (size_t i = 0; i < rule->n_need; i++) {
		const struct mark *mark = &r->marks[rule->need[i]];
		struct hl_slice word = {r->text.ptr + mark->start, mark->end - mark->start};

		if (word.len <= WHY_BYTES)
			words = hl_arena_printf(r->arena, "%s「%.*s」", words, HL_SLICE_ARG(word));
	}
	return words;
}

static const char *explain(const struct reading *r, size_t type, const struct hl_rule *urgency)
{
	const struct hl_case_type *t = &r->c->types[type];
	const char *why = hl_arena_printf(r->arena, "%s %s %s", t->code, t->name, t->clause);

	for (size_t i = 0; i < r->c->n_rules; i++) {
		const struct hl_rule *rule = &r->c->rules[i];

		if (rule->type == type && is_match(r, rule))
			why = hl_arena_printf(r->arena, "%s; %s%s %s", why, rule->id, matched_words(r, rule),
					      rule->clause);
	}
	if (urgency)
		why = hl_arena_printf(r->arena, "%s; %s: %s%s", why, hl_urgency_name(urgency->urgency), urgency->id,
				      matched_words(r, urgency));
	return why;
}

static bool is_seen(const struct reading *r, uint32_t group)
{
	return r->marks[group].is_seen;
}

/* is_ongoing - an emergency rule says so itself; else words of now win over words of then. */
static bool is_ongoing(const struct reading *r, size_t type, const struct hl_rule *urgency)
{
	if (urgency && urgency->urgency == HL_EMERGENCY)
		return true;
	if (is_seen(r, r->c->settled))
		return false;
	return is_seen(r, r->c->now) || (r->c->types[type].is_assumed_now && !is_seen(r, r->c->past));
}

static enum hl_urgency urgency_of(const struct reading *r, size_t type, const struct hl_rule *rule, bool is_now)
{
	enum hl_urgency urgency = rule ? rule->urgency : HL_NORMAL;

	return r->c->types[type].is_floor_urgent && is_now && urgency < HL_URGENT ? HL_URGENT : urgency;
}

static void set_type(struct hl_classified *out_r, const struct hl_case_type *type)
{
	out_r->type = type->code;
	out_r->unit = type->lead;
}

static void set_alternatives(const struct reading *r, const size_t *best, size_t n, struct hl_classified *out_r)
{
	for (size_t i = 1; i < n; i++)
		out_r->alternatives[out_r->n_alternatives++] =
			(struct hl_alternative){r->c->types[best[i]].code, confidence_of(r, best[i])};
}

void hl_classify(const struct hl_classifier *c, struct hl_slice text, struct hl_arena *arena,
		 struct hl_classified *out_r)
{
	struct reading r = {.c = c, .arena = arena};
	size_t best[N_ALTERNATIVES + 1], n;
	const struct hl_rule *urgency;

	*out_r = (struct hl_classified){.urgency = HL_NORMAL, .why = "nothing known was found in the text"};
	set_type(out_r, &c->types[c->fallback]);
	if (!read_text(&r, text)) {
		out_r->why = "the text could not be read: no memory";
		return;
	}
	count_points(&r);
	urgency = match_urgency(&r);
	n = best_types(&r, best);
	if (!n) {
		best[0] = c->fallback;
		out_r->urgency = urgency ? urgency->urgency : HL_NORMAL;
		out_r->is_ongoing = urgency && urgency->urgency == HL_EMERGENCY;
		out_r->why = urgency ? explain(&r, best[0], urgency) : out_r->why;
		return;
	}
	set_type(out_r, &c->types[best[0]]);
	out_r->confidence = confidence_of(&r, best[0]);
	out_r->is_auto = out_r->confidence >= c->bound;
	out_r->is_ongoing = is_ongoing(&r, best[0], urgency);
	out_r->urgency = urgency_of(&r, best[0], urgency, out_r->is_ongoing);
	out_r->why = explain(&r, best[0], urgency);
	set_alternatives(&r, best, n, out_r);
}
