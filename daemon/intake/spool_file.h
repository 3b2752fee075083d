/* spool_file.h - an append-only file of checked lines, read from its beginning while it grows
 *
 *   <8 hex digits> <function> <JSON of one item>\n      the digits: the first of SHA-256 over what follows them
 *
 * Written by hand: a queue of lines between two fsyncs is a screen of code; what databases in a file (SQLite, LMDB)
 * would add is another database that can be down.
 */
#ifndef HOTLINE_SPOOL_FILE_H
#define HOTLINE_SPOOL_FILE_H

#include "hotline/error.h"
#include "hotline/slice.h"

#include <stdint.h>

struct hl_spool_file;

struct hl_spool_line {
	char function[16];
	struct hl_slice json; /* borrows until the next call */
};

/* hl_spool_file_open - makes folder and file when missing, locks the file, cuts off a last line that was never
 * finished. Errors  HL_CONFIG, the text says what cannot be done; HL_NOMEM */
enum hl_class hl_spool_file_open(const char *dir, uint64_t max_bytes, struct hl_spool_file **out_r,
				 struct hl_error *err);
void hl_spool_file_close(struct hl_spool_file **file);
/* hl_spool_file_add - puts a line behind those that wait for the next sync.
 * Errors  HL_NOMEM, or HL_LIMIT when the file would become too large: forget what was added since the last sync */
enum hl_class hl_spool_file_add(struct hl_spool_file *file, const char *function, const char *json);
/* hl_spool_file_sync - writes what was added and syncs it. All or nothing.
 * Errors  HL_RETRY: nothing of it is in the file */
enum hl_class hl_spool_file_sync(struct hl_spool_file *file, struct hl_error *err);
/* hl_spool_file_forget - what was added since the last sync was never there. */
void hl_spool_file_forget(struct hl_spool_file *file);
/* hl_spool_file_next - the next whole line; false: there is none at the moment. Damaged lines are counted and skipped.
 */
bool hl_spool_file_next(struct hl_spool_file *file, struct hl_spool_line *out);
/* hl_spool_file_damage - a line that was whole meant nothing: the file is kept aside. */
void hl_spool_file_damage(struct hl_spool_file *file);
/* hl_spool_file_done - what was read so far need not be read again. When all was, the file is empty again; one with
 * damaged lines is set aside as DIR/damaged-N first. */
void hl_spool_file_done(struct hl_spool_file *file);
/* hl_spool_file_rewind - back to what hl_spool_file_done was last told of. */
void hl_spool_file_rewind(struct hl_spool_file *file);

/* hl_spool_file_bytes - of the file now. hl_spool_file_waiting - lines behind what is done. hl_spool_file_damaged -
 * since it was opened. */
uint64_t hl_spool_file_bytes(const struct hl_spool_file *file);
uint64_t hl_spool_file_waiting(const struct hl_spool_file *file);
unsigned long long hl_spool_file_damaged(const struct hl_spool_file *file);

#endif
