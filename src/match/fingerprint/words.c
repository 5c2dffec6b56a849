/*
 * words.c
 *		Words of a finger: which minutiae it has, coarsely.
 *
 * The key of a minutia is the cell that the strong dimensions of its
 * descriptor fall in: the nearest words of two codebooks, one after the other
 * (codebook.c).  The signature is the signs of the last dimensions, the
 * tag its direction.
 *
 * A mate's descriptor differs, so a probe's minutia has many words: all cells
 * that its mate may fall in.  With x the probe's descriptor and u the mate's,
 * the difference u - rho x is nearly normal with the same variance in every
 * dimension, so cell c is as likely as exp(-|c - rho x|^2 / 2 v) says, divided
 * by the sum over all cells.  The worth of a cell is this probability divided
 * by the probability that any finger has a minutia there.  The words are the
 * best cells of all minutiae together, and their weight is the logarithm of the
 * worth.
 */
#include "match/fingerprint/words.h"

#include "match/portable_math.h"

#define CODEWORDS  FINGERPRINT_CODEWORDS
#define DIMENSIONS FINGERPRINT_CODEBOOK_DIMENSIONS

/* codebooks count 1/16 levels */
#define LEVEL 16

/* the signature has the signs of these dimensions */
#define FIRST_SIGN 17

/* minutiae of an entry that have words: half of them, or so many if that is more */
#define LEAST_INDEXED 36

/* minutiae of a probe that have words */
#define MAX_PROBE_MINUTIAE 80

/* words of the first codebook that a mate may have */
#define SHORTLIST 8

/* costs are eighths of a natural logarithm, up to this one */
#define NATURAL  8
#define MAX_COST 255

/* keeps costs positive where a cell is very rare */
#define COST_BASE 64

/* what a differing bit of the signature takes from a minutia's votes, and from a triangle's; eighths */
#define MINUTIA_SLOPE  11
#define TRIANGLE_SLOPE 8

/* words of minutiae, at most; those of triangles may fill the rest */
#define MAX_MINUTIAE_WORDS 1600

/*
 * More postings lead to a triangle, and a mate has it less often: what that costs,
 * and the constant that makes the cost of a cell that of a minutia's
 */
#define TRIANGLE_COST (COST_BASE + 13)

/* a word that costs so much more than COST_BASE has weight 0 */
#define WORTHLESS 109

/* correlation of mates' levels in each dimension, 1/16 */
static const int8_t correlation[DIMENSIONS] = {16, 15, 15, 15, 14, 14, 14, 14, 13, 13,
											   13, 13, 13, 13, 13, 13, 13, 12, 12, 12};

/* variance of a mate's level around the expected one */
#define VARIANCE 8

/* a squared distance that costs 1 */
#define COST_DISTANCE (2 * VARIANCE * LEVEL * LEVEL / NATURAL)

/* neighbours within this many units say what a minutia is like, up to so many */
#define NEIGHBOURHOOD  (100 * FINGERPRINT_UNIT)
#define MAX_NEIGHBOURS 12

/*
 * The minutiae that can be relied on best, in that order: those with
 * neighbours, and of good quality.  Returns how many, at most max.
 */
static int
choose_minutiae(const void *features, int max, uint8_t *chosen)
{
	int count = fingerprint_minutia_count(features);
	int reliability[FINGERPRINT_MAX_MINUTIAE];
	int n = 0;

	for (int i = 0; i < count; i++)
	{
		int neighbours = 0;
		int k;

		for (int j = 0; j < count && neighbours < MAX_NEIGHBOURS; j++)
		{
			int dx = fingerprint_minutia_x(features, i) - fingerprint_minutia_x(features, j);
			int dy = fingerprint_minutia_y(features, i) - fingerprint_minutia_y(features, j);

			if (dx > NEIGHBOURHOOD || dx < -NEIGHBOURHOOD || dy > NEIGHBOURHOOD ||
				dy < -NEIGHBOURHOOD || i == j)
				continue;
			neighbours += dx * dx + dy * dy < NEIGHBOURHOOD * NEIGHBOURHOOD;
		}
		reliability[i] = 2 * neighbours + fingerprint_minutia_weight(features, i);
		if (n == max && reliability[i] <= reliability[chosen[n - 1]])
			continue;
		n += n < max;
		for (k = n - 1; k > 0 && reliability[i] > reliability[chosen[k - 1]]; k--)
			chosen[k] = chosen[k - 1];
		chosen[k] = (uint8_t) i;
	}
	return n;
}

