/* test_pg.c - the async law of the database connection while no server answers
 *
 * What needs a server (answers, pipelining, a link that breaks) is proven in tests/it. Here the
 * socket is missing, silent, or hangs up.
 */
#include "hotline/clock.h"
#include "hotline/pg.h"

#include <event2/listener.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define WATCHDOG_US (20 * HL_US_PER_S)
#define SOON_US     (60 * HL_US_PER_MS)
#define MAX_WAITING 3

struct world {
	struct hl_loop *loop;
	struct hl_timer watchdog;
	bool is_late;
	char dir[64], path[96], conninfo[128];
	struct evconnlistener *server;
	bool hangs_up;
	int accepted[16];
	unsigned n_accepted;
	struct hl_pg *pg;
};

struct caller {
	struct hl_pg *pg; /* set: call again from inside done */
	unsigned n_done;
	enum hl_class cls;
	char text[200], sqlstate[6];
	size_t json_len;
	int64_t at_us;
	struct hl_pg_op *op;
	bool op_was_null;
	struct caller *next;
};

#define UNTIL(w, condition)                                                                                            \
	do {                                                                                                           \
		while (!(condition)) {                                                                                 \
			assert_false((w)->is_late);                                                                    \
			hl_loop_turn((w)->loop, true);                                                                 \
		}                                                                                                      \
	} while (0)

static void on_watchdog(void *arg)
{
	struct world *w = arg;

	w->is_late = true;
}

static void on_accept(struct evconnlistener *server, evutil_socket_t fd, struct sockaddr *addr, int len, void *arg)
{
	struct world *w = arg;

	(void)server;
	(void)addr;
	(void)len;
	assert_true(w->n_accepted < 16);
	w->accepted[w->n_accepted] = w->hangs_up ? -1 : fd;
	w->n_accepted++;
	if (w->hangs_up)
		close(fd);
}

static void set_up(struct world *w)
{
	*w = (struct world){.loop = hl_loop_new(), .dir = "/tmp/hl-pg-XXXXXX"};
	assert_non_null(w->loop);
	assert_true(hl_timer_init(&w->watchdog, w->loop, on_watchdog, w));
	hl_timer_start(&w->watchdog, WATCHDOG_US);
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/.s.PGSQL.5432", w->dir);
	snprintf(w->conninfo, sizeof(w->conninfo), "host=%s port=5432 user=nobody dbname=nothing", w->dir);
}

/* A server at the socket that never says a word. */
static void listen_silently(struct world *w)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	assert_true(strlen(w->path) < sizeof(addr.sun_path));
	memcpy(addr.sun_path, w->path, strlen(w->path));
	w->server = evconnlistener_new_bind(hl_loop_base(w->loop), on_accept, w, LEV_OPT_CLOSE_ON_FREE, 16,
					    (struct sockaddr *)&addr, sizeof(addr));
	assert_non_null(w->server);
}

static void connect_it(struct world *w)
{
	w->pg = hl_pg_new(w->loop, w->conninfo, NULL, MAX_WAITING);
	assert_non_null(w->pg);
}

static void tear_down(struct world *w)
{
	hl_pg_free(&w->pg);
	assert_null(w->pg);
	if (w->server)
		evconnlistener_free(w->server);
	for (unsigned i = 0; i < w->n_accepted; i++)
		if (w->accepted[i] >= 0)
			close(w->accepted[i]);
	hl_timer_fini(&w->watchdog);
	hl_loop_turn(w->loop, false);
	hl_loop_free(&w->loop);
	unlink(w->path);
	rmdir(w->dir);
}

static void on_done(void *arg, const struct hl_pg_result *r)
{
	struct caller *c = arg;

	c->n_done++;
	c->cls = r->cls;
	c->at_us = hl_mono_us();
	c->op_was_null = c->op == NULL;
	c->json_len = r->json.len;
	snprintf(c->text, sizeof(c->text), "%s", r->text);
	memcpy(c->sqlstate, r->sqlstate, sizeof(c->sqlstate));
	if (c->pg) {
		assert_int_equal(hl_pg_call(c->pg, "hello", HL_LIT("{}"), 0, 0, on_done, c->next, &c->next->op), HL_OK);
		assert_int_equal(c->next->n_done, 0);
	}
}

static void call(struct world *w, struct caller *c, int64_t deadline_us, int flags)
{
	*c = (struct caller){0};
	assert_int_equal(hl_pg_call(w->pg, "hello", HL_LIT("{}"), flags, deadline_us, on_done, c, &c->op), HL_OK);
	assert_int_equal(c->n_done, 0);
	assert_non_null(c->op);
}

static void assert_not_sent(const struct caller *c)
{
	assert_int_equal(c->n_done, 1);
	assert_int_equal(c->cls, HL_RETRY);
	assert_true(c->op_was_null);
	assert_string_equal(c->sqlstate, "");
	assert_int_equal(c->json_len, 0);
	assert_true(c->text[0]);
}

static void without_a_server_a_call_ends_at_its_deadline(void **state)
{
	static const int flags[] = {0, HL_PG_IDEMPOTENT};
	struct world w;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct caller c;
		int64_t begun_us;

		set_up(&w);
		connect_it(&w);
		assert_false(hl_pg_is_ready(w.pg));
		assert_non_null(strstr(hl_pg_last_error(w.pg), w.path));
		begun_us = hl_mono_us();
		call(&w, &c, SOON_US, flags[i]);
		assert_int_equal(hl_pg_outstanding(w.pg), 1);
		UNTIL(&w, c.n_done > 0);
		assert_not_sent(&c);
		assert_true(c.at_us - begun_us >= SOON_US);
		assert_non_null(strstr(c.text, w.path));
		assert_int_equal(hl_pg_outstanding(w.pg), 0);
		tear_down(&w);
	}
}

