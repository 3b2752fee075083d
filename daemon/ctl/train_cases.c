/* train_cases.c - what operators settled, as samples to learn from
 *
 * Comes masked (mask.h) into the samples: neither the model nor this process keeps anybody's number or told name. What
 * was erased, or is older than asked for, is not there (hl.training_cases). Masked signs become a digit, which is how
 * the model reads numbers.
 */
#include "train.h"

#include "hotline/mask.h"
#include "hotline/text.h"

#include <stdio.h>
#include <string.h>

#define CASES_MAX   20000
#define CASES_LEAST 20
#define MASK_BYTES  ((size_t)1 << 20)

static json_t *masked(const json_t *text)
{
	struct hl_slice words = {json_string_value(text), json_string_length(text)};
	struct hl_arena arena;
	json_t *out;
	char *to;

	hl_arena_init(&arena, MASK_BYTES);
	words = hl_mask_private(&arena, words);
	to = hl_arena_alloc(&arena, words.len + 1);
	for (size_t i = 0; to && i < words.len; i++)
		to[i] = words.ptr[i] == '#' ? '0' : words.ptr[i];
	out = to ? json_stringn(to, words.len) : NULL;
	hl_arena_fini(&arena);
	return out;
}

int train_cases(struct training *t, int days)
{
	json_t *reply = ctl_admin(t->ctl, "training", json_pack("{s:i, s:i}", "days", days, "limit", CASES_MAX)),
	       *of_case;
	size_t i, n = 0, n_changed = 0;
	int rc = reply ? CTL_OK : CTL_FAILED;

	json_array_foreach (json_object_get(reply, "cases"), i, of_case) {
		json_t *text = masked(json_object_get(of_case, "text"));

		if (rc == CTL_OK && json_string_length(text) > 0) {
			json_object_set(of_case, "text", text);
			rc = train_add(t, of_case);
			n++;
			n_changed += strcmp(ctl_text(of_case, "type"), ctl_text(of_case, "said")) != 0;
		}
		json_decref(text);
	}
	json_decref(reply);
	if (rc == CTL_OK && n < CASES_LEAST)
		rc = ctl_fail(t->ctl, "%zu cases that operators settled in %d days are too few to learn from", n, days);
	if (rc == CTL_OK)
		fprintf(stderr, "train: %zu cases that operators settled, %zu of them classed otherwise\n", n,
			n_changed);
	return rc;
}
