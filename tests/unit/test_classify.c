/* test_classify.c - case type, urgency, confidence and reasons; the shipped rules and their refusals
 *
 * Sentences are our own. The figures on the labelled messages are not tested here: rules are
 * data and change; here stands what must hold whatever the rules are, and what they must
 * never get wrong (people in danger, and what only sounds like it).
 */
#include "hotline/classify.h"
#include "hotline/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct world {
	struct hl_classifier *c;
	json_t *case_types;
	struct hl_arena arena;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	json_t *rules = json_load_file("schema/ref/rules.json", 0, NULL);
	struct hl_error err = {0};

	w->case_types = json_load_file("schema/ref/case_types.json", 0, NULL);
	assert_non_null(rules);
	assert_non_null(w->case_types);
	if (hl_classifier_new(rules, w->case_types, NULL, &w->c, &err))
		fail_msg("%s", err.text);
	json_decref(rules);
	hl_arena_init(&w->arena, 1 << 22);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	hl_classifier_free(&w->c);
	assert_null(w->c);
	json_decref(w->case_types);
	hl_arena_fini(&w->arena);
	free(w);
	return 0;
}

static struct hl_classified classify(struct world *w, const char *text)
{
	struct hl_classified r;

	hl_classify(w->c, hl_slice_str(text), &w->arena, &r);
	assert_non_null(r.type);
	assert_non_null(r.unit);
	assert_non_null(r.why);
	assert_true(r.confidence >= 0 && r.confidence <= 1);
	return r;
}

static void names_the_case_type_and_the_unit_that_leads_it(void **state)
{
	static const struct {
		const char *text, *type, *unit;
	} cases[] = {
		{"隔壁装修把承重墙砸了一个洞", "HOU-1", "HOU"},
		{"房子还在保修期，漏水了开发商不来修", "HOU-2", "HOU"},
		{"小区没有竣工验收就让我们交房领钥匙", "HOU-3", "HOU"},
		{"物业公司昨晚跑了，保安保洁都撤了", "HOU-4", "HOU"},
		{"业委会把维修资金挪用了，要求查账", "HOU-5", "HOU"},
		{"开发商没有招标就选聘了物业", "HOU-6", "HOU"},
		{"开发商一直拖着不给办房产证", "HOU-7", "HOU"},
		{"请问维修基金怎么申请使用", "HOU-8", "HOU"},
		{"有人在小区绿地上砌墙盖房", "URB-1", "URB"},
		{"顶楼私搭乱建，盖了个阳光房", "URB-2", "URB"},
		{"一楼在外墙上私开门", "URB-3", "URB"},
		{"楼上开了群租房，住改商", "URB-4", "URB"},
		{"小区门口占道经营，摆摊的堵住路", "URB-5", "URB"},
		{"门口的保安没有保安证，也不巡逻", "POL-1", "POL"},
		{"地下室有人赌博", "POL-2", "POL"},
		{"楼上高空抛物", "POL-3", "POL"},
		{"邻居养狗不拴绳", "POL-4", "POL"},
		{"有人在储藏室存放烟花爆竹", "POL-5", "POL"},
		{"楼下广场舞音响太吵", "POL-6", "POL"},
		{"楼上弹钢琴扰民", "POL-7", "POL"},
		{"城管执法的时候他不让进，还辱骂", "POL-8", "POL"},
		{"物业乱收费，装修押金不退", "MKT-1", "MKT"},
		{"底商卖假酒，没有营业执照", "MKT-2", "MKT"},
		{"电梯年检过期了", "MKT-3", "MKT"},
		{"电梯坏了没人修", "MKT-4", "MKT"},
		{"电梯维保单位没有资质", "MKT-5", "MKT"},
		{"楼下饭店油烟太大", "MKT-6", "MKT"},
		{"物业费的收费标准是多少，有没有政府定价", "DRC-1", "DRC"},
		{"人防车位被开发商卖掉了", "CAD-1", "CAD"},
		{"往人防工程里倾倒垃圾", "CAD-2", "CAD"},
		{"规划的绿地改成了高层", "PLN-1", "PLN"},
		{"垃圾桶满了没人清运，恶臭", "SAN-1", "SAN"},
		{"消防通道被私家车堵死", "FIR-1", "FIR"},
		{"有个公务员三年不交物业费", "PUB-1", "PUB"},
		{"物业服务太差，路灯坏了没人修", "STR-1", "STR"},
		{"业委会到期不换届，要求重新选举", "STR-2", "STR"},
		{"旧物业不交接资料，新物业进不来", "STR-3", "STR"},
		{"我们小区没有物业，没人管理", "STR-4", "STR"},
		{"两家邻居为漏水闹矛盾，请社区调解", "STR-5", "STR"},
		{"公共收益从来不公示，钱去哪了", "STR-6", "STR"},
		{"小区停电了", "UTI-1", "UTI-PWR"},
		{"小区停水了", "UTI-2", "UTI-WTR"},
		{"暖气不热，供暖温度不够", "UTI-3", "UTI-HEA"},
		{"燃气停了，没气做饭", "UTI-4", "UTI-GAS"},
		{"宽带断了上不了网", "UTI-5", "HOT"},
		{"感谢物业，表扬一下保洁", "HOT-1", "HOT"},
		{"请问社保怎么补缴", "OUT-0", "HOT"},
		{"公交车不准点", "OUT-0", "HOT"},
		{"征地补偿款没发", "OUT-0", "HOT"},
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_classified r = classify(*state, cases[i].text);

		if (strcmp(r.type, cases[i].type) || strcmp(r.unit, cases[i].unit))
			fail_msg("%s: %s %s (%s)", cases[i].text, r.type, r.unit, r.why);
	}
}

