/*
 * calibration.c
 *		Log-odds <-> distance -> decibans of the false match rate.
 *
 * The distance is a fixed squeezing of log-odds into (0, 1) that needs a square
 * root only: for whole comparisons into (0, WHOLE], for pairs that an earlier
 * stage of the cascade settled into narrow bands above.
 *
 * The score is what was measured: how often whole comparisons of non-mated pairs
 * of one sensor reach the log-odds (doc/matching.md).  That the cascade keeps
 * most of them from getting so far is not counted: it makes the score cautious.
 */
#include "match/fingerprint/internal.h"
#include "match/portable_math.h"

/* the log-odds at distance 1/2, and those that are one step away from it */
#define MIDDLE 1.0
#define STEP   2.0

/*
 * Decibans at log-odds.  Up to 30 dB these are measured, the worse of two
 * extractors, each with 11 520 non-mated comparisons; to 40 dB the tail is
 * continued a little less steeply than the flattest one measured, and beyond
 * that at two thirds of its slope.
 */
static const struct
{
	double odds;
	double decibans;
} calibration[] = {{-7.00, 0},  {-4.78, 1},  {-3.51, 3},  {-2.71, 5},  {-1.81, 8},
				   {-1.30, 10}, {-0.67, 13}, {-0.11, 16}, {0.66, 20},  {1.23, 23},
				   {1.65, 26},  {2.04, 30},  {3.79, 40},  {53.79, 230}};

#define KNOTS ((int) (sizeof(calibration) / sizeof(calibration[0])))

/* up to here the knots are counted rates, not extrapolations */
#define LAST_MEASURED 30

/* largest distances of pairs that came to each stage */
#define WHOLE      0.998
#define REFINEMENT 0.9985
#define ALIGNMENT  0.999

/* decibans of the best pair settled in the first stage, the second and the third */
#define CANDIDATES_DECIBANS 1.0
#define ALIGNMENT_DECIBANS  1.5
#define REFINEMENT_DECIBANS 2.0

/* to (0, 1) */
static double
squeeze(double odds)
{
	double u = (odds - MIDDLE) / STEP;

	return 0.5 * (1 - u / portable_sqrt(1 + u * u));
}

double
fingerprint_odds_to_distance(FingerprintStage stage, double odds)
{
	double squeezed = squeeze(odds);

	switch (stage)
	{
		case FINGERPRINT_STAGE_WHOLE:
			return WHOLE * squeezed;
		case FINGERPRINT_STAGE_ALIGNMENT:
			return REFINEMENT + (ALIGNMENT - REFINEMENT) * squeezed;
		case FINGERPRINT_STAGE_REFINEMENT:
			return WHOLE + (REFINEMENT - WHOLE) * squeezed;
		default:
			return ALIGNMENT + (1 - ALIGNMENT) * squeezed;
	}
}

/* where a distance lies between two, from 0 at the farther one to 1 */
static double
nearness(double distance, double nearest, double farthest)
{
	return (farthest - distance) / (farthest - nearest);
}

double
fingerprint_distance_to_odds(double distance, FingerprintStage *stage)
{
	double squeezed;
	double spread;

	if (distance < WHOLE)
	{
		*stage = FINGERPRINT_STAGE_WHOLE;
		squeezed = distance / WHOLE;
	}
	else if (distance < REFINEMENT)
	{
		*stage = FINGERPRINT_STAGE_REFINEMENT;
		squeezed = 1 - nearness(distance, WHOLE, REFINEMENT);
	}
	else if (distance < ALIGNMENT)
	{
		*stage = FINGERPRINT_STAGE_ALIGNMENT;
		squeezed = 1 - nearness(distance, REFINEMENT, ALIGNMENT);
	}
	else
	{
		*stage = FINGERPRINT_STAGE_CANDIDATES;
		squeezed = 1 - nearness(distance, ALIGNMENT, 1);
	}
	spread = 4 * squeezed * (1 - squeezed);
	return MIDDLE + STEP * (1 - 2 * squeezed) / portable_sqrt(spread);
}

/* decibans of a whole comparison's log-odds */
static double
calibrated(double odds)
{
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

double
fingerprint_score(double distance)
{
	FingerprintStage stage;
	double           score;

	if (!(distance < 1))
		return calibration[0].decibans;
	if (!(distance > 0))
		return calibration[KNOTS - 1].decibans;
	if (distance >= ALIGNMENT)
		return CANDIDATES_DECIBANS * nearness(distance, ALIGNMENT, 1);
	if (distance >= REFINEMENT)
		return CANDIDATES_DECIBANS + (ALIGNMENT_DECIBANS - CANDIDATES_DECIBANS) *
										 nearness(distance, REFINEMENT, ALIGNMENT);
	if (distance >= WHOLE)
		return ALIGNMENT_DECIBANS +
			   (REFINEMENT_DECIBANS - ALIGNMENT_DECIBANS) * nearness(distance, WHOLE, REFINEMENT);
	score = calibrated(fingerprint_distance_to_odds(distance, &stage));
	return score > REFINEMENT_DECIBANS ? score : REFINEMENT_DECIBANS;
}

double
fingerprint_score_limit(void)
{
	return LAST_MEASURED;
}
