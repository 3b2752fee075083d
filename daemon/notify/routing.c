/* routing.c - by which channels a text may go, and when a channel is left alone (contract in hotline/routing.h). Pure.
 */
#include "hotline/routing.h"

#include <limits.h>
#include <string.h>

#define US_PER_S       INT64_C(1000000)
#define FAILURES       5 /* in a row open the breaker */
#define PAUSE_FIRST_US (5 * US_PER_S)
#define PAUSE_LAST_US  (300 * US_PER_S)

enum hl_breaker_state hl_breaker_state(const struct hl_breaker *b, int64_t now_us)
{
	if (!b->is_open)
		return HL_BREAKER_CLOSED;
	return now_us < b->open_until_us || b->is_probing ? HL_BREAKER_OPEN : HL_BREAKER_HALF_OPEN;
}

void hl_breaker_begin(struct hl_breaker *b, int64_t now_us)
{
	if (hl_breaker_state(b, now_us) == HL_BREAKER_HALF_OPEN)
		b->is_probing = true;
}

void hl_breaker_end(struct hl_breaker *b, bool is_failure, int64_t now_us)
{
	if (!is_failure) {
		*b = (struct hl_breaker){0};
		return;
	}
	b->failures++;
	/* What was on its way when it opened tells nothing new. */
	if (b->is_open && !b->is_probing)
		return;
	if (!b->is_open && b->failures < FAILURES)
		return;
	b->pause_us = !b->is_open ? PAUSE_FIRST_US : 2 * b->pause_us < PAUSE_LAST_US ? 2 * b->pause_us : PAUSE_LAST_US;
	b->open_until_us = now_us + b->pause_us;
	b->is_open = true;
	b->is_probing = false;
}

unsigned hl_bucket_room(const struct hl_bucket *b, unsigned rate, int64_t now_us)
{
	int64_t full_since_us = now_us - US_PER_S;

	if (!rate)
		return UINT_MAX;
	if (b->spent_until_us <= full_since_us)
		return rate;
	if (b->spent_until_us >= now_us)
		return 0;
	return (unsigned)((now_us - b->spent_until_us) * rate / US_PER_S);
}

void hl_bucket_take(struct hl_bucket *b, unsigned rate, unsigned n, int64_t now_us)
{
	if (!rate)
		return;
	if (b->spent_until_us < now_us - US_PER_S)
		b->spent_until_us = now_us - US_PER_S;
	b->spent_until_us += n * US_PER_S / rate;
}

bool hl_can_send(const struct hl_channel_config *c)
{
	return c->ops->build && c->channel.send_url && c->channel.send_url[0];
}

const char *hl_route_name(enum hl_route route)
{
	static const char *const names[HL_ROUTES] = {"officer", "resident", "bulk"};

	return names[route];
}

/* Puts a channel in where its cost says, behind those that stand before from. */
static size_t put(const struct hl_channel_config **order, size_t from, size_t n, const struct hl_channel_config *c)
{
	size_t at = n;

	for (; at > from && order[at - 1]->cost > c->cost; at--)
		order[at] = order[at - 1];
	order[at] = c;
	return n + 1;
}

static size_t add_purpose(const struct hl_config *config, const char *purpose, const struct hl_channel_config **order,
			  size_t n)
{
	size_t from = n;

	for (size_t i = 0; i < config->n_channels; i++) {
		const struct hl_channel_config *c = &config->channels[i];

		if (hl_can_send(c) && (!purpose || strcmp(c->purpose, purpose) == 0))
			n = put(order, from, n, c);
	}
	return n;
}

size_t hl_route_order(const struct hl_config *config, enum hl_route route, const struct hl_channel_config **order_r)
{
	size_t n = 0;

	for (size_t i = 0; i < config->n_routes[route] && n < config->n_channels; i++) {
		const struct hl_channel_config *c = hl_config_channel(config, hl_slice_str(config->routes[route][i]));

		if (c && hl_can_send(c))
			order_r[n++] = c;
	}
	if (!n)
		n = add_purpose(config, hl_route_name(route), order_r, n);
	if (!config->n_routes[route])
		n = add_purpose(config, "all", order_r, n);
	return n ? n : add_purpose(config, NULL, order_r, n);
}

bool hl_route_fits(const struct hl_channel_config *c, const char *phone, const char *template_key)
{
	bool fits = c->n_prefixes == 0;

	for (size_t i = 0; i < c->n_prefixes; i++)
		fits |= strncmp(phone, c->prefixes[i], strlen(c->prefixes[i])) == 0;
	return fits && (!c->ops->needs_template || hl_config_template(c, template_key));
}

bool hl_route_asks_other(const char *outcome)
{
	return strcmp(outcome, "refused") == 0 || strcmp(outcome, "config") == 0 || strcmp(outcome, "not_sent") == 0;
}
