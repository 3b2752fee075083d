/* train.c - hotlinectl train: learns the model from labelled texts, writes model.json, prints the report
 *
 * The model file holds hashes and weights only; no word of a text is in it. The same texts, rules and examples
 * give the same file, byte for byte, on the same machine.
 */
#include "train.h"

#include <math.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#define ROW_BYTES     (8 + HL_MODEL_COLUMNS)
#define POINTS_SHORT  0.25f
#define POINTS_LONG   0.1f
#define VERSION_BYTES 8
#define DAYS          365 /* of cases that are learnt from */
#define DAYS_MAX      3650

static void put_u32(unsigned char *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(value >> 8 * i);
}

/* put_row - weights of one feature in 8 bits; the scale is what one step stands for. */
static void put_row(unsigned char *p, uint32_t id, const weights *w)
{
	float most = 1e-9f, scale;
	uint32_t bits;

	for (size_t j = 0; j < HL_MODEL_COLUMNS; j++)
		most = fmaxf(most, fabsf(w[j]));
	scale = most / 127;
	memcpy(&bits, &scale, sizeof(bits));
	put_u32(p, id);
	put_u32(p + 4, bits);
	for (size_t j = 0; j < HL_MODEL_COLUMNS; j++)
		p[8 + j] = (unsigned char)(int8_t)lrintf(w[j] / scale);
}

static json_t *rows_json(const struct training *t, const weights *w, char version[2 * VERSION_BYTES + 1])
{
	size_t n = t->dict.n * ROW_BYTES;
	unsigned char *bytes = malloc(n), *text = malloc((n + 2) / 3 * 4 + 1), digest[SHA256_DIGEST_LENGTH];
	json_t *rows = NULL;

	if (bytes && text) {
		for (size_t i = 0; i < t->dict.n; i++)
			put_row(bytes + i * ROW_BYTES, t->ids[i], w + i * HL_MODEL_COLUMNS);
		SHA256(bytes, n, digest);
		for (int i = 0; i < VERSION_BYTES; i++)
			snprintf(version + 2 * i, 3, "%02x", digest[i]);
		rows = json_stringn((const char *)text, (size_t)EVP_EncodeBlock(text, bytes, (int)n));
	}
	free(bytes);
	free(text);
	return rows;
}

/* Four digits are more than these numbers are good for. */
static json_t *rounded(float value)
{
	return json_real(round((double)value * 10000) / 10000);
}

static json_t *model_json(const struct training *t, const weights *w)
{
	char version[2 * VERSION_BYTES + 1] = "";
	json_t *columns = json_array(), *knots = json_array(), *rows = rows_json(t, w, version);

	for (size_t i = 0; i < t->c->n_types; i++)
		json_array_append_new(columns, json_pack("{s:s, s:s, s:o}", "type", t->c->types[i].code, "of", version,
							 "bias", rounded(t->shape.bias[i])));
	for (size_t i = 0; i < t->shape.n_knots; i++)
		json_array_append_new(
			knots, json_pack("[o, o]", rounded(t->shape.knots[i][0]), rounded(t->shape.knots[i][1])));
	return json_pack("{s:s, s:s, s:o, s:o, s:[o, o], s:o, s:o, s:I, s:o}", "about",
			 "Learned weights, made by `hotlinectl train`; not for editing. See model.md.", "version",
			 version, "columns", columns, "temperature", rounded(t->shape.temperature), "points",
			 rounded(t->shape.points_short), rounded(t->shape.points_long), "knots", knots, "bound",
			 rounded(t->shape.bound), "n", (json_int_t)t->dict.n, "rows", rows);
}

static int write_model(struct training *t, const char *path)
{
	weights *w = train_fit(t, TRAIN_FOLDS);
	json_t *doc = w ? model_json(t, w) : NULL;
	int rc = doc && json_dump_file(doc, path, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) == 0
			 ? CTL_OK
			 : ctl_fail(t->ctl, "%s: cannot be written", path);

	if (rc == CTL_OK)
		fprintf(stderr, "train: %zu samples, %zu features, %s\n", t->n, t->dict.n, path);
	json_decref(doc);
	free(w);
	return rc;
}

static int init_shape(struct training *t)
{
	struct hl_model *m = &t->shape;

	if (t->c->n_types > HL_MODEL_COLUMNS)
		return ctl_fail(t->ctl, "more than %d case types", HL_MODEL_COLUMNS);
	m->n_columns = t->c->n_types;
	for (size_t i = 0; i < m->n_columns; i++) {
		m->columns[i] = i;
		m->bias[i] = t->c->types[i].is_out ? TRAIN_SCOPE_SHARE : 0;
	}
	m->points_short = POINTS_SHORT;
	m->points_long = POINTS_LONG;
	return CTL_OK;
}

static int learn(struct training *t, const char *from, int days, const char *to, FILE *report)
{
	int rc = init_shape(t);

	if (rc == CTL_OK)
		rc = train_read(t, from, days);
	if (rc == CTL_OK)
		rc = train_number(t);
	if (rc == CTL_OK)
		rc = train_validate(t, report);
	return rc == CTL_OK && to ? write_model(t, to) : rc;
}

/* set_base - without a file of labelled texts the model in use is adapted. Its way from score to confidence stays. */
static int set_base(struct training *t)
{
	const struct hl_model *base = t->c->model;

	if (!base)
		return ctl_fail(t->ctl, "there is no model to adapt: give --from FILE");
	t->base = base;
	t->shape.temperature = base->temperature;
	t->shape.bound = base->bound;
	t->shape.n_knots = base->n_knots;
	memcpy(t->shape.knots, base->knots, sizeof(base->knots));
	return CTL_OK;
}

/* Settled within so many days; 0: cases are not asked for, -1: no number. */
static int days_of(struct ctl *ctl)
{
	const char *word = ctl_option(ctl, "--days");
	char *end = NULL;
	long days = word ? strtol(word, &end, 10) : DAYS;

	if (!ctl_flag(ctl, "--from-cases"))
		return 0;
	return (word && *end) || days < 1 || days > DAYS_MAX ? -1 : (int)days;
}

int cmd_train(struct ctl *ctl)
{
	const char *from = ctl_option(ctl, "--from"), *to = ctl_option(ctl, "--to");
	struct training t = {.ctl = ctl, .is_without_rules = ctl_flag(ctl, "--without-rules")};
	FILE *report = !to || ctl_flag(ctl, "--report") ? stdout : NULL;
	int days = days_of(ctl), rc = CTL_OK;
	struct hl_refdata *ref;

	if (days < 0)
		return ctl_fail(ctl, "--days: a number of days up to %d is needed", DAYS_MAX);
	if (!from && days == 0)
		return ctl_fail(ctl, "--from FILE or --from-cases: labelled texts are needed"), CTL_USAGE;
	ref = ctl_refdata(ctl);
	if (!ref)
		return CTL_FAILED;
	t.c = ref->classifier;
	if (!from)
		rc = set_base(&t);
	if (rc == CTL_OK)
		rc = learn(&t, from, days, to, report);
	hl_arena_fini(&t.arena);
	free(t.samples);
	hl_refdata_free(&ref);
	return rc;
}
