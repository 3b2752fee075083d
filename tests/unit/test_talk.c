/* test_talk.c - phrasings of officers and residents -> verb, code, arguments
 *
 * One table per verb, and one for what must never be acted on. Phrasings are our own. The
 * labelled examples are read from HOTLINE_DATA when they are there.
 */
#include "hotline/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define LEN(a)    (sizeof(a) / sizeof((a)[0]))
#define OPEN_MAX  8
#define LINE_MAX_ 16384

/* Open codes of the sender, separated by blanks. */
#define NONE_OPEN ""
#define ONE       "3F7K"
#define TWO       "3F7K 8M2P"
#define THREE     "3F7K 8M2P 60G1"

struct phrase {
	const char *text, *open, *verb, *code;
};

static struct hl_arena arena;

static struct hl_said parse(bool is_officer, const char *text, const char *open)
{
	struct hl_slice codes[OPEN_MAX], rest = hl_slice_str(open);
	struct hl_said said;
	size_t n = 0;

	while (rest.len > 0)
		hl_slice_cut(rest, ' ', &codes[n++], &rest);
	hl_talk_parse(is_officer, hl_slice_str(text), codes, n, &arena, &said);
	return said;
}

static void check(bool is_officer, const struct phrase *phrases, size_t n)
{
	size_t n_wrong = 0;

	for (size_t i = 0; i < n; i++) {
		struct hl_said said = parse(is_officer, phrases[i].text, phrases[i].open);

		if (strcmp(hl_verb_name(said.verb), phrases[i].verb) != 0 || !hl_slice_eq_str(said.code, phrases[i].code)) {
			print_message("\"%s\" (open: %s): expected %s %s, got %s %.*s\n", phrases[i].text, phrases[i].open,
				      phrases[i].verb, phrases[i].code, hl_verb_name(said.verb), HL_SLICE_ARG(said.code));
			n_wrong++;
		}
	}
	assert_int_equal(n_wrong, 0);
}

#define CHECK_OFFICER(phrases)  check(true, phrases, LEN(phrases))
#define CHECK_RESIDENT(phrases) check(false, phrases, LEN(phrases))

/* ---- officers --------------------------------------------------------------- */

static void officer_signs(void **state)
{
	static const struct phrase phrases[] = {
		{"签3F7K", TWO, "sign", "3F7K"},
		{"签 3F7K", TWO, "sign", "3F7K"},
		{"签8m2p", TWO, "sign", "8M2P"},
		{"签８Ｍ２Ｐ", TWO, "sign", "8M2P"},
		{"签　３ｆ７ｋ　", TWO, "sign", "3F7K"},
		{"签:3F7K", TWO, "sign", "3F7K"},
		{"签，3F7K，马上处理", TWO, "sign", "3F7K"},
		{"3F7K签", TWO, "sign", "3F7K"},
		{"3F7K 签收", TWO, "sign", "3F7K"},
		{"3f7k已签收", TWO, "sign", "3F7K"},
		{"「3F7K」签", TWO, "sign", "3F7K"},
		{"签「3F7K」", TWO, "sign", "3F7K"},
		{"签“8M2P”", TWO, "sign", "8M2P"},
		{"签《8M2P》", TWO, "sign", "8M2P"},
		{"签【3F7K】", TWO, "sign", "3F7K"},
		{"签(3F7K)", TWO, "sign", "3F7K"},
		{"签（3F7K）", TWO, "sign", "3F7K"},
		{"签3-F-7-K", TWO, "sign", "3F7K"},
		{"签3 F 7 K", TWO, "sign", "3F7K"},
		{"签三F七K", TWO, "sign", "3F7K"},
		{"签6OG1", THREE, "sign", "60G1"},
		{"签60GI", THREE, "sign", "60G1"},
		{"签6oGl", THREE, "sign", "60G1"},
		{"签六零G一", THREE, "sign", "60G1"},
		{"回复签3F7K", TWO, "sign", "3F7K"},
		{"回复：签3F7K", TWO, "sign", "3F7K"},
		{"你好，签3F7K，谢谢", TWO, "sign", "3F7K"},
		{"领导好 3F7K签收了", TWO, "sign", "3F7K"},
		{"签3F7K 住建局 小张", TWO, "sign", "3F7K"},
		{"签3F7K 万张街道办", TWO, "sign", "3F7K"},
		{"签3F7K👌", TWO, "sign", "3F7K"},
		{"✅签3F7K", TWO, "sign", "3F7K"},
		{"签\n3F7K", TWO, "sign", "3F7K"},
		{"签3F7K。。。", TWO, "sign", "3F7K"},
		{"签", ONE, "sign", "3F7K"},
		{"签。", ONE, "sign", "3F7K"},
		{"签收", ONE, "sign", "3F7K"},
		{"已签收", ONE, "sign", "3F7K"},
		{"签了", ONE, "sign", "3F7K"},
		{"收到", ONE, "sign", "3F7K"},
		{"收到！", ONE, "sign", "3F7K"},
		{"已收到", ONE, "sign", "3F7K"},
		{"收到，谢谢", ONE, "sign", "3F7K"},
		{"好的收到", ONE, "sign", "3F7K"},
		{"收到 马上去", ONE, "sign", "3F7K"},
		{"已接单", ONE, "sign", "3F7K"},
		{"接单3F7K", TWO, "sign", "3F7K"},
		{"3F7K受理", TWO, "sign", "3F7K"},
		{"受理了", ONE, "sign", "3F7K"},
		{"签收3F7K，这就安排师傅", TWO, "sign", "3F7K"},
		{"好的，马上去", ONE, "sign", "3F7K"},
		{"我们这就过去", ONE, "sign", "3F7K"},
		{"3F7K 立即派人去看", TWO, "sign", "3F7K"},
		{"王科长休假，3F7K我来签", TWO, "sign", "3F7K"},
		{"帮我签3F7K", TWO, "sign", "3F7K"},
		{"刚看到，签8M2P", TWO, "sign", "8M2P"},
		{"簽3F7K", TWO, "sign", "3F7K"},
		{"簽收", ONE, "sign", "3F7K"},
		{"sign 3F7K", TWO, "sign", "3F7K"},
		{"SIGN3F7K", TWO, "sign", "3F7K"},
		{"Signed 3f7k", TWO, "sign", "3F7K"},
		{"3F7K received", TWO, "sign", "3F7K"},
		{"签3F7K 3F7K", TWO, "sign", "3F7K"},
		{"牵收8M2P", TWO, "sign", "8M2P"},
		{"签3F7K，地址在哪？", TWO, "sign", "3F7K"},
		{"签26T4QY", "26T4QY 3F7KH", "sign", "26T4QY"},
		{"签3f7kh", "3F7KH 8M2PJ", "sign", "3F7KH"},
	};

	(void)state;
	CHECK_OFFICER(phrases);
}

