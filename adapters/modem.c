/* modem.c - USB modems behind smstools3 or gammu-smsd, by the hook adapters/modem-hook.sh
 *
 *   inbound   POST /hook/NAME/SECRET?event=RECEIVED  a file of smstools: headers, a blank line, the text
 *             POST /hook/NAME/SECRET                 a form: number, text, time (gammu-smsd)
 *
 * Other events of smstools are acknowledged and left. A modem numbers nothing: the id is derived from who said what
 * when. Limits: receives only; for sending by a modem put it behind Kannel (smsc = at). Source: smstools3 doc
 * (melak/smstools3), gammu docs/manual/smsd (read 2026-11)
 */
#include <string.h>
#include "common.h"

static enum hl_verdict verify(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			      int64_t now_us)
{
	(void)subpath;
	(void)now_us;
	return hl_adapter_token(ch, req);
}

/* Value of a header of the file; its names are written as smstools writes them. */
static struct hl_slice file_header(struct hl_slice head, const char *name)
{
	struct hl_slice line, key, value;

	while (head.len) {
		hl_slice_cut(head, '\n', &line, &head);
		if (hl_slice_cut(line, ':', &key, &value) && hl_slice_eq_str(key, name))
			return hl_slice_trim(value);
	}
	return (struct hl_slice){0};
}

/* The file ends its text with a line feed of its own, in one byte even behind UCS-2. */
static struct hl_slice without_end(struct hl_slice text, bool is_ucs2)
{
	bool has_end = text.len && text.ptr[text.len - 1] == '\n' && (!is_ucs2 || text.len % 2);

	return has_end ? (struct hl_slice){text.ptr, text.len - 1} : text;
}

static enum hl_class finish(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice from,
			    struct hl_slice time, struct hl_inbound *m, struct hl_error *err)
{
	enum hl_class cls = hl_adapter_name(req->arena, "From", from, HL_PEER_PHONE_BYTES_MAX, &m->from, err);

	if (cls)
		return cls;
	m->from = hl_adapter_plus(req->arena, m->from);
	m->to = ch->from;
	m->external_id = hl_adapter_derive_id(req->arena, (const struct hl_slice[]){m->from, m->to, time, m->bytes}, 4);
	return HL_OK;
}

static enum hl_class read_file(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_inbound *m,
			       struct hl_error *err)
{
	ptrdiff_t at = hl_slice_find(req->body, HL_LIT("\n\n"));
	struct hl_slice head = {req->body.ptr, at < 0 ? 0 : (size_t)at + 1};
	bool is_ucs2 = hl_slice_eq_nocase(file_header(head, "Alphabet"), "UCS2") ||
		       hl_slice_eq_nocase(file_header(head, "Alphabet"), "UCS-2");

	if (at < 0)
		return hl_fail(err, HL_INPUT, "body: must be a file of smstools: headers, a blank line, the text");
	m->bytes = without_end((struct hl_slice){req->body.ptr + at + 2, req->body.len - (size_t)at - 2}, is_ucs2);
	m->charset = is_ucs2 ? "UTF-16BE" : NULL;
	return finish(ch, req, file_header(head, "From"), file_header(head, "Sent"), m, err);
}

static enum hl_class read_form(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_inbound *m,
			       struct hl_error *err)
{
	struct hl_pair *pairs;
	size_t n;

	if (!hl_form_pairs(req->arena, req->body, &pairs, &n))
		return hl_fail(err, HL_INPUT, "body: must be a form of at most %d fields", HL_FORM_PAIRS_MAX);
	m->bytes = hl_pairs_get(pairs, n, "text");
	m->charset = "UTF-8";
	if (!m->bytes.ptr)
		return hl_fail(err, HL_INPUT, "text: must be given");
	return finish(ch, req, hl_pairs_get(pairs, n, "number"), hl_pairs_get(pairs, n, "time"), m, err);
}

static enum hl_class parse(const struct hl_channel *ch, const struct hl_http_request *req, struct hl_slice subpath,
			   struct hl_parsed *out, struct hl_error *err)
{
	struct hl_slice event;
	bool is_file = hl_form_get(req->arena, req->query, "event", &event);
	struct hl_inbound *m;
	enum hl_class cls;

	(void)subpath;
	*out = (struct hl_parsed){0};
	if (is_file && !hl_slice_eq_str(event, "RECEIVED"))
		return HL_OK;
	m = hl_adapter_one_message(req->arena, out);
	if (!m)
		return HL_NOMEM;
	cls = is_file ? read_file(ch, req, m, err) : read_form(ch, req, m, err);
	return hl_arena_failed(req->arena) ? hl_fail(err, HL_NOMEM, "out of memory") : cls;
}

static enum hl_class check(const struct hl_channel *ch, const char **key_r, struct hl_error *err)
{
	*key_r = "from";
	return ch->from.len ? HL_OK : hl_fail(err, HL_CONFIG, "must be given: a modem does not tell its own number");
}

static const char *const paths[] = {"", NULL};

extern const struct hl_provider hl_provider_modem;
const struct hl_provider hl_provider_modem = {
	.name = "modem",
	.needs_secret = true,
	.has_path_token = true,
	.paths = paths,
	.methods = "POST",
	.ack_type = "text/plain",
	.ack_body = "",
	.check = check,
	.verify = verify,
	.parse = parse,
};
