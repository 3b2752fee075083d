/* show.c - commands that talk to the running daemon and print for people */
#include "ctl.h"

#include "hotline/clock.h"
#include "hotline/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_AGAIN_MS 50
#define SETTLE_MAX_US (15 * HL_US_PER_S)

static void pause_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

static void print_sms(const json_t *sms)
{
	printf("  -> %s  [%s, %lld segment(s), %s]\n     %s\n", ctl_text(sms, "to"), ctl_text(sms, "kind"),
	       (long long)json_integer_value(json_object_get(sms, "segments")), ctl_text(sms, "state"),
	       *ctl_text(sms, "text") ? ctl_text(sms, "text") : ctl_text(sms, "reason"));
}

static void print_sms_list(const json_t *list)
{
	const json_t *sms;
	size_t i;

	json_array_foreach (list, i, sms)
		print_sms(sms);
}

/* ---- text ----------------------------------------------------------------- */

static json_t *webhook_body(const struct ctl *ctl, const struct hl_config *config, const char *from, const char *text)
{
	const struct hl_channel_config *ch = hl_config_channel(config, HL_LIT("loopback"));
	const char *id = ctl_option(ctl, "--id");
	char made[40];

	snprintf(made, sizeof(made), "ctl-%lld", (long long)hl_wall_us());
	return json_pack("{s:s, s:s, s:s%, s:s}", "id", id ? id : made, "from", from, "to",
			 ch ? ch->channel.from.ptr : "", ch ? ch->channel.from.len : (size_t)0, "text", text);
}

/* Waits until everything the message led to has left. */
static json_t *await_message(struct ctl *ctl, json_int_t message)
{
	int64_t until = hl_mono_us() + SETTLE_MAX_US;
	json_t *reply;

	for (;;) {
		reply = ctl_admin(ctl, "message", json_pack("{s:I}", "message", message));
		if (!reply || json_is_true(json_object_get(reply, "settled")) || hl_mono_us() > until)
			return reply;
		json_decref(reply);
		pause_ms(LOOK_AGAIN_MS);
	}
}

static void print_message(const json_t *reply)
{
	printf("message %lld: %s%s%s\n", (long long)json_integer_value(json_object_get(reply, "message")),
	       ctl_text(reply, "outcome"), *ctl_text(reply, "case") ? ", case " : "", ctl_text(reply, "case"));
	print_sms_list(json_object_get(reply, "sms"));
}

int cmd_text(struct ctl *ctl)
{
	const char *from = ctl_word(ctl, 0), *text = ctl_word(ctl, 1);
	const struct hl_config *config;
	struct hl_error err = {.text = ""};
	struct hl_buf answer;
	char url[300], *body;
	json_t *o, *reply;
	json_int_t message;
	long status;

	if (!from || !text)
		return CTL_USAGE;
	config = ctl_config(ctl);
	if (!config)
		return CTL_FAILED;
	o = webhook_body(ctl, config, from, text);
	body = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (!body)
		return ctl_fail(ctl, "the text is not valid UTF-8");
	snprintf(url, sizeof(url), "http://%s/hook/loopback", config->listen);
	hl_buf_init(&answer, 65536);
	status = ctl_post(url, NULL, body, &answer, &err);
	free(body);
	reply = status > 0 ? json_loadb(answer.ptr ? answer.ptr : "", answer.len, 0, NULL) : NULL;
	hl_buf_fini(&answer);
	if (status != 200) {
		int rc = ctl_fail(ctl, "the webhook answered %ld: %s", status,
				  status ? ctl_text(reply, "error") : err.text);

		json_decref(reply);
		return rc;
	}
	message = json_integer_value(json_object_get(reply, "message"));
	json_decref(reply);
	if (!message)
		return ctl_fail(ctl, "the message was set aside: the database refused it, the daemon's log says why");
	o = await_message(ctl, message);
	return ctl_show(ctl, o, print_message);
}

/* ---- phone, case ---------------------------------------------------------- */

static void print_phone(const json_t *reply)
{
	const json_t *sms;
	size_t i;

	json_array_foreach (json_object_get(reply, "inbox"), i, sms)
		printf("%s  %s (%lld)\n", ctl_text(sms, "sent_at"), ctl_text(sms, "text"),
		       (long long)json_integer_value(json_object_get(sms, "segments")));
	if (json_array_size(json_object_get(reply, "inbox")) == 0)
		printf("no texts\n");
}

json_t *ctl_phone_args(struct ctl *ctl, const char *number)
{
	const struct hl_config *config = ctl_config(ctl);
	struct hl_arena arena;
	struct hl_slice phone;
	json_t *args = NULL;

	hl_arena_init(&arena, 4096);
	if (config && !hl_phone_normalise(&arena, hl_slice_str(number), config->region_country, &phone))
		ctl_fail(ctl, "%s: is not a phone number", number);
	else if (config)
		args = json_pack("{s:s%}", "phone", phone.ptr, phone.len);
	hl_arena_fini(&arena);
	return args;
}

