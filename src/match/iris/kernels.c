/*
 * kernels.c
 *		The kernels that need no vectors, and the list of all of them.
 */
#include "match/iris/kernels.h"
#include "match/iris/sketch.h"

#include <string.h>

/* the first bytes of a word, at most 8; the others are 0 */
static inline uint64_t
load_word(const uint8_t *bytes, size_t available)
{
	uint64_t word = 0;

	memcpy(&word, bytes, available);
	return word;
}

/* the bits of a word summed in ever wider fields */
static inline uint32_t
popcount_plain(uint64_t x)
{
	x -= (x >> 1) & UINT64_C(0x5555555555555555);
	x = (x & UINT64_C(0x3333333333333333)) + ((x >> 2) & UINT64_C(0x3333333333333333));
	x = (x + (x >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
	return (uint32_t) ((x * UINT64_C(0x0101010101010101)) >> 56);
}

/*
 * The loop over words, to be instantiated with a popcount.  A macro, because
 * a function with a target attribute cannot be inlined into one without.
 */
#define COUNT_WORD(POPCOUNT, available)                                                            \
	do                                                                                             \
	{                                                                                              \
		uint64_t valid = load_word(mask + i, available) & load_word(other->mask + i, available);   \
                                                                                                   \
		common += (uint32_t) POPCOUNT(valid);                                                      \
		for (int p = 0; p < planes; p++)                                                           \
			differing += (uint32_t) POPCOUNT(valid & (load_word(plane[p] + i, available) ^         \
													  load_word(other->plane[p] + i, available))); \
	} while (0)

#define COUNT_CODES(POPCOUNT)                           \
	const int planes = other->plane[1] == NULL ? 1 : 2; \
                                                        \
	for (int k = 0; k < n; k++)                         \
	{                                                   \
		const uint8_t *mask = probe->mask + offsets[k]; \
		const uint8_t *plane[2] = {NULL, NULL};         \
		uint32_t       common = 0;                      \
		uint32_t       differing = 0;                   \
		size_t         i = 0;                           \
                                                        \
		for (int p = 0; p < planes; p++)                \
			plane[p] = probe->plane[p] + offsets[k];    \
		for (; i + 8 <= length; i += 8)                 \
			COUNT_WORD(POPCOUNT, 8);                    \
		if (i < length)                                 \
			COUNT_WORD(POPCOUNT, length - i);           \
		counts[k].common = common * (uint32_t) planes;  \
		counts[k].differing = differing;                \
	}

/* The same for samples: the words of one rotation after the other */
#define MATCH_SAMPLES(POPCOUNT)                                                                  \
	for (int i = 0; i < n; i++)                                                                  \
	{                                                                                            \
		uint64_t words[2 * SKETCH_WORDS];                                                        \
		bool     found = false;                                                                  \
                                                                                                 \
		memcpy(words, samples[i], sizeof(words));                                                \
		for (int k = 0; k < probe->rotations && !found; k++)                                     \
		{                                                                                        \
			CodeCounts counts = {0, 0};                                                          \
                                                                                                 \
			for (int w = 0; w < SKETCH_WORDS; w++)                                               \
			{                                                                                    \
				uint64_t valid = words[SKETCH_WORDS + w] & probe->mask[w][k];                    \
                                                                                                 \
				counts.common += (uint32_t) POPCOUNT(valid);                                     \
				counts.differing += (uint32_t) POPCOUNT(valid & (words[w] ^ probe->code[w][k])); \
			}                                                                                    \
			found = sketch_alikeness(&counts) >= least;                                          \
		}                                                                                        \
		alike[i] = found;                                                                        \
	}

static void
match_samples_plain(const TurnedSamples *probe, int n, const uint8_t *const *samples,
					uint32_t least, bool *alike)
{
	MATCH_SAMPLES(popcount_plain)
}

static void
count_codes_plain(const CodeBytes *probe, const CodeBytes *other, size_t length, int n,
				  const uint32_t *offsets, CodeCounts *counts)
{
	COUNT_CODES(popcount_plain)
}

static const Kernel kernel_plain = {{"plain", 0}, count_codes_plain, match_samples_plain};

#ifdef CPU_X86_64

CPU_TARGET("popcnt")
static void
count_codes_popcnt(const CodeBytes *probe, const CodeBytes *other, size_t length, int n,
				   const uint32_t *offsets, CodeCounts *counts){COUNT_CODES(__builtin_popcountll)}

CPU_TARGET("popcnt") static void match_samples_popcnt(const TurnedSamples *probe, int n,
													  const uint8_t *const *samples, uint32_t least,
													  bool *alike)
{
	MATCH_SAMPLES(__builtin_popcountll)
}

static const Kernel kernel_popcnt = {
	{"popcnt", CPU_POPCNT}, count_codes_popcnt, match_samples_popcnt};

#endif

static const CpuKernel *const kernels[] = {
	&kernel_plain.cpu,
#ifdef CPU_X86_64
	&kernel_popcnt.cpu, &kernel_avx2.cpu, &kernel_avx512.cpu,
#endif
#ifdef CPU_ARM64
	&kernel_neon.cpu,
#endif
};

const CpuLoop iris_code_loop = {"iris codes", (int) (sizeof(kernels) / sizeof(kernels[0])),
								kernels};
