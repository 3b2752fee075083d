/* setup.c - hotlinectl migrate and import: what an installation needs before it serves
 *
 * import goes straight to the database when the daemon is not running yet, with the
 * daemon's own role; the daemon notices the new version within a pulse.
 */
#include "ctl.h"

#include "hotline/migrate.h"

#include <libpq-fe.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const kinds[] = {"units",  "case_types", "limits",    "rules",
				    "places", "calendar",   "templates", "ladder",
				    "grammar"};

/* conninfo, words or a URI, with another user: libpq takes the last of two. */
static char *with_user(const char *conninfo, const char *user)
{
	bool is_uri = strncmp(conninfo, "postgresql://", 13) == 0 || strncmp(conninfo, "postgres://", 11) == 0;
	const char *joint = !is_uri ? " " : strchr(conninfo, '?') ? "&" : "?";
	char *out = NULL;

	return asprintf(&out, "%s%suser=%s", conninfo, joint, user) < 0 ? NULL : out;
}

int cmd_migrate(struct ctl *ctl)
{
	const struct hl_config *config = ctl_config(ctl);
	const char *owner = ctl_option(ctl, "--owner"), *dir = ctl_option(ctl, "--schema");
	struct hl_migrated done;
	struct hl_error err = {.text = ""};
	char *conninfo;
	enum hl_class cls;

	if (!config)
		return CTL_FAILED;
	conninfo = with_user(config->conninfo, owner ? owner : "hotline_owner");
	cls = conninfo ? hl_migrate(conninfo, dir ? dir : "schema", config->demo_clock, &done, &err) : HL_NOMEM;
	free(conninfo);
	if (cls != HL_OK)
		return ctl_fail(ctl, "%s", err.text);
	if (ctl->as_json)
		printf("{\"migrations\":%u,\"functions\":%u}\n", done.applied, done.functions);
	else
		printf("schema: %u migrations and %u function files applied\n", done.applied, done.functions);
	return CTL_OK;
}

/* ---- import --------------------------------------------------------------- */

static const char *user_name(void)
{
	const struct passwd *pw = getpwuid(getuid());

	return pw ? pw->pw_name : "unknown";
}

/* One call of a flow function over a connection of our own. Gives the reply. */
static json_t *call(struct ctl *ctl, PGconn *conn, const char *function, json_t *args)
{
	char *text = json_dumps(args, JSON_COMPACT);
	const char *const values[] = {text};
	char sql[100];
	PGresult *res;
	json_t *reply = NULL;

	snprintf(sql, sizeof(sql), "select hl.%s($1::jsonb)::text", function);
	res = PQexecParams(conn, sql, 1, NULL, values, NULL, NULL, 0);
	if (PQresultStatus(res) == PGRES_TUPLES_OK)
		reply = json_loads(PQgetvalue(res, 0, 0), 0, NULL);
	else
		ctl_fail(ctl, "%s", PQresultErrorMessage(res));
	PQclear(res);
	free(text);
	json_decref(args);
	return reply;
}

static int import_doc(struct ctl *ctl, PGconn *conn, const char *kind, json_t *doc)
{
	json_t *reply = call(ctl, conn, "import",
			     json_pack("{s:s, s:O, s:s, s:s}", "kind", kind, "doc", doc, "by", user_name(), "why",
				       ctl->why ? ctl->why : ""));

	if (!reply)
		return CTL_FAILED;
	if (!ctl->as_json)
		printf("%-10s %s\n", kind, json_is_true(json_object_get(reply, "changed")) ? "imported" : "unchanged");
	json_decref(reply);
	return CTL_OK;
}

static int import_contacts(struct ctl *ctl, PGconn *conn, const char *path)
{
	json_error_t at;
	json_t *doc = json_load_file(path, JSON_REJECT_DUPLICATES, &at), *reply;

	if (!doc)
		return ctl_fail(ctl, "%s:%d: %s", path, at.line, at.text);
	json_object_set_new(doc, "by", json_string(user_name()));
	reply = call(ctl, conn, "import_contacts", doc);
	if (!reply)
		return CTL_FAILED;
	if (!ctl->as_json)
		printf("%-10s %lld active\n", "contacts",
		       (long long)json_integer_value(json_object_get(reply, "contacts")));
	json_decref(reply);
	return CTL_OK;
}

/* Everything is checked together before anything is written: documents refer to each other. */
static int import_all(struct ctl *ctl, PGconn *conn, const char *dir, const char *only)
{
	struct hl_error err = {.text = ""};
	struct hl_refdata *ref = NULL;
	json_t *docs = ctl_ref_docs(dir, &err);
	int rc = CTL_OK;

	if (!docs || hl_refdata_new(docs, &ref, &err) != HL_OK) {
		json_decref(docs);
		return ctl_fail(ctl, "%s", err.text);
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && rc == CTL_OK; i++)
		if (!only || strcmp(only, kinds[i]) == 0)
			rc = import_doc(ctl, conn, kinds[i], json_object_get(docs, kinds[i]));
	hl_refdata_free(&ref);
	json_decref(docs);
	return rc;
}

static int import(struct ctl *ctl, PGconn *conn, const char *kind, const char *path)
{
	char contacts[4096];
	int rc;

	if (strcmp(kind, "contacts") == 0)
		return import_contacts(ctl, conn, path);
	if (strcmp(kind, "all") != 0) {
		char *dir = strdup(path), *slash = strrchr(dir, '/');

		if (slash)
			*slash = '\0';
		rc = import_all(ctl, conn, slash ? dir : ".", kind);
		free(dir);
		return rc;
	}
	rc = import_all(ctl, conn, path, NULL);
	snprintf(contacts, sizeof(contacts), "%s/contacts.json", path);
	if (rc == CTL_OK && access(contacts, R_OK) == 0)
		rc = import_contacts(ctl, conn, contacts);
	return rc;
}

static bool is_kind(const char *kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return strcmp(kind, "all") == 0 || strcmp(kind, "contacts") == 0;
}

int cmd_import(struct ctl *ctl)
{
	const char *kind = ctl_word(ctl, 0), *path = ctl_word(ctl, 1);
	const struct hl_config *config;
	PGconn *conn;
	int rc;

	if (!kind || !path || !is_kind(kind))
		return CTL_USAGE;
	config = ctl_config(ctl);
	if (!config)
		return CTL_FAILED;
	conn = PQconnectdb(config->conninfo);
	if (PQstatus(conn) != CONNECTION_OK)
		rc = ctl_fail(ctl, "database: %s", PQerrorMessage(conn));
	else
		rc = import(ctl, conn, kind, path);
	PQfinish(conn);
	return rc;
}
