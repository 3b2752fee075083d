/* supervise.c - what supervisors look at: contacts and their signs of life, notices that wait or ended badly, and what was
 * set aside because it could not be stored or understood */
#include "ctl.h"

#include <stdlib.h>
#include <string.h>

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
	printf("%-8s %-7s %s %s%s  last sign %s (%s)  roll-call %s%s%s\n", text_of(c, "unit"), text_of(c, "role"),
	       text_of(c, "phone"), text_of(c, "name"),
	       json_is_string(json_object_get(c, "verified_at")) ? "" : "  NOT VERIFIED", text_of(c, "last_sign"), text_of(c, "by"),
	       text_of(c, "answered"), json_is_string(json_object_get(c, "dead_since")) ? "  SILENT since " : "",
	       json_is_string(json_object_get(c, "dead_since")) ? text_of(c, "dead_since") : "");
}

static void print_sent(const json_t *reply)
{
	printf("%s\n", json_is_true(json_object_get(reply, "sent")) ? "sent" : "one was sent less than ten minutes ago");
}

int cmd_verify_number(struct ctl *ctl)
{
	const char *number = ctl_word(ctl, 0);
	json_t *args;

	if (!number)
		return CTL_USAGE;
	args = ctl_phone_args(ctl, number);
	return args ? ctl_show(ctl, ctl_admin(ctl, "verify_number", args), print_sent) : CTL_FAILED;
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

static void print_set_aside(const json_t *q)
{
	const char *item = json_string_value(json_object_get(q, "item"));

	printf("%-6s %s  %s %s  %s\n", text_of(q, "id"), text_of(q, "at"), text_of(q, "channel"),
	       text_of(q, "external_id"), text_of(q, "reason"));
	if (item)
		printf("%s\n", item);
	if (json_is_string(json_object_get(q, "done_by")))
		printf("done by %s: %s\n", text_of(q, "done_by"), text_of(q, "done_why"));
}

/* Q12 or 12; 0: neither. */
static json_int_t quarantine_number(const char *word)
{
	char *end;
	long long n;

	word += *word == 'Q' || *word == 'q';
	n = strtoll(word, &end, 10);
	return *word >= '0' && *word <= '9' && *end == '\0' ? n : 0;
}

static void print_done(const json_t *reply)
{
	printf("%s is done\n", text_of(reply, "id"));
}

int cmd_quarantine(struct ctl *ctl)
{
	const char *first = ctl_word(ctl, 0), *why = ctl->why;
	bool is_done = first && strcmp(first, "done") == 0;
	const char *word = is_done ? ctl_word(ctl, 1) : first;
	json_int_t id = word ? quarantine_number(word) : 0;

	if ((word && !id) || is_done != (why != NULL) || (is_done && !word))
		return CTL_USAGE;
	if (is_done)
		return ctl_show(ctl, ctl_admin(ctl, "quarantine_done", json_pack("{s:I, s:s}", "id", id, "why", why)),
				print_done);
	return show_list(ctl, "quarantine", id ? json_pack("{s:I}", "id", id) : json_object(), "quarantine",
			 print_set_aside);
}
