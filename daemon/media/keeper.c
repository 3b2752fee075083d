/* keeper.c - hands bytes to a process that checks, cleans and keeps them (contract in hotline/media.h)
 *
 * Owns the processes and their pipes. Must not know what is in a file. What a process leaves is one line; whatever else
 * happens to it (it dies, it hangs, it says nothing) has one answer each, in `judge` and `on_late`.
 */
#include "hotline/buf.h"
#include "hotline/log.h"
#include "hotline/media.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_ONCE        2
#define WAITING_MAX    16
#define DEADLINE_US    (40 * HL_US_PER_S)
#define ANSWER_MAX     4096
#define LEFT_OVER_S    3600
#define PIPE_FLAGS     O_CLOEXEC
#define SAID_SHOWN_MAX 150

enum keep_state { WAITING, RUNNING, ENDED, CANCELLED };

struct hl_keep_op {
	TAILQ_ENTRY(hl_keep_op) link; /* in waiting or running; ENDED and CANCELLED in ended */
	struct hl_keeper *keeper;
	enum keep_state state;
	enum hl_media_kind kind;
	struct hl_slice left; /* of the bytes, not yet written */
	hl_kept_done *done;
	void *arg;
	struct hl_keep_op **handle;
	pid_t pid;
	int in_fd, out_fd;
	struct event *on_in, *on_out;
	struct hl_timer deadline;
	struct hl_buf said;
	struct hl_kept kept;
};

TAILQ_HEAD(keep_ops, hl_keep_op);

struct hl_keeper {
	struct hl_loop *loop;
	const char *program, *dir;
	struct keep_ops waiting, running, ended;
	unsigned n_waiting, n_running, n_live; /* live: done has not run */
	struct hl_post step;
};

static void free_op(void *ptr)
{
	struct hl_keep_op *op = ptr;

	hl_timer_fini(&op->deadline);
	hl_buf_fini(&op->said);
	free(op);
}

static void close_in(struct hl_keep_op *op)
{
	if (op->on_in)
		event_free(op->on_in);
	op->on_in = NULL;
	if (op->in_fd >= 0)
		close(op->in_fd);
	op->in_fd = -1;
}

