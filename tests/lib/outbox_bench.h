/* outbox_bench.h - an outbox between a scripted store and a provider that listens in the same loop */
#ifndef HOTLINE_TESTS_OUTBOX_BENCH_H
#define HOTLINE_TESTS_OUTBOX_BENCH_H

#include "http_world.h"
#include "refdata_fixture.h"
#include "scripted_store.h"

#include "hotline/outbox.h"

#define CONCURRENCY 3
#define NOTICE_OF(attempt, channel, template, params)                                                                  \
	"{'attempt': " #attempt                                                                                        \
	", 'notice': 7, 'phone': '+8610000000001', 'lang': 'zh-CN', 'template': '" template "', 'params': " params     \
											    ", 'channel': '" channel   \
											    "', 'resend': false, "     \
											    "'lane': 3}"
#define NOTICE(attempt) NOTICE_OF(attempt, "main", "thanks", "{}")
#define LEASED(notices) "{'now': 1, 'notices': [" notices "]}"
#define ANSWER(body)    "HTTP/1.1 200 OK\r\nContent-Length: " body

struct bench {
	struct world w;
	struct scripted_store store;
	struct hl_refdata *refdata;
	struct hl_channel_config channels[3];
	struct hl_config config;
	struct hl_case_clock clock;
	struct hl_outbox *outbox;
};

static struct hl_refdata *ref;

static inline int load(void **state)
{
	(void)state;
	ref = fixture_refdata();
	return 0;
}

static inline int unload(void **state)
{
	(void)state;
	hl_refdata_free(&ref);
	return 0;
}

/* ---- a provider of our own: the answer's body is the outcome --------------- */

static inline enum hl_class build(const struct hl_channel *ch, const struct hl_outbound *sms, int64_t now_us,
				  struct hl_arena *arena, struct hl_request *out, struct hl_error *err)
{
	(void)now_us;
	if (ch->username)
		return hl_fail(err, HL_CONFIG, "%s has no account", ch->username);
	*out = (struct hl_request){.url = ch->send_url};
	out->body = hl_slice_str(hl_arena_printf(arena, "%llu|%.*s|%.*s", (unsigned long long)sms->attempt,
						 HL_SLICE_ARG(sms->to), HL_SLICE_ARG(sms->text)));
	return HL_OK;
}

static inline void interpret(const struct hl_channel *ch, int status, struct hl_slice body,
			     const struct hl_http_header *headers, size_t n_headers, struct hl_arena *arena,
			     struct hl_answer *out)
{
	static const char *const words[] = {"accepted", "later", "refused", "config", "unknown"};

	(void)ch;
	(void)status;
	(void)headers;
	(void)n_headers;
	*out = (struct hl_answer){.outcome = HL_OUT_ACCEPTED, .detail = hl_arena_dup(arena, body)};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (hl_slice_eq_str(body, words[i]))
			out->outcome = (enum hl_outcome)i;
	if (out->outcome == HL_OUT_LATER)
		out->delay_us = 60 * HL_US_PER_S;
	if (out->outcome == HL_OUT_ACCEPTED)
		out->external_id = hl_arena_dup(arena, body);
}

static const struct hl_provider sender = {.name = "test", .build = build, .interpret = interpret};
static const struct hl_provider listener = {.name = "inbound only"};

/* ---- the bench -------------------------------------------------------------- */

static char all[] = "all", no_signature[] = "";

static inline void begin_bench(struct bench *b)
{
	*b = (struct bench){.refdata = ref};
	set_up(&b->w, CONCURRENCY);
	scripted_init(&b->store, b->w.f.loop);
	for (int i = 0; i < 3; i++)
		b->channels[i] = (struct hl_channel_config){
			.ops = &sender, .purpose = all, .signature = no_signature, .channel.send_url = b->w.url};
	b->channels[0].channel.name = "main";
	b->channels[1].channel.name = "inbound";
	b->channels[1].ops = &listener;
	b->channels[2].channel.name = "unfinished";
	b->channels[2].channel.username = "nobody";
	b->config = (struct hl_config){.channels = b->channels,
				       .n_channels = 3,
				       .db_deadline_ms = 3000,
				       .send_deadline_ms = 10000,
				       .send_concurrency = CONCURRENCY,
				       .lease_ms = 30000};
	b->outbox = hl_outbox_new(&(struct hl_outbox_setup){.loop = b->w.f.loop,
							    .store = scripted_seam(&b->store),
							    .client = b->w.client,
							    .refdata = &b->refdata,
							    .config = &b->config,
							    .clock = &b->clock});
	assert_non_null(b->outbox);
}

static inline void end_bench(struct bench *b)
{
	scripted_fini(&b->store);
	hl_http_client_free(&b->w.client);
	hl_outbox_free(&b->outbox);
	assert_null(b->outbox);
	tear_down(&b->w);
}

static inline void start_and_lease(struct bench *b, const char *notices)
{
	hl_outbox_start(b->outbox, 77);
	turn_idly(&b->w.f);
	assert_int_equal(b->store.n_calls, 1);
	scripted_call(&b->store, 0, "lease");
	scripted_ok(&b->store, 0, notices);
}

/* The n-th settle call, waited for; *i_r its number. */
static inline const json_t *wait_settle(struct bench *b, unsigned n, unsigned *i_r)
{
	unsigned seen, i;

	for (;;) {
		for (i = 0, seen = 0; i < b->store.n_calls; i++)
			if (strcmp(b->store.calls[i].function, "settle") == 0 && seen++ == n) {
				*i_r = i;
				return b->store.calls[i].json;
			}
		assert_false(b->w.f.is_late);
		hl_loop_turn(b->w.f.loop, true);
	}
}

static inline unsigned count_calls(const struct bench *b, const char *function)
{
	unsigned n = 0;

	for (unsigned i = 0; i < b->store.n_calls; i++)
		n += strcmp(b->store.calls[i].function, function) == 0;
	return n;
}

#endif
