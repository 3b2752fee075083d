/* ask.h - what a unit asks the centre for: hand-back, more time, assistance; pure
 *
 * Says whether it may be asked, by which rule not, and computes what the answer needs: by
 * when the operator must have answered, and which limit more time would give. Limits run on
 * until the answer is there (mission decisions 13, 14).
 */
#ifndef HOTLINE_ASK_H
#define HOTLINE_ASK_H

#include "hotline/refdata.h"

#define HL_EXTENSION_MAX_DAYS 10 /* working days behind the limit */

enum hl_ask_kind { HL_ASK_HANDBACK, HL_ASK_EXTEND, HL_ASK_ASSIST };

struct hl_ask {
	enum hl_ask_kind kind;
	enum hl_urgency urgency;
	const char *own_unit;
	int64_t assigned_us, close_us, now_us;
	int64_t stopped_us;           /* since when its clock stands still, 0: it runs */
	struct hl_slice reason, unit; /* as written */
	int days;                     /* calendar days, 0: not said */
	bool is_frozen;               /* the lead is settled (推诿) */
	bool was_extended, is_pending;
};

struct hl_asked {
	const char *rule;  /* NULL: it may be asked; else the name of the rule that forbids it (a literal) */
	const char *unit;  /* code of the unit named, NULL: not known which */
	int64_t until_us;  /* until when it may be asked */
	int64_t answer_us; /* by when the operator must have answered */
	int64_t close_us;  /* extension: the limit it would give, else 0 */
};

/* hl_ask - judges a request. What stands still is judged as if it went on now: while the reporter is waited for, no
 * window closes. Errors HL_CONFIG: the calendar ends before a limit. */
enum hl_class hl_ask(const struct hl_refdata *ref, const struct hl_ask *ask, struct hl_asked *out_r,
		     struct hl_error *err);

/* hl_extended_limit - close of business of the day so many calendar days behind a limit, or of the next working day.
 * Gives  *rule_r NULL or the rule it breaks. Errors HL_CONFIG: the calendar ends before. */
enum hl_class hl_extended_limit(const struct hl_calendar *cal, int64_t close_us, int days, struct hl_instant *limit_r,
				const char **rule_r, struct hl_error *err);

/* hl_desk_time - when the hotline's desk may be texted about work of that urgency: normal ones in working hours. */
int64_t hl_desk_time(const struct hl_calendar *cal, enum hl_urgency urgency, int64_t now_us);

#endif