/* The process has answered, or nobody waits for its answer: in both cases it has nothing left to do. */
static void end_process(struct hl_keep_op *op)
{
	close_in(op);
	if (op->on_out)
		event_free(op->on_out);
	op->on_out = NULL;
	if (op->out_fd >= 0)
		close(op->out_fd);
	op->out_fd = -1;
	if (op->pid > 0) {
		kill(op->pid, SIGKILL);
		while (waitpid(op->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	op->pid = 0;
	hl_timer_stop(&op->deadline);
}

static void move_to_ended(struct hl_keep_op *op, enum keep_state state)
{
	struct hl_keeper *k = op->keeper;

	if (op->state == WAITING) {
		TAILQ_REMOVE(&k->waiting, op, link);
		k->n_waiting--;
	} else {
		TAILQ_REMOVE(&k->running, op, link);
		k->n_running--;
	}
	op->state = state;
	TAILQ_INSERT_TAIL(&k->ended, op, link);
	hl_loop_post(k->loop, &k->step);
}

static void end(struct hl_keep_op *op, enum hl_class cls, const char *why)
{
	end_process(op);
	op->kept.cls = cls;
	snprintf(op->kept.why, sizeof(op->kept.why), "%.*s", SAID_SHOWN_MAX, why);
	move_to_ended(op, ENDED);
}

/* ---- what the process says ------------------------------------------------ */

static const char *type_of(const char *said)
{
	static const char *const types[] = {"image/jpeg", "audio/wav", "audio/mpeg"};

	for (size_t i = 0; said && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(said, types[i]) == 0)
			return types[i];
	return NULL;
}

static bool read_kept(const json_t *line, struct hl_kept *kept)
{
	const char *sha256 = json_string_value(json_object_get(line, "sha256"));

	kept->type = type_of(json_string_value(json_object_get(line, "type")));
	kept->bytes = (size_t)json_integer_value(json_object_get(line, "bytes"));
	kept->width = (unsigned)json_integer_value(json_object_get(line, "width"));
	kept->height = (unsigned)json_integer_value(json_object_get(line, "height"));
	if (!sha256 || strlen(sha256) != sizeof(kept->sha256) - 1 || !kept->type)
		return false;
	memcpy(kept->sha256, sha256, sizeof(kept->sha256));
	return true;
}

/* Died without a word: the decoder met its limits, or a picture that it cannot bear. The next one may be fine. */
static void judge(struct hl_keep_op *op)
{
	json_t *line = json_loadb(hl_buf_str(&op->said), op->said.len, 0, NULL);
	const char *cls = json_string_value(json_object_get(line, "class"));
	const char *why = json_string_value(json_object_get(line, "why"));

	if (cls && strcmp(cls, "ok") == 0 && read_kept(line, &op->kept))
		end(op, HL_OK, "");
	else if (cls && strcmp(cls, "retry") == 0)
		end(op, HL_RETRY, why ? why : "");
	else
		end(op, HL_INPUT, why ? why : "the process that looked into it died");
	json_decref(line);
}

static void on_out(evutil_socket_t fd, short what, void *arg)
{
	struct hl_keep_op *op = arg;
	char piece[1024];
	ssize_t n;

	(void)what;
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		hl_buf_add(&op->said, (struct hl_slice){piece, (size_t)n});
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		judge(op);
}

/* A process that ends before it has read everything has said why. */
static void on_in(evutil_socket_t fd, short what, void *arg)
{
	struct hl_keep_op *op = arg;
	ssize_t n = 1;

	(void)what;
	while (op->left.len > 0 && (n = write(fd, op->left.ptr, op->left.len)) > 0) {
		op->left.ptr += n;
		op->left.len -= (size_t)n;
	}
	if (op->left.len == 0 || (n <= 0 && errno != EAGAIN && errno != EINTR))
		close_in(op);
}

static void on_late(void *arg)
{
	struct hl_keep_op *op = arg;

	if (op->state == WAITING || op->state == RUNNING)
		end(op, HL_RETRY, "no answer in time of the process that looks into it");
}

/* ---- start ---------------------------------------------------------------- */

static bool spawn(struct hl_keep_op *op, int child_in, int child_out)
{
	const char *argv[] = {"hotlined", "--keep", hl_media_kind_name(op->kind), op->keeper->dir, NULL};
	posix_spawn_file_actions_t files;
	bool is_started;

	if (posix_spawn_file_actions_init(&files) != 0)
		return false;
	is_started =
		posix_spawn_file_actions_adddup2(&files, child_in, STDIN_FILENO) == 0 &&
		posix_spawn_file_actions_adddup2(&files, child_out, STDOUT_FILENO) == 0 &&
		posix_spawn_file_actions_addclosefrom_np(&files, 3) == 0 &&
		posix_spawn(&op->pid, op->keeper->program, &files, NULL, (char *const *)(uintptr_t)argv, environ) == 0;
	posix_spawn_file_actions_destroy(&files);
	return is_started;
}

static bool watch(struct hl_keep_op *op)
{
	struct event_base *base = hl_loop_base(op->keeper->loop);

	op->on_in = event_new(base, op->in_fd, EV_WRITE | EV_PERSIST, on_in, op);
	op->on_out = event_new(base, op->out_fd, EV_READ | EV_PERSIST, on_out, op);
	return op->on_in && op->on_out && event_add(op->on_in, NULL) == 0 && event_add(op->on_out, NULL) == 0;
}

static bool run(struct hl_keep_op *op)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1};
	bool is_started = pipe2(in, PIPE_FLAGS) == 0 && pipe2(out, PIPE_FLAGS) == 0 && spawn(op, in[0], out[1]);

	if (in[0] >= 0)
		close(in[0]);
	if (out[1] >= 0)
		close(out[1]);
	op->in_fd = in[1];
	op->out_fd = out[0];
	return is_started && fcntl(op->in_fd, F_SETFL, O_NONBLOCK) == 0 &&
	       fcntl(op->out_fd, F_SETFL, O_NONBLOCK) == 0 && watch(op);
}

static void start(struct hl_keep_op *op)
{
	struct hl_keeper *k = op->keeper;

	TAILQ_REMOVE(&k->waiting, op, link);
	k->n_waiting--;
	op->state = RUNNING;
	TAILQ_INSERT_TAIL(&k->running, op, link);
	k->n_running++;
	if (!run(op))
		end(op, HL_RETRY, "cannot start the process that looks into it");
}

static void report(struct hl_keep_op *op)
{
	if (op->handle)
		*op->handle = NULL;
	op->keeper->n_live--;
	op->done(op->arg, &op->kept);
}

/* Only what had ended when the step began is reported: what a done submits ends in a later turn. */
static void step(void *arg)
{
	struct hl_keeper *k = arg;
	struct hl_keep_op *op, *last = TAILQ_LAST(&k->ended, keep_ops);
	bool is_last = last == NULL;

	while (!is_last) {
		op = TAILQ_FIRST(&k->ended);
		is_last = op == last;
		TAILQ_REMOVE(&k->ended, op, link);
		if (op->state == ENDED)
			report(op);
		hl_loop_bury(k->loop, free_op, op);
	}
	while (k->n_running < AT_ONCE && (op = TAILQ_FIRST(&k->waiting)))
		start(op);
}

enum hl_class hl_keep(struct hl_keeper *k, enum hl_media_kind kind, struct hl_slice bytes, hl_kept_done *done,
		      void *arg, struct hl_keep_op **op_r)
{
	struct hl_keep_op *op = calloc(1, sizeof(*op));

	if (op_r)
		*op_r = op;
	if (!op)
		return HL_NOMEM;
	if (!hl_timer_init(&op->deadline, k->loop, on_late, op)) {
		if (op_r)
			*op_r = NULL;
		free(op);
		return HL_NOMEM;
	}
	op->keeper = k;
	op->kind = kind;
	op->left = bytes;
	op->done = done;
	op->arg = arg;
	op->handle = op_r;
	op->in_fd = op->out_fd = -1;
	hl_buf_init(&op->said, ANSWER_MAX);
	TAILQ_INSERT_TAIL(&k->waiting, op, link);
	k->n_live++;
	hl_timer_start(&op->deadline, DEADLINE_US);
	hl_loop_post(k->loop, &k->step);
	if (++k->n_waiting > WAITING_MAX)
		end(op, HL_RETRY, "too many wait to be looked into");
	return HL_OK;
}

void hl_keep_cancel(struct hl_keep_op **op_ref)
{
	struct hl_keep_op *op = *op_ref;

	if (!op)
		return;
	if (op->handle)
		*op->handle = NULL;
	*op_ref = NULL;
	op->handle = NULL;
	op->keeper->n_live--;
	if (op->state == ENDED) {
		op->state = CANCELLED;
		return;
	}
	end_process(op);
	move_to_ended(op, CANCELLED);
}

unsigned hl_keeper_outstanding(const struct hl_keeper *k)
{
	return k->n_live;
}

/* ---- life ----------------------------------------------------------------- */

/* What processes of an earlier life left half written. Younger ones may belong to another daemon. */
static void sweep(const char *dir)
{
	char folder[PATH_MAX];
	struct dirent *entry;
	struct stat st;
	DIR *left;

	snprintf(folder, sizeof(folder), "%s/new", dir);
	left = opendir(folder);
	while (left && (entry = readdir(left)))
		if (fstatat(dirfd(left), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		    st.st_mtim.tv_sec < hl_wall_us() / HL_US_PER_S - LEFT_OVER_S)
			unlinkat(dirfd(left), entry->d_name, 0);
	if (left)
		closedir(left);
}

struct hl_keeper *hl_keeper_new(struct hl_loop *loop, const char *program, const char *dir)
{
	struct hl_keeper *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->loop = loop;
	k->program = program;
	k->dir = dir;
	k->step = (struct hl_post){.fn = step, .arg = k};
	TAILQ_INIT(&k->waiting);
	TAILQ_INIT(&k->running);
	TAILQ_INIT(&k->ended);
	sweep(dir);
	return k;
}

static void free_ops(struct keep_ops *ops)
{
	struct hl_keep_op *op;

	while ((op = TAILQ_FIRST(ops))) {
		TAILQ_REMOVE(ops, op, link);
		if (op->handle)
			*op->handle = NULL;
		end_process(op);
		free_op(op);
	}
}

void hl_keeper_free(struct hl_keeper **kp)
{
	struct hl_keeper *k = *kp;

	if (!k)
		return;
	free_ops(&k->waiting);
	free_ops(&k->running);
	free_ops(&k->ended);
	hl_loop_unpost(k->loop, &k->step);
	free(k);
	*kp = NULL;
}
