/* check.c - which media are taken, and from where (contract in hotline/media.h)
 *
 * Without state or I/O: what a file is, by its first bytes; whether an address may be asked, by the channel's list;
 * whether a socket may be opened to where a name leads. Libcurl reads the address here as it does when it fetches: two
 * readers that differ are how such checks are passed.
 */
#include "hotline/media.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#define MIB ((size_t)1 << 20)

/* ---- kinds ---------------------------------------------------------------- */

static const struct kind {
	const char *name;
	size_t max_bytes;
} kinds[] = {
	[HL_MEDIA_PHOTO] = {"photo", 12 * MIB},
	[HL_MEDIA_RECORDING] = {"recording", 32 * MIB},
};

bool hl_media_kind_parse(struct hl_slice word, enum hl_media_kind *kind_r)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (hl_slice_eq_str(word, kinds[i].name)) {
			*kind_r = (enum hl_media_kind)i;
			return true;
		}
	return false;
}

const char *hl_media_kind_name(enum hl_media_kind kind)
{
	return kinds[kind].name;
}

size_t hl_media_max_bytes(enum hl_media_kind kind)
{
	return kinds[kind].max_bytes;
}

/* ---- content -------------------------------------------------------------- */

static bool has_bytes(struct hl_slice s, size_t at, struct hl_slice wanted)
{
	return s.len >= at + wanted.len && memcmp(s.ptr + at, wanted.ptr, wanted.len) == 0;
}

/* An ID3 tag, or the head of a frame of layer III whose bit rate and sample rate exist. */
static bool is_mp3(struct hl_slice s)
{
	const unsigned char *b = (const unsigned char *)s.ptr;

	if (has_bytes(s, 0, HL_LIT("ID3")))
		return true;
	return s.len >= 4 && b[0] == 0xff && (b[1] & 0xe6) == 0xe2 && (b[2] & 0xf0) != 0xf0 && (b[2] & 0xf0) != 0 &&
	       (b[2] & 0x0c) != 0x0c;
}

const char *hl_media_type(enum hl_media_kind kind, struct hl_slice bytes)
{
	if (kind == HL_MEDIA_PHOTO) {
		if (has_bytes(bytes, 0, HL_LIT("\xff\xd8\xff")))
			return "image/jpeg";
		return has_bytes(bytes, 0, HL_LIT("\x89PNG\r\n\x1a\n")) ? "image/png" : NULL;
	}
	if (has_bytes(bytes, 0, HL_LIT("RIFF")) && has_bytes(bytes, 8, HL_LIT("WAVE")))
		return "audio/wav";
	return is_mp3(bytes) ? "audio/mpeg" : NULL;
}

/* ---- address, as written -------------------------------------------------- */

struct address {
	char *scheme, *host, *port;
};

/* Does an entry of the list name this host? ".example.com" means all below it, not itself. */
static bool is_host(const char *entry, size_t entry_len, const char *host)
{
	size_t host_len = strlen(host);

	if (entry_len > 0 && entry[0] == '.')
		return host_len > entry_len && strncasecmp(host + host_len - entry_len, entry, entry_len) == 0;
	return host_len == entry_len && strncasecmp(host, entry, entry_len) == 0;
}

static bool is_allowed(const char *entry, const struct address *a)
{
	bool is_plain = strncmp(entry, "http://", 7) == 0;
	const char *host = is_plain ? entry + 7 : entry, *colon = strrchr(host, ':');
	const char *port = colon && !strchr(colon, ']') ? colon + 1 : is_plain ? "80" : "443";
	size_t host_len = port == (colon ? colon + 1 : NULL) ? (size_t)(colon - host) : strlen(host);

	return strcmp(a->scheme, is_plain ? "http" : "https") == 0 && strcmp(a->port, port) == 0 &&
	       is_host(host, host_len, a->host);
}

