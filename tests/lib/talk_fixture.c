/* talk_fixture.c - deciding on a text for tests (see talk_fixture.h) */
#include "talk_fixture.h"

#include "hotline/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static json_t *context(const char *text, const char *members)
{
	json_t *ctx = fixture_json("{'message': 5, 'person': 6, 'channel': 'main', 'lang': 'zh-CN', 'units': [],"
				   " 'wrong_count': 0, 'survey': null, 'survey_case': null, 'tasks': [], 'cases': [], 'dialogues': {}, 'is_opted_out': false, 'duties': [], 'photos': 0, 'unverified': false, 'pin': null}");
	struct hl_arena arena;
	json_t *own;

	hl_arena_init(&arena, 1 << 16);
	own = fixture_json(hl_arena_printf(&arena, "{%s}", members));
	assert_false(hl_arena_failed(&arena));
	hl_arena_fini(&arena);
	assert_int_equal(json_object_update_existing(ctx, own), 0);
	assert_int_equal(json_object_size(ctx), 16);
	json_decref(own);
	json_object_set_new(ctx, "text", json_string(text));
	return ctx;
}

static json_t *decide(const struct hl_refdata *ref, const char *text, const char *members, bool is_trusted,
		      int64_t now_us, size_t arena_bytes)
{
	json_t *ctx = context(text, members), *before = json_deep_copy(ctx), *act;
	struct hl_arena arena;

	hl_arena_init(&arena, arena_bytes);
	act = hl_decide(ref, ctx, is_trusted, &arena, now_us);
	hl_arena_fini(&arena);
	assert_true(json_equal(ctx, before));
	json_decref(before);
	json_decref(ctx);
	return act;
}

static const char *word(const json_t *act, const char *path)
{
	const char *s = json_string_value(fixture_at_path(act, path));

	return s ? s : "";
}

struct decided fixture_decide(const struct hl_refdata *ref, const char *text, const char *members, bool is_trusted,
			      int64_t now_us)
{
	struct decided d = {.act = decide(ref, text, members, is_trusted, now_us, 4 << 20)};

	assert_non_null(d.act);
	d.actor = word(d.act, "actor");
	d.verb = word(d.act, "verb");
	d.reply = word(d.act, "reply.template");
	assert_int_equal(json_integer_value(json_object_get(d.act, "message")), 5);
	assert_int_equal(json_integer_value(json_object_get(d.act, "person")), 6);
	return d;
}

json_t *fixture_decide_within(const struct hl_refdata *ref, const char *text, const char *members, size_t arena_bytes)
{
	return decide(ref, text, members, true, at("2026-09-22 10:00"), arena_bytes);
}
