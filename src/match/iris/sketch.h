/*
 * sketch.h
 *		The sketch of an iris code, and the cap that it puts on scores.
 *
 * A sketch is a sample of a code's bits and of their mask: 8 bits in each of 32
 * columns that lie evenly around the eye.  The 8 are both phase bits of 4
 * responses (bits 2p and 2p + 1 of the column) that lie evenly in it: of 128 x
 * 16 every fourth column, and every second ring.  A code of less than 32
 * columns, or 8 bits in a column, has no sample: its sketch is the header.
 *
 * Sketch and full code of another eye are compared in all rotations in which
 * the whole codes are, so none is lost.  A rotation with n common bits, of which
 * d differ, has the alikeness (n - 2 d)^2 / n in units of 1/256, rounded down; 0
 * if more than half of the bits differ.  With fewer than SKETCH_MIN_COMMON
 * common bits it says nothing, and stands for any alikeness.  The alikeness of
 * sketch and code is the largest over the rotations.
 *
 * The distance of two codes is never less than the cap of either's sketch
 * against the other code: caps.h has an alikeness and a distance in each line,
 * and a pair less alike is not nearer.  Both sketches take part, so the distance
 * is symmetric, and a search knows from one of them what is out of reach.
 */
#ifndef MATCH_IRIS_SKETCH_H
#define MATCH_IRIS_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "match/iris/features.h"
#include "match/iris/kernels.h"

/*
 * A sketch: this header, then SKETCH_BYTES of code and as many of mask, or
 * nothing.  Bits of the code that are not usable are 0.  It may start at any
 * address.
 */
typedef struct SketchHeader
{
	uint32_t columns : 16;
	uint32_t bits : 12;
	uint32_t eye : 4;
} SketchHeader;

#define SKETCH_MIN_COMMON 64
#define SKETCH_ANY        UINT32_MAX

/* whether codes of this geometry have a sample */
static inline bool
has_sample(int columns, int bits)
{
	return columns >= SKETCH_COLUMNS && bits >= 8;
}

/* the alikeness of a rotation */
static inline uint32_t
sketch_alikeness(const CodeCounts *counts)
{
	int32_t excess = (int32_t) counts->common - 2 * (int32_t) counts->differing;

	if (counts->common < SKETCH_MIN_COMMON)
		return SKETCH_ANY;
	return excess <= 0 ? 0 : (uint32_t) (256 * excess * excess) / counts->common;
}

/* the bits of a plane, or of a mask, that are in the sample of its code: as many bytes */
extern void sample_pattern(const FeaturesHeader *header, int planes, uint8_t *pattern);

/* the samples of a code in so many rotations, the first of them turned by "first" columns */
extern void turn_sample(const FeaturesHeader *header, const CodeBytes *code, int first,
						int rotations, TurnedSamples *turned);

/* the least distance of a pair that is so alike */
extern double sketch_cap(uint32_t alikeness);

/* no pair less alike is within a distance; 0 if any may be */
extern uint32_t sketch_least(double limit);

/* the largest distance that is a cap */
extern double sketch_largest_cap(void);

#endif /* MATCH_IRIS_SKETCH_H */
