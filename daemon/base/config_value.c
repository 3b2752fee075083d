/* config_value.c - one written value into one field, or the rule that it breaks
 *
 * One setter per type of key. Errors name the rule only; config.c adds where.
 * Must not know: sections, defaults, rules that span keys.
 * Limits: at most 64 addresses in a list, 16 secrets in a file, socket paths up
 * to 100 bytes (sockaddr_un holds 107, and people add suffixes).
 */
#include <arpa/inet.h>
#include <string.h>
#include "base/config_internal.h"
#include "hotline/text.h"

#define ADDRESSES_MAX     64
#define NAMES_MAX         32
#define SECRETS_MAX       16
#define OPTION_FILE_BYTES 65536
#define SECRET_FILE_BYTES 16384
#define SOCKET_PATH_BYTES 100

/* setting - what one setter works on. */
struct setting {
	const struct hl_config_key *key;
	struct hl_arena *arena;
	const char *dir;
	char *target;
};

/* Fields are written as bytes, so that `const char *` and `char *` take the same way. */
static enum hl_class put(const struct setting *s, const void *field, size_t n_bytes)
{
	memcpy(s->target + s->key->at, field, n_bytes);
	return HL_OK;
}

static enum hl_class put_string(const struct setting *s, const char *value)
{
	char *copy = hl_arena_strdup(s->arena, hl_slice_str(value));

	return put(s, &copy, sizeof(copy));
}

static void put_count(const struct setting *s, size_t n)
{
	memcpy(s->target + s->key->count_at, &n, sizeof(n));
}

static char *resolve(const struct setting *s, const char *path)
{
	return hl_arena_printf(s->arena, "%s%s", path[0] == '/' ? "" : s->dir, path);
}

static enum hl_class check_length(const struct setting *s, const char *value, struct hl_error *err)
{
	if (s->key->max && hl_text_count(hl_slice_str(value)) > s->key->max)
		return hl_fail(err, HL_CONFIG, "must be at most %u characters", s->key->max);
	return HL_OK;
}

static enum hl_class set_text(const struct setting *s, const char *value, struct hl_error *err)
{
	return check_length(s, value, err) ? HL_CONFIG : put_string(s, value);
}

static enum hl_class set_slice(const struct setting *s, const char *value, struct hl_error *err)
{
	struct hl_slice copy = hl_arena_dup(s->arena, hl_slice_str(value));

	return check_length(s, value, err) ? HL_CONFIG : put(s, &copy, sizeof(copy));
}

static enum hl_class set_number(const struct setting *s, const char *value, struct hl_error *err)
{
	const struct hl_config_key *key = s->key;
	uint64_t n;
	unsigned field;

	if (!hl_slice_u64(hl_slice_str(value), &n) || n < key->min || n > key->max)
		return hl_fail(err, HL_CONFIG, "must be a number from %u to %u%s%s, is '%s'", key->min, key->max,
			       key->unit ? " " : "", key->unit ? key->unit : "", value);
	field = (unsigned)n;
	return put(s, &field, sizeof(field));
}

/* Position of value in a list of words, or -1. */
static int word_index(const char *words, const char *value)
{
	struct hl_slice rest = hl_slice_str(words), word;

	for (int i = 0; rest.len; i++) {
		hl_slice_cut(rest, ' ', &word, &rest);
		if (hl_slice_eq_str(word, value))
			return i;
	}
	return -1;
}

static enum hl_class pick_word(const struct setting *s, const char *value, int *index_r, struct hl_error *err)
{
	*index_r = word_index(s->key->words, value);
	if (*index_r < 0)
		return hl_fail(err, HL_CONFIG, "must be one of: %s; is '%s'", s->key->words, value);
	return HL_OK;
}

static enum hl_class set_word(const struct setting *s, const char *value, struct hl_error *err)
{
	int i;

	return pick_word(s, value, &i, err) ? HL_CONFIG : put_string(s, value);
}

