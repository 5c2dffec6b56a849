/*
 * kernels_avx512.c
 *		The kernel for x86-64 with AVX-512 and its vector popcount
 *		(VPOPCNTDQ: Ice Lake, Zen 4 and later).
 */
#include "match/iris/kernels.h"

#ifdef CPU_X86_64

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vpopcntdq")))

/* the bytes that the mask "rest" names, or a whole vector */
#define LOAD(bytes) (whole ? _mm512_loadu_si512(bytes) : _mm512_maskz_loadu_epi8(rest, bytes))

#define COUNT_VECTOR()                                                                           \
	do                                                                                           \
	{                                                                                            \
		__m512i valid =                                                                          \
			_mm512_and_si512(LOAD(probe->mask + offsets[k] + i), LOAD(other->mask + i));         \
                                                                                                 \
		common = _mm512_add_epi64(common, _mm512_popcnt_epi64(valid));                           \
		for (int p = 0; p < planes; p++)                                                         \
		{                                                                                        \
			__m512i differs = _mm512_xor_si512(LOAD(probe->plane[p] + offsets[k] + i),           \
											   LOAD(other->plane[p] + i));                       \
                                                                                                 \
			differing = _mm512_add_epi64(differing,                                              \
										 _mm512_popcnt_epi64(_mm512_and_si512(differs, valid))); \
		}                                                                                        \
	} while (0)

AVX512 __attribute__((always_inline)) static inline void
count_planes(const CodeBytes *probe, const CodeBytes *other, const int planes, size_t length, int n,
			 const uint32_t *offsets, CodeCounts *counts)
{
	size_t    vectors = length & ~(size_t) 63;
	__mmask64 rest = (((__mmask64) 1) << (length - vectors)) - 1;

	for (int k = 0; k < n; k++)
	{
		__m512i common = _mm512_setzero_si512();
		__m512i differing = _mm512_setzero_si512();
		size_t  i = 0;
		bool    whole = true;

		for (; i < vectors; i += 64)
			COUNT_VECTOR();
		whole = false;
		if (rest != 0)
			COUNT_VECTOR();
		counts[k].common = (uint32_t) _mm512_reduce_add_epi64(common) * (uint32_t) planes;
		counts[k].differing = (uint32_t) _mm512_reduce_add_epi64(differing);
	}
}

AVX512 static void
count_codes_avx512(const CodeBytes *probe, const CodeBytes *other, size_t length, int n,
				   const uint32_t *offsets, CodeCounts *counts)
{
	if (other->plane[1] != NULL)
		count_planes(probe, other, 2, length, n, offsets, counts);
	else
		count_planes(probe, other, 1, length, n, offsets, counts);
}

const Kernel kernel_avx512 = {{"avx512_vpopcntdq", CPU_AVX512_POPCNT}, count_codes_avx512};

#endif /* CPU_X86_64 */
