/* import.c - hotlinectl import: reference data into the database, whole or not at all
 *
 * Everything is read and checked together before anything is written, because documents
 * refer to each other. It goes straight to the database with the daemon's own role, in one
 * transaction; the daemons notice the new version within a pulse.
 */
#include "import.h"

#include "hotline/calendar_doc.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOURCES_MAX 16
#define KEYS_MAX    200 /* of rows, kept in the history of one import */
#define US_PER_DAY  INT64_C(86400000000)
#define PATH_BYTES  4096

struct plan {
	struct source sources[SOURCES_MAX];
	char paths[SOURCES_MAX][PATH_BYTES];
	size_t n;
	json_t *config; /* what hl.config gave */
	json_t *docs;   /* those, with the new ones in their place */
	json_t *errors;
};

static const char *user_name(void)
{
	const struct passwd *pw = getpwuid(getuid());
	return pw ? pw->pw_name : "unknown";
}

/* ---- the database --------------------------------------------------------- */

PGconn *import_connect(struct ctl *ctl)
{
	const struct hl_config *config = ctl_config(ctl);
	PGconn *conn = config ? PQconnectdb(config->conninfo) : NULL;
	if (!conn)
		return NULL;
	if (PQstatus(conn) == CONNECTION_OK) {
		PQclear(PQexec(conn, "begin"));
		return conn;
	}
	ctl_fail(ctl, "database: %s", PQerrorMessage(conn));
	PQfinish(conn);
	return NULL;
}

json_t *import_call(struct ctl *ctl, PGconn *conn, const char *function, json_t *args)
{
	char *text = json_dumps(args, JSON_COMPACT);
	const char *const values[] = {text};
	char sql[100];
	PGresult *res;
	json_t *reply = NULL;

	snprintf(sql, sizeof sql, "select hl.%s($1::jsonb)::text", function);
	res = PQexecParams(conn, sql, 1, NULL, values, NULL, NULL, 0);
	if (PQresultStatus(res) == PGRES_TUPLES_OK)
		reply = json_loads(PQgetvalue(res, 0, 0), JSON_DECODE_ANY, NULL);
	else
		ctl_fail(ctl, "%s", PQresultErrorMessage(res));
	PQclear(res);
	free(text);
	json_decref(args);
	return reply;
}

static int commit(struct ctl *ctl, PGconn *conn)
{
	PGresult *res = PQexec(conn, "commit");
	/* What was deferred is judged here; a failed transaction answers "ROLLBACK". */
	bool is_done = PQresultStatus(res) == PGRES_COMMAND_OK && strcmp(PQcmdStatus(res), "COMMIT") == 0;
	if (!is_done)
		ctl_fail(ctl, "nothing was imported: %s", PQresultErrorMessage(res));
	PQclear(res);
	return is_done ? CTL_OK : CTL_FAILED;
}

/* ---- documents ------------------------------------------------------------ */

json_t *import_current(const struct hl_reftable *table, const json_t *config)
{
	const char *kind = hl_reftable_kind(table);
	json_t *doc = json_object_get(json_object_get(config, "docs"), kind);
	if (strcmp(kind, "calendar") == 0)
		return json_object_get(doc, "spec");
	return doc;
}

/* Contacts and rosters are rows in the database and no documents; here they look like one. takes what it gives. */
static json_t *current_doc(const struct hl_reftable *table, const json_t *config)
{
	json_t *rows = json_object_get(config, hl_reftable_kind(table));
	json_t *doc = import_current(table, config);
	if (rows)
		return json_pack("{s:O}", hl_reftable_list(table), rows);
	return json_incref(doc);
}

enum hl_class import_expand(const struct hl_reftable *table, json_t *doc, json_t *docs, struct hl_error *err)
{
	const char *kind = hl_reftable_kind(table);
	json_t *expanded;
	enum hl_class cls;
	if (strcmp(kind, "calendar") != 0) {
		bool is_rows = strcmp(kind, "contacts") == 0 || strcmp(kind, "roster") == 0;
		json_object_set(docs, kind, is_rows ? json_object_get(doc, kind) : doc);
		return HL_OK;
	}
	cls = hl_calendar_expand(doc, &expanded, err);
	if (cls)
		return cls;
	json_object_set(expanded, "spec", doc);
	json_object_set_new(docs, kind, expanded);
	return HL_OK;
}

