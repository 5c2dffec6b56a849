/*
 * caps.c
 *		Caps of the distance, and the evidence of words for the cheapest of them.
 *
 * Words are worth what the likeliest minutia says: with x the levels of a
 * descriptor and c the sum of the other's words, x c - |x|^2 - |c|^2, weighted as
 * in the projection, is four times the log-likelihood ratio of mates.  Levels and
 * words count quarters here, so that all of it fits 16 bits.
 */
#include "match/fingerprint/caps.h"

#include <math.h>
#include <string.h>

#define DIMENSIONS FINGERPRINT_CODEBOOK_DIMENSIONS
#define CODEWORDS  FINGERPRINT_CODEWORDS
#define PADDED     (FINGERPRINT_MAX_MINUTIAE + 1)

/* quarters of a level; codebooks count sixteenths */
#define LEVEL 4

/* a minutia is worth what is above this likelihood, in units of so many sixteenths */
#define WORTH_FLOOR (-30 * LEVEL * LEVEL)
#define WORTH_SHIFT 3

/* a sketch: finger position, number of minutiae, their first words, their second words */
#define SKETCH_HEADER      2
#define SKETCH_SIZE(count) (SKETCH_HEADER + 2 * (size_t) (count))

double
fingerprint_cap(FingerprintCap cap, double evidence)
{
	const FingerprintCapKnot *knots = fingerprint_caps[cap];
	double                    odds = knots[0].odds;

	if (evidence >= knots[FINGERPRINT_CAP_KNOTS - 1].evidence)
		return 0;
	for (int k = 1; k < FINGERPRINT_CAP_KNOTS && evidence >= knots[k - 1].evidence; k++)
		odds = knots[k - 1].odds +
			   (knots[k].odds - knots[k - 1].odds) * ((evidence - knots[k - 1].evidence) /
													  (knots[k].evidence - knots[k - 1].evidence));
	return fingerprint_odds_to_distance(FINGERPRINT_STAGE_WHOLE, odds);
}

double
fingerprint_farthest_cap(void)
{
	double farthest = 0;

	for (int cap = 0; cap < FINGERPRINT_CAPS; cap++)
	{
		double distance =
			fingerprint_odds_to_distance(FINGERPRINT_STAGE_WHOLE, fingerprint_caps[cap][0].odds);

		farthest = distance > farthest ? distance : farthest;
	}
	return farthest;
}

/* ---- words ----------------------------------------------------------------- */

static void
round_codebooks(FingerprintCodebooks *books)
{
	memset(books->half_squares, 0, sizeof(books->half_squares));
	for (int book = 0; book < 2; book++)
		for (int d = 0; d < DIMENSIONS; d++)
			for (int k = 0; k < CODEWORDS; k++)
			{
				int word = (fingerprint_codebook[book][d][k] + LEVEL / 2) >> 2;

				books->words[book][d][k] = (int16_t) word;
				books->half_squares[book][k] =
					(int16_t) (books->half_squares[book][k] + word * word);
			}
	for (int book = 0; book < 2; book++)
		for (int k = 0; k < CODEWORDS; k++)
			books->half_squares[book][k] /= 2;
}

static void
find_levels(const void *features, FingerprintLevels levels)
{
	int            count = fingerprint_minutia_count(features);
	const uint8_t *row = fingerprint_descriptors(features, count);

	for (int d = 0; d < DIMENSIONS; d += 2, row += count)
		for (int i = 0; i < count; i++)
		{
			levels[d][i] = (int16_t) (LEVEL * ((row[i] & 15) - 8));
			levels[d + 1][i] = (int16_t) (LEVEL * ((row[i] >> 4) - 8));
		}
}

/* The nearest word; the last of equally near ones */
CPU_INLINE int
nearest_word_loop(const int16_t (*restrict words)[CODEWORDS], const int16_t *restrict half_squares,
				  const int16_t *restrict x)
{
	int16_t near[CODEWORDS];
	int32_t best = INT32_MIN;

	for (int k = 0; k < CODEWORDS; k++)
		near[k] = (int16_t) -half_squares[k];
	for (int d = 0; d < DIMENSIONS; d++)
		for (int k = 0; k < CODEWORDS; k++)
			near[k] = (int16_t) (near[k] + x[d] * words[d][k]);
	for (int k = 0; k < CODEWORDS; k++)
	{
		int32_t numbered = near[k] * CODEWORDS + k;

		best = numbered > best ? numbered : best;
	}
	return (int) ((uint32_t) best % CODEWORDS);
}

WIDER(int, nearest_word,
	  (const int16_t (*restrict words)[CODEWORDS], const int16_t *restrict half_squares,
	   const int16_t *restrict x),
	  (words, half_squares, x))

