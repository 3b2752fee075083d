/* train_set.c - labelled texts as samples: read, cut into folds, turned into vectors */
#include "train.h"

#include "hotline/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES   ((size_t)3 << 30)
#define SCRATCH_BYTES ((size_t)64 << 20)
#define TITLE_DF      4 /* a feature must come in so many samples: what is rarer is chance or a name */
#define WHOLE_DF      10
#define RULES_DF      2
#define GRAM_BYTES    9  /* of three Chinese characters */
#define SHINGLE_GRAMS 12 /* those of 14 characters */
#define SHINGLES_MAX  600
#define COPIES_MAX    6

struct shingle {
	uint64_t hash;
	size_t sample;
};

/* ---- reading --------------------------------------------------------------- */

static struct sample *new_sample(struct training *t)
{
	struct sample *grown;

	if (t->n == t->cap) {
		grown = reallocarray(t->samples, t->cap ? t->cap * 2 : 1024, sizeof(*grown));
		if (!grown)
			return NULL;
		t->samples = grown;
		t->cap = t->cap ? t->cap * 2 : 1024;
	}
	t->samples[t->n] = (struct sample){.sureness = 3};
	return &t->samples[t->n++];
}

/* keep_features - only the list of features outlives the reading; its scratch does not. */
static bool keep_features(struct training *t, struct hl_slice text, struct hl_features *features, struct vector *v)
{
	struct hl_arena scratch;
	struct hl_features found;
	struct hl_reading r = {.c = t->c, .arena = &scratch};
	bool is_fine;

	hl_arena_init(&scratch, SCRATCH_BYTES);
	is_fine = hl_read(&r, hl_text_decode(&scratch, text, "UTF-8")) && hl_features_of(&r, &found);
	if (is_fine) {
		features->items = hl_arena_array(&t->arena, found.n + 1, sizeof(*found.items));
		v->points = hl_arena_array(&t->arena, t->c->n_types, sizeof(*v->points));
		is_fine = features->items && v->points;
	}
	if (is_fine) {
		memcpy(features->items, found.items, found.n * sizeof(*found.items));
		features->n = found.n;
		v->n_runes = r.n_runes;
		for (size_t i = 0; i < t->c->n_types && !t->is_without_rules; i++)
			v->points[i] = r.points[i];
	}
	hl_arena_fini(&scratch);
	return is_fine;
}

static bool add_texts(struct training *t, struct sample *s, const char *title, const char *text)
{
	bool has_title = title && *title;
	const char *whole = hl_arena_printf(&t->arena, "%s%s%s", has_title ? title : "", has_title && text ? "\n" : "",
					    text ? text : "");
	struct hl_slice alone = has_title ? hl_slice_str(title) : (struct hl_slice){0};
	struct hl_slice rest;

	/* A message without a title is judged by its first line. */
	if (!has_title)
		hl_slice_cut(hl_slice_str(whole), '\n', &alone, &rest);
	s->has_parts = has_title && text && *text;
	return keep_features(t, hl_slice_str(whole), &s->features, &s->whole) &&
	       keep_features(t, alone, &s->title_features, &s->title) &&
	       (!s->has_parts || keep_features(t, hl_slice_str(text), &s->body_features, &s->body));
}

static int read_labels(struct training *t, const json_t *line, struct sample *s)
{
	const char *code = json_string_value(json_object_get(line, "type"));
	const json_t *alt;
	size_t i;

	s->type = hl_type_index(t->c, code);
	if (s->type == HL_TYPE_NONE)
		return ctl_fail(t->ctl, "type: \"%s\" is no case type", code ? code : "");
	json_array_foreach (json_object_get(line, "alt"), i, alt) {
		size_t type = hl_type_index(t->c, json_string_value(alt));

		if (type == HL_TYPE_NONE)
			return ctl_fail(t->ctl, "alt: must be case types");
		if (s->n_alts < sizeof(s->alts) / sizeof(s->alts[0]))
			s->alts[s->n_alts++] = type;
	}
	if (json_is_integer(json_object_get(line, "conf")))
		s->sureness = (unsigned)json_integer_value(json_object_get(line, "conf"));
	return CTL_OK;
}

int train_add(struct training *t, const json_t *line)
{
	const char *title = json_string_value(json_object_get(line, "title")),
		   *text = json_string_value(json_object_get(line, "text"));
	struct sample *s = new_sample(t);

	if (!s)
		return ctl_fail(t->ctl, "no memory for another sample");
	if (read_labels(t, line, s))
		return CTL_FAILED;
	if (!title && !text)
		return ctl_fail(t->ctl, "title or text: must be a string");
	return add_texts(t, s, title, text) ? CTL_OK : ctl_fail(t->ctl, "no memory for another sample");
}

