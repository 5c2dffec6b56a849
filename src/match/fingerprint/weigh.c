/*
 * weigh.c
 *		What a comparison has found, weighed into one number.
 *
 * The weigher is the mean of two: a linear rule (logistic regression), which
 * extrapolates beyond the training pairs, and boosted regression trees, which
 * take account of combinations of quantities.  Both are trained (test/train;
 * doc/matching.md says on what).
 *
 * Deterministic: trees compare, and add integers; the linear rule adds products
 * in an order fixed by the source.
 */
#include "match/fingerprint/internal.h"
#include "match/fingerprint/parameters.h"
#include "match/portable_math.h"

static double
root(double x)
{
	return x > 0 ? portable_sqrt(x) : 0;
}

static double
smaller(double a, double b)
{
	return a < b ? a : b;
}

static double
larger(double a, double b)
{
	return a < b ? b : a;
}

/* a mean quality within what extractors report; 0 for none */
static double
known_quality(double quality)
{
	return quality > 0 ? smaller(larger(quality, LEAST_QUALITY), MOST_QUALITY) : 0;
}

/* quantities of the stage before any alignment: the few likeliest candidates' */
static int
weigh_candidates(const double *evidence, double *quantities)
{
	int n = 0;

	quantities[n++] = root(evidence[EVIDENCE_FEW_SUPPORT]);
	quantities[n++] = evidence[EVIDENCE_FEW_LIKELIHOOD] / 100;

	/* with more minutiae, better candidates are found by chance, up to a number */
	quantities[n++] = smaller(smaller(evidence[EVIDENCE_MINUTIAE_A], evidence[EVIDENCE_MINUTIAE_B]),
							  MINUTIAE_THAT_COUNT);
	return n;
}

int
fingerprint_stage_quantities(FingerprintStage stage, const double evidence[FINGERPRINT_EVIDENCE],
							 double quantities[FINGERPRINT_ALIGNMENT_QUANTITIES])
{
	int    n = weigh_candidates(evidence, quantities);
	double support = evidence[EVIDENCE_SUPPORT];
	double sum = evidence[EVIDENCE_EARLY_SUM];
	double pairs = evidence[EVIDENCE_EARLY_PAIRS];
	double overlap = evidence[EVIDENCE_EARLY_OVERLAP];

	if (stage == FINGERPRINT_STAGE_CANDIDATES)
		return n;
	quantities[n++] = root(support);
	quantities[n++] = portable_log(1 + support);
	quantities[n++] = evidence[EVIDENCE_LIKELIEST] / 48;
	quantities[n++] = root(sum);
	quantities[n++] = sum / (overlap + 8);
	quantities[n++] = pairs / (overlap + 4);
	quantities[n++] = pairs * pairs / ((overlap + 6) * (overlap + 6));
	quantities[n++] = root(evidence[EVIDENCE_EARLY_SQUARES] / larger(pairs, 1));
	quantities[n++] = portable_log(1 + overlap);
	return n;
}

