/* mask.c - masks numbers, plates, accounts and told names (contract in hotline/mask.h)
 *
 * Works on code points of the folded text, so that full-width digits are digits. Masks rather too much than too little:
 * what is lost, a reader of the masked text can do without.
 */
#include "hotline/mask.h"

#include "hotline/text.h"

#include <string.h>

#define WORD_MIN     5 /* letters and digits in a row that may be an account; "ktv", "wifi" are not */
#define NUMERALS_MIN 3 /* Chinese digits read out one by one */
#define NAME_RUNES   3 /* of a name behind 我叫 */
#define PLATE_MIN    5 /* behind province and letter */

struct masking {
	uint32_t *runes;
	size_t n;
	bool *hidden;
};

static bool is_digit(uint32_t cp)
{
	return cp >= '0' && cp <= '9';
}

static bool is_letter(uint32_t cp)
{
	return cp >= 'a' && cp <= 'z';
}

static bool is_word(uint32_t cp)
{
	return is_digit(cp) || is_letter(cp) || cp == '@' || cp == '_' || cp == '-' || cp == '.' || cp == '/' ||
	       cp == ':';
}

static bool is_han(uint32_t cp)
{
	return (cp >= 0x3400 && cp <= 0x9fff) || (cp >= 0x20000 && cp <= 0x3ffff);
}

/* is_one_of - of the code points of a string. */
static bool is_one_of(uint32_t cp, const char *set)
{
	struct hl_slice s = hl_slice_str(set);

	for (size_t pos = 0; pos < s.len;)
		if (hl_text_next(s, &pos) == cp)
			return true;
	return false;
}

static void hide(struct masking *m, size_t from, size_t to)
{
	for (; from < to && from < m->n; from++)
		m->hidden[from] = true;
}

static size_t run_of(const struct masking *m, size_t i, bool (*is)(uint32_t))
{
	size_t n = 0;

	while (i + n < m->n && is(m->runes[i + n]))
		n++;
	return n;
}

static bool is_numeral(uint32_t cp)
{
	return is_one_of(cp, "零〇一二三四五六七八九幺两");
}

static bool is_plate_word(uint32_t cp)
{
	return is_digit(cp) || is_letter(cp);
}

/* Numbers, accounts, numbers read out. */
static void hide_runs(struct masking *m)
{
	for (size_t i = 0; i < m->n;) {
		size_t word = run_of(m, i, is_word), digits = run_of(m, i, is_digit), said = run_of(m, i, is_numeral);

		if (word >= WORD_MIN)
			hide(m, i, i + word);
		else if (digits > 0)
			hide(m, i, i + digits);
		else if (said >= NUMERALS_MIN)
			hide(m, i, i + said);
		i += word >= WORD_MIN ? word : digits > 0 ? digits : said >= NUMERALS_MIN ? said : 1;
	}
}

static void hide_plates(struct masking *m)
{
	for (size_t i = 0; i + 2 < m->n; i++) {
		size_t at = i + 2;

		if (!is_one_of(m->runes[i], "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼") ||
		    !is_letter(m->runes[i + 1]))
			continue;
		at += m->runes[at] == ' ' || m->runes[at] == '-' || m->runes[at] == 0xb7;
		if (run_of(m, at, is_plate_word) >= PLATE_MIN)
			hide(m, i, at + run_of(m, at, is_plate_word));
	}
}

/* starts_with - gives the code points of the word that stands at i, 0: another. */
static size_t starts_with(const struct masking *m, size_t i, const char *word)
{
	struct hl_slice s = hl_slice_str(word);
	size_t n = 0;

	for (size_t pos = 0; pos < s.len; n++)
		if (i + n >= m->n || m->runes[i + n] != hl_text_next(s, &pos))
			return 0;
	return n;
}

/* hide_name - up to n_max characters of a name behind a colon or blank. */
static void hide_name(struct masking *m, size_t i, size_t n_max)
{
	size_t n;

	while (i < m->n && is_one_of(m->runes[i], ": 是"))
		i++;
	n = run_of(m, i, is_han);
	hide(m, i, i + (n < n_max ? n : n_max));
}

static void hide_names(struct masking *m)
{
	static const struct {
		const char *word;
		size_t n_runes;
	} before[] = {{"我姓", 1},          {"免贵姓", 1},        {"本人姓", 1},          {"我叫", NAME_RUNES},
		      {"名叫", NAME_RUNES}, {"姓名", NAME_RUNES}, {"联系人", NAME_RUNES}, {"报警人", NAME_RUNES},
		      {"户主", NAME_RUNES}};
	static const char *const behind[] = {"先生", "女士", "小姐"};

	for (size_t i = 0; i < m->n; i++) {
		for (size_t k = 0; k < sizeof(before) / sizeof(before[0]); k++) {
			size_t n = starts_with(m, i, before[k].word);

			if (n)
				hide_name(m, i + n, before[k].n_runes);
		}
		for (size_t k = 0; i > 0 && k < sizeof(behind) / sizeof(behind[0]); k++)
			if (starts_with(m, i, behind[k]))
				hide(m, i - 1, i);
	}
}

static bool read_runes(struct masking *m, struct hl_slice text, struct hl_arena *arena)
{
	m->runes = hl_arena_array(arena, text.len + 1, sizeof(*m->runes));
	m->hidden = hl_arena_array(arena, text.len + 1, sizeof(*m->hidden));
	if (!m->runes || !m->hidden)
		return false;
	for (size_t pos = 0; pos < text.len;)
		m->runes[m->n++] = hl_text_next(text, &pos);
	return true;
}

/* write_masked - one # for a run of what is hidden; never longer than the text. */
static struct hl_slice write_masked(const struct masking *m, struct hl_slice text, struct hl_arena *arena)
{
	char *out = hl_arena_alloc(arena, text.len + 1);
	size_t len = 0, pos = 0;

	if (!out)
		return (struct hl_slice){0};
	for (size_t i = 0; i < m->n; i++) {
		size_t start = pos;

		hl_text_next(text, &pos);
		if (!m->hidden[i]) {
			memcpy(out + len, text.ptr + start, pos - start);
			len += pos - start;
		} else if (i == 0 || !m->hidden[i - 1]) {
			out[len++] = '#';
		}
	}
	return (struct hl_slice){out, len};
}

struct hl_slice hl_mask_private(struct hl_arena *arena, struct hl_slice text)
{
	struct masking m = {0};

	text = hl_text_fold(arena, text);
	if (!read_runes(&m, text, arena))
		return (struct hl_slice){0};
	hide_runs(&m);
	hide_plates(&m);
	hide_names(&m);
	return write_masked(&m, text, arena);
}
