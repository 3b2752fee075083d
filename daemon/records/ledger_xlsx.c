/* ledger_xlsx.c - the ledger as a workbook: a sheet of cases, a sheet of tasks, or a pair per month
 *
 * libxlsxwriter in constant-memory mode: a row goes to the sheet's temporary file when the next one
 * begins, so that a million cases need no more memory than ten.
 */
#include "ledger_format.h"

#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

/* A sheet has 1,048,576 rows. One is the head; some are left for tasks that are added while pages are read. */
#define SHEET_ROWS (1048576 - 1024)
#define CELL_BYTES 32000 /* a cell holds 32,767 characters */

struct tab {
	lxw_worksheet *sheet;
	const struct column_set *set;
	lxw_row_t row; /* next free one */
};

struct book {
	lxw_workbook *workbook;
	lxw_format *head, *time;
	struct tab cases, tasks;
	bool by_month;
	char month[8]; /* of the open pair of sheets */
	bool is_broken;
};

/* Does everything fit two sheets? If not, does every month? Gives the month that does not, in err. */
static enum hl_class plan(const json_t *months, bool *by_month, struct hl_error *err)
{
	json_int_t n_cases = 0, n_tasks = 0;
	const json_t *m;
	size_t i;

	json_array_foreach (months, i, m) {
		json_int_t cases = json_integer_value(json_object_get(m, "cases"));
		json_int_t tasks = json_integer_value(json_object_get(m, "tasks"));

		if (cases > SHEET_ROWS || tasks > SHEET_ROWS)
			return hl_fail(
				err, HL_LIMIT, "%s has %lld cases and %lld tasks, more than a sheet holds: use --csv",
				json_string_value(json_object_get(m, "month")), (long long)cases, (long long)tasks);
		n_cases += cases;
		n_tasks += tasks;
	}
	*by_month = n_cases > SHEET_ROWS || n_tasks > SHEET_ROWS;
	return HL_OK;
}

static void end_tab(struct tab *tab)
{
	if (tab->sheet && tab->row > 0)
		worksheet_autofilter(tab->sheet, 0, 0, tab->row - 1, (lxw_col_t)(tab->set->n - 1));
}

static void begin_tab(const struct hl_ledger *l, struct tab *tab, const struct column_set *set, const char *month)
{
	struct book *b = l->state;
	const char *title = l->options.is_english ? set->en : set->zh;
	char name[32];

	end_tab(tab);
	snprintf(name, sizeof(name), "%s%s%s", title, *month ? " " : "", month);
	*tab = (struct tab){.sheet = workbook_add_worksheet(b->workbook, name), .set = set};
	if (!tab->sheet) {
		b->is_broken = true;
		return;
	}
	for (size_t i = 0; i < set->n; i++) {
		const struct column *c = &set->columns[i];

		worksheet_set_column(tab->sheet, (lxw_col_t)i, (lxw_col_t)i, c->width, NULL);
		worksheet_write_string(tab->sheet, 0, (lxw_col_t)i, l->options.is_english ? c->en : c->zh, b->head);
	}
	worksheet_freeze_panes(tab->sheet, 1, 1);
	worksheet_repeat_rows(tab->sheet, 0, 0);
	worksheet_set_landscape(tab->sheet);
	tab->row = 1;
}

static void begin_tabs(const struct hl_ledger *l, const char *month)
{
	struct book *b = l->state;

	begin_tab(l, &b->cases, &case_columns, month);
	begin_tab(l, &b->tasks, &task_columns, month);
	snprintf(b->month, sizeof(b->month), "%s", month);
}

static enum hl_class xlsx_open(struct hl_ledger *l, const json_t *opened, struct hl_error *err)
{
	struct book *b = calloc(1, sizeof(*b));
	lxw_workbook_options options = {.constant_memory = LXW_TRUE};
	enum hl_class cls;

	if (!b)
		return hl_fail(err, HL_NOMEM, "out of memory");
	cls = plan(json_object_get(opened, "months"), &b->by_month, err);
	b->workbook = cls == HL_OK ? workbook_new_opt(l->options.path, &options) : NULL;
	if (!b->workbook) {
		free(b);
		return cls == HL_OK ? hl_fail(err, HL_NOMEM, "out of memory") : cls;
	}
	b->head = workbook_add_format(b->workbook);
	format_set_bold(b->head);
	format_set_bg_color(b->head, 0xD9E2EC);
	b->time = workbook_add_format(b->workbook);
	format_set_num_format(b->time, "yyyy-mm-dd hh:mm:ss");
	l->state = b;
	if (!b->by_month)
		begin_tabs(l, "");
	return HL_OK;
}

static void put_time(const struct book *b, const struct tab *tab, lxw_col_t col, const char *text)
{
	lxw_datetime t = {0};
	int second;

	if (sscanf(text, "%d-%d-%d %d:%d:%d", &t.year, &t.month, &t.day, &t.hour, &t.min, &second) != 6)
		return;
	t.sec = second;
	worksheet_write_datetime(tab->sheet, tab->row, col, &t, b->time);
}

static void put_text(const struct tab *tab, lxw_col_t col, const char *text)
{
	size_t n = strnlen(text, CELL_BYTES);
	char *safe;

	while (n > 0 && (text[n] & 0xC0) == 0x80) /* not in the middle of a character */
		n--;
	if (n == 0 ||
	    asprintf(&safe, "%s%.*s%s", hl_cell_is_formula(text) ? "'" : "", (int)n, text, text[n] ? "…" : "") < 0)
		return;
	worksheet_write_string(tab->sheet, tab->row, col, safe, NULL);
	free(safe);
}

static void put_row(struct book *b, struct tab *tab, const json_t *row)
{
	char scratch[40];

	for (size_t i = 0; tab->sheet && i < tab->set->n; i++) {
		const struct column *c = &tab->set->columns[i];
		const char *text = cell_text(row, c, scratch, sizeof(scratch));
		lxw_col_t col = (lxw_col_t)i;

		if (c->kind == COLUMN_TIME)
			put_time(b, tab, col, text);
		else if (c->kind == COLUMN_NUMBER && *text)
			worksheet_write_number(tab->sheet, tab->row, col, strtod(text, NULL), NULL);
		else
			put_text(tab, col, text);
	}
	tab->row++;
}

static void xlsx_add(struct hl_ledger *l, const json_t *row)
{
	struct book *b = l->state;
	const char *month = json_string_value(json_object_get(row, "month"));
	const json_t *task;
	size_t i;

	if (b->by_month && month && strcmp(month, b->month) != 0)
		begin_tabs(l, month);
	put_row(b, &b->cases, row);
	json_array_foreach (json_object_get(row, "tasks"), i, task)
		put_row(b, &b->tasks, task);
}

static bool xlsx_close(struct hl_ledger *l)
{
	struct book *b = l->state;
	bool is_whole;

	end_tab(&b->cases);
	end_tab(&b->tasks);
	is_whole = workbook_close(b->workbook) == LXW_NO_ERROR && !b->is_broken;
	free(b);
	return is_whole;
}

const struct ledger_format xlsx_format = {xlsx_open, xlsx_add, xlsx_close};
