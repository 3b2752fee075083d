/* opinion.c - asks for second opinions and tells the database what came of it (contract in hotline/opinion.h)
 *
 * Owns the questions on their way, a few at once, on an HTTP client of its own: a slow endpoint holds no send back.
 * Look (hl.opinions_wanted marks a case as asked), ask, tell (hl.opinion_given). An answer that may dispatch goes the
 * way of an operator's move: hl.find_case, hl_operate, hl.act, with the machine as actor. Must not know: what is asked
 * and how an answer is read (opinion_words.c).
 */
#include "hotline/opinion.h"

#include "hotline/http_client.h"
#include "hotline/log.h"
#include "hotline/operate.h"
#include "hotline/opinion_words.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define AT_ONCE         4
#define ARENA_BYTES     (1u << 20)
#define REPLY_MAX_BYTES (64u << 10)
#define KEY_MAX         ((size_t)1000)

struct question {
	TAILQ_ENTRY(question) link;
	struct hl_opinions *opinions;
	struct hl_http_op *op;
	json_t *row; /* {case_id, case, text} */
};

struct hl_opinions {
	struct hl_opinion_setup setup;
	struct hl_http_client *client;
	TAILQ_HEAD(, question) questions;
	unsigned n_questions, n_calls;
	bool is_looking, is_stopped;
};

static bool call_store(struct hl_opinions *os, const char *function, json_t *args, int flags, hl_pg_done *done,
		       void *arg)
{
	if (hl_store_submit_json(&os->setup.store, function, args, flags,
				 os->setup.config->db_deadline_ms * HL_US_PER_MS, done, arg) != HL_OK)
		return false;
	os->n_calls++;
	return true;
}

static json_t *answer_of(const struct hl_pg_result *r)
{
	return r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL;
}

/* ---- dispatch by agreement ----------------------------------------------------- */

static void on_acted(void *arg, const struct hl_pg_result *r)
{
	struct hl_opinions *os = arg;

	os->n_calls--;
	hl_log(HL_INFO, "opinion.acted", HL_STR("class", hl_class_name(r->cls)));
	os->setup.on_committed(os->setup.arg);
}

/* The act of an operator's assign, with the machine as its actor. NULL: it cannot be decided, the operator does. */
static json_t *decide(struct hl_opinions *os, const json_t *found)
{
	struct hl_error err = {.text = ""};
	struct hl_operation op = {.verb = "assign",
				  .role = HL_ROLE_OPERATOR,
				  .operator= "opinion",
				  .found = found,
				  .args = json_object(),
				  .now_us = json_integer_value(json_object_get(found, "now"))};
	struct hl_arena arena;
	json_t *act = NULL;

	hl_arena_init(&arena, ARENA_BYTES);
	if (hl_operate(*os->setup.refdata, &op, &arena, &act, &err) == HL_OK) {
		json_object_set_new(act, "actor", json_string("system"));
		json_object_del(act, "operator");
		json_object_set_new(act, "i", json_integer(0));
	} else {
		hl_log(HL_INFO, "opinion.not_dispatched", HL_STR("why", err.text));
	}
	hl_arena_fini(&arena);
	json_decref((json_t *)(uintptr_t)op.args);
	return act;
}

static void on_found(void *arg, const struct hl_pg_result *r)
{
	struct hl_opinions *os = arg;
	json_t *found = answer_of(r), *act;

	os->n_calls--;
	act = found && *os->setup.refdata ? decide(os, found) : NULL;
	if (act)
		call_store(os, "act", json_pack("[o]", act), 0, on_acted, os);
	json_decref(found);
}

/* ---- tell ----------------------------------------------------------------------- */

static void on_told(void *arg, const struct hl_pg_result *r)
{
	struct hl_opinions *os = arg;
	json_t *reply = answer_of(r);

	os->n_calls--;
	if (!reply)
		hl_log(HL_WARN, "opinion.not_told", HL_STR("class", hl_class_name(r->cls)), HL_STR("why", r->text));
	else if (json_is_true(json_object_get(reply, "accepted")))
		call_store(os, "find_case", json_pack("{s:O}", "case", json_object_get(reply, "case")),
			   HL_PG_IDEMPOTENT, on_found, os);
	json_decref(reply);
}

static void tell(const struct question *q, const struct hl_opinion *opinion, const char *trouble)
{
	struct hl_opinions *os = q->opinions;
	json_t *args = json_pack("{s:O, s:b}", "case_id", json_object_get(q->row, "case_id"), "may_accept",
				 os->setup.config->opinion_accepts);

	if (opinion) {
		json_object_set_new(args, "type", json_string(opinion->type));
		json_object_set_new(args, "urgency", json_string(hl_urgency_name(opinion->urgency)));
		json_object_set_new(args, "reason", json_string(opinion->reason));
	} else {
		json_object_set_new(args, "trouble", json_string(trouble));
	}
	call_store(os, "opinion_given", args, 0, on_told, os);
}

/* ---- ask ------------------------------------------------------------------------ */

static void free_question(struct question *q)
{
	TAILQ_REMOVE(&q->opinions->questions, q, link);
	q->opinions->n_questions--;
	json_decref(q->row);
	free(q);
}

