/* config_templates.c - the file that maps our texts to a provider's approved templates
 *
 * Must not know: which texts there are, any provider.
 * Limits: 64 KiB, 20 parameters in a template.
 */
#include <jansson.h>
#include <string.h>
#include "base/config_internal.h"

#define PARAMS_MAX 20

static const char *copy(struct hl_arena *arena, const json_t *text)
{
	return hl_arena_strdup(
		arena, (struct hl_slice){json_string_value(text), json_is_string(text) ? json_string_length(text) : 0});
}

static enum hl_class read_param(struct hl_arena *arena, const char *key, const json_t *p, struct hl_template_param *out,
				struct hl_error *err)
{
	const json_t *name = json_is_object(p) ? json_object_get(p, "name") : p, *as = json_object_get(p, "as");
	const json_t *max = json_object_get(p, "max");

	if (!json_is_string(name) || !json_string_length(name) || (as && !json_is_string(as)))
		return hl_fail(err, HL_CONFIG, "%s: a parameter must be a name, or {name, as, max}", key);
	if (max && (!json_is_integer(max) || json_integer_value(max) < 1 || json_integer_value(max) > 1000))
		return hl_fail(err, HL_CONFIG, "%s: max must be a number from 1 to 1000", key);
	out->name = copy(arena, name);
	out->as = as ? copy(arena, as) : out->name;
	out->max = (unsigned)json_integer_value(max);
	return HL_OK;
}

static enum hl_class read_template(struct hl_arena *arena, const char *key, const json_t *doc,
				   struct hl_template_ref *out, struct hl_error *err)
{
	const json_t *id = json_object_get(doc, "id"), *params = json_object_get(doc, "params"), *p;
	enum hl_class cls = HL_OK;
	size_t i;

	if (!json_is_string(id) || !json_string_length(id))
		return hl_fail(err, HL_CONFIG, "%s: id must be the provider's name of the template", key);
	if ((params && !json_is_array(params)) || json_array_size(params) > PARAMS_MAX)
		return hl_fail(err, HL_CONFIG, "%s: params must be a list of at most %d", key, PARAMS_MAX);
	out->key = hl_arena_strdup(arena, hl_slice_str(key));
	out->id = copy(arena, id);
	out->params = hl_arena_array(arena, json_array_size(params), sizeof(*out->params));
	json_array_foreach (params, i, p)
		if (!cls && out->params)
			cls = read_param(arena, key, p, &out->params[out->n_params++], err);
	return cls;
}

enum hl_class hl_config_templates(struct hl_arena *arena, struct hl_slice text, struct hl_template_ref **out_r,
				  size_t *n_r, struct hl_error *err)
{
	json_error_t why;
	json_t *doc = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &why);
	enum hl_class cls = HL_OK;

	*n_r = 0;
	*out_r = hl_arena_array(arena, json_object_size(doc), sizeof(**out_r));
	if (!json_is_object(doc))
		cls = hl_fail(err, HL_CONFIG, "must be a JSON object of templates: line %d: %s", why.line,
			      doc ? "is something else" : why.text);
	for (void *i = json_object_iter(doc); !cls && *out_r && i; i = json_object_iter_next(doc, i))
		cls = read_template(arena, json_object_iter_key(i), json_object_iter_value(i), &(*out_r)[(*n_r)++],
				    err);
	json_decref(doc);
	return cls;
}

const struct hl_template_ref *hl_config_template(const struct hl_channel_config *channel, const char *key)
{
	for (size_t i = 0; i < channel->n_templates; i++) {
		if (!strcmp(channel->templates[i].key, key))
			return &channel->templates[i];
	}
	return NULL;
}
