/* config_keys.c - the table of all configuration keys, the only place where one is described
 *
 * A new key is a field in config.h and a row here. README's table is printed from it.
 * Must not know: files, how a value is read (config_value.c).
 */
#include <string.h>
#include "base/config_internal.h"

#define ROOT(field)           .at = offsetof(struct hl_config, field)
#define ROOT_LIST(field)      ROOT(field), .count_at = offsetof(struct hl_config, n_##field)
#define ROUTE(i)              ROOT(routes[i]), .count_at = offsetof(struct hl_config, n_routes[i])
#define CHAN(field)           .at = offsetof(struct hl_channel_config, field)
#define CHAN_LIST(field, num) CHAN(field), .count_at = offsetof(struct hl_channel_config, num)

#define MINUTE_MS 60000
#define HOUR_MS   3600000

const struct hl_config_key hl_config_keys[] = {
	{"http", "listen", HL_KEY_LISTEN, "127.0.0.1:8080", ROOT(listen), .help = "where webhooks arrive"},
	{"http", "public_url", HL_KEY_URL, "", ROOT(public_url), .fallback_text = "http:// and `listen`",
	 .help = "base URL under which providers reach us, no trailing slash"},
	{"http", "admin_listen", HL_KEY_LISTEN, "unix:hotlined.sock", ROOT(admin_listen),
	 .help = "where hotlinectl reaches the daemon"},
	{"http", "trusted_proxies", HL_KEY_ADDRESSES, "", ROOT_LIST(trusted_proxies),
	 .help = "peers whose X-Forwarded-For is believed and whose connections are not capped"},
	{"http", "status_allow", HL_KEY_ADDRESSES, "", ROOT_LIST(status_allow),
	 .help = "addresses that may ask for `/readyz` and `/metrics`, empty = any"},
	{"http", "header_ms", HL_KEY_NUMBER, "5000", ROOT(header_ms), .min = 100, .max = 10 * MINUTE_MS, .unit = "ms",
	 .help = "from the first byte of a request to the end of its header"},
	{"http", "body_ms", HL_KEY_NUMBER, "15000", ROOT(body_ms), .min = 100, .max = 10 * MINUTE_MS, .unit = "ms",
	 .help = "for the body"},
	{"http", "idle_ms", HL_KEY_NUMBER, "30000", ROOT(idle_ms), .min = 100, .max = HOUR_MS, .unit = "ms",
	 .help = "between two requests of one connection"},
	{"http", "answer_ms", HL_KEY_NUMBER, "10000", ROOT(answer_ms), .min = 100, .max = 10 * MINUTE_MS, .unit = "ms",
	 .help = "until a request that is not durable yet is answered with 503"},
	{"http", "body_bytes", HL_KEY_NUMBER, "65536", ROOT(body_bytes), .min = 1024, .max = 1048576, .unit = "bytes",
	 .help = "largest body, beyond it 413"},
	{"http", "header_bytes", HL_KEY_NUMBER, "16384", ROOT(header_bytes), .min = 1024, .max = 65536, .unit = "bytes",
	 .help = "largest header, beyond it 431"},
	{"http", "max_connections", HL_KEY_NUMBER, "4096", ROOT(max_connections), .min = 1, .max = 65536,
	 .help = "open connections, fewer when the limit of open files leaves no room for them"},
	{"http", "max_connections_per_peer", HL_KEY_NUMBER, "256", ROOT(max_connections_per_peer), .max = 65536,
	 .help = "open connections of one address, 0 = no cap"},
	{"db", "conninfo", HL_KEY_TEXT, "host=/var/run/postgresql dbname=hotline", ROOT(conninfo),
	 .help = "libpq connection string; give a socket folder or `hostaddr`, names would be looked up on the loop"},
	{"db", "deadline_ms", HL_KEY_NUMBER, "5000", ROOT(db_deadline_ms), .min = 100, .max = 10 * MINUTE_MS,
	 .unit = "ms", .help = "for one unit of work in the database"},
	{"db", "batch_max", HL_KEY_NUMBER, "500", ROOT(batch_max), .min = 1, .max = 10000,
	 .help = "messages or receipts stored by one call"},
	{"spool", "dir", HL_KEY_PATH, "", ROOT(spool_dir),
	 .help = "folder for texts and receipts that come while the database is down, told again when it is back; of one "
		 "daemon; empty = they are refused with 503"},
	{"spool", "max_mb", HL_KEY_NUMBER, "256", ROOT(spool_max_mb), .min = 1, .max = 65536, .unit = "MiB",
	 .help = "of the spool, beyond it 503"},
	{"spool", "after_ms", HL_KEY_NUMBER, "3000", ROOT(spool_after_ms), .max = HOUR_MS, .unit = "ms",
	 .help = "how long the database has been away when it counts as down"},
	{"media", "dir", HL_KEY_PATH, "media", ROOT(media_dir), .help = "photos and recordings"},
	{"media", "inside", HL_KEY_ADDRESSES, "", ROOT_LIST(media_inside),
	 .help = "addresses of private networks that media may be fetched from all the same, empty = none"},
	{"voice", "transcribe_url", HL_KEY_URL, "", ROOT(transcribe_url),
	 .help = "endpoint that writes recordings down, as OpenAI's `/v1/audio/transcriptions`; empty = operators listen"},
	{"voice", "transcribe_model", HL_KEY_TEXT, "whisper-1", ROOT(transcribe_model), .max = 64, .help = "its model"},
	{"voice", "transcribe_key_file", HL_KEY_PASSWORD, "", ROOT(transcribe_key), .help = "its API key, on the first line"},
	{"voice", "transcribe_ms", HL_KEY_NUMBER, "60000", ROOT(transcribe_ms), .min = 1000, .max = 10 * MINUTE_MS,
	 .unit = "ms", .help = "for one recording"},
	{"web", "public_url", HL_KEY_URL, "", ROOT(web_url), .fallback_text = "none: photos by MMS alone",
	 .help = "base URL under which phones reach our pages for photos (`/u/...`), https in a live installation, no trailing "
		 "slash"},
	{"classifier", "endpoint", HL_KEY_URL, "", ROOT(opinion_endpoint),
	 .help = "chat endpoint of the OpenAI kind (`.../v1/chat/completions`) that is asked, masked, about what the "
		 "classifier is not sure of; empty: nobody"},
	{"classifier", "model", HL_KEY_TEXT, "", ROOT(opinion_model), .max = 100, .help = "name of its model"},
	{"classifier", "key_file", HL_KEY_PASSWORD, "", ROOT(opinion_key), .help = "its key, on the first line"},
	{"classifier", "timeout_ms", HL_KEY_NUMBER, "10000", ROOT(opinion_timeout_ms), .min = 100, .max = 2 * MINUTE_MS,
	 .unit = "ms", .help = "for one answer"},
	{"classifier", "accept", HL_KEY_FLAG, "advice", ROOT(opinion_accepts), .words = "advice agree",
	 .help = "`advice`: an operator reads it; `agree`: a type that is one of the classifier's first two is "
		 "dispatched"},
	{"log", "level", HL_KEY_WORD, "info", ROOT(log_level), .words = "debug info warn error",
	 .help = "least severe line that is written"},
	{"demo", "clock", HL_KEY_FLAG, "no", ROOT(demo_clock), .words = "no yes",
	 .help = "whether case time may be moved, never in a live installation"},
	{"send", "deadline_ms", HL_KEY_NUMBER, "10000", ROOT(send_deadline_ms), .min = 1000, .max = 2 * MINUTE_MS,
	 .unit = "ms", .help = "for one request to a provider; after it the outcome is unknown"},
	{"send", "concurrency", HL_KEY_NUMBER, "64", ROOT(send_concurrency), .min = 1, .max = 1000,
	 .help = "requests to providers at once"},
	{"send", "lease_ms", HL_KEY_NUMBER, "", ROOT(lease_ms), .min = 3000, .max = HOUR_MS, .unit = "ms",
	 .fallback_text = "3 x `deadline_ms`",
	 .help = "how long a notice belongs to one daemon, at least 3 x `deadline_ms`"},
	{"send", "poll_ms", HL_KEY_NUMBER, "1000", ROOT(poll_ms), .min = 50, .max = MINUTE_MS, .unit = "ms",
	 .help = "between two looks for due notices when nothing wakes us"},
	{"region", "country", HL_KEY_TEXT, "86", ROOT(region_country), .max = 3,
	 .help = "calling code of numbers in national spelling"},
	{"region", "language", HL_KEY_WORD, "zh-CN", ROOT(language), .words = "zh-CN en", .help = "language of texts"},
	{"routes", "officer", HL_KEY_NAMES, "", ROUTE(HL_ROUTE_OFFICER),
	 .help = "channels for texts to officers, the first best; empty: those whose `purpose` fits, the cheapest "
		 "first"},
	{"routes", "resident", HL_KEY_NAMES, "", ROUTE(HL_ROUTE_RESIDENT),
	 .help = "likewise to residents; the channel of the conversation comes before all"},
	{"routes", "bulk", HL_KEY_NAMES, "", ROUTE(HL_ROUTE_BULK), .help = "likewise for digests and surveys"},
	{"channel", "provider", HL_KEY_PROVIDER, NULL, CHAN(ops), .help = "adapter that speaks for this channel"},
	{"channel", "secret_file", HL_KEY_SECRETS, "", CHAN_LIST(channel.secrets, channel.n_secrets),
	 .help = "one webhook secret per line, 16 bytes or more where we choose it; all are accepted, the first one "
		 "signs"},
	{"channel", "trust", HL_KEY_CHOICE, "low", CHAN(trust), .words = "low high",
	 .help = "whether the sender's number proves who speaks"},
	{"channel", "purpose", HL_KEY_WORD, "all", CHAN(purpose), .words = "all resident officer bulk",
	 .help = "whom this channel texts"},
	{"channel", "prefixes", HL_KEY_NAMES, "", CHAN_LIST(prefixes, n_prefixes),
	 .help = "beginnings of the numbers it may text (`+86`), empty = any"},
	{"channel", "cost", HL_KEY_NUMBER, "0", CHAN(cost), .max = 1000000,
	 .help = "of one SMS, in any unit; of two channels that fit alike the cheaper goes first"},
	{"channel", "tps", HL_KEY_NUMBER, "0", CHAN(tps), .max = 10000,
	 .help = "texts a second that the provider takes, 0 = no limit"},
	{"channel", "daily_budget", HL_KEY_NUMBER, "0", CHAN(daily_budget), .max = 10000000,
	 .help = "SMS a day beyond which texts go by other channels; this one only when there is no other; 0 = no "
		 "limit"},
	{"channel", "from", HL_KEY_SLICE, "", CHAN(channel.from), .max = 20, .help = "our number at the provider"},
	{"channel", "send_url", HL_KEY_URL, "", CHAN(channel.send_url),
	 .help = "where texts are handed in; without it the channel only receives"},
	{"channel", "username", HL_KEY_TEXT, "", CHAN(channel.username), .max = 64, .help = "our account for sending"},
	{"channel", "password_file", HL_KEY_PASSWORD, "", CHAN(channel.password),
	 .help = "its password, on the first line"},
	{"channel", "sign", HL_KEY_FLAG, "ours", CHAN(signs_ours), .words = "provider ours",
	 .help = "who writes 【signature】 into a text"},
	{"channel", "signature", HL_KEY_TEXT, "", CHAN(signature), .max = 20,
	 .help = "what stands in 【】, without them"},
	{"channel", "template_file", HL_KEY_TEMPLATES, "", CHAN_LIST(templates, n_templates),
	 .help = "JSON: which of the provider's approved templates stands for which of our texts"},
	{"channel", "allow", HL_KEY_ADDRESSES, "", CHAN_LIST(allow, n_allow),
	 .help = "addresses that may call the webhook, empty = any"},
	{"channel", "media_allow", HL_KEY_NAMES, "", CHAN_LIST(media_allow, n_media_allow),
	 .help = "hosts that photos of this channel are fetched from: `HOST`, `.DOMAIN`, `http://HOST:PORT` without "
		 "TLS; empty "
		 "= the host of `send_url`"},
	{"operators", "USER", HL_KEY_WORD, "", .at = offsetof(struct hl_operator_config, role),
	 .words = "operator supervisor admin", .help = "role of the operating system's user of that name"},
};
const size_t hl_config_n_keys = sizeof(hl_config_keys) / sizeof(hl_config_keys[0]);
_Static_assert(sizeof(hl_config_keys) / sizeof(hl_config_keys[0]) <= HL_CONFIG_KEYS_MAX, "HL_CONFIG_KEYS_MAX");

