/* config_ini.c - from the configuration file to sections and entries that know their lines
 *
 * libinih splits keys from values and cuts comments; lines are handed to it one
 * by one from memory, because Debian's build tells its handler no line number,
 * silently cuts long lines and never mentions a section without keys.
 * Must not know: which keys exist.
 * Limits: 256 KiB per file; a line must fit libinih's buffer (200 bytes); no
 * continuation lines; " ;" starts a comment inside a line.
 */
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/config_internal.h"
#include "hotline/text.h"

#define FILE_BYTES_MAX    (256 * 1024)
#define SECTION_BYTES_MAX 48

struct reading {
	struct hl_arena *arena;
	struct hl_config_report *report;
	struct hl_ini *ini;
	struct hl_ini_section *section; /* the one being filled; NULL before the first and in a refused one */
	struct hl_slice rest;
	unsigned line;
	bool is_in_section;
	bool is_pending; /* the last line should become a pair and has not yet */
};

void hl_config_refuse(struct hl_config_report *report, unsigned line, const char *section, const char *key,
		      const char *fmt, ...)
{
	char rule[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(rule, sizeof(rule), fmt, ap);
	va_end(ap);
	report->n_errors++;
	hl_buf_printf(report->out, "%s:%u: ", report->path, line);
	if (section)
		hl_buf_printf(report->out, "[%s] ", section);
	if (key)
		hl_buf_printf(report->out, "%s: ", key);
	hl_buf_printf(report->out, "%s\n", rule);
}

static enum hl_class check_file(const struct stat *st, size_t max_bytes, bool is_private, struct hl_error *err)
{
	if (!S_ISREG(st->st_mode))
		return hl_fail(err, HL_CONFIG, "is not a regular file");
	if (is_private && (st->st_mode & 077))
		return hl_fail(err, HL_CONFIG, "file mode is %03o, must give nothing to group and others (chmod 600)",
			       st->st_mode & 0777);
	if (st->st_size < 0 || (size_t)st->st_size > max_bytes)
		return hl_fail(err, HL_CONFIG, "file is larger than %zu bytes", max_bytes);
	return HL_OK;
}

static enum hl_class read_whole(int fd, char *to, size_t n_bytes, struct hl_error *err)
{
	size_t have = 0;

	while (have < n_bytes) {
		ssize_t n = read(fd, to + have, n_bytes - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return hl_fail(err, HL_CONFIG, "cannot be read: %s", n ? strerror(errno) : "it shrank");
		have += (size_t)n;
	}
	return HL_OK;
}

static enum hl_class slurp_fd(struct hl_arena *arena, int fd, size_t max_bytes, bool is_private, struct hl_slice *out_r,
			      struct hl_error *err)
{
	struct stat st;
	enum hl_class cls;
	char *bytes;

	if (fstat(fd, &st) < 0)
		return hl_fail(err, HL_CONFIG, "cannot be examined: %s", strerror(errno));
	cls = check_file(&st, max_bytes, is_private, err);
	if (cls)
		return cls;
	bytes = hl_arena_alloc(arena, (size_t)st.st_size + 1);
	if (!bytes)
		return hl_fail(err, HL_NOMEM, "out of memory");
	*out_r = (struct hl_slice){bytes, (size_t)st.st_size};
	return read_whole(fd, bytes, out_r->len, err);
}

enum hl_class hl_config_slurp(struct hl_arena *arena, const char *path, size_t max_bytes, bool is_private,
			      struct hl_slice *out_r, struct hl_error *err)
{
	/* A fifo in place of the file must not hold up the start. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum hl_class cls;

	if (fd < 0)
		return hl_fail(err, HL_CONFIG, "cannot be opened: %s", strerror(errno));
	cls = slurp_fd(arena, fd, max_bytes, is_private, out_r, err);
	close(fd);
	return cls;
}

static struct hl_ini_section *find_section(struct hl_ini *ini, const char *name)
{
	struct hl_ini_section *section;

	TAILQ_FOREACH (section, &ini->sections, next) {
		if (!strcmp(section->name, name))
			return section;
	}
	return NULL;
}

static void add_section(struct reading *r, const char *name)
{
	struct hl_ini_section *first = find_section(r->ini, name);

	if (first) {
		hl_config_refuse(r->report, r->line, name, NULL, "a section of this name is already on line %u",
				 first->line);
		return;
	}
	r->section = hl_arena_alloc(r->arena, sizeof(*r->section));
	if (!r->section)
		return;
	*r->section = (struct hl_ini_section){.name = name, .line = r->line};
	TAILQ_INIT(&r->section->entries);
	TAILQ_INSERT_TAIL(&r->ini->sections, r->section, next);
}

/* Takes a line that begins with '['. */
static void open_section(struct reading *r, struct hl_slice line)
{
	struct hl_slice name, rest;

	r->section = NULL;
	r->is_in_section = true; /* even when refused: its keys are not "outside" */
	line.ptr++;
	line.len--;
	if (!hl_slice_cut(line, ']', &name, &rest)) {
		hl_config_refuse(r->report, r->line, NULL, NULL, "section line has no ]");
		return;
	}
	rest = hl_slice_trim(rest);
	name = hl_slice_trim(name);
	if (rest.len && rest.ptr[0] != ';' && rest.ptr[0] != '#')
		hl_config_refuse(r->report, r->line, NULL, NULL, "nothing but a comment may follow ]");
	else if (name.len > SECTION_BYTES_MAX)
		hl_config_refuse(r->report, r->line, NULL, NULL, "section name is longer than %d bytes",
				 SECTION_BYTES_MAX);
	else
		add_section(r, hl_arena_strdup(r->arena, name));
}

static bool has_control(struct hl_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

static bool is_fit(struct reading *r, struct hl_slice line, int room)
{
	unsigned errors = r->report->n_errors;

	if (line.len >= (size_t)room)
		hl_config_refuse(r->report, r->line, NULL, NULL, "line is longer than %d bytes", room - 1);
	else if (has_control(line))
		hl_config_refuse(r->report, r->line, NULL, NULL, "line holds a control character");
	else if (!hl_text_is_utf8(line))
		hl_config_refuse(r->report, r->line, NULL, NULL, "line is not valid UTF-8");
	return r->report->n_errors == errors;
}

static void settle_pending(struct reading *r)
{
	if (r->is_pending)
		hl_config_refuse(r->report, r->line, NULL, NULL, "is neither [section] nor key = value");
	r->is_pending = false;
}

/* libinih's reader: one line per call, without leading blanks, so that it never sees a continuation line. */
static char *next_line(char *to, int room, void *stream)
{
	struct reading *r = stream;
	struct hl_slice line;

	settle_pending(r);
	if (!r->rest.len)
		return NULL;
	hl_slice_cut(r->rest, '\n', &line, &r->rest);
	line = hl_slice_trim(line);
	r->line++;
	if (!is_fit(r, line, room))
		line.len = 0;
	if (line.len && line.ptr[0] == '[')
		open_section(r, line);
	else
		r->is_pending = line.len && line.ptr[0] != ';' && line.ptr[0] != '#';
	if (line.len)
		memcpy(to, line.ptr, line.len);
	to[line.len] = '\0';
	return to;
}

static int on_pair(void *user, const char *section_name, const char *key, const char *value)
{
	struct reading *r = user;
	struct hl_ini_entry *entry;

	(void)section_name; /* cut at 49 bytes by libinih; ours is whole */
	r->is_pending = false;
	if (!r->is_in_section)
		hl_config_refuse(r->report, r->line, NULL, key, "stands before the first [section]");
	if (!r->section)
		return 1;
	entry = hl_arena_alloc(r->arena, sizeof(*entry));
	if (!entry)
		return 1;
	entry->key = hl_arena_strdup(r->arena, hl_slice_str(key));
	entry->value = hl_arena_strdup(r->arena, hl_slice_str(value));
	entry->line = r->line;
	TAILQ_INSERT_TAIL(&r->section->entries, entry, next);
	return 1;
}

bool hl_ini_read(struct hl_arena *arena, struct hl_config_report *report, struct hl_ini *out)
{
	struct reading r = {.arena = arena, .report = report, .ini = out};
	struct hl_error err;

	*out = (struct hl_ini){0};
	TAILQ_INIT(&out->sections);
	if (hl_config_slurp(arena, report->path, FILE_BYTES_MAX, false, &r.rest, &err)) {
		report->n_errors++;
		hl_buf_printf(report->out, "%s: %s\n", report->path, err.text);
		return false;
	}
	if (hl_slice_has_prefix(r.rest, "\xef\xbb\xbf"))
		r.rest = (struct hl_slice){r.rest.ptr + 3, r.rest.len - 3};
	/* Its result is the first bad line; next_line and on_pair have reported every one already. */
	(void)ini_parse_stream(next_line, &r, on_pair, &r);
	out->n_lines = r.line;
	return true;
}
