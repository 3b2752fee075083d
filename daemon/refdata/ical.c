/* ical.c - holidays out of an iCalendar file (contract in hotline/ical.h)
 *
 * libical parses and follows repetitions; what makes a day a working one is decided here. Times of day and zones of
 * events do not matter: the day that is written counts.
 */
#include "hotline/ical.h"

#include "hotline/calendar.h"

#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_DAYS_MAX 60
#define REPEATS_MAX    1000
#define US_PER_DAY     INT64_C(86400000000)

static bool has_word(const char *text)
{
	return text && (strstr(text, "班") || strcasestr(text, "make-up") || strcasestr(text, "workday") ||
			strcasestr(text, "working day"));
}

static bool is_working(icalcomponent *event)
{
	if (has_word(icalcomponent_get_summary(event)))
		return true;
	for (icalproperty *p = icalcomponent_get_first_property(event, ICAL_CATEGORIES_PROPERTY); p;
	     p = icalcomponent_get_next_property(event, ICAL_CATEGORIES_PROPERTY))
		if (has_word(icalproperty_get_categories(p)))
			return true;
	return false;
}

static int32_t day_of(struct icaltimetype t)
{
	return hl_civil_days(t.year, t.month, t.day);
}

static enum hl_class mark(json_t *days, int32_t day, bool is_off, const char *name, struct hl_error *err)
{
	const struct hl_calendar utc = {0};
	struct hl_local_time date;
	char text[40];
	hl_calendar_local(&utc, day * US_PER_DAY, &date);
	snprintf(text, sizeof text, "%04d-%02d-%02d", date.year, date.month, date.day);
	const json_t *seen = json_object_get(days, text);
	if (seen && json_is_true(json_object_get(seen, "isOffDay")) != is_off)
		return hl_fail(err, HL_INPUT, "%s must not be both a day off and a working day", text);
	if (!seen)
		json_object_set_new(days, text,
				    json_pack("{s:i, s:s, s:b, s:s}", "year", date.year, "date", text, "isOffDay",
					      is_off, "name", name ? name : ""));
	return HL_OK;
}

/* All days of one showing of an event. A DATE end lies behind the last day, so does midnight. */
static enum hl_class mark_span(json_t *days, icalcomponent *event, int32_t first, int n_days, struct hl_error *err)
{
	enum hl_class cls = HL_OK;
	for (int k = 0; k < n_days && !cls; k++)
		cls = mark(days, first + k, !is_working(event), icalcomponent_get_summary(event), err);
	return cls;
}

static int length_days(icalcomponent *event, struct icaltimetype start)
{
	struct icaltimetype end = icalcomponent_get_dtend(event);
	if (icaltime_is_null_time(end))
		return 1;
	int n = day_of(end) - day_of(start) + (!end.is_date && (end.hour || end.minute || end.second));
	return n < 1 ? 1 : n;
}

static enum hl_class mark_repeats(json_t *days, icalcomponent *event, struct icaltimetype start, int n_days,
				  int last_year, struct hl_error *err)
{
	icalproperty *rule = icalcomponent_get_first_property(event, ICAL_RRULE_PROPERTY);
	if (!rule)
		return mark_span(days, event, day_of(start), n_days, err);
	icalrecur_iterator *at = icalrecur_iterator_new(icalproperty_get_rrule(rule), start);
	enum hl_class cls = at ? HL_OK : hl_fail(err, HL_INPUT, "RRULE: must be a rule of repetition");
	for (int k = 0; at && !cls && k < REPEATS_MAX; k++) {
		struct icaltimetype next = icalrecur_iterator_next(at);
		if (icaltime_is_null_time(next) || next.year > last_year)
			break;
		cls = mark_span(days, event, day_of(next), n_days, err);
	}
	if (at)
		icalrecur_iterator_free(at);
	return cls;
}

static enum hl_class mark_event(json_t *days, icalcomponent *event, int last_year, struct hl_error *err)
{
	struct icaltimetype start = icalcomponent_get_dtstart(event);
	const char *name = icalcomponent_get_summary(event);
	if (icaltime_is_null_time(start) || start.year < 1971 || start.year > 9000)
		return hl_fail(err, HL_INPUT, "event \"%.40s\": DTSTART: must be a date", name ? name : "");
	int n_days = length_days(event, start);
	if (n_days > EVENT_DAYS_MAX)
		return hl_fail(err, HL_INPUT, "event \"%.40s\": must not be longer than %d days", name ? name : "",
			       EVENT_DAYS_MAX);
	if (mark_repeats(days, event, start, n_days, last_year, err))
		return hl_error_prefix(err, "event \"%.40s\"", name ? name : "");
	return HL_OK;
}

static json_t *sorted_values(json_t *days)
{
	char *text = json_dumps(days, JSON_SORT_KEYS);
	json_t *sorted = text ? json_loads(text, 0, NULL) : NULL, *rows = json_array(), *row;
	const char *key;
	json_object_foreach (sorted, key, row)
		json_array_append(rows, row);
	json_decref(sorted);
	free(text);
	return rows;
}

/* libical wants to end the string itself, and calls what it cannot read an X-LIC-ERROR component's business. */
static icalcomponent *parse(struct hl_slice text)
{
	char *copy = strndup(text.ptr ? text.ptr : "", text.len);
	icalerror_set_errors_are_fatal(false);
	icalcomponent *root = copy ? icalparser_parse_string(copy) : NULL;
	free(copy);
	return root;
}

enum hl_class hl_ical_holidays(struct hl_slice text, int last_year, json_t **rows_r, struct hl_error *err)
{
	icalcomponent *root = parse(text), *event = NULL;
	json_t *days = json_object();
	enum hl_class cls = HL_OK;
	*rows_r = NULL;
	if (!root || icalcomponent_isa(root) != ICAL_VCALENDAR_COMPONENT)
		cls = hl_fail(err, HL_INPUT, "must be an iCalendar file (BEGIN:VCALENDAR)");
	else
		event = icalcomponent_get_first_component(root, ICAL_VEVENT_COMPONENT);
	if (!cls && !event)
		cls = hl_fail(err, HL_INPUT, "must hold at least one event");
	for (; event && !cls; event = icalcomponent_get_next_component(root, ICAL_VEVENT_COMPONENT))
		cls = mark_event(days, event, last_year, err);
	if (!cls)
		*rows_r = sorted_values(days);
	json_decref(days);
	if (root)
		icalcomponent_free(root);
	return cls;
}
