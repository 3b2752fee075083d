/* operate_parts.h (private to daemon/casework) - what the moves of an operator share */
#ifndef CASEWORK_OPERATE_PARTS_H
#define CASEWORK_OPERATE_PARTS_H

#include "hotline/operate.h"
#include "hotline/route.h"

struct move {
	const struct hl_refdata *ref;
	const struct hl_operation *op;
	struct hl_arena *arena;
	json_t *act; /* grows; owned by hl_operate */
	struct hl_error *err;
};

/* Text of a member, "" when it is not there or no text. */
const char *move_text(const json_t *o, const char *name);
/* What the operator said, NULL when he did not. */
const char *move_said(const struct move *m, const char *name);
int64_t move_us(const json_t *o, const char *name);
/* Refuses: "rule: why". */
enum hl_class move_refuse(struct move *m, const char *rule, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool move_is(const struct move *m, const char *state);
void move_set(struct move *m, const char *name, json_t *value);

/* The class of the case as it stands, with what the operator said about it; HL_REFUSED for a word nobody knows. */
enum hl_class move_class(struct move *m, struct hl_classified *cls_r);
/* Where the case lies: what the operator said (at), else what is known. HL_REFUSED when the words name no compound. */
enum hl_class move_place(struct move *m, struct hl_place *place_r);
/* The unit the operator named (unit), NULL when he named none. HL_REFUSED when there is none of that name. */
enum hl_class move_unit(struct move *m, const char **unit_r);

/* The open (or last done) task with that role and, unless NULL, unit. */
const json_t *move_task(const json_t *found, const char *role, const char *unit);
bool move_is_open(const json_t *task);

/* limits.h's arithmetic on a found task. from_us 0: its own assignment; close NULL: the limit that follows from there.
 * Signed tasks have no sign rungs any more; rungs that are past are left out. Gives {task, from_us, close_us,
 * provisional, rungs, dues_us} for hl.relimit. */
enum hl_class limits_of_task(struct move *m, const json_t *task, int64_t from_us, const struct hl_instant *close,
			     json_t **limits_r);
/* The close limit of a task. While its clock stands still: where it would be if the clock went on now. */
enum hl_class limit_as_it_runs(struct move *m, const json_t *task, struct hl_instant *close_r);
/* Makes a new task keep a limit that was given before it: the time to sign is fresh, the close stays. */
enum hl_class limits_handed_on(struct move *m, struct hl_routed *routed, const struct hl_instant *close);
/* The same with the limit of the task before it. */
enum hl_class limits_kept_from(struct move *m, struct hl_routed *routed, const json_t *task);

/* A closed case begins anew (operate.c): by an operator, or because a reporter's request is granted. */
enum hl_class move_reopen(struct move *m);
/* The moves about what was asked (operate_ask.c). */
enum hl_class move_grant(struct move *m);
enum hl_class move_refuse_request(struct move *m);
/* The moves of joint enforcement (operate_joint.c). */
enum hl_class move_task_add(struct move *m);
enum hl_class move_rollcall(struct move *m);
enum hl_class move_stage(struct move *m);

#endif