static const char *const type_names[] = {
	[HL_KEY_TEXT] = "text",      [HL_KEY_SLICE] = "text",     [HL_KEY_NUMBER] = "number",
	[HL_KEY_WORD] = "word",      [HL_KEY_CHOICE] = "word",    [HL_KEY_FLAG] = "word",
	[HL_KEY_PATH] = "path",      [HL_KEY_LISTEN] = "address", [HL_KEY_URL] = "URL",
	[HL_KEY_ADDRESSES] = "list", [HL_KEY_PROVIDER] = "word",  [HL_KEY_SECRETS] = "path",
	[HL_KEY_PASSWORD] = "path",  [HL_KEY_TEMPLATES] = "path", [HL_KEY_NAMES] = "list",
};

static void add_words(struct hl_buf *out, const char *words)
{
	struct hl_slice rest = hl_slice_str(words), word;

	while (rest.len) {
		hl_slice_cut(rest, ' ', &word, &rest);
		hl_buf_printf(out, "`%.*s`%s", HL_SLICE_ARG(word), rest.len ? ", " : "");
	}
}

static void add_providers(struct hl_buf *out)
{
	for (size_t i = 0; hl_provider_at(i); i++)
		hl_buf_printf(out, "%s`%s`", i ? ", " : "", hl_provider_at(i)->name);
}

