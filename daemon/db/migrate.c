/* migrate.c - forward-only migrations (contract in hotline/migrate.h)
 *
 * Owns a connection for the length of one run. The only file besides tests that may
 * use libpq's blocking calls: it runs in hotlinectl, before any daemon serves.
 */
#include "hotline/migrate.h"

#include "hotline/buf.h"
#include "hotline/law.h"

#include <dirent.h>
#include <libpq-fe.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX_BYTES (1 << 20)
#define LOCK_KEY       "4919202601"

struct run {
	PGconn *conn;
	struct hl_error *err;
};

static enum hl_class exec(struct run *run, const char *what, const char *sql)
{
	PGresult *res = PQexec(run->conn, sql);
	ExecStatusType status = PQresultStatus(res);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		hl_fail(run->err, HL_CONFIG, "%s: %s", what, PQresultErrorMessage(res));
	PQclear(res);
	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? HL_OK : HL_CONFIG;
}

static enum hl_class exec_params(struct run *run, const char *what, const char *sql, int n, const char *const *values,
				 char *first_r, size_t first_bytes)
{
	PGresult *res = PQexecParams(run->conn, sql, n, NULL, values, NULL, NULL, 0);
	ExecStatusType status = PQresultStatus(res);
	enum hl_class cls = HL_OK;

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		cls = hl_fail(run->err, HL_CONFIG, "%s: %s", what, PQresultErrorMessage(res));
	else if (first_r)
		snprintf(first_r, first_bytes, "%s", PQntuples(res) > 0 ? PQgetvalue(res, 0, 0) : "");
	PQclear(res);
	return cls;
}

static enum hl_class read_file(const char *path, struct hl_buf *out, struct hl_error *err)
{
	FILE *f = fopen(path, "re");
	char chunk[8192];
	size_t n;

	if (!f)
		return hl_fail(err, HL_CONFIG, "%s: cannot be read: %m", path);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		hl_buf_add(out, (struct hl_slice){chunk, n});
	fclose(f);
	return hl_buf_failed(out) ? hl_fail(err, HL_LIMIT, "%s: larger than %d bytes", path, FILE_MAX_BYTES) : HL_OK;
}

static void seal(const struct hl_buf *text, char hex_r[2 * SHA256_DIGEST_LENGTH + 1])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)hl_buf_str(text), text->len, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex_r + 2 * i, 3, "%02x", digest[i]);
}

/* One file in one transaction, with its line in the journal. kind: "migration" or "functions". */
static enum hl_class apply(struct run *run, const char *name, const char *kind, const struct hl_buf *text,
			   const char *hex)
{
	const char *const values[] = {name, kind, hex};

	if (exec(run, name, "begin") != HL_OK || exec(run, name, "set local check_function_bodies = off") != HL_OK ||
	    exec(run, name, hl_buf_str(text)) != HL_OK ||
	    exec_params(run, name,
			"insert into public.hotline_schema (name, kind, sha256) values ($1, $2, $3) "
			"on conflict (name) do update set sha256 = excluded.sha256, applied_at = clock_timestamp()",
			3, values, NULL, 0) != HL_OK) {
		PQclear(PQexec(run->conn, "rollback"));
		return HL_CONFIG;
	}
	return exec(run, name, "commit");
}

static enum hl_class visit(struct run *run, const char *path, const char *name, bool is_function, unsigned *applied)
{
	const char *const values[] = {name};
	struct hl_buf text;
	char known[80], hex[2 * SHA256_DIGEST_LENGTH + 1];
	enum hl_class cls;

	hl_buf_init(&text, FILE_MAX_BYTES);
	cls = read_file(path, &text, run->err);
	if (cls == HL_OK)
		cls = exec_params(run, name, "select sha256 from public.hotline_schema where name = $1", 1, values,
				  known, sizeof(known));
	if (cls == HL_OK) {
		seal(&text, hex);
		if (known[0] == '\0' || (is_function && strcmp(known, hex) != 0)) {
			cls = apply(run, name, is_function ? "functions" : "migration", &text, hex);
			(*applied)++;
		} else if (strcmp(known, hex) != 0) {
			cls = hl_fail(run->err, HL_CONFIG,
				      "%s: was changed after it had been applied; write a new migration", name);
		}
	}
	hl_buf_fini(&text);
	return cls;
}

