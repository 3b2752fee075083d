/* export.c - hotlinectl export: reference data as the database holds it, in a form that import takes back unchanged */
#include "import.h"

#include "hotline/csv.h"

#include <stdlib.h>
#include <string.h>

#define EXPORT_MAX_BYTES ((size_t)256 << 20)

static void add_record(struct hl_buf *out, json_t *record)
{
	hl_csv_write(out, record);
	json_decref(record);
}

static int print_csv(struct ctl *ctl, const struct hl_reftable *table, const json_t *doc)
{
	json_t *rows = hl_reftable_rows(table, doc), *columns = hl_reftable_columns(table, rows);
	const json_t *row, *name;
	struct hl_buf out;
	size_t i, k;
	int rc = CTL_OK;
	hl_buf_init(&out, EXPORT_MAX_BYTES);
	hl_csv_write(&out, columns);
	json_array_foreach (rows, i, row) {
		json_t *record = json_array();
		json_array_foreach (columns, k, name) {
			char *cell = hl_reftable_cell(json_object_get(row, json_string_value(name)));
			json_array_append_new(record, json_string(cell ? cell : ""));
			free(cell);
		}
		add_record(&out, record);
	}
	if (hl_buf_failed(&out))
		rc = ctl_fail(ctl, "out of memory");
	else
		fwrite(out.ptr, 1, out.len, stdout);
	hl_buf_fini(&out);
	json_decref(rows);
	json_decref(columns);
	return rc;
}

static int print_export(struct ctl *ctl, PGconn *conn, const struct hl_reftable *table)
{
	const char *kind = hl_reftable_kind(table);
	json_t *config = import_call(ctl, conn, "config", json_object()), *rows, *doc;
	int rc = CTL_OK;
	if (!config)
		return CTL_FAILED;
	rows = json_object_get(config, kind);
	doc = rows ? json_pack("{s:O}", hl_reftable_list(table), rows) : json_incref(import_current(table, config));
	if (!doc)
		rc = ctl_fail(ctl, "%s: nothing was imported yet%s", kind,
			      strcmp(kind, "calendar") == 0 ? ", or by a version that did not keep what it came from"
							    : "");
	else if (ctl_flag(ctl, "--csv"))
		rc = print_csv(ctl, table, doc);
	else
		ctl_print(doc);
	json_decref(doc);
	json_decref(config);
	return rc;
}

int cmd_export(struct ctl *ctl)
{
	const char *kind = ctl_word(ctl, 0);
	const struct hl_reftable *table = kind ? hl_reftable_find(kind) : NULL;
	PGconn *conn;
	int rc;
	if (!table || ctl_word(ctl, 1))
		return CTL_USAGE;
	if (ctl_flag(ctl, "--csv") && !hl_reftable_has_csv(table))
		return ctl_fail(ctl, "%s: is nested and has no form as a table: use --json", kind);
	conn = import_connect(ctl);
	rc = conn ? print_export(ctl, conn, table) : CTL_FAILED;
	PQfinish(conn);
	return rc;
}
