/*
 * kernels_avx2.c
 *		The kernel for x86-64 with AVX2.
 *
 * AVX2 has no popcount.  Eight vectors are first added bit by bit with full
 * adders (Harley and Seal; Warren, Hacker's Delight, 5-1), seven of them to
 * one vector each of ones, twos and fours; the bits of those are counted by
 * looking up nibbles (Mula, Kurz and Lemire 2018).
 */
#include "match/kernels.h"

#ifdef KERNELS_X86_64

#include <immintrin.h>
#include <string.h>

#define AVX2	__attribute__((target("avx2")))
#define AVX2_INLINE	__attribute__((target("avx2"), always_inline)) static inline

/* 4 results: differing bits in the low half of each, common bits in the high */
typedef __m256i Sums;

AVX2_INLINE __m256i
load(const uint8_t *bytes)
{
	return _mm256_loadu_si256((const __m256i *) bytes);
}

/* how often each nibble's value, times weight, occurs: counts per byte */
AVX2_INLINE __m256i
count_bytes(__m256i bits, __m256i table)
{
	const __m256i nibble = _mm256_set1_epi8(0x0F);

	return _mm256_add_epi8(_mm256_shuffle_epi8(table, _mm256_and_si256(bits, nibble)),
						   _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(bits, 4), nibble)));
}

AVX2_INLINE __m256i
popcount_table(void)
{
	return _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
							0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
}

/* full adder: a + b + c = sum + 2 * carry, bit by bit */
#define ADD3(sum, carry, a, b, c) \
	do { \
		__m256i		u_ = _mm256_xor_si256(a, b); \
		__m256i		carry_ = _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(u_, c)); \
\
		sum = _mm256_xor_si256(u_, c); \
		carry = carry_; \
	} while (0)

/* bits set in eight vectors, per byte: at most 64 */
AVX2_INLINE __m256i
count_eight(const __m256i *v)
{
	const __m256i table = popcount_table();
	const __m256i table2 = _mm256_add_epi8(table, table);
	const __m256i table4 = _mm256_add_epi8(table2, table2);
	__m256i		ones,
				ones_b,
				twos_a,
				twos_b,
				twos_c,
				twos,
				fours;

	ADD3(ones, twos_a, v[0], v[1], v[2]);
	ADD3(ones_b, twos_b, v[3], v[4], v[5]);
	ADD3(ones, twos_c, ones, ones_b, v[6]);
	ADD3(twos, fours, twos_a, twos_b, twos_c);
	return _mm256_add_epi8(_mm256_add_epi8(count_bytes(ones, table), count_bytes(v[7], table)),
						   _mm256_add_epi8(count_bytes(twos, table2), count_bytes(fours, table4)));
}

AVX2_INLINE Sums
sum_bytes(__m256i differing, __m256i common)
{
	const __m256i zero = _mm256_setzero_si256();

	return _mm256_or_si256(_mm256_sad_epu8(differing, zero),
						   _mm256_slli_epi64(_mm256_sad_epu8(common, zero), 32));
}

/* 256 bytes */
AVX2_INLINE Sums
count_block(const uint8_t *pc, const uint8_t *pm, const uint8_t *code, const uint8_t *mask)
{
	__m256i		valid[8];
	__m256i		differs[8];

#pragma GCC unroll 8
	for (int i = 0; i < 8; i++)
	{
		valid[i] = _mm256_and_si256(load(pm + 32 * i), load(mask + 32 * i));
		differs[i] = _mm256_and_si256(_mm256_xor_si256(load(pc + 32 * i), load(code + 32 * i)), valid[i]);
	}
	return sum_bytes(count_eight(differs), count_eight(valid));
}

/* 32 bytes */
AVX2_INLINE Sums
count_vector(const uint8_t *pc, const uint8_t *pm, __m256i code, __m256i mask)
{
	const __m256i table = popcount_table();
	__m256i		valid = _mm256_and_si256(load(pm), mask);
	__m256i		differs = _mm256_and_si256(_mm256_xor_si256(load(pc), code), valid);

	return sum_bytes(count_bytes(differs, table), count_bytes(valid, table));
}

AVX2_INLINE CodeCounts
total(Sums sums)
{
	__m128i		sum = _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
	uint64_t	both;
	CodeCounts	counts;

	sum = _mm_add_epi64(sum, _mm_unpackhi_epi64(sum, sum));
	both = (uint64_t) _mm_cvtsi128_si64(sum);
	counts.differing = (uint32_t) both;
	counts.common = (uint32_t) (both >> 32);
	return counts;
}

AVX2 static void
count_codes_avx2(const uint8_t *probe_code, const uint8_t *probe_mask,
				 const uint8_t *code, const uint8_t *mask, size_t length,
				 int n, const uint32_t *offsets, CodeCounts *counts)
{
	size_t		blocks = length & ~(size_t) 255;
	size_t		vectors = length & ~(size_t) 31;
	size_t		rest = length - vectors;
	uint8_t		last_code[32] = {0};
	uint8_t		last_mask[32] = {0};

	/* the common length needs no loop over blocks and no rest */
	if (length == 256)
	{
		for (int k = 0; k < n; k++)
			counts[k] = total(count_block(probe_code + offsets[k], probe_mask + offsets[k], code, mask));
		return;
	}

	memcpy(last_code, code + vectors, rest);
	memcpy(last_mask, mask + vectors, rest);
	for (int k = 0; k < n; k++)
	{
		const uint8_t *pc = probe_code + offsets[k];
		const uint8_t *pm = probe_mask + offsets[k];
		Sums		sums = _mm256_setzero_si256();
		size_t		i;

		for (i = 0; i < blocks; i += 256)
			sums = _mm256_add_epi64(sums, count_block(pc + i, pm + i, code + i, mask + i));
		for (; i < vectors; i += 32)
			sums = _mm256_add_epi64(sums, count_vector(pc + i, pm + i, load(code + i), load(mask + i)));
		if (rest > 0)
			sums = _mm256_add_epi64(sums, count_vector(pc + i, pm + i, load(last_code), load(last_mask)));
		counts[k] = total(sums);
	}
}

static bool
supported_avx2(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx2");
}

const Kernel kernel_avx2 = {"avx2", supported_avx2, count_codes_avx2};

#endif							/* KERNELS_X86_64 */
