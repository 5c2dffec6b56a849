/*
 * features.h
 *		The layout of an iris code's features, which this folder shares.
 *
 * Features are this header, then code and mask in one of two forms:
 *
 * - one plane: the code, and a mask of as many bits; columns are filled up to
 *	 whole bytes with bits that are not usable;
 * - two planes: the even bits of the code, its odd bits, and one mask for both.
 *	 Encoders take two phase bits from each filter response and mask both or
 *	 none, so this is the usual form.  It takes three quarters of the space and
 *	 time.  It is used whenever it can be: where the bits of a column fill the
 *	 bytes of both planes.
 *
 * A bit is usable if the template's mask says so and if it lies in no part that
 * carries no information (information.h).  Bits of the code that are not usable
 * are 0.
 */
#ifndef MATCH_IRIS_FEATURES_H
#define MATCH_IRIS_FEATURES_H

#include <stddef.h>
#include <stdint.h>

#include "match/iris/iris.h"
#include "match/iris/kernels.h"

typedef struct FeaturesHeader
{
	uint16_t columns;
	uint16_t bits;
	uint8_t  eye;
	uint8_t  planes; /* 1 or 2 */
	uint16_t weight; /* of FULL_WEIGHT, see information.h */
} FeaturesHeader;

/* bytes of each plane of features, and of their mask */
static inline size_t
plane_length(const FeaturesHeader *header, int planes)
{
	return (size_t) header->columns * IRIS_COLUMN_BYTES(header->bits / planes);
}

/* code and mask in features */
extern CodeBytes features_code(const FeaturesHeader *header, const void *features);

/* features of two planes as one; bytes has room for the code and the mask, to which the result points */
extern CodeBytes join_features(const FeaturesHeader *header, const CodeBytes *code, uint8_t *bytes);

#endif /* MATCH_IRIS_FEATURES_H */
