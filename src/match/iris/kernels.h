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

typedef struct Kernel
{
	CpuKernel          cpu;
	CountCodesFunction count_codes;
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
