/* ringer.h - calls that we make: notices that are read aloud
 *
 * lease (hl.rings_due) -> one POST to the platform -> hl.settle. What becomes of the call itself the platform tells by
 * the hooks of calls.h. A lease that runs out, or an answer nobody can read, is an unknown outcome like any text's.
 */
#ifndef HOTLINE_RINGER_H
#define HOTLINE_RINGER_H

#include "hotline/clock.h"
#include "hotline/config.h"
#include "hotline/http_client.h"
#include "hotline/loop.h"
#include "hotline/store.h"

struct hl_ringer;

struct hl_ringer_setup {
	struct hl_loop *loop;
	struct hl_store store;
	struct hl_http_client *client;
	const struct hl_config *config;
};

struct hl_ringer *hl_ringer_new(const struct hl_ringer_setup *setup);
void hl_ringer_free(struct hl_ringer **ringer);
/* hl_ringer_pulse - looks for calls that are due, unless it is at work or no channel has a call_url. */
void hl_ringer_pulse(struct hl_ringer *ringer);
void hl_ringer_stop(struct hl_ringer *ringer);
unsigned hl_ringer_outstanding(const struct hl_ringer *ringer);

#endif
