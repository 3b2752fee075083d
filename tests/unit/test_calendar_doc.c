/* test_calendar_doc.c - calendars as documents: the shipped files, every rule of the specification, every refusal */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calendar_fixture.h"

#define N(list) (sizeof(list) / sizeof *(list))

#define HEAD  "{'name':'x','zone':'Asia/Shanghai',"
#define WEEK  "'week':['mon','tue','wed','thu','fri'],"
#define HOURS "'hours':[['08:30','12:00'],['13:30','17:30']],"
#define YEARS "'holidays':[{'year':2024,'days':[{'date':'2024-01-01','isOffDay':true}]}]"

/* --- the shipped files --- */

static void the_shipped_calendar_covers_three_years_more_than_it_knows(void **state)
{
	struct hl_calendar cal;
	(void)state;
	fixture_shipped(&cal);
	assert_string_equal(cal.name, "county");
	assert_string_equal(cal.zone, "Asia/Shanghai");
	assert_int_equal(cal.n_offsets, 1);
	assert_int_equal(cal.offsets[0].offset_s, SHANGHAI_S);
	assert_int_equal(cal.provisional_from_us, at("2027-01-01 00:00"));
	assert_int_equal(cal.intervals[0].opens_us, at("2022-01-04 08:30"));
	assert_int_equal(cal.intervals[cal.n_intervals - 1].closes_us, at("2029-12-31 17:30"));
	hl_calendar_fini(&cal);
}

static void the_shipped_years_are_those_of_the_source(void **state)
{
	const char *data = getenv("HOTLINE_DATA") ? getenv("HOTLINE_DATA") : "../shared";
	int n_compared = 0;
	(void)state;
	for (int year = 2022; year <= 2026; year++) {
		char theirs_path[400], ours_path[64];
		snprintf(theirs_path, sizeof theirs_path, "%s/data/holidays/%d.json", data, year);
		snprintf(ours_path, sizeof ours_path, "schema/ref/holidays/%d.json", year);
		json_t *theirs = json_load_file(theirs_path, 0, NULL), *ours = json_load_file(ours_path, 0, NULL);
		assert_non_null(ours);
		if (theirs) {
			n_compared++;
			assert_true(json_equal(json_object_get(ours, "year"), json_object_get(theirs, "year")));
			assert_true(json_equal(json_object_get(ours, "days"), json_object_get(theirs, "days")));
			assert_true(json_equal(json_object_get(ours, "papers"), json_object_get(theirs, "papers")));
		}
		json_decref(theirs);
		json_decref(ours);
	}
	if (n_compared == 0) {
		print_message("skip: no holidays under HOTLINE_DATA\n");
		skip();
	}
}

/* --- expansion --- */

static void expansion_writes_seconds_and_local_days(void **state)
{
	struct hl_error err;
	json_t *doc, *spec = fixture_json(HEAD WEEK HOURS YEARS "}");
	json_int_t opens, closes, day;
	(void)state;
	assert_int_equal(hl_calendar_expand(spec, &doc, &err), HL_OK);
	assert_int_equal(
		json_unpack(json_array_get(json_object_get(doc, "intervals"), 0), "[I,I,I!]", &opens, &closes, &day),
		0);
	assert_int_equal(opens, at("2024-01-02 08:30") / US_PER_S);
	assert_int_equal(closes, at("2024-01-02 12:00") / US_PER_S);
	assert_int_equal(day, hl_civil_days(2024, 1, 2));
	assert_int_equal(json_integer_value(json_object_get(doc, "provisional_from")),
			 at("2025-01-01 00:00") / US_PER_S);
	json_decref(doc);
	json_decref(spec);
}

