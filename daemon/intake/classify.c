/* classify.c - case type by rules and model, urgency from the text, reasons for people
 *
 * A text is folded and scanned once for all phrases (reading.c); every rule whose phrases were found gives its
 * points to its case type. With a model the score of a type is the model's, plus a little for its points; the
 * scores become probabilities, and the share of the lead unit, which is what sends a case astray when it is wrong,
 * becomes the confidence. Without a model the points decide alone.
 * Urgency rules are tried in order and look at the text alone; the type adds only a floor while the matter is
 * going on (POL-2, POL-5, POL-8, MKT-4).
 * Out of scope (OUT-0) is a type of its own, never the absence of a match.
 * Must not know: where rules are stored, who is dispatched, the place.
 * Limits: knows no grammar; negation only where a rule lists it.
 */
#include "hotline/classify.h"
#include "hotline/text.h"
#include "intake/model.h"

#include <stdlib.h>

#define CLASSIFIER_BYTES ((size_t)16 * 1024 * 1024)
#define N_ALTERNATIVES   3
#define WHY_BYTES        300 /* of one rule's matched words */
/* Known features below which the model is not asked: nearly every text in Chinese has more. */
#define KNOWN_MIN 14
/* A shorter text of which no rule knows a word may be a name, a place or a greeting: a person looks at it. */
#define RUNES_MIN 16

struct judged {
	double *score; /* per type: points, or the model's probability */
	const struct hl_value *values;
	size_t n_values;
	size_t best[N_ALTERNATIVES + 1], n;
	const struct hl_rule *urgency;
	double confidence;
};

enum hl_class hl_classifier_new(const json_t *rules, const json_t *case_types, const json_t *model,
				struct hl_classifier **out_r, struct hl_error *err)
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
	if (!cls && model && (cls = hl_model_new(model, c, &c->model, err)))
		hl_error_prefix(err, "model");
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
	hl_model_free(&(*c)->model);
	hl_phrases_free(&(*c)->phrases);
	hl_spelling_free(&(*c)->spelling);
	hl_arena_fini(&(*c)->arena);
	free(*c);
	*c = NULL;
}

size_t hl_classifier_bytes(const struct hl_classifier *c)
{
	return sizeof(*c) + c->arena.used_bytes + hl_phrases_bytes(c->phrases) + hl_spelling_bytes(c->spelling) +
	       (c->model ? hl_model_bytes(c->model) : 0);
}

/* match_urgency - the first urgency rule that matches, or NULL; its type (people in danger name the matter) gets
 * points. */
static const struct hl_rule *match_urgency(struct hl_reading *r)
{
	for (size_t i = 0; i < r->c->n_urgencies; i++) {
		const struct hl_rule *rule = &r->c->urgencies[i];

		if (!hl_rule_matches(r, rule, false))
			continue;
		if (rule->type != HL_TYPE_NONE)
			r->points[rule->type] += rule->weight;
		return rule;
	}
	return NULL;
}

/* best_types - indexes of the types with the highest score, best first; on a tie the one that comes first in
 * case_types.json. */
static void best_types(const struct hl_reading *r, struct judged *j)
{
	for (size_t t = 0; t < r->c->n_types; t++) {
		size_t at = j->n;

		if (j->score[t] <= 0)
			continue;
		while (at > 0 && j->score[j->best[at - 1]] < j->score[t])
			at--;
		if (at > N_ALTERNATIVES)
			continue;
		j->n += j->n <= N_ALTERNATIVES;
		for (size_t i = j->n - 1; i > at; i--)
			j->best[i] = j->best[i - 1];
		j->best[at] = t;
	}
}

static void judge_by_points(const struct hl_reading *r, struct judged *j)
{
	j->score = r->points;
	best_types(r, j);
	j->confidence = j->n ? hl_points_strength(r->c, r->points, j->best[0]) : 0;
}

static bool has_points(const struct hl_reading *r)
{
	for (size_t t = 0; t < r->c->n_types; t++)
		if (r->points[t] > 0)
			return true;
	return false;
}

/* judge_by_model - leaves j->n and j->values at 0 when the model knows next to nothing of the text. Gives false without
 * memory. */
