/* fetch.c - fetches the media that came with texts (contract in hotline/media.h)
 *
 * Owns the jobs that this daemon has leased, two at most, and an HTTP client of its own. A job goes: lease
 * (hl.media_due), fetch, keep, settle (hl.media_settled). When any of these fails in a way nobody can tell, the lease
 * runs out and the job is done again: a file has its content as its name, so twice is once. What an answer means and
 * how long to wait is check.c's.
 */
#include "hotline/http_client.h"
#include "hotline/log.h"
#include "hotline/media.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define AT_ONCE     2
#define HOPS_MAX    3
#define FETCH_US    (60 * HL_US_PER_S)
#define LEASE_US    (300 * HL_US_PER_S) /* all hops, the queue of the keeper, the deadline of the store */
#define ARENA_BYTES (256u << 10)
#define DATA_PREFIX "data:"

struct job {
	TAILQ_ENTRY(job) link;
	struct hl_media *media;
	json_t *row;
	json_int_t id;
	enum hl_media_kind kind;
	const struct hl_channel_config *channel;
	int tries, hops;
	bool was_inside; /* an address was refused */
	char *url;       /* malloc */
	struct hl_buf bytes;
	struct hl_http_op *fetching;
	struct hl_keep_op *keeping;
};

struct hl_media {
	struct hl_media_setup setup;
	struct hl_http_client *client;
	TAILQ_HEAD(, job) jobs;
	unsigned n_jobs, n_calls;
	bool is_looking, is_stopped;
	struct hl_media_stats stats;
};

static int64_t db_deadline_us(const struct hl_media *m)
{
	return m->setup.config->db_deadline_ms * HL_US_PER_MS;
}

static void free_job(struct job *job)
{
	struct hl_media *m = job->media;

	TAILQ_REMOVE(&m->jobs, job, link);
	m->n_jobs--;
	hl_http_cancel(&job->fetching);
	hl_keep_cancel(&job->keeping);
	hl_buf_fini(&job->bytes);
	json_decref(job->row);
	free(job->url);
	free(job);
}

/* ---- settle --------------------------------------------------------------- */

static void on_settled(void *arg, const struct hl_pg_result *r)
{
	struct hl_media *m = arg;
	json_t *reply = r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL;

	m->n_calls--;
	if (!reply) {
		hl_log(HL_WARN, "media.not_settled", HL_STR("class", hl_class_name(r->cls)), HL_STR("why", r->text));
		return;
	}
	if (json_array_size(json_object_get(reply, "talk")) > 0)
		m->setup.on_talk(m->setup.arg, json_object_get(reply, "talk"));
	m->setup.on_committed(m->setup.arg);
	json_decref(reply);
	hl_media_pulse(m);
}

/* takes item, ends the job. */
static void settle(struct job *job, json_t *item)
{
	struct hl_media *m = job->media;

	json_object_set_new(item, "media", json_integer(job->id));
	hl_log(HL_INFO, "media.settled", HL_INT("media", job->id),
	       HL_STR("result", json_string_value(json_object_get(item, "result"))), HL_INT("tries", job->tries),
	       HL_STR("why", json_string_value(json_object_get(item, "reason"))));
	if (hl_store_submit_json(&m->setup.store, "media_settled", json_pack("{s:[o]}", "items", item),
				 HL_PG_IDEMPOTENT, db_deadline_us(m), on_settled, m) == HL_OK)
		m->n_calls++;
	free_job(job);
}

static void give_up(struct job *job, const char *why)
{
	job->media->stats.given_up++;
	settle(job, json_pack("{s:s, s:s}", "result", "given_up", "reason", why));
}

static void try_later(struct job *job, const char *why)
{
	int64_t wait_us = hl_media_wait_us(job->tries);

	if (wait_us == 0) {
		give_up(job, why);
		return;
	}
	job->media->stats.retried++;
	settle(job, json_pack("{s:s, s:I, s:s}", "result", "later", "after_us", (json_int_t)wait_us, "reason", why));
}

/* ---- keep ----------------------------------------------------------------- */

static void on_kept(void *arg, const struct hl_kept *kept)
{
	struct job *job = arg;

	if (kept->cls == HL_RETRY) {
		try_later(job, kept->why);
	} else if (kept->cls != HL_OK) {
		give_up(job, kept->why);
	} else {
		job->media->stats.kept++;
		settle(job, json_pack("{s:s, s:s, s:s, s:I, s:i, s:i}", "result", "kept", "sha256", kept->sha256,
				      "type", kept->type, "bytes", (json_int_t)kept->bytes, "width", (int)kept->width,
				      "height", (int)kept->height));
	}
}

static void keep(struct job *job)
{
	job->media->stats.fetched++;
	if (hl_keep(job->media->setup.keeper, job->kind, hl_buf_slice(&job->bytes), on_kept, job, &job->keeping) !=
	    HL_OK)
		try_later(job, "out of memory");
}

