/*
 * likelihood.c
 *		Likelihoods of pairs of minutiae by table look-up.
 *
 * A descriptor's level in a dimension takes 4 bits, so what the level of a
 * probe's minutia says about each of the 16 levels of another fits a table of 16
 * bytes: one instruction looks up 16 or 32 minutiae at a time (Andre, Kermarrec
 * and Le Scouarnec, Cache locality is not enough, 2015).
 */
#include "match/fingerprint/likelihood.h"

#include <string.h>

#if defined(CPU_X86_64)
#include <immintrin.h>
#elif defined(CPU_ARM64)
#include <arm_neon.h>
#endif

typedef struct LikelihoodKernel
{
	CpuKernel cpu;
	void (*likelihoods)(const LikelihoodTables *tables, int rows, const uint8_t *descriptor,
						int columns, int8_t (*result)[LIKELIHOOD_STRIDE], int8_t *best,
						int8_t *most);
	int (*threshold)(int8_t (*likelihoods)[LIKELIHOOD_STRIDE], const uint8_t *rows, int nrows,
					 int columns, int limit, int low, int high);
	int (*list)(int8_t (*likelihoods)[LIKELIHOOD_STRIDE], const uint8_t *rows, int nrows,
				int columns, int threshold, uint16_t *pairs);
	int (*near)(const CoarseMinutiae *a, int rows, const CoarseMinutiae *b, int columns, int reach,
				int turn, uint16_t *pairs);
} LikelihoodKernel;

static int
rounded_half(int value)
{
	/* up to 1/128 of a quarter: the sum of products over 256 */
	return value >= 0 ? (value + 256) / 512 : -((256 - value) / 512);
}

void
fingerprint_likelihood_tables(const uint8_t *descriptor, int count, LikelihoodTables *tables)
{
	for (int i = 0; i < count; i++)
	{
		for (int d = 0; d < FINGERPRINT_DIMENSIONS; d++)
		{
			uint8_t byte = descriptor[d / 2 * count + i];
			int     level = (d % 2 == 0 ? byte & 15 : byte >> 4) - 8;
			int     weight = fingerprint_projection_norm[d];

			for (int other = -8; other < 8; other++)
				tables[i][d][other + 8] = (int8_t) rounded_half(
					256 * level * other - weight * (level * level + other * other));
		}
	}
}

static int8_t
add_saturating(int a, int b)
{
	int sum = a + b;

	return (int8_t) (sum < -128 ? -128 : sum > 127 ? 127 : sum);
}

void
fingerprint_likelihoods_plain(const LikelihoodTables *tables, int rows, const uint8_t *descriptor,
							  int columns, int8_t (*result)[LIKELIHOOD_STRIDE], int8_t *best,
							  int8_t most[LIKELIHOOD_STRIDE])
{
	int padded = (columns + LIKELIHOOD_VECTOR - 1) / LIKELIHOOD_VECTOR * LIKELIHOOD_VECTOR;

	memset(most, -128, padded);
	for (int i = 0; i < rows; i++)
	{
		best[i] = -128;
		for (int j = 0; j < padded; j++)
		{
			int8_t even = 0;
			int8_t odd = 0;
			int8_t sum;

			for (int d = 0; j < columns && d < FINGERPRINT_DIMENSIONS; d += 2)
			{
				uint8_t byte = descriptor[d / 2 * columns + j];

				even = add_saturating(even, tables[i][d][byte & 15]);
				odd = add_saturating(odd, tables[i][d + 1][byte >> 4]);
			}
			sum = j < columns ? add_saturating(even, odd) : -128;
			if (result != NULL)
				result[i][j] = sum;
			best[i] = sum > best[i] ? sum : best[i];
			most[j] = sum > most[j] ? sum : most[j];
		}
	}
}

/*
 * Where a whole vector can be loaded that begins with the bytes wanted: there,
 * unless the last rows are too near to the end, or else in a copy.
 */
static inline const uint8_t *
whole_vector(const uint8_t *from, const uint8_t *end, uint8_t *copy, int width)
{
	if (end - from >= width)
		return from;
	memcpy(copy, from, end - from);
	return copy;
}

#ifdef CPU_X86_64
#define INLINE_AVX2 static inline __attribute__((target("avx2"), always_inline))

static const uint8_t numbers[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
									16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

INLINE_AVX2 __m256i
load_table(const int8_t *table)
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *) table));
}