static int is_sql(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && strcmp(d->d_name + n - 4, ".sql") == 0;
}

static enum hl_class visit_dir(struct run *run, const char *dir, bool is_function, unsigned *applied)
{
	struct dirent **names;
	int n = scandir(dir, &names, is_sql, alphasort);
	enum hl_class cls = HL_OK;

	if (n < 0)
		return hl_fail(run->err, HL_CONFIG, "%s: cannot be read: %m", dir);
	for (int i = 0; i < n; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		if (cls == HL_OK)
			cls = visit(run, path, names[i]->d_name, is_function, applied);
		free(names[i]);
	}
	free(names);
	if (cls == HL_OK && n == 0)
		cls = hl_fail(run->err, HL_CONFIG, "%s: holds no .sql file", dir);
	return cls;
}

/* A database that went further than this folder belongs to a newer release: an old one must not touch it. */
static enum hl_class refuse_newer(struct run *run, const char *dir)
{
	PGresult *res =
		PQexec(run->conn, "select name from public.hotline_schema where kind = 'migration' order by name");
	enum hl_class cls = HL_OK;

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		cls = hl_fail(run->err, HL_CONFIG, "journal: %s", PQresultErrorMessage(res));
	for (int i = 0; i < PQntuples(res) && cls == HL_OK; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", dir, PQgetvalue(res, i, 0));
		if (access(path, F_OK) != 0)
			cls = hl_fail(run->err, HL_CONFIG,
				      "%s: was applied, but %s does not know it; use the newer release",
				      PQgetvalue(res, i, 0), dir);
	}
	PQclear(res);
	return cls;
}

/* The law of this binary becomes the law of the database. */
static enum hl_class copy_law(struct run *run)
{
	size_t n;
	const struct hl_move *law = hl_law(&n);
	enum hl_class cls = exec(run, "law", "begin; delete from hl.law");

	for (size_t i = 0; i < n && cls == HL_OK; i++) {
		const char *const values[] = {law[i].scope, law[i].event, law[i].from, law[i].to};

		cls = exec_params(run, "law",
				  "insert into hl.law (scope, event, from_state, to_state) values ($1, $2, $3, $4)", 4,
				  values, NULL, 0);
	}
	if (cls != HL_OK) {
		PQclear(PQexec(run->conn, "rollback"));
		return cls;
	}
	return exec(run, "law", "commit");
}

static enum hl_class migrate(struct run *run, const char *dir, bool is_demo, struct hl_migrated *out)
{
	const char *const demo[] = {is_demo ? "true" : "false"};
	char fn_dir[4096];
	enum hl_class cls =
		exec(run, "lock", "set client_min_messages = warning; select pg_advisory_lock(" LOCK_KEY ")");

	snprintf(fn_dir, sizeof(fn_dir), "%s/fn", dir);
	if (cls == HL_OK)
		cls = exec(
			run, "journal",
			"create table if not exists public.hotline_schema (name text primary key, kind text not null, "
			"sha256 text not null, applied_at timestamptz not null default clock_timestamp())");
	if (cls == HL_OK)
		cls = refuse_newer(run, dir);
	if (cls == HL_OK)
		cls = visit_dir(run, dir, false, &out->applied);
	if (cls == HL_OK)
		cls = visit_dir(run, fn_dir, true, &out->functions);
	if (cls == HL_OK)
		cls = copy_law(run);
	if (cls == HL_OK)
		cls = exec_params(run, "clock",
				  "update hl.clock set is_demo = $1::boolean, offset_us = case when $1::boolean then "
				  "offset_us else 0 end",
				  1, demo, NULL, 0);
	return cls;
}

enum hl_class hl_migrate(const char *conninfo, const char *dir, bool is_demo, struct hl_migrated *out_r,
			 struct hl_error *err)
{
	struct run run = {.conn = PQconnectdb(conninfo), .err = err};
	enum hl_class cls;

	*out_r = (struct hl_migrated){0};
	if (PQstatus(run.conn) != CONNECTION_OK)
		cls = hl_fail(err, HL_RETRY, "database: %s", PQerrorMessage(run.conn));
	else
		cls = migrate(&run, dir, is_demo, out_r);
	PQfinish(run.conn);
	return cls;
}
