/* spool_file.c - checked lines between two fsyncs (contract in spool_file.h)
 *
 * Owns the file, its lock and the place up to which it was read. Must not know: what the lines mean, when they are
 * read. Limits: one writer, one reader, one process; a line is at most LINE_BYTES_MAX.
 */
#include "intake/spool_file.h"

#include "hotline/buf.h"
#include "hotline/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_BYTES_MAX (4u << 20)
#define SUM_HEX        8

struct hl_spool_file {
	char dir[PATH_MAX - 32], path[PATH_MAX];
	int fd, dir_fd;
	FILE *reader;
	char *line; /* getline's */
	size_t line_cap;
	struct hl_buf added;
	uint64_t max_bytes, bytes, done_bytes, read_bytes;
	uint64_t n_waiting, n_read, n_added;
	unsigned long long damaged;
	bool is_damaged; /* some line of the file as it is now */
	bool is_broken;  /* half a line is at its end and cannot be cut off: nothing more may follow */
};

/* ---- lines ---------------------------------------------------------------- */

static bool sum_of(struct hl_slice text, char out[SUM_HEX + 1])
{
	unsigned char hash[EVP_MAX_MD_SIZE];

	if (!EVP_Digest(text.ptr, text.len, hash, NULL, EVP_sha256(), NULL))
		return false;
	snprintf(out, SUM_HEX + 1, "%02x%02x%02x%02x", hash[0], hash[1], hash[2], hash[3]);
	return true;
}

enum hl_class hl_spool_file_add(struct hl_spool_file *f, const char *function, const char *json)
{
	size_t at = f->added.len;
	char sum[SUM_HEX + 1];

	hl_buf_printf(&f->added, "%*s %s %s", SUM_HEX, "", function, json);
	if (hl_buf_failed(&f->added) || f->added.len - at >= LINE_BYTES_MAX)
		return HL_NOMEM;
	if (!sum_of((struct hl_slice){f->added.ptr + at + SUM_HEX + 1, f->added.len - at - SUM_HEX - 1}, sum))
		return HL_NOMEM;
	memcpy(f->added.ptr + at, sum, SUM_HEX);
	hl_buf_add_char(&f->added, '\n');
	f->n_added++;
	if (hl_buf_failed(&f->added))
		return HL_NOMEM;
	return f->bytes + f->added.len > f->max_bytes ? HL_LIMIT : HL_OK;
}

/* Takes the line apart; false: it is not what was written. */
static bool read_line(struct hl_slice line, struct hl_spool_line *out)
{
	struct hl_slice sum, rest, function;
	char expected[SUM_HEX + 1];

	if (!hl_slice_cut(line, ' ', &sum, &rest) || !sum_of(rest, expected) || !hl_slice_eq_str(sum, expected) ||
	    !hl_slice_cut(rest, ' ', &function, &out->json) || function.len >= sizeof(out->function))
		return false;
	memcpy(out->function, function.ptr, function.len);
	out->function[function.len] = '\0';
	return true;
}

/* ---- writing -------------------------------------------------------------- */

static bool write_all(int fd, struct hl_slice s)
{
	while (s.len) {
		ssize_t n = write(fd, s.ptr, s.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s.ptr += n;
		s.len -= (size_t)n;
	}
	return true;
}

void hl_spool_file_forget(struct hl_spool_file *f)
{
	hl_buf_reset(&f->added);
	f->n_added = 0;
}

enum hl_class hl_spool_file_sync(struct hl_spool_file *f, struct hl_error *err)
{
	bool is_written;

	errno = EIO;
	is_written = !f->is_broken && write_all(f->fd, hl_buf_slice(&f->added)) && fdatasync(f->fd) == 0;
	if (!is_written) {
		hl_fail(err, HL_RETRY, "%s: %s", f->path, strerror(errno));
		f->is_broken = f->is_broken || ftruncate(f->fd, (off_t)f->bytes) != 0;
	} else {
		f->bytes += f->added.len;
		f->n_waiting += f->n_added;
	}
	hl_spool_file_forget(f);
	return is_written ? HL_OK : HL_RETRY;
}

/* ---- reading -------------------------------------------------------------- */

static bool next_whole_line(struct hl_spool_file *f, struct hl_slice *out)
{
	ssize_t n;

	if (f->read_bytes >= f->bytes)
		return false;
	clearerr(f->reader); /* the end of a while ago may not be the end */
	n = getline(&f->line, &f->line_cap, f->reader);
	if (n <= 0)
		return false;
	f->read_bytes += (uint64_t)n;
	*out = (struct hl_slice){f->line, (size_t)n - 1};
	return true;
}

bool hl_spool_file_next(struct hl_spool_file *f, struct hl_spool_line *out)
{
	struct hl_slice line;

	while (next_whole_line(f, &line)) {
		f->n_read++;
		if (read_line(line, out))
			return true;
		hl_spool_file_damage(f);
	}
	return false;
}

void hl_spool_file_damage(struct hl_spool_file *f)
{
	f->damaged++;
	f->is_damaged = true;
	hl_log(HL_WARN, "spool.damaged", HL_STR("file", f->path), HL_INT("ends_at_byte", f->read_bytes));
}

static void seek_to(struct hl_spool_file *f, uint64_t bytes)
{
	fflush(f->reader); /* what it read ahead may be gone */
	hl_assert(fseeko(f->reader, (off_t)bytes, SEEK_SET) == 0);
	f->read_bytes = bytes;
	f->n_read = 0;
}

void hl_spool_file_rewind(struct hl_spool_file *f)
{
	seek_to(f, f->done_bytes);
}

static bool copy_all(int from, int to)
{
	char block[8192];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(from, block, sizeof(block), at)) > 0) {
		if (!write_all(to, (struct hl_slice){block, (size_t)n}))
			return false;
		at += n;
	}
	return n == 0 && fsync(to) == 0;
}