static void recognises_people_in_danger(void **state)
{
	static const struct {
		const char *text, *type;
	} cases[] = {
		{"我被困在电梯里了，快来人", "MKT-4"},
		{"电梯里关着一个老人一个小孩，按铃没人接", "MKT-4"},
		{"电体困人了", "MKT-4"},
		{"老人被电梯门夹住了，救命", "MKT-4"},
		{"厨房漏气了，味道很大", "UTI-4"},
		{"楼道里有很重的煤气味", "UTI-4"},
		{"然气泄漏", "UTI-4"},
		{"五楼着火了，快来救火", "FIR-1"},
		{"楼下车棚起火，浓烟往楼上冒", "FIR-1"},
		{"有人持刀追人，快来", "POL-2"},
		{"楼下正在打架，有人头破血流", "POL-2"},
		{"快来人，有个不认识的男的正在撬门", "POL-2"},
		{"城管拆违，户主举着菜刀追我们", "POL-8"},
		{"有人正往楼下扔砖头，底下都是人", "POL-3"},
		{"围墙刚才塌了，里面有人", "HOU-7"},
		{"屋顶正往下塌，快来", "HOU-7"},
		{"孩子掉进化粪池了，救命", "STR-1"},
		{"有人触电倒在地上了，快来", "UTI-1"},
		{"楼顶有人要跳楼", "POL-2"},
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_classified r = classify(*state, cases[i].text);

		if (strcmp(r.type, cases[i].type) || r.urgency != HL_EMERGENCY || !r.is_ongoing)
			fail_msg("%s: %s %s (%s)", cases[i].text, r.type, hl_urgency_name(r.urgency), r.why);
	}
}

static void is_not_alarmed_by_what_only_sounds_like_danger(void **state)
{
	static const char *const texts[] = {
		"上个月电梯困过人，物业没有赔礼",
		"建议搞一次电梯困人演练",
		"去年楼上着火了，现在想问赔偿的事",
		"昨天家里燃气泄漏，已经修好了，谢谢",
		"楼下店门口喇叭喊跳楼价",
		"如果着火了消防车进不来怎么办",
		"这破事让我脑袋快炸了",
		"前年有人在小区持刀抢劫",
		"燃气开户怎么办理",
		"电梯里没信号",
		"加装电梯怎么申请",
		"我家孩子睡着了，楼上又在跳",
		"炒菜油烟大，蒸汽油点子到处是",
		"消防演习的烟吓人，能不能提前通知",
	};

	for (size_t i = 0; i < LEN(texts); i++) {
		struct hl_classified r = classify(*state, texts[i]);

		if (r.urgency == HL_EMERGENCY)
			fail_msg("%s: %s (%s)", texts[i], hl_urgency_name(r.urgency), r.why);
	}
}

