/* log.h - one line per state change, key=value, on standard error
 *
 *   2026-11-25T03:24:26.123Z info case.opened case=26-000123 type=FIR-1 unit=FIR
 *
 * Values are escaped so that one event is one line whatever a peer sent; phones
 * only go in through HL_PHONE, which masks them; message texts never go in.
 * Lines over the rate cap are counted, not written (log.dropped).
 */
#ifndef HOTLINE_LOG_H
#define HOTLINE_LOG_H

#include "hotline/slice.h"

enum hl_level { HL_DEBUG, HL_INFO, HL_WARN, HL_ERROR };

struct hl_field {
	const char *key; /* NULL ends the list */
	enum { HL_FIELD_STR, HL_FIELD_INT, HL_FIELD_PHONE } kind;
	struct hl_slice str;
	long long num;
};

#define HL_STR(k, s)   ((struct hl_field){.key = (k), .kind = HL_FIELD_STR, .str = hl_slice_str(s)})
#define HL_SLICE(k, s) ((struct hl_field){.key = (k), .kind = HL_FIELD_STR, .str = (s)})
#define HL_INT(k, n)   ((struct hl_field){.key = (k), .kind = HL_FIELD_INT, .num = (long long)(n)})
#define HL_PHONE(k, s) ((struct hl_field){.key = (k), .kind = HL_FIELD_PHONE, .str = (s)})

/* hl_log - hl_log(HL_INFO, "notice.sent", HL_INT("notice", id), HL_STR("channel", name));
 * The list may be empty: the unused field in front takes the comma then. */
#define hl_log(level, event, ...)                                                                                      \
	hl_log_write((level), (event), (const struct hl_field[]){{.key = NULL}, ##__VA_ARGS__, {.key = NULL}} + 1)

void hl_log_write(enum hl_level level, const char *event, const struct hl_field *fields);

/* hl_log_set_level - lines below it are not written. */
void hl_log_set_level(enum hl_level level);
bool hl_log_parse_level(const char *word, enum hl_level *level_r);

/* hl_log_set_sink - tests look at lines instead of standard error; NULL restores it. borrows arg until replaced. */
void hl_log_set_sink(void (*sink)(void *arg, enum hl_level level, const char *line), void *arg);

/* hl_log_dropped - lines not written because of the rate cap since start. */
unsigned long long hl_log_dropped(void);

#endif
