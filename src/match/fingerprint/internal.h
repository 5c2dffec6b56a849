/*
 * internal.h
 *		Layout of a finger's features, shared by extraction and comparison.
 *
 * All numbers of more than one byte are in the machine's byte order, and
 * nothing is aligned.  With n minutiae, ordered by x, without copies:
 *
 *	uint8		finger position
 *	uint8		n
 *	uint8		mean quality of the minutiae whose quality is reported, else 0
 *	uint8		zero
 *	int16		x[n], y[n]: 1/4 pixels at 500 dpi, y upwards, from the middle of
 *				the minutiae's bounding box
 *	uint8		angle[n]: 1/256 turns
 *	uint8		kind[n]: weight in the low nibble, MinutiaType above
 *	uint8		descriptor[16][n]: two dimensions a byte, the even one in the low
 *				nibble, each plus 8
 */
#ifndef FINGERPRINT_INTERNAL_H
#define FINGERPRINT_INTERNAL_H

#include "match/cpu.h"
#include "match/fingerprint/fingerprint.h"

#include <string.h>

/*
 * Loops that the compiler vectorises: each is compiled twice, for any x86-64 and
 * for one with AVX2.  Only the number of lanes differs: every lane does the same
 * operations in the same order, none is fused, so the results are the same to
 * the bit.  test_kernels.c compares them.
 */
#define WIDER(type, name, parameters, arguments) \
	CPU_VERSIONS(CPU_AVX2, "avx2", type, name, parameters, arguments)

#define FINGERPRINT_HEADER_SIZE  4
#define FINGERPRINT_DIMENSIONS   32
#define FINGERPRINT_MINUTIA_SIZE (2 + 2 + 1 + 1 + FINGERPRINT_DIMENSIONS / 2)
#define FINGERPRINT_UNIT         4 /* position units a pixel */

/*
 * How far a minutia can be relied on: its quality over the mean of the
 * template's, within limits; 1 where no quality is reported.
 */
#define FINGERPRINT_WEIGHT_ONE 8
#define FINGERPRINT_WEIGHT_MIN 3
#define FINGERPRINT_WEIGHT_MAX 11

/*
 * The cylinder: cells of a square grid around the minutia whose centre is
 * within FINGERPRINT_GRID_RADIUS2 (squared cells), times sectors of direction.
 */
#define FINGERPRINT_GRID             9
#define FINGERPRINT_GRID_RADIUS2     21
#define FINGERPRINT_CELLS            69
#define FINGERPRINT_SECTORS          6
#define FINGERPRINT_CELL_SIZE        24 /* pixels */
#define FINGERPRINT_RAW              (FINGERPRINT_CELLS * FINGERPRINT_SECTORS)
#define FINGERPRINT_RAW_PADDED       416
#define FINGERPRINT_RAW_ONE          1024 /* fixed point of cylinder roots */
#define FINGERPRINT_PROJECTION_SHIFT 18

extern const int16_t fingerprint_projection[FINGERPRINT_DIMENSIONS][FINGERPRINT_RAW_PADDED];
extern const int32_t fingerprint_projection_bias[FINGERPRINT_DIMENSIONS];
extern const int16_t fingerprint_projection_norm[FINGERPRINT_DIMENSIONS]; /* 1/256 */

/* words: codebook.c */
#define FINGERPRINT_CODEBOOK_DIMENSIONS 20
#define FINGERPRINT_CODEWORDS           256

extern const int8_t fingerprint_codebook[2][FINGERPRINT_CODEBOOK_DIMENSIONS][FINGERPRINT_CODEWORDS];
extern const int8_t fingerprint_codeword_frequency[2][FINGERPRINT_CODEWORDS];

/* cosine of k/256 turns, 1/16384; the sine is the cosine a quarter back */
extern const int16_t fingerprint_cosine[256];

static inline int
fingerprint_sine(int angle)
{
	return fingerprint_cosine[(angle - 64) & 255];
}

/* ---- parts of valid features --------------------------------------------- */

static inline int
fingerprint_minutia_count(const void *features)
{
	return ((const uint8_t *) features)[1];
}

