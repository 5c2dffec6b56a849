/*
 * kernels.h
 *		Counting bits, the inner loop of matching, once for each processor.
 *
 * Every kernel computes the same integers; which one runs is chosen at run
 * time, so one build serves every machine of an architecture.
 */
#ifndef MATCH_KERNELS_H
#define MATCH_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
	const char *name;
	bool (*supported)(void); /* by this processor and its operating system */
	CountCodesFunction count_codes;
} Kernel;

/* the kernels of this build, the slowest first; "scalar" always */
extern const Kernel *const *kernel_list(int *n);

/* the fastest supported one */
extern const Kernel *kernel_chosen(void);

/* defined where the architecture has them */
extern const Kernel kernel_avx2;
extern const Kernel kernel_avx512;
extern const Kernel kernel_neon;

#if defined(__x86_64__) && defined(__GNUC__)
#define KERNELS_X86_64
#elif defined(__aarch64__) && defined(__GNUC__)
#define KERNELS_ARM64
#endif

#endif /* MATCH_KERNELS_H */
