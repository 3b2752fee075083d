/* fuzz_kannel.c - Kannel's callbacks: first line the query, second line X-Kannel-Coding, the rest the body */
#include "hotline/provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
	static const char *const subpaths[] = {"", "/receipt"};
	const struct hl_provider *ops = hl_provider_find("kannel");
	struct hl_channel ch = {.name = "kannel", .provider = "kannel", .from = HL_LIT("12345"), .country = "86"};
	struct hl_slice input = {(const char *)data, n_bytes};
	struct hl_http_header headers[] = {{HL_LIT("X-Kannel-Coding")}, {HL_LIT("X-Kannel-To"), HL_LIT("12345")}};
	struct hl_http_request req = {.method = HL_LIT("POST"), .headers = headers, .n_headers = 2};

	hl_slice_cut(input, '\n', &req.query, &input);
	hl_slice_cut(input, '\n', &headers[0].value, &req.body);
	for (size_t i = 0; i < 2; i++) {
		struct hl_arena arena;
		struct hl_parsed out;
		struct hl_error err;

		hl_arena_init(&arena, 1 << 20);
		req.arena = &arena;
		if (!ops->parse(&ch, &req, hl_slice_str(subpaths[i]), &out, &err))
			hl_assert(out.n_messages + out.n_receipts == 1 &&
				  (!out.n_messages || out.messages[0].external_id.len));
		hl_arena_fini(&arena);
	}
	return 0;
}