static void officer_signs_all(void **state)
{
	static const char *const yes[] = {"签全部", "全部签收", "都签", "都签了", "全签", "所有的都签收", "三个都签", "三件全签", "３个都签收", "一起签了", "SIGN ALL", "全部收到"};
	static const char *const no[] = {"两个都签", "四个都签收", "全部结", "全部退", "都办结了", "全退", "先不签全部", "一会全部签"};

	(void)state;
	for (size_t i = 0; i < LEN(yes); i++) {
		struct hl_said said = parse(true, yes[i], THREE);

		if (said.verb != HL_VERB_SIGN || !said.is_all || said.code.len > 0)
			fail_msg("%s: %s", yes[i], hl_verb_name(said.verb));
	}
	for (size_t i = 0; i < LEN(no); i++) {
		struct hl_said said = parse(true, no[i], THREE);

		if (said.verb != HL_VERB_ASK || said.is_all)
			fail_msg("%s: %s", no[i], hl_verb_name(said.verb));
	}
	assert_int_equal(parse(true, "签全部", NONE_OPEN).verb, HL_VERB_ASK);
}

static void officer_arrives(void **state)
{
	static const struct phrase phrases[] = {
		{"到3F7K", TWO, "arrive", "3F7K"},
		{"到", ONE, "arrive", "3F7K"},
		{"到了", ONE, "arrive", "3F7K"},
		{"已到", ONE, "arrive", "3F7K"},
		{"3F7K 已到", TWO, "arrive", "3F7K"},
		{"已经到现场了", ONE, "arrive", "3F7K"},
		{"到达现场3F7K", TWO, "arrive", "3F7K"},
		{"人已到", ONE, "arrive", "3F7K"},
		{"我们到现场了", ONE, "arrive", "3F7K"},
		{"3F7K抵达，正找物业开门", TWO, "arrive", "3F7K"},
		{"到现场3F7K", TWO, "arrive", "3F7K"},
		{"到３Ｆ７Ｋ", TWO, "arrive", "3F7K"},
		{"签3F7K 已到现场", TWO, "arrive", "3F7K"},
		{"收到，已到现场", ONE, "arrive", "3F7K"},
		{"到小区了", ONE, "arrive", "3F7K"},
		{"到了，没人开门", ONE, "arrive", "3F7K"},
		{"到8M2P，人都安全", TWO, "arrive", "8M2P"},
		{"arrived 3F7K", TWO, "arrive", "3F7K"},
		{"on site 3F7K", TWO, "arrive", "3F7K"},
	};

	(void)state;
	CHECK_OFFICER(phrases);
}

static void officer_tells_progress(void **state)
{
	static const struct phrase phrases[] = {
		{"进展3F7K 已联系开发商", TWO, "progress", "3F7K"},
		{"进展：电机拆下来了", ONE, "progress", "3F7K"},
		{"进展 3F7K 请供电公司配合的函已发", TWO, "progress", "3F7K"},
		{"3F7K进展 拆了一半", TWO, "progress", "3F7K"},
		{"进度：等主板", ONE, "progress", "3F7K"},
		{"3F7K正在抢修", TWO, "progress", "3F7K"},
		{"3F7K 正在处理", TWO, "progress", "3F7K"},
		{"在路上", ONE, "progress", "3F7K"},
		{"正在赶过去", ONE, "progress", "3F7K"},
		{"3F7K 业主不在家，约了周六上门", TWO, "progress", "3F7K"},
		{"3F7K没修好，明天再去", TWO, "progress", "3F7K"},
		{"3F7K 未办结，等鉴定", TWO, "progress", "3F7K"},
		{"3F7K已下达整改通知书", TWO, "progress", "3F7K"},
		{"明天上午去现场看", ONE, "progress", "3F7K"},
		{"8M2P 配件到货了，下午装", TWO, "progress", "8M2P"},
		{"8M2P修了一半", TWO, "progress", "8M2P"},
		{"8M2P 已派人去排查", TWO, "progress", "8M2P"},
		{"3F7K 暂无进展", TWO, "progress", "3F7K"},
		{"8M2P 还要等审批", TWO, "progress", "8M2P"},
		{"3F7K等材料", TWO, "progress", "3F7K"},
		{"3F7K已经上报局里研究", TWO, "progress", "3F7K"},
		{"3F7K处理中", TWO, "progress", "3F7K"},
		{"progress 3F7K pump ordered", TWO, "progress", "3F7K"},
		{"3F7K 查到漏水点了，延长管还没买到", TWO, "progress", "3F7K"},
		{"3F7K 已约谈物业，退费的事还在谈", TWO, "progress", "3F7K"},
	};

	(void)state;
	CHECK_OFFICER(phrases);
}

