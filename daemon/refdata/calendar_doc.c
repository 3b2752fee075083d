/* calendar_doc.c - reads an expanded calendar document into a struct hl_calendar, trusting nothing
 *
 * Owns     the shape of the expanded document; the calendar it gives away.
 * Knows not zone rules or holidays (calendar_expand.c), nor where the document came from.
 * Limits   instants between 1970 and the year 9999. Everything the arithmetic in
 *          casework/calendar.c leans on (order, disjointness, days) is checked here once.
 */
#include "hotline/calendar_doc.h"

#include <stdlib.h>
#include <string.h>

#define US_PER_S     INT64_C(1000000)
#define LAST_S       INT64_C(253402300799) /* 9999-12-31 23:59:59: times 10^6 it still fits 64 bits */
#define OFFSET_S_MAX (18 * 3600)           /* farther than any zone ever was */

static enum hl_class load_text(const json_t *doc, const char *field, char *out_r, size_t out_bytes,
			       struct hl_error *err)
{
	const char *text = json_string_value(json_object_get(doc, field));
	if (!text || !*text)
		return hl_fail(err, HL_INPUT, "%s: must be a text that is not empty", field);
	if (strlen(text) >= out_bytes)
		return hl_fail(err, HL_INPUT, "%s: must be shorter than %zu bytes", field, out_bytes);
	memcpy(out_r, text, strlen(text) + 1);
	return HL_OK;
}

/* One row of n integers, each an instant in range unless the caller checks it further. */
static enum hl_class load_row(const json_t *row, const char *field, size_t index, size_t n, int64_t *values_r,
			      struct hl_error *err)
{
	if (!json_is_array(row) || json_array_size(row) != n)
		return hl_fail(err, HL_INPUT, "%s[%zu]: must be a list of %zu whole numbers", field, index, n);
	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_array_get(row, i);
		if (!json_is_integer(value))
			return hl_fail(err, HL_INPUT, "%s[%zu][%zu]: must be a whole number", field, index, i);
		values_r[i] = json_integer_value(value);
	}
	if (values_r[0] < 0 || values_r[0] > LAST_S)
		return hl_fail(err, HL_INPUT, "%s[%zu][0]: must be seconds between 1970 and the year 9999", field,
			       index);
	return HL_OK;
}

/* An array of the document that must hold something, and room for as many items. */
static enum hl_class load_list(const json_t *doc, const char *field, size_t item_bytes, const json_t **list_r,
			       void **items_r, struct hl_error *err)
{
	const json_t *list = json_object_get(doc, field);
	if (!json_is_array(list) || json_array_size(list) == 0)
		return hl_fail(err, HL_INPUT, "%s: must be a list that is not empty", field);
	*items_r = calloc(json_array_size(list), item_bytes);
	if (!*items_r)
		return hl_fail(err, HL_NOMEM, "%s: no memory for %zu items", field, json_array_size(list));
	*list_r = list;
	return HL_OK;
}

static enum hl_class load_offset(struct hl_calendar *cal, const json_t *row, size_t index, struct hl_error *err)
{
	int64_t values[2];
	enum hl_class cls = load_row(row, "offsets", index, 2, values, err);
	if (cls)
		return cls;
	if (values[1] < -OFFSET_S_MAX || values[1] > OFFSET_S_MAX)
		return hl_fail(err, HL_INPUT, "offsets[%zu][1]: must lie between -18 h and 18 h, in seconds", index);
	if (index > 0 && values[0] * US_PER_S <= cal->offsets[index - 1].from_us)
		return hl_fail(err, HL_INPUT, "offsets[%zu]: must begin after the one before it", index);
	cal->offsets[index] = (struct hl_zone_offset){.from_us = values[0] * US_PER_S, .offset_s = (int32_t)values[1]};
	return HL_OK;
}

static enum hl_class load_offsets(struct hl_calendar *cal, const json_t *doc, struct hl_error *err)
{
	const json_t *list;
	void *items;
	enum hl_class cls = load_list(doc, "offsets", sizeof *cal->offsets, &list, &items, err);
	if (cls)
		return cls;
	cal->offsets = items;
	cal->n_offsets = json_array_size(list);
	for (size_t i = 0; i < cal->n_offsets && !cls; i++)
		cls = load_offset(cal, json_array_get(list, i), i, err);
	return cls;
}

