/* flow_doc.c - reads a call flow from its document, and its texts (contract in hotline/flow.h)
 *
 * Owns     words and ranges of the document; what the nodes lead to is flow_ways.c's.
 * Pure. Limits: HL_FLOW_NODES_MAX nodes, FLOW_SAYS_MAX texts a node, texts of 1,000 bytes.
 */
#include "refdata/doc_fields.h"
#include "voice/flow_parts.h"

#include <stdlib.h>
#include <string.h>

#define STEPS_MAX      100
#define TRIES_MAX      20
#define TEXT_MAX_BYTES 1000
#define PARAM_MAX      24

static const char *const looks[] = {"open", "known", "case", "mobile", "operator", "registered", NULL};
static const char *const params[] = {"case", "status", "count", "unit", "place", "notice", "hotline", "code", NULL};
static const struct {
	const char *word;
	int bit;
} effects[] = {{"callback", HL_CALL_CALLBACK}, {"emergency", HL_CALL_EMERGENCY}, {"heard", HL_CALL_HEARD},
	       {"sign", HL_CALL_SIGN},         {"deputy", HL_CALL_DEPUTY},       {NULL, 0}};

static bool is_among(const char *word, const char *const *words)
{
	while (word && *words && strcmp(*words, word) != 0)
		words++;
	return word && *words;
}

static bool is_name(const char *word)
{
	size_t n = word ? strlen(word) : 0;

	return n > 0 && n <= HL_NODE_NAME_MAX && strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

/* ---- texts ------------------------------------------------------------------ */

const char *hl_flow_text(const struct hl_flow *flow, const char *key, const char *lang)
{
	const json_t *text = json_object_get(flow->texts, key);
	const char *found = lang ? json_string_value(json_object_get(text, lang)) : NULL;

	if (!found)
		found = json_string_value(json_object_get(text, flow->langs[0]));
	return found ? found : "";
}

const char *hl_flow_first_lang(const struct hl_flow *flow)
{
	return flow->langs[0];
}

/* The parameter that begins at a brace: its name, and where the text goes on. NULL: it is not one. */
static const char *read_param(const char *at, char name[PARAM_MAX + 1])
{
	size_t n = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz");

	if (n == 0 || n > PARAM_MAX || at[1 + n] != '}')
		return NULL;
	memcpy(name, at + 1, n);
	name[n] = '\0';
	return at + n + 2;
}

static enum hl_class check_text(const char *key, const char *lang, const char *text, struct hl_error *err)
{
	char name[PARAM_MAX + 1];
	const char *next;

	if (!text || !*text || strlen(text) > TEXT_MAX_BYTES)
		return hl_fail(err, HL_INPUT, "text %s (%s): must be a text of at most %d bytes", key, lang,
			       TEXT_MAX_BYTES);
	for (; (text = strpbrk(text, "{}")); text = next) {
		next = *text == '{' ? read_param(text, name) : NULL;
		if (!next)
			return hl_fail(err, HL_INPUT, "text %s (%s): a brace that opens no parameter", key, lang);
		if (!is_among(name, params))
			return hl_fail(err, HL_INPUT, "text %s (%s): {%s}: there is no such parameter", key, lang,
				       name);
	}
	return HL_OK;
}

void hl_flow_fill(struct hl_buf *out, const char *text, const struct hl_flow_param *given, size_t n)
{
	char name[PARAM_MAX + 1];
	const char *brace, *next;

	for (; (brace = strchr(text, '{')) && (next = read_param(brace, name)); text = next) {
		hl_buf_add(out, (struct hl_slice){text, (size_t)(brace - text)});
		for (size_t i = 0; i < n; i++)
			if (strcmp(given[i].name, name) == 0)
				hl_buf_add(out, given[i].value);
	}
	hl_buf_add_str(out, text);
}

void hl_flow_spell(struct hl_buf *out, struct hl_slice text)
{
	bool is_first = true;

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			continue;
		if (!is_first)
			hl_buf_add_char(out, ' ');
		hl_buf_add_char(out, text.ptr[i]);
		is_first = false;
	}
}

