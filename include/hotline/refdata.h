/* refdata.h - all reference documents of a county, parsed and checked, as one read-only object
 *
 * Documents come from the database (daemon) or from files (hotlinectl); both go
 * through the same parsers. A reload makes a new object; the old one is freed when
 * the turn that used it ends.
 */
#ifndef HOTLINE_REFDATA_H
#define HOTLINE_REFDATA_H

#include "hotline/calendar.h"
#include "hotline/classify.h"
#include "hotline/duties.h"
#include "hotline/flow.h"
#include "hotline/limits.h"
#include "hotline/place.h"
#include "hotline/talk.h"
#include "hotline/template.h"

/* Working time of units that keep other hours than the county. */
struct hl_unit_calendar {
	struct hl_calendar calendar;
	const json_t *units, *unit_kinds; /* lists of texts, NULL: none; parts of docs */
};

struct hl_refdata {
	json_t *docs;
	struct hl_duties *duties;
	struct hl_limit_rules *limits;
	struct hl_classifier *classifier;
	struct hl_gazetteer *gazetteer;
	struct hl_templates *templates;
	struct hl_grammar *grammar;
	struct hl_flow *flow; /* NULL: none was imported, no call is answered */
	struct hl_calendar calendar; /* the county's */
	struct hl_unit_calendar *unit_calendars;
	size_t n_unit_calendars;
};

/* hl_refdata_new - Takes docs {"units": .., "case_types", "limits", "rules", "places", "calendar" (expanded),
 * "templates", "grammar", and "model" and "flow", which may be missing}; keeps a reference. Errors HL_INPUT naming the
 * document, the entry and the rule; HL_CONFIG: a document is missing. */
enum hl_class hl_refdata_new(json_t *docs, struct hl_refdata **out_r, struct hl_error *err);
void hl_refdata_free(struct hl_refdata **refdata);

/* hl_refdata_calendar - by which calendar a unit works: one that names it, else one that names its kind, else the
 * county's. Takes   unit: a code; of one nobody knows the county's is given Cost    O(units named in calendars) */
const struct hl_calendar *hl_refdata_calendar(const struct hl_refdata *ref, const char *unit);
/* hl_refdata_desk - by which calendar the hotline's own desk works. */
const struct hl_calendar *hl_refdata_desk(const struct hl_refdata *ref);

#endif
