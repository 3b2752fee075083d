/* log.c - key=value lines on standard error, escaped, bounded and rate-limited
 *
 * Owns the process's log state: level, sink, token bucket. Must not know what events mean.
 * Limits: one thread. A value shows at most VALUE_BYTES bytes ("..." marks the cut), a
 * line at most LINE_BYTES (cut=1 marks fields left out). Dropped lines are told by the
 * first line written a second or more after the last such notice, not by a timer. A
 * standard error that blocks, blocks the process; one that would block drops the line.
 */
#include "hotline/log.h"

#include "hotline/clock.h"
#include "hotline/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define VALUE_BYTES 200
#define LINE_BYTES  1000
#define CUT_MARK    " cut=1"
#define LINES_PER_S 2000

struct value {
	char text[VALUE_BYTES + sizeof("...")];
	size_t len;
	bool is_quoted;
};

struct line {
	char text[LINE_BYTES + sizeof("\n")];
	size_t len;
};

static struct {
	enum hl_level level;
	void (*sink)(void *arg, enum hl_level level, const char *line);
	void *sink_arg;
	bool has_bucket;
	int64_t refilled_us, tokens_us; /* a token is worth HL_US_PER_S / LINES_PER_S of saved time */
	int64_t told_us;
	unsigned long long n_dropped, n_told;
} state = {.level = HL_INFO};

static const char *const level_names[] = {
	[HL_DEBUG] = "debug",
	[HL_INFO] = "info",
	[HL_WARN] = "warn",
	[HL_ERROR] = "error",
};

void hl_log_set_level(enum hl_level level)
{
	state.level = level;
}

bool hl_log_parse_level(const char *word, enum hl_level *level_r)
{
	for (size_t i = 0; word && i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(word, level_names[i]) == 0) {
			*level_r = (enum hl_level)i;
			return true;
		}
	}
	return false;
}

void hl_log_set_sink(void (*sink)(void *arg, enum hl_level level, const char *line), void *arg)
{
	state.sink = sink;
	state.sink_arg = arg;
}

unsigned long long hl_log_dropped(void)
{
	return state.n_dropped;
}

/* What could break the line apart or make a terminal show it in another order than it was written. */
static bool is_unsafe(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7F && cp <= 0x9F) || cp == 0x061C || cp == 0x200E || cp == 0x200F ||
	       (cp >= 0x2028 && cp <= 0x202E) || (cp >= 0x2066 && cp <= 0x2069) || cp == 0xFEFF;
}

/* Writes the shown form of the bytes s holds for one code point and says whether it needs quotes around the value. */
static bool show(struct hl_slice s, uint32_t cp, char *out, size_t out_bytes)
{
	if (cp == 0xFFFD && s.len == 1)
		snprintf(out, out_bytes, "\\x%02X", (unsigned char)s.ptr[0]);
	else if (cp == '"' || cp == '\\')
		snprintf(out, out_bytes, "\\%c", (int)cp);
	else if (cp == '\n' || cp == '\r' || cp == '\t')
		snprintf(out, out_bytes, "\\%c", cp == '\n' ? 'n' : cp == '\r' ? 'r' : 't');
	else if (is_unsafe(cp))
		snprintf(out, out_bytes, "\\u{%02X}", (unsigned)cp);
	else {
		snprintf(out, out_bytes, "%.*s", HL_SLICE_ARG(s));
		return cp == ' ' || cp == '=' || cp == 0xA0 || cp == 0x3000;
	}
	return true;
}

static void set_value(struct value *value, struct hl_slice s)
{
	*value = (struct value){.is_quoted = s.len == 0};
	for (size_t pos = 0; pos < s.len;) {
		char shown[16];
		size_t start = pos, n;
		uint32_t cp = hl_text_next(s, &pos);
		bool needs_quotes = show((struct hl_slice){s.ptr + start, pos - start}, cp, shown, sizeof(shown));

		n = strlen(shown);
		if (value->len + n > VALUE_BYTES) {
			memcpy(value->text + value->len, "...", sizeof("..."));
			value->len += sizeof("...") - 1;
			return;
		}
		memcpy(value->text + value->len, shown, n + 1);
		value->len += n;
		value->is_quoted |= needs_quotes;
	}
}