INLINE_AVX2 int8_t
largest_avx2(__m256i values)
{
	/* 127 less each is unsigned; the processor finds the smallest of 16 bits */
	__m128i half =
		_mm_max_epi8(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));

	half = _mm_xor_si128(half, _mm_set1_epi8(127));
	half = _mm_min_epu8(half, _mm_srli_epi16(half, 8));
	half = _mm_minpos_epu16(_mm_and_si128(half, _mm_set1_epi16(255)));
	return (int8_t) (_mm_cvtsi128_si32(half) ^ 127);
}

/*
 * Two rows at a time, so that a vector of levels loaded serves both, and one or
 * two vectors of columns.
 */
INLINE_AVX2 void
two_rows_avx2(const LikelihoodTables *table0, const LikelihoodTables *table1, int vectors,
			  __m256i (*levels)[2], const __m256i *outside, int8_t *result0, int8_t *result1,
			  int8_t *best0, int8_t *best1, __m256i *most)
{
	__m256i even[2][2], odd[2][2], largest[2];

	for (int v = 0; v < vectors; v++)
		even[0][v] = even[1][v] = odd[0][v] = odd[1][v] = _mm256_setzero_si256();
#pragma GCC unroll 4
	for (int d = 0; d < FINGERPRINT_DIMENSIONS; d += 2)
	{
		__m256i even0 = load_table((*table0)[d]);
		__m256i even1 = load_table((*table1)[d]);
		__m256i odd0 = load_table((*table0)[d + 1]);
		__m256i odd1 = load_table((*table1)[d + 1]);

#pragma GCC unroll 2
		for (int v = 0; v < vectors; v++)
		{
			even[0][v] = _mm256_adds_epi8(even[0][v], _mm256_shuffle_epi8(even0, levels[d][v]));
			even[1][v] = _mm256_adds_epi8(even[1][v], _mm256_shuffle_epi8(even1, levels[d][v]));
			odd[0][v] = _mm256_adds_epi8(odd[0][v], _mm256_shuffle_epi8(odd0, levels[d + 1][v]));
			odd[1][v] = _mm256_adds_epi8(odd[1][v], _mm256_shuffle_epi8(odd1, levels[d + 1][v]));
		}
	}
	largest[0] = largest[1] = _mm256_set1_epi8(-128);
#pragma GCC unroll 2
	for (int v = 0; v < vectors; v++)
	{
		__m256i sum0 = _mm256_min_epi8(_mm256_adds_epi8(even[0][v], odd[0][v]), outside[v]);
		__m256i sum1 = _mm256_min_epi8(_mm256_adds_epi8(even[1][v], odd[1][v]), outside[v]);

		if (result0 != NULL)
		{
			_mm256_storeu_si256((__m256i *) (result0 + 32 * v), sum0);
			_mm256_storeu_si256((__m256i *) (result1 + 32 * v), sum1);
		}
		largest[0] = _mm256_max_epi8(largest[0], sum0);
		largest[1] = _mm256_max_epi8(largest[1], sum1);
		most[v] = _mm256_max_epi8(most[v], _mm256_max_epi8(sum0, sum1));
	}
	{
		int8_t largest0 = largest_avx2(largest[0]);
		int8_t largest1 = largest_avx2(largest[1]);

		*best0 = largest0 > *best0 ? largest0 : *best0;
		*best1 = largest1 > *best1 ? largest1 : *best1;
	}
}

