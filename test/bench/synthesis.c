/*
 * synthesis.c
 *		How close synthetic fingers are to captured ones: the same statistics of
 *		both, side by side.
 *
 * Apart from the scores of the matcher it uses a yardstick of its own, so that
 * the synthesis is not fitted to the matcher alone: the largest number of
 * minutiae that pair under one rigid motion.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PI            3.14159265358979323846
#define PAIR_DISTANCE 14.0 /* pixels at 500 dpi */
#define PAIR_ANGLE    (22.5 / 180 * PI)

#define MAX_SETS 16

#define DISTANCE_BANDS 5
static const double band_limit[DISTANCE_BANDS + 1] = {0, 15, 30, 50, 75, 110};

typedef struct Statistics
{
	BenchValues count;
	BenchValues nearest;              /* distance to the nearest minutia */
	BenchValues density;              /* minutiae a square centimetre of the hull */
	BenchValues area;                 /* of the convex hull, square centimetres */
	double      same[DISTANCE_BANDS]; /* share of neighbours within 30 degrees */
	double      opposite[DISTANCE_BANDS];
	double      pairs[DISTANCE_BANDS];
	double      types[3];
	BenchValues quality;
	BenchValues mated; /* minutiae paired */
	BenchValues nonmated;
	BenchValues mated_share; /* of the minutiae in the common area */
	BenchValues residual;    /* distance of paired minutiae, mated */
	BenchValues turn;        /* their difference in direction, degrees */
	BenchValues rotation;    /* of mated impressions */
	BenchValues flips;
	BenchValues mated_score;
	BenchValues nonmated_score;
} Statistics;

typedef struct Plane
{
	int    count;
	double x[FINGERPRINT_MAX_MINUTIAE];
	double y[FINGERPRINT_MAX_MINUTIAE];
	double angle[FINGERPRINT_MAX_MINUTIAE];
	int    type[FINGERPRINT_MAX_MINUTIAE];
} Plane;

static double
angle_between(double a, double b)
{
	double d = fmod(fabs(a - b), 2 * PI);

	return d > PI ? 2 * PI - d : d;
}

static void
to_plane(const FingerprintTemplate *finger, Plane *plane)
{
	plane->count = finger->count;
	for (int i = 0; i < finger->count; i++)
	{
		plane->x[i] = finger->minutiae[i].x * 197.0 / finger->x_resolution;
		plane->y[i] = -(double) finger->minutiae[i].y * 197.0 / finger->y_resolution;
		plane->angle[i] = finger->minutiae[i].angle * 2 * PI / 256;
		plane->type[i] = finger->minutiae[i].type;
	}
}

static double
cross(const Plane *p, int o, int a, int b)
{
	return (p->x[a] - p->x[o]) * (p->y[b] - p->y[o]) - (p->y[a] - p->y[o]) * (p->x[b] - p->x[o]);
}

/* area of the convex hull (gift wrapping) */
static double
hull_area(const Plane *p)
{
	int    start = 0, at, next;
	double area = 0;
	int    steps = 0;

	if (p->count < 3)
		return 0;
	for (int i = 1; i < p->count; i++)
		if (p->x[i] < p->x[start] || (p->x[i] == p->x[start] && p->y[i] < p->y[start]))
			start = i;
	at = start;
	do
	{
		next = at == 0 ? 1 : 0;
		for (int i = 0; i < p->count; i++)
			if (i != at && cross(p, at, next, i) < 0)
				next = i;
		area += p->x[at] * p->y[next] - p->x[next] * p->y[at];
		at = next;
	} while (at != start && ++steps < p->count);
	return fabs(area) / 2;
}

typedef struct Alignment
{
	int    pairs;
	double rotation;
	double dx, dy;
} Alignment;

/* greedy one-to-one pairing of b, moved, onto a; returns how many */
static int
pair_up(const Plane *a, const Plane *b, const Alignment *move, int *mate)
{
	double c = cos(move->rotation), s = sin(move->rotation);
	bool   taken[FINGERPRINT_MAX_MINUTIAE] = {false};
	int    pairs = 0;

	for (int j = 0; j < b->count; j++)
	{
		double x = c * b->x[j] - s * b->y[j] + move->dx;
		double y = s * b->x[j] + c * b->y[j] + move->dy;
		double best = PAIR_DISTANCE * PAIR_DISTANCE;
		int    found = -1;

		for (int i = 0; i < a->count; i++)
		{
			double dx = a->x[i] - x, dy = a->y[i] - y;
			double d = dx * dx + dy * dy;

			if (d < best && !taken[i] &&
				angle_between(a->angle[i], b->angle[j] + move->rotation) < PAIR_ANGLE)
			{
				best = d;
				found = i;
			}
		}
		if (mate)
			mate[j] = found;
		if (found >= 0)
		{
			taken[found] = true;
			pairs++;
		}
	}
	return pairs;
}

