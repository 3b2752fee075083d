/* form_view.h (private to daemon/records) - the report form as it will stand on paper, before any drawing */
#ifndef RECORDS_FORM_VIEW_H
#define RECORDS_FORM_VIEW_H

#include "hotline/arena.h"
#include "hotline/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum { FORM_BOXES = 5, FORM_COPIES_MAX = 8 };

struct form_party {
	const char *label, *unit, *contact, *phone; /* contact and phone with their labels */
};

struct form_box {
	const char *label, *text;
	bool is_signed; /* has a line for a signature and a date */
	const char *sign, *date;
	double height; /* share of the page's table */
};

struct form_view {
	const char *title, *lang, *font, *code, *code_label, *foot, *continued, *annex;
	struct form_party parties[2];
	struct form_box boxes[FORM_BOXES];
	const char *copies[FORM_COPIES_MAX];
	size_t n_copies;
};

/* form_view_make - fills the view; its texts live in the arena or in words and form. Errors as hl_form_write. */
enum hl_class form_view_make(struct hl_arena *arena, const json_t *words, const json_t *form, const char *copy,
			     struct form_view *view_r, struct hl_error *err);

enum hl_class form_pdf_write(const struct form_view *view, FILE *out, struct hl_error *err);
enum hl_class form_html_write(const struct form_view *view, FILE *out, struct hl_error *err);

#endif
