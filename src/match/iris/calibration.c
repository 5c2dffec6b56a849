/*
 * calibration.c
 *		From the distance of two iris codes to decibans.
 *
 * The knots are the quantiles of the distance, best over rotations, of the
 * 283 122 non-mated pairs of CASIA-IrisV1 (756 codes of 108 eyes, 2048 bits,
 * log-Gabor).  They tell the false match rate down to 1e-4 well, to 1e-5
 * roughly.  Below the last knot the line goes on with the slope it has between
 * 20 and 40: theory (the minimum of binomial means has a tail that falls ever
 * faster) and the pairs themselves have it steeper, so scores beyond 40 claim
 * less than they could.
 *
 * Codes with less correlated bits have fewer false matches at a distance:
 * with the 249 degrees of freedom of Daugman (2003) 1e-4 lies near 0.37, not
 * 0.28.  For those the score promises less than it keeps.
 */
#include "match/iris/iris.h"

typedef struct Knot
{
	double distance;
	double score;
} Knot;

static const Knot knots[] = {
	{0.0000, 137}, {0.2805, 40}, {0.2935, 35}, {0.3070, 30}, {0.3229, 25},
	{0.3400, 20},  {0.3594, 15}, {0.3820, 10}, {0.3984, 7},  {0.4115, 5},
	{0.4195, 4},   {0.4300, 3},  {0.4447, 2},  {0.4580, 1},  {0.4900, 0},
};

#define KNOTS ((int) (sizeof(knots) / sizeof(knots[0])))

double
iris_score(double distance)
{
	int i = 1;

	if (!(distance < knots[KNOTS - 1].distance))
		return 0;
	if (distance < 0)
		distance = 0;
	while (distance > knots[i].distance)
		i++;
	return knots[i].score +
		   (knots[i - 1].score - knots[i].score) *
			   ((knots[i].distance - distance) / (knots[i].distance - knots[i - 1].distance));
}
