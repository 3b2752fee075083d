/* common.c - small things every adapter needs
 *
 * Pure. Must not know: any single provider, HTTP beyond a header's syntax.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "common.h"
#include "hotline/text.h"

#define DETAIL_BYTES_MAX 120
#define URL_BYTES_MAX    1000
#define DAY_S            86400

enum hl_class hl_adapter_name(struct hl_arena *arena, const char *field, struct hl_slice raw, size_t max_bytes,
			      struct hl_slice *out_r, struct hl_error *err)
{
	*out_r = hl_slice_trim(hl_text_decode(arena, raw, NULL));
	if (!out_r->len || out_r->len > max_bytes)
		return hl_fail(err, HL_INPUT, "%s: must be 1 to %zu bytes", field, max_bytes);
	return HL_OK;
}

struct hl_slice hl_adapter_plus(struct hl_arena *arena, struct hl_slice number)
{
	bool is_full = number.len > 6 && number.ptr[0] != '+' && number.ptr[0] != '0';

	for (size_t i = 0; i < number.len; i++)
		is_full &= number.ptr[i] >= '0' && number.ptr[i] <= '9';
	return is_full ? hl_slice_str(hl_arena_printf(arena, "+%.*s", HL_SLICE_ARG(number))) : number;
}

struct hl_inbound *hl_adapter_messages(struct hl_arena *arena, struct hl_parsed *out, size_t n)
{
	out->messages = hl_arena_array(arena, n, sizeof(*out->messages));
	out->n_messages = out->messages ? n : 0;
	return out->messages;
}

struct hl_receipt *hl_adapter_receipts(struct hl_arena *arena, struct hl_parsed *out, size_t n)
{
	out->receipts = hl_arena_array(arena, n, sizeof(*out->receipts));
	out->n_receipts = out->receipts ? n : 0;
	return out->receipts;
}

struct hl_inbound *hl_adapter_one_message(struct hl_arena *arena, struct hl_parsed *out)
{
	return hl_adapter_messages(arena, out, 1);
}

struct hl_receipt *hl_adapter_one_receipt(struct hl_arena *arena, struct hl_parsed *out)
{
	return hl_adapter_receipts(arena, out, 1);
}

enum hl_receipt_state hl_adapter_state(const struct hl_state_word *words, struct hl_slice word)
{
	for (; words->word; words++) {
		if (hl_slice_eq_nocase(word, words->word))
			return words->state;
	}
	return HL_RECEIPT_OTHER;
}

static bool is_word(struct hl_slice word, const char *pattern)
{
	size_t n = strlen(pattern);

	if (n && pattern[n - 1] == '*')
		return word.len >= n - 1 && !memcmp(word.ptr ? word.ptr : "", pattern, n - 1);
	return hl_slice_eq_str(word, pattern);
}

bool hl_adapter_outcome(const struct hl_outcome_word *words, struct hl_slice word, struct hl_answer *out)
{
	for (; words->word; words++) {
		if (is_word(word, words->word)) {
			out->outcome = words->outcome;
			out->delay_us = words->delay_s * INT64_C(1000000);
			out->is_opted_out = words->is_opted_out;
			return true;
		}
	}
	return false;
}

struct hl_slice hl_adapter_derive_id(struct hl_arena *arena, const struct hl_slice *parts, size_t n)
{
	struct hl_digest digest;
	struct hl_buf all;
	size_t n_bytes = n;

	for (size_t i = 0; i < n; i++)
		n_bytes += parts[i].len;
	hl_buf_init(&all, n_bytes + 1);
	for (size_t i = 0; i < n; i++) {
		hl_buf_add(&all, parts[i]);
		hl_buf_add_char(&all, '\0');
	}
	if (hl_buf_failed(&all))
		arena->failed = true;
	digest = hl_digest_of("SHA256", hl_buf_slice(&all));
	hl_buf_fini(&all);
	return hl_hex(arena, hl_digest_slice(&digest));
}

bool hl_adapter_attempt(struct hl_slice text, uint64_t *out_r)
{
	return hl_slice_u64(text, out_r) && *out_r && *out_r <= INT64_MAX;
}

/* ---- sending -------------------------------------------------------------- */

