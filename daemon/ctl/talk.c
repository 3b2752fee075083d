/* talk.c - hotlinectl talk: replays who said what when, and compares what comes back with what is expected
 *
 * Everything happens in one transaction that is rolled back: the same functions and the same decisions as in the
 * daemon, against any database (a demo one where the clock jumps), and nothing of it stays. Reference data come from
 * files, so that a change of texts or words is tried before it is imported.
 *
 * A transcript is lines:
 *   > WHO: text            says it; {case} {case-} {code} {code-} stand for the latest case and the one before, and for
 *                          the latest code of the speaker and the one before
 *   > WHO +photo: text     says it with a photo, which is on its way then
 *   & WHO: text            says it at the same moment as the line before
 *   photo WHO              that phone's photos arrive;  upload WHO: it hands one in by its latest link
 *   < WHO: template | part that phone got this text next, with that part in it; "-": it got nothing (more)
 *   +90m, 18:00, 2026-...  the clock jumps
 *   ! VERB CASE why        an operator's move
 *   gone WHO               that contact is struck off the list
 *   = CASE state           the case is in that state;  = WHO state: the latest task of that phone;  = cases N
 * WHO is resident N, UNIT, UNIT.role or a number. Whatever reaches a speaker must be named.
 */
#include "talk_replay.h"

#include "hotline/decide.h"
#include "hotline/item.h"
#include "hotline/operate.h"
#include "hotline/outbox.h"

#include <libpq-fe.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX  3
#define ARENA_BYTES (16u << 20)
#define CHANNEL     "replay"
#define PAGES       "https://x.cn"

/* ---- database ------------------------------------------------------------- */

/* The first field of a query with up to two parameters, in the arena; NULL after an error was said. */
const char *replay_ask(struct replay *r, const char *sql, const char *one, const char *two)
{
	const char *const values[] = {one, two};
	PGresult *res = PQexecParams(r->conn, sql, two ? 2 : one ? 1 : 0, NULL, values, NULL, NULL, 0);
	const char *answer = NULL;

	if (PQresultStatus(res) == PGRES_TUPLES_OK)
		answer = PQntuples(res) > 0 ? hl_arena_strdup(&r->arena, hl_slice_str(PQgetvalue(res, 0, 0))) : "";
	else if (PQresultStatus(res) == PGRES_COMMAND_OK)
		answer = "";
	else
		ctl_fail(r->ctl, "%s:%u: %s", r->path, r->line, PQresultErrorMessage(res));
	PQclear(res);
	return answer;
}

/* A flow function. takes args. */
json_t *replay_call(struct replay *r, const char *function, json_t *args)
{
	char *text = json_dumps(args, JSON_COMPACT);
	const char *answer = replay_ask(r, hl_arena_printf(&r->arena, "select hl.%s($1::jsonb)::text", function), text, NULL);

	free(text);
	json_decref(args);
	return answer ? json_loads(answer, 0, NULL) : NULL;
}

static int64_t now_us(struct replay *r)
{
	const char *us = replay_ask(r, "select hl.us(hl.now())", NULL, NULL);

	return us ? strtoll(us, NULL, 10) : 0;
}

/* "resident 3", "FIR", "FIR.deputy", "+8610000000001" */
bool replay_find_phone(struct replay *r, const char *who, char *out, size_t out_bytes)
{
	char unit[24] = "", role[12] = "officer";
	const char *phone = who;
	unsigned n;

	if (sscanf(who, "resident %u", &n) == 1 && n < 100)
		phone = hl_arena_printf(&r->arena, "+861000000%04u", n);
	else if (who[0] != '+' && sscanf(who, "%23[A-Z0-9-].%11[a-z]", unit, role) >= 1)
		phone = replay_ask(
			r,
			"select p.phone from hl.contact c join hl.person p on p.id = c.person_id where c.unit = $1 and"
			" c.role = $2 order by c.rank, c.id limit 1",
			unit, role);
	snprintf(out, out_bytes, "%s", phone ? phone : "");
	return out[0] == '+';
}

/* ---- what comes of it ------------------------------------------------------ */

__attribute__((format(printf, 2, 3))) static void wrong(struct replay *r, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s:%u: ", r->path, r->line);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	r->n_wrong++;
}

