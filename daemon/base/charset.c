/* charset.c - a provider's bytes in whatever charset to clean UTF-8; pure
 *
 * Owns nothing; uses iconv. Must not know providers or what the text says.
 * Every candidate charset is first run without output, which counts its broken places
 * and the bytes it needs; the chosen one is run again into memory of just that size.
 * Limits: detection knows UTF-8 and GB18030 only. GBK text of a few characters can be
 * valid UTF-8 by chance, so adapters should pass the charset whenever they know it. A
 * declared charset that decodes is believed, even if another one would read better.
 */
#include "hotline/text.h"

#include <errno.h>
#include <iconv.h>
#include <utf8proc.h>

#define REPLACEMENT     0xFFFD
#define BYTE_ORDER_MARK 0xFEFF

struct charset {
	const char *iconv_name; /* NULL: UTF-8, read by ourselves */
	size_t unit_bytes;      /* what is skipped at a broken place */
};

static const struct charset utf8 = {NULL, 1};
static const struct charset gb18030 = {"GB18030", 1};
static const struct charset utf16be = {"UTF-16BE", 2};
static const struct charset utf16le = {"UTF-16LE", 2};
static const struct charset latin1 = {"ISO-8859-1", 1};
static const struct charset cp1252 = {"CP1252", 1};

/* Names without blanks, quotes, '-', '_' and ':', in lower case. GB18030 reads all of GBK and GB2312.
 * UTF-16 without a mark is big-endian (RFC 2781, 4.3), and so is the UCS-2 of SMS (3GPP TS 23.038, 6.2.3). */
static const struct {
	const char *name;
	const struct charset *charset;
} names[] = {
	{"utf8", &utf8},       {"gbk", &gb18030},     {"gb18030", &gb18030},      {"gb2312", &gb18030},
	{"cp936", &gb18030},   {"ms936", &gb18030},   {"windows936", &gb18030},   {"euccn", &gb18030},
	{"utf16be", &utf16be}, {"utf16le", &utf16le}, {"utf16", &utf16be},        {"ucs2", &utf16be},
	{"ucs2be", &utf16be},  {"ucs2le", &utf16le},  {"iso10646ucs2", &utf16be}, {"latin1", &latin1},
	{"iso88591", &latin1}, {"cp1252", &cp1252},   {"windows1252", &cp1252},
};

/* Where code points go. Without ptr they are only counted. */
struct sink {
	char *ptr;
	size_t len;
	size_t n_broken, n_long; /* n_long: characters that came as three bytes of UTF-8 or more */
	bool was_cr;
};

static const struct charset *find_charset(const char *word)
{
	char name[16];
	size_t len = 0;

	for (; word && *word; word++) {
		char c = *word >= 'A' && *word <= 'Z' ? (char)(*word + ('a' - 'A')) : *word;

		if (c == '-' || c == '_' || c == ':' || c == ' ' || c == '"' || c == '\'')
			continue;
		if (len == sizeof(name) - 1)
			return NULL;
		name[len++] = c;
	}
	name[len] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (hl_slice_eq_str((struct hl_slice){name, len}, names[i].name))
			return names[i].charset;
	return NULL;
}

static void put(struct sink *sink, uint32_t cp)
{
	bool was_cr = sink->was_cr;
	utf8proc_uint8_t bytes[4];
	utf8proc_ssize_t n;

	sink->was_cr = cp == '\r';
	if ((cp == '\n' && was_cr) || (cp == BYTE_ORDER_MARK && sink->len == 0))
		return;
	if (cp == '\r')
		cp = '\n';
	if (cp < 0x20 && cp != '\n' && cp != '\t')
		return;
	n = utf8proc_encode_char((utf8proc_int32_t)cp, bytes);
	for (utf8proc_ssize_t i = 0; sink->ptr && i < n; i++)
		sink->ptr[sink->len + (size_t)i] = (char)bytes[i];
	sink->len += (size_t)n;
}

static void put_broken(struct sink *sink)
{
	sink->n_broken++;
	put(sink, REPLACEMENT);
}

static void put_utf8(struct sink *sink, struct hl_slice s)
{
	for (size_t pos = 0; pos < s.len;) {
		size_t start = pos;
		uint32_t cp = hl_text_next(s, &pos);

		/* A U+FFFD the sender wrote has three bytes; one that stands for a broken byte has one. */
		if (cp == REPLACEMENT && pos - start == 1)
			put_broken(sink);
		else
			put(sink, cp);
		sink->n_long += pos - start >= 3;
	}
}

