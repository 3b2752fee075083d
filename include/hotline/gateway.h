/* gateway.h - one whole running gateway: wiring, readiness, drain */
#ifndef HOTLINE_GATEWAY_H
#define HOTLINE_GATEWAY_H

#include "hotline/config.h"
#include "hotline/loop.h"

struct gateway;

/* hl_gateway_new - listens and starts connecting to the database; serves webhooks once it knows the reference data.
 * Takes   config: borrowed until free. Errors HL_CONFIG: an address cannot be listened on; HL_NOMEM */
enum hl_class hl_gateway_new(struct hl_loop *loop, const struct hl_config *config, struct gateway **out_r,
			     struct hl_error *err);
/* hl_gateway_drain - takes nothing new, finishes what is in work, then stops the loop; at most ten seconds. */
void hl_gateway_drain(struct gateway *gateway);
void hl_gateway_free(struct gateway **gateway);

#endif