static void show(struct replay *r, const json_t *notice)
{
	struct hl_error err = {.text = ""};
	struct hl_buf text;
	json_t *sms;

	hl_buf_init(&text, 4000);
	if (hl_notice_text(r->ref, notice, "", &text, &err) != HL_OK)
		wrong(r, "%s: %s", ctl_text(notice, "template"), err.text);
	sms = json_pack("{s:s, s:s, s:s, s:b}", "to", ctl_text(notice, "to"), "template", ctl_text(notice, "template"),
			"text", hl_buf_str(&text), "is_named", false);
	if (!r->ctl->as_json)
		printf("      -> %s [%s] %s\n", ctl_text(sms, "to"), ctl_text(sms, "template"), ctl_text(sms, "text"));
	json_array_append_new(r->sms, sms);
	hl_buf_fini(&text);
}

/* The notices made since the last look. */
static bool collect(struct replay *r)
{
	char since[24];
	const char *rows;
	json_t *list, *notice;
	size_t i;

	snprintf(since, sizeof(since), "%lld", (long long)r->last_notice);
	rows = replay_ask(
		r,
		"select coalesce(jsonb_agg(jsonb_build_object('id', n.id, 'to', p.phone, 'template', n.template, "
		"'params',"
		" n.params, 'lang', p.lang, 'resend', false) order by n.id), '[]') from hl.notice n join hl.person p on"
		" p.id = n.person_id where n.id > $1::bigint",
		since, NULL);
	list = rows ? json_loads(rows, 0, NULL) : NULL;
	json_array_foreach (list, i, notice) {
		r->last_notice = json_integer_value(json_object_get(notice, "id"));
		show(r, notice);
	}
	json_decref(list);
	return rows != NULL;
}

/* Decides on contexts as the daemon does; those that come too late are decided again. */
static bool act_on(struct replay *r, const json_t *contexts, unsigned n_rounds)
{
	json_t *acts = json_array(), *act;
	const json_t *ctx;
	bool is_ok = true;
	size_t i;

	/* All are decided on what was seen before the first one acts: that is what a race is. */
	json_array_foreach (contexts, i, ctx) {
		act = hl_decide(r->ref, ctx, false, &r->arena, now_us(r));
		json_object_set_new(act, "i", json_integer(0));
		if (json_object_get(act, "link"))
			json_object_set_new(json_object_get(act, "link"), "base", json_string(PAGES));
		json_array_append_new(acts, act);
	}
	json_array_foreach (acts, i, act) {
		json_t *reply = replay_call(r, "act", json_pack("[O]", act)), *again;
		const char *result = ctl_text(json_array_get(json_object_get(reply, "items"), 0), "result");

		is_ok = is_ok && reply;
		if (reply && strcmp(result, "stale") == 0 && n_rounds < ROUNDS_MAX) {
			again = replay_call(r, "talk_again",
				     json_pack("{s:[O]}", "messages", json_object_get(act, "message")));
			is_ok = again && act_on(r, json_object_get(again, "talk"), n_rounds + 1);
			json_decref(again);
		}
		json_decref(reply);
	}
	json_decref(acts);
	return is_ok;
}

bool replay_go_on(struct replay *r, const json_t *contexts)
{
	return act_on(r, contexts, 1) && collect(r);
}

/* ---- actions ---------------------------------------------------------------- */

/* What reached a speaker and was not named is a difference. */
static void settle_expectations(struct replay *r)
{
	const json_t *sms;
	size_t i;

	json_array_foreach (r->sms, i, sms)
		for (size_t k = 0; k < r->n_said; k++)
			if (strcmp(ctl_text(sms, "to"), r->said[k].phone) == 0 &&
			    !json_is_true(json_object_get(sms, "is_named")))
				wrong(r, "%s got %s, which nobody expected: %s", ctl_text(sms, "to"),
				      ctl_text(sms, "template"), ctl_text(sms, "text"));
	json_array_clear(r->sms);
	r->n_said = 0;
}

/* All that was said at one moment goes in as one batch. */
static bool speak(struct replay *r)
{
	json_t *batch = json_array(), *reply;
	bool is_ok;

	for (size_t i = 0; i < r->n_said; i++) {
		const char *id = hl_arena_printf(&r->arena, "replay:%d:%u", PQbackendPID(r->conn), ++r->n_messages);
		const struct hl_media_ref photo = {.url = HL_LIT("https://x.cn/photo")};
		struct hl_inbound in = {.external_id = hl_slice_str(id),
					.from = hl_slice_str(r->said[i].phone),
					.to = HL_LIT("12345"),
					.bytes = hl_slice_str(r->said[i].text),
					.charset = "UTF-8",
					.media = &photo,
					.n_media = r->said[i].has_photo};
		json_t *item = hl_intake_item(r->ref, CHANNEL, "86", &in, &r->arena, now_us(r));

		json_object_set_new(item, "i", json_integer((json_int_t)i + 1));
		json_array_append_new(batch, item);
	}
	reply = replay_call(r, "intake", batch);
	is_ok = reply && act_on(r, json_object_get(reply, "talk"), 1) && collect(r);
	json_decref(reply);
	return is_ok;
}

