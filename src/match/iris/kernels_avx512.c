/*
 * kernels_avx512.c
 *		The kernel for x86-64 with AVX-512 and its vector popcount
 *		(VPOPCNTDQ: Ice Lake, Zen 4 and later).
 */
#include "match/iris/kernels.h"
#include "match/iris/sketch.h"

#ifdef CPU_X86_64

#include <immintrin.h>
#include <string.h>

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

/* 8 rotations at a time */
AVX512 static void
match_samples_avx512(const TurnedSamples *probe, int n, const uint8_t *const *samples,
					 uint32_t least, bool *alike)
{
	const __m512i least_alike = _mm512_set1_epi64(least);
	const __m512i least_common = _mm512_set1_epi64(SKETCH_MIN_COMMON);

	for (int i = 0; i < n; i++)
	{
		__m512i  code[SKETCH_WORDS], mask[SKETCH_WORDS];
		__mmask8 found = 0;

		for (int w = 0; w < SKETCH_WORDS; w++)
		{
			int64_t word;

			memcpy(&word, samples[i] + 8 * w, 8);
			code[w] = _mm512_set1_epi64(word);
			memcpy(&word, samples[i] + SKETCH_BYTES + 8 * w, 8);
			mask[w] = _mm512_set1_epi64(word);
		}
		for (int k = 0; k < probe->lanes; k += 8)
		{
			__m512i common = _mm512_setzero_si512();
			__m512i differing = _mm512_setzero_si512();
			__m512i excess, square;

			for (int w = 0; w < SKETCH_WORDS; w++)
			{
				__m512i valid = _mm512_and_si512(mask[w], _mm512_loadu_si512(&probe->mask[w][k]));
				__m512i differs = _mm512_xor_si512(code[w], _mm512_loadu_si512(&probe->code[w][k]));

				common = _mm512_add_epi64(common, _mm512_popcnt_epi64(valid));
				differing = _mm512_add_epi64(differing,
											 _mm512_popcnt_epi64(_mm512_and_si512(valid, differs)));
			}
			excess = _mm512_sub_epi64(common, _mm512_add_epi64(differing, differing));
			/* a quotient rounded down is at least a whole number if the numerator is at least that many times the denominator */
			square = _mm512_slli_epi64(_mm512_mul_epi32(excess, excess), 8);
			found |= _mm512_cmplt_epi64_mask(common, least_common);
			found |= _mm512_mask_cmpge_epi64_mask(
				_mm512_cmpgt_epi64_mask(excess, _mm512_setzero_si512()), square,
				_mm512_mul_epu32(common, least_alike));
		}
		alike[i] = found != 0;
	}
}

const Kernel kernel_avx512 = {
	{"avx512_vpopcntdq", CPU_AVX512_POPCNT}, count_codes_avx512, match_samples_avx512};

#endif /* CPU_X86_64 */
