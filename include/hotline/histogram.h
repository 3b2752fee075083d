/* histogram.h - counts per bucket, as Prometheus shows them */
#ifndef HOTLINE_HISTOGRAM_H
#define HOTLINE_HISTOGRAM_H

#include <stddef.h>

#define HL_HISTOGRAM_BUCKETS 12

struct hl_histogram {
	const double *bounds;                                /* ascending upper bounds, n of them; static storage */
	size_t n;                                            /* at most HL_HISTOGRAM_BUCKETS */
	unsigned long long counts[HL_HISTOGRAM_BUCKETS + 1]; /* the last one: above every bound */
	unsigned long long total;
	double sum;
};

/* hl_histogram_seconds, hl_histogram_sizes - empty ones for latencies of 1 ms to 5 s, and for 1 to 1,000 items. */
struct hl_histogram hl_histogram_seconds(void);
struct hl_histogram hl_histogram_sizes(void);
void hl_histogram_observe(struct hl_histogram *h, double value);

#endif
