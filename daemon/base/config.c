/* config.c - the INI file as one checked, read-only struct
 *
 * Lays the table of keys (config_keys.c) over what the file says (config_ini.c),
 * then checks the rules that span keys. Goes on after an error, so that all are told.
 * Owns one arena per configuration; every string and list lives in it.
 * Must not know: what the settings do.
 * Limits: 1 MiB in all.
 */
#include <stdlib.h>
#include <string.h>
#include "base/config_internal.h"

#define CONFIG_BYTES_MAX (1024 * 1024)
#define CHANNEL_PREFIX   "channel "
#define SECRET_BYTES_MIN 16
#define LEASE_DEADLINES  3 /* a lease outlives this many send deadlines, so a live daemon never loses its notice */

struct loading {
	struct hl_config *config;
	struct hl_arena *arena;
	struct hl_config_report report;
	struct hl_ini ini;
	const char *dir;
	unsigned lines[HL_CONFIG_KEYS_MAX]; /* of the keys given outside channels, 0: not given */
};

static int find_key(const char *section, const char *name)
{
	for (size_t i = 0; i < hl_config_n_keys; i++) {
		if (!strcmp(hl_config_keys[i].section, section) && !strcmp(hl_config_keys[i].name, name))
			return (int)i;
	}
	return -1;
}

static void set_value(struct loading *l, int key, const char *value, unsigned line, const char *section, void *target)
{
	const struct hl_config_key *k = &hl_config_keys[key];
	struct hl_error err;

	if (!value[0])
		hl_config_refuse(&l->report, line, section, k->name, "must not be empty");
	else if (hl_config_set(k, value, l->arena, l->dir, target, &err))
		hl_config_refuse(&l->report, line, section, k->name, "%s", err.text);
}

static void apply_entry(struct loading *l, const struct hl_ini_entry *e, const char *section, const char *class_name,
			unsigned *lines, void *target)
{
	int key = find_key(class_name, e->key);

	if (key < 0 && !strcmp(class_name, "channel")) {
		return; /* one of the provider's options, or unknown: apply_options */
	} else if (key < 0) {
		hl_config_refuse(&l->report, e->line, section, e->key, "unknown key");
	} else if (lines[key]) {
		hl_config_refuse(&l->report, e->line, section, e->key, "given twice, first on line %u", lines[key]);
	} else {
		lines[key] = e->line;
		set_value(l, key, e->value, e->line, section, target);
	}
}

static void apply_default(struct loading *l, int key, const char *section, unsigned line, void *target)
{
	const struct hl_config_key *k = &hl_config_keys[key];

	if (!k->fallback)
		hl_config_refuse(&l->report, line, section, k->name, "must be given");
	else if (k->fallback[0])
		set_value(l, key, k->fallback, line, section, target);
}

/* Strings start out as "", so that readers need not know NULL, not even after a refused value. */
static void blank_strings(const char *class_name, void *target)
{
	static char empty[] = "";
	char *blank = empty;

	for (size_t i = 0; i < hl_config_n_keys; i++) {
		const struct hl_config_key *k = &hl_config_keys[i];

		if (!strcmp(k->section, class_name) &&
		    (k->type == HL_KEY_TEXT || k->type == HL_KEY_WORD || k->type == HL_KEY_PATH ||
		     k->type == HL_KEY_LISTEN || k->type == HL_KEY_URL))
			memcpy((char *)target + k->at, &blank, sizeof(blank));
	}
}

/* Writes every key of one section; file_section is NULL when the file has none. */
static void apply_section(struct loading *l, const char *class_name, const struct hl_ini_section *file_section,
			  unsigned *lines, void *target)
{
	const struct hl_ini_entry *e;
	const char *name = file_section ? file_section->name : class_name;

	blank_strings(class_name, target);
	if (file_section) {
		TAILQ_FOREACH (e, &file_section->entries, next)
			apply_entry(l, e, name, class_name, lines, target);
	}
	for (size_t i = 0; i < hl_config_n_keys; i++) {
		if (!strcmp(hl_config_keys[i].section, class_name) && !lines[i])
			apply_default(l, (int)i, name, file_section ? file_section->line : l->ini.n_lines, target);
	}
}

static const struct hl_ini_section *find_section(const struct loading *l, const char *name)
{
	const struct hl_ini_section *s;

	TAILQ_FOREACH (s, &l->ini.sections, next) {
		if (!strcmp(s->name, name))
			return s;
	}
	return NULL;
}

