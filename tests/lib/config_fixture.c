/* config_fixture.c - a folder with a configuration file and private files in every state, and what loading it says */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "config_fixture.h"

char config_dir[] = "/tmp/hl-config-XXXXXX";
char config_path[64];

void config_write(const char *name, const char *text, mode_t mode)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", config_dir, name);
	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fputs(text, f) < 0, 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

int config_setup(void **state)
{
	(void)state;
	if (!mkdtemp(config_dir))
		return -1;
	snprintf(config_path, sizeof(config_path), "%s/a.conf", config_dir);
	config_write("secret", SECRET_A "\n\n  " SECRET_B " \n", 0600);
	config_write("password", "pass word is wrong, this is not\n", 0600);
	config_write("good-password", "demo-password\nsecond line is ignored\n", 0400);
	config_write("open", SECRET_A "\n", 0640);
	config_write("whsec", "whsec_\n", 0600);
	config_write("short", SECRET_A "\n123456789012345\n", 0600);
	config_write("empty", "\n\n", 0600);
	config_write("binary", SECRET_A "\x01\n", 0600);
	return 0;
}

static int drop_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int config_teardown(void **state)
{
	(void)state;
	return nftw(config_dir, drop_entry, 4, FTW_DEPTH | FTW_PHYS);
}

enum hl_class config_load(const char *text, struct hl_config **config_r, struct hl_buf *errors)
{
	config_write("a.conf", text, 0644);
	hl_buf_init(errors, 65536);
	return hl_config_load(config_path, config_r, errors);
}

struct hl_config *config_ok(const char *text)
{
	struct hl_config *config;
	struct hl_buf errors;

	if (config_load(text, &config, &errors))
		fail_msg("refused: %s", hl_buf_str(&errors));
	assert_int_equal(errors.len, 0);
	hl_buf_fini(&errors);
	return config;
}

void config_refuses_all(const char *text, const char *const *lines)
{
	struct hl_config *config;
	struct hl_buf errors, expected;

	hl_buf_init(&expected, 65536);
	for (; *lines; lines++)
		hl_buf_printf(&expected, "%s:%s\n", config_path, *lines);
	assert_int_equal(config_load(text, &config, &errors), HL_CONFIG);
	assert_null(config);
	assert_string_equal(hl_buf_str(&errors), hl_buf_str(&expected));
	hl_buf_fini(&errors);
	hl_buf_fini(&expected);
}

void config_refuses(const char *text, const char *line)
{
	config_refuses_all(text, (const char *const[]){line, NULL});
}