CPU_TARGET("avx2")
static void
likelihoods_avx2(const LikelihoodTables *tables, int rows, const uint8_t *descriptor, int columns,
				 int8_t (*result)[LIKELIHOOD_STRIDE], int8_t *best, int8_t *most)
{
	const uint8_t *end = descriptor + FINGERPRINT_DIMENSIONS / 2 * columns;
	const __m256i  nibble = _mm256_set1_epi8(15);
	const __m256i  number = _mm256_loadu_si256((const __m256i *) numbers);

	memset(best, -128, rows);
	for (int j = 0; j < columns; j += 64)
	{
		/* levels of two vectors of minutiae; the second may be empty */
		__m256i levels[FINGERPRINT_DIMENSIONS][2];
		__m256i outside[2];
		__m256i most_here[2];
		int     vectors = columns - j > 32 ? 2 : 1;
		uint8_t bytes[32] = {0}; /* what is compared beyond the last minutia means nothing */

		for (int v = 0; v < vectors; v++)
		{
			int inside = columns - j - 32 * v;

			most_here[v] = _mm256_set1_epi8(-128);

			/* 127 where there is a minutia, else -128 */
			outside[v] = _mm256_xor_si256(
				_mm256_cmpgt_epi8(_mm256_set1_epi8((char) (inside < 32 ? inside : 32)), number),
				_mm256_set1_epi8(-128));
			for (int d = 0; d < FINGERPRINT_DIMENSIONS; d += 2)
			{
				const uint8_t *row =
					whole_vector(descriptor + d / 2 * columns + j + 32 * v, end, bytes, 32);
				__m256i both = _mm256_loadu_si256((const __m256i *) row);

				levels[d][v] = _mm256_and_si256(both, nibble);
				levels[d + 1][v] = _mm256_and_si256(_mm256_srli_epi16(both, 4), nibble);
			}
		}
		for (int i = 0; i < rows; i += 2)
		{
			/* an odd last row is summed twice */
			int     k = i + 1 < rows ? i + 1 : i;
			int8_t *result0 = result == NULL ? NULL : &result[i][j];
			int8_t *result1 = result == NULL ? NULL : &result[k][j];

			if (vectors == 2)
				two_rows_avx2(&tables[i], &tables[k], 2, levels, outside, result0, result1,
							  &best[i], &best[k], most_here);
			else
				two_rows_avx2(&tables[i], &tables[k], 1, levels, outside, result0, result1,
							  &best[i], &best[k], most_here);
		}
		for (int v = 0; v < vectors; v++)
			_mm256_storeu_si256((__m256i *) &most[j + 32 * v], most_here[v]);
	}
}
#endif

#ifdef CPU_ARM64
static void
likelihoods_neon(const LikelihoodTables *tables, int rows, const uint8_t *descriptor, int columns,
				 int8_t (*result)[LIKELIHOOD_STRIDE], int8_t *best, int8_t *most)
{
	const uint8_t *end = descriptor + FINGERPRINT_DIMENSIONS / 2 * columns;
	int padded = (columns + LIKELIHOOD_VECTOR - 1) / LIKELIHOOD_VECTOR * LIKELIHOOD_VECTOR;

	memset(best, -128, rows);
	for (int j = 0; j < padded; j += 16)
	{
		uint8x16_t levels[FINGERPRINT_DIMENSIONS];
		int8_t     bytes[16];
		int8x16_t  outside;
		int8x16_t  most_here = vdupq_n_s8(-128);

		for (int k = 0; k < 16; k++)
			bytes[k] = j + k < columns ? 127 : -128;
		outside = vld1q_s8(bytes);
		for (int d = 0; d < FINGERPRINT_DIMENSIONS; d += 2)
		{
			uint8x16_t both = vdupq_n_u8(0);

			if (j < columns)
			{
				both = vld1q_u8(
					whole_vector(descriptor + d / 2 * columns + j, end, (uint8_t *) bytes, 16));
			}
			levels[d] = vandq_u8(both, vdupq_n_u8(15));
			levels[d + 1] = vshrq_n_u8(both, 4);
		}
		for (int i = 0; i < rows; i++)
		{
			int8x16_t sum = vdupq_n_s8(0);
			int8x16_t odd = vdupq_n_s8(0);
			int8_t    largest;

			for (int d = 0; d < FINGERPRINT_DIMENSIONS; d += 2)
			{
				sum = vqaddq_s8(sum, vqtbl1q_s8(vld1q_s8(tables[i][d]), levels[d]));
				odd = vqaddq_s8(odd, vqtbl1q_s8(vld1q_s8(tables[i][d + 1]), levels[d + 1]));
			}
			sum = vminq_s8(vqaddq_s8(sum, odd), outside);
			if (result != NULL)
				vst1q_s8(&result[i][j], sum);
			largest = vmaxvq_s8(sum);
			best[i] = largest > best[i] ? largest : best[i];
			most_here = vmaxq_s8(most_here, sum);
		}
		vst1q_s8(&most[j], most_here);
	}
}
#endif

/* how many of the likelihoods in some rows are at least so high */
static int
count_plain(int8_t (*likelihoods)[LIKELIHOOD_STRIDE], const uint8_t *rows, int nrows, int columns,
			int threshold)
{
	int count = 0;

	for (int r = 0; r < nrows; r++)
		for (int j = 0; j < columns; j++)
			count += likelihoods[rows[r]][j] >= threshold;
	return count;
}

/* a bit for each of a vector of likelihoods that is at least so high */
static uint32_t
which_plain(const int8_t *likelihoods, int threshold)
{
	uint32_t bits = 0;

	for (int j = 0; j < LIKELIHOOD_VECTOR; j++)
		bits |= (uint32_t) (likelihoods[j] >= threshold) << j;
	return bits;
}

