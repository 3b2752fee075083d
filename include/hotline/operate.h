/* operate.h - an operator's move on a case: from what was found and what was said to one act; pure
 *
 * The same functions decide for hotlinectl and for any other desk: find_case (one call),
 * hl_operate, hl.act (one call). The act carries the version of the case it was decided on,
 * so that a race is refused by the database and decided again.
 */
#ifndef HOTLINE_OPERATE_H
#define HOTLINE_OPERATE_H

#include "hotline/refdata.h"

enum hl_role { HL_ROLE_NONE, HL_ROLE_OPERATOR, HL_ROLE_SUPERVISOR, HL_ROLE_ADMIN };

struct hl_operation {
	const char *verb;  /* assign place accept redo grant refuse merge wait resume reopen withdraw task_add rollcall
			      stage agenda_settle */
	enum hl_role role; /* some moves are a supervisor's */
	const char *operator; /* who */
	const json_t *args;   /* what he said: type unit urgency at days question where at_us kind stage why */
	const json_t *found;  /* as hl.find_case gives it */
	int64_t now_us;
};

/* hl_operate - decides one move.
 * Gives   the act for hl.act without "i" (the caller owns it).
 * Errors  HL_REFUSED "rule: why": the move is not legal, or something it needs was not said; HL_CONFIG: the calendar
 * ends before a limit; HL_NOMEM. */
enum hl_class hl_operate(const struct hl_refdata *ref, const struct hl_operation *op, struct hl_arena *arena,
			 json_t **act_r, struct hl_error *err);

/* hl_resume - what a wait has left of the limits of a case, once the reporter was heard (the "resume" of hl.act).
 * Takes   tasks and waiting_us as hl.tasks_json and hl.find_case give them. Gives {to, review_us?, limits}. The caller
 *         owns it; NULL: the calendar ends before a limit. */
json_t *hl_resume(const struct hl_refdata *ref, const json_t *tasks, enum hl_urgency urgency, int64_t waiting_us,
		  int64_t now_us, struct hl_error *err);

#endif