static int add_source(struct plan *p, const struct hl_reftable *table, const char *path)
{
	struct source *s = &p->sources[p->n];
	struct hl_error err = {.text = ""};
	json_t *current, *spec;
	int rc;
	if (p->n == SOURCES_MAX)
		return CTL_USAGE;
	snprintf(p->paths[p->n], PATH_BYTES, "%s", path);
	/* A second file of one kind (another year) builds on the first. */
	spec = json_object_get(json_object_get(p->docs, hl_reftable_kind(table)), "spec");
	current = spec ? json_incref(spec) : current_doc(table, p->config);
	rc = source_read(table, p->paths[p->n], current, s, p->errors);
	json_decref(current);
	p->n++;
	if (rc != CTL_OK)
		return rc;
	if (import_expand(table, s->doc, p->docs, &err) == HL_OK)
		return CTL_OK;
	/* Rows say more than the whole does. */
	source_check(s, p->docs, p->errors);
	if (json_array_size(p->errors) > 0)
		return CTL_FAILED;
	json_array_append_new(p->errors, json_pack("{s:s, s:i, s:s, s:s}", "file", p->paths[p->n - 1], "line", 0,
						   "field", hl_reftable_kind(table), "rule", err.text));
	return CTL_FAILED;
}

static int plan_all(struct plan *p, const char *dir)
{
	char path[PATH_BYTES];
	int rc = CTL_OK;
	for (size_t i = 0; hl_reftable_at(i); i++) {
		const char *kind = hl_reftable_kind(hl_reftable_at(i));
		bool is_optional = strcmp(kind, "contacts") == 0 || strcmp(kind, "roster") == 0 ||
				   strcmp(kind, "model") == 0 || strcmp(kind, "flow") == 0;
		snprintf(path, sizeof path, "%s/%s.json", dir, kind);
		if ((!is_optional || access(path, R_OK) == 0) && add_source(p, hl_reftable_at(i), path) != CTL_OK)
			rc = CTL_FAILED;
	}
	return rc;
}

static int plan_files(struct ctl *ctl, struct plan *p, const struct hl_reftable *table)
{
	int rc = CTL_OK;
	for (int i = 1; ctl_word(ctl, i); i++)
		if (add_source(p, table, ctl_word(ctl, i)) != CTL_OK)
			rc = CTL_FAILED;
	return rc;
}

/* ---- checks --------------------------------------------------------------- */

int import_say_errors(struct ctl *ctl, const json_t *errors, const char *what)
{
	const json_t *e;
	size_t i;
	if (ctl->as_json) {
		json_t *all = json_pack("{s:s, s:O}", "error", what, "errors", errors);
		ctl_print(all);
		json_decref(all);
	}
	json_array_foreach (errors, i, e) {
		long long line = json_integer_value(json_object_get(e, "line"));
		char at[24] = "";
		if (line > 0)
			snprintf(at, sizeof at, ":%lld", line);
		fprintf(stderr, "hotlinectl: %s%s: %s: %s\n", json_string_value(json_object_get(e, "file")), at,
			json_string_value(json_object_get(e, "field")), json_string_value(json_object_get(e, "rule")));
	}
	fprintf(stderr, "hotlinectl: %s: %zu error(s)\n", what, json_array_size(errors));
	return CTL_FAILED;
}

static int check_plan(struct ctl *ctl, struct plan *p)
{
	struct hl_error err = {.text = ""};
	struct hl_refdata *ref = NULL;
	for (size_t i = 0; i < p->n; i++)
		source_check(&p->sources[i], p->docs, p->errors);
	if (json_array_size(p->errors) > 0)
		return import_say_errors(ctl, p->errors, "nothing was imported");
	/* The whole, as the daemon will read it. */
	if (hl_refdata_new(p->docs, &ref, &err) != HL_OK)
		return ctl_fail(ctl, "nothing was imported: %s", err.text);
	hl_refdata_free(&ref);
	return CTL_OK;
}

/* ---- differences ---------------------------------------------------------- */

static size_t count(const json_t *changes, const char *what)
{
	const json_t *change;
	size_t i, n = 0;
	json_array_foreach (changes, i, change)
		n += strcmp(json_string_value(json_object_get(change, "change")), what) == 0;
	return n;
}

