/* fuzz_http.c - no input, in whatever pieces, makes the request parser read outside its bytes or disagree with itself
 *
 * The first byte chooses how the rest is cut; the whole and the cut feed must end alike. */
#include "hotline/error.h"
#include "hotline/http_parse.h"

static const struct hl_http_limits limits = {
	.request_line_bytes = 256, .header_bytes = 1024, .n_headers = 16, .body_bytes = 512};

static size_t feed(struct hl_http_parser *parser, struct hl_slice bytes, size_t step)
{
	size_t used = 0, took = step;

	while (used < bytes.len && took == step) {
		size_t left = bytes.len - used;

		took = hl_http_parser_feed(parser, (struct hl_slice){bytes.ptr + used, step < left ? step : left});
		used += took;
	}
	return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hl_slice bytes = {(const char *)data + 1, size ? size - 1 : 0};
	struct hl_http_parser *whole = hl_http_parser_new(&limits), *cut = hl_http_parser_new(&limits);

	hl_assert(whole && cut);
	if (size > 1) {
		hl_assert(feed(whole, bytes, bytes.len) == feed(cut, bytes, data[0] % 37 + 1U));
		hl_assert(hl_http_parser_phase(whole) == hl_http_parser_phase(cut));
		hl_assert(hl_http_parser_status(whole) == hl_http_parser_status(cut));
		hl_assert(hl_slice_eq(hl_http_parser_request(whole)->body, hl_http_parser_request(cut)->body));
	}
	hl_http_parser_free(&whole);
	hl_http_parser_free(&cut);
	return 0;
}
