/*
 * fusion.c
 *		What several fingers of a person are worth: identification with one, two
 *		and four fingers, and whether sums of scores keep their promise.
 *
 *		fusion [--synthetic FINGERS] [DIRECTORY...]
 *
 * A directory holds records named F_I.fmr: impression I of finger F.  Without
 * directories the program takes the FVC2002 records of the evaluation data and
 * synthetic fingers.
 *
 * These data know fingers and no persons.  A pseudo-person is n different
 * fingers of one set, drawn at random: one sensor, one session, but fingers
 * that have no more to do with each other than those of strangers.  Every
 * figure is a mean over many such draws.  Intervals hold 95 % and come from
 * drawing the fingers themselves with replacement first.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/fusion.h"
#include "match/portable_math.h"

#define MAX_SETS    16
#define MAX_FINGERS 4   /* of a pseudo-person */
#define ROUNDS      200 /* of resampling */
#define DRAWS       32000 /* searches with one finger for a figure; a tenth in a round of resampling */
#define LEVELS      3

static const double level[LEVELS] = {1e-2, 1e-3, 1e-4};
static const int    sizes[] = {1, 2, 4};

typedef struct Finger
{
	int set;
	int first; /* record */
	int impressions;
} Finger;

typedef struct Group
{
	const char *title;
	int         sets;
	BenchSet    set[MAX_SETS];
	int         records;
	float      *scores; /* records x records */
	int         fingers;
	Finger     *finger;
	int         first_finger[MAX_SETS + 1];
} Group;

typedef struct Person
{
	int finger[MAX_FINGERS];
} Person;

/* what a pass over many draws counts */
typedef struct Counts
{
	double comparisons;
	double naive[LEVELS];     /* non-mated sums that reach the score of n independent ones */
	double corrected[LEVELS]; /* that reach the score of n of one person */
	double searches;
	double alarms[LEVELS]; /* searches of strangers that return somebody */
	double misses[LEVELS]; /* searches that do not return the mate */
	double gallery;
	double mates;
	double far_misses[LEVELS]; /* the same against the threshold for a big gallery */
} Counts;

#define BIG_GALLERY 100000

static double
threshold(double fpir, double size, int n)
{
	return fusion_sum(-expm1(log1p(-fpir) / size), n);
}

static int
below(uint64_t *random, int n)
{
	return (int) (portable_uniform(random) * n);
}

static void
compare_all(Group *group)
{
	const BenchRecord **records;
	FingerprintProbe   *probe = bench_allocate(fingerprint_probe_size());
	int                 n = 0;

	for (int s = 0; s < group->sets; s++)
		group->records += group->set[s].count;
	records = bench_allocate(group->records * sizeof(*records));
	group->finger = bench_allocate(group->records * sizeof(Finger));
	group->scores = bench_allocate((size_t) group->records * group->records * sizeof(float));
	for (int s = 0; s < group->sets; s++)
	{
		bench_extract(&group->set[s]);
		group->first_finger[s] = group->fingers;
		for (int i = 0; i < group->set[s].count; i++, n++)
		{
			records[n] = &group->set[s].records[i];
			if (i == 0 || records[n]->identity != records[n - 1]->identity)
				group->finger[group->fingers++] = (Finger){s, n, 0};
			group->finger[group->fingers - 1].impressions++;
		}
	}
	group->first_finger[group->sets] = group->fingers;
	for (int i = 0; i < n; i++)
	{
		fingerprint_probe_init(probe, records[i]->features, records[i]->size);
		for (int j = i + 1; j < n; j++)
		{
			float score = (float) fingerprint_score(
				fingerprint_distance(probe, records[j]->features, records[j]->size));

			group->scores[(size_t) i * n + j] = group->scores[(size_t) j * n + i] = score;
		}
	}
	free(records);
	free(probe);
}

/* the fused score of two persons, the first captured as impression i, the other as j */
static double
fused(const Group *group, const Person *a, int i, const Person *b, int j, int n)
{
	double sum = 0;

	for (int k = 0; k < n; k++)
	{
		const Finger *x = &group->finger[a->finger[k]];
		const Finger *y = &group->finger[b->finger[k]];

		sum += group->scores[(size_t) (x->first + i % x->impressions) * group->records + y->first +
							 j % y->impressions];
	}
	return sum;
}

static bool
share_a_finger(const Person *a, const Person *b, int n)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			if (a->finger[i] == b->finger[j])
				return true;
	return false;
}

/*
 * Cut the fingers of every set, as drawn, into persons of n different ones;
 * what is left over, or would make a person with one finger twice, is left out.
 */
