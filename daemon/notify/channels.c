/* channels.c - how each channel fares (contract in channels.h)
 *
 * Must not know: how a text is sent, what an answer means.
 * Limits: breakers and rates are this daemon's own; several daemons on one channel share its tps by configuration.
 */
#include "channels.h"

#include "hotline/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define ERROR_BYTES 160

struct fare {
	const struct hl_channel_config *config;
	struct hl_breaker breaker;
	struct hl_bucket bucket;
	unsigned long long sent, accepted, failed;
	unsigned spent; /* SMS of the day, all daemons, as last heard */
	char last_error[ERROR_BYTES];
	int64_t last_error_us;
};

struct hl_channels {
	const struct hl_config *config;
	struct fare *fares;                     /* one per channel, in the configuration's order */
	const struct hl_channel_config **order; /* scratch of hl_route_order */
};

struct hl_channels *hl_channels_new(const struct hl_config *config)
{
	struct hl_channels *cs = calloc(1, sizeof(*cs));

	if (!cs)
		return NULL;
	cs->config = config;
	cs->fares = calloc(config->n_channels + 1, sizeof(*cs->fares));
	cs->order = calloc(config->n_channels + 1, sizeof(*cs->order));
	if (!cs->fares || !cs->order)
		hl_channels_free(&cs);
	for (size_t i = 0; cs && i < config->n_channels; i++)
		cs->fares[i].config = &config->channels[i];
	return cs;
}

void hl_channels_free(struct hl_channels **csp)
{
	struct hl_channels *cs = *csp;

	if (!cs)
		return;
	*csp = NULL;
	free(cs->fares);
	free(cs->order);
	free(cs);
}

static struct fare *fare_of(struct hl_channels *cs, const struct hl_channel_config *c)
{
	return &cs->fares[c - cs->config->channels];
}

static bool is_spent(const struct fare *f)
{
	return f->config->daily_budget && f->spent >= f->config->daily_budget;
}

/* Texts that may go by this channel now. */
static unsigned room_of(const struct fare *f, int64_t now_us)
{
	unsigned room = hl_bucket_room(&f->bucket, f->config->tps, now_us);

	switch (hl_breaker_state(&f->breaker, now_us)) {
	case HL_BREAKER_OPEN:
		return 0;
	case HL_BREAKER_HALF_OPEN:
		return room ? 1 : 0;
	default:
		return room;
	}
}

/* ---- what the database is told --------------------------------------------- */

static json_t *names_json(char *const *names, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(names[i]));
	return list;
}

static json_t *facts_json(const struct hl_channel_config *c)
{
	json_t *facts = json_pack("{s:o}", "prefixes", names_json(c->prefixes, c->n_prefixes)), *templates;

	if (!c->ops->needs_template)
		return facts;
	templates = json_array();
	for (size_t i = 0; i < c->n_templates; i++)
		json_array_append_new(templates, json_string(c->templates[i].key));
	json_object_set_new(facts, "templates", templates);
	return facts;
}

static json_t *budgets_json(const struct hl_channels *cs, const char *day)
{
	json_t *names = json_array();

	for (size_t i = 0; i < cs->config->n_channels; i++)
		if (cs->config->channels[i].daily_budget)
			json_array_append_new(names, json_string(cs->config->channels[i].channel.name));
	if (json_array_size(names) > 0)
		return json_pack("{s:s, s:o}", "day", day, "channels", names);
	json_decref(names);
	return NULL;
}

void hl_channels_budgets(const struct hl_channels *cs, json_t *call, const char *day)
{
	json_t *budgets = budgets_json(cs, day);

	if (budgets)
		json_object_set_new(call, "budgets", budgets);
}

/* A channel that is left alone stays in the list while there is no other: then waiting would help nobody, and the
 * notices' own back-off spares it. */
static json_t *order_json(struct hl_channels *cs, enum hl_route route, json_t *routes, int64_t now_us)
{
	size_t n = hl_route_order(cs->config, route, cs->order);
	json_t *list = json_array();
	bool has_usable = false;

	for (size_t i = 0; i < n; i++) {
		const struct fare *f = fare_of(cs, cs->order[i]);

		has_usable |= hl_breaker_state(&f->breaker, now_us) != HL_BREAKER_OPEN && !is_spent(f);
	}
	for (size_t i = 0; i < n; i++) {
		const struct fare *f = fare_of(cs, cs->order[i]);
		const char *name = cs->order[i]->channel.name;

		if (has_usable && (hl_breaker_state(&f->breaker, now_us) == HL_BREAKER_OPEN || is_spent(f)))
			continue;
		json_array_append_new(list, json_string(name));
		if (!json_object_get(routes, name))
			json_object_set_new(routes, name, facts_json(cs->order[i]));
	}
	return list;
}

/* Channels of conversations that stand in no list are routes too. */
static void add_others(struct hl_channels *cs, json_t *routes, int64_t now_us)
{
	for (size_t i = 0; i < cs->config->n_channels; i++) {
		const struct fare *f = &cs->fares[i];

		if (hl_can_send(f->config) && hl_breaker_state(&f->breaker, now_us) != HL_BREAKER_OPEN &&
		    !json_object_get(routes, f->config->channel.name) && !is_spent(f))
			json_object_set_new(routes, f->config->channel.name, facts_json(f->config));
	}
}