static void takes_the_urgency_from_the_text(void **state)
{
	static const struct {
		const char *text;
		enum hl_urgency urgency;
	} cases[] = {
		{"小区停水了", HL_URGENT}, {"水表怎么过户", HL_NORMAL},   {"消防通道被堵了", HL_URGENT},
		{"电梯停运了", HL_URGENT}, {"物业服务态度差", HL_NORMAL}, {"井盖没了，一个黑窟窿", HL_URGENT},
		{"楼上弹钢琴", HL_NORMAL},
	};

	for (size_t i = 0; i < LEN(cases); i++)
		assert_int_equal(classify(*state, cases[i].text).urgency, cases[i].urgency);
}

/* decisions: POL-2, POL-5, POL-8 and MKT-4 are at least urgent while the matter is going on, never by type alone. */
static void the_type_gives_a_floor_only_while_it_is_going_on(void **state)
{
	struct hl_classified now = classify(*state, "地下室正在赌博"), then = classify(*state, "去年地下室有人赌博");

	assert_string_equal(now.type, "POL-2");
	assert_true(now.is_ongoing);
	assert_int_equal(now.urgency, HL_URGENT);
	assert_string_equal(then.type, "POL-2");
	assert_false(then.is_ongoing);
	assert_int_equal(then.urgency, HL_NORMAL);
	assert_int_equal(classify(*state, "邻居正在弹钢琴").urgency, HL_NORMAL);
	assert_false(classify(*state, "地下室赌博的今天被抓了，感谢民警").is_ongoing);
}

static void needs_review_when_nothing_is_found(void **state)
{
	static const char *const texts[] = {"", "   ", "？？？", "1", "嗯", "hello world", "\xff\xfe\xfd", "👍"};

	for (size_t i = 0; i < LEN(texts); i++) {
		struct hl_classified r = classify(*state, texts[i]);

		assert_string_equal(r.type, "HOT-1"); /* out of scope is never guessed */
		assert_string_equal(r.unit, "HOT");
		assert_false(r.is_auto);
		assert_true(r.confidence == 0);
		assert_int_equal(r.urgency, HL_NORMAL);
		assert_int_equal(r.n_alternatives, 0);
	}
}

static void is_surer_of_a_clear_case_than_of_a_mixed_one(void **state)
{
	struct hl_classified clear = classify(*state, "消防通道被私家车堵死"),
			     mixed = classify(*state, "消防通道被堵，楼下饭店油烟大，邻居养狗不拴绳");

	assert_true(clear.is_auto);
	assert_true(clear.confidence > mixed.confidence);
	assert_false(mixed.is_auto);
	assert_int_equal(mixed.n_alternatives, 2);
	assert_true(mixed.alternatives[0].confidence >= mixed.alternatives[1].confidence);
	assert_true(mixed.confidence >= mixed.alternatives[0].confidence);
}

static void explains_with_words_rule_and_clause(void **state)
{
	struct hl_classified r = classify(*state, "消防通道被堵死，着火了快来人");

	assert_non_null(strstr(r.why, "FIR-1"));
	assert_non_null(strstr(r.why, "FIR-1.lane"));
	assert_non_null(strstr(r.why, "「消防通道」「堵」"));
	assert_non_null(strstr(r.why, "二(十一)"));
	assert_non_null(strstr(r.why, "emergency: E.fire"));
}

