/*
 * information.h
 *		Which bits of an iris code are evidence.
 *
 * The bits of a code are signs of filter responses, so where an iris was seen
 * they change along the angle every few columns, are 0 as often as 1, and do
 * not agree better with the same code turned by a large angle than with another
 * eye's code.  A failed capture, an eyelid that was not masked or a damaged
 * file leaves bits of another kind.  Two codes that share such a defect agree,
 * although they need not be of one eye.
 *
 * Two rules find such bits, in each template by itself.  A row is one bit of
 * every column.
 *
 * 1. Parts without information are not usable.  A window is 3/32 of a turn, at
 *	  least 8 columns, and all rows of these columns.  It is void
 *	  - if it hardly changes along the angle: the rarer value of each row makes
 *		up less than 15 % of the usable bits (rows of which less than a third of the
 *		window is usable are left out), or
 *	  - if its rings are similar: rows that lie 4 apart (other rings, the same
 *		phase) differ in less than 10 % of the bits usable in both.
 *	  A row is void if its rarer value makes up less than 15 % around the whole
 *	  eye.  All windows are looked at, so turning a code does not matter.
 *
 * 2. A code that resembles itself when it is turned has fewer independent bits
 *	  than it seems.  It is compared with itself in up to 48 rotations from an
 *	  eighth of a turn to half a turn.  Where n bits are compared and d differ,
 *	  the mean of (n - 2 d)^2 / n is how many bits are worth one independent bit:
 *	  1 for independent bits, n for a constant code.  Codes of CASIA-IrisV1 have
 *	  1 to 31, median 7.  Above 16 the template's weight falls below 1, as 16 /
 *	  bits.  If a single rotation has more than 256, which does not occur between
 *	  strangers, then the code is periodic, and only that rotation counts.  In
 *	  codes larger than 2048 bits 16 and 256 grow as N does (compare.c).
 *
 * Why the weight: the variance of n - 2 d, for two unrelated codes, grows at most
 * by the root of the product of both codes' bits per independent bit (Cauchy
 * and Schwarz).  The distance of a pair is kept as certain as that of a pair
 * with 16.
 */
#ifndef MATCH_IRIS_INFORMATION_H
#define MATCH_IRIS_INFORMATION_H

#include <stdint.h>

#define FULL_WEIGHT 65535

/*
 * Take the bits that rule 1 excludes out of a mask.  Code and mask have columns
 * of whole bytes.
 */
extern void exclude_void_parts(int columns, int column_bytes, const uint8_t *code, uint8_t *mask);

/*
 * Weight by rule 2, 0 .. FULL_WEIGHT, of a code of so many bits a column; code
 * and mask as above, bits of the code that are not usable are 0.
 */
extern uint16_t code_weight(int columns, int bits, const uint8_t *code, const uint8_t *mask);

/* N of compare.c: as many bits are compared in a usual pair of codes of this size */
extern double normal_bits(int columns, int bits);

#endif /* MATCH_IRIS_INFORMATION_H */
