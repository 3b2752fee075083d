/* fuzz_loopback.c - the loopback provider's bodies, as messages, as receipts and as answers */
#include "hotline/provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
	static const char *const subpaths[] = {"", "/receipt"};
	const struct hl_provider *ops = hl_provider_find("loopback");
	struct hl_channel ch = {.name = "loopback", .provider = "loopback", .from = HL_LIT("12345"), .country = "86"};
	struct hl_http_request req = {.method = HL_LIT("POST"), .body = {(const char *)data, n_bytes}};
	struct hl_arena arena;
	struct hl_answer answer;

	req.arena = &arena;
	for (size_t i = 0; i < 2; i++) {
		struct hl_parsed out;
		struct hl_error err;

		hl_arena_init(&arena, 1 << 20);
		if (!ops->parse(&ch, &req, hl_slice_str(subpaths[i]), &out, &err))
			hl_assert(out.n_messages + out.n_receipts == 1 &&
				  (!out.n_messages || out.messages[0].external_id.len));
		hl_arena_fini(&arena);
	}
	hl_arena_init(&arena, 1 << 20);
	ops->interpret(&ch, 202, req.body, NULL, 0, &arena, &answer);
	hl_assert(answer.outcome != HL_OUT_ACCEPTED || answer.external_id.len);
	hl_arena_fini(&arena);
	return 0;
}
