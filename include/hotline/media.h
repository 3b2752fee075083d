/* media.h - photos and recordings: what is taken, how it comes to disk, who fetches it
 *
 * What came with a text or a call is a row of hl.media, committed together with it; bytes that somebody hands us
 * (an upload, a recording pushed by its provider) are on disk before their row is written. A file lies under
 * `[media] dir` by the SHA-256 of its content and never changes.
 *
 *   state     event                                state     what it means
 *   (new)     named by a provider                  pending   fetched once the provider has its 2xx
 *   (new)     handed to us and kept                kept
 *   pending   leased by a daemon                   pending   its lease ends by itself when the daemon dies
 *   pending   fetched and kept                     kept      file and folder were fsynced before the row said so
 *   pending   not there, too slow, 5xx, disk full  pending   again after 30 s, 2 min, 10 min, 1 h, 6 h
 *   pending   the sixth time                       given_up  with the reason, and an alert to the desk
 *   pending   host or address not allowed, other
 *             than a picture (a recording), too
 *             long, 4xx                            given_up  likewise, at once
 *   kept      case and task become known           kept      an event of the case holds the digest
 *   kept, given_up  erased on request              erased    digest stays in the history
 *
 * Whoever decodes a stranger's picture does it in a process of its own (hl_media_child): it has a limit of memory, of
 * time and of files, it cannot stall the loop, and when it dies one picture is refused and nothing else happens.
 */
#ifndef HOTLINE_MEDIA_H
#define HOTLINE_MEDIA_H

#include "hotline/clock.h"
#include "hotline/config.h"
#include "hotline/loop.h"
#include "hotline/store.h"

#include <sys/socket.h>

enum hl_media_kind { HL_MEDIA_PHOTO, HL_MEDIA_RECORDING };

/* ---- rules; pure (check.c) --------------------------------------------------------------------------------------- */

/* hl_media_kind_parse - "photo", "recording". */
bool hl_media_kind_parse(struct hl_slice word, enum hl_media_kind *kind_r);
const char *hl_media_kind_name(enum hl_media_kind kind);
/* hl_media_max_bytes - the longest file of a kind that is taken: photo 12 MiB, recording 32 MiB. */
size_t hl_media_max_bytes(enum hl_media_kind kind);
/* hl_media_type - what the bytes are, by their content: "image/jpeg", "image/png", "audio/wav", "audio/mpeg"; NULL when
 * they are nothing that is taken as this kind. Whatever a name or a header says does not matter. */
const char *hl_media_type(enum hl_media_kind kind, struct hl_slice bytes);

/* hl_media_may_ask - is this address one that media may be fetched from?
 * Takes   allow: `media_allow` of a channel: HOST, .DOMAIN (all below it), http://HOST[:PORT] (without TLS)
 * Gives   NULL, or the rule that forbids it
 * Source  the URL is read by libcurl's own parser, so that both see the same host */
const char *hl_media_may_ask(const char *url, char *const *allow, size_t n_allow);
/* hl_media_may_connect - is the address outside: neither private, loopback, link-local, shared, multicast nor reserved,
 * in IPv4, in IPv6, or one inside the other? Or is it on the list of those that may be reached although inside?
 * Source  RFC 6890 and the IANA registries of special-purpose addresses */
bool hl_media_may_connect(const struct sockaddr *addr, char *const *inside, size_t n_inside);

/* hl_media_is_home - do two addresses have the same scheme, host and port? What our account needs is told to no other.
 */
bool hl_media_is_home(const char *url, const char *home);

enum hl_media_next { HL_MEDIA_KEEP, HL_MEDIA_FOLLOW, HL_MEDIA_LATER, HL_MEDIA_NEVER };
/* hl_media_judge - what an answer means: 200 is kept, a redirect followed, 400, 405 to 407, 410 and the like are final;
 * what may mend itself is tried again, an account not let in (401, 403) too: an operator mends that. */
