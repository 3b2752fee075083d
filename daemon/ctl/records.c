/* records.c - hotlinectl ledger and form: asks the daemon page by page, lets the records library write
 *
 * A file appears under its name only when it is whole.
 */
#include "ctl.h"

#include "hotline/records.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_ROWS 1000

/* ---- where it goes -------------------------------------------------------- */

struct output {
	const char *path; /* NULL: standard output */
	char *unfinished; /* the file's name until it is whole */
	FILE *out;
};

static int open_output(const struct ctl *ctl, struct output *o, bool is_binary)
{
	o->path = ctl_option(ctl, "--out");
	o->out = stdout;
	if (!o->path)
		return is_binary && isatty(STDOUT_FILENO) ? ctl_fail(ctl, "this is not for a terminal: give --out FILE")
							  : CTL_OK;
	if (asprintf(&o->unfinished, "%s.part", o->path) < 0)
		return ctl_fail(ctl, "out of memory");
	o->out = fopen(o->unfinished, "we");
	if (!o->out) {
		int rc = ctl_fail(ctl, "%s: cannot be written: %m", o->unfinished);

		free(o->unfinished);
		*o = (struct output){.path = NULL};
		return rc;
	}
	return CTL_OK;
}

/* Puts the file in its place, or takes it away. Gives what the command ends with. */
static int close_output(const struct ctl *ctl, struct output *o, int rc)
{
	bool is_durable;

	if (!o->path)
		return rc;
	is_durable = fsync(fileno(o->out)) == 0;
	is_durable = fclose(o->out) == 0 && is_durable;
	if (!is_durable && rc == CTL_OK)
		rc = ctl_fail(ctl, "%s: cannot be written: %m", o->unfinished);
	if (rc != CTL_OK)
		unlink(o->unfinished);
	else if (rename(o->unfinished, o->path) != 0)
		rc = ctl_fail(ctl, "%s: cannot be written: %m", o->path);
	free(o->unfinished);
	return rc;
}

static json_t *who_asks(const struct ctl *ctl)
{
	json_t *args = json_object();

	if (ctl->why)
		json_object_set_new(args, "why", json_string(ctl->why));
	return args;
}

/* ---- ledger --------------------------------------------------------------- */

static json_t *open_ledger(struct ctl *ctl)
{
	static const char *const fields[] = {"from", "to", "unit", "type", "state", "subdistrict"};
	json_t *args = who_asks(ctl), *query = json_object();
	char option[20];

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		snprintf(option, sizeof(option), "--%s", fields[i]);
		if (ctl_option(ctl, option))
			json_object_set_new(query, fields[i], json_string(ctl_option(ctl, option)));
	}
	json_object_set_new(args, "query", query);
	return ctl_admin(ctl, ctl_flag(ctl, "--with-reporters") ? "ledger_open_named" : "ledger_open", args);
}

static enum hl_class copy_pages(struct ctl *ctl, struct hl_ledger *ledger, json_int_t export, struct hl_error *err)
{
	json_int_t after = 0;
	enum hl_class cls = HL_OK;

	while (cls == HL_OK && after >= 0) {
		json_t *page =
			ctl_admin(ctl, "ledger",
				  json_pack("{s:I, s:I, s:i}", "export", export, "after", after, "limit", PAGE_ROWS));
		const json_t *next = json_object_get(page, "after");

		if (!page)
			return HL_REFUSED; /* ctl_admin has said why */
		cls = hl_ledger_add(ledger, json_object_get(page, "rows"), err);
		after = json_is_integer(next) ? json_integer_value(next) : -1;
		json_decref(page);
	}
	return cls;
}

static int write_ledger(struct ctl *ctl, const struct hl_ledger_options *options)
{
	json_t *opened = open_ledger(ctl);
	struct hl_ledger *ledger = NULL;
	struct hl_error err = {.text = ""};
	enum hl_class cls, end;

	if (!opened)
		return CTL_FAILED;
	cls = hl_ledger_open(options, opened, &ledger, &err);
	if (cls == HL_OK)
		cls = copy_pages(ctl, ledger, json_integer_value(json_object_get(opened, "export")), &err);
	json_decref(opened);
	end = hl_ledger_close(&ledger, cls == HL_OK ? &err : NULL);
	if (cls == HL_OK)
		cls = end;
	return cls == HL_OK ? CTL_OK : cls == HL_REFUSED ? CTL_FAILED : ctl_fail(ctl, "%s", err.text);
}

static bool wants_english(struct ctl *ctl)
{
	const struct hl_config *config = ctl_config(ctl);

	return config && strcmp(config->language, "en") == 0;
}

int cmd_ledger(struct ctl *ctl)
{
	const char *sheet = ctl_option(ctl, "--sheet");
	struct hl_ledger_options options = {.format = ctl->as_json ? HL_LEDGER_JSON : HL_LEDGER_CSV,
					    .of_tasks = sheet && strcmp(sheet, "tasks") == 0};
	struct output o = {.path = NULL};
	int rc;

	if (!ctl_option(ctl, "--from") || !ctl_option(ctl, "--to") ||
	    (sheet && strcmp(sheet, "cases") != 0 && strcmp(sheet, "tasks") != 0))
		return CTL_USAGE;
	if (ctl_flag(ctl, "--xlsx")) {
		options.format = HL_LEDGER_XLSX;
		if (!ctl_option(ctl, "--out"))
			return ctl_fail(ctl, "--xlsx: give --out FILE");
	}
	options.is_english = wants_english(ctl);
	rc = open_output(ctl, &o, false);
	if (rc != CTL_OK)
		return rc;
	options.path = o.unfinished; /* a workbook is written by its name; the open file keeps the place */
	options.out = options.format == HL_LEDGER_XLSX ? NULL : o.out;
	rc = write_ledger(ctl, &options);
	return close_output(ctl, &o, rc);
}

/* ---- form ----------------------------------------------------------------- */

static json_t *form_words(const struct ctl *ctl)
{
	char path[4096];
	json_error_t at;
	json_t *words;

	snprintf(path, sizeof(path), "%s/form.json", ctl->ref_dir);
	words = json_load_file(path, JSON_REJECT_DUPLICATES, &at);
	if (!words)
		ctl_fail(ctl, "%s:%d: %s", path, at.line, at.text);
	return words;
}

int cmd_form(struct ctl *ctl)
{
	const char *code = ctl_word(ctl, 0), *copy = ctl_option(ctl, "--copy");
	bool is_pdf = ctl_flag(ctl, "--pdf");
	struct output o = {.path = NULL};
	struct hl_error err = {.text = ""};
	json_t *words, *args, *form = NULL;
	int rc = CTL_FAILED;

	if (!code || is_pdf == ctl_flag(ctl, "--html"))
		return CTL_USAGE;
	words = form_words(ctl);
	if (!words)
		return CTL_FAILED;
	args = who_asks(ctl);
	json_object_set_new(args, "case", json_string(code));
	form = ctl_admin(ctl, ctl_flag(ctl, "--with-reporters") ? "form_named" : "form", args);
	if (form)
		rc = open_output(ctl, &o, is_pdf);
	if (form && rc == CTL_OK) {
		if (hl_form_write(is_pdf ? HL_FORM_PDF : HL_FORM_HTML, words, form, copy ? copy : "all", o.out, &err) !=
		    HL_OK)
			rc = ctl_fail(ctl, "%s", err.text);
		rc = close_output(ctl, &o, rc);
	}
	json_decref(form);
	json_decref(words);
	return rc;
}
