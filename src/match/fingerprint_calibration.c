/*
 * fingerprint_calibration.c
 *		Log-odds <-> distance -> decibans of the false match rate.
 *
 * The distance is a fixed squeezing of the comparison's log-odds into (0, 1)
 * that needs a square root only.  The score is what was measured: how often
 * non-mated comparisons of one sensor reach the log-odds (doc/matching.md).
 */
#include "match/fingerprint_internal.h"
#include "match/portable_math.h"

/* the log-odds at distance 1/2, and those that are one step away from it */
#define MIDDLE 1.0
#define STEP   2.0

/*
 * Decibans at log-odds.  Up to 30 dB these are measured on 23 040 non-mated
 * comparisons; to 40 dB the tail is continued a little less steeply than the
 * flattest one measured, and beyond that at two thirds of its slope.
 */
static const struct
{
	double odds;
	double decibans;
} calibration[] = {{-7.00, 0},  {-5.10, 1},  {-3.87, 3},  {-3.10, 5},  {-2.22, 8},
				   {-1.71, 10}, {-1.12, 13}, {-0.53, 16}, {0.13, 20},  {0.67, 23},
				   {1.18, 26},  {1.58, 30},  {3.33, 40},  {53.33, 230}};

#define KNOTS ((int) (sizeof(calibration) / sizeof(calibration[0])))

double
fingerprint_odds_to_distance(double odds)
{
	double u = (odds - MIDDLE) / STEP;

	return 0.5 * (1 - u / portable_sqrt(1 + u * u));
}

double
fingerprint_distance_to_odds(double distance)
{
	double spread = 4 * distance * (1 - distance);

	return MIDDLE + STEP * (1 - 2 * distance) / portable_sqrt(spread);
}

double
fingerprint_score(double distance)
{
	double odds;

	if (!(distance < 1))
		return calibration[0].decibans;
	if (!(distance > 0))
		return calibration[KNOTS - 1].decibans;
	odds = fingerprint_distance_to_odds(distance);
	if (odds <= calibration[0].odds)
		return calibration[0].decibans;
	for (int k = 1; k < KNOTS; k++)
	{
		double from = calibration[k - 1].odds;
		double to = calibration[k].odds;

		if (odds < to)
			return calibration[k - 1].decibans +
				   (calibration[k].decibans - calibration[k - 1].decibans) *
					   ((odds - from) / (to - from));
	}
	return calibration[KNOTS - 1].decibans;
}
