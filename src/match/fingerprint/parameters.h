/*
 * parameters.h
 *		Numbers of the comparison that were set by hand.
 *
 * No program fits these; each has its reason beside it.  What 20 % more or less
 * does to the error is measured by test/train/parameters and stands in
 * doc/matching.md.  Everything else that is trained stands in constants/.
 */
#ifndef FINGERPRINT_PARAMETERS_H
#define FINGERPRINT_PARAMETERS_H

/* ---- candidates: pairs of minutiae that take part in the search for an alignment */

/* in the first stage: enough to see whether any agree, few enough to be cheap */
#define FEW_CANDIDATES 16

/*
 * In the whole comparison: CANDIDATES_A_MINUTIA for each minutia of the smaller
 * finger, within limits.  The right pairs of distorted or rolled prints are not
 * among the very likeliest; their support costs the square of their number.
 */
#define MIN_CANDIDATES       64
#define MAX_CANDIDATES       128
#define CANDIDATES_A_MINUTIA 1.5

/* minutiae that let chance find better candidates in the first stage: rolled prints have many more */
#define MINUTIAE_THAT_COUNT 60

/* candidates that count as evidence by their descriptors alone */
#define LIKELIEST 12

/* higher likelihoods are rare and say no more */
#define RARE_LIKELIHOOD 160

/* ---- how well two pairs agree */

/* a length may differ by this many pixels, and by this share of the sum of both: skin stretches */
#define LENGTH_DEVIATION  4.5f
#define STRETCH_DEVIATION 0.03f

/* directions may differ by this 1 - cosine (17 degrees), and more where minutiae are near, as positions are not exact */
#define DIRECTION_TOLERANCE 0.045f
#define POSITION_TOLERANCE  4.0f /* pixels */

/* pairs that agree fully: log-likelihood ratio */
#define FULL_AGREEMENT 5.5f

/* no agreement of pairs turned by more (the cosine of 39 degrees), or of minutiae nearer than this many pixels */
#define TURN_LIMIT   0.773f
#define NEAREST_PAIR 6.0f

/* ---- alignments */

/* how many are tried: the best supported candidates that do not support each other */
#define MAX_SEEDS 3

/* a direction counts in the motion like a point on an arm of so many pixels */
#define DIRECTION_ARM 20.0

/* how far moved minutiae may lie from their partners, pixels, in each round: the bend needs a few to follow */
#define TOLERANCE_FIRST  24.0f
#define TOLERANCE_SECOND 22.0f
#define TOLERANCE_THIRD  20.0f
#define TOLERANCE_FOURTH 18.0f
#define TOLERANCE_LAST   16.0f

/* and how much turned: 1 - cosine of 30 degrees */
#define TURN_TOLERANCE 0.134f

/*
 * The bend at a minutia: residuals of pairs within about BEND_REACH pixels,
 * shrunk as if BEND_SHRINKAGE more neighbours had none
 */
#define BEND_REACH     50.0f
#define BEND_SHRINKAGE 1.2f

/* value of a pair: at no distance and turn; what the tolerance's distance takes; what a turn takes; descriptors */
#define PAIR_VALUE      5.0f
#define PAIR_DISTANCE   2.5f
#define PAIR_TURN       16.0f
#define PAIR_LIKELIHOOD 0.07f
#define LEAST_LIKELIHOOD \
	(-25) /* lower ones take no more: descriptors at an edge differ by chance */

/* ---- what an alignment shows */

/* pixels around a finger's polygon that it could still have shown */
#define POLYGON_MARGIN 5.0f

/* pairs within about so many pixels are near ones */
#define NEAR_PIXELS 80.0f

/* radius of the neighbourhood with the most pairs, pixels */
#define CLUSTER_RADIUS 70.0f

/*
 * Mean qualities beyond these are taken for them: extractors report no such
 * means for whole fingers, and a false claim in a record must not raise a score
 * further
 */
#define LEAST_QUALITY 25
#define MOST_QUALITY  75

/*
 * ---- few pairs are little evidence, even if very similar: log-odds beyond
 * this count EXCESS
 */
#define ODDS_A_PAIR     1.8
#define ODDS_OF_NO_PAIR 8.3
#define EXCESS          0.05

#endif /* FINGERPRINT_PARAMETERS_H */
