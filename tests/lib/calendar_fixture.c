/* calendar_fixture.c - calendars and readable instants for tests of working time
 *
 * Owns nothing the tests keep; fails the running test when a fixture is broken.
 */
#include "calendar_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char fixture_nights_spec[] = "{'name':'nights','zone':'Europe/Amsterdam',"
				   "'week':['mon','tue','wed','thu','fri','sat','sun'],"
				   "'hours':[['00:00','06:00'],['22:00','24:00']],'holidays':[{'year':2024,'days':"
				   "[{'date':'2024-12-25','isOffDay':true}]}]}";

static void expand_and_load(json_t *spec, struct hl_calendar *cal_r)
{
	struct hl_error err;
	json_t *doc;
	if (hl_calendar_expand(spec, &doc, &err) || hl_calendar_load(doc, cal_r, &err))
		fail_msg("%s", err.text);
	json_decref(doc);
	json_decref(spec);
}

void fixture_shipped(struct hl_calendar *cal_r)
{
	struct hl_error err;
	json_t *spec;
	if (hl_calendar_spec_read(SHIPPED_CALENDAR, &spec, &err))
		fail_msg("%s", err.text);
	expand_and_load(spec, cal_r);
}

json_t *fixture_json(const char *text)
{
	json_error_t where;
	char *quoted = strdup(text);
	assert_non_null(quoted);
	for (char *c = quoted; *c; c++)
		if (*c == '\'')
			*c = '"';
	json_t *doc = json_loads(quoted, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
	free(quoted);
	if (!doc)
		fail_msg("fixture is no JSON, column %d: %s", where.column, where.text);
	return doc;
}

void fixture_calendar(const char *spec_text, struct hl_calendar *cal_r)
{
	expand_and_load(fixture_json(spec_text), cal_r);
}

int64_t fixture_at(const char *text, int32_t offset_s)
{
	int year, month, day, hour, minute, second = 0;
	int n = sscanf(text, "%d-%d-%d %d:%d:%d", &year, &month, &day, &hour, &minute, &second);
	if (n < 5)
		fail_msg("not an instant: %s", text);
	int64_t s = hl_civil_days(year, month, day) * INT64_C(86400) + hour * 3600 + minute * 60 + second;
	return (s - offset_s) * US_PER_S;
}

int64_t at(const char *text)
{
	return fixture_at(text, SHANGHAI_S);
}

const char *fixture_text(const struct hl_calendar *cal, int64_t at_us)
{
	static char buffers[4][32];
	static unsigned turn;
	char *text = buffers[turn++ % 4];
	struct hl_local_time local;
	hl_calendar_local(cal, at_us, &local);
	int n = snprintf(text, sizeof buffers[0], "%04d-%02d-%02d %02d:%02d", local.year, local.month, local.day,
			 local.hour, local.minute);
	if (local.second)
		snprintf(text + n, sizeof buffers[0] - (size_t)n, ":%02d", local.second);
	return text;
}