static bool judge_by_model(const struct hl_reading *r, struct judged *j)
{
	const struct hl_model *m = r->c->model;
	float *scores = hl_arena_array(r->arena, r->c->n_types, sizeof(*scores));
	struct hl_features features;
	struct hl_value *values;

	j->score = hl_arena_array(r->arena, r->c->n_types, sizeof(*j->score));
	if (!scores || !j->score || !hl_features_of(r, &features) ||
	    !hl_model_score(m, &features, r->arena, scores, &values, &j->n_values))
		return false;
	if (j->n_values < KNOWN_MIN)
		return true;
	j->values = values;
	hl_model_probabilities(m, r->c, scores, r->points, r->n_runes, j->score);
	best_types(r, j);
	j->confidence = hl_model_confidence(m, r->c, j->score, j->best[0], r->points, r->n_runes);
	return true;
}

static bool judge(const struct hl_reading *r, struct judged *j)
{
	if (r->c->model && !judge_by_model(r, j))
		return false;
	if (!j->n)
		judge_by_points(r, j);
	return true;
}

/* matched_words - 「着火」「楼道」: one phrase per group of the rule. */
static const char *matched_words(const struct hl_reading *r, const struct hl_rule *rule)
{
	const char *words = "";

	for (size_t i = 0; i < rule->n_need; i++) {
		const struct hl_mark *mark = &r->marks[rule->need[i]];
		struct hl_slice word = {r->text.ptr + mark->start, mark->end - mark->start};

		if (word.len <= WHY_BYTES)
			words = hl_arena_printf(r->arena, "%s「%.*s」", words, HL_SLICE_ARG(word));
	}
	return words;
}

/* model_reasons - what spoke most for the type beside the rules: "model 3f2a: 「产权证」「开发商」". */
static const char *model_reasons(const struct hl_reading *r, const struct judged *j, size_t type)
{
	struct hl_reason reasons[HL_MODEL_REASONS];
	size_t n = hl_model_reasons(r->c->model, j->values, j->n_values, type, reasons);
	const char *words = hl_arena_printf(r->arena, "; model %s %.2f", r->c->model->version, j->score[type]);

	for (size_t i = 0; i < n; i++) {
		const struct hl_feature *f = reasons[i].feature;

		words = hl_arena_printf(r->arena, "%s「%.*s」", words, (int)(f->end - f->start),
					r->text.ptr + f->start);
	}
	return words;
}

static const char *explain(const struct hl_reading *r, const struct judged *j, size_t type)
{
	const struct hl_matter *t = &r->c->types[type];
	const char *why = hl_arena_printf(r->arena, "%s %s %s", t->code, t->name, t->clause);

	for (size_t i = 0; i < r->c->n_rules; i++) {
		const struct hl_rule *rule = &r->c->rules[i];

		if (rule->type == type && hl_rule_matches(r, rule, false))
			why = hl_arena_printf(r->arena, "%s; %s%s %s", why, rule->id, matched_words(r, rule),
					      rule->clause);
	}
	if (j->values)
		why = hl_arena_printf(r->arena, "%s%s", why, model_reasons(r, j, type));
	if (j->urgency)
		why = hl_arena_printf(r->arena, "%s; %s: %s%s", why, hl_urgency_name(j->urgency->urgency),
				      j->urgency->id, matched_words(r, j->urgency));
	return why;
}

static void add_evidence(const struct hl_reading *r, const struct hl_rule *rule, struct hl_evidence *out)
{
	*out = (struct hl_evidence){.rule = rule->id,
				    .type = rule->type == HL_TYPE_NONE ? NULL : r->c->types[rule->type].code,
				    .points = rule->weight,
				    .clause = rule->clause};
	for (size_t i = 0; i < rule->n_need; i++) {
		const struct hl_mark *mark = &r->marks[rule->need[i]];

		if (mark->end - mark->start <= WHY_BYTES)
			out->words[out->n_words++] =
				(struct hl_slice){r->text.ptr + mark->start, mark->end - mark->start};
	}
}

