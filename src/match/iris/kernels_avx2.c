/*
 * kernels_avx2.c
 *		The kernel for x86-64 with AVX2.
 *
 * AVX2 has no popcount: the bits of each nibble are looked up (Mula, Kurz and
 * Lemire 2018, "Faster population counts using AVX2 instructions").  Adding
 * vectors bit by bit first (Harley and Seal) saves look-ups, but a code has too
 * few vectors for that to pay for the registers it takes.
 */
#include "match/iris/kernels.h"
#include "match/iris/sketch.h"

#ifdef CPU_X86_64

#include <immintrin.h>
#include <string.h>

#define AVX2        __attribute__((target("avx2")))
#define AVX2_INLINE __attribute__((target("avx2"), always_inline)) static inline

/* offsets compared at a time: the coarse pass has 5 */
#define OFFSETS 5

/* 4 results: differing bits in the low half of each, common bits in the high */
typedef __m256i Sums;

AVX2_INLINE __m256i
load(const uint8_t *bytes)
{
	return _mm256_loadu_si256((const __m256i *) bytes);
}

/* bits set in each byte */
AVX2_INLINE __m256i
count_bytes(__m256i bits, __m256i table)
{
	const __m256i nibble = _mm256_set1_epi8(0x0F);

	return _mm256_add_epi8(
		_mm256_shuffle_epi8(table, _mm256_and_si256(bits, nibble)),
		_mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(bits, 4), nibble)));
}

AVX2_INLINE __m256i
popcount_table(void)
{
	return _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3,
							1, 2, 2, 3, 2, 3, 3, 4);
}

AVX2_INLINE Sums
sum_bytes(__m256i differing, __m256i common)
{
	const __m256i zero = _mm256_setzero_si256();

	return _mm256_or_si256(_mm256_sad_epu8(differing, zero),
						   _mm256_slli_epi64(_mm256_sad_epu8(common, zero), 32));
}

AVX2_INLINE CodeCounts
total(Sums sums)
{
	__m128i    sum = _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
	uint64_t   both;
	CodeCounts counts;

	sum = _mm_add_epi64(sum, _mm_unpackhi_epi64(sum, sum));
	both = (uint64_t) _mm_cvtsi128_si64(sum);
	counts.differing = (uint32_t) both;
	counts.common = (uint32_t) (both >> 32);
	return counts;
}

/* bits that are valid in both and, added up over the planes, that differ */
#define COUNT_VECTOR(k, i, other_plane0, other_plane1, other_mask, common, differing)              \
	do                                                                                             \
	{                                                                                              \
		__m256i valid_ = _mm256_and_si256(load(probe->mask + offsets[k] + (i)), other_mask);       \
                                                                                                   \
		common = count_bytes(valid_, table);                                                       \
		differing = count_bytes(                                                                   \
			_mm256_and_si256(                                                                      \
				_mm256_xor_si256(load(probe->plane[0] + offsets[k] + (i)), other_plane0), valid_), \
			table);                                                                                \
		if (planes == 2)                                                                           \
			differing = _mm256_add_epi8(                                                           \
				differing, count_bytes(_mm256_and_si256(_mm256_xor_si256(load(probe->plane[1] +    \
																			  offsets[k] + (i)),   \
																		 other_plane1),            \
														valid_),                                   \
									   table));                                                    \
	} while (0)

/*
 * Up to OFFSETS offsets at a time: each vector of the other code is loaded
 * once and compared with all of them, whose counts stay in registers.  n and
 * planes are constants where this is inlined.
 */