static void find_changes(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct source *s = &p->sources[i];
		json_t *before = current_doc(s->table, p->config);
		/* Of several files of one kind the last one holds all. */
		bool is_last = i + 1 == p->n || p->sources[i + 1].table != s->table;
		/* Of contacts and rosters only the rows are kept. */
		bool is_rows = json_object_get(p->config, hl_reftable_kind(s->table)) != NULL;
		json_t *after = is_rows ? json_pack("{s:O}", hl_reftable_list(s->table), s->rows) : json_incref(s->doc);
		s->changes = is_last ? hl_reftable_diff(s->table, before, after) : json_array();
		json_decref(before);
		json_decref(after);
	}
}

/* Rows by key; a number is somebody's, so that keys of people stay at unit and role. */
static json_t *summary(const struct source *s)
{
	const json_t *change;
	json_t *keys = json_array();
	size_t i;
	bool has_phones = strcmp(hl_reftable_kind(s->table), "contacts") == 0 ||
			  strcmp(hl_reftable_kind(s->table), "roster") == 0;
	json_array_foreach (s->changes, i, change) {
		const char *key = json_string_value(json_object_get(change, "key"));
		const char *number = has_phones ? strstr(key, " +") : NULL;
		size_t len = number ? (size_t)(number - key) : strlen(key);
		if (i < KEYS_MAX)
			json_array_append_new(keys, json_sprintf("%s %.*s",
								 json_string_value(json_object_get(change, "change")),
								 (int)len, key));
	}
	return json_pack("{s:I, s:I, s:I, s:o}", "added", (json_int_t)count(s->changes, "added"), "changed",
			 (json_int_t)count(s->changes, "changed"), "removed", (json_int_t)count(s->changes, "removed"),
			 "keys", keys);
}

static void print_field(const char *name, const json_t *pair, const char *change)
{
	char *was = hl_reftable_cell(json_array_get(pair, 0)), *is = hl_reftable_cell(json_array_get(pair, 1));
	if (strcmp(change, "changed") == 0)
		printf("    %s: %s -> %s\n", name, was ? was : "", is ? is : "");
	free(was);
	free(is);
}

static void print_changes(const struct source *s)
{
	json_t *change, *pair;
	const char *name;
	size_t i;
	json_array_foreach (s->changes, i, change) {
		const char *what = json_string_value(json_object_get(change, "change"));
		printf("  %c %s\n",
		       *what == 'a'   ? '+'
		       : *what == 'r' ? '-'
				      : '~',
		       json_string_value(json_object_get(change, "key")));
		json_object_foreach (json_object_get(change, "fields"), name, pair)
			print_field(name, pair, what);
	}
}

static void say_changes(struct ctl *ctl, const struct plan *p, bool is_dry)
{
	json_t *all = json_array();
	for (size_t i = 0; i < p->n; i++) {
		const struct source *s = &p->sources[i];
		bool is_changed = json_array_size(s->changes) > 0;
		json_t *one = summary(s);
		json_object_del(one, "keys");
		json_object_set_new(one, "kind", json_string(hl_reftable_kind(s->table)));
		json_object_set_new(one, "dry_run", json_boolean(is_dry));
		json_object_set(one, "changes", s->changes);
		json_array_append_new(all, one);
		if (ctl->as_json)
			continue;
		printf("%-10s %s", hl_reftable_kind(s->table),
		       !is_changed ? "unchanged\n"
		       : is_dry    ? "would change"
				   : "imported");
		if (is_changed)
			printf(": %zu added, %zu changed, %zu removed\n", count(s->changes, "added"),
			       count(s->changes, "changed"), count(s->changes, "removed"));
		if (is_dry)
			print_changes(s);
	}
	if (ctl->as_json)
		ctl_print(all);
	json_decref(all);
}

/* ---- writing -------------------------------------------------------------- */

static int write_source(struct ctl *ctl, PGconn *conn, const struct plan *p, const struct source *s)
{
	const char *kind = hl_reftable_kind(s->table);
	json_t *args = json_pack("{s:s, s:s, s:s, s:o}", "kind", kind, "by", user_name(), "why",
				 ctl->why ? ctl->why : "", "changes", summary(s)),
	       *reply;
	if (json_array_size(s->changes) == 0) {
		json_decref(args);
		return CTL_OK;
	}
	if (strcmp(kind, "contacts") == 0 || strcmp(kind, "roster") == 0) {
		json_object_set(args, kind, s->rows);
		if (ctl_flag(ctl, "--vouched"))
			json_object_set_new(args, "vouched", json_true());
		reply = import_call(ctl, conn, strcmp(kind, "roster") == 0 ? "import_roster" : "import_contacts", args);
	} else {
		json_object_set(args, "doc", json_object_get(p->docs, kind));
		reply = import_call(ctl, conn, "import", args);
	}
	json_decref(reply);
	return reply ? CTL_OK : CTL_FAILED;
}