static void take_answer(struct question *q, const struct hl_http_result *r)
{
	struct hl_opinion opinion;
	struct hl_error err = {.text = ""};
	struct hl_arena arena;
	bool is_fine = false;

	hl_arena_init(&arena, ARENA_BYTES);
	if (r->cls != HL_OK)
		hl_fail(&err, r->cls, "%s", r->text);
	else if (r->status != 200)
		hl_fail(&err, HL_INPUT, "status %d", r->status);
	else if (*q->opinions->setup.refdata)
		is_fine = hl_opinion_read(*q->opinions->setup.refdata, r->body, &arena, &opinion, &err) == HL_OK;
	hl_log(is_fine ? HL_INFO : HL_WARN, "opinion",
	       HL_STR("case", json_string_value(json_object_get(q->row, "case"))),
	       HL_STR("outcome", is_fine ? opinion.type : err.text));
	tell(q, is_fine ? &opinion : NULL, err.text);
	hl_arena_fini(&arena);
}

static void on_answer(void *arg, const struct hl_http_result *r)
{
	struct question *q = arg;

	take_answer(q, r);
	free_question(q);
}

static bool submit(struct question *q, const char *body)
{
	const struct hl_config *c = q->opinions->setup.config;
	char bearer[KEY_MAX + sizeof("Bearer ")];
	struct hl_http_header headers[] = {{HL_LIT("Content-Type"), HL_LIT("application/json")},
					   {HL_LIT("Authorization"), {bearer, 0}}};
	struct hl_http_call call = {.url = c->opinion_endpoint,
				    .headers = headers,
				    .n_headers = c->opinion_key.len > 0 ? 2 : 1,
				    .body = hl_slice_str(body),
				    .deadline_us = c->opinion_timeout_ms * HL_US_PER_MS,
				    .max_reply_bytes = REPLY_MAX_BYTES};

	if (call.n_headers == 2)
		headers[1].value.len =
			(size_t)snprintf(bearer, sizeof(bearer), "Bearer %.*s",
					 (int)(c->opinion_key.len < KEY_MAX ? c->opinion_key.len : KEY_MAX),
					 c->opinion_key.ptr);
	return hl_http_submit(q->opinions->client, &call, on_answer, q, &q->op) == HL_OK;
}

static void ask(struct hl_opinions *os, json_t *row)
{
	const json_t *text = json_object_get(row, "text");
	struct question *q = calloc(1, sizeof(*q));
	struct hl_arena arena;
	json_t *request;
	char *body;

	if (!q)
		return;
	*q = (struct question){.opinions = os, .row = json_incref(row)};
	TAILQ_INSERT_TAIL(&os->questions, q, link);
	os->n_questions++;
	hl_arena_init(&arena, ARENA_BYTES);
	request = hl_opinion_request(*os->setup.refdata, os->setup.config->opinion_model,
				     (struct hl_slice){json_string_value(text), json_string_length(text)}, &arena);
	body = request ? json_dumps(request, JSON_COMPACT) : NULL;
	if (!body || !submit(q, body))
		free_question(q); /* asked again when its time is over */
	free(body);
	json_decref(request);
	hl_arena_fini(&arena);
}

/* ---- look ----------------------------------------------------------------------- */

static void on_wanted(void *arg, const struct hl_pg_result *r)
{
	struct hl_opinions *os = arg;
	json_t *reply = answer_of(r), *row;
	size_t i;

	os->n_calls--;
	os->is_looking = false;
	json_array_foreach (json_object_get(reply, "cases"), i, row)
		if (*os->setup.refdata && !os->is_stopped)
			ask(os, row);
	json_decref(reply);
}

void hl_opinions_pulse(struct hl_opinions *os)
{
	const struct hl_config *c = os->setup.config;

	if (!c->opinion_endpoint[0] || os->is_stopped || os->is_looking || os->n_questions >= AT_ONCE ||
	    !*os->setup.refdata || !os->setup.store.is_ready(os->setup.store.ctx))
		return;
	os->is_looking =
		call_store(os, "opinions_wanted",
			   json_pack("{s:i, s:I, s:s}", "limit", (int)(AT_ONCE - os->n_questions), "again_us",
				     (json_int_t)(4 * c->opinion_timeout_ms * HL_US_PER_MS), "model", c->opinion_model),
			   0, on_wanted, os);
}

/* ---- life ----------------------------------------------------------------------- */

struct hl_opinions *hl_opinions_new(const struct hl_opinion_setup *setup)
{
	struct hl_opinions *os = calloc(1, sizeof(*os));

	if (!os)
		return NULL;
	os->setup = *setup;
	TAILQ_INIT(&os->questions);
	os->client = hl_http_client_new(setup->loop, AT_ONCE);
	if (!os->client)
		hl_opinions_free(&os);
	return os;
}

void hl_opinions_stop(struct hl_opinions *os)
{
	os->is_stopped = true;
}

unsigned hl_opinions_outstanding(const struct hl_opinions *os)
{
	return os->n_calls + os->n_questions;
}

void hl_opinions_free(struct hl_opinions **osp)
{
	struct hl_opinions *os = *osp;
	struct question *q;

	if (!os)
		return;
	*osp = NULL;
	hl_http_client_free(&os->client);
	while ((q = TAILQ_FIRST(&os->questions)))
		free_question(q);
	free(os);
}
