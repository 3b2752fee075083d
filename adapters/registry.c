/* registry.c - the list of providers, and the comparison of secrets they share
 *
 * Must not know: any single provider; adding one is a line in registry.def.
 */
#include <openssl/crypto.h>
#include <string.h>
#include "hotline/provider.h"

#define X(name) extern const struct hl_provider hl_provider_##name;
#include "registry.def"
#undef X

static const struct hl_provider *const providers[] = {
#define X(name) &hl_provider_##name,
#include "registry.def"
#undef X
};

const struct hl_provider *hl_provider_at(size_t i)
{
	return i < sizeof(providers) / sizeof(providers[0]) ? providers[i] : NULL;
}

const struct hl_provider *hl_provider_find(const char *name)
{
	const struct hl_provider *p;

	for (size_t i = 0; (p = hl_provider_at(i)); i++) {
		if (!strcmp(p->name, name))
			return p;
	}
	return NULL;
}

/* What a table lacks, or NULL. build and interpret, ask and learn come together or not at all. */
static const char *missing_part(const struct hl_provider *p)
{
	if (!p->name || !p->name[0])
		return "name";
	if (!p->paths || !p->paths[0])
		return "paths";
	if (!p->methods)
		return "methods";
	if (!p->ack_type)
		return "ack_type";
	if (!p->verify)
		return "verify";
	if (!p->parse && !p->voice)
		return "parse";
	if (!p->build != !p->interpret)
		return p->build ? "interpret" : "build";
	if (!p->ask != !p->learn)
		return p->ask ? "learn" : "ask";
	return NULL;
}

enum hl_class hl_provider_check(struct hl_error *err)
{
	const struct hl_provider *p;

	for (size_t i = 0; (p = hl_provider_at(i)); i++) {
		const char *missing = missing_part(p);

		if (missing)
			return hl_fail(err, HL_BUG, "provider %s has no %s", p->name ? p->name : "?", missing);
		if (hl_provider_find(p->name) != p)
			return hl_fail(err, HL_BUG, "two providers are named %s", p->name);
	}
	return HL_OK;
}

const char *hl_channel_setting(const struct hl_channel *ch, const char *name)
{
	for (size_t i = 0; i < ch->n_settings; i++) {
		if (!strcmp(ch->settings[i].name, name))
			return ch->settings[i].value;
	}
	return "";
}

bool hl_secret_matches(const struct hl_channel *ch, struct hl_slice presented)
{
	unsigned hits = 0;

	/* Every secret is compared, so the time tells neither how many there are nor which one fits. */
	for (size_t i = 0; i < ch->n_secrets; i++) {
		struct hl_slice secret = ch->secrets[i].value;

		if (secret.len && secret.len == presented.len)
			hits += CRYPTO_memcmp(secret.ptr, presented.ptr, secret.len) == 0;
	}
	return hits > 0;
}