/* 1/4 pixels, from the middle */
static inline int
fingerprint_minutia_x(const void *features, int minutia)
{
	const uint8_t *bytes = features;
	int16_t        x;

	memcpy(&x, bytes + FINGERPRINT_HEADER_SIZE + 2 * minutia, sizeof(x));
	return x;
}

static inline int
fingerprint_minutia_y(const void *features, int minutia)
{
	const uint8_t *bytes = features;
	int16_t        y;

	memcpy(&y, bytes + FINGERPRINT_HEADER_SIZE + 2 * (bytes[1] + minutia), sizeof(y));
	return y;
}

/* 1/256 turns */
static inline int
fingerprint_minutia_angle(const void *features, int minutia)
{
	const uint8_t *bytes = features;

	return bytes[FINGERPRINT_HEADER_SIZE + 4 * bytes[1] + minutia];
}

static inline int
fingerprint_minutia_weight(const void *features, int minutia)
{
	const uint8_t *bytes = features;

	return bytes[FINGERPRINT_HEADER_SIZE + 5 * bytes[1] + minutia] & 15;
}

/* one dimension of a minutia's descriptor, -8..7 */
static inline int
fingerprint_level(const void *features, int minutia, int dimension)
{
	const uint8_t *bytes = features;
	int            byte = bytes[FINGERPRINT_HEADER_SIZE + (6 + dimension / 2) * bytes[1] + minutia];

	return (dimension % 2 == 0 ? byte & 15 : byte >> 4) - 8;
}

/* mean quality of the minutiae whose quality is reported, 1..100; 0 where none is */
static inline int
fingerprint_mean_quality(const void *features)
{
	return ((const uint8_t *) features)[2];
}

/* what a comparison finds, before it is weighed into one number */
typedef enum FingerprintEvidence
{
	EVIDENCE_SUM,       /* of the best alignment's pairs */
	EVIDENCE_PAIRS,     /* their number */
	EVIDENCE_SQUARES,   /* their squared distances, pixels */
	EVIDENCE_OVERLAP_A, /* minutiae that lie within the other finger */
	EVIDENCE_OVERLAP_B,
	EVIDENCE_MINUTIAE_A,
	EVIDENCE_MINUTIAE_B,
	EVIDENCE_QUALITY_A, /* mean, 0 is not reported */
	EVIDENCE_QUALITY_B,
	EVIDENCE_SUPPORT,        /* candidates' support of each other */
	EVIDENCE_LIKELIEST,      /* descriptor likelihoods of the best candidates */
	EVIDENCE_AGREEMENT,      /* pairs' compatibility with each other */
	EVIDENCE_NEAR_AGREEMENT, /* the same, near pairs count more */
	EVIDENCE_NEAR_WEIGHT,
	EVIDENCE_TRUSTED,    /* pairs, weighted */
	EVIDENCE_TYPES,      /* pairs of the same type, less those of different ones */
	EVIDENCE_LIKELIHOOD, /* descriptor likelihoods of the pairs */
	EVIDENCE_LIKELY,     /* the same, of those above 0 */
	EVIDENCE_TURNS,      /* 1 - cosine between the pairs' directions */
	EVIDENCE_BENDING,    /* pairs' squared distances without bending */
	EVIDENCE_SHARES,     /* the pairs' squared shares of the sum */
	EVIDENCE_SPREAD_A,   /* the pairs' squared distances from their middle */
	EVIDENCE_SPREAD_B,
	EVIDENCE_UNPAIRED,       /* minutiae in the overlap without a partner, trust squared */
	EVIDENCE_CLUSTER,        /* the best neighbourhood's pairs over what it could have paired */
	EVIDENCE_FEW_SUPPORT,    /* the first stage's few candidates' support */
	EVIDENCE_FEW_LIKELIHOOD, /* and mean likelihood */
	EVIDENCE_EARLY_SUM,      /* of the best alignment before it is refined */
	EVIDENCE_EARLY_PAIRS,
	EVIDENCE_EARLY_OVERLAP,
	EVIDENCE_EARLY_SQUARES,
	FINGERPRINT_EVIDENCE
} FingerprintEvidence;