/* Fires what is due; a second call in one transaction must not see what the first one left in its table. */
static bool fire(struct replay *r)
{
	json_int_t fired = 1;

	while (fired > 0) {
		json_t *reply;

		if (!replay_ask(r,
			 "do $$ begin if to_regclass('pg_temp.fired') is not null then delete from fired; end if; end "
			 "$$",
			 NULL, NULL))
			return false;
		reply = replay_call(r, "fire_due", json_pack("{s:i}", "limit", 1000));
		if (!reply)
			return false;
		fired = json_integer_value(json_object_get(reply, "fired"));
		json_decref(reply);
	}
	return true;
}

/* What waits although nobody wrote: texts whose question went unanswered. */
static bool sweep(struct replay *r)
{
	json_t *reply = replay_call(r, "claim_pending", json_pack("{s:i}", "limit", 100));
	bool is_ok = reply && act_on(r, json_object_get(reply, "talk"), 1);

	json_decref(reply);
	return is_ok;
}

static bool jump(struct replay *r, int64_t to_us)
{
	bool is_there = false;

	for (bool is_under_way = false; !is_there; is_under_way = true) {
		json_t *reply = replay_call(r, "tick_step",
				     json_pack("{s:I, s:b}", "to", (json_int_t)to_us, "under_way", is_under_way));

		if (!reply || !fire(r)) {
			json_decref(reply);
			return false;
		}
		is_there = json_is_true(json_object_get(reply, "reached"));
		json_decref(reply);
	}
	return sweep(r) && collect(r);
}

/* "accept 26-000001 why" */
static bool move_case(struct replay *r, const char *words)
{
	char verb[24], code[24];
	int used = 0;
	struct hl_error err = {.text = ""};
	json_t *found, *args, *act = NULL, *reply = NULL;
	struct hl_operation op;
	bool is_ok;

	if (sscanf(words, "%23s %23s %n", verb, code, &used) < 2)
		return !ctl_fail(r->ctl, "%s:%u: ! VERB CASE why", r->path, r->line);
	args = json_pack("{s:s, s:s}", "case", code, "why", words[used] ? words + used : "replay");
	found = replay_call(r, "find_case", json_pack("{s:s}", "case", code));
	op = (struct hl_operation){.verb = verb,
				   .role = HL_ROLE_ADMIN,
				   .operator= "replay",
				   .args = args,
				   .found = found,
				   .now_us = now_us(r)};
	if (found && hl_operate(r->ref, &op, &r->arena, &act, &err) == HL_OK) {
		json_object_set_new(act, "i", json_integer(0));
		reply = replay_call(r, "act", json_pack("[o]", act));
	} else if (found) {
		wrong(r, "%s %s: %s", verb, code, err.text);
	}
	is_ok = found && (reply || err.text[0]) && collect(r);
	json_decref(reply);
	json_decref(found);
	json_decref(args);
	return is_ok;
}

/* ---- expectations ------------------------------------------------------------ */

static void expect_sms(struct replay *r, const char *phone, char *words)
{
	char *part = strstr(words, " | ");
	json_t *sms;
	size_t i;

	if (part) {
		*part = '\0';
		part += 3;
	}
	json_array_foreach (r->sms, i, sms) {
		if (strcmp(ctl_text(sms, "to"), phone) != 0 || json_is_true(json_object_get(sms, "is_named")))
			continue;
		json_object_set_new(sms, "is_named", json_true());
		if (strcmp(ctl_text(sms, "template"), words) != 0)
			wrong(r, "%s got %s instead of %s", phone, ctl_text(sms, "template"), words);
		else if (part && !strstr(ctl_text(sms, "text"), part))
			wrong(r, "%s is not in \"%s\"", part, ctl_text(sms, "text"));
		return;
	}
	if (strcmp(words, "-") != 0)
		wrong(r, "%s got no %s", phone, words);
}

