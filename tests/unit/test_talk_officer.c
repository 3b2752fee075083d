/* test_talk_officer.c - phrasings of officers -> verb, code, arguments; one table per verb, and one for what must
 * never be acted on. Phrasings are our own. */
#include "phrase_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

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
	phrase_check(true, phrases, LEN(phrases));
}

static void officer_signs_all(void **state)
{
	static const char *const yes[] = {"签全部", "全部签收", "都签", "都签了", "全签", "所有的都签收", "三个都签", "三件全签", "３个都签收", "一起签了", "SIGN ALL", "全部收到"};
	static const char *const no[] = {"两个都签", "四个都签收", "全部结", "全部退", "都办结了", "全退", "先不签全部", "一会全部签"};

	(void)state;
	for (size_t i = 0; i < LEN(yes); i++) {
		struct hl_said said = phrase_parse(true, yes[i], THREE);

		if (said.verb != HL_VERB_SIGN || !said.is_all || said.code.len > 0)
			fail_msg("%s: %s", yes[i], hl_verb_name(said.verb));
	}
	for (size_t i = 0; i < LEN(no); i++) {
		struct hl_said said = phrase_parse(true, no[i], THREE);

		if (said.verb != HL_VERB_ASK || said.is_all)
			fail_msg("%s: %s", no[i], hl_verb_name(said.verb));
	}
	assert_int_equal(phrase_parse(true, "签全部", NONE_OPEN).verb, HL_VERB_ASK);
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
	phrase_check(true, phrases, LEN(phrases));
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
	phrase_check(true, phrases, LEN(phrases));
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
	phrase_check(true, phrases, LEN(phrases));
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
		struct hl_said said = phrase_parse(true, cases[i].phrase.text, cases[i].phrase.open);

		phrase_check(true, &cases[i].phrase, 1);
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
		struct hl_said said = phrase_parse(true, cases[i].phrase.text, cases[i].phrase.open);

		phrase_check(true, &cases[i].phrase, 1);
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
	phrase_check(true, phrases, LEN(phrases));
	assert_true(hl_slice_eq_str(phrase_parse(true, "结3F7K结果：已清理", TWO).reason, "已清理"));
	assert_true(hl_slice_eq_str(phrase_parse(true, "结３ｆ７ｋ　路灯已亮。", TWO).reason, "路灯已亮"));
	assert_int_equal(phrase_parse(true, "结3F7K", TWO).reason.len, 0);
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
			struct hl_said said = phrase_parse(true, texts[i], k ? TWO : ONE);

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
	phrase_check(true, phrases, LEN(phrases));
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
	phrase_check(true, phrases, LEN(phrases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PHRASE_TEST(officer_signs),
		PHRASE_TEST(officer_signs_all),
		PHRASE_TEST(officer_arrives),
		PHRASE_TEST(officer_tells_progress),
		PHRASE_TEST(officer_hands_back),
		PHRASE_TEST(officer_asks_for_time),
		PHRASE_TEST(officer_asks_for_assistance),
		PHRASE_TEST(officer_closes),
		PHRASE_TEST(never_guesses_a_close_or_a_hand_back),
		PHRASE_TEST(officer_is_asked_back),
		PHRASE_TEST(officer_asks_for_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