static void officer_hands_back(void **state)
{
	static const struct phrase phrases[] = {
		{"退3F7K 不归我们管", TWO, "handback", "3F7K"},
		{"退3F7K，应由水务公司处理", TWO, "handback", "3F7K"},
		{"退 3f7k 是城管的", TWO, "handback", "3F7K"},
		{"退８Ｍ２Ｐ　非我辖区", TWO, "handback", "8M2P"},
		{"退回8M2P 小区名不对", TWO, "handback", "8M2P"},
		{"8M2P退", TWO, "handback", "8M2P"},
		{"8M2P 退单，重复", TWO, "handback", "8M2P"},
		{"退单 派错了", ONE, "handback", "3F7K"},
		{"3F7K申请退回，不属我单位职责", TWO, "handback", "3F7K"},
		{"3F7K请转供电公司", TWO, "handback", "3F7K"},
		{"转3F7K 住建局", TWO, "handback", "3F7K"},
		{"3F7K不是我们单位的事", TWO, "handback", "3F7K"},
		{"3F7K不在我们辖区", TWO, "handback", "3F7K"},
		{"3F7K这是水务公司的事", TWO, "handback", "3F7K"},
		{"3F7K不归我们管，归综合执法局", TWO, "handback", "3F7K"},
		{"收到，退3F7K，没有管辖权", TWO, "handback", "3F7K"},
		{"退3F7K！与我局无关", TWO, "handback", "3F7K"},
		{"與我單位無關，退3F7K", TWO, "handback", "3F7K"},
		{"退3F7K 好像是城管的", TWO, "handback", "3F7K"},
		{"请将3F7K转派给水务公司", TWO, "handback", "3F7K"},
		{"3F7K应转交市场监管局", TWO, "handback", "3F7K"},
		{"back 3F7K not ours", TWO, "handback", "3F7K"},
		{"退", ONE, "handback", "3F7K"},
	};

	(void)state;
	CHECK_OFFICER(phrases);
}