static enum hl_class load_interval(struct hl_calendar *cal, const json_t *row, size_t index, struct hl_error *err)
{
	int64_t values[3];
	enum hl_class cls = load_row(row, "intervals", index, 3, values, err);
	if (cls)
		return cls;
	int64_t opens_s = values[0], closes_s = values[1];
	if (closes_s <= opens_s || closes_s > LAST_S)
		return hl_fail(err, HL_INPUT, "intervals[%zu]: must close after it opens", index);
	if (opens_s % 60 || closes_s % 60)
		return hl_fail(err, HL_INPUT, "intervals[%zu]: must open and close on a full minute", index);
	if (index > 0 && opens_s * US_PER_S < cal->intervals[index - 1].closes_us)
		return hl_fail(err, HL_INPUT,
			       "intervals[%zu]: opens before the one before it closes; intervals must be sorted and "
			       "must not overlap",
			       index);
	struct hl_local_time local;
	hl_calendar_local(cal, opens_s * US_PER_S, &local);
	if (values[2] != local.day_number)
		return hl_fail(err, HL_INPUT, "intervals[%zu][2]: must be the local day of the opening, %d", index,
			       (int)local.day_number);
	/* Only a clock put back across midnight could do this; the search by day leans on the order. */
	if (index > 0 && local.day_number < cal->intervals[index - 1].day)
		return hl_fail(err, HL_INPUT, "intervals[%zu][2]: must not be before the day of the one before it",
			       index);
	cal->intervals[index] = (struct hl_interval){
		.opens_us = opens_s * US_PER_S, .closes_us = closes_s * US_PER_S, .day = local.day_number};
	return HL_OK;
}

static enum hl_class load_intervals(struct hl_calendar *cal, const json_t *doc, struct hl_error *err)
{
	const json_t *list;
	void *items;
	enum hl_class cls = load_list(doc, "intervals", sizeof *cal->intervals, &list, &items, err);
	if (cls)
		return cls;
	cal->intervals = items;
	cal->n_intervals = json_array_size(list);
	for (size_t i = 0; i < cal->n_intervals && !cls; i++)
		cls = load_interval(cal, json_array_get(list, i), i, err);
	return cls;
}

static enum hl_class load_second(const json_t *value, const char *field, int64_t *at_us_r, struct hl_error *err)
{
	json_int_t at_s = json_integer_value(value);
	if (!json_is_integer(value) || at_s < 0 || at_s > LAST_S)
		return hl_fail(err, HL_INPUT, "%s: must be seconds between 1970 and the year 9999", field);
	*at_us_r = at_s * US_PER_S;
	return HL_OK;
}

/* known_from came later: a document without it is known from its beginning. */
static enum hl_class load_known(struct hl_calendar *cal, const json_t *doc, struct hl_error *err)
{
	const json_t *known = json_object_get(doc, "known_from");
	enum hl_class cls = known ? load_second(known, "known_from", &cal->known_from_us, err) : HL_OK;
	return cls ? cls
		   : load_second(json_object_get(doc, "provisional_from"), "provisional_from",
				 &cal->provisional_from_us, err);
}

enum hl_class hl_calendar_load(const json_t *doc, struct hl_calendar *cal_r, struct hl_error *err)
{
	struct hl_calendar cal = {0};
	enum hl_class cls = load_text(doc, "name", cal.name, sizeof cal.name, err);
	if (!cls)
		cls = load_text(doc, "zone", cal.zone, sizeof cal.zone, err);
	if (!cls)
		cls = load_known(&cal, doc, err);
	/* Offsets before intervals: the day of an interval is checked with them. */
	if (!cls)
		cls = load_offsets(&cal, doc, err);
	if (!cls)
		cls = load_intervals(&cal, doc, err);
	if (cls)
		hl_calendar_fini(&cal);
	*cal_r = cal;
	return cls;
}
