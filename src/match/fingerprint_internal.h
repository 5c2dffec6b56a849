/*
 * fingerprint_internal.h
 *		Layout of a finger's features, shared by extraction and comparison.
 *
 * All numbers of more than one byte are in the machine's byte order, and
 * nothing is aligned.  With n minutiae, ordered by x:
 *
 *	uint8		finger position
 *	uint8		n
 *	uint16		zero
 *	int16		x[n], y[n]: 1/4 pixels at 500 dpi, y upwards, from the middle of
 *				the minutiae's bounding box
 *	uint8		angle[n]: 1/256 turns
 *	uint8		kind[n]: weight in the low nibble, MinutiaType above
 *	uint8		descriptor[20][n]: two dimensions a byte, the even one in the low
 *				nibble, each plus 8
 */
#ifndef FINGERPRINT_INTERNAL_H
#define FINGERPRINT_INTERNAL_H

#include "match/fingerprint.h"

/*
 * Loops that the compiler vectorises.  Each is compiled twice, for any x86-64
 * and for one with AVX2, and the loader takes what the processor has.  Only the
 * number of lanes differs: every lane does the same operations in the same
 * order, none is fused, so the results are the same to the bit.  test_fingerprint.c
 * and the suite fingerprint_match hold both to the same distances.
 *
 * The sanitizers cannot run the loader's choice: they test the plain loops.
 */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
	!defined(__SANITIZE_ADDRESS__)
#define WIDER_ON_REQUEST __attribute__((target_clones("default", "avx2")))
#else
#define WIDER_ON_REQUEST
#endif

#define FINGERPRINT_HEADER_SIZE  4
#define FINGERPRINT_DIMENSIONS   40
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

/* cosine of k/256 turns, 1/16384; the sine is the cosine a quarter back */
extern const int16_t fingerprint_cosine[256];

static inline int
fingerprint_sine(int angle)
{
	return fingerprint_cosine[(angle - 64) & 255];
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
	EVIDENCE_SUPPORT,        /* candidates' support of each other */
	EVIDENCE_LIKELIEST,      /* descriptor likelihoods of the best candidates */
	EVIDENCE_AGREEMENT,      /* pairs' compatibility with each other */
	EVIDENCE_NEAR_AGREEMENT, /* the same, near pairs count more */
	EVIDENCE_NEAR_WEIGHT,
	EVIDENCE_TRUSTED, /* pairs, weighted */
	EVIDENCE_TYPES,   /* pairs of the same type, less those of different ones */
	FINGERPRINT_EVIDENCE
} FingerprintEvidence;

extern void fingerprint_evidence(FingerprintProbe *probe, const void *features, size_t size,
								 double evidence[FINGERPRINT_EVIDENCE]);

/* log-odds to a distance in (0, 1) and back, both decreasing */
extern double fingerprint_odds_to_distance(double odds);
extern double fingerprint_distance_to_odds(double distance);

#endif /* FINGERPRINT_INTERNAL_H */
