/* templates.c - hotlinectl templates: what each text costs, and what is too long */
#include "ctl.h"

static void print_note(const struct hl_template_note *n)
{
	printf("%-20s %-6s %-5s %3zu units %zu SMS%s%s\n", n->entry.key, n->entry.lang, n->is_gsm7 ? "gsm7" : "ucs2",
	       n->units, n->parts,
	       n->is_error ? "  error: "
	       : *n->why   ? "  warning: "
			   : "",
	       n->why);
}

static json_t *note_json(const struct hl_template_note *n)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:s}", "key", n->entry.key, "lang", n->entry.lang, "encoding",
			 n->is_gsm7 ? "gsm7" : "ucs2", "units", (json_int_t)n->units, "parts", (json_int_t)n->parts,
			 "level",
			 n->is_error ? "error"
			 : *n->why   ? "warning"
				     : "ok",
			 "why", n->why);
}

int cmd_templates(struct ctl *ctl)
{
	struct hl_refdata *ref = ctl_refdata(ctl);
	bool is_lint = ctl_flag(ctl, "--lint");
	struct hl_template_entry entry;
	struct hl_template_note note;
	json_t *list = json_array();
	int rc = CTL_OK;

	if (!ref)
		rc = CTL_FAILED;
	for (size_t i = 0; ref && hl_templates_at(ref->templates, i, &entry); i++) {
		hl_template_lint(ref->templates, &entry, &ref->calendar, &note);
		if (note.is_error)
			rc = CTL_FAILED;
		if (is_lint && !*note.why)
			continue;
		if (ctl->as_json)
			json_array_append_new(list, note_json(&note));
		else
			print_note(&note);
	}
	if (ref && ctl->as_json)
		ctl_print(list);
	json_decref(list);
	hl_refdata_free(&ref);
	return rc;
}
