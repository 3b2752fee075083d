/* client.c - hotlinectl's requests to the daemon: blocking, one at a time */
#include "ctl.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX_BYTES (64u << 20)
#define TIMEOUT_S        70L

static size_t keep(char *data, size_t size, size_t n, void *arg)
{
	struct hl_buf *answer = arg;

	hl_buf_add(answer, (struct hl_slice){data, size * n});
	return hl_buf_failed(answer) ? 0 : size * n;
}

long ctl_post(const char *url, const char *unix_path, const char *body, struct hl_buf *answer, struct hl_error *err)
{
	CURL *curl = curl_easy_init();
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	long status = 0;
	CURLcode rc;

	headers = curl_slist_append(headers, "Expect:");
	if (unix_path)
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, unix_path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	rc = curl_easy_perform(curl);
	if (rc == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	else
		hl_fail(err, HL_RETRY, "cannot reach %s: %s", unix_path ? unix_path : url, curl_easy_strerror(rc));
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return status;
}

json_t *ctl_admin(struct ctl *ctl, const char *verb, json_t *args)
{
	const struct hl_config *config = ctl_config(ctl);
	char *body = json_dumps(args, JSON_COMPACT);
	struct hl_error err = {.text = ""};
	struct hl_buf answer;
	json_t *reply = NULL;
	char url[200];
	const char *path = NULL;
	long status;

	json_decref(args);
	if (!config || !body) {
		free(body);
		return NULL;
	}
	if (strncmp(config->admin_listen, "unix:", 5) == 0)
		path = config->admin_listen + 5;
	snprintf(url, sizeof(url), "http://%s/admin/%s", path ? "hotlined" : config->admin_listen, verb);
	hl_buf_init(&answer, ANSWER_MAX_BYTES);
	status = ctl_post(url, path, body, &answer, &err);
	if (status > 0)
		reply = json_loadb(answer.ptr ? answer.ptr : "", answer.len, 0, NULL);
	if (status == 0) {
		ctl_fail(ctl, "%s (is hotlined running?)", err.text);
	} else if (status != 200) {
		const char *reason = json_string_value(json_object_get(reply, "error"));

		ctl_fail(ctl, "%s: %s", verb, reason ? reason : "refused");
		json_decref(reply);
		reply = NULL;
	}
	hl_buf_fini(&answer);
	free(body);
	return reply;
}

int ctl_show(struct ctl *ctl, json_t *reply, void (*print)(const json_t *reply))
{
	if (!reply)
		return CTL_FAILED;
	if (ctl->as_json)
		ctl_print(reply);
	else
		print(reply);
	json_decref(reply);
	return CTL_OK;
}

const char *ctl_text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}
