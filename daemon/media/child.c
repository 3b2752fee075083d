/* child.c - the process that looks into a stranger's file and writes it to disk (contract in hotline/media.h)
 *
 * Bytes come on stdin, one line of JSON leaves on stdout: {"class": "ok", "sha256", "type", "bytes", "width", "height"}
 * or
 * {"class": "input" | "retry", "why"}. It is said only when the file, its name and its folder have been fsynced.
 * Owns nothing but the file it writes. What decodes is not ours: so this process may not grow, run on, open much or
 * outlive its parent.
 * Limits: a file is written beside its place and renamed; what a crash leaves in DIR/new is swept by the next daemon.
 */
#include "hotline/buf.h"
#include "hotline/media.h"
#include "hotline/picture.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_BYTES ((rlim_t)768 << 20)
#define CPU_S        20
#define FILES        16
#define NICENESS     10
#define READ_BYTES   65536

struct file {
	struct hl_slice bytes;
	const char *type;
	unsigned width, height;
	char sha256[65];
};

/* ---- folders -------------------------------------------------------------- */

static const char *ending_of(struct hl_slice type)
{
	return hl_slice_eq_str(type, "audio/wav") ? "wav" : hl_slice_eq_str(type, "audio/mpeg") ? "mp3" : "jpg";
}

void hl_media_path(struct hl_buf *out, const char *dir, struct hl_slice sha256, struct hl_slice type)
{
	hl_buf_printf(out, "%s/%.2s/%.*s.%s", dir, sha256.ptr, HL_SLICE_ARG(sha256), ending_of(type));
}

static enum hl_class sync_path(const char *path, int flags, struct hl_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	bool is_synced = fd >= 0 && fsync(fd) == 0;
	int why = errno;

	if (fd >= 0)
		close(fd);
	return is_synced ? HL_OK : hl_fail(err, HL_RETRY, "cannot sync a folder of media: %s", strerror(why));
}

static enum hl_class make_folder(const char *path, struct hl_error *err)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return hl_fail(err, HL_RETRY, "cannot make a folder of media: %s", strerror(errno));
	return HL_OK;
}

static bool write_all(int fd, struct hl_slice bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes.ptr += n;
		bytes.len -= (size_t)n;
	}
	return true;
}

static enum hl_class write_new(const char *path, struct hl_slice bytes, struct hl_error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), why;
	bool is_there = fd >= 0 && write_all(fd, bytes) && fsync(fd) == 0;

	why = errno;
	if (fd >= 0 && close(fd) != 0 && is_there) {
		why = errno;
		is_there = false;
	}
	if (is_there)
		return HL_OK;
	unlink(path);
	return hl_fail(err, HL_RETRY, "cannot write a file of media: %s", strerror(why));
}

/* The same content again is written again: whether an earlier process got as far as its fsync is not known. */
static enum hl_class put(const char *dir, const struct file *f, struct hl_error *err)
{
	char folder[PATH_MAX], fresh[PATH_MAX], folder_new[PATH_MAX];
	struct hl_buf path;
	enum hl_class cls;

	snprintf(folder, sizeof(folder), "%s/%.2s", dir, f->sha256);
	snprintf(folder_new, sizeof(folder_new), "%s/new", dir);
	snprintf(fresh, sizeof(fresh), "%s/new/%ld", dir, (long)getpid());
	hl_buf_init(&path, PATH_MAX);
	hl_media_path(&path, dir, hl_slice_str(f->sha256), hl_slice_str(f->type));
	cls = make_folder(dir, err);
	if (cls == HL_OK)
		cls = make_folder(folder_new, err);
	if (cls == HL_OK)
		cls = make_folder(folder, err);
	if (cls == HL_OK)
		cls = write_new(fresh, f->bytes, err);
	if (cls == HL_OK && rename(fresh, hl_buf_str(&path)) != 0)
		cls = hl_fail(err, HL_RETRY, "cannot name a file of media: %s", strerror(errno));
	if (cls == HL_OK)
		cls = sync_path(folder, O_DIRECTORY, err);
	if (cls == HL_OK)
		cls = sync_path(dir, O_DIRECTORY, err);
	hl_buf_fini(&path);
	return cls;
}

