/* reftable_lines.c - on which line of a document's text a row begins (contract in hotline/reftable.h)
 *
 * By hand, because jansson tells the line of a mistake in the syntax only. The text was read by it before: what is no
 * JSON gives fewer lines and nothing worse.
 */
#include "hotline/reftable.h"

#define DEPTH_MAX 8

/* Where a reader of JSON is; strings are skipped whole, so that brackets in them do not count. */
struct scan {
	struct hl_slice text;
	size_t at, line;
	int depth;
	struct hl_slice names[DEPTH_MAX]; /* the last string at each depth: in front of a bracket the member's name */
	bool is_inside;                   /* of the part that is looked for */
};

/* The string whose opening quote is at scan->at; behind its closing quote afterwards. */
static struct hl_slice skip_string(struct scan *s)
{
	size_t begin = ++s->at;
	while (s->at < s->text.len && s->text.ptr[s->at] != '"') {
		s->line += s->text.ptr[s->at] == '\n';
		s->at += s->text.ptr[s->at] == '\\' ? 2 : 1;
	}
	size_t end = s->at < s->text.len ? s->at : s->text.len;
	s->at = end + 1;
	return (struct hl_slice){s->text.ptr + begin, end - begin};
}

/* The next list or object inside a member of the document; *depth_r is how deep it lies, 2 for what the member holds
 * itself. False: there is none any more. */
static bool next_inside(struct scan *s, const char *member, int *depth_r, size_t *line_r)
{
	while (s->at < s->text.len) {
		char c = s->text.ptr[s->at];
		bool is_opening = c == '{' || c == '[';
		if (c == '"') {
			struct hl_slice text = skip_string(s);
			if (s->depth > 0 && s->depth < DEPTH_MAX)
				s->names[s->depth] = text;
			continue;
		}
		if (is_opening && s->depth == 1)
			s->is_inside = hl_slice_eq_str(s->names[1], member);
		*depth_r = s->depth;
		*line_r = s->line;
		s->depth += is_opening - (c == '}' || c == ']');
		s->line += c == '\n';
		s->at++;
		if (is_opening && s->is_inside && *depth_r >= 2)
			return true;
		s->is_inside = s->is_inside && s->depth > 1;
	}
	return false;
}

size_t hl_reftable_lines(struct hl_slice json, const char *list, int depth, size_t *lines_r, size_t max)
{
	struct scan s = {.text = json, .line = 1};
	size_t n = 0, line;
	int at_depth;
	while (n < max && next_inside(&s, list, &at_depth, &line))
		if (at_depth == depth)
			lines_r[n++] = line;
	return n;
}

size_t hl_reftable_line_of(struct hl_slice json, const char *object, const char *member)
{
	struct scan s = {.text = json, .line = 1};
	size_t line;
	int at_depth;
	while (next_inside(&s, object, &at_depth, &line))
		if (at_depth == 2 && hl_slice_eq_str(s.names[2], member))
			return line;
	return 0;
}
