/* duties.h - units, case types and groups as imported; pure look-ups */
#ifndef HOTLINE_DUTIES_H
#define HOTLINE_DUTIES_H

#include "hotline/error.h"
#include "hotline/slice.h"
#include <jansson.h>
#include <stdbool.h>

struct hl_unit {
	const char *code, *name, *kind;
};

#define HL_CO_MAX 4
struct hl_case_type {
	const char *code, *name, *lead; /* lead: unit code or group (STR, UTI-GAS, PMC) */
	const char *co[HL_CO_MAX];
	size_t n_co;
};

struct hl_duties;

/* hl_duties_new - from units.json and case_types.json. keeps references to both documents.
 * Errors  HL_INPUT naming the entry, the field and the rule (unknown lead, too many co units, repeated code) */
enum hl_class hl_duties_new(json_t *units, json_t *case_types, struct hl_duties **out_r, struct hl_error *err);
void hl_duties_free(struct hl_duties **duties);
/* hl_duties_unit, hl_duties_type - NULL if unknown. Cost O(n), n is some dozens. */
const struct hl_unit *hl_duties_unit(const struct hl_duties *duties, const char *code);
const struct hl_case_type *hl_duties_type(const struct hl_duties *duties, const char *code);
/* hl_duties_type_at - the i-th, NULL behind the last. */
const struct hl_case_type *hl_duties_type_at(const struct hl_duties *duties, size_t i);
/* hl_duties_unit_named - the unit that people call so: its code, its name, or an abbreviation that fits no other one
 * (住建局 = 县住房和城乡建设局: its characters in that order). NULL: none or several. Cost O(n * length). */
const struct hl_unit *hl_duties_unit_named(const struct hl_duties *duties, struct hl_slice words);
/* hl_duties_unit_in - the only unit but one (NULL: none) whose name stands in the words, with or without its first
 * character (县). NULL: none or several. */
const struct hl_unit *hl_duties_unit_in(const struct hl_duties *duties, struct hl_slice words, const char *but);
/* hl_duties_is_group - STR, UTI-GAS, PMC: the member is chosen by the place. */
bool hl_duties_is_group(const struct hl_duties *duties, const char *code);
/* hl_duties_member - i-th member listed for a group, NULL behind the last or when not listed (PMC). */
const char *hl_duties_member(const struct hl_duties *duties, const char *group, size_t i);

#endif
