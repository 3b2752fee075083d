/* vector_run.h - one provider vector put through its adapter, with what it expects checked
 *
 * The form of a vector is told in tests/unit/test_vectors.c. A broken expectation fails the running cmocka test.
 */
#ifndef HOTLINE_TESTS_VECTOR_RUN_H
#define HOTLINE_TESTS_VECTOR_RUN_H

#include <jansson.h>
#include "hotline/provider.h"

#define VECTOR_SECRETS_MAX  4
#define VECTOR_SETTINGS_MAX 40
#define VECTOR_PARAMS_MAX   8

/* vector_run - what went in and what came out of it. */
struct vector_run {
	const struct hl_provider *ops;
	const json_t *vector;
	struct hl_arena arena; /* ends with hl_arena_fini */
	struct hl_channel channel;
	json_t *merged; /* the file's channel with what the vector changes in it; ends with json_decref */
	struct hl_secret secrets[VECTOR_SECRETS_MAX];
	struct hl_setting settings[VECTOR_SETTINGS_MAX];
	enum hl_verdict verdict;
	enum hl_class cls; /* of parse or build */
	struct hl_error err;
	struct hl_parsed parsed, again;
	struct hl_request built;
	struct hl_answer answer;
	struct hl_finding finding;
	int status;
};

#define VECTOR_STATES 5
/* Words for the states of receipts in vector files. */
extern const char *const vector_states[VECTOR_STATES];

struct hl_slice vector_get(const json_t *object, const char *key);
const char *vector_str(const json_t *object, const char *key, const char *fallback);
bool vector_has(const struct vector_run *r, const char *part);

/* vector_run - runs every part the vector has; file is the whole vector file. */
void vector_run(struct vector_run *r, const struct hl_provider *ops, const json_t *file, const json_t *vector);

#endif
