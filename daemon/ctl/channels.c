/* channels.c - hotlinectl's look at the channels, and the test of one */
#include "ctl.h"

#include "hotline/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_S        60
#define WAIT_S_MAX    600
#define LOOK_AGAIN_MS 200

static json_int_t number(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static void print_channels(const json_t *reply)
{
	const json_t *c;
	size_t i;

	json_array_foreach (json_object_get(reply, "channels"), i, c) {
		printf("%-12s %-9s %-8s %-13s breaker %-9s sent %lld, accepted %lld, failed %lld", ctl_text(c, "name"),
		       ctl_text(c, "provider"), ctl_text(c, "purpose"), ctl_text(c, "health"), ctl_text(c, "breaker"),
		       (long long)number(c, "sent"), (long long)number(c, "accepted"), (long long)number(c, "failed"));
		if (number(c, "daily_budget"))
			printf(", today %lld of %lld SMS", (long long)number(c, "spent_today"),
			       (long long)number(c, "daily_budget"));
		printf("\n");
		if (*ctl_text(c, "last_error"))
			printf("             last error %lld s ago: %s\n", (long long)number(c, "last_error_age_s"),
			       ctl_text(c, "last_error"));
	}
}

int cmd_channels(struct ctl *ctl)
{
	return ctl_show(ctl, ctl_admin(ctl, "channels", json_object()), print_channels);
}

static bool is_final(const char *state)
{
	static const char *const ends[] = {"delivered", "undelivered", "refused", "dropped"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (strcmp(state, ends[i]) == 0)
			return true;
	return false;
}

/* The notice when its end is known, or as it stands after so many seconds. */
static json_t *await_notice(struct ctl *ctl, json_int_t notice, unsigned wait_s)
{
	const struct timespec pause = {0, LOOK_AGAIN_MS * 1000000L};
	unsigned looks = wait_s * 1000 / LOOK_AGAIN_MS;

	for (unsigned i = 0;; i++) {
		json_t *reply = ctl_admin(ctl, "notice", json_pack("{s:I}", "notice", notice));

		if (!reply || is_final(ctl_text(reply, "state")) || i >= looks)
			return reply;
		json_decref(reply);
		nanosleep(&pause, NULL);
	}
}

static void print_test(const json_t *reply)
{
	printf("%s by channel %s%s%s\n", ctl_text(reply, "state"), ctl_text(reply, "channel"),
	       *ctl_text(reply, "detail") ? ": " : "", ctl_text(reply, "detail"));
}

static int test_channel(struct ctl *ctl, const char *name, struct hl_slice to, unsigned wait_s)
{
	json_t *reply = ctl_admin(ctl, "channel_test", json_pack("{s:s, s:s%}", "channel", name, "to", to.ptr, to.len));
	json_int_t notice = number(reply, "notice");
	bool is_delivered;

	if (!reply)
		return CTL_FAILED;
	json_decref(reply);
	reply = await_notice(ctl, notice, wait_s);
	if (!reply)
		return CTL_FAILED;
	is_delivered =
		strcmp(ctl_text(reply, "state"), "delivered") == 0 && strcmp(ctl_text(reply, "channel"), name) == 0;
	if (ctl->as_json)
		ctl_print(reply);
	else
		print_test(reply);
	json_decref(reply);
	return is_delivered ? CTL_OK : CTL_FAILED;
}

int cmd_channel(struct ctl *ctl)
{
	const char *verb = ctl_word(ctl, 0), *name = ctl_word(ctl, 1), *to = ctl_option(ctl, "--to");
	const char *wait = ctl_option(ctl, "--wait");
	const struct hl_config *config;
	struct hl_arena arena;
	struct hl_slice phone;
	uint64_t wait_s = WAIT_S;
	int rc;

	if (!verb || strcmp(verb, "test") != 0 || !name || !to)
		return CTL_USAGE;
	if (wait && (!hl_slice_u64(hl_slice_str(wait), &wait_s) || wait_s > WAIT_S_MAX))
		return ctl_fail(ctl, "--wait: must be a number of seconds up to %d", WAIT_S_MAX);
	config = ctl_config(ctl);
	if (!config)
		return CTL_FAILED;
	if (!hl_config_channel(config, hl_slice_str(name)) ||
	    !hl_config_channel(config, hl_slice_str(name))->channel.send_url[0])
		return ctl_fail(ctl, "there is no [channel %s] that sends", name);
	hl_arena_init(&arena, 4096);
	if (hl_phone_normalise(&arena, hl_slice_str(to), config->region_country, &phone) && phone.ptr[0] == '+')
		rc = test_channel(ctl, name, phone, (unsigned)wait_s);
	else
		rc = ctl_fail(ctl, "--to: must be a telephone number");
	hl_arena_fini(&arena);
	return rc;
}
