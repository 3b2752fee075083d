/* ctl.h (private to daemon/ctl) - what the commands of hotlinectl share */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include "hotline/config.h"
#include "hotline/refdata.h"

#include <stdio.h>

struct ctl {
	const char *name; /* of the command */
	const char *config_path;
	struct hl_config *config; /* loaded on demand: offline commands need none */
	const char *ref_dir;      /* folder of reference files */
	const char *by, *why;
	bool as_json;
	int argc; /* words behind the command */
	char **argv;
	char **all_argv; /* the program's own */
};

enum { CTL_OK = 0, CTL_FAILED = 1, CTL_USAGE = 2 };

/* ctl_config - loads the configuration; prints why not and gives NULL. */
const struct hl_config *ctl_config(struct ctl *ctl);
/* ctl_fail - "hotlinectl: ..." on standard error, or {"error": ...} with --json; gives CTL_FAILED. */
int ctl_fail(const struct ctl *ctl, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* ctl_option - value of "--name VALUE" behind the command, NULL if absent. */
const char *ctl_option(const struct ctl *ctl, const char *name);
/* ctl_flag - was "--name", which takes no value, given? */
bool ctl_flag(const struct ctl *ctl, const char *name);
/* ctl_word - i-th word that is neither option nor option value. */
const char *ctl_word(const struct ctl *ctl, int i);
/* ctl_print - indented JSON on standard output. borrows. */
void ctl_print(const json_t *value);
/* ctl_print_line - one JSON value as one line. takes. */
void ctl_print_line(json_t *value);
/* ctl_each_line - JSON objects, one a line; a line that is none, or that each refuses, is named by its number. */
typedef int ctl_line_fn(struct ctl *ctl, void *arg, const json_t *line);
int ctl_each_line(struct ctl *ctl, FILE *in, ctl_line_fn *each, void *arg);

/* ctl_admin - one verb over the admin socket. takes args. Gives the reply, or NULL after having said why. */
json_t *ctl_admin(struct ctl *ctl, const char *verb, json_t *args);
/* ctl_show - prints a reply as asked and gives the exit code. takes reply (NULL: it failed and said so). */
int ctl_show(struct ctl *ctl, json_t *reply, void (*print)(const json_t *reply));
/* ctl_text - a text of a reply, "" when it is not there. */
const char *ctl_text(const json_t *o, const char *name);
/* ctl_post - POST of a JSON text to a URL. Gives the HTTP status (0: no answer) and the body. */
long ctl_post(const char *url, const char *unix_path, const char *body, struct hl_buf *answer, struct hl_error *err);

/* ctl_ref_doc - one reference document of a folder. Gives NULL after err. */
json_t *ctl_ref_doc(const char *dir, const char *kind, struct hl_error *err);
/* ctl_ref_docs - all reference documents of a folder, calendar expanded. Gives NULL after err. */
json_t *ctl_ref_docs(const char *dir, struct hl_error *err);
/* ctl_refdata - the same, parsed. */
struct hl_refdata *ctl_refdata(struct ctl *ctl);

/* ctl_read_time - "HH:MM", "+90m", "+4h", "+2d", ISO 8601; without a zone the county's. false: none of these. */
bool ctl_read_time(const char *word, int64_t now_us, int32_t offset_s, int64_t *at_r);
#define CTL_COUNTY_OFFSET_S (8 * 3600) /* Asia/Shanghai; has no daylight saving */

/* ctl_phone_args - {"phone": E.164} of a number as people write it; NULL after having said why not. */
json_t *ctl_phone_args(struct ctl *ctl, const char *number);
/* ctl_print_photos - a line each. */
void ctl_print_photos(const json_t *photos);

/* ctl_media_file - writes the file of {media, type} to FOLDER/CODE-MEDIA.jpg (or wav, mp3). */
int ctl_media_file(struct ctl *ctl, const char *folder, const char *code, const json_t *photo);

/* commands */
int cmd_migrate(struct ctl *ctl);
int cmd_import(struct ctl *ctl);
int cmd_export(struct ctl *ctl);
int cmd_replay(struct ctl *ctl);
int cmd_text(struct ctl *ctl);
int cmd_phone(struct ctl *ctl);
int cmd_case(struct ctl *ctl);
int cmd_photos(struct ctl *ctl);
int cmd_verify_number(struct ctl *ctl);
int cmd_explain(struct ctl *ctl);
int cmd_ask_photo(struct ctl *ctl);
int cmd_talk(struct ctl *ctl);
int cmd_tick(struct ctl *ctl);
int cmd_review(struct ctl *ctl);
int cmd_move(struct ctl *ctl); /* every move of an operator on a case */
int cmd_place_case(struct ctl *ctl);
int cmd_agenda(struct ctl *ctl);
int cmd_verify(struct ctl *ctl);
int cmd_rollup(struct ctl *ctl);
int cmd_idle(struct ctl *ctl);
int cmd_contacts(struct ctl *ctl);
int cmd_notices(struct ctl *ctl);
int cmd_quarantine(struct ctl *ctl);
int cmd_templates(struct ctl *ctl);
int cmd_channels(struct ctl *ctl);
int cmd_channel(struct ctl *ctl);
int cmd_classify(struct ctl *ctl);
int cmd_train(struct ctl *ctl);
int cmd_parse(struct ctl *ctl);
int cmd_place(struct ctl *ctl);
int cmd_segments(struct ctl *ctl);
int cmd_limit(struct ctl *ctl);
int cmd_law(struct ctl *ctl);
int cmd_flow(struct ctl *ctl);
int cmd_calls(struct ctl *ctl);
int cmd_callbacks(struct ctl *ctl);
int cmd_callback(struct ctl *ctl);
int cmd_ledger(struct ctl *ctl);
int cmd_form(struct ctl *ctl);

#endif