static bool is_channel(const struct hl_ini_section *s)
{
	return hl_slice_has_prefix(hl_slice_str(s->name), CHANNEL_PREFIX);
}

static void refuse_unknown_sections(struct loading *l)
{
	const struct hl_ini_section *s;

	TAILQ_FOREACH (s, &l->ini.sections, next) {
		bool is_known = is_channel(s);

		for (size_t i = 0; i < hl_config_n_keys && !is_known; i++)
			is_known = !strcmp(hl_config_keys[i].section, s->name) && strcmp(s->name, "channel");
		if (!is_known)
			hl_config_refuse(&l->report, s->line, s->name, NULL, "unknown section");
	}
}

static void apply_globals(struct loading *l)
{
	const char *last = "";

	/* Keys of a section stand together in the table. */
	for (size_t i = 0; i < hl_config_n_keys; i++) {
		const char *class_name = hl_config_keys[i].section;

		if (!strcmp(class_name, last) || !strcmp(class_name, "channel") || !strcmp(class_name, "operators"))
			continue;
		apply_section(l, class_name, find_section(l, class_name), l->lines, l->config);
		last = class_name;
	}
}

static bool is_channel_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t len = strlen(name);

	return len >= 1 && len <= 32 && strspn(name, allowed) == len;
}

/* Line of a channel's key if it was given, else of its section. */
static unsigned channel_line(const unsigned *lines, const struct hl_ini_section *s, const char *key)
{
	unsigned line = lines[find_key("channel", key)];

	return line ? line : s->line;
}

/* Secrets of our choosing travel in URLs, where they can be guessed at. */
static void check_secrets(struct loading *l, const struct hl_ini_section *s, const struct hl_channel_config *c,
			  const unsigned *lines)
{
	for (size_t i = 0; i < c->channel.n_secrets; i++) {
		if (c->ops && !c->ops->has_given_secret && c->channel.secrets[i].value.len < SECRET_BYTES_MIN)
			hl_config_refuse(&l->report, channel_line(lines, s, "secret_file"), s->name, "secret_file",
					 "secret %zu of the file must be at least %d bytes", i + 1, SECRET_BYTES_MIN);
	}
}

static void check_channel(struct loading *l, const struct hl_ini_section *s, const struct hl_channel_config *c,
			  const unsigned *lines)
{
	const struct hl_provider *ops = c->ops;
	bool sends = c->channel.send_url[0];
	const struct {
		bool is_broken;
		const char *key, *rule;
	} rules[] = {
		{!is_channel_name(c->channel.name), NULL, "name must be 1 to 32 of a-z 0-9 _ -"},
		{ops && ops->needs_secret && !c->channel.n_secrets && !lines[find_key("channel", "secret_file")],
		 "secret_file", "must be given: the provider's webhook has no other protection"},
		{ops && sends && !ops->build, "send_url", "must not be given: the provider only receives"},
		{sends && !c->channel.from.len, "from", "must be given when the channel sends"},
		{ops && sends && ops->needs_login && !c->channel.username[0], "username",
		 "must be given when the channel sends"},
		{ops && sends && (ops->needs_login || ops->needs_key) && !c->channel.password.len &&
			 !lines[find_key("channel", "password_file")],
		 "password_file", "must be given when the channel sends"},
		{ops && sends && ops->needs_template && !c->n_templates && !lines[find_key("channel", "template_file")],
		 "template_file", "must be given: the provider sends approved templates only"},
		{strstr(c->signature, "【") || strstr(c->signature, "】"), "signature", "must be written without 【】"},
		{sends && !l->config->public_url[0], "send_url",
		 "needs [http] public_url: it does not follow from listen"},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].is_broken)
			hl_config_refuse(&l->report, rules[i].key ? channel_line(lines, s, rules[i].key) : s->line,
					 s->name, rules[i].key, "%s", rules[i].rule);
	}
}

/* ---- options of providers: keys of a channel that only its provider knows ---- */

static int find_option(const struct hl_channel_config *c, const char *name)
{
	const struct hl_option *options = c->ops ? c->ops->options : NULL;

	for (int i = 0; options && options[i].name; i++) {
		if (!strcmp(options[i].name, name))
			return i;
	}
	return -1;
}

static void set_option(struct loading *l, const struct hl_ini_section *s, const struct hl_ini_entry *e,
		       const struct hl_option *option, struct hl_setting *setting)
{
	struct hl_error err;

	if (!e->value[0])
		hl_config_refuse(&l->report, e->line, s->name, e->key, "must not be empty");
	else if (hl_config_option(option, e->value, l->arena, l->dir, &setting->value, &err))
		hl_config_refuse(&l->report, e->line, s->name, e->key, "%s", err.text);
}

