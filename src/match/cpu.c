/*
 * cpu.c
 *		What the processor can do.  Plain C.
 */
#include "match/cpu.h"

unsigned cpu_features;

#if defined(__GNUC__)
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

/* The loader calls it when the program starts or the module is loaded */
__attribute__((constructor)) static void
start(void)
{
	cpu_features = detect();
}

void
cpu_limit(unsigned features)
{
	cpu_features = detect() & features;
}
#else
void
cpu_limit(unsigned features)
{
	(void) features;
}
#endif