static enum hl_class read_texts(struct hl_flow *flow, struct hl_error *err)
{
	json_t *texts = json_object_get(flow->doc, "texts"), *langs;
	const json_t *lang;
	const char *key;
	enum hl_class cls = HL_OK;
	size_t i;

	json_array_foreach (json_object_get(flow->doc, "languages"), i, lang)
		if (json_is_string(lang) && flow->n_langs < FLOW_LANGS_MAX)
			flow->langs[flow->n_langs++] = json_string_value(lang);
	if (flow->n_langs == 0)
		return hl_fail(err, HL_INPUT, "languages: must name one at least");
	if (!json_is_object(texts))
		return hl_fail(err, HL_INPUT, "texts: must be an object");
	flow->texts = texts;
	json_object_foreach (texts, key, langs)
		for (i = 0; i < flow->n_langs && cls == HL_OK; i++)
			cls = check_text(key, flow->langs[i], json_string_value(json_object_get(langs, flow->langs[i])),
					 err);
	return cls;
}

/* ---- nodes ------------------------------------------------------------------ */

/* A number of a node's doing, from min to max; fallback when it is left out (0: it may not be). */
static enum hl_class read_number(const json_t *doc, const char *field, unsigned min, unsigned max, unsigned fallback,
				 unsigned *out_r, struct hl_error *err)
{
	const json_t *value = json_object_get(doc, field);
	json_int_t n = json_integer_value(value);

	if (!value && fallback) {
		*out_r = fallback;
		return HL_OK;
	}
	if (!json_is_integer(value) || n < min || n > max)
		return hl_fail(err, HL_INPUT, "%s: must be a number from %u to %u", field, min, max);
	*out_r = (unsigned)n;
	return HL_OK;
}

static enum hl_class read_keys(const json_t *doc, struct flow_node *node, struct hl_error *err)
{
	const json_t *value = json_object_get(doc, "finish");

	node->finish = value ? json_string_value(value) : "";
	if (!node->finish || strspn(node->finish, "0123456789*#") != strlen(node->finish))
		return hl_fail(err, HL_INPUT, "finish: must be keys (0-9 * #)");
	return HL_OK;
}

static enum hl_class read_gather(const json_t *doc, struct flow_node *node, struct hl_error *err)
{
	static const char *const fields[] = {"digits", "timeout_s", "finish", NULL};
	enum hl_class cls = hl_doc_fields(doc, fields, err);

	if (cls == HL_OK)
		cls = read_number(doc, "digits", 1, HL_CALL_DIGITS_MAX, 1, &node->n_digits, err);
	if (cls == HL_OK)
		cls = read_number(doc, "timeout_s", 1, 60, 5, &node->timeout_s, err);
	return cls == HL_OK ? read_keys(doc, node, err) : cls;
}

static enum hl_class read_record(const json_t *doc, struct flow_node *node, struct hl_error *err)
{
	static const char *const fields[] = {"max_s", "silence_s", "finish", NULL};
	enum hl_class cls = hl_doc_fields(doc, fields, err);

	if (cls == HL_OK)
		cls = read_number(doc, "max_s", 5, 600, 120, &node->max_s, err);
	if (cls == HL_OK)
		cls = read_number(doc, "silence_s", 1, 60, 5, &node->timeout_s, err);
	return cls == HL_OK ? read_keys(doc, node, err) : cls;
}

static enum hl_class read_dial(const struct hl_flow *flow, const json_t *doc, struct flow_node *node,
			       struct hl_error *err)
{
	static const char *const fields[] = {"to", "timeout_s", "whisper", NULL};
	const char *to = json_string_value(json_object_get(doc, "to"));
	enum hl_class cls = hl_doc_fields(doc, fields, err);