enum hl_media_next hl_media_judge(enum hl_class cls, int status, bool is_too_long);
/* hl_media_wait_us - how long until the next try after so many; 0: there is none. */
int64_t hl_media_wait_us(int tries);

/* ---- keeping (keeper.c, child.c) --------------------------------------------------------------------------------- */

/* cls: HL_OK kept. HL_INPUT never will be: not of the kind, too long, or what decodes it died. HL_RETRY the disk or the
 * process table is full: the same bytes may work later. */
struct hl_kept {
	enum hl_class cls;
	char sha256[65];  /* of the file, hexadecimal */
	const char *type; /* of the file: a photo is always image/jpeg */
	size_t bytes;
	unsigned width, height; /* of a photo */
	char why[160];          /* unless HL_OK: lower case, for logs and rows */
};
typedef void hl_kept_done(void *arg, const struct hl_kept *kept);

struct hl_keeper;
struct hl_keep_op;

/* hl_keeper_new - keeps files under dir.
 * Takes   program: what hl_media_child runs in; "/proc/self/exe" in the daemon. borrows both strings */
struct hl_keeper *hl_keeper_new(struct hl_loop *loop, const char *program, const char *dir);
/* hl_keeper_free - ends what is left; no done runs any more. */
void hl_keeper_free(struct hl_keeper **keeper);

/* hl_keep - checks bytes, cleans a photo (upright, no metadata, no side longer than 4096), writes and fsyncs.
 * Takes   bytes: kept by the keeper until done or cancel. op_r: may be NULL
 * Calls   done exactly once, at the fixed point of a later turn, never after cancel, within a minute.
 * Errors  through done; HL_NOMEM directly (done does not run)
 * Cost    two processes at once, 16 wait; beyond: HL_RETRY. 60 ms of another core for 12 megapixels */
enum hl_class hl_keep(struct hl_keeper *keeper, enum hl_media_kind kind, struct hl_slice bytes, hl_kept_done *done,
		      void *arg, struct hl_keep_op **op_r);
void hl_keep_cancel(struct hl_keep_op **op);
unsigned hl_keeper_outstanding(const struct hl_keeper *keeper);

/* hl_media_child - the process behind hl_keep: bytes on stdin, one line of JSON on stdout. Gives the exit code. */
int hl_media_child(const char *kind, const char *dir);

/* hl_media_path - where the file of a digest lies: DIR/ab/ab....jpg. */
void hl_media_path(struct hl_buf *out, const char *dir, struct hl_slice sha256, struct hl_slice type);

/* ---- fetching (fetch.c) ------------------------------------------------------------------------------------------ */

struct hl_media_setup {
	struct hl_loop *loop;
	struct hl_store store;
	struct hl_keeper *keeper;
	const struct hl_config *config;
	/* on_talk - a photo arrived for which a dialogue waited: contexts as hl.talk_context gives them. */
	void (*on_talk)(void *arg, const json_t *contexts);
	/* on_committed - something may be due to be sent. */
	void (*on_committed)(void *arg);
	void *arg;
};

struct hl_media;

/* hl_media_new - fetches what hl.media_due gives, two at once, with a client of its own: a slow server of photos takes
 * no text's place. */
struct hl_media *hl_media_new(const struct hl_media_setup *setup);
void hl_media_free(struct hl_media **media);
/* hl_media_pulse - looks for due jobs, unless it is at work. Called on a timer and when media came in. */
void hl_media_pulse(struct hl_media *media);
/* hl_media_stop - takes nothing new, and lets go of what is in work: it is done again, by whoever leases it then. */
void hl_media_stop(struct hl_media *media);
unsigned hl_media_outstanding(const struct hl_media *media);

struct hl_media_stats {
	unsigned long long fetched, kept, retried, given_up;
};
const struct hl_media_stats *hl_media_stats(const struct hl_media *media);

#endif
