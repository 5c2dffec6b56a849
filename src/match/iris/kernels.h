/*
 * kernels.h
 *		Counting bits, the inner loop of matching, once for each processor.
 */
#ifndef IRIS_KERNELS_H
#define IRIS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "match/cpu.h"

/* Comparison of two masked codes in one relative position. */
typedef struct CodeCounts
{
	uint32_t common;    /* bits valid in both masks */
	uint32_t differing; /* those of them that differ */
} CodeCounts;

/*
 * A code as bytes: either one plane with a mask of as many bits, or two planes
 * (the two phase bits of each response) that share the mask.
 */
typedef struct CodeBytes
{
	const uint8_t *plane[2]; /* the second is NULL if there is one */
	const uint8_t *mask;
} CodeBytes;

/*
 * A kernel may read, and ignore, up to this many bytes beyond those of the
 * probe that it compares: vectors are loaded whole.  It never reads beyond
 * the other code.
 */
#define KERNEL_PADDING 64

/*
 * For each of n offsets, compare length bytes of each plane and mask with
 * those that start at the offset in the probe, which has as many planes.  No
 * pointer need be aligned.  length is below 2^24.
 */
typedef void (*CountCodesFunction)(const CodeBytes *probe, const CodeBytes *other, size_t length,
								   int n, const uint32_t *offsets, CodeCounts *counts);

/*
 * Sketches (sketch.h): the samples of a probe in all rotations, as words of 64
 * bits, rotation by rotation, so that a vector holds the same word of several.
 * Lanes beyond the rotations, up to a multiple of SAMPLE_LANES, repeat the last.
 */
#define SAMPLE_LANES     8
#define SKETCH_COLUMNS   32
#define SKETCH_BYTES     SKETCH_COLUMNS /* of code, and as many of mask */
#define SKETCH_WORDS     (SKETCH_BYTES / 8)
#define MAX_SAMPLE_LANES 128

typedef struct TurnedSamples
{
	int      rotations;
	uint64_t code[SKETCH_WORDS][MAX_SAMPLE_LANES];
	uint64_t mask[SKETCH_WORDS][MAX_SAMPLE_LANES];
} TurnedSamples;

/*
 * For each of n samples (SKETCH_BYTES of code, then as many of mask), whether
 * one of the rotations has at least an alikeness, or fewer than SKETCH_MIN_COMMON
 * common bits.  least is at most 65536.
 */
typedef void (*MatchSamplesFunction)(const TurnedSamples *probe, int n,
									 const uint8_t *const *samples, uint32_t least, bool *alike);

typedef struct Kernel
{
	CpuKernel            cpu;
	CountCodesFunction   count_codes;
	MatchSamplesFunction match_samples;
} Kernel;

/* the kernels of this build */
extern const CpuLoop iris_code_loop;

/* the fastest supported one */
static inline const Kernel *
kernel_chosen(void)
{
	return (const Kernel *) cpu_choose(&iris_code_loop);
}

/* defined where the architecture has them */
extern const Kernel kernel_avx2;
extern const Kernel kernel_avx512;
extern const Kernel kernel_neon;

#endif /* IRIS_KERNELS_H */