static enum hl_class set_choice(const struct setting *s, const char *value, struct hl_error *err)
{
	int i;
	enum hl_trust field;

	if (pick_word(s, value, &i, err))
		return HL_CONFIG;
	field = (enum hl_trust)i;
	return put(s, &field, sizeof(field));
}

static enum hl_class set_flag(const struct setting *s, const char *value, struct hl_error *err)
{
	int i;
	bool field;

	if (pick_word(s, value, &i, err))
		return HL_CONFIG;
	field = i == 1;
	return put(s, &field, sizeof(field));
}

static enum hl_class set_path(const struct setting *s, const char *value, struct hl_error *err)
{
	char *path = resolve(s, value);

	(void)err;
	return put(s, &path, sizeof(path));
}

static bool is_address(struct hl_arena *arena, struct hl_slice s)
{
	unsigned char raw[sizeof(struct in6_addr)];
	const char *text = hl_arena_strdup(arena, s);

	return inet_pton(AF_INET, text, raw) == 1 || inet_pton(AF_INET6, text, raw) == 1;
}

/* "127.0.0.1:8080" or "[::1]:8080": the last colon parts the port, brackets are for IPv6 only. */
static bool is_host_port(struct hl_arena *arena, const char *value)
{
	const char *colon = strrchr(value, ':');
	struct hl_slice host;
	uint64_t port;

	if (!colon || !hl_slice_u64(hl_slice_str(colon + 1), &port) || port > 65535)
		return false;
	host = (struct hl_slice){value, (size_t)(colon - value)};
	if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
		return is_address(arena, (struct hl_slice){host.ptr + 1, host.len - 2}) &&
		       memchr(host.ptr, ':', host.len);
	return is_address(arena, host) && !memchr(host.ptr, ':', host.len);
}

static enum hl_class set_socket(const struct setting *s, const char *path, struct hl_error *err)
{
	char *whole = resolve(s, path), *field;

	if (!path[0])
		return hl_fail(err, HL_CONFIG, "names no path behind unix:");
	if (strlen(whole) > SOCKET_PATH_BYTES)
		return hl_fail(err, HL_CONFIG, "path of a socket must be at most %d bytes, is '%s'", SOCKET_PATH_BYTES,
			       whole);
	field = hl_arena_printf(s->arena, "unix:%s", whole);
	return put(s, &field, sizeof(field));
}

static enum hl_class set_listen(const struct setting *s, const char *value, struct hl_error *err)
{
	if (hl_slice_has_prefix(hl_slice_str(value), "unix:"))
		return set_socket(s, value + strlen("unix:"), err);
	if (!is_host_port(s->arena, value))
		return hl_fail(err, HL_CONFIG, "must be HOST:PORT with a numeric host, or unix:PATH, is '%s'", value);
	return put_string(s, value);
}

static bool is_printable_ascii(struct hl_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
			return false;
	}
	return true;
}

static enum hl_class set_url(const struct setting *s, const char *value, struct hl_error *err)
{
	struct hl_slice url = hl_slice_str(value), host, rest;
	const char *start = strstr(value, "://");

	if (!hl_slice_has_prefix(url, "http://") && !hl_slice_has_prefix(url, "https://"))
		return hl_fail(err, HL_CONFIG, "must begin with http:// or https://, is '%s'", value);
	if (!is_printable_ascii(url) || memchr(url.ptr, '#', url.len))
		return hl_fail(err, HL_CONFIG, "must be printable ASCII without blanks or #");
	hl_slice_cut(hl_slice_str(start + 3), '/', &host, &rest);
	if (!host.len || host.ptr[0] == ':' || host.ptr[0] == '?')
		return hl_fail(err, HL_CONFIG, "names no host");
	/* URLs are logged. The value is not repeated here for the same reason. */
	if (memchr(host.ptr, '@', host.len))
		return hl_fail(err, HL_CONFIG, "must not hold a login");
	return put_string(s, value);
}

