/* segments.c - how many SMS a text costs (contract in hotline/segments.h)
 *
 * Pure. Source: 3GPP TS 23.038 6.2.1 (GSM 7-bit default alphabet and its extension),
 * 23.040 9.2.3.24.1 (concatenation leaves 153 septets or 67 UCS-2 units per part).
 */
#include "hotline/segments.h"

#include "hotline/text.h"

#define GSM7_SINGLE 160
#define GSM7_PART   153
#define UCS2_SINGLE 70
#define UCS2_PART   67

/* The default alphabet beyond ASCII letters, digits and the marks both have. */
static const uint16_t gsm7_more[] = {0xA3,  0xA5,  0xE8,  0xE9,  0xF9,  0xEC,  0xF2,  0xC7,  0xD8,  0xF8,
				     0xC5,  0xE5,  0x394, 0x3A6, 0x393, 0x39B, 0x3A9, 0x3A0, 0x3A8, 0x3A3,
				     0x398, 0x39E, 0xC6,  0xE6,  0xDF,  0xC9,  0xA4,  0xA1,  0xC4,  0xD6,
				     0xD1,  0xDC,  0xA7,  0xBF,  0xE4,  0xF6,  0xF1,  0xFC,  0xE0};
static const char gsm7_marks[] = "@$\n\r_ !\"#%&'()*+,-./:;<=>?";
static const char gsm7_extension[] = "\f^{}\\[~]|";

static bool is_among(uint32_t c, const char *set)
{
	for (; *set; set++)
		if (c == (unsigned char)*set)
			return true;
	return false;
}

/* Septets a character takes: 1, 2 (escape and character), 0 when the alphabet has no such character. */
static unsigned septets(uint32_t c)
{
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || is_among(c, gsm7_marks))
		return 1;
	if (c == 0x20AC || is_among(c, gsm7_extension))
		return 2;
	for (size_t i = 0; i < sizeof(gsm7_more) / sizeof(gsm7_more[0]); i++)
		if (c == gsm7_more[i])
			return 1;
	return 0;
}

static unsigned utf16_units(uint32_t c)
{
	return c > 0xFFFF ? 2 : 1;
}

static bool is_gsm7(struct hl_slice s)
{
	size_t pos = 0;

	while (pos < s.len)
		if (septets(hl_text_next(s, &pos)) == 0)
			return false;
	return true;
}

struct packing {
	unsigned (*cost)(uint32_t c);
	size_t part; /* units a part holds when there are several */
	size_t units, parts, in_part;
};

/* A character of two units that does not fit any more opens the next part: pairs are never split. */
static void pack(struct packing *p, struct hl_slice s)
{
	size_t pos = 0;

	while (pos < s.len) {
		unsigned n = p->cost(hl_text_next(s, &pos));

		if (p->parts == 0 || p->in_part + n > p->part) {
			p->parts++;
			p->in_part = 0;
		}
		p->in_part += n;
		p->units += n;
	}
}

void hl_segments_plan(struct hl_slice text, struct hl_slice provider_signature, struct hl_segments *out_r)
{
	/* The brackets around a signature are no GSM-7 characters. */
	bool gsm7 = is_gsm7(text) && provider_signature.len == 0;
	struct packing p = {.cost = gsm7 ? septets : utf16_units, .part = gsm7 ? GSM7_PART : UCS2_PART};

	*out_r = (struct hl_segments){.is_gsm7 = gsm7};
	if (text.len == 0)
		return;
	if (provider_signature.len > 0) {
		pack(&p, HL_LIT("【"));
		pack(&p, provider_signature);
		pack(&p, HL_LIT("】"));
	}
	pack(&p, text);
	out_r->units = p.units;
	out_r->parts = p.units <= (size_t)(gsm7 ? GSM7_SINGLE : UCS2_SINGLE) ? 1 : p.parts;
}
