/* tick.c - hotlinectl tick: moves a demo clock from due instant to due instant and shows what is sent at each */
#include "ctl.h"

#include "hotline/clock.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_AGAIN_MS 20
#define QUIET_MAX_US  (20 * HL_US_PER_S)

static const struct unit {
	char letter;
	int64_t us;
} units[] = {{'m', 60 * HL_US_PER_S}, {'h', 3600 * HL_US_PER_S}, {'d', 86400 * HL_US_PER_S}};

/* "+90m", "+4h", "+2d" */
static bool read_span(const char *word, int64_t now_us, int64_t *at_r)
{
	char *end;
	long n = strtol(word + 1, &end, 10);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (n > 0 && end[0] == units[i].letter && end[1] == '\0') {
			*at_r = now_us + n * units[i].us;
			return true;
		}
	return false;
}

/* "HH:MM": the next time the county's clock shows it. */
static bool read_hour(const char *word, int64_t now_us, int32_t offset_s, int64_t *at_r)
{
	int hour, minute, used = 0;
	int64_t day_us = 86400 * HL_US_PER_S, local_us = now_us + offset_s * HL_US_PER_S, at;

	if (sscanf(word, "%2d:%2d%n", &hour, &minute, &used) != 2 || word[used] != '\0' || hour > 23 || minute > 59)
		return false;
	at = local_us / day_us * day_us + (hour * 3600 + minute * 60) * HL_US_PER_S;
	*at_r = (at > local_us ? at : at + day_us) - offset_s * HL_US_PER_S;
	return true;
}

/* "2026-11-25T15:30[:00][+08:00|Z]"; without zone: the county's. */
static bool read_iso(const char *word, int32_t offset_s, int64_t *at_r)
{
	int y, mo, d, h, mi, s = 0, used = 0, zh = 0, zm = 0;

	if (sscanf(word, "%4d-%2d-%2d%*1[T ]%2d:%2d%n", &y, &mo, &d, &h, &mi, &used) != 5 || mo < 1 || mo > 12 ||
	    d < 1 || d > 31 || h > 23 || mi > 59)
		return false;
	word += used;
	if (*word == ':' && sscanf(word, ":%2d%n", &s, &used) == 1)
		word += used;
	if (strcmp(word, "Z") == 0)
		offset_s = 0;
	else if ((*word == '+' || *word == '-') && sscanf(word + 1, "%2d:%2d", &zh, &zm) == 2)
		offset_s = (*word == '-' ? -1 : 1) * (zh * 3600 + zm * 60);
	else if (*word)
		return false;
	*at_r = ((int64_t)hl_civil_days(y, mo, d) * 86400 + h * 3600 + mi * 60 + s - offset_s) * HL_US_PER_S;
	return true;
}

bool ctl_read_time(const char *word, int64_t now_us, int32_t offset_s, int64_t *at_r)
{
	return word[0] == '+' ? read_span(word, now_us, at_r)
			      : read_hour(word, now_us, offset_s, at_r) || read_iso(word, offset_s, at_r);
}

/* Waits until what is due has been fired and sent. Gives false after having said why. */
static bool await_quiet(struct ctl *ctl)
{
	int64_t until = hl_mono_us() + QUIET_MAX_US;
	bool is_idle = false;

	while (!is_idle) {
		struct timespec t = {.tv_nsec = LOOK_AGAIN_MS * 1000000};
		json_t *reply = ctl_admin(ctl, "idle", json_object());

		if (!reply)
			return false;
		is_idle = json_is_true(json_object_get(reply, "idle"));
		json_decref(reply);
		if (!is_idle && hl_mono_us() > until) {
			ctl_fail(ctl, "texts are still on their way after %d s", (int)(QUIET_MAX_US / HL_US_PER_S));
			return false;
		}
		if (!is_idle)
			nanosleep(&t, NULL);
	}
	return true;
}

static void print_step(const json_t *step)
{
	const json_t *sms;
	size_t i;

	printf("%s\n", json_string_value(json_object_get(step, "now")));
	json_array_foreach (json_object_get(step, "sms"), i, sms)
		printf("  -> %s  [%s]\n     %s\n", json_string_value(json_object_get(sms, "to")),
		       json_string_value(json_object_get(sms, "kind")),
		       json_is_string(json_object_get(sms, "text")) ? json_string_value(json_object_get(sms, "text"))
								    : json_string_value(json_object_get(sms, "state")));
}

/* One stop of the clock. Gives what was sent since the last one, NULL after having said why. */
static json_t *step(struct ctl *ctl, int64_t to_us, bool is_under_way, int64_t *since_us, bool *is_there)
{
	json_t *args = json_pack("{s:I, s:b}", "to", (json_int_t)to_us, "under_way", is_under_way);
	json_t *reply = ctl_admin(ctl, "tick", args), *sent;

	if (!reply)
		return NULL;
	*is_there = json_is_true(json_object_get(reply, "reached"));
	json_decref(reply);
	if (!await_quiet(ctl))
		return NULL;
	sent = ctl_admin(ctl, "since", json_pack("{s:I}", "since", (json_int_t)*since_us));
	*since_us = json_integer_value(json_object_get(sent, "now_us"));
	return sent;
}

static int walk(struct ctl *ctl, int64_t to_us, int64_t since_us)
{
	json_t *steps = json_array();
	bool is_there = false;

	while (!is_there) {
		json_t *sent = step(ctl, to_us, json_array_size(steps) > 0, &since_us, &is_there);

		if (!sent) {
			json_decref(steps);
			return CTL_FAILED;
		}
		if (!ctl->as_json && (is_there || json_array_size(json_object_get(sent, "sms")) > 0))
			print_step(sent);
		json_array_append_new(steps, sent);
	}
	if (ctl->as_json)
		ctl_print(steps);
	json_decref(steps);
	return CTL_OK;
}

int cmd_tick(struct ctl *ctl)
{
	const char *to = ctl_option(ctl, "--to");
	json_t *now;
	int64_t now_us, to_us;

	if (!to)
		return CTL_USAGE;
	if (!await_quiet(ctl))
		return CTL_FAILED;
	now = ctl_admin(ctl, "since", json_pack("{s:I}", "since", INT64_MAX / 4));
	if (!now)
		return CTL_FAILED;
	now_us = json_integer_value(json_object_get(now, "now_us"));
	json_decref(now);
	if (!ctl_read_time(to, now_us, CTL_COUNTY_OFFSET_S, &to_us))
		return ctl_fail(ctl, "--to: must be HH:MM, +90m, +4h, +2d or 2026-11-25T15:30, not \"%s\"", to);
	return walk(ctl, to_us, now_us);
}
