/* evaluate.c - hotlinectl classify: labelled or unlabelled texts through the classifier, no database
 *
 * Without options every line of standard input gets one line of answer. --evaluate FILE compares with the labels of
 * FILE: rules alone and the hybrid, on title+text and on titles alone; --except FILE leaves out titles that stand
 * word for word in FILE (the one that was learnt from).
 */
#include "tally.h"

#include "ctl.h"
#include "hotline/classify.h"
#include "hotline/text.h"

#include <string.h>

#define ARENA_BYTES  (16u << 20)
#define ACCEPTED_MAX 8

enum { WHOLE_RULES, WHOLE_HYBRID, TITLE_RULES, TITLE_HYBRID, TITLE_NEW, TALLIES };

struct evaluation {
	struct ctl *ctl;
	const struct hl_classifier *hybrid;
	struct hl_classifier *rules; /* without the model */
	json_t *known_titles;        /* of the --except file: title -> true */
	struct tally tallies[TALLIES];
};

/* message_text - title + "\n" + text, or the one that is there. NULL: neither is a string. */
static const char *message_text(const json_t *line, bool title_only, struct hl_arena *arena)
{
	const char *title = json_string_value(json_object_get(line, "title"));
	const char *text = json_string_value(json_object_get(line, "text"));

	if (title_only || !text)
		return title;
	return title && *title ? hl_arena_printf(arena, "%s\n%s", title, text) : text;
}

/* ---- one by one ------------------------------------------------------------ */

static json_t *alternatives(const struct hl_classified *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n_alternatives; i++)
		json_array_append_new(list, json_pack("{s:s, s:f}", "type", c->alternatives[i].type, "confidence",
						      c->alternatives[i].confidence));
	return list;
}

static int classify_line(struct ctl *ctl, void *arg, const json_t *line)
{
	const struct hl_refdata *ref = arg;
	const json_t *title = json_object_get(line, "title"), *text = json_object_get(line, "text");
	json_t *id = json_object_get(line, "id");
	struct hl_classified c;
	struct hl_arena arena;
	struct hl_slice words = {json_string_value(text), json_string_length(text)};

	if ((!title && !text) || (title && !json_is_string(title)) || (text && !json_is_string(text)))
		return ctl_fail(ctl, "text: must be a string, and title too where it is given");
	hl_arena_init(&arena, ARENA_BYTES);
	if (title)
		words = hl_slice_str(message_text(line, false, &arena));
	hl_classify(ref->classifier, hl_text_decode(&arena, words, "UTF-8"), &arena, &c);
	ctl_print_line(json_pack("{s:O, s:s, s:s, s:s, s:f, s:b, s:s, s:o}", "id", id ? id : json_null(), "type",
				 c.type, "unit", c.unit, "urgency", hl_urgency_name(c.urgency), "confidence",
				 c.confidence, "auto", c.is_auto, "why", c.why, "alternatives", alternatives(&c)));
	hl_arena_fini(&arena);
	return CTL_OK;
}

/* ---- against labels -------------------------------------------------------- */

static size_t read_accepted(const struct hl_classifier *c, const json_t *line, size_t *accepted_r)
{
	size_t main_type = hl_type_index(c, json_string_value(json_object_get(line, "type"))), n = 1, i;
	const json_t *code;

	accepted_r[0] = main_type;
	json_array_foreach (json_object_get(line, "accept"), i, code) {
		size_t type = hl_type_index(c, json_string_value(code));

		if (type != HL_TYPE_NONE && type != main_type && n < ACCEPTED_MAX)
			accepted_r[n++] = type;
	}
	return main_type == HL_TYPE_NONE ? 0 : n;
}

static void judge(const struct hl_classifier *c, const char *text, const json_t *line, struct tally *tally)
{
	const char *word = json_string_value(json_object_get(line, "urgency"));
	const char *set = json_string_value(json_object_get(line, "set"));
	size_t accepted[ACCEPTED_MAX], n = read_accepted(c, line, accepted);
	enum hl_urgency urgency = HL_NORMAL;
	struct hl_classified said;
	struct hl_arena arena;

	hl_arena_init(&arena, ARENA_BYTES);
	hl_classify(c, hl_text_decode(&arena, hl_slice_str(text), "UTF-8"), &arena, &said);
	tally_add(tally, accepted, n, hl_type_index(c, said.type), said.confidence, said.is_auto);
	if (word && hl_urgency_parse(hl_slice_str(word), &urgency))
		tally_add_urgency(tally, urgency, said.urgency, set && strcmp(set, "urgency") == 0);
	hl_arena_fini(&arena);
}

static int evaluate_line(struct ctl *ctl, void *arg, const json_t *line)
{
	struct evaluation *e = arg;
	struct hl_arena arena;
	const char *whole, *title;
	size_t accepted[ACCEPTED_MAX];

	hl_arena_init(&arena, ARENA_BYTES);
	whole = message_text(line, false, &arena);
	title = message_text(line, true, &arena);
	if (!whole || !read_accepted(e->hybrid, line, accepted)) {
		hl_arena_fini(&arena);
		return ctl_fail(ctl, "title or text: a string is needed; type: a case type is needed");
	}
	judge(e->rules, whole, line, &e->tallies[WHOLE_RULES]);
	judge(e->hybrid, whole, line, &e->tallies[WHOLE_HYBRID]);
	if (title && *title && json_object_get(line, "text")) {
		judge(e->rules, title, line, &e->tallies[TITLE_RULES]);
		judge(e->hybrid, title, line, &e->tallies[TITLE_HYBRID]);
		if (e->known_titles && !json_object_get(e->known_titles, title))
			judge(e->hybrid, title, line, &e->tallies[TITLE_NEW]);
	}
	hl_arena_fini(&arena);
	return CTL_OK;
}

