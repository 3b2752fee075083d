/* fuzz_item.c - every text becomes an item that the database can take: classified, placed, dispatched or for review
 *
 * The rest of the text behind its first line is the text; the first line is who sends it. */
#include "hotline/item.h"
#include "refdata_fixture.h"

#include <stdlib.h>

#define ARENA_BYTES (8u << 20)
#define NOW_US      INT64_C(1774000000000000)

static struct hl_refdata *ref;

static void check_json(json_t *item)
{
	char *text;

	hl_assert(item);
	text = json_dumps(item, 0);
	hl_assert(text);
	free(text);
	json_decref(item);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	ref = fixture_refdata();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hl_inbound in = {.external_id = HL_LIT("x"), .to = HL_LIT("12345")};
	struct hl_arena arena;

	hl_slice_cut((struct hl_slice){(const char *)data, size}, '\n', &in.from, &in.bytes);
	hl_arena_init(&arena, ARENA_BYTES);
	check_json(hl_intake_item(ref, "loopback", "86", &in, &arena, NOW_US));
	hl_arena_fini(&arena);
	return 0;
}
