/*
 * triples.c
 *		Words of a finger: which triangles its minutiae make.
 *
 * A lost or an invented minutia changes the descriptors of all that are near.
 * A triangle changes only if it loses a corner, so triangles find mates whose
 * descriptors do not.
 *
 * Each minutia makes triangles with its nearest neighbours.  A triangle is told
 * by six numbers: its longest side, where the third corner lies beside that
 * side, and the directions of the three minutiae relative to it.  Turning and
 * moving the finger changes none.  The key has the bin of each number, the
 * signature in which third of the bin the number is (none, one or both of two bits),
 * and the tag how the longest side is turned.
 *
 * A probe has more triangles, with more neighbours, and each has many words:
 * the cells that the mate's numbers may fall in, as they differ by a nearly normal
 * error.  A cell's cost is that of a minutia's word (words.c): the
 * logarithm of its probability over its frequency among all triangles, which is
 * taken for the product of that of its sides and of its directions.
 */
#include "match/fingerprint/words.h"

#include "match/portable_math.h"

#include <math.h>
#include <stdlib.h>

/* neighbours of a minutia that make triangles with it, in a gallery and in a probe */
#define NEIGHBOURS       3
#define PROBE_NEIGHBOURS 6

/* how far they are, pixels */
#define NEAREST  6
#define FARTHEST 110

/* triangles of an entry that have words, by its minutiae; those of a probe */
#define INDEXED(minutiae) (24 + (minutiae))
#define MAX_TRIANGLES     600

/* bins: pixels of the longest side, and of the third corner along and beside it; 1/256 turns */
#define NUMBERS   6
#define BIN_COUNT 8
#define SIDES     512 /* cells of the first three, and of the last three */
static const float bin_size[NUMBERS] = {13, 13, 12, 32, 32, 32};

/* the error of lengths, pixels: grows with the longest side; of directions, 1/256 turns */
#define LENGTH_ERROR    3.5f
#define STRETCH_ERROR   0.03f
#define DIRECTION_ERROR 6.4f

/* the 1/256 turns by which a side of length 1 turns, and so all directions, if its ends are off by 1 */
#define TURN_OF_LENGTH 32.6f

/* the normal distribution below z = 0, 1/16 ... 4, and the cost of a probability in 64ths */
#define ONE       4096
#define PER_SIGMA 16
#define LAST_Z    64
static const int16_t share_below[LAST_Z + 1] = {
	2048, 2150, 2252, 2353, 2452, 2550, 2647, 2741, 2832, 2921, 3007, 3089, 3168,
	3243, 3315, 3382, 3446, 3506, 3562, 3615, 3663, 3708, 3750, 3788, 3822, 3854,
	3883, 3909, 3932, 3953, 3971, 3988, 4003, 4016, 4027, 4037, 4046, 4054, 4060,
	4066, 4071, 4075, 4078, 4081, 4084, 4086, 4088, 4089, 4090, 4092, 4092, 4093,
	4094, 4094, 4094, 4095, 4095, 4095, 4095, 4096, 4096, 4096, 4096, 4096, 4096};
static const uint8_t cost_of[ONE / 64] = {
	39, 30, 26, 23, 21, 20, 18, 17, 16, 15, 14, 14, 13, 12, 12, 11, 11, 10, 10, 10, 9, 9,
	8,  8,  8,  7,  7,  7,  6,  6,  6,  6,  5,  5,  5,  5,  4,  4,  4,  4,  4,  3,  3, 3,
	3,  3,  3,  2,  2,  2,  2,  2,  2,  1,  1,  1,  1,  1,  1,  1,  0,  0,  0,  0};

/* a bin beside the right one is looked at if it has at least this share, a cell if it costs no more */
#define LEAST_OF_BIN (ONE * 12 / 100)
#define MOST_OF_CELL 37 /* 1 in 100 */

/* longest sides that differ by less may be mistaken for each other, pixels */
#define AMBIGUOUS      6.0f
#define AMBIGUOUS_COST 6 /* at no difference; twice as much at the largest */

typedef struct Triangle
{
	float   numbers[NUMBERS];
	int     cost; /* of the chance that the mate's triangle is seen like this */
	uint8_t tag;
} Triangle;

/* a triangle's minutiae, ascending, and how little it can be relied on */
typedef struct Corners
{
	uint32_t minutiae; /* a byte each */
	int32_t  badness;
} Corners;

static int
compare_corners(const void *a, const void *b)
{
	const Corners *x = a;
	const Corners *y = b;

	return x->minutiae < y->minutiae ? -1 : x->minutiae > y->minutiae;
}

