/* route.h - from class and place to what happens with a report; pure
 *
 * Sure and placed: dispatch to the units of the duty table. Not sure, or no place:
 * an operator decides. Emergencies are dispatched even so, marked unverified
 * (mission decisions 15-18).
 */
#ifndef HOTLINE_ROUTE_H
#define HOTLINE_ROUTE_H

#include "hotline/refdata.h"

enum hl_disposition { HL_DISPATCH, HL_REVIEW, HL_NOT_ACCEPTED };

struct hl_routed_task {
	const char *unit;
	bool is_lead;
	bool is_handed_on; /* its close limit was given before it was: */
	int64_t kept_from; /* by the task whose it was, */
	int days;          /* or by an operator, in working days */
	struct hl_limits limits;
	struct hl_rung rungs[HL_RUNGS_MAX];
	size_t n_rungs;
};

#define HL_TASKS_MAX (2 + HL_CO_MAX)

struct hl_routed {
	enum hl_disposition disposition;
	int64_t from_us; /* the instant limits count from */
	bool is_unverified;
	const char *why;   /* literal: what kept it from being dispatched, or "" */
	int64_t review_us; /* by when an operator must have looked (any disposition) */
	int64_t desk_us;   /* when the desk may be texted about it */
	struct hl_routed_task tasks[HL_TASKS_MAX];
	size_t n_tasks;
};

/* hl_route - decides. Errors HL_CONFIG: the calendar ends before a limit. */
enum hl_class hl_route(const struct hl_refdata *ref, const struct hl_classified *cls, const struct hl_place *place,
		       int64_t now_us, struct hl_routed *out_r, struct hl_error *err);

/* hl_route_decided - an operator decided: dispatched whatever is not known. lead NULL: the duty table's for this place.
 * Gives  n_tasks 0 when no unit follows. Errors HL_CONFIG as above. */
enum hl_class hl_route_decided(const struct hl_refdata *ref, const struct hl_classified *cls,
			       const struct hl_place *place, const char *lead, int64_t now_us, struct hl_routed *out_r,
			       struct hl_error *err);

/* hl_route_unit - one task for a known unit (none for the hotline itself). Errors HL_CONFIG as above. */
enum hl_class hl_route_unit(const struct hl_refdata *ref, const struct hl_classified *cls, const char *unit,
			    bool is_lead, int64_t now_us, struct hl_routed *out_r, struct hl_error *err);

/* hl_route_tasks_json - [{unit, role, from_us, sign_us, arrive_us, close_us, provisional, rungs, dues_us}] for
 * hl.add_tasks. gives. */
json_t *hl_route_tasks_json(const struct hl_routed *routed);

#endif