/* How many of a gallery's minutiae have words */
static int
indexed_minutiae(const void *features)
{
	int half = (fingerprint_minutia_count(features) + 1) / 2;

	return half > LEAST_INDEXED ? half : LEAST_INDEXED;
}

static int
tag_of(const void *features, int minutia)
{
	return fingerprint_minutia_angle(features, minutia) >> 4;
}

static uint16_t
signature_of(const void *features, int minutia)
{
	unsigned signature = 0;

	for (int k = 0; k < FINGERPRINT_SIGNATURE_BITS; k++)
		signature |= (unsigned) (fingerprint_level(features, minutia, FIRST_SIGN + k) >= 0) << k;
	return (uint16_t) signature;
}

/* squared lengths of the words of a codebook */
static void
square_codewords(int codebook, int32_t squares[CODEWORDS])
{
	memset(squares, 0, sizeof(int32_t) * CODEWORDS);
	for (int d = 0; d < DIMENSIONS; d++)
		for (int k = 0; k < CODEWORDS; k++)
			squares[k] +=
				fingerprint_codebook[codebook][d][k] * fingerprint_codebook[codebook][d][k];
}

/* squared distances of x to the words of a codebook, in 1/256 squared levels */
CPU_INLINE void
distances_to_loop(const int16_t x[DIMENSIONS], int codebook, const int32_t squares[CODEWORDS],
				  int32_t *restrict distances)
{
	int32_t own = 0;

	for (int d = 0; d < DIMENSIONS; d++)
		own += x[d] * x[d];
	for (int k = 0; k < CODEWORDS; k++)
		distances[k] = squares[k] + own;
	for (int d = 0; d < DIMENSIONS; d++)
	{
		const int8_t *words = fingerprint_codebook[codebook][d];
		int16_t       twice = (int16_t) (2 * x[d]);

		for (int k = 0; k < CODEWORDS; k++)
			distances[k] -= (int32_t) twice * words[k];
	}
}

WIDER(void, distances_to,
	  (const int16_t x[DIMENSIONS], int codebook, const int32_t squares[CODEWORDS],
	   int32_t *restrict distances),
	  (x, codebook, squares, distances))

static int
least(const int32_t distances[CODEWORDS])
{
	int result = 0;

	for (int k = 1; k < CODEWORDS; k++)
		if (distances[k] < distances[result])
			result = k;
	return result;
}

static void
subtract_codeword(const int16_t x[DIMENSIONS], int word, int16_t residual[DIMENSIONS])
{
	for (int d = 0; d < DIMENSIONS; d++)
		residual[d] = (int16_t) (x[d] - fingerprint_codebook[0][d][word]);
}

int
fingerprint_words(const void *features, size_t size, Word *words)
{
	uint8_t chosen[FINGERPRINT_MAX_MINUTIAE_WORDS];
	int     count = choose_minutiae(features, indexed_minutiae(features), chosen);
	int32_t squares[2][CODEWORDS];
	int     n = 0;

	for (int codebook = 0; codebook < 2; codebook++)
		square_codewords(codebook, squares[codebook]);
	for (int i = 0; i < count; i++)
	{
		int16_t x[DIMENSIONS];
		int32_t distances[CODEWORDS];
		int     first;
		Word   *word = &words[n];

		for (int d = 0; d < DIMENSIONS; d++)
			x[d] = (int16_t) (LEVEL * fingerprint_level(features, chosen[i], d));
		distances_to(x, 0, squares[0], distances);
		first = least(distances);
		subtract_codeword(x, first, x);
		distances_to(x, 1, squares[1], distances);

		word->key = (uint32_t) (first * CODEWORDS + least(distances));
		word->signature = signature_of(features, chosen[i]);
		word->tag = (uint8_t) tag_of(features, chosen[i]);
		word->weight = 0;
		word->slope = 0;
		n += fingerprint_word_is_new(words, n);
	}
	return n + fingerprint_triples(features, words + n);
}