static void apply_options(struct loading *l, const struct hl_ini_section *s, struct hl_channel_config *c)
{
	unsigned lines[HL_OPTIONS_MAX] = {0};
	struct hl_setting *settings = hl_arena_array(l->arena, HL_OPTIONS_MAX, sizeof(*settings));
	const struct hl_option *options = c->ops ? c->ops->options : NULL;
	const struct hl_ini_entry *e;
	size_t n = 0;

	TAILQ_FOREACH (e, &s->entries, next) {
		int i = find_option(c, e->key);

		if (find_key("channel", e->key) >= 0)
			continue;
		if (i < 0) {
			hl_config_refuse(&l->report, e->line, s->name, e->key, "unknown key");
		} else if (lines[i]) {
			hl_config_refuse(&l->report, e->line, s->name, e->key, "given twice, first on line %u",
					 lines[i]);
		} else if (settings) {
			lines[i] = e->line;
			set_option(l, s, e, &options[i], &settings[i]);
		}
	}
	for (; settings && options && options[n].name; n++) {
		settings[n].name = options[n].name;
		if (!settings[n].value)
			settings[n].value = options[n].fallback ? options[n].fallback : "";
		if (!lines[n] && !options[n].fallback && c->channel.send_url[0])
			hl_config_refuse(&l->report, s->line, s->name, options[n].name,
					 "must be given when the channel sends");
	}
	c->channel.settings = settings;
	c->channel.n_settings = n;
}

/* Line of any key of the section, else of the section. */
static unsigned line_of(const struct hl_ini_section *s, const char *key)
{
	const struct hl_ini_entry *e;

	TAILQ_FOREACH (e, &s->entries, next) {
		if (!strcmp(e->key, key))
			return e->line;
	}
	return s->line;
}

static void ask_provider(struct loading *l, const struct hl_ini_section *s, const struct hl_channel_config *c)
{
	const char *key = "provider";
	struct hl_error err;

	if (c->ops && c->ops->check && c->ops->check(&c->channel, &key, &err))
		hl_config_refuse(&l->report, line_of(s, key), s->name, key, "%s", err.text);
}

static void apply_channel(struct loading *l, const struct hl_ini_section *s, struct hl_channel_config *c)
{
	unsigned lines[HL_CONFIG_KEYS_MAX] = {0}, n_errors;

	apply_section(l, "channel", s, lines, c);
	apply_options(l, s, c);
	c->channel.name = s->name + strlen(CHANNEL_PREFIX);
	c->channel.provider = c->ops ? c->ops->name : "";
	c->channel.public_url = l->config->public_url;
	c->channel.country = l->config->region_country;
	c->channel.signature = c->signature;
	n_errors = l->report.n_errors;
	check_channel(l, s, c, lines);
	check_secrets(l, s, c, lines);
	if (l->report.n_errors == n_errors)
		ask_provider(l, s, c);
}

static void apply_channels(struct loading *l)
{
	const struct hl_ini_section *s;
	size_t n = 0;

	TAILQ_FOREACH (s, &l->ini.sections, next)
		n += is_channel(s);
	l->config->channels = hl_arena_array(l->arena, n, sizeof(*l->config->channels));
	if (!l->config->channels)
		return;
	TAILQ_FOREACH (s, &l->ini.sections, next) {
		if (is_channel(s))
			apply_channel(l, s, &l->config->channels[l->config->n_channels++]);
	}
}

static void apply_operator(struct loading *l, const struct hl_ini_entry *e)
{
	struct hl_config *config = l->config;
	struct hl_operator_config *op = &config->operators[config->n_operators];
	struct hl_error err;

	for (size_t i = 0; i < config->n_operators; i++) {
		if (!strcmp(config->operators[i].os_user, e->key)) {
			hl_config_refuse(&l->report, e->line, "operators", e->key, "given twice");
			return;
		}
	}
	op->os_user = hl_arena_strdup(l->arena, hl_slice_str(e->key));
	config->n_operators++;
	if (hl_config_set(&hl_config_keys[find_key("operators", "USER")], e->value, l->arena, l->dir, op, &err))
		hl_config_refuse(&l->report, e->line, "operators", e->key, "%s", err.text);
}

