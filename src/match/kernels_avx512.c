/*
 * kernels_avx512.c
 *		The kernel for x86-64 with AVX-512 and its vector popcount
 *		(VPOPCNTDQ: Ice Lake, Zen 4 and later).
 */
#include "match/kernels.h"

#ifdef KERNELS_X86_64

#include <immintrin.h>

#define AVX512	__attribute__((target("avx512f,avx512bw,avx512vpopcntdq")))

AVX512 static void
count_codes_avx512(const uint8_t *probe_code, const uint8_t *probe_mask,
				   const uint8_t *code, const uint8_t *mask, size_t length,
				   int n, const uint32_t *offsets, CodeCounts *counts)
{
	size_t		vectors = length & ~(size_t) 63;
	__mmask64	rest = (((__mmask64) 1) << (length - vectors)) - 1;

	for (int k = 0; k < n; k++)
	{
		const uint8_t *pc = probe_code + offsets[k];
		const uint8_t *pm = probe_mask + offsets[k];
		__m512i		common = _mm512_setzero_si512();
		__m512i		differing = _mm512_setzero_si512();
		size_t		i;

		for (i = 0; i < vectors; i += 64)
		{
			__m512i		valid = _mm512_and_si512(_mm512_loadu_si512(pm + i), _mm512_loadu_si512(mask + i));
			__m512i		differs = _mm512_xor_si512(_mm512_loadu_si512(pc + i), _mm512_loadu_si512(code + i));

			common = _mm512_add_epi64(common, _mm512_popcnt_epi64(valid));
			differing = _mm512_add_epi64(differing, _mm512_popcnt_epi64(_mm512_and_si512(differs, valid)));
		}
		if (rest != 0)
		{
			__m512i		valid = _mm512_and_si512(_mm512_maskz_loadu_epi8(rest, pm + i),
												 _mm512_maskz_loadu_epi8(rest, mask + i));
			__m512i		differs = _mm512_xor_si512(_mm512_maskz_loadu_epi8(rest, pc + i),
												   _mm512_maskz_loadu_epi8(rest, code + i));

			common = _mm512_add_epi64(common, _mm512_popcnt_epi64(valid));
			differing = _mm512_add_epi64(differing, _mm512_popcnt_epi64(_mm512_and_si512(differs, valid)));
		}
		counts[k].common = (uint32_t) _mm512_reduce_add_epi64(common);
		counts[k].differing = (uint32_t) _mm512_reduce_add_epi64(differing);
	}
}

static bool
supported_avx512(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512vpopcntdq");
}

const Kernel kernel_avx512 = {"avx512_vpopcntdq", supported_avx512, count_codes_avx512};

#endif							/* KERNELS_X86_64 */