/*
 * The functions below are written once and compiled for each kernel's count
 * and which.
 */
#define LIKELIHOOD_SEARCH(name, target, count, which)                                           \
	target static int threshold_##name(int8_t(*likelihoods)[LIKELIHOOD_STRIDE],                 \
									   const uint8_t *rows, int nrows, int columns, int limit,  \
									   int low, int high)                                       \
	{                                                                                           \
		/* near the lowest is likely */                                                         \
		if (high - low > 16 && count(likelihoods, rows, nrows, columns, low + 15) <= limit)     \
			high = low + 15;                                                                    \
		while (low < high)                                                                      \
		{                                                                                       \
			int middle = low + (high - low) / 2;                                                \
                                                                                                \
			if (count(likelihoods, rows, nrows, columns, middle) <= limit)                      \
				high = middle;                                                                  \
			else                                                                                \
				low = middle + 1;                                                               \
		}                                                                                       \
		return low;                                                                             \
	}                                                                                           \
                                                                                                \
	target static int list_##name(int8_t(*likelihoods)[LIKELIHOOD_STRIDE], const uint8_t *rows, \
								  int nrows, int columns, int threshold, uint16_t *pairs)       \
	{                                                                                           \
		int count = 0;                                                                          \
                                                                                                \
		for (int r = 0; r < nrows; r++)                                                         \
			for (int j = 0; j < columns; j += LIKELIHOOD_VECTOR)                                \
			{                                                                                   \
				uint32_t bits = which(&likelihoods[rows[r]][j], threshold);                     \
                                                                                                \
				for (; bits != 0; bits &= bits - 1)                                             \
					pairs[count++] = (uint16_t) (rows[r] << 8 | (j + __builtin_ctz(bits)));     \
			}                                                                                   \
		return count;                                                                           \
	}

int
fingerprint_list_near_plain(const CoarseMinutiae *a, int rows, const CoarseMinutiae *b, int columns,
							int reach, int turn, uint16_t *pairs)
{
	int count = 0;

	for (int block = 0; block < columns; block += LIKELIHOOD_VECTOR)
		for (int i = 0; i < rows; i++)
			for (int j = block; j < block + LIKELIHOOD_VECTOR && j < columns; j++)
			{
				int dx = a->x[i] - b->x[j];
				int dy = a->y[i] - b->y[j];
				int between = (int8_t) (uint8_t) (a->angle[i] - b->angle[j]);

				if (dx <= reach && -dx <= reach && dy <= reach && -dy <= reach && between <= turn &&
					-between <= turn)
					pairs[count++] = (uint16_t) (i << 8 | j);
			}
	return count;
}

LIKELIHOOD_SEARCH(plain, , count_plain, which_plain)

static const LikelihoodKernel kernel_plain = {{"plain", 0},
											  fingerprint_likelihoods_plain,
											  threshold_plain,
											  list_plain,
											  fingerprint_list_near_plain};

#ifdef CPU_X86_64
INLINE_AVX2 int
count_avx2(int8_t (*likelihoods)[LIKELIHOOD_STRIDE], const uint8_t *rows, int nrows, int columns,
		   int threshold)
{
	/* rows are padded with -128, which is above no threshold */
	__m256i below = _mm256_set1_epi8((char) (threshold - 1));
	__m256i sums = _mm256_setzero_si256();
	__m128i half;

	for (int r = 0; r < nrows; r++)
	{
		__m256i count = _mm256_setzero_si256();

		for (int j = 0; j < columns; j += 32)
			count = _mm256_sub_epi8(
				count, _mm256_cmpgt_epi8(
						   _mm256_loadu_si256((const __m256i *) &likelihoods[rows[r]][j]), below));
		sums = _mm256_add_epi64(sums, _mm256_sad_epu8(count, _mm256_setzero_si256()));
	}
	half = _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
	return _mm_cvtsi128_si32(half) + _mm_extract_epi32(half, 2);
}

INLINE_AVX2 uint32_t
which_avx2(const int8_t *likelihoods, int threshold)
{
	return (uint32_t) _mm256_movemask_epi8(
		_mm256_cmpgt_epi8(_mm256_loadu_si256((const __m256i *) likelihoods),
						  _mm256_set1_epi8((char) (threshold - 1))));
}

