/* config_internal.h - what the files of the configuration share; nobody else includes it
 *
 *   config_ini.c    file -> sections and entries with their lines (libinih)
 *   config_keys.c   the table of all keys, and its Markdown form
 *   config_value.c  one written value -> one field, or the rule it breaks
 *   config_templates.c  the file that maps our texts to a provider's templates
 *   config.c        load: table over entries, then the rules that span keys
 */
#ifndef HOTLINE_BASE_CONFIG_INTERNAL_H
#define HOTLINE_BASE_CONFIG_INTERNAL_H

#include <sys/queue.h>
#include "hotline/arena.h"
#include "hotline/config.h"

struct hl_ini_entry {
	TAILQ_ENTRY(hl_ini_entry) next;
	const char *key, *value;
	unsigned line;
};

struct hl_ini_section {
	TAILQ_ENTRY(hl_ini_section) next;
	const char *name;
	unsigned line;
	TAILQ_HEAD(, hl_ini_entry) entries; /* in file order, keys as written, may repeat */
};

struct hl_ini {
	TAILQ_HEAD(, hl_ini_section) sections; /* in file order; a repeated one was refused and is left out */
	unsigned n_lines;
};

/* hl_config_report - where refusals are written. */
struct hl_config_report {
	const char *path;
	struct hl_buf *out;
	unsigned n_errors;
};

/* hl_config_refuse - one line "FILE:LINE: [section] key: rule"; section and key may be NULL. */
void hl_config_refuse(struct hl_config_report *report, unsigned line, const char *section, const char *key,
		      const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* hl_ini_read - reads the report's file.
 * Gives   *out, strings in the arena; what is wrong with the form of the file goes to the report.
 *         false: the file could not be read at all, which is reported too. */
bool hl_ini_read(struct hl_arena *arena, struct hl_config_report *report, struct hl_ini *out);

enum hl_config_type {
	HL_KEY_TEXT,      /* char *, at most max code points */
	HL_KEY_SLICE,     /* struct hl_slice, likewise */
	HL_KEY_NUMBER,    /* unsigned, min to max */
	HL_KEY_WORD,      /* char *, one of words */
	HL_KEY_CHOICE,    /* enum, position in words */
	HL_KEY_FLAG,      /* bool, words are "<false> <true>" */
	HL_KEY_PATH,      /* char *, taken from the file's folder */
	HL_KEY_LISTEN,    /* char *, HOST:PORT or unix:PATH */
	HL_KEY_URL,       /* char *, http or https */
	HL_KEY_ADDRESSES, /* char **, numeric addresses */
	HL_KEY_NAMES,     /* char **, words */
	HL_KEY_PROVIDER,  /* const struct hl_provider * */
	HL_KEY_SECRETS,   /* struct hl_secret *, lines of a private file */
	HL_KEY_TEMPLATES, /* struct hl_template_ref *, a JSON file */
	HL_KEY_PASSWORD,  /* struct hl_slice, first line of a private file */
};

struct hl_config_key {
	const char *section, *name;
	enum hl_config_type type;
	const char *fallback;      /* as one would write it; "": the field stays empty; NULL: must be given */
	const char *fallback_text; /* for the table, where the default is worked out from other keys */
	unsigned min, max;
	const char *unit, *words, *help;
	size_t at, count_at; /* offsets of the field and of its number of elements */
};

#define HL_CONFIG_KEYS_MAX 80
extern const struct hl_config_key hl_config_keys[];
extern const size_t hl_config_n_keys;

/* hl_config_set - writes one value into its field of target.
 * Takes   value: as written, not empty; dir: the file's folder with a slash at the end, or "".
 * Errors  HL_CONFIG with the rule that is broken; HL_NOMEM */
enum hl_class hl_config_set(const struct hl_config_key *key, const char *value, struct hl_arena *arena, const char *dir,
			    void *target, struct hl_error *err);

#define HL_OPTIONS_MAX 40
/* hl_config_option - likewise one value of a provider's option: the word, or the content of the file it names. */
enum hl_class hl_config_option(const struct hl_option *option, const char *value, struct hl_arena *arena,
			       const char *dir, const char **value_r, struct hl_error *err);

/* hl_config_templates - from a file's text: {"dispatch": {"id": "SMS_1", "params": ["code", {"name": "place", "as":
 * "p1", "max": 6}]}, ...}. Errors  HL_CONFIG naming the text and the rule; HL_NOMEM */
enum hl_class hl_config_templates(struct hl_arena *arena, struct hl_slice text, struct hl_template_ref **out_r,
				  size_t *n_r, struct hl_error *err);

/* hl_config_slurp - a whole regular file.
 * Takes   is_private: refuse a file that group or others may use.
 * Errors  HL_CONFIG with the reason; HL_NOMEM */
enum hl_class hl_config_slurp(struct hl_arena *arena, const char *path, size_t max_bytes, bool is_private,
			      struct hl_slice *out_r, struct hl_error *err);

#endif
