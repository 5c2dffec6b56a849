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

#define AVX512_INLINE \
	__attribute__((target("avx512f,avx512bw,avx512vpopcntdq"), always_inline)) static inline

/* offsets compared at a time */
#define OFFSETS 8

/* the pairs of 64-bit lanes of two vectors summed, a's and b's in turn */
AVX512_INLINE __m512i
sum_pairs(__m512i a, __m512i b)
{
	return _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}

/* the pairs of 128-bit lanes of two vectors summed, a's in the lower half */
AVX512_INLINE __m512i
sum_quarters(__m512i a, __m512i b)
{
	return _mm512_add_epi64(_mm512_shuffle_i64x2(a, b, 0x88), _mm512_shuffle_i64x2(a, b, 0xDD));
}

/* what the lanes of each of 8 vectors sum up to */
AVX512_INLINE __m512i
sum_lanes(const __m512i *v)
{
	return sum_quarters(sum_quarters(sum_pairs(v[0], v[1]), sum_pairs(v[2], v[3])),
						sum_quarters(sum_pairs(v[4], v[5]), sum_pairs(v[6], v[7])));
}

/*
 * Up to OFFSETS offsets at a time: each vector of the other code is loaded once.
 * n and planes are constants where this is inlined.
 */
AVX512_INLINE void
count_offsets(const CodeBytes *probe, const CodeBytes *other, const int planes, size_t length,
			  const int n, const uint32_t *offsets, CodeCounts *counts)
{
	__m512i  common[OFFSETS], differing[OFFSETS];
	uint64_t sums[OFFSETS];

	for (int k = 0; k < OFFSETS; k++)
		common[k] = differing[k] = _mm512_setzero_si512();
	for (size_t i = 0; i < length; i += 64)
	{
		/* bytes beyond the other code are 0, and so are what they count */
		__mmask64 here = length - i < 64 ? (((__mmask64) 1) << (length - i)) - 1 : ~(__mmask64) 0;
		__m512i   mask = _mm512_maskz_loadu_epi8(here, other->mask + i);
		__m512i   plane[2];

		for (int p = 0; p < planes; p++)
			plane[p] = _mm512_maskz_loadu_epi8(here, other->plane[p] + i);
		for (int k = 0; k < n; k++)
		{
			__m512i valid =
				_mm512_and_si512(_mm512_loadu_si512(probe->mask + offsets[k] + i), mask);

			common[k] = _mm512_add_epi64(common[k], _mm512_popcnt_epi64(valid));
			for (int p = 0; p < planes; p++)
			{
				/* valid & (one ^ other) */
				__m512i differs = _mm512_ternarylogic_epi64(
					valid, _mm512_loadu_si512(probe->plane[p] + offsets[k] + i), plane[p], 0x60);

				differing[k] = _mm512_add_epi64(differing[k], _mm512_popcnt_epi64(differs));
			}
		}
	}
	/* both numbers of an offset in one */
	for (int k = 0; k < n; k++)
		common[k] = _mm512_add_epi64(_mm512_slli_epi64(common[k], 32), differing[k]);
	if (n == OFFSETS)
		_mm512_storeu_si512(sums, sum_lanes(common));
	else
		for (int k = 0; k < n; k++)
			sums[k] = (uint64_t) _mm512_reduce_add_epi64(common[k]);
	for (int k = 0; k < n; k++)
	{
		counts[k].common = (uint32_t) (sums[k] >> 32) * (uint32_t) planes;
		counts[k].differing = (uint32_t) sums[k];
	}
}

AVX512_INLINE void
count_planes(const CodeBytes *probe, const CodeBytes *other, const int planes, size_t length, int n,
			 const uint32_t *offsets, CodeCounts *counts)
{
	int k = 0;

	for (; k + OFFSETS <= n; k += OFFSETS)
		count_offsets(probe, other, planes, length, OFFSETS, offsets + k, counts + k);
	for (; k < n; k++)
		count_offsets(probe, other, planes, length, 1, offsets + k, counts + k);
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
		for (int k = 0; k < probe->rotations; k += 8)
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
