/* place_parts.c - reads "3号楼2单元501", "三栋二单元", "3#楼", "8-1-302", "B座", "九号楼幺八零一"
 *
 * A reader at one position: number, then what the number is called. The finder tries it at
 * every position where a number can begin.
 * Must not know: compounds.
 * Limits: "3楼" is a storey, not a building; of a range "1-6号楼" and of several buildings only the
 * first whole one counts; numbers have at most four digits.
 */
#include "intake/place_parts.h"
#include "hotline/text.h"

#include <string.h>

#define NUMBER_DIGITS 4
#define BUILDING_MAX  399
#define UNIT_MAX      29
#define ROOM_MIN      101

struct cursor {
	struct hl_slice text;
	size_t pos;
};

struct number {
	unsigned value;
	size_t n_digits; /* as spoken; 0: none */
};

static const char *const building_words[] = {"号住宅楼", "号楼", "#楼", "号栋", "#", "栋楼", "栋", "幢", "座", NULL};
static const char *const numbered_words[] = {"号住宅楼", "号楼", "号栋", NULL};
static const char *const block_words[] = {"栋", "幢", NULL};
/* "这一栋", "每一栋", "一栋楼", "一幢房子" count or point; they name no building. */
static const char *const pointing_words[] = {"这", "那", "每", "整", "另", "同", "有", "就", NULL};
static const char *const counting_words[] = {"楼", "房", "别墅", "高层", NULL};
static const char *const unit_words[] = {"单元", "单员", "门洞", NULL};
/* Units that have no number; their rooms have one. */
static const char *const side_words[] = {"东单元", "西单元", "中单元", "南单元", "北单元", NULL};
static const char *const storey_words[] = {"楼", "层", NULL};
static const char *const room_words[] = {"室", "户", "房", NULL};
static const char *const letter_words[] = {"号楼", "座", "栋", "幢", "#", NULL};

