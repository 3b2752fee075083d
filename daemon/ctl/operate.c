/* operate.c - the operator's moves on cases: words and options -> one verb of the admin socket
 *
 * What a move needs and whether it may be made is the daemon's to say (casework/operate.c); here
 * is only how it is typed.
 */
#include "ctl.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct typed {
	const char *command, *verb;
	const char *words[2]; /* the members that words behind the command fill */
	size_t n_needed;      /* how many of them must be there */
} typed[] = {
	{"assign", "assign", {"case", "type"}, 1}, {"place", "place", {"case", "at"}, 1},
	{"accept", "accept", {"case"}, 1},         {"redo", "redo", {"case"}, 1},
	{"grant", "grant", {"case"}, 1},           {"refuse", "refuse", {"case"}, 1},
	{"merge", "merge", {"case", "into"}, 2},   {"wait", "wait", {"case"}, 1},
	{"resume", "resume", {"case"}, 1},         {"reopen", "reopen", {"case"}, 1},
	{"withdraw", "withdraw", {"case"}, 1},     {"task", "task_add", {"case", "unit"}, 2},
	{"rollcall", "rollcall", {"case"}, 1},     {"stage", "stage", {"case", "stage"}, 2},
};

static const struct {
	const char *option, *member;
} options[] = {{"--type", "type"}, {"--unit", "unit"},    {"--urgency", "urgency"}, {"--at", "at"},
	       {"--kind", "kind"}, {"--ask", "question"}, {"--place", "where"},     {"--why", "why"}};

static void print_act(const json_t *reply)
{
	printf("%s\n", ctl_text(json_array_get(json_object_get(reply, "items"), 0), "result"));
}

/* --at of a roll call is a time, read on the clock of the daemon. */
static bool read_meeting(struct ctl *ctl, json_t *args)
{
	const char *at = ctl_option(ctl, "--at");
	json_t *now = ctl_admin(ctl, "since", json_pack("{s:I}", "since", INT64_MAX / 4));
	int64_t at_us;

	if (!now)
		return false;
	if (!at ||
	    !ctl_read_time(at, json_integer_value(json_object_get(now, "now_us")), CTL_COUNTY_OFFSET_S, &at_us)) {
		ctl_fail(ctl, "--at: must be HH:MM, +90m, +4h, +2d or 2026-11-25T15:30, not \"%s\"", at ? at : "");
		json_decref(now);
		return false;
	}
	json_decref(now);
	json_object_set_new(args, "at_us", json_integer(at_us));
	json_object_del(args, "at");
	return true;
}

static bool read_days(struct ctl *ctl, json_t *args)
{
	const char *word = ctl_option(ctl, "--days");
	char *end;
	long days;

	if (!word)
		return true;
	errno = 0;
	days = strtol(word, &end, 10);
	if (errno || *word == '\0' || *end || days < 1 || days > 60) {
		ctl_fail(ctl, "--days: must be 1 to 60 working days, not \"%s\"", word);
		return false;
	}
	json_object_set_new(args, "days", json_integer(days));
	return true;
}

static const struct typed *typed_of(const char *command)
{
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++)
		if (strcmp(typed[i].command, command) == 0)
			return &typed[i];
	return NULL;
}

/* What was said, as the daemon takes it; NULL: not enough words, or a word that is not UTF-8. first: index of the first
 * word. */
