/* admin.c - the operator's hand: POST /admin/VERB on the local socket
 *
 * The actor is the OS user at the other end (SO_PEERCRED), mapped to a role in
 * [operators]; who may do what is the table below. Every verb is one call of the store.
 */
#include "gateway.h"

#include "hotline/log.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>

enum role { ROLE_NONE, ROLE_OPERATOR, ROLE_SUPERVISOR, ROLE_ADMIN };

static const struct verb {
	const char *name, *function;
	enum role role;
	bool is_act; /* goes through hl.act as the operator's decision */
} verbs[] = {
	{"case", "show_case", ROLE_OPERATOR, false},
	{"phone", "show_phone", ROLE_OPERATOR, false},
	{"message", "show_message", ROLE_OPERATOR, false},
	{"since", "show_since", ROLE_OPERATOR, false},
	{"idle", "outbox_idle", ROLE_OPERATOR, false},
	{"review", "review_queue", ROLE_OPERATOR, false},
	{"accept", "act", ROLE_OPERATOR, true},
	{"verify", "verify", ROLE_SUPERVISOR, false},
	{"rollup", "rollup", ROLE_SUPERVISOR, false},
	{"tick", "tick_step", ROLE_ADMIN, false},
	{"import", "import", ROLE_ADMIN, false},
	{"contacts", "import_contacts", ROLE_ADMIN, false},
};

struct call {
	struct gateway *gateway;
	struct hl_http_exchange *x;
	const struct verb *verb;
	char actor[64];
};

static enum role role_of(const struct hl_config *config, const char *user)
{
	static const char *const names[] = {"", "operator", "supervisor", "admin"};

	for (size_t i = 0; i < config->n_operators; i++)
		if (strcmp(config->operators[i].os_user, user) == 0)
			for (size_t r = ROLE_OPERATOR; r <= ROLE_ADMIN; r++)
				if (strcmp(config->operators[i].role, names[r]) == 0)
					return (enum role)r;
	return ROLE_NONE;
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

static void on_done(void *arg, const struct hl_pg_result *r)
{
	struct call *c = arg;
	struct gateway *g = c->gateway;
	json_t *reply = NULL;

	g->n_admin_calls--;
	hl_log(HL_INFO, "admin", HL_STR("verb", c->verb->name), HL_STR("actor", c->actor),
	       HL_STR("class", hl_class_name(r->cls)));
	if (r->cls == HL_OK) {
		hl_http_reply(c->x, 200, "application/json", r->json);
		reply = json_loadb(r->json.ptr, r->json.len, 0, NULL);
		if (json_is_integer(json_object_get(reply, "now")))
			hl_case_clock_learn(&g->clock, json_integer_value(json_object_get(reply, "now")));
		json_decref(reply);
		hl_ticker_pulse(g->ticker);
		hl_outbox_kick(g->outbox);
	} else {
		hl_http_reply_reason(c->x, r->cls == HL_RETRY || r->cls == HL_UNKNOWN ? 503 : 409, r->text);
	}
	free(c);
}

/* An operator's decision as an act: whose, on which case, why. */
static json_t *operator_act(const struct verb *verb, const char *actor, json_t *body)
{
	json_t *act = json_pack("[{s:i, s:s, s:s, s:s, s:O}]", "i", 0, "actor", "operator", "operator", actor, "verb",
				verb->name, "case_code", json_object_get(body, "case"));

	if (act && json_is_string(json_object_get(body, "why")))
		json_object_set(json_array_get(act, 0), "why", json_object_get(body, "why"));
	return act;
}

static void run(struct gateway *g, struct hl_http_exchange *x, const struct verb *verb, const char *actor, json_t *body)
{
	struct call *c = calloc(1, sizeof(*c));
	json_t *args = verb->is_act ? operator_act(verb, actor, body) : json_incref(body);

	if (!c || !args) {
		json_decref(args);
		free(c);
		hl_http_reply_reason(x, 400, verb->is_act ? "case: must be a case number" : "out of memory");
		return;
	}
	*c = (struct call){.gateway = g, .x = x, .verb = verb};
	snprintf(c->actor, sizeof(c->actor), "%s", actor);
	if (!verb->is_act)
		json_object_set_new(args, "by", json_string(actor));
	g->n_admin_calls++;
	if (hl_store_submit_json(&g->work_store, verb->function, args, 0, g->config->db_deadline_ms * HL_US_PER_MS * 4,
				 on_done, c) != HL_OK) {
		g->n_admin_calls--;
		free(c);
		hl_http_reply_reason(x, 503, "out of memory");
	}
}

void admin_handle(void *ctx, struct hl_http_exchange *x)
{
	struct gateway *g = ctx;
	struct hl_http_request *req = hl_http_exchange_request(x);
	const struct verb *verb = NULL;
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
	if (!name_of(req->peer_uid, actor, sizeof(actor)) || role_of(g->config, actor) < verb->role) {
		hl_http_reply_reason(x, 403, "your user has no role in [operators] that may do this");
		return;
	}
	body = json_loadb(req->body.ptr ? req->body.ptr : "", req->body.len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(body))
		hl_http_reply_reason(x, 400, "body: must be a JSON object");
	else
		run(g, x, verb, actor, body);
	json_decref(body);
}