/* ---- fetch ---------------------------------------------------------------- */

static void fetch(struct job *job);

static bool may_connect(void *ctx, const struct sockaddr *addr)
{
	struct job *job = ctx;
	const struct hl_config *config = job->media->setup.config;
	bool may = hl_media_may_connect(addr, config->media_inside, config->n_media_inside);

	job->was_inside |= !may;
	return may;
}

static bool set_url(struct job *job, const char *url)
{
	char *copy = strdup(url);

	free(job->url);
	job->url = copy;
	return copy != NULL;
}

/* The next address is judged like the first one: a redirect is how a stranger's server points at ours. */
static void follow(struct job *job, const struct hl_http_result *r)
{
	struct hl_slice location = {0};
	CURLU *url = curl_url();
	char *whole = NULL, *next;

	for (size_t i = 0; i < r->n_headers; i++)
		if (hl_slice_eq_nocase(r->headers[i].name, "Location"))
			location = r->headers[i].value;
	next = strndup(location.ptr ? location.ptr : "", location.len);
	if (next && url && location.len > 0 && curl_url_set(url, CURLUPART_URL, job->url, 0) == CURLUE_OK &&
	    curl_url_set(url, CURLUPART_URL, next, 0) == CURLUE_OK)
		curl_url_get(url, CURLUPART_URL, &whole, 0);
	free(next);
	curl_url_cleanup(url);
	if (++job->hops > HOPS_MAX)
		give_up(job, "redirected too often");
	else if (!whole || !set_url(job, whole))
		give_up(job, "redirected to no address");
	else
		fetch(job);
	curl_free(whole);
}

static bool is_too_long(const struct hl_http_result *r)
{
	return r->curl_code == CURLE_WRITE_ERROR || r->curl_code == CURLE_FILESIZE_EXCEEDED;
}

static void on_answer(void *arg, const struct hl_http_result *r)
{
	struct job *job = arg;
	char why[64];

	if (job->was_inside && r->cls != HL_OK) {
		give_up(job, "its host leads to an address that is not of the public Internet");
		return;
	}
	snprintf(why, sizeof(why), "answered %d", r->status);
	switch (hl_media_judge(r->cls, r->status, is_too_long(r))) {
	case HL_MEDIA_KEEP:
		hl_buf_add(&job->bytes, r->body);
		if (hl_buf_failed(&job->bytes))
			try_later(job, "out of memory");
		else
			keep(job);
		break;
	case HL_MEDIA_FOLLOW:
		follow(job, r);
		break;
	case HL_MEDIA_LATER:
		try_later(job, r->cls == HL_OK ? why : r->text);
		break;
	case HL_MEDIA_NEVER:
		give_up(job, is_too_long(r) ? "too long" : r->cls == HL_OK ? why : r->text);
		break;
	}
}

/* What our account at the provider needs, for its own host alone. Gives how many headers. */
static size_t credentials(const struct job *job, struct hl_arena *arena, struct hl_http_header *header)
{
	const struct hl_channel *ch = &job->channel->channel;
	char *plain, *coded;

	if (!ch->username || !ch->username[0] || ch->password.len == 0 || !ch->send_url ||
	    !hl_media_is_home(job->url, ch->send_url))
		return 0;
	plain = hl_arena_printf(arena, "%s:%.*s", ch->username, HL_SLICE_ARG(ch->password));
	coded = hl_arena_alloc(arena, 4 * (strlen(plain) / 3 + 1) + 1);
	if (!coded)
		return 0;
	EVP_EncodeBlock((unsigned char *)coded, (const unsigned char *)plain, (int)strlen(plain));
	*header = (struct hl_http_header){HL_LIT("Authorization"),
					  hl_slice_str(hl_arena_printf(arena, "Basic %s", coded))};
	return 1;
}

static const char *why_not(const struct job *job)
{
	const struct hl_channel_config *c = job->channel;

	if (c->n_media_allow == 0 && c->channel.send_url && hl_media_is_home(job->url, c->channel.send_url))
		return NULL;
	return hl_media_may_ask(job->url, c->media_allow, c->n_media_allow);
}

static void fetch(struct job *job)
{
	struct hl_http_header header;
	struct hl_arena arena;
	struct hl_http_call call = {.url = job->url,
				    .headers = &header,
				    .is_get = true,
				    .deadline_us = FETCH_US,
				    .max_reply_bytes = hl_media_max_bytes(job->kind),
				    .may_connect = may_connect,
				    .connect_ctx = job};
	const char *why = why_not(job);
	bool is_sent;

	if (why) {
		give_up(job, why);
		return;
	}
	hl_arena_init(&arena, ARENA_BYTES);
	call.n_headers = credentials(job, &arena, &header);
	is_sent = hl_http_submit(job->media->client, &call, on_answer, job, &job->fetching) == HL_OK;
	hl_arena_fini(&arena);
	if (!is_sent)
		try_later(job, "out of memory");
}