/* A sketch of features whose levels these are */
static size_t
write_sketch(const FingerprintCodebooks *books, const void *features,
			 const FingerprintLevels levels, uint8_t *sketch)
{
	int count = fingerprint_minutia_count(features);

	sketch[0] = *(const uint8_t *) features;
	sketch[1] = (uint8_t) count;
	for (int i = 0; i < count; i++)
	{
		int16_t x[DIMENSIONS];

		for (int d = 0; d < DIMENSIONS; d++)
			x[d] = levels[d][i];
		for (int book = 0; book < 2; book++)
		{
			int word = nearest_word(books->words[book], books->half_squares[book], x);

			sketch[SKETCH_HEADER + book * count + i] = (uint8_t) word;
			for (int d = 0; d < DIMENSIONS; d++)
				x[d] = (int16_t) (x[d] - books->words[book][d][word]);
		}
	}
	return SKETCH_SIZE(count);
}

size_t
fingerprint_sketch(const void *features, void *sketch)
{
	FingerprintCodebooks books;
	FingerprintLevels    levels;

	round_codebooks(&books);
	find_levels(features, levels);
	return write_sketch(&books, features, levels, sketch);
}

bool
fingerprint_sketch_valid(const void *sketch, size_t size)
{
	const uint8_t *bytes = sketch;

	return size >= SKETCH_HEADER && bytes[0] <= FINGERPRINT_MAX_POSITION &&
		   size == SKETCH_SIZE(bytes[1]);
}

/* ---- worth ----------------------------------------------------------------- */

/* a weighted square of levels, sixteenths */
static inline int
sixteenths(int32_t weighted)
{
	return (weighted + 128) >> 8;
}

/* what a word is worth whose likeliest minutia has this likelihood but for the word's own norm */
static inline uint8_t
worth_of(int most, int norm)
{
	int worth = (most - norm - WORTH_FLOOR) >> WORTH_SHIFT;

	return (uint8_t) (worth < 0 ? 0 : worth > UINT8_MAX ? UINT8_MAX : worth);
}

static void
find_norms(const FingerprintLevels levels, int count, int16_t norms[PADDED])
{
	for (int i = 0; i < count; i++)
	{
		int32_t weighted = 0;

		for (int d = 0; d < DIMENSIONS; d++)
			weighted += fingerprint_projection_norm[d] * levels[d][i] * levels[d][i];
		norms[i] = (int16_t) sixteenths(weighted);
	}
}

/* the likelihood of the likeliest of count minutiae for one that has these words */
CPU_INLINE int
likeliest_loop(const FingerprintLevels levels, const int16_t *restrict norms, int count,
			   const int16_t *restrict sum)
{
	int16_t likelihood[PADDED];
	int     most = INT16_MIN;

	for (int i = 0; i < count; i++)
		likelihood[i] = (int16_t) -norms[i];
	for (int d = 0; d < DIMENSIONS; d++)
		for (int i = 0; i < count; i++)
			likelihood[i] = (int16_t) (likelihood[i] + sum[d] * levels[d][i]);
	for (int i = 0; i < count; i++)
		most = likelihood[i] > most ? likelihood[i] : most;
	return most;
}

WIDER(int, likeliest,
	  (const FingerprintLevels levels, const int16_t *restrict norms, int count,
	   const int16_t *restrict sum),
	  (levels, norms, count, sum))

/* what the words of a sketch are worth to count minutiae, summed up */
static int
sketch_worth(const FingerprintCodebooks *books, const FingerprintLevels levels, int count,
			 const uint8_t *sketch)
{
	int16_t        norms[PADDED];
	int            words = sketch[1];
	const uint8_t *first = sketch + SKETCH_HEADER;
	int            worth = 0;

	find_norms(levels, count, norms);
	for (int j = 0; j < words; j++)
	{
		int16_t sum[DIMENSIONS];
		int32_t weighted = 0;

		for (int d = 0; d < DIMENSIONS; d++)
		{
			sum[d] =
				(int16_t) (books->words[0][d][first[j]] + books->words[1][d][first[words + j]]);
			weighted += fingerprint_projection_norm[d] * sum[d] * sum[d];
		}
		worth += worth_of(likeliest(levels, norms, count, sum), sixteenths(weighted));
	}
	return worth;
}

/* products[k] += x words[k] */
CPU_INLINE void
add_products(int x, const int16_t *restrict words, int16_t *restrict products)
{
	for (int k = 0; k < CODEWORDS; k++)
		products[k] = (int16_t) (products[k] + x * words[k]);
}

/* The rows of a table for one first word: products[i] are of minutia i with all second words */
CPU_INLINE void
tabulate_row_loop(const FingerprintCodebooks *books, int first, const int16_t *restrict own,
				  int count, const int16_t (*restrict products)[CODEWORDS], uint8_t *restrict worth)
{
	int16_t most[CODEWORDS];
	int32_t weighted[CODEWORDS] = {0};

	for (int k = 0; k < CODEWORDS; k++)
		most[k] = INT16_MIN;
	for (int i = 0; i < count; i++)
		for (int k = 0; k < CODEWORDS; k++)
		{
			int16_t likelihood = (int16_t) (own[i] + products[i][k]);

			most[k] = likelihood > most[k] ? likelihood : most[k];
		}
	for (int d = 0; d < DIMENSIONS; d++)
	{
		int weight = fingerprint_projection_norm[d];
		int word = books->words[0][d][first];

		for (int k = 0; k < CODEWORDS; k++)
		{
			int32_t sum = word + books->words[1][d][k];

			weighted[k] += weight * sum * sum;
		}
	}
	for (int k = 0; k < CODEWORDS; k++)
		worth[k] = worth_of(most[k], sixteenths(weighted[k]));
}

