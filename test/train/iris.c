/*
 * iris.c
 *		The calibration of iris scores: which distance has which false match
 *		rate, and which score a sketch allows.
 *
 *	iris knots		the table of src/match/iris/calibration.c, made from one half of
 *					the eyes
 *	iris caps		that of src/match/iris/sketch.c, from the same half
 *	iris report		error rates, calibration and caps on the other half
 *
 * A knot is a distance at which the false match rate of the eyes was at most
 * what the score promises, with confidence: eyes are drawn anew, with
 * replacement, REDRAWN times, and the distance is that of the most cautious
 * twentieth.  Pairs of one eye with many others are not independent; drawing
 * eyes, not pairs, allows for that.
 *
 * The cap of a score keeps pairs below it of which a sketch is not alike enough.
 * How alike they must be is chosen by mates: so much that at most a small share
 * of all loses the score by it.  Then fewer strangers reach the score, and its
 * distance may be larger: knots that are quantiles allow for the caps.  Those
 * beyond are what they were without.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/iris/iris.h"
#include "match/portable_math.h"

#define COLUMNS  128
#define BITS     16
#define CODE     (COLUMNS * BITS / 8)
#define CAPTURES 1000 /* at most */
#define EYES     200
#define REDRAWN  400

/* the last score that the pairs of one half still measure, and those the tail is fitted to */
#define LAST_SCORE    40
#define FIRST_TO_FIT  15
#define LAST_TO_FIT   35
#define STEP_TO_FIT   5
#define LAST_BY_COUNT 30
#define HIGHEST_SCORE 140

/* scores with a cap, and the mated pairs in a thousand that may lose the score by it */
static const struct
{
	int    score;
	double losses;
} cap_goals[] = {{20, 8}, {25, 6}, {30, 4}, {40, 2}, {60, 1}};

#define CAPS ((int) (sizeof(cap_goals) / sizeof(cap_goals[0])))

typedef struct Pair
{
	double   distance;
	double   whole; /* without caps */
	uint32_t alikeness;
	bool     passed[CAPS]; /* the sketch of one, in a search for the score */
	int      eyes[2];
	bool     mated;
} Pair;

/* Pairs of captures of some eyes, the nearest first */
typedef struct Pairs
{
	int   eyes;
	int   count;
	Pair *pairs;
} Pairs;

static int     n_captures;
static int     eye_of[CAPTURES];
static uint8_t features[CAPTURES][IRIS_FEATURES_HEADER + 2 * CODE];

/* EEE_SS.bin, code and mask */
static void
load(void)
{
	const char *data = getenv("BIOMETRIC_DATA");

	for (int eye = 1; eye <= EYES; eye++)
		for (int capture = 0; capture < 100; capture++)
		{
			char    path[4096];
			uint8_t bytes[2 * CODE];
			FILE   *file;

			snprintf(path, sizeof(path), "%s/iris/casia1/%03d_%02d.bin", data ? data : "", eye,
					 capture);
			file = fopen(path, "rb");
			if (file == NULL)
				continue;
			if (fread(bytes, 1, sizeof(bytes), file) == sizeof(bytes) && n_captures < CAPTURES)
			{
				IrisTemplate iris = {COLUMNS, BITS, IRIS_EYE_UNKNOWN, bytes, bytes + CODE};

				iris_extract(&iris, features[n_captures]);
				eye_of[n_captures++] = eye;
			}
			fclose(file);
		}
	if (n_captures == 0)
	{
		fprintf(stderr, "no iris codes in iris/casia1 of BIOMETRIC_DATA (%s)\n",
				data ? data : "not set");
		exit(1);
	}
}

static int
compare_pairs(const void *a, const void *b)
{
	double x = ((const Pair *) a)->distance, y = ((const Pair *) b)->distance;

	return x < y ? -1 : x > y;
}