/* least squares motion of the pairs */
static void
refine(const Plane *a, const Plane *b, const int *mate, Alignment *move)
{
	double n = 0, ax = 0, ay = 0, bx = 0, by = 0, c = 0, s = 0;

	for (int j = 0; j < b->count; j++)
		if (mate[j] >= 0)
		{
			n++;
			ax += a->x[mate[j]];
			ay += a->y[mate[j]];
			bx += b->x[j];
			by += b->y[j];
		}
	if (n < 3)
		return;
	ax /= n;
	ay /= n;
	bx /= n;
	by /= n;
	for (int j = 0; j < b->count; j++)
		if (mate[j] >= 0)
		{
			double px = b->x[j] - bx, py = b->y[j] - by, qx = a->x[mate[j]] - ax,
				   qy = a->y[mate[j]] - ay;

			c += px * qx + py * qy;
			s += px * qy - py * qx;
		}
	move->rotation = atan2(s, c);
	c = cos(move->rotation);
	s = sin(move->rotation);
	move->dx = ax - (c * bx - s * by);
	move->dy = ay - (s * bx + c * by);
}

static Alignment
align(const Plane *a, const Plane *b)
{
	Alignment best = {0, 0, 0, 0};
	int       mate[FINGERPRINT_MAX_MINUTIAE];

	for (int i = 0; i < a->count; i++)
		for (int j = 0; j < b->count; j++)
		{
			Alignment move;
			double    c, s;

			move.rotation = a->angle[i] - b->angle[j];
			if (angle_between(move.rotation, 0) > 45.0 / 180 * PI)
				continue;
			c = cos(move.rotation);
			s = sin(move.rotation);
			move.dx = a->x[i] - (c * b->x[j] - s * b->y[j]);
			move.dy = a->y[i] - (s * b->x[j] + c * b->y[j]);
			move.pairs = pair_up(a, b, &move, NULL);
			if (move.pairs > best.pairs)
				best = move;
		}
	for (int round = 0; round < 3 && best.pairs > 0; round++)
	{
		Alignment next = best;

		pair_up(a, b, &best, mate);
		refine(a, b, mate, &next);
		next.pairs = pair_up(a, b, &next, NULL);
		if (next.pairs < best.pairs)
			break;
		best = next;
	}
	return best;
}

/* minutiae of b, moved, that lie near enough to a minutia of a to be in its area */
static int
in_common_area(const Plane *a, const Plane *b, const Alignment *move)
{
	double c = cos(move->rotation), s = sin(move->rotation);
	int    result = 0;

	for (int j = 0; j < b->count; j++)
	{
		double x = c * b->x[j] - s * b->y[j] + move->dx;
		double y = s * b->x[j] + c * b->y[j] + move->dy;
		int    quadrants = 0;

		/* inside: minutiae of a in at least three of the four quadrants around it */
		for (int i = 0; i < a->count; i++)
			quadrants |= 1 << ((a->x[i] < x) + 2 * (a->y[i] < y));
		result += quadrants == 15;
	}
	return result;
}

static void
describe(Statistics *st, const Plane *p, const FingerprintTemplate *finger)
{
	double area = hull_area(p) / (197.0 * 197.0);

	bench_add(&st->count, p->count);
	bench_add(&st->quality, finger->quality);
	if (area > 0)
	{
		bench_add(&st->area, area);
		bench_add(&st->density, p->count / area);
	}
	for (int i = 0; i < p->count; i++)
	{
		double nearest = INFINITY;

		st->types[p->type[i] % 3]++;
		for (int j = 0; j < p->count; j++)
		{
			double d = hypot(p->x[i] - p->x[j], p->y[i] - p->y[j]);
			double turn = angle_between(p->angle[i], p->angle[j]);

			if (i == j)
				continue;
			if (d < nearest)
				nearest = d;
			for (int k = 0; k < DISTANCE_BANDS; k++)
				if (d >= band_limit[k] && d < band_limit[k + 1])
				{
					st->pairs[k]++;
					st->same[k] += turn <= 30.0 / 180 * PI;
					st->opposite[k] += turn >= 150.0 / 180 * PI;
				}
		}
		if (p->count > 1)
			bench_add(&st->nearest, nearest);
	}
}