static void set_evidence(const struct hl_reading *r, const struct judged *j, struct hl_classified *out_r)
{
	struct hl_evidence *list = hl_arena_array(r->arena, HL_EVIDENCE_MAX, sizeof(*list));
	struct hl_reason reasons[HL_MODEL_REASONS];
	size_t n = j->values ? hl_model_reasons(r->c->model, j->values, j->n_values, j->best[0], reasons) : 0;

	for (size_t i = 0; list && i < r->c->n_rules && out_r->n_evidence < HL_EVIDENCE_MAX - 1; i++)
		if (hl_rule_matches(r, &r->c->rules[i], false))
			add_evidence(r, &r->c->rules[i], &list[out_r->n_evidence++]);
	if (list && j->urgency)
		add_evidence(r, j->urgency, &list[out_r->n_evidence++]);
	out_r->evidence = list;
	for (; out_r->n_influences < n; out_r->n_influences++) {
		const struct hl_feature *f = reasons[out_r->n_influences].feature;

		out_r->influences[out_r->n_influences] = (struct hl_influence){
			{r->text.ptr + f->start, f->end - f->start}, (double)reasons[out_r->n_influences].share};
	}
}

static bool is_seen(const struct hl_reading *r, uint32_t group)
{
	return r->marks[group].is_seen;
}

/* is_ongoing - an emergency rule says so itself; else words of now win over words of then. */
static bool is_ongoing(const struct hl_reading *r, size_t type, const struct hl_rule *urgency)
{
	if (urgency && urgency->urgency == HL_EMERGENCY)
		return true;
	if (is_seen(r, r->c->settled))
		return false;
	return is_seen(r, r->c->now) || (r->c->types[type].is_assumed_now && !is_seen(r, r->c->past));
}

static enum hl_urgency urgency_of(const struct hl_reading *r, size_t type, const struct hl_rule *rule, bool is_now)
{
	enum hl_urgency urgency = rule ? rule->urgency : HL_NORMAL;

	return r->c->types[type].is_floor_urgent && is_now && urgency < HL_URGENT ? HL_URGENT : urgency;
}

static void set_type(struct hl_classified *out_r, const struct hl_matter *type)
{
	out_r->type = type->code;
	out_r->unit = type->lead;
}

static void set_alternatives(const struct hl_reading *r, const struct judged *j, struct hl_classified *out_r)
{
	for (size_t i = 1; i < j->n; i++)
		out_r->alternatives[out_r->n_alternatives++] = (struct hl_alternative){
			r->c->types[j->best[i]].code,
			j->score == r->points ? hl_points_strength(r->c, r->points, j->best[i]) : j->score[j->best[i]]};
}

static void set_unknown(const struct hl_reading *r, const struct judged *j, struct hl_classified *out_r)
{
	out_r->urgency = j->urgency ? j->urgency->urgency : HL_NORMAL;
	out_r->is_ongoing = out_r->urgency == HL_EMERGENCY;
	if (j->urgency)
		out_r->why = explain(r, j, r->c->fallback);
}

static void set_known(const struct hl_reading *r, const struct judged *j, struct hl_classified *out_r)
{
	size_t type = j->best[0];
	double bound = j->score == r->points ? r->c->bound : (double)r->c->model->bound;

	set_type(out_r, &r->c->types[type]);
	out_r->confidence = j->confidence;
	out_r->is_auto = j->confidence >= bound && (r->n_runes >= RUNES_MIN || has_points(r));
	out_r->is_ongoing = is_ongoing(r, type, j->urgency);
	out_r->urgency = urgency_of(r, type, j->urgency, out_r->is_ongoing);
	out_r->why = explain(r, j, type);
	set_alternatives(r, j, out_r);
}

void hl_classify(const struct hl_classifier *c, struct hl_slice text, struct hl_arena *arena,
		 struct hl_classified *out_r)
{
	struct hl_reading r = {.c = c, .arena = arena};
	struct judged j = {0};

	*out_r = (struct hl_classified){.urgency = HL_NORMAL, .why = "nothing known was found in the text"};
	set_type(out_r, &c->types[c->fallback]);
	if (hl_read(&r, text))
		j.urgency = match_urgency(&r);
	out_r->is_guess = !r.points || !has_points(&r);
	if (hl_arena_failed(arena) || !judge(&r, &j)) {
		out_r->why = "the text could not be read: no memory";
		return;
	}
	if (j.n)
		set_known(&r, &j, out_r);
	else
		set_unknown(&r, &j, out_r);
	set_evidence(&r, &j, out_r);
}

const char *hl_classifier_rules_version(const struct hl_classifier *c)
{
	return c->version;
}

const char *hl_classifier_model_version(const struct hl_classifier *c)
{
	return c->model ? c->model->version : "";
}
