/* ledger.c - the ledger's life, and its two plain formats (contract in hotline/records.h)
 *
 * CSV is written by hand: RFC 4180 is a rule about quotes, and what matters here, that no cell is
 * ever run as a formula, is ours to know anyway.
 */
#include "ledger_format.h"

#include <stdlib.h>
#include <string.h>

bool hl_cell_is_formula(const char *text)
{
	return *text && strchr("=+-@\t\r", *text) != NULL;
}

/* "2026-11-25T21:40:07+08:00" -> "2026-11-25 21:40:07": the county's own time, as spreadsheets read it. */
static const char *plain_time(const char *iso, char *scratch, size_t scratch_bytes)
{
	snprintf(scratch, scratch_bytes, "%.19s", iso);
	if (strlen(scratch) == 19)
		scratch[10] = ' ';
	return scratch;
}

const char *cell_text(const json_t *row, const struct column *column, char *scratch, size_t scratch_bytes)
{
	const json_t *field = json_object_get(row, column->key);

	if (json_is_string(field) && column->kind == COLUMN_TIME)
		return plain_time(json_string_value(field), scratch, scratch_bytes);
	if (json_is_string(field))
		return json_string_value(field);
	if (json_is_integer(field))
		snprintf(scratch, scratch_bytes, "%lld", (long long)json_integer_value(field));
	else
		snprintf(scratch, scratch_bytes, "%s", json_is_true(field) ? "yes" : "");
	return scratch;
}

/* ---- CSV ------------------------------------------------------------------ */

static void put_cell(FILE *out, const char *text, bool is_number)
{
	fputc('"', out);
	if (!is_number && hl_cell_is_formula(text))
		fputc('\'', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void put_row(struct hl_ledger *l, const struct column_set *set, const json_t *row)
{
	char scratch[40];

	for (size_t i = 0; i < set->n; i++) {
		const struct column *c = &set->columns[i];

		if (i > 0)
			fputc(',', l->options.out);
		if (row)
			put_cell(l->options.out, cell_text(row, c, scratch, sizeof(scratch)), c->kind == COLUMN_NUMBER);
		else
			put_cell(l->options.out, l->options.is_english ? c->en : c->zh, false);
	}
	fputs("\r\n", l->options.out);
}

static enum hl_class csv_open(struct hl_ledger *l, const json_t *opened, struct hl_error *err)
{
	(void)opened;
	(void)err;
	fputs("\xef\xbb\xbf", l->options.out); /* spreadsheets take UTF-8 for what it is only behind this mark */
	put_row(l, l->options.of_tasks ? &task_columns : &case_columns, NULL);
	return HL_OK;
}

static void csv_add(struct hl_ledger *l, const json_t *row)
{
	const json_t *task;
	size_t i;

	if (!l->options.of_tasks)
		put_row(l, &case_columns, row);
	else
		json_array_foreach (json_object_get(row, "tasks"), i, task)
			put_row(l, &task_columns, task);
}

static bool stream_is_whole(struct hl_ledger *l)
{
	return fflush(l->options.out) == 0 && !ferror(l->options.out);
}

const struct ledger_format csv_format = {csv_open, csv_add, stream_is_whole};

/* ---- JSON ----------------------------------------------------------------- */

static enum hl_class json_open(struct hl_ledger *l, const json_t *opened, struct hl_error *err)
{
	bool *is_later = calloc(1, sizeof(*is_later));

	if (!is_later)
		return hl_fail(err, HL_NOMEM, "out of memory");
	l->state = is_later;
	fprintf(l->options.out, "{\"export\": %lld, \"as_of\": \"%s\", \"cases\": [",
		(long long)json_integer_value(json_object_get(opened, "export")),
		json_string_value(json_object_get(opened, "as_of")));
	return HL_OK;
}

static void json_add(struct hl_ledger *l, const json_t *row)
{
	bool *is_later = l->state;

	fputs(*is_later ? ",\n" : "\n", l->options.out);
	json_dumpf(row, l->options.out, JSON_COMPACT);
	*is_later = true;
}

static bool json_close(struct hl_ledger *l)
{
	free(l->state);
	fputs("\n]}\n", l->options.out);
	return stream_is_whole(l);
}

const struct ledger_format json_format = {json_open, json_add, json_close};

/* ---- life ----------------------------------------------------------------- */

enum hl_class hl_ledger_open(const struct hl_ledger_options *options, const json_t *opened, struct hl_ledger **out_r,
			     struct hl_error *err)
{
	static const struct ledger_format *const formats[] = {
		[HL_LEDGER_CSV] = &csv_format, [HL_LEDGER_XLSX] = &xlsx_format, [HL_LEDGER_JSON] = &json_format};
	struct hl_ledger *l = calloc(1, sizeof(*l));
	enum hl_class cls;

	*out_r = l;
	if (!l)
		return hl_fail(err, HL_NOMEM, "out of memory");
	l->options = *options;
	l->format = formats[options->format];
	cls = l->format->open(l, opened, err);
	if (cls != HL_OK) {
		free(l);
		*out_r = NULL;
	}
	return cls;
}

enum hl_class hl_ledger_add(struct hl_ledger *ledger, const json_t *rows, struct hl_error *err)
{
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row)
		ledger->format->add(ledger, row);
	if (ledger->options.out && ferror(ledger->options.out))
		return hl_fail(err, HL_RETRY, "the ledger cannot be written: %m");
	return HL_OK;
}

enum hl_class hl_ledger_close(struct hl_ledger **lp, struct hl_error *err)
{
	struct hl_ledger *l = *lp;
	bool is_whole;

	if (!l)
		return HL_OK;
	*lp = NULL;
	is_whole = l->format->close(l);
	free(l);
	return is_whole ? HL_OK : hl_fail(err, HL_RETRY, "the ledger cannot be written");
}