static void
collect(Statistics *st, BenchSet *set, bool pairing)
{
	Plane            *planes = bench_allocate(set->count * sizeof(Plane));
	FingerprintProbe *probe = bench_allocate(fingerprint_probe_size());

	bench_extract(set);
	for (int i = 0; i < set->count; i++)
	{
		to_plane(&set->records[i].finger, &planes[i]);
		describe(st, &planes[i], &set->records[i].finger);
	}
	for (int i = 0; i < set->count; i++)
	{
		fingerprint_probe_init(probe, set->records[i].features, set->records[i].size);
		for (int j = i + 1; j < set->count; j++)
		{
			bool   mated = set->records[i].identity == set->records[j].identity;
			double score = fingerprint_score(
				fingerprint_distance(probe, set->records[j].features, set->records[j].size));

			bench_add(mated ? &st->mated_score : &st->nonmated_score, score);
			if (!pairing || (!mated && (i * 31 + j) % 8 != 0))
				continue;
			else
			{
				Alignment move = align(&planes[i], &planes[j]);
				int       mate[FINGERPRINT_MAX_MINUTIAE];
				int       common;

				bench_add(mated ? &st->mated : &st->nonmated, move.pairs);
				if (!mated || move.pairs < 8)
					continue;
				common = in_common_area(&planes[i], &planes[j], &move);
				if (common > 0)
					bench_add(&st->mated_share, (double) move.pairs / common);
				bench_add(&st->rotation, fabs(move.rotation) * 180 / PI);
				pair_up(&planes[i], &planes[j], &move, mate);
				for (int k = 0; k < planes[j].count; k++)
					if (mate[k] >= 0)
					{
						double c = cos(move.rotation), s = sin(move.rotation);
						double x = c * planes[j].x[k] - s * planes[j].y[k] + move.dx;
						double y = s * planes[j].x[k] + c * planes[j].y[k] + move.dy;

						bench_add(&st->residual,
								  hypot(x - planes[i].x[mate[k]], y - planes[i].y[mate[k]]));
						bench_add(&st->turn, angle_between(planes[i].angle[mate[k]],
														   planes[j].angle[k] + move.rotation) *
												 180 / PI);
						bench_add(&st->flips, planes[i].type[mate[k]] != planes[j].type[k]);
					}
			}
		}
	}
	free(planes);
	free(probe);
}

/* scores of fingers of different sets */
static void
collect_strangers(BenchValues *scores, const BenchSet *a, const BenchSet *b)
{
	FingerprintProbe *probe = bench_allocate(fingerprint_probe_size());

	for (int i = 0; i < a->count; i++)
	{
		fingerprint_probe_init(probe, a->records[i].features, a->records[i].size);
		for (int j = 0; j < b->count; j++)
			bench_add(scores, fingerprint_score(fingerprint_distance(probe, b->records[j].features,
																	 b->records[j].size)));
	}
	free(probe);
}

static void
quantile_rows(const char *title, BenchValues *real, BenchValues *made, int digits)
{
	BenchValues             *both[2] = {real, made};
	static const char *const who[2] = {"captured", "synthetic"};

	for (int k = 0; k < 2; k++)
	{
		static const double q[] = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};

		if (both[k] == NULL || both[k]->count == 0)
			continue;
		bench_sort(both[k]);
		printf("| %s, %s |", title, who[k]);
		for (size_t i = 0; i < sizeof(q) / sizeof(q[0]); i++)
			printf(" %.*f |", digits, bench_quantile(both[k], q[i]));
		printf(" %.*f |\n", digits + 1, bench_mean(both[k]));
	}
}

static void
histogram(const BenchValues *real, const BenchValues *made, double width, int bins)
{
	for (int b = 0; b < bins; b++)
	{
		double             share[2] = {0, 0};
		const BenchValues *both[2] = {real, made};

		for (int k = 0; k < 2; k++)
		{
			for (size_t i = 0; i < both[k]->count; i++)
			{
				int bin = (int) (both[k]->values[i] / width);

				if (bin >= bins)
					bin = bins - 1;
				share[k] += bin == b;
			}
			if (both[k]->count)
				share[k] = 100 * share[k] / both[k]->count;
		}
		printf("%5.0f%s %5.1f %-32.*s %5.1f %.*s\n", b * width, b == bins - 1 ? "+" : " ", share[0],
			   (int) (share[0] / 2 + 0.5), "################################################",
			   share[1], (int) (share[1] / 2 + 0.5),
			   "################################################");
	}
}

