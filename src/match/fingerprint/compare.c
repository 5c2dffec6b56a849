/*
 * compare.c
 *		Distance of two fingers.
 *
 * Local, then global.  Every minutia of one finger is compared with every
 * minutia of the other by their descriptors alone; the likeliest pairs are the
 * candidates.  Candidates with similar rotation and stretch support each other.
 * The best supported ones, with their supporters, suggest alignments of the two
 * fingers.  For each alignment, one finger is moved onto the other and bent to
 * fit the pairs found so far, and all minutiae are paired again.  The evidence
 * is what the best alignment shows, and how well its pairs agree with each
 * other; weigh.c weighs it.
 *
 * Two stages stop early for pairs that would almost never reach a useful score.
 * The first looks at a few candidates and their support, the second at the
 * alignments before they are refined.
 *
 * Deterministic: integers, and floating point additions, multiplications,
 * divisions and square roots in an order fixed by the source.  Symmetric: the
 * two blocks of features are put in a fixed order first.
 */
#include "match/fingerprint/caps.h"
#include "match/fingerprint/internal.h"
#include "match/fingerprint/likelihood.h"
#include "match/fingerprint/parameters.h"
#include "match/portable_math.h"

#include <math.h>
#include <string.h>

#define MAX_MINUTIAE FINGERPRINT_MAX_MINUTIAE

/* arrays that are filled up to whole vectors of 8 */
#define PADDED               (MAX_MINUTIAE + 1)
#define WHOLE_VECTORS(count) (((count) + 7) & ~7)

/* instead of a minutia's number */
#define NOBODY MAX_MINUTIAE

/* parts of a turn by which candidates are sorted: TURN_LIMIT is less than two of them and a bit */
#define TURNS 16

/* directions of the polygon that bounds a finger's minutiae */
#define DIRECTIONS 16

/* thresholds of likelihoods, in halves: lower ones do not differ */
#define LOWEST_LIKELIHOOD  (-120)
#define HIGHEST_LIKELIHOOD 127

/* how far apart and how much turned coarse places are of what may be paired */
#define COARSE_PIXELS           4
#define COARSE_REACH(tolerance) ((int) (tolerance) / COARSE_PIXELS + 1)
#define COARSE_TURN             22 /* 30 degrees, and what rounding the motion adds */

/* features, unpacked */
typedef struct Finger
{
	int            count;
	const uint8_t *bytes;     /* packed */
	float          x[PADDED]; /* pixels, ascending */
	float          y[PADDED];
	float          cosine[PADDED];
	float          sine[PADDED];
	float          support[DIRECTIONS]; /* farthest minutia in each direction */
	float          trust[PADDED];       /* mean 1 */
	uint8_t        type[PADDED];
	CoarseMinutiae coarse;
} Finger;

/* pairs of a minutia of the first finger and one of the second */
typedef struct Pairs
{
	int     count;
	uint8_t a[PADDED];
	uint8_t b[PADDED];
	float   ax[PADDED]; /* where they are */
	float   ay[PADDED];
	float   bx[PADDED];
	float   by[PADDED];
	float   cosine[PADDED]; /* of the turn from a's direction to b's */
	float   sine[PADDED];
} Pairs;

/* The first finger laid on the second, and what that shows */
typedef struct Alignment
{
	float   cosine;
	float   sine;
	float   shift_x;
	float   shift_y;
	int     count; /* pairs */
	uint8_t a[MAX_MINUTIAE];
	uint8_t b[MAX_MINUTIAE];
	float   weight[MAX_MINUTIAE];
	float   share[MAX_MINUTIAE];  /* of the evidence */
	float   square[MAX_MINUTIAE]; /* of the distance */
	float   evidence;             /* sum over the pairs */
	float   trusted;              /* sum of their weights */
	int     types;                /* of the same type, less of different type */
	float   squares;              /* of their distances */
} Alignment;

struct FingerprintProbe
{
	size_t           size;
	uint8_t          bytes[FINGERPRINT_FEATURES_MAX_SIZE];
	Finger           probe;
	Finger           other;
	float            direction_cosine[DIRECTIONS];
	float            direction_sine[DIRECTIONS];
	LikelihoodTables tables[MAX_MINUTIAE];
	int8_t           likelihood[MAX_MINUTIAE][LIKELIHOOD_STRIDE]; /* [probe's][other's], halves */
	int8_t           best[LIKELIHOOD_STRIDE];                     /* of each row, else -128 */
	int8_t           most[LIKELIHOOD_STRIDE];                     /* of each column */
	Pairs            candidates;
	Pairs            aligned;
	CoarseMinutiae   moved;
	uint16_t         near[MAX_MINUTIAE * MAX_MINUTIAE];
	int              first_of_turn[TURNS + 1]; /* candidates, by sixteenths of their turn */
	float            compatible[MAX_CANDIDATES][MAX_CANDIDATES]; /* with those before */
	float            support[MAX_CANDIDATES];
	Alignment        alignments[MAX_SEEDS];
	Alignment        spare;

	FingerprintCapProbe caps;
	double              farthest_cap;
};

size_t
fingerprint_probe_size(void)
{
	return sizeof(FingerprintProbe);
}

static float
unit_cosine(int angle)
{
	return (float) fingerprint_cosine[angle & 255] * (1.0f / 16384.0f);
}

static float
unit_sine(int angle)
{
	return (float) fingerprint_sine(angle) * (1.0f / 16384.0f);
}

/* at most as far apart as they were, and a little more from rounding */
CPU_INLINE void
make_coarse_loop(const float *restrict x, const float *restrict y, int count,
				 CoarseMinutiae *restrict coarse)
{
	for (int i = 0; i < count; i++)
	{
		float u = x[i] * (1.0f / COARSE_PIXELS) + 128;
		float v = y[i] * (1.0f / COARSE_PIXELS) + 128;

		u = u < 0 ? 0 : u;
		u = u > 255 ? 255 : u;
		v = v < 0 ? 0 : v;
		v = v > 255 ? 255 : v;
		coarse->x[i] = (uint8_t) (int) u;
		coarse->y[i] = (uint8_t) (int) v;
	}
}

WIDER(void, make_coarse,
	  (const float *restrict x, const float *restrict y, int count,
	   CoarseMinutiae *restrict coarse),
	  (x, y, count, coarse))

static void
unpack(Finger *finger, const void *features)
{
	const uint8_t *bytes = features;
	int            count = bytes[1];
	const uint8_t *x = bytes + FINGERPRINT_HEADER_SIZE;
	const uint8_t *y = x + 2 * count;
	const uint8_t *angle = y + 2 * count;
	const uint8_t *kind = angle + count;

	finger->count = count;
	for (int i = 0; i < count; i++)
	{
		int16_t value;

		memcpy(&value, x + 2 * i, 2);
		finger->x[i] = (float) value * (1.0f / FINGERPRINT_UNIT);
		memcpy(&value, y + 2 * i, 2);
		finger->y[i] = (float) value * (1.0f / FINGERPRINT_UNIT);
		finger->cosine[i] = unit_cosine(angle[i]);
		finger->sine[i] = unit_sine(angle[i]);
		finger->trust[i] = (float) (kind[i] & 15) * (1.0f / FINGERPRINT_WEIGHT_ONE);
		finger->type[i] = kind[i] >> 4;
	}

	make_coarse(finger->x, finger->y, count, &finger->coarse);
	memcpy(finger->coarse.angle, angle, count);

	/* what fills the last vector is near nothing */
	for (int i = count; i < WHOLE_VECTORS(count); i++)
	{
		finger->x[i] = finger->y[i] = 1e6f;
		finger->cosine[i] = finger->sine[i] = finger->trust[i] = 0;
	}
}

