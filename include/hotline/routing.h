/* routing.h - by which channels a text may go, and when a channel is left alone; pure
 *
 * Routes are ordered lists; a circuit breaker leaves out a channel that fails, a token bucket keeps its rate. What a
 * notice has been through already is known to the database (hl.route), which picks from what is given here.
 * Must not know: the clock (now is an argument), what a text says.
 */
#ifndef HOTLINE_ROUTING_H
#define HOTLINE_ROUTING_H

#include "hotline/config.h"

/* hl_breaker - opens after failures in a row, lets one probe through after a pause, closes when that succeeds. All zero
 * is a closed one. */
struct hl_breaker {
	unsigned failures; /* in a row */
	int64_t pause_us, open_until_us;
	bool is_open, is_probing;
};

enum hl_breaker_state { HL_BREAKER_CLOSED, HL_BREAKER_OPEN, HL_BREAKER_HALF_OPEN };

enum hl_breaker_state hl_breaker_state(const struct hl_breaker *b, int64_t now_us);
/* hl_breaker_begin - a text goes out; in a half-open breaker it is the probe. */
void hl_breaker_begin(struct hl_breaker *b, int64_t now_us);
/* hl_breaker_end - and this came of it: an outage or a fault of configuration is a failure, a refusal is not. */
void hl_breaker_end(struct hl_breaker *b, bool is_failure, int64_t now_us);

/* hl_bucket - at most rate texts a second, at most a second's worth at once. All zero is a full one. */
struct hl_bucket {
	int64_t spent_until_us; /* the time up to which tokens are used up */
};

/* hl_bucket_room - texts that may go now; UINT_MAX when rate is 0. */
unsigned hl_bucket_room(const struct hl_bucket *b, unsigned rate, int64_t now_us);
void hl_bucket_take(struct hl_bucket *b, unsigned rate, unsigned n, int64_t now_us);

/* hl_can_send - without an address to send to a channel only receives, whatever its provider could do. */
bool hl_can_send(const struct hl_channel_config *c);
const char *hl_route_name(enum hl_route route);
/* hl_route_order - the channels of a route that can send, the first best: the list of [routes], else those whose
 * purpose is this one, then those for all, each cheapest first; when there is none of them, any. Takes   order_r: room
 * for config->n_channels. Gives how many there are. */
size_t hl_route_order(const struct hl_config *config, enum hl_route route, const struct hl_channel_config **order_r);
/* hl_route_fits - may this channel text this number, and does it know the template? */
bool hl_route_fits(const struct hl_channel_config *c, const char *phone, const char *template_key);
/* hl_route_is_failure - does an outcome ask for another channel at once? Unknown never does: it may have been sent. */
bool hl_route_asks_other(const char *outcome);

#endif