int
main(int argc, char **argv)
{
	static Statistics        real, made;
	static const char *const title =
		"| | 1 % | 5 % | 25 % | 50 % | 75 % | 95 % | 99 % | mean |\n|---|---|---|---|---|---|---|---|---|\n";
	static BenchSet captured[MAX_SETS];
	BenchSet        set;
	BenchValues     strangers = {0};
	int             sets = 0;
	bool            given = false, pairing = true;

	for (int i = 1; i < argc; i++)
	{
		if (strcmp(argv[i], "--no-pairing") == 0)
			pairing = false;
		else if (sets < MAX_SETS && bench_load(&captured[sets], argv[i]))
		{
			given = true;
			sets++;
		}
		else
		{
			fprintf(stderr, "no records F_I.fmr in %s, or too many directories\n", argv[i]);
			return 2;
		}
	}
	if (!given && bench_data() == NULL)
		printf(
			"skipped: captured fingers, because there are no evaluation data in ../shared/data or BIOMETRIC_DATA\n");
	else if (!given)
		for (int i = 1; i <= 4; i++)
		{
			char path[4096];

			snprintf(path, sizeof(path), "%s/fingerprint/fvc2002_db%d_b", bench_data(), i);
			if (bench_load(&captured[sets], path))
				sets++;
		}
	for (int i = 0; i < sets; i++)
		collect(&real, &captured[i], pairing);
	for (int i = 0; i < sets; i++)
		for (int j = i + 1; j < sets; j++)
			collect_strangers(&strangers, &captured[i], &captured[j]);
	for (int i = 0; i < sets; i++)
		bench_free(&captured[i]);

	/* sets of the same shape as FVC2002 set B */
	for (int i = 0; i < 12; i++)
	{
		bench_synthesize(&set, 1000 + 100 * i, 10, 8);
		collect(&made, &set, pairing);
		bench_free(&set);
	}

	fputs(title, stdout);
	quantile_rows("minutiae", &real.count, &made.count, 0);
	quantile_rows("nearest minutia, px", &real.nearest, &made.nearest, 1);
	quantile_rows("hull, cm2", &real.area, &made.area, 2);
	quantile_rows("minutiae a cm2", &real.density, &made.density, 1);
	quantile_rows("quality", &real.quality, &made.quality, 0);
	quantile_rows("pairs, mated", &real.mated, &made.mated, 0);
	quantile_rows("pairs, non-mated", &real.nonmated, &made.nonmated, 0);
	quantile_rows("share of the common area paired", &real.mated_share, &made.mated_share, 2);
	quantile_rows("distance of pairs, px", &real.residual, &made.residual, 1);
	quantile_rows("turn of pairs, degrees", &real.turn, &made.turn, 1);
	quantile_rows("rotation, degrees", &real.rotation, &made.rotation, 1);
	printf("\n| | captured | synthetic |\n|---|---|---|\n");
	printf("| type of pairs differs | %.3f | %.3f |\n", bench_mean(&real.flips),
		   bench_mean(&made.flips));
	for (int k = 0; k < 3; k++)
		printf("| type %d | %.3f | %.3f |\n", k,
			   real.types[k] / (real.types[0] + real.types[1] + real.types[2]),
			   made.types[k] / (made.types[0] + made.types[1] + made.types[2]));
	for (int k = 0; k < DISTANCE_BANDS; k++)
		printf(
			"| direction of minutiae %.0f to %.0f px apart: same, opposite | %.3f, %.3f | %.3f, %.3f |\n",
			band_limit[k], band_limit[k + 1], real.same[k] / real.pairs[k],
			real.opposite[k] / real.pairs[k], made.same[k] / made.pairs[k],
			made.opposite[k] / made.pairs[k]);
	printf("\nScores, decibans\n\n%s", title);
	quantile_rows("mated", &real.mated_score, &made.mated_score, 1);
	quantile_rows("non-mated", &real.nonmated_score, &made.nonmated_score, 1);
	quantile_rows("non-mated, of different sets", &strangers, NULL, 1);
	printf("\nmated, %% of scores in bins of 5 dB: captured, synthetic\n");
	histogram(&real.mated_score, &made.mated_score, 5, 18);
	printf("\nnon-mated, in bins of 2 dB\n");
	histogram(&real.nonmated_score, &made.nonmated_score, 2, 15);
	return 0;
}