static void add_range(struct hl_buf *out, const struct hl_config_key *key)
{
	switch (key->type) {
	case HL_KEY_NUMBER:
		hl_buf_printf(out, "%u to %u%s%s", key->min, key->max, key->unit ? " " : "",
			      key->unit ? key->unit : "");
		break;
	case HL_KEY_WORD:
	case HL_KEY_CHOICE:
	case HL_KEY_FLAG:
		add_words(out, key->words);
		break;
	case HL_KEY_PROVIDER:
		add_providers(out);
		break;
	case HL_KEY_TEXT:
	case HL_KEY_SLICE:
		if (key->max)
			hl_buf_printf(out, "up to %u characters", key->max);
		break;
	case HL_KEY_LISTEN:
		hl_buf_add_str(out, "`HOST:PORT` or `unix:PATH`");
		break;
	case HL_KEY_URL:
		hl_buf_add_str(out, "http or https");
		break;
	case HL_KEY_NAMES:
		hl_buf_add_str(out, "blank or comma between them");
		break;
	case HL_KEY_ADDRESSES:
		hl_buf_add_str(out, "IP addresses or `unix`");
		break;
	case HL_KEY_PATH:
	case HL_KEY_TEMPLATES:
		hl_buf_add_str(out, "from this file's folder");
		break;
	case HL_KEY_SECRETS:
	case HL_KEY_PASSWORD:
		hl_buf_add_str(out, "from this file's folder; mode 0600 or less");
		break;
	}
}