/* the polygon that bounds a finger's minutiae */
CPU_INLINE void
bound_loop(const FingerprintProbe *probe, Finger *finger)
{
	float farthest[DIRECTIONS];

	for (int d = 0; d < DIRECTIONS; d++)
		farthest[d] = -1e6f;
	for (int i = 0; i < finger->count; i++)
		for (int d = 0; d < DIRECTIONS; d++)
		{
			float reach =
				finger->x[i] * probe->direction_cosine[d] + finger->y[i] * probe->direction_sine[d];

			farthest[d] = reach > farthest[d] ? reach : farthest[d];
		}
	memcpy(finger->support, farthest, sizeof(farthest));
}

WIDER(void, bound, (const FingerprintProbe *probe, Finger *finger), (probe, finger))

void
fingerprint_probe_init(FingerprintProbe *probe, const void *features, size_t size)
{
	for (int d = 0; d < DIRECTIONS; d++)
	{
		probe->direction_cosine[d] = unit_cosine(d * (256 / DIRECTIONS));
		probe->direction_sine[d] = unit_sine(d * (256 / DIRECTIONS));
	}
	memset(probe->best, -128, sizeof(probe->best));

	/* compatibilities() reads whole vectors: what stands after the last pair does not matter, but is set */
	memset(&probe->candidates, 0, sizeof(probe->candidates));
	memset(&probe->aligned, 0, sizeof(probe->aligned));
	memcpy(probe->bytes, features, size);
	probe->size = size;
	probe->probe.bytes = probe->bytes;
	unpack(&probe->probe, probe->bytes);
	bound(probe, &probe->probe);
	fingerprint_likelihood_tables(fingerprint_descriptors(probe->bytes, probe->probe.count),
								  probe->probe.count, probe->tables);
	fingerprint_cap_probe_init(&probe->caps, probe->bytes);
	probe->farthest_cap = fingerprint_farthest_cap();
}

static inline void
add_pair(Pairs *pairs, const Finger *a, const Finger *b, int i, int j)
{
	int k = pairs->count++;
	int turn = fingerprint_minutia_angle(b->bytes, j) - fingerprint_minutia_angle(a->bytes, i);

	/* from the packed features: most fingers are never unpacked */
	pairs->a[k] = (uint8_t) i;
	pairs->b[k] = (uint8_t) j;
	pairs->ax[k] = (float) fingerprint_minutia_x(a->bytes, i) * (1.0f / FINGERPRINT_UNIT);
	pairs->ay[k] = (float) fingerprint_minutia_y(a->bytes, i) * (1.0f / FINGERPRINT_UNIT);
	pairs->bx[k] = (float) fingerprint_minutia_x(b->bytes, j) * (1.0f / FINGERPRINT_UNIT);
	pairs->by[k] = (float) fingerprint_minutia_y(b->bytes, j) * (1.0f / FINGERPRINT_UNIT);
	pairs->cosine[k] = unit_cosine(turn);
	pairs->sine[k] = unit_sine(turn);
}

/* four times the log-likelihood ratio of a pair */
static inline int
likelihood_of(const FingerprintProbe *p, const Finger *a, int i, int j)
{
	return 2 * (a == &p->probe ? p->likelihood[i][j] : p->likelihood[j][i]);
}

/* swaps the sides of pairs, and puts them in the order of what comes first then */
static void
sort_swapped(uint16_t *pairs, int n)
{
	for (int i = 0; i < n; i++)
	{
		uint16_t pair = (uint16_t) (pairs[i] << 8 | pairs[i] >> 8);
		int      k = i;

		for (; k > 0 && pairs[k - 1] > pair; k--)
			pairs[k] = pairs[k - 1];
		pairs[k] = pair;
	}
}

/*
 * The candidates: pairs by sixteenths of their turn, else in their order.  Those
 * that can agree stand near each other so.
 */
static void
add_by_turn(FingerprintProbe *p, const Finger *a, const Finger *b, const uint16_t *pairs, int n)
{
	uint8_t sixteenth[MAX_CANDIDATES];
	uint8_t order[MAX_CANDIDATES];
	int    *first = p->first_of_turn;

	memset(first, 0, sizeof(p->first_of_turn));
	for (int k = 0; k < n; k++)
	{
		int turn = fingerprint_minutia_angle(b->bytes, pairs[k] & 255) -
				   fingerprint_minutia_angle(a->bytes, pairs[k] >> 8);

		sixteenth[k] = (uint8_t) ((turn & 255) / (256 / TURNS));
		first[sixteenth[k] + 1]++;
	}
	for (int turn = 0; turn < TURNS; turn++)
		first[turn + 1] += first[turn];
	for (int k = n - 1; k >= 0; k--)
		order[--first[sixteenth[k] + 1]] = (uint8_t) k;

	/* after counting down, each is where the previous sixteenth ends */
	memmove(first, first + 1, TURNS * sizeof(first[0]));
	first[TURNS] = n;
	p->candidates.count = 0;
	for (int k = 0; k < n; k++)
		add_pair(&p->candidates, a, b, pairs[order[k]] >> 8, pairs[order[k]] & 255);
}

/*
 * The likeliest pairs, all down to the lowest threshold that lets at most the
 * limit in.
 */
static void
choose_candidates(FingerprintProbe *p, const Finger *a, const Finger *b, int limit)
{
	static const uint8_t only[1] = {0};
	int                  low;
	int                  n;
	int                  nrows = 0;
	uint16_t             chosen[MAX_CANDIDATES];
	uint8_t              rows[MAX_MINUTIAE];

	/* if the best of a row reaches a threshold, the row has such a pair */
	low = fingerprint_likelihood_threshold(&p->best, only, 1, p->probe.count, limit,
										   LOWEST_LIKELIHOOD, HIGHEST_LIKELIHOOD);
	for (int i = 0; i < p->probe.count; i++)
	{
		rows[nrows] = (uint8_t) i;
		nrows += p->best[i] >= low;
	}
	low = fingerprint_likelihood_threshold(p->likelihood, rows, nrows, p->other.count, limit, low,
										   HIGHEST_LIKELIHOOD);

	if (low == HIGHEST_LIKELIHOOD)
	{
		/*
		 * more than the limit may have the highest likelihood: the first ones
		 * are taken
		 */
		n = 0;
		for (int i = 0; i < a->count; i++)
			for (int j = 0; j < b->count && n < limit; j++)
				if (likelihood_of(p, a, i, j) >= 2 * HIGHEST_LIKELIHOOD)
					chosen[n++] = (uint16_t) (i << 8 | j);
	}
	else
	{
		n = fingerprint_list_likely(p->likelihood, rows, nrows, p->other.count, low, chosen);
		if (a != &p->probe)
			sort_swapped(chosen, n);
	}
	add_by_turn(p, a, b, chosen, n);
}