static int
compare_badness(const void *a, const void *b)
{
	const Corners *x = a;
	const Corners *y = b;

	if (x->badness != y->badness)
		return x->badness < y->badness ? -1 : 1;
	return compare_corners(a, b);
}

/* The nearest minutiae of one: how many, and which */
static int
find_neighbours(const int16_t *x, const int16_t *y, int count, int minutia, int max,
				uint8_t neighbours[PROBE_NEIGHBOURS], int32_t squares[PROBE_NEIGHBOURS])
{
	int n = 0;

	for (int j = 0; j < count; j++)
	{
		int32_t dx = x[j] - x[minutia];
		int32_t dy = y[j] - y[minutia];
		int32_t square;
		int     at;

		if (dx > FARTHEST * FINGERPRINT_UNIT || dx < -FARTHEST * FINGERPRINT_UNIT ||
			dy > FARTHEST * FINGERPRINT_UNIT || dy < -FARTHEST * FINGERPRINT_UNIT)
			continue;
		square = dx * dx + dy * dy;
		if (square >= FARTHEST * FINGERPRINT_UNIT * FARTHEST * FINGERPRINT_UNIT ||
			square <= NEAREST * FINGERPRINT_UNIT * NEAREST * FINGERPRINT_UNIT ||
			(n == max && square >= squares[n - 1]))
			continue;
		n += n < max;
		for (at = n - 1; at > 0 && square < squares[at - 1]; at--)
		{
			squares[at] = squares[at - 1];
			neighbours[at] = neighbours[at - 1];
		}
		squares[at] = square;
		neighbours[at] = (uint8_t) j;
	}
	return n;
}

static uint32_t
ascending(int a, int b, int c)
{
	int low = a < b ? (a < c ? a : c) : (b < c ? b : c);
	int high = a > b ? (a > c ? a : c) : (b > c ? b : c);

	return (uint32_t) (low << 16 | (a + b + c - low - high) << 8 | high);
}

/* The corners of the best triangles, at most max.  corners has room for all. */
static int
list_corners(const void *features, int neighbours_wanted, int max, const int16_t *x,
			 const int16_t *y, Corners *corners)
{
	int count = fingerprint_minutia_count(features);
	int n = 0;
	int distinct = 0;

	for (int i = 0; i < count; i++)
	{
		uint8_t neighbours[PROBE_NEIGHBOURS];
		int32_t squares[PROBE_NEIGHBOURS];
		int     found = find_neighbours(x, y, count, i, neighbours_wanted, neighbours, squares);

		for (int a = 0; a < found; a++)
			for (int b = a + 1; b < found; b++)
			{
				int weights = fingerprint_minutia_weight(features, i) +
							  fingerprint_minutia_weight(features, neighbours[a]) +
							  fingerprint_minutia_weight(features, neighbours[b]);

				corners[n].minutiae = ascending(i, neighbours[a], neighbours[b]);
				corners[n++].badness =
					(int32_t) (sqrtf((float) squares[a]) + sqrtf((float) squares[b])) -
					6 * FINGERPRINT_UNIT * weights;
			}
	}

	/* a triangle that several of its corners make counts once, as the best of them */
	qsort(corners, n, sizeof(Corners), compare_corners);
	for (int i = 0; i < n; i++)
	{
		if (distinct == 0 || corners[i].minutiae != corners[distinct - 1].minutiae)
			corners[distinct++] = corners[i];
		else if (corners[i].badness < corners[distinct - 1].badness)
			corners[distinct - 1].badness = corners[i].badness;
	}
	if (distinct > max)
	{
		qsort(corners, distinct, sizeof(Corners), compare_badness);
		distinct = max;
	}
	return distinct;
}

/* The triangle seen from one of its sides, which leads from a to b */
static void
look_from(const void *features, const int16_t *x, const int16_t *y, int a, int b, int c,
		  Triangle *triangle)
{
	float dx = (float) (x[b] - x[a]) * (1.0f / FINGERPRINT_UNIT);
	float dy = (float) (y[b] - y[a]) * (1.0f / FINGERPRINT_UNIT);
	float ex = (float) (x[c] - x[a]) * (1.0f / FINGERPRINT_UNIT);
	float ey = (float) (y[c] - y[a]) * (1.0f / FINGERPRINT_UNIT);
	float length = sqrtf(dx * dx + dy * dy);
	float heading = (float) (portable_atan2(dy, dx) * (128 / PORTABLE_PI));
	int   corner[3] = {a, b, c};

	/* neighbours of one minutia can have one place */
	length = length < 1 ? 1 : length;
	heading = heading < 0 ? heading + 256 : heading;
	triangle->numbers[0] = length;
	triangle->numbers[1] = (ex * dx + ey * dy) / length;
	triangle->numbers[2] = (dx * ey - dy * ex) / length;
	for (int k = 0; k < 3; k++)
	{
		float turn = (float) fingerprint_minutia_angle(features, corner[k]) - heading;

		triangle->numbers[3 + k] = turn < 0 ? turn + 256 : turn;
	}
	triangle->cost = 0;
	triangle->tag = (uint8_t) ((int) (heading * (1.0f / 16)) & 15);
}