static bool expect_state(struct replay *r, const char *words)
{
	char who[32], want[32], phone[24];
	const char *state;

	if (sscanf(words, "%31s %31s", who, want) != 2)
		return !ctl_fail(r->ctl, "%s:%u: = CASE STATE, = WHO STATE or = cases N", r->path, r->line);
	if (strcmp(who, "cases") == 0)
		state = replay_ask(r, "select count(*) from hl.case where id > $1::bigint",
			    hl_arena_printf(&r->arena, "%lld", (long long)r->first_case), NULL);
	else if (replay_find_phone(r, who, phone, sizeof(phone)))
		state = replay_ask(
			r,
			"select k.state from hl.task k join hl.notice_code n on n.task_id = k.id join hl.person p on"
			" p.id = n.person_id where p.phone = $1 order by k.id desc limit 1",
			phone, NULL);
	else
		state = replay_ask(r, "select state from hl.case where code = $1", who, NULL);
	if (state && strcmp(state, want) != 0)
		wrong(r, "%s is %s, not %s", who, state, want);
	return state != NULL;
}

/* ---- lines --------------------------------------------------------------------- */

static const char *value_of(struct replay *r, struct hl_slice name, const char *phone)
{
	bool is_before = name.len > 0 && name.ptr[name.len - 1] == '-';
	const char *skip = is_before ? "1" : "0";

	if (hl_slice_has_prefix(name, "case"))
		return replay_ask(r, "select code from hl.case order by id desc offset $1::int limit 1", skip, NULL);
	return replay_ask(r,
		   "select n.code from hl.notice_code n join hl.person p on p.id = n.person_id where p.phone = $1"
		   " order by n.task_id desc offset $2::int limit 1",
		   phone, skip);
}

/* The line with {case} and {code} filled in, in the arena. */
static const char *fill(struct replay *r, const char *line, const char *phone)
{
	struct hl_slice rest = hl_slice_str(line), head, name;
	const char *out = "";

	while (hl_slice_cut(rest, '{', &head, &rest)) {
		out = hl_arena_printf(&r->arena, "%s%.*s", out, HL_SLICE_ARG(head));
		hl_slice_cut(rest, '}', &name, &rest);
		out = hl_arena_printf(&r->arena, "%s%s", out, value_of(r, name, phone));
	}
	return hl_arena_printf(&r->arena, "%s%.*s", out, HL_SLICE_ARG(head));
}

/* "WHO: words": the number, and the words behind it. */
static char *split_who(struct replay *r, char *line, char *phone, size_t phone_bytes)
{
	char *colon = strchr(line, ':');

	if (!colon)
		return NULL;
	*colon = '\0';
	if (!replay_find_phone(r, line, phone, phone_bytes))
		return NULL;
	return colon + 1 + strspn(colon + 1, " ");
}

static bool hear(struct replay *r, char *line)
{
	struct said *s = &r->said[r->n_said];
	char *words, *photo = strstr(line, " +photo:");

	if (photo)
		memmove(photo, photo + strlen(" +photo"), strlen(photo + strlen(" +photo")) + 1);

	if (r->n_said == SAID_MAX || !(words = split_who(r, line, s->phone, sizeof(s->phone))))
		return !ctl_fail(r->ctl, "%s:%u: nobody of that name says this", r->path, r->line);
	s->text = fill(r, words, s->phone);
	s->has_photo = photo != NULL;
	if (!r->ctl->as_json)
		printf("   %s: %s\n", s->phone, s->text);
	r->n_said++;
	return true;
}

static bool expect_line(struct replay *r, char *line)
{
	char phone[24];
	char *words = split_who(r, line, phone, sizeof(phone));

	if (!words)
		return !ctl_fail(r->ctl, "%s:%u: there is no such phone", r->path, r->line);
	expect_sms(r, phone, hl_arena_strdup(&r->arena, hl_slice_str(fill(r, words, phone))));
	return true;
}

static bool strike_off(struct replay *r, const char *who)
{
	char phone[24];

	if (!replay_find_phone(r, who, phone, sizeof(phone)))
		return !ctl_fail(r->ctl, "%s:%u: there is no such phone", r->path, r->line);
	return replay_ask(r,
		   "update hl.contact set is_active = false where person_id = (select id from hl.person where phone = "
		   "$1)",
		   phone, NULL) != NULL;
}