/*
 * Log-likelihood ratio that a pair and each one before it belong to one finger,
 * 0 where it is negative: their minutiae are as far apart in both fingers, and
 * seen in the same direction from each minutia's own.  The tolerance of lengths
 * grows with the length, because skin stretches.  The tolerance of directions
 * grows when minutiae are near, because positions are not exact.
 */
/* Of those from "from" to before "to", in blocks of 8: what lies around them may be set, too. */
CPU_INLINE void
compatibilities(const Pairs *pairs, int k, int from, int to, float *restrict result)
{
	for (int block = from & ~7; block < to; block += 8)
		for (int l = block; l < block + 8; l++)
		{
			float ax = pairs->ax[l] - pairs->ax[k];
			float ay = pairs->ay[l] - pairs->ay[k];
			float bx = pairs->bx[l] - pairs->bx[k];
			float by = pairs->by[l] - pairs->by[k];
			float length_a = sqrtf(ax * ax + ay * ay);
			float length_b = sqrtf(bx * bx + by * by);
			float stretch = length_a - length_b;
			float sigma = LENGTH_DEVIATION + STRETCH_DEVIATION * (length_a + length_b);
			float turn = pairs->cosine[l] * pairs->cosine[k] + pairs->sine[l] * pairs->sine[k];
			float shorter = length_a < length_b ? length_a : length_b;
			float safe = shorter < NEAREST_PAIR ? NEAREST_PAIR : shorter;
			float longer = length_a < length_b ? length_b : length_a;
			float product = safe * (longer < NEAREST_PAIR ? NEAREST_PAIR : longer);
			float along = (pairs->cosine[l] + pairs->cosine[k]) * (ax * bx + ay * by) +
						  (pairs->sine[l] + pairs->sine[k]) * (ax * by - ay * bx);

			/*
			 * 1 - cosine between the two, turned as either pair turns; both
			 * summed, over the tolerance DIRECTION_TOLERANCE + (POSITION_TOLERANCE / length)^2
			 */
			float away = (2 * product - along) * (safe * safe);
			float tolerance = product * (DIRECTION_TOLERANCE * (safe * safe) +
										 POSITION_TOLERANCE * POSITION_TOLERANCE);

			/* one division for the two quotients */
			float variance = sigma * sigma;
			float ratio =
				FULL_AGREEMENT -
				(0.5f * stretch * stretch * tolerance + away * variance) / (variance * tolerance);

			/* the same minutia twice, or turns too far apart */
			ratio = shorter < NEAREST_PAIR ? 0 : ratio;
			ratio = turn < TURN_LIMIT ? 0 : ratio;
			result[l] = ratio > 0 ? ratio : 0;
		}
}

/*
 * Support of every candidate by the others: three rounds of the power
 * iteration towards the principal eigenvector of their compatibilities
 * (Leordeanu and Hebert, A spectral technique for correspondence problems,
 * 2005), starting from their own likelihoods.  Returns how large the supported
 * part is.
 */