static const char *judge(CURLU *url, struct address *a, char *const *allow, size_t n_allow)
{
	char *user = NULL;
	bool has_user = curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK;

	curl_free(user);
	if (has_user)
		return "the address holds a user";
	if (curl_url_get(url, CURLUPART_SCHEME, &a->scheme, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_HOST, &a->host, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_PORT, &a->port, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return "not an address";
	for (size_t i = 0; i < n_allow; i++)
		if (is_allowed(allow[i], a))
			return NULL;
	return "its host is not on media_allow of the channel";
}

const char *hl_media_may_ask(const char *text, char *const *allow, size_t n_allow)
{
	struct address a = {0};
	CURLU *url = curl_url();
	const char *why = "not an address";

	if (url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK)
		why = judge(url, &a, allow, n_allow);
	curl_free(a.scheme);
	curl_free(a.host);
	curl_free(a.port);
	curl_url_cleanup(url);
	return why;
}

static char *part_of(const char *text, CURLUPart part)
{
	CURLU *url = curl_url();
	char *value = NULL;

	if (url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK)
		curl_url_get(url, part, &value, CURLU_DEFAULT_PORT);
	curl_url_cleanup(url);
	return value;
}

bool hl_media_is_home(const char *url, const char *home)
{
	static const CURLUPart parts[] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};
	bool is = true;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && is; i++) {
		char *one = part_of(url, parts[i]), *other = part_of(home, parts[i]);

		is = one && other && strcasecmp(one, other) == 0;
		curl_free(one);
		curl_free(other);
	}
	return is;
}

/* ---- what comes next ------------------------------------------------------ */

enum hl_media_next hl_media_judge(enum hl_class cls, int status, bool is_too_long)
{
	static const int mends[] = {401, 403, 404, 408, 425, 429};

	if (is_too_long)
		return HL_MEDIA_NEVER;
	if (cls != HL_OK)
		return cls == HL_CONFIG || cls == HL_BUG ? HL_MEDIA_NEVER : HL_MEDIA_LATER;
	if (status == 200)
		return HL_MEDIA_KEEP;
	if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308)
		return HL_MEDIA_FOLLOW;
	for (size_t i = 0; i < sizeof(mends) / sizeof(mends[0]); i++)
		if (status == mends[i])
			return HL_MEDIA_LATER;
	return status >= 500 ? HL_MEDIA_LATER : HL_MEDIA_NEVER;
}

int64_t hl_media_wait_us(int tries)
{
	static const int waits_s[] = {30, 120, 600, 3600, 6 * 3600};

	return tries >= 1 && tries <= 5 ? waits_s[tries - 1] * HL_US_PER_S : 0;
}

/* ---- address, as connected ------------------------------------------------ */

struct block {
	uint32_t prefix;
	unsigned bits;
};

/* Not of the public Internet. */
static const struct block inside4[] = {
	{0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16},
	{0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24}, {0xc0586300, 24}, {0xc0a80000, 16},
	{0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24}, {0xe0000000, 3},
};

static bool is_outside4(uint32_t host_order)
{
	for (size_t i = 0; i < sizeof(inside4) / sizeof(inside4[0]); i++)
		if (((host_order ^ inside4[i].prefix) >> (32 - inside4[i].bits)) == 0)
			return false;
	return true;
}

static uint32_t read_be32(const unsigned char *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Global unicast is 2000::/3; inside it lie blocks that carry an IPv4 address or belong to nobody. */
static bool is_outside6(const struct in6_addr *addr)
{
	const unsigned char *b = addr->s6_addr;

	if (IN6_IS_ADDR_V4MAPPED(addr))
		return is_outside4(read_be32(b + 12));
	if (memcmp(b, "\x00\x64\xff\x9b\0\0\0\0\0\0\0\0", 12) == 0) /* NAT64 */
		return is_outside4(read_be32(b + 12));
	if ((b[0] & 0xe0) != 0x20)
		return false;
	if (b[0] == 0x20 && b[1] == 0x02) /* 6to4 */
		return is_outside4(read_be32(b + 2));
	if (b[0] == 0x20 && b[1] == 0x01 && b[2] < 0x02) /* Teredo, benchmarks, ORCHID */
		return false;
	return memcmp(b, "\x20\x01\x0d\xb8", 4) != 0 && memcmp(b, "\x3f\xff", 2) != 0; /* documentation */
}

bool hl_media_may_connect(const struct sockaddr *addr, char *const *inside, size_t n_inside)
{
	const struct sockaddr_in *v4 = (const void *)addr;
	const struct sockaddr_in6 *v6 = (const void *)addr;
	char text[INET6_ADDRSTRLEN] = "";

	if (addr->sa_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
	else if (addr->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
	for (size_t i = 0; i < n_inside; i++)
		if (strcmp(text, inside[i]) == 0)
			return true;
	if (addr->sa_family == AF_INET)
		return is_outside4(ntohl(v4->sin_addr.s_addr));
	return addr->sa_family == AF_INET6 && is_outside6(&v6->sin6_addr);
}