static void add_default(struct hl_buf *out, const struct hl_config_key *key)
{
	if (!key->fallback)
		hl_buf_add_str(out, "must be given");
	else if (key->fallback_text)
		hl_buf_add_str(out, key->fallback_text);
	else if (key->fallback[0])
		hl_buf_printf(out, "`%s`", key->fallback);
}

static void add_options(struct hl_buf *out, const struct hl_provider *ops)
{
	for (const struct hl_option *o = ops->options; o && o->name; o++) {
		hl_buf_printf(out, "| `[channel NAME]` %s | `%s` | %s | ", ops->name, o->name,
			      o->words     ? "word"
			      : o->is_file ? "path"
					   : "text");
		if (!o->fallback)
			hl_buf_add_str(out, "must be given to send");
		else if (o->fallback[0])
			hl_buf_printf(out, "`%s`", o->fallback);
		hl_buf_add_str(out, " | ");
		if (o->words)
			add_words(out, o->words);
		hl_buf_printf(out, " | %s |\n", o->help);
	}
}

void hl_config_table(struct hl_buf *out)
{
	hl_buf_add_str(out, "| section | key | type | default | range | help |\n|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < hl_config_n_keys; i++) {
		const struct hl_config_key *key = &hl_config_keys[i];

		hl_buf_printf(out, "| `[%s%s]` | `%s` | %s | ", key->section,
			      strcmp(key->section, "channel") ? "" : " NAME", key->name, type_names[key->type]);
		add_default(out, key);
		hl_buf_add_str(out, " | ");
		add_range(out, key);
		hl_buf_printf(out, " | %s |\n", key->help);
	}
	for (size_t i = 0; hl_provider_at(i); i++)
		add_options(out, hl_provider_at(i));
}