	if (cls == HL_OK && (!to || strcmp(to, "operator") != 0))
		cls = hl_fail(err, HL_INPUT, "to: must be operator");
	if (cls == HL_OK)
		cls = read_number(doc, "timeout_s", 5, 120, 20, &node->timeout_s, err);
	node->whisper = json_string_value(json_object_get(doc, "whisper"));
	if (cls == HL_OK && node->whisper && !json_object_get(flow->texts, node->whisper))
		cls = hl_fail(err, HL_INPUT, "whisper: there is no text %s", node->whisper);
	return cls;
}

static enum hl_class read_doing(const struct hl_flow *flow, const json_t *doc, struct flow_node *node,
				struct hl_error *err)
{
	static const char *const wait_fields[] = {"s", NULL};
	size_t n_doings = 0;
	const json_t *with = NULL;
	enum hl_class cls = HL_OK;

	node->finish = "";
	for (size_t i = 0; i < FLOW_DOINGS; i++)
		if (i != FLOW_NEXT && json_object_get(doc, flow_doing_name[i])) {
			node->doing = (enum flow_doing)i;
			with = json_object_get(doc, flow_doing_name[i]);
			n_doings++;
		}
	if (n_doings > 1)
		return hl_fail(err, HL_INPUT, "must do one thing at most");
	if (n_doings == 0) {
		node->doing = FLOW_NEXT;
		return HL_OK;
	}
	if (node->doing == FLOW_GATHER)
		return read_gather(with, node, err);
	if (node->doing == FLOW_RECORD)
		return read_record(with, node, err);
	if (node->doing == FLOW_DIAL)
		return read_dial(flow, with, node, err);
	if (node->doing == FLOW_WAIT) {
		cls = hl_doc_fields(with, wait_fields, err);
		return cls == HL_OK ? read_number(with, "s", 1, 30, 0, &node->timeout_s, err) : cls;
	}
	if (node->doing == FLOW_LOOK) {
		node->look = json_string_value(with);
		return is_among(node->look, looks) ? HL_OK : hl_fail(err, HL_INPUT, "look: there is no such fact");
	}
	return json_is_true(with) ? HL_OK : hl_fail(err, HL_INPUT, "hangup: must be true");
}

static enum hl_class read_says(const struct hl_flow *flow, const json_t *doc, struct flow_node *node,
			       struct hl_error *err)
{
	const json_t *list = json_object_get(doc, "say"), *key;
	size_t i;

	if (list && (!json_is_array(list) || json_array_size(list) > FLOW_SAYS_MAX))
		return hl_fail(err, HL_INPUT, "say: must be a list of at most %d texts", FLOW_SAYS_MAX);
	json_array_foreach (list, i, key) {
		const char *name = json_string_value(key);

		if (!name || !json_object_get(flow->texts, name))
			return hl_fail(err, HL_INPUT, "say: there is no text %s", name ? name : "(no name)");
		node->says[node->n_says++] = name;
	}
	return HL_OK;
}

static enum hl_class read_effects(const json_t *doc, struct flow_node *node, struct hl_error *err)
{
	const json_t *word;
	size_t i, k;

	json_array_foreach (json_object_get(doc, "effects"), i, word) {
		for (k = 0; effects[k].word; k++)
			if (json_is_string(word) && strcmp(effects[k].word, json_string_value(word)) == 0)
				break;
		if (!effects[k].word)
			return hl_fail(err, HL_INPUT, "effects: there is no such effect");
		node->effects |= effects[k].bit;
	}
	return HL_OK;
}

static enum hl_class read_node(struct hl_flow *flow, const json_t *doc, struct hl_error *err)
{
	static const char *const fields[] = {"name",   "about", "say",  "language", "effects", "tries", "gather",
					     "record", "dial",  "wait", "look",     "hangup",  "on",    NULL};
	struct flow_node *node = &flow->nodes[flow->n_nodes];
	enum hl_class cls = hl_doc_fields(doc, fields, err);