/* ---- content -------------------------------------------------------------- */

static bool seal(struct file *f)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (EVP_Digest(f->bytes.ptr, f->bytes.len, digest, &len, EVP_sha256(), NULL) != 1 || len != 32)
		return false;
	for (unsigned i = 0; i < len; i++)
		snprintf(f->sha256 + 2 * (size_t)i, 3, "%02x", digest[i]);
	return true;
}

static enum hl_class clean(enum hl_media_kind kind, struct hl_slice bytes, struct hl_picture *picture, struct file *f,
			   struct hl_error *err)
{
	const char *type = hl_media_type(kind, bytes);
	enum hl_class cls;

	if (bytes.len > hl_media_max_bytes(kind))
		return hl_fail(err, HL_INPUT, "longer than %zu bytes", hl_media_max_bytes(kind));
	if (!type)
		return hl_fail(err, HL_INPUT,
			       kind == HL_MEDIA_PHOTO ? "neither a JPEG nor a PNG picture" : "neither WAV nor MP3");
	*f = (struct file){.bytes = bytes, .type = type};
	if (kind == HL_MEDIA_PHOTO) {
		cls = hl_picture_clean(bytes, picture, err);
		if (cls != HL_OK)
			return cls;
		*f = (struct file){.bytes = {(const char *)picture->jpeg, picture->bytes},
				   .type = "image/jpeg",
				   .width = picture->width,
				   .height = picture->height};
	}
	return seal(f) ? HL_OK : hl_fail(err, HL_NOMEM, "out of memory");
}

/* ---- the process ---------------------------------------------------------- */

static void limit(int what, rlim_t most)
{
	struct rlimit now;

	if (getrlimit((__rlimit_resource_t)what, &now) == 0 && now.rlim_max > most) {
		now = (struct rlimit){most, most};
		setrlimit((__rlimit_resource_t)what, &now);
	}
}

static void confine(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, CPU_S);
	limit(RLIMIT_NOFILE, FILES);
	limit(RLIMIT_FSIZE, hl_media_max_bytes(HL_MEDIA_RECORDING));
#ifndef __SANITIZE_ADDRESS__ /* which maps terabytes */
	limit(RLIMIT_AS, MEMORY_BYTES);
#endif
	setpriority(PRIO_PROCESS, 0, NICENESS); /* pictures can wait, texts cannot */
}

static bool read_all(struct hl_buf *out)
{
	char piece[READ_BYTES];
	ssize_t n;

	while ((n = read(STDIN_FILENO, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		hl_buf_add(out, (struct hl_slice){piece, (size_t)n});
		if (hl_buf_failed(out))
			return false;
	}
	return true;
}

static void tell(enum hl_class cls, const struct file *f, const struct hl_error *err)
{
	json_t *line =
		cls == HL_OK ? json_pack("{s:s, s:s, s:s, s:I, s:i, s:i}", "class", "ok", "sha256", f->sha256, "type",
					 f->type, "bytes", (json_int_t)f->bytes.len, "width", (int)f->width, "height",
					 (int)f->height)
			     : json_pack("{s:s, s:s}", "class", cls == HL_INPUT ? "input" : "retry", "why", err->text);
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;

	if (text)
		write_all(STDOUT_FILENO, hl_slice_str(text));
	free(text);
	json_decref(line);
}

int hl_media_child(const char *kind_name, const char *dir)
{
	enum hl_media_kind kind;
	struct hl_picture picture = {0};
	struct hl_error err = {.text = ""};
	struct file f = {.type = ""};
	struct hl_buf in;
	enum hl_class cls;

	if (!hl_media_kind_parse(hl_slice_str(kind_name), &kind))
		return EXIT_FAILURE;
	confine();
	hl_buf_init(&in, hl_media_max_bytes(kind) + READ_BYTES);
	cls = read_all(&in) ? clean(kind, hl_buf_slice(&in), &picture, &f, &err)
			    : hl_fail(&err, HL_RETRY, "cannot read what was sent");
	if (cls == HL_OK)
		cls = put(dir, &f, &err);
	tell(cls, &f, &err);
	hl_picture_free(&picture);
	hl_buf_fini(&in);
	return EXIT_SUCCESS;
}
