/* fuzz_talk.c - the parser of replies: the first byte says who speaks and how many codes are open, the rest is the text
 */
#include "hotline/talk.h"
#include "hotline/text.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

/* The shipped words, from the folder the fuzzer runs in. */
static const struct hl_grammar *grammar(void)
{
	static struct hl_grammar *g;

	if (!g) {
		json_t *doc = json_load_file("schema/ref/grammar.json", 0, NULL);
		struct hl_error err;

		hl_assert(doc && hl_grammar_new(doc, &g, &err) == HL_OK);
		json_decref(doc);
	}
	return g;
}

static bool is_acted_on(enum hl_verb verb)
{
	return verb != HL_VERB_NONE && verb != HL_VERB_ASK && verb != HL_VERB_HELP && verb != HL_VERB_REPORT;
}

static void check(const struct hl_said *said, const struct hl_slice *open, size_t n_open)
{
	bool is_open = false;

	hl_assert(hl_verb_name(said->verb));
	for (size_t i = 0; i < n_open; i++)
		is_open |= said->code.len == open[i].len && memcmp(said->code.ptr, open[i].ptr, open[i].len) == 0;
	hl_assert(said->code.len == 0 || is_open);
	hl_assert(is_acted_on(said->verb) || (!said->code.len && !said->reason.len && !said->unit.len && !said->days));
	/* Whoever is acted for named a case, has only one, or means all. */
	hl_assert(!is_acted_on(said->verb) || is_open || said->is_all || said->verb == HL_VERB_STATUS);
	hl_assert(hl_text_is_utf8(said->reason) && hl_text_is_utf8(said->unit) && said->days >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
	const struct hl_slice open[] = {HL_LIT("3F7K"), HL_LIT("8M2P"), HL_LIT("60G1Z"), HL_LIT("26000123")};
	size_t n_open = n_bytes > 0 ? data[0] / 2 % 5 : 0;
	struct hl_slice text = {(const char *)data + 1, n_bytes > 0 ? n_bytes - 1 : 0};
	struct hl_arena arena;
	struct hl_said said;

	if (n_bytes == 0)
		return 0;
	hl_arena_init(&arena, 4u << 20);
	hl_talk_parse(grammar(), data[0] % 2, hl_text_decode(&arena, text, "UTF-8"), open, n_open, &arena, &said);
	hl_assert(!hl_arena_failed(&arena));
	check(&said, open, n_open);
	hl_arena_fini(&arena);
	return 0;
}
