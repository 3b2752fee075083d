/* model.c - reads the model document and scores a text (contract in model.h)
 *
 * Hand-written because liblinear's own file is text of many megabytes and its prediction takes doubles one class
 * after the other: here a feature's weights for all types lie side by side in 48 bytes, so a text costs one
 * cache line per feature it knows. Training is liblinear's (daemon/ctl/train.c).
 * The document: {"version", "columns": [{"type", "bias"}], "temperature", "points": [short, long],
 * "knots": [[share, right], ..], "bound", "n", "rows": base64 of n times {u32 id, f32 scale, 48 x i8}, little endian}.
 */
#include "intake/model.h"

#include <math.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define MODEL_BYTES ((size_t)48 * 1024 * 1024)
#define ROW_BYTES   (8 + HL_MODEL_COLUMNS)
/* What rules say counts in full up to so many points, and more in short texts, of which the model has seen few. */
#define POINTS_MAX  15.0
#define POINTS_UNIT 10.0
#define SHORT_RUNES 100
#define LONG_RUNES  200

static uint32_t read_u32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static float read_f32(const unsigned char *p)
{
	uint32_t bits = read_u32(p);
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static enum hl_class read_number(const json_t *value, const char *field, float low, float high, float *out_r,
				 struct hl_error *err)
{
	double number = json_number_value(value);

	if (!json_is_number(value) || !(number >= (double)low && number <= (double)high))
		return hl_fail(err, HL_INPUT, "%s: a number from %g to %g is needed", field, (double)low, (double)high);
	*out_r = (float)number;
	return HL_OK;
}

static enum hl_class read_types(struct hl_model *m, const json_t *doc, const struct hl_classifier *c,
				struct hl_error *err)
{
	const json_t *columns = json_object_get(doc, "columns");
	enum hl_class cls = HL_OK;

	m->n_columns = json_array_size(columns);
	if (!m->n_columns || m->n_columns > HL_MODEL_COLUMNS)
		return hl_fail(err, HL_INPUT, "columns: 1 to %d are needed", HL_MODEL_COLUMNS);
	for (size_t i = 0; i < m->n_columns && !cls; i++) {
		const json_t *column = json_array_get(columns, i);
		const char *code = json_string_value(json_object_get(column, "type"));

		m->columns[i] = hl_type_index(c, code);
		cls = m->columns[i] == HL_TYPE_NONE
			      ? hl_fail(err, HL_INPUT, "columns: \"%s\" is no case type", code ? code : "")
			      : read_number(json_object_get(column, "bias"), "bias", -10, 10, &m->bias[i], err);
	}
	return cls;
}

static enum hl_class read_knots(struct hl_model *m, const json_t *knots, struct hl_error *err)
{
	size_t n = json_array_size(knots);

	if (n < 2 || n > HL_MODEL_KNOTS)
		return hl_fail(err, HL_INPUT, "knots: 2 to %d pairs are needed", HL_MODEL_KNOTS);
	for (; m->n_knots < n; m->n_knots++) {
		const json_t *pair = json_array_get(knots, m->n_knots);
		float *knot = m->knots[m->n_knots];

		if (read_number(json_array_get(pair, 0), "knots", 0, 1, &knot[0], err) ||
		    read_number(json_array_get(pair, 1), "knots", 0, 1, &knot[1], err))
			return HL_INPUT;
		if (m->n_knots && (knot[0] <= m->knots[m->n_knots - 1][0] || knot[1] < m->knots[m->n_knots - 1][1]))
			return hl_fail(err, HL_INPUT, "knots: pairs must rise");
	}
	return HL_OK;
}

static enum hl_class read_scalars(struct hl_model *m, const json_t *doc, struct hl_error *err)
{
	const char *version = json_string_value(json_object_get(doc, "version"));
	const json_t *points = json_object_get(doc, "points");
	enum hl_class cls;

	if (!version || !*version || strlen(version) > 64)
		return hl_fail(err, HL_INPUT, "version: a string of 1 to 64 bytes is needed");
	m->version = hl_arena_strdup(&m->arena, hl_slice_str(version));
	cls = read_number(json_object_get(doc, "temperature"), "temperature", 0.01f, 10, &m->temperature, err);
	if (!cls)
		cls = read_number(json_array_get(points, 0), "points", 0, 10, &m->points_short, err);
	if (!cls)
		cls = read_number(json_array_get(points, 1), "points", 0, 10, &m->points_long, err);
	if (!cls)
		cls = read_number(json_object_get(doc, "bound"), "bound", 0, 1, &m->bound, err);
	return cls ? cls : read_knots(m, json_object_get(doc, "knots"), err);
}

static enum hl_class decode_rows(struct hl_model *m, const unsigned char *bytes, size_t n, struct hl_error *err)
{
	m->scales = hl_arena_array(&m->arena, n, sizeof(*m->scales));
	m->rows = hl_arena_array(&m->arena, n, sizeof(*m->rows));
	if (!m->scales || !m->rows || !hl_dict_init(&m->dict, &m->arena, n))
		return hl_fail(err, HL_NOMEM, "no memory for the model");
	for (size_t i = 0; i < n; i++, bytes += ROW_BYTES) {
		m->scales[i] = read_f32(bytes + 4);
		memcpy(m->rows[i], bytes + 8, HL_MODEL_COLUMNS);
		if (!(m->scales[i] > 0 && m->scales[i] < 1) || !hl_dict_add(&m->dict, read_u32(bytes)))
			return hl_fail(err, HL_INPUT, "rows: row %zu has no scale between 0 and 1, or comes twice", i);
	}
	return HL_OK;
}

static enum hl_class read_rows(struct hl_model *m, const json_t *doc, struct hl_error *err)
{
	const json_t *rows = json_object_get(doc, "rows");
	json_int_t n = json_integer_value(json_object_get(doc, "n"));
	size_t len = json_string_length(rows);
	unsigned char *bytes;
	enum hl_class cls;

	if (n < 1 || n > HL_MODEL_FEATURES || len != ((size_t)n * ROW_BYTES + 2) / 3 * 4)
		return hl_fail(err, HL_INPUT, "n, rows: 1 to %d rows of %d bytes in base64 are needed",
			       HL_MODEL_FEATURES, ROW_BYTES);
	bytes = malloc(len);
	if (!bytes)
		return hl_fail(err, HL_NOMEM, "no memory for the model");
	cls = EVP_DecodeBlock(bytes, (const unsigned char *)json_string_value(rows), (int)len) < 0
		      ? hl_fail(err, HL_INPUT, "rows: not base64")
		      : decode_rows(m, bytes, (size_t)n, err);
	free(bytes);
	return cls;
}

enum hl_class hl_model_new(const json_t *doc, const struct hl_classifier *c, struct hl_model **out_r,
			   struct hl_error *err)
{
	struct hl_model *m = calloc(1, sizeof(*m));
	enum hl_class cls;

	if (!m)
		return hl_fail(err, HL_NOMEM, "no memory for the model");
	hl_arena_init(&m->arena, MODEL_BYTES);
	cls = read_types(m, doc, c, err);
	if (!cls)
		cls = read_scalars(m, doc, err);
	if (!cls)
		cls = read_rows(m, doc, err);
	if (cls)
		hl_model_free(&m);
	*out_r = m;
	return cls;
}

void hl_model_free(struct hl_model **m)
{
	if (!*m)
		return;
	hl_arena_fini(&(*m)->arena);
	free(*m);
	*m = NULL;
}

size_t hl_model_bytes(const struct hl_model *m)
{
	return sizeof(*m) + m->arena.used_bytes;
}

bool hl_model_score(const struct hl_model *m, const struct hl_features *f, struct hl_arena *arena, float *scores,
		    struct hl_value **values_r, size_t *n_r)
{
	struct hl_value *values = hl_features_weigh(f, &m->dict, arena, n_r);
	float sums[HL_MODEL_COLUMNS] = {0};

	*values_r = values;
	if (!values)
		return false;
	for (size_t i = 0; i < *n_r; i++) {
		const int8_t *row = m->rows[values[i].number];
		float weight = values[i].value * m->scales[values[i].number];

		for (size_t j = 0; j < HL_MODEL_COLUMNS; j++)
			sums[j] += weight * (float)row[j];
	}
	for (size_t j = 0; j < m->n_columns; j++)
		scores[m->columns[j]] += m->bias[j] + sums[j];
	return true;
}

/* points_factor - what ten points are worth in a text of this length. */
static double points_factor(const struct hl_model *m, size_t n_runes)
{
	double share = n_runes <= SHORT_RUNES  ? 0
		       : n_runes >= LONG_RUNES ? 1
					       : (double)(n_runes - SHORT_RUNES) / (LONG_RUNES - SHORT_RUNES);

	return ((1 - share) * (double)m->points_short + share * (double)m->points_long) / POINTS_UNIT;
}

void hl_model_probabilities(const struct hl_model *m, const struct hl_classifier *c, const float *scores,
			    const double *points, size_t n_runes, double *out_r)
{
	double factor = points_factor(m, n_runes), most = -INFINITY, sum = 0;

	memset(out_r, 0, c->n_types * sizeof(*out_r));
	for (size_t i = 0; i < m->n_columns; i++) {
		size_t t = m->columns[i];

		out_r[t] = (double)scores[t] + factor * fmin(points[t], POINTS_MAX);
		most = fmax(most, out_r[t]);
	}
	for (size_t i = 0; i < m->n_columns; i++) {
		double *p = &out_r[m->columns[i]];

		*p = exp((*p - most) / (double)m->temperature);
		sum += *p;
	}
	for (size_t i = 0; i < m->n_columns; i++)
		out_r[m->columns[i]] /= sum;
}

double hl_model_unit_share(const struct hl_classifier *c, const double *probability, size_t type)
{
	const struct hl_matter *types = c->types;
	struct hl_slice lead = hl_slice_str(types[type].lead);
	double share = 0;

	for (size_t t = 0; t < c->n_types; t++)
		if (hl_slice_eq_str(lead, types[t].lead) && types[t].is_out == types[type].is_out)
			share += probability[t];
	return share;
}

size_t hl_model_reasons(const struct hl_model *m, const struct hl_value *values, size_t n, size_t type,
			struct hl_reason out_r[HL_MODEL_REASONS])
{
	size_t column = 0, n_out = 0;

	while (column < m->n_columns && m->columns[column] != type)
		column++;
	for (size_t i = 0; i < n && column < m->n_columns; i++) {
		float share = values[i].value * m->scales[values[i].number] * m->rows[values[i].number][column];
		size_t at = n_out;

		if (share <= 0 || values[i].first->end == 0)
			continue;
		while (at > 0 && out_r[at - 1].share < share)
			at--;
		if (at == HL_MODEL_REASONS)
			continue;
		n_out += n_out < HL_MODEL_REASONS;
		memmove(&out_r[at + 1], &out_r[at], (n_out - 1 - at) * sizeof(*out_r));
		out_r[at] = (struct hl_reason){values[i].first, share};
	}
	return n_out;
}

/* between_knots - straight between two knots, flat beyond the first and the last. */
static double between_knots(const struct hl_model *m, double share)
{
	const float *low, *high;
	size_t i = 1;

	while (i + 1 < m->n_knots && (double)m->knots[i][0] < share)
		i++;
	low = m->knots[i - 1];
	high = m->knots[i];
	share = fmin(fmax(share, (double)low[0]), (double)high[0]);
	return (double)low[1] + (double)(high[1] - low[1]) * (share - (double)low[0]) / (double)(high[0] - low[0]);
}

/* sure_rules - confidence where the rules alone would dispatch to the unit of this type; else 0. */
static double sure_rules(const struct hl_model *m, const struct hl_classifier *c, size_t type, const double *points)
{
	struct hl_slice lead = hl_slice_str(c->types[type].lead);
	double strength = 0;

	for (size_t t = 0; t < c->n_types; t++)
		if (hl_slice_eq_str(lead, c->types[t].lead) && c->types[t].is_out == c->types[type].is_out)
			strength = fmax(strength, hl_points_strength(c, points, t));
	if (strength < c->bound)
		return 0;
	return (double)m->bound + (1 - (double)m->bound) * (strength - c->bound) / (1 - c->bound + 1e-9);
}

double hl_model_confidence(const struct hl_model *m, const struct hl_classifier *c, const double *probability,
			   size_t type, const double *points, size_t n_runes)
{
	double confidence = between_knots(m, hl_model_unit_share(c, probability, type));

	return n_runes > SHORT_RUNES ? confidence : fmax(confidence, sure_rules(m, c, type, points));
}