/* Its views from the longest side, and from those that may be the longest if they count: 1 to 3 */
static int
look_at(const void *features, const int16_t *x, const int16_t *y, uint32_t minutiae, bool ambiguous,
		Triangle views[3])
{
	int   corner[4] = {(int) (minutiae >> 16), (int) (minutiae >> 8 & 255), (int) (minutiae & 255)};
	float length[3];
	int   longest = 0;
	int   n = 0;
	int32_t cross = (int32_t) (x[corner[1]] - x[corner[0]]) * (y[corner[2]] - y[corner[0]]) -
					(int32_t) (y[corner[1]] - y[corner[0]]) * (x[corner[2]] - x[corner[0]]);

	/* counter-clockwise */
	if (cross < 0)
	{
		int swapped = corner[1];

		corner[1] = corner[2];
		corner[2] = swapped;
	}
	corner[3] = corner[0];
	for (int s = 0; s < 3; s++)
	{
		float dx = (float) (x[corner[s + 1]] - x[corner[s]]) * (1.0f / FINGERPRINT_UNIT);
		float dy = (float) (y[corner[s + 1]] - y[corner[s]]) * (1.0f / FINGERPRINT_UNIT);

		length[s] = sqrtf(dx * dx + dy * dy);
		longest = length[s] > length[longest] ? s : longest;
	}
	look_from(features, x, y, corner[longest], corner[longest + 1], corner[(longest + 2) % 3],
			  &views[n++]);
	for (int s = 0; s < 3 && ambiguous; s++)
	{
		float shorter = length[longest] - length[s];

		if (s == longest || shorter >= AMBIGUOUS)
			continue;
		look_from(features, x, y, corner[s], corner[s + 1], corner[(s + 2) % 3], &views[n]);
		views[n++].cost = AMBIGUOUS_COST + (int) shorter * AMBIGUOUS_COST / (int) AMBIGUOUS;
	}
	return n;
}

static void
read_places(const void *features, int16_t *x, int16_t *y)
{
	for (int i = 0; i < fingerprint_minutia_count(features); i++)
	{
		x[i] = (int16_t) fingerprint_minutia_x(features, i);
		y[i] = (int16_t) fingerprint_minutia_y(features, i);
	}
}

static int
bin_of(int number, float value)
{
	int bin = (int) (value / bin_size[number]);

	return bin < 0 ? 0 : bin >= BIN_COUNT ? BIN_COUNT - 1 : bin;
}

/* In which third of a bin a value is, one beside the bin at its edge: 0, 1 or 3 */
static unsigned
third_of(int number, float value, int bin)
{
	float within = (value - (float) bin * bin_size[number]) * 3 / bin_size[number];

	return within < 1 ? 0 : within < 2 ? 1 : 3;
}

int
fingerprint_triples(const void *features, Word *words)
{
	int16_t  x[FINGERPRINT_MAX_MINUTIAE], y[FINGERPRINT_MAX_MINUTIAE];
	Corners  corners[FINGERPRINT_MAX_MINUTIAE * NEIGHBOURS * (NEIGHBOURS - 1) / 2];
	Triangle triangle[3];
	int      count;
	int      n = 0;

	read_places(features, x, y);
	count = list_corners(features, NEIGHBOURS, INDEXED(fingerprint_minutia_count(features)), x, y,
						 corners);
	for (int i = 0; i < count; i++)
	{
		Word *word = &words[n];

		look_at(features, x, y, corners[i].minutiae, false, triangle);
		word->key = 0;
		word->signature = 0;
		for (int d = 0; d < NUMBERS; d++)
		{
			float value = triangle->numbers[d];
			int   bin = bin_of(d, value);

			word->key = word->key * BIN_COUNT + (uint32_t) bin;
			word->signature = (uint16_t) (word->signature << 2 | third_of(d, value, bin));
		}
		word->key += FINGERPRINT_TRIPLE_KEYS;
		word->tag = triangle->tag;
		word->weight = 0;
		word->slope = 0;
		n += fingerprint_word_is_new(words, n);
	}
	return n;
}