static void officer_asks_for_time(void **state)
{
	static const struct {
		struct phrase phrase;
		int days;
		const char *reason;
	} cases[] = {
		{{"延3F7K 3天 等配件", TWO, "extend", "3F7K"}, 3, "等配件"},
		{{"延3F7K3天等配件", TWO, "extend", "3F7K"}, 3, "等配件"},
		{{"延8M2P五天，下雨", TWO, "extend", "8M2P"}, 5, "下雨"},
		{{"8M2P延10个工作日，走招标", TWO, "extend", "8M2P"}, 10, "走招标"},
		{{"3F7K申请延期两周 业主不在家", TWO, "extend", "3F7K"}, 14, "业主不在家"},
		{{"延3F7K 十五天 资金没批", TWO, "extend", "3F7K"}, 15, "资金没批"},
		{{"延3F7K二十天", TWO, "extend", "3F7K"}, 20, ""},
		{{"延3F7K半个月 等鉴定", TWO, "extend", "3F7K"}, 15, "等鉴定"},
		{{"延3F7K一个月", TWO, "extend", "3F7K"}, 30, ""},
		{{"延3F7K几天 等料", TWO, "extend", "3F7K"}, 0, "等料"},
		{{"延3F7K两三天", TWO, "extend", "3F7K"}, 0, NULL},
		{{"延3F7K 3-5天", TWO, "extend", "3F7K"}, 0, NULL},
		{{"延期", ONE, "extend", "3F7K"}, 0, ""},
		{{"能延3天吗", ONE, "extend", "3F7K"}, 3, NULL},
		{{"时间不够，给3F7K延7天", TWO, "extend", "3F7K"}, 7, NULL},
		{{"3F7K办不完，延长3天", TWO, "extend", "3F7K"}, 3, "办不完"},
		{{"签3F7K 延3天", TWO, "extend", "3F7K"}, 3, ""},
		{{"extend 3F7K 3天 parts", TWO, "extend", "3F7K"}, 3, "parts"},
		{{"extend 3F7K 5 days waiting for parts", TWO, "extend", "3F7K"}, 5, "waiting for parts"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_said said = parse(true, cases[i].phrase.text, cases[i].phrase.open);

		check(true, &cases[i].phrase, 1);
		if (said.days != cases[i].days)
			fail_msg("%s: %d days", cases[i].phrase.text, said.days);
		if (cases[i].reason && !hl_slice_eq_str(said.reason, cases[i].reason))
			fail_msg("%s: reason \"%.*s\"", cases[i].phrase.text, HL_SLICE_ARG(said.reason));
	}
}

static void officer_asks_for_assistance(void **state)
{
	static const struct {
		struct phrase phrase;
		const char *unit;
	} cases[] = {
		{{"协3F7K 供电公司 要停电", TWO, "assist", "3F7K"}, "供电公司"},
		{{"协3F7K：派出所", TWO, "assist", "3F7K"}, "派出所"},
		{{"3F7K请派出所协助", TWO, "assist", "3F7K"}, "派出所"},
		{{"3F7K需要消防大队配合", TWO, "assist", "3F7K"}, "消防大队"},
		{{"协助3F7K 园林", TWO, "assist", "3F7K"}, "园林"},
		{{"能不能让派出所来一下，3F7K", TWO, "assist", "3F7K"}, "派出所"},
		{{"请协调街道办出面 8M2P", TWO, "assist", "8M2P"}, "街道办"},
		{{"assist 3F7K 消防", TWO, "assist", "3F7K"}, "消防"},
		{{"协", ONE, "assist", "3F7K"}, ""},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_said said = parse(true, cases[i].phrase.text, cases[i].phrase.open);

		check(true, &cases[i].phrase, 1);
		if (!hl_slice_eq_str(said.unit, cases[i].unit))
			fail_msg("%s: unit \"%.*s\"", cases[i].phrase.text, HL_SLICE_ARG(said.unit));
	}
}

static void officer_closes(void **state)
{
	static const struct phrase phrases[] = {
		{"结3F7K 已更换钢丝绳，电梯恢复", TWO, "close", "3F7K"},
		{"结３ｆ７ｋ　路灯已亮", TWO, "close", "3F7K"},
		{"结8M2P，垃圾清走了", TWO, "close", "8M2P"},
		{"结8M2P: 属实 已解决 已联系", TWO, "close", "8M2P"},
		{"3F7K办结，水压正常", TWO, "close", "3F7K"},
		{"3F7K已办结", TWO, "close", "3F7K"},
		{"3F7K 已结案，业主认可", TWO, "close", "3F7K"},
		{"办结3F7K 已退还押金", TWO, "close", "3F7K"},
		{"3F7K结单", TWO, "close", "3F7K"},
		{"3F7K完结", TWO, "close", "3F7K"},
		{"3F7K结", TWO, "close", "3F7K"},
		{"3F7K已结", TWO, "close", "3F7K"},
		{"結3F7K 已修復", TWO, "close", "3F7K"},
		{"結「3F7K」已修好", TWO, "close", "3F7K"},
		{"结6OG1 通水了", THREE, "close", "60G1"},
		{"收到，3F7K已办结，电表已换", TWO, "close", "3F7K"},
		{"签3F7K 结3F7K 已处理", TWO, "close", "3F7K"},
		{"结3F7K 不属实，现场未发现噪音", TWO, "close", "3F7K"},
		{"结3F7K 未解决，属历史遗留，已告知走诉讼", TWO, "close", "3F7K"},
		{"结3F7K 修好了，照片稍后补", TWO, "close", "3F7K"},
		{"结 电梯已恢复运行", ONE, "close", "3F7K"},
		{"办结", ONE, "close", "3F7K"},
		{"3F7K结案 不属实", TWO, "close", "3F7K"},
		{"close 3F7K lift repaired", TWO, "close", "3F7K"},
		{"3F7K closed, light works", TWO, "close", "3F7K"},
		{"结3F7K", TWO, "close", "3F7K"},
		{"结3F7K结果：已清理", TWO, "close", "3F7K"},
	};

	(void)state;
	CHECK_OFFICER(phrases);
	assert_true(hl_slice_eq_str(parse(true, "结3F7K结果：已清理", TWO).reason, "已清理"));
	assert_true(hl_slice_eq_str(parse(true, "结３ｆ７ｋ　路灯已亮。", TWO).reason, "路灯已亮"));
	assert_int_equal(parse(true, "结3F7K", TWO).reason.len, 0);
}

/* Whatever else they are: no close and no hand-back. */
static void never_guesses_a_close_or_a_hand_back(void **state)
{
	static const char *const texts[] = {
		"处理了", "3F7K处理完了", "搞定", "3F7K修好了", "已处理完毕", "3F7K OK了", "弄好了", "完事", "办好了", "done",
		"3F7K结了吗", "3F7K结了没", "3F7K结？", "能结3F7K吗", "3F7K可以结了吧", "可以结了", "3F7K应该结了", "3F7K差不多结了", "是不是可以办结3F7K",
		"别结3F7K", "先不结3F7K", "3F7K不能结", "3F7K没结", "3F7K暂缓结案", "3F7K要不退了吧", "3F7K修好了，可以结单吗", "3F7K已完成，请办结", "结3F7K 水还没通", "3F7K还没结", "3F7K结不了", "3F7K办不结", "3F7K未办结", "不要结3F7K", "3F7K无法办结",
		"明天结3F7K", "3F7K马上办结", "3F7K争取今天办结", "3F7K预计27日办结", "等修好再结3F7K", "3F7K下周结", "3F7K准备办结", "3F7K尽快办结", "3F7K要结了", "3F7K快结了",
		"结3F7K 还没修好", "结3F7K 等配件", "结3F7K 正在修", "结3F7K 明天来修", "结3F7K 还在处理", "3F7K办结，但是还要复查", "结3F7K 修了一半",
		"结3F7K 延3天", "结3F7K 退", "退3F7K 已办结", "3F7K退了还是结了",
		"接3F7K", "节3F7K", "节3F7K 修好了", "半截3F7K", "解3F7K", "借3F7K 已修好",
		"结3F7K 8M2P", "结8M2P和3F7K 都好了", "结全部", "都结了", "全部办结",
		"退了吧", "那个快递退了", "3F7K押金退给业主了", "3F7K已退费", "3F7K物业费退了", "我退休了", "退群了", "3F7K退款已到账",
		"不退3F7K", "先别退3F7K", "3F7K能退吗", "3F7K可以退回吗？", "3F7K退不了",
		"3F7K好像不是我们的", "3F7K可能归城管管", "3F7K是不是城管的", "3F7K不归我们管吧", "3F7K应该归街道",
		"3F7K已转给水务了", "已转城管", "我调走了", "我不在这个岗位了", "本周休班", "换人了，找小李",
		"结婚去了", "结果出来了", "3F7K检查结果还没出", "3F7K等鉴定结果", "会议结束了", "结账了吗", "3F7K结构有问题",
		"结3F7L", "退3F7", "结3F7KK", "结9999", "退F7K 不是我们的", "结3F7M 修好了",
		"【某银行】您的贷款已结清，退订回T", "恭喜中奖，请办结手续", "结3F7K 打错了",
		"签3F7K 退3F7K", "第二个结", "结那个", "刚才那个退了", "上面那个结案",
		"",
	};

	(void)state;
	for (size_t i = 0; i < LEN(texts); i++)
		for (size_t k = 0; k < 2; k++) {
			struct hl_said said = parse(true, texts[i], k ? TWO : ONE);

			if (said.verb == HL_VERB_CLOSE || said.verb == HL_VERB_HANDBACK)
				fail_msg("\"%s\" must not be acted on, got %s %.*s", texts[i], hl_verb_name(said.verb), HL_SLICE_ARG(said.code));
		}
}

static void officer_is_asked_back(void **state)
{
	static const struct phrase phrases[] = {
		{"好的", ONE, "ask", ""},
		{"知道了", ONE, "ask", ""},
		{"ok", ONE, "ask", ""},
		{"3F7K ok", TWO, "ask", ""},
		{"1", ONE, "ask", ""},
		{"已阅", ONE, "ask", ""},
		{"已安排", ONE, "ask", ""},
		{"嗯嗯", ONE, "ask", ""},
		{"👍", ONE, "ask", ""},
		{"？", ONE, "ask", ""},
		{"3F7K", ONE, "ask", ""},
		{"签", TWO, "ask", ""},
		{"收到", THREE, "ask", ""},
		{"到了", TWO, "ask", ""},
		{"结 修好了", TWO, "ask", ""},
		{"签3F7K和8M2P", TWO, "ask", ""},
		{"签3F7K、8M2P", TWO, "ask", ""},
		{"没收到", ONE, "ask", ""},
		{"还没签", ONE, "ask", ""},
		{"先不签", ONE, "ask", ""},
		{"一会签", ONE, "ask", ""},
		{"签不了", ONE, "ask", ""},
		{"业主签字了", ONE, "ask", ""},
		{"要不要签收？", ONE, "ask", ""},
		{"收到没？", ONE, "ask", ""},
		{"收到，已处理完", ONE, "ask", ""},
		{"第一个签", ONE, "ask", ""},
		{"签第二个", TWO, "ask", ""},
		{"晚上一起吃饭", ONE, "ask", ""},
		{"晚上开会别忘了", ONE, "ask", ""},
		{"你是谁", ONE, "ask", ""},
		{"电梯在哪个小区？", ONE, "ask", ""},
		{"签", NONE_OPEN, "ask", ""},
		{"签3F7K", NONE_OPEN, "ask", ""},
	};

	(void)state;
	CHECK_OFFICER(phrases);
}

static void wrong_codes_are_named_and_bind_nothing(void **state)
{
	static const struct {
		const char *text, *open, *wrong;
	} cases[] = {
		{"签3F7L", ONE, "3F7L"},   {"结9B3N 修好", TWO, "9B3N"}, {"签3F7", ONE, "3F7"},	    {"签3F7KK", ONE, "3F7KK"},
		{"结8888", ONE, "8888"},   {"3F7M收到", ONE, "3F7M"},    {"退３Ｆ７Ｌ", ONE, "３Ｆ７Ｌ"}, {"签3F7K、9B3N", ONE, "9B3N"},
		{"签3F7KJ", "3F7KH", "3F7KJ"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_said said = parse(true, cases[i].text, cases[i].open);

		if (said.verb != HL_VERB_ASK || said.code.len > 0 || !hl_slice_eq_str(said.wrong_code, cases[i].wrong))
			fail_msg("%s: %s, code %.*s, wrong %.*s", cases[i].text, hl_verb_name(said.verb), HL_SLICE_ARG(said.code),
				 HL_SLICE_ARG(said.wrong_code));
	}
}

static void numbers_in_prose_are_no_wrong_codes(void **state)
{
	static const struct phrase phrases[] = {
		{"结3F7K 更换DN100阀门", TWO, "close", "3F7K"},
		{"结3F7K B2栋路灯亮了", TWO, "close", "3F7K"},
		{"结3F7K 14:20恢复", TWO, "close", "3F7K"},
		{"进展 5号楼3单元已修", ONE, "progress", "3F7K"},
		{"进展3F7K 换了2台10KV开关", TWO, "progress", "3F7K"},
		{"到了 A座1201没人", ONE, "arrive", "3F7K"},
	};

	(void)state;
	CHECK_OFFICER(phrases);
}

static void only_what_was_typed_counts(void **state)
{
	static const struct phrase phrases[] = {
		{"【物业热线】3F7K 阳光花园：电梯停运。11月25日15:30前回复“签3F7K”，11月27日18:00前办结", TWO, "none", ""},
		{"【物业热线】3F7K 阳光花园：电梯停运。11月25日15:30前回复“签3F7K”，11月27日18:00前办结\n签", TWO, "sign", "3F7K"},
		{"【物业热线】3F7K 阳光花园：电梯停运。11月25日15:30前回复“签3F7K”，11月27日18:00前办结\n收到", TWO, "sign", "3F7K"},
		{"【物业热线】3F7K 阳光花园：电梯停运。11月25日15:30前回复“签3F7K”，11月27日18:00前办结\n好的", TWO, "ask", ""},
		{"到\n【物业热线】3F7K 阳光花园：电梯停运。11月25日15:30前回复“签3F7K”，11月27日18:00前办结", TWO, "arrive", "3F7K"},
		{"签8M2P\n【物业热线】3F7K 阳光花园：电梯停运。11月25日15:30前回复“签3F7K”", TWO, "ask", ""},
		{"签3F7K【物业热线】3F7K 阳光花园：电梯停运。11月25日15:30前回复“签3F7K”", TWO, "sign", "3F7K"},
		{"[急]3F7K 阳光花园：电梯停运。11月25日15:30前回复“签3F7K”，11月27日18:00前办结\n结 已修好", TWO, "close", "3F7K"},
		{"「【物业热线】3F7K 阳光花园：电梯停运。11月25日15:30前回复“签3F7K”」\n- - - - - - -\n签收", TWO, "sign", "3F7K"},
		{"签收\n> 派单 3F7K：阳光花园。请16:30前签收，11月27日前办结", TWO, "sign", "3F7K"},
		{"> 派单 3F7K：阳光花园。请16:30前签收，11月27日前办结", TWO, "none", ""},
		{"收到\n-----原始短信-----\n派单 3F7K：阳光花园。请16:30前签收", TWO, "sign", "3F7K"},
		{"EMERGENCY 3F7K: lift at Sun Garden. Reply SIGN 3F7K by 25 Nov 15:30, close by 27 Nov 18:00.", TWO, "none", ""},
		{"派单 3F7K：阳光花园 电梯停运。请16:30前签收，11月27日前办结。回复 签3F7K / 退3F7K原因 / 延3F7K天数原因 / 结3F7K结果", TWO, "none", ""},
	};

	(void)state;
	CHECK_OFFICER(phrases);
	assert_false(parse(true, "收到\n> 派单 3F7K：请16:30前签收，11月27日前办结", TWO).is_code_typed);
	assert_true(parse(true, "签3F7K", ONE).is_code_typed);
	assert_false(parse(true, "签", ONE).is_code_typed);
}

static void machines_and_thanks_are_nothing(void **state)
{
	static const struct phrase phrases[] = {
		{"", ONE, "none", ""},
		{"   \n", ONE, "none", ""},
		{"。。。", ONE, "none", ""},
		{"谢谢！", ONE, "none", ""},
		{"感谢领导", ONE, "none", ""},
		{"辛苦了", ONE, "none", ""},
		{"thanks", ONE, "none", ""},
		{"谢谢🙏", ONE, "none", ""},
		{"[自动回复]我正在开会", ONE, "none", ""},
		{"您好，我现在不方便接听电话，稍后回电", ONE, "none", ""},
		{"自动回复：外出学习，退回请找值班室", ONE, "none", ""},
		{"【顺丰】您的快件已到驿站，取件码1-2-3", ONE, "none", ""},
		{"【某超市】会员日全场优惠，退订回T", ONE, "none", ""},
		{"您的验证码是123456，请勿告诉他人", ONE, "none", ""},
		{"I'm driving right now, I will get back to you", ONE, "none", ""},
		{"您好，我正在开会，稍后回复您。", ONE, "none", ""},
		{"您有新的快递到驿站", ONE, "none", ""},
		{"尊敬的用户，您的话费余额不足", ONE, "none", ""},
	};

	(void)state;
	CHECK_OFFICER(phrases);
	CHECK_RESIDENT(phrases);
}

static void officer_asks_for_help(void **state)
{
	static const struct phrase phrases[] = {
		{"帮助", ONE, "help", ""},	    {"HELP", TWO, "help", ""},		{"怎么退单", ONE, "help", ""},
		{"怎么回复啊", TWO, "help", ""},    {"咋延期", ONE, "help", ""},	{"有什么指令", NONE_OPEN, "help", ""},
		{"3F7K怎么签收", TWO, "help", ""},  {"不会用这个", ONE, "help", ""},	{"回什么？", ONE, "help", ""},
		{"格式是啥", ONE, "help", ""},	    {"如何办结", ONE, "help", ""},	
	};

	(void)state;
	CHECK_OFFICER(phrases);
}

/* ---- residents --------------------------------------------------------------- */

static void resident_asks_for_status(void **state)
{
	static const struct phrase phrases[] = {
		{"查", ONE, "status", "3F7K"},
		{"查3F7K", TWO, "status", "3F7K"},
		{"查 26-001234", "26001234 26000007", "status", "26001234"},
		{"查26001234", "26001234 26000007", "status", "26001234"},
		{"查询进度", ONE, "status", "3F7K"},
		{"查一下我的投诉", ONE, "status", "3F7K"},
		{"处理得怎么样了", ONE, "status", "3F7K"},
		{"3F7K到哪一步了", TWO, "status", "3F7K"},
		{"什么时候能修好", ONE, "status", "3F7K"},
		{"进度？", ONE, "status", "3F7K"},
		{"我反映的事有结果了吗", ONE, "status", "3F7K"},
		{"哪个单位负责", ONE, "status", "3F7K"},
		{"办结了吗", ONE, "status", "3F7K"},
		{"请问3F7K现在什么情况", TWO, "status", "3F7K"},
		{"STATUS", ONE, "status", "3F7K"},
		{"查", TWO, "ask", ""},
		{"查", NONE_OPEN, "ask", ""},
		{"查 26-009999", "26001234", "ask", ""},
	};
	struct hl_said said;

	(void)state;
	CHECK_RESIDENT(phrases);
	said = parse(false, "查全部", TWO);
	assert_int_equal(said.verb, HL_VERB_STATUS);
	assert_true(said.is_all);
	assert_int_equal(said.code.len, 0);
}

static void resident_chases(void **state)
{
	static const struct phrase phrases[] = {
		{"催", ONE, "chase", "3F7K"},
		{"催3F7K", TWO, "chase", "3F7K"},
		{"催办", ONE, "chase", "3F7K"},
		{"3F7K催一下", TWO, "chase", "3F7K"},
		{"怎么还没人来", ONE, "chase", "3F7K"},
		{"都五天了没动静", ONE, "chase", "3F7K"},
		{"3F7K还没修，快点", TWO, "chase", "3F7K"},
		{"到底管不管", ONE, "chase", "3F7K"},
		{"还要等多久", ONE, "chase", "3F7K"},
		{"能不能快点", ONE, "chase", "3F7K"},
		{"抓紧时间给处理", ONE, "chase", "3F7K"},
		{"CHASE 3F7K", TWO, "chase", "3F7K"},
		{"催", NONE_OPEN, "ask", ""},
	};

	(void)state;
	CHECK_RESIDENT(phrases);
}

static void resident_supplements(void **state)
{
	static const struct {
		struct phrase phrase;
		const char *reason;
	} cases[] = {
		{{"补充 是3单元", ONE, "supplement", "3F7K"}, "是3单元"},
		{{"补充：电话晚上能打通", ONE, "supplement", "3F7K"}, "电话晚上能打通"},
		{{"补充3F7K 昨晚又漏了", TWO, "supplement", "3F7K"}, "昨晚又漏了"},
		{{"3F7K补充，5楼也漏", TWO, "supplement", "3F7K"}, "5楼也漏"},
		{{"对了，是东门不是西门", ONE, "supplement", "3F7K"}, "是东门不是西门"},
		{{"刚才说错了，是6号楼", ONE, "supplement", "3F7K"}, NULL},
		{{"补充", ONE, "supplement", "3F7K"}, ""},
		{{"ADD second floor too", ONE, "supplement", "3F7K"}, "second floor too"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_said said = parse(false, cases[i].phrase.text, cases[i].phrase.open);

		check(false, &cases[i].phrase, 1);
		if (cases[i].reason && !hl_slice_eq_str(said.reason, cases[i].reason))
			fail_msg("%s: \"%.*s\"", cases[i].phrase.text, HL_SLICE_ARG(said.reason));
	}
}

static void resident_withdraws_only_in_plain_words(void **state)
{
	static const struct phrase phrases[] = {
		{"撤", ONE, "withdraw", "3F7K"},
		{"撤3F7K", TWO, "withdraw", "3F7K"},
		{"撤销3F7K，已和解", TWO, "withdraw", "3F7K"},
		{"3F7K撤诉", TWO, "withdraw", "3F7K"},
		{"取消投诉", ONE, "withdraw", "3F7K"},
		{"我要撤单", ONE, "withdraw", "3F7K"},
		{"WITHDRAW 3F7K", TWO, "withdraw", "3F7K"},
		{"撤", TWO, "ask", ""},
		{"全部撤了", ONE, "ask", ""},
		{"撤9B3N", ONE, "ask", ""},
		{"不撤", ONE, "ask", ""},
		{"别撤我的投诉", ONE, "ask", ""},
		{"能撤吗", ONE, "ask", ""},
		{"算了", ONE, "ask", ""},
		{"不用管了，自己修好了", ONE, "ask", ""},
		{"物业撤场了没人管小区", ONE, "report", ""},
		{"物业取消了小区的免费停车", ONE, "report", ""},
	};

	(void)state;
	CHECK_RESIDENT(phrases);
}

static void resident_rates(void **state)
{
	static const struct {
		struct phrase phrase;
		const char *reason;
	} cases[] = {
		{{"1", ONE, "survey", "3F7K"}, "1"},
		{{"３", ONE, "survey", "3F7K"}, "3"},
		{{"2。", ONE, "survey", "3F7K"}, "2"},
		{{"①", ONE, "survey", "3F7K"}, "1"},
		{{"满意", ONE, "survey", "3F7K"}, "1"},
		{{"非常满意", ONE, "survey", "3F7K"}, "1"},
		{{"基本满意", ONE, "survey", "3F7K"}, "2"},
		{{"不满意", ONE, "survey", "3F7K"}, "3"},
		{{"很不满意", ONE, "survey", "3F7K"}, "3"},
		{{"3 没修好", ONE, "survey", "3F7K"}, "3 没修好"},
		{{"3，没修好", ONE, "survey", "3F7K"}, "3 没修好"},
		{{"不满意，态度差", ONE, "survey", "3F7K"}, "3 态度差"},
		{{"3F7K 1", TWO, "survey", "3F7K"}, "1"},
		{{"我选2", ONE, "survey", "3F7K"}, "2"},
		{{"1满意", ONE, "survey", "3F7K"}, "1"},
		{{"1、满意", ONE, "survey", "3F7K"}, "1"},
		{{"1号楼停电了", ONE, "report", ""}, ""},
		{{"3单元没水", ONE, "report", ""}, ""},
		{{"1、没水 2、没电 3、电梯坏", ONE, "report", ""}, ""},
		{{"4", ONE, "ask", ""}, ""},
		{{"1或2", ONE, "ask", ""}, ""},
		{{"12", ONE, "ask", ""}, ""},
		{{"满意？", ONE, "ask", ""}, ""},
		{{"1", TWO, "ask", ""}, ""},
		{{"1", NONE_OPEN, "ask", ""}, ""},
	};

	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct hl_said said = parse(false, cases[i].phrase.text, cases[i].phrase.open);

		check(false, &cases[i].phrase, 1);
		if (!hl_slice_eq_str(said.reason, cases[i].reason))
			fail_msg("%s: \"%.*s\"", cases[i].phrase.text, HL_SLICE_ARG(said.reason));
	}
}

static void resident_reports_in_any_words(void **state)
{
	static const struct phrase phrases[] = {
		{"电梯坏了", NONE_OPEN, "report", ""},
		{"阳光花园3号楼电梯困人了快来", NONE_OPEN, "report", ""},
		{"快来人！煤气漏了", ONE, "report", ""},
		{"物业三天没人管垃圾", NONE_OPEN, "report", ""},
		{"小区垃圾没人清，物业不管", ONE, "report", ""},
		{"新问题：地下车库积水", ONE, "report", ""},
		{"我要投诉物业乱收费", ONE, "report", ""},
		{"楼上噪音太大，催了物业好几次都没用", NONE_OPEN, "report", ""},
		{"查查物业的账，乱收费", ONE, "report", ""},
		{"物业费到期了还要交吗", NONE_OPEN, "report", ""},
		{"楼道灯不亮 5号楼", ONE, "report", ""},
		{"水压太低，4楼上不去水", TWO, "report", ""},
		{"No water in building 3 since morning", NONE_OPEN, "report", ""},
	};

	(void)state;
	CHECK_RESIDENT(phrases);
}

static void resident_is_asked_back_or_helped(void **state)
{
	static const struct phrase phrases[] = {
		{"好的", ONE, "ask", ""},	{"你是谁", NONE_OPEN, "ask", ""},  {"在吗", NONE_OPEN, "ask", ""}, {"签3F7K", ONE, "ask", ""},
		{"结3F7K", ONE, "ask", ""},	{"延3F7K 3天", ONE, "ask", ""},	   {"3F7K", ONE, "ask", ""},	   {"妈，晚上回家吃饭", ONE, "ask", ""},
		{"帮助", NONE_OPEN, "help", ""}, {"怎么查", ONE, "help", ""},	   {"help", ONE, "help", ""},	   {"怎么撤销", ONE, "help", ""},
		{"如何投诉", NONE_OPEN, "help", ""},
	};

	(void)state;
	CHECK_RESIDENT(phrases);
}

/* ---- robustness --------------------------------------------------------------- */

static void survives_any_bytes_and_a_full_arena(void **state)
{
	static const char *const texts[] = {"\xff\xfe\xfd", "签\xe7", "【", "【【【【", "「", "“”“”", "#", "签#", "~~~~", "---", ">", "1、", "结\xf0\x9f"};
	struct hl_arena small;
	struct hl_said said;

	(void)state;
	for (size_t i = 0; i < LEN(texts); i++) {
		said = parse(true, texts[i], TWO);
		assert_true(said.verb == HL_VERB_ASK || said.verb == HL_VERB_NONE || said.verb == HL_VERB_HELP);
		parse(false, texts[i], TWO);
	}
	hl_arena_init(&small, 64);
	hl_talk_parse(true, HL_LIT("结3F7K 已修好，业主认可，照片已传"), NULL, 0, &small, &said);
	assert_int_equal(said.verb, HL_VERB_NONE);
	hl_arena_fini(&small);
}

static void a_text_as_long_as_a_letter_is_no_command(void **state)
{
	static char text[30000];
	struct hl_said said;

	(void)state;
	memcpy(text, "结3F7K", strlen("结3F7K"));
	for (size_t i = strlen("结3F7K"); i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "好", 3);
	said = parse(true, text, ONE);
	assert_int_equal(said.verb, HL_VERB_ASK);
	assert_int_equal(parse(false, text, ONE).verb, HL_VERB_REPORT);
}

static void every_verb_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(hl_verb_name(HL_VERB_NONE), "none");
	for (int verb = HL_VERB_NONE; verb <= HL_VERB_REPORT; verb++)
		assert_non_null(hl_verb_name((enum hl_verb)verb));
	assert_string_equal(hl_verb_name(HL_VERB_REPORT), "report");
}

/* ---- the labelled examples ------------------------------------------------------ */

struct score {
	size_t n, right, unsafe;
};

static void judge(const json_t *example, struct score *score)
{
	const json_t *expect = json_object_get(example, "expect"), *code;
	const char *verb = json_string_value(json_object_get(expect, "verb")), *text = json_string_value(json_object_get(example, "text"));
	struct hl_slice codes[OPEN_MAX];
	struct hl_said said;
	size_t i, n = 0;
	bool is_right;

	json_array_foreach(json_object_get(example, "open_codes"), i, code)
		if (n < OPEN_MAX)
			codes[n++] = hl_slice_str(json_string_value(code));
	hl_talk_parse(strcmp(json_string_value(json_object_get(example, "who")), "officer") == 0, hl_slice_str(text), codes, n, &arena,
		      &said);
	is_right = strcmp(verb, hl_verb_name(said.verb)) == 0 &&
		   hl_slice_eq_str(said.code, json_string_value(json_object_get(expect, "code")));
	score->n++;
	score->right += is_right;
	score->unsafe += (strcmp(verb, "ask") == 0 || strcmp(verb, "none") == 0) &&
			 (said.verb == HL_VERB_CLOSE || said.verb == HL_VERB_HANDBACK);
	if (!is_right)
		print_message("%s: expected %s, got %s\n", text, verb, hl_verb_name(said.verb));
}

static void labelled_examples_are_read_right(void **state)
{
	const char *data = getenv("HOTLINE_DATA");
	char path[512], line[LINE_MAX_];
	struct score score = {0};
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/data/talk/examples.jsonl", data ? data : "../shared");
	file = fopen(path, "r");
	if (!file) {
		print_message("%s is not there: set HOTLINE_DATA\n", path);
		skip();
	}
	while (fgets(line, sizeof(line), file)) {
		json_t *example = json_loads(line, 0, NULL);

		if (example)
			judge(example, &score);
		json_decref(example);
	}
	fclose(file);
	print_message("%zu of %zu right, %zu unsafe\n", score.right, score.n, score.unsafe);
	assert_true(score.n > 0);
	assert_int_equal(score.unsafe, 0);
	assert_true(score.right * 100 >= score.n * 95);
}

static int setup(void **state)
{
	(void)state;
	hl_arena_init(&arena, 1u << 24);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hl_arena_fini(&arena);
	return 0;
}

#define TALK_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALK_TEST(officer_signs),
		TALK_TEST(officer_signs_all),
		TALK_TEST(officer_arrives),
		TALK_TEST(officer_tells_progress),
		TALK_TEST(officer_hands_back),
		TALK_TEST(officer_asks_for_time),
		TALK_TEST(officer_asks_for_assistance),
		TALK_TEST(officer_closes),
		TALK_TEST(never_guesses_a_close_or_a_hand_back),
		TALK_TEST(officer_is_asked_back),
		TALK_TEST(wrong_codes_are_named_and_bind_nothing),
		TALK_TEST(numbers_in_prose_are_no_wrong_codes),
		TALK_TEST(only_what_was_typed_counts),
		TALK_TEST(machines_and_thanks_are_nothing),
		TALK_TEST(officer_asks_for_help),
		TALK_TEST(resident_asks_for_status),
		TALK_TEST(resident_chases),
		TALK_TEST(resident_supplements),
		TALK_TEST(resident_withdraws_only_in_plain_words),
		TALK_TEST(resident_rates),
		TALK_TEST(resident_reports_in_any_words),
		TALK_TEST(resident_is_asked_back_or_helped),
		TALK_TEST(survives_any_bytes_and_a_full_arena),
		TALK_TEST(a_text_as_long_as_a_letter_is_no_command),
		TALK_TEST(every_verb_has_a_name),
		TALK_TEST(labelled_examples_are_read_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