CPU_INLINE float
support_candidates_loop(FingerprintProbe *p, const Finger *a)
{
	const Pairs *pairs = &p->candidates;
	int          n = pairs->count;
	float        unary[MAX_CANDIDATES];
	float        size = 0;
	int          turn = 0;

	for (int i = 0; i < n; i++)
	{
		float  likelihood = (float) likelihood_of(p, a, pairs->a[i], pairs->b[i]) * 0.08f + 4;
		float *row = p->compatible[i];

		/* candidates never agree if their turns are more than two sixteenths apart */
		while (turn < TURNS - 1 && i >= p->first_of_turn[turn + 1])
			turn++;
		memset(row, 0, WHOLE_VECTORS(i) * sizeof(row[0]));
		if (turn >= TURNS - 2)
			compatibilities(pairs, i, 0, p->first_of_turn[turn - (TURNS - 2) + 1], row);
		compatibilities(pairs, i, p->first_of_turn[turn < 2 ? 0 : turn - 2], i, row);
		for (int l = i; l < WHOLE_VECTORS(i); l++)
			row[l] = 0;
		unary[i] = likelihood < 0.5f ? 0.5f : likelihood;
		p->support[i] = unary[i];
	}
	for (int i = n; i < WHOLE_VECTORS(n); i++)
		p->support[i] = 0;
	for (int round = 0; round < 3; round++)
	{
		float next[MAX_CANDIDATES] = {0};
		float before[MAX_CANDIDATES];
		float total = 0;

		/* the compatibilities times the support: each serves both of its candidates */
		for (int i = 0; i < n; i++)
		{
			const float *row = p->compatible[i];
			float        own = p->support[i];
			float        sum[8] = {0};

			for (int block = 0; block < i; block += 8)
				for (int l = 0; l < 8; l++)
				{
					sum[l] += row[block + l] * p->support[block + l];
					next[block + l] += row[block + l] * own;
				}
			before[i] =
				((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
		}
		for (int i = 0; i < n; i++)
		{
			next[i] += before[i];
			if (round == 0)
				next[i] *= unary[i];
			total += next[i] * next[i];
		}
		if (!(total > 0))
			break;
		size = sqrtf(total);
		for (int i = 0; i < n; i++)
			p->support[i] = next[i] / size;
	}
	return size;
}

WIDER(float, support_candidates, (FingerprintProbe * p, const Finger *a), (p, a))

/* how well two candidates agree: 0 for one with itself */
static inline float
compatibility(const FingerprintProbe *p, int i, int k)
{
	return i > k ? p->compatible[i][k] : i < k ? p->compatible[k][i] : 0;
}

/*
 * The rotation and shift of least squared distance between the pairs (the
 * planar Procrustes problem).  Directions take part as points on an arm of 20
 * pixels.
 */
static void
fit_motion(const Finger *a, const Finger *b, Alignment *al)
{
	double sum = 0, ax = 0, ay = 0, bx = 0, by = 0, dot = 0, cross = 0, norm;

	for (int k = 0; k < al->count; k++)
	{
		double weight = al->weight[k];

		sum += weight;
		ax += weight * a->x[al->a[k]];
		ay += weight * a->y[al->a[k]];
		bx += weight * b->x[al->b[k]];
		by += weight * b->y[al->b[k]];
	}
	ax /= sum;
	ay /= sum;
	bx /= sum;
	by /= sum;
	for (int k = 0; k < al->count; k++)
	{
		int    i = al->a[k];
		int    j = al->b[k];
		double weight = al->weight[k];
		double px = a->x[i] - ax;
		double py = a->y[i] - ay;
		double qx = b->x[j] - bx;
		double qy = b->y[j] - by;

		dot += weight *
			   (px * qx + py * qy +
				DIRECTION_ARM * DIRECTION_ARM *
					((double) a->cosine[i] * b->cosine[j] + (double) a->sine[i] * b->sine[j]));
		cross += weight *
				 (px * qy - py * qx +
				  DIRECTION_ARM * DIRECTION_ARM *
					  ((double) a->cosine[i] * b->sine[j] - (double) a->sine[i] * b->cosine[j]));
	}
	norm = sqrt(dot * dot + cross * cross);
	if (norm > 0)
	{
		dot /= norm;
		cross /= norm;
	}
	else
	{
		dot = 1;
		cross = 0;
	}
	al->cosine = (float) dot;
	al->sine = (float) cross;
	al->shift_x = (float) (bx - (dot * ax - cross * ay));
	al->shift_y = (float) (by - (cross * ax + dot * ay));
}

CPU_INLINE void
move_rigidly_loop(const Finger *a, const Alignment *al, float *restrict x, float *restrict y)
{
	for (int block = 0; block < a->count; block += 8)
		for (int i = block; i < block + 8; i++)
		{
			x[i] = al->cosine * a->x[i] - al->sine * a->y[i] + al->shift_x;
			y[i] = al->sine * a->x[i] + al->cosine * a->y[i] + al->shift_y;
		}
}

WIDER(void, move_rigidly,
	  (const Finger *a, const Alignment *al, float *restrict x, float *restrict y), (a, al, x, y))

/*
 * Bend what was moved by a smooth field that goes part of the way towards the
 * partners: at each minutia the mean of what its paired neighbours, not itself,
 * are still off, shrunk where there are few near ones.
 */
CPU_INLINE void
bend_loop(const Finger *a, const Finger *b, const Alignment *al, float *restrict x,
		  float *restrict y)
{
	float sum[MAX_MINUTIAE], sum_x[MAX_MINUTIAE], sum_y[MAX_MINUTIAE];

	for (int i = 0; i < a->count; i++)
	{
		sum[i] = BEND_SHRINKAGE;
		sum_x[i] = 0;
		sum_y[i] = 0;
	}
	for (int k = 0; k < al->count; k++)
	{
		int   self = al->a[k];
		float px = x[self];
		float py = y[self];
		float off_x = b->x[al->b[k]] - px;
		float off_y = b->y[al->b[k]] - py;
		float keep = sum[self], keep_x = sum_x[self], keep_y = sum_y[self];

		for (int i = 0; i < a->count; i++)
		{
			float dx = x[i] - px;
			float dy = y[i] - py;
			float weight = 1 / (1 + (dx * dx + dy * dy) * (1.0f / (BEND_REACH * BEND_REACH)));

			weight *= weight;
			sum[i] += weight;
			sum_x[i] += weight * off_x;
			sum_y[i] += weight * off_y;
		}
		sum[self] = keep;
		sum_x[self] = keep_x;
		sum_y[self] = keep_y;
	}
	for (int i = 0; i < a->count; i++)
	{
		x[i] += sum_x[i] / sum[i];
		y[i] += sum_y[i] / sum[i];
	}
}

WIDER(void, bend,
	  (const Finger *a, const Finger *b, const Alignment *al, float *restrict x, float *restrict y),
	  (a, b, al, x, y))

/* how much a descriptor likelihood counts in a pair's evidence */
static float
descriptor_weight(int likelihood)
{
	return PAIR_LIKELIHOOD *
		   (float) (likelihood < LEAST_LIKELIHOOD ? LEAST_LIKELIHOOD : likelihood);
}

/* 1 for the same type, -1 for different ones, 0 where one is not told */
static int
type_agreement(int a, int b)
{
	return (a != MINUTIA_OTHER) * (b != MINUTIA_OTHER) * (2 * (a == b) - 1);
}

/* pair minutiae that are each other's best under the motion */
CPU_INLINE void
pair_minutiae_loop(FingerprintProbe *p, const Finger *a, const Finger *b, Alignment *al,
				   const float *x, const float *y, float tolerance)
{
	float   best_a[MAX_MINUTIAE], best_b[MAX_MINUTIAE];
	uint8_t partner_a[PADDED], partner_b[PADDED];
	uint8_t paired[MAX_MINUTIAE];
	float   cosine[PADDED], sine[PADDED];
	float   limit = tolerance * tolerance;
	float   inverse = 1 / limit;
	double  turned = portable_atan2(al->sine, al->cosine) * (128 / PORTABLE_PI);
	int     rotation = (int) (turned + 256.5);
	int     nnear, npaired = 0;

	make_coarse(x, y, a->count, &p->moved);
	for (int i = 0; i < a->count; i++)
		p->moved.angle[i] = (uint8_t) (a->coarse.angle[i] + rotation);
	nnear = fingerprint_list_near(&p->moved, a->count, &b->coarse, b->count,
								  COARSE_REACH(tolerance), COARSE_TURN, p->near);

	for (int i = 0; i < a->count; i++)
	{
		cosine[i] = al->cosine * a->cosine[i] - al->sine * a->sine[i];
		sine[i] = al->sine * a->cosine[i] + al->cosine * a->sine[i];
	}
	memset(best_a, 0, a->count * sizeof(best_a[0]));
	memset(best_b, 0, b->count * sizeof(best_b[0]));
	memset(partner_a, NOBODY, a->count);
	memset(partner_b, NOBODY, b->count);
	partner_b[NOBODY] = NOBODY; /* so that who has no partner is in no pair below */
	for (int k = 0; k < nnear; k++)
	{
		int   i = p->near[k] >> 8;
		int   j = p->near[k] & 255;
		float dx = x[i] - b->x[j]; /* NOLINT: x has as many as a */
		float dy = y[i] - b->y[j];
		float square = dx * dx + dy * dy;
		float turn = 1 - (cosine[i] * b->cosine[j] + sine[i] * b->sine[j]);
		float value;

		if ((square > limit) | (turn > TURN_TOLERANCE))
			continue;
		value = PAIR_VALUE - PAIR_DISTANCE * square * inverse - PAIR_TURN * turn +
				descriptor_weight(likelihood_of(p, a, i, j));
		if (value > best_a[i])
		{
			best_a[i] = value;
			partner_a[i] = (uint8_t) j;
		}
		if (value > best_b[j])
		{
			best_b[j] = value;
			partner_b[j] = (uint8_t) i;
		}
	}

	/* each other's best, without a branch: processors would often guess it wrong */
	for (int i = 0; i < a->count; i++)
	{
		paired[npaired] = (uint8_t) i;
		npaired += partner_b[partner_a[i]] == i;
	}

	al->count = npaired;
	al->evidence = 0;
	al->trusted = 0;
	al->types = 0;
	al->squares = 0;
	for (int k = 0; k < npaired; k++)
	{
		int   i = paired[k]; /* NOLINT: those before npaired are set */
		int   j = partner_a[i];
		float dx = x[i] - b->x[j]; /* NOLINT: x has as many as a */
		float dy = y[i] - b->y[j];
		float trust = sqrtf(a->trust[i] * b->trust[j]);

		al->a[k] = (uint8_t) i;
		al->b[k] = (uint8_t) j;
		al->weight[k] = 1;
		al->share[k] = best_a[i] * trust;
		al->square[k] = dx * dx + dy * dy;
		al->evidence += al->share[k];
		al->trusted += trust;
		al->types += type_agreement(a->type[i], b->type[j]);
		al->squares += al->square[k];
	}
}

WIDER(void, pair_minutiae,
	  (FingerprintProbe * p, const Finger *a, const Finger *b, Alignment *al, const float *x,
	   const float *y, float tolerance),
	  (p, a, b, al, x, y, tolerance))

/* lay the fingers over each other as a candidate and its supporters suggest */
static void
align(FingerprintProbe *p, const Finger *a, const Finger *b, int seed, const uint8_t *order,
	  bool *used, Alignment *al)
{
	const Pairs *pairs = &p->candidates;
	bool         taken_a[MAX_MINUTIAE] = {false};
	bool         taken_b[MAX_MINUTIAE] = {false};
	float        x[PADDED], y[PADDED];

	al->count = 0;
	for (int k = 0; k < pairs->count; k++)
	{
		int   i = order[k];
		float weight = i == seed ? 5.0f : compatibility(p, seed, i);

		if (weight < 1)
			continue;
		used[i] = true;
		if (taken_a[pairs->a[i]] || taken_b[pairs->b[i]])
			continue;
		taken_a[pairs->a[i]] = true;
		taken_b[pairs->b[i]] = true;
		al->a[al->count] = pairs->a[i];
		al->b[al->count] = pairs->b[i];
		al->weight[al->count] = weight;
		al->count++;
	}
	fit_motion(a, b, al);
	move_rigidly(a, al, x, y);
	pair_minutiae(p, a, b, al, x, y, TOLERANCE_FIRST);
}

/* fit the motion to the pairs found, bend, and pair again */
static void
refine(FingerprintProbe *p, const Finger *a, const Finger *b, Alignment *al, float tolerance)
{
	float x[PADDED], y[PADDED];

	if (al->count == 0)
		return;
	fit_motion(a, b, al);
	move_rigidly(a, al, x, y);
	bend(a, b, al, x, y);
	pair_minutiae(p, a, b, al, x, y, tolerance);
}

/* distance of places from the finger's polygon with its margin, pixels; 0 is inside */
CPU_INLINE void
measure_outside_loop(const FingerprintProbe *p, const Finger *finger, int count, const float *x,
					 const float *y, float *outside)
{
	int padded = WHOLE_VECTORS(count);

	memset(outside, 0, padded * sizeof(outside[0]));
	for (int d = 0; d < DIRECTIONS; d++)
	{
		float cosine = p->direction_cosine[d];
		float sine = p->direction_sine[d];
		float limit = finger->support[d] + POLYGON_MARGIN;

		for (int i = 0; i < padded; i++)
		{
			float beyond = x[i] * cosine + y[i] * sine - limit;

			outside[i] = beyond > outside[i] ? beyond : outside[i];
		}
	}
}

WIDER(void, measure_outside,
	  (const FingerprintProbe *p, const Finger *finger, int count, const float *x, const float *y,
	   float *outside),
	  (p, finger, count, x, y, outside))

/* how far minutiae of each finger lie from where the other one could show them */
static void
measure_overlap(const FingerprintProbe *p, const Finger *a, const Finger *b, const Alignment *al,
				float *outside_a, float *outside_b)
{
	float x[PADDED], y[PADDED];

	move_rigidly(a, al, x, y);
	measure_outside(p, b, a->count, x, y, outside_a);
	for (int j = 0; j < WHOLE_VECTORS(b->count); j++)
	{
		float dx = b->x[j] - al->shift_x;
		float dy = b->y[j] - al->shift_y;

		x[j] = al->cosine * dx + al->sine * dy;
		y[j] = al->cosine * dy - al->sine * dx;
	}
	measure_outside(p, a, b->count, x, y, outside_b);
}

/* trust of the minutiae that do not lie outside */
static float
count_inside(const Finger *finger, const float *outside)
{
	float inside = 0;

	for (int i = 0; i < finger->count; i++)
		inside += outside[i] > 0 ? 0 : finger->trust[i];
	return inside;
}

/* minutiae of each finger that the other could have shown */
static void
count_overlap(const FingerprintProbe *p, const Finger *a, const Finger *b, const Alignment *al,
			  double *overlap_a, double *overlap_b)
{
	float outside_a[PADDED], outside_b[PADDED];

	measure_overlap(p, a, b, al, outside_a, outside_b);
	*overlap_a = count_inside(a, outside_a);
	*overlap_b = count_inside(b, outside_b);
}

/* how well the pairs of an alignment agree with each other, and with near ones */
CPU_INLINE void
agreement_loop(FingerprintProbe *p, const Finger *a, const Finger *b, const Alignment *al,
			   double evidence[FINGERPRINT_EVIDENCE])
{
	Pairs *pairs = &p->aligned;
	float  total = 0, near = 0, weights = 0;

	pairs->count = 0;
	for (int k = 0; k < al->count; k++)
	{
		float value[PADDED];

		add_pair(pairs, a, b, al->a[k], al->b[k]);
		compatibilities(pairs, k, 0, k, value);
		for (int l = 0; l < k; l++)
		{
			float dx = pairs->ax[k] - pairs->ax[l];
			float dy = pairs->ay[k] - pairs->ay[l];
			float weight = 1 / (1 + (dx * dx + dy * dy) * (1.0f / (NEAR_PIXELS * NEAR_PIXELS)));

			total += value[l];
			near += value[l] * weight;
			weights += weight;
		}
	}
	evidence[EVIDENCE_AGREEMENT] = total;
	evidence[EVIDENCE_NEAR_AGREEMENT] = near;
	evidence[EVIDENCE_NEAR_WEIGHT] = weights;
}

WIDER(void, agreement,
	  (FingerprintProbe * p, const Finger *a, const Finger *b, const Alignment *al,
	   double evidence[FINGERPRINT_EVIDENCE]),
	  (p, a, b, al, evidence))

/* sum of the likelihoods of the likeliest candidates, at most a dozen */
static int
sum_likeliest(const FingerprintProbe *p, const Finger *a, int limit)
{
	int sorted[LIKELIEST];
	int count = 0;
	int sum = 0;

	if (limit > LIKELIEST)
		limit = LIKELIEST;
	if (limit == 0)
		return 0;
	for (int i = 0; i < p->candidates.count; i++)
	{
		int likelihood = likelihood_of(p, a, p->candidates.a[i], p->candidates.b[i]);
		int k;

		if (count == limit && likelihood <= sorted[limit - 1])
			continue;
		count += count < limit;
		for (k = count - 1; k > 0 && likelihood > sorted[k - 1]; k--)
			sorted[k] = sorted[k - 1];
		sorted[k] = likelihood;
	}
	for (int i = 0; i < count; i++)
		sum += sorted[i] > RARE_LIKELIHOOD ? RARE_LIKELIHOOD : sorted[i];
	return sum;
}

/*
 * Candidates in order of support, equal ones in their own.  Each one's place is the
 * number of those with more, and of equal ones before it: counting takes no
 * branches that depend on how they are mixed, as sorting does.
 */
CPU_INLINE void
order_candidates_loop(const FingerprintProbe *p, uint8_t *order)
{
	int     n = p->candidates.count;
	int32_t more[MAX_CANDIDATES] = {0};
	uint8_t equal[MAX_CANDIDATES] = {0}; /* by how many have more */

	for (int i = 0; i < n; i++)
		for (int block = 0; block < n; block += 8)
			for (int k = block; k < block + 8; k++)
				more[k] += p->support[i] > p->support[k];
	for (int i = 0; i < n; i++)
		order[more[i] + equal[more[i]]++] = (uint8_t) i;
}

WIDER(void, order_candidates, (const FingerprintProbe *p, uint8_t *order), (p, order))

/* The likeliest candidates, at most so many, and how they support each other */
static float
choose_and_support(FingerprintProbe *p, const Finger *a, const Finger *b, int limit)
{
	choose_candidates(p, a, b, limit);
	return support_candidates(p, a);
}

/* mean likelihood of the candidates */
static double
mean_likelihood(const FingerprintProbe *p, const Finger *a)
{
	int sum = 0;

	for (int k = 0; k < p->candidates.count; k++)
		sum += likelihood_of(p, a, p->candidates.a[k], p->candidates.b[k]);
	return p->candidates.count > 0 ? (double) sum / p->candidates.count : 2 * LOWEST_LIKELIHOOD;
}

/* the mean overlap of two fingers, which is not less than what was paired */
static double
mean_overlap(double overlap_a, double overlap_b, double pairs)
{
	return sqrt((overlap_a > pairs ? overlap_a : pairs) * (overlap_b > pairs ? overlap_b : pairs));
}

/* The first stage: what few candidates show without an alignment */
static void
look_at_candidates(FingerprintProbe *p, const Finger *a, const Finger *b,
				   double evidence[FINGERPRINT_EVIDENCE])
{
	evidence[EVIDENCE_MINUTIAE_A] = a->count;
	evidence[EVIDENCE_MINUTIAE_B] = b->count;
	evidence[EVIDENCE_FEW_SUPPORT] = choose_and_support(p, a, b, FEW_CANDIDATES);
	evidence[EVIDENCE_FEW_LIKELIHOOD] = mean_likelihood(p, a);
}

/*
 * Lays the fingers over each other as the best supported candidates that do not
 * support each other suggest.  Returns how many alignments that gives, the one
 * of the most evidence first.
 */
static int
align_seeds(FingerprintProbe *p, const Finger *a, const Finger *b)
{
	uint8_t order[MAX_CANDIDATES];
	bool    used[MAX_CANDIDATES] = {false};
	int     seeds = 0;

	order_candidates(p, order);
	for (int k = 0; k < p->candidates.count && seeds < MAX_SEEDS; k++)
	{
		Alignment *al = &p->alignments[seeds];

		if (used[order[k]])
			continue;
		align(p, a, b, order[k], order, used, al);
		seeds++;
		if (al->evidence > p->alignments[0].evidence)
		{
			p->spare = p->alignments[0];
			p->alignments[0] = *al;
			*al = p->spare;
		}
	}
	return seeds;
}

/* Refines the alignments, and returns the best of them, refined further */
static const Alignment *
refine_seeds(FingerprintProbe *p, const Finger *a, const Finger *b, int seeds)
{
	Alignment *best = &p->alignments[0];

	for (int k = 0; k < seeds; k++)
	{
		Alignment *al = &p->alignments[k];

		refine(p, a, b, al, TOLERANCE_SECOND);
		refine(p, a, b, al, TOLERANCE_THIRD);
		if (al->evidence > best->evidence)
			best = al;
	}
	refine(p, a, b, best, TOLERANCE_FOURTH);
	refine(p, a, b, best, TOLERANCE_LAST);
	return best;
}

/* candidates of the whole comparison: how many at most */
static int
candidate_limit(const Finger *a, const Finger *b)
{
	int limit = (int) (CANDIDATES_A_MINUTIA * (a->count < b->count ? a->count : b->count));

	if (limit < MIN_CANDIDATES)
		return MIN_CANDIDATES;
	return limit < MAX_CANDIDATES ? limit : MAX_CANDIDATES;
}

/* squared distances of places from their middle, added */
static double
spread(const float *x, const float *y, const uint8_t *which, int count)
{
	double mean_x = 0, mean_y = 0, sum = 0;

	for (int k = 0; k < count; k++)
	{
		mean_x += x[which[k]];
		mean_y += y[which[k]];
	}
	mean_x /= count;
	mean_y /= count;
	for (int k = 0; k < count; k++)
	{
		double dx = x[which[k]] - mean_x;
		double dy = y[which[k]] - mean_y;

		sum += dx * dx + dy * dy;
	}
	return sum;
}

/* what a finger shows around a place: all trust, and that of the paired minutiae */
CPU_INLINE void
neighbourhood_loop(int padded, const float *restrict x, const float *restrict y,
				   const float *restrict shown, const float *restrict paired, float at_x,
				   float at_y, float *all, float *got)
{
	float sums[2][8] = {{0}};

	for (int block = 0; block < padded; block += 8)
		for (int l = 0; l < 8; l++)
		{
			float dx = x[block + l] - at_x;
			float dy = y[block + l] - at_y;
			bool  near = dx * dx + dy * dy <= CLUSTER_RADIUS * CLUSTER_RADIUS;

			sums[0][l] += near ? shown[block + l] : 0;
			sums[1][l] += near ? paired[block + l] : 0;
		}
	for (int l = 0; l < 8; l++)
	{
		*all += sums[0][l];
		*got += sums[1][l];
	}
}

WIDER(void, neighbourhood,
	  (int padded, const float *restrict x, const float *restrict y, const float *restrict shown,
	   const float *restrict paired, float at_x, float at_y, float *all, float *got),
	  (padded, x, y, shown, paired, at_x, at_y, all, got))

/*
 * What the overlap shows beside the pairs: minutiae without a partner, and the
 * neighbourhood with the most pairs
 */
static void
look_around(const FingerprintProbe *p, const Finger *a, const Finger *b, const Alignment *al,
			double evidence[FINGERPRINT_EVIDENCE])
{
	float  outside_a[PADDED], outside_b[PADDED];
	float  shown_a[PADDED], shown_b[PADDED];
	float  paired_a[PADDED] = {0}, paired_b[PADDED] = {0};
	double unpaired = 0, best = 0;

	measure_overlap(p, a, b, al, outside_a, outside_b);
	evidence[EVIDENCE_OVERLAP_A] = count_inside(a, outside_a);
	evidence[EVIDENCE_OVERLAP_B] = count_inside(b, outside_b);
	for (int k = 0; k < al->count; k++)
	{
		int i = al->a[k];
		int j = al->b[k];

		paired_a[i] = paired_b[j] = sqrtf(a->trust[i] * b->trust[j]);
		outside_a[i] = outside_b[j] = 0;
	}
	for (int i = 0; i < WHOLE_VECTORS(a->count); i++)
	{
		shown_a[i] = i < a->count && outside_a[i] <= 0 ? a->trust[i] : 0;
		unpaired += paired_a[i] > 0 ? 0 : shown_a[i] * shown_a[i];
	}
	for (int j = 0; j < WHOLE_VECTORS(b->count); j++)
	{
		shown_b[j] = j < b->count && outside_b[j] <= 0 ? b->trust[j] : 0;
		unpaired += paired_b[j] > 0 ? 0 : shown_b[j] * shown_b[j];
	}
	for (int k = 0; k < al->count; k++)
	{
		float  all = 0, got = 0;
		double value;

		neighbourhood(WHOLE_VECTORS(a->count), a->x, a->y, shown_a, paired_a, a->x[al->a[k]],
					  a->y[al->a[k]], &all, &got);
		neighbourhood(WHOLE_VECTORS(b->count), b->x, b->y, shown_b, paired_b, b->x[al->b[k]],
					  b->y[al->b[k]], &all, &got);
		value = (double) got * got / (all + 6);
		best = value > best ? value : best;
	}
	evidence[EVIDENCE_UNPAIRED] = unpaired;
	evidence[EVIDENCE_CLUSTER] = best;
}

/* how the pairs lie, turn and look */
static void
look_at_pairs(const FingerprintProbe *p, const Finger *a, const Finger *b, const Alignment *al,
			  double evidence[FINGERPRINT_EVIDENCE])
{
	float  x[PADDED], y[PADDED];
	int    likelihoods = 0, likely = 0;
	double turns = 0, bending = 0, shares = 0;

	move_rigidly(a, al, x, y);
	for (int k = 0; k < al->count; k++)
	{
		int    i = al->a[k];
		int    j = al->b[k];
		int    likelihood = likelihood_of(p, a, i, j);
		double dx = b->x[j] - x[i];
		double dy = b->y[j] - y[i];

		likelihoods += likelihood;
		likely += likelihood > 0 ? likelihood : 0;
		turns += 1 - ((al->cosine * a->cosine[i] - al->sine * a->sine[i]) * b->cosine[j] +
					  (al->sine * a->cosine[i] + al->cosine * a->sine[i]) * b->sine[j]);
		bending += dx * dx + dy * dy;
		shares += al->share[k] * al->share[k];
	}
	evidence[EVIDENCE_LIKELIHOOD] = likelihoods;
	evidence[EVIDENCE_LIKELY] = likely;
	evidence[EVIDENCE_TURNS] = turns;
	evidence[EVIDENCE_BENDING] = bending;
	evidence[EVIDENCE_SHARES] = shares;
	evidence[EVIDENCE_SPREAD_A] = spread(a->x, a->y, al->a, al->count);
	evidence[EVIDENCE_SPREAD_B] = spread(b->x, b->y, al->b, al->count);
}

/* how the candidates of the whole comparison support each other */
static void
look_at_support(FingerprintProbe *p, const Finger *a, const Finger *b,
				double evidence[FINGERPRINT_EVIDENCE])
{
	evidence[EVIDENCE_SUPPORT] = choose_and_support(p, a, b, candidate_limit(a, b));
	evidence[EVIDENCE_LIKELIEST] = sum_likeliest(p, a, a->count < b->count ? a->count : b->count);
}

/* the second stage: the alignments that they suggest; returns how many */
static int
look_at_alignments(FingerprintProbe *p, const Finger *a, const Finger *b,
				   double evidence[FINGERPRINT_EVIDENCE])
{
	const Alignment *best = &p->alignments[0];
	int              seeds = align_seeds(p, a, b);
	double           overlap_a, overlap_b;

	if (seeds == 0 || best->count == 0)
		return seeds;
	count_overlap(p, a, b, best, &overlap_a, &overlap_b);
	evidence[EVIDENCE_EARLY_SUM] = best->evidence;
	evidence[EVIDENCE_EARLY_PAIRS] = best->count;
	evidence[EVIDENCE_EARLY_SQUARES] = best->squares;
	evidence[EVIDENCE_EARLY_OVERLAP] = mean_overlap(overlap_a, overlap_b, best->trusted);
	return seeds;
}

/* the whole comparison */
static void
look_at_best(FingerprintProbe *p, const Finger *a, const Finger *b, int seeds,
			 double evidence[FINGERPRINT_EVIDENCE])
{
	const Alignment *best = refine_seeds(p, a, b, seeds);

	evidence[EVIDENCE_QUALITY_A] = fingerprint_mean_quality(a->bytes);
	evidence[EVIDENCE_QUALITY_B] = fingerprint_mean_quality(b->bytes);
	if (best->count == 0)
		return;
	evidence[EVIDENCE_PAIRS] = best->count;
	evidence[EVIDENCE_SUM] = best->evidence;
	evidence[EVIDENCE_TRUSTED] = best->trusted;
	evidence[EVIDENCE_TYPES] = best->types;
	evidence[EVIDENCE_SQUARES] = best->squares;
	look_around(p, a, b, best, evidence);
	look_at_pairs(p, a, b, best, evidence);
	agreement(p, a, b, best, evidence);
}

/*
 * Finds the likelihoods of the other finger's minutiae.  Returns whether it comes
 * first: the order must not depend on which of the two is the probe.
 */
static bool
begin_comparison(FingerprintProbe *probe, const void *features, size_t size)
{
	probe->other.bytes = features;
	probe->other.count = fingerprint_minutia_count(features);
	fingerprint_likelihoods(probe->tables, probe->probe.count,
							fingerprint_descriptors(features, probe->other.count),
							probe->other.count, probe->likelihood, probe->best, probe->most);
	if (probe->size != size)
		return probe->size > size;
	return memcmp(probe->bytes, features, size) > 0;
}

void
fingerprint_evidence(FingerprintProbe *probe, const void *features, size_t size,
					 double evidence[FINGERPRINT_EVIDENCE])
{
	bool          swap = begin_comparison(probe, features, size);
	const Finger *a = swap ? &probe->other : &probe->probe;
	const Finger *b = swap ? &probe->probe : &probe->other;

	memset(evidence, 0, sizeof(double) * FINGERPRINT_EVIDENCE);
	look_at_candidates(probe, a, b, evidence);
	look_at_support(probe, a, b, evidence);
	unpack(&probe->other, features);
	bound(probe, &probe->other);
	look_at_best(probe, a, b, look_at_alignments(probe, a, b, evidence), evidence);
}

/* caps take nothing from a template that is compared with itself */
static bool
is_itself(const FingerprintProbe *probe, const void *features, size_t size)
{
	return probe->size == size && memcmp(probe->bytes, features, size) == 0;
}

/*
 * Takes a pair through the stages until one of them settles it, or its cap is
 * beyond the limit.  *cap is the farthest cap of those that it came to.
 */
static FingerprintStage
take_through_stages(FingerprintProbe *probe, const void *features, size_t size, double limit,
					double *odds, double *cap)
{
	bool          swap = begin_comparison(probe, features, size);
	const Finger *a = swap ? &probe->other : &probe->probe;
	const Finger *b = swap ? &probe->probe : &probe->other;
	double        evidence[FINGERPRINT_EVIDENCE] = {0};
	double        next;
	int           seeds;
	bool          itself = is_itself(probe, features, size);

	look_at_candidates(probe, a, b, evidence);
	*odds = fingerprint_weigh_stage(FINGERPRINT_STAGE_CANDIDATES, evidence);
	*cap = itself ? 0 : fingerprint_cap(FINGERPRINT_CAP_CANDIDATES, *odds);
	if ((*odds < 0 && !itself) || *cap > limit)
		return FINGERPRINT_STAGE_CANDIDATES;

	look_at_support(probe, a, b, evidence);
	unpack(&probe->other, features);
	bound(probe, &probe->other);
	seeds = look_at_alignments(probe, a, b, evidence);
	*odds = fingerprint_weigh_stage(FINGERPRINT_STAGE_ALIGNMENT, evidence);
	next = itself ? 0 : fingerprint_cap(FINGERPRINT_CAP_ALIGNMENT, *odds);
	*cap = next > *cap ? next : *cap;
	if ((*odds < 0 && !itself) || seeds == 0 || *cap > limit)
		return FINGERPRINT_STAGE_ALIGNMENT;

	look_at_best(probe, a, b, seeds, evidence);
	if (evidence[EVIDENCE_PAIRS] == 0)
		return FINGERPRINT_STAGE_ALIGNMENT;
	*odds = fingerprint_weigh(evidence);
	return FINGERPRINT_STAGE_WHOLE;
}

FingerprintStage
fingerprint_stage(FingerprintProbe *probe, const void *features, size_t size, double *odds)
{
	double cap;

	return take_through_stages(probe, features, size, INFINITY, odds, &cap);
}

/* The largest likelihoods of all minutiae of both, as far as they are above a floor, summed up */
static int
sum_of_largest(const FingerprintProbe *probe, int rows, int columns, int floor)
{
	int sum = 0;

	for (int i = 0; i < rows; i++)
		sum += probe->best[i] > floor ? probe->best[i] - floor : 0;
	for (int j = 0; j < columns; j++)
		sum += probe->most[j] > floor ? probe->most[j] - floor : 0;
	return sum;
}

/* finds the largest likelihoods, and no others */
static void
find_largest(FingerprintProbe *probe, const uint8_t *features)
{
	fingerprint_likelihoods(probe->tables, probe->probe.count,
							fingerprint_descriptors(features, features[1]), features[1], NULL,
							probe->best, probe->most);
}

/* a minutia with a lower likelihood tells nothing; halves */
#define CAP_FLOOR (-20)

int
fingerprint_descriptor_evidence(FingerprintProbe *probe, const void *features)
{
	int rows = probe->probe.count;
	int columns = fingerprint_minutia_count(features);

	find_largest(probe, features);
	return fingerprint_cap_evidence(sum_of_largest(probe, rows, columns, CAP_FLOOR), rows, columns);
}

double
fingerprint_distance_within(FingerprintProbe *probe, const void *features, size_t size,
							double limit)
{
	const uint8_t   *bytes = features;
	FingerprintStage stage;
	double           distance, odds, next;
	double           cap = 0;
	bool             itself;

	if (bytes[0] != 0 && probe->bytes[0] != 0 && bytes[0] != probe->bytes[0])
		return FINGERPRINT_DISTANCE_NONMATED;
	if (bytes[1] == 0 || probe->bytes[1] == 0)
		return FINGERPRINT_DISTANCE_NONMATED;

	itself = is_itself(probe, features, size);
	if (limit < probe->farthest_cap && !itself)
		cap = fingerprint_cap(FINGERPRINT_CAP_DESCRIPTORS,
							  fingerprint_descriptor_evidence(probe, features));
	if (cap > limit)
		return cap;
	stage = take_through_stages(probe, features, size, limit, &odds, &next);
	cap = next > cap ? next : cap;
	if (cap > limit)
		return cap;
	distance = fingerprint_odds_to_distance(stage, odds);
	if (itself || distance > limit || distance >= probe->farthest_cap)
		return distance;

	/* nearer than all caps together may be: what was left out before */
	if (!(limit < probe->farthest_cap))
	{
		next =
			fingerprint_cap(FINGERPRINT_CAP_DESCRIPTORS,
							fingerprint_cap_evidence(sum_of_largest(probe, probe->probe.count,
																	probe->other.count, CAP_FLOOR),
													 probe->probe.count, probe->other.count));
		cap = next > cap ? next : cap;
	}
	next =
		fingerprint_cap(FINGERPRINT_CAP_WORDS, fingerprint_word_evidence(&probe->caps, features));
	cap = next > cap ? next : cap;
	return distance > cap ? distance : cap;
}

double
fingerprint_distance(FingerprintProbe *probe, const void *features, size_t size)
{
	return fingerprint_distance_within(probe, features, size, INFINITY);
}

void
fingerprint_sketches_within(FingerprintProbe *probe, int n, const void *const *sketches,
							double limit, bool *within)
{
	fingerprint_cap_sketches(&probe->caps, n, sketches, limit, within);
}

/*
 * with a likelihood below this a minutia has no counterpart in the other
 * finger; halves
 */
#define RESEMBLANCE_FLOOR (-12)

int
fingerprint_resemblance(FingerprintProbe *probe, const void *features, size_t size)
{
	const uint8_t *bytes = features;
	int            rows = probe->bytes[1];
	int            columns = bytes[1];

	(void) size;
	if ((bytes[0] != 0 && probe->bytes[0] != 0 && bytes[0] != probe->bytes[0]) || rows == 0 ||
		columns == 0)
		return -1;
	find_largest(probe, bytes);
	return (int) (sum_of_largest(probe, rows, columns, RESEMBLANCE_FLOOR) * 256.0f /
				  (sqrtf((float) (rows * columns)) + 1));
}

/* one side of a pairing: which of its minutiae the other finger could have shown */
static void
note_side(FingerprintPairing *pairing, int side, int count, const float *outside)
{
	pairing->minutiae[side] = count;
	for (int i = 0; i < FINGERPRINT_MAX_MINUTIAE; i++)
	{
		pairing->partner[side][i] = -1;
		pairing->overlaps[side][i] = i < count && pairing->pairs > 0 && outside[i] <= 0;
	}
}

void
fingerprint_pair(FingerprintProbe *probe, const void *features, size_t size,
				 FingerprintPairing *pairing)
{
	bool             swap = begin_comparison(probe, features, size);
	const Finger    *a = swap ? &probe->other : &probe->probe;
	const Finger    *b = swap ? &probe->probe : &probe->other;
	int              side_a = swap ? 1 : 0;
	int              side_b = swap ? 0 : 1;
	float            outside_a[PADDED] = {0}, outside_b[PADDED] = {0};
	const Alignment *al;

	unpack(&probe->other, features);
	bound(probe, &probe->other);
	(void) choose_and_support(probe, a, b, candidate_limit(a, b));
	al = refine_seeds(probe, a, b, align_seeds(probe, a, b));
	pairing->pairs = al->count;
	if (al->count > 0)
		measure_overlap(probe, a, b, al, outside_a, outside_b);
	note_side(pairing, side_a, a->count, outside_a);
	note_side(pairing, side_b, b->count, outside_b);
	for (int k = 0; k < al->count; k++)
	{
		int i = al->a[k];
		int j = al->b[k];

		pairing->partner[side_a][i] = (int16_t) j;
		pairing->partner[side_b][j] = (int16_t) i;
		pairing->overlaps[side_a][i] = true;
		pairing->overlaps[side_b][j] = true;
		pairing->weight[side_a][i] = pairing->weight[side_b][j] = al->share[k];
		pairing->distance[side_a][i] = pairing->distance[side_b][j] = sqrtf(al->square[k]);
	}
}
