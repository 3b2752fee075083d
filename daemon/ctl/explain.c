/* explain.c - hotlinectl explain: why a case got its type, urgency, unit and place, as it was recorded
 *
 * Prints what hl.explain gives: nothing is classed again, so that newer rules do not rewrite what was decided.
 */
#include "ctl.h"

#include <string.h>

static double number_of(const json_t *o, const char *name)
{
	return json_number_value(json_object_get(o, name));
}

static void print_rules(const json_t *d)
{
	const json_t *rule;
	size_t i;

	json_array_foreach (json_object_get(d, "rules"), i, rule) {
		bool is_urgency = !*ctl_text(rule, "clause");

		printf("  %-7s %-24s %-6s %s  %s\n", is_urgency ? "urgency" : "rule", ctl_text(rule, "rule"),
		       ctl_text(rule, "type"), ctl_text(rule, "words"), ctl_text(rule, "clause"));
	}
}

static void print_model(const json_t *d)
{
	const json_t *o;
	size_t i;

	json_array_foreach (json_object_get(d, "features"), i, o)
		printf("  words   「%s」 %.2f\n", ctl_text(o, "words"), number_of(o, "share"));
	json_array_foreach (json_object_get(d, "alternatives"), i, o)
		printf("  or      %s %.2f\n", ctl_text(o, "type"), number_of(o, "confidence"));
}

static void print_decision(const json_t *d)
{
	const json_t *versions = json_object_get(d, "versions");
	const char *model = ctl_text(versions, "model");

	printf("%s  %s %s, %s %s, %s  %.2f%s  %s\n", ctl_text(d, "at"), ctl_text(d, "type"), ctl_text(d, "name"),
	       ctl_text(d, "unit"), ctl_text(d, "clause"), ctl_text(d, "urgency"), number_of(d, "confidence"),
	       json_is_true(json_object_get(d, "sure")) ? "" : " (not sure)", ctl_text(d, "route"));
	print_rules(d);
	print_model(d);
	printf("  place   %s\n", *ctl_text(d, "place") ? ctl_text(d, "place") : "not told");
	printf("  by      rules %s, %s%s\n", ctl_text(versions, "rules"), *model ? "model " : "no model", model);
}

static void print_opinion(const json_t *o)
{
	if (!*ctl_text(o, "state"))
		return;
	printf("second opinion (%s): %s %s%s  %s\n", ctl_text(o, "model"),
	       *ctl_text(o, "type") ? ctl_text(o, "type") : ctl_text(o, "state"), ctl_text(o, "urgency"),
	       json_is_true(json_object_get(o, "agrees")) ? ", as one of the classifier's first two" : "",
	       ctl_text(o, "reason"));
}

static void print_corrections(const json_t *list)
{
	const json_t *c;
	size_t i;

	json_array_foreach (list, i, c)
		printf("%s  %s %s: %s%s%s %s  %s\n", ctl_text(c, "at"), ctl_text(c, "by"), ctl_text(c, "kind"),
		       json_is_true(json_object_get(c, "is_change")) ? ctl_text(c, "was") : "",
		       json_is_true(json_object_get(c, "is_change")) ? " -> " : "", ctl_text(c, "type"),
		       ctl_text(c, "urgency"), ctl_text(c, "why"));
}

static void print_explained(const json_t *c)
{
	const json_t *now = json_object_get(c, "now"), *o;
	size_t i;

	printf("case %s  %s  now %s %s, %s, %s\n", ctl_text(c, "case"), ctl_text(c, "state"), ctl_text(now, "type"),
	       ctl_text(now, "name"), ctl_text(now, "urgency"), ctl_text(now, "place"));
	json_array_foreach (json_object_get(c, "units"), i, o)
		printf("  %-7s %s %s: %s\n", ctl_text(o, "role"), ctl_text(o, "unit"), ctl_text(o, "name"),
		       ctl_text(o, "state"));
	if (json_array_size(json_object_get(c, "decisions")) == 0)
		puts("nothing was recorded when it was decided");
	json_array_foreach (json_object_get(c, "decisions"), i, o)
		print_decision(o);
	print_opinion(json_object_get(c, "opinion"));
	print_corrections(json_object_get(c, "corrections"));
}

int cmd_explain(struct ctl *ctl)
{
	const char *code = ctl_word(ctl, 0);

	if (!code)
		return CTL_USAGE;
	return ctl_show(ctl, ctl_admin(ctl, "explain", json_pack("{s:s}", "case", code)), print_explained);
}