/* the cells that the mate of a minutia may fall in, and what they cost */
typedef struct Cells
{
	uint8_t first[SHORTLIST]; /* words of the first codebook */
	uint8_t cost[SHORTLIST][CODEWORDS];
} Cells;

static void
shortlist(const int32_t distances[CODEWORDS], uint8_t first[SHORTLIST])
{
	int n = 0;

	for (int k = 0; k < CODEWORDS; k++)
	{
		int at;

		if (n == SHORTLIST && distances[k] >= distances[first[n - 1]])
			continue;
		n += n < SHORTLIST;
		for (at = n - 1; at > 0 && distances[k] < distances[first[at - 1]]; at--)
			first[at] = first[at - 1];
		first[at] = (uint8_t) k;
	}
}

/* distances to costs, none for the nearest */
CPU_INLINE void
cost_distances_loop(const int32_t distances[CODEWORDS], int32_t nearest, uint8_t *restrict costs)
{
	for (int k = 0; k < CODEWORDS; k++)
	{
		int32_t cost = (distances[k] - nearest + COST_DISTANCE / 2) / COST_DISTANCE;

		costs[k] = (uint8_t) (cost < MAX_COST ? cost : MAX_COST);
	}
}

WIDER(void, cost_distances,
	  (const int32_t distances[CODEWORDS], int32_t nearest, uint8_t *restrict costs),
	  (distances, nearest, costs))

/* add what the first word of a cell, and the second, cost */
CPU_INLINE void
add_costs_loop(int first, const int8_t second[CODEWORDS], uint8_t *restrict costs)
{
	for (int k = 0; k < CODEWORDS; k++)
	{
		int cost = costs[k] + first + second[k];

		cost = cost < MAX_COST ? cost : MAX_COST;
		costs[k] = (uint8_t) (cost > 0 ? cost : 0);
	}
}

WIDER(void, add_costs, (int first, const int8_t second[CODEWORDS], uint8_t *restrict costs),
	  (first, second, costs))

static void
find_cells(const void *features, int minutia, int32_t squares[2][CODEWORDS],
		   const double decay[MAX_COST + 1], Cells *cells)
{
	int16_t x[DIMENSIONS];
	int32_t distances[SHORTLIST][CODEWORDS];
	int32_t nearest = INT32_MAX;
	double  sum = 0;
	int     normal;

	for (int d = 0; d < DIMENSIONS; d++)
		x[d] = (int16_t) (correlation[d] * fingerprint_level(features, minutia, d));
	distances_to(x, 0, squares[0], distances[0]);
	shortlist(distances[0], cells->first);
	for (int s = 0; s < SHORTLIST; s++)
	{
		int16_t residual[DIMENSIONS];

		subtract_codeword(x, cells->first[s], residual);
		distances_to(residual, 1, squares[1], distances[s]);
		for (int k = 0; k < CODEWORDS; k++)
			nearest = distances[s][k] < nearest ? distances[s][k] : nearest;
	}
	for (int s = 0; s < SHORTLIST; s++)
	{
		cost_distances(distances[s], nearest, cells->cost[s]);
		for (int k = 0; k < CODEWORDS; k++)
			sum += decay[cells->cost[s][k]];
	}

	/* the likelihoods' sum is to be 1; and what a cell is worth is relative to its frequency */
	normal = (int) (NATURAL * portable_log(sum) + 0.5) + COST_BASE;
	for (int s = 0; s < SHORTLIST; s++)
		add_costs(normal + fingerprint_codeword_frequency[0][cells->first[s]],
				  fingerprint_codeword_frequency[1], cells->cost[s]);
}

