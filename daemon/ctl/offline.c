/* offline.c - commands that need no database: they read the reference files and standard input */
#include "ctl.h"

#include "hotline/segments.h"
#include "hotline/talk.h"
#include "hotline/text.h"

#include <stdlib.h>
#include <string.h>

#define CODES_MAX 64

int ctl_each_line(struct ctl *ctl, FILE *in, ctl_line_fn *each, void *arg)
{
	char *line = NULL;
	size_t cap = 0, number = 0;
	ssize_t n;
	int rc = CTL_OK;

	while (rc == CTL_OK && (n = getline(&line, &cap, in)) >= 0) {
		json_error_t at;
		json_t *o;

		number++;
		if (hl_slice_trim((struct hl_slice){line, (size_t)n}).len == 0)
			continue;
		o = json_loadb(line, (size_t)n, JSON_ALLOW_NUL, &at);
		if (!json_is_object(o))
			rc = ctl_fail(ctl, "line %zu: %s", number, o ? "must be a JSON object" : at.text);
		else
			rc = each(ctl, arg, o);
		json_decref(o);
	}
	free(line);
	return rc;
}

void ctl_print_line(json_t *value)
{
	json_dumpf(value, stdout, JSON_COMPACT);
	fputc('\n', stdout);
	json_decref(value);
}

static struct hl_slice text_field(const json_t *o, const char *name)
{
	const json_t *s = json_object_get(o, name);

	return (struct hl_slice){json_string_value(s), json_string_length(s)};
}

/* ---- parse ---------------------------------------------------------------- */

static int parse_line(struct ctl *ctl, void *arg, const json_t *line)
{
	struct hl_slice codes[CODES_MAX];
	struct hl_said said;
	struct hl_arena arena;
	const json_t *code, *id = json_object_get(line, "id"), *who = json_object_get(line, "who");
	json_t *args = json_object();
	size_t i, n = 0;

	if (!json_is_string(json_object_get(line, "text")) || !json_is_string(who)) {
		json_decref(args);
		return ctl_fail(ctl, "who and text: must be strings");
	}
	json_array_foreach (json_object_get(line, "open_codes"), i, code)
		if (n < CODES_MAX && json_is_string(code))
			codes[n++] = (struct hl_slice){json_string_value(code), json_string_length(code)};
	hl_arena_init(&arena, 16u << 20);
	hl_talk_parse(arg, strcmp(json_string_value(who), "officer") == 0,
		      hl_text_decode(&arena, text_field(line, "text"), "UTF-8"), codes, n, &arena, &said);
	if (said.days)
		json_object_set_new(args, "days", json_integer(said.days));
	if (said.reason.len)
		json_object_set_new(args, "reason", json_stringn(said.reason.ptr, said.reason.len));
	if (said.unit.len)
		json_object_set_new(args, "unit", json_stringn(said.unit.ptr, said.unit.len));
	ctl_print_line(json_pack("{s:O, s:s, s:s%, s:o}", "id", id ? id : json_null(), "verb", hl_verb_name(said.verb),
				 "code", said.code.ptr ? said.code.ptr : "", said.code.len, "args", args));
	hl_arena_fini(&arena);
	return CTL_OK;
}

int cmd_parse(struct ctl *ctl)
{
	struct hl_error err = {.text = ""};
	struct hl_grammar *grammar = NULL;
	json_t *doc = ctl_ref_doc(ctl->ref_dir, "grammar", &err);
	int rc;

	if (!doc || hl_grammar_new(doc, &grammar, &err) != HL_OK)
		rc = ctl_fail(ctl, "grammar: %s", err.text);
	else
		rc = ctl_each_line(ctl, stdin, parse_line, grammar);
	hl_grammar_free(&grammar);
	json_decref(doc);
	return rc;
}

/* ---- place, segments ------------------------------------------------------ */

/* Codes of all compounds that the words may mean. */
static json_t *maybe_json(const struct hl_place *p)
{
	json_t *codes = json_array();

	for (size_t i = 0; i < p->n_candidates; i++)
		json_array_append_new(codes, json_string(p->candidates[i]->code));
	return codes;
}

int cmd_place(struct ctl *ctl)
{
	const char *text = ctl_word(ctl, 0);
	struct hl_refdata *ref = text ? ctl_refdata(ctl) : NULL;
	struct hl_arena arena;
	struct hl_place p;
	json_t *o;

	if (!text)
		return CTL_USAGE;
	if (!ref)
		return CTL_FAILED;
	hl_arena_init(&arena, 16u << 20);
	hl_place_find(ref->gazetteer, hl_text_decode(&arena, hl_slice_str(text), NULL), &arena, &p);
	o = json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s, s:i, s:o, s:s, s:s}", "compound",
		      p.compound ? p.compound->code : NULL, "name", p.compound ? p.compound->name : NULL, "subdistrict",
		      p.compound ? p.compound->subdistrict : NULL, "property_company",
		      p.compound ? p.compound->property_company : NULL, "gas_company",
		      p.compound ? p.compound->gas_company : NULL, "building", p.building, "unit", p.unit_no, "room",
		      p.room, "text", p.text, "candidates", (int)p.n_candidates, "maybe", maybe_json(&p), "question",
		      p.n_candidates > 1 ? hl_place_list(&p, &arena) : "", "why", p.why);
	ctl_print(o);
	json_decref(o);
	hl_arena_fini(&arena);
	hl_refdata_free(&ref);
	return CTL_OK;
}

int cmd_segments(struct ctl *ctl)
{
	struct hl_arena arena;
	struct hl_buf text;
	struct hl_segments s;
	char chunk[4096];
	size_t n;

	hl_buf_init(&text, 1u << 20);
	while ((n = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
		hl_buf_add(&text, (struct hl_slice){chunk, n});
	if (text.len > 0 && text.ptr[text.len - 1] == '\n')
		text.len--;
	hl_arena_init(&arena, 16u << 20);
	hl_segments_plan(hl_text_decode(&arena, hl_buf_slice(&text), NULL), HL_LIT(""), &s);
	if (ctl->as_json)
		printf("{\"encoding\":\"%s\",\"units\":%zu,\"parts\":%zu}\n", s.is_gsm7 ? "gsm7" : "ucs2", s.units,
		       s.parts);
	else
		printf("%s, %zu units, %zu part(s)\n", s.is_gsm7 ? "GSM 7-bit" : "UCS-2", s.units, s.parts);
	hl_arena_fini(&arena);
	hl_buf_fini(&text);
	return CTL_OK;
}
