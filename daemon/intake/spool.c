/* spool.c - the store that writes to a file while the database is down (contract in hotline/spool.h)
 *
 * Owns the file, the answers that are still to be given, and what is told again. States:
 *   through   the inner store answers, or has not been away for long; nothing waits in the file
 *   taking    it has been away for after_us: items go into the file
 *   telling   it is back and lines wait: they go to the batchers in order, chunk by chunk, a chunk that failed again
 * from its beginning; new items go behind them
 */
#include "hotline/spool.h"

#include "intake/spool_file.h"

#include "hotline/crash.h"
#include "hotline/log.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK   200
#define LOOK_US (250 * HL_US_PER_MS)

struct taken {
	TAILQ_ENTRY(taken) link;
	struct hl_spool *spool;
	struct hl_post post;
	hl_pg_done *done;
	void *arg;
	char *reply;
};
TAILQ_HEAD(taken_list, taken);

struct hl_spool {
	struct hl_loop *loop;
	struct hl_store inner;
	const struct hl_case_clock *clock;
	int64_t after_us, away_since_us; /* 0: not away */
	struct hl_spool_file *file;
	struct hl_timer look;
	struct hl_intake *intake, *receipts; /* NULL: not started, or stopped */
	struct taken_list answers;
	unsigned n_answers, n_told; /* n_told: items of the chunk whose answers are to come */
	bool is_reading, is_failed; /* of the chunk under way */
	unsigned n_chunk;
	unsigned long long n_taken, n_refused, n_replayed;
};

static bool is_down(struct hl_spool *sp)
{
	if (sp->inner.is_ready(sp->inner.ctx)) {
		sp->away_since_us = 0;
		return false;
	}
	if (sp->away_since_us == 0)
		sp->away_since_us = hl_mono_us();
	return hl_mono_us() - sp->away_since_us >= sp->after_us;
}

static bool is_through(struct hl_spool *sp)
{
	return !is_down(sp) && hl_spool_file_waiting(sp->file) == 0;
}

/* ---- taking --------------------------------------------------------------- */

static void give_answer(void *arg)
{
	struct taken *t = arg;
	struct hl_spool *sp = t->spool;
	struct hl_pg_result r = {.cls = HL_OK, .json = hl_slice_str(t->reply), .text = ""};

	TAILQ_REMOVE(&sp->answers, t, link);
	sp->n_answers--;
	t->done(t->arg, &r);
	free(t->reply);
	hl_loop_bury(sp->loop, free, t);
}

/* As the flow answers, without numbers: nobody knows them yet. */
static char *reply_json(const struct hl_spool *sp, size_t n)
{
	json_t *items = json_array(), *reply;
	char *text;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(items, json_pack("{s:I, s:s}", "i", (json_int_t)i + 1, "outcome", "spooled"));
	reply = json_pack("{s:I, s:o, s:[]}", "now", (json_int_t)hl_case_clock_now(sp->clock), "items", items, "talk");
	text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
	json_decref(reply);
	return text;
}

static enum hl_class add_items(struct hl_spool *sp, const char *function, json_t *items)
{
	enum hl_class cls = HL_OK;
	json_t *item;
	size_t i;

	json_array_foreach (items, i, item) {
		char *text;

		if (!json_object_get(item, "received_us"))
			json_object_set_new(item, "received_us",
					    json_integer((json_int_t)hl_case_clock_now(sp->clock)));
		text = json_dumps(item, JSON_COMPACT);
		cls = text ? hl_spool_file_add(sp->file, function, text) : HL_NOMEM;
		free(text);
		if (cls != HL_OK)
			break;
	}
	return cls;
}

/* HL_RETRY, HL_LIMIT, HL_NOMEM: nothing was taken. */
static enum hl_class take_items(struct hl_spool *sp, const char *function, json_t *items)
{
	struct hl_error err = {.text = "the spool is full"};
	enum hl_class cls = add_items(sp, function, items);

	if (cls == HL_OK)
		cls = hl_spool_file_sync(sp->file, &err);
	else
		hl_spool_file_forget(sp->file);
	if (cls != HL_OK) {
		sp->n_refused += json_array_size(items);
		hl_log(HL_WARN, "spool.refused", HL_INT("items", json_array_size(items)), HL_STR("why", err.text));
		return cls;
	}
	hl_crash_point("spool.synced");
	if (sp->n_taken == 0 || hl_spool_file_waiting(sp->file) == json_array_size(items))
		hl_log(HL_WARN, "spool.taking", HL_INT("items", json_array_size(items)));
	sp->n_taken += json_array_size(items);
	return HL_OK;
}

static enum hl_class take(struct hl_spool *sp, const char *function, struct hl_slice json, hl_pg_done *done, void *arg)
{
	struct taken *t = calloc(1, sizeof(*t));
	json_t *items = json_loadb(json.ptr, json.len, 0, NULL);
	enum hl_class cls = HL_NOMEM;

	if (t && items) {
		*t = (struct taken){
			.spool = sp, .done = done, .arg = arg, .reply = reply_json(sp, json_array_size(items))};
		if (t->reply)
			cls = take_items(sp, function, items);
	}
	json_decref(items);
	if (cls != HL_OK) {
		if (t)
			free(t->reply);
		free(t);
		return cls;
	}
	t->post = (struct hl_post){.fn = give_answer, .arg = t};
	TAILQ_INSERT_TAIL(&sp->answers, t, link);
	sp->n_answers++;
	hl_loop_post(sp->loop, &t->post);
	return HL_OK;
}