static int write_plan(struct ctl *ctl, PGconn *conn, struct plan *p)
{
	int rc = CTL_OK;
	bool is_new_calendar = false;
	for (size_t i = 0; i < p->n && rc == CTL_OK; i++) {
		rc = write_source(ctl, conn, p, &p->sources[i]);
		is_new_calendar |= strcmp(hl_reftable_kind(p->sources[i].table), "calendar") == 0 &&
				   json_array_size(p->sources[i].changes) > 0;
	}
	if (rc == CTL_OK && is_new_calendar)
		rc = import_recompute(ctl, conn, p->docs);
	return rc == CTL_OK ? commit(ctl, conn) : rc;
}

static bool has_calendar(const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(hl_reftable_kind(p->sources[i].table), "calendar") == 0)
			return true;
	return false;
}

static int run_plan(struct ctl *ctl, PGconn *conn, struct plan *p, const struct hl_reftable *table)
{
	bool is_dry = ctl_flag(ctl, "--dry-run");
	int rc;
	p->config = import_call(ctl, conn, "config", json_object());
	if (!p->config)
		return CTL_FAILED;
	p->docs = json_copy(json_object_get(p->config, "docs"));
	json_object_set(p->docs, "contacts", json_object_get(p->config, "contacts"));
	rc = table ? plan_files(ctl, p, table) : plan_all(p, ctl_word(ctl, 1));
	if (rc != CTL_OK || json_array_size(p->errors) > 0)
		return import_say_errors(ctl, p->errors, "nothing was imported");
	rc = check_plan(ctl, p);
	if (rc != CTL_OK)
		return rc;
	find_changes(p);
	if (!is_dry)
		rc = write_plan(ctl, conn, p);
	if (rc == CTL_OK) {
		say_changes(ctl, p, is_dry);
		if (has_calendar(p))
			import_warn_year(json_object_get(p->docs, "calendar"),
					 json_integer_value(json_object_get(p->config, "now")));
	}
	return rc;
}

static int show_history(struct ctl *ctl, PGconn *conn, const char *kind)
{
	json_t *list =
		import_call(ctl, conn, "config_history", kind ? json_pack("{s:s}", "kind", kind) : json_object());
	const json_t *e;
	size_t i;
	if (!list)
		return CTL_FAILED;
	if (ctl->as_json)
		ctl_print(list);
	else
		json_array_foreach (list, i, e)
			printf("%.19s  %-10s %-12s +%lld ~%lld -%lld  %s\n",
			       json_string_value(json_object_get(e, "at")),
			       json_string_value(json_object_get(e, "kind")),
			       json_string_value(json_object_get(e, "by")),
			       json_integer_value(json_object_get(e, "added")),
			       json_integer_value(json_object_get(e, "changed")),
			       json_integer_value(json_object_get(e, "removed")),
			       json_string_value(json_object_get(e, "why")));
	json_decref(list);
	return CTL_OK;
}

int cmd_import(struct ctl *ctl)
{
	const char *kind = ctl_word(ctl, 0), *path = ctl_word(ctl, 1);
	const struct hl_reftable *table = kind ? hl_reftable_find(kind) : NULL;
	bool is_history = ctl_flag(ctl, "--history");
	struct plan p = {.errors = json_array()};
	PGconn *conn;
	int rc = CTL_USAGE;

	if (kind && !table && strcmp(kind, "all") != 0)
		return CTL_USAGE;
	if (!is_history && (!kind || !path))
		return CTL_USAGE;
	conn = import_connect(ctl);
	if (!conn)
		rc = CTL_FAILED;
	else if (is_history)
		rc = show_history(ctl, conn, table ? hl_reftable_kind(table) : NULL);
	else
		rc = run_plan(ctl, conn, &p, table);
	PQfinish(conn);
	for (size_t i = 0; i < p.n; i++)
		source_fini(&p.sources[i]);
	json_decref(p.config);
	json_decref(p.docs);
	json_decref(p.errors);
	return rc;
}
