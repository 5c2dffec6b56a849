/*
 * test_fusion.c
 *		The false match rate of a sum of scores, against a direct computation.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "match/fusion.h"
#include "tap.h"

/* c^(n-1) Q(n, x), at most 1, without the care for large numbers */
static double
direct(double sum, int n)
{
	double x = sum * M_LN10 / 10;
	double term = exp(-x);
	double q = term;

	for (int k = 1; k < n; k++)
	{
		term *= x / k;
		q += term;
	}
	return fmin(q * pow(FUSION_DEPENDENCE, n - 1), 1);
}

int
main(void)
{
	double worst = 0;
	double inverse = 0;
	bool   falling = true;
	bool   bounded = true;
	bool   reached = true;

	for (int n = 1; n <= 20; n++)
	{
		double last = 0;

		for (double sum = 0; sum <= 300; sum += 0.5)
		{
			double rate = fusion_log_fmr(sum, n);

			worst = fmax(worst, fabs(rate - log(direct(sum, n))));
			falling = falling && rate <= last;
			last = rate;
		}
		for (double fmr = 1e-12; fmr < 0.5; fmr *= 10)
			inverse = fmax(inverse, fabs(fusion_log_fmr(fusion_sum(fmr, n), n) - log(fmr)));

		/* scores of any number of sources that are all lower have a higher rate */
		for (double fmr = 1e-12; fmr <= 1; fmr *= 10)
		{
			double best = fusion_best(fmr, n);
			double least = INFINITY;

			for (int m = 1; m <= n; m++)
			{
				reached = reached && (best <= 0 || fusion_log_fmr(m * best, m) > log(fmr));
				least = fmin(least, fusion_sum(fmr, m) / m);
			}
			reached = reached && best >= least * (1 - 1e-8);
		}
	}
	for (int n = 1; n <= FUSION_MAX_SOURCES; n++)
	{
		bounded = bounded && isfinite(fusion_log_fmr(1e6, n)) && fusion_log_fmr(-5, n) == 0 &&
				  fusion_log_fmr(INFINITY, n) == -INFINITY;
	}
	ok(worst < 1e-9, "equals the direct sum");
	ok(inverse < 1e-9, "fusion_sum is the inverse");
	ok(reached, "fusion_best is what the best of a sum has at least");
	ok(falling, "a higher sum has no higher rate");
	ok(bounded, "large, negative and infinite sums have an answer");
	ok(fabs(-10 * fusion_log_fmr(40, 1) / M_LN10 - 40) < 1e-9, "one score is itself");
	ok(fusion_log_fmr(80, 2) > fusion_log_fmr(80, 1), "a sum of two is worth less than one score");
	printf("1..%d\n", tests);
	return failures > 0;
}
