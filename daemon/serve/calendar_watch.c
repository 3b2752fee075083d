/* calendar_watch.c - says when the coming year's holidays are not in the calendar: log line, metric, one notice
 *
 * Looked at with every pulse, because the case clock decides; it costs two look-ups in a small table. The notice is the
 * database's to make once, whichever daemon asks and however often.
 */
#include "gateway.h"

#include "hotline/log.h"

static void on_told(void *arg, const struct hl_pg_result *r)
{
	struct gateway *g = arg;

	g->n_admin_calls--;
	if (r->cls != HL_OK)
		g->warned_year = 0; /* the next pulse asks again */
}

static void tell(struct gateway *g, int year)
{
	hl_log(HL_WARN, "calendar.year_missing", HL_INT("year", year));
	g->warned_year = year;
	if (hl_store_submit_json(&g->work_store, "tell_missing_year", json_pack("{s:i}", "year", year),
				 HL_PG_IDEMPOTENT, g->config->db_deadline_ms * HL_US_PER_MS, on_told, g) == HL_OK)
		g->n_admin_calls++;
}

int calendar_missing_year(const struct gateway *g)
{
	int year = 0;

	if (!g->refdata || !g->clock.is_known ||
	    !hl_calendar_missing_year(&g->refdata->calendar, hl_case_clock_now(&g->clock), &year))
		return 0;
	return year;
}

void calendar_watch(struct gateway *g)
{
	int year = calendar_missing_year(g);

	if (year == 0)
		g->warned_year = 0;
	else if (year != g->warned_year && !g->is_draining)
		tell(g, year);
}
