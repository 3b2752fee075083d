/* csv.c - CSV read and written (contract in hotline/csv.h)
 *
 * libcsv parses; it knows no lines, so it is fed byte by byte and the line feeds are counted here.
 */
#include "hotline/csv.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	struct hl_csv *csv;
	json_t *record;
	size_t line, begins_on, cap;
	bool has_failed; /* no memory */
};

static void on_field(void *text, size_t len, void *arg)
{
	struct reading *r = arg;
	json_t *value = json_stringn(text ? text : "", len);
	if (!value || json_array_append_new(r->record, value))
		r->has_failed = true;
}

static bool is_blank(const json_t *record)
{
	return json_array_size(record) == 0 ||
	       (json_array_size(record) == 1 && json_string_length(json_array_get(record, 0)) == 0);
}

static bool make_room(struct reading *r, size_t n)
{
	if (n < r->cap)
		return true;
	size_t cap = r->cap ? r->cap * 2 : 64;
	size_t *lines = reallocarray(r->csv->lines, cap, sizeof *lines);
	if (!lines)
		return false;
	r->csv->lines = lines;
	r->cap = cap;
	return true;
}

static void on_record(int end, void *arg)
{
	struct reading *r = arg;
	size_t n = json_array_size(r->csv->records);
	(void)end;
	if (!is_blank(r->record)) {
		if (!make_room(r, n) || json_array_append(r->csv->records, r->record))
			r->has_failed = true;
		else
			r->csv->lines[n] = r->begins_on;
	}
	json_decref(r->record);
	r->record = json_array();
	r->has_failed |= !r->record;
	r->begins_on = 0;
}

static enum hl_class parse(struct csv_parser *parser, struct hl_slice text, struct reading *r, struct hl_error *err)
{
	for (size_t i = 0; i < text.len && !r->has_failed; i++) {
		char c = text.ptr[i];
		if (r->begins_on == 0 && c != '\r' && c != '\n')
			r->begins_on = r->line;
		if (csv_parse(parser, &c, 1, on_field, on_record, r) != 1)
			return hl_fail(err, HL_INPUT, "line %zu: a quote must open and close a whole field", r->line);
		r->line += c == '\n';
	}
	if (csv_fini(parser, on_field, on_record, r) != 0)
		return hl_fail(err, HL_INPUT, "line %zu: the quote that is opened here must be closed", r->begins_on);
	return r->has_failed ? hl_fail(err, HL_NOMEM, "no memory for line %zu", r->line) : HL_OK;
}

enum hl_class hl_csv_read(struct hl_slice text, struct hl_csv *csv_r, struct hl_error *err)
{
	struct csv_parser parser;
	struct reading r = {.csv = csv_r, .record = json_array(), .line = 1};
	enum hl_class cls;
	*csv_r = (struct hl_csv){.records = json_array()};
	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0 || !r.record || !csv_r->records) {
		cls = hl_fail(err, HL_NOMEM, "no memory for CSV");
	} else {
		cls = parse(&parser, text, &r, err);
		csv_free(&parser);
	}
	json_decref(r.record);
	if (cls)
		hl_csv_fini(csv_r);
	return cls;
}

void hl_csv_fini(struct hl_csv *csv)
{
	json_decref(csv->records);
	free(csv->lines);
	*csv = (struct hl_csv){0};
}

static void write_field(struct hl_buf *out, struct hl_slice text)
{
	bool is_bare = text.len > 0 && text.ptr[0] != ' ' && text.ptr[text.len - 1] != ' ';
	for (size_t i = 0; i < text.len; i++)
		is_bare = is_bare && !memchr("\",\r\n\t", text.ptr[i], 5);
	if (is_bare || text.len == 0) {
		hl_buf_add(out, text);
		return;
	}
	hl_buf_add(out, HL_LIT("\""));
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"')
			hl_buf_add(out, HL_LIT("\""));
		hl_buf_add(out, (struct hl_slice){text.ptr + i, 1});
	}
	hl_buf_add(out, HL_LIT("\""));
}

void hl_csv_write(struct hl_buf *out, const json_t *record)
{
	const json_t *text;
	size_t i;
	json_array_foreach (record, i, text) {
		if (i > 0)
			hl_buf_add(out, HL_LIT(","));
		write_field(out, (struct hl_slice){json_string_value(text), json_string_length(text)});
	}
	hl_buf_add(out, HL_LIT("\r\n"));
}
