/* admin.c - the operator's hand: POST /admin/VERB on the local socket
 *
 * The actor is the OS user at the other end (SO_PEERCRED), mapped to a role in
 * [operators]; who may do what is the table below. A look is one call of the store. A move
 * on a case is two, with the decision between them: find_case, hl_operate, act. The act
 * carries the version of the case it was decided on; when the case has moved meanwhile it
 * is decided again, a few times, so that of two operators the second is told why not.
 */
#include "gateway.h"

#include "hotline/log.h"
#include "hotline/operate.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX     3
#define ARENA_BYTES    (1u << 20)
#define LONG_DEADLINES 11 /* of [db] deadline_ms: within the minute that hotlinectl waits */

static const struct verb {
	const char *name, *function; /* function NULL: a move on a case; "": known to this daemon alone */
	enum hl_role role;
	bool is_long; /* reads much: on the connection for records, out of the way of dispatches */
	void (*answer)(struct gateway *g, struct hl_http_exchange *x, struct hl_slice json); /* NULL: as the store answers */
} verbs[] = {
	{"case", "show_case", HL_ROLE_OPERATOR},
	{"explain", "explain", HL_ROLE_OPERATOR},
	{"training", "training_cases", HL_ROLE_ADMIN, true},
	{"phone", "show_phone", HL_ROLE_OPERATOR},
	{"message", "show_message", HL_ROLE_OPERATOR},
	{"since", "show_since", HL_ROLE_OPERATOR},
	{"idle", "outbox_idle", HL_ROLE_OPERATOR},
	{"review", "review_queue", HL_ROLE_OPERATOR},
	{"signs", "show_contacts", HL_ROLE_OPERATOR},
	{"notices", "show_notices", HL_ROLE_OPERATOR},
	{"quarantine", "show_quarantine", HL_ROLE_OPERATOR},
	{"quarantine_done", "end_quarantine", HL_ROLE_OPERATOR},
	{"channels", "", HL_ROLE_OPERATOR},
	{"calls", "show_calls", HL_ROLE_OPERATOR},
	{"callbacks", "show_callbacks", HL_ROLE_OPERATOR},
	{"callback_done", "callback_done", HL_ROLE_OPERATOR},
	{"notice", "show_notice", HL_ROLE_OPERATOR},
	{"channel_test", "channel_test", HL_ROLE_SUPERVISOR},
	{"agenda", "agenda_list", HL_ROLE_OPERATOR},
	{"assign", NULL, HL_ROLE_OPERATOR},
	{"place", NULL, HL_ROLE_OPERATOR},
	{"accept", NULL, HL_ROLE_OPERATOR},
	{"redo", NULL, HL_ROLE_OPERATOR},
	{"grant", NULL, HL_ROLE_OPERATOR},
	{"refuse", NULL, HL_ROLE_OPERATOR},
	{"merge", NULL, HL_ROLE_OPERATOR},
	{"wait", NULL, HL_ROLE_OPERATOR},
	{"resume", NULL, HL_ROLE_OPERATOR},
	{"reopen", NULL, HL_ROLE_OPERATOR},
	{"withdraw", NULL, HL_ROLE_OPERATOR},
	{"task_add", NULL, HL_ROLE_OPERATOR},
	{"rollcall", NULL, HL_ROLE_OPERATOR},
	{"stage", NULL, HL_ROLE_OPERATOR},
	{"agenda_settle", NULL, HL_ROLE_SUPERVISOR},
	{"verify", "verify", HL_ROLE_SUPERVISOR, true},
	{"ledger_open", "ledger_open", HL_ROLE_OPERATOR, true},
	{"ledger_open_named", "ledger_open_named", HL_ROLE_SUPERVISOR, true},
	{"ledger", "ledger", HL_ROLE_OPERATOR, true},
	{"form", "form", HL_ROLE_OPERATOR, true},
	{"form_named", "form_named", HL_ROLE_SUPERVISOR, true},
	{"photos", "show_photos", HL_ROLE_OPERATOR},
	{"ask_photo", "ask_photos", HL_ROLE_OPERATOR},
	{"verify_number", "verify_number", HL_ROLE_OPERATOR},
	{"media_file", "media_file", HL_ROLE_OPERATOR, .answer = media_file_answer},
	{"rollup", "rollup", HL_ROLE_SUPERVISOR},
	{"tick", "tick_step", HL_ROLE_ADMIN},
	{"import", "import", HL_ROLE_ADMIN},
	{"contacts", "import_contacts", HL_ROLE_ADMIN},
};

