/*
 * kernels_neon.c
 *		The kernel for arm64, where NEON is always present.
 */
#include "match/iris/kernels.h"
#include "match/iris/sketch.h"

#ifdef CPU_ARM64

#include <arm_neon.h>
#include <string.h>

typedef struct Counts16
{
	uint16x8_t common;
	uint16x8_t differing;
} Counts16;

/* add what 16 bytes count, of which the other code's are at the pointers */
static inline void
count_vector(const CodeBytes *probe, size_t at, const uint8_t *const *other_plane,
			 const uint8_t *other_mask, const int planes, Counts16 *counts)
{
	uint8x16_t valid = vandq_u8(vld1q_u8(probe->mask + at), vld1q_u8(other_mask));

	counts->common = vpadalq_u8(counts->common, vcntq_u8(valid));
	for (int p = 0; p < planes; p++)
	{
		uint8x16_t differs = veorq_u8(vld1q_u8(probe->plane[p] + at), vld1q_u8(other_plane[p]));

		counts->differing = vpadalq_u8(counts->differing, vcntq_u8(vandq_u8(differs, valid)));
	}
}

static inline __attribute__((always_inline)) void
count_planes(const CodeBytes *probe, const CodeBytes *other, const int planes, size_t length, int n,
			 const uint32_t *offsets, CodeCounts *counts)
{
	size_t  vectors = length & ~(size_t) 15;
	uint8_t last[3][16] = {{0}};

	for (int p = 0; p < planes; p++)
		memcpy(last[p], other->plane[p] + vectors, length - vectors);
	memcpy(last[2], other->mask + vectors, length - vectors);
	for (int k = 0; k < n; k++)
	{
		uint32x4_t common = vdupq_n_u32(0);
		uint32x4_t differing = vdupq_n_u32(0);
		size_t     i = 0;

		while (i < length)
		{
			/* a 16-bit sum grows by at most 32 a vector: empty it in time */
			size_t   end = vectors - i < 16 * 2000 ? vectors : i + 16 * 2000;
			Counts16 some = {vdupq_n_u16(0), vdupq_n_u16(0)};

			for (; i < end; i += 16)
			{
				const uint8_t *plane[2] = {other->plane[0] + i,
										   planes == 2 ? other->plane[1] + i : NULL};

				count_vector(probe, offsets[k] + i, plane, other->mask + i, planes, &some);
			}
			if (i == vectors && vectors < length)
			{
				const uint8_t *plane[2] = {last[0], last[1]};

				count_vector(probe, offsets[k] + i, plane, last[2], planes, &some);
				i = length;
			}
			common = vpadalq_u16(common, some.common);
			differing = vpadalq_u16(differing, some.differing);
		}
		counts[k].common = vaddvq_u32(common) * (uint32_t) planes;
		counts[k].differing = vaddvq_u32(differing);
	}
}

static void
count_codes_neon(const CodeBytes *probe, const CodeBytes *other, size_t length, int n,
				 const uint32_t *offsets, CodeCounts *counts)
{
	if (other->plane[1] != NULL)
		count_planes(probe, other, 2, length, n, offsets, counts);
	else
		count_planes(probe, other, 1, length, n, offsets, counts);
}

/* bytes that count bits, summed up in each half */
static inline uint64x2_t
sum_halves(uint8x16_t counts)
{
	return vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(counts)));
}

/* 2 rotations at a time */
static void
match_samples_neon(const TurnedSamples *probe, int n, const uint8_t *const *samples, uint32_t least,
				   bool *alike)
{
	for (int i = 0; i < n; i++)
	{
		uint64_t words[2 * SKETCH_WORDS];
		bool     found = false;

		memcpy(words, samples[i], sizeof(words));
		for (int k = 0; k < probe->rotations && !found; k += 2)
		{
			uint8x16_t common = vdupq_n_u8(0), differing = vdupq_n_u8(0);
			uint64x2_t sums[2];
			CodeCounts counts[2];

			for (int w = 0; w < SKETCH_WORDS; w++)
			{
				uint64x2_t valid =
					vandq_u64(vdupq_n_u64(words[SKETCH_WORDS + w]), vld1q_u64(&probe->mask[w][k]));
				uint64x2_t differs =
					veorq_u64(vdupq_n_u64(words[w]), vld1q_u64(&probe->code[w][k]));

				common = vaddq_u8(common, vcntq_u8(vreinterpretq_u8_u64(valid)));
				differing =
					vaddq_u8(differing, vcntq_u8(vreinterpretq_u8_u64(vandq_u64(valid, differs))));
			}
			sums[0] = sum_halves(common);
			sums[1] = sum_halves(differing);
			counts[0].common = (uint32_t) vgetq_lane_u64(sums[0], 0);
			counts[1].common = (uint32_t) vgetq_lane_u64(sums[0], 1);
			counts[0].differing = (uint32_t) vgetq_lane_u64(sums[1], 0);
			counts[1].differing = (uint32_t) vgetq_lane_u64(sums[1], 1);
			found = sketch_alikeness(&counts[0]) >= least || sketch_alikeness(&counts[1]) >= least;
		}
		alike[i] = found;
	}
}

const Kernel kernel_neon = {{"neon", CPU_NEON}, count_codes_neon, match_samples_neon};

#endif /* CPU_ARM64 */