static enum hl_class submit(void *ctx, const char *function, struct hl_slice json, int flags, int64_t deadline_us,
			    hl_pg_done *done, void *arg)
{
	struct hl_spool *sp = ctx;
	bool has_items = strcmp(function, "intake") == 0 || strcmp(function, "receipts") == 0;

	if (!has_items || is_through(sp) || !(sp->intake || is_down(sp)))
		return sp->inner.submit(sp->inner.ctx, function, json, flags, deadline_us, done, arg);
	return take(sp, function, json, done, arg);
}

static bool is_ready(void *ctx)
{
	struct hl_spool *sp = ctx;

	return is_down(sp) || sp->inner.is_ready(sp->inner.ctx);
}

struct hl_store hl_spool_store(struct hl_spool *sp)
{
	return (struct hl_store){.ctx = sp, .submit = submit, .is_ready = is_ready};
}

/* ---- telling again -------------------------------------------------------- */

static void tell_chunk(struct hl_spool *sp);

static void end_chunk(struct hl_spool *sp)
{
	if (sp->is_reading || sp->n_told > 0)
		return;
	if (sp->is_failed) {
		hl_spool_file_rewind(sp->file);
		return;
	}
	sp->n_replayed += sp->n_chunk;
	hl_spool_file_done(sp->file);
	if (hl_spool_file_waiting(sp->file) == 0)
		hl_log(HL_INFO, "spool.told", HL_INT("items", sp->n_replayed));
	else
		hl_timer_start(&sp->look, 0);
}

static void on_told(void *arg, const struct hl_intake_result *r)
{
	struct hl_spool *sp = arg;

	sp->n_told--;
	sp->is_failed = sp->is_failed || r->cls != HL_OK;
	end_chunk(sp);
}

static void tell_line(struct hl_spool *sp, const struct hl_spool_line *line)
{
	struct hl_intake *to = strcmp(line->function, "receipts") == 0 ? sp->receipts : sp->intake;
	json_t *item = json_loadb(line->json.ptr, line->json.len, 0, NULL);

	sp->n_chunk++;
	if (!item) {
		hl_spool_file_damage(sp->file);
		return;
	}
	sp->n_told++;
	if (hl_intake_submit(to, item, on_told, sp) != HL_OK) {
		sp->n_told--;
		sp->is_failed = true;
	}
}

static void tell_chunk(struct hl_spool *sp)
{
	struct hl_spool_line line;

	sp->is_reading = true;
	sp->is_failed = false;
	sp->n_chunk = 0;
	while (sp->n_chunk < CHUNK && hl_spool_file_next(sp->file, &line))
		tell_line(sp, &line);
	sp->is_reading = false;
	end_chunk(sp);
}

static void look(void *arg)
{
	struct hl_spool *sp = arg;

	hl_timer_start(&sp->look, LOOK_US);
	if (!is_down(sp) && sp->inner.is_ready(sp->inner.ctx) && sp->intake && sp->n_told == 0 &&
	    hl_spool_file_waiting(sp->file) > 0)
		tell_chunk(sp);
}

/* ---- life ----------------------------------------------------------------- */

enum hl_class hl_spool_new(struct hl_loop *loop, const struct hl_store *inner, const struct hl_spool_options *options,
			   const struct hl_case_clock *clock, struct hl_spool **out_r, struct hl_error *err)
{
	struct hl_spool *sp = calloc(1, sizeof(*sp));
	enum hl_class cls;

	*out_r = sp;
	if (!sp)
		return hl_fail(err, HL_NOMEM, "out of memory");
	sp->loop = loop;
	sp->inner = *inner;
	sp->clock = clock;
	sp->after_us = options->after_us;
	TAILQ_INIT(&sp->answers);
	cls = hl_timer_init(&sp->look, loop, look, sp)
		      ? hl_spool_file_open(options->dir, options->max_bytes, &sp->file, err)
		      : hl_fail(err, HL_NOMEM, "out of memory");
	if (cls != HL_OK) {
		hl_spool_free(out_r);
		return cls;
	}
	if (hl_spool_file_waiting(sp->file) > 0)
		hl_log(HL_WARN, "spool.found", HL_INT("items", hl_spool_file_waiting(sp->file)));
	return HL_OK;
}

void hl_spool_free(struct hl_spool **spp)
{
	struct hl_spool *sp = *spp;
	struct taken *t;

	if (!sp)
		return;
	*spp = NULL;
	hl_timer_fini(&sp->look);
	while ((t = TAILQ_FIRST(&sp->answers))) {
		TAILQ_REMOVE(&sp->answers, t, link);
		hl_loop_unpost(sp->loop, &t->post);
		free(t->reply);
		free(t);
	}
	hl_spool_file_close(&sp->file);
	free(sp);
}

void hl_spool_start(struct hl_spool *sp, struct hl_intake *intake, struct hl_intake *receipts)
{
	sp->intake = intake;
	sp->receipts = receipts;
	hl_timer_start(&sp->look, LOOK_US);
}

void hl_spool_stop(struct hl_spool *sp)
{
	if (!sp)
		return;
	sp->intake = NULL;
	hl_timer_stop(&sp->look);
}

unsigned hl_spool_outstanding(const struct hl_spool *sp)
{
	return sp ? sp->n_answers + sp->n_told : 0;
}

struct hl_spool_stats hl_spool_stats(const struct hl_spool *sp)
{
	return (struct hl_spool_stats){.taken = sp->n_taken,
				       .refused = sp->n_refused,
				       .told = sp->n_replayed,
				       .damaged = hl_spool_file_damaged(sp->file),
				       .bytes = hl_spool_file_bytes(sp->file),
				       .waiting = hl_spool_file_waiting(sp->file)};
}
