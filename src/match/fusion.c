/*
 * fusion.c
 *		The false match rate of a sum of scores of one person.
 *
 * A score s is a false match rate p: s = -10 log10(p).  For strangers p is
 * uniformly distributed (or larger, if the calibration is on the safe side), so
 * the sum of n scores in units of 10/ln(10) decibans is at most gamma
 * distributed with shape n, and reaches x with the probability
 *		Q(n, x) = exp(-x) (1 + x + x^2/2! + .. + x^(n-1)/(n-1)!)
 * (R. A. Fisher, Statistical Methods for Research Workers, section 21.1).  For
 * n = 1 that is p itself.
 *
 * But captures of one person share their conditions: sensor, skin, extractor.
 * Conditions that let strangers exceed the promise of one score do so for all
 * scores.  In conditions that multiply the rate of each score by at most c, and
 * by 1 or less on the mean, the rate of a sum of n scores is at most c^(n-1)
 * Q(n, x).  FUSION_DEPENDENCE is that c: no set of captures was found to exceed
 * the promise of a single score by more (doc/identify.md).
 */
#include "match/fusion.h"

#include <math.h>

#define DECIBANS_PER_NAT (10 / M_LN10)

/* log Q(n, x), not above 0 */
static double
log_independent(double x, int sources)
{
	double term = 1;
	double series = 1;

	if (x <= FUSION_MAX_SOURCES)
	{
		for (int k = 1; k < sources; k++)
		{
			term *= x / k;
			series += term;
		}
		return fmin(log(series) - x, 0);
	}

	/* the last power dominates; it is taken out, because it may overflow */
	for (int k = sources - 1; k > 0; k--)
	{
		term *= k / x;
		series += term;
	}
	return fmin((sources - 1) * log(x) - lgamma(sources) + log(series) - x, 0);
}

double
fusion_log_fmr(double sum, int sources)
{
	double x = sum / DECIBANS_PER_NAT;

	if (!(x > 0))
		return 0;
	if (isinf(x))
		return -INFINITY;
	return fmin(log_independent(x, sources) + (sources - 1) * log(FUSION_DEPENDENCE), 0);
}

double
fusion_sum(double fmr, int sources)
{
	double target = log(fmr);
	double low = 0;
	double high = 1;

	/* adding 0 turns the -0 of fmr = 1 into 0 */
	if (sources == 1)
		return -10 * log10(fmr) + 0.0;
	if (target >= 0)
		return 0;
	while (fusion_log_fmr(high, sources) > target)
		high *= 2;
	for (int i = 0; i < 100; i++)
	{
		double middle = (low + high) / 2;

		if (fusion_log_fmr(middle, sources) > target)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* A little less than the mean of the sum: sums are rounded, and so is fusion_sum */
double
fusion_best(double fmr, int sources)
{
	double least = INFINITY;

	for (int n = 1; n <= sources; n++)
		least = fmin(least, fusion_sum(fmr, n) / n);
	return least * (1 - 1e-9);
}