/* ---- of a probe ---------------------------------------------------------- */

/* The bins that a number of the mate may fall in, and what they cost */
typedef struct Bins
{
	int n;
	int bin[3];
	int third[3];
	int cost[3];
} Bins;

/* The share of a normal distribution below z sixteenths of its standard deviation */
static int
share_below_sixteenths(float z)
{
	float away = z < 0 ? -z : z;
	int   share = share_below[away < LAST_Z ? (int) (away + 0.5f) : LAST_Z];

	return z < 0 ? ONE - share : share;
}

/* value is not so far outside the bins that the next ones are */
static void
find_bins(int number, float value, float error, Bins *bins)
{
	bool  cyclic = number >= 3;
	int   middle = bin_of(number, value);
	float sixteenth = PER_SIGMA / error;
	int   below[4];

	bins->n = 0;
	for (int e = 0; e < 4; e++)
		below[e] = share_below_sixteenths(((float) (middle - 1 + e) * bin_size[number] - value) *
										  sixteenth);

	/* what lies beyond the last bins belongs to them */
	if (!cyclic && middle == 0)
		below[1] = 0;
	if (!cyclic && middle == BIN_COUNT - 1)
		below[2] = ONE;
	for (int e = 0; e < 3; e++)
	{
		int bin = middle - 1 + e;
		int share = below[e + 1] - below[e];

		if (e != 1 && (share < LEAST_OF_BIN || (!cyclic && (bin < 0 || bin >= BIN_COUNT))))
			continue;
		bins->third[bins->n] = (int) third_of(number, value, bin);
		bins->bin[bins->n] = (bin + BIN_COUNT) % BIN_COUNT;
		bins->cost[bins->n++] = cost_of[share < ONE ? share / 64 : ONE / 64 - 1];
	}
}

/* Hands the words of a view on */
static void
visit_cells(const Triangle *view, FingerprintWordVisitor visit, void *argument)
{
	float length = view->numbers[0];
	float error = LENGTH_ERROR + STRETCH_ERROR * length;
	float turn = error * TURN_OF_LENGTH / (length < 10 ? 10 : length);
	Bins  bins[NUMBERS];
	int   at[NUMBERS] = {0};
	int   cost[NUMBERS + 1];
	int   d = 0;

	turn = sqrtf(DIRECTION_ERROR * DIRECTION_ERROR + turn * turn);
	for (int k = 0; k < NUMBERS; k++)
		find_bins(k, view->numbers[k], k < 3 ? error : turn, &bins[k]);

	/* all choices of a bin for each number that are likely enough, one after the other */
	cost[0] = view->cost;
	while (d >= 0)
	{
		Word word = {0, 0, view->tag, 0, 0};

		if (at[d] == bins[d].n)
		{
			at[d--] = 0;
			if (d >= 0)
				at[d]++;
			continue;
		}
		cost[d + 1] = cost[d] + bins[d].cost[at[d]];
		if (cost[d + 1] > MOST_OF_CELL)
		{
			at[d]++;
			continue;
		}
		if (d < NUMBERS - 1)
		{
			d++;
			continue;
		}
		for (int k = 0; k < NUMBERS; k++)
		{
			word.key = word.key * BIN_COUNT + (uint32_t) bins[k].bin[at[k]];
			word.signature = (uint16_t) (word.signature << 2 | bins[k].third[at[k]]);
		}
		visit(argument, &word,
			  cost[NUMBERS] + fingerprint_triple_frequency[0][word.key / SIDES] +
				  fingerprint_triple_frequency[1][word.key % SIDES]);
		at[d]++;
	}
}

void
fingerprint_visit_triples(const void *features, FingerprintWordVisitor visit, void *argument)
{
	int16_t  x[FINGERPRINT_MAX_MINUTIAE], y[FINGERPRINT_MAX_MINUTIAE];
	Corners  corners[FINGERPRINT_MAX_MINUTIAE * PROBE_NEIGHBOURS * (PROBE_NEIGHBOURS - 1) / 2];
	Triangle views[3];
	int      count;

	read_places(features, x, y);
	count = list_corners(features, PROBE_NEIGHBOURS, MAX_TRIANGLES, x, y, corners);
	for (int i = 0; i < count; i++)
	{
		int n = look_at(features, x, y, corners[i].minutiae, true, views);

		for (int v = 0; v < n; v++)
			visit_cells(&views[v], visit, argument);
	}
}