int cmd_phone(struct ctl *ctl)
{
	const char *number = ctl_word(ctl, 0);
	json_t *args = number ? ctl_phone_args(ctl, number) : NULL;

	if (!number)
		return CTL_USAGE;
	if (!args)
		return CTL_FAILED;
	return ctl_show(ctl, ctl_admin(ctl, "phone", args), print_phone);
}

static void print_tasks(const json_t *tasks)
{
	const json_t *t;
	size_t i;

	json_array_foreach (tasks, i, t) {
		const json_t *next = json_object_get(t, "next");

		printf("  %-4s %-8s %s: %s\n       sign by %s%s%s, close by %s%s\n", ctl_text(t, "role"),
		       ctl_text(t, "unit"), ctl_text(t, "name"), ctl_text(t, "state"), ctl_text(t, "sign_by"),
		       *ctl_text(t, "arrive_by") ? ", arrive by " : "", ctl_text(t, "arrive_by"),
		       ctl_text(t, "close_by"),
		       json_is_true(json_object_get(t, "provisional")) ? " (provisional)" : "");
		if (next && *ctl_text(next, "rung"))
			printf("       next: %s at %s\n", ctl_text(next, "rung"), ctl_text(next, "due"));
		if (*ctl_text(t, "result"))
			printf("       result: %s\n", ctl_text(t, "result"));
	}
}

static void print_case(const json_t *c)
{
	const json_t *e;
	size_t i;

	printf("case %s  %s  %s %s  %s\nplace %s  reporters %lld  opened %s\nwhy %s\nstages ", ctl_text(c, "case"),
	       ctl_text(c, "state"), ctl_text(c, "type"), ctl_text(c, "type_name"), ctl_text(c, "urgency"),
	       ctl_text(c, "place"), (long long)json_integer_value(json_object_get(c, "reporters")),
	       ctl_text(c, "opened_at"), ctl_text(c, "why"));
	json_array_foreach (json_object_get(c, "stages"), i, e)
		printf(" %s %s", ctl_text(e, "stage"), *ctl_text(e, "at") ? ctl_text(e, "at") : "—");
	printf("\ntasks\n");
	print_tasks(json_object_get(c, "tasks"));
	printf("events\n");
	json_array_foreach (json_object_get(c, "events"), i, e)
		printf("  %3lld %s %-12s %-9s %-8s %s%s%s\n", (long long)json_integer_value(json_object_get(e, "seq")),
		       ctl_text(e, "at"), ctl_text(e, "kind"), ctl_text(e, "actor"), ctl_text(e, "unit"),
		       ctl_text(e, "from"), *ctl_text(e, "to") ? " -> " : "", ctl_text(e, "to"));
	if (json_array_size(json_object_get(c, "photos")) > 0)
		printf("photos\n");
	ctl_print_photos(json_object_get(c, "photos"));
	printf("notices\n");
	print_sms_list(json_object_get(c, "notices"));
}

int cmd_case(struct ctl *ctl)
{
	const char *code = ctl_word(ctl, 0);

	if (!code)
		return CTL_USAGE;
	return ctl_show(ctl, ctl_admin(ctl, "case", json_pack("{s:s}", "case", code)), print_case);
}

/* ---- history -------------------------------------------------------------- */

static void print_verify(const json_t *reply)
{
	const json_t *b;
	size_t i;

	printf("%lld cases, %lld events, head %s\n", (long long)json_integer_value(json_object_get(reply, "cases")),
	       (long long)json_integer_value(json_object_get(reply, "events")), ctl_text(reply, "head"));
	json_array_foreach (json_object_get(reply, "broken"), i, b)
		printf("broken: case %s event %lld: %s\n", ctl_text(b, "case"),
		       (long long)json_integer_value(json_object_get(b, "seq")), ctl_text(b, "what"));
}

int cmd_verify(struct ctl *ctl)
{
	json_t *reply = ctl_admin(ctl, "verify", json_object());
	const char *head = ctl_option(ctl, "--head");
	bool is_whole = json_array_size(json_object_get(reply, "broken")) == 0;
	bool is_head = !head || strcmp(head, ctl_text(reply, "head")) == 0;
	int rc = ctl_show(ctl, reply, print_verify);

	if (rc == CTL_OK && !is_head)
		return ctl_fail(ctl, "the head is not the one given");
	return rc == CTL_OK && !is_whole ? CTL_FAILED : rc;
}

static void print_line(const json_t *reply)
{
	json_dumpf(reply, stdout, JSON_COMPACT);
	fputc('\n', stdout);
}

int cmd_rollup(struct ctl *ctl)
{
	return ctl_show(ctl, ctl_admin(ctl, "rollup", json_object()), print_line);
}

int cmd_idle(struct ctl *ctl)
{
	return ctl_show(ctl, ctl_admin(ctl, "idle", json_object()), print_line);
}