static void reads_only_the_first_four_thousand_characters(void **state)
{
	struct world *w = *state;
	const char tail[] = "小区停水了";
	char *text = calloc(1, 5000);
	struct hl_classified r;

	memset(text, 'x', 4000);
	memcpy(text + 4000, tail, sizeof(tail));
	hl_classify(w->c, hl_slice_str(text), &w->arena, &r);
	assert_true(r.confidence == 0);
	hl_classify(w->c, hl_slice_str(text + 100), &w->arena, &r);
	assert_string_equal(r.type, "UTI-2");
	free(text);
}

static void survives_anything(void **state)
{
	struct world *w = *state;
	static const char *const units[] = {"电梯", "困", "停水着火", "\xe5\x8f", "救命！", "ﷺ", " ", "a"};
	size_t len = 100 * 1000;
	char *big = malloc(len);
	struct hl_classified r;

	for (size_t u = 0; u < LEN(units); u++) {
		for (size_t i = 0; i < len; i++)
			big[i] = units[u][i % strlen(units[u])];
		hl_classify(w->c, (struct hl_slice){big, len}, &w->arena, &r);
		assert_non_null(r.type);
		hl_arena_fini(&w->arena);
	}
	for (size_t i = 0; i < len; i++)
		big[i] = (char)(i * 2654435761u >> 24);
	hl_classify(w->c, (struct hl_slice){big, len}, &w->arena, &r);
	assert_false(r.is_auto);
	hl_classify(w->c, (struct hl_slice){NULL, 0}, &w->arena, &r);
	assert_false(r.is_auto);
	free(big);
}

static void a_full_arena_needs_review(void **state)
{
	struct world *w = *state;
	struct hl_arena tiny;
	struct hl_classified r;

	hl_arena_init(&tiny, 64);
	hl_classify(w->c, HL_LIT("电梯困人了"), &tiny, &r);
	assert_string_equal(r.type, "HOT-1");
	assert_false(r.is_auto);
	hl_arena_fini(&tiny);
}

static const char types_text[] =
	"{\"case_types\":[{\"code\":\"A-1\",\"name\":\"a\",\"lead\":\"A\",\"clause\":\"1\"},"
	"{\"code\":\"B-1\",\"name\":\"b\",\"lead\":\"B\",\"clause\":\"2\",\"floor_ongoing\":\"urgent\"}]}";

#define HEAD                                                                                                           \
	"{\"bound\":0.5,\"fallback\":\"A-1\",\"sets\":{\"s\":[\"甲\"]},\"ongoing\":{\"now\":[\"今\"],\"past\":["     \
	"\"昔\"],\"settled\":[\"谢\"]},"
#define URGENCY  "\"urgency\":[{\"id\":\"U1\",\"urgency\":\"urgent\",\"any\":[\"急\"]}]}"
#define RULES(r) HEAD "\"rules\":[" r "]," URGENCY
#define RULE     "{\"id\":\"R1\",\"type\":\"B-1\",\"weight\":5,\"why\":\"2\",\"any\":[\"@s\",\"乙\"]}"

static enum hl_class load(const char *rules_text, const char *case_types_text, struct hl_classifier **out_r,
			  struct hl_error *err)
{
	json_t *rules = json_loads(rules_text, 0, NULL), *types = json_loads(case_types_text, 0, NULL);
	enum hl_class cls;

	assert_non_null(rules);
	assert_non_null(types);
	cls = hl_classifier_new(rules, types, NULL, out_r, err);
	json_decref(rules);
	json_decref(types);
	return cls;
}

static void applies_all_any_and_not(void **state)
{
	static const char rules[] =
		RULES("{\"id\":\"R1\",\"type\":\"B-1\",\"weight\":5,\"why\":\"2\",\"all\":[\"丙\",[\"丁\",\"戊\"]],"
		      "\"any\":[\"@s\",\"乙\"],\"not\":[\"己\"]}");
	static const struct {
		const char *text, *type;
	} cases[] = {
		{"丙丁甲", "B-1"}, {"乙戊丙", "B-1"}, {"丙丁", "A-1"},
		{"丙甲", "A-1"},   {"丁甲", "A-1"},   {"丙丁甲己", "A-1"},
	};
	struct world w = {0};

	(void)state;
	hl_arena_init(&w.arena, 1 << 20);
	assert_int_equal(load(rules, types_text, &w.c, NULL), HL_OK);
	for (size_t i = 0; i < LEN(cases); i++)
		assert_string_equal(classify(&w, cases[i].text).type, cases[i].type);
	hl_classifier_free(&w.c);
	hl_arena_fini(&w.arena);
}