/* ---- bytes that came inside the message ------------------------------------- */

/* data:TYPE;base64,BYTES, as a phone's gateway hands photos over. */
static void read_data(struct job *job)
{
	struct hl_slice head, coded;
	unsigned char *bytes;
	int n;

	hl_slice_cut(hl_slice_str(job->url), ',', &head, &coded);
	bytes = malloc(coded.len / 4 * 3 + 3);
	n = bytes && coded.len > 0 && coded.len % 4 == 0
		    ? EVP_DecodeBlock(bytes, (const unsigned char *)coded.ptr, (int)coded.len)
		    : -1;
	for (size_t i = coded.len; n > 0 && i > 0 && coded.ptr[i - 1] == '='; i--)
		n--; /* padding is decoded as zeros */
	if (n > 0)
		hl_buf_add(&job->bytes, (struct hl_slice){(const char *)bytes, (size_t)n});
	free(bytes);
	if (n > 0 && !hl_buf_failed(&job->bytes))
		keep(job);
	else
		give_up(job, "data that is not base64, or too long");
}

/* ---- look ----------------------------------------------------------------- */

static void start(struct hl_media *m, json_t *row)
{
	const char *url = json_string_value(json_object_get(row, "url"));
	const char *kind = json_string_value(json_object_get(row, "kind"));
	const char *channel = json_string_value(json_object_get(row, "channel"));
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return;
	job->media = m;
	job->row = json_incref(row);
	job->id = json_integer_value(json_object_get(row, "media"));
	job->tries = (int)json_integer_value(json_object_get(row, "tries"));
	job->channel = hl_config_channel(m->setup.config, hl_slice_str(channel));
	TAILQ_INSERT_TAIL(&m->jobs, job, link);
	m->n_jobs++;
	if (!hl_media_kind_parse(hl_slice_str(kind), &job->kind) || !set_url(job, url ? url : "")) {
		free_job(job);
		return;
	}
	hl_buf_init(&job->bytes, hl_media_max_bytes(job->kind));
	if (!job->channel)
		try_later(job, "its channel is not in the settings");
	else if (strncmp(job->url, DATA_PREFIX, strlen(DATA_PREFIX)) == 0)
		read_data(job);
	else
		fetch(job);
}

static void on_due(void *arg, const struct hl_pg_result *r)
{
	struct hl_media *m = arg;
	json_t *reply = r->cls == HL_OK ? json_loadb(r->json.ptr, r->json.len, 0, NULL) : NULL, *row;
	size_t i;

	m->n_calls--;
	m->is_looking = false;
	if (json_array_size(json_object_get(reply, "talk")) > 0)
		m->setup.on_talk(m->setup.arg, json_object_get(reply, "talk"));
	json_array_foreach (json_object_get(reply, "jobs"), i, row)
		start(m, row);
	json_decref(reply);
}

void hl_media_pulse(struct hl_media *m)
{
	if (m->is_looking || m->is_stopped || m->n_jobs >= AT_ONCE || !m->setup.store.is_ready(m->setup.store.ctx))
		return;
	m->is_looking = hl_store_submit_json(&m->setup.store, "media_due",
					     json_pack("{s:i, s:I}", "limit", (int)(AT_ONCE - m->n_jobs), "lease_us",
						       (json_int_t)LEASE_US),
					     0, db_deadline_us(m), on_due, m) == HL_OK;
	m->n_calls += m->is_looking;
}

/* ---- life ----------------------------------------------------------------- */

/* What is left undone is leased again when its lease has run out: no drain waits for a slow server. */
void hl_media_stop(struct hl_media *m)
{
	struct job *job;

	m->is_stopped = true;
	while ((job = TAILQ_FIRST(&m->jobs)))
		free_job(job);
}

unsigned hl_media_outstanding(const struct hl_media *m)
{
	return m->n_jobs + m->n_calls;
}

const struct hl_media_stats *hl_media_stats(const struct hl_media *m)
{
	return &m->stats;
}

struct hl_media *hl_media_new(const struct hl_media_setup *setup)
{
	struct hl_media *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->setup = *setup;
	TAILQ_INIT(&m->jobs);
	m->client = hl_http_client_new(setup->loop, AT_ONCE);
	if (!m->client)
		hl_media_free(&m);
	return m;
}

void hl_media_free(struct hl_media **mp)
{
	struct hl_media *m = *mp;

	if (!m)
		return;
	*mp = NULL;
	hl_media_stop(m);
	hl_http_client_free(&m->client);
	free(m);
}