static int read_file(struct training *t, FILE *in, const char *path)
{
	char *line = NULL;
	size_t cap = 0, number = 0;
	int rc = CTL_OK;

	while (rc == CTL_OK && getline(&line, &cap, in) >= 0) {
		json_error_t at;
		json_t *o = json_loads(line, 0, &at);

		number++;
		if (!o)
			rc = ctl_fail(t->ctl, "%s:%zu: %s", path, number, at.text);
		else if (train_add(t, o))
			rc = ctl_fail(t->ctl, "%s:%zu: not a sample", path, number);
		json_decref(o);
	}
	free(line);
	return rc;
}

/* Own examples: {"about", "examples": {"HOU-1": [texts]}}. Rare types have nothing else to be learnt from. */
static int read_examples(struct training *t)
{
	char path[4096];
	json_error_t at;
	json_t *doc, *texts, *text;
	const char *code;
	size_t i;
	int rc = CTL_OK;

	snprintf(path, sizeof(path), "%s/examples.json", t->ctl->ref_dir);
	doc = json_load_file(path, JSON_REJECT_DUPLICATES, &at);
	if (!doc)
		return ctl_fail(t->ctl, "%s:%d: %s", path, at.line, at.text);
	json_object_foreach (json_object_get(doc, "examples"), code, texts)
		json_array_foreach (texts, i, text) {
			json_t *line = json_pack("{s:s, s:O}", "type", code, "text", text);

			if (rc == CTL_OK && (!line || train_add(t, line)))
				rc = ctl_fail(t->ctl, "%s: %s: text %zu is not a sample", path, code, i);
			else if (rc == CTL_OK)
				t->samples[t->n - 1].is_own = true;
			json_decref(line);
		}
	json_decref(doc);
	return rc;
}

static int read_path(struct training *t, const char *path)
{
	FILE *in = fopen(path, "r");
	int rc = in ? read_file(t, in, path) : ctl_fail(t->ctl, "%s: %m", path);

	if (in)
		fclose(in);
	if (rc == CTL_OK && t->n < TRAIN_FOLDS * 10)
		rc = ctl_fail(t->ctl, "%s: %zu samples are too few to learn from", path, t->n);
	return rc;
}

int train_read(struct training *t, const char *path, int days)
{
	int rc = CTL_OK;

	hl_arena_init(&t->arena, ARENA_BYTES);
	if (path)
		rc = read_path(t, path);
	if (rc == CTL_OK && days > 0)
		rc = train_cases(t, days);
	return rc == CTL_OK ? read_examples(t) : rc;
}

/* ---- folds ----------------------------------------------------------------- */

static int by_hash(const void *a, const void *b)
{
	const struct shingle *x = a, *y = b;

	return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : x->sample < y->sample ? -1 : x->sample > y->sample;
}

/* add_shingles - hashes of SHINGLE characters in a row: near-copies share many of them. */
static size_t add_shingles(const struct training *t, size_t sample, struct shingle *out)
{
	const struct hl_features *f = &t->samples[sample].features;
	uint32_t window[SHINGLE_GRAMS] = {0};
	size_t n = 0, seen = 0;

	for (size_t i = 0; i < f->n && n < SHINGLES_MAX; i++) {
		const struct hl_feature *x = &f->items[i];
		uint64_t hash = 0;

		if (x->block != HL_BLOCK_WHOLE || x->end - x->start < GRAM_BYTES)
			continue;
		window[seen++ % SHINGLE_GRAMS] = x->id;
		for (size_t k = 0; k < SHINGLE_GRAMS; k++)
			hash = hash * 0x9e3779b97f4a7c15ull + window[(seen + k) % SHINGLE_GRAMS];
		if (seen >= SHINGLE_GRAMS)
			out[n++] = (struct shingle){hash, sample};
	}
	return n;
}

static size_t root_of(size_t *parent, size_t i)
{
	while (parent[i] != i)
		i = parent[i] = parent[parent[i]];
	return i;
}

static void join_runs(const struct shingle *s, size_t n, size_t *parent)
{
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && s[end].hash == s[i].hash;)
			end++;
		/* What very many share is a set phrase. */
		for (size_t j = i + 1; j < end && end - i <= COPIES_MAX; j++)
			parent[root_of(parent, s[j].sample)] = root_of(parent, s[i].sample);
	}
}

static int cut_folds(struct training *t)
{
	size_t *parent = calloc(t->n, sizeof(*parent)), n = 0;
	struct shingle *shingles = calloc(t->n * SHINGLES_MAX, sizeof(*shingles));

	if (!parent || !shingles) {
		free(parent);
		free(shingles);
		return ctl_fail(t->ctl, "no memory for the folds");
	}
	for (size_t i = 0; i < t->n; i++) {
		parent[i] = i;
		n += add_shingles(t, i, shingles + n);
	}
	qsort(shingles, n, sizeof(*shingles), by_hash);
	join_runs(shingles, n, parent);
	for (size_t i = 0; i < t->n; i++)
		t->samples[i].fold = (unsigned)(root_of(parent, i) * 2654435761u >> 8) % TRAIN_FOLDS;
	free(parent);
	free(shingles);
	return CTL_OK;
}