static void urgency_without_a_type_goes_to_the_fallback_for_review(void **state)
{
	struct world w = {0};
	struct hl_classified r;

	(void)state;
	hl_arena_init(&w.arena, 1 << 20);
	assert_int_equal(load(RULES(RULE), types_text, &w.c, NULL), HL_OK);
	r = classify(&w, "急");
	assert_string_equal(r.type, "A-1");
	assert_int_equal(r.urgency, HL_URGENT);
	assert_false(r.is_auto);
	hl_classifier_free(&w.c);
	hl_arena_fini(&w.arena);
}

static void refuses_broken_rules_naming_rule_and_field(void **state)
{
	static const struct {
		const char *rules;
		const char *message;
	} cases[] = {
		{"{}", "bound"},
		{"{\"bound\":2,\"fallback\":\"A-1\"}", "bound"},
		{"{\"bound\":0.5,\"fallback\":\"X\"}", "fallback: \"X\""},
		{"{\"bound\":0.5,\"fallback\":\"A-1\"}", "ongoing.now"},
		{"{\"bund\":0.5}", "unknown field \"bund\""},
		{RULES(""), "rules: a list"},
		{HEAD "\"rules\":[" RULE "]}", "urgency: a list"},
		{RULES("{\"type\":\"B-1\"}"), "rules[0]: id"},
		{RULES(RULE "," RULE), "rules[1]: rule R1: id: used twice"},
		{RULES("{\"id\":\"R1\",\"type\":\"X\",\"weight\":5,\"why\":\"2\",\"any\":[\"a\"]}"),
		 "rule R1: type: \"X\""},
		{RULES("{\"id\":\"R1\",\"type\":\"B-1\",\"why\":\"2\",\"any\":[\"a\"]}"), "rule R1: weight"},
		{RULES("{\"id\":\"R1\",\"type\":\"B-1\",\"weight\":0,\"why\":\"2\",\"any\":[\"a\"]}"),
		 "rule R1: weight"},
		{RULES("{\"id\":\"R1\",\"type\":\"B-1\",\"weight\":21,\"why\":\"2\",\"any\":[\"a\"]}"),
		 "rule R1: weight"},
		{RULES("{\"id\":\"R1\",\"type\":\"B-1\",\"weight\":5,\"any\":[\"a\"]}"), "rule R1: why"},
		{RULES("{\"id\":\"R1\",\"type\":\"B-1\",\"weight\":5,\"why\":\"2\"}"), "rule R1: all or any"},
		{RULES("{\"id\":\"R1\",\"type\":\"B-1\",\"weight\":5,\"why\":\"2\",\"any\":[]}"), "rule R1: any"},
		{RULES("{\"id\":\"R1\",\"type\":\"B-1\",\"weight\":5,\"why\":\"2\",\"any\":[1]}"), "rule R1: any"},
		{RULES("{\"id\":\"R1\",\"type\":\"B-1\",\"weight\":5,\"why\":\"2\",\"any\":[\"\"]}"), "rule R1: any"},
		{RULES("{\"id\":\"R1\",\"type\":\"B-1\",\"weight\":5,\"why\":\"2\",\"any\":[\"@x\"]}"),
		 "rule R1: any: no set \"@x\""},
		{RULES("{\"id\":\"R1\",\"type\":\"B-1\",\"weight\":5,\"why\":\"2\",\"all\":[]}"), "rule R1: all"},
		{RULES("{\"id\":\"R1\",\"type\":\"B-1\",\"weight\":5,\"why\":\"2\",\"all\":[\"a\",\"b\",\"c\",\"d\","
		       "\"e\",\"f\"]}"),
		 "rule R1: all"},
		{RULES("{\"id\":\"R1\",\"type\":\"B-1\",\"weight\":5,\"why\":\"2\",\"any\":[\"a\"],\"not\":[]}"),
		 "rule R1: not"},
		{RULES("{\"id\":\"R1\",\"type\":\"B-1\",\"weight\":5,\"why\":\"2\",\"any\":[\"a\"],\"nto\":[\"b\"]}"),
		 "rule R1: unknown field \"nto\""},
		{HEAD "\"rules\":[" RULE "],\"urgency\":[{\"id\":\"U1\",\"urgency\":\"soon\",\"any\":[\"a\"]}]}",
		 "rule U1: urgency: \"soon\""},
		{HEAD "\"rules\":[" RULE
		      "],\"urgency\":[{\"id\":\"U1\",\"urgency\":\"urgent\",\"type\":\"B-1\",\"any\":[\"a\"]}]}",
		 "rule U1: weight"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_classifier *c = NULL;
		struct hl_error err = {0};

		assert_int_equal(load(cases[i].rules, types_text, &c, &err), HL_INPUT);
		assert_null(c);
		if (!strstr(err.text, cases[i].message))
			fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].message);
	}
}

