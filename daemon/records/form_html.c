/* form_html.c - the report form as one HTML page that prints on A4, without anything from elsewhere */
#include "form_view.h"

#include <qrencode.h>
#include <string.h>

static const char style[] =
	"@page{size:A4;margin:15mm}body{font-family:'%s',sans-serif;font-size:11pt;margin:0}"
	"section{page-break-after:always;max-width:180mm;margin:0 auto}h1{font-size:18pt;text-align:center;margin:0 "
	"20mm}"
	"table{border-collapse:collapse;width:100%%}th,td{border:1px solid #000;padding:6pt;vertical-align:top;"
	"white-space:pre-wrap;overflow-wrap:anywhere}th{width:22mm}.s{text-align:right;white-space:pre}"
	"svg{float:right;width:17mm;height:17mm}.c{float:right}";

static void put(FILE *out, const char *text)
{
	for (; *text; text++) {
		const char *as = *text == '<' ? "&lt;" : *text == '&' ? "&amp;" : *text == '"' ? "&quot;" : NULL;

		if (as)
			fputs(as, out);
		else
			fputc(*text, out);
	}
}

static void put_in(FILE *out, const char *open, const char *text, const char *close)
{
	fputs(open, out);
	put(out, text);
	fputs(close, out);
}

static void put_qr(FILE *out, const char *code)
{
	QRcode *qr = QRcode_encodeString(code, 0, QR_ECLEVEL_M, QR_MODE_8, 1);

	if (!qr)
		return;
	fprintf(out, "<svg viewBox=\"0 0 %d %d\"><path d=\"", qr->width, qr->width);
	for (int i = 0; i < qr->width * qr->width; i++)
		if (qr->data[i] & 1)
			fprintf(out, "M%d %dh1v1h-1z", i % qr->width, i / qr->width);
	fputs("\"/></svg>", out);
	QRcode_free(qr);
}

static void put_party(FILE *out, const struct form_party *who)
{
	put_in(out, "<tr><th>", who->label, "</th>");
	put_in(out, "<td>", who->unit, "</td>");
	put_in(out, "<td>", who->contact, "\n");
	put_in(out, "", who->phone, "</td></tr>\n");
}

static void put_box(FILE *out, const struct form_box *box)
{
	put_in(out, "<tr><th>", box->label, "</th>");
	fprintf(out, "<td colspan=\"2\" style=\"height:%.0fmm\">", box->height * 190);
	put(out, box->text);
	if (box->is_signed) {
		put_in(out, "<div class=\"s\">", box->sign, "\n");
		put_in(out, "", box->date, "</div>");
	}
	fputs("</td></tr>\n", out);
}

static void put_copy(FILE *out, const struct form_view *view, const char *copy)
{
	fputs("<section>", out);
	put_qr(out, view->code);
	put_in(out, "<h1>", view->title, "</h1>\n");
	put_in(out, "<p><span class=\"c\">", view->code_label, " ");
	put_in(out, "", view->code, "</span>");
	put_in(out, "", copy, "</p>\n<table>\n");
	for (size_t i = 0; i < 2; i++)
		put_party(out, &view->parties[i]);
	for (size_t i = 0; i < FORM_BOXES; i++)
		put_box(out, &view->boxes[i]);
	put_in(out, "</table>\n<p>", view->foot, "</p></section>\n");
}

enum hl_class form_html_write(const struct form_view *view, FILE *out, struct hl_error *err)
{
	(void)err; /* a stream that cannot be written is found by who flushes it */
	put_in(out, "<!DOCTYPE html>\n<html lang=\"", view->lang, "\"><head><meta charset=\"utf-8\"><title>");
	put_in(out, "", view->title, " ");
	put_in(out, "", view->code, "</title><style>");
	fprintf(out, style, view->font);
	fputs("</style></head><body>\n", out);
	for (size_t i = 0; i < view->n_copies; i++)
		put_copy(out, view, view->copies[i]);
	fputs("</body></html>\n", out);
	return HL_OK;
}
