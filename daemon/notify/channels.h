/* channels.h (private to daemon/notify) - how each channel fares, and what the database needs to know of it
 *
 * Owns the breakers, buckets and counts of this daemon's channels; other daemons have their own. Budgets are counted by
 * the database.
 */
#ifndef NOTIFY_CHANNELS_H
#define NOTIFY_CHANNELS_H

#include "hotline/outbox.h"
#include "hotline/routing.h"

struct hl_channels;

/* hl_channels_new - keeps config. NULL: out of memory. */
struct hl_channels *hl_channels_new(const struct hl_config *config);
void hl_channels_free(struct hl_channels **channels);

/* hl_channels_ask - adds to a call of hl.lease: order, routes, room and budgets (hl.route, hl.spent).
 * Takes  day: the county's date, "2026-11-25". */
void hl_channels_ask(struct hl_channels *channels, json_t *call, const char *day, int64_t now_us);
/* hl_channels_budgets - adds to a call of hl.settle: which channels are counted. */
void hl_channels_budgets(const struct hl_channels *channels, json_t *call, const char *day);
/* hl_channels_spent - what hl.lease says of the day's SMS. */
void hl_channels_spent(struct hl_channels *channels, const json_t *spent);
/* hl_channels_begin, hl_channels_end - a text of this channel goes out; this came of it. */
void hl_channels_begin(struct hl_channels *channels, const struct hl_channel_config *c, int64_t now_us);
void hl_channels_end(struct hl_channels *channels, const struct hl_channel_config *c, const char *outcome,
		     struct hl_slice detail, unsigned parts, int64_t now_us);
/* hl_channels_has_other - is there a channel that this leased notice has not been through?
 * Takes  failed: the one that just failed. */
bool hl_channels_has_other(struct hl_channels *channels, const json_t *notice, const struct hl_channel_config *failed);
/* hl_channels_show - [{name, provider, purpose, state, sends, sent, failures, last_error, ...}]. */
json_t *hl_channels_show(const struct hl_channels *channels, int64_t now_us);

#endif
