/*
 * calibration.c
 *		From the distance of two iris codes to decibans.
 *
 * The knots are generated (test/train/iris): distances of non-mated pairs of
 * one half of the eyes of CASIA-IrisV1 (2048 bits, log-Gabor), on the cautious
 * side of their uncertainty.  To 30 they are quantiles.  Beyond 30 they follow
 * a normal tail that is fitted to the quantiles from 15 to 35; the pairs
 * confirm it up to 40.  The distance is a mean of many bits, and the best of
 * some rotations has a shorter tail than a normal one.  A distance below the
 * first knot has the first knot's score.
 *
 * Codes with less correlated bits have fewer false matches at a distance: with
 * the 249 degrees of freedom of Daugman (2003) 1e-4 lies near 0.36, not 0.27.
 * For such codes the true false match rate is lower than the score says.
 */
#include "match/iris/iris.h"

typedef struct Knot
{
	double distance;
	double score;
} Knot;

#include "match/iris/knots.h"

#define KNOTS ((int) (sizeof(knots) / sizeof(knots[0])))

double
iris_score_limit(void)
{
	return KNOTS_MEASURED;
}

double
iris_score(double distance)
{
	int i = 1;

	if (!(distance < knots[KNOTS - 1].distance))
		return 0;
	if (distance <= knots[0].distance)
		return knots[0].score;
	while (distance > knots[i].distance)
		i++;
	return knots[i].score +
		   (knots[i - 1].score - knots[i].score) *
			   ((knots[i].distance - distance) / (knots[i].distance - knots[i - 1].distance));
}