static int
make_persons(const Group *group, const int *drawn, int n, uint64_t *random, Person *persons)
{
	int count = 0;

	for (int s = 0; s < group->sets; s++)
	{
		int  first = group->first_finger[s];
		int  fingers = group->first_finger[s + 1] - first;
		int *order = bench_allocate(fingers * sizeof(int));

		for (int i = 0; i < fingers; i++)
		{
			int j = below(random, i + 1);

			order[i] = order[j];
			order[j] = drawn[first + i];
		}
		for (int i = 0; i + n <= fingers; i += n)
		{
			bool twice = false;

			for (int k = 0; k < n; k++)
			{
				persons[count].finger[k] = order[i + k];
				for (int l = 0; l < k; l++)
					twice |= order[i + k] == order[i + l];
			}
			if (!twice)
				count++;
		}
		free(order);
	}
	return count;
}

static void
count_draws(const Group *group, const int *drawn, int n, int draws, uint64_t *random,
			Counts *counts)
{
	Person *persons = bench_allocate(group->fingers * sizeof(Person));
	double  independent[LEVELS], sum[LEVELS], big[LEVELS];

	memset(counts, 0, sizeof(*counts));
	for (int l = 0; l < LEVELS; l++)
	{
		independent[l] = fusion_sum(fmin(level[l] * pow(FUSION_DEPENDENCE, n - 1), 1), n);
		sum[l] = fusion_sum(level[l], n);
		big[l] = threshold(level[l], BIG_GALLERY, n);
	}
	for (int draw = 0; draw < draws; draw++)
	{
		int count = make_persons(group, drawn, n, random, persons);

		for (int p = 0; p < count; p++)
		{
			int    enrolled = below(random, 8);
			int    captured = (enrolled + 1 + below(random, 7)) % 8;
			double best = 0;
			int    size = 0;
			double mate = fused(group, &persons[p], captured, &persons[p], enrolled, n);
			int    impressions = group->finger[persons[p].finger[0]].impressions;

			if (captured % impressions == enrolled % impressions)
				continue;
			for (int q = 0; q < count; q++)
			{
				double score;

				if (share_a_finger(&persons[p], &persons[q], n))
					continue;
				score = fused(group, &persons[p], captured, &persons[q], enrolled, n);
				size++;
				best = fmax(best, score);

				/* promises of one comparison: fingers of one sensor, the harder case */
				if (group->finger[persons[p].finger[0]].set !=
					group->finger[persons[q].finger[0]].set)
					continue;
				counts->comparisons++;
				for (int l = 0; l < LEVELS; l++)
				{
					counts->naive[l] += score >= independent[l];
					counts->corrected[l] += score >= sum[l];
				}
			}
			if (size == 0)
				continue;
			counts->searches++;
			counts->gallery += size;
			for (int l = 0; l < LEVELS; l++)
			{
				double t = threshold(level[l], size, n);

				counts->alarms[l] += best >= t;
				counts->misses[l] += mate < t;
				counts->far_misses[l] += mate < big[l];
			}
		}
	}
	free(persons);
}

typedef struct Figure
{
	double      value;
	BenchValues resampled;
} Figure;

static void
print_figure(Figure *figure, const char *unit)
{
	bench_sort(&figure->resampled);
	printf(" %.3g%s (%.3g to %.3g) |", figure->value, unit,
		   bench_quantile(&figure->resampled, 0.025), bench_quantile(&figure->resampled, 0.975));
	free(figure->resampled.values);
}

enum
{
	NAIVE,
	CORRECTED,
	ALARMS,
	MISSES,
	FAR_MISSES,
	KINDS
};

static void
take(const Counts *counts, double values[KINDS][LEVELS])
{
	for (int l = 0; l < LEVELS; l++)
	{
		values[NAIVE][l] = counts->naive[l] / counts->comparisons;
		values[CORRECTED][l] = counts->corrected[l] / counts->comparisons;
		values[ALARMS][l] = counts->alarms[l] / counts->searches;
		values[MISSES][l] = 100 * counts->misses[l] / counts->searches;
		values[FAR_MISSES][l] = 100 * counts->far_misses[l] / counts->searches;
	}
}

