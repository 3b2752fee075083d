/* config_fixture.h - a folder with a configuration file and private files in every state, and what loading it says */
#ifndef HOTLINE_TESTS_CONFIG_FIXTURE_H
#define HOTLINE_TESTS_CONFIG_FIXTURE_H

#include <sys/types.h>
#include "hotline/config.h"

#define SECRET_A "aaaaaaaaaaaaaaaaaaaaaaaa"
#define SECRET_B "bbbbbbbbbbbbbbbb"

extern char config_dir[];    /* absolute, no slash at the end */
extern char config_path[64]; /* the configuration file in it */

/* Group setup and teardown: make and remove the folder. */
int config_setup(void **state);
int config_teardown(void **state);

void config_write(const char *name, const char *text, mode_t mode);
/* Writes the configuration file and loads it; the caller ends errors. */
enum hl_class config_load(const char *text, struct hl_config **config_r, struct hl_buf *errors);
/* The same where a refusal fails the test. */
struct hl_config *config_ok(const char *text);
/* The report must be exactly these lines, each without the file's name in front; ends with NULL. */
void config_refuses_all(const char *text, const char *const *lines);
void config_refuses(const char *text, const char *line);

#endif
