/* histogram.c - counts per bucket (contract in hotline/histogram.h). Pure. */
#include "hotline/histogram.h"

static const double seconds[] = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5};
static const double sizes[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

struct hl_histogram hl_histogram_seconds(void)
{
	return (struct hl_histogram){.bounds = seconds, .n = LENGTH(seconds)};
}

struct hl_histogram hl_histogram_sizes(void)
{
	return (struct hl_histogram){.bounds = sizes, .n = LENGTH(sizes)};
}

void hl_histogram_observe(struct hl_histogram *h, double value)
{
	size_t i = 0;

	while (i < h->n && value > h->bounds[i])
		i++;
	h->counts[i]++;
	h->total++;
	h->sum += value;
}