static void offsets_follow_the_zone(void **state)
{
	struct hl_calendar cal;
	(void)state;
	fixture_calendar("{'name':'x','zone':'Europe/Amsterdam'," WEEK HOURS YEARS "}", &cal);
	/* 2024 to 2027: the beginning and two changes a year. */
	assert_int_equal(cal.n_offsets, 9);
	assert_int_equal(cal.offsets[0].offset_s, 3600);
	assert_int_equal(cal.offsets[1].from_us, fixture_at("2024-03-31 01:00", 0));
	assert_int_equal(cal.offsets[1].offset_s, 7200);
	assert_int_equal(cal.offsets[8].from_us, fixture_at("2027-10-31 01:00", 0));
	assert_int_equal(cal.offsets[8].offset_s, 3600);
	assert_int_equal(cal.provisional_from_us, fixture_at("2025-01-01 00:00", 3600));
	hl_calendar_fini(&cal);
}

static void a_change_of_the_zone_name_alone_is_no_offset(void **state)
{
	struct hl_calendar cal;
	(void)state;
	/* In September 1992 Lisbon went from its summer time to central European time: one hour ahead in both. */
	fixture_calendar("{'name':'x','zone':'Europe/Lisbon'," WEEK HOURS
			 "'holidays':[{'year':1992,'days':[{'date':'1992-01-01','isOffDay':true}]}]}",
			 &cal);
	for (size_t i = 1; i < cal.n_offsets; i++)
		assert_int_not_equal(cal.offsets[i].offset_s, cal.offsets[i - 1].offset_s);
	assert_int_equal(cal.n_offsets, 8);
	hl_calendar_fini(&cal);
}

static void a_time_shown_twice_means_its_first_showing(void **state)
{
	struct hl_calendar cal;
	(void)state;
	fixture_calendar("{'name':'x','zone':'Europe/Amsterdam','week':['sun'],"
			 "'hours':[['01:00','02:15'],['02:30','02:45']]," YEARS "}",
			 &cal);
	int64_t october = fixture_at("2024-10-27 00:00", 7200);
	assert_int_equal(hl_calendar_worked_us(&cal, october, october + US_PER_DAY), 90 * US_PER_MINUTE);
	assert_true(hl_calendar_is_open(&cal, fixture_at("2024-10-27 02:30", 7200)));
	assert_false(hl_calendar_is_open(&cal, fixture_at("2024-10-27 02:30", 3600)));
	hl_calendar_fini(&cal);
}

static void hours_that_the_clock_skips_or_repeats_stay_in_order(void **state)
{
	struct hl_calendar cal;
	(void)state;
	fixture_calendar("{'name':'x','zone':'Europe/Amsterdam','week':['sun'],"
			 "'hours':[['01:00','02:15'],['02:15','02:45'],['02:45','03:30']]," YEARS "}",
			 &cal);
	/* Forward: 02:00 to 03:00 does not exist, the middle hours vanish. */
	int64_t march = fixture_at("2024-03-31 00:00", 3600);
	assert_int_equal(hl_calendar_worked_us(&cal, march, march + US_PER_DAY), 90 * US_PER_MINUTE);
	assert_true(hl_calendar_is_open(&cal, fixture_at("2024-03-31 03:10", 7200)));
	/* Back: 02:00 to 03:00 comes twice and counts at its first showing. */
	int64_t october = fixture_at("2024-10-27 00:00", 7200);
	assert_int_equal(hl_calendar_worked_us(&cal, october, october + US_PER_DAY), 210 * US_PER_MINUTE);
	assert_true(hl_calendar_is_open(&cal, fixture_at("2024-10-27 02:20", 7200)));
	hl_calendar_fini(&cal);
}

static void a_season_may_run_over_the_turn_of_the_year(void **state)
{
	struct hl_calendar cal;
	(void)state;
	fixture_calendar(HEAD WEEK "'hours':[['08:00','17:00']],'seasons':[{'from':'11-15','to':'02-29',"
				   "'hours':[['09:00','16:00']]}]," YEARS "}",
			 &cal);
	static const struct {
		const char *at;
		bool is_open;
	} cases[] = {
		{"2024-11-14 08:30", true},  {"2024-11-15 08:30", false}, {"2024-12-31 08:30", false},
		{"2024-02-29 08:30", false}, {"2024-03-01 08:30", true},  {"2025-02-28 08:30", false},
	};
	for (size_t i = 0; i < N(cases); i++)
		assert_int_equal(hl_calendar_is_open(&cal, at(cases[i].at)), cases[i].is_open);
	hl_calendar_fini(&cal);
}

