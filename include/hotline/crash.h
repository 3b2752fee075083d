/* crash.h - named points at which a test build ends itself as kill -9 would
 *
 * A point stands behind what it is named after: hl_crash_point("intake.committed") is passed when a batch is
 * committed and nobody knows yet. It costs nothing and does nothing unless HL_CRASH_POINTS is defined (the daemon of
 * tests/faults). There HL_CRASH_AT=NAME, or NAME:N for the N-th pass, ends the process with code 137: no destructor,
 * no flush, no farewell to a peer.
 */
#ifndef HOTLINE_CRASH_H
#define HOTLINE_CRASH_H

#ifdef HL_CRASH_POINTS
void hl_crash_point(const char *name);
#else
#define hl_crash_point(name) ((void)0)
#endif

#endif
