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

static int learn(struct training *t, const char *from, const char *to, FILE *report)
{
	int rc = init_shape(t);

	if (rc == CTL_OK)
		rc = train_read(t, from);
	if (rc == CTL_OK)
		rc = train_number(t);
	if (rc == CTL_OK)
		rc = train_validate(t, report);
	return rc == CTL_OK && to ? write_model(t, to) : rc;
}

int cmd_train(struct ctl *ctl)
{
	const char *from = ctl_option(ctl, "--from"), *to = ctl_option(ctl, "--to");
	struct training t = {.ctl = ctl};
	struct hl_refdata *ref;
	int rc;

	if (!from)
		return ctl_fail(ctl, "--from FILE: labelled texts are needed"), CTL_USAGE;
	ref = ctl_refdata(ctl);
	if (!ref)
		return CTL_FAILED;
	t.c = ref->classifier;
	rc = learn(&t, from, to, stdout);
	hl_arena_fini(&t.arena);
	free(t.samples);
	hl_refdata_free(&ref);
	return rc;
}
