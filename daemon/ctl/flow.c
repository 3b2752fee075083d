/* flow.c - hotlinectl flow: checks and draws the flow of calls, without a database */
#include "ctl.h"

#include "hotline/flow.h"

#include <string.h>

#define GRAPH_BYTES_MAX (256u << 10)

static json_t *load(struct ctl *ctl, const char *path)
{
	struct hl_error err = {.text = ""};
	json_error_t at;
	json_t *doc;

	if (!path) {
		doc = ctl_ref_doc(ctl->ref_dir, "flow", &err);
		if (!doc)
			ctl_fail(ctl, "%s", err.text);
		return doc;
	}
	doc = json_load_file(path, JSON_REJECT_DUPLICATES, &at);
	if (!doc)
		ctl_fail(ctl, "%s:%d: %s", path, at.line, at.text);
	return doc;
}

static int draw(const struct hl_flow *flow)
{
	struct hl_buf out;
	int rc;

	hl_buf_init(&out, GRAPH_BYTES_MAX);
	hl_flow_graph(flow, &out);
	rc = hl_buf_failed(&out) || fputs(hl_buf_str(&out), stdout) < 0 ? CTL_FAILED : CTL_OK;
	hl_buf_fini(&out);
	return rc;
}

static int say_good(const struct ctl *ctl, const json_t *doc)
{
	size_t n_nodes = json_array_size(json_object_get(doc, "nodes"));

	if (ctl->as_json)
		ctl_print_line(json_pack("{s:b, s:I}", "good", true, "nodes", (json_int_t)n_nodes));
	else
		printf("%zu nodes: every outcome leads on, every node is reached, nothing turns for ever\n", n_nodes);
	return CTL_OK;
}

int cmd_flow(struct ctl *ctl)
{
	bool is_graph = ctl_flag(ctl, "--graph");
	const char *verb = ctl_word(ctl, 0), *path = is_graph ? verb : ctl_word(ctl, 1);
	struct hl_error err = {.text = ""};
	struct hl_flow *flow = NULL;
	json_t *doc;
	int rc;

	if (!is_graph && (!verb || strcmp(verb, "check") != 0 || !path))
		return CTL_USAGE;
	doc = load(ctl, path);
	if (!doc)
		return CTL_FAILED;
	if (hl_flow_new(doc, &flow, &err) != HL_OK)
		rc = ctl_fail(ctl, "%s: %s", path ? path : "flow.json", err.text);
	else
		rc = is_graph ? draw(flow) : say_good(ctl, doc);
	hl_flow_free(&flow);
	json_decref(doc);
	return rc;
}
