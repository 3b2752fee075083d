/* photos.c - hotlinectl photos and ask-photo: what pictures and recordings a case has, their files, and asking for more
 */
#include "ctl.h"

#include "hotline/media.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void ctl_print_photos(const json_t *photos)
{
	const json_t *p;
	size_t i;

	json_array_foreach (photos, i, p)
		printf("  %4lld %s %-9s %-8s %-8s %s%s\n", (long long)json_integer_value(json_object_get(p, "media")),
		       ctl_text(p, "at"), ctl_text(p, "kind"), ctl_text(p, "state"),
		       *ctl_text(p, "unit") ? ctl_text(p, "unit") : ctl_text(p, "by"),
		       *ctl_text(p, "sha256") ? ctl_text(p, "sha256") : "", ctl_text(p, "reason"));
}

static void print_photos(const json_t *reply)
{
	printf("case %s: %zu\n", ctl_text(reply, "case"), json_array_size(json_object_get(reply, "photos")));
	ctl_print_photos(json_object_get(reply, "photos"));
}

static int write_file(const struct ctl *ctl, const char *path, const char *coded)
{
	size_t len = strlen(coded), padding = 0;
	unsigned char *bytes = malloc(len / 4 * 3 + 3);
	int n = bytes ? EVP_DecodeBlock(bytes, (const unsigned char *)coded, (int)len) : -1;
	FILE *out = n >= 0 ? fopen(path, "wbe") : NULL;
	bool is_whole;

	while (padding < len && coded[len - 1 - padding] == '=')
		padding++;
	is_whole = out && fwrite(bytes, 1, (size_t)n - padding, out) == (size_t)n - padding;
	if (out)
		is_whole = fclose(out) == 0 && is_whole;
	free(bytes);
	return is_whole ? CTL_OK : ctl_fail(ctl, "%s: cannot be written: %m", path);
}

int ctl_media_file(struct ctl *ctl, const char *folder, const char *code, const json_t *photo)
{
	json_int_t id = json_integer_value(json_object_get(photo, "media"));
	const char *type = ctl_text(photo, "type");
	json_t *reply = ctl_admin(ctl, "media_file", json_pack("{s:I}", "media", id));
	char path[4096];
	int rc;

	if (!reply)
		return CTL_FAILED;
	snprintf(path, sizeof(path), "%s/%s-%lld.%s", folder, code, (long long)id,
		 strcmp(type, "audio/wav") == 0    ? "wav"
		 : strcmp(type, "audio/mpeg") == 0 ? "mp3"
						   : "jpg");
	rc = write_file(ctl, path, ctl_text(reply, "base64"));
	json_decref(reply);
	return rc;
}

int cmd_photos(struct ctl *ctl)
{
	const char *code = ctl_word(ctl, 0), *folder = ctl_option(ctl, "--out");
	const json_t *photo;
	json_t *reply;
	size_t i;

	if (!code)
		return CTL_USAGE;
	reply = ctl_admin(ctl, "photos", json_pack("{s:s}", "case", code));
	if (folder && reply)
		mkdir(folder, 0700);
	json_array_foreach (folder ? json_object_get(reply, "photos") : NULL, i, photo)
		if (strcmp(ctl_text(photo, "state"), "kept") == 0 && ctl_media_file(ctl, folder, code, photo) != CTL_OK) {
			json_decref(reply);
			return CTL_FAILED;
		}
	return ctl_show(ctl, reply, print_photos);
}

static void print_asked(const json_t *reply)
{
	printf("%lld asked\n", (long long)json_integer_value(json_object_get(reply, "asked")));
}

int cmd_ask_photo(struct ctl *ctl)
{
	const char *code = ctl_word(ctl, 0);

	if (!code)
		return CTL_USAGE;
	return ctl_show(ctl, ctl_admin(ctl, "ask_photo", json_pack("{s:s, s:s*}", "case", code, "why", ctl->why)),
			print_asked);
}
