/* ladder_doc.h - checks ladder.json: who is told at which rung, and the supervisors' own times; pure
 *
 * The document is executed in SQL (hl.rung_rule, hl.supervision); here only its shape is known, so that
 * an import that could not work is refused whole.
 */
#ifndef HOTLINE_LADDER_DOC_H
#define HOTLINE_LADDER_DOC_H

#include "hotline/template.h"

/* hl_ladder_doc_check - Takes: doc as read from ladder.json; templates the rungs refer to.
 * Errors  HL_INPUT naming entry, field and rule: an unknown rung, urgency, state, audience, template or lane, the same
 *         rung twice for one urgency and audience, a time, count or day out of its range. */
enum hl_class hl_ladder_doc_check(const json_t *doc, const struct hl_templates *templates, struct hl_error *err);

#endif