static void the_first_year_without_days_is_the_first_unknown_one(void **state)
{
	static const struct {
		const char *holidays, *provisional_from, *last_close;
	} cases[] = {
		/* an empty list is not yet announced, not free of holidays */
		{"[{'year':2024,'days':[{'date':'2024-01-01','isOffDay':true}]},{'year':2025,'days':[]}]",
		 "2025-01-01 00:00", "2027-12-31 17:30"},
		/* a gap makes everything behind it provisional */
		{"[{'year':2024,'days':[{'date':'2024-01-01','isOffDay':true}]},"
		 "{'year':2026,'days':[{'date':'2026-01-01','isOffDay':true}]}]",
		 "2025-01-01 00:00", "2029-12-31 17:30"},
		/* order in the document does not matter */
		{"[{'year':2025,'days':[{'date':'2025-01-01','isOffDay':true}]},"
		 "{'year':2024,'days':[{'date':'2024-01-01','isOffDay':true}]}]",
		 "2026-01-01 00:00", "2028-12-29 17:30"},
	};
	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		char spec[700];
		struct hl_calendar cal;
		snprintf(spec, sizeof spec, HEAD WEEK HOURS "'holidays':%s}", cases[i].holidays);
		fixture_calendar(spec, &cal);
		assert_string_equal(fixture_text(&cal, cal.provisional_from_us), cases[i].provisional_from);
		assert_string_equal(fixture_text(&cal, cal.intervals[cal.n_intervals - 1].closes_us),
				    cases[i].last_close);
		hl_calendar_fini(&cal);
	}
}