AVX2_INLINE void
count_offsets(const CodeBytes *probe, const CodeBytes *other, const int planes, size_t length,
			  const int n, const uint32_t *offsets, CodeCounts *counts)
{
	const __m256i table = popcount_table();
	Sums          sums[OFFSETS];
	size_t        i = 0;

	for (int k = 0; k < n; k++)
		sums[k] = _mm256_setzero_si256();
	while (i + 32 <= length)
	{
		/* a byte's count grows by at most 16 a vector: sum up in time */
		size_t  end = length - i < 15 * 32 ? length : i + 15 * 32;
		__m256i common[OFFSETS];
		__m256i differing[OFFSETS];

		for (int k = 0; k < n; k++)
			common[k] = differing[k] = _mm256_setzero_si256();
		for (; i + 32 <= end; i += 32)
		{
			__m256i plane0 = load(other->plane[0] + i);
			__m256i plane1 = planes == 2 ? load(other->plane[1] + i) : plane0;
			__m256i mask = load(other->mask + i);

			for (int k = 0; k < n; k++)
			{
				__m256i more_common, more_differing;

				COUNT_VECTOR(k, i, plane0, plane1, mask, more_common, more_differing);
				common[k] = _mm256_add_epi8(common[k], more_common);
				differing[k] = _mm256_add_epi8(differing[k], more_differing);
			}
		}
		for (int k = 0; k < n; k++)
			sums[k] = _mm256_add_epi64(sums[k], sum_bytes(differing[k], common[k]));
	}
	if (i < length)
	{
		uint8_t last[3][32] = {{0}};

		memcpy(last[0], other->plane[0] + i, length - i);
		if (planes == 2)
			memcpy(last[1], other->plane[1] + i, length - i);
		memcpy(last[2], other->mask + i, length - i);
		for (int k = 0; k < n; k++)
		{
			__m256i common, differing;

			COUNT_VECTOR(k, i, load(last[0]), load(last[1]), load(last[2]), common, differing);
			sums[k] = _mm256_add_epi64(sums[k], sum_bytes(differing, common));
		}
	}
	for (int k = 0; k < n; k++)
	{
		counts[k] = total(sums[k]);
		counts[k].common *= (uint32_t) planes;
	}
}

AVX2_INLINE void
count_planes(const CodeBytes *probe, const CodeBytes *other, const int planes, size_t length, int n,
			 const uint32_t *offsets, CodeCounts *counts)
{
	int k = 0;

	for (; k + OFFSETS <= n; k += OFFSETS)
		count_offsets(probe, other, planes, length, OFFSETS, offsets + k, counts + k);
	for (; k + 2 <= n; k += 2)
		count_offsets(probe, other, planes, length, 2, offsets + k, counts + k);
	if (k < n)
		count_offsets(probe, other, planes, length, 1, offsets + k, counts + k);
}

AVX2 static void
count_codes_avx2(const CodeBytes *probe, const CodeBytes *other, size_t length, int n,
				 const uint32_t *offsets, CodeCounts *counts)
{
	if (other->plane[1] != NULL)
		count_planes(probe, other, 2, length, n, offsets, counts);
	else
		count_planes(probe, other, 1, length, n, offsets, counts);
}

/* 4 rotations at a time */
AVX2 static void
match_samples_avx2(const TurnedSamples *probe, int n, const uint8_t *const *samples, uint32_t least,
				   bool *alike)
{
	const __m256i table = popcount_table();
	const __m256i zero = _mm256_setzero_si256();
	const __m256i least_alike = _mm256_set1_epi64x(least);
	const __m256i least_common = _mm256_set1_epi64x(SKETCH_MIN_COMMON);

	for (int i = 0; i < n; i++)
	{
		__m256i code[SKETCH_WORDS], mask[SKETCH_WORDS];
		__m256i found = zero;

		for (int w = 0; w < SKETCH_WORDS; w++)
		{
			int64_t word;

			memcpy(&word, samples[i] + 8 * w, 8);
			code[w] = _mm256_set1_epi64x(word);
			memcpy(&word, samples[i] + SKETCH_BYTES + 8 * w, 8);
			mask[w] = _mm256_set1_epi64x(word);
		}
		for (int k = 0; k < probe->rotations; k += 4)
		{
			__m256i common = zero, differing = zero, excess, square, enough;

			for (int w = 0; w < SKETCH_WORDS; w++)
			{
				__m256i valid =
					_mm256_and_si256(mask[w], load((const uint8_t *) &probe->mask[w][k]));
				__m256i differs =
					_mm256_xor_si256(code[w], load((const uint8_t *) &probe->code[w][k]));

				common = _mm256_add_epi8(common, count_bytes(valid, table));
				differing = _mm256_add_epi8(differing,
											count_bytes(_mm256_and_si256(valid, differs), table));
			}
			common = _mm256_sad_epu8(common, zero);
			differing = _mm256_sad_epu8(differing, zero);
			excess = _mm256_sub_epi64(common, _mm256_add_epi64(differing, differing));
			square = _mm256_slli_epi64(_mm256_mul_epi32(excess, excess), 8);
			enough = _mm256_andnot_si256(
				_mm256_cmpgt_epi64(_mm256_mul_epu32(common, least_alike), square),
				_mm256_cmpgt_epi64(excess, zero));
			found = _mm256_or_si256(
				found, _mm256_or_si256(enough, _mm256_cmpgt_epi64(least_common, common)));
		}
		alike[i] = !_mm256_testz_si256(found, found);
	}
}

const Kernel kernel_avx2 = {{"avx2", CPU_AVX2}, count_codes_avx2, match_samples_avx2};

#endif /* CPU_X86_64 */