static int note_title(struct ctl *ctl, void *arg, const json_t *line)
{
	const char *title = json_string_value(json_object_get(line, "title"));

	(void)ctl;
	if (title)
		json_object_set_new(arg, title, json_true());
	return CTL_OK;
}

static int from_file(struct ctl *ctl, const char *path, ctl_line_fn *each, void *arg)
{
	FILE *in = fopen(path, "r");
	int rc = in ? ctl_each_line(ctl, in, each, arg) : ctl_fail(ctl, "%s: %m", path);

	if (in)
		fclose(in);
	return rc;
}

/* The bars the product is measured by, on what this file has. */
static void print_bars(const struct evaluation *e, bool has_titles)
{
	static const struct {
		const char *name, *bar, *aim;
		int system;
		enum tally_measure of;
	} rows[] = {
		{"lead unit right, title+text", "0.80", "0.90", WHOLE_HYBRID, TALLY_UNIT},
		{"case type right, title+text", "0.72", "0.85", WHOLE_HYBRID, TALLY_TYPE},
		{"lead unit right, title alone", "0.76", "0.85", TITLE_HYBRID, TALLY_UNIT},
		{"in/out of scope, F1 of OUT-0", "0.85", "0.93", WHOLE_HYBRID, TALLY_OUT_F1},
		{"automatic dispatch, share of in-scope texts", "0.45", "0.75", WHOLE_HYBRID, TALLY_AUTO},
		{"automatic dispatch, lead unit right", "0.95", "0.95", WHOLE_HYBRID, TALLY_AUTO_RIGHT},
		{"could go at unit precision 95 %", "0.45", "0.75", WHOLE_HYBRID, TALLY_COVERAGE},
		{"emergencies recognised, urgent counts half", "0.95", "1.0", WHOLE_HYBRID, TALLY_EMERGENCIES},
		{"look-alikes called emergency, at most", "0.15", "0.05", WHOLE_HYBRID, TALLY_ALIKES},
	};

	puts("\n| measure | hybrid | bar | aim |\n|---|---|---|---|");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct tally *t = &e->tallies[rows[i].system];
		size_t n;

		tally_figure(t, rows[i].of, &n);
		if (n == 0)
			continue;
		printf("| %s |", !has_titles && rows[i].of == TALLY_UNIT ? "lead unit right, short texts" : rows[i].name);
		tally_print_share(t, rows[i].of, stdout);
		printf(" %s | %s |\n", !has_titles && rows[i].of == TALLY_UNIT ? "0.85" : rows[i].bar,
		       !has_titles && rows[i].of == TALLY_UNIT ? "0.95" : rows[i].aim);
	}
}

static void print_tallies(struct evaluation *e)
{
	static const char *const names[TALLIES] = {"title+text, rules alone", "title+text, hybrid",
						   "title alone, rules alone", "title alone, hybrid",
						   "title alone, hybrid, titles not learnt"};
	json_t *all = json_object();

	if (!e->ctl->as_json)
		tally_print_head(stdout);
	for (int i = 0; i < TALLIES; i++) {
		if (!e->tallies[i].n)
			continue;
		if (e->ctl->as_json)
			json_object_set_new(all, names[i], tally_json(&e->tallies[i]));
		else
			tally_print(&e->tallies[i], names[i], stdout);
	}
	if (e->ctl->as_json)
		ctl_print(all);
	else
		print_bars(e, e->tallies[TITLE_HYBRID].n > 0);
	json_decref(all);
}

static int evaluate(struct ctl *ctl, const struct hl_refdata *ref, const char *path)
{
	const char *except = ctl_option(ctl, "--except");
	struct evaluation e = {.ctl = ctl, .hybrid = ref->classifier, .known_titles = except ? json_object() : NULL};
	struct hl_error err = {.text = ""};
	int rc = CTL_OK;

	if (hl_classifier_new(json_object_get(ref->docs, "rules"), json_object_get(ref->docs, "case_types"), NULL,
			      &e.rules, &err))
		return ctl_fail(ctl, "%s", err.text);
	for (int i = 0; i < TALLIES; i++)
		tally_init(&e.tallies[i], e.hybrid);
	if (except)
		rc = from_file(ctl, except, note_title, e.known_titles);
	if (rc == CTL_OK)
		rc = from_file(ctl, path, evaluate_line, &e);
	if (rc == CTL_OK)
		print_tallies(&e);
	for (int i = 0; i < TALLIES; i++)
		tally_fini(&e.tallies[i]);
	json_decref(e.known_titles);
	hl_classifier_free(&e.rules);
	return rc;
}

int cmd_classify(struct ctl *ctl)
{
	const char *path = ctl_option(ctl, "--evaluate");
	struct hl_refdata *ref = ctl_refdata(ctl);
	int rc;

	if (!ref)
		return CTL_FAILED;
	rc = path ? evaluate(ctl, ref, path) : ctl_each_line(ctl, stdin, classify_line, ref);
	hl_refdata_free(&ref);
	return rc;
}