/* ---- vectors --------------------------------------------------------------- */

struct seen {
	uint32_t id;
	enum hl_block block;
};

static int by_id(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static unsigned needed(const struct training *t, enum hl_block block)
{
	if (t->is_without_rules && (block == HL_BLOCK_RULES || block == HL_BLOCK_TITLE_RULES))
		return UINT_MAX;
	return block == HL_BLOCK_TITLE ? TITLE_DF : block == HL_BLOCK_WHOLE ? WHOLE_DF : RULES_DF;
}

/* Sorted distinct ids of one sample, appended to list. */
static size_t add_distinct(const struct hl_features *f, struct seen *list)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		list[i] = (struct seen){f->items[i].id, f->items[i].block};
	qsort(list, f->n, sizeof(*list), by_id);
	for (size_t i = 0; i < f->n; i++)
		if (!n || list[n - 1].id != list[i].id)
			list[n++] = list[i];
	return n;
}

static void add_feature(struct training *t, uint32_t id)
{
	size_t number = t->dict.n;

	if (number < HL_MODEL_FEATURES && hl_dict_add(&t->dict, id))
		t->ids[number] = id;
}

/* take_base - the base's features with their weights come first. */
static bool take_base(struct training *t)
{
	const struct hl_dict *d = &t->base->dict;

	t->prior = hl_arena_array(&t->arena, (size_t)HL_MODEL_FEATURES * HL_MODEL_COLUMNS, sizeof(*t->prior));
	if (!t->prior)
		return false;
	for (size_t i = 0; i <= d->mask; i++) {
		float *to = t->prior + t->dict.n * HL_MODEL_COLUMNS, scale;

		if (!d->ids[i])
			continue;
		add_feature(t, d->ids[i]);
		scale = t->base->scales[d->numbers[i]];
		for (size_t k = 0; k < t->base->n_columns; k++)
			to[t->base->columns[k]] = scale * (float)t->base->rows[d->numbers[i]][k];
	}
	return true;
}

static int choose_features(struct training *t)
{
	size_t n_all = 0, n = 0;
	struct seen *all;

	for (size_t i = 0; i < t->n; i++)
		n_all += t->samples[i].features.n;
	all = calloc(n_all + 1, sizeof(*all));
	t->ids = hl_arena_array(&t->arena, HL_MODEL_FEATURES, sizeof(*t->ids));
	if (!all || !t->ids || !hl_dict_init(&t->dict, &t->arena, HL_MODEL_FEATURES) || (t->base && !take_base(t))) {
		free(all);
		return ctl_fail(t->ctl, "no memory for the features");
	}
	for (size_t i = 0; i < t->n; i++)
		n += add_distinct(&t->samples[i].features, all + n);
	qsort(all, n, sizeof(*all), by_id);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && all[end].id == all[i].id;)
			end++;
		if (end - i >= needed(t, all[i].block))
			add_feature(t, all[i].id);
	}
	free(all);
	return CTL_OK;
}

static int by_index(const void *a, const void *b)
{
	return ((const struct feature_node *)a)->index - ((const struct feature_node *)b)->index;
}

static bool make_vector(struct training *t, const struct hl_features *f, struct vector *v)
{
	struct hl_arena scratch;
	struct hl_value *values;

	hl_arena_init(&scratch, SCRATCH_BYTES);
	values = hl_features_weigh(f, &t->dict, &scratch, &v->n_known);
	if (values)
		v->nodes = hl_arena_array(&t->arena, v->n_known + 1, sizeof(*v->nodes));
	if (values && v->nodes) {
		for (size_t i = 0; i < v->n_known; i++)
			v->nodes[i] = (struct feature_node){(int)values[i].number + 1, (double)values[i].value};
		qsort(v->nodes, v->n_known, sizeof(*v->nodes), by_index);
		v->nodes[v->n_known].index = -1;
	}
	hl_arena_fini(&scratch);
	return v->nodes;
}

int train_number(struct training *t)
{
	if (choose_features(t) || cut_folds(t))
		return CTL_FAILED;
	for (size_t i = 0; i < t->n; i++)
		if (!make_vector(t, &t->samples[i].features, &t->samples[i].whole) ||
		    !make_vector(t, &t->samples[i].title_features, &t->samples[i].title) ||
		    !make_vector(t, &t->samples[i].body_features, &t->samples[i].body))
			return ctl_fail(t->ctl, "no memory for the vectors");
	return CTL_OK;
}
