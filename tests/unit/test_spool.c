/* test_spool.c - the file of checked lines, and the store that writes to it while the database is down */
#include "scripted_store.h"

#include "hotline/spool.h"
#include "intake/spool_file.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define AFTER_US (3 * HL_US_PER_S)

static char dir[] = "/tmp/hl-spool-XXXXXX";
static int64_t now_us;

static int64_t fake_now(void)
{
	return now_us;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int set_up(void **state)
{
	(void)state;
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	now_us = 1000 * HL_US_PER_S;
	hl_clock_fake(fake_now, fake_now);
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	hl_clock_fake(NULL, NULL);
	return nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- the file ------------------------------------------------------------- */

static struct hl_spool_file *open_file(uint64_t max_bytes)
{
	struct hl_error err = {.text = ""};
	struct hl_spool_file *f;

	assert_int_equal(hl_spool_file_open(dir, max_bytes, &f, &err), HL_OK);
	return f;
}

static void put(struct hl_spool_file *f, const char *json)
{
	struct hl_error err;

	assert_int_equal(hl_spool_file_add(f, "intake", json), HL_OK);
	assert_int_equal(hl_spool_file_sync(f, &err), HL_OK);
}

static void assert_next(struct hl_spool_file *f, const char *json)
{
	struct hl_spool_line line;

	if (!json) {
		assert_false(hl_spool_file_next(f, &line));
		return;
	}
	assert_true(hl_spool_file_next(f, &line));
	assert_string_equal(line.function, "intake");
	assert_true(hl_slice_eq_str(line.json, json));
}

static const char *in_dir(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static off_t size_of(const char *name)
{
	struct stat st;

	return stat(in_dir(name), &st) == 0 ? st.st_size : -1;
}

static void append_raw(const char *bytes)
{
	FILE *f = fopen(in_dir("spool"), "a");

	assert_non_null(f);
	fputs(bytes, f);
	fclose(f);
}

static void lines_come_back_in_order_and_after_a_restart(void **state)
{
	struct hl_spool_file *f = open_file(1 << 20);

	(void)state;
	put(f, "{\"n\":1}");
	put(f, "{\"n\":2}");
	assert_next(f, "{\"n\":1}");
	hl_spool_file_close(&f);
	f = open_file(1 << 20);
	assert_int_equal(hl_spool_file_waiting(f), 2);
	assert_next(f, "{\"n\":1}");
	assert_next(f, "{\"n\":2}");
	assert_next(f, NULL);
	put(f, "{\"n\":3}");
	assert_next(f, "{\"n\":3}");
	hl_spool_file_close(&f);
}

static void what_is_done_is_gone_and_the_rest_is_read_again(void **state)
{
	struct hl_spool_file *f = open_file(1 << 20);

	(void)state;
	put(f, "1");
	put(f, "2");
	assert_next(f, "1");
	hl_spool_file_done(f);
	assert_int_equal(hl_spool_file_waiting(f), 1);
	assert_next(f, "2");
	hl_spool_file_rewind(f);
	assert_next(f, "2");
	hl_spool_file_done(f);
	assert_int_equal(hl_spool_file_waiting(f), 0);
	assert_int_equal(size_of("spool"), 0);
	/* Emptied, it begins anew: nothing that was read ahead shows. */
	put(f, "3");
	assert_next(f, "3");
	assert_next(f, NULL);
	hl_spool_file_close(&f);
}

static void a_line_without_end_was_never_acknowledged(void **state)
{
	struct hl_spool_file *f = open_file(1 << 20);
	off_t whole;

	(void)state;
	put(f, "1");
	whole = size_of("spool");
	hl_spool_file_close(&f);
	append_raw("0123abcd intake {\"half");
	f = open_file(1 << 20);
	assert_int_equal(size_of("spool"), whole);
	put(f, "2");
	assert_next(f, "1");
	assert_next(f, "2");
	hl_spool_file_close(&f);
}

static void a_damaged_line_is_skipped_and_the_file_kept_for_people(void **state)
{
	struct hl_spool_file *f = open_file(1 << 20);
	off_t size;

	(void)state;
	put(f, "1");
	hl_spool_file_close(&f);
	append_raw("00000000 intake 2\n");
	append_raw("no sum at all\n");
	size = size_of("spool");
	f = open_file(1 << 20);
	put(f, "3");
	assert_next(f, "1");
	assert_next(f, "3");
	assert_int_equal(hl_spool_file_damaged(f), 2);
	hl_spool_file_done(f);
	assert_int_equal(size_of("spool"), 0);
	assert_true(size_of("damaged-1") > size);
	hl_spool_file_close(&f);
}

static void it_is_bounded_and_all_or_nothing(void **state)
{
	struct hl_spool_file *f = open_file(100);
	struct hl_error err;

	(void)state;
	put(f, "{\"a\":\"0123456789\"}");
	assert_int_equal(hl_spool_file_add(f, "intake", "1"), HL_OK);
	assert_int_equal(hl_spool_file_add(f, "intake", "\"0123456789012345678901234567890123456789\""), HL_LIMIT);
	hl_spool_file_forget(f);
	assert_int_equal(hl_spool_file_waiting(f), 1);
	assert_int_equal(hl_spool_file_add(f, "intake", "2"), HL_OK);
	assert_int_equal(hl_spool_file_sync(f, &err), HL_OK);
	assert_next(f, "{\"a\":\"0123456789\"}");
	assert_next(f, "2");
	assert_next(f, NULL);
	hl_spool_file_close(&f);
}

static void one_process_at_a_time_and_bad_folders_are_refused_by_name(void **state)
{
	struct hl_spool_file *f = open_file(100), *second = NULL;
	struct hl_error err = {.text = ""};

	(void)state;
	assert_int_equal(hl_spool_file_open(dir, 100, &second, &err), HL_CONFIG);
	assert_null(second);
	assert_non_null(strstr(err.text, "another process uses it"));
	hl_spool_file_close(&f);
	append_raw("");
	assert_int_equal(hl_spool_file_open(in_dir("spool"), 100, &second, &err), HL_CONFIG);
	assert_non_null(strstr(err.text, "Not a directory"));
}

/* ---- the store ------------------------------------------------------------ */

struct world {
	struct hl_loop *loop;
	struct scripted_store inner;
	struct hl_store database, store;
	struct hl_case_clock clock;
	struct hl_spool *spool;
	struct hl_intake *intake, *receipts;
	unsigned n_ok, n_failed;
	char json[256];
};

static void count(void *arg, const struct hl_pg_result *r)
{
	struct world *w = arg;

	w->n_ok += r->cls == HL_OK;
	w->n_failed += r->cls != HL_OK;
	snprintf(w->json, sizeof(w->json), "%.*s", HL_SLICE_ARG(r->json));
}

static void on_talk(void *arg, const json_t *contexts)
{
	(void)arg;
	(void)contexts;
}

static void on_committed(void *arg)
{
	(void)arg;
}

static struct world *world_new(uint64_t max_bytes)
{
	struct world *w = calloc(1, sizeof(*w));
	struct hl_spool_options options = {.dir = dir, .max_bytes = max_bytes, .after_us = AFTER_US};
	struct hl_intake_options intake = {
		.function = "intake", .batch_max = 10, .waiting_max = 1000, .deadline_us = 5 * HL_US_PER_S};
	struct hl_intake_options receipts = intake;
	struct hl_intake_hooks hooks = {.arg = w, .on_talk = on_talk, .on_committed = on_committed};
	struct hl_error err = {.text = ""};

	assert_non_null(w);
	receipts.function = "receipts";
	w->loop = hl_loop_new();
	scripted_init(&w->inner, w->loop);
	w->database = scripted_seam(&w->inner);
	hl_case_clock_learn(&w->clock, now_us);
	assert_int_equal(hl_spool_new(w->loop, &w->database, &options, &w->clock, &w->spool, &err), HL_OK);
	w->store = hl_spool_store(w->spool);
	w->intake = hl_intake_new(w->loop, &w->database, &intake, &hooks, &w->clock);
	w->receipts = hl_intake_new(w->loop, &w->database, &receipts, &hooks, &w->clock);
	hl_spool_start(w->spool, w->intake, w->receipts);
	return w;
}

static void world_free(struct world *w)
{
	hl_spool_stop(w->spool);
	scripted_fini(&w->inner);
	hl_intake_free(&w->intake);
	hl_intake_free(&w->receipts);
	hl_spool_free(&w->spool);
	hl_loop_free(&w->loop);
	free(w);
}

static enum hl_class say(struct world *w, const char *function, const char *json)
{
	return w->store.submit(w->store.ctx, function, hl_slice_str(json), 0, HL_US_PER_S, count, w);
}

/* The database goes away, and stays so for longer than a hiccup. */
static void go_down(struct world *w)
{
	w->inner.is_away = true;
	assert_false(w->store.is_ready(w->store.ctx));
	now_us += AFTER_US;
	assert_true(w->store.is_ready(w->store.ctx));
}

/* Until the look at the database sees that it is back and the lines are told. */
static void wait_for_calls(struct world *w, unsigned n)
{
	for (int i = 0; i < 200 && w->inner.n_calls < n; i++)
		hl_loop_turn(w->loop, true);
	assert_int_equal(w->inner.n_calls, n);
}

static void while_the_database_works_or_has_a_hiccup_calls_go_through(void **state)
{
	struct world *w = world_new(1 << 20);

	(void)state;
	assert_int_equal(say(w, "intake", "[{\"n\":1}]"), HL_OK);
	w->inner.is_away = true;
	now_us += AFTER_US - 1;
	assert_int_equal(say(w, "intake", "[{\"n\":2}]"), HL_OK);
	assert_int_equal(w->inner.n_calls, 2);
	assert_int_equal(hl_spool_stats(w->spool).taken, 0);
	world_free(w);
}

static void down_items_are_taken_and_told_again_in_order_when_it_is_back(void **state)
{
	struct world *w = world_new(1 << 20);

	(void)state;
	go_down(w);
	assert_int_equal(say(w, "intake", "[{\"channel\":\"c\",\"ext\":\"1\"},{\"channel\":\"c\",\"ext\":\"2\"}]"),
			 HL_OK);
	assert_int_equal(w->n_ok, 0); /* never inside submit */
	hl_loop_turn(w->loop, false);
	assert_int_equal(w->n_ok, 1);
	assert_non_null(strstr(w->json, "\"i\":2"));
	assert_int_equal(say(w, "receipts", "[{\"channel\":\"c\",\"ext\":\"r\"}]"), HL_OK);
	assert_int_equal(w->inner.n_calls, 0);
	assert_int_equal(hl_spool_stats(w->spool).waiting, 3);

	w->inner.is_away = false;
	/* What comes while lines wait goes behind them. */
	assert_int_equal(say(w, "intake", "[{\"channel\":\"c\",\"ext\":\"3\"}]"), HL_OK);
	wait_for_calls(w, 2);
	assert_int_equal(json_array_size(scripted_call(&w->inner, 0, "intake")->json), 3);
	assert_string_equal(json_string_value(json_object_get(json_array_get(w->inner.calls[0].json, 2), "ext")), "3");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(w->inner.calls[0].json, 0), "received_us")),
			 now_us);
	scripted_ok(&w->inner, 0, "{'now':1,'items':[{'message':1},{'message':2},{'message':3}],'talk':[]}");
	assert_int_equal(hl_spool_stats(w->spool).waiting, 4);
	scripted_ok(&w->inner, 1, "{'now':1,'items':[{}]}");
	assert_int_equal(hl_spool_stats(w->spool).waiting, 0);
	assert_int_equal(hl_spool_stats(w->spool).told, 4);
	assert_int_equal(say(w, "intake", "[{\"ext\":\"4\"}]"), HL_OK);
	assert_int_equal(w->inner.n_calls, 3);
	world_free(w);
}

