/* config.h - the INI file as one checked, read-only struct
 *
 * One table in daemon/base/config_keys.c holds for every key: section, name, type,
 * default, minimum, maximum, unit, help. README's table is printed from it
 * (hotlined --config-table). Unknown section or key, bad value, missing secret:
 * refusal that names file, line, key and rule; all errors are reported, not the first only.
 */
#ifndef HOTLINE_CONFIG_H
#define HOTLINE_CONFIG_H

#include "hotline/buf.h"
#include "hotline/provider.h"

enum hl_trust { HL_TRUST_LOW, HL_TRUST_HIGH };

/* One parameter of a provider's template: which of ours, what the provider calls it, how long it may be. */
struct hl_template_param {
	const char *name, *as;
	unsigned max; /* characters, 0: any */
};

/* Which of the provider's approved templates stands for which of our texts. */
struct hl_template_ref {
	const char *key; /* ours */
	const char *id;  /* the provider's */
	struct hl_template_param *params;
	size_t n_params;
};

struct hl_channel_config {
	struct hl_channel channel; /* what adapters see */
	const struct hl_provider *ops;
	enum hl_trust trust;
	char *purpose;   /* "all", "resident", "officer", "bulk" */
	bool signs_ours; /* sign = ours | provider */
	char *signature; /* text in 【】 */
	struct hl_template_ref *templates;
	size_t n_templates;
	char **prefixes; /* beginnings of the numbers it may text; empty: any */
	size_t n_prefixes;
	unsigned cost, tps, daily_budget; /* 0: no limit */
	char **allow;                     /* source addresses; empty: any */
	size_t n_allow;
	char **media_allow; /* hosts that photos are fetched from; empty: the host of send_url */
	size_t n_media_allow;
};

/* For whom a text is. */
enum hl_route { HL_ROUTE_OFFICER, HL_ROUTE_RESIDENT, HL_ROUTE_BULK, HL_ROUTES };

struct hl_operator_config {
	char *os_user, *role; /* operator | supervisor | admin */
};

struct hl_config {
	/* [http] */
	char *listen, *public_url, *admin_listen;
	unsigned header_ms, body_ms, idle_ms, answer_ms, body_bytes, header_bytes, max_connections,
		max_connections_per_peer;
	char **trusted_proxies;
	size_t n_trusted_proxies;
	char **status_allow;
	size_t n_status_allow;
	/* [db] */
	char *conninfo;
	unsigned db_deadline_ms, batch_max;
	/* [spool] */
	char *spool_dir; /* "": none */
	unsigned spool_max_mb, spool_after_ms;
	/* [media] */
	char *media_dir;
	char **media_inside; /* addresses that are not of the public Internet and may be fetched from all the same */
	size_t n_media_inside;
	/* [voice] */
	char *transcribe_url, *transcribe_model;
	struct hl_slice transcribe_key;
	unsigned transcribe_ms;
	/* [web] */
	char *web_url;
	/* [classifier] */
	char *opinion_endpoint; /* "": nobody is asked */
	char *opinion_model;
	struct hl_slice opinion_key;
	unsigned opinion_timeout_ms;
	bool opinion_accepts; /* an opinion that agrees dispatches */
	/* [log] */
	char *log_level;
	/* [demo] */
	bool demo_clock;
	/* [send] */
	unsigned send_deadline_ms, send_concurrency, lease_ms, poll_ms;
	char *region_country;     /* [region] country = 86 */
	char *language;           /* [region] language = zh-CN */
	char **routes[HL_ROUTES]; /* [routes]: names of channels, the first best */
	size_t n_routes[HL_ROUTES];
	/* [channel NAME] ..., [operators] user = role */
	struct hl_channel_config *channels;
	size_t n_channels;
	struct hl_operator_config *operators;
	size_t n_operators;
	void *owned; /* allocations, freed by hl_config_free */
};

/* hl_config_load - reads and checks.
 * Gives   *out_r, or NULL with every error as "FILE:LINE: [section] key: rule" lines in *errors. Relative paths are
 *         taken from the file's folder.
 * Errors  HL_CONFIG; HL_NOMEM */
enum hl_class hl_config_load(const char *path, struct hl_config **out_r, struct hl_buf *errors);
void hl_config_free(struct hl_config **config);
const struct hl_channel_config *hl_config_channel(const struct hl_config *config, struct hl_slice name);
/* hl_config_template - what stands for one of our texts at this channel; NULL: nothing. */
const struct hl_template_ref *hl_config_template(const struct hl_channel_config *channel, const char *key);
/* hl_config_table - Markdown table of all keys. */
void hl_config_table(struct hl_buf *out);

#endif