static void
report(Group *group)
{
	int    count = sizeof(sizes) / sizeof(sizes[0]);
	int   *drawn = bench_allocate(group->fingers * sizeof(int));
	Figure figures[sizeof(sizes) / sizeof(sizes[0])][KINDS][LEVELS];
	double gallery[sizeof(sizes) / sizeof(sizes[0])];

	memset(figures, 0, sizeof(figures));
	for (int i = 0; i < count; i++)
	{
		uint64_t random = portable_mix(19795, sizes[i]);
		Counts   counts;
		double   values[KINDS][LEVELS];

		for (int f = 0; f < group->fingers; f++)
			drawn[f] = f;
		count_draws(group, drawn, sizes[i], DRAWS / group->fingers + 1, &random, &counts);
		take(&counts, values);
		gallery[i] = counts.gallery / counts.searches;
		for (int k = 0; k < KINDS; k++)
			for (int l = 0; l < LEVELS; l++)
				figures[i][k][l].value = values[k][l];

		for (int round = 0; round < ROUNDS; round++)
		{
			for (int s = 0; s < group->sets; s++)
			{
				int first = group->first_finger[s];
				int fingers = group->first_finger[s + 1] - first;

				for (int f = 0; f < fingers; f++)
					drawn[first + f] = first + below(&random, fingers);
			}
			count_draws(group, drawn, sizes[i], DRAWS / 10 / group->fingers + 1, &random, &counts);
			if (counts.searches == 0 || counts.comparisons == 0)
				continue;
			take(&counts, values);
			for (int k = 0; k < KINDS; k++)
				for (int l = 0; l < LEVELS; l++)
					bench_add(&figures[i][k][l].resampled, values[k][l]);
		}
	}

	printf("\n### %s: %d fingers\n", group->title, group->fingers);
	printf("\nFalse matches of pseudo-persons of one set.\n\n"
		   "| fingers | promised | measured, as if they were independent (Fisher) "
		   "| measured, by the rule |\n|---|---|---|---|\n");
	for (int i = 0; i < count; i++)
		for (int l = 0; l < LEVELS; l++)
		{
			printf("| %d | %g |", sizes[i], level[l]);
			print_figure(&figures[i][NAIVE][l], "");
			print_figure(&figures[i][CORRECTED][l], "");
			putchar('\n');
		}
	printf("\nIdentification.  Thresholds are those of score_threshold(fpir, gallery, fingers).\n\n"
		   "| fingers | gallery | FPIR promised | FPIR measured | FNIR, %% | FNIR, %%, "
		   "with the threshold for %d persons |\n|---|---|---|---|---|---|\n",
		   BIG_GALLERY);
	for (int i = 0; i < count; i++)
		for (int l = 0; l < LEVELS; l++)
		{
			printf("| %d | %.0f | %g |", sizes[i], gallery[i], level[l]);
			print_figure(&figures[i][ALARMS][l], "");
			print_figure(&figures[i][MISSES][l], "");
			print_figure(&figures[i][FAR_MISSES][l], "");
			putchar('\n');
		}
	fflush(stdout);
	free(drawn);
}

static void
run(Group *group, const char *title)
{
	group->title = title;
	compare_all(group);
	report(group);
	for (int s = 0; s < group->sets; s++)
		bench_free(&group->set[s]);
	free(group->scores);
	free(group->finger);
	memset(group, 0, sizeof(*group));
}

static void
run_fvc(const char *data, const char *suffix, const char *title)
{
	Group group = {0};

	for (int db = 1; db <= 4; db++)
	{
		char path[4096];

		snprintf(path, sizeof(path), "%s/fingerprint/fvc2002_db%d_b%s", data, db, suffix);
		if (bench_load(&group.set[group.sets], path))
			group.sets++;
		else
			printf("\nskipped: no records in fingerprint/fvc2002_db%d_b%s of the evaluation data\n",
				   db, suffix);
	}
	if (group.sets > 0)
		run(&group, title);
}

static void
usage(void)
{
	fprintf(stderr, "usage: fusion [--synthetic FINGERS] [DIRECTORY...]\n");
	exit(2);
}

int
main(int argc, char **argv)
{
	Group       group = {0};
	int         synthetic = -1; /* not said */
	const char *data;

	for (int i = 1; i < argc; i++)
	{
		if (strcmp(argv[i], "--synthetic") == 0 && i + 1 < argc)
			synthetic = atoi(argv[++i]);
		else if (argv[i][0] == '-' || group.sets == MAX_SETS)
			usage();
		else if (bench_load(&group.set[group.sets], argv[i]))
			group.sets++;
		else
		{
			fprintf(stderr, "no records F_I.fmr in %s\n", argv[i]);
			return 2;
		}
	}

	printf("# Several fingers of a person\n\nIn parentheses 95 %% intervals.\n");
	if (group.sets > 0)
	{
		run(&group, "The given directories");
		synthetic = synthetic < 0 ? 0 : synthetic;
	}
	else if ((data = bench_data()) == NULL)
		printf("\nskipped: FVC2002, because there are no evaluation data in ../shared/data or "
			   "BIOMETRIC_DATA\n");
	else
	{
		run_fvc(data, "", "FVC2002 set B, minutiae by NIST mindtct");
		run_fvc(data, "_secugen", "FVC2002 set B, minutiae by a commercial extractor");
	}
	if (synthetic < 0)
		synthetic = 40;
	if (synthetic > 0)
	{
		for (int s = 0; s < 4; s++)
			bench_synthesize(&group.set[group.sets++], 1000000 + (int64_t) s * synthetic, synthetic,
							 4);
		run(&group, "Synthetic fingers");
	}
	return 0;
}
