/*
 * depth.c
 *		How deep to search for a person, and who may have been missed.
 */
#include "postgres.h"

#include <math.h>

#include "match/fusion.h"
#include "search/persons.h"
#include "search/scores.h"
#include "settings.h"

#define MIN_DEPTH  20
#define FAST_DEPTH 10 /* if a fast search finds a mate, the mate is among the first rows */

bool
search_is_exact(void)
{
	return biometric_search_mode == BIOMETRIC_SEARCH_EXACT;
}

static int
compare_descending(const void *left, const void *right)
{
	double a = *(const double *) left;
	double b = *(const double *) right;

	return (a < b) - (a > b);
}

/*
 * The highest score that a person who was not found can have: for each finger
 * the score of the last row of its searches.  Also whether this sum, and the
 * sum of any part of the fingers, has a higher FPIR than that.
 */
static double
unseen_score(const PersonSearch *search, double fpir, int64 size, bool *below_bound)
{
	double last[BIOMETRIC_MAX_LABEL + 1] = {0};
	double bounds[BIOMETRIC_MAX_LABEL + 1 + MAX_PROBES];
	int    sources = 0;
	double sum = 0;

	for (int p = 0; p < search->probe_count; p++)
	{
		const Probe *probe = &search->probes[p];
		double       most = gallery_calibrated(search->gallery, probe->last);

		if (probe->label == 0)
			bounds[sources++] = most;
		else
			last[probe->label] = Max(last[probe->label], most);
	}
	for (int label = 1; label <= BIOMETRIC_MAX_LABEL; label++)
		if (last[label] > 0)
			bounds[sources++] = last[label];
	qsort(bounds, sources, sizeof(double), compare_descending);

	*below_bound = true;
	for (int i = 0; i < sources; i++)
	{
		sum += bounds[i];
		if (fpir_of(fusion_log_fmr(sum, i + 1), size) <= fpir)
			*below_bound = false;
	}
	return sum;
}

/* how many fingers the probes are of, at most */
static int
count_sources(const PersonSearch *search)
{
	bool seen[BIOMETRIC_MAX_LABEL + 1] = {false};
	int  sources = 0;

	for (int p = 0; p < search->probe_count; p++)
	{
		int label = search->probes[p].label;

		if (label == 0 || !seen[label])
			sources++;
		seen[label] = true;
	}
	return sources;
}

double
persons_best_threshold(const PersonSearch *search, double fpir, int64 size)
{
	return gallery_least_score(search->gallery,
							   best_threshold_of(fpir, size, count_sources(search)));
}

/*
 * A depth at which unseen_score is expected to be below the bound, by the
 * calibration of scores; AUTO_DEPTH at most.  Where rows below a score are left
 * out, that is the bound, and all others are taken.
 */
static int
first_depth(const PersonSearch *search, int k, double fpir, int64 size)
{
	int    least = Max(MIN_DEPTH, 2 * k);
	int    sources = count_sources(search);
	double depth;

	/*
	 * a fast search says nothing about entries that it did not compare, so a
	 * short list is enough
	 */
	if (!search_is_exact())
		return Max(FAST_DEPTH, k);
	if (search->min_score > 0)
		return Max(least, AUTO_DEPTH);

	/* twice the rows that reach this score by chance */
	depth = 2 * (double) size * pow(10, -threshold_of(fpir, size, sources) / sources / 10);
	return (int) Max(least, Min(ceil(depth), AUTO_DEPTH));
}

double
persons_find_depth(PersonSearch *search, int depth, double fpir, int64 size)
{
	bool below_bound;

	if (persons_find(search, depth))
		return 0;
	return unseen_score(search, fpir, size, &below_bound);
}

int
persons_find_enough(PersonSearch *search, int k, double fpir, int64 size, double *unseen)
{
	int depth = first_depth(search, k, fpir, size);

	for (;;)
	{
		bool below_bound;

		*unseen = 0;
		if (persons_find(search, depth))
			return depth;
		*unseen = unseen_score(search, fpir, size, &below_bound);
		if (below_bound || depth >= AUTO_DEPTH || !search_is_exact())
			return depth;
		depth = Min(4 * depth, AUTO_DEPTH);
	}
}