static json_t *rooms_json(const struct hl_channels *cs, const json_t *routes, int64_t now_us)
{
	json_t *rooms = json_object();

	for (size_t i = 0; i < cs->config->n_channels; i++) {
		const struct fare *f = &cs->fares[i];
		unsigned room = room_of(f, now_us);
		bool is_alone = hl_breaker_state(&f->breaker, now_us) == HL_BREAKER_OPEN;

		if (is_alone) /* it is a route all the same: nothing else is */
			room = hl_bucket_room(&f->bucket, f->config->tps, now_us);
		if (room < INT_MAX && json_object_get(routes, f->config->channel.name))
			json_object_set_new(rooms, f->config->channel.name, json_integer((json_int_t)room));
	}
	return rooms;
}

/* Any route fits any text. */
static bool is_plain(const struct hl_channels *cs)
{
	for (size_t i = 0; i < cs->config->n_channels; i++) {
		const struct hl_channel_config *c = &cs->config->channels[i];

		if (hl_can_send(c) && (c->n_prefixes || c->ops->needs_template))
			return false;
	}
	return true;
}

void hl_channels_ask(struct hl_channels *cs, json_t *call, const char *day, int64_t now_us)
{
	json_t *order = json_object(), *routes = json_object();

	for (int r = 0; r < HL_ROUTES; r++)
		json_object_set_new(order, hl_route_name((enum hl_route)r),
				    order_json(cs, (enum hl_route)r, routes, now_us));
	add_others(cs, routes, now_us);
	/* Without any route the notice is leased, and told why it cannot go. */
	if (json_object_size(routes) > 0) {
		json_object_set(call, "order", order);
		json_object_set_new(call, "room", rooms_json(cs, routes, now_us));
		json_object_set(call, "routes", routes);
		if (is_plain(cs))
			json_object_set_new(call, "plain", json_true());
	}
	json_decref(order);
	json_decref(routes);
	hl_channels_budgets(cs, call, day);
}

void hl_channels_spent(struct hl_channels *cs, const json_t *spent)
{
	for (size_t i = 0; i < cs->config->n_channels; i++)
		cs->fares[i].spent =
			(unsigned)json_integer_value(json_object_get(spent, cs->config->channels[i].channel.name));
}

/* ---- what becomes of texts -------------------------------------------------- */

void hl_channels_begin(struct hl_channels *cs, const struct hl_channel_config *c, int64_t now_us)
{
	struct fare *f = fare_of(cs, c);

	f->sent++;
	hl_breaker_begin(&f->breaker, now_us);
	hl_bucket_take(&f->bucket, c->tps, 1, now_us);
}

void hl_channels_end(struct hl_channels *cs, const struct hl_channel_config *c, const char *outcome,
		     struct hl_slice detail, unsigned parts, int64_t now_us)
{
	struct fare *f = fare_of(cs, c);
	bool is_failure =
		strcmp(outcome, "config") == 0 || strcmp(outcome, "not_sent") == 0 || strcmp(outcome, "unknown") == 0;

	hl_breaker_end(&f->breaker, is_failure, now_us);
	if (strcmp(outcome, "accepted") == 0) {
		f->accepted++;
		f->spent += parts;
		return;
	}
	f->failed += is_failure;
	f->last_error_us = now_us;
	snprintf(f->last_error, sizeof(f->last_error), "%s: %.*s", outcome, (int)(detail.len < 100 ? detail.len : 100),
		 detail.ptr ? detail.ptr : "");
}

static bool is_tried(const json_t *tried, const char *name)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (tried, i, entry)
		if (strcmp(json_string_value(entry), name) == 0)
			return true;
	return false;
}

static enum hl_route route_of(const json_t *notice)
{
	const char *purpose = json_string_value(json_object_get(notice, "purpose"));

	for (int r = 0; r < HL_ROUTES; r++)
		if (purpose && strcmp(purpose, hl_route_name((enum hl_route)r)) == 0)
			return (enum hl_route)r;
	return HL_ROUTE_RESIDENT;
}

bool hl_channels_has_other(struct hl_channels *cs, const json_t *notice, const struct hl_channel_config *failed)
{
	const char *phone = json_string_value(json_object_get(notice, "phone"));
	const char *key = json_string_value(json_object_get(notice, "template"));
	size_t n = hl_route_order(cs->config, route_of(notice), cs->order);

	for (size_t i = 0; i < n; i++) {
		const struct hl_channel_config *c = cs->order[i];

		if (c != failed && phone && key && hl_route_fits(c, phone, key) &&
		    !is_tried(json_object_get(notice, "tried"), c->channel.name))
			return true;
	}
	return false;
}

json_t *hl_channels_show(const struct hl_channels *cs, int64_t now_us)
{
	static const char *const states[] = {"closed", "open", "half_open"};
	json_t *list = json_array();

	for (size_t i = 0; i < cs->config->n_channels; i++) {
		const struct fare *f = &cs->fares[i];
		const struct hl_channel_config *c = f->config;
		enum hl_breaker_state state = hl_breaker_state(&f->breaker, now_us);
		const char *health = !hl_can_send(c)                                      ? "receives only"
				     : is_spent(f)                                        ? "budget spent"
				     : state == HL_BREAKER_CLOSED && !f->breaker.failures ? "good"
				     : state == HL_BREAKER_CLOSED                         ? "failing"
											  : "left alone";

		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:I}", "name",
					c->channel.name, "provider", c->channel.provider, "purpose", c->purpose,
					"health", health, "breaker", states[state], "sent", (json_int_t)f->sent,
					"accepted", (json_int_t)f->accepted, "failed", (json_int_t)f->failed, "tps",
					(json_int_t)c->tps, "daily_budget", (json_int_t)c->daily_budget, "spent_today",
					(json_int_t)f->spent, "last_error", f->last_error, "last_error_age_s",
					(json_int_t)((now_us - f->last_error_us) / 1000000)));
	}
	return list;
}
