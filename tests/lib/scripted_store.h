/* scripted_store.h - a store that remembers every call and answers when the test says so
 *
 * It keeps the async law as the real one does: done runs at the fixed point of a turn,
 * never inside submit. Calls are numbered from 0 in the order they were made. JSON in
 * answers is written with ' for ".
 */
#ifndef HOTLINE_TESTS_SCRIPTED_STORE_H
#define HOTLINE_TESTS_SCRIPTED_STORE_H

#include "hotline/store.h"

#define SCRIPTED_CALLS_MAX 64

struct scripted_store;

struct scripted_call {
	struct scripted_store *store;
	char function[32];
	json_t *json; /* what was submitted */
	int flags;
	int64_t deadline_us;
	hl_pg_done *done;
	void *arg;
	struct hl_post post;
	struct hl_pg_result result;
	char *text; /* of the result */
	bool is_answered;
};

struct scripted_store {
	struct hl_loop *loop;
	bool is_away;          /* is_ready says no */
	bool is_out_of_memory; /* submit says HL_NOMEM and keeps nothing */
	struct scripted_call calls[SCRIPTED_CALLS_MAX];
	unsigned n_calls;
};

void scripted_init(struct scripted_store *store, struct hl_loop *loop);
/* Calls still open are dropped without an answer, as by a store that was freed. */
void scripted_fini(struct scripted_store *store);
struct hl_store scripted_seam(struct scripted_store *store);

/* The i-th call, which must be of this function. */
const struct scripted_call *scripted_call(const struct scripted_store *store, unsigned i, const char *function);
/* Calls made and not answered. */
unsigned scripted_open(const struct scripted_store *store);
/* Answers the i-th call and runs the turn in which done runs. */
void scripted_ok(struct scripted_store *store, unsigned i, const char *json);
void scripted_fail(struct scripted_store *store, unsigned i, enum hl_class cls, const char *sqlstate);

#endif