static void a_specification_with_a_fault_is_refused_by_field_and_rule(void **state)
{
	static const struct {
		const char *spec, *text;
	} cases[] = {
		{"[]", "must be an object"},
		{"{'zone':'Asia/Shanghai'," WEEK HOURS YEARS "}", "name: must be a text of 1 to 31 bytes"},
		{"{'name':'','zone':'Asia/Shanghai'," WEEK HOURS YEARS "}", "name: must be a text"},
		{"{'name':'0123456789012345678901234567890x','zone':'Asia/Shanghai'," WEEK HOURS YEARS "}",
		 "name: must be a text of 1 to 31 bytes"},
		{"{'name':'x'," WEEK HOURS YEARS "}", "zone: must be a text of 1 to 47 bytes"},
		{"{'name':'x','zone':'Asia/Atlantis'," WEEK HOURS YEARS "}", "zone: \"Asia/Atlantis\" must be a zone"},
		{HEAD HOURS YEARS "}", "week: must be a list"},
		{HEAD "'week':['mon','funday']," HOURS YEARS "}", "week[1]: must be one of mon"},
		{HEAD "'week':[7]," HOURS YEARS "}", "week[0]: must be one of mon"},
		{HEAD WEEK YEARS "}", "hours: must be a list of at most 8 pairs"},
		{HEAD WEEK "'hours':[['08:30']]," YEARS "}", "hours[0]: must be two times of day"},
		{HEAD WEEK "'hours':[['8:30','12:00']]," YEARS "}", "hours[0]: must be two times of day"},
		{HEAD WEEK "'hours':[['08:60','12:00']]," YEARS "}", "hours[0]: must be two times of day"},
		{HEAD WEEK "'hours':[['08:30','24:01']]," YEARS "}", "hours[0]: must be two times of day"},
		{HEAD WEEK "'hours':[['08.30','12:00']]," YEARS "}", "hours[0]: must be two times of day"},
		{HEAD WEEK "'hours':[[830,'12:00']]," YEARS "}", "hours[0]: must be two times of day"},
		{HEAD WEEK "'hours':[['12:00','08:30']]," YEARS "}", "hours[0]: must open before it closes"},
		{HEAD WEEK "'hours':[['12:00','12:00']]," YEARS "}", "hours[0]: must open before it closes"},
		{HEAD WEEK "'hours':[['08:30','12:00'],['11:00','13:00']]," YEARS "}",
		 "hours[1]: must not open before the pair before it closes"},
		{HEAD WEEK "'hours':[]," YEARS "}", "week, hours: must leave some working time"},
		{HEAD "'week':[]," HOURS YEARS "}", "week, hours: must leave some working time"},
		{HEAD WEEK HOURS "'seasons':{}," YEARS "}", "seasons: must be a list"},
		{HEAD WEEK HOURS "'seasons':['summer']," YEARS "}", "seasons[0]: must be an object"},
		{HEAD WEEK HOURS "'seasons':[{'from':'02-30','to':'09-30','hours':[]}]," YEARS "}",
		 "seasons[0]: from: must be a day of the year"},
		{HEAD WEEK HOURS "'seasons':[{'from':'06-01','to':'13-01','hours':[]}]," YEARS "}",
		 "seasons[0]: to: must be a day of the year"},
		{HEAD WEEK HOURS "'seasons':[{'from':'06-01','to':'09-30','hours':[['09:00','08:00']]}]," YEARS "}",
		 "seasons[0]: hours[0]: must open before it closes"},
		{HEAD WEEK HOURS "'seasons':[{'from':'06-01','to':'09-30','hours':[]},"
				 "{'from':'09-30','to':'10-30','hours':[]}]," YEARS "}",
		 "seasons[1]: must not overlap seasons[0]"},
		{HEAD WEEK HOURS "'seasons':[{'from':'09-30','to':'10-30','hours':[]},"
				 "{'from':'06-01','to':'09-30','hours':[]}]," YEARS "}",
		 "seasons[1]: must not overlap seasons[0]"},
		{HEAD WEEK HOURS "'seasons':[{'from':'11-01','to':'03-31','hours':[]},"
				 "{'from':'01-01','to':'01-31','hours':[]}]," YEARS "}",
		 "seasons[1]: must not overlap seasons[0]"},
		{HEAD WEEK HOURS "'saesons':[]," YEARS "}", "saesons: must not be here"},
		{HEAD WEEK HOURS "'seasons':[{'form':'06-01','to':'09-30','hours':[]}]," YEARS "}",
		 "seasons[0]: form: must not be here"},
		{HEAD WEEK "'hours':[['08:30','12:00']]}", "holidays: must be a list of years"},
		{HEAD WEEK HOURS "'holidays':[]}", "holidays: must know the days of at least one year"},
		{HEAD WEEK HOURS "'holidays':[{'year':2024,'days':[]}]}", "holidays: must know the days of at least"},
		{HEAD WEEK HOURS "'holidays':[{'days':[]}]}", "holidays[0]: year: must be a year"},
		{HEAD WEEK HOURS "'holidays':[{'year':2024}]}", "holidays 2024: days: must be a list"},
		{HEAD WEEK HOURS "'holidays':[{'year':2024,'days':[{'date':'2024-02-30','isOffDay':true}]}]}",
		 "holidays 2024: days[0]: date: must be a date"},
		{HEAD WEEK HOURS "'holidays':[{'year':2024,'days':[{'isOffDay':true}]}]}",
		 "holidays 2024: days[0]: date: must be a date"},
		{HEAD WEEK HOURS "'holidays':[{'year':2024,'days':[{'date':'2026-01-01','isOffDay':true}]}]}",
		 "holidays 2024: days[0]: date: 2026-01-01 must lie in 2024"},
		{HEAD WEEK HOURS "'holidays':[{'year':2024,'days':[{'date':'2024-01-01','isOffDay':1}]}]}",
		 "holidays 2024: days[0]: isOffDay: must be true or false"},
		{HEAD WEEK HOURS "'holidays':[{'year':2024,'days':[{'date':'2024-01-01','isOffDay':true},"
				 "{'date':'2024-01-01','isOffDay':false}]}]}",
		 "holidays 2024: days[1]: isOffDay: 2024-01-01 must not be both"},
		{HEAD WEEK HOURS "'holidays':[{'year':1990,'days':[{'date':'1990-01-01','isOffDay':true}]},"
				 "{'year':2090,'days':[{'date':'2090-01-01','isOffDay':true}]}]}",
		 "holidays: must not need a calendar of more than 100 years"},
	};
	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct hl_error err = {0};
		json_t *doc, *spec = fixture_json(cases[i].spec);
		assert_int_equal(hl_calendar_expand(spec, &doc, &err), HL_INPUT);
		assert_null(doc);
		if (strncmp(err.text, cases[i].text, strlen(cases[i].text)))
			fail_msg("%s: \"%s\", not \"%s\"", cases[i].spec, err.text, cases[i].text);
		json_decref(spec);
	}
}

