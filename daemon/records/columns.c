/* columns.c - what a row of the ledger says, in the order in which it is printed */
#include "columns.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A margin is in minutes: to spare when positive, too late when negative, empty while nobody can tell. */
static const struct column of_cases[] = {
	{"case", "案件编号", "case", COLUMN_TEXT, 11},
	{"opened_at", "受理时间", "opened", COLUMN_TIME, 18},
	{"state", "状态", "state", COLUMN_TEXT, 11},
	{"type", "类型代码", "type", COLUMN_TEXT, 9},
	{"type_name", "案件类型", "type name", COLUMN_TEXT, 28},
	{"urgency", "紧急程度", "urgency", COLUMN_TEXT, 10},
	{"subdistrict", "街道", "subdistrict", COLUMN_TEXT, 18},
	{"community", "社区", "community", COLUMN_TEXT, 12},
	{"compound", "小区", "compound", COLUMN_TEXT, 14},
	{"place", "位置", "place", COLUMN_TEXT, 26},
	{"property_company", "物业公司", "property company", COLUMN_TEXT, 22},
	{"channel", "来源渠道", "channel", COLUMN_TEXT, 10},
	{"reporter", "反映人", "reporter", COLUMN_TEXT, 10},
	{"phone", "反映人电话", "reporter's number", COLUMN_TEXT, 16},
	{"reporters", "反映人数", "reporters", COLUMN_NUMBER, 9},
	{"chases", "催办次数", "chases", COLUMN_NUMBER, 9},
	{"redos", "退回重办", "redos", COLUMN_NUMBER, 9},
	{"reopens", "重新办理", "reopens", COLUMN_NUMBER, 9},
	{"calls", "来电次数", "calls", COLUMN_NUMBER, 9},
	{"answered_s", "人工接听(秒)", "answered after (s)", COLUMN_NUMBER, 13},
	{"lead", "主办单位", "lead unit", COLUMN_TEXT, 24},
	{"sign_margin", "签收余时(分)", "sign margin (min)", COLUMN_NUMBER, 13},
	{"arrive_margin", "到场余时(分)", "arrive margin (min)", COLUMN_NUMBER, 13},
	{"close_margin", "办结余时(分)", "close margin (min)", COLUMN_NUMBER, 13},
	{"done_at", "单位办结时间", "done", COLUMN_TIME, 18},
	{"closed_at", "中心结案时间", "closed", COLUMN_TIME, 18},
	{"rating", "满意度", "rating", COLUMN_TEXT, 8},
	{"result", "办理结果", "result", COLUMN_TEXT, 40},
	{"why", "分类依据", "why this type", COLUMN_TEXT, 40},
};

static const struct column of_tasks[] = {
	{"case", "案件编号", "case", COLUMN_TEXT, 11},
	{"unit", "单位代码", "unit", COLUMN_TEXT, 9},
	{"unit_name", "单位", "unit name", COLUMN_TEXT, 24},
	{"role", "主办/协办", "role", COLUMN_TEXT, 9},
	{"state", "状态", "state", COLUMN_TEXT, 11},
	{"assigned_at", "派发时间", "assigned", COLUMN_TIME, 18},
	{"sign_by", "签收期限", "sign by", COLUMN_TIME, 18},
	{"signed_at", "签收时间", "signed", COLUMN_TIME, 18},
	{"sign_margin", "签收余时(分)", "sign margin (min)", COLUMN_NUMBER, 13},
	{"arrive_by", "到场期限", "arrive by", COLUMN_TIME, 18},
	{"arrived_at", "到场时间", "arrived", COLUMN_TIME, 18},
	{"arrive_margin", "到场余时(分)", "arrive margin (min)", COLUMN_NUMBER, 13},
	{"close_by", "办结期限", "close by", COLUMN_TIME, 18},
	{"done_at", "办结时间", "done", COLUMN_TIME, 18},
	{"close_margin", "办结余时(分)", "close margin (min)", COLUMN_NUMBER, 13},
	{"provisional", "暂定期限", "provisional", COLUMN_TEXT, 9},
	{"result", "办理结果", "result", COLUMN_TEXT, 40},
};

const struct column_set case_columns = {"案件", "cases", of_cases, COUNT(of_cases)};
const struct column_set task_columns = {"任务", "tasks", of_tasks, COUNT(of_tasks)};
