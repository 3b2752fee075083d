/* media_file.c - hands a kept file to an operator's command
 *
 * Owns the file while it is read. It is read whole and on the loop: a few megabytes, now and then, for a person.
 */
#include "gateway.h"

#include "hotline/log.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Gives malloc'd bytes, NULL when the file is not there or not whole. */
static unsigned char *read_file(const char *path, size_t *len_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	unsigned char *bytes = NULL;
	size_t n = 0;
	ssize_t got = 1;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 &&
	    (size_t)st.st_size <= hl_media_max_bytes(HL_MEDIA_RECORDING))
		bytes = malloc((size_t)st.st_size);
	while (bytes && n < (size_t)st.st_size && (got = read(fd, bytes + n, (size_t)st.st_size - n)) > 0)
		n += (size_t)got;
	if (fd >= 0)
		close(fd);
	*len_r = n;
	if (bytes && got > 0)
		return bytes;
	free(bytes);
	return NULL;
}

static json_t *coded(const json_t *found, const unsigned char *bytes, size_t len)
{
	char *text = malloc(4 * ((len + 2) / 3) + 1);
	json_t *reply;

	if (!text)
		return NULL;
	EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
	reply = json_pack("{s:O, s:O, s:s}", "media", json_object_get(found, "media"), "type",
			  json_object_get(found, "type"), "base64", text);
	free(text);
	return reply;
}

void media_file_answer(struct gateway *g, struct hl_http_exchange *x, struct hl_slice json)
{
	json_t *found = json_loadb(json.ptr, json.len, 0, NULL), *reply;
	const char *sha256 = json_string_value(json_object_get(found, "sha256"));
	const char *type = json_string_value(json_object_get(found, "type"));
	unsigned char *bytes;
	struct hl_buf path;
	char *text;
	size_t len;

	hl_buf_init(&path, 4096);
	hl_media_path(&path, g->config->media_dir, hl_slice_str(sha256), hl_slice_str(type));
	bytes = sha256 && type ? read_file(hl_buf_str(&path), &len) : NULL;
	reply = bytes ? coded(found, bytes, len) : NULL;
	text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
	if (text) {
		hl_http_reply(x, 200, "application/json", hl_slice_str(text));
	} else {
		hl_log(HL_ERROR, "media.file_missing", HL_STR("sha256", sha256));
		hl_http_reply_reason(x, 409, "the file is not in the folder of media");
	}
	free(text);
	free(bytes);
	json_decref(reply);
	json_decref(found);
	hl_buf_fini(&path);
}