WIDER(void, tabulate_row,
	  (const FingerprintCodebooks *books, int first, const int16_t *restrict own, int count,
	   const int16_t (*restrict products)[CODEWORDS], uint8_t *restrict worth),
	  (books, first, own, count, products, worth))

/* what every word is worth to count minutiae, by first word, then second */
static void
tabulate_worth(const FingerprintCodebooks *books, const FingerprintLevels levels, int count,
			   uint8_t worth[CODEWORDS][CODEWORDS])
{
	int16_t norms[PADDED];
	int16_t products[2][PADDED][CODEWORDS]; /* of each minutia with the words */

	find_norms(levels, count, norms);
	memset(products, 0, sizeof(products));
	for (int book = 0; book < 2; book++)
		for (int i = 0; i < count; i++)
			for (int d = 0; d < DIMENSIONS; d++)
				add_products(levels[d][i], books->words[book][d], products[book][i]);
	for (int first = 0; first < CODEWORDS; first++)
	{
		int16_t own[PADDED];

		for (int i = 0; i < count; i++)
			own[i] = (int16_t) (products[0][i][first] - norms[i]);
		tabulate_row(books, first, own, count, (const int16_t(*)[CODEWORDS]) products[1],
					 worth[first]);
	}
}

/* ---- a probe's caps by words ------------------------------------------------- */

void
fingerprint_cap_probe_init(FingerprintCapProbe *probe, const uint8_t *features)
{
	probe->features = features;
	probe->has_words = false;
	probe->has_worth = false;
	probe->limit = NAN;
}

static void
need_words(FingerprintCapProbe *probe)
{
	if (probe->has_words)
		return;
	round_codebooks(&probe->books);
	find_levels(probe->features, probe->levels);
	(void) write_sketch(&probe->books, probe->features, probe->levels, probe->sketch);
	probe->has_words = true;
}

int
fingerprint_word_evidence(FingerprintCapProbe *probe, const void *features)
{
	FingerprintLevels levels;
	uint8_t           sketch[FINGERPRINT_SKETCH_MAX_SIZE];
	int               count = fingerprint_minutia_count(features);
	int               worth[2];

	need_words(probe);
	find_levels(features, levels);
	(void) write_sketch(&probe->books, features, levels, sketch);
	worth[0] = sketch_worth(&probe->books, levels, count, probe->sketch);
	worth[1] = sketch_worth(&probe->books, probe->levels, probe->sketch[1], sketch);
	return fingerprint_cap_evidence(worth[0] < worth[1] ? worth[0] : worth[1], count,
									probe->sketch[1]);
}

/* The least evidence whose cap is within a limit, by bisection */
static int
least_evidence(double limit)
{
	int low = -1;
	int high =
		(int) fingerprint_caps[FINGERPRINT_CAP_WORDS][FINGERPRINT_CAP_KNOTS - 1].evidence + 1;

	/* low is not within it, high is: nothing caps from the last knot on */
	while (low + 1 < high)
	{
		int middle = (low + high) / 2;

		if (fingerprint_cap(FINGERPRINT_CAP_WORDS, middle) <= limit)
			high = middle;
		else
			low = middle;
	}
	return high;
}

void
fingerprint_cap_sketches(FingerprintCapProbe *probe, int n, const void *const *sketches,
						 double limit, bool *within)
{
	int position = probe->features[0];
	int count = probe->features[1];

	if (!(probe->limit == limit))
	{
		probe->least_evidence = least_evidence(limit);
		probe->limit = limit;
	}
	if (probe->least_evidence > 0 && !probe->has_worth)
	{
		need_words(probe);
		tabulate_worth(&probe->books, probe->levels, count, probe->worth);
		probe->has_worth = true;
	}
	for (int i = 0; i < n; i++)
	{
		const uint8_t *sketch = sketches[i];
		int            words = sketch[1];
		const uint8_t *first = sketch + SKETCH_HEADER;
		int            smaller = words < count ? words : count;
		int            worth = 0;

		if (smaller == 0 || (position != 0 && sketch[0] != 0 && position != sketch[0]))
		{
			within[i] = limit >= FINGERPRINT_DISTANCE_NONMATED;
			continue;
		}
		within[i] = true;
		if (probe->least_evidence == 0)
			continue;
		for (int j = 0; j < words; j++)
			worth += probe->worth[first[j]][first[words + j]];

		/* what may be the same finger's features is not capped */
		within[i] = fingerprint_cap_evidence(worth, words, count) >= probe->least_evidence ||
					(words == count && memcmp(sketch, probe->sketch, SKETCH_SIZE(words)) == 0);
	}
}