static void format_field(struct value *value, const struct hl_field *field)
{
	char text[32];

	switch (field->kind) {
	case HL_FIELD_STR:
		set_value(value, field->str);
		return;
	case HL_FIELD_INT:
		snprintf(text, sizeof(text), "%lld", field->num);
		break;
	case HL_FIELD_PHONE:
		hl_phone_mask(field->str, text, sizeof(text));
		break;
	}
	set_value(value, hl_slice_str(text));
}

/* False when it does not fit with room left for the mark that says so. */
static bool add_field(struct line *line, const struct hl_field *field)
{
	size_t room = LINE_BYTES - strlen(CUT_MARK) - line->len;
	struct value value;
	const char *quote;
	int n;

	format_field(&value, field);
	quote = value.is_quoted ? "\"" : "";
	n = snprintf(line->text + line->len, room + 1, " %s=%s%s%s", field->key, quote, value.text, quote);
	if (n < 0 || (size_t)n > room) {
		line->text[line->len] = '\0';
		return false;
	}
	line->len += (size_t)n;
	return true;
}

static void add_head(struct line *line, enum hl_level level, const char *event)
{
	size_t room = LINE_BYTES - strlen(CUT_MARK);
	int64_t wall_us = hl_wall_us();
	time_t wall_s = (time_t)(wall_us / HL_US_PER_S);
	struct tm tm;
	int n;

	gmtime_r(&wall_s, &tm);
	n = snprintf(line->text, room + 1, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s %s", tm.tm_year + 1900,
		     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		     (int)(wall_us % HL_US_PER_S / HL_US_PER_MS), level_names[level], event);
	line->len = n < 0 ? 0 : (size_t)n < room ? (size_t)n : room;
}

/* One write per line, so that lines of several processes on one pipe never mix (far below PIPE_BUF). */
static void emit(enum hl_level level, struct line *line)
{
	ssize_t n;

	if (state.sink) {
		state.sink(state.sink_arg, level, line->text);
		return;
	}
	line->text[line->len] = '\n';
	do {
		n = write(STDERR_FILENO, line->text, line->len + 1);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		state.n_dropped++;
}

static void write_line(enum hl_level level, const char *event, const struct hl_field *fields)
{
	struct line line = {.len = 0};

	add_head(&line, level, event);
	for (; fields->key; fields++) {
		if (!add_field(&line, fields)) {
			memcpy(line.text + line.len, CUT_MARK, sizeof(CUT_MARK));
			line.len += strlen(CUT_MARK);
			break;
		}
	}
	emit(level, &line);
}

/* A bucket that holds one second's worth of lines and fills with the monotonic clock. */
static bool take_token(int64_t now_us)
{
	const int64_t token_us = HL_US_PER_S / LINES_PER_S;

	if (!state.has_bucket) {
		state.has_bucket = true;
		state.tokens_us = HL_US_PER_S;
	} else if (now_us > state.refilled_us) {
		state.tokens_us += now_us - state.refilled_us;
	}
	state.refilled_us = now_us;
	if (state.tokens_us > HL_US_PER_S)
		state.tokens_us = HL_US_PER_S;
	if (state.tokens_us < token_us)
		return false;
	state.tokens_us -= token_us;
	return true;
}

static void tell_dropped(int64_t now_us)
{
	unsigned long long n = state.n_dropped - state.n_told;

	if (n == 0 || now_us - state.told_us < HL_US_PER_S)
		return;
	state.told_us = now_us;
	state.n_told = state.n_dropped;
	write_line(HL_WARN, "log.dropped", (const struct hl_field[]){HL_INT("lines", n), {.key = NULL}});
}

void hl_log_write(enum hl_level level, const char *event, const struct hl_field *fields)
{
	int64_t now_us;

	if (level < state.level)
		return;
	now_us = hl_mono_us();
	if (!take_token(now_us)) {
		state.n_dropped++;
		return;
	}
	tell_dropped(now_us);
	write_line(level, event, fields);
}
