/*
 * likelihood.h
 *		How likely each minutia of a probe and each of another finger are the
 *		same, by their descriptors.  A search does this first, with every entry
 *		of a gallery, so it uses the processor's vectors.
 */
#ifndef FINGERPRINT_LIKELIHOOD_H
#define FINGERPRINT_LIKELIHOOD_H

#include "match/cpu.h"
#include "match/fingerprint/internal.h"

/* the kernels of this build for all that follows */
extern const CpuLoop fingerprint_likelihood_loop;

/* columns of a row of likelihoods: a multiple of every kernel's vector */
#define LIKELIHOOD_VECTOR 32
#define LIKELIHOOD_STRIDE (FINGERPRINT_MAX_MINUTIAE + 1)

/* the tables of one probe minutia: for each dimension, 1/2 of four times the log-likelihood ratio by the other's level */
typedef int8_t LikelihoodTables[FINGERPRINT_DIMENSIONS][16];

/* fills the tables of each of count minutiae from rows of nibbles as features have them */
extern void fingerprint_likelihood_tables(const uint8_t *descriptor, int count,
										  LikelihoodTables *tables);

/*
 * Sums up for each of rows tables and each of columns minutiae, whose
 * descriptors are as in features.  result[i][j] for j from columns up to the next
 * multiple of LIKELIHOOD_VECTOR is -128; no result is written if it is NULL.
 * best[i] is the largest of row i, most[j] the largest of column j.
 * Sums stay within -128..127, in the order of the dimensions.
 */
extern void fingerprint_likelihoods(const LikelihoodTables *tables, int rows,
									const uint8_t *descriptor, int               columns,
									int8_t (*result)[LIKELIHOOD_STRIDE], int8_t *best,
									int8_t most[LIKELIHOOD_STRIDE]);

/*
 * The lowest threshold from low, which is above -128, to high that at most limit
 * of the likelihoods in the rows listed reach; high if none does.
 */
extern int fingerprint_likelihood_threshold(int8_t (*likelihoods)[LIKELIHOOD_STRIDE],
											const uint8_t *rows, int nrows, int columns, int limit,
											int low, int high);

/*
 * Lists the pairs in the rows listed whose likelihood reaches a threshold, row
 * << 8 | column, and returns how many they are.
 */
extern int fingerprint_list_likely(int8_t (*likelihoods)[LIKELIHOOD_STRIDE], const uint8_t *rows,
								   int nrows, int columns, int threshold, uint16_t *pairs);

/* places and directions of minutiae, coarse: 4 pixels and 1/256 turns; up to the next vector anything */
typedef struct CoarseMinutiae
{
	uint8_t x[LIKELIHOOD_STRIDE];
	uint8_t y[LIKELIHOOD_STRIDE];
	uint8_t angle[LIKELIHOOD_STRIDE];
} CoarseMinutiae;

/*
 * Lists the pairs of minutiae that differ by at most reach in both coordinates,
 * and at most turn in direction, a's << 8 | b's, and returns how many they are.
 * Those of each minutia are in the other's order.
 */
extern int fingerprint_list_near(const CoarseMinutiae *a, int rows, const CoarseMinutiae *b,
								 int columns, int reach, int turn, uint16_t *pairs);

/* the same without vectors, for the test */
extern int fingerprint_list_near_plain(const CoarseMinutiae *a, int rows, const CoarseMinutiae *b,
									   int columns, int reach, int turn, uint16_t *pairs);

/* the same without vectors, for the test */
extern void fingerprint_likelihoods_plain(const LikelihoodTables *tables, int rows,
										  const uint8_t *descriptor, int               columns,
										  int8_t (*result)[LIKELIHOOD_STRIDE], int8_t *best,
										  int8_t most[LIKELIHOOD_STRIDE]);

#endif