/* where the descriptors begin */
static inline const uint8_t *
fingerprint_descriptors(const void *features, int count)
{
	return (const uint8_t *) features + FINGERPRINT_HEADER_SIZE +
		   (FINGERPRINT_MINUTIA_SIZE - FINGERPRINT_DIMENSIONS / 2) * count;
}

/* the whole comparison of a pair, and what the stages see, whether it would pass them or not */
extern void fingerprint_evidence(FingerprintProbe *probe, const void *features, size_t size,
								 double evidence[FINGERPRINT_EVIDENCE]);

/* the stages of a comparison, by which of them a pair was settled */
typedef enum FingerprintStage
{
	FINGERPRINT_STAGE_CANDIDATES,
	FINGERPRINT_STAGE_ALIGNMENT,
	FINGERPRINT_STAGE_WHOLE
} FingerprintStage;

/* Takes a pair through the stages; odds are those of the stage that settled it */
extern FingerprintStage fingerprint_stage(FingerprintProbe *probe, const void *features,
										  size_t size, double *odds);

/*
 * Stage and log-odds to a distance in (0, 1) and back, both decreasing in the
 * odds.  Each stage has a band of distances, farther than those of the next.
 */
extern double fingerprint_odds_to_distance(FingerprintStage stage, double odds);
extern double fingerprint_distance_to_odds(double distance, FingerprintStage *stage);

/*
 * What is weighed: numbers that say the same of large and of small fingers.
 * Those of a whole comparison, and of each stage before it; weigh.c lists them.
 */
#define FINGERPRINT_QUANTITIES            29
#define FINGERPRINT_CANDIDATES_QUANTITIES 3
#define FINGERPRINT_ALIGNMENT_QUANTITIES  12

extern void fingerprint_quantities(const double evidence[FINGERPRINT_EVIDENCE],
								   double       quantities[FINGERPRINT_QUANTITIES]);
extern int  fingerprint_stage_quantities(FingerprintStage stage,
										 const double     evidence[FINGERPRINT_EVIDENCE],
										 double quantities[FINGERPRINT_ALIGNMENT_QUANTITIES]);

/* log-odds of a whole comparison's evidence, mated against non-mated, up to a constant */
extern double fingerprint_weigh(const double evidence[FINGERPRINT_EVIDENCE]);

/* the same of what an earlier stage has found, less what lets a pair pass it */
extern double fingerprint_weigh_stage(FingerprintStage stage,
									  const double     evidence[FINGERPRINT_EVIDENCE]);

/* a sum of products and one more */
typedef struct FingerprintRule
{
	double intercept;
	double slopes[FINGERPRINT_QUANTITIES];
} FingerprintRule;

/*
 * A tree of 7 questions and 8 answers.  A child of 0 or above is a node, one
 * below is the answer of its complement, in 1/65536.
 */
#define FINGERPRINT_TREE_NODES 7
#define FINGERPRINT_TREE_ONE   65536

typedef struct FingerprintTree
{
	struct
	{
		float   limit; /* at most: the first child, else the second */
		uint8_t quantity;
		int8_t  child[2];
	} nodes[FINGERPRINT_TREE_NODES];
	int32_t answers[FINGERPRINT_TREE_NODES + 1];
} FingerprintTree;

#define FINGERPRINT_TREES 120

/* constants/weigher.c, constants/stages.c */
extern const FingerprintTree fingerprint_trees[FINGERPRINT_TREES];
extern const FingerprintRule fingerprint_linear;
extern const double          fingerprint_handicap; /* log-odds, where a quality is not reported */
extern const FingerprintRule fingerprint_stages[FINGERPRINT_STAGE_WHOLE];

/* the calibration: decibans at log-odds, both ascending; constants/calibration.c */
typedef struct FingerprintKnot
{
	double odds;
	double decibans;
} FingerprintKnot;

extern const int             fingerprint_knots;
extern const FingerprintKnot fingerprint_calibration[];
extern const double          fingerprint_last_counted; /* decibans */

#endif /* FINGERPRINT_INTERNAL_H */