static void calls_end_in_the_order_of_their_deadlines(void **state)
{
	struct world w;
	struct caller late, dead;

	(void)state;
	set_up(&w);
	connect_it(&w);
	call(&w, &late, 4 * SOON_US, 0);
	call(&w, &dead, 0, 0);
	UNTIL(&w, dead.n_done > 0);
	assert_not_sent(&dead);
	assert_int_equal(late.n_done, 0);
	UNTIL(&w, late.n_done > 0);
	assert_not_sent(&late);
	tear_down(&w);
}

static void a_full_queue_answers_at_the_next_fixed_point(void **state)
{
	struct world w;
	struct caller c[MAX_WAITING + 1];

	(void)state;
	set_up(&w);
	connect_it(&w);
	for (int i = 0; i <= MAX_WAITING; i++)
		call(&w, &c[i], WATCHDOG_US, 0);
	hl_loop_turn(w.loop, false);
	assert_not_sent(&c[MAX_WAITING]);
	assert_string_equal(c[MAX_WAITING].text, "too many calls are waiting for the database");
	for (int i = 0; i < MAX_WAITING; i++)
		assert_int_equal(c[i].n_done, 0);
	assert_int_equal(hl_pg_outstanding(w.pg), MAX_WAITING);
	tear_down(&w);
	for (int i = 0; i < MAX_WAITING; i++) {
		assert_int_equal(c[i].n_done, 0);
		assert_null(c[i].op);
	}
}

static void done_never_runs_after_cancel(void **state)
{
	struct world w;
	struct caller waiting, refused, others[MAX_WAITING];

	(void)state;
	set_up(&w);
	connect_it(&w);
	call(&w, &waiting, SOON_US, 0);
	hl_pg_cancel(&waiting.op);
	assert_null(waiting.op);
	hl_pg_cancel(&waiting.op);
	for (int i = 0; i < MAX_WAITING - 1; i++)
		call(&w, &others[i], 3 * SOON_US, 0);
	call(&w, &refused, SOON_US, 0);
	hl_pg_cancel(&refused.op);
	UNTIL(&w, others[0].n_done > 0);
	hl_loop_turn(w.loop, false);
	assert_int_equal(waiting.n_done, 0);
	assert_int_equal(refused.n_done, 0);
	tear_down(&w);
}

static void done_may_call_again(void **state)
{
	struct world w;
	struct caller first, second = {0};

	(void)state;
	set_up(&w);
	connect_it(&w);
	call(&w, &first, 0, 0);
	first.pg = w.pg;
	first.next = &second;
	UNTIL(&w, second.n_done > 0);
	assert_not_sent(&first);
	assert_not_sent(&second);
	tear_down(&w);
}

static void a_server_that_says_nothing_gets_nothing_to_lose(void **state)
{
	struct world w;
	struct caller c;

	(void)state;
	set_up(&w);
	listen_silently(&w);
	connect_it(&w);
	UNTIL(&w, w.n_accepted == 1);
	call(&w, &c, SOON_US, 0);
	UNTIL(&w, c.n_done > 0);
	assert_not_sent(&c);
	assert_false(hl_pg_is_ready(w.pg));
	tear_down(&w);
}

static void a_server_that_hangs_up_is_tried_again_and_again(void **state)
{
	struct world w;
	struct caller c;

	(void)state;
	set_up(&w);
	w.hangs_up = true;
	listen_silently(&w);
	connect_it(&w);
	call(&w, &c, WATCHDOG_US, 0);
	UNTIL(&w, w.n_accepted == 3);
	assert_int_equal(c.n_done, 0);
	assert_false(hl_pg_is_ready(w.pg));
	assert_true(hl_pg_last_error(w.pg)[0]);
	tear_down(&w);
}

static void a_server_that_appears_later_is_found(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	connect_it(&w);
	assert_int_equal(w.n_accepted, 0);
	listen_silently(&w);
	UNTIL(&w, w.n_accepted == 1);
	tear_down(&w);
}

static void nonsense_in_conninfo_is_an_error_and_no_crash(void **state)
{
	struct world w;
	struct caller c;

	(void)state;
	set_up(&w);
	snprintf(w.conninfo, sizeof(w.conninfo), "no such=thing");
	connect_it(&w);
	assert_false(hl_pg_is_ready(w.pg));
	assert_true(hl_pg_last_error(w.pg)[0]);
	call(&w, &c, 0, 0);
	UNTIL(&w, c.n_done > 0);
	assert_not_sent(&c);
	tear_down(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_server_a_call_ends_at_its_deadline),
		cmocka_unit_test(calls_end_in_the_order_of_their_deadlines),
		cmocka_unit_test(a_full_queue_answers_at_the_next_fixed_point),
		cmocka_unit_test(done_never_runs_after_cancel),
		cmocka_unit_test(done_may_call_again),
		cmocka_unit_test(a_server_that_says_nothing_gets_nothing_to_lose),
		cmocka_unit_test(a_server_that_hangs_up_is_tried_again_and_again),
		cmocka_unit_test(a_server_that_appears_later_is_found),
		cmocka_unit_test(nonsense_in_conninfo_is_an_error_and_no_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
