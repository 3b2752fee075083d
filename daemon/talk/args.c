/* args.c - days, unit and reason, cut from what was typed (contract in cues.h); pure */
#include "cues.h"

#include "hotline/text.h"

#include <string.h>

static int numeral(uint32_t cp)
{
	static const char numerals[] = "零一二三四五六七八九十";
	struct hl_slice list = HL_LIT(numerals);
	int value = 0;

	if (cp >= '0' && cp <= '9')
		return (int)(cp - '0');
	if (cp == 0x4E24) /* 两 */
		return 2;
	for (size_t pos = 0; pos < list.len; value++)
		if (hl_text_next(list, &pos) == cp)
			return value;
	return -1;
}

/* 3, 10, 三, 十五, 二十: runes [at, *at). -1: no number, or no definite one: two digits of speech in a row (两三天). */
static int read_number(const struct words *w, size_t *at)
{
	int total = -1, n, last = -1;
	bool is_vague = false;

	for (; *at < w->n && (n = numeral(w->runes[*at].cp)) >= 0; ++*at) {
		bool is_spoken = w->runes[*at].cp > 0x7F;

		is_vague |= (is_spoken && n < 10 && last >= 0 && last < 10) || total > 1000;
		if (is_vague)
			continue;
		if (total < 0)
			total = n;
		else if (n == 10 || !is_spoken)
			total = total * 10 + n % 10;
		else
			total += n;
		last = is_spoken ? n : -1;
	}
	return is_vague ? -1 : total;
}

static const struct {
	const char *words;
	int days;
} spans[] = {
	{"个工作日 工作日 天 日= 日> days day", 1},
	{"个星期 星期 周 个礼拜 礼拜 weeks week", 7},
	{"个月", 30},
};

static int unit_days(const struct words *w, size_t at, size_t *end_r)
{
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		if (words_match(w, at, spans[i].words, end_r))
			return spans[i].days;
	return 0;
}

int talk_days(const struct words *w, struct span *found_r)
{
	for (size_t at = 0; at < w->n; at++) {
		size_t i = at, end;
		bool is_range = at > 0 && words_match(w, at - 1, "- 、 至 几 下 上 到 第 月", &end);
		int n;

		if (words_match(w, at, "半个月", &found_r->to) && !is_range) {
			found_r->from = at;
			return 15;
		}
		n = read_number(w, &i);
		if (n > 0 && !is_range && unit_days(w, i, &found_r->to) &&
		    !words_match(w, found_r->to, "后 前 内完 左右", &end)) {
			found_r->from = at;
			return n * unit_days(w, i, &end);
		}
		if (i > at)
			at = i - 1;
	}
	return 0;
}

/* ---- unit -------------------------------------------------------------------- */

static const char unit_openers[] = "归 由 属于 属 应归 应由 是 转给 转到 转由 转 退给 请协调 请求 请让 请 协助 协调 "
				   "需要 需 让 叫 找 派 给 联系 会同 联合 麻烦 申请 划给";

/* The name of a unit that starts here: up to ten runes that end as units' names do, the longest. */
static bool read_unit(const struct words *w, size_t at, struct span *found_r)
{
	*found_r = (struct span){at, at};
	for (size_t n = 0;
	     n < 10 && at + n < w->n && rune_is_word(w->runes[at + n].cp) && (n == 0 || !w->runes[at + n].has_gap);
	     n++) {
		size_t end;

		if (words_match(w, at + n, talk_grammar.units, &end))
			found_r->to = end;
	}
	return found_r->to > at;
}

struct hl_slice talk_unit(const struct words *w, enum hl_verb verb, struct span *found_r)
{
	size_t at, end;

	for (at = 0; at < w->n; at++) {
		if (words_match(w, at, "单位不明 不明单位", &end)) {
			*found_r = (struct span){at, end};
			return HL_LIT("不明");
		}
		if (words_match(w, at, unit_openers, &end) && !words_match(w, at, "不由 是否", &end) &&
		    read_unit(w, end, found_r) && !(at > 0 && words_match(w, at - 1, "不 非", &end)))
			return words_cut(w, *found_r);
		if (verb == HL_VERB_ASSIST && words_match(w, at, "协# # 协: 协", &end) &&
		    !words_match(w, end, unit_openers, &found_r->to)) {
			while (end < w->n && !rune_is_word(w->runes[end].cp))
				end++;
			if (read_unit(w, end, found_r))
				return words_cut(w, *found_r);
		}
	}
	return HL_LIT("");
}

