/*
 * cpu.h
 *		What the processor can do, and the choice among kernels: the ways to
 *		compute one loop.
 *
 * One build serves every processor of an architecture: which kernel runs is
 * chosen at run time.  All kernels of a loop give the same bits as the first,
 * which is plain C.
 */
#ifndef MATCH_CPU_H
#define MATCH_CPU_H

#include <stdbool.h>
#include <stddef.h>

/* What kernels ask for; the operating system has to support it too */
typedef enum CpuFeature
{
	CPU_POPCNT = 1 << 0,
	CPU_AVX2 = 1 << 1,
	CPU_AVX512_POPCNT = 1 << 2, /* AVX-512 F, BW and VPOPCNTDQ */
	CPU_NEON = 1 << 3
} CpuFeature;

/* The features of this processor, of those in the limit; set when the program starts */
extern unsigned cpu_features;

/* For tests: use only these features from now on */
extern void cpu_limit(unsigned features);

static inline bool
cpu_has(unsigned features)
{
	return (cpu_features & features) == features;
}

/* A kernel.  Structs that hold its functions begin with this one. */
typedef struct CpuKernel
{
	const char *name;  /* "avx2" */
	unsigned    needs; /* CpuFeatures, all of them */
} CpuKernel;

typedef struct CpuLoop
{
	const char             *name; /* "iris codes" */
	int                     n;
	const CpuKernel *const *kernels; /* the slowest first; the first needs nothing */
} CpuLoop;

/* The last kernel that the processor supports */
static inline const CpuKernel *
cpu_choose(const CpuLoop *loop)
{
	int i = loop->n - 1;

	while (i > 0 && !cpu_has(loop->kernels[i]->needs))
		i--;
	return loop->kernels[i];
}

#if defined(__x86_64__) && defined(__GNUC__)
#define CPU_X86_64
#define CPU_TARGET(features) __attribute__((target(features)))
#elif defined(__aarch64__) && defined(__GNUC__)
#define CPU_ARM64
#endif

#if defined(__GNUC__)
#define CPU_INLINE __attribute__((always_inline)) static inline
#else
#define CPU_INLINE static inline
#endif

/*
 * A function of plain C that the compiler makes faster for a feature, by its own
 * vectors or instructions.  name_loop is the function, CPU_INLINE; this makes
 * two copies and the function "name", which calls the one for the processor.
 * No copy may fuse or reorder operations (-ffp-contract=off), so both give the
 * same bits.
 */
#ifdef CPU_X86_64
#define CPU_VERSIONS(feature, target_name, type, name, parameters, arguments)     \
	static type name##_plain parameters                                           \
	{                                                                             \
		return name##_loop arguments;                                             \
	}                                                                             \
	CPU_TARGET(target_name) static type name##_wide parameters                    \
	{                                                                             \
		return name##_loop arguments;                                             \
	}                                                                             \
	static inline type name parameters                                            \
	{                                                                             \
		return cpu_has(feature) ? name##_wide arguments : name##_plain arguments; \
	}
#else
#define CPU_VERSIONS(feature, target_name, type, name, parameters, arguments) \
	static inline type name parameters                                        \
	{                                                                         \
		return name##_loop arguments;                                         \
	}
#endif

#endif /* MATCH_CPU_H */