static bool next_item(struct hl_slice *rest, struct hl_slice *item)
{
	static const char seps[] = ", \t";
	size_t n;

	while (rest->len && memchr(seps, rest->ptr[0], sizeof(seps) - 1))
		*rest = (struct hl_slice){rest->ptr + 1, rest->len - 1};
	for (n = 0; n < rest->len && !memchr(seps, rest->ptr[n], sizeof(seps) - 1);)
		n++;
	*item = (struct hl_slice){rest->ptr, n};
	*rest = (struct hl_slice){rest->ptr + n, rest->len - n};
	return n > 0;
}

static enum hl_class set_addresses(const struct setting *s, const char *value, struct hl_error *err)
{
	struct hl_slice rest = hl_slice_str(value), item;
	char **list = hl_arena_array(s->arena, ADDRESSES_MAX, sizeof(*list));
	size_t n = 0;

	while (list && next_item(&rest, &item)) {
		if (n == ADDRESSES_MAX)
			return hl_fail(err, HL_CONFIG, "must hold at most %d addresses", ADDRESSES_MAX);
		if (!hl_slice_eq_str(item, "unix") && !is_address(s->arena, item))
			return hl_fail(err, HL_CONFIG, "must be IP addresses or unix, '%.*s' is neither",
				       HL_SLICE_ARG(item));
		list[n++] = hl_arena_strdup(s->arena, item);
	}
	put_count(s, n);
	return put(s, &list, sizeof(list));
}

static enum hl_class set_names(const struct setting *s, const char *value, struct hl_error *err)
{
	struct hl_slice rest = hl_slice_str(value), item;
	char **list = hl_arena_array(s->arena, NAMES_MAX, sizeof(*list));
	size_t n = 0;

	while (list && next_item(&rest, &item)) {
		if (n == NAMES_MAX)
			return hl_fail(err, HL_CONFIG, "must hold at most %d words", NAMES_MAX);
		list[n++] = hl_arena_strdup(s->arena, item);
	}
	put_count(s, n);
	return put(s, &list, sizeof(list));
}

static enum hl_class set_provider(const struct setting *s, const char *value, struct hl_error *err)
{
	const struct hl_provider *ops = hl_provider_find(value);
	struct hl_buf known;

	if (ops)
		return put(s, &ops, sizeof(ops));
	hl_buf_init(&known, 300);
	for (size_t i = 0; hl_provider_at(i); i++)
		hl_buf_printf(&known, "%s%s", i ? " " : "", hl_provider_at(i)->name);
	hl_fail(err, HL_CONFIG, "unknown provider '%s', must be one of: %s", value, hl_buf_str(&known));
	hl_buf_fini(&known);
	return HL_CONFIG;
}

static enum hl_class check_secret(struct hl_slice line, unsigned n, struct hl_error *err)
{
	/* Secrets travel in URLs and headers; other bytes would need care in every adapter. */
	if (!is_printable_ascii(line))
		return hl_fail(err, HL_CONFIG, "secret %u of the file must be printable ASCII without blanks", n);
	return HL_OK;
}

static enum hl_class read_secrets(const struct setting *s, struct hl_slice rest, struct hl_secret *list, size_t *n_r,
				  struct hl_error *err)
{
	struct hl_slice line;

	for (*n_r = 0; rest.len;) {
		hl_slice_cut(rest, '\n', &line, &rest);
		line = hl_slice_trim(line);
		if (!line.len)
			continue;
		if (*n_r == SECRETS_MAX)
			return hl_fail(err, HL_CONFIG, "file must hold at most %d secrets", SECRETS_MAX);
		if (check_secret(line, (unsigned)*n_r + 1, err))
			return HL_CONFIG;
		list[(*n_r)++].value = hl_arena_dup(s->arena, line);
	}
	return *n_r ? HL_OK : hl_fail(err, HL_CONFIG, "file holds no secret");
}