struct call {
	struct gateway *gateway;
	struct hl_http_exchange *x;
	const struct verb *verb;
	enum hl_role role;
	json_t *args;
	unsigned n_rounds;
	char actor[64];
};

static enum hl_role role_of(const struct hl_config *config, const char *user)
{
	static const char *const names[] = {"", "operator", "supervisor", "admin"};

	for (size_t i = 0; i < config->n_operators; i++)
		if (strcmp(config->operators[i].os_user, user) == 0)
			for (size_t r = HL_ROLE_OPERATOR; r <= HL_ROLE_ADMIN; r++)
				if (strcmp(config->operators[i].role, names[r]) == 0)
					return (enum hl_role)r;
	return HL_ROLE_NONE;
}

static bool name_of(int64_t uid, char *out, size_t out_bytes)
{
	char scratch[4096];
	struct passwd pw, *found = NULL;

	if (uid < 0 || getpwuid_r((uid_t)uid, &pw, scratch, sizeof(scratch), &found) != 0 || !found)
		return false;
	snprintf(out, out_bytes, "%s", found->pw_name);
	return true;
}

static void end_call(struct call *c)
{
	json_decref(c->args);
	free(c);
}

/* The answer of the store, as it is. Something may be due now. */
static void answer(struct call *c, struct hl_slice json)
{
	struct gateway *g = c->gateway;
	json_t *reply = json_loadb(json.ptr, json.len, 0, NULL);

	if (c->verb->answer)
		c->verb->answer(g, c->x, json);
	else
		hl_http_reply(c->x, 200, "application/json", json);
	if (json_is_integer(json_object_get(reply, "now")))
		hl_case_clock_learn(&g->clock, json_integer_value(json_object_get(reply, "now")));
	json_decref(reply);
	hl_ticker_pulse(g->ticker);
	hl_outbox_kick(g->outbox);
	end_call(c);
}

static void refuse(struct call *c, int status, const char *why)
{
	hl_http_reply_reason(c->x, status, why);
	end_call(c);
}

/* A call came back: logged, and refused when it failed. Gives whether it can go on. */
static bool came_back(struct call *c, const struct hl_pg_result *r)
{
	c->gateway->n_admin_calls--;
	hl_log(HL_INFO, "admin", HL_STR("verb", c->verb->name), HL_STR("actor", c->actor),
	       HL_STR("class", hl_class_name(r->cls)));
	if (r->cls == HL_OK)
		return true;
	refuse(c, r->cls == HL_RETRY || r->cls == HL_UNKNOWN ? 503 : 409, r->text);
	return false;
}

/* takes args. */
static void submit(struct call *c, const char *function, json_t *args, int flags, hl_pg_done *done)
{
	struct gateway *g = c->gateway;
	bool is_long = c->verb->is_long;

	g->n_admin_calls++;
	if (hl_store_submit_json(is_long ? &g->records_store : &g->work_store, function, args, flags,
				 g->config->db_deadline_ms * HL_US_PER_MS * (is_long ? LONG_DEADLINES : 4), done,
				 c) == HL_OK)
		return;
	g->n_admin_calls--;
	refuse(c, 503, "out of memory");
}

static void on_done(void *arg, const struct hl_pg_result *r)
{
	struct call *c = arg;

	if (came_back(c, r))
		answer(c, r->json);
}

/* ---- moves on a case ------------------------------------------------------ */

static void find(struct call *c);

static bool is_stale(struct hl_slice json)
{
	json_t *reply = json_loadb(json.ptr, json.len, 0, NULL);
	const json_t *item = json_array_get(json_object_get(reply, "items"), 0);
	const char *result = json_string_value(json_object_get(item, "result"));
	bool is = !result || strcmp(result, "ok") != 0;

	json_decref(reply);
	return is;
}

static void on_acted(void *arg, const struct hl_pg_result *r)
{
	struct call *c = arg;

	if (!came_back(c, r))
		return;
	if (!is_stale(r->json))
		answer(c, r->json);
	else if (++c->n_rounds < ROUNDS_MAX)
		find(c);
	else
		refuse(c, 409, "the case changed meanwhile: look at it again");
}

static enum hl_class decide(const struct call *c, const json_t *found, json_t **act_r, struct hl_error *err)
{
	struct hl_operation op = {.verb = c->verb->name,
				  .role = c->role,
				  .operator= c->actor,
				  .args = c->args,
				  .found = found,
				  .now_us = json_integer_value(json_object_get(found, "now"))};
	struct hl_arena arena;
	enum hl_class cls;

