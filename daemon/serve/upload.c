/* upload.c - /u/TOKEN: a page by which a phone without MMS hands photos in
 *
 * Owns an upload from the request to its answer: look (hl.look_link), keep each photo, take (hl.take_photos). The token
 * is the whole right: it is told by SMS to one person, is for one case, and is compared by its digest in the database.
 * The page is plain HTML: no script, no cookie, nothing from elsewhere. Its texts are templates.
 * Limits: the body is in memory while it is looked at (http_server.h bounds how many); photos of one upload are looked
 * into one after the other.
 */
#include "gateway.h"

#include "hotline/log.h"
#include "hotline/multipart.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_LEN   22 /* 128 bits, six each */
#define PHOTOS_MAX  20
#define PAGE_BYTES  8192
#define DIGEST_LEN  32
#define PATH_PREFIX "/u/"

struct upload {
	struct gateway *gateway;
	struct hl_http_exchange *x;
	struct hl_slice photos[PHOTOS_MAX]; /* in the request */
	size_t n_photos, at;
	unsigned n_refused;
	json_t *kept;
	char digest[2 * DIGEST_LEN + 1];
};

bool upload_has_large_body(const struct hl_http_request *req)
{
	return hl_slice_has_prefix(req->path, PATH_PREFIX) && req->path.len == strlen(PATH_PREFIX) + TOKEN_LEN &&
	       hl_slice_eq_str(req->method, "POST");
}

size_t upload_body_bytes(void)
{
	return 2 * hl_media_max_bytes(HL_MEDIA_PHOTO);
}

static bool is_token(struct hl_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '\0' ||
		    !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", s.ptr[i]))
			return false;
	return s.len == TOKEN_LEN;
}