static enum hl_class set_secrets(const struct setting *s, const char *value, struct hl_error *err)
{
	struct hl_secret *list = hl_arena_array(s->arena, SECRETS_MAX, sizeof(*list));
	char *path = resolve(s, value);
	struct hl_slice text;
	size_t n;
	enum hl_class cls;

	if (!list)
		return hl_fail(err, HL_NOMEM, "out of memory");
	cls = hl_config_slurp(s->arena, path, SECRET_FILE_BYTES, true, &text, err);
	if (!cls)
		cls = read_secrets(s, text, list, &n, err);
	if (cls)
		return hl_error_prefix(err, "%s", path);
	put_count(s, n);
	return put(s, &list, sizeof(list));
}

static enum hl_class set_password(const struct setting *s, const char *value, struct hl_error *err)
{
	char *path = resolve(s, value);
	struct hl_slice text, line, rest;
	enum hl_class cls = hl_config_slurp(s->arena, path, SECRET_FILE_BYTES, true, &text, err);

	if (cls)
		return hl_error_prefix(err, "%s", path);
	hl_slice_cut(text, '\n', &line, &rest);
	line = hl_slice_trim(line);
	if (!line.len || !is_printable_ascii(line))
		return hl_fail(err, HL_CONFIG, "%s: first line must be a password of printable ASCII without blanks",
			       path);
	line = hl_arena_dup(s->arena, line);
	return put(s, &line, sizeof(line));
}

static enum hl_class set_templates(const struct setting *s, const char *value, struct hl_error *err)
{
	char *path = resolve(s, value);
	struct hl_template_ref *list;
	struct hl_slice text;
	size_t n;
	enum hl_class cls = hl_config_slurp(s->arena, path, OPTION_FILE_BYTES, false, &text, err);

	if (!cls)
		cls = hl_config_templates(s->arena, text, &list, &n, err);
	if (cls)
		return hl_error_prefix(err, "%s", path);
	put_count(s, n);
	return put(s, &list, sizeof(list));
}

enum hl_class hl_config_set(const struct hl_config_key *key, const char *value, struct hl_arena *arena, const char *dir,
			    void *target, struct hl_error *err)
{
	static enum hl_class (*const setters[])(const struct setting *, const char *, struct hl_error *) = {
		[HL_KEY_TEXT] = set_text,           [HL_KEY_SLICE] = set_slice,         [HL_KEY_NUMBER] = set_number,
		[HL_KEY_WORD] = set_word,           [HL_KEY_CHOICE] = set_choice,       [HL_KEY_FLAG] = set_flag,
		[HL_KEY_PATH] = set_path,           [HL_KEY_LISTEN] = set_listen,       [HL_KEY_URL] = set_url,
		[HL_KEY_ADDRESSES] = set_addresses, [HL_KEY_PROVIDER] = set_provider,   [HL_KEY_SECRETS] = set_secrets,
		[HL_KEY_PASSWORD] = set_password,   [HL_KEY_TEMPLATES] = set_templates, [HL_KEY_NAMES] = set_names,
	};
	struct setting s = {.key = key, .arena = arena, .dir = dir, .target = target};

	return setters[key->type](&s, value, err);
}

enum hl_class hl_config_option(const struct hl_option *option, const char *value, struct hl_arena *arena,
			       const char *dir, const char **value_r, struct hl_error *err)
{
	const char *path = hl_arena_printf(arena, "%s%s", value[0] == '/' ? "" : dir, value);
	struct hl_slice text;

	if (option->words && word_index(option->words, value) < 0)
		return hl_fail(err, HL_CONFIG, "must be one of: %s; is '%s'", option->words, value);
	*value_r = value;
	if (!option->is_file)
		return HL_OK;
	if (hl_config_slurp(arena, path, OPTION_FILE_BYTES, false, &text, err))
		return hl_error_prefix(err, "%s", path);
	*value_r = text.ptr;
	return HL_OK;
}