/* ---- reason ------------------------------------------------------------------ */

struct cutting {
	const struct words *w;
	bool *is_gone;
};

static void drop(struct cutting *c, struct span s)
{
	for (size_t i = s.from; i < s.to; i++)
		c->is_gone[i] = true;
}

static void drop_all(struct cutting *c, const char *patterns)
{
	struct span in = {0, c->w->n}, found;

	for (; words_find(c->w, in, patterns, &found); in.from = found.from + 1)
		drop(c, found);
}

/* What is left, as it was written; runs that were apart are joined by a blank. */
static struct hl_slice join(const struct cutting *c, struct hl_arena *arena)
{
	char *out = hl_arena_alloc(arena, c->w->source.len + 2 * c->w->n + 1);
	size_t len = 0;

	if (!out)
		return HL_LIT("");
	for (size_t at = 0; at < c->w->n;) {
		size_t from = at;
		struct hl_slice run;

		while (at < c->w->n && !c->is_gone[at])
			at++;
		run = words_cut(c->w, (struct span){from, at});
		if (run.len > 0 && len > 0)
			out[len++] = ' ';
		if (run.len > 0)
			memcpy(out + len, run.ptr, run.len);
		len += run.len;
		at += at == from;
	}
	return (struct hl_slice){out, len};
}

static const char reason_fillers[] = "签# #签> 签收# #签收 <收到> <请审核> <谢谢> <好的> <好的, 理由: 原因: 结果: "
				     "<原因> <理由> 事项已# <事项> <申请> <需> <给> <请> <请查收 <吧> <了> "
				     "<了吧> <啊> <一点> <一下>";
static const char extend_fillers[] =
	"延# #延 到下周= 到[下本]周[一二三四五六日] 到下个月 到月底 到~号> 到~日> 几天吧 几天";

/* Words in front of a command are the reason of some verbs and mere talk with others. */
static void drop_command(struct cutting *c, const struct meaning *m)
{
	if (m->verb == HL_VERB_PROGRESS && m->command.to == m->command.from)
		return;
	if (m->verb == HL_VERB_CHASE && m->command.from > c->w->head)
		return;
	drop(c, (struct span){0, c->w->head});
	drop(c, m->command);
	if (m->verb == HL_VERB_SIGN || m->verb == HL_VERB_ARRIVE || m->command.from <= c->w->head)
		drop(c, (struct span){0, m->command.from});
	drop_all(c, reason_fillers);
}

/* "签3F7K 综合执法局一中队": who signs, no remark. */
static void drop_signature(struct cutting *c, const struct meaning *m)
{
	const struct words *w = c->w;
	size_t from = m->command.to;
	struct span unit;

	while (from < w->n && (!rune_is_word(w->runes[from].cp) || w->runes[from].cp == TALK_CODE))
		from++;
	if (read_unit(w, from, &unit) && words_ends_clause(w, unit.to) && unit.to == w->n)
		drop(c, unit);
}

static void drop_arguments(struct cutting *c, const struct meaning *m, struct hl_said *said)
{
	struct span found;

	if (m->verb == HL_VERB_EXTEND) {
		drop_all(c, extend_fillers);
		said->days = talk_days(c->w, &found);
		if (said->days > 0)
			drop(c, found);
	}
	if (m->verb == HL_VERB_HANDBACK || m->verb == HL_VERB_ASSIST)
		said->unit = talk_unit(c->w, m->verb, &found);
	if (said->unit.len > 0 &&
	    (m->verb == HL_VERB_ASSIST || words_match(c->w, found.from, "单位不明 不明单位", &found.to)))
		drop(c, found);
	if (m->verb == HL_VERB_SIGN)
		drop_signature(c, m);
}

struct hl_slice talk_reason(const struct parts *p, const struct meaning *m, struct hl_arena *arena,
			    struct hl_said *said)
{
	const struct words *w = &p->typed;
	struct cutting c = {w, hl_arena_array(arena, w->n + 1, sizeof(bool))};

	if (!c.is_gone)
		return HL_LIT("");
	drop_all(&c, "#");
	drop_command(&c, m);
	drop_arguments(&c, m, said);
	return join(&c, arena);
}