static bool digest_token(struct hl_slice token, char *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (EVP_Digest(token.ptr, token.len, digest, &len, EVP_sha256(), NULL) != 1 || len != DIGEST_LEN)
		return false;
	for (size_t i = 0; i < DIGEST_LEN; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
	return true;
}

/* ---- the page ------------------------------------------------------------- */

static void add_escaped(struct hl_buf *out, const char *text)
{
	for (const char *c = text; *c; c++)
		switch (*c) {
		case '<':
			hl_buf_add_str(out, "&lt;");
			break;
		case '>':
			hl_buf_add_str(out, "&gt;");
			break;
		case '&':
			hl_buf_add_str(out, "&amp;");
			break;
		case '"':
			hl_buf_add_str(out, "&quot;");
			break;
		default:
			hl_buf_add_char(out, *c);
		}
}

/* takes params. */
static void add_text(struct gateway *g, struct hl_buf *out, const char *before, const char *key, json_t *params,
		     const char *after)
{
	struct hl_buf text;

	hl_buf_init(&text, PAGE_BYTES);
	hl_buf_add_str(out, before);
	if (hl_template_render(g->refdata->templates, key, g->config->language, params, &g->refdata->calendar, &text,
			       NULL) == HL_OK)
		add_escaped(out, hl_buf_str(&text));
	hl_buf_add_str(out, after);
	hl_buf_fini(&text);
	json_decref(params);
}

static void add_form(struct gateway *g, struct hl_buf *out, json_int_t left)
{
	add_text(g, out, "<p>", "page_hint", json_pack("{s:I}", "left", left), "</p>");
	add_text(g, out,
		 "<form method=\"post\" enctype=\"multipart/form-data\"><input type=\"file\" name=\"photo\" "
		 "accept=\"image/jpeg,image/png\" multiple><button>",
		 "page_button", NULL, "</button></form>");
}

/* What the link's state means to a reader; taken and refused: of the upload that is answered. takes no reference. */
static void show_page(struct upload *u, int status, const json_t *looked, json_int_t taken)
{
	struct gateway *g = u->gateway;
	const char *state = json_string_value(json_object_get(looked, "state"));
	struct hl_buf out;
	char key[32];

	hl_buf_init(&out, PAGE_BYTES);
	add_text(g, &out,
		 "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
		 "content=\"width=device-width\"><meta name=\"referrer\" content=\"no-referrer\"><meta "
		 "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
		 "form-action 'self'\"><style>body{font:18px sans-serif;margin:1em auto;max-width:30em;padding:0 1em}"
		 "input,button{display:block;width:100%;font-size:18px;margin:1em 0;padding:.5em}</style><title>",
		 "page_title", NULL, "</title></head><body><h1>");
	add_text(g, &out, "", "page_title", NULL, "</h1>");
	if (taken > 0)
		add_text(g, &out, "<p>", "page_taken",
			 json_pack("{s:I, s:s}", "count", taken, "case",
				   json_string_value(json_object_get(looked, "case"))),
			 "</p>");
	if (u->n_refused > 0)
		add_text(g, &out, "<p>", "page_refused", json_pack("{s:i}", "count", (int)u->n_refused), "</p>");
	if (state && strcmp(state, "open") == 0) {
		add_form(g, &out, json_integer_value(json_object_get(looked, "left")));
	} else {
		snprintf(key, sizeof(key), "page_%s", state ? state : "busy");
		add_text(g, &out, "<p>", key, NULL, "</p>");
	}
	hl_buf_add_str(&out, "</body></html>\n");
	hl_http_reply(u->x, hl_buf_failed(&out) ? 503 : status, "text/html; charset=utf-8", hl_buf_slice(&out));
	hl_buf_fini(&out);
}

static void end(struct upload *u)
{
	u->gateway->n_uploads--;
	json_decref(u->kept);
	free(u);
}

static void busy(struct upload *u)
{
	show_page(u, 503, NULL, 0);
	end(u);
}

/* ---- take ----------------------------------------------------------------- */

static void on_taken(void *arg, const struct hl_pg_result *r)
{
	struct upload *u = arg;
	struct gateway *g = u->gateway;
	json_t *reply = r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL;

	if (!reply) {
		hl_log(HL_WARN, "upload.not_taken", HL_STR("class", hl_class_name(r->cls)), HL_STR("why", r->text));
		busy(u);
		return;
	}
	if (json_array_size(json_object_get(reply, "talk")) > 0)
		hl_dialogue_take(g->dialogue, json_object_get(reply, "talk"));
	hl_outbox_kick(g->outbox);
	show_page(u, u->n_refused > 0 && json_integer_value(json_object_get(reply, "taken")) == 0 ? 422 : 200, reply,
		  json_integer_value(json_object_get(reply, "taken")));
	json_decref(reply);
	end(u);
}

static bool call(struct upload *u, const char *function, json_t *args, hl_pg_done *done)
{
	return hl_store_submit_json(&u->gateway->work_store, function, args, 0,
				    u->gateway->config->db_deadline_ms * HL_US_PER_MS, done, u) == HL_OK;
}

static void keep_next(struct upload *u);

static void on_kept(void *arg, const struct hl_kept *kept)
{
	struct upload *u = arg;

	if (kept->cls == HL_OK) {
		json_array_append_new(u->kept, json_pack("{s:s, s:s, s:I, s:i, s:i}", "sha256", kept->sha256, "type",
							 kept->type, "bytes", (json_int_t)kept->bytes, "width",
							 (int)kept->width, "height", (int)kept->height));
	} else if (kept->cls == HL_INPUT) {
		u->n_refused++;
	} else {
		hl_log(HL_WARN, "upload.not_kept", HL_STR("why", kept->why));
		busy(u);
		return;
	}
	keep_next(u);
}

static void keep_next(struct upload *u)
{
	if (u->at < u->n_photos) {
		if (hl_keep(u->gateway->keeper, HL_MEDIA_PHOTO, u->photos[u->at++], on_kept, u, NULL) != HL_OK)
			busy(u);
		return;
	}
	if (!call(u, "take_photos", json_pack("{s:s, s:O}", "digest", u->digest, "photos", u->kept), on_taken))
		busy(u);
}

/* ---- look ----------------------------------------------------------------- */

/* False: the body is no form of ours. A field without a chosen file has no bytes. */
static bool find_photos(struct upload *u)
{
	struct hl_http_request *req = hl_http_exchange_request(u->x);
	enum hl_part_found found;
	struct hl_multipart m;
	struct hl_part part;

	if (!hl_multipart_begin(&m, hl_http_header(req, "Content-Type"), req->body))
		return false;
	while ((found = hl_multipart_next(&m, &part)) == HL_PART_FOUND)
		if (part.is_file && part.bytes.len > 0 && u->n_photos < PHOTOS_MAX)
			u->photos[u->n_photos++] = part.bytes;
	return found == HL_PART_END;
}

static void on_looked(void *arg, const struct hl_pg_result *r)
{
	struct upload *u = arg;
	bool is_post = hl_slice_eq_str(hl_http_exchange_request(u->x)->method, "POST");
	json_t *looked = r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL;
	const char *state = json_string_value(json_object_get(looked, "state"));

	if (!state) {
		busy(u);
	} else if (strcmp(state, "open") != 0) {
		show_page(u, strcmp(state, "unknown") == 0 ? 404 : 410, looked, 0);
		end(u);
	} else if (!is_post) {
		show_page(u, 200, looked, 0);
		end(u);
	} else if (!find_photos(u)) {
		hl_http_reply_reason(u->x, 400, "not a form with photos");
		end(u);
	} else if (u->n_photos == 0) {
		show_page(u, 200, looked, 0);
		end(u);
	} else {
		keep_next(u);
	}
	json_decref(looked);
}

void upload_handle(struct gateway *g, struct hl_http_exchange *x)
{
	struct hl_http_request *req = hl_http_exchange_request(x);
	struct hl_slice token = {req->path.ptr + strlen(PATH_PREFIX), req->path.len - strlen(PATH_PREFIX)};
	struct upload *u;

	if (!hl_slice_eq_str(req->method, "GET") && !hl_slice_eq_str(req->method, "HEAD") &&
	    !hl_slice_eq_str(req->method, "POST")) {
		hl_http_reply_reason(x, 405, "method not allowed");
		return;
	}
	if (!is_token(token)) {
		hl_http_reply_reason(x, 404, "no such path");
		return;
	}
	if (!g->refdata || !g->work_store.is_ready(g->work_store.ctx)) {
		hl_http_reply_reason(x, 503, "not ready, try again");
		return;
	}
	u = calloc(1, sizeof(*u));
	if (u)
		u->kept = json_array();
	if (!u || !u->kept || !digest_token(token, u->digest)) {
		hl_http_reply_reason(x, 503, "out of memory");
		free(u);
		return;
	}
	u->gateway = g;
	u->x = x;
	g->n_uploads++;
	if (!call(u, "look_link", json_pack("{s:s}", "digest", u->digest), on_looked))
		busy(u);
}