static struct hl_slice rest(const struct cursor *c)
{
	return (struct hl_slice){c->text.ptr + c->pos, c->text.len - c->pos};
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char byte_at(const struct cursor *c)
{
	return c->pos < c->text.len ? c->text.ptr[c->pos] : '\0';
}

static bool skip_word(struct cursor *c, const char *word)
{
	if (!hl_slice_has_prefix(rest(c), word))
		return false;
	c->pos += strlen(word);
	return true;
}

static bool skip_one_of(struct cursor *c, const char *const *words)
{
	for (; *words; words++)
		if (skip_word(c, *words))
			return true;
	return false;
}

/* value_of - 0 to 10, or 100, of a Chinese numeral; -1: none. 幺 is how people say one in room numbers. */
static int value_of(uint32_t cp)
{
	switch (cp) {
	case 0x96f6: /* 零 */
	case 0x3007:
		return 0;
	case 0x4e00:
	case 0x5e7a: /* 幺 */
		return 1;
	case 0x4e8c:
		return 2;
	case 0x4e09:
		return 3;
	case 0x56db:
		return 4;
	case 0x4e94:
		return 5;
	case 0x516d:
		return 6;
	case 0x4e03:
		return 7;
	case 0x516b:
		return 8;
	case 0x4e5d:
		return 9;
	case 0x5341:
		return 10;
	case 0x767e:
		return 100;
	default:
		return -1;
	}
}

static bool read_digits(struct cursor *c, struct number *out_r)
{
	*out_r = (struct number){0};
	for (; is_digit(byte_at(c)); c->pos++) {
		if (++out_r->n_digits > NUMBER_DIGITS)
			return false;
		out_r->value = out_r->value * 10 + (unsigned)(byte_at(c) - '0');
	}
	return out_r->n_digits > 0;
}

/* read_numerals - spoken digits (幺八零一) or counted (二十一, 一百零二). */
static bool read_numerals(struct cursor *c, struct number *out_r)
{
	unsigned total = 0, digit = 0;
	bool is_counted = false;

	*out_r = (struct number){0};
	while (c->pos < c->text.len) {
		size_t pos = c->pos;
		int v = value_of(hl_text_next(c->text, &pos));

		if (v < 0)
			break;
		if (++out_r->n_digits > NUMBER_DIGITS + 1)
			return false;
		if (v >= 10) {
			total += (digit ? digit : 1) * (unsigned)v;
			digit = 0;
			is_counted = true;
		} else {
			digit = is_counted ? (unsigned)v : digit * 10 + (unsigned)v;
		}
		c->pos = pos;
	}
	out_r->value = total + digit;
	return out_r->n_digits > 0 && (is_counted || out_r->n_digits <= NUMBER_DIGITS);
}

static bool read_number(struct cursor *c, struct number *out_r)
{
	struct cursor at = *c;
	bool is_read = is_digit(byte_at(&at)) ? read_digits(&at, out_r) : read_numerals(&at, out_r);

	if (is_read)
		*c = at;
	return is_read;
}

/* write_number - as people write it on a door; a leading zero of spoken digits is lost on purpose. */
static const char *write_number(struct hl_arena *arena, struct number n)
{
	return hl_arena_printf(arena, "%u", n.value);
}

static bool is_building(struct number n)
{
	return n.value >= 1 && n.value <= BUILDING_MAX && n.n_digits <= NUMBER_DIGITS;
}

static bool is_unit(struct number n)
{
	return n.value >= 1 && n.value <= UNIT_MAX;
}

static bool is_room(struct number n)
{
	return n.value >= ROOM_MIN && n.n_digits >= 3;
}

/* skip_storey - "18楼" between unit and room says nothing that the room does not. */
static void skip_storey(struct cursor *c)
{
	struct cursor at = *c;
	struct number n;

	if (read_number(&at, &n) && n.value > 0 && n.value < ROOM_MIN && skip_one_of(&at, storey_words))
		*c = at;
}

/* read_room - right behind building or unit only; anything else with three digits may be a sum of money. */
static void read_room(struct cursor *c, struct hl_arena *arena, struct hl_place_parts *out_r)
{
	struct cursor at = *c;
	struct number n;

	(void)(skip_word(&at, "-") || skip_word(&at, ",") || skip_word(&at, "的"));
	skip_storey(&at);
	if (!read_number(&at, &n) || !is_room(n) || hl_slice_has_prefix(rest(&at), "块") ||
	    hl_slice_has_prefix(rest(&at), "元") || hl_slice_has_prefix(rest(&at), "多"))
		return;
	skip_one_of(&at, room_words);
	out_r->room = write_number(arena, n);
	*c = at;
}

static bool read_unit(struct cursor *c, struct hl_arena *arena, struct hl_place_parts *out_r)
{
	struct cursor at = *c;
	struct number n;

	(void)(skip_word(&at, "-") || skip_word(&at, ",") || skip_word(&at, "的"));
	if (!read_number(&at, &n) || !is_unit(n) || !skip_one_of(&at, unit_words))
		return false;
	out_r->unit_no = write_number(arena, n);
	*c = at;
	return true;
}

/* read_letter_building - "B座"; a letter inside a word is none. */
static bool read_letter_building(struct cursor *c, struct hl_arena *arena, struct hl_place_parts *out_r)
{
	char letter = byte_at(c);
	struct cursor at = {c->text, c->pos + 1};

	if (letter < 'a' || letter > 'z' || !skip_one_of(&at, letter_words))
		return false;
	out_r->building = hl_arena_printf(arena, "%c", letter - 'a' + 'A');
	*c = at;
	return true;
}

static bool is_pointed_at(const struct cursor *c)
{
	struct cursor before = {c->text, c->pos >= 3 ? c->pos - 3 : 0};

	return c->pos >= 3 && skip_one_of(&before, pointing_words);
}

/* skip_building_word - what a number must be called to be a building; spoken numerals also count things. */
static bool skip_building_word(const struct cursor *start, struct cursor *at)
{
	if (is_digit(byte_at(start)))
		return skip_one_of(at, building_words);
	if (skip_one_of(at, numbered_words))
		return true;
	return skip_one_of(at, block_words) && !is_pointed_at(start) && !skip_one_of(at, counting_words);
}

static bool read_named_building(struct cursor *c, struct hl_arena *arena, struct hl_place_parts *out_r)
{
	struct cursor at = *c;
	struct number n;

	if (read_letter_building(c, arena, out_r))
		return true;
	if (!read_number(&at, &n) || !is_building(n) || !skip_building_word(c, &at))
		return false;
	out_r->building = write_number(arena, n);
	*c = at;
	return true;
}

static bool read_dash_number(struct cursor *c, struct number *out_r)
{
	struct cursor at = *c;

	if (!skip_word(&at, "-") || !is_digit(byte_at(&at)) || !read_number(&at, out_r))
		return false;
	*c = at;
	return true;
}

/* read_dashed - "8-1-302" anywhere; "7-3" only behind a compound's name, elsewhere it may be a date or a score. */
static bool read_dashed(struct cursor *c, bool is_after_name, struct hl_arena *arena, struct hl_place_parts *out_r)
{
	struct cursor at = *c;
	struct number building, unit, room = {0};

	if (!is_digit(byte_at(&at)) || !read_number(&at, &building) || !is_building(building) ||
	    !read_dash_number(&at, &unit) || !is_unit(unit))
		return false;
	read_dash_number(&at, &room);
	if (byte_at(&at) == '-' || is_digit(byte_at(&at)) || (room.n_digits && !is_room(room)))
		return false;
	if (!room.n_digits && (!is_after_name || skip_one_of(&at, building_words)))
		return false;
	out_r->building = write_number(arena, building);
	out_r->unit_no = write_number(arena, unit);
	out_r->room = room.n_digits ? write_number(arena, room) : NULL;
	*c = at;
	return true;
}

static bool read_building(struct cursor *c, bool is_after_name, struct hl_arena *arena, struct hl_place_parts *out_r)
{
	if (read_dashed(c, is_after_name, arena, out_r))
		return true;
	if (!read_named_building(c, arena, out_r))
		return false;
	if (!read_unit(c, arena, out_r))
		skip_one_of(c, side_words);
	read_room(c, arena, out_r);
	return true;
}

/* read_bare_room - "1205室" right behind a name: a compound of one building. */
static bool read_bare_room(struct cursor *c, struct hl_arena *arena, struct hl_place_parts *out_r)
{
	struct cursor at = *c;
	struct number n;

	if (!read_number(&at, &n) || !is_room(n) || !skip_one_of(&at, room_words))
		return false;
	out_r->room = write_number(arena, n);
	*c = at;
	return true;
}

/* A number may not begin in the middle of a number, a range or a Latin word. */
static bool can_begin(struct hl_slice text, size_t pos)
{
	char before = pos ? text.ptr[pos - 1] : ' ';
	size_t back = pos;

	if (is_digit(before) || before == '-' || before == '.' || (before >= 'a' && before <= 'z'))
		return false;
	if (pos < 3)
		return true;
	back -= 3;
	return value_of(hl_text_next(text, &back)) < 0;
}

/* to_number - moves to where a number, letter or dash stands, from here on; nearly all of a text is none. Gives false
 * at the end. */
static bool to_number(struct cursor *c)
{
	while (c->pos < c->text.len) {
		size_t next = c->pos;
		uint32_t cp = hl_text_next(c->text, &next);

		if (cp == '-' || is_digit(byte_at(c)) || (cp >= 'a' && cp <= 'z') || value_of(cp) >= 0)
			return true;
		c->pos = next;
	}
	return false;
}

/* to_next - moves to the next code point. */
static void to_next(struct cursor *c)
{
	hl_text_next(c->text, &c->pos);
}

static bool find_unit(struct cursor c, struct hl_arena *arena, struct hl_place_parts *out_r)
{
	for (; to_number(&c); to_next(&c)) {
		out_r->start = c.pos;
		if (can_begin(c.text, c.pos) && read_unit(&c, arena, out_r)) {
			read_room(&c, arena, out_r);
			return true;
		}
	}
	return false;
}

bool hl_place_parts_find(struct hl_slice text, size_t from, bool is_after_name, struct hl_arena *arena,
			 struct hl_place_parts *out_r)
{
	struct cursor c = {text, from}, first;

	*out_r = (struct hl_place_parts){0};
	if (!to_number(&c))
		return false;
	for (first = c; to_number(&c); to_next(&c)) {
		bool is_next_to_name = is_after_name && c.pos == from;

		out_r->start = c.pos;
		if ((is_next_to_name || can_begin(text, c.pos)) && read_building(&c, is_next_to_name, arena, out_r))
			return true;
		if (is_next_to_name && read_bare_room(&c, arena, out_r))
			return true;
	}
	return find_unit(first, arena, out_r);
}
