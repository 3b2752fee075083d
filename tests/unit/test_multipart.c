/* test_multipart.c - forms with files: what browsers write is read, anything else is malformed */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hotline/multipart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE "multipart/form-data; boundary=xyz"
#define HEAD "Content-Disposition: form-data; name=\"photo\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"

/* "name=bytes|name*=bytes|..." with a star for files, "!" when malformed, "?" when the type is not one of forms. */
static const char *read(struct hl_slice type, struct hl_slice body, char *out, size_t out_bytes)
{
	enum hl_part_found found;
	struct hl_multipart m;
	struct hl_part part;
	size_t n = 0;

	out[0] = '\0';
	if (!hl_multipart_begin(&m, type, body))
		return "?";
	while ((found = hl_multipart_next(&m, &part)) == HL_PART_FOUND)
		n += (size_t)snprintf(out + n, out_bytes - n, "%s%.*s%s=%.*s", n ? "|" : "", HL_SLICE_ARG(part.name),
				      part.is_file ? "*" : "", HL_SLICE_ARG(part.bytes));
	return found == HL_PART_BAD ? "!" : out;
}

static void forms_are_read_as_browsers_write_them(void **state)
{
	static const struct {
		const char *type, *body, *parts;
	} cases[] = {
		{TYPE, "--xyz\r\n" HEAD "bytes\r\n--xyz--\r\n", "photo*=bytes"},
		{TYPE, "--xyz\r\n" HEAD "bytes\r\n--xyz--", "photo*=bytes"},
		{TYPE, "--xyz\r\n" HEAD "\r\n--xyz--\r\n", "photo*="},
		{TYPE, "--xyz\r\n" HEAD "a\r\n--xy\r\n\r\nb\r\n--xyz--\r\n", "photo*=a\r\n--xy\r\n\r\nb"},
		{TYPE, "--xyz\r\n" HEAD "1\r\n--xyz\r\n" HEAD "2\r\n--xyz--\r\n", "photo*=1|photo*=2"},
		{TYPE, "--xyz\r\ncontent-disposition: form-data; name=note\r\n\r\nhello\r\n--xyz--\r\n", "note=hello"},
		{TYPE, "--xyz\r\nContent-Disposition: form-data; name=\"p\"; filename=\"\"\r\n\r\n\r\n--xyz--", "p*="},
		{TYPE, "--xyz\r\nContent-Disposition: form-data; name=\"p\"; filename*=UTF-8''a\r\n\r\nx\r\n--xyz--",
		 "p*=x"},
		{TYPE, "--xyz--\r\n", ""},
		{"Multipart/Form-Data; charset=utf-8; Boundary=\"xyz\"", "--xyz\r\n" HEAD "b\r\n--xyz--", "photo*=b"},
		{"multipart/form-data;boundary=xyz", "--xyz\r\n" HEAD "b\r\n--xyz--", "photo*=b"},
		{"multipart/form-data", "--xyz--", "?"},
		{"multipart/form-data; boundary=", "----", "?"},
		{"multipart/form-data; boundary=\"x\ty\"", "--x\ty--", "?"},
		{"multipart/mixed; boundary=xyz", "--xyz--", "?"},
		{"text/plain; boundary=xyz", "--xyz--", "?"},
		{"", "--xyz--", "?"},
		{TYPE, "", "!"},
		{TYPE, "preamble\r\n--xyz\r\n" HEAD "b\r\n--xyz--", "!"},
		{TYPE, "--xyz\n" HEAD "b\r\n--xyz--", "!"},
		{TYPE, "--xyz\r\n" HEAD "b", "!"},
		{TYPE, "--xyz\r\n" HEAD "b\r\n--xyz", "!"},
		{TYPE, "--xyz\r\n" HEAD "b\r\n--xyzq--", "!"},
		{TYPE, "--xyz\r\n\r\nb\r\n--xyz--", "!"},
		{TYPE, "--xyz\r\nContent-Type: image/jpeg\r\n\r\nb\r\n--xyz--", "!"},
		{TYPE, "--xyz\r\nContent-Disposition: form-data\r\n\r\nb\r\n--xyz--", "!"},
		{TYPE, "--xyz\r\nContent-Disposition: form-data; name=\"a\r\n\r\nb\r\n--xyz--", "!"},
		{TYPE, "--xyz\r\nno colon\r\n\r\nb\r\n--xyz--", "!"},
		{TYPE, "--xyz\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\nA: 1\r\n" HEAD "b\r\n--xyz--",
		 "!"},
	};
	char out[400];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *parts = read(hl_slice_str(cases[i].type), hl_slice_str(cases[i].body), out, sizeof(out));

		if (strcmp(parts, cases[i].parts) != 0)
			fail_msg("%s: %s", cases[i].body, parts);
	}
}

static void a_head_has_an_end(void **state)
{
	char body[4096] = "--xyz\r\nContent-Disposition: form-data; name=\"", out[400];

	(void)state;
	memset(body + strlen(body), 'n', 2000);
	snprintf(body + strlen(body), 40, "\"\r\n\r\nb\r\n--xyz--");
	assert_string_equal(read(HL_LIT(TYPE), hl_slice_str(body), out, sizeof(out)), "!");
}

/* Cut anywhere a form is malformed, and no byte behind its end is read. */
static void a_form_cut_anywhere_is_malformed(void **state)
{
	static const char whole[] = "--xyz\r\n" HEAD "bytes\r\n--xyz\r\n" HEAD "more\r\n--xyz--";
	char out[400];

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		char *exact = malloc(len + 1);

		memcpy(exact, whole, len);
		exact = realloc(exact, len ? len : 1);
		assert_string_equal(read(HL_LIT(TYPE), (struct hl_slice){exact, len}, out, sizeof(out)), "!");
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_are_read_as_browsers_write_them),
		cmocka_unit_test(a_head_has_an_end),
		cmocka_unit_test(a_form_cut_anywhere_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
