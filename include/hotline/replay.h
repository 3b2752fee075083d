/* replay.h - the limits of a case computed again from its history; pure
 *
 * An event that gives a task limits says what they rest on: the assignment, a task before it, days that were granted, the
 * wait that ended. With the reference documents as they are now that must give the same instants, rungs that were fired
 * included. Where it does not, somebody changed a row, or rules and calendars are no longer those of then.
 */
#ifndef HOTLINE_REPLAY_H
#define HOTLINE_REPLAY_H

#include "hotline/refdata.h"

/* hl_replay - replays one case.
 * Takes   history: {type, tasks: [{task, unit, role, urgency, from_us}], events: [{seq, at_us, kind, task, data}]} as
 *         hl.limit_history gives it, events in order
 * Gives   {instants: how many were computed and compared, unknown: how many do not say what they rest on, provisional: how
 *         many differ because the holidays were not known then, differs: [{seq, unit, what, recorded_us, computed_us}],
 *         tasks: [{task, sign_us, arrive_us, close_us, provisional, rungs, dues_us}] as they would be now had these documents
 *         held from the beginning, for hl.recompute_limits; a task with anything unknown is not among them}. The caller owns it.
 * Errors  HL_CONFIG: the calendar ends before a limit */
enum hl_class hl_replay(const struct hl_refdata *ref, const json_t *history, json_t **replayed_r, struct hl_error *err);

#endif
