/*
 * calibration.c
 *		Log-odds <-> distance -> decibans of the false match rate.
 *
 * The distance is a fixed function of the log-odds into (0, 1) that needs only
 * a square root: (0, WHOLE] for whole comparisons, and narrow bands above for
 * pairs that an earlier stage settled.
 *
 * The score is from counts: how often whole comparisons of non-mated pairs
 * reach the log-odds (constants/calibration.c, doc/matching.md).  The stages
 * stop some of these pairs early.  That is not taken into account, so the score
 * is on the safe side.
 */
#include "match/fingerprint/internal.h"
#include "match/portable_math.h"

/* the log-odds at distance 1/2, and those that are one step away from it */
#define MIDDLE 1.0
#define STEP   2.0

/* largest distances of pairs that came to each stage */
#define WHOLE     0.998
#define ALIGNMENT 0.999

/* decibans of the best pair settled in the first stage, and in the second */
#define CANDIDATES_DECIBANS 1.0
#define ALIGNMENT_DECIBANS  2.0

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
			return WHOLE + (ALIGNMENT - WHOLE) * squeezed;
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
	else if (distance < ALIGNMENT)
	{
		*stage = FINGERPRINT_STAGE_ALIGNMENT;
		squeezed = 1 - nearness(distance, WHOLE, ALIGNMENT);
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
	const FingerprintKnot *knots = fingerprint_calibration;

	if (odds <= knots[0].odds)
		return knots[0].decibans;
	for (int k = 1; k < fingerprint_knots; k++)
	{
		double from = knots[k - 1].odds;
		double to = knots[k].odds;

		if (odds < to)
			return knots[k - 1].decibans +
				   (knots[k].decibans - knots[k - 1].decibans) * ((odds - from) / (to - from));
	}
	return knots[fingerprint_knots - 1].decibans;
}

double
fingerprint_score(double distance)
{
	FingerprintStage stage;
	double           score;

	if (!(distance < 1))
		return 0;
	if (!(distance > 0))
		return fingerprint_calibration[fingerprint_knots - 1].decibans;
	if (distance >= ALIGNMENT)
		return CANDIDATES_DECIBANS * nearness(distance, ALIGNMENT, 1);
	if (distance >= WHOLE)
		return CANDIDATES_DECIBANS +
			   (ALIGNMENT_DECIBANS - CANDIDATES_DECIBANS) * nearness(distance, WHOLE, ALIGNMENT);
	score = calibrated(fingerprint_distance_to_odds(distance, &stage));
	return score > ALIGNMENT_DECIBANS ? score : ALIGNMENT_DECIBANS;
}

double
fingerprint_score_limit(void)
{
	return fingerprint_last_counted;
}
