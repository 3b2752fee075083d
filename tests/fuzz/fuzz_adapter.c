/* fuzz_adapter.c - whatever a provider, or somebody who claims to be one, sends or answers
 *
 * Byte 0 chooses the provider, byte 1 what the rest is: a request below one of its paths (a line with the query, header
 * lines up to an empty one, the body), or its answer to a send or to a question. */
#include "hotline/provider.h"
#include "hotline/voice.h"

#include <string.h>

#define ARENA_BYTES  (4u << 20)
#define HEADERS_MAX  16
#define SETTINGS_MAX 40
#define NOW_US       INT64_C(1764041000000000) /* of the vectors, as is the attempt they ask for */

static const struct hl_secret secrets[] = {{HL_LIT("demo-webhook-secret-1")}, {HL_LIT("demo-webhook-secret-0")}};

static void init_channel(const struct hl_provider *ops, struct hl_setting *settings, struct hl_channel *ch)
{
	size_t n = 0;

	for (const struct hl_option *o = ops->options; o && o->name && n < SETTINGS_MAX; o++)
		settings[n++] = (struct hl_setting){o->name, o->fallback ? o->fallback : "x"};
	*ch = (struct hl_channel){.name = ops->name,
				  .provider = ops->name,
				  .from = HL_LIT("12345"),
				  .send_url = "http://127.0.0.1:8080/send",
				  .public_url = "http://127.0.0.1:8080",
				  .username = "demo",
				  .password = HL_LIT("demo-password"),
				  .secrets = secrets,
				  .n_secrets = 2,
				  .country = "86",
				  .signature = "热线",
				  .settings = settings,
				  .n_settings = n};
}

/* "Name: value" lines up to an empty line; gives what stands behind it. */
static struct hl_slice read_headers(struct hl_slice input, struct hl_http_header *headers, size_t *n_r)
{
	struct hl_slice line, rest = input;

	*n_r = 0;
	while (rest.len > 0 && *n_r < HEADERS_MAX) {
		hl_slice_cut(rest, '\n', &line, &rest);
		if (line.len == 0)
			break;
		hl_slice_cut(line, ':', &headers[*n_r].name, &headers[*n_r].value);
		headers[*n_r].value = hl_slice_trim(headers[*n_r].value);
		(*n_r)++;
	}
	return rest;
}

static void check_parsed(const struct hl_parsed *out)
{
	for (size_t i = 0; i < out->n_messages; i++) {
		const struct hl_inbound *m = &out->messages[i];

		hl_assert(m->external_id.len > 0 && (m->bytes.ptr || m->bytes.len == 0));
		hl_assert(m->n_media == 0 || m->media);
	}
	for (size_t i = 0; i < out->n_receipts; i++)
		hl_assert(out->receipts[i].state <= HL_RECEIPT_OTHER);
}

static void ask_line(const struct hl_provider *ops, const struct hl_channel *ch, struct hl_http_request *req,
		     struct hl_slice subpath)
{
	const struct hl_dialect *dialect = hl_dialect_find(ops->voice);
	struct hl_call_event event;
	struct hl_error err;

	hl_assert(dialect);
	if (dialect->parse(ch, req, subpath, &event, &err) != HL_OK)
		return;
	hl_assert(event.call.len > 0 && event.kind <= HL_CALL_WHISPER && event.status <= HL_CALL_OTHER);
	hl_assert(event.flow.digits.len <= HL_CALL_DIGITS_MAX && event.flow.kind <= HL_FLOW_ENDED);
}

static void ask_hook(const struct hl_provider *ops, const struct hl_channel *ch, struct hl_slice subpath,
		     struct hl_slice input, struct hl_arena *arena)
{
	struct hl_http_header headers[HEADERS_MAX];
	struct hl_http_request req = {.method = HL_LIT("POST"), .headers = headers, .peer = HL_LIT("127.0.0.1")};
	struct hl_parsed out = {0};
	struct hl_error err;

	req.arena = arena;
	hl_slice_cut(input, '\n', &req.query, &input);
	req.path = HL_LIT("/hook/channel");
	req.body = read_headers(input, headers, &req.n_headers);
	ops->verify(ch, &req, subpath, NOW_US);
	if (ops->voice && hl_slice_has_prefix(subpath, "/voice"))
		ask_line(ops, ch, &req, subpath);
	else if (ops->parse(ch, &req, subpath, &out, &err) == HL_OK)
		check_parsed(&out);
}

static void hear_answer(const struct hl_provider *ops, const struct hl_channel *ch, int status, struct hl_slice body,
			struct hl_arena *arena)
{
	struct hl_doubt doubt = {
		.attempt = 4711, .to = HL_LIT("+8610000000001"), .text = HL_LIT("停水"), .sent_us = NOW_US};
	struct hl_finding finding = {0};
	struct hl_answer answer = {0};

	if (ops->interpret) {
		ops->interpret(ch, status, body, NULL, 0, arena, &answer);
		hl_assert(answer.outcome <= HL_OUT_UNKNOWN && answer.delay_us >= 0);
		/* The code alone proves nothing. */
		hl_assert(answer.outcome != HL_OUT_ACCEPTED || body.len > 0);
	}
	if (ops->learn) {
		ops->learn(ch, &doubt, status, body, arena, &finding);
		hl_assert(finding.found <= HL_FOUND_ABSENT);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = {200, 201, 202, 400, 401, 429, 500, 503};
	struct hl_setting settings[SETTINGS_MAX];
	const struct hl_provider *ops;
	size_t n_providers = 0, n_paths = 0, n_statuses = sizeof(statuses) / sizeof(statuses[0]), choice;
	struct hl_arena arena;
	struct hl_channel ch;

	if (size < 2)
		return 0;
	while (hl_provider_at(n_providers))
		n_providers++;
	hl_assert(n_providers > 0);
	ops = hl_provider_at(data[0] % n_providers);
	init_channel(ops, settings, &ch);
	while (ops->paths[n_paths])
		n_paths++;
	choice = data[1] % (n_paths + n_statuses);
	hl_arena_init(&arena, ARENA_BYTES);
	if (choice < n_paths)
		ask_hook(ops, &ch, hl_slice_str(ops->paths[choice]),
			 (struct hl_slice){(const char *)data + 2, size - 2}, &arena);
	else
		hear_answer(ops, &ch, statuses[choice - n_paths], (struct hl_slice){(const char *)data + 2, size - 2},
			    &arena);
	hl_arena_fini(&arena);
	return 0;
}