static json_t *say(struct ctl *ctl, const struct typed *t, int first)
{
	json_t *args = json_object();
	bool is_good = args != NULL;

	for (int i = 0; i < 2; i++) {
		const char *word = t->words[i] ? ctl_word(ctl, first + i) : NULL;

		if (word)
			is_good &= json_object_set_new(args, t->words[i], json_string(word)) == 0;
		else if ((size_t)i < t->n_needed)
			is_good = false;
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (ctl_option(ctl, options[i].option))
			is_good &= json_object_set_new(args, options[i].member,
						       json_string(ctl_option(ctl, options[i].option))) == 0;
	if (is_good)
		return args;
	json_decref(args);
	return NULL;
}

int cmd_move(struct ctl *ctl)
{
	const struct typed *t = typed_of(ctl->name);
	bool is_task = strcmp(ctl->name, "task") == 0;
	json_t *args;

	if (is_task && (!ctl_word(ctl, 0) || strcmp(ctl_word(ctl, 0), "add") != 0))
		return CTL_USAGE;
	args = say(ctl, t, is_task ? 1 : 0);
	if (!args)
		return CTL_USAGE;
	if (!read_days(ctl, args) || (strcmp(ctl->name, "rollcall") == 0 && !read_meeting(ctl, args))) {
		json_decref(args);
		return CTL_FAILED;
	}
	return ctl_show(ctl, ctl_admin(ctl, t->verb, args), print_act);
}

/* "26-001234": two digits of the year and a serial. */
static bool is_case_number(const char *word)
{
	size_t n = strlen(word);

	if (n < 9 || n > 12 || word[2] != '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (i != 2 && !isdigit((unsigned char)word[i]))
			return false;
	return true;
}

int cmd_place_case(struct ctl *ctl)
{
	const char *first = ctl_word(ctl, 0);

	if (first && is_case_number(first) && (ctl_option(ctl, "--at") || ctl_word(ctl, 1)))
		return cmd_move(ctl);
	return cmd_place(ctl);
}

/* ---- review, agenda ------------------------------------------------------- */

static void print_left(const json_t *c)
{
	json_int_t left_s = json_integer_value(json_object_get(c, "left_s")), size_s = left_s < 0 ? -left_s : left_s;

	if (!*ctl_text(c, "limit"))
		printf("since %s", ctl_text(c, "since"));
	else
		printf("by %s (%s%lldh%02lldm)", ctl_text(c, "limit"), left_s < 0 ? "late " : "",
		       (long long)(size_s / 3600), (long long)(size_s / 60 % 60));
}

static void print_unsigned(const json_t *units)
{
	const json_t *unit;
	size_t i;

	json_array_foreach (units, i, unit)
		printf("%s%s", i ? ", " : "  [never signed: ", json_string_value(unit));
	if (json_array_size(units) > 0)
		putchar(']');
}

static void print_opinion(const json_t *o)
{
	if (*ctl_text(o, "type"))
		printf("  [second opinion: %s %s%s, \"%s\"]", ctl_text(o, "type"), ctl_text(o, "urgency"),
		       json_is_true(json_object_get(o, "agrees")) ? ", agrees" : "", ctl_text(o, "reason"));
}

static void print_review(const json_t *reply)
{
	const json_t *c;
	size_t i;

	json_array_foreach (json_object_get(reply, "cases"), i, c) {
		printf("%s  %-8s %-9s %-6s ", ctl_text(c, "case"), ctl_text(c, "kind"), ctl_text(c, "urgency"),
		       ctl_text(c, "type"));
		print_left(c);
		printf("  %s  %s  %s", ctl_text(c, "place"), ctl_text(c, "unit"), ctl_text(c, "why"));
		if (json_integer_value(json_object_get(c, "priority")) > 0)
			printf("  [%lld reporters, chased %lld times]",
			       (long long)json_integer_value(json_object_get(c, "reporters")),
			       (long long)json_integer_value(json_object_get(c, "chases")));
		print_unsigned(json_object_get(c, "unsigned"));
		print_opinion(json_object_get(c, "opinion"));
		putchar('\n');
	}
}

int cmd_review(struct ctl *ctl)
{
	return ctl_show(ctl, ctl_admin(ctl, "review", json_object()), print_review);
}

static void print_agenda(const json_t *reply)
{
	const json_t *c;
	size_t i;

	json_array_foreach (json_object_get(reply, "agenda"), i, c)
		printf("%s  %-8s since %s  %s %s  %s %s  %s\n", ctl_text(c, "case"), ctl_text(c, "reason"),
		       ctl_text(c, "since"), ctl_text(c, "type"), ctl_text(c, "state"), ctl_text(c, "unit"),
		       ctl_text(c, "unit_name"), ctl_text(c, "place"));
}

int cmd_agenda(struct ctl *ctl)
{
	static const struct typed settle = {"agenda", "agenda_settle", {"case"}, 1};
	const char *what = ctl_word(ctl, 0);
	json_t *args;

	if (!what)
		return ctl_show(ctl, ctl_admin(ctl, "agenda", json_object()), print_agenda);
	args = strcmp(what, "settle") == 0 ? say(ctl, &settle, 1) : NULL;
	return args ? ctl_show(ctl, ctl_admin(ctl, settle.verb, args), print_act) : CTL_USAGE;
}