/* Words of triangles: counted by their costs first, then each put where all cheaper ones end */
typedef struct TripleWords
{
	int  *at;
	int   limit;
	Word *words; /* NULL while they are counted */
} TripleWords;

static int
weight_of(int cost)
{
	int weight = (COST_BASE + WORTHLESS - cost) / NATURAL;

	return weight < WORD_MAX_WEIGHT ? weight : WORD_MAX_WEIGHT;
}

static void
visit_triple(void *argument, const Word *word, int cost)
{
	TripleWords *triples = argument;
	Word        *place;

	cost += TRIANGLE_COST;
	cost = cost < 0 ? 0 : cost > MAX_COST ? MAX_COST : cost;
	if (triples->words == NULL)
		triples->at[cost]++;
	else if (cost < triples->limit)
	{
		place = &triples->words[triples->at[cost]++];
		*place = *word;
		place->key += FINGERPRINT_TRIPLE_KEYS;
		place->weight = (uint8_t) weight_of(cost);
		place->slope = TRIANGLE_SLOPE;
	}
}

int
fingerprint_probe_words(const void *features, size_t size, Word *words)
{
	uint8_t     chosen[MAX_PROBE_MINUTIAE];
	int         count = choose_minutiae(features, MAX_PROBE_MINUTIAE, chosen);
	int32_t     squares[2][CODEWORDS];
	double      decay[MAX_COST + 1]; /* exp(-cost / NATURAL) */
	int         at[MAX_COST + 1] = {0};
	int         n = 0;
	int         limit;
	Cells       cells;
	TripleWords triples = {at, 0, NULL};

	for (int codebook = 0; codebook < 2; codebook++)
		square_codewords(codebook, squares[codebook]);
	decay[0] = 1;
	for (int cost = 1; cost <= MAX_COST; cost++)
		decay[cost] = decay[cost - 1] * 0.88249690258459540;

	/* how many words of minutiae have each cost, and which are too expensive */
	for (int i = 0; i < count; i++)
	{
		find_cells(features, chosen[i], squares, decay, &cells);
		for (int s = 0; s < SHORTLIST; s++)
			for (int k = 0; k < CODEWORDS; k++)
				at[cells.cost[s][k]]++;
	}
	for (limit = 0; limit < COST_BASE + WORTHLESS - NATURAL; limit++)
	{
		if (n + at[limit] > MAX_MINUTIAE_WORDS)
			break;
		n += at[limit];
	}
	memset(at + limit, 0, sizeof(int) * (size_t) (MAX_COST + 1 - limit));

	/* with those of triangles: words go where all cheaper ones end */
	fingerprint_visit_triples(features, visit_triple, &triples);
	n = 0;
	for (triples.limit = 0; triples.limit < COST_BASE + WORTHLESS - NATURAL; triples.limit++)
	{
		int here = at[triples.limit];

		if (n + here > FINGERPRINT_MAX_PROBE_WORDS)
			break;
		at[triples.limit] = n;
		n += here;
	}
	limit = limit < triples.limit ? limit : triples.limit;

	triples.words = words;
	fingerprint_visit_triples(features, visit_triple, &triples);
	for (int i = 0; i < count; i++)
	{
		uint16_t signature = signature_of(features, chosen[i]);
		int      tag = tag_of(features, chosen[i]);

		find_cells(features, chosen[i], squares, decay, &cells);
		for (int s = 0; s < SHORTLIST; s++)
			for (int k = 0; k < CODEWORDS; k++)
			{
				int   cost = cells.cost[s][k];
				Word *word;

				if (cost >= limit)
					continue;
				word = &words[at[cost]++];
				word->key = (uint32_t) (cells.first[s] * CODEWORDS + k);
				word->signature = signature;
				word->tag = (uint8_t) tag;
				word->weight = (uint8_t) weight_of(cost);
				word->slope = MINUTIA_SLOPE;
			}
	}
	return n;
}