CPU_TARGET("avx2")
static int
near_avx2(const CoarseMinutiae *a, int rows, const CoarseMinutiae *b, int columns, int reach,
		  int turn, uint16_t *pairs)
{
	int           count = 0;
	const __m256i far = _mm256_set1_epi8((char) reach);
	const __m256i turned = _mm256_set1_epi8((char) turn);

	for (int j = 0; j < columns; j += 32)
	{
		__m256i  bx = _mm256_loadu_si256((const __m256i *) &b->x[j]);
		__m256i  by = _mm256_loadu_si256((const __m256i *) &b->y[j]);
		__m256i  angle = _mm256_loadu_si256((const __m256i *) &b->angle[j]);
		uint32_t inside = columns - j < 32 ? (UINT32_C(1) << (columns - j)) - 1 : UINT32_MAX;
		uint32_t near[FINGERPRINT_MAX_MINUTIAE]; /* a bit for each column, of rows with any */
		uint8_t  which[FINGERPRINT_MAX_MINUTIAE];
		int      n = 0;

		for (int i = 0; i < rows; i++)
		{
			__m256i x = _mm256_set1_epi8((char) a->x[i]);
			__m256i y = _mm256_set1_epi8((char) a->y[i]);
			__m256i dx = _mm256_or_si256(_mm256_subs_epu8(x, bx), _mm256_subs_epu8(bx, x));
			__m256i dy = _mm256_or_si256(_mm256_subs_epu8(y, by), _mm256_subs_epu8(by, y));
			__m256i between =
				_mm256_abs_epi8(_mm256_sub_epi8(_mm256_set1_epi8((char) a->angle[i]), angle));
			__m256i beyond = _mm256_or_si256(_mm256_subs_epu8(_mm256_max_epu8(dx, dy), far),
											 _mm256_subs_epu8(between, turned));

			near[n] =
				(uint32_t) _mm256_movemask_epi8(_mm256_cmpeq_epi8(beyond, _mm256_setzero_si256())) &
				inside;
			which[n] = (uint8_t) i;
			n += near[n] != 0;
		}
		for (int r = 0; r < n; r++)
			for (uint32_t bits = near[r]; bits != 0; bits &= bits - 1)
				pairs[count++] = (uint16_t) (which[r] << 8 | (j + __builtin_ctz(bits)));
	}
	return count;
}

LIKELIHOOD_SEARCH(avx2, CPU_TARGET("avx2"), count_avx2, which_avx2)

static const LikelihoodKernel kernel_avx2 = {
	{"avx2", CPU_AVX2}, likelihoods_avx2, threshold_avx2, list_avx2, near_avx2};
#endif

#ifdef CPU_ARM64
static const LikelihoodKernel kernel_neon = {
	{"neon", CPU_NEON}, likelihoods_neon, threshold_plain, list_plain, fingerprint_list_near_plain};
#endif

static const CpuKernel *const kernels[] = {
	&kernel_plain.cpu,
#ifdef CPU_X86_64
	&kernel_avx2.cpu,
#endif
#ifdef CPU_ARM64
	&kernel_neon.cpu,
#endif
};

const CpuLoop fingerprint_likelihood_loop = {"fingerprint likelihoods",
											 (int) (sizeof(kernels) / sizeof(kernels[0])), kernels};

/* the kernel for this processor */
static inline const LikelihoodKernel *
kernel(void)
{
	return (const LikelihoodKernel *) cpu_choose(&fingerprint_likelihood_loop);
}

void
fingerprint_likelihoods(const LikelihoodTables *tables, int rows, const uint8_t *descriptor,
						int columns, int8_t (*result)[LIKELIHOOD_STRIDE], int8_t *best,
						int8_t most[LIKELIHOOD_STRIDE])
{
	kernel()->likelihoods(tables, rows, descriptor, columns, result, best, most);
}

int
fingerprint_likelihood_threshold(int8_t (*likelihoods)[LIKELIHOOD_STRIDE], const uint8_t *rows,
								 int nrows, int columns, int limit, int low, int high)
{
	return kernel()->threshold(likelihoods, rows, nrows, columns, limit, low, high);
}

int
fingerprint_list_likely(int8_t (*likelihoods)[LIKELIHOOD_STRIDE], const uint8_t *rows, int nrows,
						int columns, int threshold, uint16_t *pairs)
{
	return kernel()->list(likelihoods, rows, nrows, columns, threshold, pairs);
}

int
fingerprint_list_near(const CoarseMinutiae *a, int rows, const CoarseMinutiae *b, int columns,
					  int reach, int turn, uint16_t *pairs)
{
	return kernel()->near(a, rows, b, columns, reach, turn, pairs);
}