	hl_arena_init(&arena, ARENA_BYTES);
	cls = hl_operate(c->gateway->refdata, &op, &arena, act_r, err);
	hl_arena_fini(&arena);
	return cls;
}

static void on_found(void *arg, const struct hl_pg_result *r)
{
	struct call *c = arg;
	struct hl_error err = {.text = ""};
	json_t *found, *act = NULL;
	enum hl_class cls;

	if (!came_back(c, r))
		return;
	if (!c->gateway->refdata) {
		refuse(c, 503, "there is no reference data yet");
		return;
	}
	found = json_loadb(r->json.ptr, r->json.len, 0, NULL);
	cls = found ? decide(c, found, &act, &err) : hl_fail(&err, HL_NOMEM, "out of memory");
	json_decref(found);
	if (cls != HL_OK) {
		hl_log(HL_INFO, "admin.refused", HL_STR("verb", c->verb->name), HL_STR("actor", c->actor));
		refuse(c, cls == HL_NOMEM ? 503 : 409, err.text);
		return;
	}
	json_object_set_new(act, "i", json_integer(0));
	submit(c, "act", json_pack("[o]", act), 0, on_acted);
}

static void find(struct call *c)
{
	json_t *args = json_pack("{s:O}", "case", json_object_get(c->args, "case"));

	if (args && json_is_string(json_object_get(c->args, "into")))
		json_object_set(args, "into", json_object_get(c->args, "into"));
	submit(c, "find_case", args, HL_PG_IDEMPOTENT, on_found);
}

/* ---- verbs ---------------------------------------------------------------- */

static void run(struct gateway *g, struct hl_http_exchange *x, const struct verb *verb, enum hl_role role,
		const char *actor, json_t *body)
{
	struct call *c;

	if (!verb->function && !json_is_string(json_object_get(body, "case"))) {
		hl_http_reply_reason(x, 400, "case: must be the number of a case, or the code of a task");
		return;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		hl_http_reply_reason(x, 503, "out of memory");
		return;
	}
	*c = (struct call){.gateway = g, .x = x, .verb = verb, .role = role, .args = json_incref(body)};
	snprintf(c->actor, sizeof(c->actor), "%s", actor);
	if (!verb->function) {
		find(c);
		return;
	}
	json_object_set_new(c->args, "by", json_string(actor));
	if (g->config->web_url && g->config->web_url[0])
		json_object_set_new(c->args, "web", json_string(g->config->web_url));
	submit(c, verb->function, json_incref(c->args), 0, on_done);
}

static void show_channels(struct gateway *g, struct hl_http_exchange *x)
{
	json_t *reply = json_pack("{s:o}", "channels", hl_outbox_channels(g->outbox));
	char *text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;

	if (text)
		hl_http_reply(x, 200, "application/json", hl_slice_str(text));
	else
		hl_http_reply_reason(x, 503, "out of memory");
	free(text);
	json_decref(reply);
}

void admin_handle(void *ctx, struct hl_http_exchange *x)
{
	struct gateway *g = ctx;
	struct hl_http_request *req = hl_http_exchange_request(x);
	const struct verb *verb = NULL;
	enum hl_role role = HL_ROLE_NONE;
	char actor[64];
	json_t *body;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (hl_slice_has_prefix(req->path, "/admin/") &&
		    hl_slice_eq_str((struct hl_slice){req->path.ptr + 7, req->path.len - 7}, verbs[i].name))
			verb = &verbs[i];
	if (!verb) {
		hl_http_reply_reason(x, 404, "no such command");
		return;
	}
	if (!hl_slice_eq_str(req->method, "POST")) {
		hl_http_reply_reason(x, 405, "method not allowed");
		return;
	}
	if (name_of(req->peer_uid, actor, sizeof(actor)))
		role = role_of(g->config, actor);
	if (role < verb->role) {
		hl_http_reply_reason(x, 403, "your user has no role in [operators] that may do this");
		return;
	}
	if (verb->function && !verb->function[0]) {
		show_channels(g, x);
		return;
	}
	body = json_loadb(req->body.ptr ? req->body.ptr : "", req->body.len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(body))
		hl_http_reply_reason(x, 400, "body: must be a JSON object");
	else
		run(g, x, verb, role, actor, body);
	json_decref(body);
}