static void days_at_the_turn_of_the_year_reach_into_the_other_year(void **state)
{
	struct hl_calendar cal;
	(void)state;
	fixture_calendar(HEAD WEEK HOURS
			 "'holidays':[{'year':2023,'days':[{'date':'2022-12-30','isOffDay':true},"
			 "{'date':'2023-01-02','isOffDay':true}]},{'year':2022,'days':[{'date':'2022-01-03',"
			 "'isOffDay':true},{'date':'2021-12-31','isOffDay':true}]}]}",
			 &cal);
	assert_false(hl_calendar_is_open(&cal, at("2022-12-30 10:00")));
	assert_true(hl_calendar_is_open(&cal, at("2022-12-29 10:00")));
	assert_int_equal(cal.intervals[0].opens_us, at("2022-01-04 08:30"));
	hl_calendar_fini(&cal);
}

/* --- reading files --- */

struct folder {
	char root[64];
};

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[200];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	for (; *text; text++)
		fputc(*text == '\'' ? '"' : *text, file);
	assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
	static struct folder folder;
	char path[100];
	snprintf(folder.root, sizeof folder.root, "/tmp/hl-calendar-XXXXXX");
	assert_non_null(mkdtemp(folder.root));
	snprintf(path, sizeof path, "%s/holidays", folder.root);
	assert_int_equal(mkdir(path, 0700), 0);
	*state = &folder;
	return 0;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"calendar.json",          "holidays/2024.json", "holidays/2025.json",
					    "holidays/2025.json.bak", "holidays/LICENSE",   "holidays/20x5.json"};
	struct folder *folder = *state;
	char path[200];
	for (size_t i = 0; i < N(names); i++) {
		snprintf(path, sizeof path, "%s/%s", folder->root, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof path, "%s/holidays", folder->root);
	rmdir(path); /* one test removes it itself */
	return rmdir(folder->root);
}

static enum hl_class read_folder(const struct folder *folder, json_t **spec_r, struct hl_error *err)
{
	char path[100];
	snprintf(path, sizeof path, "%s/calendar.json", folder->root);
	return hl_calendar_spec_read(path, spec_r, err);
}

static void the_specification_gathers_the_years_beside_it(void **state)
{
	struct folder *folder = *state;
	struct hl_error err;
	json_t *spec;
	write_file(folder->root, "calendar.json", HEAD WEEK "'hours':[]}");
	write_file(folder->root, "holidays/2025.json", "{'year':2025,'papers':[],'days':[]}");
	write_file(folder->root, "holidays/2024.json", "{'year':2024,'papers':[],'days':[]}");
	write_file(folder->root, "holidays/LICENSE", "not JSON");
	write_file(folder->root, "holidays/2025.json.bak", "not JSON");
	write_file(folder->root, "holidays/20x5.json", "not JSON");
	assert_int_equal(read_folder(folder, &spec, &err), HL_OK);
	json_t *years = json_object_get(spec, "holidays");
	assert_int_equal(json_array_size(years), 2);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(years, 0), "year")), 2024);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(years, 1), "year")), 2025);
	json_decref(spec);
}