void
fingerprint_quantities(const double evidence[FINGERPRINT_EVIDENCE],
					   double       quantities[FINGERPRINT_QUANTITIES])
{
	double sum = evidence[EVIDENCE_SUM];
	double trusted = evidence[EVIDENCE_TRUSTED];
	double pairs = larger(evidence[EVIDENCE_PAIRS], 1);
	double overlap_a = evidence[EVIDENCE_OVERLAP_A];
	double overlap_b = evidence[EVIDENCE_OVERLAP_B];
	double near = evidence[EVIDENCE_NEAR_AGREEMENT];
	double minutiae_a = evidence[EVIDENCE_MINUTIAE_A];
	double minutiae_b = evidence[EVIDENCE_MINUTIAE_B];
	double quality_a = known_quality(evidence[EVIDENCE_QUALITY_A]);
	double quality_b = known_quality(evidence[EVIDENCE_QUALITY_B]);
	double spread_a = evidence[EVIDENCE_SPREAD_A];
	double spread_b = evidence[EVIDENCE_SPREAD_B];

	/* pairs may lie a little outside of what overlaps */
	double overlap = root(larger(overlap_a, trusted) * larger(overlap_b, trusted));
	int    n = 0;

	/* the pairs, and their share of what could have been paired */
	quantities[n++] = root(sum);
	quantities[n++] = trusted / (overlap + 4);
	quantities[n++] = sum / (overlap + 8);
	quantities[n++] = trusted * trusted / ((overlap_a + 6) * (overlap_b + 6));
	quantities[n++] = portable_log(pairs);
	quantities[n++] = evidence[EVIDENCE_TYPES] * root(pairs) / (pairs + 3);
	quantities[n++] = root(evidence[EVIDENCE_UNPAIRED]);
	quantities[n++] = root(evidence[EVIDENCE_CLUSTER]);
	quantities[n++] = root(evidence[EVIDENCE_SHARES]);

	/* how well they fit */
	quantities[n++] = root(evidence[EVIDENCE_SQUARES] / pairs);
	quantities[n++] = evidence[EVIDENCE_TURNS] / pairs * 50;
	quantities[n++] = root(evidence[EVIDENCE_BENDING] / pairs) / 10;
	quantities[n++] = (larger(spread_a, spread_b) - smaller(spread_a, spread_b)) /
					  (spread_a + spread_b + 400) * 10;
	quantities[n++] = evidence[EVIDENCE_AGREEMENT] / (pairs * pairs);
	quantities[n++] = near / (evidence[EVIDENCE_NEAR_WEIGHT] + 1);
	quantities[n++] = root(near);

	/* the similarity of their surroundings */
	quantities[n++] = evidence[EVIDENCE_LIKELIHOOD] / pairs / 50;
	quantities[n++] = root(evidence[EVIDENCE_LIKELY]) / 5;
	quantities[n++] = evidence[EVIDENCE_LIKELIEST] / 48;
	quantities[n++] = portable_log(1 + evidence[EVIDENCE_SUPPORT]);
	quantities[n++] = root(evidence[EVIDENCE_FEW_SUPPORT]);
	quantities[n++] = evidence[EVIDENCE_FEW_LIKELIHOOD] / 100;

	/* what the fingers are like */
	quantities[n++] = portable_log(1 + root(minutiae_a * minutiae_b));
	quantities[n++] = smaller(minutiae_a, minutiae_b) / 50;
	quantities[n++] = portable_log(1 + overlap);
	quantities[n++] = root((spread_a + spread_b) / pairs) / 100;
	quantities[n++] = smaller(quality_a, quality_b) / 50;
	quantities[n++] = larger(quality_a, quality_b) / 50;
	quantities[n++] = (quality_a > 0 ? 0 : 1) + (quality_b > 0 ? 0 : 1);
}

static double
apply_rule(const FingerprintRule *rule, const double *quantities, int n)
{
	double sum = rule->intercept;

	for (int k = 0; k < n; k++)
		sum += rule->slopes[k] * quantities[k];
	return sum;
}

static double
ask_trees(const double quantities[FINGERPRINT_QUANTITIES])
{
	int64_t sum = 0;

	for (int t = 0; t < FINGERPRINT_TREES; t++)
	{
		const FingerprintTree *tree = &fingerprint_trees[t];
		int                    at = 0;

		while (at >= 0)
			at = tree->nodes[at]
					 .child[!(quantities[tree->nodes[at].quantity] <= tree->nodes[at].limit)];
		sum += tree->answers[~at];
	}
	return (double) sum / FINGERPRINT_TREE_ONE;
}

double
fingerprint_weigh_stage(FingerprintStage stage, const double evidence[FINGERPRINT_EVIDENCE])
{
	double quantities[FINGERPRINT_ALIGNMENT_QUANTITIES];
	int    n = fingerprint_stage_quantities(stage, evidence, quantities);

	return apply_rule(&fingerprint_stages[stage], quantities, n);
}

double
fingerprint_weigh(const double evidence[FINGERPRINT_EVIDENCE])
{
	double quantities[FINGERPRINT_QUANTITIES];
	double pairs = evidence[EVIDENCE_PAIRS];
	double odds;
	double limit;

	fingerprint_quantities(evidence, quantities);
	odds = (apply_rule(&fingerprint_linear, quantities, FINGERPRINT_QUANTITIES) +
			ask_trees(quantities)) /
		   2;

	/* without qualities of minutiae, strangers score higher */
	if (evidence[EVIDENCE_QUALITY_A] == 0 || evidence[EVIDENCE_QUALITY_B] == 0)
		odds -= fingerprint_handicap;

	/* few pairs are little evidence, even if very similar */
	limit = ODDS_A_PAIR * pairs - ODDS_OF_NO_PAIR;
	if (odds > limit)
		odds = limit + EXCESS * (odds - limit);
	return odds;
}
