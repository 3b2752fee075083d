/* supervise.c - what supervisors look at: contacts and their signs of life, notices that wait or ended badly */
#include "ctl.h"

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "-";
}

/* Prints one verb's answer: as JSON, or each entry of its list in a line. */
static int show_list(struct ctl *ctl, const char *verb, json_t *args, const char *list,
		     void (*print)(const json_t *entry))
{
	json_t *reply = ctl_admin(ctl, verb, args);
	const json_t *entry;
	size_t i;

	if (!reply)
		return CTL_FAILED;
	if (ctl->as_json)
		ctl_print(reply);
	else
		json_array_foreach (json_object_get(reply, list), i, entry)
			print(entry);
	json_decref(reply);
	return CTL_OK;
}

static void print_contact(const json_t *c)
{
	printf("%-8s %-7s %s %s  last sign %s (%s)  roll-call %s%s%s\n", text_of(c, "unit"), text_of(c, "role"),
	       text_of(c, "phone"), text_of(c, "name"), text_of(c, "last_sign"), text_of(c, "by"),
	       text_of(c, "answered"), json_is_string(json_object_get(c, "dead_since")) ? "  SILENT since " : "",
	       json_is_string(json_object_get(c, "dead_since")) ? text_of(c, "dead_since") : "");
}

int cmd_contacts(struct ctl *ctl)
{
	return show_list(ctl, "signs", json_pack("{s:b}", "dead", ctl_flag(ctl, "--dead")), "contacts", print_contact);
}

static void print_notice(const json_t *n)
{
	printf("%lld  %-11s %-9s %-10s to %s  until %s  %s\n", (long long)json_integer_value(json_object_get(n, "id")),
	       text_of(n, "kind"), text_of(n, "lane"), text_of(n, "state"), text_of(n, "to"), text_of(n, "until"),
	       text_of(n, "why"));
}

int cmd_notices(struct ctl *ctl)
{
	const char *state = ctl_option(ctl, "--state");
	bool is_held = ctl_flag(ctl, "--held");

	if (is_held == (state != NULL))
		return CTL_USAGE;
	return show_list(ctl, "notices", json_pack("{s:b, s:s?}", "held", is_held, "state", state), "notices",
			 print_notice);
}
