/*
 * kernels_neon.c
 *		The kernel for arm64, where NEON is always present.
 */
#include "match/kernels.h"

#ifdef KERNELS_ARM64

#include <arm_neon.h>
#include <string.h>

/* bits valid in both and differing, of 16 bytes, added to 16-bit sums */
static inline void
count_vector(const uint8_t *pc, const uint8_t *pm, uint8x16_t code, uint8x16_t mask,
			 uint16x8_t *common, uint16x8_t *differing)
{
	uint8x16_t	valid = vandq_u8(vld1q_u8(pm), mask);
	uint8x16_t	differs = vandq_u8(veorq_u8(vld1q_u8(pc), code), valid);

	*common = vpadalq_u8(*common, vcntq_u8(valid));
	*differing = vpadalq_u8(*differing, vcntq_u8(differs));
}

static void
count_codes_neon(const uint8_t *probe_code, const uint8_t *probe_mask,
				 const uint8_t *code, const uint8_t *mask, size_t length,
				 int n, const uint32_t *offsets, CodeCounts *counts)
{
	size_t		vectors = length & ~(size_t) 15;
	size_t		rest = length - vectors;
	uint8_t		last_code[16] = {0};
	uint8_t		last_mask[16] = {0};

	memcpy(last_code, code + vectors, rest);
	memcpy(last_mask, mask + vectors, rest);
	for (int k = 0; k < n; k++)
	{
		const uint8_t *pc = probe_code + offsets[k];
		const uint8_t *pm = probe_mask + offsets[k];
		uint32x4_t	common = vdupq_n_u32(0);
		uint32x4_t	differing = vdupq_n_u32(0);
		size_t		i = 0;

		while (i < vectors)
		{
			/* a 16-bit sum grows by at most 16 a vector: empty it in time */
			size_t		end = vectors - i < 16 * 2048 ? vectors : i + 16 * 2048;
			uint16x8_t	common16 = vdupq_n_u16(0);
			uint16x8_t	differing16 = vdupq_n_u16(0);

			for (; i < end; i += 16)
				count_vector(pc + i, pm + i, vld1q_u8(code + i), vld1q_u8(mask + i),
							 &common16, &differing16);
			common = vpadalq_u16(common, common16);
			differing = vpadalq_u16(differing, differing16);
		}
		if (rest > 0)
		{
			uint16x8_t	common16 = vdupq_n_u16(0);
			uint16x8_t	differing16 = vdupq_n_u16(0);

			count_vector(pc + i, pm + i, vld1q_u8(last_code), vld1q_u8(last_mask),
						 &common16, &differing16);
			common = vpadalq_u16(common, common16);
			differing = vpadalq_u16(differing, differing16);
		}
		counts[k].common = vaddvq_u32(common);
		counts[k].differing = vaddvq_u32(differing);
	}
}

static bool
supported_neon(void)
{
	return true;
}

const Kernel kernel_neon = {"neon", supported_neon, count_codes_neon};

#endif							/* KERNELS_ARM64 */
