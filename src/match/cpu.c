/*
 * cpu.c
 *		What the processor can do.  Plain C.
 */
#include "match/cpu.h"

static unsigned limit = ~0U;

static unsigned
detect(void)
{
	unsigned features = 0;

#if defined(CPU_X86_64)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("popcnt"))
		features |= CPU_POPCNT;
	if (__builtin_cpu_supports("avx2"))
		features |= CPU_AVX2;
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512vpopcntdq"))
		features |= CPU_AVX512_POPCNT;
#elif defined(CPU_ARM64)
	features |= CPU_NEON; /* every 64-bit processor has it */
#endif
	return features;
}

unsigned
cpu_features(void)
{
	static bool     detected = false;
	static unsigned features;

	if (!detected)
	{
		features = detect();
		detected = true;
	}
	return features & limit;
}

void
cpu_limit(unsigned features)
{
	limit = features;
}

const CpuKernel *
cpu_choose(const CpuLoop *loop)
{
	int i = loop->n - 1;

	while (i > 0 && !cpu_has(loop->kernels[i]->needs))
		i--;
	return loop->kernels[i];
}