static bool is_header_value(struct hl_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\r' || s.ptr[i] == '\n' || s.ptr[i] == '\0')
			return false;
	}
	return true;
}

static enum hl_class copy_headers(struct hl_arena *arena, const struct hl_http_header *headers, size_t n_headers,
				  struct hl_request *out, struct hl_error *err)
{
	struct hl_http_header *copies = hl_arena_array(arena, n_headers, sizeof(*copies));

	for (size_t i = 0; copies && i < n_headers; i++) {
		if (!is_header_value(headers[i].value))
			return hl_fail(err, HL_BUG, "header %.*s holds CR, LF or NUL", HL_SLICE_ARG(headers[i].name));
		copies[i].name = hl_arena_dup(arena, headers[i].name);
		copies[i].value = hl_arena_dup(arena, headers[i].value);
	}
	out->headers = copies;
	out->n_headers = n_headers;
	return HL_OK;
}

static enum hl_class make(const char *url, struct hl_arena *arena, const struct hl_http_header *headers,
			  size_t n_headers, struct hl_request *out, struct hl_error *err)
{
	enum hl_class cls = copy_headers(arena, headers, n_headers, out, err);

	if (!cls && hl_arena_failed(arena))
		cls = hl_fail(err, HL_NOMEM, "out of memory");
	if (cls)
		*out = (struct hl_request){0};
	else
		out->url = url;
	return cls;
}

enum hl_class hl_adapter_post(const struct hl_channel *ch, struct hl_arena *arena, const struct hl_http_header *headers,
			      size_t n_headers, struct hl_slice body, struct hl_request *out, struct hl_error *err)
{
	*out = (struct hl_request){.body = hl_arena_dup(arena, body)};
	return make(ch->send_url, arena, headers, n_headers, out, err);
}

enum hl_class hl_adapter_post_json(const struct hl_channel *ch, struct hl_arena *arena,
				   const struct hl_http_header *headers, size_t n_headers, json_t *doc,
				   struct hl_request *out, struct hl_error *err)
{
	char *body = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	enum hl_class cls;

	*out = (struct hl_request){0};
	json_decref(doc);
	if (!body)
		return hl_fail(err, HL_BUG, "text, number or a setting is not valid UTF-8");
	cls = hl_adapter_post(ch, arena, headers, n_headers, hl_slice_str(body), out, err);
	free(body);
	return cls;
}

enum hl_class hl_adapter_get(const char *url, struct hl_arena *arena, const struct hl_http_header *headers,
			     size_t n_headers, struct hl_request *out, struct hl_error *err)
{
	*out = (struct hl_request){.is_get = true};
	return make(url, arena, headers, n_headers, out, err);
}

struct hl_slice hl_adapter_receipt_url(const struct hl_channel *ch, uint64_t attempt, struct hl_arena *arena)
{
	return hl_slice_str(hl_arena_printf(arena, "%s/hook/%s/receipt?n=%" PRIu64, ch->public_url, ch->name, attempt));
}

struct hl_slice hl_adapter_basic(struct hl_arena *arena, struct hl_slice user, struct hl_slice password)
{
	const char *both = hl_arena_printf(arena, "%.*s:%.*s", HL_SLICE_ARG(user), HL_SLICE_ARG(password));
	struct hl_slice coded = hl_base64(arena, hl_slice_str(both));

	return hl_slice_str(hl_arena_printf(arena, "Basic %.*s", HL_SLICE_ARG(coded)));
}

struct hl_slice hl_adapter_detail(struct hl_arena *arena, struct hl_slice body)
{
	struct hl_slice line, rest;

	if (body.len > DETAIL_BYTES_MAX)
		body.len = DETAIL_BYTES_MAX;
	hl_slice_cut(body, '\n', &line, &rest);
	return hl_slice_trim(hl_text_decode(arena, line, NULL));
}

struct hl_slice hl_adapter_status_detail(struct hl_arena *arena, int status)
{
	return hl_slice_str(hl_arena_printf(arena, "HTTP %d", status));
}