/* A line that is an action ends what the last one waited for. */
static bool act_line(struct replay *r, char *line)
{
	int64_t to_us;

	settle_expectations(r);
	if (line[0] == '!')
		return move_case(r, fill(r, line + 1 + strspn(line + 1, " "), ""));
	if (strncmp(line, "gone ", 5) == 0)
		return strike_off(r, line + 5);
	if (strncmp(line, "photo ", 6) == 0 || strncmp(line, "upload ", 7) == 0)
		return replay_photo(r, line);
	if (!r->ctl->as_json)
		printf("%s\n", line);
	if (ctl_read_time(line, now_us(r), CTL_COUNTY_OFFSET_S, &to_us))
		return jump(r, to_us);
	return !ctl_fail(r->ctl, "%s:%u: this is no line of a transcript", r->path, r->line);
}

/* next: the first character of the line that follows. */
static bool take_line(struct replay *r, char *line, char next)
{
	char *words = line + 1 + strspn(line + 1, " ");

	switch (line[0]) {
	case '\0':
	case '#':
		return true;
	case '>':
		settle_expectations(r);
		__attribute__((fallthrough));
	case '&':
		return hear(r, words) && (next == '&' || speak(r));
	case '<':
		return expect_line(r, words);
	case '=':
		return expect_state(r, fill(r, words, ""));
	default:
		return act_line(r, line);
	}
}

static bool play(struct replay *r, char *text)
{
	bool is_ok = true;

	for (char *line = text, *end; is_ok && line; line = end) {
		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		r->line++;
		is_ok = take_line(r, line, end ? *end : '\0');
	}
	settle_expectations(r);
	return is_ok;
}

static bool begin(struct replay *r)
{
	const char *cases, *notices;

	if (!replay_ask(r, "begin", NULL, NULL) || !replay_ask(r, "set local client_min_messages = warning", NULL, NULL))
		return false;
	cases = replay_ask(r, "select coalesce(max(id), 0) from hl.case", NULL, NULL);
	notices = replay_ask(r, "select coalesce(max(id), 0) from hl.notice", NULL, NULL);
	r->first_case = cases ? strtoll(cases, NULL, 10) : 0;
	r->last_notice = notices ? strtoll(notices, NULL, 10) : 0;
	return cases && notices;
}

static int play_file(struct ctl *ctl, PGconn *conn, const struct hl_refdata *ref, const char *path)
{
	struct replay r = {.ctl = ctl, .conn = conn, .ref = ref, .path = path, .sms = json_array()};
	struct hl_buf text;
	char chunk[4096];
	FILE *file = fopen(path, "r");
	size_t n;
	bool is_ok;

	if (!file) {
		json_decref(r.sms);
		return ctl_fail(ctl, "%s: cannot be read", path);
	}
	hl_buf_init(&text, 1u << 20);
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		hl_buf_add(&text, (struct hl_slice){chunk, n});
	fclose(file);
	hl_arena_init(&r.arena, ARENA_BYTES);
	is_ok = begin(&r) && play(&r, hl_arena_strdup(&r.arena, hl_buf_slice(&text)));
	PQclear(PQexec(conn, "rollback"));
	if (ctl->as_json)
		printf("{\"file\":\"%s\",\"differences\":%u,\"done\":%s}\n", path, r.n_wrong, is_ok ? "true" : "false");
	else
		printf("%s: %s\n", path, !is_ok ? "broken off" : r.n_wrong ? "differs" : "as expected");
	hl_arena_fini(&r.arena);
	hl_buf_fini(&text);
	json_decref(r.sms);
	return is_ok && r.n_wrong == 0 ? CTL_OK : CTL_FAILED;
}

int cmd_talk(struct ctl *ctl)
{
	const struct hl_config *config = ctl_word(ctl, 0) ? ctl_config(ctl) : NULL;
	struct hl_refdata *ref;
	PGconn *conn;
	int rc = CTL_OK;

	if (!ctl_word(ctl, 0))
		return CTL_USAGE;
	ref = config ? ctl_refdata(ctl) : NULL;
	if (!ref)
		return CTL_FAILED;
	conn = PQconnectdb(config->conninfo);
	if (PQstatus(conn) != CONNECTION_OK)
		rc = ctl_fail(ctl, "database: %s", PQerrorMessage(conn));
	for (int i = 0; PQstatus(conn) == CONNECTION_OK && ctl_word(ctl, i); i++)
		if (play_file(ctl, conn, ref, ctl_word(ctl, i)) != CTL_OK)
			rc = CTL_FAILED;
	PQfinish(conn);
	hl_refdata_free(&ref);
	return rc;
}