/* A copy of a file in which something is wrong, for people. False: there is none. */
static bool keep_damaged(struct hl_spool_file *f)
{
	char to[PATH_MAX];
	bool is_kept;
	int fd = -1;

	for (unsigned i = 1; fd < 0 && i < 1000; i++) {
		snprintf(to, sizeof(to), "%s/damaged-%u", f->dir, i);
		fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	}
	if (fd < 0)
		return false;
	is_kept = copy_all(fileno(f->reader), fd);
	close(fd);
	hl_log(HL_WARN, "spool.set_aside", HL_STR("file", to), HL_STR("whole", is_kept ? "yes" : "no"));
	return is_kept;
}

void hl_spool_file_done(struct hl_spool_file *f)
{
	f->n_waiting -= f->n_read;
	f->n_read = 0;
	f->done_bytes = f->read_bytes;
	if (f->done_bytes < f->bytes || f->bytes == 0)
		return;
	/* What cannot be emptied is told again after a restart. */
	if ((f->is_damaged && !keep_damaged(f)) || ftruncate(f->fd, 0) != 0)
		return;
	f->is_damaged = false;
	f->bytes = f->done_bytes = f->n_waiting = 0;
	seek_to(f, 0);
}

/* ---- life ----------------------------------------------------------------- */

/* Counts whole lines and cuts off what follows the last one: it was never acknowledged. */
static enum hl_class recover(struct hl_spool_file *f, struct hl_error *err)
{
	off_t whole = 0;
	ssize_t n;

	while ((n = getline(&f->line, &f->line_cap, f->reader)) > 0 && f->line[n - 1] == '\n') {
		whole += n;
		f->n_waiting++;
	}
	if (ferror(f->reader) || ftruncate(f->fd, whole) != 0)
		return hl_fail(err, HL_CONFIG, "%s: %s", f->path, strerror(errno));
	f->bytes = (uint64_t)whole;
	f->done_bytes = 0;
	seek_to(f, 0);
	return HL_OK;
}

static enum hl_class open_file(struct hl_spool_file *f, struct hl_error *err)
{
	int reader;

	f->fd = open(f->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (f->fd < 0)
		return hl_fail(err, HL_CONFIG, "%s: %s", f->path, strerror(errno));
	if (flock(f->fd, LOCK_EX | LOCK_NB) != 0)
		return hl_fail(err, HL_CONFIG, "%s: another process uses it", f->path);
	reader = open(f->path, O_RDONLY | O_CLOEXEC);
	f->reader = reader >= 0 ? fdopen(reader, "r") : NULL;
	if (!f->reader || fsync(f->fd) != 0 || fsync(f->dir_fd) != 0)
		return hl_fail(err, HL_CONFIG, "%s: %s", f->path, strerror(errno));
	return recover(f, err);
}

enum hl_class hl_spool_file_open(const char *dir, uint64_t max_bytes, struct hl_spool_file **out_r,
				 struct hl_error *err)
{
	struct hl_spool_file *f = calloc(1, sizeof(*f));
	enum hl_class cls;

	*out_r = f;
	if (!f)
		return hl_fail(err, HL_NOMEM, "out of memory");
	f->fd = f->dir_fd = -1;
	f->max_bytes = max_bytes;
	hl_buf_init(&f->added, max_bytes);
	snprintf(f->dir, sizeof(f->dir), "%s", dir);
	snprintf(f->path, sizeof(f->path), "%s/spool", f->dir);
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		cls = hl_fail(err, HL_CONFIG, "%s: %s", dir, strerror(errno));
	else if ((f->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		cls = hl_fail(err, HL_CONFIG, "%s: %s", dir, strerror(errno));
	else
		cls = open_file(f, err);
	if (cls != HL_OK)
		hl_spool_file_close(out_r);
	return cls;
}

void hl_spool_file_close(struct hl_spool_file **fp)
{
	struct hl_spool_file *f = *fp;

	if (!f)
		return;
	*fp = NULL;
	if (f->reader)
		fclose(f->reader);
	if (f->fd >= 0)
		close(f->fd);
	if (f->dir_fd >= 0)
		close(f->dir_fd);
	free(f->line);
	hl_buf_fini(&f->added);
	free(f);
}

uint64_t hl_spool_file_bytes(const struct hl_spool_file *f)
{
	return f->bytes;
}

uint64_t hl_spool_file_waiting(const struct hl_spool_file *f)
{
	return f->n_waiting;
}

unsigned long long hl_spool_file_damaged(const struct hl_spool_file *f)
{
	return f->damaged;
}