static void unreadable_files_are_named(void **state)
{
	static const struct {
		const char *calendar, *year;
		enum hl_class cls;
		const char *text;
	} cases[] = {
		{NULL, NULL, HL_CONFIG, "could not open \""},
		{"{'name':", NULL, HL_INPUT, "calendar.json:1: must be JSON"},
		{"[1]", NULL, HL_INPUT, "calendar.json: must hold one JSON object"},
		{"{'name':'x','name':'y'}", NULL, HL_INPUT, "calendar.json:1: must be JSON: duplicate"},
		{"{'holidays':[]}", NULL, HL_INPUT, "calendar.json: holidays: must be in holidays/YYYY.json"},
		{"{}", "{'year':2025}", HL_INPUT, "2024.json: year: must be the year of the file name"},
		{"{}", "{'year':2024,}", HL_INPUT, "2024.json:1: must be JSON"},
	};
	struct folder *folder = *state;
	for (size_t i = 0; i < N(cases); i++) {
		struct hl_error err = {0};
		json_t *spec;
		if (cases[i].calendar)
			write_file(folder->root, "calendar.json", cases[i].calendar);
		if (cases[i].year)
			write_file(folder->root, "holidays/2024.json", cases[i].year);
		assert_int_equal(read_folder(folder, &spec, &err), cases[i].cls);
		assert_null(spec);
		if (!strstr(err.text, cases[i].text))
			fail_msg("\"%s\", not \"%s\"", err.text, cases[i].text);
	}
}

static void a_missing_holiday_folder_is_named(void **state)
{
	struct folder *folder = *state;
	struct hl_error err = {0};
	char path[100];
	json_t *spec;
	write_file(folder->root, "calendar.json", "{}");
	snprintf(path, sizeof path, "%s/holidays", folder->root);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(read_folder(folder, &spec, &err), HL_CONFIG);
	assert_non_null(strstr(err.text, "could not list"));
	assert_non_null(strstr(err.text, path));
}

/* --- loading --- */

static void loading_a_document_with_a_fault_is_refused_by_field_and_rule(void **state)
{
#define TOP     "{'name':'x','zone':'UTC','provisional_from':0,"
#define OFFSETS "'offsets':[[0,0]],"
	static const struct {
		const char *doc, *text;
	} cases[] = {
		{"[]", "name: must be a text"},
		{"{'zone':'UTC'}", "name: must be a text that is not empty"},
		{"{'name':'0123456789012345678901234567890x'}", "name: must be shorter than 32 bytes"},
		{"{'name':'x','zone':7}", "zone: must be a text that is not empty"},
		{"{'name':'x','zone':'UTC'}", "provisional_from: must be seconds"},
		{"{'name':'x','zone':'UTC','provisional_from':-1}", "provisional_from: must be seconds"},
		{"{'name':'x','zone':'UTC','provisional_from':1.5}", "provisional_from: must be seconds"},
		{TOP "'intervals':[[0,60,0]]}", "offsets: must be a list that is not empty"},
		{TOP "'offsets':[[0]],'intervals':[[0,60,0]]}", "offsets[0]: must be a list of 2 whole numbers"},
		{TOP "'offsets':[[0,0.5]],'intervals':[[0,60,0]]}", "offsets[0][1]: must be a whole number"},
		{TOP "'offsets':[[0,64801]],'intervals':[[0,60,0]]}", "offsets[0][1]: must lie between -18 h and 18 h"},
		{TOP "'offsets':[[0,0],[0,3600]],'intervals':[[0,60,0]]}", "offsets[1]: must begin after"},
		{TOP OFFSETS "'intervals':[]}", "intervals: must be a list that is not empty"},
		{TOP OFFSETS "'intervals':7}", "intervals: must be a list that is not empty"},
		{TOP OFFSETS "'intervals':[[0,60]]}", "intervals[0]: must be a list of 3 whole numbers"},
		{TOP OFFSETS "'intervals':[7]}", "intervals[0]: must be a list of 3 whole numbers"},
		{TOP OFFSETS "'intervals':[[0,'60',0]]}", "intervals[0][1]: must be a whole number"},
		{TOP OFFSETS "'intervals':[[-60,60,0]]}", "intervals[0][0]: must be seconds between 1970"},
		{TOP OFFSETS "'intervals':[[300000000000,300000000060,0]]}", "intervals[0][0]: must be seconds"},
		{TOP OFFSETS "'intervals':[[60,300000000000,0]]}", "intervals[0]: must close after it opens"},
		{TOP OFFSETS "'intervals':[[60,60,0]]}", "intervals[0]: must close after it opens"},
		{TOP OFFSETS "'intervals':[[120,60,0]]}", "intervals[0]: must close after it opens"},
		{TOP OFFSETS "'intervals':[[61,120,0]]}", "intervals[0]: must open and close on a full minute"},
		{TOP OFFSETS "'intervals':[[60,121,0]]}", "intervals[0]: must open and close on a full minute"},
		{TOP OFFSETS "'intervals':[[0,120,0],[60,180,0]]}", "intervals[1]: opens before the one before it"},
		{TOP OFFSETS "'intervals':[[600,660,0],[0,60,0]]}", "intervals[1]: opens before the one before it"},
		{TOP OFFSETS "'intervals':[[0,60,0],[86400,86460,0]]}",
		 "intervals[1][2]: must be the local day of the opening, 1"},
		/* the clock goes back over midnight */
		{TOP "'offsets':[[0,0],[86520,-3600]],'intervals':[[86400,86460,1],[86520,86580,0]]}",
		 "intervals[1][2]: must not be before the day"},
	};
	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		struct hl_error err = {0};
		struct hl_calendar cal;
		json_t *doc = fixture_json(cases[i].doc);
		assert_int_equal(hl_calendar_load(doc, &cal, &err), HL_INPUT);
		assert_null(cal.intervals);
		assert_null(cal.offsets);
		if (strncmp(err.text, cases[i].text, strlen(cases[i].text)))
			fail_msg("%s: \"%s\", not \"%s\"", cases[i].doc, err.text, cases[i].text);
		json_decref(doc);
	}
}