/* the largest distance with at least such a score */
static double
distance_of_score(double score)
{
	double low = 0, high = 1;

	for (int i = 0; i < 50; i++)
	{
		double middle = (low + high) / 2;

		if (iris_score(middle) >= score)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static Pair
make_pair(IrisProbe *probe, int i, int j)
{
	Pair           pair = {.eyes = {eye_of[i], eye_of[j]}, .mated = eye_of[i] == eye_of[j]};
	IrisComparison comparison;
	uint8_t        sketch[IRIS_SKETCH_MAX_SIZE];
	const void    *pointer = sketch;

	iris_compare(probe, features[j], &comparison);
	pair.distance = comparison.distance;
	pair.whole = comparison.whole;
	pair.alikeness = comparison.alikeness;
	iris_sketch(features[j], sketch);
	for (int c = 0; c < CAPS; c++)
		iris_sketches_within(probe, 1, &pointer, distance_of_score(cap_goals[c].score),
							 &pair.passed[c]);
	return pair;
}

/* all pairs among eyes with odd, or even, numbers; their distances with or without caps */
static void
make_pairs(bool odd, bool capped, Pairs *result)
{
	bool seen[EYES + 1] = {false};

	result->count = result->eyes = 0;
	result->pairs = malloc(sizeof(Pair) * n_captures * n_captures / 2);
	if (result->pairs == NULL)
		abort();
	for (int i = 0; i < n_captures; i++)
	{
		IrisProbe *probe;

		if (eye_of[i] % 2 != odd)
			continue;
		result->eyes += !seen[eye_of[i]];
		seen[eye_of[i]] = true;
		probe = malloc(iris_probe_size(features[i]));
		if (probe == NULL)
			abort();
		iris_probe_init(probe, features[i]);
		for (int j = 0; j < i; j++)
		{
			Pair *pair = &result->pairs[result->count];

			if (eye_of[j] % 2 != odd)
				continue;
			*pair = make_pair(probe, i, j);
			if (!capped)
				pair->distance = pair->whole;
			result->count++;
		}
		free(probe);
	}
	qsort(result->pairs, result->count, sizeof(Pair), compare_pairs);
}

/* ---- eyes drawn anew ------------------------------------------------------- */

/* how often each eye was drawn; once if round is 0 */
static void
draw_eyes(bool odd, int round, int eyes, int *times)
{
	uint64_t state = portable_mix(20261127, (uint64_t) round);

	for (int eye = 0; eye <= EYES; eye++)
		times[eye] = round == 0;
	for (int i = 0; round > 0 && i < eyes; i++)
		times[2 * (int) (portable_random(&state) % (uint64_t) eyes) + (odd ? 1 : 2)]++;
}

static double
pair_weight(const Pair *pair, const int *times)
{
	/* a mated pair is of one eye, which is drawn or not */
	return pair->mated ? times[pair->eyes[0]]
					   : (double) times[pair->eyes[0]] * times[pair->eyes[1]];
}

static double
total_weight(const Pairs *pairs, bool mated, const int *times)
{
	double total = 0;

	for (int i = 0; i < pairs->count; i++)
		total += pairs->pairs[i].mated == mated ? pair_weight(&pairs->pairs[i], times) : 0;
	return total;
}

/* share of mated or non-mated pairs nearer than a distance */
static double
share_below(const Pairs *pairs, bool mated, double distance, const int *times)
{
	double sum = 0;

	for (int i = 0; i < pairs->count && pairs->pairs[i].distance < distance; i++)
		sum += pairs->pairs[i].mated == mated ? pair_weight(&pairs->pairs[i], times) : 0;
	return sum / total_weight(pairs, mated, times);
}

/*
 * The largest distance below which at most such a share of non-mated pairs lies;
 * those less alike count as beyond.
 */
static double
quantile_of_alike(const Pairs *pairs, double share, uint32_t alikeness, const int *times)
{
	double left = share * total_weight(pairs, false, times);

	for (int i = 0; i < pairs->count; i++)
	{
		if (pairs->pairs[i].mated || pairs->pairs[i].alikeness < alikeness)
			continue;
		left -= pair_weight(&pairs->pairs[i], times);
		if (left < 0)
			return pairs->pairs[i].distance;
	}
	return 1;
}

static double
quantile(const Pairs *pairs, double share, const int *times)
{
	return quantile_of_alike(pairs, share, 0, times);
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* ---- knots ----------------------------------------------------------------- */

/* how many standard deviations a normal variable exceeds with a probability */
static double
normal_deviate(double probability)
{
	double low = 0, high = 40;

	for (int i = 0; i < 100; i++)
	{
		double middle = (low + high) / 2;

		if (erfc(middle / sqrt(2)) / 2 > probability)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/*
 * The distance of a score by a line fitted to quantiles: distance against the
 * normal deviate of the false match rate.  The distance is a mean of many bits,
 * so its tail is normal or, as that of the best of some rotations, shorter.
 */
static double
fitted_distance(const double *quantiles, double score)
{
	double n = 0, x = 0, y = 0, xx = 0, xy = 0, slope;

	for (int s = FIRST_TO_FIT; s <= LAST_TO_FIT; s += STEP_TO_FIT)
	{
		double deviate = normal_deviate(pow(10, -s / 10.0));
		double distance = quantiles[s];

		n++;
		x += deviate;
		y += distance;
		xx += deviate * deviate;
		xy += deviate * distance;
	}
	slope = (n * xy - x * y) / (n * xx - x * x);
	return y / n + slope * (normal_deviate(pow(10, -score / 10)) - x / n);
}

/* of distances drawn, the one that is exceeded by all but a twentieth; four places */
static double
cautious(double *drawn)
{
	qsort(drawn, REDRAWN, sizeof(double), compare_doubles);
	return floor(drawn[REDRAWN / 20] * 1e4) / 1e4;
}

typedef struct Cap
{
	double   distance; /* of the score */
	uint32_t alikeness;
} Cap;

static int
compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

	return x < y ? -1 : x > y;
}

/* how alike the mates at a distance are, but for as many as may be lost of a thousand */
static uint32_t
alikeness_of_mates(const Pairs *pairs, double distance, double losses)
{
	uint32_t *alike = malloc(sizeof(uint32_t) * pairs->count);
	uint32_t  result;
	int       mates = 0, n = 0;

	if (alike == NULL)
		abort();
	for (int i = 0; i < pairs->count; i++)
	{
		if (!pairs->pairs[i].mated)
			continue;
		mates++;
		if (pairs->pairs[i].whole <= distance)
			alike[n++] = pairs->pairs[i].alikeness;
	}
	qsort(alike, n, sizeof(uint32_t), compare_numbers);
	result = alike[(int) (losses * mates / 1000)];
	free(alike);
	return result;
}

/* the distance of each score and the caps */
static void
fit(double *distances, Cap *caps)
{
	static double quantiles[REDRAWN][LAST_TO_FIT + 1];
	static int    times[REDRAWN][EYES + 1];
	double        drawn[REDRAWN];
	Pairs         pairs;

	make_pairs(true, false, &pairs);
	for (int round = 0; round < REDRAWN; round++)
	{
		draw_eyes(true, round + 1, pairs.eyes, times[round]);
		for (int s = 1; s <= LAST_TO_FIT; s++)
			quantiles[round][s] = quantile(&pairs, pow(10, -s / 10.0), times[round]);
	}
	for (int s = 1; s <= HIGHEST_SCORE; s++)
	{
		for (int round = 0; round < REDRAWN; round++)
			drawn[round] =
				s <= LAST_BY_COUNT ? quantiles[round][s] : fitted_distance(quantiles[round], s);
		distances[s] = cautious(drawn);
	}
	for (int c = 0; c < CAPS; c++)
	{
		int score = cap_goals[c].score;

		/* alikeness and distance depend on each other; a few rounds suffice */
		for (int again = 0; again < 4; again++)
		{
			caps[c].alikeness = alikeness_of_mates(&pairs, distances[score], cap_goals[c].losses);
			if (c > 0 && caps[c].alikeness < caps[c - 1].alikeness)
				caps[c].alikeness = caps[c - 1].alikeness;
			for (int round = 0; round < REDRAWN && score <= LAST_BY_COUNT; round++)
				drawn[round] = quantile_of_alike(&pairs, pow(10, -score / 10.0), caps[c].alikeness,
												 times[round]);
			if (score <= LAST_BY_COUNT)
				distances[score] = cautious(drawn);
		}
		caps[c].distance = distances[score];
	}
	free(pairs.pairs);
}

static void
print_knots(void)
{
	static const int scores[] = {140, 120, 100, 80, 70, 60, 50, 40, 35, 30,
								 25,  20,  15,  10, 7,  5,  4,  3,  2,  1};
	double           distances[HIGHEST_SCORE + 1];
	Cap              caps[CAPS];

	fit(distances, caps);
	printf("/*\n"
		   " * knots.h\n"
		   " *\t\tDistances of iris codes and their scores.  Generated by test/train/iris\n"
		   " *\t\tfrom CASIA-IrisV1: the eyes with odd numbers, all non-mated pairs.\n"
		   " */\n"
		   "/* clang-format off */\n"
		   "#define KNOTS_MEASURED %d /* the last score that is measured */\n\n"
		   "static const Knot knots[] = {\n",
		   LAST_SCORE);
	for (int i = 0; i < (int) (sizeof(scores) / sizeof(scores[0])); i++)
		printf("\t{%.4f, %d},\n", distances[scores[i]], scores[i]);
	printf("\t{0.4900, 0},\n};\n");
}

static void
print_caps(void)
{
	double distances[HIGHEST_SCORE + 1];
	Cap    caps[CAPS];

	fit(distances, caps);
	printf("/*\n"
		   " * caps.h\n"
		   " *\t\tHow near iris codes can be whose sketches are less alike.  Generated by\n"
		   " *\t\ttest/train/iris from CASIA-IrisV1: the eyes with odd numbers.\n"
		   " */\n"
		   "/* clang-format off */\n"
		   "static const Cap caps[] = {\n");
	/* just beyond the distance of the score */
	for (int c = 0; c < CAPS; c++)
		printf("\t{%.4f, %u}, /* below a score of %d */\n", caps[c].distance + 1e-4,
			   (unsigned) caps[c].alikeness, cap_goals[c].score);
	printf("};\n");
}

/* ---- report ---------------------------------------------------------------- */

/* a number and the middle 95 % of what eyes drawn anew give */
static void
print_interval(const char  *what, double (*measure)(const Pairs *, double, const int *),
			   const Pairs *pairs, double argument, double unit)
{
	static double drawn[REDRAWN];
	int           times[EYES + 1];
	double        value;

	draw_eyes(false, 0, pairs->eyes, times);
	value = measure(pairs, argument, times);
	for (int round = 1; round <= REDRAWN; round++)
	{
		draw_eyes(false, round, pairs->eyes, times);
		drawn[round - 1] = measure(pairs, argument, times);
	}
	qsort(drawn, REDRAWN, sizeof(double), compare_doubles);
	printf("%s %.2f (%.2f to %.2f)", what, value * unit, drawn[REDRAWN / 40] * unit,
		   drawn[REDRAWN - 1 - REDRAWN / 40] * unit);
}

/* FNMR where the false match rate is such */
static double
fnmr_at_rate(const Pairs *pairs, double rate, const int *times)
{
	return 1 - share_below(pairs, true, quantile(pairs, rate, times), times);
}

static double
fnmr_at_score(const Pairs *pairs, double score, const int *times)
{
	return 1 - share_below(pairs, true, distance_of_score(score), times);
}

/* false matches, of those that a score promises */
static double
kept_promise(const Pairs *pairs, double score, const int *times)
{
	return share_below(pairs, false, distance_of_score(score), times) / pow(10, -score / 10);
}

/* share of mated or non-mated pairs of which something is true */
static double
share_of(const Pairs *pairs, bool mated, const int *times, bool (*is_true)(const Pair *, int),
		 int cap)
{
	double sum = 0;

	for (int i = 0; i < pairs->count; i++)
		sum += pairs->pairs[i].mated == mated && is_true(&pairs->pairs[i], cap)
				   ? pair_weight(&pairs->pairs[i], times)
				   : 0;
	return sum / total_weight(pairs, mated, times);
}

static bool
is_lost(const Pair *pair, int cap)
{
	double limit = distance_of_score(cap_goals[cap].score);

	return pair->whole <= limit && pair->distance > limit;
}

static bool
is_passed(const Pair *pair, int cap)
{
	return pair->passed[cap];
}

static double
lost_by_cap(const Pairs *pairs, double cap, const int *times)
{
	return share_of(pairs, true, times, is_lost, (int) cap);
}

static double
passed_by_cap(const Pairs *pairs, double cap, const int *times)
{
	return share_of(pairs, false, times, is_passed, (int) cap);
}

static void
print_report(void)
{
	Pairs pairs;
	int   times[EYES + 1];

	make_pairs(false, true, &pairs);
	draw_eyes(false, 0, pairs.eyes, times);
	printf(
		"CASIA-IrisV1, %d eyes with even numbers: %.0f mated pairs, %.0f non-mated.  In brackets\n"
		"the middle 95 %% where eyes are drawn anew.\n",
		pairs.eyes, total_weight(&pairs, true, times), total_weight(&pairs, false, times));
	for (int i = 2; i <= 4; i++)
	{
		printf("FMR 1e-%d: distance %.4f,", i, quantile(&pairs, pow(10, -i), times));
		print_interval(" FNMR %", fnmr_at_rate, &pairs, pow(10, -i), 100);
		printf("\n");
	}
	for (int score = 10; score <= 80; score += 10)
	{
		printf("score %d: distance %.4f,", score, distance_of_score(score));
		print_interval(" FNMR %", fnmr_at_score, &pairs, score, 100);
		print_interval(", false matches measured / promised", kept_promise, &pairs, score, 1);
		printf("\n");
	}
	for (int c = 0; c < CAPS; c++)
	{
		printf("cap of score %d:", cap_goals[c].score);
		print_interval(" mates lost %", lost_by_cap, &pairs, c, 100);
		print_interval(", strangers that a search compares %", passed_by_cap, &pairs, c, 100);
		printf("\n");
	}
	free(pairs.pairs);
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "knots") != 0 && strcmp(what, "caps") != 0 && strcmp(what, "report") != 0)
	{
		fprintf(stderr, "usage: iris knots | caps | report\n");
		return 2;
	}
	load();
	if (strcmp(what, "knots") == 0)
		print_knots();
	else if (strcmp(what, "caps") == 0)
		print_caps();
	else
		print_report();
	return 0;
}