static void a_chunk_that_fails_is_told_again_from_its_beginning(void **state)
{
	struct world *w = world_new(1 << 20);

	(void)state;
	go_down(w);
	assert_int_equal(say(w, "intake", "[{\"channel\":\"c\",\"ext\":\"1\"}]"), HL_OK);
	w->inner.is_away = false;
	wait_for_calls(w, 1);
	scripted_fail(&w->inner, 0, HL_RETRY, "");
	assert_int_equal(hl_spool_stats(w->spool).waiting, 1);
	wait_for_calls(w, 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(w->inner.calls[1].json, 0), "ext")), "1");
	world_free(w);
}

static void a_full_spool_takes_nothing_and_says_so(void **state)
{
	struct world *w = world_new(150);

	(void)state;
	go_down(w);
	assert_int_equal(say(w, "intake", "[{\"ext\":\"1\"}]"), HL_OK);
	assert_int_equal(say(w, "intake", "[{\"ext\":\"2\"},{\"ext\":\"0123456789012345678901234567890123456789\"}]"),
			 HL_LIMIT);
	assert_int_equal(hl_spool_stats(w->spool).waiting, 1);
	assert_int_equal(hl_spool_stats(w->spool).refused, 2);
	world_free(w);
}

static void other_calls_are_the_databases_business(void **state)
{
	struct world *w = world_new(1 << 20);

	(void)state;
	go_down(w);
	assert_int_equal(say(w, "lease", "{}"), HL_OK);
	scripted_call(&w->inner, 0, "lease");
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(lines_come_back_in_order_and_after_a_restart),
		TEST(what_is_done_is_gone_and_the_rest_is_read_again),
		TEST(a_line_without_end_was_never_acknowledged),
		TEST(a_damaged_line_is_skipped_and_the_file_kept_for_people),
		TEST(it_is_bounded_and_all_or_nothing),
		TEST(one_process_at_a_time_and_bad_folders_are_refused_by_name),
		TEST(while_the_database_works_or_has_a_hiccup_calls_go_through),
		TEST(down_items_are_taken_and_told_again_in_order_when_it_is_back),
		TEST(a_chunk_that_fails_is_told_again_from_its_beginning),
		TEST(a_full_spool_takes_nothing_and_says_so),
		TEST(other_calls_are_the_databases_business),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