	node->name = json_string_value(json_object_get(doc, "name"));
	if (!is_name(node->name))
		return hl_fail(err, HL_INPUT, "name: must be 1 to %d of a-z 0-9 _", HL_NODE_NAME_MAX);
	if (flow_find_node(flow, node->name) != FLOW_NONE)
		return hl_fail(err, HL_INPUT, "there are two of that name");
	node->lang = json_string_value(json_object_get(doc, "language"));
	if (cls == HL_OK && node->lang && !is_among(node->lang, flow->langs))
		cls = hl_fail(err, HL_INPUT, "language: is none of the flow's");
	if (cls == HL_OK)
		cls = read_says(flow, doc, node, err);
	if (cls == HL_OK)
		cls = read_effects(doc, node, err);
	if (cls == HL_OK && json_object_get(doc, "tries"))
		cls = read_number(doc, "tries", 1, TRIES_MAX, 0, &node->tries, err);
	return cls == HL_OK ? read_doing(flow, doc, node, err) : cls;
}

static enum hl_class read_ways(struct hl_flow *flow, struct flow_node *node, json_t *on, struct hl_error *err)
{
	const char *word;
	json_t *to;

	json_object_foreach (on, word, to) {
		size_t at = json_is_string(to) ? flow_find_node(flow, json_string_value(to)) : FLOW_NONE;

		if (at == FLOW_NONE)
			return hl_fail(err, HL_INPUT, "node %s: on.%s: there is no node %s", node->name, word,
				       json_is_string(to) ? json_string_value(to) : "(no name)");
		if (node->n_on == FLOW_OUTCOMES_MAX)
			return hl_fail(err, HL_INPUT, "node %s: on: at most %d", node->name, FLOW_OUTCOMES_MAX);
		node->on[node->n_on++] = (struct flow_outcome){word, at};
	}
	return HL_OK;
}

static enum hl_class read_nodes(struct hl_flow *flow, struct hl_error *err)
{
	json_t *list = json_object_get(flow->doc, "nodes"), *doc;
	enum hl_class cls = HL_OK;
	size_t i;

	if (json_array_size(list) == 0 || json_array_size(list) > HL_FLOW_NODES_MAX)
		return hl_fail(err, HL_INPUT, "nodes: must be a list of 1 to %d", HL_FLOW_NODES_MAX);
	json_array_foreach (list, i, doc) {
		const char *name = json_string_value(json_object_get(doc, "name"));

		cls = read_node(flow, doc, err);
		if (cls != HL_OK)
			return name ? hl_error_prefix(err, "node %s", name) : hl_error_prefix(err, "nodes[%zu]", i);
		flow->n_nodes++;
	}
	for (i = 0; i < flow->n_nodes && cls == HL_OK; i++)
		cls = read_ways(flow, &flow->nodes[i], json_object_get(json_array_get(list, i), "on"), err);
	return cls;
}

/* ---- the whole --------------------------------------------------------------- */

static enum hl_class read_entries(struct hl_flow *flow, struct hl_error *err)
{
	const char *purpose;
	json_t *name;

	json_object_foreach (json_object_get(flow->doc, "entries"), purpose, name) {
		size_t at = json_is_string(name) ? flow_find_node(flow, json_string_value(name)) : FLOW_NONE;

		if (at == FLOW_NONE || flow->n_entries == FLOW_ENTRIES_MAX || !is_name(purpose))
			return hl_fail(err, HL_INPUT, "entries.%s: must be the name of a node", purpose);
		flow->entries[flow->n_entries++] = (struct flow_entry){purpose, at};
	}
	if (!hl_flow_has_purpose(flow, "inbound"))
		return hl_fail(err, HL_INPUT, "entries.inbound: must be the name of a node");
	/* The first entry is what an unknown purpose gets. */
	for (size_t i = 0; i < flow->n_entries; i++)
		if (strcmp(flow->entries[i].purpose, "inbound") == 0) {
			struct flow_entry inbound = flow->entries[i];

			flow->entries[i] = flow->entries[0];
			flow->entries[0] = inbound;
		}
	return HL_OK;
}

