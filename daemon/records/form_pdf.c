/* form_pdf.c - draws the report form on A4 with pango and cairo
 *
 * Owns the page's geometry. A text that does not fit its box at the smallest size stands whole on a
 * page behind the form; a character that no font has is printed as 〓, the printer's mark for a type
 * that is missing, so that a hole is seen and never a blank.
 */
#include "form_view.h"
#include "hotline/text.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>
#include <qrencode.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_W    595.28 /* A4 in points */
#define PAGE_H    841.89
#define MARGIN    54.0
#define TABLE_TOP 128.0
#define TABLE_W   (PAGE_W - 2 * MARGIN)
#define TABLE_H   (PAGE_H - MARGIN - 24 - TABLE_TOP)
#define PARTY_H   46.0
#define LABEL_W   84.0
#define UNIT_W    220.0
#define PAD       6.0
#define SIZE      11 /* of the texts; down to SIZE_MIN where a box is full */
#define SIZE_MIN  8
#define QR_SIDE   48.0
#define GETA      "〓"

struct page {
	cairo_t *cr;
	PangoLayout *layout;
	const struct form_view *view;
	struct hl_error *err;
	enum hl_class cls;
};

struct area {
	double x, y, w, h;
};

static cairo_status_t on_bytes(void *out, const unsigned char *data, unsigned n)
{
	return fwrite(data, 1, n, out) == n ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static void use_font(const struct page *p, double size, bool is_bold)
{
	PangoFontDescription *font = pango_font_description_from_string(p->view->font);

	pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
	pango_font_description_set_weight(font, is_bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
	pango_layout_set_font_description(p->layout, font);
	pango_font_description_free(font);
}

/* The text with 〓 for what no font has. Gives NULL when even that cannot be drawn: there is no font at all. */
static char *drawable(const struct page *p, const char *text)
{
	GString *good = g_string_new(NULL);
	struct hl_slice all = hl_slice_str(text);
	bool is_drawable;

	for (size_t from = 0, to = 0; from < all.len; from = to) {
		hl_text_next(all, &to);
		pango_layout_set_text(p->layout, all.ptr + from, (int)(to - from));
		if (pango_layout_get_unknown_glyphs_count(p->layout) > 0)
			g_string_append(good, GETA);
		else
			g_string_append_len(good, all.ptr + from, (gssize)(to - from));
	}
	pango_layout_set_text(p->layout, good->str, -1);
	is_drawable = pango_layout_get_unknown_glyphs_count(p->layout) == 0;
	return g_string_free(good, !is_drawable);
}

/* Lays the text out in the current font. */
static void set_text(struct page *p, const char *text)
{
	char *mended;

	pango_layout_set_text(p->layout, text, -1);
	if (pango_layout_get_unknown_glyphs_count(p->layout) == 0)
		return;
	mended = drawable(p, text);
	if (!mended && p->cls == HL_OK)
		p->cls = hl_fail(p->err, HL_LIMIT, "no font can print \"%.60s\": install one as %s", text,
				 p->view->font);
	g_free(mended);
}

static double height_of(const struct page *p)
{
	int h;

	pango_layout_get_pixel_size(p->layout, NULL, &h);
	return h;
}

/* One text in an area: from the top, or in its middle. Gives the height it took. */
static double draw_text(struct page *p, struct area a, const char *text, double size, bool is_bold, bool is_centred)
{
	double h;

	use_font(p, size, is_bold);
	pango_layout_set_width(p->layout, (int)(a.w * PANGO_SCALE));
	pango_layout_set_alignment(p->layout, is_centred ? PANGO_ALIGN_CENTER : PANGO_ALIGN_LEFT);
	set_text(p, text);
	h = height_of(p);
	cairo_move_to(p->cr, a.x, is_centred ? a.y + (a.h - h) / 2 : a.y);
	pango_cairo_show_layout(p->cr, p->layout);
	return h;
}

/* The largest size at which a text fits, 0 when there is none. */
static double fitting_size(struct page *p, struct area a, const char *text)
{
	for (int size = SIZE; size >= SIZE_MIN; size--) {
		use_font(p, size, false);
		pango_layout_set_width(p->layout, (int)(a.w * PANGO_SCALE));
		set_text(p, text);
		if (height_of(p) <= a.h)
			return size;
	}
	return 0;
}

static void frame(const struct page *p, struct area a)
{
	cairo_rectangle(p->cr, a.x, a.y, a.w, a.h);
	cairo_stroke(p->cr);
}

static struct area inside(struct area a)
{
	return (struct area){a.x + PAD, a.y + PAD, a.w - 2 * PAD, a.h - 2 * PAD};
}

static void draw_party(struct page *p, double y, const struct form_party *who)
{
	struct area label = {MARGIN, y, LABEL_W, PARTY_H}, unit = {MARGIN + LABEL_W, y, UNIT_W, PARTY_H};
	struct area contact = {MARGIN + LABEL_W + UNIT_W, y, TABLE_W - LABEL_W - UNIT_W, PARTY_H};
	struct area line = inside(contact);

	frame(p, label);
	frame(p, unit);
	frame(p, contact);
	draw_text(p, inside(label), who->label, SIZE, true, true);
	draw_text(p, inside(unit), who->unit, SIZE, false, true);
	line.y += draw_text(p, line, who->contact, SIZE, false, false) + 2;
	draw_text(p, line, who->phone, SIZE, false, false);
}

static void draw_signature(struct page *p, struct area a, const struct form_box *box)
{
	struct area line = {a.x + a.w * 0.45, a.y + a.h - 2 * (SIZE + 6), a.w * 0.55, SIZE + 6};

	line.y += draw_text(p, line, box->sign, SIZE, false, false) + 2;
	draw_text(p, line, box->date, SIZE, false, false);
}

/* Gives false when the text has to stand on a page of its own. */
static bool draw_box(struct page *p, double y, double h, const struct form_box *box)
{
	struct area label = {MARGIN, y, LABEL_W, h}, body = {MARGIN + LABEL_W, y, TABLE_W - LABEL_W, h};
	struct area text = inside(body);
	double size;

	frame(p, label);
	frame(p, body);
	draw_text(p, inside(label), box->label, SIZE, true, true);
	if (box->is_signed) {
		draw_signature(p, text, box);
		text.h -= 2 * (SIZE + 6) + 2;
	}
	size = fitting_size(p, text, box->text);
	draw_text(p, text, size > 0 ? box->text : p->view->continued, size > 0 ? size : SIZE, false, false);
	return size > 0;
}

static void draw_qr(const struct page *p)
{
	QRcode *qr = QRcode_encodeString(p->view->code, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
	double side;

	if (!qr)
		return;
	side = QR_SIDE / qr->width;
	for (int i = 0; i < qr->width * qr->width; i++)
		if (qr->data[i] & 1)
			cairo_rectangle(p->cr, PAGE_W - MARGIN - QR_SIDE + i % qr->width * side,
					MARGIN + (int)(i / qr->width) * side, side, side);
	cairo_fill(p->cr);
	QRcode_free(qr);
}

/* Texts that are too long for their box, whole, over as many pages as they need. */
static void draw_annex(struct page *p, const struct form_box *box)
{
	struct area head = {MARGIN, MARGIN, TABLE_W, 20};
	double y = PAGE_H;
	char *title = g_strdup_printf("%s %s　%s　%s", p->view->code_label, p->view->code, p->view->annex, box->label);
	PangoLayout *text;

	use_font(p, SIZE, false);
	pango_layout_set_width(p->layout, (int)(TABLE_W * PANGO_SCALE));
	pango_layout_set_alignment(p->layout, PANGO_ALIGN_LEFT);
	set_text(p, box->text);
	text = pango_layout_copy(p->layout);
	for (GSList *l = pango_layout_get_lines_readonly(text); l; l = l->next) {
		if (y > PAGE_H - MARGIN) {
			if (y < PAGE_H)
				cairo_show_page(p->cr);
			draw_text(p, head, title, SIZE, true, false);
			y = MARGIN + 40;
		}
		cairo_move_to(p->cr, MARGIN, y);
		pango_cairo_show_layout_line(p->cr, l->data);
		y += SIZE * 1.5;
	}
	cairo_show_page(p->cr);
	g_object_unref(text);
	g_free(title);
}

static void draw_copy(struct page *p, const char *copy)
{
	const struct form_view *v = p->view;
	bool fits[FORM_BOXES];
	double y = TABLE_TOP, left = TABLE_H - 2 * PARTY_H;
	char *code = g_strdup_printf("%s %s", v->code_label, v->code);

	draw_text(p, (struct area){MARGIN, MARGIN, TABLE_W, QR_SIDE}, v->title, 18, true, true);
	draw_qr(p);
	draw_text(p, (struct area){MARGIN, TABLE_TOP - 20, TABLE_W / 2, 20}, copy, 10, false, false);
	draw_text(p, (struct area){PAGE_W - MARGIN - 110, TABLE_TOP - 20, 110, 20}, code, 10, false, false);
	for (size_t i = 0; i < 2; i++, y += PARTY_H)
		draw_party(p, y, &v->parties[i]);
	for (size_t i = 0; i < FORM_BOXES; i++) {
		fits[i] = draw_box(p, y, left * v->boxes[i].height, &v->boxes[i]);
		y += left * v->boxes[i].height;
	}
	draw_text(p, (struct area){MARGIN, y + 6, TABLE_W, 14}, v->foot, 9, false, false);
	cairo_show_page(p->cr);
	for (size_t i = 0; i < FORM_BOXES; i++)
		if (!fits[i])
			draw_annex(p, &v->boxes[i]);
	g_free(code);
}

enum hl_class form_pdf_write(const struct form_view *view, FILE *out, struct hl_error *err)
{
	cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(on_bytes, out, PAGE_W, PAGE_H);
	struct page p = {.cr = cairo_create(surface), .view = view, .err = err};

	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, view->title);
	cairo_set_line_width(p.cr, 0.8);
	p.layout = pango_cairo_create_layout(p.cr);
	/* The language chooses between Chinese and Japanese forms of one character. */
	pango_context_set_language(pango_layout_get_context(p.layout), pango_language_from_string(view->lang));
	pango_layout_set_wrap(p.layout, PANGO_WRAP_WORD_CHAR);
	for (size_t i = 0; i < view->n_copies; i++)
		draw_copy(&p, view->copies[i]);
	g_object_unref(p.layout);
	cairo_destroy(p.cr);
	cairo_surface_finish(surface);
	if (p.cls == HL_OK && cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS)
		p.cls = hl_fail(err, HL_RETRY, "the form cannot be written: %s",
				cairo_status_to_string(cairo_surface_status(surface)));
	cairo_surface_destroy(surface);
	return p.cls;
}