static void loading_keeps_what_the_document_says(void **state)
{
	struct hl_error err;
	struct hl_calendar cal;
	json_t *doc = fixture_json("{'name':'x','zone':'Etc/X','provisional_from':7,'offsets':[[0,3600],[7200,0]],"
				   "'intervals':[[0,60,0],[60,120,0]]}");
	(void)state;
	assert_int_equal(hl_calendar_load(doc, &cal, &err), HL_OK);
	assert_string_equal(cal.name, "x");
	assert_string_equal(cal.zone, "Etc/X");
	assert_int_equal(cal.provisional_from_us, 7 * US_PER_S);
	assert_int_equal(cal.n_offsets, 2);
	assert_int_equal(cal.offsets[1].from_us, 7200 * US_PER_S);
	assert_int_equal(cal.n_intervals, 2);
	assert_int_equal(cal.intervals[1].opens_us, 60 * US_PER_S);
	assert_int_equal(cal.intervals[1].closes_us, 120 * US_PER_S);
	hl_calendar_fini(&cal);
	assert_null(cal.intervals);
	json_decref(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shipped_calendar_covers_three_years_more_than_it_knows),
		cmocka_unit_test(the_shipped_years_are_those_of_the_source),
		cmocka_unit_test(expansion_writes_seconds_and_local_days),
		cmocka_unit_test(offsets_follow_the_zone),
		cmocka_unit_test(a_change_of_the_zone_name_alone_is_no_offset),
		cmocka_unit_test(a_time_shown_twice_means_its_first_showing),
		cmocka_unit_test(hours_that_the_clock_skips_or_repeats_stay_in_order),
		cmocka_unit_test(a_season_may_run_over_the_turn_of_the_year),
		cmocka_unit_test(the_first_year_without_days_is_the_first_unknown_one),
		cmocka_unit_test(a_specification_with_a_fault_is_refused_by_field_and_rule),
		cmocka_unit_test(days_at_the_turn_of_the_year_reach_into_the_other_year),
		cmocka_unit_test_setup_teardown(the_specification_gathers_the_years_beside_it, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(unreadable_files_are_named, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_missing_holiday_folder_is_named, make_folder, remove_folder),
		cmocka_unit_test(loading_a_document_with_a_fault_is_refused_by_field_and_rule),
		cmocka_unit_test(loading_keeps_what_the_document_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