/* False when this system has no such converter. */
static bool put_converted(struct sink *sink, struct hl_slice s, const struct charset *charset)
{
	iconv_t cd = iconv_open("UTF-8", charset->iconv_name);
	/* iconv's prototype lacks the const; it does not write there. */
	char *in = (char *)(uintptr_t)s.ptr;
	size_t left = s.len;

	if (cd == (iconv_t)-1)
		return false;
	while (left > 0) {
		char chunk[512], *out = chunk;
		size_t room = sizeof(chunk), skip = charset->unit_bytes;
		size_t rc = iconv(cd, &in, &left, &out, &room);
		int error = errno;

		put_utf8(sink, (struct hl_slice){chunk, (size_t)(out - chunk)});
		if (rc != (size_t)-1 || error == E2BIG)
			continue;
		/* EINVAL: a sequence that the end cut short; all that is left belongs to it. */
		if (error == EINVAL || skip > left)
			skip = left;
		put_broken(sink);
		in += skip;
		left -= skip;
	}
	iconv_close(cd);
	return true;
}

static bool run(struct sink *sink, struct hl_slice bytes, const struct charset *charset)
{
	if (charset->iconv_name)
		return put_converted(sink, bytes, charset);
	put_utf8(sink, bytes);
	return true;
}

static bool decodes_whole(struct hl_slice bytes, const struct charset *charset)
{
	struct sink sink = {0};

	return run(&sink, bytes, charset) && sink.n_broken == 0;
}

/* Cuts a byte order mark off and gives its charset, or NULL. */
static const struct charset *take_mark(struct hl_slice *bytes)
{
	static const struct {
		const char *mark;
		const struct charset *charset;
	} marks[] = {{"\xEF\xBB\xBF", &utf8}, {"\xFE\xFF", &utf16be}, {"\xFF\xFE", &utf16le}};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		struct hl_slice mark = hl_slice_str(marks[i].mark);

		if (hl_slice_has_prefix(*bytes, marks[i].mark)) {
			*bytes = (struct hl_slice){bytes->ptr + mark.len, bytes->len - mark.len};
			return marks[i].charset;
		}
	}
	return NULL;
}

/* A text that was cut inside a character, or lost a few bytes, often decodes as GB18030 too, as rubbish. Bytes of
 * another charset hardly ever form sequences of three, and never more of them than broken ones. */
static bool is_damaged_utf8(struct hl_slice bytes)
{
	struct sink sink = {0};

	put_utf8(&sink, bytes);
	return sink.n_long > sink.n_broken;
}

static const struct charset *detect(struct hl_slice bytes, const struct charset *otherwise)
{
	if (hl_text_is_utf8(bytes) || is_damaged_utf8(bytes))
		return &utf8;
	return decodes_whole(bytes, &gb18030) ? &gb18030 : otherwise;
}

/* The declared charset stands while it decodes. If it does not, the declaration may be a lie, and what
 * detection finds is better than holes. UTF-16 is special: a text cut inside an emoji ends in half a surrogate
 * pair and may look like GB18030 by chance, so there only plain UTF-8 without NUL proves the lie. */
static const struct charset *choose(struct hl_slice bytes, const struct charset *declared)
{
	if (!declared)
		return detect(bytes, &utf8);
	if (decodes_whole(bytes, declared))
		return declared;
	if (declared->unit_bytes == 1)
		return detect(bytes, declared);
	return hl_text_is_utf8(bytes) && hl_slice_find(bytes, HL_LIT("\0")) < 0 ? &utf8 : declared;
}

struct hl_slice hl_text_decode(struct hl_arena *arena, struct hl_slice bytes, const char *charset)
{
	const struct charset *chosen = take_mark(&bytes);
	struct sink measure = {0}, sink = {0};

	if (!chosen)
		chosen = choose(bytes, find_charset(charset));
	if (!run(&measure, bytes, chosen)) {
		chosen = &utf8;
		run(&measure, bytes, chosen);
	}
	sink.ptr = hl_arena_alloc(arena, measure.len + 1);
	if (!sink.ptr)
		return HL_LIT("");
	/* A converter can only fail to open for want of memory now, and then the text is missing: say so. */
	if (!run(&sink, bytes, chosen)) {
		arena->failed = true;
		return HL_LIT("");
	}
	return (struct hl_slice){sink.ptr, sink.len};
}
