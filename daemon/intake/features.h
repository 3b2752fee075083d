/* features.h - a text as numbered features for the linear model: character n-grams, rules, phrase lists; pure
 *
 * Features are hashes, so that the model holds no word of anybody's message. A phrase list is named by the rule it
 * belongs to, so its feature stays the same when the county edits the list.
 */
#ifndef INTAKE_FEATURES_H
#define INTAKE_FEATURES_H

#include "intake/reading.h"

enum hl_block { HL_BLOCK_TITLE, HL_BLOCK_WHOLE, HL_BLOCK_TITLE_RULES, HL_BLOCK_RULES, HL_BLOCKS };

/* One occurrence; the same id may come many times. */
struct hl_feature {
	uint32_t id;         /* never 0 */
	uint32_t start, end; /* in the folded text; 0, 0: a rule or list */
	enum hl_block block;
};

struct hl_features {
	struct hl_feature *items;
	size_t n;
};

/* hl_features_of - Gives false when the reading's arena failed. Cost O(length + rules) */
bool hl_features_of(const struct hl_reading *r, struct hl_features *out_r);

/* hl_feature_hash - of a name ("HOU-1.wall", "set:gas"); never 0. */
uint32_t hl_feature_hash(uint32_t seed, const char *name);

/* The features a model knows: hash -> number. Open addressing. */
struct hl_dict {
	uint32_t *ids; /* 0: free */
	uint32_t *numbers;
	size_t mask;
	size_t n;
};

/* hl_dict_init - room for n features. hl_dict_add numbers them in the order they come; twice the same: false. */
bool hl_dict_init(struct hl_dict *d, struct hl_arena *arena, size_t n);
bool hl_dict_add(struct hl_dict *d, uint32_t id);
#define HL_DICT_NONE UINT32_MAX
uint32_t hl_dict_find(const struct hl_dict *d, uint32_t id);

/* One known feature of a text with its value; the values of a block have length 1 times the block's weight. */
struct hl_value {
	uint32_t number;
	float value;
	const struct hl_feature *first;
};

/* hl_features_weigh - known features of a text, in the order they were first seen.
 * Gives   *n_r values in the arena; NULL when it failed. */
struct hl_value *hl_features_weigh(const struct hl_features *f, const struct hl_dict *d, struct hl_arena *arena,
				   size_t *n_r);

#endif
