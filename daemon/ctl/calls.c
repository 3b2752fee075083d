/* calls.c - hotlinectl calls, callbacks, callback: who is on the line, and whom the hotline owes a call */
#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define US 1000000

static const char *clock_text(const json_t *o, const char *name, char *out, size_t out_bytes)
{
	const json_t *at = json_object_get(o, name);
	time_t s = (time_t)(json_integer_value(at) / US) + CTL_COUNTY_OFFSET_S;
	struct tm t;

	if (!json_is_integer(at) || !gmtime_r(&s, &t) || !strftime(out, out_bytes, "%m-%d %H:%M:%S", &t))
		snprintf(out, out_bytes, "-");
	return out;
}

static void print_cases(const json_t *cases)
{
	const json_t *one;
	size_t i;

	json_array_foreach (cases, i, one)
		printf("    %s  %s  %s\n", json_is_string(one) ? json_string_value(one) : ctl_text(one, "case"),
		       ctl_text(one, "state"), ctl_text(one, "unit"));
}

static void print_calls(const json_t *reply)
{
	const json_t *call;
	char at[32], answered[32];
	size_t i;

	json_array_foreach (json_object_get(reply, "calls"), i, call) {
		const char *phone = ctl_text(call, "phone"), *outcome = ctl_text(call, "outcome");

		printf("%lld  %-3s %s  %s  answered %s  %s\n",
		       (long long)json_integer_value(json_object_get(call, "id")), ctl_text(call, "direction"),
		       clock_text(call, "at", at, sizeof(at)), *phone ? phone : "(withheld)",
		       clock_text(call, "answered", answered, sizeof(answered)),
		       *outcome ? outcome : ctl_text(call, "node"));
		print_cases(json_object_get(call, "cases"));
	}
}

int cmd_calls(struct ctl *ctl)
{
	return ctl_show(ctl, ctl_admin(ctl, "calls", json_pack("{s:b}", "live", ctl_flag(ctl, "--live"))), print_calls);
}

static void print_callbacks(const json_t *reply)
{
	const json_t *c, *recording;
	char at[32], due[32];
	size_t i, k;

	json_array_foreach (json_object_get(reply, "callbacks"), i, c) {
		const char *phone = ctl_text(c, "phone");

		printf("%lld  %-9s %-9s by %s%s  %s  called %s  %s\n",
		       (long long)json_integer_value(json_object_get(c, "id")), ctl_text(c, "urgency"),
		       ctl_text(c, "reason"), clock_text(c, "due", due, sizeof(due)),
		       json_is_true(json_object_get(c, "late")) ? " LATE" : "", *phone ? phone : "(withheld)",
		       clock_text(c, "at", at, sizeof(at)), ctl_text(c, "why"));
		json_array_foreach (json_object_get(c, "recordings"), k, recording)
			printf("    recording %lld  media %lld  %lld s  %s %s\n",
			       (long long)json_integer_value(json_object_get(recording, "id")),
			       (long long)json_integer_value(json_object_get(recording, "media")),
			       (long long)json_integer_value(json_object_get(recording, "seconds")),
			       ctl_text(recording, "state"), ctl_text(recording, "why"));
		print_cases(json_object_get(c, "cases"));
	}
}

/* What is to be listened to, as files. */
static int write_sound(struct ctl *ctl, const char *folder, const json_t *reply)
{
	const json_t *c, *recording;
	char name[32];
	size_t i, k;
	int rc = CTL_OK;

	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return ctl_fail(ctl, "%s: cannot be made: %m", folder);
	json_array_foreach (json_object_get(reply, "callbacks"), i, c) {
		snprintf(name, sizeof(name), "callback-%lld", (long long)json_integer_value(json_object_get(c, "id")));
		json_array_foreach (json_object_get(c, "recordings"), k, recording)
			if (rc == CTL_OK && json_is_integer(json_object_get(recording, "media")))
				rc = ctl_media_file(ctl, folder, name, recording);
	}
	return rc;
}

int cmd_callbacks(struct ctl *ctl)
{
	json_t *reply = ctl_admin(ctl, "callbacks", json_pack("{s:b}", "all", ctl_flag(ctl, "--all")));
	const char *folder = ctl_option(ctl, "--out");

	if (reply && folder && write_sound(ctl, folder, reply) != CTL_OK) {
		json_decref(reply);
		return CTL_FAILED;
	}
	return ctl_show(ctl, reply, print_callbacks);
}

static void print_done(const json_t *reply)
{
	printf("call-back %lld is done\n", (long long)json_integer_value(json_object_get(reply, "id")));
}

int cmd_callback(struct ctl *ctl)
{
	const char *verb = ctl_word(ctl, 0), *id = ctl_word(ctl, 1);
	char *end = NULL;
	long long n = id ? strtoll(id, &end, 10) : 0;

	if (!verb || strcmp(verb, "done") != 0 || !id || *end || n <= 0 || !ctl->why)
		return CTL_USAGE;
	return ctl_show(ctl,
			ctl_admin(ctl, "callback_done", json_pack("{s:I, s:s}", "id", (json_int_t)n, "why", ctl->why)),
			print_done);
}