static void apply_operators(struct loading *l)
{
	const struct hl_ini_section *s = find_section(l, "operators");
	const struct hl_ini_entry *e;
	size_t n = 0;

	if (!s)
		return;
	TAILQ_FOREACH (e, &s->entries, next)
		n++;
	l->config->operators = hl_arena_array(l->arena, n, sizeof(*l->config->operators));
	if (!l->config->operators)
		return;
	TAILQ_FOREACH (e, &s->entries, next)
		apply_operator(l, e);
}

static void refuse_global(struct loading *l, const char *section, const char *key, const char *rule)
{
	hl_config_refuse(&l->report, l->lines[find_key(section, key)], section, key, "%s", rule);
}

/* The URL that follows from listen, "" where none does: nobody can call a wildcard or our socket from outside. */
static char *derive_url(struct loading *l)
{
	struct hl_slice listen = hl_slice_str(l->config->listen);

	if (!listen.len /* refused */ || hl_slice_has_prefix(listen, "unix:") ||
	    hl_slice_has_prefix(listen, "0.0.0.0:") || hl_slice_has_prefix(listen, "[::]:"))
		return hl_arena_strdup(l->arena, HL_LIT(""));
	return hl_arena_printf(l->arena, "http://%s", l->config->listen);
}

static void finish_globals(struct loading *l)
{
	struct hl_config *c = l->config;
	size_t n = strlen(c->public_url);

	if (!n)
		c->public_url = derive_url(l);
	else if (c->public_url[n - 1] == '/')
		refuse_global(l, "http", "public_url", "must not end in /");
	if (!l->lines[find_key("send", "lease_ms")])
		c->lease_ms = LEASE_DEADLINES * c->send_deadline_ms;
	else if (c->lease_ms && c->lease_ms < LEASE_DEADLINES * c->send_deadline_ms)
		refuse_global(l, "send", "lease_ms", "must be at least 3 x deadline_ms");
	if (strspn(c->region_country, "0123456789") != strlen(c->region_country))
		refuse_global(l, "region", "country", "must be 1 to 3 digits");
}

/* The file's folder with a slash at the end, "" for the current one. */
static const char *folder_of(struct hl_arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	return hl_arena_strdup(arena, (struct hl_slice){path, slash ? (size_t)(slash - path) + 1 : 0});
}

static void check_routes(struct loading *l)
{
	static const char *const keys[HL_ROUTES] = {"officer", "resident", "bulk"};

	for (size_t i = 0; i < HL_ROUTES; i++) {
		for (size_t k = 0; k < l->config->n_routes[i]; k++) {
			const char *name = l->config->routes[i][k];

			if (!hl_config_channel(l->config, hl_slice_str(name)))
				hl_config_refuse(&l->report, l->lines[find_key("routes", keys[i])], "routes", keys[i],
						 "there is no [channel %s]", name);
		}
	}
}

static void load(struct loading *l)
{
	if (!hl_ini_read(l->arena, &l->report, &l->ini))
		return;
	refuse_unknown_sections(l);
	apply_globals(l);
	finish_globals(l);
	apply_channels(l);
	check_routes(l);
	apply_operators(l);
}

static struct hl_config *new_config(void)
{
	struct hl_config *config = calloc(1, sizeof(*config));
	struct hl_arena *arena = calloc(1, sizeof(*arena));

	if (!config || !arena) {
		free(config);
		free(arena);
		return NULL;
	}
	hl_arena_init(arena, CONFIG_BYTES_MAX);
	config->owned = arena;
	return config;
}

enum hl_class hl_config_load(const char *path, struct hl_config **out_r, struct hl_buf *errors)
{
	struct loading l = {.config = new_config(), .report = {.path = path, .out = errors}};
	enum hl_class cls = HL_OK;

	*out_r = NULL;
	if (!l.config)
		return HL_NOMEM;
	l.arena = l.config->owned;
	l.dir = folder_of(l.arena, path);
	load(&l);
	if (hl_arena_failed(l.arena))
		cls = HL_NOMEM;
	else if (l.report.n_errors)
		cls = HL_CONFIG;
	if (cls)
		hl_config_free(&l.config);
	*out_r = l.config;
	return cls;
}

void hl_config_free(struct hl_config **config)
{
	if (!*config)
		return;
	hl_arena_fini((*config)->owned);
	free((*config)->owned);
	free(*config);
	*config = NULL;
}

const struct hl_channel_config *hl_config_channel(const struct hl_config *config, struct hl_slice name)
{
	for (size_t i = 0; i < config->n_channels; i++) {
		if (hl_slice_eq_str(name, config->channels[i].channel.name))
			return &config->channels[i];
	}
	return NULL;
}