bool hl_flow_has_purpose(const struct hl_flow *flow, const char *purpose)
{
	for (size_t i = 0; i < flow->n_entries; i++)
		if (strcmp(flow->entries[i].purpose, purpose) == 0)
			return true;
	return false;
}

/* A pattern is a number in which x stands for any digit. */
static bool fits(const char *pattern, struct hl_slice number)
{
	if (!pattern || strlen(pattern) != number.len)
		return false;
	for (size_t i = 0; i < number.len; i++) {
		bool is_digit = number.ptr[i] >= '0' && number.ptr[i] <= '9';

		if (pattern[i] == 'x' ? !is_digit : pattern[i] != number.ptr[i])
			return false;
	}
	return true;
}

static bool fits_any(const struct hl_flow *flow, const char *kind, struct hl_slice number)
{
	const json_t *pattern;
	size_t i;

	json_array_foreach (json_object_get(json_object_get(flow->doc, "numbers"), kind), i, pattern)
		if (fits(json_string_value(pattern), number))
			return true;
	return false;
}

bool hl_flow_is_mobile(const struct hl_flow *flow, struct hl_slice number)
{
	bool is_told = json_array_size(json_object_get(json_object_get(flow->doc, "numbers"), "mobile")) > 0;

	return number.len > 0 && !fits_any(flow, "landline", number) && (!is_told || fits_any(flow, "mobile", number));
}

static enum hl_class check_numbers(const struct hl_flow *flow, struct hl_error *err)
{
	static const char *const kinds[] = {"mobile", "landline", NULL};
	const json_t *doc = json_object_get(flow->doc, "numbers"), *pattern;
	enum hl_class cls = doc ? hl_doc_fields(doc, kinds, err) : HL_OK;
	size_t i;

	for (size_t k = 0; kinds[k] && cls == HL_OK; k++)
		json_array_foreach (json_object_get(doc, kinds[k]), i, pattern) {
			const char *p = json_string_value(pattern);

			if (!p || p[0] != '+' || strspn(p + 1, "0123456789x") != strlen(p + 1))
				return hl_fail(err, HL_INPUT, "numbers.%s[%zu]: must be + and digits, x for any",
					       kinds[k], i);
		}
	return cls;
}

static enum hl_class load(struct hl_flow *flow, struct hl_error *err)
{
	static const char *const fields[] = {"about", "steps_max", "languages", "numbers",
					     "texts", "entries",   "nodes",     NULL};
	unsigned steps_max = 0;
	enum hl_class cls = hl_doc_fields(flow->doc, fields, err);

	if (cls == HL_OK)
		cls = read_number(flow->doc, "steps_max", 1, STEPS_MAX, 0, &steps_max, err);
	flow->steps_max = (int)steps_max;
	if (cls == HL_OK)
		cls = check_numbers(flow, err);
	if (cls == HL_OK)
		cls = read_texts(flow, err);
	if (cls == HL_OK)
		cls = read_nodes(flow, err);
	if (cls == HL_OK)
		cls = read_entries(flow, err);
	return cls == HL_OK ? flow_check_ways(flow, err) : cls;
}

enum hl_class hl_flow_new(json_t *doc, struct hl_flow **out_r, struct hl_error *err)
{
	struct hl_flow *flow = calloc(1, sizeof(*flow));
	enum hl_class cls;

	*out_r = NULL;
	if (!flow)
		return hl_fail(err, HL_NOMEM, "out of memory");
	flow->doc = json_incref(doc);
	cls = load(flow, err);
	if (cls != HL_OK)
		hl_flow_free(&flow);
	*out_r = flow;
	return cls;
}

void hl_flow_free(struct hl_flow **flowp)
{
	if (*flowp)
		json_decref((*flowp)->doc);
	free(*flowp);
	*flowp = NULL;
}
