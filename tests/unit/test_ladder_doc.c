/* test_ladder_doc.c - the shipped ladder is taken, and each fault is refused by entry, field and rule */
#include "hotline/ladder_doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "calendar_fixture.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static struct hl_templates *templates;

static int set_up(void **state)
{
	json_t *doc = json_load_file("schema/ref/templates.json", 0, NULL);

	(void)state;
	assert_int_equal(hl_templates_new(doc, &templates, NULL), HL_OK);
	json_decref(doc);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hl_templates_free(&templates);
	return 0;
}

static void the_shipped_ladder_is_taken(void **state)
{
	json_t *doc = json_load_file("schema/ref/ladder.json", JSON_REJECT_DUPLICATES, NULL);
	struct hl_error err = {.text = ""};

	(void)state;
	if (hl_ladder_doc_check(doc, templates, &err) != HL_OK)
		fail_msg("%s", err.text);
	json_decref(doc);
}

#define REST ",'digest':{'at':'08:30','worst':3},'muster':{'day':1,'at':'09:30'},'dead':{'notices':5,'kinds':['x']},"
#define LAST "'unknown':{'hours':72}"
#define RUNG                                                                                                           \
	"'rung':'red','urgency':['normal'],'applies':['signed'],'audience':['head'],'template':'red','lane':'"         \
	"reminder'"
#define OF(r)  "{'rungs':[" r "]" REST LAST "}"
#define BAD(r) OF("{" r "}")

static void each_fault_is_named(void **state)
{
	static const struct {
		const char *doc, *text;
	} cases[] = {
		{"[]", "must be an object"},
		{"{'rung':[]}", "rung: must not be here"},
		{OF(""), "rungs: must be a list of 1 to 100"},
		{OF("7"), "rungs[0]: must be an object"},
		{BAD(RUNG ",'why':'x'"), "rungs[0]: why: must not be here"},
		{BAD("'rung':'pink'"), "rungs[0]: rung: pink is none"},
		{BAD("'rung':'red','urgency':'normal'"), "rungs[0]: urgency: must be a list"},
		{BAD("'rung':'red','urgency':['soon']"), "rungs[0]: urgency[0]: soon is none"},
		{BAD("'rung':'red','urgency':['normal','normal']"), "rungs[0]: urgency[1]: normal is there twice"},
		{BAD("'rung':'red','urgency':['normal'],'applies':['lost']"), "rungs[0]: applies[0]: lost is none"},
		{BAD("'rung':'red','urgency':['normal'],'applies':['signed'],'unless':[]"),
		 "rungs[0]: unless: must be"},
		{BAD("'rung':'red','urgency':['normal'],'applies':['signed'],'audience':['press']"),
		 "rungs[0]: audience[0]: press is none"},
		{BAD("'rung':'red','urgency':['normal'],'applies':['signed'],'audience':['head'],'lane':'reply'"),
		 "rungs[0]: lane: reply is none"},
		{BAD("'rung':'red','urgency':['normal'],'applies':['signed'],'audience':['head'],'lane':'reminder',"
		     "'template':'rouge'"),
		 "rungs[0]: template: there is no template rouge"},
		{BAD(RUNG ",'kept':1"), "rungs[0]: kept: must be true or false"},
		{OF("{" RUNG "},{" RUNG "}"), "rungs[1]: says the same as rungs[0]"},
		{"{'rungs':[{" RUNG "}]}", "digest: must be an object"},
		{"{'rungs':[{" RUNG "}],'digest':{'at':'8:30','worst':3}}", "digest: at: must be a time"},
		{"{'rungs':[{" RUNG "}],'digest':{'at':'24:00','worst':3}}", "digest: at: must be a time"},
		{"{'rungs':[{" RUNG "}],'digest':{'at':'08:30','worst':4}}", "digest: worst: must be a whole number"},
		{"{'rungs':[{" RUNG "}],'digest':{'at':'08:30','worst':3},'muster':{'at':'09:00','day':31}}",
		 "muster: day: must be a whole number from 1 to 28"},
		{"{'rungs':[{" RUNG "}]" REST "'unknown':{'hours':0}}", "unknown: hours: must be a whole number"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		json_t *doc = fixture_json(cases[i].doc);
		struct hl_error err = {.text = ""};

		if (hl_ladder_doc_check(doc, templates, &err) != HL_INPUT)
			fail_msg("accepted: %s", cases[i].doc);
		if (strncmp(err.text, cases[i].text, strlen(cases[i].text)) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", cases[i].doc, err.text, cases[i].text);
		json_decref(doc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shipped_ladder_is_taken),
		cmocka_unit_test(each_fault_is_named),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