struct hl_slice hl_adapter_code(struct hl_arena *arena, struct hl_slice code, int status)
{
	bool is_plain = code.len && code.len <= DETAIL_BYTES_MAX;

	for (size_t i = 0; i < code.len && is_plain; i++)
		is_plain = code.ptr[i] >= ' ' && code.ptr[i] <= '~';
	return is_plain ? hl_arena_dup(arena, code) : hl_adapter_status_detail(arena, status);
}

struct hl_slice hl_adapter_header(const struct hl_http_header *headers, size_t n_headers, const char *name)
{
	for (size_t i = 0; i < n_headers; i++) {
		if (hl_slice_eq_nocase(headers[i].name, name))
			return headers[i].value;
	}
	return (struct hl_slice){0};
}

int64_t hl_adapter_retry_after_us(const struct hl_http_header *headers, size_t n_headers)
{
	uint64_t seconds;

	if (!hl_slice_u64(hl_adapter_header(headers, n_headers, "Retry-After"), &seconds))
		return 0;
	return (int64_t)(seconds < DAY_S ? seconds : DAY_S) * 1000000;
}

void hl_adapter_by_status(int status, const json_t *doc, struct hl_slice id, const struct hl_http_header *headers,
			  size_t n_headers, struct hl_arena *arena, struct hl_answer *out)
{
	*out = (struct hl_answer){.outcome = HL_OUT_UNKNOWN, .detail = hl_adapter_status_detail(arena, status)};
	if (status >= 200 && status < 300 && id.len && id.len <= HL_EXTERNAL_ID_BYTES_MAX) {
		out->outcome = HL_OUT_ACCEPTED;
		out->external_id = id;
	} else if (status == 429) {
		out->outcome = HL_OUT_LATER;
		out->delay_us = hl_adapter_retry_after_us(headers, n_headers);
	} else if (status >= 401 && status <= 405) {
		out->outcome = HL_OUT_CONFIG; /* 402: the plan is used up */
	} else if (status >= 400 && status < 500 && doc) {
		out->outcome = HL_OUT_REFUSED;
	}
}

/* ---- time ----------------------------------------------------------------- */

/* Source: H. Hinnant, chrono-compatible low-level date algorithms, civil_from_days. */
static void civil(int64_t days, int *year_r, int *month_r, int *day_r)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

	*day_r = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month_r = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year_r = (int)(yoe + era * 400 + (*month_r <= 2));
}

struct hl_slice hl_adapter_utc_date(struct hl_arena *arena, int64_t us)
{
	int year, month, day;

	civil(us / 1000000 / DAY_S, &year, &month, &day);
	return hl_slice_str(hl_arena_printf(arena, "%04d-%02d-%02d", year, month, day));
}

struct hl_slice hl_adapter_utc(struct hl_arena *arena, int64_t us)
{
	int second = (int)(us / 1000000 % DAY_S);
	struct hl_slice date = hl_adapter_utc_date(arena, us);

	return hl_slice_str(hl_arena_printf(arena, "%.*sT%02d:%02d:%02dZ", HL_SLICE_ARG(date), second / 3600,
					    second / 60 % 60, second % 60));
}

struct hl_slice hl_adapter_utc_basic(struct hl_arena *arena, int64_t us)
{
	struct hl_slice utc = hl_adapter_utc(arena, us);
	char *out = hl_arena_alloc(arena, utc.len + 1);
	size_t n = 0;

	for (size_t i = 0; out && i < utc.len; i++) {
		if (utc.ptr[i] != '-' && utc.ptr[i] != ':')
			out[n++] = utc.ptr[i];
	}
	return (struct hl_slice){out, n};
}

bool hl_adapter_is_fresh(struct hl_slice seconds, int64_t now_us)
{
	uint64_t s;
	int64_t age_us;

	if (!hl_slice_u64(seconds, &s) || s > INT64_MAX / 2000000)
		return false;
	age_us = now_us - (int64_t)s * 1000000;
	return age_us <= HL_TOLERANCE_US && age_us >= -HL_TOLERANCE_US;
}