static void refuses_broken_case_types(void **state)
{
	static const struct {
		const char *types, *message;
	} cases[] = {
		{"{}", "case_types"},
		{"{\"case_types\":[{}]}", "case_types[0]: code"},
		{"{\"case_types\":[{\"code\":\"A-1\",\"name\":\"a\",\"clause\":\"1\"}]}", "case_types[0]: lead"},
		{"{\"case_types\":[{\"code\":\"A-1\",\"name\":\"a\",\"lead\":\"A\",\"clause\":\"1\",\"floor_ongoing\":"
		 "\"x\"}]}",
		 "floor_ongoing"},
		{"{\"case_types\":[{\"code\":\"A-1\",\"name\":\"a\",\"lead\":\"A\",\"clause\":\"1\"},{\"code\":\"A-1\"}"
		 "]}",
		 "case_types[1]: code: \"A-1\" is used twice"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_classifier *c = NULL;
		struct hl_error err = {0};

		assert_int_equal(load(RULES(RULE), cases[i].types, &c, &err), HL_INPUT);
		if (!strstr(err.text, cases[i].message))
			fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].message);
	}
}

static bool is_in(const json_t *list, const char *code)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!strcmp(json_string_value(json_array_get(list, i)), code))
			return true;
	return false;
}

static void the_shipped_case_types_are_the_notices_and_carry_the_floors(void **state)
{
	struct world *w = *state;
	const json_t *list = json_object_get(w->case_types, "case_types");
	json_t *with_floor = json_pack("[s, s, s, s]", "POL-2", "POL-5", "POL-8", "MKT-4");

	assert_int_equal(json_array_size(list), 47);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *t = json_array_get(list, i);
		bool has_floor = json_object_get(t, "floor_ongoing");

		assert_int_equal(has_floor, is_in(with_floor, json_string_value(json_object_get(t, "code"))));
	}
	json_decref(with_floor);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(names_the_case_type_and_the_unit_that_leads_it),
		TEST(recognises_people_in_danger),
		TEST(is_not_alarmed_by_what_only_sounds_like_danger),
		TEST(takes_the_urgency_from_the_text),
		TEST(the_type_gives_a_floor_only_while_it_is_going_on),
		TEST(needs_review_when_nothing_is_found),
		TEST(is_surer_of_a_clear_case_than_of_a_mixed_one),
		TEST(explains_with_words_rule_and_clause),
		TEST(reads_only_the_first_four_thousand_characters),
		TEST(survives_anything),
		TEST(a_full_arena_needs_review),
		cmocka_unit_test(applies_all_any_and_not),
		cmocka_unit_test(urgency_without_a_type_goes_to_the_fallback_for_review),
		cmocka_unit_test(refuses_broken_rules_naming_rule_and_field),
		cmocka_unit_test(refuses_broken_case_types),
		TEST(the_shipped_case_types_are_the_notices_and_carry_the_floors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
